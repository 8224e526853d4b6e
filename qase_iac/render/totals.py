"""The sums of a plan, and the sentences that every format shares."""

from __future__ import annotations

from collections.abc import Iterator

from qase_iac.plan.model import Action, Change, Origin, Plan
from qase_iac.render.style import Paint, Style, plain
from qase_iac.render.words import count, listed, number, sentence
from qase_iac.values import printable


def stateless(plan: Plan) -> str:
    """Said first where there is no state and the project holds something; else ""."""
    if not plan.stateless or not any(n for kind, n in plan.reading.objects.items() if kind != "project"):
        return ""
    said = f"No state for project {printable(plan.project)}, which is not empty:"
    if plan.new_state:
        return f"{said} apply starts a new one (--new-state)."
    return f"{said} apply refuses until `qase-iac export`, `adopt` or `state rebuild` made one, or with --new-state."


def headline(plan: Plan, paint: Paint = plain) -> str:
    """`Project SHOP   read 1,203 cases and 41 suites in 15 requests`."""
    project = paint(Style.HEAD, f"Project {printable(plan.project)}")
    if not plan.reading.requests and not plan.reading.objects:
        return project
    objects = plan.reading.objects
    read = f"{count(objects.get('case', 0), 'case')} and {count(objects.get('suite', 0), 'suite')}"
    return f"{project}   read {read} in {count(plan.reading.requests, 'request')}"


def totals(plan: Plan, paint: Paint = plain) -> str:
    """`Plan: 1 to add, 3 to change (1 reverts an edit made in Qase), … 1,187 unchanged, 51 not managed.`"""
    counts = plan.summary
    reverts = {action: f" ({said})" if said else "" for action in Action for said in [reverting(plan, action)]}
    parts = [
        _part(paint, Style.ADD, counts.create, "to add"),
        _part(paint, Style.CHANGE, counts.update, "to change") + reverts[Action.UPDATE],
        _part(paint, Style.MOVE, counts.move, "to move") + reverts[Action.MOVE],
        _part(paint, Style.DELETE, counts.delete, "to delete"),
        _part(paint, Style.ADOPT, counts.adopt, "to adopt"),
    ]
    return f"{paint(Style.HEAD, 'Plan:')} {', '.join(parts)}. {standing(plan)}"


def _part(paint: Paint, style: Style, value: int, what: str) -> str:
    text = f"{number(value)} {what}"
    return paint(style, text) if value else text


def reverting(plan: Plan, action: Action | None = None) -> str:
    """`1 reverts an edit made in Qase`, of the changes with this action, or of all; "" where none undoes any."""
    undone = [change for change in plan.undone if action in (None, change.action)]
    reverts = sum(Origin.THEIRS in change.origins for change in undone)
    overwrites = len(undone) - reverts
    said = [_verb(reverts, "revert"), _verb(overwrites, "overwrite")]
    return f"{sentence(said)} made in Qase" if undone else ""


def _verb(value: int, verb: str) -> str:
    return f"{number(value)} {verb}{'s an edit' if value == 1 else ' edits'}" if value else ""


def standing(plan: Plan) -> str:
    """What is left alone."""
    return f"{number(plan.summary.no_op)} unchanged, {number(plan.summary.unmanaged)} not managed."


def needs(plan: Plan) -> str:
    """`Needs 6 write requests.`"""
    return f"Needs {count(plan.requests, 'write request')}." if plan.requests else "Needs no write request."


def no_changes(plan: Plan, paint: Paint = plain) -> str:
    """Said of a plan without changes; that all matches only when nothing was left out of sight."""
    hidden = plan.unlisted_deletes or plan.summary.not_selected or plan.drift
    claim = "" if hidden else " Your Qase project matches the files."
    return f"{paint(Style.ADD, 'No changes.')}{claim} {standing(plan)}"


def extras(plan: Plan) -> Iterator[str]:
    """What the totals do not count, a line each."""
    counts = plan.summary
    if counts.blocked:
        yield f"{count(counts.blocked, 'change')} blocked (!): not carried out; the reasons stand beside them."
    quiet = (
        f"{number(counts.rename)} renamed" if counts.rename else "",
        f"{number(counts.forget)} no longer managed" if counts.forget else "",
    )
    if any(quiet):
        yield f"{sentence(quiet)}, without a request."
    if counts.not_selected:
        yield f"{count(counts.not_selected, 'object')} not selected."
    if plan.unlisted_deletes:
        what = count(len(plan.unlisted_deletes), "delete")
        yield f"{what} left out (--no-deletes): {listed(plan.unlisted_deletes)}."
    uploads = {change.files[path]: path for change in reversed([*plan.unblocked]) for path in reversed(change.uploads)}
    if uploads:
        users = sum(bool(change.uploads) for change in plan.unblocked)
        yield f"Uploads {count(len(uploads), 'file')} for {count(users, 'change')}: {listed(sorted(uploads.values()))}."
    if plan.changes and plan.allow_deletes is not None:
        yield f"Deletes allowed: exactly {number(plan.allow_deletes)}."


def undone(plan: Plan) -> Iterator[str]:
    """Which edits made in Qase go, listed apart; one alone is found where it stands."""
    if len(plan.undone) > 1:
        edited = [f"{change.address} ({', '.join(_edited(change))})" for change in plan.undone]
        yield f"Edits made in Qase that are undone: {listed(edited)}."


def _edited(change: Change) -> list[str]:
    """The attributes that somebody edited in Qase."""
    return [name for name, each in change.attributes.items() if each.origin in (Origin.THEIRS, Origin.CONFLICT)]


def drift_sum(plan: Plan, paint: Paint = plain) -> str:
    """`Drift: 2 changed, 1 vanished.`"""
    if not plan.drift:
        return paint(Style.ADD, "No drift.") + " Qase is as the last apply left it."
    kinds = [drift.kind for drift in plan.drift]
    parts = [f"{number(kinds.count(kind))} {kind}" for kind in ("changed", "vanished", "appeared") if kind in kinds]
    return f"{paint(Style.HEAD, 'Drift:')} {', '.join(parts)}."
