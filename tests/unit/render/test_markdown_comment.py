"""The comment for a pull request, word by word as it was asked for, with 10,000 changes of every sort."""

import re

from render_kit import change_of, plan_of
from test_render_hostile import read_markdown

from qase_iac.plan.model import Action, Blocked, Change, Reason, Summary
from qase_iac.plan.planfile import seal
from qase_iac.render import render

BEFORE = [{"action": "Open the basket"}, {"action": "Pay by card"}, {"action": "Wait for the mail"}]
AFTER = [BEFORE[2], {"action": "Open the old basket"}, {"action": "Look around"}]
STEPS = {"steps": change_of(BEFORE, AFTER)}
GITHUB = 65_536


def changes(prefix, count, action, **parts):
    return [
        Change(
            f"case.{prefix}{at}",
            action,
            at + 1,
            Reason.CONFIG_CHANGED,
            f"Title {prefix}{at}",
            suite=f"s{at % 9}/t",
            **parts,
        )
        for at in range(count)
    ]


def comment(**counts):
    stuck = Blocked("protected", "`protect: true` was set when it was last declared.")
    moved = {"suite": change_of("suite.old", "suite.new")}
    plan = plan_of(
        *changes("u", counts.get("update", 0), Action.UPDATE, attributes=STEPS),
        *changes("m", counts.get("move", 0), Action.MOVE, attributes=moved),
        *changes("c", counts.get("create", 0), Action.CREATE),
        *changes("b", counts.get("blocked", 0), Action.DELETE, blocked=stuck),
        *changes("d", counts.get("delete", 0), Action.DELETE),
        summary=Summary(**counts),
    )
    shown = render(seal(plan), "markdown")
    read_markdown(shown)
    assert len(shown) < GITHUB
    return shown, seal(plan)


def test_ten_thousand_changes_in_one_comment():
    shown, plan = comment(update=6_000, move=1_500, create=2_000, delete=300, blocked=200)
    assert all(f"- `case.d{at}` Title d{at}\n" in shown for at in range(300)), "deletes are never cut"
    assert all(f"- `case.b{at}` delete blocked" in shown for at in range(200)), "nor what is blocked"
    titles = [
        "### Deletes (300)",
        "### Blocked (200)",
        "### Moves (1,500)",
        "<details><summary>6,000 updates</summary>",
    ]
    places = [shown.index(title) for title in titles]
    assert places == sorted(places)
    assert plan.digest in shown
    said = re.search(r"Left out for want of room:\*\* (.*)", shown)
    assert said and "updates" in said[1] and "creates" in said[1] and "qase-iac show PLANFILE --full" in said[1]


def test_one_that_fits_says_how_the_steps_changed_by_suite():
    shown, plan = comment(update=3, move=1, create=1, delete=1, blocked=1)
    assert "Left out" not in shown and plan.digest in shown
    assert shown.index("**`s0/t/`**") < shown.index("case.u0") < shown.index("**`s1/t/`**") < shown.index("case.u1")
    diff = shown[shown.index("case.u0") : shown.index("</pre>")]
    assert "steps (1 edited, 1 moved, 1 added, 1 removed)" in diff
    assert "&gt;" in diff or "\n> " in diff, "a step that moved has its own mark"
    assert "+   3  Look around" in diff


def test_more_deletes_than_a_comment_can_hold_are_counted_and_said_first():
    shown, _ = comment(delete=10_000)
    assert re.search(r"Left out for want of room:\*\* [\d,]+ of 10,000 deletes", shown)
    assert len(re.findall(r"^- `case\.d\d+`", shown, re.MULTILINE)) > 2_000
