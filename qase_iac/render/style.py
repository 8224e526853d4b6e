"""Colours for terminals, as plain escape codes: importing rich here would cost the start-up time that text must not."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum


class Style(StrEnum):
    """What a piece of text means; the value is its SGR code, "" for none."""

    PLAIN = ""
    ADD = "32"
    CHANGE = "33"
    DELETE = "31"
    MOVE = "36"
    ADOPT = "34"
    ALARM = "1;31"
    WARN = "1;33"
    HEAD = "1"
    DIM = "2"


Paint = Callable[[Style, str], str]


def plain(style: Style, text: str) -> str:
    """Paints nothing."""
    return text


def ansi(style: Style, text: str) -> str:
    """Paints with ANSI codes; empty text and PLAIN stay as they are."""
    return f"\x1b[{style.value}m{text}\x1b[0m" if style.value and text else text


def painter(color: bool) -> Paint:
    return ansi if color else plain
