"""When a test reporter is named, and when not."""

from __future__ import annotations

from typing import Any

import pytest
from plan_kit import Kit

from qase_iac.plan.model import AttributeChange, Drift, Origin
from qase_iac.plan.suspects import suspect


def drifted(at: int, minute: float, *names: str, after: Any = "x", kind: str = "changed", of: str = "case") -> Drift:
    seconds = int(minute * 60)
    time = f"2026-11-20T{10 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}+00:00"
    attributes = {name: AttributeChange("old", after, Origin.THEIRS) for name in names}
    return Drift(f"{of}.c{at}", at, kind, attributes, "T", {"updated_at": time})


def test_many_within_minutes(kit: Kit) -> None:
    for at in range(4):
        kit.declare(f"case.c{at}", ignore=frozenset({"tags"}) if at == 2 else frozenset())
    found = suspect([drifted(at, at, "title", "steps") for at in range(4)], kit.desired)
    assert found and found.code == "test-reporter" and not found.is_error
    assert "4 cases were changed within 3 minutes from 2026-11-20 10:00 UTC, in title, steps" in found.summary
    assert "\n  ignore_changes: [title, steps]\n" in found.detail
    assert "  case.c0  cases.yaml:10" in found.detail
    assert "  case.c2  cases.yaml:12 (beside tags, which it ignores already)" in found.detail


@pytest.mark.parametrize(
    "drift",
    [
        [],
        [drifted(at, 0, "title") for at in range(2)],  # a person at work
        [drifted(at, at * 8, "title") for at in range(4)],  # over half an hour
        [drifted(at, 0, "severity", "tags") for at in range(9)],  # a bulk edit
        [drifted(at, 0, "automation", after="manual") for at in range(9)],  # no reporter does that
        [drifted(at, 0, "title", kind="vanished") for at in range(9)],
        [drifted(at, 0, "title", of="suite") for at in range(9)],
        [Drift(f"case.c{at}", at, "changed", {"title": AttributeChange("a", "b", Origin.THEIRS)}) for at in range(9)],
    ],
)
def test_nobody_is_suspected(kit: Kit, drift: list[Drift]) -> None:
    assert suspect(drift, kit.desired) is None


def test_the_densest_minutes_count_and_what_many_share_is_ceded(kit: Kit) -> None:
    drift = [
        *(drifted(at, at * 20, "title") for at in range(3)),
        *(drifted(10 + at, 100, "automation", "suite", "tags", after="automated") for at in range(3)),
        drifted(20, 100.5, "automation", "severity", after="automated"),
    ]
    found = suspect(drift, kit.desired)
    assert found and "4 cases were changed within a minute" in found.summary
    # Its place is always managed; one severity is somebody's edit.
    assert "ignore_changes: [automation, tags]" in found.detail


def test_a_long_list_is_cut(kit: Kit) -> None:
    found = suspect([drifted(at, 0, "steps") for at in range(300)], kit.desired)
    assert found and found.detail.endswith("and 280 more") and len(found.detail.splitlines()) < 30
