"""From one declared object to its change: create, update, move, adopt, rename, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from qase_iac.diagnostics import Diagnostic
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder, addresses_in, files_in
from qase_iac.plan.diff import Stance, Verdict, compare
from qase_iac.plan.digests import live_digest
from qase_iac.plan.identity import How, Identities
from qase_iac.plan.model import Action, AttributeChange, Blocked, Change, Drift, Options, Origin, Reason
from qase_iac.plan.obstacles import Case, by_policy, obstacle
from qase_iac.plan.ready import Gone, Ready, followed, ready, remembered
from qase_iac.plan.remarks import attribute_change, drift_of, findings, notes, paths_of
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import State
from qase_iac.values import Attributes, known_after_apply


@dataclass
class Changes:
    """What comparing all declared objects came to.

    `observed` maps address -> what the state is to know of it although nothing is sent (diff.py, `news`).
    """

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
        self._scope = desired.scope
        self._snapshot = snapshot
        self._options = options
        self._found = found
        self._suites = suites
        self.addresses = found.addresses()
        self.binder = Binder(found.ids, snapshot, state)
        self._known_files = {str(sha) for sha in state.files}
        self._gone: Gone = {
            (address.partition(".")[0], found.bindings[address].id): known_after_apply(address)
            for address in found.vanished
        }
        self.out = Changes()

    def consider(self, resource: Resource) -> None:
        """Adds the change of one declared object to `out`, if it takes one."""
        address = str(resource.address)
        kind = BY_NAME[resource.address.kind]
        change: Change | None
        if address in self._found.refused:
            change = self._change(kind, resource, Action.ADOPT, Reason.ADOPTED, {})
            change = replace(change, id=self._found.refused[address])
        elif address in self._found.vanished:
            change = self._vanished(kind, resource)
        elif address in self._found.ids:
            live = self._snapshot.objects[kind.name][self._found.ids[address]]
            change = self._existing(kind, address, resource, live)
        else:
            change = self._create(kind, resource, Reason.NEW)
        if change:
            blocked = self._found.blocked.get(address) or change.blocked
            self.out.by_address[address] = replace(change, blocked=blocked, moved_from=self._found.renamed.get(address))

    # -- objects that are not in Qase ---------------------------------------------------------------------------

    def _vanished(self, kind: Kind, resource: Resource) -> Change | None:
        address = str(resource.address)
        gone = self._found.bindings[address].id
        self.out.drift.append(Drift(address, gone, "vanished", title=str(resource.attributes.get("title", ""))))
        policy = self._options.on_drift or resource.policy.on_drift
        if policy == "keep":
            self.out.kept_vanished.add(address)
            if address not in self._found.renamed:
                return None
            return replace(self._change(kind, resource, Action.NO_OP, Reason.MOVED, {}), id=gone)
        change = self._create(kind, resource, Reason.VANISHED)
        if policy == "fail":
            cure = "`pull` takes it out of the files, `--on-drift revert` makes it again."
            reason = f"It was deleted in Qase (id {gone}), and `on_drift` is fail. {cure}"
            return replace(change, blocked=Blocked("vanished", reason))
        return replace(change, notes=(f"was deleted in Qase (id {gone}); it gets a new id",))

    def _create(self, kind: Kind, resource: Resource, reason: Reason) -> Change:
        attributes = {
            name: AttributeChange(None, self.binder.show_desired(kind, name, resource.attributes[name]), Origin.OURS)
            for name in kind.sort_names(resource.attributes)
        }
        change = self._change(kind, resource, Action.CREATE, reason, attributes)
        return replace(change, blocked=obstacle(Case(kind, resource, attributes, None), self._suites, self._scope))

    # -- objects that are ------------------------------------------------------------------------------------------

    def _existing(self, kind: Kind, address: str, resource: Resource, live: LiveObject) -> Change | None:
        how = self._found.how[address]
        binding = self._found.bindings.get(address)
        made = ready(kind, resource, live, self.binder, self._snapshot.unknown_shared)
        unbound = Origin.CONFLICT if how is How.NATURAL else Origin.OURS
        stance = Stance.of(resource.policy, self._options.on_drift, self._options.on_conflict, unbound)
        verdict = compare(kind, made.wanted, live.attributes, binding, resource.ignore, stance)
        if binding and not (verdict.quiet and not self._gone and not made.untold):  # what follows is for a few
            made = ready(kind, resource, live, self.binder, self._snapshot.unknown_shared, binding)
            left = followed(kind, resource, live, self.binder, binding)
            known = remembered(kind, left, made, live, self._gone, self._snapshot)
            verdict = compare(kind, made.wanted, live.attributes, known, resource.ignore, stance)
            if left is not binding and _settled(kind, "steps", made, live, verdict):
                verdict.news["steps"] = made.wanted["steps"]
            if verdict.drifted:
                show = self.binder, self.addresses, paths_of(kind, made.resource)
                self.out.drift.append(drift_of(kind, address, live, left, verdict.drifted, show, verdict.both))
        if verdict.news:
            self.out.observed[address] = verdict.news
        self.out.findings.extend(findings(made, verdict))
        return self._judge(kind, made, live, verdict, how)

    def _judge(self, kind: Kind, made: Ready, live: LiveObject, verdict: Verdict, how: How) -> Change | None:
        """The change that a verdict calls for."""
        origins = verdict.write | verdict.failed
        if not origins and how is How.STATE:
            if verdict.refused:
                return self._refused(kind, made, live, verdict)
            if str(made.resource.address) in self._found.renamed:
                return self._change(kind, made.resource, Action.NO_OP, Reason.MOVED, {}, live)
            return None
        if origins:
            origins = origins | dict.fromkeys(verdict.both, Origin.BOTH)
        attributes = self._attribute_changes(kind, made, live, origins)
        change = self._change(
            kind, made.resource, _action(kind, how, origins), _reason(how, origins, verdict.lost), attributes, live
        )
        change = replace(change, notes=notes(kind, made, live, attributes, self.binder, verdict.lost))
        if verdict.failed:
            return replace(change, blocked=by_policy(verdict.failed, how))
        case = Case(kind, made.resource, change.sent, live)
        return replace(change, blocked=obstacle(case, self._suites, self._scope))

    def _attribute_changes(
        self, kind: Kind, made: Ready, live: LiveObject, origins: Mapping[str, Origin]
    ) -> dict[str, AttributeChange]:
        paths = paths_of(kind, made.resource)
        return {
            name: attribute_change(
                kind,
                name,
                self.binder.show_live(kind, name, live.attributes.get(name), self.addresses, paths),
                self.binder.show_desired(kind, name, made.resource.attributes[name]),
                origins[name],
            )
            for name in kind.sort_names(origins)
        }

    def _refused(self, kind: Kind, made: Ready, live: LiveObject, verdict: Verdict) -> Change:
        origins = dict.fromkeys(verdict.refused, Origin.OURS)
        attributes = self._attribute_changes(kind, made, live, origins)
        action = _action(kind, How.STATE, origins)
        reason = f"Qase does not take this change of {', '.join(verdict.refused)}; make it by hand."
        return replace(
            self._change(kind, made.resource, action, Reason.CONFIG_CHANGED, attributes, live),
            blocked=Blocked("not_supported_by_server", reason),
        )

    def _change(
        self,
        kind: Kind,
        resource: Resource,
        action: Action,
        reason: Reason,
        attributes: dict[str, AttributeChange],
        live: LiveObject | None = None,
    ) -> Change:
        concerned = {name: resource.attributes[name] for name in attributes}
        files = files_in(kind, concerned)
        return Change(
            address=str(resource.address),
            action=action,
            id=live.id if live else None,
            reason=reason,
            title=str(resource.attributes.get("title", "")),
            source=f"{resource.source.file}:{resource.source.line}",
            depends_on=tuple(sorted(addresses_in(kind, concerned))),
            precondition=live_digest(live) if live else None,
            attributes=attributes,
            suite=self._suite_of(kind, resource),
            files=files,
            uploads=tuple(path for path, sha in files.items() if sha not in self._known_files),
        )

    def _suite_of(self, kind: Kind, resource: Resource) -> str:
        """The key of the suite to show it under."""
        ref = resource.attributes.get(kind.parent) if kind.parent else None
        if not ref:
            return ""
        if "address" in ref:
            return str(ref["address"]).partition(".")[2]
        return self._suites.key(ref.get("external_id"))


def _settled(kind: Kind, name: str, made: Ready, live: LiveObject, verdict: Verdict) -> bool:
    """Whether the files and Qase agree on an attribute, whatever the state has of it."""
    if name in made.resource.ignore or name in verdict.write | verdict.failed:
        return False
    return bool(kind.canon(name, made.wanted[name]) == kind.canon(name, live.attributes.get(name)))


def _action(kind: Kind, how: How, origins: Mapping[str, Origin]) -> Action:
    if how is not How.STATE:
        return Action.ADOPT
    moves = origins.get(kind.parent or "") not in (None, Origin.BOTH)
    return Action.MOVE if moves else Action.UPDATE


def _reason(how: How, origins: Mapping[str, Origin], lost: Set[str]) -> Reason:
    if how is not How.STATE:
        return Reason.ADOPTED
    edited = {name for name, origin in origins.items() if origin in (Origin.THEIRS, Origin.CONFLICT)}
    if edited and edited <= lost:
        return Reason.VANISHED
    return Reason.DRIFT if set(origins.values()) <= {Origin.THEIRS, Origin.BOTH} else Reason.CONFIG_CHANGED
