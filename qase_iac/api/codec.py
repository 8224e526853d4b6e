"""Entities of the API to live objects, attributes to request bodies: one walk over a kind's table each way.

Everything that reads and writes differently (qase-api.md section 13.2) is known to the rows' types; what is left here
is what concerns an entity as a whole: its identity, its facts that are no attributes, and what a create may leave out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qase_iac.attributes import UNSET, Attribute, Decoding, Files, Type, decode_custom_fields
from qase_iac.errors import BadAnswer
from qase_iac.kinds import Kind, remote_id
from qase_iac.model import Catalogue, LiveObject
from qase_iac.values import JSON, Attributes, RemoteId, printable

Entity = dict[str, Any]

_META = (
    ("updated_at", ("updated_at", "updated")),
    ("created_at", ("created_at", "created")),
    ("author_id", ("author_id", "member_id")),
    ("updated_by", ("updated_by",)),  # promised in search results only (section 12.3)
    ("cases_count", ("cases_count",)),
    ("cases", ("cases",)),
)
"""Name in `LiveObject.meta`, and the keys of an entity that hold it, today's before those of 2020 (section 7.2)."""
_NUMBERS = frozenset(("author_id", "updated_by", "cases_count"))
_ODD = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)
"""What a type raises when an entity is not what section 7 promises."""


def decode(kind: Kind, entity: Entity, decoding: Decoding) -> LiveObject:
    """One entity as a live object. Raises BadAnswer when it is not what the API promises."""
    return decoder(kind, decoding)(entity)


def decoder(kind: Kind, decoding: Decoding) -> Callable[[Entity], LiveObject]:
    """`decode` for many entities of one kind: the table is looked at once, not once an entity."""
    alone = [row for row in kind.managed if row.type.reads_alone() and not row.required]
    options = _options_reader(alone, decoding)
    rows = [(row.name, row.reads, _own_reader(row, decoding), row.required) for row in kind.managed if row not in alone]
    members = [row.name for row in kind.members]
    read_meta = _meta_reader(kind)

    def attributes_of(entity: Entity) -> Attributes:
        found: Attributes = {}
        for name, reads, own, required in rows:
            if own is not None:
                value = own(entity)
            else:
                value = entity.get(reads, UNSET)
                if value.__class__ is not str and (required or not (value is None or value is UNSET)):
                    raise TypeError(f"{reads!r} is no text")
            if value is not UNSET:
                found[name] = value
            elif required:
                raise KeyError(reads)
        found.update(options(entity))
        if kind.custom:
            found.update(decode_custom_fields(entity, decoding))
        return found

    def decode_one(entity: Entity) -> LiveObject:
        try:
            id, found = identify(kind, entity.get(kind.id_key)), attributes_of(entity)
            partial = any(name not in found for name in members)
            return LiveObject(kind.name, id, found, read_meta(entity), partial)
        except _ODD as error:
            raise _unreadable(kind, entity, error) from None

    return decode_one


def identify(kind: Kind, value: JSON) -> RemoteId:
    """An id as the API gave it, in its one form. Raises ValueError when it cannot be one of this kind."""
    if isinstance(value, int | str) and not isinstance(value, bool) and value != "":
        id = remote_id(kind, value)
        if kind.id_key != "id" or isinstance(id, int):
            return id
    raise ValueError(f"{value!r} is no {kind.id_key} of a {kind.label}")


def _own_reader(row: Attribute, decoding: Decoding) -> Callable[[Entity], JSON] | None:
    """How the row's type reads, None where it takes the text as it stands (which then needs no call)."""
    return None if type(row.type).decode is Type.decode else row.type.reader(row, decoding)


