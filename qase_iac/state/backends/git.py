"""The state on a branch of the repository that the project folder lies in. Each write is one commit, pushed.

Works in a bare repository of its own (`.qase-iac/….git`) that holds nothing but the newest version: the clone of the
user, its work tree, index, HEAD, objects and branches, stays as it is, be it shallow or not. What the clone knows of
the way to the server (address, headers with the job's token, credential helpers, ssh) is handed on in the environment
of the child, never in its arguments. Git never asks: where it would, it fails.

The lease is a branch of its own, `BRANCH-lock/NAME`, which goes when it is given back.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qase_iac.errors import StateError
from qase_iac.state.backends.base import FREE, STATE, Changed, Found
from qase_iac.values import printable

REF = "refs/heads/qase-iac-state"
REMOTE = "origin"
TRIES = 8
PATIENCE = 600
"""Seconds after which a git that does not come back is ended."""

_ALONE = {
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_NAMESPACE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_SHALLOW_FILE", "SSH_ASKPASS"),
}
"""What a hook, or a terminal, would have git do instead."""
_KEPT = (
    r"^(http|https|credential|url|ssh|protocol|core\.(sshcommand|askpass|gitproxy)$|remote\.[^.]+\.(url|pushurl|proxy))"
)
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True)
class Place:
    """`folder` is the project folder, `scratch` where our own repository lies, `name` the document's file name."""

    folder: Path
    scratch: Path
    name: str
    remote: str = REMOTE
    ref: str = REF


_OURS = (
    ("core.hooksPath", os.devnull),
    ("gc.autoDetach", "false"),
    ("gc.auto", "64"),
    ("gc.pruneExpire", "1.hour.ago"),
)
"""Our repository is for the newest version alone: what is older goes soon."""


class GitSlots:
    """The document is the file `NAME.json` of the branch, whose version is its blob; others may stand beside it."""

    def __init__(self, place: Place, environment: Mapping[str, str], wall: Callable[[], float]) -> None:
        self.where = place
        self.place = f"{place.name}.json on {place.ref.removeprefix('refs/heads/')} of {place.remote}"
        self._environment = environment
        self._wall = wall
        self._tips: dict[str, str] = {}
        self._ready: dict[str, str] | None = None
        self._top = place.folder
        self._one_at_a_time = threading.RLock()

    def get(self, slot: str) -> Found | None:
        with self._one_at_a_time:
            self._fetch(slot)
            blob = self._blob(slot)
            return Found(self._git("cat-file", "blob", blob), blob) if blob else None

    def put(self, slot: str, content: bytes, expected: str, note: str) -> str:
        """Others may push to the branch at the same time, for other projects: what matters is our own file."""
        with self._one_at_a_time:
            if slot not in self._tips:
                self._fetch(slot)
            same = False
            for _ in range(TRIES):
                if self._blob(slot) != expected:
                    raise Changed
                tip, blob = self._tips[slot], self._text("hash-object", "-w", "--stdin", given=content)
                commit = self._commit(slot, tip, blob, note)
                said = self._push(slot, tip, commit)
                if said is None:
                    self._tips[slot] = commit
                    return blob
                self._fetch(slot)
                if self._tips[slot] == commit:  # it has landed, and only the answer was lost
                    return blob
                if same and self._tips[slot] == tip:  # twice, and nobody else is at it
                    raise self._refused(said)
                same = self._tips[slot] == tip
            raise StateError(f"The state cannot be written: {self.place} changes too often.", hint="Run it again.")

    def drop(self, slot: str, expected: str) -> None:
        with self._one_at_a_time:
            if self._blob(slot) != expected:
                raise Changed
            said = self._push(slot, self._tips[slot], "")
            if said is None:
                self._tips[slot] = ""
            else:  # a server that lets nobody delete a branch
                self.put(slot, FREE, expected, "Unlock")

    # -- git -----------------------------------------------------------------------------------------------------

    def _ref(self, slot: str) -> str:
        return self.where.ref if slot == STATE else f"{self.where.ref}-lock/{self.where.name}"

    def _file(self, slot: str) -> str:
        return f"{self.where.name}.json" if slot == STATE else "lock.json"

    def _fetch(self, slot: str) -> None:
        """Brings the newest commit of the branch, without its history. "" is noted where there is no branch."""
        mine = f"refs/fetched/{slot}"
        options = ("--quiet", "--no-tags", "--depth=1", "--no-write-fetch-head", "--no-recurse-submodules", "--force")
        done = self._run("fetch", *options, self.where.remote, f"{self._ref(slot)}:{mine}")
        said = done.stderr.decode("utf-8", "replace")
        if done.returncode == 0:
            self._tips[slot] = self._text("rev-parse", "--verify", mine)
        elif "couldn't find remote ref" in said.lower():
            self._tips[slot] = ""
        else:
            raise StateError(
                f"The state cannot be read: {self.place}.",
                self._shown(said),
                "The job needs the right to read the repository, and its credentials in the clone (a checkout step "
                "keeps them, unless it is told not to).",
            )

    def _blob(self, slot: str) -> str:
        """The version of our file in the newest commit known; "" when it has none."""
        tip = self._tips.get(slot, "")
        row = self._text("ls-tree", tip, "--", self._file(slot)) if tip else ""
        return row.split()[2] if row else ""

    def _commit(self, slot: str, tip: str, blob: str, note: str) -> str:
        others = self._text("ls-tree", tip).splitlines() if tip else []
        rows = [row for row in others if row.partition("\t")[2] != self._file(slot)]
        tree = self._text("mktree", given="\n".join([*rows, f"100644 blob {blob}\t{self._file(slot)}", ""]).encode())
        parents = ("-p", tip) if tip else ()
        return self._text("commit-tree", tree, *parents, "-m", f"{printable(note)}\n\n[skip ci]")

    def _push(self, slot: str, tip: str, commit: str) -> str | None:
        """Moves the branch from `tip` to a commit, or, "", away; what git said when it did not."""
        lease = f"--force-with-lease={self._ref(slot)}:{tip}"
        done = self._run("push", "--quiet", "--no-verify", lease, self.where.remote, f"{commit}:{self._ref(slot)}")
        return None if done.returncode == 0 else done.stderr.decode("utf-8", "replace")

    def _refused(self, said: str) -> StateError:
        return StateError(
            f"The state cannot be written: {self.place}.",
            self._shown(said),
            "The job needs the right to push to that branch (GitHub: `permissions: {contents: write}`), and no rule "
            "may protect it.",
        )

    def _shown(self, said: str) -> str:
        """The end of what git said, without user names and passwords of addresses."""
        lines = [line for line in _SECRET.sub("…@", said).splitlines() if line.strip()]
        return "\n".join(printable(line) for line in lines[-6:])

    def _text(self, *arguments: str, given: bytes = b"") -> str:
        return self._git(*arguments, given=given).decode("utf-8", "replace").strip()

    def _git(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        if done.returncode:
            said = self._shown(done.stderr.decode("utf-8", "replace"))
            raise StateError(f"git {arguments[0]} failed in {self.where.scratch}.", said, "Remove that folder.")
        return done.stdout

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        environment = self._prepared()
        when = f"{int(self._wall())} +0000"
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
        command = ["git", f"--git-dir={self.where.scratch}", *arguments]
        return _call(command, self._top, {**environment, **dates}, given)

    def _prepared(self) -> dict[str, str]:
        """The environment of every call, once our own repository is there."""
        if self._ready is None:
            own = quiet(self._environment)
            self._top = Path(self._asked(own, "rev-parse", "--show-toplevel").strip())
            self._asked(own, "remote", "get-url", self.where.remote)
            listed = split_settings(self._asked(own, "config", "--show-scope", "-z", "--get-regexp", _KEPT))
            if not any(name == "core.sshcommand" for _, name, _ in listed):
                own.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes")
            local = [(name, value) for scope, name, value in listed if scope in ("local", "worktree")]
            self._ready = with_config(own, [*local, *_OURS])
            self._make_scratch(own)
        return self._ready

    def _asked(self, environment: Mapping[str, str], *arguments: str) -> str:
        """What the user's clone says. Raises StateError when it is none, or lacks what is asked for."""
        done = _call(["git", *arguments], self._top, environment)
        if done.returncode:
            raise self._no_remote(done.stderr.decode("utf-8", "replace"))
        return done.stdout.decode("utf-8", "surrogateescape")

    def _make_scratch(self, environment: Mapping[str, str]) -> None:
        if (self.where.scratch / "HEAD").exists():
            return
        try:
            self.where.scratch.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"{self.where.scratch} cannot be made: {error.strerror or error}.") from error
        made = ["git", "init", "--quiet", "--bare", "--template=", str(self.where.scratch)]
        done = _call(made, self.where.folder, dict(environment))
        if done.returncode:
            said = self._shown(done.stderr.decode("utf-8", "replace"))
            raise StateError(f"{self.where.scratch} cannot be made.", said)

    def _no_remote(self, said: str) -> StateError:
        if "not a git repository" in said:
            return StateError(
                f"The project folder is in no git repository: {self.where.folder}.",
                "`state.backend: git` keeps the state on a branch of the repository that the folder lies in.",
                "Run it in a clone, or choose another backend in qase.yaml.",
            )
        return StateError(
            f"The repository has no remote `{self.where.remote}` to keep the state at.",
            self._shown(said),
            f"`git remote add {self.where.remote} URL`, or name another one in `state.remote`.",
        )


