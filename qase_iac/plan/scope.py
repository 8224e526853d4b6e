"""The suite tree in Qase by keys, and what of it lies inside the scope of the project folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qase_iac.attributes import normal_text
from qase_iac.globs import in_scope
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import LiveObject, Resource, Scope, Snapshot
from qase_iac.values import Address, RemoteId, ref_address


def parents_first(kind: Kind, resources: Iterable[Resource]) -> list[list[Resource]]:
    """Layers of declared objects, each below the one before; all in one layer where the kind does not nest.

    Where something is declared says what it lies in, not its key: `key: /short` may stand anywhere.
    """
    resources = sorted(resources, key=lambda resource: (resource.order, resource.address))
    if not kind.nested_keys:
        return [resources]
    parents = {str(r.address): ref_address(r.attributes.get(kind.parent or "")) for r in resources}
    layers: dict[int, list[Resource]] = {}
    for resource in resources:
        depth, at = 0, parents[str(resource.address)]
        while at in parents and depth <= len(parents):
            depth, at = depth + 1, parents[at]
        layers.setdefault(depth, []).append(resource)
    return [layers[depth] for depth in sorted(layers)]


def titled(resources: Mapping[Address, Resource]) -> dict[tuple[str, str], str]:
    """(parent's key, title) -> key of each declared suite."""
    found = {}
    for address, resource in sorted(resources.items()):
        if address.kind == "suite":
            above = (ref_address(resource.attributes.get("parent")) or "").partition(".")[2]
            found[above, normal_text(resource.attributes.get("title"))] = address.key
    return found


class LiveSuites:
    """The suite tree in Qase, with the key of each suite: bound, or made of titles where nothing is bound."""

    def __init__(self, snapshot: Snapshot, bound: dict[RemoteId, str], titled: dict[tuple[str, str], str]) -> None:
        """`bound` maps id -> suite key; `titled` maps (parent's key, title) -> key of a declared suite."""
        self._suites = snapshot.of("suite")
        self._bound = bound
        self._titled = titled
        self._keys: dict[RemoteId | None, str] = {None: ""}
        self._inside: dict[RemoteId | None, bool] = {}

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
        title = normal_text(suite.title)
        if (parent, title) in self._titled:
            return self._titled[parent, title]
        return f"{parent}/{title}" if parent else title

    def depth(self, id: RemoteId | None) -> int:
        """How many suites lie around a suite, itself included."""
        return len(self._outwards(id)) - 1

    def in_scope(self, scope: Scope, suite: RemoteId | None) -> bool:
        """Whether a live suite (None: the root) lies in the scope. A plan has one scope."""
        if scope.suites is None:
            return True
        if suite not in self._inside:
            self._inside[suite] = in_scope(scope.suites, [self.key(id) or None for id in self._outwards(suite)])
        return self._inside[suite]

    def owned(self, scope: Scope, live: LiveObject) -> bool:
        """Whether an unbound live object is one that this folder would manage: by its suite, or the whole project."""
        if scope.suites is None:
            return True
        kind = BY_NAME[live.kind]
        if not kind.owned_by_scope:
            return False
        return self.in_scope(scope, live.id if kind.nested_keys else live.attributes.get(kind.parent or ""))

    def _outwards(self, id: RemoteId | None) -> list[RemoteId | None]:
        """A suite and those around it, the root (None) at the end; it ends, too, where Qase shows a circle."""
        path: dict[RemoteId | None, None] = {}
        while id is not None and id in self._suites and id not in path:
            path[id] = None
            id = self._suites[id].attributes.get("parent")
        return [*path, id]
