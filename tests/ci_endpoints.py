"""A forge on 127.0.0.1: what GitHub's and GitLab's REST APIs do with comments, as far as `qase-iac comment` and the
workflows touch them. Everything is recorded.

Sources: docs.github.com "REST API endpoints for issue comments", "… for commits" (list pull requests associated with a
commit), docs.gitlab.com "Notes API", "Commits API" (merge requests of a commit).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

BOT = "github-actions[bot]"
TOKEN = "ghs_job-token"
Answer = tuple[int, Any, dict[str, str]]


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    token: str
    body: Any = None


@dataclass
class User:
    """Whose token it is. `app`: an installation token, which may not ask who it is."""

    login: str = BOT
    app: bool = True
    writes: bool = True
    reads: bool = True
    number: int = 41898282


@dataclass
class Forge:
    """Starts on a free port. `comments` are dicts with id, number, body, login, edits; in the order of writing.

    `url` is GITHUB_API_URL; `gitlab` is CI_API_V4_URL of the same data, whose project is `project`.
    """

    repository: str = "acme/shop"
    project: str = "17"
    users: dict[str, User] = field(default_factory=lambda: {TOKEN: User()})
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    faults: list[Answer] = field(default_factory=list)
    """Answers to the next requests, in place of the right ones."""
    lost: list[Answer] = field(default_factory=list)
    """Answers to the next writes, which are done all the same."""
    broken: list[Answer] = field(default_factory=list)
    """Answers to the next writes, which are not done."""
    page_max: int = 100

    def __post_init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._lock = threading.Lock()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.gitlab = f"{self.url}/api/v4"

    def __enter__(self) -> Forge:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_pull(self, number: int, head_sha: str, merge_sha: str | None = None, base: str = "main") -> dict[str, Any]:
        """A pull request; with `merge_sha` it is merged. Change the dict, or call it again, when it is merged later."""
        self.pulls[:] = [each for each in self.pulls if each["number"] != number]
        pull = {"number": number, "head": head_sha, "merge": merge_sha, "base": base}
        self.pulls.append(pull)
        return pull

    def add_comment(self, number: int, body: str, login: str = BOT) -> dict[str, Any]:
        """A comment that somebody wrote."""
        with self._lock:
            comment = {"id": 1000 + len(self.comments), "number": number, "body": body, "login": login, "edits": 0}
            self.comments.append(comment)
        return comment

    def on(self, number: int, login: str = BOT) -> list[str]:
        """The bodies of somebody's comments on a pull request."""
        return [each["body"] for each in self.comments if each["number"] == number and each["login"] == login]

    def answer(self, asked: Asked, query: dict[str, str]) -> Answer:
        self.asked.append(asked)
        if self.faults:
            return self.faults.pop(0)
        if asked.method != "GET" and self.broken:
            return self.broken.pop(0)
        user = self.users.get(asked.token)
        if user is None:
            return 401, {"message": "Bad credentials"}, {}
        for method, pattern, view in _ROUTES:
            found = re.fullmatch(pattern, asked.path)
            if found and method == asked.method:
                answer = view(self, user, asked, query, *found.groups())
                return self.lost.pop(0) if method != "GET" and self.lost else answer
        return 404, {"message": "Not Found"}, {}

    # -- both --------------------------------------------------------------------------------------------------------

    def _page(self, rows: list[Any], query: dict[str, str], path: str) -> Answer:
        size = min(int(query.get("per_page", "30")), self.page_max)
        page = int(query.get("page", "1"))
        shown, more = rows[(page - 1) * size : page * size], len(rows) > page * size
        url = f"{self.url}{path}?per_page={size}&page={page + 1}"
        headers = {"Link": f'<{url}>; rel="next", <{url}>; rel="last"', "x-next-page": str(page + 1)} if more else {}
        return 200, shown, headers

    def _write(self, user: User, number: int, body: Any, show: Callable[[dict[str, Any]], Any]) -> Answer:
        if not user.writes:
            return 403, {"message": "Resource not accessible by integration"}, {}
        if len(body["body"]) > 65536:
            return 422, {"message": "Validation Failed", "errors": [{"message": "Body is too long"}]}, {}
        return 201, show(self.add_comment(number, body["body"], user.login)), {}

    def _edit(self, user: User, number: str, body: Any, show: Callable[[dict[str, Any]], Any]) -> Answer:
        if not user.writes:
            return 403, {"message": "Resource not accessible by integration"}, {}
        for comment in self.comments:
            if comment["id"] == int(number):
                comment["body"] = body["body"]
                comment["edits"] += 1
                return 200, show(comment), {}
        return 404, {"message": "Not Found"}, {}

    # -- GitHub ------------------------------------------------------------------------------------------------------

    def _hub_user(self, user: User, asked: Asked, query: dict[str, str]) -> Answer:
        if user.app:
            return 403, {"message": "Resource not accessible by integration"}, {}
        return 200, {"login": user.login, "id": user.number}, {}

    def _hub_list(self, user: User, asked: Asked, query: dict[str, str], repository: str, number: str) -> Answer:
        if repository != self.repository or not user.reads:
            return 404, {"message": "Not Found"}, {}
        rows = [_hub(each, self.url) for each in self.comments if each["number"] == int(number)]
        return self._page(rows, query, asked.path)

    def _hub_create(self, user: User, asked: Asked, query: dict[str, str], repository: str, number: str) -> Answer:
        if repository != self.repository or int(number) not in [each["number"] for each in self.pulls]:
            return 404, {"message": "Not Found"}, {}
        return self._write(user, int(number), asked.body, lambda each: _hub(each, self.url))

    def _hub_edit(self, user: User, asked: Asked, query: dict[str, str], repository: str, number: str) -> Answer:
        return self._edit(user, number, asked.body, lambda each: _hub(each, self.url))

    def _hub_pulls(self, user: User, asked: Asked, query: dict[str, str], repository: str, sha: str) -> Answer:
        rows = [
            {
                "number": each["number"],
                "head": {"sha": each["head"]},
                "base": {"ref": each["base"]},
                "merge_commit_sha": each["merge"],
                "merged_at": "2026-11-24T01:00:00Z" if each["merge"] else None,
                "state": "closed" if each["merge"] else "open",
            }
            for each in self.pulls
            if sha in (each["head"], each["merge"])
        ]
        return self._page(rows, query, asked.path)

    # -- GitLab ------------------------------------------------------------------------------------------------------

    def _lab_user(self, user: User, asked: Asked, query: dict[str, str]) -> Answer:
        return 200, {"username": user.login, "id": user.number}, {}

    def _lab_list(self, user: User, asked: Asked, query: dict[str, str], project: str, number: str) -> Answer:
        if unquote(project) != self.project or not user.reads:
            return 404, {"message": "404 Project Not Found"}, {}
        rows = [_lab(each) for each in self.comments if each["number"] == int(number)]
        return self._page(rows if query.get("sort") == "asc" else rows[::-1], query, asked.path)

    def _lab_create(self, user: User, asked: Asked, query: dict[str, str], project: str, number: str) -> Answer:
        return self._write(user, int(number), asked.body, _lab)

    def _lab_edit(self, user: User, asked: Asked, query: dict[str, str], project: str, _: str, number: str) -> Answer:
        return self._edit(user, number, asked.body, _lab)

    def _lab_pulls(self, user: User, asked: Asked, query: dict[str, str], project: str, sha: str) -> Answer:
        rows = [
            {
                "iid": each["number"],
                "sha": each["head"],
                "target_branch": each["base"],
                "merge_commit_sha": each["merge"],
                "squash_commit_sha": None,
                "state": "merged" if each["merge"] else "opened",
            }
            for each in self.pulls
            if sha in (each["head"], each["merge"])
        ]
        return self._page(rows, query, asked.path)


