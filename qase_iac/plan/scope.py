"""The suite tree in Qase by keys, and what of it lies inside the scope of the project folder."""

from __future__ import annotations

from qase_iac.globs import in_scope
from qase_iac.model import LiveObject, Scope, Snapshot
from qase_iac.values import RemoteId


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
        if scope.suites is None:
            return True
        outwards: list[str | None] = [self.key(suite) or None]
        while suite is not None and suite in self._suites and len(outwards) <= len(self._suites):
            suite = self._suites[suite].attributes.get("parent")
            outwards.append(self.key(suite) or None)
        return in_scope(scope.suites, outwards)
