"""Where things go when a project folder is written: readable keys, folders for suites, names that no system trips over.

Titles are other people's data. Nothing of them reaches a path but `a-z`, `0-9` and `-`, so no title can leave the
folder, and no two names differ in case alone. Keys are given in the order of ids: an object that is added later does
not change the keys of those before it.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qase_iac.errors import QaseIacError
from qase_iac.values import MAX_KEY, UNSHOWN, RemoteId

MAX_SEGMENT = 60
"""Keys are cut here, at a word."""
MIN_SEGMENT = 16
"""With less room than this a suite deep down gets a whole key of its own instead of one below its parent's."""
LONG_PATH = 160
"""Folders whose path is longer get short names, so that the whole stays below what systems take."""
MAX_PATH = 2000
SHORT_SEGMENT = 12
ATTACHMENTS = "attachments"

_DEVICE = "con|prn|aux|nul|conin|conout|(?:com|lpt)[0-9]"
_DEVICES = re.compile(rf"(?:{_DEVICE})\Z")
"""Windows has no files of these names, whatever their ending."""
_RESERVED = re.compile(
    rf"(?:{_DEVICE}|cases?|suites?|milestones|shared-steps|plans|qase|catalogue|attachments|null|true|false|yes|no|on|off)\Z"
)
"""Words that a system, this format or YAML gives a meaning of its own."""
_UNSAFE_IN_NAMES = re.compile(rf'[{UNSHOWN}<>:"/\\|?*]+')


def slug(title: str, limit: int = MAX_SEGMENT) -> str:
    """The title as a key of at most `limit` characters, cut at a word; "" when nothing of it is left."""
    from slugify import slugify  # of no use to the commands that write no folder

    text = html.unescape(title[:1000]) if "&" in title else title[:1000]
    # Entities are seen to above: slugify's own reading of them fails on huge numbers.
    return cut(slugify(text, entities=False, decimal=False, hexadecimal=False), limit)


