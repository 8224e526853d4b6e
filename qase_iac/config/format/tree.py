"""A file as bodies of parts, with every comment attached to the part that it stands above, behind or below."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from qase_iac.config.edit.source import Node, Source
from qase_iac.config.format.model import Body, Document, Note, Part
from qase_iac.config.format.refused import Refused

_MARKS = re.compile(r"^(?:---|\.\.\.|%)", re.MULTILINE)
_EXPLICIT = re.compile(r"\?[ \t]+\Z")
_IN_GAP = re.compile("#[^\r\n\x85\u2028\u2029]*|[&!][^\\s,\\[\\]{}]*")
_ABOUT_THE_FILE = re.compile(r"#\s*(?:yaml-language-server:|yamllint |vim?:|-\*-|prettier-ignore|!)")


def document(source: Source) -> Document:
    """The tree of a text that the loader reads. Raises Refused where something has no canonical form."""
    notes = _notes(source)
    found = Document(source, None)
    start = source.root.start if source.root else len(source.text)
    rest = notes
    mark = _document_mark(source, start)
    if mark is not None:
        found.before = [note for note in notes if note.at < mark]
        rest = notes[len(found.before) :]
    if source.root is None:
        found.tail = rest
        return found
    if source.root.kind not in ("mapping", "sequence") or source.root.anchor or source.root.tag:
        raise Refused(start, "the file is not a plain mapping or list")
    builder = _Builder(source, notes)
    found.root = builder.body(source.root, None)
    _Attached(source, builder.parts, found).take(rest)
    return found


def _document_mark(source: Source, start: int) -> int | None:
    """Where a `---` stands, which must be alone on its line."""
    found: int | None = None
    end = source.root.end if source.root else start
    for match in [*_MARKS.finditer(source.text, 0, start), *_MARKS.finditer(source.text, end)]:
        line = source.content(source.line(match.start()))
        if line.rstrip() != "---" or found is not None or match.start() >= start:
            raise Refused(match.start(), "a directive, or the end of a document, is marked here")
        found = match.start()
    if found is None and source.text.startswith("---", start):
        raise Refused(start, "something stands behind the `---`")
    return found


# --- comments


def _notes(source: Source) -> list[Note]:
    """All comments in their order. Between scalars there is nothing but signs, properties, blanks and comments."""
    text, at = source.text, 0
    found: list[Note] = []
    if "#" not in text:
        return []
    for node in source.root.inside() if source.root else ():
        if node.kind not in ("scalar", "alias"):
            continue
        found += _in_gap(source, at, node.start)
        if node.style in ("|", ">"):
            at = source.header(node)[1]
            found += _in_gap(source, at, source.line_end(at))
            at = source.line_end(at)
        at = max(at, node.end)
    return [*found, *_in_gap(source, at, len(text))]


def _in_gap(source: Source, start: int, end: int) -> Iterator[Note]:
    if source.text.find("#", start, end) < 0:
        return
    for match in _IN_GAP.finditer(source.text, start, end):
        if match.group()[0] == "#":
            yield _note(source, match.start(), match.group().rstrip())


def _note(source: Source, at: int, text: str) -> Note:
    start = source.line_start(at)
    before = source.text[start:at]
    said = before.rstrip(" \t\ufeff")
    return Note(at, text, at - start, len(before) - len(said), not said, not said and _blank_above(source, at))


def _blank_above(source: Source, at: int) -> bool:
    number = source.line(at)
    return number > 0 and not source.content(number - 1).strip()


# --- parts


class _Builder:
    """`parts` are all parts in the order of the file."""

    def __init__(self, source: Source, notes: Sequence[Note]) -> None:
        self.source = source
        self.spots = [note.at for note in notes]
        self.parts: list[Part] = []

    def body(self, node: Node, owner: Part | None) -> Body:
        made = Body(node, owner)
        if node.kind == "mapping":
            for key, value in node.pairs:
                self._part(made, key, value, self._start(key))
        else:
            places = [item.start for item in node.items] if node.flow else node.dashes
            for item, at in zip(node.items, places, strict=True):
                self._part(made, None, item, at)
        made.column = made.parts[0].column if made.parts else 0
        return made

    def _start(self, key: Node) -> int:
        """Where a pair begins: at its key, or at the `?` before it."""
        line = self.source.line_start(key.start)
        match = _EXPLICIT.search(self.source.text, line, key.start)
        return match.start() if match else key.start

    def _part(self, made: Body, key: Node | None, value: Node, at: int) -> None:
        source = self.source
        blank = source.is_first(at) and _blank_above(source, at)
        part = Part(key, value, at, source.column(at), blank, made)
        made.parts.append(part)
        self.parts.append(part)
        if value.is_block or (value.flow and self._holds_note(value)):
            part.body = self.body(value, part)

    def _holds_note(self, node: Node) -> bool:
        at = bisect_left(self.spots, node.start)
        return at < len(self.spots) and self.spots[at] < node.end


def opened(source: Source, part: Part) -> Body:
    """A collection in [ ] or { } without comments as a body."""
    return _Builder(source, ()).body(part.value, part)


# --- comments to parts


class _Attached:
    def __init__(self, source: Source, parts: list[Part], found: Document) -> None:
        self.source, self.parts, self.found = source, parts, found

    def take(self, notes: Sequence[Note]) -> None:
        number = 0
        for note in notes:
            while number < len(self.parts) and self.parts[number].at < note.at:
                number += 1
            previous = self.parts[number - 1] if number else None
            following = self.parts[number] if number < len(self.parts) else None
            if previous is None:
                self._at_the_top(note, following)
            else:
                self._put(note, previous, following)
        self._file_head()

    def _at_the_top(self, note: Note, following: Part | None) -> None:
        if following is None or not note.own_line:
            raise Refused(note.at, "a comment stands where it belongs to nothing")
        following.above = [*following.above, note]

    def _file_head(self) -> None:
        """Comments at the top that a blank line sets apart, or that tell editors something, are about the file."""
        assert self.found.root is not None
        first = self.found.root.parts[0]
        above = first.above
        last = len(above) if first.blank else max((at for at, note in enumerate(above) if note.blank), default=0)
        while last < len(above) and _ABOUT_THE_FILE.match(above[last].text):
            last += 1
        self.found.head, first.above = above[:last], above[last:]

    def _put(self, note: Note, part: Part, following: Part | None) -> None:
        while part.inside.node.flow and note.at >= part.inside.node.end:
            owner = part.inside.owner
            if owner is None:
                part.inside.foot = [*part.inside.foot, note]
                return
            part = owner
        if note.at < part.value.end:
            self._before_value(note, part)
        elif not note.own_line:
            self._behind(note, part)
        elif part.inside.node.flow:
            self._in_flow(note, part, following)
        else:
            self._on_its_own(note, part, following)

    def _before_value(self, note: Note, part: Part) -> None:
        """Also in the header of a block of text, and before the first part of a collection."""
        if part.body and not part.body.parts:
            raise Refused(note.at, "a comment stands in an empty list or mapping")
        if note.own_line and part.body:
            part.body.parts[0].above = [*part.body.parts[0].above, note]
        elif note.own_line:
            part.between = [*part.between, note]
        elif part.first is not None:
            raise Refused(note.at, "two comments stand before one value")
        else:
            part.first = note

    def _behind(self, note: Note, part: Part) -> None:
        if part.body and part.first is None:
            part.first = note
        elif part.body:
            part.body.foot = [*part.body.foot, note]
        elif part.behind is None:
            part.behind = note
        else:
            part.below = [*part.below, note]

    def _in_flow(self, note: Note, part: Part, following: Part | None) -> None:
        if following is not None and following.inside is part.inside:
            following.above = [*following.above, note]
        else:
            part.inside.foot = [*part.inside.foot, note]

    def _on_its_own(self, note: Note, part: Part, following: Part | None) -> None:
        if following is not None and note.column <= following.column:
            following.above = [*following.above, note]
        elif part.body:
            part.body.foot = [*part.body.foot, note]
        elif note.column > part.column and part.value.style not in ("|", ">"):
            part.below = [*part.below, note]
        else:
            self._at_the_end(note, part, following)

    def _at_the_end(self, note: Note, part: Part, following: Part | None) -> None:
        """Of the deepest collection that is over and no deeper than the comment."""
        body = part.inside
        while following is None or body is not following.inside:
            if body.column <= note.column or body.owner is None:
                body.foot = [*body.foot, note]
                return
            body = body.owner.inside
        following.above = [*following.above, note]
