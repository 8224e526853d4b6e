"""`pull`: what people changed in Qase comes into the files in place, and after `pull --all` the plan is empty."""

from __future__ import annotations

import difflib
import itertools
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Folder, Ran, actions
from rich_project import SEED
from test_export_update import upload
from test_laws_of_attributes import ALL, SAME, Edit, edit_in_qase, edit_in_yaml
from test_laws_of_attributes import FILES as EVERY

from qase_iac.emulator import create_app
from qase_iac.errors import SafetyRefusal, StateLocked
from qase_iac.workflow import pulling
from qase_iac.workflow.pulling import Pulled, Wish, pull

Run = Callable[..., Ran]
FILES: dict[str, str | bytes] = {
    "checkout/suite.yaml": "# The money suite: ask Ann\ntitle: Checkout\n",
    "checkout/cases.yaml": """\
# Paid by card and the like
cases:

  # the most used way
  card:
    title:  'Pay by card'     # as the shop calls it
    tags: [ smoke,payments ]
    steps:
      - Open the basket
      - action: Pay
        expected: >-
          The receipt
          is shown
    milestone: r1

  refund: {title: "Refund", description: Money back}   # one line
""",
    "rest.yaml": """\
milestones:
  r1: {title: Release 1}
shared_steps:
  sign-in: {title: Sign in, steps: [Open /login]}
plans:
  smoke: {title: Smoke, cases: [card, refund]}
""",
}


def texts(folder: Folder) -> dict[str, str]:
    paths = (path for path in sorted(folder.root.rglob("*")) if path.is_file())
    hidden = {".qase-iac", ".git"}
    return {
        path.relative_to(folder.root).as_posix(): path.read_bytes().decode("utf-8", "replace")
        for path in paths
        if hidden.isdisjoint(path.parts)
    }


