"""What is in Qase and not in the files yet: which of it a folder takes over, its keys, its attachments."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

from qase_iac.attributes import RefTo, normal_text
from qase_iac.config.edit import Edited, FileEdit
from qase_iac.config.file_globs import any_match
from qase_iac.config.layout import MAX_SEGMENT, MIN_SEGMENT, Keys, Named, place_attachments
from qase_iac.convert.live import creation
from qase_iac.convert.notes import Notes
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, RANK, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import files_in, refs_in
from qase_iac.plan.model import Action, Plan
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import State
from qase_iac.values import JSON, MAX_KEY, Address, RemoteId, printable, ref_address
from qase_iac.workflow.session import Connection, Session

Found = tuple[str, RemoteId]


class Newcomers:
    """The objects in scope that nothing is bound to and nothing declares.

    `objects` maps a fresh address to its object, parents first; `addresses` the same address to its id; `adopted` are
    declared addresses that the next apply binds. `paths` maps the hash of a file in Qase to its path below the folder;
    `files` are, after `fetched`, those that the state did not know.
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
        notes: Notes,
    ) -> None:
        self._session = session
        self._desired = desired
        self._snapshot = snapshot
        self._suites = suites
        self._notes = notes
        self.files: dict[str, dict[str, JSON]] = {}
        self.adopted: dict[str, RemoteId] = {
            each.address: each.id for each in plan.changes if each.action is Action.ADOPT and each.id is not None
        }
        known = {**self.adopted, **bound}
        self._ids: dict[Found, str] = {(name.partition(".")[0], id): name for name, id in known.items()}
        self._keys = self._taken(state, known)
        self.objects: dict[str, LiveObject] = dict(self._fresh(known))
        self.addresses: dict[str, RemoteId] = {address: live.id for address, live in self.objects.items()}
        self._known_paths = self._declared_files(state)
        self.paths = {**self._new_files(), **self._known_paths}

    # --- which, and what they are called

    def _taken(self, state: State, bound: Mapping[str, RemoteId]) -> dict[str, Keys]:
        """By kind, the keys that are not free: of what is declared or bound, and of what was."""
        moved = (address for entry in self._desired.moved for address in (entry.origin, entry.target))
        said = [*self._desired.resources, *self._desired.removed, *self._desired.adopt, *moved]
        keys = {kind.name: Keys() for kind in CONTENT_KINDS}
        for address in [*said, *map(Address.parse, [*bound, *state.bindings])]:
            if address.kind in keys:
                keys[address.kind].used.setdefault(address.key, self._hint(address))
        return keys

    def _hint(self, address: Address) -> str:
        """The name of the suite that a declared object lies in."""
        kind, resource = BY_NAME[address.kind], self._desired.resources.get(address)
        around = ref_address(resource.attributes.get(kind.parent)) if resource and kind.parent else None
        return Address.parse(around).key.rpartition("/")[2] if around and not kind.nested_keys else ""

    def _fresh(self, bound: Mapping[str, RemoteId]) -> Iterator[tuple[str, LiveObject]]:
        taken = {(name.partition(".")[0], id) for name, id in bound.items()}
        waiting = self._waiting()
        foreign = {found for each in self._desired.resources.values() for found in _external(each)}
        for live in sorted(self._snapshot, key=self._order):
            at = live.kind, live.id
            kind = BY_NAME[live.kind]
            if at in taken or live.kind not in self._keys or not self._suites.owned(self._desired.scope, live):
                continue
            if at in foreign:
                self._notes.add("the files name them as somebody else's, so left alone", f"{kind.label} {live.id}")
            elif (live.kind, self._place(kind, live), normal_text(live.title)) in waiting:
                self._notes.add("which of the declared it is cannot be told, so left alone", f"{kind.label} {live.id}")
            elif (let_go := self._address(kind, live, free=False)) and Address.parse(let_go) in self._desired.removed:
                self._notes.add("`removed:` lets go of them, so left alone", let_go)
            else:
                address = self._address(kind, live, free=True)
                self._ids[at] = address
                yield address, live

    def _order(self, live: LiveObject) -> tuple[int, int, tuple[int, str, str]]:
        return RANK[live.kind], self._suites.depth(live.id) if live.kind == "suite" else 0, creation(live)

    def _place(self, kind: Kind, live: LiveObject) -> RemoteId | None:
        place: RemoteId | None = live.attributes.get(kind.parent) if kind.parent else None
        return place

    def _waiting(self) -> set[tuple[str, RemoteId | None, str]]:
        """Kind, place and title of what is declared and bound to nothing."""
        ids = {name: id for (_, id), name in self._ids.items()}
        found = set()
        for address, resource in self._desired.resources.items():
            if str(address) not in ids:
                kind = BY_NAME[address.kind]
                ref = resource.attributes.get(kind.parent) if kind.parent else None
                place = ids.get(ref_address(ref) or "") or (ref.get("external_id") if isinstance(ref, dict) else None)
                found.add((kind.name, place, normal_text(resource.attributes.get("title"))))
        return found

    def _address(self, kind: Kind, live: LiveObject, free: bool) -> str:
        """A fresh address; not `free`: the one that its title asks for, whoever has it."""
        keys = self._keys[kind.name] if free else Keys()
        place = self._place(kind, live)
        above = self._ids.get((_parent_kind(kind), place)) if place is not None else None
        around = above.partition(".")[2] if above else ""
        hint = "" if kind.nested_keys else around.rpartition("/")[2]
        named = Named(live.id, live.title, kind.label.replace(" ", "-"), hint)
        prefix = around + "/" if around and kind.nested_keys else ""
        room = MAX_KEY - len(prefix) - 8
        if room < MIN_SEGMENT:
            prefix, room = "", MAX_SEGMENT
        return str(kind.address(prefix + keys.give(named, min(MAX_SEGMENT, room), prefix)))

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


def _parent_kind(kind: Kind) -> str:
    row = kind.by_name.get(kind.parent or "")
    return row.type.kind if row and isinstance(row.type, RefTo) else ""


def _external(resource: Resource) -> Iterator[Found]:
    for kind, ref in refs_in(BY_NAME[resource.address.kind], resource.attributes):
        if isinstance(ref, dict) and "external_id" in ref:
            yield kind, ref["external_id"]
