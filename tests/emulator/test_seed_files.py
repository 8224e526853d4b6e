"""Seeds: the file, its mistakes, and what is there afterwards."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from qase_iac.emulator import create_app, load_seed

FULL = """
projects:
  - {code: SHOP2, title: Web shop}
custom_fields:
  - {title: Component, type: selectbox, options: [Cart, {id: 7, title: Search}], id: 3, default: 7, required: true}
  - {title: Notes, type: text, projects: [shop2], placeholder: p}
  - {title: Runner, type: string, entity: run}
system_fields:
  severity:
    - {id: 11, slug: huge, title: Huge}
    - {id: 12, slug: tiny, title: Tiny, default: true}
users:
  - {id: 4, name: Ada, email: ada@example.com, title: Owner}
  - {name: Bob, email: bob@example.com}
shared_parameters:
  - {title: Browser, type: single, parameters: [{title: Browser, values: [a, b]}], id: 2b1c6f0e-0000-4000-8000-000000000001}
tokens: {secret: owner}
salt: one
"""


def client(app: Any) -> httpx.Client:
    return httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1", headers={"Token": "secret"})


def test_a_full_seed(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(FULL, "utf-8")
    api = client(create_app(seed=load_seed(path)))

    def rows(path: str) -> list[Any]:
        return list(api.get(path, params={"limit": 100}).json()["result"]["entities"])

    assert [row["code"] for row in rows("/project")] == ["SHOP2"]
    fields = {row["title"]: row for row in rows("/custom_field")}
    assert fields["Component"]["value"] == '[{"id": 1, "title": "Cart"}, {"id": 7, "title": "Search"}]'
    component = fields["Component"]
    assert (component["id"], component["default_value"], component["is_required"]) == (3, "7", True)
    assert (fields["Notes"]["id"], fields["Notes"]["projects_codes"], fields["Notes"]["placeholder"]) == (
        4,
        ["SHOP2"],
        "p",
    )
    assert fields["Runner"]["entity"] == "run" and fields["Runner"]["is_enabled_for_all_projects"] is True
    assert [(row["id"], row["name"]) for row in rows("/user")] == [(4, "Ada"), (5, "Bob")]
    assert rows("/shared_parameter")[0]["id"] == "2b1c6f0e-0000-4000-8000-000000000001"
    assert api.get("/project", headers={"Token": "x"}).status_code == 401
    case = api.post("/case/SHOP2", json={"title": "C"}).json()["result"]["id"]
    one = api.get(f"/case/SHOP2/{case}").json()["result"]
    assert (one["severity"], one["custom_fields"]) == (12, [{"id": 3, "value": "7"}])


@pytest.mark.parametrize(("text", "message"), [
    ("project: []", "the seed: unknown key 'project'"),
    ("- a", "the seed must be a mapping, not list"),
    ("projects: {}\nusers: x", "users must be a list, not str"),
    ("projects: [x]", re.escape("projects[0] must be a mapping")),
    ("projects: [{code: A}]", re.escape("projects[0]: 'title' is missing")),
    ("projects: [{code: A-, title: T}]", "a code is 2 to 10 letters or digits"),
    ("custom_fields: [{title: T, type: list}]", "type is one of number, string"),
    ("custom_fields: [{title: T, type: string, entity: x}]", "entity is one of case"),
    ("custom_fields: [{title: T, type: string, options: [A]}]", "'options' belongs to selectbox"),
    ("custom_fields: [{title: T, type: radio}]", "'options' belongs to selectbox"),
    ("custom_fields: [{title: T, type: string, requird: true}]", "unknown key 'requird'"),
    ("custom_fields: [{title: T, type: string, id: 1}, {title: U, type: string, id: 1}]", "id 1 exists already"),
    ("custom_fields: [{title: T, type: radio, options: ['']}]", "custom field 'T'"),
    ("system_fields: {sevrity: []}", "there is no field 'sevrity'"),
    ("system_fields: {severity: x}", "must be a list of options"),
    ("system_fields: {severity: []}", "must be a list of options"),
    ("system_fields: {severity: [{id: 1, slug: a}]}", "'title' is missing"),
    ("system_fields: [severity]", "system_fields must be a mapping"),
    ("users: [{name: A}]", "'email' is missing"),
    ("shared_parameters: [{title: T, type: group, parameters: [{title: a, values: []}]}]", "does not fit the type group"),
    ("tokens: {a: boss}", "the role of 'a' is one of owner, reader"),
    ("a: [", "not a YAML file"),
])  # fmt: skip
def test_mistakes_in_a_seed(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        create_app(seed=load_seed(path))


def test_an_empty_seed_makes_one_member(tmp_path: Path) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text("", "utf-8")
    api = client(create_app(seed=load_seed(path)))
    assert api.get("/user").json()["result"]["total"] == 1
    assert api.get("/project").json()["result"]["total"] == 0


def test_a_changed_seed_adds_what_is_missing(tmp_path: Path) -> None:
    field = {"title": "F", "type": "radio", "options": ["A"]}
    severity = [{"id": 1, "slug": "a", "title": "A"}]
    first = {
        "projects": [{"code": "AA", "title": "A"}],
        "custom_fields": [field],
        "system_fields": {"severity": severity},
    }
    app = create_app(tmp_path / "db", seed=first)
    api = client(app)
    api.patch("/custom_field/1", json={"title": "Renamed", "value": [{"id": 1, "title": "A"}]})
    app.close()
    app = create_app(tmp_path / "db", seed=first)  # the same: nothing happens, though F is gone
    assert client(app).get("/custom_field").json()["result"]["total"] == 1
    app.close()
    severity = [*severity, {"id": 2, "slug": "b", "title": "B", "default": True}]
    second = {"projects": [{"code": "AA", "title": "Other"}, {"code": "BB", "title": "B"}],
              "custom_fields": [field], "system_fields": {"severity": severity}}  # fmt: skip
    api = client(create_app(tmp_path / "db", seed=second))
    assert [row["title"] for row in api.get("/project").json()["result"]["entities"]] == ["A", "B"]
    assert [row["title"] for row in api.get("/custom_field").json()["result"]["entities"]] == ["Renamed", "F"]
    (field,) = [one for one in api.get("/system_field").json()["result"] if one["slug"] == "severity"]
    assert [(one["id"], one["is_default"]) for one in field["options"]] == [(1, True), (2, False)]


def test_a_salt_repeats_the_hashes_and_its_absence_does_not() -> None:
    def first_hash(seed: dict[str, Any]) -> str:
        api = client(create_app(seed={"projects": [{"code": "AA", "title": "A"}], **seed}))
        return str(api.post("/shared_step/AA", json={"title": "S", "action": "a"}).json()["result"]["hash"])

    assert first_hash({"salt": "x"}) == first_hash({"salt": "x"}) != first_hash({"salt": "y"})
    assert first_hash({}) != first_hash({})


def test_a_field_of_a_project_that_is_made_later() -> None:
    api = client(create_app(seed={"custom_fields": [{"title": "F", "type": "string", "projects": ["NEW"]}]}))
    for code in ("NEW", "OLD"):
        api.post("/project", json={"title": code, "code": code})
    answers = [api.post(f"/case/{code}", json={"title": "C", "custom_field": {"1": "x"}}) for code in ("NEW", "OLD")]
    assert [answer.status_code for answer in answers] == [200, 422]


@pytest.mark.parametrize("wrong", [{"dialect": "2021"}, {"rate_limit": -1}, {"tokens": {"a": "boss"}}])
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        create_app(**wrong)
