"""What a request knows while it is served: storage, switches, dialect, clock."""

from __future__ import annotations

import hashlib
import html
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from .store import Doc, Store
from .switches import Settings


@dataclass
class Context:
    """One request's view. ``memo`` lives as long as the request, so nothing in it can go stale."""

    store: Store
    settings: Settings
    now: float
    dialect: str = "today"
    strict: bool = False
    base: str = ""  # where attachments are downloaded from
    memo: dict[Any, Any] = field(default_factory=dict)

    @property
    def seed(self) -> bool:
        return self.dialect == "seed"

    @property
    def moment(self) -> int:
        return int(self.now)

    def new_hash(self) -> str:
        """40 hex digits. They look random, yet a database with the same salt repeats them."""
        if "hashes" not in self.memo:
            self.memo["hashes"] = [self.store.meta("salt"), self.store.next("", "hash block"), 0]
        source = self.memo["hashes"]
        source[2] += 1
        return hashlib.sha1(":".join(map(str, source)).encode()).hexdigest()

    def text(self, value: str | None) -> str | None:
        """What is left of a text once the service has had it (section 14, question 6)."""
        on = self.settings
        if value is None:
            return "" if on["text_null"] == "empty" else None
        if on["text_crlf"] == "lf":
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        if on.on("text_trim"):
            value = value.strip()
        if on["text_html"] == "escape":
            value = html.escape(value, quote=False)
        return None if value == "" and on["text_empty"] == "null" else value

    def options(self, slug: str) -> list[Doc]:
        """The option list of a system field of this workspace."""
        key = ("options", slug)
        if key not in self.memo:
            found = self.store.find("system_field", "", slug)
            self.memo[key] = (found or {}).get("options") or []
        options: list[Doc] = self.memo[key]
        return options

    def default_option(self, slug: str) -> int:
        options = self.options(slug)
        chosen = [option["id"] for option in options if option["is_default"]] or [o["id"] for o in options]
        return int(chosen[0]) if chosen else 0

    def custom_fields(self, project: str) -> dict[int, Doc]:
        """Definitions of the case fields that are enabled for a project, by id."""
        key = ("custom_fields", project)
        if key not in self.memo:
            docs = self.store.select("custom_field", "")
            self.memo[key] = {doc["id"]: doc for doc in docs if doc["entity"] == 0 and enabled(doc, project)}
        fields: dict[int, Doc] = self.memo[key]
        return fields

    def cached(self, kind: str, project: str, key: str) -> Doc | None:
        """An entity by hash or uuid, looked up once a request."""
        place = (kind, project, key)
        if place not in self.memo:
            self.memo[place] = self.store.find(kind, project, key)
        doc: Doc | None = self.memo[place]
        return doc


def enabled(doc: Doc, project: str) -> bool:
    codes = doc.get("projects_codes") or doc.get("project_codes") or []
    return bool(doc["is_enabled_for_all_projects"]) or project in codes


# -- time: one instant, many spellings (section 13.2) --------------------------------------------------


@lru_cache(4096)
def iso(seconds: float, offset: str = "+00:00") -> str:
    sign = -1 if offset.startswith("-") else 1
    hours, minutes = offset[1:].split(":")
    zone = timezone(sign * timedelta(hours=int(hours), minutes=int(minutes)))
    return datetime.fromtimestamp(int(seconds), zone).isoformat()


@lru_cache(4096)
def plain(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S")


@lru_cache(4096)
def zulu(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def parse_time(text: str) -> int:
    """``YYYY-MM-DD HH:MM:SS`` or ISO 8601 to Unix seconds; UTC where no offset is given."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def stamps(ctx: Context, doc: Doc, *, case: bool = False) -> Doc:
    """Both generations of timestamps; the old pair has two spellings (section 7.2)."""
    created, updated = doc["created"], doc["updated"]
    if ctx.seed:
        return {"created": zulu(created), "updated": zulu(updated)}
    old = zulu if case else plain
    return {
        "created_at": iso(created),
        "updated_at": iso(updated),
        "created": old(created),
        "updated": old(updated),
    }


def canonical(value: object) -> str:
    """One text for equal JSON values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
