"""Words of the workspace, external references, selections."""

from __future__ import annotations

from typing import Any

import pytest
from plan_kit import Kit, external, lines

from qase_iac.diagnostics import Diagnostic
from qase_iac.model import Catalogue, CustomField, Desired, Option
from qase_iac.plan.resolve import resolve
from qase_iac.values import Address

SEVERITY = (Option(1, "severe", "Very bad"), Option(2, "mild", "Mild", default=True))
CATALOGUE = Catalogue(
    {"severity": SEVERITY},
    (CustomField(1, "Team", "selectbox", (Option(7, "Red", "Red"),)), CustomField(2, "Twice", "text"), CustomField(3, "Twice", "text")),
    shared_parameters={"Browsers": "u-1"},
)  # fmt: skip


@pytest.fixture
def kit() -> Kit:
    kit = Kit()
    kit.snapshot.catalogue = CATALOGUE
    return kit


def resolved(kit: Kit, bound: set[tuple[str, Any]] | None = None) -> tuple[Desired, list[Diagnostic]]:
    known = {(a.partition(".")[0], b.id) for a, b in kit.state.bindings.items()} if bound is None else bound
    return resolve(kit.desired, kit.snapshot, frozenset(known))


def value(kit: Kit, address: str, name: str) -> Any:
    desired, found = resolved(kit)
    assert not [each for each in found if each.is_error], found
    return desired.resources[Address.parse(address)].attributes.get(name)


def errors(kit: Kit) -> list[tuple[str, str | None]]:
    return [(each.code, each.address) for each in resolved(kit)[1] if each.is_error]


@pytest.mark.parametrize(("written", "word"), [("severe", "severe"), ("Very Bad", "severe"), (None, "mild")])
def test_words(kit: Kit, written: Any, word: str) -> None:
    kit.declare("case.a", severity=written).declare("case.b", severity=written)
    assert value(kit, "case.a", "severity") == value(kit, "case.b", "severity") == word


def test_every_problem_is_reported_where_it_is(kit: Kit) -> None:
    kit.declare(
        "case.a",
        severity="nope",
        **{"custom_fields.Team": "Blue", "custom_fields.None": "x", "custom_fields.Twice": "x"},
    )
    kit.declare("case.b", severity="nope", suite={"external": "No such"})
    desired, found = resolved(kit)
    assert [(d.code, d.address, d.source.line) for d in found] == [
        ("ambiguous-custom-field", "case.a", 10), ("unknown-custom-field", "case.a", 10),
        ("unknown-option", "case.a", 10), ("unknown-word", "case.a", 10),
        ("unknown-external", "case.b", 11), ("unknown-word", "case.b", 11),
    ]  # fmt: skip
    assert "custom_fields.Team" not in desired.resources[Address("case", "a")].attributes


def test_custom_fields_take_their_type(kit: Kit) -> None:
    kit.declare("case.a", **{"custom_fields.Team": "red"})
    assert value(kit, "case.a", "custom_fields.Team") == "Red"


# -- external references -------------------------------------------------------------------------------------------


@pytest.fixture
def live(kit: Kit) -> Kit:
    kit.live("suite", 1, title="A").live("suite", 2, title="B", parent=1).live("suite", 3, title="B").live(
        "suite", 4, title="B"
    )
    return (
        kit.live("milestone", 5, title="M")
        .live("case", 6, title="C")
        .live("shared_step", "a" * 40, title="In", steps=[])
    )


@pytest.mark.parametrize(
    ("name", "written", "expected"),
    [
        ("suite", {"external": "A / B"}, external(2)),
        ("suite", {"external": "A"}, external(1)),
        ("suite", external(3), external(3)),
        ("milestone", {"external": "M"}, external(5)),
        ("steps", [{"shared": {"external": "In"}}], [{"shared": external("a" * 40)}]),
        ("steps", [{"shared": external("f" * 40)}], [{"shared": external("f" * 40)}]),
        ("parameters", [{"shared": {"external": "Browsers"}}, {"a": ["1"]}], [{"shared": {"external_id": "u-1", "title": "Browsers"}}, {"a": ["1"]}]),
    ],
)  # fmt: skip
def test_externals(live: Kit, name: str, written: Any, expected: Any) -> None:
    assert value(live.declare("case.a", **{name: written}), "case.a", name) == expected


@pytest.mark.parametrize(
    ("name", "written", "code", "words"),
    [
        ("suite", {"external": "Z"}, "unknown-external", "A / B"),
        ("suite", {"external": "B"}, "ambiguous-external", "3, 4"),
        ("suite", external(99), "unknown-external", "Qase has no suite 99"),
        ("milestone", {"external": "m"}, "unknown-external", "no milestone called 'm'"),
        ("parameters", [{"shared": {"external": "Nope"}}], "unknown-external", "no shared parameter called 'Nope'"),
    ],
)
def test_externals_that_are_none(live: Kit, name: str, written: Any, code: str, words: str) -> None:
    (problem,) = resolved(live.declare("case.a", **{name: written}))[1]
    assert (problem.code, problem.address, problem.is_error) == (code, "case.a", True)
    assert words in problem.summary + problem.detail


def test_a_suite_whose_parent_is_not_shown(live: Kit) -> None:
    live.live("suite", 20, title="Lost", parent=21).live("suite", 30, title="Round", parent=31).live(
        "suite", 31, parent=30
    )
    assert value(live.declare("case.a", suite={"external": "Lost"}), "case.a", "suite") == external(20)
    assert errors(live.declare("case.b", suite={"external": "Round"})) == [("unknown-external", "case.b")]


