"""Few settings that together hold every pair of values of any two switches; the same ones every time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
Pair = frozenset[tuple[str, Any]]


def pairwise(values: Mapping[str, Sequence[Any]], allowed: Callable[[Row], bool] = lambda row: True) -> list[Row]:
    """Greedy: each row starts from a pair that is still missing and takes, switch by switch, the value that brings
    most missing ones. `allowed` says no to (partial) rows; pairs that no row may hold are left out."""
    names = list(values)
    missing: dict[Pair, None] = {
        frozenset([(a, x), (b, y)]): None
        for a, b in itertools.combinations(names, 2)
        for x in values[a]
        for y in values[b]
        if allowed({a: x, b: y})
    }
    rows: list[Row] = []
    while missing:
        row: Row = dict(next(iter(missing)))
        for name in names:
            if name not in row:
                fitting = [value for value in values[name] if allowed({**row, name: value})]
                row[name] = max(fitting, key=lambda value: _gain(missing, row, name, value))
        rows.append({name: row[name] for name in names})
        for pair in itertools.combinations(row.items(), 2):
            missing.pop(frozenset(pair), None)
    return rows


def _gain(missing: Mapping[Pair, None], row: Row, name: str, value: Any) -> int:
    return sum(frozenset([(name, value), other]) in missing for other in row.items())
