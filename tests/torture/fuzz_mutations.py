"""Damage for files: what a disk, an editor, a merge or somebody's joke makes of a file that was once right."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Callable
from typing import Any

import yaml

NUMBERS = [b"-1", b"0", b"1.5", b"1e999", b"-0.0", b"NaN", b"Infinity", b"2147483648", b"9223372036854775808", b"18446744073709551616",
           b"1" + b"0" * 400, b"1" + b"0" * 5000, b"0x10", b"0o17", b"1_000", b"12:30:45", b"2026-02-30"]  # fmt: skip
WORDS = [b"null", b"~", b"true", b"no", b"[]", b"{}", b"[[]]", b'""', b"''", b"' '", b"<<", b"=", b"*a", b"&a x", b"!!str 1", b"!!binary x",
         b"!!python/object/apply:os.system [id]", b"!x y", b"|", b">-", b"? a", b"- - -", b"{a: {b: []}}", b"[null]", b'{"": ""}', b"...", b"---",
         b"%YAML 9.9", b"../../etc/passwd", b"/dev/zero", b"${env:HOME}", b"${env:", b"**", b"a/" * 300, b"CON", b"\xc3\xa9" * 300, b"a.b", b"emulator",
         b"emulator:../../x", b"https://qase.example.com/v1"]  # fmt: skip
JUNK: list[Any] = [None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 10**400, 1.5, 1e308, float("inf"), float("nan"), "", " ", "a", "1", "\x00",
                   "\x1b[31m", "\ud800", "\u202e", "x" * 5000, "../../x", "case.x", "suite.", ".", "project.SHOP", "nothing.x", "sha256:0", [], {}, [[]], [None], {"": ""},
                   {"a": {"b": []}}, [1, "a", None], {"known_after_apply": "case.x"}, {"external_id": -1}]  # fmt: skip
LAUGHS = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 9)) for c in range(ord("b"), ord("k"))
)

Mutation = Callable[[bytes, random.Random], bytes]


def deep(depth: int) -> Any:
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


# -- bytes ---------------------------------------------------------------------------------------------------------


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def cut_piece(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.choice([1, 2, 10, 200]) :]


def insert(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + rng.choice([rng.randbytes(rng.randrange(1, 9)), *WORDS, *NUMBERS]) + data[start:]


def odd_bytes(data: bytes, rng: random.Random) -> bytes:
    """NULs, marks of byte order, bytes that are no UTF-8, line ends that only some programs know."""
    odd = [
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x85",
        b"\xe2\x80\xa8",
        b"\r",
        b"\t",
        b"\x1b",
        b"\x0c",
    ]
    start = rng.choice([0, len(data), rng.randrange(len(data) + 1)])
    return data[:start] + rng.choice(odd) + data[start:]


def other_encoding(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(
        rng.choice(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "latin-1", "cp037"]), "replace"
    )


def lines_moved(data: bytes, rng: random.Random) -> bytes:
    """A line twice, gone, elsewhere, or glued to the next, as a bad merge leaves it."""
    lines = data.split(b"\n")
    at, to = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(5):
        case 0:
            lines.insert(at, lines[at])
        case 1:
            del lines[at]
        case 2:
            lines[at], lines[to] = lines[to], lines[at]
        case 3:
            lines[at : at + 1] = [b"<<<<<<< HEAD", lines[at], b"=======", lines[to], b">>>>>>> x"]
        case _:
            lines[at] = lines[at] + lines[to].lstrip()
    return b"\n".join(lines)


def indented(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at] = rng.choice([b" ", b"  ", b"\t", b"- ", b"# "]) + lines[at] if rng.random() < 0.6 else lines[at].lstrip()
    return b"\n".join(lines)


def spliced(data: bytes, rng: random.Random) -> bytes:
    """The head of the file and a tail of it: a write that was torn and begun again."""
    return data[: rng.randrange(len(data) + 1)] + data[rng.randrange(len(data) + 1) :]


def token(data: bytes, rng: random.Random) -> bytes:
    """A number or a word of the file replaced by another thing."""
    spots = list(re.finditer(rb"\d+|[\w./-]+|\"[^\"\n]*\"", data))
    if not spots:
        return insert(data, rng)
    spot = rng.choice(spots)
    new = rng.choice([*NUMBERS, *WORDS, rng.choice(spots).group()])
    return data[: spot.start()] + new + data[spot.end() :]


def nested(data: bytes, rng: random.Random) -> bytes:
    depth = rng.choice([50, 190, 210, 500, 3000, 50_000])
    start = rng.randrange(len(data) + 1)
    one = rng.choice([b"[", b"{", b'{"a":', b"- ", b"[[], ", b"{a: ", b"? ", b"'", b"]", b"* "])
    return data[:start] + one * depth + data[start:]


def long_text(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = rng.choice(
        [b"x", b" ", b" #x", b"\n", b": ", b"a: 1\n", b", ", b"\\", b"\xf0\x9f\xa7\xba", b"&a ", b"*a ", b'"']
    )
    return data[:start] + piece * rng.choice([300, 5000, 40_000]) + data[start:]


def random_bytes(data: bytes, rng: random.Random) -> bytes:
    size = rng.choice([0, 1, 2, 5, 30, 300, 5000])
    if rng.random() < 0.5:
        return rng.randbytes(size)
    return bytes(rng.choice(b"abc:-[]{}&*!|>'\"%@`#,? \n\n  0129.eE\\/~<=") for _ in range(size))


ANY: list[Mutation] = [flip_bits, flip_bits, truncate, cut_piece, insert, insert, odd_bytes, other_encoding, lines_moved, lines_moved, spliced, token, token,
                       token, nested, long_text, random_bytes]  # fmt: skip

# -- trees ---------------------------------------------------------------------------------------------------------


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a tree."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, value in pairs:
            found.append((node, key))
            todo.append(value)
    return found


def changed_tree(tree: Any, rng: random.Random) -> Any:
    """Types swapped, keys unknown, missing or renamed, parts of the tree elsewhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        spots = places(tree)
        if not spots:
            return rng.choice(JUNK)
        node, key = rng.choice(spots)
        other, its = rng.choice(spots)
        match rng.randrange(7):
            case 0 | 1 | 2:
                node[key] = copy.deepcopy(rng.choice(JUNK))
            case 3:
                node[key] = copy.deepcopy(other[its])
            case 4:
                del node[key]
            case 5 if isinstance(node, dict):
                node[rng.choice(["", "x", "id", "address", "title", str(its), "\u202e"])] = node.pop(key)
            case _:
                node[key] = deep(rng.choice([5, 60, 250])) if rng.random() < 0.3 else [node[key]]
    return tree


