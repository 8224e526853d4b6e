"""The plan in JSON: keys, types and values exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from contract_shop import changed, delete_in_qase, edit_in_qase
from e2e_kit import Folder, Ran

Run = Callable[..., Ran]
TOP = {
    "format": int, "tool": str, "project": str, "api": str, "deletes": bool, "config_digest": str, "lineage": str,
    "serial": int, "summary": dict, "requests": int, "changes": list, "drift": list, "findings": list, "digest": str,
}  # fmt: skip
SUMMARY = ["create", "update", "move", "delete", "adopt", "rename", "forget", "no_op", "unmanaged", "blocked",
           "not_selected"]  # fmt: skip
CHANGE = ["address", "action", "id", "reason", "source", "depends_on", "precondition", "attributes"]
ACTIONS = {"create", "update", "move", "delete", "adopt", "forget", "no_op"}
REASONS = {"new", "config_changed", "drift", "vanished", "undeclared", "moved", "adopted"}
ORIGINS = {"ours", "theirs", "both", "conflict"}


def plan(run: Run, folder: Folder, *options: object) -> dict[str, Any]:
    ran = run(folder, "plan", "--format", "json", *options)
    assert ran.code == 0, ran.err
    check(ran.json)
    return dict(ran.json)


def check(made: dict[str, Any]) -> None:
    """What holds for every plan."""
    for name, kind in TOP.items():
        assert type(made[name]) is kind, name
    assert made["format"] == 1
    assert list(made["summary"]) == SUMMARY
    assert all(type(count) is int for count in made["summary"].values())
    order = [row["address"] for row in made["changes"]]
    assert len(order) == len(set(order))
    for row in made["changes"]:
        assert list(row)[: len(CHANGE)] == CHANGE
        assert row["action"] in ACTIONS and row["reason"] in REASONS
        assert row["action"] != "no_op" or row["moved_from"]
        for name, value in row["attributes"].items():
            assert list(value) == ["before", "after", "origin"], name
            assert value["origin"] in ORIGINS
        if row["action"] == "create":
            assert row["id"] is None and all(each["before"] is None for each in row["attributes"].values())
        if row["action"] == "delete":
            assert row["source"] is None
        if "blocked" in row:
            assert list(row["blocked"]) == ["code", "reason", "by"]
            assert isinstance(row["blocked"]["by"], list)
        needed = [address for address in row["depends_on"] if address in order]
        if row["action"] != "delete":
            assert all(order.index(address) < order.index(row["address"]) for address in needed), "order of execution"
    counted = [row["action"] for row in made["changes"] if "blocked" not in row]
    for action in ("create", "update", "move", "delete", "adopt", "forget"):
        assert made["summary"][action] == counted.count(action)
    assert made["summary"]["rename"] == counted.count("no_op")
    assert made["summary"]["blocked"] == len(made["changes"]) - len(counted)
    for row in made["drift"]:
        assert list(row)[:4] == ["address", "id", "kind", "attributes"]
        assert row["kind"] in ("changed", "appeared", "vanished")
    for row in made["findings"]:
        assert list(row) == ["code", "severity", "summary", "detail", "file", "line", "column", "address"]


def test_a_first_plan(run: Run, fresh: Folder) -> None:
    made = plan(run, fresh)
    assert (made["tool"], made["project"], made["api"], made["deletes"]) == ("qase-iac 0.1.0", "SHOP", "emulator", True)
    assert (made["lineage"], made["serial"]) == ("", 0), "without state"
    assert made["config_digest"].startswith("sha256:") and made["digest"].startswith("sha256:")
    row = changed(made)["case.card-declined"]
    assert (row["action"], row["id"], row["reason"], row["source"]) == ("create", None, "new", "suites.yaml:5")
    assert row["depends_on"] == ["project.SHOP", "suite.checkout"] and row["precondition"] is None
    assert row["attributes"] == {
        "title": {"before": None, "after": "Card declined", "origin": "ours"},
        "suite": {"before": None, "after": {"known_after_apply": "suite.checkout"}, "origin": "ours"},
        "severity": {"before": None, "after": "normal", "origin": "ours"},
        "steps": {"before": None, "after": [{"action": "Open the basket"}, {"action": "Pay"}], "origin": "ours"},
    }
    assert changed(made)["plan.smoke"]["attributes"]["cases"]["after"] == [
        {"known_after_apply": "case.receipt"}, {"known_after_apply": "case.legacy-flow"},
    ]  # fmt: skip


def test_the_file_holds_what_format_json_prints(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    out = run(shop, "plan", "--format", "json", "-o", "p.json").out
    assert (shop.root / "p.json").read_text(encoding="utf-8") == out
    assert run(shop, "show", "p.json", "--format", "json").out == out
    for form in ("text", "markdown"):
        assert run(shop, "show", "p.json", "--format", form).out == run(shop, "plan", "--format", form).out


def test_an_update(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "severity: normal", "severity: major")
    made = plan(run, shop)
    (row,) = made["changes"]
    assert {name: row[name] for name in ("action", "id", "reason", "source", "depends_on")} == {
        "action": "update", "id": shop.id_of("case.card-declined"), "reason": "config_changed",
        "source": "suites.yaml:5", "depends_on": row["depends_on"],
    }  # fmt: skip
    assert row["precondition"].startswith("sha256:")
    assert row["attributes"] == {"severity": {"before": "normal", "after": "major", "origin": "ours"}}
    assert (made["lineage"], made["serial"]) == (shop.state["lineage"], shop.state["serial"])
    assert made["summary"]["no_op"] == 8 and made["requests"] == 1


def test_a_move_perhaps_with_other_attributes(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "      refund: {title: Refund}\n", "      refund: {title: Refunds, suite: checkout}\n")
    shop.edit("suites.yaml", "    cases:\n      refund: {title: Refunds, suite: checkout}\n", "")
    shop.write({"more.yaml": "cases:\n  refund: {title: Refunds, suite: checkout}\n"})
    row = changed(plan(run, shop))["case.refund"]
    assert row["action"] == "move"
    assert row["attributes"]["suite"] == {"before": "suite.old", "after": "suite.checkout", "origin": "ours"}
    assert set(row["attributes"]) == {"suite", "title"}


def test_a_delete(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "      legacy-flow: {title: Legacy flow}\n", "").edit("rest.yaml", ", legacy-flow]", "]")
    made = plan(run, shop)
    row = changed(made)["case.legacy-flow"]
    assert (row["action"], row["reason"], row["source"], row["id"]) == (
        "delete", "undeclared", None, shop.id_of("case.legacy-flow"),
    )  # fmt: skip
    assert row["attributes"] == {} and row["precondition"].startswith("sha256:")
    assert [each["address"] for each in made["changes"]] == ["plan.smoke", "case.legacy-flow"], "the plan lets go first"


def test_a_rename_is_a_no_op_with_moved_from(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "refund: {", "pay-back: {").write(
        {"m.yaml": "moved:\n  - {from: case.refund, to: case.pay-back}\n"}
    )
    made = plan(run, shop)
    (row,) = made["changes"]
    assert (row["address"], row["action"], row["moved_from"], row["attributes"]) == (
        "case.pay-back",
        "no_op",
        "case.refund",
        {},
    )
    assert (made["summary"]["rename"], made["summary"]["no_op"], made["requests"]) == (1, 8, 0)


def test_a_forget(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "      refund: {title: Refund}\n", "      other: {title: Other}\n").write(
        {"r.yaml": "removed: [case.refund]\n"}
    )
    row = changed(plan(run, shop))["case.refund"]
    assert (row["action"], row["reason"], row["id"]) == ("forget", "undeclared", shop.id_of("case.refund"))


def test_an_adoption_with_attributes_where_it_differs(run: Run, shop: Folder) -> None:
    id = shop.app.ui.create("SHOP", "case", title="By hand", description="Old")
    shop.write({"a.yaml": f"cases:\n  by-hand: {{title: By hand, description: New}}\nadopt: {{case.by-hand: {id}}}\n"})
    made = plan(run, shop)
    row = changed(made)["case.by-hand"]
    assert (row["action"], row["reason"], row["id"]) == ("adopt", "adopted", id)
    assert row["attributes"] == {"description": {"before": "Old", "after": "New", "origin": "ours"}}
    assert made["requests"] == 1 and made["summary"]["unmanaged"] == 0


def test_reverted_drift(run: Run, shop: Folder) -> None:
    edit_in_qase(shop, "case.receipt", title="Slip")
    made = plan(run, shop)
    row = changed(made)["case.receipt"]
    assert (row["action"], row["reason"]) == ("update", "drift")
    assert row["attributes"] == {"title": {"before": "Slip", "after": "Receipt", "origin": "theirs"}}
    (drift,) = made["drift"]
    assert (drift["address"], drift["id"], drift["kind"]) == ("case.receipt", shop.id_of("case.receipt"), "changed")
    assert set(drift["attributes"]) == {"title"}


def test_both_the_same_new_value_is_no_change(run: Run, shop: Folder) -> None:
    edit_in_qase(shop, "case.receipt", title="Slip")
    shop.edit("suites.yaml", "title: Receipt", "title: Slip")
    made = plan(run, shop)
    assert made["requests"] == 0
    assert made["changes"] == [] and made["drift"][0]["attributes"]["title"]["origin"] == "both"
    shop.edit("suites.yaml", "{title: Slip}", "{title: Slip, severity: major}")
    row = changed(plan(run, shop))["case.receipt"]
    assert {name: each["origin"] for name, each in row["attributes"].items()} == {"title": "both", "severity": "ours"}
    before = len(shop.writes())
    assert run(shop, "apply", "--auto-approve").code == 0
    assert len(shop.writes()) == before + 1


def test_a_blocked_change_keeps_its_action_and_counts_only_in_blocked(run: Run, shop: Folder) -> None:
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")
    made = plan(run, shop)
    row = changed(made)["case.receipt"]
    assert (row["action"], row["blocked"]["code"]) == ("update", "conflict")
    assert row["attributes"]["title"] == {"before": "Theirs", "after": "Ours", "origin": "conflict"}
    assert (made["summary"]["update"], made["summary"]["blocked"], made["requests"]) == (0, 1, 0)


def test_by_names_addresses(run: Run, shop: Folder) -> None:
    shop.edit("rest.yaml", "shared_steps:\n  sign-in:\n    title: Sign in\n    steps: [Open /login]\n", "")
    shop.app.ui.create("SHOP", "case", title="Uses it", steps=[{"shared": shop.id_of("shared_step.sign-in")}])
    row = changed(plan(run, shop))["shared_step.sign-in"]
    assert row["action"] == "delete" and row["blocked"]["code"] == "shared_step_in_use"
    assert all("." in address for address in row["blocked"]["by"])


def test_external_references(run: Run, shop: Folder) -> None:
    id = shop.app.ui.create("SHOP", "milestone", title="Not ours")
    shop.edit("suites.yaml", "{title: Receipt}", f"{{title: Receipt, milestone: {{external_id: {id}}}}}")
    made = plan(run, shop)
    assert changed(made)["case.receipt"]["attributes"]["milestone"] == {
        "before": None, "after": {"external_id": id}, "origin": "ours",
    }  # fmt: skip
    assert made["summary"]["unmanaged"] == 1


def test_custom_fields_appear_one_by_one(run: Run, folder: Callable[..., Folder], cli: Run) -> None:
    from qase_iac.emulator import create_app
    from qase_iac.workflow.session import Session

    seed = {
        "custom_fields": [
            {"title": "Component", "type": "selectbox", "options": ["Cart", "Pay"]},
            {"title": "Owner", "type": "string"},
        ]
    }
    shop = folder({"c.yaml": "cases:\n  a: {title: A, custom_fields: {Component: Cart, Owner: Ann}}\n"})
    shop.app = create_app(seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_own_emulator", lambda self: shop.app)
        made = plan(run, shop)
    attributes = changed(made)["case.a"]["attributes"]
    assert attributes["custom_fields.Component"] == {"before": None, "after": "Cart", "origin": "ours"}
    assert attributes["custom_fields.Owner"]["after"] == "Ann"
    assert "custom_fields" not in attributes


def test_unmanaged_counts_the_live_unbound_objects_in_scope(run: Run, shop: Folder) -> None:
    for title in ("One", "Two"):
        shop.app.ui.create("SHOP", "case", title=title)
    shop.app.ui.create("SHOP", "suite", title="Theirs")
    shop.app.ui.create("SHOP", "milestone", title="Theirs")
    assert plan(run, shop)["summary"]["unmanaged"] == 4
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_delete_share: 1.0\nscope: {suites: [checkout, old]}")
    assert plan(run, shop)["summary"]["unmanaged"] == 0


def test_requests_counts_the_write_calls_uploads_included(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder({
        "c.yaml": "suites:\n  s:\n    title: S\n    cases:\n      a: {title: A, attachments: [a.txt]}\n      b: {title: B}\n      c: {title: C}\n",
        "a.txt": "hello",
    })  # fmt: skip
    made = plan(run, shop)
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert made["requests"] == ran.json["requests"] == len(shop.writes()) == 4  # project, suite, upload, one bulk


def test_precondition_covers_all_attributes_but_not_times_or_position(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    first = changed(plan(run, shop))["case.receipt"]["precondition"]
    shop.app.clock = lambda: 1900000000.0
    edit_in_qase(shop, "case.receipt", title="Receipt")  # touched, the same
    assert changed(plan(run, shop))["case.receipt"]["precondition"] == first
    edit_in_qase(shop, "case.receipt", description="More")  # not managed by the YAML
    assert changed(plan(run, shop))["case.receipt"]["precondition"] != first


def test_config_digest_covers_the_model_and_the_effective_settings_not_bytes(run: Run, shop: Folder) -> None:
    first = plan(run, shop)["config_digest"]
    text = (shop.root / "rest.yaml").read_text()
    shop.write(
        {"rest.yaml": "# a comment\n" + text.replace("[receipt, legacy-flow]", "\n    - receipt\n    - legacy-flow")}
    )
    assert plan(run, shop)["config_digest"] == first
    shop.edit("rest.yaml", "title: Smoke", "title: Smoke 2")
    assert plan(run, shop)["config_digest"] != first
    shop.write({"rest.yaml": text}).edit("qase.yaml", "max_delete_share: 1.0", "max_delete_share: 0.9")
    assert plan(run, shop)["config_digest"] != first


def test_digest_ignores_source(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    first = plan(run, shop)
    shop.write({"suites.yaml": "# moved down\n\n" + (shop.root / "suites.yaml").read_text()})
    second = plan(run, shop)
    assert first["changes"][0]["source"] != second["changes"][0]["source"]
    assert first["digest"] == second["digest"]


def test_findings_are_diagnostics_with_an_address(run: Run, shop: Folder) -> None:
    shop.write({"more.yaml": "plans:\n  none: {title: None, select: {tags: [x]}}\n"})
    made = plan(run, shop)
    (finding,) = made["findings"]
    assert (finding["address"], finding["severity"], finding["file"], finding["line"]) == (
        "plan.none",
        "warning",
        "more.yaml",
        2,
    )


def test_vanished_in_drift(run: Run, shop: Folder) -> None:
    id = shop.id_of("milestone.release-1")
    delete_in_qase(shop, "milestone.release-1")
    made = plan(run, shop)
    row = changed(made)["milestone.release-1"]
    assert (row["action"], row["id"], row["reason"]) == ("create", None, "vanished")
    assert {"address": "milestone.release-1", "id": id, "kind": "vanished", "attributes": {}}.items() <= made["drift"][
        0
    ].items()


def test_changes_stand_in_the_order_of_execution(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "      legacy-flow: {title: Legacy flow}\n", "      later: {title: Later}\n").edit(
        "rest.yaml", "legacy-flow]", "later]"
    )
    planned = [row["address"] for row in plan(run, shop)["changes"]]
    done = [
        row["address"] for row in json.loads(run(shop, "apply", "--auto-approve", "--format", "json").out)["operations"]
    ]
    assert planned == done
