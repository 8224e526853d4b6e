"""From one declared object to its change: create, update, move, adopt, rename, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder, addresses_in, files_in
from qase_iac.plan.diff import Stance, Verdict, compare
from qase_iac.plan.digests import live_digest
from qase_iac.plan.identity import How, Identities
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Drift, Options, Origin, Reason
from qase_iac.plan.scope import LiveSuites
from qase_iac.plan.steps import carry_attachments
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes


@dataclass
class Changes:
    """What comparing all declared objects came to."""

    by_address: dict[str, Change] = field(default_factory=dict)
    drift: list[Drift] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)
    observed: dict[str, Attributes] = field(default_factory=dict)
    kept_vanished: set[str] = field(default_factory=set)


class ChangeMaker:
    """Compares declared objects with live ones. One instance a plan; `out` collects."""

    def __init__(
        self,
        desired: Desired,
        snapshot: Snapshot,
        state: State,
        options: Options,
        found: Identities,
        suites: LiveSuites,
    ) -> None:
        self._desired = desired
        self._snapshot = snapshot
        self._options = options
        self._found = found
        self._suites = suites
        self.addresses = found.addresses()
        self.binder = Binder(found.ids, snapshot, state)
        self._known_files = {str(sha) for sha in state.files}
        self.out = Changes()

    def consider(self, resource: Resource) -> None:
        """Adds the change of one declared object to `out`, if it takes one."""
        address = str(resource.address)
        kind = BY_NAME[resource.address.kind]
        if address in self._found.vanished:
            change = self._vanished(kind, resource)
        elif address in self._found.ids:
            live = self._snapshot.objects[kind.name][self._found.ids[address]]
            change = self._existing(kind, resource, live)
        else:
            change = self._create(kind, resource, Reason.NEW)
        if change:
            self.out.by_address[address] = self._blocked_by_identity(change)

    def _blocked_by_identity(self, change: Change) -> Change:
        blocked = self._found.blocked.get(change.address)
        return replace(change, blocked=blocked) if blocked else change

    # -- objects that are not in Qase ---------------------------------------------------------------------------

    def _vanished(self, kind: Kind, resource: Resource) -> Change | None:
        address = str(resource.address)
        binding = self._found.bindings[address]
        title = str(resource.attributes.get("title", ""))
        self.out.drift.append(Drift(address, binding.id, "vanished", title=title))
        policy = self._options.on_drift or resource.policy.on_drift
        if policy == "keep":
            self.out.kept_vanished.add(address)
            return None
        change = self._create(kind, resource, Reason.VANISHED)
        if policy == "fail":
            reason = f"It was deleted in Qase (id {binding.id}), and `on_drift` is fail."
            return replace(change, blocked=Blocked("vanished", reason))
        return replace(change, notes=(f"was deleted in Qase (id {binding.id}); it gets a new id",))

    def _create(self, kind: Kind, resource: Resource, reason: Reason) -> Change:
        attributes = {
            name: AttributeChange(None, self.binder.show_desired(kind, name, resource.attributes[name]), Origin.OURS)
            for name in kind.sort_names(resource.attributes.keys())
        }
        change = self._change(kind, resource, Action.CREATE, reason, attributes)
        missing = next((row.name for row in kind.members if not resource.attributes.get(row.name)), None)
        if missing:
            return replace(
                change, blocked=Blocked("empty_plan", f"It has no {missing}, and Qase takes no empty {kind.label}.")
            )
        return change

    # -- objects that are ------------------------------------------------------------------------------------------

    def _existing(self, kind: Kind, resource: Resource, live: LiveObject) -> Change | None:
        address = str(resource.address)
        how = self._found.how[address]
        binding = self._found.bindings.get(address)
        resource = self._carry(resource, live)
        wanted, unverified = self.binder.bind(kind, resource, live)
        wanted = self._tellable(address, resource, wanted)
        unbound = Origin.CONFLICT if how is How.NATURAL else Origin.OURS
        stance = Stance.of(resource.policy, self._options.on_drift, self._options.on_conflict, unbound)
        verdict = compare(kind, wanted, live.attributes, binding, resource.ignore, stance)
        self._note(kind, resource, live, verdict, wanted, unverified)
        return self._judge(kind, resource, live, verdict, how)

    def _carry(self, resource: Resource, live: LiveObject) -> Resource:
        """Steps with the attachments that the YAML leaves out taken from the live ones."""
        steps, held = resource.attributes.get("steps"), live.attributes.get("steps")
        if not steps or not held:
            return resource
        carried = carry_attachments(steps, held)
        if carried is steps:
            return resource
        return replace(resource, attributes=resource.attributes | {"steps": self._name_files(carried)})

    def _name_files(self, steps: list[JSON]) -> list[JSON]:
        named = []
        for step in steps:
            files = [
                {"hash": f["hash"], "file": self._snapshot.files.get(f["hash"], {}).get("name", "")}
                if "hash" in f
                else f
                for f in step.get("attachments", ())
            ]
            extra: dict[str, JSON] = {"attachments": files} if files else {}
            if step.get("steps"):
                extra["steps"] = self._name_files(step["steps"])
            named.append(step | extra)
        return named

    def _tellable(self, address: str, resource: Resource, wanted: Attributes) -> Attributes:
        """With a shared step that Qase does not list, references side by side compare as one (quirk 9)."""
        unknown = self._snapshot.unknown_shared
        if not unknown or "steps" not in wanted:
            return wanted
        folded = _fold(wanted["steps"] or [], unknown)
        if folded == wanted["steps"]:
            return wanted
        self.out.findings.append(
            Diagnostic(
                "unlisted-shared-step",
                "Steps use a shared step side by side that Qase does not list; how often cannot be told.",
                "A difference in the number of such references is never written.",
                resource.source,
                Severity.WARNING,
                address,
            )
        )
        return wanted | {"steps": folded}

    def _note(
        self,
        kind: Kind,
        resource: Resource,
        live: LiveObject,
        verdict: Verdict,
        wanted: Attributes,
        unverified: set[str],
    ) -> None:
        """Records drift, agreement and findings of one comparison."""
        address = str(resource.address)
        binding = self._found.bindings.get(address)
        if binding and verdict.drifted:
            self.out.drift.append(self._drift(kind, resource, live, verdict))
        news = {
            name: wanted[name]
            for name in verdict.agreed
            if not binding or name not in binding.sent or name in verdict.both
        }
        if news:
            self.out.observed[address] = news
        for path in sorted(unverified):
            self._find(
                resource,
                "attachment-not-verified",
                f"{path} was taken for the file of the same name and size in Qase; its content was not compared.",
            )
        for name in verdict.refused:
            self._find(
                resource,
                "not_supported_by_server",
                f"Qase did not take this value of `{name}` before; it is not sent again.",
            )

    def _find(self, resource: Resource, code: str, summary: str) -> None:
        self.out.findings.append(
            Diagnostic(code, summary, "", resource.source, Severity.WARNING, str(resource.address))
        )

    def _drift(self, kind: Kind, resource: Resource, live: LiveObject, verdict: Verdict) -> Drift:
        address = str(resource.address)
        binding = self._found.bindings[address]
        paths = _paths(kind, resource)
        attributes = {
            name: AttributeChange(
                self.binder.show_live(kind, name, binding.last_served(name), self.addresses, paths),
                self.binder.show_live(kind, name, live.attributes.get(name), self.addresses, paths),
                Origin.BOTH if name in verdict.both else Origin.THEIRS,
            )
            for name in kind.sort_names(set(verdict.drifted))
        }
        return Drift(address, live.id, "changed", attributes, live.title, _who(live))

    def _judge(self, kind: Kind, resource: Resource, live: LiveObject, verdict: Verdict, how: How) -> Change | None:
        """The change that a verdict calls for."""
        address = str(resource.address)
        origins = verdict.write | verdict.failed
        renamed_from = self._found.renamed.get(address)
        if not origins and how is How.STATE:
            if verdict.refused:
                return self._refused(kind, resource, live, verdict)
            return self._renamed(kind, resource, live, renamed_from) if renamed_from else None
        origins |= dict.fromkeys(verdict.both, Origin.BOTH) if origins else {}
        attributes = self._attribute_changes(kind, resource, live, origins)
        action = _action(kind, how, origins)
        reason = _reason(how, origins)
        change = self._change(kind, resource, action, reason, attributes, live)
        change = replace(change, moved_from=renamed_from, notes=self._notes(kind, attributes, live, origins))
        if verdict.failed:
            return replace(change, blocked=_policy_block(verdict.failed, how))
        return replace(
            change, blocked=self._out_of_scope(kind, live) or self._drops_assignees(kind, resource, live, attributes)
        )

    def _attribute_changes(
        self, kind: Kind, resource: Resource, live: LiveObject, origins: Mapping[str, Origin]
    ) -> dict[str, AttributeChange]:
        paths = _paths(kind, resource)
        return {
            name: AttributeChange(
                self.binder.show_live(kind, name, live.attributes.get(name), self.addresses, paths),
                self.binder.show_desired(kind, name, resource.attributes[name]),
                origins[name],
            )
            for name in kind.sort_names(origins.keys())
        }

    def _refused(self, kind: Kind, resource: Resource, live: LiveObject, verdict: Verdict) -> Change:
        origins = dict.fromkeys(verdict.refused, Origin.OURS)
        attributes = self._attribute_changes(kind, resource, live, origins)
        change = self._change(
            kind, resource, _action(kind, How.STATE, origins), Reason.CONFIG_CHANGED, attributes, live
        )
        names = ", ".join(verdict.refused)
        return replace(
            change,
            blocked=Blocked("not_supported_by_server", f"Qase does not take this change of {names}; make it by hand."),
        )

    def _renamed(self, kind: Kind, resource: Resource, live: LiveObject, origin: str) -> Change:
        change = self._change(kind, resource, Action.NO_OP, Reason.MOVED, {}, live)
        return replace(change, moved_from=origin)

    def _out_of_scope(self, kind: Kind, live: LiveObject) -> Blocked | None:
        if not kind.owned_by_scope:
            return None
        place = live.id if kind.nested_keys else live.attributes.get(kind.parent or "")
        if self._suites.in_scope(self._desired.scope, place):
            return None
        return Blocked(
            "out_of_scope", f"In Qase it lies in {self._suites.key(place) or 'the root'}, outside the scope."
        )

    def _drops_assignees(
        self, kind: Kind, resource: Resource, live: LiveObject, attributes: Mapping[str, AttributeChange]
    ) -> Blocked | None:
        members = {row.name for row in kind.members} & attributes.keys()
        if not members or not live.meta.get("assignees") or resource.local.get("assignees") == "may_be_lost":
            return None
        reason = (
            f"{live.meta['assignees']} of its cases have an assignee; a change of {min(members)} may drop them. "
            "`assignees: may_be_lost` says that this is all right."
        )
        return Blocked("would_drop_assignees", reason)

    def _notes(
        self, kind: Kind, attributes: Mapping[str, AttributeChange], live: LiveObject, origins: Mapping[str, Origin]
    ) -> tuple[str, ...]:
        notes = []
        if Origin.THEIRS in origins.values():
            day = str(live.meta.get("updated_at") or "")[:10]
            notes.append(f"reverts an edit made in Qase on {day}" if day else "reverts an edit made in Qase")
        dropped = sum(
            len(_files(kind, name, change.before) - _files(kind, name, change.after))
            for name, change in attributes.items()
        )
        if dropped:
            notes.append(f"drops {dropped} attachment{'s' if dropped > 1 else ''}")
        return tuple(notes)

    # -- shared ------------------------------------------------------------------------------------------------------

    def _change(
        self,
        kind: Kind,
        resource: Resource,
        action: Action,
        reason: Reason,
        attributes: dict[str, AttributeChange],
        live: LiveObject | None = None,
    ) -> Change:
        names = set(attributes)
        files = files_in(kind, resource.attributes, names)
        needed = {ref for name in names for ref in addresses_in(kind, {name: resource.attributes[name]})}
        return Change(
            address=str(resource.address),
            action=action,
            id=live.id if live else None,
            reason=reason,
            title=str(resource.attributes.get("title") or (live.title if live else "")),
            source=f"{resource.source.file}:{resource.source.line}",
            depends_on=tuple(sorted(needed)),
            precondition=live_digest(live) if live else None,
            attributes=attributes,
            suite=self._suite_of(kind, resource),
            files=files,
            uploads=tuple(path for path, sha in files.items() if sha not in self._known_files),
        )

    def _suite_of(self, kind: Kind, resource: Resource) -> str:
        if kind.nested_keys:
            return resource.address.key.rpartition("/")[0]
        ref = resource.attributes.get(kind.parent or "")
        if not ref:
            return ""
        if "address" in ref:
            return str(ref["address"]).partition(".")[2]
        return self._suites.key(ref.get("external_id"))


def _fold(steps: list[JSON], unknown: set[str]) -> list[JSON]:
    folded: list[JSON] = []
    for step in steps:
        if folded and step == folded[-1] and step.get("shared") in unknown:
            continue
        folded.append(step)
    return folded


def _paths(kind: Kind, resource: Resource) -> dict[str, str]:
    return {sha: path for path, sha in files_in(kind, resource.attributes).items()}


def _files(kind: Kind, name: str, value: JSON) -> set[str]:
    """The files in a shown value, by path or hash."""
    if name not in {row.name for row in kind.references} or value is None:
        return set()
    refs = kind.attribute(name).type.refs(value)
    return {str(ref["hash"] if isinstance(ref, dict) else ref) for ref_kind, ref in refs if ref_kind == "attachment"}


def _who(live: LiveObject) -> Attributes:
    return {name: live.meta[name] for name in ("updated_at", "author_id") if live.meta.get(name)}


def _action(kind: Kind, how: How, origins: Mapping[str, Origin]) -> Action:
    if how is not How.STATE:
        return Action.ADOPT
    return Action.MOVE if kind.parent in origins else Action.UPDATE


def _reason(how: How, origins: Mapping[str, Origin]) -> Reason:
    if how is not How.STATE:
        return Reason.ADOPTED
    return Reason.DRIFT if set(origins.values()) <= {Origin.THEIRS, Origin.BOTH} else Reason.CONFIG_CHANGED


def _policy_block(failed: Mapping[str, Origin], how: How) -> Blocked:
    names = ", ".join(sorted(failed))
    if Origin.CONFLICT in failed.values():
        if how is How.NATURAL:
            why = f"An object of this place and title exists in Qase and differs in {names}."
        else:
            why = f"{names} changed here and in Qase since the last apply, differently."
        return Blocked("conflict", f"{why} `--on-conflict ours` writes yours, `theirs` keeps what is in Qase.")
    return Blocked("drift", f"{names} changed in Qase since the last apply, and `on_drift` is fail.")
