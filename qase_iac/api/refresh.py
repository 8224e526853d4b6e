"""The live project as a Snapshot, by the fewest requests: list pages, and single GETs only where lists do not say.

Unreadable is not absent (architecture.md, rule 7): every failure propagates; a bound object that a list does not show
counts as gone only when its own GET says 404; only the project's own 404 makes a snapshot that does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from qase_iac.api.catalogue import read_catalogue
from qase_iac.api.client import Client
from qase_iac.api.codec import Entity, decode, decoder
from qase_iac.attributes import Decoding, Steps
from qase_iac.errors import BadAnswer, NotFound
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.model import Binding, State
from qase_iac.values import RemoteId, printable

Progress = Callable[[str, int, int], None]
"""Called with the kind's name (or the path of a list of the workspace), rows read so far, rows in all."""
Objects = dict[RemoteId, LiveObject]


def no_progress(what: str, done: int, total: int) -> None:
    """Nobody watches."""


def nothing(live: LiveObject) -> bool:
    """No unbound object is wanted whole."""
    return False


def path_of(kind: Kind, project: str, id: RemoteId | None = None) -> str:
    """The path of a kind's list or, with `id`, of one object. The project itself lies in no project (section 5)."""
    collection = f"/{kind.path}/{project}" if kind.section else f"/{kind.path}"
    return collection if id is None else f"{collection}/{id}"


class Reader:
    """Reads entities of one project as live objects and counts the requests, those of a list read anew once.

    `decoding` holds what one kind teaches about another: the rows of shared steps, by which cases are folded
    (section 7.4). So shared steps are to be read before cases.
    """

    def __init__(self, client: Client, project: str, decoding: Decoding, progress: Progress = no_progress) -> None:
        self.client = client
        self.project = project
        self.decoding = decoding
        self.requests = 0
        self._progress = progress

    def get(self, path: str) -> Entity:
        self.requests += 1
        return self.client.get(path)

    def list(self, path: str, params: Mapping[str, str | int] | None = None) -> list[dict[str, Any]]:
        """The rows of a list as they are. One that nobody has (404) was a request too."""
        started = self.requests

        def read() -> Iterable[Entity]:
            self.requests = started + 1
            rows: list[Entity] = []
            for page in self.client.pages(path, params, progress=self._progress):
                rows += page
                self.requests += 1
            self.requests -= 1
            return rows

        return list(self.client.steady(read))

    def one(self, kind: Kind, id: RemoteId) -> LiveObject | None:
        """An object by its own GET, None when that says 404."""
        try:
            entity = self.get(path_of(kind, self.project, id))
        except NotFound:
            return None
        live = decode(kind, entity, self.decoding)
        if live.id != id:
            raise BadAnswer(
                f"Qase was asked for the {kind.label} {printable(str(id))} and gave {printable(str(live.id))}.",
                method="GET",
                path=path_of(kind, self.project, id),
            )
        self.learn(kind, live)
        return live

    def all(self, kind: Kind) -> Objects:
        """The objects of a list, decoded page by page: no more than a few pages are held at a time."""
        started = self.requests
        path = path_of(kind, self.project)

        def progress(_: str, done: int, total: int) -> None:
            self._progress(kind.name, done, total)

        def read() -> tuple[Objects, Decoding]:
            self.requests = started
            noted = replace(self.decoding, unknown_shared=set(), files={})
            decode_one = decoder(kind, noted)
            found: Objects = {}
            for page in self.client.pages(path, progress=progress):
                self.requests += 1
                for entity in page:
                    live = decode_one(entity)
                    found[live.id] = live
            return found, noted

        found, noted = self.client.steady(read)
        self.decoding.unknown_shared |= noted.unknown_shared
        self.decoding.files.update(noted.files)
        if unfolded(kind):
            for live in found.values():
                self.learn(kind, live)
        return found

    def learn(self, kind: Kind, live: LiveObject) -> None:
        """Note the rows as which a case shows this object, if it is one that cases show so."""
        name = unfolded(kind)
        if name is not None:
            steps = live.attributes.get(name, ())
            self.decoding.shared_rows[str(live.id)] = [step.get("action", "") for step in steps]


