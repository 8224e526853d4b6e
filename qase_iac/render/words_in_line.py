"""The changed words of a line, marked as git's word diff marks them: `A basket with [-one item-]{+two items+}.`

The marks survive pipes and pages; a terminal with colours shows red and green beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from qase_iac.plan.alike import opcodes
from qase_iac.values import printable

Part = tuple[str, str]
"""(what became of it: "", "-" or "+"; the text, safe to print)."""

MARKS = {"": ("", ""), "-": ("[-", "-]"), "+": ("{+", "+}")}
ALIKE = 0.4
"""So much of the longer line must be in both for its words to be marked; else two lines are easier to read."""
SHORT = 15
"""Characters of a line whose two versions are taken in at a glance, one below the other."""
LONGEST = 3_000
"""Words of a line that are compared."""
FAR, NEAR = 72, 28
"""Unchanged text of a line beyond FAR characters is cut down to NEAR of them beside each change."""

_WORD = r"\s+|[\u3040-\u30ff\u3400-\u9fff]|(?:\w|[^\s\x00-\x7f\u3040-\u30ff\u3400-\u9fff])+|[^\w\s]"
"""Compiled when a difference is shown. White space, one ideograph, a word with its marks and joiners, or one sign."""
_TAKEN = re.compile(r"\[-|-\]|\{\+|\+\}")


def marked(parts: Iterable[Part]) -> str:
    """The parts as one text with their marks."""
    return "".join(f"{MARKS[kind][0]}{text}{MARKS[kind][1]}" for kind, text in parts)


def is_plain(before: str, after: str) -> bool:
    """Whether two versions of a line are so short that one below the other says more; blanks are never plain."""
    return max(len(before), len(after)) <= SHORT and before.split() != after.split()


def changed_words(before: str, after: str) -> tuple[Part, ...]:
    """One line's two versions as one; () where they have too little in common, or hold the marks themselves."""
    if _TAKEN.search(before) or _TAKEN.search(after):
        return ()
    old, new = re.findall(_WORD, before), re.findall(_WORD, after)
    if max(len(old), len(new)) > LONGEST:
        return ()
    parts = list(_joined(_parts(old, new)))
    same = sum(len(text) for kind, text in parts if not kind)
    if same < ALIKE * max(len(before), len(after)):
        return ()
    return tuple(_shortened(parts))


def _parts(old: Sequence[str], new: Sequence[str]) -> Iterator[Part]:
    for tag, start, end, other_start, other_end in opcodes(old, new):
        if tag == "equal":
            yield "", "".join(old[start:end])
        else:
            yield "-", "".join(old[start:end])
            yield "+", "".join(new[other_start:other_end])


def _joined(parts: Iterable[Part]) -> Iterator[Part]:
    """Neighbouring changes as one: what is between them is part of them where it is nothing but a blank."""
    removed = added = held = ""
    for kind, text in parts:
        if kind and text:
            removed += held + (text if kind == "-" else "")
            added += held + (text if kind == "+" else "")
            held = ""
        elif not text.strip() and (removed or added):
            held += text
        else:
            yield from _change(removed, added)
            yield "", held + text
            removed = added = held = ""
    yield from _change(removed, added)
    if held:
        yield "", held


def _change(removed: str, added: str) -> Iterator[Part]:
    if removed:
        yield "-", removed
    if added:
        yield "+", added


def _shortened(parts: Sequence[Part]) -> Iterator[Part]:
    """Long unchanged stretches cut, all of it safe to print."""
    last = len(parts) - 1
    for at, (kind, text) in enumerate(parts):
        if not kind and len(text) > FAR:
            start = text[:NEAR].rpartition(" ")[0] or text[:NEAR]
            end = text[-NEAR:].partition(" ")[2] or text[-NEAR:]
            text = f"{start} " * bool(at) + "…" + f" {end}" * (at < last)
        yield kind, printable(text)
