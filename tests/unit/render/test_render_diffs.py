"""The laws of the diffs: what is shown leads from the old value to the new one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_kit import NEW_STEPS, STEPS, change_of

from qase_iac.plan.alike import opcodes
from qase_iac.plan.model import Origin
from qase_iac.render.deep import spell_out
from qase_iac.render.details import attribute_lines, attribute_words
from qase_iac.render.textdiff import Line, text_diff


def test_words_of_a_mixed_edit():
    assert attribute_words("case", "steps", change_of(STEPS, NEW_STEPS)) == (
        "steps (1 edited, 1 moved, 2 added, 1 removed)"
    )


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


prose = st.lists(st.sampled_from(["a", "b", "One item", "Two items", "One item in it", ""]), min_size=1, max_size=7)


@given(prose, prose)
def test_text_diff_tells_both_sides(old, new):
    """As long as nothing is folded, both texts can be read from the difference."""
    shown = list(text_diff("\n".join(old), "\n".join(new)))
    if not any("unchanged" in line.text for line in shown):
        assert [side(line, "-") for line in shown if line.mark != "+"] == old
        assert [side(line, "+") for line in shown if line.mark != "-"] == new
    assert sum(line.mark == "-" for line in shown) - sum(line.mark == "+" for line in shown) == len(old) - len(new)


def side(line, kind):
    """What a line was (-) or becomes (+)."""
    return "".join(text for what, text in line.parts if what in ("", kind)) if line.parts else line.text


def test_far_lines_are_folded():
    old = "\n".join(map(str, range(100)))
    shown = [f"{line.mark}{line.text}" for line in text_diff(old, old.replace("\n50\n", "\nfifty\n"))]
    assert shown == [
        " (48 unchanged lines)", " 48", " 49", "-50", "+fifty", " 51", " 52", " (47 unchanged lines)",
    ]  # fmt: skip


def word_diff(before, after):
    return [f"{line.mark} {line.text}" for line in text_diff(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("A basket with one item.", "A basket with two items.", "~ A basket with [-one item-]{+two items+}."),
        ("Press the button Pay", "Press the button Pay twice", "~ Press the button Pay{+ twice+}"),
        ("Press  Pay now", "Press Pay now", "~ Press[-  -]{+ +}Pay now"),
        ("The naïve café 👩‍🔬 waits", "The naïve cafe 👩‍🔬 waits", "~ The naïve [-café-]{+cafe+} 👩\\u200d🔬 waits"),
        (
            "画面の右上にある青い登録ボタンを押す",
            "画面の右上にある青い登録ボタンを長く押す",
            "~ 画面の右上にある青い登録ボタンを{+長く+}押す",
        ),
        (
            "Start " + "and so on " * 12 + "one" + " and so forth" * 12 + ".",
            "Start " + "and so on " * 12 + "two" + " and so forth" * 12 + ".",
            "~ … so on and so on and so on [-one-]{+two+} and so forth and so forth …",
        ),
    ],
)
def test_changed_words_are_marked(before, after, shown):
    assert word_diff(before, after) == [shown]


@pytest.mark.parametrize(
    ("before", "after"),
    [("Wait for the mail", "Count the money"), ("It reads [-old-]", "It reads [-new-]"), ("x" * 4_000, "y x" * 1_500)],
)
def test_lines_that_have_little_in_common_or_hold_the_marks_stand_apart(before, after):
    assert [line.mark for line in text_diff(before, after)] == ["-", "+"]


def test_lines_are_paired_in_their_order():
    old = "Title\nOpen the first page\nOpen the second page\nEnd"
    new = "Title\nOpen the second page twice\nEnd"
    assert word_diff(old, new) == ["  Title", "- Open the first page", "~ Open the second page{+ twice+}", "  End"]


def test_escapes_are_no_difference_beside_another_and_are_one_alone():
    assert word_diff("a_b\nsame\nPay now", "a\\_b\nsame\nPay later") == [
        "  a\\_b", "  same", "- Pay now", "+ Pay later",
    ]  # fmt: skip
    assert [line[0] for line in word_diff("a_b\nsame", "a\\_b\nsame")][-1] == " "
    assert any(line[0] in "~-+" for line in word_diff("a_b\nsame", "a\\_b\nsame"))


def test_blanks_at_the_end_of_a_line_are_seen():
    assert list(text_diff("a \nb", "a\nb")) == [Line("~", "a[- -]", 0, (("", "a"), ("-", " "))), Line(" ", "b")]
    assert [line.text for line in text_diff("a  \nb", "b")] == ["a··", "b"]


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
