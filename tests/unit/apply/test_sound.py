"""Files of ours that were damaged, merged or edited: what makes no sense is refused, with its place and the reason."""

from __future__ import annotations

from typing import Any

import pytest
from apply_world import state_of

from qase_iac.apply.fold import fold
from qase_iac.apply.sound import check_item, check_state, is_id, unsound
from qase_iac.errors import StateError
from qase_iac.kinds import BY_NAME
from qase_iac.state.journal import Contents, Header, Item
from qase_iac.state.model import Binding, State
from qase_iac.state.store import MEND

SHARED = "ab" * 20
HEADER = Header("11111111-aaaa", 4, "", "SHOP", "api")

# -- one object


@pytest.mark.parametrize(
    ("address", "id", "values", "words"),
    [
        ("case.a", 1, {}, None),
        ("case.a", None, {}, None),
        ("shared_step.s", SHARED, {}, None),
        ("nothing.a", 1, {}, "this version of qase-iac knows no such kind of object"),
        ("project.SHOP", "SHOP", {}, "this version of qase-iac knows no such kind of object"),
        ("case.", 1, {}, "this version of qase-iac knows no such kind of object"),
        ("case", 1, {}, "this version of qase-iac knows no such kind of object"),
        ("case.a", "1", {}, "'1' is not the id of a case"),
        ("case.a", 0, {}, "0 is not the id of a case"),
        ("shared_step.s", 7, {}, "7 is not the id of a shared step"),
        ("case.a", 1, {"title": "T", "description": None, "suite": 4, "tags": ["x"]}, None),
        ("case.a", 1, {"parameters": [{"shared": "uuid"}], "attachments": ["h1"]}, None),
        ("case.a", 1, {"title": "T", "severity": []}, "its `severity` is nothing that this version of qase-iac writes"),
        ("case.a", 1, {"suite": {"address": "s"}}, "its `suite` is nothing that this version of qase-iac writes"),
        ("case.a", 1, {"suite": {"known_after_apply": "suite.s"}}, "its `suite` is nothing that this version"),
        ("case.a", 1, {"steps": "x"}, "its `steps` is nothing that this version of qase-iac writes"),
    ],
)
def test_what_is_wrong_with_an_object(address: str, id: Any, values: dict[str, Any], words: str | None) -> None:
    found = unsound(address, id, {}, values)
    assert found is None if words is None else found and found.startswith(words)


def test_what_a_plan_is_going_to_make_may_be_referred_to_by_a_plan_alone() -> None:
    assert unsound("case.a", 1, {"suite": {"known_after_apply": "suite.s"}}, planned=True) is None
    assert unsound("case.a", 1, {"suite": {"known_after_apply": 4}}, planned=True)
    assert unsound("case.a", 1, {"suite": {"known_after_apply": "suite.s", "more": 1}}, planned=True)
    assert unsound("case.a", 1, {"suite": {"address": "suite.s"}}, planned=True)


@pytest.mark.parametrize(
    ("kind", "id", "sound"),
    [
        ("case", 1, True),
        ("case", 0, False),
        ("case", -1, False),
        ("case", True, False),
        ("case", "1", False),
        ("case", None, False),
        ("shared_step", SHARED, True),
        ("shared_step", "a b", False),
        ("shared_step", "ab\n", False),
        ("shared_step", "../x", False),
        ("shared_step", "", False),
        ("shared_step", 1, False),
        ("shared_step", None, False),
    ],
)
def test_an_id_is_a_number_or_a_hash(kind: str, id: Any, sound: bool) -> None:
    assert is_id(BY_NAME[kind], id) is sound


# -- the state


@pytest.mark.parametrize(
    ("bindings", "words"),
    [
        ({"case.a": Binding(0)}, ("case.a", "0 is not the id of a case")),
        ({"case.a": Binding(1, {"steps": "x"})}, ("case.a", "its `steps` is nothing that this version")),
        ({"case.a": Binding(1, served={"steps": "x"})}, ("case.a", "its `steps` is nothing that this version")),
        ({"case.a": Binding(1, unsupported={"steps": "x"})}, ("case.a", "its `steps` is nothing that this version")),
        ({"case.a": 1, "suite.b": 1, "case.c": 1}, ("case.c", "case.a is bound to the same object, 1")),
    ],
)
def test_the_first_entry_of_a_state_that_makes_no_sense_is_named(
    bindings: dict[str, Any], words: tuple[str, str]
) -> None:
    address, why = words
    with pytest.raises(StateError) as refused:
        check_state(state_of(**bindings), "qase.state.json")
    assert refused.value.summary == f"The state cannot be used: its entry of {address} makes no sense."
    assert refused.value.detail.startswith(why) and refused.value.detail.endswith(". It is in qase.state.json.")
    assert refused.value.hint == MEND


def test_a_state_of_ours_is_used() -> None:
    check_state(state_of(**{"case.a": 1, "case.b": 2, "suite.a": 1}), "qase.state.json")


