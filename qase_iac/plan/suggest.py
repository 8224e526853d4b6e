"""Which unbound objects in Qase the declared ones are: for `adopt --suggest`, and to make a lost state again.

First what planning itself would take (place and title, twins told apart by all attributes), then what is much alike.
One to one, and nothing is chosen where two come near.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from qase_iac.attributes import normal_text
from qase_iac.kinds import BY_NAME, CONTENT_KINDS, Kind
from qase_iac.model import Desired, LiveObject, Resource, Scope, Snapshot
from qase_iac.plan.bind import Binder
from qase_iac.plan.identity import How, Identities, SameValues, identify
from qase_iac.plan.likeness import LIKELY, SURE, Face, Pair, alike, clear_ones
from qase_iac.plan.scope import LiveSuites, parents_first, titled
from qase_iac.state.model import State
from qase_iac.values import Address, RemoteId

PLACE_AND_TITLE, ALIKE, SAID = "place-and-title", "alike", "adopt"
"""By what a match was found; SAID is an `adopt:` entry of the files."""


@dataclass(frozen=True, slots=True)
class Match:
    """A declared address and the object that it is, or may be. `likeness` is out of 100; `sure`: binding it is safe."""

    address: str
    id: RemoteId
    title: str
    by: str
    likeness: float
    sure: bool


@dataclass
class Suggestions:
    """`matches` are one to one. `doubtful` maps an address to what it may be. `unmatched` have nothing like them.

    `left` counts the unbound objects in scope that nothing was found for.
    """

    matches: list[Match] = field(default_factory=list)
    doubtful: dict[str, tuple[RemoteId, ...]] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    left: int = 0

    @property
    def sure(self) -> list[Match]:
        return [match for match in self.matches if match.sure]

    @property
    def likely(self) -> list[Match]:
        return [match for match in self.matches if not match.sure]


NEVER = 101.0


def suggest(desired: Desired, snapshot: Snapshot, state: State, same: SameValues, sure: float = SURE) -> Suggestions:
    """Matches for everything that is declared and not bound. `same` is planner.same_values over the same values.

    `sure` is the likeness from which on a match by likeness is safe (NEVER: none is). `policy.adopt` does not count:
    whoever asks wants to know. In a folder with a scope, what lies in no suite may be another folder's of
    the same title: it is sure only when it is equal in all managed attributes.
    """
    asked = {a: replace(r, policy=replace(r.policy, adopt="auto")) for a, r in desired.resources.items()}
    found = identify(replace(desired, resources=asked, scope=Scope()), snapshot, state, same)
    search = _Search(desired, snapshot, state, found, same, sure)
    for kind in CONTENT_KINDS:
        search.kind(kind)
    return search.out


class _Search:
    """Goes through the kinds in creation order, so that what others lie in or refer to is matched before them."""

    def __init__(
        self, desired: Desired, snapshot: Snapshot, state: State, found: Identities, same: SameValues, sure: float
    ) -> None:
        self.out = Suggestions()
        self._same = same
        self._sure = sure
        self._scope = desired.scope
        self._resources = desired.resources
        self._snapshot = snapshot
        self._found = found
        self._ids = dict(found.ids)
        self._unsure: set[str] = set()
        self._binder = Binder(self._ids, snapshot, state)
        bound = {id: a.partition(".")[2] for (kind, id), a in found.addresses().items() if kind == "suite"}
        self._suites = LiveSuites(snapshot, bound, titled(desired.resources))
        self._taken = {(a.partition(".")[0], b.id) for a, b in found.bindings.items()}
        self._taken |= {(a.partition(".")[0], id) for a, id in found.ids.items()}

    def kind(self, kind: Kind) -> None:
        held = {
            id: live
            for id, live in self._snapshot.of(kind.name).items()
            if (kind.name, id) not in self._taken and (not kind.owned_by_scope or self._suites.owned(self._scope, live))
        }
        mine = [resource for address, resource in self._resources.items() if address.kind == kind.name]
        waiting = self._known(kind, mine, held)
        for layer in parents_first(kind, waiting):
            left = self._by_place(kind, layer, held)
            self._by_likeness(kind, left, held)
        self.out.left += len(held)

    def _known(self, kind: Kind, mine: Iterable[Resource], held: dict[RemoteId, LiveObject]) -> list[Resource]:
        """Notes what planning found or could not tell; returns those that are still to be looked for."""
        waiting: list[Resource] = []
        doubtful: set[RemoteId] = set()
        lives = self._grouped(kind, held)
        for resource in mine:
            address = str(resource.address)
            how, blocked = self._found.how.get(address), self._found.blocked.get(address)
            if how in (How.NATURAL, How.ADOPT):
                live = self._snapshot.objects[kind.name][self._ids[address]]
                if how is How.ADOPT:
                    self._match(address, live, SAID, 100.0, True)
                elif not kind.owned_by_scope or self._suites.owned(self._scope, live):
                    self._match(address, live, PLACE_AND_TITLE, 100.0, self._is_ours(kind, resource, live))
            elif blocked and blocked.code == "ambiguous_identity":
                rivals = [live.id for live in lives.get(self._wanted_key(kind, resource), ())]
                self.out.doubtful[address] = tuple(sorted(rivals, key=lambda id: (len(str(id)), str(id))))
                doubtful.update(rivals)
            elif how is None and not blocked and address not in self._found.bindings:
                waiting.append(resource)
        for id in doubtful:
            held.pop(id, None)
        return waiting

    def _by_place(self, kind: Kind, layer: list[Resource], held: dict[RemoteId, LiveObject]) -> list[Resource]:
        """Place and title once more: what they lie in may have been found by likeness since."""
        lives = self._grouped(kind, held)
        wanted: dict[object, list[Resource]] = {}
        for resource in layer:
            wanted.setdefault(self._wanted_key(kind, resource), []).append(resource)
        left = []
        for key, resources in wanted.items():
            if len(resources) == len(lives.get(key, ())) == 1:
                live = held.pop(lives[key][0].id)
                sure = self._is_ours(kind, resources[0], live)
                self._match(str(resources[0].address), live, PLACE_AND_TITLE, 100.0, sure)
            else:
                left += resources
        return left

    def _by_likeness(self, kind: Kind, layer: list[Resource], held: dict[RemoteId, LiveObject]) -> None:
        wanted = [Face.of(kind, str(r.address), self._binder.bind(kind, r.attributes)) for r in layer]
        pairs, doubtful = clear_ones(
            alike(wanted, [Face.of(kind, id, live.attributes) for id, live in held.items()], LIKELY)
        )
        for pair in pairs:
            resource = self._resources[Address.parse(pair.wanted)]
            sure = pair.likeness >= self._sure and self._is_ours(kind, resource, held[pair.held])
            self._match(pair.wanted, held.pop(pair.held), ALIKE, pair.likeness, sure)
        for address, rivals in doubtful.items():
            self.out.doubtful[address] = _ids(rivals)
            for rival in rivals:
                held.pop(rival.held, None)
        known = {pair.wanted for pair in pairs} | doubtful.keys()
        self.out.unmatched += sorted(str(r.address) for r in layer if str(r.address) not in known)

    def _match(self, address: str, live: LiveObject, by: str, likeness: float, sure: bool) -> None:
        self._ids[address] = live.id
        if not sure:
            self._unsure.add(address)
        self.out.matches.append(Match(address, live.id, live.title, by, likeness, sure))

    def _is_ours(self, kind: Kind, resource: Resource, live: LiveObject) -> bool:
        """Whether an object of the same place and title is safely this folder's."""
        if kind.owned_by_scope or self._scope.suites is None:
            return self._in_sure_place(resource)
        return self._same(resource, live, self._ids)

    def _in_sure_place(self, resource: Resource) -> bool:
        kind = BY_NAME[resource.address.kind]
        ref = resource.attributes.get(kind.parent) if kind.parent else None
        return not (isinstance(ref, dict) and ref.get("address") in self._unsure)

    @staticmethod
    def _grouped(kind: Kind, held: dict[RemoteId, LiveObject]) -> dict[object, list[LiveObject]]:
        lives: dict[object, list[LiveObject]] = {}
        for live in held.values():
            place = live.attributes.get(kind.parent) if kind.parent else None
            lives.setdefault((place, normal_text(live.title)), []).append(live)
        return lives

    def _wanted_key(self, kind: Kind, resource: Resource) -> tuple[object, str] | None:
        place = (
            self._binder.bind(kind, {kind.parent: resource.attributes.get(kind.parent)})[kind.parent]
            if kind.parent
            else None
        )
        if isinstance(place, dict):  # it lies in something that is not in Qase
            return None
        return (place, normal_text(resource.attributes.get("title")))


def _ids(pairs: Iterable[Pair]) -> tuple[RemoteId, ...]:
    return tuple(
        pair.held for pair in sorted(pairs, key=lambda pair: (-pair.likeness, len(str(pair.held)), str(pair.held)))
    )
