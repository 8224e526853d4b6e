"""A live project -> a project folder as values, with the bindings under which its next plan is empty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qase_iac.attributes import RefTo
from qase_iac.config.layout import Named, SuitePlace, keys_for, place_attachments, place_suites
from qase_iac.config.writer import WritableFile, WritableObject, WritableProject, attachment_excludes
from qase_iac.convert.notes import Notes
from qase_iac.convert.yaml_form import Said, YamlForm
from qase_iac.kinds import CONTENT_KINDS, Kind
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.model import Binding
from qase_iac.values import JSON, RemoteId

VOUCHERS = ("updated_at", "cases_count", "assignees")
"""What the state must know of an object to vouch for what lists do not show."""


def export_project(
    snapshot: Snapshot, project: str, *, title: str = "", description: str = "", create: bool = False, api_url: str = ""
) -> tuple[WritableProject, dict[str, Binding]]:
    """The folder's content and, by address, what binds it to the live objects.

    The snapshot needs the members of plans, the workspace's members and its shared parameters (`refresh` with
    `wanted`, `need_members`, `need_shared_parameters`). Attachments are to be fetched by whoever writes the folder:
    `WritableProject.files`. `api_url` is put into qase.yaml if it is not "".
    """
    objects = {kind.name: sorted(snapshot.of(kind.name).values(), key=creation) for kind in CONTENT_KINDS}
    suites = _suites(objects)
    keys = {kind.name: _keys(kind, objects[kind.name], suites) for kind in CONTENT_KINDS}
    notes = Notes()
    names = {hash: str(file.get("name") or "") for hash, file in sorted(snapshot.files.items()) if file.get("url")}
    paths = place_attachments(names)
    form = YamlForm(snapshot.catalogue, keys, paths, notes)
    writable = WritableProject(_settings(project, title, description, create, api_url))
    writable.suites = {place.key: place for places in suites.values() for place in places.values()}
    bindings: dict[str, Binding] = {}
    for kind in CONTENT_KINDS:
        for live in objects[kind.name]:
            said = form.of(kind, live)
            key = keys[kind.name][live.id]
            writable.objects.append(WritableObject(kind.name, key, said.attributes, _owner(kind, live, keys)))
            bindings[str(kind.address(key))] = binding_of(kind, live, said, keys)
    writable.files = [_file(snapshot, hash, paths[hash]) for hash in paths if hash in form.used]
    if excludes := attachment_excludes(writable.files):
        writable.settings["exclude"] = list[JSON](excludes)
    writable.notes = notes.lines()
    return writable, bindings


def _settings(project: str, title: str, description: str, create: bool, api_url: str) -> dict[str, JSON]:
    settings: dict[str, JSON] = {"project": project}
    settings |= {name: text for name, text in (("title", title), ("description", description)) if text}
    if create:
        settings["create"] = True
    if api_url:
        settings["api"] = {"url": api_url}
    return settings


def creation(live: LiveObject) -> tuple[int, str, str]:
    """Sorts objects in the order in which they were created: by number, else by time."""
    if isinstance(live.id, int):
        return live.id, "", ""
    return 0, str(live.meta.get("created_at") or ""), live.id


# --- places and keys


def _suites(objects: dict[str, list[LiveObject]]) -> dict[str, dict[RemoteId, SuitePlace]]:
    """Kind -> id -> place, of the kinds whose objects are folders."""
    places = {}
    for kind in CONTENT_KINDS:
        if kind.file_name and kind.parent:
            rows = [(live.id, live.title, live.attributes.get(kind.parent)) for live in objects[kind.name]]
            places[kind.name] = place_suites(rows)
    return places


def _keys(
    kind: Kind, objects: Iterable[LiveObject], suites: dict[str, dict[RemoteId, SuitePlace]]
) -> dict[RemoteId, str]:
    if kind.name in suites:
        return {id: place.key for id, place in suites[kind.name].items()}
    label = kind.label.replace(" ", "-")
    return keys_for(Named(live.id, live.title, label, _hint(kind, live, suites)) for live in objects)


def _hint(kind: Kind, live: LiveObject, suites: dict[str, dict[RemoteId, SuitePlace]]) -> str:
    """The name of the suite that an object lies in, to tell it from others of its title."""
    row = kind.by_name.get(kind.parent or "")
    if row is None or not isinstance(row.type, RefTo):
        return ""
    place = suites.get(row.type.kind, {}).get(live.attributes.get(row.name) or "")
    return place.key.rpartition("/")[2] if place else ""


def _owner(kind: Kind, live: LiveObject, keys: Mapping[str, Mapping[RemoteId, str]]) -> str | None:
    """The key of the suite that an object lies in."""
    row = kind.by_name.get(kind.parent or "")
    if row is None or not isinstance(row.type, RefTo):
        return None
    return keys.get(row.type.kind, {}).get(live.attributes.get(row.name) or "")


# --- the state's side


def binding_of(kind: Kind, live: LiveObject, said: Said, keys: Mapping[str, Mapping[RemoteId, str]]) -> Binding:
    """What the state is to know of an object that the files say as `said`. `keys` maps kind -> id -> key."""
    sent = dict(said.live)
    refs = dict(said.refs)
    for row in kind.attributes:
        if row.always_managed and row.name not in sent:
            sent[row.name] = live.attributes.get(row.name)
        if row.structural and isinstance(row.type, RefTo) and (owner := _owner(kind, live, keys)):
            refs[f"{row.type.kind}.{owner}"] = None
    vouched = VOUCHERS if kind.members else ()
    meta = {name: live.meta[name] for name in vouched if live.meta.get(name) is not None}
    return Binding(live.id, sent=sent, depends_on=list(refs), ignore=sorted(said.ignored), meta=meta)


def _file(snapshot: Snapshot, hash: str, path: str) -> WritableFile:
    file = snapshot.files[hash]
    return WritableFile(hash, str(file.get("name") or ""), str(file["url"]), file.get("size"), path)