def unfolded(kind: Kind) -> str | None:
    """The attribute whose steps stand in cases as rows: that of steps which others refer to, not of those that do."""
    rows = (row.name for row in kind.managed if isinstance(row.type, Steps) and not row.type.shared_allowed)
    return next(rows, None)


def refresh(
    client: Client,
    project: str,
    *,
    state: State,
    kinds: Iterable[Kind] = CONTENT_KINDS,
    need_members: bool | Collection[str] = False,
    need_shared_parameters: bool = False,
    wanted: Callable[[LiveObject], bool] = nothing,
    full: bool = False,
    progress: Progress = no_progress,
) -> Snapshot:
    """What Qase holds. `state` says which objects must be found and vouches for what lists do not show.

    `need_members` (of the workspace) and `need_shared_parameters` are `read_catalogue`'s. `wanted` tells which unbound
    objects are worth a GET of their own (a plan's cases are in no list); `full` gets the bound ones, too, whatever
    the state vouches for. `kinds` in creation order, with shared steps if there are cases.
    """
    decoding = Decoding(catalogue=Snapshot().catalogue)
    reader = Reader(client, project, decoding, progress)
    exists = _project_exists(reader)
    decoding.catalogue = read_catalogue(reader, project, need_members, need_shared_parameters)
    snapshot = Snapshot(exists=exists, catalogue=decoding.catalogue)
    for kind in kinds if exists else ():
        objects = snapshot.objects[kind.name] = reader.all(kind)
        bound = state.bound_ids(kind.name)
        _look_for_missing(reader, kind, bound, snapshot)
        bindings = {} if full else {id: state.bindings[address] for id, address in bound.items()}
        for live in [live for live in objects.values() if live.partial]:
            if live.id in bound or wanted(live):
                whole = _vouched(kind, live, bindings.get(live.id)) or reader.one(kind, live.id)
                _put(snapshot, kind, live.id, whole)
    snapshot.files = decoding.files
    snapshot.unknown_shared = decoding.unknown_shared
    snapshot.requests = reader.requests
    return snapshot


def _project_exists(reader: Reader) -> bool:
    kind = BY_NAME["project"]
    path = path_of(kind, reader.project, reader.project)
    try:
        entity = reader.get(path)
    except NotFound:
        return False
    code = str(entity.get(kind.id_key, ""))
    if code.upper() != reader.project.upper():
        raise BadAnswer(f"Qase was asked for project {reader.project} and gave {printable(code)!r}.", path=path)
    return True


def _look_for_missing(reader: Reader, kind: Kind, bound: Mapping[RemoteId, str], snapshot: Snapshot) -> None:
    for id in bound:
        if id not in snapshot.objects[kind.name]:
            _put(snapshot, kind, id, reader.one(kind, id))


def _put(snapshot: Snapshot, kind: Kind, id: RemoteId, live: LiveObject | None) -> None:
    """Note what an object's own GET said: the object (the list was wrong), or that there is none."""
    if live is not None:
        snapshot.objects.setdefault(kind.name, {})[id] = live
        snapshot.gone.discard((kind.name, id))
    else:
        snapshot.objects.get(kind.name, {}).pop(id, None)
        snapshot.gone.add((kind.name, id))


def _vouched(kind: Kind, live: LiveObject, binding: Binding | None) -> LiveObject | None:
    """The object with its members taken from the state, if nothing says that they changed since (section 10).

    The number alone would not do: one case may have been swapped for another. Assignees are not vouched for, since
    assigning somebody is no edit of the plan: whoever is about to change the members reads the object itself.
    """
    if binding is None:
        return None
    for fact in ("updated_at", "cases_count"):
        if live.meta.get(fact) is None or live.meta[fact] != binding.meta.get(fact):
            return None
    attributes = dict(live.attributes)
    for row in kind.members:
        if row.name not in binding.served and row.name not in binding.sent:
            return None
        attributes[row.name] = row.type.canon(binding.last_served(row.name))
    return replace(live, attributes=attributes, partial=False)
