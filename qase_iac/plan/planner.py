"""`build(desired, snapshot, state) -> Plan`: a pure function. It receives values, so it cannot write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qase_iac.diagnostics import Diagnostic
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, RANK
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.batches import count_requests
from qase_iac.plan.bind import Binder
from qase_iac.plan.changes import ChangeMaker, Changes
from qase_iac.plan.deletes import Hanging, link_deletes, spread_blocks, undeclared
from qase_iac.plan.diff import Stance, compare
from qase_iac.plan.graph import in_order
from qase_iac.plan.identity import Identities, SameValues, identify
from qase_iac.plan.model import (
    Action,
    AttributeChange,
    Blocked,
    Change,
    Options,
    Origin,
    Plan,
    Reading,
    Reason,
    Summary,
)
from qase_iac.plan.renames import block_possible_renames
from qase_iac.plan.scope import LiveSuites
from qase_iac.plan.selection import select
from qase_iac.state.model import State
from qase_iac.values import Address, RemoteId


def build(
    desired: Desired,
    snapshot: Snapshot,
    state: State,
    options: Options = Options(),  # noqa: B008 - frozen, so shared safely
    *,
    api: str = "",
    tool: str = "",
    config_digest: str = "",
) -> Plan:
    """What has to be done so that Qase holds what is declared.

    `desired` is resolved (plan/resolve.py). `api`, `tool` and `config_digest` are only recorded. Same input, same
    plan, byte for byte. The plan is not sealed: its `digest` is empty (plan/planfile.py).
    """
    if options.destroy:
        desired = replace(desired, resources={}, moved=(), removed={}, adopt={})
    found = identify(desired, snapshot, state, _same_values(snapshot, state))
    suites = _live_suites(desired, snapshot, found)
    maker = ChangeMaker(desired, snapshot, state, options, found, suites)
    for resource in sorted(desired.resources.values(), key=lambda r: (RANK[r.address.kind], r.order, r.address)):
        maker.consider(resource)
    changes, unlisted, edges = _all_changes(desired, snapshot, found, suites, maker, options)
    changes, not_selected = select(changes, edges, options)
    ordered = list(changes.values())
    drift = tuple(sorted(maker.out.drift, key=lambda d: d.address))
    return Plan(
        project=desired.project,
        api=api,
        tool=tool,
        config_digest=config_digest,
        lineage=state.lineage,
        serial=state.serial,
        changes=tuple(ordered),
        drift=drift,
        findings=tuple(sorted((*found.findings, *maker.out.findings), key=Diagnostic.sort_key)),
        summary=_summary(desired, snapshot, maker, ordered, suites, not_selected),
        requests=count_requests(ordered, options.bulk_size),
        deletes=options.deletes,
        allow_deletes=options.allow_deletes,
        new_state=options.new_state,
        unlisted_deletes=tuple(sorted(unlisted)),
        reading=_reading(snapshot),
        stateless=not state.exists and any(snapshot.of(kind.name) for kind in CONTENT_KINDS),
        observed=maker.out.observed,
    )


def _same_values(snapshot: Snapshot, state: State) -> SameValues:
    binder = Binder({}, snapshot, state)

    def same(resource: Resource, live: LiveObject, ids: Mapping[str, RemoteId]) -> bool:
        binder.ids = ids
        kind = BY_NAME[live.kind]
        wanted, _ = binder.bind(kind, resource, live)
        verdict = compare(kind, wanted, live.attributes, None, resource.ignore, Stance("revert", "ours", Origin.OURS))
        return not verdict.write

    return same


def _live_suites(desired: Desired, snapshot: Snapshot, found: Identities) -> LiveSuites:
    bound = {id: a.partition(".")[2] for (kind, id), a in found.addresses().items() if kind == "suite"}
    titled = {
        (a.key.rpartition("/")[0], str(r.attributes.get("title", ""))): a.key
        for a, r in desired.resources.items()
        if a.kind == "suite"
    }
    return LiveSuites(snapshot, bound, titled)


def _all_changes(
    desired: Desired, snapshot: Snapshot, found: Identities, suites: LiveSuites, maker: ChangeMaker, options: Options
) -> tuple[dict[str, Change], list[str], dict[str, set[str]]]:
    """Every change by address in execution order, blocked ones marked; deletes only listed; who comes before whom."""
    changes = dict(maker.out.by_address)
    leaving, vanished = undeclared(desired, snapshot, found, suites)
    maker.out.drift.extend(vanished)
    unlisted: list[str] = []
    if not options.deletes:
        unlisted = [address for address, change in leaving.items() if change.action is Action.DELETE]
        leaving = {address: change for address, change in leaving.items() if change.action is not Action.DELETE}
    changes |= leaving
    if not snapshot.exists:
        _create_project(desired, changes)
    block_possible_renames(changes, desired.resources, snapshot, maker.binder, options.allow_recreate)
    _block_missing(changes, maker.out)
    rank = _Rank(desired, suites)
    edges = {address: set(change.depends_on) for address, change in changes.items()}
    if any(change.action is Action.DELETE for change in changes.values()):
        edges |= link_deletes(changes, Hanging(snapshot, maker.addresses), maker.addresses, rank)
    ordered, cycle = in_order(changes, edges, rank)
    if cycle:
        _block_cycle(changes, cycle)
        ordered = sorted(changes)
    spread_blocks(changes, ordered, edges)
    _trim_dependencies(changes, edges)
    return {address: changes[address] for address in ordered}, unlisted, edges


def _create_project(desired: Desired, changes: dict[str, Change]) -> None:
    """The project itself, before everything else (cli.md: 404 on the project)."""
    address = f"project.{desired.project}"
    values = {"title": desired.title, "description": desired.description}
    for other, change in changes.items():
        changes[other] = replace(change, depends_on=(*change.depends_on, address))
    changes[address] = Change(
        address=address,
        action=Action.CREATE,
        id=None,
        reason=Reason.NEW,
        title=desired.title or "",
        source="qase.yaml:1",
        attributes={name: AttributeChange(None, value, Origin.OURS) for name, value in values.items() if value},
    )


def _block_missing(changes: dict[str, Change], out: Changes) -> None:
    """Blocks what refers to an object that vanished and that `on_drift: keep` leaves so."""
    for address, change in changes.items():
        missing = sorted(set(change.depends_on) & out.kept_vanished)
        if missing and not change.blocked and change.action is not Action.DELETE:
            reason = f"It refers to {', '.join(missing)}, deleted in Qase and kept so by `on_drift: keep`."
            changes[address] = replace(change, blocked=Blocked("reference_vanished", reason, tuple(missing)))


def _trim_dependencies(changes: dict[str, Change], edges: Mapping[str, set[str]]) -> None:
    """Leaves in `depends_on` only what is a change of this plan."""
    for address, change in changes.items():
        needed = tuple(sorted(edges.get(address, set()) & changes.keys()))
        if needed != change.depends_on:
            changes[address] = replace(change, depends_on=needed)


class _Rank:
    """Sorts free changes: what makes and changes by kind and place in the files, then deletes from the leaves."""

    def __init__(self, desired: Desired, suites: LiveSuites) -> None:
        self._desired = desired
        self._suites = suites

    def __call__(self, change: Change) -> tuple[int, int, int, int, str]:
        address = Address.parse(change.address)
        resource = self._desired.resources.get(address)
        rank = RANK[change.kind]
        if change.action is Action.DELETE:
            depth = self._suites.depth(change.id) if BY_NAME[change.kind].nested_keys else 0
            return (1, -rank, -depth, int(str(change.id)) if str(change.id).isdigit() else 0, change.address)
        return (0, rank, 0, resource.order if resource else 0, change.address)


def _block_cycle(changes: dict[str, Change], cycle: list[str]) -> None:
    blocked = Blocked("cycle", f"These changes wait for each other: {' -> '.join(cycle)}.", tuple(sorted(set(cycle))))
    for address in set(cycle):
        changes[address] = replace(changes[address], blocked=changes[address].blocked or blocked)


def _summary(
    desired: Desired,
    snapshot: Snapshot,
    maker: ChangeMaker,
    ordered: list[Change],
    suites: LiveSuites,
    not_selected: int,
) -> Summary:
    counts = dict.fromkeys(Action, 0)
    blocked = 0
    for change in ordered:
        if change.blocked:
            blocked += 1
        else:
            counts[change.action] += 1
    declared = {str(address) for address in desired.resources}
    changed = {change.address for change in ordered}
    untouched = len(declared - changed) - not_selected
    unmanaged = sum(1 for live in snapshot if _unmanaged(live, desired, maker, suites))
    return Summary(
        create=counts[Action.CREATE],
        update=counts[Action.UPDATE],
        move=counts[Action.MOVE],
        delete=counts[Action.DELETE],
        adopt=counts[Action.ADOPT],
        rename=counts[Action.NO_OP],
        forget=counts[Action.FORGET],
        no_op=max(0, untouched),
        unmanaged=unmanaged,
        blocked=blocked,
        not_selected=not_selected,
    )


def _unmanaged(live: LiveObject, desired: Desired, maker: ChangeMaker, suites: LiveSuites) -> bool:
    if (live.kind, live.id) in maker.addresses:
        return False
    if desired.scope.suites is None:
        return True
    kind = BY_NAME[live.kind]
    if not kind.owned_by_scope:
        return False
    place = live.id if kind.nested_keys else live.attributes.get(kind.parent or "")
    return suites.in_scope(desired.scope, place)


def _reading(snapshot: Snapshot) -> Reading:
    counts = {kind.name: len(snapshot.of(kind.name)) for kind in CONTENT_KINDS if snapshot.of(kind.name)}
    return Reading(counts, snapshot.requests)
