"""Live values in the form in which people write them: by the types of the tables' rows, whatever the kind.

An attribute without a value is left out. One that Qase holds and the format cannot say (an option that was deleted, a
field whose title two fields bear) is left out with a note; it is then not managed, so no plan will touch it. What is
required and cannot be said as it is (an empty title, a step without an action) is said somehow and put under
`ignore_changes`, for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, Attribute, CustomFields, RefTo, ResolveError, Steps, Text
from qase_iac.attributes.refs import HASH, HASH_KINDS
from qase_iac.config.writer import FilePath
from qase_iac.convert.forms import NO_ACTION, Unsaid, form_of
from qase_iac.convert.notes import Notes
from qase_iac.kinds import Kind
from qase_iac.model import Catalogue, LiveObject
from qase_iac.values import JSON, Address, Attributes, RemoteId


@dataclass
class Said:
    """One object in YAML form. `live` holds the live values of what is managed, `refs` the addresses referred to.
    `why` says of an attribute why the format cannot say it as it is."""

    attributes: Attributes = field(default_factory=dict)
    live: Attributes = field(default_factory=dict)
    refs: dict[str, None] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)


@dataclass
class YamlForm:
    """`keys` maps kind -> id -> key of everything that is exported, `paths` the hash of a file -> its path."""

    catalogue: Catalogue
    keys: Mapping[str, Mapping[RemoteId, str]]
    paths: Mapping[str, str]
    notes: Notes
    used: set[str] = field(default_factory=set)
    _said: Said = field(default_factory=Said)
    _unsound: str = ""

    def of(self, kind: Kind, live: LiveObject) -> Said:
        """The object as a content file says it, what its place says left out."""
        said = self._said = Said()
        for row in kind.attributes:
            if row.local or row.structural or row.create_only:
                continue
            if isinstance(row.type, CustomFields):
                self._custom_fields(kind, live)
            elif row.name == kind.parent:
                self._place(row, live)
            else:
                self._attribute(kind, row, live)
        self._check_encoding(kind, live)
        if said.ignored:
            said.attributes["ignore_changes"] = said.ignored
        return said

    # --- one attribute

    def _attribute(self, kind: Kind, row: Attribute, live: LiveObject) -> None:
        self._unsound = ""
        try:
            value = form_of(row.type)(self, row, live.attributes.get(row.name))
        except Unsaid as reason:
            self._said.why[row.name] = str(reason)
            self._note(kind, live, f"not exported, {reason}: {row.name} of {kind.label}s")
            return
        if value is None and row.required:
            self._stand_in(kind, row, live)
        elif value is not None:
            self._said.attributes[row.name] = value
            if self._unsound:
                self._ignore(kind, row.name, live, self._unsound)
            else:
                self._said.live[row.name] = live.attributes.get(row.name)

    def _stand_in(self, kind: Kind, row: Attribute, live: LiveObject) -> None:
        """Something for a required attribute that is empty in Qase, or that the format cannot say."""
        empty: JSON = [NO_ACTION] if isinstance(row.type, Steps) else f"Untitled {kind.label} {live.id}"
        if isinstance(row.type, Text) and (words := " ".join((live.attributes.get(row.name) or "").split())):
            empty = words[: row.type.limit]
        self._said.attributes[row.name] = empty
        steps = "it has no steps, and the files want one"
        text = "it is empty or too long, or has more than one line"
        self._ignore(kind, row.name, live, steps if isinstance(row.type, Steps) else text)

    def _ignore(self, kind: Kind, name: str, live: LiveObject, why: str) -> None:
        self._said.ignored.append(name)
        self._said.why[name] = why
        what = f"not sayable as it is, so written otherwise and put under ignore_changes: {name} of {kind.label}s"
        self._note(kind, live, what)

    def _note(self, kind: Kind, live: LiveObject, what: str) -> None:
        self.notes.add(what, f"{kind.label} {live.id}")

    def _place(self, row: Attribute, live: LiveObject) -> None:
        """A case's suite: the folder says it, unless the suite is not exported."""
        value = live.attributes.get(row.name)
        assert isinstance(row.type, RefTo)
        if value is not None and value not in self.keys.get(row.type.kind, {}):
            self._said.attributes[row.name] = {"external_id": value}
        elif value is not None:
            self.reference(row.type.kind, value)
        self._said.live[row.name] = value

    def _check_encoding(self, kind: Kind, live: LiveObject) -> None:
        """Lone surrogates: JSON can carry them, no file can."""
        for name, value in self._said.attributes.items():
            if not _encodes(value) and self._said.live.pop(name, None) is not None:
                self._ignore(kind, name, live, "it holds half a sign, which no file can")

    def unsound(self, why: str) -> None:
        """What is being said is not quite what Qase holds."""
        self._unsound = why

    # --- references

    def reference(self, kind: str, id: JSON) -> JSON:
        """A key, or `{external_id: …}` of what is not exported."""
        key = self.keys.get(kind, {}).get(id)
        if key is not None:
            self._said.refs[str(Address(kind, key))] = None
            return key
        if kind in HASH_KINDS and not HASH.match(str(id)):
            raise Unsaid("a reference by something that is no hash")
        return {"external_id": id}

    def file(self, hash: str) -> FilePath | None:
        """The path of an attachment, None when there is nowhere to get it from."""
        if hash not in self.paths:
            self.notes.add("attachments without an address to get them from, left alone", hash)
            return None
        self.used.add(hash)
        return FilePath(self.paths[hash])

    # --- custom fields

    def _custom_fields(self, kind: Kind, live: LiveObject) -> None:
        found: dict[str, JSON] = {}
        for name, value in live.attributes.items():
            if not name.startswith(CUSTOM_FIELD_PREFIX) or (_is_empty(kind, name, value) and not self._fills_in(name)):
                continue
            if self._same_after_all(kind.attribute(name), value) and _encodes([name, value]):
                found[name.removeprefix(CUSTOM_FIELD_PREFIX)] = value
                self._said.live[name] = value
            else:
                self._said.why[name] = "the value or the title is not unique or was deleted"
                self._note(kind, live, f"not exported, {self._said.why[name]}: {name}")
        if found:
            self._said.attributes[CUSTOM_FIELD_PREFIX.removesuffix(".")] = found

    def _fills_in(self, name: str) -> bool:
        """Whether Qase gives a case that does not mention the field a value of its own."""
        try:
            field = self.catalogue.field(name.removeprefix(CUSTOM_FIELD_PREFIX))
        except LookupError:
            return False
        return field is not None and bool(field.default)

    def _same_after_all(self, row: Attribute, value: JSON) -> bool:
        """Whether a custom field's value, written down and read again, is the same."""
        try:
            read = row.type.resolve(_source(value), row, self.catalogue)
        except ResolveError:
            return False
        return bool(row.type.canon(read) == row.type.canon(value))


def _is_empty(kind: Kind, name: str, value: JSON) -> bool:
    return kind.canon(name, value) is None or value is False


def _source(value: JSON) -> JSON:
    """A custom field's value as the loader would give it: source text, or nothing."""
    if value is None:
        return None
    if isinstance(value, list):
        return [str(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encodes(value: JSON) -> bool:
    """Whether a value holds nothing that UTF-8 cannot say."""
    match value:
        case str():
            try:
                value.encode()
            except UnicodeEncodeError:
                return False
            return True
        case dict():
            return all(_encodes(key) and _encodes(item) for key, item in value.items())
        case list():
            return all(map(_encodes, value))
    return True
