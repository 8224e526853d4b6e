"""The matrix: every point is one accident, at one place of one apply. `CLASSES` lists them; `play` lets one happen."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from torture.stand import LISTS, WRITES, Child, Stand

LOST = ("drop-after", "cut-off", "500-after", "502-after", "empty-body", "html")
UNDONE = ("500", "502", "503", "504", "drop-before")
ANSWERED = ("500-after", "empty-body", "html")
"""Of these, those in which the application itself has spoken: its work has ended, and no minute is waited for it."""
STALE_SINGLE, STALE_BULK = 4, 40
"""Seconds for which lists are out of date, or a write comes late: what Qase is believed to be capable of."""
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


class Point(NamedTuple):
    """`where` is a number (of a request, a write or a disk operation), `how` what happens there."""

    kind: str
    how: str
    where: int
    more: int = 0

    def __str__(self) -> str:
        return f"{self.kind}:{self.how}@{self.where}" + (f",{self.more}" if self.more else "")


@dataclass
class Result:
    """`runs` is how many applies it took after the accident; `complaints` is empty when all is as it should be."""

    point: Point
    runs: int
    seconds: float
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Reference:
    """What an undisturbed apply did: how many requests, which writes, which disk operations."""

    requests: int
    writes: tuple[tuple[str, str], ...]
    disk: tuple[str, ...]

    @staticmethod
    def of(stand: Stand) -> Reference:
        return Reference(stand.requests, tuple((entry.method, entry.path) for entry in stand.log), tuple(stand.disk))

    def is_bulk(self, number: int) -> bool:
        return self.writes[number - 1][1].endswith("/bulk")

    def is_create(self, number: int) -> bool:
        return self.writes[number - 1][0] == "POST" and "/attachment/" not in self.writes[number - 1][1]


def play(stand: Stand, point: Point) -> Result:
    """One point from its beginning to its end."""
    started = time.monotonic()
    stand.reset()
    runs = -1
    try:
        found = CLASSES[point.kind].play(stand, point)
        stand.app.faults.clear()
        runs = 0 if stand.runs[-1].code == 0 else stand.run_until_done()
        found += stand.complaints()
    except Exception:  # a point that cannot be played is a failure, not the end of all others
        found = [traceback.format_exc()]
    return Result(point, runs, time.monotonic() - started, found)


def _ended(child: Child, *codes: int) -> list[str]:
    if child.code in codes:
        return []
    return [f"exit {child.code}, not {' or '.join(map(str, codes))}: {(child.out + child.err)[-1500:]}"]


# -- the process dies ----------------------------------------------------------------------------------------------


def _kills(seen: Reference) -> Iterator[Point]:
    for number in range(1, seen.requests + 1):
        yield Point("kill", "instead", number)
        yield Point("kill", "after", number)


def _kill(stand: Stand, point: Point) -> list[str]:
    """SIGKILL at a request boundary: the request has arrived and has no effect, or has one and gets no answer."""
    stand.gate.on(point.where, False, point.how, lambda: stand.runs[-1].kill())
    return _ended(stand.run(), -signal.SIGKILL)


def _twices(seen: Reference) -> Iterator[Point]:
    for n in range(40):
        yield Point("kill-twice", ("instead", "after")[n % 2], 1 + n * (seen.requests - 1) // 40, 1 + n * 7 % 30)


def _twice(stand: Stand, point: Point) -> list[str]:
    """And again, in the run that was to mend it."""
    found = _kill(stand, point)
    stand.gate.forget()
    stand.gate.on(point.more, False, "after", lambda: stand.runs[-1].kill())
    return found + _ended(stand.run(), -signal.SIGKILL, 0)


def _records(seen: Reference) -> Iterator[Point]:
    """Every outcome before it is written, every other line half written or unsynced; all else before and after."""
    for number, name in enumerate(seen.disk, 1):
        match name.split():
            case ["write", "outcome"]:
                yield Point("record", "kill", number)
            case ["write", _]:
                yield Point("record", ("torn", "kept")[number % 2], number)
            case ["fsync", file] if file.endswith(".journal"):
                pass
            case _:
                yield Point("record", "kill", number)
                yield Point("record", "kept", number)


def _record(stand: Stand, point: Point) -> list[str]:
    """SIGKILL at a disk operation: before it, in the middle of it, or before it is synced."""
    return _ended(stand.run({"TORTURE_DO": point.how, "TORTURE_AT": str(point.where)}), -signal.SIGKILL)


def _stops(seen: Reference) -> Iterator[Point]:
    for number in range(1, seen.requests + 1, 5):
        yield Point("ctrl-c", "before", number)


def _stop(stand: Stand, point: Point) -> list[str]:
    """Ctrl-C while a request is in flight. After the last write there is nothing left to stop."""
    stand.gate.on(point.where, False, point.how, lambda: stand.runs[-1].process.send_signal(signal.SIGINT))
    return _ended(stand.run(), 130, 0)


# -- answers get lost ----------------------------------------------------------------------------------------------


def _losts(seen: Reference) -> Iterator[Point]:
    for number in range(1, len(seen.writes) + 1):
        for how in LOST:
            yield Point("lost", how, number)


def _lost(stand: Stand, point: Point) -> list[str]:
    """The answer to one write is lost after its effect: the very run finds out, but for uploads."""
    stand.app.faults.add(point.how, method=WRITES, after=point.where - 1)
    return _ended(stand.run(), *_found_out(stand, point))


def _found_out(stand: Stand, point: Point) -> tuple[int, ...]:
    """The exit codes of a run that looks for what one of its writes did. A lost upload is done again by the next."""
    return (6,) if "/attachment/" in stand.log[point.where - 1].path else (0,)


def _undones(seen: Reference) -> Iterator[Point]:
    for number in range(1, len(seen.writes) + 1):
        yield Point("undone", UNDONE[number % len(UNDONE)], number)


def _undone(stand: Stand, point: Point) -> list[str]:
    """One write fails before its effect, and nobody says so."""
    stand.app.faults.add(point.how, method=WRITES, after=point.where - 1)
    return _ended(stand.run(), 6)


def _outages(seen: Reference) -> Iterator[Point]:
    for n, number in enumerate(range(1, seen.requests + 1, 9)):
        yield Point("outage", ("503", "502-after", "drop-before")[n % 3], number)


def _outage(stand: Stand, point: Point) -> list[str]:
    """From one request on the service is down for good, until the run has ended."""
    stand.app.faults.add(point.how, after=point.where - 1, times=0)
    return _ended(stand.run(), 0, 6, 9)


def _storms(seen: Reference) -> Iterator[Point]:
    for n, number in enumerate(range(1, seen.requests + 1, 4)):
        yield Point("429", "storm", number, (3, 7, 20)[n % 3])


def _storm(stand: Stand, point: Point) -> list[str]:
    """429 for some requests in a row; 20 are more than anyone's patience."""
    stand.app.faults.add("429", after=point.where - 1, times=point.more, retry_after=5)
    return _ended(stand.run(), *((0,) if point.more < 8 else (0, 6, 9)))


