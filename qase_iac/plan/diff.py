"""The three-way verdict, attribute by attribute: what we want, what Qase holds, what it held after the last apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from qase_iac.kinds import Kind
from qase_iac.model import Policy
from qase_iac.plan.model import Origin
from qase_iac.state.model import Binding
from qase_iac.values import JSON, Attributes

_ABSENT = object()


@dataclass
class Verdict:
    """What a comparison of one object came to, each attribute once in at most one of the sets of names.

    `write` maps name -> origin of what has to be sent. `both` changed alike on both sides. `drifted` differs from
    what was served last, whatever is done about it. `failed` maps name -> origin of what a policy refuses to touch.
    `refused` are values that the server would not take before. `agreed` are declared attributes equal to the live.
    """

    write: dict[str, Origin] = field(default_factory=dict)
    both: list[str] = field(default_factory=list)
    drifted: list[str] = field(default_factory=list)
    failed: dict[str, Origin] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    agreed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stance:
    """How to treat differences of one object. `unbound` is the origin of a difference where there is no history."""

    on_drift: str
    on_conflict: str
    unbound: Origin = Origin.OURS

    @classmethod
    def of(cls, policy: Policy, on_drift: str | None, on_conflict: str | None, unbound: Origin) -> Stance:
        return cls(on_drift or policy.on_drift, on_conflict or policy.on_conflict, unbound)


def compare(
    kind: Kind, wanted: Attributes, live: Attributes, binding: Binding | None, ignore: frozenset[str], stance: Stance
) -> Verdict:
    """Compares one declared object with its live one. All values are bound. `binding` is None on adoption."""
    verdict = Verdict()
    for name, value in wanted.items():
        if name in ignore or kind.attribute(name).create_only:
            continue
        canon = kind.attribute(name).type.canon
        held = live.get(name)
        want, has = (None, None) if value == held else (canon(value), canon(held))
        if want == has:
            verdict.agreed.append(name)
            if (
                binding
                and name in binding.sent
                and canon(binding.sent[name]) != canon(held) != canon(binding.last_served(name))
            ):
                verdict.drifted.append(name)
                verdict.both.append(name)
            continue
        sent = _of(binding, name, canon)
        served = sent if sent is _ABSENT or binding is None else canon(binding.last_served(name))
        origin = _origin(want, has, sent, served, stance)
        if sent is not _ABSENT and origin in (Origin.THEIRS, Origin.CONFLICT):
            verdict.drifted.append(name)
        if origin is None:
            continue
        if binding and name in binding.unsupported and canon(binding.unsupported[name]) == want:
            verdict.refused.append(name)
        else:
            _decide(verdict, name, origin, stance)
    return verdict


def _of(binding: Binding | None, name: str, canon: Callable[[JSON], JSON]) -> JSON:
    return canon(binding.sent[name]) if binding and name in binding.sent else _ABSENT


def _origin(want: JSON, has: JSON, sent: JSON, served: JSON, stance: Stance) -> Origin | None:
    """Who changed an attribute whose wanted and live values differ; None when neither did (server's own form)."""
    if sent is _ABSENT:
        return stance.unbound
    theirs = has not in (served, sent)
    if want == sent:
        return Origin.THEIRS if theirs else None
    return Origin.CONFLICT if theirs else Origin.OURS


def _decide(verdict: Verdict, name: str, origin: Origin, stance: Stance) -> None:
    """Writes, keeps or refuses one difference, by the policy for its origin."""
    rule = {Origin.THEIRS: stance.on_drift, Origin.CONFLICT: stance.on_conflict}.get(origin, "ours")
    match rule:
        case "ours" | "revert":
            verdict.write[name] = origin
        case "fail":
            verdict.failed[name] = origin
        case _:  # keep, theirs: what is in Qase stays
            pass
