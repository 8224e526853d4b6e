"""Plays a GitLab CI template: which jobs a pipeline has, their variables, their scripts in real processes, artifacts.

Other than on GitLab there are no containers: `/tmp` in a script is a folder of the job, and `python -m venv` there leads
to the program as it is installed here, with a pip that does nothing.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ci_endpoints import Asked, Forge
from stores_kit import Quiet, Terraform, git, serving

from ci_player.documents import listed, matches, read_yaml
from ci_player.expressions import Unknown
from ci_player.hosting import Hosting
from ci_player.machine import Machine, prepared

JOB_KEYS = {
    "extends", "image", "variables", "before_script", "script", "artifacts", "rules", "resource_group", "interruptible",
    "needs", "stage", "allow_failure", "when", "cache",
}  # fmt: skip
GLOBAL_KEYS = {"variables", "stages", "default", "workflow", "include"}
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_TERM = re.compile(r"""\s*(?:\$(\w+)|"([^"]*)"|'([^']*)'|(==|!=|&&|\|\||null))""")


def jobs_of(path: Path) -> tuple[dict[str, str], dict[str, dict[str, Any]]]:
    """The variables of a template, and its jobs with what they extend. Raises Unknown for what is not played."""
    data: dict[str, Any] = read_yaml(path)
    nodes = {name: node for name, node in data.items() if name not in GLOBAL_KEYS}
    for name, node in nodes.items():
        if wrong := set(node) - JOB_KEYS:
            raise Unknown(f"{name}: {', '.join(wrong)} is not played")
    found = {name: _extended(node, nodes) for name, node in nodes.items() if not name.startswith(".")}
    return {name: str(value) for name, value in (data.get("variables") or {}).items()}, found


def _extended(node: dict[str, Any], nodes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Mappings are merged, lists replaced."""
    own: dict[str, Any] = {}
    for name in listed(node.get("extends")):
        own = _merged(own, _extended(nodes[name], nodes))
    return _merged(own, node)


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    deeper = {
        k: _merged(below[k], v) for k, v in above.items() if isinstance(v, dict) and isinstance(below.get(k), dict)
    }
    return {**below, **above, **deeper}


def holds(text: str, variables: Mapping[str, str]) -> bool:
    """An `if:` of a rule: `&&` binds before `||`, a variable that is not set is null."""
    at, words = 0, []
    while at < len(text.rstrip()):
        match = _TERM.match(text, at)
        if match is None:
            raise Unknown(f"cannot read {text[at:]!r}")
        variable, double, single, sign = match.groups()
        words.append(
            sign if sign else variables.get(variable) if variable else double if double is not None else single
        )
        at = match.end()
    return any(all(_compared(part) for part in _split(side, "&&")) for side in _split(words, "||"))


def _split(words: list[Any], by: str) -> Iterator[list[Any]]:
    for is_sign, group in itertools.groupby(words, lambda word: word == by):
        if not is_sign:
            yield list(group)


def _compared(words: list[Any]) -> bool:
    match words:
        case [value]:
            return bool(value)
        case [one, "==" | "!=" as sign, other]:
            one, other = (None if each == "null" else each for each in (one, other))
            return (one == other) is (sign == "==")
    raise Unknown(f"cannot read {words}")


def expanded(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match.group(1) or match.group(2), ""), text)


@dataclass
class Job:
    name: str
    conclusion: str = ""
    log: str = ""
    artifacts: dict[str, Path] = field(default_factory=dict)
    """Path in the job's folder -> where it is kept."""


@dataclass
class GitLab:
    """One project. `forge` knows its notes, `terraform` its state; both are served below `url`."""

    root: Path
    hosting: Hosting
    repository: str
    template: Path
    forge: Forge
    terraform: Terraform
    url: str
    variables: Mapping[str, str]

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        self.bin = _with_venv(prepared(self.root / "bin"))
        self.numbers = itertools.count(1)
        self.resources: dict[str, threading.Lock] = {}

    def pipeline(self, source: str, ref: str, changed: tuple[str, ...] = (), **variables: str) -> dict[str, Job]:
        """Runs a pipeline to its end: the jobs whose rules say so, at the commit of `ref`."""
        own, jobs = jobs_of(self.template)
        sha = self.hosting.sha(self.repository, ref)
        given = {**own, **self.variables, **self._predefined(source, sha), **variables}
        found = {}
        for name, node in jobs.items():
            if _wanted(node.get("rules"), given, changed):
                with self.resources.setdefault(str(node.get("resource_group", name)), threading.Lock()):
                    found[name] = self._run(name, node, given, ref, sha)
        return found

    def _predefined(self, source: str, sha: str) -> dict[str, str]:
        on_branch = {} if source == "merge_request_event" else {"CI_COMMIT_BRANCH": "main"}
        return {
            **on_branch, "CI": "true", "GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_COMMIT_SHA": sha,
            "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": self.forge.project, "CI_PROJECT_PATH": self.repository,
            "CI_API_V4_URL": f"{self.url}/api/v4", "CI_SERVER_URL": self.url, "CI_JOB_TOKEN": self.terraform.password,
        }  # fmt: skip

    def _run(self, name: str, node: dict[str, Any], given: Mapping[str, str], ref: str, sha: str) -> Job:
        number = next(self.numbers)
        machine = Machine(self.root / f"machine-{number}", self.bin)
        page = {"CI_JOB_URL": f"{self.url}/{self.repository}/-/jobs/{number}", "CI_PROJECT_DIR": str(machine.workspace)}
        variables = {**given, **page}
        own = {key: expanded(str(value), variables) for key, value in (node.get("variables") or {}).items()}
        environment = {**machine.environment, **variables, **own}
        token = variables["CI_JOB_TOKEN"]
        self.hosting.tokens[token] = False
        self._clone(machine, environment, token, ref, sha)
        lines = [*listed(node.get("before_script")), *node["script"]]
        script = "\n".join(["set -eo pipefail", *lines]).replace("/tmp/", f"{machine.temp}/")
        code = machine.script(script, "bash", machine.workspace, environment)
        job = Job(name, "failed" if code else "success", machine.log.text)
        self._keep(job, machine, node.get("artifacts") or {}, environment, number)
        machine.end()
        return job

    def _clone(self, machine: Machine, environment: Mapping[str, str], token: str, ref: str, sha: str) -> None:
        """As the runner does it: a detached commit, the token in the address of `origin`."""
        url = self.hosting.url.replace("://", f"://gitlab-ci-token:{token}@") + f"/{self.repository}.git"
        depth = [] if environment.get("GIT_DEPTH") == "0" else ["--depth", environment.get("GIT_DEPTH", "20")]
        for words in (
            ["init", "-q", "."],
            ["remote", "add", "origin", url],
            ["fetch", "-q", *depth, "origin", f"+{sha}:refs/pipelines/1"],
            ["checkout", "-q", "--force", "--detach", sha],
        ):
            assert machine.run(["git", *words], machine.workspace, environment) == 0, machine.log.text

    def _keep(
        self, job: Job, machine: Machine, how: Mapping[str, Any], variables: Mapping[str, str], number: int
    ) -> None:
        if how.get("when", "on_success") == "on_success" and job.conclusion == "failed":
            return
        named = [*how.get("paths", []), *(how.get("reports") or {}).values()]
        for path in (machine.workspace / expanded(each, variables) for each in named):
            for file in [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]:
                short = str(file.relative_to(machine.workspace))
                job.artifacts[short] = self.root / f"artifacts-{number}" / short
                job.artifacts[short].parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, job.artifacts[short])


