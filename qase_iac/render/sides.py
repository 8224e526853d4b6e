"""What differs as two columns, before and after: the same differences as in `details`, for pages wide enough.

Applying the marks of a unified difference pairs its lines: what went beside what came in its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from qase_iac.attributes import Steps
from qase_iac.plan import stepdiff
from qase_iac.plan.model import AttributeChange
from qase_iac.plan.stepdiff import Edit, Step
from qase_iac.render.deep import spell_out
from qase_iac.render.details import canonical, type_of
from qase_iac.render.steplines import MAX_NESTING, whole_step
from qase_iac.render.textdiff import Line, text_diff
from qase_iac.render.valuediff import is_plain_list, list_difference, whole_value
from qase_iac.render.words import EMPTY, HEADLINE, count, headline, inline, is_empty
from qase_iac.render.words_in_line import Part, changed_words
from qase_iac.values import JSON, printable

Parts = tuple[Part, ...]
_FOLD = re.compile(r"\([\d,]+ unchanged lines\)\Z")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of both columns, safe to print. None: nothing stands on that side. `note` is told across both.

    `mark` is that of a Line: - + ~ > or a space. The parts of a side are those that differ (-, +) and those that do
    not ("").
    """

    mark: str
    left: Parts | None = None
    right: Parts | None = None
    depth: int = 0
    note: str = ""


def attribute_rows(kind: str, name: str, change: AttributeChange) -> list[Row]:
    """One attribute's difference."""
    type = type_of(kind, name)
    if isinstance(type, Steps):
        edits = stepdiff.difference(change.before, change.after)
        if edits is not None:
            return list(_step_rows(edits, len(change.before or ()), len(change.after or ()), 0))
    return list(value_rows(canonical(type, change.before), canonical(type, change.after), 0))


def value_rows(before: JSON, after: JSON, depth: int) -> Iterator[Row]:
    """Two values of any type."""
    if is_empty(before) or is_empty(after):
        yield from _one_sided(before, after, depth)
    elif isinstance(before, str) and isinstance(after, str):
        yield from _texts(before, after, depth)
    elif is_plain_list(before) and is_plain_list(after):
        yield from _lists(before, after, depth)
    elif isinstance(before, list | dict) and isinstance(after, list | dict):
        yield from _inside(before, after, depth)
    else:
        yield Row("~", _plain(inline(before)), _plain(inline(after)), depth)


def _inside(before: JSON, after: JSON, depth: int) -> Iterator[Row]:
    """Structured values: what became of each path; one that changed says both its values."""
    for line in spell_out(before, after, depth):
        if line.mark == " ":
            yield Row(" ", depth=line.depth, note=line.text)
        else:
            yield from paired([line])


def paired(lines: Iterable[Line]) -> Iterator[Row]:
    """The lines of a unified difference, what went beside what came."""
    went: list[Line] = []
    came: list[Line] = []
    for line in lines:
        if line.mark in "-+" and line.mark:
            (went if line.mark == "-" else came).append(line)
            continue
        yield from _zipped(went, came)
        went, came = [], []
        if line.parts:
            yield Row(line.mark, _side(line.parts, "-"), _side(line.parts, "+"), line.depth)
        elif _FOLD.match(line.text):
            yield Row(" ", depth=line.depth, note=line.text)
        else:
            yield Row(line.mark, _plain(line.text), _plain(line.text), line.depth)
    yield from _zipped(went, came)


def _zipped(went: Sequence[Line], came: Sequence[Line]) -> Iterator[Row]:
    for old, new in zip_longest(went, came):
        mark = "~" if old and new else "-" if old else "+"
        left, right = (_plain(line.text) if line else None for line in (old, new))
        yield Row(mark, left, right, (old or new).depth)


def _plain(said: str) -> Parts:
    return (("", said),)


def _side(parts: Iterable[Part], kept: str) -> Parts:
    return tuple(part for part in parts if part[0] in ("", kept))


def _one_sided(before: JSON, after: JSON, depth: int) -> Iterator[Row]:
    """What comes whole or goes whole; nested lists and mappings on one line each, as everywhere."""
    mark, value = ("+", after) if is_empty(before) else ("-", before)
    if isinstance(value, list) and is_plain_list(value):
        said = [inline(item) for item in value]
    else:
        said = [line.text for line in whole_value("", value, 0)]
        said = said[1:] if len(said) > 1 else [inline(value)]
    for line in said:
        parts = _plain(line)
        yield Row(mark, parts if mark == "-" else None, parts if mark == "+" else None, depth)


