"""A sample of the fault matrix on every change: real processes, one accident each (tests/torture has all of them).

A kill at a request and lost answers in one process are in test_interruptions.py; here they happen to a process.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from torture.points import CLASSES, Point, Reference, play
from torture.project import SMALL
from torture.stand import Stand

pytestmark = pytest.mark.xdist_group("torture")  # one stand is enough

SAMPLE: dict[str, int] = {
    "kill": 3, "record": 3, "kill-twice": 1, "lost": 4, "undone": 1, "429": 1, "stale": 3, "late": 3,
    "disk-full": 3, "read-only": 2, "two-at-once": 2, "clones": 1,
}  # fmt: skip
"""How many points of a class are played here, evenly over the run. `ctrl-c` is in test_interruptions.py, `outage` is all waiting."""


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    made = Stand(tmp_path_factory.mktemp("torture") / "stand", SMALL)
    yield made
    made.close()


def sample(seen: Reference, name: str, many: int) -> list[Point]:
    """Points from the middle of `many` equal parts of a class, each of another sort where sorts take turns."""
    points = list(CLASSES[name].points(seen))
    if name == "lost":  # what was created may be created twice
        points = [point for point in points if seen.is_create(point.where)]
    return [points[((2 * part + 1) * len(points) // (2 * many) + part) % len(points)] for part in range(many)]


PARTS = [(name, part) for name, many in SAMPLE.items() for part in range(many)]


@pytest.mark.parametrize(("name", "part"), PARTS, ids=lambda value: str(value))
def test_an_accident_leaves_nothing_that_the_next_run_does_not_mend(stand: Stand, name: str, part: int) -> None:
    point = sample(Reference.of(stand), name, SAMPLE[name])[part]
    result = play(stand, point)
    assert not result.complaints, f"{point}, {result.runs} more runs: " + "\n".join(result.complaints)
    assert result.runs <= 1, point


def test_every_class_has_points(stand: Stand) -> None:
    seen = Reference.of(stand)
    assert set(SAMPLE) | {"ctrl-c", "outage"} == set(CLASSES)
    for name, many in SAMPLE.items():
        assert len(sample(seen, name, many)) == len(set(sample(seen, name, many))) == many
