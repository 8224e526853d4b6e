"""Parameters of cases, old and new, and the shared ones (sections 7.6 and 11.3)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from . import crud
from .context import Context
from .crud import Kind, Predicate, Query
from .errors import invalid
from .fields import Field, clean, filled, flag, hash_of, list_of, one_of, text, title
from .store import Doc

# -- on a case -------------------------------------------------------------------------------------------

_ITEM = (
    Field("title", filled(None), required=True),
    Field("values", list_of(text()), required=True),
)


def _item(ctx: Context, project: str, value: Any, path: str) -> Doc:
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    return clean(ctx, project, _ITEM, value, prefix=path + ".")


def _parameter(ctx: Context, project: str, value: Any, path: str) -> Any:
    """A shared one, a single one, or a group of at least two."""
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    if value.get("shared_id") is not None:
        shared = hash_of("shared_parameter", "Shared parameter", workspace=True)
        found = shared(ctx, project, value["shared_id"], path + ".shared_id")
        return {"shared_id": found} if isinstance(found, str) else found
    if "items" in value:
        items = list_of(_item)(ctx, project, value["items"], path + ".items")
        if len(items) < 2:
            raise invalid(path + ".items", f"The {path}.items must have at least 2 items.")
        return {"items": items}
    return {"item": _item(ctx, project, value, path)}


def check_parameters(ctx: Context, project: str, value: Any, path: str) -> list[Doc]:
    return [] if value is None else list(list_of(_parameter)(ctx, project, value, path))


def check_params(ctx: Context, project: str, value: Any, path: str) -> list[Doc]:
    """The old form is stored as single parameters; ``[]`` is how PHP spells an empty object."""
    if value is None or value == []:
        return []
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    rows = [{"title": name, "values": values} for name, values in value.items()]
    return [{"item": item} for item in list_of(_item)(ctx, project, rows, path)]


def resolved(ctx: Context, parameters: list[Doc]) -> list[tuple[str | None, list[Doc]]]:
    """(id of the shared parameter or None, its items) of each parameter of a case."""
    out: list[tuple[str | None, list[Doc]]] = []
    for one in parameters:
        if "shared_id" in one:
            shared = ctx.cached("shared_parameter", "", one["shared_id"])
            if shared is not None:
                out.append((one["shared_id"], shared["parameters"]))
        else:
            out.append((None, one["items"] if "items" in one else [one["item"]]))
    return out


def render_parameters(ctx: Context, parameters: list[Doc]) -> list[Doc]:
    return [
        {"shared_id": shared, "type": "group", "items": items}
        if len(items) > 1
        else {"shared_id": shared, "type": "single", "item": items[0]}
        for shared, items in resolved(ctx, parameters)
    ]


def render_params(ctx: Context, parameters: list[Doc]) -> Doc | list[Any]:
    flat = {item["title"]: item["values"] for _, items in resolved(ctx, parameters) for item in items}
    return flat or []


# -- the shared ones -------------------------------------------------------------------------------------


def prepare(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    doc = crud.merge(ctx, project, values, old)
    doc.setdefault("uuid", str(uuid.UUID(ctx.new_hash()[:32], version=4)))
    count = len(doc["parameters"])
    if (count != 1) if doc["type"] == "single" else (count < 2):
        raise invalid("parameters", f"The number of parameters does not fit the type {doc['type']}.")
    return doc


def render(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    names = ("title", "type", "project_codes", "is_enabled_for_all_projects", "parameters")
    return {"id": doc["uuid"], **{name: doc[name] for name in names}}


def narrow(ctx: Context, project: str, query: Query) -> tuple[None, list[Predicate]]:
    """The one list of today that keeps the bracketed filters."""
    tests: list[Predicate] = []
    wanted, type_ = crud.first(query, "filters[search]"), crud.first(query, "filters[type]")
    codes = set(query.get("filters[project_codes][]", []))
    if wanted:
        tests.append(lambda doc: str(wanted).casefold() in doc["title"].casefold())
    if type_:
        tests.append(lambda doc: doc["type"] == type_)
    if codes:
        tests.append(lambda doc: doc["is_enabled_for_all_projects"] or bool(codes & set(doc["project_codes"])))
    return None, tests


def remove(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    """Every use in cases goes with it (section 11.3)."""
    for code in ctx.store.projects():
        for case in ctx.store.select("case", code):
            kept = [one for one in case["parameters"] if one.get("shared_id") != doc["uuid"]]
            if len(kept) < len(case["parameters"]):
                ctx.store.put("case", code, {**case, "parameters": kept}, parent=case["suite_id"])


SHARED_PARAMETER = Kind(
    name="shared_parameter",
    label="Shared parameter",
    fields=(
        Field("title", title, required=True),
        Field("type", one_of("single", "group"), required=True, patch=False),
        Field("is_enabled_for_all_projects", flag, required=True),
        Field("parameters", list_of(_item), required=True),
        Field("project_codes", list_of(filled(10))),
    ),
    blank={"project_codes": []},
    key="uuid",
    workspace=True,
    prepare=prepare,
    render=render,
    narrow=narrow,
    remove=remove,
)
