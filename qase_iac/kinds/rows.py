"""Rows that several kinds share."""

from __future__ import annotations

from qase_iac.attributes import MAX_TITLE, Attribute, Text

TITLE = Attribute(
    "title",
    Text(one_line=True, limit=MAX_TITLE),
    "What people see. Titles need not be unique; the key is the identity.",
    required=True,
    example="Pay by card",
    default_ok=False,
)


def text(name: str, doc: str, example: str, null_clears: str | None = "") -> Attribute:
    return Attribute(name, Text(null_clears=null_clears), doc, example=example)
