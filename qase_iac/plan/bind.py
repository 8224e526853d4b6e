"""Between the three forms of a reference: as written, bound to remote ids, as shown to people."""

from __future__ import annotations

from collections.abc import Mapping

from qase_iac.kinds import Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes, RemoteId, known_after_apply

NEW_FILE = "file:"
"""Prefix of the bound form of a file that Qase does not have yet: `{"known_after_apply": "file:<sha256>"}`."""


class Binder:
    """Binds and shows values. Made once a plan; `ids` maps address -> remote id."""

    def __init__(self, ids: Mapping[str, RemoteId], snapshot: Snapshot, state: State) -> None:
        self.ids = ids
        self._snapshot = snapshot
        self._hash_of = {sha: str(entry["hash"]) for sha, entry in state.files.items()}
        self._sha_of = {hash: sha for sha, hash in self._hash_of.items()}
        self._parameters = {uuid: title for title, uuid in (snapshot.catalogue.shared_parameters or {}).items()}

    def bind(self, kind: Kind, resource: Resource, live: LiveObject | None) -> tuple[Attributes, set[str]]:
        """The attributes of a declared object with every reference bound.

        Returns them and the paths of files that were taken for live ones by name and size alone.
        """
        unverified: set[str] = set()
        nameless = self._unknown_files(kind, live) if live else {}

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if not isinstance(ref, dict):
                return ref
            if "address" in ref:
                id = self.ids.get(ref["address"])
                return known_after_apply(ref["address"]) if id is None else id
            if "external_id" in ref:
                return ref["external_id"]
            if "hash" in ref:
                return ref["hash"]
            known = self._hash_of.get(ref["sha256"])
            if known is None and (ref["name"], ref["size"]) in nameless:
                unverified.add(ref["path"])
                known = nameless[ref["name"], ref["size"]]
            return known_after_apply(NEW_FILE + ref["sha256"]) if known is None else known

        bound = dict(resource.attributes)
        for row in kind.references:
            if bound.get(row.name):
                bound[row.name] = row.type.rebind(bound[row.name], visit)
        return bound, unverified

    def _unknown_files(self, kind: Kind, live: LiveObject) -> dict[tuple[JSON, JSON], str]:
        """(name, size) -> hash of the live object's files whose content the state does not know."""
        found: dict[tuple[JSON, JSON], str] = {}
        for row in kind.references:
            for ref_kind, hash in row.type.refs(live.attributes.get(row.name)):
                if ref_kind == "attachment" and hash not in self._sha_of and hash in self._snapshot.files:
                    file = self._snapshot.files[hash]
                    found.setdefault((file["name"], file["size"]), hash)
        return found

    def show_desired(self, kind: Kind, name: str, value: JSON) -> JSON:
        """A declared value as the plan shows it."""

        def visit(ref_kind: str, ref: JSON) -> JSON:
            if not isinstance(ref, dict):
                return ref
            if "address" in ref:
                return ref["address"] if ref["address"] in self.ids else known_after_apply(ref["address"])
            if ref_kind == "shared_parameter":
                return ref.get("title", ref.get("external_id"))
            if "path" in ref:
                return ref["path"]
            return ref

        return kind.attribute(name).type.rebind(value, visit) if _may_refer(kind, name) else value

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
                path = paths.get(self._sha_of.get(ref, ""))
                return path or {"hash": ref, "file": self._snapshot.files.get(ref, {}).get("name") or ref}
            if ref_kind == "shared_parameter":
                return self._parameters.get(ref, ref)
            return addresses.get((ref_kind, ref)) or {"external_id": ref}

        if value is None or not _may_refer(kind, name):
            return value
        return kind.attribute(name).type.rebind(value, visit)


def _may_refer(kind: Kind, name: str) -> bool:
    return any(row.name == name for row in kind.references)


def files_in(kind: Kind, attributes: Attributes, names: set[str] | None = None) -> dict[str, str]:
    """path -> sha256 of every file that the declared attributes (those in `names`, or all) hold."""
    found: dict[str, str] = {}
    for row in kind.references:
        if names is not None and row.name not in names:
            continue
        for ref_kind, ref in row.type.refs(attributes.get(row.name)):
            if ref_kind == "attachment" and isinstance(ref, dict) and "path" in ref:
                found[ref["path"]] = ref["sha256"]
    return found


def addresses_in(kind: Kind, attributes: Attributes) -> list[str]:
    """The addresses that declared attributes refer to, each once, in order."""
    found: dict[str, None] = {}
    for row in kind.references:
        for _, ref in row.type.refs(attributes.get(row.name)):
            if isinstance(ref, dict) and "address" in ref:
                found[ref["address"]] = None
    return list(found)
