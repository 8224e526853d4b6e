"""From bytes to YAML nodes, strictly: whatever the bytes, the answer is nodes and diagnostics, never an exception.

PyYAML's C composer crashes the process on deep nesting, so it runs with hooks that count depth and nodes as it goes.
Implicit tags are not resolved: the tag of a node is "" unless one is written, and what a plain scalar means is for the
attribute that reads it to say. Plain scalars have an empty style, quoted and block scalars do not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.attributes.base import is_boolean, is_null
from qase_iac.config import yaml_slips as slips
from qase_iac.config.yaml_slips import Slip, excerpt
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.values import printable

__all__ = [
    "Document",
    "compose",
    "is_boolean",
    "is_null",
    "mapping_items",
    "plain_text",
    "read_yaml",
    "source",
]

MAX_DEPTH = 200
MAX_NODES = 1_000_000
MAX_PROBLEMS = 200
MAX_REPAIRS = 50
MAX_REPARSED = 24 * 1024 * 1024
_STANDARD = "tag:yaml.org,2002:"
_TAGS = {
    "scalar": frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "timestamp")),
    "sequence": frozenset([_STANDARD + "seq"]),
    "mapping": frozenset([_STANDARD + "map"]),
}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")

ErrorSink = Callable[[yaml.Node, str, str, str], None]
"""(node, code, summary, detail): how problems of a node are reported; `Reporter.error` is one."""


@dataclass
class Document:
    """One file as nodes. `root` is None when it is empty or beyond repair.

    After a slip that has one sure correction the corrected text is read on, so that later problems show as well:
    `text` is then the corrected one, and marks count in it.
    """

    name: str
    text: str = ""
    root: yaml.Node | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    known: set[Diagnostic] = field(default_factory=set)

    def add(self, code: str, summary: str, detail: str = "", line: int = 0, column: int = 0) -> None:
        """One more problem of this file, once; more than MAX_PROBLEMS help nobody."""
        found = Diagnostic(code, summary, detail, SourceRange(self.name, line, column))
        if found not in self.known and len(self.known) < MAX_PROBLEMS:
            self.known.add(found)
            self.diagnostics.append(found)

    def add_slip(self, slip: Slip) -> None:
        """A slip as a diagnostic."""
        self.add(slip.code, slip.summary, slip.detail, slip.line + 1, slip.column + 1)


class _Refused(yaml.MarkedYAMLError):
    """Too deep or too many nodes."""


class _Composer(CParser):
    """The C composer with a depth and a node count; it calls these hooks for every node."""

    depth = 0
    count = 0

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > MAX_DEPTH:
            raise _Refused(problem="nested-too-deep", problem_mark=parent.start_mark if parent else None)
        if self.count > MAX_NODES:
            raise _Refused(problem="too-many-nodes", problem_mark=parent.start_mark if parent else None)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        return ""


def _composed(data: bytes) -> yaml.Node | None:
    parser = _Composer(data)
    node: yaml.Node | None = parser.get_single_node()
    return node


def _broken_at(data: bytes) -> tuple[int, int] | None:
    """Line and column (from 0) of the first syntax error, None when there is none."""
    try:
        _composed(data)
    except _Refused:
        return None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        return (mark.line, mark.column) if mark else (0, 0)
    return None


def compose(data: bytes, name: str) -> tuple[yaml.Node | None, list[Diagnostic]]:
    """The one document of a file as nodes, and every problem that reading alone can show."""
    document = read_yaml(data, name)
    return document.root, document.diagnostics


def read_yaml(data: bytes, name: str) -> Document:
    """Like `compose`, with the text that the marks of the nodes count in."""
    document = Document(printable(name))
    text = _decoded(data, document)
    if text is None:
        return document
    document.text = text
    ends = slips.hashes(text)
    try:
        document.root = _composed(text.encode())
    except _Refused as error:
        _refused(document, str(error.problem), error.problem_mark)
    except yaml.YAMLError:
        _mend(document, ends)
    ends = slips.hashes(document.text)
    if document.root is not None and ends and slips.is_cut(document.root, ends):
        _mend(document, ends)
    _check_properties(document)
    document.diagnostics.sort(key=Diagnostic.sort_key)
    return document


def _mend(document: Document, ends: dict[int, int]) -> None:
    """Reports what is wrong, corrects what has one sure correction, and reads on: so later problems show as well."""
    cuts = slips.cut_slips(document.text, ends, MAX_PROBLEMS) if ends else []
    for slip in cuts:
        document.add_slip(slip)
    document.text = slips.replaced(document.text, ((slip.first, slip.last, slip.fixed) for slip in cuts))
    document.root = None
    budget = MAX_REPARSED
    for turn in range(MAX_REPAIRS):
        data = document.text.encode()
        budget -= 3 * len(data)
        if turn and budget < 0:
            return
        fixed = _attempt(data, document, verify=budget >= 0)
        if fixed is None:
            return
        document.text = fixed


def _attempt(data: bytes, document: Document, verify: bool) -> str | None:
    """Composes once. After a syntax error: reports it, and gives the corrected text if there is one."""
    try:
        document.root = _composed(data)
        return None
    except _Refused as error:
        _refused(document, str(error.problem), error.problem_mark)
        return None
    except yaml.YAMLError as error:
        broken = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError(problem=str(error))
    mark = broken.problem_mark or broken.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)

    def progress(fixed: str, strict: bool) -> bool:
        after = _broken_at(fixed.encode())
        return after is None or after[0] > line or (not strict and after[0] == line and after[1] > column + 2)

    found = slips.syntax_slip(document.text, broken, progress if verify else None)
    document.add_slip(found)
    return found.fixed_text


def _decoded(data: bytes, document: Document) -> str | None:
    """Strict UTF-8 without control characters, a BOM taken off; None after a diagnostic."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        document.add("not-utf8", "The file is UTF-16.", "Content files are UTF-8. Save it again as UTF-8.", 1, 1)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-8-sig", "replace")
        line, column = _place(text, len(text))
        summary = f"The byte 0x{data[error.start]:02x} is not UTF-8."
        detail = "Content files are UTF-8; this looks like Latin-1 or Windows-1252. Save it again as UTF-8."
        document.add("not-utf8", summary, f"{detail}\n{excerpt(text, line - 1, column)}", line, column)
        return None
    bad = _FORBIDDEN.search(text)
    if bad is None:
        return text
    line, column = _place(text, bad.start())
    summary = f"The control character {printable(bad.group())} stands in the file."
    advice = f'Remove it, or write it in double quotes, as "\\x{ord(bad.group()):02x}".'
    if bad.group() == "\ufeff":
        summary, advice = "A byte order mark stands inside the text.", "It is invisible. Remove it."
    detail = f"YAML does not allow it. {advice}\n{excerpt(text, line - 1, column)}"
    document.add("control-character", summary, detail, line, column)
    return None