def _wanted(rules: Any, variables: Mapping[str, str], changed: tuple[str, ...]) -> bool:
    """The first rule that fits decides."""
    for rule in listed(rules):
        if set(rule) - {"if", "changes"}:
            raise Unknown(f"rule {rule}")
        files = [expanded(each, variables) for each in rule.get("changes", [])]
        if holds(rule.get("if", '"yes"'), variables) and (not files or any(matches(each, files) for each in changed)):
            return True
    return rules is None


def _with_venv(folder: Path) -> Path:
    """Gives `python -m venv DIR` another meaning: the program is there, and pip has nothing to do."""
    python = folder / "python"
    text = f"""#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
  mkdir -p "$3/bin" && ln -s "{folder}/qase-iac" "$3/bin/qase-iac" && ln -s "{shutil.which("true")}" "$3/bin/pip"
else
  exec "{folder}/python3" "$@"
fi
"""
    python.write_text(text)
    return folder


@contextmanager
def served(forge: Forge, terraform: Terraform) -> Iterator[str]:
    """GitLab's API: notes of merge requests, and its managed state."""

    class Handler(Quiet):
        def answer(self) -> None:
            if "/terraform/state/" in self.path:
                if self.headers.get("Authorization") == _basic("gitlab-ci-token", terraform.password):
                    self.headers.replace_header("Authorization", _basic("ci", terraform.password))
                return terraform.handle(self)
            return _asked(self, forge)

        do_GET = do_POST = do_PUT = do_DELETE = answer

    with serving(Handler) as url:
        yield url


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _asked(request: Quiet, forge: Forge) -> None:
    parts, body = urlsplit(request.path), request.body()
    token = request.headers.get("PRIVATE-TOKEN", "")
    asked = Asked(request.command, parts.path, token, json.loads(body) if body else None)
    status, content, headers = forge.answer(asked, dict(parse_qsl(parts.query)))
    request.reply(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def merge_request(hosting: Hosting, repository: str, forge: Forge, number: int, branch: str) -> dict[str, str]:
    """Opens or follows merge request `number`; the variables that its pipelines have."""
    head, _ = hosting.offer(repository, number, branch)
    forge.add_pull(number, head)
    return {
        "CI_MERGE_REQUEST_IID": str(number), "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": forge.project,
        "CI_MERGE_REQUEST_PROJECT_ID": forge.project,
    }  # fmt: skip


def changed(hosting: Hosting, repository: str, before: str, after: str) -> tuple[str, ...]:
    return tuple(git(hosting.path(repository), "diff", "--name-only", before, after).split())
