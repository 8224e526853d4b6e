"""Edited files as a patch that `git apply` takes, byte for byte: lines end at LF alone, CR is part of the line."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from qase_iac.config.edit.model import FileEdit

CONTEXT = 3
_NO_END = "\n\\ No newline at end of file\n"
_ODD = re.compile(r'[\x00-\x1f"\\\x7f]')
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def patch(edits: Iterable[FileEdit]) -> str:
    """All edits as one patch; its paths count from the project folder. Write it with `newline=""`, as UTF-8."""
    return "".join(part for edit in edits for part in _of_file(edit))


def _of_file(edit: FileEdit) -> Iterator[str]:
    if is_binary(edit.before) or is_binary(edit.after):
        yield from _binary(edit)
        return
    old, new = _lines(edit.before), _lines(edit.after)
    yield f"diff --git {_name('a', edit.path)} {_name('b', edit.path)}\n"
    if edit.before is None:
        yield "new file mode 100644\n"
    if edit.after is None:
        yield "deleted file mode 100644\n"
    if old != new:
        tab = "\t" if " " in edit.path else ""
        yield f"--- {_name('a', edit.path) + tab if edit.before is not None else '/dev/null'}\n"
        yield f"+++ {_name('b', edit.path) + tab if edit.after is not None else '/dev/null'}\n"
        yield from _hunks(old, new)


def is_binary(data: bytes | None) -> bool:
    """Whether git would not show it as lines (an attachment)."""
    try:
        return data is not None and "\0" in data.decode("utf-8")
    except UnicodeDecodeError:
        return True


def _binary(edit: FileEdit) -> Iterator[str]:
    """Both versions whole, as `git diff --binary` writes what it has no better way for."""
    yield f"diff --git {_name('a', edit.path)} {_name('b', edit.path)}\n"
    mode = " 100644" if edit.before is not None and edit.after is not None else ""
    yield f"{'' if mode else 'new file mode 100644' if edit.before is None else 'deleted file mode 100644'}\n".lstrip()
    yield f"index {_blob(edit.before)}..{_blob(edit.after)}{mode}\nGIT binary patch\n"
    yield from _literal(edit.after or b"")
    yield from _literal(edit.before or b"")


def _blob(data: bytes | None) -> str:
    if data is None:
        return "0" * 40
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _literal(data: bytes) -> Iterator[str]:
    """git's base 85: lines of up to 52 bytes, each with its length as a letter before it."""
    yield f"literal {len(data)}\n"
    packed = zlib.compress(data)
    for at in range(0, len(packed), 52):
        part = packed[at : at + 52]
        length = chr(ord("A") + len(part) - 1) if len(part) <= 26 else chr(ord("a") + len(part) - 27)
        yield f"{length}{base64.b85encode(part, pad=True).decode()}\n"
    yield "\n"


def _name(side: str, path: str) -> str:
    """A path as git writes it: in quotes when it holds odd signs."""
    full = f"{side}/{path}"
    if not _ODD.search(full):
        return full
    return '"' + _ODD.sub(lambda match: _SHORT.get(match.group()) or f"\\{ord(match.group()):03o}", full) + '"'


def _lines(data: bytes | None) -> list[str]:
    """Lines with their LF; the last one may have none."""
    text = (data or b"").decode("utf-8")
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _hunks(old: list[str], new: list[str]) -> Iterator[str]:
    for group in _groups(old, new):
        (_, a, _, c, _), (_, _, b, _, d) = group[0], group[-1]
        yield f"@@ -{_range(a, b)} +{_range(c, d)} @@\n"
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from _signed(" ", old[i:j])
            else:
                yield from _signed("-", old[i:j])
                yield from _signed("+", new[k:m])


_Group = list[tuple[str, int, int, int, int]]


def _groups(old: list[str], new: list[str]) -> Iterator[_Group]:
    """Runs of changes with the lines around them. What both files begin and end with is not looked at twice."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    inner = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail])
    found: _Group = [("equal", 0, head, 0, head)] if head else []
    found += [(tag, i + head, j + head, k + head, m + head) for tag, i, j, k, m in inner.get_opcodes()]
    if tail:
        found.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    yield from _grouped(_joined(found))


def _grouped(codes: _Group) -> Iterator[_Group]:
    """Cut where more lines are equal than two contexts hold."""
    group: _Group = []
    for at, (tag, i, j, k, m) in enumerate(codes):
        if tag != "equal":
            group.append((tag, i, j, k, m))
            continue
        if group and (j - i > 2 * CONTEXT or at == len(codes) - 1):
            yield [*group, (tag, i, min(j, i + CONTEXT), k, min(m, k + CONTEXT))]
            group = []
        if at < len(codes) - 1:
            group.append((tag, i, j, k, m) if group else (tag, max(i, j - CONTEXT), j, max(k, m - CONTEXT), m))
    if group:
        yield group


def _joined(codes: _Group) -> list[tuple[str, int, int, int, int]]:
    """With equal runs side by side made one."""
    found: _Group = []
    for code in codes:
        if found and code[0] == found[-1][0] == "equal":
            _, i, _, k, _ = found.pop()
            code = ("equal", i, code[2], k, code[4])
        found.append(code)
    return found


def _common(old: list[str], new: list[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _range(start: int, end: int) -> str:
    return f"{start + (end > start)},{end - start}"


def _signed(sign: str, lines: list[str]) -> Iterator[str]:
    for line in lines:
        yield sign + line if line.endswith("\n") else sign + line + _NO_END
