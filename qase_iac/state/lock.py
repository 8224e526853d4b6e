"""One run at a time. The operating system holds the lock, so it never outlives its holder on this machine.

Beside the lock file stands a readable note of who holds it. A note without a lock is what a dead holder left.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from qase_iac.errors import StateError, StateLocked
from qase_iac.values import printable

if TYPE_CHECKING:
    from filelock import FileLock

POLL = 0.05
"""Seconds between two looks at a lock that somebody else holds."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a state: plain facts, from whoever starts the run. `time` is ISO, UTC, `url` a CI job's page."""

    user: str
    host: str
    pid: int
    time: str
    command: str = ""
    url: str = ""

    def __str__(self) -> str:
        what = f", `{self.command}`" if self.command else ""
        where = f", {self.url}" if self.url else ""
        return printable(f"{self.user}@{self.host}, process {self.pid}, since {self.time}{what}{where}")

    @classmethod
    def from_json(cls, data: Any) -> Holder:
        """Raises KeyError, TypeError or ValueError when `data` is no holder."""
        known = {field.name: data[field.name] for field in fields(cls) if field.name in data or field.name != "url"}
        holder = cls(**known)
        texts = (holder.user, holder.host, holder.time, holder.command, holder.url)
        if type(holder.pid) is not int or not all(isinstance(text, str) for text in texts):
            raise ValueError("no holder")
        return holder


class Held(Protocol):
    """A lock that is held. `left_behind` names a holder that died without giving it back."""

    left_behind: Holder | None

    def lost(self) -> StateLocked | None:
        """Why the lock is no longer this run's; None while it is. Asked before every call that writes."""
        ...


def holder_path(path: Path) -> Path:
    """The note beside the lock file `path`."""
    return path.with_name(path.name + ".holder")


def read_holder(path: Path) -> Holder | None:
    """Who wrote the note beside the lock file `path`; None when there is none or it makes no sense."""
    try:
        return Holder.from_json(json.loads(holder_path(path).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


class Lock:
    """A context that holds the lock file `path`. `left_behind` names a holder that died without giving it back."""

    def __init__(self, path: Path, holder: Holder, timeout: float = 0.0) -> None:
        self.path = path
        self.holder = holder
        self.timeout = timeout
        self.left_behind: Holder | None = None
        self._lock: FileLock | None = None

    def lost(self) -> StateLocked | None:
        """Never: the system keeps it for as long as this process lives."""
        return None

    def __enter__(self) -> Lock:
        self._lock = _acquire(self.path, self.timeout)
        try:
            self.left_behind = read_holder(self.path)
            _write_holder(self.path, self.holder)
        except OSError as error:
            self._lock.release()
            raise _unusable(self.path, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The note goes first: were the lock given back before, it could be the next holder's that is removed.
        with suppress(OSError):
            holder_path(self.path).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()


def unlock(path: Path) -> Holder | None:
    """Removes the note of a holder that is dead, and names it. Raises StateLocked when it is alive."""
    if not path.exists():
        return None
    lock = _acquire(path, 0.0)
    try:
        dead = read_holder(path)
        with suppress(OSError):
            holder_path(path).unlink(missing_ok=True)
        return dead
    finally:
        lock.release()


def locked_by(path: Path) -> Holder | None:
    """Who holds the lock file `path` now. None: nobody, somebody who has not said their name, or it cannot be told."""
    if read_holder(path) is None:
        return None
    try:
        _acquire(path, 0.0).release()
    except StateLocked:
        return read_holder(path)
    except StateError:
        pass  # in a folder that nobody can write to nobody is at work
    return None


def _acquire(path: Path, timeout: float) -> FileLock:
    from filelock import FileLock, Timeout  # a plan takes no lock and need not wait for this import

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(path, timeout=max(timeout, 0.0), mode=0o600)
        lock.acquire(poll_interval=POLL)
    except Timeout:
        raise _locked(path, timeout) from None
    except RuntimeError:  # this very thread holds it already
        raise _locked(path, timeout) from None
    except (OSError, NotImplementedError) as error:
        raise _unusable(path, error) from error
    return lock


def _write_holder(path: Path, holder: Holder) -> None:
    note = holder_path(path)
    fresh = note.with_name(note.name + ".tmp")
    fresh.write_text(json.dumps(asdict(holder)) + "\n", encoding="utf-8")
    os.replace(fresh, note)


def _locked(path: Path, timeout: float) -> StateLocked:
    holder = read_holder(path)
    waited = f" It was waited for {timeout:g} s." if timeout > 0 else ""
    return StateLocked(
        f"The state is locked by {holder or 'a process that has not said its name'}.",
        f"Two runs at once would undo each other's work.{waited}",
        "Wait for it to end (--lock-timeout 60 waits up to a minute), or end that process; the lock ends with it.",
    )


def _unusable(path: Path, error: Exception) -> StateError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StateError(
        f"The state cannot be locked: {path}: {reason}.",
        "Without a lock two runs at once would undo each other's work.",
        "Keep the state in a folder that can be written to, on a disk that knows file locks.",
    )
