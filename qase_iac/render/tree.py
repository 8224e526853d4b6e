"""What is shown of a plan, and in which order: what may hurt first, then by the suite tree; nothing said twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from qase_iac.diagnostics import Diagnostic
from qase_iac.kinds import BY_NAME, RANK
from qase_iac.plan.model import Action, Change, Drift, Plan
from qase_iac.values import printable

Place = tuple[int, tuple[str, ...]]

ORDER: dict[Action, int] = {
    Action.DELETE: 0,
    Action.UPDATE: 2,
    Action.MOVE: 3,
    Action.CREATE: 4,
    Action.ADOPT: 5,
    Action.NO_OP: 6,
    Action.FORGET: 7,
}
BLOCKED = 1


@dataclass(frozen=True, slots=True)
class Group:
    """Changes under one header, in the order in which people should read them."""

    header: str
    changes: tuple[Change, ...]


def groups(changes: Iterable[Change]) -> list[Group]:
    """Groups that delete come first, then those that undo somebody's edit, then blocked ones, then the others.

    Among equals: project, milestones, shared steps, suites by path, test plans. Inside a group deletes are first,
    then what is blocked, updates, moves, creates, and what costs no request; else the order of execution.
    """
    found: dict[Place, list[Change]] = {}
    for change in changes:
        found.setdefault(_place(change), []).append(change)
    ranked = sorted(found.items(), key=lambda item: (min(map(_danger, item[1])), item[0]))
    return [Group(_header(place, members[0]), tuple(sorted(members, key=_rank))) for place, members in ranked]


def left_alone(plan: Plan) -> list[Drift]:
    """What changed in Qase and stays as it is: drift, or the attributes of it, that no change of the plan speaks of."""
    changes = {change.address: change for change in plan.changes}
    left = []
    for drift in plan.drift:
        change = changes.get(drift.address)
        if change is None:
            left.append(drift)
        elif drift.kind == "changed" and change.attributes:
            rest = {name: each for name, each in drift.attributes.items() if name not in change.attributes}
            if rest:
                left.append(replace(drift, attributes=rest))
    return left


def unsaid(plan: Plan) -> list[Diagnostic]:
    """The findings, but for those that a blocked change gives as its reason."""
    reasons = {change.address: change.blocked.reason for change in plan.changes if change.blocked}
    return [
        found
        for found in plan.findings
        if not found.summary or found.summary not in reasons.get(found.address or "", "")
    ]


def _rank(change: Change) -> int:
    return BLOCKED if change.blocked else ORDER[change.action]


def _danger(change: Change) -> int:
    if change.blocked:
        return 2
    return 0 if change.action is Action.DELETE else 1 if change.undoes else 3


def _place(change: Change) -> Place:
    """Cases and suites stand together in the suite tree, every other kind by itself."""
    if BY_NAME[change.kind].owned_by_scope:
        return RANK["suite"], tuple(change.suite.split("/")) if change.suite else ()
    return RANK[change.kind], ()


def _header(place: Place, change: Change) -> str:
    kind = BY_NAME[change.kind]
    if kind.owned_by_scope:
        return "/".join(map(printable, place[1])) + "/" if place[1] else "./"
    return (kind.section or kind.name).replace("_", " ")
