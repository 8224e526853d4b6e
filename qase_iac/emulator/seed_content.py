"""What a seed puts into projects: objects under ids of its own choice, in bodies as the API takes them for a create.

::

    content:
      SHOP:
        attachments: [{hash: 0223905c…, name: card.png, size: 9, sha256: …}]   # no bytes: it cannot be downloaded
        milestones: [{id: 1, title: Release 1}]
        shared_steps: [{hash: 9b7a…, title: Sign in, steps: [{action: Open /login}]}]
        suites: [{id: 1, title: Checkout}, {id: 2, title: Vouchers, parent_id: 1}]
        cases: [{id: 41, title: Pay by card, suite_id: 1, steps: [{shared: 9b7a…}]}]
        plans: [{id: 1, title: Smoke, cases: [41]}]

Each list in this order, whatever stands first must not refer to what follows. What is there already stays as it is.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from . import crud
from .attachments import ATTACHMENT
from .bulk import BIGGEST_ID
from .cases import CASE, note_uses
from .context import Context
from .errors import ApiError, Invalid
from .plans import PLAN
from .shared_steps import SHARED_STEP
from .simple_kinds import MILESTONE, SUITE
from .store import Doc

KINDS = {"milestones": MILESTONE, "shared_steps": SHARED_STEP, "suites": SUITE, "cases": CASE, "plans": PLAN}
FILES = "attachments"
_FILE_KEYS = {"hash", "name", "size", "sha256"}


def check_content(content: Mapping[str, Any]) -> None:
    """Refuses what is misspelt or has no identity. Raises ValueError."""
    for code, sections in content.items():
        known(sections, (FILES, *KINDS), f"content.{code}")
        for name, items in sections.items():
            for index, item in enumerate(listed(items, f"content.{code}.{name}")):
                _check_item(name, item, f"content.{code}.{name}[{index}]")


def known(value: object, keys: Iterable[str], where: str) -> None:
    """Refuses what is no mapping, or has a key that is none of `keys`. Raises ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} must be a mapping, not {type(value).__name__}")
    for key in value:
        if key not in keys:
            raise ValueError(f"{where}: unknown key {key!r}; it may have: {', '.join(sorted(keys))}")


def listed(value: object, where: str) -> Sequence[Any]:
    """A list. Raises ValueError for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{where} must be a list, not {type(value).__name__}")
    return value


def _check_item(name: str, item: Any, where: str) -> None:
    key = "hash" if name == FILES else KINDS[name].key
    known(item, _FILE_KEYS if name == FILES else {key, *(row.name for row in KINDS[name].fields if row.create)}, where)
    if name != FILES and not item.get("title"):
        raise ValueError(f"{where}: 'title' is missing")
    id = item.get(key)
    if key == "id":
        if type(id) is not int or not 1 <= id <= BIGGEST_ID:
            raise ValueError(f"{where}: 'id' must be a number between 1 and {BIGGEST_ID}, not {id!r}")
    elif not isinstance(id, str) or not id.isalnum() or not id.isascii() or len(id) > 64:
        raise ValueError(f"{where}: 'hash' must be letters and digits, at most 64, not {id!r}")


def apply_content(ctx: Context, content: Mapping[str, Any]) -> None:
    """Adds what is not there yet. Raises ValueError, naming the object, for what the API would refuse."""
    for code, sections in content.items():
        project = str(code).upper()
        if ctx.store.find("project", "", project) is None:
            raise ValueError(f"content.{code}: there is no such project; name it under `projects`")
        for item in sections.get(FILES) or ():
            _file(ctx, project, item)
        for name, kind in KINDS.items():
            for item in sections.get(name) or ():
                try:
                    _object(ctx, kind, project, item)
                except (ApiError, Invalid, UnicodeError) as error:
                    raise ValueError(f"{kind.label} {item[kind.key]} of {project}: {_why(error)}") from None


def _why(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "it holds half a character (a lone surrogate), which no database takes"
    problems = getattr(error, "problems", ())
    return "; ".join(message for _, message in problems) or str(error)


def _file(ctx: Context, project: str, item: Mapping[str, Any]) -> None:
    hash, name = str(item["hash"]), PurePosixPath(str(item.get("name") or "file")).name or "file"
    if ctx.store.find(ATTACHMENT.name, "", hash):
        return
    doc = {
        "id": ctx.store.next("", ATTACHMENT.name),
        "hash": hash,
        "filename": name,
        "mime": mimetypes.guess_type(name)[0] or "application/octet-stream",
        "extension": PurePosixPath(name).suffix.lstrip("."),
        "size": item.get("size") if type(item.get("size")) is int else 0,
        "sha256": str(item.get("sha256") or ""),
        "project": project,
        "created": ctx.moment,
        "updated": ctx.moment,
    }
    crud.save(ctx, ATTACHMENT, "", doc)


def _object(ctx: Context, kind: crud.Kind, project: str, item: Mapping[str, Any]) -> None:
    id = item[kind.key]
    known = ctx.store.find(kind.name, project, id) if kind.key != "id" else ctx.store.get(kind.name, project, id)
    if known:
        return
    values = _checked(ctx, kind, project, {name: value for name, value in item.items() if name != kind.key})
    doc = kind.prepare(ctx, project, {**kind.blank, **values}, None)
    if kind.key == "id":
        ctx.store.raise_counter(project, kind.name, id)
        doc = crud.insert(ctx, kind, project, doc, id)
    else:
        doc = crud.insert(ctx, kind, project, {**doc, kind.key: id}, None)
    if kind is CASE:
        note_uses(ctx, project, doc)


def _checked(ctx: Context, kind: crud.Kind, project: str, body: Doc) -> Doc:
    """A plan cannot be made without cases, and can lose all it had."""
    if kind is PLAN and not body.get("cases"):
        return {**crud.checked(ctx, kind, project, dict(_without_cases(body)), patch=True), "cases": []}
    return crud.checked(ctx, kind, project, body, patch=False)


def _without_cases(body: Doc) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in body.items() if name != "cases")
