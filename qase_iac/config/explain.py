"""jsonschema explains what is wrong with a document that the parser rejected.

It costs more than parsing, so it runs only on such documents, and says something only where the parser did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import yaml

from qase_iac.attributes.base import is_boolean, is_null
from qase_iac.config.reporter import FileReporter
from qase_iac.config.schema import schema_of
from qase_iac.config.yaml_mapping import source
from qase_iac.diagnostics import Diagnostic
from qase_iac.values import JSON, printable

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?\Z")


def explain(root: yaml.Node, shape: str, name: str, known: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What the JSON Schema of that shape has against a document, where `known` says nothing about the place."""
    lines = {diagnostic.source.line for diagnostic in known}
    found = []
    for node, key, message in _errors(root, shape, name):
        place = source(key or node, name)
        if not lines & set(range(place.line, source(node, name).end_line + 1)):
            found.append(Diagnostic("schema", f"{printable(message)}.", "The JSON Schema of this file says so.", place))
    return sorted(dict.fromkeys(found), key=Diagnostic.sort_key)


def accepts(root: yaml.Node, shape: str) -> bool:
    """Whether the schema of that shape accepts a document."""
    return bool(_validator(shape).is_valid(as_json(root)))


def as_json(node: yaml.Node) -> JSON:
    """A document as editors see it (the core schema of YAML 1.2), merge keys expanded, keys as they are written."""
    if isinstance(node, yaml.MappingNode):
        return {name: as_json(value) for name, _, value in FileReporter("").items(node)}
    if isinstance(node, yaml.SequenceNode):
        return [as_json(item) for item in node.value]
    if is_null(node):
        return None
    if is_boolean(node):
        return node.value == "true"
    assert isinstance(node, yaml.ScalarNode)
    text: str = node.value
    if not node.style:
        if _INTEGER.match(text):
            return int(text)
        if _FLOAT.match(text):
            return float(text)
    return text


@lru_cache(maxsize=8)
def _validator(shape: str) -> Any:
    from jsonschema import Draft7Validator  # slow to import, and only rejected files need it

    return Draft7Validator(schema_of(shape))


def _errors(root: yaml.Node, shape: str, name: str) -> Iterable[tuple[yaml.Node, yaml.Node | None, str]]:
    """(node, key of an unknown attribute or None, message) for every error."""
    from jsonschema.exceptions import best_match

    for error in _validator(shape).iter_errors(as_json(root)):
        best = best_match([error])
        if best.validator == "required":
            continue  # the tables' parser says that of every object, at its key
        node = _walk(root, list(best.absolute_path), name)
        message = best.message if len(best.message) <= 200 else f"{best.message[:200]} …"
        if best.validator == "additionalProperties" and isinstance(node, yaml.MappingNode):
            allowed = best.schema.get("properties", {})
            patterns = list(best.schema.get("patternProperties", {}))
            for each, key, _ in FileReporter(name).items(node):
                if each not in allowed and not any(re.search(pattern, each) for pattern in patterns):
                    yield key, key, f"{each!r} is not allowed here"
        else:
            yield node, None, message


def _walk(node: yaml.Node, path: list[str | int], name: str) -> yaml.Node:
    for step in path:
        if isinstance(step, int) and isinstance(node, yaml.SequenceNode):
            node = node.value[step]
        elif isinstance(node, yaml.MappingNode):
            node = next(value for each, _, value in FileReporter(name).items(node) if each == step)
    return node
