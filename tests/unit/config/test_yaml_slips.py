"""Each usual slip: its code, where it is, and a corrected line that parses to the text that was meant."""

from __future__ import annotations

import pytest
import yaml

from qase_iac.config.yaml_mapping import mapping_items
from qase_iac.config.yaml_misread import text_slip
from qase_iac.config.yaml_slips import Slip, quote
from qase_iac.config.yaml_source import read_yaml

# (line as written, code, corrected line, text that was meant)
SLIPS = [
    ('- "Save" is clicked', "text-starts-with-quote", "- '\"Save\" is clicked'", '"Save" is clicked'),
    ("- 'Save' is clicked", "text-starts-with-quote", "- \"'Save' is clicked\"", "'Save' is clicked"),
    ('- "Save" and "Cancel"', "text-starts-with-quote", '- \'"Save" and "Cancel"\'', '"Save" and "Cancel"'),
    ('- "It\'s" on', "text-starts-with-quote", "- '\"It''s\" on'", '"It\'s" on'),
    ("- `x` y", "text-starts-with-backtick", "- '`x` y'", "`x` y"),
    ("t: `x`", "text-starts-with-backtick", "t: '`x`'", "`x`"),
    ("- *bold* y", "text-starts-with-asterisk", "- '*bold* y'", "*bold* y"),
    ("- **bold** y", "text-starts-with-asterisk", "- '**bold** y'", "**bold** y"),
    ("- *bold", "text-starts-with-asterisk", "- '*bold'", "*bold"),
    ("- @x is told", "text-starts-with-at", "- '@x is told'", "@x is told"),
    ("- %x is full", "text-starts-with-percent", "- '%x is full'", "%x is full"),
    ("- &anchor text", "text-starts-with-ampersand", "- '&anchor text'", "&anchor text"),
    ("- &nbsp; is shown", "text-starts-with-ampersand", "- '&nbsp; is shown'", "&nbsp; is shown"),
    ("t: &Save", "text-starts-with-ampersand", "t: '&Save'", "&Save"),
    ("- !important", "text-starts-with-exclamation", "- '!important'", "!important"),
    ("- !important note", "text-starts-with-exclamation", "- '!important note'", "!important note"),
    ("- ! note", "text-starts-with-exclamation", "- '! note'", "! note"),
    ("- ![alt](x.png)", "text-starts-with-exclamation", "- '![alt](x.png)'", "![alt](x.png)"),
    ("- > quote", "text-starts-with-greater-than", "- '> quote'", "> quote"),
    ("- | table |", "text-starts-with-pipe", "- '| table |'", "| table |"),
    ("- [ ] todo", "text-starts-with-bracket", "- '[ ] todo'", "[ ] todo"),
    ("- [x] y", "text-starts-with-bracket", "- '[x] y'", "[x] y"),
    ("- [link](a.md)", "text-starts-with-bracket", "- '[link](a.md)'", "[link](a.md)"),
    ("- {{var}} is set", "text-starts-with-brace", "- '{{var}} is set'", "{{var}} is set"),
    ("t: {a} b", "text-starts-with-brace", "t: '{a} b'", "{a} b"),
    ("t: - x", "text-starts-with-dash", "t: '- x'", "- x"),
    ("t: Pay: by card", "colon-in-text", "t: 'Pay: by card'", "Pay: by card"),
    ("t: Enter a name:", "colon-in-text", "t: 'Enter a name:'", "Enter a name:"),
    ("- Pay: by: card", "colon-in-text", "- 'Pay: by: card'", "Pay: by: card"),
    ("- action: Pay: by card", "colon-in-text", "- action: 'Pay: by card'", "Pay: by card"),
    ("t: Don't: x", "colon-in-text", 't: "Don\'t: x"', "Don't: x"),
    ("- Banner is #DDDDDD", "text-cut-by-comment", "- 'Banner is #DDDDDD'", "Banner is #DDDDDD"),
    ("t: Banner is #DDDDDD now", "text-cut-by-comment", "t: 'Banner is #DDDDDD now'", "Banner is #DDDDDD now"),
    ("t: #DDDDDD", "text-cut-by-comment", "t: '#DDDDDD'", "#DDDDDD"),
    ("- #general is open", "text-cut-by-comment", "- '#general is open'", "#general is open"),
    ("t: [Room #1, b]", "text-cut-by-comment", "t: ['Room #1', b]", "Room #1"),
    ("t: {action: Room #1, data: b}", "text-cut-by-comment", "t: {action: 'Room #1', data: b}", "Room #1"),
    ("t: [@a, b]", "text-starts-with-at", "t: ['@a', b]", "@a"),
    ("t: [b, *c*]", "text-starts-with-asterisk", "t: [b, '*c*']", "*c*"),
    ("t: {action: Pay: by card}", "colon-in-text", "t: {action: 'Pay: by card'}", "Pay: by card"),
    (
        't: {action: "Save" is on, x: y}',
        "text-starts-with-quote",
        "t: {action: '\"Save\" is on', x: y}",
        '"Save" is on',
    ),
    ("- 'Don't click'", "quote-in-quotes", '- "Don\'t click"', "Don't click"),
    ('- "He said "hi" now"', "quote-in-quotes", "- 'He said \"hi\" now'", 'He said "hi" now'),
    ('- "C:\\path"', "bad-escape", "- 'C:\\path'", "C:\\path"),
    ('- "Save', "unterminated-quote", '- "Save"', "Save"),
    ("- 'Save", "unterminated-quote", "- 'Save'", "Save"),
    ("- `a` # note", "text-starts-with-backtick", "- '`a`' # note", "`a`"),
]


