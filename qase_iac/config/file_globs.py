"""Patterns over paths in a project folder, as in .gitignore: what `content:` and `exclude:` name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


def _wild(pattern: Sequence[_T], items: Sequence[_T], star: _T, one: Callable[[_T, _T], bool]) -> bool:
    """Whether `pattern` matches all of `items`, `star` standing for any number of them. Never backtracks twice."""
    p = i = mark = 0
    back = -1
    while i < len(items):
        if p < len(pattern) and pattern[p] == star:
            back, mark, p = p, i, p + 1
        elif p < len(pattern) and one(pattern[p], items[i]):
            p, i = p + 1, i + 1
        elif back >= 0:
            mark += 1
            p, i = back + 1, mark
        else:
            return False
    return all(rest == star for rest in pattern[p:])


def _segment(pattern: str, name: str) -> bool:
    return _wild(pattern, name, "*", lambda p, char: p in ("?", char))


def glob_match(pattern: str, name: str) -> bool:
    """Whether a glob names this path or a folder above it, as in .gitignore.

    `*` and `?` stay within a segment, `**` is any number of segments. A pattern without a slash matches a name at any
    depth; with one it counts from the project folder.
    """
    anchored = pattern.removeprefix("./")
    parts = [part for part in anchored.split("/") if part]
    if not parts:
        return False
    if "/" not in anchored.rstrip("/"):
        parts.insert(0, "**")
    return _wild([*parts, "**"], name.split("/"), "**", _segment)


def any_match(patterns: Sequence[str], name: str) -> bool:
    """Whether one of the globs names this path."""
    return any(glob_match(pattern, name) for pattern in patterns)
