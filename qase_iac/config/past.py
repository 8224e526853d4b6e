"""`moved`, `removed`, `adopt` of all files together."""

from __future__ import annotations

from dataclasses import dataclass, field

from qase_iac.config.assemble import Assembly
from qase_iac.config.declarations import FileContent
from qase_iac.config.files import SourceFile
from qase_iac.config.reporter import nearest
from qase_iac.diagnostics import Severity, SourceRange
from qase_iac.model import Moved
from qase_iac.values import Address, RemoteId


@dataclass
class Past:
    """What was said about keys, in the order of the files. `hold` as in `Checks`."""

    assembly: Assembly
    hold: bool
    moved: list[Moved] = field(default_factory=list)
    removed: dict[Address, SourceRange] = field(default_factory=dict)
    adopt: dict[Address, tuple[RemoteId, SourceRange]] = field(default_factory=dict)

    def run(self, contents: list[tuple[SourceFile, FileContent]]) -> None:
        for file, content in contents:
            for origin, target, line, column in content.moved:
                where = SourceRange(file.name, line, column)
                self.moved.append(Moved(Address.parse(origin), Address.parse(target), where))
            for address, line, column in content.removed:
                self._remove(Address.parse(address), SourceRange(file.name, line, column))
            for address, id, line, column in content.adopt:
                self._adopt(Address.parse(address), id, SourceRange(file.name, line, column))
        self._check_adopted()
        self._check_moved()

    def _problem(self, where: SourceRange, code: str, summary: str, detail: str, warn: bool = False) -> None:
        severity = Severity.WARNING if warn else Severity.ERROR
        self.assembly.problems.add(where, code, summary, detail, severity=severity)

    def _remove(self, address: Address, where: SourceRange) -> None:
        declared = self.assembly.resources.get(address)
        self.removed.setdefault(address, where)
        if declared is not None:
            summary = f"{address} is removed here and declared at {declared.source}."
            detail = "`removed` means that this folder no longer manages it. Drop one of the two."
            self._problem(where, "removed-and-declared", summary, detail)

    def _adopt(self, address: Address, id: RemoteId, where: SourceRange) -> None:
        before = self.adopt.get(address)
        if before is not None:
            if before[0] != id:
                summary = f"{address} is adopted twice: {before[0]} at {before[1]}, {id} here."
                self._problem(where, "adopted-twice", summary, "One address is one object. Drop one of the two.")
            return
        self.adopt[address] = id, where

    def _check_adopted(self) -> None:
        by_id: dict[tuple[str, RemoteId], Address] = {}
        for address, (id, where) in self.adopt.items():
            first = by_id.setdefault((address.kind, id), address)
            if first != address:
                summary = f"{address} adopts {id}, and so does {first} at {self.adopt[first][1]}."
                self._problem(where, "adopted-twice", summary, "One object has one address. Drop one of the two.")
            if address not in self.assembly.resources and address not in self.assembly.phantoms and not self.hold:
                known = [str(each) for each in self.assembly.resources if each.kind == address.kind]
                summary = f"`adopt` names {address}, which is declared nowhere.{nearest(str(address), known)}"
                detail = "What is bound and not declared would be deleted. Declare it, or drop the line."
                self._problem(where, "unknown-reference", summary, detail)

    def _check_moved(self) -> None:
        """The log, entry by entry. What looks odd can be right in a log of years, so these are warnings."""
        left: dict[Address, Moved] = {}
        filled: dict[Address, Moved] = {}
        for entry in self.moved:
            before = left.get(entry.origin)
            if before is not None:
                summary = f"{entry.origin} moves twice: at {before.source} and here."
                detail = "Nothing has come to that key in between, so only the first entry finds something to move."
                self._problem(entry.source, "moved-twice", summary, detail, warn=True)
            elif entry.target in filled:
                summary = f"Two keys move to {entry.target}: at {filled[entry.target].source} and here."
                detail = "A key is one object, and the first has not moved on."
                self._problem(entry.source, "moved-twice", summary, detail, warn=True)
            left[entry.origin] = filled[entry.target] = entry
            left.pop(entry.target, None)
            filled.pop(entry.origin, None)
        for target, entry in filled.items():
            declared = self.assembly.resources.keys() | self.assembly.phantoms | self.removed.keys()
            if target not in declared and not self.hold:
                known = [str(each) for each in self.assembly.resources if each.kind == target.kind]
                summary = f"`moved` leads to {target}, which is declared nowhere.{nearest(str(target), known)}"
                detail = "If the key is misspelt, the object would be deleted. If it is gone for good, drop the line."
                self._problem(entry.source, "moved-to-nothing", summary, detail, warn=True)
