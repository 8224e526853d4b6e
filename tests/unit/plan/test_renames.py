"""A delete and a create that look like one renamed key."""

from __future__ import annotations

from typing import Any

import pytest
from plan_kit import Kit, change, codes, lines, shared

STEPS = [{"action": "Open"}, {"action": "Pay"}]
BOTH = ["! create case.new (possible_rename)", "! delete case.old (possible_rename)"]


def renamed(kit: Kit, **changes: Any) -> Kit:
    return kit.both("case.old", 41, title="Pay", steps=STEPS).rekey("case.old", "case.new", **changes)


@pytest.mark.parametrize("changes", [{}, {"title": "Other"}, {"steps": [{"action": "Something else"}]}])
def test_same_place_and_title_or_same_content(kit: Kit, changes: dict[str, Any]) -> None:
    plan = renamed(kit, **changes).plan()
    assert lines(plan) == BOTH and plan.requests == 0 and plan.summary.blocked == 2
    for address, other in (("case.new", "case.old"), ("case.old", "case.new")):
        blocked = change(plan, address).blocked
        assert blocked and blocked.by == (other,)
        assert "paste `moved: [{from: case.old, to: case.new}]`" in blocked.reason
        assert "list case.old under `removed:` or pass --allow-recreate case.new" in blocked.reason


def test_neither_is_a_delete_and_a_create(kit: Kit) -> None:
    plan = renamed(kit, title="Other", steps=[{"action": "Something else"}]).plan()
    assert lines(plan) == ["create case.new", "delete case.old"]


def test_the_title_in_another_suite_is_not_enough(kit: Kit) -> None:
    kit.both("suite.a", 7).both("case.old", 41, title="Pay").rekey("case.old", "case.new", suite="a")
    assert lines(kit.plan()) == ["create case.new", "delete case.old"]
    kit.yaml("case.new", suite=None)
    assert lines(kit.plan()) == BOTH


def test_no_content_is_no_content_in_common(kit: Kit) -> None:
    kit.both("case.old", 41, title="A").rekey("case.old", "case.new", title="B")
    assert lines(kit.plan()) == ["create case.new", "delete case.old"]


@pytest.mark.parametrize("address", ["case.new", "case.old"])
def test_allow_recreate_takes_either_address(kit: Kit, address: str) -> None:
    assert lines(renamed(kit).plan(allow_recreate=[address])) == ["create case.new", "delete case.old"]


def test_removed_says_that_it_is_meant(kit: Kit) -> None:
    assert lines(renamed(kit).remove("case.old").plan()) == ["create case.new", "forget case.old"]


def test_gherkin_is_content(kit: Kit) -> None:
    kit.both("case.old", 41, title="A", gherkin="Given x").rekey("case.old", "case.new", title="B", gherkin="Given x\n")
    assert lines(kit.plan()) == BOTH


def test_files_that_the_yaml_leaves_out_do_not_hide_it(kit: Kit) -> None:
    kit.held("h", "a.png").both("case.old", 41, title="A", steps=STEPS).rekey("case.old", "case.new", title="B")
    kit.qase("case.old", steps=[STEPS[0] | {"attachments": ["h"]}, STEPS[1]])
    assert lines(kit.plan()) == BOTH


def test_a_protected_one_is_not_made_twice(kit: Kit) -> None:
    renamed(kit).state.bindings["case.old"].protect = True
    assert lines(kit.plan()) == BOTH


def test_no_deletes_does_not_make_it_twice(kit: Kit) -> None:
    plan = renamed(kit).plan(deletes=False)
    assert lines(plan) == BOTH[:1] and plan.unlisted_deletes == ("case.old",)


def test_what_vanished_is_no_rename(kit: Kit) -> None:
    kit.both("case.a", 1, title="Pay").both("case.b", 2, title="Pay").undeclare("case.b").vanish("case.a")
    assert lines(kit.plan()) == ["create case.a", "delete case.b"]


def test_each_is_half_of_one_pair(kit: Kit) -> None:
    """The natural key first: content pairs what is left."""
    for at in (1, 2, 3):
        kit.both(f"case.old{at}", at, title=f"T{at}", steps=STEPS)
    kit.rekey("case.old3", "case.new1", title="X").rekey("case.old1", "case.new2").rekey("case.old2", "case.new3")
    kit.declare("case.new4", title="Y", steps=STEPS)
    plan = kit.plan()
    pairs = {c.address: c.blocked.by[0] for c in plan.changes if c.blocked and c.action == "create"}
    assert pairs == {"case.new2": "case.old1", "case.new3": "case.old2", "case.new1": "case.old3"}
    assert lines(plan)[-4] == "create case.new4" or "create case.new4" in lines(plan)


def test_all_lines_to_paste_are_said_once(kit: Kit) -> None:
    for at in (1, 2):
        kit.both(f"case.old{at}", at, title=f"T{at}").rekey(f"case.old{at}", f"case.new{at}")
    plan = kit.plan()
    paste = (
        "All renames of this plan:\nmoved:\n  - {from: case.old1, to: case.new1}\n  - {from: case.old2, to: case.new2}"
    )
    reasons = {c.blocked.reason for c in plan.changes if c.blocked}
    assert sum(reason.endswith(paste) for reason in reasons) == 1 and len(reasons) == 2


