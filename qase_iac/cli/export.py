"""`export` and `convert`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.cli.work import ask_from, holder, warn, world_for
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
@click.option("--update", is_flag=True, help="DIR is a project folder: bring it up to what Qase holds, in place.")
@global_options
@pass_globals
def export_command(settings: Globals, directory: str, project: str | None, layout: str, update: bool) -> int:
    """Write a live project as a project folder with its state. A plan from it is empty.

    DIR has to be new or empty. Attachments are downloaded. At the end a plan is made from what was written; should it
    not be empty, it is shown, and the exit code is 1: the files stay, but do not trust them.

    With --update, DIR is a folder that an export or an apply made. What changed in Qase is written into its files in
    place, comments, keys and layout kept; what is new in scope is added, what vanished is taken out. Edits of the files
    that were not applied yet stay. Where Qase was edited as well, `policy.on_conflict` decides; `fail` leaves the files
    as they are, with exit code 4.

    \b
    Examples:
      qase-iac export shop --project SHOP
      qase-iac -C shop export ../copy --layout case
      qase-iac export shop --update
    """
    if update:
        return _update(settings, directory, project)
    return _export(settings, directory, project, cast("Layout", layout))


def _export(settings: Globals, directory: str, project: str | None, layout: Layout) -> int:
    from qase_iac.render import render
    from qase_iac.workflow.exporting import export, source_session

    with world_for(settings) as (world, progress):
        session = source_session(ask_from(settings), world, project)
        result = export(session, settings.folder / directory, layout)
        progress.stop()
    _say_notes(result.notes)
    if not result.proven:
        if result.problems:
            say(render(list(result.problems), "text", color=settings.color(sys.stderr)).rstrip("\n"))
        elif result.plan:
            say(render(result.plan, "text", full=True, color=settings.color(sys.stderr)).rstrip("\n"))
        raise QaseIacError(
            f"The folder {printable(directory)} was written, but a plan from it is not empty (see above).",
            "Something in Qase could not be said in the files as it is.",
            "The files stay, to be looked at. Do not apply them before that plan is empty.",
        )
    answer(
        f"Wrote {result.objects:,} objects to {len(result.paths):,} files in {printable(directory)}, with their "
        "state.\n"
        f"A plan from there is empty. Next: cd {printable(directory)} && git init"
    )
    return 0


def _update(settings: Globals, directory: str, project: str | None) -> int:
    from qase_iac.render.pulled import pulled_text
    from qase_iac.workflow.pulling import UPDATE, pull
    from qase_iac.workflow.session import Session

    source = click.get_current_context().get_parameter_source("layout")
    if source is click.core.ParameterSource.COMMANDLINE:
        raise QaseIacError("--layout is for new folders.", "An update keeps the layout that the folder has.")
    with world_for(settings) as (world, progress):
        session = Session(replace(ask_from(settings), folder=settings.folder / directory), world)
        if project and project.casefold() != session.project.casefold():
            raise QaseIacError(f"{printable(directory)} is of project {session.project}, not of {printable(project)}.")
        pulled = pull(session, UPDATE, holder(session))
        progress.stop()
    warn(pulled.warnings)
    if pulled.edits:
        say("\n".join(["Edited here, and not applied yet:", *(f"  {printable(edit)}" for edit in pulled.edits)]))
    answer(pulled_text(pulled))
    if any(each.code == "conflict" for each in pulled.left):
        say("`--on-conflict` is an option of `pull` and of `apply`.")
    return pulled.exit_code


def _say_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        say(f"Note: {printable(note)}")


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

    FORMAT is qase-json: Qase's own JSON export. The folder is meant for the real Qase; `--api emulator` tries it first.

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
        f"Next: cd {directory} && qase-iac validate && qase-iac --api emulator plan"
    )
    return 0
