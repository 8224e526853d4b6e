"""GitHub: events, the workflows that they trigger, queues of concurrency groups, jobs that need each other."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stores_kit import git

from ci_player.documents import read_workflow
from ci_player.events import Event
from ci_player.expressions import Strict, Unknown, condition, shown, truthy, value_of
from ci_player.hosting import Hosting
from ci_player.jobs import Job, matrix_rows, play_job
from ci_player.machine import prepared

WORKFLOWS = ".github/workflows"


@dataclass
class Run:
    """A workflow at work for an event. `conclusion`: success, failure, or cancelled."""

    id: int
    workflow: dict[str, Any]
    event: Event
    facts: dict[str, Any]
    jobs: dict[str, Job] = field(default_factory=dict)
    conclusion: str = ""
    cancelled: bool = False
    error: BaseException | None = None
    thread: threading.Thread | None = None
    began: threading.Event = field(default_factory=threading.Event)
    """Set when it has taken its place in the queue: whom it cancels is cancelled."""

    @property
    def inputs(self) -> Strict:
        """The inputs declared for `workflow_dispatch`; empty when the run was not started by hand."""
        declared = self.workflow["on"].get("workflow_dispatch", {}).get("inputs") or {}
        if self.event.name != "workflow_dispatch":
            return Strict("inputs", {}, declared)
        given = self.event.inputs
        missing = [name for name, row in declared.items() if row.get("required") and name not in given]
        if missing or set(given) - set(declared):
            raise Unknown(f"inputs {given}, declared are {', '.join(declared)}")
        return Strict("inputs", {**{name: row.get("default", "") for name, row in declared.items()}, **given})

    def wait(self) -> Run:
        """Until it has ended. Raises what the player met and does not know."""
        assert self.thread is not None
        self.thread.join()
        if self.error is not None:
            raise self.error
        return self

    def cancel(self) -> None:
        """Somebody presses the button, or a newer run takes its place."""
        self.cancelled = True
        for job in list(self.jobs.values()):
            job.cancel()

    def job(self, name: str = "") -> Job:
        """The job of that name, or the only one that ran."""
        if name:
            return self.jobs[name]
        (found,) = (job for job in self.jobs.values() if job.conclusion != "skipped")
        return found

    @property
    def log(self) -> str:
        return "\n".join(f"--- {name}: {job.conclusion}\n{job.log.text}" for name, job in self.jobs.items())


class Queues:
    """Of each group one is at work and one waits; a third one takes the place of the one that waits. `queue: max`: all
    wait, in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: dict[str, list[Run | Job]] = {}

    def enter(self, group: str, mine: Run | Job, cancel: bool, all_wait: bool) -> bool:
        """True when it is this one's turn, False when a newer one took its place."""
        with self._changed:
            line = self._lines.setdefault(group.lower(), [])
            if cancel and line:
                line[0].cancel()
            if not all_wait:
                del line[1:]
            line.append(mine)
            self._changed.notify_all()
            mine.began.set()
            self._changed.wait_for(lambda: mine not in line or line[0] is mine)
            return mine in line

    def leave(self, group: str) -> None:
        with self._changed:
            del self._lines[group.lower()][0]
            self._changed.notify_all()

    def waiting(self, group: str) -> int:
        """How many wait."""
        with self._changed:
            return max(len(self._lines.get(group.lower(), [])) - 1, 0)


