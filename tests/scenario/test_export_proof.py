"""An export proves itself: the plan from it is empty whatever the project holds, and it says so when it is not."""

from __future__ import annotations

import itertools
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from e2e_kit import Folder, Ran, actions, qase_yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich_project import FILES, SEED

from qase_iac.emulator import App, create_app
from qase_iac.emulator.http import Answer, Request, json_answer
from qase_iac.workflow import exporting

LAYOUTS = ["suite", "case"]


def emulator(seed: dict[str, Any]) -> App:
    ticks = itertools.count(1795392000)
    return create_app(seed=seed, strict=True, clock=lambda: float(next(ticks)))


def shop_of(root: Path, seed: dict[str, Any], files: dict[str, str | bytes] | None = None) -> Folder:
    """A folder; without files, of a project that is there and empty."""
    root.mkdir(parents=True)
    app = emulator(seed if files else {**seed, "projects": [{"code": "SHOP", "title": "Shop"}]})
    return Folder(root, app).write(files or {"qase.yaml": qase_yaml()})


def tree(folder: Folder) -> dict[str, bytes]:
    """Every file but state and backups."""
    files = (path for path in sorted(folder.root.rglob("*")) if path.is_file() and ".qase-iac" not in path.parts)
    return {path.relative_to(folder.root).as_posix(): path.read_bytes() for path in files}


def keys(folder: Folder) -> dict[tuple[str, Any], str]:
    """(kind, id) -> address."""
    return {(address.partition(".")[0], row["id"]): address for address, row in folder.state["bindings"].items()}


# -- what the format can hardly say


ODD: dict[str, Any] = {
    "system_fields": {
        "layer": [
            {"id": 1, "slug": "api", "title": "API", "default": True},
            {"id": 2, "slug": "API", "title": "Api, the second"},
            {"id": 3, "slug": "ui", "title": "api"},
            {"id": 4, "slug": "Really / odd: #4", "title": "- x"},
        ],
    },
    "custom_fields": [
        {"id": 1, "title": "Twice", "type": "string"},
        {"id": 2, "title": "Renamed to Twice below", "type": "text"},
        {"id": 3, "title": "Pick", "type": "selectbox", "options": ["same", "other"]},
        {"id": 4, "title": "Gone", "type": "string"},
        {"id": 5, "title": "Odd: 'title' #5", "type": "multiselect", "options": ["a, b", "no", "#"]},
    ],
    "shared_parameters": [{"title": "Browsers", "parameters": [{"title": "Browser", "values": ["A", "B"]}]}],
}


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Folder]:
    """Options whose words clash, fields of one title, a field and an option that were deleted, a shared step that
    Qase does not list, parameters of every form, nested steps, a scenario."""
    shop = shop_of(tmp_path / "shop", ODD)
    ui = shop.app.ui
    hidden = ui.create("SHOP", "shared_step", title="Hidden", steps=[{"action": "One"}, {"action": "Two"}])
    shown = ui.create("SHOP", "shared_step", title="Shown", steps=[{"action": "x", "steps": [{"action": "inner"}]}])
    browsers = next(iter(_parameters(shop.app)))
    for layer in (1, 2, 3, 4):
        ui.create(
            "SHOP", "case", title=f"Layer {layer}", layer=layer,
            custom_field={"1": "one", "2": "two", "3": "1", "4": "gone", "5": "1,3"},
            steps=[
                {"shared": hidden}, {"shared": hidden}, {"action": "Between", "steps": [{"action": "In it"}]},
                {"shared": shown},
            ],
            parameters=[
                {"title": "no", "values": ["yes", "1.10"]},
                {"items": [{"title": "a", "values": ["1", "2"]}, {"title": "b", "values": ["x", "x"]}]},
                {"shared_id": browsers},
            ],
        )  # fmt: skip
    ui.create("SHOP", "case", title="Scenario", steps_type="gherkin", steps=[{"value": "Given a\n  | b | c |\n"}])
    ui.edit("", "custom_field", 2, title="Twice", is_enabled_for_all_projects=True)
    ui.delete("", "custom_field", 4)
    hide(shop.app, str(hidden))
    yield shop
    shop.app.close()


def _parameters(app: App) -> list[str]:
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://emulator/v1")
    return [row["id"] for row in client.get("/shared_parameter").json()["result"]["entities"]]


