"""`plan` and `show`."""

from __future__ import annotations

from typing import Any

import click

from qase_iac.cli.context import Command, Globals, global_options, pass_globals, say
from qase_iac.cli.work import check_folder, options_from, output_options, planning_options, session_for, show, warn


@click.command("plan", cls=Command)
@click.option(
    "-o", "--out", metavar="FILE", callback=check_folder, help="Save the plan; `apply FILE` carries out exactly this."
)
@planning_options
@click.option(
    "--state",
    metavar="FILE",
    help="Plan from this state (`state pull` prints it) against an emulator or a server on this machine.",
)
@click.option("--full", is_flag=True, help="Show every attribute's old and new value.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when there are changes.")
@output_options
@global_options
@pass_globals
def plan_command(
    settings: Globals,
    out: str | None,
    state: str | None,
    full: bool,
    detailed_exitcode: bool,
    fmt: str,
    report: str | None,
    **given: Any,
) -> int:
    """Show what apply would do. Writes nothing, neither to Qase nor to the state.

    \b
    Examples:
      qase-iac plan
      qase-iac plan --full --select 'checkout/**'
      qase-iac plan -o plan.json --report plan.md
      qase-iac --api emulator::memory: plan --state state.json
    """
    from qase_iac.plan import planfile
    from qase_iac.workflow.planning import make_plan

    policies = {"on_drift": given["on_drift"], "on_conflict": given["on_conflict"]}
    with session_for(settings, state=state, **policies) as (session, progress):
        planned = make_plan(session, options_from(given))
        planned.connection.close()
        progress.stop()
        warn(planned.warnings)
        show(planned.plan, settings, fmt, report, full=full)
        if out:
            planfile.write(planned.plan, settings.path(out))
            say(f"Saved the plan to {out}. `qase-iac apply {out}` carries out exactly this.")
    return 2 if detailed_exitcode and planned.plan.changes else 0


@click.command("show", cls=Command)
@click.argument("planfile_path", metavar="PLANFILE")
@click.option("--full", is_flag=True, help="Show every attribute's old and new value.")
@output_options
@global_options
@pass_globals
def show_command(settings: Globals, planfile_path: str, full: bool, fmt: str, report: str | None) -> int:
    """Show a saved plan again, in any format.

    \b
    Example:
      qase-iac show plan.json --format markdown
    """
    from qase_iac.plan.planfile_reader import read

    show(read(settings.path(planfile_path)), settings, fmt, report, full=full)
    return 0
