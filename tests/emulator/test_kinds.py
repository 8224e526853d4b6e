"""Projects, suites, shared steps, milestones, plans, definitions, attachments: what the reference says of each."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from .conftest import Api, MakeApi, messages

# -- projects -------------------------------------------------------------------------------------------


def test_projects_show_title_code_and_counts_only(api: Api) -> None:
    body = {"title": "New", "code": "new", "description": "secret", "access": "all", "settings": {"a": 1}}
    assert api.ok("POST", "/project", body) == {"status": True, "result": {"code": "NEW"}}
    one = api.get("/project/new")
    assert set(one) == {"title", "code", "counts"}
    assert one["counts"] == {"cases": 0, "suites": 0, "milestones": 0, "runs": {"total": 0, "active": 0},
                             "defects": {"total": 0, "open": 0}}  # fmt: skip
    refused = api.refused(422, "POST", "/project", body)
    assert refused["errorFields"] == [{"field": "project", "error": "Project with the same code already exists."}]


@pytest.mark.parametrize("code", ["A", "A1", "ABCDEFGHIJK", "", None, 5, "Ä B"])
def test_project_codes_are_2_to_10_letters(api: Api, code: object) -> None:
    assert "code" in messages(api.refused(422, "POST", "/project", {"title": "x", "code": code}))


def test_deleting_a_project_takes_everything(api: Api) -> None:
    api.make("suite", title="S")
    assert api.ok("DELETE", "/project/demo") == {"status": True}
    api.refused(404, "GET", "/project/DEMO")
    api.refused(404, "GET", "/suite/DEMO")
    api.ok("POST", "/project", {"title": "Again", "code": "DEMO"})
    assert api.rows("/suite/DEMO") == []
    assert api.make("suite", title="S") == 1


def test_projects_have_no_update_but_have_members(api: Api) -> None:
    assert api.call("PATCH", "/project/DEMO", {"title": "x"}).status_code == 405
    assert api.ok("POST", "/project/DEMO/access", {"member_id": 5}) == {"status": True}
    api.refused(422, "DELETE", "/project/DEMO/access", {"member_id": 77})


def test_ids_are_counted_per_project(api: Api) -> None:
    api.ok("POST", "/project", {"title": "Other", "code": "OTHER"})
    assert api.make("suite", title="A") == 1
    assert api.ok("POST", "/suite/OTHER", {"title": "B"})["result"]["id"] == 1
    assert api.make("case", title="C") == 1
    api.ok("DELETE", "/case/DEMO/1")
    assert api.make("case", title="C") == 2  # no id comes twice


# -- suites ---------------------------------------------------------------------------------------------


def tree(api: Api) -> tuple[int, int, int, dict[str, int]]:
    """a > b > c with a case in each."""
    a = api.make("suite", title="a")
    b = api.make("suite", title="b", parent_id=a)
    c = api.make("suite", title="c", parent_id=b)
    cases = {name: api.make("case", title=name, suite_id=id) for name, id in (("a", a), ("b", b), ("c", c))}
    return a, b, c, cases


def test_suites_keep_what_a_patch_leaves_out(api: Api) -> None:
    root = api.make("suite", title="R")
    id = api.make("suite", title="S", description="d", preconditions="p", parent_id=root)
    one = api.one("suite", id)
    assert {key: one[key] for key in ("title", "description", "preconditions", "parent_id", "cases_count")} == {
        "title": "S", "description": "d", "preconditions": "p", "parent_id": root, "cases_count": 0}  # fmt: skip
    assert api.patch("suite", id, title="T")["description"] == "d"
    assert api.patch("suite", id, parent_id=None)["parent_id"] is None
    assert api.patch("suite", id, description="")["description"] == ""


def test_suites_can_not_go_into_themselves(api: Api) -> None:
    a, b, c, _ = tree(api)
    for parent in (a, b, c):
        assert "parent_id" in messages(api.refused(422, "PATCH", f"/suite/DEMO/{a}", {"parent_id": parent}))
    assert api.patch("suite", c, parent_id=a)["parent_id"] == a


def test_deleting_a_suite_kills_the_tree_and_trashes_its_cases(api: Api) -> None:
    a, b, _c, cases = tree(api)
    plan = api.make("plan", title="P", cases=list(cases.values()))
    assert api.ok("DELETE", f"/suite/DEMO/{b}") == {"status": True, "result": {"id": b}}
    assert [row["id"] for row in api.rows("/suite/DEMO")] == [a]
    assert [row["title"] for row in api.rows("/case/DEMO")] == ["a"]
    assert api.refused(404, "GET", f"/case/DEMO/{cases['c']}")["errorMessage"] == "Test case not found"
    assert [(row["title"], row["suite_id"]) for row in api.app.ui.trash("DEMO")] == [("b", None), ("c", None)]
    assert api.one("plan", plan)["cases"] == [{"case_id": cases["a"], "assignee_id": None}]
    api.app.ui.restore("DEMO", cases["b"])
    assert api.one("case", cases["b"])["suite_id"] is None


def test_destination_rescues_direct_cases(api: Api) -> None:
    a, b, _c, _cases = tree(api)
    other = api.make("suite", title="other")
    api.ok("DELETE", f"/suite/DEMO/{b}", {"destination_id": other, "after_delete_case": "keep"})
    assert {row["title"]: row["suite_id"] for row in api.rows("/case/DEMO")} == {"a": a, "b": other}
    assert "destination_id" in messages(api.refused(422, "DELETE", f"/suite/DEMO/{a}", {"destination_id": a}))
    assert "destination_id" in messages(api.refused(422, "DELETE", f"/suite/DEMO/{a}", {"destination_id": 99}))


# -- shared steps ---------------------------------------------------------------------------------------


def test_shared_steps_read_back_whole_and_know_their_users(api: Api) -> None:
    steps = [{"action": "one", "expected_result": "e"}, {"action": "two", "data": "d", "steps": [{"action": "in"}]}]
    hash = api.make("shared_step", title="S", steps=steps)
    assert len(hash) == 40
    one = api.one("shared_step", hash)
    assert one == api.rows("/shared_step/DEMO")[0]
    assert (one["action"], one["expected_result"], one["cases"], one["cases_count"]) == ("one", "e", [], 0)
    assert [step["action"] for step in one["steps"]] == ["one", "two"]
    assert one["steps"][1]["steps"][0]["action"] == "in"
    deep = {"action": "outer", "steps": [{"shared": hash}]}
    case = api.make("case", title="C", steps=[deep])
    assert api.one("shared_step", hash)["cases"] == [case]
    api.patch("case", case, steps=[])
    assert api.one("shared_step", hash)["cases_count"] == 0


def test_shared_step_edits_reach_the_cases_and_titles_are_needed(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "one"}])
    case = api.make("case", title="C", steps=[{"shared": hash}])
    refused = api.refused(422, "PATCH", f"/shared_step/DEMO/{hash}", {"steps": [{"action": "x"}]})
    assert "title" in messages(refused)
    api.ok("PATCH", f"/shared_step/DEMO/{hash}", {"title": "S", "steps": [{"action": "x"}, {"action": "y"}]})
    assert [row["action"] for row in api.one("case", case)["steps"]] == ["x", "y"]


def test_deleting_a_shared_step_strips_its_rows_at_all_depths(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "one"}, {"action": "two"}])
    steps = [{"shared": hash}, {"action": "own", "steps": [{"shared": hash}, {"action": "in"}]}]
    case = api.make("case", title="C", steps=steps)
    assert len(api.one("case", case)["steps"]) == 3
    assert api.ok("DELETE", f"/shared_step/DEMO/{hash}")["result"] == {"hash": hash}
    (row,) = api.one("case", case)["steps"]
    assert (row["action"], [child["action"] for child in row["steps"]]) == ("own", ["in"])
    api.refused(404, "GET", f"/shared_step/DEMO/{hash}")


def test_shared_steps_need_actions(api: Api) -> None:
    for body in ({}, {"steps": []}, {"steps": [{}]}, {"steps": [{"action": " "}]}, {"steps": [{"shared": "x"}]}):
        problems = messages(api.refused(422, "POST", "/shared_step/DEMO", {"title": "S", **body}))
        assert set(problems.values()) == {"Action field is required"}


def test_deprecated_top_level_action_of_shared_steps(api: Api) -> None:
    hash = api.make("shared_step", title="S", action="a", expected_result="e")
    assert api.one("shared_step", hash)["steps"][0]["expected_result"] == "e"
    assert api.patch("shared_step", hash, title="S", data="d")["steps"][0]["data"] == "d"
    both = api.make("shared_step", title="S", action="top", steps=[{"action": "list"}])
    assert api.one("shared_step", both)["action"] == "list"


# -- milestones -----------------------------------------------------------------------------------------


def test_milestones_take_unix_seconds_and_show_iso(api: Api) -> None:
    id = api.make("milestone", title="M", due_date=1_782_950_400)
    one = api.one("milestone", id)
    assert one["due_date"] == "2026-07-02T00:00:00+00:00"
    assert (one["status"], one["description"]) == ("active", None)
    assert api.patch("milestone", id, status="completed")["status"] == "completed"
    for wrong in ({"due_date": "2026-07-02"}, {"due_date": True}, {"status": "done"}, {"due_date": 2**60}):
        api.refused(422, "POST", "/milestone/DEMO", {"title": "M", **wrong})


def test_deleting_a_milestone_leaves_cases_without_it(api: Api) -> None:
    id = api.make("milestone", title="M")
    case = api.make("case", title="C", milestone_id=id)
    api.ok("DELETE", f"/milestone/DEMO/{id}")
    assert api.one("case", case)["milestone_id"] is None


# -- plans ----------------------------------------------------------------------------------------------


def test_plan_members_show_in_a_single_get_only(api: Api) -> None:
    first, second = api.bulk({"title": "a"}, {"title": "b"})
    id = api.make("plan", title="P", cases=[second, first, second])
    (row,) = api.rows("/plan/DEMO")
    assert row["cases_count"] == 2 and "cases" not in row
    assert [one["case_id"] for one in api.one("plan", id)["cases"]] == [second, first]
    api.app.ui.assign("DEMO", id, first, 5)
    assert api.patch("plan", id, cases=[first])["cases"] == [{"case_id": first, "assignee_id": 5}]
    assert api.patch("plan", id, description="x")["cases_count"] == 1
    api.ok("DELETE", f"/case/DEMO/{first}")
    assert api.one("plan", id)["cases"] == []


@pytest.mark.parametrize("cases", [None, [], [99], ["1"], 1])
def test_plans_need_cases_that_exist(api: Api, cases: object) -> None:
    api.make("case", title="a")
    api.refused(422, "POST", "/plan/DEMO", {"title": "P", "cases": cases})


# -- definitions ----------------------------------------------------------------------------------------


def test_stock_system_fields(api: Api) -> None:
    fields = api.get("/system_field")
    assert isinstance(fields, list)
    by_slug = {field["slug"]: field for field in fields}
    words = {slug: [(o["id"], o["slug"]) for o in field["options"] or []] for slug, field in by_slug.items()}
    assert words["severity"] == list(
        enumerate(["undefined", "blocker", "critical", "major", "normal", "minor", "trivial"])
    )
    assert words["behavior"] == list(enumerate(["undefined", "positive", "negative", "destructive"], 1))
    assert words["type"][7] == (8, "functional") and words["is_flaky"] == [(0, "no"), (1, "yes")]
    assert {field["input_type"] for field in fields} >= {3} and by_slug["severity"]["type"] == 3
    titles = [field["title"] for field in fields]
    assert "Automation status" in titles and "Automation status (deprecated)" in titles
    assert by_slug["isToBeAutomated"]["options"] is None


def test_seeded_system_fields_replace_the_stock(make_api: MakeApi) -> None:
    options = [{"id": 11, "slug": "huge", "title": "Huge"}, {"id": 12, "slug": "tiny", "title": "T", "default": True}]
    api = make_api(seed={"system_fields": {"severity": options}})
    id = api.make("case", title="C")
    assert api.one("case", id)["severity"] == 12
    assert api.patch("case", id, severity=11)["severity"] == 11
    api.refused(422, "PATCH", f"/case/DEMO/{id}", {"severity": 4})
    assert [row["id"] for row in api.rows("/case/DEMO", severity="huge")] == [id]


def test_custom_field_definitions_read_as_words_and_json_text(api: Api) -> None:
    body = {"title": "F", "entity": 0, "type": 3, "value": [{"id": 7, "title": "A"}, {"title": "B"}],
            "is_required": True, "projects_codes": ["demo"]}  # fmt: skip
    id = api.ok("POST", "/custom_field", body)["result"]["id"]
    one = api.get(f"/custom_field/{id}")
    assert (one["entity"], one["type"], one["is_required"], one["projects_codes"]) == (
        "case",
        "selectbox",
        True,
        ["DEMO"],
    )
    assert json.loads(one["value"]) == [{"id": 7, "title": "A"}, {"id": 8, "title": "B"}]
    assert [row["id"] for row in api.rows("/custom_field", entity="case", type="selectbox")] == [id]
    assert api.rows("/custom_field", entity="run") == []


def test_a_custom_field_patch_replaces_the_record(api: Api) -> None:
    body = {"title": "F", "entity": 0, "type": 1, "is_required": True, "placeholder": "p", "projects_codes": ["DEMO"]}
    id = api.ok("POST", "/custom_field", body)["result"]["id"]
    assert api.ok("PATCH", f"/custom_field/{id}", {"title": "G", "type": 2}) == {"status": True}
    one = api.get(f"/custom_field/{id}")
    assert (one["type"], one["is_required"], one["placeholder"], one["projects_codes"]) == ("string", False, None, [])
    assert "title" in messages(api.refused(422, "PATCH", f"/custom_field/{id}", {"is_required": True}))


def test_custom_field_options_are_needed_and_can_be_replaced(api: Api) -> None:
    options = [{"id": 1, "title": "A"}, {"id": 2, "title": "B"}]
    field = {"title": "F", "is_enabled_for_all_projects": True, "value": options}
    id = api.ok("POST", "/custom_field", {**field, "entity": 0, "type": 6})["result"]["id"]
    case = api.make("case", title="C", custom_field={str(id): "1,2"})
    assert "value" in messages(api.refused(422, "PATCH", f"/custom_field/{id}", {"title": "F"}))
    api.ok("PATCH", f"/custom_field/{id}", {**field, "value": options[1:], "replace_values": {"1": "2"}})
    assert {row["value"] for row in api.one("case", case)["custom_fields"]} == {"2"}
    assert api.ok("DELETE", f"/custom_field/{id}") == {"status": True}
    assert api.one("case", case)["custom_fields"] == []


# -- attachments ----------------------------------------------------------------------------------------


def test_attachments_are_uploaded_read_downloaded_and_deleted(api: Api) -> None:
    first, second = api.upload(("a b.txt", b"hello"), ("../x/ä.txt", b"hello"))
    assert set(first) == {"hash", "filename", "mime", "extension", "url", "team"}
    assert first["hash"] != second["hash"] and second["filename"] == "ä.txt"
    one = api.get(f"/attachment/{first['hash']}")
    assert (one["file"], one["size"], one["mime"], one["extension"]) == ("a b.txt", 5, "text/plain", "txt")
    assert api.get("/attachment")["total"] == 2
    for shown in (first, second, one):
        assert api.http.get(shown["url"]).content == b"hello"
    case = api.make("case", title="C", attachments=[first["hash"]])
    (on_case,) = api.one("case", case)["attachments"]
    assert set(on_case) == {"size", "mime", "filename", "url"} and f"/attachment/{first['hash']}/" in on_case["url"]
    assert api.ok("DELETE", f"/attachment/{first['hash']}")["result"] == {"hash": first["hash"]}
    assert api.one("case", case)["attachments"] == [on_case]  # a dangling reference
    assert api.http.get(on_case["url"]).status_code == 404
    api.refused(422, "PATCH", f"/case/DEMO/{case}", {"attachments": [first["hash"]]})


def test_files_are_served_below_any_base_path_without_a_token(make_api: MakeApi) -> None:
    api = make_api(token="secret")
    parts = [("file[]", ("a.txt", b"x"))]
    answer = api.http.post("/deep/v1/attachment/DEMO", files=parts, headers={"Token": "secret"})
    (file,) = answer.json()["result"]
    assert file["url"].startswith("http://emulator/deep/attachment/")
    assert api.http.get(file["url"]).content == b"x"
    assert len(api.app.requests) == 1


def test_upload_limits(api: Api) -> None:
    many = [("file[]", (f"{n}.txt", b"x")) for n in range(21)]
    assert api.call("POST", "/attachment/DEMO", files=many).status_code == 413
    big = [("file[]", ("big.bin", b"x" * (32 * 1024 * 1024 + 1)))]
    assert api.call("POST", "/attachment/DEMO", files=big).status_code == 413
    assert api.call("POST", "/attachment/DEMO", {"a": 1}).status_code == 422
    assert api.get("/attachment")["total"] == 0


# -- the small ones -------------------------------------------------------------------------------------


def test_environments_have_unique_slugs_and_no_times(api: Api) -> None:
    id = api.make("environment", title="E", slug="e", host="h")
    assert api.one("environment", id) == {"id": id, "title": "E", "description": None, "slug": "e", "host": "h"}
    assert "slug" in messages(api.refused(422, "POST", "/environment/DEMO", {"title": "F", "slug": "e"}))
    assert api.patch("environment", id, slug="f")["slug"] == "f"
    assert api.rows("/environment/DEMO", slug="e") == []
    assert api.ok("DELETE", f"/environment/DEMO/{id}")["result"] == {"id": id}


def test_configurations_stand_in_groups(api: Api) -> None:
    group = api.ok("POST", "/configuration/DEMO/group", {"title": "Browser"})["result"]["id"]
    id = api.ok("POST", "/configuration/DEMO", {"title": "Firefox", "group_id": group})["result"]["id"]
    api.refused(422, "POST", "/configuration/DEMO", {"title": "x", "group_id": 99})
    assert api.get("/configuration/DEMO")["entities"] == [
        {"id": group, "title": "Browser", "configurations": [{"id": id, "title": "Firefox"}]}]  # fmt: skip


def test_users_and_authors(api: Api) -> None:
    assert [user["name"] for user in api.rows("/user")] == ["Ada", "Bob"]
    assert api.get("/user/5")["status"] == 1
    (bob,) = api.rows("/author", search="bob@")
    assert (bob["entity_type"], bob["entity_id"]) == ("user", 5)
    assert api.rows("/author", type="app") == []


def test_shared_parameters(api: Api) -> None:
    item = {"title": "Browser", "values": ["a", "b"]}
    body = {"title": "P", "type": "single", "is_enabled_for_all_projects": True, "parameters": [item]}
    id = api.ok("POST", "/shared_parameter", body)["result"]["id"]
    assert api.get("/shared_parameter") == {"total": 1, "entities": [{"id": id, "project_codes": [], **body}]}
    case = api.make("case", title="C", parameters=[{"shared_id": id}])
    one = api.one("case", case)
    assert one["parameters"] == [{"shared_id": id, "type": "single", "item": item}]
    assert one["params"] == {"Browser": ["a", "b"]}
    api.refused(422, "PATCH", f"/shared_parameter/{id}", {"parameters": [item, item]})
    api.refused(422, "POST", "/shared_parameter", {**body, "type": "group"})
    api.ok("PATCH", f"/shared_parameter/{id}", {"title": "Q"})
    assert [row["title"] for row in api.rows("/shared_parameter", **{"filters[search]": "q"})] == ["Q"]
    api.ok("DELETE", f"/shared_parameter/{id}")
    assert api.one("case", case)["parameters"] == [] and api.one("case", case)["params"] == []


def test_times_have_three_spellings(api: Api) -> None:
    suite, case = api.make("suite", title="S"), api.make("case", title="C")
    one: dict[str, Any] = api.one("suite", suite)
    assert (one["created_at"], one["created"]) == ("2027-01-15T08:00:00+00:00", "2027-01-15 08:00:00")
    assert api.one("case", case)["created"] == "2027-01-15T08:00:00.000000Z"
    api.clock.now += 5
    one = api.patch("suite", suite, title="S")
    assert datetime.fromisoformat(one["updated_at"]) > datetime.fromisoformat(one["created_at"])
