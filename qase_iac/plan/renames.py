"""A delete and a create that look like one renamed key: both are blocked, with the `moved:` lines to paste."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from qase_iac.attributes import normal_text
from qase_iac.kinds import KINDS, Kind
from qase_iac.model import Resource, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.digests import digest
from qase_iac.plan.model import Action, Blocked, Change, Reason
from qase_iac.plan.scope import parents_first
from qase_iac.values import JSON, Address, Attributes

Pair = tuple[str, str]
"""The address that would be deleted, the address that would be created."""
Sign = Callable[[Kind, Attributes], str | None]


@dataclass
class Search:
    """What is compared. `meant` are addresses of which the user said that they are to be created anew."""

    changes: Mapping[str, Change]
    resources: Mapping[Address, Resource]
    snapshot: Snapshot
    binder: Binder
    meant: frozenset[str]


def possible_renames(search: Search) -> list[Pair]:
    """Pairs of a delete and a create of one kind with the same natural key, else with the same content.

    Kind by kind, parents first: what lies in a suite that looks renamed, or uses a shared step that does, is compared
    as if it was. What the plan blocks for other reasons is no exception: a second object must not be made.
    """
    twins = dict(search.binder.ids)
    binder = search.binder.over(twins)
    pairs: list[Pair] = []
    for kind in KINDS:
        gone = {c.address: c for c in search.changes.values() if _is(c, kind, Action.DELETE, search)}
        new = [c for c in search.changes.values() if _is(c, kind, Action.CREATE, search)]
        if not gone or not new:
            continue
        layers = parents_first(kind, [search.resources[Address.parse(change.address)] for change in new])
        for sign in (_natural, _content):
            olds = _signed(sign, kind, gone, search.snapshot)
            for resource in (resource for layer in layers for resource in layer):
                address = str(resource.address)
                if address in twins:
                    continue
                same = olds.get(sign(kind, binder.bind(kind, resource.attributes)) or "")
                if same:
                    old = gone.pop(same.popleft())
                    twins[address] = old.id or ""
                    pairs.append((old.address, address))
    return pairs


def _is(change: Change, kind: Kind, action: Action, search: Search) -> bool:
    """Whether a change may be half of a rename. What vanished is made again under its own key."""
    return (
        change.kind == kind.name
        and change.action is action
        and change.address not in search.meant
        and change.reason is not Reason.VANISHED
    )


def _signed(sign: Sign, kind: Kind, gone: Mapping[str, Change], snapshot: Snapshot) -> dict[str, deque[str]]:
    """Sign -> addresses of the deletes that bear it, in order."""
    found: dict[str, deque[str]] = {}
    for address in sorted(gone):
        live = snapshot.objects[kind.name][gone[address].id or ""]
        if text := sign(kind, live.attributes):
            found.setdefault(text, deque()).append(address)
    return found


def _natural(kind: Kind, bound: Attributes) -> str | None:
    return digest([bound.get(kind.parent) if kind.parent else None, normal_text(bound.get("title"))])


def _content(kind: Kind, bound: Attributes) -> str | None:
    """What tells two objects of a kind apart when key and place changed; None when there is nothing of that.

    Files do not count: the YAML may leave them out, and then they are carried over.
    """
    values = {name: _without_files(kind.canon(name, bound.get(name))) for name in kind.content}
    values = {name: value for name, value in values.items() if value}
    return digest(values) if values else None


def _without_files(value: JSON) -> JSON:
    if not isinstance(value, list):
        return value
    return [
        {name: _without_files(part) for name, part in item.items() if name != "attachments"}
        if isinstance(item, dict)
        else item
        for item in value
    ]


def block_possible_renames(changes: dict[str, Change], pairs: Iterable[Pair]) -> None:
    """Blocks both halves of each pair. The lines of all of them are said once, with the first."""
    pairs = sorted(pairs)
    suites = dict(pairs)
    lines = [f"  - {{from: {old}, to: {new}}}" for old, new in pairs if not _carried(old, new, suites)]
    paste = "\nAll renames of this plan:\nmoved:\n" + "\n".join(lines) if len(lines) > 1 else ""
    for old, new in pairs:
        reason = (
            f"{old} would be deleted and {new} created, yet they look like one object under a new key. "
            f"If it was renamed, paste `moved: [{{from: {old}, to: {new}}}]`; if not, list {old} under `removed:` "
            f"or pass --allow-recreate {new}.{paste}"
        )
        paste = ""  # said for each of thousands it would fill the memory
        for address, other in ((old, new), (new, old)):
            if address in changes:
                blocked = Blocked("possible_rename", reason, (other,))
                changes[address] = replace(changes[address], blocked=blocked)


def _carried(old: str, new: str, suites: Mapping[str, str]) -> bool:
    """Whether the entry of a suite above says this one already."""
    upper = old
    while "/" in upper:
        upper = upper.rpartition("/")[0]
        if upper in suites and new == suites[upper] + old[len(upper) :]:
            return True
    return False
