"""The sentences around the changes, and the table of formats."""

from dataclasses import replace
from pathlib import Path

import pytest
from render_kit import change_of, diagnostics, example, plan_of, report, rich

from qase_iac.apply.report import Operation, Problem, Report, Status
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.errors import QaseIacError
from qase_iac.kinds import KINDS
from qase_iac.plan.model import Action, Blocked, Change, Drift, Origin, Reading, Reason, Summary
from qase_iac.plan.planfile import to_json
from qase_iac.plan.planfile_reader import from_json
from qase_iac.render import FORMATS, DriftView, format_for, render


def lines(plan, **options):
    return render(plan, "text", **options).splitlines()


def test_a_plan_without_changes():
    plan = plan_of(summary=Summary(no_op=1203, unmanaged=51))
    assert lines(plan)[-1] == ("No changes. Your Qase project matches the files. 1,203 unchanged, 51 not managed.")
    assert "no changes" in render(plan, "markdown")


@pytest.mark.parametrize(
    "parts",
    [
        {"unlisted_deletes": ("case.a", "case.b")},
        {"summary": Summary(not_selected=1)},
        {"drift": (Drift("case.a", 1, "vanished"),)},
    ],
)
def test_a_plan_that_looked_away_does_not_claim_that_all_matches(parts):
    assert not any("matches the files" in line for line in lines(plan_of(**parts)))


def test_without_state_the_first_line_says_so():
    plan = replace(rich(), stateless=True)
    assert lines(plan)[0].startswith("No state for project SHOP, which is not empty: apply refuses until")
    assert "--new-state" in lines(plan)[0] and "qase-iac export" in lines(plan)[0]
    assert lines(replace(plan, new_state=True))[0].endswith("apply starts a new one (--new-state).")
    assert "No state" in render(plan, "markdown")


@pytest.mark.parametrize("objects", [{}, {"case": 0, "suite": 0}, {"project": 1}])
def test_an_empty_project_needs_no_state(objects):
    assert "No state" not in render(plan_of(stateless=True, reading=Reading(objects, 4)), "text")


def test_singular_and_plural():
    change = Change("case.a", Action.UPDATE, 1, Reason.DRIFT, attributes={"title": change_of("a", "b", Origin.THEIRS)})
    two = (change, replace(change, address="case.b"))
    one = plan_of(change, requests=1, reading=Reading({"case": 1, "suite": 1}, 1), summary=Summary(update=1))
    assert lines(one)[0] == "Project SHOP   read 1 case and 1 suite in 1 request"
    assert lines(one)[-1] == "Needs 1 write request."
    assert "(1 reverts an edit made in Qase)" in render(one, "text")
    assert "(2 revert edits made in Qase)" in render(plan_of(*two), "text")
    assert "reverts an edit made in Qase" in lines(one)[3], "said even where the planner left no note"
    assert lines(plan_of(*two))[-2:] == [
        "Needs no write request.", "Edits made in Qase that are undone: case.a (title), case.b (title).",
    ]  # fmt: skip


