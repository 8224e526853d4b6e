"""Open intents: found and bound, lost, or too many to tell; and the fold that comes before."""

from __future__ import annotations

import pytest
from apply_world import LINEAGE, Bench, edit, fail_on, new, state_of, unreadable

from qase_iac.apply.bind import body_digest
from qase_iac.apply.fold import enact, fold, rename
from qase_iac.apply.settle import Settled, settle, take_over
from qase_iac.errors import NoAnswer, StateError
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import Contents, Header, Intent, Item, read_journal
from qase_iac.state.model import Binding, State

SEEN = {"case": 10, "suite": 10, "shared_step": ["aa", "bb"]}


def item(
    op: int, address: str, title: str = "T", parent: int | None = 3, action: str = "create", **sent: object
) -> Item:
    kind = BY_NAME[address.partition(".")[0]]
    values = {"title": title, **sent} | ({kind.parent: parent} if kind.parent else {})
    record = {"sent": values, "depends_on": ["suite.s"], "protect": True}
    return Item(op, address, action, None, title, parent, body_digest(kind, values), record)


def intents(*items: Item) -> list[Intent]:
    return [Intent(n, "t", (each,)) for n, each in enumerate(items, 1)]


def snapshot(*objects: LiveObject) -> Snapshot:
    found: dict[str, dict[object, LiveObject]] = {}
    for live in objects:
        found.setdefault(live.kind, {})[live.id] = live
    return Snapshot(objects=found)  # type: ignore[arg-type]


def case(id: int, title: str = "T", suite: int | None = 3, **more: object) -> LiveObject:
    return LiveObject("case", id, {"title": title, "suite": suite, "severity": "normal", **more})


def test_the_one_object_that_fits_is_bound_with_all_that_was_sent() -> None:
    found = settle(intents(item(1, "case.a", " T\r\n")), snapshot(case(11), case(12, "U")), State(), SEEN)
    assert found.bindings == {
        "case.a": Binding(11, {"title": " T\r\n", "suite": 3}, protect=True, depends_on=["suite.s"])
    }
    assert (found.lost, found.findings) == ([], [])


@pytest.mark.parametrize(
    "live",
    [case(10), case(11, "other"), case(11, suite=4), case(11, suite=None)],
    ids=["was there before", "other title", "other place", "no place"],
)
def test_what_does_not_fit_is_not_bound(live: LiveObject) -> None:
    found = settle(intents(item(1, "case.a")), snapshot(live), State(), SEEN)
    assert (found.bindings, found.lost) == ({}, ["case.a"])


def test_what_somebody_is_bound_to_is_no_candidate() -> None:
    found = settle(intents(item(1, "case.a")), snapshot(case(11)), state_of(**{"case.b": 11}), SEEN)
    assert found.lost == ["case.a"]


def test_an_address_that_got_its_object_meanwhile_is_settled() -> None:
    found = settle(intents(item(1, "case.a")), snapshot(case(11), case(12)), state_of(**{"case.a": 12}), SEEN)
    assert found == Settled()


def test_the_dead_binding_of_a_vanished_object_does_not_count() -> None:
    found = settle(intents(item(1, "case.a")), snapshot(case(11)), state_of(**{"case.a": 5}), SEEN)
    assert found.bindings["case.a"].id == 11


def test_two_that_fit_are_reported_and_not_chosen_from() -> None:
    found = settle(intents(item(1, "case.a")), snapshot(case(12), case(11)), State(), SEEN)
    assert found.bindings == {}
    assert [finding.address for finding in found.findings] == ["case.a"]
    assert "11, 12" in found.findings[0].summary
    assert found.findings[0].is_error


def test_identical_intents_pair_with_identical_objects_by_ascending_id() -> None:
    items = [item(2, "case.b"), item(1, "case.a"), item(3, "case.c")]
    found = settle(intents(*items), snapshot(case(15), case(12)), State(), SEEN)
    assert {address: binding.id for address, binding in found.bindings.items()} == {"case.a": 12, "case.b": 15}
    assert found.lost == ["case.c"]


