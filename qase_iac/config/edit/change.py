"""One edit as splices of one text: values put in places, lines put in and taken out, anchors handed on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qase_iac.config.dump import dump_inline
from qase_iac.config.edit.source import Node, Source, plain
from qase_iac.config.edit.written import Written, shifted

_COLON = re.compile(r"[ \t]*:")
_MARKED = "'\"|>[{"
"""An anchor before a plain text that nobody points at is taken for a slip, so it is kept before these only."""
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+[ \t]?")


class Unspliceable(Exception):
    """This edit cannot be made so finely; a coarser one may do."""


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """The characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value stands: behind the colon or dash that ends at `at`; key or dash stand in `column`."""

    at: int
    column: int
    flow: bool = False
    dash: bool = False
    name: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with all splices made. Raises Unspliceable when two of them overlap."""
    parts: list[str] = []
    at = 0
    for splice in sorted(splices):
        if splice.start < at:
            raise Unspliceable("two changes overlap")
        parts += (text[at : splice.start], splice.text)
        at = splice.end
    return "".join([*parts, text[at:]])


class Change:
    """The splices of one edit, as they are found."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.splices: list[Splice] = []

    def splice(self, start: int, end: int, text: str = "") -> None:
        if start < end or text:
            self.splices.append(Splice(start, end, text))

    # --- places

    def slot(self, key: Node, flow: bool) -> Slot:
        """Where the value of a key stands."""
        match = _COLON.match(self.source.text, key.end)
        if match is None:
            raise Unspliceable("no colon stands behind the key")
        return Slot(match.end(), self.source.column(key.start), flow, name=key.value)

    def dash(self, node: Node, number: int) -> Slot:
        """Where an item of a list stands."""
        if node.flow:
            return Slot(node.items[number].start, 0, True)
        return Slot(node.dashes[number] + 1, self.source.column(node.dashes[number]), dash=True)

    # --- values

    def put(self, slot: Slot, node: Node, form: Written) -> None:
        """Puts `form` in the place of a value; comments beside it stay."""
        if node.anchor and form.head[:1] in _MARKED and form.head and not self._aliases(node):
            form = Written(f"&{node.anchor} {form.head}", form.body)
        if node.style in ("|", ">"):
            self._put_for_block(slot, node, form)
        elif node.is_block:
            self._put_for_lines(slot, node, form)
        else:
            self._head(slot, node.start, node.end, form.head)
            end = self.source.line_end(node.end)
            self._body(end, self._end(slot, end, form), form.body)

    def _head(self, slot: Slot, start: int, end: int, head: str) -> None:
        if not head:
            start = slot.at
        elif start == slot.at and (not slot.flow or self.source.text[start - 1 : start] == ":"):
            head = " " + head
        self.splice(start, end, head.replace("\n", self.source.newline))

    def _body(self, start: int, end: int, lines: Sequence[str]) -> None:
        self.splice(start, end, "".join(self.source.newline + line for line in lines))

    def _put_for_block(self, slot: Slot, node: Node, form: Written) -> None:
        header = self.source.header(node)[1]
        self._head(slot, node.start, header, form.head)
        line_end = self.source.line_end(header)
        self._body(line_end, self._end(slot, max(line_end, node.end), form), form.body)

    def _put_for_lines(self, slot: Slot, node: Node, form: Written) -> None:
        source = self.source
        first = source.first(node)
        if source.line(first) == source.line(slot.at):
            self.splice(first, node.end, source.newline.join([form.head, *form.body]))
            return
        marked = source.after_properties(node)
        if node.start < marked and source.line(node.start) != source.line(slot.at):
            raise Unspliceable("an anchor stands on a line of its own")
        end = node.start + len(source.text[node.start : marked].rstrip(" \t")) if node.start < marked else slot.at
        start = slot.at if self._aliases(node) else end
        self.splice(start, end, f" {form.head}" if form.head else "")
        self._body(source.line_end(slot.at), self._end(slot, node.end, form), form.body)

    def _end(self, slot: Slot, end: int, form: Written) -> int:
        """Where the old value ends; a block scalar would swallow the comments that stand below it."""
        return self.source.tail(end, slot.column) if form.head[:1] in ("|", ">") and form.body else end

    # --- lines

    def insert(self, after: int, lines: Sequence[str], column: int) -> None:
        """Puts lines below what ends at a place and begins in `column`. A file without a break at its end stays so."""
        source, newline = self.source, self.source.newline
        at = source.next_line(source.tail(after, column))
        if at == len(source.text) and source.starts[-1] != at:
            self.splice(at, at, newline + newline.join(lines))
        else:
            self.splice(at, at, newline.join(lines) + newline)

    def insert_above(self, before: int, lines: Sequence[str]) -> None:
        """Puts lines above the one that begins with a place, or, behind a dash, on its line."""
        source = self.source
        if source.is_first(before):
            start = source.line_start(before)
            self.splice(start, start, source.newline.join([*lines, ""]))
        else:
            text = source.newline.join([*lines, ""]).lstrip(" ")
            self.splice(before, before, text + " " * source.column(before))

    def remove_lines(self, start: int, end: int, column: int) -> None:
        """Takes out whole lines, from that of `start` to that of `end`, of what begins in `column`."""
        source = self.source
        self.splice(source.line_start(start), source.next_line(source.tail(end, column)))

    # --- anchors

    def _aliases(self, node: Node) -> list[Node]:
        return [alias for alias in self.source.aliases if alias.target is node]

    def hand_on(self, within: Node | None = None) -> None:
        """What others point at and is taken away goes to the first of them, as it was, with the anchor.

        `within`: the value that is being changed; an anchor in it is handed on as well when what it marks changes.
        """
        gone = [splice for splice in self.splices if splice.start < splice.end]
        done: list[Node] = []
        for node in self.source.anchors:
            if any(other.start <= node.start and node.end <= other.end for other in done):
                continue
            cut = any(splice.start <= node.start < splice.end for splice in gone)
            inside = within is not None and within.start <= node.start and node.end <= within.end
            changed = inside and any(node.start <= s.start <= node.end for s in self.splices)
            aliases = self._aliases(node)
            heirs = [
                alias
                for alias in aliases
                if not node.start <= alias.start < node.end
                and not any(splice.start <= alias.start < splice.end for splice in gone)
            ]
            if heirs and (cut or changed):
                done.append(node)
                self._inherit(node, heirs, cut)
            elif aliases and not heirs and not cut and not node.style and node.kind == "scalar":
                self._drop(node)

    def _drop(self, node: Node) -> None:
        """Takes the anchor off."""
        match = _ANCHOR.match(self.source.text, node.start)
        if match is None:
            raise Unspliceable("a tag stands before an anchor")
        start = node.start
        if match.end() in (len(self.source.text), self.source.line_end(start)):
            start = start - 1  # the blank before it
        self.splice(start, match.end())

    def _inherit(self, node: Node, heirs: list[Node], cut: bool) -> None:
        heir = heirs[0]
        source = self.source
        slots = self._slots()
        old, new = slots.get(id(node)), slots.get(id(heir))
        if old is None or new is None:
            raise Unspliceable("an anchor stands at an odd place")
        if not cut:
            self._drop(node)
        head, *rest = [source.content(n) for n in range(source.line(node.start), source.line(node.end) + 1)]
        head = head[source.column(node.start) :] if rest else source.text[node.start : node.end]
        if rest:
            rest[-1] = rest[-1][: source.column(node.end)]
        if len(heirs) == 1 and node.kind == "scalar" and not node.style:
            head = _ANCHOR.sub("", head, count=1)
        elif new.flow and rest:
            head, rest = f"&{node.anchor} {dump_inline(plain(node))}", []
        self.put(new, heir, Written(head, tuple(shifted(rest, new.column - old.column))))

    def _slots(self) -> dict[int, Slot]:
        """The slot of every value of the file."""
        found: dict[int, Slot] = {}
        todo = [(self.source.root, False)] if self.source.root else []
        while todo:
            node, flow = todo.pop()
            flow = flow or node.flow
            for key, value in node.pairs:
                found[id(value)] = self.slot(key, flow)
                todo.append((value, flow))
            for number, value in enumerate(node.items):
                found[id(value)] = self.dash(node, number)
                todo.append((value, flow))
        return found
