"""The saved plan: Plan -> JSON, its digest, and the file that `plan -o` writes (planfile_reader.py reads it again).

The JSON is laid out one change a line, so that it diffs, greps and streams well. The digest is a checksum of what the
plan says, not a signature: who may change the file may change both.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

from qase_iac.diagnostics import Diagnostic
from qase_iac.errors import QaseIacError
from qase_iac.plan.digests import digest as digest_of
from qase_iac.plan.model import FORMAT, AttributeChange, Change, Drift, Plan, Summary
from qase_iac.values import JSON, UNSHOWN, printable

_UNSAFE = re.compile(f"(?!\n)[{UNSHOWN}]")
"""What json.dumps leaves raw and a terminal, a bidi algorithm or a strict UTF-8 decoder would act on."""


def to_json(plan: Plan) -> dict[str, JSON]:
    """The plan as cli.md's "The plan in JSON", keys in that order. `observed` is left out."""
    return {
        "format": FORMAT,
        "tool": plan.tool,
        "project": plan.project,
        "api": plan.api,
        "deletes": plan.deletes,
        "config_digest": plan.config_digest,
        "lineage": plan.lineage,
        "serial": plan.serial,
        "stateless": plan.stateless,
        "new_state": plan.new_state,
        "allow_deletes": plan.allow_deletes,
        "unlisted_deletes": list(plan.unlisted_deletes),
        "reading": {"objects": plan.reading.objects, "requests": plan.reading.requests},
        "summary": {each.name: getattr(plan.summary, each.name) for each in fields(Summary)},
        "reverts": [change.address for change in plan.undone],
        "requests": plan.requests,
        "changes": [_change_json(change) for change in plan.changes],
        "drift": [drift_json(drift) for drift in plan.drift],
        "findings": [diagnostic_json(finding) | {"address": finding.address} for finding in plan.findings],
        "digest": plan.digest,
    }


def _change_json(change: Change) -> dict[str, JSON]:
    row: dict[str, JSON] = {
        "address": change.address,
        "action": change.action.value,
        "id": change.id,
        "reason": change.reason.value,
        "source": change.source,
        "depends_on": list(change.depends_on),
        "precondition": change.precondition,
        "attributes": attributes_json(change.attributes),
    }
    extras: dict[str, JSON] = {
        "title": change.title,
        "suite": change.suite,
        "files": change.files,
        "uploads": list(change.uploads),
        "notes": list(change.notes),
        "moved_from": change.moved_from,
        "impact": change.impact,
    }
    row |= {name: value for name, value in extras.items() if value}
    if change.blocked:
        blocked = change.blocked
        row["blocked"] = {"code": blocked.code, "reason": blocked.reason, "by": list(blocked.by)}
    return row


def attributes_json(attributes: Mapping[str, AttributeChange]) -> dict[str, JSON]:
    """Attribute name -> before, after, origin."""
    return {
        name: {"before": change.before, "after": change.after, "origin": change.origin.value}
        | ({} if change.steps is None else {"steps": change.steps})
        for name, change in attributes.items()
    }


def drift_json(drift: Drift) -> dict[str, JSON]:
    """One entry of `drift[]`."""
    row: dict[str, JSON] = {
        "address": drift.address,
        "id": drift.id,
        "kind": drift.kind,
        "attributes": attributes_json(drift.attributes),
    }
    extras: dict[str, JSON] = {"title": drift.title, "meta": drift.meta}
    return row | {name: value for name, value in extras.items() if value}


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, JSON]:
    """One entry of `diagnostics[]`."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
        "file": diagnostic.source.file,
        "line": diagnostic.source.line,
        "column": diagnostic.source.column,
    }


def dumps(data: Mapping[str, JSON]) -> str:
    """JSON text, one top-level key a line, one item of a top-level list a line.

    Beyond ASCII it is left readable, except what could steer a terminal or is no valid UTF-8: that is escaped.
    """
    text = "{\n" + ",\n".join(f"  {_dump(name)}: {_member(value)}" for name, value in data.items()) + "\n}\n"
    return _UNSAFE.sub(lambda match: json.dumps(match.group())[1:-1], text)


def _member(value: JSON) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_dump(item)}" for item in value) + "\n  ]"
    return _dump(value)


def _dump(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False)


def digest(plan: Plan) -> str:
    """`sha256:…` over what the plan says: all but the digest itself, the places in files, and how it was read.

    What it took to read Qase may differ between two readings of the same thing, and nobody approves that.
    """
    data = to_json(plan)
    del data["digest"], data["reading"]
    for row in data["changes"]:
        del row["source"]
    for row in data["findings"]:
        del row["file"], row["line"], row["column"]
    return digest_of(data)


def seal(plan: Plan) -> Plan:
    """The plan with its digest filled in."""
    return replace(plan, digest=digest(plan))


def write(plan: Plan, path: Path) -> Plan:
    """Saves the plan, sealed, and returns it so. The file is replaced whole. Raises QaseIacError when it cannot be."""
    sealed = seal(plan)
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise QaseIacError(f"{printable(str(path))} is not a regular file.", hint="Name a file to save the plan in.")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(descriptor, "wb") as file:
            file.write(dumps(to_json(sealed)).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise QaseIacError(f"The plan could not be saved in {printable(str(path))}: {reason}.") from error
    return sealed
