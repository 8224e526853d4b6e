"""What can be wrong only once all files are known: references, files, words of the workspace, scope, titles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Attribute, ResolveError, Rules, Type, Words, normal_text
from qase_iac.config import attachments
from qase_iac.config.assemble import Assembly
from qase_iac.config.late import Target
from qase_iac.config.reporter import nearest
from qase_iac.diagnostics import Severity, SourceRange
from qase_iac.globs import in_scope, is_suite_glob
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Catalogue, Resource
from qase_iac.values import JSON, Address, printable, ref_address

_UNDER = {"shared_step": "shared", "attachment": "attachments"}
_HINTS = 200
"""So many searches for a like key a run; each looks at every key."""
_WORDS = {
    kind.name: tuple(row for row in kind.managed if type(row.type).resolve is not Type.resolve)
    for kind in CONTENT_KINDS
}
_LOCAL = {kind.name: tuple(row for row in kind.attributes if row.local) for kind in CONTENT_KINDS}


@dataclass
class Checks:
    """One run over an assembly. `hold`: a file could not be read, so what seems to be missing may stand in it."""

    assembly: Assembly
    offline: Catalogue
    store: attachments.Attachments
    hold: bool
    _declared: set[str] = field(default_factory=set)
    _resolved: dict[tuple[str, str, JSON], ResolveError | None] = field(default_factory=dict)
    _good: dict[str, list[tuple[Attribute, set[JSON]]]] = field(default_factory=dict)
    _fields: dict[str, Attribute] = field(default_factory=dict)
    _unknown_fields: set[str] = field(default_factory=set)
    _hints: int = 0

    def run(self) -> None:
        self._declared = {str(address) for address in self.assembly.resources.keys() | self.assembly.phantoms}
        self._good = {name: [(row, set()) for row in rows] for name, rows in _WORDS.items()}
        for resource in self.assembly.resources.values():
            kind = BY_NAME[resource.address.kind]
            self._references(kind, resource)
            for row in _LOCAL[kind.name]:
                if row.name in resource.local and isinstance(row.type, Rules):
                    self._rules(kind, resource, row)
            self._words(kind, resource)
        self._titles()
        self._scope()

    def report(
        self,
        resource: Resource,
        name: str,
        found: tuple[str, str, str],
        target: Target | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """A problem of an attribute: where it stands, be it in the defaults of a folder."""
        origin = self.assembly.origins[resource.address]
        code, summary, detail = found
        if name in origin.defaults:
            placed, file = origin.defaults[name]
            place, target = SourceRange(file, placed[1], placed[2]), None
            detail += " It is a default for the cases below." if detail else "It is a default for the cases below."
        else:
            place = resource.source
            way = tuple(name.split(".", 1)) if name.startswith(CUSTOM_FIELD_PREFIX) else (name,)
            target = target or Target((*origin.path, *way))
        self.assembly.problems.add(
            place, code, summary, detail, target=target, severity=severity, address=str(resource.address)
        )

    # --- references and files

    def _references(self, kind: Kind, resource: Resource) -> None:
        attributes = resource.attributes
        for row in kind.references:
            value = attributes.get(row.name)
            if not value:
                continue
            seen: dict[str, int] = {}
            files = False
            for to, ref in row.type.refs(value):
                if to == "attachment":
                    files = True
                elif (address := ref.get("address")) is not None and address not in self._declared:
                    self._dangling(resource, row.name, address, seen)
            if files:
                attributes[row.name] = self._files(resource, row, value)

    def _dangling(
        self, resource: Resource, name: str, address: str, seen: dict[str, int], path: tuple[str, ...] = ()
    ) -> None:
        if self.hold:
            return
        kind, key = Address.parse(address)
        nth = seen[address] = seen.get(address, -1) + 1
        origin = self.assembly.origins[resource.address]
        target = Target((*origin.path, *(path or (name,))), key, _UNDER.get(kind, ""), nth)
        self.report(resource, name, self._missing(kind, key), target)

    def _missing(self, kind: str, key: str) -> tuple[str, str, str]:
        """Code, summary and detail for a key that is declared nowhere, or as something else."""
        label = BY_NAME[kind].label
        other = next((each for each in CONTENT_KINDS if f"{each.name}.{key}" in self._declared), None)
        if other is not None:
            summary = f"`{key}` is a {other.label}, not a {label}."
            return "wrong-kind", summary, f"The key of a {label} is needed here."
        self._hints += 1
        known = [address.key for address in self.assembly.resources if address.kind == kind]
        hint = nearest(key, known) if self._hints <= _HINTS else ""
        detail = 'Declare it, or, if it is only in Qase, write {external: "Exact title"}.'
        return "unknown-reference", f"No {label} has the key `{key}`.{hint}", detail

    def _files(self, resource: Resource, row: Attribute, value: JSON) -> JSON:
        seen: dict[str, int] = {}
        origin = self.assembly.origins[resource.address]

        def visit(kind: str, ref: JSON) -> JSON:
            if kind != "attachment":
                return ref
            text = ref["path"]
            found = self.store.get(origin.file, text)
            if isinstance(found, dict):
                return found
            key = text.strip()
            nth = seen[key] = seen.get(key, -1) + 1
            under = "" if type(row.type).__name__ == "Files" else _UNDER[kind]
            self.report(resource, row.name, found, Target((*origin.path, row.name), key, under, nth))
            return {"path": str(PurePosixPath(text)), "sha256": "", "size": 0, "name": ""}

        return row.type.rebind(value, visit)

    # --- words

    def _words(self, kind: Kind, resource: Resource) -> None:
        attributes = resource.attributes
        for row, good in self._good[kind.name]:
            if (
                row.name in attributes
                and attributes[row.name] not in good
                and self._word(kind, resource, row, attributes[row.name])
            ):
                good.add(attributes[row.name])
        if kind.custom and self.offline.custom_fields:
            for name, value in attributes.items():
                if name.startswith(CUSTOM_FIELD_PREFIX):
                    self._custom(kind, resource, name, value)

    def _custom(self, kind: Kind, resource: Resource, name: str, value: JSON) -> None:
        row = self._fields.get(name)
        if row is None:
            row = self._fields[name] = kind.attribute(name)
            title = name.removeprefix(CUSTOM_FIELD_PREFIX)
            titles = [each.title for each in self.offline.custom_fields]
            if title not in titles:
                summary = f"catalogue.yaml knows no custom field {printable(title)!r}.{nearest(title, titles)}"
                detail = "If it is new in Qase, `qase-iac validate --online --remember` takes it in."
                self.report(resource, name, ("unknown-custom-field", summary, detail), severity=Severity.WARNING)
        self._word(kind, resource, row, value)

    def _word(self, kind: Kind, resource: Resource, row: Attribute, value: JSON) -> bool:
        """Whether the workspace has such a word; a diagnostic when it has not."""
        error = self._resolve(kind, row, value)
        if error is not None:
            self.report(resource, row.name, self._explained(row, value, error))
        return error is None

    def _resolve(self, kind: Kind, row: Attribute, value: JSON) -> ResolveError | None:
        memo = (kind.name, row.name, tuple(value) if isinstance(value, list) else value)
        if memo not in self._resolved:
            try:
                row.type.resolve(value, row, self.offline)
                self._resolved[memo] = None
            except ResolveError as error:
                self._resolved[memo] = error
        return self._resolved[memo]

    def _explained(self, row: Attribute, value: JSON, error: ResolveError) -> tuple[str, str, str]:
        words: list[str] = list(getattr(row.type, "words", ()))
        system = getattr(row.type, "field", None)
        if system is not None and system in self.offline.options:
            words = [option.slug for option in self.offline.options[system]]
        title = getattr(row.type, "title", None)
        words = [o.title for f in self.offline.custom_fields if f.title == title for o in f.options] or words
        hint = nearest(value, words) if isinstance(value, str) and error.code.startswith("unknown") else ""
        return error.code, error.summary + hint, error.detail

    def _rules(self, kind: Kind, resource: Resource, row: Attribute) -> None:
        """The rules of a plan: references, words of the attributes they look at, patterns of suites."""
        origin = self.assembly.origins[resource.address]
        members = next((getattr(each.type, "kind", "") for each in kind.members), "")
        for name, values in resource.local[row.name].items():
            about = BY_NAME[members].by_name.get(name) if members else None
            seen: dict[str, int] = {}
            for value in values:
                way = (row.name, name)
                address = ref_address(value)
                if address is not None:
                    if address not in self._declared:
                        self._dangling(resource, row.name, address, seen, way)
                elif found := self._rule_value(name, value, about, BY_NAME[members]):
                    self.report(resource, row.name, found, Target((*origin.path, *way), str(value)))

    def _rule_value(self, name: str, value: JSON, about: Attribute | None, kind: Kind) -> tuple[str, str, str] | None:
        if value == "":
            return "empty-rule", f"A value of the rule `{name}` is empty.", "It would match nothing. Name a value."
        if name == "suites" and not is_suite_glob(str(value)):
            detail = (
                "Patterns match the keys of suites: `checkout` is that suite alone, `checkout/**` all below as well."
            )
            return "bad-pattern", f"{printable(str(value))!r} is no pattern.", detail
        if about is None or not isinstance(value, str):
            return None
        if isinstance(about.type, Words) and value not in about.type.words:
            words = about.type.words
            summary = f"`{name}` has no option {printable(value)!r}.{nearest(value, words)}"
            return "unknown-word", summary, f"It takes {', '.join(words)}."
        if about.name in {row.name for row in _WORDS[kind.name]}:
            error = self._resolve(kind, about, value)
            return self._explained(about, value, error) if error else None
        return None

    # --- the whole

    def _titles(self) -> None:
        """Two objects with the same title in one place cannot be told apart by the natural key."""
        seen: dict[tuple[str, str, str], Resource] = {}
        for resource in self.assembly.resources.values():
            kind = BY_NAME[resource.address.kind]
            title = normal_text(resource.attributes.get("title"))
            place = str(resource.attributes.get(kind.parent)) if kind.parent else ""
            first = seen.setdefault((kind.name, place, title), resource) if title else resource
            if first is not resource:
                where = f" in the same {kind.parent}" if kind.parent else ""
                summary = f"This {kind.label} has the same title{where} as {first.address} ({first.source})."
                detail = f"{printable(title)!r}: people cannot tell them apart, nor can adoption by title."
                self.assembly.problems.add(
                    resource.source,
                    "same-title",
                    summary,
                    detail,
                    severity=Severity.WARNING,
                    address=str(resource.address),
                )

    def _scope(self) -> None:
        patterns = self.assembly.settings.scope.suites
        if patterns is None:
            return
        for resource in self.assembly.resources.values():
            kind = BY_NAME[resource.address.kind]
            around = list(self._outwards(kind, resource)) if kind.owned_by_scope else []
            if around and not in_scope(patterns, around):
                where = "the project's root" if around[0] is None else f"the suite `{around[0]}`"
                summary = f"{resource.address} is outside the scope: it lies in {where}."
                if kind.nested_keys:
                    summary = f"{resource.address} is outside the scope."
                limits = ", ".join(patterns) or "nothing"
                detail = f"qase.yaml limits this folder to {limits}. Widen `scope.suites`, or move it."
                self.assembly.problems.add(
                    resource.source, "out-of-scope", summary, detail, address=str(resource.address)
                )

    def _outwards(self, kind: Kind, resource: Resource) -> Iterator[str | None]:
        """The suites around an object, from the nearest; nothing when that is one this folder does not manage."""
        if kind.nested_keys:
            yield resource.address.key
        around = resource.attributes.get(kind.parent or "")
        if around is None and not kind.nested_keys:
            yield None
        while (address := ref_address(around)) is not None:
            outer = Address.parse(address)
            yield outer.key
            found = self.assembly.resources.get(outer)
            around = found.attributes.get(BY_NAME[outer.kind].parent or "") if found else None