# -- the journal


def item(**changed: Any) -> Item:
    given: dict[str, Any] = dict(op=1, address="case.a", action="update", id=1, title="A", parent=None, digest="d")
    return Item(**given | {"record": {"sent": {"title": "A"}, "depends_on": ["suite.s"], "protect": True}} | changed)


@pytest.mark.parametrize(
    "sound",
    [
        item(),
        item(record={}),
        item(parent=4),
        item(id=None),
        item(address="project.SHOP", id="SHOP"),
        item(parent="suite.s", record={"sent": {"suite": {"known_after_apply": "suite.s"}}}),
    ],
)
def test_an_item_of_ours_is_taken(sound: Item) -> None:
    check_item(sound)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (item(op="1"), "an item of an intent is not one of ours"),
        (item(title=None), "an item of an intent is not one of ours"),
        (item(address=5), "an item of an intent is not one of ours"),
        (item(action=None), "an item of an intent is not one of ours"),
        (item(digest=5), "an item of an intent is not one of ours"),
        (item(record=[]), "an item of an intent is not one of ours"),
        (item(record={"sent": []}), "what it records of case.a is not one of ours"),
        (item(record={"depends_on": "suite.s"}), "what it records of case.a is not one of ours"),
        (item(record={"depends_on": [4]}), "what it records of case.a is not one of ours"),
        (item(record={"protect": "yes"}), "what it records of case.a is not one of ours"),
        (item(parent=[4]), "the parent of case.a is no id"),
        (item(id="x"), "case.a: 'x' is not the id of a case"),
    ],
)
def test_an_item_that_is_none_of_ours_says_why(bad: Item, words: str) -> None:
    with pytest.raises(ValueError) as refused:
        check_item(bad)
    assert str(refused.value) == words


ITEM = {"op": 1, "address": "case.a", "action": "create", "title": "A"}
INTENT = {"intent": 1, "time": "t", "items": [ITEM]}
ENTRY = {"hash": "h", "name": "a.png", "size": 1}


@pytest.mark.parametrize(
    "records",
    [
        [{**INTENT, "items": [{**ITEM, "title": 5}]}],
        [INTENT, {"outcome": 1, "status": "done", "ids": ["x"]}],
        [INTENT, {"outcome": 1, "status": "done", "ids": [1, 2]}],
        [INTENT, {"outcome": 1, "status": "done", "ids": []}],
        [INTENT, {"outcome": 2, "status": "failed"}],
        [{"renamed": [["case.a", 5, 1]], "moved": []}],
        [{"renamed": [], "moved": [5]}],
        [{"uploaded": 5, "entry": ENTRY}],
        [{"uploaded": "sha", "entry": {"hash": 5}}],
    ],
)
def test_a_journal_that_says_what_no_run_says_is_damaged(records: list[dict[str, Any]]) -> None:
    with pytest.raises(StateError, match=f"line {len(records) + 1}"):
        fold(state_of(**{"case.a": 1}), Contents(HEADER, tuple(records)))


def test_a_journal_of_ours_is_taken_over_whatever_came_of_its_calls() -> None:
    project = {**ITEM, "op": 2, "address": "project.SHOP"}
    records = (
        {**INTENT, "items": [ITEM, project]},
        {"outcome": 1, "status": "done", "ids": [7, "SHOP"]},
        {"intent": 2, "time": "t", "items": [{**ITEM, "address": "case.b"}]},
        {"outcome": 2, "status": "failed"},
        {"uploaded": "sha", "entry": ENTRY},
    )
    folded = fold(state_of(), Contents(HEADER, records))
    assert (list(folded.state.bindings), folded.open) == (["case.a"], ())
    assert folded.state.files == {"sha": ENTRY}


# -- an object that was made again


def test_who_refers_to_what_was_made_again_is_known_to_refer_to_the_new_one() -> None:
    state = state_of(
        **{
            "suite.s": 4,
            "case.0": Binding(40, {"title": "o", "suite": 4}),
            "case.a": Binding(41, {"title": "a", "suite": 4, "milestone": 4}, {"suite": 4}, depends_on=["suite.s"]),
            "case.b": Binding(42, {"suite": 5}, depends_on=["milestone.m", "suite.s"]),
        }
    )
    created = {**ITEM, "address": "suite.s"}
    records = ({**INTENT, "items": [created]}, {"outcome": 1, "status": "done", "ids": [9]})
    new: State = fold(state, Contents(HEADER, records)).state
    assert new.bindings["suite.s"].id == 9
    assert (new.bindings["case.a"].sent, new.bindings["case.a"].served) == (
        {"title": "a", "suite": 9, "milestone": 4},
        {"suite": 9},
    )
    assert new.bindings["case.b"].sent == {"suite": 5}
    assert new.bindings["case.0"].sent == {"title": "o", "suite": 4}
