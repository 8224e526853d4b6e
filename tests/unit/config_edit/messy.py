"""Content files as people's hands leave them: every string style, odd indentation, comments, anchors, blank lines.

Whatever is drawn here is YAML that says the drawn values; forms that cannot say a text are passed over.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

from qase_iac.config.yaml_source import read_yaml

NASTY = [
    "Open", "Pay by card", "yes", "No", "1.0", "1e3", "0x1F", "12:30", "2026-01-01", "a: b", "x # y", "- dash", "'q'", '"d"',
    'mixed \' and "', "`code`", "*star*", "&amp", "!bang", "%x", "@x", "[a]", "{a: 1}", "a, b", "back\\slash", "50%",
    "trailing ", " leading", "é ü 🛑", "naïve — “quotes”", "word " * 30 + "end", "Very" * 60, "tab\there", "?q", ": colon",
    "null!", "a\u00a0b",
]  # fmt: skip
LONG = [
    "One\nTwo", "One\nTwo\n", "One\n\nTwo\n\n\nThree\n", "  indented first\nthen not\n", "code:\n  - a\n  - b # no comment\n",
    "ends in blanks  \nand more", "\nstarts with a break", "tab\n\tin line\n", "many\n\n\n", "a\u2028b", "a\x85b", "a\r\nb",
    "| table | x |\n|---|---|\n| 1 | 2 |\n", "Given a\nWhen b\nThen c\n", "😀\n🛑 é\n",
]  # fmt: skip
titles = st.sampled_from([text.strip() for text in NASTY if len(text.strip()) < 255])
texts = st.sampled_from(NASTY + LONG)
words = st.sampled_from(["smoke", "e2e", "1.0", "yes", "a b", "ünï", "x:y", "it's"])
steps = st.recursive(
    st.one_of(
        st.sampled_from([text for text in NASTY + LONG if text.strip()]),
        st.fixed_dictionaries({"action": texts.filter(str.strip)}, optional={"data": texts, "expected": texts}),
    ),
    lambda inner: st.fixed_dictionaries(
        {"action": texts.filter(str.strip), "steps": st.lists(inner, min_size=1, max_size=2)}
    ),
    max_leaves=3,
)
values: dict[str, st.SearchStrategy[Any]] = {
    "title": titles,
    "description": texts,
    "preconditions": texts,
    "postconditions": texts,
    "priority": st.sampled_from(["high", "low", "medium"]),
    "severity": st.sampled_from(["major", "minor"]),
    "automation": st.sampled_from(["manual", "automated"]),
    "flaky": st.booleans(),
    "tags": st.lists(words, min_size=1, max_size=4, unique=True),
    "parameters": st.dictionaries(
        st.sampled_from(["currency", "user", "x y"]),
        st.lists(words, min_size=1, max_size=3, unique=True),
        min_size=1,
        max_size=2,
    ),
    "steps": st.lists(steps, min_size=1, max_size=5),
    "custom_fields.Component": titles,
    "custom_fields.Platforms: all": st.lists(words, min_size=1, max_size=3, unique=True),
}
comments = st.sampled_from(["", "", "", "  # note \1", "   # with 'quotes' and: colon \1", " #\ttab \1"])
notes = st.sampled_from([[], [], [], ["# a note \1"], [""], ["", "# two \1", "#lines \1"], ["# \1"]])


def says(lines: list[str], value: Any) -> bool:
    """Whether the loader reads lines as the value of their one key."""
    document = read_yaml("\n".join(lines).encode(), "x.yaml")
    root = document.root
    if document.diagnostics or not isinstance(root, yaml.MappingNode) or len(root.value) != 1:
        return False
    node = root.value[0][1]
    if not isinstance(node, yaml.ScalarNode) or node.value != value:
        return False
    return bool(node.style) or value not in ("", "~", "null", "true", "false")


def escaped(text: str, more: bool) -> str:
    found = []
    for char in text:
        short = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\", "\r": "\\r", "\u2028": "\\L", "\x85": "\\N"}.get(
            char
        )
        wide = f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
        found.append(short or (wide if ord(char) > 126 and more else char))
    return "".join(found)


def scalar_forms(text: str, pad: int) -> list[tuple[str, list[str]]]:
    """(head, lines below) that may say the text; `pad` is the column of what stands before the colon."""
    forms: list[tuple[str, list[str]]] = [
        (text, []),
        ("'" + text.replace("'", "''") + "'", []),
        (f'"{escaped(text, False)}"', []),
        (f'"{escaped(text, True)}"', []),
    ]
    if "\n" not in text:
        forms += [(">-", [" " * (pad + 2) + text]), (">", [" " * (pad + 3) + text])]
    if "\n" not in text and text.count(" ") > 2:
        at = text.index(" ", len(text) // 3)
        rest = " " * (pad + 3) + text[at + 1 :]
        forms += [(text[:at], [rest]), ("'" + text[:at].replace("'", "''"), [rest.replace("'", "''") + "'"])]
        forms += [(f'"{escaped(text[:at], False)} \\', [" " * (pad + 2) + escaped(text[at + 1 :], False) + '"'])]
        for width in (1, 4):
            body = [" " * (pad + width) + text[:at], " " * (pad + width) + text[at + 1 :]]
            forms += [(f">{chomp}", body) for chomp in ("-", "")]
    for width in (1, 2, 5):
        body = [" " * (pad + width) + line if line else "" for line in text.rstrip("\n").split("\n")]
        more = [""] * max(len(text) - len(text.rstrip("\n")) - 1, 0)
        forms += [
            (f"|{sign}", body + more) for sign in ("", "-", "+", f"{width}", f"{width}-", f"-{width}", f"{width}+")
        ]
        odd = [line or " " * (pad + width - 1) for line in body]
        forms += [("|", odd), ("|-", odd)]
    return forms


@st.composite
def scalar(draw: Any, text: str, pad: int) -> tuple[str, list[str]]:
    return draw(st.sampled_from(sound_forms(text, pad)))


@cache
def sound_forms(text: str, pad: int) -> list[tuple[str, list[str]]]:
    """The forms that the loader reads as the text."""
    return [form for form in scalar_forms(text, pad) if says([f"{' ' * pad}k: {form[0]}", *form[1]], text)]


def inline(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{inline(k)}: {inline(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f'"{escaped(value, False)}"' if set(value) & set("\n\r\t\u2028\x85") else "'" + value.replace("'", "''") + "'"
    )


@st.composite
def pair(draw: Any, key: str, value: Any, pad: int) -> list[str]:
    """The lines of one pair in a block mapping."""
    name = inline(key) if ":" in key else key
    head = f"{' ' * pad}{name}:"
    note = draw(comments)
    if isinstance(value, bool):
        return [f"{head} {inline(value)}{note}"]
    if isinstance(value, str):
        first, body = draw(scalar(value, pad))
        if body and first[:1] not in "|>":
            body = [*body[:-1], body[-1] + note]
            note = ""
        return [f"{head} {first}{note}", *body]
    if draw(st.integers(0, 3)) == 0:
        return [f"{head} {inline(value)}{note}"]
    return [head + note, *draw(block(value, pad))]


@st.composite
def block(draw: Any, value: Any, pad: int) -> list[str]:
    """The lines of a collection below a key in column `pad`."""
    if isinstance(value, dict):
        inner = pad + draw(st.sampled_from([1, 2, 4]))
        lines: list[str] = []
        for key, item in value.items():
            lines += draw(pair(key, item, inner))
        return lines
    column = pad + draw(st.sampled_from([0, 2, 3]))
    lines = []
    for item in value:
        lines += [(" " * column + note if note else "") for note in draw(notes)]
        lines += draw(listed(item, column))
    return lines


@st.composite
def listed(draw: Any, item: Any, column: int) -> list[str]:
    """The lines of one item of a list with its dashes in `column`."""
    if isinstance(item, str):
        first, body = draw(scalar(item, column))
        ok = says([f"{' ' * column}k: {first}"], item) if not body else True
        return [f"{' ' * column}- {first if ok else inline(item)}", *body]
    if draw(st.integers(0, 3)) == 0:
        return [f"{' ' * column}- {inline(item)}"]
    gap = draw(st.sampled_from([1, 1, 3]))
    inner: list[str] = []
    for key, value in item.items():
        inner += draw(pair(key, value, column + 1 + gap))
        if draw(st.integers(0, 5)) == 0:
            inner.append(" " * (column + 1 + gap) + "# in between")
    return [" " * column + "-" + inner[0][column + 1 :], *inner[1:]]


@st.composite
def attributes(draw: Any) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from([n for n in values if n != "title"]), unique=True, max_size=6))
    found: dict[str, Any] = {"title": draw(values["title"])}
    for name in names:
        if name.startswith("custom_fields."):
            found.setdefault("custom_fields", {})[name.removeprefix("custom_fields.")] = draw(values[name])
        else:
            found[name] = draw(values[name])
    return {name: found[name] for name in draw(st.permutations(list(found)))}


@st.composite
def entries(draw: Any, keys: list[str], pad: int, anchors: bool = False) -> list[str]:
    """The lines of a section's objects."""
    lines: list[str] = []
    merged: list[str] = []
    marked: dict[str, str] = {}
    for key in keys:
        lines += [(" " * pad + note if note else "") for note in draw(notes)]
        mine = draw(attributes())
        if draw(st.integers(0, 6)) == 0:
            lines.append(f"{' ' * pad}{key}: {inline(mine)}")
            continue
        inner = pad + draw(st.sampled_from([1, 2, 2, 4]))
        head = f"{' ' * pad}{key}:"
        if anchors and draw(st.booleans()):
            head += f" &o-{key}"
        lines.append(head + draw(comments))
        if anchors and merged and draw(st.booleans()):
            lines.append(f"{' ' * inner}<<: *{draw(st.sampled_from(merged))}")
        if head.endswith(f"&o-{key}"):
            merged.append(f"o-{key}")
        for name, value in mine.items():
            if anchors and name in marked and draw(st.booleans()):
                lines.append(f"{' ' * inner}{name}: *{marked[name]}")
                continue
            at = len(lines)
            lines += draw(pair(name, value, inner))
            if anchors and name not in marked and draw(st.booleans()):
                colon = lines[at].index(":", lines[at].index(name)) + 1
                lines[at] = f"{lines[at][:colon]} &v-{key}-{name}{lines[at][colon:]}"
                marked[name] = f"v-{key}-{name}"
            lines += [(" " * inner + note if note else "") for note in draw(notes)]
    return lines


@st.composite
def files(draw: Any, anchors: bool = False) -> bytes:
    """A file of sections with the cases a, b, c, and d in the suite s."""
    lines = ["# the head", "cases:", *draw(entries(["a", "b", "c"], draw(st.sampled_from([1, 2, 4])), anchors))]
    if draw(st.booleans()):
        pad = draw(st.sampled_from([2, 4]))
        lines += ["", "suites:", f"{' ' * pad}s:", f"{' ' * pad}    title: S", f"{' ' * pad}    cases:"]
        lines += draw(entries(["d"], pad + 6))
    lines = [line.replace("\1", str(number)) for number, line in enumerate(lines)]
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    ending = draw(st.sampled_from([newline, newline, "", newline + newline, newline + "# end"]))
    if "+" in "".join(re.findall(r"[|>][-+0-9]+(?=$| +#)", "\n".join(lines), re.MULTILINE)[-1:]):
        ending = ending or newline  # `|+` at a file's end without a break takes the break of what is put below
    text = newline.join(lines) + ending
    return draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"])) + text.encode()
