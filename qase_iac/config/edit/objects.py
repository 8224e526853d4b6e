"""Attributes of objects, and whole objects, as changes of one text. Objects are found by their way in the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Attribute, CustomFieldValue, Parameters, RefSet, TextSet
from qase_iac.attributes.steps import STEP_KEYS
from qase_iac.config.declarations import NESTED, Path
from qase_iac.config.dump import dump, dump_inline
from qase_iac.config.edit.change import Change, Slot, Unspliceable
from qase_iac.config.edit.source import Node, plain
from qase_iac.config.edit.values import change_value, fresh, in_order_of, insert_pair, remove_pairs
from qase_iac.config.edit.written import Written, key, shifted
from qase_iac.kinds import BY_NAME
from qase_iac.values import JSON, Attributes

COARSEST = 2
_COMMON = ("protect", "ignore_changes")


def order_of(kind: str) -> list[str]:
    """The keys of an object in the order in which they are written."""
    rows = [row.name for row in BY_NAME[kind].attributes if not row.structural]
    return ["key", *rows, *_COMMON, "defaults", "policy", *reversed(NESTED[kind])]


@dataclass(frozen=True)
class Found:
    """An object in a text: the slot of its mapping (None when it is the whole file), and the node there."""

    slot: Slot | None
    node: Node


def find(change: Change, path: Path) -> Found:
    """The object at the end of `path`. Raises Unspliceable when there is none, or it is reached through an alias."""
    node, slot = change.source.root, None
    if node is None:
        raise Unspliceable("the file is empty")
    flow = node.flow
    for step in path:
        entry = node.entries().get(step) if node.kind == "mapping" else None
        if entry is None or not entry[2]:
            raise Unspliceable("it is not written where it is declared")
        slot = change.slot(entry[0], flow)
        node = entry[1]
        flow = flow or node.flow
    return Found(slot, node)


def ordered(value: Mapping[str, JSON], kind: str) -> Attributes:
    """Attributes in the order in which they are written."""
    order = order_of(kind)
    return dict(sorted(value.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order)))


# --- attributes


def set_attribute(change: Change, path: Path, kind: str, name: str, value: JSON, level: int) -> None:
    """Makes an attribute say `value`; `level`: 0 by its parts, 1 as a whole, 2 the whole object anew."""
    found = find(change, path)
    names = attribute_keys(name)
    if level >= COARSEST:
        _rewrite(change, found, kind, _with(plain(found.node), names, value))
        return
    if found.node.kind == "alias":
        _by_merge(change, found, names, value)
        return
    entry = found.node.entries().get(names[0])
    flow = found.node.flow or bool(found.slot and found.slot.flow)
    if entry is None or not entry[2]:
        whole = _with(plain(entry[1]) if entry else {}, names[1:], value) if len(names) > 1 else value
        if not found.node.pairs:
            raise Unspliceable("the object is empty")
        insert_pair(change, found.node, names[0], whole, order_of(kind), [p[0].value for p in found.node.pairs], flow)
        return
    slot, node = change.slot(entry[0], flow), entry[1]
    value = shaped(node, BY_NAME[kind].attribute(name), value)
    if len(names) > 1:
        _change_in(change, slot, node, names[1], value, level)
    elif level:
        change.put(slot, node, fresh(slot, value))
    else:
        change_value(change, slot, node, value, STEP_KEYS)
    change.hand_on(node)


def attribute_keys(name: str) -> tuple[str, ...]:
    """The keys that lead to an attribute."""
    if name.startswith(CUSTOM_FIELD_PREFIX):
        return CUSTOM_FIELD_PREFIX[:-1], name.removeprefix(CUSTOM_FIELD_PREFIX)
    return (name,)


_UNORDERED = (TextSet, RefSet, CustomFieldValue, Parameters)


def shaped(node: Node, row: Attribute, value: JSON) -> JSON:
    """The value in the shape of the old one: sets in its order, parameters as mapping or list."""
    node = node.resolved()
    if isinstance(row.type, CustomFieldValue) and node.kind == "mapping":
        known = node.entries().get(row.type.title)
        return shaped(known[1], row, value) if known else value
    if isinstance(row.type, Parameters) and node.kind == "sequence" and isinstance(value, dict):
        value = [{name: each} for name, each in value.items()]
    elif isinstance(row.type, Parameters) and node.kind == "mapping" and isinstance(value, list):
        single = all(len(each) == 1 and isinstance(next(iter(each.values())), list) for each in value)
        value = {name: each for item in value for name, each in item.items()} if single else value
    if isinstance(row.type, _UNORDERED) and node.kind == "sequence" and isinstance(value, list):
        return in_order_of(node, value)
    return value


def _with(value: JSON, names: Sequence[str], new: JSON) -> JSON:
    if not names:
        return new
    known = value if isinstance(value, dict) else {}
    return {**known, names[0]: _with(known.get(names[0]), names[1:], new)}


def _change_in(change: Change, slot: Slot, node: Node, name: str, value: JSON, level: int) -> None:
    """One key of a mapping that is an attribute (custom fields)."""
    if node.kind != "mapping" or not node.pairs or level:
        change.put(slot, node, fresh(slot, _with(plain(node), [name], value)))
        return
    entry = node.entries().get(name)
    flow = slot.flow or node.flow
    if entry is None or not entry[2]:
        insert_pair(change, node, name, value, (), [pair[0].value for pair in node.pairs], flow)
    else:
        change_value(change, change.slot(entry[0], flow), entry[1], value)


def _by_merge(change: Change, found: Found, names: Sequence[str], value: JSON) -> None:
    """An object that is another's alias goes on being like it, but for one attribute."""
    slot, name = found.slot, found.node.value
    if slot is None:
        raise Unspliceable("the whole file is an alias")
    whole = _with(plain(found.node).get(names[0]), names[1:], value)
    if slot.flow:
        change.put(slot, found.node, Written(f"{{<<: *{name}, {key(names[0])}: {dump_inline(whole)}}}"))
        return
    lines = [f"<<: *{name}", *dump({names[0]: whole}).split("\n")[:-1]]
    change.put(slot, found.node, Written("", tuple(shifted(lines, slot.column + 2))))


