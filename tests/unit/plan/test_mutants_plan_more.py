"""What mutants of drift, likeness and identity survived (docs/mutants.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_kit import Kit, change, external, lines, shared

from qase_iac.errors import StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, LiveObject, Snapshot
from qase_iac.plan import likeness as module
from qase_iac.plan import planfile_reader
from qase_iac.plan.deletes import Hanging, unseen_holders
from qase_iac.plan.drifting import Found, Unsettled, appeared, find_drift
from qase_iac.plan.likeness import Face, Pair, alike, clear_ones, likeness
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Origin, Plan, Reason
from qase_iac.plan.noise import without_noise
from qase_iac.plan.planfile import seal, to_json
from qase_iac.plan.planfile_reader import from_json, read
from qase_iac.plan.remarks import edited_since
from qase_iac.state.model import Binding

# -- drift


def drift(kit: Kit) -> Found:
    return find_drift(kit.desired, kit.snapshot, kit.state, {}, Unsettled())


def changed(kit: Kit) -> dict[str, set[str]]:
    return {each.address: set(each.attributes) for each in drift(kit).drift}


def test_a_bound_suite_is_called_by_its_key_and_what_appeared_stands_from_the_roots_on(kit: Kit) -> None:
    kit.both("suite.a", 7, title="Shop").both("case.c", 4)
    kit.live("suite", 8, parent=9).live("suite", 10).live("suite", 9)
    kit.live("case", 100, suite=8).live("case", 45)
    found = drift(kit)
    assert found.suites.key(7) == "a"
    assert [(live.kind, live.id) for live in found.appeared] == [
        ("suite", 9),
        ("suite", 10),
        ("suite", 8),
        ("case", 45),
        ("case", 100),
    ]


@pytest.mark.parametrize(
    ("suite", "shown"), [(7, {"suite": "suite.a"}), (8, {"suite": {"external_id": 8}}), (None, {})]
)
def test_what_appeared_is_shown_by_title_and_place(suite: int | None, shown: dict[str, Any]) -> None:
    live = LiveObject("case", 41, {"title": "Pay", "suite": suite}, {"created_at": "d", "cases": [1]})
    found = appeared(live, "case.pay", {("suite", 7): "suite.a"})
    assert (found.address, found.id, found.kind, found.title) == ("case.pay", 41, "appeared", "Pay")
    assert {name: (each.before, each.after, str(each.origin)) for name, each in found.attributes.items()} == {
        name: (None, value, "theirs") for name, value in ({"title": "Pay"} | shown).items()
    }
    assert found.meta == {"created_at": "d"}


def test_what_appeared_and_lies_in_nothing_has_no_place() -> None:
    live = LiveObject("milestone", 3, {"title": "M"})
    assert list(appeared(live, "milestone.m", {}).attributes) == ["title"]


def test_what_vanished_before_its_title_was_known_has_none(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay").vanish("case.c")
    kit.state.bindings["case.c"].sent.clear()
    assert [(each.kind, each.title) for each in drift(kit).drift] == [("vanished", "")]


def test_drift_says_all_that_qase_tells_of_who_and_when(kit: Kit) -> None:
    meta = {"updated_at": "u", "created_at": "c", "author_id": 3, "updated_by": 4, "cases_count": 5}
    kit.both("case.c", 41, title="Pay").qase("case.c", meta, title="Paid")
    (found,) = drift(kit).drift
    assert found.meta == {"updated_at": "u", "created_at": "c", "author_id": 3, "updated_by": 4}


def test_rows_that_cannot_be_counted_are_not_counted_in_what_was_served_either(kit: Kit) -> None:
    kit.both("shared_step.in", steps=[{"action": "Open"}])
    hash = str(kit.state.bindings["shared_step.in"].id)
    kit.both("case.c", 41, title="Pay", steps=[shared("in"), {"action": "x"}])
    kit.state.bindings["case.c"].served["steps"] = [{"shared": hash}, {"shared": hash}, {"action": "y"}]
    kit.qase("case.c", steps=[{"shared": hash}, {"action": "y"}])
    assert changed(kit) == {"case.c": {"steps"}}
    kit.snapshot.unknown_shared.add(hash)
    assert changed(kit) == {}


@pytest.mark.parametrize(("local", "found"), [({"select": {"tags": ["x"]}}, {"plan.p": {"cases"}}), ({}, {})])
def test_the_cases_of_a_test_plan_are_declared_by_its_rule(
    kit: Kit, local: dict[str, Any], found: dict[str, Any]
) -> None:
    kit.both("case.a", 41).both("plan.p", 5, cases=["a"]).qase("plan.p", cases=[41, 42])
    kit.yaml("plan.p", drop=["cases"], local=local)
    assert changed(kit) == found


def test_what_a_list_does_not_show_is_no_drift(kit: Kit) -> None:
    kit.both("case.a", 41).both("plan.p", 5, cases=["a"]).qase("plan.p", drop=["cases"], title="New")
    assert changed(kit) == {"plan.p": {"title", "cases"}}
    kit.snapshot.objects["plan"][5] = replace(kit.snapshot.objects["plan"][5], partial=True)
    assert changed(kit) == {"plan.p": {"title"}}


# -- one object


def test_an_editors_form_of_what_is_declared_is_no_difference_on_adoption(kit: Kit) -> None:
    kit.declare("case.a", title="A", description="one_two").live("case", 41, title="A", description="one\\_two")
    assert lines(kit.plan()) == ["adopt case.a"]


def test_an_editors_form_of_what_is_wanted_by_now_is_agreed_on(kit: Kit) -> None:
    kit.both("case.a", 41, description="old").yaml("case.a", description="one_two")
    kit.qase("case.a", description="one\\_two")
    plan = kit.plan()
    assert (lines(plan), plan.observed) == ([], {"case.a": {"description": "one_two"}})


def test_what_we_sent_and_goes_for_our_own_is_no_drift(kit: Kit) -> None:
    kit.both("case.a", 41, title="A", steps=[{"action": "Open"}])
    kit.state.bindings["case.a"].sent["gherkin"] = "Given x"
    kit.qase("case.a", drop=["steps"], gherkin="Given x")
    plan = kit.plan()
    assert (lines(plan), plan.drift) == (["update case.a steps=ours"], ())


# -- who is who


def test_what_is_taken_over_by_its_title_is_not_named_as_somebody_elses(kit: Kit) -> None:
    kit.live("suite", 7, title="S").declare("suite.s", title="S").live("suite", 8, title="T").both("suite.u", 9)
    for key, id in (("a", 7), ("b", 8), ("c", 9)):
        kit.declare(f"case.{key}", suite=external(id))
    found = [each for each in kit.plan().findings if each.code == "external-is-managed"]
    assert [(each.address, each.summary, each.detail, each.source.line) for each in found] == [
        (
            "case.a",
            "The suite 7 is taken for suite.s of this folder.",
            "Name it by its key, s.",
            kit.desired.resources[next(a for a in kit.resources if a.key == "a")].source.line,
        )
    ]


def test_a_milestone_is_taken_over_by_its_title_where_there_is_no_scope(kit: Kit) -> None:
    kit.live("milestone", 3, title="M").declare("milestone.m", title="M")
    assert lines(kit.plan()) == ["adopt milestone.m"]


def test_in_a_folder_with_a_scope_a_title_takes_nothing_over_that_lies_in_no_suite() -> None:
    kit = Kit(scope=["a"])
    kit.both("suite.a", 7).both("case.c", 4, suite="a").live("milestone", 3, title="M").live("plan", 5, title="P")
    kit.declare("milestone.m", title="M").declare("plan.p", title="P", cases=["c"])
    plan = kit.plan()
    start = "In a folder with a `scope` it is not taken over by its title."
    assert [change(plan, name).blocked for name in ("milestone.m", "plan.p")] == [
        Blocked(
            "same_title_exists",
            f"Qase has a milestone of this title: 3. {start} `adopt: {{milestone.m: 3}}` makes it this folder's; "
            "without a declaration, `{external_id: 3}` uses it as it is; `policy: {adopt: explicit}` makes a second "
            "one.",
        ),
        Blocked(
            "same_title_exists",
            f"Qase has a plan of this title: 5. {start} `adopt: {{plan.p: 5}}` makes it this folder's; "
            "`policy: {adopt: explicit}` makes a second one.",
        ),
    ]


# -- deletes and what they reach


def gone(address: str, id: Any, **more: Any) -> Change:
    return Change(address, Action.DELETE, id, Reason.UNDECLARED, **more)


def test_a_case_takes_nothing_along() -> None:
    live = LiveObject("plan", 5, {"title": "P", "cases": [41]})
    hanging = Hanging(Snapshot(objects={"plan": {5: live}}), {})
    assert hanging.left(gone("case.a", 41), {}) == []
    assert hanging.left(gone("suite.a", None), {}) == []


@pytest.mark.parametrize(
    ("delete", "partial", "found"),
    [
        (gone("case.a", 41), True, [5]),
        (gone("case.a", 41), False, []),
        (gone("case.a", 41, blocked=Blocked("c", "r")), True, []),
        (gone("suite.a", 7), True, []),
        (Change("case.a", Action.UPDATE, 41, Reason.CONFIG_CHANGED), True, []),
    ],
)
def test_test_plans_whose_cases_were_not_read_may_hold_what_goes(
    delete: Change, partial: bool, found: list[int]
) -> None:
    plans = {5: LiveObject("plan", 5, {"title": "P"}, partial=partial)}
    suites = {7: LiveObject("suite", 7, {"title": "S"}, partial=True)}
    held = unseen_holders([delete], Snapshot(objects={"plan": plans, "suite": suites}))
    assert [live.id for live in held] == found


def test_what_to_do_is_not_said_of_what_is_blocked_for_a_reason_of_its_own(kit: Kit) -> None:
    kit.both("suite.s", 7).both("case.mine", 41, suite="s", protect=True).bind("case.mine", 41, protect=True)
    kit.undeclare("suite.s", "case.mine")
    blocked = change(kit.plan(), "suite.s").blocked
    assert blocked and blocked.reason == "It still holds case.mine, and Qase would delete that with it."
    kit.live("case", 42, title="Theirs", suite=7)
    blocked = change(kit.plan(), "suite.s").blocked
    assert blocked and blocked.reason.endswith(
        "Move that out in Qase, or declare it; `removed: [suite.s]` leaves the suite in Qase."
    )


def test_a_user_that_was_not_read_counts_all_the_same(kit: Kit) -> None:
    kit.both("shared_step.s", meta={"cases": [99]}, steps=[{"action": "x"}])
    kit.yaml("shared_step.s", steps=[{"action": "y"}])
    assert change(kit.plan(), "shared_step.s").impact == {"cases": {"count": 1, "names": [{"external_id": 99}]}}


# -- likeness


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        (Face("x", "abc"), Face("y", "abc"), 100.0),
        (Face("x", "abc", place=1), Face("y", "abc", place=2), 80.0),
        (Face("x", "abc", "say", 1), Face("y", "abc", "say", 2), 90.0),
        (Face("x", "abc", "say", 1), Face("y", "abc", "", 1), 95.0),
        (Face("x", "abc", "say", 1), Face("y", "abc", "", 2), 75.0),
        (Face("x", "abc", "", 1), Face("y", "abc", "say", 2), 75.0),
        (Face("x", "abc", "say"), Face("y", "abc", "xyz"), 66.67),
        (Face("x", "abc"), Face("y", "xyz"), 0.0),
        (Face("x", "v1"), Face("y", "v2"), 35.0),
    ],
)
def test_how_alike_exactly(one: Face, other: Face, found: float) -> None:
    assert likeness(one, other) == likeness(other, one) == found


def test_as_alike_as_it_takes_is_alike() -> None:
    wanted, held = [Face("x", "abc", place=1)], [Face("y", "abc", place=2)]
    assert alike(wanted, held, 80.0) == [Pair("x", "y", 80.0)]
    assert alike(wanted, held, 80.01) == alike([], held, 0.0) == alike(wanted, [], 0.0) == []


def cleared(*pairs: tuple[str, int, float]) -> tuple[list[tuple[str, int]], dict[str, list[int]]]:
    chosen, doubtful = clear_ones([Pair(*pair) for pair in pairs])
    return [(pair.wanted, pair.held) for pair in chosen], {
        name: [pair.held for pair in found] for name, found in doubtful.items()
    }


@pytest.mark.parametrize(
    ("pairs", "chosen", "doubtful"),
    [
        ([("a", 1, 90.0), ("a", 2, 85.0)], [("a", 1)], {}),
        ([("a", 1, 90.0), ("a", 2, 85.1)], [], {"a": [1, 2]}),
        ([("a", 1, 100.0), ("b", 2, 99.0), ("c", 3, 98.0)], [("a", 1), ("b", 2), ("c", 3)], {}),
        ([("a", 1, 100.0), ("a", 2, 80.0), ("b", 1, 80.0)], [("a", 1)], {}),
        ([("a", 1, 100.0), ("b", 2, 90.0), ("b", 1, 89.0)], [("a", 1), ("b", 2)], {}),
        ([("a", 1, 100.0), ("b", 2, 90.0), ("a", 2, 89.0)], [("a", 1), ("b", 2)], {}),
        ([("a", 1, 100.0), ("b", 2, 90.0), ("c", 2, 88.0), ("b", 1, 87.0)], [("a", 1)], {"b": [2], "c": [2]}),
        ([("b", 2, 90.0), ("b", 3, 88.0), ("b", 4, 85.0)], [], {"b": [2, 3]}),
        ([("b", 2, 90.0), ("c", 2, 88.0), ("b", 5, 80.0), ("d", 2, 75.0)], [], {"b": [2], "c": [2]}),
    ],
)
def test_only_what_is_better_than_all_others_of_both_sides_is_chosen(
    pairs: list[tuple[str, int, float]], chosen: list[tuple[str, int]], doubtful: dict[str, list[int]]
) -> None:
    assert cleared(*pairs) == (chosen, doubtful)


# -- what is compared closely


def test_the_pairs_are_given_best_first_then_by_name_and_number() -> None:
    wanted = [Face("c", "abc"), Face("b", "abc"), Face("a", "abd")]
    held = [Face(100, "abc"), Face(9, "abc")]
    assert [(pair.wanted, pair.held) for pair in alike(wanted, held, 50.0)] == [
        ("b", 9),
        ("b", 100),
        ("c", 9),
        ("c", 100),
        ("a", 9),
        ("a", 100),
    ]


def test_one_of_the_same_content_is_looked_at_whatever_its_title() -> None:
    wanted = [Face("a", "qqqq", "open the basket")]
    held = [Face(1, "zzzz", "open the basket"), Face(2, "zzzz", "another"), Face(3, "zzzz", "")]
    assert alike(wanted, held, 0.0) == [Pair("a", 1, 50.0)]
    assert alike([Face("a", "qqqq")], held, 0.0) == []


def test_a_title_that_is_too_unlike_is_not_looked_at_closely() -> None:
    held = [Face(1, "abcdefgh"), Face(2, "abcdzzzzzzzzzz"), Face(3, "xxxxxxxx")]
    assert [pair.held for pair in alike([Face("a", "abcdefgh")], held, 0.0)] == [1]


def test_the_nearest_few_are_looked_at_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [Face(at, "abc" + "d" * at) for at in range(1, 6)]
    monkeypatch.setattr(module, "NEAREST", 3)
    assert [pair.held for pair in alike([Face("a", "abc")], held, 0.0)] == [1, 2, 3]


def test_of_many_those_that_share_the_rarest_words_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", 0)
    held = [*(Face(at, "check the page") for at in range(1, 5)), Face(5, "check the basket"), Face(6, "no such")]

    def near(title: str) -> list[int]:
        return sorted(pair.held for pair in alike([Face("a", title)], held, 0.0))

    assert near("check the basket") == [1, 2, 3, 4, 5]
    for pool, found in ((1, [5]), (5, [5]), (6, [1, 2, 3, 4, 5])):
        monkeypatch.setattr(module, "POOL", pool)
        assert near("check basket") == found
    assert near("nothing alike") == []


# -- what an editor leaves behind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("a &lt; b", "a < b"),
        ("a\rb\r\nc\nd", "a\nb\nc\nd"),
        ("one\\_two", "one_two"),
        ("`one\\_two`", "`one\\_two`"),
        ("plain", "plain"),
    ],
)
def test_noise_is_taken_out_of_a_text(text: str, found: str) -> None:
    assert without_noise(text) == found


def test_what_is_not_compared_does_not_hide_what_was_edited() -> None:
    live = LiveObject("case", 41, {"title": "other", "severity": "major", "priority": "low"})
    binding = Binding(41, {"title": "x", "priority": "low", "severity": "minor"}, ignore=["title"])
    assert edited_since(BY_NAME["case"], live, binding, Snapshot(catalogue=Catalogue())) == ["severity"]


# -- the saved plan


def saved() -> dict[str, Any]:
    title = {"title": AttributeChange("x", "y", Origin.OURS)}
    made = Change("case.a", Action.UPDATE, 41, Reason.CONFIG_CHANGED, attributes=title)
    return to_json(seal(Plan("SHOP", "https://api.qase.io/v1", "t", "sha256:1", "line", 4, (made,))))


@pytest.mark.parametrize(
    ("name", "side", "value", "words"),
    [
        ("title", "after", float("inf"), "plan.changes[0].attributes.title.after is not a finite number"),
        ("title", "before", [float("nan")], "plan.changes[0].attributes.title.before is not a finite number"),
        ("title", "after", {"a": (1, 2)}, "plan.changes[0].attributes.title.after.a is not a JSON value"),
        ("nothing", "after", "x", "case.a has an unknown attribute 'nothing'"),
        ("steps", "after", "x", "case.a gives 'steps' a value that is none"),
        ("steps", "before", "x", "case.a gives 'steps' a value that is none"),
    ],
)
def test_a_value_that_no_plan_holds_is_named_with_its_place(name: str, side: str, value: Any, words: str) -> None:
    data = saved()
    given = {"before": None, "after": None, "origin": "ours"} | {side: value}
    data["changes"][0]["attributes"] = {name: given}
    with pytest.raises(StalePlan) as refused:
        from_json(data)
    assert refused.value.detail == f"What is wrong: {words}."


def test_a_file_that_is_too_large_by_one_byte_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p").write_text("[1]")
    for piece in (1, 2, 100):
        monkeypatch.setattr(planfile_reader, "PIECE", piece)
        monkeypatch.setattr(planfile_reader, "MAX_BYTES", 2)
        with pytest.raises(StalePlan, match="holds more than"):
            read(tmp_path / "p")
        monkeypatch.setattr(planfile_reader, "MAX_BYTES", 3)
        with pytest.raises(StalePlan, match="This is not a plan file"):
            read(tmp_path / "p")
