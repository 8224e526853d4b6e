"""The inside of a changed structured value (parameters, say), spelled out by DeepDiff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qase_iac.render.textdiff import Line
from qase_iac.render.words import inline
from qase_iac.values import JSON, printable

MAX_SIZE = 50_000
"""Characters of JSON on both sides together, beyond which the two values are shown whole instead."""


def spell_out(before: JSON, after: JSON, depth: int) -> Iterator[Line]:
    """One line for each difference inside, by path."""
    old, new = _named(before), _named(after)
    if type(old) is not type(new):
        old, new = before, after
    found = sorted(_differences(old, new)) if _fits(old, new) else []
    if not found:
        yield Line("-", inline(before), depth)
        yield Line("+", inline(after), depth)
        return
    for path, mark, text in found:
        yield Line(mark, f"{path}: {text}" if path else text, depth)


def _fits(old: JSON, new: JSON) -> bool:
    return type(old) is type(new) and len(json.dumps([old, new])) <= MAX_SIZE


def _named(value: JSON) -> JSON:
    """[{a: …}, {b: …}] as {a: …, b: …}: single parameters are told by their name, not by their place."""
    if not isinstance(value, list) or not all(isinstance(item, dict) and len(item) == 1 for item in value):
        return value
    merged = {name: inner for item in value for name, inner in item.items()}
    return merged if len(merged) == len(value) else value


def _differences(old: JSON, new: JSON) -> Iterator[tuple[str, str, str]]:
    """(path, mark, text) of each difference."""
    from deepdiff import DeepDiff

    for category, items in DeepDiff(old, new, view="tree").items():
        for item in items:
            path = _path(item.path(output_format="list"))
            if category.endswith("_added"):
                yield path, "+", inline(item.t2)
            elif category.endswith("_removed"):
                yield path, "-", inline(item.t1)
            else:
                yield path, " ", f"{inline(item.t1)} → {inline(item.t2)}"


def _path(keys: list[Any]) -> str:
    """["currency", 1] -> "currency": the place in a list of values says little."""
    if keys and isinstance(keys[-1], int):
        keys = keys[:-1]
    return "".join(f"[{key + 1}]" if isinstance(key, int) else f".{printable(str(key))}" for key in keys).lstrip(".")
