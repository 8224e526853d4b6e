"""From global options to a session, and from a value to an answer: what the commands share."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar, cast

import click

from qase_iac.cli.context import Globals, answer, say
from qase_iac.errors import ConfigurationError, QaseIacError
from qase_iac.values import printable

if TYPE_CHECKING:
    from qase_iac.cli.progress import Meter
    from qase_iac.diagnostics import Diagnostic
    from qase_iac.plan.model import Options
    from qase_iac.state.lock import Holder
    from qase_iac.workflow.session import Ask, Session, World

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

FORMATS = ("text", "json", "markdown", "html")
SHOWN_WARNINGS = 3


@contextmanager
def world_for(settings: Globals) -> Iterator[tuple[World, Meter]]:
    """The world outside as the options describe it, with progress on stderr."""
    from platformdirs import user_cache_path

    from qase_iac.cli.progress import meter
    from qase_iac.workflow.session import World

    with ExitStack() as stack:
        shown = stack.enter_context(meter(settings))
        world = World(progress=shown.reading, cache_dir=user_cache_path("qase-iac"))
        world.waits = _told_waiting(world, shown)
        world.tell = _told(shown)
        if settings.http_log:
            world.http_log = stack.enter_context(open_for_lines(settings.path(settings.http_log)))
        if settings.events:
            _log_events(world, shown, stack.enter_context(open_for_lines(settings.path(settings.events))))
        yield world, shown


def _told(shown: Meter) -> Callable[[str], None]:
    def tell(text: str) -> None:
        shown.stop()
        say(text)

    return tell


def _told_waiting(world: World, shown: Meter) -> Callable[[float, str], None]:
    def waits(seconds: float, why: str) -> None:
        shown.stop()
        say(f"Waiting {seconds:.0f} s: {why}.")
        if world.events:
            world.events({"event": "waiting", "time": world.now(), "seconds": seconds, "reason": why})

    return waits


def _log_events(world: World, shown: Meter, file: TextIO) -> None:
    def write(event: dict[str, Any]) -> None:
        file.write(json.dumps(event) + "\n")

    def progress(what: str, done: int, total: int) -> None:
        shown.reading(what, done, total)
        write({"event": "reading", "time": world.now(), "what": what, "done": done, "total": total})

    world.events, world.progress = write, progress


def ask_from(
    settings: Globals, on_drift: str | None = None, on_conflict: str | None = None, state: str | None = None
) -> Ask:
    """What the global options say about the folder and the API."""
    from qase_iac.workflow.session import Ask

    return Ask(
        folder=settings.folder,
        profile=settings.profile,
        api=settings.api,
        rate_limit=settings.rate_limit,
        lock_timeout=settings.lock_timeout,
        on_drift=on_drift,
        on_conflict=on_conflict,
        state=settings.path(state) if state else None,
    )


@contextmanager
def session_for(settings: Globals, **policies: str | None) -> Iterator[tuple[Session, Meter]]:
    """A session over the project folder that the options name, with progress on stderr."""
    from qase_iac.workflow.session import Session

    with world_for(settings) as (world, shown):
        session = Session(ask_from(settings, **policies), world)
        if settings.verbose:
            say(f"Project {session.project} at {session.api}, state {session.store.place}")
        yield session, shown


def open_for_lines(path: Path) -> TextIO:
    """A log file, to append lines to, each written out at once."""
    try:
        return open(path, "a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise QaseIacError(f"The log {path} cannot be written: {error.strerror}.") from None


def output_options(command: Decorated) -> Decorated:
    """`--format` and `--report`, the same for every command that answers with a value."""
    return output_options_and()(command)


def output_options_and(*more: str) -> Callable[[Decorated], Decorated]:
    """The same for a command that has more formats than all have."""
    known = (*FORMATS, *more)
    form = click.option("--format", "fmt", type=click.Choice(known), default="text", help="What to print.")
    check = partial(_check_report, known)
    report = click.option(
        "--report", metavar="FILE", callback=check, help="Write it to FILE as well; the ending says how."
    )
    return lambda command: report(form(_answering(command)))


def _answering(command: Decorated) -> Decorated:
    """What is wrong with the files is an answer, too: as `validate` gives it, in the format asked for and the report.

    As text it is a message, on stderr, which the caller prints in any case.
    """

    @wraps(command)
    def call(*args: Any, **given: Any) -> Any:
        try:
            return command(*args, **given)
        except ConfigurationError as error:
            settings = click.get_current_context().find_root().ensure_object(Globals)
            try:
                _answer_invalid(list(error.diagnostics), settings, given["fmt"], given["report"])
            except QaseIacError as unwritable:
                say(f"Error: {unwritable.summary}")
            raise

    return cast("Decorated", call)


def _answer_invalid(diagnostics: list[Diagnostic], settings: Globals, fmt: str, report: str | None) -> None:
    if fmt != "text":
        answer(_rendered(diagnostics, settings, fmt))
    if report:
        write_report(diagnostics, settings, report)


def check_folder(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuses a file to write whose folder is not there, before any work is done."""
    if value and not (folder := ctx.find_root().ensure_object(Globals).path(value).parent).is_dir():
        raise QaseIacError(f"{printable(value)} cannot be written: there is no folder {printable(str(folder))}.")
    return value


