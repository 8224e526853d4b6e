"""Whatever people did in Qase, `export --update` takes it over: the plan is empty then, comments and keys are kept, and
a second one changes no byte."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Folder, actions
from hypothesis import given
from hypothesis import strategies as st
from test_pull import texts
from test_pull_laws import NAME, SLOW, act, edited_in_qase, made, messy, only_the_lines

from qase_iac.workflow.pulling import UPDATE, Pulled, pull

FILES: dict[str, str | bytes] = {
    "deep/suite.yaml": "# of suite.deep\ntitle: Deep\ndefaults: {case: {priority: high, tags: [deep]}}\n",
    "deep/er/suite.yaml": "# of suite.deep/er\ntitle: Deeper   # and so on\ndefaults: {case: {flaky: true}}\n",
    "deep/er/one.case.yaml": "# of case.one\ntitle: One\nsteps: [{shared: sign-in}, Look]\n",
    "deep/cases.yaml": """\
cases:
  # of case.two
  two: {title: Two, milestone: aim}
  three:   # of case.three
    title:   'Three'
    priority: low
suites:

  # of suite.deep/flat
  flat:
    title: Flat
    cases:
      in-flat:
        # of case.in-flat
        title: In
""",
    "rest.yaml": """\
milestones: {aim: {title: Aim}}
shared_steps:
  sign-in:   # of shared_step.sign-in
    title: Sign in
    steps: [Open]
plans:
  # of plan.all
  all:
    title: All
    cases: [a, b, one, two]
""",
}
COMMENTED = [
    line.partition("# of ")[2] for text in FILES.values() for line in str(text).splitlines() if "# of " in line
]


def updated(folder: Folder) -> Pulled:
    return pull(folder.session(), UPDATE, HOLDER)


def settled(folder: Folder, done: Pulled) -> None:
    """The plan is empty, nothing is left unmanaged, and the next update finds nothing to do."""
    assert (done.exit_code, done.left, done.unexpected, done.edits) == (0, (), (), ())
    plan = folder.plan()
    assert (actions(plan), plan.drift, plan.findings, plan.summary.unmanaged) == ({}, (), (), 0)
    before, state = texts(folder), folder.state
    again = updated(folder)
    assert (again.lines, again.files, texts(folder), folder.state) == ((), (), before, state)


@SLOW
@given(st.data())
def test_only_the_lines_of_what_was_edited(data: Any) -> None:
    before = data.draw(messy.files())
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name), {NAME: before})
        edits = edited_in_qase(data, folder)
        done = updated(folder)
        only_the_lines(before, (folder.root / NAME).read_bytes(), edits)
        settled(folder, done)


@SLOW
@given(st.data())
def test_whatever_people_do(data: Any) -> None:
    """Edits, moves, deletes and new things of all kinds at once, among what nobody managed; in several updates."""
    with tempfile.TemporaryDirectory() as name:
        folder = made(Path(name), {NAME: data.draw(messy.files()), **FILES})
        dice: random.Random = data.draw(st.randoms(use_true_random=True))
        _do(data, dice, folder)
        folder.edit("rest.yaml", "title: Aim", "title: The aim").applied()  # puts it back, but for what is new
        about = {address: (address.partition(".")[0], folder.id_of(address)) for address in COMMENTED}
        for _ in range(dice.randint(1, 3)):
            _do(data, dice, folder)
            done = updated(folder)
            settled(folder, done)
            _comments(folder, about)


def _do(data: Any, dice: random.Random, folder: Folder) -> None:
    ids = {address: row["id"] for address, row in folder.state["bindings"].items()}
    for _ in range(dice.randint(1, 6)):
        act(data.draw, dice, folder, ids)


def _comments(folder: Folder, about: dict[str, tuple[str, Any]]) -> None:
    """What was said of an object is said as long as there is one."""
    said = [line.partition("# of ")[2] for text in texts(folder).values() for line in text.splitlines()]
    bound = {(address.partition(".")[0], row["id"]) for address, row in folder.state["bindings"].items()}
    for address, at in about.items():
        assert said.count(address) == (at in bound), address


if __name__ == "__main__":
    pytest.main([__file__])
