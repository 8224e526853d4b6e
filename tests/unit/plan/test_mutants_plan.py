"""What mutants of the planner survived (docs/mutants.md): each test is the death of at least one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_kit import Kit, change, codes, external, file, line, lines

from qase_iac.errors import QaseIacError, StalePlan
from qase_iac.plan import planfile_reader
from qase_iac.plan.model import LEFT, Action, AttributeChange, Blocked, Change, Origin, Plan, Reason
from qase_iac.plan.planfile import dumps, seal, to_json, write
from qase_iac.plan.planfile_reader import MAX_DEPTH, from_json, read
from qase_iac.plan.resolve import resolve
from qase_iac.plan.steps import carry_attachments, pair
from qase_iac.values import Address

# -- one object


def test_a_change_has_the_title_of_the_files(kit: Kit) -> None:
    kit.both("case.a", title="Pay").yaml("case.a", description="d")
    assert change(kit.plan(), "case.a").title == "Pay"


def test_what_is_ours_alone_is_no_drift(kit: Kit) -> None:
    kit.both("case.a", title="Pay", description="d").yaml("case.a", description="other")
    assert kit.plan().drift == ()


def test_drift_and_what_both_changed_alike_is_drift(kit: Kit) -> None:
    kit.both("case.a", title="Pay", description="d", severity="minor")
    kit.qase("case.a", description="theirs", severity="major").yaml("case.a", severity="major")
    found = change(kit.plan(on_drift="revert"), "case.a")
    assert line(found) == "update case.a description=theirs severity=both"
    assert found.reason is Reason.DRIFT


def test_what_an_adoption_writes_is_not_left(kit: Kit) -> None:
    kit.declare("case.a", title="Pay", description="ours").live("case", 41, title="Pay", description="theirs")
    kit.adopt("case.a", 41)
    plan = kit.plan()
    assert lines(plan) == ["adopt case.a description=ours"]
    assert LEFT not in plan.observed.get("case.a", {}).values()


def test_files_of_other_kinds_than_attachments_are_not_guessed(kit: Kit) -> None:
    """A suite's id that is like a hash in Qase is no file; a file that the state knows is not taken for another."""
    kit.uploaded("img/a.png", "h1").held("h2", "a.png")
    kit.declare("case.a", title="A", attachments=[file("new/a.png")]).live("case", 41, title="A", attachments=["h1"])
    assert lines(kit.plan()) == ["! adopt case.a (conflict)"]


def test_a_file_that_nobody_knows_is_shown_by_its_hash(kit: Kit) -> None:
    kit.both("case.a", attachments=[]).qase("case.a", attachments=["h1"])
    found = change(kit.plan(on_drift="revert"), "case.a").attributes["attachments"]
    assert found.before == [{"hash": "h1", "file": "h1"}]


# -- who is who


def test_what_adopt_takes_is_not_matched_by_title(kit: Kit) -> None:
    kit.live("case", 41, title="T").declare("case.a", title="Other").adopt("case.a", 41)
    kit.declare("case.b", title="T")
    assert lines(kit.plan()) == ["create case.b", "adopt case.a title=ours"]


def test_each_of_the_same_title_is_said_and_by_its_title(kit: Kit) -> None:
    explicit = replace(Kit().declare("case.x").desired.resources.popitem()[1].policy, adopt="explicit")
    kit.both("case.bound", 40, title="T")
    for key in ("a", "b"):
        kit.declare(f"case.{key}", title="T", policy=explicit)
    for id in (100, 9):
        kit.live("case", id, title="T")
    found = [each for each in kit.plan().findings if each.code == "same-title-exists"]
    assert [each.address for each in found] == ["case.a", "case.b"]
    assert found[0].summary == "Qase has 'T' at this place already: 9, 100."


@pytest.mark.parametrize(("count", "tail"), [(20, ", 120."), (21, ", 120 and 1 more.")])
def test_so_many_ids_are_named(kit: Kit, count: int, tail: str) -> None:
    for id in range(101, 101 + count):
        kit.live("case", id, title="T")
    kit.declare("case.a", title="T")
    (found,) = kit.plan().findings
    assert found.summary.endswith(tail)


# -- deletes


def test_who_hangs_on_it_is_named_by_kind_and_number(kit: Kit) -> None:
    kit.both("suite.s", 7).undeclare("suite.s")
    kit.live("case", 10, suite=7).live("case", 9, suite=7).live("suite", 100, parent=7)
    blocked = change(kit.plan(), "suite.s").blocked
    assert blocked
    order = [blocked.reason.index(name) for name in ("suite 100 ", "case 9 ", "case 10 ")]
    assert order == sorted(order)


def test_destroying_adopts_nothing(kit: Kit) -> None:
    kit.both("case.a", 41).live("case", 42).adopt("case.b", 42)
    assert lines(kit.plan(destroy=True)) == ["delete case.a"]
    kit.adopt("case.c", 999)
    assert lines(kit.plan(destroy=True)) == ["delete case.a"]


