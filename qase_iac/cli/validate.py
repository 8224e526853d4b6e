"""`validate`."""

from __future__ import annotations

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.cli.work import output_options_and, session_for, show
from qase_iac.errors import ConfigurationError


@click.command("validate", cls=Command)
@click.option("--online", is_flag=True, help="Check options, custom fields, externals and members against Qase.")
@click.option("--remember", is_flag=True, help="Write the workspace's words to catalogue.yaml; commit it.")
@output_options_and("sarif", "github", "junit")
@global_options
@pass_globals
def validate_command(settings: Globals, online: bool, remember: bool, fmt: str, report: str | None) -> int:
    """Check every file, offline; all problems in one run, each with its place and what to write instead.

    \b
    Examples:
      qase-iac validate
      qase-iac validate --online --remember
    """
    from qase_iac.workflow.validating import validate

    try:
        with session_for(settings) as (session, _):
            result = validate(session, online, remember)
    except ConfigurationError as error:
        show(list(error.diagnostics), settings, fmt, report)
        return error.exit_code
    if result.diagnostics or fmt != "text" or report:
        show(result.diagnostics, settings, fmt, report)
    if result.remembered:
        say(f"Wrote {result.remembered}. Commit it, so that everybody's offline check knows these words.")
    if result.valid and fmt == "text":
        answer(f"Valid: {result.objects:,} objects in {result.files:,} files.")
    return 0 if result.valid else 3
