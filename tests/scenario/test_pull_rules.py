"""Test plans whose cases a rule picks: what a pull takes over makes the rule pick anew, and that is nobody's edit."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from e2e_kit import HOLDER, Folder, edits

from qase_iac.workflow.pulling import Pulled, Wish, pull

FILES = {
    "a/suite.yaml": "title: A\n",
    "a/c.yaml": "cases:\n  one: {title: One, severity: major}\n  two: {title: Two, severity: major}\n",
    "b/suite.yaml": "title: B\n",
    "b/c.yaml": "cases:\n  three: {title: Three}\n",
    "p.yaml": "plans:\n  rule: {title: Rule, select: {suites: [a]}}\n  list: {title: List, cases: [two, three]}\n",
}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES).applied()


def pulled(shop: Folder) -> Pulled:
    return pull(shop.session(), Wish(everything=True), HOLDER)


def test_a_new_case_that_a_rule_picks_is_no_surprise(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="New", suite_id=shop.id_of("suite.a"))
    done = pulled(shop)
    assert (done.exit_code, done.left, done.unexpected) == (0, (), ())
    assert edits(shop.plan()) == {"plan.rule": {"cases": "ours"}}
    shop.applied()
    assert shop.plan().changes == ()


def test_a_new_case_beside_one_that_was_deleted(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="New", suite_id=shop.id_of("suite.a"))
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.two"))
    done = pulled(shop)
    assert (done.exit_code, done.left, done.unexpected) == (0, (), ())
    assert "two" not in (shop.root / "a/c.yaml").read_text() + (shop.root / "p.yaml").read_text()
    assert edits(shop.plan()) == {"plan.rule": {"cases": "ours"}}, "and no conflict: nobody edited the plan"
    shop.applied()
    assert shop.plan().changes == ()


def test_what_somebody_picked_in_qase_is_left_with_the_reason(shop: Folder) -> None:
    members = [shop.id_of("case.one"), shop.id_of("case.three")]
    shop.app.ui.edit("SHOP", "plan", shop.id_of("plan.rule"), cases=members)
    done = pulled(shop)
    assert done.exit_code == 1 and [(each.address, each.attributes) for each in done.left] == [
        ("plan.rule", ("cases",))
    ]


def test_a_plan_that_is_taken_away_after_its_case_was_deleted(shop: Folder) -> None:
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.two"))
    shop.write({"p.yaml": "plans: {}\n"}).edit("a/c.yaml", "  two: {title: Two, severity: major}\n", "")
    plan = shop.plan()
    assert not [each.blocked for each in plan.changes if each.blocked]
    shop.applied(allow_deletes=plan.destructive)
    assert shop.dump()["plans"] == [] and shop.plan().changes == ()
