"""Any project A, then any project B, with accidents anywhere: it ends at B, and nothing of others was touched.

A is brought about to its end, or given up after some runs, whatever they have left behind.
The clocks of the program and of the emulator are one, which moves only by requests and by what the program waits.
QASE_IAC_EXAMPLES=500 tries more than the few dozen of an ordinary run.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, actions, qase_yaml, sections
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from qase_iac.emulator import App, create_app
from qase_iac.errors import ApiError, NotFound, StateLocked
from qase_iac.workflow.session import Ask, Session, World

EXAMPLES = int(os.environ.get("QASE_IAC_EXAMPLES", "25"))
MOST_RUNS = 12
TITLES = ("One", "Two", "Two", "Three")
"""Few, so that twins are common."""


class Clock:
    """Seconds that pass by being looked at, and by waiting."""

    def __init__(self) -> None:
        self.time = 1795392000.0

    def __call__(self) -> float:
        self.time += 0.01
        return self.time


@dataclass
class Waiting(World):
    clock: Any = None

    def sleep(self, seconds: float) -> None:
        self.clock.time += seconds


class Shop(Folder):
    clock: Clock
    served: Any

    def session(self, **ask: Any) -> Session:
        world = Waiting(environment={}, app=self.served, wall=self.clock, random=lambda: 0.5, clock=self.clock)
        return Session(Ask(self.root, **ask), world)


# -- projects ------------------------------------------------------------------------------------------------------

titles = st.sampled_from(TITLES)
Project = dict[str, dict[str, Any]]


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Sections of one content file. Every attribute that B might change is named in A as well, so that it is managed."""
    milestones = {f"m{n}": {"title": draw(titles)} for n in draw(st.sets(st.integers(0, 1)))}
    shared = {f"t{n}": {"title": draw(titles), "steps": ["Do"] * draw(st.integers(1, 2))}
              for n in draw(st.sets(st.integers(0, 1)))}  # fmt: skip
    cases = {}
    suites: dict[str, Any] = {}
    for n in sorted(draw(st.sets(st.integers(0, 3)))):
        parent = draw(st.sampled_from([None, *suites]))
        suites[f"s{n}"] = {"title": f"S{n}", "parent": parent}
    for n in sorted(draw(st.sets(st.integers(0, 7), min_size=1))):
        steps = [draw(st.sampled_from([{"action": "Look"}, {"action": "Push"}, *({"shared": key} for key in shared)]))
                 for _ in range(draw(st.integers(0, 2)))]  # fmt: skip
        cases[f"c{n}"] = {
            "title": draw(titles), "suite": draw(st.sampled_from([None, *suites])), "steps": steps,
            "severity": draw(st.sampled_from(["minor", "major"])),
            "milestone": draw(st.sampled_from([None, *milestones])),
        }  # fmt: skip
    members = draw(st.lists(st.sampled_from(sorted(cases)), unique=True, min_size=1, max_size=3))
    plans = {f"p{n}": {"title": draw(titles), "cases": sorted(members)} for n in draw(st.sets(st.integers(0, 1)))}
    return {"milestones": milestones, "shared_steps": shared, "suites": suites, "cases": cases, "plans": plans}


def nested(project: Project) -> Mapping[str, Any]:
    """As the file has it: suites inside their suites, and a case's suite by the suite's path."""
    paths: dict[str, str] = {}
    tree: dict[str, Any] = {}
    bodies: dict[str, dict[str, Any]] = {}
    for key, suite in project["suites"].items():
        above = suite["parent"]
        paths[key] = f"{paths[above]}/{key}" if above else key
        bodies[key] = {"title": suite["title"]}
        (bodies[above].setdefault("suites", {}) if above else tree)[key] = bodies[key]
    cases = {key: {**case, "suite": paths.get(case["suite"])} for key, case in project["cases"].items()}
    whole = {**project, "suites": tree, "cases": cases}
    return {section: content for section, content in whole.items() if content}


def expected(project: Project) -> Counter[tuple[str, str]]:
    return Counter((section, row["title"]) for section, rows in project.items() for row in rows.values())


# -- accidents -----------------------------------------------------------------------------------------------------

LISTS = r"/SHOP(\?|$)"
"""Lists of the project's objects: a replica that answers them late still knows an object by its id."""
WRITES = ("POST", "PATCH", "DELETE")
KINDS = (
    "500",
    "502",
    "503",
    "429",
    "drop-before",
    "500-after",
    "502-after",
    "drop-after",
    "empty-body",
    "cut-off",
    "html",
    "short-ids",
)


class Killed(BaseException):
    """The process is no more."""


@dataclass(frozen=True)
class Accident:
    """`kind` strikes the `after`-th request of that method from the beginning of a phase; "kill" ends the process."""

    kind: str
    method: str
    after: int
    times: int


accidents = st.builds(
    Accident, st.sampled_from([*KINDS, *["kill-before", "kill-after"] * 3]), st.sampled_from(["POST", *WRITES, "GET"]),
    st.integers(0, 9), st.integers(1, 2),
)  # fmt: skip


