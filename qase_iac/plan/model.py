"""The plan as a value. Everything that shows, saves or executes a plan reads this and nothing else.

Values of attributes are as in YAML. References are addresses, `{"external_id": 7}`, or `{"known_after_apply":
"suite.checkout"}`; files of this folder are paths, files that are only in Qase `{"hash": …, "file": name}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from qase_iac.diagnostics import Diagnostic
from qase_iac.values import JSON, Attributes, RemoteId

FORMAT = 1

LEFT: JSON = {"left": "as it is in Qase"}
"""In `Plan.observed`: the files and Qase never agreed on this attribute, and it is not to be written. The state keeps
it as served and not as sent, so that later plans find a conflict, too, and do not take it for theirs to overwrite."""


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    MOVE = "move"
    DELETE = "delete"
    ADOPT = "adopt"
    FORGET = "forget"
    NO_OP = "no_op"
    """A pure rename of a key: costs no request, has `moved_from`."""


class Reason(StrEnum):
    NEW = "new"
    CONFIG_CHANGED = "config_changed"
    DRIFT = "drift"
    VANISHED = "vanished"
    UNDECLARED = "undeclared"
    MOVED = "moved"
    ADOPTED = "adopted"


class Origin(StrEnum):
    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"
    CONFLICT = "conflict"


_EDITED = {Origin.THEIRS, Origin.CONFLICT}


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute: what Qase holds, what it will hold, and who changed it since the last apply.

    `steps`: of a list of steps, what leads from `before` to `after`, step by step (stepdiff.as_json).
    """

    before: JSON
    after: JSON
    origin: Origin
    steps: list[JSON] | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a change is not carried out. `code` is stable; `by` are the addresses that stand in the way."""

    code: str
    reason: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One object's change, in full.

    `source` is `file:line` of the declaration, None for a delete. `precondition` is the digest of the live object
    that the change was computed from, None for a create. `suite` is the key of the suite to show it under ("" root).
    `files` maps the path of every file in the new values to its sha256; `uploads` lists those not yet in Qase.
    `notes` are short remarks for people. `moved_from` is the address's former name. `impact` tells who else will read
    differently: section -> `{"count": …, "names": […]}`, the first names as references are shown (impact.py).
    """

    address: str
    action: Action
    id: RemoteId | None
    reason: Reason
    title: str = ""
    source: str | None = None
    depends_on: tuple[str, ...] = ()
    precondition: str | None = None
    attributes: dict[str, AttributeChange] = field(default_factory=dict)
    suite: str = ""
    blocked: Blocked | None = None
    moved_from: str | None = None
    files: dict[str, str] = field(default_factory=dict)
    uploads: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    impact: dict[str, JSON] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.address.partition(".")[0]

    @property
    def key(self) -> str:
        return self.address.partition(".")[2]

    @property
    def writes(self) -> bool:
        """Whether carrying it out takes a call that writes (uploads aside)."""
        if self.blocked:
            return False
        if self.action in (Action.CREATE, Action.UPDATE, Action.MOVE, Action.DELETE):
            return True
        return self.action is Action.ADOPT and bool(self.sent)

    @property
    def destroys(self) -> bool:
        """A delete, or the second making of what was deleted in Qase. Forgetting what is gone takes nothing away."""
        return self.action is Action.DELETE or (self.action is Action.CREATE and self.reason is Reason.VANISHED)

    @property
    def sent(self) -> dict[str, AttributeChange]:
        """The attributes that a call has to carry: all but those that both sides changed alike."""
        return {name: change for name, change in self.attributes.items() if change.origin is not Origin.BOTH}

    @property
    def undoes(self) -> bool:
        """Whether it undoes an edit made in Qase since the last apply: writes back what was, or ours over it.

        What was lost because something else was deleted (reason `vanished`) nobody edited.
        """
        edited = self.action is not Action.ADOPT and self.reason is not Reason.VANISHED
        return edited and not self.blocked and bool(self.origins & _EDITED)

    @property
    def origins(self) -> set[Origin]:
        """By whom any of its attributes was changed."""
        return {change.origin for change in self.attributes.values()}


@dataclass(frozen=True, slots=True)
class Drift:
    """What changed in Qase since the last apply. `kind` is changed, appeared or vanished."""

    address: str
    id: RemoteId
    kind: str
    attributes: dict[str, AttributeChange] = field(default_factory=dict)
    title: str = ""
    meta: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Summary:
    create: int = 0
    update: int = 0
    move: int = 0
    delete: int = 0
    adopt: int = 0
    rename: int = 0
    forget: int = 0
    no_op: int = 0
    unmanaged: int = 0
    blocked: int = 0
    not_selected: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read to make the plan: objects by kind, and the requests that took."""

    objects: dict[str, int] = field(default_factory=dict)
    requests: int = 0


@dataclass(frozen=True)
class Plan:
    """What apply would do, in the order of execution. `digest` is over everything but itself and sources.

    `allow_deletes` and `new_state` are permissions given when the plan was made. `unlisted_deletes` are the deletes
    that `--no-deletes` left out. `observed` maps address -> attributes (bound values) that YAML and Qase agree on
    without a change, or LEFT; apply records them; it is not part of the saved plan.
    """

    project: str
    api: str
    tool: str
    config_digest: str
    lineage: str
    serial: int
    changes: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    summary: Summary = Summary()
    requests: int = 0
    deletes: bool = True
    allow_deletes: int | None = None
    new_state: bool = False
    unlisted_deletes: tuple[str, ...] = ()
    reading: Reading = Reading()
    stateless: bool = False
    digest: str = ""
    observed: dict[str, Attributes] = field(default_factory=dict)

    @property
    def unblocked(self) -> Iterator[Change]:
        return (change for change in self.changes if not change.blocked)

    @property
    def reverts(self) -> int:
        """How many changes undo somebody's edit in Qase."""
        return sum(1 for change in self.undone if Origin.THEIRS in change.origins)

    @property
    def undone(self) -> list[Change]:
        """The changes that undo somebody's edit in Qase: those that revert one, and those that overwrite one."""
        return [change for change in self.changes if change.undoes]

    @property
    def destructive(self) -> int:
        """What the brake counts: deletes, and objects that vanished and would be created again."""
        return sum(1 for change in self.unblocked if change.destroys)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks of the planner."""

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    deletes: bool = True
    allow_deletes: int | None = None
    allow_recreate: frozenset[str] = frozenset()
    on_drift: str | None = None
    on_conflict: str | None = None
    new_state: bool = False
    bulk_size: int = 100
    destroy: bool = False
    changed_since: str | None = None
    touched: frozenset[str] | None = None
    """With `changed_since`, a git revision: the addresses whose YAML this branch changed. Only these are planned."""
