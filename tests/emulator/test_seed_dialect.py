"""The dialect of 2020 (sections 3 to 10): paths, envelopes and words of the page of that year."""

from __future__ import annotations

import re

import pytest

from .conftest import Api, MakeApi


@pytest.fixture
def old(make_api: MakeApi) -> Api:
    return make_api(dialect="seed", seed={"custom_fields": [{"title": "F", "type": "string", "projects": ["DEMO"]}]})


def test_projects_are_listed_in_the_plural(old: Api) -> None:
    assert old.get("/projects")["entities"][0]["code"] == "DEMO"
    assert old.call("GET", "/project").status_code == 405
    assert old.ok("POST", "/project", {"title": "N", "code": "NEW"}) == {"status": True, "id": 2}
    assert isinstance(old.ok("GET", "/project/NEW")["result"], dict)


@pytest.mark.parametrize("kind", ["suite", "milestone", "case"])
def test_writes_answer_with_an_id_at_the_top_or_nothing(old: Api, kind: str) -> None:
    assert old.ok("POST", f"/{kind}/DEMO", {"title": "T"}) == {"status": True, "id": 1}
    assert old.ok("PATCH", f"/{kind}/DEMO/1", {"title": "U"}) == {"status": True}
    (one,) = old.ok("GET", f"/{kind}/DEMO/1")["result"]
    assert one["title"] == "U" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000Z", one["created"])
    assert "created_at" not in one
    assert old.ok("DELETE", f"/{kind}/DEMO/1") == {"status": True}
    assert old.call("GET", f"/{kind}/DEMO/1").status_code == 404


def test_shared_steps_answer_with_a_number_that_leads_nowhere(old: Api) -> None:
    made = old.ok("POST", "/shared_step/DEMO", {"title": "S", "action": "a", "expected_result": "e"})
    assert made == {"status": True, "id": 1}
    (row,) = old.rows("/shared_step/DEMO")
    assert row["action"] == "a" and len(row["hash"]) == 40
    for path in ("shared_step", "shared_steps"):
        assert old.ok("GET", f"/{path}/DEMO/{row['hash']}")["result"] == [row]
    assert old.ok("PATCH", f"/shared_steps/DEMO/{row['hash']}", {"title": "T"}) == {"status": True}
    assert old.call("GET", "/shared_step/DEMO/1").status_code == 404
    assert old.ok("DELETE", f"/shared_step/DEMO/{row['hash']}") == {"status": True}


def test_plans_answer_objects_and_delete_with_a_text(old: Api) -> None:
    old.bulk({"title": "a"})
    assert old.ok("POST", "/plan/DEMO", {"title": "P", "cases": [1]}) == {"status": True, "result": {"id": 1}}
    assert old.ok("PATCH", "/plan/DEMO/1", {"title": "Q"})["result"] == {"id": 1}
    assert old.ok("GET", "/plan/DEMO/1")["result"]["cases"] == [{"case_id": 1, "assignee_id": None}]
    assert old.ok("DELETE", "/plan/DEMO/1") == {"status": True, "result": {"id": "1"}}


def test_option_fields_are_numbers_in_lists_and_words_in_singles(old: Api) -> None:
    old.ok("POST", "/case/DEMO", {"title": "C", "severity": 1, "status": 2, "automation": 2})
    (row,) = old.rows("/case/DEMO")
    assert (row["severity"], row["priority"], row["type"], row["behavior"]) == (1, 0, 1, 1)
    (one,) = old.ok("GET", "/case/DEMO/1")["result"]
    assert (one["severity"], one["priority"], one["type"], one["behavior"]) == (
        "blocked",
        "undefined",
        "other",
        "undefined",
    )
    assert (one["is_automated"], one["is_deprecated"], one["links"], one["revision"]) == (True, True, [], 1)


def test_filters_are_bracketed_and_pages_hold_a_hundred(old: Api) -> None:
    old.bulk(*({"title": f"C{n}", "severity": n % 7, "status": 2 if n == 3 else 0} for n in range(101)))
    page = old.get("/case/DEMO")
    assert (page["total"], page["count"]) == (101, 100)
    assert old.get("/case/DEMO", **{"filters[search]": "C10"})["filtered"] == 2
    assert old.get("/case/DEMO", **{"filters[severity]": "blocked"})["filtered"] == 15
    assert old.get("/case/DEMO", **{"filters[is_deprecated]": "true"})["filtered"] == 1
    assert old.get("/case/DEMO", **{"filters[is_automated]": "0"})["filtered"] == 101
    assert old.get("/case/DEMO", search="C10")["filtered"] == 101


def test_an_empty_patch_is_an_error(old: Api) -> None:
    old.ok("POST", "/suite/DEMO", {"title": "S"})
    assert old.refused(400, "PATCH", "/suite/DEMO/1", {})["errorMessage"] == "At least one field is required."


def test_custom_fields_belong_to_projects(old: Api) -> None:
    (row,) = old.rows("/custom_field/DEMO")
    assert (row["title"], row["type"]) == ("F", "String")
    assert old.get("/custom_field/DEMO/1") == row
    old.ok("POST", "/project", {"title": "N", "code": "NEW"})
    assert old.rows("/custom_field/NEW") == []
    old.refused(404, "GET", "/custom_field/NEW/1")
    assert old.get("/custom_field/1")["id"] == 1


def test_suites_do_not_count_their_cases(old: Api) -> None:
    old.ok("POST", "/suite/DEMO", {"title": "S"})
    assert set(old.rows("/suite/DEMO")[0]) == {
        "id", "title", "description", "preconditions", "position", "parent_id", "created", "updated"}  # fmt: skip
