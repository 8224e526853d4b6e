"""Steps of cases and shared steps, and gherkin.

Canonical step: `{"action", "data", "expected", "attachments", "steps"}` with empty keys left out, or `{"shared": ref}`.
In DESIRED an explicit `attachments: []` is kept: an omitted one is carried over from the live step (authoring.md).
"""

from __future__ import annotations

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
    is_plain,
    sequence,
)
from qase_iac.attributes.refs import parse_paths, parse_ref, ref_schema
from qase_iac.attributes.step_rows import STEP_TEXTS, canonical_step, decode_rows, decode_step, encode_step
from qase_iac.attributes.text import normal_text, text_of
from qase_iac.model import Catalogue
from qase_iac.values import JSON, printable

STEP_KEYS = (*STEP_TEXTS, "attachments", "steps", "shared")
_PARTS = {name: Attribute(name, Type(), "") for name in STEP_KEYS}
"""Rows that only name what is read, made once: there are many steps."""


@dataclass(frozen=True)
class Steps(Type):
    """A list of steps. `shared_allowed`: whether a step may point at a shared step. `typed`: whether the body
    says `steps_type` (cases do, always together with the steps: section 7.4)."""

    shared_allowed: bool = True
    typed: bool = True
    at_least_one: bool = False

    @property
    def takes(self) -> str:
        shared = ", or `shared:` with a shared step's key" if self.shared_allowed else ""
        return f"a list of steps: a text, or `action`, `data`, `expected`, `attachments`, `steps`{shared}"

    def schema(self) -> dict[str, Any]:
        ref = "#/definitions/step" if self.shared_allowed else "#/definitions/plain_step"
        schema: dict[str, Any] = {"type": ["array", "null"], "items": {"$ref": ref}}
        return {"type": "array", "items": {"$ref": ref}, "minItems": 1} if self.at_least_one else schema

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        nodes = sequence(node, row, reporter, "steps")
        if nodes is None:
            return INVALID
        if not nodes and self.at_least_one:
            reporter.error(node, "no-steps", f"`{row.name}` is empty.", "A shared step holds at least one step.")
            return INVALID
        return self._parse_list(nodes, row, reporter, depth=0)

    def _parse_list(self, nodes: list[yaml.Node], row: Attribute, reporter: Reporter, depth: int) -> list[JSON]:
        if depth and nodes and not self.shared_allowed:
            reporter.warning(
                nodes[0],
                "nested-shared-step",
                "Steps are nested inside a shared step.",
                "The API keeps them, but Qase's own interface does not show them.",
            )
        steps = [self._parse_step(node, row, reporter, depth) for node in nodes]
        return [step for step in steps if step is not INVALID]

    def _parse_step(self, node: yaml.Node, row: Attribute, reporter: Reporter, depth: int) -> JSON:
        if isinstance(node, yaml.MappingNode):
            return self._parse_mapping(node, row, reporter, depth)
        text = text_of(node, row, reporter)
        if text is INVALID:
            return INVALID
        if not normal_text(text):
            reporter.error(node, "empty-step", "This step is empty.", "Write what to do, or drop the line.")
            return INVALID
        if ":" in text and is_plain(node):
            _warn_of_missing_space(node, text, reporter)
        return {"action": text}

    def _parse_mapping(self, node: yaml.MappingNode, row: Attribute, reporter: Reporter, depth: int) -> JSON:
        pairs = list(reporter.items(node))
        names = {key for key, _, _ in pairs}
        if not node.value:
            reporter.error(node, "empty-step", "This step is empty.", "Write what to do, or drop the line.")
            return INVALID
        if not pairs or (not names & set(STEP_KEYS) and reporter.slip(node)):
            return INVALID
        if "shared" in names:
            return self._parse_shared(node, pairs, row, reporter)
        step: dict[str, JSON] = {}
        sound = True
        for key, key_node, value in pairs:
            parsed = self._parse_part(key, key_node, value, row, reporter, depth)
            sound = sound and parsed is not INVALID
            if parsed not in (INVALID, None, "") and not (parsed == [] and key == "steps"):
                step[key] = parsed
        if sound and "action" not in step:
            missing = "is empty" if "action" in names else "is missing"
            reporter.error(
                node,
                "empty-step",
                f"The `action` of this step {missing}.",
                "Qase refuses a step without one. Write `action: …`, or drop the step.",
            )
            return INVALID
        return step if sound else INVALID

    def _parse_part(
        self, key: str, key_node: yaml.Node, value: yaml.Node, row: Attribute, reporter: Reporter, depth: int
    ) -> JSON:
        part = _PARTS.get(key) or Attribute(key, self, "")
        if key in STEP_TEXTS:
            text = text_of(value, part, reporter)
            return text if text is INVALID or normal_text(text) else None
        if key == "attachments":
            return parse_paths(value, part, reporter)
        if key == "steps":
            nodes = sequence(value, part, reporter, "steps")
            return INVALID if nodes is None else self._parse_list(nodes, row, reporter, depth + 1)
        if not reporter.slip(key_node):
            reporter.error(
                key_node,
                "unknown-attribute",
                f"A step has no `{printable(key)}`.{reporter.nearest(key, STEP_KEYS)}",
                f"It takes {', '.join(STEP_KEYS)}. A text that holds a colon must be quoted.",
            )
        return INVALID

    def _parse_shared(self, node: yaml.MappingNode, pairs: list[Any], row: Attribute, reporter: Reporter) -> JSON:
        if not self.shared_allowed:
            reporter.error(
                node,
                "shared-in-shared",
                "A shared step cannot use another shared step.",
                "Write its steps here.",
            )
            return INVALID
        if len(pairs) > 1:
            reporter.error(
                node,
                "shared-and-more",
                "A step with `shared` takes nothing else.",
                "What the shared step says stands at its own declaration. Put other steps before or after it.",
            )
            return INVALID
        if is_null(pairs[0][2]):
            reporter.error(pairs[0][2], "empty-step", "`shared` is empty.", "Write the key of a shared step.")
            return INVALID
        ref = parse_ref(pairs[0][2], "shared_step", Attribute("shared", self, ""), reporter)
        return INVALID if ref is INVALID else {"shared": ref}

    def canon(self, value: JSON) -> JSON:
        return [canonical_step(step) for step in value or ()]

    def surely_holds(self, value: JSON) -> bool:
        if value.__class__ is not list:
            return False
        for step in value:
            if step.__class__ is not dict or not step.keys() <= STEP_TEXTS.keys():
                return False
            for text in step.values():
                if text.__class__ is not str:
                    return False
        return True

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        for step in value or ():
            if "shared" in step:
                yield "shared_step", step["shared"]
            for file in step.get("attachments", ()):
                yield "attachment", file
            if "steps" in step:
                yield from self.refs(step["steps"])

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        return [self._rebind_step(step, visit) for step in value or ()]

    def _rebind_step(self, step: dict[str, JSON], visit: RefVisitor) -> JSON:
        if "shared" in step:
            return {"shared": visit("shared_step", step["shared"])}
        if "attachments" not in step and "steps" not in step:
            return step
        bound = dict(step)
        if "attachments" in step:
            bound["attachments"] = [visit("attachment", file) for file in step["attachments"]]
        if "steps" in step:
            bound["steps"] = self.rebind(step["steps"], visit)
        return bound

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        body: dict[str, JSON] = {"steps_type": "classic"} if self.typed else {}
        return body | {row.writes: [encode_step(step) for step in value or ()]}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        if self.typed and entity.get("steps_type") == "gherkin":
            return UNSET
        rows = entity.get(row.reads, UNSET)
        if rows is UNSET and entity.get("action"):
            # The 2020 dialect has one step a shared step, spread over the top level (section 8).
            return [decode_step({key: entity.get(key) for key in STEP_TEXTS.values()}, context)]
        return UNSET if rows is UNSET else decode_rows(rows or [], context)


