"""The table of docs/reliability.md, written by the run that it is about."""

from __future__ import annotations

import os
import platform
import subprocess
from collections import Counter
from datetime import UTC, datetime
from typing import NamedTuple

from e2e_kit import REPO

from torture.points import Reference

PAGE = REPO / "docs/reliability.md"
BEGIN, END = "<!-- figures of make torture -->", "<!-- end of figures -->"


class Line(NamedTuple):
    """One class of accidents. `runs`: how many applies it took after the accident -> at how many points."""

    name: str
    title: str
    points: int
    runs: Counter[int]
    failures: int


def write(lines: list[Line], operations: int, seen: Reference, minutes: float, jobs: int) -> None:
    """Replaces what stands between the markers of the page."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(
        f"{head}{BEGIN}\n\n{table(lines, operations, seen, minutes, jobs)}\n\n{END}{tail}", encoding="utf-8"
    )


def table(lines: list[Line], operations: int, seen: Reference, minutes: float, jobs: int) -> str:
    points, failures = sum(line.points for line in lines), sum(line.failures for line in lines)
    rows = [f"| {line.title} | `{line.name}` | {line.points} | {_how(line.runs)} | {line.failures} |" for line in lines]
    return "\n".join([
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}: **{points:,} points, {failures} failures**, "
        f"{minutes:.0f} minutes, {jobs} at a time on {os.cpu_count()} cores, Python {platform.python_version()}. "
        f"The apply under torture carries out {operations} operations with {len(seen.writes)} writes "
        f"and {seen.requests - len(seen.writes)} reads.",
        "",
        "| accident | `ONLY=` | points | done after | failures |",
        "| --- | --- | ---: | --- | ---: |",
        *rows,
    ])  # fmt: skip


def _how(runs: Counter[int]) -> str:
    """`0` is the run itself."""
    words = {0: "the same run", 1: "the next run", 2: "two more runs"}
    parts = [(words.get(number, f"{number} more runs"), count) for number, count in sorted(runs.items())]
    return parts[0][0] if len(parts) == 1 else ", ".join(f"{word} {count}" for word, count in parts)


def _commit() -> str:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(REPO), *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--", "qase_iac") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed
