"""What a run meant to do and what came of it: append-only JSON lines beside the state, each synced to disk.

    {"journal": 1, "tool": "…", "lineage": "…", "serial": 4, "plan": "sha256:…", "project": "SHOP", "api": "…",
     "time": "…", "seen": {"case": 5059, "shared_step": ["0223905c…"]}}
    {"renamed": [["case.pay", "case.pay-by-card", 41]], "moved": ["case.pay -> case.pay-by-card"]}
    {"uploaded": "<sha256>", "entry": {"hash": "…", "name": "card.png", "size": 123}}
    {"intent": 1, "time": "…", "items": [{"op": 7, "address": "case.x", "action": "create", "id": null,
     "title": "…", "parent": 3, "digest": "sha256:…", "record": {"sent": {…}, "depends_on": […]}}]}
    {"outcome": 1, "time": "…", "status": "done", "ids": [42]}

An intent is on disk before its call, its outcome after it; a call for many objects has one of each. An intent without
an outcome, or with outcome `unknown`, is *open*: Qase has to be asked (apply/settle.py). apply/fold.py puts what was
done into the state.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from io import FileIO
from pathlib import Path
from typing import Any

from qase_iac.errors import StateError
from qase_iac.model import Snapshot
from qase_iac.state.files import replace_file, sync_folder
from qase_iac.state.model import is_seen, is_serial, is_texts
from qase_iac.values import JSON, Attributes, RemoteId, printable

FORMAT = 1
DONE, FAILED, UNKNOWN = "done", "failed", "unknown"

PLANNED = 0
"""The number of the intent that is a whole plan, stored before the first call by backends that outlive the disk."""

Seen = dict[str, JSON]
"""Kind -> what the plan's reading contained: the highest id, or for hashes the list of them."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which run of which state this is: `serial` is the state's when the run began; `plan` the plan's digest."""

    lineage: str
    serial: int
    plan: str
    project: str
    api: str
    tool: str = ""
    time: str = ""
    seen: Seen = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Item:
    """One object's part of an intent.

    `title` and `parent` (a bound id) are its natural key, `digest` is over the attributes sent, `record` is what its
    binding gains when it is done: `sent`, `depends_on`, `protect`. In the intent of a whole plan a parent that the
    plan makes is an address, and other references to such objects are `{"known_after_apply": ADDRESS}`.
    """

    op: int
    address: str
    action: str
    id: RemoteId | None = None
    title: str = ""
    parent: RemoteId | None = None
    digest: str = ""
    record: Attributes = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.address.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Intent:
    number: int
    time: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """A journal as read. `torn` says that its last line was cut off while being written, and was left out."""

    header: Header
    records: tuple[dict[str, Any], ...] = ()
    torn: bool = False

    def lines(self) -> list[dict[str, Any]]:
        """The header and the records as JSON; `contents` reads them."""
        return [{"journal": FORMAT, **asdict(self.header)}, *self.records]


def seen_of(snapshot: Snapshot) -> Seen:
    """What a reading contained, compactly, so that objects made after it can be told from those that were there."""
    seen: Seen = {}
    for kind, objects in snapshot.objects.items():
        numbers = [id for id in objects if isinstance(id, int)]
        seen[kind] = max(numbers, default=0) if len(numbers) == len(objects) else sorted(str(id) for id in objects)
    return seen


def is_new(seen: Mapping[str, JSON], kind: str, id: RemoteId) -> bool:
    """Whether an object cannot have been there when `seen` was taken. A kind without an entry had no objects."""
    before = seen.get(kind, 0)
    if isinstance(before, list):
        return str(id) not in before
    return not isinstance(id, int) or id > before


