"""Whole plans as people and programs see them, and the calls that carry them out.

    NAME/before/      the folder as it was applied first (left out: there is no state)
    NAME/remote.yaml  the emulator's seed, what people did in Qase since, and the options of the plan
    NAME/config/      the folder that is planned
    NAME/plan.txt     `plan --full`, NAME/plan.json the plan, NAME/calls.txt every request of its apply, and what is
                      left to do afterwards

`pytest tests/golden --update` rewrites the last three. Review what it changes line by line: that is the test.
Random are hashes, digests and the lineage; they are numbered in the order in which they turn up.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e_kit import Folder

from qase_iac.emulator import Exchange, create_app
from qase_iac.plan.model import Plan
from qase_iac.plan.planfile import dumps, to_json
from qase_iac.render.text import plan_text

HERE = Path(__file__).parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/remote.yaml"))
RANDOM = re.compile(r"sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
BOUNDARY = re.compile(r'filename="([^"]+)"')


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    found = run(HERE / name, tmp_path)
    for file, text in found.items():
        path = HERE / name / file
        if request.config.getoption("--update", default=False):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name}/{file} (is it right? then --update)"


def run(scenario: Path, root: Path) -> dict[str, str]:
    """What a scenario comes to: file name -> text."""
    remote = yaml.safe_load((scenario / "remote.yaml").read_text(encoding="utf-8")) or {}
    ticks = itertools.count(1795392000.0)
    app = create_app(seed=remote.get("seed"), clock=lambda: next(ticks))
    folder = Folder(root / "shop", app)
    try:
        if (scenario / "before").is_dir():
            shutil.copytree(scenario / "before", folder.root)
            folder.applied()
            for file in [path for path in folder.root.rglob("*") if path.is_file() and ".qase-iac" not in path.parts]:
                file.unlink()
        shutil.copytree(scenario / "config", folder.root, dirs_exist_ok=True)
        for step in remote.get("in_qase", ()):
            _in_qase(folder, dict(step))
        options = remote.get("options", {})
        plan = folder.plan(**options)
        calls = _calls(folder, options)
        names: dict[str, str] = {}
        return {
            "plan.txt": _numbered(plan_text(plan, full=True), names),
            "plan.json": _numbered(dumps(to_json(plan)), names),
            "calls.txt": _numbered(calls, names),
        }
    finally:
        app.close()


def _in_qase(folder: Folder, step: dict[str, Any]) -> None:
    """An edit by a person: `{edit: case.pay, severity: 2}`, `{create: case, title: Pay}`, `{delete: …}`, `{move: …, to: …}`.

    References are addresses of the folder that was applied, or ids.
    """

    def id_of(value: Any) -> Any:
        kind = value.partition(".")[0] if isinstance(value, str) else ""
        return (
            folder.id_of(value)
            if kind in ("case", "suite", "milestone", "shared_step", "plan") and "." in value
            else value
        )

    verb = next(word for word in ("create", "edit", "delete", "move") if word in step)
    what = step.pop(verb)
    fields = {
        name: [id_of(item) for item in value] if isinstance(value, list) else id_of(value)
        for name, value in step.items()
    }
    kind = what.partition(".")[0]
    if verb == "create":
        folder.app.ui.create("SHOP", kind, **fields)
    else:
        getattr(folder.app.ui, verb)(
            "SHOP", kind, id_of(what), *([fields["to"]] if verb == "move" else []), **({} if verb == "move" else fields)
        )


def _calls(folder: Folder, options: dict[str, Any]) -> str:
    """The requests of an apply, a line each, and what a plan says afterwards."""
    seen: list[str] = []

    def watch(exchange: Exchange) -> None:
        query = f"?{exchange.query}" if exchange.query else ""
        seen.append(f"{exchange.method} {exchange.path.removeprefix('/v1')}{query}{_body(exchange)}".rstrip())

    folder.app.observer = watch
    try:
        report = folder.apply(**options).report
    finally:
        folder.app.observer = None
    assert report is not None
    for operation in report.operations:
        if not operation.done:
            seen.append(
                f"# {operation.status}: {operation.action} {operation.address} ({(operation.cause or '').partition(':')[0]})"
            )
    again = folder.plan(**options)
    left = [f"{'! ' if change.blocked else ''}{change.action} {change.address}" for change in again.changes]
    return "\n".join([*seen, f"# exit {report.exit_code}", f"# left to do: {', '.join(left) or 'nothing'}"]) + "\n"


def _body(exchange: Exchange) -> str:
    if exchange.content_type.startswith("multipart"):
        return f" (file {', '.join(BOUNDARY.findall(exchange.request.decode('latin-1')))})"
    return f" {json.dumps(json.loads(exchange.request), ensure_ascii=False)}" if exchange.request else ""


def _numbered(text: str, names: dict[str, str]) -> str:
    """`text` with everything random numbered."""

    def name(match: re.Match[str]) -> str:
        kind = "sha256:" if ":" in match.group() else "lineage-" if "-" in match.group() else "hash-"
        return names.setdefault(match.group(), f"{kind}{sum(each.startswith(kind) for each in names.values()) + 1}")

    return RANDOM.sub(name, text)


def test_there_are_scenarios() -> None:
    assert len(NAMES) >= 8


def _plan_of(name: str) -> dict[str, Any]:
    return json.loads((HERE / name / "plan.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_calls_are_the_ones_that_the_plan_announced(name: str) -> None:
    """In number: the golden files say which."""
    lines = (HERE / name / "calls.txt").read_text(encoding="utf-8").splitlines()
    writes = [line for line in lines if line.split(" ")[0] in ("POST", "PATCH", "DELETE")]
    assert len(writes) == _plan_of(name)["requests"]


def test_numbering() -> None:
    names: dict[str, str] = {}
    assert _numbered(f"{'a' * 40} sha256:{'b' * 64} {'a' * 40} {'c' * 40}", names) == "hash-1 sha256:1 hash-1 hash-2"
    assert isinstance(Plan("S", "", "", "", "", 0), Plan)


SHOWN = re.compile(r"<!-- golden: (?P<name>[\w-]+) -->\n```text\n(?P<body>.*?)```", re.DOTALL)


def test_what_the_documentation_shows_of_a_scenario_is_so() -> None:
    shown = [
        match for doc in (HERE.parents[1] / "docs").glob("*.md") for match in SHOWN.finditer(doc.read_text("utf-8"))
    ]
    assert len(shown) >= 3
    for match in shown:
        assert match["body"] in (HERE / match["name"] / "plan.txt").read_text(encoding="utf-8")
