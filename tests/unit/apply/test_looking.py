"""A call that was not answered properly: Qase is asked what became of it, and it is never sent again in the same run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from apply_world import Bench, drop, edit, fail_on, new, operation, state_of, statuses, unreadable

from qase_iac.apply.events import Looked, Waiting
from qase_iac.apply.looking import LATE_BULK, LATE_SINGLE, PATIENCE, still_late
from qase_iac.errors import NoAnswer, ServerFault
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import Intent, Item, read_journal

LOST = NoAnswer("The connection was dropped.", ambiguous=True)
NOON = 1767268800.0
"""2026-01-01T12:00:00Z."""


def looked(bench: Bench) -> list[Looked]:
    return [event for event in bench.events if isinstance(event, Looked)]


def appear(bench: Bench, after: float, *titles: str) -> None:
    """Objects that show in lists only once so many seconds were waited."""

    def reading(verb: str, detail: object) -> None:
        if sum(bench.slept) >= after and not bench.remote.objects.get("case"):
            for title in titles:
                bench.remote.put("case", title)

    bench.remote.read_faults.append(reading)


# -- creates


def test_a_create_that_happened_all_the_same_is_found_at_once_and_its_dependents_go_on(bench: Bench) -> None:
    bench.remote.after.append(fail_on("s", LOST))
    report = bench.run(new("suite.s"), new("case.x", ["suite.s"], suite={"known_after_apply": "suite.s"}))
    assert statuses(report) == {"suite.s": "done", "case.x": "done"}
    assert bench.remote.objects["case"][bench.id("case.x")].attributes["suite"] == bench.id("suite.s")
    assert [call[:2] for call in bench.remote.calls] == [("create", "suite"), ("create", "case")]
    assert (report.requests, report.retries, report.exit_code) == (2, 0, 0)
    assert looked(bench) == [Looked(("suite.s",), True, 0.0)]
    assert not bench.journal_path.exists()


def test_a_create_that_did_not_happen_is_waited_for_and_not_sent_again(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    report = bench.run(new("case.x"))
    assert statuses(report) == {"case.x": "unknown"}
    assert "not sent again" in operation(report, "case.x").problem.hint
    assert len(bench.remote.calls) == 1
    assert sum(bench.slept) == LATE_SINGLE
    assert looked(bench) == [Looked(("case.x",), False, LATE_SINGLE)]
    assert [record["items"][0]["address"] for record in read_journal(bench.journal_path).records] == ["case.x"]


def test_reading_is_cheap_until_the_count_grows_and_thorough_before_giving_up(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    bench.run(new("case.x"))
    verbs = [verb for verb, detail in bench.remote.reads if detail == "case"]
    assert verbs.count("read_all") == 1
    assert verbs.index("read_all") == len(verbs) - 1
    assert verbs.count("grew") >= 3


@pytest.mark.parametrize(("titles", "seconds"), [(("a",), 3.0), (("a", "b"), 50.0)])
def test_what_shows_late_is_found(bench: Bench, titles: tuple[str, ...], seconds: float) -> None:
    bench.remote.faults.append(fail_on("a", LOST))
    appear(bench, seconds, *titles)
    report = bench.run(*[new(f"case.{title}") for title in titles])
    assert set(statuses(report).values()) == {"done"}
    assert [bench.id(f"case.{title}") for title in titles] == sorted(bench.remote.objects["case"])
    assert seconds <= sum(bench.slept) <= LATE_BULK


def test_a_bulk_create_of_which_only_a_part_shows_is_not_taken_for_done(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", LOST))
    appear(bench, 0.0, "a")
    report = bench.run(new("case.a"), new("case.b"))
    assert statuses(report) == {"case.a": "unknown", "case.b": "unknown"}
    assert sum(bench.slept) == LATE_BULK


def test_what_was_there_before_is_not_taken_for_it(bench: Bench) -> None:
    bench.remote.put("case", "x")
    bench.remote.faults.append(fail_on("x", LOST))
    assert statuses(bench.run(new("case.x"))) == {"case.x": "unknown"}


def test_two_alike_are_told_apart_by_the_order_of_their_calls(bench: Bench) -> None:
    bench.remote.after.append(fail_on("same", LOST))
    report = bench.run(new("case.a", title="same"), new("case.b", title="same"), bulk_size=1)
    assert set(statuses(report).values()) == {"done"}
    assert bench.id("case.a") < bench.id("case.b")


def test_of_two_that_may_be_it_none_is_taken(bench: Bench) -> None:
    bench.remote.after.append(fail_on("x", LOST))
    bench.remote.after.append(lambda verb, kind, detail: None)
    bench.remote.faults.append(lambda verb, kind, detail: bench.remote.put("case", "x") and None)
    report = bench.run(new("case.x"))
    assert statuses(report) == {"case.x": "unknown"}
    assert "case.x" not in bench.state.bindings


def test_a_project_is_there_or_not(bench: Bench) -> None:
    bench.remote.after.append(lambda verb, kind, detail: (_ for _ in ()).throw(LOST) if kind == "project" else None)
    report = bench.run(new("project.SHOP", title="Shop"), new("case.x", ["project.SHOP"]))
    assert statuses(report) == {"project.SHOP": "done", "case.x": "done"}
    assert operation(report, "project.SHOP").id == "SHOP"


# -- updates and deletes


@pytest.mark.parametrize("happened", [True, False])
def test_an_update_is_read_back(bench: Bench, happened: bool) -> None:
    bench.remote.put("case", "a", 1)
    bench.state = state_of(**{"case.a": 1})
    (bench.remote.after if happened else bench.remote.faults).append(fail_on(1, LOST))
    report = bench.run(edit("case.a", 1, title="A"))
    assert statuses(report) == {"case.a": "done" if happened else "unknown"}
    assert bench.state.bindings["case.a"].sent == ({"title": "A"} if happened else {})
    assert len(bench.remote.calls) == 1


@pytest.mark.parametrize(
    ("happened", "visible", "status"), [(True, True, "done"), (False, True, "unknown"), (True, False, "unknown")]
)
def test_a_delete_is_done_when_the_object_is_gone_and_the_project_is_not(
    bench: Bench, happened: bool, visible: bool, status: str
) -> None:
    bench.remote.put("case", "a", 1)
    if visible:
        bench.remote.objects["project"] = {"SHOP": LiveObject("project", "SHOP", {"title": "Shop"})}
    bench.state = state_of(**{"case.a": 1})
    (bench.remote.after if happened else bench.remote.faults).append(fail_on(1, LOST))
    report = bench.run(drop("case.a", 1))
    assert statuses(report) == {"case.a": status}
    assert ("case.a" in bench.state.bindings) is (status == "unknown")


# -- limits


@pytest.mark.parametrize(
    ("status", "seconds"), [(500, LATE_SINGLE), (200, LATE_SINGLE), (502, LATE_BULK), (504, LATE_BULK)]
)
def test_a_bulk_create_is_waited_for_long_only_while_it_may_be_under_way(
    bench: Bench, status: int, seconds: float
) -> None:
    bench.remote.faults.append(fail_on("a", ServerFault("No.", status=status, ambiguous=True)))
    bench.run(new("case.a"), new("case.b"))
    assert sum(bench.slept) == seconds


def test_when_qase_cannot_be_read_nothing_is_waited_for(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    bench.remote.read_faults.append(unreadable)
    assert statuses(bench.run(new("case.x"))) == {"case.x": "unknown"}
    assert bench.slept == []


def test_when_qase_is_down_the_run_ends_soon(bench: Bench) -> None:
    bench.remote.faults.append(lambda verb, kind, detail: (_ for _ in ()).throw(LOST))
    bench.remote.read_faults.append(unreadable)
    report = bench.run(*[new(f"suite.s{n}") for n in range(10)])
    assert list(statuses(report).values()) == ["unknown"] * 3 + ["blocked"] * 7
    assert report.halted is not None and report.halted.code == "api_unavailable"
    assert (report.exit_code, len(bench.remote.calls)) == (6, 3)


def test_a_look_that_succeeds_starts_the_count_anew(bench: Bench) -> None:
    bench.remote.faults.append(lambda verb, kind, detail: (_ for _ in ()).throw(LOST) if kind == "suite" else None)
    blind = iter([True, True, False, True, True, False, *[False] * 99])
    bench.remote.read_faults.append(lambda verb, detail: unreadable(verb, detail) if next(blind) else None)
    report = bench.run(*[new(f"suite.s{n}") for n in range(6)])
    assert set(statuses(report).values()) == {"unknown"}
    assert report.halted is None


def test_one_run_waits_no_longer_than_its_patience(bench: Bench) -> None:
    bench.remote.faults.append(lambda verb, kind, detail: (_ for _ in ()).throw(LOST))
    report = bench.run(*[new(f"suite.s{n}") for n in range(60)])
    assert set(statuses(report).values()) == {"unknown"}
    assert sum(bench.slept) == PATIENCE


def test_ctrl_c_ends_the_waiting(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("x", LOST))
    bench.stop_after = 1
    report = bench.run(new("case.x"), new("suite.y"))
    assert (statuses(report), report.exit_code) == ({"case.x": "unknown", "suite.y": "blocked"}, 130)
    assert bench.slept == []


def test_a_long_wait_is_told_once(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", LOST))
    bench.run(new("case.a"), new("case.b"))
    told = [event.seconds for event in bench.events if isinstance(event, Waiting)]
    assert told == [LATE_BULK - 1]


# -- what an interrupted run may still have under way


def intent(*titles: str, time: str = "2026-01-01T12:00:00Z") -> Intent:
    return Intent(1, time, tuple(Item(at, f"case.{t}", "create", title=t) for at, t in enumerate(titles)))


@pytest.mark.parametrize(
    ("titles", "age", "seconds"),
    [
        (("a",), 0.0, LATE_SINGLE),
        (("a",), 2.0, LATE_SINGLE - 2),
        (("a",), 6.0, 0.0),
        (("a", "b"), 20.0, LATE_BULK - 20),
        (("a",), -1000.0, LATE_SINGLE),
    ],
)
def test_a_create_of_a_moment_ago_may_still_come(titles: tuple[str, ...], age: float, seconds: float) -> None:
    assert still_late([intent(*titles)], Snapshot(), state_of(), {}, NOON + age) == seconds


def test_a_time_that_is_none_counts_as_now() -> None:
    assert still_late([intent("a", time="soon")], Snapshot(), state_of(), {}, NOON + 1e9) == LATE_SINGLE


def test_what_shows_already_is_not_waited_for() -> None:
    snapshot = Snapshot(objects={"case": {7: LiveObject("case", 7, {"title": "a"})}})
    assert still_late([intent("a")], snapshot, state_of(), {}, NOON) == 0
    both = [intent("a"), replace(intent("b"), number=2)]
    assert still_late(both, snapshot, state_of(), {}, NOON + 1) == LATE_SINGLE - 1


def test_updates_are_not_waited_for() -> None:
    update = Intent(1, "2026-01-01T12:00:00Z", (Item(1, "case.a", "update", 7),))
    assert still_late([update], Snapshot(), state_of(), {}, NOON) == 0
