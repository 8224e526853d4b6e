"""What became of each object of a pull, and what was not pulled and why. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from qase_iac.config.edit import Draft, Move, Remove, Set, Unset
from qase_iac.kinds import BY_NAME
from qase_iac.plan.bind import Binder
from qase_iac.plan.ready import followed, ready
from qase_iac.values import Address, RemoteId
from qase_iac.workflow.drafting import Drafted, Project
from qase_iac.workflow.edits import Taken
from qase_iac.workflow.picking import Picked


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one object: `action` is update, move, create, delete or bind.

    `file` is where it stands now, or stood. `over` are attributes whose edit in the files gave way, by policy.
    `former` is its address before it moved, "" if that stayed.
    """

    address: str
    action: str
    id: RemoteId | None
    title: str
    attributes: tuple[str, ...] = ()
    file: str = ""
    over: tuple[str, ...] = ()
    former: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """What was not pulled, and why: `code` is conflict, not_written or unclear."""

    address: str
    attributes: tuple[str, ...]
    code: str
    reason: str


@dataclass
class Lines:
    """The lines of a pull. `bound` are declared addresses that turned out to be objects in Qase."""

    project: Project
    draft: Draft
    drafted: Drafted
    bound: dict[str, RemoteId]
    _former: dict[str, str] = field(default_factory=dict)

    def all(self) -> Iterator[Line]:
        """By address, deletes last."""
        self._former = {str(now): str(old) for old, now in self.drafted.renamed.items()}
        by_address: dict[str, list[Taken]] = {address: [] for address in self.drafted.relocated}
        for each in self.drafted.sides.taken:
            by_address.setdefault(str(each.edit.address), []).append(each)
        for address in self.drafted.added:
            by_address.setdefault(address, [])
        found = [self._line(address, edits) for address, edits in by_address.items()]
        found += [self._bound(address, id) for address, id in self.bound.items()]
        yield from sorted(found, key=lambda line: (line.action == "delete", line.address))

    def _line(self, address: str, taken: list[Taken]) -> Line:
        parsed = Address.parse(address)
        former = self._former.get(address, address)
        binding = self.project.bindings.get(former)
        file = self._file(parsed, former)
        if address in self.drafted.added:
            live = self.drafted.objects[address]
            return Line(address, "create", live.id, live.title, file=file)
        assert binding is not None
        if any(isinstance(each.edit, Remove) for each in taken):
            title = str(binding.last_served("title", ""))
            return Line(address, "delete", binding.id, title, file=file)
        names = tuple(self._names(parsed, taken))
        moved = address in self.drafted.relocated or any(isinstance(each.edit, Move) for each in taken)
        live = self.project.snapshot.objects[parsed.kind][binding.id]
        over = tuple(self._over(former, names))
        said = former if former != address else ""
        return Line(address, "move" if moved else "update", binding.id, live.title, names, file, over, said)

    def _bound(self, address: str, id: RemoteId) -> Line:
        parsed = Address.parse(address)
        live = self.project.snapshot.objects[parsed.kind][id]
        return Line(address, "bind", id, live.title, file=self._file(parsed, address))

    def _file(self, address: Address, former: str) -> str:
        resource = self.draft.desired.resources.get(address) or self.project.desired.resources.get(
            Address.parse(former)
        )
        return resource.source.file if resource else ""

    def _names(self, address: Address, taken: list[Taken]) -> list[str]:
        kind = BY_NAME[address.kind]
        names = {kind.parent or "" for each in taken if isinstance(each.edit, Move)}
        if str(address) in self.drafted.relocated:
            names.add(kind.parent or "")
        names |= {each.edit.name for each in taken if isinstance(each.edit, Set | Unset)}
        return kind.sort_names(names)

    @cached_property
    def _binder(self) -> Binder:
        ids = {name: binding.id for name, binding in self.project.bindings.items()}
        return Binder(ids, self.project.snapshot, self.project.state)

    def _over(self, address: str, names: tuple[str, ...]) -> Iterator[str]:
        """Attributes that the files said otherwise than at the last apply."""
        resource, binding = self.project.desired.resources.get(Address.parse(address)), self.project.bindings[address]
        if resource is None:
            return
        kind = BY_NAME[resource.address.kind]
        snapshot = self.project.snapshot
        live = snapshot.objects[kind.name][binding.id]
        wanted = ready(kind, resource, live, self._binder, snapshot.unknown_shared, binding).wanted
        binding = followed(kind, resource, live, self._binder, binding)
        for name in names:
            if name in wanted and name in binding.sent:
                said = kind.canon(name, wanted[name])
                if said not in (kind.canon(name, binding.sent[name]), kind.canon(name, binding.last_served(name))):
                    yield name


def lefts(project: Project, picked: Picked, drafted: Drafted) -> Iterator[Left]:
    """What was asked for and not done."""
    for address, names in drafted.sides.conflicts.items():
        shown = tuple(sorted(name for name in names if picked.takes(address, name)))
        if shown or (not names and address in picked.whole):
            what = "edited in the files and in Qase, differently" if shown else "edited in the files, deleted in Qase"
            yield Left(address, shown, "conflict", f"{what}; --on-conflict theirs takes Qase's, ours leaves the files")
    declared = {*project.desired.resources, *project.desired.removed}
    for row in project.found.drift:
        if row.kind == "changed" and row.address in picked.whole and Address.parse(row.address) not in declared:
            what = "taken out of the files, and edited in Qase"
            hint = f"declare it again to pull that, or write `removed: [{row.address}]`"
            yield Left(row.address, tuple(row.attributes), "conflict", f"{what}; {hint}")
    yield from _failed(drafted)


def _failed(drafted: Drafted) -> Iterator[Left]:
    """One for each object and reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in drafted.sides.failed:
        name = getattr(each.edit, "name", "")
        found.setdefault((drafted.now(str(each.edit.address)), each.why), []).extend([name] if name else [])
    for (address, why), names in found.items():
        yield Left(address, tuple(dict.fromkeys(names)), "not_written", why)
