"""One self-contained page: entries in folding groups, filters above them. It asks for nothing from outside.

A Content-Security-Policy lets in the style and the script that stand here, by their digests, and nothing else. The
page reads without its script: what the script adds (search, filters) is shown only once it runs.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib.resources import files

from qase_iac.render.markup import NOTHING, Html, el, join, text
from qase_iac.render.words import number

MAX_WORDS = 400
"""Characters of a title or another short text: a key in an altered file may be endless."""
MANY = 500
_ADDRESS = re.compile(r"[a-z_]+\.[A-Za-z0-9_./-]{1,200}\Z")
_QUOTED = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True, slots=True)
class Mark:
    """What happens to an entry: its sign, the word for it, and the class that gives it its colour."""

    sign: str
    word: str
    style: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One line that may open to a body. `facets` are the words by which it is found: group -> words."""

    mark: Mark
    name: str
    title: str = ""
    said: str = ""
    body: Html = NOTHING
    more: Html = NOTHING
    """Shown below the line, without a fold."""
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    anchor: bool = True
    """Whether this is the place that its name leads to: an address may be told of twice."""
    shown: bool = False
    """Whether it is open from the start."""


@dataclass(frozen=True, slots=True)
class Group:
    """Entries and groups under one title."""

    title: Html
    entries: Sequence[Entry] = ()
    groups: Sequence[Group] = ()
    open: bool = True
    tally: Html = NOTHING
    lead: Html = NOTHING
    """What stands above the entries."""

    def walk(self) -> Iterable[Entry]:
        """All entries, in the order of the page."""
        for inner in self.groups:
            yield from inner.walk()
        yield from self.entries


@dataclass(frozen=True, slots=True)
class Facet:
    """One row of filters: the data attribute, its title, and the words in their order with what is shown for each."""

    name: str
    title: str
    words: Mapping[str, str]


def cut(said: str) -> str:
    return said if len(said) <= MAX_WORDS else said[: MAX_WORDS - 1] + "…"


def prose(said: str) -> Html:
    """A sentence of this tool: what it sets in backticks is set as code."""
    parts = _QUOTED.split(said)
    return join(el("code", part) if at % 2 else text(part) for at, part in enumerate(parts))


def lines(said: str) -> Html:
    """Text of several lines as it stands."""
    return join((prose(line) for line in said.split("\n")), "<br>")


# ------------------------------------------------------------------------------------------------ the page


def page(title: str, head: Iterable[Html], facets: Sequence[Facet], groups: Sequence[Group], foot: Html) -> str:
    """The whole document; ends with a line break."""
    style, script = _asset("report.css"), _asset("report.js")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    entries = [entry for group in groups for entry in group.walk()]
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">',
            f"{el('title', title)}<style>{style}</style></head>",
            f"<body><header>{join(head)}</header>",
            _filters(facets, entries),
            _main(groups, len(entries) > MANY),
            f"<footer>{foot}</footer><script>{script}</script></body></html>\n",
        )
    )


def _main(groups: Sequence[Group], many: bool) -> Html:
    """Of `many` entries a browser lays out those in sight."""
    none = el("p", "Nothing matches.", id="none", hidden=True)
    taken: set[str] = set()
    return el(
        "main", *(group_html(group, taken) for group in groups), none, id="main", class_="many" if many else False
    )


@cache
def _asset(name: str) -> str:
    return (files("qase_iac.render") / "assets" / name).read_text(encoding="utf-8")


def _digest(asset: str) -> str:
    return "sha256-" + b64encode(sha256(asset.encode()).digest()).decode()


def _filters(facets: Sequence[Facet], entries: Sequence[Entry]) -> Html:
    """Search and filters, hidden until the script runs. A row with nothing to choose is left out."""
    if not entries:
        return NOTHING
    rows = [row for facet in facets for row in [_facet(facet, entries)] if row]
    search = el(
        "p",
        Html(
            '<input id="q" type="search" placeholder="Search titles, addresses, texts" aria-label="Search" '
            'autocomplete="off" spellcheck="false"><kbd>/</kbd>'
        ),
        el("output", "", id="shown", aria_live="polite"),
        el("button", "Clear", id="clear", type="button"),
        el("button", "Open all", id="open", type="button"),
        el("button", "Close all", id="close", type="button"),
        class_="bar",
    )
    return el("nav", search, *rows, id="filters", hidden=True, aria_label="Filters")


def _facet(facet: Facet, entries: Sequence[Entry]) -> Html:
    counts = Counter(word for entry in entries for word in entry.facets.get(facet.name, ()))
    known = [word for word in facet.words if counts[word]]
    if len(known) < 2:
        return NOTHING
    buttons = (
        el("button", facet.words[word], el("b", number(counts[word])), type="button", aria_pressed="false",
           data_group=facet.name, data_word=word)
        for word in known
    )  # fmt: skip
    return el("p", el("span", facet.title), *buttons, class_="facet")


# ------------------------------------------------------------------------------------------- groups and entries


def group_html(group: Group, taken: set[str]) -> Html:
    """`taken` are the ids that the page has so far."""
    parts = [
        *(group_html(inner, taken) for inner in group.groups),
        *(entry_html(each, taken) for each in group.entries),
    ]
    title = el("summary", el("h2", group.title), group.tally)
    return el("details", title, el("div", group.lead, *parts, class_="in"), class_="g", open=group.open)


def entry_html(entry: Entry, taken: set[str]) -> Html:
    """One line, with what it opens to."""
    mark = el("i", entry.mark.sign, class_=entry.mark.style, title=entry.mark.word)
    said = [mark, el("code", cut(entry.name))]
    said += [el("b", cut(entry.title))] if entry.title else []
    said += [el("span", prose(cut(entry.said)))] if entry.said else []
    data: dict[str, str | bool] = {f"data_{name}": " ".join(words) for name, words in entry.facets.items() if words}
    data["id"] = entry.anchor and _id(entry.name, taken)
    if not entry.body:
        return el("div", el("p", *said), entry.more, class_="x", **data)
    return el("details", el("summary", *said), entry.more, entry.body, class_="x", open=entry.shown, **data)


def _id(name: str, taken: set[str]) -> str | bool:
    """An address that a link can lead to; False for what is none, or stands on the page already."""
    if not _ADDRESS.match(name) or name in taken:
        return False
    taken.add(name)
    return name


def tally(marks: Iterable[Mark]) -> Html:
    """How many of each, behind the title of a group."""
    counts = Counter(marks)
    return el(
        "span",
        *(el("i", f"{mark.sign}{number(many)}", class_=mark.style, title=mark.word) for mark, many in counts.items()),
        class_="tally",
    )
