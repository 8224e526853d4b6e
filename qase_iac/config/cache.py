"""What was parsed once is remembered: one file of JSON lines a project folder, in the user's cache directory.

It holds what files without a single problem declare, by the digest of their bytes and their shape, and counts only for
the very sources of the parsers that wrote it. It is never read from the project folder, and whatever is wrong with it
is as if it were not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from qase_iac import __version__
from qase_iac.config.declarations import FileContent
from qase_iac.fastjson import dumps, loads

_FORMAT = 1
_PARSERS = ("attributes", "config", "kinds", "values.py", "model.py")
"""What decides how a file is read: a change in any of them forgets everything."""


@lru_cache(maxsize=1)
def parsers_digest() -> str:
    """The digest of the sources of the parsers; "" when they cannot be read, and then nothing is remembered."""
    package = Path(__file__).parent.parent
    found = hashlib.sha256(f"{_FORMAT} {__version__}".encode())
    try:
        for name in _PARSERS:
            path = package / name
            for source in sorted(path.glob("*.py")) if path.is_dir() else [path]:
                found.update(f"\0{name}/{source.name}\0".encode() + source.read_bytes())
    except OSError:
        return ""
    return found.hexdigest()


def content_key(shape: str, data: bytes) -> str:
    """What a file is remembered by."""
    return f"{shape}:{hashlib.sha256(data).hexdigest()}"


class Cache:
    """The remembered files of one project folder: a header, then a line for each file, read only when it is asked for.

    The lines of unchanged files are written as they were read.
    """

    def __init__(self, root: Path, cache_dir: Path | None) -> None:
        self._path: Path | None = None
        self._known: dict[bytes, bytes] = {}
        self._used: dict[bytes, bytes] = {}
        self._changed = False
        self._header = {"format": _FORMAT, "tool": parsers_digest()}
        if cache_dir is not None and self._header["tool"]:
            name = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
            self._path = cache_dir / f"parsed-{name}.jsonl"
            self._known = self._read(self._path)

    def _head(self, body: bytes) -> bytes:
        return json.dumps({**self._header, "sha256": hashlib.sha256(body).hexdigest()}).encode()

    def _read(self, path: Path) -> dict[bytes, bytes]:
        try:
            head, _, body = path.read_bytes().partition(b"\n")
        except OSError:
            return {}
        if head != self._head(body):
            return {}
        pairs = (line.partition(b"\t") for line in body.split(b"\n"))
        return {key: value for key, _, value in pairs}

    def get(self, key: str) -> FileContent | None:
        """What the file declares, None when it is not remembered."""
        name = key.encode()
        line = self._known.get(name)
        if line is None:
            return None
        try:
            content = FileContent.from_json(loads(line))
        except (TypeError, ValueError, RecursionError):
            return None
        self._used[name] = line
        return content

    def put(self, key: str, content: FileContent) -> None:
        """Remembers a file that was read without a problem."""
        if self._path is not None:
            self._used[key.encode()] = dumps(content.to_json())
            self._changed = True

    def save(self) -> None:
        """Writes what this run has seen, and forgets the rest; nothing when nothing changed. Failing is no harm."""
        if self._path is None or (not self._changed and len(self._used) == len(self._known)):
            return
        body = b"\n".join([key + b"\t" + self._used[key] for key in sorted(self._used)])
        temporary = ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".parsed-")
            with os.fdopen(handle, "wb") as stream:
                stream.write(self._head(body) + b"\n")
                stream.write(body)
            os.replace(temporary, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
