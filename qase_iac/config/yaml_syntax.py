"""Syntax errors: what each is really about.

A correction is shown only when the file, read again with it, gets further (`progress`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import yaml

from qase_iac.config.yaml_slip_words import GENERIC, INDENT, OPEN_FLOW, SPECIAL, STARTS
from qase_iac.config.yaml_slips import (
    Slip,
    base_column,
    described,
    last_line,
    lines_of,
    numbered,
    quote,
    replaced,
    unquoted,
)
from qase_iac.values import printable

_LINE = re.compile(
    r"""(?P<lead>[ ]*(?:[-?][ ]+)*)
    (?P<key>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{},#&*!|>%@`][^\#]*?)[ \t]*:(?:[ \t]+|\Z))?
    (?P<value>.*?)(?P<comment>[ \t]+\#(?:[ \t].*)?)?\Z""",
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"[a-z0-9_][\w./-]*\s*:\s*\Z")
_LONG = 2000


@dataclass(frozen=True, slots=True)
class _Guess:
    """Lines `first` to `last` replaced by `fixed`, because of what stands at `column` of the first."""

    start: str
    first: int
    last: int
    column: int
    fixed: str


def syntax_slip(
    text: str,
    error: yaml.MarkedYAMLError,
    progress: Callable[[str, bool], bool] | None,
    corrected: Collection[tuple[int, int]] = (),
) -> Slip:
    """What a syntax error is really about. `progress` says whether a corrected text reads further; None: do not try.

    Places in `corrected`, (line, column), are left as they are.
    """
    lines = lines_of(text)
    mark = error.problem_mark or error.context_mark
    line, column = (min(mark.line, len(lines) - 1), mark.column) if mark else (0, 0)
    context = min(error.context_mark.line, len(lines) - 1) if error.context_mark else line
    for guess in _guesses(lines, line, column, context) if progress else ():
        if (guess.first, guess.column) in corrected:
            continue
        whole = replaced(text, [(guess.first, guess.last, guess.fixed)])
        if progress and progress(whole, guess.start == "tab"):
            shown = numbered(lines[guess.first], guess.first, guess.column)
            return _corrected(guess, shown, whole)
    return _generic(lines, error, line, column)


def _corrected(guess: _Guess, shown: str, whole: str) -> Slip:
    if guess.start not in SPECIAL:
        return unquoted(guess.start, guess.first, guess.column, shown, guess.fixed, whole)
    code, summary, why = SPECIAL[guess.start]
    return Slip(code, summary, described(why, shown, guess.fixed), guess.first, guess.column, guess.fixed, whole)


def _guesses(lines: list[str], line: int, column: int, context: int) -> Iterator[_Guess]:
    above = next((at for at in range(line - 1, -1, -1) if lines[at].strip()), line)
    for at in dict.fromkeys((line, context, above)):
        content = lines[at]
        if len(content) > _LONG:
            continue
        indent = content[: len(content) - len(content.lstrip(" \t"))]
        if "\t" in indent:
            for spaces in _indents(indent, lines[above]):
                yield _Guess("tab", at, at, indent.index("\t"), spaces + content.lstrip(" \t"))
        match = _LINE.match(content)
        if match:
            yield from _of_line(lines, at, match, column if at == line else -1)


def _indents(indent: str, above: str) -> Iterator[str]:
    """What may stand in place of an indentation with tabs, the likeliest first."""
    column = len(above) - len(above.lstrip(" -?"))
    if not above.rstrip().endswith((":", "|", ">", "-")):
        yield " " * column  # what goes on beside the line above
    for width in (2, 4, 8):
        yield indent.replace("\t", " " * width)
    yield " " * column


def _of_line(lines: list[str], at: int, match: re.Match[str], column: int) -> Iterator[_Guess]:
    lead, key, value, comment = (match.group(name) or "" for name in ("lead", "key", "value", "comment"))
    head, start = lead + key, len(lead + key)
    if value[:1] in ("[", "{") and value[-1:] in ("]", "}") and column > start:
        yield from _flow_item(lines[at], at, column)
    if value[:1] in ("'", '"'):
        yield from _quoted(at, head, value, comment)
    spaced = re.match(r"([a-z][a-z_]*):(\S.*)\Z", value)
    if spaced and not key and "//" not in spaced[2][:2]:
        yield _Guess("key:", at, at, start, f"{head}{spaced[1]}: {spaced[2]}{comment}")
    whole = key + value
    if lead.rstrip().endswith("-") and key and not _ATTRIBUTE.match(key):
        yield _quoting(lines, at, lead, whole, comment)
    if value and head and not _is_flow(value):
        yield _quoting(lines, at, head, value, comment)


def _quoted(at: int, head: str, value: str, comment: str) -> Iterator[_Guess]:
    sign = value[0]
    if sign not in value[1:]:
        yield _Guess("open", at, at, len(head), f"{head}{value}{sign}{comment}")
    elif value.endswith(sign) and len(value) > 2:
        inner, second = value[1:-1], value.index(sign, 1)
        if sign == '"' and "\\" in inner:
            yield _Guess("\\", at, at, len(head), head + quote(inner) + comment)
        if value[second - 1] == " " or value[second + 1 : second + 2].isalnum():
            yield _Guess("inner", at, at, len(head), head + quote(inner) + comment)


def _flow_item(content: str, at: int, column: int) -> Iterator[_Guess]:
    """The item of a one-line [ ] or { } in which the error stands."""
    starts = [match.end() for match in re.finditer(r"(?:[\[{,]|:(?=\s))\s*", content[: column + 1])]
    for start in [begin for begin in starts if begin <= column][-1:]:
        end = re.compile(r"\s*(?:[,\]}]|\Z)").search(content, max(start, column))
        if end and end.start() > start:
            fixed = content[:start] + quote(content[start : end.start()]) + content[end.start() :]
            yield _Guess(content[start], at, at, start, fixed)


def _is_flow(value: str) -> bool:
    """Whether all of a text is one [ ] or { }, or one that is not closed on its line: no text then, most likely."""
    depth = 0
    for at, char in enumerate(value):
        depth += (char in "[{") - (char in "]}")
        if not depth:
            return at == len(value) - 1 and at > 0
    return True


def _quoting(lines: list[str], at: int, head: str, value: str, comment: str) -> _Guess:
    """The text in quotes, with the lines that it goes on to; their number stays, since places are told by it."""
    last = last_line(lines, at, base_column(head))
    start = ":" if value[0] in "-?" and value[1:2] != " " else value[0]
    if last == at:
        return _Guess(start, at, at, len(head), head + quote(value) + comment)
    body = "\n".join([value + comment, *lines[at + 1 : last + 1]])
    return _Guess(start, at, last, len(head), head + quote(body.rstrip()))


def _generic(lines: list[str], error: yaml.MarkedYAMLError, line: int, column: int) -> Slip:
    said = str(error.problem or error.context or "it cannot be read")
    code, summary, advice = next(
        (found[1:] for found in GENERIC if found[0] in said),
        (
            "yaml-syntax",
            f"This is no valid YAML: {printable(said)}.",
            "Check quotes, brackets and indentation.",
        ),
    )
    if "cannot start any token" in said and lines[line][column : column + 1] in ("`", "@", "%"):
        code, summary, advice = (*STARTS[lines[line][column]][:2], "If a text is meant, quote it.")
    if code == "missing-value" and not "".join(lines[line:])[column:].strip():
        code, summary, advice = OPEN_FLOW
        line = next((at for at in range(line, -1, -1) if lines[at].strip()), line)
        column = len(lines[line].rstrip())
    elif code in ("unterminated-quote", "flow-not-closed") and error.context_mark:
        line, column = min(error.context_mark.line, len(lines) - 1), error.context_mark.column
    if code == "colon-in-text" and re.match(r"\s*[\w.-]+:(?:\s|\Z)", lines[line]):
        bare = re.fullmatch(r"(\s*)[\w.-]+\s*", lines[line - 1]) if line else None
        if bare and bare[1] == lines[line][: len(bare[1])]:
            code, summary, advice = "missing-colon", "This line is no `key: value`.", "Add the colon and a value."
            line, column = line - 1, len(bare[1])
        else:
            code, summary, advice = INDENT
    if "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]:
        code, summary, advice = (
            "tab-indentation",
            "A tab stands in the indentation.",
            "YAML indents with spaces only.",
        )
    return Slip(code, summary, f"{advice}\n{numbered(lines[line], line, column)}", line, column)
