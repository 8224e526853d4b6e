"""Open intents: what an interrupted run meant to create, looked for among what Qase holds.

Pure: values in, values out. Only objects that the run's own reading did not contain, and that nobody else is bound
to, are candidates. An open update or delete needs nothing here: the next plan reads what it came to.

The intent of a whole plan refers to what that plan makes by address. So kinds are settled in their order and suites
from the top down, each with the ids of those before: what refers to something that was not made was not made either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qase_iac.attributes import normal_text
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME, RANK
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import PLANNED, Intent, Item, Seen, is_new
from qase_iac.state.model import Binding, State
from qase_iac.values import JSON, Attributes, RemoteId, printable

NaturalKey = tuple[str, RemoteId | None, str]


@dataclass
class Settled:
    """`bindings` are to be added to the state; `lost` are creates that had no effect; `findings` need a person.

    `untouched` are addresses of updates and deletes: the next plan's reading tells what came of them. `agreed` are
    values of updates of a whole plan that Qase holds: address -> attribute -> value.
    """

    bindings: dict[str, Binding] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)
    agreed: dict[str, Attributes] = field(default_factory=dict)


def settle(intents: Sequence[Intent], snapshot: Snapshot, state: State, seen: Seen) -> Settled:
    """What became of each open intent. `snapshot` must hold the lists of the kinds that were being created."""
    settled = Settled()
    known = _Known(state, seen, settled)
    waiting: list[Item] = []
    for item in sorted((item for intent in intents for item in intent.items), key=lambda item: item.op):
        if item.action != "create":
            settled.untouched.append(item.address)
        elif BY_NAME[item.kind].section and not _is_bound(item, state, seen):
            waiting.append(item)
    while waiting:
        layer, waiting = _next_layer(waiting)
        _settle_layer(layer, snapshot, known)
    for intent in intents:
        if intent.number == PLANNED:
            settled.agreed |= {item.address: _agreed(item, snapshot, known) for item in intent.items if item.id}
    return settled


def _next_layer(waiting: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Those that wait for none of the others: the first kind, and of suites those whose parent is settled."""
    kind = min((item.kind for item in waiting), key=RANK.__getitem__)
    names = {item.address for item in waiting}
    layer = [item for item in waiting if item.kind == kind and item.parent not in names]
    layer = layer or [item for item in waiting if item.kind == kind]  # a circle, which no plan has
    taken = {item.address for item in layer}
    return layer, [item for item in waiting if item.address not in taken]


def _settle_layer(layer: Sequence[Item], snapshot: Snapshot, known: _Known) -> None:
    settled = known.settled
    groups: dict[NaturalKey, list[Item]] = {}
    for item in layer:
        try:
            item = known.bound(item)
        except _NotMade as reason:
            if reason.address in {str(finding.address) for finding in settled.findings}:
                settled.findings.append(_waits(item, reason.address))
            else:
                settled.lost.append(item.address)
            continue
        groups.setdefault((item.kind, item.parent, normal_text(item.title)), []).append(item)
    free = _candidates(layer[0].kind, snapshot, known) if groups else {}
    for key, items in groups.items():
        _pair(items, free.get(key, []), settled)


class _NotMade(Exception):
    """A reference to what the run did not make, as far as is known."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


@dataclass
class _Known:
    """What has an id by now: bound before, or settled so far."""

    state: State
    seen: Seen
    settled: Settled

    def bound(self, item: Item) -> Item:
        """The item with ids for addresses. Raises _NotMade."""
        sent = item.record.get("sent", {})
        names = [row.name for row in BY_NAME[item.kind].references if sent.get(row.name)]
        bound = {name: self._value(item.kind, name, sent[name]) for name in names}
        return replace(item, parent=self._parent(item), record={**item.record, "sent": {**sent, **bound}})

    def _parent(self, item: Item) -> RemoteId | None:
        return self._id(item.parent) if isinstance(item.parent, str) else item.parent

    def _value(self, kind: str, name: str, value: JSON) -> JSON:
        def visit(to: str, ref: JSON) -> JSON:
            return self._id(ref["known_after_apply"]) if isinstance(ref, dict) and "known_after_apply" in ref else ref

        return BY_NAME[kind].attribute(name).type.rebind(value, visit)

    def _id(self, address: str) -> RemoteId:
        binding = self.settled.bindings.get(address)
        if binding is None:
            binding = self.state.bindings.get(address)
            if binding is None or not is_new(self.seen, address.partition(".")[0], binding.id):
                raise _NotMade(address)
        return binding.id


def _agreed(item: Item, snapshot: Snapshot, known: _Known) -> Attributes:
    """What Qase holds of what an update was to send: whoever looks later must not take it for somebody's edit."""
    live = snapshot.get(item.kind, item.id) if item.id is not None else None
    if live is None or item.action == "delete":
        return {}
    try:
        sent = known.bound(item).record.get("sent", {})
    except _NotMade:
        return {}
    return {
        name: value for name, value in sent.items() if name in live.attributes and _same(item.kind, live, name, value)
    }


