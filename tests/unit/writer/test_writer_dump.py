"""dump: what is written comes back to the byte, and reads as people would write it."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qase_iac.attributes.base import is_boolean, is_null
from qase_iac.config.dump import dump
from qase_iac.config.yaml_mapping import mapping_items
from qase_iac.config.yaml_source import read_yaml
from qase_iac.values import printable

MATTERMOST = Path("/work/shared/data/mattermost/mattermost.qase.json.xz")


def own(text: str) -> Any:
    """`text` by our own loader's rules: plain scalars as they stand; numbers told by their looks, as JSON would."""
    document = read_yaml(text.encode(), "x.yaml")
    assert document.diagnostics == []

    def value(node: Any) -> Any:
        if isinstance(node, yaml.MappingNode):
            return {key: value(item) for key, _, item in mapping_items(node, lambda *a: pytest.fail(str(a)), text)}
        if isinstance(node, yaml.SequenceNode):
            return [value(item) for item in node.value]
        if is_null(node):
            return None
        return node.value == "true" if is_boolean(node) else node.value

    return value(document.root)


def as_source(value: Any) -> Any:
    """What `own` should give: numbers as their source text."""
    if isinstance(value, dict):
        return {key: as_source(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_source(item) for item in value]
    return value if value is None or isinstance(value, bool | str) else dump(value).strip()


def same(a: Any, b: Any) -> bool:
    """Equal, types included: 1 is not 1.0 and not True."""
    return json.dumps(a) == json.dumps(b)


TRICKY = [
    "", " ", "\n", "\n\n", " \n", "\t", "~", "null", "Null", "NULL", "true", "True", "TRUE", "yes", "no", "on", "off", "y", "N",
    "1", "1.10", "1_000", "0x1F", "0o17", "010", "12:30", "12:30:45", "1e3", "1.", ".5", "+1", "-1", "-.inf", ".NaN", "0b11",
    "2026-12-01", "2026-12-01T10:00:00Z", "2026-12-01 10:00:00 +2", "...", "---", "--- a", "... a", "=", "<<", "- a", "-a", "-",
    "? a", "?", ": a", ":", ":a", "a:", "a: b", "a:b", "a #b", "a# b", "# a", "#a", "&a", "*a", "*a* b", "!a", "!!str a", "%a", "@a",
    "`a` b", "'a", '"a"', "a'b", 'a"b', "a'b\"c", "[a]", "{a}", "a, b", "a]", "a}", "|", "> a", "| a |", "\\n", "C:\\x", " a", "a ",
    "\ta", "a\t", "a\tb", "a\rb", "a\r\nb", "a\nb", "a\nb\n", "a\n\n", "a\n\n\n", "\na", "\n\na\n", " a\nb", "  a\n b\n", "\ta\nb",
    "a\n\tb", "a \nb", "a\n \nb", "a\n  ", "a\n \n", " \na", "\t\na", "a\n\n  b\n\n", "a\n# b\n", "a\n--- b\n...\n", "- a\n- b",
    "a\x85b", "a\u2028b\nc", "a\u2029b", "\ufeffa", "a\ufeff\nb", "\x00", "\x1b[31mred", "\x7f", "\x9f", "\ufffe", "\uffff", "🛑 stop",
    "👨‍👩‍👧\n🛑", "a\xa0", "\xa0a", "\u200b", "\u202eabc", "x" * 1500, "x\n" * 600, '"' * 1100, "key with: colon", "é", "测试", "\U0010ffff",
]  # fmt: skip


@pytest.mark.parametrize("text", TRICKY)
@pytest.mark.parametrize("wrap", [
    lambda t: t,
    lambda t: {"k": t},
    lambda t: {"k": t, "z": "end"},
    lambda t: [t],
    lambda t: [t, "z"],
    lambda t: {"steps": [{"action": t, "expected": t}, t]},
    lambda t: {t: t},
    lambda t: {t: {"a": [t, t]}},
    lambda t: {"a": [[t], {"external": t}]},
])  # fmt: skip
def test_every_text_comes_back_in_every_place(text: str, wrap: Any) -> None:
    value = wrap(text)
    written = dump(value)
    assert yaml.safe_load(written) == value
    assert yaml.load(written, yaml.CSafeLoader) == value  # type: ignore[attr-defined]
    assert own(written) == value


texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=" \n\t-:#'\"|>a1.?,[]{}&*!%@`\\~=\r\x85\u2028é🛑", max_size=12),
    st.sampled_from(TRICKY),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(values)
