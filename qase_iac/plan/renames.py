"""A delete and a create that look like one renamed key: both are blocked, with the `moved:` lines to paste.

First the same natural key, then the same content, then likeness: a key that was renamed while its text was edited.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from qase_iac.attributes import normal_text
from qase_iac.kinds import KINDS, Kind
from qase_iac.model import Resource, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.digests import digest
from qase_iac.plan.likeness import RENAMED, Face, alike, best_first
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
    """Pairs of a delete and a create of one kind with the same natural key, else the same content, else much alike.

    Kind by kind, parents first: what lies in a suite that looks renamed, or uses a shared step that does, is compared
    as if it was. What the plan blocks for other reasons is no exception: a second object must not be made.
    """
    pairing = _Pairing(search)
    for kind in KINDS:
        pairing.kind(kind)
    return pairing.pairs


class _Pairing:
    """Pairs kind by kind; `pairs` collects. `twins` are the ids of what is bound, and of what looks renamed."""

    def __init__(self, search: Search) -> None:
        self.pairs: list[Pair] = []
        self._search = search
        self._twins = dict(search.binder.ids)
        self._binder = search.binder.over(self._twins)
        self._gone: dict[str, Change] = {}

    def kind(self, kind: Kind) -> None:
        search = self._search
        self._gone = {c.address: c for c in search.changes.values() if _is(c, kind, Action.DELETE, search)}
        new = [c for c in search.changes.values() if _is(c, kind, Action.CREATE, search)]
        if not self._gone or not new:
            return
        layers = parents_first(kind, [search.resources[Address.parse(change.address)] for change in new])
        self._equal(kind, _natural, layers)
        self._equal(kind, _content, layers, alone=True)
        for layer in layers:
            self._alike(kind, layer)
        self._equal(kind, _content, layers)  # several of the same content, and titles that tell nothing: in order

    def _equal(self, kind: Kind, sign: Sign, layers: list[list[Resource]], alone: bool = False) -> None:
        """Pairs what bears the same sign; `alone`: where one delete and one create bear it."""
        olds = _signed(sign, kind, self._gone, self._search.snapshot)
        bearers = Counter(sign(kind, self._bound(kind, each)) for layer in layers for each in layer) if alone else {}
        for resource in (resource for layer in layers for resource in layer):
            if str(resource.address) in self._twins:
                continue
            mark = sign(kind, self._bound(kind, resource)) or ""
            same = olds.get(mark)
            if same and not (alone and (len(same) > 1 or bearers[mark] > 1)):
                self._take(same.popleft(), resource)

    def _alike(self, kind: Kind, layer: list[Resource]) -> None:
        """Pairs what is left and much alike. The best ones: it is a question, and people answer it."""
        left = {str(resource.address): resource for resource in layer if str(resource.address) not in self._twins}
        if not left or not self._gone:
            return
        live = self._search.snapshot.objects[kind.name]
        new = [Face.of(kind, address, self._bound(kind, resource)) for address, resource in left.items()]
        old = [Face.of(kind, name, live[change.id or ""].attributes) for name, change in sorted(self._gone.items())]
        for pair in best_first(alike(new, old, RENAMED)):
            self._take(pair.held, left[pair.wanted])

    def _take(self, old: str, resource: Resource) -> None:
        self._twins[str(resource.address)] = self._gone.pop(old).id or ""
        self.pairs.append((old, str(resource.address)))

    def _bound(self, kind: Kind, resource: Resource) -> Attributes:
        return self._binder.bind(kind, resource.attributes)


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
