"""The files of a project folder: which ones count, in which order, and reading them without being led astray.

Nothing here trusts the folder: links may leave it, names may hold anything, a "file" may be a pipe that never ends.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from qase_iac.config.file_globs import any_match
from qase_iac.config.file_walk import Stamp, Walk, in_order, problem, reason
from qase_iac.diagnostics import Diagnostic
from qase_iac.errors import ConfigurationError
from qase_iac.values import printable

PROJECT_FILE = "qase.yaml"
CATALOGUE_FILE = "catalogue.yaml"
MAX_FILE = 16 * 1024 * 1024
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A content file. `name` is its path below the project folder, with `/`; `size` and `stamp` it had when found."""

    path: Path
    name: str
    size: int
    stamp: Stamp | None = None


def find_project(start: Path) -> Path:
    """The project folder `start`: one that holds `qase.yaml`. Raises ConfigurationError when it is none."""
    folder = start.parent if start.name == PROJECT_FILE and start.is_file() else start
    shown = printable(str(folder))
    if (folder / PROJECT_FILE).is_file():
        return folder
    if not folder.exists():
        found = problem("no-project", str(folder), f"There is no folder {shown}.")
    elif not folder.is_dir():
        detail = f"Name the folder that holds {PROJECT_FILE}."
        found = problem("no-project", str(folder), f"{shown} is no folder.", detail)
    elif (folder / "qase.yml").exists():
        detail = f"It is read under one name only, so that there is never a second one: rename it to {PROJECT_FILE}."
        found = problem("project-file-name", "qase.yml", "The project file must be called qase.yaml.", detail)
    else:
        above = next((up for up in folder.absolute().parents if (up / PROJECT_FILE).is_file()), None)
        hint = f" The nearest one above is {printable(str(above))}." if above else " `qase-iac init` makes one."
        detail = f"A project folder holds one {PROJECT_FILE}, with at least `project: CODE`.{hint}"
        found = problem("no-project", str(folder), f"There is no {PROJECT_FILE} in {shown}.", detail)
    raise ConfigurationError([found], found.summary)


def discover(
    root: Path, content: list[str], exclude: list[str], skip: set[str] | frozenset[str] = frozenset()
) -> tuple[list[SourceFile], list[Diagnostic]]:
    """The content files below `root` in order, and what is wrong with the folder.

    `skip` names files (relative, with `/`) that are something else: the emulator's seed, say.
    """
    walk = Walk(root, exclude)
    walk.run()
    stamps = dict(walk.found.values())
    names = {name: stamp[0] for name, stamp in stamps.items()}
    files = []
    for name in sorted(names, key=in_order):
        if name in skip or name in (PROJECT_FILE, CATALOGUE_FILE):
            continue
        found = _refused(name, names)
        if found is not None:
            walk.diagnostics.append(found)
        elif any_match(content, name):
            files.append(SourceFile(root / name, name, names[name], stamps[name]))
    return files, sorted(walk.diagnostics, key=Diagnostic.sort_key)


def _refused(name: str, names: dict[str, int]) -> Diagnostic | None:
    """Why a content file is not taken in, None when it is."""
    folder, _, last = name.rpartition("/")
    if name == "qase.yml":
        return problem(
            "second-project", name, "qase.yml stands beside qase.yaml.", "Only qase.yaml is read: remove it."
        )
    if last in (PROJECT_FILE, "qase.yml"):
        detail = f'A project folder holds one {PROJECT_FILE}. Move it out, or `exclude: ["{printable(folder)}/**"]`.'
        return problem("second-project", name, "A second project file inside a project folder.", detail)
    if printable(name) != name:
        detail = "Such a name cannot be shown in a message, a plan or a state as it is. Rename the file."
        return problem("file-name", name, "The path holds control characters or is not UTF-8.", detail)
    stem, _, ending = name.rpartition(".")
    if ending == "yml" and (last == "suite.yml" or last.endswith(".case.yml")) and f"{stem}.yaml" in names:
        detail = f"Both spellings mean the same object. Keep one of {last} and {last[:-4]}.yaml."
        return problem("two-spellings", name, f"The same object as {stem.rpartition('/')[2]}.yaml beside it.", detail)
    if names[name] > MAX_FILE:
        return _too_large(name, names[name])
    return None


def _too_large(name: str, size: int) -> Diagnostic:
    shown = f"{size / MIB:.1f} MiB" if size > MAX_FILE else f"more than {MAX_FILE // MIB} MiB"
    detail = f"A content file holds at most {MAX_FILE // MIB} MiB. Split it by suite, or `exclude:` it."
    return problem("file-too-large", name, f"The file is too large: {shown}.", detail)


def read(file: SourceFile) -> bytes | Diagnostic:
    """The bytes of a content file, at most MAX_FILE of them. Never waits, even if the file became a pipe by now."""
    try:
        handle = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                return problem("not-a-file", file.name, "This is no regular file any more.")
            with open(handle, "rb", closefd=False) as stream:
                data = stream.read(min(about.st_size, MAX_FILE) + 1)  # not 16 MiB of buffer for each small file
        finally:
            os.close(handle)
    except OSError as error:
        return _unreadable(file, error)
    return data if len(data) <= MAX_FILE else _too_large(file.name, len(data) - 1)


def _unreadable(file: SourceFile, error: OSError) -> Diagnostic:
    detail = "What cannot be read is not taken as absent. Grant access to the file, or `exclude:` it."
    return problem("unreadable", file.name, f"The file cannot be read: {reason(error)}.", detail)
