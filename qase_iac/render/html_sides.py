"""Two columns of differences as a table; a narrow screen shows one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from qase_iac.attributes import Steps
from qase_iac.plan.model import Action, AttributeChange, Change, Origin
from qase_iac.render.details import attribute_words, tags, type_of
from qase_iac.render.impact import impact_lines
from qase_iac.render.markup import NOTHING, Html, el, join, text
from qase_iac.render.sides import Parts, Row, attribute_rows
from qase_iac.render.words import count, is_empty, listed

Base = Mapping[str, AttributeChange]
MAX_ROWS = 400
"""Rows of one attribute: a longer difference is read in an editor."""
DEEPEST = 6
_CLASSES = {"-": ("d", ""), "+": ("", "a"), "~": ("d", "a"), ">": ("m", "m"), " ": ("s", "s")}
PLAN_COLUMNS = ("In Qase now", "After apply")
DRIFT_COLUMNS = ("After the last apply", "In Qase now")
THEIRS_AND_OURS = ("After the last apply", "Since then")


def change_body(change: Change, agreed: int, base: Base) -> Html:
    """Everything about one change, as `details.change_lines` has it; nothing where the line says it all."""
    both = [name for name, each in change.attributes.items() if each.origin is Origin.BOTH]
    shown = {name: each for name, each in change.sent.items() if not (is_empty(each.before) and is_empty(each.after))}
    conflicts = {name: each for name, each in shown.items() if each.origin is Origin.CONFLICT and name in base}
    plain = {name: each for name, each in shown.items() if name not in conflicts}
    tagged = tags(change)
    notes = [f"Already so in Qase: {listed(both)}."] if both else []
    notes += [f"{count(agreed, 'unchanged attribute')}."] if agreed else []
    impact = join(el("li", line.text) for line in impact_lines(change) if line.depth)
    return join(
        [
            table(change.kind, plain, PLAN_COLUMNS, tagged, new=change.action is Action.CREATE),
            *(_conflict(change.kind, name, base[name], each) for name, each in conflicts.items()),
            join([el("p", "Reads differently:", class_="note"), el("ul", impact)]) if impact else NOTHING,
            *(el("p", note, class_="note") for note in notes),
        ]
    )


def _conflict(kind: str, name: str, theirs: AttributeChange, change: AttributeChange) -> Html:
    """What both sides made of what was there after the last apply."""
    ours = AttributeChange(theirs.before, change.after, Origin.OURS)
    sides = (("in Qase", theirs), ("in the files", ours))
    return join(table(kind, {name: each}, THEIRS_AND_OURS, {name: f"conflict, {where}"}) for where, each in sides)


def table(
    kind: str,
    attributes: Mapping[str, AttributeChange],
    columns: tuple[str, str],
    tagged: Mapping[str, str],
    new: bool = False,
) -> Html:
    """Attributes with both their values; `new` ones have one column."""
    if not attributes:
        return NOTHING
    blocks = [_attribute(kind, name, each, tagged.get(name, ""), new) for name, each in attributes.items()]
    titles = [el("th", Html("")), *(el("th", title, scope="col") for title in columns)]
    head = NOTHING if new else el("thead", el("tr", *titles))
    return el("table", head, *blocks, class_="df new" if new else "df")


def _attribute(kind: str, name: str, change: AttributeChange, tag: str, new: bool) -> Html:
    rows = attribute_rows(kind, name, change)
    left_out = len(rows) - MAX_ROWS
    if left_out > 0:
        rows = [*rows[:MAX_ROWS], Row(" ", note=f"{count(left_out, 'more line')}: qase-iac plan --full shows all")]
    told = attribute_words(kind, name, change, tag)[len(name) :].strip(" ()") if not new else ""
    if isinstance(type_of(kind, name), Steps) and new:
        told = count(len(change.after or ()), "step")
    title = el("th", text(name), el("small", told) if told else NOTHING, scope="row", rowspan=str(max(len(rows), 1)))
    cells = [_cells(row, new) for row in rows] or [el("td", Html(""), colspan="1" if new else "2")]
    return el("tbody", *(el("tr", title if at == 0 else NOTHING, each) for at, each in enumerate(cells)))


def _cells(row: Row, new: bool) -> Html:
    depth = f"i{min(row.depth, DEEPEST)}" if row.depth else ""
    if row.note:
        return el("td", row.note, class_=_words("n", depth), colspan=False if new else "2")
    left, right = _CLASSES.get(row.mark, ("", ""))
    if new:
        return _cell(row.right or row.left, depth, "")
    return Html(_cell(row.left, depth, left) + _cell(row.right, depth, right))


def _cell(parts: Parts | None, depth: str, mark: str) -> Html:
    if parts is None:
        return el("td", Html(""), class_="e")
    return el("td", *_marked(parts), class_=_words(mark, depth) or False)


def _marked(parts: Iterable[tuple[str, str]]) -> Iterator[Html]:
    for kind, said in parts:
        yield el({"-": "del", "+": "ins"}[kind], said) if kind else text(said)


def _words(*classes: str) -> str:
    return " ".join(each for each in classes if each)


def paste(blocks: Sequence[str]) -> Html:
    """Lines to copy into a file."""
    return join(el("pre", join((text(line) for line in block.split("\n")), "\n")) for block in blocks)
