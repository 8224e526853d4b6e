"""export_project: what it writes is what Qase holds, and a plan from there is empty."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from export_kit import Exported, exported
from hypothesis import given, settings
from hypothesis import strategies as st

from qase_iac.api.client import Client
from qase_iac.api.refresh import refresh
from qase_iac.config.writer import LAYOUTS, Layout
from qase_iac.convert.live import export_project
from qase_iac.emulator import create_app
from qase_iac.model import Catalogue, CustomField, LiveObject, Option, Snapshot
from qase_iac.state.model import State

SEED: dict[str, Any] = {
    "projects": [{"code": "SHOP", "title": "Shop"}],
    "custom_fields": [
        {"title": "Component", "type": "selectbox", "options": ["Cart", "Search"]},
        {"title": "Platforms", "type": "multiselect", "options": ["iOS", "Android", "no"]},
        {"title": "Note", "type": "text"},
        {"title": "1.10", "type": "number"},
        {"title": "Done", "type": "checkbox"},
        {"title": "Owner", "type": "user"},
        {"title": "When", "type": "datetime"},
    ],
    "shared_parameters": [{"title": "Browser", "parameters": [{"title": "Browser", "values": ["Firefox", "Chrome"]}]}],
    "users": [{"id": 1, "name": "Ada", "email": "ada@example.com"}],
}
HOSTILE = [
    "../../etc", "CON", "con", "a/b", "", ".", "..", "x" * 255, "\x1b[31mred", "🛑", "Suite", "cases", "cases", "Con ", "LPT1",
    "тест", "测试", "-", "null", "yes", "Attachments", "qase.yaml", "A", "a", "\u202e", "C:\\x", "&#99999999999999999999;", "a\nb",
]  # fmt: skip


class Server:
    """An emulator and what is made in it."""

    def __init__(self) -> None:
        self.app = create_app(seed=SEED)
        self.http = httpx.Client(transport=httpx.WSGITransport(app=self.app), base_url="http://emulator/v1")

    def make(self, kind: str, **body: Any) -> Any:
        answer = self.http.post(f"/{kind}/SHOP", json=body)
        assert answer.status_code == 200, answer.text
        result = answer.json()["result"]
        return result.get("id", result.get("hash"))

    def upload(self, name: str, content: bytes) -> str:
        answer = self.http.post("/attachment/SHOP", files=[("file[]", (name, content, "text/plain"))])
        assert answer.status_code == 200, answer.text
        return str(answer.json()["result"][0]["hash"])

    def snapshot(self) -> Snapshot:
        client = Client("http://emulator/v1", None, httpx.WSGITransport(app=self.app))
        return refresh(
            client, "SHOP", state=State(), need_members=True, need_shared_parameters=True, wanted=lambda live: True
        )


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.app.close()


def everything(server: Server) -> dict[str, bytes]:
    """A project that uses every attribute of every kind; hash -> content of its files."""
    fields = {f["title"]: f["id"] for f in server.http.get("/custom_field?limit=100").json()["result"]["entities"]}
    browser = server.http.get("/shared_parameter?limit=100").json()["result"]["entities"][0]["id"]
    contents = {
        b"a card": "card.png",
        b"cases: {}\n": "cases.yaml",
        b"third": "CON.txt",
        b"fourth": "naïve 🛑 name.txt",
    }
    files = {server.upload(name, content): content for content, name in contents.items()}
    card, document, reserved, odd = files
    milestone = server.make("milestone", title="Release 1.0", description="First\nline\n", due_date=1796083200)
    server.make("milestone", title="Release 1.0", status="completed")
    sign_in = server.make(
        "shared_step",
        title="Sign in",
        steps=[{"action": "Open: /login", "expected_result": "- shown"}, {"action": "Submit", "attachments": [card]}],
    )
    shop = server.make("suite", title="Shop", description="All of it\n\n- a\n- b")
    pay = server.make("suite", title="Payments", parent_id=shop, preconditions="no")
    server.make("suite", title="Payments", parent_id=shop)
    first = server.make(
        "case",
        title="Pay by card",
        suite_id=pay,
        description=" leading\n\ttab\r\nCR",
        preconditions="1.10",
        postconditions="| a | b |\n|---|---|\n| `x` | 🛑 |",
        severity=2,
        priority=1,
        type=8,
        layer=1,
        behavior=2,
        status=1,
        is_flaky=1,
        isManual=True,
        isToBeAutomated=True,
        milestone_id=milestone,
        tags=["smoke", "1.10", "no"],
        parameters=[
            {"title": "currency", "values": ["EUR", "no"]},
            {"items": [{"title": "user", "values": ["a", "b"]}, {"title": "role", "values": ["x", "x"]}]},
            {"shared_id": browser},
        ],
        custom_field={
            str(fields["Component"]): "1",
            str(fields["Platforms"]): "1,3",
            str(fields["Note"]): "yes",
            str(fields["1.10"]): "12.5",
            str(fields["Done"]): "1",
            str(fields["Owner"]): "1",
            str(fields["When"]): "2026-12-01",
        },
        attachments=[card, document, odd],
        steps_type="classic",
        steps=[
            {"action": "Open"},
            {"shared": sign_in},
            {"shared": sign_in},
            {
                "action": "true",
                "data": "12:30",
                "expected_result": "null",
                "attachments": [reserved],
                "steps": [{"action": "Blur #1\n"}],
            },
        ],
    )
    second = server.make("case", title="Refund", steps_type="gherkin", steps=[{"value": "Given a\nWhen b\nThen c"}])
    server.make("case", title="Pay by card", suite_id=shop)
    server.make("plan", title="Smoke", description="Before release", cases=[first, second])
    return files


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_plan_from_an_export_of_everything_is_empty(server: Server, tmp_path: Path, layout: Layout) -> None:
    files = everything(server)
    found = exported(server.snapshot(), tmp_path / "out", layout, files)
    assert list(found.plan.changes) == []
    assert found.plan.drift == ()
    assert found.findings == []
    assert found.project.notes == []
    assert found.plan.summary.no_op == len(found.bindings) == 10


@pytest.mark.parametrize("layout", LAYOUTS)
def test_drift_of_every_exported_attribute_is_noticed(server: Server, tmp_path: Path, layout: Layout) -> None:
    files = everything(server)
    found = exported(server.snapshot(), tmp_path / "out", layout, files)
    live = server.snapshot().of("case")[1].attributes
    managed = found.bindings["case.pay-by-card"].sent
    assert set(managed) == {name for name in live if name not in ("gherkin",)}


def test_what_an_export_looks_like(server: Server, tmp_path: Path) -> None:
    files = everything(server)
    found = exported(server.snapshot(), tmp_path / "out", "suite", files)
    paths = sorted(
        p.relative_to(found.folder).as_posix() for p in found.folder.rglob("*.yaml") if "attachments" not in p.parts
    )
    assert paths == [
        "cases.yaml", "milestones.yaml", "plans.yaml", "qase.yaml", "shared_steps.yaml", "shop/cases.yaml",
        "shop/payments-2/suite.yaml", "shop/payments/cases.yaml", "shop/payments/suite.yaml", "shop/suite.yaml",
    ]  # fmt: skip
    case = yaml.safe_load((found.folder / "shop/payments/cases.yaml").read_bytes())["cases"]["pay-by-card"]
    assert list(case) == [
        "title", "description", "preconditions", "postconditions", "severity", "priority", "type", "layer", "behavior",
        "status", "automation", "flaky", "milestone", "tags", "parameters", "custom_fields", "attachments", "steps",
    ]  # fmt: skip
    assert case["milestone"] == "release-1-0"
    assert case["steps"][0:3] == ["Open", {"shared": "sign-in"}, {"shared": "sign-in"}]
    assert case["parameters"][2] == {"shared": "Browser"}
    assert [Path(path).name for path in case["attachments"]] == ["card.png", "cases.yaml", "naïve 🛑 name.txt"]
    assert all((found.folder / "shop/payments" / path).is_file() for path in case["attachments"])
    assert yaml.safe_load((found.folder / "qase.yaml").read_bytes()) == {
        "project": "SHOP", "title": "Shop", "exclude": ["attachments/**"],
    }  # fmt: skip
    plan = yaml.safe_load((found.folder / "plans.yaml").read_bytes())["plans"]["smoke"]
    assert plan["cases"] == ["pay-by-card", "refund"]


def test_two_exports_are_the_same_bytes(server: Server, tmp_path: Path) -> None:
    files = everything(server)
    folders = [exported(server.snapshot(), tmp_path / name, "case", files).folder for name in "ab"]
    texts = [{p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in folders]
    assert texts[0] == texts[1]


def suite(id: int, title: str, parent: int | None = None, **attributes: Any) -> LiveObject:
    return LiveObject("suite", id, {"title": title, "parent": parent, **attributes})


def case(id: int, title: str, suite: int | None = None, **attributes: Any) -> LiveObject:
    return LiveObject("case", id, {"title": title, "suite": suite, "steps": [], **attributes})


def snapshot(*objects: LiveObject, catalogue: Catalogue | None = None, **more: Any) -> Snapshot:
    found = Snapshot(catalogue=catalogue or Catalogue(), **more)
    for kind in ("milestone", "shared_step", "suite", "case", "plan"):
        found.objects[kind] = {o.id: o for o in objects if o.kind == kind}
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_hostile_titles_stay_in_the_folder_and_never_clash(tmp_path: Path, layout: Layout) -> None:
    objects = [suite(n, title) for n, title in enumerate(HOSTILE, 1)]
    objects += [suite(100 + n, title, 1) for n, title in enumerate(HOSTILE)]
    objects += [case(n, title, n % 3 or None) for n, title in enumerate(HOSTILE, 1)]
    before = tmp_path / "before"
    before.mkdir()
    found = exported(snapshot(*objects), tmp_path / "deep" / "out", layout)
    assert list(found.plan.changes) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["before", "deep"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["out"]
    for path in found.folder.rglob("*"):
        assert path.name.isascii() and path.name == path.name.lower()
        assert path.name.partition(".")[0] not in ("con", "lpt1")
    assert len(found.loaded.desired.resources) == len(objects)


def test_what_the_format_cannot_say_is_left_alone_with_a_note(tmp_path: Path) -> None:
    shared = "a" * 40
    catalogue = Catalogue(
        options={"severity": (Option(1, "high", "High"), Option(2, "High", "Other"))},
        custom_fields=(
            CustomField(1, "Twice", "string"),
            CustomField(2, "Twice", "text"),
            CustomField(3, "Pick", "selectbox", (Option(1, "a", "a"), Option(2, "a", "a"))),
            CustomField(4, "Gone", "multiselect", (Option(1, "x", "x"),)),
            CustomField(5, "Zero", "number"),
        ),
    )
    odd = case(
        1,
        "two\nlines",
        77,
        severity="High",
        priority="#12",
        automation="robots",
        milestone=9,
        parameters=[{"a": ["x", "x"]}],
        attachments=["f" * 32],
        steps=[{"expected": "only"}, {"shared": shared}, {"action": "x", "attachments": ["f" * 32]}],
        description="half \ud800",
        **{
            "custom_fields.Twice": "t",
            "custom_fields.Pick": "a",
            "custom_fields.Gone": ["#9", "x"],
            "custom_fields.Zero": 0,
        },
    )
    plans = [
        LiveObject("plan", 1, {"title": "P"}, partial=True),
        LiveObject("plan", 2, {"title": "Q", "cases": [1, 5]}),
    ]
    found = exported(
        snapshot(odd, *plans, suite(1, "s"), catalogue=catalogue, unknown_shared={shared}), tmp_path / "out"
    )
    assert list(found.plan.changes) == []
    written = yaml.safe_load((found.folder / "cases.yaml").read_bytes())["cases"]["two-lines"]
    assert written == {
        "title": "two lines",
        "description": "half \ufffd",
        "suite": {"external_id": 77},
        "milestone": {"external_id": 9},
        "custom_fields": {"Zero": 0},
        "steps": [{"action": "(no action)", "expected": "only"}, {"shared": {"external_id": shared}}, "x"],
        "ignore_changes": ["title", "steps", "description"],
    }
    notes = "\n".join(found.project.notes)
    for word in (
        "severity",
        "priority",
        "automation",
        "parameters",
        "Twice",
        "Pick",
        "Gone",
        "attachments",
        "cases of plans",
    ):
        assert word in notes, word


def test_bindings_hold_what_the_state_needs(server: Server) -> None:
    everything(server)
    _, bindings = export_project(server.snapshot(), "SHOP")
    binding = bindings["case.pay-by-card"]
    assert binding.id == 1
    assert binding.depends_on == ["suite.shop/payments", "milestone.release-1-0", "shared_step.sign-in"]
    assert bindings["suite.shop/payments"].depends_on == ["suite.shop"]
    assert bindings["suite.shop"].sent["parent"] is None
    assert bindings["plan.smoke"].meta["cases_count"] == 2
    assert "updated_at" in bindings["plan.smoke"].meta


def test_settings() -> None:
    project, _ = export_project(snapshot(), "SHOP", title="T", description="D", create=True, api_url="http://x")
    assert project.settings == {
        "project": "SHOP", "title": "T", "description": "D", "create": True, "api": {"url": "http://x"},
    }  # fmt: skip
    assert export_project(snapshot(), "SHOP")[0].settings == {"project": "SHOP"}


texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from([*HOSTILE, "no", "1.10", "a\n\n", " a\n b", "x #y", "- z", "a: b", "\r\n", "\ud800", "\x00"]),
)
titles = st.one_of(texts, st.sampled_from(["Pay", "pay", "Pay!", "PAY by card"]))
step = st.recursive(
    st.fixed_dictionaries({}, optional={"action": texts, "data": texts, "expected": texts}),
    lambda inner: st.fixed_dictionaries({"action": texts}, optional={"steps": st.lists(inner, max_size=2)}),
    max_leaves=4,
)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "description": texts,
        "preconditions": texts,
        "flaky": st.booleans(),
        "severity": st.sampled_from(["normal", "#9", "undefined"]),
        "status": st.sampled_from(["actual", "draft"]),
        "milestone": st.sampled_from([None, 1, 2, 9]),
        "tags": st.lists(texts, max_size=3),
        "steps": st.lists(step, max_size=3),
        "parameters": st.lists(st.dictionaries(texts, st.lists(texts, max_size=2), max_size=2), max_size=2),
        "custom_fields.Note": texts,
        "custom_fields.Pick": st.sampled_from([None, "a", "b", "#3"]),
    },
)


@st.composite
def projects(draw: st.DrawFn) -> Snapshot:
    names = draw(st.lists(titles, max_size=6))
    objects = [
        suite(n, title, draw(st.sampled_from([None, *range(1, n)])), description=draw(texts))
        for n, title in enumerate(names, 1)
    ]
    for n, title in enumerate(draw(st.lists(titles, max_size=5)), 1):
        objects.append(case(n, title, draw(st.sampled_from([None, *range(1, len(names) + 1)])), **draw(attributes)))
    objects += [LiveObject("milestone", n, {"title": draw(titles), "status": "active"}) for n in (1, 2)]
    objects.append(
        LiveObject(
            "plan", 1, {"title": draw(titles), "cases": draw(st.lists(st.integers(1, 6), unique=True, max_size=3))}
        )
    )
    catalogue = Catalogue(
        custom_fields=(
            CustomField(1, "Note", "text"),
            CustomField(2, "Pick", "selectbox", (Option(1, "a", "a"), Option(2, "b", "b"))),
        )
    )
    return snapshot(*objects, catalogue=catalogue)


@settings(max_examples=150, deadline=None)
@given(projects(), st.sampled_from(LAYOUTS))
def test_a_plan_from_an_export_of_anything_is_empty(live: Snapshot, layout: Layout) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        found: Exported = exported(live, folder / "out", layout)
        assert list(found.plan.changes) == []
        assert len(found.loaded.desired.resources) == len(list(live))
        assert [p.name for p in folder.iterdir()] == ["out"]
    finally:
        shutil.rmtree(folder)
