"""The state: which object in Qase each address is, and what was sent to and served for it last.

It is a rebuildable record, never a single point of failure. It belongs to one API and one project.

    {"format": 1, "tool": "qase-iac 0.1.0", "lineage": "…", "serial": 4, "project": "SHOP", "api": "https://…/v1",
     "bindings": {"case.pay-by-card": {"id": 41, "sent": {…}, "served": {…}, "protect": true,
                  "depends_on": ["suite.checkout"], "meta": {…}, "unsupported": {…}}},
     "files": {"<sha256>": {"hash": "…", "name": "card.png", "size": 123}},
     "moved": ["case.pay -> case.pay-by-card"], "applied": ["sha256:…"], "seen": {"case": 5059}, "workspace": {…}}
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any

from qase_iac.values import JSON, Attributes, RemoteId

FORMAT = 1


@dataclass
class Binding:
    """One address and its object.

    `sent` maps attribute -> bound value as last sent (or found equal); `served` only those that Qase serves
    differently (normalised text, say): the same served again is no drift. `depends_on` are the addresses that the
    YAML referred to, `ignore` what it left to others (`ignore_changes`): kept, since at delete the YAML is gone.
    `meta` vouches for what lists do not show (a plan's `updated_at` and `cases_count`). `unsupported` maps attribute
    -> value that the server would not take.
    """

    id: RemoteId
    sent: Attributes = field(default_factory=dict)
    served: Attributes = field(default_factory=dict)
    protect: bool = False
    depends_on: list[str] = field(default_factory=list)
    ignore: list[str] = field(default_factory=list)
    meta: Attributes = field(default_factory=dict)
    unsupported: Attributes = field(default_factory=dict)

    def last_served(self, name: str, default: JSON = None) -> JSON:
        """What Qase held for the attribute after the last apply."""
        return self.served[name] if name in self.served else self.sent.get(name, default)

    def to_json(self) -> dict[str, JSON]:
        row: dict[str, JSON] = {"id": self.id, "sent": self.sent}
        for name in ("served", "protect", "depends_on", "ignore", "meta", "unsupported"):
            if value := getattr(self, name):
                row[name] = value
        return row


@dataclass
class State:
    """See the module's docstring. `lineage` "" and `serial` 0 mean that there is none yet.

    `seen` is what there was in Qase when the last apply read it (journal.py): what is newer appeared since.
    `workspace` are the words of Qase that the values are in (apply/workspace.py); nothing is planned or written by it.
    `pulled` are bindings of what a pull is about to declare in the files. Nobody reads them but `take_up`.
    """

    lineage: str = ""
    serial: int = 0
    project: str = ""
    api: str = ""
    tool: str = ""
    bindings: dict[str, Binding] = field(default_factory=dict)
    files: dict[str, dict[str, JSON]] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    applied: list[str] = field(default_factory=list)
    seen: dict[str, JSON] = field(default_factory=dict)
    workspace: dict[str, JSON] = field(default_factory=dict)
    pulled: dict[str, Binding] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        return bool(self.lineage)

    def bound_ids(self, kind: str) -> dict[RemoteId, str]:
        """id -> address of everything of that kind that is bound."""
        prefix = kind + "."
        return {b.id: address for address, b in self.bindings.items() if address.startswith(prefix)}

    def take_up(self, declared: Container[str]) -> None:
        """Binds what a pull had written into the files when it was cut off, so that nobody creates it once more.

        What the files do not declare, on this machine, stays noted: it may be declared by a commit that is to come.
        """
        for address, binding in self.pulled.items():
            taken = address in self.bindings or binding.id in self.bound_ids(address.partition(".")[0])
            if address in declared and not taken:
                self.bindings[address] = binding

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "tool": self.tool,
            "lineage": self.lineage,
            "serial": self.serial,
            "project": self.project,
            "api": self.api,
            "bindings": {address: binding.to_json() for address, binding in sorted(self.bindings.items())},
            "files": dict(sorted(self.files.items())),
            "moved": self.moved,
            "applied": self.applied,
            "seen": self.seen,
            **({"workspace": self.workspace} if self.workspace else {}),
            **({"pulled": {a: each.to_json() for a, each in sorted(self.pulled.items())}} if self.pulled else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> State:
        """Raises ValueError, KeyError or TypeError when `data` is not what `to_json` makes."""
        if data["format"] != FORMAT:
            raise ValueError(f"state format {data['format']!r} is not {FORMAT}: made by another version of qase-iac")
        state = cls(
            lineage=data["lineage"],
            serial=data["serial"],
            project=data["project"],
            api=data["api"],
            tool=data.get("tool", ""),
            bindings={address: Binding(**row) for address, row in data["bindings"].items()},
            files={sha: dict(entry) for sha, entry in data.get("files", {}).items()},
            moved=data.get("moved", []),
            applied=data.get("applied", []),
            seen=dict(data.get("seen", {})),
            workspace=dict(data.get("workspace", {})),
            pulled={address: Binding(**row) for address, row in data.get("pulled", {}).items()},
        )
        state._check()
        return state

    def _check(self) -> None:
        if not is_texts([self.lineage, self.project, self.api, self.tool]) or not is_serial(self.serial):
            raise ValueError("lineage, serial, project, api or tool is not one of ours")
        if not (is_texts(self.moved) and is_texts(self.applied) and is_seen(self.seen)):
            raise ValueError("moved, applied or seen is not one of ours")
        for entry in self.files.values():
            if not is_file_entry(entry):
                raise ValueError("an entry of files is not one of ours")


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_serial(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_seen(value: Any) -> bool:
    """Whether a value is kind -> highest id or list of hashes, as journal.py says."""
    return isinstance(value, dict) and all(is_serial(each) or is_texts(each) for each in value.values())


def is_file_entry(entry: Any) -> bool:
    """Whether a value says which hash Qase gave a file, and which others of the same content it has."""
    return isinstance(entry.get("hash"), str) and is_texts(entry.get("also", []))
