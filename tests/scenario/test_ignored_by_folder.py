"""`ignore_changes` under `defaults:`: a folder that leaves attributes of all its cases to somebody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from e2e_kit import HOLDER, Folder, Ran, edits

from qase_iac.workflow.drifting import look
from qase_iac.workflow.pulling import Wish, pull

CASE = "severity: minor, steps: [Look]"
FILES = {
    "rest.yaml": f"cases:\n  plain: {{title: Plain, {CASE}}}\n  own: {{title: Own, {CASE}, ignore_changes: [severity]}}\n",
    "auto/suite.yaml": "title: Auto\ndefaults:\n  case:\n    automation: automated\n"
    "    ignore_changes: [title, steps, automation]\n",
    "auto/c.yaml": f"cases:\n  below: {{title: Below, {CASE}}}\n"
    f"  all-ours: {{title: All ours, {CASE}, ignore_changes: []}}\n",
    "auto/deep/suite.yaml": "title: Deep\n",
    "auto/deep/c.yaml": f"cases:\n  deeper: {{title: Deeper, {CASE}}}\n",
}
NAMES = ("plain", "own", "below", "all-ours", "deeper")
STEPS = [{"action": "test_step"}]


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    made = folder(FILES, defaults={"case": {"ignore_changes": ["title"]}}).applied()
    for name in NAMES:
        case = made.id_of(f"case.{name}")
        made.app.ui.edit("SHOP", "case", case, title=f"test {name}", steps=STEPS, severity=2, automation=0)
    return made


def test_the_nearest_word_counts(shop: Folder) -> None:
    expected = {
        "case.plain": {"severity", "steps"},
        "case.own": {"title", "steps"},
        "case.below": {"severity"},
        "case.all-ours": {"title", "steps", "severity", "automation"},
        "case.deeper": {"severity"},
    }
    assert {address: set(names) for address, names in edits(shop.plan()).items()} == expected
    drift = look(shop.session()).plan.drift
    assert {each.address: set(each.attributes) for each in drift} == expected
    assert pull(shop.session(), Wish(everything=True), HOLDER).exit_code == 0
    assert "title: Below" in (shop.root / "auto/c.yaml").read_text() and shop.plan().changes == ()
    assert shop.state["bindings"]["case.below"]["ignore"] == ["automation", "steps", "title"]


def test_it_is_sent_when_the_case_is_created(shop: Folder) -> None:
    shop.write({"auto/d.yaml": "cases: {late: {title: Late, steps: [Look]}}\n"}).applied()
    (late,) = (each for each in shop.dump()["cases"] if each["title"] == "Late")
    assert late["automation"] == "automated" and late["steps"][0]["action"] == "Look"


def test_what_it_takes(folder: Callable[..., Folder], cli: Callable[..., Ran]) -> None:
    bad = "title: A\ndefaults:\n  case:\n    ignore_changes: [titel, custom_fields.X, suite]\n    protect: true\n"
    shop = folder({"a/suite.yaml": bad, "c.yaml": "cases: {c: {title: C}}\n"})
    done = cli("-C", shop.root, "validate")
    assert done.code == 3
    assert "`ignore_changes` names no attribute of a case: `titel`. Did you mean `title`?" in done.out
    assert "a/suite.yaml:5:5" in done.out and "`protect`" in done.out
