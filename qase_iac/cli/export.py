"""`export` and `convert`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.cli.work import ask_from, world_for
from qase_iac.errors import QaseIacError
from qase_iac.values import printable

if TYPE_CHECKING:
    from qase_iac.config.writer import Layout

_LAYOUT = click.option(
    "--layout",
    type=click.Choice(["suite", "case"]),
    default="suite",
    show_default=True,
    help="A file of cases for each suite, or a file for each case.",
)


@click.command("export", cls=Command)
@click.argument("directory", metavar="DIR")
@click.option("--project", metavar="CODE", help="Project to export; default: that of the folder at hand.")
@_LAYOUT
@global_options
@pass_globals
def export_command(settings: Globals, directory: str, project: str | None, layout: str) -> int:
    """Write a live project as a project folder with its state. A plan from it is empty.

    DIR has to be new or empty. Attachments are downloaded.

    \b
    Examples:
      qase-iac export shop --project SHOP
      qase-iac -C shop export ../copy --layout case
    """
    from qase_iac.render import render
    from qase_iac.workflow.exporting import export, source_session

    with world_for(settings) as (world, progress):
        session = source_session(ask_from(settings), world, project)
        target = settings.folder / directory
        result = export(session, target, cast("Layout", layout))
        progress.stop()
    for note in result.notes:
        say(f"Note: {printable(note)}")
    if result.plan.changes:
        say(render(result.plan, "text", full=True, color=settings.color(sys.stderr)).rstrip("\n"))
        raise QaseIacError(
            f"The folder {directory} was written, but a plan from it is not empty (see above).",
            "Something in Qase cannot be said in the files yet.",
        )
    answer(
        f"Wrote {result.objects:,} objects to {len(result.paths):,} files in {directory}, with their state.\n"
        f"A plan from there is empty. Next: cd {directory} && git init"
    )
    return 0


@click.command("convert", cls=Command)
@click.argument("form", metavar="FORMAT", type=click.Choice(["qase-json"]))
@click.argument("file", metavar="FILE")
@click.argument("directory", metavar="DIR")
@click.option("--project", metavar="CODE", help="Project code; default: the letters of DIR.")
@_LAYOUT
@global_options
@pass_globals
def convert_command(settings: Globals, form: str, file: str, directory: str, project: str | None, layout: str) -> int:
    """Turn files of other systems into a project folder, with a seed that lets the emulator run it.

    FORMAT is qase-json: Qase's own JSON export.

    \b
    Example:
      qase-iac convert qase-json export.json shop --project SHOP
    """
    from qase_iac.convert import FORMATS

    result = FORMATS[form](settings.path(file), settings.folder / directory, project, cast("Layout", layout))
    for note in result.notes:
        say(f"Note: {printable(note)}")
    answer(
        f"Wrote {result.objects:,} objects to {len(result.paths):,} files in {directory}.\n"
        f"Next: cd {directory} && qase-iac validate"
    )
    return 0
