"""What changed in Qase since the last apply. Reads what a plan reads; writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from qase_iac.diagnostics import Diagnostic
from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.model import Desired
from qase_iac.plan.drifting import Found, Unsettled, appeared, find_drift
from qase_iac.plan.model import Drift, Plan
from qase_iac.plan.summary import reading
from qase_iac.plan.suspects import suspect
from qase_iac.values import Attributes
from qase_iac.workflow.memory import Memory, recall
from qase_iac.workflow.naming import fresh_addresses
from qase_iac.workflow.planning import busy, load_online, read_settled, told
from qase_iac.workflow.session import TOOL, Connection, Session

AUTHORS = "/author"
"""Members and applications by number (qase-api.md section 12.2): whom `author_id` names."""


@dataclass(frozen=True)
class Drifted:
    """`plan` holds the drift, the findings and what was read, and no changes; `warnings` are about the files."""

    plan: Plan
    warnings: list[Diagnostic]


def look(session: Session) -> Drifted:
    """Compares the state with Qase. Raises ConfigurationError, SafetyRefusal (no state), ApiError."""
    loaded = load_online(session)
    memory = recall(session)
    if not memory.state.exists:
        raise SafetyRefusal(
            "no-state",
            "There is no state: what the last apply left in Qase is not known.",
            "So nothing can be said of what changed since.",
            "`qase-iac apply` or `qase-iac export` makes a state; `qase-iac state rebuild` makes a lost one again.",
        )
    connection = session.connect()
    try:
        snapshot = read_settled(session, connection, loaded.desired, memory)
        state = memory.state
        seen = memory.header.seen if memory.header else state.seen
        found = find_drift(loaded.desired, snapshot, state, seen, _unsettled(memory))
        drift = [*found.drift, *_named(found, loaded.desired)]
        requests = snapshot.requests
        if any("author_id" in each.meta or "updated_by" in each.meta for each in drift):
            names, asked = _names(session, connection)
            requests += asked
            drift = [replace(each, meta=_with_names(each.meta, names)) for each in drift]
    finally:
        connection.close()
    guess = suspect(drift, loaded.desired)
    findings = (*busy(memory), *(told(memory.settled) if memory.settled else ()), *((guess,) if guess else ()))
    plan = Plan(
        project=session.project,
        api=session.api,
        tool=TOOL,
        config_digest="",
        lineage=state.lineage,
        serial=state.serial,
        drift=tuple(drift),
        findings=findings,
        reading=replace(reading(snapshot), requests=requests),
    )
    return Drifted(plan, loaded.diagnostics)


def _unsettled(memory: Memory) -> Unsettled:
    """What an interrupted run sent without an answer is ours where Qase holds it, and nobody's drift."""
    sent: dict[str, Attributes] = {}
    deleting = set()
    for item in (item for intent in memory.open for item in intent.items):
        if item.action == "delete":
            deleting.add(item.address)
        else:
            sent[item.address] = item.record.get("sent", {})
    return Unsettled(sent, frozenset(deleting))


def _named(found: Found, desired: Desired) -> Iterable[Drift]:
    """The new objects, each under a key that is free: what it would be called if it were taken over."""
    addresses = dict(found.addresses)
    addresses |= fresh_addresses(found.appeared, desired, addresses, found.suites)
    return (appeared(live, addresses[live.kind, live.id], addresses) for live in found.appeared)


def _names(session: Session, connection: Connection) -> tuple[dict[int, str], int]:
    """Number -> name of whoever may have written something, and the requests that took. Without the right: nobody."""
    names: dict[int, str] = {}
    asked = 0
    with suppress(QaseIacError):  # a name is a courtesy: no reason to fail
        for page in connection.client.pages(AUTHORS):
            asked += 1
            for row in page:
                name = str(row.get("name") or row.get("email") or "")
                for key in ("id", "author_id"):
                    if name and isinstance(row.get(key), int):
                        names.setdefault(row[key], name)
    return names, asked


def _with_names(meta: Attributes, names: dict[int, str]) -> Attributes:
    found = {"author": names.get(meta.get("author_id", 0)), "editor": names.get(meta.get("updated_by", 0))}
    return meta | {key: name for key, name in found.items() if name}
