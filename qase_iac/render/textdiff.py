"""The difference of two texts, line by line, with a little context."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from qase_iac.values import printable

CONTEXT = 2
"""Unchanged lines shown around a change."""
TOO_LONG = 4_000
"""Lines that differ, on either side: beyond it a line by line comparison helps nobody."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an explanation. `mark` is + - ~ > or a space; `text` is safe to print; `depth` counts indents."""

    mark: str
    text: str
    depth: int = 0


def text_diff(before: str, after: str, depth: int = 0) -> Iterator[Line]:
    """Removed (-), added (+) and some unchanged ( ) lines; a fold says how many unchanged ones are left out.

    Applying the marks to `before` gives `after`, folded lines aside.
    """
    old, new = before.split("\n"), after.split("\n")
    head, tail = _common(old, new)
    old_core, new_core = old[head : len(old) - tail], new[head : len(new) - tail]
    yield from _fold(old[:head], depth, first=True)
    if max(len(old_core), len(new_core)) > TOO_LONG:
        yield Line("-", f"({len(old_core):,} lines)", depth)
        yield Line("+", f"({len(new_core):,} lines)", depth)
    else:
        yield from _core(old_core, new_core, depth)
    yield from _fold(old[len(old) - tail :], depth, last=True)


def _common(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many lines are the same at the start and, beyond those, at the end."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _core(old: list[str], new: list[str], depth: int) -> Iterator[Line]:
    """Each hunk: all of its removed lines, then all of its added ones."""
    removed: list[str] = []
    added: list[str] = []
    for tag, start, end, other_start, other_end in opcodes(old, new):
        if tag == "equal":
            yield from _hunk(removed, added, depth)
            removed, added = [], []
            yield from _fold(old[start:end], depth)
        else:
            removed += old[start:end]
            added += new[other_start:other_end]
    yield from _hunk(removed, added, depth)


def _hunk(removed: Iterable[str], added: Iterable[str], depth: int) -> Iterator[Line]:
    for mark, lines in (("-", removed), ("+", added)):
        for line in lines:
            yield Line(mark, visible(line), depth)


def _fold(lines: Sequence[str], depth: int, first: bool = False, last: bool = False) -> Iterator[Line]:
    """Unchanged lines between two changes, before the first or after the last; the far ones folded."""
    before = 0 if first else CONTEXT
    after = 0 if last else CONTEXT
    if len(lines) <= before + after + 1:
        shown: Iterable[str] = lines
    else:
        fold = f"({len(lines) - before - after:,} unchanged lines)"
        shown = [*lines[:before], None, *lines[len(lines) - after :]]  # type: ignore[list-item]
        for line in shown:
            yield Line(" ", fold if line is None else printable(line), depth)
        return
    for line in shown:
        yield Line(" ", printable(line), depth)


def opcodes(old: Sequence[str], new: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    """(tag, old start, old end, new start, new end) along a longest common subsequence.

    Lines are numbered first, so that no hash of a text takes part.
    """
    if not old or not new:
        tag = "delete" if old else "insert"
        return [(tag, 0, len(old), 0, len(new))] if old or new else []
    from rapidfuzz.distance import LCSseq

    numbers: dict[str, int] = {}
    codes = [[numbers.setdefault(line, len(numbers)) for line in lines] for lines in (old, new)]
    return [
        (code.tag, code.src_start, code.src_end, code.dest_start, code.dest_end)
        for code in LCSseq.opcodes(codes[0], codes[1])
    ]


def visible(line: str) -> str:
    """A changed line with trailing blanks shown as dots: else such a change could not be seen."""
    bare = line.rstrip(" ")
    return printable(bare) + "·" * (len(line) - len(bare))
