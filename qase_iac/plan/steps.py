"""Pairs the steps of two lists as a sequence: which step is which, although it was edited or moved.

One answer serves both what is shown (stepdiff.py) and what is done: attachments that the YAML leaves out are carried
over from the step's partner. Attachments themselves therefore say nothing about which step is which.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

from qase_iac.attributes.step_rows import STEP_TEXTS
from qase_iac.plan.alike import alike, in_common, likeness, opcodes
from qase_iac.plan.noise import calm_text
from qase_iac.values import JSON

LIKELY = 0.6
"""How alike a step must be to one at about the same place to be an edit of it; at the same place 0.5 is enough."""
MOVED = 0.7
"""The same for a step that stands elsewhere: chance likeness is more likely among more steps."""
MANY = 4_000
"""Steps that differ, on either side: beyond it no longest common sequence is looked for, since that is quadratic."""

Key = tuple[object, ...]
Pairs = dict[int, int]
"""old position -> new position."""


class _Step(NamedTuple):
    """What tells a step from others: all it says, its beginning, and what likeness is measured on."""

    whole: Key
    head: Key
    action: str
    text: str


def carry_attachments(
    wanted: list[JSON],
    live: list[JSON],
    bind: Callable[[], list[JSON]] | None = None,
    known: list[JSON] | None = None,
) -> list[JSON]:
    """`wanted` (DESIRED form) with omitted `attachments` taken from the live step each is paired with.

    `bind` gives the same steps with references bound, as the live ones have them. Carried files appear as
    `{"hash": …}`; the caller adds their names. A step that Qase has no more gets those of its partner in `known`, what
    Qase held after the last apply; steps without any partner get none.
    """
    known = known or []
    if not (any(map(_has_files, live)) or any(map(_has_files, known))):
        return wanted
    bound = bind() if bind else wanted
    now, then = dict(pair(bound, live)), dict(pair(bound, known)) if known else {}
    carried = list(wanted)
    for mine, step in enumerate(wanted):
        old = known[then[mine]] if mine in then else {}
        partner = live[now[mine]] if mine in now else old
        if "shared" in step or "shared" in partner:
            continue
        extra: dict[str, JSON] = {}
        if "attachments" not in step and partner.get("attachments"):
            extra["attachments"] = [{"hash": hash} for hash in partner["attachments"]]
        if step.get("steps"):
            below = partner.get("steps") or [], bound[mine]["steps"], old.get("steps")
            if (nested := _carry_nested(step["steps"], *below)) is not step["steps"]:
                extra["steps"] = nested
        if extra:
            carried[mine] = step | extra
    return carried


def _carry_nested(wanted: list[JSON], live: list[JSON], bound: list[JSON], known: list[JSON] | None) -> list[JSON]:
    return carry_attachments(wanted, live, lambda: bound, known)


def follow_attachments(known: list[JSON], declared: list[JSON], live: list[JSON]) -> list[JSON]:
    """What the state has, with the attachments that `declared` leaves out as `live` has them now. All are bound.

    Whoever attached or took away such a file edited nothing that is managed: no side of the comparison may differ
    by it. Steps that one of the lists does not have keep what they hold: there something else was edited, too.
    """
    if not (any(map(_has_files, live)) or any(map(_has_files, known))):
        return known
    now = dict(pair(declared, live))
    followed = list(known)
    for mine, then in pair(declared, known):
        step, old = declared[mine], known[then]
        partner = live[now[mine]] if mine in now else None
        if partner is None or "shared" in step or "shared" in old or "shared" in partner:
            continue
        changed: dict[str, JSON] = {}
        if "attachments" not in step:
            changed["attachments"] = partner.get("attachments") or []
        if all(each.get("steps") for each in (step, old, partner)):
            changed["steps"] = follow_attachments(old["steps"], step["steps"], partner["steps"])
        followed[then] = old | changed
    return followed


def _has_files(step: JSON) -> bool:
    return bool(step.get("attachments")) or any(_has_files(nested) for nested in step.get("steps") or ())


def pair(new: Sequence[JSON], old: Sequence[JSON]) -> Iterator[tuple[int, int]]:
    """Indexes (new, old) of steps that are the same one, each step at most once; by old index.

    In this order: the same in sequence; the same action in between; the same elsewhere; the same action elsewhere;
    alike in between; alike elsewhere. References to two shared steps are two steps.
    """
    olds, news = [_step(step) for step in old], [_step(step) for step in new]
    yield from sorted(((to, at) for at, to in _pairs(olds, news).items()), key=lambda pair: pair[1])


def _pairs(old: list[_Step], new: list[_Step]) -> Pairs:
    still = _sequence(old, new, lambda step: step.whole)
    for olds, news in _gaps(still, len(old), len(new)):
        inside = _sequence([old[at] for at in olds], [new[to] for to in news], lambda step: step.head)
        still |= {olds[at]: news[to] for at, to in inside.items()}
    found = dict(still)
    _elsewhere(old, new, found, lambda step: step.whole)
    _elsewhere(old, new, found, lambda step: step.head)
    if len(old) == len(new) == 1 and old[0].text and new[0].text:
        return {0: 0}  # the one step there is, whatever became of it
    found |= _likely(old, new, still, found)
    return found


def _likely(old: Sequence[_Step], new: Sequence[_Step], still: Pairs, found: Pairs) -> Pairs:
    """Pairs of steps that are alike among those that `found` leaves.

    Between two lists that have nothing else in common a few of them are chance: the list was written anew.
    """
    score = lru_cache(maxsize=None)(lambda at, to: _alike(old[at], new[to]))
    likely: Pairs = {}
    taken = set(found.values())
    for olds, news in _gaps(still, len(old), len(new)):
        near = alike(*_free(olds, news, found, taken), score, LIKELY, ordered=True)
        likely.update(near)
        taken.update(to for _, to in near)
    olds, news = range(len(old)), range(len(new))
    likely |= alike(*_free(olds, news, found | likely, taken), score, MOVED, ordered=False)
    return likely if found or 2 * len(likely) >= min(len(old), len(new)) else {}


def _step(step: JSON) -> _Step:
    if "shared" in step:
        key = ("shared", json.dumps(step["shared"], sort_keys=True))
        return _Step(key, key, "", "")
    texts = [calm_text(step.get(name) or "") for name in STEP_TEXTS]
    nested = tuple(_step(inner).whole for inner in step.get("steps") or ())
    return _Step((*texts, nested), (texts[0],) if texts[0] else (), texts[0], "\n".join(filter(None, texts)))


def _alike(one: _Step, other: _Step) -> float:
    if not one.text or not other.text:
        return 0.0
    return max(likeness(one.action, other.action), likeness(one.text, other.text))


def _sequence(old: Sequence[_Step], new: Sequence[_Step], key: Callable[[_Step], Key]) -> Pairs:
    """Pairs with equal keys along a longest common subsequence. Steps with an empty key are nobody's partner."""
    olds, news = [key(step) for step in old], [key(step) for step in new]
    head, tail = in_common(olds, news)
    found = {at: at for at in range(head)} | {len(old) - at: len(new) - at for at in range(1, tail + 1)}
    olds, news = olds[head : len(old) - tail], news[head : len(new) - tail]
    if olds and news and max(len(olds), len(news)) <= MANY:
        for tag, start, end, other, _ in opcodes(olds, news):
            found |= {head + at: head + other + at - start for at in range(start, end) if tag == "equal"}
    return {at: to for at, to in found.items() if key(old[at])}


def _gaps(still: Pairs, olds: int, news: int) -> Iterator[tuple[range, range]]:
    """What lies between the steps that stayed, on both sides."""
    at = to = 0
    for next_at, next_to in [*sorted(still.items()), (olds, news)]:
        if next_at > at and next_to > to:
            yield range(at, next_at), range(to, next_to)
        at, to = next_at + 1, next_to + 1


def _free(olds: range, news: range, found: Pairs, taken: Set[int]) -> tuple[list[int], list[int]]:
    """The positions without a partner so far; `taken` are the new ones that have one."""
    return [at for at in olds if at not in found], [to for to in news if to not in taken]


def _elsewhere(old: Sequence[_Step], new: Sequence[_Step], found: Pairs, key: Callable[[_Step], Key]) -> None:
    """Pairs what is left and has equal keys, wherever it stands; of several, the first."""
    olds, news = _free(range(len(old)), range(len(new)), found, set(found.values()))
    waiting: dict[Key, list[int]] = {}
    for to in reversed(news):
        waiting.setdefault(key(new[to]), []).append(to)
    for at in olds:
        if key(old[at]) and waiting.get(key(old[at])):
            found[at] = waiting[key(old[at])].pop()
