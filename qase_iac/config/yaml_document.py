"""One file on its way from bytes to nodes: its name, its text, what was found wrong with it; and strict decoding."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from qase_iac.config.yaml_slips import Slip, excerpt, lines_of
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.values import printable

MAX_PROBLEMS = 200
_PLAIN = re.compile("[\t\n\r\x20-\x7e]*")
_FORBIDDEN = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
"""Compiled when a text is not plain: that takes longer than to read a small file."""


@dataclass
class Document:
    """One file as nodes. `root` is None when it is empty or beyond repair.

    After a slip that has one sure correction the corrected text is read on, so that later problems show as well:
    `text` is then the corrected one, and marks count in it.
    """

    name: str
    text: str = ""
    root: yaml.Node | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    known: set[Diagnostic] = field(default_factory=set)

    def add(self, code: str, summary: str, detail: str = "", line: int = 0, column: int = 0) -> None:
        """One more problem of this file, once; more than MAX_PROBLEMS help nobody."""
        found = Diagnostic(code, summary, detail, SourceRange(self.name, line, column))
        if found not in self.known and len(self.known) < MAX_PROBLEMS:
            self.known.add(found)
            self.diagnostics.append(found)

    def add_slip(self, slip: Slip) -> None:
        """A slip as a diagnostic."""
        self.add(slip.code, slip.summary, slip.detail, slip.line + 1, slip.column + 1)


def decoded(data: bytes, document: Document) -> str | None:
    """Strict UTF-8 without control characters, a BOM taken off; None after a diagnostic."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        document.add("not-utf8", "The file is UTF-16.", "Content files are UTF-8. Save it again as UTF-8.", 1, 1)
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        text = data[: error.start].decode("utf-8-sig", "replace")
        line, column = _place(text, len(text))
        summary = f"The byte 0x{data[error.start]:02x} is not UTF-8."
        detail = "Content files are UTF-8; this looks like Latin-1 or Windows-1252. Save it again as UTF-8."
        document.add("not-utf8", summary, f"{detail}\n{excerpt(text, line - 1, column)}", line, column)
        return None
    bad = None if _PLAIN.fullmatch(text) else re.search(_FORBIDDEN, text)
    if bad is None:
        return text
    line, column = _place(text, bad.start())
    summary = f"The control character {printable(bad.group())} stands in the file."
    advice = f'Remove it, or write it in double quotes, as "\\x{ord(bad.group()):02x}".'
    if bad.group() == "\ufeff":
        summary, advice = "A byte order mark stands inside the text.", "It is invisible. Remove it."
    detail = f"YAML does not allow it. {advice}\n{excerpt(text, line - 1, column)}"
    document.add("control-character", summary, detail, line, column)
    return None


def _place(text: str, index: int) -> tuple[int, int]:
    lines = lines_of(text[:index])
    return len(lines), len(lines[-1]) + 1