def leaves(node: yaml.Node | None) -> list[str]:
    if isinstance(node, yaml.MappingNode):
        return [text for _, value in node.value for text in leaves(value)]
    if isinstance(node, yaml.SequenceNode):
        return [text for value in node.value for text in leaves(value)]
    return [node.value] if isinstance(node, yaml.ScalarNode) else []


@pytest.mark.parametrize("around", ["{}\n", "top:\n  first:\n    {}\n  last: 1\n", "# comment\r\nx:\r\n  {}\r\n"])
@pytest.mark.parametrize(("line", "code", "fixed", "meant"), SLIPS, ids=[each[0] for each in SLIPS])
def test_slip(line: str, code: str, fixed: str, meant: str, around: str) -> None:
    text = around.format(line) if "{}" in around else line
    document = read_yaml(text.encode(), "f.yaml")
    assert [found.code for found in document.diagnostics] == [code]
    found = document.diagnostics[0]
    at = text.index(line)
    assert found.source.line == text[:at].count("\n") + 1
    assert found.is_error
    assert f" | {' ' * (at - text.rfind(chr(10), 0, at) - 1)}{line}" in found.detail
    assert fixed in found.detail.split("Write:\n")[1]
    again = read_yaml(text.replace(line, fixed).encode(), "f.yaml")
    assert again.diagnostics == []
    assert meant in leaves(again.root)
    if code not in ("text-starts-with-ampersand", "text-starts-with-exclamation"):
        assert leaves(document.root) == leaves(again.root)


@pytest.mark.parametrize("text", ["title:Pay\nb: 1", "a: 0\ntitle:Pay\nb: 1", "- x: y\n  title:Pay\n  b: 1"])
def test_a_missing_space(text: str) -> None:
    document = read_yaml(text.encode(), "f")
    assert [found.code for found in document.diagnostics] == ["missing-space"]
    assert "title: Pay" in document.diagnostics[0].detail
    assert document.diagnostics[0].source.line == text[: text.index("title")].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "code", "meant"),
    [
        ("- Open\n  the #DDD banner\n  now", "text-cut-by-comment", "Open the #DDD banner now"),
        ("t: Open #1\n  and #2", "text-cut-by-comment", "Open #1 and #2"),
        ('- "Save" is\n  clicked', "text-starts-with-quote", '"Save" is clicked'),
        ("d: First: a\n  second", "colon-in-text", "First: a second"),
        ("d:\n  `x` is\n  run", "text-starts-with-backtick", "`x` is run"),
    ],
)
def test_over_several_lines(text: str, code: str, meant: str) -> None:
    document = read_yaml(text.encode(), "f")
    assert [found.code for found in document.diagnostics] == [code]
    assert leaves(document.root) == [meant]


