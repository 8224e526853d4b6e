"""Milestones (qase-api.md section 9)."""

from __future__ import annotations

from qase_iac.attributes import Attribute, Date, Words
from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE, text

MILESTONE = Kind(
    name="milestone",
    section="milestones",
    path="milestone",
    doc="A release or a date that cases aim at.",
    attributes=(
        TITLE,
        text("description", "What the milestone stands for. Markdown.", "First public release"),
        Attribute(
            "status",
            Words(("active", "completed"), default="active"),
            "Whether it is still ahead.",
            example="active",
        ),
        Attribute(
            "due_date",
            Date(),
            "When it is due; a bare date is 00:00 UTC. Qase may refuse to change it later.",
            example="2026-12-01",
            uncertain=True,
        ),
    ),
)
