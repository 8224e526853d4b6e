"""The tests of a mutation run: forked processes, how long each test takes, and which lines it reaches."""

from __future__ import annotations

import os
import pickle
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mutations import Mutation

ROOMS = {"plan": "tests/unit/plan/", "apply": "tests/unit/apply/", "api": "tests/unit/api_remote/"}
"""The unit tests of a package. They are about it, so all of those that reach a mutant get their turn."""


MEMORY = 2 * 1024**3
"""Bytes of address space that a forked process may take: a loop that a mutant does not end may fill a list."""


class Child:
    """A forked process that works out one value. It is stopped after so many seconds of CPU, or ten times as many."""

    def __init__(self, work: Callable[[], object], seconds: float, label: str = "") -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, 10 * seconds)
        answer: object = "crashed"
        try:
            answer = work()
        except BaseException as error:
            answer = f"{label}: {error!r}"
        finally:
            with os.fdopen(write, "wb") as pipe:
                pickle.dump(answer, pipe)
            os._exit(0)

    def answer(self) -> Any:
        with os.fdopen(self._read, "rb") as stream:
            try:
                return pickle.load(stream)
            except EOFError:
                return "nothing"


class Tests:
    """The tests that pass: how long each takes, and which lines it reaches. Found out in processes of their own."""

    def __init__(self, items: list[Any], files: list[str], jobs: int) -> None:
        self.items = items
        self.seconds: dict[int, float] = {}
        self._reach: dict[str, dict[int, list[int]]] = {}
        share = -(-len(items) // jobs)
        parts = [range(start, min(start + share, len(items))) for start in range(0, len(items), share)]
        failed: set[int] = set()
        with tempfile.TemporaryDirectory() as folder:
            outs = [Path(folder) / str(part.start) for part in parts]
            children = [
                Child(partial(_baseline, items, part, files, out), 3600) for part, out in zip(parts, outs, strict=True)
            ]
            for child, out in zip(children, outs, strict=True):
                os.waitpid(child.pid, 0)
                problem = child.answer()
                if problem is not None:
                    sys.exit(f"The tests cannot be run: {problem}")
                seconds, bad, reach = pickle.loads(out.read_bytes())
                self.seconds |= seconds
                failed |= bad
                for path, lines in reach.items():
                    held = self._reach.setdefault(path, {})
                    for line, reaching in lines.items():
                        held.setdefault(line, []).extend(reaching)
        for at in sorted(failed):
            say(f"left out, it fails without a mutant: {items[at].nodeid}")

    def reaching(self, mutation: Mutation, killers: Mapping[str, Counter[int]], budget: float) -> list[int]:
        """Those that reach the mutation: first what killed others in its function or file, then the fastest.

        All unit tests of its package, and of the others as many as `budget` seconds are enough for.
        """
        reach, room = self._reach.get(mutation.file, {}), ROOMS.get(Path(mutation.file).parent.name, "tests/unit/")
        near, far = killers[f"{mutation.file} {mutation.function}"], killers[mutation.file]
        found = {at for line in mutation.lines for at in reach.get(line, ())}
        foreign = {at: not self.items[at].nodeid.startswith(room) for at in found}
        order = sorted(found, key=lambda at: (-near[at], -far[at], foreign[at], self.seconds[at], at))
        chosen: list[int] = []
        total = 0.0
        for at in order:
            total += self.seconds[at] if foreign[at] else 0.0
            if not chosen or not foreign[at] or total <= budget:
                chosen.append(at)
        return chosen


def _baseline(items: list[Any], part: range, files: list[str], out: Path) -> None:
    """Runs some of the tests twice: to see where they go, then in the order and at the speed of the mutants."""
    import coverage

    cover = coverage.Coverage(data_file=None, config_file=False, include=files)
    seconds = dict.fromkeys(part, 0.0)
    failed: set[int] = set()

    def once(order: list[int], before: Callable[[str], object]) -> None:
        for at, following in zip(order, [*order[1:], None], strict=True):
            before(str(at))
            started = time.process_time()
            if not passes(items[at], None if following is None else items[following]):
                failed.add(at)
            seconds[at] = time.process_time() - started

    cover.start()
    once(list(seconds), cover.switch_context)
    cover.stop()
    once(sorted(seconds, key=lambda at: seconds[at]), lambda at: None)
    data, bad = cover.get_data(), set(map(str, failed))
    reach: dict[str, dict[int, list[int]]] = {}
    for path in data.measured_files():
        lines = data.contexts_by_lineno(path)
        reach[path] = {line: [int(name) for name in names if name and name not in bad] for line, names in lines.items()}
    out.write_bytes(pickle.dumps((seconds, failed, reach)))


def passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
