"""YAML text of plain JSON-like values, made for people and exact to the byte.

An own emitter, because libyaml's escapes every emoji, folds texts with trailing spaces into quotes, ends documents
with `...`, and takes five times as long (measured on 5,059 cases: 5.8 s against 1.1 s). Every text comes back as it
was through PyYAML's loaders, through YAML 1.2 readers (editors), and through our own loader, which takes plain scalars
as they stand: whatever any of them could take for something else than text is quoted.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from qase_iac.values import JSON

BLOCK_LISTS = frozenset({"steps"})
"""Keys whose lists always stand one item a line."""
FLOW_MAPPINGS = frozenset({"external", "external_id"})
"""A mapping of one pair with such a key stands on one line: `{external_id: 12}`."""

_STEP = "  "
_FLOW_ITEM = 40
_FLOW_WIDTH = 100
_SIMPLE_KEY = 1000
"""libyaml looks 1,024 characters ahead for the colon of a key; longer keys take the `? ` form."""
_MEMORY = 256
"""The longest text whose form is remembered: words repeat, prose does not."""

# What does not stand in a file as it is: control characters, CR, NEL, LS, PS, BOM, lone surrogates, non-characters;
# and, as everywhere in messages (values.printable), what shows a reviewer another text than is there: marks and
# overrides of the writing direction, what cannot be seen. Three of those do stand: the joiner and the non-joiner, which
# emoji and many scripts are spelled with, and the narrow space that French sets before a colon.
_UNSAFE = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u061b\u061d-\u180d\u180f-\u200a\u200c\u200d\u2010-\u2027\u202f-\u205f\u2070-\ud7ff"
    "\ue000-\ufefe\uff00-\ufff8\ufffc\ufffd\U00010000-\U000dffff\U000e1000-\U0010ffff]"
)
_ZERO_WIDTH = "\u200b"
"""Editors on the web leave these behind (in 50 long texts of 5,059 real cases); no block is given up for them."""
_PLAIN = re.compile(
    r"""(?=[^\s\-?:,\[\]{}\#&*!|>'"%@`=~])      # no indicator first
    (?:[^\n\t:\#]|:(?=[^ \n])|(?<=[^\ ])\#)*    # no `: `, no ` #`, no colon at the end
    (?<!\s)\Z""",
    re.VERBOSE,
)
_PLAIN_IN_FLOW = re.compile(r"[^,\[\]{}:?]*\Z")
_WORDS = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<"])
# Numbers and dates of YAML 1.1 and 1.2, generously.
_NUMBER = re.compile(
    r"""[-+]?(?:
        0[bB][01_]+ | 0[oO]?[0-7_]+ | 0[xX][0-9a-fA-F_]+
      | [0-9][0-9_,]*(?:\.[0-9_.]*)?(?:[eE][-+]?[0-9_]+)?
      | \.[0-9_]+(?:[eE][-+]?[0-9_]+)?
      | \.(?:inf|Inf|INF|nan|NaN|NAN)
      | [0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?
    )\Z
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9:.]+[ \t]*(?:Z|z|[-+][0-9:]+)?)?\Z
    | \.{3}""",
    re.VERBOSE,
)
_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v",
    "\f": "\\f", "\r": "\\r", "\x1b": "\\e", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
_TO_ESCAPE = re.compile(f'["\\\\\t\n]|{_UNSAFE.pattern}')


def dump(value: JSON, *, block_lists: Collection[str] = BLOCK_LISTS) -> str:
    """`value` as a YAML document that ends in a newline: keys in the given order, no line is ever folded.

    A lone surrogate, which JSON can carry and no YAML reader takes, becomes U+FFFD.
    """
    writer = _Writer(frozenset(block_lists))
    if isinstance(value, dict) and value:
        writer.mapping(value, "", "")
    elif isinstance(value, list) and value:
        writer.sequence(value, "", "")
    else:
        writer.lines.append(_inline(value))
    return "\n".join(writer.lines) + "\n"


def dump_inline(value: JSON) -> str:
    """`value` on one line, as it may stand inside `[ ]` and `{ }`; exact as `dump` is."""
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{_flow_item(key)}: {dump_inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list) and value:
        return f"[{', '.join(map(dump_inline, value))}]"
    return _flow_item(value)


class _Writer:
    """Collects lines. `pad` is the indentation of a collection, `first` what its first line begins with."""

    def __init__(self, block_lists: frozenset[str]) -> None:
        self.lines: list[str] = []
        self._block_lists = block_lists
        self._short: dict[str, str] = {}
        self._keys: dict[str, str] = {}

    def mapping(self, value: dict[str, JSON], pad: str, first: str) -> None:
        for key, item in value.items():
            name = self._keys.get(key) or self._key(key)
            if len(name) > _SIMPLE_KEY:
                self.lines.append(f"{first}? {name}")
                first, name = pad, ""
            self.item(f"{first}{name}:", item, pad, key in self._block_lists)
            first = pad

    def _key(self, key: str) -> str:
        if not isinstance(key, str):
            raise TypeError(f"a key is text, not {type(key).__name__}")
        name = self._keys[key] = _inline(key)
        return name

    def item(self, head: str, value: JSON, pad: str, block: bool) -> None:
        """The value of a pair, on the line of its key or below."""
        if isinstance(value, str):
            self.lines.append(f"{head} {self.text(value, pad)}")
        elif not isinstance(value, dict | list) or not value:
            self.lines.append(f"{head} {_inline(value)}")
        elif not block and (flow := _flow(value, _FLOW_WIDTH - len(head))):
            self.lines.append(f"{head} {flow}")
        else:
            self.lines.append(head)
            self.below(value, pad + _STEP, pad + _STEP)

    def below(self, value: JSON, pad: str, first: str) -> None:
        if isinstance(value, dict):
            self.mapping(value, pad, first)
        else:
            self.sequence(value, pad, first)

    def sequence(self, value: list[JSON], pad: str, first: str) -> None:
        for item in value:
            head = f"{first}- "
            if isinstance(item, str):
                self.lines.append(head + self.text(item, pad))
            elif not isinstance(item, dict | list) or not item:
                self.lines.append(head + _inline(item))
            elif flow := _flow(item, _FLOW_WIDTH - len(head)):
                self.lines.append(head + flow)
            else:
                self.below(item, pad + _STEP, head)
            first = pad

    def text(self, text: str, pad: str) -> str:
        """A text in the form that people read best."""
        if "\n" in text:
            return _block(text, pad + _STEP) or _double(text)
        if len(text) > _MEMORY:
            return _line(text)
        found = self._short.get(text)
        if found is None:
            found = self._short[text] = _line(text)
        return found


def _inline(value: Any) -> str:
    """A scalar or an empty collection on one line; a text always quoted as one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _line(value) if "\n" not in value else _double(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, dict | list):
        return "{}" if isinstance(value, dict) else "[]"
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _float(value: float) -> str:
    if value != value:
        return ".nan"
    if value in (float("inf"), float("-inf")):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    # YAML 1.1 wants a point in the mantissa.
    return text.replace("e", ".0e", 1) if "." not in text else text


def _flow(value: JSON, width: int) -> str | None:
    """A short list of short scalars, or a reference, on one line; None when it is neither."""
    if isinstance(value, dict):
        key, item = next(iter(value.items()))
        if len(value) > 1 or key not in FLOW_MAPPINGS or not _is_short(item):
            return None
        flow = f"{{{key}: {_flow_item(item)}}}"
    elif all(map(_is_short, value)):
        flow = f"[{', '.join(map(_flow_item, value))}]"
    else:
        return None
    return flow if len(flow) <= width else None


def _is_short(value: JSON) -> bool:
    if isinstance(value, str):
        return len(value) <= _FLOW_ITEM and "\n" not in value
    return not isinstance(value, dict | list)


def _flow_item(value: JSON) -> str:
    text = _inline(value)
    return text if text[0] in "'\"" or not isinstance(value, str) or _PLAIN_IN_FLOW.match(text) else _quoted(value)


def _line(text: str) -> str:
    """A text without line breaks: plain where every reader takes it for that text, else quoted."""
    if _UNSAFE.search(text) or "\t" in text:
        return _double(text)
    if _PLAIN.match(text) and text.lower() not in _WORDS and not _NUMBER.match(text):
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    return '"' + _TO_ESCAPE.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(text: str, pad: str) -> str | None:
    """A text of several lines as a `|` block; None when YAML cannot say it that way."""
    body = text.rstrip("\n")
    last = body[body.rfind("\n") + 1 :]
    if not last.strip(" \t") or _UNSAFE.search(text.replace(_ZERO_WIDTH, "")):
        return None
    kept = len(text) - len(body)
    header = ("|2" if body[0] in " \t\n" else "|") + ("-" if not kept else "+" if kept > 1 else "")
    lines = [pad + line if line else "" for line in body.split("\n")]
    return "\n".join([header, *lines]) + "\n" * max(kept - 1, 0)
