"""Scalars, aliases and short collections as they are written: their own words, quoted as `config/dump.py` would."""

from __future__ import annotations

import re
from functools import lru_cache

from qase_iac.config.dump import dump, dump_inline
from qase_iac.config.edit.source import BREAK, Node, Source
from qase_iac.config.format.refused import Refused
from qase_iac.config.format.roles import Role, below, order

_PROPERTY = re.compile(r"[&!][^\s,\[\]{}]*")
_ESCAPED_BLANK = re.compile(r"(?<!\\)(?:\\\\)*\\[ \t]+\Z")
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")
_KEEP = 256


@lru_cache(maxsize=4096)
def _short(text: str, flow: bool) -> str:
    return dump_inline(text) if flow else dump(text)[:-1]


def quoted(text: str, flow: bool) -> str:
    """A text on one line: plain where every reader takes it for that text, else in quotes."""
    if len(text) <= _KEEP:
        return _short(text, flow)
    return dump_inline(text) if flow else dump(text)[:-1]


def properties(source: Source, node: Node) -> str:
    """The anchor and tag of a node, followed by a blank; "" when it has none. They must stand on one line."""
    if not (node.anchor or node.tag):
        return ""
    end = source.after_properties(node)
    found = _PROPERTY.findall(source.text, node.start, end)
    apart = node.kind == "scalar" and end < node.end and source.text[end] in "#\r\n\x85\u2028\u2029"
    if len(found) != bool(node.anchor) + bool(node.tag) or apart:
        raise Refused(node.start, "an anchor or tag stands on another line than its text")
    return " ".join(found) + " "


def lines_of(source: Source, node: Node, pad: int, bare: bool = False) -> list[str]:
    """A leaf in block context: what stands behind the key or dash, then the lines below, which `pad` indents.

    `bare`: it stays in the quotes it has, since a comment follows that only they keep out of the text. So does what
    has an anchor: on a plain text an unused one is taken for a slip.
    """
    head = properties(source, node)
    if node.kind == "alias":
        return [f"*{node.value}"]
    if node.style in ("|", ">"):
        first, *rest = _block(source, node, pad)
        return [head + first, *rest]
    raw = source.text[source.after_properties(node) : node.end]
    parts = BREAK.split(raw)
    if len(parts) == 1:
        bare = bare or not node.style or bool(head)
        return [(head + (raw if bare else quoted(node.value, False))).rstrip(" ")]
    if _ODD_BREAKS.search(raw.replace("\r\n", "\n")) or any(map(_ESCAPED_BLANK.search, parts[:-1])):
        return [head + dump_inline(node.value)]
    indent = " " * pad
    return [
        head + parts[0].rstrip(" \t"),
        *(indent + line if (line := part.strip(" \t")) else "" for part in parts[1:]),
    ]


def _block(source: Source, node: Node, pad: int) -> list[str]:
    """A block of text, its own lines moved; its indicators as `dump` writes them."""
    body = node.value.rstrip("\n")
    if not body.strip() or _ODD_BREAKS.search(node.value):
        return [quoted(node.value, False)]
    lines = body.split("\n") if node.style == "|" else _folded(source, node)
    kept = len(node.value) - len(body)
    indent = " " * pad
    header = node.style + ("2" if lines[0][:1] in ("", " ", "\t") else "")
    header += "-" if not kept else "+" if kept > 1 else ""
    return [header, *(indent + line if line else "" for line in lines), *[""] * max(kept - 1, 0)]


def _folded(source: Source, node: Node) -> list[str]:
    """The lines of a folded block as they are, without their indentation and the empty ones at the end."""
    start, end = source.header(node)
    raw = [source.content(number) for number in range(source.line(start) + 1, source.line(node.end) + 1)]
    digit = next((int(sign) for sign in source.text[start:end] if sign.isdigit()), 0)
    first = next(line for line in raw if line.strip(" "))
    width = len(first) - len(first.lstrip(" "))
    if digit:
        width = _indentation(source, node) + digit
    lines = [line[width:] for line in raw]
    while not lines[-1]:
        lines.pop()
    return lines


def _indentation(source: Source, node: Node) -> int:
    """The column that an indentation indicator counts from: that of the key or dash on the line of the header."""
    line = source.content(source.line(node.start))
    before = line[: source.column(node.start)]
    inner = re.match(r" *(?:[-?] +)*", before)
    column = inner.end() if inner else 0
    return column if before[column:].strip() else before.rstrip(" ").rfind("-")


def flow(source: Source, node: Node, role: Role, moved: set[int]) -> str | None:
    """A collection in [ ] or { } on one line; None when it must be written otherwise (or not be touched).

    `moved` gains the places of mappings whose pairs changed their order.
    """
    try:
        return _flow(source, node, role, moved)
    except _Odd:
        return None


class _Odd(Exception):
    """A part that is not there, or a pair without braces: what reads it looks at the very signs."""


def _flow(source: Source, node: Node, role: Role, moved: set[int]) -> str:
    head = properties(source, node)
    if node.kind == "alias":
        return f"*{node.value}"
    if node.kind == "scalar":
        return head + _flow_scalar(source, node)
    at = source.after_properties(node)
    if node.kind == "sequence":
        items = (_flow(source, item, below(role, None), moved) for item in node.items)
        return f"{head}[{', '.join(items)}]"
    if source.text[at : at + 1] != "{":
        raise _Odd
    pairs = node.pairs
    if (places := order(role, pairs)) is not None:
        moved.add(node.start)
        pairs = [pairs[place] for place in places]
    return head + "{" + ", ".join(_flow_pair(source, pair, role, moved) for pair in pairs) + "}"


def _flow_pair(source: Source, pair: tuple[Node, Node], role: Role, moved: set[int]) -> str:
    key, value = pair
    if key.kind not in ("scalar", "alias") or "?" in source.text[key.start - 2 : key.start]:
        raise _Odd
    name = key.value if key.kind == "scalar" else None
    colon = " :" if key.kind == "alias" else ":"
    return f"{_flow(source, key, role, moved)}{colon} {_flow(source, value, below(role, name), moved)}"


def _flow_scalar(source: Source, node: Node) -> str:
    raw = source.text[source.after_properties(node) : node.end]
    if not raw:
        raise _Odd
    if not BREAK.search(raw) and (not node.style or node.anchor or node.tag):
        return raw
    if node.style:
        return quoted(node.value, True) if not (node.anchor or node.tag) else dump_inline(node.value + "\n")[:-3] + '"'
    return node.value if "\n" not in node.value else dump_inline(node.value)