def _texts(before: str, after: str, depth: int) -> Iterator[Row]:
    if "\n" in before or "\n" in after:
        yield from paired(text_diff(before, after, depth))
        return
    parts = changed_words(before, after)
    left, right = (_side(parts, "-"), _side(parts, "+")) if parts else (_plain(inline(before)), _plain(inline(after)))
    yield Row("~", left, right, depth)


def _lists(before: JSON, after: JSON, depth: int) -> Iterator[Row]:
    removed, added = list_difference(before, after)
    if not removed and not added:
        yield Row(" ", depth=depth, note="in another order")
        yield Row("~", _plain(inline(before)), _plain(inline(after)), depth)
        return
    lines = [Line("-", item, depth) for item in removed] + [Line("+", item, depth) for item in added]
    yield from paired(lines)


# ---------------------------------------------------------------------------------------------------- steps


def _step_rows(edits: Sequence[Edit], before: int, after: int, depth: int) -> Iterator[Row]:
    """The edits of a list that held `before` steps and will hold `after`."""
    if stepdiff.rewritten(edits, before, after):
        yield Row(" ", depth=depth, note=f"rewritten: none of the {before:,} steps is left")
        edits = sorted(edits, key=lambda edit: edit.before is None)
    shown = [edit for edit in edits if edit.moved or not edit.noise] or edits
    for edit in shown:
        yield from _edit_rows(edit, depth)
    same = before - sum(edit.old is not None for edit in edits)
    if same:
        yield Row(" ", depth=depth, note=count(same, "unchanged step"))
    if len(shown) < len(edits):
        yield Row(" ", depth=depth, note=f"{count(len(edits) - len(shown), 'step')} with other escapes only")


def _edit_rows(edit: Edit, depth: int) -> Iterator[Row]:
    if edit.before is None or edit.after is None:
        mark, at, step = ("+", edit.new, edit.after) if edit.before is None else ("-", edit.old, edit.before)
        yield from paired(whole_step(mark, str((at or 0) + 1), step or {}, depth))
        return
    told = _told_in_name(edit.before, edit.after)
    left, right = _names(edit.before, edit.after, told)
    places = [f"{(at or 0) + 1}  " for at in (edit.old, edit.new)]
    mark = ">" if edit.moved else "~" if told else " "
    yield Row(mark, (("", places[0]), *left), (("", places[1]), *right), depth)
    yield from _field_rows(edit.before, edit.after, depth + 1, but="action" if told else "")


def _told_in_name(before: Step, after: Step) -> bool:
    """Whether an edited action is short enough to be told where the step is named."""
    old, new = before.get("action") or "", after.get("action") or ""
    return old != new and "\n" not in old + new and max(len(old), len(new)) <= HEADLINE


def _names(before: Step, after: Step, told: bool) -> tuple[Parts, Parts]:
    if not told:
        return _plain(_name(before)), _plain(_name(after))
    old, new = before.get("action") or "", after.get("action") or ""
    parts = changed_words(old, new)
    if parts:
        return _side(parts, "-"), _side(parts, "+")
    return (("-", printable(old) or EMPTY),), (("+", printable(new) or EMPTY),)


def _name(step: Step) -> str:
    if "shared" in step:
        return f"shared: {inline(step['shared'])}"
    return headline(step.get("action") or "") or EMPTY


def _field_rows(before: Step, after: Step, depth: int, but: str) -> Iterator[Row]:
    for name, old, new in stepdiff.changed_fields(before, after):
        if name != but:
            yield Row(" ", depth=depth, note=f"{name}:")
            yield from value_rows(old, new, depth)
    olds, news = before.get("steps") or [], after.get("steps") or []
    if olds == news:
        return
    yield Row(" ", depth=depth, note="steps:" if depth <= MAX_NESTING else "changes nested deeper")
    if depth <= MAX_NESTING:
        yield from _step_rows(stepdiff.compare(olds, news), len(olds), len(news), depth + 1)
