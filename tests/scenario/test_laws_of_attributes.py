"""One edit, one line of the plan: for every managed attribute of every kind, in Qase and in YAML.

The tables of kinds are walked, so a new attribute fails here until it has its two edits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, by_address, edits
from rich_project import SEED

from qase_iac.emulator import create_app
from qase_iac.kinds import CONTENT_KINDS
from qase_iac.model import FIELD_TYPES

FILES: dict[str, str | bytes] = {
    "qase.yaml": "project: SHOP\ntitle: Shop\ncreate: true\napi: {url: emulator}\n",
    "a.png": b"a",
    "b.png": b"b",
    "milestones.yaml": """\
milestones:
  aim:
    title: Aim
    description: What for
    status: active
    due_date: 2026-12-01
  other:
    title: Other
""",
    "steps.yaml": """\
shared_steps:
  sign-in:
    title: Sign in
    steps: [Open /login, {action: Submit, expected: In}]
""",
    "top/suite.yaml": "title: Top\ndescription: Above\npreconditions: Light\n",
    "below/suite.yaml": "key: /below\ntitle: Below\n",
    "cases.yaml": """\
cases:
  full:
    title: Full
    description: Words
    preconditions: Before
    postconditions: After
    suite: top
    severity: normal
    priority: medium
    type: functional
    layer: contract
    behavior: positive
    status: actual
    automation: manual
    flaky: false
    milestone: aim
    tags: [one, two]
    parameters: [{currency: [EUR, USD]}, {shared: Browsers}]
    attachments: [a.png]
    custom_fields:
      Estimate: 12
      Note: noted
      Story: long
      Component: Cart
      Reviewed: true
      Risk: Low
      Platforms: [iOS, Web]
      Requirement: https://shop.example/1
      Owner: ann@shop.example
      Last audit: 2026-10-01
    steps:
      - shared: sign-in
      - {action: Pay, data: 12 EUR, expected: Paid, attachments: [b.png], steps: [Look]}
  scenario:
    title: Scenario
    suite: top
    gherkin: Given a basket
""",
    "plans.yaml": """\
plans:
  smoke:
    title: Smoke
    description: Often
    cases: [full]