@pytest.mark.parametrize(
    "text",
    [
        "a: b # a comment",
        "a: b #",
        "a: b # \n",
        "a: b\t# x",
        "# x\na: b\n  #x\n#y",
        "a: 'b #c' #d",
        'a: "b #c"',
        "a: |  # head\n  b #c\n  # d",
        "a: >-\n  b #c",
        "a: b#c",
        "a: http://x/#y",
        "a: [b] #c",
        "a: {b: c} #d",
        "a: #list\n- b",
        "a: #mapping\n  b: c",
        "- &x a\n- *x",
        "a: &x [b]",
        "a: &x 'quoted'",
        "a: 'it''s'",
        "a: R & D, 5 * 3, b!, C:\\x, 12:30, a - b, x | y, 1 > 0",
        "a: b\n  c\n  d",
        "a: |\n  &x\n  !y\n  - z: `",
    ],
)
def test_no_slip(text: str) -> None:
    assert read_yaml(text.encode(), "f").diagnostics == []


def slip_of(line: str, known: tuple[str, ...] = ("action", "data", "expected", "steps", "shared")) -> Slip | None:
    document = read_yaml(f"steps:\n  {line}\n  - end\n".encode(), "f")
    assert document.root is not None
    assert document.diagnostics == []
    return text_slip(document.root.value[0][1].value[0], document.text, known)


@pytest.mark.parametrize(
    ("line", "code", "fixed"),
    [
        ("- Note: the form", "colon-in-text", "  - 'Note: the form'"),
        ("- Note: the form # why", "colon-in-text", "  - 'Note: the form' # why"),
        ("- Enter your name:", "colon-in-text", "  - 'Enter your name:'"),
        ('- Press: "OK"', "colon-in-text", "  - 'Press: \"OK\"'"),
        ("- [x]", "text-starts-with-bracket", "  - '[x]'"),
        ("- [ ]", "text-starts-with-bracket", "  - '[ ]'"),
        ("- {{name}}", "text-starts-with-brace", "  - '{{name}}'"),
        ("- {name}", "text-starts-with-brace", "  - '{name}'"),
        ("- {}", "text-starts-with-brace", "  - '{}'"),
        ("- - minus", "text-starts-with-dash", "  - '- minus'"),
    ],
)
def test_text_that_became_something_else(line: str, code: str, fixed: str) -> None:
    found = slip_of(line)
    assert found is not None
    assert (found.code, found.fixed, found.line, found.column) == (code, fixed, 1, 4)
    assert fixed in found.detail
    again = read_yaml(found.fixed.encode(), "f")
    assert again.root is not None
    assert isinstance(again.root.value[0], yaml.ScalarNode)


def test_a_note_over_two_lines() -> None:
    found = slip_of("- Note: the form\n      is shown")
    assert found is not None
    assert leaves(read_yaml(found.fixed.encode(), "f").root) == ["Note: the form is shown"]


@pytest.mark.parametrize(
    "line",
    [
        "- acton: x",
        "- Action: x",
        "- action: x",
        "- {action: x, data: y}",
        "- Note:\n      - nested",
        "- {'Note': x}",
        "- Note: |\n      x",
        "- plain",
        "-\n    - a\n    - b",
        "- [[a]]",
    ],
)
def test_not_a_text(line: str) -> None:
    assert slip_of(line) is None


def test_comma_in_braces() -> None:
    document = read_yaml(b"steps:\n  - {action: Enter a, b, expected: c} # d\n", "f")
    assert document.root is not None
    got: list[tuple[str, str]] = []
    node = document.root.value[0][1].value[0]
    list(mapping_items(node, lambda _, code, __, detail: got.append((code, detail)), document.text))
    ((code, detail),) = got
    assert code == "comma-in-braces"
    assert "Write:\n  - {action: 'Enter a, b', expected: c} # d" in detail


@pytest.mark.parametrize("text", ["a", "a'b", 'a"b', "a'b\"c", "a\\b'c", "", "'", '"', "a: b #c"])
def test_quotes_hold_what_they_quote(text: str) -> None:
    assert yaml.safe_load(quote(text)) == text


def test_corrections_that_cannot_be_pasted_are_not_shown() -> None:
    found = read_yaml("- `a\u202eb`".encode(), "f").diagnostics[0]
    assert "Write:" not in found.detail
    assert "\\u202e" in found.detail
    assert "Write:" in read_yaml("- `\U0001f469\u200d\U0001f4bb`".encode(), "f").diagnostics[0].detail
