"""Edits of the real collection: 5,059 cases in 370 suites."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO
from edit_kit import STOCK, loaded, settings_of
from test_edit_laws import as_asked, only_the_lines

from qase_iac.config.edit import Add, Edit, Move, Remove, Set, Unset, edit_files, patch
from qase_iac.config.edit.proof import authored
from qase_iac.convert import FORMATS
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired
from qase_iac.values import Address

SOURCE = REPO.parent / "shared/data/mattermost/mattermost.qase.json.xz"

pytestmark = [
    pytest.mark.skipif(not SOURCE.exists(), reason=f"the real collection is not here: {SOURCE}"),
    pytest.mark.xdist_group("mattermost"),
]


def drawn(desired: Desired, seed: int) -> list[Edit]:
    """An edit of each of 200 cases, and five new ones."""
    dice = random.Random(seed)
    cases = [address for address in desired.resources if address.kind == "case"]
    suites = [address.key for address in desired.resources if address.kind == "suite"]
    found = [_edit(dice, address, desired.resources[address].attributes) for address in dice.sample(cases, 200)]
    found += [Move(address, dice.choice(suites)) for address in dice.sample(cases, 20) if not _edits(found, address)]
    steps = ["Look", {"action": "Push", "expected": "It moves"}]
    found += [
        Add(Address("case", f"added-{n}"), {"title": f"Added {n}", "steps": steps}, dice.choice(suites))
        for n in range(5)
    ]
    return found


def _edits(edits: list[Edit], address: Address) -> bool:
    return any(edit.address == address for edit in edits)


def _edit(dice: random.Random, address: Address, own: dict[str, Any]) -> Edit:
    steps = [dict(step) for step in authored(BY_NAME["case"], "steps", own.get("steps") or [])]
    at = dice.randrange(len(steps) or 1)
    match dice.choice(["title", "text", "part", "move", "insert", "tag", "field", "unset", "remove"]):
        case "part" if steps and "shared" not in steps[at]:
            steps[at]["expected"] = (steps[at].get("expected") or "") + "\nAnd: it works"
        case "move" if steps:
            steps.insert(dice.randrange(len(steps)), steps.pop(at))
        case "insert" if steps:
            steps.insert(at, {"action": "A new step"})
        case "text":
            return Set(address, "preconditions", (own.get("preconditions") or "") + "\n\nOne more line.")
        case "tag":
            return Set(address, "tags", sorted({*own.get("tags", []), "fresh"}))
        case "field":
            return Set(address, "custom_fields.Component", "Changed: value")
        case "unset" if "priority" in own:
            return Unset(address, "priority")
        case "remove":
            return Remove(address)
        case _:
            return Set(address, "title", own["title"][:200] + " (edited)")
    return Set(address, "steps", steps)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("edit") / "mm"
    FORMATS["qase-json"](SOURCE, made, "MM", "suite")
    yield made


def test_two_hundred_cases_at_once(root: Path) -> None:
    desired = loaded(root).desired
    edits = drawn(desired, 7)
    result = edit_files(settings_of(root), STOCK, desired, edits)
    assert [str(each) for each in result.failed] == []
    assert len(result.files) > 50
    for file in result.files:
        if file.before is not None and file.after is not None:
            here = [e for e in edits if e.address in desired.resources and _file(desired, e) == file.path]
            only_the_lines(file.before, file.after, here)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(
        ["git", "apply", "--whitespace=nowarn", "-"], cwd=root, input=patch(result.files).encode(), check=True
    )
    now = loaded(root).desired
    moved = [edit for edit in edits if isinstance(edit, Move)]
    as_asked(desired, now, edits)
    for edit in moved:
        assert now.resources[edit.address].attributes["suite"] == {"address": f"suite.{edit.place}"}


def _file(desired: Desired, edit: Edit) -> str:
    return desired.resources[edit.address].source.file