def unset_attribute(change: Change, path: Path, kind: str, name: str, level: int) -> None:
    """Takes the lines of an attribute out."""
    found = find(change, path)
    names = attribute_keys(name)
    if level >= COARSEST or found.node.kind == "alias":
        _rewrite(change, found, kind, _without(plain(found.node), names))
        return
    node = found.node
    entry = node.entries().get(names[0])
    if entry is None or not entry[2]:
        raise Unspliceable("the attribute is not written there")
    if len(names) == 1 or (
        entry[1].resolved().kind == "mapping" and entry[1].resolved().entries().keys() == {names[1]}
    ):
        remove_pairs(change, node, {names[0]})
    elif entry[1].kind == "mapping" and not level and (known := entry[1].entries().get(names[1])) and known[2]:
        remove_pairs(change, entry[1], {names[1]})
    else:
        slot = change.slot(entry[0], node.flow or bool(found.slot and found.slot.flow))
        change.put(slot, entry[1], fresh(slot, _without(plain(entry[1]), names[1:])))
    change.hand_on(entry[1])


def _without(value: JSON, names: Sequence[str]) -> JSON:
    rest = {name: each for name, each in value.items() if name != names[0]}
    if len(names) > 1 and (inner := _without(value.get(names[0]) or {}, names[1:])):
        rest[names[0]] = inner
    return rest


def rewrite(change: Change, path: Path, kind: str, value: Attributes) -> None:
    """The object at `path` anew."""
    _rewrite(change, find(change, path), kind, value)


def _rewrite(change: Change, found: Found, kind: str, value: Attributes) -> None:
    """The object anew, its attributes in the table's order. Not one that others are nested in."""
    if any(section in value for section in NESTED[kind]):
        raise Unspliceable("other objects are nested in it")
    order = order_of(kind)
    value = dict(sorted(value.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order)))
    if found.slot is None:
        lines = dump(value).split("\n")[:-1]
        change.splice(found.node.start, found.node.end, change.source.newline.join(lines))
    else:
        change.put(found.slot, found.node, fresh(found.slot, value))
    change.hand_on()
