"""Which live object a declared one is: state, `adopt:`, natural key."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, codes, external, lines

from qase_iac.model import Policy
from qase_iac.plan.model import LEFT

EXPLICIT = Policy(adopt="explicit")


def test_the_state_comes_first(kit: Kit) -> None:
    kit.both("case.pay", 41, title="Pay").live("case", 42, title="Pay")
    assert kit.plan().changes == () and kit.plan().summary.unmanaged == 1


def test_title_and_place_change_freely(kit: Kit) -> None:
    kit.both("suite.a", 7).both("suite.b", 8).both("case.pay", 41, title="Pay", suite="a")
    plan = kit.yaml("case.pay", title="Pay at once", suite="b").plan()
    assert lines(plan) == ["move case.pay title=ours suite=ours"] and plan.changes[0].id == 41


def test_natural_key_top_down(kit: Kit) -> None:
    kit.stateless()
    kit.declare("suite.a", title="A").declare("suite.a/b", title="B").declare("case.pay", title="Pay", suite="a/b")
    kit.live("suite", 1, title="A").live("suite", 2, title="B", parent=1).live("suite", 3, title="B")
    kit.live("case", 4, title=" Pay", suite=2).live("case", 5, title="Pay", suite=3)
    plan = kit.plan()
    assert lines(plan) == ["adopt suite.a", "adopt suite.a/b", "adopt case.pay"]
    assert [c.id for c in plan.changes] == [1, 2, 4] and [c.reason for c in plan.changes] == ["adopted"] * 3
    assert plan.requests == 0 and plan.summary.adopt == 3 and plan.summary.unmanaged == 2 and plan.stateless
    assert plan.observed["case.pay"] == {"title": "Pay", "suite": 2}


def test_parents_come_first_whatever_their_key(kit: Kit) -> None:
    kit.declare("suite.short", title="B", parent="long/way/down", order=0)
    kit.declare("suite.long/way/down", title="A", parent=None, order=1)
    kit.live("suite", 1, title="A").live("suite", 2, title="B", parent=1)
    assert lines(kit.plan()) == ["adopt suite.short", "adopt suite.long/way/down"]


def test_what_lies_in_an_external_suite(kit: Kit) -> None:
    kit.declare("case.pay", title="Pay", suite=external(9)).live("suite", 9).live("case", 4, title="Pay", suite=9)
    assert lines(kit.plan()) == ["adopt case.pay"]


def test_bound_objects_are_never_matched(kit: Kit) -> None:
    kit.both("case.old", 41, title="Pay").declare("case.new", title="Pay").remove("case.old").undeclare("case.old")
    assert lines(kit.plan()) == ["create case.new", "forget case.old"]


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({}, ["! adopt case.pay (conflict)"]),
        ({"on_conflict": "ours"}, ["adopt case.pay severity=conflict"]),
        ({"on_conflict": "theirs"}, ["adopt case.pay"]),
    ],
)
def test_differences_on_adoption_by_natural_key_are_conflicts(
    kit: Kit, option: dict[str, str], expected: list[str]
) -> None:
    kit.declare("case.pay", title="Pay", severity="major").live("case", 4, title="Pay", severity="minor")
    plan = kit.plan(**option)
    assert lines(plan) == expected
    if not option:
        assert (
            plan.changes[0].blocked
            and "An object of this place and title exists in Qase and differs in severity."
            in plan.changes[0].blocked.reason
        )


def test_what_was_left_as_it_is_on_adoption_stays_a_conflict(kit: Kit) -> None:
    """Otherwise the next plan would take it for ours and overwrite it."""
    kit.declare("case.pay", title="Pay", severity="major").live("case", 4, title="Pay", severity="minor")
    observed = kit.plan(on_conflict="theirs").observed["case.pay"]
    assert observed == {"title": "Pay", "suite": None, "severity": LEFT}
    del observed["severity"]
    for held in ("minor", "trivial", None):
        kit.live("case", 4, title="Pay", severity=held).bind("case.pay", 4, sent=observed, served={"severity": "minor"})
        assert lines(kit.plan()) == ["! update case.pay (conflict)"]
        assert lines(kit.plan(on_conflict="theirs")) == [] and kit.plan(on_conflict="theirs").observed == {}
        assert lines(kit.plan(on_conflict="ours")) == ["update case.pay severity=conflict"]
    kit.live("case", 4, title="Pay", severity="major")
    assert kit.plan().observed == {"case.pay": {"severity": "major"}}


def test_adopt_binds_and_differences_are_ours(kit: Kit) -> None:
    kit.declare("case.pay", title="Pay", severity="major").live("case", 4, title="Other", severity="minor").adopt(
        "case.pay", 4
    )
    plan = kit.plan()
    assert lines(plan) == ["adopt case.pay title=ours severity=ours"] and plan.requests == 1
    assert plan.changes[0].precondition and plan.changes[0].writes


def test_adopt_wins_over_the_natural_key(kit: Kit) -> None:
    kit.declare("case.pay", title="Pay").live("case", 4, title="Pay").live("case", 5, title="Pay").adopt("case.pay", 5)
    plan = kit.plan()
    assert lines(plan) == ["adopt case.pay"] and plan.changes[0].id == 5


def test_adopt_of_what_the_state_has_is_nothing(kit: Kit) -> None:
    assert kit.both("case.pay", 41).adopt("case.pay", 41).plan().changes == ()


@pytest.mark.parametrize(
    ("setup", "code", "why"),
    [
        (lambda kit: kit.both("case.pay", 41).live("case", 4).adopt("case.pay", 4), "adopt_conflict", "the state says 41"),
        (lambda kit: kit.both("case.x", 4).declare("case.pay").adopt("case.pay", 4), "adopt_conflict", "4 is bound to case.x"),
        (lambda kit: kit.declare("case.pay").adopt("case.pay", 4), "adopt_not_found", "Qase has no case 4"),
    ],
)  # fmt: skip
def test_adopt_refused(kit: Kit, setup: object, code: str, why: str) -> None:
    plan = setup(kit).plan()  # type: ignore[operator]
    assert lines(plan) == [f"! adopt case.pay ({code})"]
    found = change(plan, "case.pay")
    assert found.id == 4 and found.blocked and why in found.blocked.reason and plan.requests == 0


def test_each_entry_for_itself(kit: Kit) -> None:
    kit.both("case.a", 3).adopt("case.a", 3).declare("case.b", title="B").live("case", 4, title="B").adopt("case.b", 4)
    kit.live("case", 5, title="B")
    assert lines(kit.plan()) == ["adopt case.b"]


def test_two_addresses_cannot_adopt_one_object(kit: Kit) -> None:
    kit.declare("case.a", title="A").declare("case.b", title="B").live("case", 4).adopt("case.b", 4).adopt("case.a", 4)
    assert lines(kit.plan()) == ["adopt case.a title=ours", "! adopt case.b (adopt_conflict)"]


def test_what_needs_a_refused_adoption_waits(kit: Kit) -> None:
    kit.declare("suite.a", title="A").adopt("suite.a", 4).declare("case.pay", suite="a")
    assert lines(kit.plan()) == ["! adopt suite.a (adopt_not_found)", "! create case.pay (depends_on_blocked)"]
    kit.live("suite", 5, title="A", description="x").yaml("suite.a", description="y")
    kit.adopted.clear()
    assert lines(kit.plan()) == ["! adopt suite.a (conflict)", "! create case.pay (depends_on_blocked)"]


def test_twins_are_told_apart_by_all_managed_attributes(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", severity="major").declare("case.b", title="Pay", severity="minor")
    kit.live("case", 1, title="Pay", severity="minor").live("case", 2, title="Pay", severity="major")
    plan = kit.plan()
    assert [(c.address, c.action, c.id) for c in plan.changes] == [("case.a", "adopt", 2), ("case.b", "adopt", 1)]


@pytest.mark.parametrize("steps", [[{"action": "x"}], [{"action": "x", "attachments": [{"hash": "h"}]}]])
def test_twins_are_told_apart_by_steps_and_references(kit: Kit, steps: list[object]) -> None:
    kit.held("h", "h.png").both("milestone.m", 3)
    kit.declare("case.a", title="Pay", steps=[{"action": "x"}], milestone="m")
    kit.declare("case.b", title="Pay", steps=[{"action": "y"}])
    live = [{**step, "attachments": ["h"]} if "attachments" in step else step for step in steps]  # type: ignore[dict-item]
    kit.live("case", 1, title="Pay", steps=[{"action": "y"}]).live("case", 2, title="Pay", steps=live, milestone=3)
    assert [(c.address, c.action, c.id) for c in kit.plan().changes] == [("case.a", "adopt", 2), ("case.b", "adopt", 1)]


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (["major", "major"], ["! create case.a (ambiguous_identity)"]),
        (["minor", "trivial"], ["! create case.a (ambiguous_identity)"]),
        (["minor", "major"], ["adopt case.a"]),
    ],
)
def test_one_of_several(kit: Kit, live: list[str], expected: list[str]) -> None:
    kit.declare("case.a", title="Pay", severity="major")
    for id, severity in enumerate(live, 8):
        kit.live("case", id, title="Pay", severity=severity)
    plan = kit.plan()
    assert lines(plan) == expected
    if "ambiguous" in expected[0]:
        assert codes(plan) == ["ambiguous-identity"] and plan.findings[0].address == "case.a"
        blocked = plan.changes[0].blocked
        assert blocked and "8, 9" in blocked.reason and "adopt: {case.a: 8}" in blocked.reason


def test_several_for_one(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", severity="major").declare("case.b", title="Pay", severity="minor")
    kit.live("case", 1, title="Pay", severity="trivial")
    assert lines(kit.plan()) == ["! create case.a (ambiguous_identity)", "! create case.b (ambiguous_identity)"]
    kit.live("case", 1, title="Pay", severity="minor")  # then it is that one's, and the other is new
    assert lines(kit.plan()) == ["create case.a", "adopt case.b"]


def test_ignored_attributes_do_not_tell_twins_apart(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", severity="major", ignore=frozenset({"severity"}))
    kit.live("case", 1, title="Pay", severity="minor").live("case", 2, title="Pay", severity="major")
    assert lines(kit.plan()) == ["! create case.a (ambiguous_identity)"]


def test_of_many_candidates_some_are_named(kit: Kit) -> None:
    kit.declare("case.a", title="Pay")
    for id in range(30):
        kit.live("case", 100 - id, title="Pay")
    assert (
        kit.plan()
        .findings[0]
        .summary.endswith("71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90 and 10 more.")
    )


def test_many_twins_are_no_work(kit: Kit) -> None:
    for number in range(400):
        kit.declare(f"case.c{number}", title="Pay", description=f"{number}")
        kit.live("case", 1000 - number, title="Pay", description=f"{number}")
    assert {(c.action, c.id) for c in kit.plan().changes} == {("adopt", 1000 - n) for n in range(400)}


def test_explicit_adoption_makes_a_second_one_and_says_so(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", policy=EXPLICIT).live("case", 7, title="Pay").live("case", 12, title="Pay")
    plan = kit.plan()
    assert lines(plan) == ["create case.a"] and codes(plan) == ["same-title-exists"]
    assert (
        "at this place already: 7, 12." in plan.findings[0].summary and "adopt: {case.a: 7}" in plan.findings[0].detail
    )
    kit.adopt("case.a", 12)
    assert lines(kit.plan()) == ["adopt case.a"] and codes(kit.plan()) == []


def test_policy_of_each_folder_decides_for_its_own(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", policy=EXPLICIT).declare("case.b", title="Pay").live("case", 7, title="Pay")
    plan = kit.plan()
    assert lines(plan) == ["create case.a", "adopt case.b"] and codes(plan) == []


def test_titles_of_other_kinds_and_places_do_not_count(kit: Kit) -> None:
    kit.both("suite.a", 7).declare("case.pay", title="Pay", suite="a").declare("milestone.m", title="Pay")
    kit.live("suite", 8, title="Pay").live("case", 4, title="Pay").live("plan", 5, title="Pay")
    assert lines(kit.plan()) == ["create milestone.m", "create case.pay"]


def test_a_new_suite_has_no_children_to_adopt(kit: Kit) -> None:
    kit.declare("suite.a", title="A").declare("case.pay", title="Pay", suite="a").live("case", 4, title="Pay")
    assert lines(kit.plan()) == ["create suite.a", "create case.pay"]
