"""Every reader of files against damaged files: no traceback, no hang, no write, an exit code of the table.

Of all (the last line says whether a law was broken):
    PYTHONPATH=tests python -m torture.fuzz_readers --inputs 10000 --seed 1
Of one input again, shown:
    PYTHONPATH=tests python -m torture.fuzz_readers --only journal:4711 --seed 1
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Ran, run_cli

from qase_iac.state.lock import Lock
from qase_iac.workflow.session import Session
from torture import fuzz_mutations as damage
from torture import fuzz_worlds as worlds
from torture.fuzz_targets import BY_NAME, READ, READERS, Reader
from torture.fuzz_worlds import World

CODES = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130}
REFUSED = CODES - {0, 2, 6}
SECONDS = 2.0
MEMORY = 1536 * 1024 * 1024
"""More than any input may take; a file that wants it all must not take the machine with it."""


class Hang(BaseException):
    """An input took far too long."""


@dataclass
class Fuzzer:
    """Feeds the readers. `top` is a folder of its own; `failures` maps what went wrong -> the inputs that showed it."""

    top: Path
    seed: int = 1
    limit: float = SECONDS
    failures: dict[str, list[str]] = field(default_factory=dict)
    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    slowest: tuple[float, str] = (0.0, "")
    runs: int = 0
    shown: bool = False
    told: bool = False

    @cached_property
    def worlds(self) -> dict[str, World]:
        makers = {"settled": worlds.settled, "interrupted": worlds.interrupted, "seeded": worlds.seeded}
        return {name: make(self.top / name) for name, make in makers.items()}

    @cached_property
    def undamaged(self) -> dict[str, str]:
        """What the commands say in the settled world when nothing is wrong."""
        world = self.worlds["settled"]
        return {command: self._run(world, command, "undamaged")[0].out for command in READ[:2]}

    def feed(self, reader: Reader, number: int) -> None:
        """One input: damages a file, runs the commands, and notes every law that was broken."""
        world, label = self.worlds[reader.world], f"{reader.name}:{number}"
        world.reset()
        self._damage(reader, world, random.Random(f"{self.seed}:{label}"))
        with worlds_around(world, own=reader.own):
            codes = [self._reads(reader, world, command, label) for command in reader.commands]
            if reader.apply:
                self._applies(reader, world, label, invalid=3 in codes)

    def _damage(self, reader: Reader, world: World, rng: random.Random) -> None:
        names = sorted(path.relative_to(world.top) for name in reader.files for path in _found(world, name))
        path = world.top / rng.choice(names)
        data = damage.mutated(path.read_bytes(), reader.mutations, rng)
        path.write_bytes(reader.reseal(data) if reader.reseal else data)
        if self.shown:
            print(f"{path.name}: {data[:3000]!r}")

    def _reads(self, reader: Reader, world: World, command: str, label: str) -> int:
        """A command that may write nothing."""
        ran, writes, changed = self._run(world, command, label, reader.locked)
        if writes or changed:
            self._broken(f"{command} wrote {writes or changed}", label)
        if reader.ignored and (ran.code, ran.out) != (0, self.undamaged[command]):
            self._broken(f"{command} was led astray by a damaged {reader.name}", label)
        if reader.locked and (command.startswith("apply") and ran.code != 7):
            self._broken(f"{command} gave {ran.code} although the state is locked", label)
        return ran.code

    def _applies(self, reader: Reader, world: World, label: str, invalid: bool) -> None:
        """A command that may write if it says that it did."""
        ran, writes, changed = self._run(world, reader.apply, label)
        places = "shop/out/" if reader.name == "convert" else "shop/.qase-iac/"
        if invalid and ran.code != 3:
            self._broken(f"apply gave {ran.code} although the files are invalid", label)
        if ran.code in REFUSED and (writes or changed) and ran.code not in (4, 8):
            self._broken(f"{reader.apply} gave {ran.code} and wrote {writes or changed}", label)
        if strays := [name for name in changed if not name.startswith(places) and reader.name != "settings"]:
            self._broken(f"{reader.apply} wrote {strays}", label)
        if reader.name == "convert" and ran.code == 0:
            valid = self._run(world, "-C out validate", label)[0]
            if valid.code:
                self._broken("what convert wrote is not valid", label)

    def _run(self, world: World, command: str, label: str, locked: bool = False) -> tuple[Ran, list[str], list[str]]:
        """Runs a command. Gives what it came to, the write requests, and the files that changed."""
        before, app, started = worlds.contents(world.root), world.emulator(), time.process_time()
        words = (
            ["-C", world.root, *command.split()]
            if not command.startswith("-C")
            else ["-C", world.root / "out", command.split()[-1]]
        )
        ran = Ran(-1, "", "")
        try:
            with world_app(app), self._in_time(), held(world, locked):
                ran = run_cli(*words)
        except Hang:
            self._broken(f"{command} hangs", label)
        except Exception as error:
            self._broken(f"{command}: traceback of {_where(error)}", label)
            ran = Ran(1, "", _where(error))
        app.close()
        spent = time.process_time() - started
        self.runs += 1
        self.slowest = max(self.slowest, (spent, f"{label} {command}"))
        self.codes[command.partition(" ")[0], ran.code] += 1
        if spent > self.limit:
            self._broken(f"{command} took more than {self.limit:g} s", label)
        if ran.code not in CODES or (ran.code not in (0, 2, 6) and not ran.all.strip()):
            self._broken(f"{command} gave {ran.code} and said {ran.all[:80]!r}", label)
        if "Traceback" in ran.all or "in a way that it should not" in ran.all:
            self._broken(f"{command} shows a traceback", label)
        if self.shown:
            print(f"$ qase-iac {command}\n{ran.out[:1500]}{ran.err[:3000]}exit {ran.code}, {spent:.2f} s")
        after = worlds.contents(world.root)
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        changed = [name for name in changed if locked or name != worlds.NOTE]  # the note goes with the lock
        return (
            ran,
            [f"{e.method} {e.path}" for e in app.requests if e.method != "GET"],
            [f"shop/{name}" for name in changed],
        )

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        """Ends what takes ten times as long as anything may, by processor time."""

        def stop(number: int, frame: Any) -> None:
            raise Hang

        before = signal.signal(signal.SIGPROF, stop)
        signal.setitimer(signal.ITIMER_PROF, 10 * self.limit)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def _broken(self, what: str, label: str) -> None:
        if what not in self.failures and self.told:
            print(f"BROKEN by {label}: {what}", flush=True)
        self.failures.setdefault(what, []).append(label)


def _found(world: World, name: str) -> list[Path]:
    if name == "cache/*":
        return [path for path in (world.top / "cache").rglob("*") if path.is_file()]
    return [world.root / name]


def _where(error: Exception) -> str:
    """Kind and place of an error, without what differs from input to input."""
    frames = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    ours = [name for name in frames if name.split(":")[0] not in ("core.py", "main.py")]
    return f"{type(error).__name__} at {' < '.join(reversed(ours[-3:]))}: {re.sub(r'[0-9]{3,}', 'N', str(error))[:90]}"


@contextmanager
def worlds_around(world: World, own: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        worlds.surroundings(patch, world.top)
        if not own:
            patch.setattr(Session, "_own_emulator", lambda self: _app[-1])
        yield


_app: list[Any] = []


@contextmanager
def world_app(app: Any) -> Iterator[None]:
    _app.append(app)
    try:
        yield
    finally:
        _app.pop()


@contextmanager
def held(world: World, locked: bool) -> Iterator[None]:
    """The state's lock, held by another process as far as the note beside it is concerned."""
    if not locked:
        yield
        return
    note = (world.root / worlds.NOTE).read_bytes()
    with Lock(world.root / worlds.NOTE.removesuffix(".holder"), HOLDER):
        (world.root / worlds.NOTE).write_bytes(note)
        try:
            yield
        finally:
            kept = (world.root / worlds.NOTE).read_bytes()
    (world.root / worlds.NOTE).write_bytes(kept)


