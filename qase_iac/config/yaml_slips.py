"""A slip: text that YAML cuts, turns into something else, or cannot read, and the line that was meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qase_iac.config.yaml_slip_words import COLON, STARTS
from qase_iac.values import printable

BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CONTINUES = re.compile(r"(?!-[ ]|#|[\w./ -]+:(?:\s|\Z))\S")
_PASTED = 1000


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip at `line`, `column` (from 0); `fixed` replaces lines `first` to `last`, `fixed_text` the whole text."""

    code: str
    summary: str
    detail: str
    line: int
    column: int
    fixed: str = ""
    fixed_text: str | None = None
    first: int = 0
    last: int = 0


def lines_of(text: str) -> list[str]:
    """The lines as libyaml counts them."""
    return BREAK.split(text)


def quote(text: str) -> str:
    """`text`, one line of it, in the plainest quotes that hold it."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def excerpt(text: str, line: int, column: int = 0) -> str:
    """The line (from 0) with its number, shown safely and cut to 100 characters around the column."""
    lines = lines_of(text)
    return numbered(lines[line], line, column) if line < len(lines) else ""


def numbered(content: str, line: int, column: int) -> str:
    """A line with its number, as `excerpt` shows it."""
    start = max(0, column - 60) if len(content) > 100 else 0
    cut = content[start : start + 100]
    shown = ("…" if start else "") + printable(cut) + ("…" if start + 100 < len(content) else "")
    return f"  {line + 1} | {shown}"


def described(why: str, shown: str, fixed: str) -> str:
    """The detail of a slip: why, the line, and the line that was meant where it can be pasted as it is."""
    safe = printable(fixed, "\n\t\u200d\u200c") == fixed and len(fixed) <= _PASTED
    advice = "Write:\n" + fixed if fixed and safe else "Put the text in quotes."
    return f"{why}\n{shown}\n{advice}"


def unquoted(start: str, line: int, column: int, shown: str, fixed: str, fixed_text: str | None = None) -> Slip:
    """A text that needs quotes because of how it begins; any other `start` means that a colon stands in it."""
    code, what, why = STARTS.get(start, COLON)
    detail = described(f"Without quotes around all of it, {why}.", shown, fixed)
    return Slip(code, f"{what}.", detail, line, column, fixed, fixed_text)


def replaced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """`text` with lines replaced: (first, last, what stands there instead), in order and apart."""
    starts = [0, *(match.end() for match in BREAK.finditer(text)), len(text)]
    parts, at = [], 0
    for first, last, fixed in changes:
        parts += [text[at : starts[first]], fixed, "\n" if last + 2 < len(starts) else ""]
        at = starts[last + 1]
    return "".join(parts) + text[at:]


def base_column(head: str) -> int:
    """The column that lines must exceed to go on with the text that stands behind `head`."""
    bare = head.lstrip(" -?")
    return len(head) - len(bare) if bare else max(head.rstrip().rfind("-"), 0)


def last_line(lines: list[str], at: int, base: int) -> int:
    """The last of the lines that go on with a text: indented deeper, and neither items nor pairs."""
    while at + 1 < len(lines):
        below = lines[at + 1].lstrip(" ")
        if len(lines[at + 1]) - len(below) <= base or not _CONTINUES.match(below):
            break
        at += 1
    return at
