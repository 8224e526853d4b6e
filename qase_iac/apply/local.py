"""What changes the state alone: renames, adoptions that need no call, forgetting, what YAML and Qase agree on."""

from __future__ import annotations

from qase_iac.apply.bind import Unbound
from qase_iac.apply.fold import enact, rename
from qase_iac.apply.report import problem_of
from qase_iac.apply.run import Run
from qase_iac.apply.sending import depends_on, make_item, obstacle
from qase_iac.errors import StateError
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Moved
from qase_iac.plan.model import LEFT, Action, Change
from qase_iac.state.model import Binding
from qase_iac.values import Attributes

USED_PLANS = 50
"""So many digests of applied plans are remembered; a plan that is older does not fit the serial anyway."""
VOUCHERS = ("updated_at", "cases_count")
"""What the list shows of an object whose members it does not: unchanged, the members recorded still hold."""


def begin(run: Run) -> None:
    """Before the first call: whose state this is, which plan is used up, new addresses, and agreement."""
    state, plan = run.state, run.plan
    state.project, state.api = state.project or plan.project, state.api or plan.api
    state.tool = plan.tool or state.tool
    if plan.digest and any(True for _ in plan.unblocked):
        state.applied[:] = [*state.applied[1 - USED_PLANS :], plan.digest]
        run.dirty = True
    for address in state.pulled.keys() & state.bindings.keys():  # what a pull that was cut off had declared is bound
        del state.pulled[address]
        run.dirty = True
    _rename(run)
    for address in plan.observed:
        if address in state.bindings:
            observe(run, address)
    for address, binding in state.bindings.items():
        live = run.remote.snapshot.get(address.partition(".")[0], binding.id)
        if live and not live.partial:
            vouch(run, binding, live)


def _rename(run: Run) -> None:
    """Every rename of the plan, those of blocked changes too: what `moved` says of an address holds regardless, and
    an address left behind would look undeclared to the next plan."""
    renames = [
        (change.moved_from, change.address, run.state.bindings[change.moved_from].id)
        for change in run.plan.changes
        if change.moved_from in run.state.bindings
    ]
    renamed = rename(run.state, renames)
    carried_out = {(old, new) for old, new, _ in renames}
    moved = [
        text
        for entry in run.desired.moved
        if (text := f"{entry.origin} -> {entry.target}") not in run.state.moved and _is_true(run, entry, carried_out)
    ]
    run.state.moved += moved
    run.dirty |= renamed or bool(moved)
    if renamed:
        try:
            run.journal.renamed(renames, moved)
        except StateError as error:
            run.halt(problem_of(error, "journal_unwritable"))


def _is_true(run: Run, entry: Moved, carried_out: set[tuple[str, str]]) -> bool:
    """Whether nothing is left that the entry could move, or it was just carried out (in a swap both are bound)."""
    origin = str(entry.origin)
    if (origin, str(entry.target)) in carried_out:
        return True
    below = origin + "/" if BY_NAME[entry.origin.kind].nested_keys else None
    return not any(name == origin or (below and name.startswith(below)) for name in run.state.bindings)


def observe(run: Run, address: str) -> None:
    """Records what YAML and Qase agree on without a change, and what they never agreed on and leave as it is."""
    kind = BY_NAME[address.partition(".")[0]]
    binding = run.state.bindings[address]
    live = run.remote.snapshot.get(kind.name, binding.id)
    for name, value in run.plan.observed.get(address, {}).items():
        if value == LEFT:
            binding.served[name] = live.attributes.get(name) if live else None
            run.dirty = True
            continue
        run.dirty |= name not in binding.sent or binding.sent[name] != value
        binding.sent[name] = value
        held = live.attributes.get(name) if live else binding.served.get(name)
        if name in binding.served and kind.canon(name, held) == kind.canon(name, value):
            del binding.served[name]
            run.dirty = True


def vouch(run: Run, binding: Binding, live: LiveObject) -> None:
    """Notes by what the next plan can tell from the list alone that the members recorded still hold.

    Members that were not read, or that are others than recorded (a drift that is kept), are not vouched for.
    """
    kind = BY_NAME[live.kind]
    if not kind.members:
        return
    known = not live.partial and all(
        kind.canon(row.name, live.attributes.get(row.name)) == kind.canon(row.name, binding.last_served(row.name))
        for row in kind.members
        if row.name in binding.sent
    )
    meta = {name: live.meta[name] for name in VOUCHERS if live.meta.get(name) is not None} if known else {}
    run.dirty |= meta != binding.meta
    binding.meta = meta


def record_only(run: Run, change: Change) -> None:
    """A change that takes no call: a pure rename, a forget, an adoption of what is equal already."""
    if change.action is Action.NO_OP:  # carried out with all renames, before the first call
        run.done(change, change.id)
        return
    if problem := obstacle(run, change):
        run.block(change, problem)
        return
    if change.action is Action.FORGET:
        run.dirty |= run.state.bindings.pop(change.address, None) is not None
    else:
        try:
            known: Attributes = run.binder.values(change, change.attributes)
        except Unbound as error:
            run.fail(change, error.problem)
            return
        run.dirty |= enact(run.state, make_item(run, change, {}, known), change.id)
        if change.address in run.plan.observed:
            observe(run, change.address)
    run.done(change, change.id)


def declare(run: Run) -> None:
    """At the end, of everything declared and bound, changed or not: what a delete must know when the YAML is gone."""
    for address, resource in run.desired.resources.items():
        binding = run.state.bindings.get(str(address))
        if binding is None:
            continue
        protect = bool(resource.protect)
        run.dirty |= binding.protect != protect
        binding.protect = protect
        ignore = sorted(resource.ignore)
        run.dirty |= binding.ignore != ignore
        binding.ignore = ignore
        operation = run.operations.get(str(address))
        if operation is None or operation.done:
            needed = depends_on(run, str(address))
            run.dirty |= binding.depends_on != needed
            binding.depends_on = needed
