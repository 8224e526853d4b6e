"""Fixtures of the end-to-end tests (tests/e2e_kit.py): nothing here is used unless a test asks for it."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, Ran, qase_yaml, run_cli

from qase_iac.api.transports import SystemClock
from qase_iac.emulator import create_app
from qase_iac.workflow.session import Session, World

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A run that a script started in the background (`make test &`) inherits that Ctrl-C is ignored, and would hand it
    # on to every process that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def clock() -> Callable[[], float]:
    ticks = itertools.count(1795392000.0)
    return lambda: next(ticks)


@pytest.fixture
def app() -> Any:
    """An emulator in memory, in which no two things happen in the same second."""
    made = create_app(clock=clock())
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path, app: Any) -> Callable[..., Folder]:
    """Makes a project folder: `folder({"cases.yaml": "…"}, policy={…})`."""

    def make(files: Mapping[str, str | bytes] = {}, *, name: str = "shop", **settings: Any) -> Folder:
        root = tmp_path / name
        root.mkdir()
        own = {} if "qase.yaml" in files else {"qase.yaml": qase_yaml(**settings)}
        return Folder(root, app).write({**own, **files})

    return make


@pytest.fixture
def cli(tmp_path: Path, app: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """The command line in this process, `emulator` being `app`, with an environment of its own."""
    monkeypatch.setattr(Session, "_own_emulator", lambda self: app)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("QASE_TESTOPS_API_TOKEN", "QASE_TESTOPS_PROJECT", "QASE_TESTOPS_API_HOST", "QASE_IAC_API_URL",
                 "QASE_IAC_ALLOWED_HOSTS", "QASE_IAC_DEBUG", "NO_COLOR", "FORCE_COLOR"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    return run_cli


@pytest.fixture(autouse=True)
def no_sleeping(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Looking for what became of a call takes no time; how long it would have waited."""
    slept: list[float] = []
    monkeypatch.setattr(World, "sleep", lambda self, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts, and those of the rate limit, take no time."""
    now = itertools.count()
    monkeypatch.setattr(SystemClock, "sleep", lambda self, seconds: None)
    monkeypatch.setattr(SystemClock, "now", lambda self: float(next(now)))
