"""What changed in Qase since the last apply: STATE against SNAPSHOT, whatever was edited in the files meanwhile.

DESIRED only says what is ours: the scope, `ignore_changes`, and which attributes are managed at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from qase_iac.kinds import BY_NAME, RANK, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.model import AttributeChange, Drift, Origin
from qase_iac.plan.moves import rename
from qase_iac.plan.noise import calm
from qase_iac.plan.ready import fold, followed
from qase_iac.plan.remarks import Addresses, drift_of, paths_of
from qase_iac.plan.scope import LiveSuites, titled
from qase_iac.state.journal import Seen, is_new
from qase_iac.state.model import Binding, State
from qase_iac.values import JSON, Address, Attributes, RemoteId

FACTS = ("updated_at", "created_at", "author_id", "updated_by")
"""What Qase tells of who and when. `author_id` is whoever made the object; who edited it last is rarely told."""


@dataclass(frozen=True)
class Unsettled:
    """What a run that was cut off may have done: address -> values it was sending; addresses it was deleting."""

    sent: Mapping[str, Attributes] = field(default_factory=dict)
    deleting: frozenset[str] = frozenset()


@dataclass
class Found:
    """`drift` of what is bound, by address; `appeared` are the new objects in scope; `suites` the tree they stand in.

    `addresses` maps (kind, id) -> address of what is bound.
    """

    drift: list[Drift]
    appeared: list[LiveObject]
    suites: LiveSuites
    addresses: Addresses


def find_drift(desired: Desired, snapshot: Snapshot, state: State, seen: Seen, unsettled: Unsettled) -> Found:
    """`seen` is what there was at the last apply; {} when that is not known."""
    bindings = rename(state.bindings, desired.moved, state.moved).bindings
    addresses = {(name.partition(".")[0], binding.id): name for name, binding in bindings.items()}
    binder = Binder({name: binding.id for name, binding in bindings.items()}, snapshot, state)
    comparer = _Comparer(desired, snapshot, binder, addresses, unsettled)
    drift = [found for name in sorted(bindings) if (found := comparer.compare(name, bindings[name]))]
    suites = LiveSuites(
        snapshot,
        {id: name.partition(".")[2] for (kind, id), name in addresses.items() if kind == "suite"},
        titled(desired.resources),
    )
    known = _highest(seen, (each for each, name in addresses.items() if name not in state.pulled))
    appeared = [
        live
        for live in snapshot
        if (live.kind, live.id) not in addresses
        and is_new(known, live.kind, live.id)
        and suites.owned(desired.scope, live)
    ]
    appeared.sort(
        key=lambda live: (RANK[live.kind], suites.depth(live.id) if live.kind == "suite" else 0, _order(live))
    )
    return Found(drift, appeared, suites, addresses)


def _order(live: LiveObject) -> tuple[int, str]:
    return (live.id, "") if isinstance(live.id, int) else (0, str(live.id))


def _highest(seen: Seen, addresses: Iterable[tuple[str, RemoteId]]) -> Seen:
    """Ids grow: what has a lower one than something bound was there before, whether anybody noted it or not."""
    known = dict(seen)
    for kind, id in addresses:
        if isinstance(id, int) and not isinstance(known.get(kind), list):
            known[kind] = max(known.get(kind, 0), id)
    return known


def appeared(live: LiveObject, address: str, addresses: Addresses) -> Drift:
    """The entry of an object that nobody bound yet, under the address that it might get."""
    kind = BY_NAME[live.kind]
    attributes = {"title": AttributeChange(None, live.title, Origin.THEIRS)}
    place = live.attributes.get(kind.parent) if kind.parent else None
    if kind.parent and place is not None:
        shown = addresses.get(("suite", place)) or {"external_id": place}
        attributes[kind.parent] = AttributeChange(None, shown, Origin.THEIRS)
    return Drift(address, live.id, "appeared", attributes, live.title, facts(live))


def facts(live: LiveObject) -> Attributes:
    return {name: live.meta[name] for name in FACTS if live.meta.get(name)}


@dataclass
class _Comparer:
    desired: Desired
    snapshot: Snapshot
    binder: Binder
    addresses: Addresses
    unsettled: Unsettled

    def compare(self, name: str, binding: Binding) -> Drift | None:
        """What became of one bound object; None when it is as it was left."""
        address = Address.parse(name)
        kind, resource = BY_NAME[address.kind], self.desired.resources.get(address)
        live = self.snapshot.get(kind.name, binding.id)
        if live is None:
            title = str(binding.last_served("title", ""))
            return None if name in self.unsettled.deleting else Drift(name, binding.id, "vanished", title=title)
        if resource:
            binding = followed(kind, resource, live, self.binder, binding)
        binding = self._comparable(binding)
        names = self._changed(kind, name, binding, live, _tracked(kind, binding, resource))
        if not names:
            return None
        paths = paths_of(kind, resource) if resource else {}
        drift = drift_of(kind, name, live, binding, names, (self.binder, self.addresses, paths))
        return replace(drift, meta=facts(live))

    def _comparable(self, binding: Binding) -> Binding:
        """How often a shared step that Qase does not list stands in a row cannot be told: folded on both sides."""
        unlisted = self.snapshot.unknown_shared
        if not unlisted or "steps" not in binding.sent:
            return binding

        def folded(values: Attributes) -> Attributes:
            return values | {"steps": fold(values["steps"], unlisted)} if values.get("steps") else values

        return replace(binding, sent=folded(binding.sent), served=folded(binding.served))

    def _changed(self, kind: Kind, name: str, binding: Binding, live: LiveObject, tracked: set[str]) -> set[str]:
        sending = self.unsettled.sent.get(name, {})
        changed = {each for each in tracked if not _as_left(kind, each, binding, live, sending)}
        for pair in kind.exclusive:  # what took the place of what went
            if changed.intersection(pair):
                changed |= {each for each in pair if each not in binding.sent and live.attributes.get(each)}
        return changed


def _tracked(kind: Kind, binding: Binding, resource: Resource | None) -> set[str]:
    """The attributes of a bound object that are ours: what the state knows, and the files manage still."""
    known = {*binding.sent, *binding.served}
    if resource is None:
        return known - set(binding.ignore)
    declared = set(resource.attributes)
    if resource.local:  # a test plan's cases may be declared by a rule
        declared |= {row.name for row in kind.members}
    for pair in kind.exclusive:
        if declared.intersection(pair):
            declared.update(pair)
    return (known & declared) - resource.ignore


def _as_left(kind: Kind, name: str, binding: Binding, live: LiveObject, sending: Attributes) -> bool:
    """Whether an attribute is as the last apply left it, or as a run that was cut off was about to make it."""
    held = live.attributes.get(name)
    if live.partial and name not in live.attributes:
        return True
    expected: list[JSON] = [values[name] for values in (binding.sent, binding.served, sending) if name in values]
    if held in expected:
        return True
    canon = kind.attribute(name).type.canon
    now = canon(held)
    return any(now == was or calm(now) == calm(was) for was in map(canon, expected))
