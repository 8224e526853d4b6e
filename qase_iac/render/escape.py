"""Text from anyone as inert Markdown: no markup, no HTML, no link, no mention, no reference to an issue.

Entities are used throughout, since they mean the same inside HTML blocks (`<summary>`) as in Markdown. What GitHub
and GitLab look for after rendering (@name, #12, $math$, :emoji:, https://…) is cut in two by a `<span>`.
"""

from __future__ import annotations

import re

from qase_iac.values import printable

_SPECIAL = re.compile(r"[&<>\"\\`*~\[\]!|@#$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=\S)|(?i:www)\.")
"""An underscore inside a word is none of them, so that addresses and codes can be searched for."""
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_SPLIT = frozenset("@#$:")
_CODE = re.compile(r"(?:(?![`<>&@])[!-~])+\Z")
_QUOTED = re.compile(r"`([^`\n]+)`")


def md(text: str) -> str:
    """`text` on one line, to be read as it is."""
    return _SPECIAL.sub(_escape, printable(text))


def _escape(match: re.Match[str]) -> str:
    found = match.group()
    if found in _NAMED:
        return _NAMED[found]
    if found in _SPLIT:
        return f"<span>{found}</span>"
    return f"&#{ord(found)};" if len(found) == 1 else f"{found[:-1]}<span>.</span>"


def prose(text: str, most: int = 1_500) -> str:
    """A sentence of this tool: what it sets in backticks is set as code, all else is inert. At most so many bytes."""
    said, kept = _prose(text), len(text)
    while (size := len(said.encode())) > most and kept:
        kept = min(kept - 1, kept * most // size)
        said = _prose(text[:kept] + "…")
    return said


def _prose(text: str) -> str:
    parts = _QUOTED.split(text)
    return "".join(html_code(part) if at % 2 else md(part) for at, part in enumerate(parts))


def code(text: str) -> str:
    """An address or another short word, set as code."""
    return f"`{text}`" if _CODE.match(text) else html_code(text)


def html_code(text: str) -> str:
    """The same where Markdown is not read, as in `<summary>`."""
    return f"<code>{md(text)}</code>"


def pre(text: str) -> str:
    """A line for a `<pre>` block."""
    return printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
