"""Every shipped workflow for GitHub, run as it is shipped: its ordinary path and the failures that matter."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ci_player.town import FOLDER, SECRETS, TOKEN, Developer, Town
from e2e_kit import actions
from stores_kit import git

CASES = "cases:\n  a: {title: A}\n  b: {title: B}\n"
HOSTILE = [
    "::error file=qase/qase.yaml,line=1::You are lost",
    "::set-output name=digest::sha256:0",
    "x ##[error]old",
    "::add-mask::a",
    "::stop-commands::x",
]
MARKER = re.compile(r"<!-- qase-iac:comment key=(\S+)(?: digest=(\S*))?(?: head=(\S+))? -->")
NOT_SENT = {"GET"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """Makes a town with the shipped workflows of those names."""
    made: list[Town] = []

    def make(*workflows: str, **how: Any) -> Town:
        made.append(Town(tmp_path / f"town-{len(made)}", *workflows, **how))
        return made[-1]

    yield make
    for each in made:
        each.close()


def begun(town: Town, files: str = CASES, **settings: Any) -> Developer:
    """A developer, and a project that is applied already: what main declares is in Qase, the state on its branch."""
    ann = Developer(town, "ann").branch("main")
    ann.write({f"{FOLDER}/qase.yaml": town.settings(**settings), f"{FOLDER}/cases.yaml": files}).push("Tests")
    town.fresh("first").applied(rate_limit=0)
    return ann


def writes(town: Town) -> list[str]:
    return [f"{entry.method} {entry.path}" for entry in town.app.requests if entry.method not in NOT_SENT]


def markers(town: Town, number: int) -> dict[str, str | None]:
    """key -> digest of the comments on a pull request, which may have one for each key."""
    found = [MARKER.match(body) for body in town.forge.on(number)]
    rows = [(match.group(1), match.group(2)) for match in found if match]
    assert len(rows) == len(found) == len(dict(rows)), town.forge.on(number)
    return dict(rows)


def digest_of(body: str) -> str:
    (found,) = set(re.findall(r"sha256:[0-9a-f]{64}", body))
    return found


# -- pull requests ---------------------------------------------------------------------------------------------------------


def test_from_a_pull_request_to_qase(town: Callable[..., Town]) -> None:
    """The ordinary path: a plan in a comment, edited in place on the second push, and applied as it was reviewed."""
    here = town("qase-plan", "qase-apply", "qase-drift")
    ann = Developer(here, "ann").branch("first;$(touch${IFS}pwned)")
    ann.write({f"{FOLDER}/qase.yaml": here.settings(), f"{FOLDER}/cases.yaml": CASES})
    number = here.offer(ann)
    planned = here.play(here.opened(number))
    assert planned.conclusion == "success", planned.log
    (comment,) = here.forge.comments
    assert (comment["number"], comment["edits"]) == (number, 0) and "3 to add" in comment["body"]
    assert set((here.ci.artifacts(planned) / "qase-plan").iterdir()) >= {
        here.ci.artifacts(planned) / "qase-plan" / name for name in ("plan.json", "report.html", "report.md")
    }

    ann.edit(f"{FOLDER}/cases.yaml", "  b: {title: B}\n", "  b: {title: B}\n  c: {title: C}\n").push()
    planned = here.play(here.opened(number, "synchronize"))
    (comment,) = here.forge.comments
    assert comment["edits"] == 1 and "4 to add" in comment["body"]
    assert markers(here, number) == {f"plan:{FOLDER}": digest_of(comment["body"])}
    assert writes(here) == [] and "qase-iac-state" not in git(here.remote, "branch", "--list")

    applied = here.play(here.merge(number))
    assert applied.conclusion == "success", applied.log
    assert "Applied: 4 added" in applied.log and "Verified: a second plan is empty." in applied.log
    assert [case["title"] for case in here.dump()["cases"]] == ["A", "B", "C"]
    assert actions(here.fresh().plan(rate_limit=0)) == {}
    assert here.forge.comments == [comment], "what was applied as it was reviewed needs no second word"
    assert TOKEN not in planned.log + applied.log + comment["body"]


def test_files_that_are_invalid(town: Callable[..., Town]) -> None:
    here = town("qase-plan")
    ann = begun(here).branch("bad").write({f"{FOLDER}/more/cases.yaml": "cases:\n  c: {title: C, severty: major}\n"})
    run = here.play(here.opened(here.offer(ann)))
    job = run.job()
    assert (run.conclusion, job.steps[-2].outcome, job.steps[-1].outcome) == ("failure", "skipped", "skipped")
    (first, *_) = job.log.annotations
    assert (first.name, first.properties["file"], first.properties["line"]) == (
        "error",
        f"{FOLDER}/more/cases.yaml",
        "2",
    )
    assert "severty" in first.message and "severty" in job.summary
    assert here.forge.comments == []


def test_a_hostile_title_is_no_workflow_command(town: Callable[..., Town]) -> None:
    """Deletes name their titles in the log, where the old form of a command counts anywhere in a line."""
    here = town("qase-plan", "qase-apply")
    rows = "".join(f"  h{number}: {{title: {title!r}}}\n" for number, title in enumerate(HOSTILE))
    ann = begun(here, CASES + rows, policy={"max_delete_share": 1})
    number = here.offer(ann.branch("peace").write({f"{FOLDER}/cases.yaml": CASES}))
    for run in (here.play(here.opened(number)), here.play(here.merge(number))):
        assert run.conclusion == "success", run.log
        assert all(title in run.log for title in HOSTILE)
        assert {command.name for command in run.job().log.commands} == {"stop-commands"}
    assert [case["title"] for case in here.dump()["cases"]] == ["A", "B"]


def test_a_push_while_the_plan_is_being_made(town: Callable[..., Town]) -> None:
    """The run for the older commit is cancelled, and never writes over the comment of the newer one."""
    here = town("qase-plan")
    number = here.offer(begun(here).branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: B1"))
    followers: list[Any] = []

    def push_meanwhile() -> None:
        ann = Developer(here, "bob")
        ann.git("checkout", "-q", "more")
        ann.edit(f"{FOLDER}/cases.yaml", "title: B1", "title: B2").push()
        followers.extend(here.ci.start(here.opened(number, "synchronize")))
        followers[0].began.wait(60)

    here.gate.on(here.gate.counts[False] + 2, False, "before", push_meanwhile)
    (older,) = here.ci.start(here.opened(number))
    older.wait()
    newer = followers[0].wait()
    assert (older.conclusion, newer.conclusion) == ("cancelled", "success")
    (comment,) = here.forge.comments
    assert "B2" in comment["body"] and "title: B1" not in comment["body"] and "exit code" not in comment["body"]


def test_a_comment_that_is_refused(town: Callable[..., Town]) -> None:
    """Without the permission the plan is in the summary, with a warning, and no apply goes by a review that is nowhere."""
    here = town("qase-plan", "qase-apply")
    path = ".github/workflows/qase-plan.yml"
    ann = begun(here).branch("more").edit(path, "pull-requests: write # the comment", "pull-requests: read")
    number = here.offer(ann.edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better"))
    planned = here.play(here.opened(number)).job()
    assert planned.conclusion == "success" and here.forge.comments == []
    assert [each.name for each in planned.log.commands if each.name != "stop-commands"] == ["warning"]
    assert "403" in planned.log.text and "pull-requests: write" in planned.log.text
    digest = digest_of(planned.summary)

    before = writes(here)
    applied = here.play(here.merge(number)).job()
    assert applied.conclusion == "failure" and writes(here) == before
    assert markers(here, number) == {f"apply:{FOLDER}": ""}
    assert digest in here.forge.on(number)[0], "with what is to be approved"
    assert here.play(here.events.dispatch("Qase apply", expect=digest)).conclusion == "success"
    assert [case["title"] for case in here.dump()["cases"]] == ["A", "Better"]


def test_a_plan_that_fails_takes_the_approval_back(town: Callable[..., Town]) -> None:
    """The comment says that there is no plan, and keeps no digest of an older one that somebody could go by."""
    here = town("qase-plan", "qase-apply")
    ann = begun(here).branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better")
    number = here.offer(ann)
    here.play(here.opened(number))
    assert markers(here, number)[f"plan:{FOLDER}"]
    ann.edit(f"{FOLDER}/cases.yaml", "title: Better", "title: Best").push()
    here.ci.secrets = {name: "expired" for name in SECRETS}
    failed = here.play(here.opened(number, "synchronize")).job()
    assert failed.conclusion == "failure" and failed.step("OWNER/qase-iac@v0.1.0", 1).outputs["exit-code"] == "8"
    (comment,) = here.forge.comments
    assert comment["edits"] == 1 and not re.search("sha256:", comment["body"]) and "exit code 8" in comment["body"]
    here.ci.secrets = SECRETS
    before = writes(here)
    assert here.play(here.merge(number)).job().steps[1].outputs["exit-code"] == "5" and writes(here) == before


# -- apply -----------------------------------------------------------------------------------------------------------------


def test_a_plan_that_is_no_longer_what_was_reviewed(town: Callable[..., Town]) -> None:
    """Somebody edits in Qase between review and merge: nothing is applied, the new plan is shown, and can be approved."""
    here = town("qase-plan", "qase-apply")
    number = here.offer(begun(here).branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better"))
    here.play(here.opened(number))
    reviewed = markers(here, number)[f"plan:{FOLDER}"]
    here.app.ui.edit("SHOP", "case", 1, title="Edited in Qase")
    before = writes(here)

    refused = here.play(here.merge(number, squash=True)).job()
    assert refused.conclusion == "failure" and writes(here) == before
    assert refused.steps[1].outputs["exit-code"] == "5", "and not that of the second plan"
    assert [each.name for each in refused.log.commands if each.name not in ("stop-commands",)] == ["error"]
    found = markers(here, number)
    assert found == {f"plan:{FOLDER}": reviewed, f"apply:{FOLDER}": ""}
    fresh = refused.steps[1].outputs["digest"]
    (told,) = (body for body in here.forge.on(number) if "key=apply" in body)
    assert digest_of(told) == fresh != reviewed and "Edited in Qase" in told

    applied = here.play(here.events.dispatch("Qase apply", expect=fresh))
    assert applied.conclusion == "success", applied.log
    assert [case["title"] for case in here.dump()["cases"]] == ["A", "Better"]


def test_the_brake_holds_and_is_released_by_hand(town: Callable[..., Town]) -> None:
    many = "cases:\n" + "".join(f"  c{n}: {{title: C{n}}}\n" for n in range(40))
    here = town("qase-plan", "qase-apply")
    ann = begun(here, many, policy={"max_deletes": 5}).branch("less")
    number = here.offer(ann.write({f"{FOLDER}/cases.yaml": "".join(many.splitlines(keepends=True)[:31])}))
    here.play(here.opened(number))
    before = writes(here)
    refused = here.play(here.merge(number)).job()
    assert refused.conclusion == "failure" and refused.steps[1].outputs["exit-code"] == "4" and writes(here) == before
    assert set(markers(here, number)) == {f"plan:{FOLDER}", f"apply:{FOLDER}"}
    allow = {"args": "--allow-deletes 10"}  # another plan than the one that was reviewed: it says so
    shown = here.play(here.events.dispatch("Qase apply", **allow)).job().steps[1].outputs
    assert shown["exit-code"] == "5" and writes(here) == before
    run = here.play(here.events.dispatch("Qase apply", expect=shown["digest"], **allow))
    assert run.conclusion == "success", run.log
    assert len(here.dump()["cases"]) == 30
    backups = [path for path in (here.ci.artifacts(run) / "qase-apply").rglob("*") if "backups" in path.parts]
    assert backups, "what was deleted is kept beside the report"


def test_a_job_that_may_not_push_the_state(town: Callable[..., Town]) -> None:
    """`permissions` without `contents: write`: nothing is sent to Qase, and the message names the line."""
    here = town("qase-plan", "qase-apply")
    path = ".github/workflows/qase-apply.yml"
    ann = begun(here).branch("more").edit(path, "contents: write # the state", "contents: read # the state")
    number = here.offer(ann.edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better"))
    here.play(here.opened(number))
    before = writes(here)
    run = here.play(here.merge(number))
    assert run.conclusion == "failure" and writes(here) == before
    assert "permissions: {contents: write}" in run.log and here.hosting.refused
    assert "ghs_" not in run.log


def test_what_is_on_main_without_a_review_waits_for_one(town: Callable[..., Town]) -> None:
    here = town("qase-plan", "qase-apply")
    ann = begun(here).branch("main").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better")
    before = writes(here)
    refused = here.play(here.push(ann))
    assert refused.conclusion == "failure" and writes(here) == before and here.forge.comments == []
    assert digest_of(refused.job().summary) == refused.job().steps[1].outputs["digest"]


def test_a_job_that_is_cancelled_ends_in_good_order(town: Callable[..., Town]) -> None:
    """Somebody presses the button in the middle of an apply: the call in flight ends, it is noted, the lock is given
    back, and the next job goes on at once."""
    here = town("qase-plan", "qase-apply")
    rows = "".join(f"  s{number}: {{title: S{number}, steps: [One]}}\n" for number in range(4))
    number = here.offer(begun(here).branch("more").write({f"{FOLDER}/steps.yaml": "shared_steps:\n" + rows}))
    here.play(here.opened(number))
    runs: list[Any] = []

    def press() -> None:
        """The call is in flight until the signal has made its way."""
        runs[0].cancel()
        end = time.monotonic() + 30
        while "Stopping after the call in flight" not in runs[0].log and time.monotonic() < end:
            time.sleep(0.01)

    here.gate.on(here.gate.counts[True] + 2, True, "before", press)
    runs += here.ci.start(here.merge(number))
    runs[0].wait()
    assert runs[0].conclusion == "cancelled" and "Stopping after the call in flight" in runs[0].log, runs[0].log
    assert len(here.dump()["shared_steps"]) == 2
    assert "lock" not in git(here.remote, "branch", "--list")
    assert (here.ci.artifacts(runs[0]) / "qase-apply").exists(), "`always()` holds"

    again = here.play(here.events.dispatch("Qase apply"))
    assert again.job().steps[1].outputs["exit-code"] == "5", "less is left to do than was reviewed"
    done = here.play(here.events.dispatch("Qase apply", expect=again.job().steps[1].outputs["digest"]))
    assert done.conclusion == "success" and "Applied: 2 added" in done.log
    assert [step["title"] for step in here.dump()["shared_steps"]] == ["S0", "S1", "S2", "S3"]


# -- drift -----------------------------------------------------------------------------------------------------------------


def test_a_night_in_which_nothing_happened_and_one_after_an_edit(town: Callable[..., Town]) -> None:
    here = town("qase-drift")
    begun(here)
    quiet = here.play(here.events.night())
    assert quiet.conclusion == "success", quiet.log
    here.app.ui.edit("SHOP", "case", 2, title="Edited in Qase")
    loud = here.play(here.events.night())
    assert loud.conclusion == "failure" and "case.b" in loud.job().summary and "Edited in Qase" in loud.job().summary
    assert here.forge.comments == []


# -- forks -----------------------------------------------------------------------------------------------------------------


def test_a_pull_request_from_a_fork(town: Callable[..., Town]) -> None:
    """No secret, no right to write: its plan is made against what the state remembers, and Qase is not asked at all."""
    here = town("qase-plan", "qase-fork")
    begun(here)
    eve = Developer(here, "eve").branch("patch").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better")
    number = here.offer_from_fork(eve, "eve/shop")
    asked = len(here.app.requests)
    runs = {run.facts["workflow"]: run.wait() for run in here.ci.start(here.opened(number))}
    assert [job.conclusion for job in runs["Qase plan"].jobs.values()] == ["skipped"]
    fork = runs["Qase plan of a fork"]
    assert fork.conclusion == "success", fork.log
    assert "case.b" in fork.job().summary and "1 to change" in fork.job().summary and "case.a" not in fork.job().summary
    assert here.forge.comments == [] and len(here.app.requests) == asked
    assert (here.ci.artifacts(fork) / "qase-plan" / "report.html").exists()
    assert TOKEN not in fork.log


def test_the_workflow_for_forks_leaves_our_own_branches_alone(town: Callable[..., Town]) -> None:
    here = town("qase-fork")
    number = here.offer(begun(here).branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better"))
    assert [job.conclusion for job in here.play(here.opened(number)).jobs.values()] == ["skipped"]


# -- many projects ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("jq") is None, reason="the workflow needs jq, which GitHub's machines have")
def test_many_projects_in_one_repository(town: Callable[..., Town]) -> None:
    """A job for each folder, at the same time, whose states are beside each other on one branch."""
    here = town("qase-many")
    ann = Developer(here, "ann").branch("both")
    for name, code in (("web/tests", "WEB"), ("app", "APP")):
        ann.write({f"{name}/qase.yaml": here.settings(code), f"{name}/cases.yaml": CASES})
    number = here.offer(ann)
    planned = here.play(here.opened(number))
    assert planned.conclusion == "success", planned.log
    assert {name for name, job in planned.jobs.items() if job.conclusion == "success"} == {
        "projects", "plan (app)", "plan (web/tests)",
    }  # fmt: skip
    assert set(markers(here, number)) == {"plan:app", "plan:web/tests"}
    assert len(list(here.ci.artifacts(planned).iterdir())) == 2

    applied = here.play(here.merge(number))
    assert applied.conclusion == "success", applied.log
    for name, code in (("web/tests", "WEB"), ("app", "APP")):
        assert [case["title"] for case in here.dump(code)["cases"]] == ["A", "B"]
        assert actions(here.fresh(code, name).plan(rate_limit=0)) == {}
    states = git(here.remote, "ls-tree", "--name-only", "qase-iac-state").split()
    assert [name.partition("@")[0] for name in states] == ["APP", "WEB"]
    assert len(here.forge.comments) == 2


# -- the installation -------------------------------------------------------------------------------------------------------


def test_the_action_installs_the_program(town: Callable[..., Town]) -> None:
    """For once nothing is prepared: a venv of its own, pip, and the command that later steps find."""
    here = town("qase-plan", installed=False)
    number = here.offer(begun(here).branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better"))
    run = here.play(here.opened(number))
    if run.conclusion != "success" and "Could not find a version that satisfies" in run.log:
        pytest.skip("pip reaches no package index here")
    assert run.conclusion == "success", run.log
    (comment,) = here.forge.comments
    assert "Better" in comment["body"]
