"""Shared steps (qase-api.md section 8)."""

from __future__ import annotations

from qase_iac.attributes import Attribute, Steps
from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE

SHARED_STEP = Kind(
    name="shared_step",
    section="shared_steps",
    path="shared_step",
    doc="Steps that many cases use. An edit reaches all of them at once.",
    id_key="hash",
    resend=("title",),
    content=("steps",),
    attributes=(
        TITLE,
        Attribute(
            "steps",
            Steps(shared_allowed=False, typed=False, at_least_one=True),
            "What to do, in order.",
            required=True,
            example=[{"action": "Open /login", "expected": "The form is shown"}],
        ),
    ),
)
