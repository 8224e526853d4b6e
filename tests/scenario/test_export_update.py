"""`export DIR --update`: what changed in Qase comes into the files of a folder that people work in, and nothing else."""

from __future__ import annotations

import difflib
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, Folder, Ran, actions
from rich_project import FILES as RICH
from rich_project import SEED
from stores_kit import terraform
from test_laws_of_attributes import ALL, Edit, edit_in_qase, edit_in_yaml
from test_laws_of_attributes import FILES as EVERY

from qase_iac.emulator import create_app
from qase_iac.emulator.http import Answer, Request
from qase_iac.errors import SafetyRefusal, StateLocked
from qase_iac.workflow import pulling
from qase_iac.workflow.pulling import UPDATE, Pulled, pull
from qase_iac.workflow.telling import Left

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


@dataclass
class Updated:
    """What an update came to, by what became of each object."""

    pulled: Pulled

    def _with(self, *actions: str) -> tuple[str, ...]:
        return tuple(line.address for line in self.pulled.lines if line.action in actions)

    @property
    def files(self) -> tuple[Any, ...]:
        return self.pulled.files

    @property
    def changed(self) -> tuple[str, ...]:
        return self._with("update", "move")

    @property
    def added(self) -> tuple[str, ...]:
        return self._with("create")

    @property
    def removed(self) -> tuple[str, ...]:
        return self._with("delete")

    @property
    def bound(self) -> tuple[str, ...]:
        return self._with("bind")

    @property
    def local(self) -> tuple[str, ...]:
        return self.pulled.edits

    @property
    def conflicts(self) -> tuple[str, ...]:
        left = (each for each in self.pulled.left if each.code == "conflict")
        return tuple(f"{e.address} ({', '.join(e.attributes)})" if e.attributes else e.address for e in left)

    @property
    def failed(self) -> tuple[Left, ...]:
        return tuple(each for each in self.pulled.left if each.code == "not_written")

    @property
    def notes(self) -> tuple[str, ...]:
        return self.pulled.notes

    @property
    def proven(self) -> bool:
        """Whether a plan holds nothing but what is said."""
        return not self.pulled.unexpected and self.pulled.plan is not None


def updated(folder: Folder) -> Updated:
    return Updated(pull(folder.session(), UPDATE, HOLDER))


def clock() -> Callable[[], float]:
    ticks = itertools.count(1795392000)
    return lambda: float(next(ticks))


def texts(folder: Folder) -> dict[str, str]:
    paths = (path for path in sorted(folder.root.rglob("*")) if path.is_file() and ".qase-iac" not in path.parts)
    return {path.relative_to(folder.root).as_posix(): path.read_text("utf-8", "replace") for path in paths}


def changed_lines(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """`-line` and `+line` of every file."""
    found = []
    for name in sorted(before.keys() | after.keys()):
        lines = difflib.ndiff(before.get(name, "").splitlines(), after.get(name, "").splitlines())
        found += [line[0] + line[2:] for line in lines if line[0] in "+-"]
    return found


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES, policy={"max_delete_share": 1}).applied()


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[Folder]:
    """A folder that manages every attribute of every kind."""
    app = create_app(seed=SEED, strict=True, clock=clock())
    (tmp_path / "every").mkdir()
    yield Folder(tmp_path / "every", app).write(EVERY).applied()
    app.close()


def edit(shop: Folder, address: str, **fields: Any) -> None:
    shop.app.ui.edit("SHOP", address.partition(".")[0], shop.id_of(address), **fields)


# -- what only Qase changed


def test_without_a_change_nothing_is_written(shop: Folder) -> None:
    before = texts(shop)
    done = updated(shop)
    assert (done.files, done.changed, done.added, done.removed, done.local, done.failed) == ((), (), (), (), (), ())
    assert done.proven and texts(shop) == before


