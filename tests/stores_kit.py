"""Real servers behind every store: a bare git repository (file, git, http), a server of Terraform's protocol, moto's S3."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from qase_iac.state.backends.base import SlotBackend
from qase_iac.state.backends.git import GitSlots, Place
from qase_iac.state.backends.http import Addresses, HttpBackend
from qase_iac.state.backends.s3 import S3Slots, client
from qase_iac.state.lease import Outside
from qase_iac.state.remote import RemoteStore
from qase_iac.state.store import LocalStore, StateStore

NAME = "SHOP@api.qase.io"


@dataclass
class Time:
    """A clock that waits by being set on, and what was told."""

    now: float = 1795392000.0
    told: list[str] = field(default_factory=list)
    ids: int = 0

    def wall(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def new_id(self) -> str:
        self.ids += 1
        return f"lease-{self.ids}"

    @property
    def outside(self) -> Outside:
        return Outside(self.wall, self.sleep, self.new_id, self.told.append)


# -- git ---------------------------------------------------------------------------------------------------------------


def clean_git() -> dict[str, str]:
    """An environment in which git knows nothing of this machine's user."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "SSH_"))}
    return {**own, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "protocol.file.allow=always")
    command = ["git", "-C", str(folder), *identity, *words]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_git(), check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def bare(path: Path) -> Path:
    """A repository on a server, as strict as `git init --shared` makes it, with two commits."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "--bare", "-b", "main")
    git(path, "config", "receive.denyNonFastForwards", "true")
    git(path, "config", "http.receivepack", "true")
    work = path.parent / f"{path.name}.first"
    git(path.parent, "clone", "-q", path.as_uri(), str(work))
    for text in ("one", "two"):
        (work / "README").write_text(text)
        git(work, "add", "README")
        git(work, "commit", "-q", "-m", text)
    git(work, "push", "-q", "origin", "HEAD:main")
    shutil.rmtree(work)
    return path


def clone(url: str, folder: Path) -> Path:
    """A shallow clone, as CI makes them."""
    git(folder.parent, "clone", "-q", "--depth=1", url, str(folder))
    return folder


def git_store(folder: Path, time: Time, **place: str) -> RemoteStore:
    below = folder / ".qase-iac"
    slots = GitSlots(Place(folder, below / f"{NAME}.git", NAME, **place), clean_git(), time.wall)
    return RemoteStore(SlotBackend(slots), below / f"{NAME}.json", time.outside)


@contextmanager
def git_over_http(root: Path, password: str = "") -> Iterator[str]:
    """`git http-backend` behind a tiny server; the address of the folder of repositories."""
    backend = Path(git(root, "--exec-path").strip()) / "git-http-backend"
    wanted = "Basic " + base64.b64encode(f"ci:{password}".encode()).decode()

    class Handler(Quiet):
        def answer(self) -> None:
            if password and self.headers.get("Authorization") != wanted:
                self.reply(401, b"who?", {"WWW-Authenticate": 'Basic realm="git"'})
                return
            path, _, query = self.path.partition("?")
            environment = {
                **clean_git(), "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "ci", "REMOTE_ADDR": "127.0.0.1",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""), "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }  # fmt: skip
            body = self.body()
            environment["CONTENT_LENGTH"] = str(len(body))
            done = subprocess.run([str(backend)], input=body, capture_output=True, env=environment, check=False)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            rows = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.reply(int(rows.pop("Status", "200").split()[0]), content, rows)

        do_GET = do_POST = answer

    with serving(Handler) as url:
        yield url


@contextmanager
def git_daemon(root: Path) -> Iterator[str]:
    """`git daemon` on a free port; the address of the folder of repositories."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", "--export-all", "--enable=receive-pack",
             "--reuseaddr", "--verbose", f"--base-path={root}", str(root)]  # fmt: skip
    server = subprocess.Popen(words, env=clean_git(), stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        while "Ready to rumble" not in (line := server.stderr.readline()):
            assert line, "git daemon ended"
        yield f"git://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        server.stderr.close()


# -- Terraform's protocol ------------------------------------------------------------------------------------------------


class Quiet(BaseHTTPRequestHandler):
    """A handler that answers in one piece and says nothing on stderr."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def reply(self, status: int, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Terraform:
    """A server of Terraform's HTTP protocol: what it holds, whom it knows, what it was asked.

    Like GitLab it takes no `serial` twice. `gitlab`: LOCK is a POST to `/lock`, UNLOCK a DELETE there.
    """

    password: str = ""
    gitlab: bool = False
    states: dict[str, bytes] = field(default_factory=dict)
    locks: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def handle(self, request: Quiet) -> None:
        path, _, query = request.path.partition("?")
        body = request.body()
        self.asked.append(f"{request.command} {request.path}")
        wanted = "Basic " + base64.b64encode(f"ci:{self.password}".encode()).decode()
        if self.password and request.headers.get("Authorization") != wanted:
            return request.reply(401, b"unauthorized")
        method, name = self._called(request.command, path)
        if method == "GET":
            held = self.states.get(name)
            digest = {"Content-MD5": _digest(held)} if held else {}
            return request.reply(200 if held else 204, held or b"", digest)
        if method == "LOCK":
            if name in self.locks:
                return request.reply(423, json.dumps(self.locks[name]).encode())
            self.locks[name] = json.loads(body)
            return request.reply(200)
        if method == "UNLOCK":
            if name in self.locks and self.locks[name]["ID"] != json.loads(body)["ID"]:
                return request.reply(409, json.dumps(self.locks[name]).encode())
            self.locks.pop(name, None)
            return request.reply(200)
        if method == "POST":
            return self._post(request, name, query, body)
        return request.reply(405)

    def _called(self, method: str, path: str) -> tuple[str, str]:
        if not self.gitlab:
            return method, path
        if path.endswith("/lock"):
            return {"POST": "LOCK", "DELETE": "UNLOCK"}.get(method, "?"), path.removesuffix("/lock")
        return method if method in ("GET", "POST") else "?", path

    def _post(self, request: Quiet, name: str, query: str, body: bytes) -> None:
        lock = self.locks.get(name)
        if lock and f"ID={lock['ID']}" not in query.split("&"):
            return request.reply(423, json.dumps(lock).encode())
        if request.headers.get("Content-MD5") != _digest(body):
            return request.reply(400, b"Content-MD5")
        held = self.states.get(name)
        if held and json.loads(held)["serial"] >= json.loads(body)["serial"]:
            return request.reply(422, b"Version has already been taken")
        self.states[name] = body
        return request.reply(200)


def _digest(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@contextmanager
def terraform(**how: Any) -> Iterator[Terraform]:
    server = Terraform(**how)

    class Handler(Quiet):
        def answer(self) -> None:
            server.handle(self)

        do_GET = do_POST = do_DELETE = do_LOCK = do_UNLOCK = answer

    with serving(Handler) as url:
        server.url = url + ("/api/v4/projects/42/terraform/state/shop" if server.gitlab else "/state/shop")
        yield server


def http_store(server: Terraform, folder: Path, time: Time) -> RemoteStore:
    auth = httpx.BasicAuth("ci", server.password) if server.password else None
    backend = HttpBackend(httpx.Client(auth=auth, trust_env=False), Addresses.of(server.url))
    return RemoteStore(backend, folder / ".qase-iac" / f"{NAME}.json", time.outside)


# -- S3 ----------------------------------------------------------------------------------------------------------------


@contextmanager
def s3_server() -> Iterator[str]:
    """moto's server, with a bucket; its address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def s3_store(endpoint: str, bucket: str, folder: Path, time: Time) -> RemoteStore:
    slots = S3Slots(bucket, f"qase-iac/{NAME}.json", lambda: client("us-east-1", endpoint))
    return RemoteStore(SlotBackend(slots), folder / ".qase-iac" / f"{NAME}.json", time.outside)


# -- all of them -------------------------------------------------------------------------------------------------------


@dataclass
class Stores:
    """One place for a state, as several machines see it; each call of `machine` is a new one."""

    kind: str
    root: Path
    time: Time
    make: Callable[[Path], StateStore]
    names: int = 0

    @property
    def shared(self) -> bool:
        return self.kind != "local"

    def machine(self) -> Any:
        self.names += 1
        folder = self.root / f"machine-{self.names}"
        if self.kind == "local":
            return LocalStore(self.root / "one" / ".qase-iac" / f"{NAME}.json")
        return self.make(folder)