# -- Qase lags behind ----------------------------------------------------------------------------------------------


def _stales(seen: Reference) -> Iterator[Point]:
    for number in range(1, len(seen.writes) + 1):
        how = LOST[number % len(LOST)]
        seconds = STALE_BULK if seen.is_bulk(number) else STALE_SINGLE
        yield Point("stale", how, number, STALE_SINGLE if how in ANSWERED else seconds)
        if seen.is_create(number):
            yield Point("stale", "kill", number, seconds)
        elif number % 4 == 0:
            yield Point("stale", "nothing", number, seconds)


def _stale(stand: Stand, point: Point) -> list[str]:
    """An answer is lost (or the process is killed, or nothing happens), and for a while lists show what was before."""
    if point.how in LOST:
        stand.app.faults.add(point.how, method=WRITES, after=point.where - 1)
    stand.gate.on(
        point.where, True, "before", lambda: stand.app.faults.add("stale-list", path=LISTS, seconds=point.more)
    )
    if point.how == "kill":
        stand.speed = _slow(point)
        stand.gate.also("after", lambda: stand.runs[-1].kill())
        return _ended(stand.run(), -signal.SIGKILL) + _ended(stand.run(), 0)
    # A suite that a lagging list still shows full is not deleted in this run: rather twice than wrong.
    created = stand.log[point.where - 1].method == "POST"
    return _ended(stand.run(), *(_found_out(stand, point) if created else (0, 6)))


def _slow(point: Point) -> float:
    """A speed at which a process can start again within `more` seconds."""
    return point.more / 2.5


def _lates(seen: Reference) -> Iterator[Point]:
    for number in range(1, len(seen.writes) + 1):
        if seen.is_bulk(number):
            yield Point("late", "504", number, 10)
            yield Point("late", "504", number, STALE_BULK)
            yield Point("late", "kill", number, STALE_BULK)
        elif seen.is_create(number) or number % 3 == 0:
            yield Point("late", "504", number, STALE_SINGLE)


def _late(stand: Stand, point: Point) -> list[str]:
    """A write is answered with 504 and done only later; the process lives, or is killed on its next request."""
    stand.app.faults.add("late", method=WRITES, after=point.where - 1, seconds=point.more)
    if point.how == "504":
        return _ended(stand.run(), *_found_out(stand, point))

    def kill_on_next() -> None:
        stand.gate.on(stand.gate.counts[False] + 1, False, "instead", lambda: stand.runs[-1].kill())

    stand.speed = _slow(point)
    stand.gate.on(point.where, True, "after", kill_on_next)
    return _ended(stand.run(), -signal.SIGKILL) + _ended(stand.run(), 0)


# -- the disk ------------------------------------------------------------------------------------------------------


def _fulls(seen: Reference) -> Iterator[Point]:
    lines = 0
    for number, name in enumerate(seen.disk, 1):
        what, _, file = name.partition(" ")
        lines += what == "write"
        record = what == "write" and lines % 2
        synced = what == "fsync" and not file.endswith(".journal")
        if record or synced or what in ("open", "mkdir", "link"):
            yield Point("disk-full", "ENOSPC", number)
    for limit in range(30):
        yield Point("disk-full", "RLIMIT_FSIZE", 64 + 20 * len(seen.writes) * limit)


