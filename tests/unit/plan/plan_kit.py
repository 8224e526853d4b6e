"""DESIRED, SNAPSHOT and STATE out of a few words, and the plan that follows from them.

`both` is where most tests begin: an object that is declared, in Qase and bound, all of them equal. Then `yaml` and
`qase` change one side. References are written as keys (`suite="checkout"`), as `external(7)`, or in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from qase_iac.diagnostics import SourceRange
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Catalogue, Desired, LiveObject, Moved, Policy, Resource, Scope, Snapshot
from qase_iac.plan.model import Change, Options, Plan
from qase_iac.plan.planner import build
from qase_iac.state.model import Binding, State
from qase_iac.values import Address, RemoteId


def external(id: RemoteId) -> dict[str, RemoteId]:
    return {"external_id": id}


def file(path: str, sha: str = "", size: int = 3) -> dict[str, Any]:
    """A file of the folder, as the loader has it."""
    return {"path": path, "sha256": sha or f"sha-{path}", "size": size, "name": path.rpartition("/")[2]}


def shared(key: str) -> dict[str, Any]:
    return {"shared": {"address": f"shared_step.{key}"}}


class Kit:
    def __init__(self, scope: Iterable[str] | None = None) -> None:
        self.resources: dict[Address, Resource] = {}
        self.snapshot = Snapshot(catalogue=Catalogue(), requests=9)
        self.state = State(lineage="lineage", serial=4, project="SHOP", api="https://api.qase.io/v1")
        self.moves: list[Moved] = []
        self.removed: dict[Address, SourceRange] = {}
        self.adopted: dict[Address, tuple[RemoteId, SourceRange]] = {}
        self.scope = Scope(tuple(scope) if scope is not None else None)
        self.project: dict[str, Any] = {}
        self._next = 100

    # -- the folder ----------------------------------------------------------------------------------------------

    def declare(self, name: str, local: dict[str, Any] | None = None, **attributes: Any) -> Kit:
        """`protect`, `ignore` and `policy` are those of Resource; suites nest by their keys."""
        address = Address.parse(name)
        kind = BY_NAME[address.kind]
        more = {key: attributes.pop(key) for key in ("protect", "ignore", "policy", "order") if key in attributes}
        attributes.setdefault("title", name.replace("-", " "))
        if kind.parent:
            above = address.key.rpartition("/")[0] if kind.nested_keys else None
            attributes.setdefault(kind.parent, above or None)
        order = more.pop("order", len(self.resources))
        values = {key: _as_written(kind, key, value) for key, value in attributes.items()}
        source = SourceRange("cases.yaml", 10 + order, 3)
        resource = Resource(address, values, source, order, local or {}, **({"policy": Policy()} | more))
        self.resources[address] = resource
        return self

    def yaml(self, name: str, drop: Iterable[str] = (), local: dict[str, Any] | None = None, **changes: Any) -> Kit:
        """An edit in the files."""
        old = self.resources[Address.parse(name)]
        kind = BY_NAME[old.address.kind]
        more = {key: changes.pop(key) for key in ("protect", "ignore", "policy") if key in changes}
        values = old.attributes | {key: _as_written(kind, key, value) for key, value in changes.items()}
        values = {key: value for key, value in values.items() if key not in drop}
        self.resources[old.address] = replace(old, attributes=values, local=old.local | (local or {}), **more)
        return self

    def undeclare(self, *names: str) -> Kit:
        for name in names:
            del self.resources[Address.parse(name)]
        return self

    def rekey(self, old: str, new: str, **changes: Any) -> Kit:
        """Another key for the same declaration, in the same place of the file."""
        origin = self.resources.pop(Address.parse(old))
        target = Address.parse(new)
        self.resources[target] = replace(origin, address=target)
        return self.yaml(new, **changes)

    def moved(self, *entries: tuple[str, str]) -> Kit:
        for old, new in entries:
            where = SourceRange("history.yaml", 2 + len(self.moves), 3)
            self.moves.append(Moved(Address.parse(old), Address.parse(new), where))
        return self

    def remove(self, *names: str) -> Kit:
        self.removed |= {Address.parse(name): SourceRange("history.yaml", 1, 1) for name in names}
        return self

    def adopt(self, name: str, id: RemoteId) -> Kit:
        self.adopted[Address.parse(name)] = id, SourceRange("history.yaml", 1, 1)
        return self

    # -- Qase ----------------------------------------------------------------------------------------------------

    def live(self, kind: str, id: RemoteId, meta: dict[str, Any] | None = None, **attributes: Any) -> Kit:
        """An object in Qase; references are ids."""
        values = {"title": f"{kind} {id}", **attributes}
        if BY_NAME[kind].parent:
            values.setdefault(BY_NAME[kind].parent, None)
        self.snapshot.objects.setdefault(kind, {})[id] = LiveObject(kind, id, values, meta or {})
        return self

    def qase(self, name: str, meta: dict[str, Any] | None = None, drop: Iterable[str] = (), **changes: Any) -> Kit:
        """An edit in Qase; references are ids."""
        kind, id = name.partition(".")[0], self.state.bindings[name].id
        old = self.snapshot.objects[kind][id]
        values = {key: value for key, value in (old.attributes | changes).items() if key not in drop}
        self.snapshot.objects[kind][id] = replace(old, attributes=values, meta=old.meta | (meta or {}))
        return self

    def vanish(self, *names: str) -> Kit:
        for name in names:
            kind, id = name.partition(".")[0], self.state.bindings[name].id
            del self.snapshot.objects[kind][id]
            self.snapshot.gone.add((kind, id))
        return self

    def held(self, hash: str, name: str, size: int = 3) -> Kit:
        """A file in Qase."""
        self.snapshot.files[hash] = {"name": name, "size": size, "url": f"https://files/{hash}/{name}"}
        return self

    # -- the state -----------------------------------------------------------------------------------------------

    def bind(self, name: str, id: RemoteId, **more: Any) -> Kit:
        """`sent` defaults to what is declared, in its bound form."""
        if "sent" not in more:
            more["sent"] = self._bound(name) if Address.parse(name) in self.resources else {}
        self.state.bindings[name] = Binding(id, **more)
        return self

    def uploaded(self, path: str, hash: str) -> Kit:
        self.state.files[f"sha-{path}"] = {"hash": hash, "name": path.rpartition("/")[2], "size": 3}
        return self.held(hash, path.rpartition("/")[2])

    # -- all of it -----------------------------------------------------------------------------------------------

    def both(self, name: str, id: RemoteId | None = None, meta: dict[str, Any] | None = None, **attributes: Any) -> Kit:
        """Declared, in Qase and bound, all equal."""
        if id is None:
            self._next += 1
            id = self._next if BY_NAME[name.partition(".")[0]].id_key == "id" else f"{self._next:040x}"
        self.declare(name, **attributes)
        values = self._bound(name)
        self.live(name.partition(".")[0], id, meta, **values)
        return self.bind(name, id, sent=dict(values))

    def id(self, name: str) -> RemoteId:
        return self.state.bindings[name].id

    def stateless(self) -> Kit:
        self.state = State()
        return self

    def _bound(self, name: str) -> dict[str, Any]:
        resource = self.resources[Address.parse(name)]
        kind = BY_NAME[resource.address.kind]

        def visit(to: str, ref: Any) -> Any:
            if "address" in ref:
                return self.state.bindings[ref["address"]].id
            if "sha256" in ref:
                return self.state.files[ref["sha256"]]["hash"]
            return ref.get("external_id", ref.get("hash"))

        return {key: kind.attribute(key).type.rebind(value, visit) for key, value in resource.attributes.items()}

    # -- outcome -------------------------------------------------------------------------------------------------

    @property
    def desired(self) -> Desired:
        return Desired(
            project="SHOP",
            resources=self.resources,
            moved=tuple(self.moves),
            removed=self.removed,
            adopt=self.adopted,
            scope=self.scope,
            **self.project,
        )

    def plan(self, **options: Any) -> Plan:
        for name in ("select", "exclude"):
            if isinstance(options.get(name), str):
                options[name] = (options[name],)
        if "allow_recreate" in options:
            options["allow_recreate"] = frozenset(options["allow_recreate"])
        return build(self.desired, self.snapshot, self.state, Options(**options), api=self.state.api, tool="qase-iac t")


def _as_written(kind: Kind, name: str, value: Any) -> Any:
    """`suite="checkout"` and `cases=["a", "b"]` as references."""
    to = getattr(kind.attribute(name).type, "kind", None)
    if to is None:
        return value
    if isinstance(value, list):
        return [_ref(to, item) for item in value]
    return _ref(to, value)


def _ref(to: str, value: Any) -> Any:
    return {"address": f"{to}.{value}"} if isinstance(value, str) else value


def lines(plan: Plan) -> list[str]:
    """The changes in their order, a line each: `! create case.pay (conflict)`, `update case.pay severity=ours`."""
    return [line(change) for change in plan.changes]


def line(change: Change) -> str:
    if change.blocked:
        return f"! {change.action} {change.address} ({change.blocked.code})"
    origins = [f"{name}={each.origin}" for name, each in change.attributes.items()]
    shown = origins if change.action not in ("create", "delete") else []
    former = [f"from {change.moved_from}"] if change.moved_from else []
    return " ".join([f"{change.action} {change.address}", *former, *shown])


def change(plan: Plan, address: str) -> Change:
    (found,) = (each for each in plan.changes if each.address == address)
    return found


def codes(plan: Plan) -> list[str]:
    return [finding.code for finding in plan.findings]
