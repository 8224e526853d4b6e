"""Who changed what: the three-way verdict, undone edits and impact, in words."""

import json
from dataclasses import replace

from render_kit import change_of, plan_of

from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.plan.model import Action, Blocked, Change, Drift, Origin, Reason, Summary
from qase_iac.render import render


def lines(plan, **options):
    return render(plan, "text", **options).splitlines()


def mixed(**more):
    """An update in which both sides had a hand."""
    return Change(
        "case.a",
        Action.UPDATE,
        7,
        Reason.CONFIG_CHANGED,
        attributes={
            "title": change_of("Theirs", "As it was", Origin.THEIRS),
            "severity": change_of("normal", "major"),
            "steps": change_of([{"action": "a"}], [{"action": "a"}, {"action": "b"}], Origin.CONFLICT),
            "flaky": change_of(True, True, Origin.BOTH),
        },
        **more,
    )


def test_who_changed_an_attribute_is_said_where_it_is_not_us_alone():
    said = (
        "title (theirs), severity, steps (conflict: 1 added) · overwrites an edit made in Qase · "
        "reverts an edit made in Qase · already so in Qase: flaky"
    )
    assert f"  ~ case.a  {said}" in lines(plan_of(mixed()))
    full = render(plan_of(mixed()), "text", full=True)
    assert "      title (theirs): Theirs → As it was\n      severity: normal → major\n      steps (conflict):\n" in full
    assert "(already so in Qase: flaky)" in full
    markdown = render(plan_of(mixed()), "markdown")
    assert "Edits made in Qase that are undone (1)" in markdown and "title (theirs): Theirs → As it was" in markdown


def test_moves_and_updates_that_undo_edits_are_counted_where_they_stand():
    back = Change(
        "case.b", Action.MOVE, 8, Reason.DRIFT, attributes={"suite": change_of("suite.x", None, Origin.THEIRS)}
    )
    plan = plan_of(mixed(), back, summary=Summary(update=1, move=1))
    assert "1 to change (1 reverts an edit made in Qase), 1 to move (1 reverts an edit made in Qase)," in render(
        plan, "text"
    )
    assert [change.address for change in plan.undone] == ["case.a", "case.b"] and plan.reverts == 2


def conflict(name, base, theirs, ours):
    """A blocked conflict with the drift that tells what was last applied."""
    change = Change(
        "case.a",
        Action.UPDATE,
        7,
        Reason.CONFIG_CHANGED,
        attributes={name: change_of(theirs, ours, Origin.CONFLICT)},
        blocked=Blocked("conflict", "It changed here and in Qase."),
    )
    drift = Drift("case.a", 7, "changed", {name: change_of(base, theirs, Origin.THEIRS)})
    return plan_of(change, drift=(drift,))


def test_a_conflict_is_told_from_both_sides():
    plan = conflict("title", "Base", "Theirs", "Ours")
    shown = lines(plan, full=True)
    at = shown.index("      title (conflict):")
    assert [line.strip() for line in shown[at + 1 : at + 4]] == [
        "last applied: Base",
        "in Qase: Theirs",
        "in the files: Ours",
    ]
    markdown = render(plan, "markdown")
    assert "What differs" in markdown and "last applied: Base" in markdown and "in the files: Ours" in markdown


def test_a_conflict_of_long_values_is_two_differences():
    shown = render(conflict("description", "a\nb", "a\nc", "x\nb"), "text", full=True)
    theirs, ours = shown.index("in Qase since the last apply:"), shown.index("in the files since the last apply:")
    assert theirs < shown.index("+ c") < ours < shown.index("+ x")
    steps = [{"action": word} for word in ("Open it", "Pay by card", "Leave again")]
    shown = render(conflict("steps", steps, steps[:2], [steps[1], steps[0], steps[2]]), "text", full=True)
    theirs, ours = shown.index("in Qase since the last apply:"), shown.index("in the files since the last apply:")
    assert theirs < shown.index("- 3  Leave again") < ours < shown.index("(was 1)")


def test_drift_that_a_change_does_not_speak_of_is_shown():
    both = {"title": change_of("a", "b", Origin.THEIRS), "priority": change_of("low", "high", Origin.THEIRS)}
    change = Change("case.a", Action.UPDATE, 7, Reason.DRIFT, attributes={"title": change_of("b", "a", Origin.THEIRS)})
    plan = plan_of(change, drift=(Drift("case.a", 7, "changed", both),))
    shown = lines(plan)
    assert shown[shown.index("Changed in Qase since the last apply, and left as it is") + 1] == "  ~ case.a  priority"
    assert "Changed in Qase, left as it is" in render(plan, "markdown")


def test_what_stands_beside_a_blocked_change_is_not_said_again():
    found = Diagnostic(
        "ambiguous-identity", "Which it is cannot be told.", "", SourceRange("a.yaml", 1), Severity.WARNING
    )
    found = replace(found, address="case.a")
    change = Change("case.a", Action.CREATE, None, Reason.NEW, blocked=Blocked("x", f"{found.summary} Say which."))
    for format in ("text", "markdown"):
        assert render(plan_of(change, findings=(found,)), format).count(found.summary) == 1
        assert render(plan_of(replace(change, blocked=None), findings=(found,)), format).count(found.summary) == 1


def test_who_reads_differently():
    impact = {
        "cases": {"count": 30, "names": [f"case.c{at}" for at in range(19)] + [{"external_id": 9}]},
        "plans": {"count": 1, "names": ["plan.smoke"]},
    }
    change = Change("shared_step.in", Action.UPDATE, "f" * 40, Reason.CONFIG_CHANGED, impact=impact)
    plan = plan_of(replace(change, attributes={"title": change_of("a", "b")}))
    assert "  ~ shared_step.in  title · 30 cases and 1 plan read differently" in lines(plan)
    full = render(plan, "text", full=True)
    assert "      reads differently:\n" in full and "30 cases: case.c0, case.c1, " in full and " and 18 more\n" in full
    assert "30 cases and 1 plan read differently" in render(plan, "markdown")
    assert json.loads(render(plan, "json"))["changes"][0]["impact"] == impact
    one = replace(plan.changes[0], impact={"cases": {"count": 1, "names": ["case.a"]}})
    assert "title · 1 case reads differently" in render(plan_of(one), "text")


def test_uploads_are_said_once():
    files = {"a.png": "1" * 64, "copy.png": "1" * 64, "b.png": "2" * 64}
    made = [
        Change(f"case.{key}", Action.CREATE, None, Reason.NEW, files=files, uploads=uploads)
        for key, uploads in (("x", ("a.png",)), ("y", ("a.png", "copy.png", "b.png")), ("z", ()))
    ]
    assert lines(plan_of(*made))[-1] == "Uploads 2 files for 2 changes: a.png, b.png."


def test_creates_and_deletes_say_no_more_than_there_is():
    new = Change("suite.s", Action.CREATE, None, Reason.NEW, "S", attributes={
        "title": change_of(None, "S"), "parent": change_of(None, None), "description": change_of(None, ""),
    })  # fmt: skip
    old = Change("case.c", Action.DELETE, 5, Reason.UNDECLARED, "Old", notes=("in plan.p",))
    full = render(plan_of(new, old), "text", full=True)
    assert "(empty)" not in full and "  - case.c   Old (id 5) · in plan.p\n" in full
    assert "  - case.c   in plan.p\n" in render(plan_of(new, old), "text")
