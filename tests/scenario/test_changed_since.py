"""`--changed-since`: a branch that is behind does not undo what others merged and applied meanwhile."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_kit import Folder, Ran, actions, qase_yaml

from qase_iac.errors import QaseIacError

CLI = Callable[..., Ran]
FILES: dict[str, str | bytes] = {
    "qase.yaml": qase_yaml(policy={"max_delete_share": 1}),
    ".gitignore": ".qase-iac/\n",
    "shop.yaml": """\
suites:
  cart: {title: Cart, cases: {a: {title: A}, b: {title: B}}}
milestones:
  m: {title: M}
cases:
  old: {title: Old}
""",
}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *identity, *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Folder, message: str) -> None:
    git(folder.root, "add", "-A")
    git(folder.root, "commit", "-q", "-m", message)


@pytest.fixture(params=["", "tests/shop"], ids=["at-the-top", "below"])
def shop(folder: Callable[..., Folder], tmp_path: Path, request: pytest.FixtureRequest, app: object) -> Folder:
    """An applied project; then a colleague merged and applied four changes, and this branch began before them."""
    top = tmp_path / "repository"
    shop = Folder(top / request.param, app)  # type: ignore[arg-type]
    shop.root.mkdir(parents=True)
    git(top, "init", "-q", "-b", "main")
    shop.write(FILES).applied()
    commit(shop, "Begin")
    git(top, "checkout", "-q", "-b", "mine")
    git(top, "checkout", "-q", "main")
    shop.edit("shop.yaml", "title: Cart", "title: The cart").edit("shop.yaml", "{title: A}", "{title: Their A}")
    shop.edit("shop.yaml", "  old: {title: Old}", "  theirs: {title: Theirs}").applied(
        allow_deletes=1,
    )
    commit(shop, "Theirs")
    git(top, "checkout", "-q", "mine")
    return shop


def test_without_it_the_branch_would_undo_all_that(shop: Folder) -> None:
    shop.edit("shop.yaml", "{title: B}", "{title: My B}")
    assert actions(shop.plan()).keys() == {"suite.cart", "case.a", "case.b", "case.old", "case.theirs"}


def test_only_what_this_branch_touched_is_planned(shop: Folder, cli: CLI) -> None:
    shop.edit("shop.yaml", "{title: B}", "{title: My B}")
    ran = cli("-C", shop.root, "plan", "--changed-since", "main", "--format", "json")
    assert ran.code == 0, ran.all
    assert [change["address"] for change in ran.json["changes"]] == ["case.b"]
    (finding,) = (each for each in ran.json["findings"] if each["code"] == "untouched")
    for address in ("suite.cart", "case.a", "case.old", "case.theirs"):
        assert address in finding["summary"]
    shop.applied(changed_since="main")
    titles = {case["title"] for case in shop.dump()["cases"]}
    assert titles == {"Their A", "My B", "Theirs"}


def test_text_says_what_was_left_out(shop: Folder, cli: CLI) -> None:
    ran = cli("-C", shop.root, "plan", "--changed-since", "main")
    assert "4 changes that this branch did not make" in ran.out
    assert "where the branch left main" in ran.out


def test_what_a_new_object_needs_comes_along_only_when_it_is_not_there(shop: Folder) -> None:
    shop.write({"new.yaml": "suites:\n  fresh: {title: F, cases: {c: {title: C, milestone: m}}}\n"})
    shop.edit("shop.yaml", "{title: B}", "{title: My B}").edit("shop.yaml", "title: M}", "title: My M}")
    assert actions(shop.plan(changed_since="main")) == {
        "milestone.m": "update", "suite.fresh": "create", "case.c": "create", "case.b": "update",
    }  # fmt: skip


def test_an_object_that_this_branch_takes_out_is_deleted_and_a_renamed_key_is_renamed(shop: Folder) -> None:
    shop.edit("shop.yaml", ", b: {title: B}", "").edit("shop.yaml", "{a: {title: A}", "{aa: {title: A}")
    shop.write({"moved.yaml": "moved: [{from: case.a, to: case.aa}]\n"})
    assert actions(shop.plan(changed_since="main")).keys() == {"case.aa", "case.b"}


def test_a_suite_that_holds_what_others_added_is_not_deleted(shop: Folder) -> None:
    git(shop.root, "checkout", "-q", "main")
    shop.edit("shop.yaml", "b: {title: B}", "b: {title: B}, more: {title: More}").applied()
    commit(shop, "More")
    git(shop.root, "checkout", "-q", "mine")
    shop.edit("shop.yaml", "  cart: {title: Cart, cases: {a: {title: A}, b: {title: B}}}", "  other: {title: O}")
    report = shop.apply(changed_since="main", allow_deletes=3, allow_recreate=frozenset({"suite.other"})).report
    assert report is not None and report.exit_code == 6
    assert "More" in {case["title"] for case in shop.dump()["cases"]}


def test_a_folder_that_is_new_in_this_branch_is_planned_whole(
    folder: Callable[..., Folder], tmp_path: Path, app: object
) -> None:
    top = tmp_path / "repository"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    git(top, "commit", "-q", "--allow-empty", "-m", "Begin")
    git(top, "checkout", "-q", "-b", "mine")
    shop = Folder(top / "shop", app)  # type: ignore[arg-type]
    shop.root.mkdir()
    shop.write(FILES)
    assert len(actions(shop.plan(changed_since="main"))) == 6


@pytest.mark.parametrize(("revision", "said"), [("nowhere", "nowhere"), ("--help", "--help")])
def test_a_revision_that_is_none(shop: Folder, revision: str, said: str) -> None:
    with pytest.raises(QaseIacError) as error:
        shop.plan(changed_since=revision)
    assert "git cannot tell" in error.value.summary and said in error.value.summary
    assert "fetch-depth" in error.value.hint


def test_outside_of_git(tmp_path: Path, app: object) -> None:
    shop = Folder(tmp_path / "shop", app)  # type: ignore[arg-type]
    shop.root.mkdir()
    with pytest.raises(QaseIacError):
        shop.write(FILES).plan(changed_since="main")


def test_files_that_were_invalid(shop: Folder) -> None:
    git(shop.root, "checkout", "-q", "--orphan", "broken")
    shop.write({"bad.yaml": "cases: {x: {titel: X}}\n"})
    commit(shop, "Broken")
    shop.remove("bad.yaml")
    with pytest.raises(QaseIacError) as error:
        shop.plan(changed_since="broken")
    assert "bad.yaml:1" in error.value.summary and "invalid" in error.value.summary
