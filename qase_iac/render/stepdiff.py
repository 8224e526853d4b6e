"""Two lists of steps compared as a sequence: edited, moved, added, removed.

Which step is which is decided where attachments are carried over (plan/steps.py), so that what is shown is what is
done. Applying the edits to the old list gives the new one: `apply` does it, a property test holds it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from qase_iac.attributes import canonical_step
from qase_iac.plan.steps import pair
from qase_iac.values import JSON

Step = dict[str, JSON]
MANY = 400
"""Steps that differ, on either side: beyond it they are paired by position, since likeness is quadratic."""


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
    head, tail = _common(before, after)
    old = canonical_steps(before[head : len(before) - tail])
    new = canonical_steps(after[head : len(after) - tail])
    return None if old is None or new is None else tuple(compare(old, new, head))


def compare(old: Sequence[Step], new: Sequence[Step], first: int = 0) -> list[Edit]:
    """The edits from `old` to `new` (both canonical), in reading order; a removed step stands where it was.

    `first` is how many equal steps stand before both.
    """
    head, tail = _common(old, new)
    olds, news = list(old[head : len(old) - tail]), list(new[head : len(new) - tail])
    head += first
    pairs = _pairs(olds, news)
    still = _longest_run(pairs)
    edits = [
        Edit(a + head, b + head, olds[a], news[b], (a, b) not in still)
        for a, b in pairs
        if olds[a] != news[b] or (a, b) not in still
    ]
    paired_old, paired_new = {a for a, _ in pairs}, {b for _, b in pairs}
    edits += [Edit(None, b + head, None, news[b]) for b in range(len(news)) if b not in paired_new]
    edits += [Edit(a + head, None, olds[a], None) for a in range(len(olds)) if a not in paired_old]
    return _in_reading_order(edits, {a + head: b + head for a, b in pairs})


def _common(old: Sequence[Step], new: Sequence[Step]) -> tuple[int, int]:
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _pairs(old: list[Step], new: list[Step]) -> list[tuple[int, int]]:
    """(old, new) positions of steps that are the same one, by old position."""
    if not old or not new:
        return []
    if max(len(old), len(new)) > MANY:
        found: Iterable[tuple[int, int]] = zip(range(len(old)), range(len(new)), strict=False)
    else:
        found = ((a, b) for b, a in pair(new, old))
    return sorted((a, b) for a, b in found if ("shared" in old[a]) == ("shared" in new[b]) and _akin(old[a], new[b]))


def _akin(old: Step, new: Step) -> bool:
    """References to two shared steps are two steps, however alike their names."""
    return "shared" not in old or old == new


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
    """By new position; a removed step comes after the new position of the nearest step before it that stayed."""
    removed = sorted(edit.old for edit in edits if edit.new is None and edit.old is not None)
    place: dict[int, float] = {}
    stayed = sorted(partners)
    for old in removed:
        before = bisect_left(stayed, old)
        place[old] = partners[stayed[before - 1]] + 0.5 if before else min(old, 0) - 0.5
    return sorted(edits, key=lambda edit: (edit.new if edit.new is not None else place[edit.old or 0], edit.old or 0))


def apply(old: Sequence[Step], edits: Iterable[Edit]) -> list[Step]:
    """`old` after the edits. Needs nothing but what they say."""
    edits = list(edits)
    touched = {edit.old for edit in edits if edit.old is not None}
    placed = {edit.new: edit.after for edit in edits if edit.new is not None and edit.after is not None}
    kept = iter([step for at, step in enumerate(old) if at not in touched])
    size = len(placed) + len(old) - len(touched)
    return [placed[at] if at in placed else next(kept) for at in range(size)]


def counts(edits: Iterable[Edit]) -> str:
    """ "1 edited, 1 moved"."""
    edits = list(edits)
    numbers = {
        "edited": sum(edit.edited for edit in edits),
        "moved": sum(edit.moved for edit in edits),
        "added": sum(edit.before is None for edit in edits),
        "removed": sum(edit.after is None for edit in edits),
    }
    return ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number)
