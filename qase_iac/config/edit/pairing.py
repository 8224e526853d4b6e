"""Which item of an old list became which of a new one; and what values say, whatever way they are written."""

from __future__ import annotations

import json
from difflib import SequenceMatcher

from qase_iac.attributes.steps import STEP_KEYS
from qase_iac.attributes.text import normal_text
from qase_iac.config.dump import dump_inline
from qase_iac.values import JSON

_PAIRINGS = 4000
"""Above so many comparisons changed items are paired by their order."""


def said(value: JSON) -> JSON:
    """What a value says, whatever way it is written."""
    if isinstance(value, dict):
        return {name: said(each) for name, each in value.items()}
    if isinstance(value, list):
        return [said(each) for each in value]
    return value if value is None or isinstance(value, str) else dump_inline(value)


def paired(old: list[JSON], new: list[JSON]) -> list[tuple[int | None, int | None]]:
    """(old place, new place) in order; None on one side for what is gone or new. Equal items first, then like ones."""
    matcher = SequenceMatcher(None, [identity(each) for each in old], [identity(each) for each in new], False)
    found: list[tuple[int | None, int | None]] = []
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found += zip(range(a, b), range(c, d), strict=True)
        else:
            found += _likely(old[a:b], new[c:d], a, c)
    return found


def _likely(old: list[JSON], new: list[JSON], a: int, c: int) -> list[tuple[int | None, int | None]]:
    """Changed items, paired so that the pairs are most alike."""
    rows, columns = len(old), len(new)
    like = _likeness(old, new)
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + like[i][j])
    i = j = 0
    found: list[tuple[int | None, int | None]] = []
    while i < rows or j < columns:
        if i < rows and j < columns and best[i][j] == best[i + 1][j + 1] + like[i][j]:
            found.append((a + i, c + j))
            i, j = i + 1, j + 1
        elif j == columns or (i < rows and best[i][j] == best[i + 1][j]):
            found.append((a + i, None))
            i += 1
        else:
            found.append((None, c + j))
            j += 1
    return found


def _likeness(old: list[JSON], new: list[JSON]) -> list[list[float]]:
    if len(old) * len(new) > _PAIRINGS:
        return [[float(i == j) for j in range(len(new))] for i in range(len(old))]
    from rapidfuzz import fuzz  # only changed lists need it

    words = [identity(each)[:500] for each in new]
    return [[0.1 + fuzz.ratio(identity(each)[:500], word) / 100 for word in words] for each in old]


def identity(value: JSON) -> str:
    """Equal for items that say the same: a step as text or mapping, its outer white space aside."""
    if isinstance(value, dict) and value.keys() & set(STEP_KEYS):
        value = {name: each for name, each in value.items() if each not in (None, "", [])}
        if value.keys() == {"action"}:
            value = value["action"]
    value = (
        {n: normal_text(v) if isinstance(v, str) else v for n, v in value.items()} if isinstance(value, dict) else value
    )
    return json.dumps(said(normal_text(value) if isinstance(value, str) else value), sort_keys=True, ensure_ascii=False)
