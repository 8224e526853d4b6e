"""Ctrl-C before anything is written: the program ends at once, and nothing is left behind."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_kit import Folder, clean_env, qase_yaml

from qase_iac.cli.apply import _Stopping
from qase_iac.emulator import create_app, start_server


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Folder]:
    app = create_app()
    root = tmp_path / "shop"
    root.mkdir()
    with start_server(app) as server:
        files = {"qase.yaml": qase_yaml(api={"url": server.url}), "a.yaml": "cases: {a: {title: A}}\n"}
        yield Folder(root, app, {"QASE_TESTOPS_API_TOKEN": "any"}).write(files)
    app.close()


def start(shop: Folder, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qase_iac", "-C", str(shop.root), "apply", *arguments]
    env = clean_env({**shop.environment, "XDG_CACHE_HOME": str(shop.root.parent / "cache")})
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def assert_ended_cleanly(shop: Folder, process: subprocess.Popen[str]) -> None:
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted." in err
    assert "Traceback" not in err
    assert shop.writes() == []
    assert list(shop.root.rglob("*.json")) == list(shop.root.rglob("*.holder")) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_qase_is_read(shop: Folder, number: int) -> None:
    slow = shop.app.faults.add("slow", method="GET", seconds=5)
    process = start(shop, "--auto-approve")
    while not slow.struck:
        assert process.poll() is None
        time.sleep(0.01)
    began = time.monotonic()
    process.send_signal(number)
    assert_ended_cleanly(shop, process)
    assert time.monotonic() - began < 4


def test_at_the_question(shop: Folder) -> None:
    ours, theirs = pty.openpty()
    process = start(shop, stdin=theirs)
    assert process.stderr is not None
    asked = ""
    while "Apply this?" not in asked:
        asked += os.read(process.stderr.fileno(), 1000).decode()
    time.sleep(0.5)  # until it reads: Python itself loses a signal that comes just before
    process.send_signal(signal.SIGINT)
    assert_ended_cleanly(shop, process)
    os.close(ours)
    os.close(theirs)


def test_once_something_is_written_the_first_one_waits_and_the_second_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stopping = _Stopping()
    with pytest.raises(KeyboardInterrupt):
        stopping(signal.SIGINT, None)
    stopping.writing = True
    stopping(signal.SIGINT, None)
    assert stopping.asked
    assert "after the call in flight" in capsys.readouterr().err
    with pytest.raises(KeyboardInterrupt):
        stopping(signal.SIGINT, None)
