"""The edits of one file: each as finely as it can be made, and none that the loader would read as something else."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import replace

import yaml

from qase_iac.config.declarations import Path
from qase_iac.config.dump import dump
from qase_iac.config.edit.change import Change, Splice, Unspliceable, spliced
from qase_iac.config.edit.content import Content, Difference, content_of, differences
from qase_iac.config.edit.objects import COARSEST, attribute_keys, find, rewrite
from qase_iac.config.edit.operations import AddObject, Operation, SetAttribute
from qase_iac.config.edit.source import Source, plain
from qase_iac.errors import QaseIacError
from qase_iac.values import Attributes

BOM = b"\xef\xbb\xbf"
_NEAR = "another change is too near"
Refused = list[tuple[Operation, str]]
"""Operations that were not done, and why."""


class FileWork:
    """One content file on its way; `before` is None for a file that is made. Nothing is written."""

    def __init__(self, name: str, before: bytes | None) -> None:
        self.name = name
        self.before = before
        self.bom = bool(before and before.startswith(BOM))
        self.text = (before or b"").decode("utf-8-sig")
        self.content = content_of(self.text, name) if before is not None else Content({}, [[], [], [], {}, {}])
        self.first = self.content
        self.gone = False

    @property
    def after(self) -> bytes | None:
        """The bytes as they are to be; None when nothing is declared any more."""
        if self.gone or (self.content.is_empty and not self.first.is_empty) or (self.before is None and not self.text):
            return None
        return BOM * self.bom + self.text.encode()

    def place(self, line: int, column: int) -> Path | None:
        """The way to the object whose key stands there, or that the file is."""
        found = (path for path, each in self.first.objects.items() if each.place == (line, column))
        return next(found, () if () in self.first.objects and (line, column) == (1, 1) else None)

    def fill(self, attributes: Attributes, text: str = "") -> None:
        """Makes the new file of one object; of `text`, if that says the same."""
        self.text = dump(attributes)
        self.content = content_of(self.text, self.name)
        if text and differences(self.content, content_of(text, self.name)) == []:
            self.text = text

    # --- operations

    def run(self, operations: Sequence[Operation]) -> Refused:
        """Does what can be done, in rounds: in each, whatever does not touch what is done in the same round."""
        pending = list(operations)
        while pending:
            done, left = self._round(pending)
            if not done:
                refused = [(each, why) for each in pending if (why := self._one(each))]
                if len(refused) == len(pending):
                    return refused
                left = [each for each, _ in refused]
            pending = left
        return []

    def _round(self, pending: Iterable[Operation]) -> tuple[bool, list[Operation]]:
        source, wanted = Source(self.text), self.content
        taken: list[Splice] = []
        left: list[Operation] = []
        ends: dict[tuple[Path, str], Splice | None] = {}  # what is added there, None when nothing can stand behind it
        for operation in pending:
            end = (operation.container, operation.section) if isinstance(operation, AddObject) else None
            change = Change(source)
            try:
                if isinstance(operation, SetAttribute) and operation.is_done(wanted):
                    continue
                if end in ends and ends[end] is None:
                    raise Unspliceable(_NEAR)
                after = operation.after(wanted)
                operation.make(change, 0)
                if last := ends.get(end) if end else None:
                    change.splices = [self._behind(last, change.splices)]
                    taken.remove(last)
                elif _touch(taken, change.splices):
                    raise Unspliceable(_NEAR)
            except (Unspliceable, QaseIacError):
                left.append(operation)
                continue
            wanted = after
            for splice in change.splices:
                insort(taken, splice)
            if end:
                ends[end] = self._line_end(change.splices, end[1])
        return (not taken and not left) or self._accept(taken, wanted), left

    def _line_end(self, splices: Sequence[Splice], section: str) -> Splice | None:
        """The splice that adds an entry, if another one may be added behind it as it would be by itself."""
        if len(splices) != 1:
            return None
        (splice,) = splices
        above = self.text[: max(splice.start - 1, 0)].rpartition("\n")[2]
        lines = splice.start == splice.end and splice.text.endswith(("\n", "\r"))
        first = not above.strip() or splice.text.lstrip().startswith(f"{section}:")  # no entry stands above it
        return splice if lines and not first else None

    def _behind(self, last: Splice, splices: Sequence[Splice]) -> Splice:
        if len(splices) != 1 or (splices[0].start, splices[0].end) != (last.start, last.end):
            raise Unspliceable(_NEAR)
        return replace(last, text=last.text + splices[0].text)

    def _accept(self, splices: list[Splice], wanted: Content) -> bool:
        """Makes the splices if the outcome is read as `wanted`."""
        if not splices:
            return False
        try:
            text = spliced(self.text, splices)
        except Unspliceable:
            return False
        if differences(wanted, content_of(text, self.name)) != []:
            return False
        self.text, self.content = text, wanted
        return True

    def _one(self, operation: Operation) -> str:
        """One operation, ever more coarsely; why it cannot be done, "" when it is."""
        why = "what would come of it is read as something else"
        try:
            if isinstance(operation, SetAttribute) and operation.is_done(self.content):
                return ""
            wanted = operation.after(self.content)
        except (Unspliceable, QaseIacError) as error:
            return str(error)
        for level in range(COARSEST + 1):
            change = Change(Source(self.text))
            try:
                operation.make(change, level)
                if self._accept(change.splices, wanted) or self._with_others(change.splices, wanted):
                    return ""
            except Unspliceable as error:
                why = str(error)
        return why

    def _with_others(self, splices: list[Splice], wanted: Content) -> bool:
        """When others change with it, by alias or `<<`: they then say for themselves what they said."""
        text = spliced(self.text, splices)
        differing = differences(wanted, content_of(text, self.name))
        if not differing or any(not name for _, name in differing):
            return False
        try:
            for path in dict.fromkeys(path for path, _ in differing):
                text = self._kept(text, path, [each for each in differing if each[0] == path], wanted)
        except yaml.YAMLError:
            return False
        if differences(wanted, content_of(text, self.name)) != []:
            return False
        self.text, self.content = text, wanted
        return True

    def _kept(self, text: str, path: Path, differing: list[Difference], wanted: Content) -> str:
        """The text with an object saying by itself what it said before."""
        kind = wanted.objects[path].kind
        old = plain(find(Change(Source(self.text)), path).node)
        for _, name in differing:
            value = old
            for key in attribute_keys(name):
                value = value.get(key) if isinstance(value, dict) else None
            change = Change(Source(text))
            if name in wanted.objects[path].attributes:
                try:
                    set_level = 0
                    SetAttribute(None, path, kind, name, value).make(change, set_level)  # type: ignore[arg-type]
                except Unspliceable:
                    change = Change(Source(text))
                    rewrite(change, path, kind, old)
                text = spliced(text, change.splices)
            else:
                rewrite(change, path, kind, old)
                return spliced(text, change.splices)
        return text


def _touch(taken: list[Splice], more: Iterable[Splice]) -> bool:
    """Whether a splice comes so near to one of `taken` that the order of the two would count."""
    for splice in more:
        at = bisect_left(taken, splice)
        for other in taken[max(at - 1, 0) : at + 1]:
            if splice.start <= other.end and other.start <= splice.end:
                return True
    return False
