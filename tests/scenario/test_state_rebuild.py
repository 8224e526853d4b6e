"""`state rebuild` and `state unlock`: a state that was lost, a lock that somebody left behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import HOLDER, REPO, Folder, Ran, actions, edits

from qase_iac.emulator import create_app, load_seed
from qase_iac.state.lock import Lock, holder_path

Run = Callable[..., Ran]


@pytest.fixture
def run(cli: Run) -> Run:
    return lambda shop, *arguments: cli("-C", shop.root, *arguments)


def lose(shop: Folder) -> dict[str, Any]:
    """The state as it was; every file of it is gone."""
    state = shop.state
    shutil.rmtree(shop.root / ".qase-iac")
    return state


def known(state: dict[str, Any]) -> dict[str, Any]:
    return {address: {**binding, "sent": dict(binding["sent"])} for address, binding in state["bindings"].items()}


FILES: dict[str, str | bytes] = {
    "checkout/suite.yaml": "title: Checkout\n",
    "checkout/cases.yaml": "cases:\n  pay: {title: Pay, severity: major, steps: [Pay], protect: true}\n  refund: {title: Refund}\n",
    "rest.yaml": "shared_steps: {login: {title: Login, steps: [Open]}}\nmilestones: {m: {title: M}}\n"
    "plans: {smoke: {title: Smoke, cases: [pay, refund]}}\n",
}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    return folder(FILES).applied()


def test_the_example_after_edits_comes_back_whole(tmp_path: Path) -> None:
    root = tmp_path / "web-shop"
    shutil.copytree(REPO / "examples" / "web-shop", root, ignore=shutil.ignore_patterns(".qase-iac"))
    app = create_app(seed=load_seed(root / "emulator-seed.yaml"))
    shop = Folder(root, app).applied()
    shop.write({"more.yaml": "cases: {added: {title: Added later, steps: [One, Two]}}\n"})
    shop.edit("milestones.yaml", "title: Release 1.0", "title: Release one").applied()
    before = lose(shop)
    from qase_iac.workflow.rebuilding import rebuild

    writes = len(shop.writes())
    made = rebuild(shop.session(), HOLDER)
    assert made.complete and not made.differing and made.found.left == 0
    assert len(shop.writes()) == writes
    assert {a: b["id"] for a, b in shop.state["bindings"].items()} == {
        a: b["id"] for a, b in before["bindings"].items()
    }
    for address, binding in before["bindings"].items():
        again = shop.state["bindings"][address]
        left = set(again.get("ignore", ()))
        assert again["sent"] == {name: value for name, value in binding["sent"].items() if name not in left}, address
        for name in ("protect", "depends_on", "ignore"):
            assert again.get(name) == binding.get(name), (address, name)
    assert shop.state["files"] == before["files"], "known by content, not by name and size"
    plan = shop.plan()
    assert (plan.changes, plan.drift, plan.findings) == ((), (), ())
    assert shop.state["lineage"] != before["lineage"]
    app.close()


def test_in_words_and_json(run: Run, shop: Folder) -> None:
    lose(shop)
    ran = run(shop, "state", "rebuild")
    assert ran.code == 0 and "6 addresses bound in a new state." in ran.out and "Everything was decided." in ran.out
    lose(shop)
    made = run(shop, "state", "rebuild", "--format", "json").json
    assert (made["complete"], len(made["suggestions"]), made["differing"], made["replaced"]) == (True, 6, [], [])
    assert all(row["bound"] for row in made["suggestions"])


def test_a_state_that_is_there_is_not_replaced_unsaid(run: Run, shop: Folder) -> None:
    before = shop.state_path.read_bytes()
    with shop.counting() as seen:
        ran = run(shop, "state", "rebuild")
    assert (ran.code, seen, shop.state_path.read_bytes()) == (4, [], before) and "--replace" in ran.err
    assert run(shop, "state", "rebuild", "--replace").code == 0
    assert shop.state["lineage"] != json.loads(before)["lineage"]
    assert shop.state_path.with_name("SHOP@emulator.json.replaced").read_bytes() == before
    assert actions(shop.plan()) == {}


def test_a_broken_state_is_replaced_with_its_journal(run: Run, shop: Folder) -> None:
    shop.state_path.write_text("{broken")
    shop.root.joinpath(".qase-iac/SHOP@emulator.journal").write_text("{}\n")
    assert run(shop, "plan").code == 1
    made = run(shop, "state", "rebuild", "--replace", "--format", "json").json
    assert [Path(path).name for path in made["replaced"]] == [
        "SHOP@emulator.json.replaced", "SHOP@emulator.journal.replaced",
    ]  # fmt: skip
    assert actions(shop.plan()) == {}


def test_what_differs_is_a_conflict_since_nobody_knows_who_changed_it(run: Run, shop: Folder) -> None:
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.pay"), steps=[{"action": "By hand"}])
    shop.edit("checkout/cases.yaml", "severity: major", "severity: minor")
    lose(shop)
    made = run(shop, "state", "rebuild", "--format", "json").json
    assert (made["complete"], made["differing"]) == (True, ["case.pay"])
    assert edits(shop.plan())["case.pay"] == {"severity": "conflict", "steps": "conflict"}
    assert actions(shop.plan()) == {"case.pay": "update !conflict"}
    assert run(shop, "drift", "--detailed-exitcode").code == 0
    assert "case.pay" in run(shop, "state", "rebuild", "--replace").out


def test_what_cannot_be_decided_is_said_and_left(run: Run, shop: Folder) -> None:
    """A title that changed on one side: likely, not sure. Two of one title: which, nobody can say."""
    suite = shop.id_of("suite.checkout")
    shop.edit("checkout/cases.yaml", "title: Refund", "title: Refunded")
    shop.app.ui.create("SHOP", "milestone", title="M")
    shop.write({"new.yaml": "cases: {fresh: {title: Wholly new}}\n"})
    shop.app.ui.create("SHOP", "case", title="Nobody's", suite_id=suite)
    old = lose(shop)
    ran = run(shop, "state", "rebuild", "--format", "json")
    made = ran.json
    assert (ran.code, made["complete"]) == (6, False)
    likely = [row["address"] for row in made["suggestions"] if not row["bound"]]
    assert likely == ["case.refund"]
    assert [(row["address"], sorted(row["ids"])) for row in made["ambiguous"]] == [("milestone.m", [1, 2])]
    assert made["unmatched"] == ["case.fresh"]
    text = run(shop, "state", "rebuild", "--replace").out
    assert f"`qase-iac adopt case.refund {old['bindings']['case.refund']['id']}`" in text
    assert "! milestone.m  1, 2" in text and "2 addresses could not be decided." in text
    assert run(shop, "adopt", "case.refund", old["bindings"]["case.refund"]["id"], "milestone.m", 1).code == 0
    assert actions(shop.plan()) == {"case.fresh": "create", "case.refund": "update"}


def test_twins_are_told_apart_by_their_attributes(folder: Callable[..., Folder], run: Run) -> None:
    twins = "cases:\n" + "".join(f"  t{at}: {{title: Same, steps: [Step {at}]}}\n" for at in range(5))
    shop = folder({"c.yaml": twins}).applied()
    before = lose(shop)
    assert run(shop, "state", "rebuild").code == 0
    assert {a: b["id"] for a, b in shop.state["bindings"].items()} == {
        a: b["id"] for a, b in before["bindings"].items()
    }
    equal = folder({"c.yaml": "cases: {a: {title: Same}, b: {title: Same}}\n"}, name="equal", project="TWO").applied()
    lose(equal)
    made = run(equal, "state", "rebuild", "--format", "json")
    assert (made.code, len(made.json["ambiguous"]), made.json["suggestions"]) == (6, 2, [])


def test_adopt_and_the_past_of_keys_count(run: Run, folder: Callable[..., Folder]) -> None:
    """`adopt:` names what nothing else would find; what `moved` tells is over."""
    shop = folder({"c.yaml": "cases: {a: {title: A, steps: [x]}}\n"}).applied()
    id = shop.id_of("case.a")
    shop.app.ui.edit("SHOP", "case", id, title="Called otherwise")
    shop.write({"c.yaml": f"cases: {{a: {{title: A, steps: [x]}}, z: {{title: Z}}}}\nadopt: {{case.a: {id}}}\n"
                "moved: [{from: case.a, to: case.z}]\n"})  # fmt: skip
    lose(shop)
    assert run(shop, "state", "rebuild").code == 0
    assert shop.id_of("case.a") == id and shop.state["moved"] == ["case.a -> case.z"]
    assert actions(shop.plan()) == {"case.a": "update !conflict", "case.z": "create"}


def test_nothing_is_written_when_qase_cannot_be_read(run: Run, shop: Folder) -> None:
    from qase_iac.emulator.http import json_answer

    before = lose(shop)
    handle = shop.app.handle
    shop.app.handle = lambda request: (  # type: ignore[method-assign]
        json_answer(403, {"status": False}) if "/plan/" in request.path else handle(request)
    )
    assert run(shop, "state", "rebuild").code == 8
    assert not list(shop.root.glob(".qase-iac/*.json"))
    shop.app.handle = handle  # type: ignore[method-assign]
    assert run(shop, "state", "rebuild").code == 0
    assert known(shop.state).keys() == known(before).keys()


# -- state unlock


def test_unlock_names_whose_dead_lock_it_was(run: Run, shop: Folder) -> None:
    assert run(shop, "state", "unlock").out == "Nobody holds the state.\n"
    lock = shop.root / ".qase-iac/SHOP@emulator.lock"
    with Lock(lock, HOLDER):
        note = holder_path(lock).read_bytes()
        ran = run(shop, "state", "unlock")
        assert (ran.code, ran.out) == (7, "") and "ann@here" in ran.err
    holder_path(lock).write_bytes(note)  # as a run leaves it that was killed
    ran = run(shop, "state", "unlock")
    assert ran.code == 0 and "ann@here, process 1" in ran.out
    assert not holder_path(lock).exists()
    assert run(shop, "state", "unlock").out == "Nobody holds the state.\n"


def test_what_was_renamed_in_qase_while_the_state_was_lost(shop: Folder, run: Run) -> None:
    steps = [{"action": "Fill the basket to 49.99 EUR"}, {"action": "Look at the cost of shipping"}]
    shop.write({"more.yaml": "cases:\n  free: {title: Free above 50, steps: [Fill the basket to 49.99 EUR, Look at the "
                "cost of shipping]}\n  bare: {title: Bare}\n"}).applied()  # fmt: skip
    free, bare = shop.id_of("case.free"), shop.id_of("case.bare")
    lose(shop)
    shop.app.ui.edit("SHOP", "case", free, title="Nothing to pay for delivery", steps=steps)
    shop.app.ui.edit("SHOP", "case", bare, title="Entirely other words")
    done = run(shop, "state", "rebuild")
    assert done.code == 6 and f"? case.free  {free}  Nothing to pay for delivery" in done.out
    assert (
        "1 object in Qase belongs to no address: never managed, or no longer declared, or renamed in Qase." in done.out
    )
    assert "A renamed one is bound by `qase-iac adopt ADDRESS ID`." in done.out
    assert run(shop, "adopt", "case.free", free, "case.bare", bare).code == 0
    assert edits(shop.plan()) == {"case.free": {"title": "ours"}, "case.bare": {"title": "ours"}}
