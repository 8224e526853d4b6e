"""The plan as Markdown for a pull-request comment: always short enough, what may hurt first and never cut for less.

Everything from outside is made inert (escape.py). What differs is shown in `<pre lang="diff">`, which GitHub colours
and in which no text can end the block, since `<` is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from qase_iac.plan.model import Action, AttributeChange, Change, Drift, Plan
from qase_iac.render.budget import Entry, Section, compose
from qase_iac.render.changes import because, drift_words, symbol, words
from qase_iac.render.details import attribute_lines, change_lines
from qase_iac.render.escape import code, html_code, md, pre, prose
from qase_iac.render.markdown_problems import finding_entry
from qase_iac.render.textdiff import Line
from qase_iac.render.totals import drift_sum, extras, headline, needs, no_changes, reverting, standing, stateless
from qase_iac.render.tree import groups, left_alone, unsaid
from qase_iac.render.words import count, number
from qase_iac.values import printable

Bases = Mapping[str, Mapping[str, AttributeChange]]
"""address -> what became in Qase of each attribute since the last apply."""
MAX_WORDS = 400
"""Characters of one entry's words: a title may be long, and a key in an altered file endless."""
MAX_BODY = 6_000
"""Characters of one entry's differences: a long one must not take the room of all others."""
FEW = 10
"""So many creates are shown without a fold."""
ORDER = (
    *((0, 0), (1, 0), (0, 1), (1, 1), (2, 0)),
    *((section, 0) for section in range(3, 11)),
    *((section, 1) for section in (9, 3, 4, 5, 6, 7, 8, 10)),
    (1, 2),
)
"""Who gets room, (section, form): deletes and blocked in full, then a line of everything, then what differs."""
WHERE = "The whole plan: `qase-iac show PLANFILE --full`, or the job that made it."


