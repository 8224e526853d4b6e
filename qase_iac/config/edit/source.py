"""One file as text with a tree of places in it: what a splice needs, and nothing else.

An own tree, because PyYAML's nodes do not tell an alias from what it stands for, nor where a dash stands. Places are
indexes of characters in the text, a byte order mark taken off. Only files that the loader takes come here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.attributes.base import NULLS
from qase_iac.values import JSON

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""What ends a line for libyaml."""
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*(?:[ \t]+|(?=\s|\Z)))+")
_HEADER = re.compile(r"[|>][-+0-9]*")


@dataclass(slots=True, eq=False)
class Node:
    """`end` is the place after the last own character; a block scalar ends with its last own line.

    `style` is "" for plain scalars and collections, else one of ' " | >. `target` is what an alias stands for.
    `items` are the items of a sequence, `pairs` key and value of a mapping; `dashes` where the items' dashes stand.
    """

    kind: str
    start: int
    end: int
    value: str = ""
    style: str = ""
    flow: bool = False
    anchor: str | None = None
    tag: str | None = None
    target: Node | None = None
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)

    @property
    def is_block(self) -> bool:
        """Whether it is a collection that spreads over lines of its own."""
        return self.kind in ("mapping", "sequence") and not self.flow

    @property
    def is_null(self) -> bool:
        return self.kind == "scalar" and not self.style and self.value in NULLS and not self.tag

    def children(self) -> Iterator[Node]:
        yield from self.items
        for pair in self.pairs:
            yield from pair

    def inside(self) -> Iterator[Node]:
        """This node and all below it, in the order of the file."""
        todo = [self]
        while todo:
            node = todo.pop()
            yield node
            todo += reversed(list(node.children()))

    def resolved(self) -> Node:
        """What an alias stands for; any other node itself."""
        return self.target if self.target is not None else self

    def entries(self) -> dict[str, tuple[Node, Node, bool]]:
        """key -> (key node, value node, whether it is written here and not merged in by `<<`) of a mapping."""
        found: dict[str, tuple[Node, Node, bool]] = {}
        for key, value in self.pairs:
            if _is_merge(key):
                base = value.resolved()
                for part in base.items if base.kind == "sequence" else [base]:
                    for name, (merged, item, _) in part.resolved().entries().items():
                        found.setdefault(name, (merged, item, False))
        for key, value in self.pairs:
            if key.kind == "scalar" and not _is_merge(key):
                found[key.value] = key, value, True
        return found


def _is_merge(key: Node) -> bool:
    return key.kind == "scalar" and key.value == "<<" and not key.style


def plain(node: Node) -> JSON:
    """The node as the JSON-like value that `dump` would write the same for: words stay text, as the format has it."""
    node = node.resolved()
    if node.kind == "mapping":
        return {name: plain(value) for name, (_, value, _) in node.entries().items()}
    if node.kind == "sequence":
        return [plain(item) for item in node.items]
    if node.is_null:
        return None
    if not node.style and node.value in ("true", "false") and not node.tag:
        return node.value == "true"
    return node.value


