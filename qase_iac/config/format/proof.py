"""That two texts say the same: the same values, the same comments on the same things, the same to the loader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.config.declarations import FileContent, shape_of
from qase_iac.config.edit.source import Node, Source
from qase_iac.config.files import PROJECT_FILE
from qase_iac.config.format.model import Body, Document, Note, Part
from qase_iac.config.format.refused import Refused
from qase_iac.config.format.scalars import quoted
from qase_iac.config.reporter import FileReporter
from qase_iac.config.sections import parse_document
from qase_iac.config.yaml_document import Document as Read
from qase_iac.config.yaml_source import read_yaml

_COMMENT = re.compile("#[^\r\n\x85\u2028\u2029]*")
_HEADER = re.compile("[|>][^\r\n\x85\u2028\u2029]*")


def prove(before: Document, after: Document, name: str, moved: set[int]) -> None:
    """Raises Refused unless both say the same. `moved` are the mappings whose pairs may stand in another order."""
    _same_values(before.source, after.source, moved)
    if Counter(_comments(before.source.text)) != Counter(_comments(after.source.text)):
        raise Refused(-1, "a comment would be lost")
    one, other = Counter(attached(before)), Counter(attached(after))
    if one != other:
        lost = next(iter(one - other), None)
        raise Refused(lost[-1] if lost and isinstance(lost[-1], int) else -1, "a comment would stand by something else")
    if _loaded(before.source.text, name) != _loaded(after.source.text, name):
        raise Refused(-1, "the loader would read it differently")


# --- values


def _same_values(before: Source, after: Source, moved: set[int]) -> None:
    if before.root is None or after.root is None:
        if before.root is not after.root:
            raise Refused(0, "its values would be lost")
        return
    numbers = [{id(node): at for at, node in enumerate(source.anchors)} for source in (before, after)]
    todo = [(before.root, after.root)]
    while todo:
        one, other = todo.pop()
        if _own(one, numbers[0]) != _own(other, numbers[1]):
            raise Refused(one.start, "a value would read differently")
        todo += zip(one.items, other.items, strict=True)
        todo += _pairs(one, other, one.start in moved)


def _own(node: Node, anchors: dict[int, int]) -> tuple[Any, ...]:
    """What a node says by itself. A plain text that every reader takes for that text may as well be quoted."""
    target = anchors[id(node.target)] if node.target is not None else None
    text = node.kind == "scalar" and (bool(node.style) or "\n" in node.value or quoted(node.value, False) == node.value)
    return node.kind, node.value, text, node.anchor, node.tag, target, len(node.items), len(node.pairs)


def _pairs(one: Node, other: Node, moved: bool) -> Iterator[tuple[Node, Node]]:
    pairs = other.pairs
    if moved:
        places = {key.value: at for at, (key, _) in enumerate(one.pairs)}
        pairs = sorted(pairs, key=lambda pair: places.get(pair[0].value, len(places)))
    for (key, value), (name, item) in zip(one.pairs, pairs, strict=True):
        yield key, name
        yield value, item


# --- comments


def _comments(text: str) -> Iterator[str]:
    """All comments, found in another way than by the tree: between the tokens, and in the headers of blocks."""
    parser = CParser(text.encode())
    end = 0
    while (token := parser.get_token()) is not None:
        start_mark: Any = token.start_mark
        end_mark: Any = token.end_mark
        if text.find("#", end, start_mark.index) >= 0:
            yield from _found(text, end, start_mark.index)
        if isinstance(token, yaml.ScalarToken) and token.style in ("|", ">"):
            header = _HEADER.match(text, start_mark.index)
            if header and "#" in header.group():
                yield from _found(text, header.start(), header.end())
        end = max(end, end_mark.index)
    yield from _found(text, end, len(text))


def _found(text: str, start: int, end: int) -> Iterator[str]:
    for match in _COMMENT.finditer(text, start, end):
        yield match.group().rstrip()


Place = tuple[Any, ...]


def attached(document: Document) -> Iterator[Place]:
    """(way, where, number, text) of every comment."""
    top = [("---", document.before or ()), ("top", document.tail)]
    if document.root is not None:
        first = document.root.parts[0] if document.root.parts else None
        # Above the first part and at the head of the file is the same place.
        top.append(("head", document.head))
        if first is None:
            top.append(("foot", document.root.foot))
    for where, notes in top:
        yield from _numbered((), where, notes)
    if document.root is not None:
        yield from _of_body(document.root, ())


def _of_body(body: Body, way: Place) -> Iterator[Place]:
    for at, part in enumerate(body.parts):
        yield from _of_part(part, (*way, part.key.value if part.key is not None else at))
    yield from _numbered(way, "foot", body.foot)


def _of_part(part: Part, way: Place) -> Iterator[Place]:
    line = [note for note in (part.first, part.behind) if note]
    for where, notes in (("above", part.above), ("line", [*line, *part.between]), ("below", part.below)):
        if notes:
            yield from _numbered(way, where, notes)
    if part.body is not None:
        yield from _of_body(part.body, way)


def _numbered(way: Place, where: str, notes: Any) -> Iterator[Place]:
    found: list[Note] = list(notes)
    for at, note in enumerate(found):
        yield (*way, where, at, note.text)


# --- the loader


def _loaded(text: str, name: str) -> Any:
    """What the loader makes of a text: what it declares, places aside, and what it finds wrong with it."""
    document = read_yaml(text.encode(), name)
    return None if name == PROJECT_FILE else _content(document, name), _problems(document)


def _content(document: Read, name: str) -> FileContent:
    content = parse_document(document.root, shape_of(name), FileReporter(name, document.text, document.diagnostics))
    return replace(
        content,
        declarations=[replace(each, line=bool(each.line), column=0) for each in content.declarations],
        moved=[each[:2] for each in content.moved],
        removed=[each[:-2] for each in content.removed],
        adopt=[each[:-2] for each in content.adopt],
        defaults={
            kind: {row: placed[:1] for row, placed in values.items()} for kind, values in content.defaults.items()
        },
    )


def _problems(document: Read) -> Counter[tuple[str, str]]:
    return Counter((each.code, each.summary) for each in document.diagnostics)
