"""One value against another, or by itself: told in the way that suits it, whatever it is part of."""

from __future__ import annotations

from collections.abc import Iterator
from unicodedata import normalize

from qase_iac.render.deep import spell_out
from qase_iac.render.textdiff import Line, edited_line, text_diff
from qase_iac.render.words import inline
from qase_iac.values import JSON, printable

ARROW_WIDTH = 100
"""Two values stand on one line, an arrow between, when they take no more than this together."""


def is_plain_list(value: JSON) -> bool:
    """A list of words, references or files: compared item by item."""
    return value is None or (isinstance(value, list) and all(isinstance(i, str) or _is_reference(i) for i in value))


def _is_reference(item: JSON) -> bool:
    return isinstance(item, dict) and item.keys() <= {"external_id", "known_after_apply", "hash", "file"}


def list_difference(before: JSON, after: JSON) -> tuple[list[str], list[str]]:
    """(removed, added) items, in words."""
    old, new = [[inline(item) for item in value or ()] for value in (before, after)]
    was, becomes = set(old), set(new)
    return [item for item in old if item not in becomes], [item for item in new if item not in was]


def difference(label: str, before: JSON, after: JSON, depth: int) -> Iterator[Line]:
    """Two values of any type, under a label that is safe to print."""
    if _is_text(before) and _is_text(after):
        yield from _texts(label, before or "", after or "", depth)
    elif is_plain_list(before) and is_plain_list(after):
        yield Line(" ", f"{label}:", depth)
        removed, added = list_difference(before, after)
        yield from (Line("-", item, depth + 1) for item in removed)
        yield from (Line("+", item, depth + 1) for item in added)
        if not removed and not added:
            yield Line(" ", f"in another order: {inline(after)}", depth + 1)
    elif isinstance(before, list | dict) and isinstance(after, list | dict) and before and after:
        yield Line(" ", f"{label}:", depth)
        yield from spell_out(before, after, depth + 1)
    else:
        yield from _arrow(label, before, after, depth)


def _is_text(value: JSON) -> bool:
    return value is None or isinstance(value, str)


def _texts(label: str, before: str, after: str, depth: int) -> Iterator[Line]:
    if "\n" in before or "\n" in after:
        yield Line(" ", f"{label}:", depth)
        if before and after:
            yield from text_diff(before, after, depth + 1)
        else:
            mark = "-" if before else "+"
            yield from (Line(mark, printable(line), depth + 1) for line in (before or after).split("\n"))
        return
    same = before != after and normalize("NFC", before) == normalize("NFC", after)
    yield from _arrow(label, before, after, depth, " (another Unicode form)" if same else "")


def _arrow(label: str, before: JSON, after: JSON, depth: int, remark: str = "") -> Iterator[Line]:
    old, new = inline(before), inline(after)
    if len(old) + len(new) <= ARROW_WIDTH:
        yield Line(" ", f"{label}: {old} → {new}{remark}", depth)
        return
    yield Line(" ", f"{label}:{remark}", depth)
    if isinstance(before, str) and isinstance(after, str) and before and after:
        yield from edited_line(before, after, depth + 1)
    else:
        yield Line("-", old, depth + 1)
        yield Line("+", new, depth + 1)


def whole_value(label: str, value: JSON, depth: int) -> Iterator[Line]:
    """One value in full."""
    if isinstance(value, str) and "\n" in value:
        yield Line(" ", f"{label}:", depth)
        yield from (Line(" ", printable(line), depth + 1) for line in value.split("\n"))
    else:
        yield Line(" ", f"{label}: {inline(value)}", depth)
