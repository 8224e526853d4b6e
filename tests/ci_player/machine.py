"""A computer that a job gets: a home, a workspace, a place for temporary files, nothing of ours in its environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ci_player.log import Log

PRELOAD = Path(__file__).with_name("preload")
PATIENCE = 120
ASKED, TOLD = 30.0, 60.0
"""Seconds after a cancellation when a process is told to end, and when it is killed: 7.5 and 10 on GitHub, but this
machine may be a slow one."""
SHELLS: dict[str, tuple[str, ...]] = {
    "": ("bash", "-e"),
    "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
    "sh": ("sh", "-e"),
    "python": ("python",),
}


class Lost(Exception):
    """The machine is gone, with its disk."""


@dataclass
class Machine:
    """`later`: its clocks are so many seconds ahead of ours, since so much later it is switched on."""

    root: Path
    bin: Path
    later: float = 0.0
    log: Log = field(default_factory=Log)

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self.cancelled = False
        self._lost = False
        self._lock = threading.Lock()
        for folder in (self.home, self.temp, self.workspace):
            folder.mkdir(parents=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def temp(self) -> Path:
        return self.root / "temp"

    @property
    def workspace(self) -> Path:
        return self.root / "work"

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(self.bin), "/usr/local/bin", "/usr/bin", "/bin"))
        own = {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "TMPDIR": str(self.temp), "CI": "true"}
        pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_PROXY")}
        late = {"CI_PLAYER_LATER": str(self.later), "PYTHONPATH": str(PRELOAD)} if self.later else {}
        return {**own, **pip, **late}

    def script(self, text: str, shell: str, folder: Path, environment: Mapping[str, str]) -> int:
        """Runs a script as the runner does; its exit code. Raises Lost when the machine dies meanwhile."""
        path = self.temp / f"step-{len(list(self.temp.glob('step-*')))}.sh"
        path.write_text(text, encoding="utf-8")
        return self.run([*SHELLS[shell], str(path)], folder, environment)

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> int:
        with self._lock:
            self._check()
            self._process = subprocess.Popen(
                command, cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL, text=True, encoding="utf-8", errors="replace", start_new_session=True,
            )  # fmt: skip
        process = self._process
        assert process.stdout is not None
        hung = threading.Event()
        watch = threading.Timer(PATIENCE, lambda: (hung.set(), _kill_tree(process.pid)))
        watch.start()
        with process.stdout:
            for line in process.stdout:
                self.log.add(line.rstrip("\n"))
        code = process.wait()
        watch.cancel()
        assert not hung.is_set(), f"a step hung for {PATIENCE} s:\n{self.log.text[-5000:]}"
        self._check()
        return code

    def kill(self) -> None:
        """Power off: whatever runs here is dead when this returns. May be called from any thread."""
        self._lost = True
        if self._process is not None and self._process.poll() is None:
            _kill_tree(self._process.pid)

    def cancel(self) -> None:
        """As the runner does it: the step's own process, and none below it, is asked to end, then told, then killed.
        Steps that run `always()` come after."""
        self.cancelled = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        _send({process.pid}, signal.SIGINT)
        for seconds, act in (
            (ASKED, lambda: _send({process.pid}, signal.SIGTERM)),
            (TOLD, lambda: _kill_tree(process.pid)),
        ):
            timer = threading.Timer(seconds, lambda act=act: process.poll() is None and act())  # type: ignore[misc]
            timer.daemon = True
            timer.start()

    def end(self) -> None:
        """The disk goes with the job."""
        shutil.rmtree(self.root)

    def _check(self) -> None:
        if self._lost:
            raise Lost


def _kill_tree(top: int) -> None:
    """SIGKILL to a process and all that come from it, those in sessions of their own, too; all are stopped first."""
    found: set[int] = set()
    while more := {top, *(pid for pid, parent in _parents().items() if parent in found)} - found:
        found |= more
        _send(more, signal.SIGSTOP)
    _send(found, signal.SIGKILL)


def _send(pids: set[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _parents() -> dict[int, int]:
    """Every process of this machine and where it comes from."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    return found


def prepared(folder: Path) -> Path:
    """A folder for PATH with Python and the program as they are installed here, and nothing else of this machine."""
    folder.mkdir(parents=True)
    for name in ("python", "python3"):
        _executable(folder / name, f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    _executable(folder / "qase-iac", f'#!/bin/sh\nexec "{sys.executable}" -m qase_iac "$@"\n')
    return folder


def install(machine: Machine, action: Path) -> None:
    """Leaves what `.ci/install.sh` leaves, so that it finds its work done, as it does when an action is used twice."""
    home = machine.temp / f"qase-iac-{action.name}"
    (home / "venv").mkdir(parents=True)
    (home / "bin").mkdir()
    (home / "venv" / "bin").symlink_to(machine.bin)
    (home / "bin" / "qase-iac").symlink_to(machine.bin / "qase-iac")
    (home / "installed").touch()


def _executable(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
