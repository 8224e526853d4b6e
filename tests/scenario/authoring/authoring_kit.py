"""What the checks of the authoring format share: one folder, its answers, and places in its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from e2e_kit import Folder, Ran

from qase_iac.emulator.seed import apply_seed

ONE = "cases: {c: {title: C}}\n"
"""The smallest content."""


@dataclass
class Project:
    """A project folder and the program that is run on it."""

    folder: Folder
    cli: Callable[..., Ran]

    def run(self, *arguments: str) -> Ran:
        return self.cli("-C", self.folder.root, *arguments)

    # -- validate

    def problems(self, *arguments: str) -> list[dict[str, Any]]:
        """What `validate` finds; the exit code must fit, and so must the keys of the contract."""
        ran = self.run("validate", "--format", "json", *arguments)
        found = ran.json
        assert not ran.err
        for each in found["diagnostics"]:
            assert {"code", "severity", "summary", "detail", "file", "line", "column"} <= each.keys(), each
        errors = any(each["severity"] == "error" for each in found["diagnostics"])
        assert (ran.code, found["valid"]) == ((3, False) if errors else (0, True)), found
        return list(found["diagnostics"])

    def codes(self) -> list[str]:
        return [each["code"] for each in self.problems()]

    def problem(self) -> dict[str, Any]:
        """The only one."""
        (found,) = self.problems()
        return found

    def valid(self) -> Project:
        assert self.problems() == []
        return self

    # -- plan and apply

    def plan(self, *arguments: str) -> dict[str, Any]:
        ran = self.run("plan", "--format", "json", *arguments)
        assert ran.code == 0, ran.all
        return dict(ran.json)

    def changes(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """address -> change."""
        return {each["address"]: each for each in self.plan(*arguments)["changes"]}

    def actions(self, *arguments: str) -> dict[str, str]:
        """address -> action, with the code of what blocks it."""
        return {
            address: each["action"] + (f" !{each['blocked']['code']}" if each.get("blocked") else "")
            for address, each in self.changes(*arguments).items()
        }

    def sent(self, address: str) -> dict[str, Any]:
        """attribute -> value that the plan would send for one object."""
        return {name: each["after"] for name, each in self.changes()[address]["attributes"].items()}

    def apply(self, *arguments: str, code: int = 0) -> Project:
        ran = self.run("apply", "--auto-approve", *arguments)
        assert ran.code == code, ran.all
        return self

    def settled(self) -> Project:
        """After an apply that leaves nothing to do."""
        self.apply()
        assert self.actions() == {}
        return self

    def refused(self, *arguments: str) -> Ran:
        """A run that must not reach the API."""
        before = len(self.folder.app.requests)
        ran = self.run(*arguments)
        assert ran.code not in (0, 2), ran.all
        assert len(self.folder.app.requests) == before
        return ran

    def refused_online(self, *arguments: str) -> Ran:
        """A run that may read and must not write."""
        before = len(self.folder.writes())
        ran = self.run(*arguments)
        assert ran.code not in (0, 2), ran.all
        assert len(self.folder.writes()) == before
        return ran

    # -- files and the other side

    def write(self, files: dict[str, str | bytes] | str) -> Project:
        self.folder.write({"cases.yaml": files} if isinstance(files, str) else files)
        return self

    def seed(self, **seed: Any) -> Project:
        """Gives the workspace custom fields, option lists, members (qase_iac/emulator/seed.py)."""
        app = self.folder.app
        with app.store.transaction(write=True):
            apply_seed(app.context(), seed)
        return self

    def live(self, address: str) -> dict[str, Any]:
        """The object in Qase, as the emulator holds it."""
        kind, id = address.partition(".")[0], self.folder.id_of(address)
        return next(
            each for each in self.folder.app.dump("SHOP")[LISTS[kind]] if id in (each.get("id"), each.get("hash"))
        )


LISTS = {"case": "cases", "suite": "suites", "milestone": "milestones", "shared_step": "shared_steps", "plan": "plans"}


def place(problem: dict[str, Any]) -> tuple[str, str, int, int]:
    return problem["code"], problem["file"], problem["line"], problem["column"]
