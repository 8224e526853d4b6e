"""Whatever is sent, the answer is one of the API's: never a crash, and never half a write."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qase_iac.emulator import create_app
from qase_iac.emulator.bulk import BULK_FIELDS
from qase_iac.emulator.custom_fields import CUSTOM_FIELD
from qase_iac.emulator.parameters import SHARED_PARAMETER
from qase_iac.emulator.plans import PLAN
from qase_iac.emulator.shared_steps import SHARED_STEP
from qase_iac.emulator.simple_kinds import ENVIRONMENT, MILESTONE, SUITE
from qase_iac.emulator.workspace import PROJECT

KINDS = (CUSTOM_FIELD, SHARED_PARAMETER, PLAN, SHARED_STEP, ENVIRONMENT, MILESTONE, SUITE, PROJECT)
NAMES = [
    *sorted({row.name for kind in KINDS for row in kind.fields} | {row.name for row in BULK_FIELDS}),
    "cases", "action", "expected_result", "shared", "data", "values", "items", "shared_id", "1", "2", "3", "destination_id"]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.just(2**70) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", " ", "a", "DEMO", "gherkin", "single", "1,2", "0" * 40, "x" * 300]) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=7)
PATHS = ["/suite/DEMO", "/case/DEMO", "/case/DEMO/bulk", "/shared_step/DEMO", "/milestone/DEMO", "/plan/DEMO", "/custom_field",
         "/environment/DEMO", "/shared_parameter", "/project", "/configuration/DEMO", "/configuration/DEMO/group",
         "/project/DEMO/access"]  # fmt: skip
FIELDS = [{"title": str(n), "type": kind} for n, kind in enumerate(("string", "number", "user", "datetime"))]
SEED = {"projects": [{"code": "DEMO", "title": "D"}], "custom_fields": FIELDS}


@pytest.fixture(scope="module")
def client() -> httpx.Client:
    http = httpx.Client(transport=httpx.WSGITransport(app=create_app(seed=SEED)), base_url="http://x/v1")
    http.post("/suite/DEMO", json={"title": "S"})
    http.post("/case/DEMO", json={"title": "C"})
    http.post("/plan/DEMO", json={"title": "P", "cases": [1]})
    http.post("/milestone/DEMO", json={"title": "M"})
    return http


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(path=st.sampled_from(PATHS), body=BODIES, title=st.booleans(), bulk=st.lists(BODIES, min_size=1, max_size=3))
def test_any_create(client: httpx.Client, path: str, body: dict[str, Any], title: bool, bulk: list[Any]) -> None:
    if path.endswith("bulk"):
        body = {"cases": [{"title": "t", **one} if title else one for one in bulk]}
    elif title:
        body = {**body, "title": "t"}
    answer = client.post(path, content=json.dumps(body))
    assert answer.status_code in (200, 422), answer.text
    assert answer.json()["status"] is (answer.status_code == 200)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    path=st.sampled_from(["/suite/DEMO/1", "/case/DEMO/1", "/plan/DEMO/1", "/milestone/DEMO/1", "/custom_field/1"]),
    body=BODIES,
)
def test_any_update_reads_back(client: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = client.patch(path, content=json.dumps(body))
    assert answer.status_code in (200, 422), answer.text
    assert client.get(path).status_code == 200
    assert client.get(path.rsplit("/", 1)[0], params={"limit": 100}).status_code == 200


@settings(max_examples=60, deadline=None)
@given(query=st.dictionaries(st.sampled_from(["limit", "offset", "search", "suite_id", "severity", "milestone_id", "status"]),
                             st.text(max_size=6)))  # fmt: skip
def test_any_query(client: httpx.Client, query: dict[str, str]) -> None:
    assert client.get("/case/DEMO", params=query).status_code in (200, 422)
