"""Reads workflow files and action.yml as GitHub does, and refuses every key that the player would not honour."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from ci_player.expressions import Unknown

KEYS: dict[str, set[str]] = {
    "workflow": {"name", "run-name", "on", "permissions", "env", "defaults", "concurrency", "jobs"},
    "job": {
        "name", "runs-on", "needs", "if", "permissions", "steps", "env", "outputs", "strategy", "concurrency",
        "timeout-minutes", "defaults", "environment", "continue-on-error",
    },
    "step": {
        "name", "id", "if", "run", "uses", "with", "env", "shell", "working-directory", "continue-on-error",
        "timeout-minutes",
    },
    "action": {"name", "description", "author", "branding", "inputs", "outputs", "runs"},
    "trigger": {"branches", "branches-ignore", "paths", "paths-ignore", "types", "tags", "inputs", "cron", "workflows"},
    "concurrency": {"group", "cancel-in-progress", "queue"},
    "strategy": {"matrix", "fail-fast", "max-parallel"},
}  # fmt: skip
EVENTS = {"push", "pull_request", "schedule", "workflow_dispatch", "workflow_call"}
SCOPES = {
    "actions", "attestations", "checks", "contents", "deployments", "id-token", "issues", "packages", "pages",
    "pull-requests", "security-events", "statuses",
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """YAML 1.2's idea of a boolean: `on` is a word."""


OTHERWISE = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag not in OTHERWISE]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


def read_yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def read_workflow(path: Path) -> dict[str, Any]:
    """A workflow with `on` as a mapping and `needs` as lists. Raises Unknown for what is not played."""
    data: dict[str, Any] = read_yaml(path)
    check(data, "workflow", path.name)
    data["on"] = triggers(data["on"])
    check_queue(data.get("concurrency"), path.name)
    for name, job in data["jobs"].items():
        check(job, "job", f"{path.name}: {name}")
        if "steps" not in job or "runs-on" not in job:
            raise Unknown(f"job {name} has no steps or no runs-on")
        check(job.get("strategy", {}), "strategy", name)
        check_queue(job.get("concurrency"), name)
        job["needs"] = listed(job.get("needs"))
        check_steps(job["steps"], f"{path.name}: {name}")
    return data


def read_action(folder: Path) -> dict[str, Any]:
    """A composite action. Raises Unknown for what is not played."""
    data: dict[str, Any] = read_yaml(folder / "action.yml")
    check(data, "action", "action.yml")
    if data["runs"]["using"] != "composite":
        raise Unknown(f"action.yml uses {data['runs']['using']}")
    check_steps(data["runs"]["steps"], "action.yml")
    for step in data["runs"]["steps"]:
        if "run" in step and "shell" not in step:
            raise Unknown(f"a step of action.yml has no shell: {step['run'][:40]!r}")
    return data


def check(node: Any, what: str, where: str) -> None:
    wrong = set(node) - KEYS[what]
    if wrong:
        raise Unknown(f"{where}: {', '.join(map(str, wrong))} of a {what} is not played")


def check_queue(node: Any, where: str) -> None:
    if isinstance(node, dict):
        check(node, "concurrency", where)
        if node.get("queue", "single") not in ("single", "max") or ("queue" in node and node.get("cancel-in-progress")):
            raise Unknown(f"{where}: queue: max does not go with cancel-in-progress")


def check_steps(steps: list[Any], where: str) -> None:
    seen: set[str] = set()
    for step in steps:
        check(step, "step", where)
        if ("run" in step) == ("uses" in step):
            raise Unknown(f"{where}: a step has one of run and uses: {step}")
        if step.get("id") in seen:
            raise Unknown(f"{where}: two steps have the id {step['id']}")
        seen |= {step["id"]} if "id" in step else set()


def triggers(node: Any) -> dict[str, Any]:
    """`on:` as a mapping of event -> its filters; of `schedule` the list of its times."""
    found = {each: {} for each in listed(node)} if not isinstance(node, dict) else {k: v or {} for k, v in node.items()}
    for event, how in found.items():
        if event not in EVENTS:
            raise Unknown(f"the event {event} is not played")
        for row in how if event == "schedule" else [how]:
            check(row, "trigger", f"on: {event}")
    return found


def listed(node: Any) -> list[Any]:
    """One or many, as a list."""
    return [] if node is None else node if isinstance(node, list) else [node]


def permissions(*nodes: Any) -> dict[str, str]:
    """What a token may do: the job's `permissions`, else the workflow's; what is not named there is `none`."""
    node = next((each for each in nodes if each is not None), None)
    if node is None:  # GitHub's default for new repositories
        return {"contents": "read", "packages": "read"}
    if isinstance(node, str):
        return dict.fromkeys(SCOPES, {"read-all": "read", "write-all": "write"}[node])
    wrong = set(node) - SCOPES
    if wrong or not set(node.values()) <= {"read", "write", "none"}:
        raise Unknown(f"permissions: {node}")
    return dict(node)


def matches(name: str, patterns: list[str]) -> bool:
    """A branch or a path against a filter: the last pattern that fits counts, `!` takes out."""
    found = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        rule = re.escape(wanted).replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
        if re.fullmatch(rule.replace(r"\?", "[^/]?"), name):
            found = not pattern.startswith("!")
    return found
