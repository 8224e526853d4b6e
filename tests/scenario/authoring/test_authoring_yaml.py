"""authoring.md: "YAML never changes what a person wrote", and the slips that are answered with the line that was meant."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from authoring_kit import ONE, Project, place

Make = Callable[..., Project]

SURPRISES = ["no", "yes", "on", "off", "y", "n", "1.10", "0x1F", "12:30", "010", "1_000", "1e3", "2026-12-01", "NULL", "Null",
             "True", "FALSE", ".inf", ".nan", "0o17", "0b1", "+1", "-0", "=", "<<", "190:20:30", "2026-12-01T10:00:00Z"]  # fmt: skip


class TestPlainScalars:
    @pytest.mark.parametrize("word", SURPRISES)
    def test_in_texts_stand_as_they_are(self, project: Make, word: str) -> None:
        made = project(f"""\
cases:
  c:
    title: {word}
    description: {word}
    tags: [{word}]
    steps: [{word}, {{action: {word}, data: {word}, expected: {word}}}]
    parameters: {{{"p" if word == "<<" else word}: [{word}]}}
milestones: {{m: {{title: {word}}}}}
""").valid()  # fmt: skip
        sent = made.sent("case.c")
        assert (sent["title"], sent["description"], sent["tags"]) == (word, word, [word])
        assert sent["steps"] == [{"action": word}, {"action": word, "data": word, "expected": word}]
        assert list(sent["parameters"][0].values()) == [[word]]
        made.settled()
        assert made.live("case.c")["title"] == made.live("milestone.m")["title"] == word

    @pytest.mark.parametrize("word", ["null", "~", ""])
    def test_only_these_are_null(self, project: Make, word: str) -> None:
        assert project(f"cases: {{c: {{title: C, description: {word}}}}}\n").sent("case.c")["description"] in (None, "")

    @pytest.mark.parametrize("word", ["true", "false"])
    @pytest.mark.parametrize("name", ["title", "description", "gherkin", "preconditions"])
    def test_a_boolean_in_a_text_is_an_error_with_a_hint(self, project: Make, name: str, word: str) -> None:
        rest = "" if name == "title" else "    title: C\n"
        found = project(f"cases:\n  c:\n    {name}: {word}\n{rest}").problem()
        assert place(found) == ("boolean-in-text", "cases.yaml", 3, 7 + len(name))
        assert f'`{name}: "{word}"`' in found["detail"]

    def test_quoted_they_are_text(self, project: Make) -> None:
        sent = project("cases: {c: {title: 'true', description: \"null\", tags: ['~', 'false']}}\n").sent("case.c")
        assert (sent["title"], sent["description"], sent["tags"]) == ("true", "null", ["false", "~"])


SLIPS = [
    ('- "Save" is clicked', "text-starts-with-quote", "- '\"Save\" is clicked'"),
    ("- 'Save' is clicked", "text-starts-with-quote", "- \"'Save' is clicked\""),
    ("- `x` y", "text-starts-with-backtick", "- '`x` y'"),
    ("- *bold* y", "text-starts-with-asterisk", "- '*bold* y'"),
    ("- **bold** y", "text-starts-with-asterisk", "- '**bold** y'"),
    ("- @ann opens", "text-starts-with-at", "- '@ann opens'"),
    ("- %d is shown", "text-starts-with-percent", "- '%d is shown'"),
    ("- &amp is shown", "text-starts-with-ampersand", "- '&amp is shown'"),
    ("- !important x", "text-starts-with-exclamation", "- '!important x'"),
    ("- > quoted", "text-starts-with-greater-than", "- '> quoted'"),
    ("- | cell |", "text-starts-with-pipe", "- '| cell |'"),
    ("- [ ] todo", "text-starts-with-bracket", "- '[ ] todo'"),
    ("- [link](x)", "text-starts-with-bracket", "- '[link](x)'"),
    ("- {{name}} is shown", "text-starts-with-brace", "- '{{name}} is shown'"),
    ("- {{name}}", "text-starts-with-brace", "- '{{name}}'"),
    ("- {name}", "text-starts-with-brace", "- '{name}'"),
    ("- - dash", "text-starts-with-dash", "- '- dash'"),
    ("- ? why", "text-starts-with-question-mark", "- '? why'"),
    ("- Note: the form", "colon-in-text", "- 'Note: the form'"),
    ("- Note:", "colon-in-text", "- 'Note:'"),
    ("- 'Save': is clicked", "colon-in-text", "- \"'Save': is clicked\""),
    ("- At: home", "colon-in-text", "- 'At: home'"),
    ("- Pay: by: card", "colon-in-text", "- 'Pay: by: card'"),
    ("- action: Pay: by card", "colon-in-text", "- action: 'Pay: by card'"),
    ("- action: ok\n        expected: a: b", "colon-in-text", "expected: 'a: b'"),
    ("- Banner is #DDDDDD", "text-cut-by-comment", "- 'Banner is #DDDDDD'"),
    ("- #5 is open", "text-cut-by-comment", "- '#5 is open'"),
    ("- action: See #12", "text-cut-by-comment", "- action: 'See #12'"),
    ("- {action: See #12, expected: b}", "text-cut-by-comment", "'See #12'"),
    ("- {action: Enter a, b, expected: c}", "comma-in-braces", "{action: 'Enter a, b', expected: c}"),
    ("- {action: Enter a, b}", "comma-in-braces", "{action: 'Enter a, b'}"),
    ("- 'It's'", "quote-in-quotes", '- "It\'s"'),
    ('- "C:\\path"', "bad-escape", "- 'C:\\path'"),
    ('- "open', "unterminated-quote", ""),
    ("- action: a\n\t  expected: b", "tab-indentation", "        expected: b"),
    ("- action: a\n        expected:b", "missing-space", "expected: b"),
]


class TestSlips:
    @pytest.mark.parametrize(("written", "code", "meant"), SLIPS, ids=[written for written, _, _ in SLIPS])
    def test_each_has_its_code_its_place_and_the_line_that_was_meant(
        self, project: Make, written: str, code: str, meant: str
    ) -> None:
        text = f"cases:\n  c:\n    title: C\n    steps:\n      - first\n      {written}\n"
        found = project(text).problem()
        assert (found["code"], found["file"], found["severity"]) == (code, "cases.yaml", "error")
        assert found["line"] == 6 + written.count("\n") and found["column"] > 0
        assert meant in found["detail"] and "\n  " + str(found["line"]) in found["detail"]

    @pytest.mark.parametrize("written", [written for written, _, meant in SLIPS if meant])
    def test_the_line_that_was_meant_is_accepted(self, project: Make, written: str) -> None:
        made = project(f"cases:\n  c:\n    title: C\n    steps:\n      - first\n      {written}\n")
        _, _, fixed = made.problem()["detail"].partition("Write:\n")
        kept = written.rpartition("\n")[0]
        made.write(
            f"cases:\n  c:\n    title: C\n    steps:\n      - first\n{f'      {kept}{chr(10)}' if kept else ''}{fixed}\n"
        ).valid()

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("title: Pay: by card", "colon-in-text"), ('title: "Save" works', "text-starts-with-quote"),
            ("title: `x` y", "text-starts-with-backtick"), ("title: {{x}}", "text-starts-with-brace"),
            ("title: Banner is #DDDDDD", "text-cut-by-comment"), ("title: *bold*", "text-starts-with-asterisk"),
            ("title:Pay", "missing-space"), ("title: [x]", "text-starts-with-bracket"), ("title: @x", "text-starts-with-at"),
            ("title: 100% #1", "text-cut-by-comment"),
        ],
    )  # fmt: skip
    def test_in_a_title(self, project: Make, line: str, code: str) -> None:
        assert place(project(f"cases:\n  c:\n    {line}\n    severity: major\n").problem())[:3] == (
            code,
            "cases.yaml",
            3,
        )

    def test_all_of_them_in_one_run(self, project: Make) -> None:
        steps = "".join(
            f"      {written}\n" for written, _, _ in SLIPS if "\n" not in written and '"open' not in written
        )
        found = project(f"cases:\n  c:\n    title: C\n    steps:\n{steps}").problems()
        lines = {each["line"] for each in found}
        assert lines >= set(range(5, 5 + steps.count("\n"))), sorted(set(range(5, 5 + steps.count("\n"))) - lines)

    def test_places_below_a_slip_of_several_lines_are_those_of_the_file(self, project: Make) -> None:
        made = project("""\
