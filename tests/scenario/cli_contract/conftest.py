"""A shop that is applied, and one that is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from contract_shop import FILES
from e2e_kit import Folder, Ran


@pytest.fixture
def fresh(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES)


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    """Applied; the brake is out of the way (nine objects would trip it with the first two deletes)."""
    return folder(FILES, policy={"max_delete_share": 1.0}).applied()


@pytest.fixture
def run(cli: Callable[..., Ran], request: pytest.FixtureRequest) -> Callable[..., Ran]:
    """`run(folder, "plan", …)`: the program in a project folder."""

    def go(folder: Folder, *arguments: Any) -> Ran:
        return cli("-C", folder.root, *arguments)

    return go
