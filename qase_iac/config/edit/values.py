"""From an old value to a new one by the fewest changes: lists by sequence, mappings by key, texts in their style."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from qase_iac.attributes.steps import STEP_KEYS
from qase_iac.config.dump import dump_inline
from qase_iac.config.edit.change import Change, Slot, Unspliceable
from qase_iac.config.edit.pairing import identity, paired, said
from qase_iac.config.edit.scalars import restyled
from qase_iac.config.edit.source import Node, plain
from qase_iac.config.edit.written import Written, below, inline, item, key
from qase_iac.values import JSON


def change_value(change: Change, slot: Slot, node: Node, new: JSON, order: Sequence[str] = ()) -> None:
    """Makes the value at a slot say `new`. `order` is that of the keys of mappings in it."""
    new = alike(node, new)
    if said(plain(node)) == said(new):
        return
    if node.kind == "mapping" and isinstance(new, dict) and new:
        _mapping(change, node, new, order, slot.flow)
    elif node.kind == "sequence" and isinstance(new, list) and new and node.items:
        _sequence(change, node, new, order, slot.flow)
    else:
        replace(change, slot, node, new)


def replace(change: Change, slot: Slot, node: Node, new: JSON) -> None:
    """The whole value anew; a text keeps the style of the old one where that can say it."""
    form: Written | None = None
    if isinstance(new, str) and node.kind == "scalar" and not node.is_null:
        form = restyled(change.source, node, new, slot.column, slot.flow)
    change.put(slot, node, form or fresh(slot, new))


def fresh(slot: Slot, new: JSON) -> Written:
    """A value as `dump` writes it, for its place."""
    if slot.flow:
        return inline(new)
    return item(new, slot.column) if slot.dash else below(new, slot.column, slot.name)


def alike(node: Node, new: JSON) -> JSON:
    """A step that is only an action may be written in two ways: the way of the node is kept."""
    if node.kind == "mapping" and isinstance(new, str) and "action" in node.entries():
        return {"action": new}
    if node.kind == "scalar" and isinstance(new, dict) and new.keys() == {"action"}:
        return new["action"]
    return new


def in_order_of(node: Node, new: list[JSON]) -> list[JSON]:
    """A list whose order says nothing, in that of the node as far as it is there."""
    known = [said(plain(each)) for each in node.items]
    rank: dict[str, int] = {}
    for at, each in enumerate(known):
        rank.setdefault(json.dumps(each, sort_keys=True), at)
        if isinstance(each, dict):
            rank.setdefault(json.dumps(sorted(each)), at)
    return sorted(new, key=lambda each: _rank(rank, said(each), len(known)))


def _rank(rank: dict[str, int], value: JSON, otherwise: int) -> int:
    """The place of an equal one, or of a mapping with the same keys."""
    keys = rank.get(json.dumps(sorted(value)), otherwise) if isinstance(value, dict) else otherwise
    return rank.get(json.dumps(value, sort_keys=True), keys)


# --- mappings


def _mapping(change: Change, node: Node, new: dict[str, JSON], order: Sequence[str], flow: bool) -> None:
    flow = flow or node.flow
    known = node.entries()
    gone = {name for name, (_, value, _) in known.items() if name not in new and not _says_nothing(name, value)}
    kept = [name for name, (_, _, own) in known.items() if own and name not in gone]
    if not kept or any(not known[name][2] for name in gone):
        raise Unspliceable("nothing of the mapping stays")
    for name in new:
        if name in known and known[name][2]:
            change_value(change, change.slot(known[name][0], flow), known[name][1], new[name], order)
        elif name not in known or said(plain(known[name][1])) != said(new[name]):
            insert_pair(change, node, name, new[name], order, kept, flow)
    remove_pairs(change, node, gone)


def _says_nothing(name: str, value: Node) -> bool:
    """Of steps: an empty part is as good as none."""
    return name in STEP_KEYS and plain(value) in (None, "", [])


def insert_pair(
    change: Change, node: Node, name: str, value: JSON, order: Sequence[str], kept: Sequence[str], flow: bool
) -> None:
    """A new pair, behind the last of the pairs in `kept` that come before it in `order`, or behind the last of all."""
    pairs = [pair for pair in node.pairs if pair[0].value in kept or not kept]
    before = [pair for pair in pairs if _comes_before(pair[0].value, name, order)]
    if name in order:
        before = sorted(before, key=lambda pair: order.index(pair[0].value) if pair[0].value in order else -1)
    if flow:
        _insert_in_flow(change, pairs, before, f"{key(name)}: {dump_inline(value)}")
        return
    column = change.source.column(node.pairs[0][0].start)
    form = below(value, column, name)
    lines = [f"{' ' * column}{key(name)}: {form.head}".rstrip(" "), *form.body]
    if before:
        change.insert(end_of(change, before[-1]), lines, column)
    else:
        change.insert_above(pairs[0][0].start, lines)


def _comes_before(known: str, name: str, order: Sequence[str]) -> bool:
    if name not in order or known == "<<":
        return True
    return known in order and order.index(known) < order.index(name)


def _insert_in_flow(change: Change, pairs: list[tuple[Node, Node]], before: list[tuple[Node, Node]], text: str) -> None:
    if before:
        end = end_of(change, before[-1])
        change.splice(end, end, ", " + text)
    else:
        change.splice(pairs[0][0].start, pairs[0][0].start, text + ", ")


def end_of(change: Change, pair: tuple[Node, Node]) -> int:
    """Where a pair ends, be its value empty."""
    return max(pair[0].end, pair[1].end, change.slot(pair[0], False).at)


def remove_pairs(change: Change, node: Node, names: set[str]) -> None:
    """Takes pairs out of a mapping in which others stay."""
    for first, last in _runs([pair[0].value in names for pair in node.pairs]):
        start, pairs = node.pairs[first][0].start, node.pairs
        if node.flow or not change.source.is_first(start):
            if first and node.flow:
                change.splice(end_of(change, pairs[first - 1]), end_of(change, pairs[last]))
            elif last + 1 < len(pairs):
                change.splice(start, pairs[last + 1][0].start)
            else:
                raise Unspliceable("nothing of the mapping stays")
        else:
            for pair in pairs[first : last + 1]:
                change.remove_lines(pair[0].start, end_of(change, pair), change.source.column(pair[0].start))


def _runs(marked: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """First and last place of every run of marked ones."""
    start = None
    for at, mark in enumerate([*marked, False]):
        if mark and start is None:
            start = at
        elif not mark and start is not None:
            yield start, at - 1
            start = None


# --- lists


def _sequence(change: Change, node: Node, new: list[JSON], order: Sequence[str], flow: bool) -> None:
    old = [plain(each) for each in node.items]
    gone, more = [False] * len(old), []
    for at, number in paired(old, new):
        if at is not None and number is not None:
            change_value(change, change.dash(node, at), node.items[at], new[number], order)
        elif at is not None:
            gone[at] = True
    place = 0
    for at, number in paired(old, new):
        if at is not None:
            place = at + 1
        elif number is not None:
            more.append((place, new[number]))
    spare = {identity(old[at]): at for at in range(len(old)) if gone[at]}
    for place, value in more:
        _insert_item(change, node, place, value, spare.get(identity(value)), flow or node.flow)
    _remove_items(change, node, gone, flow or node.flow)


def _insert_item(change: Change, node: Node, place: int, value: JSON, moved: int | None, flow: bool) -> None:
    column = 0 if flow else change.source.column(node.dashes[0])
    form = _like_siblings(change, node, value, column, flow)
    if flow:
        text = (form or inline(value)).head
        if place:
            change.splice(node.items[place - 1].end, node.items[place - 1].end, ", " + text)
        else:
            change.splice(node.items[0].start, node.items[0].start, text + ", ")
        return
    lines = _own_lines(change, node, moved) if moved is not None else None
    if lines is None:
        form = form or item(value, column)
        lines = [f"{' ' * column}- {form.head}", *form.body]
    if place:
        change.insert(max(node.items[place - 1].end, node.dashes[place - 1]), lines, column)
    elif change.source.is_first(node.dashes[0]):
        change.insert_above(node.dashes[0], lines)
    else:
        raise Unspliceable("the list begins behind a dash")


def _like_siblings(change: Change, node: Node, value: JSON, column: int, flow: bool) -> Written | None:
    """A text of one line, quoted as all its neighbours are."""
    texts = [each for each in node.items if each.kind == "scalar" and not each.is_null]
    if not isinstance(value, str) or len({each.style for each in texts}) != 1 or texts[0].style in ("|", ">"):
        return None
    if any(change.source.line(each.start) != change.source.line(each.end) for each in texts):
        return None
    odd = next((each for each in texts if dump_inline(each.value) != each.value), texts[0])
    return restyled(change.source, odd, value, column, flow)


def _own_lines(change: Change, node: Node, at: int) -> list[str] | None:
    """The lines of an item that only moves, as they are; None when they cannot be moved."""
    source = change.source
    if not source.is_first(node.dashes[at]):
        return None
    if any(each.anchor or each.target for each in node.items[at].inside()):
        return None
    first, last = source.line(node.dashes[at]), source.line(max(node.items[at].end, node.dashes[at]))
    return [source.content(number) for number in range(first, last + 1)]


def _remove_items(change: Change, node: Node, gone: list[bool], flow: bool) -> None:
    for first, last in _runs(gone):
        if flow and first:
            change.splice(node.items[first - 1].end, node.items[last].end)
        elif flow and last + 1 < len(node.items):
            change.splice(node.items[0].start, node.items[last + 1].start)
        elif flow:
            raise Unspliceable("nothing of the list stays")
        else:
            for at in range(first, last + 1):
                if not change.source.is_first(node.dashes[at]):
                    raise Unspliceable("the list begins behind a dash")
                end = max(node.items[at].end, node.dashes[at])
                change.remove_lines(node.dashes[at], end, change.source.column(node.dashes[at]))
