"""What `adopt` and `state rebuild` share: files and Qase read together, new bindings made, the state saved."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from qase_iac.api.remote import QaseRemote
from qase_iac.apply.local import VOUCHERS
from qase_iac.apply.workspace import workspace_of
from qase_iac.diagnostics import has_errors
from qase_iac.errors import ConfigurationError, NotFound
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import addresses_in
from qase_iac.plan.model import LEFT, Change
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.journal import seen_of
from qase_iac.state.model import Binding, State
from qase_iac.values import Address, Attributes, RemoteId
from qase_iac.workflow.memory import Memory, put_away
from qase_iac.workflow.planning import bound_ids, load_online, read_settled
from qase_iac.workflow.session import TOOL, Connection, Session


@dataclass
class Scene:
    """The folder, the project in Qase and the state, read and not yet changed."""

    session: Session
    connection: Connection
    desired: Desired
    snapshot: Snapshot
    memory: Memory

    @property
    def state(self) -> State:
        return self.memory.state

    def whole(self, kind: str, id: RemoteId) -> LiveObject | None:
        """A live object with what lists do not show; None when Qase has none."""
        live = self.snapshot.get(kind, id)
        if live is not None and live.partial:
            remote = QaseRemote(self.connection.client, self.session.project, self.snapshot)
            live = remote.read(kind, id) or live
            self.snapshot.objects[kind][id] = live
        return live


def scene(session: Session, connection: Connection, memory: Memory) -> Scene:
    """Reads the files and Qase. Raises ConfigurationError, NotFound (no project), ApiError."""
    loaded = load_online(session)
    snapshot = read_settled(session, connection, loaded.desired, memory)
    if not snapshot.exists:
        raise NotFound(f"Qase has no project {session.project} yet: there is nothing to bind.", status=404)
    desired, found = resolve(loaded.desired, snapshot, bound_ids(memory.state))
    if has_errors(found):
        raise ConfigurationError(found)
    return Scene(session, connection, desired, snapshot, memory)


def bind(scene: Scene, ids: dict[str, RemoteId], disputed: bool) -> dict[str, Change]:
    """Puts bindings into the state, with all that the files and Qase agree on; returns what differs, by address.

    What differs counts as ours, or, `disputed`, as changed by nobody knows whom: a conflict (cli.md).
    """
    state = scene.state
    for address, id in ids.items():
        state.bindings[address] = Binding(id)
    plan = build(scene.desired, scene.snapshot, state)
    changes = {change.address: change for change in plan.changes if change.address in ids}
    for address in ids:
        change = changes.get(address)
        differing = change.attributes if change and disputed else ()
        _record(scene, Address.parse(address), plan.observed.get(address, {}), differing)
    return changes


def _record(scene: Scene, address: Address, observed: Attributes, differing: Collection[str]) -> None:
    kind, binding = BY_NAME[address.kind], scene.state.bindings[str(address)]
    resource = scene.desired.resources[address]
    live = scene.snapshot.objects[kind.name][binding.id]
    binding.sent = {name: value for name, value in observed.items() if value != LEFT}
    binding.served = {name: live.attributes.get(name) for name in differing}
    binding.protect = bool(resource.protect)
    binding.depends_on = sorted(set(addresses_in(kind, resource.attributes)) - {str(address)})
    binding.ignore = sorted(resource.ignore)
    binding.meta = _vouchers(kind, live, binding)


def _vouchers(kind: Kind, live: LiveObject, binding: Binding) -> Attributes:
    """By what the next reading can tell that members are as recorded; none where they are not known (refresh.py)."""
    if not kind.members or live.partial or any(row.name not in binding.sent for row in kind.members):
        return {}
    return {name: live.meta[name] for name in VOUCHERS if live.meta.get(name) is not None}


def begin(session: Session, state: State, snapshot: Snapshot, desired: Desired) -> None:
    """Makes `state` a new one. What `moved` tells is the past of these very keys: none of it is left to be done."""
    state.lineage = str(uuid.UUID(int=int(session.world.random() * 2**64) << 64 | uuid.uuid4().int >> 64, version=4))
    state.project, state.api = session.project, session.api
    state.moved = [f"{entry.origin} -> {entry.target}" for entry in desired.moved]
    state.seen = seen_of(snapshot)


def save(scene: Scene, adopted: Collection[str]) -> None:
    """Writes the state under its next serial, and puts away what an interrupted run left. The lock is held."""
    session, memory, state = scene.session, scene.memory, scene.state
    if not state.exists:
        begin(session, state, scene.snapshot, scene.desired)
    state.tool = TOOL
    state.workspace = workspace_of(scene.snapshot, scene.desired)
    if memory.header:
        memory.changed = True
        put_away(session, memory, set(adopted))
    else:
        state.serial += 1
        session.store.write(state)
