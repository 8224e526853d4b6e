"""The order of execution: by the graph of what needs what, with creation order as the tie-break."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from qase_iac.plan.model import Change


def in_order(
    changes: Mapping[str, Change], edges: Mapping[str, set[str]], rank: Callable[[Change], Any]
) -> tuple[list[str], list[str]]:
    """Addresses so that each stands after those it depends on; among the free ones the lowest `rank` goes first.

    `edges` maps address -> addresses that must come before it (others than in `changes` are ignored). What waits
    for each other has no order: such circles are left out of it, and returned besides.
    """
    circles: list[str] = []
    while True:
        sorter: TopologicalSorter[str] = TopologicalSorter()
        left_out = set(circles)
        for address in changes:
            if address not in left_out:
                sorter.add(address, *sorted((edges.get(address, set()) & changes.keys()) - left_out))
        try:
            sorter.prepare()
        except CycleError as error:
            circles += sorted({str(address) for address in error.args[1]})
        else:
            return _walk(sorter, changes, rank), circles


def _walk(sorter: TopologicalSorter[str], changes: Mapping[str, Change], rank: Callable[[Change], Any]) -> list[str]:
    ready: list[tuple[Any, str]] = []
    ordered: list[str] = []
    while sorter.is_active():
        for address in sorter.get_ready():
            heapq.heappush(ready, (rank(changes[address]), address))
        _, address = heapq.heappop(ready)
        ordered.append(address)
        sorter.done(address)
    return ordered
