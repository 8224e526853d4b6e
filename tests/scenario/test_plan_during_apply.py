"""A plan while somebody else's apply is under way: it says so, waits for nothing, and settles nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, qase_yaml, sections
from stores_kit import bare, clean_git, clone

from qase_iac.state.lease import GRACE, TTL
from qase_iac.workflow.drifting import look
from qase_iac.workflow.session import Ask, Session, World

CASES = sections(suites={"s": {"title": "S", "cases": {n: {"title": n.upper()} for n in ("a", "b", "c", "d")}}})
WALL = 1795392000.0


@dataclass
class Machine(Folder):
    """One clone of the repository that keeps the state, with a clock of its own."""

    wall: float = WALL

    def session(self, **ask: Any) -> Session:
        world = World(environment=self.environment, app=self.app, wall=lambda: self.wall, random=lambda: 0.25)
        return Session(Ask(self.root, **ask), world)


@pytest.fixture(params=["local", "git"])
def another(request: pytest.FixtureRequest, tmp_path: Path, app: Any) -> Callable[[], Machine]:
    """Gives a machine (a terminal, where the state is a file) over the same state each time."""
    numbers, settings = itertools.count(), {"api": {"url": "emulator", "bulk_size": 2}}
    if request.param == "git":
        settings["state"] = {"backend": "git"}
        remote = bare(tmp_path / "srv" / "tests.git").as_uri()

    def make() -> Machine:
        root = tmp_path / "here"
        if request.param == "git":
            root = clone(remote, tmp_path / f"machine-{next(numbers)}")
        return Machine(root, app, clean_git()).write({"qase.yaml": qase_yaml(**settings), "a.yaml": CASES})  # type: ignore[return-value]

    return make


def test_a_plan_during_an_apply_says_so(another: Callable[[], Machine], no_sleeping: list[float]) -> None:
    runner, plans, drifts = another(), [], []
    watcher = another()

    def during(event: Any) -> None:
        if type(event).__name__ == "OperationStarted" and "case.c" in event.addresses:
            plans.append(watcher.plan())
            drifts.append(look(watcher.session()).plan)

    report = runner.apply(on_event=during).report
    assert report is not None and report.exit_code == 0
    ((plan,), (drift,)) = plans, drifts
    for found in (plan, drift):
        assert found.findings[0].code == "under-way"
        assert found.findings[0].summary.startswith("An apply by ann@here, process 1, since 2026-11-23T00:00:00Z")
        assert found.findings[0].summary.endswith("is under way; this plan may be out of date.")
        assert not [each for each in found.findings if each.code == "settled"]
    assert no_sleeping == []
    after = watcher.plan()
    assert actions(after) == {} and after.findings == ()


def test_a_run_that_was_cut_off_is_still_settled(another: Callable[[], Machine]) -> None:
    """Where the disk is gone, too, once its lease has run out."""
    runner = another()

    def dies(event: Any) -> None:
        if type(event).__name__ == "OperationFinished" and event.address == "case.b":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runner.apply(on_event=dies)
    later = another()
    later.wall = WALL + TTL + GRACE + 1
    plan = later.plan()
    assert not [each for each in plan.findings if each.code == "under-way"]
    assert set(actions(plan)) <= {"case.c", "case.d"}
    later.applied()
    assert len(later.dump()["cases"]) == 4
