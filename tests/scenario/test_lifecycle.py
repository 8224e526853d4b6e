"""What happens to objects over their lives: renamed keys, moves between suites, ends, obstacles, other people's edits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from e2e_kit import Folder, actions, by_address, edits

from qase_iac.emulator.errors import ApiError
from qase_iac.emulator.http import Answer, Request, json_answer
from qase_iac.errors import SafetyRefusal, StalePlan

FREE = {"max_delete_share": 1}


def case(title: str, **more: Any) -> str:
    said = {"title": title, **more}
    return "{" + ", ".join(f"{name}: {value}" for name, value in said.items()) + "}"


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(
        {
            "checkout/suite.yaml": "title: Checkout\n",
            "checkout/cases.yaml": "cases:\n  pay: {title: Pay, steps: [Pay]}\n  refund: {title: Refund}\n",
            "checkout/vouchers/suite.yaml": "title: Vouchers\n",
            "checkout/vouchers/cases.yaml": "cases:\n  expired: {title: Expired}\n",
            "old/suite.yaml": "title: Old\n",
            "old/cases.yaml": "cases:\n  legacy: {title: Legacy}\n",
            "rest.yaml": "shared_steps: {login: {title: Login, steps: [Open]}}\n"
            "milestones: {m: {title: M}}\nplans: {smoke: {title: Smoke, cases: [pay, legacy]}}\n",
        },
        policy=FREE,
    ).applied()


# -- one line changes ----------------------------------------------------------------------------------------------


def test_a_one_line_change_is_one_line_of_the_plan_and_one_request(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "title: Refund", "title: Refund in cash")
    plan = shop.plan()
    assert (edits(plan), plan.requests) == ({"case.refund": {"title": "ours"}}, 1)
    with shop.counting() as seen:
        shop.applied()
    assert [(e.method, e.path) for e in seen if e.method != "GET"] == [
        ("PATCH", f"/case/SHOP/{shop.id_of('case.refund')}")
    ]
    assert actions(shop.plan()) == {}


def test_a_case_moves_with_its_file_and_stays_the_same_object(shop: Folder) -> None:
    id = shop.id_of("case.refund")
    shop.edit("checkout/cases.yaml", "  refund: {title: Refund}\n", "").write(
        {"old/r.yaml": "cases: {refund: {title: Refund}}\n"}
    )
    assert actions(shop.plan()) == {"case.refund": "move"}
    shop.applied()
    assert shop.id_of("case.refund") == id
    assert next(c for c in shop.dump()["cases"] if c["title"] == "Refund")["suite"] == ["Old"]


# -- renamed keys --------------------------------------------------------------------------------------------------


def test_moved_keeps_the_object_and_costs_no_request(shop: Folder) -> None:
    id = shop.id_of("case.pay")
    shop.edit("checkout/cases.yaml", "  pay:", "  pay-by-card:").edit("rest.yaml", "[pay, ", "[pay-by-card, ")
    shop.write({"moved.yaml": "moved: [{from: case.pay, to: case.pay-by-card}]\n"})
    plan = shop.plan()
    assert actions(plan) == {"case.pay-by-card": "no_op"}
    assert (by_address(plan)["case.pay-by-card"].moved_from, plan.summary.rename, plan.requests) == ("case.pay", 1, 0)
    with shop.counting() as seen:
        shop.applied()
    assert {entry.method for entry in seen} == {"GET"}
    assert shop.id_of("case.pay-by-card") == id
    assert actions(shop.plan()) == {}  # the entry may stay for ever
    shop.edit("checkout/cases.yaml", "  refund:", "  pay: {title: Another}\n  refund:")
    assert actions(shop.plan()) == {"case.pay": "create"}  # applied once, ever


def test_moved_can_swap(shop: Folder) -> None:
    pay, refund = shop.id_of("case.pay"), shop.id_of("case.refund")
    shop.write(
        {
            "checkout/cases.yaml": "cases:\n  refund: {title: Pay, steps: [Pay]}\n  pay: {title: Refund}\n",
            "moved.yaml": "moved:\n- {from: case.pay, to: case.refund}\n- {from: case.refund, to: case.pay}\n",
        }
    ).edit("rest.yaml", "[pay, ", "[refund, ")
    assert actions(shop.plan()) == {"case.pay": "no_op", "case.refund": "no_op"}
    shop.applied()
    assert (shop.id_of("case.pay"), shop.id_of("case.refund")) == (refund, pay)
    assert actions(shop.plan()) == {}


def test_a_suite_that_moved_carries_everything_below(shop: Folder) -> None:
    (shop.root / "checkout").rename(shop.root / "paying")
    shop.write({"moved.yaml": "moved: [{from: suite.checkout, to: suite.paying}]\n"})
    assert actions(shop.plan()) == {"suite.paying": "no_op", "suite.paying/vouchers": "no_op"}
    shop.applied()
    assert actions(shop.plan()) == {}


def test_a_rename_without_moved_is_blocked_with_the_lines_to_paste(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "  refund:", "  refund-it:")
    plan = shop.plan()
    assert actions(plan) == {"case.refund": "delete !possible_rename", "case.refund-it": "create !possible_rename"}
    reason = by_address(plan)["case.refund"].blocked
    assert reason is not None and "{from: case.refund, to: case.refund-it}" in reason.reason
    report = shop.apply().report
    assert report is not None and report.exit_code == 4
    assert actions(shop.plan(allow_recreate=frozenset({"case.refund-it"}))) == {
        "case.refund-it": "create",
        "case.refund": "delete",
    }


def test_removed_leaves_the_object_in_qase(shop: Folder) -> None:
    shop.remove("old/cases.yaml").write({"gone.yaml": "removed: [case.legacy, case.never-was]\n"})
    shop.edit("rest.yaml", "[pay, legacy]", "[pay]")
    assert actions(shop.plan()) == {"plan.smoke": "update", "case.legacy": "forget"}
    shop.applied()
    assert "Legacy" in [c["title"] for c in shop.dump()["cases"]]
    assert shop.plan().summary.unmanaged == 1
    assert "case.legacy" not in shop.state["bindings"]


def test_adopt_binds_what_is_there(shop: Folder) -> None:
    id = shop.app.ui.create("SHOP", "case", title="Made by hand", severity=1)
    shop.write({"hand.yaml": f"cases: {{hand: {{title: By hand}}}}\nadopt: {{case.hand: {id}}}\n"})
    plan = shop.plan()
    assert edits(plan) == {"case.hand": {"title": "ours"}}
    assert by_address(plan)["case.hand"].action == "adopt"
    shop.applied()
    assert shop.id_of("case.hand") == id
    assert [c["severity"] for c in shop.dump()["cases"] if c["title"] == "By hand"] == ["blocker"]


# -- ends and what stands in their way -----------------------------------------------------------------------------


def test_a_member_leaves_its_plan_before_it_is_deleted(shop: Folder) -> None:
    shop.remove("old/cases.yaml", "old/suite.yaml").edit("rest.yaml", "[pay, legacy]", "[pay]")
    plan = shop.plan()
    assert list(actions(plan).items()) == [
        ("plan.smoke", "update"), ("case.legacy", "delete"), ("suite.old", "delete"),
    ]  # fmt: skip
    shop.applied()
    assert sorted(s["path"] for s in shop.dump()["suites"]) == [["Checkout"], ["Checkout", "Vouchers"]]


@pytest.mark.parametrize("kind", ["case", "suite"])
def test_a_suite_that_holds_something_unmanaged_is_not_deleted(shop: Folder, kind: str) -> None:
    place = {"case": "suite_id", "suite": "parent_id"}[kind]
    made = shop.app.ui.create("SHOP", kind, title="By hand", **{place: shop.id_of("suite.old")})
    shop.remove("old/suite.yaml").edit("old/cases.yaml", "legacy:", "legacy: # at the root\n   ")
    plan = shop.plan()
    assert actions(plan) == {"case.legacy": "move", "suite.old": "delete !suite_not_empty"}
    assert f"{kind} {made} 'By hand' (not managed)" in str(by_address(plan)["suite.old"].blocked)
    shop.apply()
    assert ["Old"] in [s["path"] for s in shop.dump()["suites"]]


@pytest.mark.parametrize("deep", [False, True])
def test_what_somebody_puts_into_a_suite_after_the_plan_is_saved(shop: Folder, deep: bool) -> None:
    """The suite itself is as it was; what lies in it is not. (During the run: test_safety.py.)"""
    shop.remove("old/suite.yaml").edit("old/cases.yaml", "legacy:", "legacy: # at the root\n   ")
    plan = shop.plan()
    assert actions(plan) == {"case.legacy": "move", "suite.old": "delete"}
    place = shop.id_of("suite.old")
    if deep:
        place = shop.app.ui.create("SHOP", "suite", title="Hidden", parent_id=place)
    shop.app.ui.create("SHOP", "case", title="By hand", suite_id=place)
    with pytest.raises(StalePlan, match="1 object changed in Qase"):
        shop.apply_saved(plan)
    assert "By hand" in [c["title"] for c in shop.dump()["cases"]]
    assert [entry for entry in shop.writes() if entry.method == "DELETE"] == []


def test_a_shared_step_in_use_is_not_deleted(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="By hand", steps=[{"shared": shop.id_of("shared_step.login")}])
    shop.edit("rest.yaml", "shared_steps: {login: {title: Login, steps: [Open]}}\n", "")
    assert actions(shop.plan()) == {"shared_step.login": "delete !shared_step_in_use"}
    shop.apply()
    assert len(shop.dump()["shared_steps"]) == 1


def test_a_milestone_in_use_is_not_deleted(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="By hand", milestone_id=shop.id_of("milestone.m"))
    shop.edit("rest.yaml", "milestones: {m: {title: M}}\n", "")
    assert actions(shop.plan()) == {"milestone.m": "delete !milestone_in_use"}


def test_protect_outlives_its_declaration(shop: Folder) -> None:
    shop.edit("old/cases.yaml", "{title: Legacy}", "{title: Legacy, protect: true}").applied()
    shop.remove("old/cases.yaml", "old/suite.yaml").edit("rest.yaml", "[pay, legacy]", "[pay]")
    assert actions(shop.plan()) == {
        "plan.smoke": "update", "case.legacy": "delete !protected", "suite.old": "delete !suite_not_empty",
    }  # fmt: skip
    shop.apply()
    assert "Legacy" in [c["title"] for c in shop.dump()["cases"]]
    with pytest.raises(SafetyRefusal):
        shop.apply(destroy=True, allow_deletes=1)


def test_destroy_leaves_the_project_and_what_is_not_ours(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="By hand")
    plan = shop.plan(destroy=True)
    shop.applied(destroy=True, allow_deletes=plan.destructive)
    dump = shop.dump()
    assert [c["title"] for c in dump["cases"]] == ["By hand"]
    assert (dump["suites"], dump["plans"], dump["milestones"], dump["shared_steps"]) == ([], [], [], [])
    assert dump["project"]["code"] == "SHOP"
    assert shop.state["bindings"] == {}


# -- other people's edits ------------------------------------------------------------------------------------------


def rename(shop: Folder, address: str, title: str) -> None:
    shop.app.ui.edit("SHOP", "case", shop.id_of(address), title=title)


@pytest.mark.parametrize(
    ("policy", "planned", "title"),
    [("revert", "update", "Refund"), ("keep", None, "T"), ("fail", "update !drift", "T")],
)
@pytest.mark.parametrize("by", ["option", "qase.yaml", "suite.yaml"])
def test_on_drift_by_option_and_by_folder(shop: Folder, by: str, policy: str, planned: str | None, title: str) -> None:
    rename(shop, "case.refund", "T")
    rename(shop, "case.legacy", "L")  # in another folder
    if by == "suite.yaml":
        shop.edit("checkout/suite.yaml", "title: Checkout\n", f"title: Checkout\npolicy: {{on_drift: {policy}}}\n")
    elif by == "qase.yaml":
        shop.edit("qase.yaml", "policy:\n", f"policy:\n  on_drift: {policy}\n")
    options = {"on_drift": policy} if by == "option" else {}
    plan = shop.plan(**options)
    assert actions(plan).get("case.refund") == planned
    assert actions(plan).get("case.legacy") == ("update" if by == "suite.yaml" else planned)
    assert [drift.address for drift in plan.drift] == ["case.legacy", "case.refund"]
    shop.apply(**options)
    assert title in [c["title"] for c in shop.dump()["cases"]]


@pytest.mark.parametrize(
    ("policy", "planned", "title"), [("fail", "update !conflict", "T"), ("ours", "update", "O"), ("theirs", None, "T")]
)
@pytest.mark.parametrize("by", ["option", "suite.yaml"])
def test_on_conflict(shop: Folder, by: str, policy: str, planned: str | None, title: str) -> None:
    rename(shop, "case.refund", "T")
    shop.edit("checkout/cases.yaml", "title: Refund", "title: O")
    if by == "suite.yaml":
        shop.edit("checkout/suite.yaml", "title: Checkout\n", f"title: Checkout\npolicy: {{on_conflict: {policy}}}\n")
    options = {"on_conflict": policy} if by == "option" else {}
    assert actions(shop.plan(**options)).get("case.refund") == planned
    shop.apply(**options)
    assert title in [c["title"] for c in shop.dump()["cases"]]


@pytest.mark.parametrize(("policy", "again"), [("revert", True), ("keep", False), ("fail", False)])
def test_vanished(shop: Folder, policy: str, again: bool) -> None:
    old = shop.id_of("case.refund")
    shop.app.ui.delete("SHOP", "case", old)
    plan = shop.plan(on_drift=policy)
    assert (
        actions(plan)
        == {"revert": {"case.refund": "create"}, "keep": {}, "fail": {"case.refund": "create !vanished"}}[policy]
    )
    assert [(d.address, d.kind) for d in plan.drift] == [("case.refund", "vanished")]
    shop.apply(on_drift=policy)
    assert ("Refund" in [c["title"] for c in shop.dump()["cases"]]) == again
    if again:
        assert shop.id_of("case.refund") != old
        assert actions(shop.plan()) == {}


def test_attributes_that_the_yaml_leaves_out_are_left_alone(shop: Folder) -> None:
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.refund"), description="by hand", severity=1, tags=["x"])
    plan = shop.plan()
    assert (actions(plan), plan.drift) == ({}, ())


def test_ignore_changes_sends_once_and_then_lets_go(folder: Callable[..., Folder]) -> None:
    shop = folder({"a.yaml": "cases: {a: {title: A, severity: major, ignore_changes: [severity]}}\n"}).applied()
    assert shop.dump()["cases"][0]["severity"] == "major"
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.a"), severity=1)
    assert actions(shop.plan()) == {}
    shop.edit("a.yaml", "major", "minor")
    assert actions(shop.plan()) == {}


def test_assignees_are_not_lost_unsaid(shop: Folder) -> None:
    shop.app.ui.assign("SHOP", shop.id_of("plan.smoke"), shop.id_of("case.pay"), 1)
    shop.edit("rest.yaml", "[pay, legacy]", "[pay, legacy, refund]")
    assert actions(shop.plan()) == {"plan.smoke": "update !would_drop_assignees"}
    shop.edit("rest.yaml", "{title: Smoke,", "{title: Smoke, assignees: may_be_lost,")
    assert actions(shop.plan()) == {"plan.smoke": "update"}


# -- partial failure -----------------------------------------------------------------------------------------------


def test_after_a_partial_failure_the_next_run_converges(shop: Folder) -> None:
    """One case of a batch is refused: it stands alone in the report, everything else is done, and a later run mends."""
    shop.write({"new/suite.yaml": "title: New\n", "new/cases.yaml": "".join(
        ["cases:\n", *(f"  n{at}: {case(f'N{at}', milestone='m' if at == 5 else 'null')}\n" for at in range(9))])})  # fmt: skip
    handle = shop.app.handle

    def refuse(request: Request) -> Answer:
        """Any create of a case with a milestone."""
        if request.method == "POST" and re.search(rb'"milestone_id": ?[0-9]', request.body):
            return json_answer(422, ApiError(422, "Not this one.").body("full"))
        return handle(request)

    shop.app.handle = refuse  # type: ignore[method-assign]
    report = shop.apply().report
    assert report is not None and report.exit_code == 6
    assert [o.address for o in report.operations if not o.done] == ["case.n5"]
    assert (report.applied, report.failed) == (9, 1)
    shop.app.handle = handle  # type: ignore[method-assign]
    assert actions(shop.plan()) == {"case.n5": "create"}
    shop.applied()
    assert sorted(c["title"] for c in shop.dump()["cases"] if c["suite"] == ["New"]) == [f"N{at}" for at in range(9)]
