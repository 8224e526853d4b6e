"""The sums of a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from qase_iac.kinds import CONTENT_KINDS
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.changes import ChangeMaker
from qase_iac.plan.model import Action, Change, Reading, Summary
from qase_iac.plan.scope import LiveSuites


def summarise(
    desired: Desired,
    snapshot: Snapshot,
    maker: ChangeMaker,
    suites: LiveSuites,
    planned: Iterable[Change],
    every: Collection[str],
) -> Summary:
    """`planned` are the changes that were selected, `every` the addresses of all that were found."""
    counts = dict.fromkeys(Action, 0)
    blocked = selected = 0
    for change in planned:
        selected += 1
        if change.blocked:
            blocked += 1
        else:
            counts[change.action] += 1
    changing = maker.out.kept_vanished.union(every)
    return Summary(
        create=counts[Action.CREATE],
        update=counts[Action.UPDATE],
        move=counts[Action.MOVE],
        delete=counts[Action.DELETE],
        adopt=counts[Action.ADOPT],
        rename=counts[Action.NO_OP],
        forget=counts[Action.FORGET],
        no_op=sum(1 for address in desired.resources if str(address) not in changing),
        unmanaged=sum(1 for live in snapshot if _unmanaged(live, desired, maker, suites)),
        blocked=blocked,
        not_selected=len(every) - selected,
    )


def _unmanaged(live: LiveObject, desired: Desired, maker: ChangeMaker, suites: LiveSuites) -> bool:
    return (live.kind, live.id) not in maker.addresses and suites.owned(desired.scope, live)


def reading(snapshot: Snapshot) -> Reading:
    counts = {kind.name: len(snapshot.of(kind.name)) for kind in CONTENT_KINDS if snapshot.of(kind.name)}
    return Reading(counts, snapshot.requests)
