"""What belongs to the workspace or is small: projects, members, system fields, configurations."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from . import crud
from .context import Context
from .crud import Kind, Predicate, Query
from .errors import invalid
from .fields import Field, filled, list_of, one_of, reference, text, title
from .store import Doc

# -- projects (section 5) --------------------------------------------------------------------------------


def _code(ctx: Context, project: str, value: Any, path: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[a-zA-Z]{2,10}", value):
        raise invalid(path, f"The {path} format is invalid.")
    return value.upper() if ctx.settings["code_case"] == "upper" else value


def _object(ctx: Context, project: str, value: Any, path: str) -> Any:
    if not isinstance(value, dict) and value != []:
        raise invalid(path, f"The {path} must be an object.")
    return value


def prepare_project(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    doc = crud.merge(ctx, project, values, old)
    doc["key"] = doc["code"].upper()
    if old is None and ctx.store.find("project", "", doc["key"]):
        raise invalid("project", "Project with the same code already exists.")
    if old is None and ctx.settings["code_reuse"] == "off" and ctx.store.meta("deleted " + doc["key"]):
        raise invalid("project", "Project with the same code already exists.")
    if doc["access"] == "group" and not doc.get("group"):
        raise invalid("group", "The group field is required when access is group.")
    return doc


def render_project(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    """Description, access and settings are never shown again (section 5)."""
    count = ctx.store.count
    counts = {name + "s": count(name, doc["code"]) for name in ("case", "suite", "milestone")}
    runs = {"total": 0, "active": 0}
    return {"title": doc["title"], "code": doc["code"],
            "counts": {**counts, "runs": runs, "defects": {"total": 0, "open": 0}}}  # fmt: skip


def remove_project(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    ctx.store.purge(doc["code"])
    ctx.store.set_meta("deleted " + doc["key"], "1")


PROJECT = Kind(
    name="project",
    label="Project",
    fields=(
        Field("title", title, required=True),
        Field("code", _code, required=True),
        Field("description", text()),
        Field("access", one_of("all", "group", "none")),
        Field("group", text()),
        Field("settings", _object, nullable=True),
        Field("members", list_of(reference("user", "User", workspace=True))),
    ),
    blank={"access": "all"},
    key="key",
    workspace=True,
    prepare=prepare_project,
    render=render_project,
    narrow=lambda ctx, project, query: (None, []),
    remove=remove_project,
)

MEMBER = (Field("member_id", reference("user", "User", workspace=True), required=True),)

# -- members and authors (section 12.2) ------------------------------------------------------------------


def render_user(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    return {key: doc[key] for key in ("id", "name", "email", "title", "status")}


USER = Kind(
    name="user",
    label="User",
    fields=(),
    workspace=True,
    render=render_user,
    narrow=lambda ctx, project, query: (None, []),
)


def author_uuid(ctx: Context, doc: Doc) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ctx.store.meta('salt')}/{doc['id']}"))


def render_author(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    return {
        "id": doc["id"],
        "uuid": author_uuid(ctx, doc),
        "author_id": doc["id"],
        "entity_type": "user",
        "entity_id": doc["id"],
        "email": doc["email"],
        "name": doc["name"],
        "is_active": True,
    }


def narrow_authors(ctx: Context, project: str, query: Query) -> tuple[None, list[Predicate]]:
    wanted, type_ = crud.first(query, "search"), crud.first(query, "type")
    tests: list[Predicate] = []
    if wanted:
        tests.append(lambda doc: str(wanted).casefold() in f"{doc['name']} {doc['email']}".casefold())
    if type_:
        tests.append(lambda doc: type_ == "user")
    return None, tests


# Authors are the members in another dress: the same rows of storage.
AUTHOR = Kind(name="user", label="Author", fields=(), workspace=True, render=render_author, narrow=narrow_authors)

# -- system fields (section 11.1) ------------------------------------------------------------------------

_STOCK = {
    "severity": "undefined:Not set|blocker|critical|major|normal|minor|trivial",
    "priority": "undefined:Not set|high|medium|low",
    "type": "1|other|smoke|regression|security|usability|performance|acceptance|functional|compatibility"
    "|integration|exploratory",
    "behavior": "1|undefined:Not set|positive|negative|destructive",
    "automation": "is-not-automated:Manual|to-be-automated:To be automated|automated",
    "isManual": "is-manual:Manual|automated",
    "status": "actual:Active|draft|deprecated",
    "layer": "unknown|e2e:E2E|api:API|unit",
    "is_flaky": "no|yes",
    "result_status": "untested|passed|failed|blocked|retest|skipped|deleted|in_progress:In progress|invalid",
}
_TITLES = {
    "automation": "Automation status (deprecated)",
    "isManual": "Automation status",
    "isToBeAutomated": "To be automated",
}
DICTIONARY, CHECKBOX = 3, 4


def stock_options(slug: str) -> list[Doc]:
    """The option lists of a fresh workspace (section 7.11); ids start at 0 unless a number leads the list."""
    words = _STOCK[slug].split("|")
    start = int(words.pop(0)) if words[0].isdigit() else 0
    pairs = [word.partition(":")[::2] for word in words]
    return [{"id": start + index, "slug": word, "title": name or word.capitalize()}
            for index, (word, name) in enumerate(pairs)]  # fmt: skip


def system_fields(seeded: Mapping[str, list[Doc]]) -> list[Doc]:
    """All system fields, with the option lists of the seed in place of the stock ones."""
    out = []
    for slug in (*_STOCK, "isToBeAutomated"):
        options = seeded.get(slug) or (stock_options(slug) if slug in _STOCK else None)
        if options is not None:
            chosen = next((index for index, one in enumerate(options) if one.get("default")), 0)
            options = [_option(one, index == chosen) for index, one in enumerate(options)]
        out.append(_system_field(slug, options))
    return out


def _option(one: Doc, default: bool) -> Doc:
    names = {key: one[key] for key in ("id", "title", "slug")}
    return {**names, "color": None, "icon": None, "is_default": default, "read_only": False}


def _system_field(slug: str, options: list[Doc] | None) -> Doc:
    kind = CHECKBOX if options is None else DICTIONARY
    default = next((str(one["id"]) for one in options or [] if one["is_default"]), None)
    return {
        "title": _TITLES.get(slug, slug.replace("_", " ").capitalize()),
        "slug": slug,
        "default_value": default,
        "is_required": slug not in ("isManual", "isToBeAutomated", "automation"),
        "entity": 3 if slug == "result_status" else 0,
        "type": kind,
        "input_type": kind,  # the key that the live service uses where the spec says ``type``
        "options": options,
    }


def render_system_fields(ctx: Context) -> list[Doc]:
    return [{key: value for key, value in doc.items() if key != "id"} for doc in ctx.store.select("system_field", "")]


# -- configurations (section 11.5) -----------------------------------------------------------------------

GROUP = Kind(
    name="configuration_group",
    label="Configuration group",
    fields=(Field("title", title, required=True),),
    render=lambda ctx, project, doc, single: {
        **{key: doc[key] for key in ("id", "title")},
        "configurations": [
            {"id": one["id"], "title": one["title"]}
            for one in ctx.store.select("configuration", project)
            if one["group_id"] == doc["id"]
        ],
    },
)

CONFIGURATION = Kind(
    name="configuration",
    label="Configuration",
    fields=(
        Field("title", filled(255), required=True),
        Field("group_id", reference("configuration_group", "Configuration group"), required=True),
    ),
    render=lambda ctx, project, doc, single: doc,
)


def all_groups(ctx: Context, project: str) -> list[Doc]:
    """This list knows no paging."""
    return [GROUP.render(ctx, project, doc, False) for doc in ctx.store.select(GROUP.name, project)]
