"""The application: WSGI in front, storage behind, faults and the request log in between."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from . import routes
from .attachments import download
from .context import Context
from .errors import ApiError, DroppedConnection
from .faults import Fault, Faults
from .http import Answer, Environ, Request, json_answer, request_from
from .limits import RateLimit
from .seed import ROLES, apply_seed, check_seed
from .store import Store
from .switches import Settings

DOWNLOAD = re.compile(r"/attachment/([0-9a-f]{40})/[^/]+\Z")
DIALECTS = ("today", "seed")
MOST_LOGGED = 200_000


class Logged(NamedTuple):
    """One request of the log. ``digest`` is of the body, "" where there was none."""

    method: str
    path: str
    status: int  # 0: the connection was dropped
    digest: str
    query: str


class Exchange(NamedTuple):
    """What an observer sees of a request and its answer."""

    method: str
    path: str
    query: str
    content_type: str
    request: bytes
    status: int
    answer: bytes


class App:
    """A WSGI application that behaves as the Qase API v1 does, so far as anybody has written down."""

    def __init__(self, store: Store, settings: Settings, *, tokens: Mapping[str, str], rate_limit: int,
                 strict: bool, dialect: str, clock: Callable[[], float], control: bool) -> None:  # fmt: skip
        from .ui import Ui

        self.store, self.settings, self.dialect, self.strict = store, settings, dialect, strict
        self.tokens, self.clock, self.control = dict(tokens), clock, control
        self.requests: list[Logged] = []
        self.observer: Callable[[Exchange], None] | None = None
        self.faults = Faults(store.copy, clock)
        self.ui = Ui(self)
        self._limit = RateLimit(rate_limit)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = request_from(environ)
        answer = self.handle(request)
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start_response(answer.status_line, headers)
        if answer.cut_after is not None:
            return _cut(answer.body[: answer.cut_after])
        return [answer.body]

    def handle(self, request: Request) -> Answer:
        self.catch_up()
        if request.path.startswith("/_emulator/"):
            from .control import serve_control

            return serve_control(self, request)
        file = DOWNLOAD.search(request.path)
        if file and request.method == "GET":
            return self._download(file[1])  # a file, not a call of the API: neither token nor log
        status = 0
        answer = None
        try:
            answer = self._struck(request, self.faults.strike(request))
            status = answer.status
        finally:
            self._note(request, status, answer)
        return answer

    def context(self, store: Store | None = None, base: str = "") -> Context:
        return Context(store or self.store, self.settings, self.clock(), self.dialect, self.strict, base)

    def dump(self, project: str, normalised: bool = False) -> dict[str, Any]:
        """The whole state of a project; normalised: without ids and times, references by title."""
        from .dump import dump

        self.catch_up()
        with self.store.transaction(write=False):
            return dump(self.context(), project, normalised)

    def close(self) -> None:
        self.store.close()

    def catch_up(self) -> None:
        """Do the work of late requests that are due: at the latest when somebody looks."""
        for request in self.faults.due():
            self._answer(request, self.store)

    # -- one request -------------------------------------------------------------------------------------

    def _note(self, request: Request, status: int, answer: Answer | None) -> None:
        if len(self.requests) >= MOST_LOGGED:
            del self.requests[: MOST_LOGGED // 2]
        self.requests.append(Logged(request.method, request.path, status, request.digest, request.query_text))
        if self.observer is not None and answer is not None:
            kind = request.headers.get("content-type", "")
            self.observer(Exchange(request.method, request.path, request.query_text, kind, request.body,
                                   status, answer.body))  # fmt: skip

    def _struck(self, request: Request, fault: Fault | None) -> Answer:
        if fault is None:
            return self._answer(request, self.store)
        store = fault._store if fault._store is not None and request.method == "GET" else self.store
        return self.faults.before(fault, request) or self.faults.after(fault, self._answer(request, store))

    def _answer(self, request: Request, store: Store) -> Answer:
        try:
            role = self._role(request)
            self._limit.check(request.headers.get("token", ""), self.clock())
            self._acceptable(request)
            return json_answer(200, self._work(request, store, role))
        except ApiError as error:
            return json_answer(error.status, error.body(str(self.settings["error_body"])), error.headers)

    def _work(self, request: Request, store: Store, role: str) -> Any:
        kept: ApiError | None = None
        body: Any = None
        with store.transaction(write=request.method != "GET"):
            try:
                body = routes.serve(self.context(store, request.origin), request, role)
            except routes.KeptError as error:
                kept = error
        if kept is not None:
            raise kept
        return body

    def _role(self, request: Request) -> str:
        if not self.tokens:
            return "owner"
        role = self.tokens.get(request.headers.get("token", ""))
        if role is None:
            raise ApiError(401, "Unauthenticated.")
        return role

    @staticmethod
    def _acceptable(request: Request) -> None:
        accept = request.headers.get("accept", "*/*").lower()
        if not any(word in accept for word in ("json", "*/*", "application/*")):
            raise ApiError(406, "Not acceptable.")

    def _download(self, hash: str) -> Answer:
        try:
            with self.store.transaction(write=False):
                doc, content = download(self.context(), hash)
        except ApiError as error:
            return json_answer(error.status, error.body("full"))
        return Answer(200, content, [("Content-Type", doc["mime"])])


def _cut(head: bytes) -> Iterator[bytes]:
    yield head
    raise DroppedConnection("the emulator cut the answer off")


def create_app(database: str | os.PathLike[str] | None = None, *, token: str | None = None, rate_limit: int = 0,
               strict: bool = False, dialect: str = "today", seed: Mapping[str, Any] | None = None,
               switches: Mapping[str, Any] | None = None, clock: Callable[[], float] = time.time,
               tokens: Mapping[str, str] | None = None, control: bool = False) -> App:  # fmt: skip
    """Make an emulator. See ``qase_iac.emulator`` for what the arguments mean."""
    if dialect not in DIALECTS:
        raise ValueError(f"the dialect is one of {', '.join(DIALECTS)}, not {dialect!r}")
    if rate_limit < 0:
        raise ValueError("rate_limit is 0 (off) or a number of requests a minute")
    seed = seed or {}
    check_seed(seed)
    known = {**(seed.get("tokens") or {}), **(tokens or {}), **({token: "owner"} if token else {})}
    for role in known.values():
        if role not in ROLES:
            raise ValueError(f"the role of a token is one of {', '.join(ROLES)}, not {role!r}")
    settings = Settings(switches)
    store = Store(database)
    app = App(store, settings, tokens=known, rate_limit=rate_limit, strict=strict, dialect=dialect, clock=clock,
              control=control)  # fmt: skip
    try:
        with store.transaction(write=True):
            apply_seed(app.context(), seed)
    except ValueError:
        store.close()
        raise
    return app
