"""What people and programs see, letter by letter. `UPDATE_GOLDEN=1 pytest …` writes the files anew; read the diff."""

import os
import re
from pathlib import Path

import pytest
from render_kit import diagnostics, example, report, rich

from qase_iac.plan.planfile import seal
from qase_iac.render import DriftView, render

GOLDEN = Path(__file__).parent / "golden"
CASES = {
    "example.txt": (example, "text", {}),
    "example.json": (lambda: seal(example()), "json", {}),
    "rich.txt": (rich, "text", {}),
    "rich.full.txt": (rich, "text", {"full": True}),
    "rich.color.txt": (rich, "text", {"full": True, "color": True}),
    "rich.json": (lambda: seal(rich()), "json", {}),
    "rich.md": (lambda: seal(rich()), "markdown", {}),
    "drift.txt": (lambda: DriftView(rich()), "text", {"full": True}),
    "drift.json": (lambda: DriftView(rich()), "json", {}),
    "drift.md": (lambda: DriftView(rich()), "markdown", {}),
    "report.txt": (report, "text", {}),
    "report.full.txt": (report, "text", {"full": True}),
    "report.fine.txt": (lambda: report(troubled=False), "text", {}),
    "report.json": (report, "json", {}),
    "report.md": (report, "markdown", {}),
    "diagnostics.txt": (diagnostics, "text", {}),
    "diagnostics.json": (diagnostics, "json", {}),
    "diagnostics.md": (diagnostics, "markdown", {}),
    "diagnostics.sarif": (diagnostics, "sarif", {}),
    "diagnostics.github": (diagnostics, "github", {}),
    "diagnostics.xml": (diagnostics, "junit", {}),
    "diagnostics.html": (diagnostics, "html", {}),
    "drift.xml": (lambda: DriftView(rich()), "junit", {}),
    "drift.html": (lambda: DriftView(rich()), "html", {}),
    "report.html": (report, "html", {}),
    "rich.html": (lambda: seal(rich()), "html", {}),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    make, format, options = CASES[name]
    shown = render(make(), format, **options)
    if format == "html":  # one element a line, without the style and the script, so that a difference can be read
        shown = re.sub(r"(?<=>)(?=<(?!/))", "\n", shown[shown.index("<body>") : shown.index("<script>")]) + "\n"
    file = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(shown, encoding="utf-8")
    assert shown == file.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over():
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)
