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

    @property
    def folder(self) -> Path:
        return Path(self.chdir).absolute()

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


def global_options(command: Decorated) -> Decorated:
    """Adds the global options to a command or group."""
    for option in reversed(_OPTIONS):
        command = _kept(option)(command)
    return command


def _kept(option: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    def decorate(command: Decorated) -> Decorated:
        decorated = option(command)
        param = (decorated.params if isinstance(decorated, click.Command) else decorated.__click_params__)[-1]  # type: ignore[attr-defined]
        param.callback, param.expose_value = _keep, False
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
    """The command's answer, on stdout, flushed before any exit code is set."""
    data = text if text.endswith("\n") or not text else text + "\n"
    sys.stdout.buffer.write(data.encode("utf-8", "backslashreplace"))
    sys.stdout.flush()
