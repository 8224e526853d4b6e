"""The search for content files in a folder that may lead astray: links, loops, pipes, names that mean nothing."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qase_iac.config.file_globs import any_match
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.values import printable

SUFFIXES = (".yaml", ".yml")
_REMOVE = "Remove it, or `exclude:` it."


def problem(code: str, name: str, summary: str, detail: str = "", warn: bool = False) -> Diagnostic:
    severity = Severity.WARNING if warn else Severity.ERROR
    return Diagnostic(code, summary, detail, SourceRange(printable(name)), severity)


def reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


Stamp = tuple[int, int, int, int]
"""Size, last change of the content and of anything (nanoseconds), inode: one of them is another when a file changed."""


@dataclass
class Walk:
    """One search of a folder. Real folders first, then links, so that a file is known by its own path if it has one."""

    root: Path
    exclude: list[str]
    real_root: str = ""
    found: dict[str, tuple[str, Stamp]] = field(default_factory=dict)  # real path -> (name, stamp)
    seen: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, name: str, summary: str, detail: str = "", warn: bool = False) -> None:
        self.diagnostics.append(problem(code, name, summary, detail, warn))

    def run(self) -> None:
        self.real_root = os.path.realpath(self.root)
        self.folder("")
        while self.links:
            links, self.links = sorted(self.links, key=in_order), []
            for name in links:
                self.link(name)

    def folder(self, name: str) -> None:
        todo = [(name, os.path.realpath(self.root / name))]
        while todo:
            current, real = todo.pop()
            if real not in self.seen:
                self.seen.add(real)
                # What is below is no link, so its real path is made without asking the system for every part of it.
                todo += [(inner, os.path.join(real, os.path.basename(inner))) for inner in self.entries(current)]

    def entries(self, folder: str) -> Iterator[str]:
        """Takes in the files of one folder; yields the folders below."""
        try:
            with os.scandir(self.root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            detail = f"{reason(error)}. What cannot be read is not taken as absent. Grant access, or `exclude:` it."
            self.add("unreadable", folder or ".", "The folder cannot be read.", detail)
            return
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.name.startswith(".") or any_match(self.exclude, name):
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
            return self.broken(name, error)
        folder = os.path.isdir(real)
        if not folder and not name.endswith(SUFFIXES):
            return
        if not below(self.real_root, real):
            detail = "Links are followed inside the project folder only. Copy what is needed into it."
            self.add("link-leaves-folder", name, "The symbolic link leads out of the project folder.", detail)
        elif folder and below(real, os.path.realpath((self.root / name).parent)):
            self.add("link-loop", name, "The symbolic link leads to a folder above itself.", _REMOVE)
        elif not folder:
            self.file(name, real)
        elif real not in self.seen:
            self.folder(name)
        elif twin := next((found for path, (found, _) in self.found.items() if below(real, path)), None):
            self.twice(name, twin)

    def broken(self, name: str, error: OSError) -> None:
        """What cannot be read is not taken as absent: a link to a folder that is away would undeclare all in it.

        Only where both its name and its target end as other files do (`.png`) it is none that could hold content.
        """
        if error.errno == errno.ELOOP:
            return self.add("link-loop", name, "The symbolic link leads back to itself.", _REMOVE)
        endings = {os.path.splitext(path)[1] for path in (name, os.readlink(self.root / name))}
        harmless = "" not in endings and not endings & set(SUFFIXES)
        detail = (
            _REMOVE if harmless else "What cannot be read is not taken as absent. Mend or remove it, or `exclude:` it."
        )
        self.add("link-broken", name, f"The symbolic link leads nowhere: {reason(error)}.", detail, warn=harmless)

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
            return self.add("unreadable", name, f"The file cannot be read: {reason(error)}.")
        if not stat.S_ISREG(state.st_mode):
            return self.add("not-a-file", name, "This is a pipe, socket or device, no file.", _REMOVE)
        self.found[real] = (name, (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))


def in_order(name: str) -> list[str]:
    """By path segments and code points, whatever the locale: `a/z` before `a-b`."""
    return name.split("/")


def below(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
