"""What a whole plan is going to do, as the intent that outlives the disk it is run from.

It is written before anything is done, so what the plan makes has no ids yet: references to it stay addresses
(settle.py binds them, parents first). What cannot be said yet, such as a file that is not uploaded, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from qase_iac.apply.bind import Binder, Unbound
from qase_iac.apply.run import Run
from qase_iac.apply.sending import make_item
from qase_iac.kinds import BY_NAME
from qase_iac.plan.digests import digest
from qase_iac.plan.model import AttributeChange, Change
from qase_iac.state.journal import Contents, Item, whole_plan
from qase_iac.values import JSON, Attributes, known_after_apply


def intended(run: Run) -> Contents | None:
    """The plan as a run in progress; None when it makes no call. Renames are in the state already (local.py)."""
    binder = _Early(run.state, run.binder.parameters)
    items = [_item(run, binder, change) for change in run.plan.unblocked if change.writes]
    if not items:
        return None
    state = run.state
    renames = [
        (change.moved_from, change.address, state.bindings[change.address].id)
        for change in run.plan.changes
        if change.moved_from and change.address in state.bindings
    ]
    return whole_plan(run.journal.header, items, renames, state.moved, run.now())


def _item(run: Run, binder: Binder, change: Change) -> Item:
    kind = BY_NAME[change.kind]
    known = _sayable(binder, change, change.attributes)
    sent = {name: known[name] for name in change.sent if name in known}
    item = make_item(run, change, {}, known)
    parent = sent.get(kind.parent) if kind.parent else None
    if isinstance(parent, dict):
        parent = parent["known_after_apply"]
    title = str(sent.get("title") or change.title)
    return replace(item, title=title, parent=parent, digest=digest(sent))


def _sayable(binder: Binder, change: Change, attributes: Mapping[str, AttributeChange]) -> Attributes:
    return dict(_said(binder, change, attributes))


def _said(binder: Binder, change: Change, attributes: Mapping[str, AttributeChange]) -> Iterable[tuple[str, JSON]]:
    for name, each in attributes.items():
        try:
            yield name, binder.value(change, name, each.after)
        except Unbound:
            continue


class _Early(Binder):
    """Binds what can be bound before anything is done."""

    def _reference(self, kind: str, ref: JSON) -> JSON:
        if isinstance(ref, dict) and "known_after_apply" in ref:
            return known_after_apply(ref["known_after_apply"])
        return super()._reference(kind, ref)
