"""A pull that is killed at any point, and an apply after it: nothing that it took over is created a second time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Folder, actions

from qase_iac.state.model import Binding, State
from qase_iac.state.store import parse_data
from qase_iac.workflow import pulling, recording
from qase_iac.workflow.drifting import look
from qase_iac.workflow.pulling import Wish, pull

WRITE, SAVE = pulling.write, recording.save
NEW = {"suite.late", "case.in-time", "case.first", "milestone.end"}


class Killed(BaseException):
    """What no code expects."""


def before_the_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "save", _killed)


def before_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "write", _killed)


def after_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def some(root: Path, files: Any) -> None:
        assert len(files) > 1
        WRITE(root, list(files)[:1])
        raise Killed

    monkeypatch.setattr(pulling, "write", some)


def after_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_(root: Path, files: Any) -> None:
        WRITE(root, files)
        raise Killed

    monkeypatch.setattr(pulling, "write", all_)


def before_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[int] = []

    def once(*arguments: Any) -> None:
        if saved:
            raise Killed
        saved.append(1)
        SAVE(*arguments)

    monkeypatch.setattr(recording, "save", once)


def _killed(*_: Any) -> None:
    raise Killed


POINTS = [before_the_note, before_the_files, after_one_file, after_the_files, before_the_state]
POLICIES: list[dict[str, Any]] = [{}, {"policy": {"adopt": "explicit"}}]


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Callable[..., Folder]:
    """A folder that an apply left as Qase is, and what people made in Qase since."""

    def make(**settings: Any) -> Folder:
        files = {"a/suite.yaml": "title: A\n", "a/c.yaml": "cases: {one: {title: One}}\n", "m.yaml": "milestones: {}\n"}
        made = folder({**files, "m.yaml": "milestones: {start: {title: Start}}\n"}, **settings).applied()
        ui = made.app.ui
        late = ui.create("SHOP", "suite", title="Late", parent_id=None)
        ui.create("SHOP", "case", title="In time", suite_id=late)
        ui.create("SHOP", "case", title="First", suite_id=made.id_of("suite.a"))
        ui.create("SHOP", "milestone", title="End")
        ui.edit("SHOP", "case", made.id_of("case.one"), title="One and only")
        return made

    return make


@pytest.mark.parametrize("settings", POLICIES, ids=["auto", "explicit"])
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__)
def test_nothing_is_created_twice(
    shop: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch, point: Callable[..., None], settings: dict[str, Any]
) -> None:
    made = shop(**settings)
    before = made.dump()
    with monkeypatch.context() as killer, pytest.raises(Killed):
        point(killer)
        pull(made.session(), Wish(everything=True), HOLDER)
    assert "create" not in "".join(actions(made.plan()).values()), "what is in the files is bound"
    done = pull(made.session(), Wish(everything=True), HOLDER)
    assert done.exit_code == 0 and made.plan().changes == () and made.dump() == before
    assert set(made.state["bindings"]) >= NEW and "pulled" not in made.state
    assert not look(made.session()).plan.drift


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__)
def test_nor_by_an_apply_in_between(
    shop: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch, point: Callable[..., None]
) -> None:
    made = shop(policy={"adopt": "explicit"})
    before = made.dump()
    with monkeypatch.context() as killer, pytest.raises(Killed):
        point(killer)
        pull(made.session(), Wish(everything=True), HOLDER)
    made.applied(on_drift="keep")
    assert made.dump() == before
    assert pull(made.session(), Wish(everything=True), HOLDER).exit_code == 0
    assert made.dump() == before and made.plan().changes == () and "pulled" not in made.state


@pytest.mark.parametrize("point", POINTS[3:], ids=lambda point: point.__name__)
def test_an_apply_alone_settles_it(
    shop: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch, point: Callable[..., None]
) -> None:
    made = shop(policy={"adopt": "explicit"})
    with monkeypatch.context() as killer, pytest.raises(Killed):
        point(killer)
        pull(made.session(), Wish(everything=True), HOLDER)
    assert set(made.state["pulled"]) == NEW and not NEW & set(made.state["bindings"])
    saved = made.plan()
    assert saved.changes == () and not saved.findings
    made.applied()
    assert set(made.state["bindings"]) >= NEW and "pulled" not in made.state
    made.edit("a/c.yaml", "One and only", "The one").remove("m.yaml")
    assert actions(made.plan()) == {"case.one": "update", "milestone.start": "delete", "milestone.end": "delete"}


def test_what_no_file_declares_is_left_alone(shop: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop(policy={"adopt": "explicit"})
    with monkeypatch.context() as killer, pytest.raises(Killed):
        before_the_files(killer)
        pull(made.session(), Wish(everything=True), HOLDER)
    assert actions(made.plan(on_drift="keep")) == {}
    made.applied(on_drift="keep")
    assert set(made.state["pulled"]) == NEW, "the files may come by a commit of the one who pulled"
    made.write({"a/d.yaml": "cases: {first: {title: First}}\n"}).applied(on_drift="keep")
    assert "case.first" in made.state["bindings"] and set(made.state["pulled"]) == NEW - {"case.first"}
    assert len(made.dump()["cases"]) == 3


@pytest.mark.parametrize(
    "noted", [[], {"case.a": 1}, {"case.a": {"id": True}}, {"a": {"id": 1}}, {"case.a": {"it": 1}}]
)
def test_a_state_whose_note_makes_no_sense_is_refused(noted: Any) -> None:
    state = State("line", 1, "SHOP", "https://api.qase.io/v1", bindings={"case.b": Binding(2)})
    assert "pulled" not in state.to_json()
    state.pulled = {"case.a": Binding(1)}
    assert parse_data(state.to_json()).pulled == state.pulled
    with pytest.raises(ValueError, match=r"Error|entry"):
        parse_data(state.to_json() | {"pulled": noted})


def test_only_what_is_declared_and_free_is_taken_up() -> None:
    state = State("line", 1, bindings={"case.b": Binding(2), "case.c": Binding(3)})
    state.pulled = {"case.a": Binding(1), "case.b": Binding(9), "case.d": Binding(3), "case.e": Binding(5)}
    state.take_up({"case.a", "case.b", "case.d"})
    assert {address: binding.id for address, binding in state.bindings.items()} == {
        "case.a": 1,
        "case.b": 2,
        "case.c": 3,
    }
