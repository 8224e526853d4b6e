"""Open intents: what an interrupted run meant to create, looked for among what Qase holds.

Pure: values in, values out. Only objects that the run's own reading did not contain, and that nobody else is bound
to, are candidates. An open update or delete needs nothing here: the next plan reads what it came to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from qase_iac.attributes import normal_text
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME, RANK
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import Intent, Item, Seen, is_new
from qase_iac.state.model import Binding, State
from qase_iac.values import JSON, Attributes, RemoteId, printable

NaturalKey = tuple[str, RemoteId | None, str]


@dataclass
class Settled:
    """`bindings` are to be added to the state; `lost` are creates that had no effect; `findings` need a person.

    `untouched` are addresses of updates and deletes: the next plan's reading tells what came of them.
    """

    bindings: dict[str, Binding] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)
    untouched: list[str] = field(default_factory=list)


def settle(intents: Iterable[Intent], snapshot: Snapshot, state: State, seen: Seen) -> Settled:
    """What became of each open intent. `snapshot` must hold the lists of the kinds that were being created."""
    settled = Settled()
    groups: dict[NaturalKey, list[Item]] = {}
    for item in sorted((item for intent in intents for item in intent.items), key=lambda item: item.op):
        if item.action != "create":
            settled.untouched.append(item.address)
        elif BY_NAME[item.kind].section and not _is_bound(item, state, seen):
            groups.setdefault((item.kind, item.parent, normal_text(item.title)), []).append(item)
    kinds = sorted({kind for kind, _, _ in groups}, key=RANK.__getitem__)
    free = {key: objects for kind in kinds for key, objects in _candidates(kind, snapshot, state, seen).items()}
    for key, items in groups.items():
        _pair(items, free.get(key, []), settled)
    return settled


def take_over(state: State, settled: Settled) -> bool:
    """Puts what was settled into the state; True when that changed it."""
    state.bindings |= settled.bindings
    doubtful = [state.bindings[address] for address in settled.untouched if address in state.bindings]
    changed = bool(settled.bindings) or any(binding.meta for binding in doubtful)
    for binding in doubtful:
        binding.meta = {}
    return changed


def _is_bound(item: Item, state: State, seen: Seen) -> bool:
    """Whether the address got an object since; what it was bound to before (and had vanished) does not count."""
    binding = state.bindings.get(item.address)
    return binding is not None and is_new(seen, item.kind, binding.id)


def _candidates(kind: str, snapshot: Snapshot, state: State, seen: Seen) -> dict[NaturalKey, list[LiveObject]]:
    bound = state.bound_ids(kind)
    parent = BY_NAME[kind].parent
    found: dict[NaturalKey, list[LiveObject]] = {}
    for live in snapshot.of(kind).values():
        if live.id not in bound and is_new(seen, kind, live.id):
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
