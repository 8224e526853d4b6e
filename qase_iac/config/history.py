"""`moved`, `removed`, `adopt`: what content files say about the past of keys."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from qase_iac.attributes import INVALID, Attribute
from qase_iac.attributes.base import is_null, scalar
from qase_iac.attributes.refs import parse_remote_id
from qase_iac.attributes.text import Text
from qase_iac.config.declarations import FileContent
from qase_iac.config.reporter import FileReporter, nearest
from qase_iac.kinds import BY_NAME, CONTENT_KINDS
from qase_iac.values import Address, is_key, printable

_KINDS = tuple(kind.name for kind in CONTENT_KINDS)
_ADDRESS = Attribute("address", Text(), "")


def parse_address(node: yaml.Node, reporter: FileReporter) -> Address | None:
    """An address such as case.pay-by-card; None after a diagnostic."""
    text = scalar(node, _ADDRESS, reporter, "an address such as case.pay-by-card")
    if text is None:
        return None
    text = text.strip()
    kind, dot, key = text.partition(".")
    rank = BY_NAME.get(kind)
    if dot and kind in _KINDS and rank is not None and is_key(key, segments=rank.nested_keys):
        return Address(kind, key)
    if dot and kind not in _KINDS:
        hint = nearest(kind, _KINDS)
        detail = f"An address is KIND.KEY. The kinds are {', '.join(_KINDS)}."
        reporter.error(
            node,
            "bad-address",
            f"`{printable(text)}` is no address: there is no kind `{printable(kind)}`.{hint}",
            detail,
        )
    else:
        detail = "An address is KIND.KEY, such as case.pay-by-card or suite.checkout/vouchers."
        reporter.error(node, "bad-address", f"`{printable(text)}` is no address.", detail)
    return None


def _list(name: str, node: yaml.Node, reporter: FileReporter, example: str) -> list[yaml.Node]:
    if is_null(node):
        return []
    if isinstance(node, yaml.SequenceNode):
        items: list[yaml.Node] = node.value
        return items
    reporter.error(node, "wrong-type", f"`{name}` takes a list.", f"Write:\n{name}:\n  - {example}")
    return []


def _moved(node: yaml.Node, reporter: FileReporter, content: FileContent) -> None:
    for item in _list("moved", node, reporter, "{from: case.old-key, to: case.new-key}"):
        pairs = {name: value for name, _, value in reporter.items(item)} if isinstance(item, yaml.MappingNode) else {}
        if set(pairs) != {"from", "to"}:
            detail = "Write `- {from: case.old-key, to: case.new-key}`."
            reporter.error(item, "bad-move", "An entry of `moved` takes `from` and `to`.", detail)
            continue
        origin, target = parse_address(pairs["from"], reporter), parse_address(pairs["to"], reporter)
        if origin is None or target is None:
            continue
        if origin.kind != target.kind:
            summary = f"`moved` turns a {BY_NAME[origin.kind].label} into a {BY_NAME[target.kind].label}."
            reporter.error(
                pairs["to"], "bad-move", summary, "A key moves within its kind: it is the same object in Qase."
            )
        elif origin == target:
            reporter.error(item, "bad-move", f"`moved` leads from {origin} to itself.", "Drop the line.")
        else:
            content.moved.append([str(origin), str(target), *reporter.place(item)])


def _removed(node: yaml.Node, reporter: FileReporter, content: FileContent) -> None:
    for item in _list("removed", node, reporter, "case.legacy-flow"):
        address = parse_address(item, reporter)
        if address is not None:
            content.removed.append([str(address), *reporter.place(item)])


def _adopt(node: yaml.Node, reporter: FileReporter, content: FileContent) -> None:
    if is_null(node):
        return
    if not isinstance(node, yaml.MappingNode):
        detail = "Write:\nadopt:\n  case.pay-by-card: 41"
        reporter.error(node, "wrong-type", "`adopt` takes a mapping from address to id.", detail)
        return
    for _, key, value in reporter.items(node):
        address = parse_address(key, reporter)
        id = parse_remote_id(value, address.kind, reporter) if address else INVALID
        if address is not None and id is not INVALID:
            content.adopt.append([str(address), id, *reporter.place(key)])


HISTORY: dict[str, Callable[[yaml.Node, FileReporter, FileContent], None]] = {
    "moved": _moved,
    "removed": _removed,
    "adopt": _adopt,
}
