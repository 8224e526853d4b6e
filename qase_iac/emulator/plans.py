"""Test plans (section 10)."""

from __future__ import annotations

from typing import Any

from . import crud
from .context import Context, stamps
from .crud import Kind, Predicate, Query
from .errors import invalid
from .fields import OMIT, Field, list_of, reference, text, title
from .store import Doc


def _cases(ctx: Context, project: str, value: Any, path: str) -> list[int]:
    found = list_of(reference("case", "Test case"))(ctx, project, value, path)
    return list(dict.fromkeys(found))


def _new_cases(ctx: Context, project: str, value: Any, path: str) -> list[int]:
    found = _cases(ctx, project, value, path)
    if not value:
        raise invalid(path, f"The {path} field is required.")
    return found


def _patched_cases(ctx: Context, project: str, value: Any, path: str) -> Any:
    found = _cases(ctx, project, value, path)
    return OMIT if value == [] and ctx.settings["empty_array_patch"] == "ignore" else found


def prepare(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    """A list of cases replaces the old one. Assignees come from the UI alone; whether they survive is unknown."""
    if "cases" in values:
        kept: dict[int, int | None] = {}
        if old is not None and ctx.settings["plan_patch_assignees"] == "keep":
            kept = {row["case_id"]: row["assignee_id"] for row in old["cases"]}
        values = {**values, "cases": [{"case_id": id, "assignee_id": kept.get(id)} for id in values["cases"]]}
    return crud.merge(ctx, project, values, old)


def render(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    """Members only in a single GET (quirk 17)."""
    out = {key: doc[key] for key in ("id", "title", "description")}
    out |= {"cases_count": len(doc["cases"]), **stamps(ctx, doc)}
    if single:
        out |= {"average_time": 0, "cases": _ordered(ctx, doc["cases"])}
    return out


def _ordered(ctx: Context, rows: list[Doc]) -> list[Doc]:
    match ctx.settings["plan_case_order"]:
        case "id":
            return sorted(rows, key=lambda row: int(row["case_id"]))
        case "reverse":
            return rows[::-1]
        case _:
            return rows


def narrow(ctx: Context, project: str, query: Query) -> tuple[None, list[Predicate]]:
    """No filter but the one of the old sample URL."""
    return None, crud.search(ctx, query) if ctx.seed else []


PLAN = Kind(
    name="plan",
    label="Test plan",
    fields=(
        Field("title", title, required=True),
        Field("description", text()),
        Field("cases", _new_cases, required=True, patch=False),
        Field("cases", _patched_cases, create=False),
    ),
    blank={"description": None},
    prepare=prepare,
    render=render,
    narrow=narrow,
)
