"""Suites, milestones, environments: the kinds that are little more than their tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import crud
from .context import Context, iso, stamps
from .crud import Kind, Predicate, Query
from .errors import invalid, unprocessable
from .fields import OMIT, Field, filled, one_of, reference, text, title, whole
from .store import Doc

# -- suites (section 6) ----------------------------------------------------------------------------------


def prepare_suite(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    doc = crud.merge(ctx, project, values, old)
    if old is not None and doc["parent_id"] in subtree(ctx, project, old["id"]):
        raise invalid("parent_id", "A suite can not be moved into itself or into its own sub-suite.")
    return doc


def subtree(ctx: Context, project: str, root: int) -> list[int]:
    """The suite and everything below it, parents first."""
    children: dict[int | None, list[int]] = {}
    for id, parent in ctx.store.parents("suite", project).items():
        children.setdefault(parent, []).append(id)
    found = [root]
    for id in found:
        found += children.get(id, [])
    return found


def render_suite(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    out = {key: doc[key] for key in ("id", "title", "description", "preconditions", "position")}
    if not ctx.seed:
        out["cases_count"] = cases_count(ctx, project, doc["id"])
    return {**out, "parent_id": doc["parent_id"], **stamps(ctx, doc)}


def cases_count(ctx: Context, project: str, suite: int) -> int:
    if "cases by suite" not in ctx.memo:
        ctx.memo["cases by suite"] = ctx.store.count_by_parent("case", project)
    counts = ctx.memo["cases by suite"]
    if ctx.settings["suite_cases_count"] == "direct":
        return int(counts.get(suite, 0))
    if "suites above" not in ctx.memo:
        ctx.memo["suites above"] = ctx.store.parents("suite", project)
    above = ctx.memo["suites above"]
    return sum(number for id, number in counts.items() if _is_below(above, id, suite))


def _is_below(above: Mapping[int, int | None], suite: int | None, top: int) -> bool:
    while suite is not None and suite != top:
        suite = above.get(suite)
    return suite == top


def remove_suite(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    """The whole tree goes, its cases to the trash; only destination_id rescues cases (section 6)."""
    from .cases import CASE, trash

    suites, destination = subtree(ctx, project, doc["id"]), wishes.get("destination_id")
    if destination in suites:
        raise unprocessable([("destination_id", "The destination is part of the suite to delete.")])
    everything = ctx.settings["suite_destination_descendants"] == "move"
    rescued = set(suites if everything else suites[:1]) if destination is not None else set()
    cases = ctx.store.select("case", project, parents=suites)
    for case in cases:
        if case["suite_id"] in rescued:
            position = crud.next_position(ctx, CASE, project, destination)
            crud.save(ctx, CASE, project, {**case, "suite_id": destination, "position": position})
    trash(ctx, project, [case for case in cases if case["suite_id"] not in rescued])
    for id in suites:
        ctx.store.delete("suite", project, id)


SUITE = Kind(
    name="suite",
    label="Suite",
    fields=(
        Field("title", title, required=True),
        Field("description", text()),
        Field("preconditions", text()),
        Field("parent_id", reference("suite", "Suite"), nullable=True),
    ),
    blank={"description": None, "preconditions": None, "parent_id": None},
    parent="parent_id",
    prepare=prepare_suite,
    render=render_suite,
    remove=remove_suite,
    removal=(Field("destination_id", reference("suite", "Suite"), nullable=True),),
)

# -- milestones (section 9) ------------------------------------------------------------------------------


def _due_date(ctx: Context, project: str, value: Any, path: str) -> int | None:
    seconds = None if value is None else whole(ctx, project, value, path)
    if seconds is not None and not -(2**33) < seconds < 2**37:
        raise invalid(path, f"The {path} is not a valid date.")
    return seconds


def _due_date_patch(ctx: Context, project: str, value: Any, path: str) -> Any:
    """PATCH does not declare due_date; nobody knows what it does (section 14, question 2)."""
    habit = ctx.settings["milestone_due_date_patch"]
    if habit == "reject":
        raise invalid(path, f"The {path} field is prohibited.")
    seconds = _due_date(ctx, project, value, path)
    return OMIT if habit == "ignore" else seconds


def render_milestone(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    due = doc["due_date"]
    return {
        **{key: doc[key] for key in ("id", "title", "description", "status")},
        "due_date": None if due is None else iso(due, str(ctx.settings["due_date_offset"])),
        **stamps(ctx, doc),
    }


def remove_milestone(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    """Cases stay and lose the reference (section 9)."""
    from .cases import CASE

    for case in ctx.store.select("case", project):
        if case["milestone_id"] == doc["id"]:
            crud.save(ctx, CASE, project, {**case, "milestone_id": None})


MILESTONE = Kind(
    name="milestone",
    label="Milestone",
    fields=(
        Field("title", title, required=True),
        Field("description", text()),
        Field("status", one_of("active", "completed")),
        Field("due_date", _due_date, patch=False),
        Field("due_date", _due_date_patch, create=False),
    ),
    blank={"description": None, "status": "active", "due_date": None},
    render=render_milestone,
    remove=remove_milestone,
)

# -- environments (section 11.4) -------------------------------------------------------------------------


def prepare_environment(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    doc = crud.merge(ctx, project, values, old)
    for other in ctx.store.select("environment", project):
        if other["slug"] == doc["slug"] and other["id"] != doc.get("id"):
            raise invalid("slug", "Environment with the same slug already exists.")
    return doc


def render_environment(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    return {key: doc[key] for key in ("id", "title", "description", "slug", "host")}


def narrow_environments(ctx: Context, project: str, query: Query) -> tuple[list[int] | None, list[Predicate]]:
    slug = crud.first(query, "slug")
    tests = crud.search(ctx, query)
    return None, [*tests, lambda doc: doc["slug"] == slug] if slug else tests


ENVIRONMENT = Kind(
    name="environment",
    label="Environment",
    fields=(
        Field("title", title, required=True),
        Field("slug", filled(255), required=True),
        Field("description", text()),
        Field("host", text()),
    ),
    blank={"description": None, "host": None},
    prepare=prepare_environment,
    render=render_environment,
    narrow=narrow_environments,
)
