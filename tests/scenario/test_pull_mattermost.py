"""The real collection, 5,059 cases in 370 suites: a hundred edits made in Qase come into the files, and nothing else."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, actions
from test_pull import pulled

from qase_iac.convert import FORMATS
from qase_iac.emulator import create_app, load_seed

SOURCE = REPO.parent / "shared/data/mattermost/mattermost.qase.json.xz"
pytestmark = [
    pytest.mark.skipif(not SOURCE.exists(), reason=f"the real collection is not here: {SOURCE}"),
    pytest.mark.xdist_group("mattermost"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("pull") / "mm"
    FORMATS["qase-json"](SOURCE, root, "MM", "suite")
    app = create_app(seed=load_seed(root / "emulator-seed.yaml"))
    made = Folder(root, app, cache=tmp_path_factory.mktemp("cache"))
    text = (root / "qase.yaml").read_text()
    (root / "qase.yaml").write_text(text if "  url:" in text else text.replace("api:\n", "api:\n  url: emulator\n"))
    report = made.apply().report
    assert report is not None and report.exit_code == 0
    git(root, "init", "-q")
    (root / ".gitignore").write_text(".qase-iac/\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "before")
    yield made
    app.close()


def git(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t.example", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout


def hundred(folder: Folder, dice: random.Random) -> Counter[str]:
    """A hundred things that people do."""
    ui, done = folder.app.ui, Counter[str]()
    bound = {address: row["id"] for address, row in folder.state["bindings"].items()}
    cases = dice.sample(sorted(a for a in bound if a.startswith("case.")), 94)
    suites = sorted(a for a in bound if a.startswith("suite."))
    for address in cases:
        id = bound[address]
        what = dice.choice(["title", "text", "steps", "tags", "priority", "move", "delete", "new"])
        done[what] += 1
        match what:
            case "title":
                ui.edit("MM", "case", id, title=f"Edited by hand: {id}")
            case "text":
                ui.edit("MM", "case", id, preconditions=f"Line one\n\n- item {id}\n- **bold**: x")
            case "steps":
                ui.edit("MM", "case", id, steps_type="classic", steps=[{"action": "Look", "expected_result": "It: is"}])
            case "tags":
                ui.edit("MM", "case", id, tags=["by-hand", "x y"])
            case "priority":
                ui.edit("MM", "case", id, priority=1)
            case "move":
                ui.move("MM", "case", id, bound[dice.choice(suites)])
            case "delete":
                ui.delete("MM", "case", id)
            case "new":
                ui.create("MM", "case", title=f"New {id}", suite_id=bound[dice.choice(suites)])
    new = ui.create("MM", "suite", title="A new suite", parent_id=bound[suites[3]])
    ui.create("MM", "case", title="In the new suite", suite_id=new)
    leaves = [a for a in suites if not any(other.startswith(a + "/") for other in suites)]
    first, second = dice.sample(leaves, 2)
    ui.move("MM", "suite", bound[first], None)
    ui.move("MM", "suite", bound[second], new)
    ui.edit("MM", "suite", bound[suites[5]], title="Renamed")
    ui.delete("MM", "suite", bound[dice.choice([a for a in leaves if a not in (first, second)])])
    return done


def test_a_hundred_edits(folder: Folder, record_property: Any) -> None:
    done = hundred(folder, random.Random(11))
    started = time.perf_counter()
    result = pulled(folder)
    took = time.perf_counter() - started
    record_property("seconds", round(took, 1))
    assert (result.exit_code, result.left) == (0, ())
    plan = folder.plan()
    assert (actions(plan), plan.drift) == ({}, ())
    assert Counter(line.action for line in result.lines)["move"] == done["move"] + 2
    stat = git(folder.root, "diff", "--shortstat", "-M", "HEAD")
    git(folder.root, "add", "-A")
    renamed = git(folder.root, "diff", "--cached", "-M", "--name-status", "HEAD").splitlines()
    assert len([line for line in renamed if line.startswith("M")]) < 120
    print(f"\n{took:.1f} s, {dict(done)}, {stat.strip()}, {Counter(line[0] for line in renamed)}")
    before = folder.state
    assert pulled(folder).files == () and folder.state == before
