"""`apply` and `destroy`."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.cli.work import (
    holder,
    options_from,
    output_options,
    planning_options,
    session_for,
    show,
    warn,
)
from qase_iac.errors import QaseIacError, StalePlan

if TYPE_CHECKING:
    from pathlib import Path

    from qase_iac.apply.events import Event
    from qase_iac.apply.report import Report
    from qase_iac.cli.progress import Meter
    from qase_iac.plan.model import Plan
    from qase_iac.workflow.applying import Doing, Outcome
    from qase_iac.workflow.planning import Planned
    from qase_iac.workflow.session import Session


@click.command("apply", cls=Command)
@click.argument("planfile_path", metavar="[PLANFILE]", required=False)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option("--expect", metavar="DIGEST", help="Only the plan of this digest (sha256:…), as it was reviewed.")
@click.option("--verify", is_flag=True, help="Plan again afterwards and prove that nothing is left.")
@planning_options
@click.option("--full", is_flag=True, help="Show every attribute's old and new value.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there were changes and all went well.")
@output_options
@global_options
@pass_globals
def apply_command(
    settings: Globals,
    planfile_path: str | None,
    auto_approve: bool,
    expect: str | None,
    verify: bool,
    full: bool,
    detailed_exitcode: bool,
    fmt: str,
    report: str | None,
    **given: Any,
) -> int:
    """Carry out a plan: a saved one exactly and without asking, or a fresh one after asking.

    \b
    Examples:
      qase-iac apply
      qase-iac apply --auto-approve --allow-deletes 3
      qase-iac plan -o plan.json && qase-iac apply plan.json
      qase-iac apply --auto-approve --expect sha256:…    # in CI: exactly the plan that was reviewed
    """
    from qase_iac.workflow.applying import apply_fresh, apply_saved

    if planfile_path:
        _refuse_options({**given, "full": full, "detailed_exitcode": detailed_exitcode})
    elif not auto_approve and not sys.stdin.isatty():
        raise QaseIacError(
            "There is no terminal to ask on.", hint="Pass --auto-approve, or apply a plan that was saved and reviewed."
        )
    with _at_work(settings, given) as (session, doing, progress):
        if planfile_path:
            saved = _saved(session, settings.path(planfile_path))
            outcome = apply_saved(session, saved, doing(None), expect, verify)
        else:
            confirm = _asker(settings, session, progress, auto_approve, fmt, full)
            outcome = apply_fresh(session, options_from(given), doing(confirm), verify, expect)
    code = _finish(outcome, settings, fmt, report, full)
    return 2 if detailed_exitcode and not code and outcome.plan.changes else code


@click.command("destroy", cls=Command)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@click.option(
    "--allow-deletes", type=click.IntRange(min=0), required=True, metavar="N", help="Exactly so many are meant."
)
@output_options
@global_options
@pass_globals
def destroy_command(settings: Globals, auto_approve: bool, allow_deletes: int, fmt: str, report: str | None) -> int:
    """Delete all that is bound, in order: never the project, never what is protected or holds it.

    \b
    Example:
      qase-iac destroy --allow-deletes 51
    """
    from qase_iac.plan.model import Options
    from qase_iac.workflow.applying import apply_fresh

    if not auto_approve and not sys.stdin.isatty():
        raise QaseIacError("There is no terminal to ask on.", hint="Pass --auto-approve.")
    with _at_work(settings, {}) as (session, doing, progress):
        confirm = _asker(settings, session, progress, auto_approve, fmt, False)
        options = Options(destroy=True, allow_deletes=allow_deletes)
        outcome = apply_fresh(session, options, doing(confirm))
    return _finish(outcome, settings, fmt, report, False, destroy=True)


def _refuse_options(given: dict[str, Any]) -> None:
    named = sorted(name for name, value in given.items() if value is not None and value is not False and value != ())
    if named:
        flags = ", ".join("--" + name.replace("_", "-") for name in named)
        raise QaseIacError(
            f"{flags} cannot be given with a saved plan.", "It is carried out exactly as it was reviewed."
        )


def _saved(session: Session, path: Path) -> Plan:
    """The plan in a file. Where it is none, files that are invalid are said first."""
    from qase_iac.plan.planfile_reader import read
    from qase_iac.workflow.planning import load_online

    try:
        return read(path)
    except StalePlan:
        load_online(session)
        raise


@contextmanager
def _at_work(
    settings: Globals, given: dict[str, Any]
) -> Iterator[tuple[Session, Callable[[Callable[[Planned], bool] | None], Doing], Meter]]:
    """A session in which Ctrl-C finishes what is in flight, and events are shown and logged."""
    from qase_iac.apply.events import Finished, event_json
    from qase_iac.workflow.applying import Doing

    with ExitStack() as stack:
        policies = {"on_drift": given.get("on_drift"), "on_conflict": given.get("on_conflict")}
        session, progress = stack.enter_context(session_for(settings, **policies))
        stopping = stack.enter_context(_graceful())

        def on_event(event: Event) -> None:
            stopping.writing = not isinstance(event, Finished)
            _show(event, progress)
            if session.world.events:
                session.world.events(event_json(event, session.world.now()))

        def doing(confirm: Callable[[Planned], bool] | None) -> Doing:
            return Doing(holder(session), confirm or (lambda planned: True), on_event, lambda: stopping.asked)

        yield session, doing, progress


def _show(event: Event, progress: Meter) -> None:
    from qase_iac.apply.events import Looked, OperationFailed, OperationFinished, Waiting, Warned

    match event:
        case OperationFinished():
            progress.update("Applying", event.done, event.total)
        case OperationFailed():
            progress.stop()
            say(f"{event.address}: {event.reason}")
        case Waiting():
            progress.stop()
            say(f"Waiting up to {event.seconds:.0f} s: {event.reason}.")
        case Looked(found=True):
            progress.stop()
            more = f" and {len(event.addresses) - 1} more" if len(event.addresses) > 1 else ""
            say(f"{event.addresses[0]}{more}: Qase did not answer as it should, but shows that it was done.")
        case Warned():
            progress.stop()
            say(f"Warning: {event.summary} {event.detail}".rstrip())
        case _:
            pass


class _Stopping:
    """Ctrl-C and SIGTERM. Before anything is written they end the program at once; from then on the first one lets
    the call in flight end, and the second one does not."""

    def __init__(self) -> None:
        self.writing = False
        self.asked = False

    def __call__(self, number: int, frame: Any) -> None:
        if self.asked or not self.writing:
            raise KeyboardInterrupt
        self.asked = True
        say("\nStopping after the call in flight. Once more stops at once.")


@contextmanager
def _graceful() -> Iterator[_Stopping]:
    stopping = _Stopping()
    before = {number: signal.signal(number, stopping) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _asker(
    settings: Globals, session: Session, progress: Meter, auto: bool, fmt: str, full: bool
) -> Callable[[Planned], bool]:
    """Shows the plan and asks. With another format than text the plan goes to stderr: stdout is for the report."""

    def confirm(planned: Planned) -> bool:
        from qase_iac.render import render

        progress.stop()
        warn(planned.warnings)
        if fmt == "text":
            text = render(planned.plan, "text", full=full, color=settings.color(sys.stdout))
            answer(text + "\n" if planned.plan.changes else text)
        elif not auto:
            say(render(planned.plan, "text", full=full, color=settings.color(sys.stderr)))
        if auto or not any(planned.plan.unblocked):
            return True
        return click.prompt("Apply this? Only `yes` does it", default="no", err=True).strip() == "yes"

    return confirm


def _command(settings: Globals, report: Report, destroy: bool) -> str:
    """The command that goes on where a run ended: on the same project, and after `destroy` no `apply`."""
    given = {"--profile": settings.profile, "--api": settings.api}
    left = sum(1 for each in report.operations if not each.done and not each.planned_block)
    what = ["destroy", "--allow-deletes", str(left)] if destroy else ["apply"]
    return shlex.join(["qase-iac", *what, *(part for name, value in given.items() if value for part in (name, value))])


def _finish(
    outcome: Outcome, settings: Globals, fmt: str, report: str | None, full: bool, destroy: bool = False
) -> int:
    if outcome.report is None:
        say("Nothing was applied.")
        return 1
    done = replace(outcome.report, command=_command(settings, outcome.report, destroy))
    try:
        if done.operations or done.warnings or fmt != "text" or report:
            show(done, settings, fmt, report, full=full)
    except QaseIacError as error:  # the report cannot be written: that must not hide that the run went wrong
        if not done.exit_code:
            raise
        say(f"Error: {error.summary}")
    if outcome.again is None:
        return done.exit_code
    if not outcome.again.changes:
        say("Verified: a second plan is empty.")
        return done.exit_code
    from qase_iac.render import render

    say("Verified: a second plan is not empty. This is left, or somebody is at work:")
    say(render(outcome.again, "text", full=True, color=settings.color(sys.stderr)).rstrip("\n"))
    return done.exit_code or 6
