"""What became of a call that was sent and not answered properly. Qase is asked, for as long as it may take to show.

There is no idempotency key (qase-api.md section 1.1): such a call is never sent again in the same run. What is found
counts as done; what is not stays open in the journal, and the next run looks once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from qase_iac.apply.events import Looked, Waiting
from qase_iac.apply.report import Problem
from qase_iac.apply.settle import same_body, settle
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Snapshot
from qase_iac.plan.model import Action
from qase_iac.state.journal import Intent, Item, Seen
from qase_iac.state.model import State
from qase_iac.values import RemoteId

if TYPE_CHECKING:
    from qase_iac.apply.run import Run

LATE_SINGLE = 5.0
"""Seconds after which one object that a list does not show was not made: lists may lag by one or two (section 14)."""
LATE_BULK = 60.0
"""The same for a bulk create, which goes on after its answer has timed out (section 7.9)."""
PATIENCE = 120.0
"""Seconds that one run waits in this way in all: a service that is down is not asked for hours."""
MOST_BLIND = 3
"""After so many calls in a row that could not even be looked for, nothing more is sent."""
PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

_UNDER_WAY = (None, 408, 502, 503, 504)
"""No answer, or one of a proxy that would not wait: whatever stands behind it may be at work."""
SLICE = 0.25
"""Seconds in which Ctrl-C is noticed."""

Ids = Sequence[RemoteId | None]


def late(items: Sequence[Item], status: int | None = None) -> float:
    """For how many seconds a call for these objects may still take effect, or show.

    `status` is the HTTP status it was answered with: once the application itself has spoken, its work has ended.
    """
    return LATE_BULK if len(items) > 1 and status in _UNDER_WAY else LATE_SINGLE


def look(run: Run, items: Sequence[Item], status: int | None) -> Ids:
    """The ids of what an open call made or changed, once Qase shows the whole of it; none when it does not.

    Reads what may be read cheaply at first, and everything before giving up. Ends early on Ctrl-C, and when Qase
    cannot be read.
    """
    find = _FINDERS.get(Action(items[0].action), _updated)
    patience = left = min(late(items, status), run.patience)
    ids: Ids = ()
    for look_number, pause in enumerate((0.0, *PAUSES)):
        pause = min(pause, left)
        left -= pause
        if pause and look_number == 2:
            run.on_event(Waiting(left + pause, f"Qase did not say whether {items[0].address} was done, and is asked"))
        if pause and not _wait(run, pause):
            break
        try:
            ids = find(run, items, left <= 0)
            run.blind = 0
        except QaseIacError as error:
            _count_blind(run, error)
            break
        if ids or left <= 0:
            break
    run.on_event(Looked(tuple(item.address for item in items), bool(ids), patience - left))
    return ids


def _count_blind(run: Run, error: QaseIacError) -> None:
    """Ends the run when Qase is down: every further call would be one more of which nobody knows what it did."""
    run.blind += 1
    if run.blind >= MOST_BLIND:
        reason = f"Qase could be neither written to nor read, {run.blind} times in a row: {error.summary}"
        run.halt(Problem("api_unavailable", reason, hint="Run the command again when Qase is back."))


def not_found(problem: Problem) -> Problem:
    """The reason of a call that was looked for in vain."""
    hint = "Qase does not show it. It is not sent again in this run; the next one looks once more, then goes on."
    return replace(problem, hint=hint)


def still_late(intents: Sequence[Intent], snapshot: Snapshot, state: State, seen: Seen, now: float) -> float:
    """For how many seconds what an interrupted run was creating may still appear, though this reading lacks it.

    `now` is in seconds since 1970. 0: the reading is the last word.
    """
    lost = set(settle(intents, snapshot, state, seen).lost)
    open_still = [intent for intent in intents if any(item.address in lost for item in intent.items)]
    return max((_rest(intent, now) for intent in open_still), default=0.0)


def _rest(intent: Intent, now: float) -> float:
    """A clock that was set back, or a time that is none, costs no more than a call made just now."""
    whole = late(intent.items)
    try:
        begun = datetime.fromisoformat(intent.time).timestamp()
    except (ValueError, OverflowError):
        return whole
    return min(max(begun + whole - now, 0.0), whole)


def _wait(run: Run, seconds: float) -> bool:
    """Lets time pass; False when the run was interrupted meanwhile."""
    run.patience -= seconds
    while seconds > 0 and not run.interrupted():
        run.sleep(min(seconds, SLICE))
        seconds -= SLICE
    return not run.interrupted()


def _created(run: Run, items: Sequence[Item], last: bool) -> Ids:
    kind = BY_NAME[items[0].kind]
    if not kind.section:
        project = items[0].address.partition(".")[2]
        return [project] if run.remote.read(kind.name, project) else ()
    if not last and not run.remote.grew(kind.name):
        return ()
    run.remote.read_all(kind.name)
    found = settle(run.journal.open, run.remote.snapshot, run.state, run.journal.header.seen).bindings
    ids = [found[item.address].id for item in items if item.address in found]
    return ids if len(ids) == len(items) else ()


def _updated(run: Run, items: Sequence[Item], last: bool) -> Ids:
    (item,) = items
    live = run.remote.read(item.kind, item.id) if item.id is not None else None
    return [item.id] if live is not None and same_body(item, live) else ()


def _deleted(run: Run, items: Sequence[Item], last: bool) -> Ids:
    """Gone, and not just out of sight with the whole project."""
    (item,) = items
    assert item.id is not None
    if run.remote.read(item.kind, item.id) is not None or run.remote.read("project", run.plan.project) is None:
        return ()
    return [item.id]


_FINDERS: dict[Action, Callable[[Run, Sequence[Item], bool], Ids]] = {
    Action.CREATE: _created,
    Action.DELETE: _deleted,
}
