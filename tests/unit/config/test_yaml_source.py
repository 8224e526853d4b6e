"""Bytes to nodes: strict, bounded, and agreeing with PyYAML wherever a document is plain."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from qase_iac.attributes.base import is_boolean, is_null
from qase_iac.config import yaml_composer
from qase_iac.config.yaml_composer import composed
from qase_iac.config.yaml_document import MAX_PROBLEMS
from qase_iac.config.yaml_mapping import mapping_items, source
from qase_iac.config.yaml_slips import lines_of
from qase_iac.config.yaml_source import compose, read_yaml
from qase_iac.diagnostics import Diagnostic, SourceRange


def one(data: bytes | str) -> Diagnostic:
    _, diagnostics = compose(data.encode() if isinstance(data, str) else data, "f.yaml")
    assert len(diagnostics) == 1, diagnostics
    return diagnostics[0]


def clean(text: str | bytes) -> yaml.Node:
    root, diagnostics = compose(text.encode() if isinstance(text, str) else text, "f.yaml")
    assert diagnostics == []
    assert root is not None
    return root


def place(found: Diagnostic) -> tuple[str, int, int]:
    return found.code, found.source.line, found.source.column


def items(text: str) -> tuple[dict[str, Any], list[tuple[str, int, str]]]:
    """The pairs of the last value of the top mapping, or of the top mapping, and what was reported."""
    document = read_yaml(text.encode(), "f.yaml")
    assert document.root is not None
    reported: list[tuple[str, int, str]] = []

    def error(node: yaml.Node, code: str, summary: str, detail: str) -> None:
        reported.append((code, node.start_mark.line + 1, detail))

    return {key: value.value for key, _, value in mapping_items(document.root, error, document.text)}, reported


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: \xe9t\xe9", ("not-utf8", 1, 4)),
        ("ä: x\nö: ü".encode() + b"\xff", ("not-utf8", 2, 5)),
        ("a: é".encode("utf-16"), ("not-utf8", 1, 1)),
        ("a: é".encode("utf-16-be"), ("not-utf8", 1, 8)),
        (b"a: \xed\xa0\x80", ("not-utf8", 1, 4)),
        (b"a: b\nc: \x00", ("control-character", 2, 4)),
        (b"a: \x1b[31m", ("control-character", 1, 4)),
        ("a: x\ufeffy".encode(), ("control-character", 1, 5)),
        ("a: \ufffe".encode(), ("control-character", 1, 4)),
        (b"a: 1\n---\nb: 2", ("several-documents", 2, 1)),
        (b"a: 1\n...\nb: 2", ("several-documents", 3, 1)),
        (b"a: !!python/object:os.system x", ("foreign-tag", 1, 4)),
        (b"a: !!binary aGk=", ("foreign-tag", 1, 4)),
        (b"a: !!set {x}", ("foreign-tag", 1, 4)),
        (b"a: !!str [x]", ("foreign-tag", 1, 4)),
        (b"a: !custom {x: 1}", ("foreign-tag", 1, 4)),
        (b"a: !e!x y", ("text-starts-with-exclamation", 1, 4)),
        (b"a: &a [*a]", ("recursive-alias", 1, 4)),
        (b"a: &a {b: [{c: *a}]}", ("recursive-alias", 1, 4)),
        (b"a: [*x]", ("text-starts-with-asterisk", 1, 5)),
        (b"a: [1, 2\nb: 3", ("flow-not-closed", 1, 4)),
        (b"a: {b: 2", ("flow-not-closed", 1, 4)),
        (b"a: [1,,2]", ("missing-value", 1, 7)),
        (b"a: 'b\nc: d", ("unterminated-quote", 1, 4)),
        (b"a: 1\n  b: 2", ("bad-indentation", 2, 4)),
        (b"a:\n  b: 1\n c: 2", ("bad-indentation", 3, 2)),
        (b"a:\n  - 1\n - 2", ("bad-indentation", 3, 2)),
        (b"- a\nb: c", ("bad-indentation", 2, 1)),
        (b"%YAML 3.0\n---\na: 1", ("yaml-syntax", 1, 1)),
        (b"\ta: 1", ("tab-indentation", 1, 1)),
        (b"a:\n  b: 1\n\tc: 2", ("tab-indentation", 3, 1)),
        (b"a: 1\nb\nc: 2", ("missing-colon", 3, 1)),
    ],
)
def test_bad_input(data: bytes, expected: tuple[str, int, int]) -> None:
    found = one(data)
    assert place(found) == expected
    assert found.summary.endswith(".")
    assert found.detail
    assert "\x1b" not in found.detail


def test_a_bom_is_accepted_and_does_not_shift_columns() -> None:
    root = clean(b"\xef\xbb\xbfa: b")
    assert (root.value[0][1].start_mark.column, root.value[0][0].value) == (3, "a")


@pytest.mark.parametrize("data", [b"", b"\n", b"# only a comment\n", b"---\n", b"\xef\xbb\xbf"])
def test_empty_files_have_no_problems(data: bytes) -> None:
    root, diagnostics = compose(data, "f.yaml")
    assert diagnostics == []
    assert root is None or is_null(root)


def test_columns_count_characters() -> None:
    assert place(one("ä: \U0001f600 é: x")) == ("colon-in-text", 1, 4)
    root = clean("'\U0001f600\U0001f600': {b: x}")
    assert source(root.value[0][1], "f") == SourceRange("f", 1, 7, 1, 13)


def test_the_line_is_quoted_and_cut() -> None:
    found = one("a: [" + "x" * 500 + ", 1\nb: \u202e")
    assert found.code == "flow-not-closed"
    assert "  1 | a: [xxx" in found.detail
    assert max(map(len, found.detail.splitlines())) < 120


class Counting(yaml_composer._Composer):
    """The composer with bounds, remembering how deep it came."""

    deepest = 0

    def descend_resolver(self, parent: Any, index: Any) -> None:
        super().descend_resolver(parent, index)
        self.deepest = max(self.deepest, self.depth)


class TestDepthAndSize:
    """Safe in this process: `test_deep_input_cannot_crash` first shows in another that nothing crashes."""

    DEEP = {
        "[": b"[" * 100_000,
        "{": b"{a: " * 100_000,
        "- ": b"- " * 100_000,
        "? ": b"? " * 100_000,
        "{? ": b"{? " * 100_000,
        "block": b"".join(b" " * at + b"a:\n" for at in range(1000)),
        "hidden": b'a: ["]"' + b', ["]"' * 1000,
        "after text": b"a: |\n  [[[\nb: " + b"[" * 1000,
        "tagged": b"!!seq [" * 1000,
        "anchored": b"".join(b"&a%d [" % at for at in range(1000)),
    }

    def test_deep_input_cannot_crash(self) -> None:
        program = (
            "import sys; from qase_iac.config.yaml_source import compose\n"
            "for data in sys.stdin.buffer.read().split(b'\\0'): print(compose(data, 'f')[1][0].code)"
        )
        run = subprocess.run([sys.executable, "-c", program], input=b"\0".join(self.DEEP.values()), capture_output=True)
        assert (run.returncode, run.stdout.split()) == (0, [b"nested-too-deep"] * len(self.DEEP))

    @pytest.mark.parametrize("name", DEEP)
    def test_deep_input_is_refused(self, name: str) -> None:
        assert one(self.DEEP[name]).code == "nested-too-deep"

    def test_200_levels_are_read_and_201_are_not(self) -> None:
        clean("[" * 200 + "]" * 200)
        assert one("[" * 201 + "]" * 201).code == "nested-too-deep"
        clean("".join(f"{' ' * at}a:\n" for at in range(199)))

    @given(
        pieces=st.lists(
            st.sampled_from(["-", "?", ":", " ", "  ", "- ", "? ", ": ", "\t", "\n", "\n ", "\n   ", "\r", "\x85", "[", "]",
                             "{", "}", ",", "a", "b", "'", '"', "|", ">", "#", " #", "&x ", "*x", "!t ", "!!seq "]),
            max_size=60,
        )
    )  # fmt: skip
    @settings(max_examples=1000, deadline=None)
    def test_what_looks_shallow_is(self, pieces: list[str]) -> None:
        data = "".join(pieces).encode()
        parser = Counting(data)
        with suppress(yaml.YAMLError):
            parser.get_single_node()
        flows = data.count(b"[") + data.count(b"{")
        indents = yaml_composer._INDENTED
        longest = max(map(len, re.findall(b" +", data.translate(indents))), default=0)
        assert parser.deepest <= 2 * (longest + 1) + flows + 1
        assert parser.count <= 2 * len(data) + 1

    @pytest.mark.parametrize(
        "text", ["[?,?,?]", "[:,:]", "? ? ?", "{a,b,c}", "- - -", "?\n?\n", "[a: , b: ]", "- a:\n  -"]
    )
    def test_no_byte_makes_more_than_two_nodes(self, text: str) -> None:
        parser = Counting(text)
        with suppress(yaml.YAMLError):
            parser.get_single_node()
        assert parser.count <= 2 * len(text)

    @pytest.mark.parametrize(
        "text", ["", "a: 1", "- a\n- b: [c, {d: e}]", "a: &x [1]\nb: *x", "!!str a: !t b", "a: |\n b\n"]
    )
    def test_a_glance_changes_nothing(self, text: str) -> None:
        def plain(node: Any) -> Any:
            if isinstance(node, tuple | list):
                return [plain(part) for part in node]
            if not isinstance(node, yaml.Node):
                return node
            return type(node), node.tag, node.start_mark.index, node.end_mark.index, plain(node.value)

        assert yaml_composer._is_shallow(text.encode())
        assert plain(composed(text.encode())) == plain(yaml_composer._Composer(text).get_single_node())

    def test_the_bounds_of_a_glance_keep_within_those_of_a_file(self) -> None:
        most = 2 * (yaml_composer._MOST_INDENT - 1 + 1) + yaml_composer._MOST_FLOWS + 1
        assert most <= yaml_composer.MAX_DEPTH

    @pytest.mark.parametrize(
        "text",
        [
            "a: '" + "[" * 5000 + "'",
            'a: "' + "{" * 5000 + '"',
            "a: |\n  " + "- " * 5000 + "\n  " + "[" * 5000,
            "a: |\n" + "".join(" " * at + "- x\n" for at in range(2, 400)),
            "a: x" + "[" * 5000,
            "a: 1 # " + "[" * 5000,
            "a: >-\n  | " + " - |" * 500,
        ],
    )
    def test_text_full_of_brackets_is_no_nesting(self, text: str) -> None:
        clean(text)

    def test_a_billion_laughs(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 50)]
        assert one("\n".join(lines)).code == "too-many-nodes"

    def test_merges_count_too(self) -> None:
        lines = ["a0: &a0 {x: 1}"] + [
            f"a{at}: &a{at} {{<<: [*a{at - 1}, *a{at - 1}], k{at}: 1}}" for at in range(1, 60)
        ]
        assert one("\n".join(lines)).code == "too-many-nodes"

    def test_a_long_chain_of_aliases_is_deep(self) -> None:
        lines = ["a0: &a0 {}"] + [f"a{at}: &a{at} {{<<: *a{at - 1}}}" for at in range(1, 3000)]
        assert one("\n".join(lines)).code == "nested-too-deep"

    def test_the_limit_of_nodes_is_exact(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(yaml_composer, "MAX_NODES", 10)
        clean("[a, b, c, d, e, f, g, h, i]")
        assert one("[a, b, c, d, e, f, g, h, i, j]").code == "too-many-nodes"
        clean("[&a [b, c], *a, *a]")
        assert one("[&a [b, c], *a, *a, d]").code == "too-many-nodes"

    def test_a_million_nodes(self) -> None:
        assert one(b"[" + b"a," * 1_000_000 + b"]").code == "too-many-nodes"

    def test_problems_are_capped(self) -> None:
        assert len(compose(b"- a #b\n" * 1000, "f")[1]) == MAX_PROBLEMS

    def test_the_corpus_of_a_broken_large_file_ends(self) -> None:
        assert compose(b'- "a" b\n' * 200_000, "f")[1]


class TestNodes:
    def test_nothing_is_resolved(self) -> None:
        root = clean("[no, 1.10, 0x1F, 12:30, 010, 2026-01-01, null, true, ~, '', '~']")
        assert [node.value for node in root.value][:6] == ["no", "1.10", "0x1F", "12:30", "010", "2026-01-01"]
        assert [is_null(node) for node in root.value] == [False] * 6 + [True, False, True, False, False]
        assert [is_boolean(node) for node in root.value].index(True) == 7

    @pytest.mark.parametrize("word", ["Null", "NULL", "True", "yes", "off", "FALSE"])
    def test_only_small_words_count(self, word: str) -> None:
        node = clean(f"a: {word}").value[0][1]
        assert not is_null(node)
        assert not is_boolean(node)

    def test_standard_tags_are_allowed_and_str_makes_text(self) -> None:
        root = clean("[!!str null, !!str true, !!int 5, !!seq [a], !!map {b: c}, !!str 'x']")
        assert not any(is_null(node) or is_boolean(node) for node in root.value)

    def test_anchors_and_aliases(self) -> None:
        root = clean("a: &x {b: 1}\nc: *x\nd: &unused [1]")
        assert root.value[0][1] is root.value[1][1]

    def test_source_of_block_collections_ends_with_their_last_value(self) -> None:
        root = clean("a:\n  b: 1\n  c:\n    - x\n    - yy\n\n# end\nd: 1")
        assert source(root.value[0][1], "f") == SourceRange("f", 2, 3, 5, 9)
        assert source(root, "f") == SourceRange("f", 1, 1, 8, 5)


class TestMappingItems:
    def test_keys_are_source_text(self) -> None:
        assert list(items("{no: 1, 1.10: 2, true: 3, 'null': 4, \"\": 5}")[0]) == ["no", "1.10", "true", "null", ""]

    def test_a_duplicate_shows_both_places(self) -> None:
        found, reported = items("a: 1\nb: 2\n'a': 3")
        assert found == {"a": "1", "b": "2"}
        ((code, line, detail),) = reported
        assert (code, line) == ("duplicate-key", 3)
        assert "line 1, column 1" in detail

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("null: 1", "null-key"),
            ("~: 1", "null-key"),
            ("?\n: 1", "null-key"),
            ("? [a]\n: 1", "complex-key"),
            ("{[a]: 1}", "complex-key"),
            ("{{a}: 1}", "complex-key"),
            ("<<: 1", "bad-merge"),
            ("<<: [1]", "bad-merge"),
            ("{a: b, c}", "comma-in-braces"),
            ("{a}", "text-starts-with-brace"),
        ],
    )
    def test_bad_keys(self, text: str, code: str) -> None:
        found, reported = items(text)
        assert [each[0] for each in reported] == [code]
        assert set(found) <= {"a"}

    def test_merges(self) -> None:
        text = "x: &x {a: 1, b: 2}\ny: &y {b: 3, c: 4}\nz: 0\n<<: [*x, *y]\na: own"
        found, reported = items(text)
        assert reported == []
        assert list(found)[2:] == ["z", "b", "c", "a"]
        assert (found["a"], found["b"], found["c"]) == ("own", "2", "4")

    def test_merges_agree_with_pyyaml(self) -> None:
        text = "b: &b {p: 1, q: 2}\nm: {<<: *b, q: 3, r: 4}"
        root = clean(text)
        got = {key: value.value for key, _, value in mapping_items(root.value[1][1], lambda *_: pytest.fail())}
        assert got == {key: str(value) for key, value in yaml.safe_load(text)["m"].items()}

    def test_two_merges_and_a_quoted_one(self) -> None:
        found, reported = items("x: &x {a: 1}\n<<: *x\n'<<': text")
        assert (found["a"], found["<<"], reported) == ("1", "text", [])

    def test_everything_after_a_comma_is_one_slip(self) -> None:
        found, reported = items("{action: Enter a, b, c, expected: d}")
        assert list(found) == ["action", "expected"]
        assert len(reported) == 1
        assert "{action: 'Enter a, b, c', expected: d}" in reported[0][2]

    def test_no_mapping_has_no_items(self) -> None:
        assert items("[a]") == ({}, [])


class TestRecovery:
    def test_every_slip_of_a_file_is_told(self) -> None:
        document = read_yaml(b'a: "b" c\nd: `e`\nf: g: h\ni: j #k\nl: m\n', "f")
        assert [(found.code, found.source.line) for found in document.diagnostics] == [
            ("text-starts-with-quote", 1),
            ("text-starts-with-backtick", 2),
            ("colon-in-text", 3),
            ("text-cut-by-comment", 4),
        ]
        assert document.root is not None
        assert [value.value for _, value in document.root.value] == ['"b" c', "`e`", "g: h", "j #k", "m"]

    def test_what_cannot_be_corrected_ends_the_file(self) -> None:
        document = read_yaml(b"a: `b`\nc: [1\nd: 2", "f")
        assert [found.code for found in document.diagnostics] == ["text-starts-with-backtick", "flow-not-closed"]
        assert document.root is None


# --- laws

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=20)
VALUES = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)
MARKUP = st.lists(
    st.sampled_from(
        [
            *"abc \n\t:-#[]{},&*!|>'\"%@`?\\~=.0\r\u2028\ufeff\x00\U0001f600é",
            "- ",
            ": ",
            "\n  ",
            " #",
            "<<: ",
            "&a ",
            "*a",
            "---\n",
        ]
    ),
    max_size=60,
).map("".join)


def shape(node: yaml.Node) -> Any:
    """Nodes as PyYAML's own base loader would construct them."""
    if isinstance(node, yaml.MappingNode):
        return {key.value: shape(value) for key, value in node.value}
    return [shape(each) for each in node.value] if isinstance(node, yaml.SequenceNode) else node.value


