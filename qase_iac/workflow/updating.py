"""`export DIR --update`: a project folder that people work in takes over what Qase holds, in place.

What only Qase changed since the last apply is written into the files, what is new in scope is added, what vanished is
taken out. Edits of the files that no apply sent stay. Nothing is written to Qase; the state learns what is agreed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from qase_iac.api.refresh import refresh
from qase_iac.config.catalogue_file import write_catalogue
from qase_iac.config.edit import Edit, Edited, Failed, FileEdit, Remove, edit_files, write
from qase_iac.convert.live import VOUCHERS, binding_of
from qase_iac.convert.notes import Notes
from qase_iac.diagnostics import has_errors
from qase_iac.errors import ConfigurationError, NotFound, SafetyRefusal
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired, Snapshot
from qase_iac.plan.bind import addresses_in
from qase_iac.plan.model import LEFT, Action, Change, Options, Plan
from qase_iac.plan.moves import Renames, rename
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.plan.scope import LiveSuites, titled
from qase_iac.state.lock import Holder
from qase_iac.state.model import Binding, State
from qase_iac.values import Address, RemoteId
from qase_iac.workflow.binding import Scene, save
from qase_iac.workflow.edits import Scribe, Taken, keys_of
from qase_iac.workflow.memory import Memory, recall
from qase_iac.workflow.newcomers import Newcomers
from qase_iac.workflow.planning import bound_ids
from qase_iac.workflow.session import CATALOGUE, TOOL, Connection, Session
from qase_iac.workflow.threeways import Comparer, Sides


@dataclass(frozen=True)
class Updated:
    """What an update came to.

    `files` are those that were written, attachments among them. `changed`, `added`, `removed` are addresses. `local`
    are edits of the files that were never applied, `conflicts` those that Qase contradicts: both as `ADDRESS (NAMES)`,
    both were left. `failed` could not be said in the files. `plan` is the one from the folder as it is now,
    `unexpected` what of it none of these explains.
    """

    files: tuple[FileEdit, ...]
    changed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    local: tuple[str, ...]
    conflicts: tuple[str, ...]
    failed: tuple[Failed, ...]
    notes: tuple[str, ...]
    plan: Plan
    unexpected: tuple[Change, ...]

    @property
    def proven(self) -> bool:
        """Whether the plan holds nothing but what is said here."""
        return not (self.unexpected or has_errors(list(self.plan.findings)))


def update(session: Session, holder: Holder) -> Updated:
    """Brings a project folder up to what Qase holds, under the lock of its state.

    Raises ConfigurationError, SafetyRefusal (no state, unsettled run, a file that changed meanwhile), ApiError.
    """
    with session.store.lock(holder, session.ask.lock_timeout):
        memory = recall(session)
        _check(memory)
        connection = session.connect()
        try:
            snapshot = _read(session, connection, memory.state)
            return _Update(session, connection, snapshot, memory).run()
        finally:
            connection.close()


def _check(memory: Memory) -> None:
    if not memory.state.exists:
        raise SafetyRefusal(
            "no-state",
            "There is no state: which entry of the files is which object in Qase is not known.",
            "So an update could only write everything a second time.",
            "`qase-iac state rebuild` makes a lost state again; `qase-iac export` to a new folder makes one.",
        )
    if memory.open:
        raise SafetyRefusal(
            "unsettled",
            "A run was interrupted, and what became of its last calls is not settled.",
            "An update could take for somebody's edit what that run did.",
            "`qase-iac apply` settles it; then update.",
        )


def _read(session: Session, connection: Connection, state: State) -> Snapshot:
    snapshot = refresh(
        connection.client,
        session.project,
        state=state,
        need_members=True,
        need_shared_parameters=True,
        wanted=lambda live: True,
        full=True,
        progress=session.world.progress,
    )
    if not snapshot.exists:
        raise NotFound(f"Qase has no project {session.project}, or the token may not see it.", status=404)
    return snapshot


class _Update:
    """One update: everything read, and what is worked out from it."""

    def __init__(self, session: Session, connection: Connection, snapshot: Snapshot, memory: Memory) -> None:
        self.session = session
        self.connection = connection
        self.snapshot = snapshot
        self.memory = memory
        self.state = memory.state
        self.words = Catalogue(options=snapshot.catalogue.options, live=False)
        self.loaded = session.load_valid(self.words)
        self.desired = self._resolved(self.loaded.desired)
        self.names: Renames = rename(self.state.bindings, self.desired.moved, self.state.moved)
        self.ids: dict[str, RemoteId] = {name: binding.id for name, binding in self.names.bindings.items()}
        self.suites = LiveSuites(
            snapshot,
            {id: name.partition(".")[2] for name, id in self.ids.items() if name.startswith("suite.")},
            titled(self.desired.resources),
        )
        self.sides = Sides()
        self.added: dict[str, Binding] = {}
        self.notes = Notes()

    def _resolved(self, desired: Desired) -> Desired:
        resolved, found = resolve(desired, self.snapshot, bound_ids(self.state))
        if has_errors(found):
            raise ConfigurationError(found)
        return resolved

    def run(self) -> Updated:
        before = self._plan()
        new = Newcomers(
            self.session, self.desired, self.snapshot, self.state, self.suites, self.ids, before, self.notes
        )
        scribe = Scribe(self.snapshot, keys_of({**new.adopted, **self.ids, **new.addresses}), new.paths, self.notes)
        bindings = self.names.bindings
        self.sides = Comparer(self.desired, self.snapshot, self.state, bindings, self.suites, scribe).compare()
        for address, live in new.objects.items():
            add, said = scribe.add(live, Address.parse(address).key)
            self.sides.taken.append(Taken(add))
            self.added[address] = binding_of(BY_NAME[live.kind], live, said, scribe.keys)
        for change in before.changes:
            if change.address not in self.ids or change.action is Action.DELETE:
                self.sides.local[change.address] = set()
            elif change.moved_from:
                self.sides.local.setdefault(change.address, set()).add("key")
        edited = self._edited([each.edit for each in self.sides.taken])
        files = (*edited.files, *new.fetched(self.connection, edited, scribe.used))
        write(self.session.root, files)
        return self._told(files, self._record(new))

    # --- the files

    def _edited(self, edits: list[Edit]) -> Edited:
        """Raises QaseIacError when a file cannot be read."""
        edited = edit_files(
            self.session.settings, self.words, self.loaded.desired, edits, cache_dir=self.session.world.cache_dir
        )
        self.sides.failed += edited.failed
        failed = [each.edit for each in edited.failed]
        self.sides.taken = [each for each in self.sides.taken if not any(each.edit is other for other in failed)]
        return edited

    # --- the state

    def _record(self, new: Newcomers) -> Plan:
        """Saves what files and Qase agree on now; returns the plan from there."""
        bindings = self.state.bindings
        for name in self.sides.forgotten:
            bindings.pop(self.names.renamed.get(name, name), None)
        for each in self.sides.taken:
            address = str(each.edit.address)
            old = self.names.renamed.get(address, address)
            if isinstance(each.edit, Remove):
                bindings.pop(old, None)
            elif address in self.added:
                bindings[address] = self.added[address]
            else:
                _learn(bindings[old], each)
        self.state.files.update(new.files)
        if (self.session.root / CATALOGUE).exists():
            write_catalogue(self.session.root, self.snapshot.catalogue)
        self.desired = self._resolved(self.session.load_valid(self.words).desired)
        self._refer({str(each.edit.address) for each in self.sides.taken})
        plan = self._plan()
        self._agree(plan)
        save(Scene(self.session, self.connection, self.desired, self.snapshot, self.memory), self.added)
        return plan

    def _agree(self, plan: Plan) -> None:
        """Notes, as an apply does, what was changed alike on both sides."""
        for address, values in plan.observed.items():
            binding = self.state.bindings.get(self.names.renamed.get(address, address))
            equal = {name: value for name, value in values.items() if value != LEFT} if binding else {}
            if binding and equal:
                _learn(binding, Taken(Remove(Address.parse(address)), equal))

    def _refer(self, addresses: Iterable[str]) -> None:
        """What the touched objects refer to now, and by what the next reading may know their members again."""
        for address in addresses:
            resource = self.desired.resources.get(Address.parse(address))
            binding = self.state.bindings.get(self.names.renamed.get(address, address))
            if resource is None or binding is None:
                continue
            kind = BY_NAME[resource.address.kind]
            binding.depends_on = sorted(set(addresses_in(kind, resource.attributes)) - {address})
            binding.ignore = sorted(resource.ignore)
            live = self.snapshot.objects[kind.name][binding.id]
            held = all(
                kind.canon(row.name, live.attributes.get(row.name)) == kind.canon(row.name, binding.sent.get(row.name))
                for row in kind.members
            )
            if kind.members and held:
                binding.meta = {each: live.meta[each] for each in VOUCHERS if live.meta.get(each) is not None}

    # --- the proof

    def _plan(self) -> Plan:
        options = Options(on_drift="revert")
        return build(self.desired, self.snapshot, self.state, options, api=self.session.api, tool=TOOL)

    def _told(self, files: tuple[FileEdit, ...], plan: Plan) -> Updated:
        sides = self.sides
        unexpected = tuple(each for each in plan.changes if not sides.explain(each))
        removed = {str(each.edit.address) for each in sides.taken if isinstance(each.edit, Remove)}
        touched = {str(each.edit.address) for each in sides.taken}
        return Updated(
            files,
            changed=tuple(sorted(touched - removed - self.added.keys())),
            added=tuple(address for address in self.added if address in touched),
            removed=tuple(sorted(removed)),
            local=tuple(_listed(sides.local)),
            conflicts=tuple(_listed(sides.conflicts)),
            failed=tuple(sides.failed),
            notes=tuple(self.notes.lines()),
            plan=plan,
            unexpected=unexpected,
        )


def _learn(binding: Binding, taken: Taken) -> None:
    for name in (*taken.dropped, *taken.sent):
        binding.served.pop(name, None)
        binding.sent.pop(name, None)
        binding.unsupported.pop(name, None)
    binding.sent |= taken.sent


def _listed(left: dict[str, set[str]]) -> Iterator[str]:
    for address, names in sorted(left.items()):
        yield f"{address} ({', '.join(sorted(names))})" if names else address
