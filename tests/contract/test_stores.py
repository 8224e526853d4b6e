"""What every store promises, held against real servers: a file, git (file, daemon, http), Terraform's protocol, S3."""

from __future__ import annotations

import base64
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from stores_kit import (
    NAME,
    Stores,
    Time,
    bare,
    clean_git,
    clone,
    git,
    git_daemon,
    git_over_http,
    git_store,
    http_store,
    s3_server,
    s3_store,
    terraform,
)

from qase_iac.errors import StateError, StateLocked
from qase_iac.state.backends.base import SlotBackend
from qase_iac.state.backends.git import GitSlots, Place
from qase_iac.state.backends.s3 import S3Slots, client
from qase_iac.state.contract import StateStore
from qase_iac.state.journal import Contents, Header, Item, Journal, read_journal, whole_plan
from qase_iac.state.lease import BEAT, GRACE, TTL, LeaseLock
from qase_iac.state.lock import Holder
from qase_iac.state.model import Binding, State
from qase_iac.state.remote import RemoteStore, StateMoved

KINDS = ["local", "git", "http", "s3"]
WAYS = ["git-daemon", "git-http", "gitlab"]
"""Other ways to the same: what a store does with them is held to the heart of the promise."""
LEASES = ["git", "s3"]
ANN = Holder("ann", "runner-1", 11, "2026-11-23T00:00:00Z", "qase-iac apply", "https://ci.example.com/jobs/1")
BOB = Holder("bob", "runner-2", 22, "2026-11-23T00:01:00Z", "qase-iac apply", "https://ci.example.com/jobs/2")


def state(serial: int = 1, lineage: str = "L1", **ids: int) -> State:
    bindings = {f"case.{name}": Binding(id, {"title": f"{name} Grüße \ud83d"}) for name, id in ids.items()}
    return State(lineage, serial, "SHOP", "https://api.qase.io/v1", "qase-iac", bindings, seen={"case": 7})


def run_of(plan: str = "sha256:p", serial: int = 1, lineage: str = "L1") -> Contents:
    header = Header(
        lineage, serial, plan, "SHOP", "https://api.qase.io/v1", "qase-iac", "2026-11-23T00:00:00Z", {"case": 7}
    )
    items = [Item(1, "case.a", "create", title="A", parent="suite.s", record={"sent": {"title": "A"}})]
    return whole_plan(header, items, [("case.x", "case.y", 3)], ["case.x -> case.y"], "2026-11-23T00:00:00Z")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    pytest.importorskip("moto", reason="moto is not installed: S3 is not tested")
    with s3_server() as url:
        yield url


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bare(tmp_path_factory.mktemp("git") / "shop.git")


