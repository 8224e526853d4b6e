"""Numbers, lists and values in words. All that comes from outside goes through `printable` here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from qase_iac.values import JSON, printable

EMPTY = "(empty)"
HEADLINE = 76
"""Characters of a text by which it is told which thing is meant."""
MAX_DEPTH = 6
"""Structured values are spelled out so deep; what lies below is an ellipsis."""


def number(value: int) -> str:
    return f"{value:,}"


def count(value: int, one: str, many: str = "") -> str:
    """`count(1203, "case")` -> "1,203 cases"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def listed(items: Sequence[str], most: int = 12) -> str:
    """The items joined by commas; what is beyond `most` is counted."""
    shown = ", ".join(printable(item) for item in items[:most])
    return f"{shown} and {number(len(items) - most)} more" if len(items) > most else shown


def sentence(parts: Iterable[str]) -> str:
    """ "a, b and c"."""
    items = [part for part in parts if part]
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def is_empty(value: JSON) -> bool:
    """Null, "", [] and {} all clear an attribute."""
    return value is None or value == "" or value == [] or value == {}


def inline(value: JSON, depth: int = 0) -> str:
    """A value on one line, near to how YAML writes it."""
    if is_empty(value):
        return EMPTY
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return reference(value) or _mapping(value, depth)
    if isinstance(value, list):
        return "[" + ", ".join(inline(item, depth + 1) for item in value) + "]" if depth < MAX_DEPTH else "[…]"
    return json.dumps(value)


def _mapping(value: Mapping[str, JSON], depth: int) -> str:
    if depth >= MAX_DEPTH:
        return "{…}"
    return "{" + ", ".join(f"{printable(name)}: {inline(item, depth + 1)}" for name, item in value.items()) + "}"


def reference(value: Mapping[str, JSON]) -> str:
    """A reference or a file that is no plain address or path, in words; "" when `value` is something else."""
    keys = set(value)
    if keys == {"known_after_apply"}:
        return f"{inline(value['known_after_apply'], MAX_DEPTH)} (made by this plan)"
    if keys == {"external_id"}:
        return f"#{inline(value['external_id'], MAX_DEPTH)} (not managed)"
    if keys == {"hash", "file"}:
        return f"{inline(value['file'] or value['hash'], MAX_DEPTH)} (only in Qase)"
    return ""


def headline(text: str, width: int = HEADLINE) -> str:
    """The first line of a text, cut at `width`, to tell by which thing is meant."""
    stripped = text.strip()
    first, newline, _ = stripped.partition("\n")
    shown = printable(first.rstrip())
    if len(shown) > width:
        return shown[: width - 1].rstrip() + "…"
    return shown + " …" if newline else shown
