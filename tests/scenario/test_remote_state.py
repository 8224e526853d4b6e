"""State where CI can reach it: machines that come and go, killed jobs whose disk is gone, applies that race."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, Ran, actions, by_address, clean_env, qase_yaml
from stores_kit import Terraform, bare, clean_git, clone, git, terraform
from test_interruptions import FILES, Killed, clock, edit, shop

from qase_iac.apply.events import OperationFinished
from qase_iac.emulator import create_app, start_server
from qase_iac.errors import SafetyRefusal, StateError, StateLocked
from qase_iac.state.lease import GRACE, TTL
from qase_iac.state.lock import Holder
from qase_iac.workflow.applying import Doing, apply_fresh
from qase_iac.workflow.session import Ask, Session, World

SECRET = "s3cr3t-password"
ENVIRONMENT = {"TF_HTTP_USERNAME": "ci", "TF_HTTP_PASSWORD": SECRET}
RUNNER = Holder("runner", "ci-7", 7, "2026-11-23T00:00:00Z", "qase-iac apply", "https://ci.example.com/jobs/7")


@dataclass
class Machine(Folder):
    """A folder on a machine with a clock of its own; the state is elsewhere."""

    wall: float = 1795392000.0

    def session(self, **ask: Any) -> Session:
        world = World(environment=self.environment, app=self.app, wall=lambda: self.wall, random=lambda: 0.25)
        return Session(Ask(self.root, **ask), world)

    @property
    def state(self) -> dict[str, Any]:
        return self.session().read_state().to_json()


def settings(state: dict[str, str], **more: Any) -> str:
    own = {"api": {"url": "emulator", "bulk_size": 3}, "policy": {"max_delete_share": 1, "adopt": "explicit"}, **more}
    return qase_yaml(state=state, **own)


@pytest.fixture(scope="module")
def server() -> Iterator[Terraform]:
    with terraform(password=SECRET) as made:
        yield made


@pytest.fixture
def machines(tmp_path: Path, server: Terraform) -> Callable[..., Machine]:
    """Machines with the same files and the same state on a server of Terraform's protocol."""
    server.states.clear(), server.locks.clear(), server.asked.clear()
    state, numbers = {"backend": "http", "address": server.url}, itertools.count()

    def make(app: Any, later: bool = False, **how: Any) -> Machine:
        root = tmp_path / f"machine-{next(numbers)}"
        root.mkdir()
        machine = Machine(root, app, ENVIRONMENT, **how)
        machine.write({**FILES, "qase.yaml": settings(state)})
        return edit(machine) if later else machine  # type: ignore[return-value]

    return make


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """An apply that nobody disturbed."""
    return shop(tmp_path_factory.mktemp("clean") / "shop").applied()


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """And after the edits."""
    return edit(shop(tmp_path_factory.mktemp("clean") / "shop").applied()).applied()


def assert_finished(machine: Machine, undisturbed: Folder) -> None:
    assert machine.dump() == undisturbed.dump()
    plan = machine.plan()
    assert actions(plan) == {} and plan.summary.unmanaged == 0 and plan.drift == ()
    assert set(machine.state["bindings"]) == set(undisturbed.state["bindings"])


# -- a job is killed, and its disk goes with it --------------------------------------------------------------------------


