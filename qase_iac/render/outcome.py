"""What an apply did, in words: short when all went well, everything that is needed to go on when it did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from qase_iac.apply.report import Operation, Report, Status
from qase_iac.plan.model import Action
from qase_iac.render.changes import SYMBOLS, VERBS
from qase_iac.render.layout import joined, paragraph, row, width_of
from qase_iac.render.style import Paint, Style, painter, plain
from qase_iac.render.words import count, inline, listed, number
from qase_iac.values import printable

DONE_WORDS: dict[Action, str] = {
    Action.CREATE: "added",
    Action.UPDATE: "changed",
    Action.MOVE: "moved",
    Action.DELETE: "deleted",
    Action.ADOPT: "adopted",
    Action.NO_OP: "renamed",
    Action.FORGET: "no longer managed",
}
TITLES: dict[Status, tuple[str, str, Style]] = {
    Status.FAILED: ("Failed", "!", Style.ALARM),
    Status.UNKNOWN: ("Unknown: sent, and Qase gave no clear answer", "?", Style.WARN),
    Status.BLOCKED: ("Blocked: not tried", "!", Style.WARN),
}
"""What is listed whenever there is some of it, in this order: heading, mark, style."""


ALTERED = 20
"""So many values that Qase changed are shown."""


def report_text(report: Report, *, full: bool = False, color: bool = False) -> str:
    """The report; `full` lists what was done as well. Ends with a line break."""
    paint = painter(color)
    by_status: dict[Status, list[Operation]] = {status: [] for status in Status}
    for each in report.operations:
        by_status[each.status].append(each)
    blocks = [_done(by_status[Status.DONE], paint)] if full else []
    for status, (title, mark, style) in TITLES.items():
        blocks.append(_troubled(title, mark, style, by_status[status], paint))
    blocks.append([f"{paint(Style.WARN, 'warning')}  {printable(text)}" for text in report.warnings])
    blocks.append(
        [f"{paint(Style.WARN, 'note')}  {line}" if at == 0 else line for at, line in enumerate(altered(report))]
    )
    blocks.append([*saved(report), _sum(report, paint), *(printable(line) for line in advice(report))])
    return joined(blocks)


def _done(operations: list[Operation], paint: Paint) -> list[str]:
    if not operations:
        return []
    width = width_of(each.address for each in operations)
    lines = [paint(Style.HEAD, "Done")]
    for each in operations:
        said = DONE_WORDS[each.action] + (f", id {each.id}" if each.action is Action.CREATE else "")
        lines.append(row(*SYMBOLS[each.action], each.address, printable(said), width, paint))
    return lines


def _troubled(title: str, mark: str, style: Style, operations: list[Operation], paint: Paint) -> list[str]:
    if not operations:
        return []
    width = width_of(each.address for each in operations)
    lines = [paint(Style.HEAD, title)]
    said_before: dict[tuple[str, ...], str] = {}
    for each in operations:
        lines.append(row(mark, style, each.address, facts(each), width, paint))
        why = tuple(reasons(each))
        if why in said_before:
            lines.append(f"      as {printable(said_before[why])} above")
            continue
        said_before[why] = each.address
        for text in why:
            lines += paragraph(text, 6)
    return lines


def facts(operation: Operation) -> str:
    """`create · HTTP 422 · request 7f3a · checkout/cases.yaml:12`."""
    problem = operation.problem
    status = operation.http_status or (problem.http_status if problem else None)
    request = operation.request_id or (problem.request_id if problem else None)
    parts = [
        VERBS[operation.action] + (f" ({problem.code})" if problem else ""),
        f"HTTP {status}" if status else "",
        f"request {request}" if request else "",
        operation.source or "",
    ]
    return " · ".join(printable(part) for part in parts if part)


def reasons(operation: Operation) -> Iterator[str]:
    """Why it is not done: the reason, what the server said of each field, the roots, what to do."""
    problem = operation.problem
    if problem is None:
        return
    if problem.reason:
        yield problem.reason
    for field, message in problem.field_errors[:20]:
        if f"{field}: {message}" not in problem.reason:
            yield f"{field}: {message}"
    roots = [address for address in problem.by if address not in problem.reason]
    if roots:
        yield f"Because of {listed(roots, 5)}."
    if problem.hint:
        yield problem.hint


def done_words(report: Report) -> str:
    """`3 added, 2 changed`, "nothing" when nothing was done."""
    done = Counter(each.action for each in report.operations if each.done)
    return ", ".join(f"{number(done[action])} {word}" for action, word in DONE_WORDS.items() if done[action])


def sum_words(report: Report) -> tuple[str, str]:
    """(how it went, the sums)."""
    failed = report.failed - report.unknown
    parts = [
        done_words(report) or "nothing was done",
        f"{number(failed)} failed" if failed else "",
        f"{number(report.unknown)} unknown" if report.unknown else "",
        f"{number(report.blocked)} blocked" if report.blocked else "",
    ]
    retries = f", {count(report.retries, 'retry', 'retries')}" if report.retries else ""
    made = f"{count(report.requests, 'write request')}{retries}."
    return verdict(report), f"{', '.join(part for part in parts if part)}. {made}"


def verdict(report: Report) -> str:
    """One word or two for how it went."""
    if report.interrupted:
        return "Interrupted"
    if not report.operations and not report.halted:
        return "Nothing to do"
    if not (report.failed or report.blocked or report.halted):
        return "Applied"
    return "Applied in part" if report.applied or report.adopted else "Not applied"


def _sum(report: Report, paint: Paint = plain) -> str:
    went, sums = sum_words(report)
    style = Style.ADD if went in ("Applied", "Nothing to do") else Style.ALARM
    return f"{paint(style, went)}: {sums}"


def saved(report: Report) -> Iterator[str]:
    """Where the objects are as they were, if any was to be deleted or changed."""
    if report.backup:
        yield f"Backup: {printable(report.backup)} holds what was deleted or changed, as it was."


def altered(report: Report) -> Iterator[str]:
    """What Qase, or somebody at that very moment, made of values on the way; nothing when all is as it was sent."""
    if report.altered:
        yield f"Qase holds {count(len(report.altered), 'value')} otherwise than sent. Plans take that for agreed:"
    for each in report.altered[:ALTERED]:
        yield f"  {each.address}  {printable(each.attribute)}: {inline(each.sent)} → {inline(each.held)}"
    if len(report.altered) > ALTERED:
        yield f"  and {number(len(report.altered) - ALTERED)} more (all in --format json)"


def advice(report: Report) -> Iterator[str]:
    """What people have to know and do now; nothing when all is well."""
    if report.halted:
        yield f"The run ended early: {report.halted.reason}" + (f" {report.halted.hint}" if report.halted.hint else "")
    if not report.saved:
        yield "The state could not be written. The journal beside it holds what was done; the next run takes it in."
    if report.unknown:
        yield "What is unknown is looked for in Qase by the next run before anything is sent again."
    blocked_by_plan = all(each.planned_block for each in report.operations if each.status is Status.BLOCKED)
    if report.interrupted or report.failed or report.halted or (report.blocked and not blocked_by_plan):
        cure = "Mend what failed, then continue" if report.failed - report.unknown else "Continue"
        yield f"{cure} with `{report.command}`: what is done is recorded and is not done twice."
    elif report.blocked:
        yield "What is blocked stays so, run after run, until somebody does what stands beside it."
