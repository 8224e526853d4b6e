"""Diagnostics and the report of an apply as a page."""

from __future__ import annotations

from collections.abc import Iterable

from qase_iac.apply.report import Operation, Report, Status
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.plan.model import Action
from qase_iac.render.changes import SYMBOLS, VERBS
from qase_iac.render.html_page import Entry, Facet, Group, Mark, cut, lines, page, prose, tally
from qase_iac.render.markup import NOTHING, Html, el, join
from qase_iac.render.outcome import DONE_WORDS, TITLES, advice, altered, facts, reasons, saved, sum_words
from qase_iac.render.problems import ALL_WELL, named
from qase_iac.render.problems import tally as sums
from qase_iac.render.style import Style, plain
from qase_iac.render.words import number
from qase_iac.values import printable

_MARKS = {
    Severity.ERROR: Mark("!", "error", "c-alarm"),
    Severity.WARNING: Mark("!", "warning", "c-warn"),
}
_STATUS = {status: f"c-{style.name.lower()}" for status, (_, _, style) in TITLES.items()}
SEVERITY = Facet("what", "What", {each.value: each.value for each in Severity})
STATUS = Facet("what", "What", {each.value: each.value for each in (*TITLES, Status.DONE)})
ACTION = Facet("action", "Action", {action.value: VERBS[action] for action in Action})
SMALL = 200
"""With more operations than this, those that are done are folded."""


def finding_entry(diagnostic: Diagnostic) -> Entry:
    """One problem: where, what, and below it why and what to do."""
    place = printable(str(diagnostic.source)) if diagnostic.source.file else diagnostic.address or diagnostic.code
    detail = el("div", lines(diagnostic.detail), class_="why soft") if diagnostic.detail else NOTHING
    said = f"{named(diagnostic)} ({printable(diagnostic.code)})"
    facets = {"what": ["finding", diagnostic.severity.value]}
    return Entry(_MARKS[diagnostic.severity], place, "", said, more=detail, facets=facets, anchor=False)


def diagnostics_html(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """All problems by file."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    by_file: dict[str, list[Entry]] = {}
    for each in ordered:
        by_file.setdefault(each.source.file, []).append(finding_entry(each))
    groups = [
        Group(el("code", cut(file) or "project"), entries, tally=tally(each.mark for each in entries))
        for file, entries in by_file.items()
    ]
    said = sums(ordered, plain) if ordered else ALL_WELL
    return page("Validation", [el("h1", "Validation"), el("p", said, class_="gist")], [SEVERITY], groups, NOTHING)


def report_html(report: Report, *, full: bool = False, color: bool = False) -> str:
    """What an apply did: what is not done first."""
    went, said = sum_words(report)
    head = [el("h1", went), el("p", said, class_="gist"), _box(report)]
    groups = [_group(report, status, title) for status, (title, _, _) in TITLES.items()]
    groups.append(_group(report, Status.DONE, "Done", full or len(report.operations) <= SMALL))
    return page(f"Apply: {went}", head, [STATUS, ACTION], [group for group in groups if group.entries], NOTHING)


def _box(report: Report) -> Html:
    """What people have to know and do now."""
    items = [*(f"Warning: {printable(each)}" for each in report.warnings), *advice(report), *saved(report)]
    held = list(altered(report))
    rows = [el("li", prose(item)) for item in items]
    if held:
        rows.append(el("li", prose(held[0]), el("pre", join(map(el_text, held[1:]), "\n"))))
    return el("div", el("ul", *rows), class_="box alarm" if report.exit_code else "box") if rows else NOTHING


def el_text(said: str) -> Html:
    """A line of a `pre`."""
    return el("span", said.strip())


def _group(report: Report, status: Status, title: str, opened: bool = True) -> Group:
    entries = [_operation(each) for each in report.operations if each.status is status]
    return Group(Html(f"{title} ({number(len(entries))})"), entries, open=opened)


def _operation(operation: Operation) -> Entry:
    sign, style = SYMBOLS[operation.action]
    mark = Mark(
        {"-": "−"}.get(sign, sign), VERBS[operation.action], _STATUS.get(operation.status, f"c-{style.name.lower()}")
    )
    why = [el("p", lines(each)) for each in reasons(operation)]
    said = DONE_WORDS[operation.action] if operation.done else facts(operation)
    kind = Style.ALARM if operation.status is Status.FAILED else Style.PLAIN
    return Entry(
        mark,
        operation.address,
        said=said,
        more=el("div", *why, class_="why" if kind is Style.ALARM else "why soft") if why else NOTHING,
        facets={"what": [operation.status.value], "action": [operation.action.value]},
    )
