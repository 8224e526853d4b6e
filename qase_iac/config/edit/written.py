"""Values as pieces of text, ready to be put in some place of a file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from qase_iac.config.dump import BLOCK_LISTS, dump, dump_inline
from qase_iac.config.writer import FilePath
from qase_iac.values import JSON


@dataclass(frozen=True, slots=True)
class Written:
    """`head` stands behind the colon or the dash, `body` are the lines below, with their indentation.

    What follows on the line stays behind the head; one of several lines is a text in which no comment may stand.
    """

    head: str
    body: tuple[str, ...] = ()


def shifted(lines: Iterable[str], by: int) -> list[str]:
    """Lines moved to the right, or to the left as far as they have spaces; empty ones stay empty."""
    if by >= 0:
        return [" " * by + line if line else line for line in lines]
    return [line[min(-by, len(line) - len(line.lstrip(" "))) :] for line in lines]


def below(value: JSON, column: int, name: str = "") -> Written:
    """The value of a key that stands in `column`; `name` is the key."""
    lists = {*BLOCK_LISTS, "k"} if name in BLOCK_LISTS else BLOCK_LISTS
    head, *body = _lines({"k": value}, lists)
    return Written(head[2:].strip(" "), tuple(shifted(body, column)))


def item(value: JSON, column: int) -> Written:
    """An item of a list whose dashes stand in `column`."""
    head, *body = _lines([value], BLOCK_LISTS)
    return Written(head[2:], tuple(shifted(body, column)))


def inline(value: JSON) -> Written:
    """The value inside `[ ]` or `{ }`."""
    return Written(dump_inline(value))


def key(name: str) -> str:
    """A key as it stands before its colon."""
    return dump_inline(name)


def _lines(value: JSON, lists: Iterable[str]) -> list[str]:
    return dump(value, block_lists=frozenset(lists)).split("\n")[:-1]


def placed(value: JSON, file: str) -> JSON:
    """`value` with every `FilePath` in it relative to the folder of a content file."""
    if isinstance(value, FilePath):
        return os.path.relpath("/" + value, "/" + file.rpartition("/")[0]).replace(os.sep, "/")
    if isinstance(value, dict):
        return {name: placed(each, file) for name, each in value.items()}
    return [placed(each, file) for each in value] if isinstance(value, list) else value