@dataclass
class GitHub:
    """One repository with its secrets. `later`: machines are switched on so many seconds from now.

    `installed`: the program is on every machine already, since installing it takes long. `forge_token` tells the comment
    endpoint what a token may do.
    """

    root: Path
    hosting: Hosting
    repository: str
    program: Path
    api_url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    vars: Mapping[str, str] = field(default_factory=dict)
    installed: bool = True
    later: float = 0.0
    forge_token: Callable[[str, Mapping[str, str]], object] = lambda token, may: None

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        self.bin = prepared(self.root / "bin")
        self.action = self.root / "_actions" / "qase-iac" / "v0.1.0"
        self._download()
        self.numbers = itertools.count(1)
        self.queues = Queues()
        self.runs: list[Run] = []

    def _download(self) -> None:
        """The action as the runner gets it: a copy, so that what is built there stays there."""
        self.action.mkdir(parents=True)
        for name in (
            "action.yml",
            ".ci",
            *(() if self.installed else ("qase_iac", "pyproject.toml", "README.md", "LICENSE")),
        ):
            source, target = self.program / name, self.action / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)

    def artifacts(self, run: Run) -> Path:
        """The folder that a run's artifacts are in, one folder each."""
        return self.root / f"artifacts-{run.id}"

    def forget(self, token: str) -> None:
        """A token ends with its job."""
        self.hosting.tokens.pop(token, None)
        self.forge_token(token, {})

    # -- events ----------------------------------------------------------------------------------------------------

    def start(self, event: Event) -> list[Run]:
        """The runs that an event triggers, each at work in a thread of its own."""
        commit = self.hosting.sha(self.repository, "main" if event.from_default_branch else event.sha)
        there = self._workflows(commit)
        found = [self._run(name, workflow, event) for name, workflow in there if event.triggers(workflow)]
        for run in found:
            self.runs.append(run)
            run.thread = threading.Thread(target=self._play, args=(run,), name=f"run {run.id}")
            run.thread.start()
        return found

    def play(self, event: Event) -> Run:
        """The only run that an event triggers, at its end."""
        runs = self.start(event)
        for run in runs:
            run.wait()
        assert len(runs) == 1, [run.facts["workflow"] for run in runs]
        return runs[0]

    def _workflows(self, commit: str) -> list[tuple[str, dict[str, Any]]]:
        where = self.hosting.path(self.repository)
        names = git(where, "ls-tree", "--name-only", commit, "--", f"{WORKFLOWS}/").split()
        folder = self.root / f"workflows-{next(self.numbers)}"
        folder.mkdir()
        for name in names:
            (folder / Path(name).name).write_text(git(where, "show", f"{commit}:{name}"), encoding="utf-8")
        found = [(path.name, read_workflow(path)) for path in sorted(folder.iterdir())]
        shutil.rmtree(folder)
        return found

    def _run(self, name: str, workflow: dict[str, Any], event: Event) -> Run:
        number = next(self.numbers)
        owner, _, _ = self.repository.partition("/")
        facts = {
            "event_name": event.name, "sha": event.sha, "ref": event.ref, "head_ref": event.head_ref,
            "base_ref": event.base_ref, "ref_name": event.ref.removeprefix("refs/heads/").removeprefix("refs/pull/"),
            "ref_type": "branch", "repository": self.repository, "repository_owner": owner, "run_id": str(number),
            "run_number": str(number), "run_attempt": "1", "actor": event.actor, "triggering_actor": event.actor,
            "workflow": workflow.get("name", name), "server_url": self.hosting.url, "api_url": self.api_url,
        }  # fmt: skip
        return Run(number, workflow, event, facts)

    # -- runs ------------------------------------------------------------------------------------------------------

    def _play(self, run: Run) -> None:
        try:
            how = run.workflow.get("concurrency")
            run.cancelled |= not self._in_turn(run, how, self._context(run), lambda: self._play_jobs(run))
            ends = {job.conclusion for job in run.jobs.values()}
            bad = next((each for each in ("cancelled", "lost", "failure") if each in ends), "success")
            run.conclusion = "cancelled" if run.cancelled else "failure" if bad == "lost" else bad
        except BaseException as error:
            run.error = error

    def _in_turn(self, mine: Run | Job, node: Any, context: Mapping[str, Any], work: Callable[[], object]) -> bool:
        """Does the work when its turn comes; False when it never does."""
        if node is None:
            work()
            return True
        given = {"group": node} if isinstance(node, str) else node
        group = shown(value_of(given["group"], context))
        cancel = truthy(value_of(given.get("cancel-in-progress", False), context))
        if not self.queues.enter(group, mine, cancel, given.get("queue") == "max"):
            return False
        try:
            work()
        finally:
            self.queues.leave(group)
        return True

    def _context(self, run: Run, needs: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What stands above the steps."""
        github = Strict("github", {**run.facts, "event": run.event.payload})
        own = {} if needs is None else {"needs": Strict("needs", needs)}
        return {"github": github, "vars": Strict("vars", self.vars), "inputs": run.inputs, **own}

    def _play_jobs(self, run: Run) -> None:
        """Each job as soon as those that it needs have ended; those that can run at once do."""
        ended: dict[str, Strict] = {}
        open_jobs = dict(run.workflow["jobs"])
        while open_jobs:
            ready = [key for key, node in open_jobs.items() if set(node["needs"]) <= set(ended)]
            if not ready:
                raise Unknown(f"these jobs need each other: {', '.join(open_jobs)}")
            with ThreadPoolExecutor(len(ready)) as pool:
                results = list(pool.map(self._job, [run] * len(ready), ready, [ended] * len(ready)))
            for key, result in zip(ready, results, strict=True):
                ended[key] = result
                del open_jobs[key]

    def _job(self, run: Run, key: str, ended: Mapping[str, Strict]) -> Strict:
        """One job with its whole matrix; what those see that need it."""
        node = run.workflow["jobs"][key]
        needs = {name: ended[name] for name in node["needs"]}
        results = {each["result"] for each in needs.values()}
        fine, context = results <= {"success"}, self._context(run, needs)
        status = {"always": lambda: True, "success": lambda: fine, "failure": lambda: "failure" in results,
                  "cancelled": lambda: run.cancelled}  # fmt: skip
        if run.cancelled or not condition(node.get("if"), {**context, "()": status}):
            run.jobs[key] = Job(key, "cancelled" if run.cancelled else "skipped")
            return self._result(node, run.jobs[key].conclusion, {})
        rows = list(matrix_rows(node.get("strategy") or {}, context))
        with ThreadPoolExecutor(len(rows)) as pool:
            jobs = list(pool.map(lambda at: self._one_of(run, key, rows[at], needs, at), range(len(rows))))
        ends = {job.conclusion for job in jobs}
        result = next((each for each in ("failure", "lost", "cancelled") if each in ends), "success")
        outputs = {name: value for job in jobs for name, value in job.outputs.items()}
        return self._result(node, "failure" if result == "lost" else result, outputs)

    @staticmethod
    def _result(node: Mapping[str, Any], result: str, outputs: Mapping[str, str]) -> Strict:
        known = Strict("outputs", {**dict.fromkeys(node.get("outputs") or {}, ""), **outputs})
        return Strict("needs", {"result": result, "outputs": known})

    def _one_of(self, run: Run, key: str, row: dict[str, Any], needs: Mapping[str, Any], index: int) -> Job:
        node = run.workflow["jobs"][key]
        name = f"{key} ({', '.join(map(shown, row.values()))})" if row else key
        context = {**self._context(run, needs), "matrix": Strict("matrix", row)}
        job = run.jobs[name] = Job(name, "cancelled")
        self._in_turn(job, node.get("concurrency"), context, lambda: play_job(self, run, key, row, needs, job, index))
        return job
