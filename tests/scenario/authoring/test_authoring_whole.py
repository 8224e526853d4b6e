"""authoring.md, the sample of the contract as a whole, and the promises that span several parts."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from authoring_kit import ONE, Project
from e2e_kit import run_program

Make = Callable[..., Project]

SAMPLE: dict[str, str | bytes] = {
    "checkout/suite.yaml": "title: Checkout\n",
    "checkout/img/card.png": b"png",
    "checkout/cases.yaml": """\
cases:
  pay-by-card:
    title: Pay by card
    severity: critical
    priority: high
    type: functional
    layer: e2e
    behavior: positive
    status: actual
    automation: to-be-automated
    flaky: false
    tags: [smoke, payments]
    milestone: release-1            # a milestone's key
    preconditions: |
      A basket with one item.
    steps:
      - Open the basket                                   # only an action
      - action: Enter the card number
        data: 4242 4242 4242 4242
        expected: The number is accepted
        attachments: [img/card.png]                       # files beside this one; uploaded once
        steps:                                            # nested
          - Blur the field
      - shared: sign-in                                   # a shared step's key
    parameters:                                           # each name: its values
      currency: [EUR, USD]
    custom_fields:                                        # by the field's title, options by their title
      Component: Payments
      Platforms: [iOS, Android]
    protect: true                                         # never delete
    ignore_changes: [automation]                          # sent on create, then left to someone else
  refund-in-gherkin:
    title: Refund
    gherkin: |
      Given a paid order
      When support refunds it
      Then the customer gets an e-mail
suites:
  vouchers:
    title: Vouchers
    cases:
      voucher-expired:
        title: Expired voucher is refused
""",
    "more.yaml": """\
shared_steps:
  sign-in:
    title: Sign in
    steps:
      - action: Open /login
        expected: The form is shown
      - action: Submit valid credentials
        expected: The dashboard opens
milestones:
  release-1:
    title: Release 1.0
    status: active
    due_date: 2026-12-01
plans:
  smoke:
    title: Smoke
    description: Before every release
    cases: [pay-by-card]            # explicit keys, and/or …
    select:                         # … a rule: every key must match (and), one value of each is enough (or)
      tags: [smoke]
      suites: ["checkout/**"]
      priority: [high]
    exclude:
      status: [deprecated, draft]
""",
}


@pytest.fixture
def sample(project: Make) -> Project:
    return project(SAMPLE).seed(
        custom_fields=[
            {"title": "Component", "type": "selectbox", "options": ["Payments"]},
            {"title": "Platforms", "type": "multiselect", "options": ["iOS", "Android"]},
        ]
    )


def test_the_sample_is_valid_and_its_second_plan_is_empty(sample: Project) -> None:
    sample.valid().settled()
    case = sample.live("case.pay-by-card")
    assert [each["title"] for each in case["tags"]] == ["payments", "smoke"] or len(case["tags"]) == 2
    assert sample.live("case.refund-in-gherkin")["steps_type"] == "gherkin"


def test_protect_means_never_delete(sample: Project) -> None:
    sample.settled()
    sample.write({"checkout/cases.yaml": "cases: {other: {title: Other}}\n", "more.yaml": "milestones: {}\n"})
    actions = sample.actions("--allow-recreate", "case.other")
    assert actions["case.pay-by-card"] == "delete !protected"
    assert actions["case.refund-in-gherkin"] == "delete"


@pytest.mark.parametrize(
    ("pattern", "selected"),
    [
        ("checkout", {"suite.checkout", "case.pay-by-card", "case.refund-in-gherkin"}),
        ("checkout/*", {"suite.checkout/vouchers", "case.voucher-expired"}),
        ("case.refund-in-gherkin", {"case.refund-in-gherkin"}),
    ],
)
def test_globs_on_suites_select_a_part_of_the_plan(sample: Project, pattern: str, selected: set[str]) -> None:
    found = sample.changes("--select", pattern).keys()
    needed = {"project.SHOP", "suite.checkout", "shared_step.sign-in", "milestone.release-1"}
    assert selected <= found and found <= selected | needed


def test_a_live_file_that_the_state_does_not_know_is_compared_by_name_and_size(sample: Project) -> None:
    sample.settled()
    sample.folder.state_path.unlink()
    shutil.rmtree(sample.folder.root / ".qase-iac")
    plan = sample.plan("--new-state")
    assert {each["action"] for each in plan["changes"]} == {"adopt"}
    assert [each["code"] for each in plan["findings"]] == ["attachment-not-verified"]


def test_a_live_suite_is_in_scope_when_its_title_path_matches(project: Make) -> None:
    made = project("suites: {a: {title: A, cases: {c: {title: C}}}}\n", scope={"suites": ["a/**"]}).settled()
    ui = made.folder.app.ui
    inner = ui.create("SHOP", "suite", title="b", parent_id=made.folder.id_of("suite.a"))
    ui.create("SHOP", "case", title="In a/b", suite_id=inner)
    assert made.plan()["summary"]["unmanaged"] == 2


def test_emulator_is_a_database_in_the_folder_created_on_first_use(project: Make) -> None:
    made = project(ONE)
    ran = run_program("-C", made.folder.root, "apply", "--auto-approve")
    assert ran.code == 0, ran.all
    assert (made.folder.root / ".qase-iac" / "emulator.db").is_file()


def test_warnings_alone_exit_0(project: Make) -> None:
    made = project("cases: {c: {title: C, tags: [a, a]}}\n")
    ran = made.run("validate")
    assert ran.code == 0 and "warning" in ran.out


def test_an_alias_ring_is_the_only_circle_that_can_be_written(project: Make) -> None:
    found = project({"a.yaml": ONE, "b.yaml": "cases: &all\n  d: {title: D, steps: *all}\n"}).problem()
    assert (found["code"], found["file"]) == ("recursive-alias", "b.yaml")
