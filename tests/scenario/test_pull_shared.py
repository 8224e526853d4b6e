"""A pull on a branch while others share the state: what was not merged yet counts for nobody but the branch."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Folder, actions, by_address, qase_yaml
from stores_kit import Terraform, terraform

from qase_iac.workflow.drifting import look
from qase_iac.workflow.pulling import AFTER_MERGE, UPDATE, Wish, pull

ALL = Wish(everything=True)
FILES = {
    "shop/suite.yaml": "title: Shop\n",
    "shop/c.yaml": "cases:\n  one: {title: One}\n  two: {title: Two}\n  three: {title: Three, tags: [a]}\n",
    "old/suite.yaml": "title: Old\n",
    "old/c.yaml": "cases: {four: {title: Four}}\n",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Terraform]:
    with terraform() as made:
        yield made


@pytest.fixture
def clones(tmp_path: Path, app: Any, server: Terraform) -> Callable[[], Folder]:
    """Folders with the same files, as two clones have, and one state; the first is applied."""
    server.states.clear(), server.locks.clear()
    state, numbers = {"backend": "http", "address": server.url}, itertools.count()

    def make() -> Folder:
        number = next(numbers)
        made = Folder(tmp_path / f"clone-{number}", app)
        made.root.mkdir()
        made.write({**FILES, "qase.yaml": qase_yaml(state=state, policy={"adopt": "explicit"})})
        return made if number else made.applied()

    return make


def cases(folder: Folder) -> str:
    return (folder.root / "shop/c.yaml").read_text()


def merged(branch: Folder, main: Folder) -> None:
    shutil.rmtree(main.root)
    shutil.copytree(branch.root, main.root, ignore=shutil.ignore_patterns(".qase-iac"))


def edited(main: Folder) -> None:
    """Somebody's work in Qase: a title, a new case with a file, one deleted."""
    state = main.session().read_state()
    ui = main.app.ui
    ui.edit("SHOP", "case", state.bindings["case.one"].id, title="One and only")
    ui.create("SHOP", "case", title="New", suite_id=state.bindings["suite.shop"].id)
    ui.delete("SHOP", "case", state.bindings["case.two"].id)


@pytest.mark.parametrize("wish", [ALL, UPDATE], ids=["pull", "export-update"])
def test_until_the_merge_the_main_branch_knows_nothing_of_it(clones: Callable[[], Folder], wish: Wish) -> None:
    main, branch = clones(), clones()
    edited(main)
    before, drift = main.dump(), look(main.session()).plan.drift
    done = pull(branch.session(), wish, HOLDER)
    assert done.exit_code == 0 and AFTER_MERGE in done.notes
    assert "One and only" in cases(branch) and "New" in cases(branch)
    assert actions(branch.plan()) == {"case.two": "forget"} and branch.plan().requests == 0

    plan = main.plan()
    assert actions(plan) == {"case.one": "update", "case.two": "create"}, "the new case is not deleted"
    assert by_address(plan)["case.one"].origins == {"theirs"} and by_address(plan)["case.two"].reason == "vanished"
    assert plan.reverts
    assert [each.address for each in look(main.session()).plan.drift] == [each.address for each in drift]

    merged(branch, main)
    main.applied()
    assert main.dump() == before, "nothing was written, and nothing created twice"
    assert main.plan().changes == () and not look(main.session()).plan.drift
    state = main.session().read_state()
    assert "case.two" not in state.bindings and len(state.bindings) == 6 and not state.pulled
    assert state.bindings["case.one"].sent["title"] == "One and only"


def test_a_branch_that_is_dropped_leaves_no_trace(clones: Callable[[], Folder]) -> None:
    main, branch = clones(), clones()
    edited(main)
    before = actions(main.plan())
    pull(branch.session(), ALL, HOLDER)
    main.applied(on_drift="keep")
    assert actions(main.plan()) == before
    again = clones()
    assert pull(again.session(), ALL, HOLDER).exit_code == 0, "somebody else pulls it later"
    assert cases(again) == cases(branch)


def test_a_second_pull_on_the_branch_writes_nothing(clones: Callable[[], Folder]) -> None:
    main, branch = clones(), clones()
    edited(main)
    pull(branch.session(), ALL, HOLDER)
    state, said = main.session().read_state(), cases(branch)
    again = pull(branch.session(), ALL, HOLDER)
    assert again.exit_code == 0 and again.files == () and AFTER_MERGE not in again.notes
    assert cases(branch) == said and main.session().read_state() == state


def test_two_branches_note_what_is_new_for_both(clones: Callable[[], Folder]) -> None:
    main, one, two = clones(), clones(), clones()
    ui, shop = main.app.ui, main.session().read_state().bindings["suite.shop"].id
    ui.create("SHOP", "case", title="First", suite_id=shop)
    pull(one.session(), ALL, HOLDER)
    ui.create("SHOP", "case", title="Second", suite_id=shop)
    pull(two.session(), Wish(addresses=("case.second",)), HOLDER)
    assert set(main.session().read_state().pulled) == {"case.first", "case.second"}
    before = main.dump()
    merged(two, main)
    main.applied()
    merged(one, main)
    main.write({"shop/c.yaml": cases(one) + "  second: {title: Second}\n"}).applied()
    assert main.dump() == before and main.plan().changes == () and not main.session().read_state().pulled


def test_a_suite_that_moved_comes_with_its_key(clones: Callable[[], Folder]) -> None:
    main, branch = clones(), clones()
    bindings = main.session().read_state().bindings
    main.app.ui.edit("SHOP", "suite", bindings["suite.old"].id, parent_id=bindings["suite.shop"].id)
    before = main.dump()
    assert pull(branch.session(), ALL, HOLDER).exit_code == 0
    assert branch.plan().requests == 0 and set(actions(branch.plan()).values()) <= {"no_op"}
    assert actions(main.plan()) == {"suite.old": "move"} and main.plan().reverts
    merged(branch, main)
    main.applied()
    assert main.dump() == before and main.plan().changes == () and not look(main.session()).plan.drift
    assert "suite.shop/old" in main.session().read_state().bindings
