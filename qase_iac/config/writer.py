"""Values -> a new project folder. Whole or not at all: it is written beside its place and then moved there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from qase_iac.config.dump import dump
from qase_iac.config.files import PROJECT_FILE
from qase_iac.config.layout import ATTACHMENTS, SuitePlace
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.values import JSON, Attributes, printable

Layout = Literal["suite", "case"]
LAYOUTS: tuple[Layout, ...] = ("suite", "case")

MAX_PART = 2 * 1024 * 1024
"""A file of sections is split here: far below what the loader refuses, and still something to review."""


GITIGNORE = "# State, emulator database, cache and backups of qase-iac\n.qase-iac/\n"
"""What a new project folder keeps out of version control."""


class FilePath(str):
    """A path below the project folder, inside attributes; written relative to the content file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class WritableFile:
    """A file to be put into the folder at `path`. `hash`, `name`, `url` and `size` are what Qase says of it."""

    hash: str
    name: str
    url: str
    size: int | None
    path: str


@dataclass(slots=True)
class WritableObject:
    """One object. `attributes` are in YAML form, in the order of the table, without what the place says.

    `suite` is the place's owner: a case's suite, None at the root; suites have their place in `WritableProject.suites`.
    """

    kind: str
    key: str
    attributes: Attributes
    suite: str | None = None


