"""The project itself: created when `create: true`, never updated and never deleted (qase-api.md section 5)."""

from __future__ import annotations

from dataclasses import replace

from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE, text

PROJECT = Kind(
    name="project",
    section="",
    path="project",
    doc="The project itself. `qase.yaml` declares it; Qase has no call that changes one.",
    id_key="code",
    deletable=False,
    attributes=(
        replace(TITLE, create_only=True),
        replace(text("description", "What the project is about.", "Everything we sell"), create_only=True),
    ),
)
