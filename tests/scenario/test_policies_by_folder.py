"""`policy:` of a folder: for every kind declared below it, the nearest folder wins, and options win over all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e_kit import Folder, actions, edits

KINDS = ("milestone", "shared_step", "suite", "case", "plan")


def content(name: str) -> str:
    """One object of each kind, called so."""
    return f"""
milestones: {{m-{name}: {{title: "M {name}"}}}}
shared_steps: {{h-{name}: {{title: "H {name}", steps: [Sign in]}}}}
suites: {{s-{name}: {{title: "S {name}"}}}}
cases: {{c-{name}: {{title: "C {name}", severity: normal}}}}
plans: {{p-{name}: {{title: "P {name}", cases: [c-{name}]}}}}
"""


FILES = {
    "top.yaml": content("top"),
    "keep/suite.yaml": "title: Keep\npolicy: {on_drift: keep, on_conflict: theirs}\n",
    "keep/all.yaml": content("keep"),
    "keep/inner/suite.yaml": "title: Inner\npolicy: {on_drift: fail}\n",
    "keep/inner/all.yaml": content("inner"),
    "keep/plain/suite.yaml": "title: Plain\n",
    "keep/plain/one.case.yaml": "title: One\n",
    "keep/files/more.yaml": content("files"),
}
Make = Callable[..., Folder]


@pytest.fixture
def shop(folder: Make) -> Folder:
    return folder(FILES).applied()


def of(shop: Folder, name: str) -> list[str]:
    return [address for address in shop.state["bindings"] if address.endswith(f"-{name}")]


def edited_in_qase(shop: Folder) -> Folder:
    """Every title, by somebody."""
    for address in shop.state["bindings"]:
        kind = address.partition(".")[0]
        if kind in KINDS:
            shop.app.ui.edit("SHOP", kind, shop.id_of(address), title=f"Theirs {address}")
    return shop


def edited_here(shop: Folder) -> Folder:
    for file in FILES:
        path = shop.root / file
        path.write_text(path.read_text().replace('title: "', 'title: "Ours '))
    return shop


def outcome(shop: Folder, name: str, **options: Any) -> set[str]:
    """What is done about one object of each kind: they must all be treated alike."""
    plan = shop.plan(**options)
    found = actions(plan)
    addresses = of(shop, name)
    assert {address.partition(".")[0] for address in addresses} == set(KINDS)
    return {found.get(address, "left") for address in addresses}


DRIFT = {"top": "update", "keep": "left", "files": "left", "inner": "update !drift"}
CONFLICT = {"top": "update !conflict", "keep": "left", "files": "left", "inner": "left"}


@pytest.mark.parametrize("name", DRIFT)
def test_drift_of_every_kind_is_treated_as_the_nearest_folder_says(shop: Folder, name: str) -> None:
    assert outcome(edited_in_qase(shop), name) == {DRIFT[name]}


@pytest.mark.parametrize("name", CONFLICT)
def test_what_a_folder_leaves_out_comes_from_the_one_above(shop: Folder, name: str) -> None:
    assert outcome(edited_here(edited_in_qase(shop)), name) == {CONFLICT[name]}


def test_the_folder_itself_is_meant_too_and_so_is_what_lies_in_folders_without_a_word(shop: Folder) -> None:
    found = actions(edited_in_qase(shop).plan())
    assert "suite.keep" not in found and found["suite.keep/inner"] == "update !drift"
    assert "suite.keep/plain" not in found and "case.one" not in found


@pytest.mark.parametrize(("word", "said"), [("revert", "update"), ("keep", "left"), ("fail", "update !drift")])
@pytest.mark.parametrize("name", DRIFT)
def test_the_option_wins_over_every_folder(shop: Folder, name: str, word: str, said: str) -> None:
    assert outcome(edited_in_qase(shop), name, on_drift=word) == {said}


@pytest.mark.parametrize(("word", "said"), [("ours", "update"), ("theirs", "left"), ("fail", "update !conflict")])
def test_so_it_does_for_conflicts(shop: Folder, word: str, said: str) -> None:
    edited_here(edited_in_qase(shop))
    for name in CONFLICT:
        assert outcome(shop, name, on_conflict=word) == {said}


def test_the_policy_of_the_project_holds_where_no_folder_says_otherwise(folder: Make) -> None:
    shop = edited_in_qase(folder(FILES, policy={"on_drift": "keep"}).applied())
    assert outcome(shop, "top") == {"left"} and outcome(shop, "inner") == {"update !drift"}


def test_what_vanished_is_treated_by_folder_as_well(shop: Folder) -> None:
    for name in ("top", "keep", "inner"):
        shop.app.ui.delete("SHOP", "case", shop.id_of(f"case.c-{name}"))
    found = actions(shop.plan())
    assert (found["case.c-top"], found.get("case.c-keep"), found["case.c-inner"]) == (
        "create",
        None,
        "create !vanished",
    )


def test_an_edited_policy_counts_at_once(shop: Folder) -> None:
    edited_in_qase(shop)
    shop.edit("keep/suite.yaml", "on_drift: keep", "on_drift: revert")
    assert outcome(shop, "keep") == {"update"} and outcome(shop, "inner") == {"update !drift"}
    assert edits(shop.plan())["suite.keep"] == {"title": "theirs"}
