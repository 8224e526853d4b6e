"""The intent of a whole plan: what it was going to make is looked for from the roots on, what it made of others noted."""

from __future__ import annotations

from typing import Any

import pytest
from apply_world import state_of

from qase_iac.apply.bind import body_digest
from qase_iac.apply.settle import Settled, settle, take_over
from qase_iac.diagnostics import Severity
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import PLANNED, Intent, Item
from qase_iac.state.model import Binding, State


def later(address: str) -> dict[str, str]:
    return {"known_after_apply": address}


def item(op: int, address: str, action: str = "create", id: Any = None, parent: Any = None, **sent: Any) -> Item:
    digest = body_digest(BY_NAME[address.partition(".")[0]], {"title": sent.get("title")})
    record = {"sent": sent, "depends_on": ["suite.needed"], "protect": True}
    return Item(op, address, action, id, str(sent.get("title", "")), parent, digest, record)


def whole(*items: Item, number: int = PLANNED) -> list[Intent]:
    return [Intent(number, "t", items)]


def found(*objects: LiveObject) -> Snapshot:
    snapshot = Snapshot()
    for live in objects:
        snapshot.objects.setdefault(live.kind, {})[live.id] = live
    return snapshot


def suite(id: int, title: str, parent: int | None = None) -> LiveObject:
    return LiveObject("suite", id, {"title": title, "parent": parent})


def case(id: int, title: str, suite: int | None = None, **more: Any) -> LiveObject:
    return LiveObject("case", id, {"title": title, "suite": suite, **more})


S = item(5, "suite.s", title="S", parent=None)
BELOW = item(4, "suite.s/t", parent="suite.s", title="T")
INSIDE = item(3, "case.x", parent="suite.s/t", title="X", suite=later("suite.s/t"), severity="minor")
BESIDE = item(2, "case.y", title="Y")


def ids(settled: Settled) -> dict[str, Any]:
    return {address: binding.id for address, binding in settled.bindings.items()}


# -- what it was going to make


def test_parents_are_found_before_what_lies_in_them_and_ids_stand_for_their_addresses() -> None:
    snapshot = found(
        suite(13, "T"), suite(12, "T", 11), suite(11, "S"), case(11, "X", 12, severity="minor"), case(12, "Y")
    )
    settled = settle(whole(INSIDE, BESIDE, BELOW, S), snapshot, State(), {})
    assert ids(settled) == {"suite.s": 11, "suite.s/t": 12, "case.x": 11, "case.y": 12}
    assert settled.bindings["case.x"] == Binding(
        11, {"title": "X", "suite": 12, "severity": "minor"}, protect=True, depends_on=["suite.needed"]
    )
    assert (settled.lost, settled.findings, settled.untouched, settled.agreed) == ([], [], [], {})


def test_what_lies_in_what_was_not_made_was_not_made_and_hides_nothing() -> None:
    settled = settle(whole(INSIDE, BESIDE, BELOW, S), found(suite(13, "T"), case(21, "X"), case(22, "Y")), State(), {})
    assert (ids(settled), settled.lost) == ({"case.y": 22}, ["suite.s", "suite.s/t", "case.x"])
    assert settled.findings == []


def test_what_lies_in_what_cannot_be_told_waits_for_it() -> None:
    snapshot = found(suite(11, "S"), suite(12, "S"), case(22, "Y"))
    settled = settle(whole(INSIDE, BESIDE, BELOW, S), snapshot, State(), {})
    assert (ids(settled), settled.lost) == ({"case.y": 22}, [])
    told, *waiting = settled.findings
    assert (told.code, told.address, told.severity) == ("unsettled-create", "suite.s", Severity.ERROR)
    assert [
        (each.code, each.summary, each.detail, each.address, each.severity is Severity.ERROR) for each in waiting
    ] == [
        (
            "unsettled-create",
            f"An interrupted run may have created {address}, which belongs to {above}.",
            f"Say which {above} is; then it is looked for there.",
            address,
            True,
        )
        for address, above in (("suite.s/t", "suite.s"), ("case.x", "suite.s/t"))
    ]


