"""From the shown form of values, as a plan holds them, back to remote ids and hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from qase_iac.apply.report import Problem
from qase_iac.kinds import BY_NAME, Kind, remote_id
from qase_iac.plan.digests import digest
from qase_iac.plan.model import AttributeChange, Change
from qase_iac.state.model import State
from qase_iac.values import JSON, Attributes


class Unbound(Exception):
    """A reference that nothing stands behind (any more). `problem` is what the operation fails with."""

    def __init__(self, code: str, reason: str, by: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.problem = Problem(code, reason, by, "Run the command again for a fresh plan.")


@dataclass
class Binder:
    """Binds values against the state as it is at that moment. `parameters` maps titles of shared ones to ids."""

    state: State
    parameters: Mapping[str, str]

    def sent(self, change: Change) -> Attributes:
        """What a call for this change carries."""
        return self.values(change, change.sent)

    def values(self, change: Change, attributes: Mapping[str, AttributeChange]) -> Attributes:
        """The new values of these attributes of a change, bound. Raises Unbound."""
        return {name: self.value(change, name, each.after) for name, each in attributes.items()}

    def value(self, change: Change, name: str, shown: JSON) -> JSON:
        def visit(kind: str, ref: JSON) -> JSON:
            return self._file(change, ref) if kind == "attachment" else self._reference(kind, ref)

        return BY_NAME[change.kind].attribute(name).type.rebind(shown, visit)

    def _reference(self, kind: str, ref: JSON) -> JSON:
        if kind == "shared_parameter":
            return self._parameter(ref)
        if isinstance(ref, dict) and "external_id" in ref:
            return remote_id(BY_NAME[kind], ref["external_id"])
        address = ref.get("known_after_apply") if isinstance(ref, dict) else ref
        binding = self.state.bindings.get(address) if isinstance(address, str) else None
        if binding is None or str(address).partition(".")[0] != kind:
            raise Unbound("unbound_reference", f"It refers to {address}, which is not in Qase.", (str(address),))
        return binding.id

    def _parameter(self, ref: JSON) -> JSON:
        """By title, or by the id itself where the plan knew no title."""
        wanted = str(ref.get("external_id") if isinstance(ref, dict) else ref)
        if wanted in self.parameters:
            return self.parameters[wanted]
        if wanted in self.parameters.values():
            return wanted
        raise Unbound("unbound_reference", f"Qase has no shared parameter {wanted!r} any more.")

    def _file(self, change: Change, ref: JSON) -> JSON:
        if isinstance(ref, dict) and "hash" in ref:
            return ref["hash"]
        path = str(ref.get("path") if isinstance(ref, dict) else ref)
        entry = self.state.files.get(change.files.get(path, ""))
        if entry is None:
            raise Unbound("file-missing", f"{path} has not been uploaded.")
        return entry["hash"]


def body_digest(kind: Kind, attributes: Attributes) -> str:
    """The digest of what is sent, in the form that decides equality: the live object with it has the same."""
    return digest({name: kind.canon(name, value) for name, value in attributes.items()})
