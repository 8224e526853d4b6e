"""From a snapshot to a folder and back to a plan, without a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.config.loader import Loaded, load
from qase_iac.config.settings import Overrides, load_settings
from qase_iac.config.writer import Layout, WritableProject, write_project
from qase_iac.convert.live import export_project
from qase_iac.model import Snapshot
from qase_iac.plan.model import Options, Plan
from qase_iac.plan.planner import build
from qase_iac.plan.resolve import resolve
from qase_iac.state.model import Binding, State


def loaded(folder: Path) -> Loaded:
    settings, problems = load_settings(folder, profile=None, environment={}, overrides=Overrides(None, None, None))
    assert settings is not None, problems
    catalogue, found = read_catalogue(folder)
    assert found == []
    return load(settings, offline=catalogue)


def errors(result: Loaded) -> list[str]:
    return [f"{d.source}: {d.code} {d.summary}" for d in result.diagnostics if d.is_error]


@dataclass
class Exported:
    folder: Path
    project: WritableProject
    bindings: dict[str, Binding]
    loaded: Loaded
    plan: Plan
    findings: list[str]

    def attributes(self, address: str) -> Mapping[str, object]:
        return next(r.attributes for a, r in self.loaded.desired.resources.items() if str(a) == address)


def exported(
    snapshot: Snapshot, folder: Path, layout: Layout = "suite", contents: Mapping[str, bytes] | None = None
) -> Exported:
    """Writes the snapshot as a folder, reads that, and plans from it."""
    project, bindings = export_project(snapshot, "SHOP", title="Shop")
    written = write_project(folder, project, layout, fetch=lambda file: (contents or {})[file.hash])
    result = loaded(folder)
    assert errors(result) == []
    state = State("lineage", 1, "SHOP", "api", bindings=bindings, files=dict(written.files))
    bound = frozenset((address.partition(".")[0], binding.id) for address, binding in bindings.items())
    desired, found = resolve(result.desired, snapshot, bound)
    plan = build(desired, snapshot, state, Options())
    findings = [f"{d.code}: {d.summary}" for d in (*found, *plan.findings)]
    return Exported(folder, project, bindings, result, plan, findings)
