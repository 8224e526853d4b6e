"""Everything that can go wrong, as one tree. The command line turns each into one message and one exit code.

QaseIacError                      1   any other failure, wrong usage, the answer "no"
├── ConfigurationError            3   the YAML is invalid (carries every diagnostic)
├── SafetyRefusal                 4   brake, protection, conflict, scope, foreign or missing state, token host
├── StalePlan                     5   the saved plan is stale, used or altered
├── PartialApply                  6   some operations failed or were blocked
├── StateLocked                   7   somebody else holds the state
├── StateError                    1   the state file is broken or cannot be written
├── Interrupted                 130   Ctrl-C; in-flight calls were finished and recorded
└── ApiError                      9   Qase could not be read
    ├── AccessDenied              8   401, 403 or no token
    ├── NotFound                  9   404
    ├── Rejected                  9   400, 402, 405-422 and other 4xx: the request was understood and refused
    ├── RateLimited               9   429 that outlived every retry
    ├── ServerFault               9   5xx
    ├── NoAnswer                  9   connection refused, dropped or timed out
    └── BadAnswer                 9   not JSON, cut off, or a list whose pages contradict each other
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qase_iac.diagnostics import Diagnostic


FAILURE_CLASSES: dict[int, str] = {
    1: "other",
    3: "configuration",
    4: "safety",
    5: "stale",
    6: "partial",
    7: "lock",
    8: "access",
    9: "api",
    130: "interrupted",
}
"""Exit code -> what kind of failure it was, as events say it. A bug of ours is `internal`, whatever its code."""


class QaseIacError(Exception):
    """What happened (`summary`), why it matters (`detail`), what to do now (`hint`); each plain text, may be ""."""

    exit_code = 1

    def __init__(self, summary: str, detail: str = "", hint: str = "") -> None:
        super().__init__(summary)
        self.summary = summary
        self.detail = detail
        self.hint = hint


class ConfigurationError(QaseIacError):
    """The project folder is invalid; `diagnostics` holds every problem that was found, in file order."""

    exit_code = 3

    def __init__(self, diagnostics: Sequence[Diagnostic], summary: str = "The configuration is invalid.") -> None:
        super().__init__(summary)
        self.diagnostics = tuple(diagnostics)


class SafetyRefusal(QaseIacError):
    """Refused before anything was written. `code` is stable and machine-readable."""

    exit_code = 4

    def __init__(self, code: str, summary: str, detail: str = "", hint: str = "") -> None:
        super().__init__(summary, detail, hint)
        self.code = code


class StalePlan(QaseIacError):
    """A saved plan that no longer holds, was used already, or is not what was written."""

    exit_code = 5


class PartialApply(QaseIacError):
    """Some operations failed or were blocked; the report says which."""

    exit_code = 6


class StateLocked(QaseIacError):
    """The state is held by another run; the summary names the holder."""

    exit_code = 7


class StateError(QaseIacError):
    """The state cannot be read or written."""


class Interrupted(QaseIacError):
    """Ctrl-C: what was in flight has been finished and recorded."""

    exit_code = 130


class ApiError(QaseIacError):
    """A request to Qase that did not give what it should.

    `status` is the HTTP status (None when there was no answer), `method` and `path` the request (never the token),
    `request_id` what the server called it, `field_errors` pairs (field, message) as in qase-api.md section 2.2,
    `address` the object concerned, filled in by whoever knows it.
    `ambiguous` is true when a write may have taken effect although it failed.
    """

    exit_code = 9

    def __init__(
        self,
        summary: str,
        detail: str = "",
        hint: str = "",
        *,
        status: int | None = None,
        method: str = "",
        path: str = "",
        request_id: str | None = None,
        field_errors: Sequence[tuple[str, str]] = (),
        ambiguous: bool = False,
        address: str | None = None,
        body: Any = None,
    ) -> None:
        super().__init__(summary, detail, hint)
        self.status = status
        self.method = method
        self.path = path
        self.request_id = request_id
        self.field_errors = tuple(field_errors)
        self.ambiguous = ambiguous
        self.address = address
        self.body = body


class AccessDenied(ApiError):
    """401, 403, or there is no token to send."""

    exit_code = 8


class NotFound(ApiError):
    """404."""


class Rejected(ApiError):
    """A 4xx other than 401, 403, 404 and 429: nothing was done."""


class RateLimited(ApiError):
    """429 after the last retry."""


class ServerFault(ApiError):
    """5xx. After a write it is ambiguous."""


class NoAnswer(ApiError):
    """No connection, a dropped one, or a timeout. After a write was sent it is ambiguous."""


class BadAnswer(ApiError):
    """An answer that is not what the API promises: HTML, cut-off JSON, pages that contradict each other."""
