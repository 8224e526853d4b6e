"""Creates: order, bulk, halving, doubt, files, and what the state gains."""

from __future__ import annotations

from hashlib import sha256

import pytest
from apply_world import Bench, desired_of, edit, fail_on, new, operation, resource, state_of, statuses, unreadable

from qase_iac.errors import BadAnswer, NoAnswer, QaseIacError, RateLimited, Rejected, ServerFault
from qase_iac.plan.model import Action, Reason
from qase_iac.state.journal import read_journal

NEW_SUITE = {"known_after_apply": "suite.a"}


def sha(content: bytes) -> str:
    return sha256(content).hexdigest()


def test_what_is_made_is_bound_and_what_refers_to_it_gets_its_id(bench: Bench) -> None:
    report = bench.run(new("suite.a"), new("case.x", ["suite.a"], suite=NEW_SUITE))
    assert statuses(report) == {"suite.a": "done", "case.x": "done"}
    suite, case = bench.id("suite.a"), bench.id("case.x")
    assert bench.remote.objects["case"][case].attributes["suite"] == suite
    assert bench.state.bindings["case.x"].sent == {"title": "x", "suite": suite}
    assert (report.exit_code, report.applied, report.requests, report.retries) == (0, 2, 2, 0)


def test_several_cases_share_a_call_and_one_alone_does_not_use_bulk(bench: Bench) -> None:
    report = bench.run(*[new(f"case.c{n}") for n in range(5)], bulk_size=2)
    verbs = [(verb, detail) for verb, _, detail in bench.remote.calls]
    assert verbs == [("create_many", ["c0", "c1"]), ("create_many", ["c2", "c3"]), ("create", "c4")]
    assert report.requests == 3
    assert [bench.id(f"case.c{n}") for n in range(5)] == [1, 2, 3, 4, 5]


def test_a_refused_batch_is_halved_until_the_culprit_stands_alone(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("c3", Rejected("Data is invalid.", status=422, request_id="r1")))
    report = bench.run(*[new(f"case.c{n}") for n in range(8)])
    assert {a for a, s in statuses(report).items() if s != "done"} == {"case.c3"}
    assert bench.remote.titles("case") == [f"c{n}" for n in range(8) if n != 3]
    failed = operation(report, "case.c3")
    assert (failed.http_status, failed.request_id, failed.source) == (422, "r1", "case.c3.yaml:1")
    assert (report.failed, report.applied, report.exit_code) == (1, 7, 6)
    details = [detail for _, _, detail in bench.remote.calls]
    assert details == [
        [f"c{n}" for n in range(8)],
        ["c0", "c1", "c2", "c3"],
        ["c0", "c1"],
        ["c2", "c3"],
        "c2",
        "c3",
        ["c4", "c5", "c6", "c7"],
    ]
    assert (report.requests, report.retries) == (7, 6)


def test_an_ambiguous_bulk_is_unknown_for_all_and_never_sent_again(bench: Bench) -> None:
    bench.remote.after.append(fail_on("c1", NoAnswer("It was cut off.", ambiguous=True)))
    bench.remote.read_faults.append(unreadable)
    report = bench.run(
        new("case.c1"), new("case.c2"), new("plan.p", ["case.c1"], cases=[{"known_after_apply": "case.c1"}])
    )
    assert statuses(report) == {"case.c1": "unknown", "case.c2": "unknown", "plan.p": "blocked"}
    assert len(bench.remote.calls) == 1
    assert operation(report, "plan.p").problem.by == ("case.c1",)
    assert "case.c1" not in bench.state.bindings
    kept = read_journal(bench.journal_path)
    assert kept.header.serial == bench.state.serial
    assert [item["address"] for item in kept.records[0]["items"]] == ["case.c1", "case.c2"]


def test_a_rejection_that_may_have_had_effect_is_not_halved(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("c1", Rejected("?", status=400, ambiguous=True)))
    report = bench.run(new("case.c1"), new("case.c2"))
    assert set(statuses(report).values()) == {"unknown"}
    assert len(bench.remote.calls) == 1


@pytest.mark.parametrize(
    "error", [RateLimited("429", status=429), ServerFault("503", status=503), QaseIacError("Something else.")]
)
def test_what_says_nothing_about_the_batch_is_not_halved(bench: Bench, error: Exception) -> None:
    bench.remote.faults.append(fail_on("c1", error))
    report = bench.run(new("case.c1"), new("case.c2"))
    assert (statuses(report), len(bench.remote.calls)) == ({"case.c1": "failed", "case.c2": "failed"}, 1)


