"""What is refused before anything is written."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apply_world import MemoryRemote, drop, edit, new, plan_of, state_of

from qase_iac.apply.guard import check_before_apply, check_brake, check_state_exists, verify_plan, verify_preconditions
from qase_iac.errors import SafetyRefusal, StalePlan
from qase_iac.model import Policy
from qase_iac.plan.digests import live_digest
from qase_iac.plan.model import Action, Blocked, Change, Reading, Reason, Summary
from qase_iac.state.model import Binding

BOUND = {f"case.c{n}": n for n in range(1, 101)}


def deletes(count: int):  # type: ignore[no-untyped-def]
    return [drop(f"case.c{n}", n) for n in range(1, count + 1)]


@pytest.mark.parametrize(("count", "refused"), [(0, False), (20, False), (21, True)])
def test_the_count_brakes(count: int, refused: bool) -> None:
    _brakes(count, refused, Policy(max_deletes=20, max_delete_share=1.0))


@pytest.mark.parametrize(("count", "refused"), [(10, False), (11, True)])
def test_the_share_brakes(count: int, refused: bool) -> None:
    _brakes(count, refused, Policy(max_deletes=1000, max_delete_share=0.1))


def _brakes(count: int, refused: bool, policy: Policy) -> None:
    plan = plan_of(*deletes(count))
    if not refused:
        check_brake(plan, state_of(**BOUND), policy)
        return
    with pytest.raises(SafetyRefusal) as caught:
        check_brake(plan, state_of(**BOUND), policy)
    assert caught.value.code == "brake"
    assert f"--allow-deletes {count}" in caught.value.hint
    check_brake(replace(plan, allow_deletes=count), state_of(**BOUND), policy)
    for wrong in (count - 1, count + 1, 0):
        with pytest.raises(SafetyRefusal, match=f"--allow-deletes says {wrong}"):
            check_brake(replace(plan, allow_deletes=wrong), state_of(**BOUND), policy)


def test_one_of_two_is_a_large_share() -> None:
    with pytest.raises(
        SafetyRefusal, match=r"deletes 1 of 2 bound objects \(50%\): more than max_delete_share \(20%, at most 0 of 2\)"
    ):
        check_brake(plan_of(drop("case.a", 1)), state_of(**{"case.a": 1, "case.b": 2}), Policy())


def test_what_vanished_counts_and_what_is_blocked_does_not() -> None:
    vanished = replace(new("case.v"), reason=Reason.VANISHED)
    blocked = drop("case.b", 2, blocked=Blocked("protected", "p"))
    bound = state_of(**BOUND)
    check_brake(plan_of(blocked), bound, Policy(max_deletes=0))
    with pytest.raises(SafetyRefusal, match="makes 1 again that vanished from Qase, of 100 bound objects") as caught:
        check_brake(plan_of(vanished, blocked), bound, Policy(max_deletes=0))
    assert "case.v" in caught.value.detail and "case.b" not in caught.value.detail
    assert "vanished" in caught.value.detail


def test_the_brake_says_what_hangs_on_each() -> None:
    state = state_of(
        **{
            "suite.s": 1,
            "shared_step.t": "ab",
            **{f"case.c{n}": Binding(n, depends_on=["suite.s"]) for n in range(2, 7)},
        }
    )
    noted = replace(drop("shared_step.t", "ab"), notes=("in plan.smoke",))
    with pytest.raises(SafetyRefusal) as caught:
        check_brake(plan_of(drop("suite.s", 1), noted), state, Policy())
    assert "- suite.s 'suite.s': case.c2, case.c3, case.c4 and 2 more hang on it" in caught.value.detail
    assert "- shared_step.t 'shared_step.t': in plan.smoke" in caught.value.detail


def test_a_long_list_is_cut() -> None:
    with pytest.raises(SafetyRefusal) as caught:
        check_brake(plan_of(*deletes(45)), state_of(**BOUND), Policy())
    assert caught.value.detail.splitlines()[-1] == "- and 15 more"


def test_a_list_that_just_fits_is_not() -> None:
    with pytest.raises(SafetyRefusal) as caught:
        check_brake(plan_of(*deletes(30)), state_of(**BOUND), Policy())
    assert caught.value.detail.splitlines()[-1] == "- case.c30 'case.c30'"


# -- no state


def stateless(**more: object):  # type: ignore[no-untyped-def]
    return replace(plan_of(new("case.a")), lineage="", serial=0, **{"stateless": True, **more})


def test_an_empty_project_needs_no_state() -> None:
    check_state_exists(stateless())
    check_state_exists(stateless(reading=Reading({"project": 1, "case": 0})))


@pytest.mark.parametrize(
    "more",
    [
        {"reading": Reading({"case": 3})},
        {"summary": Summary(unmanaged=3)},
        {"changes": (Change("case.a", Action.ADOPT, 5, Reason.ADOPTED),)},
        {"stateless": False, "reading": Reading({"suite": 1})},
    ],
)
def test_one_that_holds_something_does(more: dict[str, object]) -> None:
    with pytest.raises(SafetyRefusal) as caught:
        check_before_apply(stateless(**more), state_of(), Policy())
    assert caught.value.code == "no-state"
    check_state_exists(stateless(new_state=True, **more))


def test_with_a_state_it_may_hold_anything() -> None:
    check_before_apply(plan_of(new("case.a"), reading=Reading({"case": 99})), state_of(), Policy())


def test_all_checks_are_made() -> None:
    with pytest.raises(SafetyRefusal) as caught:
        check_before_apply(plan_of(*deletes(2)), state_of(**{"case.c1": 1, "case.c2": 2}), Policy())
    assert caught.value.code == "brake"


# -- saved plans


@pytest.mark.parametrize(
    ("plan_more", "config", "words"),
    [
        ({"digest": "sha256:used"}, "sha256:config", "applied before"),
        ({"lineage": "other"}, "sha256:config", "another state"),
        ({"serial": 3}, "sha256:config", "state changed"),
        ({}, "sha256:new", "configuration changed"),
    ],
)
def test_a_plan_that_does_not_fit_is_stale(plan_more: dict[str, object], config: str, words: str) -> None:
    state = state_of()
    state.applied = ["sha256:used"]
    with pytest.raises(StalePlan, match=words):
        verify_plan(replace(plan_of(), **plan_more), state, config)  # type: ignore[arg-type]
    verify_plan(plan_of(), state, "sha256:config")


def test_every_object_that_moved_is_named_with_its_attributes() -> None:
    remote = MemoryRemote()
    for id in (1, 2, 3, 4):
        remote.put("case", f"c{id}", id, severity="minor")
    plan_snapshot = remote.look()
    before = {id: live_digest(plan_snapshot.objects["case"][id]) for id in (1, 2, 3, 4)}
    changes = [
        replace(edit("case.a", 1, title="A", before={"title": "c1"}), precondition=before[1]),
        replace(edit("case.b", 2, title="B", before={"title": "c2"}), precondition=before[2]),
        replace(drop("case.c", 3), precondition=before[3]),
        replace(drop("case.d", 4), precondition=before[4]),
        replace(drop("case.e", 9, blocked=Blocked("x", "y")), precondition="z"),
        new("case.n"),
    ]
    state = state_of(
        **{"case.a": 1, "case.b": Binding(2, {"severity": "minor"}), "case.c": 3, "case.d": Binding(4, {"title": "c4"})}
    )
    verify_preconditions(plan_of(*changes), plan_snapshot, live_digest, state)
    remote.put("case", "edited", 1, severity="minor")
    remote.put("case", "c2", 2, severity="major")
    remote.objects["case"].pop(3)
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(*changes), remote.look(), live_digest, state)
    assert caught.value.detail.splitlines() == [
        "- case.a (id 1) was changed in Qase: title",
        "- case.b (id 2) was changed in Qase: severity",
        "- case.c (id 3) is not in Qase any more",
    ]
    assert caught.value.summary.startswith("3 objects")
    assert caught.value.exit_code == 5


def test_a_difference_that_cannot_be_named_is_still_one() -> None:
    remote = MemoryRemote()
    remote.put("case", "c", 1, milestone=5)
    before = {"milestone": "milestone.gone", "attachments": ["never/uploaded.png"]}
    change = edit("case.a", 1, milestone=None, attachments=[], before=before)
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(change), remote.look(), live_digest, state_of())
    assert caught.value.detail == "- case.a (id 1) was changed in Qase: something that the plan does not show"
