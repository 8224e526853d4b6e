"""Steps in words: one in full, and what became of a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qase_iac.plan import stepdiff
from qase_iac.plan.stepdiff import Edit, Step
from qase_iac.render.textdiff import Line
from qase_iac.render.valuediff import difference, whole_value
from qase_iac.render.words import EMPTY, HEADLINE, count, headline, inline
from qase_iac.render.words_in_line import Part, changed_words, is_plain, marked
from qase_iac.values import printable

MAX_NESTING = 12
"""Steps in steps in steps are told so deep."""


def step_words(edits: Sequence[Edit], before: int, after: int) -> str:
    """ "1 edited, 1 moved", or that nothing is left of it."""
    if stepdiff.rewritten(edits, before, after):
        return f"rewritten: {after:,} for {before:,}"
    numbers = stepdiff.counts(edits)
    said = ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number)
    return said or ("only escapes differ" if edits else "")


def step_lines(edits: Sequence[Edit], before: int, after: int, depth: int) -> Iterator[Line]:
    """The edits of a list that held `before` steps and will hold `after`."""
    if stepdiff.rewritten(edits, before, after):
        yield Line(" ", f"(rewritten: none of the {before:,} steps is left)", depth)
        edits = sorted(edits, key=lambda edit: edit.before is None)
    shown = [edit for edit in edits if edit.moved or not edit.noise] or edits
    for edit in shown:
        yield from _edit(edit, depth)
    same = before - sum(edit.old is not None for edit in edits)
    if same:
        yield Line(" ", f"({count(same, 'unchanged step')})", depth)
    if len(shown) < len(edits):
        yield Line(" ", f"({count(len(edits) - len(shown), 'step')} with other escapes only)", depth)


def _edit(edit: Edit, depth: int) -> Iterator[Line]:
    if edit.before is None or edit.new is None or edit.after is None:
        mark, at, step = ("+", edit.new, edit.after) if edit.before is None else ("-", edit.old, edit.before)
        yield from whole_step(mark, str((at or 0) + 1), step or {}, depth)
        return
    was = f"   (was {(edit.old or 0) + 1})" if edit.moved else ""
    mark, place = ">" if edit.moved else "~", f"{edit.new + 1}  "
    words = _edited_name(edit.before, edit.after)
    if words:
        yield Line(mark, f"{place}{marked(words)}{was}", depth, (("", place), *words, ("", was)))
    else:
        yield Line(mark, f"{place}{_name(edit.after)}{was}", depth)
    if edit.edited:
        yield from _parts(edit.before, edit.after, depth + 2, but="action" if words else "")


def _edited_name(before: Step, after: Step) -> tuple[Part, ...]:
    """An action that was edited and is short enough to be told where the step is named."""
    old, new = before.get("action") or "", after.get("action") or ""
    if old == new or "\n" in old + new or max(len(old), len(new)) > HEADLINE or is_plain(old, new):
        return ()
    return changed_words(old, new)


def _name(step: Step) -> str:
    if "shared" in step:
        return f"shared: {inline(step['shared'])}"
    return headline(step.get("action") or "") or EMPTY


def _parts(before: Step, after: Step, depth: int, but: str = "") -> Iterator[Line]:
    for name, old, new in stepdiff.changed_fields(before, after):
        if name != but:
            yield from difference(name, old, new, depth)
    olds, news = before.get("steps") or [], after.get("steps") or []
    if olds == news:
        return
    yield Line(" ", "steps:", depth)
    if depth > 2 * MAX_NESTING:
        yield Line(" ", "(changes nested deeper)", depth + 1)
    else:
        yield from step_lines(stepdiff.compare(olds, news), len(olds), len(news), depth + 1)


# ------------------------------------------------------------------------------------------------ whole steps


def whole_steps(mark: str, steps: Sequence[Step], depth: int) -> Iterator[Line]:
    """All of them, every line under the same mark."""
    for at, step in enumerate(steps):
        yield from whole_step(mark, str(at + 1), step, depth)


def whole_step(mark: str, place: str, step: Step, depth: int) -> Iterator[Line]:
    """A step with all its parts."""
    if "shared" in step:
        yield Line(mark, f"{place}  shared: {inline(step['shared'])}", depth)
        return
    first, *rest = (step.get("action") or EMPTY).split("\n")
    yield Line(mark, f"{place}  {printable(first)}", depth)
    yield from (Line(mark, " " * (len(place) + 2) + printable(line), depth) for line in rest)
    for name in ("data", "expected", "attachments"):
        if name in step:
            yield from (Line(mark, line.text, line.depth) for line in whole_value(name, step[name], depth + 2))
    if "steps" in step:
        yield from _nested(mark, step["steps"], depth + 2)


def _nested(mark: str, steps: Sequence[Step], depth: int) -> Iterator[Line]:
    if depth > 2 * MAX_NESTING:
        yield Line(mark, f"({count(len(steps), 'step')} nested deeper)", depth)
    else:
        yield from whole_steps(mark, steps, depth)