def _options_reader(rows: list[Attribute], decoding: Decoding) -> Callable[[Entity], Attributes]:
    """Reads those rows together: cases with the same options are many, and are looked up once."""
    keys = [row.reads for row in rows]
    readers = [(row.name, row.type.reader(row, decoding)) for row in rows]
    known: dict[tuple[JSON, ...], Attributes] = {}

    def read(entity: Entity) -> Attributes:
        said = tuple(map(entity.get, keys))
        found = known.get(said)
        if found is None:
            values = ((name, reader(entity)) for name, reader in readers)
            found = known[said] = {name: value for name, value in values if value is not UNSET}
        return found

    return read


def _meta_reader(kind: Kind) -> Callable[[Entity], Attributes]:
    """Reads what is no attribute. A key that a row reads (a plan's `cases`) is not taken for a fact."""
    taken = {row.reads for row in kind.managed}
    facts = [(name, keys) for name, keys in _META if not taken & set(keys)]
    members = [row.reads for row in kind.members]

    def read_meta(entity: Entity) -> Attributes:
        meta: Attributes = {}
        for name, keys in facts:
            for key in keys:
                value = entity.get(key)
                if value is not None:
                    meta[name] = int(value) if name in _NUMBERS else value
                    break
        for key in members:
            items = entity.get(key)
            if items is not None:
                meta["assignees"] = sum(isinstance(i, dict) and i.get("assignee_id") is not None for i in items)
        return meta

    return read_meta


def _unreadable(kind: Kind, entity: Entity, error: Exception) -> BadAnswer:
    named = printable(str(entity.get(kind.id_key)))[:80]
    return BadAnswer(
        f"Qase gave a {kind.label} ({kind.id_key} {named}) that cannot be read.",
        f"{type(error).__name__}: {printable(str(error))[:300]}",
        "Nothing is planned from half an answer. If it lasts, report it: the API may have changed.",
        path=f"/{kind.path}",
    )


def encode(kind: Kind, attributes: Attributes, catalogue: Catalogue, creating: bool = False) -> Entity:
    """The body that sets these bound attributes, in the table's order.

    Creating, what means "nothing" is left out: it is what the server assumes, and null is not declared everywhere
    (section 13.1). Raises ResolveError for a word that the workspace does not have.
    """
    values = _without_rivals(kind, attributes)
    if creating and _needs_steps_type(kind, values):
        values = {kind.exclusive[0][0]: [], **values}
    body: Entity = {}
    for name in kind.sort_names(set(values)):
        row = kind.attribute(name)
        if row.local:
            continue
        for key, value in row.type.encode(values[name], row, catalogue).items():
            if isinstance(value, dict):  # `custom_field`: every field adds its entry
                value = {id: v for id, v in value.items() if not creating or _counts(id, v, catalogue)}
                if value or not creating:
                    body.setdefault(key, {}).update(value)
            elif row.required or not creating or value not in (None, "", []):
                body[key] = value
    return body


def _without_rivals(kind: Kind, attributes: Attributes) -> Attributes:
    """Of attributes that exclude each other (steps and gherkin write the same key) only the one that says something.

    When a case changes from one to the other, the body gets the new one; the old one being empty goes without saying.
    """
    values = dict(attributes)
    for group in kind.exclusive:
        given = [name for name in group if name in values]
        keep = next((name for name in given if kind.canon(name, values[name])), given[0] if given else None)
        for name in given:
            if name != keep:
                del values[name]
    return values


def _needs_steps_type(kind: Kind, values: Mapping[str, JSON]) -> bool:
    """Bulk creation drops a case's attachments unless `steps_type` is there (section 7.5)."""
    files = any(values.get(row.name) for row in kind.attributes if isinstance(row.type, Files))
    return kind.bulk and files and bool(kind.exclusive) and not any(name in values for name in kind.exclusive[0])


def _counts(id: str, value: JSON, catalogue: Catalogue) -> bool:
    """Whether a custom field's value says something on create: an empty one only against the field's default."""
    field = catalogue.field_by_id(int(id))
    return value != "" or bool(field and field.default and not field.required)
