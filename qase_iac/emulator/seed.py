"""Seeds: what a workspace holds before the first request.

A seed is a YAML file (or a mapping) with any of these keys::

    projects:                     # projects that exist already
      - {code: SHOP, title: Web shop}
    custom_fields:
      - title: Component
        type: selectbox           # string text number selectbox radio multiselect checkbox url user datetime
        options: [Cart, {id: 7, title: Search}]   # option types only; ids count from 1 unless given
        id: 3                     # default: the next free one
        required: false
        default: null             # the stored text: an option's id, "1" for a checkbox, ...
        projects: [SHOP]          # default: all projects
        entity: case              # case, run or defect
        placeholder: null
    system_fields:                # replaces the stock option list of that field
      severity:
        - {id: 11, slug: showstopper, title: Show stopper}
        - {id: 12, slug: normal, title: Normal, default: true}
    users:                        # members; without this key there is one, id 1
      - {id: 1, name: Ada, email: ada@example.com, title: Owner}
    shared_parameters:
      - title: Browser
        type: single              # or group
        parameters: [{title: Browser, values: [Firefox, Chrome]}]
        id: 2b1c6f0e-0000-4000-8000-000000000001   # default: made up
    tokens: {secret: owner, look: reader}          # tokens and their roles; asked for once there is one
    salt: text                    # two databases with one salt hand out the same hashes
    content: {SHOP: {suites: [{id: 1, title: Checkout}]}}   # objects in projects: seed_content.py

Unknown keys are refused. A seed is applied once to a database; a changed one adds what is missing, found
by code, title, slug or e-mail, and takes nothing away.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import crud
from .context import Context, canonical
from .custom_fields import CUSTOM_FIELD, ENTITIES, TYPES, WITH_OPTIONS
from .errors import ApiError
from .parameters import SHARED_PARAMETER
from .seed_content import apply_content, check_content, known, listed
from .store import Doc
from .workspace import PROJECT, stock_options, system_fields

ROLES = ("owner", "reader")
KEYS = {
    "projects": {"code", "title", "description"},
    "custom_fields": {
        "id", "title", "type", "options", "required", "default", "projects", "entity", "placeholder",
    },
    "users": {"id", "name", "email", "title"},
    "shared_parameters": {"id", "title", "type", "parameters", "projects"},
}  # fmt: skip
OPTION_KEYS = {"id", "slug", "title", "default"}
MOST_VALUES = 1_000_000
MAX_DEPTH = 50
OWNER = {"id": 1, "name": "Owner", "email": "owner@example.com", "title": "Owner"}


def load_seed(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read and check a seed file; ValueError says what is wrong with it."""
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        _check_depth(text)
        seed = yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{os.fspath(path)}: not a YAML file: {error}") from None
    except ValueError as error:  # a date that does not exist, a number or a depth beyond all bounds
        raise ValueError(f"{os.fspath(path)}: this cannot be read: {error}") from None
    seed = {} if seed is None else seed
    try:
        _bounded(seed)
        check_seed(seed)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
    return dict(seed)


