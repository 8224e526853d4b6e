"""Selection, order, sums, counting of requests."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, lines

from qase_iac.plan.graph import in_order
from qase_iac.plan.model import Action, Blocked, Change, Reason
from qase_iac.plan.ordering import Rank, arrange


def addresses(kit: Kit, **options: object) -> list[str]:
    return [each.address for each in kit.plan(**options).changes]


# -- order ---------------------------------------------------------------------------------------------------------


def test_kinds_in_their_order_then_the_files(kit: Kit) -> None:
    kit.declare("plan.p", cases=["b", "a"]).declare("case.b", suite="s").declare("case.a", suite="s", milestone="m")
    kit.declare("suite.s").declare("shared_step.in", steps=[{"action": "x"}]).declare("milestone.m").declare("suite.a")
    assert addresses(kit) == ["milestone.m", "shared_step.in", "suite.s", "suite.a", "case.b", "case.a", "plan.p"]
    assert change(kit.plan(), "case.a").depends_on == ("milestone.m", "suite.s")
    assert change(kit.plan(), "plan.p").depends_on == ("case.a", "case.b")


def test_parents_before_what_is_declared_before_them(kit: Kit) -> None:
    kit.declare("suite.a/b").declare("suite.a").declare("suite.c")
    assert addresses(kit) == ["suite.a", "suite.a/b", "suite.c"]


def test_creates_stand_side_by_side_to_share_calls(kit: Kit) -> None:
    for at in range(3):
        kit.both(f"case.old{at}").yaml(f"case.old{at}", title=f"T{at}").declare(f"case.new{at}")
    assert addresses(kit) == ["case.new0", "case.new1", "case.new2", "case.old0", "case.old1", "case.old2"]
    assert kit.plan().requests == 1 + 3


def test_suites_that_change_places(kit: Kit) -> None:
    """b leaves a before a goes below b; Qase would refuse a circle."""
    kit.both("suite.a", 1).both("suite.x", 2, parent="a")
    kit.yaml("suite.a", parent="x").yaml("suite.x", parent=None)
    assert addresses(kit) == ["suite.x", "suite.a"]


def test_a_suite_goes_below_one_whose_parent_has_to_leave_it_first(kit: Kit) -> None:
    """g leaves a before a goes below p, which lies in g and does not change itself."""
    kit.both("suite.a", 1).both("suite.g", 2, parent="a").both("suite.p", 3, parent="g").both("suite.q", 4, parent="p")
    kit.yaml("suite.a", parent="q").yaml("suite.g", parent=None)
    plan = kit.plan()
    assert lines(plan) == ["move suite.g parent=ours", "move suite.a parent=ours"]
    assert change(plan, "suite.a").depends_on == ("suite.g",)


def test_circles_are_blocked_and_the_rest_goes_on(kit: Kit) -> None:
    """The files cannot say such a thing; should they, nothing of it is tried."""
    for name in "abcd":
        kit.declare(f"suite.{name}", parent={"a": "b", "b": "a", "c": "d", "d": "c"}[name])
    kit.declare("suite.x").declare("case.y", suite="a")
    plan = kit.plan()
    assert lines(plan) == [
        "create suite.x", "! create case.y (depends_on_blocked)",
        "! create suite.a (cycle)", "! create suite.b (cycle)", "! create suite.c (cycle)", "! create suite.d (cycle)",
    ]  # fmt: skip
    assert plan.requests == 1


def test_circles_of_moves(kit: Kit) -> None:
    kit.both("suite.a", 1).both("suite.b", 2).yaml("suite.a", parent="b").yaml("suite.b", parent="a")
    assert lines(kit.plan()) == ["! move suite.a (cycle)", "! move suite.b (cycle)"]
    kit = Kit().both("suite.a", 1).both("suite.b", 2, parent="a").yaml("suite.a", parent="b")  # b stays where it is
    assert lines(kit.plan()) == ["move suite.a parent=ours"]  # the loader refuses it; looking for it ends


def test_a_blocked_circle_keeps_its_first_reason(kit: Kit) -> None:
    changes = {a: Change(a, Action.UPDATE, 1, Reason.NEW) for a in ("suite.a", "suite.b")}
    changes["suite.a"] = Change("suite.a", Action.UPDATE, 1, Reason.NEW, blocked=Blocked("protected", "x"))
    assert arrange(changes, {"suite.a": {"suite.b"}, "suite.b": {"suite.a"}}, Rank({}, None)) == ["suite.a", "suite.b"]  # type: ignore[arg-type]
    assert [c.blocked.code for c in changes.values() if c.blocked] == ["protected", "cycle"]


def test_edges_to_what_is_not_there_do_not_count() -> None:
    change = Change("case.a", Action.UPDATE, 1, Reason.NEW)
    assert in_order({"case.a": change}, {"case.a": {"case.b"}}, lambda c: c.address) == (["case.a"], [])
    assert in_order({"case.a": change}, {}, lambda c: c.address) == (["case.a"], [])


def test_the_project_comes_first_and_all_need_it(kit: Kit) -> None:
    kit.stateless().snapshot.exists = False
    kit.project = {"title": "Shop", "description": "All we sell", "create": True}
    kit.declare("suite.s").declare("case.a", suite="s")
    plan = kit.plan()
    assert lines(plan) == ["create project.SHOP", "create suite.s", "create case.a"] and plan.requests == 3
    assert list(plan.changes[0].attributes) == ["title", "description"] and plan.changes[0].title == "Shop"
    assert plan.changes[0].source == "qase.yaml:1"
    assert change(plan, "case.a").depends_on == ("project.SHOP", "suite.s")
    assert not plan.stateless and addresses(kit, select="case.a") == ["project.SHOP", "suite.s", "case.a"]


# -- selection -----------------------------------------------------------------------------------------------------


@pytest.fixture
def wide(kit: Kit) -> Kit:
    kit.declare("suite.checkout").declare("suite.checkout/vouchers").declare("suite.other").declare("milestone.m")
    kit.declare("case.pay", suite="checkout").declare("case.voucher", suite="checkout/vouchers", milestone="m")
    return kit.declare("case.else", suite="other").declare("case.root").both("case.same")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"select": "case.pay"}, ["suite.checkout", "case.pay"]),
        ({"select": "case.*"}, ["milestone.m", "suite.checkout", "suite.checkout/vouchers", "suite.other", "case.pay", "case.voucher", "case.else", "case.root"]),
        ({"select": "case.p?y"}, ["suite.checkout", "case.pay"]),
        ({"select": "suite.checkout/**"}, ["suite.checkout", "suite.checkout/vouchers"]),
        ({"select": "checkout"}, ["suite.checkout", "case.pay"]),
        ({"select": "checkout/**"}, ["milestone.m", "suite.checkout", "suite.checkout/vouchers", "case.pay", "case.voucher"]),
        ({"select": "."}, ["case.root"]),
        ({"select": ("case.root", "case.else")}, ["suite.other", "case.else", "case.root"]),
        ({"exclude": "checkout/**"}, ["milestone.m", "suite.other", "case.else", "case.root"]),
        ({"exclude": "milestone.m"}, ["suite.checkout", "suite.checkout/vouchers", "suite.other", "case.pay", "case.else", "case.root"]),
        ({"select": "checkout/**", "exclude": "suite.checkout"}, ["milestone.m"]),
        ({"select": "nothing-like-it"}, []),
    ],
)  # fmt: skip
def test_a_part_and_what_it_needs(wide: Kit, options: dict[str, object], expected: list[str]) -> None:
    plan = wide.plan(**options)
    assert [c.address for c in plan.changes] == expected
    assert plan.summary.not_selected == 8 - len(expected) and plan.summary.create == len(expected)
    assert plan.summary.no_op == 1


def test_what_a_delete_waits_for_comes_along(kit: Kit) -> None:
    kit.both("case.a", 41).both("case.b", 42).both("plan.p", 5, cases=["a", "b"]).undeclare("case.b").yaml(
        "plan.p", cases=["a"]
    )
    assert addresses(kit, select="case.b") == ["plan.p", "case.b"]
    assert addresses(kit, exclude="plan.p") == []
    assert kit.plan(exclude="plan.p").summary.not_selected == 2 and kit.plan(exclude="plan.p").summary.no_op == 1


# -- sums ----------------------------------------------------------------------------------------------------------


def test_each_counts_once(kit: Kit) -> None:
    kit.both("suite.s", 1).both("suite.t", 2).both("case.same").both("case.moves", suite="s").yaml(
        "case.moves", suite="t"
    )
    kit.both("case.changes").yaml("case.changes", title="New").both("case.goes").undeclare("case.goes").declare(
        "case.new"
    )
    kit.declare("case.adopted", title="Found").live("case", 7, title="Found").both("case.old").rekey(
        "case.old", "case.renamed"
    )
    kit.moved(("case.old", "case.renamed")).both("case.forgotten").undeclare("case.forgotten").remove("case.forgotten")
    kit.both("case.stuck", severity="minor").yaml("case.stuck", severity="major").qase("case.stuck", severity="trivial")
    kit.live("case", 8).live("milestone", 9)
    plan = kit.plan()
    assert {name: getattr(plan.summary, name) for name in plan.summary.__slots__} == {
        "create": 1, "update": 1, "move": 1, "delete": 1, "adopt": 1, "rename": 1, "forget": 1, "no_op": 3,
        "unmanaged": 2, "blocked": 1, "not_selected": 0,
    }  # fmt: skip
    assert plan.requests == 4
    assert plan.reading.objects == {"milestone": 1, "suite": 2, "case": 9} and plan.reading.requests == 9
    assert not plan.stateless and (plan.lineage, plan.serial) == ("lineage", 4)


@pytest.mark.parametrize(("size", "calls"), [(100, 1), (5, 1), (4, 2), (1, 5)])
def test_bulk(kit: Kit, size: int, calls: int) -> None:
    for at in range(5):
        kit.declare(f"case.c{at}")
    assert kit.plan(bulk_size=size).requests == calls


def test_only_cases_are_created_in_bulk_and_blocked_ones_do_not_part_them(kit: Kit) -> None:
    kit.declare("milestone.a").declare("milestone.b").declare("case.a").declare("case.b", title="T").declare("case.c")
    kit.live("case", 1, title="T").live("case", 2, title="T")
    plan = kit.plan()
    assert lines(plan)[3] == "! create case.b (ambiguous_identity)" and plan.requests == 3


def test_stateless_is_about_what_is_there(kit: Kit) -> None:
    assert not kit.stateless().plan().stateless
    assert kit.live("milestone", 1).plan().stateless


def test_reverts_are_counted(kit: Kit) -> None:
    for at in range(3):
        kit.both(f"case.c{at}", severity="minor").qase(f"case.c{at}", severity="major")
    kit.yaml("case.c2", title="New").both("case.d").yaml("case.d", title="D")
    assert kit.plan().reverts == 3 and kit.plan(on_drift="fail").reverts == 0


def test_the_precondition_covers_what_was_read(kit: Kit) -> None:
    kit.both("case.a", 41, severity="minor").yaml("case.a", severity="major")
    before = kit.plan().changes[0].precondition
    for same in ({"description": ""}, {"description": None}, {"tags": []}, {"title": " case.a\r\n"}):
        assert kit.qase("case.a", {"updated_at": "later"}, **same).plan().changes[0].precondition == before
    for other in ({"description": "x"}, {"tags": ["x"]}, {"flaky": True}):
        assert kit.qase("case.a", **other).plan().changes[0].precondition != before
        kit.qase("case.a", drop=list(other))


def test_recorded_as_given(kit: Kit) -> None:
    plan = kit.plan(allow_deletes=3, new_state=True)
    assert (plan.allow_deletes, plan.new_state, plan.deletes, plan.api, plan.tool, plan.digest) == (
        3, True, True, "https://api.qase.io/v1", "qase-iac t", "",
    )  # fmt: skip


def test_a_create_lists_what_is_sent_in_the_order_of_the_table(kit: Kit) -> None:
    kit.declare(
        "case.a", **{"custom_fields.Z": "1", "custom_fields.A": None}, tags=["x"], severity="major", description=None
    )
    found = kit.plan().changes[0]
    assert list(found.attributes) == [
        "title",
        "description",
        "suite",
        "severity",
        "tags",
        "custom_fields.A",
        "custom_fields.Z",
    ]
    assert (
        {each.before for each in found.attributes.values()} == {None}
        and found.id is None
        and found.source == "cases.yaml:10"
    )


def test_the_suite_it_is_shown_under(kit: Kit) -> None:
    kit.live("suite", 9, title="Only in Qase").declare("suite.a").declare("suite.a/b").declare("case.r").declare(
        "milestone.m"
    )
    kit.declare("case.c", suite="a/b").declare("case.e", suite={"external_id": 9})
    assert {c.address: c.suite for c in kit.plan().changes} == {
        "suite.a": "", "suite.a/b": "a", "case.r": "", "case.c": "a/b", "case.e": "Only in Qase", "milestone.m": "",
    }  # fmt: skip
