"""What `--full` adds: an attribute's old and new value, told in the way that suits its type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from unicodedata import normalize

from qase_iac.attributes import Steps, Type
from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, AttributeChange, Change, Origin
from qase_iac.render import stepdiff
from qase_iac.render.deep import spell_out
from qase_iac.render.textdiff import Line, text_diff
from qase_iac.render.words import EMPTY, count, headline, inline, listed
from qase_iac.values import JSON, printable

ARROW_WIDTH = 100
"""Two values stand on one line, an arrow between, when they take no more than this together."""
MAX_NESTING = 12
"""Steps in steps in steps are told so deep."""
STEP_TEXTS = ("action", "data", "expected")


def type_of(kind: str, name: str) -> Type | None:
    """The type of an attribute by the kind's table; None for a name that is not in it."""
    try:
        return BY_NAME[kind].attribute(name).type
    except KeyError:
        return None


def canonical(type: Type | None, value: JSON) -> JSON:
    """The form that decides equality, so that a final line break is not shown as a change."""
    if type is None:
        return value
    try:
        return type.canon(value)
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError):
        return value


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


def attribute_words(kind: str, name: str, change: AttributeChange) -> str:
    """The attribute's name, with how much of it changed where that can be counted: "steps (1 edited)"."""
    shown, type = printable(name), type_of(kind, name)
    if isinstance(type, Steps):
        found = stepdiff.counts(stepdiff.difference(change.before, change.after) or ())
    elif is_plain_list(change.before) and is_plain_list(change.after) and (change.before or change.after):
        removed, added = list_difference(change.before, change.after)
        numbers = (("added", len(added)), ("removed", len(removed)))
        found = ", ".join(f"{number:,} {what}" for what, number in numbers if number) or "other order"
    else:
        found = ""
    return f"{shown} ({found})" if found else shown


def change_lines(change: Change, agreed: int = 0) -> Iterator[Line]:
    """Everything about one change. `agreed` attributes are known to be equal on both sides and only counted."""
    if change.action is Action.DELETE:
        yield Line(" ", f"title: {inline(change.title)}")
        yield Line(" ", f"id: {inline(change.id)}")
    for name, attribute in change.attributes.items():
        if change.action is Action.CREATE:
            yield from value_lines(printable(name), attribute.after, type_of(change.kind, name))
        elif attribute.origin is not Origin.BOTH:
            yield from attribute_lines(change.kind, name, attribute)
    both = [name for name, each in change.attributes.items() if each.origin is Origin.BOTH]
    if both:
        yield Line(" ", f"(already so in Qase: {listed(both)})")
    if change.uploads:
        yield Line(" ", f"uploads {listed(change.uploads)}")
    if agreed:
        yield Line(" ", f"({count(agreed, 'unchanged attribute')})")


def attribute_lines(kind: str, name: str, change: AttributeChange, depth: int = 0) -> Iterator[Line]:
    """One attribute's difference."""
    type, shown = type_of(kind, name), printable(name)
    if isinstance(type, Steps):
        edits = stepdiff.difference(change.before, change.after)
        if edits is not None:
            yield Line(" ", f"{shown}:", depth)
            yield from step_lines(edits, len(change.before or ()), depth + 1)
            return
    yield from difference(shown, canonical(type, change.before), canonical(type, change.after), depth)


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
        yield from _arrow(label, inline(before), inline(after), depth)


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
    yield from _arrow(label, inline(before), inline(after), depth, " (another Unicode form)" if same else "")


def _arrow(label: str, before: str, after: str, depth: int, remark: str = "") -> Iterator[Line]:
    if len(before) + len(after) <= ARROW_WIDTH:
        yield Line(" ", f"{label}: {before} → {after}{remark}", depth)
        return
    yield Line(" ", f"{label}:{remark}", depth)
    yield Line("-", before, depth + 1)
    yield Line("+", after, depth + 1)


# ---------------------------------------------------------------------------------------------- whole values


def value_lines(label: str, value: JSON, type: Type | None = None, depth: int = 0) -> Iterator[Line]:
    """One value in full, as on a create."""
    steps = stepdiff.canonical_steps(value) if isinstance(type, Steps) else None
    value = canonical(type, value)
    if steps:
        yield Line(" ", f"{label}:", depth)
        for at, step in enumerate(steps):
            yield from whole_step(" ", str(at + 1), step, depth + 1)
    elif isinstance(value, str) and "\n" in value:
        yield Line(" ", f"{label}:", depth)
        yield from (Line(" ", printable(line), depth + 1) for line in value.split("\n"))
    else:
        yield Line(" ", f"{label}: {inline(value)}", depth)


def whole_step(mark: str, place: str, step: stepdiff.Step, depth: int) -> Iterator[Line]:
    """A step with all its parts, every line under the same mark."""
    if "shared" in step:
        yield Line(mark, f"{place}  shared: {inline(step['shared'])}", depth)
        return
    first, *rest = (step.get("action") or EMPTY).split("\n")
    yield Line(mark, f"{place}  {printable(first)}", depth)
    yield from (Line(mark, " " * (len(place) + 2) + printable(line), depth) for line in rest)
    for name in ("data", "expected", "attachments"):
        if name in step:
            yield from (Line(mark, line.text, line.depth) for line in value_lines(name, step[name], None, depth + 2))
    if "steps" in step:
        yield from _nested(mark, step["steps"], depth + 2)


def _nested(mark: str, steps: list[stepdiff.Step], depth: int) -> Iterator[Line]:
    if depth > 2 * MAX_NESTING:
        yield Line(mark, f"({count(len(steps), 'step')} nested deeper)", depth)
        return
    for at, step in enumerate(steps):
        yield from whole_step(mark, str(at + 1), step, depth)


# ------------------------------------------------------------------------------------------------- steps


def step_lines(edits: Sequence[stepdiff.Edit], before: int, depth: int) -> Iterator[Line]:
    """The edits of a list that held `before` steps."""
    for edit in edits:
        yield from _edit(edit, depth)
    same = before - sum(edit.old is not None for edit in edits)
    if same:
        yield Line(" ", f"({count(same, 'unchanged step')})", depth)


def _edit(edit: stepdiff.Edit, depth: int) -> Iterator[Line]:
    if edit.before is None or edit.new is None or edit.after is None:
        mark, at, step = ("+", edit.new, edit.after) if edit.before is None else ("-", edit.old, edit.before)
        yield from whole_step(mark, str((at or 0) + 1), step or {}, depth)
        return
    was = f"   (was {(edit.old or 0) + 1})" if edit.moved else ""
    yield Line(">" if edit.moved else "~", f"{edit.new + 1}  {_name(edit.after)}{was}", depth)
    if edit.edited:
        yield from _parts(edit.before, edit.after, depth + 2)


def _name(step: stepdiff.Step) -> str:
    if "shared" in step:
        return f"shared: {inline(step['shared'])}"
    return headline(step.get("action") or "") or EMPTY


def _parts(before: stepdiff.Step, after: stepdiff.Step, depth: int) -> Iterator[Line]:
    for name in STEP_TEXTS:
        if before.get(name) != after.get(name):
            yield from difference(name, before.get(name), after.get(name), depth)
    if before.get("attachments") != after.get("attachments"):
        yield from difference("attachments", before.get("attachments"), after.get("attachments"), depth)
    old, new = before.get("steps") or [], after.get("steps") or []
    if old != new:
        yield Line(" ", "steps:", depth)
        if depth > 2 * MAX_NESTING:
            yield Line(" ", "(changes nested deeper)", depth + 1)
        else:
            yield from step_lines(stepdiff.compare(old, new), len(old), depth + 1)
