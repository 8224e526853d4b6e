"""Attachments: upload, read, delete, download (section 12.1)."""

from __future__ import annotations

import hashlib
import mimetypes
import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from . import crud
from .context import Context
from .crud import Kind
from .errors import ApiError, not_found, unprocessable
from .store import Doc

FILE_LIMIT = 32 * 1024 * 1024
REQUEST_LIMIT = 128 * 1024 * 1024
MOST_FILES = 20
Upload = tuple[str, str, bytes]  # file name, content type, content


def url(ctx: Context, doc: Doc) -> str:
    """The hash is the path segment after /attachment/: on cases that is all there is of it (section 7.5)."""
    return f"{ctx.base}/attachment/{doc['hash']}/{quote(doc['filename'])}"


def render(ctx: Context, project: str, doc: Doc, single: bool) -> Doc:
    return {
        "hash": doc["hash"],
        "file": doc["filename"],
        "mime": doc["mime"],
        "size": doc["size"],
        "extension": doc["extension"],
        "full_path": url(ctx, doc),
        "url": url(ctx, doc),
    }


def render_reference(ctx: Context, hash: str, *, with_hash: bool = False) -> Doc:
    """An attachment as cases show it. A deleted one leaves a dangling reference (section 7.5)."""
    doc = ctx.cached("attachment", "", hash) or ctx.cached("attachment_gone", "", hash)
    doc = doc or {"hash": hash, "filename": "", "mime": "", "size": 0}
    out = {"size": doc["size"], "mime": doc["mime"], "filename": doc["filename"], "url": url(ctx, doc)}
    return {**out, "hash": hash} if with_hash else out


def upload(ctx: Context, project: str, files: Sequence[Upload]) -> list[Doc]:
    if not files:
        raise unprocessable([("file", "The file field is required.")])
    if len(files) > MOST_FILES:
        raise ApiError(413, f"No more than {MOST_FILES} files can be uploaded at once.")
    if any(len(content) > FILE_LIMIT for _, _, content in files) or sum(len(f[2]) for f in files) > REQUEST_LIMIT:
        raise ApiError(413, "The file is too large.")
    return [_render_upload(ctx, _store(ctx, project, file)) for file in files]


def _store(ctx: Context, project: str, file: Upload) -> Doc:
    name, mime, content = file
    name = PurePosixPath(name.replace("\\", "/")).name or "file"
    by_content = ctx.settings["attachment_hash"] == "content"
    hash = hashlib.sha1(content).hexdigest() if by_content else ctx.new_hash()
    known = ctx.store.find("attachment", "", hash)
    if known:
        return known
    doc = {
        "id": ctx.store.next("", "attachment"),
        "hash": hash,
        "filename": name,
        "mime": mime or mimetypes.guess_type(name)[0] or "application/octet-stream",
        "extension": PurePosixPath(name).suffix.lstrip("."),
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "project": project,
        "created": ctx.moment,
        "updated": ctx.moment,
    }
    crud.save(ctx, ATTACHMENT, "", doc)
    ctx.store.put_blob(hash, content)
    return doc


def _render_upload(ctx: Context, doc: Doc) -> Doc:
    """``filename`` here, ``file`` on a GET: that is how the service has it."""
    out = {key: doc[key] for key in ("hash", "filename", "mime", "extension")}
    team = str(uuid.uuid5(uuid.NAMESPACE_URL, ctx.store.meta("salt") or ""))
    return {**out, "url": url(ctx, doc), "team": team}


def remove(ctx: Context, project: str, doc: Doc, wishes: Mapping[str, Any]) -> None:
    ctx.store.put("attachment_gone", "", doc, key=doc["hash"])
    ctx.store.drop_blob(doc["hash"])


def download(ctx: Context, hash: str) -> tuple[Doc, bytes]:
    doc, content = ctx.store.find("attachment", "", hash), ctx.store.blob(hash)
    if doc is None or content is None:
        raise not_found("Attachment")
    return doc, content


def _no_filter(ctx: Context, project: str, query: crud.Query) -> tuple[None, list[crud.Predicate]]:
    return None, []


ATTACHMENT = Kind(
    name="attachment",
    label="Attachment",
    fields=(),
    key="hash",
    workspace=True,
    render=render,
    narrow=_no_filter,
    remove=remove,
)