@dataclass
class WritableProject:
    """A project folder as values.

    `settings` is the content of qase.yaml. `suites` maps a suite's key to where it stands. `documents` are further
    YAML files that are no content (the emulator's seed). `notes` say what could not be kept as it was, for people.
    """

    settings: dict[str, JSON]
    objects: list[WritableObject] = field(default_factory=list)
    suites: dict[str, SuitePlace] = field(default_factory=dict)
    documents: dict[str, JSON] = field(default_factory=dict)
    files: list[WritableFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """How many objects of a kind there are."""
        return sum(each.kind == kind for each in self.objects)


@dataclass(frozen=True)
class Written:
    """What was written: paths below the target in order, and for each attachment sha256 -> hash, name, size.

    Of files with the same content the first one's hash counts; `also` lists the others'.
    """

    paths: tuple[str, ...]
    files: Mapping[str, dict[str, JSON]]


Fetch = Callable[[WritableFile], bytes]
Finish = Callable[[Path, Written], None]


def write_project(
    target: Path,
    project: WritableProject,
    layout: Layout = "suite",
    *,
    fetch: Fetch | None = None,
    schema: str = "",
    finish: Finish | None = None,
) -> Written:
    """Writes the folder. `fetch` gives the content of attachments; `schema` is a path or address for editors.

    `finish` may add to the folder before it is moved to its place; when it raises, nothing is left behind.

    Raises QaseIacError when `target` exists and is not empty, or cannot be written; then nothing was.
    """
    check_target(target)
    texts = dict(_texts(project, layout, schema))
    try:
        parent = target.absolute().parent
        parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".new", dir=parent))
        try:
            folder = _Folder(work)
            for path, text in texts.items():
                folder.put(path, text.encode())
            files = _attachments(folder, project.files, fetch)
            written = Written((*texts, *(each.path for each in project.files)), files)
            if finish:
                finish(work, written)
            _into_place(work, target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise QaseIacError(
            f"The folder {printable(str(target))} cannot be written: {error.strerror or type(error).__name__}.",
            f"It happened at {printable(str(error.filename))}." if error.filename else "",
            "Nothing was left behind. Give it room and rights, and try again.",
        ) from None
    return written


def check_target(target: Path) -> None:
    """Raises QaseIacError unless a project folder may be written at `target`: nothing is there, or an empty folder."""
    shown = printable(str(target))
    try:
        if os.path.lexists(target) and not target.is_dir():
            raise QaseIacError(f"{shown} exists and is no folder.", hint="Name a new or an empty folder.")
        if target.is_dir() and (found := sorted(os.listdir(target))):
            raise QaseIacError(
                f"The folder {shown} is not empty.",
                f"It holds {printable(found[0])}" + (f" and {len(found) - 1} more." if len(found) > 1 else "."),
                "Nothing is ever written over. Name a new or an empty folder.",
            )
    except OSError as error:
        raise QaseIacError(f"{shown} cannot be looked at: {error.strerror or type(error).__name__}.") from None


# --- the texts


def _texts(project: WritableProject, layout: Layout, schema: str) -> Iterator[tuple[str, str]]:
    """Path -> text of every YAML file."""
    head = f"# yaml-language-server: $schema={schema}\n" if schema else ""
    yield PROJECT_FILE, dump(project.settings)
    for name, document in project.documents.items():
        yield name, dump(document)
    for (folder, kind), objects in _by_place(project).items():
        prefix = folder + "/" if folder else ""
        if kind.file_name:
            for each in objects:
                yield f"{prefix}{kind.file_name}.yaml", head + dump(_one_object(project, each, prefix))
        elif kind.file_suffix and layout == "case":
            for each in objects:
                yield f"{prefix}{each.key}{kind.file_suffix}.yaml", head + dump(_attributes(project, each, prefix))
        else:
            for at, text in enumerate(_parts(project, kind, objects, prefix), start=1):
                part = f"_{at:03}" if at > 1 else ""  # `_` sorts after `.`: the first part comes first
                yield f"{prefix}{kind.section}{part}.yaml", head + text


def _by_place(project: WritableProject) -> dict[tuple[str, Kind], list[WritableObject]]:
    """(folder, kind) -> objects; kinds in their order, objects in the order given."""
    found: dict[str, dict[tuple[str, Kind], list[WritableObject]]] = {kind.name: {} for kind in CONTENT_KINDS}
    for each in project.objects:
        kind = BY_NAME[each.kind]
        owner = each.key if kind.file_name else each.suite
        folder = project.suites[owner].folder if owner is not None else ""
        found[kind.name].setdefault((folder, kind), []).append(each)
    return {place: objects for places in found.values() for place, objects in places.items()}


def _one_object(project: WritableProject, each: WritableObject, prefix: str) -> Attributes:
    explicit = project.suites[each.key].explicit
    return {**({"key": explicit} if explicit else {}), **_attributes(project, each, prefix)}


def _parts(project: WritableProject, kind: Kind, objects: Iterable[WritableObject], prefix: str) -> Iterator[str]:
    """The texts of the files of one section: one, or several when it grows too long. Entries have a line between."""
    head = f"{kind.section}:\n"
    entries: list[str] = []
    size = 0
    for each in objects:
        entry = _indented_entry(each.key, _attributes(project, each, prefix))
        if entries and size + len(entry) > MAX_PART:
            yield head + "".join(entries)
            entries, size = [], 0
        if entries and not entries[-1].endswith("\n\n"):  # such a one ends in a block that keeps its last lines
            entries.append("\n")
        entries.append(entry)
        size += len(entry)
    yield head + "".join(entries)


def _indented_entry(key: str, attributes: Attributes) -> str:
    """One entry of a section, as `dump` of the whole section would write it."""
    return dump({"-": {key: attributes}}).partition("\n")[2]


def _attributes(project: WritableProject, each: WritableObject, prefix: str) -> Attributes:
    """The attributes of an object that is written to the folder `prefix`."""
    attributes: Attributes = _relocated(each.attributes, prefix) if project.files else each.attributes
    return attributes


def _relocated(value: JSON, prefix: str) -> JSON:
    """`value` with paths relative to the folder `prefix`."""
    if isinstance(value, FilePath):
        return "../" * prefix.count("/") + value
    if isinstance(value, dict):
        return {key: _relocated(item, prefix) for key, item in value.items()}
    return [_relocated(item, prefix) for item in value] if isinstance(value, list) else value


# --- the files


@dataclass
class _Folder:
    """A folder that is being written. Names are made of keys; still, nothing is written that would lie outside."""

    root: Path
    _made: set[Path] = field(default_factory=set)

    def put(self, name: str, data: bytes) -> None:
        path = Path(os.path.normpath(self.root / name))
        if path.parent not in self._made:
            if self.root not in path.parents:
                summary = f"{printable(name)} would be written outside the folder."
                raise QaseIacError(summary, hint="This is a bug: report it.")
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        with open(path, "xb") as file:
            file.write(data)


def _attachments(folder: _Folder, files: Iterable[WritableFile], fetch: Fetch | None) -> dict[str, dict[str, JSON]]:
    found: dict[str, dict[str, JSON]] = {}
    for each in files:
        if fetch is None:
            raise QaseIacError(
                f"The attachment {printable(each.name)} has no content.", hint="This is a bug: report it."
            )
        data = fetch(each)
        folder.put(each.path, data)
        entry: dict[str, JSON] = {"hash": each.hash, "name": each.path.rpartition("/")[2], "size": len(data)}
        known = found.setdefault(hashlib.sha256(data).hexdigest(), entry)
        if known["hash"] != each.hash:
            known.setdefault("also", []).append(each.hash)
    return found


def _into_place(work: Path, target: Path) -> None:
    """Moves a written folder to its place. An empty folder that is there stays: someone may stand in it."""
    if not target.is_dir():
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(work, 0o777 & ~mask)
        os.rename(work, target)
        return
    check_target(target)
    moved: list[Path] = []
    try:
        for name in sorted(os.listdir(work)):
            os.rename(work / name, target / name)
            moved.append(target / name)
    except OSError:
        for path in moved:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise


def attachment_excludes(files: Iterable[WritableFile]) -> list[str]:
    """What `exclude:` must say so that no attachment is taken for content."""
    content = any(each.path.lower().endswith((".yaml", ".yml")) for each in files)
    return [f"{ATTACHMENTS}/**"] if content else []
