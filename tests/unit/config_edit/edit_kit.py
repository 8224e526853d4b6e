"""Project folders of text, edits of them, and what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qase_iac.config.edit import Add, Edit, Edited, Move, Remove, Set, Unset, edit_files
from qase_iac.config.loader import Loaded, load
from qase_iac.config.settings import Settings, load_settings
from qase_iac.diagnostics import has_errors
from qase_iac.model import Catalogue
from qase_iac.values import Address

STOCK = Catalogue(live=False)


def put(name: str, attribute: str, value: Any) -> Set:
    return Set(Address.parse(name), attribute, value)


def unset(name: str, attribute: str) -> Unset:
    return Unset(Address.parse(name), attribute)


def remove(name: str) -> Remove:
    return Remove(Address.parse(name))


def add(name: str, place: Any = None, **attributes: Any) -> Add:
    return Add(Address.parse(name), attributes, place)


def move(name: str, place: Any) -> Move:
    return Move(Address.parse(name), place)


def fill(root: Path, files: dict[str, str | bytes]) -> None:
    for name, text in {"qase.yaml": "project: SHOP\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def settings_of(root: Path) -> Settings:
    settings, problems = load_settings(root, profile=None, environment={})
    assert settings is not None and not has_errors(problems), problems
    return settings


def loaded(root: Path) -> Loaded:
    found = load(settings_of(root), offline=STOCK)
    assert not has_errors(found.diagnostics), [str(each) for each in found.diagnostics]
    return found


def edited(root: Path, *edits: Edit) -> Edited:
    return edit_files(settings_of(root), STOCK, loaded(root).desired, edits)


def outcome(root: Path, files: dict[str, str | bytes], *edits: Edit) -> dict[str, str | None]:
    """The files that change, by name, after edits that must all be made."""
    fill(root, files)
    result = edited(root, *edits)
    assert not result.failed, [str(each) for each in result.failed]
    return {each.path: None if each.after is None else each.after.decode() for each in result.files}


def one(root: Path, before: str, *edits: Edit, name: str = "cases.yaml") -> str:
    """What becomes of one file."""
    found = outcome(root, {name: before}, *edits)
    assert found.keys() <= {name}
    return str(found.get(name, before))
