"""Problems that show only when all files are known: found by address, placed by reading one file again.

While loading, one place an object is kept and no tree of nodes; so a late problem names the way to the node in the
document, and each file with such problems is composed once more at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import yaml

from qase_iac.config import files
from qase_iac.config.declarations import Path
from qase_iac.config.reporter import FileReporter
from qase_iac.config.yaml_source import read_yaml, source
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange


@dataclass(frozen=True, slots=True)
class Target:
    """A node of a document: at the end of `path`, or, below it, the `nth` scalar that says `text`.

    `under`: the key of the mapping that such a scalar stands under, if there is one.
    """

    path: Path
    text: str | None = None
    under: str = ""
    nth: int = 0


@dataclass
class LateProblems:
    """Collects problems with targets, and places them."""

    by_name: dict[str, files.SourceFile]
    found: list[tuple[Diagnostic, Target | None]] = field(default_factory=list)

    def add(
        self,
        place: SourceRange,
        code: str,
        summary: str,
        detail: str = "",
        *,
        target: Target | None = None,
        severity: Severity = Severity.ERROR,
        address: str | None = None,
    ) -> None:
        """One problem. `place` is where it is shown when the target cannot be found any more."""
        self.found.append((Diagnostic(code, summary, detail, place, severity, address), target))

    def placed(self) -> list[Diagnostic]:
        """All of them with the places of their targets; the same problem at the same place once."""
        roots: dict[str, yaml.Node | None] = {}
        placed: dict[tuple[str, str, SourceRange], Diagnostic] = {}
        for diagnostic, target in sorted(self.found, key=lambda each: each[0].source.file):
            name = diagnostic.source.file
            if target is not None and name in self.by_name:
                if name not in roots:
                    roots = {name: _compose(self.by_name[name])}
                place = _find(roots[name], target, name)
                diagnostic = replace(diagnostic, source=place or diagnostic.source)
            placed.setdefault((diagnostic.code, diagnostic.summary, diagnostic.source), diagnostic)
        return list(placed.values())


def _compose(file: files.SourceFile) -> yaml.Node | None:
    data = files.read(file)
    return read_yaml(data, file.name).root if isinstance(data, bytes) else None


def _find(root: yaml.Node | None, target: Target, name: str) -> SourceRange | None:
    reporter = FileReporter(name)  # what it hears was said when the file was read first
    node = root
    key: yaml.Node | None = None
    for step in target.path:
        key, node = _step(node, step, reporter)
        if node is None:
            return None
    if node is None:
        return None
    if target.text is None:
        empty = isinstance(node, yaml.ScalarNode) and not node.value and key is not None
        return source(key if empty and key else node, name)
    hits = list(_scalars(node, "", lambda value: value == target.text, reporter))
    exact = [scalar for scalar, under in hits if under == target.under]
    nodes = exact or [scalar for scalar, _ in hits]
    return source(nodes[min(target.nth, len(nodes) - 1)] if nodes else node, name)


def _step(node: yaml.Node | None, step: str | int, reporter: FileReporter) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(step, int):
        items = node.value if isinstance(node, yaml.SequenceNode) else []
        return None, items[step] if step < len(items) else None
    if isinstance(node, yaml.MappingNode):
        for name, key, value in reporter.items(node):
            if name == step:
                return key, value
    return None, None


def _scalars(
    node: yaml.Node, under: str, wanted: Callable[[str], bool], reporter: FileReporter
) -> Iterator[tuple[yaml.ScalarNode, str]]:
    """Every scalar below a node, in the order of the file, with the key that it stands under."""
    if isinstance(node, yaml.ScalarNode):
        if wanted(node.value.strip()):
            yield node, under
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(item, under, wanted, reporter)
    elif isinstance(node, yaml.MappingNode):
        for name, _, value in reporter.items(node):
            yield from _scalars(value, name, wanted, reporter)