def read_journal(path: Path) -> Contents | None:
    """The journal at `path`; None when there is none, or none that got as far as its header."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"The journal cannot be read: {path}: {error.strerror or error}.") from error
    return parse_journal(content)


def parse_journal(content: bytes) -> Contents | None:
    """A last line that was cut off is left out. Raises StateError when any other line makes no sense."""
    *whole, last = content.split(b"\n")
    records = [_parse_line(line, at) for at, line in enumerate(whole, 1)]
    torn = bool(last)
    if last:
        with suppress(StateError):
            records.append(_parse_line(last, len(records) + 1))
            torn = False
    return replace(contents(records), torn=torn) if records else None


def contents(records: Sequence[dict[str, Any]]) -> Contents:
    """A journal out of its lines. Raises StateError when the first is no header of ours."""
    header = dict(records[0])
    if header.pop("journal", None) != FORMAT:
        raise damaged(1, ValueError("this is no journal that this version of qase-iac can read"))
    try:
        parsed = Header(**header)
        texts = [parsed.lineage, parsed.plan, parsed.project, parsed.api, parsed.tool, parsed.time]
        sound = is_texts(texts) and is_serial(parsed.serial) and is_seen(parsed.seen)
    except TypeError as error:
        raise damaged(1, error) from None
    if not sound or not parsed.lineage:
        raise damaged(1, ValueError("its header is not one of ours"))
    return Contents(parsed, tuple(records[1:]))


def whole_plan(
    header: Header, items: Sequence[Item], renames: Sequence[tuple[str, str, RemoteId]], moved: Sequence[str], time: str
) -> Contents:
    """A run in progress of which nothing is known but what it is going to do."""
    renamed = [_renamed_line(renames, moved)] if renames or moved else []
    return Contents(header, (*renamed, _intent_line(Intent(PLANNED, time, tuple(items)))))


def still_open(header: Header, intents: Sequence[Intent]) -> Contents:
    """What is left of a run: nothing but these open intents."""
    return Contents(header, tuple(map(_intent_line, intents)))


def same_run(one: Header, other: Header) -> bool:
    """Whether two journals are of one run; what they say of the serial changes once its state is saved."""
    return (one.lineage, one.plan, one.time) == (other.lineage, other.plan, other.time)


def _parse_line(line: bytes, number: int) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise damaged(number, error) from None
    if not isinstance(record, dict):
        raise damaged(number, TypeError("no mapping"))
    return record


def damaged(line: int, error: Exception) -> StateError:
    return StateError(
        f"The journal is damaged: line {line} makes no sense.",
        printable(f"{type(error).__name__}: {error}"),
        "It tells what an interrupted run did. Move it away and look at `qase-iac plan` before the next apply.",
    )


class Journal:
    """Writes the journal of one run. The file appears with the first line and goes when nothing is left open.

    A line that could not be written whole is taken back, so that the next one does not stand behind half a line; the
    StateError it raises must keep the call that the line announces from being made.
    """

    def __init__(self, path: Path, header: Header) -> None:
        """Raises StateError when a journal is there already: it has to be folded first, never overwritten."""
        if read_journal(path) is not None:
            raise StateError(
                f"An earlier run left its journal: {path}.",
                "What it did has not been taken over into the state yet.",
                "Run the command again; if this stays, move that file away and look at `qase-iac plan`.",
            )
        self.path = path
        self.header = header
        self._file: FileIO | None = None
        self._open: dict[int, Intent] = {}
        self._last = 0

    def intent(self, items: Sequence[Item], time: str) -> int:
        """Says what the next call is to do, before it is made. Returns the number that its outcome names."""
        intent = Intent(self._last + 1, time, tuple(items))
        self._append(_intent_line(intent))
        self._last = intent.number
        self._open[intent.number] = intent
        return intent.number

    def outcome(
        self, number: int, status: str, time: str, ids: Sequence[RemoteId | None] = (), cause: str = ""
    ) -> None:
        """Says what came of it: done (with an id for each item), failed (nothing happened) or unknown."""
        line: dict[str, JSON] = {"outcome": number, "time": time, "status": status}
        line |= {"ids": list(ids)} if status == DONE else {"cause": cause}
        self._append(line)
        if status != UNKNOWN:
            del self._open[number]

    def renamed(self, renames: Sequence[tuple[str, str, RemoteId]], moved: Sequence[str]) -> None:
        self._append(_renamed_line(renames, moved))

    def uploaded(self, sha256: str, entry: dict[str, JSON]) -> None:
        self._append({"uploaded": sha256, "entry": entry})

    @property
    def open(self) -> tuple[Intent, ...]:
        return tuple(self._open.values())

    def finish(self, serial: int) -> None:
        """Ends the run whose state is saved under `serial`: removes the file, or keeps what is still open in it."""
        written = self._file is not None
        self.close()
        if written:
            carry(self.path, replace(self.header, serial=serial), self.open)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _append(self, record: dict[str, Any]) -> None:
        try:
            if self._file is None:
                self._file = self._begin()
            _write(self._file, _line(record))
        except OSError as error:
            raise StateError(
                f"The journal cannot be written: {self.path}: {error.strerror or error}.",
                "Nothing is sent to Qase without a note of it.",
                "Make room, or make the folder writable, and run the command again: it picks up where this one ended.",
            ) from error

    def _begin(self) -> FileIO:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = FileIO(os.open(self.path, flags, 0o600), "r+")
        try:
            _write(file, _line(Contents(self.header).lines()[0]))
            sync_folder(self.path.parent)
        except OSError:
            file.close()
            raise
        return file


def _write(file: FileIO, line: bytes) -> None:
    start = file.tell()
    try:
        rest = memoryview(line)
        while rest:
            rest = rest[file.write(rest) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            file.truncate(start)
            file.seek(start)
        raise


def carry(path: Path, header: Header, intents: Sequence[Intent]) -> None:
    """Puts a journal in the place of `path` that holds nothing but these open intents; without any, removes it.

    To be called after the state was saved under `header.serial`, by whatever command saved it.
    """
    try:
        if intents:
            replace_file(path, [_line(line) for line in still_open(header, intents).lines()])
        elif path.exists():
            path.unlink()
            sync_folder(path.parent)
    except OSError as error:
        raise StateError(f"The journal cannot be put away: {path}: {error.strerror or error}.") from error


def _renamed_line(renames: Sequence[tuple[str, str, RemoteId]], moved: Sequence[str]) -> dict[str, Any]:
    return {"renamed": [list(each) for each in renames], "moved": list(moved)}


def _intent_line(intent: Intent) -> dict[str, Any]:
    items = [{key: value for key, value in asdict(item).items() if value not in (None, "")} for item in intent.items]
    return {"intent": intent.number, "time": intent.time, "items": items}


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