def hide(app: App, hash: str) -> None:
    """Takes a shared step out of the list, as if it belonged to the whole workspace."""
    handle = app.handle

    def without(request: Request) -> Answer:
        answer = handle(request)
        if request.method != "GET" or not request.path.endswith("/shared_step/SHOP"):
            return answer
        body = json.loads(answer.body)
        result = body["result"]
        result["entities"] = [row for row in result["entities"] if row["hash"] != hash]
        result |= {"count": len(result["entities"]), "total": len(result["entities"])}
        result["filtered"] = len(result["entities"])
        return json_answer(answer.status, body)

    app.handle = without  # type: ignore[method-assign]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_the_format_can_hardly_say_survives(odd: Folder, tmp_path: Path, layout: str) -> None:
    before = odd.dump()
    exported, copy = odd.export(tmp_path / "copy", layout)
    assert exported.proven and exported.objects == 6  # the hidden shared step is nobody's
    plan = copy.plan()
    assert (actions(plan), plan.drift, plan.summary.unmanaged) == ({}, (), 0)
    copy.applied()
    assert odd.dump() == before
    text = b"".join(tree(copy).values()).decode()
    assert text.count("shared: {external_id: ") == 4 and "Given a\n" in text and "shared: Browsers" in text
    assert "Gone" not in text and "layer: api" in text
    notes = " ".join(exported.notes)
    assert "Twice" in notes and "layer of cases" in notes


def test_an_update_of_what_the_format_can_hardly_say_changes_nothing(odd: Folder, tmp_path: Path) -> None:
    from e2e_kit import HOLDER

    from qase_iac.workflow.pulling import UPDATE, pull

    _, copy = odd.export(tmp_path / "copy")
    before = tree(copy)
    done = pull(copy.session(), UPDATE, HOLDER)
    assert (done.exit_code, done.lines, done.files, done.left, done.edits) == (0, (), (), (), ())
    assert tree(copy) == before


# -- when it is not empty


def _broken(monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Any, dict[str, Any]], None]) -> None:
    real = exporting.export_project

    def wrong(*given: Any, **named: Any) -> Any:
        project, bindings = real(*given, **named)
        spoil(project, bindings)
        return project, bindings

    monkeypatch.setattr(exporting, "export_project", wrong)


def _other_title(project: Any, bindings: dict[str, Any]) -> None:
    next(each for each in project.objects if each.key == "a").attributes["title"] = "Another"


def _unknown_milestone(project: Any, bindings: dict[str, Any]) -> None:
    next(each for each in project.objects if each.key == "a").attributes["milestone"] = {"external_id": 99}


def _invalid(project: Any, bindings: dict[str, Any]) -> None:
    next(each for each in project.objects if each.key == "a").attributes["severity"] = "no such word"


def _left_out(project: Any, bindings: dict[str, Any]) -> None:
    project.objects = [each for each in project.objects if each.key != "a"]
    del bindings["case.a"]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_other_title, "case.a"),
        (_unknown_milestone, "Qase has no milestone 99"),
        (_invalid, "no such word"),
        (_left_out, "1 not managed"),
    ],
)
def test_an_export_that_is_not_what_qase_holds_says_so_and_stays(
    folder: Callable[..., Folder], cli: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    spoil: Any, says: str,
) -> None:  # fmt: skip
    shop = folder({"a.yaml": "cases: {a: {title: A}, b: {title: B}}\n"}).applied()
    _broken(monkeypatch, spoil)
    ran = cli("-C", shop.root, "export", tmp_path / "copy")
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err and "was written, but a plan from it is not empty" in ran.err
    assert "Do not apply them" in ran.err
    assert (tmp_path / "copy" / "cases.yaml").exists()


# -- keys


