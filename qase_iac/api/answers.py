"""What answers of the API mean: entities, pages, ids of writes, and failures as `errors.ApiError`. Touches no network.

Facts from qase-api.md: error bodies section 2, answers to writes section 4. No exception made here holds the token.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import httpx

from qase_iac.api.transports import READS, UNSENT
from qase_iac.errors import (
    AccessDenied,
    ApiError,
    BadAnswer,
    NoAnswer,
    NotFound,
    RateLimited,
    Rejected,
    ServerFault,
)
from qase_iac.fastjson import loads
from qase_iac.values import RemoteId, printable

Entity = dict[str, Any]
Entities = list[Entity]

_REQUEST_IDS = ("X-Request-Id", "CF-Ray", "X-Amz-Cf-Id", "X-Trace-Id")
_CLASSES: Mapping[int, type[ApiError]] = {
    401: AccessDenied,
    403: AccessDenied,
    404: NotFound,
    429: RateLimited,
}
_HINTS = {
    401: "Check the token in QASE_TESTOPS_API_TOKEN.",
    402: "The plan of this Qase workspace does not include that feature.",
    403: "A token has the rights of the user who made it, and that user may not do this.",
    404: "It does not exist, or the token's user cannot see it.",
    429: "Others use the same token or address: lower api.rate_limit (--rate-limit) or try again later.",
}
_REDIRECT = "Redirects are not followed, since the token would go with them. Correct the API address."
_FOREIGN = "Something between here and Qase may have answered: check the API address, the proxy and the network."
_AMBIGUOUS = "It may have been done all the same: look before repeating it."


class PagesDisagree(BadAnswer):
    """The pages of one list contradict each other, most likely because somebody changed it meanwhile: read it again."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write answered (section 4). `id` is None where the dialect returns none; `ids` is for bulk creation."""

    id: RemoteId | None
    ids: tuple[RemoteId, ...] = ()
    result: Any = None
    status: int = 200
    request_id: str | None = None


class Page(NamedTuple):
    """One page and its counters. A bare array (`/system_field`) is the whole list and has neither counters nor ids."""

    rows: Entities
    total: int
    filtered: int
    bare: bool = False

    def complete(self, gathered: int, narrowed: bool) -> bool:
        """Whether so many rows are the whole list; `narrowed` says that the request had a filter.

        `filtered` above `total` is nonsense, but the seed's own sample shows it (section 1): pages are then read up
        to `filtered`, and either number will do. No rows are believed only when no counter sees any.
        """
        if gathered == 0:
            return self.filtered == 0 and (narrowed or self.total == 0)
        return gathered == self.filtered or gathered == self.total < self.filtered


class Answer(NamedTuple):
    method: str
    path: str
    response: httpx.Response

    @property
    def write(self) -> bool:
        return self.method not in READS


