"""The stock options of Qase's system fields, (id, word) (qase-api.md section 7.11). The live catalogue decides."""

from __future__ import annotations

SEVERITY = (
    (0, "undefined"),
    (1, "blocker"),
    (2, "critical"),
    (3, "major"),
    (4, "normal"),
    (5, "minor"),
    (6, "trivial"),
)
PRIORITY = ((0, "undefined"), (1, "high"), (2, "medium"), (3, "low"))
TYPE = (
    (1, "other"),
    (2, "smoke"),
    (3, "regression"),
    (4, "security"),
    (5, "usability"),
    (6, "performance"),
    (7, "acceptance"),
    (8, "functional"),
    (9, "compatibility"),
    (10, "integration"),
    (11, "exploratory"),
)
LAYER = ((0, "unknown"), (1, "e2e"), (2, "api"), (3, "unit"))
BEHAVIOR = ((1, "undefined"), (2, "positive"), (3, "negative"), (4, "destructive"))
STATUS = ((0, "actual"), (1, "draft"), (2, "deprecated"))
AUTOMATION = ("manual", "to-be-automated", "automated")

SEVERITY_ALIASES = (("blocked", "blocker"),)
"""Words of the 2020 page that have another spelling today (section 15)."""
