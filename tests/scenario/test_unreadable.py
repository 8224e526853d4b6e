"""Unreadable is not absent: whatever goes wrong while Qase is read, nothing is planned and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e_kit import Folder, actions

from qase_iac.emulator import create_app
from qase_iac.errors import AccessDenied, ApiError

FILES: dict[str, str | bytes] = {
    "all.yaml": """\
milestones: {m: {title: M}}
shared_steps: {s: {title: S, steps: [x]}}
suites: {top: {title: Top, cases: {a: {title: A}, b: {title: B, steps: [{shared: s}]}}}}
plans: {p: {title: P, cases: [a]}}
"""
}
LISTS = (
    "/milestone/SHOP",
    "/shared_step/SHOP",
    "/suite/SHOP",
    "/case/SHOP",
    "/plan/SHOP",
    "/custom_field",
    "/system_field",
)
BROKEN = ("500", "502", "503", "504", "429", "drop-before", "cut-off", "html", "empty-body")
WRONG = ("short-page", "wrong-total")


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    """Applied, with a change, a delete and a create ahead."""
    made = folder(FILES, policy={"max_delete_share": 1}).applied()
    return made.edit("all.yaml", "a: {title: A}", "a: {title: A2}, c: {title: C}").edit(
        "all.yaml", "milestones: {m: {title: M}}\n", ""
    )


def held(folder: Folder) -> dict[str, bytes]:
    return {
        str(path): path.read_bytes()
        for path in folder.root.rglob("*")
        if path.is_file() and not path.name.endswith((".lock", ".holder"))
    }


def assert_refused(shop: Folder, **fault: Any) -> None:
    before, files, writes = shop.dump(), held(shop), len(shop.writes())
    wanted = actions(shop.plan())
    assert sorted(wanted.values()) == ["create", "delete", "update"]
    added = shop.app.faults.add(**fault)
    for run in (shop.plan, shop.apply):
        with pytest.raises(ApiError) as error:
            run()
        assert error.value.exit_code == 9
    assert added.struck
    assert (shop.dump(), held(shop), len(shop.writes())) == (before, files, writes)
    shop.app.faults.clear()
    assert actions(shop.plan()) == wanted


@pytest.mark.parametrize("path", ("/project/SHOP", *LISTS))
@pytest.mark.parametrize("kind", BROKEN)
def test_a_read_that_fails_for_good(shop: Folder, kind: str, path: str) -> None:
    assert_refused(shop, kind=kind, method="GET", path=f"^{path}(\\?|$)", times=0)


@pytest.mark.parametrize("path", LISTS[:-1])
@pytest.mark.parametrize("kind", WRONG)
def test_a_list_that_contradicts_itself(shop: Folder, kind: str, path: str) -> None:
    if path == "/custom_field":
        shop.app.ui.create("", "custom_field", title="F", entity=0, type=1, is_enabled_for_all_projects=True)
    assert_refused(shop, kind=kind, method="GET", path=f"^{path}(\\?|$)", times=0)


@pytest.mark.parametrize("kind", [*BROKEN, *WRONG])
def test_a_read_that_fails_once_is_read_again(shop: Folder, kind: str) -> None:
    wanted = actions(shop.plan())
    fault = shop.app.faults.add(kind, method="GET", path="^/case/SHOP\\?")
    if kind in ("html", "empty-body"):  # an answer of somebody else: asking again would get the same
        with pytest.raises(ApiError):
            shop.plan()
    else:
        assert actions(shop.plan()) == wanted
    assert fault.struck == 1


@pytest.mark.parametrize("kind", ["500", "html", "drop-before"])
def test_the_members_of_a_plan_that_cannot_be_read(shop: Folder, kind: str) -> None:
    shop.app.ui.edit("SHOP", "plan", shop.id_of("plan.p"), description="so that the state does not vouch for it")
    assert_refused(shop, kind=kind, method="GET", path=f"^/plan/SHOP/{shop.id_of('plan.p')}$", times=0)


@pytest.mark.parametrize("kind", ["500", "html", "drop-before"])
def test_vanished_needs_an_answer_of_its_own(shop: Folder, kind: str) -> None:
    """A bound case that the list does not show, and whose own GET says anything but 404, has not vanished."""
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.b"))
    shop.app.faults.add(kind, method="GET", path=f"^/case/SHOP/{shop.id_of('case.b')}$", times=0)
    with pytest.raises(ApiError):
        shop.plan()
    shop.app.faults.clear()
    assert [(drift.address, drift.kind) for drift in shop.plan().drift] == [("case.b", "vanished")]


def test_an_object_missing_from_a_list_that_still_exists_is_not_made_again(shop: Folder) -> None:
    """A list may lag behind: what its own GET shows is there."""
    fault = shop.app.faults.add("stale-list", path="^/case/SHOP\\?", times=0)
    shop.apply()
    assert "create" not in actions(shop.plan()).values()  # what was written to case.a is not in the list yet
    assert fault.struck
    assert [case["title"] for case in shop.dump()["cases"]].count("C") == 1


def test_a_refused_token_reads_and_writes_nothing(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES)
    shop.app = create_app(tokens={"another": "owner"})
    with pytest.raises(AccessDenied) as error:
        shop.apply()
    assert error.value.exit_code == 8
    assert {entry.status for entry in shop.app.requests} == {401}
    assert shop.writes() == []
    assert not list(shop.root.rglob("*.json"))


def test_a_role_that_only_reads_ends_the_run_at_the_first_write(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES)
    shop.app = create_app(tokens={"": "reader"})
    assert actions(shop.plan())["case.a"] == "create"
    report = shop.apply().report
    assert report is not None and report.exit_code == 8
    assert [entry.status for entry in shop.writes()] == [403]


def test_writes_that_are_refused_for_the_role_end_the_run(folder: Callable[..., Folder]) -> None:
    """`review_mandatory: reject`: cases cannot be written directly; the rest of the plan is not tried."""
    shop = folder(FILES)
    shop.app = create_app(switches={"review_mandatory": "reject"})
    report = shop.apply().report
    assert report is not None and report.exit_code == 8
    assert [entry.status for entry in shop.writes() if entry.path.startswith("/case")] == [403]
    assert [entry for entry in shop.writes() if entry.path.startswith("/plan")] == []
    shop.app.settings = type(shop.app.settings)({})
    shop.applied()
    assert actions(shop.plan()) == {}
