"""Files of other systems, and live projects, to project folders.

`FORMATS` maps the word that `qase-iac convert` takes to the function that converts such a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from qase_iac.config.writer import GITIGNORE, Layout, WritableProject, Written, check_target, write_project
from qase_iac.convert import qase_json
from qase_iac.convert.reading import read_source
from qase_iac.errors import QaseIacError
from qase_iac.values import printable

DEFAULT_CODE = "TEST"
_CODE = re.compile(r"[A-Za-z]{2,10}\Z")


@dataclass(frozen=True)
class Converted:
    """What was written: `paths` below the folder, the number of objects, notes on what could not be kept."""

    paths: tuple[str, ...]
    objects: int
    notes: tuple[str, ...]


class Reader(Protocol):
    """Reads the content of a file; `title` counts if the file gives none. Raises QaseIacError: what, and where."""

    def __call__(self, data: bytes, *, code: str, title: str) -> WritableProject: ...


def convert(
    read: Reader, source: Path, target: Path, project: str | None = None, layout: Layout = "suite"
) -> Converted:
    """Converts a file into a new project folder at `target`, whole or not at all. Raises QaseIacError."""
    if project is not None and not _CODE.match(project):
        raise QaseIacError(f"{printable(project)!r} is no project code.", "It has 2 to 10 letters, A to Z.")
    check_target(target)
    name = target.absolute().name
    code = (project or code_of(name)).upper()
    converted = read(read_source(source), code=code, title=_title(name) or code)
    written = write_project(target, converted, layout, finish=_finish)
    return Converted(written.paths, len(converted.objects), tuple(converted.notes))


def _finish(folder: Path, written: Written) -> None:
    (folder / ".gitignore").write_text(GITIGNORE, encoding="utf-8")


def code_of(name: str) -> str:
    """A project code made of the letters of a folder's name."""
    letters = re.sub("[^A-Za-z]", "", name)[:10].upper()
    return letters if _CODE.match(letters) else DEFAULT_CODE


def _title(name: str) -> str:
    """A project title made of a folder's name."""
    words = " ".join(printable(name).replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


Conversion = Callable[[Path, Path, str | None, Layout], Converted]
"""(file, new folder, project code or None, layout)."""

FORMATS: Mapping[str, Conversion] = {"qase-json": partial(convert, qase_json.read)}

__all__ = ["FORMATS", "Conversion", "Converted", "code_of", "convert"]