def _hub(comment: dict[str, Any], url: str) -> dict[str, Any]:
    kind = "Bot" if comment["login"].endswith("[bot]") else "User"
    page = f"{url}/pull/{comment['number']}#issuecomment-{comment['id']}"
    user = {"login": comment["login"], "type": kind}
    return {"id": comment["id"], "body": comment["body"], "user": user, "html_url": page}


def _lab(comment: dict[str, Any]) -> dict[str, Any]:
    author = {"username": comment["login"]}
    return {"id": comment["id"], "body": comment["body"], "author": author, "system": False}


_REPOSITORY = r"/repos/([^/]+/[^/]+)"
_PROJECT = r"/api/v4/projects/([^/]+)"
_ROUTES: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
    ("GET", "/user", Forge._hub_user),
    ("GET", rf"{_REPOSITORY}/issues/(\d+)/comments", Forge._hub_list),
    ("POST", rf"{_REPOSITORY}/issues/(\d+)/comments", Forge._hub_create),
    ("PATCH", rf"{_REPOSITORY}/issues/comments/(\d+)", Forge._hub_edit),
    ("GET", rf"{_REPOSITORY}/commits/([^/]+)/pulls", Forge._hub_pulls),
    ("GET", "/api/v4/user", Forge._lab_user),
    ("GET", rf"{_PROJECT}/merge_requests/(\d+)/notes", Forge._lab_list),
    ("POST", rf"{_PROJECT}/merge_requests/(\d+)/notes", Forge._lab_create),
    ("PUT", rf"{_PROJECT}/merge_requests/(\d+)/notes/(\d+)", Forge._lab_edit),
    ("GET", rf"{_PROJECT}/repository/commits/([^/]+)/merge_requests", Forge._lab_pulls),
)


def _handler(forge: Forge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # an answer in one piece: two of them wait for each other for 40 ms

        def log_message(self, *_: Any) -> None:
            """Nothing on stderr."""

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            status, content, headers = forge.answer(Asked(self.command, parts.path, token, body), query)
            data = content.encode() if isinstance(content, str) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                **headers,
                "Content-Length": str(len(data)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    return Handler
