"""The REST client: token, requests, lists whose pages agree; what the answers mean is in answers.py.

Facts from qase-api.md: transport and limits section 1, answers to writes section 4.
No exception raised here holds the token: what the server says is redacted, and httpx's own exceptions, whose request
carries the header, are never chained.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any, TypeVar

import httpx

from qase_iac import __version__
from qase_iac.api.answers import (
    Answer,
    Entities,
    Entity,
    Judge,
    Page,
    PagesDisagree,
    Written,
    are_rows,
    disagree,
    note_ids,
)
from qase_iac.api.hosts import parse_url
from qase_iac.api.transports import Clock, SystemClock, rest
from qase_iac.errors import AccessDenied, BadAnswer, QaseIacError
from qase_iac.values import RemoteId, printable

PAGE = 100
MAX_OFFSET = 100_000
READINGS = 3
"""How often a list is read before its contradictions are believed."""

Params = Mapping[str, str | int]
Upload = tuple[str, bytes, str]
"""File name, content, MIME type."""
Progress = Callable[[str, int, int], None]
"""Called with path, rows so far, rows in all, once a page, in order, in the thread that reads the pages."""
T = TypeVar("T")

_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)+")


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
        if _target(base_url) is None:
            raise QaseIacError(f"There can be no such API address: {printable(base_url)}", hint="Check its host.")
        self._base = base_url.rstrip("/")
        self._token = {"Token": token} if token else {}
        self._judge = Judge(token or "")
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
        first: Page | None = None
        with closing(self._read_pages(path, params or {})) as source:
            for page in source:
                first = first or page
                gathered += len(page.rows)
                if page[1:] != first[1:]:
                    raise disagree(path, f"it counted {first.filtered} entries, then {page.filtered}")
                if not page.bare:
                    note_ids(path, page.rows, seen)
                if progress:
                    progress(path, gathered, page.filtered)
                yield page.rows
        if first and not first.complete(gathered, narrowed=bool(params)):
            raise disagree(path, f"it counts {first.filtered} of {first.total} entries and gave {gathered}")

    def count(self, path: str) -> int:
        """How many entries a list says it has, by one short page."""
        return self._judge.page(self._call("GET", path, params={"limit": 1, "offset": 0})).filtered

    def _read_pages(self, path: str, params: Params) -> Generator[Page, None, None]:
        stop = threading.Event()

        def read(offset: int) -> Answer:
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
        if not (are_rows(result) and len(result) == len(files)):
            raise self._judge.bad(answer, f"without an entry for each of {len(files)} files")
        return result

    def download(self, url: str, *, timeout: float = 180.0) -> bytes:
        """The bytes of an attachment. The token goes along only to scheme, host and port of the API itself.

        Another host must be https; neither log nor errors show the query of its URL, which may be a signature.
        """
        target = _target(url) or httpx.URL()
        place = parse_url(f"{target.scheme}://{target.netloc.decode('ascii')}")
        ours = place == parse_url(self._base)
        if place is None or target.userinfo or not (ours or place.scheme == "https"):
            raise BadAnswer("Qase gave an attachment an address that is not https.", method="GET")
        plain = target.copy_with(query=None, fragment=None)
        shown = self._judge.clean(plain)
        return self._send("GET", str(target), shown, ours=ours, timeout=timeout, shown=shown).response.content

    def _call(self, method: str, path: str, **options: Any) -> Answer:
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
    ) -> Answer:
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
            answer = Answer(method, path, response)
            if response.is_success:
                return answer
            problem = self._judge.refused(answer)
        raise problem


def _target(url: str) -> httpx.URL | None:
    """The address as a request would go there; None when the library makes none of it, such as of a broken `xn--`."""
    try:
        return httpx.Request("GET", url).url
    except (httpx.InvalidURL, UnicodeError):
        return None


__all__ = ["PAGE", "Client", "PagesDisagree", "Written"]