@pytest.mark.parametrize(
    ("bound", "before", "made"), [(None, 0, False), (11, 11, False), (11, 10, True)], ids=["no", "the old one", "new"]
)
def test_a_place_that_was_bound_since_is_one_and_what_it_was_bound_to_before_is_none(
    bound: int | None, before: int, made: bool
) -> None:
    state = state_of(**({"suite.s/t": bound} if bound else {}))
    settled = settle(whole(INSIDE), found(case(21, "X", 11, severity="minor")), state, {"suite": before, "case": 20})
    assert (ids(settled), settled.lost) == (({"case.x": 21}, []) if made else ({}, ["case.x"]))


def test_a_circle_which_no_plan_has_ends_all_the_same() -> None:
    one, other = item(1, "suite.a", parent="suite.b", title="A"), item(2, "suite.b", parent="suite.a", title="B")
    settled = settle(whole(one, other), found(suite(11, "A"), suite(12, "B")), State(), {})
    assert (ids(settled), sorted(settled.lost)) == ({}, ["suite.a", "suite.b"])


# -- what it was going to change


def update(**sent: Any) -> Item:
    return item(1, "case.a", "update", 41, **sent)


def test_what_qase_holds_of_an_update_is_agreed_on() -> None:
    snapshot = found(case(41, "T", None, severity="minor"))
    settled = settle(whole(update(title="T", severity="major", description="d")), snapshot, State(), {})
    assert (settled.agreed, settled.untouched) == ({"case.a": {"title": "T"}}, ["case.a"])


def test_what_a_list_does_not_show_is_not_agreed_on() -> None:
    partial = LiveObject("case", 41, {"title": "T"}, partial=True)
    assert settle(whole(update(title="T", description="d")), found(partial), State(), {}).agreed == {
        "case.a": {"title": "T"}
    }


def test_a_reference_to_what_was_made_is_agreed_on_by_its_id() -> None:
    snapshot = found(suite(11, "S"), case(41, "T", 11))
    settled = settle(whole(S, update(title="T", suite=later("suite.s"))), snapshot, State(), {})
    assert settled.agreed == {"case.a": {"title": "T", "suite": 11}}
    assert settle(whole(update(title="T", suite=later("suite.s"))), snapshot, State(), {}).agreed == {"case.a": {}}


def test_nothing_is_agreed_on_of_what_is_gone_or_going_or_was_a_call_of_its_own() -> None:
    there = found(case(41, "T"))
    assert settle(whole(update(title="T")), found(), State(), {}).agreed == {"case.a": {}}
    assert settle(whole(item(1, "case.a", "delete", 41, title="T")), there, State(), {}).agreed == {"case.a": {}}
    assert settle(whole(update(title="T"), number=1), there, State(), {}).agreed == {}
    assert settle(whole(item(1, "case.n", title="T")), found(), State(), {}).agreed == {}


def test_what_is_agreed_on_counts_as_sent_and_as_served() -> None:
    state = state_of(**{"case.a": Binding(41, {"title": "x", "tags": []}, {"title": "X!", "tags": ["y"]})})
    assert take_over(state, Settled(agreed={"case.a": {"title": "T"}, "case.gone": {"title": "T"}}))
    assert (state.bindings["case.a"].sent, state.bindings["case.a"].served) == (
        {"title": "T", "tags": []},
        {"tags": ["y"]},
    )
    assert list(state.bindings) == ["case.a"]


def test_nothing_to_agree_on_changes_nothing() -> None:
    state = state_of(**{"case.a": Binding(41, {"title": "x"})})
    assert not take_over(state, Settled(agreed={"case.a": {}}, untouched=["case.a"]))
    assert state.bindings["case.a"] == Binding(41, {"title": "x"})
