"""Test cases: what they accept, how they are stored, the trash (section 7)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import crud
from .case_read import narrow_cases, render_case
from .context import Context, parse_time
from .crud import Kind
from .custom_fields import check_values, filled_in
from .errors import invalid, not_found
from .fields import (
    OMIT,
    Check,
    Field,
    attachments,
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
        seconds = parse_time(value)
    except (TypeError, ValueError, OverflowError, AttributeError):
        seconds = -1
    if not 0 <= seconds < 2**37:
        raise invalid(path, f"The {path} is not a valid date.")
    return seconds


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
    note_uses(ctx, project, doc)
    return doc


def note_uses(ctx: Context, project: str, doc: Doc) -> None:
    hashes = shared_hashes(doc["steps"])
    if hashes:
        ctx.store.set_uses(project, doc["id"], hashes)


def update_case(ctx: Context, project: str, id: str, body: Mapping[str, Any]) -> Doc:
    doc = crud.update(ctx, CASE, project, id, body)
    if "steps" in body or "steps_type" in body:
        ctx.store.set_uses(project, doc["id"], shared_hashes(doc["steps"]))
    return doc


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
