"""`apply --verify`: the second plan is shown to be empty, and what Qase changed on the way is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_kit import Folder, Ran, qase_yaml

from qase_iac.apply.events import ReadBack, Saved
from qase_iac.cli import apply as command
from qase_iac.emulator import App, create_app

CASES = "cases:\n  a: {title: A}\n  b: {title: B}\n"


@pytest.fixture
def app() -> App:
    return create_app(strict=True)


@pytest.fixture
def shop(tmp_path: Path, app: App) -> Folder:
    (tmp_path / "shop").mkdir()
    return Folder(tmp_path / "shop", app).write({"qase.yaml": qase_yaml(), "a.yaml": CASES})


APPLY = ("apply", "--auto-approve", "--verify")


@pytest.fixture
def meanwhile(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> Callable[[type], None]:
    """Has the emulator hold another title than was sent for case.b, from the first event of a kind on."""
    show = command._show

    def at(moment: type) -> None:
        def interfere(event: object, progress: object) -> None:
            show(event, progress)  # type: ignore[arg-type]
            if isinstance(event, moment):
                (id,) = (case["id"] for case in shop.app.dump("SHOP")["cases"] if case["title"] == "B")
                shop.app.ui.edit("SHOP", "case", id, title="Another title")

        monkeypatch.setattr(command, "_show", interfere)

    return at


def test_what_qase_made_of_a_value_is_said(
    shop: Folder, cli: Callable[..., Ran], meanwhile: Callable[[type], None]
) -> None:
    meanwhile(ReadBack)
    ran = cli("-C", shop.root, *APPLY)
    assert ran.code == 0, ran.all
    assert "Qase holds 1 value otherwise than sent" in ran.out
    assert "case.b  title: B → Another title" in ran.out
    assert "Verified: a second plan is empty." in ran.err


def test_the_json_report_holds_it(shop: Folder, cli: Callable[..., Ran], meanwhile: Callable[[type], None]) -> None:
    meanwhile(ReadBack)
    ran = cli("-C", shop.root, "apply", "--auto-approve", "--format", "json")
    assert ran.json["altered"] == [{"address": "case.b", "attribute": "title", "sent": "B", "held": "Another title"}]
    assert cli("-C", shop.root, "apply", "--auto-approve", "--format", "json").json["altered"] == []


def test_a_second_plan_that_is_not_empty_is_shown(
    shop: Folder, cli: Callable[..., Ran], meanwhile: Callable[[type], None]
) -> None:
    meanwhile(Saved)
    ran = cli("-C", shop.root, *APPLY)
    assert ran.code == 6
    assert "a second plan is not empty" in ran.err
    assert "Another title" in ran.err


def test_nothing_of_it_where_all_is_as_it_was_sent(shop: Folder, cli: Callable[..., Ran]) -> None:
    ran = cli("-C", shop.root, *APPLY)
    assert ran.code == 0
    assert "otherwise" not in ran.all
