"""Which path is which operation, and the order in which a request is checked (section 16.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import crud, envelope
from .attachments import ATTACHMENT, upload
from .bulk import create_bulk
from .cases import CASE, create_case, update_case
from .context import Context
from .crud import Kind
from .custom_fields import CUSTOM_FIELD
from .errors import ApiError, Invalid, not_found, unprocessable
from .fields import clean
from .http import Request
from .parameters import SHARED_PARAMETER
from .plans import PLAN
from .shared_steps import SHARED_STEP
from .simple_kinds import ENVIRONMENT, MILESTONE, SUITE
from .store import Doc
from .workspace import AUTHOR, CONFIGURATION, GROUP, MEMBER, PROJECT, USER, all_groups, render_system_fields

Handler = Callable[[Context, Request, dict[str, str]], Doc]


class KeptError(ApiError):
    """An error answer whose request has changed something all the same."""


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    body: bool = True  # whether the body is JSON


@dataclass(frozen=True)
class Crud:
    """The five operations of a kind under one path."""

    kind: Kind
    prefix: str
    operations: str = "lgcud"  # list, get, create, update, delete

    def routes(self) -> list[Route]:
        one = self.prefix + "/{id}"
        table = {
            "l": ("GET", self.prefix, self.list),
            "c": ("POST", self.prefix, self.create),
            "g": ("GET", one, self.get),
            "u": ("PATCH", one, self.update),
            "d": ("DELETE", one, self.delete),
        }
        return [_route(*table[letter]) for letter in self.operations]

    def list(self, ctx: Context, request: Request, names: dict[str, str]) -> Doc:
        return crud.listing(ctx, self.kind, names.get("code", ""), request.query)

    def get(self, ctx: Context, request: Request, names: dict[str, str]) -> Doc:
        project = names.get("code", "")
        doc = crud.locate(ctx, self.kind, project, names.get("id") or project.upper())
        return envelope.entity(ctx, self.kind.name, self.kind.render(ctx, project, doc, True))

    def create(self, ctx: Context, request: Request, names: dict[str, str]) -> Doc:
        doc = crud.create(ctx, self.kind, names.get("code", ""), request.json())
        return envelope.written(ctx, self.kind.name, "create", doc)

    def update(self, ctx: Context, request: Request, names: dict[str, str]) -> Doc:
        doc = crud.update(ctx, self.kind, names.get("code", ""), names["id"], request.json())
        return envelope.written(ctx, self.kind.name, "update", doc)

    def delete(self, ctx: Context, request: Request, names: dict[str, str]) -> Doc:
        project = names.get("code", "")
        doc = crud.delete(ctx, self.kind, project, names.get("id") or project.upper(), request.json())
        return envelope.written(ctx, self.kind.name, "delete", doc)


def _route(method: str, path: str, handler: Handler, body: bool = True) -> Route:
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    return Route(method, re.compile(pattern + r"\Z"), handler, body)


# -- operations that are not one of the five -------------------------------------------------------------


def _guard_review(ctx: Context) -> bool:
    """Whether the write is to be dropped silently (section 14, question 19)."""
    if ctx.settings["review_mandatory"] == "reject":
        raise ApiError(403, "Review is mandatory in this project.")
    return ctx.settings["review_mandatory"] == "ignore"


def _create_case(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    if _guard_review(ctx):
        return envelope.written(ctx, "case", "create", {"id": ctx.store.next(names["code"], "case")})
    return envelope.written(ctx, "case", "create", create_case(ctx, names["code"], request.json()))


def _update_case(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    if _guard_review(ctx):
        return envelope.written(ctx, "case", "update", crud.locate(ctx, CASE, names["code"], names["id"]))
    doc = update_case(ctx, names["code"], names["id"], request.json())
    return envelope.written(ctx, "case", "update", doc)


def _bulk(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    if _guard_review(ctx):
        cases = request.json().get("cases") or []
        return {"status": True, "result": {"ids": [ctx.store.next(names["code"], "case") for _ in cases]}}
    ids, problems = create_bulk(ctx, names["code"], request.json())
    if problems:
        error = KeptError if ctx.settings.on("bulk_partial") else ApiError
        raise error(422, "Data is invalid.", problems)
    return {"status": True, "result": envelope.dress(ctx, {"ids": ids}, extra=False)}


def _upload(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    return {"status": True, "result": upload(ctx, names["code"], request.files())}


def _system_fields(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    return {"status": True, "result": [envelope.dress(ctx, doc) for doc in render_system_fields(ctx)]}


def _groups(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    groups = all_groups(ctx, names["code"])
    return envelope.page(ctx, "configuration", groups, len(groups), len(groups))


def _access(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    try:
        clean(ctx, "", MEMBER, request.json())
    except Invalid as error:
        raise unprocessable(error.problems) from None
    return {"status": True}


def _author(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    """By id or by UUID."""
    wanted = names["id"]
    rows = [AUTHOR.render(ctx, "", doc, True) for doc in ctx.store.select("user", "")]
    for row in rows:
        if wanted in (row["uuid"], str(row["id"])):
            return envelope.entity(ctx, "author", row)
    raise not_found("Author")


def _unpaid(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    raise ApiError(402, "Your plan does not include this feature.")


def _old_custom_fields(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    """The fields of a project, in the dialect of 2020."""
    ids = set(ctx.custom_fields(names["code"]))
    limit, offset = crud.window(ctx, request.query)
    rows = [doc for doc in ctx.store.select("custom_field", "") if doc["id"] in ids]
    page = [CUSTOM_FIELD.render(ctx, "", doc, False) for doc in rows[offset : offset + limit]]
    return envelope.page(ctx, "custom_field", page, len(rows), len(rows))


def _old_custom_field(ctx: Context, request: Request, names: dict[str, str]) -> Doc:
    doc = crud.locate(ctx, CUSTOM_FIELD, "", names["id"])
    if doc["id"] not in ctx.custom_fields(names["code"]):
        raise not_found("Custom field")
    return envelope.entity(ctx, "custom_field", CUSTOM_FIELD.render(ctx, "", doc, True))


TODAY: list[Route] = [
    *Crud(PROJECT, "/project", "lc").routes(),
    _route("GET", "/project/{code}", Crud(PROJECT, "").get),
    _route("DELETE", "/project/{code}", Crud(PROJECT, "").delete),
    _route("POST", "/project/{code}/access", _access),
    _route("DELETE", "/project/{code}/access", _access),
    *Crud(SUITE, "/suite/{code}").routes(),
    _route("POST", "/case/{code}/bulk", _bulk),
    _route("POST", "/case/{code}/external-issue/attach", _unpaid),
    _route("POST", "/case/{code}/external-issue/detach", _unpaid),
    _route("POST", "/case/{code}", _create_case),
    _route("PATCH", "/case/{code}/{id}", _update_case),
    *Crud(CASE, "/case/{code}", "lgd").routes(),
    *Crud(SHARED_STEP, "/shared_step/{code}").routes(),
    *Crud(MILESTONE, "/milestone/{code}").routes(),
    *Crud(PLAN, "/plan/{code}").routes(),
    *Crud(ENVIRONMENT, "/environment/{code}").routes(),
    *Crud(CUSTOM_FIELD, "/custom_field").routes(),
    *Crud(SHARED_PARAMETER, "/shared_parameter").routes(),
    *Crud(ATTACHMENT, "/attachment", "lgd").routes(),
    _route("POST", "/attachment/{code}", _upload, body=False),
    *Crud(USER, "/user", "lg").routes(),
    *Crud(AUTHOR, "/author", "l").routes(),
    _route("GET", "/author/{id}", _author),
    _route("GET", "/system_field", _system_fields),
    _route("GET", "/configuration/{code}", _groups),
    _route("POST", "/configuration/{code}/group", Crud(GROUP, "").create),
    _route("POST", "/configuration/{code}", Crud(CONFIGURATION, "").create),
    _route("GET", "/search", _unpaid),
    *(_route(method, f"/review{tail}", _unpaid)
      for method, tail in (("GET", "/{code}"), ("POST", "/{code}"), ("POST", "/{code}/bulk"),
                           ("GET", "/{code}/{id}"), ("PATCH", "/{code}/{id}"), ("DELETE", "/{code}/{id}"))),
]  # fmt: skip

PROJECTS = TODAY[0]
OLD: list[Route] = [
    _route("GET", "/projects", Crud(PROJECT, "").list),
    *Crud(SHARED_STEP, "/shared_steps/{code}").routes(),
    _route("GET", r"/custom_field/{code}/{id}", _old_custom_field),
    Route("GET", re.compile(r"/custom_field/(?P<code>[^/]*[^/0-9][^/]*)\Z"), _old_custom_fields),
]


def find(ctx: Context, request: Request) -> tuple[Route, dict[str, str]]:
    """The route of a request: 404 for a path that nobody serves, 405 for a method that it does not have."""
    old = ctx.seed or ctx.settings.on("old_aliases")
    allowed: list[str] = []
    for route in (OLD + TODAY) if old else TODAY:
        if ctx.seed and route is PROJECTS:  # the list had another path then
            continue
        match = route.pattern.match(request.path)
        if match and route.method == request.method:
            return route, match.groupdict()
        if match:
            allowed.append(route.method)
    if allowed:
        raise ApiError(405, "Method not allowed.", headers=[("Allow", ", ".join(sorted(set(allowed))))])
    raise ApiError(404, "Not found.")


def serve(ctx: Context, request: Request, role: str) -> Doc:
    """Project (404), role (403), JSON (400), then the handler: fields (422) and entity (404)."""
    route, names = find(ctx, request)
    if "code" in names:
        names["code"] = _project(ctx, names["code"])
    if role != "owner" and request.method != "GET":
        raise ApiError(403, "You do not have enough permissions to perform this action.")
    if route.body and request.method != "GET":
        request.json()
    return route.handler(ctx, request, names)


def _project(ctx: Context, code: str) -> str:
    """The code as it is stored; letters of either case find it."""
    found = ctx.store.find("project", "", code.upper())
    if found is None:
        raise not_found("Project")
    return str(found["code"])
