"""What `--full` adds: an attribute's old and new value, told in the way that suits its type, and who changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qase_iac.attributes import Steps, Type
from qase_iac.kinds import BY_NAME
from qase_iac.plan import stepdiff
from qase_iac.plan.model import Action, AttributeChange, Change, Origin
from qase_iac.render.impact import impact_lines
from qase_iac.render.steplines import step_lines, step_words, whole_steps
from qase_iac.render.textdiff import Line
from qase_iac.render.valuediff import ARROW_WIDTH, difference, is_plain_list, list_difference, whole_value
from qase_iac.render.words import count, inline, is_empty, listed
from qase_iac.values import JSON, printable

Changes = Mapping[str, AttributeChange]
NO_CHANGES: Changes = {}


def type_of(kind: str, name: str) -> Type | None:
    """The type of an attribute by the kind's table; None for a name that is not in it."""
    try:
        return BY_NAME[kind].attribute(name).type
    except KeyError:
        return None


def canonical(type: Type | None, value: JSON) -> JSON:
    """The form that decides equality, so that a final line break is not shown as a change."""
    if type is None:
        return value
    try:
        return type.canon(value)
    except (TypeError, AttributeError, KeyError, ValueError, RecursionError):
        return value


def tags(change: Change) -> dict[str, str]:
    """name -> "theirs" or "conflict" of a change's attributes, where ours are among them; else nothing needs saying."""
    origins = {name: each.origin for name, each in change.sent.items()}
    mixed = len(set(origins.values())) > 1
    return {name: origin.value for name, origin in origins.items() if mixed and origin is not Origin.OURS}


def attribute_words(kind: str, name: str, change: AttributeChange, tag: str = "") -> str:
    """The attribute's name, with who changed it (`tag`) and how much of it, where that can be counted."""
    type, found = type_of(kind, name), ""
    if isinstance(type, Steps):
        edits = stepdiff.difference(change.before, change.after) or ()
        found = step_words(edits, len(change.before or ()), len(change.after or ())) if edits else ""
    elif is_plain_list(change.before) and is_plain_list(change.after) and (change.before or change.after):
        removed, added = list_difference(change.before, change.after)
        numbers = (("added", len(added)), ("removed", len(removed)))
        found = ", ".join(f"{number:,} {what}" for what, number in numbers if number) or "other order"
    said = ": ".join(part for part in (tag, found) if part)
    return f"{printable(name)} ({said})" if said else printable(name)


def change_lines(change: Change, agreed: int = 0, base: Changes = NO_CHANGES) -> Iterator[Line]:
    """Everything about one change. `agreed` attributes are known to be equal on both sides and only counted.

    `base` says what became in Qase of each attribute since the last apply: how conflicts are told from both sides.
    """
    if change.action is Action.DELETE and change.blocked:
        yield Line(" ", f"{inline(change.title)} (id {inline(change.id)})")
    tagged = tags(change)
    for name, attribute in change.attributes.items():
        tag = tagged.get(name, "")
        if change.action is Action.CREATE:
            yield from value_lines(name, attribute.after, type_of(change.kind, name))
        elif attribute.origin is Origin.CONFLICT and name in base:
            yield from conflict_lines(change.kind, name, base[name], attribute)
        elif attribute.origin is not Origin.BOTH:
            yield from attribute_lines(change.kind, name, attribute, tag=tag)
    both = [name for name, each in change.attributes.items() if each.origin is Origin.BOTH]
    if both:
        yield Line(" ", f"(already so in Qase: {listed(both)})")
    yield from impact_lines(change)
    if agreed:
        yield Line(" ", f"({count(agreed, 'unchanged attribute')})")


def attribute_lines(
    kind: str, name: str, change: AttributeChange, depth: int = 0, *, tag: str = "", label: str = ""
) -> Iterator[Line]:
    """One attribute's difference, under its name or another `label`."""
    type, shown = type_of(kind, name), (label or printable(name)) + (f" ({tag})" if tag else "")
    if isinstance(type, Steps):
        edits = stepdiff.difference(change.before, change.after)
        if edits is not None:
            yield Line(" ", f"{shown}:", depth)
            yield from step_lines(edits, len(change.before or ()), len(change.after or ()), depth + 1)
            return
    yield from difference(shown, canonical(type, change.before), canonical(type, change.after), depth)


def conflict_lines(kind: str, name: str, theirs: AttributeChange, change: AttributeChange) -> Iterator[Line]:
    """What both sides made of what was there after the last apply. `theirs` leads from there to what Qase holds."""
    ours = AttributeChange(theirs.before, change.after, Origin.OURS)
    values = [inline(canonical(type_of(kind, name), value)) for value in (theirs.before, theirs.after, ours.after)]
    yield Line(" ", f"{printable(name)} (conflict):")
    if all(len(value) <= ARROW_WIDTH and "\\n" not in value for value in values) and not isinstance(ours.after, list):
        for label, value in zip(("last applied", "in Qase", "in the files"), values, strict=True):
            yield Line(" ", f"{label}: {value}", 1)
        return
    yield from attribute_lines(kind, name, theirs, 1, label="in Qase since the last apply")
    yield from attribute_lines(kind, name, ours, 1, label="in the files since the last apply")


def value_lines(name: str, value: JSON, type: Type | None = None) -> Iterator[Line]:
    """One value in full, as on a create; nothing where there is nothing."""
    steps = stepdiff.canonical_steps(value) if isinstance(type, Steps) else None
    value = canonical(type, value)
    if steps:
        yield Line(" ", f"{printable(name)}:")
        yield from whole_steps(" ", steps, 1)
    elif not is_empty(value):
        yield from whole_value(printable(name), value, 0)
