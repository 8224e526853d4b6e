"""`pull`: what people changed in Qase comes into the files in place, and into the state. Nothing is written to Qase.

A state that others share speaks for the files that were merged, and a pull is made on a branch. So there it learns from
the apply after the merge, and until then only holds which objects are new. Else the next plan of the main branch would
take back what somebody did in Qase as if we had, or delete what is new.

First the files, then the state. Cut off in between, the files say what Qase holds and the state does not know it yet:
both sides changed alike, nothing is to be done about it, and the next pull or apply notes it. The other way round the
next plan would take what somebody did in Qase for an old value of ours to be put back, and delete what is new. Only
which objects are new is noted in the state before (State.pulled), so that nobody creates them once more.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from qase_iac.config.edit import Draft, FileEdit, write
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.errors import ConfigurationError, NotFound, SafetyRefusal
from qase_iac.model import Catalogue, Desired, Snapshot
from qase_iac.plan.drifting import Unsettled, find_drift
from qase_iac.plan.model import Action, Change, Options, Origin, Plan, Reason
from qase_iac.plan.moves import rename
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.lock import Holder
from qase_iac.values import RemoteId
from qase_iac.workflow.binding import Scene
from qase_iac.workflow.drafting import UNMANAGED, Drafted, Drafting, Project
from qase_iac.workflow.exporting import read_all
from qase_iac.workflow.memory import Memory, recall
from qase_iac.workflow.newcomers import Newcomers
from qase_iac.workflow.picking import Picked, Picker
from qase_iac.workflow.planning import bound_ids, load_online, read_settled
from qase_iac.workflow.recording import announce, record, twins
from qase_iac.workflow.session import TOOL, Connection, Session
from qase_iac.workflow.telling import Left, Line, Lines, lefts

OWN = (Reason.NEW, Reason.CONFIG_CHANGED, Reason.UNDECLARED, Reason.MOVED, Reason.ADOPTED)


@dataclass(frozen=True)
class Wish:
    """What is to be pulled: these addresses, or `everything`. `dry_run`: nothing is written, not even the state.

    `unseen`: everything, what nobody ever managed and lies in scope as well; then all of Qase is read.
    """

    addresses: tuple[str, ...] = ()
    everything: bool = False
    dry_run: bool = False
    unseen: bool = False


AFTER_MERGE = "Others share the state. It learns of this from the apply after the merge; until then `drift` lists it."
UPDATE = Wish(everything=True, unseen=True)
"""What `export DIR --update` does: the folder holds all that a fresh export would, and stays the one that it is."""


@dataclass(frozen=True)
class Pulled:
    """`files` are all that was written, or would be, attachments among them. `local` counts edits of the files that no
    apply sent yet, `edits` names them, each as `ADDRESS (ATTRIBUTES)`. `plan` is the one from the files as they are
    now, None on a dry run; `unexpected` what of it nothing here explains. `drift` is how much was found, `quiet` was
    asked for and had not changed."""

    project: str
    api: str
    drift: int
    lines: tuple[Line, ...]
    left: tuple[Left, ...]
    files: tuple[FileEdit, ...]
    notes: tuple[str, ...]
    quiet: tuple[str, ...] = ()
    local: int = 0
    edits: tuple[str, ...] = ()
    plan: Plan | None = None
    unexpected: tuple[Change, ...] = ()
    dry_run: bool = False
    warnings: list[Diagnostic] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if any(each.code == "conflict" for each in self.left):
            return SafetyRefusal.exit_code
        return 1 if self.left or self.unexpected or (self.plan and has_errors(list(self.plan.findings))) else 0


def pull(session: Session, wish: Wish, holder: Holder) -> Pulled:
    """Takes over what was picked of the drift, under the lock of the state.

    Raises ConfigurationError, SafetyRefusal (no state, an unsettled run, a file that changed meanwhile), QaseIacError
    (an address that is none, a disk that fails), StateLocked, ApiError. Then nothing was written.
    """
    with nullcontext() if wish.dry_run else session.store.lock(holder, session.ask.lock_timeout):
        loaded = load_online(session)
        memory = recall(session)
        _check(memory)
        connection = session.connect()
        try:
            snapshot = _read(session, connection, loaded.desired, memory, wish.unseen)
            return _Pull(session, connection, snapshot, memory, loaded.desired, wish, loaded.diagnostics).run()
        finally:
            connection.close()


def _read(session: Session, connection: Connection, desired: Desired, memory: Memory, everything: bool) -> Snapshot:
    """What a plan reads, and no more; or everything."""
    if everything:
        memory.state.take_up({str(address) for address in desired.resources})
        return read_all(session, connection, memory.state)
    snapshot = read_settled(session, connection, desired, memory)
    if not snapshot.exists:
        raise NotFound(f"Qase has no project {session.project}: there is nothing to pull.", status=404)
    return snapshot


def _check(memory: Memory) -> None:
    if not memory.state.exists:
        raise SafetyRefusal(
            "no-state",
            "There is no state: what the last apply left in Qase is not known.",
            "So nothing can be said of what changed since.",
            "`qase-iac apply` or `qase-iac export` makes a state; `qase-iac state rebuild` makes a lost one again.",
        )
    if memory.open:
        raise SafetyRefusal(
            "unsettled",
            "A run was interrupted, and what became of its last calls is not settled.",
            "A pull could take for somebody's edit what that run did.",
            "`qase-iac apply` settles it; then pull.",
        )


class _Pull:
    def __init__(
        self,
        session: Session,
        connection: Connection,
        snapshot: Snapshot,
        memory: Memory,
        desired: Desired,
        wish: Wish,
        warnings: list[Diagnostic],
    ) -> None:
        self.session, self.connection, self.snapshot = session, connection, snapshot
        self.memory, self.state, self.wish, self.warnings = memory, memory.state, wish, warnings
        self.words = Catalogue(options=snapshot.catalogue.options, live=False)
        self.draft = Draft(session.settings, self.words, desired, session.world.cache_dir)
        self.desired = self._resolved(desired)
        names = rename(self.state.bindings, self.desired.moved, self.state.moved)
        self.found = find_drift(self.desired, snapshot, self.state, self.state.seen, Unsettled())
        self.project = Project(self.desired, snapshot, self.state, names.bindings, self.found)
        ids = {name: binding.id for name, binding in names.bindings.items()}
        self.before = before = self._plan(self.desired)
        self.new = Newcomers(session, self.desired, snapshot, self.state, self.found.suites, ids, before)

    def _resolved(self, desired: Desired) -> Desired:
        resolved, found = resolve(desired, self.snapshot, bound_ids(self.state))
        if has_errors(found):
            raise ConfigurationError(found)
        return resolved

    def _plan(self, desired: Desired) -> Plan:
        return build(desired, self.snapshot, self.state, Options(), api=self.session.api, tool=TOOL)

    def run(self) -> Pulled:
        new, everything = self.new, self.wish.everything
        spare = {(live.kind, live.id) for live in new.objects}
        appeared = [live for live in self.found.appeared if (live.kind, live.id) in spare]
        picker = Picker(self.desired, self.snapshot, self.found, new.objects if self.wish.unseen else appeared, spare)
        picked = picker.pick(None if everything else self.wish.addresses)
        scene = Scene(self.session, self.connection, self.desired, self.snapshot, self.memory)
        for address, live in picked.new.items():
            if live.partial:
                picked.new[address] = scene.whole(live.kind, live.id) or live
        drafted = Drafting(self.project, picked, self.draft, new.paths, new.adopted).run()
        edited = self.draft.edited
        files = (*edited.files, *new.fetched(self.connection, edited, drafted.scribe.used))
        alike = new.unbound if self.wish.unseen else self.found.appeared
        bound = twins(self.project, alike) if everything else {}
        told = self._told(picked, drafted, files, bound)
        if self.wish.dry_run:
            return told
        shared = self.session.store.shared
        announce(scene, drafted, new.files if shared else {}, bound if shared else {})
        write(self.session.root, files)
        scene.desired = self._reread(files)
        if shared:
            self.state.take_up({str(address) for address in scene.desired.resources})  # as the next plan will
        else:
            record(scene, self.project, drafted, picked, new.files, bound)
        return self._proven(told, scene.desired, picked, drafted)

    def _reread(self, files: tuple[FileEdit, ...]) -> Desired:
        """What the files say by now; they are put back when that makes no sense, which no draft should let happen."""
        try:
            return self._resolved(self.session.load_valid(self.words).desired)
        except ConfigurationError:
            write(self.session.root, [FileEdit(each.path, each.after, each.before) for each in files])
            raise

    # --- what is said

    def _told(
        self, picked: Picked, drafted: Drafted, files: tuple[FileEdit, ...], bound: dict[str, RemoteId]
    ) -> Pulled:
        return Pulled(
            self.session.project,
            self.session.api,
            drift=len(self.found.drift) + len(self.found.appeared),
            lines=tuple(Lines(self.project, self.draft, drafted, bound).all()),
            left=self._left(picked, drafted),
            files=files,
            notes=tuple(self._notes(drafted, bound)),
            quiet=picked.quiet,
            local=len(drafted.sides.local),
            dry_run=self.wish.dry_run,
            warnings=self.warnings,
        )

    def _notes(self, drafted: Drafted, bound: dict[str, RemoteId]) -> list[str]:
        """Of what is no drift only where all that Qase holds is wanted."""
        later = (
            [] if self.wish.dry_run or not (self.session.store.shared and self.draft.edited.files) else [AFTER_MERGE]
        )
        if self.wish.unseen:
            return [*self.new.notes(bound), *drafted.scribe.notes.lines(), *later]
        return [*(each for each in drafted.scribe.notes.lines() if not each.startswith(UNMANAGED)), *later]

    def _proven(self, told: Pulled, desired: Desired, picked: Picked, drafted: Drafted) -> Pulled:
        """With the plan from what was written, against what was read: no call is made twice."""
        plan = self._plan(desired)
        ours = _Ours({drafted.now(each.address): each for each in self.before.changes})
        own = {each.address for each in plan.changes if ours.holds(each)}
        odd = [each for each in plan.changes if each.address not in own | {each.address for each in told.left}]
        if self.session.store.shared:
            odd = [each for each in odd if each.action not in _FOR_THE_STATE]
        unexpected = [each for each in odd if self.wish.everything and not drafted.sides.explain(each)]
        left = self._left(picked, drafted)  # what a rule of the files picks is known by now
        by_address = {each.address: set(each.attributes) for each in left}
        edits = [_edit(each, by_address.get(each.address)) for each in plan.changes if each not in unexpected]
        return replace(
            told,
            plan=plan,
            left=left,
            local=len(own),
            edits=tuple(sorted(filter(None, edits))),
            unexpected=tuple(unexpected),
        )

    def _left(self, picked: Picked, drafted: Drafted) -> tuple[Left, ...]:
        return tuple(sorted(lefts(self.project, picked, drafted), key=str))


@dataclass(frozen=True)
class _Ours:
    """What the plan held before the pull: edits of the files that no apply sent yet, by the addresses of now."""

    before: dict[str, Change]

    def holds(self, change: Change) -> bool:
        """Whether a change is nothing but what was planned before, and no edit made in Qase is in it."""
        known = self.before.get(change.address)
        if known is None or (change.blocked and change.blocked.code in ("conflict", "out_of_scope")):
            return False
        same = change.attributes.keys() <= known.attributes.keys() and change.reason in OWN
        return same and change.origins <= {Origin.OURS, Origin.BOTH}


_FOR_THE_STATE = (Action.FORGET, Action.NO_OP)
"""What an apply writes into the state alone: that something is gone, or has another key."""
_IN_PART = (Action.UPDATE, Action.MOVE, Action.NO_OP)


def _edit(change: Change, left: set[str] | None) -> str:
    """`ADDRESS (ATTRIBUTES)` of a change but for what was `left`; "" when that is all of it."""
    names = [name for name in change.attributes if name not in (left or ())] if change.action in _IN_PART else []
    names += ["key"] if change.moved_from else []
    if left is not None and not (names and left):
        return ""
    return f"{change.address} ({', '.join(sorted(names))})" if names else change.address