class Source:
    """A text and its tree; `root` is None when there is nothing but comments."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in BREAK.finditer(text))]
        crlf = text.count("\r\n")
        self.newline = "\r\n" if crlf * 2 > text.count("\n") else "\n"
        if "\n" not in text and "\r" in text:
            self.newline = "\r"
        self.aliases: list[Node] = []
        self.anchors: list[Node] = []
        self.root = _Builder(self).build()

    # --- lines

    def line(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1

    def line_start(self, at: int) -> int:
        return self.starts[self.line(at)]

    def line_end(self, at: int) -> int:
        """Where the line's content ends: at its break, or the end of the text."""
        following = self.line(at) + 1
        if following == len(self.starts):
            return len(self.text)
        end = self.starts[following]
        return end - 2 if self.text.startswith("\r\n", end - 2) else end - 1

    def next_line(self, at: int) -> int:
        """Where the next line starts, the end of the text on the last one."""
        following = self.line(at) + 1
        return self.starts[following] if following < len(self.starts) else len(self.text)

    def column(self, at: int) -> int:
        return at - self.line_start(at)

    def content(self, number: int) -> str:
        """A line without its break."""
        start = self.starts[number]
        return self.text[start : self.line_end(start)]

    def is_first(self, at: int) -> bool:
        """Whether only indentation stands before a place on its line."""
        return not self.text[self.line_start(at) : at].strip(" ")

    def tail(self, end: int, column: int) -> int:
        """Where what ends at a place really ends: with the comments below, if they are deeper than `column`."""
        last = number = self.line(end)
        while number + 1 < len(self.starts):
            number += 1
            line = self.content(number)
            if line.strip() and not (line.lstrip(" ").startswith("#") and len(line) - len(line.lstrip(" ")) > column):
                break
            last = number if line.strip() else last
        return end if last == self.line(end) else self.line_end(self.starts[last])

    # --- parts of nodes

    def after_properties(self, node: Node) -> int:
        """Where the content of a node starts, after its anchor and tag."""
        match = _PROPERTIES.match(self.text, node.start) if node.anchor or node.tag else None
        return match.end() if match else node.start

    def header(self, node: Node) -> tuple[int, int]:
        """Where the header of a block scalar (`|2-`) starts and ends."""
        start = self.after_properties(node)
        match = _HEADER.match(self.text, start)
        return start, match.end() if match else start

    def first(self, node: Node) -> int:
        """The place of the first key or dash of a block collection."""
        return node.pairs[0][0].start if node.pairs else node.dashes[0]


class _Builder:
    """From the events of the C parser; dashes from its tokens, which alone tell where they stand."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.named: dict[str, Node] = {}
        self.dashes: list[int] = []

    def build(self) -> Node | None:
        data = self.source.text.encode()
        tokens = CParser(data)
        while (token := tokens.get_token()) is not None:
            if isinstance(token, yaml.BlockEntryToken):
                mark: Any = token.start_mark
                self.dashes.append(mark.index)
        self.parser = CParser(data)
        while (event := self.parser.get_event()) is not None:
            if isinstance(event, yaml.NodeEvent):
                return self._node(event)
        return None

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            alias = Node("alias", start, end, name, target=self.named[name])
            self.source.aliases.append(alias)
            return alias
        if isinstance(event, yaml.ScalarEvent):
            node = Node("scalar", start, end, event.value, event.style or "", anchor=event.anchor, tag=event.tag)
            self._named(node)
            if node.style in ("|", ">"):
                self._trim(node)
            return node
        kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        node = Node(kind, start, end, flow=bool(event.flow_style), anchor=event.anchor, tag=event.tag)
        self._named(node)
        self._fill(node)
        return node

    def _named(self, node: Node) -> None:
        if node.anchor:
            self.named[node.anchor] = node
            self.source.anchors.append(node)

    def _fill(self, node: Node) -> None:
        previous = node.start
        while not isinstance(event := self.parser.get_event(), yaml.CollectionEndEvent):
            first = self._node(event)
            if node.kind == "mapping":
                following: Any = self.parser.get_event()
                second = self._node(following)
                node.pairs.append((first, second))
                previous = max(first.end, second.end)
                continue
            node.items.append(first)
            if not node.flow:
                node.dashes.append(self.dashes[bisect_left(self.dashes, previous)])
                previous = max(first.end, node.dashes[-1] + 1)
        mark: Any = event.end_mark
        node.end = mark.index if node.flow else previous

    def _trim(self, node: Node) -> None:
        """libyaml's end of a block scalar is the start of a later line: blank lines that say nothing are left out."""
        source = self.source
        start, end = source.header(node)
        last, header = source.line(node.end), source.line(start)
        if source.starts[last] == node.end and last > header:
            last -= 1
        while "+" not in source.text[start:end] and last > header and not source.content(last).strip():
            last -= 1
        node.end = source.line_end(source.starts[last]) if last > header else end
