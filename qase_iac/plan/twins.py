"""Objects that share a natural key, told apart by all their managed attributes."""

from __future__ import annotations

from collections.abc import Callable

from qase_iac.kinds import Kind
from qase_iac.model import LiveObject, Resource
from qase_iac.plan.bind import rows_with_references
from qase_iac.plan.digests import digest
from qase_iac.values import RemoteId

Same = Callable[[Resource, LiveObject], bool]
Pair = tuple[Resource, LiveObject]


def tell_apart(kind: Kind, resources: list[Resource], lives: list[LiveObject], same: Same) -> list[Pair]:
    """Pairs in which each side has exactly one equal on the other."""
    likely = _Likely(kind, lives)
    equals = [(resource, [live for live in likely.of(resource) if same(resource, live)]) for resource in resources]
    claims: dict[RemoteId, int] = {}
    for _, equal in equals:
        for live in equal:
            claims[live.id] = claims.get(live.id, 0) + 1
    return [(resource, equal[0]) for resource, equal in equals if len(equal) == 1 and claims[equal[0].id] == 1]


class _Likely:
    """Finds the live objects that agree in all attributes without references: comparing all with all is quadratic."""

    def __init__(self, kind: Kind, lives: list[LiveObject]) -> None:
        self._kind = kind
        self._lives = lives
        self._by_names: dict[tuple[str, ...], dict[str, list[LiveObject]]] = {}

    def of(self, resource: Resource) -> list[LiveObject]:
        referring = rows_with_references(self._kind)
        names = tuple(
            sorted(name for name in resource.attributes if name not in referring and name not in resource.ignore)
        )
        if names not in self._by_names:
            by_digest: dict[str, list[LiveObject]] = {}
            for live in self._lives:
                by_digest.setdefault(self._digest(names, live.attributes), []).append(live)
            self._by_names[names] = by_digest
        return self._by_names[names].get(self._digest(names, resource.attributes), [])

    def _digest(self, names: tuple[str, ...], attributes: dict[str, object]) -> str:
        return digest([self._kind.canon(name, attributes.get(name)) for name in names])
