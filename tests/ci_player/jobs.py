"""One job: its contexts, its token, its machine, from the first step to the outputs."""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ci_player.documents import permissions
from ci_player.expressions import Strict, Unknown, shown, value_of
from ci_player.log import Log
from ci_player.machine import Lost, Machine, install
from ci_player.steps import Place, Step, Steps

if TYPE_CHECKING:
    from ci_player.workflows import GitHub, Run

WRITTEN = "write"


@dataclass
class Job:
    """`conclusion`: success, failure, skipped, cancelled, or lost (the machine died). `machine` while it runs."""

    name: str
    conclusion: str = ""
    log: Log = field(default_factory=Log)
    steps: list[Step] = field(default_factory=list)
    summary: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    machine: Machine | None = None
    cancelled: bool = False
    began: threading.Event = field(default_factory=threading.Event)
    """Set when it has taken its place in the queue."""

    def cancel(self) -> None:
        self.cancelled = True
        if self.machine is not None:
            self.machine.cancel()

    def step(self, name: str, at: int = 0) -> Step:
        """The first, or number `at`, of the steps of that name."""
        return [each for each in self.steps if each.name == name][at]


def matrix_rows(strategy: Mapping[str, Any], context: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The values of every job of a matrix; one empty row without a matrix."""
    if "matrix" not in strategy:
        yield {}
        return
    matrix = dict(value_of(strategy["matrix"], context))
    include, exclude = matrix.pop("include", []), matrix.pop("exclude", [])
    if exclude or any(not values for values in matrix.values()) or not (matrix or include):
        raise Unknown(f"matrix {strategy['matrix']}: an empty one fails, `exclude` is not played")
    if matrix and include:
        raise Unknown("a matrix of both vectors and `include` is not played")
    yield from include or (dict(zip(matrix, row, strict=True)) for row in itertools.product(*matrix.values()))


def play_job(
    github: GitHub, run: Run, key: str, row: dict[str, Any], needs: Mapping[str, Any], job: Job, index: int
) -> None:
    """Runs a job, number `index` of its matrix, to its end. Raises Unknown for what is not played."""
    node = run.workflow["jobs"][key]
    machine = Machine(github.root / f"machine-{next(github.numbers)}", github.bin, github.later, job.log)
    job.machine = machine
    token = _token(github, run, node)
    place = Place(machine, github.hosting, github.action, github.artifacts(run), token)
    if github.installed:
        install(machine, github.action)
    context = _contexts(github, run, key, row, needs, machine, token)
    context["strategy"]["job-index"] = index
    try:
        if run.cancelled or job.cancelled:
            machine.cancel()
        steps = _prepare(place, run, node, context)
        steps.run(node["steps"])
        job.conclusion = "cancelled" if machine.cancelled else "failure" if steps.failed else "success"
        job.outputs = {k: shown(value_of(v, steps.seen())) for k, v in (node.get("outputs") or {}).items()}
        job.steps, job.summary = steps.done, steps.summary
    except Lost:
        job.conclusion = "lost"
    finally:
        github.forget(token)
        machine.end()


def _prepare(place: Place, run: Run, node: dict[str, Any], context: dict[str, Any]) -> Steps:
    outside = {key: value for key, value in context.items() if key not in ("needs", "matrix", "strategy", "runner")}
    above = {k: shown(v) for k, v in value_of(run.workflow.get("env") or {}, outside).items()}
    without_runner = {key: value for key, value in context.items() if key != "runner"}
    own = {k: shown(v) for k, v in value_of(node.get("env") or {}, without_runner).items()}
    defaults = {**_defaults(run.workflow), **_defaults(node)}
    default = {k: v for k, v in _variables(context, place.machine).items() if v is not None}
    return Steps(place, context, {**place.machine.environment, **default, **above, **own}, defaults)


def _defaults(node: Mapping[str, Any]) -> dict[str, str]:
    return dict((node.get("defaults") or {}).get("run") or {})


def _token(github: GitHub, run: Run, node: dict[str, Any]) -> str:
    """A token of this job alone. For a pull request from a fork it may read and no more, whatever is asked for."""
    may = permissions(node.get("permissions"), run.workflow.get("permissions"))
    if run.event.from_fork:
        may = {scope: "read" for scope, how in may.items() if how != "none"}
    token = "ghs_" + secrets.token_hex(12)
    if may.get("contents", "none") != "none":
        github.hosting.tokens[token] = may["contents"] == WRITTEN
    github.forge_token(token, may)
    return token


def _contexts(
    github: GitHub, run: Run, key: str, row: dict[str, Any], needs: Mapping[str, Any], machine: Machine, token: str
) -> dict[str, Any]:
    event = run.event
    more = {"token": token, "job": key, "workspace": str(machine.workspace), "event": event.payload}
    runner = {"temp": str(machine.temp), "os": "Linux", "arch": "X64", "name": machine.root.name}
    known = {} if event.from_fork else github.secrets
    return {
        "github": Strict("github", {**run.facts, **more}),
        "runner": Strict("runner", runner),
        "matrix": Strict("matrix", row),
        "strategy": Strict("strategy", {"job-index": 0, "job-total": 1}),
        "needs": Strict("needs", needs),
        "secrets": Strict("secrets", {**known, "GITHUB_TOKEN": token}, dict.fromkeys(github.secrets)),
        "vars": Strict("vars", github.vars),
        "inputs": run.inputs,
    }


DEFAULT_VARIABLES = (
    "sha", "ref", "ref_name", "ref_type", "head_ref", "base_ref", "repository", "repository_owner", "run_id",
    "run_number", "run_attempt", "actor", "triggering_actor", "workflow", "job", "server_url", "api_url", "workspace",
    "event_name",
)  # fmt: skip


def _variables(context: Mapping[str, Any], machine: Machine) -> dict[str, str]:
    """GITHUB_… and RUNNER_…, which every step sees. The token is none of them."""
    github = context["github"]
    event = machine.temp / "event.json"
    event.write_text(json.dumps(github["event"]), encoding="utf-8")
    own = {f"GITHUB_{name.upper()}": shown(github[name]) for name in DEFAULT_VARIABLES}
    runner = {f"RUNNER_{name.upper()}": value for name, value in context["runner"].items()}
    return {**own, **runner, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
