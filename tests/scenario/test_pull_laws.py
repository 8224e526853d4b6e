"""Random edits made in Qase on files of every style: what changed comes in, no other line moves, the plan is empty."""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, qase_yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from test_pull import pulled, settled

from qase_iac.diagnostics import has_errors
from qase_iac.emulator import create_app
from qase_iac.emulator.app import App

sys.path.append(str(REPO / "tests" / "unit" / "config_edit"))
import messy
from edit_kit import put, remove
from test_edit_laws import only_the_lines

SLOW = settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.reuse, Phase.generate]
)
NAME = "cases.yaml"
OPTIONS = ["smoke", "e2e", "1.0", "yes", "a b", "ünï", "x:y", "it's"]
SEED: dict[str, Any] = {
    "custom_fields": [
        {"title": "Component", "type": "string"},
        {"title": "Platforms: all", "type": "multiselect", "options": OPTIONS},
    ]
}
OTHERS: dict[str, str | bytes] = {
    "deep/suite.yaml": "title: Deep   # a folder\n",
    "deep/er/suite.yaml": "title: Deeper\n",
    "deep/er/one.case.yaml": "# alone\ntitle: One\nsteps: [{shared: sign-in}, Look]\n",
    "deep/cases.yaml": "cases:\n  two: {title: Two, milestone: aim}\nsuites:\n  flat:\n    title: Flat\n    cases:\n      in-flat:\n        title: In\n",
    "rest.yaml": "milestones: {aim: {title: Aim}}\nshared_steps:\n  sign-in:\n    title: Sign in\n    steps: [Open]\n"
    "plans:\n  all:\n    title: All\n    cases: [a, b, one, two]\n",
}  # fmt: skip


def live_fields(draw: Any, names: list[str]) -> dict[str, Any]:
    """What a person writes over in Qase, as its interface saves it."""
    found: dict[str, Any] = {}
    for name in names:
        value = draw(messy.values[name])
        match name:
            case "title" | "description" | "preconditions" | "postconditions" | "tags":
                found[name] = value
            case "steps":
                found |= {"steps_type": "classic", "steps": [live_step(step) for step in value]}
            case "priority":
                found["priority"] = {"high": 1, "medium": 2, "low": 3}[value]
            case "severity":
                found["severity"] = {"major": 3, "minor": 5}[value]
            case "automation":
                found |= {"isManual": value == "manual", "isToBeAutomated": False}
            case "flaky":
                found["is_flaky"] = int(value)
            case "parameters":
                found["parameters"] = [{"title": title, "values": values} for title, values in value.items()]
            case "custom_fields.Component":
                found.setdefault("custom_field", {})["1"] = value
            case _:
                numbers = ",".join(str(OPTIONS.index(option) + 1) for option in value)
                found.setdefault("custom_field", {})["2"] = numbers
    return found


def live_step(step: Any) -> dict[str, Any]:
    if isinstance(step, str):
        return {"action": step}
    known = {"action": "action", "data": "data", "expected": "expected_result"}
    return {known[name]: value for name, value in step.items() if name in known} | (
        {"steps": [live_step(inner) for inner in step["steps"]]} if step.get("steps") else {}
    )


def made(root: Path, files: dict[str, str | bytes]) -> Folder:
    """An applied project; the example is passed over when Qase takes it otherwise, or not at all."""
    ticks = itertools.count(1795392000)
    app: App = create_app(seed=SEED, clock=lambda: float(next(ticks)))
    folder = Folder(root, app).write({"qase.yaml": qase_yaml(policy={"max_delete_share": 1}), **files})
    assume(not has_errors(folder.session().load().diagnostics))
    report = folder.apply().report
    assume(report is not None and report.exit_code == 0)
    assume(not folder.plan().changes)
    return folder


def edited_in_qase(data: Any, folder: Folder) -> list[Any]:
    """Edits and deletes some cases in Qase; as edits of the files, of which only address and name count."""
    edits: list[Any] = []
    resources = folder.session().load().desired.resources
    declared = {str(address): each.attributes for address, each in resources.items() if address.kind == "case"}
    for address in data.draw(st.lists(st.sampled_from(sorted(declared)), min_size=1, max_size=3, unique=True)):
        id = folder.id_of(address)
        if len(edits) < len(declared) - 1 and data.draw(st.integers(0, 6)) == 0:
            folder.app.ui.delete("SHOP", "case", id)
            edits.append(remove(address))
            continue
        own = [name for name in messy.values if name in declared[address]]
        names = data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique=True))
        folder.app.ui.edit("SHOP", "case", id, **live_fields(data.draw, names))
        edits += [put(address, name, None) for name in names]
    return edits