""",
}

Fields = dict[str, Any] | Callable[[Folder], dict[str, Any]]


@dataclass(frozen=True)
class Edit:
    """The same attribute changed by a person in Qase (`live`: fields) and in a file (`old` -> `new`)."""

    address: str
    file: str
    old: str
    new: str
    live: Fields


def _case(old: str, new: str, live: Fields, address: str = "case.full") -> Edit:
    return Edit(address, "cases.yaml", f"    {old}\n", f"    {new}\n", live)


def _custom(old: str, new: str, value: str) -> Edit:
    title = old.partition(":")[0]
    number = next(at for at, field in enumerate(SEED["custom_fields"], 1) if field["title"] == title)
    return _case(f"  {old}", f"  {new}", {"custom_field": {str(number): value}})


def _file(folder: Folder) -> str:
    """The attachment b.png."""
    return next(entry["hash"] for entry in folder.state["files"].values() if entry["name"] == "b.png")


EDITS: dict[tuple[str, str], Edit] = {
    ("milestone", "title"): Edit("milestone.aim", "milestones.yaml", "title: Aim", "title: Goal", {"title": "Hit"}),
    ("milestone", "description"): Edit(
        "milestone.aim", "milestones.yaml", "What for", "What else", {"description": "Why"}
    ),
    ("milestone", "status"): Edit("milestone.aim", "milestones.yaml", "active", "completed", {"status": "completed"}),
    ("milestone", "due_date"): Edit(
        "milestone.aim", "milestones.yaml", "2026-12-01", "2026-12-02T10:30:00+02:00", {"due_date": 1800000000}
    ),
    ("shared_step", "title"): Edit("shared_step.sign-in", "steps.yaml", "Sign in", "Log in", {"title": "Enter"}),
    ("shared_step", "steps"): Edit(
        "shared_step.sign-in", "steps.yaml", "expected: In", "expected: Inside",
        {"steps": [{"action": "Open /login"}, {"action": "Submit"}, {"action": "Wait"}]},
    ),
    ("suite", "title"): Edit("suite.top", "top/suite.yaml", "title: Top", "title: Upper", {"title": "Over"}),
    ("suite", "description"): Edit("suite.top", "top/suite.yaml", "Above", "Over", {"description": "Up"}),
    ("suite", "preconditions"): Edit("suite.top", "top/suite.yaml", "Light", "Dark", {"preconditions": "Dusk"}),
    ("suite", "parent"): Edit(
        "suite.below", "below/suite.yaml", "", "", lambda folder: {"parent_id": folder.id_of("suite.top")}
    ),
    ("case", "title"): _case("title: Full", "title: Fuller", {"title": "Fullest"}),
    ("case", "description"): _case("description: Words", "description: More", {"description": "Most"}),
    ("case", "preconditions"): _case("preconditions: Before", "preconditions: null", {"preconditions": "Long before"}),
    ("case", "postconditions"): _case("postconditions: After", 'postconditions: ""', {"postconditions": None}),
    ("case", "suite"): _case(
        "suite: top\n    severity: normal", "suite: below\n    severity: normal",
        lambda folder: {"suite_id": folder.id_of("suite.below")},
    ),
    ("case", "severity"): _case("severity: normal", "severity: blocker", {"severity": 2}),
    ("case", "priority"): _case("priority: medium", "priority: high", {"priority": 3}),
    ("case", "type"): _case("type: functional", "type: security", {"type": 5}),
    ("case", "layer"): _case("layer: contract", "layer: e2e", {"layer": 7}),
    ("case", "behavior"): _case("behavior: positive", "behavior: destructive", {"behavior": 3}),
    ("case", "status"): _case("status: actual", "status: deprecated", {"status": 1}),
    ("case", "automation"): _case("automation: manual", "automation: automated", {"automation": 1}),
    ("case", "flaky"): _case("flaky: false", "flaky: true", {"is_flaky": 1}),
    ("case", "milestone"): _case(
        "milestone: aim", "milestone: null", lambda folder: {"milestone_id": folder.id_of("milestone.other")}
    ),
    ("case", "tags"): _case("tags: [one, two]", "tags: [two]", {"tags": ["two", "one", "three"]}),
    ("case", "parameters"): _case(
        "parameters: [{currency: [EUR, USD]}, {shared: Browsers}]", "parameters: [{currency: [EUR]}]",
        {"parameters": [{"title": "currency", "values": ["EUR", "USD"]}]},
    ),
    ("case", "attachments"): _case(
        "attachments: [a.png]", "attachments: [a.png, b.png]", lambda folder: {"attachments": [_file(folder)]}
    ),
    ("case", "steps"): Edit("case.full", "cases.yaml", "12 EUR", "13 EUR", {"steps": [{"action": "Pay"}]}),
    ("case", "gherkin"): _case(
        "gherkin: Given a basket", "gherkin: Given no basket",
        {"steps_type": "gherkin", "steps": [{"value": "When"}]}, "case.scenario",
    ),
    ("plan", "title"): Edit("plan.smoke", "plans.yaml", "title: Smoke", "title: Fire", {"title": "Ash"}),
    ("plan", "description"): Edit("plan.smoke", "plans.yaml", "Often", "Rarely", {"description": "Never"}),
    ("plan", "cases"): Edit(
        "plan.smoke", "plans.yaml", "[full]", "[full, scenario]",
        lambda folder: {"cases": [folder.id_of("case.scenario")]},
    ),
}  # fmt: skip
CUSTOM: dict[str, Edit] = {
    "number": _custom("Estimate: 12", "Estimate: 12.5", "13"),
    "string": _custom("Note: noted", "Note: null", "seen"),
    "text": _custom("Story: long", "Story: longer", "short"),
    "selectbox": _custom("Component: Cart", "Component: Search, and more", "3"),
    "checkbox": _custom("Reviewed: true", "Reviewed: false", ""),
    "radio": _custom("Risk: Low", "Risk: High", "2"),
    "multiselect": _custom("Platforms: [iOS, Web]", "Platforms: [iOS]", "1,2"),
    "url": _custom("Requirement: https://shop.example/1", "Requirement: https://shop.example/2", "https://x.example"),
    "user": _custom("Owner: ann@shop.example", "Owner: b@shop.example", "6"),
    "datetime": _custom("Last audit: 2026-10-01", "Last audit: 2026-10-02T12:00:00Z", "2026-10-03 00:00:00"),
}
ROWS = [(kind.name, row.name) for kind in CONTENT_KINDS for row in kind.managed]
ALL = [pytest.param(EDITS.get(row), row[1], id=".".join(row)) for row in ROWS] + [
    pytest.param(CUSTOM.get(type), f"custom_fields.{CUSTOM[type].old.strip().partition(':')[0]}", id=f"custom.{type}")
    for type in FIELD_TYPES
]


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    ticks = itertools.count(1795392000)
    app = create_app(seed=SEED, strict=True, clock=lambda: float(next(ticks)))
    made = Folder(tmp_path, app).write(FILES).applied()
    yield made
    app.close()


def edit_in_qase(folder: Folder, edit: Edit) -> None:
    fields = edit.live(folder) if callable(edit.live) else edit.live
    kind = edit.address.partition(".")[0]
    folder.app.ui.edit("SHOP", kind, folder.id_of(edit.address), **fields)


def edit_in_yaml(folder: Folder, edit: Edit) -> None:
    if edit.old:
        folder.edit(edit.file, edit.old, edit.new)
    else:  # a suite's parent is where its folder stands
        (folder.root / "below").rename(folder.root / "top" / "below")


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_in_qase_is_planned_as_theirs_and_taken_back(shop: Folder, edit: Edit, attribute: str) -> None:
    before = shop.dump()
    edit_in_qase(shop, edit)
    assert shop.dump() != before
    plan = shop.plan(on_drift="revert")
    assert edits(plan) == {edit.address: {attribute: "theirs"}}
    assert by_address(plan)[edit.address].reason == "drift"
    assert [(drift.address, drift.kind, list(drift.attributes)) for drift in plan.drift] == [
        (edit.address, "changed", [attribute])
    ]
    shop.applied()
    assert shop.dump() == before
    assert actions(shop.plan()) == {}


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_in_yaml_is_planned_as_ours_and_done(shop: Folder, edit: Edit, attribute: str) -> None:
    before = shop.dump()
    edit_in_yaml(shop, edit)
    plan = shop.plan()
    assert edits(plan) == {edit.address: {attribute: "ours"}}
    assert by_address(plan)[edit.address].reason == "config_changed"
    assert plan.drift == ()
    assert plan.requests == 1
    shop.applied()
    assert shop.dump() != before
    assert actions(shop.plan()) == {}


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_both_edits_are_a_conflict_unless_they_come_to_the_same(shop: Folder, edit: Edit, attribute: str) -> None:
    edit_in_qase(shop, edit)
    edit_in_yaml(shop, edit)
    live, plan = shop.dump(), shop.plan()
    if (edit.address, attribute) in SAME:
        assert edits(plan) == {}
        assert [list(drift.attributes) for drift in plan.drift] == [[attribute]]
        shop.applied()
        assert (shop.dump(), shop.plan().drift) == (live, ())
        return
    assert edits(plan) == {edit.address: {attribute: "conflict"}}
    blocked = by_address(plan)[edit.address].blocked
    assert blocked is not None and blocked.code == "conflict"
    report = shop.apply().report
    assert report is not None and report.exit_code == 4
    assert shop.dump() == live


SAME = {
    ("milestone.aim", "status"),
    ("suite.below", "parent"),
    ("case.full", "suite"),
    ("case.full", "flaky"),
    ("case.full", "postconditions"),
    ("case.full", "custom_fields.Reviewed"),
    ("case.full", "custom_fields.Risk"),
    ("case.full", "custom_fields.Owner"),
}
"""Where the edit in Qase and the one in YAML are alike."""
