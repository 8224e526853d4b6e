"""`--select`, `--exclude` and `--changed-since`: a part of the plan, and what that part needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.globs import matches
from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, Change, Options
from qase_iac.values import printable

LISTED = 20
"""So many of the changes that were left out are named."""


def select(changes: Mapping[str, Change], edges: Mapping[str, set[str]], options: Options) -> list[Change]:
    """The changes that match, with everything they need, in their order.

    An exclusion wins over a selection, and what needs something excluded goes out with it.
    """
    if not options.select and not options.exclude and options.touched is None:
        return list(changes.values())
    wanted = {a for a, c in changes.items() if not options.select or _any(options.select, c)}
    if options.touched is not None:
        wanted &= _by_branch(options.touched, changes)
        edges = {a: {n for n in needed if changes[n].action is Action.CREATE} for a, needed in edges.items()}
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


def untouched(changes: Mapping[str, Change], planned: Iterable[Change], options: Options) -> list[Diagnostic]:
    """Says what `--changed-since` left out."""
    planned_addresses = {change.address for change in planned}
    left = [] if options.touched is None else [a for a in changes if a not in planned_addresses | options.touched]
    if not left:
        return []
    named = ", ".join(left[:LISTED]) + (f" and {len(left) - LISTED} more" if len(left) > LISTED else "")
    return [
        Diagnostic(
            "untouched",
            f"Left out {len(left)} change{'s' if len(left) > 1 else ''} that this branch did not make: {named}.",
            f"Their YAML is as it was where the branch left {printable(options.changed_since or '')}. Others may have "
            "changed them since: this plan does not undo that.",
            severity=Severity.WARNING,
        )
    ]


def _by_branch(touched: Set[str], changes: Mapping[str, Change]) -> set[str]:
    """A renamed key counts as touched by either name."""
    return {a for a, change in changes.items() if a in touched or change.moved_from in touched}


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
