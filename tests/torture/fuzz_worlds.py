"""The project folders that the fuzzer damages, each with an emulator in memory and everything that a reader reads."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e_kit import HOLDER, Folder, run_cli
from scenario.rich_project import FILES, SEED

from qase_iac.api.transports import SystemClock
from qase_iac.emulator import create_app
from qase_iac.emulator.app import App
from qase_iac.workflow.session import Session

CATALOGUE, PLANFILE, SEED_FILE, EXPORT = "catalogue.yaml", "plan.json", "seed.yaml", "export.json"
STATE, JOURNAL, NOTE = (f".qase-iac/SHOP@emulator.{ending}" for ending in ("json", "journal", "lock.holder"))

SAMPLE: dict[str, Any] = {
    "suites": [{
        "id": 1, "title": "Checkout", "description": "All\nof it", "preconditions": None,
        "suites": [{"id": 2, "title": "Cards", "suites": [], "cases": [{"id": 7, "title": "Pay", "milestone": "R1"}]}],
        "cases": [{
            "id": 5, "title": "Pay", "description": " x \r\n", "priority": "high", "severity": "blocked", "type": "functional",
            "behavior": "undefined", "layer": "e2e", "status": "actual", "automation": "is-not-automated", "is_flaky": "yes",
            "is_muted": "no", "milestone": "R1", "tags": ["b", "a", "b"], "params": {"currency": ["EUR", "no"]},
            "custom_fields": [{"id": 3, "title": "Component", "value": "Cart"}, {"title": "Empty", "value": ""}], "steps_type": "classic",
            "steps": [{"position": 1, "action": "Open", "expected_result": "", "data": None, "steps": []},
                      {"action": "Pay: now", "expected_result": "| a |", "steps": [{"action": "Nested"}], "shared": "abc"}],
        }],
    }],
    "milestones": [{"id": 1, "title": "R1", "due_date": 1700000000}],
    "shared_steps": [{"hash": "a" * 40, "title": "Sign in", "steps": [{"action": "Go"}]}],
}  # fmt: skip


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A folder `root` below `top`; `files` and `cache` are its bytes before any damage, `app` what Qase holds."""

    top: Path
    app: App
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.top / "shop"

    def remember(self) -> World:
        self.files = contents(self.top)
        return self

    def reset(self) -> None:
        """Every file as it was, and no other."""
        for name in contents(self.top).keys() - self.files.keys():
            (self.top / name).unlink()
        shutil.rmtree(self.root / "out", ignore_errors=True)
        for name, data in self.files.items():
            path = self.top / name
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)

    def emulator(self) -> App:
        """A copy of Qase, to be written to."""
        ticks = itertools.count(1800000000)
        return App(self.app.store.copy(), self.app.settings, tokens={}, rate_limit=0, strict=True, dialect="today",
                   clock=lambda: float(next(ticks)), control=False)  # fmt: skip


def contents(top: Path) -> dict[str, bytes]:
    """Every file below a folder, but for locks."""
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            if not name.endswith(".lock"):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    found[os.path.relpath(path, top)] = file.read()
    return found


def surroundings(patch: pytest.MonkeyPatch, top: Path) -> None:
    """No variable of ours, no cache but one below `top`, no waiting, and errors of ours come through."""
    for name in [name for name in os.environ if name.startswith("QASE")]:
        patch.delenv(name)
    patch.setenv("XDG_CACHE_HOME", str(top / "cache"))
    patch.setenv("QASE_IAC_DEBUG", "1")
    now = itertools.count()
    patch.setattr(SystemClock, "sleep", lambda self, seconds: None)
    patch.setattr(SystemClock, "now", lambda self: float(next(now)))


def settled(top: Path) -> World:
    """A project that is applied, with edits that are planned and saved, words remembered, and two caches."""
    world = _applied(top)
    _edit(world.root)
    with pytest.MonkeyPatch.context() as patch:
        surroundings(patch, top)
        patch.setattr(Session, "_own_emulator", lambda self: world.app)
        assert run_cli("-C", world.root, "validate", "--online", "--remember").code == 0
        for _ in range(2):  # the second run writes nothing new
            assert run_cli("-C", world.root, "plan", "-o", PLANFILE).code == 0
    note = {"user": HOLDER.user, "host": HOLDER.host, "pid": HOLDER.pid, "time": HOLDER.time, "command": HOLDER.command}
    (world.root / NOTE).write_text(json.dumps(note))
    (world.root / EXPORT).write_text(json.dumps(SAMPLE))
    return world.remember()


def interrupted(top: Path) -> World:
    """The same, killed in the midst of the apply that followed: its journal holds done, failed and open calls."""
    world = _applied(top)
    _edit(world.root)
    seen, kept = itertools.count(1), top / "kept"

    def dying(environ: Any, start_response: Any) -> Any:
        write = (environ["REQUEST_METHOD"] != "GET" and next(seen)) or 0
        answer = world.app(environ, start_response)
        if write == 6:
            shutil.copytree(world.root / ".qase-iac", kept)
            raise Killed
        return answer

    with pytest.raises(Killed):
        Folder(world.root, dying).apply()  # type: ignore[arg-type]
    shutil.rmtree(world.root / ".qase-iac")
    shutil.move(kept, world.root / ".qase-iac")
    return world.remember()


def seeded(top: Path) -> World:
    """A project whose emulator starts from a seed file of its own."""
    world = World(top, create_app(strict=True))
    Folder(_made(world.root), world.app).write(FILES)
    settings = (
        (world.root / "qase.yaml").read_text().replace("url: emulator", 'url: "emulator::memory:", seed: seed.yaml')
    )
    (world.root / "qase.yaml").write_text(settings)
    projects = {"projects": [{"code": "SHOP", "title": "Shop"}], "tokens": {}}
    (world.root / SEED_FILE).write_text(yaml.safe_dump({**SEED, **projects}, sort_keys=False, allow_unicode=True))
    return world.remember()


def _applied(top: Path) -> World:
    ticks = itertools.count(1795392000)
    world = World(top, create_app(seed=SEED, strict=True, clock=lambda: float(next(ticks))))
    Folder(_made(world.root), world.app).write(FILES).applied()
    return world


def _edit(root: Path) -> None:
    folder = Folder(root, None)  # type: ignore[arg-type]
    folder.edit("checkout/cases.yaml", "title: Pay by invoice", "title: Pay by an invoice")
    folder.edit("checkout/cases.yaml", "  twin:\n    title: Twin\n    steps: [One]\n", "")
    folder.edit("root.yaml", "suite: checkout/vouchers,", "suite: people,")
    folder.edit(
        "root.yaml",
        "  home-page:",
        "  new: {title: New, steps: [Look]}\n  newer: {title: Newer, attachments: [img/new.png]}\n  home-page:",
    )
    folder.edit("milestones.yaml", "Release 2.0", "Release 2.1")
    folder.edit("steps.yaml", "[Look around]", "[Look, Look again]")
    folder.write({"img/new.png": b"new"})


def _made(root: Path) -> Path:
    root.mkdir(parents=True)
    return root
