"""The language of the field tables: what each kind accepts in a body, and the checks behind it.

A check takes the context, the project, the value and the path of the field (as error messages name
it) and returns what is stored; it raises ``Invalid`` where the service answers 422.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .context import Context, enabled
from .errors import Invalid, Problem, invalid, not_found
from .store import Doc

Check = Callable[[Context, str, Any, str], Any]
OMIT = object()  # a check returns it when the service acts as if the field had not been sent
BIGGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a request body."""

    name: str
    check: Check
    required: bool = False
    required_on_patch: bool = False
    nullable: bool = False
    patch: bool = True  # False: PATCH does not know the key
    create: bool = True


def clean(ctx: Context, project: str, table: Sequence[Field], body: Mapping[str, Any], *, patch: bool = False,
          prefix: str = "") -> Doc:  # fmt: skip
    """Check a body against a table and return what it sets. All problems at once, as Laravel does."""
    problems: list[Problem] = []
    out: Doc = {}
    for row in table:
        if not (row.patch if patch else row.create):
            continue
        path = prefix + row.name
        if row.name not in body:
            if row.required_on_patch if patch else row.required:
                problems.append((path, f"The {path} field is required."))
            continue
        value = body[row.name]
        if value is None and row.nullable:
            out[row.name] = None
            continue
        try:
            checked = row.check(ctx, project, value, path)
        except Invalid as error:
            problems += error.problems
        else:
            if checked is not OMIT:
                out[row.name] = checked
    if ctx.strict:
        known = {row.name for row in table if (row.patch if patch else row.create)}
        problems += [(prefix + str(key), f"Unknown field {prefix}{key}.") for key in body if key not in known]
    if problems:
        raise Invalid(problems)
    return out


def is_id(text: str) -> bool:
    """Whether a text can be an id: short enough for storage, too."""
    return text.isascii() and text.isdigit() and len(text) < 19


# -- checks --------------------------------------------------------------------------------------------


def text(maximum: int | None = None) -> Check:
    """A text, or null: migration tools post nulls and are understood (section 7.9)."""

    def check(ctx: Context, project: str, value: Any, path: str) -> str | None:
        if value is not None and not isinstance(value, str):
            raise invalid(path, f"The {path} must be a string.")
        if value is not None and maximum is not None and len(value) > maximum:
            raise invalid(path, f"The {path} may not be greater than {maximum} characters.")
        return ctx.text(value)

    return check


def filled(maximum: int | None = 255, message: str = "The {path} field is required.") -> Check:
    """A text that must hold something but white space."""

    def check(ctx: Context, project: str, value: Any, path: str) -> str:
        if value is None or (isinstance(value, str) and not value.strip()):
            raise invalid(path, message.format(path=path))
        return str(text(maximum)(ctx, project, value, path))

    return check


def whole(ctx: Context, project: str, value: Any, path: str) -> int:
    # bool is an int to Python, and is not one to the service.
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > BIGGEST:
        raise invalid(path, f"The {path} must be an integer.")
    return value


def flag(ctx: Context, project: str, value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise invalid(path, f"The {path} field must be true or false.")
    return value


def lenient_flag(ctx: Context, project: str, value: Any, path: str) -> bool:
    """isManual and isToBeAutomated were 0/1 once, and still are in official tools (section 7.2)."""
    if value not in (0, 1) or isinstance(value, (float, str)):
        raise invalid(path, f"The {path} field must be true or false.")
    return bool(value)


def one_of(*words: str | int) -> Check:
    def check(ctx: Context, project: str, value: Any, path: str) -> Any:
        # By type as well: to Python 1.0 and True are 1.
        if not any(type(value) is type(word) and value == word for word in words):
            raise invalid(path, f"The selected {path} is invalid.")
        return value

    return check


def option(slug: str) -> Check:
    """The id of an option of a system field of this workspace."""

    def check(ctx: Context, project: str, value: Any, path: str) -> int:
        ids = [one["id"] for one in ctx.options(slug)]
        if isinstance(value, bool) or not isinstance(value, int) or value not in ids:
            allowed = ", ".join(map(str, ids))
            # The service names no field here (section 2.2), and neither do we.
            raise invalid("", f"The selected field value is invalid. Allowed values: {allowed}.")
        return value

    return check


def list_of(item: Check) -> Check:
    def check(ctx: Context, project: str, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise invalid(path, f"The {path} must be an array.")
        problems: list[Problem] = []
        out = []
        for index, one in enumerate(value):
            try:
                checked = item(ctx, project, one, f"{path}.{index}")
            except Invalid as error:
                problems += error.problems
            else:
                if checked is not OMIT:
                    out.append(checked)
        if problems:
            raise Invalid(problems)
        return out

    return check


def table(rows: Sequence[Field]) -> Check:
    """A nested object with a table of its own."""

    def check(ctx: Context, project: str, value: Any, path: str) -> Doc:
        if not isinstance(value, dict):
            raise invalid(path, f"The {path} must be an object.")
        return clean(ctx, project, rows, value, prefix=path + ".")

    return check


def missing(ctx: Context, what: str, path: str) -> Any:
    """A reference that leads nowhere (section 14, question 13)."""
    answer = ctx.settings["foreign_id"]
    if answer == "ignore":
        return OMIT
    if answer == "404":
        raise not_found(what)
    raise invalid(path, f"The selected {path} is invalid.")


def reference(kind: str, what: str, *, workspace: bool = False) -> Check:
    """The id of another entity of the same project."""

    def check(ctx: Context, project: str, value: Any, path: str) -> Any:
        id = whole(ctx, project, value, path)
        key = (kind, project, id)
        if key not in ctx.memo:
            ctx.memo[key] = ctx.store.exists(kind, "" if workspace else project, id)
        return id if ctx.memo[key] else missing(ctx, what, path)

    return check


def hash_of(kind: str, what: str, *, workspace: bool = False) -> Check:
    """The hash or uuid of another entity."""

    def check(ctx: Context, project: str, value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise invalid(path, f"The {path} must be a string.")
        found = ctx.cached(kind, "" if workspace else project, value)
        if found is None or ("is_enabled_for_all_projects" in found and not enabled(found, project)):
            return missing(ctx, what, path)
        return value

    return check


attachments = list_of(hash_of("attachment", "Attachment", workspace=True))
title = filled(255)
