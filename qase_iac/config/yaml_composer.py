"""PyYAML's C composer with bounds, since it crashes the process on deep nesting; and what else a file may not hold.

Implicit tags are not resolved: the tag of a node is "" unless one is written, and what a plain scalar means is for the
attribute that reads it to say. Plain scalars have an empty style, quoted and block scalars do not.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.config.yaml_document import Document
from qase_iac.config.yaml_misread import property_slip
from qase_iac.config.yaml_slips import excerpt
from qase_iac.values import printable

MAX_DEPTH = 200
MAX_NODES = 1_000_000
_STANDARD = "tag:yaml.org,2002:"
_TAGS = {
    "scalar": frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "timestamp")),
    "sequence": frozenset([_STANDARD + "seq"]),
    "mapping": frozenset([_STANDARD + "map"]),
}


class Refused(yaml.MarkedYAMLError):
    """Too deep or too many nodes."""


class _Composer(CParser):
    """The C composer with a depth and a node count; it calls these hooks for every node."""

    depth = 0
    count = 0

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH:
            raise Refused(problem="nested-too-deep", problem_mark=parent.start_mark if parent else None)
        if self.count > MAX_NODES:
            raise Refused(problem="too-many-nodes", problem_mark=parent.start_mark if parent else None)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        return ""


class _ShallowComposer(CParser):
    """For a file that cannot nest deeply: the same without bounds, a third faster since no hook runs Python code.

    What stands here takes the composer's arguments and does nothing with them.
    """

    descend_resolver: Any = {}.get
    ascend_resolver = int
    resolve = staticmethod("".format)


_INDENTED = bytes.maketrans(b"\t?:-", b"    ")
_MOST_INDENT, _MOST_FLOWS = 60, 77


def _is_shallow(data: bytes) -> bool:
    """Whether a glance tells that neither bound can be met.

    A block level begins in a column of its own, to which nothing but indicators leads, or is the list of a mapping in
    the same column; a flow level takes a bracket. No byte makes more than two nodes.
    """
    flows = data.count(b"[") + data.count(b"{")
    shallow = flows <= _MOST_FLOWS and b" " * _MOST_INDENT not in data.translate(_INDENTED)
    return shallow and 2 * len(data) < MAX_NODES  # and at most 2 * (60 + 1) + 77 + 1 = MAX_DEPTH levels


def composed(data: bytes) -> yaml.Node | None:
    """The one document as nodes, None when there is none. Raises Refused, YAMLError."""
    parser = _ShallowComposer(data) if _is_shallow(data) else _Composer(data)
    node: yaml.Node | None = parser.get_single_node()
    return node


def refuse(document: Document, code: str, mark: Any) -> None:
    """Notes why a file is not read at all; `code` is the problem of a Refused."""
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    if code == "nested-too-deep":
        summary = f"More than {MAX_DEPTH} levels are nested here."
        detail = "No test case needs that; it may be a file of another kind. Write it flatter, or `exclude:` the file."
    else:
        summary = f"The file has more than {MAX_NODES:,} values, aliases expanded."
        detail = "Reading it would take all memory. Split it by suite, or say less with anchors and aliases."
    document.root = None
    document.add(code, summary, detail, line, column)


def _has_properties(text: str) -> bool:
    """Whether a & or ! stands where a node can begin: first on a line, or after an indicator. A glance, not a parse."""
    for match in re.finditer("[&!]", text):
        at = match.start()
        while at and text[at - 1] in " \t":
            at -= 1
        if not at or text[at - 1] in "-?:,[{\r\n\x85\u2028\u2029":
            return True
    return False


def check_properties(document: Document) -> None:
    """Tags, anchors and what aliases expand to. Most files have none, and a glance at the text tells."""
    if document.root is None or not _has_properties(document.text):
        return
    parser = CParser(document.text.encode())
    anchors: dict[str, Any] = {}
    used: set[Any] = set()
    tagged = False
    while (event := parser.get_event()) is not None:
        if isinstance(event, yaml.AliasEvent):
            used.add(event.anchor)
        elif isinstance(event, yaml.NodeEvent):
            if event.anchor:
                anchors.setdefault(event.anchor, event)
            if getattr(event, "tag", None):
                tagged = True
                _check_tag(document, event)
    for anchor, event in anchors.items():
        if anchor not in used and isinstance(event, yaml.ScalarEvent) and not event.style:
            document.add_slip(property_slip(document.text, event, "&"))
    if used or tagged:
        _measure(document)


def _check_tag(document: Document, event: Any) -> None:
    kind = {yaml.ScalarEvent: "scalar", yaml.SequenceStartEvent: "sequence"}.get(type(event), "mapping")
    if event.tag in _TAGS[kind]:
        return
    if isinstance(event, yaml.ScalarEvent) and not event.style and not str(event.tag).startswith(_STANDARD):
        document.add_slip(property_slip(document.text, event, "!"))
        return
    mark = event.start_mark
    shown = printable(event.tag.replace(_STANDARD, "!!"))
    detail = f"Tags would turn text into something else. Remove it.\n{excerpt(document.text, mark.line)}"
    document.add("foreign-tag", f"The tag {shown} is not allowed here.", detail, mark.line + 1, mark.column + 1)


def _measure(document: Document) -> None:
    """Counts nodes with aliases expanded and refuses rings. `!!str` makes a plain scalar text for good."""
    sizes: dict[int, tuple[int, int] | None] = {}

    def size(node: yaml.Node) -> tuple[int, int]:
        if isinstance(node, yaml.ScalarNode):
            if node.tag == _STANDARD + "str":
                node.style = node.style or "'"
            return 1, 1
        if id(node) in sizes:
            known = sizes[id(node)]
            if known is None:
                raise Refused(problem="recursive-alias", problem_mark=node.start_mark)
            return known
        sizes[id(node)] = None
        total, deepest = 1, 0
        mapping = isinstance(node, yaml.MappingNode)
        for child in (part for pair in node.value for part in pair) if mapping else node.value:
            count, depth = size(child)
            total, deepest = total + count, max(deepest, depth)
        if total > MAX_NODES or deepest >= MAX_DEPTH:
            code = "too-many-nodes" if total > MAX_NODES else "nested-too-deep"
            raise Refused(problem=code, problem_mark=node.start_mark)
        sizes[id(node)] = total, deepest + 1
        return total, deepest + 1

    try:
        if document.root is not None:
            size(document.root)
    except Refused as error:
        if error.problem == "recursive-alias":
            mark: Any = error.problem_mark
            summary = "An alias stands inside what it stands for."
            document.root = None
            document.add("recursive-alias", summary, "It has no end. Write it out.", mark.line + 1, mark.column + 1)
        else:
            refuse(document, str(error.problem), error.problem_mark)
