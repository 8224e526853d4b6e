"""Which live object each declared one is: by state, then `adopt:`, then a unique natural key (top-down)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qase_iac.attributes import normal_text
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME, KINDS, Kind
from qase_iac.model import Desired, LiveObject, Moved, Resource, Snapshot
from qase_iac.plan.model import Blocked
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
    what stands in the way of an address; `bindings` are the state's bindings under their new names.
    """

    ids: dict[str, RemoteId] = field(default_factory=dict)
    how: dict[str, How] = field(default_factory=dict)
    vanished: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, Blocked] = field(default_factory=dict)
    bindings: dict[str, Binding] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)

    def addresses(self) -> dict[tuple[str, RemoteId], str]:
        """(kind, id) -> address, of what is bound and what becomes bound; declared addresses win."""
        known = {(address.partition(".")[0], b.id): address for address, b in self.bindings.items()}
        return known | {(address.partition(".")[0], id): address for address, id in self.ids.items()}


SameValues = Callable[[Resource, LiveObject, Mapping[str, RemoteId]], bool]


def identify(desired: Desired, snapshot: Snapshot, state: State, same: SameValues) -> Identities:
    """Matches every declared object. `same` tells whether all managed attributes of a pair are equal."""
    bindings, renamed, findings = rename(state.bindings, desired.moved, state.moved)
    found = Identities(bindings=bindings, renamed=renamed, findings=findings)
    taken = {(address.partition(".")[0], binding.id) for address, binding in bindings.items()}
    _by_state(desired, snapshot, found)
    _by_adopt(desired, snapshot, found, taken)
    for kind in KINDS:
        _by_natural_key(kind, desired, snapshot, found, taken, same)
    return found


def rename(
    bindings: Mapping[str, Binding], moved: Iterable[Moved], applied: Iterable[str]
) -> tuple[dict[str, Binding], dict[str, str], list[Diagnostic]]:
    """Carries out the entries of `moved` that no earlier run applied.

    They apply at once when every `from` is bound (so that swaps work), else in order. A suite's entry carries all
    suites below it. Returns the bindings, new address -> old address, and findings.
    """
    done = set(applied)
    fresh = [entry for entry in moved if f"{entry.origin} -> {entry.target}" not in done]
    names = {address: address for address in bindings}
    findings: list[Diagnostic] = []
    at_once = bool(fresh) and all(_carried(names, entry) for entry in fresh)
    groups = [fresh] if at_once else [[entry] for entry in fresh]
    for group in groups:
        names = _rename_at_once(names, group, findings)
    renamed = {new: old for new, old in names.items() if new != old}
    return {new: bindings[old] for new, old in names.items()}, renamed, findings


def _carried(names: Mapping[str, str], entry: Moved) -> dict[str, str]:
    """old address -> new address of all that an entry renames among the current names."""
    origin, target = str(entry.origin), str(entry.target)
    carried = {origin: target} if origin in names else {}
    if BY_NAME[entry.origin.kind].nested_keys:
        below = origin + "/"
        carried |= {name: target + name[len(origin) :] for name in names if name.startswith(below)}
    return carried


def _rename_at_once(names: dict[str, str], entries: list[Moved], findings: list[Diagnostic]) -> dict[str, str]:
    changes: dict[str, str] = {}
    for entry in entries:
        changes |= _carried(names, entry)
    kept = {name: old for name, old in names.items() if name not in changes}
    for name, target in changes.items():
        if target in kept:
            sources = [entry.source for entry in entries]
            findings.append(
                Diagnostic(
                    "moved-onto-bound",
                    f"{name} cannot become {target}: that address is bound to another object.",
                    "Take the entry out of `moved`, or free the address first.",
                    sources[0],
                    Severity.WARNING,
                    target,
                )
            )
            kept[name] = names[name]
        else:
            kept[target] = names[name]
    return kept


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


def _by_adopt(desired: Desired, snapshot: Snapshot, found: Identities, taken: set[tuple[str, RemoteId]]) -> None:
    holders = {(address.partition(".")[0], b.id): address for address, b in found.bindings.items()}
    for adopted, (id, _) in desired.adopt.items():
        address, kind = str(adopted), adopted.kind
        bound = found.bindings.get(address)
        if bound and bound.id == id:
            continue
        if bound:
            reason = f"`adopt` says {id}, the state says {bound.id}. `qase-iac state rm {address}` lets go of it first."
            found.blocked[address] = Blocked("adopt_conflict", reason)
        elif (kind, id) in holders:
            reason = f"{id} is bound to {holders[kind, id]} already."
            found.blocked[address] = Blocked("adopt_conflict", reason, (holders[kind, id],))
        elif snapshot.get(kind, id) is None:
            reason = f"Qase has no {kind.replace('_', ' ')} {id}."
            found.blocked[address] = Blocked("adopt_not_found", reason)
        else:
            found.ids[address] = id
            found.how[address] = How.ADOPT
            holders[kind, id] = address
            taken.add((kind, id))


