"""Whole objects as changes of one text: put in, taken out, taken along."""

from __future__ import annotations

from dataclasses import dataclass

from qase_iac.config.declarations import Path
from qase_iac.config.dump import dump, dump_inline
from qase_iac.config.edit.change import Change, Unspliceable
from qase_iac.config.edit.objects import find, order_of
from qase_iac.config.edit.source import Node, Source, plain
from qase_iac.config.edit.values import end_of, insert_pair, remove_pairs
from qase_iac.config.edit.written import Written, key, shifted
from qase_iac.kinds import CONTENT_KINDS
from qase_iac.values import Attributes


@dataclass(frozen=True)
class Entry:
    """An object to be put in: its key, and what is to stand there.

    `attributes` are in written form. `lines` is the text of one that moves: comments above it, the line of its key and
    what is below, the key in column 0.
    """

    key: str
    attributes: Attributes
    lines: tuple[str, ...] = ()

    def block(self, column: int, width: int) -> list[str]:
        if self.lines:
            return shifted(self.lines, column)
        body = dump(self.attributes).split("\n")[:-1]
        return [f"{' ' * column}{key(self.key)}:", *shifted(body, column + width)]

    def alone(self) -> list[str]:
        """The lines for a file of its own, comments at the top; none when it is not written over lines."""
        above = [line for line in self.lines if line.startswith("#")]
        name, *body = self.lines[len(above) :] or [""]
        note = name.partition(":")[2].strip()
        if not body or (note and not note.startswith("#")):
            return []
        width = next(len(line) - len(line.lstrip(" ")) for line in body if line.strip())
        return [*above, *([note] if note else []), *shifted(body, -width)]


def add_entry(change: Change, container: Path, section: str, entry: Entry) -> None:
    """Puts an object at the end of a section, in the style of those that are there; makes the section if need be.

    `container` is the way to the mapping that holds the section: () for the file itself.
    """
    if change.source.root is None:
        change.insert(len(change.source.text), [f"{section}:", *entry.block(2, 2)], 0)
        return
    holder = find(change, container)
    if holder.node.kind != "mapping":
        raise Unspliceable("the section stands in an alias")
    flow = holder.node.flow or bool(holder.slot and holder.slot.flow)
    known = holder.node.entries().get(section)
    if known is None:
        _new_section(change, container, holder.node, section, entry, flow)
        return
    slot = change.slot(known[0], flow)
    node = known[1]
    if node.is_null or (node.kind == "mapping" and not node.pairs):
        if flow:
            change.put(slot, node, Written(dump_inline({entry.key: entry.attributes})))
        else:
            change.put(slot, node, Written("", tuple(entry.block(slot.column + 2, 2))))
    elif node.kind != "mapping" or not known[2]:
        raise Unspliceable("the section stands in an alias")
    elif flow or node.flow:
        insert_pair(change, node, entry.key, entry.attributes, (), [pair[0].value for pair in node.pairs], True)
    else:
        _behind_siblings(change, node, entry)


def add_line(change: Change, section: str, text: str) -> None:
    """Puts an item of one line at the end of a list at the top of the file; makes the list if need be."""
    source, root = change.source, change.source.root
    known = root.entries().get(section) if root else None
    if root is None or known is None:
        if root is not None and root.flow:
            raise Unspliceable("the file is written on one line")
        blank = [""] if root is not None and source.content(source.line(root.end - 1)).strip() else []
        change.insert(
            end_of(change, root.pairs[-1]) if root else len(source.text), [*blank, f"{section}:", f"  - {text}"], 0
        )
        return
    node = known[1]
    if node.flow and node.items:
        change.splice(node.items[-1].end, node.items[-1].end, f", {text}")
    elif node.items:
        column = source.column(node.dashes[0])
        change.insert(max(node.items[-1].end, node.dashes[-1]), [f"{' ' * column}- {text}"], column)
    else:
        change.put(change.slot(known[0], False), node, Written("", (f"  - {text}",)))


def _behind_siblings(change: Change, node: Node, entry: Entry) -> None:
    source, last = change.source, node.pairs[-1]
    column = source.column(node.pairs[0][0].start)
    bodies = [value for _, value in node.pairs if value.kind == "mapping" and value.is_block and value.pairs]
    width = source.column(bodies[-1].pairs[0][0].start) - column if bodies else 2
    blank = True  # as `fmt` has it
    if len(node.pairs) > 1:
        blank = _blank_above(source, _first_line(source, last[0]))
    end = end_of(change, last)
    if blank and not source.content(source.line(end)).strip():
        blank = False  # a block that keeps its blank lines
    change.insert(end, [*([""] if blank else []), *entry.block(column, max(width, 1))], column)


