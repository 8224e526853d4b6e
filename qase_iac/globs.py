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
