"""The steps of Qase's JSON export: nested ones, shared ones, gherkin."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from qase_iac.attributes import normal_text
from qase_iac.config.layout import Keys, Named
from qase_iac.config.writer import WritableObject
from qase_iac.convert.forms import NO_ACTION
from qase_iac.convert.reading import Source
from qase_iac.values import JSON

MAX_STEP_DEPTH = 40
_HASHES = ("shared_step_hash", "shared_hash", "shared", "shared_step")
_EXPECTED = ("expected_result", "expected")
_TEXTS = ("action", "value", "data", *_EXPECTED)
_SILENT = ("position", "id", "hash", "shared_step_nested_hash", "shared_step_title")
_KNOWN = frozenset(("steps", "attachments", *_TEXTS, *_SILENT, *_HASHES))

Step = JSON
"""A text, or a mapping, as YAML has it."""


@dataclass
class StepReader:
    """Reads steps; the shared ones that it meets become objects of their own."""

    source: Source
    shared: dict[str, tuple[str, list[Step]]] = field(default_factory=dict)
    objects: list[WritableObject] = field(default_factory=list)
    _keys: Keys = field(default_factory=Keys)

    def declare(self, hash: str, title: str, steps: list[Step]) -> str:
        """A shared step: its key."""
        key = self._keys.give(Named(hash, title, "shared-step"))
        self.shared[hash] = key, steps
        self.objects.append(WritableObject("shared_step", key, {"title": title, "steps": steps}))
        return key

    def steps(self, entity: dict[str, Any], where: str, depth: int = 0) -> list[Step]:
        """The steps of a case or of a step."""
        if depth > MAX_STEP_DEPTH:
            self.source.problem(where, f"steps are nested more than {MAX_STEP_DEPTH} levels deep.")
            return []
        value = entity.get("steps")
        if isinstance(value, str):
            return [value] if normal_text(value) else []
        found: list[Step] = []
        for hash, rows in _runs(self.source.items(entity, "steps", where)):
            read = [step for at, row in rows if (step := self._step(row, f"{where}.steps[{at}]", depth)) is not None]
            found += read if hash is None else self._references(hash, rows[0][1], read, where)
        return found

    def _step(self, row: JSON, where: str, depth: int) -> Step | None:
        if row is None:
            return None
        if not isinstance(row, dict):
            return self._bare(row, where)
        self.source.unknown(row, _KNOWN, "step")
        texts = {"action": self._first(row, ("action", "value"), where), "data": self.source.text(row, "data", where)}
        texts["expected"] = self._first(row, _EXPECTED, where)
        step: dict[str, JSON] = {name: text for name, text in texts.items() if normal_text(text)}
        if nested := self.steps(row, where, depth + 1):
            step["steps"] = nested
        note_attachments(self.source, row, where)
        if not step:
            if not _hash(row):
                self.source.notes.add("empty steps, left out", where)
            return None
        if "action" not in step:
            self.source.notes.add(f"steps without an action, now called {NO_ACTION!r}", where)
            step = {"action": NO_ACTION, **step}
        return step["action"] if len(step) == 1 else step

    def _bare(self, row: JSON, where: str) -> Step | None:
        text = self.source.text({"step": row}, "step", where)
        return text if normal_text(text) else None

    def _first(self, row: dict[str, Any], names: Iterable[str], where: str) -> str:
        return next((text for name in names if (text := self.source.text(row, name, where))), "")

    # --- shared steps: n rows that carry one hash are one reference (the API serves them so)

    def _references(self, hash: str, first: dict[str, Any], steps: list[Step], where: str) -> list[Step]:
        if hash not in self.shared:
            if not steps:
                self.source.notes.add("a shared step that the file does not hold, now a step that names it", hash)
                return [f"Shared step {hash}"]
            title = _title_of(first) or _action(steps[0])
            one = _period(steps)
            self.declare(hash, " ".join(title.split())[:255], one)
        key, own = self.shared[hash]
        if not steps:
            return [{"shared": key}]
        times, rest = divmod(len(steps), len(own) or 1)
        if rest == 0 and steps == own * times:
            return [{"shared": key} for _ in range(times)]
        self.source.notes.add("a shared step says other things here than elsewhere, so its steps were copied", where)
        return steps


def _runs(rows: list[JSON]) -> list[tuple[str | None, list[tuple[int, Any]]]]:
    """Rows with their positions, neighbours of one hash together; every row without a hash alone."""
    runs: list[tuple[str | None, list[tuple[int, Any]]]] = []
    for at, row in enumerate(rows):
        hash = _hash(row)
        if hash is not None and runs and runs[-1][0] == hash:
            runs[-1][1].append((at, row))
        else:
            runs.append((hash, [(at, row)]))
    return runs


def _hash(row: JSON) -> str | None:
    if not isinstance(row, dict):
        return None
    for name in _HASHES:
        value = row.get(name)
        if isinstance(value, dict):
            value = value.get("hash") or value.get("id") or value.get("title")
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


def _title_of(row: dict[str, Any]) -> str:
    inner = row.get("shared_step")
    title = row.get("shared_step_title") or (inner.get("title") if isinstance(inner, dict) else "")
    return title if isinstance(title, str) else ""


def _action(step: Step) -> str:
    return str(step if isinstance(step, str) else step["action"])


def _period(steps: list[Step]) -> list[Step]:
    """The shortest beginning that, repeated, gives all the steps: two references side by side look like that."""
    for length in range(1, len(steps)):
        if len(steps) % length == 0 and steps == steps[:length] * (len(steps) // length):
            return steps[:length]
    return steps


def gherkin(source: Source, case: dict[str, Any], where: str) -> str:
    """The scenario of a case whose steps are gherkin."""
    for name in ("gherkin", "steps"):
        if isinstance(case.get(name), str):
            return source.text(case, name, where)
    lines = []
    for row, place in source.objects(case, "steps", where):
        lines.append(source.text(row, "action", place) or source.text(row, "value", place))
    return "\n".join(line for line in lines if line)


def note_attachments(source: Source, entity: dict[str, Any], where: str) -> None:
    """Attachments are addresses in an export; there is no file that could be uploaded."""
    for item in source.items(entity, "attachments", where):
        found = item if isinstance(item, dict) else {"url": item}
        name = found.get("url") or found.get("full_path") or found.get("filename") or found.get("hash")
        what = "attachments are only addresses in the export: download them and list them under `attachments:`"
        source.notes.add(what, f"{where}: {name}")
