"""Random worlds for the laws of the planner, and a tiny interpreter of plans over snapshots."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from plan_kit import Kit, external, shared

from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Policy
from qase_iac.plan.model import LEFT, Action, Change, Plan
from qase_iac.state.model import Binding
from qase_iac.values import Address

TITLES = ("Pay", "Refund", "Ship")
WORDS = ("minor", "major")
STEPS: tuple[list[Any], ...] = ([], [{"action": "Open"}], [{"action": "Open"}, {"action": "Pay"}])


def world(random: Random) -> Kit:
    """Everything at once: equal, edited on either side, gone from either side, renamed, adopted, never seen."""
    # One for all: where a member that vanished is made again and the drift of the test plan is kept, the state holds an
    # id that nobody can tell from an edit.
    on_drift = random.choice(["revert", "keep", "fail"])
    kit = Kit(scope=random.choice([None, None, ["a/**"], ["a", "b/**", "."]]))
    for key in ("a", "b", "a/x", "b/x", "a/x/y"):
        if "/" not in key or f"suite.{key.rpartition('/')[0]}" in map(str, kit.resources):
            _begin(kit, on_drift, random, f"suite.{key}")
    _begin(kit, on_drift, random, "milestone.m")
    _begin(kit, on_drift, random, "shared_step.in", steps=[{"action": "Sign in"}])
    for at in range(random.randint(0, 6)):
        _begin(kit, on_drift, random, f"case.c{at}", **_case(kit, random))
    _begin(
        kit,
        on_drift,
        random,
        "plan.p",
        cases=[a.key for a in kit.resources if a.kind == "case" and random.random() < 0.6],
    )
    for id in range(900, 900 + random.randint(0, 4)):
        kit.live("case", id, title=random.choice(TITLES), suite=random.choice([None, *kit.snapshot.of("suite")]))
    kit.live("suite", 950, title=random.choice(("A", "suite.a", "suite.b")), parent=random.choice([None, 950 - 1]))
    for name in list(kit.state.bindings):
        _disturb(kit, random, name)
    _undeclare(kit, random)
    _rename(kit, random)
    return kit


def _begin(kit: Kit, on_drift: str, random: Random, name: str, **attributes: Any) -> None:
    policy = Policy(random.choice(["auto", "explicit"]), on_drift, random.choice(["ours", "theirs", "fail"]))
    above = name.rpartition("/")[0]
    members = [f"case.{key}" for key in attributes.get("cases", ())]
    bindable = all(needed in kit.state.bindings for needed in [above, *members] if needed)
    make = kit.both if bindable and random.random() < 0.7 else kit.declare
    make(name, **attributes, policy=policy)


def _case(kit: Kit, random: Random) -> dict[str, Any]:
    def some(kind: str) -> list[str]:
        return [a.key for a in kit.resources if a.kind == kind and str(a) in kit.state.bindings]

    steps = list(random.choice(STEPS))
    if some("shared_step") and random.random() < 0.4:
        steps.append(shared("in"))
    found: dict[str, Any] = {
        "title": random.choice(TITLES),
        "suite": random.choice([None, *some("suite")]),
        "steps": steps,
    }
    if random.random() < 0.5:
        found["severity"] = random.choice(WORDS)
    if some("milestone") and random.random() < 0.4:
        found["milestone"] = "m"
    return found


def _disturb(kit: Kit, random: Random, name: str) -> None:
    """An edit in the files, in Qase, or in both."""
    address = Address.parse(name)
    if random.random() < 0.3:
        kit.yaml(name, title=f"{random.choice(TITLES)} anew")
    if random.random() < 0.3:
        kit.qase(name, title=random.choice([f"{random.choice(TITLES)} anew", "Edited"]))
    if address.kind == "case":
        if random.random() < 0.3:
            declared = [a.key for a in kit.resources if a.kind == "suite"]
            kit.yaml(name, suite=random.choice([None, external(950), *declared]))
        if random.random() < 0.2:
            kit.qase(name, suite=random.choice([None, *kit.snapshot.of("suite")]))
        if random.random() < 0.2:
            kit.yaml(name, severity=random.choice(WORDS))
        if random.random() < 0.2:
            kit.qase(name, severity=random.choice(WORDS))
    if address.kind == "plan" and random.random() < 0.3:
        kit.qase(name, {"assignees": random.randint(0, 2)})
    if random.random() < 0.1:
        kit.state.bindings[name].protect = True


def _undeclare(kit: Kit, random: Random) -> None:
    """Some go from the files, some from Qase; what the files refer to stays in them."""
    for kind in ("plan", "case", "shared_step", "milestone", "suite"):
        for address in [a for a in reversed(list(kit.resources)) if a.kind == kind]:
            used = {ref for r in kit.resources.values() for ref in _addresses(r.attributes)}
            if random.random() < 0.25 and str(address) not in used:
                kit.undeclare(str(address))
                if random.random() < 0.2:
                    kit.remove(str(address))
    for name in list(kit.state.bindings):
        kind, id = name.partition(".")[0], kit.id(name)
        hung = any(id in (live.attributes.get("suite"), live.attributes.get("parent")) for live in kit.snapshot)
        if random.random() < 0.15 and kind in ("case", "suite") and not (kind == "suite" and hung):
            kit.vanish(name)
            for plan in kit.snapshot.of("plan").values():
                plan.attributes["cases"] = [case for case in plan.attributes.get("cases") or () if case != id]


def _rename(kit: Kit, random: Random) -> None:
    for address in [a for a in kit.resources if a.kind == "case"]:
        if random.random() < 0.15 and not any(str(address) in _addresses(r.attributes) for r in kit.resources.values()):
            target = f"case.n-{address.key}"
            kit.rekey(str(address), target)
            if random.random() < 0.6:
                kit.moved((str(address), target))


def _addresses(value: Any) -> set[str]:
    if isinstance(value, dict):
        return (
            {str(value["address"])} if "address" in value else {a for each in value.values() for a in _addresses(each)}
        )
    return {a for each in value for a in _addresses(each)} if isinstance(value, list) else set()


# -- carrying out ----------------------------------------------------------------------------------------------------


class Broken(AssertionError):
    """The plan would have lost something."""


def carry_out(kit: Kit, plan: Plan) -> None:
    """Does to the snapshot and to the state what the plan says, as apply and Qase would."""
    bindings = kit.state.bindings
    renames = {c.moved_from: c.address for c in plan.changes if c.moved_from}
    moving = {new: bindings.pop(old) for old, new in renames.items()}
    bindings |= moving
    kit.state.moved += [
        f"{m.origin} -> {m.target}" for m in kit.moves if str(m.origin) not in bindings or str(m.origin) in renames
    ]
    for change in plan.changes:
        if not change.blocked:
            _do(kit, change)
    for address, values in plan.observed.items():
        if address in bindings:
            binding = bindings[address]
            for name, value in values.items():
                if value == LEFT:
                    binding.served[name] = kit.snapshot.objects[address.partition(".")[0]][binding.id].attributes.get(
                        name
                    )
                else:
                    binding.sent[name] = value
                    binding.served.pop(name, None)


def _do(kit: Kit, change: Change) -> None:
    bindings, objects = kit.state.bindings, kit.snapshot.objects.setdefault(change.kind, {})
    values = {name: _bound(kit, change.kind, name, each.after) for name, each in change.attributes.items()}
    match change.action:
        case Action.CREATE:
            kit._next += 1
            id = kit._next if BY_NAME[change.kind].id_key == "id" else f"{kit._next:040x}"
            objects[id] = LiveObject(change.kind, id, dict(values))
            bindings[change.address] = Binding(id, sent=dict(values))
        case Action.UPDATE | Action.MOVE | Action.ADOPT:
            assert change.id is not None
            live = objects[change.id]
            sent = {name: values[name] for name in change.sent}
            objects[change.id] = replace(live, attributes=live.attributes | sent)
            bindings.setdefault(change.address, Binding(change.id)).sent |= values
        case Action.DELETE:
            assert change.id is not None
            _lose(kit, change)
            del objects[change.id], bindings[change.address]
        case Action.FORGET:
            del bindings[change.address]
        case Action.NO_OP:
            pass


def _lose(kit: Kit, change: Change) -> None:
    """What Qase does to others when an object goes. Suites, shared steps and milestones must be free of users."""
    for live in kit.snapshot:
        for row in BY_NAME[live.kind].references:
            used = [
                ref
                for kind, ref in row.type.refs(live.attributes.get(row.name))
                if kind == change.kind and ref == change.id
            ]
            if used and not row.members:
                raise Broken(f"{change.address} goes while {live.kind} {live.id} refers to it by {row.name}")
            if used:
                live.attributes[row.name] = [ref for ref in live.attributes[row.name] if ref != change.id]


def _bound(kit: Kit, kind: str, name: str, shown: Any) -> Any:
    def visit(to: str, ref: Any) -> Any:
        if isinstance(ref, dict) and "external_id" in ref:
            return ref["external_id"]
        address = ref["known_after_apply"] if isinstance(ref, dict) else ref
        return kit.state.bindings[address].id  # KeyError: the plan was not in order, or should have been blocked

    return BY_NAME[kind].attribute(name).type.rebind(shown, visit)
