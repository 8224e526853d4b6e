"""Who comes before whom, and the order of execution that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qase_iac.kinds import BY_NAME, RANK
from qase_iac.model import Resource
from qase_iac.plan.graph import in_order
from qase_iac.plan.model import Action, Blocked, Change
from qase_iac.plan.scope import LiveSuites
from qase_iac.values import Address, ref_address

Resources = Mapping[Address, Resource]
Edges = dict[str, set[str]]
"""address -> addresses that must come before it."""


class Rank:
    """Sorts free changes: what makes and changes by kind and place in the files, then deletes from the leaves.

    Of a kind the creates come first: side by side they share calls.
    """

    def __init__(self, resources: Resources, suites: LiveSuites) -> None:
        self._resources = resources
        self._suites = suites

    def __call__(self, change: Change) -> tuple[int, int, int, int, str]:
        rank = RANK[change.kind]
        if change.action is Action.DELETE:
            depth = self._suites.depth(change.id) if BY_NAME[change.kind].nested_keys else 0
            number = change.id if isinstance(change.id, int) else 0
            return (1, -rank, -depth, number, change.address)
        resource = self._resources.get(Address.parse(change.address))
        return (0, rank, int(change.action is not Action.CREATE), resource.order if resource else 0, change.address)


def needs(changes: Mapping[str, Change], resources: Resources) -> Edges:
    """What each change refers to, and the moves that must make room for it."""
    edges = {address: set(change.depends_on) & changes.keys() for address, change in changes.items()}
    for address, change in changes.items():
        if change.action is Action.MOVE and BY_NAME[change.kind].nested_keys:
            above = _moving_above(address, changes, resources)
            if above:
                edges[address].add(above)
    return edges


def _moving_above(address: str, changes: Mapping[str, Change], resources: Resources) -> str | None:
    """The nearest of those it is to lie in that moves, too: until it has, it may still lie in this very one."""
    seen = {address}
    at: str | None = address
    while at is not None and (resource := resources.get(Address.parse(at))):
        at = ref_address(resource.attributes.get(BY_NAME[resource.address.kind].parent or ""))
        if at is None or at in seen:
            return None
        if at in changes and changes[at].action is Action.MOVE:
            return at
        seen.add(at)
    return None


def arrange(changes: dict[str, Change], edges: Edges, rank: Rank) -> list[str]:
    """The order of execution. What waits for each other is blocked and stands at the end."""
    ordered, circles = in_order(changes, edges, rank)
    if circles:
        reason = f"These changes wait for each other: {', '.join(circles)}."
        for address in circles:
            blocked = changes[address].blocked or Blocked("cycle", reason, tuple(circles))
            changes[address] = replace(changes[address], blocked=blocked)
    return [*ordered, *circles]
