"""Parameters of a case (qase-api.md section 7.6).

Canonical: a list of `{name: [values]}` (one name: single; several: a group whose lists run in step) and
`{"shared": ref}` (a shared parameter, by its title).
"""

from __future__ import annotations

import json
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
    sequence,
)
from qase_iac.attributes.text import text_of
from qase_iac.model import Catalogue
from qase_iac.values import JSON, printable


@dataclass(frozen=True)
class Parameters(Type):
    @property
    def takes(self) -> str:
        return "a mapping from name to values; or a list of such mappings, where several names in one item are a group"

    def schema(self) -> dict[str, Any]:
        values = {"type": "array", "minItems": 1, "items": {"type": ["string", "number"]}}
        mapping = {"type": "object", "additionalProperties": values}
        shared = {
            "type": "object",
            "required": ["shared"],
            "properties": {"shared": {"type": "string", "minLength": 1}},
        }
        item = {"anyOf": [{**mapping, "minProperties": 1}, {**shared, "additionalProperties": False}]}
        return {"anyOf": [mapping, {"type": "array", "items": item}, {"type": "null"}]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if is_null(node):
            return []
        seen: set[str] = set()
        if isinstance(node, yaml.MappingNode):
            pairs = list(reporter.items(node))
            items = [{name: self._values(name, value, seen, key, reporter, False)} for name, key, value in pairs]
            return INVALID if any(INVALID in item.values() for item in items) else items
        if isinstance(node, yaml.ScalarNode):
            detail = f"Write:\n{row.name}:\n  currency: [EUR, USD]"
            reporter.error(node, "wrong-type", f"`{row.name}` takes names with their values, not one value.", detail)
            return INVALID
        nodes = sequence(node, row, reporter, "mappings from name to values")
        if nodes is None:
            return INVALID
        parsed = [self._item(item, row, seen, reporter) for item in nodes]
        return INVALID if INVALID in parsed else parsed

    def _item(self, node: yaml.Node, row: Attribute, seen: set[str], reporter: Reporter) -> JSON:
        if not isinstance(node, yaml.MappingNode) or not node.value:
            reporter.error(
                node,
                "wrong-type",
                "An item of `parameters` takes a name and its values.",
                "Write:\n- currency: [EUR, USD]",
            )
            return INVALID
        pairs = list(reporter.items(node))
        if len(pairs) == 1 and pairs[0][0] == "shared" and isinstance(pairs[0][2], yaml.ScalarNode):
            title = text_of(pairs[0][2], Attribute("shared", self, ""), reporter)
            if title is INVALID or not title:
                return INVALID
            return {"shared": {"external": title.strip()}}
        group = {name: self._values(name, value, seen, key, reporter, len(pairs) > 1) for name, key, value in pairs}
        if INVALID in group.values():
            return INVALID
        lengths = {name: len(values) for name, values in group.items()}
        if len(set(lengths.values())) > 1:
            reporter.error(
                node,
                "uneven-group",
                "The lists of this parameter group differ in length.",
                "Values of a group move together, so each list needs the same number: "
                + ", ".join(f"{printable(name)} has {count}" for name, count in lengths.items())
                + ".",
            )
            return INVALID
        return group

    def _values(
        self, name: str, node: yaml.Node, seen: set[str], key: yaml.Node, reporter: Reporter, grouped: bool
    ) -> JSON:
        if name in seen:
            reporter.error(key, "repeated-item", f"The parameter {printable(name)!r} stands here twice.", "Keep one.")
            return INVALID
        seen.add(name)
        row = Attribute(name, self, "")
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            reporter.error(
                node,
                "wrong-type",
                f"The parameter {printable(name)!r} takes a list of values.",
                f"Write `{printable(name)}: [one, two]`.",
            )
            return INVALID
        values = [text_of(item, row, reporter) for item in node.value]
        if INVALID in values:
            return INVALID
        if any(value is None or not value.strip() for value in values):
            reporter.error(node, "empty-item", f"A value of the parameter {printable(name)!r} is empty.", "Drop it.")
            return INVALID
        if not grouped and len(set(values)) < len(values):
            reporter.error(
                node,
                "repeated-item",
                f"A value of the parameter {printable(name)!r} repeats.",
                "Values repeat only inside a group.",
            )
            return INVALID
        return values

    def canon(self, value: JSON) -> JSON:
        return sorted(value or (), key=lambda item: json.dumps(item, sort_keys=True, ensure_ascii=False))

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        for item in value or ():
            if _is_shared(item):
                yield "shared_parameter", item["shared"]

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        return [{"shared": visit("shared_parameter", i["shared"])} if _is_shared(i) else i for i in value or ()]

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {row.writes: [_encode_item(item) for item in value or ()]}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        served = entity.get("parameters", UNSET)
        if served is UNSET or served is None:
            old = entity.get("params", UNSET)  # an empty PHP array reads as [], a filled one as an object
            if old is UNSET:
                return UNSET if served is UNSET else []
            return [{name: [str(v) for v in values]} for name, values in old.items()] if isinstance(old, dict) else []
        return [_decode_item(item) for item in served]


def _is_shared(item: JSON) -> bool:
    return set(item) == {"shared"} and not isinstance(item["shared"], list)


def _encode_item(item: dict[str, JSON]) -> dict[str, JSON]:
    if _is_shared(item):
        return {"shared_id": item["shared"]}
    entries = [{"title": name, "values": list(values)} for name, values in item.items()]
    return entries[0] if len(entries) == 1 else {"items": entries}


def _decode_item(item: dict[str, Any]) -> JSON:
    if item.get("shared_id"):
        return {"shared": item["shared_id"]}
    entries = item.get("items") or [item.get("item") or item]
    return {entry["title"]: [str(value) for value in entry.get("values") or ()] for entry in entries}
