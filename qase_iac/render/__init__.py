"""Values in words: Plan, drift, Report and diagnostics in every format. Pure functions, value -> str.

A new format is one line in each row of the table below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import PurePath
from typing import Any

from qase_iac.apply.report import Report
from qase_iac.diagnostics import Diagnostic
from qase_iac.errors import QaseIacError
from qase_iac.plan.model import Plan
from qase_iac.values import printable

FORMATS = ("text", "json", "markdown", "html")
"""What every value can be shown in; some can in more (`formats_of`)."""
ENDINGS: dict[str, str] = {
    ".txt": "text",
    ".log": "text",
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".sarif": "sarif",
    ".xml": "junit",
}


@dataclass(frozen=True, slots=True)
class DriftView:
    """A plan of which only the drift is shown: the answer of `drift`."""

    plan: Plan


Renderable = Plan | DriftView | Report | Iterable[Diagnostic]

_TABLE: dict[type, dict[str, tuple[str, str]]] = {
    Plan: {
        "text": ("text", "plan_text"),
        "json": ("json", "plan_json"),
        "markdown": ("markdown", "plan_markdown"),
        "html": ("html", "plan_html"),
    },
    DriftView: {
        "text": ("text", "drift_text"),
        "json": ("json", "drift_as_json"),
        "markdown": ("markdown", "drift_markdown"),
        "html": ("html", "drift_html"),
        "junit": ("junit", "drift_junit"),
    },
    Report: {
        "text": ("outcome", "report_text"),
        "json": ("json", "report_json"),
        "markdown": ("markdown_problems", "report_markdown"),
        "html": ("html_problems", "report_html"),
    },
    list: {
        "text": ("problems", "diagnostics_text"),
        "json": ("json", "diagnostics_json"),
        "markdown": ("markdown_problems", "diagnostics_markdown"),
        "html": ("html_problems", "diagnostics_html"),
        "sarif": ("sarif", "diagnostics_sarif"),
        "github": ("github", "diagnostics_github"),
        "junit": ("junit", "diagnostics_junit"),
    },
}
"""Type of value -> format -> (module here, function). Modules are imported when they are used."""


def render(value: Renderable, format: str, *, full: bool = False, color: bool = False) -> str:
    """`value` in a format; ends with a line break. `color` puts ANSI codes into text, and nowhere else."""
    row = _TABLE.get(type(value), _TABLE[list])
    if format not in row:
        raise QaseIacError(f"There is no format {printable(format)!r}.", hint=f"It is one of {', '.join(row)}.")
    module, name = row[format]
    function: Callable[..., str] = getattr(import_module(f"{__name__}.{module}"), name)
    subject: Any = value.plan if isinstance(value, DriftView) else value
    return function(subject, full=full, color=color)


def format_for(path: str | PurePath) -> str:
    """The format that a file's ending asks for (`--report FILE`). Raises QaseIacError for an unknown one."""
    name = PurePath(path).name.lower()
    ending = ".sarif" if name.endswith(".sarif.json") else PurePath(name).suffix
    if ending not in ENDINGS:
        known = ", ".join(ENDINGS)
        raise QaseIacError(f"No format goes with the ending of {printable(str(path))}.", hint=f"Use one of {known}.")
    return ENDINGS[ending]


__all__ = ["ENDINGS", "FORMATS", "DriftView", "Renderable", "format_for", "render"]
