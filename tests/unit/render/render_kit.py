"""Plans, reports and diagnostics to render, and strategies for hostile ones."""

from __future__ import annotations

from hypothesis import strategies as st

from qase_iac.apply.report import Operation, Problem, Report, Status
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.plan.model import (
    Action,
    AttributeChange,
    Blocked,
    Change,
    Drift,
    Origin,
    Plan,
    Reading,
    Reason,
    Summary,
)


def change_of(before, after, origin=Origin.OURS):
    return AttributeChange(before, after, origin)


def plan_of(*changes, **parts):
    fields = dict(
        project="SHOP",
        api="https://api.qase.io/v1",
        tool="qase-iac 0.1.0",
        config_digest="sha256:00",
        lineage="line",
        serial=4,
        changes=changes,
        reading=Reading({"case": 1203, "suite": 41}, 15),
    )
    return Plan(**(fields | parts))


REVERT = "reverts an edit made in Qase on 2026-11-20"
STEPS = [
    {"action": "Open the basket"},
    {"action": "Enter the card number", "data": "4242 4242 4242 4242", "expected": "The number is accepted"},
    {"action": "Choose a delivery"},
    {"action": "Accept the terms"},
    {"action": "Pay", "expected": "The receipt is shown"},
    {"action": "Wait for the mail"},
]
NEW_STEPS = [
    STEPS[0],
    {**STEPS[1], "data": "4000 0000 0000 0002", "expected": "The number is refused\nand the field turns red"},
    STEPS[3],
    STEPS[4],
    {"shared": "shared_step.sign-in"},
    {"action": "Look around", "attachments": ["img/a.png"], "steps": [{"action": "Left"}, {"action": "Right"}]},
    STEPS[2],
]


def example() -> Plan:
    """The plan that cli.md shows. The third update stands in another group there, which the example leaves out."""
    small = [{"action": "Enter the card"}, {"action": "Pay"}, {"action": "Read the message", "expected": "Declined"}]
    edited = [small[0], {**small[2], "expected": "Card declined"}, small[1]]
    return plan_of(
        Change("case.voucher-expired", Action.CREATE, None, Reason.NEW, "Expired voucher", suite="checkout"),
        Change(
            "case.card-declined",
            Action.UPDATE,
            41,
            Reason.CONFIG_CHANGED,
            "Card declined",
            "checkout/cases.yaml:12",
            suite="checkout",
            attributes={"severity": change_of("normal", "major"), "steps": change_of(small, edited)},
        ),
        Change(
            "case.receipt",
            Action.UPDATE,
            42,
            Reason.DRIFT,
            "Receipt",
            "checkout/cases.yaml:40",
            suite="checkout",
            attributes={"title": change_of("Receit", "Receipt", Origin.THEIRS)},
            notes=(REVERT,),
        ),
        Change(
            "case.refund",
            Action.MOVE,
            43,
            Reason.MOVED,
            "Refund",
            "checkout/cases.yaml:60",
            suite="checkout",
            attributes={"suite": change_of("suite.old", "suite.checkout")},
        ),
        Change(
            "case.legacy-flow",
            Action.DELETE,
            40,
            Reason.UNDECLARED,
            "Legacy flow",
            suite="checkout",
            notes=("in plan.smoke (updated first)",),
        ),
        summary=Summary(create=1, update=3, move=1, delete=1, no_op=1187, unmanaged=51),
        requests=6,
    )


RENAME = (
    "case.old-name would be deleted and case.new-name created, yet they look like one object under a new key. "
    "If it was renamed, paste `moved: [{from: case.old-name, to: case.new-name}]`; if not, list case.old-name "
    "under `removed:` or pass --allow-recreate case.new-name.\n"
    "All renames of this plan:\nmoved:\n  - {from: case.old-name, to: case.new-name}\n  - {from: case.a, to: case.b}"
)


