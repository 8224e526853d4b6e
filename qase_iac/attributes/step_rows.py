"""Steps as Qase writes and serves them: rows, with a shared step's rows among them."""

from __future__ import annotations

from typing import Any

from qase_iac.attributes.base import Decoding
from qase_iac.attributes.refs import read_attachments
from qase_iac.attributes.text import normal_text
from qase_iac.values import JSON

STEP_TEXTS = {"action": "action", "data": "data", "expected": "expected_result"}
"""YAML name -> name at the API, in the order in which people read them."""


def canonical_step(step: dict[str, JSON]) -> dict[str, JSON]:
    """A step with texts normalised and empty parts left out."""
    if "shared" in step:
        return {"shared": step["shared"]}
    canonical: dict[str, JSON] = {}
    for name in STEP_TEXTS:
        text = step.get(name)
        if text and (text := normal_text(text)):
            canonical[name] = text
    if step.get("attachments"):
        canonical["attachments"] = step["attachments"]
    if step.get("steps"):
        canonical["steps"] = [canonical_step(nested) for nested in step["steps"]]
    return canonical


def encode_step(step: dict[str, JSON]) -> dict[str, JSON]:
    """Write form: `shared` alone, or texts under the API's names; empty parts are left out (section 7.4)."""
    if "shared" in step:
        return {"shared": step["shared"]}
    body = {theirs: step[ours] for ours, theirs in STEP_TEXTS.items() if step.get(ours)}
    if step.get("attachments"):
        body["attachments"] = list(step["attachments"])
    if step.get("steps"):
        body["steps"] = [encode_step(nested) for nested in step["steps"]]
    return body


def decode_step(row: dict[str, Any], context: Decoding) -> dict[str, JSON]:
    """A row that is no reference, as a step."""
    step: dict[str, JSON] = {}
    for ours, theirs in STEP_TEXTS.items():
        if row.get(theirs):
            step[ours] = row[theirs]
    if row.get("attachments"):
        step["attachments"] = read_attachments(row["attachments"], context)
    if row.get("steps"):
        step["steps"] = decode_rows(row["steps"], context)
    return step


def decode_rows(rows: list[dict[str, Any]], context: Decoding) -> list[JSON]:
    """Rows as served -> steps, with the rows of each shared step folded into one reference (section 7.4).

    A shared step of n steps is served as n rows that carry its hash; so many are folded as its own steps repeat.
    With a hash that the list of shared steps does not show, a run of rows becomes one reference, and the hash is
    noted: two references side by side cannot be told from one.
    """
    steps: list[JSON] = []
    position = 0
    while position < len(rows):
        row = rows[position]
        hash = row.get("shared_step_hash")
        if not hash:
            steps.append(decode_step(row, context))
            position += 1
            continue
        position += _rows_of_reference(rows, position, hash, context)
        steps.append({"shared": hash})
    return steps


def _rows_of_reference(rows: list[dict[str, Any]], start: int, hash: str, context: Decoding) -> int:
    """How many rows from `start` on belong to one reference to the shared step `hash`."""
    end = start
    while end < len(rows) and rows[end].get("shared_step_hash") == hash:
        end += 1
    actions = context.shared_rows.get(hash)
    if actions is None:
        if end - start > 1:
            context.unknown_shared.add(hash)
        return end - start
    # Nested children may be served flat, marked as such: they belong to the row before them.
    tops = [at for at in range(start, end) if not rows[at].get("shared_step_nested_hash")]
    wanted = len(actions)
    served = [rows[at].get("action") or "" for at in tops[:wanted]]
    if wanted and [normal_text(a) for a in served] == [normal_text(a) for a in actions]:
        return (tops[wanted] if len(tops) > wanted else end) - start
    return (tops[1] if len(tops) > 1 else end) - start