cases:
  c:
    title: C
    steps:
      - `x` y
        goes on
      - "a" b
      - Banner #DDD
        goes on
      - @last
    severity: hgih
""")
        assert [(each["line"], each["column"]) for each in made.problems()] == [
            (5, 9),
            (7, 9),
            (8, 16),
            (10, 9),
            (11, 15),
        ]

    @pytest.mark.parametrize(
        "step",
        ["It's fine", "a # comment", "a#b", "C# is used", "x:y", "http://x.example/#top", "50%", "a - b", "a [b] {c}", "'#5'",
         '"a: b"', "say \"hi\"", "-5 is shown", "--flag", "a, b", "what?", "!", "12:30 Uhr", "a > b | c"],
    )  # fmt: skip
    def test_what_is_no_slip_is_left_alone(self, project: Make, step: str) -> None:
        made = project(f"cases:\n  c:\n    title: C\n    steps:\n      - {step}\n")
        if step == "!":
            return  # a lone ! is a tag without a text
        made.valid()

    @pytest.mark.parametrize(
        ("text", "codes"),
        [
            ("cases:\n\tc:\n\t\ttitle: C\n", ["tab-indentation", "tab-indentation"]),
            ("cases:\n  c:\n    title: C\n   steps: [a]\n", ["bad-indentation"]),
            ("cases:\n  c:\n    title: C\n    title: D\n", ["duplicate-key"]),
            ("cases: [\n", ["flow-not-closed"]),
            ("cases:\n  c: {title: C\n", ["flow-not-closed"]),
            ("cases:\n  c: {title: C}\n---\ncases:\n  d: {title: D}\n", ["several-documents"]),
            ("cases:\n  c: *nope\n", ["text-starts-with-asterisk", "wrong-type"]),
            ("cases:\n  c: !!python/object:os.system {title: C}\n", ["foreign-tag"]),
            ("cases:\n  c: {title: !ruby C}\n", ["text-starts-with-exclamation"]),
            ("cases:\n  ? [a]\n  : {title: C}\n", ["complex-key"]),
            ("%YAML 9.9\n---\ncases: {c: {title: C}}\n", None),
            ("cases:\n  c:\n    title\n    steps: [a]\n", ["missing-colon"]),
        ],
    )
    def test_broken_yaml(self, project: Make, text: str, codes: list[str] | None) -> None:
        found = project({"ok.yaml": "cases: {ok: {title: Ok}}\n", "x.yaml": text}).codes()
        assert found and (codes is None or found == codes)

    @pytest.mark.parametrize("key", ["cases", "c", "title"])
    def test_a_duplicate_names_both_places(self, project: Make, key: str) -> None:
        texts = {
            "cases": f"{ONE}{ONE}",
            "c": "cases:\n  c: {title: A}\n  c: {title: B}\n",
            "title": "cases:\n  c:\n    title: A\n    title: B\n",
        }
        found = project(texts[key]).problem()
        assert found["code"] == "duplicate-key" and "line " in found["detail"]


class TestMessages:
    """Each says what is wrong in one line, and what to write instead."""

    BAD = """\