def rich() -> Plan:
    """Everything once."""
    table = "\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\nline x\nline y\nline z\n"
    return plan_of(
        *(
            Change(
                "milestone.release-2",
                Action.CREATE,
                None,
                Reason.NEW,
                "Release 2",
                "m.yaml:2",
                attributes={"title": change_of(None, "Release 2"), "due_date": change_of(None, "2026-12-01")},
            ),
            Change(
                "suite.vouchers",
                Action.CREATE,
                None,
                Reason.NEW,
                "Vouchers",
                "vouchers/suite.yaml:1",
                attributes={"title": change_of(None, "Vouchers"), "parent": change_of(None, None)},
            ),
            Change(
                "case.voucher-expired",
                Action.CREATE,
                None,
                Reason.NEW,
                "Expired voucher is refused",
                "vouchers/cases.yaml:3",
                depends_on=("suite.vouchers",),
                suite="vouchers",
                attributes={
                    "title": change_of(None, "Expired voucher is refused"),
                    "suite": change_of(None, {"known_after_apply": "suite.vouchers"}),
                    "severity": change_of(None, "major"),
                    "tags": change_of(None, ["smoke", "vouchers"]),
                    "preconditions": change_of(None, "A basket.\nA voucher of last year.\n"),
                    "flaky": change_of(None, False),
                    "parameters": change_of(None, [{"currency": ["EUR", "USD"]}]),
                    "custom_fields.Component": change_of(None, "Payments"),
                    "attachments": change_of(None, ["img/a.png", {"hash": "ab12", "file": "old.png"}]),
                    "steps": change_of(None, [*NEW_STEPS[:2], {"action": "Outer\nmore", "steps": NEW_STEPS[1:2]}]),
                },
                files={"img/a.png": "0f" * 32},
                uploads=("img/a.png",),
            ),
            Change(
                "case.card-declined",
                Action.UPDATE,
                41,
                Reason.CONFIG_CHANGED,
                "Card declined",
                "checkout/cases.yaml:12",
                precondition="sha256:11",
                suite="checkout",
                attributes={
                    "description": change_of("Short.", "A longer text that goes on and on, " * 4 + "till its end."),
                    "preconditions": change_of(
                        "A basket with one item." + table + "the end",
                        "A basket with two items." + table + "the end  .\n",
                    ),
                    "severity": change_of("normal", "major"),
                    "milestone": change_of({"external_id": 7}, None),
                    "flaky": change_of(False, True, Origin.BOTH),
                    "tags": change_of(["old", "smoke"], ["payments", "smoke"]),
                    "parameters": change_of(
                        [{"currency": ["EUR", "USD"]}, {"user": ["ann"]}],
                        [{"currency": ["EUR", "GBP", "CHF"]}, {"os": ["mac"]}, {"user": ["ann"]}],
                    ),
                    "attachments": change_of(["a.png", "b.png"], ["b.png", "a.png"]),
                    "steps": change_of(STEPS, NEW_STEPS),
                    "custom_fields.Component": change_of("Payments", "Checkout", Origin.CONFLICT),
                },
                notes=("drops 1 attachment",),
            ),
            Change(
                "case.receipt",
                Action.UPDATE,
                42,
                Reason.DRIFT,
                "Receipt",
                "checkout/cases.yaml:40",
                suite="checkout",
                attributes={"title": change_of("Receit", "Receipt", Origin.THEIRS)},
                notes=(REVERT,),
            ),
            Change(
                "case.refund",
                Action.MOVE,
                43,
                Reason.MOVED,
                "Refund",
                "checkout/cases.yaml:60",
                suite="checkout",
                attributes={"suite": change_of("suite.old", "suite.checkout"), "priority": change_of("low", "high")},
                moved_from="case.money-back",
            ),
            Change(
                "plan.smoke",
                Action.UPDATE,
                2,
                Reason.CONFIG_CHANGED,
                "Smoke",
                "plans.yaml:2",
                attributes={
                    "cases": change_of(["case.a", "case.legacy-flow"], ["case.a", "case.b", {"external_id": 7}])
                },
            ),
            Change(
                "case.new-name",
                Action.CREATE,
                None,
                Reason.NEW,
                "Pay",
                "checkout/cases.yaml:70",
                suite="checkout",
                blocked=Blocked("possible_rename", RENAME, ("case.old-name",)),
            ),
            Change(
                "case.login",
                Action.ADOPT,
                57,
                Reason.ADOPTED,
                "Login",
                "cases.yaml:1",
                attributes={"severity": change_of("minor", "major", Origin.CONFLICT)},
            ),
            Change("case.pay-by-card", Action.NO_OP, 58, Reason.MOVED, "Pay", "c.yaml:9", moved_from="case.pay"),
            Change("case.gone", Action.FORGET, 59, Reason.UNDECLARED, "Gone", suite="checkout"),
            Change("case.lost", Action.FORGET, 60, Reason.VANISHED),
            Change(
                "case.old-name",
                Action.DELETE,
                44,
                Reason.UNDECLARED,
                "Pay",
                suite="checkout",
                blocked=Blocked("possible_rename", RENAME, ("case.new-name",)),
            ),
            Change(
                "case.legacy-flow",
                Action.DELETE,
                40,
                Reason.UNDECLARED,
                "Legacy flow",
                suite="checkout",
                notes=("in plan.smoke (updated first)",),
            ),
            Change("suite.attic", Action.DELETE, 9, Reason.UNDECLARED, "The attic"),
        ),
        drift=(
            Drift("case.receipt", 42, "changed", {"title": change_of("Receipt", "Receit", Origin.THEIRS)}),
            Drift(
                "case.kept",
                70,
                "changed",
                {
                    "severity": change_of("minor", "major", Origin.THEIRS),
                    "tags": change_of(["a"], ["a", "b"], Origin.THEIRS),
                },
                "Kept",
                {"updated_at": "2026-11-21T10:00:00+00:00"},
            ),
            Drift("case.stray", 71, "vanished"),
        ),
        findings=(
            Diagnostic(
                "attachment-not-verified",
                "img/a.png was taken for the file of the same name and size in Qase; its content was not compared.",
                "Touch the file in Qase, or here, to have it sent.",
                SourceRange("vouchers/cases.yaml", 3, 5),
                Severity.WARNING,
                "case.voucher-expired",
            ),
        ),
        summary=Summary(3, 3, 1, 2, 1, 1, 2, 1187, 51, 2, 3),
        requests=12,
        observed={"case.receipt": {"severity": "major", "tags": []}},
    )


