"""Progress: nothing for short work, a line now and then into a log, a live line on a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

from qase_iac.cli import progress
from qase_iac.cli.context import Globals
from qase_iac.cli.progress import Meter, meter


class Terminal(io.StringIO):
    def __init__(self, live: bool) -> None:
        super().__init__()
        self.live = live

    def isatty(self) -> bool:
        return self.live


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    now = {"is": 100.0}
    monkeypatch.setattr(progress.time, "monotonic", lambda: now["is"])
    return now


def shown(monkeypatch: pytest.MonkeyPatch, live: bool) -> Terminal:
    stream = Terminal(live)
    monkeypatch.setattr("sys.stderr", stream)
    return stream


def test_short_work_shows_nothing(monkeypatch: pytest.MonkeyPatch, clock: dict[str, float]) -> None:
    stream = shown(monkeypatch, live=False)
    made = Meter(Globals())
    for done in range(100):
        clock["is"] += 0.01
        made.update("Applying", done, 100)
    assert stream.getvalue() == ""


def test_long_work_says_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, clock: dict[str, float]) -> None:
    stream = shown(monkeypatch, live=False)
    made = Meter(Globals())
    for done in range(60):
        clock["is"] += 1
        made.update("Applying", done * 100, 6000)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Applying: 1,000 of 6,000")


def test_a_terminal_gets_a_live_line_that_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, clock: dict[str, float]
) -> None:
    stream = shown(monkeypatch, live=True)
    monkeypatch.setenv("TERM", "xterm")
    with meter(Globals()) as made:
        made.reading("case", 1, 200)
        assert stream.getvalue() == ""
        for done in (100, 200):
            clock["is"] += 1
            made.reading("case", done, 200)
        made.update("Applying", 1, 9)
        assert made._bar is not None
    assert made._bar is None
    said: Any = stream.getvalue()
    assert "Reading cases" in said and "Applying" in said
    assert said.rstrip().endswith("\x1b[2K")  # the line is cleared


def test_no_color_means_no_live_line(monkeypatch: pytest.MonkeyPatch, clock: dict[str, float]) -> None:
    stream = shown(monkeypatch, live=True)
    made = Meter(Globals(no_color=True))
    clock["is"] += 5
    made.update("Applying", 1, 9)
    assert stream.getvalue() == ""


def test_a_message_in_between_does_not_end_the_live_line(
    monkeypatch: pytest.MonkeyPatch, clock: dict[str, float]
) -> None:
    """A failed operation takes the line off the screen to say so; the next one brings it back."""
    stream = shown(monkeypatch, live=True)
    monkeypatch.setenv("TERM", "xterm")
    with meter(Globals()) as made:
        for done in range(1, 4):
            clock["is"] += 1
            made.update("Applying", done, 9)
            made.stop()
            made.stop()
        made.update("Reading", 1, 2)
    assert "3/9" in stream.getvalue()