@settings(deadline=None)
@given(VALUES, st.booleans(), st.sampled_from([None, "'", '"', "|"]))
def test_it_agrees_with_pyyaml_on_safe_documents(value: Any, unicode: bool, style: str | None) -> None:
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=unicode, default_style=style)
    root, diagnostics = compose(text.encode(), "f")
    assert [found.code for found in diagnostics if found.code != "foreign-tag"] == []
    assert root is not None
    assert shape(root) == yaml.load(text, yaml.CBaseLoader)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_give_diagnostics_only(data: bytes) -> None:
    compose(data, "f.yaml")


@settings(max_examples=400, deadline=None)
@given(MARKUP)
def test_markup_gives_diagnostics_only(text: str) -> None:
    document = read_yaml(text.encode(), "f.yaml")
    lines = max(len(lines_of(text)), len(lines_of(document.text)))
    for found in document.diagnostics:
        assert found.code
        assert 1 <= found.source.line <= lines
        assert found.source.column >= 1
    if document.root is None:
        return
    todo = [document.root]
    while todo:
        node = todo.pop()
        source(node, "f")
        todo += [value for _, _, value in mapping_items(node, lambda *_: None, document.text)]
        todo += node.value if isinstance(node, yaml.SequenceNode) else []


VALID = """cases:
  pay:
    title: Pay by card
    tags: [smoke, "a b"]
    steps:
      - Open
      - {action: Enter, expected: 'x: y'}
      - action: |
          text: [here]
        data: &d 42
    more: *d
"""


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(VALID)), st.integers(0, 3), st.text(st.sampled_from(":-#[]{},&*!|>'\"%@` \n\tx"), max_size=3))
def test_mutations_of_valid_yaml(at: int, cut: int, put: str) -> None:
    """One edit anywhere: an answer; and what PyYAML cannot read is never clean."""
    text = VALID[:at] + put + VALID[at + cut :]
    _, diagnostics = compose(text.encode(), "f")
    try:
        yaml.load(text, yaml.CBaseLoader)
    except yaml.constructor.ConstructorError:
        return
    except yaml.YAMLError:
        assert diagnostics
