"""`adopt`: what is in Qase already is bound, by its id or by suggestion. Nothing is written to Qase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from e2e_kit import Folder, Ran, actions, edits

from qase_iac.state.lock import Lock

Run = Callable[..., Ran]
FILES: dict[str, str | bytes] = {
    "checkout/suite.yaml": "title: Checkout\n",
    "checkout/cases.yaml": """\
cases:
  pay: {title: Pay by card, severity: major, steps: [Open the basket, Enter the card number, Pay]}
  refund: {title: Refund, steps: [Ask support, Get the money back]}
""",
    "rest.yaml": "shared_steps: {login: {title: Login, steps: [Open]}}\n",
}


@pytest.fixture
def run(cli: Run) -> Run:
    return lambda shop, *arguments: cli("-C", shop.root, *arguments)


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    """Declared and never applied; somebody made a project in Qase by hand."""
    made = folder(FILES)
    made.app.ui.create("", "project", code="SHOP", title="Shop")
    return made


def by_hand(shop: Folder, title: str, *steps: str, suite: int | None = None, **fields: Any) -> Any:
    if steps:
        fields["steps"] = [{"action": step} for step in steps]
    if suite is not None:
        fields["suite_id"] = suite
    return shop.app.ui.create("SHOP", "case", title=title, **fields)


# -- by id


def test_binds_and_says_what_apply_changes(run: Run, shop: Folder) -> None:
    suite = shop.app.ui.create("SHOP", "suite", title="Checkout")
    id = by_hand(shop, "Card", "Open the basket", "Enter the card number", "Pay", suite=suite)
    with shop.counting() as seen:
        ran = run(shop, "adopt", "suite.checkout", suite, "case.pay", id)
    assert ran.code == 0 and {entry.method for entry in seen} == {"GET"}
    assert (shop.id_of("case.pay"), shop.id_of("suite.checkout")) == (id, suite)
    assert f"case.pay is bound to {id}, 'Card'." in ran.out and "title: Card → Pay by card" in ran.out
    assert "It is what the files say: apply changes nothing." in ran.out
    found = edits(shop.plan())["case.pay"]
    assert found == {"title": "ours", "severity": "ours"}
    sent = shop.state["bindings"]["case.pay"]["sent"]
    assert "steps" in sent and "title" not in sent, "what is equal is agreed on from now on"
    shop.app.ui.edit("SHOP", "case", id, steps=[{"action": "Else"}])
    assert edits(shop.plan())["case.pay"]["steps"] == "theirs"


def test_json_and_again(run: Run, shop: Folder) -> None:
    id = by_hand(shop, "Refund", "Ask support", "Get the money back")
    (row,) = run(shop, "adopt", "case.refund", id, "--format", "json").json["bound"]
    assert (row["address"], row["id"], row["title"], row["new"]) == ("case.refund", id, "Refund", True)
    assert row["attributes"] == {
        "suite": {"before": None, "after": {"known_after_apply": "suite.checkout"}, "origin": "ours"}
    }
    before = shop.state_path.read_bytes()
    ran = run(shop, "adopt", "case.refund", id, "--format", "json")
    assert (ran.code, ran.json["bound"][0]["new"]) == (0, False)
    assert shop.state_path.read_bytes() == before
    assert shop.state["serial"] == 1


def test_a_shared_step_has_a_hash(run: Run, shop: Folder) -> None:
    hash = shop.app.ui.create("SHOP", "shared_step", title="In", steps=[{"action": "Open"}])
    assert run(shop, "adopt", "shared_step.login", hash).code == 0
    assert edits(shop.plan())["shared_step.login"] == {"title": "ours"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("case.nope 1", 4, "declared nowhere"),
        ("case.refnd 1", 4, "Did you mean case.refund?"),
        ("case.refund 999", 1, "Qase has no case 999 in project SHOP."),
        ("case.refund abc", 1, "is no id of a case"),
        ("shared_step.login 1", 1, "Qase has no shared step 1"),
        ("case.refund 1 case.pay 1", 4, "bound to case.refund already"),
        ("case.refund 1 case.refund 2", 1, "twice"),
        ("case.refund", 1, "pairs"),
        ("refund 1", 1, "is not an address"),
        ("run.x 1", 1, "is not an address"),
        ("", 1, "--suggest"),
        ("case.refund 1 --suggest", 1, "--suggest"),
        ("case.refund 1 --write", 1, "--suggest"),
    ],
)
def test_refuses_and_binds_nothing(run: Run, shop: Folder, words: str, code: int, said: str) -> None:
    by_hand(shop, "One")
    by_hand(shop, "Two")
    ran = run(shop, "adopt", *words.split())
    assert (ran.code, ran.out) == (code, "") and said in ran.err
    assert not list(shop.root.glob(".qase-iac/*@*.json"))


def test_refuses_what_is_bound(run: Run, shop: Folder) -> None:
    shop.applied(new_state=True)
    other = by_hand(shop, "Other")
    ran = run(shop, "adopt", "case.refund", other)
    assert ran.code == 4 and "`qase-iac state rm case.refund`" in ran.err
    shop.write({"more.yaml": "cases: {more: {title: More}}\n"})
    ran = run(shop, "adopt", "case.more", shop.id_of("case.refund"))
    assert ran.code == 4 and "moved: [{from: case.refund, to: case.more}]" in ran.err
    shop.write({"adopt.yaml": f"adopt: {{case.more: {other}}}\n"})
    assert run(shop, "adopt", "case.more", by_hand(shop, "Third")).code == 4
    assert run(shop, "adopt", "case.more", other).code == 0


def test_refuses_what_lies_outside_the_scope(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, scope={"suites": ["checkout", "checkout/**"]}).applied()
    shop.write({"checkout/more.yaml": "cases: {more: {title: More}}\n"})
    ran = run(shop, "adopt", "case.more", by_hand(shop, "At the root"))
    assert ran.code == 4 and "scope" in ran.err
    inside = by_hand(shop, "Inside", suite=shop.id_of("suite.checkout"))
    assert run(shop, "adopt", "case.more", inside).code == 0


def test_waits_for_nobody(run: Run, shop: Folder) -> None:
    from e2e_kit import HOLDER

    id = by_hand(shop, "Refund")
    with Lock(shop.root / ".qase-iac/SHOP@emulator.lock", HOLDER):
        assert run(shop, "adopt", "case.refund", id).code == 7
        assert run(shop, "adopt", "--suggest", "--write").code == 7
        assert run(shop, "adopt", "--suggest").code == 0


def test_settles_what_an_interrupted_run_left(run: Run, folder: Callable[..., Folder]) -> None:
    """Two new objects may be what was being created: `adopt` says which, and apply goes on."""
    import json

    shop = folder(FILES).applied()
    shop.write({"more.yaml": "cases: {more: {title: More}}\n"})
    ids = [by_hand(shop, "More", description=text) for text in ("x", "y")]
    state = shop.state
    header = {"journal": 1, "tool": "t", "lineage": state["lineage"], "serial": state["serial"], "plan": "",
              "project": "SHOP", "api": "emulator", "time": "", "seen": {"case": 2}}  # fmt: skip
    item = {"op": 1, "address": "case.more", "action": "create", "title": "More", "record": {"sent": {"title": "More"}}}
    shop.state_path.with_suffix(".journal").write_text(
        "".join(json.dumps(line) + "\n" for line in (header, {"intent": 1, "time": "", "items": [item]}))
    )
    assert run(shop, "apply", "--auto-approve").code == 4
    assert run(shop, "adopt", "case.more", ids[1]).code == 0
    assert not shop.state_path.with_suffix(".journal").exists()
    assert actions(shop.plan()) == {}
    assert shop.id_of("case.more") == ids[1]


# -- suggestions


def suggested(run: Run, shop: Folder, *more: str) -> dict[str, Any]:
    ran = run(shop, "adopt", "--suggest", "--format", "json", *more)
    assert ran.code == 0, ran.err
    return ran.json


def test_place_and_title_first_then_likeness_and_nothing_in_doubt(run: Run, shop: Folder) -> None:
    shop.write(
        {
            "more.yaml": """\
