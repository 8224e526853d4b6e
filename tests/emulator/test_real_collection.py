"""5,059 real cases go in through bulk calls and come back as they were."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import MakeApi

PATH = Path(__file__).parents[3] / "shared" / "data" / "mattermost" / "mattermost.qase.json.xz"
TEXTS = ("title", "description", "preconditions", "postconditions")


def walk(suites: list[Any], parent: int) -> Iterator[tuple[Any, int]]:
    for suite in suites:
        yield suite, parent
        yield from walk(suite.get("suites") or [], suite["id"])


def steps(rows: list[Any] | None) -> list[Any]:
    """Steps that hold something: a blank action is refused by the service."""
    return [{"action": row["action"], "expected_result": row["expected_result"], "data": row["data"],
             "steps": steps(row["steps"])} for row in rows or [] if (row["action"] or "").strip()]  # fmt: skip


def read_steps(rows: list[Any]) -> list[Any]:
    return [{**{key: row[key] for key in ("action", "expected_result", "data")}, "steps": read_steps(row["steps"])}
            for row in rows]  # fmt: skip


def test_a_real_collection_survives(make_api: MakeApi) -> None:
    if not PATH.exists():
        pytest.skip(f"the collection is not at {PATH}")
    suites = list(walk(json.loads(lzma.decompress(PATH.read_bytes()))["suites"], 0))
    titles = sorted(
        {field["title"] for suite, _ in suites for case in suite["cases"] for field in case["custom_fields"]}
    )
    api = make_api(seed={"custom_fields": [{"title": title, "type": "text"} for title in titles]})
    ids: dict[int, int] = {}
    sent = []
    for suite, parent in suites:
        ids[suite["id"]] = api.make("suite", title=suite["title"], parent_id=ids.get(parent))
        for case in suite["cases"]:
            custom = {
                str(titles.index(one["title"]) + 1): one["value"] for one in case["custom_fields"] if one["value"]
            }
            sent.append({**{key: case[key] for key in TEXTS}, "suite_id": ids[suite["id"]], "steps": steps(case["steps"]),
                         "tags": case.get("tags") or [], "custom_field": custom})  # fmt: skip
    made = [id for start in range(0, len(sent), 100) for id in api.bulk(*sent[start : start + 100])]
    assert (len(ids), len(made)) == (370, 5059)
    read = [row for offset in range(0, 5059, 100) for row in api.rows("/case/DEMO", offset=offset)]
    assert [row["id"] for row in read] == made
    for case, row in zip(sent, read, strict=True):
        assert {key: row[key] for key in (*TEXTS, "suite_id")} == {key: case[key] for key in (*TEXTS, "suite_id")}
        assert read_steps(row["steps"]) == case["steps"]
        assert sorted(tag["title"] for tag in row["tags"]) == sorted(set(case["tags"]))
        assert {str(one["id"]): one["value"] for one in row["custom_fields"]} == case["custom_field"]
