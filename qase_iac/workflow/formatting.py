"""`fmt`: which files are laid out anew, and what comes of each. No state, no Qase, no token."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qase_iac.config import files
from qase_iac.config.edit import FileEdit, write
from qase_iac.config.file_walk import SUFFIXES, below, in_order
from qase_iac.config.format import canonical
from qase_iac.config.settings import load_settings
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.errors import ConfigurationError, QaseIacError, SafetyRefusal
from qase_iac.values import printable
from qase_iac.workflow.owners import project_folders

UNREADABLE = frozenset({"unreadable", "file-too-large"})
"""Of what is wrong with a folder: files that would have been laid out. The rest is for `validate` to say."""
NOT_PROVEN = "not-formatted"


@dataclass
class Formatted:
    """`changed` are the files that were rewritten, or would be, by paths seen from where the command stands.

    `invalid` are files that cannot be read as YAML, `refused` those that were left alone for safety, `passed` the
    named ones that are no files of a project folder. `seen` counts the files that were looked at.
    """

    changed: list[FileEdit] = field(default_factory=list)
    invalid: list[Diagnostic] = field(default_factory=list)
    refused: list[Diagnostic] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    seen: int = 0


@dataclass(frozen=True)
class _Target:
    """A file by its name below its project folder, and by the path that people are shown."""

    root: Path
    file: files.SourceFile
    shown: str


def format_files(base: Path, paths: Sequence[str], environment: Mapping[str, str], *, dry: bool) -> Formatted:
    """Lays out what `paths` (from `base`) name: files, or folders with all of their project's files below.

    Without paths all files of the project folder `base`. `dry`: nothing is written. Each file is replaced at once,
    and only when it is still what was read. Raises ConfigurationError where there is no project folder, QaseIacError
    for a path that is not there, before anything is written; and when the disk fails.
    """
    result = Formatted()
    for target in _targets(base, paths, environment, result):
        result.seen += 1
        _one(target, result, dry)
    result.invalid = sorted(dict.fromkeys(result.invalid), key=Diagnostic.sort_key)
    return result


def _one(target: _Target, result: Formatted, dry: bool) -> None:
    data = files.read(target.file)
    if isinstance(data, Diagnostic):
        result.invalid.append(_shown(data, target.shown))
        return
    made = canonical(data, target.file.name)
    for each in made.problems:
        (result.refused if each.code == NOT_PROVEN else result.invalid).append(_shown(each, target.shown))
    if made.after is None or made.after == data:
        return
    if not dry:
        try:
            write(target.root, [FileEdit(target.file.name, data, made.after)])
        except SafetyRefusal as error:
            found = Diagnostic(error.code, error.summary, f"{error.detail}\n{error.hint}", SourceRange(target.shown))
            result.refused.append(found)
            return
    result.changed.append(FileEdit(target.shown, data, made.after))


def _shown(found: Diagnostic, path: str) -> Diagnostic:
    return replace(found, source=replace(found.source, file=printable(path)))


# --- which files


def _targets(base: Path, paths: Sequence[str], environment: Mapping[str, str], result: Formatted) -> Iterable[_Target]:
    folders = _Folders(base, environment, result)
    found: dict[str, _Target] = {}
    if not paths:
        files.find_project(base)
    for given in paths or ["."]:
        path = Path(os.path.normpath(base / given))
        if not path.exists():
            raise QaseIacError(f"There is no file or folder {printable(given)}.", hint="Nothing was written.")
        if path.is_dir():
            targets = folders.below(path)
        else:
            targets = folders.named(path)
            if not targets:
                result.passed.append(given)
        for target in targets:
            found.setdefault(os.path.realpath(target.file.path), target)
    return sorted(found.values(), key=lambda each: in_order(each.shown))


class _Folders:
    """The files of project folders, each folder searched once."""

    def __init__(self, base: Path, environment: Mapping[str, str], result: Formatted) -> None:
        self.base, self.environment, self.result = base, environment, result
        self.known: dict[Path, dict[str, _Target]] = {}
        self.real: dict[str, _Target] = {}

    def below(self, folder: Path) -> list[_Target]:
        """All in a folder that is in a project folder, or holds some."""
        roots = [root] if (root := _project_of(folder)) else list(project_folders(folder))
        if not roots:
            found = f"There is no {files.PROJECT_FILE} in {printable(str(folder))}, above it or below."
            where = SourceRange(printable(str(folder)))
            detail = f"A project folder holds one {files.PROJECT_FILE}. `qase-iac init` makes one."
            raise ConfigurationError([Diagnostic("no-project", found, detail, where)], found)
        return [each for root in roots for path, each in self.of(root).items() if below(str(folder), path)]

    def named(self, path: Path) -> list[_Target]:
        """One file, if it is one of a project folder."""
        root = _project_of(path.parent) if path.name.endswith(SUFFIXES) else None
        own = self.of(root) if root else {}
        target = own.get(str(path)) or self.real.get(os.path.realpath(path))
        return [target] if target else []

    def of(self, root: Path) -> dict[str, _Target]:
        """Absolute path -> file, of qase.yaml and the content files of a project folder."""
        if root not in self.known:
            own = self.known[root] = {str(each.file.path): each for each in self._search(root)}
            self.real |= {os.path.realpath(path): each for path, each in own.items()}
        return self.known[root]

    def _search(self, root: Path) -> Iterator[_Target]:
        yield self._target(root, files.SourceFile(root / files.PROJECT_FILE, files.PROJECT_FILE, 0))
        settings, _ = load_settings(root, profile=None, environment=self.environment)
        if settings is None:
            return  # which files are content is not known; why, the file itself says
        skip = frozenset([settings.seed] if settings.seed else [])
        found, problems = files.discover(root, list(settings.content), list(settings.exclude), skip)
        self.result.invalid += [
            _shown(each, self._path(root / each.source.file)) for each in problems if each.code in UNREADABLE
        ]
        for file in found:
            yield self._target(root, file)

    def _target(self, root: Path, file: files.SourceFile) -> _Target:
        return _Target(root, file, self._path(file.path))

    def _path(self, path: Path) -> str:
        return os.path.relpath(path, self.base).replace(os.sep, "/")


def _project_of(folder: Path) -> Path | None:
    """The project folder that a folder is, or lies in: the nearest."""
    return next((each for each in (folder, *folder.parents) if (each / files.PROJECT_FILE).is_file()), None)
