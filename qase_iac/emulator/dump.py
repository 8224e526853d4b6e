"""The whole state of a project as one value, for tests that compare two projects.

Normalised, it holds nothing that the service makes up (ids, hashes, times, positions): a reference is the
title of what it leads to (a suite: its path of titles), an option its slug, an attachment its name and
SHA-256, null and "" are one, and lists whose order is no one's choice are sorted.
"""

from __future__ import annotations

from typing import Any

from .context import Context, canonical
from .crud import Kind
from .custom_fields import TYPES, WITH_OPTIONS
from .parameters import resolved
from .store import Doc
from .workspace import GROUP, PROJECT

OPTIONS = ("severity", "priority", "type", "behavior", "layer", "is_flaky", "status", "automation")


def dump(ctx: Context, project: str, normalised: bool = False) -> dict[str, Any]:
    from .errors import not_found

    found = ctx.store.find("project", "", project.upper())
    if found is None:
        raise not_found("Project")
    code = str(found["code"])
    return _normalised(ctx, found, code) if normalised else _rendered(ctx, found, code)


def _rendered(ctx: Context, found: Doc, code: str) -> dict[str, Any]:
    """Everything as the API shows it in a single GET."""
    from .ui import KINDS

    def rows(kind: Kind) -> list[Doc]:
        return [kind.render(ctx, code, doc, True) for doc in ctx.store.select(kind.name, kind.home(code))]

    names = ("milestone", "shared_step", "suite", "case", "plan", "environment")
    out: dict[str, Any] = {name + "s": rows(KINDS[name]) for name in names}
    return {"project": PROJECT.render(ctx, code, found, True), **out, "configurations": rows(GROUP)}


def _normalised(ctx: Context, found: Doc, code: str) -> dict[str, Any]:
    one = _Normaliser(ctx, code)
    select = ctx.store.select
    return {
        "project": {"title": found["title"], "code": code, "description": found.get("description") or ""},
        "milestones": _sorted(
            {"title": doc["title"], "description": doc["description"] or "", "status": doc["status"],
             "due_date": doc["due_date"]} for doc in select("milestone", code)
        ),
        "shared_steps": _sorted(
            {"title": doc["title"], "steps": one.steps(doc["steps"])} for doc in select("shared_step", code)
        ),
        "suites": _sorted(
            {"path": one.path(doc["id"]), "description": doc["description"] or "",
             "preconditions": doc["preconditions"] or ""} for doc in select("suite", code)
        ),
        "cases": _sorted(one.case(doc) for doc in select("case", code)),
        "plans": _sorted(
            {"title": doc["title"], "description": doc["description"] or "",
             "cases": sorted(one.case_path(row["case_id"]) for row in doc["cases"])} for doc in select("plan", code)
        ),
        "environments": _sorted(
            {name: doc[name] or "" for name in ("title", "description", "slug", "host")}
            for doc in select("environment", code)
        ),
        "configurations": _sorted(
            {"title": doc["title"], "configurations": sorted(one["title"] for one in
                                                             GROUP.render(ctx, code, doc, True)["configurations"])}
            for doc in select(GROUP.name, code)
        ),
    }  # fmt: skip


def _sorted(rows: Any) -> list[Doc]:
    return sorted(rows, key=canonical)


class _Normaliser:
    def __init__(self, ctx: Context, project: str) -> None:
        self.ctx, self.project = ctx, project
        self.suites = {doc["id"]: doc for doc in ctx.store.select("suite", project)}
        self.milestones = {doc["id"]: doc["title"] for doc in ctx.store.select("milestone", project)}
        self.places = {doc["id"]: [*self.path(doc["suite_id"]), doc["title"]]
                       for doc in ctx.store.select("case", project)}  # fmt: skip

    def path(self, suite: int | None) -> list[str]:
        titles: list[str] = []
        while suite is not None and suite in self.suites:
            titles.insert(0, self.suites[suite]["title"])
            suite = self.suites[suite]["parent_id"]
        return titles

    def case_path(self, id: int) -> list[str]:
        return self.places[id]

    def case(self, doc: Doc) -> Doc:
        out = {name: doc[name] or "" for name in ("title", "description", "preconditions", "postconditions")}
        return {
            **out,
            **{name: self.slug(name, doc[name]) for name in OPTIONS},
            "suite": self.path(doc["suite_id"]),
            "milestone": self.milestones.get(doc["milestone_id"]),
            "steps_type": doc["steps_type"],
            "steps": self.steps(doc["steps"]),
            "tags": sorted(tag["title"] for tag in doc["tags"]),
            "attachments": sorted(self.attachment(hash) for hash in doc["attachments"]),
            "parameters": self.parameters(doc["parameters"]),
            "custom_fields": self.custom(doc["custom"]),
        }

    def slug(self, field: str, id: int) -> str:
        return next((one["slug"] for one in self.ctx.options(field) if one["id"] == id), str(id))

    def steps(self, steps: list[Doc]) -> list[Doc]:
        out = []
        for step in steps:
            if "shared" in step:
                shared = self.ctx.cached("shared_step", self.project, step["shared"])
                out.append({"shared": shared["title"] if shared else None})
                continue
            texts = {name: step[name] or "" for name in ("action", "expected_result", "data")}
            files = sorted(self.attachment(hash) for hash in step["attachments"])
            out.append({**texts, "attachments": files, "steps": self.steps(step["steps"])})
        return out

    def attachment(self, hash: str) -> str:
        doc = self.ctx.cached("attachment", "", hash) or self.ctx.cached("attachment_gone", "", hash)
        return f"{doc['filename']} {doc['sha256']}" if doc else "?"

    def parameters(self, parameters: list[Doc]) -> list[Doc]:
        titles = {doc["uuid"]: doc["title"] for doc in self.ctx.store.select("shared_parameter", "")}
        return [{"shared": titles.get(shared or ""), "items": items}
                for shared, items in resolved(self.ctx, parameters)]  # fmt: skip

    def custom(self, values: Doc) -> Doc:
        """Title of the field -> value; titles of options, in the order of the definition."""
        known = self.ctx.custom_fields(self.project)
        out: Doc = {}
        for key, value in values.items():
            doc = known.get(int(key))
            if doc is None or value == "":
                continue
            parts = set(str(value).split(","))
            titles = [one["title"] for one in doc["value"] or [] if str(one["id"]) in parts]
            out[doc["title"]] = titles if doc["type"] in WITH_OPTIONS else value
            if TYPES[doc["type"]] == "checkbox":
                out[doc["title"]] = True
        return out
