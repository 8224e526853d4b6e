"""Creates, updates and moves: what is needed first, the call, and what is done when Qase refuses."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from hashlib import sha256

from qase_iac.apply.bind import Unbound, body_digest
from qase_iac.apply.events import Uploaded
from qase_iac.apply.report import NOT_SUPPORTED, Operation, Problem, Status, problem_of
from qase_iac.apply.run import Run, Touched
from qase_iac.errors import AccessDenied, Interrupted, QaseIacError, StateError
from qase_iac.kinds import BY_NAME
from qase_iac.plan.bind import addresses_in
from qase_iac.plan.model import Action, Change
from qase_iac.state.journal import Item
from qase_iac.values import JSON, Address, Attributes, RemoteId


@dataclass(frozen=True, slots=True)
class Ready:
    """A change that can be sent: its bound values and its part of the intent."""

    change: Change
    attributes: Attributes
    item: Item


def obstacle(run: Run, change: Change) -> Problem | None:
    """What stands in the way of a change: the end of the run, or something it depends on that is not done.

    A change that the plan itself had blocked, or that Qase does not take, is in the way only of deletes, and of what
    needs the object it would have made; the planner blocks those, too.
    """
    if stop := run.stop_reason():
        return stop
    for address in change.depends_on:
        needed = run.operations.get(address)
        if needed is None or needed.done:
            continue
        known = needed.planned_block or (needed.problem is not None and needed.problem.code == NOT_SUPPORTED)
        if known and change.action is not Action.DELETE and needed.action is not Action.CREATE:
            continue
        return because_of(needed)
    return None


def because_of(operation: Operation) -> Problem:
    """The reason of whatever depends on an operation that is not done; `by` names the root of it."""
    cause = operation.problem
    root = cause.by if cause and cause.code == "dependency_failed" else (operation.address,)
    states = {Status.UNKNOWN: "may or may not be done", Status.BLOCKED: "was not carried out"}
    state = states.get(operation.status, "failed")
    why = f"({operation.cause})" if root == (operation.address,) else f"because of {', '.join(root)}"
    return Problem("dependency_failed", f"It needs {operation.address}, which {state} {why}.", root)


def prepare(run: Run, change: Change) -> Ready | None:
    """Uploads what a change needs and binds its values; None when it is blocked or has failed, which is recorded."""
    if problem := obstacle(run, change):
        run.block(change, problem)
        return None
    if problem := _upload_missing(run, change):
        (run.block if problem is run.halted else run.fail)(change, problem)
        return None
    try:
        attributes = run.binder.sent(change)
        known = run.binder.values(change, change.attributes)
    except Unbound as error:
        run.fail(change, error.problem)
        return None
    return Ready(change, attributes, make_item(run, change, attributes, known))


def make_item(run: Run, change: Change, attributes: Attributes, known: Attributes) -> Item:
    """The change's part of an intent. `known` are `attributes` and what both sides have changed alike."""
    kind = BY_NAME[change.kind]
    record: Attributes = {"sent": known}
    resource = run.desired.resources.get(Address.parse(change.address))
    if resource is not None:
        record["depends_on"] = depends_on(run, change.address)
        record["protect"] = bool(resource.protect)
    return Item(
        op=run.number(change),
        address=change.address,
        action=change.action,
        id=change.id,
        title=str(attributes.get("title") or change.title),
        parent=attributes.get(kind.parent) if kind.parent else None,
        digest=body_digest(kind, attributes),
        record=record,
    )


def depends_on(run: Run, address: str) -> list[str]:
    """The addresses that a declared object refers to, for the day when its YAML is gone."""
    resource = run.desired.resources[Address.parse(address)]
    return sorted(set(addresses_in(BY_NAME[resource.address.kind], resource.attributes)) - {address})


def _upload_missing(run: Run, change: Change) -> Problem | None:
    for path, sha in sorted(change.files.items()):
        if sha in run.state.files:
            continue
        problem = run.stop_reason() or run.refused_files.get(sha) or _upload(run, path, sha)
        if problem:
            return problem
    return None


def _upload(run: Run, path: str, sha: str) -> Problem | None:
    try:
        content = run.read_file(path)
    except OSError as error:
        return Problem("file-unreadable", f"{path} cannot be read: {error.strerror or error}.")
    if sha256(content).hexdigest() != sha.removeprefix("sha256:"):
        return Problem("file-changed", f"{path} is not the file that was planned.", hint="Plan again.")
    name = path.rpartition("/")[2]
    run.requests += 1
    try:
        hash = run.remote.upload(name, content)
    except Interrupted:
        run.requests -= 1
        return run.interrupt()
    except QaseIacError as error:
        problem = run.refused_files[sha] = problem_of(error)
        if isinstance(error, AccessDenied):
            run.deny(problem)
        return problem
    entry: dict[str, JSON] = {"hash": hash, "name": name, "size": len(content)}
    run.state.files[sha] = entry
    run.dirty = True
    run.on_event(Uploaded(path, sha, hash))
    try:
        run.journal.uploaded(sha, entry)
    except StateError as error:
        run.halt(problem_of(error, "journal_unwritable"))
        return run.halted
    return None


def create(run: Run, batch: Sequence[Change]) -> None:
    """Creates objects, several in one call where there are several.

    A refused batch was not carried out at all; it is halved until the culprit stands alone. A call that may have
    taken effect is never repeated.
    """
    ready = [each for change in batch if (each := prepare(run, change))]
    parts = deque([ready] if ready else [])
    again = False
    while parts:
        part = parts.popleft()
        sent = run.requests
        status, problem, ids = run.attempt([r.change for r in part], [r.item for r in part], _create_call(run, part))
        run.retries += (run.requests - sent) if again else 0
        if problem and status is Status.FAILED and problem.refused and len(part) > 1:
            half = (len(part) + 1) // 2
            parts.extendleft([part[half:], part[:half]])
            again = True
            continue
        for at, each in enumerate(part):
            conclude(run, each.change, status, problem, ids[at] if problem is None else None)
            if problem is None:
                touch(run, each, ids[at], {})


