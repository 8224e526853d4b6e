"""Deletes: what stands in their way, and where Qase is to put what is left."""

from __future__ import annotations

import pytest
from apply_world import Bench, drop, edit, fail_on, operation, state_of, statuses

from qase_iac.errors import AccessDenied, Interrupted, NoAnswer, NotFound, Rejected, ServerFault
from qase_iac.plan.model import Action, Blocked
from qase_iac.state.model import Binding

HASH = "ab" * 20


def test_cases_go_before_their_suite_and_a_case_that_is_gone_is_done(bench: Bench) -> None:
    bench.remote.exists()
    bench.remote.put("suite", "s", 5)
    bench.remote.put("case", "a", 6, suite=5)
    bench.state = state_of(**{"suite.s": 5, "case.a": 6, "case.b": 7})
    report = bench.run(drop("case.a", 6), drop("case.b", 7), drop("suite.s", 5, ["case.a", "case.b"]))
    assert set(statuses(report).values()) == {"done"}
    assert bench.state.bindings == {}
    assert report.exit_code == 0
    assert [call[2] for call in bench.remote.calls] == [6, 7, 5]


def test_a_suite_with_anything_left_in_it_stays(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("suite", "inner", 8, parent=5)
    bench.remote.put("case", "a", 6, suite=5)
    bench.remote.put("case", "new in Qase", 9, suite=5)
    bench.state = state_of(**{"suite.s": 5, "case.a": 6, "suite.inner": 8})
    report = bench.run(drop("case.a", 6), drop("suite.s", 5))
    blocked = operation(report, "suite.s")
    assert statuses(report) == {"case.a": "done", "suite.s": "blocked"}
    assert blocked.problem.code == "suite_not_empty"
    assert "case 9" in blocked.cause and "suite 8" in blocked.cause and "6" not in blocked.cause
    assert blocked.problem.by == ("suite.inner",)
    assert 5 in bench.remote.objects["suite"] and bench.id("suite.s") == 5
    assert report.exit_code == 6


def test_a_stale_list_that_still_shows_what_this_run_deleted_is_no_obstacle(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("case", "a", 6, suite=5)
    bench.state = state_of(**{"suite.s": 5, "case.a": 6})
    bench.remote.holds = lambda suite: ([6], [])  # type: ignore[method-assign]
    assert set(statuses(bench.run(drop("case.a", 6), drop("suite.s", 5))).values()) == {"done"}


def test_a_suite_that_cannot_be_looked_into_stays(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("suite", "t", 6)
    bench.state = state_of(**{"suite.s": 5, "suite.t": 6})

    def refuse(verb: str, detail: object) -> None:
        if detail == 5:
            raise ServerFault("502", status=502)

    bench.remote.read_faults.append(refuse)
    report = bench.run(drop("suite.s", 5), drop("suite.t", 6))
    assert statuses(report) == {"suite.s": "failed", "suite.t": "done"}


def test_a_suite_whose_content_is_gone_with_it_is_done(bench: Bench) -> None:
    bench.remote.exists()
    bench.remote.read_faults.append(gone_lists)
    bench.state = state_of(**{"suite.s": 5})
    assert statuses(bench.run(drop("suite.s", 5))) == {"suite.s": "done"}


def gone_lists(verb: str, detail: object) -> None:
    if verb in ("holds", "users"):
        raise NotFound("404", status=404)


def test_a_list_that_is_not_there_says_nothing_of_a_suite_that_is(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("case", "somebody else's", 6, suite=5)
    bench.remote.read_faults.append(gone_lists)
    bench.state = state_of(**{"suite.s": 5})
    report = bench.run(drop("suite.s", 5))
    assert statuses(report) == {"suite.s": "failed"} and 5 in bench.remote.objects["suite"]
    assert operation(report, "suite.s").problem.hint.startswith("What hangs on it could not be read")


def test_a_404_of_a_project_that_is_gone_deletes_nothing(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 6, "case.b": 7})
    report = bench.run(drop("case.a", 6), drop("case.b", 7))
    assert statuses(report) == {"case.a": "failed", "case.b": "blocked"}
    assert report.halted is not None and report.halted.code == "api_unavailable"
    assert "the project could not be read either: Qase has no project SHOP" in report.halted.reason
    assert set(bench.state.bindings) == {"case.a", "case.b"} and report.exit_code == 6
    assert [call[2] for call in bench.remote.calls] == [6]


@pytest.mark.parametrize(
    ("error", "code", "exit_code", "status"),
    [
        (ServerFault("502", status=502), "api_unavailable", 6, "failed"),
        (NoAnswer("lost"), "api_unavailable", 6, "failed"),
        (AccessDenied("401", status=401), "access_denied", 8, "failed"),
        (Interrupted("stop"), "interrupted", 130, "blocked"),
    ],
)
def test_a_404_is_not_believed_while_the_project_cannot_be_read(
    bench: Bench, error: Exception, code: str, exit_code: int, status: str
) -> None:
    def refuse(verb: str, detail: object) -> None:
        if detail == ("project", "SHOP"):
            raise error

    bench.remote.exists()
    bench.remote.read_faults.append(refuse)
    bench.state = state_of(**{"case.a": 6})
    report = bench.run(drop("case.a", 6))
    assert (statuses(report), report.exit_code) == ({"case.a": status}, exit_code)
    assert report.halted is not None and report.halted.code == code
    assert set(bench.state.bindings) == {"case.a"}


def test_the_project_is_asked_for_once_a_run_and_only_after_a_404(bench: Bench) -> None:
    bench.remote.exists()
    bench.remote.put("case", "a", 6)
    bench.state = state_of(**{"case.a": 6, "case.b": 7, "case.c": 8})
    assert set(statuses(bench.run(drop("case.a", 6))).values()) == {"done"}
    assert bench.remote.reads == []
    assert set(statuses(bench.run(drop("case.b", 7), drop("case.c", 8))).values()) == {"done"}
    assert bench.remote.reads == [("read", ("project", "SHOP"))]


def test_looking_may_be_refused_and_ends_the_run(bench: Bench) -> None:
    def refuse(verb: str, detail: object) -> None:
        raise AccessDenied("401", status=401)

    bench.remote.read_faults.append(refuse)
    bench.state = state_of(**{"suite.s": 5, "case.a": 6})
    report = bench.run(drop("suite.s", 5), drop("case.a", 6))
    assert statuses(report) == {"suite.s": "failed", "case.a": "blocked"}
    assert report.exit_code == 8


def test_ctrl_c_while_looking_is_no_failure(bench: Bench) -> None:
    def stop(verb: str, detail: object) -> None:
        raise Interrupted("stopped")

    bench.remote.read_faults.append(stop)
    bench.state = state_of(**{"suite.s": 5})
    report = bench.run(drop("suite.s", 5))
    assert (statuses(report), report.exit_code) == ({"suite.s": "blocked"}, 130)


def test_a_shared_step_that_is_gone_is_done(bench: Bench) -> None:
    bench.remote.exists()
    bench.state = state_of(**{"shared_step.s": HASH})
    assert statuses(bench.run(drop("shared_step.s", HASH))) == {"shared_step.s": "done"}
    assert bench.state.bindings == {}


def test_what_is_left_after_all_goes_to_the_nearest_suite_above_that_stays(bench: Bench) -> None:
    bench.remote.put("suite", "top", 3, parent=None)
    bench.remote.put("suite", "mid", 4, parent=3)
    bench.remote.put("suite", "low", 5, parent=4)
    bench.state = state_of(**{"suite.top": 3, "suite.mid": 4, "suite.low": 5})
    bench.run(drop("suite.low", 5), drop("suite.mid", 4, ["suite.low"]))
    assert bench.remote.destinations == [3, 3]


def test_a_suite_at_the_root_names_the_first_one_there_that_stays(bench: Bench) -> None:
    for id, title in ((2, "going too"), (9, "stays"), (4, "stays, and is lower"), (5, "going")):
        bench.remote.put("suite", title, id, parent=None)
    bench.remote.put("suite", "not at the root", 1, parent=9)
    bench.state = state_of(**{"suite.a": 5, "suite.b": 2})
    bench.run(drop("suite.a", 5), drop("suite.b", 2))
    assert bench.remote.destinations == [4, 4]


def test_the_last_suite_has_nowhere_to_send_anything(bench: Bench) -> None:
    bench.remote.put("suite", "only", 5, parent=None)
    bench.state = state_of(**{"suite.a": 5})
    assert statuses(bench.run(drop("suite.a", 5))) == {"suite.a": "done"}
    assert bench.remote.destinations == [None]


def test_where_a_suite_lies_is_what_qase_says_when_this_run_did_not_move_it(bench: Bench) -> None:
    bench.remote.put("suite", "was above", 3, parent=None)
    bench.remote.put("suite", "is above", 7, parent=None)
    bench.remote.put("suite", "going", 5, parent=7)
    bench.state = state_of(**{"suite.a": 3, "suite.b": 7, "suite.c": Binding(5, {"parent": 3})})
    bench.run(drop("suite.c", 5))
    assert bench.remote.destinations == [7]


def test_a_suite_that_moved_in_this_run_is_sought_where_it_is_now(bench: Bench) -> None:
    bench.remote.put("suite", "top", 3, parent=None)
    bench.remote.put("suite", "other", 7, parent=None)
    bench.remote.put("suite", "mid", 4, parent=3)
    bench.remote.put("suite", "low", 5, parent=4)
    bench.state = state_of(**{"suite.top": 3, "suite.other": 7, "suite.mid": 4, "suite.low": 5})
    bench.run(edit("suite.mid", 4, Action.MOVE, parent="suite.other"), drop("suite.low", 5))
    assert bench.remote.destinations == [4]
    assert bench.state.bindings["suite.mid"].sent == {"parent": 7}


def test_a_shared_step_in_use_stays_and_says_who_uses_it(bench: Bench) -> None:
    bench.remote.put("shared_step", "s", HASH, meta={"cases": [4, 9], "cases_count": 2})
    bench.state = state_of(**{"shared_step.s": HASH})
    report = bench.run(drop("shared_step.s", HASH))
    blocked = operation(report, "shared_step.s")
    assert blocked.problem.code == "shared_step_in_use"
    assert "2 cases (ids 4, 9)" in blocked.cause
    assert bench.remote.calls == [] and report.exit_code == 4


def test_a_shared_step_nobody_uses_goes_and_one_of_which_it_is_not_known_stays(bench: Bench) -> None:
    other = "cd" * 20
    bench.remote.put("shared_step", "s", HASH, meta={"cases": [], "cases_count": 0})
    bench.remote.put("shared_step", "t", other)
    bench.state = state_of(**{"shared_step.s": HASH, "shared_step.t": other})
    report = bench.run(drop("shared_step.s", HASH), drop("shared_step.t", other))
    assert statuses(report) == {"shared_step.s": "done", "shared_step.t": "blocked"}


def test_a_plan_with_cases_is_no_shared_step_in_use(bench: Bench) -> None:
    bench.remote.put("plan", "p", 5, meta={"cases_count": 3}, cases=[1, 2, 3])
    bench.state = state_of(**{"plan.p": 5})
    assert statuses(bench.run(drop("plan.p", 5))) == {"plan.p": "done"}


def test_a_case_stays_while_the_plan_that_should_have_let_go_of_it_holds_on(bench: Bench) -> None:
    bench.remote.put("case", "a", 6)
    bench.remote.put("plan", "p", 8, cases=[6, 7])
    bench.state = state_of(**{"case.a": 6, "plan.p": Binding(8, depends_on=["case.a"]), "case.b": 7})
    bench.remote.faults.append(fail_on(8, Rejected("no", status=422)))
    report = bench.run(edit("plan.p", 8, cases=["case.b"]), drop("case.a", 6))
    assert statuses(report) == {"plan.p": "failed", "case.a": "blocked"}
    assert operation(report, "case.a").problem.by == ("plan.p",)


def test_a_suite_stays_when_a_case_could_not_be_moved_out_of_it(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("suite", "t", 4)
    bench.remote.put("case", "a", 6, suite=5)
    bench.state = state_of(**{"suite.s": 5, "suite.t": 4, "case.a": Binding(6, {"suite": 5}, depends_on=["suite.s"])})
    bench.remote.faults.append(fail_on(6, NoAnswer("cut", ambiguous=True)))
    report = bench.run(edit("case.a", 6, Action.MOVE, suite="suite.t"), drop("suite.s", 5))
    assert statuses(report) == {"case.a": "unknown", "suite.s": "blocked"}
    assert ("holds", 5) not in bench.remote.reads


def test_a_delete_waits_for_a_user_that_the_plan_itself_had_blocked(bench: Bench) -> None:
    bench.remote.put("milestone", "m", 5)
    bench.state = state_of(**{"milestone.m": 5, "case.a": Binding(6, depends_on=["milestone.m"])})
    report = bench.run(edit("case.a", 6, milestone=None, blocked=Blocked("conflict", "c")), drop("milestone.m", 5))
    assert statuses(report) == {"case.a": "blocked", "milestone.m": "blocked"}


def test_a_delete_that_may_have_happened_is_unknown_and_stays_bound(bench: Bench) -> None:
    bench.remote.put("case", "a", 6)
    bench.state = state_of(**{"case.a": 6})
    bench.remote.after.append(fail_on(6, NoAnswer("cut", ambiguous=True)))
    assert statuses(bench.run(drop("case.a", 6))) == {"case.a": "unknown"}
    assert bench.id("case.a") == 6
    assert bench.journal_path.exists()


def test_a_blocked_delete_is_reported_with_the_plans_reason(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 6})
    report = bench.run(drop("case.a", 6, blocked=Blocked("protected", "protect: true", ("case.a",))))
    assert operation(report, "case.a").cause == "protected: protect: true"
    assert (report.exit_code, bench.remote.calls) == (4, [])
