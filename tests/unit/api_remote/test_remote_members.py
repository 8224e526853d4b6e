"""Whom to believe about a plan's members, which no list shows (qase-api.md section 10)."""

from __future__ import annotations

from typing import Any

import pytest
from remote_kit import Kit, shop, state

from qase_iac.state.model import Binding

# A plan's members (section 10)


def vouching(kit: Kit, **changes: Any) -> Binding:
    meta = kit.refresh(wanted=lambda live: True).of("plan")[1].meta
    kit.calls()
    facts = {"updated_at": meta["updated_at"], "cases_count": 2, **changes.pop("meta", {})}
    return Binding(1, sent={"title": "P", "cases": [2, 1]}, meta=facts, **changes)


def singles(kit: Kit) -> list[str]:
    return [call for call in kit.calls() if call.startswith("GET /plan/SHOP/")]


def test_the_state_vouches_for_members() -> None:
    kit = shop()
    snapshot = kit.refresh(state(plan__p=vouching(kit)))
    plan = snapshot.of("plan")[1]
    assert (plan.partial, plan.attributes["cases"], plan.title) == (False, [1, 2], "P")
    assert "assignees" not in plan.meta and plan.meta["cases_count"] == 2
    assert snapshot.of("plan")[2].partial
    assert singles(kit) == []
    assert snapshot.requests == 8


def test_what_was_served_goes_before_what_was_sent() -> None:
    kit = shop()
    binding = vouching(kit, served={"cases": [3, 2]}, meta={"assignees": 1})
    plan = kit.refresh(state(plan__p=binding)).of("plan")[1]
    assert plan.attributes["cases"] == [2, 3]
    assert "assignees" not in plan.meta, "nobody vouches for who is assigned"


@pytest.mark.parametrize(
    "meta", [{"updated_at": "2020-01-01"}, {"cases_count": 3}, {"updated_at": None}, {"cases_count": None}]
)
def test_what_the_state_cannot_vouch_for_is_read(meta: dict[str, Any]) -> None:
    kit = shop()
    snapshot = kit.refresh(state(plan__p=vouching(kit, meta=meta)))
    assert snapshot.of("plan")[1].attributes["cases"] == [1, 2]
    assert singles(kit) == ["GET /plan/SHOP/1"]
    assert snapshot.requests == 9


def test_a_state_that_never_knew_the_members_cannot_vouch() -> None:
    kit = shop()
    binding = vouching(kit)
    del binding.sent["cases"]
    assert not kit.refresh(state(plan__p=binding)).of("plan")[1].partial
    assert singles(kit) == ["GET /plan/SHOP/1"]


def test_a_full_refresh_trusts_nobody() -> None:
    kit = shop()
    plan = kit.refresh(state(plan__p=vouching(kit)), full=True).of("plan")[1]
    assert plan.meta["assignees"] == 0
    assert singles(kit) == ["GET /plan/SHOP/1"]


def test_facts_that_the_server_does_not_give_vouch_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent on both sides is not equal."""
    kit = shop()
    binding = vouching(kit, meta={"updated_at": None})
    pages = kit.client.pages

    def timeless(path: str, params: Any = None, **rest: Any) -> Any:
        for page in pages(path, params, **rest):
            yield [{key: value for key, value in row.items() if not key.startswith("updated")} for row in page]

    monkeypatch.setattr(kit.client, "pages", timeless)
    kit.refresh(state(plan__p=binding))
    assert singles(kit) == ["GET /plan/SHOP/1"]


def test_unbound_plans_are_read_where_wanted() -> None:
    kit = shop()
    snapshot = kit.refresh(wanted=lambda live: live.title == "Q")
    assert [plan.partial for plan in snapshot.of("plan").values()] == [True, False]
    assert list(snapshot.of("plan")) == [1, 2]
    assert singles(kit) == ["GET /plan/SHOP/2"]


def test_a_plan_that_goes_while_it_is_read() -> None:
    kit = shop()
    kit.app.faults.add("stale-list", path="^/plan/SHOP")
    kit.app.ui.delete("SHOP", "plan", 2)
    snapshot = kit.refresh(wanted=lambda live: True)
    assert list(snapshot.of("plan")) == [1]
    assert snapshot.gone == {("plan", 2)}
