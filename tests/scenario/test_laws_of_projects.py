"""Laws about whole projects: exports that make the same project again, plans that do not depend on chance, writes that
stay inside the scope, and exactly the requests that were announced."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, Folder, actions, clean_env, qase_yaml, run_program
from rich_project import FILES, OBJECTS, SEED

from qase_iac.emulator import Logged, create_app
from qase_iac.plan.model import Change, Plan
from qase_iac.plan.planfile import dumps, to_json


def emulator(seed: dict[str, Any] = SEED) -> Any:
    ticks = itertools.count(1795392000)
    return create_app(seed=seed, strict=True, clock=lambda: float(next(ticks)))


@pytest.fixture
def rich(tmp_path: Path) -> Folder:
    (tmp_path / "shop").mkdir()
    return Folder(tmp_path / "shop", emulator()).write(FILES)


# -- exports -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_an_export_applied_to_an_empty_emulator_makes_the_same_project(
    rich: Folder, tmp_path: Path, layout: str
) -> None:
    rich.applied()
    _, copy = rich.export(tmp_path / "copy", layout)
    shutil.rmtree(copy.root / ".qase-iac")
    second = Folder(copy.root, emulator({**SEED, "salt": "another"}))
    address = re.search(r"url: .*", (copy.root / "qase.yaml").read_text())
    assert address is not None
    second.edit("qase.yaml", address[0], "url: emulator").edit(
        "qase.yaml", "project: SHOP\n", "project: SHOP\ncreate: true\n"
    )
    second.applied()
    first, again = rich.dump(), second.dump()
    assert again["project"].pop("description") == ""  # the API shows a project's title alone
    first["project"].pop("description")
    assert again == first


def test_an_export_is_the_same_bytes_each_time(rich: Folder, tmp_path: Path) -> None:
    rich.applied()
    trees = []
    for name in ("one", "two"):
        _, copy = rich.export(tmp_path / name)
        files = (path for path in sorted(copy.root.rglob("*")) if path.is_file() and ".qase-iac" not in path.parts)
        trees.append({str(path.relative_to(copy.root)): path.read_bytes() for path in files})
    assert trees[0] == trees[1]


# -- determinism ---------------------------------------------------------------------------------------------------

SHUFFLED = """\
import os, random, sys
scandir, listdir = os.scandir, os.listdir
class Shuffled:
    def __init__(self, path): self.entries = list(scandir(path)); random.Random(sys.argv[1]).shuffle(self.entries)
    def __iter__(self): return iter(self.entries)
    def __next__(self): return self.entries.pop()
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def close(self): pass
os.scandir = lambda path=".": Shuffled(path)
os.listdir = lambda path=".": random.Random(sys.argv[1]).sample(found := listdir(path), len(found))
sys.argv[:2] = ["qase-iac"]
from qase_iac.cli.main import run
run()
"""


def test_the_plan_is_the_same_bytes_for_any_hash_seed_and_any_order_of_files(rich: Folder, tmp_path: Path) -> None:
    import subprocess

    rich.write({"seed.yaml": json.dumps(SEED)}).edit("qase.yaml", "url: emulator", "url: emulator, seed: seed.yaml")
    found = set()
    for number in ("1", "2", "4294967295"):
        env = clean_env({"PYTHONHASHSEED": number, "XDG_CACHE_HOME": str(tmp_path / number), "PYTHONPATH": str(REPO)})
        command = [sys.executable, "-c", SHUFFLED, number, "-C", str(rich.root), "plan", "--format", "json"]
        done = subprocess.run(command, capture_output=True, env=env, timeout=60)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        found.add(done.stdout)
    assert len(found) == 1


def test_the_plan_is_the_same_bytes_with_and_without_the_cache(rich: Folder, tmp_path: Path) -> None:
    rich.applied().edit("root.yaml", "title: Sign in", "title: Log in")
    cold = dumps(to_json(rich.plan()))
    rich.cache = tmp_path / "cache"
    filling, warm = dumps(to_json(rich.plan())), dumps(to_json(rich.plan()))
    assert list(rich.cache.rglob("*"))
    assert cold == filling == warm


def test_a_plan_writes_nothing(rich: Folder) -> None:
    rich.applied().edit("root.yaml", "title: Sign in", "title: Log in")
    before = {path: path.read_bytes() for path in rich.root.rglob("*") if path.is_file()}
    with rich.counting() as seen:
        rich.plan()
    assert {entry.method for entry in seen} == {"GET"}
    assert {path: path.read_bytes() for path in rich.root.rglob("*") if path.is_file()} == before


# -- the scope -----------------------------------------------------------------------------------------------------


def test_nothing_outside_the_scope_is_ever_written(folder: Any) -> None:
    """Other people's suites, cases, milestones, shared steps and plans: beside ours, and with our titles."""
    shop = folder(
        {
            "ours/suite.yaml": "title: Ours\n",
            "ours/cases.yaml": "cases:\n  a: {title: A, steps: [{shared: s}]}\n  b: {title: B, milestone: m}\n",
            "ours/below/suite.yaml": "title: Below\n",
            "ours/below/cases.yaml": "cases:\n  c: {title: C}\n",
            "rest.yaml": "milestones: {m: {title: M}}\nshared_steps: {s: {title: S, steps: [x]}}\n"
            "plans: {p: {title: P, cases: [a, b]}}\n",
        },
        scope={"suites": ["ours/**"]},
        policy={"max_delete_share": 1},
    )
    app = shop.app
    app.ui.create("", "project", code="SHOP", title="Shop")
    theirs: dict[str, set[Any]] = {}

    def made(kind: str, **fields: Any) -> Any:
        id = app.ui.create("SHOP", kind, **fields)
        theirs.setdefault(kind, set()).add(str(id))
        return id

    suite = made("suite", title="Theirs")
    case = made("case", title="A", suite_id=suite)
    made("case", title="In the root")
    made("milestone", title="Their milestone")
    made("shared_step", title="Their step", steps=[{"action": "look"}])
    made("plan", title="Their plan", cases=[case])
    before = app.dump("SHOP")

    shop.applied(new_state=True)
    shop.edit("ours/cases.yaml", "title: A,", "title: A changed,").remove("ours/below/cases.yaml").applied()
    shop.edit("ours/cases.yaml", "  b: {title: B, milestone: m}\n", "").edit("rest.yaml", "[a, b]", "[a]").applied()
    shop.apply(destroy=True, allow_deletes=shop.plan(destroy=True).destructive)

    written = {(entry.path.split("/")[2], entry.path.rpartition("/")[2]) for entry in shop.writes()}
    assert written & {(kind, id) for kind, ids in theirs.items() for id in ids} == set()
    assert app.dump("SHOP") == before  # every id, time and position of theirs; of ours nothing is left
    assert len(shop.writes()) > 12


