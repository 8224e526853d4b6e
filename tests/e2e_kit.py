"""What end-to-end tests share: a project folder, an emulator behind it, and the command line in this process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from qase_iac.cli.main import _run
from qase_iac.emulator import App, Logged
from qase_iac.plan.model import Change, Options, Plan
from qase_iac.state.lock import Holder
from qase_iac.workflow.applying import Doing, Outcome, apply_fresh, apply_saved
from qase_iac.workflow.exporting import Exported, export
from qase_iac.workflow.planning import make_plan
from qase_iac.workflow.session import Ask, Session, World

REPO = Path(__file__).resolve().parent.parent
HOLDER = Holder("ann", "here", 1, "2026-11-23T00:00:00Z", "pytest")
PLANNER_ONLY = {
    "select",
    "exclude",
    "changed_since",
    "deletes",
    "allow_deletes",
    "allow_recreate",
    "new_state",
    "destroy",
}
POLICIES = {"on_drift", "on_conflict"}


def sections(**content: Any) -> str:
    """A content file out of Python values."""
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def qase_yaml(**settings: Any) -> str:
    return sections(**{"project": "SHOP", "title": "Shop", "create": True, "api": {"url": "emulator"}, **settings})


@dataclass
class Folder:
    """A project folder at `root`, with the emulator `app` behind its `api.url: emulator`."""

    root: Path
    app: App
    environment: Mapping[str, str] = field(default_factory=dict)
    cache: Path | None = None

    # -- files -------------------------------------------------------------------------------------------------

    def write(self, files: Mapping[str, str | bytes]) -> Folder:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                path.write_text(content, encoding="utf-8")
        return self

    def edit(self, name: str, old: str, new: str) -> Folder:
        """Replaces what must stand in the file exactly once."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
        (self.root / name).write_text(text.replace(old, new), encoding="utf-8")
        return self

    def remove(self, *names: str) -> Folder:
        for name in names:
            (self.root / name).unlink()
        return self

    @property
    def state_path(self) -> Path:
        (path,) = (p for p in (self.root / ".qase-iac").glob("*@*.json"))
        return path

    @property
    def state(self) -> dict[str, Any]:
        return json.loads(self.state_path.read_text(encoding="utf-8"))

    def id_of(self, address: str) -> Any:
        return self.state["bindings"][address]["id"]

    # -- runs --------------------------------------------------------------------------------------------------

    def session(self, **ask: Any) -> Session:
        world = World(
            environment=self.environment, app=self.app, cache_dir=self.cache, wall=lambda: 1795392000.0,
            random=lambda: 0.25,
        )  # fmt: skip
        return Session(Ask(self.root, **ask), world)

    def plan(self, **options: Any) -> Plan:
        session, chosen = self._options(options)
        planned = make_plan(session, chosen)
        planned.connection.close()
        return planned.plan

    def apply(self, verify: bool = False, on_event: Any = None, **options: Any) -> Outcome:
        session, chosen = self._options(options)
        return apply_fresh(session, chosen, Doing(HOLDER, on_event=on_event or (lambda event: None)), verify)

    def apply_saved(self, plan: Plan, **more: Any) -> Outcome:
        return apply_saved(self.session(), plan, Doing(HOLDER), **more)

    def applied(self, **options: Any) -> Folder:
        """After an apply that must succeed in full."""
        report = self.apply(**options).report
        assert report is not None and report.exit_code == 0, [o for o in report.operations if not o.done]
        return self

    def export(self, target: Path, layout: str = "suite") -> tuple[Exported, Folder]:
        exported = export(self.session(), target, layout)  # type: ignore[arg-type]
        return exported, Folder(target, self.app, self.environment)

    def _options(self, options: dict[str, Any]) -> tuple[Session, Options]:
        ask = {name: value for name, value in options.items() if name not in PLANNER_ONLY}
        chosen = {name: value for name, value in options.items() if name in PLANNER_ONLY | POLICIES}
        return self.session(**ask), Options(**chosen)

    # -- what the emulator saw ---------------------------------------------------------------------------------

    def writes(self) -> list[Logged]:
        return [entry for entry in self.app.requests if entry.method != "GET"]

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[Logged]]:
        """The requests made inside the block; filled when it ends."""
        before, seen = len(self.app.requests), []
        yield seen
        seen += self.app.requests[before:]

    def dump(self) -> dict[str, Any]:
        return self.app.dump("SHOP", normalised=True)


def by_address(plan: Plan) -> dict[str, Change]:
    return {change.address: change for change in plan.changes}


def actions(plan: Plan) -> dict[str, str]:
    """address -> action, `!CODE` behind it where it is blocked."""
    return {c.address: str(c.action) + (f" !{c.blocked.code}" if c.blocked else "") for c in plan.changes}


def edits(plan: Plan) -> dict[str, dict[str, str]]:
    """address -> attribute -> origin."""
    return {c.address: {name: str(a.origin) for name, a in c.attributes.items()} for c in plan.changes}


@dataclass
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def all(self) -> str:
        return self.out + self.err


def run_cli(*arguments: str | Path) -> Ran:
    """`qase-iac ARGUMENTS` in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = _run([str(each) for each in arguments])
    return Ran(code, *(stream.buffer.getvalue().decode("utf-8") for stream in (out, err)))  # type: ignore[attr-defined]


def run_program(*arguments: str | Path, env: Mapping[str, str] | None = None, **more: Any) -> Ran:
    """`python -m qase_iac ARGUMENTS` in a process of its own."""
    command = [sys.executable, "-m", "qase_iac", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_env(env), timeout=60, **more)
    return Ran(done.returncode, done.stdout, done.stderr)


def clean_env(env: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child: no variable of ours but those given."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("QASE") and k not in ("NO_COLOR", "FORCE_COLOR")}
    return {**kept, **(env or {})}
