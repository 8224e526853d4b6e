"""`adopt`: addresses are bound to objects that are in Qase already. Nothing is written to Qase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.kinds import BY_NAME, remote_id
from qase_iac.model import Desired
from qase_iac.plan.model import Change
from qase_iac.plan.obstacles import outside
from qase_iac.plan.planner import same_values
from qase_iac.plan.scope import LiveSuites, titled
from qase_iac.plan.suggest import Suggestions, suggest
from qase_iac.state.lock import Holder
from qase_iac.values import Address, RemoteId, printable
from qase_iac.workflow.binding import Scene, bind, save, scene
from qase_iac.workflow.memory import recall
from qase_iac.workflow.session import Session


@dataclass(frozen=True)
class Adopted:
    """One address and its object; `change` is what apply would do to it now, if anything. `fresh`: bound just now."""

    address: str
    id: RemoteId
    title: str
    change: Change | None
    fresh: bool = True


@dataclass(frozen=True)
class Suggested:
    """What was found for the addresses that nothing is bound to; `written`: the sure ones are bound now."""

    project: str
    api: str
    found: Suggestions
    written: bool


def adopt(session: Session, words: Sequence[str], holder: Holder) -> list[Adopted]:
    """Binds `ADDRESS ID ADDRESS ID …`, all or none. Raises SafetyRefusal, QaseIacError, StateLocked."""
    pairs = _pairs(words)
    with _opened(session, holder) as at:
        fresh: dict[str, RemoteId] = {}
        for address, text in pairs:
            id = _checked(at, address, text, fresh)
            if str(address) not in at.state.bindings:
                fresh[str(address)] = id
        changes = bind(at, fresh, disputed=False)
        if fresh:
            save(at, fresh)
        bound = {str(address): at.state.bindings[str(address)].id for address, _ in pairs}
        titles = {a: at.snapshot.objects[a.partition(".")[0]][id].title for a, id in bound.items()}
        return [Adopted(a, id, titles[a], changes.get(a), a in fresh) for a, id in bound.items()]


def suggestions(session: Session, holder: Holder | None) -> Suggested:
    """What in Qase the unbound addresses are likely to be. With a `holder` the sure ones are bound."""
    with _opened(session, holder) as at:
        found = suggest(at.desired, at.snapshot, at.state, same_values(at.snapshot, at.state))
        if holder and found.sure:
            ids = {match.address: match.id for match in found.sure}
            for address, id in ids.items():
                at.whole(address.partition(".")[0], id)
            bind(at, ids, disputed=False)
            save(at, ids)
        return Suggested(session.project, session.api, found, holder is not None)


@contextmanager
def _opened(session: Session, holder: Holder | None) -> Iterator[Scene]:
    """Files, Qase and state; under the lock of the state where somebody is going to change it."""
    lock = session.store.lock(holder, session.ask.lock_timeout) if holder else nullcontext()
    with lock:
        memory = recall(session)
        connection = session.connect()
        try:
            yield scene(session, connection, memory)
        finally:
            connection.close()


def _pairs(words: Sequence[str]) -> list[tuple[Address, str]]:
    if not words or len(words) % 2:
        raise QaseIacError(
            "`adopt` takes an address and the id of its object, or several such pairs.",
            hint="For example: qase-iac adopt case.pay-by-card 41. `qase-iac adopt --suggest` proposes some.",
        )
    pairs: list[tuple[Address, str]] = []
    for text, id in zip(words[::2], words[1::2], strict=True):
        try:
            address = Address.parse(text)
        except ValueError as error:
            raise QaseIacError(str(error)) from None
        if address.kind not in BY_NAME or not BY_NAME[address.kind].section:
            raise QaseIacError(
                f"{printable(text)} is not an address.", hint="One looks like case.pay-by-card or suite.checkout."
            )
        if any(address == other for other, _ in pairs):
            raise QaseIacError(f"{address} stands there twice.")
        pairs.append((address, id))
    return pairs


def _checked(at: Scene, address: Address, text: str, fresh: dict[str, RemoteId]) -> RemoteId:
    """The id, after everything that could be wrong with the pair was asked."""
    kind, name = BY_NAME[address.kind], str(address)
    id = remote_id(kind, text.strip())
    if kind.id_key == "id" and not isinstance(id, int):
        raise QaseIacError(f"{printable(text)} is no id of a {kind.label}.", f"A {kind.label} has a number.")
    _check_declared(at.desired, address, id)
    bound = at.state.bindings.get(name)
    if bound and bound.id != id:
        raise SafetyRefusal(
            "adopt-conflict",
            f"{name} is bound to {bound.id} already.",
            "One address is one object.",
            f"`qase-iac state rm {name}` lets go of that one first; it stays in Qase.",
        )
    taken = {(a.partition(".")[0], b.id): a for a, b in at.state.bindings.items()}
    taken |= {(a.partition(".")[0], other): a for a, other in fresh.items()}
    holder = taken.get((kind.name, id))
    if holder and holder != name:
        raise SafetyRefusal(
            "adopt-conflict",
            f"{kind.label.capitalize()} {printable(str(id))} is bound to {holder} already.",
            "Two addresses of one object would undo each other's changes.",
            f"If the key was renamed, write `moved: [{{from: {holder}, to: {name}}}]`.",
        )
    live = at.whole(kind.name, id)
    if live is None:
        raise QaseIacError(
            f"Qase has no {kind.label} {printable(str(id))} in project {at.session.project}.",
            hint="The id stands in the address of its page. `qase-iac adopt --suggest` proposes what fits.",
        )
    suites = LiveSuites(at.snapshot, _suite_keys(at), titled(at.desired.resources))
    if blocked := outside(kind, live, suites, at.desired.scope):
        raise SafetyRefusal("out-of-scope", f"{kind.label.capitalize()} {id} is not this folder's.", blocked.reason)
    return id


def _check_declared(desired: Desired, address: Address, id: RemoteId) -> None:
    if address not in desired.resources:
        from difflib import get_close_matches

        close = get_close_matches(str(address), map(str, desired.resources), 1)
        raise SafetyRefusal(
            "adopt-undeclared",
            f"{address} is declared nowhere." + (f" Did you mean {close[0]}?" if close else ""),
            "Bound and not declared, the object would be deleted by the next apply.",
            "Declare it first: its title is enough, what is left out is not managed.",
        )
    said = desired.adopt.get(address)
    if said and said[0] != id:
        raise SafetyRefusal(
            "adopt-conflict",
            f"`adopt:` at {said[1]} says that {address} is {said[0]}.",
            "The files and the state would contradict each other.",
            "Correct that line, or take it out.",
        )


def _suite_keys(at: Scene) -> dict[RemoteId, str]:
    return {b.id: a.partition(".")[2] for a, b in at.state.bindings.items() if a.startswith("suite.")}