def test_the_same_title_with_other_bodies_is_told_apart() -> None:
    items = [item(1, "case.a", severity="major"), item(2, "case.b", severity="minor")]
    objects = snapshot(case(11, severity="minor"), case(12, severity="major"))
    found = settle(intents(*items), objects, State(), SEEN)
    assert {address: binding.id for address, binding in found.bindings.items()} == {"case.a": 12, "case.b": 11}


def test_one_that_differs_is_bound_but_the_difference_is_not_taken_for_ours() -> None:
    found = settle(intents(item(1, "case.a", severity="major")), snapshot(case(11)), State(), SEEN)
    assert found.bindings["case.a"].sent == {"title": "T", "suite": 3}


def test_two_that_differ_are_reported() -> None:
    items = [item(1, "case.a", severity="major"), item(2, "case.b", severity="minor")]
    found = settle(intents(*items), snapshot(case(11), case(12)), State(), SEEN)
    assert found.bindings == {} and len(found.findings) == 2


def test_more_equal_ones_than_intents_are_reported_and_the_others_still_settled() -> None:
    items = [item(1, "case.a"), item(2, "case.b", severity="major")]
    found = settle(intents(*items), snapshot(case(11), case(12), case(13, severity="major")), State(), SEEN)
    assert found.bindings["case.b"].id == 13
    assert [finding.address for finding in found.findings] == ["case.a"]


def test_hashes_are_new_when_the_reading_did_not_have_them() -> None:
    steps = [LiveObject("shared_step", hash, {"title": "T"}) for hash in ("aa", "cc")]
    found = settle(intents(item(1, "shared_step.s", parent=None)), snapshot(*steps), State(), SEEN)
    assert found.bindings["shared_step.s"].id == "cc"


def test_members_that_were_not_read_are_not_held_against_it() -> None:
    live = LiveObject("plan", 11, {"title": "T"}, partial=True)
    found = settle(intents(item(1, "plan.p", parent=None, cases=[4])), snapshot(live), State(), {})
    assert found.bindings["plan.p"].sent == {"title": "T", "cases": [4]}
    assert found.bindings["plan.p"].meta == {}


def test_what_was_sent_empty_and_is_not_served_is_no_difference() -> None:
    found = settle(
        intents(item(1, "case.a", description="", tags=[])), snapshot(case(11), case(12, severity="x")), State(), SEEN
    )
    assert len(found.findings) == 1


def test_what_was_sent_empty_and_is_served_filled_is_one() -> None:
    objects = snapshot(case(11, description="text"), case(12, description=""))
    found = settle(intents(item(1, "case.a", description="")), objects, State(), SEEN)
    assert found.bindings["case.a"].id == 12


def test_updates_and_deletes_only_lose_what_vouched_for_them() -> None:
    state = state_of(**{"plan.p": Binding(4, {"cases": [1]}, {"title": "t"}, meta={"cases_count": 1}), "case.x": 7})
    open_items = [
        item(1, "plan.p", action="update"),
        item(2, "case.x", action="delete"),
        item(3, "case.q", action="move"),
    ]
    found = settle(intents(*open_items), snapshot(case(11)), state, SEEN)
    assert found.bindings == {} and found.lost == []
    assert take_over(state, found) is True
    assert (state.bindings["plan.p"].meta, state.bindings["plan.p"].served) == ({}, {"title": "t"})
    assert take_over(state, found) is False


def test_the_project_itself_is_never_bound() -> None:
    assert settle([Intent(1, "t", (Item(1, "project.SHOP", "create"),))], snapshot(), State(), {}) == Settled()