class Killer:
    """The emulator, with an end put to the program at its `at`-th write, just before the work or just after it."""

    def __init__(self, app: Any, at: int, before: bool) -> None:
        self.app, self.at, self.before, self.writes = app, at, before, 0

    def __call__(self, environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            return self.app(environ, start_response)
        self.writes += 1
        if self.writes == self.at and self.before:
            raise Killed
        answer = self.app(environ, start_response)
        if self.writes == self.at:
            raise Killed
        return answer


def run_and_lose(machine: Machine, at: int, before: bool) -> None:
    """The job dies in the middle of its `at`-th write, and nothing of its folder is left."""
    doomed = Machine(machine.root, Killer(machine.app, at, before), machine.environment)
    with pytest.raises(Killed):
        doomed.apply()
    shutil.rmtree(machine.root)


MOMENTS = [pytest.param(before, id="before" if before else "after") for before in (True, False)]


@pytest.fixture
def qase() -> Iterator[Any]:
    app = create_app(strict=True, clock=clock())
    yield app
    app.close()


@pytest.mark.parametrize("before", MOMENTS)
@pytest.mark.parametrize("at", range(1, 11))
def test_a_first_apply_whose_machine_is_lost(
    machines: Callable[..., Machine], qase: Any, first: Folder, at: int, before: bool
) -> None:
    run_and_lose(machines(qase), at, before)
    machine = machines(qase)
    machine.applied()
    assert_finished(machine, first)


@pytest.mark.parametrize("before", MOMENTS)
@pytest.mark.parametrize("at", range(1, 11))
def test_a_later_apply_whose_machine_is_lost(
    machines: Callable[..., Machine], qase: Any, second: Folder, at: int, before: bool
) -> None:
    machines(qase).applied()
    run_and_lose(machines(qase, later=True), at, before)
    machine = machines(qase, later=True)
    machine.applied()
    assert_finished(machine, second)


def test_two_jobs_in_a_row_are_lost(machines: Callable[..., Machine], qase: Any, first: Folder) -> None:
    run_and_lose(machines(qase), 7, before=False)
    run_and_lose(machines(qase), 2, before=False)
    machine = machines(qase)
    machine.applied()
    assert_finished(machine, first)


def test_the_next_plan_says_what_a_lost_job_had_done_and_writes_nothing(
    machines: Callable[..., Machine], qase: Any, server: Terraform
) -> None:
    run_and_lose(machines(qase), 8, before=False)
    held = dict(server.states)
    plan = machines(qase).plan()
    told = {str(finding.address): finding.summary for finding in plan.findings if finding.code == "settled"}
    assert "case.b" in told and all("had created it" in summary for summary in told.values()), "of the rest: not a word"
    assert not set(told) & set(actions(plan)) and set(actions(plan)) <= {
        "plan.p",
        "plan.q",
        "suite.top/below",
        "case.e",
    }
    assert server.states == held


def test_an_edit_after_a_lost_update_is_no_conflict(machines: Callable[..., Machine], qase: Any) -> None:
    """Of an update whose outcome was never stored Qase holds our own value: whoever changes it again is not in doubt."""
    machines(qase).applied()
    run_and_lose(machines(qase, later=True), 10, before=True)
    machine = machines(qase, later=True).edit("top/cases.yaml", "A changed", "A changed again")
    change = by_address(machine.plan())["case.a"]  # type: ignore[assignment]
    assert change.blocked is None and {str(a.origin) for a in change.attributes.values()} == {"ours"}


def test_a_renamed_key_survives_a_lost_job(machines: Callable[..., Machine], qase: Any) -> None:
    """`b` becomes `x`, and a new `b` is made: taken for the old one it would be lost."""
    machines(qase).applied()

    def renamed() -> Machine:
        machine = machines(qase)
        machine.edit("top/cases.yaml", "  b: {title: B}\n", "  x: {title: B}\n  b: {title: New}\n")
        return machine.write({"moves.yaml": "moved: [{from: case.b, to: case.x}]\n"})  # type: ignore[return-value]

    old = machines(qase).state["bindings"]["case.b"]["id"]
    run_and_lose(renamed(), 1, before=False)
    machine = renamed()
    machine.applied()
    bound = machine.state["bindings"]
    assert bound["case.x"]["id"] == old != bound["case.b"]["id"]
    assert actions(machine.plan()) == {} and machine.plan().summary.unmanaged == 0


def test_the_state_is_written_at_intervals(machines: Callable[..., Machine], qase: Any, server: Terraform) -> None:
    """Once before the first call, once at the end, once to say that the run is over; not once an operation."""
    machines(qase).applied()
    assert [line.split()[0] for line in server.asked if not line.startswith("GET")] == [
        "LOCK", "POST", "POST", "POST", "UNLOCK",
    ]  # fmt: skip


def test_a_saved_plan_is_stale_after_a_lost_job(machines: Callable[..., Machine], qase: Any) -> None:
    machine = machines(qase)
    plan = machine.plan()
    run_and_lose(machines(qase), 5, before=False)
    with pytest.raises(Exception, match="interrupted") as error:
        machine.apply_saved(plan)
    assert error.value.exit_code == 5  # type: ignore[attr-defined]


# -- two at once ---------------------------------------------------------------------------------------------------------


def test_of_two_applies_that_race_one_is_refused(machines: Callable[..., Machine], qase: Any, first: Folder) -> None:
    one, other = machines(qase), machines(qase)
    refused: list[StateLocked] = []

    def meanwhile(event: Any) -> None:
        if isinstance(event, OperationFinished) and not refused:
            with pytest.raises(StateLocked) as error:
                other.apply()
            refused.append(error.value)

    report = one.apply(on_event=meanwhile).report
    assert report is not None and report.exit_code == 0 and refused[0].exit_code == 7
    assert "ann@here" in refused[0].summary
    other.applied()
    assert_finished(other, first)


def test_a_run_that_lost_its_lock_stops(machines: Callable[..., Machine], qase: Any, first: Folder) -> None:
    """Somebody broke the lock of a job that was not dead: it sends nothing more and exits 7; the other one goes on."""
    one, other = machines(qase), machines(qase)
    session = one.session()
    others_lock: list[Any] = []

    def meanwhile(event: Any) -> None:
        if isinstance(event, OperationFinished) and not others_lock:
            store = other.session().store
            store.unlock(force=True)
            others_lock.append(store.lock(RUNNER))
            others_lock[0].__enter__()
            session.store._held._gone = True  # type: ignore[attr-defined]  # what a heartbeat finds, where there is one

    from e2e_kit import HOLDER

    from qase_iac.plan.model import Options

    report = apply_fresh(session, Options(), Doing(HOLDER, on_event=meanwhile)).report
    assert report is not None and report.halted is not None
    assert (report.exit_code, report.halted.code, report.saved) == (7, "lock_lost", False)
    assert report.applied == 1 and report.blocked == len(report.operations) - 1
    others_lock[0].__exit__(None, None, None)
    other.applied()
    assert_finished(other, first)


# -- git, and jobs that are really killed --------------------------------------------------------------------------------


@dataclass
class Hosting:
    """A bare repository with the project in it, and Qase over a real socket."""

    root: Path
    app: Any
    url: str
    repository: Path

    def job(self, name: str, wall: float | None = None) -> Machine:
        """A fresh shallow clone, as a CI job gets it."""
        folder = clone(self.repository.as_uri(), self.root / name)
        token = {"QASE_TESTOPS_API_TOKEN": "any", "QASE_IAC_API_URL": self.url}
        job = {"CI_JOB_URL": f"https://ci.example.com/{name}"}
        return Machine(folder, self.app, {**clean_git(), **token, **job}, wall=wall or time.time())

    def start(self, machine: Machine, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "qase_iac", "-C", str(machine.root), "--rate-limit", "0", *arguments]
        env = clean_env({**machine.environment, "XDG_CACHE_HOME": str(self.root / "cache")})
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


@pytest.fixture
def hosting(tmp_path: Path, qase: Any) -> Iterator[Hosting]:
    repository = bare(tmp_path / "srv" / "tests.git")
    work = clone(repository.as_uri(), tmp_path / "developer")
    Folder(work, qase).write({**FILES, "qase.yaml": settings({"backend": "git"}), ".gitignore": ".qase-iac/\n"})
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "tests")
    git(work, "push", "-q", "origin", "HEAD:main")
    with start_server(qase) as server:
        yield Hosting(tmp_path, qase, server.url, repository)


