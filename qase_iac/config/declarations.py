"""What one content file says, before it is put together with the others: JSON values, so that it can be remembered.

Nothing in here depends on another file, on the file's own place, or on the settings: only on its bytes and its shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qase_iac.attributes import CUSTOM_FIELD_PREFIX
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.values import JSON, Attributes

Path = tuple[str, ...]
"""The way from the root of a document to a node, by the keys of mappings."""

SECTIONS = "sections"
"""The shape of a file that is not one object; the other shapes are called by their kind."""


@dataclass(slots=True)
class Declaration:
    """One object as its file declares it.

    `key` is as written, "" when a one-object file leaves it to its name. `parent` is the position in the file's list
    of the declaration around it, -1 when there is none. Attributes are canonical, custom fields one by one. `ignore` is
    None where nothing is said.
    """

    kind: str
    key: str
    line: int
    column: int
    parent: int = -1
    attributes: Attributes = field(default_factory=dict)
    local: Attributes = field(default_factory=dict)
    protect: bool | None = None
    ignore: list[str] | None = None

    def row(self) -> list[JSON]:
        return [
            self.kind,
            self.key,
            self.line,
            self.column,
            self.parent,
            self.attributes,
            self.local,
            self.protect,
            self.ignore,
        ]


Placed = list[Any]
"""A default: [value, line, column]. An entry of `moved`: [from, to, line, column]; the rest alike."""


@dataclass(slots=True)
class FileContent:
    """Everything one file declares. `defaults` maps kind -> attribute -> [value, line, column]."""

    declarations: list[Declaration] = field(default_factory=list)
    moved: list[Placed] = field(default_factory=list)
    removed: list[Placed] = field(default_factory=list)
    adopt: list[Placed] = field(default_factory=list)
    defaults: dict[str, dict[str, Placed]] = field(default_factory=dict)
    policy: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> list[JSON]:
        rows = [each.row() for each in self.declarations]
        return [rows, self.moved, self.removed, self.adopt, self.defaults, self.policy]

    @classmethod
    def from_json(cls, value: list[JSON]) -> FileContent:
        """The inverse of `to_json`. Raises TypeError, ValueError when it is something else."""
        rows, *rest = value
        return cls([Declaration(*row) for row in rows], *rest)

    def path(self, position: int) -> Path:
        """The way to the attributes of a declaration."""
        found = self.declarations[position]
        if found.parent < 0:
            return () if is_root(found, position) else (BY_NAME[found.kind].section, found.key)
        return (*self.path(found.parent), BY_NAME[found.kind].section, found.key)


def is_root(declaration: Declaration, position: int) -> bool:
    """Whether the file itself is this object (shapes 1 and 2)."""
    return position == 0 and not declaration.line


def shape_of(name: str) -> str:
    """The shape of a content file by its path: the kind of a one-object file, else `SECTIONS`."""
    stem = name.rpartition("/")[2].rpartition(".")[0]
    for kind in CONTENT_KINDS:
        if stem == kind.file_name or (kind.file_suffix and stem.endswith(kind.file_suffix)):
            return kind.name
    return SECTIONS


def nested_kinds(kind: Kind) -> dict[str, Kind]:
    """Section -> kind, of the kinds that are declared inside one of `kind`: those whose place is such an object."""
    found = {}
    for each in CONTENT_KINDS:
        place = each.by_name[each.parent].type if each.parent else None
        if getattr(place, "kind", None) == kind.name:
            found[each.section] = each
    return found


NESTED: dict[str, dict[str, Kind]] = {kind.name: nested_kinds(kind) for kind in CONTENT_KINDS}


def flattened(kind: Kind, name: str, value: JSON) -> dict[str, JSON]:
    """An attribute as it is kept: a mapping of custom fields as one attribute each."""
    if kind.custom and name + "." == CUSTOM_FIELD_PREFIX:
        return {CUSTOM_FIELD_PREFIX + title: item for title, item in value.items()}
    return {name: value}
