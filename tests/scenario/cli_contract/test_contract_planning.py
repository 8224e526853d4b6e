"""Planning options, and the rules below the table of commands: state, brake, 404, vanished."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from contract_shop import ADDRESSES, FILES, changed, delete_in_qase, edit_in_qase
from e2e_kit import Folder, Ran

Run = Callable[..., Ran]


def plan(run: Run, folder: Folder, *options: object) -> dict:
    ran = run(folder, "plan", "--format", "json", *options)
    assert ran.code == 0, ran.err
    return ran.json


# -- --select and --exclude


@pytest.mark.parametrize("command", ["plan --format json", "apply --auto-approve --format json"])
def test_select_takes_addresses_and_brings_along_what_they_need(run: Run, fresh: Folder, command: str) -> None:
    ran = run(fresh, *command.split(), "--select", "case.refund")
    rows = ran.json.get("changes") or ran.json["operations"]
    assert [row["address"] for row in rows] == ["project.SHOP", "suite.old", "case.refund"]


def test_select_takes_suite_globs(run: Run, fresh: Folder) -> None:
    found = set(changed(plan(run, fresh, "--select", "checkout")))
    assert found == {"project.SHOP", "suite.checkout", "case.card-declined", "case.receipt", "case.legacy-flow"}
    assert set(changed(plan(run, fresh, "--select", "checkout/**"))) == found


def test_select_is_repeatable(run: Run, fresh: Folder) -> None:
    found = changed(plan(run, fresh, "--select", "milestone.*", "--select", "shared_step.sign-in"))
    assert set(found) == {"project.SHOP", "milestone.release-1", "shared_step.sign-in"}


def test_exclude_takes_out_what_needs_it_too(run: Run, fresh: Folder) -> None:
    found = changed(plan(run, fresh, "--exclude", "suite.old", "--exclude", "milestone.*"))
    assert {"suite.old", "case.refund", "milestone.release-1"}.isdisjoint(found)
    assert "plan.smoke" in found


def test_the_summary_says_how_many_were_not_selected(run: Run, fresh: Folder) -> None:
    assert plan(run, fresh, "--select", "case.refund")["summary"]["not_selected"] == 7
    assert "7 objects not selected." in run(fresh, "plan", "--select", "case.refund").out


def test_what_was_not_selected_is_still_to_do(run: Run, fresh: Folder) -> None:
    assert run(fresh, "apply", "--auto-approve", "--select", "case.refund").code == 0
    assert len(plan(run, fresh)["changes"]) == 7


# -- deletes


def without_legacy(shop: Folder) -> None:
    shop.edit("suites.yaml", "      legacy-flow: {title: Legacy flow}\n", "")
    shop.edit("rest.yaml", "[receipt, legacy-flow]", "[receipt]")


def test_no_deletes_lists_them_and_does_not_plan_them(run: Run, shop: Folder) -> None:
    without_legacy(shop)
    made = plan(run, shop, "--no-deletes")
    assert "case.legacy-flow" not in changed(made)
    assert (made["deletes"], made["summary"]["delete"]) == (False, 0)
    assert "case.legacy-flow" in run(shop, "plan", "--no-deletes").out
    assert plan(run, shop)["deletes"] is True


def test_apply_no_deletes_leaves_them(run: Run, shop: Folder) -> None:
    without_legacy(shop)
    assert run(shop, "apply", "--auto-approve", "--no-deletes").code == 0
    assert changed(plan(run, shop)).keys() == {"case.legacy-flow"}


@pytest.fixture
def braked(shop: Folder) -> Folder:
    """Two deletes planned, none allowed without a word."""
    without_legacy(shop)
    shop.edit("suites.yaml", "      receipt: {title: Receipt}\n", "").edit("rest.yaml", "[receipt]", "[card-declined]")
    return shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 1\n  max_delete_share: 1.0")


@pytest.mark.parametrize(("number", "code"), [(None, 4), (0, 4), (1, 4), (3, 4), (2, 0)])
def test_allow_deletes_names_the_exact_number(run: Run, braked: Folder, number: int | None, code: int) -> None:
    before = len(braked.writes())
    given = [] if number is None else ["--allow-deletes", number]
    ran = run(braked, "apply", "--auto-approve", *given)
    assert ran.code == code
    assert (len(braked.writes()) > before) == (code == 0), "refused as a whole"
    if code:
        assert "pass --allow-deletes 2" in ran.err


def test_the_brake_holds_for_a_saved_plan_too(run: Run, braked: Folder) -> None:
    run(braked, "plan", "-o", "refused.json")
    run(braked, "plan", "-o", "allowed.json", "--allow-deletes", "2")
    assert run(braked, "apply", "refused.json").code == 4
    assert run(braked, "apply", "allowed.json").code == 0


def test_the_brake_counts_shares(run: Run, shop: Folder) -> None:
    without_legacy(shop)
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_delete_share: 0.1")  # one of nine is more
    assert run(shop, "apply", "--auto-approve").code == 4
    shop.edit("qase.yaml", "max_delete_share: 0.1", "max_delete_share: 0.12")
    assert run(shop, "apply", "--auto-approve").code == 0


def test_the_brake_counts_no_blocked_deletes(run: Run, shop: Folder) -> None:
    without_legacy(shop)
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0")
    shop.write({"suites.yaml": FILES["suites.yaml"]}).edit(
        "suites.yaml", "{title: Legacy flow}", "{title: Legacy flow, protect: true}"
    )
    assert run(shop, "apply", "--auto-approve").code == 0
    shop.edit("suites.yaml", "      legacy-flow: {title: Legacy flow, protect: true}\n", "")
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert ran.json["operations"][0]["cause"].startswith("protected")


def test_allow_recreate_says_that_it_is_no_rename(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "      receipt: {title: Receipt}\n", "      slip: {title: Receipt}\n")
    shop.edit("rest.yaml", "[receipt, ", "[slip, ")
    blocked = changed(plan(run, shop))
    assert {a for a, row in blocked.items() if row.get("blocked", {}).get("code") == "possible_rename"} == {
        "case.receipt",
        "case.slip",
    }
    for address in ("case.slip", "case.receipt"):
        free = changed(plan(run, shop, "--allow-recreate", address))
        assert (free["case.slip"]["action"], free["case.receipt"]["action"]) == ("create", "delete")
        assert not any("blocked" in row for row in free.values())


# -- policies


@pytest.mark.parametrize(("policy", "found"), [("revert", "update"), ("keep", None), ("fail", "drift")])
def test_on_drift_stands_over_the_policy(run: Run, shop: Folder, policy: str, found: str | None) -> None:
    edit_in_qase(shop, "case.receipt", title="Slip")
    shop.edit("qase.yaml", "max_delete_share: 1.0", f"on_drift: {'keep' if policy != 'keep' else 'revert'}")
    row = changed(plan(run, shop, "--on-drift", policy)).get("case.receipt", {})
    assert row.get("blocked", {}).get("code", row.get("action")) == found


@pytest.mark.parametrize(("policy", "found"), [("ours", "update"), ("theirs", None), ("fail", "conflict")])
def test_on_conflict_stands_over_the_policy(run: Run, shop: Folder, policy: str, found: str | None) -> None:
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "{title: Receipt}", "{title: Ours}")
    shop.edit("qase.yaml", "max_delete_share: 1.0", f"on_conflict: {'theirs' if policy != 'theirs' else 'ours'}")
    row = changed(plan(run, shop, "--on-conflict", policy)).get("case.receipt", {})
    assert row.get("blocked", {}).get("code", row.get("action")) == found


# -- no state


def test_no_state_plan_says_so_in_its_first_line(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    first = run(shop, "plan").out.splitlines()[0]
    assert first.startswith("No state for project SHOP, which is not empty")


def test_no_state_apply_refuses_unless_new_state(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    refused = run(shop, "apply", "--auto-approve")
    assert refused.code == 4 and "--new-state" in refused.err
    ran = run(shop, "apply", "--auto-approve", "--new-state", "--format", "json")
    assert (ran.code, ran.json["adopted"], ran.json["requests"]) == (0, 9, 0)
    assert plan(run, shop)["changes"] == []


def test_no_state_and_an_empty_project_needs_no_leave(run: Run, fresh: Folder) -> None:
    fresh.app.ui.create("", "project", code="SHOP", title="Shop")
    assert run(fresh, "plan").out.startswith("Project SHOP")
    assert run(fresh, "apply", "--auto-approve").code == 0


def test_the_journal_of_an_interrupted_run_counts_as_a_state(run: Run, fresh: Folder) -> None:
    stopped = iter([False] * 4)
    session = fresh.session()
    from e2e_kit import HOLDER

    from qase_iac.plan.model import Options
    from qase_iac.workflow.applying import Doing, apply_fresh

    def die(_: object) -> None:
        if next(stopped, True):
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        apply_fresh(session, Options(), Doing(HOLDER, on_event=die))
    assert not list((fresh.root / ".qase-iac").glob("*@*.json"))
    assert run(fresh, "plan").out.startswith("Project SHOP")
    assert run(fresh, "apply", "--auto-approve").code == 0
    assert plan(run, fresh)["changes"] == []


def test_on_adoption_by_natural_key_what_differs_is_a_conflict(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    shop.edit("suites.yaml", "severity: normal", "severity: major")
    row = changed(plan(run, shop, "--new-state"))["case.card-declined"]
    assert row["action"] == "adopt" and row["blocked"]["code"] == "conflict"
    assert row["attributes"]["severity"] == {"before": "normal", "after": "major", "origin": "conflict"}


def test_by_adopt_what_differs_is_ours(run: Run, shop: Folder) -> None:
    id = shop.id_of("case.card-declined")
    shop.state_path.unlink()
    shop.edit("suites.yaml", "severity: normal", "severity: major").write(
        {"adopt.yaml": f"adopt: {{case.card-declined: {id}}}\n"}
    )
    row = changed(plan(run, shop, "--new-state"))["case.card-declined"]
    assert (row["action"], row["id"], row["attributes"]["severity"]["origin"]) == ("adopt", id, "ours")
    assert "blocked" not in row


TWINS = "cases:\n  one: {title: Same, description: First}\n  two: {title: Same, description: Second}\n"


def test_twins_are_told_apart_by_all_managed_attributes(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder({"cases.yaml": TWINS}).applied()
    ids = {a: shop.id_of(a) for a in ("case.one", "case.two")}
    shop.state_path.unlink()
    assert {a: row["id"] for a, row in changed(plan(run, shop)).items()} == ids


def test_twins_that_nobody_can_tell_apart_are_findings(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder({"cases.yaml": "cases:\n  one: {title: Same}\n"})
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    for _ in range(2):
        shop.app.ui.create("SHOP", "case", title="Same")
    made = plan(run, shop)
    assert [finding["address"] for finding in made["findings"]] == ["case.one"]
    assert changed(made)["case.one"]["blocked"]


def test_natural_keys_never_match_bound_objects(run: Run, shop: Folder) -> None:
    shop.write({"more.yaml": "cases:\n  receipt-2: {title: Receipt, suite: checkout}\n"})
    row = changed(plan(run, shop))["case.receipt-2"]
    assert (row["action"], row["id"]) == ("create", None)


# -- the project


def test_404_on_the_project_with_create_is_one_change_and_everything_else_a_create(run: Run, fresh: Folder) -> None:
    made = plan(run, fresh)
    assert next(iter(changed(made))) == "project.SHOP"
    assert {row["action"] for row in made["changes"]} == {"create"}
    assert sorted(changed(made)) == sorted([*ADDRESSES, "project.SHOP"])
    assert made["summary"]["create"] == 10


# -- vanished


@pytest.mark.parametrize("policy", ["revert", "keep", "fail"])
def test_vanished(run: Run, shop: Folder, policy: str) -> None:
    shop.edit("rest.yaml", "[receipt, legacy-flow]", "[receipt]").applied()
    delete_in_qase(shop, "case.legacy-flow")
    before = len(shop.app.requests)
    made = plan(run, shop, "--on-drift", policy)
    asked = [entry.path for entry in shop.app.requests[before:]]
    assert f"/case/SHOP/{shop.id_of('case.legacy-flow')}" in asked, "confirmed by its own GET"
    row = changed(made).get("case.legacy-flow")
    assert {"address": "case.legacy-flow", "kind": "vanished"}.items() <= made["drift"][0].items()
    if policy == "keep":
        assert row is None
        assert "case.legacy-flow" in run(shop, "plan", "--on-drift", "keep").out
    else:
        assert row is not None
        assert (row["action"], row["reason"]) == ("create", "vanished")
        assert ("blocked" in row) == (policy == "fail")


def test_vanished_ones_count_for_the_brake(run: Run, shop: Folder) -> None:
    shop.edit("rest.yaml", "[receipt, legacy-flow]", "[receipt]").applied()
    delete_in_qase(shop, "case.legacy-flow")
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0\n  max_delete_share: 1.0")
    assert run(shop, "apply", "--auto-approve").code == 4
    assert run(shop, "apply", "--auto-approve", "--allow-deletes", "1").code == 0


# -- with a saved plan


@pytest.mark.parametrize(
    "option",
    ["--select x", "--exclude x", "--no-deletes", "--allow-deletes 0", "--allow-deletes 1", "--allow-recreate case.x",
     "--on-drift keep", "--on-conflict ours", "--new-state", "--full", "--detailed-exitcode", "--changed-since main"],
)  # fmt: skip
def test_planning_options_are_refused_with_a_saved_plan(run: Run, fresh: Folder, option: str) -> None:
    run(fresh, "plan", "-o", "p.json")
    ran = run(fresh, "apply", "p.json", *option.split())
    assert (ran.code, ran.out, fresh.writes()) == (1, "", [])
    assert option.split()[0] in ran.err


def test_a_saved_plan_asks_nothing_and_is_carried_out_exactly(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts").edit("suites.yaml", "title: Refund", "title: Refunds")
    run(shop, "plan", "-o", "p.json", "--select", "case.receipt")
    ran = run(shop, "apply", "p.json", "--format", "json")
    assert [row["address"] for row in ran.json["operations"]] == ["case.receipt"]
    assert list(changed(plan(run, shop))) == ["case.refund"]


def test_apply_verify_proves_that_nothing_is_left(run: Run, fresh: Folder) -> None:
    ran = run(fresh, "apply", "--auto-approve", "--verify")
    assert ran.code == 0 and "Verified: a second plan is empty." in ran.err


def test_a_change_of_protect_alone_is_recorded(run: Run, shop: Folder) -> None:
    before = shop.state
    shop.edit("suites.yaml", "{title: Receipt}", "{title: Receipt, protect: true}")
    assert run(shop, "apply", "--auto-approve").code == 0
    assert shop.state["bindings"]["case.receipt"]["protect"] is True
    assert shop.state["serial"] == before["serial"] + 1


def test_an_apply_without_changes_leaves_the_state_as_it_is(run: Run, shop: Folder) -> None:
    run(shop, "apply", "--auto-approve")  # vouchers of members are noted once
    before = {path: path.read_bytes() for path in (shop.root / ".qase-iac").iterdir()}
    assert run(shop, "apply", "--auto-approve").code == 0
    assert {path: path.read_bytes() for path in (shop.root / ".qase-iac").iterdir()} == before


def test_plan_writes_nothing(run: Run, shop: Folder) -> None:
    from contract_shop import bytes_of

    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    edit_in_qase(shop, "case.refund", title="Other")
    files, writes = bytes_of(shop.root), len(shop.writes())
    assert run(shop, "plan").code == 0
    assert (bytes_of(shop.root), len(shop.writes())) == (files, writes)


def test_a_plan_file_that_cannot_be_written_is_refused_before_reading(run: Run, shop: Folder) -> None:
    before = len(shop.app.requests)
    for option, file in (
        ("-o", "no/where/p.json"),
        ("--report", "no/where/p.md"),
        ("--report", "p.pdf"),
        ("--report", "p"),
    ):
        ran = run(shop, "plan", option, file)
        assert (ran.code, ran.out) == (1, "")
    assert len(shop.app.requests) == before


def test_the_same_input_gives_the_same_bytes(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    a, b = (run(shop, "plan", "--format", "json").out for _ in range(2))
    assert a == b
    assert json.loads(a)["digest"].startswith("sha256:")