def diagnostics() -> list[Diagnostic]:
    return [
        Diagnostic(
            "unknown-attribute",
            "A case has no `severty`. Did you mean `severity`?",
            "It takes title, description, preconditions, postconditions, suite, severity, priority, type, layer, "
            "behavior, status, automation, flaky, milestone, tags.",
            SourceRange("checkout/cases.yaml", 12, 5),
        ),
        Diagnostic("empty-step", "This step is empty.", "", SourceRange("checkout/cases.yaml", 4, 9)),
        Diagnostic(
            "hash-comment",
            "The text is cut at ` #`: YAML reads a comment there.",
            'Quote it:\n  title: "Banner is #DDDDDD"',
            SourceRange("accounts/login.case.yaml", 1, 8),
            Severity.WARNING,
        ),
    ]


def report(troubled: bool = True) -> Report:
    done = (
        Operation("suite.vouchers", Action.CREATE, 12, Status.DONE, "vouchers/suite.yaml:1"),
        Operation("case.receipt", Action.UPDATE, 42, Status.DONE, "checkout/cases.yaml:40"),
        Operation("case.legacy-flow", Action.DELETE, 40, Status.DONE),
        Operation("case.login", Action.ADOPT, 57, Status.DONE, "cases.yaml:1"),
    )
    if not troubled:
        return Report(done, requests=3, retries=1)
    refused = Problem(
        "rejected",
        "Qase refused the case.",
        hint="Correct it, then run apply again.",
        http_status=422,
        request_id="7f3a",
        field_errors=(("title", "may not be greater than 255 characters"),),
    )
    needs = Problem("depends_on_failed", "It needs case.voucher-expired, which failed.", ("case.voucher-expired",))
    return Report(
        (
            *done,
            Operation(
                "case.voucher-expired",
                Action.CREATE,
                None,
                Status.FAILED,
                "v/cases.yaml:3",
                refused,
                False,
                422,
                "7f3a",
            ),
            Operation(
                "case.refund",
                Action.MOVE,
                43,
                Status.UNKNOWN,
                "checkout/cases.yaml:60",
                Problem("no_answer", "The connection was dropped after the request was sent."),
            ),
            Operation("plan.smoke", Action.UPDATE, 2, Status.BLOCKED, "plans.yaml:2", needs),
            Operation("plan.full", Action.UPDATE, 3, Status.BLOCKED, "plans.yaml:9", needs),
        ),
        requests=6,
        retries=2,
        warnings=("The clock went backwards.",),
    )


# ------------------------------------------------------------------------------------------------ strategies

