"""Looking at the state and mending it, under its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, RANK
from qase_iac.state.lock import Holder
from qase_iac.state.model import Binding, State
from qase_iac.values import Address, is_key
from qase_iac.workflow.memory import put_away, recall
from qase_iac.workflow.session import TOOL, Session

T = TypeVar("T")


def bindings(session: Session) -> dict[str, Binding]:
    """address -> binding, in the order of kinds and keys, with what an interrupted run left folded in."""
    session.check_settings()
    found = recall(session).state.bindings
    return dict(sorted(found.items(), key=lambda item: (RANK.get(item[0].partition(".")[0], 99), item[0])))


def binding(session: Session, address: str) -> Binding:
    """One binding. Raises QaseIacError when nothing is bound under that address."""
    found = bindings(session)
    if address not in found:
        raise _unbound(address, found)
    return found[address]


def move(session: Session, origin: str, target: str, holder: Holder) -> list[tuple[str, str]]:
    """Binds what is bound as `origin` under `target`; a suite takes along what is below. Returns (old, new) pairs."""
    old, new = _address(origin), _address(target)
    if old.kind != new.kind:
        raise QaseIacError(f"{origin} and {target} are of different kinds.", "An object cannot change its kind.")

    def change(state: State) -> list[tuple[str, str]]:
        names = [
            n for n in state.bindings if n == origin or (BY_NAME[old.kind].nested_keys and n.startswith(origin + "/"))
        ]
        if not names:
            raise _unbound(origin, state.bindings)
        pairs = [(name, target + name[len(origin) :]) for name in names]
        taken = [new_name for _, new_name in pairs if new_name in state.bindings and new_name not in names]
        if taken:
            raise QaseIacError(
                f"{taken[0]} is bound already.", hint=f"`qase-iac state rm {taken[0]}` lets go of it first."
            )
        moving = {new_name: state.bindings.pop(name) for name, new_name in pairs}
        state.bindings |= moving
        renamed = dict(pairs)
        for each in state.bindings.values():
            each.depends_on = [renamed.get(name, name) for name in each.depends_on]
        return pairs

    return _changing(session, holder, change)


def remove(session: Session, addresses: list[str], holder: Holder) -> list[str]:
    """Lets go of objects: they stay in Qase and are no longer bound. Returns the addresses."""

    def change(state: State) -> list[str]:
        for address in addresses:
            if address not in state.bindings:
                raise _unbound(address, state.bindings)
        for address in addresses:
            state.bindings.pop(address, None)
        return addresses

    return _changing(session, holder, change)


def _changing(session: Session, holder: Holder, change: Callable[[State], T]) -> T:
    with _held(session, holder) as state:
        result = change(state)
        state.serial += 1
        state.tool = TOOL
        session.store.write(state)
        return result


@contextmanager
def _held(session: Session, holder: Holder) -> Iterator[State]:
    session.check_settings()
    with session.store.lock(holder, session.ask.lock_timeout):
        memory = recall(session)
        if memory.open:
            raise QaseIacError(
                "An interrupted run left calls whose outcome is not known yet.",
                hint="`qase-iac apply` settles them by reading Qase; do that first.",
            )
        if not memory.state.exists:
            hint = "`qase-iac apply` or `qase-iac export` makes one, `state rebuild` a lost one."
            raise QaseIacError("There is no state yet.", hint=hint)
        put_away(session, memory, set())
        yield memory.state


def _address(text: str) -> Address:
    try:
        address = Address.parse(text)
    except ValueError as error:
        raise QaseIacError(str(error)) from None
    if address.kind not in BY_NAME or not is_key(address.key, BY_NAME[address.kind].nested_keys):
        raise QaseIacError(
            f"{text!r} is not an address.", hint="One looks like case.pay-by-card or suite.checkout/vouchers."
        )
    return address


def _unbound(address: str, known: dict[str, Binding]) -> QaseIacError:
    from difflib import get_close_matches

    close = get_close_matches(address, known, 1)
    hint = f"Did you mean {close[0]}?" if close else "`qase-iac state list` shows what is bound."
    return QaseIacError(f"Nothing is bound as {address}.", hint=hint)
