"""What the files say, what Qase holds, what both agreed on last: who changed what, and which of it the files take over.

Only what Qase changed is taken. What the files changed stays; where both did, differently, `policy.on_conflict`
decides: `fail` and `ours` leave the files as they are, `theirs` does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qase_iac.attributes import Files, Gherkin, Parameters, RefSet, Steps, Text, TextSet
from qase_iac.config.edit import Failed, Remove, Set
from qase_iac.kinds import BY_NAME, Kind
from qase_iac.model import Desired, LiveObject, Resource, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.drifting import Unsettled, find_drift
from qase_iac.plan.model import Action, Change, Drift, Origin
from qase_iac.plan.obstacles import outside
from qase_iac.plan.ready import followed, ready
from qase_iac.plan.remarks import edited_since
from qase_iac.plan.scope import LiveSuites
from qase_iac.state.model import Binding, State
from qase_iac.values import JSON, Address
from qase_iac.workflow.edits import Scribe, Taken

Left = dict[str, set[str]]
"""Address -> names of attributes; none of them: all of the object."""

_WRITTEN = (Text, TextSet, Steps, Gherkin, Files, Parameters, RefSet)
"""Types of what is there only when somebody put it there; of options and the like Qase gives every object one."""
CHOSEN = "what it holds is chosen by `select`, and in Qase it is something else"


@dataclass
class Sides:
    """The outcome: what the files take over, and what is left as it is.

    `local` changed in the files alone, `conflicts` on both sides. `forgotten` are bound and on neither side. `chosen`
    is what a rule of the files picks: it may come right once the rest has been taken over. `ruled` are all attributes
    that a rule picks: it may pick what is new.
    """

    taken: list[Taken] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    local: Left = field(default_factory=dict)
    conflicts: Left = field(default_factory=dict)
    chosen: Left = field(default_factory=dict)
    ruled: Left = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)

    def explain(self, change: Change) -> bool:
        """Whether a change that is planned afterwards is one that was left; what a rule still picks has failed."""
        address = change.address
        if change.action is Action.NO_OP:
            return True  # a key that was renamed, and nothing else
        if change.origins == {Origin.OURS} and change.attributes.keys() <= self.ruled.get(address, set()):
            return True
        for name in sorted(self.chosen.get(address, set()) & change.attributes.keys()):
            file = change.source.rpartition(":")[0] if change.source else ""
            self.failed.append(Failed(Set(Address.parse(address), name, None), CHOSEN, file))
        known = [left[address] for left in (self.local, self.conflicts, self._failing()) if address in left]
        if not all(known):
            return True
        return bool(change.attributes) and change.attributes.keys() <= set[str]().union(*known)

    def _failing(self) -> Left:
        found: Left = {}
        for each in self.failed:
            found.setdefault(str(each.edit.address), set()).add(getattr(each.edit, "name", ""))
        return {address: names if "" not in names else set() for address, names in found.items()}


@dataclass
class Comparer:
    """Compares what is bound. `bindings` are the state's, under the names that the files use now."""

    desired: Desired
    snapshot: Snapshot
    state: State
    bindings: dict[str, Binding]
    suites: LiveSuites
    scribe: Scribe
    sides: Sides = field(default_factory=Sides)

    def compare(self) -> Sides:
        ids = {name: binding.id for name, binding in self.bindings.items()}
        binder = Binder(ids, self.snapshot, self.state)  # what vanished has its old id: the files did not change there
        drift = find_drift(self.desired, self.snapshot, self.state, self.state.seen, Unsettled()).drift
        by_address = {each.address: each for each in drift}
        for name, binding in sorted(self.bindings.items()):
            resource = self.desired.resources.get(Address.parse(name))
            found = by_address.get(name)
            if found and found.kind == "vanished":
                self._vanished(name, binding, resource, binder)
            elif resource is not None:
                self._attributes(name, binding, resource, binder, found)
        return self.sides

    def _vanished(self, name: str, binding: Binding, resource: Resource | None, binder: Binder) -> None:
        if resource is None:
            self.sides.forgotten.append(name)
            return
        kind = BY_NAME[resource.address.kind]
        wanted = binder.bind(kind, resource.attributes)
        edited = any(not _as_sent(kind, each, wanted[each], binding) for each in wanted)
        if edited and resource.policy.on_conflict != "theirs":
            (self.sides.conflicts if resource.policy.on_conflict == "fail" else self.sides.local)[name] = set()
        else:
            self.sides.taken.append(Taken(Remove(resource.address)))

    def _attributes(self, name: str, binding: Binding, resource: Resource, binder: Binder, drift: Drift | None) -> None:
        kind, sides = BY_NAME[resource.address.kind], self.sides
        live = self.snapshot.objects[kind.name][binding.id]
        wanted = ready(kind, resource, live, binder, self.snapshot.unknown_shared, binding).wanted
        binding = followed(kind, resource, live, binder, binding)
        differing = {each for each in wanted if not _same(kind, each, wanted[each], live.attributes.get(each))}
        ours = {each for each in differing - resource.ignore if not _as_sent(kind, each, wanted[each], binding)}
        theirs = _edited(kind, drift, ours) & differing
        if "select" in resource.local:  # members that were deleted in Qase it picks no more once that is taken over
            members = self.sides.ruled[name] = {row.name for row in kind.members}
            theirs -= members - set(edited_since(kind, live, binding, self.snapshot))
        if theirs and (blocked := outside(kind, live, self.suites, self.desired.scope)):
            sides.failed.append(Failed(Remove(resource.address), blocked.reason, resource.source.file))
            return
        policy = resource.policy.on_conflict
        conflicts = theirs & ours if policy != "theirs" else set[str]()
        local = ours - theirs | (conflicts if policy == "ours" else set[str]())
        if local:
            sides.local[name] = local
        if conflicts and policy == "fail":
            sides.conflicts[name] = conflicts
        self._take(resource, live, theirs - conflicts)
        self._note_unmanaged(kind, resource, live)

    def _take(self, resource: Resource, live: LiveObject, names: set[str]) -> None:
        members = {row.name for row in BY_NAME[live.kind].members}
        if "select" in resource.local and names & members:
            self.sides.chosen[str(resource.address)] = names & members
            names = names - members
        if names:
            taken, failed = self.scribe.take(resource, live, names)
            self.sides.taken += taken
            self.sides.failed += failed

    def _note_unmanaged(self, kind: Kind, resource: Resource, live: LiveObject) -> None:
        """What people wrote into attributes that the files do not manage stays out, and may surprise."""
        covered = {*resource.attributes, *resource.ignore, *resource.local}
        covered |= {other for pair in kind.exclusive if covered.intersection(pair) for other in pair}
        for name in sorted(live.attributes.keys() - covered):
            type_ = kind.attribute(name).type
            if isinstance(type_, _WRITTEN) and type_.canon(live.attributes[name]):
                what = f"not managed by the files, so left alone: {name} of {kind.label}s"
                self.scribe.notes.add(what, str(resource.address))


def _edited(kind: Kind, drift: Drift | None, ours: set[str]) -> set[str]:
    """What Qase changed; and what the files put in the place of something that Qase changed."""
    edited = set(drift.attributes) if drift else set()
    return edited | {each for each in ours for pair in kind.exclusive if each in pair and edited.intersection(pair)}


def _same(kind: Kind, name: str, one: JSON, other: JSON) -> bool:
    return bool(kind.canon(name, one) == kind.canon(name, other))


def _as_sent(kind: Kind, name: str, value: JSON, binding: Binding) -> bool:
    """Whether the files say of an attribute what they did at the last apply."""
    if name not in binding.sent:
        return False
    return _same(kind, name, value, binding.sent[name]) or _same(kind, name, value, binding.last_served(name))