def test_a_job_that_is_killed_on_git(hosting: Hosting, first: Folder) -> None:
    lost = hosting.job("job-1")
    hosting.app.faults.add("slow-after", method="POST", path="/case/", seconds=0.3, times=0)
    process = hosting.start(lost, "apply", "--auto-approve")
    end = time.monotonic() + 30
    while not sum(fault.struck for fault in hosting.app.faults):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shutil.rmtree(lost.root)
    hosting.app.faults.clear()

    soon = hosting.start(hosting.job("job-2"), "apply", "--auto-approve")
    _, err = soon.communicate(timeout=60)
    assert soon.returncode == 7 and "https://ci.example.com/job-1" in err and "runs out in" in err

    later = hosting.job("job-3", wall=time.time() + TTL + GRACE + 1)
    later.applied(rate_limit=0)
    assert later.dump() == first.dump()
    assert actions(later.plan(rate_limit=0)) == {} and later.plan(rate_limit=0).summary.unmanaged == 0
    log = git(hosting.repository, "log", "--format=%s", "qase-iac-state").splitlines()
    assert log[0] == "Run ended" and log[1] == "State 2 of SHOP" and log[-1].startswith("Run of plan sha256:")
    assert "qase-iac-state-lock" not in git(hosting.repository, "branch", "--list")


