"""Whether what the state and its journal say of an object can be worked with: such files get damaged, merged, edited.

What is not sound is refused before anything is planned, attributes that no table knows among it: they are a later
version's, or damaged.
"""

from __future__ import annotations

import re
from typing import Any

from qase_iac.errors import StateError
from qase_iac.kinds import BY_NAME, KINDS, Kind
from qase_iac.state.journal import Item
from qase_iac.state.model import State
from qase_iac.state.store import MEND
from qase_iac.values import JSON, printable

_HASH = re.compile(r"[A-Za-z0-9_-]+\Z")
_PLAIN = {kind.name: frozenset(row.name for row in kind.attributes if kind.holds(row.name, "x")) for kind in KINDS}
"""Kind -> the attributes that hold any text."""
_SCALARS = frozenset({int, str, bool, type(None)})
_SOUND: dict[str, set[tuple[str, type, JSON]]] = {kind.name: set() for kind in KINDS}
"""Kind -> numbers and words that were found to be what an attribute holds: a project has few that are unlike."""
_SHAPES: dict[tuple[object, ...], list[str]] = {}
_MOST_SOUND = 100_000
"""Of both; a state is trusted with nothing, so neither with our memory."""


def check_state(state: State, place: str) -> None:
    """Raises StateError that names the first entry of the state in `place` that is not one of ours."""
    owners: dict[tuple[str, JSON], str] = {}
    for address, binding in state.bindings.items():
        problem = unsound(address, binding.id, binding.sent, binding.served, binding.unsupported)
        twin = None if problem else owners.setdefault((address.partition(".")[0], binding.id), address)
        if twin not in (None, address):
            problem = f"{twin} is bound to the same object, {binding.id}"
        if problem:
            summary = f"The state cannot be used: its entry of {printable(address)} makes no sense."
            raise StateError(summary, f"{printable(problem)}. It is in {place}.", MEND)


def check_item(item: Item) -> None:
    """Raises ValueError when an item of a journal is not one of ours."""
    texts = (item.address, item.action, item.title, item.digest)
    sound = all(isinstance(text, str) for text in texts) and isinstance(item.op, int) and isinstance(item.record, dict)
    if not sound:
        raise ValueError("an item of an intent is not one of ours")
    sent, needed = item.record.get("sent", {}), item.record.get("depends_on", [])
    if not isinstance(sent, dict) or not _texts(needed) or not isinstance(item.record.get("protect", False), bool):
        raise ValueError(f"what it records of {item.address} is not one of ours")
    if not isinstance(item.parent, int | str | None):
        raise ValueError(f"the parent of {item.address} is no id")
    if item.kind != "project" and (problem := unsound(item.address, item.id, sent, planned=True)):
        raise ValueError(f"{item.address}: {problem}")


def unsound(address: str, id: JSON, *values: dict[str, JSON], planned: bool = False) -> str | None:
    """What is wrong with an object's address, id or values, None when nothing is. An id of None is not looked at.

    `planned`: they may refer to what a plan is going to make.
    """
    name, _, key = address.partition(".")
    kind = BY_NAME.get(name)
    if kind is None or not kind.section or not key:
        return "this version of qase-iac knows no such kind of object"
    if id is not None and not is_id(kind, id):
        return f"{id!r} is not the id of a {kind.label}"
    sound = _SOUND[name]
    for each in values:
        for attribute in _doubtful(name, each) if each else ():
            value = each[attribute]
            what = value.__class__
            if what is list:
                row = kind.by_name.get(attribute)
                if row is not None and row.type.surely_holds(value):
                    continue
            elif what in _SCALARS and (attribute, what, value) in sound:
                continue
            if not _holds(kind, attribute, value, planned):
                return f"its `{attribute}` is nothing that this version of qase-iac writes"
            if what in _SCALARS and len(sound) < _MOST_SOUND:
                sound.add((attribute, what, value))
    return None


def _doubtful(kind: str, values: dict[str, JSON]) -> list[str]:
    """The attributes whose values have to be looked at: not those that hold any text, and have one.

    Objects with the same attributes, of the same types, are many; so that is found out once for all of them.
    """
    shape = (kind, *values, *map(type, values.values()))
    found = _SHAPES.get(shape)
    if found is None:
        plain = _PLAIN[kind]
        found = [name for name, value in values.items() if not (value.__class__ is str and name in plain)]
        if len(_SHAPES) < _MOST_SOUND:
            _SHAPES[shape] = found
    return found


def is_id(kind: Kind, id: JSON) -> bool:
    """Whether a value can be the identity of an object of that kind."""
    if kind.id_key == "id":
        return type(id) is int and id > 0
    return isinstance(id, str) and bool(_HASH.match(id))


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _holds(kind: Kind, name: str, value: JSON, planned: bool) -> bool:
    """Whether a value has the attribute's shape, bound: what it refers to are ids and hashes."""
    row = kind.by_name.get(name)
    if not kind.holds(name, value):
        return False
    return row is None or all(_is_ref(ref, planned) for _, ref in row.type.refs(value))


def _is_ref(ref: JSON, planned: bool) -> bool:
    if planned and isinstance(ref, dict):
        return set(ref) == {"known_after_apply"} and isinstance(ref["known_after_apply"], str)
    return isinstance(ref, int | str)
