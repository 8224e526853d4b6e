"""Create, list, read, update and delete, once for all kinds; a kind adds its table and its hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import envelope
from .context import Context, canonical
from .errors import ApiError, Invalid, not_found, unprocessable
from .fields import Field, clean, is_id
from .store import Doc

Query = Mapping[str, list[str]]
Predicate = Callable[[Doc], bool]
# (ctx, project, what the body sets, the stored document or None on create) -> the document to store
Prepare = Callable[[Context, str, Doc, Doc | None], Doc]
Render = Callable[[Context, str, Doc, bool], Doc]  # the flag: a single GET, not a row of a list
# (ctx, project, query) -> suites to look in (or None), tests that a row must pass
Narrow = Callable[[Context, str, Query], tuple[list[int] | None, list[Predicate]]]
Remove = Callable[[Context, str, Doc, Mapping[str, Any]], None]


def merge(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    return {**(old or {}), **values}


def by_title(ctx: Context, project: str, query: Query) -> tuple[list[int] | None, list[Predicate]]:
    return None, search(ctx, query)


def nothing(ctx: Context, project: str, doc: Doc, body: Mapping[str, Any]) -> None:
    """Nobody else refers to this kind."""


@dataclass(frozen=True)
class Kind:
    """One kind of entity: its name in storage, its fields, and what is special about it."""

    name: str
    label: str  # as the messages of the service name it
    fields: Sequence[Field]
    render: Render
    blank: Mapping[str, Any] = field(default_factory=dict)  # what an omitted field is on create
    key: str = "id"  # what the path addresses it by
    parent: str | None = None
    workspace: bool = False
    prepare: Prepare = merge
    narrow: Narrow = by_title
    remove: Remove = nothing
    removal: Sequence[Field] = ()  # fields of the body of a DELETE

    def home(self, project: str) -> str:
        return "" if self.workspace else project


def checked(ctx: Context, kind: Kind, project: str, body: Mapping[str, Any], *, patch: bool) -> Doc:
    try:
        return clean(ctx, project, kind.fields, body, patch=patch)
    except Invalid as error:
        raise unprocessable(error.problems) from None


def create(ctx: Context, kind: Kind, project: str, body: Mapping[str, Any]) -> Doc:
    values = checked(ctx, kind, project, body, patch=False)
    return add(ctx, kind, project, values)


def add(ctx: Context, kind: Kind, project: str, values: Doc) -> Doc:
    """Store a new entity whose values have been checked."""
    chosen = values.pop("id", None)
    try:
        doc = kind.prepare(ctx, project, {**kind.blank, **values}, None)
    except Invalid as error:
        raise unprocessable(error.problems) from None
    return insert(ctx, kind, project, doc, chosen)


def insert(ctx: Context, kind: Kind, project: str, doc: Doc, chosen: int | None) -> Doc:
    home = kind.home(project)
    doc["id"] = chosen or ctx.store.next(home, kind.name)
    doc.setdefault("created", ctx.moment)
    doc.setdefault("updated", doc["created"])
    if kind.parent:
        doc["position"] = next_position(ctx, kind, home, doc[kind.parent])
    save(ctx, kind, project, doc)
    return doc


def next_position(ctx: Context, kind: Kind, home: str, parent: int | None) -> int:
    return ctx.store.next(home, f"{kind.name} position in {parent}")


def save(ctx: Context, kind: Kind, project: str, doc: Doc) -> None:
    key = None if kind.key == "id" else str(doc[kind.key])
    parent = doc[kind.parent] if kind.parent else None
    ctx.store.put(kind.name, kind.home(project), doc, key=key, parent=parent)


def locate(ctx: Context, kind: Kind, project: str, id: str) -> Doc:
    """The entity that a path names, or 404."""
    home = kind.home(project)
    if kind.key != "id":
        doc = ctx.store.find(kind.name, home, id)
    else:
        doc = ctx.store.get(kind.name, home, int(id)) if is_id(id) else None
    if doc is None:
        raise not_found(kind.label)
    return doc


def update(ctx: Context, kind: Kind, project: str, id: str, body: Mapping[str, Any]) -> Doc:
    if ctx.seed and not body:
        raise ApiError(400, "At least one field is required.")
    values = checked(ctx, kind, project, body, patch=True)
    return change(ctx, kind, project, locate(ctx, kind, project, id), values)


def change(ctx: Context, kind: Kind, project: str, old: Doc, values: Doc) -> Doc:
    try:
        doc = kind.prepare(ctx, project, values, old)
    except Invalid as error:
        raise unprocessable(error.problems) from None
    if kind.parent and doc[kind.parent] != old[kind.parent]:
        doc["position"] = next_position(ctx, kind, kind.home(project), doc[kind.parent])
    if ctx.settings["patch_bumps_updated"] == "always" or canonical(doc) != canonical(old):
        doc["updated"] = ctx.moment
    save(ctx, kind, project, doc)
    return doc


def delete(ctx: Context, kind: Kind, project: str, id: str, body: Mapping[str, Any]) -> Doc:
    try:
        wishes = clean(ctx, project, kind.removal, body)
    except Invalid as error:
        raise unprocessable(error.problems) from None
    doc = locate(ctx, kind, project, id)
    kind.remove(ctx, project, doc, wishes)
    ctx.store.delete(kind.name, kind.home(project), doc["id"])
    return doc


# -- lists ----------------------------------------------------------------------------------------------


def listing(ctx: Context, kind: Kind, project: str, query: Query) -> Doc:
    limit, offset = window(ctx, query)
    parents, predicates = kind.narrow(ctx, project, query)
    home, order = kind.home(project), str(ctx.settings["list_order"])
    total = ctx.store.count(kind.name, home)
    if predicates:
        found = ctx.store.each(kind.name, home, parents=parents, order=order)
        rows = [row for row in found if all(test(row) for test in predicates)]
        filtered, rows = len(rows), rows[offset : offset + limit]
    else:
        filtered = total if parents is None else ctx.store.count(kind.name, home, parents)
        rows = ctx.store.select(kind.name, home, parents=parents, order=order, limit=limit, offset=offset)
    return envelope.page(ctx, kind.name, [kind.render(ctx, project, row, False) for row in rows], total, filtered)


def window(ctx: Context, query: Query) -> tuple[int, int]:
    """limit and offset; 10 rows unless asked for more, 100 in the old dialect (section 1)."""
    limit = _bounded(ctx, query, "limit", 100 if ctx.seed else 10, 1, 100)
    return limit, _bounded(ctx, query, "offset", 0, 0, 100_000)


def _bounded(ctx: Context, query: Query, name: str, default: int, least: int, most: int) -> int:
    text = first(query, name)
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        raise unprocessable([(name, f"The {name} must be an integer.")]) from None
    if least <= number <= most:
        return number
    if ctx.settings["limit_out_of_range"] == "reject":
        raise unprocessable([(name, f"The {name} must be between {least} and {most}.")])
    return max(least, min(most, number))


def first(query: Query, name: str) -> str | None:
    values = query.get(name)
    return values[0] if values else None


def filter_value(ctx: Context, query: Query, name: str) -> str | None:
    """A filter in the spelling of the dialect: ``search=`` today, ``filters[search]=`` in 2020 (3.1)."""
    bracketed = first(query, f"filters[{name}]")
    if ctx.seed:
        return bracketed
    flat = first(query, name)
    return bracketed if flat is None and ctx.settings.on("old_aliases") else flat


def search(ctx: Context, query: Query) -> list[Predicate]:
    wanted = filter_value(ctx, query, "search")
    if not wanted:
        return []
    needle = wanted.casefold()
    return [lambda doc: needle in str(doc["title"]).casefold()]
