"""Global options, before or after the command; what goes to stdout and what to stderr."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_shop import FILES, lines
from e2e_kit import Folder, Ran, qase_yaml, run_program

from qase_iac.emulator import create_app, start_server

Run = Callable[..., Ran]


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("option", ["-C", "--chdir"])
def test_chdir_before_or_after_the_command(cli: Run, fresh: Folder, where: str, option: str) -> None:
    given = [option, str(fresh.root)]
    ran = cli(*given, "plan") if where == "before" else cli("plan", *given)
    assert ran.code == 0
    assert "Plan: 10 to add" in ran.out


def test_paths_are_seen_from_where_chdir_goes(run: Run, fresh: Folder) -> None:
    assert run(fresh, "plan", "-o", "p.json", "--report", "r.md", "--http-log", "h.log", "--events", "e.log").code == 0
    assert run(fresh, "schema", "--write", "s").code == 0
    assert {"p.json", "r.md", "h.log", "e.log", "s"} <= {path.name for path in fresh.root.iterdir()}
    assert run(fresh, "show", "p.json").code == 0
    assert run(fresh, "apply", "p.json").code == 0


@pytest.mark.parametrize("where", ["before", "after"])
def test_profile(run: Run, folder: Callable[..., Folder], where: str) -> None:
    shop = folder(FILES, profiles={"staging": {"project": "STAGE"}})
    profile = ["--profile", "staging"]
    ran = run(shop, *profile, "plan") if where == "before" else run(shop, "plan", *profile)
    assert "project.STAGE" in ran.out
    assert run(shop, "plan").out.startswith("Project SHOP")


@pytest.mark.parametrize("command", ["validate", "plan", "destroy --allow-deletes 0 --auto-approve", "state list"])
def test_an_unknown_profile_is_invalid(run: Run, fresh: Folder, command: str) -> None:
    assert run(fresh, *command.split(), "--profile", "nope").code == 3


@pytest.mark.parametrize("where", ["before", "after"])
def test_api(cli: Run, folder: Callable[..., Folder], where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server named by an option gets the token and the requests."""
    shop = folder({**FILES, "qase.yaml": qase_yaml(api={"url": "https://api.qase.io/v1"})})
    app = create_app(token="secret-of-mine")
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "secret-of-mine")
    with start_server(app) as server:
        given = ["-C", shop.root, "--api", server.url]
        ran = cli(*given, "plan") if where == "before" else cli("plan", *given)
    assert ran.code == 0, ran.err
    assert app.requests
    assert "secret-of-mine" not in ran.all


def test_rate_limit_0_is_for_loopback_only(run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "x")
    away = run(fresh, "--rate-limit", "0", "--api", "https://api.qase.io/v1", "plan")
    assert (away.code, away.out) == (1, "")
    assert "this machine only" in away.err
    with start_server(create_app()) as server:
        assert run(fresh, "--rate-limit", "0", "--api", server.url, "plan").code == 0
    assert run(fresh, "--rate-limit", "0", "plan").code == 0


def test_lock_timeout_waits_so_long(run: Run, shop: Folder) -> None:
    from e2e_kit import HOLDER

    with shop.session().store.lock(HOLDER):
        at_once = run(shop, "apply", "--auto-approve")
        waited = run(shop, "apply", "--auto-approve", "--lock-timeout", "0.2")
    assert (at_once.code, waited.code) == (7, 7)
    assert "ann@here" in at_once.err
    assert "waited for 0.2 s" in waited.err


def test_http_log_has_one_object_a_line_for_each_request(run: Run, fresh: Folder) -> None:
    log = fresh.root / "http.log"
    with fresh.counting() as seen:
        assert run(fresh, "apply", "--auto-approve", "--http-log", log).code == 0
    rows = lines(log)
    assert [(row["method"], row["path"].partition("?")[0].removeprefix("/v1"), row["status"]) for row in rows] == [
        (entry.method, entry.path, entry.status) for entry in seen
    ]
    for row in rows:
        assert list(row) == ["time", "method", "path", "status", "ms", "attempt"]
        assert isinstance(row["ms"], float | int) and row["attempt"] == 1
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", row["time"])


def test_http_log_never_holds_token_or_bodies(cli: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "secret-of-mine")
    log = fresh.root / "http.log"
    with start_server(create_app(token="secret-of-mine")) as server:
        assert cli("-C", fresh.root, "apply", "--auto-approve", "--api", server.url, "--http-log", log).code == 0
    text = log.read_text()
    assert "secret-of-mine" not in text
    assert "Legacy flow" not in text and "Open the basket" not in text


def test_http_log_counts_attempts(run: Run, shop: Folder) -> None:
    shop.app.faults.add("429", path="^/milestone", retry_after=0)
    log = shop.root / "http.log"
    assert run(shop, "plan", "--http-log", log).code == 0
    asked = [(row["status"], row["attempt"]) for row in lines(log) if "/milestone/" in row["path"]]
    assert asked == [(429, 1), (200, 2)]