def cut(key: str, limit: int) -> str:
    """A key cut to `limit` characters, at a word if there is one to be kept."""
    if len(key) <= limit:
        return key
    words = key[: limit + 1].rpartition("-")[0]
    return (words if len(words) > limit // 3 else key[:limit]).rstrip("-")


@dataclass(frozen=True, slots=True)
class Named:
    """Something that needs a key: `label` is the word for it where the title gives none (`case-12`), `hint` a word
    that tells it from others of the same title (its suite's name)."""

    id: RemoteId
    title: str
    label: str
    hint: str = ""


def base_key(named: Named, limit: int) -> str:
    """The key that a title asks for: never empty, never a reserved word."""
    base = slug(named.title, limit) or cut(f"{named.label}-{slug(str(named.id), SHORT_SEGMENT) or 'x'}", limit)
    return f"{cut(base, limit - len(named.label) - 1)}-{named.label}" if _RESERVED.match(base) else base


@dataclass
class Keys:
    """The keys of one kind, each handed out once; `used` maps each to the hint of what has it."""

    used: dict[str, str] = field(default_factory=dict)
    _next: dict[str, int] = field(default_factory=dict)

    def give(self, named: Named, limit: int = MAX_SEGMENT, prefix: str = "") -> str:
        """A new key's own segment; `prefix` stands before it in the whole key.

        The title alone, else with the hint if that tells them apart, else with a number.
        """
        base = base_key(named, limit)
        found = base
        if named.hint and self.used.get(prefix + found, named.hint) != named.hint and not base.endswith(named.hint):
            found = f"{base}-{cut(named.hint, max(limit // 2, MIN_SEGMENT))}"
        if prefix + found in self.used:
            found = self._numbered(cut(base, limit - 5), prefix)
        self.used[prefix + found] = named.hint
        return found

    def below(self, named: Named, prefix: str, limit: int = MAX_SEGMENT) -> str:
        """A new key below `prefix`; with too little room there, one of its own."""
        room = MAX_KEY - len(prefix) - 8
        if room < min(limit, MIN_SEGMENT):
            return self.give(named, limit)
        return prefix + self.give(named, min(limit, room), prefix)

    def _numbered(self, base: str, prefix: str) -> str:
        number = self._next.get(prefix + base, 2)
        while prefix + f"{base}-{number}" in self.used:
            number += 1
        self._next[prefix + base] = number + 1
        return f"{base}-{number}"


def keys_for(things: Iterable[Named]) -> dict[RemoteId, str]:
    """id -> key, unique among them all. In the order given, which should be that of creation."""
    keys = Keys()
    return {each.id: keys.give(each) for each in things}


@dataclass(frozen=True, slots=True)
class SuitePlace:
    """A suite's key, its folder from the project folder, and what `key:` must say ("" when the folder says it)."""

    key: str
    folder: str
    explicit: str = ""


def place_suites(suites: Iterable[tuple[RemoteId, str, RemoteId | None]]) -> dict[RemoteId, SuitePlace]:
    """id -> place, for (id, title, parent's id or None) in the order of creation. Parents may come after children.

    A suite whose parent is not among them, or is below itself, stands at the top.
    """
    nodes = {id: (title, parent) for id, title, parent in suites}
    children: dict[RemoteId | None, list[RemoteId]] = {}
    for id, (_, parent) in nodes.items():
        children.setdefault(parent if parent in nodes else None, []).append(id)
    places: dict[RemoteId, SuitePlace] = {}
    keys = Keys()
    level = children.get(None, [])
    while level:
        for id in level:
            title, parent = nodes[id]
            above = places.get(parent) if parent is not None else None
            places[id] = _place(Named(id, title, "suite"), above, keys)
        level = [child for id in level for child in children.get(id, ())]
    for id in nodes:
        if id not in places:  # a ring: nobody's descendant
            places[id] = _place(Named(id, nodes[id][0], "suite"), None, keys)
    return places


def _place(named: Named, parent: SuitePlace | None, keys: Keys) -> SuitePlace:
    """Top-down, so that top suites have their keys before one deep down takes a whole key of its own."""
    above = parent.folder + "/" if parent else ""
    if len(above) > MAX_PATH:
        raise QaseIacError(
            "The suites are nested too deep to be written as folders.",
            f"The path of one of them has more than {MAX_PATH} characters.",
            "Move the innermost suites up, and try again.",
        )
    limit = SHORT_SEGMENT if len(above) > LONG_PATH else MAX_SEGMENT
    prefix = parent.key + "/" if parent else ""
    key = keys.below(named, prefix, limit)
    return SuitePlace(key, above + key.rpartition("/")[2], "" if key.startswith(prefix) else "/" + key)


def safe_file_name(name: str) -> str:
    """A file's own name as it is where every system takes it, else with the odd signs replaced."""
    text = _UNSAFE_IN_NAMES.sub("-", name).strip(" .") or "file"
    stem, dot, ending = text.rpartition(".")
    if _DEVICES.match((stem or ending).casefold().partition(".")[0].strip()):
        text = "file-" + text
    if len(text.encode()) > 120:
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        ending = f".{slug(ending, 10) or 'bin'}" if dot else ""
        text = f"{slug(stem or ending, 40) or 'file'}-{digest}{ending}"
    return text


def place_attachments(names: Mapping[str, str]) -> dict[str, str]:
    """hash -> path below the project folder, for hash -> file name; each has a folder, so that it keeps its name."""
    used: set[str] = set()
    places: dict[str, str] = {}
    for hash, name in names.items():
        sound = re.fullmatch("[0-9a-f]{8,64}", hash)
        plain = hash if sound else hashlib.sha256(hash.encode("utf-8", "replace")).hexdigest()
        folder = plain[:8] if plain[:8] not in used else plain
        used.add(folder)
        places[hash] = f"{ATTACHMENTS}/{folder}/{safe_file_name(name)}"
    return places