Opener = Callable[[str], Stores]


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Sets up a server of the kind named."""
    time = Time()
    with ExitStack() as stack:

        def repositories() -> Path:
            shutil.copytree(request.getfixturevalue("template"), tmp_path / "srv" / "shop.git")
            return tmp_path / "srv"

        def git_at(url: str) -> Callable[[Path], StateStore]:
            return lambda folder: git_store(clone(f"{url}/shop.git", folder), time)

        def over_http(**how: Any) -> Callable[[Path], StateStore]:
            server = stack.enter_context(terraform(**how))
            return lambda folder: http_store(server, folder, time)

        def s3() -> Callable[[Path], StateStore]:
            import boto3

            url = request.getfixturevalue("endpoint")
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                monkeypatch.setenv(name, "testing")
            bucket = f"bucket-{abs(hash(str(tmp_path)))}"
            boto3.client("s3", region_name="us-east-1", endpoint_url=url).create_bucket(Bucket=bucket)
            return lambda folder: s3_store(url, bucket, folder, time)

        kinds: dict[str, Callable[[], Callable[[Path], StateStore]]] = {
            "local": lambda: lambda folder: pytest.fail("never"),
            "git": lambda: git_at(repositories().as_uri()),
            "git-daemon": lambda: git_at(stack.enter_context(git_daemon(repositories()))),
            "git-http": lambda: git_at(stack.enter_context(git_over_http(repositories()))),
            "http": lambda: over_http(password="secret"),
            "gitlab": lambda: over_http(gitlab=True),
            "s3": s3,
        }
        yield lambda kind: Stores(kind, tmp_path, time, kinds[kind]())


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest, opened: Opener) -> Stores:
    return opened(request.param)


@pytest.fixture(params=[*KINDS, *WAYS])
def every(request: pytest.FixtureRequest, opened: Opener) -> Stores:
    return opened(request.param)


@pytest.fixture(params=[kind for kind in KINDS if kind != "local"])
def shared(request: pytest.FixtureRequest, opened: Opener) -> Stores:
    return opened(request.param)


@pytest.fixture(params=LEASES)
def leases(request: pytest.FixtureRequest, opened: Opener) -> Stores:
    return opened(request.param)


def written(store: StateStore, what: State) -> StateStore:
    store.read()
    store.write(what)
    return store


# -- reading and writing -------------------------------------------------------------------------------------------------


def test_nothing_is_there_at_first(stores: Stores) -> None:
    store = stores.machine()
    assert store.read() == State() and store.unfinished() is None and store.present() == []


def test_what_one_machine_writes_every_other_reads(every: Stores) -> None:
    """A lone surrogate and letters from everywhere come back as they were."""
    written(every.machine(), state(1, a=41, b=42))
    assert every.machine().read() == state(1, a=41, b=42)
    written(every.machine(), state(2, a=41))
    assert every.machine().read() == state(2, a=41)


def test_a_run_writes_several_times_under_one_serial(stores: Stores) -> None:
    store = written(stores.machine(), state(1))
    for ids in ({"a": 1}, {"a": 1, "b": 2}, {"b": 2}):
        store.write(state(2, **ids))
    assert stores.machine().read() == state(2, b=2)


def test_a_state_that_somebody_else_wrote_in_between_is_never_replaced(every: Stores) -> None:
    written(every.machine(), state(1))
    mine, theirs = every.machine(), every.machine()
    mine.read(), theirs.read()
    theirs.write(state(2, a=41))
    with pytest.raises(StateError, match="changed while this run was at work"):
        mine.write(state(2, b=42))
    with pytest.raises(StateError, match="changed while this run was at work"):
        every.machine().write(state(3))  # without having read
    assert every.machine().read() == state(2, a=41)


def test_two_that_found_nothing_do_not_both_write(stores: Stores) -> None:
    mine, theirs = stores.machine(), stores.machine()
    mine.read(), theirs.read()
    theirs.write(state(1, a=41))
    with pytest.raises(StateError, match="changed while this run was at work"):
        mine.write(state(1, "other"))
    assert stores.machine().read() == state(1, a=41)


@pytest.mark.parametrize("wrong", [state(3), state(5, "other"), State()], ids=["older", "other-lineage", "no-lineage"])
def test_a_state_that_does_not_follow_is_refused(stores: Stores, wrong: State) -> None:
    store = written(stores.machine(), state(4, a=41))
    with pytest.raises(StateError, match="does not follow"):
        store.write(wrong)
    assert stores.machine().read() == state(4, a=41)


def test_replacing_keeps_what_was_there(stores: Stores) -> None:
    written(stores.machine(), state(4, a=41))
    store = stores.machine()
    (aside,) = store.replace(state(1, "other"))
    assert stores.machine().read() == state(1, "other")
    assert '"case.a"' in Path(aside).read_text(encoding="utf-8", errors="replace")
    assert stores.machine().present() == [store.place]
    store.write(state(2, "other", b=2))


def test_a_moved_state_is_not_found_here(stores: Stores) -> None:
    store = written(stores.machine(), state(1, a=41))
    store.retire("git main")
    if stores.shared:
        with pytest.raises(StateMoved, match="no longer kept") as error:
            stores.machine().read()
        assert "git main" in error.value.detail
        again = stores.machine()
        again.replace(state(2, a=41))
        assert stores.machine().read() == state(2, a=41)
    else:
        assert not stores.machine().read().exists


# -- the lock ------------------------------------------------------------------------------------------------------------


def test_one_run_at_a_time(every: Stores) -> None:
    with every.machine().lock(ANN) as held:
        assert held.left_behind is None and held.lost() is None
        with pytest.raises(StateLocked) as error, every.machine().lock(BOB):
            pytest.fail("two runs at once")
        assert "ann@runner-1, process 11" in error.value.summary and ANN.url in error.value.summary
    with every.machine().lock(BOB) as held:
        assert held.left_behind is None


def test_a_lock_is_given_back_when_the_run_fails(stores: Stores) -> None:
    with pytest.raises(ZeroDivisionError), stores.machine().lock(ANN):
        raise ZeroDivisionError
    with stores.machine().lock(BOB) as held:
        assert held.left_behind is None


def test_the_holder_writes_while_it_holds(stores: Stores) -> None:
    store = stores.machine()
    with store.lock(ANN):
        written(store, state(1))
        store.write(state(2, a=1))
    assert stores.machine().read() == state(2, a=1)


def test_a_live_lock_is_not_cleared(stores: Stores) -> None:
    with stores.machine().lock(ANN) as held:
        with pytest.raises(StateLocked, match="ann@runner-1"):
            stores.machine().unlock()
        assert held.lost() is None


def test_nobody_holds_it(stores: Stores) -> None:
    assert stores.machine().unlock() is None
    with stores.machine().lock(ANN):
        pass
    assert stores.machine().unlock() is None and stores.machine().unlock(force=True) is None


def test_waiting_for_a_lock_ends(shared: Stores) -> None:
    with shared.machine().lock(ANN):
        before = shared.time.now
        with pytest.raises(StateLocked, match="ann") as error, shared.machine().lock(BOB, timeout=5):
            pytest.fail("two runs at once")
        assert shared.time.now - before == 5 and "waited for 5 s" in error.value.detail


def test_a_lock_that_comes_free_is_taken(shared: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    first = shared.machine().lock(ANN)
    first.__enter__()
    monkeypatch.setattr(shared.time, "sleep", lambda seconds: first.__exit__(None, None, None))
    with shared.machine().lock(BOB, timeout=5) as held:
        assert held.left_behind is None


def test_force_breaks_a_lock(shared: Stores) -> None:
    store = shared.machine()
    with store.lock(ANN):
        assert shared.machine().unlock(force=True) == ANN
        with shared.machine().lock(BOB):
            pass
    written(shared.machine(), state(1))


# -- leases --------------------------------------------------------------------------------------------------------------


def test_whoever_only_reads_is_told_who_is_at_work(stores: Stores) -> None:
    """But for Terraform's protocol, which cannot tell a dead run from one that lives."""
    store, reader = written(stores.machine(), state(1)), stores.machine()
    reader.read()
    assert reader.at_work() is None
    with store.lock(ANN):
        assert reader.at_work() == (None if stores.kind == "http" else ANN)
        assert store.at_work() is None
    assert reader.at_work() is None
    with reader.lock(ANN):
        pass  # looking has left no lock