def _waits(item: Item, address: str) -> Diagnostic:
    return Diagnostic(
        "unsettled-create",
        f"An interrupted run may have created {item.address}, which belongs to {address}.",
        f"Say which {address} is; then it is looked for there.",
        severity=Severity.ERROR,
        address=item.address,
    )


def take_over(state: State, settled: Settled) -> bool:
    """Puts what was settled into the state; True when that changed it."""
    state.bindings |= settled.bindings
    for address, values in settled.agreed.items():
        if binding := state.bindings.get(address):
            binding.sent |= values
            binding.served = {name: value for name, value in binding.served.items() if name not in values}
    doubtful = [state.bindings[address] for address in settled.untouched if address in state.bindings]
    changed = bool(settled.bindings) or any(settled.agreed.values()) or any(binding.meta for binding in doubtful)
    for binding in doubtful:
        binding.meta = {}
    return changed


def _is_bound(item: Item, state: State, seen: Seen) -> bool:
    """Whether the address got an object since; what it was bound to before (and had vanished) does not count."""
    binding = state.bindings.get(item.address)
    return binding is not None and is_new(seen, item.kind, binding.id)


def _candidates(kind: str, snapshot: Snapshot, known: _Known) -> dict[NaturalKey, list[LiveObject]]:
    taken = {b.id for a, b in known.settled.bindings.items() if a.startswith(kind + ".")}
    bound = taken | set(known.state.bound_ids(kind))
    parent = BY_NAME[kind].parent
    found: dict[NaturalKey, list[LiveObject]] = {}
    for live in snapshot.of(kind).values():
        if live.id not in bound and is_new(known.seen, kind, live.id):
            place = live.attributes.get(parent) if parent else None
            found.setdefault((kind, place, normal_text(live.title)), []).append(live)
    for objects in found.values():
        if all(isinstance(live.id, int) for live in objects):
            objects.sort(key=lambda live: live.id)
    return found


def _pair(items: Sequence[Item], candidates: Sequence[LiveObject], settled: Settled) -> None:
    """Same natural key. Bodies that are equal pair by order of intent and id; then one may pair with one.

    More equal objects than intents, or several that are not equal, cannot be told apart.
    """
    left = list(candidates)
    open_items: list[Item] = []
    bodies: dict[str, list[Item]] = {}
    for item in items:
        bodies.setdefault(item.digest, []).append(item)
    # Whoever says most goes first: a body of few attributes is like many objects.
    for alike in sorted(bodies.values(), key=lambda alike: -len(alike[0].record.get("sent", {}))):
        equal = [live for live in left if same_body(alike[0], live)]
        if len(equal) > len(alike):
            _report(alike, equal, settled)
            left = [live for live in left if live not in equal]
            continue
        for item, live in zip(alike, equal, strict=False):
            settled.bindings[item.address] = _binding(item, live)
            left.remove(live)
        open_items += alike[len(equal) :]
    if len(open_items) == len(left) == 1:
        settled.bindings[open_items[0].address] = _binding(open_items[0], left[0])
    elif open_items and left:
        _report(open_items, left, settled)
    else:
        settled.lost += [item.address for item in open_items]


def _same(kind: str, live: LiveObject, name: str, value: JSON) -> bool:
    """Whether Qase holds what was sent; what this reading did not show is not held against it."""
    if name not in live.attributes:
        return live.partial
    canon = BY_NAME[kind].attribute(name).type.canon
    return bool(canon(live.attributes[name]) == canon(value))


def same_body(item: Item, live: LiveObject) -> bool:
    """Whether Qase holds everything that was sent."""
    sent = item.record.get("sent", {})
    return all(_same(item.kind, live, name, value) for name, value in sent.items() if not _cleared(live, name, value))


def _cleared(live: LiveObject, name: str, value: JSON) -> bool:
    return name not in live.attributes and value in (None, "", [])


def _binding(item: Item, live: LiveObject) -> Binding:
    """Bound. What differs from what was sent is not recorded as sent: the next plan must ask, not overwrite."""
    sent: Attributes = {
        name: value for name, value in item.record.get("sent", {}).items() if _same(item.kind, live, name, value)
    }
    return Binding(
        live.id,
        sent,
        protect=bool(item.record.get("protect", False)),
        depends_on=list(item.record.get("depends_on", ())),
    )


def _report(items: Sequence[Item], objects: Sequence[LiveObject], settled: Settled) -> None:
    ids = ", ".join(str(live.id) for live in objects)
    for item in items:
        label = BY_NAME[item.kind].label
        settled.findings.append(
            Diagnostic(
                "unsettled-create",
                f"An interrupted run was creating {item.address}, and Qase has new {label}s that may be it: {ids}.",
                f"All are called {printable(item.title)!r}. Look at them, delete what is too many, and say which one "
                f"it is: `qase-iac adopt {item.address} ID`, or `adopt: {{{item.address}: ID}}` in the files.",
                severity=Severity.ERROR,
                address=item.address,
            )
        )
