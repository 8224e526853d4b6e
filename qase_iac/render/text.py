"""The plan in words, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qase_iac.plan.model import Change, Drift, Plan
from qase_iac.render.changes import DRIFTED, because, drift_words, symbol, words
from qase_iac.render.details import attribute_lines, change_lines
from qase_iac.render.layout import MARKS, Tails, joined, paragraph, row, width_of
from qase_iac.render.problems import problem
from qase_iac.render.style import Paint, Style, painter
from qase_iac.render.textdiff import Line
from qase_iac.render.totals import drift_sum, extras, headline, needs, no_changes, stateless, totals, undone
from qase_iac.render.tree import groups, left_alone, unsaid
from qase_iac.render.words_in_line import marked
from qase_iac.values import printable

BASE = 4
"""Columns before the mark of a detail line."""


def plan_text(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """The whole plan; ends with a line break."""
    paint = painter(color)
    tails = Tails()
    tree = _tree(plan, tails, full, paint)
    left = _drift("Changed in Qase since the last apply, and left as it is", left_alone(plan), full, paint)
    between = [block for block in (tails.lines, left, _findings(plan, paint)) if block]
    closing = _closing(plan, paint)
    if tree and not between and not full:
        tree[-1] += closing  # nothing stands between the changes and their sum
        closing = []
    groups = tree if full else [[line for group in tree for line in group]]
    return joined([_opening(plan, paint), *groups, *between, closing])


def drift_text(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """What changed in Qase since the last apply, as the command `drift` shows it."""
    paint = painter(color)
    drifted = _drift("Changed in Qase since the last apply", plan.drift, full, paint)
    said = [drift_sum(plan, paint)]
    return joined([_opening(plan, paint), drifted, _findings(plan, paint), said])


def _opening(plan: Plan, paint: Paint) -> list[str]:
    alarm = stateless(plan)
    return ([paint(Style.WARN, alarm)] if alarm else []) + [headline(plan, paint)]


def _tree(plan: Plan, tails: Tails, full: bool, paint: Paint) -> list[list[str]]:
    """The lines of each group."""
    blocks: list[list[str]] = []
    bases = {drift.address: drift.attributes for drift in plan.drift}
    for group in groups(plan.changes):
        lines = [paint(Style.HEAD, group.header)]
        width = width_of(change.address for change in group.changes)
        for change in group.changes:
            lines += _change(change, width, tails, full, paint)
            if full:
                agreed = len(plan.observed.get(change.address, ()))
                lines += _detail(change_lines(change, agreed, bases.get(change.address, {})), paint)
        blocks.append(lines)
    return blocks


def _change(change: Change, width: int, tails: Tails, full: bool, paint: Paint) -> Iterator[str]:
    said = words(change, full)
    reason = tails.reason(change.address, because(change)) if change.blocked else ""
    if reason and "\n" not in reason and len(reason) < 40:
        said, reason = f"{said}: {printable(reason)}", ""
    yield row(*symbol(change), change.address, said, width, paint)
    if reason:
        yield from paragraph(reason, BASE + 2)


def _detail(lines: Iterable[Line], paint: Paint) -> Iterator[str]:
    for line in lines:
        style = MARKS.get(line.mark, Style.PLAIN)
        text = f"{line.mark} {line.text}".rstrip()
        if line.parts:
            words = (paint(MARKS.get(kind, Style.PLAIN), marked([(kind, part)])) for kind, part in line.parts)
            text, style = paint(style, line.mark) + " " + "".join(words), Style.PLAIN
        yield " " * (BASE + 2 * line.depth) + paint(style, text) if text else ""


def _drift(title: str, entries: Sequence[Drift], full: bool, paint: Paint) -> list[str]:
    if not entries:
        return []
    lines = [paint(Style.HEAD, title)]
    width = width_of(drift.address for drift in entries)
    for drift in entries:
        mark, style = DRIFTED.get(drift.kind, ("~", Style.CHANGE))
        lines.append(row(mark, style, drift.address, drift_words(drift), width, paint))
        if full:
            kind = drift.address.partition(".")[0]
            for name, change in drift.attributes.items():
                lines += _detail(attribute_lines(kind, name, change), paint)
    return lines


def _findings(plan: Plan, paint: Paint) -> list[str]:
    findings = unsaid(plan)
    if not findings:
        return []
    lines = [paint(Style.HEAD, "Findings")]
    for finding in findings:
        lines += [f"  {line}" for line in problem(finding, paint)]
    return lines


def _closing(plan: Plan, paint: Paint) -> list[str]:
    if not plan.changes:
        return [no_changes(plan, paint), *extras(plan)]
    return [totals(plan, paint), needs(plan), *undone(plan), *extras(plan)]
