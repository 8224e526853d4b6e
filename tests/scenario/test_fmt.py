"""`qase-iac fmt`: which files, what it says and with which code; and that what we write is canonical from the start."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, Ran, run_cli
from test_pull import pulled

from qase_iac.cli import fmt
from qase_iac.config.format import canonical
from qase_iac.convert import FORMATS
from qase_iac.emulator import create_app, load_seed
from qase_iac.workflow import formatting

MATTERMOST = REPO.parent / "shared/data/mattermost/mattermost.qase.json.xz"
MESSY = 'cases:\n    a:\n        tags: [ x ]   # smoke\n        # a title\n        title: "A"\n'
NEAT = "cases:\n  a:\n    # a title\n    title: A\n    tags: [x]         # smoke\n"
Make = Callable[..., Folder]
Cli = Callable[..., Ran]


@pytest.fixture
def shop(folder: Make) -> Folder:
    return folder({"deep/cases.yaml": MESSY, "plans.yaml": "plans:\n  p:\n    title: P\n    cases: [a]\n"})


def test_files_are_rewritten_and_listed(shop: Folder, cli: Cli) -> None:
    path = shop.root / "deep/cases.yaml"
    path.chmod(0o640)
    ran = cli("-C", shop.root, "fmt")
    assert (ran.code, ran.out) == (0, "deep/cases.yaml\n")
    assert ran.err == "1 file laid out anew, 2 files are canonical already.\n"
    assert path.read_text() == NEAT
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    before = path.stat()
    again = cli("-C", shop.root, "fmt")
    assert (again.code, again.out, again.err) == (0, "", "3 files are canonical already.\n")
    assert path.stat() == before


def test_check_lists_and_writes_nothing(shop: Folder, cli: Cli) -> None:
    ran = cli("-C", shop.root, "fmt", "--check")
    assert (ran.code, ran.out) == (1, "deep/cases.yaml\n")
    assert "1 file would be laid out anew" in ran.err
    assert (shop.root / "deep/cases.yaml").read_text() == MESSY
    assert cli("-C", shop.root, "fmt", "--check", "plans.yaml").code == 0


def test_the_diff_is_one_that_git_takes(shop: Folder, cli: Cli) -> None:
    ran = cli("-C", shop.root, "fmt", "--diff")
    assert ran.code == 0
    assert cli("-C", shop.root, "fmt", "--diff", "--check").code == 1
    assert (shop.root / "deep/cases.yaml").read_text() == MESSY
    subprocess.run(["git", "init", "-q"], cwd=shop.root, check=True)
    subprocess.run(["git", "apply"], cwd=shop.root, input=ran.out.encode(), check=True)
    assert (shop.root / "deep/cases.yaml").read_text() == NEAT


def test_a_terminal_obeys_nothing_that_stands_in_a_diff(
    shop: Folder, capfdbinary: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal:
        buffer = __import__("io").BytesIO()
        isatty = staticmethod(lambda: True)
        flush = staticmethod(lambda: None)

    shop.write({"deep/cases.yaml": MESSY.replace('"A"', "A\u202eB")})
    done = formatting.format_files(shop.root, [], {}, dry=True)
    monkeypatch.setattr(fmt.sys, "stdout", Terminal)
    fmt._print_patch(done)
    shown = Terminal.buffer.getvalue().decode()
    assert "\u202e" not in shown and "+    title: A\\u202eB\n" in shown


def test_the_plan_stays_empty(shop: Folder, cli: Cli) -> None:
    shop.applied()
    assert cli("-C", shop.root, "fmt").out
    assert not shop.plan().changes


def test_one_broken_file_does_not_keep_the_others(shop: Folder, cli: Cli) -> None:
    shop.write({"broken.yaml": "cases:\n  b: [\n", "odd.yaml": "cases:\n  c: {title,\n    tags: []}\n"})
    ran = cli("-C", shop.root, "fmt")
    assert (ran.code, ran.out) == (3, "deep/cases.yaml\n")
    assert "broken.yaml:" in ran.err
    assert "odd.yaml:2:6  error[not-formatted]" in ran.err
    assert (shop.root / "broken.yaml").read_text() == "cases:\n  b: [\n"
    shop.remove("broken.yaml")
    assert cli("-C", shop.root, "fmt", "--check").code == 4


def test_named_files_and_folders(shop: Folder, cli: Cli) -> None:
    shop.write({".github/workflows/x.yaml": "on:   push\n", "drafts/x.yaml": "a:   1\n", "notes.txt": "x  y\n"})
    shop.edit("qase.yaml", "project: SHOP\n", "project: SHOP\nexclude: [drafts/**]\n")
    named = [".github/workflows/x.yaml", "drafts/x.yaml", "notes.txt"]
    ran = cli("-C", shop.root, "fmt", *named)
    assert (ran.code, ran.out) == (0, "")
    assert [line.partition(" is no")[0] for line in ran.err.splitlines()] == [f"Left alone: {name}" for name in named]
    assert cli("-C", shop.root.parent, "fmt", "--check", "shop/deep").out == "shop/deep/cases.yaml\n"
    assert cli("-C", shop.root.parent, "fmt", "--check", ".").out == "shop/deep/cases.yaml\n"
    assert cli("-C", shop.root / "deep", "fmt", "--check", "cases.yaml", "../deep").out == "cases.yaml\n"
    assert cli("-C", shop.root.parent, "fmt").code == 3
    gone = cli("-C", shop.root, "fmt", "deep", "gone.yaml")
    assert (gone.code, gone.out) == (1, "")
    assert "There is no file or folder gone.yaml." in gone.err
    assert (shop.root / "deep/cases.yaml").read_text() == MESSY


def test_a_file_that_changed_meanwhile_is_not_touched(shop: Folder, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shop.root / "deep/cases.yaml"

    def meanwhile(data: bytes, name: str) -> Any:
        if name == "deep/cases.yaml":
            path.write_text(MESSY + "# more\n")
        return canonical(data, name)

    monkeypatch.setattr(formatting, "canonical", meanwhile)
    ran = cli("-C", shop.root, "fmt")
    assert ran.code == 4
    assert "error[file-changed]" in ran.err
    assert path.read_text() == MESSY + "# more\n"


def test_a_link_stays_one(shop: Folder, cli: Cli) -> None:
    os.rename(shop.root / "deep/cases.yaml", shop.root / "deep/.real")
    (shop.root / "deep/cases.yaml").symlink_to(".real")
    assert cli("-C", shop.root, "fmt").out == "deep/cases.yaml\n"
    assert (shop.root / "deep/cases.yaml").is_symlink()
    assert (shop.root / "deep/.real").read_text() == NEAT


# -- what we write ourselves


def neat(root: Path) -> None:
    ran = run_cli("-C", root, "fmt", "--check", "--diff")
    assert (ran.code, ran.out) == (0, ""), ran.all


def test_init_writes_canonical_files(tmp_path: Path, cli: Cli) -> None:
    assert cli("-C", tmp_path, "init", "new-shop").code == 0
    neat(tmp_path / "new-shop")


@pytest.mark.parametrize("name", ["minimal", "web-shop"])
def test_the_examples_are_canonical(name: str, cli: Cli) -> None:
    neat(REPO / "examples" / name)


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_exports_and_pulled_entries_are_canonical(layout: str, tmp_path: Path, cli: Cli) -> None:
    root = tmp_path / "web"
    shutil.copytree(REPO / "examples/web-shop", root, ignore=shutil.ignore_patterns(".qase-iac"))
    ticks = itertools.count(1795392000)
    app = create_app(seed=load_seed(root / "emulator-seed.yaml"), clock=lambda: float(next(ticks)))
    web = Folder(root, app).applied()
    _, out = web.export(tmp_path / "out", layout)
    neat(out.root)
    for each in (web, out):
        suites = {row["title"]: row["id"] for row in app.dump("SHOP")["suites"]}
        for number in range(2):
            app.ui.create("SHOP", "case", title=f"New: {number}", suite_id=suites["Checkout"])
        app.ui.create("SHOP", "suite", title="Whole new", parent_id=None)
        assert not pulled(each).left
        neat(each.root)
    app.close()


def test_what_is_pulled_beside_a_single_one_is_canonical(folder: Make, app: Any, cli: Cli) -> None:
    shop = folder({"cases.yaml": "cases:\n  a:\n    title: A\n", "s/suite.yaml": "title: S\n"}).applied()
    app.ui.create("SHOP", "case", title="New")
    app.ui.create("SHOP", "case", title="In S", suite_id=shop.id_of("suite.s"))
    assert not pulled(shop).left
    text = (shop.root / "cases.yaml").read_text()
    assert "title: A\n\n  new:\n    title: New\n" in text
    assert run_cli("-C", shop.root, "fmt", "--check").out in ("", "qase.yaml\n")


@pytest.mark.skipif(not MATTERMOST.exists(), reason=f"the real collection is not here: {MATTERMOST}")
@pytest.mark.xdist_group("mattermost")
def test_the_real_collection_is_converted_into_canonical_files(tmp_path: Path, cli: Cli) -> None:
    FORMATS["qase-json"](MATTERMOST, tmp_path / "mm", "MM", "suite")
    neat(tmp_path / "mm")
