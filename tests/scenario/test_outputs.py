"""Every command's answer in every format it has, files and all: schemas, endings, places, classes of failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from e2e_kit import Folder, Ran
from jsonschema import Draft7Validator

from qase_iac.render.schemas import CLASSES, schemas

SCHEMAS = {name.partition(".")[0]: Draft7Validator(schema) for name, schema in schemas().items()}
FILES = {
    "shop.yaml": "suites:\n  checkout:\n    title: Checkout\n    cases:\n      pay: {title: Pay, steps: [Open, Pay]}\n"
    "      refund: {title: Refund}\n      receipt: {title: Receipt}\n",
}
Run = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def shop(folder: Callable[..., Folder], cli: Run) -> Folder:
    made = folder(FILES, policy={"max_delete_share": 1.0}).applied()
    made.cli = cli  # type: ignore[attr-defined]
    return made


def run(shop: Folder, *arguments: str) -> Ran:
    ran: Ran = shop.cli("-C", shop.root, *arguments)  # type: ignore[attr-defined]
    assert "Traceback" not in ran.all
    return ran


def fits(name: str, value: Any) -> bool:
    assert [f"{list(error.absolute_path)}: {error.message}" for error in SCHEMAS[name].iter_errors(value)] == []
    return True


def edited(shop: Folder) -> None:
    """A change of every sort: deleted, edited here, edited there, added, with steps moved and edited."""
    shop.edit("shop.yaml", "      refund: {title: Refund}\n", "      voucher: {title: Voucher}\n")
    shop.edit("shop.yaml", "steps: [Open, Pay]", "steps: [Pay now, Open, Look]")
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.receipt"), title="Slip")


# ------------------------------------------------------------------------------------------------------- schemas


def test_every_commands_json_fits_its_schema(shop: Folder) -> None:
    edited(shop)
    assert fits("diagnostics", run(shop, "validate", "--format", "json").json)
    planned = run(shop, "plan", "--format", "json", "-o", "plan.json", "--report", "r.json").json
    assert fits("plan", planned) and planned["summary"]["delete"] == 1
    assert [
        each["op"]
        for each in next(c for c in planned["changes"] if c["address"] == "case.pay")["attributes"]["steps"]["steps"]
    ]
    for file in ("plan.json", "r.json"):
        assert fits("plan", json.loads((shop.root / file).read_text()))
    assert fits("plan", run(shop, "show", "plan.json", "--format", "json").json)
    drifted = run(shop, "drift", "--format", "json").json
    assert fits("drift", drifted) and drifted["drift"]
    applied = run(shop, "apply", "plan.json", "--format", "json").json
    assert fits("report", applied) and applied["applied"] == 4
    assert fits("report", run(shop, "destroy", "--auto-approve", "--allow-deletes", "4", "--format", "json").json)


def test_the_json_of_what_goes_wrong_fits_too(shop: Folder) -> None:
    edited(shop)
    shop.app.faults.add("500", method="POST", path="/case", times=0)
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert ran.code == 6 and fits("report", ran.json) and ran.json["failed"]
    shop.write({"bad.yaml": "cases:\n  x: {titel: X}\n"})
    for command in (["validate"], ["plan"], ["drift"], ["apply", "--auto-approve"]):
        ran = run(shop, *command, "--format", "json")
        assert ran.code == 3 and fits("diagnostics", ran.json) and ran.json["valid"] is False


# ---------------------------------------------------------------------------------------------- formats and endings


@pytest.mark.parametrize(
    ("command", "endings"),
    [("plan", ["html", "md", "json", "txt"]), ("drift", ["html", "xml", "md", "json"]), ("show plan.json", ["html", "md"]),
     ("validate", ["html", "sarif", "xml", "md", "sarif.json"]), ("apply --auto-approve", ["html", "md", "json"])],
)  # fmt: skip
def test_reports_by_their_endings(shop: Folder, command: str, endings: list[str]) -> None:
    edited(shop)
    assert run(shop, "plan", "-o", "plan.json").code == 0
    for ending in endings:
        assert run(shop, *command.split(), "--report", f"r.{ending}").code == 0
        text = (shop.root / f"r.{ending}").read_text(encoding="utf-8")
        starts = {"html": "<!doctype html>", "xml": "<?xml", "md": "#", "txt": "Project", "sarif": "{", "json": "{"}
        assert text.startswith(starts[ending.partition(".")[0]]) and text.endswith("\n")


@pytest.mark.parametrize(
    "command", ["plan --report r.sarif", "drift --report r.sarif", "apply --report r.xml", "plan --report r.docx"]
)
def test_a_report_that_the_command_cannot_write_is_refused_before_anything_is_done(shop: Folder, command: str) -> None:
    before = len(shop.app.requests)
    ran = run(shop, *command.split())
    assert ran.code == 1 and ran.err.startswith("Error: ") and not ran.out
    assert len(shop.app.requests) == before and not list(shop.root.glob("r.*"))


def test_the_page_of_a_plan_shows_the_same_as_its_text(shop: Folder) -> None:
    edited(shop)
    page = run(shop, "plan", "--format", "html").out
    for said in ("case.refund", "case.voucher", "reverts an edit made in Qase", "steps (", "Pay now", "Slip"):
        assert said in page, said


# ------------------------------------------------------------------------------------- places as the repository has them


@pytest.fixture
def broken(folder: Callable[..., Folder], cli: Run, tmp_path: Path) -> Folder:
    """A folder below the top of a git repository, with one slip."""
    (tmp_path / ".git").mkdir()
    made = folder({"checkout/cases.yaml": "cases:\n  x: {title: X, severty: major}\n"}, name="shop")
    made.cli = cli  # type: ignore[attr-defined]
    return made


def test_places_are_seen_from_the_top_of_the_repository(broken: Folder) -> None:
    ran = run(broken, "validate", "--format", "github")
    assert ran.code == 3
    assert ran.out.startswith("::error file=shop/checkout/cases.yaml,line=2,col=")
    sarif = json.loads(run(broken, "validate", "--format", "sarif").out)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "shop/checkout/cases.yaml" and place["region"]["startLine"] == 2
    (case,) = ElementTree.fromstring(run(broken, "validate", "--format", "junit").out).iter("testcase")
    assert case.get("file") == "shop/checkout/cases.yaml"
    assert run(broken, "validate", "--format", "json").json["diagnostics"][0]["file"] == "checkout/cases.yaml"


def test_drift_is_told_as_junit_even_when_the_files_are_wrong(broken: Folder) -> None:
    ran = run(broken, "drift", "--format", "junit")
    assert ran.code == 3 and ElementTree.fromstring(ran.out).find(".//failure") is not None


# -------------------------------------------------------------------------------------------------------- events


def events_of(shop: Folder, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    log = shop.root / "events.ndjson"
    log.unlink(missing_ok=True)
    code = run(shop, *arguments, "--events", "events.ndjson").code
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    for row in rows:
        fits("events", row)
    return code, rows


def break_state(shop: Folder) -> None:
    shop.state_path.unlink()


def no_token(shop: Folder) -> None:
    path = shop.state_path
    text = path.read_text().replace('"api": "emulator"', '"api": "https://api.qase.io/v1"')
    path.with_name("SHOP@api.qase.io.json").write_text(text)
    shop.edit("qase.yaml", "url: emulator", "url: https://api.qase.io/v1")


ENDS: list[tuple[str, Callable[[Folder], Any], int, str | None]] = [
    ("plan", lambda shop: None, 0, None),
    ("plan --detailed-exitcode", edited, 2, None),
    ("validate", lambda shop: shop.write({"b.yaml": "cases: {x: {titel: X}}\n"}), 3, "configuration"),
    ("plan", lambda shop: shop.write({"b.yaml": "cases: {x: {titel: X}}\n"}), 3, "configuration"),
    ("apply --auto-approve", break_state, 4, "safety"),
    ("apply no.json", lambda shop: shop.write({"no.json": "{}"}), 5, "stale"),
    ("plan", no_token, 8, "access"),
    ("plan", lambda shop: shop.app.faults.add("html", path="^/case", times=0), 9, "api"),
    ("apply", lambda shop: None, 1, "other"),
]


@pytest.mark.parametrize(("command", "prepare", "code", "failure"), ENDS)
def test_how_a_run_ended_is_its_last_event(
    shop: Folder, command: str, prepare: Callable[[Folder], Any], code: int, failure: str | None
) -> None:
    prepare(shop)
    found, rows = events_of(shop, *command.split())
    assert found == code
    last = rows[-1]
    assert (last["event"], last["exit_code"], last["failure_class"]) == ("ended", code, failure)
    assert [row["event"] for row in rows].count("ended") == 1
    assert failure is None or last["summary"] or command == "validate"


def test_each_operation_that_fails_says_of_which_class(shop: Folder) -> None:
    edited(shop)
    shop.app.faults.add("500", method="POST", path="/case", times=0)
    code, rows = events_of(shop, "apply", "--auto-approve")
    assert code == 6
    failed = [row for row in rows if row["event"] == "operation_failed"]
    assert failed and {row["failure_class"] for row in failed} == {"api"}
    finished = next(row for row in rows if row["event"] == "finished")
    assert finished["failure_class"] == "partial" == rows[-1]["failure_class"]
    shop.app.faults.clear()
    _, fine = events_of(shop, "apply", "--auto-approve")
    assert next(row for row in fine if row["event"] == "finished")["failure_class"] is None


def test_a_bug_of_ours_is_internal(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("qase_iac.workflow.planning.make_plan", broken)
    code, rows = events_of(shop, "plan")
    assert code == 1
    assert (rows[-1]["failure_class"], rows[-1]["summary"]) == ("internal", "ZeroDivisionError")


def test_the_list_of_classes_is_closed() -> None:
    assert CLASSES == ["access", "api", "configuration", "dependency", "internal", "interrupted", "lock", "other", "partial",
                       "safety", "stale"]  # fmt: skip
