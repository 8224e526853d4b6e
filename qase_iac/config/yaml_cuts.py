"""Text that is cut by a comment: no syntax error, only loss. The correction is shown when the piece reads by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.config.yaml_slips import Slip, base_column, described, last_line, lines_of, numbered, quote
from qase_iac.values import printable


def hashes(text: str) -> dict[int, int]:
    """For every ` #x` that has something before it on its line: the end of that -> the place of the `#`."""
    found = {}
    at = text.find("#")
    while at >= 0:
        if at and text[at - 1] in " \t" and text[at + 1 : at + 2].strip():
            end = at
            while end and text[end - 1] in " \t":
                end -= 1
            if end and text[end - 1] not in "\r\n\x85\u2028\u2029":
                found[end] = at
        at = text.find("#", at + 1)
    return found


def is_cut(root: yaml.Node, ends: dict[int, int]) -> bool:
    """Whether a plain or empty scalar ends where one of `hashes` begins. Most `#` stand in quotes and blocks."""
    todo: list[Any] = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.end_mark.index in ends:
                return True
        elif isinstance(node, yaml.MappingNode):
            todo += (part for pair in node.value for part in pair)
        else:
            todo += node.value
    return False


def cut_slips(text: str, ends: dict[int, int], limit: int) -> list[Slip]:
    """The plain texts that are cut by a ` #` followed by a non-space, `limit` of them at most."""
    lines = lines_of(text)
    found: list[Slip] = []
    for start, end, blanks, flow in _cut_scalars(text, ends):
        if len(found) == limit:
            break
        if not found or found[-1].last < end.line:
            found.append(_cut(lines, start, end, blanks, flow))
    return found


def _cut_scalars(text: str, ends: dict[int, int]) -> Iterator[tuple[Any, Any, int, bool]]:
    """Plain texts and empty values that end at one of `ends`: (start or None, end, blanks, inside [ ] or { }?)."""
    parser = CParser(text.encode())
    empty: Any = None
    flow = 0
    try:
        while (token := parser.get_token()) is not None:
            if empty is not None and _is_empty(empty, token):
                yield None, empty.end_mark, ends[empty.end_mark.index] - empty.end_mark.index, flow > 0
            empty = None
            flow += isinstance(token, (yaml.FlowMappingStartToken, yaml.FlowSequenceStartToken))
            flow -= isinstance(token, (yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken))
            end = token.end_mark
            if end.index not in ends:
                continue
            if isinstance(token, yaml.ScalarToken) and token.plain:
                yield token.start_mark, end, ends[end.index] - end.index, flow > 0
            elif isinstance(token, (yaml.ValueToken, yaml.BlockEntryToken)):
                empty = token
    except yaml.YAMLError:
        return


def _is_empty(before: yaml.Token, after: yaml.Token) -> bool:
    """Whether a `:` or `-` is followed by no value."""
    item = isinstance(before, yaml.BlockEntryToken) and isinstance(after, yaml.BlockEntryToken)
    return item or isinstance(after, (yaml.KeyToken, yaml.BlockEndToken, yaml.StreamEndToken))


def _cut(lines: list[str], start: Any, end: Any, blanks: int, flow: bool) -> Slip:
    at = end.column + blanks
    first, column = (end.line, at) if start is None else (start.line, start.column)
    last, tail = end.line, ""
    body = lines[first : end.line + 1]
    if flow:
        stop = re.compile(r"\s*(?:[,\]}]|\Z)").search(body[-1], at)
        body[-1], tail = (body[-1][: stop.start()], body[-1][stop.start() :]) if stop else (body[-1], "")
    else:
        last = last_line(lines, end.line, base_column(lines[first][:column]))
        body += lines[end.line + 1 : last + 1]
    fixed = lines[first][:column] + quote("\n".join([body[0][column:], *body[1:]]).rstrip()) + tail
    what = "taken for a comment" if start is None else "cut"
    summary = f"The text is {what} at `{printable(lines[end.line][at : at + 20].split()[0])}`."
    why = "YAML takes ` #` for the start of a comment. (If it is one, put a space after the #.)"
    detail = described(why, numbered(lines[end.line], end.line, at), fixed if _reads(fixed) else "")
    return Slip("text-cut-by-comment", summary, detail, end.line, at, fixed, first=first, last=last)


def _reads(fixed: str) -> bool:
    """Whether a corrected piece of a file reads by itself; pieces of collections over several lines do not."""
    try:
        for _ in yaml.parse(fixed, Loader=yaml.CSafeLoader):
            pass
    except yaml.YAMLError:
        return False
    return True
