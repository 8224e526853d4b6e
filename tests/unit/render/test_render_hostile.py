"""Whatever people call their cases, it cannot steer a terminal or become markup, and the comment stays short enough."""

import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from render_kit import (
    NASTY,
    change_of,
    diagnostics,
    hostile,
    hostile_diagnostics,
    hostile_plans,
    hostile_reports,
    plan_of,
    rich,
)

from qase_iac.apply.report import Operation, Problem, Report, Status
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.plan.model import Action, Blocked, Change, Drift, Origin, Reason, Summary
from qase_iac.plan.planfile import seal
from qase_iac.render import DriftView, render
from qase_iac.render.escape import prose

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2066-\u2069\ufeff\ud800-\udfff]")
SGR = re.compile("\x1b\\[[0-9;]*m")
TAGS = re.compile(r"<(/?(details|summary|pre|code|span)|br|pre lang=\"diff\"|!-- qase-iac plan \w* --)>")
VALUES = st.one_of(
    hostile_plans, hostile_plans.map(DriftView), hostile_reports, st.lists(hostile_diagnostics, max_size=4)
)
FAST = settings(max_examples=80, deadline=None)


@FAST
@given(VALUES, st.booleans())
def test_text_holds_no_control_character(value, full):
    assert not CONTROL.search(render(value, "text", full=full))


@FAST
@given(VALUES)
def test_colour_adds_codes_and_nothing_else(value):
    assert SGR.sub("", render(value, "text", full=True, color=True)) == render(value, "text", full=True)


@FAST
@given(VALUES)
def test_json_is_json_and_safe_on_a_terminal(value):
    shown = render(value, "json")
    assert not CONTROL.search(shown)
    assert isinstance(json.loads(shown), dict)


