"""Keys and names: readable, legal, unique, stable, harmless."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qase_iac.config.layout import Named, cut, keys_for, place_attachments, place_suites, safe_file_name, slug
from qase_iac.errors import QaseIacError
from qase_iac.values import is_key

WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z", re.I)


def keys(*titles: str, hint: str = "") -> list[str]:
    return list(keys_for(Named(n, title, "case", hint) for n, title in enumerate(titles, 1)).values())


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("Pay by card", "pay-by-card"),
        ("Don't do", "don-t-do"),
        ("Привет мир", "privet-mir"),
        ("测试", "ce-shi"),
        ("Tom &amp; Jerry", "tom-jerry"),
        ("&#99999999999999999999;", ""),
        ("../../etc", "etc"),
        ("a_b.c", "a-b-c"),
        ("🛑", ""),
        ("x" * 255, "x" * 60),
        ("word " * 20, "word-word-word-word-word-word-word-word-word-word-word-word"),
    ],
)
def test_slug(title: str, key: str) -> None:
    assert slug(title) == key


def test_cut_keeps_words_unless_little_would_be_left() -> None:
    assert cut("one-two-three", 8) == "one-two"
    assert cut("one-two-three", 7) == "one-two"
    assert cut("a-bbbbbbbbbbbbbbbbbbb", 10) == "a-bbbbbbbb"


def test_the_nameless_are_called_by_their_id_and_reserved_words_get_their_kind() -> None:
    assert keys("🛑", "", "CON", "cases", "null", "com1") == [
        "case-1",
        "case-2",
        "con-case",
        "cases-case",
        "null-case",
        "com1-case",
    ]


def test_clashes_take_the_name_of_the_suite_when_it_tells_them_apart_else_a_number() -> None:
    things = [
        Named(1, "Pay", "case", "web"),
        Named(2, "Pay", "case", "app"),
        Named(3, "PAY!", "case", "app"),
        Named(4, "pay", "case", "web"),
    ]
    assert list(keys_for(things).values()) == ["pay", "pay-app", "pay-2", "pay-3"]
    assert keys("Pay", "Pay", "Pay") == ["pay", "pay-2", "pay-3"]


def test_an_object_that_is_added_later_changes_no_key_of_those_before() -> None:
    titles = ["Pay", "pay", "Refund", "", "Pay"]
    assert keys(*titles, "Pay", "Refund 2")[: len(titles)] == keys(*titles)


@given(st.lists(st.tuples(st.text(max_size=300), st.sampled_from(["", "web", "x" * 60])), max_size=30))
def test_keys_are_legal_and_unique(titles: list[tuple[str, str]]) -> None:
    found = keys_for(Named(n, title, "shared-step", hint) for n, (title, hint) in enumerate(titles))
    assert len(set(found.values())) == len(titles)
    for key in found.values():
        assert is_key(key) and not WINDOWS.match(key) and not key.endswith(".")


def test_many_of_one_title_take_no_quadratic_time() -> None:
    assert keys(*["Pay"] * 20_000)[-1] == "pay-20000"


def test_suites() -> None:
    rows = [
        (3, "Cards", 1),
        (1, "Checkout", None),
        (2, "checkout", None),
        (4, "Cards", 2),
        (5, "cards!", 1),
        (6, "Lost", 99),
    ]
    places = place_suites(rows)
    assert {id: place.key for id, place in places.items()} == {
        1: "checkout", 2: "checkout-2", 3: "checkout/cards", 4: "checkout-2/cards", 5: "checkout/cards-2", 6: "lost",
    }  # fmt: skip
    assert all(place.folder == place.key and not place.explicit for place in places.values())


def test_deep_trees_get_whole_keys_of_their_own_and_short_folders() -> None:
    rows = [
        (n, f"A rather long title of a suite that says a lot about number {n}", n - 1 or None) for n in range(1, 101)
    ]
    places = place_suites(rows)
    assert all(is_key(place.key, segments=True) for place in places.values())
    assert len({place.key for place in places.values()}) == 100
    assert any(place.explicit for place in places.values())
    for id, _, parent in rows:
        place, above = places[id], places.get(parent or 0)
        segment = place.folder.rpartition("/")[2]
        assert place.folder == (f"{above.folder}/{segment}" if above else segment)
        expected = place.explicit.removeprefix("/") or (f"{above.key}/{segment}" if above else segment)
        assert place.key == expected
    assert len(places[100].folder) < 2000


def test_too_deep_is_refused() -> None:
    with pytest.raises(QaseIacError, match="too deep"):
        place_suites((n, "Suite", n - 1 or None) for n in range(1, 2000))


def test_suites_in_a_ring_end() -> None:
    assert len(place_suites([(1, "a", 2), (2, "b", 1), (3, "c", 3)])) == 3


@given(st.lists(st.tuples(st.text(max_size=40), st.integers(0, 30)), max_size=25))
def test_folders_are_unique_and_below_their_parents(rows: list[tuple[str, int]]) -> None:
    suites = [(n, title, parent if 0 < parent < n else None) for n, (title, parent) in enumerate(rows, 1)]
    places = place_suites(suites)
    assert len({place.folder.casefold() for place in places.values()}) == len(rows)
    assert len({place.key for place in places.values()}) == len(rows)
    for place in places.values():
        parts = PurePosixPath(place.folder).parts
        assert not {"..", "."} & set(parts) and not any(map(WINDOWS.match, parts))
        assert is_key(place.key, segments=True)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("card.png", "card.png"),
        ("naïve 🛑.txt", "naïve 🛑.txt"),
        ("../../etc/passwd", "-..-etc-passwd"),
        ("a\x00\x1b[31mb", "a-[31mb"),
        ("CON", "file-CON"),
        ("nul.txt", "file-nul.txt"),
        (" . ", "file"),
        ("", "file"),
        ("a:b\\c?.png", "a-b-c-.png"),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@given(st.text(max_size=300))
def test_file_names_are_one_harmless_segment(name: str) -> None:
    safe = safe_file_name(name)
    assert safe not in ("", ".", "..") and not set(safe) & set('/\\:*?"<>|\0')
    assert len(safe.encode()) <= 130 and not WINDOWS.match(safe)


def test_attachments_have_a_folder_each() -> None:
    one, two = "a" * 40, "a" * 8 + "b" * 32
    found = place_attachments({one: "x.png", two: "x.png", "../etc": ".."})
    assert found[one] == "attachments/aaaaaaaa/x.png"
    assert found[two] == f"attachments/{two}/x.png"
    assert re.fullmatch("attachments/[0-9a-f]{8}/file", found["../etc"])
