"""A delete and a create that look like one renamed key: both are blocked, with the `moved:` lines to paste."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qase_iac.attributes import normal_text
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.digests import digest
from qase_iac.plan.model import Action, Blocked, Change
from qase_iac.values import JSON, Address, Attributes


def block_possible_renames(
    changes: dict[str, Change],
    resources: Mapping[Address, Resource],
    snapshot: Snapshot,
    binder: Binder,
    meant: frozenset[str],
) -> None:
    """Blocks pairs in place. `meant` are addresses of which the user said that they are to be created anew."""
    gone: dict[tuple[str, JSON], list[Change]] = {}
    for change in changes.values():
        if (
            change.action is Action.DELETE
            and not change.blocked
            and change.id is not None
            and change.address not in meant
        ):
            live = snapshot.get(change.kind, change.id)
            for sign in _live_signs(BY_NAME[change.kind], live) if live else ():
                gone.setdefault((change.kind, sign), []).append(change)
    if not gone:
        return
    taken: set[str] = set()
    pairs: list[tuple[str, str]] = []
    for change in list(changes.values()):
        if change.action is not Action.CREATE or change.blocked or change.address in meant:
            continue
        kind = BY_NAME[change.kind]
        resource = resources[Address.parse(change.address)]
        bound, _ = binder.bind(kind, resource, None)
        for sign in _signs(kind, bound):
            old = next((c for c in gone.get((change.kind, sign), ()) if c.address not in taken), None)
            if old:
                taken.add(old.address)
                pairs.append((old.address, change.address))
                break
    _block(changes, pairs)


def _live_signs(kind: Kind, live: LiveObject) -> list[JSON]:
    return _signs(kind, live.attributes)


def _signs(kind: Kind, attributes: Attributes) -> list[JSON]:
    """What gives an object away under another key: its place and title, and its content if it has any."""
    title = normal_text(attributes.get("title"))
    place = attributes.get(kind.parent) if kind.parent else None
    signs: list[JSON] = [digest(["natural", place, title])]
    content = {name: kind.canon(name, attributes.get(name)) for name in kind.content}
    content = {name: value for name, value in content.items() if value}
    if content:
        signs.append(digest(["content", content]))
    return signs


def _block(changes: dict[str, Change], pairs: list[tuple[str, str]]) -> None:
    lines = [f"  - {{from: {old}, to: {new}}}" for old, new in pairs if not _carried(old, new, pairs)]
    paste = "moved:\n" + "\n".join(lines)
    for old, new in pairs:
        line = f"{{from: {old}, to: {new}}}"
        reason = (
            f"{old} would be deleted and {new} created, yet they look like one object under a new key. "
            f"If it was renamed, paste `moved: [{line}]`; if not, list {old} under `removed:` "
            f"or pass --allow-recreate {new}."
        )
        if len(lines) > 1:
            reason += f"\nAll renames of this plan:\n{paste}"
        for address, other in ((old, new), (new, old)):
            changes[address] = replace(changes[address], blocked=Blocked("possible_rename", reason, (other,)))


def _carried(old: str, new: str, pairs: list[tuple[str, str]]) -> bool:
    """Whether the entry of a suite above says this one already."""
    return any(
        old.startswith(upper + "/") and new == above + old[len(upper) :] for upper, above in pairs if upper != old
    )
