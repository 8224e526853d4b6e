"""What every place that keeps a state promises; tests/contract/test_stores.py holds each of them to it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from qase_iac.state.journal import Contents, Header, Intent
from qase_iac.state.lock import Held, Holder
from qase_iac.state.model import State


class StateStore(Protocol):
    """One state, held by one run at a time.

    `place` says to people where the state is. `shared`: other machines use it, too. `journal_path` is where a run on
    this machine writes its journal.
    """

    @property
    def place(self) -> str: ...

    @property
    def shared(self) -> bool: ...

    @property
    def journal_path(self) -> Path: ...

    def lock(self, holder: Holder, timeout: float = 0.0) -> AbstractContextManager[Held]:
        """Holds the state while the context lasts. Raises StateLocked, naming who has it, after `timeout` seconds."""
        ...

    def read(self) -> State:
        """The state as it is, an empty one when there is none. Raises StateError when it cannot be understood."""
        ...

    def present(self) -> list[str]:
        """Where something is, be it a state that can be understood or not, or what a run has left."""
        ...

    def write(self, state: State) -> None:
        """Replaces the state as a whole. Raises StateError when what is there is not what was read or written last."""
        ...

    def replace(self, state: State) -> list[str]:
        """Puts another state, of whatever lineage, in the place of what is there. Returns where that was put aside."""
        ...

    def drop_journal(self) -> None:
        """Puts aside a journal on this machine whose run another one has settled. The lock is held."""
        ...

    def started(self, run: Contents) -> None:
        """Notes, before the first call, what a run is going to do, where the next run finds it on any machine."""
        ...

    def unfinished(self) -> Contents | None:
        """What is known of a run that has not ended, or has ended with open intents; None when there is none."""
        ...

    def at_work(self) -> Holder | None:
        """Who holds the state just now, other than by this store; None when nobody does, or it cannot be told.

        Asked by whoever only reads, and only when there is something unfinished: it may be under way.
        """
        ...

    def ended(self, header: Header, left: Sequence[Intent]) -> None:
        """The run is over: what it was going to do is forgotten but for what is still open."""
        ...

    def unlock(self, force: bool = False) -> Holder | None:
        """Clears what a dead holder left behind and names it. Raises StateLocked when the holder is, or may be, alive.

        `force` breaks the lock of a holder that may be alive, where that can be done.
        """
        ...

    def retire(self, place: str) -> None:
        """The state is kept in `place` from now on: nobody shall find it here. Raises StateError."""
        ...
