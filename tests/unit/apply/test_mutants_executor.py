"""What mutants of the executor survived (docs/mutants.md): each test is the death of at least one."""

from __future__ import annotations

from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from apply_world import (
    LINEAGE,
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
)

from qase_iac.apply.deletes import NAMED
from qase_iac.apply.events import OperationBlocked, ReadBack, Saved, Uploaded, event_json
from qase_iac.apply.executor import execute
from qase_iac.apply.local import USED_PLANS
from qase_iac.apply.report import NOT_SUPPORTED, Operation, Problem, Report, Status, problem_of
from qase_iac.apply.run import SAVE_EVERY
from qase_iac.apply.sending import because_of, obstacle
from qase_iac.attributes import ResolveError
from qase_iac.diagnostics import SourceRange
from qase_iac.errors import AccessDenied, Interrupted, NoAnswer, QaseIacError, Rejected, ServerFault, StateError
from qase_iac.model import Moved
from qase_iac.plan.model import LEFT, Action, Blocked, Change, Reason
from qase_iac.state.journal import Journal, read_journal
from qase_iac.state.model import Binding, State
from qase_iac.values import Address

SHARED = "ab" * 20
SAVED_ONCE = [(5, 1)]


class Listening(Journal):
    """Keeps what was written, also when the run puts the file away."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.lines: list[dict[str, Any]] = []

    def _append(self, record: dict[str, Any]) -> None:
        self.lines.append(record)
        super()._append(record)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(line["status"], line.get("cause", "")) for line in self.lines if "outcome" in line]

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for line in self.lines for item in line.get("items", ())]


def carry_out(bench: Bench, *changes: Change, **more: object) -> tuple[Report, Listening]:
    plan = plan_of(*changes, **more)
    journal = Listening(bench.journal_path, bench.header(plan))
    report = execute(
        plan,
        desired_of(),
        bench.state,
        bench.remote,
        journal,
        bench._save,
        bulk_size=100,
        read_file=bench._read_file,
        now=lambda: "t",
        on_event=bench.events.append,
        interrupted=lambda: False,
        sleep=bench.slept.append,
    )
    return report, journal


def moved(origin: str, target: str) -> Moved:
    return Moved(Address.parse(origin), Address.parse(target), SourceRange("a.yaml", 1))


# -- whatever changes in the state is saved, though it be the only thing that does


def test_an_agreement_alone_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1, {"title": "old"})})
    bench.run(observed={"case.x": {"title": "x"}})
    assert bench.saves == SAVED_ONCE


def test_an_agreement_on_an_attribute_that_was_never_sent_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1)})
    bench.run(observed={"case.x": {"title": "x"}})
    assert bench.saves == SAVED_ONCE


def test_a_served_form_that_goes_is_saved(bench: Bench) -> None:
    bench.remote.put("case", "x", 1)
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"}, {"title": "X"})})
    bench.run(observed={"case.x": {"title": "x"}})
    assert (bench.saves, bench.state.bindings["case.x"].served) == (SAVED_ONCE, {})


def test_what_is_left_as_it_is_in_qase_is_noted_as_served_and_what_follows_is_agreed_on(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, description="theirs")
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"})})
    bench.run(observed={"case.x": {"description": LEFT, "severity": "major"}})
    binding = bench.state.bindings["case.x"]
    assert (binding.served, binding.sent) == ({"description": "theirs"}, {"title": "x", "severity": "major"})


def test_what_is_left_alone_is_saved_and_nothing_when_qase_does_not_have_it(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x"})})
    bench.run(observed={"case.x": {"description": LEFT}})
    assert (bench.saves, bench.state.bindings["case.x"].served) == (SAVED_ONCE, {"description": None})


def test_what_vouches_for_members_is_saved(bench: Bench) -> None:
    bench.remote.put("plan", "p", 7, meta={"updated_at": "t5", "cases_count": 1}, cases=[50])
    bench.state = state_of(**{"plan.p": Binding(7, {"cases": [50]})})
    bench.run()
    assert bench.saves == SAVED_ONCE
    bench.run()
    assert bench.saves == SAVED_ONCE


def test_protection_alone_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1)})
    bench.run(desired=desired_of(resource("case.x", protect=True)))
    assert bench.saves == SAVED_ONCE


def test_references_alone_are_saved_behind_a_resource_that_is_not_bound(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": Binding(1)})
    bench.run(desired=desired_of(resource("case.a"), resource("case.x", suite={"address": "suite.s"})))
    assert (bench.saves, bench.state.bindings["case.x"].depends_on) == (SAVED_ONCE, ["suite.s"])


def test_a_rename_alone_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 1})
    bench.run(Change("case.b", Action.NO_OP, 1, Reason.MOVED, moved_from="case.a"))
    assert bench.saves == SAVED_ONCE


def test_an_upload_whose_case_fails_is_saved_and_told(bench: Bench) -> None:
    sha = sha256(b"A").hexdigest()
    bench.files = {"img/a.png": b"A"}
    bench.remote.faults.append(fail_on("x", Rejected("no", status=422)))
    report = bench.run(new("case.x", files={"img/a.png": sha}, attachments=["img/a.png"]))
    assert (statuses(report), bench.saves) == ({"case.x": "failed"}, [(5, 0)])
    assert Uploaded("img/a.png", sha, "hash1") in bench.events


def test_what_the_server_did_not_take_is_saved_though_the_same_was_sent_before(bench: Bench) -> None:
    bench.remote.put("case", "x", 1, milestone=9)
    bench.remote.stubborn.add(("case", "milestone"))
    bench.state = state_of(**{"case.x": Binding(1, {"milestone": None})})
    report = bench.run(edit("case.x", 1, milestone=None))
    assert bench.saves == SAVED_ONCE
    assert "by hand" in operation(report, "case.x").problem.hint


@pytest.mark.parametrize("served", [{}, {"title": "other"}])
def test_another_served_form_is_saved_though_the_same_was_sent_before(bench: Bench, served: dict[str, Any]) -> None:
    bench.remote.put("case", "x", 1)
    bench.remote.serve = lambda kind, attributes: {**attributes, "title": "X!"}
    bench.state = state_of(**{"case.x": Binding(1, {"title": "x", "suite": None}, {"suite": 4})})
    bench.state.bindings["case.x"].served |= served
    changed = edit("case.x", 1, title="x")
    bench.run(changed)
    assert (bench.saves, bench.state.bindings["case.x"].served["title"]) == (SAVED_ONCE, "X!")


def test_one_attribute_that_is_not_shown_does_not_hide_the_next(bench: Bench) -> None:
    bench.remote.serve = lambda kind, attributes: {"title": attributes["title"], "preconditions": "other"}
    bench.run(new("case.x", description="d", preconditions="p"))
    assert bench.state.bindings["case.x"].served == {"preconditions": "other"}


def test_a_save_that_failed_on_the_way_and_works_at_the_end_is_a_save(bench: Bench) -> None:
    faults = [StateError("The state cannot be written.")]

    def once(state: State) -> None:
        if faults:
            raise faults.pop()

    bench.save_fault = once
    report = bench.run(*[new(f"suite.s{n:03}") for n in range(SAVE_EVERY + 3)])
    assert report.halted.code == "state_unwritable"
    assert (report.saved, bench.journal_path.exists()) == (True, False)


def test_a_save_counts_the_operations_anew(bench: Bench) -> None:
    bench.run(*[new(f"suite.s{n:03}") for n in range(2 * SAVE_EVERY + 2)])
    assert [count for _, count in bench.saves] == [SAVE_EVERY + 1, 2 * SAVE_EVERY + 2, 2 * SAVE_EVERY + 2]
    assert next(event for event in bench.events if isinstance(event, Saved)) == Saved(5, SAVE_EVERY + 1)


@pytest.mark.parametrize("crash", [True, False])
def test_the_journal_is_closed_when_it_stays(bench: Bench, crash: bool) -> None:
    plan = plan_of(new("suite.a"))
    journal = Journal(bench.journal_path, bench.header(plan))

    def full(state: State) -> None:
        raise ZeroDivisionError if crash else StateError("full")

    bench.save_fault = full
    given = dict(
        bulk_size=1, read_file=bench._read_file, now=str, on_event=print, interrupted=lambda: False, sleep=print
    )
    try:
        execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, **given)  # type: ignore[arg-type]
    except ZeroDivisionError:
        assert crash
    assert journal._file is None and bench.journal_path.exists()


# -- `moved`


def test_an_entry_of_moved_of_a_suite_is_due_while_a_suite_below_it_is_bound(bench: Bench) -> None:
    bench.state = state_of(**{"suite.a/x": 2, "suite.ab": 3})
    bench.run(desired=desired_of(moved=(moved("suite.a", "suite.b"),)))
    assert (bench.state.moved, bench.saves) == ([], [])


def test_an_entry_of_moved_that_is_true_is_saved(bench: Bench) -> None:
    bench.state = state_of(**{"suite.ab": 3})
    bench.run(desired=desired_of(moved=(moved("suite.a", "suite.b"),)))
    assert (bench.state.moved, bench.saves) == (["suite.a -> suite.b"], SAVED_ONCE)


# -- what is written into the journal


def test_a_batch_that_got_too_few_ids_is_unknown_in_the_journal(bench: Bench) -> None:
    bench.remote.short_by = 1
    report, journal = carry_out(bench, new("case.a"), new("case.b"))
    assert journal.outcomes == [("unknown", "bad_answer: Qase answered with 1 ids for 2 objects."), ("done", "")]
    assert {each.status for each in report.operations} == {"done"}


def test_an_id_that_this_run_was_given_before_is_not_believed(bench: Bench) -> None:
    bench.remote.create = lambda kind, attributes, key="": 77  # type: ignore[method-assign]
    report, journal = carry_out(bench, new("suite.a"), new("suite.b"))
    problem = operation(report, "suite.b").problem
    assert (problem.code, problem.reason) == ("bad_answer", "Qase says it made 77, which is suite.a.")
    assert "not sent again in this run" in problem.hint
    assert journal.outcomes[1][0] == "unknown"


def test_an_object_of_this_run_may_be_changed_by_it(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.state = state_of(**{"suite.s": 5})
    report, _ = carry_out(bench, edit("suite.s", 5, title="t"), new("suite.a"))
    assert statuses(report) == {"suite.s": "done", "suite.a": "done"}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Rejected("No.", status=422), ("failed", "rejected: No.")),
        (NoAnswer("Lost.", ambiguous=True), ("unknown", "no_answer: Lost.")),
        (Interrupted("stopped"), ("failed", "interrupted")),
    ],
)
def test_the_journal_says_why_a_call_came_to_nothing(bench: Bench, error: Exception, outcome: tuple[str, str]) -> None:
    bench.remote.faults.append(fail_on("a", error))
    _, journal = carry_out(bench, new("suite.a"))
    assert journal.outcomes == [outcome]


def test_an_intent_tells_of_the_object_what_finds_it_again(bench: Bench) -> None:
    bench.remote.put("suite", "s", 5)
    bench.remote.put("case", "old", 6)
    bench.state = state_of(**{"suite.s": 5, "case.b": 6})
    move = edit("case.b", 6, Action.MOVE, suite="suite.s")
    _, journal = carry_out(bench, new("case.a", title="Title", suite="suite.s"), move)
    first, second = journal.items
    assert (first["op"], first["title"], first["parent"], "id" in first) == (1, "Title", 5, False)
    assert (second["op"], second["title"], second["id"]) == (2, move.title, 6)


def test_a_milestone_has_no_parent_in_its_intent(bench: Bench) -> None:
    _, journal = carry_out(bench, new("milestone.m", description="d"))
    assert "parent" not in journal.items[0]


# -- what stands in the way


def held(status: Status, code: str = "x", action: Action = Action.UPDATE, planned: bool = False) -> Operation:
    return Operation("suite.n", action, 1, status, problem=Problem(code, "r"), planned_block=planned)


def standing(depends_on: tuple[str, ...], **operations: Operation) -> Problem | None:
    run: Any = SimpleNamespace(stop_reason=lambda: None, operations=operations)
    return obstacle(run, edit("case.x", 1, depends_on=depends_on))


def test_every_dependency_is_looked_at() -> None:
    failed = held(Status.FAILED)
    assert standing(("done", "bad"), done=held(Status.DONE), bad=failed)
    assert standing(("unplanned", "bad"), bad=failed)
    assert standing(("blocked", "bad"), blocked=held(Status.BLOCKED, planned=True), bad=failed)


def test_a_failed_update_is_in_the_way_and_one_that_qase_does_not_take_is_not() -> None:
    assert standing(("a",), a=held(Status.FAILED, "rejected"))
    assert standing(("a",), a=held(Status.FAILED, NOT_SUPPORTED)) is None
    assert standing(("a",), a=held(Status.FAILED, NOT_SUPPORTED, Action.CREATE))


@pytest.mark.parametrize(
    ("status", "words"),
    [(Status.FAILED, "failed"), (Status.BLOCKED, "was not carried out"), (Status.UNKNOWN, "may or may not be done")],
)
def test_a_dependency_says_what_became_of_it(status: Status, words: str) -> None:
    assert because_of(held(status)).reason.startswith(f"It needs suite.n, which {words} (")


def test_denied_access_says_so_on_what_is_left(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", AccessDenied("No.", status=403)))
    report = bench.run(new("suite.a"), new("suite.b"))
    assert operation(report, "suite.b").problem.reason == "Qase refused the token or the role: No."


def test_what_the_plan_blocked_is_told(bench: Bench) -> None:
    bench.remote.put("case", "x", 1)
    bench.state = state_of(**{"case.x": 1})
    bench.run(edit("case.x", 1, title="y", blocked=Blocked("conflict", "both sides")))
    assert [event for event in bench.events if isinstance(event, OperationBlocked)] == [
        OperationBlocked("case.x", Action.UPDATE, "conflict", "both sides", 1, 1)
    ]


def test_a_rename_that_cannot_be_written_down_gives_the_journal_as_the_reason(bench: Bench) -> None:
    class Full(Journal):
        def renamed(self, *given: Any) -> None:
            raise StateError("full")

    bench.state = state_of(**{"case.a": 1})
    plan = plan_of(Change("case.b", Action.NO_OP, 1, Reason.MOVED, moved_from="case.a"), new("suite.s"))
    given = dict(
        bulk_size=1, read_file=bench._read_file, now=str, on_event=print, interrupted=lambda: False, sleep=print
    )
    journal = Full(bench.journal_path, bench.header(plan))
    report = execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, **given)  # type: ignore[arg-type]
    assert operation(report, "suite.s").problem.code == "journal_unwritable"


def test_a_change_without_an_id_has_a_code(bench: Bench) -> None:
    report = bench.run(Change("case.x", Action.UPDATE, None, Reason.CONFIG_CHANGED))
    assert operation(report, "case.x").problem.code == "unbound_reference"


# -- files


def test_of_two_files_the_one_that_is_missing_is_uploaded(bench: Bench) -> None:
    first, second = sha256(b"A").hexdigest(), sha256(b"B").hexdigest()
    bench.state.files[first] = {"hash": "known", "name": "a.png", "size": 1}
    bench.files = {"b.png": b"B"}
    report = bench.run(new("case.x", files={"a.png": first, "b.png": second}, attachments=["a.png", "b.png"]))
    assert statuses(report) == {"case.x": "done"}
    assert bench.state.bindings["case.x"].sent["attachments"] == ["known", "hash1"]


def test_a_files_digest_may_say_its_algorithm(bench: Bench) -> None:
    sha = "sha256:" + sha256(b"A").hexdigest()
    bench.files = {"a.png": b"A"}
    report = bench.run(new("case.x", files={"a.png": sha}, attachments=[{"path": "a.png"}]))
    assert statuses(report) == {"case.x": "done"}


def test_a_file_that_is_another_one_by_now_says_what_to_do(bench: Bench) -> None:
    bench.files = {"a.png": b"B"}
    report = bench.run(new("case.x", files={"a.png": sha256(b"A").hexdigest()}, attachments=["a.png"]))
    problem = operation(report, "case.x").problem
    assert (problem.code, problem.hint) == ("file-changed", "Plan again.")


def test_a_file_that_qase_refuses_is_the_reason_of_its_case(bench: Bench) -> None:
    bench.files = {"a.png": b"A"}
    bench.remote.faults.append(fail_on("a.png", ServerFault("Broken.", status=500)))
    report = bench.run(new("case.x", files={"a.png": sha256(b"A").hexdigest()}, attachments=["a.png"]))
    assert operation(report, "case.x").problem.code == "server_fault"


def test_a_file_that_nobody_uploaded_has_a_code(bench: Bench) -> None:
    report = bench.run(new("case.x", attachments=["a.png"]))
    assert operation(report, "case.x").problem.code == "file-missing"


def test_an_upload_that_cannot_be_written_down_gives_the_journal_as_the_reason(bench: Bench) -> None:
    class Full(Listening):
        def uploaded(self, *given: Any) -> None:
            raise StateError("full")

    sha = sha256(b"A").hexdigest()
    bench.files = {"a.png": b"A"}
    plan = plan_of(new("case.x", files={"a.png": sha}, attachments=["a.png"]))
    given = dict(
        bulk_size=1, read_file=bench._read_file, now=str, on_event=print, interrupted=lambda: False, sleep=print
    )
    journal = Full(bench.journal_path, bench.header(plan))
    report = execute(plan, desired_of(), bench.state, bench.remote, journal, bench._save, **given)  # type: ignore[arg-type]
    assert operation(report, "case.x").problem.code == "journal_unwritable"
    assert bench.remote.calls == [("upload", "attachment", "a.png")]


def test_a_shared_parameter_may_be_named_by_its_id(bench: Bench) -> None:
    bench.remote = type(bench.remote)(shared_parameters={"Browsers": "uuid-1"})
    bench.run(new("case.x", parameters=[{"shared": {"external_id": "uuid-1"}}]))
    assert bench.state.bindings["case.x"].sent["parameters"] == [{"shared": "uuid-1"}]


# -- deletes


def test_whoever_hangs_on_it_and_is_not_touched_or_done_is_no_obstacle(bench: Bench) -> None:
    bench.remote.put("shared_step", "s", SHARED, meta={"cases": [], "cases_count": 0})
    bench.remote.put("case", "x", 1)
    bench.remote.put("case", "y", 2)
    hanging = {f"case.{key}": Binding(id, depends_on=["shared_step.s"]) for key, id in (("x", 1), ("y", 2))}
    bench.state = state_of(**{"shared_step.s": SHARED, **hanging})
    report = bench.run(edit("case.x", 1, title="X"), drop("shared_step.s", SHARED))
    assert statuses(report) == {"case.x": "done", "shared_step.s": "done"}


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"cases": [4, 9]}, "2 cases (ids 4, 9)"),
        ({"cases_count": 3}, "3 cases."),
        ({"cases": [4], "cases_count": 3}, "3 cases (ids 4)"),
        ({}, "an unknown number of cases."),
    ],
)
def test_a_shared_step_in_use_says_by_how_many(bench: Bench, meta: dict[str, Any], words: str) -> None:
    bench.remote.put("shared_step", "s", SHARED, meta=meta)
    bench.state = state_of(**{"shared_step.s": SHARED})
    problem = operation(bench.run(drop("shared_step.s", SHARED)), "shared_step.s").problem
    assert f"still used by {words}" in problem.reason
    assert problem.hint.startswith("Take it out")


def test_a_shared_step_with_an_empty_list_of_users_goes(bench: Bench) -> None:
    bench.remote.put("shared_step", "s", SHARED, meta={"cases": []})
    bench.state = state_of(**{"shared_step.s": SHARED})
    assert statuses(bench.run(drop("shared_step.s", SHARED))) == {"shared_step.s": "done"}


@pytest.mark.parametrize(("count", "more"), [(NAMED, ""), (NAMED + 1, " and 1 more")])
def test_so_many_are_named_and_the_rest_is_counted(bench: Bench, count: int, more: str) -> None:
    bench.remote.put("suite", "s", 900)
    for id in range(1, count + 1):
        bench.remote.put("case", "c", id, suite=900)
    bench.state = state_of(**{"suite.s": 900})
    reason = operation(bench.run(drop("suite.s", 900)), "suite.s").problem.reason
    assert f", {NAMED}{more}, which this plan does not delete" in reason


def test_suites_that_lie_in_each_other_do_not_hang_it(bench: Bench) -> None:
    bench.remote.put("suite", "a", 1, parent=2)
    bench.remote.put("suite", "b", 2, parent=1)
    bench.remote.put("suite", "c", 3, parent=1)
    bench.remote.put("suite", "stays", 9, parent=None)
    bench.remote.holds = lambda suite: ([], [])  # type: ignore[method-assign]
    bench.state = state_of(**{"suite.a": 1, "suite.b": 2, "suite.c": 3})
    bench.run(drop("suite.c", 3), drop("suite.a", 1), drop("suite.b", 2))
    assert bench.remote.destinations[0] == 9


def test_a_suite_that_was_made_in_this_run_may_take_what_is_left(bench: Bench) -> None:
    bench.remote.put("suite", "old", 50, parent=None)
    bench.state = state_of(**{"suite.old": 50})
    bench.run(new("suite.fresh", parent=None), drop("suite.old", 50))
    assert bench.remote.destinations == [51]


def test_a_suite_that_left_the_root_in_this_run_is_not_at_the_root(bench: Bench) -> None:
    for key, id in (("a", 1), ("b", 2), ("gone", 3)):
        bench.remote.put("suite", key, id, parent=None)
    bench.state = state_of(**{"suite.a": 1, "suite.b": 2, "suite.gone": 3})
    bench.run(edit("suite.a", 1, Action.MOVE, parent="suite.b"), drop("suite.gone", 3))
    assert bench.remote.destinations == [2]


# -- what is told


def test_what_is_read_back_says_how_many_requests_it_takes(bench: Bench) -> None:
    bench.run(*[new(f"case.c{n}") for n in range(12)])
    bench.run(new("suite.s"))
    assert [event for event in bench.events if isinstance(event, ReadBack)] == [ReadBack(12, 2), ReadBack(1, 1)]


def test_an_event_as_json() -> None:
    assert event_json(Saved(5, 2), "now") == {"event": "saved", "time": "now", "serial": 5, "bindings": 2}


def test_a_warning_is_its_words_and_no_more(bench: Bench) -> None:
    bench.remote.after.append(lambda verb, kind, detail: bench.remote.objects["suite"].clear())
    report = bench.run(new("suite.a"))
    assert report.warnings == ("suite.a (id 1) was written, but Qase does not show it.",)


def test_a_word_that_the_workspace_lost_keeps_its_hint_and_counts_as_refused() -> None:
    assert problem_of(ResolveError("unknown-word", "No such severity.", "It takes x.")) == Problem(
        "unknown-word", "No such severity.", hint="It takes x.", refused=True
    )
    assert problem_of(QaseIacError("Oh.", "Why.", "Do.")) == Problem("failed", "Oh. Why.", hint="Do.")


def test_the_first_of_many_used_plans_is_forgotten(bench: Bench) -> None:
    bench.state.applied = [f"sha256:{n}" for n in range(USED_PLANS)]
    bench.run(new("suite.a"), digest="sha256:new")
    assert bench.state.applied == [*[f"sha256:{n}" for n in range(1, USED_PLANS)], "sha256:new"]


def test_an_open_intent_stays_in_the_journal_under_the_next_serial(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", NoAnswer("Lost.", ambiguous=True)))
    bench.run(new("suite.a"), new("suite.b"))
    kept = read_journal(bench.journal_path)
    assert (kept.header.lineage, kept.header.serial, len(kept.records)) == (LINEAGE, 5, 1)
