"""What a pull leaves in the state: files and Qase agree on it from now on. The lock is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qase_iac.apply.local import VOUCHERS
from qase_iac.attributes import normal_text
from qase_iac.config.catalogue_file import write_catalogue
from qase_iac.config.edit import Remove
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Resource
from qase_iac.plan.bind import addresses_in
from qase_iac.plan.model import LEFT, Options
from qase_iac.plan.moves import rename
from qase_iac.plan.planner import build, same_values
from qase_iac.state.journal import seen_of
from qase_iac.state.model import Binding, State
from qase_iac.state.store import dump
from qase_iac.values import JSON, Attributes, RemoteId, ref_address
from qase_iac.workflow.binding import Scene, bind, save
from qase_iac.workflow.drafting import Drafted, Project
from qase_iac.workflow.edits import Taken
from qase_iac.workflow.picking import Picked
from qase_iac.workflow.session import CATALOGUE


def announce(scene: Scene, drafted: Drafted, files: Mapping[str, JSON], bound: Mapping[str, RemoteId]) -> None:
    """Notes which objects the files are about to declare: cut off then, nobody takes them for new ones to be created.

    `record` ends it, or an apply, on whatever machine (State.take_up). `files` are attachments that were fetched,
    `bound` declared addresses that turned out to be objects in Qase.
    """
    state = scene.state
    new = {**drafted.added, **{address: Binding(id) for address, id in bound.items()}}
    if not (new or files.keys() - state.files.keys()):
        return
    same = {(address.partition(".")[0], binding.id) for address, binding in new.items()}
    others = {a: each for a, each in state.pulled.items() if (a.partition(".")[0], each.id) not in same}
    state.pulled = others | new
    state.files.update(files)
    save(scene, set())


def record(
    scene: Scene,
    project: Project,
    drafted: Drafted,
    picked: Picked,
    files: Mapping[str, dict[str, JSON]],
    bound: dict[str, RemoteId],
) -> None:
    """Writes the state if it has anything to learn. `scene.desired` is what the files say now.

    `files` are attachments that were fetched, `bound` declared addresses that turned out to be objects in Qase.
    """
    state = scene.state
    before = b"".join(dump(state))
    state.pulled = {}
    former = _former(scene, drafted)
    for name in drafted.sides.forgotten:
        if picked.takes(name):
            state.bindings.pop(former.get(name, name), None)
    state.bindings |= drafted.added
    for each in drafted.sides.taken:
        _take(state, each, former)
    for address in drafted.relocated:
        binding = state.bindings[address]
        parent = BY_NAME[address.partition(".")[0]].parent or ""
        live = scene.snapshot.objects[address.partition(".")[0]][binding.id]
        _learn(binding, {parent: live.attributes.get(parent)})
    state.files.update(files)
    if bound:
        bind(scene, bound, disputed=False)
    touched = {str(each.edit.address) for each in drafted.sides.taken}
    _refer(scene, former, None if drafted.relocated else touched)
    _agree(scene, former)
    _see(scene, project, drafted, bound)
    if b"".join(dump(state)) != before:
        if (scene.session.root / CATALOGUE).exists():
            write_catalogue(scene.session.root, scene.snapshot.catalogue)
        save(scene, {*drafted.added, *bound})


def _former(scene: Scene, drafted: Drafted) -> dict[str, str]:
    """Address in the files -> address in the state, where these differ.

    Where a suite moved its `moved:` line is carried out here, and so are those before it; else they are left to the
    next apply.
    """
    state, desired = scene.state, scene.desired
    names = rename(state.bindings, desired.moved, state.moved)
    if not drafted.relocated:
        return names.renamed
    state.bindings = names.bindings
    for entry in desired.moved:
        text, origin = f"{entry.origin} -> {entry.target}", str(entry.origin)
        if text not in state.moved and not any(
            each == origin or each.startswith(f"{origin}/") for each in state.bindings
        ):
            state.moved.append(text)
    return {}


def _take(state: State, taken: Taken, former: Mapping[str, str]) -> None:
    address = str(taken.edit.address)
    name = former.get(address, address)
    if isinstance(taken.edit, Remove):
        state.bindings.pop(name, None)
    else:
        _learn(state.bindings[name], taken.sent, taken.dropped)


def _learn(binding: Binding, sent: Attributes, dropped: tuple[str, ...] = ()) -> None:
    for name in (*dropped, *sent):
        for known in (binding.served, binding.sent, binding.unsupported):
            known.pop(name, None)
    binding.sent |= sent


def _refer(scene: Scene, former: Mapping[str, str], touched: set[str] | None) -> None:
    """What is touched (None: all) refers to now, and by what the next reading may know members again."""
    for address, resource in scene.desired.resources.items():
        binding = scene.state.bindings.get(former.get(str(address), str(address)))
        if binding is None or (touched is not None and str(address) not in touched):
            continue
        kind = BY_NAME[address.kind]
        binding.depends_on = sorted(set(addresses_in(kind, resource.attributes)) - {str(address)})
        binding.ignore, binding.protect = sorted(resource.ignore), bool(resource.protect)
        live = scene.snapshot.get(kind.name, binding.id)
        if kind.members and live and not live.partial:
            held = all(
                kind.canon(row.name, live.attributes.get(row.name))
                == kind.canon(row.name, binding.last_served(row.name))
                for row in kind.members
            )
            binding.meta = {each: live.meta[each] for each in VOUCHERS if held and live.meta.get(each) is not None}


def _agree(scene: Scene, former: Mapping[str, str]) -> None:
    """Notes, as an apply does, what was changed alike on both sides."""
    plan = build(scene.desired, scene.snapshot, scene.state, Options())
    for address, values in plan.observed.items():
        binding = scene.state.bindings.get(former.get(address, address))
        if binding:
            _learn(binding, {name: value for name, value in values.items() if value != LEFT})


def _see(scene: Scene, project: Project, drafted: Drafted, bound: Mapping[str, RemoteId]) -> None:
    """What is new and was not taken over stays new, even where something newer was."""
    state = scene.state
    ids = {(name.partition(".")[0], binding.id) for name, binding in state.bindings.items()}
    left = {(live.kind, live.id) for live in project.found.appeared} - ids
    if not left:
        if project.found.appeared:
            state.seen = seen_of(scene.snapshot)
        return
    for kind in {kind for kind, _ in left}:
        known = [id for id in scene.snapshot.of(kind) if (kind, id) not in left]
        highest = max((id for id in known if isinstance(id, int)), default=0)
        if any(isinstance(id, int) and id < highest for each, id in left if each == kind):
            state.seen = {**state.seen, kind: sorted(map(str, known))}


def twins(project: Project, unbound: Iterable[LiveObject]) -> dict[str, RemoteId]:
    """Declared addresses that nothing is bound to -> what of `unbound` says the very same at the same place.

    A pull that was cut off between files and state leaves such; two alike, here or there, are left to people.
    """
    same = same_values(project.snapshot, project.state)
    ids = {name: binding.id for name, binding in project.bindings.items()}
    waiting: dict[tuple[str, str], list[Resource]] = {}
    for each in project.desired.resources.values():
        if str(each.address) not in ids:
            waiting.setdefault((each.address.kind, normal_text(each.attributes.get("title"))), []).append(each)
    known, unclear = dict(ids), set[str]()
    for live in unbound if waiting else ():  # parents first
        kind = BY_NAME[live.kind]
        place = live.attributes.get(kind.parent) if kind.parent else None
        fitting = [
            str(each.address)
            for each in waiting.get((kind.name, normal_text(live.title)), ())
            if _place(each.attributes.get(kind.parent or ""), known) == place
            and not (live.partial and kind.members)
            and same(each, live, known)
        ]
        if len(fitting) == 1 and fitting[0] not in unclear:
            if known.pop(fitting[0], None) is None:
                known[fitting[0]] = live.id
            else:
                unclear.add(fitting[0])
    return {address: id for address, id in known.items() if address not in ids}


def _place(ref: JSON, ids: Mapping[str, RemoteId]) -> RemoteId | None:
    if not isinstance(ref, dict):
        return None
    address = ref_address(ref)
    return ids.get(address, -1) if address else ref.get("external_id")
