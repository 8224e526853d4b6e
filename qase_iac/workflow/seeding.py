"""What the emulator starts with: a seed, or the project as a state remembers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.state.given import is_state


def load_any_seed(path: Path, root: Path) -> dict[str, Any]:
    """The seed in a file, or the one made of the state in it; `root` is the project folder.

    Raises ValueError or OSError for a seed that cannot be used, StateError for a state that cannot.
    """
    content = path.read_bytes()
    if is_state(content):
        from qase_iac.convert.state_seed import seed_from_state

        return seed_from_state(content, str(path), read_catalogue(root)[0])
    from qase_iac.emulator import load_seed

    return load_seed(path)
