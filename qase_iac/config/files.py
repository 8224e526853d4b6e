"""The files of a project folder: which ones count, in which order, and reading them without being led astray.

Nothing here trusts the folder: links may leave it, names may hold anything, a "file" may be a pipe that never ends.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.errors import ConfigurationError
from qase_iac.values import printable

PROJECT_FILE = "qase.yaml"
CATALOGUE_FILE = "catalogue.yaml"
SUFFIXES = (".yaml", ".yml")
MAX_FILE = 16 * 1024 * 1024
MAX_ATTACHMENT = 32 * 1024 * 1024
_MIB = 1024 * 1024
_T = TypeVar("_T")
_REMOVE = "Remove it, or `exclude:` it."


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A content file. `name` is its path below the project folder with `/`, `size` what it had when it was found."""

    path: Path
    name: str
    size: int


def _problem(code: str, name: str, summary: str, detail: str = "", warn: bool = False) -> Diagnostic:
    severity = Severity.WARNING if warn else Severity.ERROR
    return Diagnostic(code, summary, detail, SourceRange(printable(name)), severity)


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def find_project(start: Path) -> Path:
    """The project folder `start`: one that holds `qase.yaml`. Raises ConfigurationError when it is none."""
    folder = start.parent if start.name == PROJECT_FILE and start.is_file() else start
    shown = printable(str(folder))
    if (folder / PROJECT_FILE).is_file():
        return folder
    if not folder.exists():
        found = _problem("no-project", str(folder), f"There is no folder {shown}.")
    elif not folder.is_dir():
        detail = f"Name the folder that holds {PROJECT_FILE}."
        found = _problem("no-project", str(folder), f"{shown} is no folder.", detail)
    elif (folder / "qase.yml").exists():
        detail = f"It is read under one name only, so that there is never a second one: rename it to {PROJECT_FILE}."
        found = _problem("project-file-name", "qase.yml", "The project file must be called qase.yaml.", detail)
    else:
        above = next((up for up in folder.absolute().parents if (up / PROJECT_FILE).is_file()), None)
        hint = f" The nearest one above is {printable(str(above))}." if above else " `qase-iac init` makes one."
        detail = f"A project folder holds one {PROJECT_FILE}, with at least `project: CODE`.{hint}"
        found = _problem("no-project", str(folder), f"There is no {PROJECT_FILE} in {shown}.", detail)
    raise ConfigurationError([found], found.summary)


def _wild(pattern: Sequence[_T], items: Sequence[_T], star: _T, one: Callable[[_T, _T], bool]) -> bool:
    """Whether `pattern` matches all of `items`, `star` standing for any number of them. Never backtracks twice."""
    p = i = mark = 0
    back = -1
    while i < len(items):
        if p < len(pattern) and pattern[p] == star:
            back, mark, p = p, i, p + 1
        elif p < len(pattern) and one(pattern[p], items[i]):
            p, i = p + 1, i + 1
        elif back >= 0:
            mark += 1
            p, i = back + 1, mark
        else:
            return False
    return all(rest == star for rest in pattern[p:])


def _segment(pattern: str, name: str) -> bool:
    return _wild(pattern, name, "*", lambda p, char: p in ("?", char))


def glob_match(pattern: str, name: str) -> bool:
    """Whether a glob names this path or a folder above it, as in .gitignore.

    `*` and `?` stay within a segment, `**` is any number of segments. A pattern without a slash matches a name at any
    depth; with one it counts from the project folder.
    """
    anchored = pattern.removeprefix("./")
    parts = [part for part in anchored.split("/") if part]
    if not parts:
        return False
    if "/" not in anchored.rstrip("/"):
        parts.insert(0, "**")
    return _wild([*parts, "**"], name.split("/"), "**", _segment)


def _any_match(patterns: Sequence[str], name: str) -> bool:
    return any(glob_match(pattern, name) for pattern in patterns)


