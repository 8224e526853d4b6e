"""Test cases: fields, steps, parameters, custom fields, tags, bulk, filters."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api, MakeApi, messages


def test_an_empty_case_has_the_defaults(api: Api) -> None:
    one = api.one("case", api.make("case", title="C"))
    shown = {key: value for key, value in one.items() if not key.startswith(("created", "updated"))}
    assert shown == {
        "id": 1, "position": 1, "title": "C", "description": None, "preconditions": None, "postconditions": None,
        "severity": 0, "priority": 0, "type": 1, "layer": 0, "is_flaky": 0, "behavior": 1, "automation": 0,
        "status": 0, "isManual": True, "isToBeAutomated": False, "milestone_id": None, "suite_id": None,
        "custom_fields": [], "attachments": [], "steps_type": "classic", "steps": [], "params": [],
        "parameters": [], "tags": [], "member_id": 1, "author_id": 1, "deleted": None}  # fmt: skip
    assert api.rows("/case/DEMO") == [one]


def test_texts_come_back_byte_for_byte(api: Api) -> None:
    text = "  # Ünï 😀\r\n\t|a|b|\r\n```\n<b>&amp;\\_\u2028\x00```\n\n "
    step = {"action": text, "expected_result": text, "data": text}
    one = api.one("case", api.make("case", title=" C ", description=text, preconditions=text, steps=[step]))
    assert one["title"] == " C "
    assert {one["description"], one["preconditions"], *(one["steps"][0][key] for key in step)} == {text}


def test_patch_is_partial_for_scalars_and_replaces_arrays(api: Api) -> None:
    id = api.make("case", title="C", description="d", severity=3, tags=["a", "b"], steps=[{"action": "x"}])
    one = api.patch("case", id, severity=4)
    assert (one["description"], one["severity"], len(one["steps"]), len(one["tags"])) == ("d", 4, 1, 2)
    one = api.patch("case", id, tags=["c"], steps=[{"action": "y"}, {"action": "z"}])
    assert ([tag["title"] for tag in one["tags"]], [row["action"] for row in one["steps"]]) == (["c"], ["y", "z"])
    one = api.patch("case", id, tags=[], steps=[], description="")
    assert (one["tags"], one["steps"], one["description"]) == ([], [], "")
    api.patch("case", id)
    api.refused(404, "PATCH", "/case/DEMO/99", {})


def test_moving_a_case_gives_it_a_new_position(api: Api) -> None:
    suite = api.make("suite", title="S")
    api.make("case", title="A", suite_id=suite)
    id = api.make("case", title="B")
    assert api.one("case", id)["position"] == 1
    assert api.patch("case", id, suite_id=suite)["position"] == 2
    assert api.one("suite", suite)["cases_count"] == 2
    assert api.get("/project/DEMO")["counts"]["cases"] == 2


@pytest.mark.parametrize("wrong", [
    {"severity": "major"}, {"severity": 77}, {"severity": None}, {"severity": True}, {"is_flaky": True},
    {"is_flaky": 2}, {"status": "actual"}, {"steps_type": "bdd"}, {"suite_id": 9}, {"suite_id": "1"},
    {"milestone_id": 9}, {"description": 5}, {"steps": {}}, {"steps": ["x"]}, {"steps": [{}]},
    {"steps": [{"action": ""}]}, {"steps": [{"action": 1}]}, {"steps": [{"shared": "0" * 40}]}, {"tags": "a"},
    {"tags": [1]}, {"tags": [""]}, {"attachments": ["0" * 40]}, {"params": [1]}, {"params": {"a": "b"}},
    {"parameters": [{}]}, {"parameters": [{"title": "a"}]}, {"parameters": [{"items": [{"title": "a", "values": []}]}]},
    {"parameters": [{"shared_id": "0b7c9a80-0000-4000-8000-000000000000"}]}, {"custom_field": {"9": "x"}},
    {"custom_field": {"x": "x"}}, {"isManual": "yes"}, {"isManual": 2}, {"automation": 3}, {"created_at": "soon"},
    {"created_at": "0001-01-01T00:00:00+14:00"}, {"created_at": 5}, {"severity": 1.0}, {"suite_id": 2**70},
    {"custom_field": {"9" * 5000: "x"}},
])  # fmt: skip
def test_wrong_values_are_refused(api: Api, wrong: dict[str, Any]) -> None:
    body = api.refused(422, "POST", "/case/DEMO", {"title": "C", **wrong})
    assert body["errorMessage"] == "Data is invalid." and body["errorFields"]
    api.refused(422, "POST", "/case/DEMO/bulk", {"cases": [{"title": "C", **wrong}]})
    if "created_at" not in wrong:
        id = api.make("case", title="C")
        api.refused(422, "PATCH", f"/case/DEMO/{id}", wrong)


def test_the_flaky_message_names_no_field(api: Api) -> None:
    body = api.refused(422, "POST", "/case/DEMO", {"title": "C", "is_flaky": True})
    assert messages(body) == {"": "The selected field value is invalid. Allowed values: 0, 1."}


# -- steps ----------------------------------------------------------------------------------------------


def test_a_shared_step_reads_as_as_many_rows_as_it_has_steps(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "1"}, {"action": "2", "steps": [{"action": "2a"}]}])
    steps = [{"action": "own"}, {"shared": hash}, {"shared": hash, "action": "ignored", "position": 9}]
    rows = api.one("case", api.make("case", title="C", steps=steps))["steps"]
    assert [(row["position"], row["action"], row["shared_step_hash"]) for row in rows] == [
        (1, "own", None), (2, "1", hash), (3, "2", hash), (4, "1", hash), (5, "2", hash)]  # fmt: skip
    (child,) = rows[2]["steps"]
    assert child["action"] == "2a" and child["shared_step_nested_hash"]
    assert [row["shared_step_nested_hash"] for row in rows] == [None] * 5


def test_writing_the_read_key_of_a_shared_step_loses_it(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "1"}])
    echoed = {"shared_step_hash": hash, "action": "1"}
    (row,) = api.one("case", api.make("case", title="C", steps=[echoed]))["steps"]
    assert row["shared_step_hash"] is None
    body = api.refused(422, "POST", "/case/DEMO", {"title": "C", "steps": [{"shared_step_hash": hash}]})
    assert messages(body) == {"steps.0.action": "Action field is required"}


def test_step_attachments_and_nesting(api: Api) -> None:
    (file,) = api.upload(("a.txt", b"x"))
    inner = {"action": "in", "attachments": [file["hash"]], "steps": [{"action": "deep"}]}
    (row,) = api.one("case", api.make("case", title="C", steps=[{"action": "out", "steps": [inner]}]))["steps"]
    (child,) = row["steps"]
    assert child["attachments"] == [{"size": 1, "mime": "text/plain", "filename": "a.txt", "url": file["url"]}]
    assert child["steps"][0]["action"] == "deep"


def test_gherkin_is_written_as_value_and_read_as_action(api: Api) -> None:
    body = {"title": "G", "steps_type": "gherkin", "steps": [{"value": "Given x\nThen y"}]}
    one = api.one("case", api.make("case", **body))
    (row,) = one["steps"]
    assert (one["steps_type"], row["action"], "value" in row) == ("gherkin", "Given x\nThen y", False)
    for wrong in ({"value": "x", "action": "y"}, {"value": "x", "data": "d"}, {"value": "x", "expected_result": "e"},
                  {"value": "x", "steps": [{"value": "z"}]}, {"value": "x", "shared": "h"}, {"value": ""}, {}):  # fmt: skip
        api.refused(422, "POST", "/case/DEMO", {**body, "steps": [wrong]})
    api.make("case", **{**body, "steps": [{"value": "x", "data": "", "expected_result": None, "attachments": []}]})
    assert api.patch("case", one["id"], steps=[{"value": "Given z"}])["steps"][0]["action"] == "Given z"
    api.refused(422, "POST", "/case/DEMO", {"title": "C", "steps": [{"value": "classic has no value"}]})


# -- automation, tags, parameters -----------------------------------------------------------------------


@pytest.mark.parametrize(("body", "expected"), [
    ({}, (0, True, False)), ({"automation": 1}, (1, True, True)), ({"automation": 2}, (2, False, False)),
    ({"isManual": False}, (2, False, False)), ({"isManual": 1, "isToBeAutomated": 1}, (1, True, True)),
    ({"isToBeAutomated": True}, (1, True, True)), ({"automation": 2, "isManual": True}, (0, True, False)),
    ({"isManual": False, "isToBeAutomated": True}, (2, False, False)), ({"automation": 2, "isToBeAutomated": False}, (2, False, False)),
])  # fmt: skip
def test_three_automation_keys_agree(api: Api, body: dict[str, Any], expected: tuple[int, bool, bool]) -> None:
    one = api.one("case", api.make("case", title="C", **body))
    assert (one["automation"], one["isManual"], one["isToBeAutomated"]) == expected


def test_tags_belong_to_the_workspace(api: Api) -> None:
    api.ok("POST", "/project", {"title": "O", "code": "OTHER"})
    one = api.one("case", api.make("case", title="C", tags=["smoke", "b", "smoke"]))
    assert one["tags"] == [{"title": "smoke", "internal_id": 1}, {"title": "b", "internal_id": 2}]
    api.ok("POST", "/case/OTHER", {"title": "C", "tags": ["b", "A"]})
    assert api.get("/case/OTHER/1")["tags"] == [{"title": "b", "internal_id": 2}, {"title": "A", "internal_id": 3}]


def test_parameters_are_wrapped_on_read(api: Api) -> None:
    single = {"title": "OS", "values": ["a", "b"]}
    group = [{"title": "User", "values": ["x"]}, {"title": "Role", "values": ["y"]}]
    one = api.one("case", api.make("case", title="C", parameters=[single, {"items": group}]))
    assert one["parameters"] == [{"shared_id": None, "type": "single", "item": single},
                                 {"shared_id": None, "type": "group", "items": group}]  # fmt: skip
    assert one["params"] == {"OS": ["a", "b"], "User": ["x"], "Role": ["y"]}
    assert api.patch("case", one["id"], parameters=[])["params"] == []
    assert api.patch("case", one["id"], params={"OS": ["a"]})["parameters"][0]["item"]["title"] == "OS"
    assert api.patch("case", one["id"], parameters=None)["parameters"] == []


# -- custom fields --------------------------------------------------------------------------------------

FIELDS = [
    {"id": 1, "title": "str", "type": "string"},
    {"id": 2, "title": "num", "type": "number"},
    {"id": 3, "title": "sel", "type": "selectbox", "options": ["A", "B"]},
    {"id": 4, "title": "multi", "type": "multiselect", "options": ["A", {"id": 5, "title": "B"}]},
    {"id": 5, "title": "check", "type": "checkbox"},
    {"id": 6, "title": "url", "type": "url"},
    {"id": 7, "title": "user", "type": "user"},
    {"id": 8, "title": "when", "type": "datetime"},
    {"id": 9, "title": "other", "type": "string", "projects": ["OTHER"]},
]


@pytest.fixture
def fielded(make_api: MakeApi) -> Api:
    projects = [{"code": "DEMO", "title": "Demo"}, {"code": "OTHER", "title": "Other"}]
    return make_api(seed={"projects": projects, "custom_fields": FIELDS})


def test_custom_values_of_each_type(fielded: Api) -> None:
    good = {
        "1": "t",
        "2": "1.5",
        "3": "2",
        "4": "1,5",
        "5": "1",
        "6": "https://x.y/z",
        "7": "5",
        "8": "2026-01-02T03:04",
    }
    id = fielded.make("case", title="C", custom_field=good)
    values = [(row["id"], row["value"]) for row in fielded.one("case", id)["custom_fields"]]
    assert values == [(1, "t"), (2, "1.5"), (3, "2"), (4, "1"), (4, "5"), (5, "1"), (6, "https://x.y/z"), (7, "5"),
                      (8, "2026-01-02T03:04")]  # fmt: skip
    for key, value in {"2": "many", "3": "3", "4": "1,9", "6": "x", "7": "9", "8": "soon", "9": "x", "1": 5}.items():
        fielded.refused(422, "POST", "/case/DEMO", {"title": "C", "custom_field": {key: value}})
    kept = fielded.patch("case", id, custom_field={"1": "", "5": ""})["custom_fields"]
    assert [row["id"] for row in kept] == [2, 3, 4, 4, 6, 7, 8]
    fielded.ok("POST", "/case/OTHER", {"title": "C", "custom_field": {"9": "x"}})


def test_a_checkbox_drops_other_words_silently(fielded: Api) -> None:
    id = fielded.make("case", title="C", custom_field={"5": "1"})
    assert fielded.patch("case", id, custom_field={"5": "false"})["custom_fields"] == [{"id": 5, "value": "1"}]


def test_required_fields_and_defaults(make_api: MakeApi) -> None:
    fields = [{"id": 1, "title": "must", "type": "string", "required": True},
              {"id": 2, "title": "has", "type": "string", "required": True, "default": "d"}]  # fmt: skip
    api = make_api(seed={"custom_fields": fields})
    body = api.refused(422, "POST", "/case/DEMO", {"title": "C"})
    assert messages(body) == {"custom_field.1": "The custom_field.1 field is required."}
    id = api.make("case", title="C", custom_field={"1": "x"})
    assert api.one("case", id)["custom_fields"] == [{"id": 1, "value": "x"}, {"id": 2, "value": "d"}]
    api.patch("case", id, title="D")  # only what is sent is checked
    api.refused(422, "PATCH", f"/case/DEMO/{id}", {"custom_field": {"1": ""}})


# -- bulk -----------------------------------------------------------------------------------------------


def test_bulk_keeps_the_order_and_takes_ids(api: Api) -> None:
    assert api.bulk({"title": "a"}, {"title": "b", "id": 50}, {"title": "c", "id": None}, {"title": "d", "id": 3}) == [
        1, 50, 51, 3]  # fmt: skip
    assert api.bulk({"title": "e"}) == [52]
    assert [row["title"] for row in api.rows("/case/DEMO")] == ["a", "d", "b", "c", "e"]


def test_bulk_is_all_or_nothing(api: Api) -> None:
    cases = [{"title": "a", "tags": ["new"]}, {"title": ""}, {"title": "b", "steps": [{"action": "x", "steps": [{}]}]}]
    problems = messages(api.refused(422, "POST", "/case/DEMO/bulk", {"cases": cases}))
    assert set(problems) == {"cases.1.title", "cases.2.steps.0.steps.0.action"}
    assert api.rows("/case/DEMO") == []
    assert api.bulk({"title": "a"}) == [1]
    for wrong in ({}, {"cases": []}, {"cases": [1]}, {"cases": [{"title": "a", "id": 0}]},
                  {"cases": [{"title": "a", "params": None}]}):  # fmt: skip
        api.refused(422, "POST", "/case/DEMO/bulk", wrong)
    api.bulk({"title": "n", "milestone_id": None, "suite_id": None, "created_at": None, "description": None,
              "steps": [{"action": "x", "data": None, "expected_result": None}]})  # fmt: skip


def test_bulk_takes_times_and_uses_shared_steps(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "1"}])
    times = {"created_at": "2020-01-02 03:04:05", "updated_at": "2021-01-02T03:04:05+01:00"}
    (id,) = api.bulk({"title": "C", "steps": [{"shared": hash}], **times})
    one = api.one("case", id)
    assert (one["created_at"], one["updated_at"]) == ("2020-01-02T03:04:05+00:00", "2021-01-02T02:04:05+00:00")
    assert api.one("shared_step", hash)["cases"] == [id]


# -- filters --------------------------------------------------------------------------------------------


def test_filters_take_slugs_joined_by_commas(api: Api) -> None:
    suite = api.make("suite", title="S")
    below = api.make("suite", title="T", parent_id=suite)
    stone = api.make("milestone", title="M")
    api.bulk({"title": "Apple", "severity": 1, "suite_id": suite}, {"title": "pear", "severity": 3, "milestone_id": stone},
             {"title": "apple pie", "automation": 2, "status": 2, "suite_id": below})  # fmt: skip

    def found(**params: Any) -> list[str]:
        return [row["title"] for row in api.rows("/case/DEMO", **params)]

    assert found(search="APPLE") == ["Apple", "apple pie"]
    assert found(severity="blocker,major") == ["Apple", "pear"]
    assert found(suite_id=suite) == ["Apple"]
    assert found(milestone_id=stone) == ["pear"]
    assert found(automation="automated", status="deprecated") == ["apple pie"]
    assert found(suite_id=suite, search="pie") == []
    assert found(severity="1") == []
    assert found(suite_id="x") == []
    api.refused(402, "GET", "/case/DEMO", params={"external_issues[type]": "jira-cloud"})
    assert len(found(**{"filters[search]": "pear"})) == 3  # the old spelling is ignored
