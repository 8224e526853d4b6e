"""One emulator a test, and a client that talks to it in process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from qase_iac.emulator import App, create_app

SEED: dict[str, Any] = {
    "projects": [{"code": "DEMO", "title": "Demo"}],
    "users": [
        {"id": 1, "name": "Ada", "email": "ada@example.com", "title": "Owner"},
        {"id": 5, "name": "Bob", "email": "bob@example.com"},
    ],
    "salt": "tests",
}


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Api:
    """Requests that must succeed, and what they bring back."""

    app: App
    http: httpx.Client
    clock: Clock
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **keywords: Any) -> httpx.Response:
        if body is not None:
            keywords["json"] = body
        return self.http.request(method, "/v1" + path, headers=self.headers, **keywords)

    def ok(self, method: str, path: str, body: Any = None, **keywords: Any) -> Any:
        response = self.call(method, path, body, **keywords)
        assert response.status_code == 200, response.text
        return response.json()

    def get(self, path: str, **params: Any) -> Any:
        return self.ok("GET", path, params=params)["result"]

    def rows(self, path: str, **params: Any) -> list[Any]:
        return self.get(path, **{"limit": 100, **params})["entities"]

    def make(self, kind: str, **body: Any) -> Any:
        """Create in DEMO and return the id or hash."""
        result = self.ok("POST", f"/{kind}/DEMO", body)["result"]
        return result.get("id", result.get("hash"))

    def patch(self, kind: str, id: Any, **body: Any) -> Any:
        """Update in DEMO and return the entity as it reads then."""
        self.ok("PATCH", f"/{kind}/DEMO/{id}", body)
        return self.get(f"/{kind}/DEMO/{id}")

    def one(self, kind: str, id: Any) -> Any:
        return self.get(f"/{kind}/DEMO/{id}")

    def bulk(self, *cases: dict[str, Any]) -> list[int]:
        return self.ok("POST", "/case/DEMO/bulk", {"cases": list(cases)})["result"]["ids"]

    def refused(self, status: int, method: str, path: str, body: Any = None, **keywords: Any) -> dict[str, Any]:
        response = self.call(method, path, body, **keywords)
        assert response.status_code == status, response.text
        return response.json()

    def upload(self, *files: tuple[str, bytes]) -> list[Any]:
        parts = [("file[]", (name, content, "text/plain")) for name, content in files]
        return self.ok("POST", "/attachment/DEMO", files=parts)["result"]


MakeApi = Callable[..., Api]


@pytest.fixture
def make_api() -> Iterator[MakeApi]:
    made: list[Api] = []

    def make(**keywords: Any) -> Api:
        clock = Clock()
        seed = {**SEED, **keywords.pop("seed", {})}
        app = create_app(seed=seed, clock=keywords.pop("clock", clock), **keywords)
        api = Api(app, httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://emulator"), clock)
        made.append(api)
        return api

    yield make
    for api in made:
        api.app.close()


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


def messages(body: dict[str, Any]) -> dict[str, str]:
    return {problem["field"]: problem["error"] for problem in body["errorFields"]}