@pytest.mark.parametrize("happened", [True, False])
def test_a_bulk_create_whose_answer_was_lost(bench: Bench, happened: bool) -> None:
    (bench.remote.after if happened else bench.remote.faults).append(fail_on("c1", NoAnswer("cut", ambiguous=True)))
    bench.remote.put("case", "c0", 1)
    bench.remote.read_faults.append(unreadable)
    bench.run(*[new(f"case.c{n}") for n in range(3)])
    contents = read_journal(bench.journal_path)
    folded = fold(bench.state, contents)
    found = settle(folded.open, bench.remote.look(), folded.state, folded.seen)
    if happened:
        assert {a: b.id for a, b in found.bindings.items()} == {"case.c0": 2, "case.c1": 3, "case.c2": 4}
    else:
        assert (found.bindings, found.lost) == ({}, ["case.c0", "case.c1", "case.c2"])
    assert take_over(folded.state, found) is happened


# -- fold


def header(serial: int = 4, lineage: str = LINEAGE, plan: str = "sha256:p") -> Header:
    return Header(lineage, serial, plan, "SHOP", "api")


def contents(*records: dict[str, object], **more: object) -> Contents:
    return Contents(header(**more), tuple(records))  # type: ignore[arg-type]


CREATE = {
    "intent": 1,
    "time": "t",
    "items": [{"op": 1, "address": "case.a", "action": "create", "record": {"sent": {"title": "A"}}}],
}
DONE = {"outcome": 1, "status": "done", "ids": [7]}


def test_folding_leaves_what_it_was_given_alone_and_does_nothing_twice() -> None:
    state = state_of(**{"case.o": Binding(1, {"title": "o"})})
    first = fold(state, contents(CREATE, DONE))
    assert list(state.bindings) == ["case.o"]
    assert first.changed and first.state.bindings["case.a"] == Binding(7, {"title": "A"})
    assert first.state.applied == ["sha256:p"]
    first.state.bindings["case.a"].served = {"title": "a"}
    again = fold(first.state, contents(CREATE, DONE))
    assert not again.changed
    assert again.state.bindings["case.a"].served == {"title": "a"}


def test_a_journal_may_be_of_the_serial_before() -> None:
    assert fold(state_of(), contents(serial=3)).changed is False


def test_the_journal_of_a_first_run_counts_as_a_state() -> None:
    folded = fold(State(), contents(CREATE, DONE, serial=0))
    assert (folded.state.lineage, folded.state.project, folded.state.api) == (LINEAGE, "SHOP", "api")
    assert folded.state.bindings["case.a"].id == 7


@pytest.mark.parametrize(
    ("state", "more", "words"),
    [
        (state_of(), {"lineage": "other"}, "the state is 11111111-aaaa"),
        (state_of(), {"serial": 5}, "the state has serial 4"),
        (state_of(), {"serial": 2}, "the state has serial 4"),
        (State(), {"serial": 1}, "there is no state"),
    ],
)
def test_a_journal_of_another_state_is_refused(state: State, more: dict[str, object], words: str) -> None:
    with pytest.raises(StateError, match=words):
        fold(state, contents(CREATE, DONE, **more))


@pytest.mark.parametrize(
    "record",
    [
        {"something": 1},
        {"intent": 2, "time": "t", "items": [{"op": 1}]},
        {"intent": 2, "time": "t", "items": 5},
        {"outcome": 9, "status": "done", "ids": []},
        {"outcome": 1, "status": "done", "ids": [1, 2]},
        {"uploaded": "s", "entry": 3},
        {"renamed": [["a"]], "moved": []},
    ],
)
def test_a_record_that_makes_no_sense_is_refused_with_its_line(record: dict[str, object]) -> None:
    with pytest.raises(StateError, match="line 3"):
        fold(state_of(), contents(CREATE, record))


def test_failed_has_no_effect_and_unknown_stays_open() -> None:
    second = {**CREATE, "intent": 2}
    folded = fold(
        state_of(), contents(CREATE, second, {"outcome": 1, "status": "failed"}, {"outcome": 2, "status": "unknown"})
    )
    assert folded.state.bindings == {}
    assert [intent.number for intent in folded.open] == [2]


