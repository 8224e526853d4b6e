"""What is likely what, for a folder whose objects exist in Qase already: pure, from the files and one reading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from plan_kit import Kit

from qase_iac.model import Scope
from qase_iac.plan.planner import same_values
from qase_iac.plan.suggest import ALIKE, NEVER, PLACE_AND_TITLE, SAID, Suggestions, suggest
from qase_iac.values import Address

STEPS = [{"action": "Open the basket"}, {"action": "Enter the card"}, {"action": "Pay"}]


def suggested(kit: Kit, **more: Any) -> Suggestions:
    return suggest(kit.desired, kit.snapshot, kit.state, same_values(kit.snapshot, kit.state), **more)


def matches(found: Suggestions) -> list[tuple[str, Any, str, bool]]:
    return [(each.address, each.id, each.by, each.sure) for each in found.matches]


def explicit(kit: Kit, address: str) -> None:
    old = kit.resources[Address.parse(address)]
    kit.resources[old.address] = replace(old, policy=replace(old.policy, adopt="explicit"))


# -- what planning knows


def test_what_is_bound_needs_no_suggestion(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.a", 41, suite="s")
    assert suggested(kit) == Suggestions()


def test_place_and_title_are_sure_whatever_the_policy_for_adopting_says(kit: Kit) -> None:
    kit.live("suite", 7, title="S").live("case", 41, title="A", suite=7).live("case", 42, title="A")
    kit.declare("suite.s", title="S").declare("case.a", title="A", suite="s").declare("case.b", title="B")
    explicit(kit, "case.a")
    found = suggested(kit)
    assert matches(found) == [("suite.s", 7, PLACE_AND_TITLE, True), ("case.a", 41, PLACE_AND_TITLE, True)]
    assert [(each.title, each.likeness) for each in found.sure] == [("S", 100.0), ("A", 100.0)]
    assert (found.likely, found.doubtful, found.unmatched, found.left) == ([], {}, ["case.b"], 1)


def test_what_adopt_says_is_said(kit: Kit) -> None:
    kit.live("case", 41, title="Wholly other").declare("case.a", title="A").adopt("case.a", 41)
    assert matches(suggested(kit)) == [("case.a", 41, SAID, True)]


def test_what_cannot_be_told_is_in_doubt_and_not_among_what_is_left(kit: Kit) -> None:
    for id in (100, 9):
        kit.live("case", id, title="A")
    kit.live("case", 8, title="Other").declare("case.a", title="A").declare("case.b", title="A")
    found = suggested(kit)
    assert (found.doubtful, found.matches, found.unmatched) == ({"case.a": (9, 100), "case.b": (9, 100)}, [], [])
    assert found.left == 1


def test_what_vanished_or_cannot_be_adopted_is_not_looked_for(kit: Kit) -> None:
    kit.both("case.gone", 41, title="A").vanish("case.gone").live("case", 42, title="A")
    kit.declare("case.b", title="A lot like it").adopt("case.b", 999).live("case", 43, title="A lot like it.")
    found = suggested(kit)
    assert (found.matches, found.doubtful, found.unmatched, found.left) == ([], {}, [], 2)


# -- by likeness


def test_an_edited_title_is_matched_by_likeness(kit: Kit) -> None:
    kit.live("case", 41, title="Pay by card.", steps=STEPS).declare("case.a", title="Pay by card", steps=STEPS)
    kit.live("case", 42, title="Refund in cash").declare("case.b", title="Something else entirely")
    (found,) = suggested(kit).matches
    assert (found.address, found.id, found.title, found.by, found.sure) == ("case.a", 41, "Pay by card.", ALIKE, True)
    assert 92 <= found.likeness < 100
    assert suggested(kit).unmatched == ["case.b"]
    assert suggested(kit).left == 1


@pytest.mark.parametrize(("more", "sure"), [({}, True), ({"sure": NEVER}, False), ({"sure": 99.0}, False)])
def test_what_is_sure_by_likeness_is_up_to_the_caller(kit: Kit, more: dict[str, float], sure: bool) -> None:
    kit.live("case", 41, title="Pay by card.", steps=STEPS).declare("case.a", title="Pay by card", steps=STEPS)
    found = suggested(kit, **more)
    assert [each.sure for each in found.matches] == [sure]
    assert (len(found.sure), len(found.likely)) == ((1, 0) if sure else (0, 1))


def test_as_sure_as_it_takes_is_sure(kit: Kit) -> None:
    kit.live("case", 41, title="Pay by card.", steps=STEPS).declare("case.a", title="Pay by card", steps=STEPS)
    (found,) = suggested(kit).matches
    assert suggested(kit, sure=found.likeness).matches[0].sure


def test_two_that_come_near_are_in_doubt_the_likest_first_and_nobody_elses(kit: Kit) -> None:
    kit.live("case", 100, title="Pay by card now", steps=STEPS).live("case", 9, title="Pay by card.", steps=STEPS)
    kit.live("case", 20, title="Pay by card!", steps=STEPS).live("case", 30, title="Another matter")
    kit.declare("case.a", title="Pay by card", steps=STEPS)
    found = suggested(kit)
    assert (found.matches, found.unmatched, found.left) == ([], [], 2)
    assert found.doubtful == {"case.a": (9, 20)}


def test_what_lies_in_a_suite_that_is_alike_is_found_by_place_and_as_sure_as_that(kit: Kit) -> None:
    for title, other, id in (("Payments", "Payments!", 7), ("Delivery abroad", "Delivery at home", 8)):
        key = title.partition(" ")[0].lower()
        kit.declare(f"suite.{key}", title=title).live("suite", id, title=other)
        kit.declare(f"case.{key}", title="Pay", suite=key).live("case", id + 40, title="Pay", suite=id)
    kit.live("case", 60, title="Pay")
    found = {each.address: (each.id, each.by, each.sure) for each in suggested(kit).matches}
    assert found == {
        "suite.payments": (7, ALIKE, True),
        "case.payments": (47, PLACE_AND_TITLE, True),
        "suite.delivery": (8, ALIKE, False),
        "case.delivery": (48, PLACE_AND_TITLE, False),
    }


def test_of_two_declared_alike_in_a_place_found_by_likeness_neither_is_taken_by_title(kit: Kit) -> None:
    kit.declare("suite.p", title="Payments").live("suite", 7, title="Payments!")
    kit.declare("case.a", title="Pay", suite="p").declare("case.b", title="Pay", suite="p")
    kit.live("case", 47, title="Pay", suite=7)
    found = suggested(kit)
    assert [each.address for each in found.matches] == ["suite.p"]
    assert found.doubtful == {"case.a": (47,), "case.b": (47,)}


def test_what_lies_in_what_is_not_in_qase_has_no_place(kit: Kit) -> None:
    kit.declare("suite.new", title="Wholly new").declare("case.a", title="Pay", suite="new")
    kit.live("case", 41, title="Pay")
    found = suggested(kit)
    assert (matches(found), found.unmatched) == ([("case.a", 41, ALIKE, False)], ["suite.new"])


# -- in a folder with a scope


def scoped() -> Kit:
    kit = Kit(scope=["a", "a/**"])
    return kit.both("suite.a", 7)


def test_only_what_lies_in_the_scope_is_looked_at() -> None:
    kit = scoped()
    kit.live("suite", 8, title="Elsewhere").live("case", 41, title="Pay by card", suite=8)
    kit.live("case", 42, title="Left", suite=7)
    kit.declare("case.a", title="Pay by card", suite="a")
    found = suggested(kit)
    assert (found.matches, found.unmatched, found.left) == ([], ["case.a"], 1)


@pytest.mark.parametrize(("description", "sure"), [("the same", True), ("another", False)])
def test_what_lies_in_no_suite_is_sure_when_all_of_it_is_equal(description: str, sure: bool) -> None:
    kit = scoped()
    kit.declare("milestone.m", title="M", description="the same").live(
        "milestone", 3, title="M", description=description
    )
    assert matches(suggested(kit)) == [("milestone.m", 3, PLACE_AND_TITLE, sure)]
    whole = replace(kit.desired, scope=Scope())
    found = suggest(whole, kit.snapshot, kit.state, same_values(kit.snapshot, kit.state))
    assert matches(found) == [("milestone.m", 3, PLACE_AND_TITLE, True)]


def test_two_of_one_title_in_the_scope_are_told_by_their_place() -> None:
    kit = scoped()
    kit.live("suite", 8, title="Elsewhere").declare("case.a", title="Pay", suite="a")
    kit.live("case", 41, title="Pay", suite=8).live("case", 42, title="Pay", suite=7)
    assert matches(suggested(kit)) == [("case.a", 42, PLACE_AND_TITLE, True)]
