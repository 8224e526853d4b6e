"""The three-way verdict, attribute by attribute: what we want, what Qase holds, what it held after the last apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from qase_iac.kinds import Kind
from qase_iac.model import Policy
from qase_iac.plan.model import LEFT, Origin
from qase_iac.plan.noise import only_noise
from qase_iac.state.model import Binding
from qase_iac.values import JSON, Attributes

_NOTHING: Attributes = {}


@dataclass
class Verdict:
    """What a comparison of one object came to, each attribute in at most one of `write`, `failed` and `refused`.

    `write` maps name -> origin of what has to be sent. `both` changed alike on both sides. `drifted` differs from
    what was served last, whatever is done about it; of these, `lost` misses nothing but what was deleted. `failed` maps
    name -> origin of what a policy refuses to touch.
    `refused` are values that the server would not take before. `news` is what the state has to know from now on
    although nothing is sent: values that are equal, and LEFT for what was never agreed on and stays as it is.
    """

    write: dict[str, Origin] = field(default_factory=dict)
    both: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)
    failed: dict[str, Origin] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    news: Attributes = field(default_factory=dict)

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to be said of the object."""
        return not (self.write or self.both or self.drifted or self.failed or self.refused or self.news)


@dataclass(frozen=True, slots=True)
class Stance:
    """How to treat differences of one object. `unbound` is the origin of a difference where there is no history."""

    on_drift: str
    on_conflict: str
    unbound: Origin = Origin.OURS

    @classmethod
    def of(cls, policy: Policy, on_drift: str | None, on_conflict: str | None, unbound: Origin) -> Stance:
        return cls(on_drift or policy.on_drift, on_conflict or policy.on_conflict, unbound)


class _Side(NamedTuple):
    """What a comparison is about: everything but the attribute."""

    kind: Kind
    wanted: Attributes
    live: Attributes
    binding: Binding | None
    stance: Stance


def compare(
    kind: Kind, wanted: Attributes, live: Attributes, binding: Binding | None, ignore: frozenset[str], stance: Stance
) -> Verdict:
    """Compares one declared object with its live one. All values are bound. `binding` is None on adoption."""
    verdict = Verdict()
    sent = binding.sent if binding else _NOTHING
    if as_it_was(wanted, live, sent):
        return verdict
    side = _Side(kind, wanted, live, binding, stance)
    for name, value in wanted.items():
        held = live.get(name)
        if value == held and name in sent and sent[name] == value:
            continue
        if name not in ignore:
            _judge(verdict, side, name, value, held)
    return verdict


def as_it_was(wanted: Attributes, live: Attributes, sent: Attributes) -> bool:
    """Whether all that is wanted is in Qase, and was before: nearly always, so it takes one look and no loop."""
    return (wanted == sent or wanted.items() <= sent.items()) and wanted.items() <= live.items()


def _judge(verdict: Verdict, side: _Side, name: str, value: JSON, held: JSON) -> None:
    row = side.kind.attribute(name)
    canon = row.type.canon
    want, has = canon(value), canon(held)
    binding = side.binding
    known = binding is not None and name in binding.sent
    sent = canon(binding.sent[name]) if binding and known else None
    served = canon(binding.last_served(name)) if binding and known else None
    edited = known and not (only_noise(has, served) or only_noise(has, sent))
    if want == has or ((edited or not known) and only_noise(want, has)):
        if not known or sent != want:
            verdict.news[name] = value
            if known and has != served:
                verdict.drifted.append(name)
                verdict.both.append(name)
        return
    disputed = binding is not None and not known and name in binding.served
    origin, lost = _displacing(side, name), False
    if origin is None and not known:
        origin = Origin.CONFLICT if disputed else side.stance.unbound
    elif origin is None:
        if want == sent and not edited:
            return  # the server's own form of what was sent, or an editor's
        lost = edited and only_lost(has, served)
        origin = _origin(edited and not (lost and want != sent), want == sent)
        if origin is Origin.THEIRS and lost:
            verdict.lost.add(name)
    if known and (lost or origin in (Origin.THEIRS, Origin.CONFLICT)):
        verdict.drifted.append(name)
    if binding and name in binding.unsupported and canon(binding.unsupported[name]) == want:
        verdict.refused.append(name)
    elif not _decide(verdict, name, origin, side.stance) and not known and not disputed:
        verdict.news[name] = LEFT


def _origin(edited: bool, as_sent: bool) -> Origin:
    """Who changed an attribute that differs: Qase (`edited`), we (not `as_sent`), or both."""
    if not edited:
        return Origin.OURS
    return Origin.THEIRS if as_sent else Origin.CONFLICT


def only_lost(has: JSON, served: JSON) -> bool:
    """Whether Qase still holds what it held, but for references to what vanished (ready.remembered).

    Nobody edited that: to put it back is the work of the plan that makes the vanished thing again.
    """
    return bool(served) and _without_gone(served) == has


def _without_gone(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_without_gone(item) for item in value if not _is_gone(item)]
    return None if _is_gone(value) else value


def _is_gone(value: JSON) -> bool:
    """A reference to what this plan makes again, or a step that is one."""
    return isinstance(value, dict) and ("known_after_apply" in value or _is_gone(value.get("shared")))


def displaced(kind: Kind, name: str, wanted: Attributes, live: Attributes) -> str | None:
    """The attribute that Qase holds in place of `name` and would lose to it: steps to gherkin, and the other way."""
    for pair in kind.exclusive:
        if name in pair:
            other = pair[pair[0] == name]
            if other not in wanted and live.get(other):
                return other
    return None


def _displacing(side: _Side, name: str) -> Origin | None:
    """Who brought about that Qase holds another attribute in its place; None where the state does not know that one.

    What we sent may go; what somebody made of it since is a conflict.
    """
    other = displaced(side.kind, name, side.wanted, side.live)
    if other is None or side.binding is None or other not in side.binding.sent:
        return None
    canon = side.kind.attribute(other).type.canon
    ours = (canon(side.binding.sent[other]), canon(side.binding.last_served(other)))
    return Origin.OURS if canon(side.live[other]) in ours else Origin.CONFLICT


def _decide(verdict: Verdict, name: str, origin: Origin, stance: Stance) -> bool:
    """Writes or refuses one difference, by the policy for its origin; False: what is in Qase stays."""
    rule = {Origin.THEIRS: stance.on_drift, Origin.CONFLICT: stance.on_conflict}.get(origin, "ours")
    if rule in ("ours", "revert"):
        verdict.write[name] = origin
    elif rule == "fail":
        verdict.failed[name] = origin
    else:  # keep, theirs
        return False
    return True
