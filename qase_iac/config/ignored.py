"""`ignore_changes`: attributes that are sent on create, then left to somebody else. Of one object, or of a folder's."""

from __future__ import annotations

from typing import Any

import yaml

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Attribute, TextSet
from qase_iac.attributes.base import sequence
from qase_iac.config.reporter import FileReporter, most_like, nearest
from qase_iac.kinds import Kind
from qase_iac.values import printable

IGNORE = "ignore_changes"
_ROW = Attribute(IGNORE, TextSet(), "")


def parse_ignored(kind: Kind, node: yaml.Node, reporter: FileReporter) -> list[str]:
    """The attributes of `kind` that the list names; what names none goes to the reporter."""
    known = _known(kind)
    found: list[str] = []
    for item in sequence(node, _ROW, reporter, "names of attributes") or ():
        name = str(item.value).strip() if isinstance(item, yaml.ScalarNode) else ""
        if name in known or (kind.custom and name.startswith(CUSTOM_FIELD_PREFIX) and name != CUSTOM_FIELD_PREFIX):
            found.append(name)
            continue
        hint = nearest(name, known)
        full = f"It takes {', '.join(known)}{', or custom_fields.TITLE' if kind.custom else ''}."
        detail = f"Write `- {most_like(name, known)}`, or drop the line." if hint else full
        summary = f"`{IGNORE}` names no attribute of a {kind.label}: `{printable(name)}`.{hint}"
        reporter.error(item, "unknown-attribute", summary, detail)
    return found


def ignored_schema(kind: Kind) -> dict[str, Any]:
    names: dict[str, Any] = {"enum": _known(kind)}
    if kind.custom:
        names = {"anyOf": [names, {"type": "string", "pattern": r"^custom_fields\..+"}]}
    return {
        "description": "Attributes that are sent on create, then left to someone else.",
        "type": ["array", "null"],
        "items": names,
    }


def _known(kind: Kind) -> list[str]:
    return [row.name for row in kind.attributes if not row.structural and not row.local]
