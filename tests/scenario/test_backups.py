"""Before anything is deleted or overwritten it is written down, and what is written down brings it back."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e_kit import REPO, Folder, Ran, actions, qase_yaml, sections
from rich_project import FILES as RICH
from rich_project import SEED

from qase_iac.emulator import create_app
from qase_iac.errors import ApiError, StateError

NAME = re.compile(r"20261123T000000Z-[0-9a-f]{8}(-\d)?\Z")
LOOSE = {"max_deletes": 100, "max_delete_share": 1}

SHOP: dict[str, str | bytes] = {
    "card.png": b"\x89PNG",
    "checkout/suite.yaml": "title: Checkout\n",
    "checkout/cases.yaml": """\
cases:
  pay: {title: Pay by card, severity: critical, tags: [smoke], steps: [Open the basket, {shared: sign-in}]}
  refund:
    title: Refund
    suite: checkout/old
    milestone: m
    attachments: [../card.png]
    steps: [{shared: sign-in}, {action: Ask, expected: "Paid back"}]
suites:
  old: {title: Old, description: Kept for the auditors., cases: {gone: {title: Gone}}}
""",
    "rest.yaml": """\
milestones: {m: {title: M, due_date: 2026-12-01}}
shared_steps: {sign-in: {title: Sign in, steps: [Open /login, Submit]}}
plans: {smoke: {title: Smoke, description: Daily, cases: [pay, refund]}}
""",
}
LATER = {
    "checkout/cases.yaml": """\
cases:
  pay: {title: Pay, severity: minor, steps: [Pay]}
""",
    "rest.yaml": """\
