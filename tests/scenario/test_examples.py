"""The examples, as a newcomer runs them: validate, plan, apply, an empty second plan, one line, destroy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_kit import REPO, Ran, run_cli

from qase_iac.kinds import CONTENT_KINDS
from qase_iac.workflow.session import Ask, Session, World

EXAMPLES = {"minimal": (1, False), "web-shop": (50, True)}
"""Example -> how many objects, and whether some of them are protected."""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """The program over the example's own emulator, a database in the folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("QASE_TESTOPS_PROJECT", "QASE_IAC_API_URL", "QASE_TESTOPS_API_HOST"):
        monkeypatch.delenv(name, raising=False)
    return run_cli


def copied(name: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPO / "examples" / name, tmp_path / name, ignore=shutil.ignore_patterns(".qase-iac")))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_from_the_first_command_to_the_last(name: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    root, (objects, protects) = copied(name, tmp_path), EXAMPLES[name]

    def go(*arguments: str) -> Ran:
        return run("-C", root, *arguments)

    checked = go("validate")
    assert (checked.code, checked.err) == (0, "")
    assert f"Valid: {objects} object" in checked.out
    planned = go("plan")
    assert (planned.code, planned.err) == (0, "")
    assert f"Plan: {objects + 1} to add" in planned.out
    assert go("plan", "--detailed-exitcode").code == 2
    applied = go("apply", "--auto-approve", "--format", "json")
    assert applied.code == 0
    assert (applied.json["applied"], applied.json["failed"], applied.json["blocked"]) == (objects + 1, 0, 0)
    second = go("plan", "--detailed-exitcode")
    assert second.code == 0
    assert "No changes." in second.out
    assert len(go("state", "list").out.splitlines()) == objects
    assert go("validate", "--online").code == 0
    refused = go("destroy", "--auto-approve", "--allow-deletes", "0")
    assert refused.code == 4
    number = re.search(r"--allow-deletes (\d+)", refused.err)
    assert number is not None, refused.err
    destroyed = go("destroy", "--auto-approve", "--allow-deletes", number[1])
    assert destroyed.code == (6 if protects else 0), destroyed.err
    left = go("state", "list").out.splitlines()
    assert len(left) == objects - int(number[1])
    assert [line.split()[0] for line in left if "protected" in line] == ["case.pay-by-card"] * protects


def test_the_one_line_change_of_the_demo(tmp_path: Path, run: Callable[..., Ran]) -> None:
    root = copied("web-shop", tmp_path)
    assert run("-C", root, "apply", "--auto-approve").code == 0
    file = root / "checkout/cases.yaml"
    file.write_text(file.read_text().replace("title: Pay by invoice", "title: Pay by invoice within 14 days"))
    planned = run("-C", root, "plan", "--format", "json").json
    (change,) = planned["changes"]
    assert (change["address"], change["action"], planned["requests"]) == ("case.pay-by-invoice", "update", 1)
    assert change["attributes"] == {
        "title": {"before": "Pay by invoice", "after": "Pay by invoice within 14 days", "origin": "ours"}
    }
    applied = run("-C", root, "apply", "--auto-approve", "--verify")
    assert applied.code == 0 and "a second plan is empty" in applied.err


def test_the_web_shop_uses_every_feature_of_the_format() -> None:
    """Every attribute of every kind, and every setting, is shown once."""
    world = World(environment={}, cache_dir=None)
    desired = Session(Ask(REPO / "examples/web-shop"), world).load_valid().desired
    for kind in CONTENT_KINDS:
        used = {
            name.partition(".")[0]
            for address, resource in desired.resources.items()
            if address.kind == kind.name
            for name in (*resource.attributes, *resource.local)
        }
        missing = {row.name for row in kind.attributes} - used
        assert missing == set(), kind.name
    assert desired.moved and desired.removed
    assert any(resource.protect for resource in desired.resources.values())
    assert any(resource.ignore for resource in desired.resources.values())
    text = (REPO / "examples/web-shop/qase.yaml").read_text()
    for setting in ("project", "title", "description", "create", "api", "state", "scope", "policy", "defaults",
                    "content", "exclude", "profiles"):  # fmt: skip
        assert re.search(rf"(?m)^{setting}:", text), setting


def test_the_web_shop_exports_in_both_layouts(tmp_path: Path, run: Callable[..., Ran]) -> None:
    root = copied("web-shop", tmp_path)
    assert run("-C", root, "apply", "--auto-approve").code == 0
    for layout in ("suite", "case"):
        exported = run("-C", root, "export", f"../{layout}", "--layout", layout)
        assert exported.code == 0, exported.err
        assert run("-C", tmp_path / layout, "validate").code == 0
        assert run("-C", tmp_path / layout, "plan", "--detailed-exitcode").code == 0


def test_init_works_at_once(tmp_path: Path, run: Callable[..., Ran]) -> None:
    assert run("-C", tmp_path, "init", "my-shop").code == 0
    root = tmp_path / "my-shop"
    assert run("-C", root, "validate").code == 0
    assert run("-C", root, "apply", "--auto-approve").code == 0
    assert run("-C", root, "plan", "--detailed-exitcode").code == 0
    ignored = (root / ".gitignore").read_text().split()
    assert ".qase-iac/" in ignored
    assert [path for path in root.iterdir() if path.name.startswith(".") and path.name != ".gitignore"] == [
        root / ".qase-iac"
    ]
    again = run("-C", tmp_path, "init", "my-shop")
    assert again.code == 1 and "exists already" in again.err
