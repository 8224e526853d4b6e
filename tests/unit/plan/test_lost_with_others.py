"""What Qase lost because something else was deleted there: nobody edited it, and putting it back reverts nobody."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, lines, shared


@pytest.fixture
def kit() -> Kit:
    kit = Kit()
    return kit.both("case.a", 41).both("case.b", 42).both("plan.p", 3, cases=["a", "b"])


def test_a_member_that_vanished_comes_back_without_a_word_of_reverts(kit: Kit) -> None:
    plan = kit.vanish("case.b").qase("plan.p", cases=[41]).plan()
    found = change(plan, "plan.p")
    assert lines(plan) == ["create case.b", "update plan.p cases=theirs"]
    assert found.notes == ("gets back what was deleted in Qase",) and found.reason == "vanished"
    assert plan.undone == [] and plan.reverts == 0 and not found.destroys
    assert [drift.kind for drift in plan.drift if drift.address == "plan.p"] == ["changed"]


def test_an_edit_of_ours_at_the_same_time_is_no_conflict(kit: Kit) -> None:
    kit.both("case.c", 43).yaml("plan.p", cases=["a", "b", "c"])
    plan = kit.vanish("case.b").qase("plan.p", cases=[41]).plan()
    assert lines(plan) == ["create case.b", "update plan.p cases=ours"]
    assert plan.undone == [] and change(plan, "plan.p").reason == "config_changed"


def test_an_edit_of_theirs_at_the_same_time_is_one(kit: Kit) -> None:
    kit.both("case.c", 43)
    plan = kit.vanish("case.b").qase("plan.p", cases=[41, 43]).plan()
    assert change(plan, "plan.p").notes == ("reverts an edit made in Qase",) and plan.reverts == 1


def test_an_edited_title_beside_it_is_reverted(kit: Kit) -> None:
    plan = kit.vanish("case.b").qase("plan.p", cases=[41], title="Theirs").plan()
    assert set(change(plan, "plan.p").notes) == {"reverts an edit made in Qase", "gets back what was deleted in Qase"}
    assert [each.address for each in plan.undone] == ["plan.p"] and change(plan, "plan.p").reason == "drift"


def test_references_of_every_kind() -> None:
    kit = Kit()
    kit.both("milestone.m", 5).both("shared_step.in", steps=[{"action": "x"}]).both("suite.s", 7)
    kit.both("case.a", 41, suite="s", milestone="m", steps=[{"action": "y"}, shared("in")])
    kit.vanish("milestone.m", "shared_step.in", "suite.s")
    plan = kit.qase("case.a", milestone=None, suite=None, steps=[{"action": "y"}]).plan()
    found = change(plan, "case.a")
    assert found.reason == "vanished" and set(found.attributes) == {"suite", "milestone", "steps"}
    assert found.notes == ("gets back what was deleted in Qase",) and plan.undone == []
