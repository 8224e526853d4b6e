"""A state -> a seed of the emulator that holds the project as the state remembers it. Pure.

Where nothing may be asked of Qase (a pull request from a fork has no token), a plan against the emulator filled so says
what a plan against Qase would: every bound object is there under its id, with what Qase held of it after the last
apply. What the state does not remember is not there: objects that are not managed, attributes that the files leave out,
the bytes of attachments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count

from qase_iac.api.catalogue import stock_options
from qase_iac.api.codec import encode
from qase_iac.apply.sound import check_state
from qase_iac.apply.workspace import BIGGEST_ID, Other, Workspace, read_workspace
from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Options, ResolveError
from qase_iac.attributes.refs import HASH
from qase_iac.attributes.text import canonical_instant
from qase_iac.errors import StateError
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Catalogue, CustomField, Option
from qase_iac.state.given import parse_given
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes, RemoteId, printable

SELECTS = ("selectbox", "radio", "multiselect")
_ODD = (ResolveError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What encoding raises for values that no version of ours wrote."""
_STEPS: list[JSON] = [{"action": "What is done here is not in the state."}]


@dataclass(frozen=True, slots=True)
class _Object:
    """What is to be in the emulator; `name` says to people what it is."""

    kind: Kind
    id: RemoteId
    values: Attributes
    name: str


def seed_from_state(content: bytes, name: str, words: Catalogue) -> dict[str, JSON]:
    """The seed for a file called `name`. Raises StateError for what is no sound state.

    `words` are the folder's catalogue.yaml: they count for what a state of an earlier version does not remember.
    """
    state = parse_given(content, name)
    check_state(state, name)
    try:
        workspace = read_workspace(state.workspace)
    except ValueError as error:
        raise _unusable(name, str(error)) from None
    objects = [*_bound(state), *_strangers(state, workspace)]
    catalogue = _catalogue(objects, workspace.catalogue, words)
    shared = _shared_parameters(objects, workspace.catalogue)
    sections: dict[str, JSON] = {"attachments": _files(state, objects, name)}
    for kind in CONTENT_KINDS:
        mine = _parents_first([each for each in objects if each.kind is kind], name)
        sections[kind.section] = [_body(each, catalogue, name) for each in mine]
    return {
        "projects": [{"code": state.project, "title": state.project}],
        "custom_fields": [_field(each) for each in catalogue.custom_fields],
        "system_fields": {each: _options(catalogue.options[each]) for each in sorted(_word_fields())},
        "shared_parameters": shared,
        "salt": state.lineage,
        "content": {state.project: sections},
    }


def _unusable(name: str, why: str) -> StateError:
    summary = f"No emulator can be filled from {printable(name)}."
    return StateError(summary, printable(why), "`qase-iac state pull` prints the state as it is stored; use that.")


# --- the objects


def _bound(state: State) -> Iterator[_Object]:
    """Everything bound, or about to be by a pull, with what Qase held of it last."""
    seen: set[tuple[str, RemoteId]] = set()
    for address, binding in (*state.bindings.items(), *state.pulled.items()):
        kind, _, key = address.partition(".")
        if (kind, binding.id) in seen:
            continue
        seen.add((kind, binding.id))
        values = {**binding.sent, **binding.served}
        values["title"] = values.get("title") or key
        yield _Object(BY_NAME[kind], binding.id, values, address)


def _strangers(state: State, workspace: Workspace) -> Iterator[_Object]:
    """What bound objects refer to and the state does not manage: no more of it than that it is there."""
    bound = list(_bound(state))
    known = {(each.kind.name, each.id) for each in bound}
    wanted = set(workspace.others)
    for each in bound:
        wanted |= {(kind, id) for kind, id in _refs(each) if kind in BY_NAME}
    for kind_name, id in sorted(wanted - known, key=str):
        kind = BY_NAME[kind_name]
        other = workspace.others.get((kind_name, id), Other(f"{kind.label} {id}, which is not managed"))
        values: Attributes = {"title": other.title}
        if kind.nested_keys and kind.parent:
            values[kind.parent] = other.parent
        yield _Object(kind, id, values, f"the {kind.label} {id}")


def _refs(each: _Object) -> Iterator[tuple[str, JSON]]:
    for row in each.kind.references:
        yield from row.type.refs(each.values.get(row.name))


def _parents_first(objects: list[_Object], name: str) -> list[_Object]:
    """By id, but nothing before what it lies in. Raises StateError when they lie in each other."""
    waiting = {each.id: each for each in sorted(objects, key=lambda each: (isinstance(each.id, str), each.id))}
    ordered: list[_Object] = []
    while waiting:
        ready = [each for each in waiting.values() if not each.kind.nested_keys or _place(each) not in waiting]
        if not ready:
            raise _unusable(name, f"{next(iter(waiting.values())).name} and others lie in each other, in a ring")
        ordered += ready
        for each in ready:
            del waiting[each.id]
    return ordered


def _place(each: _Object) -> RemoteId | None:
    place: RemoteId | None = each.values.get(each.kind.parent or "")
    return place


def _body(each: _Object, catalogue: Catalogue, name: str) -> dict[str, JSON]:
    """The body of a create, and the id."""
    if isinstance(each.id, int) and each.id > BIGGEST_ID:
        raise _unusable(name, f"{each.name}: no id is as high as {each.id}")
    values = dict(each.values)
    for row in each.kind.attributes:
        if row.required and not values.get(row.name):
            values[row.name] = _STEPS
    try:
        body = encode(each.kind, values, catalogue, creating=True)
    except _ODD as error:
        raise _unusable(name, f"{each.name}: {error}") from None
    return {**body, each.kind.id_key: each.id}


