"""Deletes, what stands in their way, and what vanished."""

from __future__ import annotations

from typing import Any

import pytest
from plan_kit import Kit, change, codes, external, lines, shared

from qase_iac.model import Policy

STEPS = [{"action": "Open"}]


def reason(kit: Kit, address: str, **options: Any) -> str:
    blocked = change(kit.plan(**options), address).blocked
    assert blocked
    return blocked.reason


def test_what_is_bound_and_no_longer_declared_goes(kit: Kit) -> None:
    plan = kit.both("case.a", 41, title="A").undeclare("case.a").live("case", 42).plan()
    found = change(plan, "case.a")
    assert lines(plan) == ["delete case.a"] and plan.requests == 1 and plan.summary.unmanaged == 1
    assert (found.id, found.reason, found.source, found.title) == (41, "undeclared", None, "A")
    assert found.precondition and plan.destructive == 1


def test_removed_lets_go(kit: Kit) -> None:
    plan = kit.both("case.a", 41).undeclare("case.a").remove("case.a", "case.never-was").plan()
    assert (
        lines(plan) == ["forget case.a"] and plan.requests == 0 and plan.summary.forget == 1 and plan.destructive == 0
    )


def test_no_deletes_lists_them(kit: Kit) -> None:
    kit.both("case.b", 42).both("case.a", 41).both("case.c", 43).undeclare("case.a", "case.b", "case.c").remove(
        "case.c"
    )
    plan = kit.plan(deletes=False)
    assert lines(plan) == ["forget case.c"] and plan.unlisted_deletes == ("case.a", "case.b") and not plan.deletes


