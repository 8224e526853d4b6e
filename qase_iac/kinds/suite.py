"""Suites (qase-api.md section 6)."""

from __future__ import annotations

from qase_iac.attributes import Attribute, RefTo
from qase_iac.kinds.base import Kind
from qase_iac.kinds.rows import TITLE, text

SUITE = Kind(
    name="suite",
    section="suites",
    path="suite",
    doc="A folder of cases; suites nest.",
    parent="parent",
    nested_keys=True,
    destination=True,
    owned_by_scope=True,
    file_name="suite",
    attributes=(
        TITLE,
        text("description", "What the suite covers. Markdown.", "From the basket to the receipt"),
        text("preconditions", "What must hold before any case of the suite. Markdown.", "A signed-in customer"),
        Attribute(
            "parent",
            RefTo("suite"),
            "The suite it lies in; set by where it is declared.",
            read="parent_id",
            write="parent_id",
            structural=True,
            always_managed=True,
        ),
    ),
)
