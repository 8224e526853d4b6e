"""The REST client: token, both dialects decoded, lists whose pages agree, every failure as an `errors.ApiError`.

Facts from qase-api.md: transport and limits section 1, error bodies section 2, answers to writes section 4.
No exception raised here holds the token: what the server says is redacted, and httpx's own exceptions, whose request
carries the header, are never chained.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeGuard, TypeVar

import httpx

from qase_iac import __version__
from qase_iac.api.hosts import parse_url
from qase_iac.api.transports import READS, UNSENT, Clock, SystemClock, rest
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
from qase_iac.values import RemoteId, printable

PAGE = 100
MAX_OFFSET = 100_000
READINGS = 3
"""How often a list is read before its contradictions are believed."""

Entity = dict[str, Any]
Entities = list[Entity]
Params = Mapping[str, str | int]
Upload = tuple[str, bytes, str]
"""File name, content, MIME type."""
Progress = Callable[[str, int, int], None]
"""Called with path, rows so far, rows in all, once a page, in order, in the thread that reads the pages."""
T = TypeVar("T")

_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+")
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


class _Page(NamedTuple):
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


class Client:
    """One server, one token; thread-safe. `transport` is the `retry` of `transports.build_stack`.

    Every method raises the `ApiError` that fits; `ambiguous` is set when a write may have taken effect.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None,
        transport: httpx.BaseTransport,
        *,
        timeout: float = 30.0,
        pool: int = 4,
        clock: Clock | None = None,
    ) -> None:
        """`token` None sends none (the in-process emulator). Call `hosts.check_token_host` before."""
        token = token.strip() if token is not None else None
        if token is not None and not re.fullmatch("[!-~]+", token):
            raise AccessDenied(
                "The API token is not usable." if token else "There is no API token.",
                hint="Set QASE_TESTOPS_API_TOKEN to a token of your Qase account, as Qase shows it.",
            )
        self._base = base_url.rstrip("/")
        self._token = {"Token": token} if token else {}
        self._judge = _Judge(token or "")
        self._pool = pool
        self._timeout = timeout
        self._clock = clock or SystemClock()
        self._stop = threading.Event()
        agent = {"User-Agent": f"qase-iac/{__version__}"}
        self._http = httpx.Client(transport=transport, headers=agent, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def cancel(self) -> None:
        """For Ctrl-C, final: whatever waits for its turn raises `Interrupted` and is not sent."""
        self._stop.set()

    def get(self, path: str, params: Params | None = None) -> Entity:
        """One entity: an object, or in the seed dialect a list of exactly one (section 4)."""
        answer = self._call("GET", path, params=params)
        result = self._judge.body(answer).get("result")
        if isinstance(result, list) and len(result) == 1:
            result = result[0]
        if not isinstance(result, dict):
            raise self._judge.bad(answer, "without the object that was asked for")
        return result

    def list(self, path: str, params: Params | None = None, *, progress: Progress | None = None) -> Entities:
        """Every row of a list, in the server's order; read again while its pages disagree, at last BadAnswer."""
        return self.steady(lambda: [row for page in self.pages(path, params, progress=progress) for row in page])

    def steady(self, read: Callable[[], T]) -> T:
        """What `read`, which goes through `pages`, returns; called again while pages disagree, `READINGS` times."""
        for reading in range(1, READINGS):
            try:
                return read()
            except PagesDisagree:
                pause = 2.0 ** (reading - 1)
            rest(self._clock, self._clock.now() + pause, (self._stop,))
        return read()

    def pages(self, path: str, params: Params | None = None, *, progress: Progress | None = None) -> Iterator[Entities]:
        """The pages of a list as they come, in order, a few read ahead in parallel, none kept.

        Raises PagesDisagree as soon as the rows turn out not to be the whole list, which may be after the last page:
        what was made of them counts only when the iteration ends by itself.
        """
        seen: set[RemoteId] = set()
        gathered = 0
        first: _Page | None = None
        with closing(self._read_pages(path, params or {})) as source:
            for page in source:
                first = first or page
                gathered += len(page.rows)
                if page[1:] != first[1:]:
                    raise _disagree(path, f"it counted {first.filtered} entries, then {page.filtered}")
                if not page.bare:
                    _note(path, page.rows, seen)
                if progress:
                    progress(path, gathered, page.filtered)
                yield page.rows
        if first and not first.complete(gathered, narrowed=bool(params)):
            raise _disagree(path, f"it counts {first.filtered} of {first.total} entries and gave {gathered}")

    def _read_pages(self, path: str, params: Params) -> Generator[_Page, None, None]:
        stop = threading.Event()

        def read(offset: int) -> _Answer:
            query = {**params, "limit": PAGE, "offset": offset}
            return self._call("GET", path, params=query, stops=(self._stop, stop))

        first = self._judge.page(read(0))
        if first.filtered > MAX_OFFSET + PAGE:
            raise BadAnswer(f"{path} has {first.filtered} entries, more than Qase lets a client read.", path=path)
        yield first
        if len(first.rows) >= first.filtered:
            return
        offsets = iter(range(PAGE, first.filtered, PAGE))
        workers = ThreadPoolExecutor(self._pool, thread_name_prefix="qase-read")
        try:
            ahead = deque(workers.submit(read, offset) for offset in islice(offsets, self._pool))
            while ahead:
                answer = ahead.popleft().result()
                ahead.extend(workers.submit(read, offset) for offset in islice(offsets, 1))
                yield self._judge.page(answer)  # decoded here: threads that decode fight over the interpreter's lock
        finally:
            stop.set()
            workers.shutdown(wait=False, cancel_futures=True)

    def post(self, path: str, json: Any, *, timeout: float | None = None) -> Written:
        return self._judge.written(self._call("POST", path, json=json, timeout=timeout))

    def patch(self, path: str, json: Any, *, timeout: float | None = None) -> Written:
        return self._judge.written(self._call("PATCH", path, json=json, timeout=timeout))

    def delete(self, path: str, json: Any = None, *, timeout: float | None = None) -> Written:
        """With `json` the DELETE has a body (a suite's `destination_id`, section 6)."""
        return self._judge.written(self._call("DELETE", path, json=json, timeout=timeout))

    def upload(self, path: str, files: Sequence[Upload], *, timeout: float = 180.0) -> Entities:
        """Multipart parts named `file[]` (section 12.1); one entity for each file, in order."""
        parts = [("file[]", file) for file in files]
        answer = self._call("POST", path, files=parts, timeout=timeout)
        result = self._judge.body(answer).get("result")
        if not (_are_rows(result) and len(result) == len(files)):
            raise self._judge.bad(answer, f"without an entry for each of {len(files)} files")
        return result

    def download(self, url: str, *, timeout: float = 180.0) -> bytes:
        """The bytes of an attachment. The token goes along only to scheme, host and port of the API itself.

        Another host must be https; neither log nor errors show the query of its URL, which may be a signature.
        """
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            target = httpx.URL()
        place = parse_url(f"{target.scheme}://{target.netloc.decode('ascii')}")
        ours = place == parse_url(self._base)
        if place is None or target.userinfo or not (ours or place.scheme == "https"):
            raise BadAnswer("Qase gave an attachment an address that is not https.", method="GET")
        plain = target.copy_with(query=None, fragment=None)
        shown = self._judge.clean(plain)
        return self._send("GET", str(target), shown, ours=ours, timeout=timeout, shown=shown).response.content

    def _call(self, method: str, path: str, **options: Any) -> _Answer:
        if not _PATH.fullmatch(path):
            raise BadAnswer(f"{printable(path)} is not a path of the API: an id in it is not one.", path=path)
        return self._send(method, self._base + path, path, **options)

    def _send(
        self,
        method: str,
        url: str,
        path: str,
        *,
        ours: bool = True,
        timeout: float | None = None,
        stops: Sequence[threading.Event] = (),
        shown: str = "",
        **content: Any,
    ) -> _Answer:
        """One exchange; `path` is its name in errors, which are raised outside `except`: no httpx error is chained."""
        seconds = timeout or self._timeout
        try:
            response = self._http.request(
                method,
                url,
                headers={"Accept": "application/json" if ours else "*/*", **(self._token if ours else {})},
                timeout=httpx.Timeout(seconds, connect=min(seconds, 10.0)),
                extensions={"stop": stops or (self._stop,), "shown": shown},
                **content,
            )
        except httpx.RequestError as error:
            problem = self._judge.unanswered(method, path, error, seconds)
        else:
            answer = _Answer(method, path, response)
            if response.is_success:
                return answer
            problem = self._judge.refused(answer)
        raise problem


# What answers mean. Nothing below touches the network.


class _Answer(NamedTuple):
    method: str
    path: str
    response: httpx.Response

    @property
    def write(self) -> bool:
        return self.method not in READS


class _Judge:
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

    def refused(self, answer: _Answer) -> ApiError:
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

    def bad(self, answer: _Answer, what: str, hint: str = _FOREIGN) -> BadAnswer:
        summary = f"Qase answered {answer.response.status_code} to {answer.method} {answer.path} {what}."
        return BadAnswer(summary, hint=_AMBIGUOUS if answer.write else hint, **self._facts(answer, answer.write))

    def _facts(self, answer: _Answer, ambiguous: bool) -> dict[str, Any]:
        parsed = _parsed(answer.response.content)  # dumped again, so that no escape hides the token
        return {
            "status": answer.response.status_code,
            "method": answer.method,
            "path": answer.path,
            "request_id": self._request_id(answer),
            "ambiguous": ambiguous,
            "body": self.clean(json.dumps(parsed, ensure_ascii=False) if parsed else answer.response.text, 2000),
        }

    def _request_id(self, answer: _Answer) -> str | None:
        headers = answer.response.headers
        return next((self.clean(headers[name], 100) for name in _REQUEST_IDS if name in headers), None)

    def body(self, answer: _Answer) -> Entity:
        """The object in a 2xx answer. `status: false` in it is a refusal like any 4xx (section 2.2)."""
        body = _parsed(answer.response.content)
        if body is None:
            raise self.bad(answer, f"with {_described(answer.response.content)}")
        if not body.get("status", True):
            raise self.refused(answer)
        return body

    def page(self, answer: _Answer) -> _Page:
        result = self.body(answer).get("result")
        if answer.path == "/system_field" and _are_rows(result):
            return _Page(result, len(result), len(result), bare=True)
        rows = result.get("entities") if isinstance(result, dict) else None
        if not (isinstance(result, dict) and _are_rows(rows)):
            raise self.bad(answer, "without a list of entities")
        counters = [_identifier(result.get(name)) for name in ("total", "filtered", "count")]
        total, filtered, count = (value if isinstance(value, int) and value >= 0 else None for value in counters)
        known = total if filtered is None else filtered
        if known is None:
            raise self.bad(answer, "without the number of entities")
        if count is not None and count != len(rows):
            raise _disagree(answer.path, f"a page counts {count} entries and holds {len(rows)}")
        return _Page(rows, known if total is None else total, known)

    def written(self, answer: _Answer) -> Written:
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
        body = json.loads(content)
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


def _are_rows(value: object) -> TypeGuard[Entities]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _identifier(value: object, digits: bool = True) -> RemoteId | None:
    if isinstance(value, str) and value:
        return int(value) if digits and value.isascii() and value.isdigit() and len(value) < 19 else value
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _note(path: str, rows: Entities, seen: set[RemoteId]) -> None:
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
        raise _disagree(path, "an entry came twice")


def _disagree(path: str, why: str) -> PagesDisagree:
    return PagesDisagree(
        f"The pages of {path} contradict each other: {why}.",
        "A list that is not whole is never taken for one.",
        "Somebody may be changing the project just now: try again in a moment.",
        method="GET",
        path=path,
    )
