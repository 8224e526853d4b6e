"""Which project an export is of, what its qase.yaml says about the API, and when it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from e2e_kit import Folder, actions

from qase_iac.emulator import create_app, start_server
from qase_iac.errors import NotFound, QaseIacError
from qase_iac.workflow.exporting import export, source_session
from qase_iac.workflow.session import Ask, World

FILES: dict[str, str | bytes] = {"a.yaml": "cases: {a: {title: A}}\n"}


def test_without_a_folder_the_option_or_the_environment_names_the_project(tmp_path: Path) -> None:
    with start_server(create_app(seed={"projects": [{"code": "ONE", "title": "One"}]})) as server:
        server.app.ui.create("ONE", "case", title="A")
        environment = {"QASE_TESTOPS_API_TOKEN": "any", "QASE_IAC_API_URL": server.url}
        for given, project in (({}, "ONE"), ({"QASE_TESTOPS_PROJECT": "ONE"}, None)):
            world = World(environment={**environment, **given})
            session = source_session(Ask(tmp_path, rate_limit=0), world, project)
            assert session.settings.rate_limit == 0
            target = tmp_path / f"copy{len(given)}"
            exported = export(session, target, "suite")
            assert (exported.objects, actions(exported.plan)) == (1, {})
            settings = yaml.safe_load((target / "qase.yaml").read_text())
            assert (settings["project"], settings["title"], settings["api"]) == ("ONE", "One", {"url": server.url})
    with pytest.raises(QaseIacError) as error:
        source_session(Ask(tmp_path), World(environment={}), None)
    assert "--project" in error.value.hint


def test_another_project_than_that_of_the_folder_at_hand(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder(FILES).applied()
    shop.app.ui.create("", "project", code="OTHER", title="Other")
    shop.app.ui.create("OTHER", "case", title="B")
    world = World(environment={}, app=shop.app)
    export(source_session(Ask(shop.root), world, "OTHER"), tmp_path / "copy", "suite")
    copy = Folder(tmp_path / "copy", shop.app)
    assert yaml.safe_load((copy.root / "qase.yaml").read_text())["project"] == "OTHER"
    assert actions(copy.plan()) == {}
    assert copy.plan().summary.no_op == 1


def test_a_project_that_is_not_there_is_not_an_empty_one(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder(FILES)
    with pytest.raises(NotFound):
        shop.export(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_export_never_overwrites(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder(FILES).applied()
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/mine").write_text("mine")
    with pytest.raises(QaseIacError):
        shop.export(tmp_path / "copy")
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["mine"]


def test_an_export_that_fails_half_way_leaves_nothing(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder(FILES).applied()
    shop.app.faults.add("html", path="/case", times=0)
    with pytest.raises(QaseIacError):
        shop.export(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_an_export_carries_the_words_of_the_workspace(folder: Callable[..., Folder], tmp_path: Path) -> None:
    """So that it validates offline, with options that no stock list has."""
    shop = folder({"a.yaml": "cases: {a: {title: A, layer: contract}}\n"})
    layers = [{"id": 5, "slug": "contract", "title": "Contract", "default": True}]
    shop.app = create_app(seed={"system_fields": {"layer": layers}})
    _, copy = shop.applied().export(tmp_path / "copy")
    assert "contract" in (copy.root / "catalogue.yaml").read_text()
    assert "layer: contract" in (copy.root / "cases.yaml").read_text()
    assert copy.session().load_valid().desired.content_files == 1


def test_the_memory_emulator_is_named_as_it_is(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder(FILES, api={"url": "emulator::memory:"}).applied()
    _, copy = shop.export(tmp_path / "copy")
    assert yaml.safe_load((copy.root / "qase.yaml").read_text())["api"] == {"url": "emulator::memory:"}
