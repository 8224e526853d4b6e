"""Which old text became which new one, on likeness written out as a table."""

from __future__ import annotations

import pytest

from qase_iac.plan import alike as module
from qase_iac.plan.alike import ENOUGH, SAME_PLACE, alike, in_common, likeness, opcodes

Table = list[list[float]]


def pairs(table: Table, least: float = 0.5, ordered: bool = False) -> list[tuple[int, int]]:
    """A row for each old one, a column for each new one."""
    return alike(range(len(table)), range(len(table[0])), lambda at, to: table[at][to], least, ordered=ordered)


# -- pairs


def test_the_likest_are_taken_first_and_each_once() -> None:
    assert pairs([[0.6, 0.9], [0.0, 0.8]]) == [(0, 1)]
    assert pairs([[0.6, 0.9], [0.7, 0.8]]) == [(0, 1), (1, 0)]


@pytest.mark.parametrize(("likely", "found"), [(0.5, [(0, 0)]), (0.49, [])])
def test_as_alike_as_it_takes_is_enough(likely: float, found: list[tuple[int, int]]) -> None:
    assert pairs([[likely]]) == found


def test_of_equally_likely_ones_the_nearest_is_taken_then_the_first() -> None:
    assert pairs([[0.0, 0.0, 0.8], [0.0, 0.0, 0.8]]) == [(1, 2)]
    assert pairs([[0.0, 0.0], [0.8, 0.8], [0.0, 0.0]]) == [(1, 1)]
    assert pairs([[0.0, 0.0, 0.0], [0.8, 0.0, 0.8]]) == [(1, 0)]


def test_one_that_is_taken_does_not_hide_the_next() -> None:
    assert pairs([[0.9, 0.8, 0.0], [0.0, 0.0, 0.6]]) == [(0, 0), (1, 2)]


def test_positions_are_those_that_were_given() -> None:
    assert alike([4, 7], [2, 9], lambda at, to: float((at, to) == (7, 2)), 0.5, ordered=False) == [(7, 2)]


def test_the_same_place_from_either_end_counts_among_neighbours_alone() -> None:
    least = 0.5 + SAME_PLACE
    assert pairs([[0.0, 0.0], [0.0, 0.5]], least, ordered=True) == [(1, 1)]
    assert pairs([[0.0, 0.0], [0.0, 0.5]], least, ordered=False) == []
    assert pairs([[0.0, 0.0, 0.0], [0.0, 0.0, 0.5]], least, ordered=True) == [(1, 2)]
    assert pairs([[0.5, 0.0, 0.0], [0.0, 0.0, 0.0]], least, ordered=True) == [(0, 0)]
    assert pairs([[0.0, 0.5, 0.0], [0.0, 0.0, 0.0]], least, ordered=True) == [(0, 1)]
    assert pairs([[0.0, 0.0, 0.5], [0.0, 0.0, 0.0]], least, ordered=True) == []
    assert pairs([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]], least, ordered=True) == []


@pytest.mark.parametrize(
    ("table", "crossing", "ordered"),
    [
        ([[0.0, 0.9], [0.8, 0.0]], [(0, 1), (1, 0)], [(0, 1)]),
        ([[0.0, 0.8], [0.9, 0.0]], [(0, 1), (1, 0)], [(1, 0)]),
        (
            [[0.0, 0.9, 0.0], [0.8, 0.0, 0.0], [0.0, 0.0, 0.7]],
            [(0, 1), (1, 0), (2, 2)],
            [(0, 1), (2, 2)],
        ),
        (
            [[0.9, 0.0, 0.0, 0.0], [0.0, 0.0, 0.8, 0.0], [0.0, 0.7, 0.0, 0.0], [0.0, 0.0, 0.0, 0.6]],
            [(0, 0), (1, 2), (2, 1), (3, 3)],
            [(0, 0), (1, 2), (3, 3)],
        ),
        (
            [[0.0, 0.0, 0.7], [0.0, 0.8, 0.0], [0.9, 0.0, 0.0]],
            [(0, 2), (1, 1), (2, 0)],
            [(1, 1)],
        ),
    ],
)
def test_neighbours_that_stayed_do_not_cross(
    table: Table, crossing: list[tuple[int, int]], ordered: list[tuple[int, int]]
) -> None:
    assert pairs(table) == crossing
    assert pairs(table, ordered=True) == ordered


# -- bounds


def compared(olds: int, news: int) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []

    def score(at: int, to: int) -> float:
        seen.append((at, to))
        return 0.0

    assert alike(range(olds), range(news), score, 0.5, ordered=False) == []
    return seen


@pytest.mark.parametrize(
    ("olds", "news", "windows"),
    [
        (0, 5, []),
        (5, 0, []),
        (2, 10, [(0, 10), (0, 10)]),
        (4, 10, [(0, 5), (0, 5), (3, 8), (5, 10)]),
        (10, 4, [(0, 2), (0, 2), (0, 2), (0, 2), (0, 2), (1, 3), (1, 3), (1, 3), (2, 4), (2, 4)]),
        (30, 3, [(at * 3 // 30, at * 3 // 30 + 1) for at in range(30)]),
    ],
)
def test_many_are_compared_around_their_share_of_the_way(
    olds: int, news: int, windows: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CELLS", 20)
    assert compared(olds, news) == [(at, to) for at, (first, end) in enumerate(windows) for to in range(first, end)]


@pytest.mark.parametrize(("length", "same"), [(ENOUGH, False), (ENOUGH + 1, True)])
def test_so_many_characters_are_looked_at(length: int, same: bool) -> None:
    assert (likeness("a" * (length - 1) + "x", "a" * (length - 1) + "y") == 1.0) is same


# -- what two sequences have in common


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", (0, 0)),
        ("abc", "abc", (3, 0)),
        ("abc", "axc", (1, 1)),
        ("abc", "xbc", (0, 2)),
        ("aa", "aaa", (2, 0)),
        ("aba", "a", (1, 0)),
        ("ab", "cd", (0, 0)),
    ],
)
def test_what_is_the_same_at_either_end_is_counted_once(old: str, new: str, found: tuple[int, int]) -> None:
    assert in_common(old, new) == found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        ("ab", "", [("delete", 0, 2, 0, 0)]),
        ("", "ab", [("insert", 0, 0, 0, 2)]),
        ("abc", "abc", [("equal", 0, 3, 0, 3)]),
        ("abc", "ac", [("equal", 0, 1, 0, 1), ("delete", 1, 2, 1, 1), ("equal", 2, 3, 1, 2)]),
        ("ac", "abc", [("equal", 0, 1, 0, 1), ("insert", 1, 1, 1, 2), ("equal", 1, 2, 2, 3)]),
    ],
)
def test_how_one_sequence_becomes_another(old: str, new: str, found: list[tuple[str, int, int, int, int]]) -> None:
    assert opcodes(old, new) == found
