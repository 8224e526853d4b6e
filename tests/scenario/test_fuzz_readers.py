"""A sample of tests/torture/fuzz_readers.py: damaged files, always the same ones, through every reader."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from torture import fuzz_mutations
from torture.fuzz_readers import READERS, Fuzzer, Reader, schedule

INPUTS = 24
"""Of each reader; `make torture` takes thousands."""


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    """With a limit of time that only an endless loop reaches: how long each takes is for the long run to say."""
    return Fuzzer(tmp_path_factory.mktemp("fuzz"), seed=2026, limit=60.0)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_damaged_files_are_refused_without_a_traceback_and_without_a_write(fuzzer: Fuzzer, reader: Reader) -> None:
    for number in range(INPUTS):
        fuzzer.feed(reader, number)
    assert fuzzer.failures == {}


def test_the_fuzzer_sees_a_broken_law(fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that raises what it should not, and one that writes."""
    from qase_iac.state import store

    def careless(content: bytes) -> None:
        Path(fuzzer.worlds["settled"].root / "stray.txt").write_text("here")
        raise IndexError("careless")

    monkeypatch.setattr(store, "parse", careless)
    other = Fuzzer(fuzzer.top)
    other.worlds = fuzzer.worlds
    other.feed(next(reader for reader in READERS if reader.name == "state"), 0)
    assert any("traceback of IndexError" in what for what in other.failures)
    assert any("stray.txt" in what for what in other.failures)


def test_every_reader_gets_its_turn() -> None:
    assert {reader.name for reader, _ in schedule(100)} == {reader.name for reader in READERS}
    assert len(list(schedule(10_000))) == 10_000


def test_an_input_can_be_made_again() -> None:
    data = json.dumps({"a": [1, "x", {"b": None}]}).encode()
    for number in range(200):
        one, two = (fuzz_mutations.mutated(data, fuzz_mutations.JSON, random.Random(number)) for _ in range(2))
        assert one == two
