"""Requests to a forge with its token: tried again where that is safe, and never sent elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.values import printable

TRIES = 4
TIMEOUT = 30.0
LONGEST_WAIT = 60.0
PAGE = 100
LATER = frozenset({429, 500, 502, 503, 504})
"""A server that is busy or has a limit. After a write it may have been done all the same."""


class Unsure(QaseIacError):
    """The forge did not answer as it should, so what was to be written may be there or not."""


class Asking:
    """Requests to one server, with its token; tries again where that is safe."""

    def __init__(self, base: str, proxy: str | None, headers: Mapping[str, str], sleep: Callable[[float], None]):
        # Certificates are loaded where there is a connection to check: plain http is to this machine only.
        transport = httpx.HTTPTransport(proxy=proxy, verify=base.startswith("https:"))
        self._client = httpx.Client(transport=transport, headers=headers, timeout=TIMEOUT, trust_env=False)
        self._base = base
        self._sleep = sleep

    def ask(self, method: str, path: str, body: Any = None, **query: str | int) -> httpx.Response:
        """The answer, whatever its status. Raises Unsure when there is none."""
        tries = 1 if method == "POST" else TRIES  # a comment that is there already must not be written twice
        for left in reversed(range(tries)):
            try:
                answer = self._client.request(method, self._base + path, json=body, params=query or None)
            except httpx.HTTPError as error:
                if not left:
                    raise Unsure(f"{self._base} gave no answer: {type(error).__name__}.") from None
                self._sleep(2.0 ** (tries - left))
                continue
            if not left or not _comes_later(answer):
                return answer
            self._sleep(_wait(answer, 2.0 ** (tries - left)))
        raise AssertionError

    def pages(self, path: str, more: Callable[[httpx.Response], bool], **query: str) -> Iterator[httpx.Response]:
        """The answers with the pages of a list; the last one is the first that fails."""
        page = 1
        while True:
            answer = self.ask("GET", path, per_page=PAGE, page=page, **query)
            yield answer
            if answer.status_code != 200 or not more(answer):
                return
            page += 1


def _comes_later(answer: httpx.Response) -> bool:
    """A server that is busy, or a rate limit (GitHub says some of them by 403)."""
    limited = "Retry-After" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return answer.status_code in LATER or (answer.status_code == 403 and limited)


def _wait(answer: httpx.Response, usual: float) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), LONGEST_WAIT) if said.isdigit() else usual


def checked(url: str, environment: Mapping[str, str], name: str) -> tuple[str, str | None]:
    """The base address and the proxy to it. Raises SafetyRefusal where the token would be readable on the way."""
    from qase_iac.api.hosts import parse_url, proxy_for

    place = parse_url(url)
    if place is None or (place.scheme != "https" and not place.loopback):
        raise SafetyRefusal("token-host", f"The token is not sent to {printable(url)}.", f"{name} is no https address.")
    return url.rstrip("/"), proxy_for(url, environment)


def said(answer: httpx.Response) -> str:
    """What a forge says about a failure, short."""
    try:
        told = answer.json()
        text = str(told.get("message") or told.get("error") or told)
    except (ValueError, AttributeError):
        text = ""
    return printable(f"{answer.status_code} {text}".strip()[:300])


@contextmanager
def understood() -> Iterator[None]:
    """Where an answer is taken apart: one that is no JSON, or of another shape, is the server's fault and not ours."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QaseIacError(
            "The forge answered with something else than it documents.",
            printable(f"{type(error).__name__}: {error}")[:300],
            "Is a proxy or a page for signing in between, or is the address of the API another one?",
        ) from None
