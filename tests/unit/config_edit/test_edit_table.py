"""What stands in a file, an edit, and the file afterwards, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from edit_kit import add, loaded, one, put, remove, unset

from qase_iac.config.edit import Edit

STEPS = """\
cases:
  pay:
    title: Pay
    steps:
      # first
      - "Open the basket"   # always
      - action: Enter the card   # number
        # test data
        data: 4242
        expected: >-
          The number is accepted and
          the button is blue
        steps:
          - Blur
          - 'Focus'
      - {action: Pay, expected: Paid}
      - Close
"""


def steps(*new: Any) -> Edit:
    return put("case.pay", "steps", list(new))


CARD = {
    "action": "Enter the card",
    "data": "4242",
    "expected": "The number is accepted and the button is blue",
    "steps": ["Blur", "Focus"],
}
PAID = {"action": "Pay", "expected": "Paid"}


def case(body: str) -> str:
    """A file of the case `pay`, of attributes at column 0."""
    return "cases:\n  pay:\n" + "".join(f"    {line}" if line.strip() else line for line in body.splitlines(True))


TABLE: list[tuple[str, str, Edit, str]] = [
    # --- texts keep their style
    ("plain", case("title: Pay  # t\n"), put("case.pay", "title", "Pay now"), case("title: Pay now  # t\n")),
    (
        "a plain text that must be quoted",
        case("title: Pay  # t\n"),
        put("case.pay", "title", "Pay: now"),
        case("title: 'Pay: now'  # t\n"),
    ),
    ("a plain word like others", case("title: 1.0\n"), put("case.pay", "title", "2.0"), case("title: 2.0\n")),
    ("a number in place of words", case("title: Pay\n"), put("case.pay", "title", "2.0"), case("title: '2.0'\n")),
    ("yes and no", case("title: yes\n"), put("case.pay", "title", "no"), case("title: no\n")),
    ("null is a text only in quotes", case("title: a\n"), put("case.pay", "title", "null"), case("title: 'null'\n")),
    ("true is a text only in quotes", case("title: yes\n"), put("case.pay", "title", "true"), case("title: 'true'\n")),
    ("single quotes", case("title: 'Pay'\n"), put("case.pay", "title", "Don't"), case("title: 'Don''t'\n")),
    (
        "double quotes",
        case('title: "Pay \\u00e9"  # e\n'),
        put("case.pay", "title", 'Say "é" 🛑'),
        case('title: "Say \\"é\\" 🛑"  # e\n'),
    ),
    (
        "line separators are escaped",
        case("title: Pay\ndescription: 'x'\n"),
        put("case.pay", "description", "a\u2028b\x85c"),
        case('title: Pay\ndescription: "a\\Lb\\Nc"\n'),
    ),
    (
        "single quotes cannot say two lines",
        case("title: Pay\ndescription: 'x'  # why\n"),
        put("case.pay", "description", "a\nb"),
        case("title: Pay\ndescription: |-  # why\n  a\n  b\n"),
    ),
    (
        "a literal block, its header and odd blank lines",
        case("title: Pay\ndescription: |   # long\n    One\n\n    Two\n  \n    Three\n\n# end\n"),
        put("case.pay", "description", "One\n\n2\n\nThree\n"),
        case("title: Pay\ndescription: |   # long\n    One\n\n    2\n  \n    Three\n\n# end\n"),
    ),
    (
        "a literal block that gets an indicator",
        case("title: Pay\ndescription: |-\n  One\n"),
        put("case.pay", "description", "  One\nTwo"),
        case("title: Pay\ndescription: |2-\n    One\n  Two\n"),
    ),
    (
        "a break at the end says nothing, so the header stays",
        case("title: Pay\ndescription: |\n  One\n"),
        put("case.pay", "description", "Two"),
        case("title: Pay\ndescription: |\n  Two\n"),
    ),
    (
        "a kept block",
        case("title: Pay\ndescription: |+\n  One\n\n\npriority: high\n"),
        put("case.pay", "description", "Two\n\n\n"),
        case("title: Pay\ndescription: |+\n  Two\n\n\npriority: high\n"),
    ),
    (
        "a folded block keeps the lines that can stay",
        case("title: Pay\ndescription: >\n  One two three four five six seven eight\n  nine ten\n\n  Next\n"),
        put("case.pay", "description", "One two three four five six seven eight\nnine ten eleven\nNext\n"),
        case(
            "title: Pay\ndescription: >\n  One two three four five six seven eight\n\n  nine ten eleven\n\n  Next\n"
        ),
    ),
    (
        "a folded block that becomes code",
        case("title: Pay\ndescription: >\n  One two\n  three\npriority: low\n"),
        put("case.pay", "description", "a\n  b\n"),
        case("title: Pay\ndescription: |\n  a\n    b\npriority: low\n"),
    ),
    (
        "a plain text of several lines",
        case("title: Pay\ndescription: One two three four five six seven eight\n   nine ten  # why\n"),
        put("case.pay", "description", "One two three four five six seven eight nine, ten"),
        case("title: Pay\ndescription: One two three four five six seven eight\n   nine, ten  # why\n"),
    ),
    (
        "a quoted text of several lines",
        case("title: Pay\ndescription: 'One\n  two'  # why\n"),
        put("case.pay", "description", "One"),
        case("title: Pay\ndescription: 'One'  # why\n"),
    ),
    (
        "a block becomes a word",
        case("title: Pay\ndescription: |  # why\n  One\n  Two\npriority: high\n"),
        put("case.pay", "description", ""),
        case("title: Pay\ndescription: ''  # why\npriority: high\n"),
    ),
    (
        "text that ends in blanks",
        case("title: Pay\ndescription: |\n  One\n"),
        put("case.pay", "description", "One  \nTwo \n"),
        case("title: Pay\ndescription: |\n  One  \n  Two \n"),
    ),
    ("a value on the next line", case("title:\n  Pay\n"), put("case.pay", "title", "Go"), case("title:\n  Go\n")),
    (
        "an empty value",
        case("title: Pay\ndescription:   # none\npriority:\n"),
        put("case.pay", "description", "Some"),
        case("title: Pay\ndescription: Some   # none\npriority:\n"),
    ),
    (
        "cleared",
        case("title: Pay\ndescription: Some   # some\n"),
        put("case.pay", "description", None),
        case("title: Pay\ndescription: null   # some\n"),
    ),
    ("a tag", case("title: !!str 12\n"), put("case.pay", "title", "13"), case("title: 13\n")),
    ("a flag", case("title: Pay\nflaky: false # f\n"), put("case.pay", "flaky", True), case("title: Pay\nflaky: true # f\n")),
    ("the same again", case("title: 'Pay' \n"), put("case.pay", "title", "Pay"), case("title: 'Pay' \n")),
    (
        "noise is no edit",
        case("title: Pay\ndescription: |\n  One\n  Two\n"),
        put("case.pay", "description", "One\r\nTwo"),
        case("title: Pay\ndescription: |\n  One\n  Two\n"),
    ),
    # --- attributes that come and go
    (
        "a new attribute stands in the table's order",
        case("title: Pay  # t\n# about tags\ntags: [a]\n"),
        put("case.pay", "severity", "major"),
        case("title: Pay  # t\nseverity: major\n# about tags\ntags: [a]\n"),
    ),
    (
        "behind a block",
        case("title: Pay\ndescription: |\n  One\n\nsteps: [a]\n"),
        put("case.pay", "priority", "low"),
        case("title: Pay\ndescription: |\n  One\npriority: low\n\nsteps: [a]\n"),
    ),
    (
        "before all others",
        case("tags: [a]\ntitle: Pay\n"),
        put("case.pay", "severity", "major"),
        case("tags: [a]\ntitle: Pay\nseverity: major\n"),
    ),
    (
        "a new text of several lines",
        case("title: Pay\n"),
        put("case.pay", "description", "One\nTwo\n"),
        case("title: Pay\ndescription: |\n  One\n  Two\n"),
    ),
    (
        "new steps",
        case("title: Pay\n"),
        put("case.pay", "steps", ["a", {"action": "b", "expected": "c"}]),
        case("title: Pay\nsteps:\n  - a\n  - action: b\n    expected: c\n"),
    ),
    ("no break at the end", "cases:\n  pay:\n    title: Pay", put("case.pay", "priority", "low"), "cases:\n  pay:\n    title: Pay\n    priority: low"),
    ("taken out", case("title: Pay\n# why\ntags: [a] # x\nflaky: true\n"), unset("case.pay", "tags"), case("title: Pay\n# why\nflaky: true\n")),
    (
        "a block taken out",
        case("title: Pay\ndescription: |\n  One\n\n  Two\n\nflaky: true\n"),
        unset("case.pay", "description"),
        case("title: Pay\n\nflaky: true\n"),
    ),
    # --- lists and mappings
    (
        "a set keeps its order and quotes",
        case("title: Pay\ntags: ['b', a]  # two\n"),
        put("case.pay", "tags", ["a", "b", "c"]),
        case("title: Pay\ntags: ['b', a, c]  # two\n"),
    ),
    (
        "an item less, in brackets",
        case("title: Pay\ntags: [a, b, c]\n"),
        put("case.pay", "tags", ["b", "c"]),
        case("title: Pay\ntags: [b, c]\n"),
    ),
    (
        "items on lines",
        case("title: Pay\ntags:\n- a # A\n# about b\n- 'b'\n- c\n"),
        put("case.pay", "tags", ["a", "b", "d"]),
        case("title: Pay\ntags:\n- a # A\n# about b\n- 'b'\n- d\n"),
    ),
    ("no items left", case("title: Pay\ntags:  # t\n  - a\n"), put("case.pay", "tags", []), case("title: Pay\ntags: []  # t\n")),
    ("first items", case("title: Pay\ntags: []\n"), put("case.pay", "tags", ["x"]), case("title: Pay\ntags: [x]\n")),
    (
        "a field",
        case("title: Pay\ncustom_fields:\n    A: x # a\n    'B: b': [1, 2]\n"),
        put("case.pay", "custom_fields.B: b", ["2", "3"]),
        case("title: Pay\ncustom_fields:\n    A: x # a\n    'B: b': [2, 3]\n"),
    ),
    (
        "a new field",
        case("title: Pay\ncustom_fields:\n    A: x # a\nsteps: [a]\n"),
        put("case.pay", "custom_fields.B", None),
        case("title: Pay\ncustom_fields:\n    A: x # a\n    B: null\nsteps: [a]\n"),
    ),
    (
        "the first field",
        case("title: Pay\nsteps: [a]\n"),
        put("case.pay", "custom_fields.B: b", "x"),
        case("title: Pay\ncustom_fields:\n  'B: b': x\nsteps: [a]\n"),
    ),
    (
        "the last field",
        case("title: Pay\ncustom_fields:\n  A: x\nsteps: [a]\n"),
        unset("case.pay", "custom_fields.A"),
        case("title: Pay\nsteps: [a]\n"),
    ),
    (
        "one field of a mapping in braces",
        case("title: Pay\ncustom_fields: {A: x, B: y, C: z}\n"),
        unset("case.pay", "custom_fields.B"),
        case("title: Pay\ncustom_fields: {A: x, C: z}\n"),
    ),
    (
        "parameters as a list",
        case("title: Pay\nparameters:\n  - currency: [EUR, USD]\n  - {user: [ann], role: [admin]}\n"),
        put("case.pay", "parameters", [{"currency": ["EUR", "GBP"]}, {"user": ["ann"], "role": ["admin"]}]),
        case("title: Pay\nparameters:\n  - currency: [EUR, GBP]\n  - {user: [ann], role: [admin]}\n"),
    ),
    (
        "parameters as a mapping",
        case("title: Pay\nparameters: {currency: [EUR, USD]} # p\n"),
        put("case.pay", "parameters", [{"currency": ["EUR"]}, {"user": ["ann"]}]),
        case("title: Pay\nparameters: {currency: [EUR], user: [ann]} # p\n"),
    ),
    ("an object in braces", "cases:\n  pay: {title: Pay, tags: [a]}  # x\n", put("case.pay", "priority", "low"), "cases:\n  pay: {title: Pay, priority: low, tags: [a]}  # x\n"),
    ("a text in braces", "cases: {pay: {title: Pay}}\n", put("case.pay", "title", "a, b"), "cases: {pay: {title: 'a, b'}}\n"),
    # --- steps
    ("a step's own text", STEPS, steps("Open a basket", CARD, PAID, "Close"), STEPS.replace("Open the", "Open a")),
    ("a part of a step", STEPS, steps("Open the basket", {**CARD, "data": "4343"}, PAID, "Close"), STEPS.replace("4242", "4343")),
    (
        "a nested step",
        STEPS,
        steps("Open the basket", {**CARD, "steps": ["Blur", "Look", "Focus"]}, PAID, "Close"),
        STEPS.replace("          - 'Focus'", "          - Look\n          - 'Focus'"),
    ),
    ("a step in braces", STEPS, steps("Open the basket", CARD, {"action": "Pay", "data": "1", "expected": "Paid"}, "Close"), STEPS.replace("{action: Pay, ", "{action: Pay, data: '1', ")),
    ("a step put in", STEPS, steps("Open the basket", CARD, "Wait", PAID, "Close"), STEPS.replace("      - {", "      - Wait\n      - {")),
    ("a step taken out", STEPS, steps("Open the basket", CARD, "Close"), STEPS.replace("      - {action: Pay, expected: Paid}\n", "")),
    (
        "a step that moves takes its text along",
        STEPS,
        steps(CARD, PAID, "Close", "Open the basket"),
        STEPS.replace('      - "Open the basket"   # always\n', "") + '      - "Open the basket"   # always\n',
    ),
    (
        "a step that gets a part",
        STEPS,
        steps("Open the basket", CARD, PAID, {"action": "Close", "expected": "Closed"}),
        STEPS.replace("- Close", "- action: Close\n        expected: Closed"),
    ),
    (
        "a step that loses a part",
        STEPS,
        steps("Open the basket", {n: v for n, v in CARD.items() if n != "data"}, PAID, "Close"),
        STEPS.replace("        data: 4242\n", ""),
    ),
    # --- anchors
    (
        "an alias is replaced",
        case("title: &t Pay\ndescription: *t  # same\npreconditions: *t\n"),
        put("case.pay", "description", "Other"),
        case("title: &t Pay\ndescription: Other  # same\npreconditions: *t\n"),
    ),
    (
        "the first alias takes over the text with its anchor",
        case('title: Pay\ndescription: &d "Long"  # d\npreconditions: *d # p\npostconditions: *d\n'),
        put("case.pay", "description", "Short"),
        case('title: Pay\ndescription: "Short"  # d\npreconditions: &d "Long" # p\npostconditions: *d\n'),
    ),
    (
        "the only alias takes the text alone",
        case("title: &t Pay\ndescription: *t\n"),
        put("case.pay", "title", "Go"),
        case("title: Go\ndescription: Pay\n"),
    ),
    (
        "the last alias takes the anchor off",
        case("title: &t Pay\ndescription: *t\n"),
        put("case.pay", "description", "Go"),
        case("title: Pay\ndescription: Go\n"),
    ),
    (
        "a block moves to its alias",
        "cases:\n  a:\n    title: A\n    description: &d |\n      One\n      Two\n  b:\n      title: B\n      description: *d\n",
        put("case.a", "description", "1\n"),
        "cases:\n  a:\n    title: A\n    description: |\n      1\n  b:\n      title: B\n      description: &d |\n        One\n        Two\n",
    ),
    (
        "a list moves to its alias",
        "cases:\n  a:\n    title: A\n    tags: &t\n      - x # X\n      - y\n  b:\n    title: B\n    tags: *t # T\n",
        put("case.a", "tags", ["x", "z"]),
        "cases:\n  a:\n    title: A\n    tags:\n      - x # X\n      - z\n  b:\n    title: B\n    tags: &t # T\n      - x # X\n      - 'y'\n".replace(
            "'y'", "y"
        ),
    ),
    (
        "an object that others merge changes alone",
        "cases:\n  a: &a\n    title: A\n    priority: high\n  b:\n    <<: *a\n    title: B\n",
        put("case.a", "priority", "low"),
        "cases:\n  a: &a\n    title: A\n    priority: low\n  b:\n    <<: *a\n    title: B\n    priority: high\n",
    ),
    (
        "a merged attribute gets a line of its own",
        "cases:\n  a: &a\n    title: A\n    priority: high\n  b:\n    <<: *a\n    title: B\n",
        put("case.b", "priority", "low"),
        "cases:\n  a: &a\n    title: A\n    priority: high\n  b:\n    <<: *a\n    title: B\n    priority: low\n",
    ),
    (
        "an object that is an alias",
        "cases:\n  a: &a\n    title: A\n  b: *a  # alike\n",
        put("case.b", "title", "B"),
        "cases:\n  a: &a\n    title: A\n  b:  # alike\n    <<: *a\n    title: B\n",
    ),
    # --- objects
    (
        "a new one, like its neighbours",
        "cases:\n   a:\n     title: A\n\n   b:\n     title: B  # b\n\nplans:\n  p: {title: P, cases: [a]}\n",
        add("case.c", title="C", steps=["x"]),
        "cases:\n   a:\n     title: A\n\n   b:\n     title: B  # b\n\n   c:\n     title: C\n     steps:\n       - x\n\nplans:\n  p: {title: P, cases: [a]}\n",
    ),
    ("a new one in braces", "cases: {a: {title: A}}\n", add("case.b", title="B", tags=["x"]), "cases: {a: {title: A}, b: {title: B, tags: [x]}}\n"),
    (
        "one taken out, with its comment",
        "cases:\n  a:\n    title: A\n\n  # about b\n  b:\n    title: B\n    tags: [x]\n\n  # about c\n  c:\n    title: C\n",
        remove("case.b"),
        "cases:\n  a:\n    title: A\n\n  # about c\n  c:\n    title: C\n",
    ),
    (
        "the last of its section",
        "# head\n\nmilestones:\n  m:\n    title: M\n\ncases:\n  a:\n    title: A\n",
        remove("milestone.m"),
        "# head\n\ncases:\n  a:\n    title: A\n",
    ),
    (
        "what was adopted is adopted no longer",
        "cases:\n  a:\n    title: A\n  b:\n    title: B\nadopt: {case.a: 1, case.b: 2}\n",
        remove("case.b"),
        "cases:\n  a:\n    title: A\nadopt: {case.a: 1}\n",
    ),
    (
        "one that others are alike",
        "cases:\n  a: &a\n    title: A  # t\n    tags: [x]\n  b:\n    <<: *a\n    title: B\n",
        remove("case.a"),
        "cases:\n  b:\n    <<: &a\n      title: A  # t\n      tags: [x]\n    title: B\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("before", "edit", "after"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(tmp_path: Path, before: str, edit: Edit, after: str) -> None:
    assert one(tmp_path, before, edit) == after


@pytest.mark.parametrize(("before", "edit", "after"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table_with_windows_line_ends_and_a_byte_order_mark(
    tmp_path: Path, before: str, edit: Edit, after: str
) -> None:
    mark = "\ufeff"
    assert one(tmp_path, mark + before.replace("\n", "\r\n"), edit) == mark + after.replace("\n", "\r\n")


def test_a_default_gives_way_to_an_own_line(tmp_path: Path) -> None:
    files = "project: SHOP\ndefaults:\n  case: {priority: high}\n"
    (tmp_path / "qase.yaml").write_text(files)
    (tmp_path / "cases.yaml").write_text("cases:\n  a:\n    title: A\n")
    from edit_kit import edited

    assert loaded(tmp_path).desired
    (file,) = edited(tmp_path, put("case.a", "priority", "low")).files
    assert file.after == b"cases:\n  a:\n    title: A\n    priority: low\n"
