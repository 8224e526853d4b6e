"""Keys change their names: chains, swaps and rings, for every kind, by `moved:` and by `state mv`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e_kit import Folder, Ran, actions, sections

from qase_iac.kinds import BY_SECTION

KINDS = ["milestones", "shared_steps", "suites", "cases", "plans"]


def content(section: str, keys: dict[str, str], **more: Any) -> str:
    """`keys` maps key -> title; each object has what its kind requires."""
    extra: dict[str, Any] = {"shared_steps": {"steps": ["Open"]}, "plans": {"cases": ["of-all"]}}.get(section, {})
    rows = {key: {"title": title, **extra} for key, title in keys.items()}
    return sections(**{section: rows}, **more)


def moved(section: str, *pairs: str) -> list[dict[str, str]]:
    kind = BY_SECTION[section].name
    return [{"from": f"{kind}.{a}", "to": f"{kind}.{b}"} for a, b in (pair.split(" ") for pair in pairs)]


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder({"base.yaml": "cases: {of-all: {title: Of all}}\n"}, policy={"max_delete_share": 1})


@pytest.mark.parametrize("section", KINDS)
@pytest.mark.parametrize(
    ("entries", "after"),
    [
        (["a b", "b c"], {"b": "A", "c": "B"}),  # a chain, both bound: at once
        (["b c", "a b"], {"b": "A", "c": "B"}),
        (["a b", "b a"], {"a": "B", "b": "A"}),  # a swap
        (["a b", "b c", "c a"], {"a": "C", "b": "A", "c": "B"}),  # a ring
    ],
)
def test_what_is_bound_gets_its_new_names_at_once(
    shop: Folder, section: str, entries: list[str], after: dict[str, str]
) -> None:
    kind = BY_SECTION[section].name
    before = {"a": "A", "b": "B"} | ({"c": "C"} if len(entries) == 3 else {})
    shop.write({"k.yaml": content(section, before)}).applied()
    ids = {title: shop.id_of(f"{kind}.{key}") for key, title in before.items()}
    shop.write({"k.yaml": content(section, after, moved=moved(section, *entries))})
    plan = shop.plan()
    assert set(actions(plan).values()) == {"no_op"} and plan.requests == 0
    shop.applied()
    assert {title: shop.id_of(f"{kind}.{key}") for key, title in after.items()} == ids
    assert actions(shop.plan()) == {}, "each entry is applied once"


@pytest.mark.parametrize("section", KINDS)
def test_a_chain_of_one_object_is_followed_to_its_end(shop: Folder, section: str) -> None:
    """Somebody who skipped two releases has both entries new."""
    kind = BY_SECTION[section].name
    shop.write({"k.yaml": content(section, {"a": "A"})}).applied()
    id = shop.id_of(f"{kind}.a")
    shop.write({"k.yaml": content(section, {"c": "A"}, moved=moved(section, "a b", "b c"))})
    assert actions(shop.plan()) == {f"{kind}.c": "no_op"}
    shop.applied()
    assert shop.id_of(f"{kind}.c") == id and actions(shop.plan()) == {}


@pytest.mark.parametrize("section", KINDS)
def test_an_edited_rename_is_asked_about_and_the_line_to_paste_works(shop: Folder, section: str) -> None:
    kind = BY_SECTION[section].name
    shop.write({"k.yaml": content(section, {"old": "The first of all"})}).applied()
    id = shop.id_of(f"{kind}.old")
    shop.write({"k.yaml": content(section, {"new": "The very first of all"})})
    plan = shop.plan()
    assert actions(plan) == {f"{kind}.new": "create !possible_rename", f"{kind}.old": "delete !possible_rename"}
    reason = next(c.blocked.reason for c in plan.changes if c.blocked)
    line = reason.partition("paste `")[2].partition("`")[0]
    shop.write({"moved.yaml": line + "\n"})
    assert actions(shop.plan()) == {f"{kind}.new": "update"}
    shop.applied()
    assert shop.id_of(f"{kind}.new") == id


@pytest.mark.parametrize("section", KINDS)
def test_state_mv_swaps_by_way_of_a_third_name(cli: Callable[..., Ran], shop: Folder, section: str) -> None:
    kind = BY_SECTION[section].name
    shop.write({"k.yaml": content(section, {"a": "A", "b": "B"})}).applied()
    ids = shop.id_of(f"{kind}.a"), shop.id_of(f"{kind}.b")
    for origin, target in (("a", "aside"), ("b", "a"), ("aside", "b")):
        assert cli("-C", shop.root, "state", "mv", f"{kind}.{origin}", f"{kind}.{target}").code == 0
    assert (shop.id_of(f"{kind}.b"), shop.id_of(f"{kind}.a")) == ids
    shop.write({"k.yaml": content(section, {"a": "B", "b": "A"})})
    assert actions(shop.plan()) == {}
