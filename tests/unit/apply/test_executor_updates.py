"""Updates, moves, adoption, renames, forgetting, agreement, and what is read back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apply_world import (
    PAGE,
    Bench,
    desired_of,
    drop,
    edit,
    fail_on,
    new,
    operation,
    plan_of,
    resource,
    state_of,
    statuses,
    unreadable,
)

from qase_iac.apply.events import Warned
from qase_iac.diagnostics import SourceRange
from qase_iac.errors import NoAnswer, NotFound, Rejected, ServerFault
from qase_iac.model import Moved
from qase_iac.plan.model import Action, Blocked, Change, Reason
from qase_iac.state.journal import read_journal
from qase_iac.state.model import Binding
from qase_iac.values import Address


def moved(origin: str, target: str) -> Moved:
    return Moved(Address.parse(origin), Address.parse(target), SourceRange("a.yaml", 1))


# -- one PATCH


def test_one_patch_carries_all_attributes_but_not_what_both_sides_changed_alike(bench: Bench) -> None:
    bench.remote.put("case", "old", 41, severity="major", priority="low")
    bench.state = state_of(**{"case.x": Binding(41, {"title": "old", "tags": ["a"]}, {"title": "OLD"})})
    report = bench.run(edit("case.x", 41, title="new", severity="minor", priority="low", both=["priority"]))
    assert bench.remote.calls == [("update", "case", (41, {"title": "new", "severity": "minor"}))]
    binding = bench.state.bindings["case.x"]
    assert binding.sent == {"title": "new", "severity": "minor", "priority": "low", "tags": ["a"]}
    assert binding.served == {}
    assert (report.applied, report.exit_code) == (1, 0)


def test_a_move_binds_the_suite_that_this_plan_made(bench: Bench) -> None:
    bench.remote.put("case", "x", 41)
    bench.state = state_of(**{"case.x": 41})
    bench.run(new("suite.a"), edit("case.x", 41, Action.MOVE, ["suite.a"], suite={"known_after_apply": "suite.a"}))
    assert bench.remote.objects["case"][41].attributes["suite"] == bench.id("suite.a")


def test_what_a_kind_wants_in_every_patch_comes_from_qase(bench: Bench) -> None:
    hash = "ab" * 20
    bench.remote.put("shared_step", "Sign in", hash)
    bench.state = state_of(**{"shared_step.s": hash})
    bench.run(edit("shared_step.s", hash, steps=[{"action": "Open"}]))
    assert bench.remote.calls[0][2] == (hash, {"title": "Sign in", "steps": [{"action": "Open"}]})


def test_it_is_read_when_the_snapshot_does_not_have_it(bench: Bench) -> None:
    hash = "ab" * 20
    bench.state = state_of(**{"shared_step.s": hash})
    plan = plan_of(edit("shared_step.s", hash, steps=[{"action": "Open"}]))
    header = bench.header(plan)
    bench.remote.put("shared_step", "Sign in", hash)
    bench.header = lambda plan: header  # type: ignore[method-assign]
    bench.run_plan(plan)
    assert bench.remote.calls[0][2][1]["title"] == "Sign in"


def test_an_update_that_may_have_happened_is_unknown_and_an_absent_object_fails(bench: Bench) -> None:
    bench.remote.put("case", "a", 1)
    bench.state = state_of(**{"case.a": 1, "case.b": 2})
    bench.remote.after.append(fail_on(1, NoAnswer("cut", ambiguous=True)))
    bench.remote.read_faults.append(lambda verb, detail: unreadable(verb, detail) if detail == ("case", 1) else None)
    report = bench.run(edit("case.a", 1, title="A"), edit("case.b", 2, title="B"))
    assert statuses(report) == {"case.a": "unknown", "case.b": "failed"}
    assert operation(report, "case.b").problem.code == "not_found"
    assert bench.state.bindings["case.a"].sent == {}


def test_a_change_that_the_plan_blocks_is_reported_and_does_not_stop_what_only_refers_to_it(bench: Bench) -> None:
    bench.remote.put("suite", "a", 5)
    bench.state = state_of(**{"suite.a": 5})
    conflict = Blocked("conflict", "title changed on both sides")
    report = bench.run(
        edit("suite.a", 5, title="A", blocked=conflict),
        new("case.x", ["suite.a"], suite="suite.a"),
    )
    assert statuses(report) == {"suite.a": "blocked", "case.x": "done"}
    assert operation(report, "suite.a").cause == "conflict: title changed on both sides"
    assert report.exit_code == 6


def test_only_blocked_entries_are_a_refusal(bench: Bench) -> None:
    bench.state = state_of(**{"suite.a": 5})
    report = bench.run(edit("suite.a", 5, title="A", blocked=Blocked("conflict", "both")))
    assert (report.exit_code, report.blocked, bench.remote.calls) == (4, 1, [])
    assert bench.saves == []


def test_what_a_blocked_create_would_have_made_is_missed(bench: Bench) -> None:
    blocked = replace(new("suite.a"), blocked=Blocked("possible_rename", "?"))
    report = bench.run(blocked, new("case.x", ["suite.a"], suite={"known_after_apply": "suite.a"}), new("case.y"))
    assert statuses(report) == {"suite.a": "blocked", "case.x": "blocked", "case.y": "done"}


# -- the state alone


def test_adoption_without_a_difference_takes_no_call_and_records_what_agrees(bench: Bench) -> None:
    bench.remote.put("case", "x", 41)
    change = Change("case.x", Action.ADOPT, 41, Reason.ADOPTED, precondition="p")
    report = bench.run(change, observed={"case.x": {"title": "x"}})
    assert bench.remote.calls == []
    assert (bench.id("case.x"), bench.state.bindings["case.x"].sent) == (41, {"title": "x"})
    assert (report.adopted, report.applied) == (1, 0)


def test_adoption_with_a_difference_is_one_patch(bench: Bench) -> None:
    bench.remote.put("case", "x", 41, severity="minor")
    report = bench.run(edit("case.x", 41, Action.ADOPT, severity="major"), observed={"case.x": {"title": "x"}})
    assert bench.remote.calls == [("update", "case", (41, {"severity": "major"}))]
    assert bench.state.bindings["case.x"].sent == {"severity": "major", "title": "x"}
    assert report.adopted == 1


def test_an_adoption_that_fails_binds_nothing(bench: Bench) -> None:
    bench.remote.faults.append(fail_on(41, Rejected("no", status=422)))
    bench.remote.put("case", "x", 41)
    report = bench.run(edit("case.x", 41, Action.ADOPT, severity="major"), observed={"case.x": {"title": "x"}})
    assert bench.state.bindings == {}
    assert (report.adopted, report.applied, report.failed) == (0, 0, 1)


def test_forgetting_and_renaming_take_no_call(bench: Bench) -> None:
    bench.state = state_of(**{"case.old": 1, "case.pay": 2, "plan.p": Binding(3, depends_on=["case.pay", "case.z"])})
    report = bench.run(
        Change("case.old", Action.FORGET, 1, Reason.UNDECLARED),
        Change("case.pay-by-card", Action.NO_OP, 2, Reason.MOVED, moved_from="case.pay"),
        desired=desired_of(moved=(moved("case.pay", "case.pay-by-card"),)),
    )
    assert set(statuses(report).values()) == {"done"}
    assert sorted(bench.state.bindings) == ["case.pay-by-card", "plan.p"]
    assert bench.state.bindings["plan.p"].depends_on == ["case.pay-by-card", "case.z"]
    assert bench.state.moved == ["case.pay -> case.pay-by-card"]
    assert not bench.journal_path.exists()
    assert bench.state.serial == 5


def test_forgetting_alone_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"case.old": 1})
    bench.run(Change("case.old", Action.FORGET, 1, Reason.UNDECLARED))
    assert bench.saves == [(5, 0)]
    bench.run(Change("case.old", Action.FORGET, 1, Reason.UNDECLARED))
    assert bench.saves == [(5, 0)]


def test_two_keys_can_swap(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 1, "case.b": 2})
    bench.run(
        Change("case.b", Action.NO_OP, 1, Reason.MOVED, moved_from="case.a"),
        Change("case.a", Action.NO_OP, 2, Reason.MOVED, moved_from="case.b"),
        desired=desired_of(moved=(moved("case.a", "case.b"), moved("case.b", "case.a"))),
    )
    assert (bench.id("case.a"), bench.id("case.b")) == (2, 1)
    assert bench.state.moved == ["case.a -> case.b", "case.b -> case.a"]


def test_a_rename_holds_even_when_the_rest_of_the_change_is_blocked(bench: Bench) -> None:
    bench.state = state_of(**{"suite.a": 1, "suite.a/x": 2})
    bench.run(
        Change("suite.b", Action.NO_OP, 1, Reason.MOVED, moved_from="suite.a"),
        edit("suite.b/x", 2, title="t", blocked=Blocked("conflict", "c"), moved_from="suite.a/x"),
        desired=desired_of(moved=(moved("suite.a", "suite.b"),)),
    )
    assert sorted(bench.state.bindings) == ["suite.b", "suite.b/x"]
    assert bench.state.moved == ["suite.a -> suite.b"]


def test_an_entry_of_moved_stays_due_while_something_below_it_is_left(bench: Bench) -> None:
    bench.state = state_of(**{"suite.a": 1, "suite.a/x": 2})
    bench.run(
        Change("suite.b", Action.NO_OP, 1, Reason.MOVED, moved_from="suite.a"),
        desired=desired_of(moved=(moved("suite.q", "suite.r"), moved("suite.a/x", "suite.b/x"))),
    )
    assert bench.state.moved == ["suite.q -> suite.r"]


def test_agreement_is_recorded_and_a_served_form_goes_when_it_is_no_other(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, severity="major", description="D*")
    bench.state = state_of(
        **{"case.x": Binding(1, {"title": "y", "description": "D"}, {"title": "Y", "description": "D*"})}
    )
    bench.run(observed={"case.x": {"title": "x", "severity": "major", "description": "D"}, "case.q": {"title": "q"}})
    binding = bench.state.bindings["case.x"]
    assert binding.sent == {"title": "x", "severity": "major", "description": "D"}
    assert binding.served == {"description": "D*"}
    assert bench.state.serial == 5


def test_nothing_to_do_writes_nothing(bench: Bench) -> None:
    bench.remote.put("case", "x", 1)
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"})})
    report = bench.run(desired=desired_of(resource("case.x", title="x")), observed={"case.x": {"title": "x"}})
    assert (bench.saves, bench.state.serial, report.exit_code, report.operations) == ([], 4, 0, ())
    assert not bench.journal_path.exists()


def test_what_both_sides_changed_alike_takes_no_call(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": 1})
    report = bench.run(edit("case.x", 1, title="new", both=["title"]))
    assert (bench.remote.calls, bench.state.bindings["case.x"].sent) == ([], {"title": "new"})
    assert report.applied == 1


def test_an_adoption_that_refers_to_nothing_fails(bench: Bench) -> None:
    report = bench.run(edit("case.x", 1, Action.ADOPT, milestone="milestone.gone", both=["milestone"]))
    assert operation(report, "case.x").problem.code == "unbound_reference"
    assert bench.state.bindings == {}


def test_a_change_without_the_id_of_its_object_fails(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 1, "case.b": 2, "case.c": 3})
    changes = [edit("case.a", 1, title="A"), drop("case.b", 2), Change("case.c", Action.FORGET, 3, Reason.UNDECLARED)]
    report = bench.run(*[replace(change, id=None) for change in changes])
    assert set(statuses(report).values()) == {"failed"}
    assert len(bench.state.bindings) == 3 and bench.remote.calls == []


def test_references_of_what_failed_stay_as_they_were(bench: Bench) -> None:
    bench.remote.faults.append(fail_on(1, Rejected("no", status=422)))
    bench.state = state_of(**{"case.x": Binding(1, depends_on=["suite.a"]), "case.y": Binding(2), "suite.b": 3})
    suite = {"address": "suite.b"}
    declared = desired_of(resource("case.x", suite=suite), resource("case.y", suite=suite), resource("case.new"))
    bench.run(edit("case.x", 1, Action.MOVE, suite="suite.b"), desired=declared)
    assert bench.state.bindings["case.x"].depends_on == ["suite.a"]
    assert bench.state.bindings["case.y"].depends_on == ["suite.b"]


# -- read back


def test_only_what_is_served_in_another_form_is_kept_as_served(bench: Bench) -> None:
    bench.remote.serve = lambda kind, attributes: {
        name: value.replace("_", "\\_") + "  " if isinstance(value, str) else value
        for name, value in attributes.items()
    }
    bench.run(new("case.x", title="a_b", description="plain"))
    assert bench.state.bindings["case.x"].served == {"title": "a\\_b  "}


def test_a_served_form_goes_when_the_same_value_is_sent_again_and_served_as_it_is(bench: Bench) -> None:
    bench.remote.put("case", "drifted", 1)
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"}, {"title": "X"})})
    bench.run(edit("case.x", 1, title="x"))
    assert bench.state.bindings["case.x"].served == {}
    assert bench.state.serial == 5


def test_what_qase_does_not_show_says_nothing(bench: Bench) -> None:
    bench.remote.serve = lambda kind, attributes: {n: v for n, v in attributes.items() if n != "description"}
    report = bench.run(new("case.x", description="d"))
    assert (bench.state.bindings["case.x"].served, report.exit_code) == ({}, 0)


def test_somebody_elses_edit_of_another_attribute_is_not_taken_for_what_qase_made_of_ours(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, description="edited in Qase")
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x", "description": "ours"})})
    bench.run(edit("case.x", 1, title="y"))
    assert bench.state.bindings["case.x"].served == {}


@pytest.mark.parametrize(("count", "expected"), [(2, ["read", "read"]), (3, ["read_all"])])
def test_what_takes_fewer_requests_is_read(bench: Bench, count: int, expected: list[str]) -> None:
    for n in range(PAGE):
        bench.remote.put("suite", f"old{n}")
    bench.run(*[new(f"suite.s{n}") for n in range(count)])
    assert [verb for verb, _ in bench.remote.reads] == expected


def test_many_are_read_by_the_list(bench: Bench) -> None:
    bench.run(*[new(f"case.c{n}") for n in range(30)])
    assert bench.remote.reads == [("read_all", "case")]


def test_a_failed_read_back_is_a_warning(bench: Bench) -> None:
    def refuse(verb: str, detail: object) -> None:
        raise ServerFault("500 for you", status=500)

    bench.remote.read_faults.append(refuse)
    report = bench.run(new("suite.a"))
    assert (report.exit_code, report.applied) == (0, 1)
    assert "500 for you" in report.warnings[0]
    assert any(isinstance(event, Warned) for event in bench.events)
    assert bench.saves


def test_an_object_that_is_gone_again_is_a_warning(bench: Bench) -> None:
    bench.remote.after.append(lambda verb, kind, detail: bench.remote.objects["suite"].clear())
    report = bench.run(new("suite.a"))
    assert report.exit_code == 0
    assert "suite.a" in report.warnings[0]


def test_what_the_server_silently_leaves_is_a_failure_that_the_state_remembers(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, milestone=9, severity="minor")
    bench.remote.stubborn.add(("case", "milestone"))
    bench.state = state_of(**{"case.x": Binding(1, {"milestone": 9, "severity": "minor"})})
    report = bench.run(edit("case.x", 1, milestone=None, severity="major"))
    failed = operation(report, "case.x")
    assert (str(failed.status), failed.problem.code, report.exit_code) == ("failed", "not_supported_by_server", 6)
    assert "milestone" in failed.cause and "severity" not in failed.cause
    binding = bench.state.bindings["case.x"]
    assert binding.unsupported == {"milestone": None}
    assert binding.sent == {"milestone": 9, "severity": "major"}
    assert binding.served == {}


def test_without_history_what_the_server_left_is_not_recorded_as_sent(bench: Bench) -> None:
    bench.remote.put("milestone", "m", 1, due_date="2026-01-01")
    bench.remote.stubborn.add(("milestone", "due_date"))
    bench.state = state_of(**{"milestone.m": 1})
    bench.run(edit("milestone.m", 1, due_date=None))
    binding = bench.state.bindings["milestone.m"]
    assert (binding.sent, binding.unsupported) == ({}, {"due_date": None})


def test_a_certain_attribute_that_comes_back_changed_is_only_served_so(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, severity="minor")
    bench.remote.stubborn.add(("case", "severity"))
    bench.state = state_of(**{"case.x": 1})
    report = bench.run(edit("case.x", 1, severity="major"))
    assert report.exit_code == 0
    assert bench.state.bindings["case.x"].served == {"severity": "minor"}


def test_when_nobody_knows_whether_the_rest_was_taken_it_is_unknown(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, milestone=9)
    bench.state = state_of(**{"case.x": Binding(1, {"milestone": 9})})
    answers = iter([Rejected("No.", status=422, field_errors=(("milestone_id", "must be a number"),)), None])

    def fault(verb: str, kind: str, detail: object) -> None:
        raise next(answers) or NoAnswer("cut", ambiguous=True)

    bench.remote.faults.append(fault)
    report = bench.run(edit("case.x", 1, title="y", milestone=None))
    assert statuses(report) == {"case.x": "unknown"}
    assert bench.state.bindings["case.x"].unsupported == {}
    assert read_journal(bench.journal_path) is not None


def test_what_was_refused_once_and_is_taken_now_is_no_longer_remembered(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, milestone=9)
    bench.state = state_of(**{"case.x": Binding(1, {"milestone": 9}, unsupported={"milestone": None})})
    report = bench.run(edit("case.x", 1, milestone=None))
    assert report.exit_code == 0
    assert bench.state.bindings["case.x"].unsupported == {}


# -- what vouches for members


def test_a_plan_that_was_written_is_vouched_for_by_its_date_and_count(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 50, "case.b": 51})
    bench.run(*[new(f"plan.p{n}", cases=["case.a", "case.b"]) for n in range(3)])
    live = bench.remote.objects["plan"][bench.id("plan.p0")]
    assert bench.state.bindings["plan.p0"].meta == {"updated_at": live.meta["updated_at"], "cases_count": 2}


def test_members_that_differ_from_what_was_sent_are_not_vouched_for(bench: Bench) -> None:
    bench.remote.put("plan", "p", 7, meta={"updated_at": "t0", "cases_count": 1}, cases=[99])
    sent = {"title": "p", "cases": [50]}
    bench.state = state_of(**{"plan.p": Binding(7, sent, meta={"updated_at": "t0", "cases_count": 1})})
    bench.run(edit("plan.p", 7, title="P"))
    assert bench.state.bindings["plan.p"].meta == {}


def test_members_that_were_read_again_and_are_the_same_are_vouched_for_anew(bench: Bench) -> None:
    bench.remote.put("plan", "p", 7, meta={"updated_at": "t5", "cases_count": 1}, cases=[50])
    bench.state = state_of(**{"plan.p": Binding(7, {"cases": [50]}, meta={"updated_at": "t0", "cases_count": 1})})
    bench.run()
    assert bench.state.bindings["plan.p"].meta == {"updated_at": "t5", "cases_count": 1}


def test_not_found_on_an_update_does_not_touch_the_binding(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"})})
    bench.remote.faults.append(fail_on(1, NotFound("gone", status=404)))
    bench.run(edit("case.x", 1, title="y"))
    assert bench.state.bindings["case.x"].sent == {"title": "x"}
