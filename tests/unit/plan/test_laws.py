"""What holds for every plan, over random worlds."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from plan_kit import Kit, lines
from worlds import carry_out, world

from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, Plan
from qase_iac.plan.planfile import dumps, seal, to_json
from qase_iac.plan.planfile_reader import from_json
from qase_iac.plan.scope import LiveSuites, titled

RANDOM = st.randoms(use_true_random=False)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "on_drift": st.sampled_from(["revert", "keep", "fail"]),
        "on_conflict": st.sampled_from(["ours", "theirs", "fail"]),
        "deletes": st.booleans(),
        "select": st.sampled_from(["case.*", "a/**", "suite.b", "plan.p"]),
        "exclude": st.sampled_from(["case.c1", "b/**", "milestone.m"]),
        "destroy": st.just(True),
        "allow_recreate": st.just(["case.n-c0", "suite.a"]),
    },
)
many = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def shuffled(kit: Kit, random: Random) -> Kit:
    def mixed(mapping: dict[Any, Any]) -> dict[Any, Any]:
        return {key: mapping[key] for key in random.sample(list(mapping), len(mapping))}

    other = copy.deepcopy(kit)
    other.resources, other.removed = mixed(other.resources), mixed(other.removed)
    other.state.bindings = mixed(other.state.bindings)
    other.snapshot.objects = {kind: mixed(objects) for kind, objects in mixed(other.snapshot.objects).items()}
    return other


@many
@given(RANDOM, RANDOM, OPTIONS)
def test_the_same_bytes_whatever_the_order(random: Random, other: Random, options: dict[str, Any]) -> None:
    kit = world(random)
    assert dumps(to_json(kit.plan(**options))) == dumps(to_json(shuffled(kit, other).plan(**options)))


@many
@given(RANDOM, OPTIONS)
def test_every_plan_is_well_formed(random: Random, options: dict[str, Any]) -> None:
    kit = world(random)
    plan = kit.plan(**options)
    for change in plan.changes:
        event(f"{'! ' if change.blocked else ''}{change.action} {change.blocked.code if change.blocked else ''}")
    at = {change.address: number for number, change in enumerate(plan.changes)}
    assert len(at) == len(plan.changes)
    for change in plan.changes:
        if change.blocked:
            assert change.blocked.code and change.blocked.reason.endswith((".", "}", ")", "`"))
            assert change.address not in change.blocked.by
        assert all(at[needed] < at[change.address] for needed in change.depends_on if needed in at)
        assert (change.precondition is None) == (
            change.action is Action.CREATE or change.id is None or not _is_live(kit, change)
        )
        assert (change.source is None) == (change.action in (Action.DELETE, Action.FORGET))
    assert _sum(plan) == len(plan.changes) and plan.summary.blocked == sum(1 for c in plan.changes if c.blocked)
    if not options.get("destroy"):
        declared = {str(address) for address in kit.resources}
        assert plan.summary.no_op <= len(declared - at.keys())
    sealed = seal(plan)
    assert to_json(from_json(to_json(sealed))) == to_json(sealed)


def _is_live(kit: Kit, change: Any) -> bool:
    return kit.snapshot.get(change.kind, change.id) is not None


def _sum(plan: Plan) -> int:
    counts = plan.summary
    return sum(
        getattr(counts, name) for name in ("create", "update", "move", "delete", "adopt", "rename", "forget", "blocked")
    )


@many
@given(RANDOM, OPTIONS)
def test_nothing_that_is_not_ours_is_written(random: Random, options: dict[str, Any]) -> None:
    kit = world(random)
    bound = {(name.partition(".")[0], binding.id) for name, binding in kit.state.bindings.items()}
    plan = kit.plan(**options)
    keys = {b.id: name[6:] for name, b in kit.state.bindings.items() if name.startswith("suite.")}
    suites = LiveSuites(kit.snapshot, keys, titled(kit.resources))
    for change in plan.unblocked:
        if change.writes and change.id is not None:
            assert (change.kind, change.id) in bound or change.action is Action.ADOPT
            kind = BY_NAME[change.kind]
            if kind.owned_by_scope and change.action is not Action.ADOPT:
                live = kit.snapshot.objects[change.kind][change.id]
                assert suites.in_scope(kit.scope, change.id if kind.nested_keys else live.attributes[kind.parent])


@many
@given(RANDOM, OPTIONS)
def test_what_is_carried_out_loses_nothing_and_leaves_nothing_to_do(random: Random, options: dict[str, Any]) -> None:
    check_carried_out(world(random), options)


@pytest.mark.parametrize("seed", range(0, 400, 40))
def test_the_same_over_worlds_that_nobody_shrinks(seed: int) -> None:
    for number in range(seed, seed + 40):
        check_carried_out(world(Random(number)), {})


def check_carried_out(kit: Kit, options: dict[str, Any]) -> None:
    """`carry_out` raises where a suite, a shared step or a milestone goes while something hangs on it."""
    before = copy.deepcopy(kit.snapshot.objects)
    plan = kit.plan(**options)
    carry_out(kit, plan)
    named = {(c.kind, c.id) for c in plan.unblocked if c.writes}
    for kind, objects in before.items():
        for id, live in objects.items():
            if (kind, id) not in named:
                held = kit.snapshot.objects[kind][id].attributes
                assert {**held, "cases": 0} == {**live.attributes, "cases": 0}, "what no change names stays as it is"
    again = kit.plan(**options)
    if not plan.summary.blocked and not options.get("destroy"):
        assert lines(again) == [] and again.observed == {}
    for _ in range(3):  # what was blocked may have lost its reason; then it goes on, and comes to an end
        carry_out(kit, again)
        again = kit.plan(**options)
    assert all(change.blocked for change in again.changes), lines(again)


@many
@given(RANDOM)
def test_a_part_is_a_part_of_the_whole(random: Random) -> None:
    kit = world(random)
    whole = {change.address: change for change in kit.plan().changes}
    for select in ("case.*", "a/**", "plan.p"):
        part = kit.plan(select=select)
        assert all(whole[change.address] == change for change in part.changes)
        rest = kit.plan(exclude=select)
        assert all(whole[change.address] == change for change in rest.changes)
        assert part.summary.not_selected == len(whole) - len(part.changes)
