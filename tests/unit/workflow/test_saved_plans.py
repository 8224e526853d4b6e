"""When a saved plan is not carried out, and what is said then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest
from e2e_kit import HOLDER, Folder, actions

from qase_iac.apply.events import Event, OperationStarted
from qase_iac.errors import ConfigurationError, QaseIacError, SafetyRefusal, StalePlan
from qase_iac.plan.model import Options
from qase_iac.plan.planfile import seal
from qase_iac.workflow.applying import Doing, apply_fresh
from qase_iac.workflow.stating import move, remove

FILES: dict[str, str | bytes] = {"a.yaml": "cases: {a: {title: A}, b: {title: B}}\n"}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES)


def refused(shop: Folder, plan: object) -> str:
    writes = len(shop.writes())
    with pytest.raises(StalePlan) as error:
        shop.apply_saved(plan)  # type: ignore[arg-type]
    assert len(shop.writes()) == writes
    return error.value.summary


def test_a_plan_of_another_project(shop: Folder) -> None:
    plan = shop.plan()
    assert "is for project OTHER" in refused(shop, replace(plan, project="OTHER"))
    assert "is for project SHOP at https" in refused(shop, replace(plan, api="https://api.qase.io/v1"))


def test_the_project_was_made_meanwhile(shop: Folder) -> None:
    plan = shop.plan()
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    assert "project was created or deleted" in refused(shop, plan)


def test_a_run_was_cut_short_meanwhile(shop: Folder) -> None:
    shop.applied()
    plan = shop.edit("a.yaml", "title: B", "title: B2").plan()

    def die(event: Event) -> None:
        if isinstance(event, OperationStarted):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shop.apply(on_event=die)
    assert "interrupted" in refused(shop, plan)
    shop.applied()


def test_an_external_reference_that_is_gone(shop: Folder) -> None:
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    milestone = shop.app.ui.create("SHOP", "milestone", title="Theirs")
    shop.edit("a.yaml", "title: B", "title: B, milestone: {external: Theirs}")
    plan = shop.plan(new_state=True)
    shop.app.ui.delete("SHOP", "milestone", milestone)
    with pytest.raises(ConfigurationError) as error:
        shop.apply_saved(plan)
    assert [found.code for found in error.value.diagnostics] == ["unknown-external"]
    assert [entry for entry in shop.writes() if entry.path.startswith("/case")] == []


def test_a_plan_file_cannot_reach_out_of_the_folder(shop: Folder) -> None:
    """Paths in it are outside input, whatever the digest says."""
    shop.write({"pic.png": b"pic"}).edit("a.yaml", "title: B", "title: B, attachments: [pic.png]")
    (shop.root.parent / "secret").write_bytes(b"pic")
    plan = shop.plan()
    sha = next(change.files["pic.png"] for change in plan.changes if change.files)
    changes = tuple(
        replace(change, files={"../secret": sha}, uploads=("../secret",)) if change.files else change
        for change in plan.changes
    )
    report = shop.apply_saved(seal(replace(plan, changes=changes))).report
    assert report is not None
    (failed,) = [operation for operation in report.operations if not operation.done]
    assert failed.problem is not None
    assert (failed.problem.code, "outside" in failed.problem.reason) == ("file-unreadable", True)
    assert [entry for entry in shop.writes() if "attachment" in entry.path] == []


def test_an_expected_digest_that_differs(shop: Folder) -> None:
    plan = shop.plan()
    with pytest.raises(StalePlan):
        shop.apply_saved(plan, expect="sha256:0")
    assert shop.apply_saved(plan, expect=plan.digest).report is not None


def test_verify_plans_again(shop: Folder) -> None:
    outcome = shop.apply_saved(shop.plan(), verify=True)
    assert outcome.again is not None and actions(outcome.again) == {}


def test_verify_after_an_interruption_does_not_plan(shop: Folder) -> None:
    outcome = apply_fresh(shop.session(), Options(), Doing(HOLDER, interrupted=lambda: True), verify=True)
    assert outcome.report is not None and outcome.report.exit_code == 130
    assert outcome.again is None


def test_the_answer_no(shop: Folder) -> None:
    outcome = apply_fresh(shop.session(), Options(), Doing(HOLDER, confirm=lambda planned: False))
    assert outcome.report is None
    assert shop.writes() == []
    assert list(shop.root.rglob("*.json")) == []


def test_an_apply_of_nothing_to_nothing_makes_no_state(shop: Folder) -> None:
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    shop.write({"a.yaml": "removed: [case.gone]\ncases: {a: {title: A}}\n"})
    report = shop.apply(exclude=("case.a",)).report
    assert report is not None and report.operations == ()
    assert list(shop.root.rglob("*.json")) == []


# -- creates that nobody can tell apart ----------------------------------------------------------------------------


@pytest.fixture
def unsettled(shop: Folder) -> Folder:
    """Nobody could see what became of a create; by now there are two objects that may be it."""
    shop.write({"a.yaml": "cases: {b: {title: B}}\n"}).applied()
    shop.app.faults.add("500-after", method="POST", path="/case")
    shop.app.faults.add("stale-list", path="/case", times=0)
    shop.write({"a.yaml": "cases: {a: {title: A}, b: {title: B}}\n"}).apply()
    shop.app.faults.clear()
    shop.app.ui.create("SHOP", "case", title="A")
    return shop


def test_what_cannot_be_settled_is_refused_until_adopt_says_which(unsettled: Folder) -> None:
    writes = len(unsettled.writes())
    assert "unsettled-create" in {finding.code for finding in unsettled.plan().findings}
    for _ in range(2):
        with pytest.raises(SafetyRefusal) as error:
            unsettled.apply()
        assert (error.value.code, "case.a" in error.value.summary) == ("unsettled", True)
    assert len(unsettled.writes()) == writes
    ids = sorted(case["id"] for case in unsettled.app.dump("SHOP")["cases"] if case["title"] == "A")
    unsettled.write({"adopt.yaml": f"adopt: {{case.a: {ids[0]}}}\n"}).applied()
    assert unsettled.id_of("case.a") == ids[0]
    assert len(unsettled.app.dump("SHOP")["cases"]) == 3


def test_the_state_is_not_mended_while_calls_are_open(unsettled: Folder) -> None:
    for mend in (lambda: move(unsettled.session(), "case.a", "case.b", HOLDER),
                 lambda: remove(unsettled.session(), ["case.a"], HOLDER)):  # fmt: skip
        with pytest.raises(QaseIacError) as error:
            mend()
        assert "apply" in error.value.hint


def test_a_folder_that_was_copied_with_its_state_is_the_same_folder(shop: Folder) -> None:
    """The state lies inside, so nothing in it may depend on where the folder is."""
    shop.applied()
    copy = Folder(shop.root.parent / "copy", shop.app)
    shutil.copytree(shop.root, copy.root)
    assert actions(copy.plan()) == {}
