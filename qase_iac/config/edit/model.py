"""What may be asked of the files, and what comes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from qase_iac.model import Desired
from qase_iac.values import JSON, Address, Attributes


@dataclass(frozen=True, slots=True)
class Set:
    """The attribute of a declared object says `value`, in written form: what content files say, as `dump` takes it.

    `name` is that of a row, or `custom_fields.TITLE`. Paths may be `FilePath`s. A case's `suite` is a `Move`.
    """

    address: Address
    name: str
    value: JSON


@dataclass(frozen=True, slots=True)
class Unset:
    """The attribute's lines are taken out: it is no longer managed, or a default counts."""

    address: Address
    name: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The declaration is taken out. What is nested in it must be removed or moved as well."""

    address: Address


@dataclass(frozen=True, slots=True)
class Add:
    """A new object. `attributes` in written form, without its place; `place` as in `Move`."""

    address: Address
    attributes: Attributes
    place: JSON = None


@dataclass(frozen=True, slots=True)
class Move:
    """A case into another suite. `place` is the suite's key, None for the project's root, or `{"external…": …}`."""

    address: Address
    place: JSON


Edit = Set | Unset | Remove | Add | Move


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A content file before and after: `path` below the project folder; None is a file that is not there."""

    path: str
    before: bytes | None
    after: bytes | None

    @property
    def digest(self) -> str | None:
        """sha256 of the file that was edited, None for a new one."""
        return hashlib.sha256(self.before).hexdigest() if self.before is not None else None


@dataclass(frozen=True, slots=True)
class Failed:
    """An edit that was not made, and why, for people; `file` is where the object stands, "" for none."""

    edit: Edit
    why: str
    file: str = ""

    def __str__(self) -> str:
        what = f"{self.edit.address}" + (f" ({self.edit.name})" if isinstance(self.edit, Set | Unset) else "")
        where = f" in {self.file}" if self.file else ""
        return f"{what} could not be edited in place{where}: {self.why}. Do it by hand."


@dataclass(frozen=True)
class Edited:
    """The files in the order of their paths, and what could not be done. Edits that failed left no trace in them."""

    files: tuple[FileEdit, ...] = ()
    failed: tuple[Failed, ...] = ()
    places: Mapping[Address, str] = field(default_factory=dict)
    """address -> file, of what was added or moved."""
    desired: Desired | None = None
    """What loading the files gives then."""
