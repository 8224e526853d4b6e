"""The file that `plan -o` wrote -> Plan.

It is believed only when every key and type is known and its digest fits: `from_json` and `read` raise StalePlan for
anything else, never another exception.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.errors import QaseIacError, StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import (
    FORMAT,
    Action,
    AttributeChange,
    Blocked,
    Change,
    Drift,
    Origin,
    Plan,
    Reading,
    Reason,
    Summary,
)
from qase_iac.plan.planfile import digest
from qase_iac.values import JSON, printable

MAX_BYTES = 256 * 1024 * 1024
PIECE = 4 * 1024 * 1024
MAX_DEPTH = 450
"""Of a value: steps nest 200 deep at most (a list and a mapping each), with room for what lies around them."""

DRIFT_KINDS = ("changed", "appeared", "vanished")

_HUGE = 10**300
_AGAIN = "Make a new one: qase-iac plan -o FILE"


class _Malformed(ValueError):
    """What is wrong and where, for people."""


_Reader = Callable[[Any, str], Any]
"""(JSON value, where it stands) -> the value of the model. Raises _Malformed."""


def read(path: Path) -> Plan:
    """The plan in a file. Raises StalePlan when it is not one or its digest is wrong, QaseIacError if unreadable."""
    shown = printable(str(path))
    try:
        with path.open("rb") as file:
            raw = bytearray()  # piece by piece: one large `read` takes that much memory for the smallest of files
            while len(raw) <= MAX_BYTES and (piece := file.read(PIECE)):
                raw += piece
    except OSError as error:
        raise QaseIacError(f"The plan file {shown} could not be read: {error.strerror or error}.") from error
    if len(raw) > MAX_BYTES:
        raise StalePlan(f"{shown} is no plan file: it holds more than {MAX_BYTES // 1024**2} MB.")
    try:
        data = json.loads(
            raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise StalePlan(f"{shown} is no plan file.", str(error), _AGAIN) from error
    plan = from_json(data)
    if plan.digest != digest(plan):
        raise StalePlan(
            f"The plan in {shown} was altered after it was made: its digest does not fit.",
            "A plan is executed exactly as it was approved, or not at all.",
            _AGAIN,
        )
    return plan


def from_json(data: JSON) -> Plan:
    """The plan that `to_json` wrote. Raises StalePlan for anything else; the digest is not checked here."""
    try:
        if isinstance(data, dict) and _is_int(data.get("format")) and data["format"] != FORMAT:
            raise _Malformed(f"its format is {data['format']}, this version of qase-iac reads {FORMAT}")
        plan: Plan = _PLAN(data, "plan")
    except (_Malformed, RecursionError) as error:
        detail = printable(str(error)) or "it nests too deeply"
        raise StalePlan("This is not a plan file, or it was altered.", f"What is wrong: {detail}.", _AGAIN) from error
    return plan


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large a number")
    return number


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _fail(where: str, takes: str) -> NoReturn:
    raise _Malformed(f"{where} is not {takes}")


def _text(value: Any, where: str) -> str:
    return value if isinstance(value, str) else _fail(where, "a text")


def _flag(value: Any, where: str) -> bool:
    return value if isinstance(value, bool) else _fail(where, "true or false")


def _count(value: Any, where: str) -> int:
    return int(value) if _is_int(value) and 0 <= value < _HUGE else _fail(where, "a whole number")


def _id(value: Any, where: str) -> int | str:
    return _count(value, where) if _is_int(value) else _text(value, where) or _fail(where, "an id")


def _address(value: Any, where: str) -> str:
    kind, _, key = _text(value, where).partition(".")
    return str(value) if kind in BY_NAME and key else _fail(where, "an address")


def _path(value: Any, where: str) -> str:
    """A file inside the project folder."""
    path = PurePosixPath(_text(value, where))
    inside = bool(value) and not path.is_absolute() and ".." not in path.parts and "\0" not in value
    return str(value) if inside else _fail(where, "a path inside the project folder")


def _json(value: Any, where: str, depth: int = 0) -> JSON:
    if depth > MAX_DEPTH:
        _fail(where, "a value of reasonable depth")
    if isinstance(value, dict):
        for name, item in value.items():
            _json(item, f"{where}.{_text(name, where)}", depth + 1)
    elif isinstance(value, list):
        for item in value:
            _json(item, where, depth + 1)
    elif isinstance(value, float) and value - value != 0:
        _fail(where, "a finite number")
    elif isinstance(value, int) and abs(value) >= _HUGE:
        _fail(where, "a number that JSON carries")
    elif not (value is None or isinstance(value, str | int | float)):
        _fail(where, "a JSON value")
    return value


def _optional(read: _Reader) -> _Reader:
    return lambda value, where: None if value is None else read(value, where)


def _word(words: type[StrEnum]) -> _Reader:
    known = {word.value: word for word in words}
    return lambda value, where: known.get(_text(value, where)) or _fail(where, f"one of {', '.join(known)}")


def _tuple(read: _Reader) -> _Reader:
    def items(value: Any, where: str) -> tuple[Any, ...]:
        if not isinstance(value, list):
            _fail(where, "a list")
        return tuple(read(item, f"{where}[{at}]") for at, item in enumerate(value))

    return items


def _list(value: Any, where: str) -> list[JSON]:
    return list(_tuple(_json)(value, where))


def _mapping(read: _Reader) -> _Reader:
    def pairs(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            _fail(where, "an object")
        return {_text(name, where): read(item, f"{where}.{name}") for name, item in value.items()}

    return pairs


def _record(make: Callable[..., Any], required: dict[str, _Reader], optional: dict[str, _Reader]) -> _Reader:
    """Reads an object with exactly these keys and hands them to `make` by name."""
    known = required | optional

    def record(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            _fail(where, "an object")
        for name in value:
            if name not in known:
                raise _Malformed(f"{where} has an unknown key {name!r}")
        for name in required:
            if name not in value:
                raise _Malformed(f"{where} has no {name!r}")
        return make(**{name: read(value[name], f"{where}.{name}") for name, read in known.items() if name in value})

    return record


def _change(**parts: Any) -> Change:
    """A change whose attributes are in its kind's table and whose uploads are among its files."""
    change = Change(**parts)
    kind = BY_NAME[change.kind]
    for name, values in change.attributes.items():
        try:
            kind.attribute(name)
        except KeyError:
            raise _Malformed(f"{change.address} has an unknown attribute {name!r}") from None
        if not (kind.holds(name, values.before) and kind.holds(name, values.after)):
            raise _Malformed(f"{change.address} gives {name!r} a value that is none")
    if not change.files.keys() >= set(change.uploads):
        raise _Malformed(f"{change.address} uploads a file without a digest")
    return change


