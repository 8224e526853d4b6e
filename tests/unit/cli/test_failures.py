"""What the program says when something is wrong with itself, or with its own emulator: never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, run
from typing import Any

import pytest
from e2e_kit import Folder, clean_env, qase_yaml, run_cli

from qase_iac.workflow import validating


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, folder: Callable[..., Folder]) -> Folder:
    """A folder whose validation runs into a bug of ours."""

    def bug(*_: Any) -> Any:
        raise KeyError("\x1b[31mno such thing")

    monkeypatch.setattr(validating, "validate", bug)
    return folder({"a.yaml": "cases: {a: {title: A}}\n"})


def test_a_bug_is_said_shortly_and_escaped(broken: Folder) -> None:
    ran = run_cli("-C", broken.root, "validate")
    assert (ran.code, ran.out) == (1, "")
    assert "in a way that it should not: KeyError" in ran.err
    assert "\x1b" not in ran.err
    assert "-v" in ran.err


def test_a_bug_is_shown_in_full_on_request(broken: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        run_cli("-C", broken.root, "-v", "validate")
    monkeypatch.setenv("QASE_IAC_DEBUG", "1")
    with pytest.raises(KeyError):
        run_cli("-C", broken.root, "validate")


def own_emulator(root: Path, **api: str) -> Path:
    (root / "qase.yaml").write_text(qase_yaml(api={"url": "emulator", **api}))
    (root / "a.yaml").write_text("cases: {a: {title: A}}\n")
    return root


def test_a_seed_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("bogus: 1\n")
    ran = run_cli("-C", own_emulator(tmp_path, seed="seed.yaml"), "plan")
    assert (ran.code, ran.out) == (1, "")
    assert "The emulator cannot start" in ran.err and "unknown key 'bogus'" in ran.err


@pytest.mark.parametrize("what", ["garbage", "folder"])
def test_a_database_that_is_none(tmp_path: Path, what: str) -> None:
    database = own_emulator(tmp_path) / ".qase-iac/emulator.db"
    database.mkdir(parents=True)
    if what == "garbage":
        database.rmdir()
        database.write_bytes(b"garbage " * 1000)
    for arguments in (["-C", tmp_path, "plan"], ["-C", tmp_path, "emulator", "--port", "0", "--db", database]):
        ran = run_cli(*arguments)
        assert (ran.code, ran.out) == (1, "")
        assert "The emulator cannot start" in ran.err
        assert "should not" not in ran.err


def test_init_says_what_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run_cli("-C", tmp_path, "init", "file/shop")
    assert ran.code == 1
    assert "should not" not in ran.err


def test_export_asks_which_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QASE_TESTOPS_PROJECT", raising=False)
    ran = run_cli("-C", tmp_path, "export", "copy")
    assert ran.code == 1
    assert "--project" in ran.err


def test_a_schema_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run_cli("schema", "--write", tmp_path / "file")
    assert ran.code == 1
    assert "cannot be written" in ran.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("words", [("validate",), ("explain", "case"), ("validate", "--format", "json")], ids=" ".join)
def test_an_answer_that_cannot_be_written_is_an_error(words: tuple[str, ...], folder: Callable[..., Folder]) -> None:
    root = folder({"a.yaml": "cases: {a: {title: A}}\n"}).root
    with open("/dev/full", "wb") as full:
        ran = run([sys.executable, "-m", "qase_iac", *words], cwd=root, stdout=full, stderr=PIPE, env=clean_env())
    assert (ran.returncode, ran.stderr) == (1, b"Error: The answer could not be written: No space left on device.\n")


def test_a_reader_that_has_gone_ends_it_quietly(folder: Callable[..., Folder]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = run([sys.executable, "-m", "qase_iac", "explain", "case"], stdout=writer, stderr=PIPE, env=clean_env())
    finally:
        os.close(writer)
    assert (ran.returncode, ran.stderr) == (1, b"")
