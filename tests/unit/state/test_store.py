"""The state file: whole or not at all, never somebody else's, and readable back byte for byte."""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from state_helpers import LINEAGE, ME

from qase_iac.errors import SafetyRefusal, StateError
from qase_iac.state.model import Binding, State
from qase_iac.state.store import LocalStore, StateStore, check_identity, dump, parse, state_path


def state(serial: int = 1, **bindings: Binding) -> State:
    return State(LINEAGE, serial, "SHOP", "https://api.qase.io/v1", "qase-iac 0.1.0", bindings)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / ".qase-iac" / "SHOP@api.qase.io.json")


def stored(store: LocalStore, *serials: int) -> LocalStore:
    store.read()
    for serial in serials:
        store.write(state(serial))
    return store


def test_it_is_a_state_store(store: LocalStore) -> None:
    as_protocol: StateStore = store
    assert as_protocol.read() == State()


def test_no_file_is_no_state(store: LocalStore) -> None:
    assert not store.read().exists
    assert not store.path.parent.exists()


def test_what_is_written_is_read(store: LocalStore) -> None:
    store.read()
    full = state(
        1, **{"case.x": Binding(41, {"title": "Grüße 🎉\ud800", "a": None}, {"title": "x"}, True, ["suite.s"])}
    )
    full.files, full.moved, full.applied = {"ab": {"hash": "h"}}, ["a -> b"], ["sha256:1"]
    store.write(full)
    assert LocalStore(store.path).read() == full
    assert "Grüße 🎉".encode() in store.path.read_bytes()


def test_one_binding_a_line(store: LocalStore) -> None:
    store.read()
    store.write(state(1, **{"case.b": Binding(2), "case.a": Binding(1)}))
    lines = store.path.read_text().splitlines()
    assert '"case.a": {"id": 1, "sent": {}},' in lines
    assert lines.index('"case.a": {"id": 1, "sent": {}},') < lines.index('"case.b": {"id": 2, "sent": {}}')
    assert lines[-1] == "}"