def schedule(inputs: int) -> Iterator[tuple[Reader, int]]:
    """`inputs` pairs of reader and number, every reader by its share, in turn."""
    turn = [reader for reader in READERS for _ in range(reader.share)]
    for number in range(inputs):
        yield turn[number % len(turn)], number


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="READER[:N]", help="one reader, or one input of it, shown")
    given = parser.parse_args()
    name, _, number = (given.only or "").partition(":")
    pairs = [(BY_NAME[name], int(number))] if number else [p for p in schedule(given.inputs) if name in ("", p[0].name)]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), given.seed, shown=bool(number), told=True)
        started = time.monotonic()
        for at, (reader, each) in enumerate(pairs, 1):
            fuzzer.feed(reader, each)
            if at % 500 == 0:
                print(
                    f"{at} inputs, {time.monotonic() - started:.0f} s, {len(fuzzer.failures)} kinds of failure",
                    file=sys.stderr,
                )
    return summary(fuzzer, len(pairs))


def summary(fuzzer: Fuzzer, inputs: int) -> int:
    """Prints the figures. Gives the exit code."""
    digest = hashlib.sha256(repr(sorted(fuzzer.codes.items())).encode()).hexdigest()[:12]
    print(
        f"{inputs} inputs, {fuzzer.runs} runs; the slowest took {fuzzer.slowest[0]:.2f} s of processor time ({fuzzer.slowest[1]})"
    )
    print(
        "exit codes: "
        + ", ".join(f"{command} {code}: {count}" for (command, code), count in sorted(fuzzer.codes.items()))
        + f" ({digest})"
    )
    for what, labels in sorted(fuzzer.failures.items(), key=lambda item: -len(item[1])):
        print(f"FAILED {len(labels)} times: {what}\n    e.g. --only {' '.join(labels[:4])} --seed {fuzzer.seed}")
    print("no law was broken" if not fuzzer.failures else f"{len(fuzzer.failures)} kinds of failure")
    return 1 if fuzzer.failures else 0


if __name__ == "__main__":
    sys.exit(main())
