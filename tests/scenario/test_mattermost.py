"""The real collection: 5,059 cases in 370 suites, converted, applied, planned, exported and edited."""

from __future__ import annotations

import json
import lzma
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, Ran, actions, edits

from qase_iac.convert import FORMATS
from qase_iac.convert.state_seed import seed_from_state
from qase_iac.diagnostics import has_errors
from qase_iac.emulator import create_app, load_seed
from qase_iac.model import Catalogue
from qase_iac.workflow.validating import validate

SOURCE = REPO.parent / "shared/data/mattermost/mattermost.qase.json.xz"
SUITES, CASES = 370, 5059

pytestmark = [
    pytest.mark.skipif(not SOURCE.exists(), reason=f"the real collection is not here: {SOURCE}"),
    pytest.mark.xdist_group("mattermost"),
]


@dataclass
class Made:
    """The collection as converted and applied once; tests look at it, or work on a copy."""

    folder: Folder
    writes: list[Any]
    report: Any

    def copy(self, root: Path) -> Folder:
        shutil.copytree(self.folder.root, root)
        return Folder(root, self.folder.app)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    root = tmp_path_factory.mktemp("mattermost") / "mm"
    FORMATS["qase-json"](SOURCE, root, "MM", "suite")
    app = create_app(seed=load_seed(root / "emulator-seed.yaml"), strict=True)
    folder = Folder(root, app).edit("qase.yaml", "api:\n", "api:\n  url: emulator\n")
    report = folder.apply().report
    yield Made(folder, folder.writes(), report)
    app.close()


@pytest.fixture(scope="module")
def source() -> list[dict[str, Any]]:
    with lzma.open(SOURCE) as file:
        suites: list[dict[str, Any]] = json.load(file)["suites"]
    return suites


# -- every byte of every text --------------------------------------------------------------------------------------

Texts = Counter[str]
"""Objects as canonical JSON: two of the same are two."""


def texts_of_source(suites: list[dict[str, Any]], path: tuple[str, ...] = ()) -> Texts:
    found: Texts = Counter()
    for suite in suites:
        here = (*path, suite["title"])
        found[_said(here, suite["description"], suite["preconditions"])] += 1
        for case in suite["cases"]:
            found[_said(here, *(case[name] for name in _TEXTS), _steps(case["steps"]))] += 1
        found += texts_of_source(suite["suites"], here)
    return found


def texts_of_dump(dump: dict[str, Any]) -> Texts:
    found: Texts = Counter()
    for suite in dump["suites"]:
        found[_said(suite["path"], suite["description"], suite["preconditions"])] += 1
    for case in dump["cases"]:
        found[_said(case["suite"], *(case[name] for name in _TEXTS), _steps(case["steps"]))] += 1
    return found


_TEXTS = ("title", "description", "preconditions", "postconditions")


def _said(*what: Any) -> str:
    return json.dumps([list(each) if isinstance(each, tuple) else each or "" for each in what], ensure_ascii=False)


def _steps(steps: list[dict[str, Any]]) -> list[Any]:
    return [
        [*(step[name] or "" for name in ("action", "expected_result", "data")), _steps(step["steps"] or [])]
        for step in steps
    ]


def texts_of_files(folder: Folder) -> Texts:
    """What the files of a project folder declare."""
    resources = folder.session().load_valid().desired.resources
    suites = {str(a): r.attributes for a, r in resources.items() if a.kind == "suite"}

    def path(ref: Any) -> list[str]:
        if not ref:
            return []
        attributes = suites[ref["address"]]
        return [*path(attributes.get("parent")), attributes["title"]]

    def steps(rows: list[dict[str, Any]]) -> list[Any]:
        return [
            [*(row.get(k, "") for k in ("action", "expected", "data")), steps(row.get("steps", []))] for row in rows
        ]

    found: Texts = Counter()
    for address, resource in resources.items():
        said = resource.attributes
        if address.kind == "suite":
            found[_said(path({"address": str(address)}), said.get("description"), said.get("preconditions"))] += 1
        else:
            found[_said(path(said["suite"]), *map(said.get, _TEXTS), steps(said.get("steps", [])))] += 1
    return found


# -- the tests -----------------------------------------------------------------------------------------------------


def test_the_converted_folder_is_valid(made: Made) -> None:
    checked = validate(made.folder.session())
    assert not has_errors(checked.diagnostics)
    assert Counter(found.code for found in checked.diagnostics) == {"same-title": 23}
    assert checked.objects == SUITES + CASES
    assert "seed: emulator-seed.yaml" in (made.folder.root / "qase.yaml").read_text()


def test_apply_creates_exactly_what_there_is_in_the_fewest_calls(made: Made) -> None:
    assert made.report.exit_code == 0
    dump = made.folder.app.dump("MM", normalised=True)
    assert (len(dump["suites"]), len(dump["cases"])) == (SUITES, CASES)
    assert len(made.writes) == made.report.requests <= SUITES + 51 + 10
    assert sum(entry.path == "/case/MM/bulk" for entry in made.writes) == 51