# -- renames


def test_what_is_said_of_one_rename_is_said_of_one(kit: Kit) -> None:
    kit.both("case.old", 41, title="Pay").rekey("case.old", "case.new")
    blocked = change(kit.plan(), "case.new").blocked
    assert blocked and blocked.reason.endswith("pass --allow-recreate case.new.")


def test_what_is_said_of_many_is_said_with_the_first(kit: Kit) -> None:
    for key in ("a", "b"):
        kit.both(f"case.{key}", title=f"T{key}").rekey(f"case.{key}", f"case.new-{key}")
    plan = kit.plan()
    first, second = (change(plan, f"case.{key}").blocked for key in ("a", "b"))
    assert first and first.reason.endswith("  - {from: case.a, to: case.new-a}\n  - {from: case.b, to: case.new-b}")
    assert second and second.reason.endswith("pass --allow-recreate case.new-b.")


# -- the saved plan


def whole(**more: Any) -> Plan:
    changes = (
        Change(
            "case.a",
            Action.UPDATE,
            41,
            Reason.CONFIG_CHANGED,
            attributes={"title": AttributeChange("x", "y", Origin.OURS)},
            blocked=Blocked("c", "r", ("case.b",)),
        ),
    )
    given: dict[str, Any] = dict(serial=4, changes=changes) | more
    return seal(Plan("SHOP", "https://api.qase.io/v1", "t", "sha256:1", "line", **given))


def refusal(data: Any) -> str:
    with pytest.raises(StalePlan) as refused:
        from_json(data)
    return refused.value.detail


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"serial": 4', '"serial": 4, "serial": 4', "a key stands twice"),
        ('"after": "y"', '"after": NaN', "NaN is no JSON"),
        ('"after": "y"', '"after": -Infinity', "-Infinity is no JSON"),
        ('"after": "y"', '"after": 1e999', "1e999 is too large"),
    ],
)
def test_what_json_says_twice_or_cannot_say_is_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = dumps(to_json(whole()))
    assert old in text
    (tmp_path / "p").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(StalePlan) as refused:
        read(tmp_path / "p")
    assert words in refused.value.detail


def test_a_file_as_large_as_may_be_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = write(whole(), tmp_path / "p")
    size = (tmp_path / "p").stat().st_size
    monkeypatch.setattr(planfile_reader, "MAX_BYTES", size)
    assert read(tmp_path / "p") == sealed
    monkeypatch.setattr(planfile_reader, "MAX_BYTES", size - 1)
    with pytest.raises(StalePlan, match="more than"):
        read(tmp_path / "p")


@pytest.mark.parametrize("path", ["/etc/passwd", "a/../../b", "a\0b", ""])
def test_a_path_that_leads_elsewhere_is_refused_for_being_one(path: str) -> None:
    data = to_json(whole())
    data["changes"][0]["files"] = {path: "ab"}
    data["changes"][0]["uploads"] = [path]
    assert "a path inside the project folder" in refusal(data)


def test_a_path_inside_is_taken() -> None:
    data = to_json(whole())
    data["changes"][0] |= {"files": {"img/..a.png": "ab"}, "uploads": ["img/..a.png"]}
    assert from_json(data).changes[0].uploads == ("img/..a.png",)


def nested(depth: int, dicts: bool) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = {"a": value} if dicts else [value]
    return value


def saying_of_a_drift(value: Any) -> dict[str, Any]:
    """A plan with a value in a place where any JSON may stand."""
    data = to_json(whole())
    data["drift"] = [{"address": "case.x", "id": 1, "kind": "changed", "attributes": {}, "meta": {"x": value}}]
    return data


@pytest.mark.parametrize("dicts", [True, False])
def test_values_may_nest_so_deep_and_no_deeper(dicts: bool) -> None:
    data = saying_of_a_drift(nested(MAX_DEPTH, dicts))
    assert from_json(data).drift[0].meta["x"] == nested(MAX_DEPTH, dicts)
    data = saying_of_a_drift(nested(MAX_DEPTH + 1, dicts))
    assert "reasonable depth" in refusal(data)


