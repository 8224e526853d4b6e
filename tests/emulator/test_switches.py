"""Every value of every switch changes something that a client can see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qase_iac.emulator import SWITCHES, Settings, create_app

from .conftest import Api, MakeApi

Probe = Callable[[Api], Any]
PROBES: dict[str, Probe] = {}


def probe(name: str) -> Callable[[Probe], Probe]:
    def register(function: Probe) -> Probe:
        PROBES[name] = function
        return function

    return register


def attempt(api: Api, method: str, path: str, body: Any = None, **keywords: Any) -> tuple[int, Any]:
    response = api.call(method, path, body, **keywords)
    return response.status_code, response.json() if response.content else None


@probe("case_suite_null")
def _(api: Api) -> Any:
    id = api.make("case", title="C", suite_id=api.make("suite", title="S"))
    return attempt(api, "PATCH", f"/case/DEMO/{id}", {"suite_id": None})[0], api.one("case", id)["suite_id"]


@probe("case_milestone_null")
def _(api: Api) -> Any:
    id = api.make("case", title="C", milestone_id=api.make("milestone", title="M"))
    return attempt(api, "PATCH", f"/case/DEMO/{id}", {"milestone_id": None})[0], api.one("case", id)["milestone_id"]


@probe("milestone_due_date_patch")
def _(api: Api) -> Any:
    id = api.make("milestone", title="M", due_date=0)
    return attempt(api, "PATCH", f"/milestone/DEMO/{id}", {"due_date": None})[0], api.one("milestone", id)["due_date"]


@probe("suite_destination_descendants")
def _(api: Api) -> Any:
    a = api.make("suite", title="a")
    b = api.make("suite", title="b", parent_id=a)
    api.bulk({"title": "in a", "suite_id": a}, {"title": "in b", "suite_id": b})
    api.ok("DELETE", f"/suite/DEMO/{a}", {"destination_id": api.make("suite", title="to")})
    return [row["title"] for row in api.rows("/case/DEMO")]


@probe("bulk_id_in_use")
def _(api: Api) -> Any:
    api.bulk({"title": "old"}, {"title": "trashed"})
    api.ok("DELETE", "/case/DEMO/2")
    answers = [attempt(api, "POST", "/case/DEMO/bulk", {"cases": [{"title": "new", "id": id}]})[0] for id in (1, 2)]
    return answers, [row["title"] for row in api.rows("/case/DEMO")]


@probe("bulk_max")
def _(api: Api) -> Any:
    cases = [{"title": "C"}]
    return [attempt(api, "POST", "/case/DEMO/bulk", {"cases": cases * n})[0] for n in (1, 2, 20, 21, 100, 101)]


@probe("bulk_partial")
def _(api: Api) -> Any:
    cases = [{"title": "a"}, {"title": "b"}, {"title": ""}, {"title": "c"}]
    status = attempt(api, "POST", "/case/DEMO/bulk", {"cases": cases})[0]
    return status, [row["title"] for row in api.rows("/case/DEMO")]


@probe("bulk_attachments_need_type")
def _(api: Api) -> Any:
    hash = api.upload(("a.txt", b"x"))[0]["hash"]
    api.bulk({"title": "a", "attachments": [hash]}, {"title": "b", "attachments": [hash], "steps_type": "classic"})
    return [len(row["attachments"]) for row in api.rows("/case/DEMO")]


def texts(text: str | None) -> Probe:
    def probe(api: Api) -> Any:
        step = {"action": "x", "expected_result": text, "data": text}
        one = api.one("case", api.make("case", title="C", description=text, steps=[step]))
        suite = api.one("suite", api.make("suite", title="S", preconditions=text))
        plan = api.one("plan", api.make("plan", title="P", cases=[one["id"]], description=text))
        return one["description"], one["steps"][0]["data"], suite["preconditions"], plan["description"]

    return probe


PROBES |= {"text_trim": texts(" a\n"), "text_empty": texts(""), "text_null": texts(None), "text_crlf": texts("a\r\nb\rc"),
           "text_html": texts("a < b & <i>")}  # fmt: skip


def shared(api: Api) -> Any:
    steps = [{"action": "1"}, {"action": "2", "steps": [{"action": "2a"}]}]
    hash = api.make("shared_step", title="S", steps=steps)
    rows = api.one("case", api.make("case", title="C", steps=[{"shared": hash}]))["steps"]
    return [(row["action"], len(row["steps"])) for row in rows]


PROBES |= {"shared_rows": shared, "shared_nested": shared}


@probe("multiselect_read")
def _(api: Api) -> Any:
    body = {"title": "F", "entity": 0, "type": 6, "value": [{"title": "A"}, {"title": "B"}],
            "is_enabled_for_all_projects": True}  # fmt: skip
    id = api.ok("POST", "/custom_field", body)["result"]["id"]
    return api.one("case", api.make("case", title="C", custom_field={str(id): "1,2"}))["custom_fields"]


@probe("empty_array_patch")
def _(api: Api) -> Any:
    hash = api.upload(("a.txt", b"x"))[0]["hash"]
    id = api.make("case", title="C", steps=[{"action": "x"}], tags=["t"], attachments=[hash],
                  parameters=[{"title": "a", "values": ["1"]}])  # fmt: skip
    plan = api.make("plan", title="P", cases=[id])
    one = api.patch("case", id, steps=[], tags=[], attachments=[], parameters=[], params=[])
    return [len(one[key]) for key in ("steps", "tags", "attachments", "parameters")], api.patch("plan", plan, cases=[])[
        "cases_count"
    ]


@probe("params_and_parameters")
def _(api: Api) -> Any:
    body = {"title": "C", "params": {"old": ["1"]}, "parameters": [{"title": "new", "values": ["2"]}]}
    status, answer = attempt(api, "POST", "/case/DEMO", body)
    return status, api.one("case", answer["result"]["id"])["params"] if status == 200 else None


@probe("list_order")
def _(api: Api) -> Any:
    api.bulk(*({"title": "C"} for _ in range(12)))
    pages = [row["id"] for offset in (0, 5, 10) for row in api.rows("/case/DEMO", limit=5, offset=offset)]
    assert sorted(pages) == list(range(1, 13)) and pages == [row["id"] for row in api.rows("/case/DEMO")]
    return pages


@probe("plan_case_order")
def _(api: Api) -> Any:
    a, b, c = api.bulk({"title": "a"}, {"title": "b"}, {"title": "c"})
    return [row["case_id"] for row in api.one("plan", api.make("plan", title="P", cases=[b, c, a]))["cases"]]


@probe("plan_patch_assignees")
def _(api: Api) -> Any:
    id = api.make("plan", title="P", cases=api.bulk({"title": "a"}, {"title": "b"}))
    api.app.ui.assign("DEMO", id, 1, 5)
    return api.patch("plan", id, cases=[1])["cases"]


@probe("tag_case")
def _(api: Api) -> Any:
    return [tag["title"] for tag in api.one("case", api.make("case", title="C", tags=["A", "a"]))["tags"]]


@probe("foreign_id")
def _(api: Api) -> Any:
    case = api.make("case", title="C")
    bodies = {
        "suite": {"title": "S", "parent_id": 9},
        "plan": {"title": "P", "cases": [case, 9]},
        "case": {"title": "C", "suite_id": 9, "milestone_id": 9, "attachments": ["x"], "steps": [{"shared": "x"}]},
    }
    return [attempt(api, "POST", f"/{kind}/DEMO", body)[0] for kind, body in bodies.items()], [
        row["id"] for row in api.rows("/case/DEMO")
    ]


@probe("suite_filter_recurses")
def _(api: Api) -> Any:
    a = api.make("suite", title="a")
    api.make("case", title="C", suite_id=api.make("suite", title="b", parent_id=a))
    return api.get("/case/DEMO", suite_id=a)["filtered"]


@probe("code_case")
def _(api: Api) -> Any:
    code = api.ok("POST", "/project", {"title": "P", "code": "Mix"})["result"]["code"]
    api.ok("POST", "/suite/MIX", {"title": "S"})
    assert api.get("/suite/mix")["total"] == 1
    return code, [row["code"] for row in api.rows("/project")]


@probe("code_reuse")
def _(api: Api) -> Any:
    api.ok("DELETE", "/project/DEMO")
    return attempt(api, "POST", "/project", {"title": "P", "code": "DEMO"})[0]


@probe("old_aliases")
def _(api: Api) -> Any:
    api.make("suite", title="S")
    return [
        attempt(api, "GET", path)[0] for path in ("/projects", "/shared_steps/DEMO", "/custom_field/DEMO")
    ], api.get("/suite/DEMO", **{"filters[search]": "nothing"})["filtered"]


@probe("error_body")
def _(api: Api) -> Any:
    return attempt(api, "POST", "/suite/DEMO", {}), attempt(api, "GET", "/suite/DEMO/9")


@probe("review_mandatory")
def _(api: Api) -> Any:
    api.app.ui.create("DEMO", "case", title="C")
    answers = [attempt(api, "PATCH", "/case/DEMO/1", {"title": "D"})[0], attempt(api, "POST", "/case/DEMO", {"title": "E"})[0],
               attempt(api, "POST", "/case/DEMO/bulk", {"cases": [{"title": "F"}]})[0]]  # fmt: skip
    return answers, [row["title"] for row in api.rows("/case/DEMO")]


@probe("steps_type_only")
def _(api: Api) -> Any:
    id = api.make("case", title="C", steps=[{"action": "a"}, {"action": "b"}])
    there = api.patch("case", id, steps_type="gherkin")
    back = api.patch("case", id, steps_type="classic")
    return [(one["steps_type"], [row["action"] for row in one["steps"]]) for one in (there, back)], len(back["steps"])


@probe("limit_out_of_range")
def _(api: Api) -> Any:
    return [
        attempt(api, "GET", "/suite/DEMO", params=params)[0]
        for params in ({"limit": 101}, {"limit": 0}, {"offset": -1})
    ]


@probe("patch_bumps_updated")
def _(api: Api) -> Any:
    id = api.make("case", title="C")
    api.clock.now += 10
    idle = api.patch("case", id, title="C")["updated_at"]
    assert api.patch("case", id, title="D")["updated_at"] == "2027-01-15T08:00:10+00:00"
    return idle


@probe("attachment_hash")
def _(api: Api) -> Any:
    a, b, c = api.upload(("a.txt", b"x"), ("b.txt", b"x"), ("c.txt", b"y"))
    return a["hash"] == b["hash"], a["hash"] == c["hash"]


@probe("enum_style")
def _(api: Api) -> Any:
    one = api.one("case", api.make("case", title="C", severity=1))
    return [one[key] for key in ("severity", "behavior", "is_flaky", "automation", "status", "layer")]


@probe("ids_as_strings")
def _(api: Api) -> Any:
    suite = api.make("suite", title="S")
    ids = api.bulk({"title": "C", "suite_id": int(suite)})
    plan = api.make("plan", title="P", cases=[int(ids[0])])
    one = api.one("case", ids[0])
    return suite, ids, one["id"], one["suite_id"], one["milestone_id"], api.one("plan", plan)["cases"]


@probe("extra_fields")
def _(api: Api) -> Any:
    api.make("suite", title="S")
    return sorted(api.one("suite", 1)), sorted(api.rows("/suite/DEMO")[0]), sorted(api.get("/system_field")[0])


@probe("due_date_offset")
def _(api: Api) -> Any:
    return api.one("milestone", api.make("milestone", title="M", due_date=1_782_950_400))["due_date"]


@probe("is_manual_type")
def _(api: Api) -> Any:
    one = api.one("case", api.make("case", title="C"))
    return repr((one["isManual"], one["isToBeAutomated"]))


@probe("suite_cases_count")
def _(api: Api) -> Any:
    a = api.make("suite", title="a")
    b = api.make("suite", title="b", parent_id=a)
    api.bulk({"title": "in a", "suite_id": a}, {"title": "in b", "suite_id": b}, {"title": "in none"})
    return [row["cases_count"] for row in api.rows("/suite/DEMO")]


@pytest.mark.parametrize("switch", SWITCHES, ids=lambda switch: switch.name)
def test_each_value_is_observable(switch: Any, make_api: MakeApi) -> None:
    seen = [PROBES[switch.name](make_api(switches={switch.name: value})) for value in switch.values]
    for index, one in enumerate(seen):
        assert one not in seen[:index], (switch.values[index], one)
    assert PROBES[switch.name](make_api()) == seen[switch.values.index(switch.default)]


EXPECTED = {
    "case_suite_null": [(200, None), (200, 1), (422, 1)],
    "milestone_due_date_patch": [(200, None), (200, "1970-01-01T00:00:00+00:00"), (422, "1970-01-01T00:00:00+00:00")],
    "suite_destination_descendants": [["in a"], ["in a", "in b"]],
    "bulk_id_in_use": [([422, 422], ["old"]), ([200, 200], ["new", "new"])],
    "bulk_max": [[200] * 6, [200] * 5 + [422], [200] * 3 + [422] * 3, [200] + [422] * 5],
    "bulk_partial": [(422, []), (422, ["a", "b"])],
    "text_trim": [(" a\n",) * 4, ("a",) * 4],
    "text_empty": [("",) * 4, (None,) * 4],
    "text_null": [(None,) * 4, ("",) * 4],
    "text_crlf": [("a\r\nb\rc",) * 4, ("a\nb\nc",) * 4],
    "text_html": [("a < b & <i>",) * 4, ("a &lt; b &amp; &lt;i&gt;",) * 4],
    "shared_rows": [[("1", 0), ("2", 1)], [("1", 0)]],
    "shared_nested": [[("1", 0), ("2", 1)], [("1", 0), ("2", 0), ("2a", 0)]],
    "empty_array_patch": [([0, 0, 0, 0], 0), ([1, 1, 1, 1], 1)],
    "params_and_parameters": [(200, {"new": ["2"]}), (200, {"old": ["1"]}), (422, None)],
    "plan_case_order": [[2, 3, 1], [1, 2, 3], [1, 3, 2]],
    "tag_case": [["A", "a"], ["A"]],
    "foreign_id": [([422] * 3, [1]), ([404] * 3, [1]), ([200] * 3, [1, 2])],
    "review_mandatory": [([200] * 3, ["D", "E", "F"]), ([403] * 3, ["C"]), ([200] * 3, ["C"])],
    "steps_type_only": [([("gherkin", ["a", "b"]), ("classic", ["a", "b"])], 2),
                        ([("gherkin", ["a\nb"]), ("classic", ["a", "b"])], 2)],
    "enum_style": [[1, 1, 0, 0, 0, 0], ["blocker", "undefined", "no", "is-not-automated", "actual", "unknown"],
                   ["1", "1", "0", "0", "0", "0"]],
    "ids_as_strings": [(1, [1], 1, 1, None, [{"case_id": 1, "assignee_id": None}]),
                       ("1", ["1"], "1", "1", None, [{"case_id": "1", "assignee_id": None}])],
    "suite_cases_count": [[1, 1], [2, 1]],
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_switch_does(name: str, make_api: MakeApi) -> None:
    (switch,) = [one for one in SWITCHES if one.name == name]
    assert [PROBES[name](make_api(switches={name: value})) for value in switch.values] == EXPECTED[name]


def test_the_table_is_sound() -> None:
    names = [switch.name for switch in SWITCHES]
    assert len(names) == len(set(names)) and set(PROBES) == set(names)
    assert all(switch.default in switch.values and len(switch.values) > 1 and switch.doc for switch in SWITCHES)
    questions = {switch.question for switch in SWITCHES} - {None}
    assert questions == set(range(1, 21)) - {18}  # the rate limit is an argument of its own


@pytest.mark.parametrize("wrong", [{"text_trimm": "on"}, {"text_trim": "maybe"}, {"bulk_max": -1}, {"bulk_max": True}])
def test_wrong_switches_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        create_app(switches=wrong)


def test_settings_read_booleans_and_numbers() -> None:
    settings = Settings({"text_trim": True, "bulk_max": "7", "foreign_id": 404})
    assert (settings["text_trim"], settings.on("text_trim"), settings.number("bulk_max")) == ("on", True, 7)
    assert settings["foreign_id"] == "404" and len(settings) == len(SWITCHES) == len(list(settings))
