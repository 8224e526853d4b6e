"""What counts as much alike, and that it stays cheap and one to one."""

from __future__ import annotations

import pytest

from qase_iac.kinds import BY_NAME
from qase_iac.plan import likeness as at
from qase_iac.plan.likeness import LIKELY, RENAMED, SURE, Face, alike, best_first, clear_ones, likeness

STEPS = "open the basket\nenter the card\npay"


def face(title: str, content: str = "", place: object = 1, name: object = "x") -> Face:
    return Face(name, title, content, place)


@pytest.mark.parametrize(
    ("one", "other", "least", "below"),
    [
        (face("pay by card"), face("pay by card"), 100, 101),
        (face("pay by card", STEPS), face("pay by a card", STEPS + " now"), SURE, 100),
        (face("refund"), face("refunds"), RENAMED, 100),
        (face("sign in"), face("sign up"), 0, RENAMED),
        (face("enable it"), face("disable it"), 0, RENAMED),
        (face("release 1.0"), face("release 1.1"), 0, RENAMED),  # other numbers are other things
        (face("case 12 of the long list of cases"), face("case 13 of the long list of cases"), 0, RENAMED),
        (face("pay by card"), face("pay by card", place=2), LIKELY, RENAMED),  # a title alone says little elsewhere
        (face("pay by card", STEPS), face("pay by card", STEPS, place=2), RENAMED, SURE),
        (face("a wholly new name", STEPS), face("pay by card", STEPS), 0, RENAMED),
        (face("pay by card", STEPS), face("pay by card"), SURE, 100),
        (face("login"), face("login with google"), 0, LIKELY),
    ],
)
def test_how_alike(one: Face, other: Face, least: float, below: float) -> None:
    assert least <= likeness(one, other) < below
    assert likeness(one, other) == likeness(other, one)


def test_the_content_of_a_kind_is_its_steps_without_files() -> None:
    steps = [{"action": "Open", "expected": "Shown", "attachments": ["h"], "steps": [{"action": "Blur"}]}]
    made = Face.of(BY_NAME["case"], "case.x", {"title": " Pay ", "steps": steps, "suite": 7})
    assert (made.title, made.place, set(made.content.split("\n"))) == ("pay", 7, {"open", "shown", "blur"})
    assert Face.of(BY_NAME["milestone"], "m", {"title": "M", "description": "long"}).content == ""


@pytest.mark.parametrize("few", [0, at.FEW])
def test_best_first_is_one_to_one(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at, "FEW", few)  # 0: chosen by words first, as with thousands
    wanted = [face("pay by card", name="a"), face("pay by the card", name="b")]
    held = [face("pay by card", name=1), face("pay by the card now", name=2)]
    pairs = alike(wanted, held, LIKELY)
    assert {(pair.wanted, pair.held) for pair in pairs} == {("a", 1), ("a", 2), ("b", 1), ("b", 2)}
    assert [(pair.wanted, pair.held) for pair in best_first(pairs)] == [("a", 1), ("b", 2)]


def test_what_comes_near_is_not_chosen() -> None:
    wanted = [face("pay by card", STEPS, name="a"), face("refund in cash", name="b")]
    held = [face("pay by card.", STEPS, name=1), face("pay by card!", STEPS, name=2), face("refund in cash!", name=3)]
    chosen, doubtful = clear_ones(alike(wanted, held, LIKELY))
    assert [(pair.wanted, pair.held) for pair in chosen] == [("b", 3)]
    assert {pair.held for pair in doubtful["a"]} == {1, 2}


def test_two_that_want_the_same_are_both_in_doubt() -> None:
    wanted = [face("pay by card!", name="a"), face("pay by card?", name="b")]
    chosen, doubtful = clear_ones(alike(wanted, [face("pay by card", name=1)], LIKELY))
    assert chosen == [] and set(doubtful) == {"a", "b"}


def test_many_are_not_compared_all_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pairs as by comparing all, from a fraction of the comparisons."""
    held = [face(f"check page {at} of area {at % 7}", f"open the page {at} and look", name=at) for at in range(120)]
    wanted = [
        face(f"check the page {at} of area {at % 7}", f"open the page {at} and look at it", name=f"c{at}")
        for at in range(120)
    ]
    calls = 0
    real = at.likeness

    def counted(one: Face, other: Face) -> float:
        nonlocal calls
        calls += 1
        return real(one, other)

    monkeypatch.setattr(at, "likeness", counted)
    every = best_first(alike(wanted, held, RENAMED))
    monkeypatch.setattr(at, "FEW", 0)
    chosen = best_first(alike(wanted, held, RENAMED))
    assert chosen == every and all(f"c{pair.held}" == pair.wanted for pair in chosen) and len(chosen) == 120
    assert calls <= 2 * 120 * at.NEAREST * 2


def test_much_content_that_is_the_same_at_the_same_place_is_worth_showing() -> None:
    said = "fill the basket to 49.99\nshipping is added\nadd 0.01"
    one, other = face("Shipping is free above 50", said), face("Delivery costs nothing", said)
    assert likeness(one, other) == LIKELY < RENAMED < SURE
    assert likeness(one, face("Delivery costs nothing", said, place=2)) < LIKELY
    assert likeness(face("Shipping is free above 50", "look"), face("Delivery costs nothing", "look")) < LIKELY
