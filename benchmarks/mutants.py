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
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from mutants_report import Outcome, write_report  # noqa: E402
from mutants_tests import Child, Tests, passes, say  # noqa: E402
from mutations import Mutation, codes, keep_closures, mutations  # noqa: E402

ROOT = HERE.parent
TARGETS = ("qase_iac/plan/*.py", "qase_iac/apply/*.py", "qase_iac/api/codec.py")
TESTS = (
    "tests/unit/plan",
    "tests/unit/apply",
    "tests/unit/api_remote",
    "tests/unit/state",
    "tests/contract/test_decode_after_encode.py",
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
        say(f"{len(session.items)} tests: which lines they reach…")
        self._tests = Tests(session.items, files, self.given.jobs)
        self._functions = _functions_of(set(files))
        self._killers: defaultdict[str, Counter[int]] = defaultdict(Counter)
        found = [each for path in files for each in mutations(path, self._trees[path])]
        found = [each for each in found if fnmatch.fnmatch(self._name(each), self.given.only or "*")]
        for tree in self._trees.values():
            keep_closures(tree)
        if self.given.sample:
            drawn = sorted(random.Random(self.given.seed).sample(range(len(found)), min(self.given.sample, len(found))))
            found = [found[at] for at in drawn]
        say(f"{len(found)} mutants…")
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
                say(f"{at + 1} of {len(found)}, {time.monotonic() - started:.0f} s, {dict(done)}")
        while running:
            self._reap(running)
        say(f"{time.monotonic() - started:.0f} s")

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
        changed = list(codes(mutation.code(self._trees[mutation.file])))
        named = Counter((code.co_qualname, code.co_firstlineno) for code in changed)

        def exchange() -> None:
            for code in changed:  # the function's own, and those of functions that it made while it was imported
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
            if not passes(self._tests.items[at], following):
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
            say(f"{outcome.file}:{outcome.line} {outcome.function}: {outcome.change} ({status})")


def _functions_of(files: set[str]) -> dict[tuple[str, str, int], list[FunctionType]]:
    """The functions alive in this process, whoever holds them: `from x import f`, a property, a decorator."""
    found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename in files:
            code: CodeType = each.__code__
            found[code.co_filename, code.co_qualname, code.co_firstlineno].append(each)
    return found


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


if __name__ == "__main__":
    main()
