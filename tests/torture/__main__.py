"""`make torture`: plays every point of the matrix and writes the figures into docs/reliability.md.

make torture                    all of it; only then the figures are written
make torture ONLY=kill,lost     parts of it
make torture POINT=lost:html@17 one point, and what is left of it is kept to be looked at
make torture JOBS=4             more than two at a time
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from torture.figures import Line, write
from torture.players import play_all, reference
from torture.points import CLASSES, Result


def main() -> int:
    given = _arguments()
    started = time.monotonic()
    with _place() as place:
        seen, operations = reference(place / "reference")
        chosen = [point for name in given.only for point in CLASSES[name].points(seen)]
        chosen = chosen[:: given.stride]
        if given.point:
            chosen = [point for point in chosen if str(point) == given.point]
        print(f"{operations} operations, {len(seen.writes)} writes, {len(chosen)} points", flush=True)
        results = play_all(chosen, given.jobs, place, bool(given.point))
    lines = _sum_up(results)
    failed = sum(line.failures for line in lines)
    minutes = (time.monotonic() - started) / 60
    print(f"{len(results)} points in {minutes:.1f} minutes, {failed} failed")
    if given.stride == 1 and not given.point and given.only == list(CLASSES):
        write(lines, operations, seen, minutes, given.jobs)
    return 1 if failed or not chosen else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="torture", description="The fault matrix of docs/reliability.md.")
    parser.add_argument("--only", default="", help=f"some of {', '.join(CLASSES)}")
    parser.add_argument("--point", default="", help="one point, as failures print it")
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    given.only = [name for name in given.only.split(",") if name] or list(CLASSES)
    if unknown := set(given.only) - set(CLASSES):
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(CLASSES)}")
    return given


@contextmanager
def _place() -> Iterator[Path]:
    """A folder in memory where there is such a thing: SIGKILL does not mind, and syncing costs nothing."""
    memory = Path("/dev/shm")
    place = Path(tempfile.mkdtemp(prefix="torture-", dir=memory if memory.is_dir() else None))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _sum_up(results: list[Result]) -> list[Line]:
    lines = []
    for name, each in CLASSES.items():
        mine = [result for result in results if result.point.kind == name]
        if mine:
            runs = Counter(result.runs for result in mine)
            failures = sum(bool(result.complaints) for result in mine)
            lines.append(Line(name, each.title, len(mine), runs, failures))
            print(
                f"{name:12} {len(mine):5} points  {failures:3} failed  applies until done: {dict(sorted(runs.items()))}"
            )
    return lines


if __name__ == "__main__":
    sys.exit(main())
