"""What the executor needs of Qase. `api/remote.py` provides it; tests may provide their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qase_iac.model import LiveObject, Snapshot
from qase_iac.values import Attributes, RemoteId


class Remote(Protocol):
    """The project in Qase. All values are bound (remote ids, hashes). Every method may raise ApiError."""

    def create(self, kind: str, attributes: Attributes, key: str = "") -> RemoteId:
        """Creates one object; `key` is the project code for kind project. Returns its id."""
        ...

    def create_many(self, kind: str, batch: Sequence[Attributes]) -> list[RemoteId]:
        """Creates up to `api.bulk_size` objects of a bulk kind in one call; ids in the order sent."""
        ...

    def update(self, kind: str, id: RemoteId, attributes: Attributes, live: Attributes) -> None:
        """One PATCH with these attributes; `live` holds the others, for kinds that want some sent again."""
        ...

    def delete(self, kind: str, id: RemoteId, destination: RemoteId | None = None) -> None:
        """Deletes one object; for a suite `destination` is where cases go that are still in it."""
        ...

    def upload(self, name: str, content: bytes) -> str:
        """Uploads a file; returns its hash."""
        ...

    def read(self, kind: str, id: RemoteId) -> LiveObject | None:
        """The object as it is now, None when its own GET says 404."""
        ...

    def read_all(self, kind: str) -> dict[RemoteId, LiveObject]:
        """All objects of a kind as they are now."""
        ...

    def grew(self, kind: str) -> bool:
        """Whether Qase counts more objects of a kind than are known, in one request. False may be a stale count."""
        ...

    def list_cost(self, kind: str) -> int:
        """How many requests `read_all` takes, by the counts last seen."""
        ...

    def holds(self, suite: RemoteId) -> tuple[list[RemoteId], list[RemoteId]]:
        """Ids of the cases and of the suites that lie directly in a suite, read now."""
        ...

    def users(self, kind: str, id: RemoteId) -> list[tuple[str, RemoteId]]:
        """(kind, id) of the objects that refer to this one by an attribute (cases: a milestone), read now."""
        ...

    @property
    def snapshot(self) -> Snapshot:
        """What was read last."""
        ...