def test_events_are_ndjson(run: Run, fresh: Folder) -> None:
    log = fresh.root / "events.log"
    assert run(fresh, "apply", "--auto-approve", "--events", log).code == 0
    events = lines(log)
    names = [event["event"] for event in events]
    assert names.count("operation_finished") == 10
    assert names.index("started") < names.index("operation_started") < names.index("saved") < names.index("finished")
    assert all(re.match(r"\d{4}-\d\d-\d\dT", event["time"]) for event in events)
    last = next(event for event in events if event["event"] == "finished")
    assert (last["applied"], last["failed"]) == (10, 0)


def test_events_of_a_plan_tell_of_reading(run: Run, shop: Folder) -> None:
    log = shop.root / "events.log"
    assert run(shop, "--events", log, "plan").code == 0
    assert {event["event"] for event in lines(log)} == {"reading", "ended"}


@pytest.mark.parametrize("option", ["--http-log", "--events"])
def test_a_log_that_cannot_be_written_ends_the_run_before_it_begins(run: Run, fresh: Folder, option: str) -> None:
    ran = run(fresh, option, "no/such/folder/log", "apply", "--auto-approve")
    assert (ran.code, ran.out) == (1, "")
    assert fresh.app.requests == []


ESCAPE = "\x1b["


def test_colours_only_where_nobody_said_no(run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ESCAPE not in run(fresh, "plan").all  # no terminal
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert ESCAPE in run(fresh, "plan").out
    assert ESCAPE not in run(fresh, "plan", "--no-color").all
    assert ESCAPE not in run(fresh, "--no-color", "plan").all
    assert ESCAPE not in run(fresh, "plan", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert ESCAPE not in run(fresh, "plan").all


def test_verbose_says_which_project_api_and_state(run: Run, shop: Folder) -> None:
    quiet, loud = run(shop, "plan"), run(shop, "-v", "plan")
    assert quiet.err == ""
    assert loud.out == quiet.out
    assert "SHOP at emulator, state" in loud.err and str(shop.state_path) in loud.err


# -- stdout carries the answer alone


@pytest.mark.parametrize(
    "command",
    ["plan --format json", "validate --format json", "apply --auto-approve --format json", "state list --format json",
     "state show case.receipt", "schema"],
)  # fmt: skip
def test_stdout_is_json_and_nothing_else(run: Run, shop: Folder, command: str) -> None:
    shop.write({"more.yaml": "cases:\n  new: {title: New}\nplans:\n  none: {title: None, select: {tags: [x]}}\n"})
    ran = run(shop, *command.split())
    assert json.loads(ran.out) is not None


def test_warnings_and_messages_go_to_stderr(run: Run, shop: Folder, tmp_path: Path) -> None:
    shop.write({"more.yaml": "shared_steps:\n  deep: {title: Deep, steps: [{action: A, steps: [b]}]}\n"})
    ran = run(shop, "plan", "-o", tmp_path / "p.json")
    assert "Warning: more.yaml:2:" in ran.err and "Saved the plan" in ran.err
    assert "Warning" not in ran.out and "Saved" not in ran.out


@pytest.mark.parametrize(
    ("command", "code"),
    [("plan nothing-more", 1), ("show no.json", 1), ("apply", 1), ("pull", 1), ("state show case.nope", 1),
     ("plan --api http://127.0.0.1:9/v1", 8), ("apply --auto-approve", 3), ("plan", 3)],
)  # fmt: skip
def test_errors_go_to_stderr_alone(run: Run, shop: Folder, command: str, code: int) -> None:
    if code == 3:
        shop.write({"broken.yaml": "cases: [\n"})
    ran = run(shop, *command.split())
    assert (ran.code, ran.out) == (code, "")
    assert ran.err and "Traceback" not in ran.err


def test_progress_of_a_long_apply_goes_to_stderr(run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qase_iac.cli.progress.QUIET_SECONDS", 0.0)
    monkeypatch.setattr("qase_iac.cli.progress.EVERY_SECONDS", 0.0)
    ran = run(fresh, "apply", "--auto-approve", "--format", "json")
    assert "Applying: 10 of 10" in ran.err
    assert ran.json["applied"] == 10


def test_a_failed_operation_is_told_at_once_on_stderr(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    shop.app.faults.add("500", method="PATCH", times=0)
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert ran.code == 6
    waiting, failed = ran.err.splitlines()
    assert waiting == "Waiting up to 4 s: Qase did not say whether case.receipt was done, and is asked."
    assert failed.startswith("case.receipt: Qase answered 500")
    assert ran.json["failed"] == 1


def test_global_options_reach_state_commands(cli: Run, shop: Folder) -> None:
    for given in (
        ["-C", shop.root, "state", "list"],
        ["state", "-C", shop.root, "list"],
        ["state", "list", "-C", shop.root],
    ):
        assert "case.receipt" in cli(*given).out


def test_the_program_itself(tmp_path: Path) -> None:
    """One real process: init, plan, apply, an empty second plan."""
    assert run_program("init", "shop", cwd=tmp_path).code == 0
    for command, code in (("validate", 0), ("plan --detailed-exitcode", 2), ("apply --auto-approve", 0),
                          ("plan --detailed-exitcode", 0), ("apply", 1)):  # fmt: skip
        ran = run_program(*command.split(), cwd=tmp_path / "shop")
        assert ran.code == code, (command, ran.all)


def test_a_reader_that_goes_away_is_no_error_of_ours(tmp_path: Path) -> None:
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -m qase_iac schema | head -c 10", shell=True, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr and "Error" not in done.stderr
