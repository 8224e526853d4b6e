"""docs/mutants.md from the outcomes of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

DEAD = ("killed", "timeout")


@dataclass(frozen=True)
class Outcome:
    """What came of one mutant. `status`: killed, timeout, survived, unreached."""

    file: str
    function: str
    line: int
    kind: str
    change: str
    status: str

    @property
    def dead(self) -> bool:
        return self.status in DEAD


HEAD = """# Mutation testing

Made by `make mutants` (benchmarks/mutants.py); do not edit. The aim is 90 % killed.

A mutant is one small change of one function in `plan/`, `apply/` or the codec: a comparison, a boolean or arithmetic
operator, a condition turned round, a constant, a default, a returned value, a keyword argument or a statement taken
away. It is killed when a test that reaches the changed lines fails, or runs four times as long as without it. Left
alone: annotations, docstrings, texts for people, and what stands outside functions. "Equivalent" are survivors that no
test can kill, or whose difference nobody sees; the reasons are below and in benchmarks/mutants_known.yaml.

`--sample 300` draws a few at random, `--only 'qase_iac/apply/*'` looks at some files.
"""


def write_report(out: Path, outcomes: Sequence[Outcome], known: Path, whole: bool) -> None:
    """Writes the page; `whole` says that nothing was left out."""
    reasons = _reasons(known)
    alive = [each for each in sorted(outcomes, key=lambda o: (o.file, o.line, o.change)) if not each.dead]
    excused = [each for each in alive if _reason(reasons, each)]
    rest = [each for each in alive if not _reason(reasons, each)]
    parts = [HEAD]
    if not whole:
        parts.append(f"This is a part of the mutants only ({len(outcomes)}).\n")
    parts += [_table(outcomes, excused), "## Survivors\n", *_listed(rest, {})]
    parts += ["## Equivalent\n", *_listed(excused, reasons)]
    out.write_text("\n".join(parts).rstrip() + "\n", "utf-8")
    print(_sum(outcomes, excused))


def _sum(outcomes: Sequence[Outcome], excused: Sequence[Outcome]) -> str:
    dead = sum(each.dead for each in outcomes)
    return (
        f"{len(outcomes)} mutants, {dead} killed ({_share(dead, len(outcomes))}), "
        f"{len(excused)} equivalent; without those {_share(dead, len(outcomes) - len(excused))} killed."
    )


def _table(outcomes: Sequence[Outcome], excused: Sequence[Outcome]) -> str:
    by_file: dict[str, Counter[str]] = {}
    for each in sorted(outcomes, key=lambda o: o.file):
        by_file.setdefault(each.file, Counter())[each.status] += 1
    equivalent = Counter(each.file for each in excused)
    lines = [
        f"{_sum(outcomes, excused)}\n",
        "| Module | Mutants | Killed | of them by time | Equivalent | Survived | of them not reached | Killed |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for file, count in by_file.items():
        total, dead = count.total(), count["killed"] + count["timeout"]
        left = total - dead - equivalent[file]
        lines.append(
            f"| {file.removeprefix('qase_iac/')} | {total} | {dead} | {count['timeout']} | {equivalent[file]} "
            f"| {left} | {count['unreached']} | {_share(dead, total - equivalent[file])} |"
        )
    return "\n".join(lines) + "\n"


def _listed(outcomes: Sequence[Outcome], reasons: dict[tuple[str, str, str], str]) -> Iterable[str]:
    if not outcomes:
        yield "None.\n"
    for file in dict.fromkeys(each.file for each in outcomes):
        yield f"### {file}\n"
        for each in outcomes:
            if each.file == file:
                why = _reason(reasons, each) or ("No test reaches it." if each.status == "unreached" else "")
                change = " → ".join(f"`{side}`" for side in each.change.split(" → "))
                yield f"- {each.line}, {each.function}: {change}" + (f" — {why}" if why else "")
        yield ""


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _reasons(known: Path) -> dict[tuple[str, str, str], str]:
    """(file, function, change) to why it is equivalent."""
    entries = yaml.safe_load(known.read_text("utf-8")) if known.exists() else None
    return {(e["file"], e["function"], change): e["why"] for e in entries or () for change in e["changes"]}


def _reason(reasons: dict[tuple[str, str, str], str], outcome: Outcome) -> str:
    return reasons.get((outcome.file, outcome.function, outcome.change), "")
