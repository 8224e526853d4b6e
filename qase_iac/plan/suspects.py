"""Who it was, by the pattern: a test reporter rewrites titles, steps and automation of many cases at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from qase_iac.diagnostics import Diagnostic, Severity
from qase_iac.kinds import BY_NAME
from qase_iac.model import Desired
from qase_iac.plan.model import Drift
from qase_iac.values import Address

TRACES = ("title", "steps", "automation")
"""What reporters write into the cases of the results they send."""
MANY = 3
WINDOW = 600.0
"""So many cases within so many seconds: more than a person edits by hand."""
LISTED = 20


def suspect(drift: Iterable[Drift], desired: Desired) -> Diagnostic | None:
    """A finding that names the usual suspect, with the lines that would cede to it what it writes."""
    timed = [(at, each) for each in drift if _traces(each) and (at := _time(each)) is not None]
    group = _densest(sorted(timed, key=lambda item: (item[0], item[1].address)))
    if len(group) < MANY:
        return None
    drifted = [each for _, each in group]
    kind = BY_NAME[drifted[0].address.partition(".")[0]]
    counts: dict[str, int] = {}
    for each in drifted:
        for name in each.attributes:
            counts[name] = counts.get(name, 0) + 1
    ceded = [
        name
        for name in kind.sort_names(counts)
        if not kind.attribute(name).always_managed and (name in TRACES or counts[name] >= MANY)
    ]
    day = datetime.fromtimestamp(group[0][0], UTC).strftime("%Y-%m-%d %H:%M UTC")
    summary = (
        f"{len(drifted)} cases were changed {_within(group)} from {day}, in {', '.join(ceded)}: "
        "that is how a test reporter works, which writes what it ran into the cases."
    )
    return Diagnostic("test-reporter", summary, _detail(ceded, drifted, desired), severity=Severity.WARNING)


def _traces(drift: Drift) -> bool:
    """Whether a reporter may have done it. Automation counts when the case became automated."""
    if drift.kind != "changed" or "automation" not in BY_NAME[drift.address.partition(".")[0]].by_name:
        return False
    found = [name for name in TRACES if name in drift.attributes]
    return bool(found) and (found != ["automation"] or drift.attributes["automation"].after == "automated")


def _time(drift: Drift) -> float | None:
    try:
        moment = datetime.fromisoformat(str(drift.meta.get("updated_at")))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _densest(timed: Sequence[tuple[float, Drift]]) -> Sequence[tuple[float, Drift]]:
    """The most that lie within one window."""
    best = (0, 0)
    start = 0
    for end in range(len(timed)):
        while timed[end][0] - timed[start][0] > WINDOW:
            start += 1
        if end + 1 - start > best[1] - best[0]:
            best = (start, end + 1)
    return timed[best[0] : best[1]]


def _within(group: Sequence[tuple[float, Drift]]) -> str:
    seconds = group[-1][0] - group[0][0]
    if seconds < 60:
        return "within a minute"
    return f"within {seconds / 60:.0f} minutes" if seconds >= 90 else "within two minutes"


def _detail(ceded: Sequence[str], drifted: Sequence[Drift], desired: Desired) -> str:
    """What to paste, and where; what is ignored there already stays so."""
    lines = [
        "If it was one, leave these attributes to it: write this beside the title of each of the cases, or once for a "
        "folder below `defaults: case:` in its suite.yaml. Else `drift` shows what each run writes, and apply puts it "
        "back as `on_drift` says.",
        f"  ignore_changes: [{', '.join(ceded)}]",
        "The cases:",
    ]
    for each in drifted[:LISTED]:
        resource = desired.resources.get(Address.parse(each.address))
        ignored = [name for name in sorted(resource.ignore) if name not in ceded] if resource else []
        more = f" (beside {', '.join(ignored)}, which it ignores already)" if ignored else ""
        lines.append(
            f"  {each.address}" + (f"  {resource.source.file}:{resource.source.line}" if resource else "") + more
        )
    if len(drifted) > LISTED:
        lines.append(f"  and {len(drifted) - LISTED} more")
    return "\n".join(lines)
