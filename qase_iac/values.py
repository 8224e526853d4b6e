"""The small values that everything speaks: addresses, remote ids, references.

References to other objects have three forms, by stage:

* DESIRED, as written:     `{"address": "suite.checkout"}`, `{"external": "A / B"}`, `{"external_id": 7}`
* bound (diff, encode):    the remote id itself, or `{"known_after_apply": "suite.checkout"}`
* shown (plan, reports):   `"suite.checkout"`, `{"external_id": 7}`, `{"known_after_apply": "suite.checkout"}`
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

JSON = Any
"""A JSON value: None, bool, int, float, str, list or dict of them. Nothing else, since state and cache are JSON."""

RemoteId = int | str
"""What Qase calls an object: a number, or a 40-hex hash for a shared step."""

Attributes = dict[str, JSON]
"""Attribute name -> canonical value. An absent key is UNSET: not managed (desired) or not known (live)."""

SEGMENT = re.compile(r"[a-z0-9][a-z0-9_.-]*\Z")
MAX_KEY = 128


class Address(NamedTuple):
    """The identity of a declared object: its kind and its key. `str()` gives `kind.key`."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.key}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """`"case.pay-by-card"` -> Address. Raises ValueError when there is no dot or an empty half."""
        kind, dot, key = text.partition(".")
        if not (kind and dot and key):
            raise ValueError(f"{text!r} is not an address; one looks like case.pay-by-card")
        return cls(kind, key)


def is_key(text: str, segments: bool = False) -> bool:
    """Whether `text` is a legal key; with `segments` it may have several, joined by `/` (suites)."""
    if not 1 <= len(text) <= MAX_KEY:
        return False
    parts = text.split("/") if segments else [text]
    return all(SEGMENT.match(part) for part in parts)


def ref_address(value: JSON) -> str | None:
    """The address a reference in DESIRED names, or None when it is external or not a reference."""
    return value.get("address") if isinstance(value, dict) else None


def known_after_apply(address: str) -> JSON:
    """The bound form of a reference to something that this plan creates."""
    return {"known_after_apply": address}


def is_known(value: JSON) -> bool:
    """Whether a bound reference is a remote id already."""
    return not isinstance(value, dict)


UNSHOWN = (
    r"\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e0fff"
)
"""The inside of a character class: what a terminal obeys, what turns text round, what is there and cannot be seen."""
_CONTROL = re.compile(f"[{UNSHOWN}]")


def printable(text: str, keep: str = "") -> str:
    r"""`text` with control characters, terminal escapes, bidi overrides and the like shown as `\x1b`, `\u202e`, …

    `keep` lists characters to leave as they are ("\n" for blocks of text).
    """

    def escape(match: re.Match[str]) -> str:
        char = match.group()
        return char if char in keep else _ESCAPES.get(char) or escaped(char)

    return _CONTROL.sub(escape, text)


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def escaped(char: str) -> str:
    r"""One character as Python writes it: `\x1b`, `\u202e`, `\U000e0041`."""
    number = ord(char)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
