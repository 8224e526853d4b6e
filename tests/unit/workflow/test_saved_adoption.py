"""A saved plan does not carry what both sides agreed on; carrying it out has to find that again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from e2e_kit import Folder, Ran

CASES = "cases:\n  a: {title: A, description: Ours}\n"


def test_an_edit_in_qase_after_a_saved_adoption_is_theirs(
    folder: Callable[..., Folder], cli: Callable[..., Ran], app: Any
) -> None:
    shop = folder({"c.yaml": CASES})
    app.ui.create("", "project", code="SHOP", title="Shop")
    id = app.ui.create("SHOP", "case", title="A", description="Ours")
    where = ("-C", str(shop.root))
    assert cli(*where, "plan", "--new-state", "-o", "plan.json").code == 0
    assert cli(*where, "apply", str(shop.root / "plan.json")).code == 0
    app.ui.edit("SHOP", "case", id, description="Theirs")
    plan = json.loads(cli(*where, "plan", "--format", "json").out)
    (change,) = plan["changes"]
    assert change["attributes"]["description"]["origin"] == "theirs"
