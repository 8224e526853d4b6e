"""write_project: whole or not at all, inside the folder, and read back by the loader."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
import yaml

from qase_iac.config import writer
from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.config.layout import SuitePlace
from qase_iac.config.loader import load
from qase_iac.config.settings import Overrides, load_settings
from qase_iac.config.writer import FilePath, WritableFile, WritableObject, WritableProject, write_project
from qase_iac.errors import QaseIacError


def project() -> WritableProject:
    return WritableProject(
        {"project": "SHOP"},
        [
            WritableObject("milestone", "r1", {"title": "R1"}),
            WritableObject("shared_step", "sign-in", {"title": "Sign in", "steps": ["Open"]}),
            WritableObject("suite", "shop", {"title": "Shop"}),
            WritableObject("suite", "shop/pay", {"title": "Pay"}, "shop"),
            WritableObject("suite", "deep", {"title": "Deep"}, "shop/pay"),
            WritableObject("case", "a", {"title": "A", "description": "x\n\n", "steps": [{"shared": "sign-in"}]}, "shop/pay"),
            WritableObject("case", "b", {"title": "B", "description": "x\n\n\n"}, "shop/pay"),
            WritableObject("case", "c", {"title": "C"}, "deep"),
            WritableObject("case", "null", {"title": "D", "milestone": "r1"}),
            WritableObject("plan", "p", {"title": "P", "cases": ["a", "b"]}),
        ],
        {place.key: place for place in (SuitePlace("shop", "shop"), SuitePlace("shop/pay", "shop/pay"), SuitePlace("deep", "shop/pay/deep", "/deep"))},
    )  # fmt: skip


def read(folder: Path) -> dict[str, dict[str, object]]:
    settings, problems = load_settings(folder, profile=None, environment={}, overrides=Overrides(None, None, None))
    assert settings is not None, problems
    result = load(settings, offline=read_catalogue(folder)[0])
    assert [d for d in result.diagnostics if d.is_error] == []
    return {str(address): dict(r.attributes) for address, r in result.desired.resources.items()}


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_layout_suite(tmp_path: Path) -> None:
    written = write_project(tmp_path / "out", project())
    expected = [
        "cases.yaml", "milestones.yaml", "plans.yaml", "qase.yaml", "shared_steps.yaml", "shop/pay/cases.yaml",
        "shop/pay/deep/cases.yaml", "shop/pay/deep/suite.yaml", "shop/pay/suite.yaml", "shop/suite.yaml",
    ]  # fmt: skip
    assert files(tmp_path / "out") == sorted(written.paths) == expected
    assert (tmp_path / "out/shop/pay/deep/suite.yaml").read_text() == "key: /deep\ntitle: Deep\n"


def test_layout_case(tmp_path: Path) -> None:
    write_project(tmp_path / "out", project(), "case")
    assert files(tmp_path / "out") == [
        "milestones.yaml", "null.case.yaml", "plans.yaml", "qase.yaml", "shared_steps.yaml", "shop/pay/a.case.yaml",
        "shop/pay/b.case.yaml", "shop/pay/deep/c.case.yaml", "shop/pay/deep/suite.yaml", "shop/pay/suite.yaml", "shop/suite.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("layout", writer.LAYOUTS)
def test_the_loader_reads_what_was_written(tmp_path: Path, layout: writer.Layout) -> None:
    write_project(tmp_path / "out", project(), layout)
    found = read(tmp_path / "out")
    assert found["suite.deep"]["parent"] == {"address": "suite.shop/pay"}
    assert found["case.c"]["suite"] == {"address": "suite.deep"}
    assert found["case.null"]["suite"] is None
    assert found["case.a"] == {
        "title": "A", "description": "x\n\n", "steps": [{"shared": {"address": "shared_step.sign-in"}}], "suite": {"address": "suite.shop/pay"},
    }  # fmt: skip
    assert found["case.b"]["description"] == "x\n\n\n"
    assert len(found) == 10


def test_entries_have_a_line_between_unless_a_text_would_grow(tmp_path: Path) -> None:
    write_project(tmp_path / "out", project())
    assert (tmp_path / "out/shop/pay/cases.yaml").read_text() == (
        "cases:\n  a:\n    title: A\n    description: |+\n      x\n\n    steps:\n      - shared: sign-in\n\n"
        "  b:\n    title: B\n    description: |+\n      x\n\n\n"
    )


def test_large_sections_are_split_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_PART", 300)
    many = WritableProject(
        {"project": "SHOP"}, [WritableObject("case", f"k{n}", {"title": f"T{n}" * 20}) for n in range(30)]
    )
    write_project(tmp_path / "out", many)
    names = files(tmp_path / "out")
    assert names[:3] == ["cases.yaml", "cases_002.yaml", "cases_003.yaml"]
    keys = [key for name in names[:-1] for key in yaml.safe_load((tmp_path / "out" / name).read_text())["cases"]]
    assert keys == [f"k{n}" for n in range(30)]
    assert list(read(tmp_path / "out")) == [f"case.k{n}" for n in range(30)]


def test_documents_and_schema_line(tmp_path: Path) -> None:
    made = project()
    made.documents["emulator-seed.yaml"] = {"custom_fields": []}
    write_project(tmp_path / "out", made, schema="../schemas/content.json")
    assert (tmp_path / "out/emulator-seed.yaml").read_text() == "custom_fields: []\n"
    head = "# yaml-language-server: $schema=../schemas/content.json\n"
    assert (tmp_path / "out/cases.yaml").read_text().startswith(head)
    assert (tmp_path / "out/qase.yaml").read_text() == "project: SHOP\n"


@pytest.mark.parametrize("layout", writer.LAYOUTS)
def test_attachments_are_named_from_where_they_are_used(tmp_path: Path, layout: writer.Layout) -> None:
    made = project()
    path = "attachments/aaaaaaaa/x.png"
    made.files = [WritableFile("a" * 40, "x.png", "http://x", 3, path)]
    case = next(each for each in made.objects if each.key == "c")
    case.attributes |= {
        "attachments": [FilePath(path)],
        "steps": [{"action": "s", "attachments": [FilePath(path)], "steps": []}],
    }
    written = write_project(tmp_path / "out", made, layout, fetch=lambda file: file.hash.encode())
    sha = hashlib.sha256(b"a" * 40).hexdigest()
    assert written.files == {sha: {"hash": "a" * 40, "name": "x.png", "size": 40}}
    found = read(tmp_path / "out")["case.c"]
    assert found["attachments"] == [{"path": path, "sha256": sha, "size": 40, "name": "x.png"}]
    assert found["attachments"] == found["steps"][0]["attachments"]  # type: ignore[index]


def test_files_of_one_content_are_one_entry(tmp_path: Path) -> None:
    made = project()
    made.files = [WritableFile(c * 40, "x.png", "http://x", 1, f"attachments/{c}/x.png") for c in "abc"]
    written = write_project(tmp_path / "out", made, fetch=lambda file: b"same")
    entry = {"hash": "a" * 40, "name": "x.png", "size": 4, "also": ["b" * 40, "c" * 40]}
    assert list(written.files.values()) == [entry]


def test_an_empty_folder_is_filled_and_stays_the_same_one(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    before = target.stat().st_ino
    write_project(target, project())
    assert target.stat().st_ino == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out"]
    assert len(files(target)) == 10


def test_a_new_folder_has_the_usual_rights(tmp_path: Path) -> None:
    write_project(tmp_path / "a/b/out", project())
    plain = tmp_path / "plain"
    plain.mkdir()
    assert (tmp_path / "a/b/out").stat().st_mode == plain.stat().st_mode


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / ".hidden").write_text("x")
    file = tmp_path / "file"
    file.write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, message in (("full", "is not empty"), ("file", "is no folder"), ("link", "is no folder")):
        with pytest.raises(QaseIacError, match=message):
            write_project(tmp_path / name, project())
    assert files(full) == [".hidden"] and file.read_text() == "x"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "full", "link"]


@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_left_after_a_failure(tmp_path: Path, there: bool) -> None:
    target = tmp_path / "out"
    if there:
        target.mkdir()
    made = project()
    made.files = [WritableFile("a" * 40, "x.png", "http://x", 3, "attachments/a/x.png")]

    def fail(file: WritableFile) -> bytes:
        raise QaseIacError("cannot be fetched")

    with pytest.raises(QaseIacError, match="fetched"):
        write_project(target, made, fetch=fail)
    with pytest.raises(QaseIacError, match="has no content"):
        write_project(target, made)
    assert files(tmp_path) == []
    assert [p.name for p in tmp_path.iterdir()] == (["out"] if there else [])


def test_nothing_is_left_when_the_last_move_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.mkdir()
    rename, calls = os.rename, []

    def failing(source: Path, to: Path) -> None:
        calls.append(to)
        if len(calls) == 4:
            raise OSError(28, "No space left on device", str(to))
        rename(source, to)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(QaseIacError, match="No space left"):
        write_project(target, project())
    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["../x.yaml", "/etc/x.yaml", "a/../../x.yaml", ".."])
def test_no_name_leads_outside(tmp_path: Path, name: str) -> None:
    made = project()
    made.documents[name] = {"a": 1}
    with pytest.raises(QaseIacError, match="outside"):
        write_project(tmp_path / "out", made)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(QaseIacError) as caught:
        write_project(tmp_path / "file" / "out", project())
    assert "cannot be" in caught.value.summary
