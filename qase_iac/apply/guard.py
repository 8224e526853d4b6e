"""What is asked before anything is written. Pure: each returns, or raises what it refuses with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from qase_iac.apply.bind import Binder, Unbound
from qase_iac.errors import SafetyRefusal, StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Policy, Snapshot
from qase_iac.plan.model import Action, Change, Plan
from qase_iac.state.model import State
from qase_iac.values import printable

LISTED = 30
"""So many objects are listed in a refusal; the rest is counted."""


def check_before_apply(plan: Plan, state: State, policy: Policy) -> None:
    """All checks of a plan that is about to be carried out, saved or fresh."""
    check_state_exists(plan)
    check_brake(plan, state, policy)


def check_state_exists(plan: Plan) -> None:
    """Without a state nothing tells our objects from others', so a project that holds some needs `--new-state`."""
    if plan.new_state or not (plan.stateless or not plan.lineage):
        return
    content = sum(count for kind, count in plan.reading.objects.items() if kind in BY_NAME and BY_NAME[kind].section)
    held = max(content, plan.summary.unmanaged + sum(1 for change in plan.changes if change.id is not None))
    if not held:
        return
    raise SafetyRefusal(
        "no-state",
        f"There is no state, and project {printable(plan.project)} holds {held} object{'s' if held != 1 else ''}.",
        "Without a state it is not known which of them are this folder's; they might be doubled.",
        "Bring back the state file, or start from a folder that `qase-iac export` writes with its state. "
        "`--new-state` starts one with this apply and adopts what matches by place and title.",
    )


def check_brake(plan: Plan, state: State, policy: Policy) -> None:
    """Refuses the whole plan when it deletes more than the policy allows and nobody named the exact number."""
    count, bound = plan.destructive, len(state.bindings)
    over = []
    if count > policy.max_deletes:
        over.append(f"more than max_deletes ({policy.max_deletes})")
    if count > policy.max_delete_share * bound:
        share = f"{count / bound:.0%} of {bound} bound objects" if bound else "of no bound objects"
        over.append(f"{share}, more than max_delete_share ({policy.max_delete_share:.0%})")
    if not over or plan.allow_deletes == count:
        return
    named = "" if plan.allow_deletes is None else f" --allow-deletes says {plan.allow_deletes}."
    raise SafetyRefusal(
        "brake",
        f"The plan deletes {count} object{'s' if count != 1 else ''}: {' and '.join(over)}.{named}",
        "\n".join(_destroyed(plan, state)),
        f"Nothing was written. If this is meant, pass --allow-deletes {count}.",
    )


def _destroyed(plan: Plan, state: State) -> list[str]:
    """A line for each object that would go, with what hangs on it."""
    going = [change for change in plan.unblocked if change.destroys]
    hanging: dict[str, list[str]] = {change.address: [] for change in going}
    for address, binding in state.bindings.items():
        for target in binding.depends_on:
            if target in hanging:
                hanging[target].append(address)
    lines = []
    for change in going[:LISTED]:
        users = hanging[change.address]
        notes = list(change.notes) if change.action is Action.DELETE else ["it vanished from Qase and is created again"]
        if users:
            notes.append(f"{', '.join(users[:3])}{f' and {len(users) - 3} more' if len(users) > 3 else ''} hang on it")
        title = f" {printable(change.title)!r}" if change.title else ""
        lines.append(f"- {change.address}{title}" + (f": {'; '.join(notes)}" if notes else ""))
    return lines + ([f"- and {len(going) - LISTED} more"] if len(going) > LISTED else [])


def verify_plan(plan: Plan, state: State, config_digest: str) -> None:
    """A saved plan must be unused and made from this very state and configuration. Raises StalePlan."""
    again = "Nothing was written. Plan again and review the new plan."
    if plan.digest and plan.digest in state.applied:
        raise StalePlan("This plan was applied before.", "A plan is carried out once.", again)
    if plan.lineage != state.lineage:
        raise StalePlan(
            "This plan was made with another state.",
            f"It has lineage {printable(plan.lineage) or 'none'}, the state has {printable(state.lineage) or 'none'}.",
            again,
        )
    if plan.serial != state.serial:
        raise StalePlan(
            "The state changed since this plan was made.",
            f"The plan was made from serial {plan.serial}, the state has serial {state.serial}: another run wrote it.",
            again,
        )
    if plan.config_digest != config_digest:
        raise StalePlan(
            "The configuration changed since this plan was made.",
            f"Its digest was {printable(plan.config_digest)}, now it is {config_digest}.",
            again,
        )


def verify_preconditions(plan: Plan, snapshot: Snapshot, digest_of: Callable[[LiveObject], str], state: State) -> None:
    """Every object that the plan touches must be as it was when the plan was made. Raises StalePlan, naming them."""
    binder = Binder(state, snapshot.catalogue.shared_parameters or {})
    moved = []
    for change in plan.unblocked:
        if change.precondition is None or change.id is None:
            continue
        live = snapshot.get(change.kind, change.id)
        if live is None:
            moved.append(f"- {change.address} (id {change.id}) is not in Qase any more")
        elif digest_of(live) != change.precondition:
            names = _moved_attributes(change, live, binder, state)
            what = f": {', '.join(names)}" if names else ""
            moved.append(f"- {change.address} (id {change.id}) was changed in Qase{what}")
    if moved:
        more = [f"- and {len(moved) - LISTED} more"] if len(moved) > LISTED else []
        raise StalePlan(
            f"{len(moved)} object{'s' if len(moved) != 1 else ''} changed in Qase since this plan was made.",
            "\n".join(moved[:LISTED] + more),
            "Nothing was written. Plan again and review the new plan.",
        )


def _moved_attributes(change: Change, live: LiveObject, binder: Binder, state: State) -> list[str]:
    """Attributes that differ from what the plan saw; from what was served last, for those it does not show."""
    names = list(_differing(change, live, binder))
    binding = state.bindings.get(change.moved_from or change.address)
    if not names and binding is not None:
        kind = BY_NAME[change.kind]
        names = [
            name
            for name in binding.sent
            if name in live.attributes
            and kind.canon(name, live.attributes[name]) != kind.canon(name, binding.last_served(name))
        ]
    return names


def _differing(change: Change, live: LiveObject, binder: Binder) -> Iterable[str]:
    kind = BY_NAME[change.kind]
    for name, attribute in change.attributes.items():
        try:
            before = binder.value(change, name, attribute.before)
        except Unbound:
            continue
        if kind.canon(name, before) != kind.canon(name, live.attributes.get(name)):
            yield name
