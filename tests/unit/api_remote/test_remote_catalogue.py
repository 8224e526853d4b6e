"""The workspace's lists: from the emulator, and from answers as odd as they have been seen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from remote_kit import SEED, Kit

from qase_iac.api.catalogue import read_catalogue, stock_options
from qase_iac.errors import AccessDenied, BadAnswer, NotFound, ServerFault
from qase_iac.model import CustomField, Option


class Lists:
    """Answers by path; a path that is not here is 404, an exception is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {"/" + name: answer for name, answer in answers.items()}
        self.asked: list[tuple[str, dict[str, Any] | None]] = []

    def list(self, path: str, params: Any = None) -> Any:
        self.asked.append((path, params))
        answer = self.answers.get(path, NotFound(path))
        if isinstance(answer, Exception):
            raise answer
        return answer


def field(**changes: Any) -> dict[str, Any]:
    base = {"id": 3, "title": "F", "entity": "case", "type": "string", "value": None, "is_required": False}
    return {**base, "is_enabled_for_all_projects": True, "projects_codes": [], "default_value": None, **changes}


def system(slug: str, *slugs: str, **changes: Any) -> dict[str, Any]:
    options = [{"id": at, "slug": s, "title": s.title(), "is_default": at == 1} for at, s in enumerate(slugs)]
    return {"slug": slug, "title": slug, "entity": 0, "type": 3, "options": options, **changes}


def of(*fields: dict[str, Any], project: str = "SHOP", **rest: Any) -> tuple[CustomField, ...]:
    return read_catalogue(Lists(system_field=[], custom_field=list(fields)), project, **rest).custom_fields


def test_a_fresh_workspace_has_the_stock_lists() -> None:
    """The emulator's lists were written from the reference by somebody else."""
    catalogue = read_catalogue(Kit().client, "SHOP")
    for name, options in stock_options().items():
        served = catalogue.options[name]
        assert [(o.id, o.slug, o.default) for o in served] == [(o.id, o.slug, o.default) for o in options], name
    assert {o.slug for o in catalogue.options["automation"]} >= {"to-be-automated", "automated"}
    assert set(catalogue.options) == {*stock_options(), "automation"}
    assert (catalogue.custom_fields, catalogue.members, catalogue.shared_parameters) == ((), None, None)
    assert catalogue.live


def test_a_workspace_of_its_own() -> None:
    options = [
        {"id": 11, "slug": "bad", "title": "Bad"},
        {"id": 12, "slug": "worse", "title": "Worse", "default": True},
    ]
    fields = [
        {"title": "Team", "type": "multiselect", "options": ["A", {"id": 7, "title": "B, C"}], "id": 5},
        {"title": "Elsewhere", "type": "string", "projects": ["OTHER"]},
        {"title": "Here", "type": "number", "projects": ["OTHER", "SHOP"], "required": True, "default": 4},
        {"title": "Of runs", "type": "string", "entity": "run"},
        {"title": "Tester", "type": "user"},
    ]
    projects = [*SEED["projects"], {"code": "OTHER", "title": "Other"}]
    for dialect in ("today", "seed"):
        kit = Kit(
            seed={"projects": projects, "custom_fields": fields, "system_fields": {"severity": options}},
            dialect=dialect,
        )
        catalogue = read_catalogue(kit.client, "SHOP", members=True)
        severity = (Option(11, "bad", "Bad"), Option(12, "worse", "Worse", True))
        assert catalogue.options["severity"] == severity
        team, here, tester = catalogue.custom_fields
        assert team == CustomField(5, "Team", "multiselect", (Option(1, "A", "A"), Option(7, "B, C", "B, C")))
        assert here == CustomField(7, "Here", "number", (), True, "4")
        assert (tester.title, tester.type) == ("Tester", "user")
        assert catalogue.members == {"owner@example.com": 1}
        assert kit.calls() == [
            "GET /system_field?limit=100&offset=0",
            "GET /custom_field?entity=case&limit=100&offset=0",
            "GET /user?limit=100&offset=0",
        ]


