"""Pairs the steps of two lists as a sequence, to carry over attachments that the YAML leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher

from qase_iac.attributes import normal_text
from qase_iac.values import JSON

LIKELY = 0.5
"""How alike two actions must be for one to count as an edit of the other."""


def carry_attachments(wanted: list[JSON], live: list[JSON]) -> list[JSON]:
    """`wanted` (DESIRED form) with omitted `attachments` taken from the live step each is paired with.

    Carried files appear as `{"hash": …}`; the caller adds their names. Steps without a partner get none.
    """
    if not any(_has_files(step) for step in live):
        return wanted
    carried = list(wanted)
    for mine, theirs in pair(wanted, live):
        step, partner = wanted[mine], live[theirs]
        if "shared" in step or "shared" in partner:
            continue
        extra: dict[str, JSON] = {}
        if "attachments" not in step and partner.get("attachments"):
            extra["attachments"] = [{"hash": hash} for hash in partner["attachments"]]
        if step.get("steps") and partner.get("steps"):
            extra["steps"] = carry_attachments(step["steps"], partner["steps"])
        if extra:
            carried[mine] = step | extra
    return carried


def pair(new: list[JSON], old: list[JSON]) -> Iterator[tuple[int, int]]:
    """Indexes (new, old) of steps that are the same one: equal texts in sequence, else moved, else alike."""
    mine, theirs = [_identity(step) for step in new], [_identity(step) for step in old]
    left: set[int] = set(range(len(new)))
    free: set[int] = set(range(len(old)))
    for block in SequenceMatcher(None, mine, theirs, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            yield block.a + offset, block.b + offset
            left.discard(block.a + offset)
            free.discard(block.b + offset)
    waiting: dict[str, list[int]] = {}
    for at in sorted(free, reverse=True):
        waiting.setdefault(theirs[at], []).append(at)
    for at in sorted(left):
        if waiting.get(mine[at]):
            partner = waiting[mine[at]].pop()
            yield at, partner
            left.discard(at)
            free.discard(partner)
    for at in sorted(left):
        likely = max(free, key=lambda b: (_likeness(mine[at], theirs[b]), -abs(b - at)), default=None)
        if likely is not None and _likeness(mine[at], theirs[likely]) >= LIKELY:
            yield at, likely
            free.discard(likely)


def _identity(step: JSON) -> str:
    return f"shared {step['shared']}" if "shared" in step else normal_text(step.get("action"))


def _likeness(one: str, other: str) -> float:
    from rapidfuzz.fuzz import ratio

    return float(ratio(one, other)) / 100


def _has_files(step: JSON) -> bool:
    return bool(step.get("attachments")) or any(_has_files(nested) for nested in step.get("steps") or ())
