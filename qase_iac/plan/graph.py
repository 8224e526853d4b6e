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

    `edges` maps address -> addresses that must come before it (others than in `changes` are ignored).
    Returns the order and, when there is no order, the addresses of a cycle.
    """
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for address in changes:
        sorter.add(address, *sorted(edges.get(address, set()) & changes.keys()))
    try:
        sorter.prepare()
    except CycleError as error:
        return [], [str(address) for address in error.args[1]]
    ready: list[tuple[Any, str]] = []
    ordered: list[str] = []
    while sorter.is_active():
        for address in sorter.get_ready():
            heapq.heappush(ready, (rank(changes[address]), address))
        _, address = heapq.heappop(ready)
        ordered.append(address)
        sorter.done(address)
    return ordered, []
