"""What became of each step: the table of known edits and what they must be called, and the law of the diff.

`applied` knows nothing but the JSON of a plan and what docs/how-it-works.md says of it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qase_iac.attributes import canonical_step
from qase_iac.plan.model import AttributeChange, Origin
from qase_iac.plan.stepdiff import as_json, canonical_steps, compare, counts, difference, rewritten
from qase_iac.render.details import attribute_words

Steps = list[dict[str, Any]]


def applied(old: Steps, edits: list[dict[str, Any]]) -> Steps:
    """The old list after the edits, as a program that reads the plan would do it."""
    gone = {edit["from"] for edit in edits if "from" in edit}
    kept = iter([step for at, step in enumerate(old, 1) if at not in gone])
    placed = {edit["at"]: _placed(old, edit) for edit in edits if "at" in edit}
    size = len(old) - len(gone) + len(placed)
    return [placed[at] if at in placed else next(kept) for at in range(1, size + 1)]


def _placed(old: Steps, edit: dict[str, Any]) -> dict[str, Any]:
    if edit["op"] == "added":
        return edit["step"]
    step = dict(old[edit["from"] - 1])
    changed = {name: each["after"] for name, each in edit.get("fields", {}).items()}
    if "steps" in edit:
        changed["steps"] = applied(step.get("steps", []), edit["steps"]) or None
    return {name: value for name, value in (step | changed).items() if value is not None}


def canonical(value: Any) -> Steps:
    return json.loads(json.dumps(canonical_steps(value)))


# -- the table: kind of edit, old list, new list, what it is called, and the operations

OPEN, CARD, CODE, PAY, MAIL = (
    {"action": "Open the basket", "expected": "It holds one item"},
    {"action": "Enter the card number", "data": "4242 4242 4242 4242", "expected": "The number is accepted"},
    {"action": "Enter the three digits of the back"},
    {"action": "Press Pay", "expected": "The receipt is shown"},
    {"action": "Look into the mailbox"},
)
ALL = [OPEN, CARD, CODE, PAY, MAIL]
NEXT = {"action": "Press Next"}
OUTER = {"action": "Fill in the form", "steps": [{"action": "First name"}, {"action": "Surname"}, {"action": "Town"}]}
IN, OUT = {"shared": "shared_step.sign-in"}, {"shared": "shared_step.sign-out"}


def edit(step: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in (step | changes).items() if value is not None}


TABLE: dict[str, tuple[Steps, Steps, str, list[str]]] = {
    "an edited step": (ALL, [OPEN, CARD, CODE, edit(PAY, expected="A receipt"), MAIL], "1 edited", ["edited 4<4"]),
    "an edited action": (
        ALL, [OPEN, CARD, CODE, edit(PAY, action="Press the button Pay"), MAIL], "1 edited", ["edited 4<4"],
    ),
    "a step that gets an expected result": (
        ALL, [OPEN, CARD, edit(CODE, expected="Dots are shown"), PAY, MAIL], "1 edited", ["edited 3<3"],
    ),
    "a step that loses its data": (ALL, [OPEN, edit(CARD, data=None), CODE, PAY, MAIL], "1 edited", ["edited 2<2"]),
    "two edited steps": (
        ALL, [edit(OPEN, expected="x"), CARD, CODE, PAY, edit(MAIL, data="a@b.example")], "2 edited",
        ["edited 1<1", "edited 5<5"],
    ),
    "an inserted step": (ALL, [OPEN, CARD, NEXT, CODE, PAY, MAIL], "1 added", ["added 3"]),
    "a step put first": (ALL, [NEXT, *ALL], "1 added", ["added 1"]),
    "a step put last": (ALL, [*ALL, NEXT], "1 added", ["added 6"]),
    "a removed step": (ALL, [OPEN, CARD, PAY, MAIL], "1 removed", ["removed <3"]),
    "the first step removed": (ALL, ALL[1:], "1 removed", ["removed <1"]),
    "a step replaced by another": (
        ALL, [OPEN, CARD, NEXT, PAY, MAIL], "1 added, 1 removed", ["removed <3", "added 3"],
    ),
    "a step moved down": (ALL, [CARD, CODE, PAY, OPEN, MAIL], "1 moved", ["moved 4<1"]),
    "a step moved up": (ALL, [MAIL, OPEN, CARD, CODE, PAY], "1 moved", ["moved 1<5"]),
    "neighbours swapped": (ALL, [OPEN, CODE, CARD, PAY, MAIL], "1 moved", ["moved 3<2"]),
    "first and last swapped": (ALL, [MAIL, CARD, CODE, PAY, OPEN], "2 moved", ["moved 1<5", "moved 5<1"]),
    "moved and edited at once": (
        ALL, [CARD, CODE, PAY, edit(OPEN, expected="It is empty"), MAIL], "1 edited, 1 moved", ["moved 4<1 edited"],
    ),
    "moved, and its action edited": (
        ALL, [CARD, CODE, PAY, edit(OPEN, action="Open the basket again"), MAIL], "1 edited, 1 moved",
        ["moved 4<1 edited"],
    ),
    "a duplicated step": (ALL, [OPEN, CARD, CODE, CODE, PAY, MAIL], "1 added", ["added 4"]),
    "one of two equal steps removed": ([OPEN, NEXT, CARD, NEXT, PAY], [OPEN, CARD, NEXT, PAY], "1 removed", ["removed <2"]),
    "one of equal steps edited": (
        [NEXT, OPEN, NEXT, CARD, NEXT], [NEXT, OPEN, edit(NEXT, expected="Page 2"), CARD, NEXT], "1 edited", ["edited 3<3"],
    ),
    "equal actions, one expected result edited": (
        [edit(NEXT, expected=f"Page {at} is shown") for at in range(1, 6)],
        [edit(NEXT, expected=f"Page {at} is shown" if at != 3 else "An error") for at in range(1, 6)],
        "1 edited", ["edited 3<3"],
    ),
    "equal actions, two of them swapped": (
        [edit(NEXT, expected=page) for page in ("Basket", "Address", "Payment")],
        [edit(NEXT, expected=page) for page in ("Address", "Basket", "Payment")],
        "1 moved", ["moved 2<1"],
    ),
    "inserted above an edited step": (
        ALL, [NEXT, edit(OPEN, expected="x"), CARD, CODE, PAY, MAIL], "1 edited, 1 added", ["added 1", "edited 2<1"],
    ),
    "a nested step edited": (
        [OPEN, OUTER], [OPEN, edit(OUTER, steps=[{"action": "First name"}, {"action": "Last name"}, {"action": "Town"}])],
        "1 edited", ["edited 2<2 [edited 2<2]"],
    ),
    "a nested step moved": (
        [OPEN, OUTER], [OPEN, edit(OUTER, steps=[{"action": "Town"}, {"action": "First name"}, {"action": "Surname"}])],
        "1 edited", ["edited 2<2 [moved 1<3]"],
    ),
    "nested steps gone": ([OPEN, OUTER], [OPEN, edit(OUTER, steps=None)], "1 edited", ["edited 2<2 [removed <1, removed <2, removed <3]"]),
    "a nested step taken out": ([OPEN, OUTER, PAY], [OPEN, edit(OUTER, steps=OUTER["steps"][:2]), PAY], "1 edited", ["edited 2<2 [removed <3]"]),
    "an attachment added": ([OPEN, PAY], [OPEN, edit(PAY, attachments=["receipt.png"])], "1 edited", ["edited 2<2"]),
    "a shared step inserted": ([OPEN, PAY], [IN, OPEN, PAY], "1 added", ["added 1"]),
    "a shared step moved": ([IN, OPEN, PAY], [OPEN, PAY, IN], "1 moved", ["moved 3<1"]),
    "a shared step instead of another": ([IN, OPEN], [OUT, OPEN], "1 added, 1 removed", ["removed <1", "added 1"]),
    "used twice instead of once": ([IN, OPEN], [IN, OPEN, IN], "1 added", ["added 3"]),
    "steps made a shared step": (ALL, [IN, PAY, MAIL], "1 added, 3 removed", ["removed <1", "removed <2", "removed <3", "added 1"]),
    "the only step, all of it other": ([OPEN], [{"action": "~~~"}], "1 edited", ["edited 1<1"]),
    "a whole rewrite": (
        ALL[:3], [NEXT, {"action": "Scan a code"}, {"action": "Wait for a message of the bank"}, {"action": "Done"}],
        "rewritten: 4 for 3", ["removed <1", "removed <2", "removed <3", "added 1", "added 2", "added 3", "added 4"],
    ),
    "all of it moved": (ALL, ALL[::-1], "4 moved", ["moved 2<4", "moved 3<3", "moved 4<2", "moved 5<1"]),
    "escapes of an editor alone": (
        [OPEN, edit(PAY, expected="a_b *c*")], [OPEN, edit(PAY, expected=r"a\_b \*c\*")], "only escapes differ",
        ["edited 2<2 noise"],
    ),
    "escapes beside an edit": (
        [edit(OPEN, data="a_b"), CARD, PAY], [edit(OPEN, data=r"a\_b"), CARD, edit(PAY, expected="x")], "1 edited",
        ["edited 1<1 noise", "edited 3<3"],
    ),
}  # fmt: skip


def named(edits: list[dict[str, Any]]) -> list[str]:
    """`moved 4<1 edited`: operation, new position, old one."""
    said = []
    for each in edits:
        places = f"{each.get('at', '')}" + (f"<{each['from']}" if "from" in each else "")
        nested = f" [{', '.join(named(each['steps']))}]" if "steps" in each else ""
        edited = " edited" if each["op"] == "moved" and ("fields" in each or nested) else ""
        said.append(f"{each['op']} {places}{edited}{' noise' if each.get('noise') else ''}{nested}")
    return said


@pytest.mark.parametrize("kind", TABLE)
def test_known_kinds_of_edits_are_called_what_they_are(kind: str) -> None:
    old, new, words, operations = TABLE[kind]
    edits = as_json(old, new)
    assert edits is not None
    assert sorted(named(edits)) == sorted(operations)
    assert attribute_words("case", "steps", AttributeChange(old, new, Origin.OURS)) == f"steps ({words})"
    assert applied(old, edits) == new


@pytest.mark.parametrize("kind", TABLE)
def test_the_way_back_leads_back(kind: str) -> None:
    old, new, _, _ = TABLE[kind]
    assert applied(new, as_json(new, old) or []) == old


# -- the law

WORDS = ["Open the basket", "Open the baskets", "Pay", "Pay by card", r"Pay\_", "Pay_", "Wait", "Wait for the mail", ""]
text = st.sampled_from(WORDS) | st.text(max_size=6)
simple = st.fixed_dictionaries(
    {"action": text},
    optional={"expected": text, "data": text, "attachments": st.lists(st.sampled_from(["a.png", "b.png"]), max_size=2)},
)
use = st.fixed_dictionaries({"shared": st.sampled_from(["shared_step.a", "shared_step.ab", {"external_id": "f" * 40}])})
step = st.recursive(
    simple | use,
    lambda inner: st.builds(lambda outer, nested: outer | {"steps": nested}, simple, st.lists(inner, max_size=3)),
    max_leaves=4,
)
steps = st.lists(step, max_size=8)


@st.composite
def edited(draw: st.DrawFn) -> tuple[Steps, Steps]:
    """A list, and what some random edits make of it."""
    old = draw(steps)
    new = [dict(each) for each in old]
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(new)))
        match draw(st.sampled_from(["insert", "remove", "move", "edit", "copy"])):
            case "insert":
                new.insert(at, draw(step))
            case "remove" if new:
                del new[at - 1]
            case "move" if new:
                new.insert(draw(st.integers(0, len(new) - 1)), new.pop(at - 1))
            case "edit" if new and "shared" not in new[at - 1]:
                new[at - 1] = new[at - 1] | {draw(st.sampled_from(["action", "data", "expected"])): draw(text)}
            case "copy" if new:
                new.insert(at, dict(new[at - 1]))
    return old, new


@given(edited() | st.tuples(steps, steps))
@example(([{"action": "a", "steps": [{"action": "b"}]}], [{"action": "a"}]))
def test_applying_the_shown_diff_to_the_old_list_gives_the_new_list(lists: tuple[Steps, Steps]) -> None:
    old, new = lists
    edits = as_json(old, new)
    if edits is None:
        assert not old or not new
    else:
        assert json.loads(json.dumps(edits)) == edits
        assert applied(canonical(old), edits) == canonical(new)


@given(edited() | st.tuples(steps, steps))
def test_every_operation_is_true_and_needed(lists: tuple[Steps, Steps]) -> None:
    old, new = map(canonical, lists)
    for each in compare(old, new):
        assert each.before == (None if each.old is None else old[each.old])
        assert each.after == (None if each.new is None else new[each.new])
        assert each.moved or each.before != each.after
        assert each.before is not None or each.after is not None


@given(steps)
def test_equal_lists_have_no_edits(some: Steps) -> None:
    assert compare(canonical(some), canonical(some)) == []


@given(st.lists(st.sampled_from("abcdefghij"), unique=True, min_size=2), st.data())
def test_one_step_taken_elsewhere_is_one_move(letters: list[str], data: st.DataObject) -> None:
    old = [{"action": letter * 8} for letter in letters]
    start, end = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(0, len(old) - 1))
    new = list(old)
    new.insert(end, new.pop(start))
    edits = compare(old, new)
    assert all(each.moved and not each.edited for each in edits)
    assert len(edits) == (0 if start == end else 1)


@given(st.lists(st.integers(0, 30), unique=True, min_size=1), st.data())
def test_one_inserted_step_is_one_added_whatever_follows(numbers: list[int], data: st.DataObject) -> None:
    """Never "everything after line 3 changed"."""
    old = [{"action": f"Step {number}"} for number in numbers]
    at = data.draw(st.integers(0, len(old)))
    new = [*old[:at], {"action": "Something else entirely"}, *old[at:]]
    assert counts(compare(old, new)) == {"edited": 0, "moved": 0, "added": 1, "removed": 0}


@given(st.lists(step, min_size=1, max_size=4))
def test_values_without_steps_on_one_side_need_no_operations(some: Steps) -> None:
    assert as_json(None, some) is None and as_json(some, []) is None


# -- the edges


def test_line_ends_and_empty_parts_are_no_edit() -> None:
    old = [{"action": "Pay", "expected": "Paid"}, {"action": "Go"}]
    new = [{"action": "Pay\r\n", "expected": "Paid\n", "attachments": []}, {"action": "Go", "data": ""}]
    assert difference(old, new) == ()


def test_long_lists_take_no_quadratic_time() -> None:
    """Compared near their place: 6,000 x 6,000 comparisons would take minutes."""
    old = [{"action": f"Look at item {at} of the list {at * 7919 % 6007}"} for at in range(6_000)]
    new = [edit(each, action=each["action"] + " closely") for each in old]
    assert counts(compare(old, new)) == {"edited": 6_000, "moved": 0, "added": 0, "removed": 0}


def test_many_equal_steps_take_no_quadratic_time() -> None:
    old = [{"action": "Click"}] * 9_000
    assert counts(compare(old, [NEXT, *old[:-1]])) == {"edited": 0, "moved": 0, "added": 1, "removed": 1}


def test_what_counts_as_a_rewrite() -> None:
    one, two = [{"action": "abc"}, {"action": "def"}], [{"action": "~~~"}, {"action": "???"}]
    assert rewritten(compare(one, two), 2, 2)
    assert not rewritten(compare(one, [*two, one[0]]), 2, 3)
    assert not rewritten(compare(one, []), 2, 0)


@given(steps)
def test_the_lists_of_this_test_are_lists_of_steps(some: Steps) -> None:
    assert canonical(some) == [canonical_step(each) for each in some]
