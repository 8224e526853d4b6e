"""A team's weeks on one machine: two developers, somebody in Qase, merges that race, a job that dies. In the end Qase,
git and the state say the same, nothing is there twice, and every comment says what happened.

Real are: git (a bare repository), the jobs (processes, on machines that are gone afterwards), HTTP, the shipped workflows
and the action. Qase is the emulator. What is not real is said in tests/ci_player.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ci_player.town import FOLDER, REPOSITORY, TOKEN, Developer, Town
from ci_player.workflows import Run
from e2e_kit import Ran, actions, run_program
from stores_kit import clean_git, git

from qase_iac.state.lease import GRACE, TTL

SHOP = {
    "suites.yaml": "suites:\n  checkout: {title: Checkout}\n  account: {title: Account}\n",
    "rest.yaml": "milestones:\n  spring: {title: Spring}\nshared_steps:\n  log-in: {title: Log in, steps: [Open, Type]}\n",
    "checkout/cases.yaml": """\
# What has to work before we sell anything.
cases:
  pay-by-card: {title: Pay by card, milestone: spring, steps: [{shared: log-in}, Pay]}
  pay-later: {title: Pay later}
""",
    "account/cases.yaml": "cases:\n  sign-up: {title: Sign up}\n  sign-out: {title: Sign out}\n",
    "plans.yaml": "plans:\n  smoke: {title: Smoke, cases: [pay-by-card, sign-up]}\n",
}
REFUNDS = "cases:\n" + "".join(f"  refund-{n}: {{title: Refund {n}, steps: [Ask, Wait]}}\n" for n in range(1, 6))
MARKER = re.compile(r"^<!-- qase-iac:comment key=(\S+)(?: digest=(\S*))?(?: head=(\S+))? -->")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
LEASE = TTL + GRACE + 60
APPLY = "OWNER/qase-iac@v0.1.0"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path / "town", "qase-plan", "qase-apply", "qase-drift")
    yield made
    made.close()


def test_the_whole_story(town: Town) -> None:
    story = Story(town)
    story.the_project_begins()
    story.somebody_edits_in_qase_and_the_night_tells()
    story.the_edit_is_taken_over_and_two_branches_are_reviewed()
    story.both_are_merged_at_once()
    story.a_job_dies_in_the_middle()
    story.qase_git_and_the_state_agree()
    story.every_comment_is_right()
    story.nothing_leaked()


class Story:
    """Its chapters, in order; each leaves something for the next."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.ann, self.bob = (Developer(town, name) for name in ("ann", "bob"))
        self.pulls: dict[str, int] = {}
        self.approved: dict[int, str] = {}
        """Number of a pull request -> the digest that was approved last, and applied."""
        self.applied: dict[int, Run] = {}
        """And the run that did."""

    # -- what people do --------------------------------------------------------------------------------------------

    def offer(self, name: str, developer: Developer) -> int:
        """Opens a pull request, whose plan has to be there then."""
        number = self.pulls[name] = self.town.offer(developer, name)
        self.planned(number, "opened")
        return number

    def planned(self, number: int, action: str = "synchronize") -> Run:
        run = self.town.play(self.town.opened(number, action))
        assert run.conclusion == "success", run.log
        return run

    def approve(self, number: int, run: Run) -> Run:
        """Somebody reads in the comment what a refused apply would do now, and runs the workflow with that digest."""
        shown = run.job().step(APPLY).outputs
        assert (run.conclusion, shown["exit-code"]) == ("failure", "5"), run.log
        assert self.comments(number)[f"apply:{FOLDER}"].count(shown["digest"]) > 0
        self.approved[number] = shown["digest"]
        done = self.applied[number] = self.town.play(self.town.events.dispatch("Qase apply", expect=shown["digest"]))
        return done

    def comments(self, number: int) -> dict[str, str]:
        """key -> body; there may be one for each."""
        bodies = self.town.forge.on(number)
        found = {match.group(1): body for body in bodies if (match := MARKER.match(body))}
        assert len(found) == len(bodies), bodies
        return found

    def on_the_laptop(self, developer: Developer, *words: str) -> Ran:
        env = {**clean_git(), "QASE_TESTOPS_API_TOKEN": TOKEN, "HOME": str(self.town.root), "USER": developer.name}
        return run_program("-C", developer.clone / FOLDER, *words, env=env)

    # -- chapters --------------------------------------------------------------------------------------------------

    def the_project_begins(self) -> None:
        files = {f"{FOLDER}/{name}": text for name, text in SHOP.items()}
        self.ann.branch("start").write({f"{FOLDER}/qase.yaml": self.town.settings(), **files})
        number = self.offer("start", self.ann)
        assert "qase-iac-state" not in git(self.town.remote, "branch", "--list"), "a plan writes nothing"
        run = self.merged(number)
        assert "Applied: 10 added" in run.log, run.log

    def merged(self, number: int) -> Run:
        """Merges, squashed, what is applied as it was reviewed."""
        self.approved[number] = self.digest_of_plan(number)
        run = self.applied[number] = self.town.play(self.town.merge(number, squash=True))
        assert run.conclusion == "success", run.log
        return run

    def digest_of_plan(self, number: int) -> str:
        match = MARKER.match(self.comments(number)[f"plan:{FOLDER}"])
        assert match is not None
        return match.group(2)

    def somebody_edits_in_qase_and_the_night_tells(self) -> None:
        """Quinn corrects a title; nobody told her of YAML."""
        qase = self.town.app.ui
        ids = {case["title"]: case["id"] for case in self.town.app.store.select("case", "SHOP")}
        qase.edit("SHOP", "case", ids["Sign out"], title="Log out")
        night = self.town.play(self.town.events.night())
        assert night.conclusion == "failure" and "case.sign-out" in night.job().summary
        assert "Log out" in night.job().summary

    def the_edit_is_taken_over_and_two_branches_are_reviewed(self) -> None:
        """Ann pulls Quinn's edit into her branch; Bob does not know of it. Both plans are made at the same time."""
        self.ann.branch("later").edit(f"{FOLDER}/checkout/cases.yaml", "title: Pay later", "title: Pay by invoice")
        self.ann.edit(
            f"{FOLDER}/account/cases.yaml", "sign-up: {title: Sign up}", "sign-up: {title: Sign up, milestone: spring}"
        )
        pulled = self.on_the_laptop(self.ann, "pull", "--all")
        assert pulled.code == 0, pulled.err
        assert "Log out" in (self.ann.clone / FOLDER / "account" / "cases.yaml").read_text()
        later = self.pulls["later"] = self.town.offer(self.ann, "later")

        self.bob.branch("refunds").write({f"{FOLDER}/checkout/refunds/cases.yaml": REFUNDS})
        self.bob.write({f"{FOLDER}/checkout/refunds/suite.yaml": "title: Refunds\n"})
        refunds = self.pulls["refunds"] = self.town.offer(self.bob, "refunds")
        runs = [run for number in (later, refunds) for run in self.town.ci.start(self.town.opened(number))]
        assert [run.wait().conclusion for run in runs] == ["success", "success"], [run.log for run in runs]
        said = self.comments(refunds)[f"plan:{FOLDER}"]
        assert "Log out" in said and "reverts an edit" in said, "Bob's plan would undo it, and says so"

    def both_are_merged_at_once(self) -> None:
        """Ann's is applied as reviewed, while Bob's waits and a laptop is turned away. Bob's plan is another one then."""
        town, later, refunds = self.town, self.pulls["later"], self.pulls["refunds"]
        self.approved[later] = self.digest_of_plan(later)
        seen: dict[str, Any] = {}
        at_work = threading.Event()

        def meanwhile() -> None:
            at_work.wait(60)
            seen["waiting"] = town.ci.queues.waiting("qase-apply")
            self.bob.git("fetch", "-q", "origin")
            self.bob.git("checkout", "-q", "--detach", "origin/main")
            seen["laptop"] = self.on_the_laptop(self.bob, "apply", "--auto-approve")

        town.gate.on(town.gate.counts[True] + 1, True, "before", meanwhile)
        runs = town.ci.start(town.merge(later))
        runs += town.ci.start(town.merge(refunds))
        runs[1].began.wait(60)
        at_work.set()
        first, second = (run.wait() for run in runs)
        self.applied[later] = first
        assert first.conclusion == "success", first.log
        assert seen["waiting"] == 1
        assert seen["laptop"].code == 7 and f"/{REPOSITORY}/actions/runs/{first.id}" in seen["laptop"].err
        done = self.approve(refunds, second)
        assert done.conclusion == "success" and "Applied: 6 added" in done.log, done.log

    def a_job_dies_in_the_middle(self) -> None:
        """The machine is switched off after its third write, whose answer nobody gets; its disk and its lock stay
        behind. The lock runs out, and the next job goes on with what is left, after somebody has seen what that is."""
        town = self.town
        more = "cases:\n" + "".join(f"  search-{n}: {{title: Search {n}}}\n" for n in range(1, 5))
        self.ann.branch("search").write(
            {f"{FOLDER}/search/cases.yaml": more, f"{FOLDER}/search/suite.yaml": "title: Search\n"}
        )
        self.ann.edit(f"{FOLDER}/rest.yaml", "[Open, Type]", "[Open, Type, Press]")
        self.ann.edit(f"{FOLDER}/plans.yaml", "[pay-by-card, sign-up]", "[pay-by-card, sign-up, search-1]")
        self.ann.edit(f"{FOLDER}/qase.yaml", "rate_limit: 0", "rate_limit: 0\n  bulk_size: 2")
        number = self.offer("search", self.ann)
        runs: list[Run] = []
        town.gate.on(town.gate.counts[True] + 3, True, "after", lambda: runs[0].jobs["apply"].machine.kill())  # type: ignore[union-attr]
        runs += town.ci.start(town.merge(number))
        dead = runs[0].wait()
        assert (dead.jobs["apply"].conclusion, dead.conclusion) == ("lost", "failure"), dead.log
        assert "qase-iac-state-lock" in git(town.remote, "branch", "--list")

        town.ci.later = LEASE
        again = town.play(town.events.dispatch("Qase apply"))
        assert "The lock was left by" in again.log and f"/actions/runs/{dead.id}" in again.log, again.log
        done = self.approve(number, again)
        assert done.conclusion == "success" and "Verified: a second plan is empty." in done.log, done.log

    # -- what is so in the end -------------------------------------------------------------------------------------

    def qase_git_and_the_state_agree(self) -> None:
        town = self.town
        fresh = town.fresh()
        plan = fresh.plan(rate_limit=0)
        assert (actions(plan), plan.drift, plan.findings, plan.summary.unmanaged) == ({}, (), (), 0)
        night = town.play(town.events.night())
        assert night.conclusion == "success", night.log

        dump = town.dump()
        for kind in ("cases", "suites", "shared_steps", "milestones", "plans"):
            titles = Counter(each["title"] if "title" in each else str(each) for each in dump[kind])
            assert set(titles.values()) == {1}, titles
        assert len(dump["cases"]) == 4 + 5 + 4 and "Log out" in {case["title"] for case in dump["cases"]}

        (name,) = git(town.remote, "ls-tree", "--name-only", "qase-iac-state").split()
        documents = town.states(name)
        self.every_id_is_there(documents[-1]["state"])
        serials = [version["serial"] for version in documents]
        assert serials == sorted(set(serials)), "each version is newer than the one before"
        assert len({version["lineage"] for version in documents if version["lineage"]}) == 1
        parents = git(town.remote, "rev-list", "--parents", "qase-iac-state").splitlines()
        assert [len(row.split()) for row in parents] == [2] * (len(parents) - 1) + [1], "one line of history"
        assert "lock" not in git(town.remote, "branch", "--list") and documents[-1]["run"] is None

    def every_id_is_there(self, state: dict[str, Any]) -> None:
        """Each binding names an object of its own, and every object in Qase is bound."""
        for kind in ("case", "suite", "milestone", "shared_step", "plan"):
            rows = self.town.app.store.select(kind, "SHOP")
            there = sorted(str(row.get("hash") if kind == "shared_step" else row["id"]) for row in rows)
            bound = [str(row["id"]) for address, row in state["bindings"].items() if address.startswith(f"{kind}.")]
            assert sorted(bound) == there, kind

    def every_comment_is_right(self) -> None:
        """One for each key, of the commit that was merged; what was approved was applied, and the last word is so."""
        assert {each["number"] for each in self.town.forge.comments} == set(self.pulls.values())
        for name, number in self.pulls.items():
            found = self.comments(number)
            refused = name in ("refunds", "search")
            assert set(found) == {f"plan:{FOLDER}", *([f"apply:{FOLDER}"] if refused else [])}, name
            head = self.town.hosting.sha(REPOSITORY, f"refs/pull/{number}/head")
            assert {match.group(3) for body in found.values() if (match := MARKER.match(body))} == {head}
            planned = self.digest_of_plan(number)
            assert set(DIGEST.findall(found[f"plan:{FOLDER}"])) == {planned}
            assert (planned != self.approved[number]) is refused
            self.what_was_applied_is_what_was_shown(number, refused)

    def what_was_applied_is_what_was_shown(self, number: int, refused: bool) -> None:
        """The digest that the job was given, and the numbers of its last line, are those of the comment."""
        run, found = self.applied[number], self.comments(number)
        assert self.approved[number] in run.log or run.event.inputs["expect"] == self.approved[number]
        (line,) = re.findall(r"^Applied: .*\.$", run.log, re.MULTILINE)
        if refused:
            assert f"## {line}" in found[f"apply:{FOLDER}"] and not DIGEST.search(
                found[f"apply:{FOLDER}"].partition("-->")[2]
            )
        else:
            (shown,) = re.findall(r"^## Plan for SHOP: (.*)$", found[f"plan:{FOLDER}"], re.MULTILINE)
            assert line.startswith(f"Applied: {shown.replace('to add', 'added').replace('to change', 'changed')}."), (
                line
            )

    def nothing_leaked(self) -> None:
        everything = "\n".join(
            [run.log for run in self.town.ci.runs] + [each["body"] for each in self.town.forge.comments]
        )
        assert TOKEN not in everything and "ghs_" not in everything
        assert TOKEN not in "".join(git(self.town.remote, "log", "-p", "--all"))
        for run in self.town.ci.runs:
            for job in run.jobs.values():
                assert {command.name for command in job.log.commands} <= {"stop-commands", "error"}
