"""`build(desired, snapshot, state) -> Plan`: a pure function. It receives values, so it cannot write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from qase_iac.diagnostics import Diagnostic
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, RANK
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.batches import count_requests
from qase_iac.plan.bind import Binder
from qase_iac.plan.changes import ChangeMaker, Changes
from qase_iac.plan.deletes import Hanging, link_deletes, spread_blocks, undeclared
from qase_iac.plan.diff import Stance, compare
from qase_iac.plan.identity import Identities, SameValues, identify
from qase_iac.plan.impact import impacts
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Options, Origin, Plan, Reason
from qase_iac.plan.ordering import Edges, Rank, arrange, needs
from qase_iac.plan.ready import ready
from qase_iac.plan.renames import Search, block_possible_renames, possible_renames
from qase_iac.plan.scope import LiveSuites, titled
from qase_iac.plan.selection import select, untouched
from qase_iac.plan.summary import reading, summarise
from qase_iac.state.model import State
from qase_iac.values import Attributes, RemoteId


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
    found = identify(desired, snapshot, state, same_values(snapshot, state))
    suites, maker = _compared(desired, snapshot, state, options, found)
    every = _all_changes(desired, snapshot, found, suites, maker, options)
    planned = select(every.by_address, every.edges, options)
    return Plan(
        project=desired.project,
        api=api,
        tool=tool,
        config_digest=config_digest,
        lineage=state.lineage,
        serial=state.serial,
        changes=tuple(planned),
        drift=tuple(sorted(maker.out.drift, key=lambda d: d.address)),
        findings=tuple(
            sorted(
                (*found.findings, *maker.out.findings, *untouched(every.by_address, planned, options)),
                key=Diagnostic.sort_key,
            )
        ),
        summary=summarise(desired, snapshot, maker, suites, planned, every.by_address),
        requests=count_requests(planned, options.bulk_size),
        deletes=options.deletes,
        allow_deletes=options.allow_deletes,
        new_state=options.new_state,
        unlisted_deletes=every.unlisted_deletes,
        reading=reading(snapshot),
        stateless=not state.exists and any(snapshot.of(kind.name) for kind in CONTENT_KINDS),
        observed=_known(maker.out.observed, found, state, planned),
    )


def _compared(
    desired: Desired, snapshot: Snapshot, state: State, options: Options, found: Identities
) -> tuple[LiveSuites, ChangeMaker]:
    """The suite tree in Qase, and what came of comparing every declared object with its live one."""
    bound = {id: a.partition(".")[2] for (kind, id), a in found.addresses().items() if kind == "suite"}
    suites = LiveSuites(snapshot, bound, titled(desired.resources))
    maker = ChangeMaker(desired, snapshot, state, options, found, suites)
    for resource in sorted(desired.resources.values(), key=lambda r: (RANK[r.address.kind], r.order, r.address)):
        maker.consider(resource)
    return suites, maker


def _known(
    observed: Mapping[str, Attributes], found: Identities, state: State, planned: Iterable[Change]
) -> dict[str, Attributes]:
    """What may be recorded: of addresses that are, or become by this very plan, those that were looked at."""
    selected = {change.address for change in planned}
    return {
        address: values
        for address, values in observed.items()
        if address in selected or (address in state.bindings and address not in found.renamed)
    }


def same_values(snapshot: Snapshot, state: State) -> SameValues:
    """How to tell whether all managed attributes of a declared and a live object are equal."""
    binder = Binder({}, snapshot, state)
    stance = Stance("revert", "ours", Origin.OURS)

    def same(resource: Resource, live: LiveObject, ids: Mapping[str, RemoteId]) -> bool:
        kind = BY_NAME[live.kind]
        made = ready(kind, resource, live, binder.over(ids), snapshot.unknown_shared)
        return not compare(kind, made.wanted, live.attributes, None, resource.ignore, stance).write

    return same


@dataclass(frozen=True, slots=True)
class _Every:
    """All that is to be done, selected or not, in the order of execution."""

    by_address: dict[str, Change]
    edges: Edges
    unlisted_deletes: tuple[str, ...]


def _all_changes(
    desired: Desired, snapshot: Snapshot, found: Identities, suites: LiveSuites, maker: ChangeMaker, options: Options
) -> _Every:
    """Every change, blocked ones marked; deletes only listed where they are not wanted; who comes before whom."""
    stance = "ours" if options.destroy else options.on_conflict or desired.policy.on_conflict
    leaving, drift = undeclared(desired, snapshot, found, suites, (maker.binder, maker.addresses), stance)
    maker.out.drift.extend(drift)
    changes = maker.out.by_address | leaving
    search = Search(changes, desired.resources, snapshot, maker.binder, options.allow_recreate)
    renames = possible_renames(search)
    unlisted = {a for a, change in leaving.items() if change.action is Action.DELETE and not options.deletes}
    changes = {address: change for address, change in changes.items() if address not in unlisted}
    if not snapshot.exists and not options.destroy:
        _create_project(desired, changes)
    block_possible_renames(changes, renames)
    _block_missing(changes, maker.out)
    rank = Rank(desired.resources, suites)
    edges = needs(changes, desired.resources)
    if any(change.action is Action.DELETE for change in changes.values()):
        edges |= link_deletes(changes, Hanging(snapshot, maker.addresses), maker.addresses, rank)
    ordered = arrange(changes, edges, rank)
    spread_blocks(changes, ordered, edges)
    for address in ordered:
        changes[address] = replace(changes[address], depends_on=tuple(sorted(edges[address])))
    for address, impact in impacts(changes, snapshot, maker.addresses).items():
        changes[address] = replace(changes[address], impact=impact)
    return _Every({address: changes[address] for address in ordered}, edges, tuple(sorted(unlisted)))


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
        if missing and not change.blocked:
            reason = f"It refers to {', '.join(missing)}, deleted in Qase and kept so by `on_drift: keep`."
            changes[address] = replace(change, blocked=Blocked("reference_vanished", reason, tuple(missing)))