suites:
  returns:
    title: Returns
    cases:
      inside: {title: Inside}
cases:
  twin: {title: Sign in with a code, steps: [Ask for a code, Enter it]}
  alone: {title: Nothing like it anywhere}
"""
        }
    )
    suite = shop.app.ui.create("SHOP", "suite", title="Checkout")
    pay = by_hand(shop, "Pay by card", suite=suite)
    refund = by_hand(shop, "Refunds", "Ask support", "Get the money back.", suite=suite)
    returns = shop.app.ui.create("SHOP", "suite", title="The returns!")
    inside = by_hand(shop, "Inside", suite=returns)
    twins = [by_hand(shop, f"Sign in with a code{end}", "Ask for a code", "Enter it") for end in ("!", "?")]
    by_hand(shop, "Of no interest")
    found = suggested(run, shop)
    rows = {row["address"]: (row["id"], row["by"], row["sure"]) for row in found["suggestions"]}
    assert rows == {
        "suite.checkout": (suite, "place-and-title", True),
        "case.pay": (pay, "place-and-title", True),
        "case.refund": (refund, "alike", True),
        "suite.returns": (returns, "alike", False),
        "case.inside": (inside, "place-and-title", False),  # as sure as the suite that it lies in
    }
    assert [(row["address"], sorted(row["ids"])) for row in found["ambiguous"]] == [("case.twin", twins)]
    assert sorted(found["unmatched"]) == ["case.alone", "shared_step.login"] and found["unbound"] == 1
    assert not list(shop.root.glob(".qase-iac/*@*.json")), "it only proposes"
    text = run(shop, "adopt", "--suggest").out
    assert f"`qase-iac adopt suite.returns {returns}`" in text and "% alike" in text
    assert "! case.twin" in text and "same place and title" in text


def test_write_binds_the_sure_ones(run: Run, shop: Folder) -> None:
    suite = shop.app.ui.create("SHOP", "suite", title="Checkout")
    pay = by_hand(shop, "Pay by card", suite=suite, steps=[{"action": "Open the basket"}])
    refund = by_hand(shop, "Refunding", "Ask support", "Something else", suite=suite)
    before = len(shop.writes())
    found = suggested(run, shop, "--write")
    assert {row["address"]: (row["id"], row["bound"]) for row in found["suggestions"]} == {
        "suite.checkout": (suite, True), "case.pay": (pay, True), "case.refund": (refund, False),
    }  # fmt: skip
    assert len(shop.writes()) == before
    assert set(shop.state["bindings"]) == {"suite.checkout", "case.pay"}
    planned = edits(shop.plan())["case.pay"]
    assert planned["steps"] == "ours" and set(planned.values()) == {"ours"}
    assert [row["address"] for row in suggested(run, shop)["suggestions"]] == ["case.refund"]


def test_everything_is_bound(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES).applied()
    assert "nothing to suggest" in run(shop, "adopt", "--suggest").out


def test_a_title_in_a_folder_with_a_scope_may_be_another_folders(run: Run, folder: Callable[..., Folder]) -> None:
    """What lies in no suite is sure only when it is equal in everything."""
    shop = folder(FILES, scope={"suites": ["checkout", "checkout/**"]})
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    shop.app.ui.create("SHOP", "shared_step", title="Login", steps=[{"action": "Other"}])
    (row,) = suggested(run, shop)["suggestions"]
    assert (row["address"], row["sure"]) == ("shared_step.login", False)
    shop.edit("rest.yaml", "[Open]", "[Other]")
    (row,) = suggested(run, shop)["suggestions"]
    assert row["sure"]


def test_adopts_even_where_the_policy_is_explicit(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, policy={"adopt": "explicit"})
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    shop.app.ui.create("SHOP", "suite", title="Checkout")
    assert [row["address"] for row in suggested(run, shop)["suggestions"]] == ["suite.checkout"]


def test_a_project_that_is_not_there(run: Run, folder: Callable[..., Folder]) -> None:
    assert run(folder(FILES), "adopt", "--suggest").code == 9