def test_keys_stay_the_same_when_something_else_comes_and_goes(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", SEED, FILES).applied()
    _, one = shop.export(tmp_path / "one")
    ui = shop.app.ui
    for address in ("case.home-page", "case.balance"):
        ui.delete("SHOP", "case", shop.id_of(address))
    suite = ui.create("SHOP", "suite", title="Twin", parent_id=shop.id_of("suite.checkout"))
    for title in ("Twin", "Pay by card", "Bare", "Completely new"):
        ui.create("SHOP", "case", title=title, suite_id=suite)
    _, two = shop.export(tmp_path / "two", "case")
    before, after = keys(one), keys(two)
    assert {at: after[at] for at in before.keys() & after.keys()} == {
        at: before[at] for at in before.keys() & after.keys()
    }
    assert len(before.keys() - after.keys()) == 2 and len(after.keys() - before.keys()) == 5
    assert len(set(after.values())) == len(after)


# -- there and back


@pytest.mark.parametrize("layout", LAYOUTS)
def test_destroyed_and_applied_again_the_export_is_the_same(tmp_path: Path, layout: str) -> None:
    """Ids and times are new. Of that the files show nothing but the order of a plan's cases, which are a set: they are
    sent in the order of the files."""
    shop = shop_of(tmp_path / "shop", SEED, FILES).applied()
    _, one = shop.export(tmp_path / "one", layout)
    before = shop.dump()
    one.apply(destroy=True, allow_deletes=one.plan(destroy=True).destructive)
    assert {kind: rows for kind, rows in shop.dump().items() if rows and kind != "project"} == {}
    one.applied()
    assert shop.dump() == before
    exported, two = one.export(tmp_path / "two", layout)
    assert exported.proven
    first, second = tree(one), tree(two)
    assert members(first.pop("plans.yaml")) == members(second.pop("plans.yaml"))
    first.pop("qase.yaml"), second.pop("qase.yaml")  # where the emulator's database is
    assert first == second


def members(plans: bytes) -> Any:
    content = yaml.safe_load(plans)["plans"]
    return {key: {**plan, "cases": sorted(plan["cases"])} for key, plan in content.items()}


TITLES = st.one_of(
    st.sampled_from(
        ["Pay", "pay", "Pay!", "no", "1.10", "2026-01-01", "../x", "a: b", "#x", "null", "\u202eabc", "cases"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.sampled_from(["a\n\n", " a\n b", "| a |"])
)
STEPS = st.lists(
    st.fixed_dictionaries(
        {"action": TITLES},
        optional={
            "expected_result": TEXTS,
            "data": TEXTS,
            "steps": st.lists(st.fixed_dictionaries({"action": TITLES}), max_size=2),
        },
    ),
    max_size=3,
)


@st.composite
def projects(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """(kind, fields) in the order of creation; places and references are numbers of what was made before."""
    rows: list[tuple[str, dict[str, Any]]] = [("milestone", {"title": draw(TITLES), "description": draw(TEXTS)})]
    rows.append(("shared_step", {"title": draw(TITLES), "steps": [{"action": draw(TITLES)}, {"action": draw(TITLES)}]}))
    suites = draw(st.integers(0, 4))
    for at in range(suites):
        parent = draw(st.sampled_from([None, *range(1, at + 1)]))
        rows.append(("suite", {"title": draw(TITLES), "description": draw(TEXTS), "parent_id": parent}))
    for _ in range(draw(st.integers(1, 5))):
        fields: dict[str, Any] = {
            "title": draw(TITLES),
            "suite_id": draw(st.sampled_from([None, *range(1, suites + 1)])),
        }
        fields |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "description": TEXTS,
                    "preconditions": TEXTS,
                    "severity": st.integers(1, 6),
                    "is_flaky": st.just(1),
                    "milestone_id": st.just(1),
                    "tags": st.lists(TITLES.map(str.strip), max_size=2, unique_by=str.casefold),
                    "steps": STEPS,
                },
            )
        )
        rows.append(("case", {name: value for name, value in fields.items() if value is not None}))
    rows.append(("plan", {"title": draw(TITLES), "cases": [1]}))
    return rows


def content_of(dump: dict[str, Any]) -> dict[str, list[str]]:
    """What a project holds, whatever the order in which it was made: across suites, files come by their names. A text
    of nothing but white space is none: the format takes it for that."""
    return {
        kind: sorted(json.dumps(_said(row), sort_keys=True) for row in rows)
        for kind, rows in dump.items()
        if kind != "project"
    }


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _said(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_said(item) for item in value]
    return "" if isinstance(value, str) and not value.strip() else value


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(projects(), st.sampled_from(LAYOUTS))
def test_any_project_comes_back_as_it_was(rows: list[tuple[str, dict[str, Any]]], layout: str) -> None:
    """Made in Qase, exported, planned, applied to an empty Qase, exported again."""
    root = Path(tempfile.mkdtemp())
    try:
        shop = shop_of(root / "shop", {})
        for kind, fields in rows:
            shop.app.ui.create("SHOP", kind, **fields)
        exported, one = shop.export(root / "one", layout)
        assert exported.proven, exported
        plan = one.plan()
        assert (actions(plan), plan.summary.unmanaged, plan.drift) == ({}, 0, ())
        shutil.rmtree(one.root / ".qase-iac")
        again = Folder(one.root, emulator({"salt": "another"}))
        said = yaml.safe_load((one.root / "qase.yaml").read_text())
        again.write({"qase.yaml": yaml.safe_dump({**said, "create": True, "api": {"url": "emulator"}})}).applied()
        assert content_of(again.dump()) == content_of(shop.dump())
        exported, two = again.export(root / "two", layout)
        assert exported.proven
        assert actions(two.plan()) == {}
    finally:
        shutil.rmtree(root)
