"""Which live object each declared one is: by state, then `adopt:`, then a unique natural key (top-down)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qase_iac.attributes import normal_text
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME, KINDS, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import refs_in
from qase_iac.plan.model import Blocked
from qase_iac.plan.moves import rename
from qase_iac.plan.scope import parents_first
from qase_iac.plan.twins import tell_apart
from qase_iac.state.model import Binding, State
from qase_iac.values import RemoteId, printable


class How(StrEnum):
    """By what a declared object was matched."""

    STATE = "state"
    ADOPT = "adopt"
    NATURAL = "natural"


@dataclass
class Identities:
    """The outcome. `ids` maps address -> remote id of everything that exists in Qase and is ours or becomes ours.

    `vanished` are declared addresses whose object is gone; `renamed` maps new address -> old one; `blocked` holds
    what stands in the way of an address; `refused` maps address -> the id that `adopt` asks for and cannot have;
    `bindings` are the state's bindings under their new names.
    """

    ids: dict[str, RemoteId] = field(default_factory=dict)
    how: dict[str, How] = field(default_factory=dict)
    vanished: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, Blocked] = field(default_factory=dict)
    refused: dict[str, RemoteId] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)

    def addresses(self) -> dict[tuple[str, RemoteId], str]:
        """(kind, id) -> address, of what is bound and what becomes bound; declared addresses win."""
        known = {(address.partition(".")[0], b.id): address for address, b in self.bindings.items()}
        return known | {(address.partition(".")[0], id): address for address, id in self.ids.items()}


NAMED = 20
"""So many ids are named in a message; the rest is counted."""
SameValues = Callable[[Resource, LiveObject, Mapping[str, RemoteId]], bool]
Taken = set[tuple[str, RemoteId]]


def identify(desired: Desired, snapshot: Snapshot, state: State, same: SameValues) -> Identities:
    """Matches every declared object. `same` tells whether all managed attributes of a pair are equal."""
    names = rename(state.bindings, desired.moved, state.moved)
    found = Identities(bindings=names.bindings, renamed=names.renamed, blocked=names.blocked, findings=names.findings)
    taken: Taken = {(address.partition(".")[0], binding.id) for address, binding in found.bindings.items()}
    _by_state(desired, snapshot, found)
    _by_adopt(desired, snapshot, found, taken)
    for kind in KINDS:
        _by_natural_key(kind, desired, snapshot, found, taken, same)
    found.findings.extend(_named_externally(desired, found))
    return found


def _named_externally(desired: Desired, found: Identities) -> Iterator[Diagnostic]:
    """What the folder has just taken over by its title, and names as somebody else's at the same time."""
    taken = {(a.partition(".")[0], found.ids[a]): a for a, how in found.how.items() if how is How.NATURAL}
    for resource in desired.resources.values() if taken else ():
        for kind, ref in refs_in(BY_NAME[resource.address.kind], resource.attributes):
            if isinstance(ref, dict) and (kind, ref.get("external_id")) in taken:
                id = ref["external_id"]
                summary = f"The {BY_NAME[kind].label} {id} is taken for {taken[kind, id]} of this folder."
                detail = f"Name it by its key, {taken[kind, id].partition('.')[2]}."
                yield Diagnostic("external-is-managed", summary, detail, resource.source, address=str(resource.address))


def _by_state(desired: Desired, snapshot: Snapshot, found: Identities) -> None:
    for address in map(str, desired.resources):
        binding = found.bindings.get(address)
        if binding is None:
            continue
        kind = address.partition(".")[0]
        if snapshot.get(kind, binding.id):
            found.ids[address] = binding.id
            found.how[address] = How.STATE
        else:
            found.vanished.add(address)


def _by_adopt(desired: Desired, snapshot: Snapshot, found: Identities, taken: Taken) -> None:
    if not desired.adopt:
        return
    holders = {(address.partition(".")[0], b.id): address for address, b in found.bindings.items()}
    for adopted, (id, _) in sorted(desired.adopt.items()):
        address, kind = str(adopted), adopted.kind
        bound, holder = found.bindings.get(address), holders.get((kind, id))
        if bound and bound.id == id:
            continue
        if bound:
            reason = f"`adopt` says {id}, the state says {bound.id}. `qase-iac state rm {address}` lets go of it first."
            found.blocked[address] = Blocked("adopt_conflict", reason)
        elif holder:
            found.blocked[address] = Blocked("adopt_conflict", f"{id} is bound to {holder} already.", (holder,))
        elif snapshot.get(kind, id) is None:
            found.blocked[address] = Blocked("adopt_not_found", f"Qase has no {kind.replace('_', ' ')} {id}.")
        else:
            found.ids[address] = id
            found.how[address] = How.ADOPT
            holders[kind, id] = address
            taken.add((kind, id))
            continue
        found.refused[address] = id


NaturalKey = tuple[RemoteId | None, str]


