"""What mutants of the planner survived still (docs/mutants.md): exact words, ends of walks, and what stands beside."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from plan_kit import Kit, change, codes, external, file, lines

from qase_iac.errors import QaseIacError, StalePlan
from qase_iac.kinds import BY_NAME
from qase_iac.plan.model import Action, Blocked, Change, Plan, Reason
from qase_iac.plan.planfile import seal, to_json, write
from qase_iac.plan.planfile_reader import from_json
from qase_iac.plan.planner import build
from qase_iac.plan.renames import block_possible_renames
from qase_iac.plan.resolve import resolve
from qase_iac.plan.scope import parents_first
from qase_iac.state.model import State
from qase_iac.values import Address

SHARED = "ab" * 20

# -- one object


def test_a_new_file_that_qase_seems_to_hold_leaves_the_other_references_alone(kit: Kit) -> None:
    kit.both("suite.s", 7).held("h1", "new.png")
    kit.declare("case.a", title="A", suite="s", attachments=[file("img/new.png")])
    kit.live("case", 41, title="A", suite=7, attachments=["h1"]).adopt("case.a", 41)
    plan = kit.plan()
    assert lines(plan) == ["adopt case.a"]
    (found,) = (each for each in plan.findings if each.code == "attachment-not-verified")
    words = "img/new.png was taken for the file of the same name and size in Qase; its content was not compared."
    assert (found.summary, found.detail, found.address) == (words, "", "case.a")


def test_an_object_without_steps_is_compared_where_qase_hides_a_shared_step(kit: Kit) -> None:
    kit.both("case.a").yaml("case.a", description="d")
    kit.snapshot.unknown_shared.add(SHARED)
    assert lines(kit.plan()) == ["update case.a description=ours"]


def test_a_blocked_change_writes_nothing() -> None:
    free = Change("case.a", Action.UPDATE, 41, Reason.CONFIG_CHANGED)
    assert (free.writes, replace(free, blocked=Blocked("c", "r")).writes) == (True, False)


def test_a_plan_of_nothing_but_its_arguments_records_no_more() -> None:
    plan = build(Kit().desired, Kit().snapshot, State())
    assert (plan.api, plan.tool, plan.config_digest) == ("", "", "")


def test_a_new_project_without_a_title_shows_none(kit: Kit) -> None:
    kit.snapshot.exists = False
    project = change(kit.plan(), "project.SHOP")
    assert (project.title, project.attributes) == ("", {})


def test_destroying_counts_what_was_to_be_adopted_as_not_managed(kit: Kit) -> None:
    kit.both("case.a", 41).live("case", 42).adopt("case.b", 42)
    plan = kit.plan(destroy=True)
    assert (plan.summary.delete, plan.summary.unmanaged) == (1, 1)


# -- who is who


def test_one_that_was_told_apart_does_not_hide_the_other_of_its_title(kit: Kit) -> None:
    kit.declare("case.a", title="T", description="one").declare("case.b", title="T", description="new")
    explicit = replace(kit.resources[Address.parse("case.b")].policy, adopt="explicit")
    kit.resources[Address.parse("case.b")] = replace(kit.resources[Address.parse("case.b")], policy=explicit)
    kit.live("case", 41, title="T", description="one").live("case", 42, title="T", description="two")
    plan = kit.plan()
    assert [(each.code, each.address) for each in plan.findings] == [("same-title-exists", "case.b")]
    assert plan.findings[0].summary == "Qase has 'T' at this place already: 42."


# -- the order


def test_what_lets_go_stands_among_the_updates_by_its_address(kit: Kit) -> None:
    kit.both("case.z", order=0).yaml("case.z", title="Z").both("case.a").undeclare("case.a").remove("case.a")
    assert lines(kit.plan()) == ["forget case.a", "update case.z title=ours"]


def test_only_a_suite_that_moves_waits_for_those_above_it(kit: Kit) -> None:
    kit.both("suite.x", 1).both("suite.a", 2).both("suite.a/b", 3).both("case.c", 4, suite="a/b")
    kit.yaml("suite.a", parent="x").yaml("suite.a/b", title="B").yaml("case.c", title="C")
    plan = kit.plan()
    assert [each.address for each in plan.changes] == ["suite.a", "suite.a/b", "case.c"]
    assert [each.depends_on for each in plan.changes] == [(), (), ()]


def test_a_suite_that_moves_into_a_circle_of_others_ends_the_plan_all_the_same(kit: Kit) -> None:
    kit.both("suite.a", 1).live("suite", 2, title="b").live("suite", 3, title="c")
    kit.declare("suite.b", parent="c").declare("suite.c", parent="b").bind("suite.b", 2, sent={"title": "b"})
    kit.bind("suite.c", 3, sent={"title": "c"}).yaml("suite.a", parent="b")
    kit.qase("suite.b", title="b", parent=3).qase("suite.c", title="c", parent=2)
    kit.yaml("suite.b", title="b").yaml("suite.c", title="c")
    assert lines(kit.plan()) == ["move suite.a parent=ours"]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_suite_of_a_chain_is_a_layer_of_its_own(count: int) -> None:
    kit = Kit()
    for depth in range(count, 0, -1):
        kit.declare("suite." + "/".join("abcdefg"[:depth]))
    layers = parents_first(BY_NAME["suite"], kit.resources.values())
    assert [[resource.address.key.count("/") for resource in layer] for layer in layers] == [
        [at] for at in range(count)
    ]


# -- renames


def test_a_suite_carries_no_entry_that_leads_elsewhere() -> None:
    pairs = [("suite.a", "suite.b"), ("suite.a/x", "suite.b/x"), ("suite.a/y", "suite.c")]
    changes = {old: Change(old, Action.DELETE, 1, Reason.UNDECLARED) for old, _ in pairs}
    block_possible_renames(changes, pairs)
    blocked = changes["suite.a"].blocked
    assert blocked and blocked.reason.endswith(
        "moved:\n  - {from: suite.a, to: suite.b}\n  - {from: suite.a/y, to: suite.c}"
    )


# -- words and selections


def problems(kit: Kit, *bound: tuple[str, str]) -> list[tuple[str, str]]:
    found = resolve(kit.desired, kit.snapshot, frozenset(bound))[1]
    return [(each.summary, each.detail) for each in found]


def test_only_suites_are_named_by_a_path(kit: Kit) -> None:
    kit.declare("case.a", suite={"external": "S"}, milestone={"external": "M"})
    assert problems(kit) == [
        ("Qase has no milestone called 'M'.", "External references name the exact title."),
        ("Qase has no suite called 'S'.", "External references name the exact title path, such as `A / B`."),
    ]


def test_a_managed_object_is_called_by_the_name_of_its_kind(kit: Kit) -> None:
    kit.declare("case.a", steps=[{"shared": external(SHARED)}])
    assert problems(kit, ("shared_step", SHARED)) == [
        (f"The shared step {SHARED} is managed by this folder.", "Name it by its key.")
    ]


def test_an_exclusion_beside_a_selection_is_no_mistake(kit: Kit) -> None:
    kit.declare("case.a", severity="major").declare("case.b", severity="minor")
    kit.declare("plan.p", local={"select": {"severity": ["major", "minor"]}, "exclude": {"severity": ["minor"]}})
    resolved, found = resolve(kit.desired, kit.snapshot, frozenset())
    assert found == [] and codes(kit.plan()) == []
    assert resolved.resources[Address.parse("plan.p")].attributes["cases"] == [{"address": "case.a"}]


# -- the saved plan


def saved() -> Plan:
    return seal(Plan("SHOP", "https://api.qase.io/v1", "t", "sha256:1", "line", 4))


def test_the_place_of_a_mistake_begins_with_the_plan() -> None:
    with pytest.raises(StalePlan) as refused:
        from_json({**to_json(saved()), "changes": {}})
    assert refused.value.detail == "What is wrong: plan.changes is not a list."


def test_a_plan_may_be_read_and_written_as_the_user_has_it_and_not_executed(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        write(saved(), tmp_path / "p")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "p").stat().st_mode) == 0o644


def test_a_plan_is_whole_on_the_disk_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, bool]] = []
    monkeypatch.setattr("os.fsync", lambda at: synced.append((os.fstat(at).st_size, (tmp_path / "p").exists())))
    write(saved(), tmp_path / "p")
    assert synced == [((tmp_path / "p").stat().st_size, False)]


def test_a_place_that_is_not_there_is_named_with_the_words_of_the_system(tmp_path: Path) -> None:
    target = tmp_path / "gone" / "p"
    with pytest.raises(QaseIacError) as failed:
        write(saved(), target)
    assert failed.value.summary == f"The plan could not be saved in {target}: No such file or directory."
