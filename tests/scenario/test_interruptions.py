"""Runs that are cut short, at every point: nothing is lost, nothing is made twice, and the next run finishes the work."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, clean_env, qase_yaml

from qase_iac.apply.looking import LATE_BULK, LATE_SINGLE
from qase_iac.emulator import RunningServer, create_app, start_server

FILES: dict[str, str | bytes] = {
    "qase.yaml": qase_yaml(api={"url": "emulator", "bulk_size": 3}, policy={"max_delete_share": 1}),
    "pic.png": b"pic",
    "rest.yaml": """\
milestones:
  m: {title: M, due_date: 2026-12-01}
shared_steps:
  s: {title: S, steps: [One, Two]}
plans:
  p: {title: P, cases: [a, d]}
  q: {title: P, cases: [twin]}
""",
    "top/suite.yaml": "title: Top\n",
    "top/cases.yaml": """\
cases:
  a: {title: A, milestone: m, steps: [{shared: s}], attachments: [../pic.png]}
  b: {title: B}
  twin: {title: Twin, description: one}
  twin-too: {title: Twin, description: two}
  d: {title: D}
suites:
  below: {title: Below, cases: {e: {title: E}}}
""",
}
LATER: list[tuple[str, str, str]] = [
    ("top/cases.yaml", "  b: {title: B}\n", ""),
    ("top/cases.yaml", "{title: A,", "{title: A changed, suite: null,"),
    ("top/cases.yaml", "  below: {title: Below, cases: {e: {title: E}}}", "  other: {title: Other, cases: {f: {title: F}}}"),
    ("rest.yaml", "cases: [a, d]", "cases: [d, f]"),
    ("rest.yaml", "steps: [One, Two]", "steps: [One]"),
    ("rest.yaml", "  m: {title: M, due_date: 2026-12-01}", "  m: {title: M2, due_date: 2026-12-02}\n  n: {title: N}"),
]  # fmt: skip


def clock() -> Callable[[], float]:
    ticks = itertools.count(1795392000)
    return lambda: float(next(ticks))


def shop(root: Path, app: Any = None) -> Folder:
    root.mkdir()
    return Folder(root, app or create_app(strict=True, clock=clock())).write(FILES)


def edit(folder: Folder) -> Folder:
    for name, old, new in LATER:
        folder.edit(name, old, new)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """An apply that nobody disturbed."""
    return shop(tmp_path_factory.mktemp("clean") / "shop").applied()


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """And after the edits."""
    return edit(shop(tmp_path_factory.mktemp("clean") / "shop").applied()).applied()


def assert_finished(folder: Folder, undisturbed: Folder) -> None:
    assert folder.dump() == undisturbed.dump()
    assert actions(folder.plan()) == {}
    assert folder.plan().summary.unmanaged == 0
    ids = [(address.partition(".")[0], row["id"]) for address, row in folder.state["bindings"].items()]
    assert len(set(ids)) == len(ids)


# -- the process dies ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """As far as the program can tell: nothing after this is carried out."""


class Killer:
    """The emulator, with an end put to the program at its `at`-th write, just before the work or just after it.

    What is on disk at that moment is what the next run finds, whatever the dying program's `finally` may do.
    """

    def __init__(self, folder: Folder, at: int, before: bool) -> None:
        self.folder, self.at, self.before, self.writes = folder, at, before, 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            return self.folder.app(environ, start_response)
        self.writes += 1
        if self.writes == self.at and self.before:
            self.die()
        answer = self.folder.app(environ, start_response)
        if self.writes == self.at:
            self.die()
        return answer

    def die(self) -> None:
        shutil.copytree(self.folder.root / ".qase-iac", self.left, dirs_exist_ok=True)
        raise Killed

    @property
    def left(self) -> Path:
        return self.folder.root.with_name("left")


def run_and_kill(folder: Folder, at: int, before: bool) -> None:
    killer = Killer(folder, at, before)
    doomed = Folder(folder.root, killer)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        doomed.apply()
    shutil.rmtree(folder.root / ".qase-iac")
    shutil.copytree(killer.left, folder.root / ".qase-iac")


MOMENTS = [pytest.param(before, id="before" if before else "after") for before in (True, False)]


@pytest.mark.parametrize("before", MOMENTS)
@pytest.mark.parametrize("at", range(1, 11))
def test_killed_at_any_write_of_a_first_apply(tmp_path: Path, first: Folder, at: int, before: bool) -> None:
    folder = shop(tmp_path / "shop")
    run_and_kill(folder, at, before)
    folder.applied()
    assert_finished(folder, first)


@pytest.mark.parametrize("before", MOMENTS)
@pytest.mark.parametrize("at", range(1, 11))
def test_killed_at_any_write_of_a_later_apply(tmp_path: Path, second: Folder, at: int, before: bool) -> None:
    folder = edit(shop(tmp_path / "shop").applied())
    run_and_kill(folder, at, before)
    folder.applied()
    assert_finished(folder, second)


def test_those_are_all_writes(first: Folder, second: Folder) -> None:
    assert len(first.writes()) == len(second.writes()) - len(first.writes()) == 10


def test_killed_twice(tmp_path: Path, first: Folder) -> None:
    folder = shop(tmp_path / "shop")
    run_and_kill(folder, 7, before=False)
    run_and_kill(folder, 2, before=False)
    folder.applied()
    assert_finished(folder, first)


def test_a_plan_after_a_kill_says_what_became_of_it_and_writes_nothing(tmp_path: Path) -> None:
    folder = shop(tmp_path / "shop")
    run_and_kill(folder, 8, before=False)
    before = {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}
    plan = folder.plan()
    assert {finding.code for finding in plan.findings} == {"settled"}
    assert {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()} == before


# -- answers that get lost -----------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Folder, RunningServer]]:
    """A folder over a real socket: only there can a connection be dropped as a network does it."""
    app = create_app(strict=True, clock=clock())
    with start_server(app) as server:
        yield Folder(tmp_path / "shop", app, {"QASE_TESTOPS_API_TOKEN": "any", "QASE_IAC_API_URL": server.url}), server
    app.close()


LOST = ("drop-after", "cut-off", "500-after", "502-after", "empty-body", "html")
CREATES = (
    "/project",
    "/milestone/",
    "/shared_step/",
    "/suite/",
    "/attachment/",
    "/case/SHOP/bulk",
    "/case/SHOP$",
    "/plan/",
)


@pytest.mark.parametrize("path", CREATES)
@pytest.mark.parametrize("kind", LOST)
def test_a_create_whose_answer_is_lost_is_not_repeated(served: Any, first: Folder, kind: str, path: str) -> None:
    folder, _ = served
    folder.root.mkdir()
    folder.write(FILES)
    if path == "/case/SHOP$":
        folder.edit("qase.yaml", "bulk_size: 3", "bulk_size: 1")
    fault = folder.app.faults.add(kind, method="POST", path=path)
    report = folder.apply(rate_limit=0).report
    assert fault.struck == 1
    assert report is not None and (report.retries, report.unknown) == (0, 0)
    if path == "/attachment/":  # nothing tells one upload from another: its users wait for the next run
        assert report.exit_code == 6
        folder.applied(rate_limit=0)
    assert report.exit_code == 0 or path == "/attachment/"
    assert folder.dump() == first.dump()
    assert actions(folder.plan(rate_limit=0)) == {}


@pytest.mark.parametrize("kind", ["500", "drop-before"])
@pytest.mark.parametrize("path", CREATES)
def test_a_create_that_came_to_nothing_is_left_to_the_next_run(
    served: Any, first: Folder, no_sleeping: list[float], kind: str, path: str
) -> None:
    folder, _ = served
    folder.root.mkdir()
    folder.write(FILES)
    if path == "/case/SHOP$":
        folder.edit("qase.yaml", "bulk_size: 3", "bulk_size: 1")
    folder.app.faults.add(kind, method="POST", path=path)
    report = folder.apply(rate_limit=0).report
    assert report is not None and report.exit_code == 6
    assert (report.unknown >= 1) is (path != "/attachment/")
    bulk = "bulk" in path and kind == "drop-before"
    assert sum(no_sleeping) == (0 if path == "/attachment/" else LATE_BULK if bulk else LATE_SINGLE)
    folder.applied(rate_limit=0)
    assert folder.dump() == first.dump()


@pytest.mark.parametrize("path", ["/milestone/", "/suite/", "/case/SHOP/bulk"])
def test_lists_that_lag_behind_a_lost_answer(served: Any, second: Folder, path: str) -> None:
    folder, _ = served
    folder.root.mkdir()
    folder.write(FILES).applied(rate_limit=0)
    edit(folder)
    folder.app.faults.add("drop-after", method="POST", path=path)
    stale = folder.app.faults.add("stale-list", path=path.removesuffix("/bulk"), times=3)  # for the plan and two looks
    report = folder.apply(rate_limit=0).report
    assert stale.struck == 3
    assert report is not None and report.exit_code == 0
    assert_finished(Folder(folder.root, folder.app, folder.environment), second)


@pytest.mark.parametrize("kind", ["drop-after", "500-after"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_update_or_delete_whose_answer_is_lost_is_read_again(
    served: Any, second: Folder, kind: str, method: str
) -> None:
    folder, _ = served
    folder.root.mkdir()
    folder.write(FILES).applied(rate_limit=0)
    edit(folder)
    fault = folder.app.faults.add(kind, method=method, path="/case/", times=2)
    report = folder.apply(rate_limit=0).report
    assert fault.struck == 2 - (method == "PATCH")
    assert report is not None and (report.exit_code, report.unknown, report.retries) == (0, 0, 0)
    assert_finished(Folder(folder.root, folder.app, folder.environment), second)


def test_a_bulk_answer_with_an_id_too_few_is_not_believed(served: Any, first: Folder) -> None:
    folder, _ = served
    folder.root.mkdir()
    folder.write(FILES)
    folder.app.faults.add("short-ids", method="POST", path="/bulk")
    folder.applied(rate_limit=0)
    assert folder.dump() == first.dump()


# -- signals, to a process of its own ------------------------------------------------------------------------------


def start(folder: Folder, server: RunningServer, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qase_iac", "-C", str(folder.root), "--rate-limit", "0", *arguments]
    env = clean_env({**folder.environment, "XDG_CACHE_HOME": str(folder.root.parent / "cache")})
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def wait_for_writes(folder: Folder, number: int, process: subprocess.Popen[str]) -> None:
    """Until the emulator is at work on write `number` (the log has those before it)."""
    end = time.monotonic() + 30
    while sum(fault.struck for fault in folder.app.faults) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_ctrl_c_finishes_what_is_in_flight_and_says_how_to_go_on(served: Any, first: Folder) -> None:
    folder, server = served
    folder.root.mkdir()
    folder.write(FILES)
    folder.app.faults.add("slow-after", method="POST", seconds=0.3, times=0)
    process = start(folder, server, "apply", "--auto-approve", "--format", "json")
    wait_for_writes(folder, 6, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopping after the call in flight" in err
    assert "Traceback" not in err
    folder.app.faults.clear()
    done = {row["address"] for row in json.loads(out)["operations"] if row["status"] == "done"}
    assert done == set(folder.state["bindings"]) | {"project.SHOP"}
    assert len(folder.writes()) < len(first.writes())
    folder.applied(rate_limit=0)
    assert len(folder.writes()) == len(first.writes())  # nothing had to be sent again
    assert folder.dump() == first.dump()


@pytest.mark.parametrize("number", [1, 4, 6, 9])
def test_sigkill_in_the_middle_of_a_call(served: Any, first: Folder, number: int) -> None:
    folder, server = served
    folder.root.mkdir()
    folder.write(FILES)
    folder.app.faults.add("slow-after", method="POST", seconds=0.1, times=0)
    process = start(folder, server, "apply", "--auto-approve")
    wait_for_writes(folder, number, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    folder.app.faults.clear()
    time.sleep(0.2)  # the emulator finishes what it had begun
    folder.applied(rate_limit=0)
    assert folder.dump() == first.dump()


def test_a_second_process_finds_the_state_locked(served: Any) -> None:
    folder, server = served
    folder.root.mkdir()
    folder.write(FILES)
    released = threading.Event()
    folder.app.faults.sleep = lambda seconds: released.wait(60)
    folder.app.faults.add("slow", method="POST", path="/project")
    one = start(folder, server, "apply", "--auto-approve")
    wait_for_writes(folder, 1, one)
    two = start(folder, server, "apply", "--auto-approve")
    out, err = two.communicate(timeout=30)
    released.set()
    assert (two.returncode, out) == (7, "")
    assert f"process {one.pid}" in err
    assert one.wait(timeout=30) == 0
    one.communicate()
    assert len([e for e in folder.writes() if e.path == "/project"]) == 1
