"""Where files stand as seen from the repository: what a CI server lays its annotations on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qase_iac.diagnostics import Diagnostic

FORMATS = ("sarif", "github", "junit")
"""The formats whose readers know the repository and not the project folder."""


def seen_from_repository(value: Any, fmt: str, folder: Path) -> Any:
    """Diagnostics with paths from the top of the git repository that `folder` is in; anything else as it is."""
    if fmt not in FORMATS or not isinstance(value, list):
        return value
    prefix = _prefix(folder.resolve())
    return [_moved(each, prefix) for each in value] if prefix else value


def _prefix(folder: Path) -> str:
    top = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)
    return "".join(f"{part}/" for part in folder.relative_to(top).parts)


def _moved(diagnostic: Diagnostic, prefix: str) -> Diagnostic:
    source = diagnostic.source
    return replace(diagnostic, source=replace(source, file=prefix + (source.file or "qase.yaml")))
