"""Reading a foreign JSON file: every problem with its place, and never a traceback."""

from __future__ import annotations

import gzip
import json
import lzma
import re
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from qase_iac.attributes import MAX_TITLE
from qase_iac.convert.notes import Notes
from qase_iac.errors import QaseIacError
from qase_iac.values import JSON, printable

MAX_SOURCE = 512 * 1024 * 1024
PIECE = 4 * 1024 * 1024
_SHOWN = 20
_SURROGATE = re.compile("[\ud800-\udfff]")
_EMPTY: tuple[JSON, ...] = (None, "", [], {})


def read_source(path: Path) -> bytes:
    """The content of a file, unpacked if it is packed by xz or gzip. Raises QaseIacError."""
    shown = printable(str(path))
    try:
        with open(path, "rb") as file:
            data = _bounded(file.read)
        if data.startswith(b"\xfd7zXZ\0"):
            with lzma.open(path) as unpacked:
                data = _bounded(unpacked.read)
        elif data.startswith(b"\x1f\x8b"):
            with gzip.open(path) as zipped:
                data = _bounded(zipped.read)
    except OSError as error:
        raise QaseIacError(f"{shown} cannot be read: {error.strerror or error}.") from None
    except (lzma.LZMAError, zlib.error, EOFError) as error:
        raise QaseIacError(f"{shown} cannot be unpacked: {error}.", hint="Fetch the file again.") from None
    if len(data) > MAX_SOURCE:
        raise QaseIacError(f"{shown} is too large: more than {MAX_SOURCE // 2**20} MiB.", hint="Export it in parts.")
    return data


def _bounded(read: Callable[[int], bytes]) -> bytes:
    """What a file holds, MAX_SOURCE and a little at most. Piece by piece: one large `read` takes that much memory."""
    data = bytearray()
    while len(data) <= MAX_SOURCE and (piece := read(PIECE)):
        data += piece
    return bytes(data)


def parse_json(data: bytes, notes: Notes) -> JSON:
    """The JSON value that `data` holds. Raises QaseIacError with line and column."""

    def mapping(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            for name in sorted({name for name in names if names.count(name) > 1}):
                notes.add("a key stands twice in one object, and the last one counts", name)
        return found

    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON number")

    try:
        text = data.decode("utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else json.detect_encoding(data))
        return json.loads(text, object_pairs_hook=mapping, parse_constant=constant)
    except UnicodeDecodeError as error:
        what = f"the byte 0x{data[error.start]:02x} at offset {error.start} is not {error.encoding}"
    except json.JSONDecodeError as error:
        what = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except RecursionError:
        what = "it is nested too deep"
    except ValueError as error:
        what = str(error)
    raise QaseIacError(f"This is no JSON file: {what}.", hint="Export it again, and name the file as it was saved.")


@dataclass
class Source:
    """Takes values out of objects, each checked; `problems` fill up, and `finish` raises them all at once."""

    notes: Notes = field(default_factory=Notes)
    problems: list[str] = field(default_factory=list)

    def problem(self, where: str, what: str) -> None:
        self.problems.append(f"{printable(where)}: {what}")

    def wrong(self, where: str, takes: str, value: JSON) -> None:
        self.problem(where, f"{takes} expected, not {kind_of(value)}.")

    def finish(self, name: str) -> None:
        """Raises QaseIacError if there was a problem."""
        if self.problems:
            more = len(self.problems) - _SHOWN
            listed = "\n".join(self.problems[:_SHOWN]) + (f"\n… and {more:,} more" if more > 0 else "")
            count = f"{len(self.problems):,} problem{'s' if len(self.problems) > 1 else ''}"
            hint = "Nothing was written. Export the file again, or mend these places."
            raise QaseIacError(f"This is no {name} that can be converted: {count}.", listed, hint)

    def text(self, entity: dict[str, Any], name: str, where: str) -> str:
        """A text; "" for null, numbers as they are written."""
        value = entity.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            if isinstance(value, int | float) and not isinstance(value, bool):
                return str(value)
            self.wrong(f"{where}.{name}", "a text", value)
            return ""
        if not value.isascii() and _SURROGATE.search(value):
            self.notes.add("half a character (a lone surrogate) became U+FFFD", f"{where}.{name}")
            return _SURROGATE.sub("\ufffd", value)
        return value

    def title(self, entity: dict[str, Any], where: str, label: str) -> str:
        """A title as the format wants it: one line, not empty, at most 255 characters."""
        title = self.text(entity, "title", where).strip("\r\n")
        if not title.strip():
            self.notes.add(f"{label}s without a title, now called Untitled", where)
            return f"Untitled {label} {entity.get('id') or ''}".strip()[:MAX_TITLE]
        if "\n" in title or "\r" in title:
            self.notes.add(f"titles of {label}s over several lines, joined to one", where)
            title = re.sub(r"\s*[\r\n]+\s*", " ", title)
        if len(title) > MAX_TITLE:
            self.notes.add(f"titles of {label}s cut at {MAX_TITLE} characters", where)
            title = title[: MAX_TITLE - 1] + "…"
        return title

    def items(self, entity: dict[str, Any], name: str, where: str) -> list[JSON]:
        """A list; null is an empty one, and so is an object with numbers for keys, as PHP writes lists."""
        value = entity.get(name)
        if value is None or value == "":
            return []
        if isinstance(value, dict) and all(key.isdecimal() for key in value):
            return list(value.values())
        if isinstance(value, list):
            return value
        self.wrong(f"{where}.{name}", "a list", value)
        return []

    def objects(self, entity: dict[str, Any], name: str, where: str) -> list[tuple[dict[str, Any], str]]:
        """The objects of a list with their places; nulls in it are passed over."""
        found = []
        for at, item in enumerate(self.items(entity, name, where)):
            if isinstance(item, dict):
                found.append((item, f"{where}.{name}[{at}]"))
            elif item is not None:
                self.wrong(f"{where}.{name}[{at}]", "an object", item)
        return found

    def unknown(self, entity: dict[str, Any], known: Collection[str], what: str) -> None:
        """Notes what has no place in the format, unless it says nothing."""
        for name, value in entity.items():
            if name not in known and value not in _EMPTY:
                said = value if isinstance(value, str | int | float) else "…"
                self.notes.add(f"left out, the format has no `{printable(name)}` for {what}s", str(said).lower())


def kind_of(value: JSON) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
