"""Rules that select cases into a plan: each key must match, one value of each is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from qase_iac.attributes.base import INVALID, Attribute, Reporter, Type, is_boolean, is_null
from qase_iac.attributes.refs import parse_ref, ref_schema
from qase_iac.attributes.text import text_of
from qase_iac.values import JSON, printable

RULE_KEYS = (
    "suites",
    "tags",
    "severity",
    "priority",
    "type",
    "layer",
    "behavior",
    "status",
    "automation",
    "flaky",
    "milestone",
)


@dataclass(frozen=True)
class Rules(Type):
    """A mapping from rule key to a list of values; a value alone is a list of one."""

    @property
    def takes(self) -> str:
        return f"a mapping over {', '.join(RULE_KEYS)}; each takes a value or a list of values"

    def schema(self) -> dict[str, Any]:
        words = {"type": ["string", "number"], "minLength": 1}
        flag = {"type": "boolean"}

        def listed(item: dict[str, Any]) -> dict[str, Any]:
            return {"anyOf": [item, {"type": "array", "minItems": 1, "items": item}]}

        keys = {name: listed(words) for name in RULE_KEYS}
        keys["flaky"] = listed(flag)
        keys["milestone"] = listed(ref_schema("milestone"))
        return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": keys}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if not isinstance(node, yaml.MappingNode) or not node.value:
            detail = f"Write:\n{row.name}:\n  tags: [smoke]"
            reporter.error(node, "wrong-type", f"`{row.name}` takes a mapping of rules.", detail)
            return INVALID
        rules: dict[str, JSON] = {}
        sound = True
        for key, key_node, value in reporter.items(node):
            if key not in RULE_KEYS:
                hint = reporter.nearest(key, RULE_KEYS)
                reporter.error(
                    key_node,
                    "unknown-attribute",
                    f"`{row.name}` has no rule {printable(key)!r}.{hint}",
                    f"It takes {', '.join(RULE_KEYS)}.",
                )
                sound = False
                continue
            values = self._values(key, value, reporter)
            sound = sound and values is not INVALID
            rules[key] = values
        return rules if sound else INVALID

    def _values(self, key: str, node: yaml.Node, reporter: Reporter) -> JSON:
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not nodes or is_null(node):
            reporter.error(node, "empty-rule", f"The rule `{key}` is empty.", "Name a value, or drop the line.")
            return INVALID
        row = Attribute(key, self, "")
        values = [self._value(key, item, row, reporter) for item in nodes]
        return INVALID if INVALID in values else values

    def _value(self, key: str, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if key == "flaky":
            if is_boolean(node):
                return node.value == "true"
            reporter.error(node, "wrong-type", "The rule `flaky` takes true or false.", "Write `flaky: true`.")
            return INVALID
        if key == "milestone":
            return parse_ref(node, "milestone", row, reporter)
        if is_null(node) or (isinstance(node, yaml.ScalarNode) and not node.value.strip()):
            reporter.error(node, "empty-rule", f"A value of the rule `{key}` is empty.", "Write one, or drop it.")
            return INVALID
        text = text_of(node, row, reporter)
        return text if text is INVALID else text.strip()
