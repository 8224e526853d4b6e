"""The workspace's own lists: system fields, custom fields, members, shared parameters (qase-api.md section 11, 12.2).

Whatever is not as the reference says is a BadAnswer: a list taken for empty would turn every word of the YAML wrong.
What the 2020 dialect does not have answers 404, and the tables' stock lists take its place.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

from qase_iac.attributes import Attribute, Options, Words
from qase_iac.errors import BadAnswer, NotFound
from qase_iac.kinds import KINDS
from qase_iac.model import FIELD_TYPES, Catalogue, CustomField, Option
from qase_iac.values import JSON, printable

Entity = dict[str, Any]
Entities = list[Entity]

SYSTEM_FIELDS = "/system_field"
CUSTOM_FIELDS = "/custom_field"
MEMBERS = "/user"
SHARED_PARAMETERS = "/shared_parameter"

_WITH_OPTIONS = frozenset(("selectbox", "radio", "multiselect"))
_CASE = frozenset(("case", "0"))
"""What an entity number or word must be for a field of cases (section 11.2)."""


class Reads(Protocol):
    """What of the client is needed here."""

    def list(self, path: str, params: Mapping[str, str | int] | None = None) -> Entities: ...


def read_catalogue(
    client: Reads, project: str, members: bool | Collection[str] = False, shared_parameters: bool = False
) -> Catalogue:
    """The lists as this project may use them.

    `members`: whether e-mails of members are needed, or the titles of the custom fields for which they are; they are
    read only if a field of type user is among these. `shared_parameters`: whether their ids are needed.
    """
    options = _system_fields(client)
    fields = tuple(_custom_fields(client, project))
    titles = {field.title for field in fields if field.type == "user"}
    wanted = bool(titles) if members is True else bool(members and titles.intersection(members))
    return Catalogue(
        options=options,
        custom_fields=fields,
        members=_members(client) if wanted else None,
        shared_parameters=_shared_parameters(client, project) if shared_parameters else None,
    )


# System fields (section 11.1)


def stock_options() -> dict[str, tuple[Option, ...]]:
    """The option lists of a workspace that never changed them, from the tables; the first option is the default."""
    return {
        name: tuple(Option(id, slug, slug, default=at == 0) for at, (id, slug) in enumerate(row.type.stock))
        for name, row in _fields_of_cases().items()
        if isinstance(row.type, Options)
    }


def _fields_of_cases() -> dict[str, Attribute]:
    """Slug of the system field -> row, for every attribute of cases that takes one of a list of words."""
    rows = [row for kind in KINDS if kind.custom for row in kind.managed]
    return {row.type.field if isinstance(row.type, Options) else row.name: row for row in rows if _has_words(row)}


def _has_words(row: Attribute) -> bool:
    return isinstance(row.type, Options | Words)


def _system_fields(client: Reads) -> dict[str, tuple[Option, ...]]:
    try:
        served = client.list(SYSTEM_FIELDS)
    except NotFound:
        served = []
    options = stock_options()
    for slug, row in _fields_of_cases().items():
        entries = [entry for entry in served if entry.get("slug") == slug and _of_cases(entry)]
        if entries:
            options[slug] = _likest(row, [_options(entry, f"system field {slug!r}") for entry in entries])
    return options


def _likest(row: Attribute, lists: list[tuple[Option, ...]]) -> tuple[Option, ...]:
    """Of several fields of one slug (two are called "Automation status") the one whose words are most like ours."""
    assert isinstance(row.type, Options | Words)
    words = set(row.type.words)
    found = max(lists, key=lambda options: len(words & {option.slug for option in options}))
    if not found:
        raise _odd(SYSTEM_FIELDS, f"the field {row.name!r} without options")
    return found


def _of_cases(entry: Entity) -> bool:
    """Whether a field is one of cases; an entry that does not say so (the 2020 dialect) is."""
    return str(entry.get("entity", "case")).lower() in _CASE


def _options(entry: Entity, what: str) -> tuple[Option, ...]:
    rows = _objects(entry.get("options") or [], SYSTEM_FIELDS, f"the options of {what}")
    return tuple(
        Option(
            _number(row.get("id"), SYSTEM_FIELDS, f"the id of an option of {what}"),
            _text(row.get("slug"), SYSTEM_FIELDS, f"the slug of an option of {what}"),
            str(row.get("title") or row["slug"]),
            bool(row.get("is_default")),
        )
        for row in rows
    )


# Custom fields (section 11.2)


def _custom_fields(client: Reads, project: str) -> Iterator[CustomField]:
    """Fields of cases that the project has; whether a filter was heeded is checked here again."""
    for entry in _served_custom_fields(client, project):
        if not (_of_cases(entry) and _enabled(entry, project)):
            continue
        title = _text(entry.get("title"), CUSTOM_FIELDS, "the title of a custom field")
        type = _field_type(entry, title)
        default = entry.get("default_value")
        yield CustomField(
            id=_number(entry.get("id"), CUSTOM_FIELDS, f"the id of the custom field {title!r}"),
            title=title,
            type=type,
            options=tuple(_field_options(entry.get("value"), title)) if type in _WITH_OPTIONS else (),
            required=bool(entry.get("is_required")),
            default=None if default in (None, "") else str(default),
        )


def _served_custom_fields(client: Reads, project: str) -> Entities:
    try:
        return client.list(CUSTOM_FIELDS, {"entity": "case"})
    except NotFound:
        pass
    try:
        return client.list(f"{CUSTOM_FIELDS}/{project}")  # 2020: a project's own (section 3)
    except NotFound:
        return []


def _enabled(entry: Entity, project: str) -> bool:
    """The 2020 dialect says nothing of projects: its fields are the project's (section 3)."""
    if "is_enabled_for_all_projects" not in entry and "projects_codes" not in entry:
        return True
    codes = entry.get("projects_codes") or ()
    return bool(entry.get("is_enabled_for_all_projects")) or project.upper() in {str(code).upper() for code in codes}


