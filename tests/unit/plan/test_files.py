"""Attachments: known, unverified, carried over, dropped, uploaded once."""

from __future__ import annotations

import pytest
from plan_kit import Kit, change, codes, file, lines

from qase_iac.plan.steps import carry_attachments, pair


def test_a_known_file_is_equal(kit: Kit) -> None:
    kit.uploaded("img/a.png", "h1").both("case.c", 41, attachments=[file("img/a.png")])
    assert kit.plan().changes == () and codes(kit.plan()) == []


def test_a_new_file_is_uploaded_once_for_all(kit: Kit) -> None:
    kit.both("case.a", 41, attachments=[]).declare("case.b", attachments=[file("x.png", "s"), file("copy.png", "s")])
    kit.yaml("case.a", attachments=[file("x.png", "s")])
    kit.declare("case.c", attachments=[file("y.png")], title="case.a").live("case", 9, title="case.a")
    plan = kit.plan()
    assert lines(plan) == ["create case.b", "update case.a attachments=ours", "! adopt case.c (conflict)"]
    assert change(plan, "case.a").uploads == ("x.png",) and change(plan, "case.a").files == {"x.png": "s"}
    assert change(plan, "case.b").uploads == ("x.png", "copy.png")
    assert plan.requests == 3  # one upload, a create, an update
    assert change(plan, "case.a").attributes["attachments"].after == ["x.png"]


def test_a_file_in_qase_of_that_name_and_size_is_taken_for_it(kit: Kit) -> None:
    kit.held("h1", "a.png").declare("case.a", title="A", attachments=[file("img/a.png")])
    kit.live("case", 41, title="A", attachments=["h1"])
    plan = kit.plan()
    assert lines(plan) == ["adopt case.a"] and codes(plan) == ["attachment-not-verified"]
    assert "img/a.png was taken" in plan.findings[0].summary
    assert plan.observed["case.a"]["attachments"] == ["h1"]
    kit.held("h1", "a.png", size=4)
    assert lines(kit.plan()) == ["! adopt case.a (conflict)"]
    kit.held("h1", "b.png")
    assert lines(kit.plan()) == ["! adopt case.a (conflict)"]


def test_what_was_taken_for_it_is_not_uploaded_with_another_file(kit: Kit) -> None:
    kit.held("h1", "a.png").both("case.a", 41, attachments=[]).qase("case.a", attachments=["h1"])
    kit.state.bindings["case.a"].sent["attachments"] = ["h1"]
    kit.yaml("case.a", attachments=[file("a.png"), file("b.png")])
    plan = kit.plan()
    found = change(plan, "case.a")
    assert lines(plan) == ["update case.a attachments=ours"] and plan.requests == 2
    assert found.uploads == ("b.png",) and found.notes == ()
    held = {"hash": "h1", "file": "a.png"}
    assert (found.attributes["attachments"].before, found.attributes["attachments"].after) == ([held], [held, "b.png"])


def test_two_files_of_one_name_and_size_are_taken_one_by_one(kit: Kit) -> None:
    """Both for the first would drop the second."""
    kit.held("h1", "a.png").held("h2", "a.png")
    kit.declare("case.a", title="A", attachments=[file("x/a.png"), file("y/a.png"), file("z/a.png", "sha-y/a.png")])
    kit.live("case", 41, title="A", attachments=["h1", "h2", "h2"])
    plan = kit.plan()
    assert lines(plan) == ["adopt case.a"] and codes(plan) == ["attachment-not-verified"] * 3


def test_a_file_that_qase_holds_once_is_taken_once(kit: Kit) -> None:
    kit.held("h1", "a.png").declare("case.a", title="A", attachments=[file("x/a.png"), file("y/a.png")])
    kit.live("case", 41, title="A", attachments=["h1"]).adopt("case.a", 41)
    found = change(kit.plan(), "case.a")
    assert found.attributes["attachments"].after == [{"hash": "h1", "file": "a.png"}, "y/a.png"]
    assert found.uploads == ("y/a.png",)


def test_dropped_files_are_said(kit: Kit) -> None:
    kit.uploaded("a.png", "h1").uploaded("b.png", "h2").both("case.a", 41, attachments=[file("a.png"), file("b.png")])
    assert change(kit.yaml("case.a", attachments=[file("a.png")]).plan(), "case.a").notes == ("drops 1 attachment",)
    assert change(kit.yaml("case.a", attachments=[]).plan(), "case.a").notes == ("drops 2 attachments",)
    kit.held("h3", "c.png").yaml("case.a", attachments=[file("a.png"), file("b.png")]).qase(
        "case.a", attachments=["h1", "h2", "h3"]
    )
    found = change(kit.plan(), "case.a")
    assert found.notes == ("reverts an edit made in Qase", "drops 1 attachment")
    assert found.attributes["attachments"].before == ["a.png", "b.png", {"hash": "h3", "file": "c.png"}]


def test_a_file_without_a_name_is_shown_by_its_hash(kit: Kit) -> None:
    kit.both("case.a", 41, attachments=[]).qase("case.a", attachments=["h9"])
    assert change(kit.plan(), "case.a").attributes["attachments"].before == [{"hash": "h9", "file": "h9"}]


# -- steps -----------------------------------------------------------------------------------------------------------


def stepped(kit: Kit) -> Kit:
    """Two steps; somebody attached files to both, one of them nested."""
    kit.held("h1", "a.png").held("h2", "b.png")
    kit.both("case.a", 41, steps=[{"action": "Open"}, {"action": "Pay", "steps": [{"action": "By card"}]}])
    held = [
        {"action": "Open", "attachments": ["h1"]},
        {"action": "Pay", "steps": [{"action": "By card", "attachments": ["h2"]}]},
    ]
    return kit.qase("case.a", steps=held)


