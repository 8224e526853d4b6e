"""Offline DESIRED -> DESIRED in the workspace's own words: options, custom fields, externals, selections. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

from qase_iac.attributes import ResolveError, Type
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.globs import matches
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired, Resource, Snapshot
from qase_iac.values import JSON, Address, Attributes, RemoteId, printable

Say = Callable[[Diagnostic], None]


def resolve(
    desired: Desired, snapshot: Snapshot, bound: frozenset[tuple[str, RemoteId]]
) -> tuple[Desired, list[Diagnostic]]:
    """`desired` with words, custom fields, external references and selections put into canonical form.

    `bound` holds (kind, id) of every object that the state manages: an external reference must not name one.
    Returns the new value and every problem found (errors make the plan impossible; warnings do not).
    """
    found: list[Diagnostic] = []
    externals = _Externals(snapshot, bound)
    resources = {
        address: _resolve_resource(resource, snapshot, externals, found.append)
        for address, resource in desired.resources.items()
    }
    members = _Selector(resources, found.append)
    resources = {address: members.expand(resource) for address, resource in resources.items()}
    found.sort(key=Diagnostic.sort_key)
    return replace(desired, resources=resources), found


def _resolve_resource(resource: Resource, snapshot: Snapshot, externals: _Externals, say: Say) -> Resource:
    kind = BY_NAME[resource.address.kind]
    attributes: Attributes = {}
    for name, value in resource.attributes.items():
        row = kind.attribute(name)
        try:
            if type(row.type).resolve is not Type.resolve:
                value = row.type.resolve(value, row, snapshot.catalogue)
            if row in kind.references:
                value = row.type.rebind(value, externals.look_up)
        except ResolveError as error:
            say(_problem(resource, error))
            continue
        attributes[name] = value
    local = dict(resource.local)
    try:
        for name in ("select", "exclude"):
            if name in local:
                local[name] = {key: _rule(key, values, snapshot, externals) for key, values in local[name].items()}
    except ResolveError as error:
        say(_problem(resource, error))
    return replace(resource, attributes=attributes, local=local)


def _rule(key: str, values: list[JSON], snapshot: Snapshot, externals: _Externals) -> list[JSON]:
    """The values of a rule in the same canonical form as the attribute they are compared with."""
    if key in ("suites", "tags", "flaky"):
        return values
    row = BY_NAME["case"].attribute(key)
    if row in BY_NAME["case"].references:
        return [externals.look_up(key, value) for value in values]
    return [row.type.resolve(value, row, snapshot.catalogue) for value in values]


def _problem(resource: Resource, error: ResolveError) -> Diagnostic:
    return Diagnostic(error.code, error.summary, error.detail, resource.source, address=str(resource.address))


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
        if isinstance(ref, dict) and (kind, ref.get("external_id")) in self._bound:
            raise ResolveError(
                "external-is-managed",
                f"The {kind.replace('_', ' ')} {ref['external_id']} is managed by this folder.",
                "Name it by its key.",
            )
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
        live = self._snapshot.get(kind, id)
        if live is None:
            return ""
        parent = live.attributes.get("parent") if kind == "suite" else None
        return f"{self._path(kind, parent)} / {live.title}" if parent is not None else live.title


class _Selector:
    """Turns `cases`, `select` and `exclude` of test plans into one list of members, in the order of the files."""

    def __init__(self, resources: dict[Address, Resource], say: Say) -> None:
        self._resources = resources
        self._say = say

    @cached_property
    def _cases(self) -> list[Resource]:
        return sorted((r for a, r in self._resources.items() if a.kind == "case"), key=lambda r: r.order)

    def expand(self, resource: Resource) -> Resource:
        if "select" not in resource.local:
            if "exclude" in resource.local:
                self._say(
                    Diagnostic(
                        "exclude-without-select",
                        "`exclude` has nothing to take away from.",
                        "It narrows what `select` picks, never the cases that are listed.",
                        resource.source,
                        Severity.WARNING,
                        str(resource.address),
                    )
                )
            return resource
        picked = list(self._pick(resource.local["select"], resource.local.get("exclude")))
        if not picked:
            self._say(
                Diagnostic(
                    "empty-selection",
                    "`select` matches no case.",
                    "Rules are compared with what the YAML says, defaults included; "
                    "an attribute that is not there matches nothing.",
                    resource.source,
                    Severity.WARNING,
                    str(resource.address),
                )
            )
        listed = resource.attributes.get("cases") or []
        named = {str(item.get("address")) for item in listed}
        named |= {str(case.address) for case in picked}
        chosen = [case for case in self._cases if str(case.address) in named]
        externals = [item for item in listed if "address" not in item]
        members = [{"address": str(case.address)} for case in chosen] + externals
        return replace(resource, attributes=resource.attributes | {"cases": members})

    def _pick(self, select: Attributes, exclude: Attributes | None) -> Iterator[Resource]:
        for case in self._cases:
            if _all_match(case, select) and not (exclude and _all_match(case, exclude)):
                yield case


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
