"""How a run ends: access denied, Ctrl-C, a full disk; when the state is saved; what is told on the way."""

from __future__ import annotations

import json
import math

import pytest
from apply_world import Bench, desired_of, drop, edit, fail_on, new, operation, plan_of, resource, state_of, statuses

from qase_iac.apply import events
from qase_iac.apply.events import event_json
from qase_iac.apply.executor import execute
from qase_iac.apply.fold import fold
from qase_iac.apply.report import Operation, Report, problem_of
from qase_iac.attributes import ResolveError
from qase_iac.errors import AccessDenied, Interrupted, QaseIacError, RateLimited, Rejected, SafetyRefusal, StateError
from qase_iac.plan.model import Action, Blocked, Change, Reason
from qase_iac.state.journal import Header, Journal, read_journal
from qase_iac.state.model import State


def test_access_denied_ends_the_writing_and_the_rest_says_why(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", AccessDenied("This token may not do that.", status=403)))
    report = bench.run(new("suite.a"), new("suite.b"), new("suite.c"), new("case.x"))
    assert statuses(report) == {"suite.a": "done", "suite.b": "failed", "suite.c": "blocked", "case.x": "blocked"}
    assert operation(report, "case.x").problem.code == "access_denied"
    assert (report.exit_code, report.applied, len(bench.remote.calls)) == (8, 1, 2)
    assert bench.saves == [(5, 1)]


def test_an_upload_that_is_denied_ends_it_as_well(bench: Bench) -> None:
    from hashlib import sha256

    bench.files = {"a.png": b"A"}
    bench.remote.faults.append(fail_on("a.png", AccessDenied("no", status=401)))
    first = new("case.x", files={"a.png": sha256(b"A").hexdigest()}, attachments=["a.png"])
    report = bench.run(first, new("suite.a"))
    assert statuses(report) == {"case.x": "failed", "suite.a": "blocked"}
    assert report.exit_code == 8


def test_ctrl_c_during_an_upload(bench: Bench) -> None:
    from hashlib import sha256

    bench.files = {"a.png": b"A"}
    bench.remote.faults.append(fail_on("a.png", Interrupted("stopped")))
    report = bench.run(new("case.x", files={"a.png": sha256(b"A").hexdigest()}, attachments=["a.png"]))
    assert (statuses(report), report.requests, report.exit_code) == ({"case.x": "blocked"}, 0, 130)


def test_ctrl_c_stops_before_the_next_call_and_lists_the_rest(bench: Bench) -> None:
    bench.stop_after = 1
    report = bench.run(new("suite.a"), new("suite.b"), Change("case.o", Action.FORGET, 4, Reason.UNDECLARED))
    assert statuses(report) == {"suite.a": "done", "suite.b": "blocked", "case.o": "blocked"}
    assert operation(report, "suite.b").problem.code == "interrupted"
    assert (report.interrupted, report.exit_code, report.applied) == (True, 130, 1)
    assert bench.saves == [(5, 1)] and bench.remote.reads == []
    assert not bench.journal_path.exists()


def test_ctrl_c_after_the_last_write_skips_the_reading(bench: Bench) -> None:
    bench.stop_after = 2
    report = bench.run(new("suite.a"), new("suite.b"))
    assert (bench.remote.reads, report.applied, report.interrupted) == ([], 2, False)
    assert "not read back" in report.warnings[0]
    assert report.exit_code == 0


def test_ctrl_c_between_the_halves_of_a_batch(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("c0", Rejected("no", status=422)))
    bench.stop_after = 2
    report = bench.run(*[new(f"case.c{n}") for n in range(4)])
    assert set(statuses(report).values()) == {"blocked"}
    assert (report.exit_code, report.requests) == (130, 2)


def test_a_client_that_was_told_to_stop_while_it_waited_sent_nothing(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", Interrupted("stopped")))
    report = bench.run(new("suite.a"), new("suite.b"), new("suite.c"))
    assert statuses(report) == {"suite.a": "done", "suite.b": "blocked", "suite.c": "blocked"}
    assert (report.exit_code, report.requests) == (130, 1)
    assert not bench.journal_path.exists()


def test_renames_are_done_even_when_interrupted(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 1})
    bench.stop_after = 0
    report = bench.run(Change("case.b", Action.NO_OP, 1, Reason.MOVED, moved_from="case.a"), new("suite.a"))
    assert statuses(report) == {"case.b": "done", "suite.a": "blocked"}


def test_a_word_that_the_workspace_lost_fails_without_a_request(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", ResolveError("unknown-word", "No such severity.", "It takes x.")))
    report = bench.run(new("suite.a"), new("suite.b"))
    assert operation(report, "suite.b").problem.code == "unknown-word"
    assert report.requests == 1


# -- saving


def test_a_plan_of_which_everything_is_blocked_is_not_used_up(bench: Bench) -> None:
    blocked = edit("case.a", 1, title="A", blocked=Blocked("conflict", "c"))
    bench.state = state_of(**{"case.a": 1})
    bench.run(blocked, digest="sha256:p")
    assert (bench.state.applied, bench.saves) == ([], [])


def test_only_so_many_used_plans_are_remembered(bench: Bench) -> None:
    bench.state.applied = [f"sha256:{n}" for n in range(80)]
    bench.run(new("suite.a"), digest="sha256:p")
    assert (len(bench.state.applied), bench.state.applied[-1]) == (50, "sha256:p")


def test_the_state_is_saved_once_under_the_next_serial(bench: Bench) -> None:
    bench.run(new("suite.a"), digest="sha256:p", desired=desired_of(resource("suite.a")))
    assert bench.saves == [(5, 1)]
    assert bench.state.applied == ["sha256:p"]
    assert not bench.journal_path.exists()


def test_a_plan_is_used_up_though_all_of_it_failed(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", Rejected("no", status=422)))
    report = bench.run(new("suite.a"), digest="sha256:p")
    assert (bench.state.applied, bench.saves, report.exit_code) == (["sha256:p"], [(5, 0)], 6)


def test_the_first_state_learns_whose_it_is(bench: Bench) -> None:
    bench.state = State("22222222-bbbb", 0)
    bench.run(new("suite.a"))
    assert (bench.state.project, bench.state.api, bench.state.serial) == ("SHOP", "https://api.qase.io/v1", 1)
    assert bench.state.tool == "qase-iac test"


def test_saves_do_not_grow_with_the_square_of_the_operations(bench: Bench) -> None:
    def cost(count: int) -> tuple[int, int]:
        fresh = Bench(bench.folder)
        fresh.state = State("3333", 0)
        fresh.run(*[new(f"case.c{n}") for n in range(count)])
        return len(fresh.saves), sum(bindings for _, bindings in fresh.saves)

    few, small = cost(1000)
    many, large = cost(8000)
    assert few >= 3
    assert large < 8 * small * math.log(8000)
    assert many < 60


def test_every_operation_has_its_line_in_the_journal(bench: Bench) -> None:
    bench.remote.put("case", "old", 41)
    bench.state = state_of(**{"case.x": 41})
    bench.save_fault = _full
    report = bench.run(
        edit("case.x", 41, title="new"),
        *[new(f"case.c{n}") for n in range(3)],
        drop("case.x", 41),
        desired=desired_of(resource("case.c0", milestone={"address": "milestone.m"})),
    )
    contents = read_journal(bench.journal_path)
    assert [next(iter(record)) for record in contents.records] == ["intent", "outcome"] * 3
    assert [item["address"] for item in contents.records[2]["items"]] == [f"case.c{n}" for n in range(3)]
    assert contents.records[3]["ids"] == [42, 43, 44]
    first = contents.records[2]["items"][0]
    assert first["record"] == {"sent": {"title": "c0"}, "depends_on": ["milestone.m"], "protect": False}
    assert first["title"] == "c0" and first["digest"].startswith("sha256:")
    assert report.exit_code == 1


def _full(state: State) -> None:
    raise StateError("The state cannot be written: disk full.")


def test_a_state_that_cannot_be_saved_leaves_the_journal_and_it_gives_the_same_state(bench: Bench) -> None:
    bench.save_fault = _full
    before = state_of(**{"case.o": 90, "case.p": 91})
    bench.state = state_of(**{"case.o": 90, "case.p": 91})
    bench.remote.put("case", "o", 90)
    report = bench.run(
        Change("case.q", Action.NO_OP, 91, Reason.MOVED, moved_from="case.p"),
        new("suite.a"),
        new("case.x", ["suite.a"], suite={"known_after_apply": "suite.a"}),
        drop("case.o", 90),
    )
    assert (report.saved, report.exit_code, report.applied) == (False, 1, 4)
    folded = fold(before, read_journal(bench.journal_path))
    assert folded.open == ()
    assert folded.state.bindings == bench.state.bindings


def test_a_run_that_cannot_save_in_between_sends_nothing_more(bench: Bench) -> None:
    bench.save_fault = _full
    report = bench.run(*[new(f"case.c{n}") for n in range(500)])
    assert len(bench.remote.calls) == 3
    assert (report.blocked, report.exit_code) == (200, 1)


class BrokenJournal(Journal):
    """Fails to write the given record, as a full disk does."""

    broken = ("intent", 2)

    def _append(self, record: dict) -> None:  # type: ignore[type-arg]
        if next(iter(record.items())) == self.broken:
            raise StateError("The journal cannot be written: disk full.")
        super()._append(record)


@pytest.mark.parametrize(
    ("broken", "calls", "expected"),
    [
        (("intent", 2), 1, {"suite.a": "done", "suite.b": "blocked", "suite.c": "blocked"}),
        (("outcome", 2), 2, {"suite.a": "done", "suite.b": "done", "suite.c": "blocked"}),
    ],
)
def test_what_cannot_be_written_down_is_not_sent(
    bench: Bench, broken: tuple[str, int], calls: int, expected: dict[str, str]
) -> None:
    plan = plan_of(new("suite.a"), new("suite.b"), new("suite.c"))
    journal = BrokenJournal(bench.journal_path, bench.header(plan))
    journal.broken = broken
    report = _execute(bench, plan, journal)
    assert (statuses(report), len(bench.remote.calls), report.exit_code) == (expected, calls, 1)
    assert operation(report, "suite.c").problem.code == "journal_unwritable"


def test_an_upload_that_cannot_be_written_down_ends_it(bench: Bench) -> None:
    from hashlib import sha256

    sha = sha256(b"A").hexdigest()
    bench.files = {"a.png": b"A"}
    plan = plan_of(new("case.x", files={"a.png": sha}, attachments=["a.png"]))
    journal = BrokenJournal(bench.journal_path, bench.header(plan))
    journal.broken = ("uploaded", sha)  # type: ignore[assignment]
    report = _execute(bench, plan, journal)
    assert (statuses(report), report.exit_code) == ({"case.x": "blocked"}, 1)
    assert bench.state.files[sha]["hash"] == "hash1"


def test_a_rename_that_cannot_be_written_down_ends_it(bench: Bench) -> None:
    bench.state = state_of(**{"case.a": 1})
    plan = plan_of(Change("case.b", Action.NO_OP, 1, Reason.MOVED, moved_from="case.a"), new("suite.s"))
    journal = BrokenJournal(bench.journal_path, bench.header(plan))
    journal.broken = ("renamed", [["case.a", "case.b", 1]])  # type: ignore[assignment]
    report = _execute(bench, plan, journal)
    assert statuses(report) == {"case.b": "done", "suite.s": "blocked"}
    assert bench.remote.calls == []


def test_a_journal_that_cannot_be_put_away_is_a_warning(bench: Bench) -> None:
    plan = plan_of(new("suite.a"))
    journal = Journal(bench.journal_path, bench.header(plan))

    def stuck(serial: int) -> None:
        raise StateError("The journal cannot be put away.")

    journal.finish = stuck  # type: ignore[method-assign]
    report = _execute(bench, plan, journal)
    assert (report.exit_code, report.saved, len(report.warnings)) == (0, True, 1)


def test_an_outcome_that_was_not_written_is_settled_by_the_next_run(bench: Bench) -> None:
    plan = plan_of(new("suite.a"))
    journal = BrokenJournal(bench.journal_path, bench.header(plan))
    journal.broken = ("outcome", 1)
    _execute(bench, plan, journal)
    kept = read_journal(bench.journal_path)
    assert kept.header.serial == bench.state.serial == 5
    assert fold(bench.state, kept).open[0].items[0].address == "suite.a"


def _execute(bench: Bench, plan, journal: Journal, desired=None) -> Report:  # type: ignore[no-untyped-def]
    return execute(
        plan,
        desired or desired_of(),
        bench.state,
        bench.remote,
        journal,
        bench._save,
        bulk_size=10,
        read_file=bench._read_file,
        now=lambda: "t",
        on_event=bench.events.append,
        interrupted=lambda: False,
        sleep=bench.slept.append,
    )


def test_a_journal_of_another_state_is_a_mistake_of_the_caller(bench: Bench) -> None:
    plan = plan_of(new("suite.a"))
    with pytest.raises(ValueError, match="journal"):
        _execute(bench, plan, Journal(bench.journal_path, Header("other", 4, "", "SHOP", "x")))
    bench.state = State()
    with pytest.raises(ValueError, match="journal"):
        _execute(bench, plan, Journal(bench.journal_path, Header("", 0, "", "SHOP", "x")))


def test_a_crash_of_ours_leaves_the_journal_as_it_is(bench: Bench) -> None:
    bench.remote.after.append(fail_on("b", ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        bench.run(new("suite.a"), new("suite.b"))
    folded = fold(state_of(), read_journal(bench.journal_path))
    assert list(folded.state.bindings) == ["suite.a"]
    assert [item.address for intent in folded.open for item in intent.items] == ["suite.b"]


# -- what is told


def test_events_tell_what_happens_and_how_far_it_is(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", RateLimited("429", status=429)))
    bench.run(new("suite.a"), new("suite.b"), new("case.x", ["suite.b"]))
    names = [event_json(event, "t")["event"] for event in bench.events]
    assert names == [
        "started",
        "operation_started",
        "operation_finished",
        "operation_started",
        "operation_failed",
        "operation_blocked",
        "read_back",
        "saved",
        "finished",
    ]
    finished = next(event for event in bench.events if isinstance(event, events.OperationFinished))
    assert (finished.address, finished.id, finished.done, finished.total) == ("suite.a", 1, 1, 3)
    line = json.dumps(event_json(bench.events[1], "2026-01-01T00:00:00Z"))
    assert json.loads(line)["addresses"] == ["suite.a"]


def test_every_event_has_a_name() -> None:
    assert set(events.NAMES) == set(events.Event.__args__)  # type: ignore[attr-defined]
    assert len(set(events.NAMES.values())) == len(events.NAMES)


def test_the_report_as_json_is_the_contract(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("b", Rejected("Bad title.", status=422, request_id="r9")))
    data = bench.run(new("suite.a"), new("suite.b")).to_json()
    assert list(data) == [
        "applied",
        "failed",
        "blocked",
        "adopted",
        "requests",
        "retries",
        "operations",
        "altered",
        "backup",
    ]
    assert data["operations"][1] == {
        "address": "suite.b",
        "action": "create",
        "id": None,
        "status": "failed",
        "http_status": 422,
        "request_id": "r9",
        "source": "suite.b.yaml:1",
        "cause": "rejected: Bad title.",
    }
    assert data["operations"][0]["cause"] is None


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], 0),
        (["done"], 0),
        (["failed"], 6),
        (["unknown", "done"], 6),
        (["done", "blocked"], 6),
        (["blocked", "blocked"], 4),
        (["failed", "blocked"], 6),
    ],
)
def test_exit_codes(found: list[str], code: int) -> None:
    from qase_iac.apply.report import Status

    operations = tuple(Operation(f"case.{n}", Action.CREATE, None, Status(s)) for n, s in enumerate(found))
    report = Report(operations)
    assert report.exit_code == code
    assert report.unknown == found.count("unknown")


def test_other_errors_keep_their_words() -> None:
    assert problem_of(SafetyRefusal("foreign", "No.", "Because.")).reason == "No. Because."
    assert problem_of(SafetyRefusal("foreign", "No.")).code == "foreign"
    assert problem_of(QaseIacError("Hm.")).code == "failed"
    blocked = Blocked("x", "y")
    assert blocked.code == "x"
