"""KINDS and the table of settings -> JSON Schema (draft 7), for editors that complete and explain while one types.

Only keywords that editors share: `type`, `enum`, `anyOf`, `not`, `required`, `properties`, `patternProperties`,
`additionalProperties`, `items`, the bounds, `pattern`, `description`, `examples`, `default`, `$ref` inside the file.
The parser decides; a property test holds that the two agree (tests/unit/config_loader/test_schema_agrees.py).
"""

from __future__ import annotations

from typing import Any

from qase_iac.attributes import step_definitions
from qase_iac.attributes.refs import HASH_KINDS
from qase_iac.config.declarations import NESTED, SECTIONS
from qase_iac.config.ignored import IGNORE, ignored_schema
from qase_iac.config.settings_table import DEFAULTS_ROW, FOLDER_POLICY_ROW, SETTINGS
from qase_iac.config.settings_types import described
from qase_iac.kinds import BY_SECTION, CONTENT_KINDS, Kind
from qase_iac.values import MAX_KEY

Schema = dict[str, Any]

PROJECT = "qase"
"""The shape of qase.yaml itself; the others are those of `declarations.shape_of`."""
_DRAFT = "http://json-schema.org/draft-07/schema#"
_SEGMENT = "[a-z0-9][a-z0-9_.-]*"
_KEY = f"^[a-z0-9][a-z0-9_.-]{{0,{MAX_KEY - 1}}}$"


def schemas() -> dict[str, Schema]:
    """File name -> schema, for everything that a person writes."""
    found = {f"{PROJECT}.schema.json": schema_of(PROJECT)}
    for kind in CONTENT_KINDS:
        if kind.file_name or kind.file_suffix:
            found[f"{kind.name}.schema.json"] = schema_of(kind.name)
    found["content.schema.json"] = schema_of(SECTIONS)
    return found


def schema_of(shape: str) -> Schema:
    """The schema of one shape of file: `PROJECT`, `SECTIONS`, or the kind of a one-object file."""
    head: Schema = {"$schema": _DRAFT}
    if shape == PROJECT:
        head |= {"title": "qase.yaml", "description": "What a project folder is about, and how Qase is reached."}
        definitions = {key: value for key, value in step_definitions().items() if _uses(SETTINGS.schema(), key)}
        schema = {**SETTINGS.schema(), "type": "object"}
        return {**head, **schema, **({"definitions": definitions} if definitions else {})}
    definitions = {**{kind.name: _object(kind) for kind in CONTENT_KINDS}, **step_definitions()}
    if shape == SECTIONS:
        head |= {"title": "Content", "description": "Milestones, shared steps, suites, cases and plans by key."}
        return {**head, **_content(), "definitions": definitions}
    kind = next(kind for kind in CONTENT_KINDS if kind.name == shape)
    name = f"{kind.file_name}.yaml" if kind.file_name else f"NAME{kind.file_suffix}.yaml"
    return {**head, "title": name, **_object(kind, alone=True), "definitions": definitions}


def _uses(schema: Schema, definition: str) -> bool:
    return f"#/definitions/{definition}'" in str(schema)


def _content() -> Schema:
    properties: Schema = {section: _section(kind) for section, kind in BY_SECTION.items()}
    return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties | _history()}


def _section(kind: Kind) -> Schema:
    return {
        "description": f"{kind.doc} A mapping from key to attributes; the key is the identity.",
        "type": ["object", "null"],
        "additionalProperties": False,
        "patternProperties": {_KEY: {"$ref": f"#/definitions/{kind.name}"}},
    }


def _object(kind: Kind, alone: bool = False) -> Schema:
    """The attributes of one object; `alone` in a file that is this object."""
    rows = [row for row in kind.attributes if not row.structural]
    properties: Schema = {row.name: described(row, row.type.schema()) for row in rows}
    properties |= {section: _section(nested) for section, nested in NESTED[kind.name].items()}
    properties |= _common(kind)
    if alone:
        properties["key"] = _key(kind)
        if kind.file_name:
            properties["defaults"] = described(DEFAULTS_ROW, DEFAULTS_ROW.type.schema())
            properties["policy"] = described(FOLDER_POLICY_ROW, FOLDER_POLICY_ROW.type.schema())
    schema: Schema = {
        "description": kind.doc,
        "type": "object",
        "additionalProperties": False,
        "required": [row.name for row in rows if row.required],
        "properties": properties,
    }
    for pair in kind.exclusive:
        schema["not"] = {"required": list(pair)}
    return schema


def _common(kind: Kind) -> Schema:
    return {
        "protect": {"description": "true: it is never deleted.", "type": ["boolean", "null"]},
        IGNORE: ignored_schema(kind),
    }


def _key(kind: Kind) -> Schema:
    if kind.nested_keys:
        text = "Its own segment of the key instead of the folder's name; with a leading / the whole key."
        return {"description": text, "type": ["string", "number"], "pattern": f"^/?{_SEGMENT}(/{_SEGMENT})*$"}
    return {"description": "The key instead of the file's name.", "type": ["string", "number"], "pattern": _KEY}


def _history() -> Schema:
    kinds = "|".join(kind.name for kind in CONTENT_KINDS)
    address: Schema = {"type": "string", "pattern": rf"^({kinds})\.{_SEGMENT}(/{_SEGMENT})*$"}
    hashes = "|".join(sorted(HASH_KINDS))
    move: Schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to"],
        "properties": {
            "from": {**address, "description": "The former address."},
            "to": {**address, "description": "The address it has now."},
        },
    }
    return {
        "moved": {
            "description": "Keys that were renamed: the object in Qase stays the same.",
            "type": ["array", "null"],
            "items": move,
            "examples": [[{"from": "case.pay", "to": "case.pay-by-card"}]],
        },
        "removed": {
            "description": "Addresses that are no longer managed; the objects stay in Qase.",
            "type": ["array", "null"],
            "items": address,
            "examples": [["case.legacy-flow"]],
        },
        "adopt": {
            "description": "Objects that are in Qase already: address and id, or hash for a shared step.",
            "type": ["object", "null"],
            "additionalProperties": False,
            "patternProperties": {
                rf"^({hashes})\.": {"type": ["string", "integer"]},
                rf"^(?!({hashes})\.)({kinds})\.": {"type": ["string", "integer"]},
            },
            "examples": [{"case.pay-by-card": 41}],
        },
    }
