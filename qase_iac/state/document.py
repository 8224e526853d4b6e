"""What a backend for many machines keeps: the state and the run in progress, in one document that changes as a whole.

    {"document": 1, "serial": 12, "lineage": "…",
     "run": [{"journal": 1, …}, {"intent": 0, …}], "moved_to": "",
     "state": {"format": 1, …}}

`serial` counts writes of the document, since servers of Terraform's protocol take no number twice; the state has its
own, one a run. `run` are the lines of a journal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from qase_iac.errors import StateError
from qase_iac.fastjson import loads
from qase_iac.state.journal import Contents, contents
from qase_iac.state.model import State, is_serial
from qase_iac.state.store import dump, parse_data

FORMAT = 1


@dataclass(frozen=True)
class Document:
    """`state` is as `dump` writes it, b"" when there is none. `moved_to` names the place where the state is now."""

    serial: int = 0
    lineage: str = ""
    state: bytes = b""
    run: Contents | None = None
    moved_to: str = ""

    def dump(self) -> bytes:
        return b"".join(self._parts())

    def _parts(self) -> Iterator[bytes]:
        head = {"document": FORMAT, "serial": self.serial, "lineage": self.lineage, "moved_to": self.moved_to}
        for key, value in head.items():
            yield (",\n" if key != "document" else "{\n").encode() + f"{json.dumps(key)}: {json.dumps(value)}".encode()
        lines = [json.dumps(line, separators=(",", ":")) for line in self.run.lines()] if self.run else []
        yield b',\n"run": ' + (f"[\n{(',' + chr(10)).join(lines)}\n]" if lines else "null").encode("ascii")
        yield b',\n"state": ' + (self.state.strip() or b"null") + b"\n}\n"


def parse_document(content: bytes) -> tuple[Document, State]:
    """The document and the state in it. Raises ValueError, whatever is wrong with it."""
    try:
        data = loads(content)
        if data["document"] != FORMAT:
            raise ValueError(f"document format {data['document']!r} is not {FORMAT}")
        state = parse_data(data["state"]) if data["state"] is not None else State()
        run = contents(data["run"]) if data["run"] else None
        document = Document(data["serial"], data["lineage"], b"", run, data["moved_to"])
    except (KeyError, TypeError, AttributeError, RecursionError, StateError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if not is_serial(document.serial) or not isinstance(document.moved_to, str):
        raise ValueError("it is not one of ours")
    return document, state


def state_text(state: State) -> bytes:
    """The state as a document holds it."""
    return b"".join(dump(state)) if state.exists else b""
