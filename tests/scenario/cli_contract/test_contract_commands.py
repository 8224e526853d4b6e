"""The commands one by one: init, destroy, export, convert, state, schema, explain, emulator, and those to come."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import yaml
from contract_shop import ADDRESSES, bytes_of
from e2e_kit import Folder, Ran, clean_env

Run = Callable[..., Ran]
COMMANDS = ["init", "validate", "plan", "apply", "destroy", "drift", "show", "export", "convert", "adopt", "state", "schema",
            "explain", "emulator"]  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "",
        *COMMANDS,
        "state list",
        "state show",
        "state mv",
        "state rm",
        "state rebuild",
        "state unlock",
        "state pull",
        "state push",
        "state migrate",
    ],
)
def test_help_has_an_example_and_the_global_options(cli: Run, command: str) -> None:
    ran = cli(*command.split(), "--help")
    assert ran.code == 0 and ran.err == ""
    assert "Example" in ran.out or "Start here" in ran.out
    for option in (
        "--chdir",
        "--profile",
        "--api",
        "--rate-limit",
        "--no-color",
        "--lock-timeout",
        "--http-log",
        "--events",
    ):
        assert option in ran.out


# -- init


@pytest.mark.parametrize("name", ["shop", "web-shop 2", "x", "Überladen", 'quo"te'])
def test_init_scaffolds_a_folder_that_plans_and_applies_at_once(cli: Run, tmp_path: Path, name: str) -> None:
    assert cli("-C", tmp_path, "init", name).code == 0
    root = tmp_path / name
    assert ".qase-iac/" in (root / ".gitignore").read_text().split()
    for command, code in (
        ("validate", 0),
        ("plan --detailed-exitcode", 2),
        ("apply --auto-approve", 0),
        ("plan --detailed-exitcode", 0),
    ):
        assert cli("-C", root, *command.split()).code == code


def test_init_never_overwrites(cli: Run, tmp_path: Path) -> None:
    (tmp_path / "plans.yaml").write_text("mine")
    ran = cli("-C", tmp_path, "init")
    assert ran.code == 1 and "plans.yaml exists" in ran.err
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["plans.yaml"]


def test_init_adds_to_a_gitignore(cli: Run, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    assert cli("-C", tmp_path, "init").code == 0
    assert {"*.pyc", ".qase-iac/"} <= set((tmp_path / ".gitignore").read_text().split())


# -- destroy


def test_destroy_deletes_all_that_is_bound_and_never_the_project(run: Run, shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="Not ours")
    ran = run(shop, "destroy", "--auto-approve", "--allow-deletes", "9", "--format", "json")
    assert ran.code == 0
    order = [row["address"] for row in ran.json["operations"]]
    assert sorted(order) == sorted(ADDRESSES)
    assert order.index("case.refund") < order.index("suite.old")
    dump = shop.dump()
    assert [case["title"] for case in dump["cases"]] == ["Not ours"]
    assert shop.state["bindings"] == {}


@pytest.mark.parametrize("number", ["0", "8", "10"])
def test_destroy_needs_the_exact_number(run: Run, shop: Folder, number: str) -> None:
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 100\n  max_delete_share: 1.0")
    before = len(shop.writes())
    assert run(shop, "destroy", "--auto-approve", "--allow-deletes", number).code == 4
    assert len(shop.writes()) == before


def test_destroy_spares_what_is_protected_and_what_holds_it(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "{title: Refund}", "{title: Refund, protect: true}").applied()
    ran = run(shop, "destroy", "--auto-approve", "--allow-deletes", "7", "--format", "json")
    blocked = {row["address"] for row in ran.json["operations"] if row["status"] == "blocked"}
    assert blocked == {"case.refund", "suite.old"}
    assert ran.code == 6
    assert set(shop.state["bindings"]) == blocked


def test_destroy_asks(run: Run, shop: Folder) -> None:
    assert run(shop, "destroy", "--allow-deletes", "9").code == 1


# -- export


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_export_gives_a_folder_with_its_state_whose_next_plan_is_empty(
    cli: Run, run: Run, shop: Folder, tmp_path: Path, layout: str
) -> None:
    target = tmp_path / "out"
    ran = run(shop, "export", target, "--layout", layout)
    assert ran.code == 0, ran.err
    assert len(list(target.rglob("*.case.yaml"))) == (4 if layout == "case" else 0)
    assert len(list((target / ".qase-iac").glob("SHOP@*.json"))) == 1
    plan = cli("-C", target, "plan", "--format", "json", "--detailed-exitcode")
    assert (plan.code, plan.json["changes"], plan.json["summary"]["unmanaged"]) == (0, [], 0)
    assert cli("-C", target, "validate").code == 0


def test_export_refuses_a_folder_that_is_not_empty(run: Run, shop: Folder, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine").write_text("x")
    before = len(shop.app.requests)
    ran = run(shop, "export", target)
    assert ran.code == 1 and "not empty" in ran.err
    assert bytes_of(target) == {"mine": b"x"}
    assert len(shop.app.requests) == before


def test_export_into_an_empty_folder(run: Run, shop: Folder, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert run(shop, "export", tmp_path / "out").code == 0


def test_export_without_a_project_folder(cli: Run, shop: Folder, tmp_path: Path) -> None:
    assert cli("-C", tmp_path, "--api", "emulator", "export", "out").code == 1
    assert cli("-C", tmp_path, "--api", "emulator", "export", "out", "--project", "SHOP").code == 0
    assert cli("-C", tmp_path, "--api", "emulator", "export", "other", "--project", "NONE").code == 9
    assert not (tmp_path / "other").exists()


def test_export_of_an_unknown_profile_writes_nothing(run: Run, shop: Folder, tmp_path: Path) -> None:
    assert run(shop, "export", tmp_path / "out", "--profile", "nope").code == 3
    assert not (tmp_path / "out").exists()


def test_export_that_fails_leaves_nothing_behind(
    run: Run, shop: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is written last; without it the folder would look like one that was never applied."""
    from qase_iac.state.store import LocalStore

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "state")

    monkeypatch.setattr(LocalStore, "write", full)
    ran = run(shop, "export", tmp_path / "out")
    assert ran.code == 1 and "No space left" in ran.err
    assert [path.name for path in tmp_path.iterdir() if path.name not in ("shop", "cache")] == []


