"""Rows, paragraphs and repeated texts of the plain renderers."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from qase_iac.render.style import Paint, Style
from qase_iac.values import printable

MARKS: dict[str, Style] = {"+": Style.ADD, "-": Style.DELETE, "~": Style.CHANGE, ">": Style.MOVE, " ": Style.PLAIN}
WIDEST = 48
"""Addresses longer than this do not push the others' words to the right."""
WRAP = 110

_QUOTED = re.compile(r"`[^`\n]*`")
_GLUE = "\x00"


def width_of(addresses: Iterable[str]) -> int:
    """The column width that suits these addresses."""
    return max((len(address) for address in addresses if len(address) <= WIDEST), default=0)


def row(mark: str, style: Style, address: str, said: str, width: int, paint: Paint) -> str:
    """`  ~ case.receipt    title`."""
    shown = printable(address)
    padding = " " * (max(width - len(shown), 0) + 2) if said else ""
    return f"  {paint(style, f'{mark} {shown}')}{padding}{said}"


def paragraph(text: str, indent: int) -> list[str]:
    """Text from a finding or a reason, wrapped; what stands in backticks is never broken."""
    lines: list[str] = []
    pad = " " * indent
    for line in text.split("\n"):
        glued = _QUOTED.sub(lambda match: match.group().replace(" ", _GLUE), printable(line))
        wrapped = textwrap.wrap(
            glued, WRAP, initial_indent=pad, subsequent_indent=pad, break_long_words=False, break_on_hyphens=False
        )
        lines += [part.replace(_GLUE, " ") for part in wrapped]
    return lines


def joined(blocks: Iterable[list[str]]) -> str:
    """The blocks that hold something, a blank line between them; ends with a line break."""
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


class Tails:
    """Reasons that several changes share, said once.

    The first line of a reason is said at its first change; others point there. What follows the first line (the
    `moved:` lines of all renames) is collected in `lines`, unindented so that it can be pasted.
    """

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._tails: dict[str, None] = {}

    def reason(self, address: str, text: str) -> str:
        first, _, tail = text.partition("\n")
        if tail:
            self._tails.setdefault(tail)
        if text in self._first:
            return f"as {self._first[text]} above"
        self._first[text] = address
        return first

    @property
    def lines(self) -> list[str]:
        blocks = [[printable(line) for line in tail.split("\n")] for tail in self._tails]
        return [line for at, block in enumerate(blocks) for line in ([""] if at else []) + block]
