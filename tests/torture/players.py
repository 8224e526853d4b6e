"""Who plays the points: processes with a stand of their own each."""

from __future__ import annotations

import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from torture.points import Point, Reference, Result, play
from torture.project import FULL
from torture.stand import Stand

_stand: Stand | None = None


def reference(place: Path) -> tuple[Reference, int]:
    stand = Stand(place, FULL)
    seen, operations = Reference.of(stand), stand.operations
    stand.close()
    return seen, operations


def play_all(points: list[Point], jobs: int, place: Path, keep: bool) -> list[Result]:
    results: list[Result] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin, (str(place),)) as pool:
        for number, each in enumerate(as_completed([pool.submit(_play, point, keep) for point in points]), 1):
            result = each.result()
            results.append(result)
            if result.complaints:
                print(f"FAILED {result.point}, {result.runs} more runs", *result.complaints, sep="\n  ", flush=True)
            if number % 100 == 0:
                print(f"{number} of {len(points)}", flush=True)
    return results


def _begin(place: str) -> None:
    global _stand
    _stand = Stand(Path(tempfile.mkdtemp(dir=place)), FULL)


def _play(point: Point, keep: bool) -> Result:
    assert _stand is not None
    result = play(_stand, point)
    if keep:
        left = Path(tempfile.mkdtemp(prefix="torture-kept-"))
        shutil.copytree(_stand.place, left / "place")
        for number, child in enumerate(_stand.runs, 1):
            (left / f"run-{number}.txt").write_text(f"exit {child.code}\n{child.out}\n{child.err}")
        print(f"kept in {left}", flush=True)
    return result