class Reader(HTMLParser):
    """The text that people see, with the tags around it; fails on tags that do not nest."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.texts, self.tags = [], [], Counter()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        assert tag != "pre" or dict(attrs) in ({}, {"lang": "diff"})
        assert tag == "pre" or not attrs
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((tuple(self.open), data))


KNOWN = {"details", "summary", "pre", "code", "span", "br", "p", "h2", "h3", "ul", "li", "strong", "blockquote"}


def read_markdown(text):
    """Parses as GitHub would, near enough; checks that nothing but our own markup came of it."""
    assert not CONTROL.search(text)
    assert len(text) <= len(text.encode()) < 65_536
    assert not re.search(r"<(?!/?(details|summary|pre|code|span|br)\b|!-- qase-iac plan \w* -->)", text)
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for token in walk(parser.parse(text)):
        assert token.type not in ("link_open", "image", "fence", "code_block", "table_open", "em_open", "s_open", "hr")
        if token.type in ("html_inline", "html_block"):
            assert not re.sub(r"<[^>]*>", "", TAGS.sub("", token.content)).count("<")
    reader = Reader()
    reader.feed(parser.render(text))
    assert not reader.open and set(reader.tags) <= KNOWN
    for around, data in reader.texts:
        if not {"code", "pre"} & set(around):
            assert not re.search(r"@\w|\w@|#\d|https?://|www\.|\$\S", data), data
    return reader


def walk(tokens):
    for token in tokens:
        yield token
        yield from walk(token.children or ())


@settings(max_examples=150, deadline=None)
@given(VALUES, st.booleans())
def test_markdown_is_inert(value, full):
    read_markdown(render(value, "markdown", full=full))


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE, Action.MOVE])
def test_each_nasty_text_everywhere(nasty, action):
    change = Change(
        f"case.{nasty}", action, 1, Reason.NEW, nasty, nasty,
        attributes={"title": change_of(nasty, nasty + "x"), "description": change_of("a\nb", f"a\n{nasty}\nc"),
                    "steps": change_of([{"action": nasty}], [{"action": nasty + "y", "expected": f"x\n{nasty}"}])},
        suite=nasty, notes=(nasty,),
    )  # fmt: skip
    blocked = Change("case.b", action, 2, Reason.NEW, nasty, blocked=Blocked(nasty, f"{nasty}\n{nasty}", (nasty,)))
    drift = Drift(f"case.{nasty}2", 3, "changed", {"title": change_of(nasty, nasty * 2, Origin.THEIRS)}, nasty)
    finding = Diagnostic(nasty, nasty, nasty, SourceRange(nasty, 1, 1), address=nasty)
    plan = plan_of(change, blocked, project=nasty, drift=(drift,), findings=(finding,))
    read_markdown(render(plan, "markdown", full=True))
    assert not CONTROL.search(render(plan, "text", full=True))


def test_titles_read_as_they_are():
    title = 'A <b> & "c" @me #12 [x](y) `code` *so* _so_ 5 | 6 ~~no~~ $1 $2 \\o/ ! https://x.example'
    reader = read_markdown(render(plan_of(Change("case.a", Action.CREATE, None, Reason.NEW, title)), "markdown"))
    assert title in "".join(data for _, data in reader.texts)


# ------------------------------------------------------------------------------------------------ size


def many(count, action, title="A title of the usual length, {}", **parts):
    return [
        Change(f"case.c{at}", action, at + 1, Reason.NEW, title.format(at), suite=f"s{at % 40}/t", **parts)
        for at in range(count)
    ]


STEP = [{"action": f"Step {at}", "expected": "That it works"} for at in range(20)]
UPDATE = {"steps": change_of(STEP, STEP[3:] + STEP[:2]), "severity": change_of("low", "high")}


@pytest.mark.parametrize(
    ("action", "title"),
    [(action, "A title, {}") for action in Action]
    + [(Action.CREATE, "<@#$>|" * 40), (Action.DELETE, "漢字" * 120), (Action.UPDATE, "\x1b\u202e" * 100)],
)
def test_ten_thousand_changes_fit(action, title):
    plan = plan_of(*many(10_000, action, title, attributes=UPDATE), summary=Summary(update=10_000))
    shown = render(plan, "markdown", full=True)
    assert len(shown.encode()) < 65_536
    assert "Left out for want of room" in shown
    assert len(shown.encode()) > 45_000, "room is left unused"


def test_deletes_and_blocked_changes_are_whole_while_others_give_way():
    deletes = many(400, Action.DELETE)
    reason = Blocked("protected", "`protect: true` was set when it was last declared.")
    blocked = [Change(f"case.b{at}", Action.DELETE, at, Reason.UNDECLARED, "B", blocked=reason) for at in range(200)]
    updates = [
        Change(f"case.u{at}", Action.UPDATE, at, Reason.CONFIG_CHANGED, attributes=UPDATE) for at in range(9_400)
    ]
    shown = render(plan_of(*updates, *blocked, *deletes), "markdown")
    assert all(f"- `{change.address}` {change.title}" in shown for change in deletes)
    assert all(f"- `{change.address}` delete blocked" in shown for change in blocked)
    assert shown.index("### Deletes (400)") < shown.index("### Blocked (200)") < shown.index("<summary>9,400 updates")
    assert re.search(r"Left out for want of room:\*\* [\d,]+ of 9,400 updates", shown)
    assert "qase-iac show" in shown
    read_markdown(shown)


def test_one_huge_difference_leaves_room_for_the_others():
    text = "\n".join(f"line {at} of a very long description" for at in range(3_000))
    huge = Change(
        "case.a", Action.UPDATE, 1, Reason.CONFIG_CHANGED, attributes={"description": change_of("x\ny", text)}
    )
    small = Change("case.b", Action.UPDATE, 2, Reason.CONFIG_CHANGED, attributes={"severity": change_of("low", "high")})
    shown = render(plan_of(huge, small), "markdown")
    assert "severity: low → high" in shown and "the rest is in the whole plan" in shown
    read_markdown(shown)


@given(hostile, st.integers(1, 60))
def test_prose_keeps_to_its_size(text, most):
    said = prose(text * 9, most)
    assert len(said.encode()) <= max(most, 3)
    read_markdown(f"- x {said}")


def test_what_is_complete_says_nothing_of_room():
    assert "Left out" not in render(seal(rich()), "markdown")


def test_reports_and_diagnostics_fit_too():
    problem = Problem("rejected", "Qase refused it. " * 40, hint="<b>" * 50)
    operations = tuple(
        Operation(f"case.c{at}", Action.CREATE, None, status, "a.yaml:1", problem)
        for at in range(3_000)
        for status in Status
    )
    read_markdown(render(Report(operations), "markdown"))
    found = [
        Diagnostic("x", f"Problem {at} " * 20, "detail " * 50, SourceRange(f"{at % 9}.yaml", at)) for at in range(9_000)
    ]
    shown = render(found, "markdown")
    read_markdown(shown)
    assert "of 9,000 problems" in shown


def test_text_of_ten_thousand_changes_names_each_once():
    plan = plan_of(*many(10_000, Action.UPDATE, attributes=UPDATE))
    lines = render(plan, "text").splitlines()
    assert sum(line.startswith("  ~ case.c") for line in lines) == 10_000


def test_diagnostics_are_ordered_whatever_the_order_of_finding():
    found = diagnostics()
    for format in ("text", "json", "markdown"):
        assert render(found, format) == render(list(reversed(found)), format)
