"""After the last write: what Qase made of what was sent."""

from __future__ import annotations

from collections.abc import Iterable

from qase_iac.apply.events import ReadBack
from qase_iac.apply.local import vouch
from qase_iac.apply.looking import LATE_SINGLE
from qase_iac.apply.report import NOT_SUPPORTED, Altered, Problem, Status
from qase_iac.apply.run import Run, Touched
from qase_iac.errors import ApiError
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import LiveObject
from qase_iac.state.model import Binding
from qase_iac.values import RemoteId


def read_back(run: Run) -> None:
    """Reads every written object again, in as few requests as it takes. What is done stays so whatever comes of it."""
    for kind in run.touched:
        if run.stopped or run.interrupted():
            run.warn("What was written was not read back, since the run was interrupted.")
            return
        try:
            _read_kind(run, BY_NAME[kind], run.touched[kind])
        except ApiError as error:
            run.warn(
                f"What was written was not read back: {error.summary}",
                f"{_standing(run)} Attributes that Qase changed on the way show as drift in the next plan.",
            )


def _standing(run: Run) -> str:
    """What is so of the writes though none was read back."""
    if any(each.status is Status.UNKNOWN for each in run.operations.values()):
        return "What Qase confirmed is done; whether the rest was done, the next run finds out."
    return "What is reported as done is done."


def _read_kind(run: Run, kind: Kind, touched: dict[RemoteId, Touched]) -> None:
    cost = run.remote.list_cost(kind.name)
    singly = len(touched) <= cost
    run.on_event(ReadBack(len(touched), len(touched) if singly else cost))
    objects = _one_by_one(run, kind, touched) if singly else _listed(run, kind, touched, cost)
    for id, touch in touched.items():
        live, binding = objects.get(id), run.state.bindings.get(touch.change.address)
        if live is not None and live.partial:  # the list does not show its members
            live = run.remote.read(kind.name, id) or live
        if live is None:
            run.warn(f"{touch.change.address} (id {id}) was written, but Qase does not show it.")
        elif binding is not None and binding.id == id:
            _compare(run, kind, touch, binding, live)


def _listed(run: Run, kind: Kind, touched: dict[RemoteId, Touched], cost: int) -> dict[RemoteId, LiveObject]:
    """The objects as lists show them. Lists may lag (qase-api.md section 14): where one does not show what was sent,
    the object's own GET has the last word, or the list a moment later when there are many such objects."""
    objects = run.remote.read_all(kind.name)
    odd = [id for id, touch in touched.items() if not _as_sent(run, kind, touch, objects.get(id))]
    if len(odd) > cost:
        run.sleep(LATE_SINGLE)
        objects = run.remote.read_all(kind.name)
        odd = [id for id in odd if _looks_old(kind, touched[id], objects.get(id))]
    return objects | _one_by_one(run, kind, odd)


def _looks_old(kind: Kind, touch: Touched, live: LiveObject | None) -> bool:
    """Whether a list still shows what was there before, or nothing."""
    changes = touch.change.attributes
    before = {name: changes[name].before for name in touch.names if name in changes} | touch.before
    return live is None or any(
        kind.canon(name, held) == kind.canon(name, live.attributes[name])
        for name, held in before.items()
        if name in live.attributes
    )


def _as_sent(run: Run, kind: Kind, touch: Touched, live: LiveObject | None) -> bool:
    binding = run.state.bindings.get(touch.change.address)
    if live is None or binding is None:
        return False
    shown = (name for name in touch.names if name in live.attributes)
    return all(kind.canon(name, live.attributes[name]) == kind.canon(name, binding.sent.get(name)) for name in shown)


def _one_by_one(run: Run, kind: Kind, ids: Iterable[RemoteId]) -> dict[RemoteId, LiveObject]:
    found = {id: run.remote.read(kind.name, id) for id in ids}
    return {id: live for id, live in found.items() if live is not None}


def _compare(run: Run, kind: Kind, touch: Touched, binding: Binding, live: LiveObject) -> None:
    """Notes what is served in another form than it was sent, and what the server did not take at all."""
    ignored: dict[str, object] = {}
    for name in touch.names:
        if name not in live.attributes:
            continue
        canon = kind.attribute(name).type.canon
        sent, held = binding.sent.get(name), live.attributes[name]
        if canon(held) == canon(sent):
            binding.unsupported.pop(name, None)
            if binding.served.pop(name, None) is not None:
                run.dirty = True
        elif name in touch.before and canon(held) == canon(touch.before[name]):
            ignored[name] = binding.unsupported[name] = sent
            touch.restore(name)
            run.dirty = True
        else:
            run.dirty |= name not in binding.served or binding.served[name] != held
            binding.served[name] = held
            run.altered.append(Altered(touch.change.address, name, sent, held))
    vouch(run, binding, live)
    if ignored:
        names = ", ".join(ignored)
        run.fail(
            touch.change,
            Problem(
                NOT_SUPPORTED,
                f"Qase took the request and left {names} as it was.",
                hint="Make this change by hand in Qase; the next plan finds it done.",
            ),
        )