def test_shared_steps_are_called_so(live: Kit) -> None:
    (problem,) = resolved(live.declare("case.a", steps=[{"shared": {"external": "Out"}}]))[1]
    assert problem.summary == "Qase has no shared step called 'Out'."


def test_what_is_managed_is_named_by_its_key(live: Kit) -> None:
    live.both("suite.mine", 8, title="Mine").declare("case.a", suite={"external": "Mine"}).declare(
        "case.b", suite=external(8)
    )
    assert errors(live) == [("external-is-managed", "case.a"), ("external-is-managed", "case.b")]
    live.undeclare("case.a", "case.b").declare("suite.a", title="A").adopt("suite.a", 1).declare(
        "case.c", suite=external(1)
    )
    assert errors(live) == [("external-is-managed", "case.c")]


def test_shared_parameters_that_were_not_read(live: Kit) -> None:
    live.snapshot.catalogue = Catalogue()
    assert errors(live.declare("case.a", parameters=[{"shared": {"external": "Browsers"}}])) == [
        ("unknown-external", "case.a")
    ]


# -- selections ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(kit: Kit) -> Kit:
    kit.declare("milestone.m").declare("suite.shop").declare("suite.shop/pay").live("suite", 9).live(
        "milestone", 5, title="M"
    )
    kit.declare("case.z", tags=["smoke", "x"], severity="severe", suite="shop", flaky=False)
    kit.declare("case.y", tags=["smoke"], severity="Very bad", suite="shop/pay", milestone="m", automation="manual")
    kit.declare("case.x", severity=None, flaky=True, milestone={"external": "M"}, tags=[])
    return kit.declare("case.w", suite=external(9)).live("case", 77, title="Elsewhere")


@pytest.mark.parametrize(
    ("select", "exclude", "expected"),
    [
        ({"tags": ["smoke"]}, None, "zy"),
        ({"tags": ["x", "nope"]}, None, "z"),
        ({"severity": ["Very Bad"]}, None, "zy"),
        ({"severity": ["mild"]}, None, "x"),
        ({"severity": ["mild", "severe"], "tags": ["x"]}, None, "z"),
        ({"flaky": [True]}, None, "x"),
        ({"flaky": [False]}, None, "z"),
        ({"automation": ["manual"]}, None, "y"),
        ({"milestone": [{"address": "milestone.m"}]}, None, "y"),
        ({"milestone": [{"external": "M"}]}, None, "x"),
        ({"suites": ["shop"]}, None, "z"),
        ({"suites": ["shop/**"]}, None, "zy"),
        ({"suites": ["."]}, None, "x"),
        ({"suites": ["**"]}, None, "zyx"),
        ({"suites": ["**"]}, {"tags": ["x"]}, "yx"),
        ({"suites": ["**"]}, {"tags": ["smoke"], "severity": ["severe"], "suites": ["shop"]}, "yx"),
    ],
)
def test_rules(shop: Kit, select: dict[str, Any], exclude: dict[str, Any] | None, expected: str) -> None:
    shop.declare("plan.p", local={"select": select} | ({"exclude": exclude} if exclude else {}))
    assert value(shop, "plan.p", "cases") == [{"address": f"case.{key}"} for key in expected]


def test_members_stand_in_the_order_of_the_files(shop: Kit) -> None:
    shop.declare(
        "plan.p", cases=["w", external(77), "y"], local={"select": {"tags": ["x"]}, "exclude": {"tags": ["smoke"]}}
    )
    assert value(shop, "plan.p", "cases") == [{"address": "case.y"}, {"address": "case.w"}, external(77)]
    shop.declare("plan.q", cases=["w", "z"])
    assert value(shop, "plan.q", "cases") == [{"address": "case.z"}, {"address": "case.w"}]


def test_exclude_takes_nothing_from_what_is_listed(shop: Kit) -> None:
    shop.declare("plan.p", cases=["z"], local={"select": {"tags": ["smoke"]}, "exclude": {"tags": ["x"]}})
    assert value(shop, "plan.p", "cases") == [{"address": "case.z"}, {"address": "case.y"}]


def test_a_rule_that_picks_nobody(shop: Kit) -> None:
    shop.declare("plan.p", cases=["z"], local={"select": {"tags": ["nope"]}})
    desired, found = resolved(shop)
    assert [(d.code, d.address, d.is_error) for d in found] == [("empty-selection", "plan.p", False)]
    shop.resources = dict(desired.resources)
    assert "! create plan.p (empty_selection)" in lines(shop.plan())


def test_exclude_alone(shop: Kit) -> None:
    shop.declare("plan.p", cases=["z"], local={"exclude": {"tags": ["x"]}}).declare("plan.q", title="Q")
    assert [(d.code, d.address) for d in resolved(shop)[1]] == [("exclude-without-select", "plan.p")]
    assert value(shop, "plan.p", "cases") == [{"address": "case.z"}]
    assert value(shop, "plan.q", "cases") is None


@pytest.mark.parametrize(
    "rules",
    [{"select": {"severity": ["nope"]}}, {"select": {"tags": ["x"]}, "exclude": {"milestone": [{"external": "Z"}]}}],
)
def test_words_of_rules_are_checked(shop: Kit, rules: dict[str, Any]) -> None:
    assert errors(shop.declare("plan.p", local=rules)) in (
        [("unknown-word", "plan.p")],
        [("unknown-external", "plan.p")],
    )
