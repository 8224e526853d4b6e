"""The plan in words: the example of the contract, its symbols and its order."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from contract_shop import FILES, delete_in_qase, edit_in_qase
from e2e_kit import Folder, Ran

Run = Callable[..., Ran]
STEPS = "steps: [Open the basket, Choose a card, Enter the number, Pay]"
NEW_STEPS = "steps: [Open the basket, Pay, Choose any card, Enter the number]"


@pytest.fixture
def example(shop: Folder) -> Folder:
    """The edits of the example in cli.md, in a shop of four cases."""
    shop.edit("suites.yaml", "steps: [Open the basket, Pay]", STEPS).applied()
    shop.edit("suites.yaml", "severity: normal", "severity: major").edit("suites.yaml", STEPS, NEW_STEPS)
    shop.edit(
        "suites.yaml", "      legacy-flow: {title: Legacy flow}\n", "      voucher-expired: {title: Voucher expired}\n"
    )
    shop.edit(
        "suites.yaml",
        "  old:\n    title: Old\n    cases:\n      refund: {title: Refund}\n",
        "      refund: {title: Refund}\n  old: {title: Old}\n",
    )
    text = (shop.root / "suites.yaml").read_text()
    assert "refund" in text
    shop.edit("rest.yaml", "[receipt, legacy-flow]", "[receipt]")
    shop.app.clock = lambda: 1795132800.0  # 2026-11-20
    edit_in_qase(shop, "case.receipt", title="Slip")
    shop.app.ui.create("SHOP", "case", title="By hand")
    return shop


def test_the_example(run: Run, example: Folder) -> None:
    assert (
        run(example, "plan").out
        == """\
Project SHOP   read 5 cases and 2 suites in 9 requests

checkout/
  - case.legacy-flow      in plan.smoke (updated first)
  ~ case.card-declined    severity, steps (1 edited, 1 moved)
  ~ case.receipt          title · reverts an edit made in Qase on 2026-11-20
  > case.refund           from suite.old
  + case.voucher-expired
plans
  ~ plan.smoke  cases (1 removed)
Plan: 1 to add, 3 to change (1 reverts an edit made in Qase), 1 to move, 1 to delete, 0 to adopt. 4 unchanged, 1 not managed.
Needs 6 write requests.
"""
    )


def test_the_announced_requests_are_made(run: Run, example: Folder) -> None:
    before = len(example.writes())
    ran = run(example, "apply", "--auto-approve", "--format", "json")
    assert ran.code == 0
    assert len(example.writes()) - before == ran.json["requests"] == 6


def marks(text: str) -> dict[str, str]:
    return {address: mark for mark, address in re.findall(r"^  ([-+~>=.!]) (\S+)", text, re.M)}


def test_symbols(run: Run, example: Folder) -> None:
    example.write({"more.yaml": "removed: [milestone.release-1]\nplans:\n  none: {title: None, select: {tags: [x]}}\n"})
    example.edit("rest.yaml", "milestones:\n  release-1: {title: Release 1.0}\n", "")
    found = marks(run(example, "plan").out)
    assert found == {
        "case.legacy-flow": "-", "case.card-declined": "~", "case.receipt": "~", "case.refund": ">",
        "case.voucher-expired": "+", "plan.smoke": "~", "milestone.release-1": ".", "plan.none": "!",
    }  # fmt: skip


def test_symbols_of_adoption_and_conflict(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    shop.edit("suites.yaml", "severity: normal", "severity: major")
    found = marks(run(shop, "plan").out)
    assert found.pop("case.card-declined") == "!"
    assert set(found.values()) == {"="}


def test_deletes_stand_first_then_what_reverts_somebodys_edit(run: Run, shop: Folder) -> None:
    """Over groups, too: a delete in the last suite is read before a create in the first."""
    shop.edit("suites.yaml", "      refund: {title: Refund}\n", "      other: {title: Something else}\n")
    shop.edit(
        "suites.yaml",
        "      receipt: {title: Receipt}\n",
        "      receipt: {title: Receipt}\n      fresh: {title: Fresh}\n",
    )
    shop.edit("rest.yaml", "title: Smoke", "title: Smoke test")
    edit_in_qase(shop, "milestone.release-1", title="Theirs")
    found = list(marks(run(shop, "plan").out))
    assert found[0] == "case.refund"
    assert found.index("case.refund") < found.index("milestone.release-1") < found.index("case.fresh")


def test_full_adds_old_and_new_values_line_diffs_and_steps_as_a_sequence(run: Run, example: Folder) -> None:
    example.edit("suites.yaml", "{title: Voucher expired}", "{title: Voucher expired, description: New}")
    out = run(example, "plan", "--full").out
    assert re.search(r"severity: normal (→|->) major", out), out
    assert "Choose a card" in out and "Choose any card" in out
    assert "unchanged" in out
    short = run(example, "plan").out
    assert "Choose any card" not in short


def test_full_shows_long_texts_line_by_line(run: Run, folder: Callable[..., Folder]) -> None:
    text = "\n".join(f"      line {n}" for n in range(20))
    shop = folder({"c.yaml": f"cases:\n  a:\n    title: A\n    description: |\n{text}\n"}).applied()
    shop.edit("c.yaml", "line 9\n", "line nine\n")
    out = run(shop, "plan", "--full").out
    assert "- line 9" in out and "+ line nine" in out
    assert "unchanged lines" in out and "line 3\n" not in out


def test_no_changes(run: Run, shop: Folder) -> None:
    assert run(shop, "plan").out.endswith(
        "\n\nNo changes. Your Qase project matches the files. 9 unchanged, 0 not managed.\n"
    )


def test_a_move_of_a_suite(run: Run, shop: Folder) -> None:
    shop.write({"suites.yaml": str(FILES["suites.yaml"]).replace("  old:\n", "  older: {title: Older}\n  old:\n")})
    shop.applied()
    shop.write({"suites.yaml": str(FILES["suites.yaml"]).replace(
        "  old:\n    title: Old\n    cases:\n      refund: {title: Refund}\n",
        "  older:\n    title: Older\n    suites:\n      old:\n        title: Old\n        cases:\n          refund: {title: Refund}\n",
    ), "moved.yaml": "moved:\n  - {from: suite.old, to: suite.older/old}\n"})  # fmt: skip
    ran = run(shop, "plan")
    assert "> suite.older/old  from the root · renamed from suite.old" in ran.out
    assert "1 to move" in ran.out


def test_a_pure_rename_costs_no_request(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "refund: {", "pay-back: {").write(
        {"m.yaml": "moved:\n  - {from: case.refund, to: case.pay-back}\n"}
    )
    out = run(shop, "plan").out
    assert "case.pay-back  renamed from case.refund (no request)" in out
    assert "Needs no write request." in out and "1 renamed" in out


def test_vanished_and_kept(run: Run, shop: Folder) -> None:
    delete_in_qase(shop, "milestone.release-1")
    out = run(shop, "plan", "--on-drift", "keep").out
    assert "Changed in Qase since the last apply, and left as it is" in out
    assert "milestone.release-1  deleted in Qase" in out


def test_control_characters_are_shown_escaped(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder({"c.yaml": 'cases:\n  a: {title: "A\\e[31m\\u202e"}\n'})
    for form in ("text", "json", "markdown"):
        ran = run(shop, "plan", "--full", "--format", form)
        assert "\x1b" not in ran.all and "\u202e" not in ran.all
