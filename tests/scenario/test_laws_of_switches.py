"""The laws that must hold whatever the service turns out to be like: over all open questions, pairwise.

Each world is one setting of the emulator's switches (`switches.py`) and one dialect. A project that uses every
feature is applied, planned, exported, edited and torn down in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions
from pairwise import Row, pairwise
from rich_project import FILES, OBJECTS, SEED

from qase_iac.emulator import SWITCHES, create_app
from qase_iac.plan.model import Plan

IMPOSSIBLE = {
    "review_mandatory": {
        "reject": "no case can be written at all: every apply ends with exit 8 (see test_failures.py)",
        "ignore": "Qase says 200 and changes nothing, so no plan after an edit can be empty",
    },
}
VALUES: dict[str, tuple[Any, ...]] = {"dialect": ("today", "seed")} | {
    switch.name: tuple(value for value in switch.values if value not in IMPOSSIBLE.get(switch.name, ()))
    for switch in SWITCHES
}
WORLDS = pairwise(VALUES)


def name(row: Row) -> str:
    """What a world does otherwise than the first value of each switch, short enough to read."""
    return "+".join(str(value) for key, value in row.items() if value != VALUES[key][0])[:60]


def shop(root: Path, row: Row) -> Folder:
    switches = dict(row)
    # A 404 without a word may come from any proxy on the way, so it is no leave to create the project.
    made = [{"code": "SHOP", "title": "Web shop"}] if row["error_body"] == "empty" else []
    app = create_app(seed={**SEED, "projects": made}, dialect=switches.pop("dialect"), switches=switches, strict=True)
    root.mkdir()
    return Folder(root, app).write(FILES)


def left(plan: Plan) -> dict[str, str]:
    """What a plan would do, but for what Qase is known not to take."""
    return {a: what for a, what in actions(plan).items() if not what.endswith("!not_supported_by_server")}


@pytest.fixture(params=WORLDS, ids=name)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = shop(tmp_path / "shop", request.param)
    yield made
    made.app.close()


def test_every_pair_of_values_is_met() -> None:
    met = {frozenset([a, b]) for row in WORLDS for a in row.items() for b in row.items() if a != b}
    wanted = {
        frozenset([(a, x), (b, y)]) for a in VALUES for b in VALUES if a != b for x in VALUES[a] for y in VALUES[b]
    }  # fmt: skip
    assert wanted <= met
    assert len(WORLDS) <= 60


def test_after_an_apply_the_plan_is_empty(world: Folder) -> None:
    report = world.apply().report
    assert report is not None
    assert [operation for operation in report.operations if not operation.done] == []
    assert report.applied == OBJECTS - (world.app.settings["error_body"] == "empty")
    plan = world.plan()
    assert actions(plan) == {}
    assert plan.summary.unmanaged == 0
    assert plan.drift == ()


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_after_an_export_the_plan_is_empty(world: Folder, tmp_path: Path, layout: str) -> None:
    world.applied()
    exported, copy = world.export(tmp_path / "copy", layout)
    assert actions(exported.plan) == {}
    again = copy.plan()
    assert actions(again) == {}
    assert again.summary.unmanaged == 0


def test_after_an_edit_of_everything_the_plan_is_empty_or_says_what_qase_does_not_take(world: Folder) -> None:
    """Clears, moves, renames and rewrites. What Qase ignores or refuses is shown, and never tried again."""
    world.applied()
    edit_everything(world)
    world.apply()
    plan = world.plan()
    assert left(plan) == {}
    with world.counting() as seen:
        world.apply()
    assert [entry for entry in seen if entry.method != "GET"] == []


def test_after_deletes_nothing_is_left(world: Folder) -> None:
    world.applied()
    world.edit("checkout/cases.yaml", "    protect: true\n", "")
    world.applied()
    world.apply(destroy=True, allow_deletes=OBJECTS - 1)
    dump = world.dump()
    assert {kind: rows for kind, rows in dump.items() if kind != "project" and rows} == {}


def edit_everything(world: Folder) -> None:
    (
        world.edit("milestones.yaml", "description: First public release", "description: null")
        .edit("milestones.yaml", "due_date: 2026-12-01", "due_date: 2026-12-24")
        .edit("milestones.yaml", "status: completed", "status: active")
        .edit("steps.yaml", "title: Sign in", "title: Log in")
        .edit("steps.yaml", "[Look around]", "[Look left, Look right]")
        .edit("checkout/suite.yaml", "description: From the basket to the receipt.", "description: null")
        .edit("checkout/suite.yaml", "The shop is open.", "The shop is open & lit.")
        .edit("checkout/cases.yaml", "    milestone: release-1\n", "    milestone: null\n")
        .edit("checkout/cases.yaml", "tags: [smoke, payments]", "tags: []")
        .edit("checkout/cases.yaml", "flaky: true", "flaky: false")
        .edit("checkout/cases.yaml", "severity: critical", "severity: null")
        .edit("checkout/cases.yaml", "postconditions: The basket is empty.", 'postconditions: ""')
        .edit("checkout/cases.yaml", "attachments: [../img/card.png, ../img/logo.png]", "attachments: []")
        .edit("checkout/cases.yaml", "      Estimate: 12.5\n", "      Estimate: null\n")
        .edit("checkout/cases.yaml", "Platforms: [iOS, Web]", "Platforms: [Android]")
        .edit("checkout/cases.yaml", "      Reviewed: true\n", "      Reviewed: false\n")
        .edit("checkout/cases.yaml", "parameters: {currency: [EUR]}", "parameters: []")
        .edit("checkout/cases.yaml", "title: Twin\n    steps: [One]", "title: Triplet\n    steps: []")
        .edit("checkout/cases.yaml", "    title: Bare\n", "    title: Bare\n    gherkin: Given nothing\n")
        .edit("checkout/cases.yaml", "title: Gift cards", "title: Gift & cards")
        .edit("accounts/reset.case.yaml", "automation: automated", "automation: manual\nsuite: checkout/vouchers")
        .edit("root.yaml", "suite: checkout/vouchers, ", "suite: null, tags: [Smoke], ")
        .edit("root.yaml", 'type: smoke, tags: [smoke], ', "suite: people, type: other, tags: [smoke, New], ")
        .edit("plans.yaml", "description: Before every release", "description: null")
        .edit("plans.yaml", "cases: [expired, home-page]", "cases: [bare]")
    )  # fmt: skip
