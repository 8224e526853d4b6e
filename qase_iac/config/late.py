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
from qase_iac.config.yaml_mapping import source
from qase_iac.config.yaml_source import read_yaml
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
        documents: dict[str, _Document] = {}
        placed: dict[tuple[str, str, SourceRange], Diagnostic] = {}
        for diagnostic, target in sorted(self.found, key=lambda each: each[0].source.file):
            name = diagnostic.source.file
            if target is not None and name in self.by_name:
                if name not in documents:
                    documents = {name: _Document(name, _compose(self.by_name[name]))}
                place = documents[name].find(target)
                diagnostic = replace(diagnostic, source=place or diagnostic.source)
            placed.setdefault((diagnostic.code, diagnostic.summary, diagnostic.source), diagnostic)
        return list(placed.values())


def _compose(file: files.SourceFile) -> yaml.Node | None:
    data = files.read(file)
    return read_yaml(data, file.name).root if isinstance(data, bytes) else None


class _Document:
    """One file, composed again. Its mappings are looked through once, since there may be many problems."""

    def __init__(self, name: str, root: yaml.Node | None) -> None:
        self.name = name
        self.root = root
        self.reporter = FileReporter(name)  # what it hears was said when the file was read first
        self.mappings: dict[int, dict[str, tuple[yaml.Node, yaml.Node]]] = {}

    def find(self, target: Target) -> SourceRange | None:
        """The place of a target, as near as it gets; None when the way to it is gone."""
        key, node = None, self.root
        for step in target.path:
            key, node = self._step(node, step)
        if node is None:
            return None
        if target.text is None:
            empty = isinstance(node, yaml.ScalarNode) and not node.value
            return source(key if empty and key else node, self.name)
        hits = list(_scalars(node, "", lambda value: value == target.text, self.reporter))
        nodes = [scalar for scalar, under in hits if under == target.under] or [scalar for scalar, _ in hits]
        return source(nodes[min(target.nth, len(nodes) - 1)] if nodes else node, self.name)

    def _step(self, node: yaml.Node | None, step: str) -> tuple[yaml.Node | None, yaml.Node | None]:
        if not isinstance(node, yaml.MappingNode):
            return None, None
        if id(node) not in self.mappings:
            self.mappings[id(node)] = {name: (key, value) for name, key, value in self.reporter.items(node)}
        return self.mappings[id(node)].get(step, (None, None))


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
