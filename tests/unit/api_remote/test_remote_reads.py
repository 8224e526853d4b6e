"""Reading again while something is applied: what is noted, what it costs, what a suite holds."""

from __future__ import annotations

from typing import Any

import pytest
from remote_kit import Kit

from qase_iac.api.remote import QaseRemote
from qase_iac.errors import BadAnswer, Rejected, ServerFault
from qase_iac.model import Catalogue

STEPS = [{"action": "a"}, {"action": "b", "expected": "c"}]

# Reading again


def test_what_is_read_is_noted_in_the_snapshot() -> None:
    kit = Kit()
    remote = kit.remote()
    assert remote.read("case", 1) is None
    assert remote.snapshot.gone == {("case", 1)}
    remote.create("case", {"title": "A"})
    live = remote.read("case", 1)
    assert live is not None and remote.snapshot.get("case", 1) is live
    assert remote.snapshot.gone == set()
    kit.app.ui.delete("SHOP", "case", 1)
    assert remote.read("case", 1) is None
    assert remote.snapshot.get("case", 1) is None
    assert remote.snapshot.gone == {("case", 1)}
    everything = remote.read_all("case")
    assert everything == {} and remote.snapshot.of("case") is everything


def test_a_read_that_fails_is_no_absence() -> None:
    kit = Kit()
    remote = kit.remote()
    kit.app.faults.add("500", times=0)
    with pytest.raises(ServerFault):
        remote.read("case", 1)
    with pytest.raises(ServerFault):
        remote.read_all("case")
    with pytest.raises(ServerFault):
        remote.holds(1)
    assert remote.snapshot.gone == set()


def test_plans_are_read_whole_and_priced_so() -> None:
    kit = Kit()
    kit.app.ui.create("SHOP", "case", title="C")
    for title in "PQ":
        kit.app.ui.create("SHOP", "plan", title=title, cases=[1])
    remote = kit.remote()
    assert remote.list_cost("plan") == 3
    plans = remote.read_all("plan")
    assert [(plan.partial, plan.attributes["cases"]) for plan in plans.values()] == [(False, [1]), (False, [1])]
    assert len(kit.calls()) == 3
    kit.app.faults.add("stale-list", path="^/plan")
    kit.app.ui.delete("SHOP", "plan", 1)
    assert list(remote.read_all("plan")) == [2]
    assert remote.list_cost("plan") == 2


def test_what_is_gone_already_costs_no_less_than_nothing() -> None:
    kit = Kit()
    remote = kit.remote()
    kit.app.ui.create("SHOP", "case", title="C")
    remote.delete("plan", kit.app.ui.create("SHOP", "plan", title="P", cases=[1]))
    assert remote.list_cost("plan") == 1


def test_what_a_list_costs_follows_what_is_made() -> None:
    kit = Kit()
    for at in range(99):
        kit.app.ui.create("SHOP", "case", title=str(at))
    remote = kit.remote()
    assert remote.list_cost("suite") == 1
    assert remote.list_cost("case") == 1
    remote.create("case", {"title": "100"})
    assert remote.list_cost("case") == 1
    remote.create_many("case", [{"title": "101"}])
    assert remote.list_cost("case") == 2
    remote.delete("case", 1)
    assert remote.list_cost("case") == 1
    remote.create_many("case", [{"title": str(at)} for at in range(101)])
    assert remote.list_cost("case") == 3
    kit.calls()
    remote.read_all("case")
    assert len(kit.calls()) == 3


def test_an_update_makes_no_list_longer() -> None:
    kit = Kit()
    for at in range(100):
        kit.app.ui.create("SHOP", "case", title=str(at))
    remote = kit.remote()
    remote.update("case", 1, {"title": "A"}, {})
    assert remote.list_cost("case") == 1
    remote.create("case", {"title": "101"})
    assert remote.list_cost("case") == 2


