"""What an apply did: one `Operation` for each change of the plan, in the plan's order, and the exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from qase_iac.attributes import ResolveError
from qase_iac.errors import (
    AccessDenied,
    ApiError,
    BadAnswer,
    Interrupted,
    NoAnswer,
    NotFound,
    PartialApply,
    QaseIacError,
    RateLimited,
    Rejected,
    SafetyRefusal,
    ServerFault,
    StateLocked,
)
from qase_iac.plan.model import Action
from qase_iac.values import JSON, RemoteId


class Status(StrEnum):
    DONE = "done"
    FAILED = "failed"
    """It had no effect, or not the one wanted."""
    BLOCKED = "blocked"
    """It was not tried."""
    UNKNOWN = "unknown"
    """It was sent and may have taken effect; the next run looks for it."""


NOT_SUPPORTED = "not_supported_by_server"
"""Code of a change that Qase does not take: the state remembers it, and later plans do not try it again."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not done. `code` is stable; `by` are the addresses at the root of it."""

    code: str
    reason: str
    by: tuple[str, ...] = ()
    hint: str = ""
    http_status: int | None = None
    request_id: str | None = None
    field_errors: tuple[tuple[str, str], ...] = ()
    refused: bool = False
    """Qase, or what encodes for it, understood the request and did nothing."""

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (AccessDenied, "access_denied"),
    (NotFound, "not_found"),
    (Rejected, "rejected"),
    (RateLimited, "rate_limited"),
    (ServerFault, "server_fault"),
    (NoAnswer, "no_answer"),
    (BadAnswer, "bad_answer"),
    (Interrupted, "interrupted"),
)


def problem_of(error: QaseIacError | ResolveError, code: str = "") -> Problem:
    """An exception as the reason of an operation, under its own code unless one is given."""
    if isinstance(error, ResolveError):
        return Problem(code or error.code, error.summary, hint=error.detail, refused=True)
    own = error.code if isinstance(error, SafetyRefusal) else "failed"
    code = code or next((code for kind, code in _CODES if isinstance(error, kind)), own)
    reason = " ".join(part for part in (error.summary, error.detail) if part)
    if not isinstance(error, ApiError):
        return Problem(code, reason, hint=error.hint)
    refused = isinstance(error, Rejected) and not error.ambiguous
    return Problem(code, reason, (), error.hint, error.status, error.request_id, error.field_errors, refused)


LOCK_LOST = "lock_lost"
"""Code of a run that ended because somebody else has taken over the lock of its state."""
UNWRITABLE = ("journal_unwritable", "state_unwritable")
"""Codes of runs that ended because the disk would not take what they had to write down."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What came of one change. `planned_block` says that the plan itself had blocked it."""

    address: str
    action: Action
    id: RemoteId | None
    status: Status
    source: str | None = None
    problem: Problem | None = None
    planned_block: bool = False
    http_status: int | None = None
    request_id: str | None = None

    @property
    def done(self) -> bool:
        return self.status is Status.DONE

    @property
    def cause(self) -> str | None:
        return str(self.problem) if self.problem else None

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "action": str(self.action),
            "id": self.id,
            "status": str(self.status),
            "http_status": self.http_status,
            "request_id": self.request_id,
            "source": self.source,
            "cause": self.cause,
        }


@dataclass(frozen=True, slots=True)
class Altered:
    """What Qase made of a value on the way: as it was sent, and as it is served. References are ids."""

    address: str
    attribute: str
    sent: JSON
    held: JSON


@dataclass(frozen=True, slots=True)
class Report:
    """`requests` counts write calls made, uploads included; `retries` those of them that the plan did not announce.

    `halted` says why the run ended before its time. `saved` is false when the state could not be written: the
    journal then holds what was done. `warnings` do not change what was done. `altered` is
    known for what was read back. `backup` is the folder, as seen from the
    project's, that holds what was deleted or overwritten as it was; None when there was nothing of the kind.
    `command` is what goes on where this run ended.
    """

    operations: tuple[Operation, ...] = ()
    requests: int = 0
    retries: int = 0
    interrupted: bool = False
    halted: Problem | None = None
    saved: bool = True
    warnings: tuple[str, ...] = ()
    altered: tuple[Altered, ...] = ()
    backup: str | None = None
    command: str = "qase-iac apply"

    @property
    def applied(self) -> int:
        return sum(1 for each in self.operations if each.done and each.action is not Action.ADOPT)

    @property
    def adopted(self) -> int:
        return sum(1 for each in self.operations if each.done and each.action is Action.ADOPT)

    @property
    def failed(self) -> int:
        """Failed and unknown ones: what was tried and cannot be counted on."""
        return sum(1 for each in self.operations if each.status in (Status.FAILED, Status.UNKNOWN))

    @property
    def blocked(self) -> int:
        return sum(1 for each in self.operations if each.status is Status.BLOCKED)

    @property
    def takes_away(self) -> bool:
        """Whether anything was tried that loses what Qase held: only then is a backup of use."""
        kept = (Action.CREATE, Action.FORGET, Action.NO_OP)
        return any(each.status is not Status.BLOCKED and each.action not in kept for each in self.operations)

    @property
    def unknown(self) -> int:
        return sum(1 for each in self.operations if each.status is Status.UNKNOWN)

    @property
    def exit_code(self) -> int:
        """As cli.md has it; where several hold, 130, 8 and 7 come before 1, 4 and 6."""
        if self.interrupted:
            return Interrupted.exit_code
        if self.halted and self.halted.code == "access_denied":
            return AccessDenied.exit_code
        if self.halted and self.halted.code == LOCK_LOST:
            return StateLocked.exit_code
        if not self.saved or (self.halted and self.halted.code in UNWRITABLE):
            return QaseIacError.exit_code
        if all(each.status is Status.BLOCKED for each in self.operations) and self.operations:
            return SafetyRefusal.exit_code
        return PartialApply.exit_code if self.failed or self.blocked else 0

    def to_json(self) -> dict[str, Any]:
        return {
            "applied": self.applied,
            "failed": self.failed,
            "blocked": self.blocked,
            "adopted": self.adopted,
            "requests": self.requests,
            "retries": self.retries,
            "operations": [each.to_json() for each in self.operations],
            "altered": [asdict(each) for each in self.altered],
            "backup": self.backup,
        }
