"""Nothing outside the scope is written, and only what is inside is counted."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, external, lines

from qase_iac.model import LiveObject, Scope, Snapshot
from qase_iac.plan.scope import LiveSuites


@pytest.fixture
def kit() -> Kit:
    kit = Kit(scope=["checkout", "accounts/**"])
    return kit.both("suite.checkout", 1, title="Checkout").live("suite", 9, title="Other")


def test_inside_all_is_as_ever(kit: Kit) -> None:
    kit.both("case.a", 41, suite="checkout").yaml("case.a", title="New")
    assert lines(kit.plan()) == ["update case.a title=ours"]


@pytest.mark.parametrize(("place", "named"), [(9, "Other"), (None, "the root"), (77, "#77")])
def test_a_bound_object_found_outside_is_blocked(kit: Kit, place: int | None, named: str) -> None:
    kit.both("case.a", 41, suite="checkout").qase("case.a", suite=place)
    plan = kit.plan()
    assert lines(plan) == ["! move case.a (out_of_scope)"]
    assert change(plan, "case.a").blocked.reason == f"In Qase it lies in {named}, outside the scope."  # type: ignore[union-attr]


def test_nor_is_it_deleted_there(kit: Kit) -> None:
    kit.both("case.a", 41, suite="checkout").qase("case.a", suite=9).undeclare("case.a")
    assert lines(kit.plan()) == ["! delete case.a (out_of_scope)"] and kit.plan().destructive == 0
    assert lines(kit.remove("case.a").plan()) == ["forget case.a"]


def test_a_narrower_scope_deletes_nothing(kit: Kit) -> None:
    kit.both("suite.old", 5).both("case.a", 41, suite="old").undeclare("suite.old", "case.a")
    assert lines(kit.plan()) == ["! delete case.a (out_of_scope)", "! delete suite.old (out_of_scope)"]


def test_nothing_is_put_outside(kit: Kit) -> None:
    kit.declare("case.new", suite=external(9)).both("case.a", 41, suite="checkout").yaml("case.a", suite=external(9))
    plan = kit.plan()
    assert lines(plan) == ["! create case.new (out_of_scope)", "! move case.a (out_of_scope)"]
    assert change(plan, "case.new").blocked.reason == "It is to lie in Other, outside the scope."  # type: ignore[union-attr]


def test_into_what_is_only_in_qase_but_inside(kit: Kit) -> None:
    kit.live("suite", 8, title="accounts").declare("case.new", suite=external(8))
    assert lines(kit.plan()) == ["create case.new"] and kit.plan().changes[0].suite == "accounts"


def test_nothing_outside_is_adopted(kit: Kit) -> None:
    kit.live("case", 50, suite=9, title="x").declare("case.a", suite="checkout").adopt("case.a", 50)
    assert lines(kit.plan()) == ["! adopt case.a (out_of_scope)"]


def test_a_suite_that_was_moved_outside(kit: Kit) -> None:
    kit.both("suite.accounts", 2).both("suite.accounts/deep", 3).qase("suite.accounts/deep", parent=9)
    # Its key says that it is ours wherever it lies; it is put back.
    assert lines(kit.plan()) == ["move suite.accounts/deep parent=theirs"]


def test_kinds_without_a_suite_are_ours_when_bound(kit: Kit) -> None:
    kit.both("milestone.m", 3).yaml("milestone.m", title="New").both("plan.p", 4, cases=[external(1)]).undeclare(
        "plan.p"
    )
    assert lines(kit.plan()) == ["update milestone.m title=ours", "delete plan.p"]


def test_unmanaged_counts_what_is_inside(kit: Kit) -> None:
    kit.live("milestone", 70).live("plan", 71).live("shared_step", "h", steps=[]).live("case", 72).live(
        "case", 73, suite=9
    )
    assert kit.plan().summary.unmanaged == 0
    kit.live("case", 74, suite=1)  # in checkout
    kit.live("suite", 10, title="vouchers", parent=1).live("case", 75, suite=10)  # below it, and the pattern is not /**
    kit.live("suite", 11, title="accounts").live("suite", 12, title="x y", parent=11).live("case", 76, suite=12)
    assert kit.plan().summary.unmanaged == 1 + 3
    kit.scope = Scope()
    assert kit.plan().summary.unmanaged == 12


def test_a_declared_suite_counts_by_its_title_before_it_is_bound() -> None:
    kit = Kit(scope=["a/**"]).declare("suite.a", title="The A").declare("suite.a/b", title="The B")
    kit.live("suite", 1, title=" The A").live("suite", 2, title="The B", parent=1).live("suite", 3, title="The A")
    kit.live("case", 50, suite=2)
    assert lines(kit.plan()) == ["! create suite.a (ambiguous_identity)", "! create suite.a/b (depends_on_blocked)"]
    assert kit.plan().summary.unmanaged == 4


def test_the_root_may_be_in_scope() -> None:
    kit = (
        Kit(scope=["."])
        .both("case.a", 41)
        .yaml("case.a", title="New")
        .live("case", 50)
        .live("suite", 1)
        .live("case", 51, suite=1)
    )
    assert lines(kit.plan()) == ["update case.a title=ours"] and kit.plan().summary.unmanaged == 1


def suites(*triples: tuple[int, str, int | None]) -> LiveSuites:
    objects = {id: LiveObject("suite", id, {"title": title, "parent": parent}) for id, title, parent in triples}
    return LiveSuites(Snapshot(objects={"suite": objects}), {2: "bound/key"}, {("bound/key", "Sub"): "bound/key/sub"})  # type: ignore[dict-item]


def test_keys_of_live_suites() -> None:
    tree = suites((1, "Top", None), (2, "Any", 1), (3, "Sub", 2), (4, "Deep", 3), (5, "Side", 1))
    assert [tree.key(id) for id in (5, 4, 3, 2, 1, None, 99)] == [
        "Top/Side", "bound/key/sub/Deep", "bound/key/sub", "bound/key", "Top", "", "#99",
    ]  # fmt: skip
    assert [tree.depth(id) for id in (None, 99, 1, 2, 4)] == [0, 0, 1, 2, 4]


def test_a_circle_in_qase_ends() -> None:
    tree = suites((1, "A", 4), (4, "B", 1))
    assert tree.key(1) and tree.depth(1) == 2 and not tree.in_scope(Scope(("x",)), 1)