def plan_markdown(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """The comment for a plan: under 65,536 characters and bytes whatever the plan."""
    parts = _sorted(plan.changes)
    bases: Bases = {drift.address: drift.attributes for drift in plan.drift}
    creates = _grouped(parts["create"], full, bases)
    sections = [
        _open("Deletes", "deletes", [_entry(change) for change in parts["delete"]]),
        _open("Blocked", "blocked changes", _blocked(parts["blocked"], bases)),
        _open("Lines to paste", "lists of renames", _pastes(parts["blocked"])),
        _open("Findings", "findings", [finding_entry(finding) for finding in unsaid(plan)]),
        _open(
            "Edits made in Qase that are undone",
            "undone edits",
            [_differing(change, bases) for change in parts["revert"]],
        ),
        _open("Moves", "moves", [_moved(change, bases) for change in parts["move"]]),
        _open("Adoptions that change something", "adoptions", [_differing(change, bases) for change in parts["adopt"]]),
        Section(count(len(parts["update"]), "update"), "updates", _grouped(parts["update"], True, bases), folded=True),
        Section(count(len(creates), "create"), "creates", creates, folded=True),
        Section("Without a change of content", "other changes", [_entry(c) for c in parts["quiet"]], folded=True),
        Section("Changed in Qase, left as it is", "drifted objects", _drift(left_alone(plan)), folded=True),
    ]
    if len(creates) <= FEW:
        sections[8] = _open("Creates", "creates", creates)
    return compose(_head(plan), sections, ORDER, WHERE, _foot(plan))


def _open(title: str, what: str, entries: Sequence[Entry]) -> Section:
    return Section(f"{title} ({number(len(entries))})", what, entries)


def drift_markdown(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """What changed in Qase since the last apply."""
    head = f"## Drift of {prose(plan.project, 200)}\n\n{prose(drift_sum(plan))}"
    sections = [
        _open("Findings", "findings", [finding_entry(finding) for finding in plan.findings]),
        _open("Changed in Qase", "drifted objects", _drift(plan.drift)),
    ]
    return compose(head, sections, [(0, 0), (1, 0), (0, 1), (1, 1)], "All of it: `qase-iac drift --full`.", "")


def _sorted(changes: Iterable[Change]) -> dict[str, list[Change]]:
    """The changes by the section they stand in, each in reading order."""
    parts: dict[str, list[Change]] = {
        name: [] for name in ("delete", "blocked", "revert", "move", "update", "create", "adopt", "quiet")
    }
    names = {
        Action.DELETE: "delete",
        Action.UPDATE: "update",
        Action.MOVE: "move",
        Action.CREATE: "create",
        Action.ADOPT: "quiet",
        Action.FORGET: "quiet",
        Action.NO_OP: "quiet",
    }
    for group in groups(changes):
        for change in group.changes:
            name = "adopt" if change.action is Action.ADOPT and change.sent else names[change.action]
            name = "blocked" if change.blocked else "revert" if change.undoes else name
            parts[name].append(change)
    return parts


# ------------------------------------------------------------------------------------------------ head and foot


def _head(plan: Plan) -> str:
    alarm = stateless(plan)
    lines = [f"## Plan for {prose(plan.project, 200)}: {_gist(plan)}"]
    if alarm:
        lines.append(f"> **{prose(alarm)}**")
    if plan.changes:
        lines.append(f"{prose(headline(plan))}. **{needs(plan)}** {standing(plan)}")
    else:
        lines.append(f"{prose(headline(plan))}. {prose(no_changes(plan))}")
    more = [f"* {prose(line)}" for line in extras(plan)]
    return "\n\n".join([*lines, "\n".join(more)] if more else lines)


def _gist(plan: Plan) -> str:
    """The counts that are not 0."""
    counts = plan.summary
    numbers = (
        (counts.create, "to add"),
        (counts.update, "to change"),
        (counts.move, "to move"),
        (counts.delete, "to delete"),
        (counts.adopt, "to adopt"),
        (counts.blocked, "blocked"),
        (counts.rename, "renamed"),
        (counts.forget, "no longer managed"),
    )
    parts = [f"{number(value)} {what}" for value, what in numbers if value]
    revert = f" ({reverting(plan)})" if plan.undone else ""
    return (", ".join(parts) + revert) or "no changes"


def _foot(plan: Plan) -> str:
    lines = []
    if plan.digest and plan.changes:
        lines.append(f"To approve exactly this plan: {code(plan.digest[:200])}")
    project = "".join(char for char in plan.project if char.isalnum())[:50]
    lines.append(f"<!-- qase-iac plan {project} -->")
    return "\n\n".join(lines)


# ---------------------------------------------------------------------------------------------------- entries


def _cut(text: str) -> str:
    return text if len(text) <= MAX_WORDS else text[: MAX_WORDS - 1] + "…"


def _said(change: Change) -> str:
    """The words behind the address; what comes or goes says its title, which the key may not tell."""
    said, title = words(change), printable(change.title)
    if change.action in (Action.CREATE, Action.DELETE) and not change.blocked and said != title:
        said = " · ".join(part for part in (title, said) if part)
    return md(_cut(said))


def _entry(change: Change) -> Entry:
    """The address alone, or with its words."""
    bare = f"- {code(_cut(change.address))}"
    mark, _ = symbol(change)
    lead = f"- {code(mark)} {code(_cut(change.address))}" if change.action in _QUIET_MARKS else bare
    said = _said(change)
    return Entry((bare, f"{lead} {said}") if said else (lead,))


_QUIET_MARKS = frozenset({Action.ADOPT, Action.FORGET, Action.NO_OP})


def _moved(change: Change, bases: Bases) -> Entry:
    """A fold only where more than the place changes."""
    return _differing(change, bases) if len(change.sent) > 1 else _entry(change)


def _blocked(changes: Sequence[Change], bases: Bases) -> list[Entry]:
    """With the reason, said once where several share it."""
    first: dict[str, str] = {}
    entries = []
    for change in changes:
        reason = because(change).partition("\n")[0]
        before = first.setdefault(reason, change.address)
        why = prose(reason) if before == change.address else f"As {code(_cut(before))}."
        bare = f"- {code(_cut(change.address))}"
        forms = (bare, f"{bare} {_said(change)}<br>{why}")
        entries.append(Entry((*forms, _told(forms[-1], change, bases)) if _undecided(change) else forms))
    return entries


def _undecided(change: Change) -> bool:
    """Blocked for a reason that only who sees both sides can decide."""
    return change.blocked is not None and change.blocked.code in ("conflict", "drift") and bool(change.attributes)


def _told(said: str, change: Change, bases: Bases) -> Callable[[], str]:
    """A blocked change with its differences."""
    return lambda: f"{said}\n\n" + _fold("What differs", change_lines(change, base=bases.get(change.address, {})))


def _pastes(changes: Iterable[Change]) -> list[Entry]:
    """What reasons hold beyond their first line (`moved:` lines), each once."""
    tails = dict.fromkeys(because(change).partition("\n")[2] for change in changes)
    return [Entry((f"<pre>\n{_lines(tail.split(chr(10)))}\n</pre>\n",)) for tail in tails if tail]


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(pre(line) for line in lines)


def _grouped(changes: Sequence[Change], differing: bool, bases: Bases) -> list[Entry]:
    """By suite, as in the tree."""
    entries: list[Entry] = []
    for group in groups(changes):
        header = f"**{code(_cut(group.header))}**"
        for change in group.changes:
            entry = _differing(change, bases) if differing else _entry(change)
            entries.append(Entry(entry.forms, header))
    return entries


def _differing(change: Change, bases: Bases) -> Entry:
    """One line, or a fold that holds the differences."""
    base = bases.get(change.address, {})
    said = _said(change)
    short = f"- {code(_cut(change.address))} {said}".rstrip()
    return Entry((short, lambda: _fold(f"{html_code(_cut(change.address))} {said}", change_lines(change, base=base))))


def _fold(summary: str, lines: Iterable[Line]) -> str:
    return f"<details><summary>{summary}</summary>\n\n{_diff(lines)}\n\n</details>\n"


def _diff(lines: Iterable[Line]) -> str:
    """The lines with their marks in the first column, cut at MAX_BODY."""
    shown: list[str] = []
    size = 0
    for line in lines:
        text = f"{line.mark} {'  ' * line.depth}{pre(line.text)}".rstrip()
        size += len(text.encode()) + 1
        if size > MAX_BODY:
            shown.append("  … the rest is in the whole plan")
            break
        shown.append(text)
    return '<pre lang="diff">\n' + "\n".join(shown) + "\n</pre>"


def _drift(entries: Iterable[Drift]) -> list[Entry]:
    return [_drifted(drift) for drift in entries]


def _drifted(drift: Drift) -> Entry:
    said = md(_cut(drift_words(drift)))
    short = f"- {code(_cut(drift.address))} {said}"
    if not drift.attributes:
        return Entry((short,))
    kind = drift.address.partition(".")[0]
    lines = (line for name, each in drift.attributes.items() for line in attribute_lines(kind, name, each))
    return Entry((short, lambda: _fold(f"{html_code(_cut(drift.address))} {said}", lines)))
