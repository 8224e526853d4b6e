"""Who will read differently because of a change: counts for the line of the change, names below it."""

from __future__ import annotations

from collections.abc import Iterator

from qase_iac.kinds import KINDS
from qase_iac.plan.model import Change
from qase_iac.render.textdiff import Line
from qase_iac.render.words import count, inline, number, sentence
from qase_iac.values import JSON, printable

NAMED = 12
_WORDS = {kind.section: kind.label for kind in KINDS if kind.section}


def impact_words(change: Change) -> str:
    """ "12 cases, 2 plans and 3 suites read differently"; "" where nobody else is concerned."""
    counted = [_counted(section, found) for section, found in change.impact.items()]
    one = sum(_count(found) for found in change.impact.values()) == 1
    return f"{sentence(counted)} {'reads' if one else 'read'} differently" if counted else ""


def impact_lines(change: Change) -> Iterator[Line]:
    """Who that is, by name."""
    if change.impact:
        yield Line(" ", "reads differently:")
    for section, found in change.impact.items():
        names = [inline(name) for name in found["names"][:NAMED]]
        more = _count(found) - len(names)
        yield Line(
            " ", f"{_counted(section, found)}: {', '.join(names)}{f' and {number(more)} more' if more else ''}", 1
        )


def _counted(section: str, found: JSON) -> str:
    return count(_count(found), _WORDS.get(section) or printable(section))


def _count(found: JSON) -> int:
    return int(found["count"])