def json_tree(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(changed_tree(json.loads(data), rng)).encode()


def json_key_twice(data: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb'"\w+": ?', data))
    if not found:
        return data
    spot = rng.choice(found)
    return data[: spot.start()] + spot.group() + rng.choice(NUMBERS + WORDS) + b", " + data[spot.start() :]


def json_line(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    if lines[at]:
        lines[at] = json.dumps(changed_tree(json.loads(lines[at]), rng)).encode()
    return b"\n".join(lines)


class _Flat(yaml.SafeDumper):
    """Dates stay what they were."""


def yaml_tree(data: bytes, rng: random.Random) -> bytes:
    try:
        text = yaml.dump(changed_tree(yaml.safe_load(data), rng), Dumper=_Flat, sort_keys=False, allow_unicode=True)
    except (yaml.YAMLError, RecursionError, UnicodeError, ValueError):
        return token(data, rng)
    return text.encode("utf-8", "surrogatepass")


def yaml_properties(data: bytes, rng: random.Random) -> bytes:
    """Anchors, aliases, tags and merges, some of which have no end or a very large one."""
    what = rng.randrange(8)
    if what == 0:
        return LAUGHS + data
    if what == 1:
        return data + rng.choice(
            [
                b"\nx: &r [*r]\n",
                b"\n<<: &r {<<: *r}\n",
                b"\nx: &r {a: *r}\n",
                b"\n<<: [*r]\n",
                b"\n&r : *r\n",
                b"\n? {a: b}\n: c\n",
            ]
        )
    spots = list(re.finditer(rb"(?<=[:-]) ", data))
    if not spots:
        return data
    out = data
    for spot in sorted(rng.sample(spots, min(len(spots), 2)), key=lambda each: -each.start()):
        new = rng.choice(
            [
                b" &a ",
                b" *a ",
                b" !!str ",
                b" !!int ",
                b" !!binary ",
                b" !!set ",
                b" !x ",
                b" !<tag:yaml.org,2002:python/name:os.system> ",
                b" | ",
                b" > ",
                b" ? ",
            ]
        )
        out = out[: spot.start()] + new + out[spot.end() :]
    return out


YAML: list[Mutation] = [
    *ANY,
    indented,
    indented,
    yaml_tree,
    yaml_tree,
    yaml_tree,
    yaml_tree,
    yaml_tree,
    yaml_properties,
    yaml_properties,
    yaml_properties,
]
JSON: list[Mutation] = [*ANY, *[json_tree] * 12, json_key_twice, json_key_twice]
LINES: list[Mutation] = [*ANY, *[json_line] * 12, json_key_twice]


def mutated(data: bytes, mutations: list[Mutation], rng: random.Random) -> bytes:
    """One damaged version; now and then damaged twice."""
    try:
        data = rng.choice(mutations)(data, rng)
    except ValueError:  # only a part of the file is a tree
        data = rng.choice(ANY)(data, rng)
    return data if rng.random() < 0.8 else rng.choice(ANY)(data, rng)
