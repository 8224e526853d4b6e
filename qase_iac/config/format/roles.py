"""What a mapping or list is for, from its way in the file, and the order that the keys in it have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from qase_iac.attributes import Steps
from qase_iac.attributes.steps import STEP_KEYS
from qase_iac.config.declarations import NESTED, SECTIONS, shape_of
from qase_iac.config.edit.objects import order_of
from qase_iac.config.edit.source import Node
from qase_iac.config.files import PROJECT_FILE
from qase_iac.kinds import BY_NAME, BY_SECTION


class Role(NamedTuple):
    """`what` is one of `file`, `section`, `object`, `steps`, `step`, or "" for all else; `kind` that of the objects."""

    what: str
    kind: str = ""


PLAIN = Role("")
_STEP_ORDER = ("shared", *(name for name in STEP_KEYS if name != "shared"))
_SPACED = frozenset({"file", "section"})


def role_of_file(name: str) -> Role:
    """The role of what a whole file holds; `name` is its path below the project folder."""
    if name == PROJECT_FILE:
        return PLAIN
    shape = shape_of(name)
    return Role("file") if shape == SECTIONS else Role("object", shape)


@cache
def below(role: Role, key: str | None) -> Role:
    """The role of the value of a key, or of an item (None)."""
    match role.what:
        case "file" if key in BY_SECTION:
            return Role("section", BY_SECTION[key].name)
        case "section":
            return Role("object", role.kind)
        case "object" if key in NESTED[role.kind]:
            return Role("section", NESTED[role.kind][key].name)
        case "object" if key in BY_NAME[role.kind].by_name:
            row = BY_NAME[role.kind].by_name[key]
            return Role("steps") if isinstance(row.type, Steps) else PLAIN
        case "steps" if key is None:
            return Role("step")
        case "step" if key == "steps":
            return Role("steps")
    return PLAIN


def is_spaced(role: Role) -> bool:
    """Whether a blank line stands between what it holds."""
    return role.what in _SPACED


@cache
def _ranks(role: Role) -> dict[str, int]:
    orders: dict[str, Sequence[str]] = {"step": _STEP_ORDER, "object": order_of(role.kind) if role.kind else ()}
    order = orders.get(role.what, ())
    return {"<<": -1, **{name: at for at, name in enumerate(order)}} if order else {}


def order(role: Role, pairs: Sequence[tuple[Node, Node]]) -> list[int] | None:
    """The order in which pairs are written, as their places now; None to leave them as they are.

    They are left when a key is unknown or stands twice, and when an anchor would move: it could get behind its alias.
    """
    ranks = _ranks(role)
    if not ranks or len(pairs) < 2:
        return None
    names = [key.value if key.kind == "scalar" else "" for key, _ in pairs]
    if len(set(names)) < len(names) or not all(name in ranks for name in names):
        return None
    wanted = sorted(range(len(names)), key=lambda at: ranks[names[at]])
    if wanted == list(range(len(names))) or any(_holds_anchor(node) for pair in pairs for node in pair):
        return None
    return wanted


def _holds_anchor(node: Node) -> bool:
    return any(each.anchor for each in node.inside())
