"""The server: keep-alive, chunked bodies, threads, files that outlive a process."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from qase_iac.emulator import RunningServer, create_app, serve, start_server

from .conftest import SEED, Api


@pytest.fixture
def server(api: Api) -> Iterator[RunningServer]:
    with start_server(api.app) as running:
        yield running


def test_one_connection_serves_many_requests(server: RunningServer) -> None:
    parts = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    connection.connect()
    sockets = set()
    for method, path, body in (("GET", "/project", None), ("POST", "/suite/DEMO", b'{"title": "S"}'),
                               ("GET", "/suite/DEMO/9", None), ("POST", "/suite/DEMO", b"{"),
                               ("DELETE", "/suite/DEMO/1", b"{}"), ("GET", "/suite/DEMO", None)) * 5:  # fmt: skip
        connection.request(method, "/v1" + path, body=body)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.version == 11 and int(answer.headers["Content-Length"]) == len(content) > 0
        sockets.add(id(connection.sock))
    assert len(sockets) == 1 and connection.sock is not None
    connection.close()


def test_chunked_bodies(server: RunningServer) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"title":'
        yield b' "in pieces"}'

    with httpx.Client(base_url=server.url) as client:
        assert client.post("/suite/DEMO", content=chunks()).json()["result"] == {"id": 1}
        assert client.get("/suite/DEMO/1").json()["result"]["title"] == "in pieces"


def test_requests_that_are_no_http(server: RunningServer) -> None:
    parts = urlsplit(server.url)
    for lines in (b"GET /v1/project HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
                  b"POST /v1/suite/DEMO HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):  # fmt: skip
        with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10) as raw:
            raw.sendall(lines)
            assert b" 400 " in raw.recv(100)


def test_chunks_may_end_with_trailers(server: RunningServer) -> None:
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10) as raw:
        raw.sendall(b"POST /v1/suite/DEMO HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b"e;x=y\r\n{\"title\": \"S\"}\r\n0\r\nTrailer: z\r\n\r\n")  # fmt: skip
        assert b" 200 " in raw.recv(1000)
        raw.sendall(b"GET /v1/suite/DEMO HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b'"total":1' in raw.recv(1000)


def test_the_log_is_quiet_unless_asked(api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    from qase_iac.emulator.server import RunningServer as Running
    from qase_iac.emulator.server import _Server

    for verbose in (False, True):
        with Running(_Server(api.app, "127.0.0.1", 0, verbose)) as server:
            httpx.get(server.url + "/project")
        assert ("GET /v1/project" in capfd.readouterr().err) is verbose


def test_a_body_that_stops_short_harms_nobody_else(server: RunningServer) -> None:
    parts = urlsplit(server.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0)) as half:
        half.sendall(b"POST /v1/suite/DEMO HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        with httpx.Client(base_url=server.url) as client:
            assert client.get("/suite/DEMO").json()["result"]["total"] == 0


def test_downloads_over_the_socket(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url) as client:
        (file,) = client.post("/attachment/DEMO", files=[("file[]", ("ü.bin", bytes(range(256))))]).json()["result"]
        assert file["url"].startswith(server.url.removesuffix("/v1") + "/attachment/")
        assert client.get(file["url"]).content == bytes(range(256))


def test_threads_do_not_step_on_each_other(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url) as client, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> int:
            if number % 3:
                return len(client.get("/case/DEMO", params={"limit": 100}).json()["result"]["entities"])
            return int(client.post("/case/DEMO", json={"title": f"C{number}"}).json()["result"]["id"])

        results = list(pool.map(work, range(150)))
        made = [id for number, id in enumerate(results) if number % 3 == 0]
        assert sorted(made) == list(range(1, 51))
        assert client.get("/case/DEMO").json()["result"]["total"] == 50


def test_threads_in_process(api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: api.make("suite", title=str(n)), range(60)))
    assert sorted(ids) == list(range(1, 61))


def test_a_file_keeps_its_content_and_its_seed(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "emulator.db"
    for expected in (1, 2, 3):
        app = create_app(path, seed=SEED)
        client = httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1")
        assert client.post("/suite/DEMO", json={"title": "S"}).json()["result"]["id"] == expected
        assert client.get("/project").json()["result"]["total"] == 1
        app.close()


def test_two_applications_share_a_file(tmp_path: Path) -> None:
    apps = [create_app(tmp_path / "x.db", seed=SEED) for _ in range(2)]
    clients = [httpx.Client(transport=httpx.WSGITransport(app=app), base_url="http://x/v1") for app in apps]
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda n: clients[n % 2].post("/suite/DEMO", json={"title": "S"}).json(), range(40))
        assert sorted(answer["result"]["id"] for answer in answers) == list(range(1, 41))


def test_serve_blocks_until_it_is_told_to_stop(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from qase_iac.emulator import server as module

    started: list[tuple[str, int]] = []

    def forever(self: module._Server) -> None:
        started.append(self.server_address[:2])  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(module._Server, "serve_forever", forever)
    with pytest.raises(KeyboardInterrupt):
        serve(api.app, port=0)
    assert started[0][0] == "127.0.0.1"


def test_a_bug_answers_500_and_the_server_lives(
    server: RunningServer, api: Api, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with httpx.Client(base_url=server.url) as client:
        with monkeypatch.context() as patch:
            patch.setattr(api.app, "handle", lambda request: 1 / 0)
            assert client.get("/project").status_code == 500
        assert client.get("/project").status_code == 200
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_stop_frees_the_port_and_ends_connections(api: Api) -> None:
    first = start_server(api.app)
    port = urlsplit(first.url).port or 0
    with httpx.Client(base_url=first.url) as client:
        assert client.get("/project").status_code == 200
        first.stop()
        with pytest.raises(httpx.TransportError):
            client.get("/project")
    with start_server(api.app, port=port) as second:
        assert second.url == first.url
    assert threading.active_count() < 50
