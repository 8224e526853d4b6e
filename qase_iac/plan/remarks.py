"""What is said of a change beside its attributes: notes, drift, findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set

from qase_iac.attributes import Steps
from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder, files_in, rows_with_references
from qase_iac.plan.diff import Verdict, displaced, only_lost
from qase_iac.plan.model import AttributeChange, Drift, Origin
from qase_iac.plan.noise import only_noise
from qase_iac.plan.ready import Ready, without_gone
from qase_iac.plan.stepdiff import as_json
from qase_iac.state.model import Binding
from qase_iac.values import JSON, Attributes, RemoteId

Addresses = Mapping[tuple[str, RemoteId], str]


def attribute_change(kind: Kind, name: str, before: JSON, after: JSON, origin: Origin) -> AttributeChange:
    """One attribute's change, with what became of each step where it is a list of them. Values as they are shown."""
    steps = as_json(before, after) if isinstance(kind.attribute(name).type, Steps) else None
    return AttributeChange(before, after, origin, steps)


def drift_of(
    kind: Kind,
    address: str,
    live: LiveObject,
    binding: Binding,
    names: Iterable[str],
    show: tuple[Binder, Addresses, dict[str, str]],
    both: Iterable[str] = (),
) -> Drift:
    """What changed in Qase since the last apply, by attribute. `show` is what values are shown by."""
    binder, addresses, paths = show
    attributes = {
        name: attribute_change(
            kind,
            name,
            binder.show_live(kind, name, binding.last_served(name), addresses, paths),
            binder.show_live(kind, name, live.attributes.get(name), addresses, paths),
            Origin.BOTH if name in both else Origin.THEIRS,
        )
        for name in kind.sort_names(set(names))
    }
    return Drift(address, live.id, "changed", attributes, live.title, _who(live))


def edited_since(kind: Kind, live: LiveObject, binding: Binding, snapshot: Snapshot) -> list[str]:
    """Attributes of a bound object that somebody changed in Qase since the last apply, in the table's order.

    What an attribute lost because something else was deleted, a test plan its case, say, nobody edited.
    """
    changed = []
    for name, sent in binding.sent.items():
        if name in binding.ignore:
            continue
        held, served = live.attributes.get(name), binding.last_served(name)
        if held not in (sent, served):
            canon = kind.attribute(name).type.canon
            row = rows_with_references(kind).get(name)
            left = canon(without_gone(row, served, snapshot, {}) if row else served)
            ours = any(only_noise(canon(held), canon(each)) for each in (sent, served))
            if not (ours or only_lost(canon(held), left)):
                changed.append(name)
    return kind.sort_names(changed)


def on(day: str) -> str:
    return f" on {day[:10]}" if day else ""


def notes(
    kind: Kind,
    ready: Ready,
    live: LiveObject,
    changes: Mapping[str, AttributeChange],
    binder: Binder,
    lost: Set[str] = frozenset(),
) -> tuple[str, ...]:
    """What people should know of a change: whose edits it undoes, what goes that no attribute of it names."""
    said = []
    if any(change.origin is Origin.THEIRS and name not in lost for name, change in changes.items()):
        said.append("reverts an edit made in Qase" + on(str(live.meta.get("updated_at") or "")))
    if lost & changes.keys():
        said.append("gets back what was deleted in Qase")
    dropped = {file for name, change in changes.items() for file in _lost(kind, name, change)}
    for name in changes:
        if other := displaced(kind, name, ready.wanted, live.attributes):
            said.append(f"replaces its {other}")
            shown = binder.show_live(kind, other, live.attributes[other], {}, {})
            dropped |= _files(kind, other, shown)
    if dropped:
        said.append(f"drops {len(dropped)} attachment{'s' if len(dropped) > 1 else ''}")
    return tuple(said)


def _lost(kind: Kind, name: str, change: AttributeChange) -> set[str]:
    return _files(kind, name, change.before) - _files(kind, name, change.after)


def _files(kind: Kind, name: str, value: JSON) -> set[str]:
    """The files in a shown value, by path or hash."""
    row = rows_with_references(kind).get(name)
    if row is None:
        return set()
    refs = row.type.refs(value)
    return {str(ref["hash"] if isinstance(ref, dict) else ref) for ref_kind, ref in refs if ref_kind == "attachment"}


def paths_of(kind: Kind, resource: Resource) -> dict[str, str]:
    """sha256 -> path of the files that a declared object holds."""
    return {sha: path for path, sha in files_in(kind, resource.attributes).items()}


def _who(live: LiveObject) -> Attributes:
    return {name: live.meta[name] for name in ("updated_at", "author_id") if live.meta.get(name)}


def findings(ready: Ready, verdict: Verdict) -> Iterator[Diagnostic]:
    """What cannot be told, or was taken on trust, in one comparison."""
    resource = ready.resource

    def finding(code: str, summary: str, detail: str = "") -> Diagnostic:
        return Diagnostic(code, summary, detail, resource.source, Severity.WARNING, str(resource.address))

    if ready.untold:
        yield finding(
            "unlisted-shared-step",
            "Steps use a shared step side by side that Qase does not list; how often cannot be told.",
            "A difference in the number of such references is never written.",
        )
    for path in ready.unverified:
        yield finding(
            "attachment-not-verified",
            f"{path} was taken for the file of the same name and size in Qase; its content was not compared.",
        )
    for name in verdict.refused:
        yield finding(
            "not_supported_by_server", f"Qase did not take this value of `{name}` before; it is not sent again."
        )
