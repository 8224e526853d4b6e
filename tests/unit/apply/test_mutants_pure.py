"""What mutants of the guard, the fold and the settling survived (docs/mutants.md)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from apply_world import MemoryRemote, drop, edit, new, plan_of, state_of

from qase_iac.apply.bind import body_digest
from qase_iac.apply.fold import enact, fold, rename
from qase_iac.apply.guard import check_brake, check_state_exists, verify_plan, verify_preconditions
from qase_iac.apply.settle import Settled, settle, take_over
from qase_iac.errors import SafetyRefusal, StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Policy, Snapshot
from qase_iac.plan.digests import live_digest
from qase_iac.state.journal import Contents, Header, Intent, Item
from qase_iac.state.model import Binding, State

HEADER = Header("11111111-aaaa", 4, "", "SHOP", "api")
CREATE = {"intent": 1, "time": "t", "items": [{"op": 1, "address": "case.a", "action": "create", "title": "A"}]}


# -- fold


@pytest.mark.parametrize(
    "item",
    [
        Item(1, "project.SHOP", "create"),
        Item(1, "case.gone", "delete", 4),
        Item(1, "case.a", "create"),
    ],
    ids=["the project is not bound", "nothing to delete", "no id"],
)
def test_what_changes_nothing_says_so(item: Item) -> None:
    state = state_of(**{"case.o": 1})
    assert enact(state, item, None) is False
    assert list(state.bindings) == ["case.o"]


def test_what_the_yaml_refers_to_is_taken_over_from_the_journal_alone() -> None:
    state = state_of(**{"case.a": 1})
    item = Item(1, "case.a", "update", 1, record={"sent": {}, "depends_on": ["suite.s"], "protect": True})
    assert enact(state, item, 1) is True
    assert state.bindings["case.a"] == Binding(1, protect=True, depends_on=["suite.s"])


def test_who_refers_to_the_old_address_alone_refers_to_the_new_one() -> None:
    state = state_of(**{"suite.a": 1, "case.x": Binding(2, depends_on=["suite.a"])})
    rename(state, [("suite.a", "suite.b", 1)])
    assert state.bindings["case.x"].depends_on == ["suite.b"]


def test_the_state_of_a_first_run_starts_at_nought() -> None:
    assert fold(State(), Contents(replace(HEADER, serial=0))).state.serial == 0


def test_an_outcome_that_is_not_known_changes_nothing() -> None:
    assert not fold(state_of(), Contents(HEADER, (CREATE, {"outcome": 1, "status": "unknown"}))).changed


# -- guard


def test_it_says_how_many_objects_the_project_holds() -> None:
    plan = replace(plan_of(edit("case.a", 1, title="A"), edit("case.b", 2, title="B"), new("case.n")), lineage="")
    with pytest.raises(SafetyRefusal, match="holds 2 objects"):
        check_state_exists(plan)


def test_a_plan_that_fits_is_not_stale_for_having_a_digest() -> None:
    plan = replace(plan_of(), digest="sha256:this")
    state = replace(state_of(), applied=["sha256:other"])
    verify_plan(plan, state, "sha256:config")
    with pytest.raises(StalePlan, match="applied before"):
        verify_plan(plan, replace(state, applied=["sha256:this"]), "sha256:config")


def test_the_brake_quotes_a_title_and_leaves_out_none() -> None:
    plan = plan_of(*[replace(drop(f"case.c{n}", n), title="T" if n == 1 else "") for n in range(1, 4)])
    with pytest.raises(SafetyRefusal) as caught:
        check_brake(plan, state_of(), Policy())
    assert caught.value.detail.splitlines() == ["- case.c1 'T'", "- case.c2", "- case.c3"]


def test_shared_parameters_are_known_by_title_when_a_plan_is_verified() -> None:
    remote = MemoryRemote(shared_parameters={"Browsers": "uuid-1"})
    remote.put("case", "c", 1, parameters=[{"shared": "uuid-1"}], severity="minor")
    change = replace(
        edit("case.a", 1, severity="major", parameters=[], before={"parameters": [{"shared": "Browsers"}]}),
        precondition="other",
    )
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(change), remote.look(), live_digest, state_of())
    assert caught.value.detail == "- case.a (id 1) was changed in Qase: severity"


def test_what_cannot_be_bound_any_more_does_not_hide_the_next_attribute() -> None:
    remote = MemoryRemote()
    remote.put("case", "c", 1, milestone=5, severity="minor")
    before = {"milestone": "milestone.gone", "severity": "major"}
    change = replace(edit("case.a", 1, milestone=None, severity="trivial", before=before), precondition="other")
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(change), remote.look(), live_digest, state_of())
    assert caught.value.detail == "- case.a (id 1) was changed in Qase: severity"


def test_what_was_sent_and_is_not_shown_is_not_named_as_changed() -> None:
    remote = MemoryRemote()
    remote.put("case", "edited", 1)
    state = state_of(**{"case.a": Binding(1, {"title": "c", "description": "d"})})
    change = replace(drop("case.a", 1), precondition="other")
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(change), remote.look(), live_digest, state)
    assert caught.value.detail == "- case.a (id 1) was changed in Qase: title"


# -- settle


def open_create(op: int, address: str, title: str, **sent: Any) -> Intent:
    values = {"title": title, **sent}
    digest = body_digest(BY_NAME[address.partition(".")[0]], values)
    return Intent(op, "t", (Item(op, address, "create", None, title, None, digest, {"sent": values}),))


def found(*objects: LiveObject) -> Snapshot:
    kinds = {live.kind for live in objects}
    return Snapshot(objects={kind: {live.id: live for live in objects if live.kind == kind} for kind in kinds})


def test_what_was_settled_is_taken_over() -> None:
    state = state_of()
    assert take_over(state, Settled({"case.a": Binding(11)}))
    assert state.bindings == {"case.a": Binding(11)}


def test_what_was_sent_without_protection_is_not_protected() -> None:
    made = settle([open_create(1, "suite.a", "T")], found(LiveObject("suite", 11, {"title": "T"})), State(), {})
    assert made.bindings == {"suite.a": Binding(11, {"title": "T"}, protect=False)}


def test_a_finding_has_a_code_and_its_address() -> None:
    objects = [LiveObject("suite", id, {"title": "T"}) for id in (11, 12)]
    (finding,) = settle([open_create(1, "suite.a", "T")], found(*objects), State(), {}).findings
    assert (finding.code, finding.address) == ("unsettled-create", "suite.a")


def test_too_many_equal_ones_do_not_hide_who_is_equal_to_one() -> None:
    """Three are like the first intent, which cannot be told apart; the fourth is the second's."""
    plain = [LiveObject("suite", id, {"title": "T", "description": "p"}) for id in (11, 12)]
    other = LiveObject("suite", 13, {"title": "T", "description": "o"})
    intents = [open_create(1, "suite.a", "T", description="p"), open_create(2, "suite.b", "T", description="o")]
    settled = settle(intents, found(*plain, other), State(), {})
    assert {address: binding.id for address, binding in settled.bindings.items()} == {"suite.b": 13}
    assert [finding.address for finding in settled.findings] == ["suite.a"]


@pytest.mark.parametrize("value", [None, "", []])
def test_what_was_sent_empty_and_is_not_shown_is_the_same_body(value: Any) -> None:
    name = "tags" if value == [] else "description"
    objects = [
        LiveObject("case", 11, {"title": "T"}),
        LiveObject("case", 12, {"title": "T", name: "x" if value != [] else ["x"]}),
    ]
    settled = settle([open_create(1, "case.a", "T", **{name: value})], found(*objects), State(), {})
    assert settled.bindings["case.a"].id == 11


def test_what_was_sent_filled_and_is_not_shown_is_another_body() -> None:
    objects = [LiveObject("case", id, {"title": "T"}) for id in (11, 12)]
    settled = settle([open_create(1, "case.a", "T", description="d")], found(*objects), State(), {})
    assert (settled.bindings, len(settled.findings)) == ({}, 1)
