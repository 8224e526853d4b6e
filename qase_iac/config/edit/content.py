"""What a text declares, by the loader's own parsers: the net under every splice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import yaml

from qase_iac.attributes import INVALID
from qase_iac.config.declarations import SECTIONS, FileContent, Path, flattened, shape_of
from qase_iac.config.dump import dump
from qase_iac.config.edit.objects import attribute_keys
from qase_iac.config.reporter import FileReporter
from qase_iac.config.sections import parse_document
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import has_errors
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.values import JSON, Attributes

Difference = tuple[Path, str]
"""The way to an object, and the attribute in which it differs; "" when it is there on one side only."""


@dataclass(frozen=True)
class Declared:
    """One object as its file declares it, canonical; `place` is the line and column of its key, 0 for a whole file."""

    kind: str
    key: str
    attributes: Attributes
    local: Attributes = field(default_factory=dict)
    rest: JSON = None
    place: tuple[int, int] = (0, 0)

    def with_value(self, name: str, value: JSON) -> Declared:
        """With an attribute set, or, for `INVALID`, taken out."""
        row = BY_NAME[self.kind].by_name.get(name)
        old = self.local if row is not None and row.local else self.attributes
        new = {each: item for each, item in old.items() if each != name} | ({} if value is INVALID else {name: value})
        return replace(self, local=new) if old is self.local else replace(self, attributes=new)


@dataclass(frozen=True)
class Content:
    """Everything a file declares. `rest` is what is no object: moved, removed, adopt, defaults, policy."""

    objects: dict[Path, Declared]
    rest: JSON = None
    sound: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether the file declares nothing at all, so that it need not be there."""
        return not self.objects and not any(self.rest or ())


def content_of(text: str, name: str) -> Content:
    """What a text would declare as the file `name`; not `sound` when the loader finds an error in it."""
    document = read_yaml(text.encode(), name)
    reporter = FileReporter(name, document.text, document.diagnostics)
    found = parse_document(document.root, shape_of(name), reporter)
    return _content(found, not has_errors(reporter.diagnostics))


def _content(found: FileContent, sound: bool) -> Content:
    objects = {
        found.path(at): Declared(
            each.kind,
            each.key,
            each.attributes,
            each.local,
            [each.protect, each.ignore],
            (each.line, each.column),
        )
        for at, each in enumerate(found.declarations)
    }
    defaults = {
        kind: {name: placed[0] for name, placed in sorted(rows.items())} for kind, rows in found.defaults.items()
    }
    moved = [row[:2] for row in found.moved]
    rest = [moved, [row[0] for row in found.removed], [row[:2] for row in found.adopt], defaults, found.policy]
    return Content(objects, rest, sound)


def entry_content(section: str, key: str, attributes: Attributes) -> dict[Path, Declared]:
    """What an entry declares, by the way below the mapping that holds its section."""
    document = read_yaml(dump({section: {key: attributes}}).encode(), "new.yaml")
    reporter = FileReporter("new.yaml", document.text, document.diagnostics)
    found = parse_document(document.root, SECTIONS, reporter)
    if has_errors(reporter.diagnostics):
        raise QaseIacError(f"it is not valid: {reporter.diagnostics[0].summary.rstrip('.')}")
    return _content(found, True).objects


def canonical(kind: str, name: str, value: JSON) -> JSON:
    """The canonical form of a value in written form. Raises QaseIacError when the attribute does not take it."""
    keys = attribute_keys(name)
    written: JSON = value
    for each in reversed(keys):
        written = {each: written}
    document = read_yaml(dump(written).encode(), name)
    reporter = FileReporter(name, document.text, document.diagnostics)
    row = BY_NAME[kind].by_name.get(keys[0])
    parsed = INVALID
    if row is not None and isinstance(document.root, yaml.MappingNode):
        parsed = row.type.parse(document.root.value[0][1], row, reporter)
    if parsed is INVALID or has_errors(reporter.diagnostics):
        said = reporter.diagnostics[0].summary if reporter.diagnostics else f"a {kind} has no such attribute"
        raise QaseIacError(f"the value is not valid there: {said.rstrip('.')}")
    return flattened(BY_NAME[kind], keys[0], parsed)[name]


def same(kind: str, name: str, one: JSON, other: JSON) -> bool:
    """Whether two canonical values are equal for Qase."""
    if one == other:
        return True
    try:
        return bool(BY_NAME[kind].canon(name, one) == BY_NAME[kind].canon(name, other))
    except (TypeError, KeyError, AttributeError):
        return False


def differences(wanted: Content, found: Content) -> list[Difference] | None:
    """Where two contents differ; None when one cannot be read, or they differ in what is no object."""
    if wanted.is_empty and found.is_empty:
        return []
    if not found.sound or wanted.rest != found.rest:
        return None
    differing: list[Difference] = [(path, "") for path in wanted.objects.keys() ^ found.objects.keys()]
    for path in wanted.objects.keys() & found.objects.keys():
        differing += [(path, name) for name in differing_names(wanted.objects[path], found.objects[path])]
    return differing


def differing_names(one: Declared, other: Declared) -> list[str]:
    """The attributes in which two declarations differ; "" for anything else."""
    names = [""] if (one.kind, one.key, one.local, one.rest) != (other.kind, other.key, other.local, other.rest) else []
    missing = object()
    for name in sorted(one.attributes.keys() | other.attributes.keys()):
        a, b = one.attributes.get(name, missing), other.attributes.get(name, missing)
        if (a is missing) != (b is missing) or not same(one.kind, name, a, b):
            names.append(name)
    return names
