"""Objects as a run found them -> content files to bring them back from. Pure; workflow/backing.py writes them.

What was deleted can be copied into the project folder as it is. What was overwritten shows every attribute as it was,
for people to copy what they want back. No title gets into a path: names are made of the run's, folders are those in
which the project's own files stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, RefTo
from qase_iac.config.dump import dump
from qase_iac.config.writer import MAX_PART
from qase_iac.convert.notes import Notes
from qase_iac.convert.yaml_form import YamlForm
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Catalogue, LiveObject
from qase_iac.plan.model import Action, Change
from qase_iac.values import JSON, Attributes, RemoteId

DELETED, OVERWRITTEN, PASTE = "deleted", "overwritten", "paste"
HEADS = {
    DELETED: "# Deleted by the run {run}. In the project folder, the next plan creates these again.\n",
    OVERWRITTEN: "# As these were before the run {run} changed them. Copy what you want back over your own lines.\n",
    PASTE: "# Deleted by the run {run}. Paste each below `suites:` of the suite that it stands under here.\n",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """One object that a run deletes or overwrites: what it meant to do, and the object as it was read."""

    change: Change
    live: LiveObject

    @property
    def kind(self) -> Kind:
        return BY_NAME[self.change.kind]

    @property
    def deleted(self) -> bool:
        return self.change.action is Action.DELETE


@dataclass(frozen=True)
class Surroundings:
    """What the content files need to know of the project.

    `keys` maps kind -> id -> key of what the files declare after the run, and of what it deletes. `paths` maps the
    hash of a file to its path below the project folder. `folders` maps the key of a suite with a file of its own to
    its folder ("" is the project's). `defaults` maps a kind to the attributes that qase.yaml fills in.
    """

    catalogue: Catalogue
    keys: Mapping[str, Mapping[RemoteId, str]]
    paths: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Collection[str]] = field(default_factory=dict)


def content_files(kept: Iterable[Kept], around: Surroundings, run: str) -> tuple[dict[str, str], list[str]]:
    """Path below the backup -> text, and what the YAML cannot say, for people. `run` is the run's name."""
    kept = [each for each in kept if each.kind in CONTENT_KINDS]
    notes = Notes()
    places = _Places([each for each in kept if each.deleted], around, notes)
    form = YamlForm(around.catalogue, places.keys, around.paths, notes)
    sections: dict[str, dict[str, dict[str, JSON]]] = {}
    for each in sorted(kept, key=_creation):
        attributes = _attributes(each, form, places.keys, around.defaults.get(each.kind.name, ()))
        file, segments = places.of(each, run)
        _nest(sections.setdefault(file, {}).setdefault(each.kind.section, {}), each.kind, segments, attributes)
    texts: dict[str, str] = {}
    for file, content in sections.items():
        head = HEADS[file.partition("/")[0]].format(run=run)
        for at, text in enumerate(_parts(content), start=1):
            texts[f"{file}{f'_{at:03}' if at > 1 else ''}.yaml"] = head + text
    return texts, notes.lines()


def _creation(kept: Kept) -> tuple[int, int, str]:
    """Sorts by kind and age: the order in which Qase is to get them again."""
    id = kept.live.id
    number = (id, "") if isinstance(id, int) else (0, str(kept.live.meta.get("created_at") or ""))
    return CONTENT_KINDS.index(kept.kind), *number


# --- one object


def _attributes(
    kept: Kept, form: YamlForm, keys: Mapping[str, Mapping[RemoteId, str]], defaults: Collection[str]
) -> Attributes:
    """All that the object held, and `null` where leaving an attribute out would mean something else than nothing."""
    kind, live = kept.kind, kept.live
    said = form.of(kind, live).attributes
    place = kind.by_name.get(kind.parent or "")
    if place and not place.structural and place.name not in said and (kept.deleted or place.name in kept.change.sent):
        assert isinstance(place.type, RefTo)
        said[place.name] = keys.get(place.type.kind, {}).get(live.attributes.get(place.name) or "")
    for name in defaults if kept.deleted else kept.change.sent:
        _clear(kind, live, name, said)
    return {name: said[name] for name in kind.sort_names(said)}


def _clear(kind: Kind, live: LiveObject, name: str, said: Attributes) -> None:
    """Says that an attribute was empty."""
    row = kind.attribute(name)
    if row.structural or row.required or row.type.canon(live.attributes.get(name)):
        return
    group, _, title = name.partition(".")
    if title and group == CUSTOM_FIELD_PREFIX.removesuffix("."):
        said.setdefault(group, {}).setdefault(title, None)
    elif not any(other in said for pair in kind.exclusive if name in pair for other in pair):
        said.setdefault(name, None)


# --- where it stands


class _Places:
    """Which file each object goes to, and under which key.

    A suite is declared inside its parent: one whose parent goes as well stands in it, one whose parent has a file of
    its own in that folder, and one whose parent is an entry of a section has to be pasted there by hand.
    """

    def __init__(self, deleted: Iterable[Kept], around: Surroundings, notes: Notes) -> None:
        self.keys = {kind: dict(keys) for kind, keys in around.keys.items()}
        self._folders = around.folders
        self._notes = notes
        self._found: dict[tuple[str, RemoteId], tuple[str, list[str]]] = {}
        nested = {(each.change.kind, each.live.id): each for each in deleted if each.kind.nested_keys}
        while nested:
            level = [at for at, each in nested.items() if (at[0], _parent(each)) not in nested]
            for at in level or list(nested):  # suites that are shown as a ring are nobody's children
                self._place(nested.pop(at))

    def of(self, kept: Kept, run: str) -> tuple[str, list[str]]:
        """(file without its ending, the segments of the key in it)."""
        nested = kept.kind.nested_keys
        if not kept.deleted:
            return OVERWRITTEN, kept.change.key.split("/") if nested else [kept.change.key]
        if not nested:
            return f"{DELETED}/restored-{run}", [kept.change.key]
        folder, segments = self._found[kept.change.kind, kept.live.id]
        return f"{DELETED}/{folder}restored-{run}" if folder != PASTE else PASTE, segments

    def _place(self, kept: Kept) -> None:
        kind, parent = kept.change.kind, _parent(kept)
        own = kept.change.key.rpartition("/")[2]
        keys = self.keys.setdefault(kind, {})
        above = keys.get(parent) if parent is not None else None
        key = f"{above}/{own}" if above else own
        if key != kept.change.key and key in keys.values():
            own, key = f"{own}-{kept.live.id}", f"{key}-{kept.live.id}"
        keys[kept.live.id] = key
        self._found[kind, kept.live.id] = self._below(kind, parent, above, own)
        if parent is not None and above is None:
            what = f"at the top, for want of the {kept.kind.label} that it lay in: {kept.kind.label}s"
            self._notes.add(what, str(kept.change.address))
        elif key != kept.change.key:
            self._notes.add("under a key that says where it lay", f"{kept.change.address} is now {kind}.{key}")

    def _below(self, kind: str, parent: RemoteId | None, above: str | None, own: str) -> tuple[str, list[str]]:
        if parent is not None and (kind, parent) in self._found:
            folder, segments = self._found[kind, parent]
            return folder, [*segments, own]
        if above is None:
            return (PASTE if "" in self._folders.values() else ""), [own]
        if above in self._folders:
            return (self._folders[above] + "/" if self._folders[above] else ""), [own]
        return PASTE, [*above.split("/"), own]


def _parent(kept: Kept) -> RemoteId | None:
    parent: RemoteId | None = kept.live.attributes.get(kept.kind.parent or "")
    return parent


def _nest(entries: dict[str, JSON], kind: Kind, segments: list[str], attributes: Attributes) -> None:
    """Puts attributes under a key; those above that are not in the backup hold nothing but what lies in them."""
    for segment in segments[:-1]:
        entries = entries.setdefault(segment, {}).setdefault(kind.section, {})
    inside = entries.get(segments[-1], {}).get(kind.section)
    entries[segments[-1]] = {**attributes, **({kind.section: inside} if inside else {})}


# --- the texts


def _parts(sections: Mapping[str, Mapping[str, JSON]]) -> Iterator[str]:
    """The texts of the files of these sections: one, or several when it grows too long."""
    lines: list[str] = []
    size, last = 0, ""
    for section, entries in sections.items():
        for key, attributes in entries.items():
            entry = dump({section: {key: attributes}}).partition("\n")[2]
            if size and size + len(entry) > MAX_PART:
                yield "".join(lines)
                lines, size, last = [], 0, ""
            if lines and not lines[-1].endswith("\n\n"):  # such a one ends in a block that keeps its last lines
                lines.append("\n")
            lines += [entry] if section == last else [f"{section}:\n", entry]
            size, last = size + len(entry), section
    yield "".join(lines)
