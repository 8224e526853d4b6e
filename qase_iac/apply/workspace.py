"""What the state remembers of the workspace, so that an emulator can be filled from it (convert/state_seed.py).

    {"custom_fields": [{"id": 3, "title": "Component", "type": "selectbox", "options": [[1, "Cart"]]}],
     "options": {"layer": [[3, "e2e", "E2E", false]]}, "shared_parameters": {"<uuid>": "Browsers"},
     "others": [{"kind": "suite", "id": 7, "title": "Legacy", "parent": null}]}

`others` are the objects that the files refer to without declaring them. No member of the workspace is in it: nobody's
e-mail but those that the cases themselves hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from qase_iac.kinds import BY_NAME
from qase_iac.model import FIELD_TYPES, Catalogue, CustomField, Desired, Option, Snapshot
from qase_iac.values import JSON, RemoteId

BIGGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Other:
    """An object of somebody else: its title, and the object of its kind that it lies in."""

    title: str
    parent: RemoteId | None = None


@dataclass(frozen=True)
class Workspace:
    """`catalogue` has no members; `others` maps (kind, id) -> object."""

    catalogue: Catalogue = field(default_factory=lambda: Catalogue(live=False))
    others: Mapping[tuple[str, RemoteId], Other] = field(default_factory=dict)


def workspace_of(snapshot: Snapshot, desired: Desired) -> dict[str, JSON]:
    """What to remember after a reading; `desired` is resolved."""
    known = snapshot.catalogue
    return {
        "custom_fields": [_field(each) for each in sorted(known.custom_fields, key=lambda each: each.id)],
        "options": {
            name: [[o.id, o.slug, o.title, o.default] for o in options]
            for name, options in sorted(known.options.items())
        },
        "shared_parameters": {uuid: title for title, uuid in sorted((known.shared_parameters or {}).items())},
        "others": _others(snapshot, desired),
    }


def _field(known: CustomField) -> dict[str, JSON]:
    entry: dict[str, JSON] = {"id": known.id, "title": known.title, "type": known.type}
    if known.options:
        entry["options"] = [[option.id, option.title] for option in known.options]
    return entry


def _others(snapshot: Snapshot, desired: Desired) -> list[JSON]:
    """Each object that is referred to by title or id, and the suites above it."""
    found: dict[tuple[str, RemoteId], JSON] = {}
    for kind, id in _externals(desired):
        at: RemoteId | None = id
        while at is not None and (kind, at) not in found and (live := snapshot.get(kind, at)):
            above = live.attributes.get(BY_NAME[kind].parent or "") if BY_NAME[kind].nested_keys else None
            found[kind, at] = {"kind": kind, "id": at, "title": live.title, "parent": above}
            at = above
    return [found[key] for key in sorted(found, key=str)]


def _externals(desired: Desired) -> Iterator[tuple[str, RemoteId]]:
    for address, resource in desired.resources.items():
        for row in BY_NAME[address.kind].references:
            for kind, ref in row.type.refs(resource.attributes.get(row.name)):
                if kind in BY_NAME and isinstance(ref, dict) and "external_id" in ref:
                    yield kind, ref["external_id"]


def read_workspace(data: Mapping[str, Any]) -> Workspace:
    """What `workspace_of` made. Raises ValueError for anything else."""
    try:
        fields = tuple(_read_field(entry) for entry in data.get("custom_fields", ()))
        options = {_text(name): tuple(_option(o) for o in each) for name, each in data.get("options", {}).items()}
        shared = {_text(title): _text(uuid) for uuid, title in data.get("shared_parameters", {}).items()}
        others = {_identity(each): Other(_text(each["title"]), each["parent"]) for each in data.get("others", ())}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"its `workspace` is not one of ours ({type(error).__name__}: {error})") from None
    return Workspace(Catalogue(options, fields, None, shared, live=False), others)


def _read_field(entry: Mapping[str, Any]) -> CustomField:
    type_ = entry["type"]
    if type_ not in FIELD_TYPES:
        raise TypeError(f"{type_!r} is no type of a custom field")
    options = tuple(Option(_number(id), _text(title), title) for id, title in entry.get("options", ()))
    return CustomField(_number(entry["id"]), _text(entry["title"]), type_, options)


def _option(row: Any) -> Option:
    id, slug, title, default = row
    return Option(_number(id), _text(slug), _text(title), default is True)


def _identity(entry: Mapping[str, Any]) -> tuple[str, RemoteId]:
    id, parent = entry["id"], entry["parent"]
    if entry["kind"] not in BY_NAME or not all(type(each) in (int, str) for each in (id, parent or 0)):
        raise TypeError("an entry of `others` names no object")
    return entry["kind"], id


def _number(value: JSON) -> int:
    if type(value) is not int or not 0 <= value <= BIGGEST_ID:
        raise TypeError(f"{value!r} is no id")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{value!r} is no text")
    return value
