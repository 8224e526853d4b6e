"""Corners of single functions that the other tests pass by."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import qase_iac.emulator
from qase_iac.emulator.errors import ApiError

from .conftest import Api, MakeApi, messages


def test_the_base_url_itself_and_lost_slashes(api: Api) -> None:
    assert api.call("GET", "").status_code == 404
    assert api.http.get("/v1/project/").json()["result"]["total"] == 1


def test_wrong_shapes_of_nested_things(api: Api) -> None:
    hash = api.make("shared_step", title="S", steps=[{"action": "a"}])
    for kind, body in (
        ("case", {"params": "x"}), ("case", {"parameters": ["x"]}), ("case", {"parameters": [{"items": ["x", "y"]}]}),
        ("case", {"attachments": [5]}), ("case", {"custom_field": "x"}), ("case", {"steps": [{"action": "a", "steps": "x"}]}),
        ("case", {"steps_type": "gherkin", "steps": ["x"]}), ("shared_step", {"steps": ["x"]}),
        ("case", {"steps": [{"shared": 5}]}),
    ):  # fmt: skip
        api.refused(422, "POST", f"/{kind}/DEMO", {"title": "T", **body})
    for body in ({"settings": 5}, {"access": "group"}, {"access": "x"}, {"members": [9]}):
        api.refused(422, "POST", "/project", {"title": "T", "code": "TT", **body})
    field: dict[str, Any] = {"title": "F", "entity": 0, "type": 3}
    for body in ({"value": ["x"]}, {"value": [{"id": "x", "title": "A"}]}, {"value": [{"title": "A"}], "projects_codes": ["NO"]},
                 {"entity": 7}, {"entity": 0.0, "type": 1}, {"type": True}, {"is_required": 1, "value": [{"title": "A"}]}):  # fmt: skip
        api.refused(422, "POST", "/custom_field", {**field, **body})
    id = api.ok("POST", "/custom_field", {**field, "value": [{"title": "A"}]})["result"]["id"]
    assert "replace_values" in messages(
        api.refused(422, "PATCH", f"/custom_field/{id}", {"title": "F", "replace_values": 5})
    )
    api.refused(422, "PATCH", f"/shared_step/DEMO/{hash}", {"title": "S", "steps": []})
    api.refused(404, "GET", "/author/nobody")


def test_empty_shapes_are_taken(api: Api) -> None:
    case = api.make("case", title="C", custom_field=[], params=[], steps=None, tags=None, parameters=None)
    one = api.one("case", case)
    assert (one["steps"], one["tags"], one["params"], one["custom_fields"]) == ([], [], [], [])
    api.patch("case", case, steps=[{"action": "a", "steps": None}], custom_field={})


def test_a_null_clears_a_custom_value(make_api: MakeApi) -> None:
    api = make_api(seed={"custom_fields": [{"title": "F", "type": "checkbox"}]})
    id = api.make("case", title="C", custom_field={"1": "1"})
    assert api.app.dump("DEMO", normalised=True)["cases"][0]["custom_fields"] == {"F": True}
    assert api.patch("case", id, custom_field={"1": None})["custom_fields"] == []
    assert api.app.dump("DEMO", normalised=True)["cases"][0]["custom_fields"] == {}


def test_steps_of_a_shared_step_survive_an_ignored_empty_list(make_api: MakeApi) -> None:
    api = make_api(switches={"empty_array_patch": "ignore"})
    hash = api.make("shared_step", title="S", steps=[{"action": "a"}])
    assert len(api.patch("shared_step", hash, title="T", steps=[])["steps"]) == 1


def test_strict_bulk_knows_one_key(make_api: MakeApi) -> None:
    api = make_api(strict=True)
    assert "more" in messages(api.refused(422, "POST", "/case/DEMO/bulk", {"cases": [{"title": "C"}], "more": 1}))
    api.bulk({"title": "C", "author_id": 4})


def test_what_a_person_can_not_do(api: Api) -> None:
    plan = api.make("plan", title="P", cases=[api.make("case", title="C")])
    with pytest.raises(ValueError, match="does not stand in a suite"):
        api.app.ui.move("DEMO", "plan", plan, None)
    for action in (lambda: api.app.ui.assign("DEMO", plan, 9, 1), lambda: api.app.ui.restore("DEMO", 1),
                   lambda: api.app.dump("NOPE")):  # fmt: skip
        with pytest.raises(ApiError):
            action()
    assert api.app.ui.create("", "project", title="New", code="NEW") == "NEW"


def test_faults_leave_answers_alone_that_they_do_not_fit(api: Api) -> None:
    api.app.faults.add("short-page", path="/suite/DEMO/9")
    assert api.call("GET", "/suite/DEMO/9").status_code == 404
    api.app.faults.add("short-ids", path="/suite")
    assert api.rows("/suite/DEMO") == []


def test_the_log_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from qase_iac.emulator import app

    monkeypatch.setattr(app, "MOST_LOGGED", 4)
    for number in range(6):
        api.rows(f"/suite/DEMO?{number}")
    assert len(api.app.requests) == 4


def test_the_package_imports_nothing_of_the_rest_and_little_at_first() -> None:
    code = ("import sys, qase_iac.emulator as e; light = 'sqlite3' not in sys.modules and 'werkzeug' not in sys.modules;"
            "e.create_app(); e.start_server; e.load_seed;"
            "rest = [m for m in sys.modules if m.startswith('qase_iac.') and not m.startswith('qase_iac.emulator')];"
            "print(light, rest, 'werkzeug' in sys.modules)")  # fmt: skip
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["True", "[]", "False"]
    with pytest.raises(AttributeError):
        _ = qase_iac.emulator.nothing
    assert all(getattr(qase_iac.emulator, name) for name in qase_iac.emulator.__all__)
