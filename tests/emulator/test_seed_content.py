"""Objects that a seed puts into projects."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import httpx
import pytest

from qase_iac.emulator import create_app, load_seed

HASH, FILE = "ab" * 20, "cd" * 20
SEED: dict[str, Any] = {
    "projects": [{"code": "SHOP", "title": "Shop"}],
    "content": {
        "SHOP": {
            "attachments": [{"hash": FILE, "name": "../card.png", "size": 9}],
            "milestones": [{"id": 4, "title": "Release", "due_date": 1796083200}],
            "shared_steps": [{"hash": HASH, "title": "Sign in", "steps": [{"action": "Open"}, {"action": "Submit"}]}],
            "suites": [{"id": 3, "title": "Checkout"}, {"id": 2, "title": "Vouchers", "parent_id": 3}],
            "cases": [{"id": 41, "title": "Pay", "suite_id": 2, "milestone_id": 4, "attachments": [FILE],
                       "steps_type": "classic", "steps": [{"shared": HASH}]}],
            "plans": [{"id": 7, "title": "Smoke", "cases": [41]}, {"id": 8, "title": "Nothing left", "cases": []}],
        }
    },
}  # fmt: skip


def get(app: Any, path: str) -> Any:
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1")
    return client.get(path, params={"limit": 100}).json()["result"]


def test_objects_are_there_under_their_ids() -> None:
    app = create_app(seed=SEED, strict=True)
    case = get(app, "/case/SHOP/41")
    assert (case["suite_id"], case["milestone_id"]) == (2, 4)
    assert [(row["action"], row["shared_step_hash"]) for row in case["steps"]] == [("Open", HASH), ("Submit", HASH)]
    assert case["attachments"][0]["url"].endswith(f"/attachment/{FILE}/card.png")
    assert get(app, f"/shared_step/SHOP/{HASH}")["cases"] == [41]
    assert get(app, "/suite/SHOP/2")["parent_id"] == 3
    assert get(app, "/milestone/SHOP/4")["due_date"] == "2026-12-01T00:00:00+00:00"
    assert [row["case_id"] for row in get(app, "/plan/SHOP/7")["cases"]] == [41]
    assert get(app, "/plan/SHOP/8")["cases"] == []
    assert get(app, f"/attachment/{FILE}")["size"] == 9


def test_what_is_made_later_gets_ids_of_its_own() -> None:
    app = create_app(seed=SEED)
    client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1")
    made = {
        kind: client.post(f"/{kind}/SHOP", json={"title": "New"}).json()["result"]["id"] for kind in ("suite", "case")
    }
    assert made == {"suite": 4, "case": 42}


def test_what_is_there_already_stays(tmp_path: Path) -> None:
    create_app(tmp_path / "db", seed=SEED).close()
    more = copy.deepcopy(SEED)
    more["content"]["SHOP"]["cases"][0]["title"] = "Changed"
    more["content"]["SHOP"]["cases"].append({"id": 42, "title": "More"})
    app = create_app(tmp_path / "db", seed=more)
    assert [row["title"] for row in get(app, "/case/SHOP")["entities"]] == ["Pay", "More"]


@pytest.mark.parametrize(("text", "message"), [
    ("[1]", "content must be a mapping, not list"),
    ("{SHOP: 1}", "content.SHOP must be a mapping, not int"),
    ("{SHOP: {runs: []}}", "content.SHOP: unknown key 'runs'"),
    ("{SHOP: {cases: x}}", "content.SHOP.cases must be a list, not str"),
    ("{SHOP: {cases: [x]}}", r"content.SHOP.cases\[0\] must be a mapping"),
    ("{SHOP: {cases: [{id: 1}]}}", r"content.SHOP.cases\[0\]: 'title' is missing"),
    ("{SHOP: {cases: [{title: T}]}}", "'id' must be a number between 1 and 2147483647, not None"),
    ("{SHOP: {cases: [{id: true, title: T}]}}", "'id' must be a number"),
    ("{SHOP: {cases: [{id: 99999999999, title: T}]}}", "'id' must be a number"),
    ("{SHOP: {cases: [{id: 1, title: T, suite: 2}]}}", "unknown key 'suite'"),
    ("{SHOP: {cases: [{id: 1, title: T, suite_id: 2}]}}", "Test case 1 of SHOP: The selected suite_id is invalid."),
    ("{SHOP: {shared_steps: [{hash: a/b, title: T}]}}", "'hash' must be letters and digits"),
    ("{SHOP: {shared_steps: [{hash: ab, title: T}]}}", "Shared step ab of SHOP: Action field is required"),
    ("{SHOP: {attachments: [{hash: ab, mime: x}]}}", "unknown key 'mime'"),
    ("{OTHER: {}}", "content.OTHER: there is no such project"),
])  # fmt: skip
def test_mistakes(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_text(f"projects: [{{code: SHOP, title: Shop}}]\ncontent: {text}\n", "utf-8")
    with pytest.raises(ValueError, match=message):
        create_app(seed=load_seed(path))
