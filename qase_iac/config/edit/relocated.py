"""What a suite's move changes in what names it: keys, patterns, paths. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from qase_iac.config.writer import FilePath
from qase_iac.values import JSON, Address, ref_address

FILES = "attachments"


@dataclass(frozen=True)
class Relocated:
    """What a move did: old address -> new one; old folder -> new one; address -> attributes that read differently now,
    since other folders' defaults count: to be said there, or to be taken as they are."""

    renamed: dict[Address, Address] = field(default_factory=dict)
    folder: tuple[str, str] | None = None
    differing: dict[Address, set[str]] = field(default_factory=dict)

    def path(self, path: str) -> str:
        """Where a file of the project folder is by now."""
        if self.folder and path.startswith(self.folder[0] + "/"):
            return self.folder[1] + path[len(self.folder[0]) :]
        return path


def followed(rules: JSON, old: str, keys: dict[str, str]) -> JSON:
    """The rules with every pattern on suites that names the old key naming the new one."""
    if not isinstance(rules, dict) or "suites" not in rules:
        return rules
    new = keys.get(old, old)
    said = rules["suites"]

    def pattern(text: JSON) -> JSON:
        if not isinstance(text, str):
            return text
        return new + text[len(old) :] if text == old or text.startswith(old + "/") else text

    return {**rules, "suites": [pattern(each) for each in said] if isinstance(said, list) else pattern(said)}


def renamed(value: JSON, done: Relocated) -> JSON:
    target = ref_address(value) if isinstance(value, dict) else None
    return {"address": str(done.renamed.get(Address.parse(target), target))} if target else value


def relocated(value: JSON, folder: str, done: Relocated, files: bool) -> JSON:
    """A written value whose paths, relative to `folder`, are as they will be; `files`: its texts are paths."""
    if files and isinstance(value, str):
        return FilePath(done.path(os.path.normpath(os.path.join("/", folder, value)).lstrip("/")))
    if isinstance(value, dict):
        return {name: relocated(each, folder, done, files or name == FILES) for name, each in value.items()}
    return [relocated(each, folder, done, files) for each in value] if isinstance(value, list) else value
