"""Files on disk, and the patch that git takes."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from qase_iac.config.edit import FileEdit, patch, write
from qase_iac.errors import QaseIacError, SafetyRefusal

OLD = b"".join(b"line %d\n" % n for n in range(40))


def changed(*numbers: int) -> bytes:
    return b"".join(b"LINE %d\n" % n if n in numbers else b"line %d\n" % n for n in range(40))


EDITS = [
    FileEdit("a.yaml", OLD, changed(0, 3, 20, 39)),
    FileEdit("begin.yaml", OLD, b"new\n" + OLD),
    FileEdit("crlf.yaml", b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    FileEdit("mixed.yaml", b"a\r\nb\nc\r", b"a\nb\nc\r\n"),
    FileEdit("bom.yaml", b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfA\nb\n"),
    FileEdit("no end.yaml", b"a\nb", b"a\nc"),
    FileEdit("gets end.yaml", b"a\nb", b"a\nb\n"),
    FileEdit("loses end.yaml", b"a\nb\n", b"a\nb"),
    FileEdit("sub folder/näme 🛑.yaml", b"a\n", b"b\n"),
    FileEdit('quo"te\\.yaml', b"a\n", b"b\n"),
    FileEdit("new/deep/new file.yaml", None, b"x\ny"),
    FileEdit("gone.yaml", b"x\ny\n", None),
    FileEdit("separators.yaml", "a\u2028b\x85c\x0cd\n".encode(), "a\u2028B\x85c\x0cd\n".encode()),
    FileEdit("shift.yaml", b"t\n" + b"same\n" * 12 + b"x\n" + b"same\n" * 5, b"t\n" + b"same\n" * 17),
]


def put(root: Path, edits: list[FileEdit]) -> None:
    for edit in edits:
        path = root / edit.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if edit.before is not None:
            path.write_bytes(edit.before)


def found(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def wanted(edits: list[FileEdit]) -> dict[str, bytes]:
    return {edit.path: edit.after for edit in edits if edit.after is not None}


def git(root: Path, *arguments: str, data: bytes = b"") -> None:
    command = ["git", "-c", "core.autocrlf=false", *arguments]
    done = subprocess.run(command, cwd=root, input=data, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("edits", [[each] for each in EDITS] + [EDITS], ids=[each.path for each in EDITS] + ["all"])
def test_git_applies_the_patch_and_takes_it_back(tmp_path: Path, edits: list[FileEdit]) -> None:
    put(tmp_path, edits)
    git(tmp_path, "init", "-q")
    data = patch(edits).encode()
    git(tmp_path, "apply", "--whitespace=nowarn", "-", data=data)
    assert found(tmp_path) == wanted(edits)
    git(tmp_path, "apply", "-R", "--whitespace=nowarn", "-", data=data)
    assert found(tmp_path) == {edit.path: edit.before for edit in edits if edit.before is not None}


def test_the_patch_is_what_people_know() -> None:
    assert patch([FileEdit("no end.yaml", b"a\nb", b"a\nc")]) == (
        "diff --git a/no end.yaml b/no end.yaml\n--- a/no end.yaml\t\n+++ b/no end.yaml\t\n"
        "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n\\ No newline at end of file\n"
    )


def test_all_is_written(tmp_path: Path) -> None:
    put(tmp_path, EDITS)
    write(tmp_path, EDITS)
    assert found(tmp_path) == wanted(EDITS)


def test_the_rights_of_a_file_stay(tmp_path: Path) -> None:
    put(tmp_path, EDITS[:1])
    os.chmod(tmp_path / "a.yaml", 0o640)
    write(tmp_path, EDITS[:1])
    assert stat.S_IMODE((tmp_path / "a.yaml").stat().st_mode) == 0o640


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b.yaml").write_bytes(OLD)
    (tmp_path / "a.yaml").symlink_to("real/b.yaml")
    write(tmp_path, EDITS[:1])
    assert (tmp_path / "a.yaml").is_symlink()
    assert (tmp_path / "real" / "b.yaml").read_bytes() == EDITS[0].after


def test_nothing_is_written_outside(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (tmp_path / "far.yaml").write_bytes(OLD)
    (root / "a.yaml").symlink_to("../far.yaml")
    with pytest.raises(SafetyRefusal, match=r"a\.yaml leads out of the project folder"):
        write(root, EDITS[:1])
    assert (tmp_path / "far.yaml").read_bytes() == OLD


@pytest.mark.parametrize(
    ("edit", "now", "what"),
    [
        (EDITS[0], OLD + b"# mine\n", "was changed"),
        (EDITS[0], None, "was removed"),
        (EDITS[10], b"mine\n", "was made"),
    ],
)
def test_what_changed_meanwhile_is_not_written_over(
    tmp_path: Path, edit: FileEdit, now: bytes | None, what: str
) -> None:
    put(tmp_path, EDITS)
    path = tmp_path / edit.path
    path.unlink(missing_ok=True)
    if now is not None:
        path.write_bytes(now)
    before = found(tmp_path)
    with pytest.raises(SafetyRefusal, match=f"{edit.path} {what} on disk meanwhile") as caught:
        write(tmp_path, EDITS)
    assert caught.value.code == "file-changed"
    assert found(tmp_path) == before


def test_a_disk_that_fails_half_way_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, EDITS)
    before, real, count = found(tmp_path), os.replace, [0]

    def replace(old: str, new: str) -> None:
        count[0] += 1
        if count[0] == 4:
            raise OSError(28, "No space left on device", str(new))
        real(old, new)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(QaseIacError, match="No space left"):
        write(tmp_path, EDITS)
    assert found(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_rights(tmp_path: Path) -> None:
    put(tmp_path, EDITS[:1])
    os.chmod(tmp_path, 0o500)
    try:
        with pytest.raises(QaseIacError, match="Permission denied"):
            write(tmp_path, EDITS[:1])
    finally:
        os.chmod(tmp_path, 0o700)


def test_attachments_are_in_the_patch(tmp_path: Path) -> None:
    """Bytes that are no text travel as git's own binary patches, there and back."""
    data = bytes(range(256)) * 3
    edits = [FileEdit("img/new.png", None, data), FileEdit("img/old.png", data, None),
             FileEdit("img/same.png", data, data[::-1]), FileEdit("img/none.png", None, b"\xff")]  # fmt: skip
    put(tmp_path, edits)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=patch(edits).encode(), check=True)
    assert {name: text for name, text in found(tmp_path).items() if ".git" not in name} == {
        each.path: each.after for each in edits if each.after is not None
    }


def test_folders_that_are_left_empty_go(tmp_path: Path) -> None:
    edits = [FileEdit("a/b/c.yaml", OLD, None), FileEdit("a/d.yaml", OLD, OLD + b"# x\n")]
    put(tmp_path, edits)
    write(tmp_path, edits)
    assert not (tmp_path / "a/b").exists() and (tmp_path / "a/d.yaml").exists()
