"""The difference of two texts, line by line, with the changed words marked and a little context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qase_iac.plan.alike import alike, in_common, likeness, opcodes
from qase_iac.plan.noise import without_noise
from qase_iac.render.words_in_line import Part, changed_words, is_plain, marked
from qase_iac.values import printable

CONTEXT = 2
"""Unchanged lines shown around a change."""
TOO_LONG = 4_000
"""Lines that differ, on either side: beyond it a line by line comparison helps nobody."""
LIKELY = 0.5
"""How alike two lines must be for one to be an edit of the other."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation. `mark` is + - ~ > or a space; `text` is safe to print; `depth` counts indents.

    `parts` are the text again where a terminal may colour some of it: pieces that went (-), came (+) or stayed ("").
    """

    mark: str
    text: str
    depth: int = 0
    parts: tuple[Part, ...] = ()


def text_diff(before: str, after: str, depth: int = 0) -> Iterator[Line]:
    """Removed (-), added (+), edited (~) and some unchanged ( ) lines; a fold says how many unchanged are left out.

    Applying the marks to `before` gives `after`, folded lines aside. Lines that differ in noise only (plan/noise.py)
    are unchanged, unless there is no other difference.
    """
    old, new = before.split("\n"), after.split("\n")
    old_keys, new_keys = _without_noise(before, old), _without_noise(after, new)
    if old_keys == new_keys:
        old_keys, new_keys = old, new
    head, tail = in_common(old_keys, new_keys)
    yield from _fold(new[:head], depth, first=True)
    yield from _core(
        (old[head : len(old) - tail], new[head : len(new) - tail]),
        (old_keys[head : len(old) - tail], new_keys[head : len(new) - tail]),
        depth,
    )
    yield from _fold(new[len(new) - tail :], depth, last=True)


def _without_noise(text: str, lines: list[str]) -> list[str]:
    """By what lines are compared."""
    calm = without_noise(text).split("\n")
    return calm if len(calm) == len(lines) else lines


Sides = tuple[list[str], list[str]]


def _core(sides: Sides, keys: Sides, depth: int) -> Iterator[Line]:
    """What lies between the first and the last difference."""
    old, new = sides
    if max(len(old), len(new)) > TOO_LONG:
        yield Line("-", f"({len(old):,} lines)", depth)
        yield Line("+", f"({len(new):,} lines)", depth)
        return
    removed: list[str] = []
    added: list[str] = []
    for tag, start, end, other_start, other_end in opcodes(*keys):
        if tag == "equal":
            yield from _hunk(removed, added, depth)
            removed, added = [], []
            yield from _fold(new[other_start:other_end], depth)
        else:
            removed += old[start:end]
            added += new[other_start:other_end]
    yield from _hunk(removed, added, depth)


def _hunk(removed: Sequence[str], added: Sequence[str], depth: int) -> Iterator[Line]:
    """Lines that were edited in their order; between them what went, then what came."""

    def score(at: int, to: int) -> float:
        return likeness(removed[at], added[to])

    pairs = sorted(alike(range(len(removed)), range(len(added)), score, LIKELY, ordered=True))
    old = new = 0
    for at, to in pairs:
        parts = () if is_plain(removed[at], added[to]) else changed_words(removed[at], added[to])
        if parts:
            yield from _whole(removed[old:at], added[new:to], depth)
            yield Line("~", marked(parts), depth, parts)
            old, new = at + 1, to + 1
    yield from _whole(removed[old:], added[new:], depth)


def _whole(removed: Iterable[str], added: Iterable[str], depth: int) -> Iterator[Line]:
    for mark, lines in (("-", removed), ("+", added)):
        for line in lines:
            yield Line(mark, visible(line), depth)


def edited_line(before: str, after: str, depth: int) -> Iterator[Line]:
    """Two versions of a text that is one line, too long to stand side by side."""
    yield from _hunk([before], [after], depth)


def _fold(lines: Sequence[str], depth: int, first: bool = False, last: bool = False) -> Iterator[Line]:
    """Unchanged lines between two changes, before the first or after the last; the far ones folded."""
    before = 0 if first else CONTEXT
    after = 0 if last else CONTEXT
    if len(lines) <= before + after + 1:
        yield from (Line(" ", printable(line), depth) for line in lines)
        return
    yield from (Line(" ", printable(line), depth) for line in lines[:before])
    yield Line(" ", f"({len(lines) - before - after:,} unchanged lines)", depth)
    yield from (Line(" ", printable(line), depth) for line in lines[len(lines) - after :])


def visible(line: str) -> str:
    """A changed line with trailing blanks shown as dots: else such a change could not be seen."""
    bare = line.rstrip(" ")
    return printable(bare) + "·" * (len(line) - len(bare))
