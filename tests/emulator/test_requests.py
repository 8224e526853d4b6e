"""What every request goes through: paths, tokens, roles, JSON, limits, paging, error bodies."""

from __future__ import annotations

import pytest

from .conftest import Api, MakeApi, messages


def test_any_base_path_is_served(api: Api) -> None:
    for path in ("/v1/project", "/some/where/v1/project", "/project"):
        assert api.http.get(path).json()["result"]["total"] == 1


def test_token_is_asked_for_once_there_is_one(make_api: MakeApi) -> None:
    api = make_api(token="secret")
    body = api.refused(401, "GET", "/project")
    assert body == {"status": False, "errorMessage": "Unauthenticated."}
    api.headers = {"Token": "wrong"}
    api.refused(401, "GET", "/nothing/here")
    api.headers = {"Token": "secret"}
    assert api.get("/project")["total"] == 1


def test_check_order_is_token_project_role_json_fields_entity(make_api: MakeApi) -> None:
    api = make_api(token="boss", seed={"tokens": {"look": "reader"}})
    broken = {"content": b"{", "headers": {"Token": "look"}}
    assert api.http.patch("/v1/suite/NONE/9", content=b"{").status_code == 401
    assert api.http.patch("/v1/suite/NONE/9", **broken).status_code == 404
    assert api.http.patch("/v1/suite/DEMO/9", **broken).status_code == 403
    broken["headers"] = {"Token": "boss"}
    answer = api.http.patch("/v1/suite/DEMO/9", **broken)
    assert (answer.status_code, answer.json()["errorMessage"]) == (400, "Invalid payload, expected valid json.")
    api.headers = {"Token": "boss"}
    api.refused(422, "PATCH", "/suite/DEMO/9", {"title": 5})
    assert api.refused(404, "PATCH", "/suite/DEMO/9", {"title": "x"})["errorMessage"] == "Suite not found"


def test_reader_reads(make_api: MakeApi) -> None:
    api = make_api(tokens={"look": "reader"})
    api.headers = {"Token": "look"}
    assert api.get("/project")["total"] == 1
    api.refused(403, "POST", "/suite/DEMO", {"title": "x"})
    assert api.rows("/suite/DEMO") == []


@pytest.mark.parametrize("content", [b"[1]", b'"x"', b"{", b"\xff", b'{"title": NaN}', b'{"title": "\\ud800"}',
                                     b'{"a":' * 100_000])  # fmt: skip
def test_bodies_that_are_no_json_object(api: Api, content: bytes) -> None:
    answer = api.http.post("/v1/suite/DEMO", content=content)
    assert answer.status_code == 400, answer.text


def test_steps_nested_past_all_reason_are_refused(api: Api) -> None:
    step: dict[str, object] = {"action": "deep"}
    for _ in range(60):
        step = {"action": "x", "steps": [step]}
    api.refused(422, "POST", "/case/DEMO", {"title": "x", "steps": [step]})


def test_unknown_paths_methods_and_formats(api: Api) -> None:
    assert api.call("GET", "/nothing").status_code == 404
    answer = api.call("PUT", "/suite/DEMO")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert api.http.get("/v1/project", headers={"Accept": "text/html"}).status_code == 406
    assert api.refused(402, "GET", "/search", params={"query": "x"})["status"] is False


@pytest.mark.parametrize("id", ["abc", "0", "-1", "1.0", "99999999999999999999999", "²"])
def test_ids_that_lead_nowhere(api: Api, id: str) -> None:
    api.make("suite", title="S")
    api.refused(404, "GET", f"/suite/DEMO/{id}")


def test_rate_limit_locks_out_for_a_minute(make_api: MakeApi) -> None:
    api = make_api(rate_limit=3)
    for _ in range(3):
        api.get("/project")
    answer = api.call("GET", "/project")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    api.clock.now += 59
    assert api.call("GET", "/project").status_code == 429
    api.clock.now += 1
    api.get("/project")


def test_rate_limit_slides_and_is_per_token(make_api: MakeApi) -> None:
    api = make_api(rate_limit=2, tokens={"a": "owner", "b": "owner"})
    api.headers = {"Token": "a"}
    api.get("/project")
    api.clock.now += 40
    api.get("/project")
    api.clock.now += 21  # the first is out of the window, the second is not
    api.get("/project")
    assert api.call("GET", "/project").status_code == 429
    api.headers = {"Token": "b"}
    api.get("/project")


def test_lists_hold_ten_rows_unless_asked(api: Api) -> None:
    for number in range(12):
        api.make("suite", title=f"S{number}")
    first = api.get("/suite/DEMO")
    assert (first["total"], first["filtered"], first["count"], len(first["entities"])) == (12, 12, 10, 10)
    rest = api.get("/suite/DEMO", offset=10)
    assert [row["id"] for row in rest["entities"]] == [11, 12]
    assert api.get("/suite/DEMO", offset=12)["entities"] == []
    found = api.get("/suite/DEMO", search="s1", limit=2)
    assert (found["total"], found["filtered"], found["count"]) == (12, 3, 2)


def test_limit_is_clamped(api: Api) -> None:
    for number in range(101):
        api.make("suite", title=f"S{number}")
    assert api.get("/suite/DEMO", limit=1000)["count"] == 100
    assert api.get("/suite/DEMO", limit=0)["count"] == 1
    assert "limit" in messages(api.refused(422, "GET", "/suite/DEMO", params={"limit": "many"}))


def test_unknown_keys_are_ignored_unless_strict(api: Api, make_api: MakeApi) -> None:
    api.make("suite", title="S", titel="T")
    strict = make_api(strict=True)
    body = strict.refused(422, "POST", "/suite/DEMO", {"title": "S", "titel": "T"})
    assert messages(body) == {"titel": "Unknown field titel."}
    case = {"title": "C", "steps": [{"action": "a", "expected": "b"}]}
    assert "steps.0.expected" in messages(strict.refused(422, "POST", "/case/DEMO", case))
    assert "position" in messages(strict.refused(422, "POST", "/suite/DEMO", {"title": "S", "position": 1}))
    bulk = {"cases": [{"title": "C", "nope": 1}]}
    assert "cases.0.nope" in messages(strict.refused(422, "POST", "/case/DEMO/bulk", bulk))


def test_requests_are_logged(api: Api) -> None:
    api.make("suite", title="S")
    api.call("GET", "/suite/DEMO", params={"limit": 5})
    post, get = api.app.requests
    assert (post.method, post.path, post.status) == ("POST", "/suite/DEMO", 200)
    assert (get.method, get.path, get.query, get.digest) == ("GET", "/suite/DEMO", "limit=5", "")
    assert len(post.digest) == 16


@pytest.mark.parametrize("title", [None, "", "  ", 5, True, [], "x" * 256])
@pytest.mark.parametrize("kind", ["suite", "case", "milestone", "shared_step", "plan"])
def test_titles_are_required_texts_of_255(api: Api, kind: str, title: object) -> None:
    case = api.make("case", title="a case")
    body = {"title": title, "cases": [case], "steps": [{"action": "a"}]}
    assert "title" in messages(api.refused(422, "POST", f"/{kind}/DEMO", body))
    api.make(kind, **{**body, "title": "😀" * 255})
