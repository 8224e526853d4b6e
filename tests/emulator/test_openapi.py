"""Every answer fits the published OpenAPI description, and the description has been covered."""

from __future__ import annotations

import pytest

from .conftest import Api, MakeApi
from .openapi_contract import PATH, Contract
from .test_faults import fill

FIELDS = [{"title": "F", "type": "multiselect", "options": ["A", "B"]}]
# Runs, results and defects are left out of the emulator; reviews, search and issues answer 402.
LEFT_OUT = ("/run", "/result", "/defect", "/review", "/search", "/case/{code}/external-issue")


@pytest.fixture
def watched(make_api: MakeApi) -> Api:
    api = make_api(seed={"custom_fields": FIELDS})
    api.app.observer = Contract.load()
    return api


def exercise(api: Api) -> None:
    """Each operation at least once, with every field that the description knows."""
    fill(api, backwards=False)
    hash = api.rows("/shared_step/DEMO")[0]["hash"]
    group = [{"title": "User", "values": ["x"]}, {"title": "Role", "values": ["y"]}]
    single = {"title": "OS", "values": ["a"]}
    shared = api.ok("POST", "/shared_parameter", {"title": "P", "type": "group", "is_enabled_for_all_projects": True,
                                                  "parameters": group, "project_codes": []})["result"]["id"]  # fmt: skip
    body = {"title": "C", "description": "d", "preconditions": "p", "postconditions": "q", "severity": 1, "priority": 1,
            "behavior": 2, "type": 2, "layer": 1, "is_flaky": 1, "suite_id": 1, "milestone_id": 1, "automation": 1,
            "isManual": True, "isToBeAutomated": True, "status": 1, "steps_type": "classic", "attachments": [],
            "steps": [{"action": "a", "expected_result": "e", "data": "d", "position": 1, "attachments": [],
                       "steps": [{"action": "b"}]}, {"shared": hash}], "tags": ["t"],
            "parameters": [single, {"items": group}, {"shared_id": shared}], "custom_field": {"1": "1,2"}}  # fmt: skip
    case = api.make("case", **body, created_at="2026-01-02 03:04:05", updated_at="2026-01-02 03:04:05")
    api.patch("case", case, **body, params={"old": ["1"]})
    api.patch("case", case, suite_id=None, milestone_id=None, params=None, parameters=None)
    api.make("case", title="G", steps_type="gherkin", steps=[{"value": "Given"}])
    api.bulk({"title": "C", "id": 70}, {"title": "D", "id": None})
    for kind, id, change in (("suite", 1, {"title": "S", "description": "d", "preconditions": "p", "parent_id": None}),
                             ("milestone", 1, {"title": "M", "description": "", "status": "completed", "due_date": 9}),
                             ("plan", 1, {"title": "P", "description": None, "cases": [1]}),
                             ("environment", 1, {"title": "E", "slug": "f", "host": "h", "description": "d"}),
                             ("shared_step", hash, {"title": "S", "steps": [{"action": "a", "steps": [{"action": "b"}]}]})):  # fmt: skip
        api.patch(kind, id, **change)
        api.rows(f"/{kind}/DEMO", **({"search": "S"} if kind != "plan" else {}))
    reads(api, shared)
    removals(api, case, hash, shared)


def reads(api: Api, shared: str) -> None:
    api.rows("/case/DEMO", search="C", severity="blocker", priority="high", type="smoke", behavior="positive", suite_id=1,
             milestone_id=1, status="actual", automation="automated")  # fmt: skip
    for path in ("/project", "/custom_field", "/attachment", "/user", "/author", "/shared_parameter"):
        api.rows(path, offset=0)
    for path in ("/project/DEMO", "/custom_field/1", "/user/1", "/author/1", "/system_field", "/configuration/DEMO",
                 f"/shared_parameter/{shared}", f"/attachment/{api.rows('/attachment')[0]['hash']}"):  # fmt: skip
        api.get(path)
    api.rows(
        "/shared_parameter", **{"filters[search]": "P", "filters[type]": "group", "filters[project_codes][]": "DEMO"}
    )
    api.rows("/custom_field", entity="case", type="multiselect")
    api.rows("/author", search="a", type="user")
    api.rows("/environment/DEMO", slug="e", search="E")
    api.refused(404, "GET", "/suite/DEMO/999")
    api.refused(422, "POST", "/suite/DEMO", {"title": ""})


