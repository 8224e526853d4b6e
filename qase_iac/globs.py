"""Patterns over suites' keys: `checkout` alone, `checkout/**` and all below, `*` and `?` in a segment, `.` the root."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_SEGMENT = re.compile(r"[a-z0-9_.*?-]+\Z")


def is_suite_glob(pattern: str) -> bool:
    """Whether a pattern can match anything; keys are in small letters."""
    return bool(pattern) and all(_SEGMENT.match(part) for part in pattern.split("/"))


@lru_cache(maxsize=1000)
def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern == ".":
        return re.compile(r"\Z")
    found = ""
    for part in pattern.split("/"):
        words = "".join({"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char)) for char in part)
        found += "(?:[^/]+/)*" if part == "**" else words + "/"
    return re.compile(found + r"\Z")


def matches(pattern: str, key: str | None) -> bool:
    """Whether a pattern names the suite of that key; None is the project's root."""
    return _compiled(pattern).match(key + "/" if key else "") is not None


def in_scope(patterns: Iterable[str], keys: Iterable[str | None]) -> bool:
    """Whether an object is in scope: `keys` are its suite's own and those of the suites around that, outwards.

    A suite around it counts only for patterns that mean all below, since its key need not be part of the own one.
    """
    patterns = tuple(patterns)
    return any(
        matches(pattern, key)
        for at, key in enumerate(keys)
        for pattern in patterns
        if at == 0 or pattern.endswith("**")
    )


def common(one: Iterable[str], other: Iterable[str]) -> tuple[str, str] | None:
    """A pattern of each list such that one suite can match both (the root, `.`, included); None when there is none."""
    others = [(pattern, _parts(pattern)) for pattern in other]
    for pattern in one:
        parts = _parts(pattern)
        for their, theirs in others:
            if _meet(parts, theirs):
                return pattern, their
    return None


def _parts(pattern: str) -> tuple[str, ...]:
    return () if pattern == "." else tuple(pattern.split("/"))


@lru_cache(maxsize=10_000)
def _meet(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether some key matches both lists of segments."""
    if "**" in (one[:1] + other[:1]):
        wide, narrow = (one, other) if one[:1] == ("**",) else (other, one)
        return _meet(wide[1:], narrow) or (bool(narrow) and _meet(wide, narrow[1:]))
    if not one or not other:
        return one == other
    return _touch(one[0], other[0]) and _meet(one[1:], other[1:])


@lru_cache(maxsize=10_000)
def _touch(one: str, other: str) -> bool:
    """Whether some word matches both segments."""
    if "*" in (one[:1] + other[:1]):
        wide, narrow = (one, other) if one[:1] == "*" else (other, one)
        return _touch(wide[1:], narrow) or (bool(narrow) and _touch(wide, narrow[1:]))
    if not one or not other:
        return one == other
    return (one[0] == other[0] or "?" in (one[0], other[0])) and _touch(one[1:], other[1:])
