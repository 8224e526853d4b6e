"""The steps of one job: scripts, and the actions that the shipped files use."""

from __future__ import annotations

import base64
import itertools
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_player.documents import read_action
from ci_player.expressions import Anything, Context, Strict, Unknown, condition, shown, truthy, value_of
from ci_player.log import read_pairs
from ci_player.machine import Machine

if TYPE_CHECKING:
    from ci_player.hosting import Hosting

FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")
NO_SECRETS = ("secrets",)
"""What an `if:` does not see."""


@dataclass
class Step:
    """What became of a step: `outcome` before `continue-on-error` counts, `conclusion` after."""

    name: str
    outcome: str
    conclusion: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Place:
    """What a job works with. `action` is the folder that `OWNER/qase-iac@…` is downloaded to."""

    machine: Machine
    hosting: Hosting
    action: Path
    artifacts: Path
    token: str


class Steps:
    """Runs a list of steps, of a job or of a composite action, each with the results of those before it."""

    def __init__(
        self, place: Place, context: Context, environment: dict[str, str], defaults: Mapping[str, str]
    ) -> None:
        self.place, self.context, self.environment, self.defaults = place, context, environment, defaults
        self.done: list[Step] = []
        self.by_id: dict[str, Any] = {}
        self.summary = ""
        self.failed = False

    def run(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            self.done.append(self._one(step))

    def seen(self, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The contexts of a step."""
        status = {
            "always": lambda: True, "success": lambda: not (self.failed or self.cancelled),
            "failure": lambda: self.failed and not self.cancelled, "cancelled": lambda: self.cancelled,
            "hashfiles": self._hash_files,
        }  # fmt: skip
        env = Strict("env", environment if environment is not None else self.environment)
        job = Strict("job", {"status": "failure" if self.failed else "success"})
        return {**self.context, "env": env, "job": job, "steps": Strict("steps", self.by_id), "()": status}

    @property
    def cancelled(self) -> bool:
        return self.place.machine.cancelled

    def _hash_files(self, *patterns: str) -> str:
        found = [path for each in patterns for path in self.place.machine.workspace.glob(each)]
        return "0" * 64 if found else ""

    def _one(self, step: dict[str, Any]) -> Step:
        name = str(step.get("name") or step.get("uses") or step["run"].splitlines()[0])
        known = dict.fromkeys(self._known_outputs(step))
        asked = {key: value for key, value in self.seen().items() if key not in NO_SECRETS}
        if not condition(step.get("if"), asked):
            return self._note(step, Step(name, "skipped", "skipped", known))
        own = {key: shown(value) for key, value in value_of(step.get("env") or {}, self.seen()).items()}
        context = self.seen({**self.environment, **own})
        code, outputs = self._carried_out(step, context, {**self.environment, **own})
        self.place.machine.log.end_step()
        forgiven = truthy(value_of(step.get("continue-on-error", False), context))
        outcome = "cancelled" if code and self.cancelled else "failure" if code else "success"
        return self._note(step, Step(name, outcome, "success" if forgiven else outcome, {**known, **outputs}))

    def _note(self, step: dict[str, Any], result: Step) -> Step:
        self.failed |= result.conclusion == "failure"
        if "id" in step:
            kind = Strict if result.outcome == "success" else Anything
            outputs = kind(f"outputs of {step['id']}", result.outputs)
            row = {"outcome": result.outcome, "conclusion": result.conclusion, "outputs": outputs}
            self.by_id[step["id"]] = Strict(f"steps.{step['id']}", row)
        return result

    def _known_outputs(self, step: dict[str, Any]) -> list[str]:
        """The outputs that a step may set: one that it did not is empty, and one that it never does an error."""
        if "run" in step:
            return re.findall(r"\b([A-Za-z_][\w-]*)(?:=|<<)", step["run"])
        name = step["uses"].partition("@")[0]
        return OUTPUTS.get(name) or list(read_action(self.place.action).get("outputs", {}))

    def _carried_out(
        self, step: dict[str, Any], context: Context, environment: dict[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        if "run" in step:
            return self._scripted(step, context, environment)
        given = value_of(step.get("with") or {}, context)
        owner, _, _ = step["uses"].partition("@")
        action = ACTIONS.get(owner) or (_composite if owner.endswith("/qase-iac") or owner == "./" else None)
        if action is None or "@" not in step["uses"] + ("@" if owner == "./" else ""):
            raise Unknown(f"uses: {step['uses']} is not played")
        return action(self, given, environment)

    def _scripted(
        self, step: dict[str, Any], context: Context, environment: dict[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        machine = self.place.machine
        below = step.get("working-directory", self.defaults.get("working-directory", "."))
        folder = machine.workspace / shown(value_of(below, context))
        files = {name: machine.temp / f"{name}-{os.urandom(4).hex()}" for name in FILES}
        for path in files.values():
            path.touch()
        text = shown(value_of(step["run"], context))
        shell = step.get("shell", self.defaults.get("shell", ""))
        given = {name: str(path) for name, path in files.items()}
        code = machine.script(text, shell, folder, {**environment, **given})
        read = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
        self.summary += read["GITHUB_STEP_SUMMARY"]
        assert len(read["GITHUB_STEP_SUMMARY"].encode()) <= 1024 * 1024, "a summary holds 1 MiB at the most"
        self.environment |= read_pairs(read["GITHUB_ENV"], "GITHUB_ENV")
        self.environment["PATH"] = os.pathsep.join([*reversed(read["GITHUB_PATH"].split()), self.environment["PATH"]])
        return code, read_pairs(read["GITHUB_OUTPUT"], "GITHUB_OUTPUT")


# -- actions -------------------------------------------------------------------------------------------------------------

Action = Callable[[Steps, dict[str, Any], dict[str, str]], tuple[int, Mapping[str, Any]]]


def _options(what: str, given: Mapping[str, Any], **defaults: Any) -> dict[str, Any]:
    """The inputs of an action as texts. Raises Unknown for one that is not played."""
    named = {name.replace("-", "_"): shown(value) for name, value in given.items()}
    if wrong := set(named) - set(defaults):
        raise Unknown(f"{what}: {', '.join(wrong)} is not played")
    return {**defaults, **named}


def _checkout(steps: Steps, given: dict[str, Any], environment: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    """actions/checkout@v6: one commit, or all branches with `fetch-depth: 0`.

    The job's token stays in the clone, as v6 does it: in a file of its own outside, which the clone's settings include.
    """
    place, github = steps.place, steps.context["github"]
    own = _options("checkout", given, repository=github["repository"], ref="", token=place.token, path=".",
                   fetch_depth="1", persist_credentials="true")  # fmt: skip
    folder = place.machine.workspace / own["path"]
    folder.mkdir(parents=True, exist_ok=True)
    wanted, local = _wanted(own["ref"] or github["sha"], "" if own["ref"] else github["ref"])
    depth = ["--depth", own["fetch_depth"]] if own["fetch_depth"] != "0" else []
    more = ["+refs/heads/*:refs/remotes/origin/*"] if not depth else []
    name = local.removeprefix("refs/remotes/origin/")
    branch = ["--detach"] if name == local else ["-B", name]
    secret = _credentials(place, own["token"])
    include = f"includeIf.gitdir:{folder.resolve()}/.git.path"
    for words in (
        ["init", "-q", "-b", "unused", "."],
        ["remote", "add", "origin", f"{place.hosting.url}/{own['repository']}.git"],
        ["config", "--local", include, str(secret)],
        *([["fetch", "-q", "--no-tags", "--prune", "origin", *more]] if more else []),
        ["fetch", "-q", "--no-tags", *depth, "origin", f"+{wanted}:{local}"],
        ["checkout", "-q", "--force", *branch, local],
        *([["config", "--local", "--unset-all", include]] if own["persist_credentials"] == "false" else []),
    ):
        if code := place.machine.run(["git", *words], folder, environment):
            return code, {}
    return 0, {"commit": wanted, "ref": own["ref"]}


def _credentials(place: Place, token: str) -> Path:
    path = place.machine.temp / f"git-credentials-{os.urandom(4).hex()}.config"
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    path.write_text(f'[http "{place.hosting.url}/"]\n\textraheader = AUTHORIZATION: basic {basic}\n')
    return path


def _wanted(ref: str, symbolic: str) -> tuple[str, str]:
    """(what to fetch, the local ref for it) of a commit with the ref that it came by, or of a name."""
    if len(ref) == 40 and set(ref) <= set("0123456789abcdef"):
        return ref, _local(symbolic) if symbolic else "refs/remotes/commit"
    full = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    return full, _local(full)


def _local(ref: str) -> str:
    return ref.replace("refs/heads/", "refs/remotes/origin/").replace("refs/pull/", "refs/remotes/pull/")


def _setup_python(steps: Steps, given: dict[str, Any], environment: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    """Python is on the PATH of every machine; asked for one that is not ours, the player would lie."""
    own = _options("setup-python", given, python_version="", cache="", cache_dependency_path="", update_environment="")
    version = own["python_version"].replace(".x", "")
    if version and tuple(map(int, version.split(".")[:2])) < (3, 11):
        raise Unknown(f"Python {version} is too old for the program")
    found = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    return 0, {"python-version": found, "python-path": str(steps.place.machine.bin / "python"), "cache-hit": ""}


def _upload(steps: Steps, given: dict[str, Any], environment: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    """Hidden files and folders are left out, unless asked for: the action's own rule, which is easily forgotten."""
    own = _options("upload-artifact", given, name="artifact", path="", if_no_files_found="warn", retention_days="",
                   include_hidden_files="false", overwrite="false", compression_level="")  # fmt: skip
    machine, hidden = steps.place.machine, own["include_hidden_files"] == "true"
    lines = [line.strip() for line in own["path"].split("\n") if line.strip()]
    paths = [path for line in lines for path in _files(machine.workspace / line, hidden)]
    target = steps.place.artifacts / own["name"]
    if target.exists() and own["overwrite"] == "false":
        machine.log.add(f"::error::an artifact {own['name']} exists already")
        return 1, {}
    if not paths:
        return int(own["if_no_files_found"] == "error"), {}
    top = Path(os.path.commonpath([path.parent for path in paths]))
    for path in paths:
        (target / path.relative_to(top)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / path.relative_to(top))
    return 0, {"artifact-url": f"{steps.context['github']['server_url']}/artifacts/{own['name']}", "artifact-id": "1"}


def _files(pattern: Path, hidden: bool) -> list[Path]:
    """What a line of `path:` names. Looked at for a dot is what is found from the first place without a `*` on."""
    fixed = Path(*itertools.takewhile(lambda part: not set(part) & set("*?["), pattern.parts))
    found = [fixed] if fixed == pattern else sorted(fixed.glob(str(pattern.relative_to(fixed))))
    files = [file for path in found for file in ([path] if path.is_file() else sorted(path.rglob("*")))]
    parts = {file: file.relative_to(fixed.parent).parts for file in files if file.is_file()}
    return [file for file, names in parts.items() if hidden or not any(name.startswith(".") for name in names)]


def _download(steps: Steps, given: dict[str, Any], environment: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    own = _options("download-artifact", given, name="artifact", path=".")
    source = steps.place.artifacts / own["name"]
    if not source.exists():
        steps.place.machine.log.add(f"::error::there is no artifact {own['name']}")
        return 1, {}
    shutil.copytree(source, steps.place.machine.workspace / own["path"], dirs_exist_ok=True)
    return 0, {}


def _composite(steps: Steps, given: dict[str, Any], environment: dict[str, str]) -> tuple[int, Mapping[str, Any]]:
    """The action of this repository, as it is shipped."""
    place = steps.place
    action = read_action(place.action)
    declared: dict[str, Any] = action.get("inputs", {})
    if wrong := set(given) - set(declared):
        raise Unknown(f"the action has no input {', '.join(wrong)}; there are: {', '.join(declared)}")
    defaults = {name: value_of(row.get("default", ""), steps.context) for name, row in declared.items()}
    inputs = {name: shown(value) for name, value in {**defaults, **given}.items()}
    for name, row in declared.items():
        if row.get("required") and not inputs[name]:
            raise Unknown(f"the action's input {name} is required")
    github = Strict("github", {**steps.context["github"], "action_path": str(place.action)})
    kept = {name: steps.context[name] for name in ("runner", "strategy", "matrix") if name in steps.context}
    own = {**environment, "GITHUB_ACTION_PATH": str(place.action)}
    inner = Steps(place, {**kept, "github": github, "inputs": Strict("inputs", inputs)}, own, {})
    inner.run(action["runs"]["steps"])
    for name in inner.environment.keys() - own.keys():
        steps.environment[name] = inner.environment[name]
    steps.environment["PATH"] = inner.environment["PATH"]
    steps.summary += inner.summary
    outputs = {name: value_of(row["value"], inner.seen()) for name, row in action.get("outputs", {}).items()}
    return int(inner.failed or inner.cancelled), outputs


OUTPUTS = {
    "actions/checkout": ["ref", "commit"],
    "actions/setup-python": ["python-version", "python-path", "cache-hit"],
    "actions/upload-artifact": ["artifact-id", "artifact-url", "artifact-digest"],
    "actions/download-artifact": ["download-path"],
}
ACTIONS: dict[str, Action] = {
    "actions/checkout": _checkout,
    "actions/setup-python": _setup_python,
    "actions/upload-artifact": _upload,
    "actions/download-artifact": _download,
}
