"""Everything that a team has, on one machine: a git server, Qase, a forge that takes comments, CI, developers."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import yaml
from ci_endpoints import Forge, User
from e2e_kit import REPO, Folder
from stores_kit import clean_git, git
from torture.stand import Gate

from ci_player.events import Event, Events
from ci_player.hosting import Hosting
from ci_player.workflows import WORKFLOWS, GitHub, Run
from qase_iac.emulator import create_app, start_server

REPOSITORY = "acme/shop"
TOKEN = "qase-t0ken-of-acme"
SECRETS = {"QASE_TESTOPS_API_TOKEN": TOKEN}
SHIPPED = REPO / "examples" / "ci" / "github"
FOLDER = "qase"


def settings(url: str, code: str = "SHOP", **more: Any) -> str:
    """The qase.yaml of a team: Qase over HTTP, the state in the repository."""
    own = {"project": code, "title": code.title(), "create": True, "api": {"url": url, "rate_limit": 0}}
    return yaml.safe_dump({**own, "state": {"backend": "git"}, **more}, sort_keys=False)


class Developer:
    """Somebody with a clone of the repository."""

    def __init__(self, town: Town, name: str) -> None:
        self.town, self.name = town, name
        self.clone = town.root / name
        git(town.root, "clone", "-q", town.remote.as_uri(), str(self.clone))

    def git(self, *words: str) -> str:
        return git(self.clone, "-c", f"user.name={self.name}", *words)

    def branch(self, name: str) -> Developer:
        """A new branch off what main is now."""
        self.git("fetch", "-q", "origin")
        self.git("checkout", "-q", "-B", name, "origin/main")
        return self

    def write(self, files: Mapping[str, str]) -> Developer:
        for name, content in files.items():
            path = self.clone / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return self

    def edit(self, name: str, old: str, new: str) -> Developer:
        """Replaces what must stand in the file exactly once."""
        text = (self.clone / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name} holds {text.count(old)} times {old!r}"
        return self.write({name: text.replace(old, new)})

    def push(self, message: str = "Change tests") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "origin", "HEAD")
        return self.git("rev-parse", "HEAD").strip()


class Town:
    """`files` are on main from the beginning, the shipped workflows of those names beside them. `close` it."""

    def __init__(self, root: Path, *workflows: str, installed: bool = True) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._stack = ExitStack()
        self.hosting = Hosting(root / "srv")
        self._stack.callback(self.hosting.close)
        self.remote = self.hosting.create(REPOSITORY)
        self.forge = self._stack.enter_context(Forge(repository=REPOSITORY, users={}))
        self.gate = Gate()
        ticks = itertools.count(time.time())
        self.app = self.gate.app = create_app(strict=True, token=TOKEN, clock=lambda: next(ticks))
        self._stack.callback(self.app.close)
        self.qase = start_server(self.gate)  # type: ignore[arg-type]
        self._stack.callback(self.qase.stop)
        self.ci = GitHub(
            root / "ci", self.hosting, REPOSITORY, REPO, self.forge.url, secrets=SECRETS, installed=installed,
            forge_token=self._forge_token,
        )  # fmt: skip
        self.events = Events(self.hosting, REPOSITORY)
        self._numbers = itertools.count(1)
        self._pulls: dict[int, tuple[str, str | None]] = {}
        self._begin(workflows)

    def close(self) -> None:
        for run in self.ci.runs:
            run.cancelled = True
            for job in run.jobs.values():
                if job.machine is not None:
                    job.machine.kill()
        self._stack.close()

    def _begin(self, workflows: tuple[str, ...]) -> None:
        first = Developer.__new__(Developer)
        first.town, first.name, first.clone = self, "founder", self.root / "founder"
        git(self.root, "init", "-q", "-b", "main", str(first.clone))
        first.git("remote", "add", "origin", self.remote.as_uri())
        shipped = {
            f"{WORKFLOWS}/{name}.yml": (SHIPPED / f"{name}.yml").read_text(encoding="utf-8") for name in workflows
        }
        first.write({"README.md": "# Shop\n", ".gitignore": ".qase-iac/\n", **shipped}).push("Begin")
        self.founder = first

    def _forge_token(self, token: str, may: Mapping[str, str]) -> None:
        how = may.get("pull-requests", "none")
        if may:
            self.forge.users[token] = User(writes=how == "write", reads=how != "none")
        else:
            self.forge.users.pop(token, None)

    # -- people ----------------------------------------------------------------------------------------------------

    def settings(self, code: str = "SHOP", **more: Any) -> str:
        return settings(self.qase.url, code, **more)

    def offer(self, developer: Developer, message: str = "Change tests") -> int:
        """Pushes the branch and opens a pull request for it; its number."""
        developer.push(message)
        number = next(self._numbers)
        branch = developer.git("branch", "--show-current").strip()
        self._pulls[number] = (branch, None)
        return self._follow(number)

    def offer_from_fork(self, developer: Developer, fork: str) -> int:
        """The same from a fork, to which the developer pushes."""
        path = self.hosting.fork(REPOSITORY, fork)
        developer.git("remote", "set-url", "origin", path.as_uri())
        developer.push()
        number = next(self._numbers)
        self._pulls[number] = (developer.git("branch", "--show-current").strip(), fork)
        return self._follow(number)

    def _follow(self, number: int) -> int:
        branch, source = self._pulls[number]
        head, _ = self.hosting.offer(REPOSITORY, number, branch, source)
        self.forge.add_pull(number, head)
        return number

    def opened(self, number: int, action: str = "opened") -> Event:
        """The event of a pull request; with `synchronize` after its branch, or main, has moved on."""
        self._follow(number)
        branch, source = self._pulls[number]
        return self.events.pull_request(number, branch, action, source)

    def merge(self, number: int, squash: bool = False) -> Event:
        """The green button; the event of the push to main."""
        before = self.hosting.sha(REPOSITORY, "main")
        commit = self.hosting.merge(REPOSITORY, number, squash)
        self.forge.add_pull(number, self.hosting.sha(REPOSITORY, f"refs/pull/{number}/head"), commit)
        return self.events.push(before, commit)

    def push(self, developer: Developer) -> Event:
        """Straight to main, past every review."""
        before = self.hosting.sha(REPOSITORY, "main")
        return self.events.push(before, developer.push())

    # -- CI --------------------------------------------------------------------------------------------------------

    def play(self, event: Event) -> Run:
        return self.ci.play(event)

    # -- what is there at the end ------------------------------------------------------------------------------------

    def fresh(self, name: str = "fresh", folder: str = FOLDER) -> Folder:
        """A clone that nobody has touched, as a project folder."""
        clone = self.root / name
        git(self.root, "clone", "-q", self.remote.as_uri(), str(clone))
        return Folder(clone / folder, self.app, {**clean_git(), "QASE_TESTOPS_API_TOKEN": TOKEN})

    def states(self, name: str) -> list[dict[str, Any]]:
        """Every version of a state that its branch has held, oldest first."""
        commits = git(self.remote, "rev-list", "--reverse", "qase-iac-state", "--", name).split()
        return [json.loads(git(self.remote, "show", f"{commit}:{name}")) for commit in commits]

    def dump(self, code: str = "SHOP") -> dict[str, Any]:
        return self.app.dump(code, normalised=True)  # type: ignore[no-any-return]
