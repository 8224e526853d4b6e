"""Drift as a pure function: STATE against SNAPSHOT, the files only saying what is ours."""

from __future__ import annotations

from typing import Any

from plan_kit import Kit, shared

from qase_iac.plan.drifting import Found, Unsettled, find_drift

STEPS = [{"action": "Open"}, {"action": "Pay"}]


def drift(kit: Kit, seen: dict[str, Any] | None = None, unsettled: Unsettled = Unsettled()) -> Found:  # noqa: B008
    return find_drift(kit.desired, kit.snapshot, kit.state, seen or {}, unsettled)


def changed(kit: Kit, **more: Any) -> dict[str, set[str]]:
    return {each.address: set(each.attributes) for each in drift(kit, **more).drift if each.kind == "changed"}


def test_nothing_changed(kit: Kit) -> None:
    kit.both("suite.a", 7).both("case.c", 41, title="Pay", steps=STEPS, suite="a")
    found = drift(kit)
    assert (found.drift, found.appeared) == ([], [])


def test_by_attribute_with_what_was_served_last_and_when(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", severity="major")
    kit.qase("case.c", {"updated_at": "2026-11-20T10:00:00+00:00", "author_id": 3, "cases": [1]}, title="Paid")
    (found,) = drift(kit).drift
    assert (found.id, found.kind, found.title) == (41, "changed", "Paid")
    assert {n: (a.before, a.after, a.origin) for n, a in found.attributes.items()} == {
        "title": ("Pay", "Paid", "theirs")
    }
    assert found.meta == {"updated_at": "2026-11-20T10:00:00+00:00", "author_id": 3}


def test_edits_of_the_files_do_not_show(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", severity="major", steps=STEPS)
    kit.yaml("case.c", title="Other", severity="minor", steps=[{"action": "New"}], tags=["x"])
    kit.declare("case.new")
    assert drift(kit).drift == []
    kit.qase("case.c", title="Other")  # both sides alike: it changed in Qase all the same
    assert changed(kit) == {"case.c": {"title"}}


def test_what_is_left_to_others_is_no_drift(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", severity="major", automation="manual", description="D")
    kit.yaml("case.c", ignore=frozenset({"automation"}), drop=["description"])
    kit.qase("case.c", automation="automated", description="by hand", tags=["theirs"])
    assert changed(kit) == {}


def test_what_the_server_made_of_a_value_is_no_drift(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", description="a  b")
    kit.state.bindings["case.c"].served["description"] = "a b"
    kit.qase("case.c", description="a b")
    assert changed(kit) == {}
    kit.qase("case.c", description="a\\_b")
    assert changed(kit) == {"case.c": {"description"}}


def test_editor_noise_is_no_drift(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", description="one_two\n* three")
    kit.qase("case.c", description="one\\_two\r\n\\* three\n")
    assert changed(kit) == {}


def test_what_was_left_as_it_was_drifts_when_it_changes_again(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", description="ours")
    del kit.state.bindings["case.c"].sent["description"]
    kit.state.bindings["case.c"].served["description"] = "theirs"
    kit.qase("case.c", description="theirs")
    assert changed(kit) == {}
    kit.qase("case.c", description="theirs again")
    assert changed(kit) == {"case.c": {"description"}}


def test_steps_that_became_a_scenario_show_both(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", steps=STEPS)
    kit.qase("case.c", drop=["steps"], gherkin="Given x")
    (found,) = drift(kit).drift
    assert found.attributes["steps"].after is None and found.attributes["gherkin"].after == "Given x"
    kit.yaml("case.c", drop=["steps"], gherkin="Given y")  # the files did so, too: still theirs
    assert changed(kit) == {"case.c": {"steps", "gherkin"}}


def test_what_is_bound_and_not_declared_any_more(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", severity="major").undeclare("case.c")
    assert drift(kit).drift == []
    kit.qase("case.c", severity="minor")
    assert changed(kit) == {"case.c": {"severity"}}


def test_vanished_says_what_it_was(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay").both("case.d", 42, title="Dead").vanish("case.c", "case.d")
    found = drift(kit, unsettled=Unsettled(deleting=frozenset({"case.d"}))).drift  # we may have deleted it ourselves
    assert [(each.address, each.kind, each.title, each.id) for each in found] == [("case.c", "vanished", "Pay", 41)]


def test_what_a_run_that_was_cut_off_may_have_written_is_not_theirs(kit: Kit) -> None:
    kit.both("case.c", 41, title="Pay", severity="major").qase("case.c", title="Ours", severity="minor")
    assert changed(kit, unsettled=Unsettled({"case.c": {"title": "Ours"}})) == {"case.c": {"severity"}}


def test_a_renamed_key_has_its_new_name_and_references_are_addresses(kit: Kit) -> None:
    kit.both("suite.a", 7).both("suite.b", 8).both("case.old", 41, suite="a", severity="major")
    kit.rekey("case.old", "case.new").moved(("case.old", "case.new"))
    kit.qase("case.old", suite=8)
    (found,) = drift(kit).drift
    assert (found.address, found.attributes["suite"].before, found.attributes["suite"].after) == (
        "case.new", "suite.a", "suite.b",
    )  # fmt: skip


def test_rows_of_a_shared_step_that_is_not_listed_cannot_be_counted(kit: Kit) -> None:
    kit.both("shared_step.in", steps=STEPS)
    hash = kit.state.bindings["shared_step.in"].id
    kit.both("case.c", 41, title="Pay", steps=[shared("in"), shared("in"), {"action": "x"}])
    kit.qase("case.c", steps=[{"shared": hash}, {"action": "x"}])
    assert changed(kit) == {"case.c": {"steps"}}
    kit.snapshot.unknown_shared.add(str(hash))
    assert changed(kit) == {}


# -- what appeared


def appeared(kit: Kit, seen: dict[str, Any] | None = None) -> list[tuple[str, Any]]:
    return [(live.kind, live.id) for live in drift(kit, seen).appeared]


def test_what_is_newer_than_the_last_apply(kit: Kit) -> None:
    kit.both("case.c", 41).live("case", 30).live("case", 45).live("case", 52).live("milestone", 3)
    assert appeared(kit, {"case": 50}) == [("milestone", 3), ("case", 52)]
    assert appeared(kit, {"case": 50, "milestone": 3}) == [("case", 52)]


def test_without_a_note_what_is_older_than_something_bound_was_there_before(kit: Kit) -> None:
    kit.both("case.c", 41).live("case", 30).live("case", 45)
    assert appeared(kit) == [("case", 45)]


def test_hashes_have_no_age(kit: Kit) -> None:
    kit.live("shared_step", "a" * 40).live("shared_step", "b" * 40)
    assert appeared(kit, {"shared_step": ["a" * 40]}) == [("shared_step", "b" * 40)]


def test_only_what_lies_in_the_scope() -> None:
    kit = Kit(scope=["a", "a/**"])
    kit.both("suite.a", 7).live("suite", 8, parent=7).live("suite", 9)
    kit.live("case", 1, suite=8).live("case", 2, suite=9).live("case", 3).live("milestone", 1)
    assert appeared(kit) == [("suite", 8), ("case", 1)]
