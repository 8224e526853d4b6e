"""GitHub and GitLab as far as one comment needs them: whose request is at work, its comments, writing one.

Which forge, which request and which token is told by the environment of the CI job. The token goes to the address that
the environment names and nowhere else: redirects and links to next pages are not followed.

GitHub: docs.github.com, "REST API endpoints for issue comments" (a pull request is an issue), "… for commits" (pull
requests associated with a commit), "Default environment variables". GitLab: docs.gitlab.com, "Notes API", "Commits
API", "Predefined CI/CD variables".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import httpx

from qase_iac.errors import QaseIacError
from qase_iac.workflow.asking import LATER, Asking, Unsure, checked, said

HUB_TOKEN = "GITHUB_TOKEN"
LAB_TOKEN = "QASE_IAC_GITLAB_TOKEN"
ACTIONS_BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Request:
    """A pull or merge request: its number, its newest commit, and whether it comes from another repository."""

    number: int
    head: str
    fork: bool = False


@dataclass(frozen=True)
class Comment:
    """A comment that is there; `page` is its address where the forge tells it."""

    id: int
    author: str
    body: str
    page: str = ""


class Forge(Protocol):
    """What commenting asks of a forge. Every method raises QaseIacError when the forge cannot be asked or refuses."""

    def request(self) -> Request | None:
        """The request that this job belongs to, or whose merge made the commit that it runs on."""
        ...

    def me(self) -> str:
        """Who writes with this token."""
        ...

    def comments(self, number: int) -> Iterator[Comment]:
        """All comments of a request, the oldest first."""
        ...

    def create(self, number: int, body: str) -> Comment:
        """Raises Unsure when the comment may have been written all the same."""
        ...

    def edit(self, number: int, comment: Comment, body: str) -> Comment: ...


def forge_for(environment: Mapping[str, str], sleep: Callable[[float], None]) -> Forge:
    """The forge whose job this is. Raises QaseIacError outside of one, or without a token."""
    for known, name, forge in (("GITHUB_REPOSITORY", HUB_TOKEN, GitHub), ("CI_API_V4_URL", LAB_TOKEN, GitLab)):
        if environment.get(known):
            if not environment.get(name):
                raise QaseIacError(f"There is no token to write comments with: {name} is not set.", hint=forge.hint)
            return forge(environment, sleep)
    raise QaseIacError(
        "This is no job of GitHub Actions or GitLab CI, so there is no request to comment on.",
        "GITHUB_REPOSITORY and CI_API_V4_URL are both not set.",
    )


class _Rest:
    """What both forges have in common: lists in pages, and a comment that is written."""

    name = token = hint = permission = ""

    def __init__(self, server: Asking, environment: Mapping[str, str], path: str) -> None:
        self._server = server
        self._environment = environment
        self._path = path

    def _rows(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        for answer in self._server.pages(self._path + path, self._more, **query):
            if answer.status_code != 200:
                raise QaseIacError(f"{self.name} does not show {self._path}{path}.", said(answer), self.permission)
            yield from answer.json()

    def _owner(self, answer: httpx.Response) -> Any:
        """Whose token it is."""
        if answer.status_code == 200:
            return answer.json()
        if answer.status_code in (401, 403):
            raise QaseIacError(f"{self.name} refused the token in {self.token}.", said(answer), self.hint)
        raise QaseIacError(f"{self.name} does not say whose token this is.", said(answer))

    def _write(self, method: str, path: str, body: str) -> Comment:
        answer = self._server.ask(method, self._path + path, {"body": body})
        if answer.status_code in (200, 201):
            return self._comment(answer.json())
        if answer.status_code in (401, 403, 404):
            raise QaseIacError(f"{self.name} does not let this token write the comment.", said(answer), self.permission)
        kind = Unsure if answer.status_code in LATER else QaseIacError
        raise kind(f"{self.name} did not take the comment.", said(answer))

    @staticmethod
    def _more(answer: httpx.Response) -> bool:
        raise NotImplementedError

    @staticmethod
    def _comment(row: dict[str, Any]) -> Comment:
        raise NotImplementedError


class GitHub(_Rest):
    """`GITHUB_TOKEN` with `permissions: pull-requests: write`."""

    name = "GitHub"
    token = HUB_TOKEN
    hint = "In the workflow: `env: {GITHUB_TOKEN: ${{ github.token }}}` and `permissions: {pull-requests: write}`."
    permission = "Give the job `permissions: {pull-requests: write}`."

    def __init__(self, environment: Mapping[str, str], sleep: Callable[[float], None]) -> None:
        url = environment.get("GITHUB_API_URL") or "https://api.github.com"
        headers = {"Authorization": f"Bearer {environment[HUB_TOKEN]}", "Accept": "application/vnd.github+json"}
        self._repository = environment["GITHUB_REPOSITORY"]
        server = Asking(*checked(url, environment, "GITHUB_API_URL"), headers, sleep)
        super().__init__(server, environment, f"/repos/{quote(self._repository)}")

    def request(self) -> Request | None:
        event = _event(self._environment.get("GITHUB_EVENT_PATH", ""))
        if isinstance(pull := event.get("pull_request"), dict):
            head = pull.get("head") or {}
            home = (head.get("repo") or {}).get("full_name", self._repository)
            return Request(int(pull["number"]), str(head.get("sha", "")), home != self._repository)
        return self._merged(self._environment.get("GITHUB_SHA", ""))

    def _merged(self, commit: str) -> Request | None:
        """Merge, squash and rebase: GitHub notes the last commit that came of it."""
        for row in self._rows(f"/commits/{quote(commit)}/pulls") if commit else ():
            if row.get("merged_at") and row.get("merge_commit_sha") == commit:
                return Request(int(row["number"]), str(row["head"]["sha"]))
        return None

    def me(self) -> str:
        """The job's own token may not ask who it is, and is the Actions bot's."""
        answer = self._server.ask("GET", "/user")
        return ACTIONS_BOT if answer.status_code == 403 else str(self._owner(answer)["login"])

    def comments(self, number: int) -> Iterator[Comment]:
        yield from map(self._comment, self._rows(f"/issues/{number}/comments"))

    def create(self, number: int, body: str) -> Comment:
        return self._write("POST", f"/issues/{number}/comments", body)

    def edit(self, number: int, comment: Comment, body: str) -> Comment:
        return self._write("PATCH", f"/issues/comments/{comment.id}", body)

    @staticmethod
    def _more(answer: httpx.Response) -> bool:
        return 'rel="next"' in answer.headers.get("Link", "")

    @staticmethod
    def _comment(row: dict[str, Any]) -> Comment:
        author = (row.get("user") or {}).get("login", "")
        return Comment(int(row["id"]), str(author), str(row.get("body") or ""), str(row.get("html_url", "")))


class GitLab(_Rest):
    """A project access token (role Reporter, scope `api`): CI_JOB_TOKEN may not write notes."""

    name = "GitLab"
    token = LAB_TOKEN
    hint = f"Make a project access token (role Reporter, scope api), and a masked CI/CD variable {LAB_TOKEN} of it."
    permission = hint

    def __init__(self, environment: Mapping[str, str], sleep: Callable[[float], None]) -> None:
        headers = {"PRIVATE-TOKEN": environment[LAB_TOKEN]}
        server = Asking(*checked(environment["CI_API_V4_URL"], environment, "CI_API_V4_URL"), headers, sleep)
        super().__init__(server, environment, f"/projects/{quote(environment.get('CI_PROJECT_ID', ''), safe='')}")

    def request(self) -> Request | None:
        known = self._environment
        if number := known.get("CI_MERGE_REQUEST_IID"):
            head = known.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or known.get("CI_COMMIT_SHA", "")
            home = known.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") or known.get("CI_PROJECT_ID")
            return Request(int(number), head, home != known.get("CI_PROJECT_ID"))
        return self._merged(known.get("CI_COMMIT_SHA", ""))

    def _merged(self, commit: str) -> Request | None:
        """A merge commit, a squash, or, fast-forward, the branch's own last commit."""
        for row in self._rows(f"/repository/commits/{quote(commit)}/merge_requests") if commit else ():
            made = (row.get("merge_commit_sha"), row.get("squash_commit_sha"), row.get("sha"))
            if row.get("state") == "merged" and commit in made:
                return Request(int(row["iid"]), str(row.get("sha", "")))
        return None

    def me(self) -> str:
        return str(self._owner(self._server.ask("GET", "/user"))["username"])

    def comments(self, number: int) -> Iterator[Comment]:
        rows = self._rows(f"/merge_requests/{number}/notes", sort="asc", order_by="created_at")
        yield from (self._comment(row) for row in rows if not row.get("system"))

    def create(self, number: int, body: str) -> Comment:
        return self._write("POST", f"/merge_requests/{number}/notes", body)

    def edit(self, number: int, comment: Comment, body: str) -> Comment:
        return self._write("PUT", f"/merge_requests/{number}/notes/{comment.id}", body)

    @staticmethod
    def _more(answer: httpx.Response) -> bool:
        return bool(answer.headers.get("x-next-page"))

    @staticmethod
    def _comment(row: dict[str, Any]) -> Comment:
        return Comment(int(row["id"]), str((row.get("author") or {}).get("username", "")), str(row.get("body") or ""))


def _event(path: str) -> dict[str, Any]:
    """What set off the workflow; {} where the file tells nothing."""
    try:
        event = json.loads(Path(path).read_bytes()) if path else {}
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}