# -- the requests announced ----------------------------------------------------------------------------------------


def announced(plan: Plan, bulk_size: int) -> list[tuple[str, str]]:
    """(method, path) of the writes that a plan promises, counted by hand: nothing here knows how apply works."""
    calls: list[tuple[str, str]] = []
    uploaded: set[str] = set()
    room = 0
    for change in plan.changes:
        if change.blocked or not change.writes:
            room = 0
            continue
        is_case = (change.action, change.kind) == ("create", "case")
        joins = is_case and room > 0
        batch = [calls.pop()] if joins else [("POST", "/case/SHOP") if is_case else _call(change)]
        room = (room if joins else bulk_size) - 1 if is_case else 0
        for path in sorted(change.uploads):
            if change.files[path] not in uploaded:
                uploaded.add(change.files[path])
                calls.append(("POST", "/attachment/SHOP"))
        calls += batch
    return calls


def _call(change: Change) -> tuple[str, str]:
    home = "/project" if change.kind == "project" else f"/{change.kind}/SHOP"
    method = {"create": "POST", "delete": "DELETE"}.get(str(change.action), "PATCH")
    return method, home if method == "POST" else f"{home}/{change.id}"


def sent(entries: list[Logged]) -> list[tuple[str, str]]:
    return [(e.method, e.path.removesuffix("/bulk")) for e in entries if e.method != "GET"]


