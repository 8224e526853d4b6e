"""Files that read well, but not as they were meant: texts that became lists, mappings, anchors or tags."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import yaml

from qase_iac.config.yaml_slips import BREAK, Slip, described, numbered, quote, unquoted

_COLON = re.compile(r"[ \t]*:")
_MISSPELT = 80
"""How like a key is to one that may stand there, from 0 to 100, to be that one misspelt."""


def _line_at(text: str, mark: Any) -> str:
    return _rest(text, mark.index - mark.column)


def _rest(text: str, index: int) -> str:
    """What stands between `index` and the end of its line."""
    end = BREAK.search(text, index)
    return text[index : end.start()] if end else text[index:]


def property_slip(text: str, event: Any, start: str) -> Slip:
    """A text whose first word became an anchor (&) or a tag (!)."""
    begin, end = event.start_mark, event.end_mark
    return _requoted(text, begin, end.index, start)


def _requoted(text: str, begin: Any, end: int, start: str) -> Slip:
    line = _line_at(text, begin)
    meant = text[begin.index : end].rstrip()
    one_line = not BREAK.search(meant)
    rest = _rest(text, begin.index + len(meant)) if one_line else ""
    fixed = line[: begin.column] + quote(meant) + rest
    return unquoted(start, begin.line, begin.column, numbered(line, begin.line, begin.column), fixed)


def text_slip(node: yaml.Node, text: str, known: Collection[str] = ()) -> Slip | None:
    """Why a text became a list or a mapping, when that looks like a slip: `- Note: the form`, `- [ ] todo`, `{{name}}`.

    `text` is the text of the document, `known` the keys that a mapping may have here: one that is nearly one of them is
    a misspelling, not a text.
    """
    if isinstance(node, yaml.SequenceNode):
        return _list_slip(node, text)
    if not isinstance(node, yaml.MappingNode):
        return None
    bare = not node.value or not isinstance(node.value[0][0], yaml.ScalarNode) or _no_colon(*node.value[0])
    if node.flow_style and bare:
        return _requoted(text, node.start_mark, node.end_mark.index, "{")
    return note_slip(node, text, known)


def _list_slip(node: yaml.SequenceNode, text: str) -> Slip | None:
    if node.flow_style and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return _requoted(text, node.start_mark, node.end_mark.index, "[")
    mark = node.start_mark
    inline = not node.flow_style and bool(_line_at(text, mark)[: mark.column].strip())
    if inline and len(node.value) == 1 and isinstance(node.value[0], yaml.ScalarNode):
        return _requoted(text, node.start_mark, node.value[0].end_mark.index, "-")
    return None


def note_slip(node: yaml.Node, text: str, known: Collection[str] = ()) -> Slip | None:
    """`- Note: the form`: a text that became a mapping of one pair, since a colon stands in it."""
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return None
    key, value = node.value[0]
    if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode) or value.style in ("|", ">"):
        return None
    from rapidfuzz import fuzz  # only broken input needs it

    quoted_in_braces = key.style and node.flow_style
    if quoted_in_braces or any(fuzz.ratio(key.value.casefold(), name) >= _MISSPELT for name in known):
        return None
    start = text[node.start_mark.index : node.start_mark.index + 1]
    if start == "{":
        return _requoted(text, node.start_mark, node.end_mark.index, start)
    colon = _COLON.match(text, key.end_mark.index)
    end = max(value.end_mark.index, colon.end() if colon else key.end_mark.index)
    return _requoted(text, node.start_mark, end, "?" if start == "?" else ":")


def _no_colon(key: yaml.Node, value: yaml.Node) -> bool:
    marks = (key.end_mark.index, value.start_mark.index, value.end_mark.index)
    return isinstance(value, yaml.ScalarNode) and not value.style and len(set(marks)) == 1


def no_colon(node: yaml.MappingNode, index: int) -> bool:
    """Whether a pair in { } was written as a word alone."""
    return bool(node.flow_style) and _no_colon(*node.value[index])


def comma_slip(node: yaml.MappingNode, index: int, text: str) -> Slip:
    """`{action: Enter a, b}`: what follows the comma became a key without a colon (`no_colon`)."""
    if index == 0:
        return _requoted(text, node.start_mark, node.end_mark.index, "{")
    begin, last = node.value[index - 1][1].start_mark, index
    while last + 1 < len(node.value) and no_colon(node, last + 1):
        last += 1
    end = node.value[last][0].end_mark.index
    line = _line_at(text, begin)
    fixed = line[: begin.column] + quote(text[begin.index : end]) + _rest(text, end)
    why = "Inside { } a comma ends the text, and what follows is taken for a key."
    detail = described(why, numbered(line, begin.line, begin.column), fixed)
    return Slip("comma-in-braces", "A text inside { } holds a comma.", detail, begin.line, begin.column, fixed)


def key_hint(key: yaml.Node, text: str) -> str:
    """What to write instead of a key that is a list or a mapping."""
    mark = key.start_mark
    return f"If a text is meant, put quotes around all of it:\n{numbered(_line_at(text, mark), mark.line, mark.column)}"
