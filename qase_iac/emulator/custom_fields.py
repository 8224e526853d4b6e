"""Custom fields: their definitions (section 11.2) and their values on cases (section 7.7)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from . import crud
from .context import Context, parse_time, stamps
from .crud import Kind, Predicate, Query
from .errors import Invalid, Problem, invalid
from .fields import OMIT, Field, filled, flag, is_id, list_of, one_of, table, text, title, whole
from .store import Doc

ENTITIES = ("case", "run", "defect")
TYPES = ("number", "string", "text", "selectbox", "checkbox", "radio", "multiselect", "url", "user", "datetime")
WITH_OPTIONS = {TYPES.index(name) for name in ("selectbox", "radio", "multiselect")}
FLAGS = ("is_filterable", "is_visible", "is_required", "is_enabled_for_all_projects")

# -- definitions -----------------------------------------------------------------------------------------

_OPTION = (Field("id", whole, nullable=True), Field("title", filled(255), required=True))

BLANK: Doc = {
    "value": None,
    "placeholder": None,
    "default_value": None,
    "projects_codes": [],
    **dict.fromkeys(FLAGS, False),
}


def prepare(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    """PATCH replaces the record: what is not sent falls back to its default (section 11.2)."""
    replaced = values.pop("replace_values", None) or {}
    kept = {key: old[key] for key in ("id", "entity", "type", "created")} if old else {}
    doc = {**BLANK, **kept, **values}
    if doc["type"] in WITH_OPTIONS:
        if not doc["value"]:
            raise invalid("value", "The value field is required.")
        doc["value"] = _numbered(doc["value"], (old or {}).get("value") or [])
    else:
        doc["value"] = None
    doc["projects_codes"] = [_known_code(ctx, code) for code in doc["projects_codes"]]
    if old is not None and replaced:
        _replace(ctx, old["id"], {str(key): str(value) for key, value in replaced.items()})
    return doc


def _known_code(ctx: Context, code: str) -> str:
    found = ctx.store.find("project", "", code.upper())
    if found is None:
        raise invalid("projects_codes", f"The project {code} is not found.")
    return str(found["code"])


def _numbered(options: list[Doc], before: list[Doc]) -> list[Doc]:
    """Options keep the ids that were sent; one without gets a new id, and values of the old one are orphans."""
    used = {option["id"] for option in [*options, *before] if option.get("id")}
    out = []
    for option in options:
        id = option.get("id") or max(used, default=0) + 1
        used.add(id)
        out.append({"id": id, "title": option["title"]})
    return out


def _rewrite(ctx: Context, id: int, change: Callable[[str], str | None]) -> None:
    """Change or drop (None) the stored values of one field in all cases of the workspace."""
    key = str(id)
    for code in ctx.store.projects():
        for case in ctx.store.select("case", code):
            if key not in case["custom"]:
                continue
            value = change(case["custom"].pop(key))
            if value is not None:
                case["custom"][key] = value
            ctx.store.put("case", code, case, parent=case["suite_id"])


def _replace(ctx: Context, id: int, replaced: Mapping[str, str]) -> None:
    _rewrite(ctx, id, lambda value: ",".join(replaced.get(part, part) for part in value.split(",")))


def remove(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    _rewrite(ctx, doc["id"], lambda value: None)


def render(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    """``entity`` and ``type`` are words and ``value`` is JSON inside a string: so the service reads."""
    type_ = TYPES[doc["type"]]
    names = ("placeholder", "default_value", "projects_codes", *FLAGS)
    return {
        "id": doc["id"],
        "title": doc["title"],
        "entity": ENTITIES[doc["entity"]],
        "type": type_.capitalize() if ctx.seed else type_,
        "value": None if doc["value"] is None else json.dumps(doc["value"], ensure_ascii=False),
        **{name: doc[name] for name in names},
        **stamps(ctx, doc),
    }


def narrow(ctx: Context, project: str, query: Query) -> tuple[None, list[Predicate]]:
    entity, type_ = crud.first(query, "entity"), crud.first(query, "type")
    tests: list[Predicate] = []
    if entity:
        tests.append(lambda doc: ENTITIES[doc["entity"]] == entity)
    if type_:
        tests.append(lambda doc: TYPES[doc["type"]] == type_)
    return None, tests


def _mapping(ctx: Context, project: str, value: Any, path: str) -> Doc:
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    return value


CUSTOM_FIELD = Kind(
    name="custom_field",
    label="Custom field",
    fields=(
        Field("title", title, required=True, required_on_patch=True),
        Field("entity", one_of(0, 1, 2), required=True, patch=False),
        Field("type", one_of(*range(10)), required=True, patch=False),
        Field("value", list_of(table(_OPTION)), nullable=True),
        Field("replace_values", _mapping, nullable=True, create=False),
        Field("placeholder", text(255), nullable=True),
        Field("default_value", text(255), nullable=True),
        *(Field(name, flag) for name in FLAGS),
        Field("projects_codes", list_of(filled(10))),
    ),
    workspace=True,
    prepare=prepare,
    render=render,
    narrow=narrow,
    remove=remove,
)

# -- values on a case ------------------------------------------------------------------------------------


def check_values(ctx: Context, project: str, value: Any, path: str) -> Doc:
    """``{"3": "text"}``; "" clears. Unknown fields and ones of other projects are refused (section 7.7)."""
    if value is None or value == []:  # an empty object, as PHP sends it
        return {}
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    known = ctx.custom_fields(project)
    problems: list[Problem] = []
    out: Doc = {}
    for key, one in value.items():
        where = f"{path}.{key}"
        doc = known.get(int(key)) if is_id(key) else None
        if doc is None:
            problems.append((where, f"The {where} is not found in the project."))
            continue
        try:
            checked = _value(ctx, project, doc, one, where)
        except Invalid as error:
            problems += error.problems
        else:
            if checked is not OMIT:
                out[str(doc["id"])] = checked
    if problems:
        raise Invalid(problems)
    return out


def _value(ctx: Context, project: str, doc: Doc, value: Any, where: str) -> Any:
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise invalid(where, f"The {where} must be a string.")
    type_ = TYPES[doc["type"]]
    if type_ == "checkbox":
        # "false" and the like are dropped without a word: seen by the official MCP server.
        value = value if value in ("1", "") else OMIT
    elif value:
        problem = _problem(ctx, doc, type_, value)
        if problem:
            raise invalid(where, f"The {where} {problem}")
        value = ctx.text(value) or ""
    if value == "" and doc["is_required"]:
        raise invalid(where, f"The {where} field is required.")
    return value


def _problem(ctx: Context, doc: Doc, type_: str, value: str) -> str | None:
    """What is wrong with a value of a type, or None."""
    options = {str(option["id"]) for option in doc["value"] or []}
    match type_:
        case "number":
            return None if _parses(float, value) else "must be a number"
        case "selectbox" | "radio":
            return None if value in options else "is not one of its options."
        case "multiselect":
            return None if set(value.split(",")) <= options else "is not among its options."
        case "url":
            parts = urlsplit(value)
            return None if parts.scheme in ("http", "https", "ftp") and parts.netloc else "format is invalid."
        case "datetime":
            return None if _parses(parse_time, value) else "is not a valid date."
        case "user":
            known = is_id(value) and ctx.store.exists("user", "", int(value))
            return None if known else "is not a member."
        case _:
            return None


def _parses(parser: Callable[[str], object], value: str) -> bool:
    try:
        parser(value)
    except (ValueError, OverflowError):
        return False
    return True


def filled_in(ctx: Context, project: str, values: Doc) -> Doc:
    """The values of a new case: defaults where nothing was sent, and a complaint where something must be."""
    problems: list[Problem] = []
    out = dict(values)
    for id, doc in ctx.custom_fields(project).items():
        if str(id) in out:
            continue
        if doc["default_value"]:
            out[str(id)] = doc["default_value"]
        elif doc["is_required"]:
            problems.append((f"custom_field.{id}", f"The custom_field.{id} field is required."))
    if problems:
        raise Invalid(problems)
    return out


def render_values(ctx: Context, project: str, values: Mapping[str, str]) -> list[Doc]:
    """A list; a multiselect is several entries of one id, each one option (quirk: TestIT's exporter)."""
    known = ctx.custom_fields(project)
    out: list[Doc] = []
    for key, value in values.items():
        doc = known.get(int(key))
        if doc is None or value == "":
            continue
        repeated = TYPES[doc["type"]] == "multiselect" and ctx.settings["multiselect_read"] == "repeated"
        out += [{"id": doc["id"], "value": part} for part in (value.split(",") if repeated else [value])]
    return out
