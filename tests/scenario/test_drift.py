"""`drift`: what changed in Qase since the last apply, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, Ran

from qase_iac.emulator.http import Answer, Request, json_answer

Run = Callable[..., Ran]
FILES: dict[str, str | bytes] = {
    "checkout/suite.yaml": "title: Checkout\n",
    "checkout/cases.yaml": """\
cases:
  pay: {title: Pay, severity: normal, steps: [Open the basket, Pay]}
  refund: {title: Refund, description: Money back}
  receipt: {title: Receipt, automation: manual, ignore_changes: [automation]}
  voucher: {title: Voucher}
""",
    "rest.yaml": "milestones: {m: {title: M}}\nshared_steps: {login: {title: Login, steps: [Open]}}\n"
    "plans: {smoke: {title: Smoke, cases: [pay, refund]}}\n",
}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES, policy={"max_delete_share": 1}).applied()


@pytest.fixture
def run(cli: Run) -> Run:
    return lambda shop, *arguments: cli("-C", shop.root, *arguments)


def edit(shop: Folder, address: str, **fields: Any) -> None:
    shop.app.ui.edit("SHOP", address.partition(".")[0], shop.id_of(address), **fields)


def entries(run: Run, shop: Folder) -> dict[str, dict[str, Any]]:
    ran = run(shop, "drift", "--format", "json")
    assert ran.code == 0, ran.err
    return {row["address"]: row for row in ran.json["drift"]}


def test_nothing_changed(run: Run, shop: Folder) -> None:
    ran = run(shop, "drift", "--detailed-exitcode")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "No drift. Qase is as the last apply left it.")
    assert run(shop, "drift", "--format", "json").json == {
        "project": "SHOP", "api": "emulator", "drift": [], "findings": [],
    }  # fmt: skip


def test_reads_what_a_plan_reads_and_writes_nothing(run: Run, shop: Folder) -> None:
    with shop.counting() as planning:
        shop.plan()
    before = {path: path.read_bytes() for path in (shop.root / ".qase-iac").iterdir() if path.suffix != ".lock"}
    with shop.counting() as drifting:
        assert run(shop, "drift").code == 0
    assert [(e.method, e.path) for e in drifting] == [(e.method, e.path) for e in planning]
    assert before == {p: p.read_bytes() for p in (shop.root / ".qase-iac").iterdir() if p.suffix != ".lock"}


def test_changed_by_attribute_with_who_and_when(run: Run, shop: Folder) -> None:
    edit(shop, "case.pay", title="Pay now", steps=[{"action": "Open the basket"}, {"action": "Pay twice"}])
    row = entries(run, shop)["case.pay"]
    assert (row["id"], row["kind"], set(row["attributes"])) == (shop.id_of("case.pay"), "changed", {"title", "steps"})
    assert row["attributes"]["title"] == {"before": "Pay", "after": "Pay now", "origin": "theirs"}
    assert row["meta"]["author_id"] == 1 and row["meta"]["author"] and row["meta"]["updated_at"].startswith("2026-")
    said = next(line for line in run(shop, "drift").out.splitlines() if "case.pay" in line)
    assert "~ case.pay" in said and "title, steps (1 edited)" in said and "on 2026-" in said and "(author " in said
    assert "title: Pay → Pay now" in run(shop, "drift", "--full").out


def test_exit_2_and_a_report(run: Run, shop: Folder, tmp_path: Path) -> None:
    edit(shop, "case.pay", title="Pay <now>")
    ran = run(shop, "drift", "--detailed-exitcode", "--report", tmp_path / "drift.md")
    assert ran.code == 2
    page = (tmp_path / "drift.md").read_text(encoding="utf-8")
    assert "## Drift of SHOP" in page and "case.pay" in page and "<now>" not in page
    assert run(shop, "drift", "--format", "markdown").out == page
    assert run(shop, "drift").code == 0


def test_edits_of_the_files_do_not_show(run: Run, shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "title: Refund", "title: Refund in cash").write(
        {"new.yaml": "cases: {n: {title: N}}\n"}
    )
    shop.edit("checkout/cases.yaml", "  voucher: {title: Voucher}\n", "")
    assert entries(run, shop) == {}
    edit(shop, "case.refund", title="Something else")
    row = entries(run, shop)["case.refund"]
    assert row["attributes"]["title"]["before"] == "Refund" and row["attributes"]["title"]["origin"] == "theirs"


def test_what_is_not_ours_is_no_drift(run: Run, shop: Folder) -> None:
    edit(shop, "case.receipt", isManual=False, isToBeAutomated=True)  # ignore_changes
    edit(shop, "case.refund", tags=["by hand"], severity=1)  # not in the files
    edit(shop, "case.pay", title=" Pay\r\n")  # what editors do
    assert entries(run, shop) == {}


@pytest.mark.parametrize("policy", ["revert", "keep", "fail"])
def test_the_policy_does_not_hide_it(run: Run, shop: Folder, policy: str) -> None:
    shop.edit("qase.yaml", "policy:\n", f"policy:\n  on_drift: {policy}\n")
    edit(shop, "case.pay", title="Pay now")
    assert set(entries(run, shop)) == {"case.pay"}


def test_after_an_apply_that_reverts_it_is_gone(run: Run, shop: Folder) -> None:
    edit(shop, "case.pay", title="Pay now")
    shop.applied()
    assert entries(run, shop) == {}


def test_vanished_is_confirmed_by_its_own_get(run: Run, shop: Folder) -> None:
    id = shop.id_of("case.voucher")
    shop.app.ui.delete("SHOP", "case", id)
    with shop.counting() as seen:
        row = entries(run, shop)["case.voucher"]
    assert (row["kind"], row["id"], row["title"], row["attributes"]) == ("vanished", id, "Voucher", {})
    assert f"/case/SHOP/{id}" in [entry.path for entry in seen]
    handle = shop.app.handle

    def broken(request: Request) -> Answer:
        if request.path.endswith(f"/case/SHOP/{id}"):
            return json_answer(403, {"status": False, "errorMessage": "no"})
        return handle(request)

    shop.app.handle = broken  # type: ignore[method-assign]
    ran = run(shop, "drift")
    assert (ran.code, ran.out) == (8, "")


def test_appeared_since_the_last_apply(run: Run, shop: Folder) -> None:
    shop.app.ui.create("SHOP", "case", title="Older than the next apply", suite_id=shop.id_of("suite.checkout"))
    shop.edit("checkout/cases.yaml", "Money back", "All of it").applied()
    assert entries(run, shop) == {}
    suite = shop.app.ui.create("SHOP", "suite", title="By hand", parent_id=shop.id_of("suite.checkout"))
    case = shop.app.ui.create("SHOP", "case", title="Refund", suite_id=suite)
    shop.app.ui.create("SHOP", "milestone", title="Überall")
    rows = entries(run, shop)
    assert {a: row["kind"] for a, row in rows.items()} == dict.fromkeys(
        ["suite.checkout/by-hand", "case.refund-by-hand", "milestone.uberall"], "appeared"
    )
    row = rows["case.refund-by-hand"]
    assert (row["id"], row["title"], row["attributes"]["suite"]["after"]) == (case, "Refund", "suite.checkout/by-hand")
    assert row["attributes"]["suite"]["before"] is None and row["meta"]["author"]
    out = run(shop, "drift").out
    assert "+ case.refund-by-hand" in out and "Refund · in suite.checkout/by-hand · by " in out
    assert out.splitlines()[-1] == "Drift: 3 appeared."


def test_only_in_scope(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, scope={"suites": ["checkout", "checkout/**"]}).applied()
    shop.app.ui.create("SHOP", "case", title="At the root")
    shop.app.ui.create("SHOP", "milestone", title="Another")
    shop.app.ui.create("SHOP", "case", title="Inside", suite_id=shop.id_of("suite.checkout"))
    assert set(entries(run, shop)) == {"case.inside"}


def test_a_run_of_a_test_reporter_is_recognised(run: Run, shop: Folder) -> None:
    for address in ("case.pay", "case.refund", "case.voucher"):
        edit(shop, address, title=f"test_{address}", isManual=False)
    findings = run(shop, "drift", "--format", "json").json["findings"]
    assert [finding["code"] for finding in findings] == ["test-reporter"]
    assert "  ignore_changes: [title]\n" in findings[0]["detail"]
    out = run(shop, "drift").out
    assert "ignore_changes: [title]\n" in out and "checkout/cases.yaml:2" in out
    assert "test-reporter" in run(shop, "drift", "--format", "markdown").out
    text = (shop.root / "checkout/cases.yaml").read_text()
    for title in ("Pay", "Refund", "Voucher"):
        text = text.replace(f"{{title: {title}", f"{{ignore_changes: [title], title: {title}")
    shop.write({"checkout/cases.yaml": text})
    assert entries(run, shop) == {}, "what it proposes cedes what was changed"


def test_without_a_state_there_is_nothing_to_compare(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES)
    ran = run(shop, "drift")
    assert (ran.code, ran.out, shop.app.requests) == (4, "", [])
    assert "state rebuild" in ran.err


def test_unreadable_is_not_vanished(run: Run, shop: Folder) -> None:
    handle = shop.app.handle
    shop.app.handle = lambda request: (  # type: ignore[method-assign]
        json_answer(401, {"status": False}) if "/case/" in request.path else handle(request)
    )
    ran = run(shop, "drift", "--detailed-exitcode")
    assert (ran.code, ran.out) == (8, "")


def test_invalid_files_are_told_first(run: Run, shop: Folder) -> None:
    shop.write({"broken.yaml": "cases: {x: {titel: X}}\n"})
    assert run(shop, "drift").code == 3


def test_names_are_a_courtesy(run: Run, shop: Folder) -> None:
    """A token that may not list the members still gets the drift, with numbers."""
    edit(shop, "case.pay", title="Pay now")
    handle = shop.app.handle
    shop.app.handle = lambda request: (  # type: ignore[method-assign]
        json_answer(403, {"status": False}) if request.path.startswith("/author") else handle(request)
    )
    row = entries(run, shop)["case.pay"]
    assert row["meta"]["author_id"] == 1 and "author" not in row["meta"]


def test_what_an_interrupted_run_wrote_is_not_theirs(run: Run, shop: Folder) -> None:
    """The journal knows what was sent and not answered: Qase holding it is no edit of somebody's."""
    shop.edit("checkout/cases.yaml", "title: Refund,", "title: Refund in cash,")
    edit(shop, "case.refund", title="Refund in cash")  # as the call did it
    state = shop.state
    item = {"op": 1, "address": "case.refund", "action": "update", "id": shop.id_of("case.refund"),
            "record": {"sent": {"title": "Refund in cash"}}}  # fmt: skip
    header = {"journal": 1, "tool": "t", "lineage": state["lineage"], "serial": state["serial"], "plan": "",
              "project": "SHOP", "api": "emulator", "time": "", "seen": {"case": 99}}  # fmt: skip
    intent = {"intent": 1, "time": "", "items": [item]}
    journal = shop.state_path.with_suffix(".journal")
    journal.write_text("".join(json.dumps(line) + "\n" for line in (header, intent)))
    assert entries(run, shop) == {}
    journal.unlink()
    assert set(entries(run, shop)) == {"case.refund"}
