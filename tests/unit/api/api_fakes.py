"""Clocks that never wait, transports that answer from a script, and a raw server that drops answers."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from qase_iac.api.client import Client
from qase_iac.api.transports import build_stack

TOKEN = '5ecret/0f"1-2'
BASE = "https://api.qase.io/v1"


class FakeClock:
    """For one thread: sleeping moves it."""

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start
        self.slept = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds
        self.slept += seconds


class SharedClock:
    """For several threads: time jumps to the next waking as soon as all of them sleep, so nobody really waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._time = 0.0
        self._busy = 0
        self._wakings: list[float] = []

    def now(self) -> float:
        with self._changed:
            return self._time

    def sleep(self, seconds: float) -> None:
        with self._changed:
            waking = self._time + seconds
            self._wakings.append(waking)
            self._leave()
            while self._time < waking:
                assert self._changed.wait(20), "the simulation stands still"

    def _leave(self) -> None:
        self._busy -= 1
        if self._busy == 0 and self._wakings:
            self._time = min(self._wakings)
            self._busy = sum(waking <= self._time for waking in self._wakings)
            self._wakings = [waking for waking in self._wakings if waking > self._time]
            self._changed.notify_all()

    def run(self, jobs: Sequence[Callable[[], None]]) -> None:
        failures: list[BaseException] = []

        def work(job: Callable[[], None]) -> None:
            try:
                job()
            except BaseException as error:
                failures.append(error)
            finally:
                with self._changed:
                    self._leave()

        self._busy = len(jobs)
        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        if failures:
            raise failures[0]


class Script(httpx.BaseTransport):
    """Answers requests by a list of replies, in turn (the last one for ever): a response, an exception, or a function."""

    def __init__(self, *replies: Any, at: Callable[[], float] = lambda: 0.0) -> None:
        self.replies = list(replies) or [httpx.Response(200)]
        self.requests: list[httpx.Request] = []
        self.bodies: list[bytes] = []
        self.times: list[float] = []
        self.closed = False
        self._at = at
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        body = request.read()
        with self._lock:
            self.requests.append(request)
            self.bodies.append(body)
            self.times.append(self._at())
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, httpx.Response) and hasattr(reply, "_content"):
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        return reply

    def close(self) -> None:
        self.closed = True


def ok(result: Any = None, **top: Any) -> httpx.Response:
    body = {"status": True, **top} | ({} if result is None else {"result": result})
    return httpx.Response(200, json=body)


def client(*replies: Any, token: str | None = TOKEN, **options: Any) -> tuple[Client, Script]:
    """A client right on top of a script, without retry or limiter."""
    script = Script(*replies)
    options.setdefault("clock", FakeClock())
    return Client(BASE, token, script, **options), script


def paged(count: int, **changes: Any) -> Callable[[httpx.Request], httpx.Response]:
    """A server with `count` entities; `changes` are laid over each page's result."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        rows = [{"id": number} for number in range(1, count + 1)[offset : offset + limit]]
        return ok({"total": count, "filtered": count, "count": len(rows), "entities": rows, **changes})

    return answer


@contextmanager
def raw_server(*replies: bytes | threading.Event | None) -> Iterator[tuple[str, list[bytes]]]:
    """A real socket server: reads one request a connection, sends these bytes (None: nothing; an event:
    nothing until it is set), drops the connection."""
    received: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    left = list(replies)

    def serve() -> None:
        while left:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                received.append(_read_request(connection))
                reply = left.pop(0)
                if isinstance(reply, threading.Event):
                    reply.wait(20)
                elif reply is not None:
                    connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", received
    finally:
        left.clear()
        listener.close()


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http_reply(body: Any, *, status: int = 200, cut: int = 0) -> bytes:
    """The bytes of an answer; with `cut` so many of the announced bytes are missing."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
    return head + content[: len(content) - cut]


def live(url: str, clock: Any = None) -> tuple[Client, Any]:
    """A client with the whole stack on a real socket; the clock is a fake one."""
    clock = clock or FakeClock()
    stack = build_stack(httpx.HTTPTransport(), per_minute=0, clock=clock, wall=lambda: 0.0, random=lambda: 0.5)
    return Client(url, TOKEN, stack.retry, timeout=5.0, clock=clock), stack
