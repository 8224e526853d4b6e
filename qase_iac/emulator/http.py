"""Requests and answers as plain values, and the way from WSGI to them and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, quote

from .errors import ApiError

Environ = dict[str, Any]


@dataclass
class Request:
    method: str
    path: str  # behind the base path, so ``/suite/DEMO``
    query: Mapping[str, list[str]]
    query_text: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    origin: str  # scheme, host and whatever stands before the base path
    _parsed: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        """The body as an object; an absent one is empty."""
        if self._parsed is None:
            self._parsed = self._parse()
        return self._parsed

    def _parse(self) -> dict[str, Any]:
        if not self.body.strip():
            return {}
        try:
            value = json.loads(self.body.decode("utf-8"), parse_constant=_no_constant)
            if b"\\ud" in self.body.lower():
                json.dumps(value, ensure_ascii=False).encode("utf-8")  # lone surrogates can not be stored
        except (ValueError, RecursionError):
            raise ApiError(400, "Invalid payload, expected valid json.") from None
        if not isinstance(value, dict):
            raise ApiError(400, "Invalid payload, expected valid json.")
        return value

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()[:16] if self.body else ""

    def files(self) -> list[tuple[str, str, bytes]]:
        """The parts named ``file[]`` of a multipart body."""
        from io import BytesIO

        from werkzeug.formparser import parse_form_data

        environ = {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(self.body)),
            "wsgi.input": BytesIO(self.body),
        }
        _, _, files = parse_form_data(environ)
        parts = [*files.getlist("file[]"), *files.getlist("file")]
        return [(part.filename or "file", part.mimetype or "", part.stream.read()) for part in parts]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    cut_after: int | None = None  # a fault: the connection ends after so many bytes of the body

    @property
    def status_line(self) -> str:
        return f"{self.status} {HTTPStatus(self.status).phrase}"


def json_answer(status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    body = b"" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, [("Content-Type", "application/json"), *headers])


def request_from(environ: Environ) -> Request:
    """Any base path may stand before ``/v1``; the rest is the path of the API."""
    raw = _text(environ.get("PATH_INFO", ""))
    before, marker, path = raw.partition("/v1/")
    if marker:
        path = "/" + path
    elif raw.endswith("/v1"):
        before, path = raw[:-3], "/"
    else:
        before, path = "", raw
    host = environ.get("HTTP_HOST") or f"{environ.get('SERVER_NAME')}:{environ.get('SERVER_PORT')}"
    mount = quote(_text(environ.get("SCRIPT_NAME", "")) + before)
    query = environ.get("QUERY_STRING", "")
    return Request(
        method=environ["REQUEST_METHOD"].upper(),
        path=path.rstrip("/") or "/",
        query=parse_qs(query, keep_blank_values=True),
        query_text=query,
        headers=_headers(environ),
        body=_body(environ),
        origin=f"{environ.get('wsgi.url_scheme', 'http')}://{host}{mount}",
    )


def _text(path: str) -> str:
    """A path of WSGI, UTF-8 read as Latin-1, as text. httpx's WSGITransport hands over text as it is."""
    try:
        return path.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return path


def _headers(environ: Environ) -> dict[str, str]:
    headers = {key[5:].replace("_", "-").lower(): str(item) for key, item in environ.items() if key[:5] == "HTTP_"}
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower()] = environ[key]
    return headers


def _body(environ: Environ) -> bytes:
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if length:
        return bytes(stream.read(int(length)))
    # A body without a length comes in chunks; only a server that ends the stream itself may be read to its end.
    ended = environ.get("wsgi.input_terminated") or "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "")
    return bytes(stream.read()) if ended else b""
