"""`drift`."""

from __future__ import annotations

import click

from qase_iac.cli.context import Command, Globals, global_options, pass_globals
from qase_iac.cli.work import output_options_and, session_for, show, warn


@click.command("drift", cls=Command)
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 when something changed.")
@click.option("--full", is_flag=True, help="Show every attribute's old and new value.")
@output_options_and("junit")
@global_options
@pass_globals
def drift_command(settings: Globals, detailed_exitcode: bool, full: bool, fmt: str, report: str | None) -> int:
    """Show what changed in Qase since the last apply, by attribute, and nothing else.

    What was edited in the files meanwhile does not count, nor do attributes under `ignore_changes`. Writes nothing.

    \b
    Examples:
      qase-iac drift
      qase-iac drift --full
      qase-iac drift --detailed-exitcode --report drift.md
    """
    from qase_iac.render import DriftView
    from qase_iac.workflow.drifting import look

    with session_for(settings) as (session, progress):
        found = look(session)
        progress.stop()
        warn(found.warnings)
        show(DriftView(found.plan), settings, fmt, report, full=full)
    return 2 if detailed_exitcode and found.plan.drift else 0
