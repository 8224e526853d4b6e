"""`--select` and `--exclude`: a part of the plan, and what that part needs."""

from __future__ import annotations

from collections.abc import Mapping

from qase_iac.globs import matches
from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Change, Options


def select(changes: Mapping[str, Change], edges: Mapping[str, set[str]], options: Options) -> list[Change]:
    """The changes that match, with everything they need, in their order.

    An exclusion wins over a selection, and what needs something excluded goes out with it.
    """
    if not options.select and not options.exclude:
        return list(changes.values())
    wanted = {a for a, c in changes.items() if not options.select or _any(options.select, c)}
    _close(wanted, edges)
    unwanted = {a for a, c in changes.items() if _any(options.exclude, c)}
    for address in changes:  # in order of execution, so that what is needed was seen before
        if edges[address] & unwanted:
            unwanted.add(address)
    wanted -= unwanted
    return [change for address, change in changes.items() if address in wanted]


def _close(wanted: set[str], edges: Mapping[str, set[str]]) -> None:
    queue = list(wanted)
    while queue:
        for needed in edges[queue.pop()] - wanted:
            wanted.add(needed)
            queue.append(needed)


def _any(patterns: tuple[str, ...], change: Change) -> bool:
    return any(_hits(pattern, change) for pattern in patterns)


def _hits(pattern: str, change: Change) -> bool:
    """Whether an address (exact, or with `*`) or a glob over suite keys means this change."""
    if pattern.partition(".")[0] in BY_NAME and "." in pattern:
        kind, _, key = pattern.partition(".")
        return change.kind == kind and (key == "*" or matches(key, change.key))
    if not BY_NAME[change.kind].owned_by_scope:
        return False
    return matches(pattern, change.key if BY_NAME[change.kind].nested_keys else change.suite)
