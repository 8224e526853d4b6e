"""Files of other systems, and live projects, to project folders.

`FORMATS` maps the word that `qase-iac convert` takes to the function that reads such a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from qase_iac.config.writer import Layout, WritableProject, check_target, write_project
from qase_iac.convert import qase_json
from qase_iac.convert.reading import read_source
from qase_iac.errors import QaseIacError
from qase_iac.values import printable

DEFAULT_CODE = "TEST"
_CODE = re.compile(r"[A-Za-z]{2,10}\Z")


class Converter(Protocol):
    """Reads the content of a file. Raises QaseIacError that says what is wrong with it, and where."""

    def __call__(self, data: bytes, *, code: str, title: str = "", api_url: str = "") -> WritableProject: ...


FORMATS: Mapping[str, Converter] = {"qase-json": qase_json.convert}


def convert_file(
    format: str, source: Path, target: Path, *, project: str | None = None, layout: Layout = "suite", api_url: str = ""
) -> WritableProject:
    """Converts a file into a new project folder at `target`; what was written is returned. Raises QaseIacError."""
    if format not in FORMATS:
        raise QaseIacError(f"There is no format {printable(format)!r}.", hint=f"Formats: {', '.join(FORMATS)}.")
    if project is not None and not _CODE.match(project):
        raise QaseIacError(f"{printable(project)!r} is no project code.", "It has 2 to 10 letters, A to Z.")
    check_target(target)
    name = target.absolute().name
    code = (project or code_of(name)).upper()
    converted = FORMATS[format](read_source(source), code=code, title=_title(name) or code, api_url=api_url)
    write_project(target, converted, layout)
    return converted


def code_of(name: str) -> str:
    """A project code made of the letters of a folder's name."""
    letters = re.sub("[^A-Za-z]", "", name)[:10].upper()
    return letters if _CODE.match(letters) else DEFAULT_CODE


def _title(name: str) -> str:
    """A project title made of a folder's name."""
    words = " ".join(printable(name).replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


__all__ = ["FORMATS", "Converter", "code_of", "convert_file"]
