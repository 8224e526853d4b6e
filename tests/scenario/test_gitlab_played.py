"""The shipped template for GitLab, run as it is shipped: notes in the merge request, GitLab's own state, an apply of what
was reviewed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ci_endpoints import User
from ci_player.gitlab import GitLab, Job, changed, merge_request, served
from ci_player.town import FOLDER, REPOSITORY, TOKEN, Developer, Town
from e2e_kit import REPO
from stores_kit import terraform

TEMPLATE = REPO / "examples" / "ci" / "gitlab" / "qase-iac.gitlab-ci.yml"
NOTE_TOKEN = "glpat-project-bot"
BOT = "project_17_bot"
CASES = "cases:\n  a: {title: A}\n  b: {title: B}\n"
STATE = {"backend": "http", "address": "${env:CI_API_V4_URL}/projects/${env:CI_PROJECT_ID}/terraform/state/qase"}


@dataclass
class Group:
    """A town that lives on GitLab."""

    town: Town
    ci: GitLab

    def begin(self) -> Developer:
        ann = Developer(self.town, "ann").branch("first")
        return ann.write({f"{FOLDER}/qase.yaml": self.town.settings(state=STATE), f"{FOLDER}/cases.yaml": CASES})

    def offer(self, developer: Developer) -> int:
        developer.push()
        return self.follow(1, developer)

    def follow(self, number: int, developer: Developer) -> int:
        branch = developer.git("branch", "--show-current").strip()
        self.request = merge_request(self.town.hosting, REPOSITORY, self.town.forge, number, branch)
        return number

    def review(self, number: int) -> dict[str, Job]:
        return self.ci.pipeline("merge_request_event", f"refs/pull/{number}/head", **self.request)

    def merge(self, number: int) -> dict[str, Job]:
        hosting = self.town.hosting
        before = hosting.sha(REPOSITORY, "main")
        commit = hosting.merge(REPOSITORY, number)
        self.town.forge.add_pull(number, hosting.sha(REPOSITORY, f"refs/pull/{number}/head"), commit)
        return self.ci.pipeline("push", "main", changed(hosting, REPOSITORY, before, commit))

    def titles(self) -> list[str]:
        return [case["title"] for case in self.town.dump()["cases"]]


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    town = Town(tmp_path / "town")
    town.forge.users[NOTE_TOKEN] = User(BOT, app=False)
    with terraform(password="glcbt-job-token", gitlab=True) as state, served(town.forge, state) as url:
        variables = {"QASE_TESTOPS_API_TOKEN": TOKEN, "QASE_IAC_GITLAB_TOKEN": NOTE_TOKEN}
        ci = GitLab(tmp_path / "ci", town.hosting, REPOSITORY, TEMPLATE, town.forge, state, url, variables)
        yield Group(town, ci)
    town.close()


def conclusions(jobs: dict[str, Job]) -> dict[str, str]:
    return {name: job.conclusion for name, job in jobs.items()}


def log(jobs: dict[str, Job]) -> str:
    return "\n".join(f"--- {name}\n{job.log}" for name, job in jobs.items())


def test_from_a_merge_request_to_qase(group: Group) -> None:
    """Plan in a note, edited in place; apply of what was reviewed; a night; a plan that is another one by then."""
    ann = group.begin()
    number = group.offer(ann)
    planned = group.review(number)
    assert conclusions(planned) == {"qase-validate": "success", "qase-plan": "success"}, log(planned)
    assert "qase-report/validate.xml" in planned["qase-validate"].artifacts
    assert {"qase-report/plan.md", "qase-report/plan.html"} <= set(planned["qase-plan"].artifacts)
    ann.edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better").push()
    group.follow(number, ann)
    planned = group.review(number)
    (note,) = group.town.forge.comments
    assert (note["login"], note["edits"]) == (BOT, 1) and "Better" in note["body"], log(planned)

    applied = group.merge(number)
    assert conclusions(applied) == {"qase-apply": "success"}, log(applied)
    assert group.titles() == ["A", "Better"] and "Verified: a second plan is empty." in log(applied)
    assert not group.ci.terraform.locks and len(group.town.forge.comments) == 1

    night = group.ci.pipeline("schedule", "main")
    assert conclusions(night) == {"qase-drift": "success"}, log(night)
    group.town.app.ui.edit("SHOP", "case", 1, title="Edited in Qase")
    night = group.ci.pipeline("schedule", "main")
    assert conclusions(night) == {"qase-drift": "failed"}
    report = night["qase-drift"].artifacts["qase-report/drift.xml"].read_text()
    assert "case.a" in report and "Edited in Qase" in report
    assert TOKEN not in log(planned) + log(applied) + log(night)


def test_a_plan_that_is_no_longer_what_was_reviewed(group: Group) -> None:
    number = group.offer(group.begin())
    group.review(number)
    group.merge(number)
    ann = Developer(group.town, "bob").branch("more").edit(f"{FOLDER}/cases.yaml", "title: B", "title: Better")
    ann.push()
    number = group.follow(2, ann)
    group.review(number)
    group.town.app.ui.edit("SHOP", "case", 1, title="Edited in Qase")
    refused = group.merge(number)
    assert conclusions(refused) == {"qase-apply": "failed"} and group.titles() == ["B", "Edited in Qase"], log(refused)
    (told,) = (body for body in group.town.forge.on(number, BOT) if "key=apply" in body)
    (digest,) = set(re.findall(r"sha256:[0-9a-f]{64}", told))
    assert "Edited in Qase" in told
    by_hand = group.ci.pipeline("web", "main", QASE_EXPECT=digest)
    assert conclusions(by_hand) == {"qase-apply": "success"}, log(by_hand)
    assert group.titles() == ["A", "Better"]
    (told,) = (body for body in group.town.forge.on(number, BOT) if "key=apply" in body)
    assert "Applied: 2 changed" in told and digest not in told, "nobody is asked to approve it any more"


@pytest.mark.parametrize("home", ["17", "99"])
def test_files_of_a_fork_that_are_invalid(group: Group, home: str) -> None:
    """Its pipeline runs in the fork, without any variable of ours, or here, when a member starts it: checked it is."""
    ann = group.begin().edit(f"{FOLDER}/cases.yaml", "title: B", "titel: B")
    number = group.offer(ann)
    group.request |= {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "99", "CI_PROJECT_ID": home}
    found = group.review(number)
    assert conclusions(found) == {"qase-validate": "failed"}, log(found)
    assert "titel" in found["qase-validate"].artifacts["qase-report/validate.xml"].read_text()
    assert group.town.forge.comments == [] and group.town.app.requests == []
