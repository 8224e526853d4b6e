"""Progress on stderr: a live line on a terminal, a line now and then elsewhere, nothing for short work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qase_iac.cli.context import Globals, say

QUIET_SECONDS = 2.0
EVERY_SECONDS = 10.0


class Meter:
    """Counts work and shows how far it is, how fast, and how long it will take."""

    def __init__(self, settings: Globals) -> None:
        self._live = sys.stderr.isatty() and not settings.no_color
        self._start = time.monotonic()
        self._shown = self._start
        self._bar: Any = None
        self._task: Any = None
        self._what = ""

    def reading(self, what: str, done: int, total: int) -> None:
        """One more page has come in; `what` is the path or kind that is being read."""
        self.update(f"Reading {what.strip('/').split('/')[0].replace('_', ' ')}s", done, total)

    def update(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if self._live:
            if now - self._start > 0.3 or self._bar:
                self._show(what, done, total)
        elif now - self._start > QUIET_SECONDS and now - self._shown > EVERY_SECONDS:
            self._shown = now
            say(f"{what}: {done:,} of {total:,}")

    def _show(self, what: str, done: int, total: int) -> None:
        if self._bar is None:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
        if what != self._what:
            self._what = what
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(what, total=total)
        self._bar.update(self._task, completed=done, total=total)

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None
            self._what = ""


@contextmanager
def meter(settings: Globals) -> Iterator[Meter]:
    """A meter that is taken off the screen when the work ends, however it ends."""
    shown = Meter(settings)
    try:
        yield shown
    finally:
        shown.stop()
