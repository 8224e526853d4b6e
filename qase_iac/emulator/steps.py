"""Steps of cases and of shared steps: how they are written, stored and read (sections 7.4 and 8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .attachments import render_reference
from .context import Context
from .errors import Invalid, Problem, invalid
from .fields import OMIT, Field, attachments, clean, filled, hash_of, list_of, text
from .store import Doc

DEEPEST = 50
ACTION_REQUIRED = "Action field is required"
_action = filled(None, ACTION_REQUIRED)


def _nested(steps: Any) -> Any:
    def check(ctx: Context, project: str, value: Any, path: str) -> list[Doc]:
        if path.count(".steps.") > DEEPEST:
            raise invalid(path, f"The {path} is nested too deep.")
        return [] if value is None else list(list_of(steps)(ctx, project, value, path))

    return check


def classic_step(ctx: Context, project: str, value: Any, path: str) -> Any:
    """One item of a classic case: a step of its own, or a reference to a shared one."""
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    if value.get("shared") not in (None, ""):
        shared = clean(ctx, project, _SHARED, value, prefix=path + ".")
        return {"hash": ctx.new_hash(), **shared} if "shared" in shared else OMIT
    return _content(ctx, project, value, path, _CLASSIC)


def shared_content(ctx: Context, project: str, value: Any, path: str) -> Doc:
    """One step inside a shared step; it can not refer to another shared step."""
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    return _content(ctx, project, value, path, _CONTENT)


def _content(ctx: Context, project: str, value: Doc, path: str, rows: tuple[Field, ...]) -> Doc:
    # A missing action is answered as an empty one is.
    checked = clean(ctx, project, rows, {"action": None, **value}, prefix=path + ".")
    return {"hash": ctx.new_hash(), **_blank(), **checked}


def gherkin_step(ctx: Context, project: str, value: Any, path: str) -> Doc:
    """A scenario: ``value`` and nothing else that holds anything (section 7.4)."""
    if not isinstance(value, dict):
        raise invalid(path, f"The {path} must be an object.")
    problems: list[Problem] = []
    for name in ("expected_result", "data", "attachments", "shared", "steps"):
        if value.get(name):
            problems.append((f"{path}.{name}", f"The {path}.{name} is not allowed in a gherkin step."))
    if value.get("value") and value.get("action"):
        problems.append((f"{path}.action", f"The {path}.action is not allowed together with value."))
    if problems:
        raise Invalid(problems)
    scenario = value.get("value") or value.get("action")
    body = {key: item for key, item in value.items() if key not in ("value", "action")} | {"value": scenario}
    checked = clean(ctx, project, _GHERKIN, body, prefix=path + ".")
    return {"hash": ctx.new_hash(), "action": checked["value"], **_blank()}


def _blank() -> Doc:
    return {"expected_result": None, "data": None, "attachments": [], "steps": []}


def _anything(ctx: Context, project: str, value: Any, path: str) -> Any:
    return OMIT


_POSITION = Field("position", _anything)  # deprecated: the order of the array decides
_TEXTS = (
    Field("action", _action, required=True),
    Field("expected_result", text()),
    Field("data", text()),
    Field("attachments", attachments),
)
_CLASSIC = (
    *_TEXTS,
    Field("steps", _nested(classic_step)),
    Field("shared", _anything),
    Field("value", _anything),
    _POSITION,
)
_SHARED = (
    Field("shared", hash_of("shared_step", "Shared step"), required=True),
    *(Field(name, _anything) for name in ("action", "expected_result", "data", "value", "attachments", "steps")),
    _POSITION,
)
_GHERKIN = (
    Field("value", _action, required=True),
    *(Field(name, _anything) for name in ("expected_result", "data", "attachments", "shared", "steps")),
    _POSITION,
)
_CONTENT = (*_TEXTS, Field("steps", _nested(shared_content)), Field("hash", _anything), _POSITION)


def check_steps(ctx: Context, project: str, value: Any, path: str, steps_type: str) -> list[Doc]:
    if value is None:
        return []
    item = gherkin_step if steps_type == "gherkin" else classic_step
    return list(list_of(item)(ctx, project, value, path))


def shared_hashes(steps: list[Doc]) -> set[str]:
    found = {step["shared"] for step in steps if "shared" in step}
    for step in steps:
        found |= shared_hashes(step.get("steps", []))
    return found


def without(steps: list[Doc], hash: str) -> list[Doc]:
    """The steps less every reference to a shared step, at any depth (section 16.8)."""
    kept = [step for step in steps if step.get("shared") != hash]
    return [{**step, "steps": without(step["steps"], hash)} if "steps" in step else step for step in kept]


def convert(steps: list[Doc], steps_type: str, ctx: Context) -> list[Doc]:
    """What may happen to the rows when only ``steps_type`` is sent (section 14, question 20)."""
    texts = [step["action"] for step in steps if step.get("action")]
    if steps_type == "gherkin":
        return [{"hash": ctx.new_hash(), "action": "\n".join(texts), **_blank()}] if texts else []
    lines = [line for scenario in texts for line in scenario.splitlines() if line.strip()]
    return [{"hash": ctx.new_hash(), "action": line, **_blank()} for line in lines]


# -- reading ---------------------------------------------------------------------------------------------


def render_steps(ctx: Context, project: str, steps: list[Doc]) -> list[Doc]:
    """Rows of a case. A shared step of n steps comes back as n rows that carry its hash (quirk 9)."""
    rows: list[Doc] = []
    for step in steps:
        if "shared" in step:
            rows += _expanded(ctx, project, step)
        else:
            rows.append(_row(ctx, step, render_steps(ctx, project, step["steps"])))
    for position, row in enumerate(rows, 1):
        row["position"] = position
    return rows


def _row(ctx: Context, step: Doc, children: list[Doc], shared: str | None = None, nested: str | None = None) -> Doc:
    return {
        "hash": step["hash"],
        "shared_step_hash": shared,
        "shared_step_nested_hash": nested,
        "position": 1,
        "action": step["action"],
        "expected_result": step["expected_result"],
        "data": step["data"],
        "attachments": [render_reference(ctx, hash) for hash in step["attachments"]],
        "steps": children,
    }


def _expanded(ctx: Context, project: str, step: Doc) -> list[Doc]:
    shared = ctx.cached("shared_step", project, step["shared"])
    if shared is None:
        return []
    content = shared["steps"] if ctx.settings["shared_rows"] == "n" else shared["steps"][:1]
    flat = ctx.settings["shared_nested"] == "flattened"
    return list(_shared_rows(ctx, content, step["shared"], flat, None))


def _shared_rows(ctx: Context, content: list[Doc], hash: str, flat: bool, above: str | None) -> Iterator[Doc]:
    for position, step in enumerate(content, 1):
        children = list(_shared_rows(ctx, step["steps"], hash, flat, step["hash"]))
        row = _row(ctx, step, [] if flat else children, hash, above)
        row["position"] = position
        yield row
        if flat:
            yield from children


def render_content(ctx: Context, steps: list[Doc]) -> list[Doc]:
    """The steps of a shared step. Its schema knows no null, unlike that of a case (section 8)."""
    return [
        {
            "data": step["data"] or "",
            "hash": step["hash"],
            "action": step["action"],
            "expected_result": step["expected_result"] or "",
            "attachments": [render_reference(ctx, hash, with_hash=True) for hash in step["attachments"]],
            "steps": render_content(ctx, step["steps"]),
        }
        for step in steps
    ]


def top_level(ctx: Context, project: str, doc: Doc, old: Doc | None) -> None:
    """Fold the deprecated ``action``, ``expected_result``, ``data`` of a shared step into its steps."""
    single = {name: doc.pop(name) for name in ("action", "expected_result", "data") if name in doc}
    if not single or doc.pop("steps sent", False):
        return
    first = (old or {}).get("steps", [])[:1] or [{}]
    body = {**{name: first[0].get(name) for name in ("action", "expected_result", "data")}, **single}
    doc["steps"] = [shared_content(ctx, project, body, "steps.0"), *(old or {}).get("steps", [])[1:]]
