"""Where things stand, and where new ones go: by the layout that the folder has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from qase_iac.config.declarations import SECTIONS, Path, shape_of
from qase_iac.config.edit.work import FileWork
from qase_iac.config.file_globs import any_match
from qase_iac.config.file_walk import in_order
from qase_iac.config.settings import Settings
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired
from qase_iac.values import JSON, Address, printable, ref_address


@dataclass(frozen=True, slots=True)
class Home:
    """A place for an object: in a section below `container` of a file, or, when `whole`, a file of its own.

    `given`: the key of the suite that this place says; None for the root. `key`: what `key:` must say, "" for nothing.
    """

    file: str
    container: Path = ()
    whole: bool = False
    given: str | None = None
    key: str = ""


@dataclass
class Homes:
    """The places of all objects, kept up to date while new ones get theirs."""

    settings: Settings
    desired: Desired
    work: Callable[[str], FileWork]
    there: Callable[[str], bool]
    where: dict[Address, tuple[str, Path]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """`folders` maps a folder that is a suite to the suite's key."""
        for address, resource in self.desired.resources.items():
            kind, file = BY_NAME[address.kind], resource.source.file
            if kind.file_name and shape_of(file) == kind.name:
                self.folders[_folder(file)] = address.key

    def find(self, address: Address) -> tuple[FileWork, Path]:
        """The file of an object and the way to it. Raises QaseIacError."""
        found = self.where.get(address)
        if found is not None:
            return self.work(found[0]), found[1]
        resource = self.desired.resources.get(address)
        if resource is None:
            raise QaseIacError("it is not declared")
        work = self.work(resource.source.file)
        path = work.place(resource.source.line, resource.source.column)
        if path is None or (path and path[-1] != address.key.rpartition("/")[2]):
            raise QaseIacError("the file has changed since it was read")
        return work, path

    def nearest(self, folder: str) -> str | None:
        """The key of the suite that files in a folder lie in."""
        while folder not in self.folders and folder:
            folder = _folder(folder)
        return self.folders.get(folder)

    # --- new places

    def home(self, kind: Kind, key: str, place: JSON) -> Home:
        """Where a new object goes. `place` as in `Move`. Raises QaseIacError when no place fits."""
        if kind.file_name:
            return self._suite(kind, key, place)
        if not kind.parent:
            return self._in_folder(kind, key, "", self._files(kind))
        folder, given = "", None
        if isinstance(place, str):
            work, path = self.find(Address(str(getattr(kind.by_name[kind.parent].type, "kind", "")), place))
            if path:
                return Home(work.name, path, given=place)
            folder, given = _folder(work.name), place
        known = self._files(kind, given)
        fitting = [file for file in known if self.nearest(_folder(file)) == given]
        beside = [file for file in fitting if _folder(file) == folder]
        return self._in_folder(kind, key, folder, beside or (fitting if place is None else []))

    def _files(self, kind: Kind, place: JSON = "") -> list[str]:
        """The files in which objects of a kind stand by themselves; only those of the suite `place`, if it is given."""
        found: dict[str, None] = {}
        for address, resource in self.desired.resources.items():
            fits = address.kind == kind.name and address not in self.where
            if fits and (place == "" or self._suite_of(address) == place):
                found[resource.source.file] = None
        for address, (file, _) in self.where.items():
            if address.kind == kind.name:
                found[file] = None
        return [file for file in found if shape_of(file) != SECTIONS or self._holds(file, kind)]

    def _holds(self, file: str, kind: Kind) -> bool:
        """Whether a file has such objects at its top, now or as planned."""
        ways = [path for name, path in self.where.values() if name == file]
        return any(len(path) == 2 and path[0] == kind.section for path in [*self.work(file).content.objects, *ways])

    def _suite_of(self, address: Address) -> JSON:
        resource = self.desired.resources.get(address)
        parent = BY_NAME[address.kind].parent
        target = ref_address(resource.attributes.get(parent)) if resource and parent else None
        return Address.parse(target).key if target else None

    def _in_folder(self, kind: Kind, key: str, folder: str, files: list[str]) -> Home:
        """Beside its like: in the last file of sections that holds such, else in a file of its own or a new one."""
        given = self.nearest(folder) if kind.parent else None
        prefix = folder + "/" if folder else ""
        sections = [file for file in files if shape_of(file) == SECTIONS]
        if sections:
            name = max(sections, key=in_order)
            return Home(name, given=self.nearest(_folder(name)) if kind.parent else None)
        if kind.file_suffix and (files or self._prefers_own_files(kind)):
            return self._new(Home(f"{prefix}{key}{kind.file_suffix}.yaml", whole=True, given=given))
        name = f"{prefix}{kind.section}.yaml"
        return Home(name, given=given) if self.is_content(name) else self._new(Home(name, given=given))

    def _prefers_own_files(self, kind: Kind) -> bool:
        shapes = Counter(shape_of(r.source.file) for a, r in self.desired.resources.items() if a.kind == kind.name)
        return shapes[kind.name] > shapes[SECTIONS]

    def _suite(self, kind: Kind, key: str, place: JSON) -> Home:
        if not (place is None or isinstance(place, str)):
            raise QaseIacError("a suite below one that is not declared here has no place in the files")
        parent = self.find(kind.address(place)) if place is not None else None
        prefix = f"{place}/" if place is not None else ""
        segment = key.removeprefix(prefix) if key.startswith(prefix) else ""
        if parent and parent[1]:
            return Home(parent[0].name, self._segment(parent[1], segment, key), given=place)
        folder = _folder(parent[0].name) if parent else ""
        beside = [file for file in self._files(kind, place) if shape_of(file) == SECTIONS]
        sections = [file for file in beside if self.nearest(_folder(file)) == place]
        if sections and "/" not in segment and segment:
            return Home(max(sections, key=in_order), given=place)
        return self._folder(kind, folder, segment or key, Home("", given=place, key="" if segment else f"/{key}"))

    def unfolded(self, kind: Kind, key: str, place: str | None) -> Home:
        """Where a nested suite goes to be a folder; the one around it, if any, is one. Raises QaseIacError."""
        around = self.find(kind.address(place))[0].name if place is not None else ""
        return self._folder(kind, _folder(around), key.rpartition("/")[2], Home("", given=place))

    def _folder(self, kind: Kind, folder: str, name: str, home: Home) -> Home:
        file = f"{folder}/{name}/{kind.file_name}.yaml" if folder else f"{name}/{kind.file_name}.yaml"
        return self._new(replace(home, file=file, whole=True))

    def _segment(self, container: Path, segment: str, key: str) -> Path:
        if not segment or "/" in segment:
            raise QaseIacError(
                f"the key of a suite nested there would begin with its parent's, {printable(key)} does not"
            )
        return container

    def is_content(self, name: str) -> bool:
        """Whether a file is one that was loaded, or is being made."""
        return any(r.source.file == name for r in self.desired.resources.values()) or any(
            file == name for file, _ in self.where.values()
        )

    def _new(self, home: Home) -> Home:
        """A new file. Raises QaseIacError when something stands there, or it would not be read."""
        shown = printable(home.file)
        if self.there(home.file) and not self.is_content(home.file):
            raise QaseIacError(f"it would go to {shown}, where a file stands that is no content")
        if any_match(list(self.settings.exclude), home.file) or not any_match(list(self.settings.content), home.file):
            raise QaseIacError(f"it would go to {shown}, which `exclude:` or `content:` leaves out")
        return home


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
