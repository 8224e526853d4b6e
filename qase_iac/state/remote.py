"""The state in a place for many machines: one document behind a backend, one lease, and the journal of this machine.

A killed job takes its disk with it, and the journal on it. So the document says, before the first call, what the run is
going to do; where the journal is gone, the next run settles by that. Where it is not, it knows better and counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from qase_iac.errors import StateError
from qase_iac.state.backends.base import Backend, Changed, Found
from qase_iac.state.document import Document, parse_document, state_text
from qase_iac.state.files import put_aside, replace_file
from qase_iac.state.journal import Contents, Header, Intent, read_journal, same_run, still_open
from qase_iac.state.lease import LeaseLock, Outside, unlock
from qase_iac.state.lock import Held, Holder
from qase_iac.state.model import State
from qase_iac.values import printable


class StateMoved(StateError):
    """The state is kept elsewhere by now."""


class RemoteStore:
    """`path` is where the state would be if it were a file: the journal, and what is put aside, lie beside it."""

    def __init__(self, backend: Backend, path: Path, outside: Outside) -> None:
        self.backend = backend
        self.path = path
        self.outside = outside
        self._found: Found | None = None
        self._document = Document()
        self._known: tuple[str, int] | None = None
        self._held: LeaseLock | None = None

    @property
    def shared(self) -> bool:
        return True

    @property
    def place(self) -> str:
        return self.backend.place

    @property
    def journal_path(self) -> Path:
        return self.path.with_name(self.path.name.removesuffix(".json") + ".journal")

    def lock(self, holder: Holder, timeout: float = 0.0) -> AbstractContextManager[Held]:
        self._held = LeaseLock(self.backend, holder, timeout, self.outside)
        return self._held

    # -- the document ----------------------------------------------------------------------------------------------

    def read(self) -> State:
        found = self.backend.get()
        document, state = self._parsed(found)
        if document.moved_to:
            raise StateMoved(
                f"The state is no longer kept in {self.place}.",
                f"It was moved to {printable(document.moved_to)}.",
                "Take over the `state:` of whoever moved it into qase.yaml (a newer commit has it, most likely).",
            )
        self._found, self._document = found, document
        self._known = (state.lineage, state.serial)
        return state

    def _parsed(self, found: Found | None) -> tuple[Document, State]:
        if found is None:
            return Document(), State()
        try:
            return parse_document(found.content)
        except ValueError as error:
            raise StateError(
                f"The state is not one that this version can read: {self.place}.",
                printable(str(error)),
                "Put back an earlier version (git: its history; S3: object versions); or make a new one: "
                "`qase-iac state rebuild --replace` finds everything again by place and title.",
            ) from None

    def write(self, state: State) -> None:
        if self._known is None and self.read().exists:
            raise self._changed()
        lineage, serial = self._known or ("", 0)
        if (lineage and state.lineage != lineage) or state.serial < serial or not state.lineage:
            raise StateError(
                f"The state to be written (lineage {state.lineage or 'none'}, serial {state.serial}) does not follow "
                f"the one in {self.place} (lineage {lineage or 'none'}, serial {serial}).",
                "Replacing it would lose what is recorded there.",
            )
        document = replace(self._document, lineage=state.lineage, state=state_text(state))
        self._put(document, f"State {state.serial} of {state.project}")
        self._known = (state.lineage, state.serial)

    def present(self) -> list[str]:
        return [self.place] if self.backend.get() else []

    def replace(self, state: State) -> list[str]:
        found = self.backend.get()
        aside = [self._saved(found)] if found else []
        if journal := self._aside("replaced"):
            aside.append(str(journal))
        self._found = found
        document = Document(self._serial(found), state.lineage, state_text(state))
        self._put(document, f"State {state.serial} of {state.project}" + (", in the place of another" if found else ""))
        self._known = (state.lineage, state.serial)
        return aside

    def retire(self, place: str) -> None:
        document = Document(self._document.serial, self._document.lineage, moved_to=place)
        self._put(document, f"Moved to {place}")
        self._known = None

    def _serial(self, found: Found | None) -> int:
        """The number of a document that may be unreadable: servers want a higher one each time."""
        try:
            return self._parsed(found)[0].serial
        except StateError:
            return self._document.serial

    def _put(self, document: Document, note: str) -> None:
        """Writes the next version. What is there must be what was read or written last."""
        if self._held and (lost := self._held.lost()):
            raise StateError(lost.summary, lost.detail, lost.hint)
        if self._held and self._held.holder.url:
            note += f"\n\n{self._held.holder.url}"
        document = replace(document, serial=document.serial + 1)
        content = document.dump()
        try:
            token = self.backend.put(content, self._found.token if self._found else "", note)
        except Changed:
            raise self._changed() from None
        self._found, self._document = Found(content, token), document

    def _changed(self) -> StateError:
        return StateError(
            f"The state changed while this run was at work: {self.place}.",
            "Another run wrote it. Replacing it would lose what that run did.",
            "Run the command again; it starts from the new state.",
        )

    # -- the run in progress ---------------------------------------------------------------------------------------

    def drop_journal(self) -> None:
        """What is left of a run that the document does not know is done with: somebody has settled it since."""
        own, noted = read_journal(self.journal_path), self._document.run
        if own and not (noted and same_run(own.header, noted.header)):
            self._aside("settled")

    def started(self, run: Contents) -> None:
        self._note(run)

    def unfinished(self) -> Contents | None:
        """What the document says, or, of the same run, the journal of this machine."""
        if self._known is None:
            self.read()
        noted = self._document.run
        if noted is None:
            return None
        own = read_journal(self.journal_path)
        return own if own and same_run(own.header, noted.header) else noted

    def at_work(self) -> Holder | None:
        """A lease tells by itself; a lock that never runs out may as well be a dead run's."""
        if self._held or not self.backend.ttl:
            return None
        lease = self.backend.holds()
        return lease.holder if lease and not lease.expired(self.outside.wall()) else None

    def ended(self, header: Header, left: Sequence[Intent]) -> None:
        if self._document.run or left:
            self._note(still_open(header, left) if left else None)

    def _note(self, run: Contents | None) -> None:
        lineage = self._document.lineage or (run.header.lineage if run else "")
        note = f"Run of plan {run.header.plan}" if run else "Run ended"
        self._put(replace(self._document, lineage=lineage, run=run, state=self._text()), note)

    def _text(self) -> bytes:
        """The state as it was stored last; whoever read it may have changed it since."""
        if self._document.state or self._found is None:
            return self._document.state
        return state_text(parse_document(self._found.content)[1])

    # -- rarely ----------------------------------------------------------------------------------------------------

    def unlock(self, force: bool = False) -> Holder | None:
        """After a lock was broken by force the run's last call may be under way still: its run counts as made now."""
        now = self.outside.wall()
        dead = unlock(self.backend, now, force)
        if dead and force:
            self._stamp(int(now))
        return dead

    def _stamp(self, now: int) -> None:
        self.read()
        if self._document.run:
            time = _iso(now)
            records = tuple({**line, "time": time} if "intent" in line else line for line in self._document.run.records)
            self._note(replace(self._document.run, records=records))

    def _saved(self, found: Found) -> str:
        path = self.path.with_name(self.path.name + ".replaced")
        try:
            replace_file(path, [found.content])
        except OSError as error:
            raise StateError(f"{path} cannot be written: {error.strerror or error}.") from error
        return str(path)

    def _aside(self, suffix: str) -> Path | None:
        try:
            return put_aside(self.journal_path, suffix)
        except OSError as error:
            raise StateError(f"{self.journal_path} cannot be put aside: {error.strerror or error}.") from error


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