cases:
  Pay Card: {title: T}
  c:
    titel: C
    severity: hgih
    status: aktual
    tags: smoke
    flaky: yes
    steps: Open
    milestone: [a]
    parameters: 3
    custom_fields: 3
    attachments: x.png
    ignore_changes: steps
    protect: 1
  d: {title: D, steps: [''], gherkin: Given}
  e: {title: E, milestone: nope, attachments: [nope.png]}
plans: {p: {title: P, select: {}}}
moved: [{from: a}]
removed: [b]
adopt: {case.c: x}
"""

    def test_are_short_and_say_what_to_do(self, project: Make) -> None:
        found = project(self.BAD).problems()
        assert len(found) >= 20
        for each in found:
            assert each["detail"], each
            assert "\n" not in each["summary"] and len(each["summary"]) <= 120, each
            assert all(len(line) <= 400 for line in each["detail"].split("\n")), each
            assert "Node" not in each["detail"] + each["summary"] and "None" not in each["summary"], each

    def test_an_unknown_attribute_with_a_near_name_does_not_list_them_all(self, project: Make) -> None:
        found = project("cases: {c: {title: C, severty: major}}\n").problem()
        assert "Did you mean `severity`?" in found["summary"] and "postconditions" not in found["detail"]

    def test_one_without_a_near_name_lists_them(self, project: Make) -> None:
        assert "postconditions" in project("cases: {c: {title: C, zzz: major}}\n").problem()["detail"]

    def test_what_was_written_is_put_into_the_list_that_was_meant(self, project: Make) -> None:
        assert "tags:\n  - smoke" in project("cases: {c: {title: C, tags: smoke}}\n").problem()["detail"]


BASE = """\
# all sorts
milestones:
  m: {title: M, due_date: 2026-12-01}
shared_steps:
  s:
    title: S
    steps: [a, {action: b, expected: "c"}]
suites:
  u:
    title: U
    cases:
      c:
        title: 'C'
        tags: [x, y]
        milestone: m
        steps:
          - one
          - action: |
              two
            data: 3
          - shared: s
        parameters: {p: ["1", '2']}
plans: {p: {title: P, cases: [c], select: {tags: [x]}}}
moved: [{from: case.old, to: case.c}]
"""
PIECES = ["\t", "\n", ": ", "- ", "[", "]", "{", "}", "'", '"', "#", " #x", "&a ", "*a", "!t ", "|", ">", "%", "@", "`", "? ", ",",
          "<<: ", "~", "\x00", "\x85", "\u2028", "\ufeff", "\ud7ff", "🙂", "---\n", "...\n", "  ", "null", "true", "é" * 300]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_broken_the_answer_is_diagnostics(project: Make, seed: int) -> None:
    chance = random.Random(seed)
    text = BASE
    for _ in range(chance.randint(1, 6)):
        at, cut = chance.randrange(len(text)), chance.choice([0, 0, 1, 3, 20])
        text = text[:at] + chance.choice(PIECES) + text[at + cut :]
    made = project(
        {"a.yaml": text, "b.yaml": "cases: {ok: {title: Ok}}\n", "c.case.yaml": text[chance.randrange(60) :]}
    )
    for each in made.problems():
        assert each["file"] in ("a.yaml", "b.yaml", "c.case.yaml") and each["summary"], each
        assert each["line"] >= 1 and each["column"] >= 1, each
