"""The stack below the client: retry > limiter > log > HTTP or InProcess, each an `httpx.BaseTransport` around the next.

Clock, wall time and randomness are passed in. `qase-api.md` sections 1 and 1.1 give the limits and what repeating a
write costs: there is no idempotency key, so only reads are repeated freely.

A request may carry two extensions: `stop`, events of which any ends its waiting (`Interrupted`), and `shown`, what to
write in the log in place of its path.
"""

from __future__ import annotations

import email.utils
import json
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, TextIO

import httpx

from qase_iac.errors import Interrupted

READS = frozenset({"GET", "HEAD"})
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
"""Failures before a byte of the request left: nothing can have happened."""

LOCKOUT = 60.0
"""What a 429 without `Retry-After` costs (qase-api.md section 1)."""
LONGEST_WAIT = 300.0
PERIOD = 61.0
"""Seconds in which a minute's worth is refilled: one more than 60, for requests that overtake each other on the way."""
SLICE = 0.25


class Clock(Protocol):
    """Monotonic seconds, and a way to let them pass."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real one. Its sleep ends at once on Ctrl-C in the main thread."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def rest(clock: Clock, until: float, stops: Iterable[threading.Event] = ()) -> None:
    """Sleep until the clock reads `until`, by slices, so that a thread that Ctrl-C does not reach can be stopped."""
    while True:
        if any(stop.is_set() for stop in stops):
            raise Interrupted("Stopped while waiting to send a request; it was not sent.")
        left = until - clock.now()
        if left <= 0:
            return
        clock.sleep(min(left, SLICE))


def _stops(request: httpx.Request) -> Iterable[threading.Event]:
    stops: Iterable[threading.Event] = request.extensions.get("stop", ())
    return stops


def retry_after(response: httpx.Response, wall: float) -> float | None:
    """Seconds that `Retry-After` asks for (a number or an HTTP date), 0 to 300; None when it does not say."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]*)?", value):
        return min(float(value), LONGEST_WAIT)
    try:
        date = email.utils.parsedate_to_datetime(value)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - wall
    except (ValueError, OverflowError):
        return None
    return max(0.0, min(seconds, LONGEST_WAIT))


