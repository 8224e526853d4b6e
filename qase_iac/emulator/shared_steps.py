"""Shared steps (section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import crud, steps
from .context import Context, stamps
from .crud import Kind
from .errors import invalid
from .fields import Field, filled, list_of, text, title
from .store import Doc


def prepare(ctx: Context, project: str, values: Doc, old: Doc | None) -> Doc:
    """``steps`` win over the deprecated top-level step, where both are sent."""
    sent = "steps" in values
    if old is not None and sent and not values["steps"] and ctx.settings["empty_array_patch"] == "ignore":
        del values["steps"]
    doc = {"steps": [], **crud.merge(ctx, project, values, old)}
    if sent:
        doc["steps sent"] = True
    steps.top_level(ctx, project, doc, old)
    doc.pop("steps sent", None)
    if old is None:
        doc["hash"] = ctx.new_hash()
    if not doc["steps"]:
        raise invalid("steps", steps.ACTION_REQUIRED)
    return doc


def render(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    content = steps.render_content(ctx, doc["steps"])
    users = ctx.store.users_of(project, doc["hash"])
    first = content[0]
    return {
        "hash": doc["hash"],
        "title": doc["title"],
        "action": first["action"],
        "expected_result": first["expected_result"],
        "steps": content,
        "data": first["data"],
        "cases": users,
        "cases_count": len(users),
        **stamps(ctx, doc),
    }


def remove(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    """The rows go from every case that has them, at all depths, and from no trash (section 16.8)."""
    from .cases import save_case

    for id in ctx.store.users_of(project, doc["hash"]):
        case = ctx.store.get("case", project, id)
        if case is not None:
            save_case(ctx, project, {**case, "steps": steps.without(case["steps"], doc["hash"])})


SHARED_STEP = Kind(
    name="shared_step",
    label="Shared step",
    fields=(
        Field("title", title, required=True, required_on_patch=True),
        Field("steps", list_of(steps.shared_content)),
        Field("action", filled(None, steps.ACTION_REQUIRED)),
        Field("expected_result", text()),
        Field("data", text()),
    ),
    key="hash",
    prepare=prepare,
    render=render,
    remove=remove,
)
