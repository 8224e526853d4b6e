"""Diagnostics and the report of an apply as Markdown, under the same limit as a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from qase_iac.apply.report import Operation, Report, Status
from qase_iac.diagnostics import Diagnostic
from qase_iac.render.budget import Entry, Section, compose
from qase_iac.render.escape import code, md, prose
from qase_iac.render.outcome import DONE_WORDS, TITLES, advice, facts, reasons, saved, sum_words
from qase_iac.render.problems import ALL_WELL, named, tally
from qase_iac.render.style import plain
from qase_iac.render.words import count, number
from qase_iac.values import printable

MAX_TEXT = 1_500
"""Characters of one detail or reason."""


def finding_entry(diagnostic: Diagnostic) -> Entry:
    """One problem: its line, or that and its detail."""
    place = f"{code(printable(str(diagnostic.source))[:300])} " if diagnostic.source.file else ""
    short = f"- {place}**{diagnostic.severity.value}** {code(diagnostic.code[:100])} {prose(named(diagnostic))}"
    detail = "<br>".join(prose(line) for line in diagnostic.detail[:MAX_TEXT].split("\n"))
    return Entry((short, f"{short}<br>{detail}") if detail else (short,))


def diagnostics_markdown(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """All problems by file."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    if not ordered:
        return f"## Validation\n\n{ALL_WELL}\n"
    entries = [
        Entry(finding_entry(each).forms, f"**{code(printable(each.source.file)[:300] or 'project')}**")
        for each in ordered
    ]
    head = f"## Validation: {prose(tally(ordered, plain))}"
    sections = [Section(f"Problems ({number(len(ordered))})", "problems", entries)]
    return compose(head, sections, [(0, 0), (0, 1)], "All of them: `qase-iac validate`.", "")


def report_markdown(report: Report, *, full: bool = False, color: bool = False) -> str:
    """What an apply did: what is not done first, what is done folded."""
    went, sums = sum_words(report)
    notes = [*(f"Warning: {prose(text)}" for text in report.warnings), *map(prose, [*advice(report), *saved(report)])]
    head = "\n\n".join([f"## {went}: {prose(sums)}", *notes[:10]])
    troubled = [
        Section(f"{title} ({number(len(found))})", f"{status.value} operations", [_troubled(each) for each in found])
        for status, (title, _, _) in TITLES.items()
        for found in [_of(report, status)]
    ]
    done = _of(report, Status.DONE)
    sections = [*troubled, Section(count(len(done), "operation") + " done", "done operations", _done(done), True)]
    order = [(at, level) for level in (0, 1) for at in range(len(troubled))] + [(len(troubled), 0)]
    return compose(head, sections, order, "All of it: `qase-iac apply --format json`, or the job's log.", "")


def _of(report: Report, status: Status) -> list[Operation]:
    return [each for each in report.operations if each.status is status]


def _troubled(operation: Operation) -> Entry:
    short = f"- {code(operation.address[:300])} {md(facts(operation)[:600])}"
    why = "<br>".join(prose(text) for text in reasons(operation))
    return Entry((short, f"{short}<br>{why}") if why else (short,))


def _done(operations: Sequence[Operation]) -> list[Entry]:
    return [Entry((f"- {code(each.address[:300])} {DONE_WORDS[each.action]}",)) for each in operations]