def test_nothing_of_the_clone_is_touched(hosting: Hosting) -> None:
    machine = hosting.job("job-1")

    def clone_as_it_is() -> dict[str, bytes]:
        return {
            str(path.relative_to(machine.root)): path.read_bytes()
            for path in machine.root.rglob("*")
            if path.is_file() and ".qase-iac" not in path.parts
        }

    before = clone_as_it_is()
    machine.applied(rate_limit=0)
    assert clone_as_it_is() == before
    assert git(machine.root, "status", "--porcelain") == ""


def test_two_real_applies_that_wait_for_each_other(hosting: Hosting, first: Folder) -> None:
    runs = [hosting.start(hosting.job(name), "--lock-timeout", "60", "apply", "--auto-approve") for name in "ab"]
    ended = [run.communicate(timeout=90) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], ended
    assert hosting.app.dump("SHOP", normalised=True) == first.dump()


# -- the commands --------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return lambda machine, *words: cli("-C", machine.root, *words)


@pytest.fixture
def shared(machines: Callable[..., Machine], app: Any, run: Any) -> Machine:
    machine = machines(app)
    machine.applied()
    return machine


def test_pull_and_push(shared: Machine, run: Callable[..., Ran], tmp_path: Path) -> None:
    pulled = run(shared, "state", "pull")
    assert pulled.code == 0 and pulled.json == shared.state
    assert run(shared, "state", "rm", "case.d").code == 0
    old = tmp_path / "old.json"
    old.write_text(pulled.out)
    stale = run(shared, "state", "push", old)
    assert stale.code == 4 and "its serial is 1, the one of the state there is 2" in stale.err
    assert "case.d" not in shared.state["bindings"]
    newer = {**pulled.json, "serial": 3}
    old.write_text(json.dumps(newer))
    assert run(shared, "state", "push", old).code == 0
    assert shared.state["bindings"] == newer["bindings"]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"lineage": "other"}, 4, "its lineage is other"),
        ({"project": "OTHER"}, 4, "belongs to project OTHER"),
        ({"api": "https://api.qase.io/v1"}, 4, "belongs to https://api.qase.io/v1"),
        ({"format": 9}, 1, "holds no state"),
        ({"bindings": {"case.a": {"id": "x"}}}, 1, "makes no sense"),
    ],
)
def test_push_refuses(
    shared: Machine, run: Callable[..., Ran], tmp_path: Path, change: dict[str, Any], code: int, said: str
) -> None:
    before = shared.state
    (tmp_path / "s.json").write_text(json.dumps({**before, "serial": 9, **change}))
    ran = run(shared, "state", "push", tmp_path / "s.json")
    assert ran.code == code and said in ran.err
    assert shared.state == before


def test_push_by_force_keeps_the_other_one(shared: Machine, run: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({**shared.state, "lineage": "other", "bindings": {}}))
    ran = run(shared, "state", "push", "--force", tmp_path / "s.json")
    assert ran.code == 0 and shared.state["lineage"] == "other"
    aside = Path(ran.out.strip().rpartition("The old one: ")[2])
    assert "case.a" in aside.read_text()


def test_push_refuses_over_an_unfinished_run(
    machines: Callable[..., Machine], app: Any, run: Callable[..., Ran], tmp_path: Path
) -> None:
    machine = machines(app)
    machine.applied()
    (tmp_path / "s.json").write_text(json.dumps({**machine.state, "serial": 5}))
    run_and_lose(machines(app, later=True), 3, before=False)
    ran = run(machine, "state", "push", tmp_path / "s.json")
    assert ran.code == 4 and "interrupted run" in ran.err
    assert "what it did last is not in this state" in run(machine, "state", "pull").err


def test_unlock(shared: Machine, run: Callable[..., Ran], server: Terraform) -> None:
    assert "Nobody holds" in run(shared, "state", "unlock").out
    shared.session().store.lock(RUNNER).__enter__()
    ran = run(shared, "plan")
    assert ran.code == 0, "a plan takes no lock"
    ran = run(shared, "apply", "--auto-approve")
    assert ran.code == 7 and RUNNER.url in ran.err and "state unlock --force" in ran.err
    ran = run(shared, "state", "unlock")
    assert ran.code == 7 and "runner@ci-7" in ran.err and server.locks
    ran = run(shared, "state", "unlock", "--force")
    assert ran.code == 0 and "runner@ci-7" in ran.out and not server.locks