class Deadly:
    """The emulator behind a wire that may end the program, before a request's work or after it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.due: list[list[Any]] = []

    def __call__(self, environ: Any, start_response: Any) -> Any:
        strikes = []
        for each in self.due:
            if each[1] == environ["REQUEST_METHOD"]:
                each[2] -= 1
                if each[2] < 0:
                    strikes.append(each)
        self.due = [each for each in self.due if each not in strikes]
        if any(each[0] == "kill-before" for each in strikes):
            raise Killed
        answer = self.app(environ, start_response)
        if strikes:
            raise Killed
        return answer


def arrange(shop: Shop, found: list[Accident], lag: bool) -> None:
    deadly = shop.served
    deadly.due = [[each.kind, each.method, each.after] for each in found if each.kind.startswith("kill")]
    for each in found:
        if not each.kind.startswith("kill") and (each.kind != "short-ids" or each.method == "POST"):
            extra = {"retry_after": 0} if each.kind == "429" else {}
            shop.app.faults.add(each.kind, method=each.method, after=each.after, times=each.times, **extra)
    if lag:  # as long as one object is waited for, and no longer
        shop.app.faults.add("stale-list", path=LISTS, seconds=4)


def bring_about(shop: Shop, project: Project, found: list[Accident], lag: bool, runs: int = MOST_RUNS) -> bool:
    """Applies again and again, as a pipeline would, until it goes well. False: it was given up after so many `runs`."""
    shop.write({"all.yaml": sections(**nested(project))})
    arrange(shop, found, lag)
    everything = frozenset(
        f"{kind}.{key}" for kind in ("milestone", "shared_step", "case", "plan") for key in keys(kind)
    )
    done = False
    for run in range(runs):
        if run == MOST_RUNS - 2:
            shop.app.faults.clear()
            shop.served.due = []
        try:
            report = shop.apply(allow_recreate=everything | suite_keys(), new_state=True).report
            assert report is not None
            note(
                f"run {run}: exit {report.exit_code} {[(o.address, o.cause) for o in report.operations if not o.done]}"
            )
            if done := report.exit_code == 0:
                break
        except Killed:
            note(f"run {run}: killed")
        except (ApiError, NotFound, StateLocked) as error:
            note(f"run {run}: {error}")
    if not done and runs == MOST_RUNS:
        pytest.fail("it does not come to an end")
    shop.app.faults.clear()
    shop.served.due = []
    return done


def keys(kind: str) -> list[str]:
    return [f"{kind[0] if kind != 'shared_step' else 't'}{n}" for n in range(8)]


def suite_keys() -> frozenset[str]:
    names = [f"s{n}" for n in range(4)]
    paths = set(names)
    for _ in range(3):
        paths |= {f"{path}/{name}" for path in paths for name in names if name not in path.split("/")}
    return frozenset(f"suite.{path}" for path in paths)


SECTIONS = ("milestones", "shared_steps", "suites", "cases", "plans")


def rows(app: App) -> list[tuple[str, Any]]:
    """Everything in the project, to the last attribute: (section, row)."""
    dump = app.dump("SHOP")
    return [(section, row) for section in SECTIONS for row in dump[section]]


def made_by_others(app: App) -> list[tuple[str, Any]]:
    """What nobody declares: beside ours, and with our titles where the place tells them apart."""
    app.ui.create("", "project", code="SHOP", title="Shop")
    app.ui.create("SHOP", "milestone", title="Theirs")
    app.ui.create("SHOP", "shared_step", title="Theirs", steps=[{"action": "Theirs"}])
    suite = app.ui.create("SHOP", "suite", title="Theirs")
    app.ui.create("SHOP", "suite", title="S0", parent_id=suite)
    case = app.ui.create("SHOP", "case", title="One", suite_id=suite)
    app.ui.create("SHOP", "case", title="Theirs", description="x")
    app.ui.create("SHOP", "plan", title="Theirs", cases=[case])
    return rows(app)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=EXAMPLES == 25)
@given(
    projects(), projects(), st.lists(accidents, max_size=4), st.lists(accidents, max_size=4), st.booleans(),
    st.sampled_from([MOST_RUNS, 1, 2, 3]),
)  # fmt: skip
@pytest.mark.usefixtures("no_waiting")
def test_it_ends_at_b_whatever_happens(
    a: Project, b: Project, first: list[Accident], second: list[Accident], lag: bool, patience: int
) -> None:
    clock = Clock()
    app = create_app(strict=True, clock=clock)
    theirs = made_by_others(app)
    with tempfile.TemporaryDirectory() as place:
        shop = Shop(Path(place), app)
        shop.clock, shop.served = clock, Deadly(app)
        policy = {"max_delete_share": 1.0, "max_deletes": 1000}
        shop.write({"qase.yaml": qase_yaml(api={"url": "emulator", "bulk_size": 3}, policy=policy)})
        for project, found, runs in ((a, first, patience), (b, second, MOST_RUNS)):
            done = bring_about(shop, project, found, lag, runs)
            now = rows(app)
            assert [row for row in now if row in theirs] == theirs
            if done:
                assert actions(shop.plan()) == {}
                assert Counter(
                    (section, row["title"]) for section, row in now if (section, row) not in theirs
                ) == expected(project)
                assert not list((shop.root / ".qase-iac").glob("*.journal"))
    app.close()
