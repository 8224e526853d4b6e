"""How a case reads, and how a list of cases is narrowed (sections 7.1, 7.2 and 13.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import crud
from .attachments import render_reference
from .context import Context, stamps
from .crud import Predicate, Query
from .custom_fields import render_values
from .errors import ApiError
from .fields import is_id
from .parameters import render_parameters, render_params
from .steps import render_steps
from .store import Doc

ENUMS = ("severity", "priority", "type", "layer", "is_flaky", "behavior", "automation", "status")
OLD_ENUMS = ("severity", "priority", "type", "behavior")
OLD_WORDS = {"blocker": "blocked"}  # the word of 2020 for today's slug
AUTOMATED, DEPRECATED = 2, 2


def render_case(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    """The full entity: lists hold the same as a single GET (section 7.3)."""
    out = {key: doc[key] for key in ("id", "position", "title", "description", "preconditions", "postconditions")}
    out |= {name: _enum(ctx, name, doc[name], single) for name in ENUMS}
    number: Callable[[bool], bool | int] = int if ctx.settings["is_manual_type"] == "int" else bool
    out |= {
        "isManual": number(doc["automation"] != AUTOMATED),
        "isToBeAutomated": number(doc["automation"] == 1),
        "milestone_id": doc["milestone_id"],
        "suite_id": doc["suite_id"],
        "custom_fields": render_values(ctx, project, doc["custom"]),
        "attachments": [render_reference(ctx, hash) for hash in doc["attachments"]],
        "steps_type": doc["steps_type"],
        "steps": render_steps(ctx, project, doc["steps"]),
        "params": render_params(ctx, doc["parameters"]),
        "parameters": render_parameters(ctx, doc["parameters"]),
        "tags": doc["tags"],
        "member_id": doc["author_id"],
        "author_id": doc["author_id"],
        **stamps(ctx, doc, case=True),
    }
    if not ctx.seed:
        return {**out, "deleted": None}
    automated, deprecated = doc["automation"] == AUTOMATED, doc["status"] == DEPRECATED
    return {**out, "is_automated": automated, "is_deprecated": deprecated, "links": [], "revision": 1}


def _enum(ctx: Context, name: str, id: int, single: bool) -> Any:
    """Numbers; in the old dialect numbers in lists, and words in a single GET (section 7.2)."""
    style = ctx.settings["enum_style"]
    if ctx.seed and single and name in OLD_ENUMS:
        slug = _slug(ctx, name, id)
        return OLD_WORDS.get(slug, slug)
    if style == "slug":
        return _slug(ctx, name, id)
    return str(id) if style == "string_ids" else id


def _slug(ctx: Context, name: str, id: int) -> str:
    return next((option["slug"] for option in ctx.options(name) if option["id"] == id), str(id))


# -- filters ---------------------------------------------------------------------------------------------


def narrow_cases(ctx: Context, project: str, query: Query) -> tuple[list[int] | None, list[Predicate]]:
    """Enum filters take slugs, joined by commas, where bodies take numbers (section 7.1)."""
    if any(name.startswith("external_issues[") for name in query):
        raise ApiError(402, "Your plan does not include this feature.")
    tests = crud.search(ctx, query)
    milestone = crud.filter_value(ctx, query, "milestone_id")
    if milestone:
        tests.append(lambda doc: str(doc["milestone_id"]) == milestone)
    for name in (*OLD_ENUMS, "automation", "status"):
        wanted = crud.filter_value(ctx, query, name)
        if wanted:
            tests.append(_has_slug(ctx, name, set(wanted.split(","))))
    if ctx.seed:
        for name, key, value in (("is_automated", "automation", AUTOMATED), ("is_deprecated", "status", DEPRECATED)):
            flag = crud.filter_value(ctx, query, name)
            if flag is not None:
                tests.append(_equals(key, value, flag.lower() in ("1", "true")))
    return _suites(ctx, project, query), tests


def _has_slug(ctx: Context, name: str, slugs: set[str]) -> Predicate:
    slugs = slugs | {today for today, old in OLD_WORDS.items() if ctx.seed and old in slugs}
    ids = {option["id"] for option in ctx.options(name) if option["slug"] in slugs}
    return lambda doc: doc[name] in ids


def _equals(key: str, value: int, wanted: bool) -> Predicate:
    return lambda doc: (doc[key] == value) is wanted


def _suites(ctx: Context, project: str, query: Query) -> list[int] | None:
    """Direct children only, as far as anybody has seen (section 14, question 14)."""
    from .simple_kinds import subtree

    wanted = crud.filter_value(ctx, query, "suite_id")
    if not wanted:
        return None
    suite = int(wanted) if is_id(wanted) else -1
    return subtree(ctx, project, suite) if ctx.settings.on("suite_filter_recurses") else [suite]