@example({"a": 1e16, "b": 1e-7, "c": float("inf"), "d": [1.5, -0.0]})
def test_load_of_dump_is_the_value(value: Any) -> None:
    written = dump(value)
    assert same(yaml.safe_load(written), value)
    assert same(yaml.load(written, yaml.CSafeLoader), value)  # type: ignore[attr-defined]
    if value not in ({}, []):
        assert same(own(written), as_source(value))


@given(values)
def test_dump_is_a_function_of_the_value(value: Any) -> None:
    assert dump(value) == dump(json.loads(json.dumps(value)))


SPELLED = "\u200c\u200d\u202f"
"""Joiners and the narrow space: parts of words and emoji, however `printable` shows them in messages."""


def test_what_turns_text_round_or_cannot_be_seen_is_escaped_wherever_it_stands() -> None:
    hidden = [c for c in map(chr, range(0x110000)) if printable(c) != c and c not in "\t\n" + SPELLED]
    assert len(hidden) > 4000
    for char in hidden:
        for text in (f"a{char}b", f"{char}", f"a{char}b\nc"):
            written = dump({text: text, "l": [text], "k": {"external": text}})
            assert char not in written or (char == "\u200b" and "\n" in text), ascii(char)
    for char in SPELLED:
        assert f"a{char}b" in dump({"a": f"a{char}b"})


def test_a_zero_width_space_stays_in_a_block_and_is_escaped_on_a_line() -> None:
    assert dump({"a": "one\u200b\ntwo", "b": "one\u200b"}) == 'a: |-\n  one\u200b\n  two\nb: "one\\u200b"\n'


def test_what_people_read() -> None:
    case = {
        "title": "Pay by card",
        "severity": "critical",
        "flaky": False,
        "milestone": None,
        "tags": ["smoke", "payments"],
        "suite": {"external_id": 12},
        "preconditions": "A basket.\nOne item.\n",
        "steps": ["Open the basket", {"action": "Pay: by card", "data": "4242 4242 4242 4242", "steps": []}],
        "parameters": {"currency": ["EUR", "no"], "empty": {}},
    }
    assert dump({"cases": {"pay-by-card": case}}) == (
        "cases:\n"
        "  pay-by-card:\n"
        "    title: Pay by card\n"
        "    severity: critical\n"
        "    flaky: false\n"
        "    milestone: null\n"
        "    tags: [smoke, payments]\n"
        "    suite: {external_id: 12}\n"
        "    preconditions: |\n"
        "      A basket.\n"
        "      One item.\n"
        "    steps:\n"
        "      - Open the basket\n"
        "      - action: 'Pay: by card'\n"
        "        data: 4242 4242 4242 4242\n"
        "        steps: []\n"
        "    parameters:\n"
        "      currency: [EUR, 'no']\n"
        "      empty: {}\n"
    )


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("a\nb", "|-"),
        ("a\nb\n", "|"),
        ("a\nb\n\n", "|+"),
        (" a\nb", "|2-"),
        ("\na\n", "|2"),
        ("\ta\nb\n\n", "|2+"),
        ("a \nb", "|-"),
    ],
)
def test_texts_of_several_lines_are_blocks(text: str, header: str) -> None:
    assert dump({"k": text}).splitlines()[0] == f"k: {header}"


def test_long_lists_stand_one_item_a_line_and_nothing_is_folded() -> None:
    assert dump({"tags": ["word"] * 20}).count("\n") == 21
    long = "word " * 500 + "end"
    assert dump({"a": long, "b": "x: " + long}).count("\n") == 2


def test_quotes_are_the_plainest_that_hold_the_text() -> None:
    assert dump(["- it's", "- 'a' \"b\"", "no", "a\tb", "\x1b[0m"]) == (
        "- \"- it's\"\n- '- ''a'' \"b\"'\n- 'no'\n- \"a\\tb\"\n- \"\\e[0m\"\n"
    )


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    written = dump({"a": "x\ud800y", "\udfff": ["\ud800\nb"]})
    assert written.encode()
    assert yaml.safe_load(written) == {"a": "x\ufffdy", "\ufffd": ["\ufffd\nb"]}


@pytest.mark.parametrize("value", [{"a": object()}, {1: "a"}, [b"x"]])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        dump(value)


@pytest.mark.skipif(not MATTERMOST.exists(), reason=f"{MATTERMOST} is not here")
def test_every_text_of_the_collection_comes_back() -> None:
    data = json.loads(lzma.decompress(MATTERMOST.read_bytes()))
    written = dump(data)
    assert yaml.load(written, yaml.CSafeLoader) == data  # type: ignore[attr-defined]
    assert own(written) == as_source(data)
