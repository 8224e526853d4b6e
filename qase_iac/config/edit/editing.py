"""Edits of a project folder as new contents of its files, proven by loading them. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from qase_iac.config import files
from qase_iac.config.edit.homes import Homes
from qase_iac.config.edit.model import Add, Edit, Edited, Failed, FileEdit, Move, Remove, Set
from qase_iac.config.edit.planning import Planned
from qase_iac.config.edit.proof import Expected, authored
from qase_iac.config.edit.work import FileWork
from qase_iac.config.file_walk import in_order
from qase_iac.config.loader import Loaded, load
from qase_iac.config.settings import Settings
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired
from qase_iac.values import Address, printable

MAX_TURNS = 20


def edit_files(
    settings: Settings,
    offline: Catalogue,
    desired: Desired,
    edits: Iterable[Edit],
    *,
    cache_dir: Path | None = None,
    instead: Mapping[str, bytes | None] | None = None,
) -> Edited:
    """The files as they are with `edits`, which are of the folder as it was loaded into `desired`.

    Every edit is made whole or not at all. What comes of them is loaded: exactly what was asked for differs from
    `desired`, or an edit is among `failed`. Attachments that new values name need not be there yet. `instead`: files
    as they would be in place of what the disk holds, as `load` takes it; `desired` was loaded with them.
    Raises QaseIacError when a file cannot be read.
    """
    return _Run(settings, offline, desired, cache_dir, instead or {}).run(list(edits))


@dataclass
class _Run:
    settings: Settings
    offline: Catalogue
    desired: Desired
    cache_dir: Path | None
    instead: Mapping[str, bytes | None]
    failed: dict[int, Failed] = field(default_factory=dict)
    works: dict[str, FileWork] = field(default_factory=dict)
    read: dict[str, bytes] = field(default_factory=dict)
    now: Desired | None = None

    def run(self, edits: list[Edit]) -> Edited:
        """Again without the edits that fail, until the rest holds."""
        more: list[Edit] = []
        for _ in range(MAX_TURNS):
            wanted = [edit for at, edit in enumerate(edits) if at not in self.failed]
            if not wanted:
                break
            planned, failed = self._made([*wanted, *more])
            result = self._results()
            if not failed:
                follow, failed = self._proven(wanted, more, result)
                if not follow and not failed:
                    return self._edited(planned, result)
                more += follow
            for each in failed:
                self._blame(edits, each, bool(more))
        if len(self.failed) < len(edits):
            for edit in edits:
                self._blame(edits, Failed(edit, "the edits together do not give what was asked for"), False)
        return Edited((), tuple(self.failed[at] for at in sorted(self.failed)))

    def _blame(self, edits: list[Edit], failed: Failed, follows: bool) -> None:
        """Notes a failure; one of a follow-up is that of the move that it follows."""
        for at, edit in enumerate(edits):
            if edit is failed.edit or (follows and edit.address == failed.edit.address and failed.edit not in edits):
                self.failed.setdefault(at, replace(failed, edit=edit))

    def _edited(self, planned: Planned, result: Mapping[str, bytes | None]) -> Edited:
        changed = [
            FileEdit(name, self.works[name].before, after)
            for name, after in sorted(result.items(), key=lambda pair: in_order(pair[0]))
        ]
        places = {address: file for address, (file, _) in planned.homes.where.items()}
        return Edited(tuple(changed), tuple(self.failed[at] for at in sorted(self.failed)), places, self.now)

    # --- making

    def _work(self, name: str) -> FileWork:
        if name not in self.works:
            self.works[name] = FileWork(name, self._read(name))
        return self.works[name]

    def _read(self, name: str) -> bytes | None:
        if name not in self.read and self._there(name):
            self.read[name] = read_content(self.settings, name, self.instead)
        return self.read.get(name)

    def _there(self, name: str) -> bool:
        return is_there(self.settings, name, self.instead)

    def _made(self, edits: Sequence[Edit]) -> tuple[Planned, list[Failed]]:
        self.works = {}
        planned = Planned(Homes(self.settings, self.desired, self._work, self._there))
        planned.take(edits)
        failed = planned.failed
        for name, (attributes, text) in planned.whole.items():
            self._work(name).fill(attributes, text)
        for name, operations in planned.operations.items():
            refused = self._work(name).run(operations)
            failed += [Failed(operation.edit, why, name) for operation, why in refused]
        for name, edit in planned.gone.items():
            work = self._work(name)
            work.gone = work.content.objects.keys() <= {()}
            if not work.gone:
                failed.append(Failed(edit, "other objects stand in its file", name))
        return planned, failed

    def _results(self) -> dict[str, bytes | None]:
        """The files that come out otherwise than they went in."""
        return {name: work.after for name, work in self.works.items() if work.after != work.before}

    # --- proving

    def _proven(
        self, wanted: Sequence[Edit], more: Sequence[Edit], result: Mapping[str, bytes | None]
    ) -> tuple[list[Edit], list[Failed]]:
        """What must still be said, and what fails, after loading the outcome."""
        if not result:
            return [], []
        now = load(self.settings, offline=self.offline, cache_dir=self.cache_dir, instead={**self.instead, **result})
        self.now = now.desired
        errors = self._new_errors(now)
        if errors:
            return [], _blamed(wanted, errors[0])
        expected = Expected(self.desired, [*wanted, *more])
        differing = expected.differences(now.desired)
        moved = {edit.address for edit in wanted if isinstance(edit, Move)}
        # Where a folder is no suite any more its defaults are gone, for what stands in it and lies elsewhere as well.
        bare = any(isinstance(edit, Remove) and BY_NAME[edit.address.kind].file_name for edit in wanted)
        follow: list[Edit] = []
        for address, name in differing:
            old = self.desired.resources.get(address)
            may = (address in moved or (bare and name != BY_NAME[address.kind].parent)) and not more
            if not (may and name and old is not None and name in old.attributes):
                what = f"{address} would read differently" + (f" in `{name}`" if name else "")
                return [], [Failed(edit, what, _file_of(self.desired, edit)) for edit in _suspects(wanted, address)]
            follow.append(Set(address, name, authored(BY_NAME[address.kind], name, old.attributes[name])))
        return follow, []

    def _new_errors(self, now: Loaded) -> list[Diagnostic]:
        """Errors but for attachments that are still to come."""
        return [
            each for each in now.diagnostics if each.severity is Severity.ERROR and each.code != "attachment-missing"
        ]


def is_there(settings: Settings, name: str, instead: Mapping[str, bytes | None]) -> bool:
    """Whether there is such a file, on the disk or in what stands in its place."""
    return instead[name] is not None if name in instead else (settings.root / name).exists()


def read_content(settings: Settings, name: str, instead: Mapping[str, bytes | None]) -> bytes:
    """The bytes of a content file that is there. Raises QaseIacError when they cannot be read."""
    known = instead.get(name)
    data = files.read(files.SourceFile(settings.root / name, name, 0)) if known is None else known
    if isinstance(data, Diagnostic):
        raise QaseIacError(f"{printable(name)}: {data.summary}", data.detail)
    return data


def _blamed(edits: Sequence[Edit], error: Diagnostic) -> list[Failed]:
    """The edits that an error is about: by address, by key, by file; all of them if nothing tells."""
    why = f"the outcome is refused ({error.source}: {error.summary.rstrip('.')})"
    tests: list[Callable[[Edit], bool]] = [
        lambda edit: (
            isinstance(edit, Set) and str(edit.address) == error.address and f"`{edit.value}`" in error.summary
        ),
        lambda edit: isinstance(edit, Remove | Add) and f"`{edit.address.key}`" in error.summary,
        lambda edit: isinstance(edit, Remove | Add) and str(edit.address) in error.summary,
        lambda edit: str(edit.address) == error.address,
        lambda edit: True,
    ]
    for test in tests:
        if found := [edit for edit in edits if test(edit)]:
            return [Failed(edit, why) for edit in found]
    return []


def _suspects(edits: Sequence[Edit], address: Address) -> Sequence[Edit]:
    """The edits that an object may owe a difference to: its own, else those of what it may lie in, else all."""
    own = [edit for edit in edits if edit.address == address]
    around = [edit for edit in edits if BY_NAME[edit.address.kind].file_name and not isinstance(edit, Set)]
    return own or around or edits


def _file_of(desired: Desired, edit: Edit) -> str:
    resource = desired.resources.get(edit.address)
    return resource.source.file if resource else ""
