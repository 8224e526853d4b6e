"""The journal: what is on disk at any moment tells what was meant and what is done."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from state_helpers import HEADER, LINEAGE, item

from qase_iac.apply.fold import fold
from qase_iac.errors import StateError
from qase_iac.model import LiveObject, Snapshot
from qase_iac.state.journal import (
    DONE,
    FAILED,
    UNKNOWN,
    Intent,
    Journal,
    carry,
    is_new,
    parse_journal,
    read_journal,
    seen_of,
)
from qase_iac.state.model import State


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".qase-iac" / "state.journal"


def base() -> State:
    return State(LINEAGE, 4, "SHOP", "https://api.qase.io/v1")


def test_the_file_appears_with_the_first_line_and_goes_at_the_end(path: Path) -> None:
    journal = Journal(path, HEADER)
    assert not path.exists()
    number = journal.intent([item(1, "case.a", title="A")], "t1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    journal.outcome(number, DONE, "t2", [41])
    journal.finish(5)
    assert not path.exists()
    Journal(path, HEADER).finish(5)


def test_what_is_written_is_read(path: Path) -> None:
    journal = Journal(path, HEADER)
    first = item(1, "case.a", title="Grüße \ud800\n🎉")
    number = journal.intent([first, item(2, "case.b")], "t1")
    journal.uploaded("ab", {"hash": "h"})
    journal.renamed([("case.o", "case.p", 4)], ["case.o -> case.p"])
    journal.outcome(number, UNKNOWN, "t2", cause="cut")
    journal.close()
    found = read_journal(path)
    assert found is not None and found.header == HEADER and not found.torn
    assert [next(iter(record)) for record in found.records] == ["intent", "uploaded", "renamed", "outcome"]
    folded = fold(base(), found)
    assert folded.open[0].items[0] == first
    assert folded.seen == {"case": 10}


def test_an_intent_is_synced_before_it_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        sizes.append(path.stat().st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    journal = Journal(path, HEADER)
    journal.intent([item(1, "case.a")], "t")
    assert sizes[-1] == path.stat().st_size
    count = len(sizes)
    journal.outcome(1, FAILED, "t")
    assert len(sizes) == count + 1
    journal.close()


def test_an_earlier_journal_is_never_overwritten(path: Path) -> None:
    Journal(path, HEADER).intent([item(1, "case.a")], "t")
    with pytest.raises(StateError, match="An earlier run left its journal"):
        Journal(path, HEADER)


def test_one_that_did_not_get_as_far_as_its_header_is(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'{"journal": 1, "linea')
    assert read_journal(path) is None
    journal = Journal(path, HEADER)
    journal.intent([item(1, "case.a")], "t")
    journal.close()
    found = read_journal(path)
    assert found is not None and len(found.records) == 1


def test_what_is_open_stays_under_the_new_serial(path: Path) -> None:
    journal = Journal(path, HEADER)
    for op in (1, 2, 3):
        journal.intent([item(op, f"case.c{op}", title="T")], "t")
    journal.outcome(1, DONE, "t", [41])
    journal.outcome(2, UNKNOWN, "t")
    journal.finish(5)
    found = read_journal(path)
    assert found is not None and found.header == replace(HEADER, serial=5)
    folded = fold(State(LINEAGE, 5), found)
    assert [each.items[0].address for each in folded.open] == ["case.c2", "case.c3"]
    assert folded.open[0].items[0] == item(2, "case.c2", title="T")
    carry(path, replace(HEADER, serial=6), folded.open[1:])
    again = read_journal(path)
    assert again is not None and [r["intent"] for r in again.records] == [3]
    carry(path, HEADER, [])
    assert not path.exists()
    carry(path, HEADER, [])


def test_one_that_cannot_be_put_away_is_said(tmp_path: Path) -> None:
    (tmp_path / "state.journal").mkdir()
    for open_intents in ([], [Intent(1, "t", (item(1, "case.a"),))]):
        with pytest.raises(StateError, match=r"cannot be put away: .*state.journal: \w+"):
            carry(tmp_path / "state.journal", HEADER, open_intents)


class FullDisk:
    """Lets so many bytes through, then fails as a full disk does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
        self.room = room
        real = Journal._begin

        def begin(journal: Journal):  # type: ignore[no-untyped-def]
            file = real(journal)
            write = file.write

            class Limited:
                def __getattr__(self, name: str) -> object:
                    return getattr(file, name)

                def write(_, data: memoryview) -> int:
                    if self.room <= 0:
                        raise OSError(28, "No space left on device")
                    done = write(bytes(data[: self.room]))
                    self.room -= done
                    return done

            return Limited()

        monkeypatch.setattr(Journal, "_begin", begin)


@pytest.mark.parametrize("room", range(0, 200, 23))
def test_a_line_that_does_not_fit_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    disk = FullDisk(monkeypatch, 100_000)
    journal = Journal(path, HEADER)
    journal.intent([item(1, "case.a")], "t")
    disk.room = room
    with pytest.raises(StateError, match="No space left on device"):
        journal.outcome(1, DONE, "t", list(range(100)))
    disk.room = 100_000
    journal.intent([item(2, "case.b")], "t")
    journal.close()
    found = read_journal(path)
    assert found is not None and [r["intent"] for r in found.records] == [1, 2]
    assert [intent.number for intent in journal.open] == [1, 2]