def test_only_the_lines_of_what_changed_change(shop: Folder) -> None:
    before = texts(shop)
    edit(shop, "case.card", title="Pay by any card", tags=["smoke"])
    edit(shop, "case.refund", description="All money back")
    done = updated(shop)
    assert (done.changed, done.failed, done.proven) == (("case.card", "case.refund"), (), True)
    assert changed_lines(before, texts(shop)) == [
        "-    title:  'Pay by card'     # as the shop calls it",
        "+    title:  'Pay by any card'     # as the shop calls it",
        "-    tags: [ smoke,payments ]",
        "+    tags: [ smoke ]",
        '-  refund: {title: "Refund", description: Money back}   # one line',
        '+  refund: {title: "Refund", description: All money back}   # one line',
    ]
    plan = shop.plan()
    assert (actions(plan), plan.drift) == ({}, ())


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_of_any_attribute_comes_into_the_files(emulated: Folder, edit: Edit, attribute: str) -> None:
    edit_in_qase(emulated, edit)
    live = emulated.dump()
    done = updated(emulated)
    assert (done.changed, done.failed, done.local, done.conflicts) == ((edit.address,), (), (), ())
    assert done.proven
    plan = emulated.plan()
    assert (actions(plan), plan.drift) == ({}, ())
    assert emulated.dump() == live


def test_new_objects_become_entries_where_their_like_stand(shop: Folder) -> None:
    ui, before = shop.app.ui, texts(shop)
    suite = ui.create("SHOP", "suite", title="Vouchers", parent_id=shop.id_of("suite.checkout"))
    ui.create("SHOP", "case", title="Voucher expired", suite_id=suite, steps=[{"action": "Redeem"}])
    ui.create("SHOP", "case", title="Refund", suite_id=shop.id_of("suite.checkout"), milestone_id=1)
    ui.create("SHOP", "case", title="Home page")
    ui.create("SHOP", "milestone", title="Release 2")
    done = updated(shop)
    assert set(done.added) == {
        "suite.checkout/vouchers", "case.voucher-expired", "case.refund-2", "case.home-page", "milestone.release-2",
    }  # fmt: skip
    assert (done.failed, done.proven, done.removed) == ((), True, ())
    after = texts(shop)
    assert after["checkout/cases.yaml"].startswith(before["checkout/cases.yaml"].rstrip("\n"))
    assert "  refund-2:\n    title: Refund\n" in after["checkout/cases.yaml"]
    assert "milestone: r1\n" in after["checkout/cases.yaml"].partition("refund-2:")[2]
    assert "title: Vouchers" in after["checkout/vouchers/suite.yaml"]
    plan = shop.plan()
    assert (actions(plan), plan.summary.unmanaged) == ({}, 0)


TITLES = ["Refund", "refund!", "Case", "…", "Checkout", "Über & unter", "x" * 200, "Refund 2", "null", "Refund"]


def test_keys_are_those_that_a_fresh_export_gives(shop: Folder, tmp_path: Path, cli: Callable[..., Ran]) -> None:
    """However things came in: bit by bit or at once, seen by `drift` or not."""
    ui = shop.app.ui
    for title in (*TITLES, "Below"):
        suite = ui.create("SHOP", "suite", title=title, parent_id=shop.id_of("suite.checkout"))
        ui.create("SHOP", "suite", title=title, parent_id=suite)
        for place in (None, suite, shop.id_of("suite.checkout")):
            ui.create("SHOP", "case", title=title, suite_id=place)
        ui.create("SHOP", "milestone", title=title)
        ui.create("SHOP", "shared_step", title=title, steps=[{"action": "Look"}])
        if title == TITLES[4]:
            assert updated(shop).proven
    shown = {row["address"] for row in cli("-C", shop.root, "drift", "--format", "json").json["drift"]}
    done = updated(shop)
    assert done.failed == () and set(done.added) == shown and len(done.added) == 6 * 8 - 6
    _, copy = shop.export(tmp_path / "copy")
    first = {"case.pay-by-card", "milestone.release-1"}  # those that people called otherwise
    assert set(copy.state["bindings"]) - first == set(shop.state["bindings"]) - {"case.card", "milestone.r1"}


