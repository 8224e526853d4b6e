"""Which objects are likely the same although nothing says so: title and content compared, one to one, never guessed.

Used where a key was renamed and the text edited at once (renames.py), and for what exists in Qase already
(suggest.py). Comparing all with all is quadratic: where there are many, only those are compared that share a rare
word of the title, or the content.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from qase_iac.attributes import normal_text
from qase_iac.kinds import Kind
from qase_iac.values import JSON, Attributes

SURE, RENAMED, LIKELY = 92.0, 85.0, 70.0
"""Out of 100: what may be taken for the same without asking, what stops a delete, what is worth showing."""
MARGIN = 5.0
"""By so much a pair must be better than every other pair of its two sides."""
OTHER_NUMBERS, OTHER_PLACE, ONLY_TITLE_OTHER_PLACE, ONLY_ONE_SAYS = 15.0, 10.0, 20.0, 5.0
"""What is taken away: "Release 1.0" is not "Release 1.1"; a title alone says little in another suite."""
FEW = 400_000
"""So many pairs are compared by title without choosing first: about a tenth of a second."""
POOL, NEAREST = 200, 8
"""Of many: so many are looked at for each, and so many of them closely."""
MOST_TEXT = 4_000
"""Characters of content that are compared."""
CUT = 45.0
"""A title that is less like another is compared no further, unless the content is the same."""

TELLING = 40
"""Characters of content. Who says the very same at the same place, and so much of it, is worth showing by any title."""

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Face:
    """What an object is recognised by: `name` is its address or its id, `place` what it lies in (bound).

    `title` and `content` are plain texts; content is "" where the object holds nothing but its title.
    """

    name: JSON
    title: str
    content: str = ""
    place: JSON = None

    @classmethod
    def of(cls, kind: Kind, name: JSON, attributes: Attributes) -> Face:
        """The face of an object; references in `attributes` are bound."""
        held = {row: kind.canon(row, attributes.get(row)) for row in kind.content if row != "title"}
        content = "\n".join(part for value in held.values() for part in _texts(value))[:MOST_TEXT]
        place = attributes.get(kind.parent) if kind.parent else None
        return cls(name, normal_text(attributes.get("title")).casefold(), content.casefold(), place)


class Pair(NamedTuple):
    """Two that are alike: the names of both sides, and how much (0 to 100)."""

    wanted: JSON
    held: JSON
    likeness: float


def _texts(value: JSON) -> Iterator[str]:
    """Every text inside a value, in order. Files do not count: the YAML may leave them out."""
    if isinstance(value, dict):
        for name in sorted(value):
            if name != "attachments":
                yield from _texts(value[name])
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value not in (None, ""):
        yield str(value)


def likeness(one: Face, other: Face) -> float:
    """How alike two objects of a kind are, 0 to 100."""
    from rapidfuzz.fuzz import ratio  # as late as possible: most plans need none of this

    found = ratio(one.title, other.title)
    if found < 100 and _NUMBER.findall(one.title) != _NUMBER.findall(other.title):
        found -= OTHER_NUMBERS
    if one.content and other.content:
        found = (found + ratio(one.content, other.content)) / 2
    elif one.content or other.content:
        found -= ONLY_ONE_SAYS
    if one.place != other.place:
        found -= OTHER_PLACE if one.content and other.content else ONLY_TITLE_OTHER_PLACE
    elif one.content == other.content and len(one.content) >= TELLING:
        found = max(found, LIKELY)
    return max(0.0, round(float(found), 2))


def alike(wanted: Sequence[Face], held: Sequence[Face], least: float) -> list[Pair]:
    """Pairs that are at least so much alike, the best first; each object may stand in several."""
    if not wanted or not held:
        return []
    nearest = _Nearest(held, many=len(wanted) * len(held) > FEW)
    found = [
        Pair(face.name, other.name, score)
        for face in wanted
        for other in nearest.to(face)
        if (score := likeness(face, other)) >= least
    ]
    return sorted(found, key=lambda pair: (-pair.likeness, str(pair.wanted), len(str(pair.held)), str(pair.held)))


def best_first(pairs: Iterable[Pair]) -> list[Pair]:
    """One to one: the best pair, then the best of what is left, and so on. `pairs` as `alike` gives them."""
    taken: set[tuple[str, JSON]] = set()
    chosen = []
    for pair in pairs:
        sides = {("wanted", pair.wanted), ("held", pair.held)}
        if not sides & taken:
            taken |= sides
            chosen.append(pair)
    return chosen


def clear_ones(pairs: Sequence[Pair]) -> tuple[list[Pair], dict[JSON, list[Pair]]]:
    """One to one, and only where no other pair comes near; the second maps each other `wanted` to what it may be."""
    by_side: dict[tuple[str, JSON], list[Pair]] = {}
    for pair in pairs:
        by_side.setdefault(("wanted", pair.wanted), []).append(pair)
        by_side.setdefault(("held", pair.held), []).append(pair)
    taken: set[tuple[str, JSON]] = set()
    chosen: list[Pair] = []
    doubtful: dict[JSON, list[Pair]] = {}
    for pair in pairs:
        sides = (("wanted", pair.wanted), ("held", pair.held))
        if taken.intersection(sides):
            continue
        rivals = [
            other
            for side in sides
            for other in by_side[side]
            if other != pair
            and other.likeness > pair.likeness - MARGIN
            and not taken.intersection((("wanted", other.wanted), ("held", other.held)))
        ]
        if not rivals:
            taken.update(sides)
            chosen.append(pair)
            continue
        group = dict.fromkeys(each.wanted for each in (pair, *rivals))
        for wanted in group:  # each with all that it may be
            mine = [each for each in by_side["wanted", wanted] if ("held", each.held) not in taken]
            doubtful[wanted] = [each for each in mine if each.likeness > mine[0].likeness - MARGIN]
        for wanted in group:
            taken |= {("wanted", wanted), *(("held", each.held) for each in doubtful[wanted])}
    return chosen, doubtful


@lru_cache(maxsize=20_000)
def _words(title: str) -> frozenset[str]:
    return frozenset(_WORD.findall(title))


class _Nearest:
    """Finds the few that are worth a closer look: of the same content, or of a like title."""

    def __init__(self, faces: Sequence[Face], many: bool) -> None:
        self._faces = faces
        self._titles = {at: face.title for at, face in enumerate(faces)}
        self._by_content: dict[str, list[int]] = {}
        self._by_word: dict[str, list[int]] | None = {} if many else None
        for at, face in enumerate(faces):
            if face.content:
                self._by_content.setdefault(face.content, []).append(at)
            if self._by_word is not None:
                for word in _words(face.title):
                    self._by_word.setdefault(word, []).append(at)

    def to(self, face: Face) -> list[Face]:
        from rapidfuzz.fuzz import ratio
        from rapidfuzz.process import extract

        titles = self._titles if self._by_word is None else self._pool(face, self._by_word)
        near = [at for _, _, at in extract(face.title, titles, scorer=ratio, score_cutoff=CUT, limit=NEAREST)]
        same = self._by_content.get(face.content, ())[:NEAREST] if face.content else ()
        return [self._faces[at] for at in dict.fromkeys((*near, *same))]

    def _pool(self, face: Face, by_word: dict[str, list[int]]) -> dict[int, str]:
        """Those that share the rarest words of the title."""
        pool: dict[int, str] = {}
        for places in sorted((by_word[word] for word in _words(face.title) if word in by_word), key=len):
            if pool and len(pool) + len(places) > POOL:
                break
            pool.update((at, self._titles[at]) for at in places[:POOL])
        return pool