def _finding(file: str, line: int, column: int, **parts: Any) -> Diagnostic:
    return Diagnostic(source=SourceRange(file, line, column), **parts)


def _plan(format: int, reverts: tuple[str, ...], **parts: Any) -> Plan:
    """`format` is the one there is: another was refused at first sight, whatever else is in such a file."""
    plan = Plan(**parts)
    if reverts != tuple(change.address for change in plan.undone):
        raise _Malformed("its `reverts` are not those of its changes")
    return plan


_ATTRIBUTES = _mapping(
    _record(
        AttributeChange,
        {"before": _json, "after": _json, "origin": _word(Origin)},
        {"steps": _list},
    )
)
_IMPACT = _mapping(_record(dict, {"count": _count, "names": _list}, {}))
_CHANGE = _record(
    _change,
    {
        "address": _address,
        "action": _word(Action),
        "id": _optional(_id),
        "reason": _word(Reason),
        "source": _optional(_text),
        "depends_on": _tuple(_text),
        "precondition": _optional(_text),
        "attributes": _ATTRIBUTES,
    },
    {
        "title": _text,
        "suite": _text,
        "files": lambda value, where: {_path(name, where): sha for name, sha in _mapping(_text)(value, where).items()},
        "uploads": _tuple(_path),
        "notes": _tuple(_text),
        "moved_from": _optional(_address),
        "impact": _IMPACT,
        "blocked": _record(Blocked, {"code": _text, "reason": _text, "by": _tuple(_text)}, {}),
    },
)


def _drift_kind(value: Any, where: str) -> str:
    return str(value) if value in DRIFT_KINDS else _fail(where, f"one of {', '.join(DRIFT_KINDS)}")


_DRIFT = _record(
    Drift,
    {"address": _text, "id": _id, "kind": _drift_kind, "attributes": _ATTRIBUTES},
    {"title": _text, "meta": _mapping(_json)},
)
_FINDING = _record(
    _finding,
    {
        "code": _text,
        "severity": _word(Severity),
        "summary": _text,
        "detail": _text,
        "file": _text,
        "line": _count,
        "column": _count,
        "address": _optional(_text),
    },
    {},
)
_PLAN = _record(
    _plan,
    {
        "format": _count,
        "tool": _text,
        "project": _text,
        "api": _text,
        "deletes": _flag,
        "config_digest": _text,
        "lineage": _text,
        "serial": _count,
        "stateless": _flag,
        "new_state": _flag,
        "allow_deletes": _optional(_count),
        "unlisted_deletes": _tuple(_text),
        "reading": _record(Reading, {"objects": _mapping(_count), "requests": _count}, {}),
        "summary": _record(Summary, {each.name: _count for each in fields(Summary)}, {}),
        "reverts": _tuple(_text),
        "requests": _count,
        "changes": _tuple(_CHANGE),
        "drift": _tuple(_DRIFT),
        "findings": _tuple(_FINDING),
        "digest": _text,
    },
    {},
)
