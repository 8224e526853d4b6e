"""What a plan says of the apply to come, and what an apply that went badly says of itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from e2e_kit import Folder, Ran, sections

from qase_iac.errors import NotFound

MANY = {f"c{n}": {"title": f"Case {n}"} for n in range(10)}


def without(folder: Folder, *keys: str) -> Folder:
    kept = {key: value for key, value in MANY.items() if key not in keys}
    return folder.write({"cases.yaml": sections(cases=kept)})


# --- the brake


@pytest.mark.parametrize("form", ["text", "markdown", "html", "json"])
def test_a_plan_says_that_apply_is_going_to_refuse_it(
    form: str, folder: Callable[..., Folder], cli: Callable[..., Ran]
) -> None:
    shop = without(without(folder()).applied(), "c1", "c2", "c3")

    def planned(*more: str) -> str:
        ran = cli("-C", shop.root, "plan", "--format", form, *more)
        assert ran.code == 0
        return " ".join(ran.out.replace("\\", "").replace("&#45;", "-").split())

    said = "Apply will refuse this plan until --allow-deletes 3 is given."
    assert said in planned() and "more than max_delete_share (20%, at most 2 of 10)" in planned()
    assert said in planned("--allow-deletes", "2")
    for more in ("--allow-deletes=3", "--no-deletes"):
        assert "Apply will refuse" not in planned(more)
    refused = cli("-C", shop.root, "apply", "--auto-approve")
    assert (refused.code, "pass --allow-deletes 3" in refused.err) == (4, True)


def test_the_warning_is_part_of_what_is_approved(folder: Callable[..., Folder], cli: Callable[..., Ran]) -> None:
    shop = without(without(folder()).applied(), "c1", "c2", "c3")
    plans = [cli("-C", shop.root, "plan", "--format", "json").json for _ in range(2)]
    assert plans[0] == plans[1]
    assert [(f["code"], f["severity"], f["address"]) for f in plans[0]["findings"]] == [("brake", "warning", None)]
    assert cli("-C", shop.root, "plan", "-o", "p.json", "--allow-deletes", "3").code == 0
    assert json.loads((shop.root / "p.json").read_text())["findings"] == []
    assert cli("-C", shop.root, "apply", "p.json").code == 0


def test_within_the_brake_nothing_is_said(folder: Callable[..., Folder]) -> None:
    shop = without(without(folder()).applied(), "c1", "c2")
    assert len(shop.plan().changes) == 2 and not shop.plan().findings


def test_destroying_is_asked_for_its_number_anyway(folder: Callable[..., Folder]) -> None:
    shop = without(folder()).applied()
    assert not shop.plan(destroy=True).findings


# --- what was not read back


def test_a_run_that_cannot_read_back_does_not_say_that_all_is_done(
    folder: Callable[..., Folder], app: Any, no_waiting: None
) -> None:
    shop = folder({"a.yaml": sections(milestones={"m": {"title": "M"}}, suites={"s": {"title": "S"}})})

    def down(event: Any) -> None:
        if type(event).__name__ == "OperationFinished" and event.address == "milestone.m":
            app.faults.add("500", times=0)

    report = shop.apply(on_event=down).report
    assert report is not None and report.unknown == 1
    (warning,) = report.warnings
    assert "What Qase confirmed is done; whether the rest was done, the next run finds out." in warning


def test_a_run_whose_reading_back_alone_fails_says_what_is_done(
    folder: Callable[..., Folder], app: Any, no_waiting: None
) -> None:
    shop = folder({"a.yaml": sections(suites={"s": {"title": "S"}})})

    def down(event: Any) -> None:
        if type(event).__name__ == "OperationFinished" and event.address == "suite.s":
            app.faults.add("500", method="GET", times=0)

    report = shop.apply(on_event=down).report
    assert report is not None and (report.unknown, report.exit_code) == (0, 0)
    (warning,) = report.warnings
    assert "What is reported as done is done." in warning


# --- the backup


def test_no_backup_is_named_when_every_delete_was_blocked(folder: Callable[..., Folder], app: Any) -> None:
    shop = folder(
        {"a.yaml": sections(suites={"s": {"title": "S"}, "t": {"title": "T"}})}, policy={"max_delete_share": 1}
    )
    shop.applied().write({"a.yaml": sections(suites={"t": {"title": "T"}})})

    def added(event: Any) -> None:
        if type(event).__name__ == "Started":
            app.ui.create(project="SHOP", kind="case", title="New in Qase", suite_id=shop.id_of("suite.s"))

    report = shop.apply(on_event=added).report
    assert report is not None and [str(each.status) for each in report.operations] == ["blocked"]
    assert (report.requests, report.backup) == (0, None)


def test_a_backup_is_named_when_a_delete_was_tried(folder: Callable[..., Folder]) -> None:
    shop = without(folder(policy={"max_delete_share": 1})).applied()
    report = without(shop, "c1").apply().report
    assert report is not None and report.backup is not None


# --- a 404 that says nothing


def test_a_project_that_is_gone_has_not_had_its_cases_deleted(folder: Callable[..., Folder], app: Any) -> None:
    """Every DELETE answers 404 then. What is bound stays bound, and the next run says what is the matter."""
    shop = without(folder(policy={"max_delete_share": 1})).applied()
    without(shop, "c1", "c2", "c3")

    def dropped(event: Any) -> None:
        if type(event).__name__ == "Started":
            client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1")
            assert client.delete("/project/SHOP").status_code == 200

    report = shop.apply(on_event=dropped).report
    assert report is not None and [str(each.status) for each in report.operations] == ["failed", "blocked", "blocked"]
    assert report.halted is not None and report.halted.code == "api_unavailable" and report.exit_code == 6
    assert len(shop.state["bindings"]) == len(MANY)
    with pytest.raises(NotFound, match="Qase has no project SHOP"):
        shop.plan()


def test_a_case_that_somebody_else_has_deleted_is_gone(folder: Callable[..., Folder], app: Any) -> None:
    shop = without(folder(policy={"max_delete_share": 1})).applied()
    without(shop, "c1", "c2")

    def deleted(event: Any) -> None:
        if type(event).__name__ == "Started":
            app.ui.delete(project="SHOP", kind="case", id=shop.id_of("case.c1"))

    with shop.counting() as seen:
        report = shop.apply(on_event=deleted).report
    assert report is not None and report.exit_code == 0
    assert [entry.status for entry in seen if entry.method == "DELETE"] == [404, 200]
    assert [entry.path for entry in seen[-3:] if entry.method == "GET"] == ["/project/SHOP"]