@SLOW
@given(st.data())
def test_only_the_lines_of_what_was_edited(data: Any) -> None:
    before = data.draw(messy.files())
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name), {NAME: before})
        edits = edited_in_qase(data, folder)
        done = pulled(folder)
        assert not done.left, done.left
        only_the_lines(before, (folder.root / NAME).read_bytes(), edits)
        settled(folder, done)


@SLOW
@given(st.data())
def test_anchors_and_merges(data: Any) -> None:
    before = data.draw(messy.files(anchors=True))
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name), {NAME: before})
        resources = folder.session().load().desired.resources
        declared = {str(address): each.attributes for address, each in resources.items() if address.kind == "case"}
        for address in data.draw(st.lists(st.sampled_from(sorted(declared)), min_size=1, max_size=3, unique=True)):
            own = [name for name in messy.values if name in declared[address]]
            names = data.draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique=True))
            folder.app.ui.edit("SHOP", "case", folder.id_of(address), **live_fields(data.draw, names))
        settled(folder, pulled(folder))


ACTS = [
    "fields",
    "move",
    "move",
    "move suite",
    "move suite",
    "new",
    "new suite",
    "title",
    "fields",
    "move",
    "move suite",
    "delete",
    "delete suite",
    "new",
    "new suite",
    "plan",
    "milestone",
    "shared",
]


def act(draw: Any, dice: random.Random, folder: Folder, ids: dict[str, Any]) -> None:
    """One thing that somebody does in Qase."""
    ui = folder.app.ui
    of = lambda kind: sorted(name for name in ids if name.startswith(kind + "."))  # noqa: E731
    what = dice.choice(ACTS)
    suites, cases = of("suite"), of("case")
    place = dice.choice([None, *suites])
    title = draw(messy.titles)
    if what == "title" and suites:
        ui.edit("SHOP", "suite", ids[dice.choice(suites)], title=title)
    elif what == "fields" and cases:
        names = dice.sample([*messy.values], dice.randint(1, 3))
        ui.edit("SHOP", "case", ids[dice.choice(cases)], **live_fields(draw, names))
    elif what == "move" and cases:
        ui.move("SHOP", "case", ids[dice.choice(cases)], place and ids[place])
    elif what == "move suite" and suites:
        moving = dice.choice(suites)
        if place != moving and not lies_in(folder, ids[place] if place else None, ids[moving]):
            ui.move("SHOP", "suite", ids[moving], place and ids[place])
    elif what == "delete" and len(cases) > 1:
        ui.delete("SHOP", "case", ids.pop(dice.choice(cases)))
    elif what == "delete suite" and suites:
        gone = dice.choice(suites)
        ui.delete("SHOP", "suite", ids[gone])
        rows = folder.app.dump("SHOP")
        left = {row["id"] for row in rows["suites"]}, {row["id"] for row in rows["cases"]}
        for name in [*suites, *cases]:
            if ids[name] not in left[name.startswith("case.")]:
                del ids[name]
    elif what == "new":
        ids[f"case.new{len(ids)}"] = ui.create("SHOP", "case", title=title, suite_id=place and ids[place])
    elif what == "new suite":
        ids[f"suite.new{len(ids)}"] = ui.create("SHOP", "suite", title=title, parent_id=place and ids[place])
    elif what == "plan" and cases:
        members = dice.sample(cases, min(len(cases), dice.randint(1, 3)))
        ui.edit("SHOP", "plan", ids["plan.all"], cases=[ids[name] for name in members])
    elif what == "milestone":
        ui.create("SHOP", "milestone", title=title)
    elif what == "shared":
        ui.edit("SHOP", "shared_step", ids["shared_step.sign-in"], steps=[{"action": title}, {"action": "And on"}])


def lies_in(folder: Folder, suite: int | None, other: int) -> bool:
    parents = {row["id"]: row["parent_id"] for row in folder.app.dump("SHOP")["suites"]}
    while suite is not None and suite != other:
        suite = parents[suite]
    return suite == other


@SLOW
@given(st.data())
def test_whatever_people_do(data: Any) -> None:
    """Edits, moves, deletes and new things of all kinds at once, in several pulls."""
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name), {NAME: data.draw(messy.files()), **OTHERS})
        dice = data.draw(st.randoms(use_true_random=True))  # shrinking is of no use to deeds that build on each other
        for _ in range(dice.randint(1, 3)):
            bindings = folder.state["bindings"]
            ids = {address: bindings[address]["id"] for address in bindings}
            for _ in range(dice.randint(1, 6)):
                act(data.draw, dice, folder, ids)
            done = pulled(folder)
            settled(folder, done)
            declared = folder.session().load().desired.resources
            assert {str(address) for address in declared} == set(folder.state["bindings"])


if __name__ == "__main__":
    pytest.main([__file__])
