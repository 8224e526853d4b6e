"""The lines of a file in its canonical layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qase_iac.config.edit.source import BREAK, Node
from qase_iac.config.format import roles
from qase_iac.config.format.model import Body, Document, Note, Notes, Part
from qase_iac.config.format.refused import Refused
from qase_iac.config.format.roles import Role
from qase_iac.config.format.scalars import flow, lines_of, properties, quoted
from qase_iac.config.format.tree import opened

STEP = 2
WIDTH = 120
"""A list or mapping in brackets stays on one line as far as this."""
LONG_KEY = 1000
"""As in `config/dump.py`: longer keys take the `? ` form."""


class Printer:
    """`moved` are the places of mappings (in the text as it was) whose pairs changed their order."""

    def __init__(self, document: Document) -> None:
        self.document, self.source = document, document.source
        self.lines: list[str] = []
        self.moved: set[int] = set()
        self.kept = False
        """Whether the last lines are blank ones that belong to a text."""

    def run(self, role: Role) -> list[str]:
        found = self.document
        if found.before is not None:
            self._notes(found.before, 0, True)
            self._add("---")
        if found.root is None:
            self._notes(found.tail, 0, True)
            return self.lines
        self._notes(found.head, 0, True)
        first = found.root.parts[0] if found.root.parts else None
        if first is None or found.root.node.flow:
            self._flow_root(found.root, role)
        else:
            if found.head and (first.above[0].blank if first.above else first.blank):
                self._blank()
            self._body(found.root, 0, role)
        return self.lines

    def _flow_root(self, root: Body, role: Role) -> None:
        """A file in brackets: on one line if it may be, else as the lines that it would be without them."""
        text = None if root.foot or any(_noted(part) for part in root.parts) else self._flow(root.node, role)
        if text is not None and len(text) <= WIDTH:
            self._add(text)
        elif not root.parts:
            raise Refused(root.node.start, "a comment stands beside an empty list or mapping")
        else:
            self._body(root, 0, role)

    # --- lines

    def _add(self, *lines: str) -> None:
        self.lines += lines
        self.kept = False

    def _blank(self) -> None:
        if self.lines and self.lines[-1] and not self.kept:
            self.lines.append("")

    def _notes(self, notes: Iterable[Note], pad: int, opening: bool) -> None:
        for note in notes:
            if note.blank and not opening:
                self._blank()
            self._add(" " * pad + note.text)
            opening = False

    # --- collections

    def _body(self, body: Body, pad: int, role: Role, head: str = "") -> None:
        """`head` is what the first part's line begins with when that is no new line."""
        several = True
        for at, part in enumerate(self._ordered(body, role)):
            start, kept = len(self.lines), self.kept
            self._notes(part.above, pad, at == 0)
            if part.blank and (at or part.above):
                self._blank()
            above = len(self.lines)
            self._part(part, (head if at == 0 else "") or " " * pad, pad, role)
            before, several = several, len(self.lines) - above > 1
            if at and roles.is_spaced(role) and (several or before):
                self._spaced(start, kept)
        self._notes(body.foot, pad, False)

    def _spaced(self, start: int, kept: bool) -> None:
        """A blank line above what was put down at `start`, unless there is one."""
        if self.lines[start] and self.lines[start - 1] and not kept:
            self.lines.insert(start, "")

    def _ordered(self, body: Body, role: Role) -> Sequence[Part]:
        parts = body.parts
        if body.node.kind != "mapping":
            return parts
        wanted = roles.order(role, body.node.pairs)
        if wanted is None:
            return parts
        found = [parts[place] for place in wanted]
        if not _all_notes_are_clear(body, parts, found):
            return parts
        self.moved.add(body.node.start)
        return found

    def _part(self, part: Part, prefix: str, pad: int, role: Role) -> None:
        if part.key is None:
            lead, role = prefix + "-", roles.below(role, None)
        else:
            name = self._key(part.key)
            role = roles.below(role, part.key.value if part.key.kind == "scalar" else None)
            if len(name) > LONG_KEY:
                self._add(f"{prefix}? {name}")
                prefix, name = " " * pad, ""
            lead = f"{prefix}{name}:"
        value = part.value
        if not value.flow and part.body is None:
            self._leaf(part, lead, lines_of(self.source, value, pad + STEP, _must_stay(part)), pad)
            return
        text = self._flow(value, role) if part.body is None else None
        if text is not None and (len(lead) + 1 + len(text) <= WIDTH or not (value.pairs or value.items)):
            self._leaf(part, lead, [text], pad)
        else:
            self._open(part, lead, pad, role)

    def _key(self, key: Node) -> str:
        head = properties(self.source, key)
        if key.kind == "alias":
            return f"*{key.value} "
        raw = self.source.text[self.source.after_properties(key) : key.end]
        if key.kind != "scalar" or key.style in ("|", ">") or BREAK.search(raw):
            raise Refused(key.start, "a key is no text on one line")
        return head + (quoted(key.value, False) if key.style else raw)

    def _flow(self, node: Node, role: Role) -> str | None:
        """On one line; as it is where it has odd parts."""
        moved: set[int] = set()
        text = flow(self.source, node, role, moved)
        if text is None:
            text = self.source.text[node.start : node.end]
            if BREAK.search(text):
                raise Refused(node.start, "a list or mapping in brackets has an odd part, and is not on one line")
            return text
        self.moved |= moved
        return text

    def _open(self, part: Part, lead: str, pad: int, role: Role) -> None:
        """A collection on lines of its own."""
        if part.value.flow and flow(self.source, part.value, role, set()) is None:
            raise Refused(part.value.start, "a list or mapping in brackets has an odd part, and is too long")
        body = part.body or opened(self.source, part)
        head = properties(self.source, part.value).rstrip(" ")
        notes = [note for note in (part.first, part.behind) if note]
        first = self._ordered(body, role)[0]
        if part.key is None and not head and not notes and not first.above:
            self._body(body, pad + STEP, role, f"{lead} ")
        else:
            line = f"{lead} {head}" if head else lead
            self._add(_with_note(line, notes[0]) if notes else line)
            self._body(body, pad + STEP, role)
        self._notes(part.below, pad + STEP, False)

    # --- leaves

    def _leaf(self, part: Part, lead: str, text: list[str], pad: int) -> None:
        """What stands behind a key or dash; below it, where comments stand before it."""
        block = part.value.style in ("|", ">") and len(text) > 1
        if part.inside.node.flow and part.behind and _sticks(part.behind) and not part.value.style:
            raise Refused(part.behind.at, "without its comma the text would go on with this comment")
        notes = [note for note in (part.first, part.behind) if note]
        if part.between or len(notes) > 1 or (part.first and not block and _sticks(part.first)):
            self._add(_with_note(lead, part.first) if part.first else lead)
            self._notes(part.between, pad + STEP, False)
            text = [" " * (pad + STEP) + text[0], *text[1:]]
            notes = [part.behind] if part.behind else []
        elif text[0]:
            text = [f"{lead} {text[0]}", *text[1:]]
        else:
            text = [lead]
        at = 0 if block else -1
        if notes:
            text[at] = _with_note(text[at], notes[0])
        self._add(*text)
        self.kept = block and text[-1] == ""
        self._below(part.below, part.behind, len(text[at]) - len(part.behind.text) if part.behind else 0, pad + STEP)

    def _below(self, notes: Notes, behind: Note | None, column: int, pad: int) -> None:
        """A comment that goes on below stays in line with its beginning."""
        for note in notes:
            aligned = behind is not None and note.column == behind.column and not note.blank
            self._notes([note], column if aligned else pad, False)


def _noted(part: Part) -> bool:
    """Whether a comment stands in or beside a part."""
    own = bool(part.above or part.first or part.between or part.behind or part.below)
    return own or (part.body is not None and (bool(part.body.foot) or any(map(_noted, part.body.parts))))


def _with_note(line: str, note: Note) -> str:
    """A comment behind a line: two blanks after it, or in the column where it is in line with others."""
    width = len(line) + STEP
    return line.ljust(width if note.gap <= STEP else max(width, note.column)) + note.text


def _sticks(note: Note) -> bool:
    """Whether a comment behind a text would be taken for a part of it that was cut off."""
    return not note.text[1:2].isspace() and note.text != "#"


def _must_stay(part: Part) -> bool:
    return any(note is not None and _sticks(note) for note in (part.first, part.behind))


def _all_notes_are_clear(body: Body, before: Sequence[Part], after: Sequence[Part]) -> bool:
    """Whether every comment is sure to be about the part that it would move with."""
    if body.foot and before[-1] is not after[-1]:
        return False
    if any(part.above and (part.blank or any(note.blank for note in part.above[1:])) for part in before):
        return False
    if before[0] is after[0]:
        return True
    return not before[0].above and not (after[0].above and body.owner is not None and body.owner.key is None)