def test_only_the_owner_may_look(store: LocalStore) -> None:
    old = os.umask(0)
    try:
        stored(store, 1, 2)
    finally:
        os.umask(old)
    for path in (store.path, store.backup_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_the_backup_is_the_version_before_this_run(store: LocalStore) -> None:
    stored(store, 1)
    assert not store.backup_path.exists()
    second = LocalStore(store.path)
    second.read()
    second.write(state(2, **{"case.x": Binding(1)}))
    second.write(state(2, **{"case.x": Binding(1), "case.y": Binding(2)}))
    assert parse(store.backup_path.read_bytes()) == state(1)
    assert sorted(path.name for path in store.path.parent.iterdir()) == [store.path.name, store.backup_path.name]


def test_a_backup_without_hard_links(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> None:
        raise OSError(1, "not here")

    monkeypatch.setattr(os, "link", refuse)
    stored(store, 1, 2)
    assert parse(store.backup_path.read_bytes()).serial == 1


def test_a_version_that_somebody_else_wrote_is_not_replaced(store: LocalStore) -> None:
    stored(store, 1)
    mine, theirs = LocalStore(store.path), LocalStore(store.path)
    mine.read(), theirs.read()
    theirs.write(state(2))
    with pytest.raises(StateError, match="changed while this run was at work"):
        mine.write(state(2, **{"case.x": Binding(1)}))
    assert LocalStore(store.path).read() == state(2)


def test_one_that_was_only_touched_is(store: LocalStore) -> None:
    stored(store, 1)
    os.utime(store.path, (1, 1))
    store.write(state(2))


def test_one_that_appeared_since_is_not_replaced(store: LocalStore) -> None:
    store.read()
    stored(LocalStore(store.path), 1)
    with pytest.raises(StateError, match="now has serial 1"):
        store.write(state(1))


def test_one_that_was_removed_is_not_quietly_made_again(store: LocalStore) -> None:
    stored(store, 3)
    store.path.unlink()
    with pytest.raises(StateError, match="now has serial 0"):
        store.write(state(4))


def test_one_that_was_never_read_is_not_replaced(store: LocalStore) -> None:
    stored(store, 1)
    with pytest.raises(StateError):
        LocalStore(store.path).write(state(2))


@pytest.mark.parametrize(
    "wrong", [State("other", 2), state(0), State("", 2)], ids=["other lineage", "older", "no lineage"]
)
def test_what_does_not_follow_is_refused(store: LocalStore, wrong: State) -> None:
    stored(store, 1)
    with pytest.raises(StateError, match="does not follow"):
        store.write(wrong)
    assert LocalStore(store.path).read().serial == 1


def test_a_write_that_fails_half_way_leaves_the_version_before(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(store, 1)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left on device"):
        store.write(state(2))
    monkeypatch.undo()
    assert LocalStore(store.path).read().serial == 1
    assert not store.path.with_name(store.path.name + ".tmp").exists()
    store.write(state(2))


def test_file_and_folder_are_synced_before_and_after_the_rename(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        seen.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_fsync(descriptor)

    def replace(source: object, target: object) -> None:
        seen.append("rename")
        real_replace(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    stored(store, 1)
    assert seen == ["file", "rename", "folder"]


def test_a_link_in_the_place_of_the_temporary_file_is_not_followed(store: LocalStore, tmp_path: Path) -> None:
    stored(store, 1)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    store.path.with_name(store.path.name + ".tmp").symlink_to(victim)
    with pytest.raises(StateError):
        store.write(state(2))
    assert victim.read_text() == "mine"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": 2, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": {}}',
        b'{"format": 1, "lineage": "l", "serial": "x", "project": "P", "api": "a", "bindings": {}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": []}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": {"case.a": 3}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": {"case.a": {"id": null}}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": {"case.a": {"id": true}}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", "bindings": {"a": {"id": 1}}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", '
        b'"bindings": {"case.a": {"id": 1, "depends_on": "x"}}}',
        b'{"format": 1, "lineage": "l", "serial": 1, "project": "P", "api": "a", '
        b'"bindings": {"case.a": {"id": 1, "sent": []}}}',
    ],
)
def test_a_file_that_is_not_ours_is_said_to_be_so(store: LocalStore, content: bytes) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(content)
    with pytest.raises(StateError) as caught:
        store.read()
    assert "state rebuild --replace" in caught.value.hint and ".backup" in caught.value.hint
    assert store.path.read_bytes() == content


@given(st.binary(max_size=200))
def test_no_bytes_make_it_stumble(content: bytes) -> None:
    with suppress(ValueError):
        parse(content)


VALID = b"".join(dump(state(3, **{"case.x": Binding(41, {"title": "T"}, protect=True, depends_on=["suite.s"])})))


@given(st.integers(0, len(VALID) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_nor_does_a_file_with_a_few_bytes_changed(at: int, change: bytes, drop: int) -> None:
    with suppress(ValueError):
        parse(VALID[:at] + change + VALID[at + drop :])


def test_a_folder_in_its_place_is_said_to_be_one(store: LocalStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(StateError, match="is no file"):
        store.read()


def test_a_path_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = LocalStore(tmp_path / "file" / "state.json")
    with pytest.raises(StateError, match="cannot be read"):
        store.read()


def test_the_lock_of_a_store_stands_beside_it(store: LocalStore) -> None:
    with store.lock(ME):
        assert store.lock_path.exists()
    assert store.unlock() is None
    assert store.journal_path.name == "SHOP@api.qase.io.journal"


@pytest.mark.parametrize(
    ("project", "api", "name"),
    [
        ("SHOP", "https://api.qase.io/v1", "SHOP@api.qase.io"),
        ("shop", "https://API.Qase.io/v1/", "SHOP@api.qase.io"),
        ("SHOP", "emulator", "SHOP@emulator"),
        ("SHOP", "emulator:x/y.db", "SHOP@emulator"),
        ("SHOP", "http://127.0.0.1:8090/v1", "SHOP@127.0.0.1_8090"),
        ("SHOP", "http://[::1]:8090", "SHOP@1_8090"),
        ("SHOP", "https://user:secret@host/v1", "SHOP@host"),
        ("../../etc/x", "https://..", "ETC_X@unknown"),
        ("A B\n", "http://[bad", "A_B@http_bad"),
    ],
)
def test_where_the_state_is_kept(project: str, api: str, name: str) -> None:
    assert state_path(Path("root"), project, api) == Path("root/.qase-iac") / f"{name}.json"


@pytest.mark.parametrize(
    ("project", "api", "fits"),
    [
        ("SHOP", "https://api.qase.io/v1", True),
        ("shop", "HTTPS://api.QASE.io/v1/", True),
        ("OTHER", "https://api.qase.io/v1", False),
        ("SHOP", "https://api.qase.io/V1", False),
        ("SHOP", "https://api-eu.qase.io/v1", False),
        ("SHOP", "emulator", False),
    ],
)
def test_a_state_belongs_to_one_project_of_one_api(project: str, api: str, fits: bool) -> None:
    check_identity(State(), project, api)
    if fits:
        check_identity(state(), project, api)
        return
    with pytest.raises(SafetyRefusal) as caught:
        check_identity(state(), project, api)
    assert caught.value.code == "foreign-state"


def test_the_dump_is_json(store: LocalStore) -> None:
    assert json.loads(b"".join(dump(state()))) == state().to_json()