def quiet(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which git asks nobody, speaks English, and knows of no repository but the one it is given."""
    own = {name: value for name, value in environment.items() if name not in _ALONE}
    who = {"NAME": "qase-iac", "EMAIL": "qase-iac@localhost"}
    own |= {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    own |= {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    stalled = {"GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": "60"}
    return {**stalled, **own}


def split_settings(listed: str) -> list[tuple[str, str, str]]:
    """(scope, name, value) out of what `git config --show-scope -z` lists."""
    parts = listed.split("\0")
    pairs = zip(parts[::2], parts[1::2], strict=False)
    return [(scope, *text.partition("\n")[::2]) for scope, text in pairs]


def with_config(environment: Mapping[str, str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The environment with settings of git added to those that it holds already."""
    own = dict(environment)
    given = own.get("GIT_CONFIG_COUNT", "")
    at = int(given) if given.isdigit() else 0
    for name, value in pairs:
        own[f"GIT_CONFIG_KEY_{at}"], own[f"GIT_CONFIG_VALUE_{at}"] = name, value
        at += 1
    return {**own, "GIT_CONFIG_COUNT": str(at)}


def _call(
    command: list[str], folder: Path, environment: Mapping[str, str], given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Runs git apart from the terminal: a Ctrl-C is for us, and must not cut off a write."""
    try:
        return subprocess.run(
            command,
            cwd=folder,
            env=dict(environment),
            input=given,
            capture_output=True,
            timeout=PATIENCE,
            start_new_session=True,
            check=False,
        )
    except FileNotFoundError:
        raise StateError(
            "git cannot be run, so the state cannot be reached.", hint="Install git, or choose another backend."
        ) from None
    except subprocess.TimeoutExpired:
        raise StateError(f"git gave no answer for {PATIENCE} seconds.", "The state could not be reached.") from None