def _by_natural_key(
    kind: Kind, desired: Desired, snapshot: Snapshot, found: Identities, taken: Taken, same: SameValues
) -> None:
    """Matches what is left of a kind. Suites go parents first, since a key holds the parent's id."""
    live_groups: dict[NaturalKey, list[LiveObject]] = {}
    for live in snapshot.of(kind.name).values():
        if (kind.name, live.id) not in taken:
            live_groups.setdefault(_live_key(kind, live), []).append(live)
    if not live_groups:
        return
    waiting = [r for a, r in desired.resources.items() if a.kind == kind.name and str(a) not in found.ids]
    adopts = kind.owned_by_scope or desired.scope.suites is None
    for layer in parents_first(kind, waiting):
        groups: dict[NaturalKey, list[Resource]] = {}
        for resource in layer:
            key = _desired_key(kind, resource, found.ids)
            if key in live_groups:
                groups.setdefault(key, []).append(resource)
        for key, resources in groups.items():
            _match(kind, resources, live_groups[key], found, taken, same, adopts)


def _live_key(kind: Kind, live: LiveObject) -> NaturalKey:
    return (live.attributes.get(kind.parent) if kind.parent else None, normal_text(live.title))


def _desired_key(kind: Kind, resource: Resource, ids: Mapping[str, RemoteId]) -> NaturalKey | None:
    title = normal_text(resource.attributes.get("title"))
    ref = resource.attributes.get(kind.parent) if kind.parent else None
    if ref is None:
        return (None, title)
    parent = ids.get(ref["address"]) if "address" in ref else ref.get("external_id")
    return None if parent is None else (parent, title)


def _match(
    kind: Kind,
    resources: list[Resource],
    lives: list[LiveObject],
    found: Identities,
    taken: Taken,
    same: SameValues,
    adopts: bool,
) -> None:
    """Matches what shares a natural key. Nothing is matched to what is bound, or to what another match took."""
    lives = [live for live in lives if (kind.name, live.id) not in taken]
    open = [r for r in resources if str(r.address) not in found.bindings and str(r.address) not in found.blocked]
    auto = [resource for resource in open if resource.policy.adopt != "explicit"]
    pairs = (
        [(auto[0], lives[0])]
        if len(auto) == len(lives) == 1
        else tell_apart(kind, auto, lives, lambda resource, live: same(resource, live, found.ids))
    )
    for resource, live in pairs if adopts else ():
        found.ids[str(resource.address)] = live.id
        found.how[str(resource.address)] = How.NATURAL
        taken.add((kind.name, live.id))
    left = _sorted(live.id for live in lives if (kind.name, live.id) not in taken)
    if left:
        say = _say_ambiguous if adopts else _say_foreign
        say([resource for resource in auto if str(resource.address) not in found.ids], left, found)
        _say_same_title(resources, left, found)


def _say_foreign(rest: Iterable[Resource], left: list[RemoteId], found: Identities) -> None:
    """In a folder with a scope, what lies in no suite is its own only when bound to it (authoring.md): else another
    folder's milestone would be taken over, or doubled, by its title."""
    for resource in rest:
        address, kind = str(resource.address), BY_NAME[resource.address.kind]
        use = "" if kind.members else f"; without a declaration, `{{external_id: {left[0]}}}` uses it as it is"
        reason = (
            f"Qase has a {kind.label} of this title: {_listed(left)}. In a folder with a `scope` it is not taken over "
            f"by its title. `adopt: {{{address}: {left[0]}}}` makes it this folder's{use}; "
            "`policy: {adopt: explicit}` makes a second one."
        )
        found.blocked[address] = Blocked("same_title_exists", reason)


def _say_ambiguous(rest: Iterable[Resource], left: list[RemoteId], found: Identities) -> None:
    """Neither adopts nor makes a further one: people have to say which is which."""
    for resource in rest:
        address = str(resource.address)
        summary = f"Which object of this place and title is {address} cannot be told: {_listed(left)}."
        detail = f"Say which: `adopt: {{{address}: {left[0]}}}`"
        found.findings.append(
            Diagnostic("ambiguous-identity", summary, detail, resource.source, Severity.WARNING, address)
        )
        found.blocked[address] = Blocked("ambiguous_identity", f"{summary} {detail}")


def _say_same_title(resources: Iterable[Resource], left: list[RemoteId], found: Identities) -> None:
    """Another object of the same place and title is there: `policy.adopt` is explicit, or the bound one vanished."""
    for resource in resources:
        address = str(resource.address)
        if address in found.ids or address in found.blocked:
            continue
        title = printable(str(resource.attributes.get("title")))
        bound = found.bindings.get(address)
        if bound:
            why = f"It is not taken for {address}, which was another object (id {bound.id}, gone from Qase). "
            how = f"To bind it: `qase-iac state rm {address}`, then `adopt: {{{address}: {left[0]}}}`"
        else:
            why = "`policy.adopt` is explicit, so a second one is created. "
            how = f"To bind it: `adopt: {{{address}: {left[0]}}}`"
        summary = f"Qase has {title!r} at this place already: {_listed(left)}."
        found.findings.append(
            Diagnostic("same-title-exists", summary, why + how, resource.source, Severity.WARNING, address)
        )


def _sorted(ids: Iterable[RemoteId]) -> list[RemoteId]:
    return sorted(ids, key=lambda id: (len(str(id)), str(id)))


def _listed(ids: list[RemoteId]) -> str:
    shown = ", ".join(map(str, ids[:NAMED]))
    return f"{shown} and {len(ids) - NAMED} more" if len(ids) > NAMED else shown
