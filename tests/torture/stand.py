"""Where a point of the matrix is played: a server on 127.0.0.1, a prepared folder, and real processes of the program."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from e2e_kit import REPO, Folder, actions, clean_env

from qase_iac.emulator import App, create_app, start_server
from torture.project import SEED, Files, Size, before, prepare

SPEED = 60.0
"""A minute of waiting, the client's or the emulator's, takes a second."""
PATIENCE = 120
"""Real seconds after which a child counts as hanging."""
WRITES = "POST|PATCH|DELETE"
UNFINISHED = re.compile(r"journal|\.tmp$|^\.new-")
LISTS = r"^/\w+(/SHOP)?(\?|$)"


class Gate:
    """A WSGI application in front of the emulator's that counts requests and stops the world at one of them.

    `on(number, writes_only, moment, act)`: `act` is called when request `number` has arrived ("before"; "instead": and
    no work is done) or when its work is done and its answer is not sent yet ("after").
    """

    def __init__(self) -> None:
        self.app: Any = None
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self.counts = {False: 0, True: 0}
        self.struck = False
        self._at: tuple[int, bool] = (0, False)
        self._acts: dict[str, Callable[[], object]] = {}

    def on(self, number: int, writes_only: bool, moment: str, act: Callable[[], object]) -> None:
        self._at, self._acts = (number, writes_only), {moment: act}

    def also(self, moment: str, act: Callable[[], object]) -> None:
        """At the same request."""
        self._acts[moment] = act

    def __call__(self, environ: Any, start_response: Any) -> Any:
        app = self.app
        with self._lock:
            self.counts[False] += 1
            self.counts[True] += environ["REQUEST_METHOD"] != "GET"
            number, writes_only = self._at
            hit = self.counts[writes_only] == number and not (writes_only and environ["REQUEST_METHOD"] == "GET")
            acts = self._acts if hit else {}
        for moment in ("before", "instead"):
            self._act(acts, moment)
        if "instead" in acts:
            raise ConnectionResetError("the client is dead")
        answer = app(environ, start_response)
        self._act(acts, "after")
        return answer

    def _act(self, acts: dict[str, Callable[[], object]], moment: str) -> None:
        if moment in acts:
            self.struck = True
            acts[moment]()


class Child:
    """One process of the program."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.out = self.err = ""

    @property
    def code(self) -> int:
        return self.process.returncode

    def kill(self) -> None:
        """SIGKILL, and back only when it is dead; whoever waits for it still gets its status."""
        os.kill(self.process.pid, signal.SIGKILL)
        with suppress(ChildProcessError):  # whoever waits for it was faster
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)

    def wait(self) -> Child:
        try:
            self.out, self.err = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.out, self.err = self.process.communicate()
            self.err += f"\nHUNG: killed after {PATIENCE} s"
        return self


