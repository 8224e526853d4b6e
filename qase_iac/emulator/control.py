"""The emulator's own paths, for tests that sit in another process: ``/_emulator/faults`` and ``/_emulator/ui``.

POST   /_emulator/faults    {"kind": "500-after", "method": "POST", "path": "/bulk", "times": 1}
GET    /_emulator/faults    the faults and how often each has struck
DELETE /_emulator/faults    switch all of them off
POST   /_emulator/ui        {"action": "edit", "project": "DEMO", "kind": "case", "id": 1, "fields": {...}}
GET    /_emulator/requests  the log;  DELETE empties it
GET    /_emulator/dump/DEMO?normalised=1
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import ApiError
from .http import Answer, Request, json_answer

if TYPE_CHECKING:
    from .app import App


def serve_control(app: App, request: Request) -> Answer:
    if not app.control:
        return json_answer(404, ApiError(404, "Not found.").body("full"))
    name, _, rest = request.path.removeprefix("/_emulator/").partition("/")
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return json_answer(404, ApiError(404, f"There is no {request.method} {request.path}.").body("full"))
    try:
        return json_answer(200, {"status": True, "result": handler(app, request, rest)})
    except ApiError as error:
        return json_answer(error.status, error.body("full"))
    except (ValueError, TypeError, KeyError) as error:
        return json_answer(422, ApiError(422, str(error)).body("full"))


def _add_fault(app: App, request: Request, rest: str) -> Any:
    app.faults.add(**{"kind": "", **request.json()})
    return app.faults.describe()


def _clear_faults(app: App, request: Request, rest: str) -> Any:
    app.faults.clear()
    return []


def _list_faults(app: App, request: Request, rest: str) -> Any:
    return app.faults.describe()


_ACTIONS = ("create", "edit", "move", "delete", "assign", "restore")


def _ui(app: App, request: Request, rest: str) -> Any:
    body = dict(request.json())
    action, fields = body.pop("action", None), body.pop("fields", {})
    if action not in _ACTIONS:
        raise ValueError(f"the action is one of {', '.join(_ACTIONS)}, not {action!r}")
    return {"id": getattr(app.ui, action)(**body, **fields)}


def _requests(app: App, request: Request, rest: str) -> Any:
    return [entry._asdict() for entry in app.requests]


def _forget_requests(app: App, request: Request, rest: str) -> Any:
    app.requests.clear()
    return []


def _dump(app: App, request: Request, rest: str) -> Any:
    return app.dump(rest, normalised="normalised" in request.query)


_HANDLERS: dict[tuple[str, str], Callable[[App, Request, str], Any]] = {
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "faults"): _list_faults,
    ("POST", "ui"): _ui,
    ("GET", "requests"): _requests,
    ("DELETE", "requests"): _forget_requests,
    ("GET", "dump"): _dump,
}