milestones: {m: {title: M, due_date: 2026-12-01}}
shared_steps: {sign-in: {title: Log in, steps: [Open /login]}}
plans: {smoke: {title: Daily smoke, cases: [pay]}}
""",
}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    """Applied; then somebody filled in, in Qase, what no file speaks of."""
    made = folder(SHOP, policy=LOOSE).applied()
    made.app.ui.edit("SHOP", "case", made.id_of("case.refund"), description="Only in Qase: *mind the receipt*")
    return made


def backup_of(folder: Folder, report: Any) -> Path:
    assert report is not None and report.backup
    path = folder.root / report.backup
    assert path.parent == folder.root / ".qase-iac/backups" and NAME.match(path.name)
    return path


def records(backup: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (backup / "objects.jsonl").read_text(encoding="utf-8").splitlines()]


def loaded(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def bring_back(folder: Folder, backup: Path) -> None:
    """The steps of README.txt and docs/backups.md, done as a person would."""
    if (backup / "deleted").is_dir():
        shutil.copytree(backup / "deleted", folder.root, dirs_exist_ok=True)
    for part in sorted((*backup.glob("overwritten*.yaml"), *backup.glob("paste*.yaml"))):
        todo = loaded(part)
        for file in sorted(folder.root.rglob("*.yaml")):
            content = loaded(file)
            if ".qase-iac" not in file.parts and file.name != "qase.yaml" and laid_over(content, todo):
                file.write_text(sections(**content), encoding="utf-8")


def laid_over(content: dict[str, Any], old: dict[str, Any]) -> bool:
    """Copies attributes over those under the same keys; says whether there was any such key."""
    found = False
    for section in content.keys() & old.keys():
        for key in content[section].keys() & old[section].keys():
            content[section][key].update(old[section][key])
            found = True
    return found


# -- bringing back


def test_what_was_deleted_and_overwritten_comes_back_by_the_steps_of_the_docs(shop: Folder) -> None:
    before = shop.dump()
    shop.write(LATER)
    outcome = shop.apply()
    assert actions(outcome.plan) == {
        "case.gone": "delete", "case.refund": "delete", "suite.checkout/old": "delete",
        "case.pay": "update", "plan.smoke": "update", "shared_step.sign-in": "update",
    }  # fmt: skip
    after = shop.dump()
    assert {name for name in before if before[name] != after[name]} == {"suites", "cases", "plans", "shared_steps"}
    bring_back(shop, backup_of(shop, outcome.report))
    shop.applied()
    assert shop.dump() == before
    assert actions(shop.plan()) == {}


def test_a_whole_project_that_was_destroyed_comes_back_from_its_backup_alone(tmp_path: Path) -> None:
    """Every attribute that the format has: custom fields, nested steps, groups of parameters, files, options."""
    root = tmp_path / "shop"
    root.mkdir()
    shop = Folder(root, create_app(seed=SEED)).write(RICH)
    shop.edit("checkout/cases.yaml", "    protect: true\n", "").applied()
    before = shop.dump()
    count = len(shop.state["bindings"])
    outcome = shop.apply(destroy=True, allow_deletes=count)
    assert outcome.report is not None and (outcome.report.exit_code, outcome.report.applied) == (0, count)
    assert not any(shop.dump()[name] for name in ("milestones", "shared_steps", "suites", "cases", "plans"))
    backup = backup_of(shop, outcome.report)
    for path in list(root.rglob("*.yaml")):
        if path.name != "qase.yaml" and ".qase-iac" not in path.parts:
            path.unlink()
    bring_back(shop, backup)
    shop.applied()
    assert shop.dump() == before
    assert actions(shop.plan()) == {}


def test_an_edit_that_somebody_made_in_qase_and_that_was_reverted(shop: Folder) -> None:
    """The one thing that no version control has."""
    edit = {"title": "Card", "description": "New in Qase", "tags": []}
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.pay"), **edit)
    edited = shop.dump()
    backup = backup_of(shop, shop.apply().report)
    assert shop.dump() != edited
    pay = loaded(backup / "overwritten.yaml")["cases"]["pay"]
    assert (pay["title"], pay["description"], pay["tags"]) == ("Card", "New in Qase", None)
    bring_back(shop, backup)
    shop.applied()
    assert shop.dump() == edited


def test_a_suite_of_a_section_is_pasted_below_its_parent(folder: Callable[..., Folder]) -> None:
    old = {"title": "Old", "cases": {"a": {"title": "A"}}, "suites": {"older": {"title": "Older"}}}
    content = {"top": {"title": "Top", "suites": {"old": old, "new": {"title": "New"}}}}
    shop = folder({"all.yaml": sections(suites=content)}, policy=LOOSE).applied()
    before = shop.dump()
    del content["top"]["suites"]["old"]
    backup = backup_of(shop, shop.write({"all.yaml": sections(suites=content)}).apply().report)
    pasted = loaded(backup / "paste.yaml")
    assert pasted == {"suites": {"top": {"suites": {"old": {"title": "Old", "suites": {"older": {"title": "Older"}}}}}}}
    assert "paste.yaml" in (backup / "README.txt").read_text()
    content["top"]["suites"]["old"] = pasted["suites"]["top"]["suites"]["old"]
    shutil.copytree(backup / "deleted", shop.root, dirs_exist_ok=True)
    shop.write({"all.yaml": sections(suites=content)}).applied()
    assert shop.dump() == before


def test_a_moved_suite_and_a_moved_case_show_where_they_lay(folder: Callable[..., Folder]) -> None:
    files = {"all.yaml": sections(suites={"a": {"title": "A", "cases": {"x": {"title": "X"}}}, "b": {"title": "B"}})}
    shop = folder(files).applied()
    shop.write(
        {"all.yaml": sections(suites={"a": {"title": "A"}, "b": {"title": "B", "cases": {"x": {"title": "X"}}}})}
    )
    backup = backup_of(shop, shop.apply().report)
    assert loaded(backup / "overwritten.yaml")["cases"]["x"]["suite"] == "a"
    assert not (backup / "deleted").exists()


# -- when there is one


def test_creates_adoptions_and_nothing_make_no_backup(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="There already")
    shop.write({"more.yaml": sections(cases={"new": {"title": "New"}, "there": {"title": "There already"}})})
    outcome = shop.apply()
    assert actions(outcome.plan) == {"case.new": "create", "case.there": "adopt"}
    assert outcome.report is not None and outcome.report.backup is None
    assert shop.apply().report is not None
    assert not (shop.root / ".qase-iac/backups").exists()


def test_an_adoption_that_overwrites_is_backed_up_and_a_plan_is_read_whole(shop: Folder) -> None:
    """Lists do not show the cases of a test plan; one that is adopted by its id was not read by itself yet."""
    id = shop.app.ui.create("SHOP", "plan", title="Night", cases=[shop.id_of("case.pay")])
    plan = {"title": "Nightly", "cases": ["refund"]}
    shop.write({"more.yaml": sections(plans={"nightly": plan}, adopt={"plan.nightly": id})})
    backup = backup_of(shop, shop.apply().report)
    (_, row) = records(backup)
    assert (row["action"], row["partial"], row["attributes"]["cases"]) == ("adopt", False, [shop.id_of("case.pay")])
    assert loaded(backup / "overwritten.yaml") == {"plans": {"nightly": {"title": "Night", "cases": ["pay"]}}}


def test_a_saved_plan_is_backed_up_too(shop: Folder) -> None:
    plan = shop.write(LATER).plan()
    outcome = shop.apply_saved(plan)
    backup = backup_of(shop, outcome.report)
    assert backup.name == f"20261123T000000Z-{plan.digest.removeprefix('sha256:')[:8]}"
    assert records(backup)[0]["plan"] == plan.digest


def test_blocked_changes_are_not_in_it(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "severity: critical,", "severity: minor,")
    shop.edit("rest.yaml", "title: M,", "title: N,")
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.pay"), severity=3)
    outcome = shop.apply()
    assert actions(outcome.plan) == {"case.pay": "update !conflict", "milestone.m": "update"}
    assert [row["address"] for row in records(backup_of(shop, outcome.report))[1:]] == ["milestone.m"]


def test_it_is_there_before_the_first_call_that_writes(shop: Folder) -> None:
    """At that call the backup is whole: nothing of it is written afterwards."""
    seen: list[dict[str, bytes]] = []

    def spy(environ: Any, start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] != "GET" and not seen:
            seen.append(contents(shop.root / ".qase-iac/backups"))
        return shop.app(environ, start_response)

    outcome = Folder(shop.root, spy).write(LATER).apply()  # type: ignore[arg-type]
    assert {name.rpartition("/")[2] for name in seen[0]} >= {"README.txt", "objects.jsonl", "overwritten.yaml"}
    assert contents(backup_of(shop, outcome.report).parent) == seen[0]


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# -- what is in it


def test_the_record_is_exact(shop: Folder) -> None:
    refund, pay = shop.id_of("case.refund"), shop.id_of("case.pay")
    backup = backup_of(shop, shop.write(LATER).apply().report)
    head, *rows = records(backup)
    assert (head["backup"], head["project"], head["api"], head["time"]) == (
        1,
        "SHOP",
        "emulator",
        "2026-11-23T00:00:00Z",
    )
    by = {row["address"]: row for row in rows}
    row = by["case.refund"]
    assert (row["kind"], row["id"], row["action"], row["reason"]) == ("case", refund, "delete", "undeclared")
    assert row["attributes"]["description"] == "Only in Qase: *mind the receipt*"
    assert row["attributes"]["steps"][1] == {"action": "Ask", "expected": "Paid back"}
    assert row["meta"]["author_id"] == 1 and row["meta"]["updated_at"].startswith("2026-")
    (file,) = row["files"].values()
    assert (file["name"], file["size"]) == ("card.png", 4) and file["url"]
    assert row["used_by"] == [{"kind": "plan", "id": shop.id_of("plan.smoke")}]
    row = by["case.pay"]
    assert row["id"] == pay
    assert row["change"]["severity"] == {"before": "critical", "after": "minor", "origin": "ours"}


def test_files_that_are_still_in_the_folder_are_named_and_others_are_said_to_be_left_out(shop: Folder) -> None:
    shop.write({"again.png": b"other"}).edit(
        "checkout/cases.yaml", "[../card.png]", "[../card.png, ../again.png]"
    ).applied()
    shop.edit("checkout/cases.yaml", "tags: [smoke]", "tags: [smoke], attachments: [../card.png]").applied()
    shop.write(LATER).remove("again.png")
    backup = backup_of(shop, shop.apply().report)
    (path,) = (backup / "deleted").glob("*.yaml")
    assert loaded(backup / "overwritten.yaml")["cases"]["pay"]["attachments"] == ["card.png"]
    assert "attachments" not in loaded(path)["cases"]["refund"]
    assert f"attachments of cases (1): case {records(backup)[-3]['id']}" in (backup / "README.txt").read_text()


def test_only_its_owner_may_read_it(shop: Folder) -> None:
    mask = os.umask(0)
    try:
        backup = backup_of(shop, shop.write(LATER).apply().report)
    finally:
        os.umask(mask)
    for path in (backup.parent, backup, *backup.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_the_token_is_in_none_of_it(shop: Folder) -> None:
    shop.environment = {"QASE_TESTOPS_API_TOKEN": "s3cr3t-t0k3n"}
    backup = backup_of(shop, shop.write(LATER).apply().report)
    assert not any(b"s3cr3t" in data for data in contents(backup).values())


EVIL = [
    "../../etc",
    "CON",
    "a/b",
    "/absolute",
    "..",
    "\x1b[2Jtitle\u202e",
    "!!python/object:x",
    "# {[",
    "x" * 255,
    "\n",
    "'",
]


def test_titles_never_become_paths_and_survive(folder: Callable[..., Folder], tmp_path: Path) -> None:
    titles = {f"t{at}": title for at, title in enumerate(EVIL) if title.strip()}
    content = {
        "suites": {key: {"title": title, "description": title} for key, title in titles.items()},
        "cases": {key: {"title": title, "tags": [title], "steps": [title]} for key, title in titles.items()},
        "shared_steps": {key: {"title": title, "steps": [title]} for key, title in titles.items()},
    }
    shop = folder({"all.yaml": sections(**content)}, policy=LOOSE)
    before = shop.applied().dump()
    outside = contents(tmp_path)
    outcome = shop.write({"all.yaml": sections(milestones={"m": {"title": "M"}})}).apply()
    backup = backup_of(shop, outcome.report)
    assert {path.relative_to(backup).as_posix() for path in backup.rglob("*")} == {
        "README.txt", "objects.jsonl", "deleted", f"deleted/restored-{backup.name}.yaml",
    }  # fmt: skip
    ours = {name for name in contents(tmp_path) if ".qase-iac/" in name or name.endswith("all.yaml")}
    assert contents(tmp_path).keys() - ours == outside.keys() - ours
    assert {char for char in (backup / "README.txt").read_text() if not char.isprintable()} == {"\n"}
    bring_back(shop, backup)
    shop.remove("all.yaml").applied(allow_deletes=1)
    assert shop.dump() == before


# -- where it cannot be written


def assert_nothing_sent(shop: Folder, match: str | None, error: type[Exception] = StateError) -> None:
    kept, state = shop.dump(), shop.state_path.read_bytes()
    with shop.counting() as seen, pytest.raises(error, match=match):
        shop.apply()
    assert [entry.method for entry in seen if entry.method != "GET"] == []
    assert (shop.dump(), shop.state_path.read_bytes()) == (kept, state)
    assert not list((shop.root / ".qase-iac").glob("*.journal"))


def test_where_no_backup_can_be_written_nothing_is_sent(shop: Folder, cli: Callable[..., Ran]) -> None:
    (shop.root / ".qase-iac/backups").write_text("a file where the folder should be")
    assert_nothing_sent(shop.write(LATER), "backup of what this run changes cannot be written")
    ran = cli("-C", shop.root, "apply", "--auto-approve")
    assert ran.code == 1
    assert "Nothing was sent to Qase" in ran.err and "Traceback" not in ran.all
    (shop.root / ".qase-iac/backups").unlink()
    shop.applied()


@pytest.mark.parametrize("at", range(1, 11))
def test_a_full_disk_at_any_write_sends_nothing_and_leaves_nothing(
    shop: Folder, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """The syncs of the backup, one by one: its files, its folders, and those that it lies in."""
    shop.write(LATER)
    calls = 0
    real = os.fsync

    def full(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert_nothing_sent(shop, "No space left on device")
    assert calls == at
    left = [path.name for path in (shop.root / ".qase-iac/backups").iterdir()]
    assert all(NAME.match(name) for name in left)  # whole, or not there
    shop.applied()


def test_what_cannot_be_read_whole_is_not_touched(shop: Folder, no_waiting: None) -> None:
    id = shop.app.ui.create("SHOP", "plan", title="Night", cases=[shop.id_of("case.pay")])
    plan = {"title": "Nightly", "description": "x"}
    shop.write({"more.yaml": sections(plans={"nightly": plan}, adopt={"plan.nightly": id})})
    shop.app.faults.add("500", method="GET", path=f"/plan/SHOP/{id}", times=0)
    assert_nothing_sent(shop, None, ApiError)


def test_a_name_that_is_taken_is_left_alone(shop: Folder) -> None:
    digest = shop.write(LATER).plan().digest.removeprefix("sha256:")[:8]
    taken = shop.root / f".qase-iac/backups/20261123T000000Z-{digest}"
    taken.mkdir(parents=True)
    (taken / "mine").write_text("mine")
    backup = backup_of(shop, shop.apply().report)
    assert backup.name == taken.name + "-2"
    assert backup.name in (backup / "README.txt").read_text()
    assert [path.name for path in taken.iterdir()] == ["mine"]


def test_beside_a_state_elsewhere_it_is_no_content(folder: Callable[..., Folder]) -> None:
    """A backup is YAML inside the project folder: what reads content must never find it."""
    settings = qase_yaml(state={"path": "data/shop.json"}, policy=LOOSE)
    shop = folder({**SHOP, "qase.yaml": settings}).applied()
    outcome = shop.write(LATER).apply()
    assert outcome.report is not None and outcome.report.backup is not None
    assert outcome.report.backup.startswith("data/.qase-iac/backups/")
    assert (shop.root / outcome.report.backup / "objects.jsonl").is_file()
    assert actions(shop.plan()) == {}


# -- what is said


def test_apply_says_where_it_is(shop: Folder, cli: Callable[..., Ran]) -> None:
    shop.edit("rest.yaml", "title: M,", "title: N,")
    ran = cli("-C", shop.root, "apply", "--auto-approve")
    said = re.search(
        r"^Backup: (\S+) holds what was deleted or changed, as it was\.\nApplied: 1 changed\.", ran.out, re.M
    )
    assert said and (shop.root / said[1] / "README.txt").is_file()
    shop.edit("rest.yaml", "title: N,", "title: O,")
    ran = cli("-C", shop.root, "apply", "--auto-approve", "--format", "json")
    assert (shop.root / ran.json["backup"] / "README.txt").is_file() and ran.json["backup"] != said[1]
    shop.edit("rest.yaml", "title: O,", "title: P,")
    assert ".qase-iac/backups/" in cli("-C", shop.root, "apply", "--auto-approve", "--format", "markdown").out
    assert cli("-C", shop.root, "apply", "--auto-approve", "--format", "json").json["backup"] is None


def test_version_control_keeps_out_of_it(shop: Folder, cli: Callable[..., Ran], tmp_path: Path) -> None:
    """Of every folder that a command makes."""
    assert cli("init", tmp_path / "new").code == 0
    shop.export(tmp_path / "copy")
    (tmp_path / "cases.json").write_text(json.dumps({"suites": [{"id": 1, "title": "A", "cases": []}]}))
    assert cli("convert", "qase-json", tmp_path / "cases.json", tmp_path / "converted").code == 0
    for made in ("new", "copy", "converted"):
        assert ".qase-iac/" in (tmp_path / made / ".gitignore").read_text().splitlines()


# -- the documentation

DOC = REPO / "docs" / "backups.md"
DOC_RUN = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
DOC_STEP = re.compile(
    r"<!-- cut: (?P<cut>\S+): (?P<key>\S+) -->|"
    r"<!-- edit: (?P<file>\S+): (?P<old>.+?) => (?P<new>.+?) -->|"
    r"^```console run\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


def without(content: str, key: str) -> str:
    """A content file without one entry of its section."""
    found = re.sub(rf"^  {key}:\n(?:    .*\n)+", "", content, flags=re.MULTILINE)
    assert found != content
    return found


def test_the_session_of_the_docs_is_real(cli: Callable[..., Ran], tmp_path: Path) -> None:
    """Every command and every answer, but for the names of the backups."""
    shop = tmp_path / "shop"
    assert cli("init", shop).code == cli("-C", shop, "apply", "--auto-approve").code == 0
    names: dict[str, str] = {}
    for step in DOC_STEP.finditer(DOC.read_text(encoding="utf-8")):
        if step["body"] is None:
            path = shop / (step["cut"] or step["file"])
            text = path.read_text(encoding="utf-8")
            path.write_text(without(text, step["key"]) if step["cut"] else text.replace(step["old"], step["new"], 1))
            continue
        for part in re.split(r"^\$ ", step["body"], flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            said = answer(cli, shop, DOC_RUN.sub(lambda name: names[name[0]], command))
            names.update(zip(DOC_RUN.findall(shown), DOC_RUN.findall(said), strict=True))
            assert DOC_RUN.sub("RUN", said).rstrip() == DOC_RUN.sub("RUN", shown).rstrip(), command
    assert len(names) == 2


def answer(cli: Callable[..., Ran], folder: Path, command: str) -> str:
    program, *words = command.split()
    if program == "qase-iac":
        return cli("-C", folder, *words).out
    return subprocess.run([program, *words], cwd=folder, capture_output=True, text=True, check=True).stdout
