"""Offline DESIRED -> DESIRED in the workspace's own words: options, custom fields, externals, selections. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from qase_iac.attributes import Attribute, ResolveError, TextSet, Type
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.globs import matches
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Catalogue, Desired, Resource, Snapshot
from qase_iac.plan.bind import rows_with_references
from qase_iac.plan.obstacles import NOBODY
from qase_iac.values import JSON, Address, Attributes, RemoteId, printable

Say = Callable[[Diagnostic], None]
MAX_NESTING = 1000
"""Of suites in Qase; it only ends the walk should they ever be shown as a circle."""


def resolve(
    desired: Desired, snapshot: Snapshot, bound: frozenset[tuple[str, RemoteId]]
) -> tuple[Desired, list[Diagnostic]]:
    """`desired` with words, custom fields, external references and selections put into canonical form.

    `bound` holds (kind, id) of every object that the state manages: an external reference must not name one.
    Returns the new value and every problem found (errors make the plan impossible; warnings do not).
    """
    found: list[Diagnostic] = []
    adopted = {(address.kind, id) for address, (id, _) in desired.adopt.items()}
    words = _Words(snapshot.catalogue, _Externals(snapshot, bound | adopted), found.append)
    resources = {address: words.resource(resource) for address, resource in desired.resources.items()}
    members = _Selector(resources, found.append)
    for address in desired.resources:
        if BY_NAME[address.kind].members:
            resources[address] = members.expand(resources[address])
    found.sort(key=Diagnostic.sort_key)
    return replace(desired, resources=resources), found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, whether it takes words of the workspace (`known` are those looked up), whether it refers to others."""

    attribute: Attribute
    speaks: bool
    refers: bool
    known: dict[JSON, JSON] = field(default_factory=dict)


class _Words:
    """Puts values into the workspace's own words. The same word is looked up once."""

    def __init__(self, catalogue: Catalogue, externals: _Externals, say: Say) -> None:
        self._catalogue = catalogue
        self._externals = externals
        self._say = say
        self._rows: dict[str, dict[str, _Row]] = {kind: {} for kind in BY_NAME}

    def resource(self, resource: Resource) -> Resource:
        kind = BY_NAME[resource.address.kind]
        rows = self._rows[kind.name]
        attributes = dict(resource.attributes)
        for name, value in resource.attributes.items():
            row = rows.get(name) or self._row(kind, name)
            if row.speaks or (row.refers and value):
                try:
                    attributes[name] = self._value(row, value)
                except ResolveError as error:
                    del attributes[name]
                    self._problem(resource, error)
        local = resource.local
        try:
            for name in ("select", "exclude"):
                if name in local:
                    local = local | {name: self._rules(kind, local[name])}
        except ResolveError as error:
            self._problem(resource, error)
        if local is resource.local and attributes == resource.attributes:
            return resource
        return replace(resource, attributes=attributes, local=local)

    def _value(self, row: _Row, value: JSON) -> JSON:
        if row.speaks:
            word = tuple(value) if isinstance(value, list) else value
            if word not in row.known:
                row.known[word] = row.attribute.type.resolve(value, row.attribute, self._catalogue)
            value = row.known[word]
        return row.attribute.type.rebind(value, self._externals.look_up) if row.refers and value else value

    def _row(self, kind: Kind, name: str) -> _Row:
        found = self._rows[kind.name].get(name)
        if found is None:
            attribute = kind.attribute(name)
            speaks = type(attribute.type).resolve is not Type.resolve
            found = self._rows[kind.name][name] = _Row(attribute, speaks, name in rows_with_references(kind))
        return found

    def _rules(self, kind: Kind, rules: Attributes) -> Attributes:
        """The values of rules in the same canonical form as the attributes they are compared with."""
        about = BY_NAME[next(getattr(row.type, "kind", "") for row in kind.members)]
        return {
            name: [self._value(self._row(about, name), value) for value in values]
            if name in about.by_name and not isinstance(about.by_name[name].type, TextSet)
            else values
            for name, values in rules.items()
        }

    def _problem(self, resource: Resource, error: ResolveError) -> None:
        address = str(resource.address)
        self._say(Diagnostic(error.code, error.summary, error.detail, resource.source, address=address))