class _Layer(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._lock = threading.Lock()

    def close(self) -> None:
        self._inner.close()


class InProcess(_Layer):
    """A WSGI application in this process that fails as a server would: a connection that it drops is a `ReadError`."""

    def __init__(self, app: Any) -> None:
        super().__init__(httpx.WSGITransport(app))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = self._inner.handle_request(request)
            response.read()
        except ConnectionError as error:
            raise httpx.ReadError(str(error), request=request) from None
        return response


class Log(_Layer):
    """Counts every attempt by read and write, and writes it as one JSON object a line; never a header or a body.

    A log that cannot be written is given up (`failure` says why): it must not turn a done write into an unknown one.
    """

    def __init__(
        self, inner: httpx.BaseTransport, *, clock: Clock, wall: Callable[[], float], file: TextIO | None = None
    ) -> None:
        super().__init__(inner)
        self._clock, self._wall, self._file = clock, wall, file
        self.reads = self.writes = 0
        self.failure: Exception | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        started, status = self._clock.now(), None
        try:
            response = self._inner.handle_request(request)
            response.read()
            status = response.status_code
            return response
        finally:
            self._record(request, status, self._clock.now() - started)

    def _record(self, request: httpx.Request, status: int | None, seconds: float) -> None:
        with self._lock:
            if request.method in READS:
                self.reads += 1
            else:
                self.writes += 1
            if self._file is None:
                return
            line = {
                "time": datetime.fromtimestamp(self._wall(), UTC).isoformat(timespec="milliseconds"),
                "method": request.method,
                "path": request.extensions.get("shown") or request.url.raw_path.decode("ascii"),
                "status": status,
                "ms": round(seconds * 1000, 1),
                "attempt": request.extensions.get("attempt", 1),
            }
            try:
                self._file.write(json.dumps(line) + "\n")
                self._file.flush()
            except (OSError, ValueError) as error:
                self.failure, self._file = error, None


class Limiter(_Layer):
    """Never more than `per_minute` requests in any 60 s; 0 means no limit. `pause` holds back everybody.

    A token bucket of B = min(N/3, 60) refilled at (N-B)/PERIOD a second lets at most B + 60 * (N-B)/PERIOD < N
    requests into any 60 s. Threads reserve their slot under the lock (tokens below zero are slots ahead) and sleep
    outside. A pause cancels the slots not yet taken; who held one reserves again.
    """

    def __init__(self, inner: httpx.BaseTransport, *, per_minute: int, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock
        self._unlimited = per_minute <= 0
        self._burst = max(1.0, min(per_minute / 3, 60.0))
        self._rate = max(per_minute - self._burst, 0.99) / PERIOD  # 0.99: with N = 1 the burst is all there is
        self._tokens = self._burst
        self._ready = clock.now()  # the moment that `_tokens` speaks of; in the future while a pause lasts
        self._pauses = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            slot, pauses = self._reserve()
            rest(self._clock, slot, _stops(request))
            with self._lock:
                if pauses == self._pauses:
                    break
        return self._inner.handle_request(request)

    def pause(self, seconds: float) -> None:
        """Let nothing through for so long, and no burst afterwards."""
        with self._lock:
            now = self._clock.now()
            start = max(now, self._ready)
            until = max(now + seconds, self._ready)
            self._refill(start)
            self._tokens = min(1.0, max(self._tokens, 0.0) + (until - start) * self._rate)
            self._ready = until
            self._pauses += 1

    def _reserve(self) -> tuple[float, int]:
        with self._lock:
            start = max(self._clock.now(), self._ready)
            if self._unlimited:
                return start, self._pauses
            self._refill(start)
            self._tokens -= 1.0
            return start + max(0.0, -self._tokens / self._rate), self._pauses

    def _refill(self, moment: float) -> None:
        self._tokens = min(self._burst, self._tokens + (moment - self._ready) * self._rate)
        self._ready = moment


class Retry(_Layer):
    """Repeats what is safe to repeat (qase-api.md section 1.1), a bounded number of times.

    * 429, any method: it was not executed. `pause` gets the wait, so that every thread keeps still.
    * reads on 408, 5xx, a broken connection, a timeout: exponential backoff with jitter.
    * any method when the connection could not even be opened, except for a certificate that will not get better.

    Everything else about a write comes back as it is: it may have happened. A loop of its own and not tenacity:
    two budgets, a wait that the answer decides and a pause shared by threads take more lines there, and its import
    costs as much as httpx's.
    """

    def __init__(
        self,
        inner: httpx.BaseTransport,
        *,
        pause: Callable[[float], None],
        clock: Clock,
        wall: Callable[[], float],
        random: Callable[[], float],
        attempts: int = 5,
        blocked_attempts: int = 8,
    ) -> None:
        super().__init__(inner)
        self._pause = pause
        self._clock = clock
        self._wall = wall
        self._random = random
        self._attempts = attempts
        self._blocked_attempts = blocked_attempts
        self.retries = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        blocks = faults = 0
        while True:
            request.extensions["attempt"] = 1 + blocks + faults
            wait = None
            try:
                response = self._inner.handle_request(request)
                response.read()
            except (httpx.TransportError, httpx.DecodingError) as error:
                if faults + 1 >= self._attempts or not _repeatable(request, error):
                    raise
            else:
                if response.status_code == 429:
                    blocks += 1
                    asked = retry_after(response, self._wall())
                    self._pause(LOCKOUT if asked is None else asked)
                    if blocks >= self._blocked_attempts:
                        return response
                    self._count()
                    continue
                if faults + 1 >= self._attempts or not _faulty_read(request, response):
                    return response
                wait = retry_after(response, self._wall())
            faults += 1
            self._count()
            rest(
                self._clock,
                self._clock.now() + (self._backoff(faults) if wait is None else wait),
                _stops(request),
            )

    def _count(self) -> None:
        with self._lock:
            self.retries += 1

    def _backoff(self, faults: int) -> float:
        """About 1, 2, 4, 8 … seconds, each between half and one and a half times that."""
        return float(min(2 ** (faults - 1), 30) * (0.5 + self._random()))


def _repeatable(request: httpx.Request, error: httpx.RequestError) -> bool:
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error):
        return False
    if isinstance(error, UNSENT):
        return True
    return request.method in READS and not isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError)


def _faulty_read(request: httpx.Request, response: httpx.Response) -> bool:
    return request.method in READS and (response.status_code >= 500 or response.status_code == 408)


@dataclass(frozen=True)
class Stack:
    """The layers of one connection: give `retry` to the client; read counters off `retry` and `log`."""

    retry: Retry
    limiter: Limiter
    log: Log


def build_stack(
    inner: httpx.BaseTransport,
    *,
    per_minute: int,
    wall: Callable[[], float],
    random: Callable[[], float],
    clock: Clock | None = None,
    log_file: TextIO | None = None,
) -> Stack:
    """The whole stack around an HTTP or WSGI transport."""
    clock = clock or SystemClock()
    log = Log(inner, clock=clock, wall=wall, file=log_file)
    limiter = Limiter(log, per_minute=per_minute, clock=clock)
    return Stack(Retry(limiter, pause=limiter.pause, clock=clock, wall=wall, random=random), limiter, log)
