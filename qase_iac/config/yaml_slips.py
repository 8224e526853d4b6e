"""The usual slips: text that YAML cuts, turns into something else, or cannot read, and the line that was meant.

The correction of a syntax error is shown only when the file, read again with it, gets further (`progress`); that of a
text cut by a comment when the piece reads by itself. Others put quotes around what the nodes say stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from yaml._yaml import CParser

from qase_iac.values import printable

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_LINE = re.compile(
    r"""(?P<lead>[ ]*(?:[-?][ ]+)*)
    (?P<key>(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'\[\]{},#&*!|>%@`][^\#]*?)[ \t]*:(?:[ \t]+|\Z))?
    (?P<value>.*?)(?P<comment>[ \t]+\#(?:[ \t].*)?)?\Z""",
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"[a-z0-9_][\w./-]*\s*:\s*\Z")
_CONTINUES = re.compile(r"(?!-[ ]|#|[\w./ -]+:(?:\s|\Z))\S")
_PASTED = 1000
_LONG = 2000

_SIGN = "YAML keeps that sign for itself"
_BLOCK = "YAML takes it for the head of a block of text on the lines below"
_CLOSED = "the closing quote ends the value, and what follows has no place"
# The first character of a text -> code, what is wrong, what YAML makes of it without quotes.
_STARTS = {
    '"': ("text-starts-with-quote", "A text goes on after a closing quote", _CLOSED),
    "'": ("text-starts-with-quote", "A text goes on after a closing quote", _CLOSED),
    "`": ("text-starts-with-backtick", "A text begins with a backtick", _SIGN),
    "@": ("text-starts-with-at", "A text begins with @", _SIGN),
    "%": ("text-starts-with-percent", "A text begins with %", _SIGN),
    "*": (
        "text-starts-with-asterisk",
        "A text begins with *",
        "YAML takes it for the name of something else",
    ),
    "&": (
        "text-starts-with-ampersand",
        "A text begins with &",
        "YAML takes the first word for a name and drops it",
    ),
    "!": (
        "text-starts-with-exclamation",
        "A text begins with !",
        "YAML takes the first word for a type and drops it",
    ),
    ">": ("text-starts-with-greater-than", "A text begins with >", _BLOCK),
    "|": ("text-starts-with-pipe", "A text begins with |", _BLOCK),
    "[": ("text-starts-with-bracket", "A text begins with [", "YAML takes it for a list"),
    "{": ("text-starts-with-brace", "A text begins with {", "YAML takes it for a mapping"),
    "-": ("text-starts-with-dash", "A text begins with `- `", "YAML takes it for a list"),
    "?": ("text-starts-with-question-mark", "A text begins with `? `", "YAML takes it for a key"),
}
_COLON = ("colon-in-text", "A text holds a colon", "YAML takes what stands before it for a key")
# What else can be corrected -> code, what is wrong, why.
_SPECIAL = {
    "tab": ("tab-indentation", "A tab stands in the indentation.", "YAML indents with spaces only."),
    "key:": (
        "missing-space",
        "A space is missing after the colon.",
        "Without it YAML takes all of it for one word.",
    ),
    "\\": (
        "bad-escape",
        "A backslash in double quotes begins no known escape.",
        "In single quotes it has no meaning.",
    ),
    "inner": (
        "quote-in-quotes",
        "The text ends at a quote inside it.",
        "The same quote that opens a text closes it.",
    ),
    "open": (
        "unterminated-quote",
        "A quote is opened here and never closed.",
        "Close it. If the sign belongs to the text, put the other kind of quotes around all of it.",
    ),
}
_UNCLOSED = (
    "unterminated-quote",
    "A quote is opened here and never closed.",
    "Close it, or quote the whole text.",
)
_ESCAPE = (*_SPECIAL["\\"][:2], "In double quotes write it twice, or use single quotes.")
_INDENT = (
    "bad-indentation",
    "The indentation fits nothing above.",
    "What belongs together stands in one column.",
)
_OPEN_FLOW = (
    "flow-not-closed",
    "A [ or { is not closed, or a comma is missing.",
    "Close it, or quote the text.",
)
# What libyaml says -> code, what is wrong, what to do.
_GENERIC = (
    ("found unexpected end of stream", *_UNCLOSED),
    ("found unexpected document indicator", *_UNCLOSED),
    ("escape", *_ESCAPE),
    ("hexdecimal", *_ESCAPE),
    ("undefined alias", "undefined-alias", "An alias (*name) has no anchor.", "Write &name first, or quote it."),
    ("duplicate anchor", "duplicate-anchor", "The same &anchor is written twice.", "Rename one."),
    ("another document", "several-documents", "There are several documents (`---`).", "Remove it, or split the file."),
    ("<document start>", "several-documents", "The document has ended before this.", "Check its indentation."),
    ("node content", "missing-value", "A value is missing here.", "Write it, or remove the sign before it."),
    ("alphabetic or numeric", "undefined-alias", "A * or & without a name.", "If a text is meant, quote it."),
    ("tag handle", "foreign-tag", "A tag (!name) that is not allowed here.", "Remove it, or quote the text."),
    ("',' or ']'", *_OPEN_FLOW),
    ("',' or '}'", *_OPEN_FLOW),
    ("mapping values", "colon-in-text", "A colon stands where none can be.", "Quote the text."),
    ("expected ':'", "missing-colon", "This line is no `key: value`.", "Add the colon, or indent it deeper."),
    ("did not find expected key", *_INDENT),
    ("'-' indicator", *_INDENT),
    ("entries are not allowed", "text-starts-with-dash", "A `- ` where no list can be.", "Quote the text."),
)


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip at `line`, `column` (from 0); `fixed` replaces lines `first` to `last`, `fixed_text` the whole text."""

    code: str
    summary: str
    detail: str
    line: int
    column: int
    fixed: str = ""
    fixed_text: str | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class _Guess:
    """Lines `first` to `last` replaced by `fixed`, because of what stands at `column` of the first."""

    start: str
    first: int
    last: int
    column: int
    fixed: str


def lines_of(text: str) -> list[str]:
    """The lines as libyaml counts them."""
    return _BREAK.split(text)


def quote(text: str) -> str:
    """`text`, one line of it, in the plainest quotes that hold it."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def excerpt(text: str, line: int, column: int = 0) -> str:
    """The line (from 0) with its number, shown safely and cut to 100 characters around the column."""
    lines = lines_of(text)
    return _numbered(lines[line], line, column) if line < len(lines) else ""


def _numbered(content: str, line: int, column: int) -> str:
    start = max(0, column - 60) if len(content) > 100 else 0
    cut = content[start : start + 100]
    shown = ("…" if start else "") + printable(cut) + ("…" if start + 100 < len(content) else "")
    return f"  {line + 1} | {shown}"


def _detail(why: str, shown: str, fixed: str) -> str:
    safe = printable(fixed, "\n\t\u200d\u200c") == fixed and len(fixed) <= _PASTED
    advice = "Write:\n" + fixed if fixed and safe else "Put the text in quotes."
    return f"{why}\n{shown}\n{advice}"


def _slip(start: str, line: int, column: int, shown: str, fixed: str, fixed_text: str | None = None) -> Slip:
    code, what, why = _STARTS.get(start, _COLON)
    detail = _detail(f"Without quotes around all of it, {why}.", shown, fixed)
    return Slip(code, f"{what}.", detail, line, column, fixed, fixed_text)


# --- text that is cut by a comment: no syntax error, only loss


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
        last = _last_line(lines, end.line, _base(lines[first][:column]))
        body += lines[end.line + 1 : last + 1]
    fixed = lines[first][:column] + quote("\n".join([body[0][column:], *body[1:]]).rstrip()) + tail
    what = "taken for a comment" if start is None else "cut"
    summary = f"The text is {what} at `{printable(lines[end.line][at : at + 20].split()[0])}`."
    why = "YAML takes ` #` for the start of a comment. (If it is one, put a space after the #.)"
    detail = _detail(why, _numbered(lines[end.line], end.line, at), fixed if _reads(fixed) else "")
    return Slip("text-cut-by-comment", summary, detail, end.line, at, fixed, first=first, last=last)


def _reads(fixed: str) -> bool:
    """Whether a corrected piece of a file reads by itself; pieces of collections over several lines do not."""
    try:
        for _ in yaml.parse(fixed, Loader=yaml.CSafeLoader):
            pass
    except yaml.YAMLError:
        return False
    return True


# --- syntax errors


def syntax_slip(text: str, error: yaml.MarkedYAMLError, progress: Callable[[str, bool], bool] | None) -> Slip:
    """What a syntax error is really about. `progress` says whether a corrected text reads further; None: do not try."""
    lines = lines_of(text)
    mark = error.problem_mark or error.context_mark
    line, column = (min(mark.line, len(lines) - 1), mark.column) if mark else (0, 0)
    context = min(error.context_mark.line, len(lines) - 1) if error.context_mark else line
    for guess in _guesses(lines, line, column, context) if progress else ():
        whole = replaced(text, [(guess.first, guess.last, guess.fixed)])
        if progress and progress(whole, guess.start == "tab"):
            shown = _numbered(lines[guess.first], guess.first, guess.column)
            return _described(guess, shown, whole)
    return _generic(lines, error, line, column)


def _described(guess: _Guess, shown: str, whole: str) -> Slip:
    if guess.start not in _SPECIAL:
        return _slip(guess.start, guess.first, guess.column, shown, guess.fixed, whole)
    code, summary, why = _SPECIAL[guess.start]
    return Slip(code, summary, _detail(why, shown, guess.fixed), guess.first, guess.column, guess.fixed, whole)


def replaced(text: str, changes: Iterable[tuple[int, int, str]]) -> str:
    """`text` with lines replaced: (first, last, what stands there instead), in order and apart."""
    starts = [0, *(match.end() for match in _BREAK.finditer(text)), len(text)]
    parts, at = [], 0
    for first, last, fixed in changes:
        parts += [text[at : starts[first]], fixed, "\n" if last + 2 < len(starts) else ""]
        at = starts[last + 1]
    return "".join(parts) + text[at:]


def _guesses(lines: list[str], line: int, column: int, context: int) -> Iterator[_Guess]:
    above = next((at for at in range(line - 1, -1, -1) if lines[at].strip()), line)
    for at in dict.fromkeys((line, context, above)):
        content = lines[at]
        if len(content) > _LONG:
            continue
        indent = content[: len(content) - len(content.lstrip(" \t"))]
        if "\t" in indent:
            before = re.match(" *", lines[above])
            same = before.group() if before else ""
            for spaces in (*(indent.replace("\t", " " * width) for width in (2, 4, 8)), same):
                yield _Guess("tab", at, at, indent.index("\t"), spaces + content.lstrip(" \t"))
        match = _LINE.match(content)
        if match:
            yield from _of_line(lines, at, match, column if at == line else -1)


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


def _base(head: str) -> int:
    """The column that lines must exceed to go on with the text that stands behind `head`."""
    bare = head.lstrip(" -?")
    return len(head) - len(bare) if bare else max(head.rstrip().rfind("-"), 0)


def _last_line(lines: list[str], at: int, base: int) -> int:
    """The last of the lines that go on with a text: indented deeper, and neither items nor pairs."""
    while at + 1 < len(lines):
        below = lines[at + 1].lstrip(" ")
        if len(lines[at + 1]) - len(below) <= base or not _CONTINUES.match(below):
            break
        at += 1
    return at


def _quoting(lines: list[str], at: int, head: str, value: str, comment: str) -> _Guess:
    """The text in quotes; as a block when it goes on below."""
    base = _base(head)
    last = _last_line(lines, at, base)
    start = ":" if value[0] in "-?" and value[1:2] != " " else value[0]
    if last == at:
        return _Guess(start, at, at, len(head), head + quote(value) + comment)
    pad = "\n" + " " * (base + 2)
    body = [value + comment, *(part.strip() for part in lines[at + 1 : last + 1])]
    return _Guess(start, at, last, len(head), f"{head}|-" + "".join(pad + part for part in body))


def _generic(lines: list[str], error: yaml.MarkedYAMLError, line: int, column: int) -> Slip:
    said = str(error.problem or error.context or "it cannot be read")
    code, summary, advice = next(
        (found[1:] for found in _GENERIC if found[0] in said),
        (
            "yaml-syntax",
            f"This is no valid YAML: {printable(said)}.",
            "Check quotes, brackets and indentation.",
        ),
    )
    if "cannot start any token" in said and lines[line][column : column + 1] in ("`", "@", "%"):
        code, summary, advice = (*_STARTS[lines[line][column]][:2], "If a text is meant, quote it.")
    if code in ("unterminated-quote", "flow-not-closed") and error.context_mark:
        line, column = min(error.context_mark.line, len(lines) - 1), error.context_mark.column
    if code == "colon-in-text" and re.match(r"\s*[\w.-]+:(?:\s|\Z)", lines[line]):
        code, summary, advice = _INDENT
    if "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]:
        code, summary, advice = (
            "tab-indentation",
            "A tab stands in the indentation.",
            "YAML indents with spaces only.",
        )
    return Slip(code, summary, f"{advice}\n{_numbered(lines[line], line, column)}", line, column)


# --- files that read well, but not as they were meant


def _line_at(text: str, mark: Any) -> str:
    return _rest(text, mark.index - mark.column)


def _rest(text: str, index: int) -> str:
    """What stands between `index` and the end of its line."""
    end = _BREAK.search(text, index)
    return text[index : end.start()] if end else text[index:]


def property_slip(text: str, event: Any, start: str) -> Slip:
    """A text whose first word became an anchor (&) or a tag (!)."""
    begin, end = event.start_mark, event.end_mark
    return _requoted(text, begin, end.index, start)


def _requoted(text: str, begin: Any, end: int, start: str) -> Slip:
    line = _line_at(text, begin)
    meant = text[begin.index : end].rstrip()
    one_line = not _BREAK.search(meant)
    rest = _rest(text, begin.index + len(meant)) if one_line else ""
    fixed = line[: begin.column] + quote(meant) + rest
    return _slip(start, begin.line, begin.column, _numbered(line, begin.line, begin.column), fixed)


def text_slip(node: yaml.Node, text: str, known: Collection[str] = ()) -> Slip | None:
    """Why a text became a list or a mapping, when that looks like a slip: `- Note: the form`, `- [ ] todo`, `{{name}}`.

    `text` is the text of the document, `known` the keys that a mapping may have here: one that is nearly one of them is
    a misspelling, not a text.
    """
    if isinstance(node, yaml.SequenceNode):
        return _list_slip(node, text)
    if not isinstance(node, yaml.MappingNode):
        return None
    bare = not node.value or not isinstance(node.value[0][0], yaml.ScalarNode) or _no_colon(*node.value[0])
    if node.flow_style and bare:
        return _requoted(text, node.start_mark, node.end_mark.index, "{")
    return note_slip(node, text, known)


def _list_slip(node: yaml.SequenceNode, text: str) -> Slip | None:
    if node.flow_style and all(isinstance(item, yaml.ScalarNode) for item in node.value):
        return _requoted(text, node.start_mark, node.end_mark.index, "[")
    mark = node.start_mark
    inline = not node.flow_style and bool(_line_at(text, mark)[: mark.column].strip())
    if inline and len(node.value) == 1 and isinstance(node.value[0], yaml.ScalarNode):
        return _requoted(text, node.start_mark, node.value[0].end_mark.index, "-")
    return None


def note_slip(node: yaml.Node, text: str, known: Collection[str] = ()) -> Slip | None:
    """`- Note: the form`: a text that became a mapping of one pair, since a colon stands in it."""
    if not isinstance(node, yaml.MappingNode) or len(node.value) != 1:
        return None
    key, value = node.value[0]
    if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode) or value.style in ("|", ">"):
        return None
    from rapidfuzz import process  # only broken input needs it

    if key.style or process.extractOne(key.value.casefold(), known, score_cutoff=75):
        return None
    end = max(value.end_mark.index, text.find(":", key.end_mark.index) + 1)
    return _requoted(text, node.start_mark, end, ":")


def _no_colon(key: yaml.Node, value: yaml.Node) -> bool:
    marks = (key.end_mark.index, value.start_mark.index, value.end_mark.index)
    return isinstance(value, yaml.ScalarNode) and not value.style and len(set(marks)) == 1


def no_colon(node: yaml.MappingNode, index: int) -> bool:
    """Whether a pair in { } was written as a word alone."""
    return bool(node.flow_style) and _no_colon(*node.value[index])


def comma_slip(node: yaml.MappingNode, index: int, text: str) -> Slip:
    """`{action: Enter a, b}`: what follows the comma became a key without a colon (`no_colon`)."""
    if index == 0:
        return _requoted(text, node.start_mark, node.end_mark.index, "{")
    begin, last = node.value[index - 1][1].start_mark, index
    while last + 1 < len(node.value) and no_colon(node, last + 1):
        last += 1
    end = node.value[last][0].end_mark.index
    line = _line_at(text, begin)
    fixed = line[: begin.column] + quote(text[begin.index : end]) + _rest(text, end)
    why = "Inside { } a comma ends the text, and what follows is taken for a key."
    detail = _detail(why, _numbered(line, begin.line, begin.column), fixed)
    return Slip("comma-in-braces", "A text inside { } holds a comma.", detail, begin.line, begin.column, fixed)


def key_hint(key: yaml.Node, text: str) -> str:
    """What to write instead of a key that is a list or a mapping."""
    mark = key.start_mark
    return (
        f"If a text is meant, put quotes around all of it:\n{_numbered(_line_at(text, mark), mark.line, mark.column)}"
    )