def _place(text: str, index: int) -> tuple[int, int]:
    lines = slips.lines_of(text[:index])
    return len(lines), len(lines[-1]) + 1


def _refused(document: Document, code: str, mark: Any) -> None:
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


def _check_properties(document: Document) -> None:
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
            document.add_slip(slips.property_slip(document.text, event, "&"))
    if used or tagged:
        _measure(document)


def _check_tag(document: Document, event: Any) -> None:
    kind = {yaml.ScalarEvent: "scalar", yaml.SequenceStartEvent: "sequence"}.get(type(event), "mapping")
    if event.tag in _TAGS[kind]:
        return
    if isinstance(event, yaml.ScalarEvent) and not event.style and not str(event.tag).startswith(_STANDARD):
        document.add_slip(slips.property_slip(document.text, event, "!"))
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
                raise _Refused(problem="recursive-alias", problem_mark=node.start_mark)
            return known
        sizes[id(node)] = None
        total, deepest = 1, 0
        mapping = isinstance(node, yaml.MappingNode)
        for child in (part for pair in node.value for part in pair) if mapping else node.value:
            count, depth = size(child)
            total, deepest = total + count, max(deepest, depth)
        if total > MAX_NODES or deepest >= MAX_DEPTH:
            code = "too-many-nodes" if total > MAX_NODES else "nested-too-deep"
            raise _Refused(problem=code, problem_mark=node.start_mark)
        sizes[id(node)] = total, deepest + 1
        return total, deepest + 1

    try:
        if document.root is not None:
            size(document.root)
    except _Refused as error:
        if error.problem == "recursive-alias":
            mark: Any = error.problem_mark
            summary = "An alias stands inside what it stands for."
            document.root = None
            document.add("recursive-alias", summary, "It has no end. Write it out.", mark.line + 1, mark.column + 1)
        else:
            _refused(document, str(error.problem), error.problem_mark)


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
    if slips.no_colon(node, index):
        if index == 0 or not slips.no_colon(node, index - 1):
            slip = slips.comma_slip(node, index, text)
            error(key, slip.code, slip.summary, slip.detail)
    elif not isinstance(key, yaml.ScalarNode):
        error(key, "complex-key", "A key must be a text, not a list or a mapping.", slips.key_hint(key, text))
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


def plain_text(node: yaml.Node) -> str | None:
    """The text of a scalar as it stands in the file, None for null and for anything but a scalar."""
    return None if not isinstance(node, yaml.ScalarNode) or is_null(node) else str(node.value)
