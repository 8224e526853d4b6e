"""`pull`: what people changed in Qase comes into the files in place, and into the state. Nothing is written to Qase.

First the files, then the state. Cut off in between, the files say what Qase holds and the state does not know it yet:
both sides changed alike, nothing is to be done about it, and the next pull or apply notes it. The other way round the
next plan would take what somebody did in Qase for an old value of ours to be put back, and delete what is new.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace

from qase_iac.config.edit import Draft, FileEdit, write
from qase_iac.convert.notes import Notes
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.errors import ConfigurationError, NotFound, SafetyRefusal
from qase_iac.model import Catalogue, Desired, Snapshot
from qase_iac.plan.drifting import Unsettled, find_drift
from qase_iac.plan.model import Change, Options, Origin, Plan, Reason
from qase_iac.plan.moves import rename
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.lock import Holder
from qase_iac.values import RemoteId
from qase_iac.workflow.binding import Scene
from qase_iac.workflow.drafting import UNMANAGED, Drafted, Drafting, Project
from qase_iac.workflow.memory import Memory, recall
from qase_iac.workflow.newcomers import Newcomers
from qase_iac.workflow.picking import Picked, Picker
from qase_iac.workflow.planning import bound_ids, load_online, read_settled
from qase_iac.workflow.recording import record, twins
from qase_iac.workflow.session import TOOL, Connection, Session
from qase_iac.workflow.telling import Left, Line, Lines, lefts

OWN = (Reason.NEW, Reason.CONFIG_CHANGED, Reason.UNDECLARED, Reason.MOVED, Reason.ADOPTED)


@dataclass(frozen=True)
class Wish:
    """What is to be pulled: these addresses, or `everything`. `dry_run`: nothing is written, not even the state."""

    addresses: tuple[str, ...] = ()
    everything: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Pulled:
    """`files` are all that was written, or would be, attachments among them. `local` counts edits of the files that no
    apply sent yet. `plan` is the one from the files as they are now, None on a dry run; `unexpected` what of it nothing
    here explains. `drift` is how much was found, `quiet` was asked for and had not changed."""

    project: str
    api: str
    drift: int
    lines: tuple[Line, ...]
    left: tuple[Left, ...]
    files: tuple[FileEdit, ...]
    notes: tuple[str, ...]
    quiet: tuple[str, ...] = ()
    local: int = 0
    plan: Plan | None = None
    unexpected: tuple[Change, ...] = ()
    dry_run: bool = False
    warnings: list[Diagnostic] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        if any(each.code == "conflict" for each in self.left):
            return SafetyRefusal.exit_code
        return 1 if self.left or self.unexpected else 0


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
            snapshot = read_settled(session, connection, loaded.desired, memory)
            if not snapshot.exists:
                raise NotFound(f"Qase has no project {session.project}: there is nothing to pull.", status=404)
            return _Pull(session, connection, snapshot, memory, loaded.desired, wish, loaded.diagnostics).run()
        finally:
            connection.close()


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
        self.new = Newcomers(session, self.desired, snapshot, self.state, self.found.suites, ids, before, Notes())

    def _resolved(self, desired: Desired) -> Desired:
        resolved, found = resolve(desired, self.snapshot, bound_ids(self.state))
        if has_errors(found):
            raise ConfigurationError(found)
        return resolved

    def _plan(self, desired: Desired) -> Plan:
        return build(desired, self.snapshot, self.state, Options(), api=self.session.api, tool=TOOL)

    def run(self) -> Pulled:
        spare = {(live.kind, live.id) for live in self.new.objects.values()}
        everything = self.wish.everything
        picked = Picker(self.desired, self.snapshot, self.found, spare).pick(
            None if everything else self.wish.addresses
        )
        scene = Scene(self.session, self.connection, self.desired, self.snapshot, self.memory)
        for address, live in picked.new.items():
            if live.partial:
                picked.new[address] = scene.whole(live.kind, live.id) or live
        drafted = Drafting(self.project, picked, self.draft, self.new.paths, self.new.adopted).run()
        edited = self.draft.edited
        files = (*edited.files, *self.new.fetched(self.connection, edited, drafted.scribe.used))
        bound = twins(self.project, self.snapshot) if everything else {}
        told = self._told(picked, drafted, files, bound)
        if self.wish.dry_run:
            return told
        write(self.session.root, files)
        scene.desired = self._reread(files)
        record(scene, self.project, drafted, picked, self.new.files, bound)
        return self._proven(told, scene, drafted)

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
            left=tuple(sorted(lefts(self.project, picked, drafted), key=str)),
            files=files,
            notes=tuple(each for each in drafted.scribe.notes.lines() if not each.startswith(UNMANAGED)),
            quiet=picked.quiet,
            local=len(drafted.sides.local),
            dry_run=self.wish.dry_run,
            warnings=self.warnings,
        )

    def _proven(self, told: Pulled, scene: Scene, drafted: Drafted) -> Pulled:
        """With the plan from what was written, against what was read: no call is made twice."""
        plan = self._plan(scene.desired)
        ours = _Ours({drafted.now(each.address): each for each in self.before.changes})
        left = {each.address for each in told.left}
        odd = [each for each in plan.changes if not (ours.holds(each) or each.address in left)]
        return replace(
            told,
            plan=plan,
            local=sum(map(ours.holds, plan.changes)),
            unexpected=tuple(each for each in odd if self.wish.everything and not drafted.sides.explain(each)),
        )


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
