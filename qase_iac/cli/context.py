"""Options that every command takes, before or after its name, and where they end up."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from qase_iac.errors import QaseIacError

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass
class Globals:
    """What the global options say. `None` means that the option was not given."""

    chdir: str = "."
    profile: str | None = None
    api: str | None = None
    rate_limit: int | None = None
    no_color: bool = False
    verbose: bool = False
    lock_timeout: float = 0.0
    http_log: str | None = None
    events: str | None = None
    error: Exception | None = None
    """What ended the run, where something did."""

    @property
    def folder(self) -> Path:
        return Path(self.chdir).absolute()

    def path(self, given: str) -> Path:
        """A path of the command line, seen from where `-C` goes, as with git and terraform."""
        return Path(self.chdir) / given

    def color(self, stream: Any) -> bool:
        """Whether to colour what goes to `stream`: a terminal, and nobody said no."""
        if self.no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return bool(os.environ.get("FORCE_COLOR")) or bool(stream.isatty())


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Stores an option where it was given; one that was not given must not undo one before the command."""
    assert param.name is not None
    if ctx.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE:
        setattr(ctx.find_root().ensure_object(Globals), param.name, value)


_OPTIONS = (
    click.option("-C", "--chdir", metavar="DIR", help="Work in this project folder."),
    click.option("--profile", metavar="NAME", help="Overlay a profile of qase.yaml."),
    click.option("--api", metavar="URL", help="Base URL of the API, or `emulator`."),
    click.option(
        "--rate-limit", type=click.IntRange(min=0), metavar="N", help="Requests a minute; 0: none (loopback only)."
    ),
    click.option("--no-color", is_flag=True, help="No colours (as does NO_COLOR)."),
    click.option("-v", "--verbose", is_flag=True, help="Say more on stderr."),
    click.option(
        "--lock-timeout", type=click.FloatRange(min=0), metavar="S", help="Wait so long for the state's lock."
    ),
    click.option("--http-log", metavar="FILE", help="Log each request as a line of JSON; never token or bodies."),
    click.option("--events", metavar="FILE", help="Write what happens as lines of JSON."),
)


class Command(click.Command):
    """A command whose help sets its own options apart from those that every command takes."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)


class Group(click.Group):
    """The same for a group of commands; a name that it has not is answered with the nearest one."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-"):
            from difflib import get_close_matches

            close = get_close_matches(name, known, 1)
            ctx.fail(f"There is no command {name!r}." + (f" Did you mean {close[0]!r}?" if close else ""))
        return super().resolve_command(ctx, args)


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    names = {name for option in command.params if option.callback is _keep for name in option.opts}
    for option in command.get_params(ctx):
        if record := option.get_help_record(ctx):
            (shared if names.intersection(option.opts) else own).append(record)
    for title, records in (("Options", own), ("Global options", shared)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


def global_options(command: Decorated) -> Decorated:
    """Adds the global options to a command or group."""
    for option in reversed(_OPTIONS):
        command = _kept(option)(command)
    return command


def _kept(option: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    def decorate(command: Decorated) -> Decorated:
        decorated = option(command)
        param = (decorated.params if isinstance(decorated, click.Command) else decorated.__click_params__)[-1]  # type: ignore[attr-defined]
        param.callback, param.expose_value, param.is_eager = _keep, False, True
        return decorated

    return decorate


def pass_globals(command: Callable[..., int]) -> Callable[..., int]:
    """Hands the command the `Globals` of this run as its first argument."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> int:
        return command(click.get_current_context().find_root().ensure_object(Globals), *args, **kwargs)

    return call


def say(message: str) -> None:
    """One line for people, on stderr."""
    click.echo(message, err=True)


def answer(text: str) -> None:
    """The command's answer, on stdout, flushed before any exit code is set. Raises QaseIacError when it is full."""
    data = text if text.endswith("\n") or not text else text + "\n"
    try:
        sys.stdout.buffer.write(data.encode("utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # the reader has gone, and knows why
    except OSError as error:
        raise QaseIacError(f"The answer could not be written: {error.strerror or error}.") from None
