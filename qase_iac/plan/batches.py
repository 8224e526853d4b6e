"""How changes are packed into calls. The planner counts with it, the executor runs by it, so the two agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, Change


def batches(changes: Iterable[Change], bulk_size: int) -> Iterator[list[Change]]:
    """Consecutive unblocked creates of a kind that has a bulk call, up to `bulk_size` together; all else alone.

    Blocked changes are left out. Changes that need no call are yielded alone as well.
    """
    batch: list[Change] = []
    for change in changes:
        if change.blocked:
            continue
        joins = change.action is Action.CREATE and BY_NAME[change.kind].bulk
        if batch and (not joins or len(batch) == bulk_size):
            yield batch
            batch = []
        if joins:
            batch.append(change)
        else:
            yield [change]
    if batch:
        yield batch


def count_requests(changes: Iterable[Change], bulk_size: int) -> int:
    """The write calls that carrying out `changes` takes if nothing fails, uploads included."""
    calls = 0
    uploaded: set[str] = set()
    for batch in batches(changes, bulk_size):
        calls += int(any(change.writes for change in batch))
        for change in batch:
            wanted = {change.files[path] for path in change.uploads}
            calls += len(wanted - uploaded)
            uploaded |= wanted
    return calls
