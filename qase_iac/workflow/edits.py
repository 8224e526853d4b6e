"""What Qase holds, as edits of the files: what carries changes from Qase back has this in common. Writes nothing.

scribe = Scribe(snapshot, keys, paths)
taken = scribe.take(resource, live, names)      # the files say of these attributes what Qase holds
new = scribe.add(live, key)                     # the files declare what they did not
edited = edit_files(…, [each.edit for each in (*taken, *new)])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from qase_iac.attributes import CUSTOM_FIELD_PREFIX, RefTo, normal_text
from qase_iac.config.edit import Add, Edit, Failed, Move, Set, Unset
from qase_iac.convert.notes import Notes
from qase_iac.convert.yaml_form import Said, YamlForm
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.plan.steps import pair
from qase_iac.values import JSON, Attributes, RemoteId

_MISSING: Any = object()


class Untold(QaseIacError):
    """What Qase holds has no place in the files; says why."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An edit, and what the state may record once it is made: `sent` by attribute, `dropped` are known no longer."""

    edit: Edit
    sent: Attributes = field(default_factory=dict)
    dropped: tuple[str, ...] = ()


@dataclass
class Scribe:
    """Puts live objects into the words of one project folder.

    `keys` maps kind -> id -> key of all that the files declare, or are going to; `paths` the hash of a file in Qase to
    its path below the project folder. `notes` gathers what the format cannot say, for people.
    """

    snapshot: Snapshot
    keys: Mapping[str, Mapping[RemoteId, str]]
    paths: Mapping[str, str] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)

    used: set[str] = field(default_factory=set)
    """The hashes of the files that were named."""

    def _said(self, live: LiveObject, notes: Notes) -> Said:
        """The object as a content file says it, what its place says left out."""
        form = YamlForm(self.snapshot.catalogue, self.keys, self.paths, notes, self.used)
        return form.of(BY_NAME[live.kind], live)

    def add(self, live: LiveObject, key: str) -> tuple[Add, Said]:
        """A new entry for the object."""
        kind, said = BY_NAME[live.kind], self._said(live, self.notes)
        attributes = {name: value for name, value in said.attributes.items() if name != kind.parent}
        return Add(kind.address(key), attributes, self.place(live)), said

    def place(self, live: LiveObject) -> JSON:
        """Where an object lies, as `Add` and `Move` take it."""
        kind = BY_NAME[live.kind]
        row = kind.by_name.get(kind.parent or "")
        value = live.attributes.get(row.name) if row else None
        if row is None or value is None or not isinstance(row.type, RefTo):
            return None
        return self.keys.get(row.type.kind, {}).get(value) or {"external_id": value}

    def take(self, resource: Resource, live: LiveObject, names: Iterable[str]) -> tuple[list[Taken], list[Failed]]:
        """What makes the files say of the attributes `names` what Qase holds, and what cannot be said."""
        kind, said = BY_NAME[live.kind], self._said(live, Notes())
        taken: list[Taken] = []
        failed: list[Failed] = []
        for name in kind.sort_names(names):
            try:
                taken += self._one(kind, resource, live, said, name)
            except Untold as reason:
                failed.append(Failed(Set(resource.address, name, None), reason.summary, resource.source.file))
        return taken, failed

    def _one(self, kind: Kind, resource: Resource, live: LiveObject, said: Said, name: str) -> Iterator[Taken]:
        address, held = resource.address, live.attributes.get(name)
        if name == kind.parent:
            yield Taken(Move(address, self.place(live)), {name: held})
            return
        if name in (row.name for row in kind.members) and "select" in resource.local:
            raise Untold("what it holds is chosen by `select`, and in Qase it is something else")
        value = written(said, name)
        if name in said.ignored or (value is _MISSING and not _is_empty(held)):
            why = said.why.get(name, "the format does not have it")
            raise Untold(
                f"the files cannot say what Qase holds ({why}); change it there, or leave it to Qase with "
                f"`ignore_changes: [{name}]`"
            )
        if value is not _MISSING:
            yield Taken(Set(address, name, without_carried(value, held, resource.attributes.get(name))), {name: held})
            return
        other = _successor(kind, name, said)
        if other is None:
            yield Taken(Set(address, name, False if held is False else None), {name: held})
        else:
            yield Taken(Unset(address, name), dropped=(name,))
            yield Taken(Set(address, other, said.attributes[other]), {other: live.attributes.get(other)})


def written(said: Said, name: str) -> JSON:
    """The value of an attribute in its written form; a custom field's by `custom_fields.TITLE`."""
    if name.startswith(CUSTOM_FIELD_PREFIX):
        fields = said.attributes.get(CUSTOM_FIELD_PREFIX.removesuffix("."), {})
        return fields.get(name.removeprefix(CUSTOM_FIELD_PREFIX), _MISSING)
    return said.attributes.get(name, _MISSING)


def without_carried(value: JSON, held: JSON, declared: JSON) -> JSON:
    """Written steps without the attachments of those that leave them to Qase, as the files did (authoring.md).

    `held` are the live ones, one for one; `declared` the steps as the files have them.
    """
    if not (isinstance(value, list) and isinstance(held, list) and isinstance(declared, list)):
        return value
    if len(value) != len(held) or not all(isinstance(step, dict) for step in (*held, *declared)):
        return value
    found = list(value)
    for mine, theirs in pair(held, declared):
        step, partner = value[mine], declared[theirs]
        if not isinstance(step, dict) or "shared" in partner:
            continue
        quiet = {name: each for name, each in step.items() if name != "attachments" or name in partner}
        if quiet.get("steps") and partner.get("steps"):
            quiet["steps"] = without_carried(quiet["steps"], held[mine].get("steps"), partner["steps"])
        found[mine] = quiet
    return found


def _is_empty(value: JSON) -> bool:
    return value in (None, False, [], {}) or (isinstance(value, str) and not normal_text(value))


def _successor(kind: Kind, name: str, said: Said) -> str | None:
    """The attribute that Qase holds in place of one: gherkin for steps, and the other way."""
    for both in kind.exclusive:
        if name in both and both[both[0] == name] in said.attributes:
            return both[both[0] == name]
    return None
