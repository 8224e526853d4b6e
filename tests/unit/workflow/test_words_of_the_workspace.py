"""Options of a workspace of one's own: the live catalogue decides, catalogue.yaml offline, else the stock list."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, qase_yaml

from qase_iac.emulator import create_app
from qase_iac.errors import ConfigurationError, SafetyRefusal
from qase_iac.workflow.validating import validate

SEED = {
    "projects": [{"code": "SHOP", "title": "Shop"}],
    "system_fields": {
        "severity": [
            {"id": 40, "slug": "sky-falls", "title": "Sky falls", "default": True},
            {"id": 41, "slug": "meh", "title": "Meh"},
        ]
    },
}


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    app = create_app(seed=SEED)
    yield Folder(tmp_path, app).write({"qase.yaml": qase_yaml(), "a.yaml": "cases: {a: {title: A, severity: meh}}\n"})
    app.close()


def codes(folder: Folder, **how: bool) -> list[str]:
    return [found.code for found in validate(folder.session(), **how).diagnostics]


def test_offline_a_word_of_the_workspace_is_unknown(shop: Folder) -> None:
    assert codes(shop) == ["unknown-word"]


def test_online_the_live_list_decides(shop: Folder) -> None:
    assert codes(shop, online=True) == []
    assert not (shop.root / "catalogue.yaml").exists()
    shop.edit("a.yaml", "meh", "normal")  # a stock word that this workspace has not
    assert codes(shop) == []
    assert codes(shop, online=True) == ["unknown-word"]


def test_remembered_words_are_known_offline(shop: Folder) -> None:
    result = validate(shop.session(), online=True, remember=True)
    assert (result.valid, result.remembered) == (True, "catalogue.yaml")
    assert codes(shop) == []
    shop.edit("a.yaml", "meh", "trivial")
    assert codes(shop) == ["unknown-word"]


def test_plan_and_apply_need_no_catalogue(shop: Folder) -> None:
    with shop.counting() as seen:
        plan = shop.plan()
    assert actions(plan) == {"case.a": "create"}
    assert plan.reading.requests == len(seen)
    shop.applied()
    assert shop.dump()["cases"][0]["severity"] == "meh"
    assert actions(shop.plan()) == {}


def test_a_word_that_nobody_knows_is_told_with_the_live_list(shop: Folder) -> None:
    shop.edit("a.yaml", "meh", "moh")
    with pytest.raises(ConfigurationError) as error:
        shop.plan()
    (found,) = error.value.diagnostics
    assert (found.code, found.source.file, found.source.line) == ("unknown-word", "a.yaml", 1)
    assert "sky-falls, meh" in found.detail
    assert "Did you mean `meh`?" in found.summary


def test_with_anything_else_wrong_qase_is_not_asked(shop: Folder) -> None:
    shop.edit("a.yaml", "title: A,", "titel: A,")
    with pytest.raises(ConfigurationError):
        shop.plan()
    shop.edit("a.yaml", "titel: A,", "title: A, status: atcual,")  # a fixed word: no workspace has others
    with pytest.raises(ConfigurationError):
        shop.plan()
    assert shop.app.requests == []


@pytest.mark.usefixtures("no_waiting")
def test_an_unreadable_qase_does_not_hide_what_is_wrong_with_the_files(shop: Folder) -> None:
    shop.app.faults.add("500", times=0)
    with pytest.raises(ConfigurationError) as error:
        shop.plan()
    assert [found.code for found in error.value.diagnostics] == ["unknown-word"]


def test_nothing_is_asked_with_the_state_of_another_project(shop: Folder) -> None:
    shop.edit("a.yaml", ", severity: meh", "").applied(new_state=True)
    state = shop.state_path
    state.write_text(state.read_text().replace('"project": "SHOP"', '"project": "OTHER"'))
    shop.app.requests.clear()
    with pytest.raises(SafetyRefusal):
        shop.plan()
    shop.edit("a.yaml", "title: A", "title: A, severity: meh")
    with pytest.raises(ConfigurationError):
        shop.plan()
    assert shop.app.requests == []