@pytest.mark.parametrize("kind", ["milestone", "plan", "shared_step"])
def test_kinds_without_a_place(kit: Kit, kind: str) -> None:
    more: dict[str, Any] = {"cases": []} if kind == "plan" else {"steps": STEPS} if kind == "shared_step" else {}
    kit.both("case.c", 1).both(f"{kind}.old", title="T", **more).rekey(f"{kind}.old", f"{kind}.new")
    if kind == "plan":
        kit.yaml("plan.new", cases=["c"])
    assert lines(kit.plan()) == [f"! create {kind}.new (possible_rename)", f"! delete {kind}.old (possible_rename)"]


def test_other_kinds_are_no_twins(kit: Kit) -> None:
    kit.both("milestone.old", 1, title="T").undeclare("milestone.old").declare("suite.new", title="T")
    assert lines(kit.plan()) == ["create suite.new", "delete milestone.old"]


def test_a_renamed_folder_proposes_one_line(kit: Kit) -> None:
    kit.both("suite.a", 1, title="A").both("suite.a/b", 2, title="B").both("case.c", 3, suite="a/b")
    kit.rekey("suite.a", "suite.z").rekey("suite.a/b", "suite.z/b", parent="z").yaml("case.c", suite="z/b")
    plan = kit.plan()
    assert lines(plan) == [
        "! create suite.z (possible_rename)", "! create suite.z/b (possible_rename)",
        "! move case.c (depends_on_blocked)",
        "! delete suite.a/b (possible_rename)", "! delete suite.a (possible_rename)",
    ]  # fmt: skip
    assert not any("All renames" in c.blocked.reason for c in plan.changes if c.blocked)


def test_a_suite_whose_name_begins_alike_is_another_one(kit: Kit) -> None:
    kit.both("suite.a", 1, title="A").both("suite.ab", 2, title="B").rekey("suite.a", "suite.z").rekey(
        "suite.ab", "suite.zb"
    )
    reasons = [c.blocked.reason for c in kit.plan().changes if c.blocked]
    assert any("  - {from: suite.a, to: suite.z}\n  - {from: suite.ab, to: suite.zb}" in reason for reason in reasons)


def test_in_a_suite_that_looks_renamed_cases_are_found_by_place_and_title(kit: Kit) -> None:
    """Without this the case would be deleted while its twin waits for the suite: its history would be lost."""
    kit.both("suite.a", 1, title="A").both("case.old", 3, title="Pay", suite="a")
    kit.rekey("suite.a", "suite.z").rekey("case.old", "case.new", suite="z")
    assert {line for line in lines(kit.plan()) if "case" in line} == set(BOTH)


def test_with_a_shared_step_that_looks_renamed_cases_are_found_by_content(kit: Kit) -> None:
    kit.both("shared_step.in", steps=STEPS).both("case.old", 3, title="A", steps=[shared("in"), {"action": "x"}])
    kit.rekey("shared_step.in", "shared_step.login")
    kit.rekey("case.old", "case.new", title="B", steps=[shared("login"), {"action": "x"}])
    assert {line for line in lines(kit.plan()) if "case" in line} == set(BOTH)


def test_without_a_rename_there_is_no_word_of_it(kit: Kit) -> None:
    kit.both("case.old", 1).undeclare("case.old")
    assert lines(kit.plan()) == ["delete case.old"] and codes(kit.plan()) == []


# -- the key was renamed and the text edited at once


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Pay by a card"},
        {"title": "Pay by cards", "steps": [*STEPS, {"action": "See the receipt"}]},
        {"steps": [{"action": "Open it"}, {"action": "Pay"}], "title": "Pay by card!"},
    ],
)
def test_edited_a_little(kit: Kit, changes: dict[str, Any]) -> None:
    steps = [{"action": "Open the basket"}, {"action": "Enter the number of the card"}, {"action": "Pay"}]
    if "steps" in changes:
        changes = changes | {"steps": [*steps[:2], {"action": "Pay now"}]}
    kit.both("case.old", 41, title="Pay by card", steps=steps).rekey("case.old", "case.new", **changes)
    plan = kit.plan()
    assert lines(plan) == BOTH
    assert "moved: [{from: case.old, to: case.new}]" in change(plan, "case.new").blocked.reason  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "old", "new", "found"),
    [
        ("milestone", "Release one", "Release One!", True),
        ("milestone", "Release 1.0", "Release 1.1", False),
        ("suite", "Checkout", "Check-out", True),
        ("suite", "Checkout", "Catalogue", False),
        ("case", "Receipt is sent", "A receipt is sent", True),
        ("case", "Sign in", "Sign up", False),
    ],
)
def test_edited_titles_without_content(kit: Kit, kind: str, old: str, new: str, found: bool) -> None:
    kit.both(f"{kind}.old", 7, title=old).rekey(f"{kind}.old", f"{kind}.new", title=new)
    assert [line.startswith("!") for line in lines(kit.plan())] == [found, found]


def test_an_edited_one_goes_with_the_one_it_is_most_like(kit: Kit) -> None:
    for at, title in enumerate(("Pay by card", "Pay by invoice", "Pay by voucher")):
        kit.both(f"case.old{at}", at + 1, title=title)
        kit.rekey(f"case.old{at}", f"case.new{at}", title=title + "s")
    pairs = {c.address: c.blocked.by[0] for c in kit.plan().changes if c.blocked and c.action == "create"}
    assert pairs == {f"case.new{at}": f"case.old{at}" for at in range(3)}


def test_in_a_suite_whose_title_was_edited_too(kit: Kit) -> None:
    kit.both("suite.a", 1, title="Checkout").both("case.old", 3, title="Pay by card", suite="a")
    kit.rekey("suite.a", "suite.z", title="Check-out").rekey("case.old", "case.new", suite="z", title="Pay by cards")
    assert {line for line in lines(kit.plan()) if "case" in line} == set(BOTH)
