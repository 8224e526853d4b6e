"""JSON Schemas (draft 7) of what the program writes for machines: plan, drift, report, diagnostics, events.

Words and counts come from the types that are written, so that a new one is in the schema at once. Nothing unknown is
let in and nothing may be missing: a reader may rely on every key. What a value of an attribute holds is free; the
schemas of the files say that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from enum import StrEnum
from typing import Any

from qase_iac.apply import events
from qase_iac.apply.report import Status
from qase_iac.diagnostics import Severity
from qase_iac.errors import FAILURE_CLASSES
from qase_iac.plan.model import FORMAT, Action, Origin, Reason, Summary
from qase_iac.plan.planfile_reader import DRIFT_KINDS
from qase_iac.plan.stepdiff import FIELDS

Schema = dict[str, Any]

_DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
VALUE: Schema = {"description": "As in the files; references as addresses."}
ID: Schema = {"type": ["integer", "string"], "description": "What Qase calls it; a hash for a shared step."}
STEP: Schema = {"type": "object", "description": "A step as in the files."}
CLASSES = sorted({*FAILURE_CLASSES.values(), *events.CLASSES.values(), "internal"})


def schemas() -> dict[str, Schema]:
    """File name -> schema."""
    made = {
        "plan": ("Plan", "`plan --format json`, and the file that `plan -o` writes.", _plan()),
        "drift": ("Drift", "`drift --format json`.", _drift()),
        "report": ("Report", "`apply --format json` and `destroy --format json`.", _report()),
        "diagnostics": ("Diagnostics", "`validate --format json`; of any command when files are invalid.", _found()),
        "events": ("Event", "One line of `--events FILE`.", {"anyOf": list(_events())}),
    }
    return {
        f"{name}.schema.json": {"$schema": _DRAFT, "title": title, "description": doc, **schema}
        for name, (title, doc, schema) in made.items()
    }


def record(required: Schema, optional: Schema | None = None) -> Schema:
    """An object with exactly these keys."""
    more = optional or {}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": required | more,
    }


def words(known: type[StrEnum] | Iterable[str]) -> Schema:
    return {"enum": [str(word) for word in known]}


def listed(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def mapping(item: Schema) -> Schema:
    return {"type": "object", "additionalProperties": item}


def nullable(schema: Schema) -> Schema:
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return schema | {"type": [*types, "null"]}


# ---------------------------------------------------------------------------------------------- plan and drift


def _plan() -> Schema:
    required = {
        "format": {"enum": [FORMAT]},
        "tool": TEXT,
        "project": TEXT,
        "api": TEXT,
        "deletes": FLAG,
        "config_digest": TEXT,
        "lineage": TEXT,
        "serial": COUNT,
        "stateless": FLAG,
        "new_state": FLAG,
        "allow_deletes": nullable(COUNT),
        "unlisted_deletes": TEXTS,
        "reading": record({"objects": mapping(COUNT), "requests": COUNT}),
        "summary": record({each.name: COUNT for each in fields(Summary)}),
        "reverts": TEXTS,
        "requests": COUNT,
        "changes": listed({"$ref": "#/definitions/change"}),
        "drift": listed({"$ref": "#/definitions/drift"}),
        "findings": listed(_diagnostic(address=True)),
        "digest": TEXT,
    }
    return record(required) | {"definitions": _definitions() | {"change": _change()}}


def _drift() -> Schema:
    required = {
        "project": TEXT,
        "api": TEXT,
        "drift": listed({"$ref": "#/definitions/drift"}),
        "findings": listed(_diagnostic(address=True)),
    }
    return record(required) | {"definitions": _definitions()}


def _change() -> Schema:
    required = {
        "address": TEXT,
        "action": words(Action),
        "id": nullable(ID),
        "reason": words(Reason),
        "source": nullable(TEXT),
        "depends_on": TEXTS,
        "precondition": nullable(TEXT),
        "attributes": {"$ref": "#/definitions/attributes"},
    }
    optional = {
        "title": TEXT,
        "suite": TEXT,
        "files": mapping(TEXT),
        "uploads": TEXTS,
        "notes": TEXTS,
        "moved_from": TEXT,
        "impact": mapping(record({"count": COUNT, "names": listed(VALUE)})),
        "blocked": record({"code": TEXT, "reason": TEXT, "by": TEXTS}),
    }
    return record(required, optional)


def _definitions() -> Schema:
    attribute = record(
        {"before": VALUE, "after": VALUE, "origin": words(Origin)},
        {"steps": listed({"$ref": "#/definitions/step_edit"})},
    )
    drift = record(
        {
            "address": TEXT,
            "id": ID,
            "kind": words(DRIFT_KINDS),
            "attributes": {"$ref": "#/definitions/attributes"},
        },
        {"title": TEXT, "meta": {"type": "object"}},
    )
    return {"attributes": mapping(attribute), "drift": drift, "step_edit": {"anyOf": _step_edits()}}


def _step_edits() -> list[Schema]:
    """What happened to one step; places count from 1, `at` among the new ones, `from` among the old."""
    place: Schema = {"type": "integer", "minimum": 1}
    changed = record({"before": VALUE, "after": VALUE})
    inside = {
        "fields": {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(FIELDS, changed)},
        "steps": listed({"$ref": "#/definitions/step_edit"}),
        "noise": {"enum": [True]},
    }
    return [
        record({"op": words(["added"]), "at": place, "step": STEP}),
        record({"op": words(["removed"]), "from": place, "step": STEP}),
        record({"op": words(["moved", "edited"]), "at": place, "from": place}, inside),
    ]


# ------------------------------------------------------------------------------------- report and diagnostics


def _report() -> Schema:
    operation = record(
        {
            "address": TEXT,
            "action": words(Action),
            "id": nullable(ID),
            "status": words(Status),
            "http_status": nullable(COUNT),
            "request_id": nullable(TEXT),
            "source": nullable(TEXT),
            "cause": nullable(TEXT),
        }
    )
    altered = record({"address": TEXT, "attribute": TEXT, "sent": VALUE, "held": VALUE})
    counts = {name: COUNT for name in ("applied", "failed", "blocked", "adopted", "requests", "retries")}
    return record(
        counts | {"operations": listed(operation), "altered": listed(altered), "backup": nullable(TEXT)},
    )


def _found() -> Schema:
    return record({"valid": FLAG, "diagnostics": listed(_diagnostic())})


def _diagnostic(address: bool = False) -> Schema:
    required: Schema = {
        "code": TEXT,
        "severity": words(Severity),
        "summary": TEXT,
        "detail": TEXT,
        "file": TEXT | {"description": 'Relative to the project folder; "" for none.'},
        "line": COUNT | {"description": "From 1; 0 for the file as a whole."},
        "column": COUNT,
    }
    return record(required | ({"address": nullable(TEXT)} if address else {}))


# ------------------------------------------------------------------------------------------------------ events

_BY_ANNOTATION: dict[str, Schema] = {
    "str": TEXT,
    "int": COUNT,
    "bool": FLAG,
    "float": NUMBER,
    "tuple[str, ...]": TEXTS,
    "RemoteId | None": nullable(ID),
}
_CLASS: Schema = words(CLASSES)
_FAILS: dict[type, Schema] = {
    events.OperationFailed: {"failure_class": _CLASS},
    events.OperationBlocked: {"failure_class": _CLASS},
    events.Finished: {"failure_class": nullable(_CLASS)},
}


def _events() -> Iterable[Schema]:
    yield _event("reading", {"what": TEXT, "done": COUNT, "total": COUNT})
    for kind, name in events.NAMES.items():
        own = {each.name: _BY_ANNOTATION[str(each.type)] for each in fields(kind)}
        yield _event(name, own | _FAILS.get(kind, {}))
    yield _event("ended", {"exit_code": COUNT, "failure_class": nullable(_CLASS), "summary": TEXT})


def _event(name: str, own: Schema) -> Schema:
    return record({"event": words([name]), "time": TEXT} | own)
