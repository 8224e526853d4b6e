"""One change in words: its symbol, and what stands behind its address."""

from __future__ import annotations

from collections.abc import Iterator

from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, Change, Drift, Origin, Reason
from qase_iac.render.details import attribute_words, tags
from qase_iac.render.impact import impact_words
from qase_iac.render.style import Style
from qase_iac.render.who import place_words, who_words
from qase_iac.render.words import inline, listed
from qase_iac.values import JSON, printable

SYMBOLS: dict[Action, tuple[str, Style]] = {
    Action.CREATE: ("+", Style.ADD),
    Action.UPDATE: ("~", Style.CHANGE),
    Action.MOVE: (">", Style.MOVE),
    Action.DELETE: ("-", Style.DELETE),
    Action.ADOPT: ("=", Style.ADOPT),
    Action.FORGET: (".", Style.DIM),
    Action.NO_OP: ("~", Style.DIM),
}
BLOCKED = ("!", Style.ALARM)
DRIFTED: dict[str, tuple[str, Style]] = {
    "changed": ("~", Style.CHANGE),
    "vanished": ("-", Style.DELETE),
    "appeared": ("+", Style.ADD),
}
VERBS: dict[Action, str] = {action: action.value for action in Action} | {Action.NO_OP: "rename"}


def symbol(change: Change) -> tuple[str, Style]:
    return BLOCKED if change.blocked else SYMBOLS[change.action]


def words(change: Change, full: bool = False) -> str:
    """What happens, in one line that may be empty: the address and the symbol say the rest."""
    if change.blocked:
        return f"{VERBS[change.action]} blocked ({printable(change.blocked.code)})"
    return " · ".join(part for part in _parts(change, full) if part)


def _parts(change: Change, full: bool) -> Iterator[str]:
    match change.action:
        case Action.UPDATE:
            yield attributes(change)
        case Action.MOVE:
            yield moved(change)
        case Action.ADOPT:
            yield f"is {inline(change.id)} in Qase"
            differs = attributes(change)
            yield f"changes {differs}" if differs else ""
        case Action.FORGET:
            yield "gone from Qase" if change.reason is Reason.VANISHED else "stays in Qase, no longer managed"
        case Action.DELETE if full:
            yield f"{printable(change.title)} (id {inline(change.id)})"
        case Action.DELETE if not change.notes:
            yield printable(change.title)
        case _:
            pass
    if change.moved_from:
        yield f"renamed from {printable(change.moved_from)}" + (" (no request)" if not change.writes else "")
    yield from _remarks(change)


def _remarks(change: Change) -> Iterator[str]:
    if change.undoes and Origin.CONFLICT in change.origins:
        yield "overwrites an edit made in Qase"
    if change.undoes and Origin.THEIRS in change.origins and not any(n.startswith("reverts") for n in change.notes):
        yield "reverts an edit made in Qase"
    both = [name for name, each in change.attributes.items() if each.origin is Origin.BOTH]
    if both:
        yield f"already so in Qase: {listed(both)}"
    yield impact_words(change)
    yield from map(printable, change.notes)


def attributes(change: Change, but: str | None = None) -> str:
    """The attributes that are sent, each with how much of it changed, and by whom where that is not the same."""
    tagged = tags(change)
    shown = [(name, each) for name, each in change.sent.items() if name != but]
    return ", ".join(attribute_words(change.kind, name, each, tagged.get(name, "")) for name, each in shown)


def moved(change: Change) -> str:
    """ "from suite.old", and what else changes."""
    parent = BY_NAME[change.kind].parent
    place = change.attributes.get(parent or "")
    others = attributes(change, but=parent)
    return " · ".join(part for part in (f"from {_where(place.before)}" if place else "", others) if part)


def _where(value: JSON) -> str:
    if value is None:
        return "the root"
    if isinstance(value, dict) and value.keys() == {"external_id"}:
        return f"suite {inline(value['external_id'])} (not managed)"
    return inline(value)


def because(change: Change) -> str:
    """Why a change is blocked, with what stands in the way where the reason does not name it."""
    blocked = change.blocked
    if blocked is None:
        return ""
    missing = [address for address in blocked.by[:200] if address not in blocked.reason]
    many = len(blocked.by) > 200
    return blocked.reason + (f" Because of {listed(missing)}." if missing and not many else "")


def drift_words(drift: Drift) -> str:
    """What changed in Qase."""
    if drift.kind == "vanished":
        return "deleted in Qase"
    if drift.kind == "appeared":
        return (printable(drift.title) or "new in Qase") + place_words(drift) + who_words(drift)
    kind = drift.address.partition(".")[0]
    alike = {name: "as in the files" for name, each in drift.attributes.items() if each.origin is Origin.BOTH}
    words = (attribute_words(kind, name, each, alike.get(name, "")) for name, each in drift.attributes.items())
    names = ", ".join(words)
    return names + who_words(drift)
