"""One run at a time: between processes, and over the death of one."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from state_helpers import ME

from qase_iac.errors import StateError, StateLocked
from qase_iac.state.lock import Holder, Lock, holder_path, read_holder, unlock

OTHER = """
import sys, time
from pathlib import Path
from qase_iac.state.lock import Holder, Lock
with Lock(Path(sys.argv[1]), Holder("bob", "desk", 1, "2026-02-02T00:00:00Z", "qase-iac apply")):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s" / "state.lock"


@pytest.fixture
def other(path: Path):  # type: ignore[no-untyped-def]
    """A second process that holds the lock until it is told to let go, or is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_holder_is_named_while_it_lasts(path: Path) -> None:
    with Lock(path, ME) as lock:
        assert read_holder(path) == ME
        assert lock.left_behind is None
    assert read_holder(path) is None
    with Lock(path, ME):
        pass


def test_a_second_process_is_refused_and_told_by_whom(path: Path, other: subprocess.Popen[str]) -> None:
    with pytest.raises(StateLocked) as caught, Lock(path, ME):
        pass
    assert "bob@desk, process 1, since 2026-02-02T00:00:00Z, `qase-iac apply`" in caught.value.summary
    assert caught.value.exit_code == 7
    with pytest.raises(StateLocked):
        unlock(path)
    assert read_holder(path) is not None


def test_waiting_gets_it_when_the_other_lets_go(path: Path, other: subprocess.Popen[str]) -> None:
    def let_go() -> None:
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()

    threading.Timer(0.2, let_go).start()
    begun = time.monotonic()
    with Lock(path, ME, timeout=20):
        assert time.monotonic() - begun > 0.15
        assert read_holder(path) == ME


def test_waiting_ends(path: Path, other: subprocess.Popen[str]) -> None:
    begun = time.monotonic()
    with pytest.raises(StateLocked, match="bob") as caught, Lock(path, ME, timeout=0.2):
        pass
    assert 0.15 < time.monotonic() - begun < 5
    assert "0.2 s" in caught.value.detail


def test_a_killed_holder_is_recognised(path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert read_holder(path) is not None
    with Lock(path, ME) as lock:
        assert lock.left_behind is not None and lock.left_behind.user == "bob"
        assert read_holder(path) == ME


def test_what_a_killed_holder_left_can_be_cleared(path: Path, other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    dead = unlock(path)
    assert dead is not None and dead.user == "bob"
    assert read_holder(path) is None
    assert unlock(path) is None


def test_without_a_lock_there_is_nothing_to_clear(path: Path) -> None:
    assert unlock(path) is None
    assert not path.exists()


def test_the_same_process_does_not_get_it_twice(path: Path) -> None:
    with Lock(path, ME), pytest.raises(StateLocked, match="ann"), Lock(path, ME):
        pass


def test_an_error_inside_lets_go(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), Lock(path, ME):
        raise ZeroDivisionError
    with Lock(path, ME):
        pass


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"user": "x"}', b"\xff", json.dumps({**dict.fromkeys(ME.__slots__, "x")}).encode()]
)
def test_a_note_that_makes_no_sense_is_none(path: Path, note: bytes, other: subprocess.Popen[str]) -> None:
    holder_path(path).write_bytes(note)
    with pytest.raises(StateLocked, match="has not said its name"), Lock(path, ME):
        pass


def test_a_name_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in str(Holder("\x1b[31mann", "h", 1, "t"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be locked"), Lock(tmp_path / "file" / "state.lock", ME):
        pass


def test_a_folder_in_the_place_of_the_note_is_said_and_the_lock_given_back(path: Path) -> None:
    holder_path(path).mkdir(parents=True)
    with pytest.raises(StateError), Lock(path, ME):
        pass
    holder_path(path).rmdir()
    with Lock(path, ME):
        pass
