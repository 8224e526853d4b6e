"""Attributes that point at other objects, at files, or at a plan's members."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from qase_iac.attributes.base import (
    INVALID,
    UNSET,
    Attribute,
    Decoding,
    RefVisitor,
    Reporter,
    Type,
    is_null,
    scalar,
    sequence,
)
from qase_iac.attributes.text import normal_text, text_of
from qase_iac.model import Catalogue
from qase_iac.values import JSON, Address, is_key, printable

HASH = re.compile(r"[0-9a-f]{32,64}\Z")
HASH_KINDS = frozenset({"shared_step"})
NESTED_KINDS = frozenset({"suite"})
_EXTERNAL = Attribute("external", Type(), "", example="Exact title")


def ref_schema(kind: str) -> dict[str, Any]:
    external_id = {"type": "string"} if kind in HASH_KINDS else {"type": ["integer", "string"]}
    return {
        "anyOf": [
            {
                "type": ["string", "number"],
                "minLength": 1,
                "description": f"The key of a {kind.replace('_', ' ')}.",
            },
            {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
                "properties": {
                    "external": {
                        "type": ["string", "number"],
                        "minLength": 1,
                        "description": "Its exact title in Qase.",
                    },
                    "external_id": {**external_id, "description": "Its id in Qase."},
                },
            },
        ]
    }


def parse_remote_id(node: yaml.Node, kind: str, reporter: Reporter) -> JSON:
    """An id in Qase: digits as number or text, a hash for a shared step. INVALID after a diagnostic."""
    text = str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""
    if kind in HASH_KINDS:
        if HASH.match(text):
            return text
        reporter.error(
            node,
            "bad-id",
            f"{printable(text)!r} is no hash of a shared step.",
            "It has 40 characters, 0-9 and a-f.",
        )
    elif re.fullmatch(r"[0-9]{1,15}", text) and int(text) > 0:
        return int(text)
    else:
        reporter.error(
            node,
            "bad-id",
            f"{printable(text)!r} is no id in Qase.",
            "Write the number that Qase shows, such as 41.",
        )
    return INVALID


def parse_ref(node: yaml.Node, kind: str, row: Attribute, reporter: Reporter) -> JSON:
    """A key, `{external: Title}` or `{external_id: N}`, as the DESIRED form of a reference."""
    if isinstance(node, yaml.MappingNode):
        return _parse_external(node, kind, row, reporter)
    key = scalar(node, row, reporter, f"the key of a {kind.replace('_', ' ')}")
    if key is None:
        return INVALID
    key = key.strip()
    if not is_key(key, segments=kind in NESTED_KINDS):
        reporter.error(
            node,
            "bad-reference",
            f"{printable(key)!r} is no key of a {kind.replace('_', ' ')}.",
            "A reference is the key under which the object is declared. For something that is only in Qase write "
            f'{{external: "{printable(key) or "Exact title"}"}}.',
        )
        return INVALID
    return {"address": str(Address(kind, key))}


def _parse_external(node: yaml.MappingNode, kind: str, row: Attribute, reporter: Reporter) -> JSON:
    pairs = list(reporter.items(node))
    if len(pairs) == 1 and pairs[0][0] == "external":
        title = text_of(pairs[0][2], _EXTERNAL, reporter)
        if title is INVALID:
            return INVALID
        if normal_text(title):
            return {"external": title.strip()}
    elif len(pairs) == 1 and pairs[0][0] == "external_id":
        id = parse_remote_id(pairs[0][2], kind, reporter)
        return INVALID if id is INVALID else {"external_id": id}
    if pairs or not node.value:  # else what is wrong with the pairs was said
        summary = f'`{row.name}` takes a key, {{external: "Exact title"}} or {{external_id: 12}}.'
        reporter.error(node, "bad-reference", summary, "The key is for what this folder declares.")
    return INVALID


@dataclass(frozen=True)
class RefTo(Type):
    """One object of `kind`, or none. An id at the API; `null` puts it at no object (section 13.1: may be ignored)."""

    kind: str

    @property
    def takes(self) -> str:
        what = self.kind.replace("_", " ")
        return f'the key of a {what}, {{external: "Exact title"}}, {{external_id: 12}}, or null'

    def schema(self) -> dict[str, Any]:
        schema = ref_schema(self.kind)
        return {"anyOf": [*schema["anyOf"], {"type": "null"}]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        return None if is_null(node) else parse_ref(node, self.kind, row, reporter)

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        if value is not None:
            yield self.kind, value

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        return None if value is None else visit(self.kind, value)

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        value = entity.get(row.reads, UNSET)
        if value is UNSET or value is None:
            return value
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise TypeError(f"{row.reads!r} is no id")
        return int(value) if str(value).isdigit() and self.kind not in HASH_KINDS else value


def _identity(value: JSON) -> str:
    """Sorts bound references of any form."""
    return f"{value:>20}" if isinstance(value, int) else str(value)


@dataclass(frozen=True)
class RefSet(Type):
    """A set of objects of `kind` (a plan's cases): ids when sent, `{case_id, …}` when read (section 10)."""

    kind: str
    read_key: str

    @property
    def takes(self) -> str:
        return f'a list of keys of {self.kind}s, {{external: "Exact title"}} or {{external_id: 12}}'

    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": ref_schema(self.kind)}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        nodes = sequence(node, row, reporter, f"keys of {self.kind}s")
        if nodes is None:
            return INVALID
        found: list[JSON] = []
        for item in nodes:
            if is_null(item):
                reporter.error(
                    item, "empty-item", f"An item of `{row.name}` is empty.", "Write a key, or drop the line."
                )
                continue
            ref = parse_ref(item, self.kind, row, reporter)
            if ref in found:
                reporter.warning(item, "repeated-item", f"`{row.name}` names the same {self.kind} twice.")
            elif ref is not INVALID:
                found.append(ref)
        return found

    def canon(self, value: JSON) -> JSON:
        return sorted(value or (), key=_identity)

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        for item in value or ():
            yield self.kind, item

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        return [visit(self.kind, item) for item in value or ()]

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        items = entity.get(row.reads, UNSET)
        if items is UNSET or items is None:
            return UNSET
        return [int(item[self.read_key]) if isinstance(item, dict) else int(item) for item in items]


ATTACHMENT_HASH = re.compile(r"/attachments?/(?:[^/]+/)?([0-9a-f]{32,64})(?:/|$|\?|\.)")


def attachment_hash(item: dict[str, Any]) -> str:
    """The hash of an attachment as read: its own key, else the path segment of its url (section 7.5)."""
    if item.get("hash"):
        return str(item["hash"])
    found = ATTACHMENT_HASH.search(str(item.get("url") or item.get("full_path") or ""))
    return found.group(1) if found else str(item.get("url") or item.get("filename"))


def read_attachments(items: Any, context: Decoding) -> list[str]:
    """Attachment objects -> hashes, noting name, size and url of each in the context."""
    hashes = []
    for item in items or ():
        if isinstance(item, str):
            hashes.append(item)
            continue
        hash = attachment_hash(item)
        context.files[hash] = {
            "name": item.get("filename") or item.get("file") or "",
            "size": item.get("size"),
            "url": item.get("url") or item.get("full_path"),
        }
        hashes.append(hash)
    return hashes


def parse_paths(node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
    """A list of file paths, each `{"path": text as written}`; whether they exist is checked when all is read."""
    nodes = sequence(node, row, reporter, "paths of files beside this one")
    if nodes is None:
        return INVALID
    found = []
    for item in nodes:
        path = scalar(item, row, reporter, "a path")
        if path is None:
            continue
        if is_null(item) or not path.strip():
            reporter.error(item, "empty-item", f"An item of `{row.name}` is empty.", "Write a path, or drop the line.")
        else:
            found.append({"path": path})
    return found


@dataclass(frozen=True)
class Files(Type):
    """Files by path; hashes at the API. Their order is kept, since it is what people see."""

    @property
    def takes(self) -> str:
        return "a list of paths, relative to this file, inside the project folder"

    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": {"type": ["string", "number"], "minLength": 1}}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        return parse_paths(node, row, reporter)

    def canon(self, value: JSON) -> JSON:
        return list(value or ())

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        for item in value or ():
            yield "attachment", item

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        return [visit("attachment", item) for item in value or ()]

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: list(value or ())}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        items = entity.get(row.reads, UNSET)
        return UNSET if items is UNSET else read_attachments(items, context)
