"""The page: self-contained, inert whatever people call their cases, readable without its script, and it says it all."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_kit import (
    NASTY,
    change_of,
    diagnostics,
    hostile_diagnostics,
    hostile_plans,
    hostile_reports,
    plan_of,
    report,
    rich,
)
from test_render_hostile import CONTROL, UPDATE, many

from qase_iac.apply.report import Operation, Problem, Report, Status
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.plan.model import Action, Blocked, Change, Drift, Origin, Reason, Summary
from qase_iac.plan.planfile import seal
from qase_iac.render import DriftView, render
from qase_iac.render.html_page import page
from qase_iac.render.markup import Html, el, text

VOID = {"meta", "input", "br"}
_TAGS = """html head meta title style body header h1 h2 p ul li div span b i code pre a nav input kbd output button main
    details summary table thead tbody tr th td small del ins footer script br"""
_ATTRIBUTES = """lang charset http-equiv content name class id href type placeholder aria-label autocomplete spellcheck
    aria-live aria-pressed data-group data-word data-what data-kind data-by data-action hidden open title scope rowspan
    colspan"""
TAGS, ATTRIBUTES = set(_TAGS.split()), set(_ATTRIBUTES.split())
XSS = [
    *NASTY,
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", '" onfocus="alert(1)" autofocus="', "<svg/onload=alert(1)>",
    "</title><script>alert(1)</script>", "</summary></details><script>alert(1)</script>", "</td></tr></table><iframe src=x>",
    "javascript:alert(1)", "<a href=javascript:alert(1)>x</a>", "<!--<script>", "]]><script>alert(1)</script>", "<?php x ?>",
    "<base href=//evil.example>", "<meta http-equiv=refresh content=0>", "<link rel=stylesheet href=//evil.example/x.css>",
    "&#x3C;script&#x3E;alert(1)&#x3C;/script&#x3E;", "&lt;script&gt;", "\\u003cscript\\u003e", "<scr\x00ipt>", "<ｓcript>",
    "{{constructor.constructor('alert(1)')()}}", "${alert(1)}", "<form action=//evil.example><input name=id>",
    "<style>*{background:url(//evil.example)}</style>", "expression(alert(1))", "<math><mi//xlink:href='data:x'>",
]  # fmt: skip


class Reader(HTMLParser):
    """Reads as a browser does; fails on tags that do not nest, and keeps what would be run or fetched."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.texts, self.ids = [], Counter(), [], [], []
        self.raw = {"style": "", "script": ""}
        self.policy, self.entries, self.comments = "", [], []

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attrs]
        found = dict(attrs)
        assert len(found) == len(attrs), "an attribute stands twice"
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        if "id" in found:
            self.ids.append(found["id"])
        if found.get("class") == "x":
            self.entries.append(found)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
        else:
            self.texts.append(data)

    def handle_comment(self, data):
        self.comments.append(data)

    @property
    def said(self):
        return "".join(self.texts)


def read_page(shown):
    """The page as a browser takes it, and that nothing but our own markup is in it."""
    assert not CONTROL.search(shown)
    assert shown.startswith("<!doctype html>\n")
    reader = Reader()
    reader.feed(shown)
    reader.close()
    assert not reader.open and not reader.comments
    assert set(reader.tags) <= TAGS
    assert {name for _, name, _ in reader.attributes} <= ATTRIBUTES, "no handler, no style, no source"
    assert (reader.tags["script"], reader.tags["style"], reader.tags["title"], reader.tags["input"]) in {
        (1, 1, 1, 0),
        (1, 1, 1, 1),
    }
    assert all(value.startswith("#") for _, name, value in reader.attributes if name == "href")
    assert len(reader.ids) == len(set(reader.ids))
    for kind, body in reader.raw.items():
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in reader.policy, f"the policy would stop our own {kind}"
    return reader


VALUES = st.one_of(
    hostile_plans, hostile_plans.map(DriftView), hostile_reports, st.lists(hostile_diagnostics, max_size=4)
)


@settings(max_examples=120, deadline=None)
@given(VALUES, st.booleans())
def test_a_page_is_inert(value, full):
    read_page(render(value, "html", full=full))


