"""Faults from outside, edits by a person, the paths under /_emulator, dumps."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from qase_iac.emulator import DroppedConnection, start_server
from qase_iac.emulator.faults import KINDS

from .conftest import Api, MakeApi


@pytest.mark.parametrize(("kind", "status", "done"), [
    ("429", 429, False), ("500", 500, False), ("502", 502, False), ("503", 503, False), ("504", 504, False),
    ("500-after", 500, True), ("502-after", 502, True), ("empty-body", 200, True), ("html", 200, True),
])  # fmt: skip
def test_faulty_answers(api: Api, kind: str, status: int, done: bool) -> None:
    fault = api.app.faults.add(kind, method="POST", path="^/suite", retry_after=7)
    api.rows("/suite/DEMO")
    answer = api.call("POST", "/suite/DEMO", {"title": "S"})
    assert (answer.status_code, fault.struck) == (status, 1)
    assert answer.headers.get("retry-after") == ("7" if kind == "429" else None)
    is_html = kind in ("502", "504", "502-after", "html")
    assert answer.headers["content-type"].startswith("text/html" if is_html else "application/json")
    assert len(api.rows("/suite/DEMO")) == done
    api.make("suite", title="S")  # it struck once


def test_after_and_times(api: Api) -> None:
    api.app.faults.add("500", path="/suite", after=2, times=2)
    statuses = [api.call("GET", "/suite/DEMO").status_code for _ in range(6)]
    assert statuses == [200, 200, 500, 500, 200, 200]
    api.app.faults.add("503", path="/suite", times=0)
    assert {api.call("GET", "/suite/DEMO").status_code for _ in range(5)} == {503}
    api.app.faults.clear()
    api.rows("/suite/DEMO")


def test_paths_match_with_their_query(api: Api) -> None:
    api.app.faults.add("500", path=r"offset=10\b")
    assert api.call("GET", "/suite/DEMO", params={"offset": 0}).status_code == 200
    assert api.call("GET", "/suite/DEMO", params={"offset": 10}).status_code == 500


@pytest.mark.parametrize(("kind", "done"), [("drop-before", False), ("drop-after", True), ("cut-off", True)])
def test_dropped_connections_in_process(api: Api, kind: str, done: bool) -> None:
    api.app.faults.add(kind, method="POST")
    with pytest.raises(DroppedConnection):
        api.call("POST", "/suite/DEMO", {"title": "S"})
    assert len(api.rows("/suite/DEMO")) == done
    assert [entry.status for entry in api.app.requests] == [200 if kind == "cut-off" else 0, 200]


@pytest.mark.parametrize(("kind", "done"), [("drop-before", False), ("drop-after", True), ("cut-off", True)])
def test_dropped_connections_over_a_socket(api: Api, kind: str, done: bool) -> None:
    with start_server(api.app) as server, httpx.Client(base_url=server.url) as client:
        client.get("/project")
        api.app.faults.add(kind, method="POST")
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/suite/DEMO", json={"title": "S"})
        assert client.get("/suite/DEMO").json()["result"]["total"] == done


def test_slow_faults_sleep_before_or_after(api: Api) -> None:
    naps: list[tuple[float, int]] = []
    api.app.faults.sleep = lambda seconds: naps.append((seconds, api.app.store.count("suite", "DEMO")))
    api.app.faults.add("slow", seconds=2.5)
    api.make("suite", title="S")
    api.app.faults.add("slow-after", seconds=1)
    api.make("suite", title="S")
    assert naps == [(2.5, 0), (1, 2)]


def test_lists_can_lie(api: Api) -> None:
    for _ in range(3):
        api.make("suite", title="S")
    api.app.faults.add("short-page", path="/suite")
    page = api.get("/suite/DEMO")
    assert (page["total"], page["count"], len(page["entities"])) == (3, 3, 2)
    api.app.faults.add("wrong-total", path="/suite", amount=-1)
    page = api.get("/suite/DEMO")
    assert (page["total"], page["filtered"], len(page["entities"])) == (2, 2, 3)
    api.app.faults.add("short-ids", path="/bulk")
    assert api.bulk({"title": "a"}, {"title": "b"}) == [1]
    assert len(api.rows("/case/DEMO")) == 2


def test_stale_lists_answer_as_of_the_moment_of_the_fault(api: Api) -> None:
    api.make("suite", title="old")
    api.app.faults.add("stale-list", path="/suite", seconds=10)
    api.make("suite", title="new")
    assert [row["title"] for row in api.rows("/suite/DEMO")] == ["old"]
    api.clock.now += 10
    assert [row["title"] for row in api.rows("/suite/DEMO")] == ["old", "new"]
    api.app.faults.add("stale-list", times=2)
    api.make("suite", title="newer")
    assert [len(api.rows("/suite/DEMO")) for _ in range(3)] == [2, 2, 3]


def test_a_late_write_is_answered_at_once_and_done_afterwards(api: Api) -> None:
    fault = api.app.faults.add("late", method="POST", path="/bulk", seconds=40)
    answer = api.call("POST", "/case/DEMO/bulk", {"cases": [{"title": "a"}, {"title": "b"}]})
    assert (answer.status_code, answer.headers["content-type"][:9], fault.struck) == (504, "text/html", 1)
    api.app.faults.clear()  # what was sent is on its way
    api.clock.now += 39.9
    assert (api.rows("/case/DEMO"), api.app.dump("DEMO")["cases"]) == ([], [])
    api.make("case", title="c")
    api.clock.now += 0.1
    assert [(row["id"], row["title"]) for row in api.rows("/case/DEMO")] == [(1, "c"), (2, "a"), (3, "b")]
    assert len([entry for entry in api.app.requests if entry.path.endswith("/bulk")]) == 1
    assert len(api.rows("/case/DEMO")) == 3


def test_a_dump_shows_what_is_due(api: Api) -> None:
    api.app.faults.add("late", method="POST", seconds=5)
    api.call("POST", "/suite/DEMO", {"title": "S"})
    assert api.app.dump("DEMO")["suites"] == []
    api.clock.now += 5
    assert [row["title"] for row in api.app.dump("DEMO")["suites"]] == ["S"]


@pytest.mark.parametrize("wrong", [{"kind": "explode"}, {"kind": "500", "patth": "x"}, {"kind": "500", "path": "("}])
def test_wrong_faults_are_refused(api: Api, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        api.app.faults.add(**wrong)


def test_every_kind_of_fault_can_be_added(api: Api) -> None:
    for kind, doc in KINDS.items():
        assert doc and api.app.faults.add(kind).kind == kind
    assert len(api.app.faults.describe()) == len(KINDS)


# -- by hand --------------------------------------------------------------------------------------------


def test_a_person_can_do_more_than_the_api_and_leaves_no_request(make_api: MakeApi) -> None:
    api = make_api(switches={"case_suite_null": "reject", "milestone_due_date_patch": "reject", "text_trim": "on"})
    ui = api.app.ui
    suite, stone = ui.create("DEMO", "suite", title="S"), ui.create("DEMO", "milestone", title="M")
    case = ui.create("DEMO", "case", title="C", suite_id=suite, milestone_id=stone, tags=["t"])
    api.clock.now += 5
    ui.edit("DEMO", "case", case, milestone_id=None, description=" a\\_b ", steps=[{"action": "x"}])
    ui.move("DEMO", "case", case, None)
    ui.edit("DEMO", "milestone", stone, due_date=0)
    hash = ui.create("DEMO", "shared_step", title="H", steps=[{"action": "1"}])
    ui.edit("DEMO", "shared_step", hash, steps=[{"action": "2"}])
    ui.edit("DEMO", "case", case, steps=[{"shared": hash}])
    assert api.app.requests == []
    one = api.one("case", case)
    assert (one["suite_id"], one["milestone_id"], one["description"]) == (None, None, " a\\_b ")
    assert one["updated_at"] > one["created_at"] and one["steps"][0]["action"] == "2"
    assert api.one("shared_step", hash)["cases"] == [case]
    assert api.one("milestone", stone)["due_date"] == "1970-01-01T00:00:00+00:00"
    ui.delete("DEMO", "suite", suite)
    assert api.rows("/suite/DEMO") == []
    ui.edit("", "project", "DEMO", title="Renamed")
    assert api.get("/project/DEMO")["title"] == "Renamed"
    with pytest.raises(ValueError, match="unknown kind"):
        ui.edit("DEMO", "cases", case)


def test_control_paths(make_api: MakeApi) -> None:
    closed = make_api()
    assert closed.http.post("/_emulator/faults", json={"kind": "500"}).status_code == 404
    api = make_api(control=True)
    http = api.http
    assert http.post("/_emulator/faults", json={"kind": "500", "path": "/suite"}).json()["result"][0]["struck"] == 0
    assert http.get("/v1/suite/DEMO").status_code == 500
    assert http.get("/v1/_emulator/faults").json()["result"][0]["struck"] == 1
    assert http.delete("/_emulator/faults").json()["result"] == []
    made = http.post("/_emulator/ui", json={"action": "create", "project": "DEMO", "kind": "case",
                                            "fields": {"title": "C"}}).json()  # fmt: skip
    assert made["result"] == {"id": 1}
    edit = {"action": "edit", "project": "DEMO", "kind": "case", "id": 1, "fields": {"title": "D"}}
    assert http.post("/_emulator/ui", json=edit).status_code == 200
    assert http.get("/_emulator/dump/DEMO?normalised=1").json()["result"]["cases"][0]["title"] == "D"
    assert [one["path"] for one in http.get("/_emulator/requests").json()["result"]] == ["/suite/DEMO"]
    assert http.delete("/_emulator/requests").json()["result"] == []
    for path, body, status in (("ui", {"action": "close"}, 422), ("ui", {"action": "edit", "project": "DEMO", "kind": "case",
                               "id": 9}, 404), ("faults", {"kind": "x"}, 422), ("nothing", {}, 404)):  # fmt: skip
        assert http.post(f"/_emulator/{path}", json=body).status_code == status


# -- dumps ----------------------------------------------------------------------------------------------


def fill(api: Api, *, backwards: bool) -> None:
    """The same content, made in another order so that every id differs."""
    if backwards:
        api.bulk({"title": "noise"})
        api.ok("DELETE", "/case/DEMO/1")
    field = api.rows("/custom_field")[0]["id"]
    stone = api.make("milestone", title="M", due_date=5)
    (file,) = api.upload(("f.txt", b"x"))
    hash = api.make("shared_step", title="H", steps=[{"action": "1"}, {"action": "2"}])
    suites = ["a", "b"] if not backwards else ["b", "a"]
    ids = {title: api.make("suite", title=title) for title in suites}
    inner = api.make("suite", title="in", parent_id=ids["a"])
    cases = [{"title": "x", "suite_id": inner, "milestone_id": stone, "tags": ["t2", "t1"], "severity": 2,
              "steps": [{"shared": hash}, {"action": "own", "steps": [{"action": "in"}]}],
              "custom_field": {str(field): "1,2"}, "attachments": [file["hash"]], "steps_type": "classic"},
             {"title": "y", "suite_id": ids["b"], "description": "", "parameters": [{"title": "p", "values": ["1"]}]}]  # fmt: skip
    made = api.bulk(*(cases if not backwards else cases[::-1]))
    api.make("plan", title="P", cases=made)
    api.make("environment", title="E", slug="e")
    group = api.ok("POST", "/configuration/DEMO/group", {"title": "G"})["result"]["id"]
    api.ok("POST", "/configuration/DEMO", {"title": "C", "group_id": group})


def test_normalised_dumps_of_equal_projects_are_equal(make_api: MakeApi) -> None:
    fields = [{"title": "F", "type": "multiselect", "options": ["A", "B"]}, {"title": "G", "type": "checkbox"}]
    first = make_api(seed={"custom_fields": fields})
    second = make_api(seed={"custom_fields": fields[::-1], "salt": "other"})
    fill(first, backwards=False)
    second.clock.now += 1000
    fill_order = [row["title"] for row in second.rows("/custom_field")]
    assert fill_order == ["G", "F"]
    second.ok("DELETE", "/custom_field/1")
    fill(second, backwards=True)
    one, other = first.app.dump("DEMO", normalised=True), second.app.dump("demo", normalised=True)
    assert one == other
    assert first.app.dump("DEMO") != second.app.dump("DEMO")
    x = next(case for case in one["cases"] if case["title"] == "x")
    assert (x["suite"], x["milestone"], x["tags"], x["custom_fields"]) == (
        ["a", "in"],
        "M",
        ["t1", "t2"],
        {"F": ["A", "B"]},
    )
    assert x["steps"][0] == {"shared": "H"} and x["severity"] == "critical"
    assert one["plans"][0]["cases"] == [["a", "in", "x"], ["b", "y"]]


@pytest.mark.parametrize("change", [
    {"title": "z"}, {"description": "d"}, {"severity": 1}, {"suite_id": None}, {"tags": []}, {"steps": [{"action": "1"}]},
    {"attachments": []}, {"milestone_id": None}, {"parameters": [{"title": "q", "values": []}]}, {"status": 1},
    {"custom_field": {"1": "1"}}, {"automation": 2}, {"steps_type": "gherkin"},
])  # fmt: skip
def test_dumps_tell_every_difference(make_api: MakeApi, change: dict[str, Any]) -> None:
    api = make_api(seed={"custom_fields": [{"title": "F", "type": "multiselect", "options": ["A", "B"]}]})
    fill(api, backwards=False)
    before = api.app.dump("DEMO", normalised=True)
    api.patch("case", 1, **change)
    assert api.app.dump("DEMO", normalised=True) != before