def test_nobody_is_at_work_under_a_lease_that_ran_out(leases: Stores) -> None:
    left_by_a_dead_job(leases)
    reader = leases.machine()
    assert reader.at_work() is not None
    leases.time.now += TTL + GRACE + 1
    assert reader.at_work() is None


def left_by_a_dead_job(stores: Stores) -> Any:
    """A lock whose holder never came back."""
    lock = stores.machine().lock(ANN)
    lock.__enter__()
    lock._end.set()
    lock._thread.join()
    return lock


def test_a_lease_that_ran_out_is_taken_over(leases: Stores) -> None:
    left_by_a_dead_job(leases)
    leases.time.now += TTL + GRACE
    with pytest.raises(StateLocked, match=r"ann@runner-1") as error, leases.machine().lock(BOB):
        pytest.fail("it has not run out yet")
    assert "runs out in 1 s by itself" in error.value.hint
    leases.time.now += 1
    with leases.machine().lock(BOB) as held:
        assert held.left_behind == ANN
        assert leases.time.told == [f"The lock was left by {ANN}, who gave no sign since 2026-11-23T00:00:00Z."]
        with pytest.raises(StateLocked, match="bob@runner-2"), leases.machine().lock(ANN):
            pytest.fail("two runs at once")


def test_waiting_long_enough_outlives_a_dead_job(leases: Stores) -> None:
    left_by_a_dead_job(leases)
    with leases.machine().lock(BOB, timeout=600) as held:
        assert held.left_behind == ANN


