"""How answers are wrapped in each dialect (sections 3 and 4 of the reference)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .context import Context
from .store import Doc

# In the dialect of 2020 a single GET of these wraps the entity in a list of one.
LISTED_SINGLES = {"suite", "case", "shared_step", "milestone"}
# ... and these answer writes with ``id`` at the top, or with nothing but the status.
TOP_LEVEL_ID = {"project", "suite", "case", "shared_step", "milestone"}
# Today's keys of an entity where they are not ``id``.
KEYS = {"project": "code", "shared_step": "hash", "attachment": "hash"}
# Writes that answer ``{"status": true}`` alone today.
BARE = {("project", "delete"), ("custom_field", "update"), ("custom_field", "delete")}


def entity(ctx: Context, kind: str, rendered: Doc) -> Doc:
    rendered = dress(ctx, rendered)
    if ctx.seed and kind in LISTED_SINGLES:
        return {"status": True, "result": [rendered]}
    return {"status": True, "result": rendered}


def page(ctx: Context, kind: str, rows: Sequence[Doc], total: int, filtered: int) -> Doc:
    entities = [dress(ctx, row) for row in rows]
    if kind == "shared_parameter":  # the one list without the two other counters (section 1)
        return {"status": True, "result": {"total": filtered, "entities": entities}}
    counters = {"total": total, "filtered": filtered, "count": len(entities)}
    return {"status": True, "result": {**counters, "entities": entities}}


def written(ctx: Context, kind: str, operation: str, doc: Mapping[str, Any]) -> Doc:
    """The answer to a create, update or delete."""
    if ctx.seed and kind in TOP_LEVEL_ID:
        return {"status": True, "id": doc["id"]} if operation == "create" else {"status": True}
    if (kind, operation) in BARE:
        return {"status": True}
    if ctx.seed and kind == "plan" and operation == "delete":
        return {"status": True, "result": {"id": str(doc["id"])}}
    key = KEYS.get(kind, "id")
    value = doc["uuid"] if kind == "shared_parameter" else doc[key]
    return {"status": True, "result": dress(ctx, {key: value}, extra=False)}


def dress(ctx: Context, rendered: Doc, *, extra: bool = True) -> Doc:
    if ctx.settings.on("ids_as_strings"):
        rendered = _string_ids(rendered)
    if extra and ctx.settings.on("extra_fields"):
        rendered = {**rendered, "x_new": {"since": 2027, "list": [1, None]}, "is_new": True}
    return rendered


def _string_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _string_id(item) if _is_id(key) else _string_ids(item) for key, item in value.items()}
    return [_string_ids(item) for item in value] if isinstance(value, list) else value


def _is_id(key: str) -> bool:
    return key in ("id", "ids") or key.endswith("_id")


def _string_id(value: Any) -> Any:
    if isinstance(value, list):
        return [_string_id(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