def test_every_text_arrives_byte_for_byte(made: Made, source: list[dict[str, Any]]) -> None:
    wanted = texts_of_source(source)
    assert wanted.total() == SUITES + CASES
    assert texts_of_dump(made.folder.app.dump("MM", normalised=True)) == wanted


def test_the_second_plan_is_empty_and_reads_little(made: Made) -> None:
    with made.folder.counting() as seen:
        plan = made.folder.plan()
    assert actions(plan) == {}
    assert (plan.summary.no_op, plan.summary.unmanaged) == (SUITES + CASES, 0)
    assert len(seen) == plan.reading.requests <= 65


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_an_export_plans_empty_and_says_every_byte(
    made: Made, source: list[dict[str, Any]], tmp_path: Path, layout: str
) -> None:
    exported, copy = made.folder.export(tmp_path / "copy", layout)
    assert exported.objects == SUITES + CASES
    assert actions(exported.plan) == actions(copy.plan()) == {}
    assert texts_of_files(copy) == texts_of_source(source)
    files = sum(name.endswith(".case.yaml") for name in exported.paths)
    assert files == (CASES if layout == "case" else 0)


def test_ten_known_edits_are_ten_entries(made: Made, tmp_path: Path) -> None:
    folder = made.copy(tmp_path / "mm")
    cases, suite = "channels/keyboard-shortcuts/cases.yaml", "easy-login/suite.yaml"
    blocks = re.split(r"(?m)^(?=  \S)", (folder.root / cases).read_text())[1:]
    keys = [block.partition(":")[0].strip() for block in blocks]
    titles = [block.partition("title: ")[2].partition("\n")[0] for block in blocks]

    def change(number: int, old: str, new: str) -> None:
        assert old in blocks[number], blocks[number]
        blocks[number] = blocks[number].replace(old, new, 1)

    change(0, f"title: {titles[0]}", "title: An edited title")
    change(1, "priority: low", "priority: high")
    change(2, "    status: actual", "    status: draft\n    description: Words")
    change(3, "    steps:\n", "    steps:\n      - Wait\n")
    change(4, "    severity: normal", "    severity: critical\n    flaky: true")
    change(5, "      Zephyr key: MM-", "      Zephyr key: XX-")
    moved, gone_key = blocks[6], keys[7]
    blocks[6:8] = []
    blocks.append("  brand-new:\n    title: Brand new\n")
    folder.write({cases: "cases:\n" + "".join(blocks), "easy-login/moved.yaml": f"cases:\n{moved}"})
    title = (folder.root / suite).read_text().partition("title: ")[2].partition("\n")[0]
    folder.edit(suite, f"title: {title}", f"title: {title}, renamed")

    plan = folder.plan()
    assert actions(plan) == {
        "suite.easy-login": "update",
        f"case.{keys[0]}": "update",
        f"case.{keys[1]}": "update",
        f"case.{keys[2]}": "update",
        f"case.{keys[3]}": "update",
        f"case.{keys[4]}": "update",
        f"case.{keys[5]}": "update",
        f"case.{keys[6]}": "move",
        f"case.{gone_key}": "delete",
        "case.brand-new": "create",
    }
    changed = edits(plan)
    assert changed["suite.easy-login"] == {"title": "ours"}
    assert [changed[f"case.{key}"] for key in keys[:7]] == [
        {"title": "ours"},
        {"priority": "ours"},
        {"description": "ours", "status": "ours"},
        {"steps": "ours"},
        {"severity": "ours", "flaky": "ours"},
        {"custom_fields.Zephyr key": "ours"},
        {"suite": "ours"},
    ]
    assert (plan.requests, plan.drift, plan.summary.blocked) == (10, (), 0)


def test_the_program_itself_converts_and_applies(tmp_path: Path, cli: Any) -> None:
    """By the command line, over the folder's own emulator: `convert`, `validate`, `plan`."""
    done: Ran = cli("-C", tmp_path, "convert", "qase-json", SOURCE, "mm", "--project", "MM")
    assert done.code == 0 and "5,429 objects" in done.out
    checked = cli("-C", tmp_path / "mm", "validate", "--format", "json")
    assert (checked.code, checked.json["valid"]) == (0, True)


def test_an_emulator_filled_from_the_state_gives_the_same_plans(made: Made, tmp_path: Path) -> None:
    real = made.copy(tmp_path / "mm")
    seed = seed_from_state(real.state_path.read_bytes(), "state.json", Catalogue(live=False))
    copy = Folder(real.root, create_app(seed=seed, strict=True))
    assert not copy.plan().changes
    for path in sorted(real.root.rglob("*.yaml"))[::7]:
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"(\n +)priority: \w+", r"\1priority: low", text), encoding="utf-8")
    plan, expected = copy.plan(), real.plan()
    assert len(plan.changes) > 100
    assert (actions(plan), edits(plan), plan.findings) == (actions(expected), edits(expected), expected.findings)
    copy.app.close()