def test_what_the_totals_do_not_count():
    plan = plan_of(
        Change("case.a", Action.DELETE, 1, Reason.UNDECLARED, "A"),
        summary=Summary(rename=1, forget=2, blocked=1, not_selected=12),
        unlisted_deletes=tuple(f"case.c{at}" for at in range(20)),
        allow_deletes=3,
    )
    assert lines(plan)[-5:] == [
        "1 change blocked (!): not carried out; the reasons stand beside them.",
        "1 renamed and 2 no longer managed, without a request.",
        "12 objects not selected.",
        "20 deletes left out (--no-deletes): " + ", ".join(f"case.c{at}" for at in range(12)) + " and 8 more.",
        "Deletes allowed: exactly 3.",
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change("case.a", Action.DELETE, 1, Reason.UNDECLARED, "Old flow"), "- case.a  Old flow"),
        (Change("case.a", Action.CREATE, None, Reason.NEW, "A"), "+ case.a"),
        (
            Change("case.a", Action.CREATE, None, Reason.VANISHED, "A", notes=("was deleted in Qase (id 4)",)),
            "+ case.a  was deleted in Qase (id 4)",
        ),
        (Change("case.a", Action.ADOPT, 7, Reason.ADOPTED), "= case.a  is 7 in Qase"),
        (Change("case.a", Action.FORGET, 7, Reason.UNDECLARED), ". case.a  stays in Qase, no longer managed"),
        (Change("case.a", Action.FORGET, 7, Reason.VANISHED), ". case.a  gone from Qase"),
        (
            Change("case.a", Action.NO_OP, 7, Reason.MOVED, moved_from="case.b"),
            "~ case.a  renamed from case.b (no request)",
        ),
        (
            Change("case.a", Action.MOVE, 7, Reason.MOVED, attributes={"suite": change_of(None, "suite.x")}),
            "> case.a  from the root",
        ),
        (
            Change("case.a", Action.MOVE, 7, Reason.MOVED, attributes={"suite": change_of({"external_id": 9}, "suite.x")}),
            "> case.a  from suite 9 (not managed)",
        ),
        (
            Change("suite.a", Action.MOVE, 7, Reason.MOVED, attributes={"parent": change_of("suite.b", None)}),
            "> suite.a  from suite.b",
        ),
        (
            Change(
                "case.a", Action.UPDATE, 7, Reason.CONFIG_CHANGED,
                attributes={"title": change_of("a", "b", Origin.CONFLICT), "flaky": change_of(True, False, Origin.BOTH)},
            ),
            "~ case.a  title · overwrites an edit made in Qase · already so in Qase: flaky",
        ),
        (
            Change("case.a", Action.DELETE, 7, Reason.UNDECLARED, blocked=Blocked("protected", "Protected.")),
            "! case.a  delete blocked (protected): Protected.",
        ),
    ],
)  # fmt: skip
def test_each_kind_of_line(change, said):
    assert f"  {said}" in lines(plan_of(change))


def test_who_stands_in_the_way_is_named_once():
    named = Blocked("x", "It needs case.b, which is blocked and cannot be made now.", ("case.b",))
    unnamed = Blocked("x", "These changes wait for each other.", ("case.b", "case.c"))
    assert "Because of" not in render(plan_of(Change("case.a", Action.CREATE, None, Reason.NEW, blocked=named)), "text")
    shown = render(plan_of(Change("case.a", Action.CREATE, None, Reason.NEW, blocked=unnamed)), "text")
    assert "These changes wait for each other. Because of case.b, case.c." in shown


