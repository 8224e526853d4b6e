"""HTML by construction: text from anyone becomes inert where it enters, and only what `el` made is taken as markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from qase_iac.values import printable


class Html(str):
    """Markup that was made here. Nothing else is ever written into a page unescaped."""

    __slots__ = ()


NOTHING = Html("")


def text(value: str) -> Html:
    """`value` to be read as it is, in an element or an attribute; on one line."""
    return value if isinstance(value, Html) else Html(escape(printable(value)))


def el(name: str, *content: str, **attributes: str | bool) -> Html:
    """An element. Content that is no Html is escaped; True is an attribute without a value, False none.

    `_` in a name of an attribute is `-`, one at the end is dropped (`class_`).
    """
    written = "".join(_attribute(each.rstrip("_").replace("_", "-"), value) for each, value in attributes.items())
    return Html(f"<{name}{written}>{''.join(map(text, content))}</{name}>")


def _attribute(name: str, value: str | bool) -> str:
    if value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{text(value)}"'


def join(parts: Iterable[Html], between: str = "") -> Html:
    return Html(between.join(parts))