def test_a_heartbeat_keeps_a_lease(leases: Stores) -> None:
    lock = left_by_a_dead_job(leases)
    for _ in range(10):
        leases.time.now += BEAT
        lock.renew()
    assert lock.lost() is None
    with pytest.raises(StateLocked, match="ann"), leases.machine().lock(BOB):
        pytest.fail("its holder lives")
    lock.__exit__(None, None, None)
    assert leases.machine().unlock() is None


def test_who_was_taken_over_stops(leases: Stores) -> None:
    """It wakes up after the other has begun: nothing more is written, and the other's lock is not touched."""
    store = leases.machine()
    late = store.lock(ANN)
    late.__enter__()
    written(store, state(1))
    leases.time.now += TTL + GRACE + 1
    assert late.lost() is not None, "by its own clock it has run out"
    with leases.machine().lock(BOB) as held:
        late.renew()
        lost = late.lost()
        assert lost is not None and lost.exit_code == 7 and "bob@runner-2" in lost.detail
        with pytest.raises(StateError, match="no longer held"):
            store.write(state(2, a=1))
        late.__exit__(None, None, None)
        assert held.lost() is None
        with pytest.raises(StateLocked, match="bob"), leases.machine().lock(ANN):
            pytest.fail("two runs at once")
    assert leases.machine().read() == state(1)


def test_a_broken_lease_stops_its_holder(leases: Stores) -> None:
    lock = left_by_a_dead_job(leases)
    leases.machine().unlock(force=True)
    lock.renew()
    assert "Somebody broke it" in lock.lost().detail


