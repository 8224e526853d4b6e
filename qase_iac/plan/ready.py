"""A declared object made comparable with its live one: what the YAML leaves to Qase is filled in, references bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qase_iac.attributes import Attribute
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder, rows_with_references
from qase_iac.plan.steps import carry_attachments, follow_attachments
from qase_iac.state.model import Binding
from qase_iac.values import JSON, Attributes, RemoteId, known_after_apply


@dataclass(frozen=True, slots=True)
class Ready:
    """`resource` as it is to be sent, `wanted` its attributes with references bound.

    `unverified` are paths taken for files in Qase by name and size. `untold`: shared steps that Qase does not list
    stand side by side, so `wanted` holds each run of them once (quirk 9).
    """

    resource: Resource
    wanted: Attributes
    unverified: list[str]
    untold: bool = False


def ready(
    kind: Kind,
    resource: Resource,
    live: LiveObject,
    binder: Binder,
    unlisted: set[str],
    binding: Binding | None = None,
) -> Ready:
    """Prepares a declared object for the comparison. `unlisted` are shared steps that Qase does not list."""
    unverified: list[str] = []
    known = binding.last_served("steps") if binding else None
    if known == live.attributes.get("steps"):
        known = None  # nearly always: then there is nothing that only the state has
    if binder.sees_files or known:
        resource = _carry(kind, resource, live, binder, known)
    if binder.sees_files:
        resource, unverified = binder.recognise(kind, resource, live)
    wanted = binder.bind(kind, resource.attributes)
    if unlisted and wanted.get("steps"):
        folded = fold(wanted["steps"], unlisted)
        if folded != wanted["steps"]:
            return Ready(resource, wanted | {"steps": folded}, unverified, untold=True)
    return Ready(resource, wanted, unverified)


Gone = dict[tuple[str, RemoteId], JSON]
"""(kind, id) of what vanished and is declared -> the reference to what takes its place."""


def remembered(kind: Kind, binding: Binding, made: Ready, live: LiveObject, gone: Gone, snapshot: Snapshot) -> Binding:
    """What the state knows of an object, comparable with `made`.

    A reference to something that vanished since is one to what takes its place: the files have not changed there. To
    what is gone from the files as well it is one to nothing: who deleted a case did not edit its test plans.
    """
    rows = rows_with_references(kind)
    if not gone:
        left = live.attributes
        rows = {
            name: row
            for name, row in rows.items()
            if name in binding.served or (name in binding.sent and binding.sent[name] != left.get(name))
        }
    if not rows:
        return binding

    def values(attributes: Attributes) -> Attributes:
        changed = {}
        for name in rows.keys() & attributes.keys():
            value = without_gone(rows[name], attributes[name], snapshot, gone)
            if value and made.untold and name == "steps":
                value = fold(value, snapshot.unknown_shared)
            changed[name] = value
        return attributes | changed if changed else attributes

    return replace(binding, sent=values(binding.sent), served=values(binding.served))


def without_gone(row: Attribute, value: JSON, snapshot: Snapshot, gone: Gone) -> JSON:
    """A bound value in which each reference to what Qase has no more is one to what takes its place, or to nothing."""

    def now(to: str, ref: JSON) -> JSON:
        if isinstance(ref, dict):
            return ref
        listed = to in BY_NAME and BY_NAME[to].owned_by_scope  # all of these were read; of the rest only what is bound
        missing = (to, ref) in snapshot.gone or (listed and snapshot.get(to, ref) is None)
        return gone.get((to, ref)) or (known_after_apply(f"{to}.{ref}") if missing else ref)

    return row.type.rebind(value, now) if value else value


def followed(kind: Kind, resource: Resource, live: LiveObject, binder: Binder, binding: Binding) -> Binding:
    """What the state knows, with what the YAML leaves to Qase inside of its steps as Qase has it now.

    `resource` is as declared, references to shared steps perhaps not resolved yet.
    """
    declared, held = resource.attributes.get("steps"), live.attributes.get("steps")
    if not (declared and held) or (binding.sent.get("steps") == held and "steps" not in binding.served):
        return binding

    def bound(to: str, ref: JSON) -> JSON:
        return binder.ids.get(ref["address"], ref) if "address" in ref else ref.get("external_id", ref)

    steps = kind.attribute("steps").type.rebind(declared, bound)

    def values(known: Attributes) -> Attributes:
        return known | {"steps": follow_attachments(known["steps"], steps, held)} if known.get("steps") else known

    sent, served = values(binding.sent), values(binding.served)
    if sent == binding.sent and served == binding.served:
        return binding
    return replace(binding, sent=sent, served=served)


def _carry(kind: Kind, resource: Resource, live: LiveObject, binder: Binder, known: JSON) -> Resource:
    """Steps with the attachments that the YAML leaves out taken from the live ones (authoring.md).

    Those of a step that is not there any more are taken from `known`, what Qase held after the last apply.
    """
    steps, held = resource.attributes.get("steps"), live.attributes.get("steps")
    if not steps or not (held or known):
        return resource
    carried = carry_attachments(steps, held or [], lambda: binder.bind(kind, {"steps": steps})["steps"], known)
    if carried is steps:
        return resource
    return replace(resource, attributes=resource.attributes | {"steps": _name_files(carried, binder)})


def _name_files(steps: list[JSON], binder: Binder) -> list[JSON]:
    named = []
    for step in steps:
        extra: dict[str, JSON] = {}
        if step.get("attachments"):
            extra["attachments"] = [binder.held_file(f["hash"]) if "hash" in f else f for f in step["attachments"]]
        if step.get("steps"):
            extra["steps"] = _name_files(step["steps"], binder)
        named.append(step | extra)
    return named


def fold(steps: list[JSON], unlisted: set[str]) -> list[JSON]:
    """Steps in which each run of a shared step that Qase does not list stands once."""
    folded: list[JSON] = []
    for step in steps:
        again = bool(folded) and step == folded[-1]
        if not (again and isinstance(step.get("shared"), str) and step["shared"] in unlisted):
            folded.append(step)
    return folded
