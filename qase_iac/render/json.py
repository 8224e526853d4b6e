"""The machine's view: the JSON of cli.md, one item a line, safe on a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from qase_iac.apply.report import Report
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.plan.model import Plan
from qase_iac.plan.planfile import diagnostic_json, drift_json, dumps, to_json


def plan_json(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """The same text that `plan -o` writes."""
    return dumps(to_json(plan))


def drift_as_json(plan: Plan, *, full: bool = False, color: bool = False) -> str:
    """What changed in Qase since the last apply."""
    findings = [diagnostic_json(finding) | {"address": finding.address} for finding in plan.findings]
    drift = [drift_json(each) for each in plan.drift]
    return dumps({"project": plan.project, "api": plan.api, "drift": drift, "findings": findings})


def report_json(report: Report, *, full: bool = False, color: bool = False) -> str:
    """What an apply did."""
    return dumps(report.to_json())


def diagnostics_json(diagnostics: Iterable[Diagnostic], *, full: bool = False, color: bool = False) -> str:
    """All problems in file order, and whether the folder is valid."""
    ordered = sorted(diagnostics, key=Diagnostic.sort_key)
    rows = [diagnostic_json(each) for each in ordered]
    return dumps({"valid": not has_errors(ordered), "diagnostics": rows})
