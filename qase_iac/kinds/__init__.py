"""The one place that knows what Qase has. A new kind is one file and one line here."""

from __future__ import annotations

from qase_iac.kinds.base import Kind, remote_id
from qase_iac.kinds.case import CASE
from qase_iac.kinds.milestone import MILESTONE
from qase_iac.kinds.project import PROJECT
from qase_iac.kinds.shared_step import SHARED_STEP
from qase_iac.kinds.suite import SUITE
from qase_iac.kinds.test_plan import TEST_PLAN

KINDS: tuple[Kind, ...] = (PROJECT, MILESTONE, SHARED_STEP, SUITE, CASE, TEST_PLAN)
"""In creation order; deletes run the other way."""

CONTENT_KINDS: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind.section)
"""Kinds that content files declare."""

BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
BY_SECTION: dict[str, Kind] = {kind.section: kind for kind in CONTENT_KINDS}
RANK: dict[str, int] = {kind.name: at for at, kind in enumerate(KINDS)}

__all__ = ["BY_NAME", "BY_SECTION", "CONTENT_KINDS", "KINDS", "RANK", "Kind", "remote_id"]
