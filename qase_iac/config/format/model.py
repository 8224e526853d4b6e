"""What a file is made of: bodies of parts, and the comments that stand by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qase_iac.config.edit.source import Node, Source


@dataclass(slots=True, eq=False)
class Note:
    """A comment: where its `#` stands, its text, the blanks before it on its line; `blank`: a blank line above it."""

    at: int
    text: str
    column: int
    gap: int
    own_line: bool
    blank: bool


Notes = Sequence[Note]


@dataclass(slots=True, eq=False)
class Part:
    """A pair of a mapping, or an item of a list (`key` None); `at` is where its key or dash stands.

    Comments: `above` on lines of their own, `first` on the line of the key before the value, `between` on lines of
    their own before a value that is no block, `behind` the value, `below` deeper than the key, right below the value.
    `blank`: a blank line stands right above it. `body` is a value that spreads over lines of its own.
    """

    key: Node | None
    value: Node
    at: int
    column: int
    blank: bool
    inside: Body
    body: Body | None = None
    above: Notes = ()
    first: Note | None = None
    between: Notes = ()
    behind: Note | None = None
    below: Notes = ()


@dataclass(slots=True, eq=False)
class Body:
    """The parts of a collection; `foot` are the comments after the last one. `owner` None is the file itself."""

    node: Node
    owner: Part | None
    column: int = 0
    parts: list[Part] = field(default_factory=list)
    foot: Notes = ()


@dataclass(slots=True)
class Document:
    """`root` is None for a file of comments alone. `before` are those above a `---`, None when there is none.

    `head` are comments at the top that are about the file, `tail` all there are when there is no root.
    """

    source: Source
    root: Body | None
    before: Notes | None = None
    head: Notes = ()
    tail: Notes = ()
