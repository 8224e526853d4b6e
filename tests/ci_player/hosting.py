"""The server: git over HTTP with tokens that may read or push, pull requests as refs, merges as GitHub makes them."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from stores_kit import Quiet, clean_git, git, serving


class Hosting:
    """Bare repositories below `root`, served on 127.0.0.1. `tokens` says of each token whether it may push. `close` it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True)
        self.root = root
        self.tokens: dict[str, bool] = {}
        self.refused: list[str] = []
        self._lock = threading.Lock()
        self._backend = Path(git(root, "--exec-path").strip()) / "git-http-backend"
        self._stack = ExitStack()
        self.url = self._stack.enter_context(serving(_handler(self)))

    def close(self) -> None:
        self._stack.close()

    def create(self, name: str) -> Path:
        """An empty repository NAME (`owner/name`)."""
        path = self.path(name)
        path.mkdir(parents=True)
        git(path, "init", "-q", "--bare", "-b", "main")
        for key in ("receive.denyNonFastForwards", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
            git(path, "config", key, "true")
        return path

    def fork(self, name: str, to: str) -> Path:
        git(self.root, "clone", "-q", "--bare", str(self.path(name)), str(self.path(to)))
        return self.path(to)

    def path(self, name: str) -> Path:
        return self.root / f"{name}.git"

    def sha(self, name: str, ref: str) -> str:
        return git(self.path(name), "rev-parse", "--verify", f"{ref}^{{commit}}").strip()

    # -- pull requests ---------------------------------------------------------------------------------------------

    def offer(self, name: str, number: int, branch: str, source: str | None = None) -> tuple[str, str]:
        """Opens pull request `number` or follows its branch: `refs/pull/N/head` and `…/merge`. Returns their commits."""
        where = self.path(name)
        git(where, "fetch", "-q", str(self.path(source or name)), f"+refs/heads/{branch}:refs/pull/{number}/head")
        head = self.sha(name, f"refs/pull/{number}/head")
        merge = self._merged(name, "main", head, f"Merge {head} into main")
        git(where, "update-ref", f"refs/pull/{number}/merge", merge)
        return head, merge

    def merge(self, name: str, number: int, squash: bool = False) -> str:
        """The green button: main gets a merge commit, or one commit with all of it. Returns it."""
        with self._lock:
            head = self.sha(name, f"refs/pull/{number}/head")
            before = self.sha(name, "main")
            commit = self._merged(name, "main", head, f"Merge pull request #{number}", squash)
            git(self.path(name), "update-ref", "refs/heads/main", commit, before)
        return commit

    def _merged(self, name: str, base: str, head: str, message: str, squash: bool = False) -> str:
        where = self.path(name)
        tree = git(where, "merge-tree", "--write-tree", base, head).split()[0]
        parents = ["-p", self.sha(name, base), *([] if squash else ["-p", head])]
        return git(where, "commit-tree", tree, *parents, "-m", message).strip()

    # -- http ------------------------------------------------------------------------------------------------------

    def may(self, header: str | None, pushing: bool) -> int:
        """The status for a request: 200, 401 without a token that is known, 403 for a push with one that only reads."""
        token = base64.b64decode((header or "").partition(" ")[2]).decode().partition(":")[2]
        if token not in self.tokens:
            return 401
        return 200 if self.tokens[token] or not pushing else 403

    def serve(self, environment: Mapping[str, str], body: bytes) -> subprocess.CompletedProcess[bytes]:
        own = {"GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "REMOTE_USER": "ci"}
        environment = {**clean_git(), **own, **environment, "CONTENT_LENGTH": str(len(body))}
        return subprocess.run([str(self._backend)], input=body, capture_output=True, env=environment, check=False)


def _handler(hosting: Hosting) -> type[Quiet]:
    class Handler(Quiet):
        def answer(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.body()
            pushing = "git-receive-pack" in (query if path.endswith("/info/refs") else path)
            status = hosting.may(self.headers.get("Authorization"), pushing)
            if status != 200:
                hosting.refused.append(f"{status} {self.path}")
                return self.reply(status, b"no", {"WWW-Authenticate": 'Basic realm="git"'} if status == 401 else {})
            environment = {
                "PATH_INFO": path, "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }  # fmt: skip
            head, _, content = hosting.serve(environment, body).stdout.partition(b"\r\n\r\n")
            rows = dict(line.split(": ", 1) for line in head.decode().splitlines())
            return self.reply(int(rows.pop("Status", "200").split()[0]), content, rows)

        do_GET = do_POST = answer

    return Handler
