"""A small shop for the checks of the command line contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from e2e_kit import Folder

SUITES = """\
suites:
  checkout:
    title: Checkout
    cases:
      card-declined: {title: Card declined, severity: normal, steps: [Open the basket, Pay]}
      receipt: {title: Receipt}
      legacy-flow: {title: Legacy flow}
  old:
    title: Old
    cases:
      refund: {title: Refund}
"""
REST = """\
milestones:
  release-1: {title: Release 1.0}
shared_steps:
  sign-in:
    title: Sign in
    steps: [Open /login]
plans:
  smoke:
    title: Smoke
    cases: [receipt, legacy-flow]
"""
FILES: dict[str, str | bytes] = {"suites.yaml": SUITES, "rest.yaml": REST}
ADDRESSES = [
    "milestone.release-1", "shared_step.sign-in", "suite.checkout", "suite.old", "case.card-declined",
    "case.legacy-flow", "case.receipt", "case.refund", "plan.smoke",
]  # fmt: skip


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def changed(plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["address"]: row for row in plan["changes"]}


def edit_in_qase(folder: Folder, address: str, **fields: Any) -> None:
    folder.app.ui.edit("SHOP", address.partition(".")[0], folder.id_of(address), **fields)


def delete_in_qase(folder: Folder, address: str) -> None:
    folder.app.ui.delete("SHOP", address.partition(".")[0], folder.id_of(address))


def bytes_of(root: Path) -> dict[str, bytes]:
    """Every file below a folder, but for locks."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }
