"""What a backend does: keep a document that is replaced only by whoever knows its version, and keep a lease."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from qase_iac.state.lease import TTL, Lease, Locker, read_lease

STATE, LOCK = "state", "lock"
FREE = b"{}\n"
"""What stands where a lease was given back, in a place that cannot be emptied safely."""


@dataclass(frozen=True, slots=True)
class Found:
    """A document and its version."""

    content: bytes
    token: str


class Changed(Exception):
    """What is there is not the version that was to be replaced."""


class Backend(Locker, Protocol):
    """One document and one lease. All methods may raise StateError; `place` is for people."""

    place: str

    def get(self) -> Found | None:
        """The document; None when there is none."""
        ...

    def put(self, content: bytes, expected: str, note: str) -> str:
        """Replaces the version `expected` ("": there is none) as a whole; the new version. Raises Changed."""
        ...


class Slots(Protocol):
    """A place with a slot for the document and one for the lease, each replaced by compare-and-swap."""

    place: str

    def get(self, slot: str) -> Found | None: ...

    def put(self, slot: str, content: bytes, expected: str, note: str) -> str: ...

    def drop(self, slot: str, expected: str) -> None: ...


class SlotBackend:
    """A backend over slots: the lease is a document like the other."""

    ttl = TTL

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.place = slots.place
        self._vacant = ""

    def get(self) -> Found | None:
        return self.slots.get(STATE)

    def put(self, content: bytes, expected: str, note: str) -> str:
        return self.slots.put(STATE, content, expected, note)

    def holds(self) -> Lease | None:
        found = self.slots.get(LOCK)
        lease = read_lease(found.content, found.token) if found else None
        self._vacant = found.token if found and lease is None else ""
        return lease

    def take(self, lease: Lease, over: Lease | None) -> Lease | None:
        """Without `over` it takes the place that `holds` has found empty."""
        text = lease.text()
        try:
            token = self.slots.put(
                LOCK, text.encode() + b"\n", over.token if over else self._vacant, f"Lock: {lease.holder}"
            )
        except Changed:
            return None
        return replace(lease, raw=text, token=token)

    def give_back(self, lease: Lease) -> None:
        with suppress(Changed):
            self.slots.drop(LOCK, lease.token)
