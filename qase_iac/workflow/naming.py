"""Addresses for what is new in Qase: readable, free, the same wherever they are shown or written.

`config/layout.py` makes the keys, for a fresh export as well: a project that is pulled into a folder bit by bit has the
keys that an export of all of it gives, as long as nobody chose another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qase_iac.attributes import RefTo
from qase_iac.config.keys import proposed_path
from qase_iac.config.layout import Keys, Named
from qase_iac.convert.live import creation
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, RANK, Kind
from qase_iac.model import Desired, LiveObject
from qase_iac.plan.scope import LiveSuites
from qase_iac.values import Address, RemoteId, ref_address

Found = tuple[str, RemoteId]


def parents_first(lives: Iterable[LiveObject], suites: LiveSuites) -> list[LiveObject]:
    """In the order in which keys are given: by kind, from the top of the tree down, in the order of creation."""

    def order(live: LiveObject) -> tuple[int, int, tuple[int, str, str]]:
        depth = suites.depth(live.id) if BY_NAME[live.kind].nested_keys else 0
        return RANK[live.kind], depth, creation(live)

    return sorted(lives, key=order)


def fresh_addresses(
    lives: Iterable[LiveObject], desired: Desired, known: Mapping[Found, str], suites: LiveSuites
) -> dict[Found, str]:
    """(kind, id) -> address of each, parents first. `known` maps what is bound to its address.

    Never one that is declared or bound, nor one that `moved:`, `removed:` or `adopt:` names.
    """
    naming = _Naming(suites, dict(known), _taken(desired, known))
    return {(live.kind, live.id): naming.name(live) for live in parents_first(lives, suites)}


def asked_address(live: LiveObject, known: Mapping[Found, str], suites: LiveSuites) -> str:
    """The address that an object's title asks for, whoever has it."""
    return _Naming(suites, dict(known)).name(live)


@dataclass
class _Naming:
    """`keys` are, by kind, those that are not free."""

    suites: LiveSuites
    known: dict[Found, str]
    keys: dict[str, Keys] = field(default_factory=dict)

    def name(self, live: LiveObject) -> str:
        kind, keys = BY_NAME[live.kind], self.keys.setdefault(live.kind, Keys())
        around, label = self._around(kind, live), kind.label.replace(" ", "-")
        if kind.nested_keys:
            key = keys.below(Named(live.id, live.title, label), around + "/" if around else "")
        else:
            key = keys.give(Named(live.id, live.title, label, around.rpartition("/")[2]))
        self.known[live.kind, live.id] = str(kind.address(key))
        return self.known[live.kind, live.id]

    def _around(self, kind: Kind, live: LiveObject) -> str:
        """The key of the suite that an object lies in, "" for none."""
        row = kind.by_name.get(kind.parent or "")
        place = live.attributes.get(row.name) if row else None
        if row is None or place is None or not isinstance(row.type, RefTo):
            return ""
        above = self.known.get((row.type.kind, place))
        return above.partition(".")[2] if above else proposed_path(self.suites.key(place))


def _taken(desired: Desired, known: Mapping[Found, str]) -> dict[str, Keys]:
    moved = (address for entry in desired.moved for address in (entry.origin, entry.target))
    said = [*desired.resources, *desired.removed, *desired.adopt, *moved, *map(Address.parse, known.values())]
    keys = {kind.name: Keys() for kind in CONTENT_KINDS}
    for address in said:
        if address.kind in keys:
            keys[address.kind].used.setdefault(address.key, _hint(desired, address))
    return keys


def _hint(desired: Desired, address: Address) -> str:
    """The name of the suite that a declared object lies in, which tells others of its title from it."""
    kind, resource = BY_NAME[address.kind], desired.resources.get(address)
    around = ref_address(resource.attributes.get(kind.parent)) if resource and kind.parent else None
    return around.partition(".")[2].rpartition("/")[2] if around and not kind.nested_keys else ""