@pytest.mark.parametrize("nasty", XSS)
def test_each_hostile_text_everywhere(nasty):
    step = {
        "action": nasty,
        "data": nasty,
        "expected": f"x\n{nasty}",
        "attachments": [nasty],
        "steps": [{"action": nasty}],
    }
    attributes = {
        "title": change_of(nasty, nasty + "x"),
        "description": change_of(f"a\n{nasty}\nb", f"a\n{nasty}y\nc"),
        "tags": change_of(["a", nasty], ["b", nasty + "z"]),
        "steps": change_of([{"action": "a"}], [{"action": "ab", "expected": nasty}, step]),
        "parameters": change_of([{nasty: ["a"]}], [{nasty: [nasty]}]),
        f"custom_fields.{nasty}": change_of(None, nasty, Origin.CONFLICT),
    }
    changes = [
        Change(f"case.{nasty}{action}", action, nasty, Reason.NEW, nasty, nasty, attributes=attributes, suite=nasty,
               notes=(nasty,), moved_from=f"case.{nasty}", impact={nasty: {"count": 2, "names": [nasty]}})
        for action in Action
    ]  # fmt: skip
    changes.append(
        Change("case.b", Action.DELETE, 2, Reason.NEW, nasty, blocked=Blocked(nasty, f"{nasty}\n{nasty}", (nasty,)))
    )
    drift = [Drift(f"case.{nasty}2", 3, kind, attributes, nasty) for kind in ("changed", "vanished", "appeared")]
    finding = Diagnostic(nasty, nasty, nasty, SourceRange(nasty, 1, 1), address=nasty)
    plan = plan_of(
        *changes, project=nasty, api=nasty, tool=nasty, drift=tuple(drift), findings=(finding,), digest=nasty
    )
    problem = Problem(nasty, nasty, (nasty,), nasty, request_id=nasty, field_errors=((nasty, nasty),))
    operation = Operation(nasty, Action.CREATE, nasty, Status.FAILED, nasty, problem)
    outcome = Report((operation,), warnings=(nasty,), halted=problem, backup=nasty, command=nasty)
    for value in (plan, DriftView(plan), outcome, [finding]):
        read_page(render(value, "html", full=True))


def test_titles_read_as_they_are():
    title = "<b>&amp; \"c\" 'd' @me </script> {{x}}"
    shown = render(plan_of(Change("case.a", Action.CREATE, None, Reason.NEW, title)), "html")
    assert title in read_page(shown).said


def test_nothing_is_asked_from_outside():
    """No address of anything anywhere but in text: the policy forbids all that is not in the page."""
    for value in (seal(rich()), DriftView(rich()), report(), diagnostics()):
        shown = render(value, "html")
        reader = read_page(shown)
        assert reader.policy.startswith("default-src 'none';") and "base-uri 'none'" in reader.policy
        assert not re.search(r"url\(|@import|//[a-z]", reader.raw["style"])
        assert not re.search(r"fetch|XMLHttp|import\(|innerHTML|eval|http|WebSocket", reader.raw["script"])


def test_it_reads_without_its_script():
    """Every entry is in the page and none is hidden; only the filters wait for the script."""
    reader = read_page(render(seal(rich()), "html"))
    assert all("hidden" not in entry for entry in reader.entries)
    hidden = [(tag, value) for tag, name, value in reader.attributes if name == "hidden"]
    assert len(hidden) == 2 and {tag for tag, _ in hidden} == {"nav", "p"}


def test_nothing_but_the_table_of_facets_is_a_filter():
    """What the script compares stands in data attributes: the words of the buttons are words of the entries."""
    reader = read_page(render(seal(rich()), "html"))
    offered = {(value) for _, name, value in reader.attributes if name == "data-word"}
    held = {
        word
        for e in reader.entries
        for name in ("data-what", "data-kind", "data-by")
        for word in e.get(name, "").split()
    }
    assert offered <= held and {"delete", "blocked", "undo", "case", "theirs"} <= offered


# -------------------------------------------------------------------------------------------------- the same facts


def test_every_change_stands_once_with_the_words_of_the_text():
    plan = seal(rich())
    reader = read_page(render(plan, "html"))
    anchors = [entry["id"] for entry in reader.entries if "id" in entry]
    assert sorted(anchors) == sorted(change.address for change in plan.changes)
    for said in ("reverts an edit made in Qase on 2026-11-20", "from suite.old · priority", "in plan.smoke (updated first)",
                 "delete blocked (possible_rename)", "steps (1 edited, 1 moved, 2 added, 1 removed)", "Uploads 1 file",
                 "3 objects not selected.", "1,187 unchanged, 51 not managed.", plan.digest, "case.stray", "img/a.png"):  # fmt: skip
        assert said in reader.said, said


def test_what_may_hurt_is_named_first():
    said = read_page(render(seal(rich()), "html")).said
    places = [
        said.index(word) for word in ("Deletes:", "Blocked:", "Undoes an edit", "To approve", "Findings", "milestones")
    ]
    assert places == sorted(places)


