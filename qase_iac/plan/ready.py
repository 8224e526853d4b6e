"""A declared object made comparable with its live one: what the YAML leaves to Qase is filled in, references bound."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qase_iac.kinds import Kind
from qase_iac.model import LiveObject, Resource
from qase_iac.plan.bind import Binder, rows_with_references
from qase_iac.plan.steps import carry_attachments
from qase_iac.state.model import Binding
from qase_iac.values import JSON, Attributes, RemoteId


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


def ready(kind: Kind, resource: Resource, live: LiveObject, binder: Binder, unlisted: set[str]) -> Ready:
    """Prepares a declared object for the comparison. `unlisted` are shared steps that Qase does not list."""
    unverified: list[str] = []
    if binder.sees_files:
        resource, unverified = binder.recognise(kind, _carry(kind, resource, live, binder), live)
    wanted = binder.bind(kind, resource.attributes)
    if unlisted and wanted.get("steps"):
        folded = fold(wanted["steps"], unlisted)
        if folded != wanted["steps"]:
            return Ready(resource, wanted | {"steps": folded}, unverified, untold=True)
    return Ready(resource, wanted, unverified)


Gone = dict[tuple[str, RemoteId], JSON]
"""(kind, id) of what vanished and is declared -> the reference to what takes its place."""


def remembered(kind: Kind, binding: Binding, made: Ready, gone: Gone, unlisted: set[str]) -> Binding:
    """What the state knows of an object, comparable with `made`.

    A reference to something that vanished since is one to what takes its place: the files have not changed there.
    """

    def now(to: str, ref: JSON) -> JSON:
        return ref if isinstance(ref, dict) else gone.get((to, ref), ref)

    def values(attributes: Attributes) -> Attributes:
        changed = {}
        for name, row in rows_with_references(kind).items():
            value = attributes.get(name)
            if value and gone:
                value = row.type.rebind(value, now)
            if value and made.untold and name == "steps":
                value = fold(value, unlisted)
            changed[name] = value
        return {name: changed.get(name, value) for name, value in attributes.items()}

    if not gone and not made.untold:
        return binding
    return replace(binding, sent=values(binding.sent), served=values(binding.served))


def _carry(kind: Kind, resource: Resource, live: LiveObject, binder: Binder) -> Resource:
    """Steps with the attachments that the YAML leaves out taken from the live ones (authoring.md)."""
    steps, held = resource.attributes.get("steps"), live.attributes.get("steps")
    if not steps or not held:
        return resource
    carried = carry_attachments(steps, held, lambda: binder.bind(kind, {"steps": steps})["steps"])
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
