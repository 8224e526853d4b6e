"""The rate limit: so many requests in any 60 seconds, then a lock-out of 60 seconds (sections 1 and 16.5)."""

from __future__ import annotations

import threading
from collections import deque

from .errors import ApiError

WINDOW = 60.0


class RateLimit:
    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._seen: dict[str, deque[float]] = {}
        self._locked: dict[str, float] = {}

    def check(self, token: str, now: float) -> None:
        """Count a request of a token, or refuse it. Refused ones do not count."""
        if not self._most:
            return
        with self._lock:
            seen = self._seen.setdefault(token, deque())
            while seen and seen[0] <= now - WINDOW:
                seen.popleft()
            if now < self._locked.get(token, now):
                raise self._refusal()
            if len(seen) >= self._most:
                self._locked[token] = now + WINDOW
                raise self._refusal()
            seen.append(now)

    @staticmethod
    def _refusal() -> ApiError:
        return ApiError(429, "Too many requests.", headers=[("Retry-After", "60")])