def test_migrate_there_and_back(shared: Machine, run: Callable[..., Ran], server: Terraform) -> None:
    before = shared.state
    (shared.root / "qase.yaml").write_text(settings({"backend": "http", "address": server.url}))
    ran = run(shared, "state", "migrate", "--to", "local", "path=state/shop.json")
    assert ran.code == 0 and ran.out == 'state:\n  backend: "local"\n  path: "state/shop.json"\n'
    ran = run(shared, "plan")
    assert ran.code == 1 and "is no longer kept" in ran.err and "state/shop.json" in ran.err
    (shared.root / "qase.yaml").write_text(settings({"backend": "local", "path": "state/shop.json"}))
    assert run(shared, "plan", "--detailed-exitcode").code == 0
    assert shared.state == before
    assert run(shared, "state", "migrate", "--to", "http", f"address={server.url}").code == 0
    assert not (shared.root / "state/shop.json").exists()
    (shared.root / "qase.yaml").write_text(settings({"backend": "http", "address": server.url}))
    assert run(shared, "plan", "--detailed-exitcode").code == 0 and shared.state == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--to s3", "needs `state.bucket`"),
        ("--to git bucket=b", "'bucket' is no setting of `backend: git`"),
        ("--to git", "is in no git repository"),
        ("--to nowhere", "Invalid value"),
    ],
)
def test_migrate_refuses(shared: Machine, run: Callable[..., Ran], words: str, said: str) -> None:
    before = shared.state
    ran = run(shared, "state", "migrate", *words.split())
    assert ran.code == 1 and said in ran.err
    assert shared.state == before


def test_a_state_rebuilt_where_it_is_shared(shared: Machine, run: Callable[..., Ran], server: Terraform) -> None:
    bound = {address: row["id"] for address, row in shared.state["bindings"].items()}
    (name,) = server.states
    server.states[name] = b'{"serial": 3, "torn'
    ran = run(shared, "plan")
    assert ran.code == 1 and "state rebuild --replace" in ran.err
    assert run(shared, "state", "rebuild").code == 4
    server.states[name] = b'{"serial": 0, "torn": 1}'
    run(shared, "state", "rebuild", "--replace")
    assert {address: row["id"] for address, row in shared.state["bindings"].items()}.items() <= bound.items()


# -- the way there -------------------------------------------------------------------------------------------------------


def test_the_password_is_in_no_output(
    shared: Machine, run: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_HTTP_PASSWORD", "wr0ng-password")
    ran = run(shared, "-v", "plan")
    assert ran.code == 1 and "HTTP 401" in ran.err and "wr0ng-password" not in ran.all
    assert SECRET not in json.dumps(shared.state)


@pytest.mark.parametrize("address", ["https://evil.example.com/state", "http://gitlab.example.com/state"])
def test_a_file_alone_does_not_say_who_is_told_the_password(machines: Any, app: Any, address: str) -> None:
    machine = machines(app)
    machine.write({"qase.yaml": settings({"backend": "http", "address": address})})
    with pytest.raises(SafetyRefusal, match="is not sent to"):
        machine.plan()


def test_a_state_that_cannot_be_stored_stops_a_run_before_it_begins(
    machines: Callable[..., Machine], qase: Any, server: Terraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = machines(qase)
    monkeypatch.setattr(Terraform, "_post", lambda self, request, *rest: request.reply(507, b"full"))
    with pytest.raises(StateError, match="HTTP 507"):
        machine.apply()
    assert machine.writes() == [] and not server.locks


@pytest.mark.parametrize("at", range(3))
def test_the_settings_that_the_documentation_shows(tmp_path: Path, at: int) -> None:
    text = (REPO / "docs" / "state.md").read_text(encoding="utf-8")
    fragment = re.findall(r"```yaml fragment\n(.*?)```", text, re.DOTALL)[at]
    (tmp_path / "qase.yaml").write_text(f"project: SHOP\n{fragment}")
    job = {"CI_API_V4_URL": "https://gitlab.example.com/api/v4", "CI_PROJECT_ID": "42", "TF_HTTP_PASSWORD": SECRET}
    session = Session(Ask(tmp_path), World(environment=job))
    assert session.problems == []
    assert (
        session.store.place
        == [
            "SHOP@api.qase.io.json on qase-iac-state of origin",
            "https://gitlab.example.com/api/v4/projects/42/terraform/state/shop",
            "s3://acme-tests/qase-iac/shop.json",
        ][at]
    )
