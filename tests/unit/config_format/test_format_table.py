"""Before and after, side by side; and what is left as it is."""

from __future__ import annotations

import pytest

from qase_iac.config.format import canonical

PAIRS: dict[str, tuple[str, str]] = {
    "indentation and lists": (
        "cases:\n    a:\n        title: A\n        steps:\n        - one\n        -   action: two\n            expected: x\n",
        "cases:\n  a:\n    title: A\n    steps:\n      - one\n      - action: two\n        expected: x\n",
    ),
    "order of attributes, comments go along": (
        "cases:\n  a:\n    tags: [x]  # t\n    # why\n    severity: major\n    title: A\n",
        "cases:\n  a:\n    title: A\n    # why\n    severity: major\n    tags: [x]  # t\n",
    ),
    "order of a step": (
        "cases:\n  a:\n    title: A\n    steps:\n      - expected: y\n        action: x\n",
        "cases:\n  a:\n    title: A\n    steps:\n      - action: x\n        expected: y\n",
    ),
    "blank lines": (
        "\n\ncases:\n\n  a:\n    title: A\n\n\n    tags: [x]\n  b:\n    title: B\nplans:\n  p: {title: P, cases: [a]}\n  q: {title: Q, cases: [a]}\n\n\n",
        "cases:\n  a:\n    title: A\n\n    tags: [x]\n\n  b:\n    title: B\n\nplans:\n  p: {title: P, cases: [a]}\n  q: {title: Q, cases: [a]}\n",
    ),
    "quotes": (
        "cases:\n  \"a\":\n    title: \"Pay\"\n    description: \"a: b\"\n    preconditions: '- it''s'\n    tags: [\"1.0\", 'x', \"yes\", yes]\n",
        "cases:\n  a:\n    title: Pay\n    description: 'a: b'\n    preconditions: \"- it's\"\n    tags: ['1.0', x, 'yes', yes]\n",
    ),
    "quotes that keep a comment out": (
        'cases:\n  a:\n    title: "Pay" #now\n    description: "x"\n',
        'cases:\n  a:\n    title: "Pay"  #now\n    description: x\n',
    ),
    "brackets over lines": (
        "cases:\n  a: {title: A, tags: [x,\n    y]}\n  b:\n    title: B\n    tags: [x, # one\n      y  # two\n      # end\n    ]\n",
        "cases:\n  a: {title: A, tags: [x, y]}\n\n  b:\n    title: B\n    tags:\n      - x  # one\n      - y  # two\n      # end\n",
    ),
    "a block of text": (
        "cases:\n  a:\n     title: A\n     description: |-2\n         x\n\n       y  \n     preconditions: >\n      one\n      two\n\n         more\n",
        "cases:\n  a:\n    title: A\n    description: |2-\n        x\n\n      y  \n    preconditions: >\n      one\n      two\n\n         more\n",
    ),
    "texts over lines": (
        "cases:\n  a:\n    title: one\n     two\n    description: \"three\n\n         four\"  # d\n",
        "cases:\n  a:\n    title: one\n      two\n    description: \"three\n\n      four\"  # d\n",
    ),
    "a value below its key": (
        "cases:\n  a:\n    title:\n      A\n    description: # why\n      text\n    tags:\n      # both\n      [x, y]\n",
        "cases:\n  a:\n    title: A\n    description: text  # why\n    tags:\n      # both\n      [x, y]\n",
    ),
    "comments that go on below, and at the end of things": (
        "cases:\n  a:\n    title: A    # first\n                # second\n    # of a\n  # of cases\n# of the file\n",
        "cases:\n  a:\n    title: A    # first\n                # second\n    # of a\n  # of cases\n# of the file\n",
    ),
    "a comment set apart keeps the order": (
        "cases:\n  a:\n    tags: [x]\n    # texts\n\n    title: A\n",
        "cases:\n  a:\n    tags: [x]\n    # texts\n\n    title: A\n",
    ),
    "an anchor keeps the order": (
        "cases:\n  a:\n    tags: &t [x]\n    title: A\n  b: {title: B, tags: *t}\n",
        "cases:\n  a:\n    tags: &t [x]\n    title: A\n\n  b: {title: B, tags: *t}\n",
    ),
    "merges and anchored entries": (
        "cases:\n  a: &a\n    severity: major\n    title: A\n  b:\n    title: B\n    <<: *a\n",
        "cases:\n  a: &a\n    title: A\n    severity: major\n\n  b:\n    <<: *a\n    title: B\n",
    ),
    "CRLF and a byte order mark": ("\ufeffcases:\r\n    a: {title: A}\r\n", "cases:\r\n  a: {title: A}\r\n"),
    "a long list": (
        "cases:\n  a:\n    title: A\n    tags: [" + ", ".join(f"tag-number-{n}" for n in range(9)) + "]\n",
        "cases:\n  a:\n    title: A\n    tags:\n" + "".join(f"      - tag-number-{n}\n" for n in range(9)),
    ),
    "the top of the file": (
        "# licence\n\n# about cases\n---\n# c\ncases: # d\n  a: {title: A}",
        "# licence\n\n# about cases\n---\n# c\ncases:  # d\n  a: {title: A}\n",
    ),
    "comments alone": ("\n# one  \n\n\n# two", "# one\n\n# two\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_before_and_after(name: str) -> None:
    before, after = PAIRS[name]
    found = canonical(before.encode(), "cases.yaml")
    assert found.after is not None, found.problems
    assert found.after.decode() == after
    assert canonical(found.after, "cases.yaml").after == found.after


def test_files_that_are_one_object() -> None:
    assert canonical(b"tags: [x]\ntitle: A\nkey: k\n", "a.case.yaml").after == b"key: k\ntitle: A\ntags: [x]\n"
    assert canonical(b"policy: {}\ntitle: A\n", "x/suite.yaml").after == b"title: A\npolicy: {}\n"


def test_settings_keep_their_order() -> None:
    text = b"title: Shop\nproject: SHOP\nexclude: [drafts/**]\n"
    assert canonical(text, "qase.yaml").after == text


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("%YAML 1.1\n---\ncases: {}\n", 1, "a directive"),
        ("cases: {}\n...\n", 2, "the end of a document"),
        ("--- # x\ncases: {}\n", 1, "is marked here"),
        ("cases:\n  ? [a]\n  : title\n", 2, "a key is no text"),
        ("cases:\n  a: {title,\n    tags: []}\n", 2, "an odd part"),
        (
            "cases:\n  a:\n    title: &t\n      Text\n    description: *t\n",
            3,
            "an anchor or tag stands on another line",
        ),
    ],
)
def test_what_has_no_sure_form_is_left(text: str, line: int, why: str) -> None:
    found = canonical(text.encode(), "cases.yaml")
    assert found.after is None
    (problem,) = found.problems
    assert (problem.code, problem.source.line) == ("not-formatted", line)
    assert why in problem.summary


def test_what_is_no_yaml_is_said_as_validate_says_it() -> None:
    found = canonical(b"cases:\n  a: [\n", "cases.yaml")
    assert found.after is None
    assert found.problems and all(each.code != "not-formatted" for each in found.problems)