def test_the_dialect_of_2020_without_today_s_lists() -> None:
    old = {"id": 1, "title": "Browser", "type": "Text", "placeholder": "", "default_value": "", "value": ""}
    lists = Lists(**{"custom_field/SHOP": [old]})
    catalogue = read_catalogue(lists, "SHOP", members=True, shared_parameters=True)
    assert catalogue.options == stock_options()
    assert catalogue.custom_fields == (CustomField(1, "Browser", "text"),)
    assert catalogue.shared_parameters == {}
    assert catalogue.members is None
    assert [path for path, _ in lists.asked] == [
        "/system_field", "/custom_field", "/custom_field/SHOP", "/shared_parameter",
    ]  # fmt: skip
    assert read_catalogue(Lists(), "SHOP").custom_fields == ()


def test_the_first_stock_option_is_the_default() -> None:
    for options in stock_options().values():
        assert [option.default for option in options] == [True] + [False] * (len(options) - 1)
        assert all(option.title == option.slug for option in options)


@pytest.mark.parametrize("error", [ServerFault("500"), AccessDenied("403"), BadAnswer("html")])
def test_unreadable_is_not_absent(error: Exception) -> None:
    with pytest.raises(type(error)):
        read_catalogue(Lists(system_field=error), "SHOP")
    with pytest.raises(type(error)):
        read_catalogue(Lists(system_field=[], custom_field=error), "SHOP")
    with pytest.raises(type(error)):
        read_catalogue(Lists(**{"system_field": [], "custom_field/SHOP": error}), "SHOP")
    with pytest.raises(type(error)):
        read_catalogue(Lists(system_field=[], custom_field=[field(type="user")], user=error), "SHOP", members=True)
    with pytest.raises(type(error)):
        read_catalogue(Lists(system_field=[], shared_parameter=error), "SHOP", shared_parameters=True)


# System fields


def test_of_two_fields_of_one_slug_the_one_that_speaks_our_words() -> None:
    new = system("automation", "manual-run", "robot")
    old = system("automation", "is-not-automated", "to-be-automated", "automated")
    for entries in ([new, old], [old, new]):
        options = read_catalogue(Lists(system_field=entries), "SHOP").options
        assert [o.slug for o in options["automation"]] == ["is-not-automated", "to-be-automated", "automated"]
        assert [o.default for o in options["automation"]] == [False, True, False]
        assert options["automation"][0].title == "Is-Not-Automated"


def test_fields_of_other_things_and_unknown_fields_are_left_aside() -> None:
    entries = [
        system("status", "passed", "failed", entity=3),
        system("layer", "deep", entity="case"),
        system("behavior", "nice", entity="0"),
        system("colour", "red"),
        system("isToBeAutomated", options=None),
    ]
    options = read_catalogue(Lists(system_field=entries), "SHOP").options
    assert options["status"] == stock_options()["status"]
    assert [o.slug for o in options["layer"]] == ["deep"]
    assert [o.slug for o in options["behavior"]] == ["nice"]
    assert "colour" not in options


@pytest.mark.parametrize(
    "options",
    [None, [], {}, "x", 5, ["blocker"], [{"slug": "a"}], [{"id": "x", "slug": "a"}], [{"id": 1}], [{"id": 1, "slug": ""}],
     [{"id": True, "slug": "a"}], [{"id": None, "slug": "a"}], [{"id": 1, "slug": 2}]],
    ids=str,
)  # fmt: skip
def test_odd_options_of_a_system_field(options: Any) -> None:
    with pytest.raises(BadAnswer) as caught:
        read_catalogue(Lists(system_field=[system("severity", options=options)]), "SHOP")
    assert "severity" in str(caught.value) and caught.value.path == "/system_field"


def test_ids_as_text_and_options_without_a_title() -> None:
    entry = system("layer", options=[{"id": "8", "slug": "deep", "title": None}])
    assert read_catalogue(Lists(system_field=[entry]), "SHOP").options["layer"] == (Option(8, "deep", "deep"),)


# Custom fields


@pytest.mark.parametrize(
    ("written", "type"),
    [("Number", "number"), ("0", "number"), (0, "number"), ("9", "datetime"), (3, "selectbox"), ("Multi select", "multiselect"),
     ("Multi-Select", "multiselect"), ("10", "string"), ("Hologram", "string"), ("URL", "url"), ("Radio", "radio")],
)  # fmt: skip
def test_types_are_words_or_numbers(written: Any, type: str) -> None:
    assert of(field(type=written, value='[{"id":1,"title":"a"}]'))[0].type == type


