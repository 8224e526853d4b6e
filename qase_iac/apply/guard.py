"""What is asked before anything is written. Pure: each returns, or raises what it refuses with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction

from qase_iac.apply.bind import Binder, Unbound
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.errors import SafetyRefusal, StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.model import LiveObject, Policy, Snapshot
from qase_iac.plan.deletes import Hanging, listed
from qase_iac.plan.model import Action, Change, Plan
from qase_iac.state.model import State
from qase_iac.values import RemoteId, printable

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
        "Bring back the state file; `qase-iac state rebuild` makes a lost one again. `qase-iac adopt --suggest` shows "
        "what is whose. `--new-state` starts one with this apply and adopts what matches by place and title.",
    )


def check_brake(plan: Plan, state: State, policy: Policy) -> None:
    """Refuses the whole plan when it deletes more than the policy allows and nobody named the exact number."""
    if why := _excess(plan, state, policy):
        raise _too_many(plan, state, why)


def brake_ahead(plan: Plan, state: State, policy: Policy) -> Diagnostic | None:
    """Says of a plan that is only shown that apply is going to refuse it, and why; None where it will not."""
    why = _excess(plan, state, policy)
    if not why:
        return None
    named = f"--allow-deletes {plan.destructive}"
    summary = f"Apply will refuse this plan until {named} is given."
    detail = f"{why} A plan that is saved has to be made with {named}."
    return Diagnostic("brake", summary, detail, severity=Severity.WARNING)


def _excess(plan: Plan, state: State, policy: Policy) -> str:
    """How the plan deletes more than it may; "" where it does not, or where the exact number was named."""
    count, bound = plan.destructive, len(state.bindings)
    share = Fraction(str(policy.max_delete_share))  # as it was written: 0.29 of 100 are 29, not 28.999…
    over = []
    if count > policy.max_deletes:
        over.append(f"more than max_deletes ({policy.max_deletes})")
    if count > share * bound:
        over.append(f"more than max_delete_share ({_percent(share)}, at most {int(share * bound)} of {bound})")
    return f"{_extent(plan, bound)}: {' and '.join(over)}." if over and plan.allow_deletes != count else ""


def check_number(plan: Plan, state: State, named: int | None) -> None:
    """Whoever deletes everything has to know how much that is, however much the brake would let pass."""
    count = plan.destructive
    if count not in (0, named):
        raise _too_many(plan, state, f"{_extent(plan, len(state.bindings))}.")


def _too_many(plan: Plan, state: State, summary: str) -> SafetyRefusal:
    named = "" if plan.allow_deletes is None else f" --allow-deletes says {plan.allow_deletes}."
    return SafetyRefusal(
        "brake",
        summary + named,
        "\n".join(_destroyed(plan, state)),
        f"Nothing was written. If this is meant, pass --allow-deletes {plan.destructive}.",
    )


def _extent(plan: Plan, bound: int) -> str:
    """`The plan deletes 5 of 8 bound objects (62.5%)`."""
    count = plan.destructive
    deletes = sum(1 for change in plan.unblocked if change.action is Action.DELETE)
    again = f"makes {count - deletes} again that vanished from Qase" if count > deletes else ""
    done = " and ".join(part for part in (f"deletes {deletes}" if deletes or not again else "", again) if part)
    together = f", together {count}" if deletes and again else "," if again else ""
    share = f" ({_percent(Fraction(count, bound))})" if bound else ""
    return f"The plan {done}{together} of {bound} bound object{'' if bound == 1 else 's'}{share}"


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.1f}".removesuffix(".0") + "%"


def _destroyed(plan: Plan, state: State) -> list[str]:
    """A line for each object that would go, with what hangs on it."""
    going = [change for change in plan.unblocked if change.destroys]
    hanging: dict[str, list[str]] = {change.address: [] for change in going}
    for address, binding in state.bindings.items():
        for target in binding.depends_on:
            if target in hanging:
                hanging[target].append(address)
    lines = [_gone(change, hanging[change.address]) for change in going[:LISTED]]
    return lines + ([f"- and {len(going) - LISTED} more"] if len(going) > LISTED else [])


def _gone(change: Change, users: list[str]) -> str:
    """The plan's notes say what hangs on it in Qase; where there are none, `users` by what the state remembers."""
    deleted = change.action is Action.DELETE
    notes = list(change.notes) if deleted else ["it vanished from Qase and is created again"]
    if users and not (deleted and notes):
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        notes.append(f"{', '.join(users[:3])}{more} {'hangs' if len(users) == 1 else 'hang'} on it")
    title = f" {printable(change.title)!r}" if change.title else ""
    return f"- {change.address}{title}" + (f": {printable('; '.join(notes))}" if notes else "")


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
            names = ", ".join(_moved_attributes(change, live, binder, state))
            what = names or "something that the plan does not show"
            moved.append(f"- {change.address} (id {change.id}) was changed in Qase: {what}")
    moved += _newly_hanging(plan, snapshot, state)
    if moved:
        more = [f"- and {len(moved) - LISTED} more"] if len(moved) > LISTED else []
        raise StalePlan(
            f"{len(moved)} object{'s' if len(moved) != 1 else ''} changed in Qase since this plan was made.",
            "\n".join(moved[:LISTED] + more),
            "Nothing was written. Plan again and review the new plan.",
        )


def _newly_hanging(plan: Plan, snapshot: Snapshot, state: State) -> Iterable[str]:
    """What somebody put meanwhile where the plan deletes: it would be deleted, or stripped, with that."""
    deletes = [change for change in plan.unblocked if change.action is Action.DELETE]
    if not deletes:
        return
    addresses: dict[tuple[str, RemoteId], str] = {(a.partition(".")[0], b.id): a for a, b in state.bindings.items()}
    addresses |= {(change.kind, change.id): change.address for change in plan.changes if change.id is not None}
    hanging, changes = Hanging(snapshot, addresses), {change.address: change for change in plan.changes}
    for change in deletes:
        if left := hanging.left(change, changes):
            names = listed([hanging.name(user) for user in left])
            many = "" if len(left) > 1 else "s"
            yield f"- {names} hang{many} on {change.address} (id {change.id}) now, which the plan deletes"


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
