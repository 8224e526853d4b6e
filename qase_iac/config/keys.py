"""Keys: what is legal, what to propose instead, and how a suite's key is made of its folder's name."""

from __future__ import annotations

import yaml

from qase_iac.attributes.base import Attribute, is_null, scalar
from qase_iac.attributes.text import Text
from qase_iac.config.reporter import FileReporter
from qase_iac.kinds import Kind
from qase_iac.values import MAX_KEY, SEGMENT, is_key, printable

RULE = f"A key has 1 to {MAX_KEY} characters: a-z, 0-9, `_`, `.`, `-`, and begins with a letter or a digit."
_KEY = Attribute("key", Text(), "")


def proposed(text: str) -> str:
    """A legal key of one segment, as near to `text` as it gets."""
    if is_key(text.lower()):
        return text.lower()
    from slugify import slugify  # costs as much as reading many files, and only slips need it

    return str(slugify(text[:500], max_length=64, word_boundary=True)) or "new-key"


def proposed_path(path: str) -> str:
    """A legal suite key for a path of folders."""
    return "/".join(part if SEGMENT.match(part) else proposed(part) for part in path.split("/"))[:MAX_KEY].rstrip("/")


def parse_key(kind: Kind, node: yaml.Node, reporter: FileReporter) -> str | None:
    """What `key:` says in a one-object file; a suite's may have several segments and a leading `/`."""
    value = scalar(node, _KEY, reporter, "a key")
    if value is None:
        return None
    key = value.strip()
    if not is_null(node) and is_key(key.removeprefix("/") if kind.nested_keys else key, segments=kind.nested_keys):
        return key
    summary = f"`{printable(key)}` is no legal key of a {kind.label}."
    more = " With a leading `/` it is the whole key." if kind.nested_keys else ""
    reporter.error(node, "bad-key", summary, f"{RULE}{more} Write `key: {proposed(key)}`.")
    return None