def _warn_of_missing_space(node: yaml.Node, text: str, reporter: Reporter) -> None:
    """`- shared:sign-in` is a text for YAML."""
    name, _, rest = text.partition(":")
    if name in STEP_KEYS:
        detail = f"Write `{name}: {printable(rest)}`, with a space after the colon; if a text is meant, quote it."
        reporter.warning(node, "missing-space", f"This step is the text {printable(text)!r}.", detail)


@dataclass(frozen=True)
class Gherkin(Type):
    """A scenario as one text: sent as the `value` of one step, read from its `action` (section 7.4)."""

    @property
    def takes(self) -> str:
        return "a scenario as one text: Given, When, Then"

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "null"]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        return text_of(node, row, reporter)

    def canon(self, value: JSON) -> JSON:
        return normal_text(value)

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {"steps_type": "gherkin", "steps": [{"value": value}] if normal_text(value) else []}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        if entity.get("steps_type") != "gherkin":
            return UNSET
        texts = [step.get("action") or step.get("value") or "" for step in entity.get("steps") or ()]
        return "\n".join(text for text in texts if text)


def step_definitions() -> dict[str, Any]:
    """The JSON Schema definitions that `Steps.schema` points at."""
    text = {"type": ["string", "number", "null"]}
    files = {"type": ["array", "null"], "items": {"type": ["string", "number"], "minLength": 1}}

    def mapping(ref: str) -> dict[str, Any]:
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["action"],
            "properties": {
                "action": {
                    "type": ["string", "number"],
                    "minLength": 1,
                    "description": "What to do. Markdown.",
                },
                "data": {**text, "description": "Input data. Markdown."},
                "expected": {**text, "description": "What should happen. Markdown."},
                "attachments": {**files, "description": "Files beside this one; uploaded once."},
                "steps": {"type": ["array", "null"], "items": {"$ref": ref}, "description": "Nested steps."},
            },
        }

    simple = {"type": ["string", "number"], "minLength": 1, "description": "A step that is only an action."}
    shared = {
        "type": "object",
        "additionalProperties": False,
        "required": ["shared"],
        "properties": {"shared": {**ref_schema("shared_step"), "description": "A shared step's key."}},
    }
    return {
        "step": {"anyOf": [simple, mapping("#/definitions/step"), shared]},
        "plain_step": {"anyOf": [simple, mapping("#/definitions/plain_step")]},
    }
