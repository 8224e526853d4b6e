"""The state as it really is: the file, and what the journal of an interrupted run adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qase_iac.model import Snapshot
from qase_iac.state.journal import PLANNED, Header, Intent, carry
from qase_iac.state.lock import Holder
from qase_iac.state.model import State
from qase_iac.state.store import check_identity
from qase_iac.workflow.session import Session

if TYPE_CHECKING:  # how an interrupted run is settled is loaded when there is one
    from qase_iac.apply.settle import Settled


@dataclass
class Memory:
    """`state` with the journal folded in; `open` are intents whose outcome only Qase knows, `header` their run's.

    `at_work` holds the state just now: its run has not been interrupted, so nothing of it is settled.
    """

    state: State
    open: tuple[Intent, ...] = ()
    header: Header | None = None
    changed: bool = False
    settled: Settled | None = None
    at_work: Holder | None = None

    def still_late(self, snapshot: Snapshot, now: float) -> float:
        """For how many seconds an interrupted run's last call may still show in Qase; `now` is since 1970."""
        if not (self.header and self.open):
            return 0.0
        from qase_iac.apply.looking import still_late

        return still_late(self.open, snapshot, self.state, self.header.seen, now)

    def settle(self, snapshot: Snapshot) -> Settled | None:
        """Looks for the outcome of open intents in what was read, and puts it into `state`."""
        if self.header and self.open:
            from qase_iac.apply.settle import settle, take_over

            self.settled = settle(self.open, snapshot, self.state, self.header.seen)
            if any(intent.number == PLANNED for intent in self.open):
                self.settled.lost.clear()  # most of a whole plan was never sent: it is planned again, and that says it
            self.changed = take_over(self.state, self.settled) or self.changed
        return self.settled


def recall(session: Session) -> Memory:
    """Reads state and journal; writes nothing. Raises StateError, or SafetyRefusal for another project's state."""
    state = session.read_state()
    contents = session.store.unfinished()
    if contents is None:
        return Memory(state)
    from qase_iac.apply.fold import fold

    folded = fold(state, contents)
    check_identity(folded.state, session.project, session.api)
    if holder := session.store.at_work():
        return Memory(folded.state, (), contents.header, at_work=holder)
    return Memory(folded.state, folded.open, contents.header, folded.changed)


def put_away(session: Session, memory: Memory, adopted: set[str]) -> list[str]:
    """Saves what the journal and Qase told, so that a new run can begin. The lock is held.

    Returns the addresses that could not be settled; their intents stay in the journal. Those in `adopted` count as
    settled: the files say which object they are.
    """
    if memory.header is None:
        return []
    state = memory.state
    unsettled = {str(finding.address) for finding in (memory.settled.findings if memory.settled else ())} - adopted
    left = [intent for intent in memory.open if any(item.address in unsettled for item in intent.items)]
    if memory.changed:
        # The killed run may have saved under this very serial already: one run, one serial.
        state.serial = memory.header.serial + 1
        session.store.write(state)
    header = replace(memory.header, serial=state.serial)
    carry(session.store.journal_path, header, left)
    session.store.ended(header, left)
    return sorted(unsettled)
