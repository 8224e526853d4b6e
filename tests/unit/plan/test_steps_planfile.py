"""The saved plan keeps what is shown of steps, of undone edits and of impact, and refuses another story."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plan_kit import Kit, shared

from qase_iac.errors import StalePlan
from qase_iac.plan.model import Plan
from qase_iac.plan.planfile import dumps, to_json, write
from qase_iac.plan.planfile_reader import from_json, read


@pytest.fixture
def plan() -> Plan:
    kit = Kit()
    kit.both("shared_step.in", steps=[{"action": "Open /login"}, {"action": "Look"}])
    kit.both("case.c", 41, steps=[shared("in"), {"action": "Pay"}]).both("plan.p", 3, cases=["c"])
    kit.yaml("shared_step.in", steps=[{"action": "Look"}, {"action": "Open /login", "expected": "A form"}])
    return kit.qase("case.c", steps=[{"shared": kit.id("shared_step.in")}, {"action": "Pay now"}]).plan()


def test_there_and_back(plan: Plan, tmp_path: Path) -> None:
    sealed = write(plan, tmp_path / "plan.json")
    again = read(tmp_path / "plan.json")
    assert to_json(again) == to_json(sealed)
    shared_step, case = again.changes
    assert shared_step.attributes["steps"].steps == [
        {"op": "moved", "at": 2, "from": 1, "fields": {"expected": {"before": None, "after": "A form"}}}
    ]
    assert shared_step.impact == {
        "cases": {"count": 1, "names": ["case.c"]}, "plans": {"count": 1, "names": ["plan.p"]},
    }  # fmt: skip
    assert case.attributes["steps"].origin == "theirs" and to_json(again)["reverts"] == ["case.c"]
    assert again.drift[0].attributes["steps"].steps is not None


@pytest.mark.parametrize(
    ("old", "new"),
    [('"op": "moved"', '"op": "edited"'), ('"count": 1', '"count": 9'), ('"reverts": ["case.c"]', '"reverts": []')],
)
def test_another_story_is_refused(plan: Plan, tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "plan.json"
    write(plan, path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(StalePlan):
        read(path)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("steps", {"a": 1}),
        ("steps", "moved"),
        ("impact", {"cases": 3}),
        ("impact", {"cases": {"count": -1, "names": []}}),
    ],
)
def test_other_types_are_refused(plan: Plan, place: str, value: Any) -> None:
    data = json.loads(dumps(to_json(plan)))
    change = data["changes"][0]
    (change["attributes"]["steps"] if place == "steps" else change)[place] = value
    with pytest.raises(StalePlan):
        from_json(data)


def test_the_same_input_gives_the_same_bytes(plan: Plan) -> None:
    assert dumps(to_json(plan)) == dumps(to_json(from_json(json.loads(dumps(to_json(plan))))))
