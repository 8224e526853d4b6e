"""`.ci/action.sh`, run as GitHub's runner runs it: what it prints, puts out, comments, and ends with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ci_endpoints import TOKEN, Forge
from e2e_kit import qase_yaml, run_program, sections

from ci_pieces.runner_kit import Runner
from qase_iac.emulator import create_app, start_server

HEAD, MERGE = "a" * 40, "b" * 40
SECRET = "qase-secret-token"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with Forge() as made:
        made.add_pull(7, HEAD)
        yield made


@pytest.fixture
def runner(tmp_path: Path, forge: Forge) -> Runner:
    """In the job of a pull request; the project folder is `qa`."""
    shop = tmp_path / "clone" / "qa"
    shop.mkdir(parents=True)
    (shop / "qase.yaml").write_text(qase_yaml(title="Shop", create=True))
    (shop / "cases.yaml").write_text(sections(cases={"a": {"title": "A", "description": "One"}}))
    runner = Runner(tmp_path, tmp_path / "clone", forge)
    runner.event(pull_request={"number": 7, "head": {"sha": HEAD, "repo": {"full_name": forge.repository}}})
    return runner


def merged(runner: Runner) -> None:
    """From now on the job is that of the push that the merge made."""
    assert runner.forge
    runner.forge.add_pull(7, HEAD, MERGE)
    del runner.environment["GITHUB_EVENT_PATH"]
    runner.environment["GITHUB_SHA"] = MERGE


def add_a_case(runner: Runner) -> None:
    (runner.workspace / "qa" / "more.yaml").write_text(sections(cases={"b": {"title": "B"}}))


def test_plan_then_apply_of_what_was_reviewed_then_nothing(runner: Runner, forge: Forge) -> None:
    plan = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true")
    assert (plan.code, plan.outputs["exit-code"], plan.outputs["changes"]) == (0, "2", "true")
    assert plan.outputs["digest"] in forge.on(7)[0] and plan.outputs["digest"] in plan.summary
    assert sorted(os.listdir(plan.outputs["report"])) == ["events.ndjson", "plan.json", "report.html", "report.md"]
    merged(runner)
    apply = runner.run(COMMAND="apply", FOLDER="qa", COMMENT="true", EXPECT="reviewed")
    assert (apply.code, apply.outputs["exit-code"], apply.outputs["changes"]) == (0, "2", "true")
    assert "Verified: a second plan is empty." in apply.log
    assert len(forge.on(7)) == 1  # all is well: nothing more to say
    again = runner.run(COMMAND="apply", FOLDER="qa", COMMENT="true", EXPECT="reviewed")
    assert (again.code, again.outputs["exit-code"], again.outputs["changes"]) == (0, "0", "false")


def test_another_plan_than_the_reviewed_one_is_shown_and_waits_for_approval(runner: Runner, forge: Forge) -> None:
    runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true")
    merged(runner)
    add_a_case(runner)
    stopped = runner.run(COMMAND="apply", FOLDER="qa", COMMENT="true", EXPECT="reviewed")
    assert (stopped.code, stopped.outputs["exit-code"]) == (5, "5")
    digest = stopped.outputs["digest"]
    reviewed, told = forge.on(7)
    assert digest not in reviewed and digest in told and "`Qase apply`" in told and "case.b" in told
    assert "not the plan that was reviewed" in told
    assert not (runner.workspace / "qa" / ".qase-iac" / "SHOP@emulator.json").exists()
    approved = runner.run(COMMAND="apply", FOLDER="qa", COMMENT="true", EXPECT=digest)
    assert approved.code == 0
    assert "Applied: 3 added." in forge.on(7)[1]


def test_a_push_without_a_review_applies_nothing_unless_there_is_nothing(runner: Runner) -> None:
    merged(runner)
    stopped = runner.run(COMMAND="apply", FOLDER="qa", EXPECT="reviewed")
    assert stopped.code == 5
    assert "no plan of this was reviewed" in stopped.summary
    assert runner.run(COMMAND="apply", FOLDER="qa").code == 0
    assert runner.run(COMMAND="apply", FOLDER="qa", EXPECT="reviewed").code == 0


def test_a_plan_that_fails_takes_the_digest_out_of_the_comment(runner: Runner, forge: Forge) -> None:
    good = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true")
    (runner.workspace / "qa" / "cases.yaml").write_text("cases: {a: {titel: A}}\n")
    bad = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true")
    assert (bad.code, bad.outputs["digest"]) == (3, "")
    [body] = forge.on(7)
    assert good.outputs["digest"] not in body and "titel" in body
    (runner.workspace / "qa" / "cases.yaml").write_text(sections(cases={"a": {"title": "A"}}))
    odd = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true", ARGS="--profile <b>@all</b>")
    assert odd.code == 3
    refused = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true", ARGS="--changed-since <b>@all</b>")
    [body] = forge.on(7)
    assert refused.code == 1 and "ended with exit code 1" in body
    assert "<b>" not in body and "&lt;b&gt;@all" in body


def test_annotations_are_obeyed_and_nothing_else_is(runner: Runner) -> None:
    (runner.workspace / ".git").mkdir()
    (runner.workspace / "qa" / "cases.yaml").write_text('cases: {a: {titel: "::error::x"}}\n')
    ran = runner.run(COMMAND="validate", FOLDER="qa")
    assert ran.code == 3
    assert [line.partition(" ")[0] for line in ran.commands()] == ["::error"] * len(ran.commands())
    assert any("file=qa/cases.yaml" in line for line in ran.commands())


def test_no_text_of_a_case_is_a_workflow_command(runner: Runner) -> None:
    text = "one\n::error::pwned\n::set-env name=A::b\n::add-mask::e"
    (runner.workspace / "qa" / "cases.yaml").write_text(
        sections(cases={"a": {"title": "::stop-commands::x", "description": text}})
    )
    for inputs in ({"COMMAND": "plan", "ARGS": "--full"}, {"COMMAND": "apply", "ARGS": "--full"}, {"COMMAND": "drift"}):
        assert runner.run(FOLDER="qa", **inputs).commands() == []


def test_no_input_is_code(runner: Runner) -> None:
    evil = "$(touch pwned) `touch pwned` ' \" ; touch pwned ; \n* ? && touch pwned # ${IFS} \\"
    for name in ("COMMAND", "FOLDER", "ARGS", "EXPECT", "TOKEN"):
        inputs = {"COMMAND": "apply", "FOLDER": "qa", "EXPECT": "none", name: evil}
        ran = runner.run(**inputs)
        assert ran.code != 0 or name == "TOKEN"
    assert not list(runner.root.rglob("pwned"))


def test_a_comment_that_cannot_be_written_fails_no_plan(runner: Runner, forge: Forge) -> None:
    forge.users[TOKEN].writes = False
    ran = runner.run(COMMAND="plan", FOLDER="qa", COMMENT="true")
    assert ran.code == 0
    assert ran.commands() == ["::warning::The comment could not be written; the job's summary has the report."]
    assert "pull-requests: write" in ran.log
    assert "case.a" in ran.summary


def test_each_token_goes_where_it_belongs(runner: Runner, forge: Forge) -> None:
    with_tokens = {"FOLDER": "qa", "TOKEN": SECRET, "COMMENT": "true"}
    logs = [runner.run(COMMAND=command, **with_tokens).log for command in ("plan", "apply", "drift", "validate")]
    assert not any(secret in log for log in logs for secret in (SECRET, TOKEN))
    assert {asked.token for asked in forge.asked} == {TOKEN}
    assert SECRET not in json.dumps([asked.body for asked in forge.asked])
    comment, work = (Path(runner.root, f"env-of-{name}").read_text() for name in ("comment", "--events"))
    assert (SECRET in comment, TOKEN in comment) == (False, True)
    assert (SECRET in work, TOKEN in work) == (True, False)


def test_drift_fails_the_step(runner: Runner) -> None:
    runner.run(COMMAND="apply", FOLDER="qa")
    assert runner.run(COMMAND="drift", FOLDER="qa").code == 0
    app = create_app(runner.workspace / "qa" / ".qase-iac" / "emulator.db")
    app.ui.edit(project="SHOP", kind="case", id=1, title="Other")
    app.close()
    drift = runner.run(COMMAND="drift", FOLDER="qa")
    assert (drift.code, drift.outputs["changes"]) == (2, "true")
    assert "Other" in drift.summary


def test_install_runs_nothing_and_an_unknown_command_is_an_error(runner: Runner) -> None:
    install = runner.run(COMMAND="install")
    assert (install.code, install.outputs["exit-code"], install.summary) == (0, "0", "")
    unknown = runner.run(COMMAND="destroy")
    assert (unknown.code, unknown.commands()) == (1, ["::error::command is validate, plan, apply, drift or install"])


def test_a_cancelled_job_ends_after_the_call_in_flight(runner: Runner) -> None:
    """GitHub sends SIGINT to the first process of the step alone; what was done is on record, and the rest is next."""
    app = create_app(seed={"projects": [{"code": "SHOP", "title": "Shop"}]})
    app.faults.add("slow-after", method="POST", path="/suite", seconds=0.3, times=0)
    suites = {f"s{number}": {"title": f"S{number}"} for number in range(40)}
    (runner.workspace / "qa" / "cases.yaml").write_text(sections(suites=suites))
    (runner.workspace / "qa" / "qase.yaml").write_text("project: SHOP\n")
    with start_server(app) as server:
        runner.environment |= {"QASE_IAC_API_URL": server.url, "QASE_TESTOPS_API_TOKEN": "any"}
        events = runner.root / "events"
        process = runner.start(COMMAND="apply", FOLDER="qa", ARGS=f"--events {events}")
        try:
            while process.poll() is None and (not events.exists() or "operation_finished" not in events.read_text()):
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(0.05)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        done = len([each for each in app.requests if each.method == "POST"])
        state = json.loads(next((runner.workspace / "qa" / ".qase-iac").glob("SHOP@*.json")).read_bytes())
        left = run_program("-C", str(runner.workspace / "qa"), "plan", "--format", "json", env=runner.environment)
    assert process.returncode == 130, out
    assert 0 < done < 40
    assert len(state["bindings"]) == done
    assert len(left.json["changes"]) == 40 - done


def test_a_cancelled_plan_leaves_the_comment_to_the_run_that_takes_its_place(runner: Runner, forge: Forge) -> None:
    app = create_app(seed={"projects": [{"code": "SHOP", "title": "Shop"}]})
    app.faults.add("slow", path="/case", seconds=0.5, times=0)
    (runner.workspace / "qa" / "qase.yaml").write_text("project: SHOP\n")
    with start_server(app) as server:
        runner.environment |= {"QASE_IAC_API_URL": server.url, "QASE_TESTOPS_API_TOKEN": "any"}
        process = runner.start(COMMAND="plan", FOLDER="qa", COMMENT="true")
        while not app.requests and process.poll() is None:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode > 2, out
    assert not forge.asked
