"""What is done to one file: each says its splices, and what the file is to declare afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from qase_iac.attributes import INVALID
from qase_iac.config.declarations import Path
from qase_iac.config.edit.change import Change, Unspliceable
from qase_iac.config.edit.content import Content, Declared, canonical, entry_content, same
from qase_iac.config.edit.entries import Entry, add_entry, add_line, remove_entry
from qase_iac.config.edit.model import Edit
from qase_iac.config.edit.objects import set_attribute, unset_attribute
from qase_iac.values import JSON


class Operation(Protocol):
    """One step in one file. `edit` is what it was asked for."""

    @property
    def edit(self) -> Edit: ...

    def make(self, change: Change, level: int) -> None:
        """Adds the splices, the finest at level 0. Raises Unspliceable."""

    def after(self, content: Content) -> Content:
        """What the file is to declare then. Raises Unspliceable when this cannot be."""


def _object(content: Content, path: Path) -> Declared:
    found = content.objects.get(path)
    if found is None:
        raise Unspliceable("it is not declared there")
    return found


@dataclass(frozen=True)
class SetAttribute:
    edit: Edit
    path: Path
    kind: str
    name: str
    value: JSON

    def make(self, change: Change, level: int) -> None:
        set_attribute(change, self.path, self.kind, self.name, self.value, level)

    def after(self, content: Content) -> Content:
        new = _object(content, self.path).with_value(self.name, canonical(self.kind, self.name, self.value))
        return Content({**content.objects, self.path: new}, content.rest)

    def is_done(self, content: Content) -> bool:
        """Whether the file says so already."""
        old = content.objects.get(self.path)
        if old is None or self.name not in old.attributes:
            return False
        return same(self.kind, self.name, old.attributes[self.name], canonical(self.kind, self.name, self.value))


@dataclass(frozen=True)
class UnsetAttribute:
    edit: Edit
    path: Path
    kind: str
    name: str

    def make(self, change: Change, level: int) -> None:
        unset_attribute(change, self.path, self.kind, self.name, level)

    def after(self, content: Content) -> Content:
        old = _object(content, self.path)
        if self.name not in old.attributes and self.name not in old.local:
            raise Unspliceable("the attribute is not written there, it comes from a default")
        new = old.with_value(self.name, INVALID)
        return Content({**content.objects, self.path: new}, content.rest)


@dataclass(frozen=True)
class AddObject:
    edit: Edit
    container: Path
    section: str
    entry: Entry

    def make(self, change: Change, level: int) -> None:
        entry = self.entry if not level else Entry(self.entry.key, self.entry.attributes)
        add_entry(change, self.container, self.section, entry)

    def after(self, content: Content) -> Content:
        if self.container:
            _object(content, self.container)
        new = entry_content(self.section, self.entry.key, self.entry.attributes)
        placed = {(*self.container, *path): each for path, each in new.items()}
        if placed.keys() & content.objects.keys():
            raise Unspliceable("something of that key stands there")
        return Content({**content.objects, **placed}, content.rest)


@dataclass(frozen=True)
class RemoveObject:
    """`whole`: with what is nested in it."""

    edit: Edit
    path: Path
    whole: bool = False

    def make(self, change: Change, level: int) -> None:
        remove_entry(change, self.path[:-2], self.path[-2], self.path[-1])

    def after(self, content: Content) -> Content:
        _object(content, self.path)
        size = len(self.path)
        gone = [path for path in content.objects if path[:size] == self.path]
        if len(gone) > 1 and not self.whole:
            raise Unspliceable("other objects are nested in it")
        return Content({path: each for path, each in content.objects.items() if path not in gone}, content.rest)


@dataclass(frozen=True)
class DropAdoption:
    """Takes the line of an object out of `adopt:`, since it is declared no longer."""

    edit: Edit
    address: str

    def make(self, change: Change, level: int) -> None:
        remove_entry(change, (), "adopt", self.address)

    def after(self, content: Content) -> Content:
        moved, removed, adopt, *more = content.rest
        kept = [row for row in adopt if row[0] != self.address]
        return Content(content.objects, [moved, removed, kept, *more])


@dataclass(frozen=True)
class AddMoved:
    """Puts a line behind those of `moved:`."""

    edit: Edit
    origin: str
    target: str

    def make(self, change: Change, level: int) -> None:
        add_line(change, "moved", f"{{from: {self.origin}, to: {self.target}}}")

    def after(self, content: Content) -> Content:
        moved, *more = content.rest
        return Content(content.objects, [[*moved, [self.origin, self.target]], *more])