class _Externals:
    """Finds what external references name."""

    def __init__(self, snapshot: Snapshot, bound: frozenset[tuple[str, RemoteId]]) -> None:
        self._snapshot = snapshot
        self._bound = bound
        self._titles: dict[str, dict[str, list[RemoteId]]] = {}

    def look_up(self, kind: str, ref: JSON) -> JSON:
        """`{"external": title}` -> `{"external_id": id}`; every other form stays. Raises ResolveError."""
        if not isinstance(ref, dict) or "external" not in ref:
            return self._known(kind, ref)
        if kind == "shared_parameter":
            return self._shared_parameter(ref["external"])
        title = ref["external"]
        ids = self._by_title(kind).get(title, [])
        what = kind.replace("_", " ")
        if not ids:
            raise ResolveError(
                "unknown-external",
                f"Qase has no {what} called {printable(title)!r}.",
                "External references name the exact title" + (" path, such as `A / B`." if kind == "suite" else "."),
            )
        if len(ids) > 1:
            raise ResolveError(
                "ambiguous-external",
                f"{len(ids)} {what}s in Qase are called {printable(title)!r}: {', '.join(map(str, ids))}.",
                f"Say which one: {{external_id: {ids[0]}}}.",
            )
        return self._known(kind, {"external_id": ids[0]})

    def _known(self, kind: str, ref: JSON) -> JSON:
        if not isinstance(ref, dict) or "external_id" not in ref:
            return ref
        id, what = ref["external_id"], kind.replace("_", " ")
        if (kind, id) in self._bound:
            raise ResolveError(
                "external-is-managed", f"The {what} {id} is managed by this folder.", "Name it by its key."
            )
        # Shared steps that belong to the whole workspace are in no list, and can be used all the same.
        listed = kind in BY_NAME and BY_NAME[kind].id_key == "id"
        if listed and self._snapshot.get(kind, id) is None:
            raise ResolveError("unknown-external", f"Qase has no {what} {id}.", "Look up its id in Qase.")
        return ref

    def _shared_parameter(self, title: str) -> JSON:
        known = self._snapshot.catalogue.shared_parameters or {}
        if title not in known:
            raise ResolveError("unknown-external", f"Qase has no shared parameter called {printable(title)!r}.")
        return {"external_id": known[title], "title": title}

    def _by_title(self, kind: str) -> dict[str, list[RemoteId]]:
        if kind not in self._titles:
            titles: dict[str, list[RemoteId]] = {}
            for live in self._snapshot.of(kind).values():
                titles.setdefault(self._path(kind, live.id), []).append(live.id)
            self._titles[kind] = titles
        return self._titles[kind]

    def _path(self, kind: str, id: RemoteId) -> str:
        """The title; of a suite the titles from the root down, joined by ` / `."""
        titles: list[str] = []
        at: RemoteId | None = id
        while at is not None and (live := self._snapshot.get(kind, at)) and len(titles) <= MAX_NESTING:
            titles.append(live.title)
            at = live.attributes.get("parent") if kind == "suite" else None
        return " / ".join(reversed(titles))


class _Selector:
    """Turns `cases`, `select` and `exclude` of test plans into one list of members, in the order of the files."""

    def __init__(self, resources: dict[Address, Resource], say: Say) -> None:
        self._resources = resources
        self._say = say

    @cached_property
    def _cases(self) -> list[Resource]:
        return sorted((r for a, r in self._resources.items() if a.kind == "case"), key=lambda r: (r.order, r.address))

    @cached_property
    def _order(self) -> list[str]:
        return [str(case.address) for case in self._cases]

    def expand(self, resource: Resource) -> Resource:
        """The members in the order of the files; those that are only in Qase after them."""
        local = resource.local
        if "select" not in local and "exclude" in local:
            summary = "`exclude` has nothing to take away from."
            self._warn(resource, "exclude-without-select", summary, "It narrows what `select` picks, never `cases`.")
        picked = set(self._pick(local["select"], local.get("exclude"))) if "select" in local else set()
        if "select" in local and not picked:
            detail = (
                "Rules are compared with what the YAML says, defaults included; "
                "an attribute that is not there matches nothing."
            )
            self._warn(resource, "empty-selection", "`select` matches no case.", detail)
            local = local | {NOBODY: True}
        if "select" not in local and not resource.attributes.get("cases"):
            return resource
        listed = resource.attributes.get("cases") or []
        picked |= {item["address"] for item in listed if "address" in item}
        members = [{"address": address} for address in self._order if address in picked]
        members += [item for item in listed if "address" not in item]
        return replace(resource, attributes=resource.attributes | {"cases": members}, local=local)

    def _warn(self, resource: Resource, code: str, summary: str, detail: str) -> None:
        self._say(Diagnostic(code, summary, detail, resource.source, Severity.WARNING, str(resource.address)))

    def _pick(self, select: Attributes, exclude: Attributes | None) -> Iterator[str]:
        for case in self._cases:
            if _all_match(case, select) and not (exclude and _all_match(case, exclude)):
                yield str(case.address)


def _all_match(case: Resource, rules: Attributes) -> bool:
    return all(_matches(case, key, values) for key, values in rules.items())


def _matches(case: Resource, key: str, values: list[JSON]) -> bool:
    if key == "suites":
        suite = case.attributes.get("suite")
        address = (suite or {}).get("address")
        if suite is not None and address is None:
            return False
        suite_key = address.partition(".")[2] if address else None
        return any(matches(glob, suite_key) for glob in values)
    value = case.attributes.get(key)
    if value is None:
        return False
    return any(item in values for item in value) if isinstance(value, list) else value in values