def _check_report(known: tuple[str, ...], ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuses a file whose ending asks for a format that the command has not."""
    if value:
        from qase_iac.render import ENDINGS, format_for

        if (form := format_for(value)) not in known:
            endings = ", ".join(ending for ending, each in ENDINGS.items() if each in known)
            raise QaseIacError(f"`{ctx.info_name}` writes no {form} report.", hint=f"Use one of {endings}.")
    return check_folder(ctx, param, value)


def show(value: Any, settings: Globals, fmt: str = "text", report: str | None = None, **how: Any) -> None:
    """Prints a value on stdout and, if asked, writes it to a file in the format of its ending."""
    answer(_rendered(value, settings, fmt, color=fmt == "text" and settings.color(sys.stdout), **how))
    if report:
        write_report(value, settings, report, **how)


def _rendered(value: Any, settings: Globals, fmt: str, **how: Any) -> str:
    from qase_iac.cli.places import seen_from_repository
    from qase_iac.render import render

    return render(seen_from_repository(value, fmt, settings.folder), fmt, **how)


def write_report(value: Any, settings: Globals, report: str, **how: Any) -> None:
    """Writes a value to a file in the format of its ending. Raises QaseIacError when that cannot be done."""
    from qase_iac.render import format_for

    text = _rendered(value, settings, format_for(report), **how)
    try:
        settings.path(report).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise QaseIacError(f"The report {report} cannot be written: {error.strerror}.") from None


_PLANNING = (
    click.option(
        "--select", multiple=True, metavar="PATTERN", help="Only these addresses or suite globs, and what they need."
    ),
    click.option("--exclude", multiple=True, metavar="PATTERN", help="Not these, nor what needs them."),
    click.option("--changed-since", metavar="REV", help="Only what this branch changed since it left REV (git)."),
    click.option("--no-deletes", is_flag=True, help="List deletes, but do not plan them."),
    click.option("--allow-deletes", type=click.IntRange(min=0), metavar="N", help="Exactly so many deletes are meant."),
    click.option("--allow-recreate", multiple=True, metavar="ADDRESS", help="It is no rename: delete and create it."),
    click.option("--on-drift", type=click.Choice(["revert", "keep", "fail"]), help="When only Qase changed."),
    click.option(
        "--on-conflict", type=click.Choice(["fail", "ours", "theirs"]), help="When both changed, differently."
    ),
    click.option("--new-state", is_flag=True, help="Start a state for a project that is not empty."),
)


def planning_options(command: Decorated) -> Decorated:
    """The options that shape a plan, of `plan` and of `apply` without a plan file."""
    for option in reversed(_PLANNING):
        command = option(command)
    return command


def options_from(given: dict[str, Any]) -> Options:
    """The planner's options out of the command's parameters."""
    from qase_iac.plan.model import Options

    return Options(
        select=tuple(given.get("select") or ()),
        exclude=tuple(given.get("exclude") or ()),
        deletes=not given.get("no_deletes"),
        allow_deletes=given.get("allow_deletes"),
        allow_recreate=frozenset(given.get("allow_recreate") or ()),
        on_drift=given.get("on_drift"),
        on_conflict=given.get("on_conflict"),
        new_state=bool(given.get("new_state")),
        changed_since=given.get("changed_since"),
    )


def warn(diagnostics: list[Any]) -> None:
    """Warnings about the files, on stderr, short: `validate` shows them in full."""
    for diagnostic in diagnostics[:SHOWN_WARNINGS]:
        say(f"Warning: {printable(str(diagnostic.source))}: {diagnostic.summary}")
    if len(diagnostics) > SHOWN_WARNINGS:
        say(f"Warning: and {len(diagnostics) - SHOWN_WARNINGS} more; `qase-iac validate` shows all.")


def holder(session: Session) -> Holder:
    """Who is at work, for the lock of the state."""
    import getpass
    import os
    import shlex
    import socket
    import textwrap

    from qase_iac.state.lock import Holder
    from qase_iac.workflow.storing import run_url

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    command = textwrap.shorten(shlex.join(["qase-iac", *sys.argv[1:]]), 80, placeholder=" …")
    url = run_url(session.world.environment)
    return Holder(user, socket.gethostname(), os.getpid(), session.world.now(), command, url)
