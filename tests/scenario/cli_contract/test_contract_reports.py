"""`validate` and `apply` as JSON, `--report FILE`, `show`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_shop import edit_in_qase
from e2e_kit import Folder, Ran

Run = Callable[..., Ran]
OPERATION = ["address", "action", "id", "status", "http_status", "request_id", "source", "cause"]
REPORT = ["applied", "failed", "blocked", "adopted", "requests", "retries", "operations", "altered", "backup"]
DIAGNOSTIC = ["code", "severity", "summary", "detail", "file", "line", "column"]


def test_validate_json_of_a_valid_folder(run: Run, fresh: Folder) -> None:
    ran = run(fresh, "validate", "--format", "json")
    assert (ran.code, ran.json) == (0, {"valid": True, "diagnostics": []})


def test_validate_json_has_every_problem_of_every_file(run: Run, fresh: Folder) -> None:
    fresh.write({
        "a.yaml": "cases:\n  x: {title: X, severty: major}\n  y: {titel: Y}\n",
        "b.yaml": "plans:\n  p: {title: P, cases: [nobody]}\n",
        "c.yaml": "cases: [\n",
    })  # fmt: skip
    ran = run(fresh, "validate", "--format", "json")
    assert (ran.code, ran.json["valid"]) == (3, False)
    rows = ran.json["diagnostics"]
    assert {row["file"] for row in rows} >= {"a.yaml", "c.yaml"}
    for row in rows:
        assert list(row) == DIAGNOSTIC
        assert row["severity"] in ("error", "warning")
        assert type(row["line"]) is type(row["column"]) is int
    typo = next(row for row in rows if "severty" in row["summary"])
    assert (typo["file"], typo["line"]) == ("a.yaml", 2)


def test_validate_json_of_warnings_alone_is_valid(run: Run, fresh: Folder) -> None:
    fresh.write({"more.yaml": "shared_steps:\n  deep: {title: Deep, steps: [{action: A, steps: [b]}]}\n"})
    ran = run(fresh, "validate", "--format", "json")
    assert (ran.code, ran.json["valid"], [row["severity"] for row in ran.json["diagnostics"]]) == (0, True, ["warning"])


@pytest.mark.parametrize("broken", ["project: [", "project: SHOP\nnonsense: 1\n", ""])
def test_validate_json_of_a_broken_qase_yaml(run: Run, fresh: Folder, broken: str) -> None:
    fresh.write({"qase.yaml": broken})
    ran = run(fresh, "validate", "--format", "json")
    assert (ran.code, ran.json["valid"]) == (3, False)
    assert ran.json["diagnostics"][0]["file"] == "qase.yaml"


def test_validate_online_asks_qase_and_remember_writes_its_words(run: Run, shop: Folder) -> None:
    before = len(shop.app.requests)
    assert run(shop, "validate").code == 0
    assert len(shop.app.requests) == before, "offline"
    shop.edit("suites.yaml", "{title: Receipt}", "{title: Receipt, milestone: {external: Nowhere}}")
    assert run(shop, "validate").code == 0
    ran = run(shop, "validate", "--online")
    assert ran.code == 3 and "Nowhere" in ran.out
    shop.edit("suites.yaml", ", milestone: {external: Nowhere}", "")
    ran = run(shop, "validate", "--online", "--remember")
    assert ran.code == 0 and (shop.root / "catalogue.yaml").is_file()
    assert run(shop, "validate").code == 0
    assert len(shop.writes()) == len([entry for entry in shop.app.requests[:before] if entry.method != "GET"])


# -- apply


def test_apply_json(run: Run, fresh: Folder) -> None:
    ran = run(fresh, "apply", "--auto-approve", "--format", "json")
    report = ran.json
    assert list(report) == REPORT
    assert {name: report[name] for name in REPORT[:6]} == {
        "applied": 10, "failed": 0, "blocked": 0, "adopted": 0, "requests": len(fresh.writes()), "retries": 0,
    }  # fmt: skip
    for row in report["operations"]:
        assert list(row) == OPERATION
        assert (row["action"], row["status"], row["cause"]) == ("create", "done", None)
        assert row["id"] == ("SHOP" if row["address"] == "project.SHOP" else fresh.id_of(row["address"]))
    assert next(row for row in report["operations"] if row["address"] == "case.receipt")["source"] == "suites.yaml:6"


def test_apply_json_with_nothing_to_do(run: Run, shop: Folder) -> None:
    assert run(shop, "apply", "--auto-approve", "--format", "json").json == dict.fromkeys(REPORT[:6], 0) | {
        "operations": [],
        "altered": [],
        "backup": None,
    }


def test_apply_json_statuses(run: Run, shop: Folder) -> None:
    """done, failed (with what Qase said), blocked (by the failed one), in one report."""
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts").edit("suites.yaml", "title: Refund", "title: Refunds")
    shop.write({"new.yaml": "suites:\n  new:\n    title: New\n    cases:\n      inner: {title: Inner}\n"})
    shop.app.faults.add("429", method="POST", path="^/suite", times=0, retry_after=0)
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    rows = {row["address"]: row for row in ran.json["operations"]}
    assert ran.code == 6
    assert {address: row["status"] for address, row in rows.items()} == {
        "suite.new": "failed", "case.inner": "blocked", "case.receipt": "done", "case.refund": "done",
    }  # fmt: skip
    assert rows["suite.new"]["http_status"] == 429
    assert rows["suite.new"]["cause"].startswith("rate_limited: ")
    assert "suite.new" in rows["case.inner"]["cause"]
    assert (ran.json["applied"], ran.json["failed"], ran.json["blocked"]) == (2, 1, 1)


@pytest.mark.parametrize("fault", ["drop-after", "500-after", "cut-off"])
def test_apply_json_of_a_lost_answer(run: Run, shop: Folder, fault: str) -> None:
    shop.write({"new.yaml": "milestones:\n  new: {title: New}\n"})
    shop.app.faults.add(fault, method="POST")
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    (row,) = ran.json["operations"]
    assert (ran.code, row["status"], row["id"], ran.json["retries"]) == (0, "done", shop.id_of("milestone.new"), 0)


@pytest.mark.parametrize("fault", ["drop-before", "500"])
def test_apply_json_unknown_and_the_next_run_knows(run: Run, shop: Folder, fault: str) -> None:
    shop.write({"new.yaml": "milestones:\n  new: {title: New}\n"})
    shop.app.faults.add(fault, method="POST")
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    (row,) = ran.json["operations"]
    assert (ran.code, row["status"], row["id"], ran.json["failed"]) == (6, "unknown", None, 1)
    again = run(shop, "apply", "--auto-approve", "--format", "json")
    assert again.code == 0
    assert [m["title"] for m in shop.dump()["milestones"]].count("New") == 1


def test_apply_json_retries(run: Run, shop: Folder) -> None:
    """A create that Qase refused to count (429) is sent once more: every call counts, and which were too many."""
    shop.write({"new.yaml": "milestones:\n  new: {title: New}\n"})
    shop.app.faults.add("429", method="POST", retry_after=0)
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert (ran.code, ran.json["applied"], ran.json["requests"], ran.json["retries"]) == (0, 1, 2, 1)


def test_adopted_counts_apart(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    shop.write({"new.yaml": "milestones:\n  new: {title: New}\n"})
    ran = run(shop, "apply", "--auto-approve", "--new-state", "--format", "json")
    assert (ran.json["applied"], ran.json["adopted"]) == (1, 9)


# -- --format and --report


@pytest.mark.parametrize("command", ["plan", "validate", "apply --auto-approve", "show p.json"])
@pytest.mark.parametrize(("ending", "starts"), [("json", "{"), ("md", "##"), ("markdown", "##"), ("txt", "")])
def test_report_takes_its_format_from_the_ending_beside_the_text_on_the_terminal(
    run: Run, fresh: Folder, command: str, ending: str, starts: str
) -> None:
    fresh.write({"more.yaml": "shared_steps:\n  deep: {title: Deep, steps: [{action: A, steps: [b]}]}\n"})
    assert run(fresh, "plan", "-o", "p.json").code == 0
    plain = run(fresh, *command.split(), "--report", f"r.{ending}")
    assert plain.code == 0
    text = (fresh.root / f"r.{ending}").read_text(encoding="utf-8")
    assert text.startswith(starts) and text.endswith("\n")
    assert not plain.out.startswith(("{", "##"))
    if ending == "json":
        json.loads(text)


def test_report_of_an_apply_in_part(run: Run, fresh: Folder) -> None:
    fresh.app.faults.add("429", method="POST", path="^/milestone", times=0, retry_after=0)
    ran = run(fresh, "apply", "--auto-approve", "--report", "r.json")
    assert ran.code == 6
    assert json.loads((fresh.root / "r.json").read_text())["failed"] == 1


def test_report_is_written_though_the_folder_is_invalid(run: Run, fresh: Folder) -> None:
    fresh.write({"broken.yaml": "cases: [\n"})
    assert run(fresh, "validate", "--report", "r.json").code == 3
    assert json.loads((fresh.root / "r.json").read_text())["valid"] is False


@pytest.mark.parametrize("name", ["r.sarif", "r", "r.xml"])
def test_report_with_an_ending_that_is_not_known_does_nothing(run: Run, fresh: Folder, name: str) -> None:
    ran = run(fresh, "apply", "--auto-approve", "--report", name)
    assert (ran.code, ran.out, fresh.app.requests) == (1, "", [])
    assert ".json" in ran.err


def test_a_report_that_cannot_be_written_does_not_hide_what_the_run_came_to(run: Run, fresh: Folder) -> None:
    (fresh.root / "r.json").mkdir()
    fresh.app.faults.add("429", method="POST", path="^/milestone", times=0, retry_after=0)
    ran = run(fresh, "apply", "--auto-approve", "--report", "r.json")
    assert ran.code == 6 and "r.json cannot be written" in ran.err


# -- show


def test_show_needs_neither_folder_nor_qase(cli: Run, run: Run, shop: Folder, tmp_path: Path) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    run(shop, "plan", "-o", tmp_path / "p.json")
    before = len(shop.app.requests)
    for form in ("text", "json", "markdown"):
        ran = cli("show", tmp_path / "p.json", "--format", form)
        assert ran.code == 0 and "case.receipt" in ran.out
    assert "Receipts" in cli("show", tmp_path / "p.json", "--full").out
    assert len(shop.app.requests) == before


def test_the_report_in_words(run: Run, fresh: Folder) -> None:
    assert run(fresh, "apply", "--auto-approve").out.endswith("\nApplied: 10 added. 7 write requests.\n")
    edit_in_qase(fresh, "case.receipt", title="Slip")
    assert run(fresh, "apply", "--auto-approve").out.endswith("\nApplied: 1 changed. 1 write request.\n")


ONLINE = {
    "option": ("severity: grave", "grave"),
    "custom field": ("custom_fields: {Nowhere: x}", "Nowhere"),
    "option of a custom field": ("custom_fields: {Component: Nothing}", "Nothing"),
    "external reference": ("milestone: {external_id: 99}", "99"),
    "member": ("custom_fields: {Owner: nobody@example.com}", "nobody@example.com"),
}


@pytest.mark.parametrize("what", ONLINE)
def test_validate_online_checks_options_fields_externals_members(
    run: Run, folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    from qase_iac.emulator import create_app
    from qase_iac.workflow.session import Session

    words, named = ONLINE[what]
    shop = folder({"c.yaml": f"cases:\n  a:\n    title: A\n    {words}\n"})
    fields = [{"title": "Component", "type": "selectbox", "options": ["Cart"]}, {"title": "Owner", "type": "user"}]
    seed = {"projects": [{"code": "SHOP", "title": "Shop"}], "custom_fields": fields}
    app = create_app(seed=seed)
    monkeypatch.setattr(Session, "_own_emulator", lambda self: app)
    ran = run(shop, "validate", "--online", "--format", "json")
    errors = [row for row in ran.json["diagnostics"] if row["severity"] == "error"]
    assert ran.code == 3 and named in errors[0]["summary"] + errors[0]["detail"]
    assert (errors[0]["file"], errors[0]["line"]) == ("c.yaml", 2)
