"""One run: what it works on, what came of each operation so far, and how that is written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from qase_iac.apply.bind import Binder
from qase_iac.apply.events import (
    Finished,
    OnEvent,
    OperationBlocked,
    OperationFailed,
    OperationFinished,
    OperationStarted,
    Saved,
    Started,
    Warned,
)
from qase_iac.apply.fold import enact
from qase_iac.apply.looking import PATIENCE, look, not_found
from qase_iac.apply.protocol import Remote
from qase_iac.apply.report import LOCK_LOST, Altered, Operation, Problem, Report, Status, problem_of
from qase_iac.attributes import ResolveError
from qase_iac.errors import AccessDenied, ApiError, Interrupted, QaseIacError, StateError
from qase_iac.model import Desired
from qase_iac.plan.model import Action, Blocked, Change, Plan
from qase_iac.state.journal import DONE, FAILED, UNKNOWN, Item, Journal
from qase_iac.state.model import State
from qase_iac.values import RemoteId

SAVE_EVERY = 200
SAVE_SHARE = 10
"""The state is saved when more operations than both 200 and a tenth of its bindings are not in it yet: the time for
all saves together then grows with the number of operations, not with its square."""
RARELY, RARE_SHARE = 1000, 2
"""The same where a save goes over the network and stays for ever, and the run is known there as a whole."""

INTERRUPTED = Problem("interrupted", "The run was interrupted before this was sent.", hint="Run the command again.")


@dataclass
class Touched:
    """An object that was written, to be read back: what was sent, and what `uncertain` attributes held before.

    `restore` puts the binding's record of them back, for when the server turns out not to have taken them.
    """

    change: Change
    names: tuple[str, ...]
    before: dict[str, object] = field(default_factory=dict)
    restore: Callable[[str], None] = lambda name: None


@dataclass
class Run:
    """See the module's docstring. `state` is changed in place; `journal` and `save_state` keep it on disk."""

    plan: Plan
    desired: Desired
    state: State
    remote: Remote
    journal: Journal
    save_state: Callable[[State], None]
    read_file: Callable[[str], bytes]
    now: Callable[[], str]
    on_event: OnEvent
    interrupted: Callable[[], bool]
    sleep: Callable[[float], None]
    lost: Callable[[], QaseIacError | None] = lambda: None
    rarely: bool = False
    patience: float = PATIENCE
    blind: int = 0
    operations: dict[str, Operation] = field(default_factory=dict)
    touched: dict[str, dict[RemoteId, Touched]] = field(default_factory=dict)
    refused_files: dict[str, Problem] = field(default_factory=dict)
    halted: Problem | None = None
    stopped: bool = False
    requests: int = 0
    retries: int = 0
    warnings: list[str] = field(default_factory=list)
    altered: list[Altered] = field(default_factory=list)
    dirty: bool = False
    saved: bool = True

    def __post_init__(self) -> None:
        self._base = self.state.serial
        self._unsaved = 0
        self._numbers = {change.address: at for at, change in enumerate(self.plan.changes, 1)}
        self._bound: dict[str, dict[RemoteId, str]] = {}
        self.binder = Binder(self.state, self.remote.snapshot.catalogue.shared_parameters or {})

    # -- outcomes ------------------------------------------------------------------------------------------------

    def number(self, change: Change) -> int:
        """The change's place in the plan, from 1."""
        return self._numbers[change.address]

    def done(self, change: Change, id: RemoteId | None) -> None:
        operation = self._conclude(change, Status.DONE, None, id)
        self.on_event(
            OperationFinished(change.address, change.action, operation.id, len(self.operations), len(self._numbers))
        )

    def fail(self, change: Change, problem: Problem, status: Status = Status.FAILED) -> None:
        self._conclude(change, status, problem, change.id)
        self.on_event(
            OperationFailed(
                change.address,
                change.action,
                status,
                problem.code,
                problem.reason,
                len(self.operations),
                len(self._numbers),
            )
        )

    def block(self, change: Change, problem: Problem) -> None:
        self._conclude(change, Status.BLOCKED, problem, change.id)
        self._tell_blocked(change, problem.code, problem.reason)

    def block_as_planned(self, change: Change, blocked: Blocked) -> None:
        operation = self._conclude(change, Status.BLOCKED, Problem(blocked.code, blocked.reason, blocked.by), change.id)
        self.operations[change.address] = replace(operation, planned_block=True)
        self._tell_blocked(change, blocked.code, blocked.reason)

    def _tell_blocked(self, change: Change, code: str, reason: str) -> None:
        self.on_event(
            OperationBlocked(change.address, change.action, code, reason, len(self.operations), len(self._numbers))
        )

    def _conclude(self, change: Change, status: Status, problem: Problem | None, id: RemoteId | None) -> Operation:
        operation = Operation(
            change.address,
            change.action,
            id,
            status,
            change.source,
            problem,
            http_status=problem.http_status if problem else None,
            request_id=problem.request_id if problem else None,
        )
        self.operations[change.address] = operation
        return operation

    def warn(self, summary: str, detail: str = "") -> None:
        self.warnings.append(f"{summary} {detail}".strip())
        self.on_event(Warned(summary, detail))

    # -- stopping ------------------------------------------------------------------------------------------------

    def halt(self, problem: Problem) -> None:
        """Nothing more is sent; what is left is blocked with this reason."""
        self.halted = self.halted or problem

    def stop_reason(self) -> Problem | None:
        """Why nothing may be sent any more, asked before every call."""
        if not self.halted and (taken := self.lost()):
            self.halt(problem_of(taken, LOCK_LOST))
        if not self.halted and self.interrupted():
            self.interrupt()
        return self.halted

    def interrupt(self) -> Problem:
        """Ctrl-C: what was in flight is done and recorded, nothing more is sent."""
        self.stopped = True
        self.halt(INTERRUPTED)
        return self.halted or INTERRUPTED

    def deny(self, problem: Problem) -> None:
        """401 or 403: nothing more is sent."""
        self.halt(replace(problem, reason=f"Qase refused the token or the role: {problem.reason}"))

    # -- calls ---------------------------------------------------------------------------------------------------

    def attempt(
        self, changes: Sequence[Change], items: Sequence[Item], call: Callable[[], Sequence[RemoteId | None]]
    ) -> tuple[Status, Problem | None, Sequence[RemoteId | None]]:
        """Makes one call that writes: intent to disk, call, outcome to disk. Status BLOCKED: it was not sent."""
        problem = self.stop_reason()
        number = 0 if problem else self._intend(items)
        if problem or self.halted:
            return Status.BLOCKED, self.halted, ()
        total = len(self._numbers)
        self.on_event(
            OperationStarted(tuple(c.address for c in changes), changes[0].action, len(self.operations), total)
        )
        self.requests += 1
        status, problem, ids = self._send(number, items, call)
        if problem and status is Status.UNKNOWN:
            self._record(number, UNKNOWN, cause=str(problem))
            ids = look(self, items, problem.http_status)
            if not ids or self._doubt(items, ids):
                return status, not_found(problem), ()
        elif problem:
            return status, problem, ()
        self._record(number, DONE, ids)
        for item, id in zip(items, ids, strict=True):
            self._enact(item, id)
        self._save_at_intervals(len(items))
        return Status.DONE, None, ids

    def _send(
        self, number: int, items: Sequence[Item], call: Callable[[], Sequence[RemoteId | None]]
    ) -> tuple[Status, Problem | None, Sequence[RemoteId | None]]:
        try:
            ids = call()
        except (QaseIacError, ResolveError) as error:
            return *self._refused(number, error), ()
        doubt = self._doubt(items, ids)
        return (Status.UNKNOWN if doubt else Status.DONE), doubt, ids

    def _intend(self, items: Sequence[Item]) -> int:
        try:
            return self.journal.intent(items, self.now())
        except StateError as error:
            self.halt(problem_of(error, "journal_unwritable"))
            return 0

    def _record(self, number: int, status: str, ids: Sequence[RemoteId | None] = (), cause: str = "") -> None:
        """When the outcome cannot be written the intent stays open: the next run asks Qase. Nothing more is sent."""
        try:
            self.journal.outcome(number, status, self.now(), ids, cause)
        except StateError as error:
            self.halt(problem_of(error, "journal_unwritable"))

    def _refused(self, number: int, error: QaseIacError | ResolveError) -> tuple[Status, Problem]:
        """What an error means. UNKNOWN is not written down yet."""
        problem = problem_of(error)
        if isinstance(error, Interrupted):
            self.requests -= 1
            self._record(number, FAILED, cause=INTERRUPTED.code)
            return Status.BLOCKED, self.interrupt()
        if isinstance(error, ApiError) and error.ambiguous:
            return Status.UNKNOWN, problem
        self._record(number, FAILED, cause=str(problem))
        if isinstance(error, ResolveError):
            self.requests -= 1
        if isinstance(error, AccessDenied):
            self.deny(problem)
        return Status.FAILED, problem

    def _doubt(self, items: Sequence[Item], ids: Sequence[RemoteId | None]) -> Problem | None:
        """An answer to a create that cannot be right: too few ids, one twice, or one that is somebody else's."""
        if items[0].action != Action.CREATE:
            return None
        if len(ids) != len(items) or len(set(ids)) != len(ids) or None in ids:
            return Problem("bad_answer", f"Qase answered with {len(ids)} ids for {len(items)} objects.")
        bound = self._bound_ids(items[0].kind)
        taken = [id for id in ids if id is not None and id in bound]
        if taken:
            return Problem("bad_answer", f"Qase says it made {taken[0]}, which is {bound[taken[0]]}.")
        return None

    def _bound_ids(self, kind: str) -> dict[RemoteId, str]:
        if kind not in self._bound:
            self._bound[kind] = self.state.bound_ids(kind)
        return self._bound[kind]

    def _enact(self, item: Item, id: RemoteId | None) -> None:
        if id is not None and item.action == Action.CREATE:
            self._bound_ids(item.kind)[id] = item.address
        self.dirty |= enact(self.state, item, id)

    # -- the state on disk ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self.on_event(Started(self.plan.project, len(self.plan.changes), self.plan.requests))

    def _save_at_intervals(self, operations: int) -> None:
        self._unsaved += operations
        every, share = (RARELY, RARE_SHARE) if self.rarely else (SAVE_EVERY, SAVE_SHARE)
        if self._unsaved > max(every, len(self.state.bindings) // share):
            self._save()

    def _save(self) -> None:
        """Saves under the one serial of this run. A failure ends the run; the journal holds what was done."""
        self.state.serial = self._base + 1
        self._unsaved = 0
        try:
            self.save_state(self.state)
        except StateError as error:
            self.saved = False
            self.halt(problem_of(error, "state_unwritable"))
        else:
            self.saved = True
            self.on_event(Saved(self.state.serial, len(self.state.bindings)))

    def finish(self) -> Report:
        """Saves the state if anything changed, puts the journal away, and sums up."""
        if self.dirty:
            self._save()
        try:
            if self.saved:
                self.journal.finish(self.state.serial)
            else:
                self.journal.close()
        except StateError as error:
            self.warn(error.summary, "The next run takes it over once more, which changes nothing.")
        operations = tuple(self.operations[change.address] for change in self.plan.changes)
        report = Report(
            operations,
            self.requests,
            self.retries,
            self.stopped,
            self.halted,
            self.saved,
            tuple(self.warnings),
            tuple(self.altered),
        )
        self.on_event(
            Finished(report.applied, report.failed, report.blocked, report.adopted, self.requests, self.stopped)
        )
        return report
