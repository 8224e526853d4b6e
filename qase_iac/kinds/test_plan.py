"""Test plans (qase-api.md section 10)."""

from __future__ import annotations

from qase_iac.attributes import Attribute, RefSet, Rules, Words
from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE, text

TEST_PLAN = Kind(
    name="plan",
    section="plans",
    path="plan",
    doc="A selection of cases to run together.",
    attributes=(
        TITLE,
        text("description", "What the plan is for. Markdown.", "Before every release", null_clears=None),
        Attribute(
            "cases",
            RefSet("case", read_key="case_id"),
            "Cases by key; with `select` they are the whole membership.",
            example=["pay-by-card"],
            members=True,
        ),
        Attribute(
            "select",
            Rules(),
            "A rule that picks cases: every key must match, one value of each is enough.",
            example={"tags": ["smoke"], "priority": ["high"]},
            local=True,
        ),
        Attribute(
            "exclude",
            Rules(),
            "A rule that takes cases away from what `select` picked.",
            example={"status": ["deprecated", "draft"]},
            local=True,
        ),
        Attribute(
            "assignees",
            Words(("may_be_lost",), default=""),
            "Says that a change of membership may drop assignees.",
            example="may_be_lost",
            local=True,
        ),
    ),
)
