"""Project folders from text, where `«code»` marks the place at which that diagnostic is expected."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from qase_iac.config.loader import Loaded, load
from qase_iac.config.settings import Overrides, Settings, load_settings
from qase_iac.diagnostics import Diagnostic
from qase_iac.model import Catalogue, Resource
from qase_iac.values import Address

MARK = re.compile("«([a-z-]+)»")
Place = tuple[str, str, int, int]
STOCK = Catalogue(live=False)


def unmarked(name: str, text: str) -> tuple[str, list[Place]]:
    """The text without marks, and what they expect: (code, file, line, column)."""
    expected: list[Place] = []
    lines = []
    for number, line in enumerate(text.split("\n"), 1):
        while found := MARK.search(line):
            expected.append((found.group(1), name, number, found.start() + 1))
            line = line[: found.start()] + line[found.end() :]
        lines.append(line)
    return "\n".join(lines), expected


def write(root: Path, files: dict[str, str | bytes]) -> list[Place]:
    expected: list[Place] = []
    for name, text in {"qase.yaml": "project: SHOP\n", **files}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str):
            text, marks = unmarked(name, text)
            expected += marks
            path.write_text(text, encoding="utf-8", newline="")
        else:
            path.write_bytes(text)
    return sorted(expected)


def settings_of(
    root: Path, profile: str | None = None, environment: dict[str, str] | None = None, **overrides: object
) -> tuple[Settings | None, list[Diagnostic]]:
    return load_settings(root, profile=profile, environment=environment or {}, overrides=Overrides(**overrides))  # type: ignore[arg-type]


def load_folder(root: Path, offline: Catalogue = STOCK, **options: object) -> Loaded:
    settings, problems = settings_of(root)
    assert settings is not None, problems
    loaded = load(settings, offline=offline, **options)  # type: ignore[arg-type]
    return replace(loaded, diagnostics=[*problems, *loaded.diagnostics])


def places(diagnostics: list[Diagnostic]) -> list[Place]:
    return sorted((d.code, d.source.file, d.source.line, d.source.column) for d in diagnostics)


def clean(root: Path, files: dict[str, str | bytes], offline: Catalogue = STOCK) -> dict[str, Resource]:
    """The resources of a folder without a single problem, by address."""
    write(root, files)
    loaded = load_folder(root, offline)
    assert not loaded.diagnostics, loaded.diagnostics
    return {str(address): resource for address, resource in loaded.desired.resources.items()}


def suite_of(resource: Resource) -> str | None:
    value = resource.attributes["parent" if resource.address.kind == "suite" else "suite"]
    return value and Address.parse(value["address"]).key
