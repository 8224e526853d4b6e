"""What a person may write for each type, and what is said of the rest. (Slips and places: config.)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from qase_iac.attributes.base import INVALID
from qase_iac.kinds import BY_NAME


class Reporter:
    """Notes codes; knows no slips."""

    def __init__(self) -> None:
        self.codes: list[str] = []
        self.said: list[str] = []

    def error(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None:
        self.codes.append(code)
        self.said.append(f"{summary} {detail}")

    def warning(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None:
        self.codes.append(f"({code})")
        self.said.append(f"{summary} {detail}")

    def items(self, node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        return ((key.value, key, value) for key, value in node.value)

    def slip(self, node: yaml.Node) -> bool:
        return False

    def nearest(self, word: str, words: Any) -> str:
        return ""


def parse(name: str, text: str, kind: str = "case") -> tuple[Any, list[str]]:
    node = yaml.compose(text, yaml.SafeLoader) if text else yaml.ScalarNode("tag:yaml.org,2002:null", "")
    row = BY_NAME[kind].attribute(name)
    reporter = Reporter()
    found = row.type.parse(node, row, reporter)  # type: ignore[arg-type]
    assert all(len(said) > 20 for said in reporter.said)
    return found, reporter.codes


LONG = "x" * 256


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("title", "010", "010"), ("title", "'true'", "true"), ("title", "|\n  One line\n", "One line"),
        ("description", "no", "no"), ("description", "~", None), ("description", "", None), ("description", "''", ""),
        ("suite", "checkout/vouchers", {"address": "suite.checkout/vouchers"}), ("suite", "null", None),
        ("suite", "{external: A / B}", {"external": "A / B"}), ("suite", "{external_id: '12'}", {"external_id": 12}),
        ("severity", "critical", "critical"), ("severity", "My own", "My own"), ("severity", "", None),
        ("status", "draft", "draft"), ("status", "~", None), ("automation", "automated", "automated"), ("automation", "null", None),
        ("flaky", "true", True), ("flaky", "false", False), ("flaky", "~", False),
        ("tags", "[b, a]", ["a", "b"]), ("tags", "", []), ("tags", "[1.10]", ["1.10"]),
        ("parameters", "{a: [1, 2]}", [{"a": ["1", "2"]}]), ("parameters", "", []), ("parameters", "{}", []), ("parameters", "[]", []),
        ("parameters", "[{a: [x]}, {b: [1, 1], c: [2, 3]}, {shared: Browsers}]", [{"a": ["x"]}, {"b": ["1", "1"], "c": ["2", "3"]}, {"shared": {"external": "Browsers"}}]),
        ("parameters", "[{shared: [a, b]}]", [{"shared": ["a", "b"]}]),
        ("custom_fields", "{A: x, B: [1, 2], C: null, D: ''}", {"A": "x", "B": ["1", "2"], "C": None, "D": ""}), ("custom_fields", "~", {}),
        ("attachments", "[img/a.png]", [{"path": "img/a.png"}]), ("attachments", "", []),
        ("steps", "[Open, {action: Pay, data: 1, expected: ok, attachments: [], steps: [Deep]}, {shared: in}]",
         [{"action": "Open"}, {"action": "Pay", "data": "1", "expected": "ok", "attachments": [], "steps": [{"action": "Deep"}]}, {"shared": {"address": "shared_step.in"}}]),
        ("steps", "[{action: a, data: ~, expected: ' ', steps: []}]", [{"action": "a"}]), ("steps", "", []),
        ("steps", f"[{{shared: {{external_id: {'a' * 40}}}}}]", [{"shared": {"external_id": "a" * 40}}]),
        ("gherkin", "|\n  Given x\n", "Given x\n"), ("gherkin", "~", None),
    ],
)  # fmt: skip
def test_what_may_be_written(name: str, text: str, expected: Any) -> None:
    assert parse(name, text) == (expected, [])


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        ("title", "", ["empty-title"]), ("title", "' '", ["empty-title"]), ("title", '"a\\nb"', ["title-lines"]), ("title", LONG, ["title-too-long"]),
        ("title", "true", ["boolean-in-text"]), ("title", "[a]", ["wrong-type"]), ("description", "false", ["boolean-in-text"]), ("description", "{a: b}", ["wrong-type"]),
        ("suite", "Checkout", ["bad-reference"]), ("suite", "[a]", ["wrong-type"]), ("suite", "{}", ["bad-reference"]), ("suite", "{external: ''}", ["bad-reference"]),
        ("suite", "{external: true}", ["boolean-in-text"]), ("suite", "{external: a, external_id: 1}", ["bad-reference"]), ("suite", "{key: a}", ["bad-reference"]),
        ("suite", "{external_id: 0}", ["bad-id"]), ("suite", "{external_id: x}", ["bad-id"]), ("suite", "{external_id: [1]}", ["bad-id"]),
        ("severity", "' '", ["unknown-word"]), ("severity", "[a]", ["wrong-type"]), ("status", "new", ["unknown-word"]), ("automation", "auto", ["unknown-word"]), ("automation", "[a]", ["wrong-type"]),
        ("flaky", "yes", ["wrong-type"]), ("flaky", "'true'", ["wrong-type"]), ("flaky", "[true]", ["wrong-type"]),
        ("tags", "smoke", ["wrong-type"]), ("tags", "{a: b}", ["wrong-type"]),
        ("parameters", "a", ["wrong-type"]), ("parameters", "[a]", ["wrong-type"]), ("parameters", "[{}]", ["wrong-type"]), ("parameters", "{a: x}", ["wrong-type"]), ("parameters", "{a: []}", ["wrong-type"]),
        ("parameters", "{a: [1, 1]}", ["repeated-item"]), ("parameters", "[{a: [1]}, {a: [2]}]", ["repeated-item"]), ("parameters", "[{a: [1], b: [1, 2]}]", ["uneven-group"]),
        ("parameters", "{a: ['']}", ["empty-item"]), ("parameters", "{a: [true]}", ["boolean-in-text"]), ("parameters", "[{shared: true}]", ["boolean-in-text"]),
        ("custom_fields", "x", ["wrong-type"]), ("gherkin", "true", ["boolean-in-text"]), ("attachments", "a.png", ["wrong-type"]), ("steps", "Open", ["wrong-type"]),
    ],
)  # fmt: skip
def test_what_may_not(name: str, text: str, codes: list[str]) -> None:
    assert parse(name, text) == (INVALID, codes)


@pytest.mark.parametrize(
    ("name", "text", "expected", "codes"),
    [
        ("tags", "[a, a, '', ~, true, b]", ["a", "b"], ["(repeated-item)", "empty-item", "empty-item", "boolean-in-text"]),
        ("attachments", "[a, '', [b], ~]", [{"path": "a"}], ["empty-item", "wrong-type", "empty-item"]),
        ("custom_fields", "{A: {b: c}, B: [1, ''], C: x}", {"C": "x"}, ["wrong-type", "empty-item"]),
        ("steps", "[true, '', ok]", [{"action": "ok"}], ["boolean-in-text", "empty-step"]),
        ("steps", "[{}, {data: x}, {action: ''}, ok]", [{"action": "ok"}], ["empty-step"] * 3),
        ("steps", "[{action: a, colour: red}, ok]", [{"action": "ok"}], ["unknown-attribute"]),
        ("steps", "[{action: [a]}, {action: a, steps: b}, {action: a, attachments: b}, ok]", [{"action": "ok"}], ["wrong-type"] * 3),
        ("steps", "[{shared: in, action: a}, {shared: ~}, {shared: 'No Key'}, ok]", [{"action": "ok"}], ["shared-and-more", "empty-step", "bad-reference"]),
        ("steps", "['data:x', 'other:x', ok]", [{"action": "data:x"}, {"action": "other:x"}, {"action": "ok"}], []),
        ("steps", "[data:x]", [{"action": "data:x"}], ["(missing-space)"]),
    ],
)  # fmt: skip
def test_each_item_for_itself(name: str, text: str, expected: Any, codes: list[str]) -> None:
    assert parse(name, text) == (expected, codes)


@pytest.mark.parametrize(
    ("kind", "name", "text", "expected", "codes"),
    [
        ("milestone", "due_date", "2026-12-01", "2026-12-01", []), ("milestone", "due_date", "", None, []), ("milestone", "due_date", "''", None, []),
        ("milestone", "due_date", "soon", INVALID, ["bad-date"]), ("milestone", "due_date", "[a]", INVALID, ["wrong-type"]),
        ("milestone", "status", "completed", "completed", []), ("milestone", "status", "done", INVALID, ["unknown-word"]),
        ("shared_step", "steps", "", INVALID, ["no-steps"]), ("shared_step", "steps", "[]", INVALID, ["no-steps"]), ("shared_step", "steps", "x", INVALID, ["wrong-type"]),
        ("shared_step", "steps", "[{shared: x}, a]", [{"action": "a"}], ["shared-in-shared"]),
        ("shared_step", "steps", "[{action: a, steps: [b]}]", [{"action": "a", "steps": [{"action": "b"}]}], ["(nested-shared-step)"]),
        ("plan", "cases", "[a, a, {external_id: 3}]", [{"address": "case.a"}, {"external_id": 3}], ["(repeated-item)"]),
        ("plan", "cases", "[No, b]", [{"address": "case.b"}], ["bad-reference"]), ("plan", "cases", "a", INVALID, ["wrong-type"]), ("plan", "cases", "", [], []),
        ("plan", "select", "{tags: smoke, flaky: true, severity: [high, low], milestone: m, suites: 'a/**'}",
         {"tags": ["smoke"], "flaky": [True], "severity": ["high", "low"], "milestone": [{"address": "milestone.m"}], "suites": ["a/**"]}, []),
        ("plan", "select", "{}", INVALID, ["wrong-type"]), ("plan", "select", "[tags]", INVALID, ["wrong-type"]), ("plan", "select", "{colour: red}", INVALID, ["unknown-attribute"]),
        ("plan", "select", "{tags: }", INVALID, ["empty-rule"]), ("plan", "select", "{tags: []}", INVALID, ["empty-rule"]), ("plan", "select", "{tags: [a, '']}", INVALID, ["empty-rule"]),
        ("plan", "exclude", "{flaky: no}", INVALID, ["wrong-type"]), ("plan", "exclude", "{tags: [true]}", INVALID, ["boolean-in-text"]),
    ],
)  # fmt: skip
def test_other_kinds(kind: str, name: str, text: str, expected: Any, codes: list[str]) -> None:
    assert parse(name, text, kind) == (expected, codes)


def test_ids_and_hashes_are_not_the_same() -> None:
    assert parse("steps", "[{shared: {external_id: 12}}]") == ([], ["bad-id"])
    assert parse("milestone", f"{{external_id: {'a' * 40}}}") == (INVALID, ["bad-id"])


def test_a_title_that_is_too_long_shows_where_it_would_end() -> None:
    node = yaml.compose(LONG[:225] + "the end of what fits, and more and more of it")
    row, reporter = BY_NAME["case"].attribute("title"), Reporter()
    row.type.parse(node, row, reporter)  # type: ignore[arg-type]
    assert "the end of what fits, and more" in reporter.said[0]