class Stand:
    """One server and one prepared folder, from which any number of points start. `close` it."""

    def __init__(self, place: Path, size: Size) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place, self.size, self.speed = place, size, SPEED
        self.runs: list[Child] = []
        self.epoch = time.time()
        self.gate = Gate()
        self.server = start_server(self.gate)  # type: ignore[arg-type]
        self.environment = {"QASE_TESTOPS_API_TOKEN": "any", "QASE_IAC_API_URL": self.server.url}
        self._prepare()
        self.reset()
        self.run()  # fills the cache of parsed files, so that all that follow touch the disk alike
        self.reset()
        self.operations = len(self.folder.plan().changes)
        self.gate.forget()
        undisturbed = self.run({"TORTURE_LOG": str(place / "disk.log")})
        assert undisturbed.code == 0, undisturbed.out + undisturbed.err
        self.requests, self.writes = self.gate.counts[False], self.gate.counts[True]
        self.log = [entry for entry in self.app.requests if entry.method != "GET"]
        self.disk = (place / "disk.log").read_text().splitlines()
        self.wanted = self.folder.dump()
        assert not self.complaints(), self.complaints()

    def _prepare(self) -> None:
        """Applies the first project and keeps folder and database as they are before the second apply."""
        self.app: App = create_app(self.place / "kept.db", seed=SEED, strict=True, clock=self.now)
        self.gate.app = self.app
        folder = self.place / "kept"
        folder.mkdir()
        self.folder = Folder(folder, self.app, self.environment, self.place / "parsed")
        self.folder.write(_there(before(self.size)))
        self.run_until_done()
        self.folder.write(_there(prepare(self.app, self.size)))
        self.app.close()

    def reset(self, name: str = "shop") -> None:
        """Everything as it was before the second apply."""
        self.app.close()
        root = self.place / name
        for path in self.place.glob("shop*"):
            os.chmod(path, 0o700)
            shutil.rmtree(path)
        shutil.copytree(self.place / "kept", root)
        shutil.copy(self.place / "kept.db", self.place / "now.db")
        self.app = create_app(self.place / "now.db", strict=True, clock=self.now)
        self.gate.app = self.app
        self.gate.forget()
        self.folder = Folder(root, self.app, self.environment, self.place / "parsed")
        self.runs = []
        self.speed = SPEED

    def now(self) -> float:
        """The emulator's clock, which is the children's, too."""
        return self.epoch + (time.time() - self.epoch) * self.speed

    def close(self) -> None:
        self.server.stop()
        self.app.close()

    # -- processes -------------------------------------------------------------------------------------------------

    def start(self, trouble: Mapping[str, str] = {}, *more: str, root: Path | None = None, **popen: Any) -> Child:
        """`python -m qase_iac apply --auto-approve`, with `trouble` in its environment (preload/sitecustomize.py)."""
        folder = root or self.folder.root
        command = [sys.executable, "-m", "qase_iac", "-C", str(folder), "apply", "--auto-approve", *more]
        given = {
            **self.environment,
            **trouble,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).with_name("preload")), str(REPO)]),
            "TORTURE_SPEED": str(self.speed),
            "TORTURE_EPOCH": repr(self.epoch),
            "TORTURE_ROOT": str(folder),
            "XDG_CACHE_HOME": str(self.place / "cache"),
        }
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_env(given), **popen
        )
        child = Child(process)
        self.runs.append(child)
        return child

    def run(self, trouble: Mapping[str, str] = {}, *more: str, **popen: Any) -> Child:
        return self.start(trouble, *more, **popen).wait()

    def run_until_done(self, most: int = 4) -> int:
        """Runs `apply` until it ends with 0; how often that took, `most` + 1 when it never did."""
        for number in range(1, most + 1):
            if self.run().code == 0:
                return number
        return most + 1

    # -- what must hold at the end ---------------------------------------------------------------------------------

    def complaints(self) -> list[str]:
        """Everything that is not as after an undisturbed apply."""
        return [*self._of_processes(), *self._of_server(), *self._of_state()]

    def _of_processes(self) -> list[str]:
        found = []
        for number, child in enumerate(self.runs, 1):
            for word in ("Traceback", "HUNG", "internal error"):
                if word in child.err:
                    found.append(f"run {number} (exit {child.code}): {child.err[-1500:]}")
        return found

    def _of_server(self) -> list[str]:
        found, dump = [], self.folder.dump()
        for name, rows in self.wanted.items() if dump != self.wanted else ():
            here = dump[name]
            if isinstance(rows, list):
                found += [f"lost {name}: {row}"[:300] for row in _less(rows, here)]
                found += [f"too many {name}: {row}"[:300] for row in _less(here, rows)]
            elif rows != here:
                found.append(f"{name} is {here}, not {rows}")
        return found

    def _of_state(self) -> list[str]:
        found = []
        plan = self.folder.plan()
        if actions(plan) or plan.findings:
            found.append(f"the next plan is not empty: {actions(plan)} {[f.summary for f in plan.findings]}"[:600])
        ids = [(address.partition(".")[0], row["id"]) for address, row in self.folder.state["bindings"].items()]
        if len(set(ids)) != len(ids):
            found.append("two addresses are bound to one object")
        inner = self.folder.root / ".qase-iac"
        left = [str(path.relative_to(inner)) for path in inner.rglob("*") if UNFINISHED.search(path.name)]
        return found + [f"left behind: {name}" for name in left]


def _less(rows: list[Any], others: list[Any]) -> list[Any]:
    """Rows without one equal row of the others for each."""
    rest = list(others)
    return [row for row in rows if row not in rest or rest.remove(row)]  # type: ignore[func-returns-value]


def _there(files: Files) -> dict[str, str | bytes]:
    return {name: content for name, content in files.items() if content is not None}
