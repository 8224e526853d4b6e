"""Generated project folders of any size, the same for the same size: suites of 50 cases, four to six steps each."""

from __future__ import annotations

import random
from pathlib import Path

CASES_A_SUITE = 50
WORDS = [
    "open",
    "close",
    "save",
    "print",
    "send",
    "find",
    "sort",
    "page",
    "user",
    "order",
    "basket",
    "price",
    "mail",
    "report",
    "filter",
    "table",
    "row",
    "image",
]


def generate(folder: Path, cases: int) -> None:
    """Writes a project folder with `cases` cases that plans against the emulator."""
    source = random.Random(cases)
    folder.mkdir(parents=True)
    settings = "project: GEN\ntitle: Generated\ncreate: true\napi: {url: emulator}\npolicy: {max_deletes: 0}\n"
    (folder / "qase.yaml").write_text(settings, encoding="utf-8")
    for start in range(0, cases, CASES_A_SUITE):
        suite = folder / f"suite-{start // CASES_A_SUITE:05d}"
        suite.mkdir()
        (suite / "suite.yaml").write_text(f"title: Suite {start // CASES_A_SUITE}\n", encoding="utf-8")
        entries = [_case(source, number) for number in range(start, min(start + CASES_A_SUITE, cases))]
        (suite / "cases.yaml").write_text("cases:\n" + "".join(entries), encoding="utf-8")


def _case(source: random.Random, number: int) -> str:
    lines = [
        f"  case-{number}:",
        f"    title: Case {number} {_text(source, 4)}",
        "    severity: normal",
        "    priority: medium",
    ]
    lines += [
        f"    preconditions: |\n      {_text(source, 12)}\n      {_text(source, 12)}",
        "    tags: [generated]",
        "    steps:",
    ]
    for _ in range(source.randint(4, 6)):
        lines += [f"      - action: {_text(source, 15)}", f"        expected: {_text(source, 10)}"]
    return "\n".join(lines) + "\n"


def _text(source: random.Random, words: int) -> str:
    return " ".join(source.choice(WORDS) for _ in range(words)).capitalize()
