"""`fmt`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.errors import ConfigurationError, SafetyRefusal
from qase_iac.values import printable

if TYPE_CHECKING:
    from qase_iac.workflow.formatting import Formatted


@click.command("fmt", cls=Command)
@click.argument("paths", metavar="[PATH]…", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; list what would change, and exit 1 if anything would.")
@click.option("--diff", is_flag=True, help="Write nothing; print the patch, for `git apply`.")
@global_options
@pass_globals
def fmt_command(settings: Globals, paths: tuple[str, ...], check: bool, diff: bool) -> int:
    """Rewrite the files in the one canonical layout, and list those that changed. Comments and meaning stay.

    PATH is a file or a folder; without it, all files of the project folder: qase.yaml and the content files. Others are
    left alone, named or not. Before a file is written, it is proven to say the same, comments included; one for which
    that does not work is left as it is (exit 4), as is one that is no YAML (exit 3).

    \b
    Examples:
      qase-iac fmt
      qase-iac fmt --check --diff
      qase-iac fmt checkout/cases.yaml
    """
    from qase_iac.workflow.formatting import format_files

    done = format_files(settings.folder, paths, os.environ, dry=check or diff)
    if diff:
        _print_patch(done)
    elif done.changed:
        answer("\n".join(printable(each.path) for each in done.changed))
    _tell(done, settings, check or diff)
    if done.invalid:
        return ConfigurationError.exit_code
    if done.refused:
        return SafetyRefusal.exit_code
    return 1 if check and done.changed else 0


def _print_patch(done: Formatted) -> None:
    """Byte for byte into a pipe; for eyes, what a terminal would obey is shown escaped."""
    from qase_iac.config.edit import patch

    text = patch(done.changed)
    answer(printable(text, keep="\n\t") if sys.stdout.isatty() else text)


def _tell(done: Formatted, settings: Globals, dry: bool) -> None:
    from qase_iac.render import render
    from qase_iac.render.words import count

    if problems := [*done.invalid, *done.refused]:
        say(render(problems, "text", color=settings.color(sys.stderr)).rstrip("\n"))
    for path in done.passed:
        say(f"Left alone: {printable(path)} is no content file of a project folder, and no qase.yaml.")
    changed, left = len(done.changed), done.seen - len(done.changed) - len({each.source.file for each in problems})
    verb = "would be laid out anew" if dry else "laid out anew"
    parts = [f"{count(changed, 'file')} {verb}"] if changed else []
    parts += [f"{count(left, 'file')} {'is' if left == 1 else 'are'} canonical already"] if left > 0 else []
    if parts:
        say(", ".join(parts) + ".")