def _create_call(run: Run, part: Sequence[Ready]) -> Callable[[], Sequence[RemoteId | None]]:
    kind = part[0].change.kind
    if len(part) > 1:
        return lambda: run.remote.create_many(kind, [ready.attributes for ready in part])
    return lambda: [run.remote.create(kind, part[0].attributes, part[0].change.key)]


def conclude(run: Run, change: Change, status: Status, problem: Problem | None, id: RemoteId | None) -> None:
    """Notes the outcome of a call for one change."""
    if problem is None:
        run.done(change, id)
    elif status is Status.BLOCKED:
        run.block(change, problem)
    else:
        run.fail(change, problem, status)


def update(run: Run, change: Change) -> None:
    """One PATCH with everything that changes on an object; a second one without what Qase does not take."""
    ready = prepare(run, change)
    if ready is None:
        return
    before, restore = _remember(run, change, ready)
    status, problem = _patch(run, ready)
    unwanted = _unwanted(ready, before, problem) if problem else set()
    if problem and unwanted:
        rest, doubt = _patch_rest(run, ready, unwanted)
        if rest is Status.DONE:
            _remember_refusal(run, ready, unwanted, problem)
            return
        if rest is Status.UNKNOWN:
            status, problem = rest, doubt
    conclude(run, change, status, problem, change.id)
    if problem is None:
        touch(run, ready, change.id, before, restore)


def _patch(run: Run, ready: Ready) -> tuple[Status, Problem | None]:
    change, id = ready.change, ready.change.id
    assert id is not None

    def call() -> Sequence[RemoteId | None]:
        run.remote.update(change.kind, id, ready.attributes, _resent(run, change, id, ready.attributes))
        return [id]

    status, problem, _ = run.attempt([change], [ready.item], call)
    return status, problem


def _unwanted(ready: Ready, uncertain: Attributes, problem: Problem) -> set[str]:
    """Which of the attributes that the server may not be able to change a refusal is about: those that it names."""
    if not problem.refused or problem.http_status not in (400, 422):
        return set()
    kind = BY_NAME[ready.change.kind]
    fields = {field for field, _ in problem.field_errors}
    return {name for name in uncertain if not fields or kind.attribute(name).writes in fields}


def _patch_rest(run: Run, ready: Ready, unwanted: set[str]) -> tuple[Status, Problem | None]:
    """Sends what is left without `unwanted`. DONE: Qase took it, so that the refusal was indeed about these."""
    rest = {name: value for name, value in ready.attributes.items() if name not in unwanted}
    if not rest:
        return Status.DONE, None
    known = {name: value for name, value in ready.item.record["sent"].items() if name not in unwanted}
    less = Ready(ready.change, rest, make_item(run, ready.change, rest, known))
    sent = run.requests
    status, problem = _patch(run, less)
    run.retries += run.requests - sent
    if problem is None:
        touch(run, less, ready.change.id, {})
    return status, problem


def _remember_refusal(run: Run, ready: Ready, unwanted: set[str], problem: Problem) -> None:
    """Notes in the state what Qase does not take, as reading back does where it says nothing."""
    binding = run.state.bindings.get(ready.change.address)
    if binding is not None:
        binding.unsupported |= {name: ready.attributes[name] for name in unwanted}
        run.dirty = True
    names = ", ".join(name for name in ready.attributes if name in unwanted)
    reason = f"Qase does not take this change of {names}: {problem.reason}"
    hint = "Make this change by hand in Qase; the next plan finds it done."
    run.fail(ready.change, replace(problem, code=NOT_SUPPORTED, reason=reason, hint=hint))


def _resent(run: Run, change: Change, id: RemoteId, attributes: Attributes) -> Attributes:
    """The attributes that this kind wants in every PATCH, as they are in Qase now."""
    names = [name for name in BY_NAME[change.kind].resend if name not in attributes]
    live = run.remote.snapshot.get(change.kind, id) if names else None
    if names and live is None:
        live = run.remote.read(change.kind, id)
    return {name: live.attributes[name] for name in names if name in live.attributes} if live else {}


def _remember(run: Run, change: Change, ready: Ready) -> tuple[Attributes, Callable[[str], None]]:
    """What `uncertain` attributes held before they were sent, and how to put the record of them back."""
    kind = BY_NAME[change.kind]
    binding = run.state.bindings.get(change.address)
    live = run.remote.snapshot.get(change.kind, change.id) if change.id is not None else None
    held: Attributes = live.attributes if live else {}
    before: Attributes = {}
    for name in ready.attributes:
        if kind.attribute(name).uncertain:
            before[name] = held.get(name, binding.last_served(name) if binding else None)
    old = deepcopy((binding.sent, binding.served)) if binding and before else ({}, {})

    def restore(name: str) -> None:
        now = run.state.bindings[change.address]
        for values, previous in ((now.sent, old[0]), (now.served, old[1])):
            values.pop(name, None)
            if name in previous:
                values[name] = previous[name]

    return before, restore


def touch(
    run: Run,
    ready: Ready,
    id: RemoteId | None,
    before: Attributes,
    restore: Callable[[str], None] = lambda name: None,
) -> None:
    """Has the object read back at the end."""
    if id is not None and BY_NAME[ready.change.kind].section:
        names = tuple(ready.attributes)
        run.touched.setdefault(ready.change.kind, {})[id] = Touched(ready.change, names, before, restore)