def removals(api: Api, case: int, hash: str, shared: str) -> None:
    options = [{"id": 1, "title": "A"}]
    body = {"title": "N", "entity": 0, "type": 3, "value": options, "placeholder": None, "default_value": None,
            "is_filterable": True, "is_visible": True, "is_required": False, "is_enabled_for_all_projects": False,
            "projects_codes": ["DEMO"]}  # fmt: skip
    field = api.ok("POST", "/custom_field", body)["result"]["id"]
    api.get(f"/custom_field/{field}")
    api.ok("PATCH", f"/custom_field/{field}", {"title": "N", "value": options, "replace_values": None})
    api.ok("DELETE", f"/custom_field/{field}")
    api.ok("PATCH", f"/shared_parameter/{shared}", {"title": "Q", "project_codes": ["DEMO"]})
    api.ok("DELETE", f"/shared_parameter/{shared}")
    api.ok("DELETE", f"/attachment/{api.rows('/attachment')[0]['hash']}")
    api.rows("/case/DEMO")
    for path in (
        f"/case/DEMO/{case}",
        "/plan/DEMO/1",
        f"/shared_step/DEMO/{hash}",
        "/milestone/DEMO/1",
        "/environment/DEMO/1",
    ):
        api.ok("DELETE", path)
    api.ok("DELETE", "/suite/DEMO/1", {"destination_id": 2})
    api.ok("DELETE", "/suite/DEMO/2")
    api.ok("POST", "/project", {"title": "N", "code": "NEW", "description": "d", "access": "all", "settings": {}})
    api.ok("POST", "/project/NEW/access", {"member_id": 5})
    api.ok("DELETE", "/project/NEW/access", {"member_id": 5})
    api.ok("DELETE", "/project/NEW")


def test_answers_fit_the_description_and_cover_it(watched: Api) -> None:
    exercise(watched)
    contract = watched.app.observer
    assert isinstance(contract, Contract)
    assert contract.breaches == []
    from .openapi_contract import _document

    described = {(method.upper(), path) for path, item in _document()["paths"].items() for method in item
                 if method in ("get", "post", "patch", "delete") and not path.startswith(LEFT_OUT)}  # fmt: skip
    assert described - contract.seen == set()


@pytest.mark.parametrize("switches", [
    {"shared_rows": "one", "shared_nested": "flattened", "multiselect_read": "comma", "text_null": "empty"},
    {"list_order": "reverse", "attachment_hash": "content", "due_date_offset": "-03:00", "text_empty": "null"},
])  # fmt: skip
def test_switches_stay_inside_the_description(make_api: MakeApi, switches: dict[str, str]) -> None:
    api = make_api(seed={"custom_fields": FIELDS}, switches=switches)
    contract = api.app.observer = Contract.load()
    exercise(api)
    assert contract.breaches == []


@pytest.mark.parametrize(("switches", "breach"), [
    ({"ids_as_strings": "on"}, "is not of type 'integer'"), ({"extra_fields": "on"}, "x_new is not described"),
    ({"is_manual_type": "int"}, "is not of type 'boolean'"), ({"enum_style": "slug"}, "is not of type 'integer'"),
])  # fmt: skip
def test_the_contract_notices(make_api: MakeApi, switches: dict[str, str], breach: str) -> None:
    api = make_api(switches=switches)
    contract = api.app.observer = Contract.load()
    api.make("suite", title="S")
    api.one("case", api.make("case", title="C", suite_id=1))
    assert any(breach in one for one in contract.breaches), contract.breaches


def test_the_contract_notices_wrong_requests(watched: Api) -> None:
    contract = watched.app.observer
    assert isinstance(contract, Contract)
    watched.make("suite", title="S", titel="T")
    watched.rows("/suite/DEMO", serach="x")
    assert [one.split(": ", 1)[1] for one in contract.breaches] == [
        "the key titel is not described", "the parameter serach is not described"]  # fmt: skip
    assert PATH.name == "openapi-v1.json"
