"""`defaults:` of qase.yaml and of folders: attributes for the cases below, read by the same rows that read a case."""

from __future__ import annotations

import yaml

from qase_iac.attributes import INVALID
from qase_iac.attributes.base import is_null
from qase_iac.config.declarations import Placed, flattened
from qase_iac.config.ignored import IGNORE, parse_ignored
from qase_iac.config.reporter import FileReporter, nearest
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.values import printable

Defaults = dict[str, dict[str, Placed]]
"""Kind -> attribute (custom fields one by one), or `ignore_changes` -> [value, line, column]."""

TAKING = tuple(kind.name for kind in CONTENT_KINDS if kind.defaults)
"""The kinds that take defaults."""


def parse_defaults(node: yaml.Node, reporter: FileReporter) -> Defaults:
    """What a `defaults:` mapping says."""
    found: Defaults = {}
    for name, key, value in _pairs(node, "defaults", "case: {priority: high}", reporter):
        if name in TAKING:
            found[name] = _of_kind(BY_NAME[name], value, reporter)
        else:
            detail = (
                f"It takes {', '.join(TAKING)}, then the attributes:\ndefaults:\n  {TAKING[0]}:\n    priority: high"
            )
            reporter.error(
                key, "unknown-attribute", f"`defaults` has no `{printable(name)}`.{nearest(name, TAKING)}", detail
            )
    return found


def _pairs(node: yaml.Node, name: str, example: str, reporter: FileReporter) -> list[tuple[str, yaml.Node, yaml.Node]]:
    if is_null(node):
        return []
    if isinstance(node, yaml.MappingNode):
        return list(reporter.items(node))
    reporter.error(node, "wrong-type", f"`{name}` takes a mapping.", f"Write:\n{name}:\n  {example}")
    return []


def _of_kind(kind: Kind, node: yaml.Node, reporter: FileReporter) -> dict[str, Placed]:
    known = [*(row.name for row in kind.attributes if row.default_ok), IGNORE]
    found: dict[str, Placed] = {}
    for name, key, value in _pairs(node, kind.name, "priority: high", reporter):
        if name == IGNORE:
            found[IGNORE] = [parse_ignored(kind, value, reporter), *reporter.place(value)]
            continue
        row = kind.by_name.get(name)
        if row is None or not row.default_ok:
            _refuse(kind, name, key, known, reporter)
            continue
        parsed = row.type.parse(value, row, reporter)
        if parsed is INVALID:
            continue
        places = (
            {title: item for title, _, item in reporter.items(value)} if isinstance(value, yaml.MappingNode) else {}
        )
        for full, each in flattened(kind, name, parsed).items():
            place = value if full == name else places[full.removeprefix(name + ".")]
            found[full] = [each, *reporter.place(place)]
    return found


def _refuse(kind: Kind, name: str, key: yaml.Node, known: list[str], reporter: FileReporter) -> None:
    if name in kind.by_name:
        summary = f"`{name}` cannot have a default."
        reporter.error(
            key, "no-default", summary, f"Each {kind.label} says it for itself. Defaults are for {', '.join(known)}."
        )
    else:
        summary = f"A {kind.label} has no attribute `{printable(name)}` that can have a default.{nearest(name, known)}"
        reporter.error(key, "unknown-attribute", summary, f"Defaults are for {', '.join(known)}.")
