"""Between the three forms of a reference: as written, bound to remote ids, as shown to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace

from qase_iac.attributes import Attribute
from qase_iac.kinds import KINDS, Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes, RemoteId, known_after_apply

NEW_FILE = "file:"
"""Prefix of the bound form of a file that Qase does not have yet: `{"known_after_apply": "file:<sha256>"}`."""

_REFERRING: dict[str, dict[str, Attribute]] = {kind.name: {row.name: row for row in kind.references} for kind in KINDS}


def rows_with_references(kind: Kind) -> dict[str, Attribute]:
    """The rows whose values may hold references or files, by name."""
    return _REFERRING[kind.name]


class Binder:
    """Binds and shows values. Made once a plan; `ids` maps address -> remote id."""

    def __init__(self, ids: Mapping[str, RemoteId], snapshot: Snapshot, state: State) -> None:
        self.ids = ids
        self._snapshot = snapshot
        self._hash_of = {sha: str(entry["hash"]) for sha, entry in state.files.items()}
        self._sha_of = {hash: sha for sha, hash in self._hash_of.items()}
        self._parameters = {uuid: title for title, uuid in (snapshot.catalogue.shared_parameters or {}).items()}

    @property
    def sees_files(self) -> bool:
        """Whether there is any file in Qase that a live object could hold."""
        return bool(self._snapshot.files)

    def over(self, ids: Mapping[str, RemoteId]) -> Binder:
        """The same over other ids."""
        other = copy(self)
        other.ids = ids
        return other

    def bind(self, kind: Kind, attributes: Attributes) -> Attributes:
        """Declared attributes with every reference bound."""

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if "address" in ref:
                id = self.ids.get(ref["address"])
                return known_after_apply(ref["address"]) if id is None else id
            if "external_id" in ref:
                return ref["external_id"]
            if "hash" in ref:
                return ref["hash"]
            known = self._hash_of.get(ref["sha256"])
            return known_after_apply(NEW_FILE + ref["sha256"]) if known is None else known

        bound = dict(attributes)
        for name, row in rows_with_references(kind).items():
            if bound.get(name):
                bound[name] = row.type.rebind(bound[name], visit)
        return bound

    def recognise(self, kind: Kind, resource: Resource, live: LiveObject) -> tuple[Resource, list[str]]:
        """The declared object with files that Qase seems to hold already named by their hash, and their paths.

        For a file whose content the state does not know in Qase, name and size decide (authoring.md). Files that
        share both are taken one by one.
        """
        unknown = {path: sha for path, sha in files_in(kind, resource.attributes).items() if sha not in self._hash_of}
        nameless = self._unknown_files(kind, live) if unknown else {}
        taken: dict[str, str] = {}
        paths: dict[str, None] = {}

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if ref.get("path") not in unknown:
                return ref
            sha = ref["sha256"]
            hashes = nameless.get((ref["name"], ref["size"]))
            if sha not in taken and hashes:
                taken[sha] = hashes.pop(0)
            if sha not in taken:
                return ref
            paths[ref["path"]] = None
            return self.held_file(taken[sha])

        if not nameless:
            return resource, []
        rows = rows_with_references(kind)
        attributes = {
            name: rows[name].type.rebind(value, visit) if name in rows else value
            for name, value in resource.attributes.items()
        }
        return (replace(resource, attributes=attributes) if paths else resource), list(paths)

    def held_file(self, hash: str) -> JSON:
        """A file that is in Qase and not in this folder, as the plan shows it."""
        return {"hash": hash, "file": self._snapshot.files.get(hash, {}).get("name") or hash}

    def _unknown_files(self, kind: Kind, live: LiveObject) -> dict[tuple[JSON, JSON], list[str]]:
        """(name, size) -> hashes of the live object's files whose content the state does not know."""
        found: dict[tuple[JSON, JSON], list[str]] = {}
        for ref_kind, hash in refs_in(kind, live.attributes):
            if ref_kind == "attachment" and hash not in self._sha_of and hash in self._snapshot.files:
                file = self._snapshot.files[hash]
                hashes = found.setdefault((file["name"], file["size"]), [])
                if hash not in hashes:
                    hashes.append(hash)
        return found

    def show_desired(self, kind: Kind, name: str, value: JSON) -> JSON:
        """A declared value as the plan shows it."""

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if "address" in ref:
                return ref["address"] if ref["address"] in self.ids else known_after_apply(ref["address"])
            if ref_kind == "shared_parameter":
                return ref.get("title", ref.get("external_id"))
            if "path" in ref:
                return ref["path"]
            return ref

        row = rows_with_references(kind).get(name)
        return row.type.rebind(value, visit) if row else value

    def show_live(
        self,
        kind: Kind,
        name: str,
        value: JSON,
        addresses: Mapping[tuple[str, RemoteId], str],
        paths: Mapping[str, str],
    ) -> JSON:
        """A live value as the plan shows it; `paths` maps sha256 -> path of the declared object's files."""

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if ref_kind == "attachment":
                return paths.get(self._sha_of.get(ref, "")) or self.held_file(ref)
            if ref_kind == "shared_parameter":
                return self._parameters.get(ref, ref)
            return addresses.get((ref_kind, ref)) or {"external_id": ref}

        row = rows_with_references(kind).get(name)
        return value if value is None or row is None else row.type.rebind(value, visit)


def refs_in(kind: Kind, attributes: Attributes) -> Iterator[tuple[str, JSON]]:
    """(kind, reference) of everything that attributes refer to, files among it."""
    for name, row in rows_with_references(kind).items():
        if attributes.get(name):
            yield from row.type.refs(attributes[name])


def references(live: LiveObject) -> Iterator[tuple[str, str, RemoteId]]:
    """(attribute, kind, id) of every object that a live one refers to."""
    for name, row in _REFERRING[live.kind].items():
        for kind, ref in row.type.refs(live.attributes.get(name)):
            if kind != "attachment":
                yield name, kind, ref


def files_in(kind: Kind, attributes: Attributes) -> dict[str, str]:
    """path -> sha256 of every file of this folder that the declared attributes hold."""
    return {
        ref["path"]: ref["sha256"]
        for ref_kind, ref in refs_in(kind, attributes)
        if ref_kind == "attachment" and isinstance(ref, dict) and "path" in ref
    }


def addresses_in(kind: Kind, attributes: Attributes) -> list[str]:
    """The addresses that declared attributes refer to, each once, in order."""
    return list(
        {ref["address"]: None for _, ref in refs_in(kind, attributes) if isinstance(ref, dict) and "address" in ref}
    )
