"""Enough of GitHub's runner to run `.ci/action.sh`: the environment it gets, and the files that it writes to."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from ci_endpoints import TOKEN, Forge
from e2e_kit import clean_env

REPO = Path(__file__).resolve().parents[2]
INPUTS = ("COMMAND", "FOLDER", "TOKEN", "ARGS", "EXPECT", "COMMENT", "GITHUB_TOKEN")


@dataclass
class Done:
    """What became of a step: exit code, log, outputs, summary."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    def commands(self) -> list[str]:
        """The workflow commands that the runner would obey."""
        obeyed, stopped = [], ""
        for line in self.log.splitlines():
            if stopped:
                stopped = "" if line == f"::{stopped}::" else stopped
            elif line.startswith("::stop-commands::"):
                stopped = line.removeprefix("::stop-commands::")
            elif line.startswith("::"):
                obeyed.append(line)
        assert not stopped, "commands stay stopped"
        return obeyed


@dataclass
class Runner:
    """A machine whose `temp` outlives steps; `workspace` is the clone."""

    root: Path
    workspace: Path
    forge: Forge | None = None
    environment: dict[str, str] = field(default_factory=dict)
    steps: int = 0

    def __post_init__(self) -> None:
        self.temp = self.root / "runner temp"
        program = self.temp / f"qase-iac-{REPO.name}" / "venv" / "bin"
        program.mkdir(parents=True)
        (program / "python").symlink_to(sys.executable)
        start = program / "qase-iac"  # as pip writes it, and for this work tree
        seen = f'env > "{self.root}/env-of-$3"\n'  # --chdir FOLDER COMMAND, or --chdir FOLDER --events FILE COMMAND
        start.write_text(f'#!/bin/sh\n{seen}exec "{sys.executable}" -m qase_iac "$@"\n')
        start.chmod(0o755)

    def event(self, **payload: object) -> None:
        """What set the workflow off."""
        path = self.root / "event.json"
        path.write_text(json.dumps(payload))
        self.environment["GITHUB_EVENT_PATH"] = str(path)

    def run(self, **inputs: str) -> Done:
        """One step with `inputs` (COMMAND, FOLDER, …) as action.yml hands them to the script."""
        process = self.start(**inputs)
        log, _ = process.communicate()
        output, summary = self._files()
        pairs = [line.partition("=") for line in output.read_text().splitlines()]
        return Done(process.returncode, log.decode(), {name: value for name, _, value in pairs}, summary.read_text())

    def start(self, **inputs: str) -> subprocess.Popen[bytes]:
        """The same, while it runs."""
        self.steps += 1
        output, summary = self._files()
        output.touch()
        summary.touch()
        given = {f"INPUT_{name}": inputs.get(name, "") for name in INPUTS}
        given["INPUT_GITHUB_TOKEN"] = inputs.get("GITHUB_TOKEN", TOKEN)
        hub = {"GITHUB_API_URL": self.forge.url, "GITHUB_REPOSITORY": self.forge.repository} if self.forge else {}
        own = {name: value for name, value in clean_env().items() if not name.startswith(("GITHUB_", "CI_"))}
        environment = {
            **own, **hub, "RUNNER_TEMP": str(self.temp), "GITHUB_ACTION_PATH": str(REPO), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_WORKFLOW": "Qase apply", "PYTHONPATH": str(REPO),
            "XDG_CACHE_HOME": str(self.root / "cache"), **self.environment, **given,
        }  # fmt: skip
        command = ["bash", str(REPO / ".ci" / "action.sh")]
        return subprocess.Popen(
            command, cwd=self.workspace, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def _files(self) -> tuple[Path, Path]:
        return self.root / f"output-{self.steps}", self.root / f"summary-{self.steps}"
