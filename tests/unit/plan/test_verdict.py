"""The three-way verdict: who changed an attribute, and what a policy makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from plan_kit import Kit, change, external, lines, shared

from qase_iac.kinds import BY_NAME
from qase_iac.model import Policy
from qase_iac.plan.diff import Stance, compare
from qase_iac.plan.model import Origin
from qase_iac.state.model import Binding


def case(kit: Kit, **attributes: Any) -> Kit:
    return kit.both("case.pay", 41, **({"severity": "normal"} | attributes))


@pytest.mark.parametrize(
    ("yaml", "qase", "expected"),
    [
        ("normal", "normal", []),
        ("major", "normal", ["update case.pay severity=ours"]),
        ("normal", "minor", ["update case.pay severity=theirs"]),
        ("major", "major", []),
        ("major", "minor", ["! update case.pay (conflict)"]),
    ],
)
def test_who_changed_it(kit: Kit, yaml: str, qase: str, expected: list[str]) -> None:
    plan = case(kit).yaml("case.pay", severity=yaml).qase("case.pay", severity=qase).plan()
    assert lines(plan) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({}, ["update case.pay severity=theirs"]),
        ({"on_drift": "revert"}, ["update case.pay severity=theirs"]),
        ({"on_drift": "keep"}, []),
        ({"on_drift": "fail"}, ["! update case.pay (drift)"]),
    ],
)
@pytest.mark.parametrize("by_policy", [True, False])
def test_on_drift(kit: Kit, option: dict[str, str], expected: list[str], by_policy: bool) -> None:
    case(kit).qase("case.pay", severity="minor")
    if by_policy:
        kit.yaml("case.pay", policy=Policy(**option))
        option = {}
    plan = kit.plan(**option)
    assert lines(plan) == expected
    (drift,) = plan.drift
    assert (drift.kind, drift.id, drift.attributes["severity"].before, drift.attributes["severity"].after) == (
        "changed", 41, "normal", "minor",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ({}, ["! update case.pay (conflict)"]),
        ({"on_conflict": "fail"}, ["! update case.pay (conflict)"]),
        ({"on_conflict": "ours"}, ["update case.pay severity=conflict"]),
        ({"on_conflict": "theirs"}, []),
    ],
)
@pytest.mark.parametrize("by_policy", [True, False])
def test_on_conflict(kit: Kit, option: dict[str, str], expected: list[str], by_policy: bool) -> None:
    case(kit).yaml("case.pay", severity="major").qase("case.pay", severity="minor")
    if by_policy:
        kit.yaml("case.pay", policy=Policy(**option))
        option = {}
    assert lines(kit.plan(**option)) == expected


def test_the_option_wins_over_the_policy_of_the_folder(kit: Kit) -> None:
    case(kit).yaml("case.pay", policy=Policy(on_drift="fail", on_conflict="ours")).qase("case.pay", severity="minor")
    assert lines(kit.plan(on_drift="keep")) == []
    kit.yaml("case.pay", severity="major")
    assert lines(kit.plan(on_conflict="fail")) == ["! update case.pay (conflict)"]


def test_one_refused_attribute_stops_the_whole_object_and_all_are_shown(kit: Kit) -> None:
    case(kit, priority="low").yaml("case.pay", severity="major", priority="high").qase("case.pay", severity="minor")
    plan = kit.plan()
    found = change(plan, "case.pay")
    assert (
        found.blocked
        and found.blocked.code == "conflict"
        and "severity changed here and in Qase" in found.blocked.reason
    )
    assert {name: each.origin for name, each in found.attributes.items()} == {
        "severity": "conflict",
        "priority": "ours",
    }
    assert plan.requests == 0 and plan.summary.blocked == 1 and plan.summary.update == 0


def test_all_that_is_in_conflict_is_named(kit: Kit) -> None:
    case(kit, layer="api").yaml("case.pay", severity="major", layer="e2e").qase(
        "case.pay", severity="minor", layer="unit"
    )
    blocked = change(kit.plan(), "case.pay").blocked
    assert blocked and blocked.reason.startswith("layer, severity changed here and in Qase")


def test_a_drift_that_the_policy_refuses_says_so(kit: Kit) -> None:
    found = change(case(kit).qase("case.pay", severity="minor").plan(on_drift="fail"), "case.pay")
    assert found.blocked and found.blocked.reason.startswith(
        "severity changed in Qase since the last apply, and `on_drift` is fail. `pull`"
    )


def test_both_changed_alike_is_recorded_and_not_written(kit: Kit) -> None:
    plan = case(kit).yaml("case.pay", severity="major").qase("case.pay", severity="major").plan()
    assert plan.changes == () and plan.observed == {"case.pay": {"severity": "major"}}
    assert plan.drift[0].attributes["severity"].origin is Origin.BOTH
    plan = kit.yaml("case.pay", title="Other").plan()
    assert lines(plan) == ["update case.pay title=ours severity=both"]
    assert set(plan.changes[0].sent) == {"title"}


def test_reason_and_note(kit: Kit) -> None:
    case(kit, priority="low").qase("case.pay", {"updated_at": "2026-11-20T10:00:00Z"}, severity="minor")
    found = change(kit.plan(), "case.pay")
    assert found.reason == "drift" and found.notes == ("reverts an edit made in Qase on 2026-11-20",)
    kit.qase("case.pay", {"author_id": 7, "position": 3})
    assert kit.plan().drift[0].meta == {"updated_at": "2026-11-20T10:00:00Z", "author_id": 7}
    found = change(kit.yaml("case.pay", priority="high").plan(), "case.pay")
    assert found.reason == "config_changed"
    kit.qase("case.pay", {"updated_at": None})
    assert change(kit.plan(), "case.pay").notes == ("reverts an edit made in Qase",)


def test_what_is_not_managed_is_left_alone(kit: Kit) -> None:
    assert case(kit).qase("case.pay", priority="high", **{"custom_fields.Owner": "ann"}).plan().changes == ()


def test_newly_managed_is_ours(kit: Kit) -> None:
    case(kit).qase("case.pay", priority="high")
    assert lines(kit.yaml("case.pay", priority="low").plan()) == ["update case.pay priority=ours"]
    plan = kit.yaml("case.pay", priority="high").plan()
    assert plan.changes == () and plan.observed == {"case.pay": {"priority": "high"}}


def test_ignored_attributes_are_sent_on_create_and_never_compared(kit: Kit) -> None:
    ignore = frozenset({"severity", "custom_fields.Owner"})
    case(kit, ignore=ignore, **{"custom_fields.Owner": "ann"})
    kit.yaml("case.pay", severity="major").qase("case.pay", severity="minor", **{"custom_fields.Owner": "bob"})
    plan = kit.plan()
    assert plan.changes == () and plan.drift == () and plan.observed == {}
    kit.declare("case.new", severity="major", ignore=ignore)
    assert set(change(kit.plan(), "case.new").attributes) == {"title", "suite", "severity"}


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("description", "a\r\nb", " a\nb\n"),
        ("description", "", None),
        ("tags", ["b", "a"], ["a", "b"]),
        ("parameters", [{"a": ["1"]}, {"b": ["2"]}], [{"b": ["2"]}, {"a": ["1"]}]),
        ("parameters", [], None),
        ("steps", [{"action": "x ", "data": ""}], [{"action": "x"}]),
        ("custom_fields.X", ["b", "a"], ["a", "b"]),
        ("flaky", False, None),
    ],
)
def test_equal_values_in_other_words_are_no_change(kit: Kit, name: str, one: Any, other: Any) -> None:
    kit.both("case.pay", 41, **{name: one}).qase("case.pay", **{name: other})
    assert kit.plan().changes == () and kit.plan().drift == ()


def test_the_form_that_qase_gave_a_value_is_no_drift(kit: Kit) -> None:
    case(kit, description="*a*").qase("case.pay", description="_a_")
    kit.state.bindings["case.pay"].served["description"] = "_a_"
    assert kit.plan().changes == ()
    kit.qase("case.pay", description="*a*")  # as it was sent: no edit of anybody's either
    assert kit.plan().changes == ()
    kit.qase("case.pay", description="_b_")
    assert lines(kit.plan()) == ["update case.pay description=theirs"]
    kit.yaml("case.pay", description="*c*").qase("case.pay", description="_a_")
    assert lines(kit.plan()) == ["update case.pay description=ours"]


def test_taking_over_the_form_that_qase_serves_is_recorded(kit: Kit) -> None:
    case(kit, description="*a*").qase("case.pay", description="_a_")
    kit.state.bindings["case.pay"].served["description"] = "_a_"
    plan = kit.yaml("case.pay", description="_a_").plan()
    assert plan.changes == () and plan.drift == () and plan.observed == {"case.pay": {"description": "_a_"}}


def test_clearing(kit: Kit) -> None:
    case(kit, description="text", tags=["a"]).yaml("case.pay", description=None, tags=[])
    found = change(kit.plan(), "case.pay")
    assert [(n, a.before, a.after) for n, a in found.attributes.items()] == [
        ("description", "text", None),
        ("tags", ["a"], []),
    ]


def test_what_the_server_does_not_take_is_shown_and_not_sent(kit: Kit) -> None:
    kit.both("suite.a", 7).both("case.pay", 41, suite="a", severity="normal").yaml("case.pay", suite=None)
    kit.state.bindings["case.pay"].unsupported["suite"] = None
    plan = kit.plan()
    assert lines(plan) == ["! move case.pay (not_supported_by_server)"] and plan.requests == 0
    assert [f.code for f in plan.findings] == ["not_supported_by_server"]
    assert plan.changes[0].attributes["suite"].after is None
    plan = kit.yaml("case.pay", severity="major").plan()
    assert lines(plan) == ["update case.pay severity=ours"] and plan.findings
    kit.both("suite.b", 8).yaml("case.pay", suite="b")  # another value is tried
    assert lines(kit.plan()) == ["move case.pay suite=ours severity=ours"]


def test_steps_give_way_to_gherkin_and_back(kit: Kit) -> None:
    steps = [{"action": "x", "attachments": [{"hash": "h1"}]}]
    kit.held("h1", "x.png").both("case.pay", 41, steps=steps).yaml("case.pay", drop=["steps"], gherkin="Given x")
    found = change(kit.plan(), "case.pay")
    assert lines(kit.plan()) == ["update case.pay gherkin=ours"]
    assert found.notes == ("replaces its steps", "drops 1 attachment")
    # Somebody edited the steps meanwhile: they would be lost.
    kit.qase("case.pay", steps=[{"action": "edited"}])
    assert lines(kit.plan()) == ["! update case.pay (conflict)"]
    assert lines(kit.plan(on_conflict="ours")) == ["update case.pay gherkin=conflict"]
    assert lines(kit.plan(on_conflict="theirs")) == []
    # Applied, and back: the state still remembers the steps that were there first.
    kit.qase("case.pay", drop=["steps"], gherkin="Given x")
    kit.state.bindings["case.pay"].sent["gherkin"] = "Given x"
    assert lines(kit.yaml("case.pay", drop=["gherkin"], steps=[{"action": "y"}]).plan()) == [
        "update case.pay steps=ours"
    ]


def test_a_conversion_made_in_qase_is_drift(kit: Kit) -> None:
    kit.both("case.pay", 41, steps=[{"action": "x"}]).qase("case.pay", drop=["steps"], gherkin="Given x")
    assert lines(kit.plan()) == ["update case.pay steps=theirs"]


def test_steps_and_gherkin_both_declared_displace_nothing() -> None:
    wanted = {"steps": [{"action": "a"}], "gherkin": ""}
    verdict = compare(
        BY_NAME["case"], wanted, {"gherkin": "G"}, Binding(1, {"gherkin": "G"}), frozenset(), Stance("revert", "fail")
    )
    assert verdict.write == {"steps": "ours", "gherkin": "ours"}


def test_unlisted_shared_steps_side_by_side_are_never_counted(kit: Kit) -> None:
    hash = "f" * 40
    use = {"shared": external(hash)}
    kit.snapshot.unknown_shared.add(hash)
    kit.declare("case.pay", steps=[use, use, {"action": "x"}, {"action": "x"}]).live(
        "case", 41, title="case.pay", steps=[{"shared": hash}, {"action": "x"}, {"action": "x"}]
    ).bind("case.pay", 41)
    kit.state.bindings["case.pay"].served["steps"] = [{"shared": hash}, {"action": "x"}, {"action": "x"}]
    plan = kit.plan()
    assert plan.changes == () and [f.code for f in plan.findings] == ["unlisted-shared-step"]
    kit.qase("case.pay", steps=[{"shared": hash}, {"action": "x"}])
    assert lines(kit.plan()) == ["update case.pay steps=theirs"]
    kit.yaml("case.pay", steps=[use, {"action": "x"}])
    assert [f.code for f in kit.plan().findings] == []


def test_known_shared_steps_are_counted(kit: Kit) -> None:
    kit.both("shared_step.in", steps=[{"action": "a"}]).both("case.pay", 41, steps=[shared("in")])
    assert lines(kit.yaml("case.pay", steps=[shared("in"), shared("in")]).plan()) == ["update case.pay steps=ours"]


def test_values_are_shown_as_in_yaml(kit: Kit) -> None:
    kit.both("suite.a", 7).both("milestone.m", 3).both("shared_step.in", steps=[{"action": "a"}])
    kit.live("suite", 9, title="Old").live("milestone", 4)
    kit.both("case.pay", 41, suite="a", milestone="m", steps=[shared("in")])
    kit.qase("case.pay", suite=9, milestone=4, steps=[{"shared": "e" * 40}])
    found = change(kit.plan(), "case.pay").attributes
    assert (found["suite"].before, found["suite"].after) == ({"external_id": 9}, "suite.a")
    assert (found["milestone"].before, found["milestone"].after) == ({"external_id": 4}, "milestone.m")
    assert found["steps"].before == [{"shared": {"external_id": "e" * 40}}]
    assert found["steps"].after == [{"shared": "shared_step.in"}]
    kit.yaml("case.pay", suite=external(9), milestone=external(4))
    assert list(change(kit.plan(), "case.pay").sent) == ["steps"]


def test_shared_parameters_are_shown_by_title(kit: Kit) -> None:
    object.__setattr__(kit.snapshot.catalogue, "shared_parameters", {"Browsers": "u-1"})
    kit.both("case.pay", 41, parameters=[{"shared": {"external_id": "u-1", "title": "Browsers"}}])
    assert kit.plan().changes == ()
    kit.qase("case.pay", parameters=[{"shared": "u-2"}, {"a": ["1"]}])
    found = change(kit.plan(), "case.pay").attributes["parameters"]
    assert found.before == [{"shared": "u-2"}, {"a": ["1"]}] and found.after == [{"shared": "Browsers"}]
    kit.qase("case.pay", parameters=[{"shared": "u-1"}, {"a": ["1"]}])
    assert change(kit.plan(), "case.pay").attributes["parameters"].before[0] == {"shared": "Browsers"}
    kit.yaml("case.pay", parameters=[{"shared": {"external_id": "u-9"}}])
    assert change(kit.plan(), "case.pay").attributes["parameters"].after == [{"shared": "u-9"}]


def test_a_move_is_a_change_of_place_alone(kit: Kit) -> None:
    kit.both("suite.a", 7).both("suite.b", 8).both("suite.b/c", 9, parent="b").both(
        "case.pay", 41, suite="a", severity="normal"
    )
    assert lines(kit.yaml("case.pay", suite="b").plan()) == ["move case.pay suite=ours"]
    assert lines(kit.qase("case.pay", suite=8).yaml("case.pay", severity="major").plan()) == [
        "update case.pay suite=both severity=ours"
    ]
    kit.yaml("case.pay", severity="normal").qase("suite.b/c", parent=7)
    assert lines(kit.plan()) == ["move suite.b/c parent=theirs"]