def test_what_vanished_is_taken_out_with_its_comment(shop: Folder) -> None:
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.card"))
    shop.app.ui.delete("SHOP", "milestone", shop.id_of("milestone.r1"))
    done = updated(shop)
    assert done.removed == ("case.card", "milestone.r1")
    assert done.proven and "most used" not in texts(shop)["checkout/cases.yaml"]
    assert "cases: [refund]" in texts(shop)["rest.yaml"]
    plan = shop.plan()
    assert (actions(plan), plan.drift) == ({}, ())
    assert {"case.card", "milestone.r1"}.isdisjoint(shop.state["bindings"])


def test_a_suite_that_vanished_goes_with_what_lay_in_it(shop: Folder) -> None:
    shop.app.ui.delete("SHOP", "plan", 1)
    shop.app.ui.delete("SHOP", "suite", shop.id_of("suite.checkout"))
    done = updated(shop)
    assert done.proven and done.failed == ()
    assert set(done.removed) == {"suite.checkout", "case.card", "case.refund", "plan.smoke"}
    assert set(texts(shop)) == {"qase.yaml", "rest.yaml"}
    assert actions(shop.plan()) == {}


def test_a_case_that_moved_moves(shop: Folder) -> None:
    suite = shop.app.ui.create("SHOP", "suite", title="Elsewhere")
    shop.app.ui.move("SHOP", "case", shop.id_of("case.refund"), suite)
    done = updated(shop)
    assert (done.added, done.changed, done.proven) == (("suite.elsewhere",), ("case.refund",), True)
    assert actions(shop.plan()) == {}


def test_steps_that_became_a_scenario(shop: Folder) -> None:
    edit(shop, "case.card", steps_type="gherkin", steps=[{"value": "Given a basket\nWhen I pay"}])
    done = updated(shop)
    assert done.proven and done.changed == ("case.card",)
    text = texts(shop)["checkout/cases.yaml"]
    assert "gherkin: |" in text and "steps:" not in text
    assert actions(shop.plan()) == {}


