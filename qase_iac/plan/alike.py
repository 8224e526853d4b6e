"""Pairs of what is alike, in two sequences: which old text became which new one. Bounded, whatever the lengths."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Callable, Hashable, Iterator, Sequence

CELLS = 20_000
"""So many comparisons at most. Longer sequences are compared near the place where they ought to be."""
SAME_PLACE = 0.1
"""What standing at the same place counts for, beside likeness."""
ENOUGH = 1_000
"""Characters of a text that are looked at: the time grows with their square."""

Score = Callable[[int, int], float]
"""(old position, new position) -> likeness from 0 to 1."""


def likeness(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1: characters in common, in order. Random sentences seldom reach 0.55."""
    from rapidfuzz.fuzz import ratio

    return float(ratio(one[:ENOUGH], other[:ENOUGH])) / 100


def alike(
    old: Sequence[int], new: Sequence[int], score: Score, least: float, *, ordered: bool
) -> list[tuple[int, int]]:
    """Pairs (old, new) of at least `least` likeness, each position once; the likest are taken first.

    `ordered` pairs never cross, and the same place counts a little: as for neighbours that stayed where they were.
    """
    scored = []
    for at, to in _cells(len(old), len(new)):
        same_place = ordered and (at == to or len(old) - at == len(new) - to)
        found = score(old[at], new[to]) + SAME_PLACE * same_place
        if found >= least:
            scored.append((-found, abs(at - to), at, to))
    taken: list[tuple[int, int]] = []
    news: set[int] = set()
    olds: set[int] = set()
    for _, _, at, to in sorted(scored):
        if at in olds or to in news or (ordered and _crosses(taken, at, to)):
            continue
        insort(taken, (at, to))
        olds.add(at)
        news.add(to)
    return [(old[at], new[to]) for at, to in taken]


def _crosses(taken: Sequence[tuple[int, int]], at: int, to: int) -> bool:
    """Whether a pair would cross one of `taken`, which do not cross each other and are sorted."""
    place = bisect(taken, (at, to))
    return (place > 0 and taken[place - 1][1] > to) or (place < len(taken) and taken[place][1] < to)


def _cells(olds: int, news: int) -> Iterator[tuple[int, int]]:
    """The places to compare: all, or for each old one as many new ones around its share of the way as CELLS allows."""
    if not olds or not news:
        return
    reach = news if olds * news <= CELLS else max(1, CELLS // olds)
    for at in range(olds):
        first = min(max(at * news // olds - reach // 2, 0), max(news - reach, 0))
        for to in range(first, min(first + reach, news)):
            yield at, to


def in_common(old: Sequence[object], new: Sequence[object]) -> tuple[int, int]:
    """How many are the same at the start and, beyond those, at the end."""
    most = min(len(old), len(new))
    head = 0
    while head < most and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def opcodes(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[tuple[str, int, int, int, int]]:
    """(tag, old start, old end, new start, new end) along a longest common subsequence.

    Items are numbered first, so that no hash of a text takes part.
    """
    if not old or not new:
        tag = "delete" if old else "insert"
        return [(tag, 0, len(old), 0, len(new))] if old or new else []
    from rapidfuzz.distance import LCSseq

    numbers: dict[Hashable, int] = {}
    codes = [[numbers.setdefault(item, len(numbers)) for item in items] for items in (old, new)]
    return [
        (code.tag, code.src_start, code.src_end, code.dest_start, code.dest_end)
        for code in LCSseq.opcodes(codes[0], codes[1])
    ]
