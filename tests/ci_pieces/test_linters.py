"""What other people's tools say about the pieces: actionlint, zizmor, shellcheck, and the schemas of both forges."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_pieces.runner_kit import REPO

HUB = REPO / "examples" / "ci" / "github"
LAB = REPO / "examples" / "ci" / "gitlab" / "qase-iac.gitlab-ci.yml"
WORKFLOWS = sorted(HUB.glob("*.yml"))
SCRIPTS = sorted((REPO / ".ci").glob("*.sh"))
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tool() -> Run:
    """Runs a linter of the dev extra. Where it is not installed the test is skipped, and says so."""

    def run(name: str, *arguments: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
        beside = Path(sys.executable).with_name(name)
        program = str(beside) if beside.exists() else shutil.which(name)
        if not program:
            pytest.skip(f"{name} is not installed: pip install -e '.[dev]'")
        path = os.pathsep.join([str(beside.parent), os.environ["PATH"]])
        return subprocess.run(
            [program, *map(str, arguments)],
            input=given,
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": path},
        )

    return run


def test_there_is_something_to_check() -> None:
    assert [path.stem for path in WORKFLOWS] == ["qase-apply", "qase-drift", "qase-fork", "qase-many", "qase-plan"]
    assert SCRIPTS and LAB.exists()


# -- actionlint, which runs shellcheck on every `run:`


def test_actionlint_finds_nothing(tool: Run) -> None:
    done = tool("actionlint", *WORKFLOWS)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("github.repository", "github.repositry", "expression"),
        ("    runs-on: ubuntu-latest\n", "", "syntax-check"),
        ("steps.plan.outputs.report", "steps.paln.outputs.report", "expression"),
        ("      - id: plan\n", "      - run: echo $HOME/*.$x `pwd`\n      - id: plan\n", "shellcheck"),
        ("contents: read", "contents: some", "permissions"),
    ],
)
def test_actionlint_finds_what_is_broken(tool: Run, tmp_path: Path, old: str, new: str, rule: str) -> None:
    text = (HUB / "qase-plan.yml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "broken.yml").write_text(text.replace(old, new))
    done = tool("actionlint", tmp_path / "broken.yml")
    assert done.returncode == 1
    assert f"[{rule}]" in done.stdout


# -- zizmor: injection, permissions, credentials


@pytest.fixture
def zizmor(tool: Run, tmp_path: Path) -> Callable[..., list[str]]:
    """Audits files and names the findings. Tags are fine in an example: whoever copies it decides what to pin."""
    config = tmp_path / "zizmor.yml"
    config.write_text(yaml.safe_dump({"rules": {"unpinned-uses": {"config": {"policies": {"*": "ref-pin"}}}}}))

    def audit(*paths: Path) -> list[str]:
        done = tool("zizmor", "--offline", "--no-exit-codes", "--format", "json", "--config", config, *paths)
        assert done.returncode == 0, done.stderr
        return [finding["ident"] for finding in json.loads(done.stdout)]

    return audit


def test_zizmor_finds_nothing(zizmor: Callable[..., list[str]]) -> None:
    assert zizmor(REPO / "action.yml", *WORKFLOWS) == []


def test_zizmor_finds_an_injection(zizmor: Callable[..., list[str]], tmp_path: Path) -> None:
    text = (REPO / "action.yml").read_text(encoding="utf-8")
    broken = tmp_path / "action.yml"
    broken.write_text(text.replace("run: exec bash", "run: echo ${{ inputs.args }}; exec bash"))
    assert broken.read_text() != text
    assert "template-injection" in zizmor(broken)


# -- shellcheck


def test_shellcheck_finds_nothing_in_the_scripts(tool: Run) -> None:
    done = tool("shellcheck", "--severity=style", *SCRIPTS)
    assert (done.returncode, done.stdout) == (0, "")


def _gitlab_scripts() -> dict[str, str]:
    jobs = yaml.safe_load(LAB.read_text(encoding="utf-8"))
    return {
        f"{name}.{part}": "\n".join(["set -eo pipefail", *job[part]])
        for name, job in jobs.items()
        for part in ("before_script", "script")
        if isinstance(job, dict) and part in job
    }


@pytest.mark.parametrize("name", _gitlab_scripts())
def test_shellcheck_finds_nothing_in_gitlab_s_scripts(tool: Run, name: str) -> None:
    done = tool("shellcheck", "--shell=bash", "-", given=_gitlab_scripts()[name])
    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_finds_what_is_broken(tool: Run) -> None:
    done = tool("shellcheck", "--shell=bash", "-", given="rm -rf $folder/*\n")
    assert "SC2086" in done.stdout


# -- the schemas of the forges

SCHEMAS = [
    ("vendor.github-actions", REPO / "action.yml"),
    ("vendor.gitlab-ci", LAB),
    *(("vendor.github-workflows", path) for path in WORKFLOWS),
]


@pytest.mark.parametrize(("schema", "path"), SCHEMAS, ids=[path.name for _, path in SCHEMAS])
def test_the_schema_of_the_forge(tool: Run, schema: str, path: Path) -> None:
    done = tool("check-jsonschema", "--builtin-schema", schema, path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "path", "change"),
    [
        ("vendor.github-actions", REPO / "action.yml", {"runs": {"using": "compositor", "steps": []}}),
        ("vendor.github-workflows", WORKFLOWS[0], {"concurrency": {"group": "x", "queue": "min"}}),
        ("vendor.gitlab-ci", LAB, {"qase-apply": {"script": ["x"], "resource_group": 5, "interruptible": "no"}}),
    ],
)
def test_the_schema_finds_what_is_broken(
    tool: Run, tmp_path: Path, schema: str, path: Path, change: dict[str, Any]
) -> None:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    (tmp_path / "broken.json").write_text(json.dumps({**data, **change}, default=str))
    assert tool("check-jsonschema", "--builtin-schema", schema, tmp_path / "broken.json").returncode == 1
