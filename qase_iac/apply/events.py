"""What happens during an apply, as values, for whoever shows or logs it. `done` of `total` gives the rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from qase_iac.values import RemoteId


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins: how many operations, and the write requests they take if nothing fails."""

    project: str
    total: int
    requests: int


@dataclass(frozen=True, slots=True)
class OperationStarted:
    """A call is about to be made, for one object or for a whole batch."""

    addresses: tuple[str, ...]
    action: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file is in Qase now."""

    path: str
    sha256: str
    hash: str


@dataclass(frozen=True, slots=True)
class OperationFinished:
    address: str
    action: str
    id: RemoteId | None
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class OperationFailed:
    """`status` is failed, or unknown when the call may have taken effect."""

    address: str
    action: str
    status: str
    code: str
    reason: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class OperationBlocked:
    address: str
    action: str
    code: str
    reason: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is sent for a while, and why."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Looked:
    """Qase did not say what became of a call and was asked, for so many seconds. `found`: it was carried out."""

    addresses: tuple[str, ...]
    found: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What was written is read again: `objects` in `requests` reads."""

    objects: int
    requests: int


@dataclass(frozen=True, slots=True)
class Saved:
    """The state is on disk."""

    serial: int
    bindings: int


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that does not change what was done, but that people should know."""

    summary: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    applied: int
    failed: int
    blocked: int
    adopted: int
    requests: int
    interrupted: bool


Event = (
    Started
    | OperationStarted
    | Uploaded
    | OperationFinished
    | OperationFailed
    | OperationBlocked
    | Waiting
    | Looked
    | ReadBack
    | Saved
    | Warned
    | Finished
)
OnEvent = Callable[[Event], None]

NAMES: dict[type[Event], str] = {
    Started: "started",
    OperationStarted: "operation_started",
    Uploaded: "uploaded",
    OperationFinished: "operation_finished",
    OperationFailed: "operation_failed",
    OperationBlocked: "operation_blocked",
    Waiting: "waiting",
    Looked: "looked",
    ReadBack: "read_back",
    Saved: "saved",
    Warned: "warning",
    Finished: "finished",
}


CLASSES: dict[str, str] = {
    "access_denied": "access",
    "not_found": "api",
    "rejected": "api",
    "rate_limited": "api",
    "server_fault": "api",
    "no_answer": "api",
    "bad_answer": "api",
    "not_supported_by_server": "api",
    "interrupted": "interrupted",
    "dependency_failed": "dependency",
    "depends_on_blocked": "dependency",
    "unbound_reference": "stale",
    "file-changed": "stale",
    "file-missing": "stale",
    "file-unreadable": "stale",
}
"""Code of an operation that is not done -> its `failure_class`."""


def event_json(event: Event, time: str) -> dict[str, Any]:
    """One line of `--events FILE`. What fails an operation or ends a run says of which class the failure is."""
    row = {"event": NAMES[type(event)], "time": time, **asdict(event)}
    match event:
        case OperationFailed():
            row["failure_class"] = CLASSES.get(event.code, "other")
        case OperationBlocked():
            row["failure_class"] = CLASSES.get(event.code, "safety")
        case Finished():
            row["failure_class"] = _class_of(event)
    return row


def _class_of(event: Finished) -> str | None:
    if event.interrupted:
        return "interrupted"
    return "partial" if event.failed or event.blocked else None