@pytest.fixture
def emptied(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A Qase in which an action that says EMPTY is empty, as its editor can leave one and its API takes none."""
    handle = shop.app.handle

    def answer(request: Request) -> Answer:
        answer = handle(request)
        return Answer(answer.status, answer.body.replace(b'"EMPTY"', b'""'), answer.headers)

    monkeypatch.setattr(shop.app, "handle", answer)
    return shop


EMPTY = [{"action": "EMPTY", "expected_result": "Paid"}, {"action": "Look"}]


def test_a_step_without_an_action_is_left_and_said(emptied: Folder, cli: Callable[..., Ran]) -> None:
    edit(emptied, "case.card", steps=EMPTY)
    before = texts(emptied)
    done = updated(emptied)
    assert [(each.address, each.attributes, each.reason) for each in done.failed] == [
        (
            "case.card",
            ("steps",),
            "the files cannot say what Qase holds (one of the steps has no action, and the files want one); change it "
            "there, or leave it to Qase with `ignore_changes: [steps]`",
        )
    ]
    assert (done.files, done.notes, done.pulled.exit_code) == ((), (), 1) and done.proven
    assert texts(emptied) == before and actions(emptied.plan()) == {"case.card": "update"}
    ran = cli("-C", emptied.root, "export", ".", "--update")
    assert ran.code == 1 and "has no action" in ran.out and "A plan from here holds 1 change." in ran.out

    emptied.edit("checkout/cases.yaml", "    milestone: r1\n", "    milestone: r1\n    ignore_changes: [steps]\n")
    assert updated(emptied).pulled.exit_code == 0 and actions(emptied.plan()) == {}


def test_a_new_case_with_such_a_step_is_written_as_a_fresh_export_writes_it(emptied: Folder, tmp_path: Path) -> None:
    case = emptied.app.ui.create("SHOP", "case", title="New", steps=EMPTY)
    shared = emptied.app.ui.create("SHOP", "shared_step", title="Bare", steps=[{"action": "EMPTY"}])
    done = updated(emptied)
    assert (done.added, done.pulled.exit_code) == (("case.new", "shared_step.bare"), 0)
    assert done.notes == (
        "not sayable as it is, so written otherwise and put under ignore_changes: steps of shared steps (1): shared "
        f"step {shared}",
        f"not sayable as it is, so written otherwise and put under ignore_changes: steps of cases (1): case {case}",
    )
    exported, copy = emptied.export(tmp_path / "copy")
    assert exported.proven
    said = "    steps:\n      - action: (no action)\n        expected: Paid\n      - Look\n"
    for folder, name in ((emptied, "cases.yaml"), (copy, "cases.yaml")):
        assert "ignore_changes: [steps]\n" in texts(folder)[name] and said in texts(folder)[name]
    for folder in (emptied, copy):
        before = texts(folder)
        assert actions(folder.plan()) == {} and updated(folder).files == () and texts(folder) == before


def test_what_the_files_do_not_manage_stays_out_and_is_said(shop: Folder) -> None:
    before = texts(shop)
    edit(shop, "case.card", description="Somebody's words", severity=1)
    done = updated(shop)
    assert texts(shop) == before and done.proven
    assert done.notes == ("not managed by the files, so left alone: description of cases (1): case.card",)


def test_keys_stay_when_titles_change_and_neighbours_go(shop: Folder) -> None:
    edit(shop, "case.card", title="Refund")
    edit(shop, "suite.checkout", title="Till")
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.refund"))
    ids = shop.state["bindings"]
    assert updated(shop).proven
    after = shop.state["bindings"]
    assert {address: after[address]["id"] for address in after} == {
        address: row["id"] for address, row in ids.items() if address != "case.refund"
    }


# -- what only the files changed


def test_edits_that_were_not_applied_stay_and_are_said(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "title:  'Pay by card'", "title: Pay with a card")
    shop.edit("rest.yaml", "cases: [card, refund]", "cases: [card]")
    shop.write({"new.yaml": "cases: {mine: {title: Mine}}\n"})
    edit(shop, "case.card", tags=["slow"])
    done = updated(shop)
    assert done.local == ("case.card (title)", "case.mine", "plan.smoke (cases)")
    assert done.changed == ("case.card",) and done.proven
    assert "title: Pay with a card" in texts(shop)["checkout/cases.yaml"]
    plan = shop.plan()
    assert actions(plan) == {"case.card": "update", "case.mine": "create", "plan.smoke": "update"}
    assert list(next(c for c in plan.changes if c.address == "case.card").attributes) == ["title"]
    shop.applied()
    assert actions(shop.plan()) == {}


def test_an_entry_that_was_taken_out_here_does_not_come_back(shop: Folder) -> None:
    shop.edit("rest.yaml", "shared_steps:\n  sign-in: {title: Sign in, steps: [Open /login]}\n", "")
    before = texts(shop)
    done = updated(shop)
    assert (done.local, done.added, done.proven) == (("shared_step.sign-in",), (), True)
    assert texts(shop) == before
    assert actions(shop.plan()) == {"shared_step.sign-in": "delete"}


def test_what_was_let_go_does_not_come_back(shop: Folder) -> None:
    shop.edit("rest.yaml", "shared_steps:\n  sign-in: {title: Sign in, steps: [Open /login]}\n", "")
    shop.write({"gone.yaml": "removed: [shared_step.sign-in]\n"}).applied()
    done = updated(shop)
    assert (done.added, done.proven) == ((), True)
    assert done.notes == ("`removed:` lets go of them, so left alone (1): shared_step.sign-in",)


def test_a_renamed_key_that_was_not_applied_keeps_its_object(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "  refund:", "  money-back:")
    shop.edit("rest.yaml", "cases: [card, refund]", "cases: [card, money-back]")
    shop.write({"moved.yaml": "moved: [{from: case.refund, to: case.money-back}]\n"})
    edit(shop, "case.refund", description="All of it")
    done = updated(shop)
    assert (done.changed, done.added, done.proven, done.failed) == (("case.money-back",), (), True, ())
    assert done.local == ("case.money-back (key)",)
    assert actions(shop.plan()) == {"case.money-back": "no_op"}
    shop.applied()
    assert actions(shop.plan()) == {}


def test_what_is_declared_and_waits_for_its_object_is_not_written_twice(shop: Folder) -> None:
    shop.write({"new.yaml": "cases: {mine: {title: Mine}, other: {title: Twin}}\n"})
    for title in ("Mine", "Twin", "Twin"):
        shop.app.ui.create("SHOP", "case", title=title)
    done = updated(shop)
    assert (done.added, done.bound, done.local) == ((), ("case.mine",), ("case.other",)) and done.proven
    assert "which of the declared it is cannot be told" in done.notes[0]


def test_what_the_files_name_as_somebody_elses_is_not_taken_over(shop: Folder) -> None:
    theirs = shop.app.ui.create("SHOP", "milestone", title="Theirs")
    shop.edit("checkout/cases.yaml", "milestone: r1", f"milestone: {{external_id: {theirs}}}").applied()
    done = updated(shop)
    assert (done.added, done.proven) == ((), True)
    assert "somebody else's" in done.notes[0]


# -- what both changed


@pytest.mark.parametrize("policy", ["fail", "ours", "theirs"])
def test_of_two_edits_the_policy_chooses(shop: Folder, policy: str) -> None:
    shop.write({"checkout/suite.yaml": f"title: Checkout\npolicy: {{on_conflict: {policy}}}\n"})
    shop.edit("checkout/cases.yaml", "title:  'Pay by card'", "title: Pay with a card")
    edit(shop, "case.card", title="Pay by plastic")
    done = updated(shop)
    left = "Pay by plastic" if policy == "theirs" else "Pay with a card"
    assert f"title: {left}" in texts(shop)["checkout/cases.yaml"]
    assert done.conflicts == (("case.card (title)",) if policy == "fail" else ())
    assert done.local == (("case.card (title)",) if policy == "ours" else ())
    assert done.proven


@pytest.mark.parametrize(("edit", "attribute"), ALL)
def test_an_edit_of_both_is_never_overwritten(emulated: Folder, edit: Edit, attribute: str) -> None:
    edit_in_qase(emulated, edit)
    edit_in_yaml(emulated, edit)
    before, plan = texts(emulated), emulated.plan()
    done = updated(emulated)
    assert texts(emulated) == before
    assert done.conflicts == (() if actions(plan) == {} else (f"{edit.address} ({attribute})",))
    assert done.proven and actions(emulated.plan()) == actions(plan)


def test_what_vanished_and_was_edited_here_stays(shop: Folder) -> None:
    shop.edit("checkout/cases.yaml", "title:  'Pay by card'", "title: Pay with a card")
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.card"))
    done = updated(shop)
    assert done.conflicts == ("case.card",) and done.removed == ()
    assert "Pay with a card" in texts(shop)["checkout/cases.yaml"]


# -- scope, state, attachments, the command


def test_nothing_outside_the_scope_comes_in(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, scope={"suites": ["checkout/**"]}).applied()
    ui = shop.app.ui
    other = ui.create("SHOP", "suite", title="Other")
    ui.create("SHOP", "case", title="Theirs", suite_id=other)
    ui.create("SHOP", "case", title="Ours", suite_id=shop.id_of("suite.checkout"))
    ui.create("SHOP", "milestone", title="Theirs")
    done = updated(shop)
    assert (done.added, done.proven) == (("case.ours",), True)
    ui.move("SHOP", "case", shop.id_of("case.ours"), other)
    done = updated(shop)
    assert [each.address for each in done.failed] == ["case.ours"]
    assert "outside the scope" in done.failed[0].reason and done.proven


def test_attachments_of_new_steps_are_downloaded_once(shop: Folder) -> None:
    shop.write({"a.png": b"one"}).edit("rest.yaml", "r1: {", "r1: {description: x, ")
    shop.write({"c.yaml": "cases: {c: {title: C, attachments: [a.png]}}\n"}).applied()
    known = next(iter(shop.state["files"].values()))["hash"]
    shop.write({"d.yaml": "cases: {d: {title: D, attachments: [d.yml]}}\n", "d.yml": b"cases: {}\n"})
    other = shop.session()
    assert other
    new = upload(shop, "cases.yaml", b"cases: {}\n")
    shop.remove("d.yaml", "d.yml")
    shop.app.ui.create("SHOP", "case", title="E", attachments=[known, new])
    edit(shop, "case.c", steps=[{"action": "Look", "attachments": [new]}])
    done = updated(shop)
    assert done.added == ("case.e",) and done.proven, done
    (path,) = (each.path for each in done.files if each.path.startswith("attachments/"))
    assert (shop.root / path).read_bytes() == b"cases: {}\n" and path.endswith("/cases.yaml.txt")
    assert "- a.png" in texts(shop)["c.yaml"] or "[a.png" in texts(shop)["c.yaml"]
    assert actions(shop.plan()) == {}
    assert updated(shop).files == ()


def upload(shop: Folder, name: str, content: bytes) -> str:
    import httpx

    client = httpx.Client(transport=httpx.WSGITransport(app=shop.app), base_url="http://emulator/v1")
    answer = client.post("/attachment/SHOP", files=[("file[]", (name, content, "text/plain"))])
    return str(answer.json()["result"][0]["hash"])


def test_without_a_state_or_with_an_unsettled_run_it_is_refused(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES)
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    with pytest.raises(SafetyRefusal) as refused:
        updated(shop)
    assert refused.value.code == "no-state"


def test_the_state_is_held_meanwhile(shop: Folder) -> None:
    with shop.session().store.lock(HOLDER), pytest.raises(StateLocked):
        updated(shop)


def test_a_file_that_changed_meanwhile_is_not_overwritten(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(shop, "case.card", title="Pay by any card")
    state, write = shop.state, pulling.write

    def late(root: Path, files: Any) -> None:
        shop.edit("checkout/cases.yaml", "Money back", "All money back")
        write(root, files)

    monkeypatch.setattr(pulling, "write", late)
    with pytest.raises(SafetyRefusal) as refused:
        updated(shop)
    assert refused.value.code == "file-changed" and shop.state == state
    assert "All money back" in texts(shop)["checkout/cases.yaml"]
    monkeypatch.undo()
    assert updated(shop).local == ("case.refund (description)",)


def test_the_command_says_what_it_did(shop: Folder, cli: Callable[..., Ran], tmp_path: Path) -> None:
    again = cli("-C", tmp_path, "export", "shop", "--update")
    assert (again.code, again.err) == (0, "")
    assert again.out == "Project SHOP   nothing changed in Qase since the last apply\n\nA plan from here is empty.\n"
    shop.edit("checkout/cases.yaml", "title:  'Pay by card'", "title: Pay with a card")
    shop.edit("rest.yaml", "r1: {", "r1: {description: Soon, ")
    edit(shop, "case.card", title="Pay by plastic")
    edit(shop, "case.refund", description="All of it")
    shop.app.ui.create("SHOP", "case", title="Home")
    done = cli("-C", shop.root, "export", ".", "--update")
    assert done.code == 4
    assert done.out == """\
Project SHOP   wrote 2 files

  + case.home    new: Home  cases.yaml
  ~ case.refund  description  checkout/cases.yaml

Not pulled
  ! case.card (title): edited in the files and in Qase, differently; --on-conflict theirs takes Qase's, ours leaves the files

Pulled: 1 object changed, 1 new.
A plan from here holds 2 changes, 1 of them an edit of the files.
"""  # fmt: skip
    assert (
        done.err
        == """\
Edited here, and not applied yet:
  milestone.r1 (description)
`--on-conflict` is an option of `pull` and of `apply`.
"""
    )
    assert cli("-C", shop.root, "plan").code == 0


def test_the_state_is_kept_where_the_folder_says(
    folder: Callable[..., Folder], cli: Callable[..., Ran], tmp_path: Path
) -> None:
    """Any machine with the files takes over what changed; a fresh export keeps its own state beside it."""
    with terraform() as server:
        shop = folder(FILES, state={"backend": "http", "address": server.url}).applied()
        card = shop.session().read_state().bindings["case.card"]
        shop.app.ui.edit("SHOP", "case", card.id, title="Pay by any card")
        shop.app.ui.create("SHOP", "milestone", title="Later")
        shutil.rmtree(shop.root / ".qase-iac")
        ran = cli("-C", tmp_path, "export", "shop", "--update")
        assert ran.code == 0 and "~ case.card" in ran.out and not server.locks
        assert set(shop.session().read_state().pulled) == {"milestone.later"}
        assert not list(shop.root.glob(".qase-iac/*@*.json")) and shop.plan().changes == ()
        ran = cli("-C", shop.root, "export", "../copy")
        assert ran.code == 0 and "state:" not in (tmp_path / "copy/qase.yaml").read_text("utf-8")
    assert len(list((tmp_path / "copy/.qase-iac").glob("*@*.json"))) == 1
    assert cli("-C", tmp_path / "copy", "plan").code == 0


@pytest.mark.parametrize(
    ("more", "says"),
    [(["--layout", "case"], "keeps the layout"), (["--project", "OTHER"], "is of project SHOP")],
)
def test_what_makes_no_sense_with_it(shop: Folder, cli: Callable[..., Ran], more: list[str], says: str) -> None:
    ran = cli("-C", shop.root, "export", ".", "--update", *more)
    assert ran.code == 1 and says in ran.err


def test_a_whole_project_that_was_edited_all_over(tmp_path: Path) -> None:
    """Every object of a project that uses every feature is edited in Qase; its folder is messy and by hand."""
    (tmp_path / "shop").mkdir()
    shop = Folder(tmp_path / "shop", create_app(seed=SEED, strict=True)).write(RICH).applied()
    ids = {address: row["id"] for address, row in shop.state["bindings"].items()}
    for address, id in ids.items():
        kind = address.partition(".")[0]
        more = {"steps": [{"action": "Anew"}, {"action": "Again"}]} if kind == "shared_step" else {}
        shop.app.ui.edit("SHOP", kind, id, title=f"{address}: #1 & - 'anew'", **more)
    shop.app.ui.delete("SHOP", "case", ids["case.balance"])
    done = updated(shop)
    assert done.failed == () and done.proven, (done.failed, done.unexpected)
    assert actions(shop.plan()) == {}


def test_cut_off_between_files_and_state_nothing_is_written_twice(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor created: what the files declare by now is bound by the next update, without a word of doubt."""
    shop = folder(FILES, policy={"adopt": "explicit"}).applied()
    shop.app.ui.create("SHOP", "case", title="Old")
    shop.edit("rest.yaml", "Release 1", "Release 2").applied()
    monkeypatch.setattr(pulling, "record", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        updated(shop)
    monkeypatch.undo()
    before = texts(shop)
    done = updated(shop)
    assert (done.added, done.notes, texts(shop)) == ((), (), before) and "case.old" in shop.state["bindings"]
    assert actions(shop.plan()) == {}