def _files(state: State, objects: Iterable[_Object], name: str) -> list[JSON]:
    """Every attachment that is known of, or that an object has."""
    found: dict[str, dict[str, JSON]] = {}
    for sha, entry in state.files.items():
        about = {key: entry[key] for key in ("name", "size") if entry.get(key) is not None}
        for hash in (entry["hash"], *entry.get("also", ())):
            found[hash] = {"hash": hash, **about, "sha256": sha}
    for each in objects:
        for kind, hash in _refs(each):
            if kind == "attachment":
                found.setdefault(str(hash), {"hash": hash})
    for hash in found:
        if not HASH.match(hash):
            raise _unusable(name, f"{hash!r} is no hash of an attachment")
    return [found[hash] for hash in sorted(found)]


# --- the workspace


def _word_fields() -> dict[str, str]:
    """System field -> attribute of a case, for those with a list of options."""
    rows = [row for kind in CONTENT_KINDS if kind.custom for row in kind.attributes]
    return {row.type.field: row.name for row in rows if isinstance(row.type, Options)}


def _catalogue(objects: list[_Object], known: Catalogue, words: Catalogue) -> Catalogue:
    """The workspace's lists, with every word that an object has in them."""
    stock = stock_options()
    options = {}
    for field, attribute in _word_fields().items():
        met = [each.values[attribute] for each in objects if each.kind.custom and each.values.get(attribute)]
        options[field] = _with(known.options.get(field) or words.options.get(field) or stock[field], met)
    return Catalogue(options, tuple(_custom_fields(objects, known, words)), members={}, live=False)


def _with(options: Iterable[Option], met: Iterable[JSON]) -> tuple[Option, ...]:
    """The options and, under ids of their own, those that are met and not among them."""
    found = {option.slug: option for option in options}
    free = count(max((option.id for option in found.values()), default=0) + 1)
    for word in dict.fromkeys(map(str, met)):
        found.setdefault(word, Option(next(free), word, word))
    return tuple(found.values())


def _custom_fields(objects: list[_Object], known: Catalogue, words: Catalogue) -> Iterator[CustomField]:
    met: dict[str, list[JSON]] = {}
    for each in objects:
        for name, value in each.values.items():
            if name.startswith(CUSTOM_FIELD_PREFIX):
                met.setdefault(name.removeprefix(CUSTOM_FIELD_PREFIX), []).append(value)
    given = {field.title: field for field in reversed(known.custom_fields)}
    free = count(max((field.id for field in given.values()), default=0) + 1)
    for field in words.custom_fields:
        given.setdefault(field.title, _numbered(field, next(free)))
    for title in met:
        given.setdefault(title, CustomField(next(free), title, ""))
    for field in sorted(given.values(), key=lambda field: field.id):
        yield _fitted(field, [value for value in met.get(field.title, ()) if value not in (None, "", [])])


def _numbered(field: CustomField, id: int) -> CustomField:
    """catalogue.yaml holds no ids."""
    return replace(field, id=id, options=tuple(replace(o, id=at) for at, o in enumerate(field.options, 1)))


def _fitted(field: CustomField, met: list[JSON]) -> CustomField:
    """The field with a type that takes every value that is met, and with all of them among its options.

    Where the emulator would check more than is known here (members, addresses), it is a plain text: the plan is the
    same.
    """
    type_ = field.type or next((name for name, check in _SHAPES.items() if met and all(map(check, met))), "text")
    if (type_ not in _SHAPES and type_ not in SELECTS) or not all(map(_SHAPES.get(type_, _is_text), met)):
        type_ = "text"
    if type_ not in SELECTS:
        return replace(field, type=type_, options=())
    titles = [title for value in met for title in (value if isinstance(value, list) else [value])]
    return replace(field, type=type_, options=_with(field.options, titles))


def _is_date(value: JSON) -> bool:
    try:
        return isinstance(value, str) and canonical_instant(value) == value
    except ValueError:
        return False


def _is_text(value: JSON) -> bool:
    return isinstance(value, str)


_SHAPES = {
    "checkbox": lambda value: isinstance(value, bool),
    "number": lambda value: type(value) in (int, float),
    "multiselect": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "datetime": _is_date,
}
"""Type of a custom field -> whether a value is one of it."""


def _field(field: CustomField) -> dict[str, JSON]:
    entry: dict[str, JSON] = {"id": field.id, "title": field.title, "type": field.type}
    if field.type in SELECTS:
        options = [{"id": option.id, "title": option.title} for option in field.options]
        entry["options"] = options or [{"id": 1, "title": "-"}]
    return entry


def _options(options: Iterable[Option]) -> list[JSON]:
    return [{"id": o.id, "slug": o.slug, "title": o.title} | ({"default": True} if o.default else {}) for o in options]


def _shared_parameters(objects: list[_Object], known: Catalogue) -> list[JSON]:
    """Those that are known by title, and those that cases have; what values they give is not known."""
    titles: Mapping[str, str] = {uuid: title for title, uuid in (known.shared_parameters or {}).items()}
    met = dict.fromkeys(str(ref) for each in objects for kind, ref in _refs(each) if kind == "shared_parameter")
    return [
        {"id": uuid, "title": title, "parameters": [{"title": title, "values": ["not in the state"]}]}
        for uuid in {**dict.fromkeys(titles), **met}
        if (title := titles.get(uuid, f"shared parameter {uuid}"))
    ]
