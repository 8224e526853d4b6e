"""The backup that an apply makes before it deletes or overwrites anything: the objects as they are, in one folder.

    .qase-iac/backups/20261123T091500Z-1a2b3c4d/
        README.txt             what the run set out to do, and how to bring things back
        objects.jsonl          each object exactly as it was read
        deleted/…yaml          what is deleted, as content files to be copied into the project folder
        overwritten.yaml       what is changed, with every attribute as it was
        paste.yaml             deleted suites whose parent is an entry in somebody's file; seldom there

The folder appears whole or not at all. Nothing ever deletes one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path, PurePosixPath

from qase_iac.convert.backup import Kept, Surroundings, content_files
from qase_iac.errors import QaseIacError, StateError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import rows_with_references
from qase_iac.plan.model import Action, Change, Plan
from qase_iac.state.model import State
from qase_iac.state.store import FOLDER, sync_folder
from qase_iac.values import JSON, RemoteId, printable
from qase_iac.workflow.backup_readme import readme
from qase_iac.workflow.planning import Planned
from qase_iac.workflow.session import TOOL, Session

BACKUPS = "backups"
RECORD = "objects.jsonl"
FORMAT = 1

Objects = set[tuple[str, RemoteId]]


def back_up(session: Session, planned: Planned) -> str | None:
    """Writes down everything that the plan deletes or overwrites; None when that is nothing.

    Returns the folder's path as seen from the project folder. Reads an object again only where the reading left
    something out. Raises StateError when the backup cannot be written, ApiError when an object cannot be read:
    nothing was sent then.
    """
    kept = [Kept(change, _whole(planned, change)) for change in planned.plan.unblocked if takes_away(change)]
    if not kept:
        return None
    time = session.world.now()
    place = _place(session)
    name = _free(place, f"{re.sub('[-:]', '', time)}-{planned.plan.digest.removeprefix('sha256:')[:8]}")
    around = _surroundings(session, planned, kept)
    texts, notes = content_files(kept, around, name)
    texts[RECORD] = "".join(_record(planned, kept, time))
    texts["README.txt"] = readme(planned.plan, kept, texts, notes, time, _seen(session, place / name))
    return _seen(session, _write(place, name, texts))


def takes_away(change: Change) -> bool:
    """Whether carrying out a change loses something that Qase holds now."""
    if change.id is None or change.action is Action.CREATE:
        return False
    return change.action is Action.DELETE or (change.writes and bool(change.sent))


def _whole(planned: Planned, change: Change) -> LiveObject:
    assert change.id is not None
    live = planned.snapshot.get(change.kind, change.id)
    if live is None or live.partial:
        live = planned.remote.read(change.kind, change.id) or live
    return live or LiveObject(change.kind, change.id, {}, partial=True)  # it is gone, which the call will tell


# --- what the content files need to know


def _surroundings(session: Session, planned: Planned, kept: Iterable[Kept]) -> Surroundings:
    return Surroundings(
        planned.snapshot.catalogue,
        _keys(planned.plan, planned.state),
        _paths(session.root, planned, kept),
        _folders(planned.desired),
        {kind: tuple(names) for kind, names in session.settings.defaults.items()},
    )


def _keys(plan: Plan, state: State) -> dict[str, dict[RemoteId, str]]:
    """Kind -> id -> key, as they are once the run is over; what is deleted keeps its own."""
    keys: dict[str, dict[RemoteId, str]] = {}
    for address, binding in state.bindings.items():
        kind, _, key = address.partition(".")
        keys.setdefault(kind, {})[binding.id] = key
    for change in plan.changes:
        if change.id is not None:
            keys.setdefault(change.kind, {})[change.id] = change.key
            if change.action is Action.FORGET:
                del keys[change.kind][change.id]
    return keys


def _folders(desired: Desired) -> dict[str, str]:
    """The key of each object that is a folder -> that folder."""
    found = {}
    for address, resource in desired.resources.items():
        own, path = BY_NAME[address.kind].file_name, PurePosixPath(resource.source.file)
        if own and path.stem == own:
            found[address.key] = "" if str(path.parent) == "." else str(path.parent)
    return found


def _paths(root: Path, planned: Planned, kept: Iterable[Kept]) -> dict[str, str]:
    """The hash of a file -> its path, for files that the objects hold and the project folder has, too."""
    wanted = {hash for each in kept for kind, hash in _references(each.live) if kind == "attachment"}
    known: dict[str, list[str]] = {}
    names: set[str] = set()
    for sha, entry in planned.state.files.items():
        hashes = [hash for hash in (entry.get("hash"), *entry.get("also", ())) if hash in wanted]
        if hashes:
            known[sha] = hashes
            names.add(str(entry.get("name")))
    return {hash: path for path, sha in _hashed(root, names) for hash in known.get(sha, ())} if names else {}


def _hashed(root: Path, names: set[str]) -> Iterator[tuple[str, str]]:
    """(path below the folder, sha256) of every regular file of these names. What cannot be read is not there."""
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names.intersection(files)):
            path = Path(folder, name)
            try:
                if not path.is_symlink() and path.is_file():
                    yield path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError:
                continue


def _references(live: LiveObject) -> Iterator[tuple[str, JSON]]:
    for name, row in rows_with_references(BY_NAME[live.kind]).items():
        if name in live.attributes:
            yield from row.type.refs(live.attributes[name])


# --- the exact record


def _record(planned: Planned, kept: Iterable[Kept], time: str) -> Iterator[str]:
    """A head, then a line for each object. ASCII: whatever a title holds comes back as it was."""
    plan = planned.plan
    head = {
        "backup": FORMAT,
        "tool": TOOL,
        "time": time,
        "project": plan.project,
        "api": plan.api,
        "plan": plan.digest,
        "lineage": planned.state.lineage,
        "serial": planned.state.serial,
    }
    yield json.dumps(head) + "\n"
    users = _users(planned.snapshot, {(each.change.kind, each.live.id) for each in kept if each.deleted})
    for each in kept:
        yield json.dumps(_line(each, planned.snapshot, users)) + "\n"


def _line(kept: Kept, snapshot: Snapshot, users: Mapping[tuple[str, RemoteId], list[JSON]]) -> dict[str, JSON]:
    change, live = kept.change, kept.live
    hashes = [hash for kind, hash in _references(live) if kind == "attachment"]
    return {
        "address": change.address,
        "kind": change.kind,
        "id": live.id,
        "action": str(change.action),
        "reason": str(change.reason),
        "partial": live.partial,
        "attributes": live.attributes,
        "meta": live.meta,
        "change": {
            name: {"before": each.before, "after": each.after, "origin": str(each.origin)}
            for name, each in change.attributes.items()
        },
        "files": {hash: snapshot.files[hash] for hash in hashes if hash in snapshot.files},
        "used_by": users.get((change.kind, live.id), []),
    }


def _users(snapshot: Snapshot, deleted: Objects) -> dict[tuple[str, RemoteId], list[JSON]]:
    """What refers to each of these: a milestone that goes is lost to its cases, whoever manages them."""
    found: dict[tuple[str, RemoteId], list[JSON]] = {}
    for live in snapshot if deleted else ():
        for target in dict.fromkeys((kind, id) for kind, id in _references(live) if kind != "attachment"):
            if target in deleted:
                found.setdefault(target, []).append({"kind": live.kind, "id": live.id})
    return found


# --- the folder


def _place(session: Session) -> Path:
    """Beside the state, in a folder with a dot: what lies in it is never taken for content."""
    beside = session.store.journal_path.parent
    return (beside if beside.name == FOLDER else beside / FOLDER) / BACKUPS


def _free(place: Path, name: str) -> str:
    """`name`, or `name-2` and so on where there is such a folder already."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(name for name in names if not os.path.lexists(place / name))


