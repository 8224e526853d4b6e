"""What the folder must say after the edits, worked out without its files: to hold against what loading them gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qase_iac.attributes import Files, Parameters, RefSet, RefTo, Steps
from qase_iac.config.edit.content import canonical, same
from qase_iac.config.edit.model import Add, Edit, Move, Remove, Set, Unset
from qase_iac.config.edit.written import placed
from qase_iac.config.writer import FilePath
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired, Resource
from qase_iac.values import JSON, Address, Attributes, ref_address

_MISSING: Any = object()
_ANY: Any = object()
"""Whatever a default says; or nothing."""


class Expected:
    """The resources of `desired` as they are to be after `edits`."""

    def __init__(self, desired: Desired, edits: Iterable[Edit]) -> None:
        self.old = desired.resources
        self.values: dict[Address, Attributes] = {}
        self.gone: set[Address] = set()
        self.new: set[Address] = set()
        for edit in sorted(edits, key=lambda each: isinstance(each, Set | Unset)):
            self._take(edit)

    def _take(self, edit: Edit) -> None:
        kind = BY_NAME[edit.address.kind]
        values = self.values.setdefault(edit.address, {})
        match edit:
            case Set():
                values[edit.name] = edit.value
            case Unset():
                values[edit.name] = _ANY
            case Remove():
                self.gone.add(edit.address)
            case Add():
                self.new.add(edit.address)
                fields = edit.attributes.get("custom_fields") or {}
                values |= {name: value for name, value in edit.attributes.items() if name != "custom_fields"}
                values |= {f"custom_fields.{title}": value for title, value in fields.items()}
                values |= {kind.parent: edit.place} if kind.parent else {}
            case Move():
                values |= {kind.parent: edit.place} if kind.parent else {}

    def differences(self, now: Desired) -> list[tuple[Address, str]]:
        """(address, attribute) of all that is not as expected; "" for an object that should (not) be there."""
        wanted = (self.old.keys() | self.new) - self.gone
        found = [(address, "") for address in sorted(wanted ^ now.resources.keys())]
        for address in sorted(wanted & now.resources.keys()):
            found += [(address, name) for name in self._of_one(address, now.resources[address])]
        kept = [address for address in self.old if address in now.resources and address not in self.values]
        order = [address for address in now.resources if address in self.old and address not in self.values]
        return found or ([(order[0], "")] if kept != order else [])

    def _of_one(self, address: Address, now: Resource) -> Iterable[str]:
        kind, edited = BY_NAME[address.kind], self.values.get(address, {})
        old = self.old.get(address)
        before = old.attributes if old else {}
        for name in sorted(before.keys() | now.attributes.keys() | edited.keys()):
            value = now.attributes.get(name, now.local.get(name, _MISSING))
            if name in edited:
                as_asked = _as_asked(kind, name, edited[name], now, value)
            elif old is None or (kind.parent in edited and name not in before):
                as_asked = name in now.defaulted  # the new place says it; whoever asked may say otherwise
            else:
                as_asked = _paths(before.get(name, _MISSING)) == _paths(value)
                as_asked = as_asked or (
                    _MISSING not in (before.get(name, _MISSING), value) and same(kind.name, name, before[name], value)
                )
            if not as_asked:
                yield name
        if (
            old is not None
            and not edited
            and (old.protect, old.policy, old.local) != (now.protect, now.policy, now.local)
        ):
            yield ""


def _as_asked(kind: Kind, name: str, asked: JSON, now: Resource, value: JSON) -> bool:
    if asked is _ANY:
        return value is _MISSING or name in now.defaulted
    if name == kind.parent:
        wanted: JSON = asked
        if isinstance(asked, str):
            return ref_address(value) == str(Address(str(getattr(kind.by_name[name].type, "kind", "")), asked))
        return bool(wanted == value)
    if name not in kind.by_name and not name.startswith("custom_fields."):
        return True  # `protect` and `ignore_changes`
    if value is _MISSING:
        return False
    try:
        wanted = canonical(kind.name, name, placed(asked, now.source.file))
    except QaseIacError:
        return False
    return same(kind.name, name, _named(_paths(wanted)), _named(_paths(value)))


def _paths(value: JSON) -> JSON:
    """Files by nothing but their name: whether they are there yet makes no difference here."""
    if isinstance(value, dict) and "path" in value:
        return {"path": value["path"]}
    if isinstance(value, dict):
        return {name: _paths(each) for name, each in value.items()}
    return [_paths(each) for each in value] if isinstance(value, list) else value


def same_but_paths(kind: str, name: str, one: JSON, other: JSON) -> bool:
    """Whether two canonical values are equal for Qase, wherever the files in them lie by now."""
    return one == other or same(kind, name, _named(_paths(one)), _named(_paths(other)))


def _named(value: JSON) -> JSON:
    """Paths by their last part: as written they count from the content file, loaded from the project folder."""
    if isinstance(value, dict) and value.keys() == {"path"}:
        return {"path": str(value["path"]).rpartition("/")[2]}
    if isinstance(value, dict):
        return {name: _named(each) for name, each in value.items()}
    return [_named(each) for each in value] if isinstance(value, list) else value


def authored(kind: Kind, name: str, value: JSON) -> JSON:
    """A canonical value as content files write it: references by key."""
    row = kind.attribute(name)
    if isinstance(row.type, RefTo):
        return _reference(value)
    if isinstance(row.type, RefSet):
        return [_reference(each) for each in value]
    if isinstance(row.type, Steps):
        return [_step(each) for each in value]
    if isinstance(row.type, Files):
        return [FilePath(each["path"]) for each in value]
    if isinstance(row.type, Parameters):
        return [
            {"shared": each["shared"]["external"]} if isinstance(each.get("shared"), dict) else each for each in value
        ]
    return value


def _reference(value: JSON) -> JSON:
    address = ref_address(value)
    return Address.parse(address).key if address else value


def _step(value: dict[str, JSON]) -> JSON:
    step = dict(value)
    if "shared" in step:
        step["shared"] = _reference(step["shared"])
    if "attachments" in step:
        step["attachments"] = [FilePath(each["path"]) for each in step["attachments"]]
    if "steps" in step:
        step["steps"] = [_step(each) for each in step["steps"]]
    return step
