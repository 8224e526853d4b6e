"""A small Qase in memory, and short ways to write plans against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qase_iac.apply.events import Event
from qase_iac.apply.executor import execute
from qase_iac.apply.report import Operation, Report
from qase_iac.diagnostics import SourceRange
from qase_iac.errors import NotFound, ServerFault
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Origin, Plan, Reason
from qase_iac.state.journal import Header, Journal, seen_of
from qase_iac.state.model import Binding, State
from qase_iac.values import JSON, Address, Attributes, RemoteId

PAGE = 10
LINEAGE = "11111111-aaaa"


class MemoryRemote:
    """A project with ids that count up, lists of ten a page, and the deletes that Qase is feared for.

    `faults` are asked before each write with (verb, kind, detail) and may raise; `after` likewise after its effect.
    `serve` rewrites what is stored. `stubborn` names (kind, attribute) that an update leaves as it is.
    """

    def __init__(self, shared_parameters: dict[str, str] | None = None) -> None:
        self.objects: dict[str, dict[RemoteId, LiveObject]] = {}
        self.uploads: dict[str, tuple[str, bytes]] = {}
        self.calls: list[tuple[str, str, object]] = []
        self.reads: list[tuple[str, object]] = []
        self.destinations: list[RemoteId | None] = []
        self.faults: list[Callable[[str, str, object], None]] = []
        self.after: list[Callable[[str, str, object], None]] = []
        self.read_faults: list[Callable[[str, object], None]] = []
        self.serve: Callable[[str, Attributes], Attributes] = lambda kind, attributes: attributes
        self.stubborn: set[tuple[str, str]] = set()
        self.short_by = 0
        self._catalogue = Catalogue(shared_parameters=shared_parameters)
        self._snapshot = Snapshot(catalogue=self._catalogue)
        self._made: dict[str, int] = {}
        self._last = 0
        self._clock = 0

    # -- set up

    def put(
        self, kind: str, title: str, id: RemoteId | None = None, meta: Attributes | None = None, **attributes: JSON
    ):
        """An object that somebody made in Qase."""
        id = self._new_id(kind) if id is None else id
        self._last = max(self._last, id if isinstance(id, int) else 0)
        live = LiveObject(kind, id, {"title": title, **attributes}, meta or {})
        self.objects.setdefault(kind, {})[id] = live
        return id

    def exists(self) -> None:
        """The project itself can be read."""
        self.objects["project"] = {"SHOP": LiveObject("project", "SHOP", {"title": "Shop"})}

    def look(self) -> Snapshot:
        """What a planner would read now."""
        objects = {kind: dict(found) for kind, found in self.objects.items()}
        self._made.clear()
        self._snapshot = Snapshot(objects=objects, catalogue=self._catalogue)
        return self._snapshot

    def titles(self, kind: str) -> list[str]:
        return sorted(live.title for live in self.objects.get(kind, {}).values())

    def _new_id(self, kind: str) -> RemoteId:
        self._last += 1
        return f"{self._last:040x}" if BY_NAME[kind].id_key == "hash" else self._last

    def _stamp(self, kind: str, attributes: Attributes) -> Attributes:
        self._clock += 1
        meta: Attributes = {"updated_at": f"t{self._clock}"}
        if BY_NAME[kind].members:
            meta["cases_count"] = len(attributes.get("cases") or ())
        elif kind == "shared_step":
            meta |= {"cases": [], "cases_count": 0}
        return meta

    def _before(self, verb: str, kind: str, detail: object) -> None:
        self.calls.append((verb, kind, detail))
        for fault in self.faults:
            fault(verb, kind, detail)

    def _after(self, verb: str, kind: str, detail: object) -> None:
        for fault in self.after:
            fault(verb, kind, detail)

    # -- Remote

    def create(self, kind: str, attributes: Attributes, key: str = "") -> RemoteId:
        self._before("create", kind, attributes.get("title"))
        id = self._make(kind, attributes, key)
        self._after("create", kind, attributes.get("title"))
        self._made[kind] = self._made.get(kind, 0) + 1
        return id

    def _make(self, kind: str, attributes: Attributes, key: str = "") -> RemoteId:
        id = key if not BY_NAME[kind].section else self._new_id(kind)
        served = self.serve(kind, dict(attributes))
        self.objects.setdefault(kind, {})[id] = LiveObject(kind, id, served, self._stamp(kind, served))
        return id

    def create_many(self, kind: str, batch: Sequence[Attributes]) -> list[RemoteId]:
        titles = [attributes["title"] for attributes in batch]
        self._before("create_many", kind, titles)
        ids = [self._make(kind, attributes) for attributes in batch]
        self._after("create_many", kind, titles)
        self._made[kind] = self._made.get(kind, 0) + len(ids)
        return ids[: len(ids) - self.short_by]

    def update(self, kind: str, id: RemoteId, attributes: Attributes, live: Attributes) -> None:
        self._before("update", kind, (id, {**live, **attributes}))
        held = self.objects.get(kind, {}).get(id)
        if held is None:
            raise NotFound("Not found.", status=404)
        taken = {n: v for n, v in attributes.items() if (kind, n) not in self.stubborn}
        values = {**held.attributes, **self.serve(kind, taken)}
        self.objects[kind][id] = replace(held, attributes=values, meta={**held.meta, **self._stamp(kind, values)})
        self._after("update", kind, (id, attributes))

    def delete(self, kind: str, id: RemoteId, destination: RemoteId | None = None) -> None:
        self._before("delete", kind, id)
        if id not in self.objects.get(kind, {}):
            raise NotFound("Not found.", status=404)
        del self.objects[kind][id]
        if kind == "suite":
            self.destinations.append(destination)
        self._after("delete", kind, id)

    def upload(self, name: str, content: bytes) -> str:
        self._before("upload", "attachment", name)
        hash = f"hash{len(self.uploads) + 1}"
        self.uploads[hash] = (name, content)
        return hash

    def read(self, kind: str, id: RemoteId) -> LiveObject | None:
        self._reading("read", (kind, id))
        return self.objects.get(kind, {}).get(id)

    def read_all(self, kind: str) -> dict[RemoteId, LiveObject]:
        self._reading("read_all", kind)
        whole = self.objects.get(kind, {})
        self._snapshot.objects[kind] = dict(whole)
        self._made[kind] = 0
        if not BY_NAME[kind].members:
            return dict(whole)
        return {
            id: replace(live, attributes={n: v for n, v in live.attributes.items() if n != "cases"}, partial=True)
            for id, live in whole.items()
        }

    def grew(self, kind: str) -> bool:
        self._reading("grew", kind)
        return len(self.objects.get(kind, {})) > len(self._snapshot.of(kind)) + self._made.get(kind, 0)

    def list_cost(self, kind: str) -> int:
        return max(1, -(-len(self.objects.get(kind, {})) // PAGE))

    def holds(self, suite: RemoteId) -> tuple[list[RemoteId], list[RemoteId]]:
        self._reading("holds", suite)
        cases = [id for id, live in self.objects.get("case", {}).items() if live.attributes.get("suite") == suite]
        inner = [id for id, live in self.objects.get("suite", {}).items() if live.attributes.get("parent") == suite]
        return cases, inner

    def users(self, kind: str, id: RemoteId) -> list[tuple[str, RemoteId]]:
        self._reading("users", (kind, id))
        found = [live for each in self.objects.values() for live in each.values()]
        return [(live.kind, live.id) for live in found if live.attributes.get(kind) == id]

    def _reading(self, verb: str, detail: object) -> None:
        self.reads.append((verb, detail))
        for fault in self.read_faults:
            fault(verb, detail)

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot


# -- plans


def new(address: str, /, depends_on: Sequence[str] = (), files: dict[str, str] | None = None, **values: JSON) -> Change:
    values = {"title": address.partition(".")[2], **values}
    attributes = {name: AttributeChange(None, value, Origin.OURS) for name, value in values.items()}
    return Change(
        address,
        Action.CREATE,
        None,
        Reason.NEW,
        str(values["title"]),
        f"{address}.yaml:1",
        tuple(depends_on),
        attributes=attributes,
        files=files or {},
        uploads=tuple(files or ()),
    )


def edit(
    address: str,
    id: RemoteId,
    /,
    action: Action = Action.UPDATE,
    depends_on: Sequence[str] = (),
    both: Sequence[str] = (),
    blocked: Blocked | None = None,
    moved_from: str | None = None,
    before: Attributes | None = None,
    files: dict[str, str] | None = None,
    **values: JSON,
) -> Change:
    attributes = {
        name: AttributeChange((before or {}).get(name), value, Origin.BOTH if name in both else Origin.OURS)
        for name, value in values.items()
    }
    return Change(
        address,
        action,
        id,
        Reason.CONFIG_CHANGED,
        address,
        f"{address}.yaml:1",
        tuple(depends_on),
        "sha256:before",
        attributes,
        blocked=blocked,
        moved_from=moved_from,
        files=files or {},
        uploads=tuple(files or ()),
    )


def drop(address: str, id: RemoteId, depends_on: Sequence[str] = (), blocked: Blocked | None = None) -> Change:
    return Change(
        address, Action.DELETE, id, Reason.UNDECLARED, address, None, tuple(depends_on), "sha256:b", blocked=blocked
    )


def plan_of(*changes: Change, **more: object) -> Plan:
    return Plan("SHOP", "https://api.qase.io/v1", "qase-iac test", "sha256:config", LINEAGE, 4, changes, **more)  # type: ignore[arg-type]


def resource(address: str, protect: bool | None = None, **attributes: JSON) -> Resource:
    return Resource(Address.parse(address), attributes, SourceRange("a.yaml", 1), 0, protect=protect)


def desired_of(*resources: Resource, **more: object) -> Desired:
    return Desired("SHOP", resources={each.address: each for each in resources}, **more)  # type: ignore[arg-type]


def state_of(**bindings: Binding | RemoteId) -> State:
    """`state_of(**{"case.a": 1})`."""
    bound = {address: b if isinstance(b, Binding) else Binding(b) for address, b in bindings.items()}
    return State(LINEAGE, 4, "SHOP", "https://api.qase.io/v1", "", bound)


@dataclass
class Bench:
    """Everything that a run takes, kept for looking at afterwards."""

    folder: Path
    remote: MemoryRemote = field(default_factory=MemoryRemote)
    state: State = field(default_factory=state_of)
    files: dict[str, bytes] = field(default_factory=dict)
    saves: list[tuple[int, int]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    stop_after: int | None = None
    save_fault: Callable[[State], None] = lambda state: None

    @property
    def journal_path(self) -> Path:
        return self.folder / "state.journal"

    def header(self, plan: Plan) -> Header:
        return Header(
            self.state.lineage, self.state.serial, plan.digest, plan.project, plan.api, seen=seen_of(self.remote.look())
        )

    def run(self, *changes: Change, desired: Desired | None = None, bulk_size: int = 100, **more: object) -> Report:
        return self.run_plan(plan_of(*changes, **more), desired, bulk_size)

    def run_plan(self, plan: Plan, desired: Desired | None = None, bulk_size: int = 100) -> Report:
        journal = Journal(self.journal_path, self.header(plan))
        return execute(
            plan,
            desired or desired_of(),
            self.state,
            self.remote,
            journal,
            self._save,
            bulk_size=bulk_size,
            read_file=self._read_file,
            now=lambda: "2026-01-01T00:00:00Z",
            on_event=self.events.append,
            sleep=self.slept.append,
            interrupted=lambda: self.stop_after is not None and len(self.remote.calls) >= self.stop_after,
        )

    def _save(self, state: State) -> None:
        self.save_fault(state)
        self.saves.append((state.serial, len(state.bindings)))

    def _read_file(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path]

    def id(self, address: str) -> RemoteId:
        return self.state.bindings[address].id


def statuses(report: Report) -> dict[str, str]:
    return {each.address: str(each.status) for each in report.operations}


def operation(report: Report, address: str) -> Operation:
    return next(each for each in report.operations if each.address == address)


def unreadable(verb: str, detail: object) -> None:
    """A fault of reads: what became of a call cannot be found out."""
    raise ServerFault("Qase is down.", status=503)


def fail_on(wanted: object, error: Exception) -> Callable[[str, str, object], None]:
    """A fault for the call whose detail is, or contains, `wanted`."""

    def fault(verb: str, kind: str, detail: object) -> None:
        if detail == wanted or (isinstance(detail, list) and wanted in detail):
            raise error
        if isinstance(detail, tuple) and detail[0] == wanted:
            raise error

    return fault
