"""Edits by a person in the web interface: they change storage, and are no requests of the API.

The names of the fields are those that the API takes on create (``suite_id``, ``custom_field``, ...); what
the API may refuse to do (clear a suite, move a due date) a person can do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import crud
from .cases import CASE, restore, save_case
from .context import Context
from .crud import Kind
from .custom_fields import CUSTOM_FIELD
from .errors import not_found
from .parameters import SHARED_PARAMETER
from .plans import PLAN
from .shared_steps import SHARED_STEP
from .simple_kinds import ENVIRONMENT, MILESTONE, SUITE
from .store import Doc
from .switches import Settings
from .workspace import PROJECT

if TYPE_CHECKING:
    from .app import App

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (CASE, CUSTOM_FIELD, ENVIRONMENT, MILESTONE, PLAN, PROJECT, SHARED_PARAMETER, SHARED_STEP, SUITE)
}


class Ui:
    """A member at work. ``project`` is a code, "" for what belongs to the workspace."""

    def __init__(self, app: App) -> None:
        self._app = app

    def create(self, project: str, kind: str, **fields: Any) -> int | str:
        """Make an entity and return its id (or hash, code, uuid)."""
        ctx = self._context()
        with self._app.store.transaction(write=True):
            one = self._kind(kind)
            doc = crud.create(ctx, one, project, fields)
            if kind == "case":
                save_case(ctx, project, doc)
        return self._id(one, doc)

    def edit(self, project: str, kind: str, id: int | str, **fields: Any) -> None:
        ctx = self._context()
        with self._app.store.transaction(write=True):
            self._edit(ctx, project, self._kind(kind), id, fields)

    def move(self, project: str, kind: str, id: int | str, to: int | None) -> None:
        """Put a case or a suite into another suite; None is the root."""
        one = self._kind(kind)
        if one.parent is None:
            raise ValueError(f"a {kind} does not stand in a suite")
        self.edit(project, kind, id, **{one.parent: to})

    def delete(self, project: str, kind: str, id: int | str, **wishes: Any) -> None:
        ctx = self._context()
        with self._app.store.transaction(write=True):
            crud.delete(ctx, self._kind(kind), project, str(id), wishes)

    def assign(self, project: str, plan: int, case: int, user: int | None) -> None:
        """Give a case of a plan to a member, which the API can not."""
        ctx = self._context()
        with self._app.store.transaction(write=True):
            doc = crud.locate(ctx, PLAN, project, str(plan))
            rows = [row for row in doc["cases"] if row["case_id"] == case]
            if not rows:
                raise not_found("Test case")
            rows[0]["assignee_id"] = user
            crud.save(ctx, PLAN, project, doc)

    def restore(self, project: str, case: int) -> None:
        """Take a case out of the trash; it lands at the root."""
        ctx = self._context()
        with self._app.store.transaction(write=True):
            restore(ctx, project, case)

    def trash(self, project: str) -> list[Doc]:
        with self._app.store.transaction(write=False):
            return self._app.store.select("case_trash", project)

    # ----------------------------------------------------------------------------------------------------

    def _context(self) -> Context:
        app = self._app
        return Context(app.store, Settings(), app.clock(), "today", strict=True)

    @staticmethod
    def _kind(name: str) -> Kind:
        if name not in KINDS:
            raise ValueError(f"unknown kind {name!r}; there are: {', '.join(sorted(KINDS))}")
        return KINDS[name]

    @staticmethod
    def _edit(ctx: Context, project: str, kind: Kind, id: int | str, fields: Doc) -> None:
        old = crud.locate(ctx, kind, project, str(id))
        if kind in (SHARED_STEP, CUSTOM_FIELD):
            fields = {"title": old["title"], **fields}
        values = crud.checked(ctx, kind, project, fields, patch=True)
        doc = crud.change(ctx, kind, project, old, values)
        if kind is CASE:
            save_case(ctx, project, doc)

    @staticmethod
    def _id(kind: Kind, doc: Doc) -> int | str:
        if kind is PROJECT:
            return str(doc["code"])
        value: int | str = doc[kind.key]
        return value
