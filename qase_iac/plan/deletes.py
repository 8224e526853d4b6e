"""What disappears: deletes of what is bound and no longer declared, and what stands in their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from qase_iac.kinds import BY_NAME, KINDS, RANK, Kind
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import Binder, references
from qase_iac.plan.digests import live_digest
from qase_iac.plan.identity import Identities
from qase_iac.plan.model import Action, Blocked, Change, Drift, Reason
from qase_iac.plan.obstacles import outside
from qase_iac.plan.remarks import Addresses, drift_of, edited_since
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import Binding
from qase_iac.values import Address, RemoteId, printable

MANY = 5
"""So many addresses are named in a reason; the rest is counted."""


def undeclared(
    desired: Desired,
    snapshot: Snapshot,
    found: Identities,
    suites: LiveSuites,
    show: tuple[Binder, Addresses],
    on_conflict: str,
) -> tuple[dict[str, Change], list[Drift]]:
    """Deletes and forgets of everything that is bound and not declared, by address; and what changed or vanished.

    `on_conflict` is the policy for what was edited in Qase since the last apply: taking the declaration away is a
    change on our side, so both sides changed, differently.
    """
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
        edited = edited_since(kind, live, binding, snapshot)
        if edited:
            drift.append(drift_of(kind, address, live, binding, edited, (*show, {})))
        if change.action is Action.DELETE:
            blocked = found.blocked.get(address) or _kept(kind, address, live, binding, suites, desired)
            change = replace(change, blocked=blocked)
            change = _after_edit(change, edited, on_conflict) if edited else change
        changes[address] = change
    return changes, drift


def _kept(
    kind: Kind, address: str, live: LiveObject, binding: Binding, suites: LiveSuites, desired: Desired
) -> Blocked | None:
    """Why an object is not deleted although nothing declares it."""
    if binding.protect:
        reason = (
            "It was declared with `protect: true`. To delete it, declare it once more without that, apply, and take it "
            f"away then; `removed: [{address}]` leaves it in Qase and lets go of it."
        )
        return Blocked("protected", reason)
    return outside(kind, live, suites, desired.scope)


def _after_edit(change: Change, edited: list[str], on_conflict: str) -> Change:
    """A delete of what somebody edited in Qase since the last apply, as the policy for conflicts has it."""
    what = f"edited in Qase since the last apply ({', '.join(edited)})"
    if on_conflict == "theirs" and not change.blocked:
        return replace(change, action=Action.FORGET, notes=(what,))
    if on_conflict == "fail" and not change.blocked:
        reason = (
            f"It was {what}, and nothing declares it any more. `--on-conflict ours` deletes it all the same; "
            f"`theirs`, or `removed: [{change.address}]`, leaves it in Qase and lets go of it."
        )
        return replace(change, blocked=Blocked("conflict", reason))
    return replace(change, notes=(what,))


User = tuple[str, RemoteId]
"""(kind, id) of a live object."""


class Hanging:
    """What hangs on each live object: cases and suites in a suite, cases that use a shared step or a milestone."""

    def __init__(self, snapshot: Snapshot, addresses: Addresses) -> None:
        self._snapshot = snapshot
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

    def left(self, change: Change, changes: Mapping[str, Change]) -> list[User]:
        """What `change` would delete or strip with its object, since after `changes` it still hangs on it.

        Nothing for kinds whose delete reaches no others.
        """
        if change.kind not in _BLOCKS or change.id is None:
            return []
        users = self.on(change.kind, change.id)
        return [user for user, name in users if not _lets_go(user, name, change, changes, self._addresses)]

    def name(self, user: User) -> str:
        """Its address; of what is not managed what tells people which one it is."""
        kind, id = user
        live = self._snapshot.get(kind, id)
        title = f" {printable(live.title)!r}" if live and live.title else ""
        return self._addresses.get(user) or f"{BY_NAME[kind].label} {id}{title} (not managed)"


class _Block(NamedTuple):
    """Of a kind whose delete reaches others: its code, how they hang on it, what Qase would do, what people may do."""

    code: str
    verb: str
    loss: str
    cure: str


_BLOCKS = {
    "suite": _Block(
        "suite_not_empty", "holds", "Qase would delete that with it", "Move that out in Qase, or declare it"
    ),
    "shared_step": _Block(
        "shared_step_in_use", "is used by", "Qase would strip its steps there", "Take it out there, or declare it again"
    ),
    "milestone": _Block(
        "milestone_in_use", "is used by", "Qase would clear it there", "Take it out there, or declare it again"
    ),
}
"""A case leaves test plans quietly, and the plans stay: that is a note."""


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
        linked = replace(change, notes=(*change.notes, *_notes(change, users, hanging, addresses, changes)))
        left = hanging.left(change, changes)
        if left and not change.blocked:
            linked = replace(linked, blocked=_in_the_way(change, left, hanging, addresses, changes))
        changes[change.address] = linked
    return edges


def _in_the_way(
    change: Change, left: list[User], hanging: Hanging, addresses: Addresses, changes: Mapping[str, Change]
) -> Blocked:
    """What is to be done is said of those that nothing else is said of: a blocked change has its own reason."""
    block = _BLOCKS[change.kind]
    reason = f"It {_still(block.verb)} {listed([hanging.name(user) for user in left])}, and {block.loss}."
    theirs = [changes.get(addresses.get(user, "")) for user in left]
    if any(each is None or not each.blocked for each in theirs):
        reason += f" {block.cure}; `removed: [{change.address}]` leaves the {BY_NAME[change.kind].label} in Qase."
    return Blocked(block.code, reason, tuple(addresses[user] for user in left if user in addresses))


def _still(verb: str) -> str:
    return f"is still{verb[2:]}" if verb.startswith("is ") else f"still {verb}"


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


def _notes(
    change: Change,
    users: list[tuple[User, str]],
    hanging: Hanging,
    addresses: Addresses,
    changes: Mapping[str, Change],
) -> Iterator[str]:
    """What hangs on the object of a delete and what becomes of that: in Qase nothing tells of it any more."""
    ends: dict[str, list[str]] = {}
    for user, name in users:
        theirs = changes.get(addresses.get(user, ""))
        if name in {row.name for row in BY_NAME[user[0]].members}:
            yield f"in {hanging.name(user)}" + (" (updated first)" if theirs and name in theirs.sent else "")
        elif change.kind in _BLOCKS and theirs and _lets_go(user, name, change, changes, addresses):
            ends.setdefault(_ENDS.get(theirs.action, "updated first"), []).append(theirs.address)
    if ends:
        verb = _BLOCKS[change.kind].verb.removeprefix("is ")
        yield f"{verb} " + ", ".join(f"{listed(names, 3)} ({end})" for end, names in ends.items())


_ENDS = {Action.DELETE: "deleted first", Action.MOVE: "moved out first"}


def unseen_holders(changes: Iterable[Change], snapshot: Snapshot) -> list[LiveObject]:
    """Objects that may hold what is to be deleted, and whose members were not read: test plans nobody manages here."""
    going = {change.kind for change in changes if change.action is Action.DELETE and not change.blocked}
    holders = [kind for kind in KINDS if any(getattr(row.type, "kind", "") in going for row in kind.members)]
    return [live for kind in holders for live in snapshot.of(kind.name).values() if live.partial]


def listed(names: list[str], many: int = MANY) -> str:
    """The first of them by name, the rest by number."""
    shown = ", ".join(names[:many])
    return f"{shown} and {len(names) - many} more" if len(names) > many else shown


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
            what, are = listed(stuck), "is" if len(stuck) == 1 else "are"
            reason = f"{what} must come first, and {are} blocked." if goes else f"It needs {what}, which {are} blocked."
            changes[address] = replace(change, blocked=Blocked("depends_on_blocked", reason, tuple(stuck)))


def _makes(change: Change) -> bool:
    """Whether others cannot refer to the object before this change is done: nothing is bound to its address yet."""
    return change.action in (Action.CREATE, Action.ADOPT)
