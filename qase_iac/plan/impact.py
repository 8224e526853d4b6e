"""Who reads differently when something is changed that others show: the cases that use a shared step, and so on up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qase_iac.kinds import BY_NAME, CONTENT_KINDS
from qase_iac.model import Snapshot
from qase_iac.plan.bind import references
from qase_iac.plan.deletes import Hanging, User
from qase_iac.plan.model import Action, Change
from qase_iac.values import JSON, RemoteId

SHOWN_IN_USERS = frozenset({"shared_step"})
"""Kinds whose text is shown inside what refers to them."""
NAMED = 20
"""So many of each kind are named, the rest is counted."""

Addresses = Mapping[User, str]


def impacts(changes: Mapping[str, Change], snapshot: Snapshot, addresses: Addresses) -> dict[str, JSON]:
    """address -> `Change.impact` of each change that alters what others show.

    A user counts when it refers to the object now and will after this plan.
    """
    altering = [change for change in changes.values() if change.kind in SHOWN_IN_USERS and _alters(change)]
    if not altering:
        return {}
    hanging = Hanging(snapshot, addresses)
    users = {change.address: hanging.left(change, changes) for change in altering}
    holders = _holders({user for found in users.values() for user in found}, snapshot)
    return {address: _impact(found, holders, addresses) for address, found in users.items() if found}


def _alters(change: Change) -> bool:
    return change.action in (Action.UPDATE, Action.ADOPT) and not change.blocked and bool(change.sent)


def _holders(users: set[User], snapshot: Snapshot) -> dict[User, set[User]]:
    """user -> what holds it: the suite that it lies in, the test plans that it is a member of."""
    holders: dict[User, set[User]] = {user: set() for user in users}
    for kind in CONTENT_KINDS:
        for live in snapshot.of(kind.name).values() if kind.members else ():
            for _, to, id in references(live):
                if (to, id) in holders:
                    holders[to, id].add((kind.name, live.id))
    for user in users:
        held, parent = snapshot.get(*user), BY_NAME[user[0]].parent
        place = held.attributes.get(parent) if held and parent else None
        if place is not None:
            holders[user].add(("suite", place))
    return holders


def _impact(users: Sequence[User], holders: Mapping[User, set[User]], addresses: Addresses) -> dict[str, JSON]:
    """section -> how many there are and the first of them, as references are shown."""
    concerned = set(users).union(*(holders.get(user, ()) for user in users))
    found: dict[str, JSON] = {}
    for kind in ("case", "plan", "suite"):
        named = sorted(_name(user, addresses) for user in concerned if user[0] == kind)
        if named:
            shown = [name or {"external_id": id} for _, name, id in named[:NAMED]]
            found[BY_NAME[kind].section] = {"count": len(named), "names": shown}
    return found


def _name(user: User, addresses: Addresses) -> tuple[bool, str, RemoteId]:
    """What sorts the managed ones by address, then the others by id."""
    name = addresses.get(user, "")
    return not name, name, user[1]
