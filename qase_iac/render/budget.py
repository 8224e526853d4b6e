"""Fits a page into a comment: what matters most is placed first and in full, what is left out is counted and said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qase_iac.render.words import number, sentence

LIMIT = 65_000
"""Bytes of UTF-8. GitHub takes 65,536 characters; the rest is for what a bot may put around it."""
NOTE = 160
"""Bytes kept for what a section says of its own omissions; more than any such line takes."""


MISSES = 20
"""Entries of a section that did not fit, after which no further one is tried: the richest form takes work to make."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to tell, in several forms, each saying more than the one before, and made only when there is room.

    `group` is a header that it shares with its neighbours.
    """

    forms: tuple[str | Callable[[], str], ...]
    group: str = ""

    @property
    def richest(self) -> int:
        return len(self.forms) - 1

    def form(self, level: int) -> str:
        form = self.forms[level]
        return form if isinstance(form, str) else form()


@dataclass(frozen=True, slots=True)
class Section:
    """Entries under one title. `what` names them in the note on what was left out; `folded` closes the section."""

    title: str
    what: str
    entries: Sequence[Entry]
    folded: bool = False


@dataclass
class _Page:
    """Which form of each entry is shown so far (level -1: none), and what room is left."""

    sections: Sequence[Section]
    room: int
    levels: list[list[int]] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    opened: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.levels = [[-1] * len(section.entries) for section in self.sections]
        self.texts = [[""] * len(section.entries) for section in self.sections]

    def raise_to(self, at: int, level: int) -> None:
        """Shows as many entries of a section as fit in their form `level` (or the richest they have)."""
        misses = 0
        for place, entry in enumerate(self.sections[at].entries):
            wanted = min(level, entry.richest)
            if wanted > self.levels[at][place] and not self._raise(at, place, wanted):
                misses += 1
                if misses == MISSES:
                    return

    def _raise(self, at: int, place: int, level: int) -> bool:
        entry, shown = self.sections[at].entries[place], self.levels[at][place] >= 0
        text = entry.form(level)
        cost = _size(text) - (_size(self.texts[at][place]) if shown else 0)
        fresh = bool(entry.group) and (at, entry.group) not in self.opened
        cost += _size(entry.group) + 2 if fresh else 0
        if cost > self.room:
            return False
        self.room -= cost
        self.levels[at][place], self.texts[at][place] = level, text
        if fresh:
            self.opened.add((at, entry.group))
        return True


def _size(text: str) -> int:
    return len(text.encode()) + 1


def compose(head: str, sections: Sequence[Section], order: Sequence[tuple[int, int]], where: str, foot: str) -> str:
    """The page: head, sections, foot. `order` lists (section, form) in the order in which room is given.

    `where` says where what is left out can be found.
    """
    present = [section for section in sections if section.entries]
    frames = sum(_size(section.title) * 2 + NOTE for section in present)
    room = LIMIT - _size(head) - _size(foot) - _size(where) - frames - len(present) * NOTE
    page = _Page(sections, room)
    for at, level in order:
        page.raise_to(at, level)
    blocks = [head, _left_out(page, where)]
    blocks += [
        _section(section, page.levels[at], page.texts[at]) for at, section in enumerate(sections) if section.entries
    ]
    return "\n\n".join(block for block in [*blocks, foot] if block) + "\n"


def _left_out(page: _Page, where: str) -> str:
    """What the page does not hold; "" when it holds all."""
    parts: list[str] = []
    for section, levels in zip(page.sections, page.levels, strict=True):
        absent = sum(level < 0 for level in levels)
        short = sum(0 <= level < entry.richest for entry, level in zip(section.entries, levels, strict=True))
        if absent:
            parts.append(f"{number(absent)} of {number(len(levels))} {section.what}")
        if short:
            parts.append(f"the details of {number(short)} {section.what}")
    return f"> **Left out for want of room:** {sentence(parts)}. {where}" if parts else ""


def _section(section: Section, levels: Sequence[int], texts: Sequence[str]) -> str:
    lines: list[str] = []
    group = ""
    for entry, level, text in zip(section.entries, levels, texts, strict=True):
        if level < 0:
            continue
        if entry.group and entry.group != group:
            group = entry.group
            lines += ["", group, ""] if lines else [group, ""]
        lines.append(text)
    absent = sum(level < 0 for level in levels)
    if absent:
        lines += ["", f"… and {number(absent)} more, not shown here."]
    body = "\n".join(lines)
    if section.folded:
        return f"<details><summary>{section.title}</summary>\n\n{body}\n\n</details>"
    return f"### {section.title}\n\n{body}"
