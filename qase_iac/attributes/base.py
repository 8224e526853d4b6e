"""The language of the attribute tables: what a row says, and what a type can do.

A type is the one place that knows an attribute's five faces: how YAML writes it (`parse`, `schema`), how Qase writes
and reads it (`encode`, `decode`), and when two values are equal (`canon`). Everything else walks the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import yaml

from qase_iac.model import Catalogue
from qase_iac.values import JSON


class _Sentinel:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNSET: Any = _Sentinel("UNSET")
"""Returned by `decode` when the entity says nothing about the attribute."""
INVALID: Any = _Sentinel("INVALID")
"""Returned by `parse` after a diagnostic was given: the attribute is left out."""

RefVisitor = Callable[[str, JSON], JSON]
"""(kind of the thing referred to, reference) -> what to put in its place. Kind "attachment" is a file."""


class Reporter(Protocol):
    """What a parser may ask of whoever reads the file (config/loader.py)."""

    def error(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None: ...

    def warning(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None: ...

    def items(self, node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """The pairs of a mapping as (key, key node, value node), `<<` merged in, duplicates diagnosed."""
        ...

    def slip(self, node: yaml.Node) -> bool:
        """Diagnoses the usual slips that turn a text into a mapping; True when it was one."""
        ...

    def nearest(self, word: str, words: Any) -> str:
        """ " Did you mean …?" or ""."""
        ...


@dataclass
class Decoding:
    """What reading needs beside the entity.

    `shared_rows` maps the hash of a shared step to the actions of its steps (to fold the rows it is served as);
    `unknown_shared` and `files` are filled while decoding (Snapshot has the meaning of both). `custom_fields` is made
    with the first case: for each custom field its attribute, id, cleared value and reader.
    """

    catalogue: Catalogue
    shared_rows: dict[str, list[str]] = field(default_factory=dict)
    unknown_shared: set[str] = field(default_factory=set)
    files: dict[str, dict[str, JSON]] = field(default_factory=dict)
    custom_fields: list[tuple[str, int, JSON, Callable[[list[str]], JSON]]] = field(default_factory=list)


class ResolveError(Exception):
    """A word that the live catalogue does not know. `code`, one line, and what to do about it."""

    def __init__(self, code: str, summary: str, detail: str = "") -> None:
        super().__init__(summary)
        self.code, self.summary, self.detail = code, summary, detail


@dataclass(frozen=True)
class Type:
    """How values of an attribute are written, sent, read and compared. Subclasses override what differs."""

    @property
    def takes(self) -> str:
        """What a person may write, in a few words, for `explain` and the reference."""
        raise NotImplementedError

    def schema(self) -> dict[str, Any]:
        """JSON Schema (draft 7) of the YAML form."""
        raise NotImplementedError

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        """The canonical value a YAML node stands for, or INVALID after a diagnostic."""
        raise NotImplementedError

    def resolve(self, value: JSON, row: Attribute, catalogue: Catalogue) -> JSON:
        """`value` with the workspace's own words put in. Raises ResolveError."""
        return value

    def canon(self, value: JSON) -> JSON:
        """The form that decides equality."""
        return value

    def surely_holds(self, value: JSON) -> bool:
        """Whether a glance tells that a value has this type's shape and refers to nothing. False: look closer."""
        return False

    def refs(self, value: JSON) -> Iterator[tuple[str, JSON]]:
        """Every reference inside, with the kind it refers to."""
        return iter(())

    def rebind(self, value: JSON, visit: RefVisitor) -> JSON:
        """`value` with every reference replaced by `visit(kind, reference)`."""
        return value

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        """The part of a request body that sets this attribute to a bound value."""
        return {row.writes: value}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        """The value that an entity of the API holds, UNSET when it says nothing."""
        return entity.get(row.reads, UNSET)

    def reads_alone(self) -> bool:
        """Whether the value hangs on nothing but the key `row.reads`, which has few values: an option, say."""
        return False

    def reader(self, row: Attribute, context: Decoding) -> Callable[[dict[str, Any]], JSON]:
        """`decode` for many entities: what can be looked up once is looked up here."""
        return partial(self.decode, row=row, context=context)


@dataclass(frozen=True, eq=False)
class Attribute:
    """One row of a kind's table.

    `read` and `write` are the names at the API where they differ from `name`. `structural` rows are set by where
    something stands, not by an attribute of that name (a suite's parent). `local` rows are for this tool alone.
    `members` rows are returned by the object's own GET only, not by lists. `create_only` rows are never compared.
    `uncertain`: whether the server can clear or change it is not documented, so such a change is read back
    (qase-api.md section 13.1). `always_managed`: not declaring it means null, not "leave it alone".
    `default_ok` false keeps it out of `defaults:`.
    """

    name: str
    type: Type
    doc: str
    required: bool = False
    example: Any = None
    read: str = ""
    write: str = ""
    structural: bool = False
    local: bool = False
    members: bool = False
    create_only: bool = False
    uncertain: bool = False
    always_managed: bool = False
    default_ok: bool = True

    reads: str = field(init=False)
    writes: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reads", self.read or self.name)
        object.__setattr__(self, "writes", self.write or self.name)


NULLS = frozenset(("", "~", "null"))


def is_plain(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.style


def is_null(node: yaml.Node) -> bool:
    """Only `null`, `~` and an empty plain value are null (authoring.md)."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in NULLS


def is_boolean(node: yaml.Node) -> bool:
    """Only plain `true` and `false` are booleans."""
    return isinstance(node, yaml.ScalarNode) and not node.style and node.value in ("true", "false")


def scalar(node: yaml.Node, row: Attribute, reporter: Reporter, takes: str) -> str | None:
    """The source text of a scalar, None (after a diagnostic) for a list or mapping."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if takes != "text" or not reporter.slip(node):
        summary = f"`{row.name}` takes {takes}, not {shape_of(node)}."
        example = f"Write `{row.name}: {row.example}`." if isinstance(row.example, str) else ""
        reporter.error(node, "wrong-type", summary, example)
    return None


def shape_of(node: yaml.Node) -> str:
    """What a node is, in words for people."""
    if isinstance(node, yaml.ScalarNode):
        return "one value"
    return "a list" if isinstance(node, yaml.SequenceNode) else "a mapping (`name: value`)"


def sequence(node: yaml.Node, row: Attribute, reporter: Reporter, takes: str) -> list[yaml.Node] | None:
    """The items of a list, None (after a diagnostic) for anything else; null is an empty list."""
    if is_null(node):
        return []
    if isinstance(node, yaml.SequenceNode):
        items: list[yaml.Node] = node.value
        return items
    summary = f"`{row.name}` takes a list of {takes}, not {shape_of(node)}."
    item = node.value if is_plain(node) and len(node.value) < 80 and "\n" not in node.value else "…"
    reporter.error(node, "wrong-type", summary, f"Put each on a line of its own:\n{row.name}:\n  - {item}")
    return None
