"""Who reads differently because a shared step was changed: exactly those that a look at everything finds."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plan_kit import Kit, change, shared

from qase_iac.plan.impact import NAMED

SIGN_IN = [{"action": "Open /login"}]


@pytest.fixture
def kit() -> Kit:
    kit = Kit()
    kit.both("suite.a", 7).both("suite.b", 8)
    kit.both("shared_step.in", steps=SIGN_IN).both("shared_step.out", steps=SIGN_IN)
    kit.both("case.user", 41, suite="a", steps=[shared("in"), {"action": "x"}])
    kit.both("case.nested", 42, steps=[{"action": "y", "steps": [shared("in")]}])
    kit.both("case.other", 43, suite="b", steps=[shared("out")])
    kit.both("plan.p", 3, cases=["user", "other"]).both("plan.q", 4, cases=["other"])
    return kit


def impact(kit: Kit, address: str = "shared_step.in") -> dict[str, object]:
    return change(kit.plan(on_conflict="ours"), address).impact


CHANGED = {"steps": [{"action": "Open /signin"}]}
USERS = {
    "cases": {"count": 2, "names": ["case.nested", "case.user"]},
    "plans": {"count": 1, "names": ["plan.p"]},
    "suites": {"count": 1, "names": ["suite.a"]},
}


def test_its_cases_their_plans_and_their_suites(kit: Kit) -> None:
    assert impact(kit.yaml("shared_step.in", **CHANGED)) == USERS
    assert all(not each.impact for each in kit.plan().changes if each.address != "shared_step.in")


def test_a_new_title_reads_differently_as_well(kit: Kit) -> None:
    assert impact(kit.yaml("shared_step.in", title="Log in")) == USERS


def test_a_revert_does_too(kit: Kit) -> None:
    assert impact(kit.qase("shared_step.in", title="Theirs")) == USERS


def test_what_is_not_managed_is_named_by_its_id(kit: Kit) -> None:
    kit.live("suite", 99).live("case", 100, suite=99, steps=[{"shared": kit.id("shared_step.in")}])
    kit.live("plan", 9, cases=[100])
    found = impact(kit.yaml("shared_step.in", **CHANGED))
    assert found["cases"] == {"count": 3, "names": ["case.nested", "case.user", {"external_id": 100}]}
    assert found["plans"] == {"count": 2, "names": ["plan.p", {"external_id": 9}]}
    assert found["suites"] == {"count": 2, "names": ["suite.a", {"external_id": 99}]}


def test_who_no_longer_uses_it_after_the_plan_does_not_count(kit: Kit) -> None:
    kit.yaml("shared_step.in", **CHANGED).yaml("case.user", steps=[{"action": "x"}])
    assert impact(kit) == {"cases": {"count": 1, "names": ["case.nested"]}}
    kit.yaml("plan.p", cases=["other"]).undeclare("case.user")
    assert impact(kit) == {"cases": {"count": 1, "names": ["case.nested"]}}


def test_nobody_uses_it(kit: Kit) -> None:
    kit.both("shared_step.lonely", steps=SIGN_IN).yaml("shared_step.lonely", **CHANGED)
    assert impact(kit, "shared_step.lonely") == {}


def test_creates_deletes_and_blocked_changes_have_none(kit: Kit) -> None:
    kit.declare("shared_step.new", steps=SIGN_IN).undeclare("shared_step.out")
    kit.yaml("shared_step.in", title="Ours").qase("shared_step.in", title="Theirs")
    plan = kit.plan()
    assert {each.action for each in plan.changes} >= {"create", "delete", "update"}
    assert all(each.impact == {} for each in plan.changes)


def test_many_are_counted(kit: Kit) -> None:
    for at in range(100):
        kit.both(f"case.c{at:03}", 200 + at, steps=[shared("in")])
    found = impact(kit.yaml("shared_step.in", **CHANGED))
    assert found["cases"]["count"] == 102 and len(found["cases"]["names"]) == NAMED  # type: ignore[index]


@given(st.randoms(use_true_random=False))
def test_it_is_what_a_look_at_everything_finds(random: Random) -> None:
    kit = Kit()
    keys = [f"s{at}" for at in range(3)]
    for key in keys:
        kit.both(f"shared_step.{key}", steps=SIGN_IN).both(f"suite.{key}", 10 + keys.index(key))
    uses: dict[str, set[str]] = {}
    for at in range(random.randint(0, 8)):
        used = random.sample(keys, random.randint(0, 3))
        kit.both(f"case.c{at}", 40 + at, suite=random.choice(keys), steps=[shared(key) for key in used])
        uses[f"case.c{at}"] = set(used)
    for at in range(3):
        kit.both(f"plan.p{at}", 90 + at, cases=[name[5:] for name in uses if random.random() < 0.5])
    for key in keys:
        kit.yaml(f"shared_step.{key}", **CHANGED)
    plan = kit.plan()
    for key in keys:
        cases = sorted(name for name, used in uses.items() if key in used)
        suites = sorted({f"suite.{keys[kit.snapshot.of('case')[kit.id(c)].attributes['suite'] - 10]}" for c in cases})
        members = {f"plan.p{at}": kit.snapshot.of("plan")[90 + at].attributes["cases"] for at in range(3)}
        plans = sorted(name for name, ids in members.items() if {kit.id(c) for c in cases} & set(ids))
        wanted = {"cases": cases, "plans": plans, "suites": suites}
        found = change(plan, f"shared_step.{key}").impact
        assert found == {name: {"count": len(them), "names": them} for name, them in wanted.items() if them}
