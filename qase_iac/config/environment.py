"""`${env:NAME}` in qase.yaml, and profiles laid over it: both work on nodes, so that places in the file stay known."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from qase_iac.attributes import Text
from qase_iac.config.reporter import FileReporter
from qase_iac.config.settings_types import Choice, Group, Line, Number
from qase_iac.values import printable

_USE = re.compile(r"\$\{env:([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SECRET = re.compile("TOKEN|SECRET|KEY|PASSWORD", re.IGNORECASE)
_LEAVES = (Line, Text, Number, Choice)


def overlaid(base: yaml.Node, above: yaml.Node, reporter: FileReporter) -> yaml.Node:
    """`above` laid over `base`: mappings key by key, everything else replaced."""
    if not isinstance(base, yaml.MappingNode) or not isinstance(above, yaml.MappingNode):
        return above
    pairs = {name: (key, value) for name, key, value in reporter.items(base)}
    for name, key, value in reporter.items(above):
        pairs[name] = (key, overlaid(pairs[name][1], value, reporter) if name in pairs else value)
    return _mapping(list(pairs.values()), base)


def without(node: yaml.MappingNode, name: str, reporter: FileReporter) -> yaml.MappingNode:
    """The mapping without one of its keys."""
    return _mapping([(key, value) for each, key, value in reporter.items(node) if each != name], node)


def _mapping(pairs: list[tuple[yaml.Node, yaml.Node]], like: yaml.Node) -> yaml.MappingNode:
    return yaml.MappingNode("", pairs, like.start_mark, like.end_mark, flow_style=False)


def resolved(node: yaml.Node, group: Group, environment: Mapping[str, str] | None, reporter: FileReporter) -> yaml.Node:
    """The mapping of a group with variables put in. Without an environment, what holds one is left out."""
    if not isinstance(node, yaml.MappingNode):
        return node
    pairs: list[tuple[yaml.Node, yaml.Node]] = []
    for name, key, value in reporter.items(node):
        row = group.by_name.get(name)
        found: yaml.Node | None = value
        if row is not None and isinstance(row.type, Group):
            found = resolved(value, row.type, environment, reporter)
        elif row is not None and row.env and isinstance(value, yaml.ScalarNode) and "${env:" in value.value:
            found = _filled(value, isinstance(row.type, Number), environment, reporter)
        elif row is not None and name != "defaults":
            _refuse(value, reporter)
        if found is not None:
            pairs.append((key, found))
    return _mapping(pairs, node)


def _refuse(node: yaml.Node, reporter: FileReporter) -> None:
    for item in node.value if isinstance(node, yaml.SequenceNode) else [node]:
        if isinstance(item, yaml.ScalarNode) and "${env:" in item.value:
            detail = "It works in `project`, `api` and `state` only. Write the value itself, or use a profile."
            reporter.error(item, "env-not-here", "`${env:…}` does not work here.", detail)


def _filled(
    node: yaml.ScalarNode, plain: bool, environment: Mapping[str, str] | None, reporter: FileReporter
) -> yaml.Node | None:
    sound = True

    def value(match: re.Match[str]) -> str:
        nonlocal sound
        problem = _problem(match, environment)
        if problem is not None:
            reporter.error(node, *problem)
            sound = False
            return ""
        return (environment or {}).get(match.group(1), "")

    text = _USE.sub(value, node.value)
    if not sound or environment is None:
        return None
    return yaml.ScalarNode("", text, node.start_mark, node.end_mark, style=None if plain else '"')


def _problem(match: re.Match[str], environment: Mapping[str, str] | None) -> tuple[str, str, str] | None:
    name = match.group(1)
    if not match.group().endswith("}") or not _NAME.match(name):
        return "bad-env", f"`{printable(match.group())}` names no variable.", "Write ${env:NAME}."
    if _SECRET.search(name):
        detail = (
            "Names that contain TOKEN, SECRET, KEY or PASSWORD are refused, so that no secret gets into plans, states "
            "or logs. The token is taken from QASE_TESTOPS_API_TOKEN without being named here."
        )
        return "env-refused", f"`${{env:{name}}}` looks like a secret.", detail
    if environment is not None and name not in environment:
        return (
            "env-unset",
            f"The environment variable {name} is not set.",
            f"Set it, or write the value instead of ${{env:{name}}}.",
        )
    return None
