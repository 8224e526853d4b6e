"""Diagnostics in words: `file:line:column`, what is wrong, why it matters, what to write instead."""

from __future__ import annotations

from collections.abc import Iterable

from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.render.layout import paragraph
from qase_iac.render.style import Paint, Style, painter
from qase_iac.render.words import count
from qase_iac.values import printable

STYLES: dict[Severity, Style] = {Severity.ERROR: Style.ALARM, Severity.WARNING: Style.WARN}
ALL_WELL = "Valid. No problems were found."


def diagnostics_text(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """All problems by file, a blank line between files, and their number; ends with a line break."""
    paint = painter(color)
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    if not ordered:
        return paint(Style.ADD, ALL_WELL) + "\n"
    lines: list[str] = []
    previous = ordered[0].source.file
    for each in ordered:
        if each.source.file != previous:
            lines.append("")
            previous = each.source.file
        lines += problem(each, paint)
    return "\n".join([*lines, "", tally(ordered, paint)]) + "\n"


def problem(diagnostic: Diagnostic, paint: Paint) -> list[str]:
    """One problem; its address leads the summary where the summary does not name it."""
    place = paint(Style.HEAD, printable(str(diagnostic.source))) + "  " if diagnostic.source.file else ""
    severity = paint(STYLES[diagnostic.severity], diagnostic.severity.value)
    lines = [f"{place}{severity}[{printable(diagnostic.code)}]  {named(diagnostic)}"]
    for line in diagnostic.detail.split("\n") if diagnostic.detail else ():
        # Lines that are indented or quote YAML are shown as they stand.
        lines += [f"    {printable(line)}"] if line[:1] in (" ", "-") else paragraph(line, 4)
    return lines


def named(diagnostic: Diagnostic) -> str:
    """The summary, led by the address it is about."""
    summary = printable(diagnostic.summary)
    if diagnostic.address and diagnostic.address not in diagnostic.summary:
        return f"{printable(diagnostic.address)}: {summary}"
    return summary


def tally(diagnostics: Iterable[Diagnostic], paint: Paint) -> str:
    """`2 errors, 1 warning in 3 files.`"""
    found = list(diagnostics)
    numbers = {severity: sum(each.severity is severity for each in found) for severity in Severity}
    parts = [paint(STYLES[severity], count(number, severity.value)) for severity, number in numbers.items() if number]
    files = {each.source.file for each in found if each.source.file}
    where = f" in {count(len(files), 'file')}" if files else ""
    valid = "" if numbers[Severity.ERROR] else " The configuration is valid."
    return f"{', '.join(parts)}{where}.{valid}"
