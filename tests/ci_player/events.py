"""What happens in a repository, as GitHub tells workflows: a push, a pull request, a night, somebody's button."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stores_kit import git

from ci_player.documents import matches
from ci_player.expressions import Strict
from ci_player.hosting import Hosting

PAYLOAD = (
    "action", "number", "pull_request", "before", "after", "head_commit", "inputs", "schedule", "repository", "sender",
    "compare", "label", "ref",
)  # fmt: skip
"""What an event may hold; another one's is empty, any other name is an error."""


@dataclass(frozen=True)
class Event:
    """`from_fork`: secrets are kept from it. `from_default_branch`: its workflows are those of main."""

    name: str
    sha: str
    ref: str
    payload: Mapping[str, Any]
    changed: tuple[str, ...] = ()
    head_ref: str = ""
    base_ref: str = ""
    actor: str = "ann"
    from_fork: bool = False
    from_default_branch: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)
    workflow: str = ""

    def triggers(self, workflow: Mapping[str, Any]) -> bool:
        """Whether `on:` of a workflow names this event, its branch and one of the files that it changed."""
        if self.name not in workflow["on"]:
            return False
        if self.workflow and self.workflow != workflow.get("name"):
            return False
        how = workflow["on"][self.name]
        if not isinstance(how, dict):
            return True
        types = how.get("types", ["opened", "synchronize", "reopened"] if self.name == "pull_request" else [])
        branch = self.base_ref or self.ref.removeprefix("refs/heads/")
        return (
            (not types or self.payload["action"] in types)
            and ("branches" not in how or matches(branch, how["branches"]))
            and ("paths" not in how or any(matches(path, how["paths"]) for path in self.changed))
            and not ("paths-ignore" in how and all(matches(path, how["paths-ignore"]) for path in self.changed))
        )


@dataclass(frozen=True)
class Events:
    """Makes the events of one repository out of what is in it."""

    hosting: Hosting
    repository: str

    def push(self, before: str, after: str = "main", branch: str = "main", actor: str = "ann") -> Event:
        sha = self._sha(after)
        ref = f"refs/heads/{branch}"
        message = git(self._path, "log", "-1", "--format=%B", sha).strip()
        payload = {"before": before, "after": sha, "ref": ref, "head_commit": {"id": sha, "message": message}}
        return Event("push", sha, ref, self._payload(payload), self._diff(before, sha), actor=actor)

    def pull_request(
        self, number: int, branch: str, action: str = "opened", source: str | None = None, actor: str = "ann"
    ) -> Event:
        """`source`: the repository that the branch is in, if it is a fork."""
        head, merge = self._sha(f"refs/pull/{number}/head"), self._sha(f"refs/pull/{number}/merge")
        merged = action == "closed"
        row = {
            "number": number, "title": f"Pull request {number}", "draft": False, "merged": merged,
            "state": "closed" if merged else "open", "html_url": f"{self.hosting.url}/{self.repository}/pull/{number}",
            "merge_commit_sha": merge, "user": Strict("user", {"login": actor}), "labels": [],
            "head": self._side(branch, head, source or self.repository, source is not None),
            "base": self._side("main", self._sha("main"), self.repository, False),
        }  # fmt: skip
        payload = self._payload({"action": action, "number": number, "pull_request": Strict("pull_request", row)})
        base = git(self._path, "merge-base", "main", head).strip()
        return Event(
            "pull_request", merge, f"refs/pull/{number}/merge", payload, self._diff(base, head), branch, "main", actor,
            from_fork=source is not None,
        )  # fmt: skip

    def night(self) -> Event:
        payload = self._payload({"schedule": "17 3 * * *"})
        return Event("schedule", self._sha("main"), "refs/heads/main", payload, from_default_branch=True)

    def dispatch(self, workflow: str, actor: str = "ann", **inputs: str) -> Event:
        """Somebody runs the workflow of that name by hand."""
        payload = self._payload({"inputs": Strict("inputs", inputs)})
        return Event(
            "workflow_dispatch", self._sha("main"), "refs/heads/main", payload, actor=actor, inputs=inputs,
            workflow=workflow, from_default_branch=True,
        )  # fmt: skip

    @property
    def _path(self) -> Any:
        return self.hosting.path(self.repository)

    def _sha(self, ref: str) -> str:
        return self.hosting.sha(self.repository, ref)

    def _diff(self, before: str, after: str) -> tuple[str, ...]:
        return tuple(git(self._path, "diff", "--name-only", before, after).split())

    def _payload(self, values: Mapping[str, Any]) -> Strict:
        _, _, name = self.repository.partition("/")
        facts = Strict("repository", {"full_name": self.repository, "name": name, "default_branch": "main"})
        return Strict("github.event", {"repository": facts, **values}, dict.fromkeys(PAYLOAD))

    @staticmethod
    def _side(ref: str, sha: str, repository: str, fork: bool) -> Strict:
        repo = Strict("repo", {"full_name": repository, "fork": fork})
        return Strict("a side of the pull request", {"ref": ref, "sha": sha, "repo": repo})
