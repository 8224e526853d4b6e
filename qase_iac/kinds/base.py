"""What a kind is: its table of attributes and a few facts about its place in the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Attribute, CustomFieldValue, Type
from qase_iac.values import JSON, Address, RemoteId


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of object in Qase.

    `name` is the word in addresses, `section` the key in content files, `path` the segment of the API path.
    `parent` names the attribute that holds the object's place (a case's suite, a suite's parent); with the title it
    is the natural key. `id_key` is how the API calls the identity. `bulk` kinds can be created many a call.
    `resend` lists attributes that every PATCH must carry. `file_suffix` marks one-object files (`.case`),
    `file_name` files whose folder is the object (`suite`). `deletable` false: never updated or deleted.
    `destination`: a delete names where what is left goes.
    `content` names the rows that tell two objects of the kind apart when their key and place changed.
    `owned_by_scope`: live objects belong to the folder by their suite; other kinds only when bound.
    """

    name: str
    section: str
    path: str
    doc: str
    attributes: tuple[Attribute, ...]
    id_key: str = "id"
    parent: str | None = None
    bulk: bool = False
    nested_keys: bool = False
    resend: tuple[str, ...] = ()
    file_suffix: str | None = None
    file_name: str | None = None
    deletable: bool = True
    destination: bool = False
    owned_by_scope: bool = False
    custom: bool = False
    defaults: bool = False
    exclusive: tuple[tuple[str, str], ...] = ()
    content: tuple[str, ...] = ("title",)
    by_name: dict[str, Attribute] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {row.name: row for row in self.attributes})
        object.__setattr__(self, "_custom_rows", {})

    @property
    def label(self) -> str:
        return self.name.replace("_", " ")

    @cached_property
    def managed(self) -> tuple[Attribute, ...]:
        """Rows that are sent to Qase and compared, in the table's order, custom fields aside."""
        return tuple(row for row in self.attributes if not row.local and row.name != "custom_fields")

    @cached_property
    def members(self) -> tuple[Attribute, ...]:
        return tuple(row for row in self.attributes if row.members)

    @cached_property
    def references(self) -> tuple[Attribute, ...]:
        """Rows whose values may hold references or files."""
        return tuple(row for row in self.attributes if type(row.type).refs is not Type.refs and not row.local)

    def attribute(self, name: str) -> Attribute:
        """The row of that name; `custom_fields.TITLE` gives a row of its own. Raises KeyError."""
        row = self.by_name.get(name)
        if row is not None:
            return row
        made: dict[str, Attribute] = self._custom_rows  # type: ignore[attr-defined]
        if name not in made:
            if not (self.custom and name.startswith(CUSTOM_FIELD_PREFIX)):
                raise KeyError(name)
            title = name.removeprefix(CUSTOM_FIELD_PREFIX)
            made[name] = Attribute(name, CustomFieldValue(title), f"The custom field {title}.")
        return made[name]

    def canon(self, name: str, value: JSON) -> JSON:
        return self.attribute(name).type.canon(value)

    def holds(self, name: str, value: JSON) -> bool:
        """Whether a value that a file of ours gives for an attribute (state, journal, plan) has the shape of one.

        Else nothing here could compare or send it. What no row knows is of a later version, or damaged.
        """
        try:
            type_ = self.attribute(name).type
            type_.canon(value)
            for _ in type_.refs(value):
                pass
        except (TypeError, ValueError, AttributeError, KeyError, RecursionError):
            return False
        flat = type(type_).canon is Type.canon and type(type_).refs is Type.refs
        return not (flat and isinstance(value, list | dict))

    def address(self, key: str) -> Address:
        return Address(self.name, key)

    def sort_names(self, names: Iterable[str]) -> list[str]:
        """Attribute names in the table's order, custom fields by title after them."""
        rank = {row.name: at for at, row in enumerate(self.attributes)}
        return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def remote_id(kind: Kind, value: JSON) -> RemoteId:
    """An id as the API writes it (int, digits as text, hash) in its one canonical form."""
    return int(value) if kind.id_key == "id" and str(value).isdigit() else str(value)