def test_export_downloads_attachments_whatever_their_names(
    cli: Run, run: Run, folder: Callable[..., Folder], tmp_path: Path
) -> None:
    names = ["plain.txt", "grün.txt", "日本語 №1.txt"]
    listed = ", ".join(f'"{name}"' for name in names)
    shop = folder(
        {"c.yaml": f"cases:\n  a: {{title: A, attachments: [{listed}]}}\n", **{name: f"in {name}" for name in names}}
    )
    shop.applied()
    ran = run(shop, "export", tmp_path / "out")
    assert ran.code == 0, ran.err
    held = {path.read_text() for path in (tmp_path / "out").rglob("*.txt")}
    assert held == {f"in {name}" for name in names}
    assert cli("-C", tmp_path / "out", "plan", "--detailed-exitcode").code == 0


def test_export_records_the_api_of_the_folder_not_of_the_environment(
    cli: Run, shop: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QASE_IAC_API_URL", "http://127.0.0.1:9/v1")
    assert cli("-C", shop.root, "--api", "emulator", "export", tmp_path / "out").code == 0
    monkeypatch.delenv("QASE_IAC_API_URL")
    assert cli("-C", tmp_path / "out", "plan", "--detailed-exitcode").code == 0


# -- convert

COLLECTION = {
    "suites": [
        {"id": 1, "title": "Checkout", "description": "", "preconditions": "", "suites": [], "cases": [
            {"id": 10, "title": "Pay by card", "description": None, "preconditions": None, "postconditions": None,
             "priority": "high", "severity": "normal", "type": "other", "behavior": "undefined", "automation": "is-not-automated",
             "status": "actual", "is_flaky": "no", "layer": "unknown", "milestone": None, "custom_fields": [], "steps_type": "classic",
             "steps": [{"position": 1, "action": "Open", "expected_result": "Shown", "data": None, "steps": []}],
             "tags": [], "params": [], "is_muted": "no"},
        ]},
    ]
}  # fmt: skip


def collection(tmp_path: Path) -> Path:
    path = tmp_path / "export.json"
    path.write_text(json.dumps(COLLECTION))
    return path


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_convert_qase_json(cli: Run, tmp_path: Path, layout: str) -> None:
    ran = cli("-C", tmp_path, "convert", "qase-json", collection(tmp_path), "web-shop", "--layout", layout)
    assert ran.code == 0, ran.err
    root = tmp_path / "web-shop"
    settings = yaml.safe_load((root / "qase.yaml").read_text())
    assert settings["project"] == "WEBSHOP", "the folder's letters"
    assert settings["create"] is True
    assert settings["api"]["seed"] == "emulator-seed.yaml" and (root / "emulator-seed.yaml").is_file()
    assert cli("-C", root, "validate").code == 0
    plan = cli("-C", root, "--api", "emulator", "plan", "--format", "json")
    assert sorted(row["address"].partition(".")[0] for row in plan.json["changes"]) == ["case", "project", "suite"]


def test_convert_project_code(cli: Run, tmp_path: Path) -> None:
    assert cli("-C", tmp_path, "convert", "qase-json", collection(tmp_path), "out", "--project", "MINE").code == 0
    assert yaml.safe_load((tmp_path / "out" / "qase.yaml").read_text())["project"] == "MINE"


def test_convert_refuses(cli: Run, tmp_path: Path) -> None:
    file = collection(tmp_path)
    assert cli("-C", tmp_path, "convert", "testrail", file, "out").code == 1
    assert cli("-C", tmp_path, "convert", "qase-json", "no.json", "out").code == 1
    (tmp_path / "bad.json").write_text("{]")
    assert cli("-C", tmp_path, "convert", "qase-json", "bad.json", "out").code == 1
    assert not (tmp_path / "out").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    assert cli("-C", tmp_path, "convert", "qase-json", file, "full").code == 1


# -- state


def test_state_list(run: Run, shop: Folder) -> None:
    found = run(shop, "state", "list", "--format", "json").json
    assert found == {address: shop.id_of(address) for address in ADDRESSES}
    rows = [line.split() for line in run(shop, "state", "list").out.splitlines()]
    assert {row[0]: row[1] for row in rows} == {address: str(id) for address, id in found.items()}


def test_state_show(run: Run, shop: Folder) -> None:
    shown = run(shop, "state", "show", "case.receipt").json
    assert (shown["address"], shown["id"], shown["sent"]["title"]) == (
        "case.receipt",
        shop.id_of("case.receipt"),
        "Receipt",
    )
    ran = run(shop, "state", "show", "case.reciept")
    assert ran.code == 1 and "case.receipt" in ran.err


def test_state_mv(run: Run, shop: Folder) -> None:
    id, serial = shop.id_of("case.receipt"), shop.state["serial"]
    assert run(shop, "state", "mv", "case.receipt", "case.slip").code == 0
    assert shop.id_of("case.slip") == id and shop.state["serial"] == serial + 1
    shop.edit("suites.yaml", "receipt: {", "slip: {").edit("rest.yaml", "[receipt, ", "[slip, ")
    assert run(shop, "plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    "words",
    [
        "case.nope case.x",
        "case.receipt case.refund",
        "case.receipt suite.x",
        "case.receipt nonsense",
        "case.receipt case.A/b",
    ],
)
def test_state_mv_refuses(run: Run, shop: Folder, words: str) -> None:
    before = shop.state_path.read_bytes()
    assert run(shop, "state", "mv", *words.split()).code == 1
    assert shop.state_path.read_bytes() == before


def test_state_rm(run: Run, shop: Folder) -> None:
    requests = len(shop.app.requests)
    assert run(shop, "state", "rm", "case.refund", "milestone.release-1").code == 0
    assert len(shop.app.requests) == requests
    assert not {"case.refund", "milestone.release-1"} & set(shop.state["bindings"])
    before = shop.state_path.read_bytes()
    assert run(shop, "state", "rm", "case.receipt", "case.nope").code == 1
    assert shop.state_path.read_bytes() == before, "all or nothing"


def test_state_without_a_state(run: Run, fresh: Folder) -> None:
    ran = run(fresh, "state", "list")
    assert (ran.code, ran.out) == (0, "")
    assert run(fresh, "state", "list", "--format", "json").json == {}
    assert run(fresh, "state", "rm", "case.x").code == 1


# -- schema, explain


def test_schema_write(cli: Run, tmp_path: Path) -> None:
    assert cli("-C", tmp_path, "schema", "--write", "schemas").code == 0
    printed = cli("schema").json
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "schemas").iterdir()}
    assert written == printed
    repo = Path(__file__).resolve().parents[3] / "schemas"
    assert written == {path.name: json.loads(path.read_text()) for path in repo.iterdir()}


