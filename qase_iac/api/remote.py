"""The project in Qase as the executor needs it: `apply.protocol.Remote` over the REST client.

Every write says what became of it: an id, or an error whose `ambiguous` tells whether it may have been done all the
same (qase-api.md section 1.1: nothing can be repeated blindly).
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence

from qase_iac.api.client import PAGE, Client, Written
from qase_iac.api.codec import Entity, encode, identify
from qase_iac.api.refresh import Objects, Reader, path_of, unfolded
from qase_iac.attributes import Attribute, Decoding, RefTo, ResolveError, Steps, normal_text
from qase_iac.errors import BadAnswer, Rejected
from qase_iac.kinds import BY_NAME, KINDS, Kind
from qase_iac.model import LiveObject, Snapshot
from qase_iac.values import Attributes, RemoteId, printable

BULK_TIMEOUT = 180.0
"""Seconds: bulk creation has been seen to take more than 60 (section 7.9)."""


class QaseRemote:
    """One project. `snapshot` is what was read last: what is read here is noted in it."""

    def __init__(self, client: Client, project: str, snapshot: Snapshot) -> None:
        self._client = client
        self._project = project
        self._snapshot = snapshot
        decoding = Decoding(snapshot.catalogue, {}, snapshot.unknown_shared, snapshot.files)
        self._reader = Reader(client, project, decoding)
        for live in snapshot:
            self._reader.learn(BY_NAME[live.kind], live)
        self._counts = {kind.name: len(snapshot.of(kind.name)) for kind in KINDS}
        self._unlearned: set[str] = set()

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    # Writes

    def create(self, kind: str, attributes: Attributes, key: str = "") -> RemoteId:
        """One POST. A project's `key` is its code, which it chooses itself (section 5)."""
        table = BY_NAME[kind]
        body = self._body(table, attributes, creating=True)
        if not table.section:
            body[table.id_key] = key
        path = path_of(table, self._project)
        written = self._client.post(path, body)
        self._wrote(table, 1)
        return self._new_id(table, path, written, str(attributes.get("title") or ""))

    def create_many(self, kind: str, batch: Sequence[Attributes]) -> list[RemoteId]:
        """One POST for the whole batch, all or nothing; ids come in the order sent (section 7.9)."""
        table = BY_NAME[kind]
        if not table.bulk:
            raise ValueError(f"{table.label}s cannot be created many a call")
        bodies = [self._body(table, attributes, creating=True) for attributes in batch]
        path = f"{path_of(table, self._project)}/bulk"
        written = self._client.post(path, {table.section: bodies}, timeout=BULK_TIMEOUT)
        try:
            ids = [identify(table, id) for id in written.ids]
        except ValueError:
            raise _unclear(path, "with an id that is none", written) from None
        if len(ids) != len(batch) or len(set(ids)) != len(ids):
            raise _unclear(path, f"with {len(set(ids))} ids for {len(batch)} {table.label}s", written)
        self._counts[kind] += len(ids)
        return ids

    def update(self, kind: str, id: RemoteId, attributes: Attributes, live: Attributes) -> None:
        """One PATCH; what this kind wants repeated (section 8: a shared step's title) is taken from `live`."""
        table = BY_NAME[kind]
        again = {name: live[name] for name in table.resend if name in live}
        self._client.patch(path_of(table, self._project, id), self._body(table, {**again, **attributes}, False))
        self._wrote(table, 0)

    def delete(self, kind: str, id: RemoteId, destination: RemoteId | None = None) -> None:
        """One DELETE; for a suite its body saves cases that somebody put there meanwhile (section 6)."""
        table = BY_NAME[kind]
        body = {"destination_id": destination} if table.destination and destination is not None else None
        self._client.delete(path_of(table, self._project, id), body)
        self._wrote(table, -1)

    def upload(self, name: str, content: bytes) -> str:
        """Uploads one file; `result` is an array of one (section 12.1)."""
        path = f"/attachment/{self._project}"
        mime = mimetypes.guess_type(name)[0] or "application/octet-stream"
        hash = self._client.upload(path, [(name, content, mime)])[0].get("hash")
        if not (isinstance(hash, str) and hash):
            raise _unclear(path, "without the hash of the file")
        return hash

    def _body(self, kind: Kind, attributes: Attributes, creating: bool) -> Entity:
        """A body that cannot be made, since an option or field is gone by now, is refused before it is sent."""
        try:
            return encode(kind, attributes, self._snapshot.catalogue, creating)
        except ResolveError as error:
            raise Rejected(error.summary, error.detail, "Plan again: the workspace has changed.") from None
        except KeyError as error:
            raise Rejected(
                f"A value of this {kind.label} is not known in the workspace: {printable(str(error.args[0]))}.",
                hint="Plan again: the workspace has changed.",
            ) from None
        except (TypeError, AttributeError, ValueError):  # a plan file that somebody sealed by hand
            summary = f"A value of this {kind.label} is not of its attribute's type."
            raise Rejected(summary, hint="Plan again.") from None

    def _new_id(self, kind: Kind, path: str, written: Written, title: str) -> RemoteId:
        """The id that a create answered; 2020's answer to a shared step is a number that names nothing (section 4)."""
        if kind.id_key == "hash" and isinstance(written.id, int):
            return self._find_new(kind, path, title)
        if not kind.section and isinstance(written.id, int):
            return self._project  # 2020 counts projects, and calls them by their code all the same
        try:
            return identify(kind, written.id)
        except ValueError:
            raise _unclear(path, "without the id of what it made", written) from None

    def _find_new(self, kind: Kind, path: str, title: str) -> RemoteId:
        """The one object of that title which nobody had seen before."""
        before = set(self._snapshot.of(kind.name))
        now = self.read_all(kind.name)
        fresh = [id for id, live in now.items() if id not in before and normal_text(live.title) == normal_text(title)]
        if len(fresh) != 1:
            raise _unclear(path, f"without its {kind.id_key}, and {len(fresh)} new ones bear its title")
        return fresh[0]

    def _wrote(self, kind: Kind, more: int) -> None:
        """After a write: how many there are, and whether cases may now show other rows than those known."""
        self._counts[kind.name] = max(0, self._counts[kind.name] + more)
        if more >= 0 and unfolded(kind) is not None:
            self._unlearned.add(kind.name)

    # Reads

    def read(self, kind: str, id: RemoteId) -> LiveObject | None:
        table = BY_NAME[kind]
        self._learn_first(table)
        live = self._reader.one(table, id)
        objects = self._snapshot.objects.setdefault(kind, {})
        if live is not None:
            objects[id] = live
            self._snapshot.gone.discard((kind, id))
        else:
            objects.pop(id, None)
            self._snapshot.gone.add((kind, id))
        return live

    def read_all(self, kind: str) -> Objects:
        """Every object whole: where lists leave something out, each is read by its own GET (section 10)."""
        table = BY_NAME[kind]
        self._learn_first(table)
        objects = self._reader.all(table)
        self._unlearned.discard(kind)
        for id in [id for id, live in objects.items() if live.partial]:
            live = self._reader.one(table, id)
            if live is None:
                del objects[id]
            else:
                objects[id] = live
        self._snapshot.objects[kind] = objects
        self._counts[kind] = len(objects)
        return objects

    def grew(self, kind: str) -> bool:
        return self._client.count(path_of(BY_NAME[kind], self._project)) > self._counts[kind]

    def list_cost(self, kind: str) -> int:
        table, count = BY_NAME[kind], self._counts[kind]
        pages = max(1, -(-count // PAGE))
        singles = count if table.members else 0
        return pages + singles + sum(self.list_cost(name) for name in self._to_learn(table))

    def holds(self, suite: RemoteId) -> tuple[list[RemoteId], list[RemoteId]]:
        """What lies directly in a suite. The filter is checked again here: one that is ignored gives everything, one
        that is taken widely gives what lies deeper (section 3.1)."""
        within = {"suite_id": str(suite)}
        return self._children("case", suite, within), self._children("suite", suite, None)

    def users(self, kind: str, id: RemoteId) -> list[tuple[str, RemoteId]]:
        """The filter is checked again here, as in `holds`."""
        return [
            (table.name, user)
            for table in KINDS
            for row in table.attributes
            if isinstance(row.type, RefTo) and row.type.kind == kind and row.name != table.parent
            for user in self._referring(table, row, id, {row.reads: str(id)})
        ]

    def _children(self, kind: str, suite: RemoteId, within: dict[str, str] | None) -> list[RemoteId]:
        table = BY_NAME[kind]
        assert table.parent is not None
        return self._referring(table, table.attribute(table.parent), suite, within)

    def _referring(self, table: Kind, row: Attribute, id: RemoteId, within: dict[str, str] | None) -> list[RemoteId]:
        """Ids of the objects of a kind whose attribute `row` refers to `id`; `within` asks Qase for these alone."""
        path = path_of(table, self._project)

        def inside(entity: Entity) -> bool:
            place = {row.reads: entity[row.reads]}
            return bool(row.type.decode(place, row, self._reader.decoding) == id)

        def read() -> list[RemoteId]:
            pages = self._client.pages(path, within)
            return [identify(table, entity.get(table.id_key)) for page in pages for entity in page if inside(entity)]

        try:
            return self._client.steady(read)
        except (KeyError, TypeError, ValueError):
            summary = f"Qase does not say the {row.name} of a {table.label}."
            raise BadAnswer(summary, method="GET", path=path) from None

    def _learn_first(self, kind: Kind) -> None:
        """Cases are folded by the rows of shared steps: those written since are read before cases are."""
        for name in self._to_learn(kind):
            self.read_all(name)

    def _to_learn(self, kind: Kind) -> list[str]:
        refers = any(isinstance(row.type, Steps) and row.type.shared_allowed for row in kind.managed)
        return sorted(self._unlearned) if refers else []


def _unclear(path: str, what: str, written: Written | None = None) -> BadAnswer:
    """A write that Qase took and answered in a way that does not say what it made."""
    return BadAnswer(
        f"Qase answered POST {path} {what}.",
        hint="It was most likely done all the same: look before repeating it.",
        status=written.status if written else 200,
        method="POST",
        path=path,
        request_id=written.request_id if written else None,
        ambiguous=True,
    )
