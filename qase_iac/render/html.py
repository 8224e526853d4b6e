"""The plan and the drift as one page to read in a browser: by suite, what may hurt first, both sides side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, AttributeChange, Change, Drift, Plan
from qase_iac.render.changes import BLOCKED, DRIFTED, SYMBOLS, VERBS, because, drift_words, words
from qase_iac.render.html_page import Entry, Facet, Group, Mark, cut, page, prose, tally
from qase_iac.render.html_problems import finding_entry
from qase_iac.render.html_sides import DRIFT_COLUMNS, change_body, paste, table
from qase_iac.render.markup import NOTHING, Html, el, join, text
from qase_iac.render.style import Style
from qase_iac.render.totals import drift_sum, extras, headline, needs, no_changes, standing, stateless, undone
from qase_iac.render.tree import groups, left_alone, unsaid
from qase_iac.render.words import count, number
from qase_iac.values import printable

BUDGET = 2_500_000
"""Characters of differences on one page: beyond it a browser takes long to open it, and nobody reads so far."""
FEW = 12
"""So many changes are shown with their differences open."""
MANY = 500
"""With more changes than this, groups are folded where nothing in them may hurt."""
NAMED = 50
"""So many are named in the box of what to look at first; all of them stand in the tree."""

CLASSES = {style: f"c-{style.name.lower()}" for style in Style}
SIGNS = {"-": "−"}
WORDS: dict[Action, str] = {
    Action.DELETE: "delete",
    Action.UPDATE: "change",
    Action.MOVE: "move",
    Action.CREATE: "add",
    Action.ADOPT: "adopt",
    Action.NO_OP: "rename",
    Action.FORGET: "forget",
}
WHAT = Facet("what", "What", {"delete": "− delete", "blocked": "! blocked", "undo": "undoes an edit"} | {
    word: f"{SYMBOLS[action][0]} {word}" for action, word in WORDS.items() if word != "delete"
} | {"drift": "left as it is", "finding": "finding"})  # fmt: skip
DRIFT = Facet(
    "what", "What", {"changed": "~ changed", "vanished": "− deleted", "appeared": "+ new", "finding": "finding"}
)
KIND = Facet("kind", "Kind", {name: kind.label for name, kind in BY_NAME.items()})
ORIGIN = Facet(
    "by", "Changed", {"ours": "in the files", "theirs": "in Qase", "conflict": "on both sides", "both": "alike"}
)

Bases = Mapping[str, Mapping[str, AttributeChange]]


def plan_html(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """The page of a plan; `full` has the differences open from the start."""
    maker = _Maker(plan, full or len(plan.changes) <= FEW)
    found = [
        _section("Lines to paste", [], _pastes(plan.changes)),
        _section("Findings", [*map(finding_entry, unsaid(plan))]),
        *maker.tree(),
        _section("Changed in Qase, left as it is", [_drift_entry(each, anchor=False) for each in left_alone(plan)]),
    ]
    head = [
        el("h1", f"Plan for {cut(plan.project)}"),
        *_opening(plan),
        _tiles(plan),
        _first(plan),
        _box([*map(prose, (*undone(plan), *extras(plan))), *maker.left_out()]),
        _approval(plan),
    ]
    sections = [group for group in found if group]
    return page(f"Plan for {cut(plan.project)}", head, [WHAT, KIND, ORIGIN], sections, _foot(plan))


def drift_html(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """What changed in Qase since the last apply."""
    shown = full or len(plan.drift) <= FEW
    kinds = [(kind, [each for each in plan.drift if each.kind == kind]) for kind in ("vanished", "changed", "appeared")]
    titles = {"vanished": "Deleted in Qase", "changed": "Changed in Qase", "appeared": "New in Qase"}
    found = [
        _section("Findings", [*map(finding_entry, plan.findings)]),
        *(_section(titles[kind], [_drift_entry(each, shown) for each in some]) for kind, some in kinds),
    ]
    title = f"Drift of {cut(plan.project)}"
    head = [el("h1", title), el("p", prose(drift_sum(plan)), class_="gist"), _about(plan)]
    return page(title, head, [DRIFT, KIND], [group for group in found if group], _foot(plan))


# ------------------------------------------------------------------------------------------------ head and foot


def _opening(plan: Plan) -> Iterator[Html]:
    if alarm := stateless(plan):
        yield el("div", prose(alarm), class_="box alarm")
    said = f"{needs(plan)} {standing(plan)}" if plan.changes else no_changes(plan)
    yield el("p", said, class_="gist")
    yield _about(plan)


def _about(plan: Plan) -> Html:
    return el("p", text(f"{headline(plan)} · "), el("code", cut(plan.api)), class_="dim")


def _tiles(plan: Plan) -> Html:
    """The counts that are not 0."""
    counts = plan.summary
    numbers = (
        (counts.delete, "to delete", Style.DELETE),
        (counts.blocked, "blocked", Style.ALARM),
        (counts.update, "to change", Style.CHANGE),
        (counts.move, "to move", Style.MOVE),
        (counts.create, "to add", Style.ADD),
        (counts.adopt, "to adopt", Style.ADOPT),
        (counts.rename, "renamed", Style.DIM),
        (counts.forget, "no longer managed", Style.DIM),
    )
    tiles = [
        el("li", el("b", number(value)), el("span", what), class_=CLASSES[style])
        for value, what, style in numbers
        if value
    ]
    return el("ul", *tiles, class_="tiles") if tiles else NOTHING


def _first(plan: Plan) -> Html:
    """What to look at before all else, by name."""
    deletes = [change for change in plan.changes if change.action is Action.DELETE and not change.blocked]
    blocked = [change for change in plan.changes if change.blocked]
    rows = [("Deletes", deletes), ("Blocked", blocked), ("Undoes an edit made in Qase", plan.undone)]
    items = [el("p", el("b", f"{what}: "), _links(some)) for what, some in rows if some]
    return el("div", *items, class_="box alarm") if items else NOTHING


def _links(changes: Sequence[Change]) -> Html:
    named = join(
        (el("a", el("code", cut(change.address)), href=f"#{cut(change.address)}") for change in changes[:NAMED]), ", "
    )
    more = len(changes) - NAMED
    return Html(f"{named} and {number(more)} more below") if more > 0 else named


def _box(items: Sequence[Html]) -> Html:
    return el("div", el("ul", *(el("li", item) for item in items)), class_="box") if items else NOTHING


def _approval(plan: Plan) -> Html:
    if not (plan.digest and plan.changes):
        return NOTHING
    digest = cut(plan.digest)
    how = el("code", f"qase-iac apply PLANFILE --expect {digest}", class_="all")
    return el(
        "div", Html("To approve exactly this plan: "), el("code", digest, class_="all"), el("p", how), class_="box"
    )


def _foot(plan: Plan) -> Html:
    state = f"state serial {number(plan.serial)}" if plan.lineage else "no state"
    return el("p", f"{cut(plan.tool)} · {state} · {cut(plan.config_digest)}")


# ---------------------------------------------------------------------------------------------------- the tree


@dataclass
class _Node:
    """A suite on the page; children in the order in which they were first needed: what may hurt comes first."""

    name: str
    children: dict[str, _Node] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def below(self) -> Iterator[Change]:
        yield from self.changes
        for child in self.children.values():
            yield from child.below()


class _Maker:
    """The changes as entries, in folding groups by suite. Differences are made until the budget is used up."""

    def __init__(self, plan: Plan, shown: bool) -> None:
        self.plan = plan
        self.shown = shown
        self.room = BUDGET
        self.without = 0
        self.bases: Bases = {drift.address: drift.attributes for drift in plan.drift}

    def tree(self) -> list[Group]:
        root = _Node("")
        for group in groups(self.plan.changes):
            change = group.changes[0]
            suited = BY_NAME[change.kind].owned_by_scope and change.suite
            node = root
            for name in change.suite.split("/") if suited else [group.header]:
                node = node.children.setdefault(f"{name}/" if suited else name, _Node(name))
            node.changes += group.changes
        return [self._group(name, node) for name, node in root.children.items()]

    def _group(self, name: str, node: _Node) -> Group:
        while not node.changes and len(node.children) == 1:
            (inner, node) = next(iter(node.children.items()))
            name += inner
        below = list(node.below())
        hurts = any(change.blocked or change.undoes or change.destroys for change in below)
        entries = [self._entry(change) for change in node.changes]
        inner_groups = [self._group(inner, child) for inner, child in node.children.items()]
        opened = hurts or len(self.plan.changes) <= MANY
        return Group(el("code", cut(name)), entries, inner_groups, opened, tally(map(mark_of, below)))

    def _entry(self, change: Change) -> Entry:
        said = words(change)
        title = printable(change.title)
        why = el("div", _why(change), class_="why") if change.blocked else NOTHING
        said = "" if said == title else said
        parts = (change.address, change.title, said, self._body(change), why, _facets(change))
        return Entry(mark_of(change), *parts, shown=self.shown)

    def _body(self, change: Change) -> Html:
        if self.room <= 0 and change.attributes:
            self.without += 1
            return NOTHING
        agreed = len(self.plan.observed.get(change.address, ()))
        body = change_body(change, agreed, self.bases.get(change.address, {}))
        self.room -= len(body)
        return body

    def left_out(self) -> list[Html]:
        """What the page does not hold."""
        if not self.without:
            return []
        what = f"The differences of {count(self.without, 'change')} are left out for want of room"
        return [prose(f"{what}: `qase-iac show PLANFILE --full` has them.")]


def mark_of(change: Change) -> Mark:
    sign, style = BLOCKED if change.blocked else SYMBOLS[change.action]
    return Mark(SIGNS.get(sign, sign), "blocked" if change.blocked else VERBS[change.action], CLASSES[style])


def _why(change: Change) -> Html:
    first, _, tail = because(change).partition("\n")
    return join([prose(first), *([Html(" See the lines to paste.")] if tail else [])])


def _facets(change: Change) -> dict[str, list[str]]:
    what = ["blocked"] if change.blocked else [WORDS[change.action]]
    what += ["undo"] if change.undoes else []
    return {"what": what, "kind": [change.kind], "by": sorted(origin.value for origin in change.origins)}


def _pastes(changes: Iterable[Change]) -> Html:
    """What reasons hold beyond their first line (`moved:` lines), each once."""
    tails = dict.fromkeys(because(change).partition("\n")[2] for change in changes if change.blocked)
    return paste([tail for tail in tails if tail])


def _section(title: str, entries: Sequence[Entry], paragraph: Html = NOTHING) -> Group | None:
    """Entries under a title; None without any."""
    if not entries and not paragraph:
        return None
    counted = f" ({number(len(entries))})" if entries else ""
    marks = [each.mark for each in entries]
    sums = tally(marks) if len({*marks}) > 1 else NOTHING
    return Group(Html(f"{text(title)}{counted}"), entries, tally=sums, lead=paragraph)


def _drift_entry(drift: Drift, shown: bool = False, anchor: bool = True) -> Entry:
    sign, style = DRIFTED.get(drift.kind, ("~", Style.CHANGE))
    kind = drift.address.partition(".")[0]
    body = table(kind, drift.attributes, DRIFT_COLUMNS, {}) if drift.kind != "appeared" else NOTHING
    what = ["drift", drift.kind] if not anchor else [drift.kind]
    return Entry(
        Mark(SIGNS.get(sign, sign), drift.kind, CLASSES[style]),
        drift.address,
        "" if drift.kind == "appeared" else drift.title,
        drift_words(drift).removeprefix(" · "),
        body,
        facets={"what": what, "kind": [kind]},
        anchor=anchor,
        shown=shown,
    )
