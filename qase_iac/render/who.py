"""Who changed something in Qase, and when, as far as Qase tells."""

from __future__ import annotations

from qase_iac.plan.model import Drift
from qase_iac.render.words import inline, reference
from qase_iac.values import Attributes, printable


def who_words(drift: Drift) -> str:
    """ " · by Ann on 2026-11-20"; " · on 2026-11-20 (author Ann)" where only is known who made it; "" without facts."""
    made = drift.kind == "appeared"
    meta = drift.meta
    by = _person(meta, "author", "author_id") if made else _person(meta, "editor", "updated_by")
    day = str((meta.get("created_at") if made else None) or meta.get("updated_at") or "")[:10]
    parts = [f"by {by}" if by else "", f"on {printable(day)}" if day else ""]
    said = " ".join(part for part in parts if part)
    if not made and not by and meta.get("author"):
        said = f"{said} (author {_person(meta, 'author', 'author_id')})".strip()
    return f" · {said}" if said else ""


def place_words(drift: Drift) -> str:
    """ " · in suite.checkout" for a new object that lies in something."""
    for name, each in drift.attributes.items():
        if name != "title" and each.after is not None:
            shown = reference(each.after) if isinstance(each.after, dict) else inline(each.after)
            return f" · in {shown}"
    return ""


def _person(meta: Attributes, name: str, number: str) -> str:
    if meta.get(name):
        return printable(str(meta[name]))
    return f"#{printable(str(meta[number]))}" if meta.get(number) else ""
