"""Deletes. Nothing that Qase would take along is deleted unless this run has seen, just before, that nothing is there.

What Qase takes along: a suite, its cases and sub-suites (qase-api.md section 6); a shared step, its steps in every case
that uses it (section 8); a milestone, itself out of every case that has it (section 9).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from qase_iac.apply.report import Problem, Status, problem_of
from qase_iac.apply.run import Run
from qase_iac.apply.sending import because_of, conclude, obstacle
from qase_iac.attributes import RefTo, Steps
from qase_iac.errors import AccessDenied, ApiError, Interrupted, NotFound, QaseIacError
from qase_iac.kinds import BY_NAME, KINDS, Kind
from qase_iac.plan.model import Action, Change
from qase_iac.state.journal import Item
from qase_iac.values import RemoteId

STEP_SOURCES = frozenset(
    kind
    for row in (row for each in KINDS for row in each.attributes if isinstance(row.type, Steps))
    for kind, _ in row.type.refs([{"shared": ""}])
)
"""Kinds that steps point at. Deleting one strips those steps from whatever uses them."""
REFERRED_TO = frozenset(
    row.type.kind
    for each in KINDS
    for row in each.attributes
    if isinstance(row.type, RefTo) and row.name != each.parent
)
"""Kinds that an attribute of others points at. Deleting one clears that attribute, and nothing tells of it."""
NAMED = 20
"""So many objects are named in a reason; the rest is counted."""


class Deletes:
    """The deletes of one run. Made before the first call, since it looks at what the state said then."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._planned = {(change.kind, change.id) for change in run.plan.unblocked if change.action is Action.DELETE}
        targets = {change.address for change in run.plan.unblocked if change.action is Action.DELETE}
        self._hanging = _hanging_on(run, targets)
        self._gone: set[tuple[str, RemoteId | None]] = set()
        self._project_seen = False

    def delete(self, change: Change) -> None:
        run, kind = self._run, BY_NAME[change.kind]
        if problem := obstacle(run, change) or self._still_needed(change):
            run.block(change, problem)
            return
        assert change.id is not None
        try:
            problem = self._would_lose(kind, change.id)
        except QaseIacError as error:
            self._unreadable(change, error)
            return
        if problem:
            run.block(change, problem)
            return
        self._send(kind, change, change.id)

    def _send(self, kind: Kind, change: Change, id: RemoteId) -> None:
        run = self._run
        destination = self._destination(kind, id) if kind.destination else None
        item = Item(run.number(change), change.address, change.action, id, change.title)

        def call() -> list[RemoteId | None]:
            try:
                run.remote.delete(kind.name, id, destination)
            except NotFound:  # somebody was faster, and what was wanted is so
                self._check_project()
            return [id]

        status, problem, _ = run.attempt([change], [item], call)
        if status is Status.DONE:
            self._gone.add((kind.name, id))
        conclude(run, change, status, problem, id)

    def _check_project(self) -> None:
        """Raises ApiError unless the project itself can be read, asked once a run: where it cannot, no 404 says that an
        object is gone, and nothing more is sent."""
        run = self._run
        try:
            if not self._project_seen and run.remote.read("project", run.plan.project) is None:
                summary = f"Qase has no project {run.plan.project}, or no longer shows it to this token."
                raise NotFound(summary, status=404)
        except (Interrupted, AccessDenied):
            raise
        except ApiError as error:
            reason = f"Qase said 404 to a delete, and the project could not be read either: {error.summary}"
            run.halt(Problem("api_unavailable", reason, hint="Nothing was taken for deleted. Run the command again."))
            raise
        self._project_seen = True

    def _still_needed(self, change: Change) -> Problem | None:
        """Whatever the state says refers to it must have let go: a failed update or move of it still holds on."""
        for address in self._hanging[change.address]:
            operation = self._run.operations.get(address)
            if operation and not operation.done:
                return because_of(operation)
        return None

    def _unreadable(self, change: Change, error: QaseIacError) -> None:
        """What could not be looked at is not deleted."""
        run = self._run
        if isinstance(error, Interrupted):
            run.block(change, run.interrupt())
            return
        if isinstance(error, AccessDenied):
            run.deny(problem_of(error))
        hint = "What hangs on it could not be read, so it was not deleted."
        run.fail(change, replace(problem_of(error), hint=hint))

    def _would_lose(self, kind: Kind, id: RemoteId) -> Problem | None:
        """Reads again what hangs on an object, just before it goes. An object that is gone holds nothing."""
        try:
            if kind.destination:
                return self._holds(kind, id)
            if kind.name in STEP_SOURCES:
                return self._used(kind, id)
            if kind.name in REFERRED_TO:
                return self._referred_to(kind, id)
        except NotFound:  # of a list: all the same if the object is there
            if self._run.remote.read(kind.name, id) is not None:
                raise
        return None

    def _holds(self, kind: Kind, id: RemoteId) -> Problem | None:
        cases, inner = self._run.remote.holds(id)
        owner = next(each.name for each in KINDS if each.parent and not each.destination)
        left = [(owner, case) for case in cases] + [(kind.name, suite) for suite in inner]
        left = [each for each in left if each not in self._gone]
        if not left:
            return None
        return Problem(
            f"{kind.name}_not_empty",
            f"It still holds {self._listed(left)}, which this plan does not delete, and Qase would do so with it.",
            self._addresses(left),
            "Move that out in Qase, or declare it, then run the command again.",
        )

    def _used(self, kind: Kind, id: RemoteId) -> Problem | None:
        live = self._run.remote.read(kind.name, id)
        if live is None:
            return None
        users = list(live.meta.get("cases") or ())
        count = live.meta.get("cases_count", len(users) if "cases" in live.meta else None)
        if count == 0 and not users:
            return None
        number = None if count is None else max(int(count), len(users))
        what = "an unknown number of cases" if number is None else f"{number} case{'' if number == 1 else 's'}"
        ids = f" (ids {_numbers(users)})" if users else ""
        return self._in_use(kind, what + ids, "strip its steps from them")

    def _referred_to(self, kind: Kind, id: RemoteId) -> Problem | None:
        users = [each for each in self._run.remote.users(kind.name, id) if each not in self._gone]
        return self._in_use(kind, self._listed(users), "clear it there", users) if users else None

    def _in_use(self, kind: Kind, what: str, loss: str, users: Iterable[tuple[str, RemoteId]] = ()) -> Problem:
        return Problem(
            f"{kind.name}_in_use",
            f"It is still used by {what}. Qase would {loss}.",
            self._addresses(users),
            "Take it out there, then run the command again.",
        )

    def _destination(self, kind: Kind, id: RemoteId) -> RemoteId | None:
        """Where Qase is to put what is in a suite after all: the nearest suite above that stays, else the first
        suite at the root that stays."""
        parents = self._parents(kind)
        seen = {id}
        above = parents.get(id)
        while above is not None and above not in seen:
            if (kind.name, above) not in self._planned and above in parents:
                return above
            seen.add(above)
            above = parents.get(above)
        roots = [each for each, parent in parents.items() if parent is None and each != id]
        return min((each for each in roots if (kind.name, each) not in self._planned), default=None, key=_numeric)

    def _parents(self, kind: Kind) -> dict[RemoteId, RemoteId | None]:
        """suite -> suite above, by what was read, and over it by what the state knows of this run's own writes."""
        name = kind.parent or ""
        parents = {live.id: live.attributes.get(name) for live in self._run.remote.snapshot.of(kind.name).values()}
        for address in self._run.state.bound_ids(kind.name).values():
            binding = self._run.state.bindings[address]
            if name in binding.sent and (address in self._run.operations or binding.id not in parents):
                parents[binding.id] = binding.sent[name]
        return {each: parent for each, parent in parents.items() if (kind.name, each) not in self._gone}

    def _addresses(self, objects: Iterable[tuple[str, RemoteId]]) -> tuple[str, ...]:
        bound = {kind: self._run.state.bound_ids(kind) for kind, _ in objects}
        return tuple(bound[kind][id] for kind, id in objects if id in bound[kind])

    def _listed(self, objects: list[tuple[str, RemoteId]]) -> str:
        parts = []
        for kind in dict.fromkeys(kind for kind, _ in objects):
            ids = [id for each, id in objects if each == kind]
            parts.append(f"{BY_NAME[kind].label}{'s' if len(ids) > 1 else ''} {_numbers(ids)}")
        return " and ".join(parts)


def _numbers(ids: list[RemoteId]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(str(id) for id in ids[:NAMED]) + more


def _numeric(id: RemoteId) -> tuple[int, str]:
    return (id, "") if isinstance(id, int) else (0, id)


def _hanging_on(run: Run, targets: set[str]) -> dict[str, list[str]]:
    """address -> addresses that the state says refer to it."""
    hanging: dict[str, list[str]] = {address: [] for address in targets}
    if targets:
        for address, binding in run.state.bindings.items():
            for target in binding.depends_on:
                if target in hanging:
                    hanging[target].append(address)
    return hanging
