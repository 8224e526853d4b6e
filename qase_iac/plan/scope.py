"""Globs over suite keys, and what lies inside the scope of the project folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from qase_iac.model import LiveObject, Scope, Snapshot
from qase_iac.values import RemoteId

ROOT = "."
"""Stands for the project's root in a glob."""


@lru_cache(maxsize=4096)
def _pattern(glob: str) -> re.Pattern[str]:
    below = glob.endswith("/**") or glob == "**"
    stem = glob.removesuffix("**").rstrip("/")
    parts = [re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for part in stem.split("/")] if stem else []
    parts = [".*" if part == "[^/]*[^/]*" else part for part in parts]
    text = "/".join(parts)
    if below:
        text = f"{text}(/.*)?" if text else ".*"
    return re.compile(text + r"\Z")


def matches(glob: str, suite: str) -> bool:
    """Whether a suite key ("" is the root) matches: `a` itself, `a/**` it and all below, `*`, `?` in a segment."""
    if glob in (ROOT, "**"):
        return glob == "**" or suite == ""
    return bool(suite) and bool(_pattern(glob).match(suite))


def any_match(globs: Iterable[str], suite: str) -> bool:
    return any(matches(glob, suite) for glob in globs)


class LiveSuites:
    """The suite tree in Qase, with the key of each suite: bound, or made of titles where nothing is bound."""

    def __init__(self, snapshot: Snapshot, bound: dict[RemoteId, str], titled: dict[tuple[str, str], str]) -> None:
        """`bound` maps id -> suite key; `titled` maps (parent's key, title) -> key of a declared suite."""
        self._suites = snapshot.of("suite")
        self._bound = bound
        self._titled = titled
        self._keys: dict[RemoteId | None, str] = {None: ""}

    def key(self, id: RemoteId | None) -> str:
        """The key of a live suite; where it is not known, its parent's key and its title."""
        path: list[LiveObject] = []
        at = id
        while at is not None and at not in self._keys:
            suite = self._suites.get(at)
            if suite is None or suite in path:
                self._keys[at] = f"#{at}"
                break
            path.append(suite)
            at = suite.attributes.get("parent")
        for suite in reversed(path):
            parent = self._keys.get(suite.attributes.get("parent"), "")
            self._keys[suite.id] = self._key_below(suite, parent)
        return self._keys[id]

    def _key_below(self, suite: LiveObject, parent: str) -> str:
        if suite.id in self._bound:
            return self._bound[suite.id]
        if (parent, suite.title) in self._titled:
            return self._titled[parent, suite.title]
        return f"{parent}/{suite.title}" if parent else suite.title

    def depth(self, id: RemoteId | None) -> int:
        depth = 0
        seen: set[RemoteId] = set()
        while id is not None and id in self._suites and id not in seen:
            seen.add(id)
            depth += 1
            id = self._suites[id].attributes.get("parent")
        return depth

    def in_scope(self, scope: Scope, suite: RemoteId | None) -> bool:
        """Whether a live suite (None: the root) lies in the scope."""
        return scope.suites is None or any_match(scope.suites, self.key(suite))