def test_a_heartbeat_that_does_not_get_through_is_no_loss_at_once(
    leases: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = left_by_a_dead_job(leases)

    def down(*args: object) -> None:
        raise StateError("The network is down.")

    with monkeypatch.context() as patch:
        patch.setattr(lock.locker, "take", down)
        leases.time.now += TTL
        lock.renew()
        assert lock.lost() is None
        leases.time.now += 1
        assert "could not be renewed for 120 s" in lock.lost().detail
    lock.renew()
    assert lock.lost() is None, "nobody had taken it over"


def test_an_expired_lease_is_cleared_by_hand_as_well(leases: Stores) -> None:
    left_by_a_dead_job(leases)
    leases.time.now += TTL + GRACE + 1
    assert leases.machine().unlock() == ANN
    assert leases.machine().unlock() is None


# -- the run in progress -------------------------------------------------------------------------------------------------


def test_what_a_run_is_going_to_do_is_known_everywhere(shared: Stores) -> None:
    store = written(shared.machine(), state(1, x=3))
    store.started(run_of())
    assert shared.machine().unfinished() == run_of()
    assert shared.machine().read() == state(1, x=3)
    store.write(state(2, a=9))
    assert shared.machine().unfinished() == run_of(), "a state saved meanwhile does not end it"
    store.ended(replace(run_of().header, serial=2), [])
    assert shared.machine().unfinished() is None and shared.machine().read() == state(2, a=9)


def test_the_first_run_has_no_state_yet(shared: Stores) -> None:
    store = shared.machine()
    store.read()
    store.started(run_of(serial=0))
    other = shared.machine()
    assert other.read() == State() and other.unfinished() == run_of(serial=0)


def test_what_stays_open_stays_known(shared: Stores) -> None:
    store = written(shared.machine(), state(1))
    store.started(run_of())
    journal = Journal(store.journal_path, run_of().header)
    journal.intent([Item(1, "case.a", "create", title="A")], "2026-11-23T00:00:00Z")
    store.write(state(2))
    journal.finish(2)
    store.ended(replace(run_of().header, serial=2), journal.open)
    (record,) = shared.machine().unfinished().records
    assert record["items"][0]["address"] == "case.a"


def test_a_machine_that_kept_its_journal_knows_better(shared: Stores) -> None:
    store = written(shared.machine(), state(1))
    store.started(run_of())
    journal = Journal(store.journal_path, run_of().header)
    journal.outcome(journal.intent([Item(1, "case.a", "create", title="A")], "t"), "done", "t", [9])
    journal.close()
    assert store.unfinished() == read_journal(store.journal_path)
    assert shared.machine().unfinished() == run_of()


def test_a_journal_that_another_machine_has_settled_does_not_count(shared: Stores) -> None:
    store = written(shared.machine(), state(1))
    store.started(run_of())
    Journal(store.journal_path, run_of().header).intent([Item(1, "case.a", "create", title="A")], "t")
    other = shared.machine()
    other.read()
    other.write(state(2, a=9))
    other.ended(run_of().header, [])
    store.read()
    assert store.unfinished() is None
    store.drop_journal()
    assert not store.journal_path.exists() and store.journal_path.with_name(f"{NAME}.journal.settled").exists()


def test_breaking_a_lock_makes_the_run_count_as_made_now(shared: Stores) -> None:
    store = shared.machine()
    with store.lock(ANN):
        written(store, state(1))
        store.started(run_of())
        shared.time.now += 3600
        shared.machine().unlock(force=True)
    times = [record["time"] for record in shared.machine().unfinished().records if "intent" in record]
    assert times == ["2026-11-23T01:00:00Z"]


def test_a_local_journal_is_all_that_a_file_needs(opened: Opener) -> None:
    store = written(opened("local").machine(), state(1))
    store.started(run_of())
    assert store.unfinished() is None
    Journal(store.journal_path, run_of().header).intent([Item(1, "case.a", "create", title="A")], "t")
    store.drop_journal()
    assert store.unfinished() == read_journal(store.journal_path) is not None


# -- git alone -----------------------------------------------------------------------------------------------------------


def test_git_uses_the_token_that_the_job_has_left_in_the_clone(template: Path, tmp_path: Path) -> None:
    """As actions/checkout does it: a header in the clone's own settings. Without it git fails, and asks nobody."""
    shutil.copytree(template, tmp_path / "srv" / "shop.git")
    with git_over_http(tmp_path / "srv", password="t0ken") as url:
        header = f"http.{url}/.extraheader=Authorization: Basic {base64.b64encode(b'ci:t0ken').decode()}"
        git(tmp_path, "-c", header, "clone", "-q", "--depth=1", f"{url}/shop.git", "job")
        store = git_store(tmp_path / "job", Time())
        with pytest.raises(StateError, match="cannot be read") as error:
            store.read()
        assert "t0ken" not in f"{error.value} {error.value.detail} {error.value.hint}"
        git(tmp_path / "job", "config", "--local", *header.split("=", 1))
        written(git_store(tmp_path / "job", Time()), state(1, a=1))
        git(tmp_path / "job", "config", "--local", "--unset", header.split("=", 1)[0])
        git(tmp_path / "job", "remote", "set-url", "origin", url.replace("//", "//ci:t0ken@") + "/shop.git")
        assert git_store(tmp_path / "job", Time()).read() == state(1, a=1)
        git(tmp_path / "job", "remote", "set-url", "origin", url.replace("//", "//ci:wr0ng@") + "/shop.git")
        with pytest.raises(StateError, match="cannot be read") as error:
            git_store(tmp_path / "job", Time()).read()
        assert "wr0ng" not in f"{error.value} {error.value.detail} {error.value.hint}"


def test_git_from_a_folder_below_and_an_address_that_is_relative(template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "srv" / "shop.git")
    folder = clone((tmp_path / "srv" / "shop.git").as_uri(), tmp_path / "job") / "tests" / "qase"
    folder.mkdir(parents=True)
    git(folder, "remote", "set-url", "origin", "../srv/shop.git")
    written(git_store(folder, Time()), state(1, a=1))
    assert git_store(folder, Time()).read() == state(1, a=1)


def test_projects_share_a_branch_of_git(template: Path, tmp_path: Path) -> None:
    """Each has its file there; a push of one does not stand in the way of the other's."""
    shutil.copytree(template, tmp_path / "srv" / "shop.git")
    url = (tmp_path / "srv" / "shop.git").as_uri()
    one = git_store(clone(url, tmp_path / "one"), Time())
    folder = clone(url, tmp_path / "two")
    slots = GitSlots(Place(folder, folder / ".qase-iac/other.git", "OTHER@api.qase.io"), clean_git(), Time().wall)
    other = RemoteStore(SlotBackend(slots), folder / ".qase-iac/other.json", Time().outside)
    written(one, state(1, a=1)), written(other, state(1, "other"))
    with one.lock(ANN), other.lock(BOB):
        one.write(state(2, a=1)), other.write(state(2, "other"))
    assert one.read() == state(2, a=1) and other.read() == state(2, "other")
    files = git(tmp_path / "srv" / "shop.git", "ls-tree", "--name-only", "qase-iac-state").split()
    assert files == ["OTHER@api.qase.io.json", f"{NAME}.json"]


def test_a_branch_that_may_not_be_written_is_told(template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "srv" / "shop.git")
    hook = tmp_path / "srv" / "shop.git" / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'protected branch' >&2\nexit 1\n")
    hook.chmod(0o755)
    store = git_store(clone((tmp_path / "srv" / "shop.git").as_uri(), tmp_path / "job"), Time())
    store.read()
    with pytest.raises(StateError, match="cannot be written") as error:
        store.write(state(1))
    assert "protected branch" in error.value.detail and "contents: write" in error.value.hint


def test_a_branch_that_may_not_be_deleted_is_left_empty(template: Path, tmp_path: Path) -> None:
    shutil.copytree(template, tmp_path / "srv" / "shop.git")
    git(tmp_path / "srv" / "shop.git", "config", "receive.denyDeletes", "true")
    stores = [git_store(clone((tmp_path / "srv" / "shop.git").as_uri(), tmp_path / f"job-{n}"), Time()) for n in (1, 2)]
    for store in (*stores, *stores):
        with store.lock(ANN) as held:
            assert held.left_behind is None
        assert store.unlock() is None


# -- S3 alone ------------------------------------------------------------------------------------------------------------


def test_a_store_that_ignores_conditions_is_refused() -> None:
    class Careless:
        """Takes whatever comes."""

        class exceptions:
            class ClientError(Exception):
                response: ClassVar[dict[str, Any]] = {"Error": {"Code": "NoSuchKey"}}

        def get_object(self, **about: Any) -> Any:
            raise self.exceptions.ClientError

        def put_object(self, **about: Any) -> Any:
            return {"ETag": '"1"'}

    pytest.importorskip("botocore", reason="boto3 is not installed")
    backend = SlotBackend(S3Slots("b", "k", Careless))
    with pytest.raises(StateError, match="takes no notice of conditions"):
        LeaseLock(backend, ANN, 0, Time().outside).__enter__()


def test_s3_without_boto3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(StateError, match="needs boto3") as error:
        client(None, None)
    assert "qase-iac[s3]" in error.value.hint
