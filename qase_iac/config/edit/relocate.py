"""A suite into another suite. Its key is its path, so what names it follows, and a `moved:` line says what happened.

A folder goes as a folder, with all that is in it; a suite that is nested in a file goes as text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from qase_iac.attributes import Files, Rules, Steps
from qase_iac.config.declarations import SECTIONS, Path, shape_of
from qase_iac.config.edit.change import Change, Unspliceable
from qase_iac.config.edit.draft import Draft
from qase_iac.config.edit.entries import Entry, text_of_entry
from qase_iac.config.edit.homes import Home, Homes
from qase_iac.config.edit.model import Move
from qase_iac.config.edit.objects import find
from qase_iac.config.edit.operations import AddMoved, AddObject, DropAdoption, Operation, RemoveObject, SetAttribute
from qase_iac.config.edit.proof import same_but_paths
from qase_iac.config.edit.relocated import FILES, Relocated, followed, relocated, renamed
from qase_iac.config.edit.source import Source, plain
from qase_iac.config.edit.work import FileWork
from qase_iac.config.edit.written import placed
from qase_iac.config.file_globs import any_match
from qase_iac.errors import QaseIacError
from qase_iac.globs import in_scope
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired, Resource
from qase_iac.values import Address, Attributes, printable, ref_address

MOVED_FILE = "moved.yaml"
LATE = ("attachment-missing",)
"""Errors that only the disk can settle: what is moved along is not at its new place yet."""


def relocate(draft: Draft, suite: Address, place: str | None) -> Relocated:
    """Puts a declared suite below the one with the key `place`, None for the top, in `draft`.

    A folder that goes into a suite which is declared inside a file makes that one a folder, too. What comes of it is
    loaded: nothing but addresses, places and what `differing` names is otherwise than before.
    Raises QaseIacError, and leaves the draft as it is, when that cannot be done; says what to do by hand.
    """
    kept = dict(draft.files), draft.desired
    try:
        if place is not None and not _Relocation(draft, suite, None).path:
            _unfold(draft, BY_NAME[suite.kind].address(place))
        return _Relocation(draft, suite, place).run()
    except (QaseIacError, Unspliceable) as error:
        draft.files, draft.desired = kept
        raise QaseIacError(str(error)) from None


def _unfold(draft: Draft, suite: Address) -> None:
    """Makes a suite that is declared inside a file a folder of its own, after those around it. Its key stays."""
    if not _Relocation(draft, suite, None).path:
        return
    place = draft.desired.resources[suite].attributes.get(BY_NAME[suite.kind].parent or "")
    around = Address.parse(ref_address(place) or "") if place else None
    if around:
        _unfold(draft, around)
    _Relocation(draft, suite, around.key if around else None).unfold()


class _Relocation:
    def __init__(self, draft: Draft, suite: Address, place: str | None) -> None:
        self.draft, self.suite, self.place = draft, suite, place
        self.desired: Desired = draft.desired
        self.kind = BY_NAME[suite.kind]
        self.works: dict[str, FileWork] = {}
        self.homes = Homes(draft.settings, draft.desired, self._work, draft.there)
        self.edit = Move(suite, place)
        self.work, self.path = self.homes.find(suite)

    def _work(self, name: str) -> FileWork:
        if name not in self.works:
            self.works[name] = FileWork(name, self.draft.read(name))
        return self.works[name]

    def run(self) -> Relocated:
        work, path = self.work, self.path
        parent = self.homes.find(self.kind.address(self.place)) if self.place is not None else None
        folder, home = None, None
        if path:
            new = self._free(path[-1])
            home = self.homes.home(self.kind, new, self.place)
        else:
            folder, new = self._folder(work, parent)
        self._check_scope(new)
        done = Relocated(dict(self._renamed(new)), folder)
        self._follow(done, path, home)
        if home:
            self._move_text(work, path, home, new.rpartition("/")[2])
        files = self._moved_folder(*folder) if folder else {}
        if done.renamed:
            self._tell(done.path(home.file if home else work.name), new, files, done)
        return self._proven(done, files)

    def unfold(self) -> None:
        home = self.homes.unfolded(self.kind, self.suite.key, self.place)
        self._follow(Relocated(), self.path, home)
        self._move_text(self.work, self.path, home, self.suite.key.rpartition("/")[2])
        if odd := self._proven(Relocated(), {}).differing:
            raise QaseIacError(f"{min(odd)} would read differently where the suite around it is a folder")

    # --- names

    def _free(self, segment: str) -> str:
        """A key below the new parent that nothing has or had."""
        prefix = f"{self.place}/" if self.place is not None else ""
        named = {each.key for each in (*self.desired.resources, *self.desired.adopt) if each.kind == self.suite.kind}
        named |= {each.key for entry in self.desired.moved for each in (entry.target,) if each.kind == self.suite.kind}
        taken = named - {self.suite.key}
        found, number = prefix + segment, 2
        while found in taken and found != self.suite.key:
            found, number = f"{prefix}{segment}-{number}", number + 1
        return found

    def _folder(self, work: FileWork, parent: tuple[FileWork, Path] | None) -> tuple[tuple[str, str], str]:
        """(old folder, new folder) and the new key of a suite that is a folder."""
        old = work.name.rpartition("/")[0]
        said = work.content.objects[()].key
        if not old:
            raise QaseIacError("it is the project folder itself")
        above = parent[0].name.rpartition("/")[0] if parent else ""
        new = self.suite.key if said.startswith("/") else self._free(said or old.rpartition("/")[2])
        name = old.rpartition("/")[2] if said else new.rpartition("/")[2]
        target = f"{above}/{name}" if above else name
        if self._below(target):
            raise QaseIacError(f"it would go to {printable(target)}, and something stands there; move that away")
        return (old, target), new

    def _renamed(self, new: str) -> Iterator[tuple[Address, Address]]:
        old = self.suite.key
        for address in self.desired.resources if old != new else ():
            if address.kind == self.suite.kind and (address.key == old or address.key.startswith(old + "/")):
                yield address, self.kind.address(new + address.key[len(old) :])

    def _check_scope(self, new: str) -> None:
        patterns = self.desired.scope.suites
        keys = [new.rsplit("/", at)[0] for at in range(new.count("/") + 1)]
        if patterns is not None and not in_scope(patterns, [*keys, None]):
            raise QaseIacError(f"its new key {new} is outside `scope:`; add it there, or move the suite back in Qase")

    # --- what names it

    def _follow(self, done: Relocated, path: Path, home: Home | None) -> None:
        """Lets all that is said by key or by relative path say the same afterwards."""
        keys = {old.key: new.key for old, new in done.renamed.items()}
        for address, resource in self.desired.resources.items():
            for operation in self._references(address, resource, keys):
                self._do(operation, resource.source.file)
            for operation in self._paths(address, resource, done, path, home):
                self._do(operation, resource.source.file)
        for address, (_, where) in self.desired.adopt.items():
            if address in done.renamed:
                self._do(DropAdoption(self.edit, str(address)), where.file)

    def _do(self, operation: Operation, file: str) -> None:
        refused = self._work(file).run([operation])
        if refused:
            raise QaseIacError(f"{printable(file)} cannot follow: {refused[0][1]}")

    def _references(self, address: Address, resource: Resource, keys: dict[str, str]) -> Iterator[SetAttribute]:
        kind = BY_NAME[address.kind]
        rules = [row.name for row in kind.attributes if isinstance(row.type, Rules) and row.name in resource.local]
        suite = self._suite_of(address, resource)
        if suite not in keys and not rules:
            return
        work, path = self.homes.find(address)
        written = plain(find(Change(Source(work.text)), path).node)
        if suite in keys and kind.parent and kind.parent in written and not kind.by_name[kind.parent].structural:
            yield SetAttribute(self.edit, path, kind.name, kind.parent, keys[suite])
        for name in rules:
            new = followed(written[name], self.suite.key, keys)
            if new != written[name]:
                yield SetAttribute(self.edit, path, kind.name, name, new)

    def _suite_of(self, address: Address, resource: Resource) -> str:
        parent = BY_NAME[address.kind].parent
        target = ref_address(resource.attributes.get(parent)) if parent else None
        return Address.parse(target).key if target else ""

    def _paths(
        self, address: Address, resource: Resource, done: Relocated, path: Path, home: Home | None
    ) -> Iterator[SetAttribute]:
        kind, file = BY_NAME[address.kind], resource.source.file
        names = [row.name for row in kind.attributes if isinstance(row.type, Files | Steps)]
        if not any("'path'" in repr(resource.attributes.get(name)) for name in names):
            return
        work, own = self.homes.find(address)
        inside = file == self.desired.resources[self.suite].source.file and own[: len(path)] == path
        target = home.file if home is not None and inside else done.path(file)
        written = plain(find(Change(Source(work.text)), own).node)
        for name in names:
            if name in written:
                value = relocated(written[name], file.rpartition("/")[0], done, name == FILES)
                yield SetAttribute(self.edit, own, kind.name, name, placed(value, target))

    # --- what moves

    def _move_text(self, work: FileWork, path: Path, home: Home, segment: str) -> None:
        change = Change(Source(work.text))
        entry = text_of_entry(change, path[:-2], path[-2], path[-1])
        attributes: Attributes = plain(find(change, path).node)
        self._do(RemoveObject(self.edit, path, whole=True), work.name)
        if not home.whole:
            new = Entry(segment, attributes, self._under(entry.lines, segment))
            self._do(AddObject(self.edit, home.container, self.kind.section, new), home.file)
            return
        alone = entry.alone() if not home.key else []
        key = {"key": home.key} if home.key else {}
        self._work(home.file).fill({**key, **attributes}, change.source.newline.join([*alone, ""]) if alone else "")

    def _under(self, lines: tuple[str, ...], segment: str) -> tuple[str, ...]:
        """The lines of an entry under a key of its own choice; none where that takes more than a word."""
        at = next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
        old = self.suite.key.rpartition("/")[2]
        if old == segment or not lines:
            return lines
        if not lines[at].startswith(old + ":"):
            return ()
        return (*lines[:at], segment + lines[at][len(old) :], *lines[at + 1 :])

    def _moved_folder(self, old: str, new: str) -> dict[str, bytes | None]:
        """Every file below the folder, whatever it is."""
        found: dict[str, bytes | None] = {}
        for name in self._below(old):
            target = new + name[len(old) :]
            if shape_of(name) != SECTIONS and not any_match(list(self.draft.settings.content), target):
                raise QaseIacError(f"{printable(target)} would not be read: `content:` leaves it out")
            found[name], found[target] = None, self._bytes(name)
        return found

    def _bytes(self, name: str) -> bytes | None:
        if name in self.works:
            return self.works[name].after
        data = self.draft.files.get(name)
        return (self.draft.settings.root / name).read_bytes() if data is None else data

    def _below(self, folder: str) -> list[str]:
        root = self.draft.settings.root
        found = {name for name, data in self.draft.files.items() if data is not None and name.startswith(folder + "/")}
        for at, folders, names in os.walk(root / folder):
            links = [each for each in (*folders, *names) if os.path.islink(os.path.join(at, each))]
            if links:
                raise QaseIacError(f"{printable(links[0])} in its folder is a symbolic link; move the folder by hand")
            here = os.path.relpath(at, root).replace(os.sep, "/")
            found |= {f"{here}/{name}" for name in names if f"{here}/{name}" not in self.draft.files}
        return sorted(found)

    # --- the line that says so

    def _tell(self, own: str, new: str, files: dict[str, bytes | None], done: Relocated) -> None:
        """`moved:` in the file that has such lines, else where the suite is declared, else in a file of its own."""
        last = [done.path(entry.source.file) for entry in self.desired.moved[-1:]]
        name = [*last, *([own] if shape_of(own) == SECTIONS else []), MOVED_FILE][0]
        if name in files:
            self.works[name] = FileWork(name, files.pop(name))
        self._do(AddMoved(self.edit, str(self.suite), str(self.kind.address(new))), name)

    # --- the proof

    def _proven(self, done: Relocated, files: dict[str, bytes | None]) -> Relocated:
        changed = {name: work.after for name, work in self.works.items() if work.after != work.before}
        files = {**changed, **files}
        now = self.draft.loaded(files)
        errors = [each for each in now.diagnostics if each.is_error and each.code not in LATE]
        if errors:
            raise QaseIacError(f"the outcome is refused ({errors[0].source}: {errors[0].summary.rstrip('.')})")
        wanted = {done.renamed.get(each, each) for each in self.desired.resources}
        if odd := sorted(wanted ^ now.desired.resources.keys()):
            raise QaseIacError(f"{odd[0]} would not be declared as it is")
        for old, resource in self.desired.resources.items():
            new = done.renamed.get(old, old)
            if names := set(self._differing(resource, now.desired.resources[new], done, old == self.suite)):
                done.differing[new] = names
        self.draft.take(files, now.desired)
        return done

    def _differing(self, old: Resource, new: Resource, done: Relocated, moved: bool) -> Iterator[str]:
        kind = BY_NAME[old.address.kind]
        missing = object()
        for name in sorted(old.attributes.keys() | new.attributes.keys()):
            before, after = old.attributes.get(name, missing), new.attributes.get(name, missing)
            if name == kind.parent:
                same = moved or renamed(before, done) == after
            else:
                same = missing not in (before, after) and same_but_paths(kind.name, name, before, after)
            if not same:
                yield name
