"""Read the files, read Qase, make the plan. Writes nothing, neither to Qase nor to the state."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qase_iac.api.catalogue import read_catalogue
from qase_iac.api.refresh import Reader, refresh
from qase_iac.api.remote import QaseRemote
from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Decoding
from qase_iac.config.loader import Loaded
from qase_iac.diagnostics import Diagnostic, Severity, has_errors
from qase_iac.errors import ConfigurationError, NotFound, QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired, LiveObject, Snapshot
from qase_iac.plan.deletes import unseen_holders
from qase_iac.plan.model import Options, Plan
from qase_iac.plan.planfile import seal
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes, RemoteId
from qase_iac.workflow.memory import Memory, recall
from qase_iac.workflow.session import TOOL, Connection, Session

if TYPE_CHECKING:
    from qase_iac.apply.settle import Settled


@dataclass
class Planned:
    """A plan with everything it was made from, and the connection to carry it out over."""

    plan: Plan
    desired: Desired
    snapshot: Snapshot
    state: State
    connection: Connection
    remote: QaseRemote
    warnings: list[Diagnostic]
    memory: Memory


def make_plan(session: Session, options: Options) -> Planned:
    """The plan of a project folder. The caller closes `connection`.

    Raises ConfigurationError (files, or words that Qase does not know), SafetyRefusal (state of another project,
    token host), ApiError (Qase could not be read: nothing was planned).
    """
    loaded = load_online(session)
    memory = recall(session)
    state = memory.state
    touched = _touched(session, options.changed_since, loaded.desired) if options.changed_since else None
    options = replace(options, bulk_size=session.settings.bulk_size, touched=touched)
    connection = session.connect()
    try:
        snapshot = read_settled(session, connection, loaded.desired, memory)
        settled = memory.settled
        desired, plan = _plan(session, loaded.desired, snapshot, state, options, session.digest(loaded))
        if unread := _unread_members(plan, snapshot):
            _read_members(connection, session, snapshot, unread)
            desired, plan = _plan(session, loaded.desired, snapshot, state, options, session.digest(loaded))
    except BaseException:
        connection.close()
        raise
    remote = QaseRemote(connection.client, session.project, snapshot)
    told_first = [*busy(memory), *(told(settled) if settled else ()), *_brake(session, plan, state, options)]
    plan = replace(plan, findings=(*told_first, *plan.findings))
    return Planned(seal(plan), desired, snapshot, state, connection, remote, loaded.diagnostics, memory)


def _touched(session: Session, revision: str, desired: Desired) -> frozenset[str]:
    from qase_iac.workflow.branching import touched_since  # git and archives: no other plan needs them

    return touched_since(session, revision, desired)


def read_settled(session: Session, connection: Connection, desired: Desired, memory: Memory) -> Snapshot:
    """What is in Qase, with what an interrupted run left open settled by it.

    A create that was sent a moment ago and does not show may still come: before it counts as lost, Qase is read again.
    """
    snapshot = read(session, connection, desired, memory.state)
    requests = session.requests + snapshot.requests
    if wait := memory.still_late(snapshot, session.world.wall()):
        session.world.waits(wait, "an interrupted run was creating what Qase does not show, and may yet")
        session.world.sleep(wait)
        snapshot = read(session, connection, desired, memory.state)
        requests += snapshot.requests
    snapshot.requests = requests
    memory.settle(snapshot)
    return snapshot


def load_online(session: Session) -> Loaded:
    """The files, without an error. Words that nobody knows offline are held against the live workspace: it decides.

    Raises ConfigurationError. Qase is asked only when such words are all that is wrong.
    """
    loaded = session.load()
    errors = [problem for problem in loaded.diagnostics if problem.is_error]
    if errors and all(_is_word(problem) for problem in errors):
        words = None
        with suppress(QaseIacError):  # what is wrong with the files counts more than what is wrong with the way to Qase
            words = _live_words(session)
        if words:
            return session.load_valid(words)
    if errors:
        raise ConfigurationError(loaded.diagnostics)
    return loaded


def _is_word(problem: Diagnostic) -> bool:
    """Whether the workspace may know better: an option of one of its lists, found once all files were read."""
    return problem.code in ("unknown-word", "unknown-option") and problem.address is not None


def _live_words(session: Session) -> Catalogue:
    """The options of system fields, for checks of files; values of custom fields are checked when they are resolved."""
    session.read_state()  # nothing is asked with the state of another project
    connection = session.connect()
    reader = Reader(connection.client, session.project, Decoding(Catalogue()))
    try:
        return Catalogue(options=read_catalogue(reader, session.project).options, live=False)
    finally:
        session.requests += reader.requests
        connection.close()


def _brake(session: Session, plan: Plan, state: State, options: Options) -> list[Diagnostic]:
    """That apply is going to refuse the plan. Whoever destroys everything is asked for the number in any case."""
    if not plan.destructive or options.destroy:
        return []
    from qase_iac.apply.guard import brake_ahead

    ahead = brake_ahead(plan, state, session.settings.policy)
    return [ahead] if ahead else []


def busy(memory: Memory) -> list[Diagnostic]:
    """That somebody is changing just now what was read."""
    if memory.at_work is None:
        return []
    return [
        Diagnostic(
            "under-way",
            f"An apply by {memory.at_work} is under way; this plan may be out of date.",
            "What that run is doing just now is not taken into account. Plan again when it has ended.",
            severity=Severity.WARNING,
        )
    ]


def told(settled: Settled) -> list[Diagnostic]:
    """What became of the interrupted run's last calls, for people."""
    found = [
        Diagnostic(
            "settled",
            f"An interrupted run had created it (id {b.id}); it is bound now.",
            severity=Severity.WARNING,
            address=a,
        )
        for a, b in sorted(settled.bindings.items())
    ]
    lost = [
        Diagnostic("settled", "An interrupted run had not created it.", severity=Severity.WARNING, address=address)
        for address in sorted(settled.lost)
    ]
    return [*settled.findings, *found, *lost]


