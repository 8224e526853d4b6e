"""`state rebuild`: the state made again from the files and Qase, after it was lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.kinds import BY_NAME
from qase_iac.plan.bind import rows_with_references
from qase_iac.plan.planner import same_values
from qase_iac.plan.suggest import NEVER, Suggestions, suggest
from qase_iac.state.lock import Holder
from qase_iac.state.model import State
from qase_iac.values import JSON
from qase_iac.workflow.binding import Scene, begin, bind, scene
from qase_iac.workflow.memory import Memory
from qase_iac.workflow.session import TOOL, Session


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuild came to. `found.sure` is bound, and nothing else. `differing` addresses are bound and not equal.

    `replaced` are files in which the old state was put aside.
    """

    project: str
    api: str
    found: Suggestions
    differing: tuple[str, ...]
    replaced: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything was decided: nothing is left that may or may not be one of ours."""
        return not self.found.likely and not self.found.doubtful


def rebuild(session: Session, holder: Holder, replace: bool = False) -> Rebuilt:
    """Finds every binding again as planning does: by place and title, twins by all attributes, one to one.

    Writes a state of a new lineage. Raises SafetyRefusal when there is one and `replace` is not said; it is put aside
    then, and its journal with it.
    """
    session.check_settings()
    store = session.store
    with store.lock(holder, session.ask.lock_timeout):
        there = store.present()
        if there and not replace:
            raise SafetyRefusal(
                "state-exists",
                f"There is a state already: {there[0]}.",
                "A state that is made again forgets who changed what since the last apply.",
                "If it is broken or not the right one: `qase-iac state rebuild --replace` puts it aside and makes a "
                "new one. After an interruption `qase-iac apply` goes on from the journal.",
            )
        connection = session.connect()
        try:
            at = scene(session, connection, Memory(State()))
            found, differing = _bound(at)
        finally:
            connection.close()
        replaced = tuple(store.replace(at.state))
    return Rebuilt(session.project, session.api, found, differing, replaced)


def _bound(at: Scene) -> tuple[Suggestions, tuple[str, ...]]:
    state = at.state
    begin(at.session, state, at.snapshot, at.desired)
    state.serial, state.tool = 1, TOOL
    state.files = _files(at)
    found = suggest(at.desired, at.snapshot, state, same_values(at.snapshot, state), NEVER)
    changes = bind(at, {match.address: match.id for match in found.sure}, disputed=True)
    return found, tuple(sorted(address for address, change in changes.items() if change.attributes))


def _files(at: Scene) -> dict[str, dict[str, JSON]]:
    """sha256 -> file in Qase, of the attachments whose content is that of a file of the folder: each is downloaded."""
    held: dict[tuple[JSON, JSON], list[str]] = {}
    for hash, file in sorted(at.snapshot.files.items()):
        held.setdefault((file.get("name"), file.get("size")), []).append(hash)
    found: dict[str, dict[str, JSON]] = {}
    for ref in _declared_files(at):
        for hash in held.get((ref["name"], ref["size"]), ()):
            if ref["sha256"] not in found and _digest(at, hash) == ref["sha256"]:
                found[ref["sha256"]] = {"hash": hash, "name": ref["name"], "size": ref["size"]}
    return found


def _declared_files(at: Scene) -> Iterator[dict[str, JSON]]:
    for address, resource in sorted(at.desired.resources.items()):
        for name, row in rows_with_references(BY_NAME[address.kind]).items():
            if resource.attributes.get(name):
                for kind, ref in row.type.refs(resource.attributes[name]):
                    if kind == "attachment" and isinstance(ref, dict) and "path" in ref:
                        yield ref


def _digest(at: Scene, hash: str) -> str:
    """The sha256 of what Qase holds; "" when it cannot be had: then name and size decide, as in any plan."""
    url = at.snapshot.files[hash].get("url")
    with suppress(QaseIacError):
        if url:
            return hashlib.sha256(at.connection.client.download(str(url))).hexdigest()
    return ""
