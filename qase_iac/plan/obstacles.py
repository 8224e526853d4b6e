"""What stands in the way of making or changing one object. (Of deletes: deletes.py.)"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from qase_iac.kinds import Kind
from qase_iac.model import LiveObject, Resource, Scope
from qase_iac.plan.identity import How
from qase_iac.plan.model import AttributeChange, Blocked, Origin
from qase_iac.plan.scope import LiveSuites
from qase_iac.values import RemoteId


class Case(NamedTuple):
    """One change before it is made: `sent` are the attributes that would be written, `live` None for a create."""

    kind: Kind
    resource: Resource
    sent: Mapping[str, AttributeChange]
    live: LiveObject | None


def obstacle(case: Case, suites: LiveSuites, scope: Scope) -> Blocked | None:
    """The first reason not to carry a change out; None when there is none."""
    checks: tuple[Callable[[], Blocked | None], ...] = (
        lambda: outside(case.kind, case.live, suites, scope) if case.live else None,
        lambda: _leads_outside(case, suites, scope),
        lambda: _without_members(case),
        lambda: _drops_assignees(case),
    )
    return next((blocked for check in checks if (blocked := check())), None)


def outside(kind: Kind, live: LiveObject, suites: LiveSuites, scope: Scope) -> Blocked | None:
    """A live object that lies outside the scope: it is nothing of this folder's, whatever the state says."""
    if not kind.owned_by_scope:
        return None
    place = live.id if kind.nested_keys else live.attributes.get(kind.parent or "")
    if suites.in_scope(scope, place):
        return None
    return Blocked("out_of_scope", f"In Qase it lies in {_name(suites, place)}, outside the scope.")


def _leads_outside(case: Case, suites: LiveSuites, scope: Scope) -> Blocked | None:
    """Where it is to be put; declared suites were checked with the files, those that are only in Qase are not."""
    name = case.kind.parent or ""
    ref = case.resource.attributes.get(name) if name in case.sent else None
    if not isinstance(ref, dict) or "external_id" not in ref or suites.in_scope(scope, ref["external_id"]):
        return None
    return Blocked("out_of_scope", f"It is to lie in {_name(suites, ref['external_id'])}, outside the scope.")


def _name(suites: LiveSuites, place: RemoteId | None) -> str:
    return suites.key(place) or "the root"


def _without_members(case: Case) -> Blocked | None:
    if case.resource.local.get(NOBODY):
        return Blocked("empty_selection", "`select` matches no case; nothing is done before it does.")
    for row in case.kind.members:
        if (row.name in case.sent or case.live is None) and not case.resource.attributes.get(row.name):
            return Blocked("empty_plan", f"It has no {row.name}, and Qase takes no empty {case.kind.label}.")
    return None


NOBODY = "nobody"
"""In `Resource.local`: the rule picks nothing (resolve.py)."""


def _drops_assignees(case: Case) -> Blocked | None:
    members = {row.name for row in case.kind.members} & case.sent.keys()
    held = case.live.meta.get("assignees") if case.live else None
    if not members or not held or case.resource.local.get("assignees") == "may_be_lost":
        return None
    reason = (
        f"{held} of its cases {'has' if held == 1 else 'have'} an assignee in Qase; a change of {min(members)} may "
        "drop that. `assignees: may_be_lost` says that this is all right."
    )
    return Blocked("would_drop_assignees", reason)


def by_policy(failed: Mapping[str, Origin], how: How) -> Blocked:
    """Differences that a policy refuses to touch."""
    names = ", ".join(sorted(failed))
    if Origin.CONFLICT in failed.values():
        if how is How.NATURAL:
            why = f"An object of this place and title exists in Qase and differs in {names}."
        else:
            why = f"{names} changed here and in Qase since the last apply, differently."
        return Blocked("conflict", f"{why} `--on-conflict ours` writes yours, `theirs` keeps what is in Qase.")
    cure = "`pull` takes that into the files, `--on-drift revert` puts back what was."
    return Blocked("drift", f"{names} changed in Qase since the last apply, and `on_drift` is fail. {cure}")
