"""A new text in the style of the old one: whatever of its form can stay, stays; each form is read back before use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher

import yaml

from qase_iac.attributes.base import NULLS
from qase_iac.config.dump import dump, dump_inline
from qase_iac.config.edit.source import Node, Source
from qase_iac.config.edit.written import Written, shifted
from qase_iac.config.yaml_composer import composed

_GAP = re.compile(r"(?<=\S) (?=\S)")
_MIN_WIDTH = 40
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")
"""What stands in double quotes only, escaped."""


def restyled(source: Source, node: Node, text: str, column: int, flow: bool) -> Written | None:
    """`text` in the style of `node`, behind a key or dash in `column`; None when the style cannot say it."""
    for form, meant in _FORMS[node.style](source, node, text, column):
        if _reads(form, meant, column, flow):
            return form
    return None


Forms = Iterator[tuple[Written, str]]
"""Forms that may do, the best first, each with the text that it must be read as."""


def _reads(form: Written, text: str, column: int, flow: bool) -> bool:
    """Whether a form says that text, at its place."""
    if flow:
        document = f"{{k: {form.head}}}" if not form.body and "\n" not in form.head else ""
    else:
        document = "\n".join([f"{' ' * column}k: {form.head}", *form.body, ""])
    try:
        root = composed(document.encode())
    except (yaml.YAMLError, UnicodeEncodeError):
        return False
    if not isinstance(root, yaml.MappingNode) or len(root.value) != 1:
        return False
    value = root.value[0][1]
    if not isinstance(value, yaml.ScalarNode) or value.value != text:
        return False
    return bool(value.style) or text not in NULLS | {"true", "false"}


def _plain(source: Source, node: Node, text: str, column: int) -> Forms:
    """Plain also where other readers would see a number or date, if the old text was such a one."""
    old = source.text[source.after_properties(node) : node.end]
    if "\n" in text or _FORBIDDEN.search(text) or not (_is_plain(text) or not _is_plain(node.value)):
        return
    lines = _lines(old)
    if len(lines) > 1:
        pad = len(lines[1]) - len(lines[1].lstrip())
        known = [line.strip() for line in lines]
        width = max(_MIN_WIDTH, *map(len, known))
        head, *rest = _wrapped(text, known, width)
        yield Written("\n".join([head, *shifted(rest, pad)])), text
    yield Written(text), text


def _is_plain(text: str) -> bool:
    return dump(text) == text + "\n" or dump_inline(text) == text


def _single(source: Source, node: Node, text: str, column: int) -> Forms:
    if "\n" not in text and not _FORBIDDEN.search(text):
        yield Written("'" + text.replace("'", "''") + "'"), text


def _double(source: Source, node: Node, text: str, column: int) -> Forms:
    if not _FORBIDDEN.search(text) and not set(text) & set('"\\\t\n'):
        yield Written(f'"{text}"'), text
    yield Written(_escaped(text)), text


def _escaped(text: str) -> str:
    """`dump`'s own form in double quotes; the break makes it take them."""
    return dump_inline(text + "\n").removesuffix('\\n"') + '"'


def _literal(source: Source, node: Node, text: str, column: int) -> Forms:
    yield from _block(source, node, text, column, lambda body, old: body.split("\n"))


def _folded(source: Source, node: Node, text: str, column: int) -> Forms:
    def fold(body: str, old: list[str]) -> list[str]:
        width = max(_MIN_WIDTH, *map(len, old)) if old else 100
        lines: list[str] = []
        for number, line in enumerate(body.split("\n")):
            lines += [""] * (number > 0) + (_wrapped(line, old, width) if line else [])
        return lines

    yield from _block(source, node, text, column, fold)


def _block(source: Source, node: Node, text: str, column: int, lay: Callable[[str, list[str]], list[str]]) -> Forms:
    """A block scalar. The breaks at its end stay as they were: they are no part of what a text says."""
    body = text.rstrip("\n")
    if not body.strip() or _FORBIDDEN.search(text):
        return
    start, end = source.header(node)
    header = source.text[start:end]
    raw = _lines(source.text[source.next_line(end) : node.end]) if source.line(node.end) > source.line(start) else []
    pad = _pad(raw, header, column)
    old = [line[pad:] for line in raw]
    ends = len(node.value) - len(node.value.rstrip("\n"))
    for kept in dict.fromkeys((ends, len(text) - len(body))):
        lines = _reused(lay(body, old), old, raw, pad) + [""] * max(kept - 1, 0)
        for head in dict.fromkeys((header, header[0] + _chomp(kept), f"{header[0]}{pad - column}{_chomp(kept)}")):
            yield Written(head, tuple(lines)), body + "\n" * kept


def _chomp(kept: int) -> str:
    return "-" if not kept else "+" if kept > 1 else ""


def _pad(raw: list[str], header: str, column: int) -> int:
    digit = next((int(sign) for sign in header if sign.isdigit()), 0)
    if digit:
        return column + digit
    first = next((line for line in raw if line.strip()), " " * (column + 2) + "x")
    return len(first) - len(first.lstrip(" "))


def _reused(lines: list[str], old: list[str], raw: list[str], pad: int) -> list[str]:
    """New lines with their indentation; those that were there before as they were, odd blanks and all."""
    found = [" " * pad + line if line else "" for line in lines]
    for start, at, size in SequenceMatcher(None, old, lines, autojunk=False).get_matching_blocks():
        found[at : at + size] = raw[start : start + size]
    return found


def _lines(text: str) -> list[str]:
    return re.split("\r\n|[\r\n]", text)


def _wrapped(text: str, known: list[str], width: int) -> list[str]:
    """One line of text folded; where a line that was there before fits, it is taken."""
    lines: list[str] = []
    folded = [line for line, following in zip(known, [*known[1:], ""], strict=True) if line and following]
    while text:
        line = text if text in known else next((each for each in folded if text.startswith(each + " ")), None)
        if line is None or text[len(line) : len(line) + 2] == "  ":
            line = _first_line(text, width)
        elif line in folded:
            folded = folded[folded.index(line) + 1 :]
        lines.append(line)
        text = text[len(line) + 1 :]
    return lines


def _first_line(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    gaps = [match.start() for match in _GAP.finditer(text, 0, width + 2)]
    found = gaps[-1] if gaps else match.start() if (match := _GAP.search(text)) else len(text)
    return text[:found]


_FORMS: dict[str, Callable[[Source, Node, str, int], Forms]] = {
    "": _plain,
    "'": _single,
    '"': _double,
    "|": _literal,
    ">": _folded,
}
