"""What mutants of the executor survived still (docs/mutants.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from apply_world import Bench, MemoryRemote, desired_of, drop, edit, new, operation, plan_of, state_of, statuses

from qase_iac.apply.bind import Unbound
from qase_iac.apply.executor import execute
from qase_iac.apply.guard import LISTED, verify_preconditions
from qase_iac.apply.report import NOT_SUPPORTED
from qase_iac.attributes import ResolveError
from qase_iac.errors import Interrupted, Rejected, ServerFault, StalePlan, StateError
from qase_iac.plan.digests import live_digest
from qase_iac.plan.model import Action, Change, Plan, Reason
from qase_iac.state.journal import Item, Journal
from qase_iac.state.model import Binding

# -- binding


def test_a_reference_to_nothing_says_so_as_an_exception_too() -> None:
    assert str(Unbound("code", "It refers to suite.s, which is not in Qase.")).startswith("It refers to suite.s")


# -- a saved plan against Qase as it is


def stale(plan: Plan, remote: MemoryRemote) -> str:
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan, remote.look(), live_digest, state_of())
    return caught.value.detail


def test_a_shared_parameter_of_the_plan_is_compared_by_its_id() -> None:
    remote = MemoryRemote(shared_parameters={"Browsers": "uuid-1"})
    remote.put("case", "c", 1, parameters=[{"shared": "uuid-2"}])
    change = replace(
        edit("case.a", 1, parameters=[], before={"parameters": [{"shared": "Browsers"}]}), precondition="other"
    )
    assert stale(plan_of(change), remote) == "- case.a (id 1) was changed in Qase: parameters"


def test_what_has_no_precondition_is_not_compared_and_hides_nothing() -> None:
    remote = MemoryRemote()
    remote.put("case", "a", 1)
    remote.put("case", "b", 2)
    renamed = Change("case.a", Action.NO_OP, 1, Reason.MOVED, moved_from="case.old")
    verify_preconditions(plan_of(new("case.n"), renamed), remote.look(), live_digest, state_of())
    changed = replace(edit("case.b", 2, title="B", before={"title": "b"}), precondition="other")
    said = "- case.b (id 2) was changed in Qase: something that the plan does not show"
    assert stale(plan_of(new("case.n"), renamed, changed), remote) == said


@pytest.mark.parametrize(("count", "more"), [(LISTED, []), (LISTED + 1, ["- and 1 more"])])
def test_so_many_that_changed_are_named(count: int, more: list[str]) -> None:
    gone = [drop(f"case.c{n}", n) for n in range(1, count + 1)]
    lines = stale(plan_of(*gone), MemoryRemote()).splitlines()
    assert (len(lines[:LISTED]), lines[LISTED:]) == (LISTED, more)


# -- calls


class Full(Journal):
    """Takes intents and has no room for outcomes."""

    def outcome(self, *given: Any, **more: Any) -> None:
        raise StateError("full")


def test_an_interruption_that_cannot_be_written_down_gives_the_journal_as_the_reason(bench: Bench) -> None:
    def stop(verb: str, kind: str, detail: object) -> None:
        raise Interrupted("stopped")

    bench.remote.faults.append(stop)
    plan = plan_of(new("suite.a"), new("suite.b"))
    given = dict(
        bulk_size=1, read_file=bench._read_file, now=str, on_event=print, interrupted=lambda: False, sleep=print
    )
    journal = Full(bench.journal_path, bench.header(plan))
    report = execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, **given)  # type: ignore[arg-type]
    assert (report.interrupted, report.exit_code, report.requests) == (True, 130, 0)
    assert [each.problem.code for each in report.operations] == ["journal_unwritable", "journal_unwritable"]


# -- what Qase does not take of an update


def refusing(bench: Bench, *answers: Exception | None) -> Bench:
    """Case 1 with a milestone and in a suite, and a Qase that gives these answers to its updates, in this order."""
    bench.remote.put("case", "x", 1, milestone=9, suite=4)
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x", "milestone": 9, "suite": 4})})
    given = iter(answers)

    def fault(verb: str, kind: str, detail: object) -> None:
        if error := next(given, None):
            raise error

    bench.remote.faults.append(fault)
    return bench


def no(status: int = 422, *fields: str) -> Rejected:
    return Rejected("No.", status=status, field_errors=tuple((name, "is bad") for name in fields))


BY_HAND = "Make this change by hand in Qase; the next plan finds it done."


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("fields", [(), ("milestone_id",), ("milestone_id", "title")])
def test_the_rest_is_sent_without_what_qase_refuses(bench: Bench, status: int, fields: tuple[str, ...]) -> None:
    report = refusing(bench, no(status, *fields)).run(edit("case.x", 1, title="y", milestone=None))
    assert [call[2] for call in bench.remote.calls] == [(1, {"title": "y", "milestone": None}), (1, {"title": "y"})]
    assert (report.requests, report.retries, report.exit_code) == (2, 1, 6)
    problem = operation(report, "case.x").problem
    assert (problem.code, problem.hint, problem.http_status) == (NOT_SUPPORTED, BY_HAND, status)
    assert problem.reason.startswith("Qase does not take this change of milestone: No.")
    binding = bench.state.bindings["case.x"]
    assert binding.sent == {"title": "y", "milestone": 9, "suite": 4}
    assert (binding.unsupported, bench.saves) == ({"milestone": None}, [(5, 1)])


def test_a_refusal_that_names_nothing_is_about_all_that_qase_may_not_change(bench: Bench) -> None:
    report = refusing(bench, no()).run(edit("case.x", 1, Action.MOVE, milestone=None, title="y", suite=None))
    assert [call[2] for call in bench.remote.calls][1:] == [(1, {"title": "y"})]
    assert "this change of milestone, suite: No." in operation(report, "case.x").problem.reason
    assert bench.state.bindings["case.x"].unsupported == {"milestone": None, "suite": None}


def test_nothing_is_sent_again_where_nothing_is_left(bench: Bench) -> None:
    report = refusing(bench, no(422, "milestone_id")).run(edit("case.x", 1, milestone=None))
    assert (len(bench.remote.calls), report.requests, report.retries) == (1, 1, 0)
    assert operation(report, "case.x").problem.code == NOT_SUPPORTED
    assert (bench.state.bindings["case.x"].unsupported, bench.saves) == ({"milestone": None}, [(5, 1)])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (no(422, "title"), "rejected"),
        (no(409), "rejected"),
        (no(404), "rejected"),
        (ServerFault("Broken.", status=422), "server_fault"),
        (ResolveError("unknown-word", "No such priority.", "It takes x."), "unknown-word"),
    ],
    ids=["about another attribute", "409", "404", "not understood", "not sent"],
)
def test_other_refusals_are_not_about_what_qase_may_not_change(bench: Bench, error: Exception, code: str) -> None:
    report = refusing(bench, error).run(edit("case.x", 1, title="y", milestone=None))
    assert (statuses(report), operation(report, "case.x").problem.code) == ({"case.x": "failed"}, code)
    assert (len(bench.remote.calls), report.retries, bench.saves) == (1, 0, [])
    assert bench.state.bindings["case.x"].unsupported == {}


def test_where_the_rest_is_refused_too_it_was_not_about_that(bench: Bench) -> None:
    report = refusing(bench, no(422), no(400)).run(edit("case.x", 1, title="y", milestone=None))
    problem = operation(report, "case.x").problem
    assert (problem.code, problem.http_status, report.requests, report.retries) == ("rejected", 422, 2, 1)
    assert (bench.state.bindings["case.x"].unsupported, bench.state.bindings["case.x"].sent["title"]) == ({}, "x")


def test_what_was_sent_of_the_rest_is_written_down_and_read_back(bench: Bench) -> None:
    refusing(bench, no(422, "milestone_id")).remote.serve = lambda kind, given: {**given, "title": "Y!"}
    plan = plan_of(edit("case.x", 1, title="y", milestone=None, description="d", both=["description"]))
    items: list[Item] = []

    class Listening(Journal):
        def intent(self, given: Sequence[Item], time: str) -> int:
            items.extend(given)
            return super().intent(given, time)

    given = dict(bulk_size=1, read_file=bench._read_file, now=str, on_event=print, interrupted=lambda: False)
    journal = Listening(bench.journal_path, bench.header(plan))
    execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, sleep=print, **given)  # type: ignore[arg-type]
    assert [item.record["sent"] for item in items] == [
        {"title": "y", "milestone": None, "description": "d"},
        {"title": "y", "description": "d"},
    ]
    assert bench.state.bindings["case.x"].served == {"title": "Y!"}


def test_an_adoption_may_change_what_qase_may_not_take(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, milestone=9)
    report = bench.run(edit("case.x", 1, Action.ADOPT, milestone=None, suite=None))
    assert statuses(report) == {"case.x": "done"}
    assert bench.state.bindings["case.x"].sent == {"milestone": None, "suite": None}


def test_a_case_is_not_read_before_it_is_changed(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": 1})
    assert statuses(bench.run(edit("case.x", 1, title="y"))) == {"case.x": "failed"}
    assert bench.remote.reads == []


def test_a_shared_step_is_changed_with_the_title_that_was_read_before(bench: Bench) -> None:
    bench.remote.put("shared_step", "Log in", "ab" * 20, steps=[])
    bench.state = state_of(**{"shared_step.s": "ab" * 20})
    read_before: list[int] = []
    bench.remote.faults.append(lambda verb, kind, detail: read_before.append(len(bench.remote.reads)))
    steps = [{"action": "Open"}]
    assert statuses(bench.run(edit("shared_step.s", "ab" * 20, steps=steps))) == {"shared_step.s": "done"}
    assert (read_before, bench.remote.calls[0][2]) == ([0], ("ab" * 20, {"title": "Log in", "steps": steps}))