@pytest.mark.parametrize("bulk_size", [1, 2, 100])
def test_apply_makes_exactly_the_requests_that_the_plan_announced(rich: Folder, bulk_size: int) -> None:
    rich.edit("qase.yaml", "api: {url: emulator}", f"api: {{url: emulator, bulk_size: {bulk_size}}}")
    _keeps_its_word(rich, bulk_size)
    assert rich.state["serial"] == 1
    (
        rich.edit("checkout/cases.yaml", "title: Pay by invoice", "title: Pay by an invoice")
        .edit("checkout/cases.yaml", "  twin:\n    title: Twin\n    steps: [One]\n", "")
        .edit("root.yaml", "suite: checkout/vouchers,", "suite: people,")
        .edit("root.yaml", "  home-page:", "  extra: {title: Extra, attachments: [img/new.png, img/card.png]}\n"
              "  more: {title: More, suite: null, attachments: [img/new.png]}\n  third: {title: Third}\n  home-page:")
        .edit("steps.yaml", "[Look around]", "[Look, Look again]")
        .edit("milestones.yaml", "Release 2.0", "Release 2.1")
        .remove("accounts/empty/suite.yaml")
        .write({"img/new.png": b"new", "new/suite.yaml": "title: New\n", "new/one.case.yaml": "title: One\n"})
    )  # fmt: skip
    _keeps_its_word(rich, bulk_size)
    assert actions(rich.plan()) == {}


def _keeps_its_word(rich: Folder, bulk_size: int) -> None:
    plan = rich.plan()
    assert not any(change.blocked for change in plan.changes)
    with rich.counting() as seen:
        report = rich.apply().report
    assert report is not None and report.exit_code == 0
    calls = announced(plan, bulk_size)
    assert plan.requests == len(calls) == report.requests
    assert sent(seen) == calls
    assert report.retries == 0


def test_an_apply_of_nothing_sends_nothing(rich: Folder) -> None:
    rich.applied()
    assert rich.plan().requests == 0
    with rich.counting() as seen:
        rich.applied()
    assert {entry.method for entry in seen} == {"GET"}


def test_a_saved_plan_makes_the_requests_that_it_announced(rich: Folder) -> None:
    plan = rich.plan()
    with rich.counting() as seen:
        report = rich.apply_saved(plan).report
    assert report is not None and report.applied == OBJECTS
    assert len(sent(seen)) == plan.requests == report.requests


def test_what_a_plan_reads_is_what_it_says_it_read(rich: Folder) -> None:
    rich.applied()
    with rich.counting() as seen:
        plan = rich.plan()
    assert len(seen) == plan.reading.requests
    assert plan.reading.objects == {"milestone": 2, "shared_step": 2, "suite": 5, "case": 12, "plan": 2}


def test_no_case_is_read_by_a_get_of_its_own(folder: Any) -> None:
    many = "".join(f"  c{at}: {{title: Case {at}}}\n" for at in range(250))
    shop = folder({"cases.yaml": f"cases:\n{many}"}).applied()
    with shop.counting() as seen:
        shop.plan()
    assert [entry.path for entry in seen if re.fullmatch(r"/case/SHOP/\d+", entry.path)] == []
    assert sum(entry.path == "/case/SHOP" for entry in seen) == 3


def test_profiles_lead_to_projects_of_their_own(folder: Any, cli: Any) -> None:
    shop = folder(
        {
            "qase.yaml": qase_yaml(profiles={"staging": {"project": "STAGE", "title": "Staging"}}),
            "cases.yaml": "cases: {a: {title: A}}\n",
        }
    )
    assert cli("-C", shop.root, "apply", "--auto-approve").code == 0
    assert cli("-C", shop.root, "--profile", "staging", "apply", "--auto-approve").code == 0
    assert sorted(path.name for path in (shop.root / ".qase-iac").glob("*.json")) == [
        "SHOP@emulator.json",
        "STAGE@emulator.json",
    ]
    assert shop.app.dump("STAGE", normalised=True)["project"]["title"] == "Staging"
    shop.edit("cases.yaml", "title: A", "title: B")
    assert cli("-C", shop.root, "apply", "--auto-approve").code == 0
    assert [case["title"] for case in shop.app.dump("STAGE", normalised=True)["cases"]] == ["A"]


def test_python_m_qase_iac() -> None:
    assert run_program("--version").out.startswith("qase-iac ")