def test_shared_steps_written_meanwhile_are_learnt_before_cases_are_read() -> None:
    """Their rows fold a case: two references side by side could else not be told from one (section 7.4)."""
    kit = Kit()
    remote = kit.remote()
    shared = remote.create("shared_step", {"title": "S", "steps": STEPS})
    twice = [{"shared": shared}, {"shared": shared}]
    case = remote.create("case", {"title": "C", "steps": twice})
    assert remote.list_cost("case") == 2
    assert remote.list_cost("suite") == 1
    assert remote.read("case", case).attributes["steps"] == twice  # type: ignore[union-attr]
    assert remote.snapshot.of("shared_step").keys() == {shared}
    assert kit.calls("GET") == ["GET /shared_step/SHOP?limit=100&offset=0", "GET /case/SHOP/1"]
    assert remote.list_cost("case") == 1
    remote.update("shared_step", shared, {"steps": [{"action": "only"}]}, {"title": "S"})
    remote.read("suite", 1)
    assert kit.calls("GET") == ["GET /suite/SHOP/1"]
    assert remote.read_all("case")[case].attributes["steps"] == twice  # type: ignore[index]
    assert len(kit.calls("GET")) == 2
    remote.delete("shared_step", shared)
    assert remote.list_cost("case") == 1
    assert remote.snapshot.unknown_shared == set()


def test_shared_steps_of_the_snapshot_are_known() -> None:
    kit = Kit()
    hash = kit.app.ui.create("SHOP", "shared_step", title="S", steps=[{"action": "a"}, {"action": "b"}])
    case = kit.app.ui.create("SHOP", "case", title="C", steps=[{"shared": hash}, {"shared": hash}])
    remote = kit.remote()
    assert remote.read("case", case).attributes["steps"] == [{"shared": hash}, {"shared": hash}]  # type: ignore[union-attr]
    assert kit.calls() == [f"GET /case/SHOP/{case}"]


# What a suite holds


@pytest.mark.parametrize("dialect", ["today", "seed"])
@pytest.mark.parametrize("recurses", ["off", "on"])
@pytest.mark.parametrize("texts", ["off", "on"])
def test_a_suite_holds_what_lies_directly_in_it(dialect: str, recurses: str, texts: str) -> None:
    """In the dialect of 2020 the filter has another name, and everything comes (section 3.1)."""
    kit = Kit(dialect=dialect, switches={"suite_filter_recurses": recurses, "ids_as_strings": texts})
    remote = kit.remote()
    top, other = remote.create("suite", {"title": "top"}), remote.create("suite", {"title": "other"})
    below = remote.create("suite", {"title": "below", "parent": top})
    remote.create("suite", {"title": "deeper", "parent": below})
    remote.create_many(
        "case",
        [{"title": "a", "suite": top}, {"title": "b", "suite": below}, {"title": "c"}, {"title": "d", "suite": top}],
    )
    kit.calls()
    assert remote.holds(top) == ([1, 4], [below])
    assert kit.calls() == [
        f"GET /case/SHOP?suite_id={top}&limit=100&offset=0", "GET /suite/SHOP?limit=100&offset=0",
    ]  # fmt: skip
    assert remote.holds(below) == ([2], [4])
    assert remote.holds(other) == ([], [])


@pytest.mark.parametrize(
    "rows", [[{"id": 1}], [{"id": "x", "suite_id": 1, "parent_id": 1}], [{"id": 1, "suite_id": [1]}]]
)
def test_rows_that_do_not_say_where_they_lie(rows: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    kit = Kit()
    remote = kit.remote()
    monkeypatch.setattr(kit.client, "pages", lambda *args, **rest: iter([rows]))
    with pytest.raises(BadAnswer, match="the suite of a case"):
        remote.holds(1)


@pytest.mark.parametrize("fault", ["short-page", "wrong-total", "html", "empty-body"])
@pytest.mark.parametrize("path", ["^/case", "^/suite"])
def test_a_suite_that_cannot_be_read_holds_nobody_knows_what(fault: str, path: str) -> None:
    kit = Kit()
    remote = kit.remote()
    suite = remote.create("suite", {"title": "top"})
    remote.create("case", {"title": "c", "suite": suite})
    kit.app.faults.add(fault, path=path, times=0)
    with pytest.raises(BadAnswer):
        remote.holds(suite)


def test_the_catalogue_of_the_snapshot_is_used() -> None:
    kit = Kit()
    snapshot = kit.refresh()
    snapshot.catalogue = Catalogue()
    with pytest.raises(Rejected):
        QaseRemote(kit.client, "SHOP", snapshot).create("case", {"title": "A", "severity": "normal"})
