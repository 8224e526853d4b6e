"""`projects`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.values import printable

if TYPE_CHECKING:
    from qase_iac.workflow.owners import Owner


@click.command("projects", cls=Command)
@click.option("--format", "fmt", type=click.Choice(["text", "json"]), default="text", show_default=True)
@global_options
@pass_globals
def projects_command(settings: Globals, fmt: str) -> int:
    """List the project folders below this one, and see that no two own the same suites.

    \b
    Examples:
      qase-iac projects
      qase-iac projects --format json    # a matrix for CI: one job for each `path`
    """
    from qase_iac.workflow.owners import overlaps, owners

    found = owners(settings.path("."), os.environ, settings.profile)
    if fmt == "json":
        answer(json.dumps([asdict(owner) for owner in found], indent=2, ensure_ascii=False))
    elif found:
        width = max(len(owner.path) for owner in found)
        answer("\n".join(f"{printable(o.path):<{width}}  {_said(o)}" for o in found))
    else:
        say("There is no qase.yaml here or below. `qase-iac init` makes a project folder.")
    problems = [overlap.told("qase.yaml") for overlap in overlaps(found)]
    for problem in problems:
        say(f"error[{problem.code}]  {problem.summary}\n  {problem.detail}")
    return 3 if problems else 0


def _said(owner: Owner) -> str:
    if not owner.valid:
        return f"{owner.project or '?'}  invalid: qase-iac -C {owner.path} validate"
    return f"{owner.project}  {', '.join(owner.scope) if owner.scope else 'whole project'}"
