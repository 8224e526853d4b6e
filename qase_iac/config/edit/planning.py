"""From edits of objects to operations on files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from qase_iac.attributes import Files, Steps
from qase_iac.config.declarations import Path
from qase_iac.config.edit.change import Change, Unspliceable
from qase_iac.config.edit.entries import Entry, text_of_entry
from qase_iac.config.edit.homes import Home, Homes
from qase_iac.config.edit.model import Add, Edit, Failed, Move, Remove, Set, Unset
from qase_iac.config.edit.objects import find, order_of, ordered
from qase_iac.config.edit.operations import (
    AddObject,
    DropAdoption,
    Operation,
    RemoveObject,
    SetAttribute,
    UnsetAttribute,
)
from qase_iac.config.edit.source import Source, plain
from qase_iac.config.edit.work import FileWork
from qase_iac.config.edit.written import placed
from qase_iac.config.writer import FilePath
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, RANK, Kind
from qase_iac.values import JSON, Attributes

_PHASES: tuple[tuple[type, ...], ...] = ((Add,), (Move,), (Set, Unset), (Remove,))
"""Moves take texts as they are before other edits; what is moved is then edited at its new place."""


@dataclass
class Planned:
    """The operations of each file, in order."""

    homes: Homes
    operations: dict[str, list[Operation]] = field(default_factory=dict)
    whole: dict[str, tuple[Attributes, str]] = field(default_factory=dict)
    gone: dict[str, Edit] = field(default_factory=dict)
    failed: list[Failed] = field(default_factory=list)

    def take(self, edits: Iterable[Edit]) -> None:
        """Plans all edits; those that have no place are among `failed` then."""
        edits = list(edits)
        for phase in _PHASES:
            for edit in sorted((each for each in edits if isinstance(each, phase)), key=_rank):
                try:
                    self._plan(edit)
                except (QaseIacError, Unspliceable) as error:
                    self.failed.append(Failed(edit, str(error), self._file(edit)))

    def _file(self, edit: Edit) -> str:
        resource = self.homes.desired.resources.get(edit.address)
        return resource.source.file if resource else ""

    def _plan(self, edit: Edit) -> None:
        kind = BY_NAME[edit.address.kind]
        match edit:
            case Set() | Unset():
                if edit.name in (kind.parent, "key"):
                    raise QaseIacError(f"`{edit.name}` is no attribute to be set; move it")
                work, path = self.homes.find(edit.address)
                self._value(work, path, edit)
            case Remove():
                self._remove(edit)
            case Add():
                self._add(edit, kind)
            case Move():
                self._move(edit, kind)

    def _to(self, file: str, operation: Operation) -> None:
        self.operations.setdefault(file, []).append(operation)

    def _value(self, work: FileWork, path: Path, edit: Set | Unset) -> None:
        kind = edit.address.kind
        if isinstance(edit, Set):
            self._to(work.name, SetAttribute(edit, path, kind, edit.name, placed(edit.value, work.name)))
        else:
            self._to(work.name, UnsetAttribute(edit, path, kind, edit.name))

    # --- objects that come and go

    def _remove(self, edit: Remove) -> None:
        work, path = self.homes.find(edit.address)
        if path:
            self._to(work.name, RemoveObject(edit, path))
        else:
            self.gone[work.name] = edit
        adopted = self.homes.desired.adopt.get(edit.address)
        if adopted is not None:
            self._to(adopted[1].file, DropAdoption(edit, str(edit.address)))

    def _add(self, edit: Add, kind: Kind) -> None:
        if edit.address in self.homes.desired.resources:
            raise QaseIacError("it is declared already")
        home = self.homes.home(kind, edit.address.key, edit.place)
        attributes = placed(dict(edit.attributes), home.file)
        self._put(edit, kind, home, self._with_place(kind, attributes, home, edit.place), ())

    def _with_place(self, kind: Kind, attributes: Attributes, home: Home, place: JSON) -> Attributes:
        """The attributes, with the suite where the place does not say it."""
        if kind.parent and not kind.by_name[kind.parent].structural and home.given != place:
            attributes = {**attributes, kind.parent: place}
        return ordered(attributes, kind.name)

    def _put(self, edit: Edit, kind: Kind, home: Home, attributes: Attributes, lines: tuple[str, ...]) -> None:
        segment = edit.address.key.rpartition("/")[2]
        if home.whole:
            self.whole[home.file] = {**({"key": home.key} if home.key else {}), **attributes}, ""
            self.homes.where[edit.address] = home.file, ()
            if kind.file_name:
                self.homes.folders[home.file.rpartition("/")[0]] = edit.address.key
            return
        self._to(home.file, AddObject(edit, home.container, kind.section, Entry(segment, attributes, lines)))
        self.homes.where[edit.address] = home.file, (*home.container, kind.section, segment)

    # --- moves

    def _move(self, edit: Move, kind: Kind) -> None:
        if not kind.parent or kind.by_name[kind.parent].structural:
            raise QaseIacError("a suite that moves gets another key; move its text or folder, and add a `moved:` line")
        work, path = self.homes.find(edit.address)
        if path and (len(path) > 2 or () in work.content.objects):
            self._move_text(edit, kind, work, path)
            return
        given = self.homes.nearest(work.name.rpartition("/")[0])
        if edit.place != given:
            self._to(work.name, SetAttribute(edit, path, kind.name, kind.parent, edit.place))
        elif kind.parent in work.content.objects[path].attributes:
            self._to(work.name, UnsetAttribute(edit, path, kind.name, kind.parent))

    def _move_text(self, edit: Move, kind: Kind, work: FileWork, path: Path) -> None:
        """Nesting says where it lies, so its text goes elsewhere."""
        home = self.homes.home(kind, edit.address.key, edit.place)
        if (home.file, home.container) == (work.name, path[:-2]):
            return
        change = Change(Source(work.text))
        entry = text_of_entry(change, path[:-2], path[-2], path[-1])
        attributes: Attributes = plain(find(change, path).node)
        attributes.pop(kind.parent or "", None)
        moved = {name: _moved_paths(kind, name, value, work.name, home.file) for name, value in attributes.items()}
        full = self._with_place(kind, moved, home, edit.place)
        self._to(work.name, RemoveObject(edit, path, whole=True))
        if not entry.lines or kind.parent in entry.attributes:
            self._put(edit, kind, home, full, ())
            return
        self._put(edit, kind, home, attributes, entry.lines)
        if home.whole and (alone := entry.alone()):
            self.whole[home.file] = attributes, change.source.newline.join([*alone, ""])
        self._later(edit, kind, home, attributes, full)

    def _later(self, edit: Move, kind: Kind, home: Home, old: Attributes, new: Attributes) -> None:
        """What the new place makes of the attributes: paths relative to it, and the suite where it does not say it."""
        path = self.homes.where[edit.address][1]
        for name in order_of(kind.name):
            if name in new and (name not in old or old[name] != new[name]):
                self._to(home.file, SetAttribute(edit, path, kind.name, name, new[name]))


def _rank(edit: Edit) -> tuple[int, str]:
    """Parents before what lies in them."""
    deep = not isinstance(edit, Remove)
    return (RANK[edit.address.kind] if deep else 0, edit.address.key if deep and isinstance(edit, Add) else "")


def _moved_paths(kind: Kind, name: str, value: JSON, old: str, new: str) -> JSON:
    """The value with paths of attachments, relative to the file `old`, relative to the file `new`."""
    row = kind.by_name.get(name)
    if row is not None and isinstance(row.type, Files):
        return [_relocated(each, old, new) for each in value or []]
    if row is not None and isinstance(row.type, Steps):
        return [_moved_step(step, old, new) for step in value or []]
    return value


def _moved_step(step: JSON, old: str, new: str) -> JSON:
    if not isinstance(step, dict):
        return step
    moved = dict(step)
    if step.get("attachments"):
        moved["attachments"] = [_relocated(each, old, new) for each in step["attachments"]]
    if step.get("steps"):
        moved["steps"] = [_moved_step(each, old, new) for each in step["steps"]]
    return moved


def _relocated(path: JSON, old: str, new: str) -> JSON:
    if not isinstance(path, str):
        return path
    inside = os.path.normpath(os.path.join("/", old.rpartition("/")[0], path)).lstrip("/")
    return str(placed(FilePath(inside), new)) if old.rpartition("/")[0] != new.rpartition("/")[0] else path
