"""Carry out a plan: a fresh one after asking, or a saved one exactly. The only way to write to Qase."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

from qase_iac.apply.events import OnEvent
from qase_iac.apply.executor import execute
from qase_iac.apply.guard import check_before_apply, check_number, verify_plan, verify_preconditions
from qase_iac.apply.report import Report
from qase_iac.apply.workspace import workspace_of
from qase_iac.config.loader import Loaded
from qase_iac.diagnostics import has_errors
from qase_iac.errors import ConfigurationError, SafetyRefusal, StalePlan, StateError, StateLocked
from qase_iac.model import Desired, Snapshot
from qase_iac.plan.digests import live_digest
from qase_iac.plan.model import Action, Options, Plan
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.journal import Header, Journal, seen_of
from qase_iac.state.lock import Held, Holder
from qase_iac.values import printable
from qase_iac.workflow.backing import back_up
from qase_iac.workflow.memory import Memory, put_away, recall
from qase_iac.workflow.owners import rivals
from qase_iac.workflow.planning import Planned, bound_ids, load_online, make_plan, read
from qase_iac.workflow.session import TOOL, Session


@dataclass
class Doing:
    """How an apply is watched and stopped.

    `confirm` is shown the plan and says whether to go on. `interrupted` is asked before every call.
    """

    holder: Holder
    confirm: Callable[[Planned], bool] = lambda planned: True
    on_event: OnEvent = lambda event: None
    interrupted: Callable[[], bool] = lambda: False


@dataclass
class Outcome:
    """What came of an apply; `report` is None when the answer was no. `again` is the plan afterwards, if asked for."""

    plan: Plan
    report: Report | None = None
    again: Plan | None = None
    warnings: list[str] = field(default_factory=list)


def apply_fresh(
    session: Session, options: Options, doing: Doing, verify: bool = False, expect: str | None = None
) -> Outcome:
    """Plans, asks, and carries out what was shown, under the lock of the state.

    With `expect`, only the plan of that digest; a plan without changes needs nobody's approval.
    Raises what `make_plan` raises, SafetyRefusal (brake, no state), StateLocked, StalePlan (another plan).
    """
    with _alone(session, doing.holder) as held:
        planned = make_plan(session, options)
        try:
            if expect and planned.plan.changes:
                _check_expected(planned.plan, expect)
            if options.destroy:
                check_number(planned.plan, planned.state, options.allow_deletes)
            check_before_apply(planned.plan, planned.state, session.settings.policy)
            if not doing.confirm(planned):
                return Outcome(planned.plan)
            _put_away(session, planned)
            outcome = Outcome(planned.plan, _carry_out(session, planned, doing, held))
        finally:
            planned.connection.close()
        return _verified(session, options, outcome) if verify else outcome


def apply_saved(session: Session, plan: Plan, doing: Doing, expect: str | None = None, verify: bool = False) -> Outcome:
    """Carries out a saved plan exactly, if nothing that it was made from has changed. Raises StalePlan otherwise."""
    if expect and expect != plan.digest:
        load_online(session)
        _check_expected(plan, expect)
    with _alone(session, doing.holder, plan) as held:
        loaded = load_online(session)
        memory = recall(session)
        planned = _as_planned(session, loaded, memory, plan)
        try:
            check_before_apply(plan, planned.state, session.settings.policy)
            outcome = Outcome(plan, _carry_out(session, planned, doing, held))
        finally:
            planned.connection.close()
        return _verified(session, Options(deletes=plan.deletes), outcome) if verify else outcome


def _check_expected(plan: Plan, expect: str) -> None:
    if expect != plan.digest:
        raise StalePlan(
            f"This is not the plan that was approved: its digest is {plan.digest}.",
            f"--expect names {printable(expect)}.",
            "Nothing was written. Review this plan, or apply the one that was approved.",
        )


@contextmanager
def _alone(session: Session, holder: Holder, plan: Plan | None = None) -> Iterator[Held]:
    """Under the lock of the state, as the only owner of its scope.

    Where the lock is held: what waiting would not mend is said rather than that.
    """
    if rivals_here := rivals(session):
        raise ConfigurationError(rivals_here)
    with ExitStack() as stack:
        try:
            held = stack.enter_context(session.store.lock(holder, session.ask.lock_timeout))
        except StateLocked:
            loaded = load_online(session)
            if plan:
                verify_plan(plan, session.read_state(), session.digest(loaded))
            raise
        yield held


def _as_planned(session: Session, loaded: Loaded, memory: Memory, plan: Plan) -> Planned:
    """A saved plan with all that is needed to carry it out, after checking that it still holds."""
    from qase_iac.api.remote import QaseRemote

    if (plan.project, plan.api) != (session.project, session.api):
        raise StalePlan(f"This plan is for project {plan.project} at {plan.api}, not for {session.project} here.")
    if memory.changed or memory.open:
        raise StalePlan(
            "A run was interrupted since this plan was made, or while it was carried out.",
            "What it did has to be taken into account first.",
            "Plan again: the new plan shows what is left to do.",
        )
    verify_plan(plan, memory.state, session.digest(loaded))
    connection = session.connect()
    try:
        snapshot = read(session, connection, loaded.desired, memory.state)
        makes_project = any(c.kind == "project" and c.action is Action.CREATE for c in plan.changes)
        if makes_project == snapshot.exists:
            raise StalePlan("The project was created or deleted in Qase since this plan was made.")
        verify_preconditions(plan, snapshot, live_digest, memory.state)
        desired, found = resolve(loaded.desired, snapshot, bound_ids(memory.state))
        if has_errors(found):
            raise ConfigurationError(found)
        plan = _with_observed(plan, desired, snapshot, memory)
    except BaseException:
        connection.close()
        raise
    remote = QaseRemote(connection.client, session.project, snapshot)
    return Planned(plan, desired, snapshot, memory.state, connection, remote, loaded.diagnostics, memory)


def _with_observed(plan: Plan, desired: Desired, snapshot: Snapshot, memory: Memory) -> Plan:
    """The plan with what the files and Qase agree on, for the objects that it touches: a saved plan does not say it.

    Without it an adopted object would have no history, and the next edit in Qase would look like one of ours.
    """
    observed = build(desired, snapshot, memory.state).observed
    touched = {change.address for change in plan.unblocked}
    return replace(plan, observed={address: values for address, values in observed.items() if address in touched})


def _put_away(session: Session, planned: Planned) -> None:
    """Takes over what an interrupted run left; refuses to go on over creates that nobody can tell apart."""
    left = put_away(session, planned.memory, {str(address) for address in planned.desired.adopt})
    if left:
        raise SafetyRefusal(
            "unsettled",
            f"An interrupted run left {len(left)} creates unsettled: {', '.join(left[:5])}.",
            "\n".join(finding.summary for finding in planned.plan.findings if finding.code == "unsettled-create"),
            "Say which object is which, by `qase-iac adopt ADDRESS ID` or under `adopt:`, then run again.",
        )


def _carry_out(session: Session, planned: Planned, doing: Doing, held: Held) -> Report:
    plan, state = planned.plan, planned.state
    if not plan.changes and not state.exists:
        return Report()
    if not state.exists:
        state.lineage = str(
            uuid.UUID(int=int(session.world.random() * 2**64) << 64 | uuid.uuid4().int >> 64, version=4)
        )
        state.project, state.api = session.project, session.api
    state.tool = TOOL
    header = Header(
        lineage=state.lineage,
        serial=state.serial,
        plan=plan.digest,
        project=session.project,
        api=session.api,
        tool=TOOL,
        time=session.world.now(),
        seen=seen_of(planned.snapshot),
    )
    state.seen = header.seen
    state.workspace = workspace_of(planned.snapshot, planned.desired)
    backup = back_up(session, planned)
    written = planned.connection.stack.log.writes
    session.store.drop_journal()
    journal = Journal(session.store.journal_path, header)
    report = execute(
        plan,
        planned.desired,
        state,
        planned.remote,
        journal,
        session.store.write,
        bulk_size=session.settings.bulk_size,
        read_file=lambda path: _read_inside(session, path),
        now=session.world.now,
        on_event=doing.on_event,
        interrupted=doing.interrupted,
        sleep=session.world.sleep,
        lost=held.lost,
        announce=session.store.started if session.store.shared else None,
    )
    report = _ended(session, report, replace(header, serial=state.serial), journal)
    again = planned.connection.stack.log.writes - written - report.requests
    requests, retries = report.requests + again, report.retries + again
    return replace(report, requests=requests, retries=retries, backup=backup if report.takes_away else None)


def _ended(session: Session, report: Report, header: Header, journal: Journal) -> Report:
    """Where other machines look it up: the run is over. Unsaved, it is not, and the next run goes on from there."""
    if report.saved:
        try:
            session.store.ended(header, journal.open)
        except StateError as error:
            warning = f"{error.summary} The next run takes it over once more, which changes nothing."
            return replace(report, warnings=(*report.warnings, warning))
    return report


def _read_inside(session: Session, path: str) -> bytes:
    """The bytes of a file of the folder. Raises OSError for a path that leaves it: a plan file is outside input."""
    root = session.root.resolve()
    target = (root / path).resolve()
    if not target.is_relative_to(root):
        raise OSError(f"{path} is outside the project folder")
    return target.read_bytes()


def _verified(session: Session, options: Options, outcome: Outcome) -> Outcome:
    """The outcome with the plan that follows it."""
    if outcome.report is None or outcome.report.interrupted:
        return outcome
    again = make_plan(session, Options(deletes=options.deletes, select=options.select, exclude=options.exclude))
    again.connection.close()
    outcome.again = again.plan
    return outcome