def bound_ids(state: State) -> frozenset[tuple[str, RemoteId]]:
    """(kind, id) of everything that the state binds."""
    return frozenset((address.partition(".")[0], binding.id) for address, binding in state.bindings.items())


def read(session: Session, connection: Connection, desired: Desired, state: State, full: bool = False) -> Snapshot:
    """Everything in Qase that planning needs, in the fewest requests."""
    state.take_up({str(address) for address in desired.resources} if state.pulled else ())
    wanted = {str(r.attributes.get("title")) for a, r in desired.resources.items() if BY_NAME[a.kind].members}
    known = [r.attributes for r in desired.resources.values()] + [b.sent for b in state.bindings.values()]
    snapshot = refresh(
        connection.client,
        session.project,
        state=state,
        need_members=_custom_titles(known),
        need_shared_parameters=any(_uses_shared(attributes.get("parameters")) for attributes in known),
        wanted=lambda live: live.title in wanted,
        full=full,
        progress=session.world.progress,
    )
    # A state that binds nothing is left by a run whose first call failed: the project may well not be there yet.
    if not snapshot.exists and (state.bindings or not desired.create):
        hint = "Check `project:` in qase.yaml and the rights of the token."
        if not desired.create:
            hint += " `create: true` lets apply create the project."
        raise NotFound(
            f"Qase has no project {session.project}, or the token may not see it.",
            "Nothing was planned: an unreadable project is not an empty one.",
            hint,
            status=404,
        )
    return snapshot


def _custom_titles(known: Iterable[Attributes]) -> list[str]:
    """The titles of all custom fields that the files name, or did when they were last applied."""
    names: set[str] = set().union(*known)
    return sorted(name.removeprefix(CUSTOM_FIELD_PREFIX) for name in names if name.startswith(CUSTOM_FIELD_PREFIX))


def _uses_shared(parameters: JSON) -> bool:
    return any(isinstance(item.get("shared"), dict | str) for item in parameters or ())


def _plan(
    session: Session, offline: Desired, snapshot: Snapshot, state: State, options: Options, digest: str
) -> tuple[Desired, Plan]:
    desired, found = resolve(offline, snapshot, bound_ids(state))
    if has_errors(found):
        raise ConfigurationError(found)
    plan = build(desired, snapshot, state, options, api=session.api, tool=TOOL, config_digest=digest)
    if has_errors(list(plan.findings)):
        raise ConfigurationError([*plan.findings, *found])
    return desired, replace(plan, findings=(*plan.findings, *found))


def _unread_members(plan: Plan, snapshot: Snapshot) -> list[LiveObject]:
    """Objects whose members change although only the state vouched for them: their assignees are not known. And test
    plans of others that may lose a case by a delete: nothing else would tell of it."""
    unread = []
    for change in plan.changes:
        kind = BY_NAME[change.kind]
        if change.id is not None and any(row.name in change.attributes for row in kind.members):
            live = snapshot.get(change.kind, change.id)
            if live and "assignees" not in live.meta:
                unread.append(live)
    return [*unread, *unseen_holders(plan.changes, snapshot)]


def _read_members(connection: Connection, session: Session, snapshot: Snapshot, unread: list[LiveObject]) -> None:
    remote = QaseRemote(connection.client, session.project, snapshot)
    for live in unread:
        whole = remote.read(live.kind, live.id)
        if whole:
            snapshot.objects[live.kind][live.id] = whole
            snapshot.requests += 1
