"""Creation of many cases in one request (section 7.9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import crud
from .cases import CASE, FIELDS, note_uses, prepare_case
from .context import Context
from .errors import Invalid, Problem, invalid, unprocessable
from .fields import Field, clean
from .store import Doc

BIGGEST_ID = 2**31 - 1

_ID = Field("id", lambda ctx, project, value, path: _bulk_id(value, path), nullable=True)
BULK_FIELDS = (*FIELDS, _ID)


def _bulk_id(value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= BIGGEST_ID:
        raise invalid(path, f"The {path} must be between 1 and {BIGGEST_ID}.")
    return value


def create_bulk(ctx: Context, project: str, body: Mapping[str, Any]) -> tuple[list[int], list[Problem]]:
    """All or nothing (section 7.9), unless the switch says that a bad batch leaves its good head behind."""
    items = body.get("cases")
    most = ctx.settings.number("bulk_max")
    if not isinstance(items, list) or not items:
        raise unprocessable([("cases", "The cases field is required.")])
    if most and len(items) > most:
        raise unprocessable([("cases", f"The cases may not have more than {most} items.")])
    if ctx.strict and set(body) - {"cases"}:
        raise unprocessable([(key, f"Unknown field {key}.") for key in set(body) - {"cases"}])
    ids: list[int] = []
    problems: list[Problem] = []
    for index, item in enumerate(items):
        try:
            values = _bulk_item(ctx, project, item, f"cases.{index}")
            doc = _prepared(ctx, project, values, f"cases.{index}.")
        except Invalid as error:
            problems += error.problems
        else:
            if not problems:
                ids.append(_add(ctx, project, doc, values.get("id")))
    return ids, problems


def _prepared(ctx: Context, project: str, values: Doc, prefix: str) -> Doc:
    try:
        return prepare_case(ctx, project, {key: value for key, value in values.items() if key != "id"}, None)
    except Invalid as error:
        raise Invalid([(prefix + field, message) for field, message in error.problems]) from None


def _bulk_item(ctx: Context, project: str, item: Any, path: str) -> Doc:
    if not isinstance(item, dict):
        raise invalid(path, f"The {path} must be an object.")
    if item.get("params", ()) is None:  # accepted on a single create, refused here (section 7.6)
        raise invalid(f"{path}.params", f"The {path}.params must be an array.")
    values = clean(ctx, project, BULK_FIELDS, item, prefix=path + ".")
    if "steps_type" not in item and ctx.settings.on("bulk_attachments_need_type"):
        values.pop("attachments", None)
    id = values.get("id")
    if id is None:
        values.pop("id", None)
        return values
    trashed = ctx.store.exists("case_trash", project, id)
    if ctx.settings["bulk_id_in_use"] == "reject" and (trashed or ctx.store.exists("case", project, id)):
        raise invalid(f"{path}.id", f"The {path}.id has already been taken.")
    return values


def _add(ctx: Context, project: str, doc: Doc, chosen: int | None) -> int:
    if chosen is not None:
        ctx.store.raise_counter(project, "case", chosen)
        ctx.store.delete("case_trash", project, chosen)
        ctx.store.set_uses(project, chosen, set())
    doc = crud.insert(ctx, CASE, project, doc, chosen)
    note_uses(ctx, project, doc)
    return int(doc["id"])
