"""Diagnostics as GitHub's workflow commands: the runner turns each line into an annotation of the file and line."""

from __future__ import annotations

from collections.abc import Iterable

from qase_iac.diagnostics import Diagnostic
from qase_iac.render.problems import ALL_WELL, named, tally
from qase_iac.render.style import plain
from qase_iac.values import printable

_DATA = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY = (*_DATA, (":", "%3A"), (",", "%2C"))
"""What ends a value or a command, as the runner's own toolkit escapes it."""


def diagnostics_github(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """One `::error …::` or `::warning …::` a problem, then the sum as plain text."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    said = tally(ordered, plain) if ordered else ALL_WELL
    return "\n".join([*map(_command, ordered), said]) + "\n"


def _command(diagnostic: Diagnostic) -> str:
    source = diagnostic.source
    parts = {
        "file": source.file,
        "line": str(source.line) if source.line else "",
        "col": str(source.column) if source.line and source.column else "",
        "title": f"qase-iac: {diagnostic.code}",
    }
    said = ",".join(f"{name}={_escaped(printable(value), _PROPERTY)}" for name, value in parts.items() if value)
    message = "\n".join(part for part in (named(diagnostic), printable(diagnostic.detail, keep="\n")) if part)
    return f"::{diagnostic.severity.value} {said}::{_escaped(message, _DATA)}"


def _escaped(said: str, table: Iterable[tuple[str, str]]) -> str:
    for char, code in table:
        said = said.replace(char, code)
    return said