def _field_type(entry: Entity, title: str) -> str:
    """A word in any case, or a number as text (section 11.2). A type that nobody knows yet is read as text."""
    word = str(entry.get("type") if entry.get("type") is not None else "")
    if word.isascii() and word.isdigit():
        return FIELD_TYPES[int(word)] if int(word) < len(FIELD_TYPES) else "string"
    plain = "".join(char for char in word.lower() if char.isalpha())
    if not plain:
        raise _odd(CUSTOM_FIELDS, f"the custom field {title!r} without a type")
    return plain if plain in FIELD_TYPES else "string"


def _field_options(value: JSON, title: str) -> Iterator[Option]:
    """`value` is a JSON text that holds a list (a list as it is in v2); an option's slug is its title here."""
    what = f"the options of the custom field {title!r}"
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _odd(CUSTOM_FIELDS, what) from None
    for row in _objects(value, CUSTOM_FIELDS, what):
        name = _text(row.get("title"), CUSTOM_FIELDS, what)
        yield Option(_number(row.get("id"), CUSTOM_FIELDS, what), name, name)


# Members and shared parameters (sections 12.2 and 11.3)


def _members(client: Reads) -> dict[str, int]:
    """E-mail -> id. Accounts without an e-mail cannot be written in YAML; the first one of an address counts."""
    found: dict[str, int] = {}
    for user in client.list(MEMBERS):
        if email := str(user.get("email") or "").strip():
            found.setdefault(email, _number(user.get("id"), MEMBERS, "the id of a member"))
    return found


def _shared_parameters(client: Reads, project: str) -> dict[str, str]:
    """Title -> uuid of those that the project may use; a title that several bear names none of them."""
    try:
        served = client.list(SHARED_PARAMETERS)
    except NotFound:
        return {}
    found: dict[str, list[str]] = {}
    for entry in served:
        codes = {"projects_codes": entry.get("project_codes"), **entry}  # named otherwise than at custom fields
        if _enabled(codes, project):
            title = _text(entry.get("title"), SHARED_PARAMETERS, "the title of a shared parameter")
            found.setdefault(title, []).append(_text(entry.get("id"), SHARED_PARAMETERS, f"the id of {title!r}"))
    return {title: ids[0] for title, ids in found.items() if len(ids) == 1}


# What an answer must be


def _objects(value: JSON, path: str, what: str) -> Iterable[Entity]:
    if not (isinstance(value, list) and all(isinstance(row, dict) for row in value)):
        raise _odd(path, what)
    return value


def _number(value: JSON, path: str, what: str) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise _odd(path, what)
    return int(value)


def _text(value: JSON, path: str, what: str) -> str:
    if not (isinstance(value, str) and value):
        raise _odd(path, what)
    return value


def _odd(path: str, what: str) -> BadAnswer:
    return BadAnswer(
        f"Qase gave something else than {printable(what)}, or nothing, in {path}.",
        "Without the workspace's own lists no word of the YAML can be understood, so nothing is planned.",
        "Try again; if it lasts, report it: the API may have changed.",
        method="GET",
        path=path,
    )