def test_a_header_that_could_not_be_written_is_written_with_the_next_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "full")))
    journal = Journal(path, HEADER)
    with pytest.raises(StateError):
        journal.intent([item(1, "case.a")], "t")
    monkeypatch.setattr(os, "fsync", real)
    journal.intent([item(1, "case.a")], "t")
    journal.close()
    found = read_journal(path)
    assert found is not None and found.header == HEADER and len(found.records) == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "folder" / "state.journal", HEADER)
    (tmp_path / "folder").write_text("")
    with pytest.raises(StateError, match="cannot be written"):
        journal.intent([item(1, "case.a")], "t")


# -- any prefix


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.sampled_from([DONE, FAILED, UNKNOWN, ""]), st.integers(1, 3)),
        st.tuples(st.just("update"), st.sampled_from([DONE, FAILED, ""]), st.just(1)),
        st.tuples(st.just("upload"), st.just(""), st.just(1)),
    ),
    max_size=8,
)


def write(path: Path, steps: list[tuple[str, str, int]]) -> list[bytes]:
    """Writes a journal; returns its content after each line."""
    path.unlink(missing_ok=True)
    journal, contents, op, id = Journal(path, HEADER), [], 0, 100
    for what, outcome, count in steps:
        op += count
        if what == "upload":
            journal.uploaded(f"sha{op}", {"hash": f"h{op}", "name": "ä", "size": op})
            contents.append(path.read_bytes())
            continue
        items = [
            item(op + n, f"case.c{op + n}", what, None if what == "create" else 7, title="Tä") for n in range(count)
        ]
        number = journal.intent(items, "t")
        contents.append(path.read_bytes())
        if outcome:
            journal.outcome(number, outcome, "t", [id + n if what == "create" else 7 for n in range(count)])
            contents.append(path.read_bytes())
            id += count
    journal.close()
    return contents


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, data=st.data())
def test_any_prefix_folds_and_loses_only_the_line_that_was_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]], data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "prefix.journal"
    contents = write(path, steps)
    if not contents:
        return
    whole = contents[-1]
    cut = data.draw(st.integers(0, len(whole)))
    found = parse_journal(whole[:cut])
    header_end = whole.index(b"\n")
    if cut < header_end:
        assert found is None
        return
    # The last state of the file that fits into the prefix, the final line break aside.
    complete = [content for content in contents if len(content) - 1 <= cut]
    expected = parse_journal(complete[-1] if complete else whole[: header_end + 1])
    assert found is not None and expected is not None
    assert found.records == expected.records
    assert found.torn is _torn(whole, cut)
    ours, theirs = fold(base(), found), fold(base(), expected)
    assert ours.state.to_json() == theirs.state.to_json()
    assert ours.open == theirs.open


def _torn(whole: bytes, cut: int) -> bool:
    """Whether a cut there leaves half a line."""
    at_end_of_line = cut in (0, len(whole)) or whole[cut - 1 : cut] == b"\n" or whole[cut : cut + 1] == b"\n"
    return not at_end_of_line


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 2000), change=st.binary(min_size=0, max_size=4), drop=st.integers(0, 5))
def test_damage_anywhere_is_said_and_never_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, at: int, change: bytes, drop: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damage.journal"
    whole = write(path, [("create", DONE, 2), ("upload", "", 1), ("update", "", 1)])[-1]
    at %= len(whole)
    try:
        found = parse_journal(whole[:at] + change + whole[at + drop :])
        if found:
            fold(base(), found)
    except StateError as error:
        assert error.hint or error.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"journal": 2, "lineage": "l"}\n', "line 1"),
        (b'{"journal": 1}\n', "line 1"),
        (b'{"journal": 1, "lineage": "", "serial": 0, "plan": "", "project": "", "api": ""}\n', "line 1"),
        (b'{"journal": 1, "lineage": "l", "serial": "0", "plan": "", "project": "", "api": ""}\n', "line 1"),
        (b'{"journal": 1, "lineage": 5, "serial": 0, "plan": "", "project": "", "api": ""}\n', "line 1"),
        (
            b'{"journal": 1, "lineage": "l", "serial": 0, "plan": "", "project": "", "api": "", "seen": []}\n',
            "line 1",
        ),
        (b"[1]\n", "line 1"),
        (b'{"a": 1}\nnot json\n{}\n', "line 2"),
    ],
)
def test_damage_before_the_end_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(StateError, match=words):
        parse_journal(content)


def test_nothing_is_no_journal(path: Path) -> None:
    assert read_journal(path) is None
    assert parse_journal(b"") is None


def test_a_folder_in_its_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be read"):
        read_journal(tmp_path)


# -- what the reading contained


def test_what_was_seen_is_kept_compactly() -> None:
    objects = {
        "case": {n: LiveObject("case", n, {}) for n in (3, 9, 4)},
        "shared_step": {h: LiveObject("shared_step", h, {}) for h in ("bb", "aa")},
        "plan": {},
    }
    seen = seen_of(Snapshot(objects=objects))  # type: ignore[arg-type]
    assert seen == {"case": 9, "shared_step": ["aa", "bb"], "plan": 0}
    assert [is_new(seen, "case", id) for id in (9, 10)] == [False, True]
    assert [is_new(seen, "shared_step", id) for id in ("aa", "cc")] == [False, True]
    assert is_new(seen, "plan", 1) and is_new(seen, "suite", 1) and is_new({"shared_step": 0}, "shared_step", "aa")
