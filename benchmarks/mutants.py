"""Mutation testing of plan/, the codec and the executor. Writes docs/mutants.md.

    python benchmarks/mutants.py [--sample 300 --seed 1] [--only 'qase_iac/apply/*'] [--jobs 2]

Works on a copy of the tree. The tests are collected once; each mutant gets a forked process in which the function's
code is exchanged, and runs only the tests that reach the changed lines, those first that killed its neighbours.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import gc
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from mutants_report import Outcome, write_report  # noqa: E402
from mutations import Mutation, mutations  # noqa: E402

ROOT = HERE.parent
TARGETS = ("qase_iac/plan/*.py", "qase_iac/apply/*.py", "qase_iac/api/codec.py")
TESTS = (
    "tests/unit/plan",
    "tests/unit/apply",
    "tests/unit/api_remote",
    "tests/unit/state",
    "tests/contract",
    "tests/scenario/test_laws_of_attributes.py",
    "tests/scenario/test_laws_of_switches.py",
)
"""Those that are about these modules, and the laws. What only passes through them by the way is slow to kill."""
OPTIONS = ("-q", "-s", "--assert=plain", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
LEFT_OUT = (".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info")
KILLED, SURVIVED, TIMEOUT, UNREACHED = "killed", "survived", "timeout", "unreached"


def main() -> None:
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        copy = Path(name) / "tree"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        os.chdir(copy)
        os.environ["PYTHONPATH"] = str(copy)
        sys.path.insert(0, str(copy))
        run = Run(copy, given)
        import pytest

        tests = [each for each in given.tests or TESTS if (copy / each).exists()]
        pytest.main([*OPTIONS, *tests], plugins=[run])
    if not run.outcomes:
        sys.exit("No mutant was run: see above.")
    write_report(Path(given.out), run.outcomes, HERE / "mutants_known.yaml", whole=not (given.sample or given.only))


def _arguments() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sample", type=int, default=0, help="only so many mutants, drawn at random")
    arguments.add_argument("--seed", type=int, default=1, help="of the draw")
    arguments.add_argument("--only", default="", help="files that match this pattern")
    arguments.add_argument("--tests", nargs="*", help="folders or files of tests, for a quick look")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--budget", type=float, default=6.0, help="seconds of tests that one mutant may take")
    arguments.add_argument("--out", default=str(ROOT / "docs" / "mutants.md"))
    return arguments.parse_args()


@dataclass
class Run:
    """A pytest plugin: takes the place of the loop that runs tests."""

    tree: Path
    given: argparse.Namespace
    outcomes: list[Outcome] = field(default_factory=list)

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)  # no smallest example is wanted
        settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: Any) -> bool:
        import qase_iac

        assert Path(qase_iac.__file__).is_relative_to(self.tree), "the tests import another qase_iac than the copy"
        files = [str(path) for pattern in TARGETS for path in sorted(self.tree.glob(pattern))]
        self._trees = {path: ast.parse(Path(path).read_text("utf-8")) for path in files}
        _say(f"{len(session.items)} tests: which lines they reach…")
        self._tests = Tests(session.items, files, self.given.jobs)
        self._functions = _functions_of(set(files))
        self._killers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        found = [each for path in files for each in mutations(path, self._trees[path])]
        found = [each for each in found if fnmatch.fnmatch(self._name(each), self.given.only or "*")]
        if self.given.sample:
            drawn = sorted(random.Random(self.given.seed).sample(range(len(found)), min(self.given.sample, len(found))))
            found = [found[at] for at in drawn]
        _say(f"{len(found)} mutants…")
        gc.collect()
        gc.freeze()
        self._work(found)
        return True

    def _name(self, mutation: Mutation) -> str:
        return Path(mutation.file).relative_to(self.tree).as_posix()

    def _work(self, found: list[Mutation]) -> None:
        started, running = time.monotonic(), {}
        for at, mutation in enumerate(found):
            tests = self._tests.reaching(mutation, self._killers, self.given.budget)
            if not tests:
                self._conclude(mutation, UNREACHED)
                continue
            child = self._start(mutation, tests)
            running[child.pid] = (mutation, child, tests)
            while len(running) >= self.given.jobs:
                self._reap(running)
            if at % 200 == 199:
                done = Counter(each.status for each in self.outcomes)
                _say(f"{at + 1} of {len(found)}, {time.monotonic() - started:.0f} s, {dict(done)}")
        while running:
            self._reap(running)
        _say(f"{time.monotonic() - started:.0f} s")

    def _start(self, mutation: Mutation, tests: list[int]) -> Child:
        """Forks a process that has the mutant and runs the tests."""
        path = mutation.file
        change = self._change(mutation)
        seconds = sum(self._tests.seconds[at] for at in tests)
        return Child(lambda: self._first_to_fail(change, tests), 4 * seconds + 2, label=f"{path}:{mutation.line}")

    def _change(self, mutation: Mutation) -> Callable[[], None]:
        """What exchanges the code, or the defaults, of the function in the forked process."""
        functions = self._functions[mutation.file, mutation.function, mutation.first]
        if mutation.kind == "default":
            with mutation.applied():
                source = ast.unparse(mutation.put[0])

            def defaults() -> None:
                for function in functions:
                    made = eval(f"lambda {_bare(source)}: 0", function.__globals__)
                    function.__defaults__, function.__kwdefaults__ = made.__defaults__, made.__kwdefaults__

            return defaults
        codes = list(_codes(mutation.code(self._trees[mutation.file])))
        named = Counter((code.co_qualname, code.co_firstlineno) for code in codes)

        def exchange() -> None:
            for code in codes:  # the function's own, and those of functions that it made while it was imported
                key = code.co_qualname, code.co_firstlineno
                if named[key] == 1:
                    for function in self._functions.get((mutation.file, *key), ()):
                        if function.__code__.co_freevars == code.co_freevars:
                            function.__code__ = code

        return exchange

    def _first_to_fail(self, change: Callable[[], None], tests: list[int]) -> int | None:
        change()
        for place, at in enumerate(tests):
            following = self._tests.items[tests[place + 1]] if place + 1 < len(tests) else None
            if not _passes(self._tests.items[at], following):
                return at
        return None

    def _reap(self, running: dict[int, tuple[Mutation, Child, list[int]]]) -> None:
        pid, status = os.waitpid(-1, 0)
        mutation, child, _ = running.pop(pid)
        answer = child.answer()
        if os.WIFSIGNALED(status):
            timed = os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM)
            self._conclude(mutation, TIMEOUT if timed else KILLED)
        elif answer is None:
            self._conclude(mutation, SURVIVED)
        else:
            if isinstance(answer, int):
                self._killers[mutation.file][answer] += 1
                self._killers[f"{mutation.file} {mutation.function}"][answer] += 1
            self._conclude(mutation, KILLED)

    def _conclude(self, mutation: Mutation, status: str) -> None:
        outcome = Outcome(
            self._name(mutation), mutation.function, mutation.line, mutation.kind, mutation.text(), status
        )
        self.outcomes.append(outcome)
        if not outcome.dead:
            _say(f"{outcome.file}:{outcome.line} {outcome.function}: {outcome.change} ({status})")


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
            _say(f"left out, it fails without a mutant: {items[at].nodeid}")

    def reaching(self, mutation: Mutation, killers: Mapping[str, Counter[int]], budget: float) -> list[int]:
        """Those that reach the mutation: first what killed others in its function or file, then the fastest."""
        reach = self._reach.get(mutation.file, {})
        near, far = killers[f"{mutation.file} {mutation.function}"], killers[mutation.file]
        found = {at for line in mutation.lines for at in reach.get(line, ())}
        chosen: list[int] = []
        total = 0.0
        for at in sorted(found, key=lambda at: (-near[at], -far[at], self.seconds[at], at)):
            total += self.seconds[at]
            if chosen and total > budget:
                break
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
            if not _passes(items[at], None if following is None else items[following]):
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


def _passes(item: Any, following: Any) -> bool:
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def _functions_of(files: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """The functions alive in this process, whoever holds them: `from x import f`, a property, a decorator."""
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            code: CodeType = each.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(each)
    return found


def _codes(code: CodeType) -> Iterable[CodeType]:
    """A function's code and that of all functions inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _bare(arguments: str) -> str:
    """A signature without annotations, as a lambda wants it."""
    node = ast.parse(f"def f({arguments}): 0").body[0]
    assert isinstance(node, ast.FunctionDef)
    every: Iterable[ast.arg | None] = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs,
                                       node.args.vararg, node.args.kwarg)  # fmt: skip
    for each in every:
        if each:
            each.annotation = None
    return ast.unparse(node.args)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
