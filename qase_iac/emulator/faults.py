"""Faults switched on from outside, to test what a client makes of them (section 16.14).

A fault waits for requests whose method and path match, lets ``after`` of them pass, and then strikes
``times`` times (0: for ever). ``path`` is searched as a regular expression in ``/suite/DEMO/1?query``.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .errors import ApiError, DroppedConnection
from .http import Answer, Request, json_answer
from .store import Store

KINDS: dict[str, str] = {
    "429": "answer 429 with Retry-After, nothing done",
    "500": "answer 500, nothing done",
    "502": "answer 502 with HTML from a proxy, nothing done",
    "503": "answer 503, nothing done",
    "504": "answer 504 with HTML from a proxy, nothing done",
    "500-after": "do the work, then answer 500",
    "502-after": "do the work, then answer 502",
    "late": "answer 504 with HTML from a proxy at once, and do the work `seconds` later",
    "drop-before": "close the connection without an answer, nothing done",
    "drop-after": "do the work, then close the connection without an answer",
    "cut-off": "do the work, then close the connection in the middle of the answer",
    "slow": "wait `seconds`, then do the work",
    "slow-after": "do the work, then wait `seconds` before the answer",
    "empty-body": "do the work, answer 200 without a body",
    "html": "do the work, answer 200 with an HTML page",
    "short-page": "lists lose their last row, the counters stay",
    "wrong-total": "lists count `amount` (default 1) rows too many",
    "short-ids": "a bulk answer lacks its last id",
    "stale-list": "lists answer as of the moment the fault was added, for `seconds` or `times`",
}
AFTER = {"500-after": 500, "502-after": 502}


@dataclass
class Fault:
    kind: str
    method: str = "."  # regular expressions, searched
    path: str = "."
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    amount: int = 1
    retry_after: int = 1
    struck: int = 0
    _seen: int = 0
    _since: float = 0.0
    _store: Store | None = field(default=None, repr=False)

    def matches(self, request: Request, now: float) -> bool:
        if self.times and self.struck >= self.times:
            return False
        if self.kind == "stale-list" and self.seconds and now >= self._since + self.seconds:
            return False
        where = request.path + (f"?{request.query_text}" if request.query_text else "")
        return bool(re.search(self.method, request.method, re.I) and re.search(self.path, where))


_SETTABLE = {one.name for one in fields(Fault)} - {"struck", "_seen", "_since", "_store"}


class Faults:
    """The faults of one application."""

    def __init__(self, snapshot: Callable[[], Store], clock: Callable[[], float]) -> None:
        self._snapshot, self._clock = snapshot, clock
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._late: list[tuple[float, Request]] = []
        self.sleep: Callable[[float], None] = time.sleep  # tests may put their own clock here

    def add(self, kind: str, **settings: Any) -> Fault:
        """Switch a fault on. Keywords: method, path, after, times, seconds, amount, retry_after."""
        if str(kind) not in KINDS:
            raise ValueError(f"unknown fault {kind!r}; there are: {', '.join(KINDS)}")
        for name in settings:
            if name not in _SETTABLE:
                raise ValueError(f"a fault has no {name!r}; it may have: {', '.join(sorted(_SETTABLE))}")
        if kind == "stale-list":
            settings.setdefault("times", 0 if settings.get("seconds") else 1)
            settings.setdefault("method", "GET")
        fault = Fault(str(kind), **settings)
        for pattern in (fault.method, fault.path):
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        fault._since = self._clock()
        fault._store = self._snapshot() if fault.kind == "stale-list" else None
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def __iter__(self) -> Any:
        return iter(list(self._faults))

    def describe(self) -> list[dict[str, Any]]:
        names = sorted(_SETTABLE | {"struck"})
        return [{name: getattr(fault, name) for name in names} for fault in self]

    def strike(self, request: Request) -> Fault | None:
        """The fault that hits this request, if any."""
        with self._lock:
            for fault in self._faults:
                if fault.matches(request, self._clock()):
                    fault._seen += 1
                    if fault._seen > fault.after:
                        fault.struck += 1
                        return fault
        return None

    def due(self) -> list[Request]:
        """The late requests whose time has come, each handed out once. Clearing the faults does not call them back."""
        now = self._clock()
        with self._lock:
            ripe = [request for moment, request in self._late if moment <= now]
            self._late = [(moment, request) for moment, request in self._late if moment > now]
        return ripe

    def before(self, fault: Fault, request: Request) -> Answer | None:
        """What happens instead of the work, or ahead of it."""
        match fault.kind:
            case "429":
                error = ApiError(429, "Too many requests.")
                return json_answer(429, error.body("full"), [("Retry-After", str(fault.retry_after))])
            case "500" | "502" | "503" | "504":
                return failure(int(fault.kind))
            case "late":
                with self._lock:
                    self._late.append((self._clock() + fault.seconds, request))
                return failure(504)
            case "drop-before":
                raise DroppedConnection("the emulator dropped the connection before the work")
            case "slow":
                self.sleep(fault.seconds)
        return None

    def after(self, fault: Fault, answer: Answer) -> Answer:
        """What becomes of the answer once the work is done."""
        match fault.kind:
            case "500-after" | "502-after":
                return failure(AFTER[fault.kind])
            case "drop-after":
                raise DroppedConnection("the emulator dropped the connection after the work")
            case "cut-off":
                answer.cut_after = len(answer.body) // 2
            case "slow-after":
                self.sleep(fault.seconds)
            case "empty-body":
                return Answer(200, b"", [("Content-Type", "application/json")])
            case "html":
                return html(200)
            case "short-page" | "wrong-total" | "short-ids":
                return _doctored(fault, answer)
        return answer


def failure(status: int) -> Answer:
    """A gateway answers in HTML, the service itself in JSON."""
    return (
        html(status) if status in (502, 504) else json_answer(status, ApiError(status, "Internal error.").body("full"))
    )


def html(status: int) -> Answer:
    page = f"<!doctype html><html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
    return Answer(status, page.encode(), [("Content-Type", "text/html; charset=utf-8")])


def _doctored(fault: Fault, answer: Answer) -> Answer:
    value = json.loads(answer.body) if answer.body else None
    result = value.get("result") if isinstance(value, Mapping) else None
    if answer.status != 200 or not isinstance(result, dict):
        return answer
    if fault.kind == "short-page" and result.get("entities"):
        result["entities"].pop()
    if fault.kind == "short-ids" and result.get("ids"):
        result["ids"].pop()
    if fault.kind == "wrong-total" and "entities" in result:
        for name in ("total", "filtered"):
            if name in result:
                result[name] += fault.amount
    return json_answer(200, value)