def _seen(session: Session, path: Path) -> str:
    """The path as seen from the project folder."""
    return Path(os.path.relpath(path, session.root)).as_posix()


def _write(place: Path, name: str, texts: Mapping[str, str]) -> Path:
    """Writes the folder, whole, and so that it outlives a power cut."""
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.mkdir(mode=0o700, exist_ok=True)
        for unfinished in place.glob(".new-*"):  # of a run that was killed: this one holds the lock
            shutil.rmtree(unfinished, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=".new-", dir=place))  # of mode 0700
        try:
            for path, text in texts.items():
                _put(work, path, text.encode("utf-8", "backslashreplace"))
            for folder, _, _ in os.walk(work):
                os.chmod(folder, 0o700)
                sync_folder(Path(folder))
            os.rename(work, place / name)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
        sync_folder(place)
        sync_folder(place.parent)
    except OSError as error:
        raise StateError(
            f"The backup of what this run changes cannot be written: {printable(str(place))}: "
            f"{error.strerror or type(error).__name__}.",
            "Nothing was sent to Qase: without a backup nothing is deleted or overwritten.",
            "Make room, or make the folder writable, and run the command again.",
        ) from error
    return place / name


def _put(root: Path, name: str, data: bytes) -> None:
    path = Path(os.path.normpath(root / name))
    if root not in path.parents:
        raise QaseIacError(f"{printable(name)} would be written outside the backup.", hint="This is a bug: report it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
