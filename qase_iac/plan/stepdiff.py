"""Two lists of steps compared as a sequence: edited, moved, added, removed.

Which step is which is decided in steps.py, where attachments are carried over by the same answer. Applying the edits
to the old list gives the new one, always: tests/unit/plan/test_steps_diff.py does it with nothing but `as_json`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from qase_iac.attributes import canonical_step
from qase_iac.attributes.step_rows import STEP_TEXTS
from qase_iac.plan.noise import only_noise
from qase_iac.plan.steps import pair
from qase_iac.values import JSON

Step = dict[str, JSON]
FIELDS = (*STEP_TEXTS, "attachments")
"""The parts of a step that are compared as a whole; nested steps are compared as a sequence again."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One difference. `old` and `new` are positions from 0, None when there is none on that side.

    Both given and `before == after`: moved only. `moved` says that its order among its neighbours changed.
    """

    old: int | None
    new: int | None
    before: Step | None
    after: Step | None
    moved: bool = False

    @property
    def edited(self) -> bool:
        return self.before is not None and self.after is not None and self.before != self.after

    @property
    def noise(self) -> bool:
        """Whether it is an edit of nothing but escapes and the like (noise.py)."""
        return self.edited and only_noise(self.before, self.after)


def canonical_steps(value: JSON) -> list[Step] | None:
    """`value` as canonical steps, None when it is no list of steps."""
    try:
        return [canonical_step(step) for step in value or ()]
    except (TypeError, AttributeError, RecursionError):
        return None


class _Same:
    """A pair of values as a key of a cache, by identity: they are not hashable, and equal ones are rare."""

    __slots__ = ("after", "before")

    def __init__(self, before: JSON, after: JSON) -> None:
        self.before, self.after = before, after

    def __hash__(self) -> int:
        return id(self.before) ^ id(self.after)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.before is other.before and self.after is other.after


def difference(before: JSON, after: JSON) -> tuple[Edit, ...] | None:
    """The edits between two values as a plan holds them; None when they are no lists of steps.

    The last ones are remembered: a change is summed up and then spelled out.
    """
    return _difference(_Same(before, after))


@lru_cache(maxsize=8)
def _difference(values: _Same) -> tuple[Edit, ...] | None:
    before, after = values.before or (), values.after or ()
    if not (isinstance(before, list | tuple) and isinstance(after, list | tuple)):
        return None
    old, new = canonical_steps(before), canonical_steps(after)
    return None if old is None or new is None else tuple(compare(old, new))


def compare(old: Sequence[Step], new: Sequence[Step]) -> list[Edit]:
    """The edits from `old` to `new` (both canonical), in reading order; a removed step stands where it was."""
    pairs = sorted((at, to) for to, at in pair(new, old))
    still = _longest_run(pairs)
    edits = [
        Edit(at, to, old[at], new[to], (at, to) not in still)
        for at, to in pairs
        if (at, to) not in still or old[at] != new[to]
    ]
    paired_old, paired_new = {at for at, _ in pairs}, {to for _, to in pairs}
    edits += [Edit(None, to, None, new[to]) for to in range(len(new)) if to not in paired_new]
    edits += [Edit(at, None, old[at], None) for at in range(len(old)) if at not in paired_old]
    return _in_reading_order(edits, dict(pairs))


def _longest_run(pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """The largest set of pairs whose order did not change: what is not in it has moved."""
    ends: list[int] = []
    best: list[int] = []
    previous: list[int] = []
    for at, (_, new) in enumerate(pairs):
        length = bisect_left(ends, new)
        previous.append(best[length - 1] if length else -1)
        if length == len(ends):
            ends.append(new)
            best.append(at)
        else:
            ends[length], best[length] = new, at
    run: set[tuple[int, int]] = set()
    at = best[-1] if best else -1
    while at >= 0:
        run.add(pairs[at])
        at = previous[at]
    return run


def _in_reading_order(edits: list[Edit], partners: dict[int, int]) -> list[Edit]:
    """By new position; a removed step comes after the new position of the nearest step before it that is left."""
    stayed = sorted(partners)

    def place(edit: Edit) -> tuple[float, int]:
        if edit.new is not None:
            return edit.new, edit.old or 0
        before = bisect_left(stayed, edit.old or 0)
        return (partners[stayed[before - 1]] + 0.5 if before else -0.5), edit.old or 0

    return sorted(edits, key=place)


def rewritten(edits: Sequence[Edit], before: int, after: int) -> bool:
    """Whether no step of the old list, of several, is left in the new one, of several."""
    return before > 1 and after > 1 and len(edits) == before + after


def as_json(before: JSON, after: JSON) -> list[JSON] | None:
    """The `steps` of an attribute in the plan's JSON: what leads from `before` to `after`, in canonical steps.

    None where there is nothing to compare: one side has no steps, or is no list of them.
    """
    edits = difference(before, after) if before and after else None
    return None if edits is None else [_edit_json(edit) for edit in edits]


def _edit_json(edit: Edit) -> dict[str, JSON]:
    """Positions count from 1, as people count steps."""
    if edit.before is None or edit.old is None:
        return {"op": "added", "at": (edit.new or 0) + 1, "step": edit.after}
    if edit.after is None or edit.new is None:
        return {"op": "removed", "from": edit.old + 1, "step": edit.before}
    row: dict[str, JSON] = {"op": "moved" if edit.moved else "edited", "at": edit.new + 1, "from": edit.old + 1}
    if fields := changed_fields(edit.before, edit.after):
        row["fields"] = {name: {"before": was, "after": becomes} for name, was, becomes in fields}
    old, new = edit.before.get("steps") or [], edit.after.get("steps") or []
    if old != new:
        row["steps"] = [_edit_json(nested) for nested in compare(old, new)]
    if edit.noise:
        row["noise"] = True
    return row


def changed_fields(before: Step, after: Step) -> list[tuple[str, JSON, JSON]]:
    """(name, before, after) of the parts that differ, nested steps aside; None where a part is not there."""
    return [(name, before.get(name), after.get(name)) for name in FIELDS if before.get(name) != after.get(name)]


def counts(edits: Iterable[Edit]) -> dict[str, int]:
    """What happened to how many steps. One that was moved and edited counts as both; noise counts as nothing."""
    numbers = dict.fromkeys(("edited", "moved", "added", "removed"), 0)
    for edit in edits:
        numbers["edited"] += edit.edited and not edit.noise
        numbers["moved"] += edit.moved
        numbers["added"] += edit.before is None
        numbers["removed"] += edit.after is None
    return numbers