def test_omitted_attachments_of_steps_are_carried_over(kit: Kit) -> None:
    assert stepped(kit).plan().changes == ()
    kit.yaml(
        "case.a", steps=[{"action": "Look"}, {"action": "Open it"}, {"action": "Pay", "steps": [{"action": "By card"}]}]
    )
    found = change(kit.plan(), "case.a").attributes["steps"].after
    assert found == [
        {"action": "Look"},
        {"action": "Open it", "attachments": [{"hash": "h1", "file": "a.png"}]},
        {"action": "Pay", "steps": [{"action": "By card", "attachments": [{"hash": "h2", "file": "b.png"}]}]},
    ]
    assert change(kit.plan(), "case.a").notes == ()


def test_an_empty_list_drops_them(kit: Kit) -> None:
    stepped(kit).yaml(
        "case.a", steps=[{"action": "Open", "attachments": []}, {"action": "Pay", "steps": [{"action": "By card"}]}]
    )
    assert change(kit.plan(), "case.a").notes[-1] == "drops 1 attachment"


def test_a_step_that_goes_takes_its_files_along(kit: Kit) -> None:
    stepped(kit).yaml("case.a", steps=[{"action": "Entirely something else", "expected": "x"}])
    assert change(kit.plan(), "case.a").notes[-1] == "drops 2 attachments"


def test_own_files_beside_carried_ones(kit: Kit) -> None:
    kit.uploaded("mine.png", "h5")
    stepped(kit).yaml("case.a", steps=[{"action": "Open"}, {"action": "Pay", "attachments": [file("mine.png")]}])
    assert change(kit.plan(), "case.a").attributes["steps"].after == [
        {"action": "Open", "attachments": [{"hash": "h1", "file": "a.png"}]},
        {"action": "Pay", "attachments": ["mine.png"]},
    ]


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ("abc", "abc", {0: 0, 1: 1, 2: 2}),
        ("cab", "abc", {0: 2, 1: 0, 2: 1}),
        ("xabc", "abc", {1: 0, 2: 1, 3: 2}),
        ("ac", "abc", {0: 0, 1: 2}),
        ("aab", "ab", {0: 0, 2: 1}),
        ("bab", "abb", {0: 1, 1: 0, 2: 2}),
        ("", "a", {}),
    ],
)
def test_pairs_in_sequence_then_moved(new: str, old: str, expected: dict[int, int]) -> None:
    words = {"a": "Open the basket", "b": "Enter the number", "c": "1 2 3 4 5", "x": "~~~"}
    found = dict(pair([{"action": words[c]} for c in new], [{"action": words[c]} for c in old]))
    if new in ("aab", "bab"):  # twins may change places
        assert sorted(words[old[b]] == words[new[a]] for a, b in found.items()) == [True] * len(found) and len(
            found
        ) == len(expected)
    else:
        assert found == expected


def test_what_is_equal_is_found_before_what_is_alike() -> None:
    old = [{"action": text} for text in ("Open the basket", "Wait for it", "Leave again")]
    new = [{"action": text} for text in ("Wait for it", "Leave again", "Open the baskets", "Open the basket")]
    assert dict(pair(new, old)) == {0: 1, 1: 2, 3: 0}


def test_of_equal_ones_the_first_is_taken() -> None:
    old = [{"action": text} for text in ("Open", "Open", "Wait for it", "Leave again")]
    new = [{"action": text} for text in ("Wait for it", "Leave again", "Open")]
    assert dict(pair(new, old)) == {0: 2, 1: 3, 2: 0}


def test_uses_of_other_shared_steps_are_no_pair() -> None:
    assert dict(pair([{"shared": "a" * 40}], [{"shared": "b" * 40}])) == {}
    assert dict(pair([{"shared": "a" * 40}], [{"shared": "a" * 40}])) == {0: 0}


def test_files_of_nested_steps_alone() -> None:
    live = [{"action": "Pay", "steps": [{"action": "Deep", "attachments": ["f"]}]}]
    carried = carry_attachments([{"action": "Pay", "steps": [{"action": "Deep"}]}], live)
    assert carried == [{"action": "Pay", "steps": [{"action": "Deep", "attachments": [{"hash": "f"}]}]}]


def test_the_likest_step_is_the_edited_one() -> None:
    old = [{"action": "Open the basket page"}, {"action": "Open the basket"}]
    assert dict(pair([{"action": "Open the baskets"}], old)) == {0: 1}
    assert dict(pair([{"action": "zzzz"}], old)) == {}
    assert dict(pair([{"action": "abcd"}], [{"action": "abxy"}])) == {0: 0}  # half is enough
    assert dict(pair([{"action": "same x"}], [{"action": "same y"}, {"action": "same z"}])) == {0: 0}
    assert dict(pair([{"action": "~"}, {"action": "same x"}], [{"action": "same y"}, {"action": "same z"}])) == {1: 1}


def test_shared_steps_carry_nothing() -> None:
    live = [{"shared": "h"}, {"action": "a", "attachments": ["f"]}]
    wanted = [{"shared": "h"}, {"action": "b then something quite different"}]
    assert carry_attachments(wanted, live) == wanted
    use = {"shared": {"external_id": "h"}}
    assert carry_attachments([use], [{"action": f"shared {use['shared']}", "attachments": ["f"]}]) == [use]
    assert carry_attachments([{"action": "shared h"}], [{"shared": "h"}, live[1]]) == [{"action": "shared h"}]