def _check_depth(text: str) -> None:
    """Refuses deep nesting, on which the loader, written in C, would crash the process."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"it nests more than {MAX_DEPTH} levels deep")


def _bounded(seed: object) -> None:
    """Refuses what aliases make too large, or without an end, and bytes: few lines of YAML can fill any memory."""
    todo, count = [seed], 0
    while todo:
        value = todo.pop()
        count += 1
        if count > MOST_VALUES:
            raise ValueError(f"it holds more than {MOST_VALUES:,} values, aliases expanded")
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list | tuple | set):
            todo += value
        elif isinstance(value, bytes):
            raise ValueError("it holds binary data (`!!binary`), which no field takes")


def check_seed(seed: object) -> None:
    """Refuse what is misspelt: a field that was not made shows up far away from its cause."""
    top = {*KEYS, "system_fields", "tokens", "salt", "content"}
    known(seed, top, "the seed")
    assert isinstance(seed, Mapping)
    for name, keys in KEYS.items():
        for index, item in enumerate(_items(seed, name)):
            known(item, keys, f"{name}[{index}]")
            _check_item(name, item, f"{name}[{index}]")
    fields = _mapping(seed, "system_fields")
    for slug, options in fields.items():
        _check_options(slug, options)
    for token, role in _mapping(seed, "tokens").items():
        if role not in ROLES:
            raise ValueError(f"tokens: the role of {token!r} is one of {', '.join(ROLES)}, not {role!r}")
    check_content(_mapping(seed, "content"))


def _items(seed: Mapping[str, Any], name: str) -> Sequence[Any]:
    return listed(seed.get(name) or [], name)


def _mapping(seed: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = seed.get(name) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{name} must be a mapping, not {type(value).__name__}")
    return value


def _check_item(name: str, item: Mapping[str, Any], where: str) -> None:
    needed = {"projects": ("code", "title"), "users": ("name", "email"), "shared_parameters": ("title", "parameters")}
    for key in needed.get(name, ("title", "type")):
        if item.get(key) in (None, ""):
            raise ValueError(f"{where}: {key!r} is missing")
    if name != "custom_fields":
        return
    if item["type"] not in TYPES:
        raise ValueError(f"{where}: type is one of {', '.join(TYPES)}, not {item['type']!r}")
    if item.get("entity", "case") not in ENTITIES:
        raise ValueError(f"{where}: entity is one of {', '.join(ENTITIES)}, not {item['entity']!r}")
    if bool(item.get("options")) != (TYPES.index(item["type"]) in WITH_OPTIONS):
        raise ValueError(f"{where}: 'options' belongs to selectbox, radio and multiselect, and must be there")


def _check_options(slug: str, options: object) -> None:
    try:
        stock_options(slug)
    except KeyError:
        raise ValueError(f"system_fields: there is no field {slug!r} with options") from None
    if not isinstance(options, Sequence) or isinstance(options, str) or not options:
        raise ValueError(f"system_fields.{slug} must be a list of options")
    for index, option in enumerate(options):
        where = f"system_fields.{slug}[{index}]"
        known(option, OPTION_KEYS, where)
        for key in ("id", "slug", "title"):
            if option.get(key) is None:
                raise ValueError(f"{where}: {key!r} is missing")


# -- applying --------------------------------------------------------------------------------------------


def apply_seed(ctx: Context, seed: Mapping[str, Any]) -> None:
    """Bring the database up to the seed; does nothing when this very seed was applied before."""
    check_seed(seed)
    mark = canonical(seed)
    if ctx.store.meta("seed") == mark:
        return
    if ctx.store.meta("seed") is None and seed.get("salt"):
        ctx.store.set_meta("salt", str(seed["salt"]))
    _system_fields(ctx, _mapping(seed, "system_fields"))
    steps: tuple[tuple[str, Callable[[Context, Mapping[str, Any]], None]], ...] = (
        ("users", _user),
        ("projects", _project),
        ("custom_fields", _custom_field),
        ("shared_parameters", _shared_parameter),
    )
    for name, add in steps:
        for item in _items(seed, name):
            add(ctx, item)
    if ctx.store.count("user", "") == 0:
        _user(ctx, OWNER)
    apply_content(ctx, _mapping(seed, "content"))
    ctx.store.set_meta("seed", mark)


def _system_fields(ctx: Context, seeded: Mapping[str, Any]) -> None:
    for doc in system_fields({slug: [dict(one) for one in options] for slug, options in seeded.items()}):
        known = ctx.store.find("system_field", "", doc["slug"])
        if known is None:
            ctx.store.put("system_field", "", {"id": ctx.store.next("", "system_field"), **doc}, key=doc["slug"])
        elif doc["slug"] in seeded:
            have = {option["slug"] for option in known["options"]}
            known["options"] += [{**one, "is_default": False} for one in doc["options"] if one["slug"] not in have]
            ctx.store.put("system_field", "", known, key=doc["slug"])


def _present(ctx: Context, kind: str, name: str, value: object) -> bool:
    return any(doc[name] == value for doc in ctx.store.select(kind, ""))


def _next_id(ctx: Context, kind: str, chosen: int | None) -> int:
    if chosen is None:
        return ctx.store.next("", kind)
    if ctx.store.exists(kind, "", chosen):
        raise ValueError(f"the {kind} with id {chosen} exists already under another name")
    ctx.store.raise_counter("", kind, chosen)
    return chosen


def _user(ctx: Context, item: Mapping[str, Any]) -> None:
    if not _present(ctx, "user", "email", item["email"]):
        id = _next_id(ctx, "user", item.get("id"))
        doc = {"name": item["name"], "email": item["email"], "title": item.get("title") or "", "status": 1}
        ctx.store.put("user", "", {"id": id, **doc})


def _project(ctx: Context, item: Mapping[str, Any]) -> None:
    if ctx.store.find("project", "", str(item["code"]).upper()) is None:
        code = str(item["code"]).upper()
        if not re.fullmatch("[A-Z0-9_]{2,10}", code):  # made in the UI it may hold digits (section 5)
            raise ValueError(f"project {code}: a code is 2 to 10 letters or digits")
        crud.add(ctx, PROJECT, "", {"code": code, "title": str(item["title"])})


def _custom_field(ctx: Context, item: Mapping[str, Any]) -> None:
    if _present(ctx, "custom_field", "title", item["title"]):
        return
    default = item.get("default")
    body = {
        "title": item["title"],
        "type": TYPES.index(item["type"]),
        "entity": ENTITIES.index(item.get("entity", "case")),
        "value": _options(item.get("options") or []) or None,
        "default_value": None if default is None else str(default),
        "placeholder": item.get("placeholder"),
        "is_required": bool(item.get("required")),
        "is_visible": True,
        "is_enabled_for_all_projects": not item.get("projects"),
    }
    # Not checked: the project may be one that a test has yet to create.
    codes = [str(code).upper() for code in item.get("projects") or []]
    try:
        values = crud.checked(ctx, CUSTOM_FIELD, "", body, patch=False)
        doc = crud.add(ctx, CUSTOM_FIELD, "", {**values, "id": _next_id(ctx, "custom_field", item.get("id"))})
        crud.save(ctx, CUSTOM_FIELD, "", {**doc, "projects_codes": codes})
    except ApiError as error:
        raise ValueError(f"custom field {item['title']!r}: {error.problems}") from None


def _options(options: Sequence[Any]) -> list[Doc]:
    """Options with ids: the given ones, and the lowest free numbers for the rest."""
    docs = [dict(one) if isinstance(one, Mapping) else {"title": str(one)} for one in options]
    taken = {doc["id"] for doc in docs if doc.get("id")}
    free = (number for number in itertools.count(1) if number not in taken)
    return [{**doc, "id": doc.get("id") or next(free)} for doc in docs]


def _shared_parameter(ctx: Context, item: Mapping[str, Any]) -> None:
    if _present(ctx, "shared_parameter", "title", item["title"]):
        return
    body: Doc = {
        "title": item["title"],
        "type": item.get("type", "single"),
        "parameters": [dict(one) for one in item["parameters"]],
        "project_codes": list(item.get("projects") or []),
        "is_enabled_for_all_projects": not item.get("projects"),
    }
    doc = _create(ctx, SHARED_PARAMETER, body, f"shared parameter {item['title']!r}")
    if item.get("id"):
        crud.save(ctx, SHARED_PARAMETER, "", {**doc, "uuid": str(item["id"])})


def _create(ctx: Context, kind: crud.Kind, body: Doc, what: str) -> Doc:
    try:
        return crud.create(ctx, kind, "", body)
    except ApiError as error:
        problems = "; ".join(message for _, message in error.problems) or error.message
        raise ValueError(f"{what}: {problems}") from None