def _full(stand: Stand, point: Point) -> list[str]:
    """From one disk operation on nothing fits any more; or no file may grow beyond so many bytes (a real limit)."""
    if point.how == "RLIMIT_FSIZE":
        limit = (point.where, point.where)
        child = stand.run(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    else:
        child = stand.run({"TORTURE_DO": "full", "TORTURE_AT": str(point.where)})
    return _ended(child, 0, 1, 6)


def _closed(seen: Reference) -> Iterator[Point]:
    for how in ("folder", "state-folder", "journal-is-a-folder", "state-unreadable"):
        yield Point("read-only", how, 0)


def _close(stand: Stand, point: Point) -> list[str]:
    """Nothing can be written down, so nothing is sent."""
    root, inner = stand.folder.root, stand.folder.root / ".qase-iac"
    kept = {path: path.stat().st_mode for path in (root, inner, *inner.iterdir())}
    journal = next(path for path in inner.glob("*@*.json")).with_suffix(".journal")
    if point.how == "journal-is-a-folder":
        journal.mkdir()
        child = stand.run()
        journal.rmdir()
    else:
        _forbid(stand, point.how)
        child = stand.run(preexec_fn=_drop_rights)
        for path, mode in kept.items():
            os.chmod(path, mode)
    sent = stand.gate.counts[True]
    return _ended(child, 1) + ([f"{sent} writes were sent all the same"] if sent else [])


def _drop_rights() -> None:
    """Root may write anywhere; without these two capabilities it may not."""
    if os.geteuid() == 0:
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _forbid(stand: Stand, how: str) -> None:
    root, inner = stand.folder.root, stand.folder.root / ".qase-iac"
    for path in inner.iterdir():
        os.chmod(path, 0o000 if how == "state-unreadable" else 0o444)
    os.chmod(inner, 0o555)
    os.chmod(root, 0o555 if how == "folder" else 0o755)


# -- two at once ---------------------------------------------------------------------------------------------------


def _togethers(seen: Reference) -> Iterator[Point]:
    for n in range(6):
        yield Point("two-at-once", "refused", n * 60)
        yield Point("two-at-once", "waits", n * 60)


def _together(stand: Stand, point: Point) -> list[str]:
    """Two runs over one folder, one so many milliseconds after the other: one works, the other waits or exits 7."""
    options = ["--lock-timeout", "60"] if point.how == "waits" else []
    one = stand.start({}, *options)
    time.sleep(point.where / 1000)
    two = stand.start({}, *options)
    codes = sorted([one.wait().code, two.wait().code])
    found = []
    if codes != [0, 0] and (codes != [0, 7] or point.how == "waits"):
        found = _ended(one, 0) + _ended(two, 0)
    if stand.gate.counts[True] != stand.writes:
        found.append(f"{stand.gate.counts[True]} writes instead of {stand.writes}")
    if 0 in codes:
        stand.runs.append(one if one.code == 0 else two)
    return found


def _clones(seen: Reference) -> Iterator[Point]:
    yield Point("clones", "one after the other", 0)


def _clone(stand: Stand, point: Point) -> list[str]:
    """Two clones of the folder, each with its own copy of the state; the second run starts when the first is done."""
    other = stand.folder.root.with_name("shop-clone")
    shutil.copytree(stand.folder.root, other)
    first = stand.run()
    before = stand.folder.dump()
    stand.start({}, root=other).wait()
    changed = [] if stand.folder.dump() == before else ["the second clone changed something"]
    stand.runs[:] = [first]
    return changed


class Class(NamedTuple):
    title: str
    points: Callable[[Reference], Iterator[Point]]
    play: Callable[[Stand, Point], list[str]]


CLASSES: dict[str, Class] = {
    "kill": Class("SIGKILL at a request: before its effect, or after it and before the answer", _kills, _kill),
    "record": Class("SIGKILL at a record: before, within, and after it is written", _records, _record),
    "kill-twice": Class("SIGKILL, and again in the run that follows", _twices, _twice),
    "ctrl-c": Class("Ctrl-C while a request is in flight", _stops, _stop),
    "lost": Class("The answer to a write is lost after its effect, in six ways", _losts, _lost),
    "undone": Class("5xx, or no answer, before the work", _undones, _undone),
    "outage": Class("The service goes down and stays down", _outages, _outage),
    "429": Class("429 storms", _storms, _storm),
    "stale": Class("Lists are out of date for a while after a write whose answer was lost", _stales, _stale),
    "late": Class("A write is done only after its answer has timed out", _lates, _late),
    "disk-full": Class("The disk is full from one write on, or files may not grow", _fulls, _full),
    "read-only": Class("Nothing can be written down", _closed, _close),
    "two-at-once": Class("Two applies of one folder at once", _togethers, _together),
    "clones": Class("Two clones of the folder, one after the other", _clones, _clone),
}
