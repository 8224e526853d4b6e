"""What a pull took over and what it left, in words and as JSON. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from qase_iac.plan.planfile import dumps
from qase_iac.render.words import count, listed
from qase_iac.values import JSON, printable

if TYPE_CHECKING:
    from qase_iac.workflow.pulling import Pulled
    from qase_iac.workflow.telling import Left, Line

SIGNS = {"update": "~", "move": ">", "create": "+", "delete": "-", "bind": "="}
DONE = {"update": "changed", "move": "moved", "create": "new", "delete": "taken out", "bind": "bound"}


def pulled_text(pulled: Pulled) -> str:
    """One line an object, then what could not be, then what a plan from the files holds now."""
    blocks = [
        [f"Project {printable(pulled.project)}   {_headline(pulled)}"],
        list(_lines(pulled.lines)),
        list(_left(pulled.left)),
        [f"Nothing changed in Qase: {listed(pulled.quiet)}"] if pulled.quiet else [],
        [f"Note: {printable(note)}" for note in pulled.notes],
        list(_closing(pulled)),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _headline(pulled: Pulled) -> str:
    if not pulled.drift and not pulled.lines:
        return "nothing changed in Qase since the last apply"
    where = count(len(pulled.files), "file")
    return f"{'would write' if pulled.dry_run else 'wrote'} {where}"


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    width = min(max((len(line.address) for line in lines), default=0), 48)
    for line in lines:
        yield f"  {SIGNS[line.action]} {printable(line.address):<{width}}  {_what(line)}"


def _what(line: Line) -> str:
    over = f" (over an edit of {listed(line.over)} in the files)" if line.over else ""
    where = f"  {printable(line.file)}" if line.file else ""
    match line.action:
        case "create" | "delete" | "bind":
            said = {"create": "new: ", "delete": "deleted in Qase: ", "bind": "is declared already: "}[line.action]
            return said + printable(line.title) + where
        case "move" if line.former:
            return f"was {printable(line.former)}{over}{where}"
    return listed(line.attributes) + over + where


def _left(left: Sequence[Left]) -> Iterator[str]:
    if left:
        yield "Not pulled"
    for each in left:
        names = f" ({listed(each.attributes)})" if each.attributes else ""
        yield f"  ! {printable(each.address)}{names}: {printable(each.reason)}"


def _closing(pulled: Pulled) -> Iterator[str]:
    counts = [
        f"{count(number, 'object')} {word}" if at == 0 else f"{number:,} {word}"
        for at, (number, word) in enumerate(_counts(pulled.lines))
    ]
    if counts:
        yield f"{'Would pull' if pulled.dry_run else 'Pulled'}: {', '.join(counts)}."
    if pulled.plan is None:
        return
    changes = len(pulled.plan.changes)
    if not changes:
        yield "A plan from here is empty."
        return
    yield f"A plan from here holds {count(changes, 'change')}{_of_whom(pulled)}."
    if pulled.unexpected:
        names = listed([change.address for change in pulled.unexpected])
        yield f"Not expected there: {names}. Look at `qase-iac plan`."


def _counts(lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    for action, word in DONE.items():
        if number := sum(1 for line in lines if line.action == action):
            yield number, word


def _of_whom(pulled: Pulled) -> str:
    plan, local = pulled.plan, pulled.local
    if plan is None or not local:
        return ""
    if local == len(plan.changes):
        return f": {'an edit' if local == 1 else 'edits'} of the files, not applied yet"
    return f", {local:,} of them {'an edit' if local == 1 else 'edits'} of the files"


def pulled_json(pulled: Pulled) -> str:
    """The same for scripts."""
    return dumps(
        {
            "project": pulled.project,
            "api": pulled.api,
            "dry_run": pulled.dry_run,
            "pulled": [_line_data(line) for line in pulled.lines],
            "left": [
                {"address": e.address, "attributes": list(e.attributes), "code": e.code, "reason": e.reason}
                for e in pulled.left
            ],
            "files": [
                {"path": e.path, "change": "new" if e.before is None else "removed" if e.after is None else "edited"}
                for e in pulled.files
            ],
            "notes": list(pulled.notes),
            "plan": None
            if pulled.plan is None
            else {
                "changes": [change.address for change in pulled.plan.changes],
                "edits_of_the_files": pulled.local,
                "unexpected": [change.address for change in pulled.unexpected],
            },
        }
    )


def _line_data(line: Line) -> dict[str, JSON]:
    data: dict[str, JSON] = {"address": line.address, "action": line.action, "id": line.id, "title": line.title}
    data |= {"attributes": list(line.attributes), "file": line.file, "over": list(line.over)}
    return data | ({"moved_from": line.former} if line.former else {})
