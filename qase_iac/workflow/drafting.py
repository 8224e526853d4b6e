"""From what was picked of the drift to a draft of the files: suites first, where they moved, then everything else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from qase_iac.config.edit import Add, Draft, Edit, Failed, Move, Relocated, Set, relocate
from qase_iac.config.edit.proof import authored
from qase_iac.convert.live import binding_of
from qase_iac.convert.notes import Notes
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.drifting import Found
from qase_iac.plan.obstacles import outside
from qase_iac.state.model import Binding, State
from qase_iac.values import Address, RemoteId
from qase_iac.workflow.edits import Scribe, Taken
from qase_iac.workflow.picking import Picked
from qase_iac.workflow.threeways import Comparer, Sides

UNMANAGED = "not managed by the files"
"""How notes begin that are of no interest here: they are no drift."""


@dataclass(frozen=True)
class Project:
    """Everything that was read: `desired` resolved, `bindings` under the names that the files use."""

    desired: Desired
    snapshot: Snapshot
    state: State
    bindings: dict[str, Binding]
    found: Found


@dataclass
class Drafted:
    """What came of it. Addresses are those of the files as they will be; `renamed` maps former ones to them.

    `relocated` are suites that got a new place, `added` what is new with its binding, `used` the hashes of files that
    new values name.
    """

    sides: Sides
    scribe: Scribe
    renamed: dict[Address, Address] = field(default_factory=dict)
    relocated: dict[str, str] = field(default_factory=dict)
    added: dict[str, Binding] = field(default_factory=dict)
    objects: dict[str, LiveObject] = field(default_factory=dict)

    def now(self, address: str) -> str:
        """The address by which the files know what they knew as `address`."""
        return str(self.renamed.get(Address.parse(address), address))


class Drafting:
    """Works the picked part of the drift into `draft`. `paths` maps the hash of a file in Qase to its path."""

    def __init__(self, project: Project, picked: Picked, draft: Draft, paths: dict[str, str], adopted: Any) -> None:
        self.project, self.picked, self.draft, self.paths = project, picked, draft, paths
        self.keys: dict[str, dict[RemoteId, str]] = {}
        self.new = dict(picked.new)
        self.renamed = {address: address for address in project.desired.resources}
        self.relocated: dict[str, str] = {}
        self.differing: dict[Address, set[str]] = {}
        self.failed: list[Failed] = []
        bound = {name: binding.id for name, binding in project.bindings.items()}
        known = {name: id for name, id in bound.items() if Address.parse(name) in self.renamed}
        for name, id in {**adopted, **known, **{name: live.id for name, live in self.new.items()}}.items():
            address = Address.parse(name)
            self.keys.setdefault(address.kind, {})[id] = address.key

    def run(self) -> Drafted:
        self._restructure()
        scribe = self._scribe()
        one = self.project
        sides = Comparer(one.desired, one.snapshot, one.state, one.bindings, one.found.suites, scribe).compare()
        sides.failed = [each for each in sides.failed if self._wanted(each.edit)] + self.failed
        sides.taken = [self._renamed(each) for each in sides.taken if self._wanted(each.edit)]
        sides.taken = [each for each in sides.taken if not _is_structural(each.edit)]
        sides.taken += self._kept(scribe)
        drafted = Drafted(sides, scribe, self.renamed, self.relocated)
        for address, live in self.new.items():
            add, said = scribe.add(live, Address.parse(address).key)
            if add.address not in self.draft.desired.resources:
                sides.taken.append(Taken(add))
            drafted.added[address] = binding_of(BY_NAME[live.kind], live, said, self.keys)
            drafted.objects[address] = live
        sides.taken = self._made(sides.taken, drafted)
        sides.taken += self._made(self._gained(drafted), drafted)
        return drafted

    def _made(self, taken: list[Taken], drafted: Drafted) -> list[Taken]:
        """Makes the edits; returns what was made."""
        failed = self.draft.edit([each.edit for each in taken])
        drafted.sides.failed += failed
        for each in failed:
            if isinstance(each.edit, Add):
                drafted.added.pop(str(each.edit.address), None)
        return [each for each in taken if not any(each.edit is other.edit for other in failed)]

    def _gained(self, drafted: Drafted) -> list[Taken]:
        """What the defaults of its new place say of an object, and Qase does not: said for the object itself."""
        found: list[Taken] = []
        for each in drafted.sides.taken:
            address, now = each.edit.address, self.draft.desired.resources.get(each.edit.address)
            if now is None or not isinstance(each.edit, Add | Move):
                continue
            was = self.project.desired.resources.get(self._former(address))
            names = now.defaulted - (was.attributes.keys() if was else set())
            live = self._live(address, drafted)
            if names and live:
                taken, failed = drafted.scribe.take(now, live, names)
                found += taken
                drafted.sides.failed += failed
        return found

    def _former(self, now: Address) -> Address:
        return next((old for old, each in self.renamed.items() if each == now), now)

    def _live(self, address: Address, drafted: Drafted) -> LiveObject | None:
        if str(address) in drafted.objects:
            return drafted.objects[str(address)]
        binding = self.project.bindings.get(str(self._former(address)))
        return self.project.snapshot.get(address.kind, binding.id) if binding else None

    def _scribe(self) -> Scribe:
        return Scribe(self.project.snapshot, self.keys, self.paths, Notes())

    # --- what was asked for

    def _wanted(self, edit: Edit) -> bool:
        address, kind = str(edit.address), BY_NAME[edit.address.kind]
        name = kind.parent or "" if isinstance(edit, Move) else getattr(edit, "name", "")
        names = {name, *(other for pair in kind.exclusive if name in pair for other in pair)}
        return any(self.picked.takes(address, each) for each in names)

    def _renamed(self, taken: Taken) -> Taken:
        edit = taken.edit
        return replace(taken, edit=replace(edit, address=self.renamed.get(edit.address, edit.address)))

    # --- suites that moved

    def _restructure(self) -> None:
        """Moves suites, from the top down, each below one that is in its place already; makes new ones for that."""
        moves = {address: live for address, live in self._moves()}
        if not moves:
            return
        new = {address: live for address, live in self.new.items() if live.kind == "suite"}
        depth = self.project.found.suites.depth
        todo = [(live, address, True) for address, live in moves.items()]
        todo += [(live, Address.parse(address), False) for address, live in new.items()]
        for live, address, known in sorted(todo, key=lambda each: (depth(each[0].id), str(each[0].id))):
            if known:
                self._move(address, live)
            else:
                self._make(live)

    def _moves(self) -> Iterator[tuple[Address, LiveObject]]:
        one = self.project
        binder = Binder({name: binding.id for name, binding in one.bindings.items()}, one.snapshot, one.state)
        for row in one.found.drift:
            address = Address.parse(row.address)
            kind, resource = BY_NAME[address.kind], one.desired.resources.get(address)
            live = one.snapshot.get(address.kind, row.id)
            if not (resource and live and kind.parent and kind.nested_keys and kind.parent in row.attributes):
                continue
            inside = not outside(kind, live, one.found.suites, one.desired.scope)
            if not (inside and self.picked.takes(row.address, kind.parent)):
                continue
            wanted = binder.bind(kind, resource.attributes).get(kind.parent)
            ours = wanted != one.bindings[row.address].last_served(kind.parent)
            if wanted != live.attributes.get(kind.parent) and (not ours or resource.policy.on_conflict == "theirs"):
                yield address, live

    def _make(self, live: LiveObject) -> None:
        """A new suite, before others can lie in it."""
        address = next(name for name, each in self.new.items() if each is live)
        add, _ = self._scribe().add(live, Address.parse(address).key)
        self.failed += self.draft.edit([add])

    def _move(self, address: Address, live: LiveObject) -> None:
        place = self._scribe().place(live)
        now = self.renamed[address]
        try:
            if not (place is None or isinstance(place, str)):
                raise QaseIacError(
                    "in Qase it lies in a suite that is not declared here; move it back, or declare that"
                )
            done = relocate(self.draft, now, place)
        except QaseIacError as error:
            resource = self.project.desired.resources[address]
            self.failed.append(Failed(Move(address, place), str(error), resource.source.file))
            return
        self._learn(done)
        self.relocated[str(self.renamed[address])] = str(address)

    def _learn(self, done: Relocated) -> None:
        """What is called otherwise from now on."""
        for old, now in self.renamed.items():
            self.renamed[old] = done.renamed.get(now, now)
        back = {now: old for old, now in self.renamed.items()}
        for now, names in done.differing.items():
            self.differing.setdefault(back[now], set()).update(names)
        keys = {old.key: new.key for old, new in done.renamed.items()}
        for kind in {old.kind for old in done.renamed}:
            self.keys[kind] = {id: _below(key, keys) for id, key in self.keys[kind].items()}
            self.new = {
                (f"{kind}.{_below(name.partition('.')[2], keys)}" if live.kind == kind else name): live
                for name, live in self.new.items()
            }
        self.paths = {hash: done.path(path) for hash, path in self.paths.items()}

    def _kept(self, scribe: Scribe) -> Iterator[Taken]:
        """What would read differently in another folder says for itself what it said, else what Qase holds."""
        desired = self.draft.desired
        for old, names in self.differing.items():
            was, now = self.project.desired.resources[old], self.renamed[old]
            kind = BY_NAME[old.kind]
            binding = self.project.bindings.get(str(old))
            live = self.project.snapshot.get(kind.name, binding.id) if binding else None
            for name in kind.sort_names(names):
                if name in was.attributes:
                    value = authored(kind, name, was.attributes[name])
                    yield Taken(Set(now, name, value))
                elif live is not None:
                    taken, failed = scribe.take(desired.resources[now], live, [name])
                    self.failed += failed
                    yield from taken


def _below(key: str, keys: dict[str, str]) -> str:
    """A suite's key after suites around it got others."""
    at = key
    while at:
        if at in keys:
            return keys[at] + key[len(at) :]
        at = at.rpartition("/")[0]
    return key


def _is_structural(edit: Edit) -> bool:
    kind = BY_NAME[edit.address.kind]
    return isinstance(edit, Move) and bool(kind.parent) and kind.by_name[kind.parent or ""].structural
