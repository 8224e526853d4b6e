"""What could not be kept as it was, counted, for the people who asked for the conversion."""

from __future__ import annotations

from dataclasses import dataclass, field

from qase_iac.values import printable

_SHOWN = 5
_LONG = 80


@dataclass
class Notes:
    """Each thing that is to be said once, with the places where it holds."""

    _found: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, what: str, where: str) -> None:
        """Notes `what` at `where` (a title, a word, a place in a file)."""
        places = self._found.setdefault(what, {})
        places[where] = places.get(where, 0) + 1

    def lines(self) -> list[str]:
        """`what (count): a, b, c and 12 more`, in the order in which things were first met."""
        return [_line(what, places) for what, places in self._found.items()]


def _line(what: str, places: dict[str, int]) -> str:
    named = [_short(where) for where in list(places)[:_SHOWN] if where]
    more = len(places) - _SHOWN
    listed = ", ".join(named) + (f" and {more:,} more" if more > 0 else "")
    return f"{what} ({sum(places.values()):,}){': ' + listed if listed else ''}"


def _short(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _LONG else shown[: _LONG - 1] + "…"
