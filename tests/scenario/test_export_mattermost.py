"""Round trips over the real collection: exported, applied to an empty Qase, exported again, and brought up to date."""

from __future__ import annotations

import difflib
import re
import shutil
from pathlib import Path

import pytest
from e2e_kit import HOLDER, REPO, Folder, actions

from qase_iac.convert import FORMATS
from qase_iac.emulator import create_app, load_seed
from qase_iac.workflow.pulling import UPDATE, pull

SOURCE = REPO.parent / "shared/data/mattermost/mattermost.qase.json.xz"

pytestmark = [
    pytest.mark.skipif(not SOURCE.exists(), reason=f"the real collection is not here: {SOURCE}"),
    pytest.mark.xdist_group("mattermost"),
]


def tree(folder: Folder) -> dict[str, str]:
    files = (path for path in folder.root.rglob("*") if path.is_file() and ".qase-iac" not in path.parts)
    return {path.relative_to(folder.root).as_posix(): path.read_text(encoding="utf-8") for path in files}


def test_there_and_back_every_file_is_the_same_and_an_update_touches_what_changed(tmp_path: Path) -> None:
    FORMATS["qase-json"](SOURCE, tmp_path / "mm", "MM", "suite")
    seed = load_seed(tmp_path / "mm" / "emulator-seed.yaml")
    first = create_app(seed=seed, strict=True)
    made = Folder(tmp_path / "mm", first).edit("qase.yaml", "api:\n", "api:\n  url: emulator\n").applied()
    exported, one = made.export(tmp_path / "one")
    assert exported.proven
    before = tree(one)

    shutil.rmtree(one.root / ".qase-iac")
    one.app = create_app(seed=seed, strict=True)
    place = re.search(r"url: .*", before["qase.yaml"])
    assert place is not None
    one.edit("qase.yaml", place[0], "url: emulator").edit("qase.yaml", "title:", "create: true\ntitle:").applied()
    exported, two = one.export(tmp_path / "two")
    assert exported.proven
    after = tree(two)
    assert {**after, "qase.yaml": ""} == {**before, "qase.yaml": ""}

    wanted = []
    for number, (address, row) in enumerate(sorted(two.state["bindings"].items())[::100]):
        two.app.ui.edit("MM", address.partition(".")[0], row["id"], title=f"Edited, number {number}")
        wanted.append(f"title: Edited, number {number}")
    done = pull(two.session(), UPDATE, HOLDER)
    assert done.exit_code == 0 and len(done.lines) == len(wanted) > 50
    assert actions(two.plan()) == {}
    now = tree(two)
    lines = [
        (line[0], line[1:].strip())
        for name in before
        for line in difflib.unified_diff(after[name].splitlines(), now[name].splitlines(), n=0, lineterm="")
        if line[:2] in ("+ ", "- ") or re.match(r"[+-]title:", line)
    ]
    written = (re.sub("['\"]", "", text) for sign, text in lines if sign == "+")  # quoted where the old one was
    assert sorted(written) == sorted(wanted)
    assert all(text.startswith("title: ") for _, text in lines) and len(lines) == 2 * len(wanted)
    first.close(), one.app.close()
