"""What is wrong with a project folder, one `Diagnostic` a problem: what, where, why it matters, what to write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class SourceRange:
    """A place in a file. `file` is relative to the project folder with `/`; `line` and `column` count from 1.

    `line` 0 means the file (or folder) as a whole. `end_line`/`end_column` are the place just after, 0 if unknown.
    """

    file: str
    line: int = 0
    column: int = 0
    end_line: int = 0
    end_column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem.

    `code` is stable and machine-readable (kebab-case, e.g. "unknown-attribute"); `summary` one line that says what is
    wrong; `detail` why it matters and what to write instead, may span lines; `source` where.
    """

    code: str
    summary: str
    detail: str = ""
    source: SourceRange = SourceRange("")
    severity: Severity = Severity.ERROR
    address: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def sort_key(self) -> tuple[str, int, int, str, str]:
        return (self.source.file, self.source.line, self.source.column, self.code, self.summary)


def has_errors(diagnostics: list[Diagnostic]) -> bool:
    return any(diagnostic.is_error for diagnostic in diagnostics)
