"""Carries out a plan, fresh or saved: call by call, in its order, each written down before and after."""

from __future__ import annotations

from collections.abc import Callable

from qase_iac.apply.deletes import Deletes
from qase_iac.apply.events import OnEvent
from qase_iac.apply.intended import intended
from qase_iac.apply.local import begin, declare, observe, record_only
from qase_iac.apply.protocol import Remote
from qase_iac.apply.readback import read_back
from qase_iac.apply.report import Problem, Report
from qase_iac.apply.run import Run
from qase_iac.apply.sending import create, update
from qase_iac.errors import QaseIacError
from qase_iac.model import Desired
from qase_iac.plan.batches import batches
from qase_iac.plan.model import Action, Change, Plan
from qase_iac.state.journal import Contents, Journal
from qase_iac.state.model import State


def execute(
    plan: Plan,
    desired: Desired,
    state: State,
    remote: Remote,
    journal: Journal,
    save_state: Callable[[State], None],
    *,
    bulk_size: int,
    read_file: Callable[[str], bytes],
    now: Callable[[], str],
    on_event: OnEvent,
    interrupted: Callable[[], bool],
    sleep: Callable[[float], None],
    lost: Callable[[], QaseIacError | None] = lambda: None,
    announce: Callable[[Contents], None] | None = None,
) -> Report:
    """Does what the plan says and reports on each of its changes; failures are in the report, not raised.

    `state` is changed in place and saved under the next serial; it has a lineage, and the journal is of it. `desired`
    is resolved, the one that the plan was made from. `read_file` gives the bytes of a path as the plan names it, or
    raises OSError. `now` gives the time as ISO text. `interrupted` is asked before every call. `sleep` lets
    seconds pass. `lost` says before every call why this run may no longer write. `announce` is told, before the first
    call, what the whole run is going to do, so that the state need be saved but rarely; what it raises ends the run.
    """
    if (journal.header.lineage, journal.header.serial) != (state.lineage, state.serial) or not state.exists:
        raise ValueError("the journal is not of this state")
    run = Run(
        plan,
        desired,
        state,
        remote,
        journal,
        save_state,
        read_file,
        now,
        on_event,
        interrupted,
        sleep,
        lost,
        announce is not None,
    )
    try:
        run.start()
        begin(run)
        if announce and (whole := intended(run)):
            announce(whole)
        _walk(run, bulk_size)
        read_back(run)
        declare(run)
        return run.finish()
    except BaseException:
        journal.close()  # it holds everything; the next run takes it over
        raise


def _walk(run: Run, bulk_size: int) -> None:
    for change in run.plan.changes:
        if change.blocked:
            run.block_as_planned(change, change.blocked)
    deletes = Deletes(run)
    for batch in batches(run.plan.changes, bulk_size):
        first = batch[0]
        if first.id is None and first.action is not Action.CREATE:
            run.fail(first, Problem("unbound_reference", f"The plan has no id for {first.address}."))
        elif not first.writes:
            record_only(run, first)
        elif first.action is Action.CREATE:
            create(run, batch)
        elif first.action is Action.DELETE:
            deletes.delete(first)
        elif first.sent:
            _update(run, first)
        else:
            record_only(run, first)


def _update(run: Run, change: Change) -> None:
    update(run, change)
    if run.operations[change.address].done and change.address in run.plan.observed:
        observe(run, change.address)
