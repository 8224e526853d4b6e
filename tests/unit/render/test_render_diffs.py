"""The laws of the diffs: what is shown leads from the old value to the new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_kit import NEW_STEPS, STEPS, change_of

from qase_iac.attributes import canonical_step
from qase_iac.plan.model import Origin
from qase_iac.render import stepdiff
from qase_iac.render.deep import spell_out
from qase_iac.render.details import attribute_lines, attribute_words
from qase_iac.render.textdiff import Line, opcodes, text_diff

WORDS = ["Open the basket", "Open the baskets", "Pay", "Pay by card", "Wait", "Wait for the mail"]
step = st.one_of(
    st.fixed_dictionaries(
        {"action": st.sampled_from(WORDS)},
        optional={"expected": st.sampled_from(WORDS), "data": st.sampled_from(WORDS)},
    ),
    st.fixed_dictionaries({"shared": st.sampled_from(["shared_step.a", "shared_step.ab"])}),
    st.fixed_dictionaries(
        {
            "action": st.sampled_from(WORDS),
            "steps": st.lists(st.fixed_dictionaries({"action": st.sampled_from(WORDS)}), min_size=1, max_size=3),
        }
    ),
)
steps = st.lists(step, max_size=9)


@given(steps, steps)
def test_applying_the_edits_gives_the_new_list(old, new):
    edits = stepdiff.compare(old, new)
    assert stepdiff.apply(old, edits) == new


@given(steps, steps)
def test_edits_tell_old_and_new_truly(old, new):
    for edit in stepdiff.compare(old, new):
        assert edit.before == (None if edit.old is None else old[edit.old])
        assert edit.after == (None if edit.new is None else new[edit.new])
        assert edit.moved or edit.before != edit.after
        assert edit.before is not None or edit.after is not None


@given(steps)
def test_equal_lists_have_no_edits(some):
    assert stepdiff.compare(some, [dict(each) for each in some]) == []


@given(st.lists(st.sampled_from("abcdefghij"), unique=True, min_size=2), st.data())
def test_one_step_taken_elsewhere_is_one_move(letters, data):
    old = [{"action": letter * 8} for letter in letters]
    start, end = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(0, len(old) - 1))
    new = list(old)
    new.insert(end, new.pop(start))
    edits = stepdiff.compare(old, new)
    assert all(edit.moved and not edit.edited for edit in edits)
    assert len(edits) == (0 if start == end else 1)


def test_counts_of_a_mixed_edit():
    edits = stepdiff.difference(STEPS, NEW_STEPS)
    assert stepdiff.counts(edits) == "1 edited, 1 moved, 2 added, 1 removed"
    assert stepdiff.apply(STEPS, edits) == NEW_STEPS


def test_a_final_line_break_and_empty_parts_are_no_edit():
    old = [{"action": "Pay", "expected": "Paid"}, {"action": "Go"}]
    new = [{"action": "Pay\r\n", "expected": "Paid\n", "attachments": []}, {"action": "Go", "data": ""}]
    assert stepdiff.difference(old, new) == ()


def test_references_to_two_shared_steps_are_two_steps():
    edits = stepdiff.compare([{"shared": "shared_step.sign-in"}], [{"shared": "shared_step.sign-on"}])
    assert stepdiff.counts(edits) == "1 added, 1 removed"


def test_hundreds_of_different_steps_are_paired_by_position():
    old = [{"action": f"old {at}"} for at in range(1_000)]
    new = [{"action": f"new {at}"} for at in range(1_000)]
    assert stepdiff.counts(stepdiff.compare(old, new)) == "1,000 edited"


@pytest.mark.parametrize(
    "odd", ["text", 7, [1], [[{}]], {"a": 1}, [None], [{"action": 5}], [{"steps": [3], "action": "x"}]]
)
def test_what_is_no_list_of_steps_is_shown_all_the_same(odd):
    change = change_of([{"action": "Pay"}], odd)
    assert list(attribute_lines("case", "steps", change))
    assert attribute_words("case", "steps", change).startswith("steps")


def test_steps_nested_as_deep_as_yaml_allows():
    def deep(end):
        nested = [{"action": end}]
        for _ in range(199):
            nested = [{"action": "in", "steps": nested}]
        return nested

    lines = list(attribute_lines("case", "steps", change_of(deep("a"), deep("b"))))
    assert lines[-1].text == "(changes nested deeper)"
    assert list(attribute_lines("case", "steps", change_of([], deep("b"))))


# -------------------------------------------------------------------------------------------------- texts

lines = st.lists(st.sampled_from(["a", "b", "c", "d", "x y"]), max_size=12)


@given(lines, lines)
def test_opcodes_lead_from_old_to_new(old, new):
    made = []
    for tag, start, end, other_start, other_end in opcodes(old, new):
        made += old[start:end] if tag == "equal" else new[other_start:other_end]
    assert made == new


@given(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=7), st.lists(st.sampled_from("abcd"), min_size=1, max_size=7)
)
def test_text_diff_tells_both_sides(old, new):
    """As long as nothing is folded, the lines without + are the old text and those without - the new one."""
    shown = list(text_diff("\n".join(old), "\n".join(new)))
    if not any("unchanged" in line.text for line in shown):
        assert [line.text for line in shown if line.mark != "+"] == old
        assert [line.text for line in shown if line.mark != "-"] == new
    assert sum(line.mark == "-" for line in shown) - sum(line.mark == "+" for line in shown) == len(old) - len(new)


def test_far_lines_are_folded():
    old = "\n".join(map(str, range(100)))
    shown = [f"{line.mark}{line.text}" for line in text_diff(old, old.replace("\n50\n", "\nfifty\n"))]
    assert shown == [
        " (48 unchanged lines)", " 48", " 49", "-50", "+fifty", " 51", " 52", " (47 unchanged lines)",
    ]  # fmt: skip


def test_blanks_at_the_end_of_a_line_are_seen():
    assert list(text_diff("a \nb", "a\nb")) == [Line("-", "a·"), Line("+", "a"), Line(" ", "b")]


def test_a_text_of_endless_lines_is_summed_up():
    old, new = ("\n".join(f"{word}{at}" for at in range(9_000)) for word in ("a", "b"))
    assert [line.text for line in text_diff(old, new)] == ["(9,000 lines)", "(9,000 lines)"]


def test_unicode_forms_that_look_alike_are_named():
    (line,) = attribute_lines("case", "title", change_of("Caf\u00e9", "Cafe\u0301"))
    assert line.text.endswith("(another Unicode form)")


# -------------------------------------------------------------------------------------------------- others


def texts(kind, name, before, after):
    return [f"{line.mark} {line.text}" for line in attribute_lines(kind, name, change_of(before, after))]


def test_parameters_are_told_by_name():
    shown = texts("case", "parameters", [{"os": ["mac", "linux"]}], [{"os": ["mac"]}, {"user": ["ann"]}])
    assert shown == ["  parameters:", "- os: linux", "+ user: [ann]"]


def test_groups_of_parameters_are_told_by_place():
    old = [{"user": ["ann", "bob"], "role": ["admin", "guest"]}]
    new = [{"user": ["ann", "bob"], "role": ["admin", "user"]}]
    assert texts("case", "parameters", old, new) == ["  parameters:", "  [1].role: guest → user"]


def test_values_too_large_to_compare_are_shown_whole():
    lines = list(spell_out([{"a": ["x" * 60_000]}], [{"a": ["y"]}], 0))
    assert [line.mark for line in lines] == ["-", "+"]


def test_cleared_and_filled_values():
    assert texts("case", "description", "Old", None) == ["  description: Old → (empty)"]
    assert texts("case", "description", "", "a\nb") == ["  description:", "+ a", "+ b"]
    assert texts("case", "description", "a\nb", "") == ["  description:", "- a", "- b"]
    assert texts("case", "parameters", [{"a": ["b"]}], []) == ["  parameters: [{a: [b]}] → (empty)"]
    assert texts("case", "flaky", False, True) == ["  flaky: false → true"]
    assert texts("case", "tags", None, ["a"]) == ["  tags:", "+ a"]


def test_an_unknown_attribute_is_shown_as_it_is():
    assert texts("suite", "no-such", 1, {"a": 2}) == ["  no-such: 1 → {a: 2}"]


def test_words_of_an_attribute():
    both = change_of(["a", "b"], ["b", "c", "d"], Origin.OURS)
    assert attribute_words("case", "tags", both) == "tags (2 added, 1 removed)"
    assert attribute_words("case", "title", change_of("a", "b")) == "title"


@given(steps)
def test_steps_of_the_kit_are_canonical(some):
    assert [canonical_step(each) for each in some] == some
