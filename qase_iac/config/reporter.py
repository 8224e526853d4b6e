"""What parsers report to while one file is read, and the likeness of words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import yaml

from qase_iac.attributes.base import NULLS
from qase_iac.attributes.steps import STEP_KEYS
from qase_iac.config.yaml_mapping import mapping_items, source
from qase_iac.config.yaml_misread import text_slip
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.values import printable

MOST_PROBLEMS = 10_000
"""Of one file, errors and warnings each: what has more is no content file, and telling them all takes seconds."""
LIKENESS = 60
"""From 0 to 100; below it a hint would be a guess."""
_ODD = NULLS | {"<<"}
"""Keys that need a closer look."""
_NOT_TEXT = (*STEP_KEYS, "external", "external_id")
"""Keys of mappings that stand where a text may stand: a single pair with nearly such a key is no text with a colon."""


def nearest(word: str, words: Iterable[str]) -> str:
    """` Did you mean `x`?` for the word most like `word`, "" when none is like it."""
    found = most_like(word, words)
    return f" Did you mean `{printable(found)}`?" if found is not None else ""


def most_like(word: str, words: Iterable[str]) -> str | None:
    """The word most like `word`; the first in sorted order of several."""
    from rapidfuzz import fuzz, process  # only broken input needs it

    known = sorted(set(words))
    folded = {each.casefold().replace("_", "-"): each for each in reversed(known)}
    exact = folded.get(word.strip().casefold().replace("_", "-"))
    if exact is not None:
        return exact
    match = process.extractOne(word[:200], known, scorer=fuzz.ratio, score_cutoff=LIKENESS)
    return str(match[0]) if match else None


class FileReporter:
    """Collects the diagnostics of one file (`attributes.Reporter`). `text` is what the marks of its nodes count in."""

    def __init__(self, name: str, text: str = "", diagnostics: list[Diagnostic] | None = None) -> None:
        self.name = name
        self.text = text
        self.diagnostics: list[Diagnostic] = diagnostics if diagnostics is not None else []
        self._told = dict.fromkeys(Severity, 0)

    def error(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None:
        self._tell(node, code, summary, detail, Severity.ERROR)

    def warning(self, node: yaml.Node, code: str, summary: str, detail: str = "") -> None:
        self._tell(node, code, summary, detail, Severity.WARNING)

    def _tell(self, node: yaml.Node, code: str, summary: str, detail: str, severity: Severity) -> None:
        self._told[severity] += 1
        if self._told[severity] == MOST_PROBLEMS:
            code, detail = "too-many-problems", "Mend the first ones and check again."
            summary = f"From here on nothing more is told: {MOST_PROBLEMS:,} {severity.value}s in one file."
        if self._told[severity] <= MOST_PROBLEMS:
            self.diagnostics.append(Diagnostic(code, summary, detail, source(node, self.name), severity))

    def items(self, node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """The pairs of a mapping; see `mapping_items`, which sees to everything out of the ordinary."""
        pairs = node.value
        if type(node) is yaml.MappingNode and not node.flow_style:
            found = {key.value: (key.value, key, value) for key, value in pairs if type(key) is yaml.ScalarNode}
            if len(found) == len(pairs) and _ODD.isdisjoint(found):
                return iter(found.values())
        return mapping_items(node, self.error, self.text)

    def slip(self, node: yaml.Node) -> bool:
        found = text_slip(node, self.text, _NOT_TEXT)
        if found is None:
            return False
        where = SourceRange(self.name, found.line + 1, found.column + 1)
        self.diagnostics.append(Diagnostic(found.code, found.summary, found.detail, where))
        return True

    def nearest(self, word: str, words: Iterable[str]) -> str:
        return nearest(word, words)

    def place(self, node: yaml.Node) -> tuple[int, int]:
        """Line and column of a node, from 1."""
        mark = node.start_mark
        return mark.line + 1, mark.column + 1
