"""What editors do to a text without anyone having changed it: escapes, entities, line ends.

Qase's editor puts backslashes before Markdown's punctuation when somebody saves, and a service may answer with
entities (qase-api-quirks.md, 20). Such a difference is never an edit of somebody's. It is no licence to rewrite:
values are shown, sent and recorded as they stand; only the question "did anybody change this?" is asked of `calm`.
"""

from __future__ import annotations

import re

from qase_iac.values import JSON

_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#039;": "'", "&apos;": "'"}
_ENTITY = re.compile("|".join(_ENTITIES))
_ESCAPE_OR_CODE = re.compile(
    r"\\([!-/:-@\[-`{-~])|^([`~]{3,}).*?^\2|(`+)(?!`).*?(?<!`)\3(?!`)", re.DOTALL | re.MULTILINE
)
"""An escape, or code, in which a backslash is a backslash."""


def calm(value: JSON) -> JSON:
    """A canonical value with the noise taken out of every text in it. Equal results: nobody edited anything."""
    if isinstance(value, str):
        return calm_text(value)
    if isinstance(value, list):
        return [calm(item) for item in value]
    if isinstance(value, dict):
        return {name: calm(item) for name, item in value.items()}
    return value


def calm_text(text: str) -> str:
    """One text, without noise and without white space around it."""
    return without_noise(text).strip()


def without_noise(text: str) -> str:
    """One text with CR as LF, entities as characters, and no escapes outside code."""
    if "&" in text:
        text = _ENTITY.sub(lambda match: _ENTITIES[match.group()], text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\\" in text:
        text = _ESCAPE_OR_CODE.sub(lambda match: match.group(1) or match.group(), text)
    return text


def only_noise(one: JSON, other: JSON) -> bool:
    """Whether two canonical values differ in nothing but noise, if at all."""
    return bool(one == other or calm(one) == calm(other))