def changed_lines(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """`-line` and `+line` of every file."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, "").splitlines(True), after.get(name, "").splitlines(True)
        found += [line[0] + line[2:].rstrip("\n") for line in difflib.ndiff(old, new) if line[0] in "+-"]
    return found


def pulled(folder: Folder, *addresses: str, on_conflict: str | None = None, dry_run: bool = False) -> Pulled:
    wish = Wish(addresses, everything=not addresses, dry_run=dry_run)
    return pull(folder.session(on_conflict=on_conflict), wish, HOLDER)


def actions_of(done: Pulled) -> dict[str, str]:
    return {line.address: line.action for line in done.lines}


def settled(folder: Folder, done: Pulled) -> None:
    """Everything was pulled: the plan is empty, so is the drift, and the next pull does nothing."""
    assert (done.exit_code, done.left, done.unexpected) == (0, (), ())
    assert done.plan is not None and done.plan.changes == ()
    plan = folder.plan()
    assert (actions(plan), plan.drift, plan.findings) == ({}, (), ())
    before, state = texts(folder), folder.state
    again = pulled(folder)
    assert (again.lines, again.files, again.drift, texts(folder), folder.state) == ((), (), 0, before, state)


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES, policy={"max_delete_share": 1}).applied()


@pytest.fixture
def every(tmp_path: Path) -> Iterator[Folder]:
    """A folder that manages every attribute of every kind."""
    ticks = itertools.count(1795392000)
    app = create_app(seed=SEED, strict=True, clock=lambda: float(next(ticks)))
    (tmp_path / "every").mkdir()
    yield Folder(tmp_path / "every", app).write(EVERY).applied()
    app.close()


def edit(shop: Folder, address: str, **fields: Any) -> None:
    shop.app.ui.edit("SHOP", address.partition(".")[0], shop.id_of(address), **fields)


# -- what changed


def test_without_a_change_nothing_is_written(shop: Folder) -> None:
    before, state = texts(shop), shop.state
    done = pulled(shop)
    assert (done.lines, done.files, done.exit_code) == ((), (), 0)
    assert (texts(shop), shop.state) == (before, state)


def test_only_the_lines_of_what_changed_change(shop: Folder) -> None:
    before, serial = texts(shop), shop.state["serial"]
    edit(shop, "case.card", title="Pay by any card", tags=["smoke"])
    edit(shop, "case.refund", description="All money back")
    done = pulled(shop)
    assert actions_of(done) == {"case.card": "update", "case.refund": "update"}
    assert changed_lines(before, texts(shop)) == [
        "-    title:  'Pay by card'     # as the shop calls it",
        "+    title:  'Pay by any card'     # as the shop calls it",
        "-    tags: [ smoke,payments ]",
        "+    tags: [ smoke ]",
        '-  refund: {title: "Refund", description: Money back}   # one line',
        '+  refund: {title: "Refund", description: All money back}   # one line',
    ]
    assert shop.state["serial"] == serial + 1
    settled(shop, done)


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_of_any_attribute(every: Folder, edit: Edit, attribute: str) -> None:
    before = texts(every)
    edit_in_qase(every, edit)
    live = every.dump()
    done = pulled(every)
    address = "suite.below" if edit.address == "suite.below" else edit.address
    assert actions_of(done) == {address: "move" if attribute in ("suite", "parent") else "update"}
    assert done.lines[0].attributes == (attribute,)
    others = {name for name in before if name != edit.file and not name.startswith("below/")}
    assert {name: texts(every)[name] for name in others} == {name: before[name] for name in others}
    assert every.dump() == live, "nothing is written to Qase"
    settled(every, done)


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_of_both_is_refused_or_chosen(every: Folder, edit: Edit, attribute: str) -> None:
    edit_in_qase(every, edit)
    edit_in_yaml(every, edit)
    before, state = texts(every), every.state
    done = pulled(every)
    assert texts(every) == before
    if (edit.address, attribute) in SAME:
        settled(every, done)
        return
    assert done.exit_code == 4 and every.state == state
    assert [(left.address, left.attributes, left.code) for left in done.left] == [
        (edit.address, (attribute,), "conflict")
    ]
    assert pulled(every, on_conflict="ours").exit_code == 0 and texts(every) == before
    done = pulled(every, on_conflict="theirs")
    assert done.lines[0].over == (attribute,)
    settled(every, done)


# -- what is new, gone, somewhere else


def test_new_objects_become_entries_beside_their_like(shop: Folder) -> None:
    ui, before = shop.app.ui, texts(shop)
    suite = ui.create("SHOP", "suite", title="Vouchers", parent_id=shop.id_of("suite.checkout"))
    milestone = ui.create("SHOP", "milestone", title="Release 2")
    ui.create("SHOP", "case", title="Voucher expired", suite_id=suite, steps=[{"action": "Redeem"}])
    new = ui.create("SHOP", "case", title="Refund", suite_id=shop.id_of("suite.checkout"), milestone_id=milestone)
    ui.create("SHOP", "case", title="Home page")
    ui.create("SHOP", "plan", title="Nightly", cases=[new, shop.id_of("case.card")])
    done = pulled(shop)
    assert actions_of(done) == dict.fromkeys(
        ["case.home-page", "case.refund-2", "case.voucher-expired", "milestone.release-2", "plan.nightly",
         "suite.checkout/vouchers"], "create",
    )  # fmt: skip
    after = texts(shop)
    assert not any(line.startswith("-") for line in changed_lines(before, after))
    assert "  refund-2:\n    title: Refund\n" in after["checkout/cases.yaml"]
    assert "    milestone: release-2\n" in after["checkout/cases.yaml"]
    assert "  nightly:\n    title: Nightly\n    cases: [refund-2, card]\n" in after["rest.yaml"]
    assert after["checkout/vouchers/suite.yaml"] == "title: Vouchers\n"
    assert {line.address for line in done.lines} <= set(shop.state["bindings"])
    settled(shop, done)


def test_what_is_gone_is_taken_out_with_all_that_names_it(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "- Open the basket", "- shared: sign-in").applied()
    before = texts(shop)
    for address in ("case.refund", "milestone.r1", "shared_step.sign-in"):
        shop.app.ui.delete("SHOP", address.partition(".")[0], shop.id_of(address))
    done = pulled(shop)
    assert actions_of(done) == {
        "case.card": "update", "plan.smoke": "update", "case.refund": "delete", "milestone.r1": "delete",
        "shared_step.sign-in": "delete",
    }  # fmt: skip
    assert changed_lines(before, texts(shop)) == [
        "-      - shared: sign-in",
        "-    milestone: r1",
        "+    milestone: null",
        "-",
        '-  refund: {title: "Refund", description: Money back}   # one line',
        "-milestones:",
        "-  r1: {title: Release 1}",
        "-shared_steps:",
        "-  sign-in: {title: Sign in, steps: [Open /login]}",
        "-  smoke: {title: Smoke, cases: [card, refund]}",
        "+  smoke: {title: Smoke, cases: [card]}",
    ]
    assert {"case.refund", "milestone.r1"}.isdisjoint(shop.state["bindings"])
    settled(shop, done)


def test_a_suite_goes_with_what_lay_in_it(shop: Folder) -> None:
    shop.app.ui.delete("SHOP", "plan", shop.id_of("plan.smoke"))
    shop.app.ui.delete("SHOP", "suite", shop.id_of("suite.checkout"))
    done = pulled(shop)
    assert set(texts(shop)) == {"qase.yaml", "rest.yaml"} and not (shop.root / "checkout").exists()
    settled(shop, done)


def test_cases_move(shop: Folder) -> None:
    suite = shop.app.ui.create("SHOP", "suite", title="Elsewhere")
    shop.app.ui.move("SHOP", "case", shop.id_of("case.refund"), suite)
    shop.app.ui.move("SHOP", "case", shop.id_of("case.card"), None)
    done = pulled(shop)
    assert actions_of(done) == {"case.card": "move", "case.refund": "move", "suite.elsewhere": "create"}
    settled(shop, done)


SUITES: dict[str, str | bytes] = {
    "a/suite.yaml": "title: A\ndefaults: {case: {priority: high}}\n",
    "a/b/suite.yaml": "# b\ntitle: B\n",
    "a/b/cases.yaml": "cases:\n  one:   # first\n    title: One\n    attachments: [img/x.png, ../../logo.png]\n"
    "suites:\n  n:\n    title: N\n    cases: {deep: {title: Deep}}\n",
    "a/b/img/x.png": b"\x89PNG x",
    "logo.png": b"\x89PNG logo",
    "a/b/c/suite.yaml": "title: C\n",
    "a/b/c/two.case.yaml": "title: Two\nattachments: [../img/x.png]\n",
    "rest.yaml": """\
suites:
  flat:
    title: Flat
    suites:
      # kept
      inner:   # note
        title: Inner
        cases:
          # the one
          in-inner: {title: In}
cases:
  far: {title: Far, suite: a/b/c}
  near: {title: Near, suite: flat/inner, priority: low, attachments: [a/b/img/x.png]}
plans:
  p: {title: P, select: {suites: [a/b, "a/b/**", "flat/inner/**"]}}
  q: {title: Q, cases: [far]}
""",
    "z/suite.yaml": "title: Z\n",
}


@pytest.fixture
def tree(folder: Callable[..., Folder]) -> Folder:
    return folder(SUITES, policy={"max_delete_share": 1}).applied()


def test_a_suite_that_is_a_folder_moves_as_a_folder(tree: Folder) -> None:
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.a/b"), tree.id_of("suite.z"))
    done = pulled(tree)
    assert [(line.address, line.former, line.action) for line in done.lines if line.action == "move"] == [
        ("suite.z/b", "suite.a/b", "move")
    ]
    after = texts(tree)
    assert not any(name.startswith("a/b/") for name in after) and not (tree.root / "a/b").exists()
    assert after["z/b/suite.yaml"] == "# b\ntitle: B\n" and after["z/b/img/x.png"].endswith("PNG x")
    assert "attachments: [img/x.png, ../../logo.png]\n" in after["z/b/cases.yaml"]
    assert "  one:   # first\n    title: One\n    priority: high\n" in after["z/b/cases.yaml"], "a default stays behind"
    assert "suite: z/b/c}" in after["rest.yaml"] and "[z/b/img/x.png]" in after["rest.yaml"]
    assert 'suites: [z/b, "z/b/**", "flat/inner/**"]' in after["rest.yaml"]
    assert (
        after["rest.yaml"].count("{from: suite.a/b, to: suite.z/b}")
        + after.get("moved.yaml", "").count("{from: suite.a/b, to: suite.z/b}")
        == 1
    )
    assert {"suite.z/b", "suite.z/b/c", "suite.z/b/n"} <= set(tree.state["bindings"])
    assert tree.state["moved"] == ["suite.a/b -> suite.z/b"]
    settled(tree, done)


def test_a_suite_that_is_nested_in_a_file_moves_as_text(tree: Folder) -> None:
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.flat/inner"), None)
    done = pulled(tree)
    text = texts(tree)["rest.yaml"]
    assert (
        "  # kept\n  inner:   # note\n    title: Inner\n    cases:\n      # the one\n      in-inner: {title: In}\n"
        in text
    )
    assert "suite: inner, priority: low" in text and '"inner/**"]' in text
    assert "moved:\n  - {from: suite.flat/inner, to: suite.inner}\n" in text
    settled(tree, done)


def test_nested_text_becomes_a_folder_where_folders_are(tree: Folder) -> None:
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.flat/inner"), tree.id_of("suite.z"))
    done = pulled(tree)
    assert texts(tree)["z/inner/suite.yaml"].startswith("# kept\n")
    settled(tree, done)


def test_suites_move_there_and_back_and_into_new_ones(tree: Folder) -> None:
    ui = tree.app.ui
    new = ui.create("SHOP", "suite", title="New", parent_id=tree.id_of("suite.z"))
    ui.move("SHOP", "suite", tree.id_of("suite.a/b"), new)
    ui.move("SHOP", "suite", tree.id_of("suite.a"), tree.id_of("suite.z"))
    ui.create("SHOP", "suite", title="Below", parent_id=tree.id_of("suite.a/b/c"))
    done = pulled(tree)
    assert {line.address for line in done.lines if line.action == "move"} >= {"suite.z/new/b", "suite.z/a"}
    assert "suite.z/new/b/c/below" in tree.state["bindings"]
    settled(tree, done)
    ui.move("SHOP", "suite", tree.id_of("suite.z/new/b"), tree.id_of("suite.z/a"))
    ui.move("SHOP", "suite", tree.id_of("suite.z/a"), None)
    done = pulled(tree)
    assert {"suite.a/b", "suite.a/b/c"} <= set(tree.state["bindings"])
    settled(tree, done)


def test_suites_that_change_places(tree: Folder) -> None:
    """What lay above lies below now."""
    ui = tree.app.ui
    ui.move("SHOP", "suite", tree.id_of("suite.a/b"), None)
    ui.move("SHOP", "suite", tree.id_of("suite.a"), tree.id_of("suite.a/b"))
    done = pulled(tree)
    assert {"suite.b", "suite.b/a", "suite.b/c"} <= set(tree.state["bindings"])
    settled(tree, done)


def test_a_folder_that_goes_into_a_file_makes_that_a_folder(tree: Folder) -> None:
    """And the suites around it, each with its text."""
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.a/b"), tree.id_of("suite.flat/inner"))
    done = pulled(tree)
    assert [(line.address, line.former) for line in done.lines if line.action == "move"] == [
        ("suite.flat/inner/b", "suite.a/b")
    ]
    after = texts(tree)
    assert after["flat/suite.yaml"] == "title: Flat\n" and "suites:" not in after["rest.yaml"].partition("cases:")[0]
    assert after["flat/inner/suite.yaml"] == (
        "# kept\n# note\ntitle: Inner\ncases:\n  # the one\n  in-inner: {title: In}\n"
    )
    assert after["flat/inner/b/suite.yaml"] == "# b\ntitle: B\n"
    assert "suite: flat/inner/b/c" in after["rest.yaml"] and "[flat/inner/b/img/x.png]" in after["rest.yaml"]
    settled(tree, done)


def test_a_folder_that_cannot_go_there_stays(tree: Folder) -> None:
    tree.edit("qase.yaml", "project: SHOP\n", "project: SHOP\nexclude: [flat/inner]\n")
    before = texts(tree)
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.a/b"), tree.id_of("suite.flat/inner"))
    done = pulled(tree)
    (left,) = done.left
    assert (left.address, left.code, done.exit_code) == ("suite.a/b", "not_written", 1)
    assert "it would go to flat/inner/suite.yaml, which `exclude:` or `content:` leaves out" in left.reason
    assert texts(tree) == before


def test_another_state_follows_the_moved_line(tree: Folder, tmp_path: Path) -> None:
    """A second project of the same files renames the suite and moves it, and makes none anew."""
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.a/b"), tree.id_of("suite.z"))
    state = tree.state_path.read_bytes()
    assert pulled(tree).exit_code == 0
    tree.state_path.write_bytes(state)
    plan = tree.plan()
    assert {change.moved_from for change in plan.changes if change.address == "suite.z/b"} == {"suite.a/b"}
    assert set(actions(plan).values()) == {"no_op"}


# -- a part of it


def test_only_what_was_asked_for_and_what_that_needs(shop: Folder) -> None:
    ui = shop.app.ui
    edit(shop, "case.card", title="Pay by any card")
    edit(shop, "case.refund", title="Refunds")
    suite = ui.create("SHOP", "suite", title="Vouchers", parent_id=shop.id_of("suite.checkout"))
    ui.create("SHOP", "case", title="Older", suite_id=suite)
    ui.create("SHOP", "case", title="Newer", suite_id=suite)
    done = pulled(shop, "case.card", "case.newer")
    assert actions_of(done) == {"case.card": "update", "case.newer": "create", "suite.checkout/vouchers": "create"}
    assert done.exit_code == 0 and done.plan is not None and actions(done.plan) == {"case.refund": "update"}
    done = pulled(shop)
    assert actions_of(done) == {"case.older": "create", "case.refund": "update"}, "what is older is new all the same"
    settled(shop, done)


def test_who_names_what_is_gone_follows_in_that_and_nothing_else(shop: Folder) -> None:
    edit(shop, "case.card", title="Pay by any card")
    shop.app.ui.delete("SHOP", "milestone", shop.id_of("milestone.r1"))
    done = pulled(shop, "milestone.r1")
    assert {line.address: line.attributes for line in done.lines} == {"case.card": ("milestone",), "milestone.r1": ()}
    done = pulled(shop, "case.card")
    settled(shop, done)


def test_addresses_are_checked(shop: Folder, cli: Run) -> None:
    edit(shop, "case.card", title="Pay by any card")
    ran = cli("-C", shop.root, "pull", "case.crad")
    assert ran.code == 1 and "Did you mean case.card?" in ran.err
    ran = cli("-C", shop.root, "pull", "case.refund")
    assert ran.code == 0 and "Nothing changed in Qase: case.refund" in ran.out


# -- edits of the files


def test_edits_of_the_files_stay_and_are_counted(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "Money back", "All of it").write({"new.yaml": "cases: {n: {title: N}}\n"})
    edit(shop, "case.refund", title="Refunds")
    done = pulled(shop)
    assert 'refund: {title: "Refunds", description: All of it}' in texts(shop)["checkout/cases.yaml"]
    assert (done.local, done.exit_code, done.left) == (2, 0, ())
    assert done.plan is not None and actions(done.plan) == {"case.n": "create", "case.refund": "update"}


def test_what_was_taken_out_here_and_edited_there(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", '\n  refund: {title: "Refund", description: Money back}   # one line\n', "")
    shop.edit("rest.yaml", "[card, refund]", "[card]")
    edit(shop, "case.refund", title="Refunds")
    done = pulled(shop)
    assert [(left.address, left.code) for left in done.left] == [("case.refund", "conflict")]
    assert done.exit_code == 4 and "case.refund" in shop.state["bindings"]


def test_what_was_edited_here_and_deleted_there(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "Money back", "All of it")
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.refund"))
    done = pulled(shop)
    assert [(left.address, left.code) for left in done.left if left.code == "conflict"] == [("case.refund", "conflict")]
    assert "All of it" in texts(shop)["checkout/cases.yaml"]
    done = pulled(shop, on_conflict="theirs")
    settled(shop, done)


# -- safety


def test_cut_off_between_files_and_state_nothing_is_lost(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files say what Qase holds already: the plan has nothing to write, and the next pull learns the rest."""
    ui = shop.app.ui
    edit(shop, "case.card", title="Pay by any card")
    ui.create("SHOP", "case", title="New", suite_id=ui.create("SHOP", "suite", title="S"))
    ui.delete("SHOP", "milestone", shop.id_of("milestone.r1"))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pulling, "record", killed)
    state = shop.state
    with pytest.raises(KeyboardInterrupt):
        pulled(shop)
    monkeypatch.undo()
    assert {"pulled", "serial"} == {name for name in shop.state if shop.state[name] != state.get(name)}
    assert "Pay by any card" in texts(shop)["checkout/cases.yaml"]
    assert not any(change.writes for change in shop.plan().changes)
    before = texts(shop)
    done = pulled(shop)
    assert texts(shop) == before and {"case.new", "suite.s"} <= set(shop.state["bindings"])
    settled(shop, done)


