"""`moved`: once ever, at once or in order, with everything below; never onto something else."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, codes, lines


def test_a_pure_rename_costs_nothing(kit: Kit) -> None:
    kit.both("case.pay", 41).rekey("case.pay", "case.pay-by-card").moved(("case.pay", "case.pay-by-card"))
    plan = kit.plan()
    assert lines(plan) == ["no_op case.pay-by-card from case.pay"] and plan.requests == 0
    assert (plan.summary.rename, plan.summary.no_op, plan.changes[0].reason, plan.changes[0].id) == (1, 0, "moved", 41)


def test_a_rename_with_a_change(kit: Kit) -> None:
    kit.both("case.a", 41).rekey("case.a", "case.b", title="New").moved(("case.a", "case.b"))
    plan = kit.plan()
    assert lines(plan) == ["update case.b from case.a title=ours"] and plan.summary.rename == 0


def test_once_ever(kit: Kit) -> None:
    kit.both("case.b", 41).both("case.a", 42).moved(("case.a", "case.b"))
    kit.state.moved.append("case.a -> case.b")
    assert kit.plan().changes == ()


def test_an_entry_without_anything_bound_is_nothing(kit: Kit) -> None:
    assert kit.both("case.b", 41).moved(("case.a", "case.b")).plan().changes == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_swap(kit: Kit, order: tuple[int, int]) -> None:
    kit.both("case.a", 1, title="A").both("case.b", 2, title="B").yaml("case.a", title="B").yaml("case.b", title="A")
    entries = [("case.a", "case.b"), ("case.b", "case.a")]
    plan = kit.moved(*(entries[at] for at in order)).plan()
    assert lines(plan) == ["no_op case.a from case.b", "no_op case.b from case.a"]
    assert [c.id for c in plan.changes] == [2, 1]


def test_a_chain_in_order(kit: Kit) -> None:
    kit.both("case.a", 1).rekey("case.a", "case.c").moved(("case.a", "case.b"), ("case.b", "case.c"))
    assert lines(kit.plan()) == ["no_op case.c from case.a"]


def test_a_chain_at_once_when_all_are_bound(kit: Kit) -> None:
    kit.both("case.a", 1, title="A").both("case.b", 2, title="B")
    kit.rekey("case.b", "case.c").rekey("case.a", "case.b").moved(("case.a", "case.b"), ("case.b", "case.c"))
    assert lines(kit.plan()) == ["no_op case.b from case.a", "no_op case.c from case.b"]


def test_a_suite_carries_everything_below(kit: Kit) -> None:
    kit.both("suite.a", 1).both("suite.a/x", 2).both("suite.a/x/y", 3).both("suite.ab", 4).both(
        "case.c", 5, suite="a/x"
    )
    for old, new in (("suite.a", "suite.b"), ("suite.a/x", "suite.b/x"), ("suite.a/x/y", "suite.b/x/y")):
        kit.rekey(old, new, parent=new[6:].rpartition("/")[0] or None)
    plan = kit.yaml("case.c", suite="b/x").moved(("suite.a", "suite.b")).plan()
    assert lines(plan) == [f"no_op suite.b{x} from suite.a{x}" for x in ("", "/x", "/x/y")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_entry_of_a_suite_below_wins(kit: Kit, order: tuple[int, int]) -> None:
    kit.both("suite.a", 1).both("suite.a/x", 2).both("suite.a/x/y", 3)
    kit.rekey("suite.a", "suite.b").rekey("suite.a/x", "suite.z", parent="b").rekey(
        "suite.a/x/y", "suite.z/y", parent="z"
    )
    entries = [("suite.a", "suite.b"), ("suite.a/x", "suite.z")]
    plan = kit.moved(*(entries[at] for at in order)).plan()
    assert lines(plan) == [
        "no_op suite.b from suite.a",
        "no_op suite.z from suite.a/x",
        "no_op suite.z/y from suite.a/x/y",
    ]


def test_the_first_of_two_entries_of_one_key_counts(kit: Kit) -> None:
    kit.both("case.a", 1).rekey("case.a", "case.b").moved(("case.a", "case.b"), ("case.a", "case.c"))
    assert lines(kit.plan()) == ["no_op case.b from case.a"]


def test_onto_something_bound_nothing_happens_to_either(kit: Kit) -> None:
    """The one would be deleted, the other overwritten in the belief that it is the first."""
    kit.both("case.a", 1, title="A").both("case.b", 2, title="B").undeclare("case.a").yaml("case.b", title="A")
    plan = kit.moved(("case.a", "case.b")).plan()
    assert lines(plan) == ["! update case.b (moved_onto_bound)", "! delete case.a (moved_onto_bound)"]
    assert codes(plan) == ["moved-onto-bound"] and plan.requests == 0
    assert change(plan, "case.b").blocked.by == ("case.a",)  # type: ignore[union-attr]


def test_a_collision_holds_up_what_leads_to_it(kit: Kit) -> None:
    """a -> b -> c, all bound, and c stays: b stays, so a has to stay."""
    kit.both("case.a", 1).both("case.b", 2).both("case.c", 3).moved(("case.a", "case.b"), ("case.b", "case.c"))
    plan = kit.undeclare("case.a").plan()
    assert codes(plan) == ["moved-onto-bound"] * 2
    assert lines(plan) == ["! delete case.a (moved_onto_bound)"]


def test_two_keys_cannot_become_one(kit: Kit) -> None:
    kit.both("case.a", 1).both("case.b", 2).undeclare("case.b").rekey("case.a", "case.c")
    plan = kit.moved(("case.a", "case.c"), ("case.b", "case.c")).plan()
    assert lines(plan) == ["! no_op case.c (moved_onto_bound)", "! delete case.b (moved_onto_bound)"]


def test_a_rename_to_nothing_is_a_delete(kit: Kit) -> None:
    kit.both("case.a", 1).undeclare("case.a").moved(("case.a", "case.b"))
    assert lines(kit.plan()) == ["delete case.b from case.a"]
    assert lines(kit.remove("case.b").plan()) == ["forget case.b from case.a"]


def test_a_rename_of_what_vanished(kit: Kit) -> None:
    kit.both("case.a", 1).rekey("case.a", "case.b").moved(("case.a", "case.b")).vanish("case.a")
    assert lines(kit.plan()) == ["create case.b from case.a"]
    assert lines(kit.plan(on_drift="keep")) == ["no_op case.b from case.a"]
    assert kit.plan(on_drift="keep").changes[0].id == 1
    kit.undeclare("case.b")
    assert lines(kit.plan()) == ["forget case.b from case.a"]


def test_a_blocked_change_is_renamed_all_the_same(kit: Kit) -> None:
    kit.both("case.a", 1, severity="minor", suite=None).rekey("case.a", "case.b", severity="major")
    kit.moved(("case.a", "case.b")).qase("case.a", severity="trivial")
    assert change(kit.plan(), "case.b").moved_from == "case.a"
    kit.qase("case.a", severity="minor").state.bindings["case.a"].unsupported["severity"] = "major"
    plan = kit.plan()
    assert lines(plan) == ["! update case.b (not_supported_by_server)"] and plan.changes[0].moved_from == "case.a"


def test_what_a_rename_that_is_not_selected_agrees_on_is_not_recorded(kit: Kit) -> None:
    """The address still is the other object; its record would be mixed up with this one's."""
    kit.both("case.a", 1, title="A").both("case.b", 2, title="B").yaml("case.a", title="B").yaml("case.b", title="A")
    kit.moved(("case.a", "case.b"), ("case.b", "case.a")).both("case.c", 3)
    for name in ("case.a", "case.b", "case.c"):
        kit.yaml(name, severity="minor").qase(name, severity="minor")
    assert kit.plan().observed.keys() == {"case.a", "case.b", "case.c"}
    assert kit.plan(select="case.c").observed.keys() == {"case.c"}
    kit.declare("case.d", title="D").live("case", 4, title="D")
    assert "case.d" in kit.plan().observed and "case.d" not in kit.plan(select="case.c").observed


def test_what_refers_to_a_renamed_object_waits_for_it(kit: Kit) -> None:
    kit.both("suite.a", 1).rekey("suite.a", "suite.b").moved(("suite.a", "suite.b")).declare("case.new", suite="b")
    plan = kit.plan(select="case.new")
    assert lines(plan) == ["no_op suite.b from suite.a", "create case.new"]
    assert change(plan, "case.new").attributes["suite"].after == "suite.b"