@pytest.mark.parametrize("kind", ["milestone", "shared_step", "suite", "case", "plan"])
def test_explain_kind_and_every_attribute(cli: Run, kind: str) -> None:
    from qase_iac.kinds import BY_NAME

    page = cli("explain", kind)
    assert page.code == 0
    for row in BY_NAME[kind].attributes:
        if not row.structural:
            assert row.name in page.out
            one = cli("explain", f"{kind}.{row.name}")
            assert one.code == 0 and "Takes " in one.out and "Example:" in one.out


def test_explain_what_is_not_there(cli: Run) -> None:
    assert "case" in cli("explain", "cas").err
    assert "steps" in cli("explain", "case.stepz").err
    assert cli("explain").code == 0


# -- emulator


def test_emulator_serves_seed_and_database(tmp_path: Path) -> None:
    (tmp_path / "seed.yaml").write_text("projects: [{code: SHOP, title: Shop}]\n")
    command = [
        sys.executable,
        "-u",
        "-m",
        "qase_iac",
        "emulator",
        "--port",
        "0",
        "--db",
        "q.db",
        "--seed",
        "seed.yaml",
        "--control",
    ]
    child = subprocess.Popen(
        command, cwd=tmp_path, env=clean_env(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stderr is not None
        line = child.stderr.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        answer = httpx.get(f"{url}/project/SHOP", timeout=10).json()
        assert answer["result"]["title"] == "Shop"
        assert httpx.get(url.removesuffix("/v1") + "/v1/_emulator/requests", timeout=10).json()["result"]
    finally:
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert (child.returncode, out) == (130, "")
    assert "Traceback" not in err
    assert (tmp_path / "q.db").is_file()


def test_emulator_says_why_it_cannot_start(cli: Run, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = cli("emulator", "--port", taken.getsockname()[1])
    assert ran.code == 1 and "in use" in ran.err
    assert cli("-C", tmp_path, "emulator", "--port", "0", "--seed", "none.yaml").code == 1


# -- all of them


def test_help_imports_nothing_that_costs() -> None:
    heavy = ("httpx", "yaml", "rich", "jsonschema", "sqlite3", "deepdiff", "filelock", "rapidfuzz")
    code = f"import sys; from qase_iac.cli.main import _run; _run(['--help']); sys.exit(str([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stderr.strip() == "[]"


def test_colours_of_the_plan_that_apply_shows_follow_stdout(
    run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`apply | tee log` on a terminal: stderr takes colours, the log does not."""
    from qase_iac.cli.context import Globals

    monkeypatch.setattr(Globals, "color", lambda self, stream: stream is sys.stderr)
    assert "\x1b[" not in run(fresh, "apply", "--auto-approve").out


def test_dropped_connections_in_process_are_retried(run: Run, shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qase_iac.api.transports.SystemClock.sleep", lambda self, seconds: None)
    monkeypatch.setattr("qase_iac.api.transports.rest", lambda *_: None)
    for fault in ("drop-before", "drop-after", "cut-off"):
        shop.app.faults.add(fault, path="^/case")
        assert run(shop, "plan", "--detailed-exitcode").code == 0
    shop.app.faults.add("drop-before", path="^/case", times=0)
    assert run(shop, "plan").code == 9