NaturalKey = tuple[RemoteId | None, str]


def _by_natural_key(
    kind: Kind,
    desired: Desired,
    snapshot: Snapshot,
    found: Identities,
    taken: set[tuple[str, RemoteId]],
    same: SameValues,
) -> None:
    """Matches what is left of a kind. Suites go parents first, since a key holds the parent's id."""
    free = [live for live in snapshot.of(kind.name).values() if (kind.name, live.id) not in taken]
    if not free:
        return
    live_groups: dict[NaturalKey, list[LiveObject]] = {}
    for live in free:
        live_groups.setdefault(_live_key(kind, live), []).append(live)
    waiting = [
        resource
        for address, resource in desired.resources.items()
        if address.kind == kind.name and str(address) not in found.ids and str(address) not in found.bindings
    ]
    for layer in _layers(kind, waiting):
        groups: dict[NaturalKey, list[Resource]] = {}
        for resource in layer:
            key = _desired_key(kind, resource, found.ids)
            if key in live_groups and str(resource.address) not in found.blocked:
                groups.setdefault(key, []).append(resource)
        for key, resources in groups.items():
            _match(desired, resources, live_groups[key], found, taken, same)


def _layers(kind: Kind, resources: list[Resource]) -> Iterable[list[Resource]]:
    if not kind.nested_keys:
        return [resources]
    layers: dict[int, list[Resource]] = {}
    for resource in resources:
        layers.setdefault(resource.address.key.count("/"), []).append(resource)
    return [layers[depth] for depth in sorted(layers)]


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
    desired: Desired,
    resources: list[Resource],
    lives: list[LiveObject],
    found: Identities,
    taken: set[tuple[str, RemoteId]],
    same: SameValues,
) -> None:
    if any(resource.policy.adopt == "explicit" for resource in resources):
        _say_same_title(resources, lives, found)
        return
    pairs = (
        [(resources[0], lives[0])] if len(resources) == len(lives) == 1 else _told_apart(resources, lives, found, same)
    )
    for resource, live in pairs:
        found.ids[str(resource.address)] = live.id
        found.how[str(resource.address)] = How.NATURAL
        taken.add((live.kind, live.id))
    matched = {str(resource.address) for resource, _ in pairs}
    used = {live.id for _, live in pairs}
    rest = [resource for resource in resources if str(resource.address) not in matched]
    left = sorted((live for live in lives if live.id not in used), key=lambda live: str(live.id))
    if rest and left:
        ids = ", ".join(str(live.id) for live in left)
        names = ", ".join(str(resource.address) for resource in rest)
        reason = f"Objects of the same place and title cannot be told apart: {names} may be {ids}."
        for resource in rest:
            example = f"adopt: {{{resource.address}: {left[0].id}}}"
            found.blocked[str(resource.address)] = Blocked("ambiguous_identity", f"{reason} Say which: {example}")


def _told_apart(
    resources: list[Resource], lives: list[LiveObject], found: Identities, same: SameValues
) -> list[tuple[Resource, LiveObject]]:
    """Pairs in which each side has exactly one equal on the other."""
    by_resource = {r.address: [live for live in lives if same(r, live, found.ids)] for r in resources}
    claims: dict[RemoteId, int] = {}
    for equal in by_resource.values():
        for live in equal:
            claims[live.id] = claims.get(live.id, 0) + 1
    return [
        (resource, by_resource[resource.address][0])
        for resource in resources
        if len(by_resource[resource.address]) == 1 and claims[by_resource[resource.address][0].id] == 1
    ]


def _say_same_title(resources: list[Resource], lives: list[LiveObject], found: Identities) -> None:
    for resource in resources:
        ids = ", ".join(str(live.id) for live in lives)
        found.findings.append(
            Diagnostic(
                "same-title-exists",
                f"Qase has {printable(str(resource.attributes.get('title')))!r} at this place already: {ids}.",
                "`policy.adopt` is explicit, so a second one is created. "
                f"To bind it: adopt: {{{resource.address}: {lives[0].id}}}",
                resource.source,
                Severity.WARNING,
                str(resource.address),
            )
        )