def test_groups_that_hurt_come_first_then_the_tree():
    def case(key, suite, action=Action.CREATE, **parts):
        return Change(f"case.{key}", action, None, Reason.NEW, suite=suite, **parts)

    plan = plan_of(
        Change("plan.p", Action.CREATE, None, Reason.NEW),
        case("a", "b/c"),
        case("b", "b-c"),
        case("c", "b"),
        case("d", ""),
        case("e", "y", Action.UPDATE, attributes={"title": change_of("a", "b", Origin.THEIRS)}),
        case("f", "x", blocked=Blocked("c", "r")),
        case("g", "z", Action.DELETE),
        Change("milestone.m", Action.CREATE, None, Reason.NEW),
        Change("shared_step.s", Action.CREATE, None, Reason.NEW),
        Change("project.SHOP", Action.CREATE, None, Reason.NEW),
    )
    headers = [line for line in lines(plan) if line and not line.startswith((" ", "Project", "Plan", "Needs"))]
    assert headers == ["z/", "y/", "x/", "project", "milestones", "shared steps", "./", "b/", "b/c/", "b-c/", "plans"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("action", list(Action))
def test_every_kind_renders_under_every_action(kind, action):
    attributes = {row.name: change_of(None, row.example) for row in kind.managed}
    plan = plan_of(Change(f"{kind.name}.a", action, 1, Reason.NEW, attributes=attributes))
    for format in FORMATS:
        assert f"{kind.name}.a" in render(plan, format, full=True)


def test_drift_says_when_there_is_none():
    assert lines(DriftView(plan_of()))[-1] == "No drift. Qase is as the last apply left it."
    assert "No drift" in render(DriftView(plan_of()), "markdown")


def test_the_steps_of_a_reloaded_plan_read_the_same():
    plan = replace(rich(), observed={})
    assert render(from_json(to_json(plan)), "text", full=True) == render(plan, "text", full=True)


# ------------------------------------------------------------------------------------------------ reports


def test_a_good_run_takes_one_line():
    assert lines(report(troubled=False)) == [
        "Applied: 1 added, 1 changed, 1 deleted, 1 adopted. 3 write requests, 1 retry."
    ]


def test_nothing_to_do():
    assert lines(Report()) == ["Nothing to do: nothing was done. 0 write requests."]


def operation(status, planned=False):
    return Operation("case.a", Action.CREATE, None, status, problem=Problem("c", "Why."), planned_block=planned)


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        (Report((operation(Status.FAILED),)), "Not applied: nothing was done, 1 failed.", "Mend what failed, then"),
        (Report((operation(Status.UNKNOWN),)), "Not applied: nothing was done, 1 unknown.", "Continue with `qase-iac"),
        (
            Report((operation(Status.BLOCKED, True),)),
            "Not applied: nothing was done, 1 blocked.",
            "What is blocked stays so",
        ),
        (Report((), interrupted=True), "Interrupted: nothing was done.", "Continue with `qase-iac apply`"),
        (Report((), saved=False, halted=Problem("c", "Disk full.")), "Not applied", "Continue with"),
    ],
)
def test_how_to_go_on(given, first, last):
    shown = lines(given)
    assert any(line.startswith(first) for line in shown)
    assert shown[-1].startswith(last)
    assert any("Disk full." in line for line in shown) == bool(given.halted)


# ------------------------------------------------------------------------------------------- diagnostics


def test_no_problem():
    assert render([], "text") == "Valid. No problems were found.\n"
    assert render([], "json") == '{\n  "valid": true,\n  "diagnostics": []\n}\n'
    assert "No problems" in render([], "markdown")


def test_warnings_alone_are_valid():
    warnings = [each for each in diagnostics() if each.severity is Severity.WARNING]
    assert render(warnings, "text").endswith("1 warning in 1 file. The configuration is valid.\n")
    assert '"valid": true' in render(warnings, "json")
    assert '"valid": false' in render(diagnostics(), "json")


def test_a_problem_without_a_place():
    shown = render([Diagnostic("no-content", "There is nothing here.", source=SourceRange(""))], "text")
    assert shown == "error[no-content]  There is nothing here.\n\n1 error.\n"


# -------------------------------------------------------------------------------------------------- table


@pytest.mark.parametrize("value", [example(), DriftView(example()), report(), diagnostics(), []])
@pytest.mark.parametrize("format", FORMATS)
def test_every_value_in_every_format_ends_with_one_line_break(value, format):
    shown = render(value, format)
    assert shown.endswith("\n") and not shown.endswith("\n\n")
    assert "\x1b" not in render(value, format, color=True) or format == "text"


def test_unknown_formats_are_refused():
    with pytest.raises(QaseIacError, match="no format"):
        render([], "docx")
    with pytest.raises(QaseIacError, match="ending"):
        format_for("report.docx")


@pytest.mark.parametrize(
    ("path", "format"),
    [("a.json", "json"), (Path("x/B.MD"), "markdown"), ("a.b.txt", "text"), ("plan.markdown", "markdown")],
)
def test_formats_by_ending(path, format):
    assert format_for(path) == format