class Judge:
    """Turns answers into values or errors, and keeps the token out of both text and fields of the errors."""

    def __init__(self, token: str) -> None:
        self._secrets = [secret for secret in {token, json.dumps(token)[1:-1], token.replace("/", "\\/")} if secret]

    def clean(self, text: object, limit: int = 300) -> str:
        """Text from outside: without the token, with control characters escaped, not too long."""
        clear = str(text)
        for secret in self._secrets:
            clear = clear.replace(secret, "[token]")
        clear = printable(clear.strip())
        return clear if len(clear) <= limit else clear[:limit] + "…"

    def unanswered(self, method: str, path: str, error: httpx.RequestError, seconds: float) -> ApiError:
        """A failure below HTTP. Ambiguous for a write unless the connection was never opened."""
        sent = not isinstance(error, UNSENT)
        ambiguous = sent and method not in READS
        reason = self.clean(error) or type(error).__name__
        kind: type[ApiError] = NoAnswer
        if isinstance(error, httpx.DecodingError):
            kind, summary = BadAnswer, f"Qase's answer to {method} {path} cannot be decompressed: {reason}"
        elif not sent:
            summary = f"No connection to Qase for {method} {path}: {reason}"
        elif isinstance(error, httpx.TimeoutException):
            summary = f"Qase did not answer {method} {path} within {seconds:g} s."
        else:
            summary = f"The connection broke during {method} {path}: {reason}"
        hint = _AMBIGUOUS if ambiguous else "Check the network, the proxy settings and the API address."
        if "CERTIFICATE" in reason:
            hint = "The server's certificate is not trusted here. SSL_CERT_FILE names a file with your own authorities."
        return kind(summary, hint=hint, method=method, path=path, ambiguous=ambiguous)

    def refused(self, answer: Answer) -> ApiError:
        """The error for a status that is not 2xx (section 2.1), or for `status: false`."""
        status, body = answer.response.status_code, _parsed(answer.response.content)
        if status < 200 or 300 <= status < 400:
            target = self.clean(answer.response.headers.get("Location", "").partition("?")[0] or "nowhere")
            return self.bad(answer, f"that redirects to {target}", _REDIRECT)
        if status == 404 and body is None:
            return self.bad(answer, f"in words that are not the API's ({_described(answer.response.content)})")
        kind = _CLASSES.get(status) or (ServerFault if status >= 500 else Rejected)
        ambiguous = answer.write and (status >= 500 or status == 408)
        fields = [(self.clean(field, 100), self.clean(text)) for field, text in _field_errors(body)][:50]
        said = self.clean(_message(body) or _described(answer.response.content))
        return kind(
            f"Qase answered {status} to {answer.method} {answer.path}: {said}",
            "\n".join(f"{field}: {text}" if field else text for field, text in fields),
            _AMBIGUOUS if ambiguous else _HINTS.get(status, ""),
            field_errors=fields,
            **self._facts(answer, ambiguous),
        )

    def bad(self, answer: Answer, what: str, hint: str = _FOREIGN) -> BadAnswer:
        summary = f"Qase answered {answer.response.status_code} to {answer.method} {answer.path} {what}."
        return BadAnswer(summary, hint=_AMBIGUOUS if answer.write else hint, **self._facts(answer, answer.write))

    def _facts(self, answer: Answer, ambiguous: bool) -> dict[str, Any]:
        parsed = _parsed(answer.response.content)  # dumped again, so that no escape hides the token
        return {
            "status": answer.response.status_code,
            "method": answer.method,
            "path": answer.path,
            "request_id": self._request_id(answer),
            "ambiguous": ambiguous,
            "body": self.clean(json.dumps(parsed, ensure_ascii=False) if parsed else answer.response.text, 2000),
        }

    def _request_id(self, answer: Answer) -> str | None:
        headers = answer.response.headers
        return next((self.clean(headers[name], 100) for name in _REQUEST_IDS if name in headers), None)

    def body(self, answer: Answer) -> Entity:
        """The object in a 2xx answer. `status: false` in it is a refusal like any 4xx (section 2.2)."""
        body = _parsed(answer.response.content)
        if body is None:
            raise self.bad(answer, f"with {_described(answer.response.content)}")
        if not body.get("status", True):
            raise self.refused(answer)
        return body

    def page(self, answer: Answer) -> Page:
        result = self.body(answer).get("result")
        if answer.path == "/system_field" and are_rows(result):
            return Page(result, len(result), len(result), bare=True)
        rows = result.get("entities") if isinstance(result, dict) else None
        if not (isinstance(result, dict) and are_rows(rows)):
            raise self.bad(answer, "without a list of entities")
        counters = [_identifier(result.get(name)) for name in ("total", "filtered", "count")]
        total, filtered, count = (value if isinstance(value, int) and value >= 0 else None for value in counters)
        known = total if filtered is None else filtered
        if known is None:
            raise self.bad(answer, "without the number of entities")
        if count is not None and count != len(rows):
            raise disagree(answer.path, f"a page counts {count} entries and holds {len(rows)}")
        return Page(rows, known if total is None else total, known)

    def written(self, answer: Answer) -> Written:
        """The ids under `result` or at the top; digits as text become numbers, hashes and codes stay text."""
        body = self.body(answer)
        result = body.get("result")
        fields = result if isinstance(result, dict) else {}
        names = {
            "id": fields.get("id", body.get("id")),
            "hash": fields.get("hash"),
            "code": fields.get("code"),
        }
        name, raw = next(((name, raw) for name, raw in names.items() if raw is not None), ("", None))
        one = _identifier(raw, digits=name == "id")
        many = fields.get("ids", [])
        ids = [_identifier(value) for value in many] if isinstance(many, list) else [None]
        known = [value for value in ids if value is not None]
        if (raw is not None and one is None) or len(known) != len(ids):
            raise self.bad(answer, "with an id that is neither number nor text")
        if "status" not in body and result is None and one is None:
            raise self.bad(answer, "without saying whether it was done")
        return Written(one, tuple(known), result, answer.response.status_code, self._request_id(answer))


def _parsed(content: bytes) -> Entity | None:
    try:
        body = loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _described(content: bytes) -> str:
    start = content.lstrip()[:1]
    return {b"": "an empty body", b"<": "an HTML page", b"{": "JSON that is cut off or broken"}.get(
        start, "a body that is not a JSON object"
    )


def _message(body: Entity | None) -> str:
    said = (body or {}).get("errorMessage") or (body or {}).get("message") or (body or {}).get("error")
    return said if isinstance(said, str) else "it gave no reason" if body is not None else ""


def _field_errors(body: Entity | None) -> Iterator[tuple[str, str]]:
    """Pairs from every shape of section 2.2: `errorFields: [{field, error}]`, `errors: {field: [text, …]}`."""
    for found in ((body or {}).get("errorFields"), (body or {}).get("errors")):
        if isinstance(found, dict):
            pairs = list(found.items())
        else:
            items = found if isinstance(found, list) else []
            pairs = [
                (item.get("field", ""), item.get("error", item.get("message", "")))
                if isinstance(item, dict)
                else ("", item)
                for item in items
            ]
        for field, said in pairs:
            yield from ((str(field), str(text)) for text in (said if isinstance(said, list) else [said]))


def are_rows(value: object) -> TypeGuard[Entities]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _identifier(value: object, digits: bool = True) -> RemoteId | None:
    if isinstance(value, str) and value:
        return int(value) if digits and value.isascii() and value.isdigit() and len(value) < 19 else value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def note_ids(path: str, rows: Entities, seen: set[RemoteId]) -> None:
    """Remember the rows' ids (or hashes, or codes); one that is there already came twice."""
    before = len(seen)
    for row in rows:
        key = row.get("id")
        if key is None:
            key = row.get("code") if row.get("hash") is None else row["hash"]
        if not isinstance(key, int | str):
            raise BadAnswer(f"Qase gave an entry of {path} without an id.", method="GET", path=path)
        seen.add(key)
    if len(seen) != before + len(rows):
        raise disagree(path, "an entry came twice")


def disagree(path: str, why: str) -> PagesDisagree:
    return PagesDisagree(
        f"The pages of {path} contradict each other: {why}.",
        "A list that is not whole is never taken for one.",
        "Somebody may be changing the project just now: try again in a moment.",
        method="GET",
        path=path,
    )
