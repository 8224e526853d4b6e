"""Catching up: what a journal says was done, put into the state.

`enact` is the one place that turns a done operation into bindings. The executor uses it as it goes, `fold` uses it
after an interruption, so the two agree; repeating it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from qase_iac.apply.sound import check_item, is_id
from qase_iac.errors import StateError
from qase_iac.kinds import BY_NAME
from qase_iac.state.journal import DONE, UNKNOWN, Contents, Header, Intent, Item, Seen, damaged
from qase_iac.state.model import Binding, State, is_file_entry, is_texts
from qase_iac.values import JSON, Attributes, RemoteId, printable


@dataclass(frozen=True, slots=True)
class Folded:
    """The state caught up with its journal. `changed`: whether that made a difference. `open` are to be settled."""

    state: State
    changed: bool
    open: tuple[Intent, ...] = ()
    seen: Seen = field(default_factory=dict)


def enact(state: State, item: Item, id: RemoteId | None) -> bool:
    """Writes one done operation into the state; True when that changed it. Repeating it changes nothing.

    The project itself is not bound: `state.project` names it, and nothing ever changes or deletes it.
    """
    if not BY_NAME[item.kind].section:
        return False
    bound = state.bindings.get(item.address)
    if item.action == "delete":
        if bound is None or bound.id != item.id:
            return False
        del state.bindings[item.address]
        return True
    id = item.id if id is None else id
    if id is None:
        return False
    changed = bound is None or bound.id != id
    binding = Binding(id) if bound is None or changed else bound
    if bound is not None and changed:
        _follow(state, item.address, bound.id, id)
    fresh = {name: value for name, value in item.record.get("sent", {}).items() if not _same(binding.sent, name, value)}
    for name, value in fresh.items():
        binding.sent[name] = value
        binding.served.pop(name, None)
    if fresh:
        binding.meta = {}
    changed = changed or bool(fresh)
    for name in ("depends_on", "protect"):
        if name in item.record and getattr(binding, name) != item.record[name]:
            setattr(binding, name, item.record[name])
            changed = True
    state.bindings[item.address] = binding
    return changed


def _follow(state: State, address: str, old: RemoteId, new: RemoteId) -> None:
    """An object was made again under a new id: what is known of others that refer to it is about the new one."""
    kind = address.partition(".")[0]

    def visit(to: str, ref: JSON) -> JSON:
        return new if (to, ref) == (kind, old) else ref

    for other, binding in state.bindings.items():
        if address not in binding.depends_on:
            continue
        for row in BY_NAME[other.partition(".")[0]].references:
            for values in (binding.sent, binding.served):
                if values.get(row.name):
                    values[row.name] = row.type.rebind(values[row.name], visit)


def _same(values: Attributes, name: str, value: JSON) -> bool:
    return name in values and values[name] == value and type(values[name]) is type(value)


def rename(state: State, renames: Iterable[tuple[str, str, RemoteId]]) -> bool:
    """Gives bound objects their new addresses, all at once, so that swaps work. What is renamed already stays so."""
    due = [(old, new) for old, new, id in renames if old in state.bindings and state.bindings[old].id == id]
    moving = {new: state.bindings[old] for old, new in due}
    for old, _ in due:
        del state.bindings[old]
    state.bindings |= moving
    names = dict(due)
    for binding in state.bindings.values():
        if any(address in names for address in binding.depends_on):
            binding.depends_on = sorted({names.get(address, address) for address in binding.depends_on})
    return bool(due)


def fold(state: State, contents: Contents) -> Folded:
    """What the state is once all that its journal says was done is in it. `state` itself is left as it is.

    Raises StateError when the journal is of another state, or damaged elsewhere than at its end.
    """
    header = contents.header
    _check_kinship(state, header)
    new = State.from_json(deepcopy(state.to_json())) if state.exists else _first_state(header)
    changed = False
    open_intents: dict[int, Intent] = {}
    for at, record in enumerate(contents.records):
        try:
            changed |= _fold_record(new, record, open_intents)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise damaged(at + 2, error) from None
    if contents.records and header.plan and header.plan not in new.applied:
        new.applied.append(header.plan)
        changed = True
    return Folded(new, changed, tuple(open_intents.values()), header.seen)


def _first_state(header: Header) -> State:
    return State(header.lineage, 0, header.project, header.api, header.tool)


def _check_kinship(state: State, header: Header) -> None:
    """A run saves its state under the next serial, so a journal fits the serial it began with and the one after."""
    begun = f"a run that began with serial {header.serial} of state {header.lineage}"
    if not state.exists and header.serial == 0:
        return
    if not state.exists:
        found = "there is no state"
    elif state.lineage != header.lineage:
        found = f"the state is {state.lineage}"
    elif state.serial - header.serial not in (0, 1):
        found = f"the state has serial {state.serial}"
    else:
        return
    raise StateError(
        f"The journal is of {printable(begun)}, but {printable(found)}.",
        "It tells what an interrupted run did. Taken for another state, it would bind wrong objects.",
        "Put back the state file that belongs to it, or run `qase-iac state rebuild --replace`: it puts both aside.",
    )


def _fold_record(state: State, record: dict[str, Any], open_intents: dict[int, Intent]) -> bool:
    if "intent" in record:
        intent = Intent(int(record["intent"]), str(record["time"]), tuple(Item(**item) for item in record["items"]))
        for item in intent.items:
            check_item(item)
        open_intents[intent.number] = intent
        return False
    if "outcome" in record:
        if record["status"] == UNKNOWN:
            return False
        intent = open_intents.pop(record["outcome"])
        done = record["status"] == DONE
        ids = record["ids"] if done else []
        for item, id in zip(intent.items, ids, strict=done):
            if id is not None and item.kind != "project" and not is_id(BY_NAME[item.kind], id):
                raise ValueError(f"{id!r} is no id of {item.address}")
        return any([enact(state, item, id) for item, id in zip(intent.items, ids, strict=done)])
    if "renamed" in record:
        if not is_texts(record["moved"]) or not all(is_texts(pair[:2]) for pair in record["renamed"]):
            raise TypeError("a rename is not one of ours")
        renamed = rename(state, [(old, new, id) for old, new, id in record["renamed"]])
        fresh = [str(entry) for entry in record["moved"] if entry not in state.moved]
        state.moved.extend(fresh)
        return renamed or bool(fresh)
    entry = dict(record["entry"])
    if not is_file_entry(entry) or not isinstance(record["uploaded"], str):
        raise TypeError("an upload is not one of ours")
    known = state.files.get(record["uploaded"]) == entry
    state.files[record["uploaded"]] = entry
    return not known
