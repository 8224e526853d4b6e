"""Looking at the state and mending it, under its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from qase_iac.apply.sound import check_state
from qase_iac.config.settings import state_problems
from qase_iac.config.settings_table import STATE_KEYS
from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.kinds import BY_NAME, RANK
from qase_iac.state.lock import Holder
from qase_iac.state.model import Binding, State
from qase_iac.state.remote import StateMoved
from qase_iac.state.store import StateStore, check_identity, dump, parse
from qase_iac.values import Address, is_key, printable
from qase_iac.workflow.memory import put_away, recall
from qase_iac.workflow.session import TOOL, Session
from qase_iac.workflow.storing import store_for

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


def pulled(session: Session) -> tuple[bytes, bool]:
    """The state as it is stored, and whether a run has left something that is not in it yet."""
    session.check_settings()
    state = session.read_state()
    if not state.exists:
        raise no_state()
    return b"".join(dump(state)), session.store.unfinished() is not None


def push(session: Session, content: bytes, name: str, holder: Holder, force: bool = False) -> list[str]:
    """Puts a state in the place of the one that is there, which it has to follow; `force`: whatever is there.

    Returns where the old one was put aside. Raises QaseIacError for what is no state, SafetyRefusal for one of another
    project or API, and for one that does not follow.
    """
    session.check_settings()
    try:
        state = parse(content)
    except ValueError as error:
        raise QaseIacError(f"{printable(name)} holds no state.", printable(str(error))) from None
    check_state(state, name)
    check_identity(state, session.project, session.api)
    store = session.store
    with store.lock(holder, session.ask.lock_timeout):
        if force:
            return store.replace(state)
        _check_follows(session, state)
        store.write(state)
    return []


def _check_follows(session: Session, state: State) -> None:
    there = session.read_state()
    if session.store.unfinished():
        why = "an interrupted run has left what is not in the state yet"
    elif there.exists and there.lineage != state.lineage:
        why = f"its lineage is {state.lineage}, the one of the state there is {there.lineage}"
    elif there.exists and (state.serial < there.serial or (state.serial == there.serial and state != there)):
        why = f"its serial is {state.serial}, the one of the state there is {there.serial}"
    else:
        return
    raise SafetyRefusal(
        "stale-state",
        f"The state is not replaced: {why}.",
        f"What {session.store.place} knows of Qase would be lost.",
        "`qase-iac state pull` shows it. If yours is the right one all the same: `state push --force` keeps the other "
        "one in a file.",
    )


def migrate(session: Session, backend: str, words: Sequence[str], holder: Holder) -> tuple[str, str]:
    """Moves the state to another place. What is left here says where it went. Returns (from, to) for people."""
    options = _options(backend, words)
    target = store_for(session, backend, options)
    source = session.store
    if target.place == source.place:
        raise QaseIacError(f"The state is in {source.place} already.")
    with _held(session, holder) as state, target.lock(holder, session.ask.lock_timeout):
        _check_vacant(target, state)
        target.replace(state)
        source.retire(target.place)
    return source.place, target.place


def _check_vacant(target: StateStore, state: State) -> None:
    """A place that an earlier version of this very state has left, or has been moved from, is as good as empty."""
    with suppress(StateMoved):
        there = target.read()
        if there.exists and (there.lineage != state.lineage or there.serial > state.serial):
            raise SafetyRefusal(
                "state-exists",
                f"There is another state already: {target.place}.",
                f"Its lineage is {there.lineage}, its serial {there.serial}.",
                "Name another place, or look at it with `qase-iac state list` before you remove it.",
            )


def _options(backend: str, words: Sequence[str]) -> dict[str, str]:
    given = dict(word.partition("=")[::2] for word in words)
    for name, value in given.items():
        if name not in STATE_KEYS[backend] or not value:
            hint = f"For example: qase-iac state migrate --to {backend} {STATE_KEYS[backend][0]}=…"
            raise QaseIacError(f"{printable(name)!r} is no setting of `backend: {backend}`.", hint=hint)
    for _, summary, detail in state_problems({"backend": backend, **given}):
        raise QaseIacError(summary, detail)
    return given


def no_state() -> QaseIacError:
    return QaseIacError(
        "There is no state yet.", hint="`qase-iac apply` or `qase-iac export` makes one, `state rebuild` a lost one."
    )


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
            raise no_state()
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