def test_nothing_is_adopted_by_chance(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """`policy.adopt: explicit` and a pull that was cut off: what is the very same is bound by the next one."""
    shop.edit("qase.yaml", "policy:\n", "policy:\n  adopt: explicit\n")
    shop.app.ui.create("SHOP", "case", title="New")
    monkeypatch.setattr(pulling, "record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pulled(shop)
    monkeypatch.undo()
    done = pulled(shop)
    assert actions_of(done) == {} and "case.new" in shop.state["bindings"]
    settled(shop, done)


def test_a_file_that_changed_meanwhile_is_not_overwritten(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(shop, "case.card", title="Pay by any card")
    state, write = shop.state, pulling.write

    def late(root: Path, files: Any) -> None:
        shop.edit("checkout/cases.yaml", "Money back", "All money back")
        write(root, files)

    monkeypatch.setattr(pulling, "write", late)
    with pytest.raises(SafetyRefusal) as refused:
        pulled(shop)
    assert refused.value.code == "file-changed" and shop.state == state
    assert "Pay by any card" not in texts(shop)["checkout/cases.yaml"]


def test_the_state_is_held_meanwhile(shop: Folder) -> None:
    with shop.session().store.lock(HOLDER):
        with pytest.raises(StateLocked):
            pulled(shop)
        assert pulled(shop, dry_run=True).exit_code == 0, "looking needs no lock"


def test_without_a_state_it_is_refused(folder: Callable[..., Folder]) -> None:
    with pytest.raises(SafetyRefusal) as refused:
        pulled(folder(FILES))
    assert refused.value.code == "no-state"


def test_it_reads_what_a_plan_reads_and_writes_nothing_to_qase(shop: Folder) -> None:
    edit(shop, "case.card", title="Pay by any card")
    with shop.counting() as planning:
        shop.plan()
    with shop.counting() as pulling_:
        pulled(shop)
    assert [(e.method, e.path) for e in pulling_] == [(e.method, e.path) for e in planning]


def test_nothing_outside_the_scope_comes_in(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, scope={"suites": ["checkout/**"]}).applied()
    other = shop.app.ui.create("SHOP", "suite", title="Other")
    shop.app.ui.create("SHOP", "case", title="Theirs", suite_id=other)
    shop.app.ui.create("SHOP", "case", title="Ours", suite_id=shop.id_of("suite.checkout"))
    done = pulled(shop)
    assert actions_of(done) == {"case.ours": "create"} and done.exit_code == 0
    shop.app.ui.move("SHOP", "case", shop.id_of("case.refund"), other)
    done = pulled(shop)
    assert [(left.address, left.code) for left in done.left] == [("case.refund", "not_written")]
    assert "outside the scope" in done.left[0].reason and done.exit_code == 1


def test_a_suite_below_one_that_nobody_manages_brings_it_along(shop: Folder) -> None:
    """The one above was there before the last apply, and is in scope as well."""
    above = shop.app.ui.create("SHOP", "suite", title="Above")
    shop.edit("checkout/cases.yaml", "Money back", "All of it").applied()
    shop.app.ui.create("SHOP", "suite", title="Below", parent_id=above)
    done = pulled(shop)
    assert actions_of(done) == {"suite.above": "create", "suite.above/below": "create"}
    settled(shop, done)


def test_attachments_come_along(shop: Folder, tmp_path: Path) -> None:
    data = bytes(range(256)).decode("latin-1")
    new = upload(shop, "card.png", data.encode("latin-1"))
    edit(shop, "case.card", steps=[{"action": "Look", "attachments": [new]}])
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", shop.root, copy], check=True)
    dry = pulled(shop, dry_run=True)
    done = pulled(shop)
    (path,) = (each.path for each in done.files if each.path.startswith("attachments/"))
    assert (shop.root / path).read_bytes() == bytes(range(256))
    assert f"attachments: [../{path}]" in texts(shop)["checkout/cases.yaml"]
    settled(shop, done)
    assert [each.path for each in dry.files] == [each.path for each in done.files]


# -- the command


def test_the_command_in_words_and_in_json(shop: Folder, cli: Run) -> None:
    edit(shop, "case.card", title="Pay by any card")
    edit(shop, "case.refund", title="Refunds")
    shop.edit("checkout/cases.yaml", 'title: "Refund"', 'title: "Refund now"')
    shop.app.ui.create("SHOP", "milestone", title="Release 2")
    ran = cli("-C", shop.root, "pull", "--all", "--dry-run", "--format", "json")
    assert ran.code == 4 and ran.json["plan"] is None and ran.json["dry_run"]
    ran = cli("-C", shop.root, "pull", "--all")
    assert (ran.code, ran.err) == (4, "")
    assert ran.out == """\
Project SHOP   wrote 2 files

  ~ case.card            title  checkout/cases.yaml
  + milestone.release-2  new: Release 2  rest.yaml

Not pulled
  ! case.refund (title): edited in the files and in Qase, differently; --on-conflict theirs takes Qase's, ours leaves the files

Pulled: 1 object changed, 1 new.
A plan from here holds 1 change.
"""  # fmt: skip
    ran = cli("-C", shop.root, "pull", "--all", "--on-conflict", "theirs", "--format", "json")
    assert ran.code == 0
    (line,) = ran.json["pulled"]
    assert (line["address"], line["action"], line["over"]) == ("case.refund", "update", ["title"])
    assert ran.json["plan"] == {"changes": [], "edits_of_the_files": 0, "unexpected": []}
    assert ran.json["files"] == [{"path": "checkout/cases.yaml", "change": "edited"}]


def test_a_dry_run_prints_the_patch_that_git_takes(tree: Folder, cli: Run) -> None:
    ui = tree.app.ui
    edit(tree, "case.one", title="One more")
    ui.move("SHOP", "suite", tree.id_of("suite.a/b"), tree.id_of("suite.z"))
    ui.delete("SHOP", "plan", tree.id_of("plan.q"))
    ui.create("SHOP", "case", title="New", suite_id=tree.id_of("suite.z"))
    before, state = texts(tree), tree.state
    ran = cli("-C", tree.root, "pull", "--dry-run")
    assert ran.code == 0 and (texts(tree), tree.state) == (before, state)
    assert "Would pull: " in ran.err
    subprocess.run(["git", "init", "-q"], cwd=tree.root, check=True)
    subprocess.run(["git", "apply", "-"], cwd=tree.root, input=ran.out.encode(), check=True)
    patched = texts(tree)
    assert not any(change.writes for change in tree.plan().changes)
    for name, text in before.items():
        (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / name).write_bytes(SUITES[name] if isinstance(SUITES.get(name), bytes) else text.encode())  # type: ignore[arg-type]
    for name in patched.keys() - before.keys():
        (tree.root / name).unlink()
    settled(tree, pulled(tree))
    assert texts(tree) == patched, "what was shown is what is written"


def test_it_says_what_to_pull(shop: Folder, cli: Run) -> None:
    ran = cli("-C", shop.root, "pull")
    assert (ran.code, ran.out) == (1, "") and "--all" in ran.err
    assert cli("-C", shop.root, "pull", "--all", "case.card").code == 1


def test_json_of_a_move(tree: Folder, cli: Run) -> None:
    tree.app.ui.move("SHOP", "suite", tree.id_of("suite.a/b"), None)
    data = json.loads(cli("-C", tree.root, "pull", "--all", "--format", "json").out)
    (moved,) = (row for row in data["pulled"] if row["action"] == "move")
    assert (moved["address"], moved["moved_from"], moved["attributes"]) == ("suite.b", "suite.a/b", ["parent"])


def test_defaults_of_the_new_place_do_not_count(shop: Folder) -> None:
    """What is new, or moves, is as it is in Qase, whatever the folder says of what leaves it out."""
    shop.write(
        {"other/suite.yaml": "title: Other\ndefaults: {case: {priority: high, tags: [x], flaky: true}}\n"}
    ).applied()
    shop.app.ui.create("SHOP", "case", title="New", suite_id=shop.id_of("suite.other"))
    shop.app.ui.move("SHOP", "case", shop.id_of("case.refund"), shop.id_of("suite.other"))
    settled(shop, pulled(shop))


def test_steps_that_leave_their_attachments_to_qase_go_on_doing_so(folder: Callable[..., Folder]) -> None:
    shop = folder({"c.yaml": "cases:\n  c:\n    title: C\n    steps: [One, {action: Two, steps: [In]}]\n"}).applied()
    held = [upload(shop, "b.png", b"\xffb")]

    def steps(first: str) -> list[dict[str, Any]]:
        inner = [{"action": "In", "attachments": held}]
        return [{"action": first, "attachments": held}, {"action": "Two", "steps": inner}]

    edit(shop, "case.c", steps=steps("One"))
    settled(shop, pulled(shop))
    before = texts(shop)
    edit(shop, "case.c", steps=steps("One more"))
    done = pulled(shop)
    assert changed_lines(before, texts(shop)) == [
        "-    steps: [One, {action: Two, steps: [In]}]",
        "+    steps: [One more, {action: Two, steps: [In]}]",
    ]
    assert done.lines[0].over == () and [each.path for each in done.files] == ["c.yaml"]
    settled(shop, done)


def test_a_suite_whose_file_holds_what_lies_in_it_goes_with_that(folder: Callable[..., Folder]) -> None:
    text = (
        "title: S\ncases:\n  a: {title: A}\nsuites:\n  in:\n    title: In\n    cases: {b: {title: B}, c: {title: C}}\n"
    )
    shop = folder(
        {"s/suite.yaml": text, "x.yaml": "cases:\n  d: {title: D}\n"}, policy={"max_delete_share": 1}
    ).applied()
    shop.app.ui.move("SHOP", "case", shop.id_of("case.b"), None)
    shop.app.ui.delete("SHOP", "suite", shop.id_of("suite.s"))
    done = pulled(shop)
    assert set(texts(shop)) == {"qase.yaml", "x.yaml"} and "  b:\n    title: B\n" in texts(shop)["x.yaml"]
    settled(shop, done)


def test_what_stands_in_the_folder_of_a_suite_that_is_gone_keeps_what_its_defaults_gave(
    folder: Callable[..., Folder],
) -> None:
    shop = folder(
        {
            "s/suite.yaml": "title: S\ndefaults: {case: {priority: high, tags: [s]}}\n",
            "s/cases.yaml": "cases:\n  a: {title: A}\n  b: {title: B, suite: null}   # elsewhere\n",
        },
        policy={"max_delete_share": 1},
    ).applied()
    shop.app.ui.delete("SHOP", "suite", shop.id_of("suite.s"))
    done = pulled(shop)
    assert set(texts(shop)) == {"qase.yaml", "s/cases.yaml"}
    assert texts(shop)["s/cases.yaml"] == (
        "cases:\n  b: {title: B, suite: null, priority: high, tags: [s]}   # elsewhere\n"
    )
    settled(shop, done)
