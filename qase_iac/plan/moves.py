"""`moved`: bound objects under their new addresses. Each entry is applied once, ever."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME
from qase_iac.model import Moved
from qase_iac.plan.model import Blocked
from qase_iac.state.model import Binding


@dataclass
class Renames:
    """`bindings` under their new addresses; `renamed` maps new address -> old one.

    Where an entry leads to an address that another object keeps, nothing is renamed, and both addresses are in
    `blocked`: the one would be deleted, the other be written to in the belief that it is the first.
    """

    bindings: dict[str, Binding] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, Blocked] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)


def rename(bindings: Mapping[str, Binding], moved: Iterable[Moved], applied: Iterable[str]) -> Renames:
    """Carries out the entries of `moved` that no earlier run applied.

    They apply at once when every `from` is bound (so that swaps work), else in order. A suite's entry carries all
    suites below it, save those that an entry of their own leads elsewhere.
    """
    done = set(applied)
    fresh = [entry for entry in moved if f"{entry.origin} -> {entry.target}" not in done]
    names = {address: address for address in bindings}
    found = Renames()
    at_once = all(_carried(names, entry) for entry in fresh)
    for group in [fresh] if at_once else [[entry] for entry in fresh]:
        _rename_at_once(names, group, found)
    found.bindings = {new: bindings[old] for new, old in names.items()}
    found.renamed = {new: old for new, old in names.items() if new != old}
    return found


def _carried(names: Mapping[str, str], entry: Moved) -> dict[str, str]:
    """old address -> new address of all that an entry renames among the current names."""
    origin, target = str(entry.origin), str(entry.target)
    carried = {origin: target} if origin in names else {}
    if BY_NAME[entry.origin.kind].nested_keys:
        below = origin + "/"
        carried |= {name: target + name[len(origin) :] for name in names if name.startswith(below)}
    return carried


def _rename_at_once(names: dict[str, str], entries: list[Moved], found: Renames) -> None:
    changes: dict[str, tuple[str, Moved]] = {}
    for entry in sorted(entries, key=lambda entry: -len(entry.origin.key)):
        for name, target in _carried(names, entry).items():
            changes.setdefault(name, (target, entry))
    while stuck := _stuck(names, changes):
        for name in stuck:
            target, entry = changes.pop(name)
            _refuse(name, target, entry, found)
    old = {target: names.pop(name) for name, (target, _) in changes.items()}
    names.update(old)


def _stuck(names: Mapping[str, str], changes: Mapping[str, tuple[str, Moved]]) -> list[str]:
    """Names whose new address is held by something that keeps it, or gets it."""
    taken: set[str] = set()
    stuck = []
    for name, (target, _) in changes.items():
        if target in taken or (target in names and target not in changes):
            stuck.append(name)
        taken.add(target)
    return stuck


def _refuse(name: str, target: str, entry: Moved, found: Renames) -> None:
    summary = f"{name} cannot become {target}: that address is bound to another object."
    detail = "Take the entry out of `moved`, or free the address first. Both are left as they are until then."
    found.findings.append(Diagnostic("moved-onto-bound", summary, detail, entry.source, Severity.WARNING, target))
    reason = f"`moved` leads from {name} to {target}, and both are bound. Take the entry out, or free {target} first."
    found.blocked[name] = Blocked("moved_onto_bound", reason, (target,))
    found.blocked[target] = Blocked("moved_onto_bound", reason, (name,))