def test_projects_and_entities_are_checked_here_again() -> None:
    off = {"is_enabled_for_all_projects": False}
    fields = [
        field(title="all"),
        field(title="ours", **off, projects_codes=["ABC", "shop"]),
        field(title="theirs", **off, projects_codes=["ABC"]),
        field(title="nobody's", **off, projects_codes=None),
        field(title="by number", entity=0),
        field(title="of runs", entity="run"),
        field(title="of runs, too", entity=1),
    ]
    lists = Lists(system_field=[], custom_field=fields)
    assert [f.title for f in read_catalogue(lists, "Shop").custom_fields] == ["all", "ours", "by number"]
    assert lists.asked[1] == ("/custom_field", {"entity": "case"})


def test_options_of_a_custom_field_are_text_or_a_list() -> None:
    rows = [{"id": 1, "title": "a", "slug": "x"}, {"id": "2", "title": "b"}]
    expected = (Option(1, "a", "a"), Option(2, "b", "b"))
    assert of(field(type="radio", value=json.dumps(rows)))[0].options == expected
    assert of(field(type="radio", value=rows))[0].options == expected
    assert of(field(type="string", value="no list"))[0].options == ()


@pytest.mark.parametrize(
    "value", [None, "", "[", "{}", "5", '["a"]', '[{"id":1}]', '[{"title":"a"}]', 5, "[" * 100_000]
)
def test_odd_options_of_a_custom_field(value: Any) -> None:
    with pytest.raises(BadAnswer, match="custom field 'F'"):
        of(field(type="selectbox", value=value))


@pytest.mark.parametrize(
    "change", [{"title": None}, {"title": ""}, {"id": None}, {"id": "x"}, {"type": None}, {"type": ""}]
)
def test_odd_custom_fields(change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        of(field(**change))


def test_defaults_and_required() -> None:
    made = of(field(is_required=True, default_value=0), field(id=4, is_required=None, default_value=""))
    assert [(f.required, f.default) for f in made] == [(True, "0"), (False, None)]


# Members and shared parameters


def test_members_are_read_only_for_fields_of_users() -> None:
    users = [
        {"id": 1, "email": " a@x "},
        {"id": "2", "email": "b@x"},
        {"id": 3, "email": None},
        {"id": 4, "email": "b@x"},
    ]
    lists = Lists(system_field=[], custom_field=[field(type="user", title="Tester")], user=users)
    assert read_catalogue(lists, "SHOP", members=True).members == {"a@x": 1, "b@x": 2}
    assert read_catalogue(lists, "SHOP", members=["Other", "Tester"]).members == {"a@x": 1, "b@x": 2}
    lists.asked.clear()
    assert read_catalogue(lists, "SHOP").members is None
    assert read_catalogue(lists, "SHOP", members=["Other"]).members is None
    assert read_catalogue(lists, "SHOP", members=[]).members is None
    lists.answers["/custom_field"] = [field(title="Tester")]
    assert read_catalogue(lists, "SHOP", members=True).members is None
    assert read_catalogue(lists, "SHOP", members=["Tester"]).members is None
    assert "/user" not in [path for path, _ in lists.asked]


def test_a_member_without_an_id() -> None:
    lists = Lists(system_field=[], custom_field=[field(type="user")], user=[{"email": "a@x"}])
    with pytest.raises(BadAnswer):
        read_catalogue(lists, "SHOP", members=True)


def test_shared_parameters_by_title() -> None:
    entries = [
        {"id": "u1", "title": "A", "is_enabled_for_all_projects": True, "project_codes": []},
        {"id": "u2", "title": "B", "is_enabled_for_all_projects": False, "project_codes": ["SHOP"]},
        {"id": "u3", "title": "C", "is_enabled_for_all_projects": False, "project_codes": ["ABC"]},
        {"id": "u4", "title": "twice", "is_enabled_for_all_projects": True},
        {"id": "u5", "title": "twice", "is_enabled_for_all_projects": True},
    ]
    catalogue = read_catalogue(Lists(system_field=[], shared_parameter=entries), "SHOP", shared_parameters=True)
    assert catalogue.shared_parameters == {"A": "u1", "B": "u2"}
    odd = Lists(system_field=[], shared_parameter=[{"title": "A", "is_enabled_for_all_projects": True}])
    with pytest.raises(BadAnswer):
        read_catalogue(odd, "SHOP", shared_parameters=True)
