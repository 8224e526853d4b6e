"""Text, sets of text, flags and dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import yaml

from qase_iac.attributes.base import (
    INVALID,
    NULLS,
    UNSET,
    Attribute,
    Decoding,
    Reporter,
    Type,
    is_boolean,
    is_null,
    scalar,
    sequence,
)
from qase_iac.model import Catalogue
from qase_iac.values import JSON, printable

MAX_TITLE = 255
"""Characters, not bytes (qase-api.md section 13.2)."""
_NO_TEXT = NULLS | {"true", "false"}
"""Plain scalars that are no text."""


def normal_text(value: JSON) -> str:
    """Texts are equal when these are: CRLF -> LF, outer white space stripped, null is "" (authoring.md)."""
    if not value:
        return ""
    text: str = value
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return text.strip()


def text_of(node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
    """A text as it stands in the file; null stays None; a plain true or false is a slip."""
    if type(node) is yaml.ScalarNode and (node.style or node.value not in _NO_TEXT):
        return node.value  # nearly every text; what follows is for the others
    value = scalar(node, row, reporter, "text")
    if value is None:
        return INVALID
    if is_null(node):
        return None
    if is_boolean(node):
        reporter.error(
            node,
            "boolean-in-text",
            f"`{row.name}` takes text, and a bare {value} is a yes/no value in YAML.",
            f'If the text is meant, quote it: `{row.name}: "{value}"`.',
        )
        return INVALID
    return value


@dataclass(frozen=True)
class Text(Type):
    """Markdown text. `one_line` texts (titles) hold at most `limit` characters and no line break."""

    one_line: bool = False
    limit: int | None = None
    null_clears: str | None = ""

    @property
    def takes(self) -> str:
        return f"text, one line, at most {self.limit} characters" if self.one_line else "text (Markdown)"

    def schema(self) -> dict[str, Any]:
        # A bare 1.10 or 2026-01-01 is text for us and a number for an editor; both must be let through.
        schema: dict[str, Any] = {"type": ["string", "number"] if self.one_line else ["string", "number", "null"]}
        if self.one_line:
            schema |= {"minLength": 1, "maxLength": self.limit}
        return schema

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        value = text_of(node, row, reporter)
        if value is INVALID or not self.one_line:
            return value
        if value is None or not value.strip():
            reporter.error(node, "empty-title", f"`{row.name}` is empty.", "Qase needs a title to show; write one.")
            return INVALID
        if "\n" in value.strip("\n") or "\r" in value.strip("\r\n"):
            reporter.error(node, "title-lines", f"`{row.name}` spans several lines.", "A title is one line of text.")
            return INVALID
        value = value.strip("\r\n")
        if self.limit and len(value) > self.limit:
            reporter.error(
                node,
                "title-too-long",
                f"`{row.name}` has {len(value)} characters; Qase keeps at most {self.limit}.",
                f"Shorten it; what fits ends in: …{printable(value[self.limit - 30 : self.limit])}",
            )
            return INVALID
        return value

    def canon(self, value: JSON) -> JSON:
        return normal_text(value)

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: self.null_clears if value in (None, "") else value}


@dataclass(frozen=True)
class TextSet(Type):
    """A set of short texts (tags): written as strings, read as `{title, internal_id}` (qase-api.md section 7.8)."""

    @property
    def takes(self) -> str:
        return "a list of short texts; their order does not matter"

    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": {"type": ["string", "number"], "minLength": 1}}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        nodes = sequence(node, row, reporter, "short texts")
        if nodes is None:
            return INVALID
        found: dict[str, None] = {}
        for item in nodes:
            value = text_of(item, row, reporter)
            if value is INVALID:
                continue
            if value is None or not value.strip():
                reporter.error(
                    item,
                    "empty-item",
                    f"An item of `{row.name}` is empty.",
                    "Write a word, or drop the line.",
                )
            elif value.strip() in found:
                reporter.warning(item, "repeated-item", f"`{row.name}` names {printable(value.strip())!r} twice.")
            else:
                found[value.strip()] = None
        return sorted(found)

    def surely_holds(self, value: JSON) -> bool:
        return value.__class__ is list and all(item.__class__ is str for item in value)

    def canon(self, value: JSON) -> JSON:
        return sorted({str(item).strip() for item in value or ()})

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: list(value or ())}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        items = entity.get(row.reads, UNSET)
        if items is UNSET:
            return UNSET
        return sorted({item["title"] if isinstance(item, dict) else str(item) for item in items or ()})


@dataclass(frozen=True)
class Flag(Type):
    """true or false; 0 or 1 at the API, never a boolean there (quirk 15)."""

    @property
    def takes(self) -> str:
        return "true or false"

    def schema(self) -> dict[str, Any]:
        return {"type": ["boolean", "null"]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        return parse_boolean(node, row.name, reporter, null=False)

    def resolve(self, value: JSON, row: Attribute, catalogue: Catalogue) -> JSON:
        return bool(value)

    def canon(self, value: JSON) -> JSON:
        return bool(value)

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: int(bool(value))}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        value = entity.get(row.reads, UNSET)
        if value is UNSET:
            return UNSET
        return value in (1, "1", "yes", "true")


def parse_boolean(node: yaml.Node, name: str, reporter: Reporter, null: JSON = INVALID) -> JSON:
    """A plain true or false; null gives `null`; anything else is diagnosed and INVALID."""
    if is_boolean(node):
        return node.value == "true"
    if is_null(node) and null is not INVALID:
        return null
    written = node.value if isinstance(node, yaml.ScalarNode) else "…"
    meant = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}.get(
        str(written).lower(), str(written).lower()
    )
    bare = ", without quotes" if isinstance(node, yaml.ScalarNode) and node.style else ""
    hint = f"Write `{name}: {meant}`{bare}." if meant in ("true", "false") else ""
    reporter.error(node, "wrong-type", f"`{name}` takes true or false.", hint)
    return INVALID


@dataclass(frozen=True)
class Date(Type):
    """A date (00:00 UTC) or an ISO date-time; unix seconds when sent, ISO with an offset when read (section 9).

    Canonical: `YYYY-MM-DD` at midnight UTC, else `YYYY-MM-DDTHH:MM:SSZ`.
    """

    @property
    def takes(self) -> str:
        return "a date such as 2026-12-01 (00:00 UTC), or an ISO date-time"

    def schema(self) -> dict[str, Any]:
        pattern = r"^\s*\d{4}-\d{2}-\d{2}([Tt ]\s*\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([Zz]|[+-]\d{2}(:?\d{2})?)?)?\s*$"
        return {"type": ["string", "null"], "pattern": pattern}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        value = scalar(node, row, reporter, "a date")
        if value is None:
            return INVALID
        if is_null(node) or value == "":
            return None
        try:
            return canonical_instant(value)
        except ValueError:
            reporter.error(
                node,
                "bad-date",
                f"`{row.name}` is no date: {printable(value)!r}.",
                "Write 2026-12-01, or 2026-12-01T18:00:00+02:00.",
            )
            return INVALID

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: None if value is None else int(instant(value).timestamp())}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        value = entity.get(row.reads, UNSET)
        if value is UNSET or value in (None, ""):
            return UNSET if value is UNSET else None
        if isinstance(value, int):
            return canonical_instant(datetime.fromtimestamp(value, UTC).isoformat())
        return canonical_instant(value)


def instant(text: str) -> datetime:
    """An ISO date or date-time as an aware datetime; without an offset it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip().upper().replace("Z", "+00:00") if "-" in text else "no date")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def canonical_instant(text: str) -> str:
    moment = instant(text).replace(microsecond=0)
    if (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