def _new_section(change: Change, container: Path, node: Node, section: str, entry: Entry, flow: bool) -> None:
    if flow:
        names = [pair[0].value for pair in node.pairs]
        insert_pair(change, node, section, {entry.key: entry.attributes}, (), names, True)
        return
    source = change.source
    column = source.column(node.pairs[0][0].start)
    lines = [f"{' ' * column}{section}:", *entry.block(column + 2, 2)]
    order = [kind.section for kind in CONTENT_KINDS] if not container else order_of("suite")
    before = [p for p in node.pairs if p[0].value not in order or order.index(p[0].value) < order.index(section)]
    if not container or not before:
        before = [node.pairs[-1]]
    end = end_of(change, before[-1])
    blank = not container and source.content(source.line(end)).strip() != ""
    change.insert(end, [*([""] if blank else []), *lines], column)


def remove_entry(change: Change, container: Path, section: str, name: str) -> None:
    """Takes an object out with the comments above it, and its section when it was the last.

    The text may be left without any section; that is for the caller to see.
    """
    holder = find(change, container)
    entry = holder.node.entries().get(section)
    if entry is None or not entry[2] or entry[1].kind != "mapping":
        raise Unspliceable("it is not written where it is declared")
    node = entry[1]
    own = node.entries().get(name)
    if own is None or not own[2]:
        raise Unspliceable("it is not written where it is declared")
    if len(node.pairs) == 1:
        if len(holder.node.pairs) > 1 and (holder.node.flow or not change.source.is_first(entry[0].start)):
            remove_pairs(change, holder.node, {section})
        else:
            _remove_with_gap(change, holder.node, section, change.source.line(entry[0].start))
    elif node.flow or not change.source.is_first(own[0].start):
        remove_pairs(change, node, {name})
    else:
        _remove_with_gap(change, node, name, _first_line(change.source, own[0]))
    change.hand_on()


def _remove_with_gap(change: Change, node: Node, name: str, top: int) -> None:
    """A pair from the line `top` on, and the blank lines that then would stand twice, or at the beginning."""
    source = change.source
    at = next(number for number, pair in enumerate(node.pairs) if pair[0].value == name)
    column = source.column(node.pairs[at][0].start)
    bottom = source.line(source.tail(end_of(change, node.pairs[at]), column))
    floor = source.line(end_of(change, node.pairs[at - 1])) + 1 if at else 0
    above = top
    while above > floor and not source.content(above - 1).strip():
        above -= 1
    if _blank_below(source, bottom):
        if not at and above == top and above and _indent(source, top) > _indent(source, above - 1):
            while bottom + 1 < len(source.starts) - 1 and not source.content(bottom + 1).strip():
                bottom += 1
        else:
            top = above
    change.remove_lines(source.starts[top], source.starts[bottom], column)


def _indent(source: Source, number: int) -> int:
    line = source.content(number)
    return len(line) - len(line.lstrip(" "))


def _blank_below(source: Source, number: int) -> bool:
    """Whether a blank line, less indentation or the end follows a line."""
    return number + 1 >= len(source.starts) or not source.content(number + 1).strip()


def _first_line(source: Source, name: Node) -> int:
    """The line of a key, or of the comment right above it that is indented alike."""
    number, column = source.line(name.start), source.column(name.start)
    while number:
        above = source.content(number - 1)
        if not above.startswith(" " * column + "#"):
            break
        number -= 1
    return number


def _blank_above(source: Source, number: int) -> bool:
    return number > 0 and not source.content(number - 1).strip()


def text_of_entry(change: Change, container: Path, section: str, name: str) -> Entry:
    """An object as it stands, comments above it included, to be put in elsewhere."""
    holder = find(change, container)
    found = find(change, (*container, section, name))
    source, names = change.source, holder.node.entries()[section][1].entries()[name][0]
    value: Attributes = plain(found.node)
    inner = list(found.node.inside())
    if (
        holder.node.entries()[section][1].flow
        or not source.is_first(names.start)
        or any(node.anchor or node.kind == "alias" for node in inner)
    ):
        return Entry(name, value)
    last = source.line(end_of(change, (names, found.node)))
    lines = [source.content(number) for number in range(_first_line(source, names), last + 1)]
    return Entry(name, value, tuple(shifted(lines, -source.column(names.start))))