@dataclass
class _Walk:
    """One search of a folder. Real folders first, then links, so that a file is known by its own path if it has one."""

    root: Path
    exclude: list[str]
    real_root: str = ""
    found: dict[str, tuple[str, int]] = field(default_factory=dict)  # real path -> (name, size)
    seen: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, name: str, summary: str, detail: str = "", warn: bool = False) -> None:
        self.diagnostics.append(_problem(code, name, summary, detail, warn))

    def run(self) -> None:
        self.real_root = os.path.realpath(self.root)
        self.folder("")
        while self.links:
            links, self.links = sorted(self.links, key=_order), []
            for name in links:
                self.link(name)

    def folder(self, name: str) -> None:
        todo = [name]
        while todo:
            current = todo.pop()
            real = os.path.realpath(self.root / current)
            if real not in self.seen:
                self.seen.add(real)
                todo += self.entries(current)

    def entries(self, folder: str) -> Iterator[str]:
        """Takes in the files of one folder; yields the folders below."""
        try:
            with os.scandir(self.root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            detail = f"{_reason(error)}. What cannot be read is not taken as absent. Grant access, or `exclude:` it."
            self.add("unreadable", folder or ".", "The folder cannot be read.", detail)
            return
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or _any_match(self.exclude, name):
                continue
            if entry.is_symlink():
                self.links.append(name)
            elif not entry.is_dir(follow_symlinks=False):
                self.file(name, str(self.root / name))
            elif entry.name.endswith(SUFFIXES):
                self.add("not-a-file", name, "This is a folder with the name of a content file.", "Rename it.")
            else:
                yield name

    def link(self, name: str) -> None:
        try:
            real = os.path.realpath(self.root / name, strict=True)
        except OSError as error:
            if error.errno == 40 or "symbolic link" in _reason(error):
                self.add("link-loop", name, "The symbolic link leads back to itself.", _REMOVE)
            elif name.endswith(SUFFIXES):
                self.add("link-broken", name, f"The symbolic link leads nowhere: {_reason(error)}.", _REMOVE)
            return
        folder = os.path.isdir(real)
        if not folder and not name.endswith(SUFFIXES):
            return
        if not _below(self.real_root, real):
            detail = "Links are followed inside the project folder only. Copy what is needed into it."
            self.add("link-leaves-folder", name, "The symbolic link leads out of the project folder.", detail)
        elif folder and _below(real, os.path.realpath((self.root / name).parent)):
            self.add("link-loop", name, "The symbolic link leads to a folder above itself.", _REMOVE)
        elif not folder:
            self.file(name, real)
        elif real not in self.seen:
            self.folder(name)
        elif twin := next((found for path, (found, _) in self.found.items() if _below(real, path)), None):
            self.twice(name, twin)

    def twice(self, name: str, twin: str) -> None:
        detail = f"What is behind the link is loaded once, as {printable(twin)}. Remove the link, or `exclude:` it."
        self.add("linked-twice", name, "A symbolic link to content that is loaded already.", detail, warn=True)

    def file(self, name: str, real: str) -> None:
        if not name.endswith(SUFFIXES):
            if name.lower().endswith(SUFFIXES):
                detail = "Content files end in .yaml or .yml, in small letters. Rename it, or `exclude:` it."
                self.add("not-loaded", name, "This file is not loaded because of its ending.", detail, warn=True)
            return
        if real in self.found:
            return self.twice(name, self.found[real][0])
        try:
            state = os.stat(real)
        except OSError as error:
            return self.add("unreadable", name, f"The file cannot be read: {_reason(error)}.")
        if not stat.S_ISREG(state.st_mode):
            return self.add("not-a-file", name, "This is a pipe, socket or device, no file.", _REMOVE)
        self.found[real] = (name, state.st_size)


def _order(name: str) -> list[str]:
    """By path segments and code points, whatever the locale: `a/z` before `a-b`."""
    return name.split("/")


def _below(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def discover(
    root: Path, content: list[str], exclude: list[str], skip: set[str] | frozenset[str] = frozenset()
) -> tuple[list[SourceFile], list[Diagnostic]]:
    """The content files below `root` in order, and what is wrong with the folder.

    `skip` names files (relative, with `/`) that are something else: the emulator's seed, say.
    """
    walk = _Walk(root, exclude)
    walk.run()
    names = {name: size for name, size in walk.found.values()}
    files = []
    for name in sorted(names, key=_order):
        if name in skip or name in (PROJECT_FILE, CATALOGUE_FILE):
            continue
        found = _refused(name, names)
        if found is not None:
            walk.diagnostics.append(found)
        elif _any_match(content, name):
            files.append(SourceFile(root / name, name, names[name]))
    return files, sorted(walk.diagnostics, key=Diagnostic.sort_key)


def _refused(name: str, names: dict[str, int]) -> Diagnostic | None:
    """Why a content file is not taken in, None when it is."""
    folder, _, last = name.rpartition("/")
    if name == "qase.yml":
        return _problem(
            "second-project", name, "qase.yml stands beside qase.yaml.", "Only qase.yaml is read: remove it."
        )
    if last in (PROJECT_FILE, "qase.yml"):
        detail = f'A project folder holds one {PROJECT_FILE}. Move it out, or `exclude: ["{printable(folder)}/**"]`.'
        return _problem("second-project", name, "A second project file inside a project folder.", detail)
    if printable(name) != name:
        detail = "Such a name cannot be shown in a message, a plan or a state as it is. Rename the file."
        return _problem("file-name", name, "The path holds control characters or is not UTF-8.", detail)
    stem, _, ending = name.rpartition(".")
    if ending == "yml" and (last == "suite.yml" or last.endswith(".case.yml")) and f"{stem}.yaml" in names:
        detail = f"Both spellings mean the same object. Keep one of {last} and {last[:-4]}.yaml."
        return _problem("two-spellings", name, f"The same object as {stem.rpartition('/')[2]}.yaml beside it.", detail)
    if names[name] > MAX_FILE:
        return _too_large(name, names[name])
    return None


def _too_large(name: str, size: int) -> Diagnostic:
    shown = f"{size / _MIB:.1f} MiB" if size > MAX_FILE else f"more than {MAX_FILE // _MIB} MiB"
    detail = f"A content file holds at most {MAX_FILE // _MIB} MiB. Split it by suite, or `exclude:` it."
    return _problem("file-too-large", name, f"The file is too large: {shown}.", detail)


def read(file: SourceFile) -> bytes | Diagnostic:
    """The bytes of a content file, at most MAX_FILE of them. Never waits, even if the file became a pipe by now."""
    try:
        handle = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                return _problem("not-a-file", file.name, "This is no regular file any more.")
            with open(handle, "rb", closefd=False) as stream:
                data = stream.read(min(about.st_size, MAX_FILE) + 1)  # not 16 MiB of buffer for each small file
        finally:
            os.close(handle)
    except OSError as error:
        return _unreadable(file, error)
    return data if len(data) <= MAX_FILE else _too_large(file.name, len(data) - 1)


def _unreadable(file: SourceFile, error: OSError) -> Diagnostic:
    detail = "What cannot be read is not taken as absent. Grant access to the file, or `exclude:` it."
    return _problem("unreadable", file.name, f"The file cannot be read: {_reason(error)}.", detail)


def inside(root: Path, content_file: SourceFile, relative: str, source: SourceRange | None = None) -> Path | Diagnostic:
    """The file that `relative` names beside `content_file`: regular, readable, not too large, in the project folder."""
    where = source or SourceRange(content_file.name)
    shown = printable(relative)

    def refuse(code: str, summary: str, detail: str = "") -> Diagnostic:
        return Diagnostic(code, summary, detail, where)

    why = _odd_path(relative)
    if why:
        detail = "Write it relative to this file, with `/`: img/card.png"
        return refuse("attachment-path", f"`{shown}` is no path of an attachment: {why}.", detail)
    path = Path(os.path.abspath(content_file.path.parent / relative))
    detail = "Only files inside it are uploaded. Copy the file into the folder."
    leaves = refuse("attachment-outside", f"`{shown}` leaves the project folder.", detail)
    if not _below(os.path.abspath(root), str(path)):
        return leaves
    try:
        real = os.path.realpath(path, strict=True)
        state = os.stat(real)
    except OSError as error:
        summary = f"The attachment `{shown}` cannot be found: {_reason(error)}."
        return refuse("attachment-missing", summary, _alike(path))
    if not _below(os.path.realpath(root), real):
        return leaves
    if not stat.S_ISREG(state.st_mode):
        return refuse("attachment-no-file", f"The attachment `{shown}` is no regular file.")
    if state.st_size > MAX_ATTACHMENT:
        summary = f"The attachment `{shown}` has {state.st_size / _MIB:.1f} MiB."
        return refuse("attachment-too-large", summary, "Qase takes 32 MiB a file.")
    if not os.access(real, os.R_OK):
        return refuse("attachment-unreadable", f"The attachment `{shown}` cannot be read.")
    return path


def _odd_path(relative: str) -> str:
    if not relative.strip():
        return "it is empty"
    if printable(relative) != relative:
        return "it holds control characters"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", relative):
        return "files are uploaded, addresses on the web are not"
    if "\\" in relative or re.match(r"[A-Za-z]:", relative):
        return "backslashes and drive letters work on one system only"
    return "it is absolute" if relative.startswith("/") else ""


def _alike(path: Path) -> str:
    from rapidfuzz import process  # only broken input needs it

    try:
        match = process.extractOne(path.name, sorted(os.listdir(path.parent)), score_cutoff=70)
    except OSError:
        match = None
    hint = f" Did you mean `{printable(match[0])}`?" if match else ""
    return f"Paths are relative to the file that names them.{hint}"
