"""Addresses for what is new in Qase: readable, free, the same wherever they are shown or written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qase_iac.attributes import RefTo
from qase_iac.config.keys import proposed_path
from qase_iac.config.layout import MAX_SEGMENT, MIN_SEGMENT, Keys, Named
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Desired, LiveObject
from qase_iac.plan.scope import LiveSuites
from qase_iac.values import MAX_KEY, Address, RemoteId

Found = tuple[str, RemoteId]


def fresh_addresses(
    lives: Iterable[LiveObject], desired: Desired, known: Mapping[Found, str], suites: LiveSuites
) -> dict[Found, str]:
    """(kind, id) -> address of each, in the order given, parents first. `known` maps what is bound to its address.

    Never one that is declared or bound, nor one that `moved:`, `removed:` or `adopt:` names.
    """
    keys = _taken(desired, known)
    found: dict[Found, str] = {}
    for live in lives:
        kind = BY_NAME[live.kind]
        prefix = _prefix(kind, live, {**known, **found}, suites) if kind.nested_keys else ""
        room = MAX_KEY - len(prefix) - 8
        if room < MIN_SEGMENT:
            prefix, room = "", MAX_SEGMENT
        named = Named(live.id, live.title, kind.label.replace(" ", "-"))
        segment = keys[kind.name].give(named, min(MAX_SEGMENT, room), prefix)
        found[live.kind, live.id] = str(kind.address(prefix + segment))
    return found


def _taken(desired: Desired, known: Mapping[Found, str]) -> dict[str, Keys]:
    moved = (address for entry in desired.moved for address in (entry.origin, entry.target))
    said = [*desired.resources, *desired.removed, *desired.adopt, *moved, *map(Address.parse, known.values())]
    keys = {kind.name: Keys() for kind in CONTENT_KINDS}
    for address in said:
        if address.kind in keys:
            keys[address.kind].used.setdefault(address.key, "")
    return keys


def _prefix(kind: Kind, live: LiveObject, known: Mapping[Found, str], suites: LiveSuites) -> str:
    """The key of the suite around it, and `/`."""
    row = kind.by_name[kind.parent or ""]
    place = live.attributes.get(row.name)
    if place is None or not isinstance(row.type, RefTo):
        return ""
    above = known.get((row.type.kind, place))
    return (above.partition(".")[2] if above else proposed_path(suites.key(place))) + "/"
