"""What is in Qase and not in the files yet: which of it a folder may take over, and its attachments."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

from qase_iac.attributes import normal_text
from qase_iac.config.edit import Edited, FileEdit
from qase_iac.config.file_globs import any_match
from qase_iac.config.layout import place_attachments
from qase_iac.convert.notes import Notes
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import files_in, refs_in
from qase_iac.plan.model import Action, Plan
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import State
from qase_iac.values import JSON, RemoteId, printable, ref_address
from qase_iac.workflow.naming import asked_address, parents_first
from qase_iac.workflow.session import Connection, Session

Found = tuple[str, RemoteId]


class Newcomers:
    """The objects in scope that nothing is bound to.

    `objects` are those that may be declared anew, parents first; `unbound` all of them, with those that are let go, or
    somebody else's, or declared perhaps: `left` says what and which. `adopted` are declared addresses that the next
    apply binds. `paths` maps the hash of a file in Qase to its path below the folder; `files` are, after
    `fetched`, those that the state did not know.
    """

    def __init__(
        self,
        session: Session,
        desired: Desired,
        snapshot: Snapshot,
        state: State,
        suites: LiveSuites,
        bound: Mapping[str, RemoteId],
        plan: Plan,
    ) -> None:
        self._session = session
        self._desired = desired
        self._snapshot = snapshot
        self._suites = suites
        self.left: dict[Found, tuple[str, str]] = {}
        self.files: dict[str, dict[str, JSON]] = {}
        self.adopted: dict[str, RemoteId] = {
            each.address: each.id for each in plan.changes if each.action is Action.ADOPT and each.id is not None
        }
        self._known = {(name.partition(".")[0], id): name for name, id in {**self.adopted, **bound}.items()}
        self.unbound = self._unbound({(name.partition(".")[0], id) for name, id in bound.items()})
        self.objects = list(self._fresh())
        self._known_paths = self._declared_files(state)
        self.paths = {**self._new_files(), **self._known_paths}

    # --- which

    def _unbound(self, bound: set[Found]) -> list[LiveObject]:
        owned = (live for live in self._snapshot if self._suites.owned(self._desired.scope, live))
        content = (live for live in owned if BY_NAME[live.kind] in CONTENT_KINDS)
        return parents_first((live for live in content if (live.kind, live.id) not in bound), self._suites)

    def _fresh(self) -> Iterator[LiveObject]:
        waiting, removed = self._waiting(), set(map(str, self._desired.removed))
        foreign = {found for each in self._desired.resources.values() for found in _external(each)}
        for live in self.unbound:
            kind = BY_NAME[live.kind]
            at = live.kind, live.id
            if at in self._known:
                continue
            if at in foreign:
                self.left[at] = "the files name them as somebody else's, so left alone", f"{kind.label} {live.id}"
            elif (live.kind, self._place(kind, live), normal_text(live.title)) in waiting:
                self.left[at] = "which of the declared it is cannot be told, so left alone", f"{kind.label} {live.id}"
            elif removed and (asked := asked_address(live, self._known, self._suites)) in removed:
                self.left[at] = "`removed:` lets go of them, so left alone", asked
            else:
                yield live

    def notes(self, bound: Mapping[str, RemoteId]) -> list[str]:
        """For people, what is left alone, but for what turned out to be `bound`."""
        known = {(name.partition(".")[0], id) for name, id in bound.items()}
        notes = Notes()
        for at, (what, where) in self.left.items():
            if at not in known:
                notes.add(what, where)
        return notes.lines()

    def _place(self, kind: Kind, live: LiveObject) -> RemoteId | None:
        place: RemoteId | None = live.attributes.get(kind.parent) if kind.parent else None
        return place

    def _waiting(self) -> set[tuple[str, RemoteId | None, str]]:
        """Kind, place and title of what is declared and bound to nothing."""
        ids = {name: id for (_, id), name in self._known.items()}
        found = set()
        for address, resource in self._desired.resources.items():
            if str(address) not in ids:
                kind = BY_NAME[address.kind]
                ref = resource.attributes.get(kind.parent) if kind.parent else None
                place = ids.get(ref_address(ref) or "") or (ref.get("external_id") if isinstance(ref, dict) else None)
                found.add((kind.name, place, normal_text(resource.attributes.get("title"))))
        return found

    # --- attachments

    def _declared_files(self, state: State) -> dict[str, str]:
        """Hash in Qase -> path, of the files that the folder declares and the state knows."""
        found: dict[str, str] = {}
        for address, resource in self._desired.resources.items():
            for path, sha in files_in(BY_NAME[address.kind], resource.attributes).items():
                entry = state.files.get(sha, {})
                for hash in (entry.get("hash"), *entry.get("also", ())):
                    if hash:
                        found.setdefault(str(hash), path)
        return found

    def _new_files(self) -> dict[str, str]:
        files = sorted(self._snapshot.files.items())
        wanted = {hash: str(file.get("name") or "") for hash, file in files if file.get("url")}
        places = place_attachments(wanted)
        return {hash: self._free(self._no_content(path), self._snapshot.files[hash]) for hash, path in places.items()}

    def _free(self, path: str, file: Mapping[str, JSON]) -> str:
        """`path`, or one beside it where another file stands."""
        there = self._session.root / path
        if not os.path.lexists(there) or (there.is_file() and there.stat().st_size == file.get("size")):
            return path
        folder, _, name = path.rpartition("/")
        return f"{folder}-{hashlib.sha256(str(file['url']).encode()).hexdigest()[:8]}/{name}"

    def _no_content(self, path: str) -> str:
        """A path that is never read as YAML of ours."""
        settings = self._session.settings
        content = path.lower().endswith((".yaml", ".yml")) and not any_match(list(settings.exclude), path)
        return path + ".txt" if content else path

    def fetched(self, connection: Connection, edited: Edited, used: Iterable[str]) -> list[FileEdit]:
        """Downloads the files that the new values name and the folder does not have. Raises ApiError, QaseIacError."""
        texts = [each.after for each in edited.files if each.after]
        found = []
        for hash in sorted(set(used) - self._known_paths.keys()):
            path = self.paths[hash]
            if not any(f"{path.rpartition('/')[0]}/".encode() in text for text in texts):
                continue  # an edit that failed, or an attribute that is not managed
            file = self._snapshot.files[hash]
            data = connection.client.download(str(file["url"]))
            entry: dict[str, JSON] = {"hash": hash, "name": path.rpartition("/")[2], "size": len(data)}
            known = self.files.setdefault(hashlib.sha256(data).hexdigest(), entry)
            if known["hash"] != hash:
                known.setdefault("also", []).append(hash)
            there = self._session.root / path
            if not os.path.lexists(there):
                found.append(FileEdit(path, None, data))
            elif there.read_bytes() != data:
                raise QaseIacError(
                    f"The attachment {printable(path)} would be written over another file.",
                    "Nothing was written.",
                    "Move that file out of the way, and try again.",
                )
        return found


def _external(resource: Resource) -> Iterator[Found]:
    for kind, ref in refs_in(BY_NAME[resource.address.kind], resource.attributes):
        if isinstance(ref, dict) and "external_id" in ref:
            yield kind, ref["external_id"]
