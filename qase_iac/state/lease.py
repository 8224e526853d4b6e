"""A lock that runs out by itself, so that a cancelled job never leaves it stuck.

Whoever holds it says so again every `BEAT` seconds. A holder that could not do so for `TTL` seconds sends nothing more;
`GRACE` seconds later, which is more than clocks should differ, anybody may take the lease over.

    {"id": "…", "holder": {"user": "ann", …, "url": "https://…/runs/1"}, "renewed": 1795392000, "ttl": 120}
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol

from qase_iac.errors import QaseIacError, StateLocked
from qase_iac.state.lock import Holder

TTL = 120
BEAT = 30.0
GRACE = 60
POLL = 2.0
"""Seconds between two looks at a lease that somebody else holds."""

UNKNOWN = Holder("somebody", "an unknown machine", 0, "an unknown time")


@dataclass(frozen=True, slots=True)
class Lease:
    """`renewed` is in seconds since 1970. A `ttl` of 0 never runs out: whoever keeps it cannot be told of a renewal.

    `raw` is what the backend keeps of it, and `token` that content's version, where it needs them to give it back.
    """

    id: str
    holder: Holder
    renewed: int
    ttl: int = TTL
    raw: str = ""
    token: str = ""

    def expired(self, now: float) -> bool:
        return bool(self.ttl) and now > self.renewed + self.ttl + GRACE

    def text(self) -> str:
        """As JSON: what is kept."""
        about = {"id": self.id, "holder": asdict(self.holder), "renewed": self.renewed, "ttl": self.ttl}
        return json.dumps(about, separators=(",", ":"))


def read_lease(content: bytes, token: str = "") -> Lease | None:
    """The lease that was kept; None for one that was given back. What makes no sense is held by nobody knows whom."""
    text = content.decode("utf-8", "replace")
    with suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        data: Any = json.loads(text)
        if data == {}:
            return None
        lease = Lease(data["id"], Holder.from_json(data["holder"]), data["renewed"], data["ttl"], text, token)
        if isinstance(lease.id, str) and type(lease.renewed) is int and type(lease.ttl) is int and lease.ttl >= 0:
            return lease
    return Lease("", UNKNOWN, 0, 0, text, token)


@dataclass(frozen=True)
class Outside:
    """What a backend needs of the world: the time in seconds since 1970, waiting, names that nobody else gives, and
    somebody to tell things to."""

    wall: Callable[[], float]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]
    tell: Callable[[str], None] = lambda text: None


class Locker(Protocol):
    """The part of a backend that knows of leases. All methods may raise StateError.

    `ttl` is how long a lease lasts without being renewed; 0: it cannot be renewed and lasts until it is given back.
    """

    ttl: int

    def holds(self) -> Lease | None:
        """The lease that is there."""
        ...

    def take(self, lease: Lease, over: Lease | None) -> Lease | None:
        """Puts a lease in the place of `over`; None when something else is there by now."""
        ...

    def give_back(self, lease: Lease) -> None:
        """Removes a lease if it is still there."""
        ...


class LeaseLock:
    """A context that holds a lease and renews it. `left_behind` names a holder that it was taken over from."""

    def __init__(self, locker: Locker, holder: Holder, timeout: float, outside: Outside) -> None:
        self.locker = locker
        self.holder = holder
        self.timeout = timeout
        self.outside = outside
        self.left_behind: Holder | None = None
        self.lease: Lease | None = None
        self._taken_by: Holder | None = None
        self._gone = False
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LeaseLock:
        waited = 0.0
        while (other := self._try()) is not None:
            if waited >= self.timeout:
                raise locked(other, self.outside.wall(), self.timeout)
            pause = min(POLL, self.timeout - waited)
            self.outside.sleep(pause)
            waited += pause
        if self.locker.ttl:
            self._thread = threading.Thread(target=self._beat, name="qase-iac lease", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        if self.lease is not None and not self._gone:
            with suppress(QaseIacError):  # it runs out by itself, and must not hide what the run came to
                self.locker.give_back(self.lease)

    def lost(self) -> StateLocked | None:
        """Why the lease is no longer this run's; None while it is."""
        if self._gone:
            who = f"It was taken over by {self._taken_by}." if self._taken_by else "Somebody broke it."
        elif self.lease and self.lease.ttl and self.outside.wall() > self.lease.renewed + self.lease.ttl:
            who = f"It could not be renewed for {self.lease.ttl} s, so that others may take it over."
        else:
            return None
        return StateLocked(
            "The lock of the state is no longer held by this run.",
            f"{who} Two runs at once would undo each other's work, so nothing more is sent.",
            "Run the command again: it settles what this run has done and goes on.",
        )

    def renew(self) -> None:
        """Says that the holder lives. Failing to is no harm until the lease has run out."""
        assert self.lease is not None
        fresh = replace(self.lease, renewed=int(self.outside.wall()))
        with suppress(QaseIacError):
            found = self.locker.take(fresh, self.lease) or self.locker.holds()
            if found and found.id == self.lease.id:
                self.lease = found
                return
            self._taken_by = found.holder if found else None
            self._gone = True

    def _try(self) -> Lease | None:
        """Takes the lease, or tells who has it."""
        now = self.outside.wall()
        found = self.locker.holds() if self.locker.ttl else None
        if found and not found.expired(now):
            return found
        mine = Lease(self.outside.new_id(), self.holder, int(now), self.locker.ttl)
        self.lease = self.locker.take(mine, found)
        if self.lease is None:
            return self.locker.holds() or Lease("", UNKNOWN, 0, 0)
        if found:
            self.left_behind = found.holder
            self.outside.tell(f"The lock was left by {found.holder}, who gave no sign since {_clock(found.renewed)}.")
        return None

    def _beat(self) -> None:
        while not self._end.wait(BEAT) and not self._gone:
            self.renew()


def locked(lease: Lease, now: float, timeout: float = 0.0) -> StateLocked:
    """Who has the state, and how to get it."""
    waited = f" It was waited for {timeout:g} s." if timeout > 0 else ""
    if lease.ttl:
        seconds = max(int(lease.renewed + lease.ttl + GRACE - now), 0) + 1
        hint = f"If that run is dead, its lock runs out in {seconds} s by itself, and the next run takes it over."
    else:
        hint = "This lock does not run out by itself. If that run is dead: `qase-iac state unlock --force`."
    return StateLocked(
        f"The state is locked by {lease.holder}.",
        f"Two runs at once would undo each other's work.{waited}",
        f"Wait for it to end (--lock-timeout 600 waits up to ten minutes). {hint}",
    )


def unlock(locker: Locker, now: float, force: bool) -> Holder | None:
    """Removes a lease that has run out, or with `force` any, and names its holder. Raises StateLocked otherwise."""
    found = locker.holds()
    if found is None:
        return None
    if not force and not found.expired(now):
        error = locked(found, now)
        hint = "If you know that this run is dead, `qase-iac state unlock --force` breaks its lock."
        raise StateLocked(error.summary, error.detail, hint)
    locker.give_back(found)
    return found.holder


def _clock(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
