"""From what each file declares to the resources of the project: keys, suites, defaults, policy by folder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from qase_iac.attributes import CUSTOM_FIELD_PREFIX
from qase_iac.config import keys
from qase_iac.config.declarations import Declaration, FileContent, Path, Placed
from qase_iac.config.files import PROJECT_FILE, SourceFile
from qase_iac.config.ignored import IGNORE
from qase_iac.config.late import LateProblems, Target
from qase_iac.config.settings import Settings
from qase_iac.diagnostics import SourceRange
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Policy, Resource
from qase_iac.values import Address, Attributes, is_key, printable


class Origin(NamedTuple):
    """Where a resource was declared: file, way in the document, and the defaults that it may have taken."""

    file: str
    path: Path
    defaults: dict[str, tuple[Placed, str]]


@dataclass
class Folder:
    """What holds for the files of a folder, from the folders above and its own one-object file.

    `objects` maps a kind that folders can be to the key of the nearest one. `base` is the path of that one's folder.
    """

    objects: dict[str, str] = field(default_factory=dict)
    base: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, dict[str, tuple[Placed, str]]] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)


@dataclass
class Assembly:
    """The resources so far. `outer` maps a suite's key to its parent's, for the scope.

    `phantoms` are addresses that something broken would have declared: nothing that names them is dangling.
    """

    settings: Settings
    problems: LateProblems
    resources: dict[Address, Resource] = field(default_factory=dict)
    origins: dict[Address, Origin] = field(default_factory=dict)
    phantoms: set[Address] = field(default_factory=set)
    _folders: dict[str, Folder] = field(default_factory=dict)
    _own: dict[str, list[tuple[Kind, str, FileContent]]] = field(default_factory=dict)
    _rows: dict[str, tuple[Kind, str | None]] = field(default_factory=dict)

    def run(self, contents: list[tuple[SourceFile, FileContent]]) -> None:
        """Takes in all files, in their order."""
        for kind in CONTENT_KINDS:
            place = kind.by_name[kind.parent].type if kind.parent else None
            self._rows[kind.name] = kind, getattr(place, "kind", None)
        for file, content in contents:
            folder, _, name = file.name.rpartition("/")
            for kind in CONTENT_KINDS:
                if kind.file_name and name.rpartition(".")[0] == kind.file_name:
                    self._own.setdefault(folder, []).append((kind, file.name, content))
        for file, content in contents:
            self._file(file, content)

    # --- folders

    def folder(self, path: str) -> Folder:
        """What holds in a folder; the folders above are seen to first."""
        found = self._folders.get(path)
        if found is None:
            if path:
                above = self.folder(path.rpartition("/")[0])
            else:
                rules = {
                    kind: {name: (placed, PROJECT_FILE) for name, placed in rows.items()}
                    for kind, rows in self.settings.defaults.items()
                }
                above = Folder(defaults=rules, policy=self.settings.policy)
            found = self._folders[path] = self._entered(path, above)
        return found

    def _entered(self, path: str, above: Folder) -> Folder:
        found = above
        for kind, file, content in self._own.get(path, ()):
            key = self._folder_key(kind, path, file, content, above)
            defaults = {
                name: {**found.defaults.get(name, {}), **{row: (placed, file) for row, placed in rows.items()}}
                for name, rows in content.defaults.items()
            }
            ours = self.settings.overrides
            fixed = {name for name in ("on_drift", "on_conflict") if getattr(ours, name)}
            policy = {name: word for name, word in content.policy.items() if name not in fixed}
            found = Folder(
                {**found.objects, kind.name: key},
                {**found.base, kind.name: path},
                {**found.defaults, **defaults},
                replace(found.policy, **policy),  # type: ignore[arg-type]
            )
        return found

    def _folder_key(self, kind: Kind, path: str, file: str, content: FileContent, above: Folder) -> str:
        """The key of the object that a folder is."""
        written = content.declarations[0].key
        outer = above.objects.get(kind.name)
        if written.startswith("/"):
            return written[1:]
        base = above.base.get(kind.name, "")
        segment = written or path[len(base) + 1 if base else 0 :]
        if not written and not is_key(segment, segments=True):
            self._bad_name(kind, segment, f"The folder `{printable(segment)}`", file)
            segment = keys.proposed_path(segment)
        return f"{outer}/{segment}" if outer else segment

    def _bad_name(self, kind: Kind, name: str, what: str, file: str) -> None:
        if not name:
            detail = "The project folder's own name is no part of keys. Write `key: …`, or move the file into a folder."
            self.problems.add(SourceRange(file, 1, 1), "bad-key", f"This {kind.label} needs a `key:`.", detail)
            return
        proposal = keys.proposed_path(name) if kind.nested_keys else keys.proposed(name)
        detail = f"{keys.RULE} Rename it, or write into this file:\nkey: {proposal}"
        self.problems.add(SourceRange(file, 1, 1), "bad-key", f"{what} gives no legal key.", detail)

    # --- files

    def _file(self, file: SourceFile, content: FileContent) -> None:
        path, _, name = file.name.rpartition("/")
        folder = self.folder(path)
        known: list[Address] = []
        for position, declaration in enumerate(content.declarations):
            kind, place = self._rows[declaration.kind]
            key = self._key(kind, declaration, known, folder, file.name, name)
            address = Address(kind.name, key)
            known.append(address)
            if not is_key(key, segments=kind.nested_keys):
                self.phantoms.add(address)
                if len(key) > 128:
                    self._too_long(kind, key, declaration, file.name)
                continue
            if address in self.resources:
                self._twice(address, declaration, file.name)
                continue
            around = known[declaration.parent].key if declaration.parent >= 0 else None
            nearest = self._around(kind, place, declaration, folder, around, path)
            self._take(
                kind, address, declaration, folder, nearest, around, Origin(file.name, content.path(position), {})
            )

    def _key(
        self, kind: Kind, declaration: Declaration, known: list[Address], folder: Folder, file: str, name: str
    ) -> str:
        if declaration.parent >= 0 and kind.nested_keys:
            return f"{known[declaration.parent].key}/{declaration.key}"
        if declaration.line:
            outer = folder.objects.get(kind.name) if kind.nested_keys else None
            return f"{outer}/{declaration.key}" if outer else declaration.key
        if kind.file_name and name.rpartition(".")[0] == kind.file_name:
            return folder.objects[kind.name]
        key = declaration.key or name.rpartition(".")[0].removesuffix(kind.file_suffix or "")
        if not is_key(key):
            self._bad_name(kind, key, f"The file name `{printable(key)}`", file)
            return keys.proposed(key)
        return key

    def _around(
        self, kind: Kind, place: str | None, declaration: Declaration, folder: Folder, around: str | None, path: str
    ) -> str | None:
        """The key of the object that a declaration lies in by nesting or by folder; None is the root."""
        if place is None:
            return None
        if around is not None:
            return around
        if not declaration.line and kind.file_name:
            return self.folder(path.rpartition("/")[0]).objects.get(place) if path else None
        return folder.objects.get(place)

    def _take(
        self,
        kind: Kind,
        address: Address,
        declaration: Declaration,
        folder: Folder,
        nearest: str | None,
        around: str | None,
        origin: Origin,
    ) -> None:
        attributes: Attributes = dict(declaration.attributes)
        place = SourceRange(origin.file, declaration.line or 1, declaration.column or 1)
        if kind.parent:
            self._place(kind, attributes, nearest, around, origin, place)
        rules = folder.defaults.get(kind.name)
        ignore = declaration.ignore
        taken = {name: each for name, each in rules.items() if name not in attributes} if rules else {}
        if (ceded := taken.pop(IGNORE, None)) and ignore is None:
            ignore = ceded[0][0]
        for name, (placed, _) in taken.items():
            attributes[name] = placed[0]
        self.origins[address] = origin._replace(defaults=taken)
        self.resources[address] = Resource(
            address,
            attributes,
            place,
            len(self.resources),
            declaration.local,
            declaration.protect,
            frozenset(_ignored(ignore or [], attributes)),
            folder.policy,
            frozenset(taken),
        )

    def _place(
        self,
        kind: Kind,
        attributes: Attributes,
        nearest: str | None,
        around: str | None,
        origin: Origin,
        place: SourceRange,
    ) -> None:
        """Sets where an object lies; an attribute that says something else than the nesting is an error."""
        name = kind.parent or ""
        _, outer = self._rows[kind.name]
        by_place = {"address": str(Address(outer or "", nearest))} if nearest is not None else None
        if name not in attributes:
            attributes[name] = by_place
        elif around is not None and attributes[name] != by_place:
            summary = f"`{name}` contradicts the {outer} that this {kind.label} is nested in, `{around}`."
            detail = f"Drop `{name}:`, or move the declaration out of it."
            self.problems.add(place, "suite-contradiction", summary, detail, target=Target((*origin.path, name)))

    # --- what is wrong

    def _twice(self, address: Address, declaration: Declaration, file: str) -> None:
        first = self.resources[address].source
        kind = BY_NAME[address.kind]
        summary = f"The {kind.label} `{address.key}` is declared twice: here and at {first}."
        detail = (
            "Keys are unique for each kind in the project folder, whatever the file. Rename one of them, or remove it."
        )
        here = SourceRange(file, declaration.line or 1, declaration.column or 1)
        self.problems.add(here, "duplicate-declaration", summary, detail, address=str(address))

    def _too_long(self, kind: Kind, key: str, declaration: Declaration, file: str) -> None:
        summary = f"The key of this {kind.label} has {len(key)} characters: {printable(key[:60])}…"
        here = SourceRange(file, declaration.line or 1, declaration.column or 1)
        detail = f"{keys.RULE} A nested one begins with its parent's. In suite.yaml, `key: /short` sets the whole key."
        self.problems.add(here, "bad-key", summary, detail)


def _ignored(names: list[str], attributes: Attributes) -> Iterator[str]:
    """`custom_fields` stands for all that are declared."""
    for name in names:
        yield name
        if name + "." == CUSTOM_FIELD_PREFIX:
            yield from (each for each in attributes if each.startswith(CUSTOM_FIELD_PREFIX))
