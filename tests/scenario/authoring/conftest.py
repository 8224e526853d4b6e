"""A project folder as its author sees it: files in, what the program says out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from authoring_kit import Project
from e2e_kit import Folder, Ran


@pytest.fixture
def project(folder: Callable[..., Folder], cli: Callable[..., Ran]) -> Callable[..., Project]:
    """Makes one: `project({"cases.yaml": "…"}, policy={…})`; settings go into qase.yaml."""

    def make(files: Mapping[str, str | bytes] | str, **settings: Any) -> Project:
        files = {"cases.yaml": files} if isinstance(files, str) else files
        return Project(folder(files, **settings), cli)

    return make


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is no part of the project."""
    made = tmp_path / "outside"
    made.mkdir()
    return made