def test_suites_nest_and_lonely_ones_are_joined():
    def case(key, suite):
        return Change(f"case.{key}", Action.CREATE, None, Reason.NEW, key, suite=suite)

    shown = render(plan_of(case("a", "x/y"), case("b", "x/y/z"), case("c", "p/q/r"), case("d", "")), "html")
    titles = re.findall(r"<h2><code>([^<]*)</code></h2>", shown)
    assert titles == ["./", "p/q/r/", "x/y/", "z/"]
    assert re.search(r"x/y/.*<details class=\"g\" open><summary><h2><code>z/", shown)


def test_both_sides_of_a_difference_stand_beside_each_other():
    before = [
        {"action": "Open the basket of today"},
        {"action": "Pay", "expected": "A receipt is shown at once"},
        {"action": "Wait"},
    ]
    after = [
        {"action": "Wait"},
        {"action": "Open the old basket of today"},
        {"action": "Pay", "expected": "A long receipt is shown at once"},
    ]
    attributes = {
        "steps": change_of(before, after),
        "title": change_of("A basket of one item", "A basket of two items"),
    }
    change = Change("case.a", Action.UPDATE, 1, Reason.CONFIG_CHANGED, "Buy", attributes=attributes)
    shown = render(plan_of(change), "html")
    assert (
        '<td class="d">A basket of <del>one item</del></td><td class="a">A basket of <ins>two items</ins></td>' in shown
    )
    assert '<td class="m">3  Wait</td><td class="m">1  Wait</td>' in shown
    assert (
        '<td class="d">1  Open the basket of today</td><td class="a">2  Open the <ins>old </ins>basket of today</td>'
        in shown
    )
    assert (
        '<td class="d i1">A receipt is shown at once</td><td class="a i1">A <ins>long </ins>receipt is shown at once</td>'
        in shown
    )


def test_a_conflict_shows_what_both_sides_made_of_it():
    change = Change("case.a", Action.UPDATE, 1, Reason.CONFIG_CHANGED, "T",
                    attributes={"title": change_of("Their word", "Our word", Origin.CONFLICT)})  # fmt: skip
    drift = Drift("case.a", 1, "changed", {"title": change_of("The word", "Their word", Origin.THEIRS)})
    said = read_page(render(plan_of(change, drift=(drift,)), "html")).said
    assert said.index("conflict, in Qase") < said.index("Their word") < said.index("conflict, in the files")
    assert "The word" in said and "Our word" in said


def test_a_report_says_first_what_is_not_done():
    said = read_page(render(report(), "html")).said
    words = [
        "Applied in part",
        "Continue with",
        "Failed (1)",
        "Qase refused the case.",
        "Unknown",
        "Blocked",
        "Done (4)",
    ]
    places = [said.index(word) for word in words if word in said]
    assert places == sorted(places) and len(places) >= 6


def test_diagnostics_are_shown_by_file():
    said = read_page(render(diagnostics(), "html")).said
    assert (
        said.index("accounts/login.case.yaml")
        < said.index("checkout/cases.yaml:4:9")
        < said.index("checkout/cases.yaml:12:5")
    )
    assert "2 errors, 1 warning in 2 files." in said
    assert "Valid. No problems were found." in read_page(render([], "html")).said


# ------------------------------------------------------------------------------------------------ size, and safety


def test_ten_thousand_changes_stay_small_and_none_is_left_out():
    plan = plan_of(*many(9_000, Action.UPDATE, attributes=UPDATE), *many(0, Action.DELETE), *[
        Change(f"case.d{at}", Action.DELETE, at, Reason.UNDECLARED, "Gone", suite="z") for at in range(1_000)
    ], summary=Summary(update=9_000, delete=1_000))  # fmt: skip
    shown = render(plan, "html")
    assert len(shown) < 6_000_000
    reader = read_page(shown)
    assert len(reader.entries) == 10_000
    assert re.search(
        r"The differences of [\d,]+ changes are left out for want of room: qase-iac show PLANFILE --full", reader.said
    )
    assert "and 950 more below" in reader.said
    assert '<main id="main" class="many">' in shown


def test_an_endless_difference_is_cut_and_says_so():
    text_ = "\n".join(f"line {at}" for at in range(3_000))
    change = Change("case.a", Action.CREATE, None, Reason.NEW, attributes={"description": change_of(None, text_)})
    said = read_page(render(plan_of(change), "html")).said
    assert "2,600 more lines: qase-iac plan --full shows all" in said


@given(st.text(), st.text())
def test_only_what_was_made_here_is_markup(one, other):
    made = el("b", one, Html("<i></i>"), title=other)
    assert made.count("<") == made.count(">") == 4
    assert text(made) is made


def test_a_page_without_entries_has_no_filters():
    assert "<nav" not in page("t", [], [], [], Html(""))