@pytest.mark.parametrize("number", [10**300, -(10**300)])
def test_numbers_may_be_so_large_and_no_larger(number: int) -> None:
    inside = number + (1 if number < 0 else -1)
    assert from_json(saying_of_a_drift(inside)).drift[0].meta["x"] == inside
    data = saying_of_a_drift(number)
    assert "a number that JSON carries" in refusal(data)


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("changes",), {}, "plan.changes is not a list"),
        (("changes",), "ab", "plan.changes is not a list"),
        (("changes",), [5], "plan.changes[0] is not an object"),
        (("changes", 0, "blocked"), [], "plan.changes[0].blocked is not an object"),
        (("changes", 0, "blocked", "more"), 1, "plan.changes[0].blocked has an unknown key 'more'"),
        (("changes", 0, "attributes"), [], "plan.changes[0].attributes is not an object"),
        (("changes", 0, "id"), 1.5, "plan.changes[0].id is not a text"),
        (("serial",), "4", "plan.serial is not a whole number"),
        (("deletes",), 1, "plan.deletes is not true or false"),
        (("changes", 0, "reason"), "why", "plan.changes[0].reason is not one of new,"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(place: tuple[str | int, ...], value: Any, words: str) -> None:
    data = to_json(whole())
    target: Any = data
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert words in refusal(data)
    assert "plan is not an object" in refusal([])


def test_what_may_be_absent_may_be() -> None:
    data = to_json(whole())
    del data["changes"][0]["blocked"]
    assert from_json(data).changes[0].blocked is None
    assert from_json(json.loads(dumps(to_json(whole())))).changes[0].blocked == Blocked("c", "r", ("case.b",))


def test_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(QaseIacError) as failed:
        write(whole(), tmp_path)
    assert failed.value.hint == "Name a file to save the plan in."


def test_what_an_earlier_write_left_half_done_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: 7)
    (tmp_path / ".p.7.tmp").write_text("half")
    sealed = write(whole(), tmp_path / "p")
    assert read(tmp_path / "p") == sealed
    assert [path.name for path in tmp_path.iterdir()] == ["p"]


# -- words and selections


def test_every_resource_with_a_problem_is_reported_and_the_rest_resolved(kit: Kit) -> None:
    kit.declare("case.a", suite=external(999)).declare("case.b", suite={"external": "No such"}).declare("case.c")
    found = resolve(kit.desired, kit.snapshot, frozenset())[1]
    assert [(each.code, each.address) for each in found] == [
        ("unknown-external", "case.a"),
        ("unknown-external", "case.b"),
    ]


def test_codes_of_a_plan_without_findings(kit: Kit) -> None:
    assert codes(kit.both("case.a").plan()) == []


# -- suites, selections, steps


def test_a_selection_takes_what_is_needed_by_what_it_needs(kit: Kit) -> None:
    kit.declare("suite.a").declare("suite.a/b").declare("suite.a/b/c").declare("case.x", suite="a/b/c")
    kit.declare("case.y")
    assert lines(kit.plan(select="case.x")) == [
        "create suite.a",
        "create suite.a/b",
        "create suite.a/b/c",
        "create case.x",
    ]


def test_a_star_takes_a_whole_kind_whatever_its_keys(kit: Kit) -> None:
    kit.declare("suite.a").declare("suite.a/b").declare("case.x").declare("case.y")
    assert lines(kit.plan(select="suite.*")) == ["create suite.a", "create suite.a/b"]
    assert lines(kit.plan(exclude="suite.*")) == ["create case.x", "create case.y"]


def test_a_suite_that_is_not_bound_is_shown_by_the_key_of_the_declared_one(kit: Kit) -> None:
    """Two of one title, at the root and below: the place decides which is which."""
    kit.both("suite.shop", 7, title="Shop").live("suite", 8, title="Pay", parent=7).live("suite", 9, title="Pay")
    kit.declare("suite.shop/pay-below", title="Pay").declare("suite.pay-above", title="Pay")
    for key in ("suite.shop/pay-below", "suite.pay-above"):
        explicit = replace(kit.resources[Address.parse(key)].policy, adopt="explicit")
        kit.resources[Address.parse(key)] = replace(kit.resources[Address.parse(key)], policy=explicit)
    kit.both("case.a", 41, suite=external(8)).both("case.b", 42, suite=external(9))
    kit.undeclare("case.a", "case.b")
    plan = kit.plan()
    assert change(plan, "case.a").suite == "shop/pay-below"
    assert change(plan, "case.b").suite == "pay-above"


def test_a_suite_in_a_circle_is_shown_all_the_same(kit: Kit) -> None:
    kit.live("suite", 7, title="A", parent=8).live("suite", 8, title="B", parent=7)
    kit.both("case.a", 41, suite=external(7)).undeclare("case.a")
    assert change(kit.plan(), "case.a").suite.endswith("A")


def test_a_shared_step_hides_no_files_of_the_steps_behind_it() -> None:
    live = [{"shared": "aa" * 20, "attachments": ["h0"]}, {"action": "Pay", "attachments": ["h1"]}]
    wanted = [{"shared": "aa" * 20}, {"action": "Pay"}]
    assert carry_attachments(wanted, live) == [wanted[0], {"action": "Pay", "attachments": [{"hash": "h1"}]}]


def test_a_live_step_is_the_partner_of_one_step_only() -> None:
    found = sorted(pair([{"action": "Pay by card now"}, {"action": "Pay by card soon"}], [{"action": "Pay by card"}]))
    assert found == [(0, 0)]
