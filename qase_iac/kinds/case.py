"""Test cases (qase-api.md section 7)."""

from __future__ import annotations

from qase_iac.attributes import (
    Attribute,
    Automation,
    CustomFields,
    Files,
    Flag,
    Gherkin,
    Options,
    Parameters,
    RefTo,
    Steps,
    TextSet,
)
from qase_iac.kinds import enums
from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE, text


def _option(
    name: str,
    stock: tuple[tuple[int, str], ...],
    doc: str,
    example: str,
    aliases: tuple[tuple[str, str], ...] = (),
) -> Attribute:
    return Attribute(name, Options(name, stock, aliases), doc, example=example)


CASE = Kind(
    name="case",
    section="cases",
    path="case",
    doc="A test case.",
    parent="suite",
    bulk=True,
    owned_by_scope=True,
    custom=True,
    defaults=True,
    file_suffix=".case",
    exclusive=(("steps", "gherkin"),),
    content=("steps", "gherkin"),
    attributes=(
        TITLE,
        text("description", "What the case is about. Markdown.", "Paying with a valid card"),
        text("preconditions", "What must hold before the first step. Markdown.", "A basket with one item."),
        text("postconditions", "What holds, or must be undone, afterwards. Markdown.", "The basket is empty."),
        Attribute(
            "suite",
            RefTo("suite"),
            "The suite it lies in. Nesting, or the nearest folder that is a suite, says it when this is left out.",
            example="checkout",
            read="suite_id",
            write="suite_id",
            uncertain=True,
            always_managed=True,
            default_ok=False,
        ),
        _option("severity", enums.SEVERITY, "How bad a failure is.", "critical", enums.SEVERITY_ALIASES),
        _option("priority", enums.PRIORITY, "How soon it is run.", "high"),
        _option("type", enums.TYPE, "What kind of testing it is.", "functional"),
        _option("layer", enums.LAYER, "Where it tests.", "e2e"),
        _option("behavior", enums.BEHAVIOR, "Whether it tries the good or the bad way.", "positive"),
        Attribute(
            "status", Options("status", enums.STATUS, fixed=True), "Its place in its own life.", example="actual"
        ),
        Attribute(
            "automation",
            Automation(enums.AUTOMATION, default="manual"),
            "Whether a program runs it, or should.",
            example="to-be-automated",
        ),
        Attribute(
            "flaky",
            Flag(),
            "Whether its result cannot be relied on.",
            example=False,
            read="is_flaky",
            write="is_flaky",
        ),
        Attribute(
            "milestone",
            RefTo("milestone"),
            "The milestone it aims at.",
            example="release-1",
            read="milestone_id",
            write="milestone_id",
            uncertain=True,
        ),
        Attribute("tags", TextSet(), "Short words to find it by.", example=["smoke", "payments"]),
        Attribute(
            "parameters",
            Parameters(),
            "Values that the case is run with, one after the other.",
            example={"currency": ["EUR", "USD"]},
        ),
        Attribute(
            "custom_fields",
            CustomFields(),
            "Your own fields, by their title. Fields that are not named here are left alone.",
            example={"Component": "Payments"},
        ),
        Attribute(
            "attachments",
            Files(),
            "Files that belong to the case; uploaded once.",
            example=["img/card.png"],
            default_ok=False,
        ),
        Attribute(
            "steps",
            Steps(),
            "What to do and what should happen, in order.",
            example=["Open the basket", {"action": "Pay", "expected": "The receipt is shown"}],
            default_ok=False,
        ),
        Attribute(
            "gherkin",
            Gherkin(),
            "The case as a scenario, instead of steps.",
            example="Given a paid order\nWhen support refunds it\nThen the customer gets an e-mail\n",
            default_ok=False,
        ),
    ),
)
