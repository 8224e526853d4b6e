"""Several project folders in one repository: which there are, and that no two of them own the same suites.

Two folders may share one Qase project as long as their scopes do not overlap. Each knows only its own state, so what
both declare would be made twice, and what one deletes the other would make again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from qase_iac.api.hosts import is_emulator, resolve_api_url
from qase_iac.config.settings import Settings, load_settings
from qase_iac.diagnostics import Diagnostic, SourceRange, has_errors
from qase_iac.globs import common
from qase_iac.values import printable
from qase_iac.workflow.session import Session, emulator_database

QASE_YAML = "qase.yaml"
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
EVERYTHING = ("**",)


@dataclass(frozen=True, slots=True)
class Owner:
    """One project folder. `path` is relative to where was looked; `scope` None means the whole project.

    `api` is the effective base URL, or the database behind an emulator of its own. `valid`: qase.yaml is sound.
    """

    path: str
    project: str
    title: str | None
    api: str
    scope: tuple[str, ...] | None
    valid: bool


def owners(top: Path, environment: Mapping[str, str], profile: str | None = None) -> list[Owner]:
    """Every project folder at or below `top`, by path. A folder inside a project folder is part of that."""
    return [_owner(folder, top, environment, profile) for folder in project_folders(top)]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two folders that own the same suites, and a pattern of each that says so."""

    one: Owner
    other: Owner
    patterns: tuple[str, str]

    def told(self, file: str) -> Diagnostic:
        """As an error in `file`."""
        shares = " and ".join(
            f"{owner.path} ({f'scope {pattern!r}' if owner.scope else 'no scope: the whole project'})"
            for owner, pattern in zip((self.one, self.other), self.patterns, strict=True)
        )
        return Diagnostic(
            "scope-overlap",
            f"Two project folders own the same suites of project {self.one.project}: {printable(shares)}.",
            "Each knows only its own state: what both declare would be made twice, and what one deletes the other "
            "makes again. Give both a `scope:` whose `suites` have none in common.",
            SourceRange(file),
        )


def overlaps(found: list[Owner]) -> list[Overlap]:
    """Each pair of folders that own the same suites of one project."""
    by_project: dict[tuple[str, str], list[Owner]] = {}
    for owner in found:
        if owner.project:
            by_project.setdefault((owner.project, owner.api), []).append(owner)
    return [
        Overlap(one, other, both)
        for sharing in by_project.values()
        for one, other in combinations(sharing, 2)
        if (both := common(one.scope or EVERYTHING, other.scope or EVERYTHING))
    ]


def rivals(session: Session) -> list[Diagnostic]:
    """The overlaps of this folder with others of the same git repository, as errors; none outside of one."""
    root = session.root.resolve()
    top = next((each for each in (root, *root.parents) if (each / ".git").exists()), None)
    if top is None:
        return []
    here = root.relative_to(top).as_posix()
    found = overlaps(owners(top, session.world.environment, session.ask.profile))
    return [each.told(QASE_YAML) for each in found if here in (each.one.path, each.other.path)]


def project_folders(top: Path) -> Iterator[Path]:
    """The folders at or below `top` that hold a qase.yaml and lie in no other such folder, by path."""
    for folder, below, files in os.walk(top):
        if QASE_YAML in files:
            below.clear()
            yield Path(folder)
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in SKIPPED)


def _owner(folder: Path, top: Path, environment: Mapping[str, str], profile: str | None) -> Owner:
    settings, problems = load_settings(folder, profile=profile, environment=environment)
    if settings is None or has_errors(problems):  # a profile that only some of the folders have
        settings, problems = load_settings(folder, profile=None, environment=environment)
    path = folder.relative_to(top).as_posix()
    if settings is None:
        return Owner(path, "", None, "", None, False)
    return Owner(
        path,
        settings.project,
        settings.title,
        _place(settings, folder, environment),
        settings.scope.suites,
        bool(settings.project) and not has_errors(problems),
    )


def _place(settings: Settings, folder: Path, environment: Mapping[str, str]) -> str:
    """Where the project is: two folders with an emulator each do not share one."""
    api, _ = resolve_api_url(None, environment, settings.api_file_url)
    if not is_emulator(api):
        return api
    database = emulator_database(folder.resolve(), api)
    return f"emulator:{os.path.normpath(database) if database else folder.resolve()}"
