"""Which part of the drift is to be pulled: what was asked for, and what that needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from qase_iac.errors import QaseIacError
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired, LiveObject, Snapshot
from qase_iac.plan.bind import references
from qase_iac.plan.drifting import Found
from qase_iac.plan.model import Drift
from qase_iac.values import RemoteId, printable
from qase_iac.workflow.naming import fresh_addresses

Names = dict[str, set[str]]
At = tuple[str, RemoteId]


@dataclass
class Picked:
    """`whole` are the addresses to be taken over; `parts` attributes of others that have to change with them.

    `new` maps fresh address -> object, parents first; `known` (kind, id) -> address of all that is bound or new.
    `quiet` was asked for, and nothing of it changed.
    """

    whole: set[str] = field(default_factory=set)
    parts: Names = field(default_factory=dict)
    new: dict[str, LiveObject] = field(default_factory=dict)
    known: dict[At, str] = field(default_factory=dict)
    quiet: tuple[str, ...] = ()

    def takes(self, address: str, name: str = "") -> bool:
        """Whether an attribute, or "" for the object, is to be taken over."""
        return address in self.whole or (bool(name) and name in self.parts.get(address, ()))


@dataclass
class Picker:
    """`appeared` are unbound objects that are wanted when everything is; `spare` (kind, id) of all that may come along,
    them included."""

    desired: Desired
    snapshot: Snapshot
    found: Found
    appeared: list[LiveObject]
    spare: set[At]

    def pick(self, addresses: Iterable[str] | None) -> Picked:
        """What `addresses` mean, None for everything. Raises QaseIacError for one that is not known."""
        picked = Picked()
        candidates = self._candidates()
        picked.known = dict(self.found.addresses)
        fresh = fresh_addresses(candidates.values(), self.desired, picked.known, self.found.suites)
        picked.known |= fresh
        new = {address: candidates[at] for at, address in fresh.items()}
        rows = {row.address: row for row in self.found.drift}
        appeared = [fresh[live.kind, live.id] for live in self.appeared]
        wanted = [*rows, *appeared] if addresses is None else self._named(list(addresses), rows, new, picked)
        self._close(wanted, rows, new, picked)
        picked.new = {address: live for address, live in new.items() if address in picked.whole}
        return picked

    def _candidates(self) -> dict[At, LiveObject]:
        """What appeared, and the suites around it and around what moved that nobody bound."""
        found = {(live.kind, live.id): live for live in self.appeared}
        for live in [*self.appeared, *(self._live(row) for row in self.found.drift)]:
            kind = BY_NAME[live.kind] if live else None
            while live is not None and kind and kind.parent and kind.nested_keys:
                live = self.snapshot.get(kind.name, live.attributes.get(kind.parent) or 0)
                if live is None or (live.kind, live.id) not in self.spare or (live.kind, live.id) in found:
                    break
                found[live.kind, live.id] = live
        return found

    def _live(self, row: Drift) -> LiveObject | None:
        return self.snapshot.get(row.address.partition(".")[0], row.id)

    def _named(
        self, addresses: list[str], rows: Mapping[str, Drift], new: Mapping[str, LiveObject], picked: Picked
    ) -> list[str]:
        known = {*map(str, self.desired.resources), *self.found.addresses.values()}
        for text in addresses:
            if text not in rows and text not in new and text not in known:
                from difflib import get_close_matches

                close = get_close_matches(text, [*rows, *new, *sorted(known)], 1)
                raise QaseIacError(
                    f"Nothing has the address {printable(text)}." + (f" Did you mean {close[0]}?" if close else ""),
                    hint="`qase-iac drift` lists what changed in Qase, each with its address.",
                )
        picked.quiet = tuple(text for text in addresses if text not in rows and text not in new)
        return [text for text in addresses if text in rows or text in new]

    def _close(
        self, wanted: Iterable[str], rows: Mapping[str, Drift], new: Mapping[str, LiveObject], picked: Picked
    ) -> None:
        """Adds what the wanted ones need: what they refer to and is new, and, of what vanished, who referred to it."""
        queue = list(wanted)
        while queue:
            address = queue.pop()
            if address in picked.whole:
                continue
            picked.whole.add(address)
            row = rows.get(address)
            if row is not None and row.kind == "vanished":
                queue += self._left_behind(address, rows, picked)
                continue
            live = new.get(address) or (self._live(row) if row else None)
            queue += [name for name in self._needed(live, picked) if name in new]

    def _needed(self, live: LiveObject | None, picked: Picked) -> Iterable[str]:
        for _, kind, id in references(live) if live else ():
            if (kind, id) in picked.known:
                yield picked.known[kind, id]

    def _left_behind(self, address: str, rows: Mapping[str, Drift], picked: Picked) -> Iterable[str]:
        """Who refers to what vanished: by an attribute that has to change as well, or as what went with it."""
        for other, name in self._users.get(address, ()):
            row = rows.get(other)
            if row is not None and row.kind == "vanished":
                yield other
            picked.parts.setdefault(other, set()).add(name)

    @cached_property
    def _users(self) -> dict[str, list[tuple[str, str]]]:
        """Address -> (address, attribute) of all that is declared and refers to it."""
        found: dict[str, list[tuple[str, str]]] = {}
        for address, resource in self.desired.resources.items():
            kind = BY_NAME[address.kind]
            for row in kind.references:
                for _, ref in row.type.refs(resource.attributes.get(row.name)):
                    if isinstance(ref, dict) and "address" in ref:
                        found.setdefault(ref["address"], []).append((str(address), row.name))
        return found
