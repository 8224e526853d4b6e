"""Mappings out of nodes: pairs in their order, `<<` expanded, duplicates and odd keys reported; and places of nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from qase_iac.attributes.base import is_null
from qase_iac.config.yaml_misread import comma_slip, key_hint, no_colon
from qase_iac.diagnostics import SourceRange
from qase_iac.values import printable

ErrorSink = Callable[[yaml.Node, str, str, str], None]
"""(node, code, summary, detail): how problems of a node are reported; `Reporter.error` is one."""


def mapping_items(
    node: yaml.Node, error: ErrorSink, text: str = ""
) -> Iterator[tuple[str, yaml.ScalarNode, yaml.Node]]:
    """The pairs of a mapping as (key, key node, value node) in the order of the file.

    `<<` is expanded where it stands; a key written here wins over a merged one. A key is its source text
    (`no`, `1.10`). Duplicates, keys that are no text, bad merges and a comma in braces are reported, and the pair is
    left out. Anything but a mapping has no pairs. `text` is the text of the document, for the corrected line.
    """
    if not isinstance(node, yaml.MappingNode):
        return
    merged = _merged(node, error, text) if any(_is_merge(key) for key, _ in node.value) else {}
    own: dict[str, yaml.ScalarNode] = {}
    done: set[str] = set()
    written = {key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and not _is_merge(key)}
    for index, (key, value) in enumerate(node.value):
        if _is_merge(key):
            for name, (merged_key, merged_value) in merged.items():
                if name not in written and name not in done:
                    done.add(name)
                    yield name, merged_key, merged_value
        elif _usable(node, index, own, error, text):
            own[key.value] = key
            yield key.value, key, value


def _is_merge(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style


def _usable(node: yaml.MappingNode, index: int, own: dict[str, yaml.ScalarNode], error: ErrorSink, text: str) -> bool:
    key = node.value[index][0]
    if no_colon(node, index):
        if index == 0 or not no_colon(node, index - 1):
            slip = comma_slip(node, index, text)
            error(key if index else node, slip.code, slip.summary, slip.detail)
    elif not isinstance(key, yaml.ScalarNode):
        error(key, "complex-key", "A key must be a text, not a list or a mapping.", key_hint(key, text))
    elif is_null(key):
        detail = 'Write a name before the colon; a key that is really called null stands in quotes: "null".'
        error(key, "null-key", "A key is empty or null.", detail)
    elif key.value in own:
        first = own[key.value].start_mark
        where = f"line {first.line + 1}, column {first.column + 1}"
        detail = f"It stands first at {where}. Only one of the two can count: keep one, or rename it."
        error(key, "duplicate-key", f"The key `{printable(key.value)}` stands twice in one mapping.", detail)
    else:
        return True
    return False


def _merged(node: yaml.MappingNode, error: ErrorSink, text: str) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
    found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    for value in (value for key, value in node.value if _is_merge(key)):
        for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(part, yaml.MappingNode):
                detail = "Write `<<: *name`, or `<<: [*one, *two]`, where each name is the &anchor of a mapping."
                error(part, "bad-merge", "`<<` takes mappings only.", detail)
            for name, key, item in mapping_items(part, lambda *_: None, text):
                found.setdefault(name, (key, item))
    return found


def source(node: yaml.Node, name: str) -> SourceRange:
    """Where a node stands, 1-based; the end is the place just after its last character."""
    start, end = node.start_mark, _end(node)
    return SourceRange(name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _end(node: yaml.Node) -> Any:
    """The end mark; block collections end where their last value does, not at the token that follows."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node.end_mark
