"""What disappears: deletes of what is bound and no longer declared, and what stands in their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from qase_iac.kinds import BY_NAME, RANK, Kind
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import Binder, references
from qase_iac.plan.digests import live_digest
from qase_iac.plan.identity import Identities
from qase_iac.plan.model import Action, Blocked, Change, Drift, Reason
from qase_iac.plan.obstacles import outside
from qase_iac.plan.remarks import Addresses, drift_of, edited_since
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import Binding
from qase_iac.values import Address, RemoteId

MANY = 5
"""So many addresses are named in a reason; the rest is counted."""


def undeclared(
    desired: Desired, snapshot: Snapshot, found: Identities, suites: LiveSuites, show: tuple[Binder, Addresses]
) -> tuple[dict[str, Change], list[Drift]]:
    """Deletes and forgets of everything that is bound and not declared, by address; and what changed or vanished."""
    changes: dict[str, Change] = {}
    drift: list[Drift] = []
    for address, binding in sorted(found.bindings.items()):
        parsed = Address.parse(address)
        if parsed in desired.resources:
            continue
        kind = BY_NAME[parsed.kind]
        live = snapshot.get(parsed.kind, binding.id)
        former = found.renamed.get(address)
        if live is None:
            drift.append(Drift(address, binding.id, "vanished"))
            changes[address] = Change(address, Action.FORGET, binding.id, Reason.VANISHED, moved_from=former)
            continue
        place = live.attributes.get(kind.parent) if kind.parent else None
        change = Change(
            address=address,
            action=Action.FORGET if parsed in desired.removed or not kind.deletable else Action.DELETE,
            id=binding.id,
            reason=Reason.UNDECLARED,
            title=live.title,
            precondition=live_digest(live),
            suite=suites.key(place) if kind.owned_by_scope else "",
            moved_from=former,
        )
        edited = edited_since(kind, live, binding)
        if edited:
            drift.append(drift_of(kind, address, live, binding, edited, (*show, {})))
        if change.action is Action.DELETE:
            change = replace(change, blocked=_kept(kind, live, binding, found.blocked.get(address), suites, desired))
            if edited:
                note = f"edited in Qase since the last apply ({', '.join(edited)})"
                change = replace(change, notes=(note,))
        changes[address] = change
    return changes, drift


def _kept(
    kind: Kind, live: LiveObject, binding: Binding, doubt: Blocked | None, suites: LiveSuites, desired: Desired
) -> Blocked | None:
    """Why an object is not deleted although nothing declares it."""
    if doubt:
        return doubt
    if binding.protect:
        return Blocked("protected", "`protect: true` was set when it was last declared.")
    return outside(kind, live, suites, desired.scope)


User = tuple[str, RemoteId]
"""(kind, id) of a live object."""


class Hanging:
    """What hangs on each live object: cases and suites in a suite, cases that use a shared step or a milestone."""

    def __init__(self, snapshot: Snapshot, addresses: Addresses) -> None:
        self._addresses = addresses
        self._users: dict[User, dict[User, str]] = {}
        for live in snapshot:
            for name, kind, id in references(live):
                self._users.setdefault((kind, id), {})[live.kind, live.id] = name
        for live in snapshot.of("shared_step").values():
            for case in live.meta.get("cases") or ():
                self._users.setdefault(("shared_step", live.id), {}).setdefault(("case", case), "")

    def on(self, kind: str, id: RemoteId) -> list[tuple[User, str]]:
        """Every live object that refers to this one and the attribute by which ("": not known), by kind and id."""
        users = self._users.get((kind, id), {})
        return sorted(users.items(), key=lambda item: (RANK[item[0][0]], len(str(item[0][1])), str(item[0][1])))

    def name(self, user: User) -> str:
        return self._addresses.get(user) or f"{user[0].replace('_', ' ')} {user[1]} (not managed)"


_BLOCKS = {
    "suite": ("suite_not_empty", "It still holds {what}, and Qase would delete that with it."),
    "shared_step": ("shared_step_in_use", "It is still used by {what}, and Qase would strip its steps there."),
    "milestone": ("milestone_in_use", "It is still used by {what}, and would be lost there."),
}
"""Kinds whose delete reaches others: code and reason. A case leaves test plans quietly; that is a note."""


def link_deletes(
    changes: dict[str, Change], hanging: Hanging, addresses: Addresses, rank: Callable[[Change], Any]
) -> dict[str, set[str]]:
    """Gives each delete its notes, and its block where something is left that hangs on it.

    A user is no obstacle when the plan deletes it, or changes the attribute by which it hangs. Blocks spread: what
    a blocked delete leaves behind blocks in turn. `rank` sorts deletes from the leaves to the roots, so that once
    over is enough.
    Returns the edges: address -> addresses that must come before.
    """
    edges: dict[str, set[str]] = {}
    deletes = [change for change in changes.values() if change.action is Action.DELETE]
    for change in sorted(deletes, key=rank):
        users = hanging.on(change.kind, change.id) if change.id is not None else []
        edges[change.address] = {addresses[user] for user, _ in users if addresses.get(user) in changes}
        left = [user for user, name in users if not _lets_go(user, name, change, changes, addresses)]
        linked = replace(change, notes=(*change.notes, *_plan_notes(users, addresses, changes)))
        if change.kind in _BLOCKS and left and not change.blocked:
            code, reason = _BLOCKS[change.kind]
            by = tuple(addresses[user] for user in left if user in addresses)
            what = _listed([hanging.name(user) for user in left])
            linked = replace(linked, blocked=Blocked(code, reason.format(what=what), by))
        changes[change.address] = linked
    return edges


def _lets_go(user: User, name: str, change: Change, changes: Mapping[str, Change], addresses: Addresses) -> bool:
    """Whether after the plan `user`, which refers to what `change` deletes by attribute `name`, no longer does."""
    theirs = changes.get(addresses.get(user, ""))
    if theirs is None or theirs.blocked:
        return False
    if theirs.action is Action.DELETE:
        return True
    if name in theirs.sent:
        row = BY_NAME[user[0]].attribute(name)
        still = (change.address, {"external_id": change.id})
        return not any(ref in still for _, ref in row.type.refs(theirs.sent[name].after))
    # The whole attribute goes when another one takes its place: steps give way to gherkin.
    return any(name in pair and set(pair) & theirs.sent.keys() for pair in BY_NAME[user[0]].exclusive)


def _plan_notes(users: list[tuple[User, str]], addresses: Addresses, changes: Mapping[str, Change]) -> Iterable[str]:
    """Test plans that lose a member: nothing tells of that but this note."""
    for user, name in users:
        kind, address = BY_NAME[user[0]], addresses.get(user)
        if name not in {row.name for row in kind.members}:
            continue
        if address is None:
            yield f"in {kind.label} {user[1]} (not managed)"
        else:
            theirs = changes.get(address)
            yield f"in {address}" + (" (updated first)" if theirs and name in theirs.sent else "")


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:MANY])
    return f"{shown} and {len(names) - MANY} more" if len(names) > MANY else shown


def spread_blocks(changes: dict[str, Change], order: Iterable[str], edges: Mapping[str, set[str]]) -> None:
    """Blocks what needs a blocked change: users of something that is not made, deletes of what is still needed."""
    for address in order:
        change = changes[address]
        if change.blocked:
            continue
        needed = (changes[other] for other in edges.get(address, ()) if other in changes)
        stuck = sorted(c.address for c in needed if c.blocked and (_makes(c) or change.action is Action.DELETE))
        if stuck:
            goes = change.action is Action.DELETE
            what, are = _listed(stuck), "is" if len(stuck) == 1 else "are"
            reason = f"{what} must come first, and {are} blocked." if goes else f"It needs {what}, which {are} blocked."
            changes[address] = replace(change, blocked=Blocked("depends_on_blocked", reason, tuple(stuck)))


def _makes(change: Change) -> bool:
    """Whether others cannot refer to the object before this change is done: nothing is bound to its address yet."""
    return change.action in (Action.CREATE, Action.ADOPT)
