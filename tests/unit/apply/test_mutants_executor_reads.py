"""What mutants of the newer parts of the executor survived (docs/mutants.md): what is read, waited for and said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from apply_world import (
    Bench,
    MemoryRemote,
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

from qase_iac.apply import looking
from qase_iac.apply.events import Finished, Looked, OperationBlocked, OperationFailed, event_json
from qase_iac.apply.executor import execute
from qase_iac.apply.guard import check_brake, check_number, verify_preconditions
from qase_iac.apply.looking import LATE_SINGLE, MOST_BLIND
from qase_iac.apply.report import Altered, Report, Status
from qase_iac.errors import NoAnswer, NotFound, SafetyRefusal, ServerFault, StalePlan, StateLocked
from qase_iac.model import LiveObject, Policy
from qase_iac.plan.digests import digest, live_digest
from qase_iac.plan.model import Action, Plan, Reason
from qase_iac.state.journal import Contents, Journal
from qase_iac.state.model import Binding, State

LOST = NoAnswer("The connection was dropped.", ambiguous=True)
SHARED = "ab" * 20


def carry_out(bench: Bench, plan: Plan, **more: Any) -> Report:
    given = dict(
        bulk_size=100, read_file=bench._read_file, now=lambda: "t", interrupted=lambda: False, sleep=bench.slept.append
    )
    journal = Journal(bench.journal_path, bench.header(plan))
    listen = bench.events.append
    return execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, on_event=listen, **given | more)  # type: ignore[arg-type]


# -- the brake


def brake(plan: Plan, state: State, named: int | None) -> str | None:
    try:
        check_number(plan, state, named)
    except SafetyRefusal as refusal:
        return refusal.summary
    return None


def test_whoever_deletes_everything_names_the_number() -> None:
    plan, state = plan_of(drop("case.a", 1), drop("case.b", 2)), state_of(**{"case.a": 1, "case.b": 2})
    assert brake(plan, state, 2) is None
    assert brake(plan_of(), state, None) is None
    for named in (None, 0, 1, 3):
        assert brake(plan, state, named) == "The plan deletes 2 of 2 bound objects (100%)."
    assert brake(plan_of(drop("case.a", 1)), state_of(**{"case.a": 1}), None) == (
        "The plan deletes 1 of 1 bound object (100%)."
    )


def test_what_is_made_again_is_counted_beside_what_is_deleted() -> None:
    again = replace(new("case.v"), reason=Reason.VANISHED)
    state = state_of(**{f"case.c{n}": n for n in range(1, 11)})
    made = "makes 1 again that vanished from Qase"
    assert brake(plan_of(again), state, None) == f"The plan {made}, of 10 bound objects (10%)."
    assert brake(plan_of(again, drop("case.c1", 1)), state, None) == (
        f"The plan deletes 1 and {made}, together 2 of 10 bound objects (20%)."
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "- suite.s 'suite.s'"),
        (1, "- suite.s 'suite.s': case.u1 hangs on it"),
        (3, "- suite.s 'suite.s': case.u1, case.u2, case.u3 hang on it"),
        (4, "- suite.s 'suite.s': case.u1, case.u2, case.u3 and 1 more hang on it"),
    ],
)
def test_the_brake_says_what_hangs_on_what_goes(count: int, words: str) -> None:
    users = {f"case.u{n}": Binding(n, depends_on=["suite.s"]) for n in range(1, count + 1)}
    state = state_of(**{"suite.s": 900, **users})
    with pytest.raises(SafetyRefusal) as refused:
        check_brake(plan_of(drop("suite.s", 900)), state, Policy(max_deletes=0))
    assert refused.value.detail == words


# -- what somebody put meanwhile where a saved plan deletes


def newly_hanging(*cases: int, state: State | None = None, **more: Any) -> str:
    remote = MemoryRemote()
    remote.put("suite", "s", 7)
    for id in cases:
        remote.put("case", f"c{id}", id, suite=7)
    snapshot = remote.look()
    gone = replace(drop("suite.s", 7), precondition=live_digest(snapshot.objects["suite"][7]))
    with pytest.raises(StalePlan) as caught:
        verify_preconditions(plan_of(gone, **more), snapshot, live_digest, state or state_of(**{"suite.s": 7}))
    return caught.value.detail


def test_what_hangs_on_a_deleted_object_by_now_makes_a_plan_stale() -> None:
    assert newly_hanging(41) == "- case 41 'c41' (not managed) hangs on suite.s (id 7) now, which the plan deletes"
    assert newly_hanging(41, 42) == (
        "- case 41 'c41' (not managed), case 42 'c42' (not managed) hang on suite.s (id 7) now, which the plan deletes"
    )
    bound = state_of(**{"suite.s": 7, "case.mine": 41})
    assert newly_hanging(41, state=bound) == "- case.mine hangs on suite.s (id 7) now, which the plan deletes"


def test_what_goes_or_moves_with_the_plan_makes_none_stale() -> None:
    remote = MemoryRemote()
    remote.put("suite", "s", 7)
    remote.put("case", "a", 41, suite=7)
    remote.put("case", "b", 42, suite=7)
    snapshot = remote.look()
    changes = [drop("case.a", 41), edit("case.b", 42, Action.MOVE, suite=None), drop("suite.s", 7)]
    sealed = [
        replace(each, precondition=live_digest(snapshot.objects[each.kind][each.id])) for each in changes if each.id
    ]
    verify_preconditions(plan_of(*sealed), snapshot, live_digest, state_of(**{"suite.s": 7, "case.a": 41}))


# -- a milestone that is used


def test_a_milestone_that_cases_have_is_not_deleted(bench: Bench) -> None:
    bench.remote.put("milestone", "m", 3)
    bench.remote.put("case", "mine", 41, milestone=3)
    bench.remote.put("case", "theirs", 42, milestone=3)
    bench.state = state_of(**{"milestone.m": 3, "case.mine": 41})
    problem = operation(bench.run(drop("milestone.m", 3)), "milestone.m").problem
    assert (problem.code, problem.by) == ("milestone_in_use", ("case.mine",))
    assert problem.reason == "It is still used by cases 41, 42. Qase would clear it there."
    assert bench.remote.calls == []


def test_a_milestone_goes_once_nobody_has_it(bench: Bench) -> None:
    bench.remote.put("milestone", "m", 3)
    bench.remote.put("case", "a", 41, milestone=3)
    bench.state = state_of(**{"milestone.m": 3, "case.a": 41})
    bench.remote.after.append(lambda verb, kind, detail: bench.remote.put("case", "a", 41, milestone=3) and None)
    assert statuses(bench.run(drop("case.a", 41), drop("milestone.m", 3))) == {"case.a": "done", "milestone.m": "done"}


def test_only_what_is_used_by_others_is_looked_at_before_it_goes(bench: Bench) -> None:
    bench.remote.put("case", "a", 41)
    bench.state = state_of(**{"case.a": 41})
    bench.run(drop("case.a", 41))
    assert bench.remote.reads == []


def test_what_could_not_be_looked_at_says_why_it_was_not_deleted(bench: Bench) -> None:
    bench.remote.put("milestone", "m", 3)
    bench.state = state_of(**{"milestone.m": 3})
    bench.remote.read_faults.append(unreadable)
    problem = operation(bench.run(drop("milestone.m", 3)), "milestone.m").problem
    assert (problem.code, problem.hint) == (
        "server_fault",
        "What hangs on it could not be read, so it was not deleted.",
    )


def test_what_is_gone_already_when_it_is_looked_at_holds_nothing(bench: Bench) -> None:
    def gone(verb: str, detail: object) -> None:
        if verb == "users":
            raise NotFound("Not found.", status=404)

    bench.remote.exists()
    bench.state = state_of(**{"milestone.m": 3})
    bench.remote.read_faults.append(gone)
    assert statuses(bench.run(drop("milestone.m", 3))) == {"milestone.m": "done"}


# -- events


@pytest.mark.parametrize(
    ("code", "failed", "blocked"),
    [
        ("rejected", "api", "api"),
        ("access_denied", "access", "access"),
        ("dependency_failed", "dependency", "dependency"),
        ("file-changed", "stale", "stale"),
        ("what nobody knows", "other", "safety"),
    ],
)
def test_what_fails_says_of_which_class_it_is(code: str, failed: str, blocked: str) -> None:
    failure = OperationFailed("case.a", Action.UPDATE, Status.FAILED, code, "r", 1, 2)
    assert event_json(failure, "t")["failure_class"] == failed
    assert event_json(OperationBlocked("case.a", Action.UPDATE, code, "r", 1, 2), "t")["failure_class"] == blocked


@pytest.mark.parametrize(
    ("failed", "blocked", "interrupted", "found"),
    [
        (0, 0, False, None),
        (1, 0, False, "partial"),
        (0, 1, False, "partial"),
        (1, 1, True, "interrupted"),
        (0, 0, True, "interrupted"),
    ],
)
def test_the_end_of_a_run_says_of_which_class_it_is(
    failed: int, blocked: int, interrupted: bool, found: str | None
) -> None:
    assert event_json(Finished(3, failed, blocked, 0, 4, interrupted), "t")["failure_class"] == found


# -- a run that may no longer write


def test_a_run_that_lost_its_lock_sends_nothing_more(bench: Bench) -> None:
    taken = StateLocked("Somebody took the lock.")
    report = carry_out(
        bench, plan_of(new("suite.a"), new("suite.b")), lost=lambda: taken if bench.remote.calls else None, bulk_size=1
    )
    assert statuses(report) == {"suite.a": "done", "suite.b": "blocked"}
    assert report.halted is not None and report.halted.reason == "Somebody took the lock."
    assert (report.exit_code, report.interrupted) == (7, False)


def test_what_a_run_is_going_to_do_is_announced_before_its_first_call(bench: Bench) -> None:
    bench.state = state_of(**{"case.old": 41, "case.b": 42, "suite.there": 4})
    bench.remote.put("case", "t", 41)
    bench.remote.put("case", "b", 42)
    told: list[tuple[int, Contents]] = []
    renamed = edit("case.a", 41, attachments=["gone.png"], title="T", suite={"known_after_apply": "suite.s"})
    carry_out(
        bench,
        plan_of(
            new("suite.s", title="S"),
            new("suite.s/t", parent={"known_after_apply": "suite.s"}),
            replace(renamed, moved_from="case.old"),
            edit(
                "case.b", 42, suite="suite.there", milestone={"external_id": 5}, description="d", both=["description"]
            ),
        ),
        announce=lambda whole: told.append((len(bench.remote.calls), whole)),
    )
    ((calls, whole),) = told
    assert calls == 0
    names, planned = whole.records
    assert names["renamed"] == [["case.old", "case.a", 41]]
    assert [(each["address"], each["title"], each.get("parent"), each.get("id")) for each in planned["items"]] == [
        ("suite.s", "S", None, None),
        ("suite.s/t", "s/t", "suite.s", None),
        ("case.a", "T", "suite.s", 41),
        ("case.b", "case.b", 4, 42),
    ]
    assert [each["record"]["sent"] for each in planned["items"][2:]] == [
        {"title": "T", "suite": {"known_after_apply": "suite.s"}},
        {"suite": 4, "milestone": 5, "description": "d"},
    ]
    assert planned["items"][3]["digest"] == digest({"suite": 4, "milestone": 5})


def test_a_run_without_calls_announces_nothing(bench: Bench) -> None:
    told: list[Contents] = []
    carry_out(bench, plan_of(edit("case.a", 41, Action.ADOPT)), announce=told.append)
    assert told == []


# -- what is noted at the end


def test_what_is_not_compared_is_noted_for_the_day_of_its_delete(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1)})
    bench.run(desired=desired_of(replace(resource("case.x"), ignore=frozenset({"tags", "severity"}))))
    assert (bench.state.bindings["case.x"].ignore, bench.saves) == (["severity", "tags"], [(5, 1)])
    bench.run(desired=desired_of(replace(resource("case.x"), ignore=frozenset({"tags", "severity"}))))
    assert bench.saves == [(5, 1)]


def test_what_qase_made_of_a_value_is_reported(bench: Bench) -> None:
    bench.remote.serve = lambda kind, attributes: {**attributes, "title": "X!"}
    assert bench.run(new("case.x")).altered == (Altered("case.x", "title", "x", "X!"),)


# -- a list that lags


def lagging(bench: Bench, count: int, until: float, **old: Any) -> list[Any]:
    """So many cases, and a list that shows them as they were until so many seconds were waited."""
    for id in range(1, count + 1):
        bench.remote.put("case", f"c{id}", id, severity="minor")
    bench.state = state_of(**{f"case.c{id}": Binding(id, {"severity": "minor"}) for id in range(1, count + 1)})
    whole = bench.remote.read_all

    def read_all(kind: str) -> dict[Any, LiveObject]:
        found = whole(kind)
        if sum(bench.slept) >= until:
            return found
        return {id: replace(live, attributes={**live.attributes, "severity": "minor"}) for id, live in found.items()}

    bench.remote.read_all = read_all  # type: ignore[method-assign]
    return [edit(f"case.c{id}", id, severity="major", before={"severity": "minor"}) for id in range(1, count + 1)]


def listed(bench: Bench) -> tuple[int, int]:
    verbs = [verb for verb, _ in bench.remote.reads]
    return verbs.count("read_all"), verbs.count("read")


def test_many_that_a_list_shows_as_they_were_are_listed_again_a_moment_later(bench: Bench) -> None:
    report = bench.run(*lagging(bench, 12, LATE_SINGLE))
    assert (report.exit_code, report.altered, bench.slept) == (0, (), [LATE_SINGLE])
    assert listed(bench) == (2, 0)


def test_those_that_the_list_never_shows_are_read_one_by_one(bench: Bench) -> None:
    report = bench.run(*lagging(bench, 12, 1000.0))
    assert (report.exit_code, report.altered, bench.slept) == (0, (), [LATE_SINGLE])
    assert listed(bench) == (2, 12)


def test_few_that_a_list_does_not_show_as_sent_are_read_one_by_one_at_once(bench: Bench) -> None:
    changes = lagging(bench, 12, 0.0)
    bench.remote.serve = lambda kind, given: {**given, "severity": "blocker"} if len(bench.remote.calls) < 3 else given
    report = bench.run(*changes)
    assert [each.address for each in report.altered] == ["case.c1", "case.c2"]
    assert (bench.slept, listed(bench)) == ([], (1, 2))


def test_many_that_qase_serves_in_another_form_are_not_read_one_by_one(bench: Bench) -> None:
    changes = lagging(bench, 12, 0.0)
    bench.remote.serve = lambda kind, given: {**given, "severity": "blocker"}
    report = bench.run(*changes)
    assert (len(report.altered), bench.slept, listed(bench)) == (12, [LATE_SINGLE], (2, 0))


# -- looking for what was not answered


def test_after_a_call_that_qase_could_not_be_asked_about_the_next_is_sent(bench: Bench) -> None:
    bench.remote.faults.append(lambda verb, kind, detail: (_ for _ in ()).throw(LOST))
    bench.remote.read_faults.append(unreadable)
    report = bench.run(*[new(f"suite.s{n}") for n in range(MOST_BLIND + 2)], bulk_size=1)
    assert list(statuses(report).values()) == ["unknown"] * MOST_BLIND + ["blocked"] * 2
    assert report.halted is not None
    assert (report.halted.code, report.halted.hint) == (
        "api_unavailable",
        "Run the command again when Qase is back.",
    )


def test_a_wait_that_is_over_is_followed_by_one_reading_of_everything_and_no_more(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    bench.run(new("case.x"))
    assert [verb for verb, _ in bench.remote.reads] == ["grew", "grew", "grew", "read_all"]
    assert (sum(bench.slept), min(bench.slept)) == (LATE_SINGLE, 0.25)


def test_a_fault_of_the_server_that_was_found_done_is_done(bench: Bench) -> None:
    bench.remote.after.append(fail_on("x", ServerFault("Broken.", status=500, ambiguous=True)))
    assert statuses(bench.run(new("case.x"))) == {"case.x": "done"}


def test_the_last_second_of_a_wait_is_waited(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LATE_SINGLE", 8.0)
    bench.remote.faults.append(fail_on("x", LOST))
    bench.run(new("case.x"))
    assert [verb for verb, _ in bench.remote.reads] == ["grew"] * 4 + ["read_all"]
    assert [event.seconds for event in bench.events if isinstance(event, Looked)] == [8.0]
    assert sum(bench.slept) == 8.0


def test_ctrl_c_ends_the_asking_too(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    bench.stop_after = 1
    bench.run(new("case.x"))
    assert [verb for verb, _ in bench.remote.reads] == ["grew"]


def test_one_that_a_list_does_not_show_is_read_by_itself(bench: Bench) -> None:
    whole = bench.remote.read_all
    bench.remote.read_all = lambda kind: dict(list(whole(kind).items())[1:])  # type: ignore[method-assign]
    report = bench.run(*[new(f"case.c{n}") for n in range(12)])
    assert (report.exit_code, report.warnings, bench.slept, listed(bench)) == (0, (), [], (1, 1))