def test_protection_is_remembered(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.a", 41, suite="s").undeclare("suite.s", "case.a")
    kit.state.bindings["case.a"].protect = True
    plan = kit.plan()
    assert (
        lines(plan) == ["! delete case.a (protected)", "! delete suite.s (suite_not_empty)"] and plan.destructive == 0
    )
    assert change(plan, "suite.s").blocked.by == ("case.a",)  # type: ignore[union-attr]


def test_an_edit_made_since_is_said(kit: Kit) -> None:
    kit.both("case.a", 41, title="A", severity="minor").undeclare("case.a").qase("case.a", severity="major", tags=["x"])
    plan = kit.plan(on_conflict="ours")
    assert change(plan, "case.a").notes == ("edited in Qase since the last apply (severity)",)
    assert lines(plan) == ["delete case.a"] and [(d.address, d.kind, list(d.attributes)) for d in plan.drift] == [
        ("case.a", "changed", ["severity"])
    ]
    kit.qase("case.a", severity="minor", title=" A")
    assert change(kit.plan(), "case.a").notes == () and kit.plan().drift == ()
    kit.remove("case.a").qase("case.a", title="B")
    assert change(kit.plan(), "case.a").notes == () and len(kit.plan().drift) == 1


def test_an_edit_made_since_is_a_conflict(kit: Kit) -> None:
    """Both changed, differently: it was taken away here, and edited in Qase."""
    kit.both("case.a", 41, severity="minor").undeclare("case.a").qase("case.a", severity="major")
    plan = kit.plan()
    assert lines(plan) == ["! delete case.a (conflict)"] and plan.destructive == 0
    assert "(severity)" in reason(kit, "case.a") and "`removed: [case.a]`" in reason(kit, "case.a")
    plan = kit.plan(on_conflict="theirs")
    assert lines(plan) == ["forget case.a"] and plan.changes[0].notes and plan.destructive == 0
    assert lines(kit.plan(destroy=True)) == ["delete case.a"]  # it deletes all that is bound, and asks for the number
    kit.state.bindings["case.a"].protect = True
    for stance in ("fail", "theirs", "ours"):
        assert lines(kit.plan(on_conflict=stance)) == ["! delete case.a (protected)"]


def test_the_policy_of_the_folder_counts(kit: Kit) -> None:
    kit.both("case.a", 41, severity="minor").undeclare("case.a").qase("case.a", severity="major")
    kit.project["policy"] = Policy(on_conflict="ours")
    assert lines(kit.plan()) == ["delete case.a"]
    assert lines(kit.plan(on_conflict="fail")) == ["! delete case.a (conflict)"]


def test_what_was_left_to_others_is_no_conflict(kit: Kit) -> None:
    kit.both("case.a", 41, automation="manual").undeclare("case.a").qase("case.a", automation="automated")
    assert lines(kit.plan()) == ["! delete case.a (conflict)"]
    kit.state.bindings["case.a"].ignore = ["automation"]
    plan = kit.plan()
    assert lines(plan) == ["delete case.a"] and plan.drift == ()


# -- suites ------------------------------------------------------------------------------------------------------


def test_a_suite_goes_after_all_that_is_in_it(kit: Kit) -> None:
    kit.both("suite.s", 7).both("suite.s/t", 8).both("case.a", 41, suite="s/t").both("case.b", 42, suite="s")
    plan = kit.undeclare("suite.s", "suite.s/t", "case.a", "case.b").plan()
    assert lines(plan) == ["delete case.a", "delete case.b", "delete suite.s/t", "delete suite.s"]
    assert change(plan, "suite.s").depends_on == ("case.b", "suite.s/t")


@pytest.mark.parametrize(("outer", "inner"), [(7, 8), (8, 7)])
def test_what_an_inner_suite_holds_keeps_the_outer_one(kit: Kit, outer: int, inner: int) -> None:
    kit.both("suite.s", outer).both("suite.s/t", inner).undeclare("suite.s", "suite.s/t").live("case", 50, suite=inner)
    assert lines(kit.plan()) == ["! delete suite.s/t (suite_not_empty)", "! delete suite.s (suite_not_empty)"]


@pytest.mark.parametrize(
    ("live", "named"),
    [
        (lambda kit: kit.live("case", 50, suite=7), "case 50 'case 50' (not managed)"),
        (lambda kit: kit.live("suite", 51, parent=7), "suite 51 'suite 51' (not managed)"),
        (lambda kit: kit.both("case.kept", 52, suite=external(7)), "case.kept"),
        (
            lambda kit: kit.both("case.let-go", 53, suite="s").undeclare("case.let-go").remove("case.let-go"),
            "case.let-go",
        ),
    ],
)
def test_a_suite_that_holds_anything_else_stays(kit: Kit, live: Any, named: str) -> None:
    kit.both("suite.s", 7)
    live(kit).undeclare("suite.s")
    assert "! delete suite.s (suite_not_empty)" in lines(kit.plan())
    assert named in reason(kit, "suite.s") and "Qase would delete that with it" in reason(kit, "suite.s")


def test_moves_come_before(kit: Kit) -> None:
    kit.both("suite.s", 7).both("suite.new", 8).both("suite.s/t", 9).both("case.a", 41, suite="s").undeclare(
        "suite.s", "suite.s/t"
    )
    kit.declare("suite.t", title="suite.s/t 2").yaml("case.a", suite="new")
    kit.rekey("suite.t", "suite.u", title="U")
    assert lines(kit.plan()) == ["create suite.u", "move case.a suite=ours", "delete suite.s/t", "delete suite.s"]


def test_a_sub_suite_that_moves_away(kit: Kit) -> None:
    kit.both("suite.s", 7).both("suite.s/t", 8).undeclare("suite.s").rekey("suite.s/t", "suite.t", parent=None)
    kit.moved(("suite.s/t", "suite.t"))
    assert lines(kit.plan()) == ["move suite.t from suite.s/t parent=ours", "delete suite.s"]


def test_a_blocked_move_blocks_the_delete(kit: Kit) -> None:
    kit.both("suite.s", 7).both("suite.new", 8).both("case.a", 41, suite="s", severity="minor").undeclare("suite.s")
    kit.yaml("case.a", suite="new", severity="major").qase("case.a", severity="trivial")
    assert lines(kit.plan()) == ["! move case.a (conflict)", "! delete suite.s (suite_not_empty)"]


def test_a_move_that_is_blocked_later_blocks_the_delete(kit: Kit) -> None:
    """It moves into a suite that cannot be made."""
    kit.both("suite.s", 7).both("case.a", 41, suite="s").undeclare("suite.s")
    kit.declare("suite.new", title="T").live("suite", 1, title="T").live("suite", 2, title="T").yaml(
        "case.a", suite="new"
    )
    plan = kit.plan()
    assert lines(plan) == [
        "! create suite.new (ambiguous_identity)", "! move case.a (depends_on_blocked)", "! delete suite.s (depends_on_blocked)",
    ]  # fmt: skip
    assert reason(kit, "suite.s") == "case.a must come first, and is blocked."
    assert reason(kit, "case.a") == "It needs suite.new, which is blocked."
    kit.declare("milestone.m", title="M").live("milestone", 1, title="M").live("milestone", 2, title="M")
    kit.yaml("case.a", milestone="m")
    assert reason(kit, "case.a") == "It needs milestone.m, suite.new, which are blocked."


def test_a_change_of_something_else_does_not_let_go(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.a", 41, suite=external(7), gherkin="G", steps=[]).undeclare("suite.s")
    assert lines(kit.yaml("case.a", title="New", gherkin="H").plan())[-1] == "! delete suite.s (suite_not_empty)"


def test_deletes_are_shown_where_they_lie(kit: Kit) -> None:
    kit.both("suite.s", 7).both("suite.s/t", 8).both("case.a", 41, suite="s/t").both("milestone.m", 3)
    kit.undeclare("suite.s/t", "case.a", "milestone.m")
    assert {c.address: c.suite for c in kit.plan().changes} == {"case.a": "s/t", "suite.s/t": "s", "milestone.m": ""}


def test_many_obstacles_are_counted(kit: Kit) -> None:
    kit.both("suite.few", 6).undeclare("suite.few")
    for id in range(60, 65):
        kit.live("case", id, suite=6)
    assert "case 63 'case 63' (not managed), case 64 'case 64' (not managed), and" in reason(kit, "suite.few")
    kit.both("suite.s", 7).undeclare("suite.s")
    for id in range(50, 58):
        kit.live("case", id, suite=7)
    assert "case 54 'case 54' (not managed) and 3 more," in reason(kit, "suite.s")


# -- shared steps and milestones ---------------------------------------------------------------------------------


def test_a_shared_step_in_use_stays(kit: Kit) -> None:
    kit.both("shared_step.in", steps=STEPS).live("case", 50, steps=[{"shared": kit.id("shared_step.in")}])
    kit.undeclare("shared_step.in")
    assert lines(kit.plan()) == ["! delete shared_step.in (shared_step_in_use)"]
    assert "used by case 50 'case 50' (not managed), and Qase would strip its steps" in reason(kit, "shared_step.in")


def test_uses_that_only_the_shared_step_tells_of(kit: Kit) -> None:
    kit.both("shared_step.in", meta={"cases": [77]}, steps=STEPS).undeclare("shared_step.in")
    assert lines(kit.plan()) == ["! delete shared_step.in (shared_step_in_use)"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda kit: kit.undeclare("case.a"),
        lambda kit: kit.yaml("case.a", steps=STEPS),
        lambda kit: kit.yaml("case.a", drop=["steps"], gherkin="Given x"),
    ],
)
def test_a_shared_step_goes_after_its_last_use(kit: Kit, edit: Any) -> None:
    kit.both("shared_step.in", steps=[{"action": "In"}]).both("case.a", 41, steps=[shared("in")]).undeclare(
        "shared_step.in"
    )
    edit(kit)
    found = lines(kit.plan())
    assert len(found) == 2 and "case.a" in found[0] and found[1] == "delete shared_step.in"


def test_a_use_that_the_yaml_does_not_manage_is_still_a_use(kit: Kit) -> None:
    kit.both("shared_step.in", steps=STEPS).both("case.a", 41, steps=[shared("in")]).undeclare("shared_step.in")
    kit.yaml("case.a", drop=["steps"], title="New")
    assert lines(kit.plan()) == ["update case.a title=ours", "! delete shared_step.in (shared_step_in_use)"]


def test_another_use_of_the_same_step_is_still_a_use(kit: Kit) -> None:
    kit.both("shared_step.in", steps=STEPS).both("case.a", 41, steps=[shared("in"), shared("in")])
    kit.yaml("case.a", steps=[{"shared": external(kit.id("shared_step.in"))}]).undeclare("shared_step.in")
    assert lines(kit.plan())[-1] == "! delete shared_step.in (shared_step_in_use)"


def test_a_milestone_in_use_stays(kit: Kit) -> None:
    kit.both("milestone.m", 3).both("case.a", 41, milestone="m").yaml("case.a", drop=["milestone"]).undeclare(
        "milestone.m"
    )
    assert lines(kit.plan()) == ["! delete milestone.m (milestone_in_use)"]
    assert reason(kit, "milestone.m") == (
        "It is still used by case.a, and Qase would clear it there. Take it out there, or declare it again; "
        "`removed: [milestone.m]` leaves the milestone in Qase."
    )
    assert lines(kit.yaml("case.a", milestone=None).plan()) == ["update case.a milestone=ours", "delete milestone.m"]


# -- test plans ----------------------------------------------------------------------------------------------------


def test_losing_a_member_is_an_update_before_the_delete(kit: Kit) -> None:
    kit.both("case.a", 41).both("case.b", 42).both("plan.smoke", 5, cases=["a", "b"])
    plan = kit.undeclare("case.b").yaml("plan.smoke", cases=["a"]).plan()
    assert lines(plan) == ["update plan.smoke cases=ours", "delete case.b"]
    assert change(plan, "case.b").depends_on == ("plan.smoke",)
    assert change(plan, "case.b").notes == ("in plan.smoke (updated first)",)


def test_members_that_the_yaml_does_not_manage(kit: Kit) -> None:
    kit.both("case.b", 42).both("plan.smoke", 5, cases=["b"]).yaml("plan.smoke", drop=["cases"], title="New").undeclare(
        "case.b"
    )
    kit.live("plan", 6, cases=[42]).both("shared_step.u", meta={"cases": [42]}, steps=STEPS)
    assert change(kit.plan(), "case.b").notes == ("in plan.smoke", "in plan 6 'plan 6' (not managed)")
    kit.both("suite.z", 9).both("suite.z/y", 10).undeclare("suite.z", "suite.z/y")
    assert change(kit.plan(), "suite.z").notes == ("holds suite.z/y (deleted first)",)


def test_assignees_hold_up_the_update_and_so_the_delete(kit: Kit) -> None:
    kit.both("case.a", 41).both("case.b", 42).both("plan.smoke", 5, meta={"assignees": 1}, cases=["a", "b"])
    kit.undeclare("case.b").yaml("plan.smoke", cases=["a"])
    assert lines(kit.plan()) == ["! update plan.smoke (would_drop_assignees)", "! delete case.b (depends_on_blocked)"]
    assert reason(kit, "plan.smoke").startswith(
        "1 of its cases has an assignee in Qase; a change of cases may drop that."
    )
    kit.yaml("plan.smoke", local={"assignees": "may_be_lost"})
    assert lines(kit.plan()) == ["update plan.smoke cases=ours", "delete case.b"]


def test_assignees_do_not_hold_up_anything_else(kit: Kit) -> None:
    kit.both("case.a", 41).both("case.b", 42).both("plan.smoke", 5, meta={"assignees": 2}, cases=["a"])
    assert lines(kit.yaml("plan.smoke", title="New").plan()) == ["update plan.smoke title=ours"]
    kit.yaml("plan.smoke", cases=["a", "b"]).qase("plan.smoke", cases=[41, 42])  # both alike: nothing is sent of it
    assert lines(kit.plan()) == ["update plan.smoke title=ours cases=both"]
    kit.qase("plan.smoke", cases=[41])
    assert lines(kit.plan()) == ["! update plan.smoke (would_drop_assignees)"]
    assert reason(kit, "plan.smoke").startswith("2 of its cases have an assignee")


def test_an_empty_test_plan_is_not_sent(kit: Kit) -> None:
    kit.both("case.a", 41).both("plan.p", 5, cases=["a"]).declare("plan.q", cases=[]).declare("plan.r")
    kit.yaml("plan.p", cases=[])
    assert lines(kit.plan()) == [
        f"! {what} (empty_plan)" for what in ("create plan.q", "create plan.r", "update plan.p")
    ]
    kit.yaml("plan.p", drop=["cases"], title="New").undeclare("plan.q", "plan.r")
    assert lines(kit.plan()) == ["update plan.p title=ours"]


def test_a_rule_that_picks_nobody_blocks_the_plan(kit: Kit) -> None:
    kit.both("case.a", 41).both("plan.p", 5, cases=["a"]).yaml("plan.p", title="New", local={"nobody": True})
    kit.declare("plan.q", cases=["a"], local={"nobody": True})
    assert lines(kit.plan()) == ["! create plan.q (empty_selection)", "! update plan.p (empty_selection)"]


# -- vanished ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_policy", [True, False])
@pytest.mark.parametrize(
    ("policy", "expected", "destructive"),
    [("revert", ["create case.a"], 1), ("keep", [], 0), ("fail", ["! create case.a (vanished)"], 0)],
)
def test_vanished(kit: Kit, policy: str, expected: list[str], destructive: int, by_policy: bool) -> None:
    kit.both("case.a", 41, title="A").vanish("case.a")
    if by_policy:
        kit.yaml("case.a", policy=Policy(on_drift=policy))
    plan = kit.plan(**({} if by_policy else {"on_drift": policy}))
    assert lines(plan) == expected and plan.destructive == destructive
    assert [(d.address, d.kind, d.id, d.title) for d in plan.drift] == [("case.a", "vanished", 41, "A")]
    assert plan.summary.no_op == 0
    for found in plan.changes:
        assert (found.reason, found.id, found.precondition) == ("vanished", None, None)
    if policy == "revert":
        assert plan.changes[0].notes == ("was deleted in Qase (id 41); it gets a new id",)


def test_what_refers_to_something_kept_vanished_is_blocked(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.a", 41, suite="s").vanish("suite.s").qase("case.a", suite=None)
    kit.yaml("suite.s", policy=Policy(on_drift="keep"))
    plan = kit.plan()
    assert lines(plan) == ["! move case.a (reference_vanished)"] and plan.changes[0].blocked.by == ("suite.s",)  # type: ignore[union-attr]
    kit.yaml("suite.s", policy=Policy())
    assert lines(kit.plan()) == ["create suite.s", "move case.a suite=theirs"]
    assert kit.plan().changes[1].attributes["suite"].after == {"known_after_apply": "suite.s"}


def test_a_test_plan_gets_back_the_member_that_vanished(kit: Kit) -> None:
    """Qase drops it from the plan, and that is no change of the files'."""
    kit.both("case.a", 41).both("case.b", 42).both("plan.p", 5, cases=["a", "b"]).vanish("case.b").qase(
        "plan.p", cases=[41]
    )
    plan = kit.plan()
    assert lines(plan) == ["create case.b", "update plan.p cases=theirs"]
    assert plan.changes[1].attributes["cases"].after == ["case.a", {"known_after_apply": "case.b"}]
    assert plan.drift[1].attributes["cases"].before == ["case.a", "case.b"]
    kit.state.bindings["plan.p"].served["cases"] = [42, 41]
    kit.state.bindings["plan.p"].sent["cases"] = [41]
    assert lines(kit.plan()) == ["create case.b", "update plan.p cases=ours"]  # as it was served last, without the dead
    kit.state.bindings["plan.p"].sent["cases"] = [41, 42]
    kit.qase("plan.p", cases=[41, 42])  # where Qase leaves the dead id in it
    assert lines(kit.plan()) == ["create case.b", "update plan.p cases=theirs"]
    assert lines(kit.plan(on_drift="keep")) == []


def test_vanished_beside_another_of_its_title(kit: Kit) -> None:
    kit.both("case.a", 41, title="A").vanish("case.a").live("case", 50, title="A")
    plan = kit.plan()
    assert lines(plan) == ["create case.a"] and codes(plan) == ["same-title-exists"]
    assert "(id 41, gone from Qase)" in plan.findings[0].detail and "state rm case.a" in plan.findings[0].detail


def test_vanished_and_undeclared_is_forgotten(kit: Kit) -> None:
    plan = kit.both("case.a", 41).vanish("case.a").undeclare("case.a").plan()
    assert lines(plan) == ["forget case.a"] and plan.destructive == 0 and plan.drift[0].kind == "vanished"


# -- destroy -------------------------------------------------------------------------------------------------------


def test_destroy_takes_all_that_is_bound_and_not_protected(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.a", 41, suite="s").both("suite.p", 8).both("case.p", 42, suite="p").live(
        "case", 50
    )
    kit.both("plan.x", 5, cases=["a"]).moved(("case.a", "case.b")).remove("case.a").state.bindings[
        "case.p"
    ].protect = True
    plan = kit.plan(destroy=True)
    assert lines(plan) == [
        "delete plan.x", "delete case.a", "! delete case.p (protected)", "delete suite.s", "! delete suite.p (suite_not_empty)",
    ]  # fmt: skip


def test_destroy_makes_no_project(kit: Kit) -> None:
    kit.snapshot.exists = False
    assert kit.plan(destroy=True).changes == ()