def test_uploads_and_renames_are_folded() -> None:
    upload = {"uploaded": "sha", "entry": {"hash": "h", "name": "n", "size": 1}}
    swap = {"renamed": [["case.a", "case.b", 1], ["case.b", "case.a", 2]], "moved": ["case.a -> case.b"]}
    folded = fold(state_of(**{"case.a": 1, "case.b": 2}), contents(upload, swap))
    assert folded.state.files == {"sha": {"hash": "h", "name": "n", "size": 1}}
    assert (folded.state.bindings["case.a"].id, folded.state.bindings["case.b"].id) == (2, 1)
    assert folded.state.moved == ["case.a -> case.b"]
    again = fold(folded.state, contents(upload, swap))
    assert not again.changed and again.state.bindings["case.a"].id == 2


def test_an_entry_of_moved_that_the_state_lacks_is_folded_though_the_rename_is_in_it() -> None:
    record = {"renamed": [["case.a", "case.b", 1]], "moved": ["case.a -> case.b"]}
    folded = fold(state_of(**{"case.b": 1}), contents(record, plan=""))
    assert folded.changed and folded.state.moved == ["case.a -> case.b"]


def test_a_rename_whose_object_is_another_one_by_now_is_left() -> None:
    state = state_of(**{"case.a": 9})
    assert rename(state, [("case.a", "case.b", 1), ("case.x", "case.y", 2)]) is False
    assert list(state.bindings) == ["case.a"]


def test_an_update_of_an_object_nobody_is_bound_to_binds_it() -> None:
    state = State("l")
    assert enact(state, Item(1, "case.a", "adopt", 5, record={"sent": {"title": "A"}, "protect": True}), 5)
    assert state.bindings["case.a"] == Binding(5, {"title": "A"}, protect=True)


def test_an_update_keeps_what_it_does_not_touch() -> None:
    held = Binding(
        5, {"title": "A", "tags": [1]}, {"title": "a", "tags": [2]}, meta={"cases_count": 1}, unsupported={"x": 1}
    )
    state = state_of(**{"case.a": held})
    assert enact(state, Item(1, "case.a", "update", 5, record={"sent": {"title": "B"}}), None)
    assert held == Binding(5, {"title": "B", "tags": [1]}, {"tags": [2]}, unsupported={"x": 1})


def test_true_is_not_one() -> None:
    state = state_of(**{"case.a": Binding(5, {"flaky": 1})})
    assert enact(state, Item(1, "case.a", "update", 5, record={"sent": {"flaky": True}}), 5)
    assert state.bindings["case.a"].sent["flaky"] is True


def test_a_delete_takes_only_the_object_it_was_about() -> None:
    state = state_of(**{"case.a": 5})
    assert not enact(state, Item(1, "case.a", "delete", 4), 4)
    assert enact(state, Item(1, "case.a", "delete", 5), 5)
    assert not enact(state, Item(1, "case.a", "delete", 5), 5)


def test_a_create_without_an_id_changes_nothing() -> None:
    assert not enact(State("l"), Item(1, "case.a", "create"), None)


def test_the_executor_and_the_fold_agree(bench: Bench) -> None:
    bench.remote.put("case", "x", 41)
    bench.remote.put("plan", "p", 42, cases=[41])
    before = state_of(**{"case.x": Binding(41, {"title": "x"}, depends_on=["suite.o"]), "plan.p": 42})
    bench.state = State.from_json(before.to_json())
    finish, kept = bench.remote.read_all, []
    bench.remote.read_faults.append(lambda verb, detail: kept.append(bench.journal_path.read_bytes()))
    bench.run(new("suite.a"), edit("case.x", 41, suite="suite.a"), edit("plan.p", 42, cases=["case.x"]))
    assert finish
    bench.journal_path.write_bytes(kept[0])
    folded = fold(before, read_journal(bench.journal_path)).state
    for binding in (*folded.bindings.values(), *bench.state.bindings.values()):
        binding.meta, binding.served = {}, {}
    assert folded.bindings == bench.state.bindings