def test_a_5xx_that_had_no_effect_for_sure_fails_alone(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", ServerFault("503", status=503)))
    report = bench.run(new("suite.a"), new("suite.b"))
    assert statuses(report) == {"suite.a": "failed", "suite.b": "done"}
    assert not bench.journal_path.exists()


def test_too_few_ids_are_unknown_for_the_whole_batch(bench: Bench) -> None:
    bench.remote.short_by = 1
    bench.remote.read_faults.append(unreadable)
    report = bench.run(new("case.c1"), new("case.c2"), new("case.c3"))
    assert set(statuses(report).values()) == {"unknown"}
    assert not bench.state.bindings
    assert bench.journal_path.exists()


def test_an_id_that_is_bound_already_is_not_believed(bench: Bench) -> None:
    bench.state = state_of(**{"suite.other": 1})
    report = bench.run(new("suite.a"))
    assert statuses(report) == {"suite.a": "unknown"}
    assert "suite.other" in operation(report, "suite.a").cause
    assert bench.id("suite.other") == 1


def test_dependents_are_blocked_with_the_root_of_it_and_others_go_on(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("a", Rejected("Title is bad.", status=422)))
    report = bench.run(
        new("suite.a"),
        new("suite.a/b", ["suite.a"], parent=NEW_SUITE),
        new("case.x", ["suite.a/b"], suite={"known_after_apply": "suite.a/b"}),
        new("case.y"),
    )
    assert statuses(report) == {"suite.a": "failed", "suite.a/b": "blocked", "case.x": "blocked", "case.y": "done"}
    assert operation(report, "case.x").problem.by == ("suite.a",)
    assert operation(report, "case.x").problem.code == "dependency_failed"
    assert "Title is bad" in operation(report, "suite.a/b").cause
    assert operation(report, "case.x").cause.endswith("which was not carried out because of suite.a.")
    assert (report.blocked, report.failed, report.exit_code) == (2, 1, 6)


def test_a_vanished_object_gets_a_new_id(bench: Bench) -> None:
    bench.state = state_of(**{"case.x": 77})
    change = new("case.x")
    report = bench.run(type(change)(**{**_fields(change), "reason": Reason.VANISHED}))
    assert statuses(report) == {"case.x": "done"}
    assert bench.id("case.x") == 1


def _fields(change: object) -> dict[str, object]:
    return {name: getattr(change, name) for name in change.__dataclass_fields__}


def test_the_project_is_made_with_its_code_and_not_bound(bench: Bench) -> None:
    report = bench.run(new("project.SHOP", title="Web shop"), new("suite.a", ["project.SHOP"]))
    assert "SHOP" in bench.remote.objects["project"]
    assert list(bench.state.bindings) == ["suite.a"]
    assert operation(report, "project.SHOP").id == "SHOP"
    assert ("read", ("project", "SHOP")) not in bench.remote.reads


def test_without_the_project_nothing_is_made(bench: Bench) -> None:
    bench.remote.faults.append(fail_on("Web shop", Rejected("Code is taken.", status=422)))
    report = bench.run(new("project.SHOP", title="Web shop"), new("suite.a", ["project.SHOP"]))
    assert statuses(report) == {"project.SHOP": "failed", "suite.a": "blocked"}


# -- files


def test_a_file_is_uploaded_once_just_before_it_is_needed(bench: Bench) -> None:
    bench.files = {"img/a.png": b"AAA", "b/copy.png": b"AAA"}
    first = new("case.x", files={"img/a.png": sha(b"AAA")}, attachments=["img/a.png"])
    second = new("suite.s")
    third = new(
        "case.y",
        files={"b/copy.png": sha(b"AAA")},
        steps=[{"action": "Look", "attachments": ["b/copy.png", {"hash": "live1", "file": "old.png"}]}],
    )
    report = bench.run(second, first, third, bulk_size=1)
    assert [call[0] for call in bench.remote.calls] == ["create", "upload", "create", "create"]
    assert bench.remote.uploads == {"hash1": ("a.png", b"AAA")}
    assert bench.state.files == {sha(b"AAA"): {"hash": "hash1", "name": "a.png", "size": 3}}
    assert bench.state.bindings["case.x"].sent["attachments"] == ["hash1"]
    assert bench.state.bindings["case.y"].sent["steps"][0]["attachments"] == ["hash1", "live1"]
    assert report.requests == 4


def test_a_file_that_changed_since_the_plan_fails_its_change_alone(bench: Bench) -> None:
    bench.files = {"a.png": b"other"}
    report = bench.run(
        new("case.x", files={"a.png": sha(b"AAA")}, attachments=["a.png"]),
        new("case.y", files={"gone.png": sha(b"BBB")}, attachments=["gone.png"]),
        new("case.z"),
    )
    assert statuses(report) == {"case.x": "failed", "case.y": "failed", "case.z": "done"}
    assert operation(report, "case.x").problem.code == "file-changed"
    assert operation(report, "case.y").problem.code == "file-unreadable"
    assert not bench.remote.uploads


def test_a_file_that_qase_refuses_is_not_tried_for_each_of_its_users(bench: Bench) -> None:
    bench.files = {"a.png": b"AAA"}
    bench.remote.faults.append(fail_on("a.png", Rejected("Too large.", status=413)))
    users = [new(f"case.{n}", files={"a.png": sha(b"AAA")}, attachments=["a.png"]) for n in "xy"]
    report = bench.run(*users)
    assert set(statuses(report).values()) == {"failed"}
    assert [call[0] for call in bench.remote.calls] == ["upload"]


# -- references in every form


def test_references_are_bound_in_every_form(bench: Bench) -> None:
    bench.remote = type(bench.remote)(shared_parameters={"Browsers": "uuid-1"})
    bench.state = state_of(**{"shared_step.s": "ab" * 20, "milestone.m": 9})
    bench.run(
        new(
            "case.x",
            suite={"external_id": "7"},
            milestone="milestone.m",
            steps=[{"shared": "shared_step.s"}, {"shared": {"external_id": "cd" * 20}}],
            parameters=[{"shared": "Browsers"}, {"currency": ["EUR"]}, {"shared": "uuid-1"}],
        )
    )
    sent = bench.state.bindings["case.x"].sent
    assert (sent["suite"], sent["milestone"]) == (7, 9)
    assert sent["steps"] == [{"shared": "ab" * 20}, {"shared": "cd" * 20}]
    assert sent["parameters"] == [{"shared": "uuid-1"}, {"currency": ["EUR"]}, {"shared": "uuid-1"}]


def test_a_reference_to_nothing_fails_before_anything_is_sent(bench: Bench) -> None:
    bench.state = state_of(**{"case.m": 3})
    report = bench.run(
        new("case.x", milestone="milestone.gone"),
        new("case.y", milestone="case.m"),
        new("case.z", parameters=[{"shared": "Nobody knows"}]),
    )
    assert {operation(report, f"case.{n}").problem.code for n in "xyz"} == {"unbound_reference"}
    assert not bench.remote.calls


# -- what the state gains beside the id


def test_references_and_protection_are_recorded_for_the_day_the_yaml_is_gone(bench: Bench) -> None:
    bench.state = state_of(**{"case.old": 50})
    bench.state.bindings["case.old"].protect = True
    desired = desired_of(
        resource("suite.a", title="a"),
        resource(
            "case.x",
            protect=True,
            suite={"address": "suite.a"},
            steps=[{"shared": {"address": "shared_step.s"}}, {"action": "x"}],
            milestone={"external_id": 4},
        ),
        resource("case.old"),
    )
    bench.run(new("suite.a"), new("case.x", ["suite.a"], suite=NEW_SUITE), desired=desired)
    made = bench.state.bindings["case.x"]
    assert (made.depends_on, made.protect) == (["shared_step.s", "suite.a"], True)
    assert bench.state.bindings["case.old"].protect is False


def test_protection_of_what_is_no_longer_declared_stays(bench: Bench) -> None:
    bench.state = state_of(**{"case.old": 50})
    bench.state.bindings["case.old"].protect = True
    bench.run(new("suite.a"), desired=desired_of(resource("suite.a")))
    assert bench.state.bindings["case.old"].protect is True


def test_an_unclear_answer_to_a_single_create_is_unknown(bench: Bench) -> None:
    bench.remote.after.append(fail_on("a", BadAnswer("HTML.", status=200, ambiguous=True)))
    bench.remote.read_faults.append(unreadable)
    report = bench.run(new("suite.a"), edit("suite.b", 5, Action.UPDATE, ["suite.a"], title="B"))
    assert statuses(report) == {"suite.a": "unknown", "suite.b": "blocked"}
    assert report.exit_code == 6
