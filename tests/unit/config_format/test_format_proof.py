"""The proof refuses what says something else, in whatever way: it is the net under the printer."""

from __future__ import annotations

import pytest

from qase_iac.config.edit.source import Source
from qase_iac.config.format import canonical
from qase_iac.config.format.printer import Printer
from qase_iac.config.format.proof import prove
from qase_iac.config.format.refused import Refused
from qase_iac.config.format.tree import document

BASE = """\
cases:
  a:  # of a
    # why
    title: A
    tags: [x, y]
    description: |
      text
  b: {title: B, tags: &t [z]}
  c: {title: C, tags: *t}
"""


def proven(before: str, after: str, moved: set[int] | None = None) -> None:
    prove(document(Source(before)), document(Source(after)), "cases.yaml", moved or set())


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("title: A", "title: B", "value"),
        ("[x, y]", "[y, x]", "value"),
        ("[x, y]", "[x]", "value"),
        ("[x, y]", "[x, 'y ']", "value"),
        ("      text\n", "      text\n\n", None),
        ("description: |\n", "description: |-\n", "value"),
        ("description: |\n", "description: >\n", None),
        ("{title: B,", "{title: 'B',", None),
        ("[x, y]", "['x', y]", None),
        ("[x, y]", "[x, 'y']", "value"),
        ("&t [z]", "&t [q]", "value"),
        ("tags: *t", "tags: [z]", "value"),
        ("    # why\n", "", "comment would be lost"),
        ("    # why\n", "    # Why\n", "comment would be lost"),
        ("    # why\n    title: A\n", "    title: A\n    # why\n", "by something else"),
        ("  a:  # of a\n    # why\n", "  a:\n    # why  # of a\n", "comment would be lost"),
        ("    title: A\n    tags: [x, y]\n", "    tags: [x, y]\n    title: A\n", "value"),
        ("  b:", "  e:", "value"),
    ],
)
def test_a_difference_is_noticed(old: str, new: str, why: str | None) -> None:
    assert old in BASE
    after = BASE.replace(old, new, 1)
    if why is None:
        proven(BASE, after)
        return
    with pytest.raises(Refused, match=why):
        proven(BASE, after)


@pytest.mark.parametrize("word", ["yes", "1.10", "0x1F", "2026-01-01", "12:30", "null", "~", "true"])
def test_words_are_not_put_in_or_out_of_quotes(word: str) -> None:
    bare, quoted = (
        f"cases: {{a: {{title: T, description: {word}}}}}",
        f"cases: {{a: {{title: T, description: '{word}'}}}}",
    )
    for one, other in ((bare, quoted), (quoted, bare)):
        with pytest.raises(Refused, match="value"):
            proven(one, other)


def test_only_what_was_moved_may_stand_elsewhere() -> None:
    before, after = "a: {x: 1, y: 2}\n", "a: {y: 2, x: 1}\n"
    prove(document(Source(before)), document(Source(after)), "qase.yaml", {before.index("{")})
    with pytest.raises(Refused):
        prove(document(Source(before)), document(Source(after)), "qase.yaml", {0})


@pytest.mark.parametrize("lost", ["# of a", "# why", "x, ", "      text"])
def test_a_printer_that_loses_something_writes_nothing(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Printer.run
    monkeypatch.setattr(Printer, "run", lambda self, role: [line.replace(lost, "") for line in real(self, role)])
    found = canonical(BASE.encode(), "cases.yaml")
    assert found.after is None
    assert [each.code for each in found.problems] == ["not-formatted"]


def test_a_printer_that_breaks_the_file_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Printer, "run", lambda self, role: ["cases: [", "  a: *gone"])
    (problem,) = canonical(BASE.encode(), "cases.yaml").problems
    assert problem.summary == "The file is left as it is: it could not be read any more."


@pytest.mark.parametrize("depth", [50, 190])
def test_what_is_nested_deep(depth: int) -> None:
    text = "cases: " + "{a: " * depth + "b" + "}" * depth + "\n"
    found = canonical(text.encode(), "cases.yaml")
    again = canonical(found.after, "cases.yaml") if found.after is not None else found
    assert again == found
