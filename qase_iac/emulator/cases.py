"""Test cases: what they accept, how they are stored, bulk creation, the trash (section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import crud
from .case_read import narrow_cases, render_case
from .context import Context, parse_time
from .crud import Kind
from .custom_fields import check_values, filled_in
from .errors import Invalid, Problem, invalid, not_found, unprocessable
from .fields import (
    OMIT,
    Check,
    Field,
    attachments,
    clean,
    filled,
    lenient_flag,
    list_of,
    one_of,
    option,
    reference,
    text,
)
from .fields import title as title_field
from .parameters import check_parameters, check_params
from .steps import check_steps, convert, shared_hashes
from .store import Doc

OPTIONS = ("severity", "priority", "type", "behavior", "layer", "is_flaky", "status")
BIGGEST_ID = 2**31 - 1


def _raw(ctx: Context, project: str, value: Any, path: str) -> Any:
    """Steps are checked once it is known whether the case is gherkin."""
    return value


def _place(kind: str, label: str, switch: str) -> Check:
    """suite_id and milestone_id: whether PATCH can clear them is unknown (section 14, question 1)."""
    check = reference(kind, label)

    def on_patch(ctx: Context, project: str, value: Any, path: str) -> Any:
        if value is not None:
            return check(ctx, project, value, path)
        if ctx.settings[switch] == "reject":
            raise invalid(path, f"The {path} must be an integer.")
        return OMIT if ctx.settings[switch] == "ignore" else None

    return on_patch


def _moment(ctx: Context, project: str, value: Any, path: str) -> Any:
    if value is None:
        return OMIT
    try:
        return parse_time(value)
    except (TypeError, ValueError, OverflowError, AttributeError):
        raise invalid(path, f"The {path} is not a valid date.") from None


def _tag(ctx: Context, project: str, value: Any, path: str) -> Doc:
    """A tag of the workspace, made on first use (section 7.8)."""
    title = filled(255)(ctx, project, value, path)
    key = title.casefold() if ctx.settings["tag_case"] == "insensitive" else title
    place = ("tag", key)
    if place not in ctx.memo:
        known = ctx.store.find("tag", "", key)
        if known is None:
            known = {"id": ctx.store.next("", "tag"), "title": title}
            ctx.store.put("tag", "", known, key=key)
        ctx.memo[place] = {"title": known["title"], "internal_id": known["id"]}
    return dict(ctx.memo[place])


def _tags(ctx: Context, project: str, value: Any, path: str) -> list[Doc]:
    found = [] if value is None else list_of(_tag)(ctx, project, value, path)
    return list({tag["internal_id"]: tag for tag in found}.values())


FIELDS: tuple[Field, ...] = (
    Field("title", title_field, required=True),
    *(Field(name, text()) for name in ("description", "preconditions", "postconditions")),
    *(Field(name, option(name)) for name in OPTIONS),
    Field("automation", option("automation")),
    Field("isManual", lenient_flag),
    Field("isToBeAutomated", lenient_flag),
    Field("suite_id", reference("suite", "Suite"), nullable=True, patch=False),
    Field("suite_id", _place("suite", "Suite", "case_suite_null"), create=False),
    Field("milestone_id", reference("milestone", "Milestone"), nullable=True, patch=False),
    Field("milestone_id", _place("milestone", "Milestone", "case_milestone_null"), create=False),
    Field("steps_type", one_of("classic", "gherkin")),
    Field("steps", _raw),
    Field("attachments", attachments),
    Field("tags", _tags),
    Field("params", check_params),
    Field("parameters", check_parameters),
    Field("custom_field", check_values),
    Field("created_at", _moment, patch=False),
    Field("updated_at", _moment, patch=False),
    Field("author_id", _raw),  # undocumented, sent by official tools, of no effect
)

BLANK: Doc = {
    "description": None,
    "preconditions": None,
    "postconditions": None,
    "automation": 0,
    "suite_id": None,
    "milestone_id": None,
    "steps_type": "classic",
    "steps": [],
    "attachments": [],
    "tags": [],
    "parameters": [],
    "custom": {},
    "author_id": 1,
}


def prepare_case(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    """From checked fields to the stored document; what depends on several fields is decided here."""
    values = dict(values)
    values.pop("author_id", None)
    if old is None:
        values = {**BLANK, **{name: ctx.default_option(name) for name in OPTIONS}, **values, "author_id": 1}
    elif ctx.settings["empty_array_patch"] == "ignore":
        arrays = ("steps", "tags", "attachments", "params", "parameters")
        values = {key: value for key, value in values.items() if not (key in arrays and value == [])}
    for new, name in (("created_at", "created"), ("updated_at", "updated")):
        if new in values:
            values[name] = values.pop(new)
    sent = values.pop("custom_field", {})
    values["custom"] = filled_in(ctx, project, sent) if old is None else {**old["custom"], **sent}
    _choose_parameters(ctx, values)
    automation = _automation(values, old)
    doc = crud.merge(ctx, project, values, old)
    doc["automation"] = automation
    doc["steps"] = _steps(ctx, project, values, doc, old)
    return doc


def _steps(ctx: Context, project: str, values: Doc, doc: Doc, old: Doc | None) -> list[Doc]:
    if "steps" in values:
        return check_steps(ctx, project, values["steps"], "steps", doc["steps_type"])
    stored: list[Doc] = (old or doc)["steps"]
    changed = old is not None and old["steps_type"] != doc["steps_type"]
    if changed and ctx.settings["steps_type_only"] == "convert":
        return convert(stored, doc["steps_type"], ctx)
    return stored


def _choose_parameters(ctx: Context, values: Doc) -> None:
    """Both forms at once: nobody knows which wins (section 14, question 9)."""
    if "params" not in values:
        return
    params, winner = values.pop("params"), ctx.settings["params_and_parameters"]
    both = bool(values.get("parameters")) and bool(params)
    if both and winner == "reject":
        raise invalid("params", "The params field is prohibited when parameters is present.")
    if not values.get("parameters") or (both and winner == "params"):
        values["parameters"] = params


def _automation(values: Doc, old: Doc | None) -> int:
    """isManual and isToBeAutomated win over ``automation``; all three read consistently (section 7.2)."""
    manual, planned = values.pop("isManual", None), values.pop("isToBeAutomated", None)
    current = int({**BLANK, **(old or {}), **values}["automation"])
    if manual is None and planned is None:
        return current
    manual = current != 2 if manual is None else manual
    planned = current == 1 if planned is None else planned
    return (1 if planned else 0) if manual else 2


def save_case(ctx: Context, project: str, doc: Doc) -> None:
    crud.save(ctx, CASE, project, doc)
    ctx.store.set_uses(project, doc["id"], shared_hashes(doc["steps"]))


def create_case(ctx: Context, project: str, body: Mapping[str, Any]) -> Doc:
    doc = crud.create(ctx, CASE, project, body)
    _note_uses(ctx, project, doc)
    return doc


def _note_uses(ctx: Context, project: str, doc: Doc) -> None:
    hashes = shared_hashes(doc["steps"])
    if hashes:
        ctx.store.set_uses(project, doc["id"], hashes)


def update_case(ctx: Context, project: str, id: str, body: Mapping[str, Any]) -> Doc:
    doc = crud.update(ctx, CASE, project, id, body)
    if "steps" in body or "steps_type" in body:
        ctx.store.set_uses(project, doc["id"], shared_hashes(doc["steps"]))
    return doc


# -- bulk ------------------------------------------------------------------------------------------------

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
    _note_uses(ctx, project, doc)
    return int(doc["id"])


# -- the trash -------------------------------------------------------------------------------------------


def trash(ctx: Context, project: str, docs: Iterable[Doc]) -> None:
    """Deleted cases can be restored by hand, at the root (section 13.6); plans forget them (16.9)."""
    gone = set()
    for doc in docs:
        gone.add(doc["id"])
        ctx.store.delete("case", project, doc["id"])
        ctx.store.put("case_trash", project, {**doc, "suite_id": None})
        ctx.store.set_uses(project, doc["id"], set())
    for plan in ctx.store.select("plan", project) if gone else []:
        kept = [row for row in plan["cases"] if row["case_id"] not in gone]
        if len(kept) < len(plan["cases"]):
            ctx.store.put("plan", project, {**plan, "cases": kept})


def restore(ctx: Context, project: str, id: int) -> Doc:
    doc = ctx.store.get("case_trash", project, id)
    if doc is None:
        raise not_found("Test case")
    ctx.store.delete("case_trash", project, id)
    save_case(ctx, project, doc)
    return doc


def _remove(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    trash(ctx, project, [doc])


CASE = Kind(
    name="case",
    label="Test case",
    fields=FIELDS,
    render=render_case,
    parent="suite_id",
    prepare=prepare_case,
    narrow=narrow_cases,
    remove=_remove,
)
