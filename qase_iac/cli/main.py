"""`qase-iac`: the group of commands, each imported only when it runs, and the one handler of errors."""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

from qase_iac import __version__
from qase_iac.cli.context import Globals, Group, answer, global_options, say
from qase_iac.errors import ConfigurationError, QaseIacError

if TYPE_CHECKING:
    from qase_iac.diagnostics import Diagnostic

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("create", "Scaffold a small project folder that works at once."),
    "validate": ("validate", "Check every file, offline; all problems in one run."),
    "plan": ("plan", "Show what apply would do. Writes nothing."),
    "apply": ("apply", "Carry out a plan: a saved one exactly, or a fresh one after asking."),
    "destroy": ("apply", "Delete all that is bound, in order; never the project."),
    "drift": ("drift", "Show what changed in Qase since the last apply."),
    "pull": ("pull", "Write what changed in Qase into the files, in place."),
    "show": ("plan", "Show a saved plan again, in any format."),
    "export": ("export", "Write a live project as a project folder with its state."),
    "convert": ("export", "Turn files of other systems into a project folder."),
    "adopt": ("adopt", "Bind objects that are in Qase already; suggest which."),
    "state": ("state", "Look at the state and mend it."),
    "fmt": ("fmt", "Rewrite the files in the one canonical layout; comments and meaning stay."),
    "projects": ("projects", "List the project folders below; no two may own the same suites."),
    "comment": ("comment", "Keep one comment in the pull or merge request up to date."),
    "schema": ("reference", "Print or write the JSON Schemas of the file format."),
    "explain": ("reference", "Say what an attribute takes."),
    "emulator": ("emulate", "Serve the built-in emulator of the Qase API."),
}
"""Command -> (module below qase_iac.cli, one line of help). The help stands here so that `--help` imports nothing."""


class LazyGroup(Group):
    """Knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"qase_iac.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 2 changes (--detailed-exitcode), 3 invalid, 4 refused for safety, 5 stale plan, "
    "6 done in part, 7 locked, 8 no access, 9 Qase unreadable, 130 interrupted, 1 anything else.",
)
@click.version_option(__version__, prog_name="qase-iac", message="%(prog)s %(version)s")
@global_options
def main() -> None:
    """Test repository as code for Qase: YAML in git, planned and applied like infrastructure.

    \b
    Start here:
      qase-iac init shop && cd shop
      qase-iac plan
      qase-iac apply
    """


def run() -> NoReturn:
    """Entry point of the program. Never a traceback for anything that a user or a server can do."""
    # What a run makes lives until its end, and none of it in cycles: looking for some costs a third of a plan's time.
    gc.disable()
    _leave(_run(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """Ends the process at once: the system frees in no time what takes a twentieth of a plan's object by object."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            code = 1  # the reader has gone: nobody to tell
        except OSError:
            code = code or 1  # said when the answer was written
    os._exit(code)


def _run(arguments: list[str]) -> int:
    settings = Globals()
    code = 1
    try:
        code = _carried_out(arguments, settings)
    finally:
        if settings.events:
            from qase_iac.cli.ending import log_end

            log_end(settings, code)
    return code


def _carried_out(arguments: list[str], settings: Globals) -> int:
    try:
        code = main.main(arguments, prog_name="qase-iac", standalone_mode=False, obj=settings)
        return int(code or 0)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        answer(error.ctx.get_help() if error.ctx else "")
        return 1
    except click.ClickException as error:
        return _wrong_usage(error)
    except (click.Abort, KeyboardInterrupt):
        say("\nInterrupted.")
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nobody to tell
        return 1
    except QaseIacError as error:
        settings.error = error
        report(error, settings)
        return error.exit_code
    except Exception as error:  # a bug of ours: say so shortly, and fully on request
        settings.error = error
        return _bug(error, settings)


def _wrong_usage(error: click.ClickException) -> int:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "qase-iac"
    say(f"Error: {error.format_message()}\n`{command} --help` shows the options.")
    return 1


def _bug(error: Exception, settings: Globals) -> int:
    if settings.verbose or os.environ.get("QASE_IAC_DEBUG"):
        raise error
    from qase_iac.values import printable

    say(
        f"Error: qase-iac failed in a way that it should not: {type(error).__name__}: {printable(str(error))}\n"
        "Nothing more was done. Run again with -v for the details to report."
    )
    return 1


def report(error: QaseIacError, settings: Globals) -> None:
    """Prints one error for people: what, why, what to do; diagnostics in full."""
    from qase_iac.values import printable

    diagnostics: tuple[Diagnostic, ...] = getattr(error, "diagnostics", ())
    if diagnostics:
        from qase_iac.render import render

        say(render(list(diagnostics), "text", color=settings.color(sys.stderr)).rstrip("\n"))
        if isinstance(error, ConfigurationError):
            return
    lines = [f"Error: {error.summary}"]
    lines += [line for text in (error.detail, error.hint) if text for line in text.splitlines()]
    lines += [f"  {field}: {message}" for field, message in getattr(error, "field_errors", ())]
    if request_id := getattr(error, "request_id", None):
        lines.append(f"  request id {request_id}")
    say("\n".join(printable(line) for line in lines))
