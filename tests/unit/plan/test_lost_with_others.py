"""What Qase lost because something else was deleted there: nobody edited it, and putting it back reverts nobody."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, external, lines, shared


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


def test_a_plan_that_is_taken_away_and_lost_a_member_was_edited_by_nobody(kit: Kit) -> None:
    kit.undeclare("plan.p", "case.b").vanish("case.b").qase("plan.p", cases=[41])
    assert set(lines(kit.plan())) == {"delete plan.p", "forget case.b"} and kit.plan().destructive == 1
    assert [(each.address, each.kind) for each in kit.plan().drift] == [("case.b", "vanished")]


def test_nor_is_one_whose_member_was_not_managed(kit: Kit) -> None:
    kit.both("plan.q", 4, cases=["a", external(77)]).undeclare("plan.q").qase("plan.q", cases=[41])
    assert lines(kit.plan()) == ["delete plan.q"]
    kit.live("case", 77)
    assert lines(kit.plan()) == ["! delete plan.q (conflict)"], "it is there still: somebody took it out of the plan"


def test_an_edit_beside_the_loss_is_a_conflict(kit: Kit) -> None:
    kit.both("case.c", 43).undeclare("plan.p").vanish("case.b").qase("plan.p", cases=[41, 43])
    assert "! delete plan.p (conflict)" in lines(kit.plan())
    kit.qase("plan.p", cases=[41], title="Theirs")
    found = change(kit.plan(), "plan.p").blocked
    assert found and "(title)" in found.reason


def test_a_case_that_is_taken_away_with_its_shared_step_and_milestone() -> None:
    kit = Kit()
    kit.both("milestone.m", 5).both("shared_step.in", steps=[{"action": "x"}])
    kit.both("case.a", 41, milestone="m", steps=[{"action": "y"}, shared("in")])
    kit.undeclare("case.a").vanish("milestone.m", "shared_step.in")
    kit.qase("case.a", milestone=None, steps=[{"action": "y"}])
    assert "delete case.a" in lines(kit.plan())
    kit.qase("case.a", milestone=None, steps=[{"action": "z"}])
    assert "! delete case.a (conflict)" in lines(kit.plan())


def test_a_rule_of_ours_that_picks_more_is_no_conflict_with_a_loss(kit: Kit) -> None:
    """A `select` picks a new case; another one of its cases was deleted in Qase, and taken out of the files, too."""
    kit.both("case.c", 43).undeclare("case.b").vanish("case.b").yaml("plan.p", cases=["a", "c"])
    kit.qase("plan.p", cases=[41])
    assert set(lines(kit.plan())) == {"update plan.p cases=ours", "forget case.b"} and kit.plan().undone == []
    del kit.state.bindings["case.b"]
    assert lines(kit.plan()) == ["update plan.p cases=ours"]
    kit.yaml("plan.p", cases=["a"])
    assert lines(kit.plan()) == [] and kit.plan().observed == {"plan.p": {"cases": [41]}}