NASTY = [
    "\x1b[31mred\x1b[0m", "\x9b2J", "‮gpj.exe", "​hidden", "a\nb", "a\r\nb", "\ttab", "\x00", "\udc80",
    "<script>alert(1)</script>", "<!-- x -->", "-->", "</pre>", "</details>", "</summary>", "<img src=x onerror=y>",
    "[x](https://evil.example)", "![x](https://evil.example/x.png)", "https://evil.example", "www.evil.example",
    "javascript:alert(1)", "@everyone", "a@b.example", "#12", "GH-12", "```", "`x`", "~~~", "| a | b |", "# H", "***",
    "$x$", "&lt;b&gt;", "&#60;b&#62;", "<b", "\\", ":tada:", "[^1]", "{{ x }}", "{% x %}", "- x", "1. x", "> x", "=====",
    "    code", "<https://evil.example>", "_x_", "__x__", "~~x~~", "\u2028",
]  # fmt: skip
hostile = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(NASTY), max_size=4).map(" ".join),
    st.text(max_size=40),
    st.text(alphabet="`<>&@#[]()!*_-=|\\$:\n\r ~ab1.\x1b‮", max_size=40),
)
steps_value = st.recursive(
    st.fixed_dictionaries({"action": hostile}, optional={"data": hostile, "expected": hostile}),
    lambda inner: st.fixed_dictionaries({"action": hostile, "steps": st.lists(inner, max_size=3)}),
    max_leaves=5,
)
json_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | hostile,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(hostile, inner, max_size=3),
    max_leaves=8,
)
attribute_values = {
    "title": hostile,
    "description": hostile,
    "suite": st.none() | hostile | st.builds(lambda n: {"external_id": n}, st.integers(0, 99)),
    "tags": st.lists(hostile, max_size=3),
    "steps": st.lists(steps_value, max_size=4) | json_value,
    "parameters": st.lists(st.dictionaries(hostile, st.lists(hostile, max_size=2), max_size=2), max_size=3)
    | json_value,
    "custom_fields.<b>@x": json_value,
}


@st.composite
def attribute_changes(draw):
    names = draw(st.sets(st.sampled_from(sorted(attribute_values)), max_size=4))
    return {
        name: AttributeChange(
            draw(st.none() | attribute_values[name]), draw(attribute_values[name]), draw(st.sampled_from(Origin))
        )
        for name in sorted(names)
    }


hostile_impact = st.fixed_dictionaries(
    {"count": st.integers(0, 10**6), "names": st.lists(hostile | json_value, max_size=3)}
)


@st.composite
def changes(draw):
    action = draw(st.sampled_from(Action))
    blocked = draw(st.none() | st.builds(Blocked, hostile, hostile, st.lists(hostile, max_size=2).map(tuple)))
    return Change(
        "case." + (draw(hostile) or "x"),
        action,
        draw(st.none() | st.integers(1, 10**6)),
        draw(st.sampled_from(Reason)),
        draw(hostile),
        draw(st.none() | hostile),
        attributes=draw(attribute_changes()),
        suite=draw(hostile),
        blocked=blocked,
        moved_from=draw(st.none() | hostile.map(lambda text: "case." + (text or "y"))),
        notes=draw(st.lists(hostile, max_size=2).map(tuple)),
        impact=draw(st.dictionaries(hostile, hostile_impact, max_size=2)),
    )


hostile_diagnostics = st.builds(
    Diagnostic,
    hostile,
    hostile,
    hostile,
    st.builds(SourceRange, hostile, st.integers(0, 9), st.integers(0, 9)),
    st.sampled_from(Severity),
    st.none() | hostile,
)
hostile_drift = st.builds(
    Drift,
    hostile.map("case.".__add__),
    st.integers(1, 9),
    st.sampled_from(["changed", "appeared", "vanished"]),
    attribute_changes(),
    hostile,
    st.dictionaries(st.just("updated_at"), hostile, max_size=1),
)
hostile_plans = st.builds(
    lambda project, changes, drift, findings, unlisted: plan_of(
        *changes, project=project, drift=tuple(drift), findings=tuple(findings), unlisted_deletes=tuple(unlisted),
        digest="sha256:00", stateless=True,
    ),
    hostile,
    st.lists(changes(), max_size=4),
    st.lists(hostile_drift, max_size=2),
    st.lists(hostile_diagnostics, max_size=2),
    st.lists(hostile, max_size=2),
)  # fmt: skip
hostile_problems = st.builds(
    Problem,
    hostile,
    hostile,
    st.lists(hostile, max_size=2).map(tuple),
    hostile,
    st.none(),
    st.none() | hostile,
    st.lists(st.tuples(hostile, hostile), max_size=2).map(tuple),
)
hostile_reports = st.builds(
    lambda operations, halted, warnings: Report(
        tuple(operations), 1, 0, halted=halted, saved=False, warnings=tuple(warnings)
    ),
    st.lists(
        st.builds(
            Operation, hostile, st.sampled_from(Action), st.none() | hostile, st.sampled_from(Status), st.none() | hostile,
            st.none() | hostile_problems,
        ),
        max_size=4,
    ),
    st.none() | hostile_problems,
    st.lists(hostile, max_size=2),
)  # fmt: skip
