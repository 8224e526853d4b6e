"""What a delete would take along, and what stops it: the brake, protection, what hangs on an object, saved plans."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import Folder, Ran, actions, by_address

from qase_iac.emulator.http import Answer, Request, json_answer
from qase_iac.errors import SafetyRefusal, StalePlan
from qase_iac.plan.planfile import write

pytestmark = pytest.mark.usefixtures("no_waiting")

FILES: dict[str, str | bytes] = {
    "all.yaml": """\
milestones: {m: {title: M}}
shared_steps: {s: {title: Sign in, steps: [x]}}
suites: {top: {title: Top, cases: {a: {title: A, milestone: m}, b: {title: B, steps: [{shared: s}]}}}}
cases: {k: {title: K}}
plans: {p: {title: P, cases: [a, k]}}
"""
}
REST = "cases: {k: {title: K}}\nplans: {p: {title: P, cases: [k]}}\n"
FREELY = {"max_deletes": 100, "max_delete_share": 1}


@pytest.fixture
def shop(folder: Callable[..., Folder]) -> Folder:
    """Applied, and then all but a case and a test plan taken out of the files; no brake."""
    return folder(FILES, policy=FREELY).applied().write({"all.yaml": REST})


@pytest.fixture
def go(cli: Callable[..., Ran]) -> Callable[..., Ran]:
    return lambda shop, *arguments: cli("-C", shop.root, *arguments)


def titles(shop: Folder) -> list[str]:
    return sorted(case["title"] for case in shop.dump()["cases"])


def unmanaged_users(shop: Folder) -> None:
    """A person puts one case to everything that is to go, and a suite into the suite."""
    ids = {address: shop.id_of(address) for address in ("suite.top", "milestone.m", "shared_step.s")}
    shop.app.ui.create(
        "SHOP", "case", title="By hand", suite_id=ids["suite.top"], milestone_id=ids["milestone.m"],
        steps=[{"shared": ids["shared_step.s"]}],
    )  # fmt: skip
    shop.app.ui.create("SHOP", "suite", title="Sub", parent_id=ids["suite.top"])


# -- the brake -----------------------------------------------------------------------------------------------------


def test_the_refusal_shows_figures_and_what_hangs_on_each(
    folder: Callable[..., Folder], go: Callable[..., Ran]
) -> None:
    shop = folder(FILES).applied().write({"all.yaml": REST})
    before = shop.dump()
    ran = go(shop, "apply", "--auto-approve")
    assert ran.code == 4 and shop.dump() == before
    said = ran.err
    assert "deletes 5 of 7 bound objects (71.4%): more than max_delete_share (20%, at most 1 of 7)" in said
    assert "- case.a 'A': in plan.p (updated first)" in said
    assert "- suite.top 'Top': holds case.a, case.b (deleted first)" in said
    assert "- shared_step.s 'Sign in': used by case.b (deleted first)" in said
    assert "- milestone.m 'M': used by case.a (deleted first)" in said
    assert "--allow-deletes 5" in said
    assert go(shop, "apply", "--auto-approve", "--allow-deletes", "4").code == 4
    assert go(shop, "apply", "--auto-approve", "--allow-deletes", "5").code == 0
    assert titles(shop) == ["K"]


SMALL = "cases: {a: {title: A}, b: {title: B}, c: {title: C}}\n"


@pytest.mark.parametrize(
    ("prepare", "options"),
    [
        (lambda shop: shop.write({"a.yaml": "cases: {a: {title: A}, b: {title: B}}\n"}), {}),
        (lambda shop: shop.write({"a.yaml": "cases: {a: {title: A}, b: {title: B}}\n"}), {"select": ("case.c",)}),
        (lambda shop: shop.app.ui.delete("SHOP", "case", shop.id_of("case.c")), {}),
        (lambda shop: shop.app.ui.delete("SHOP", "case", shop.id_of("case.c")), {"select": ("case.c",)}),
        (lambda shop: shop.write({"a.yaml": SMALL.replace("c: {title: C}", "d: {title: D}")}), {}),
    ],
    ids=["delete", "select", "vanished", "vanished, select", "exchanged"],
)  # fmt: skip
def test_one_of_three_is_no_small_number(folder: Callable[..., Folder], prepare: Any, options: dict[str, Any]) -> None:
    shop = folder({"a.yaml": SMALL}).applied()
    prepare(shop)
    before = shop.dump()
    with pytest.raises(SafetyRefusal) as refused:
        shop.apply(**options)
    assert refused.value.code == "brake" and "1 " in refused.value.summary
    assert shop.dump() == before
    assert shop.apply(**options, allow_deletes=1).report.exit_code == 0  # type: ignore[union-attr]


@pytest.mark.parametrize(("share", "bound", "passes"), [(0.2, 5, 1), (0.3, 10, 3), (0.29, 100, 29), (0.07, 100, 7)])
def test_a_share_is_the_number_that_was_written(
    folder: Callable[..., Folder], share: float, bound: int, passes: int
) -> None:
    """0.29 of 100 are 29, whatever binary fractions make of it."""

    def cases(count: int) -> str:
        return "cases:\n" + "".join(f"  c{at}: {{title: C{at}}}\n" for at in range(count))

    shop = folder({"a.yaml": cases(bound)}, policy={"max_deletes": 1000, "max_delete_share": share}).applied()
    shop.write({"a.yaml": cases(bound - passes - 1)})
    with pytest.raises(SafetyRefusal, match=f"at most {passes} of {bound}"):
        shop.apply()
    shop.write({"a.yaml": cases(bound - passes)}).applied()


def test_a_suite_with_all_that_is_in_it_counts_each(folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, policy={"max_deletes": 4, "max_delete_share": 1}).applied().write({"all.yaml": REST})
    with pytest.raises(SafetyRefusal, match=r"deletes 5 of 7 .* more than max_deletes \(4\)"):
        shop.apply()


def test_removed_deletes_nothing_and_needs_no_leave(folder: Callable[..., Folder]) -> None:
    shop = folder({"a.yaml": SMALL}).applied()
    shop.write({"a.yaml": "cases: {a: {title: A}}\nremoved: [case.b, case.c]\n"}).applied()
    assert titles(shop) == ["A", "B", "C"] and sorted(shop.state["bindings"]) == ["case.a"]


# -- what hangs on it ------------------------------------------------------------------------------------------------


def test_what_others_use_stays_and_the_rest_is_done(shop: Folder, go: Callable[..., Ran]) -> None:
    unmanaged_users(shop)
    plan = shop.plan()
    assert actions(plan) == {
        "plan.p": "update",
        "case.a": "delete",
        "case.b": "delete",
        "suite.top": "delete !suite_not_empty",
        "shared_step.s": "delete !shared_step_in_use",
        "milestone.m": "delete !milestone_in_use",
    }
    changes = by_address(plan)
    for address in ("suite.top", "shared_step.s", "milestone.m"):
        blocked = changes[address].blocked
        assert blocked and "'By hand' (not managed)" in blocked.reason and f"`removed: [{address}]`" in blocked.reason
    assert "suite 2 'Sub' (not managed)" in changes["suite.top"].blocked.reason  # type: ignore[union-attr]
    shown = go(shop, "plan").out
    assert shown.count("  ! ") == 3 and "case 4 'By hand'" in shown
    ran = go(shop, "apply", "--auto-approve")
    assert ran.code == 6 and "3 blocked" in ran.out
    assert titles(shop) == ["By hand", "K"]
    (kept,) = (case for case in shop.dump()["cases"] if case["title"] == "By hand")
    assert (kept["suite"], kept["milestone"], kept["steps"]) == (["Top"], "M", [{"shared": "Sign in"}])
    assert go(shop, "apply", "--auto-approve").code == 4  # nothing else could be done
    assert [entry.method for entry in shop.writes()].count("DELETE") == 2


def test_a_managed_user_holds_as_well(folder: Callable[..., Folder]) -> None:
    """The YAML does not say anything about the attribute, so it is not let go."""
    shop = folder(FILES, policy=FREELY).applied()
    shop.write({"all.yaml": "suites: {top: {title: Top, cases: {a: {title: A}, b: {title: B}}}}\n" + REST})
    found = actions(shop.plan())
    assert (found["milestone.m"], found["shared_step.s"]) == (
        "delete !milestone_in_use", "delete !shared_step_in_use",
    )  # fmt: skip


def test_plans_of_others_that_lose_a_member_are_named(shop: Folder) -> None:
    shop.app.ui.create("SHOP", "plan", title="Nightly", cases=[shop.id_of("case.a"), shop.id_of("case.k")])
    assert by_address(shop.plan())["case.a"].notes == ("in plan.p (updated first)", "in plan 2 'Nightly' (not managed)")


@pytest.mark.parametrize("kind", ["milestone", "shared_step", "suite"])
def test_what_begins_to_be_used_during_the_run_stays(shop: Folder, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Between the plan and its own delete; nothing but a look just before would tell."""
    ids = {address: shop.id_of(address) for address in ("milestone.m", "shared_step.s", "suite.top")}
    fields = {
        "milestone": {"milestone_id": ids["milestone.m"]},
        "shared_step": {"steps": [{"shared": ids["shared_step.s"]}]},
        "suite": {"suite_id": ids["suite.top"]},
    }[kind]
    handle, done = shop.app.handle, []

    def meanwhile(request: Request) -> Answer:
        if request.method == "DELETE" and not done:
            done.append(shop.app.ui.create("SHOP", "case", title="Late", **fields))
        return handle(request)

    monkeypatch.setattr(shop.app, "handle", meanwhile)
    report = shop.apply().report
    assert report is not None and report.exit_code == 6
    (blocked,) = (each for each in report.operations if not each.done)
    assert (blocked.address.partition(".")[0], blocked.status) == (kind, "blocked")
    assert str(done[0]) in str(blocked.problem) and "Late" in titles(shop)
    (late,) = (case for case in shop.dump()["cases"] if case["title"] == "Late")
    assert late["milestone"] or late["suite"] or late["steps"]


@pytest.mark.parametrize("path", [r"/case/SHOP\?suite_id", r"/case/SHOP\?milestone_id", r"/shared_step/SHOP/"])
@pytest.mark.parametrize("fault", ["500", "html", "drop-before", "cut-off", "empty-body"])
def test_what_cannot_be_looked_at_is_not_deleted(shop: Folder, path: str, fault: str) -> None:
    struck = shop.app.faults.add(fault, method="GET", path=path, times=0)
    report = shop.apply().report
    assert report is not None and report.exit_code == 6 and struck.struck
    (failed,) = (each for each in report.operations if not each.done)
    assert failed.problem is not None and "was not deleted" in failed.problem.hint
    shop.app.faults.clear()
    shop.applied()
    assert actions(shop.plan()) == {} and titles(shop) == ["K"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_in_the_middle_ends_the_run(
    shop: Folder, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    handle = shop.app.handle

    def refuse(request: Request) -> Answer:
        if "suite_id" in request.query_text:
            return json_answer(status, {"status": False, "errorMessage": "No."})
        return handle(request)

    monkeypatch.setattr(shop.app, "handle", refuse)
    report = shop.apply().report
    assert report is not None and report.exit_code == 8
    assert shop.dump()["suites"] and shop.dump()["milestones"]


# -- conflicts ---------------------------------------------------------------------------------------------------------


def test_what_was_edited_in_qase_is_not_deleted_by_surprise(shop: Folder, go: Callable[..., Ran]) -> None:
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.a"), title="Better")
    assert actions(shop.plan())["case.a"] == "delete !conflict"
    ran = go(shop, "apply", "--auto-approve")
    assert ran.code == 6 and titles(shop) == ["Better", "K"]
    assert actions(shop.plan(on_conflict="ours"))["case.a"] == "delete"
    assert actions(shop.plan(on_conflict="theirs"))["case.a"] == "forget"
    shop.write({"more.yaml": "removed: [case.a]\n"})
    assert actions(shop.plan())["case.a"] == "forget"
    shop.remove("more.yaml").applied(on_conflict="ours")
    assert titles(shop) == ["K"]


def test_what_is_left_to_others_is_no_conflict(folder: Callable[..., Folder]) -> None:
    case = "a: {title: A, automation: manual, ignore_changes: [automation]}"
    shop = folder({"a.yaml": f"cases: {{{case}, b: {{title: B}}}}\n"}, policy=FREELY).applied()
    shop.app.ui.edit("SHOP", "case", shop.id_of("case.a"), isToBeAutomated=True)
    shop.write({"a.yaml": "cases: {b: {title: B}}\n"})
    assert actions(shop.plan()) == {"case.a": "delete"}


# -- protection -----------------------------------------------------------------------------------------------------------

GUARDED = "suites: {top: {title: Top, cases: {a: {title: A, protect: true}, b: {title: B}}}}\ncases: {k: {title: K}}\n"


@pytest.fixture
def guarded(folder: Callable[..., Folder]) -> Folder:
    return folder({"a.yaml": GUARDED}, policy=FREELY).applied().write({"a.yaml": "cases: {k: {title: K}}\n"})


def test_protection_outlives_its_block_and_holds_the_suite(guarded: Folder, go: Callable[..., Ran]) -> None:
    assert actions(guarded.plan()) == {
        "case.b": "delete", "case.a": "delete !protected", "suite.top": "delete !suite_not_empty",
    }  # fmt: skip
    assert go(guarded, "apply", "--auto-approve").code == 6
    assert go(guarded, "apply", "--auto-approve").code == 4
    assert titles(guarded) == ["A", "K"] and len(guarded.dump()["suites"]) == 1


def test_protection_outlives_moves_of_the_key(guarded: Folder, go: Callable[..., Ran]) -> None:
    assert go(guarded, "state", "mv", "case.a", "case.a2").code == 0
    assert actions(guarded.plan())["case.a2"] == "delete !protected"
    guarded.write({"m.yaml": "moved: [{from: case.a2, to: case.a3}]\n"})
    assert go(guarded, "apply", "--auto-approve").code == 6
    guarded.remove("m.yaml")
    assert actions(guarded.plan())["case.a3"] == "delete !protected"


def test_protection_of_something_adopted(folder: Callable[..., Folder]) -> None:
    shop = folder({"a.yaml": "cases: {k: {title: K}}\n"}, policy=FREELY).applied()
    id = shop.app.ui.create("SHOP", "case", title="A")
    shop.write({"b.yaml": f"cases: {{a: {{title: A, protect: true}}}}\nadopt: {{case.a: {id}}}\n"}).applied()
    assert actions(shop.remove("b.yaml").plan()) == {"case.a": "delete !protected"}


def test_protection_alone_is_a_change_that_is_kept(folder: Callable[..., Folder]) -> None:
    """Nothing is to be sent, and yet the run has something to remember."""
    shop = folder({"a.yaml": SMALL}, policy=FREELY).applied()
    shop.edit("a.yaml", "c: {title: C}", "c: {title: C, protect: true}").applied()
    shop.write({"a.yaml": "cases: {a: {title: A}}\n"})
    assert actions(shop.plan()) == {"case.b": "delete", "case.c": "delete !protected"}


def test_lifting_it_takes_a_declaration_without_it(guarded: Folder) -> None:
    guarded.write({"a.yaml": GUARDED.replace(", protect: true", "")}).applied()
    guarded.write({"a.yaml": "cases: {k: {title: K}}\n"}).applied()
    assert titles(guarded) == ["K"]


def test_protection_of_an_exported_project(folder: Callable[..., Folder], tmp_path: Path) -> None:
    shop = folder({"a.yaml": SMALL}, policy=FREELY).applied()
    _, copy = shop.export(tmp_path / "copy")
    copy.edit("cases.yaml", "title: C\n", "title: C\n    protect: true\n").applied()
    text = (copy.root / "cases.yaml").read_text(encoding="utf-8")
    copy.write({"cases.yaml": text.partition("  c:")[0]})
    assert actions(copy.plan()) == {"case.c": "delete !protected"}


# -- destroy ----------------------------------------------------------------------------------------------------------------


def test_destroy_spares_what_is_protected_used_or_holds_others(
    folder: Callable[..., Folder], go: Callable[..., Ran]
) -> None:
    guarded = FILES["all.yaml"].replace("b: {title: B,", "b: {title: B, protect: true,")  # type: ignore[arg-type]
    shop = folder({"all.yaml": guarded}).applied()
    shop.app.ui.create("SHOP", "case", title="By hand", milestone_id=shop.id_of("milestone.m"))
    for wrong in ("0", "2", "4", "7"):
        ran = go(shop, "destroy", "--auto-approve", "--allow-deletes", wrong)
        assert ran.code == 4 and "deletes 3 of 7 bound objects (42.9%)" in ran.err, ran.all
        assert f"--allow-deletes says {wrong}" in ran.err and "- case.a 'A'" in ran.err
    ran = go(shop, "destroy", "--auto-approve", "--allow-deletes", "3")
    assert ran.code == 6
    assert sorted(shop.state["bindings"]) == ["case.b", "milestone.m", "shared_step.s", "suite.top"]
    assert titles(shop) == ["B", "By hand"]
    assert go(shop, "destroy", "--auto-approve", "--allow-deletes", "0").code == 4


def test_a_destroy_that_fails_goes_on_with_destroy(folder: Callable[..., Folder], go: Callable[..., Ran]) -> None:
    """`apply` would make everything again."""
    shop = folder({"a.yaml": SMALL}).applied()
    shop.app.faults.add("503", method="DELETE", path=f"/case/SHOP/{shop.id_of('case.b')}$", times=0)
    ran = go(shop, "destroy", "--auto-approve", "--allow-deletes", "3")
    assert ran.code == 6 and "`qase-iac destroy --allow-deletes 1`" in ran.out and "`qase-iac apply" not in ran.out
    shop.app.faults.clear()
    assert go(shop, "destroy", "--auto-approve", "--allow-deletes", "1").code == 0
    assert shop.dump()["cases"] == [] and shop.state["bindings"] == {}


# -- saved plans --------------------------------------------------------------------------------------------------------------


def stale(shop: Folder, change: Callable[[], Any]) -> str:
    plan = shop.plan()
    change()
    before, writes = shop.dump(), len(shop.writes())
    with pytest.raises(StalePlan) as error:
        shop.apply_saved(plan)
    assert (shop.dump(), len(shop.writes())) == (before, writes)
    return f"{error.value.summary}\n{error.value.detail}"


def test_a_saved_plan_names_what_moved(shop: Folder) -> None:
    ids = {address: shop.id_of(address) for address in shop.state["bindings"]}
    shop.edit("all.yaml", "k: {title: K}", "k: {title: K2}")

    def edit() -> None:
        shop.app.ui.edit("SHOP", "case", ids["case.k"], title="UI")
        shop.app.ui.edit("SHOP", "case", ids["case.a"], title="UI too")
        shop.app.ui.edit("SHOP", "case", ids["case.b"], tags=["x"])

    said = stale(shop, edit)
    assert said.startswith("3 objects changed in Qase")
    assert f"- case.k (id {ids['case.k']}) was changed in Qase: title" in said
    assert f"- case.a (id {ids['case.a']}) was changed in Qase: title" in said
    assert f"- case.b (id {ids['case.b']}) was changed in Qase: something that the plan does not show" in said


def test_a_saved_plan_whose_deletes_reach_further_now(shop: Folder) -> None:
    """The objects themselves are as they were; what hangs on them is not."""
    said = stale(shop, lambda: unmanaged_users(shop))
    for address in ("suite.top", "shared_step.s", "milestone.m"):
        assert re.search(rf"'By hand' \(not managed\) hangs? on {re.escape(address)}", said), said
    assert actions(shop.plan())["milestone.m"] == "delete !milestone_in_use"


def test_a_saved_plan_with_any_byte_altered(shop: Folder, cli: Callable[..., Ran], tmp_path: Path) -> None:
    """Every 7th byte; where the file stands and how much was read is not what was approved (cli.md)."""
    write(shop.plan(), tmp_path / "plan.json")
    text = (tmp_path / "plan.json").read_bytes()
    free = [found.span() for found in re.finditer(rb'"reading": \{.*\}|"source": "[^"]*"', text)]
    before, accepted = shop.dump(), []
    from qase_iac.plan.planfile_reader import read

    for at in range(0, len(text), 7):
        if any(start <= at < end for start, end in free):
            continue
        (tmp_path / "bad.json").write_bytes(text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :])
        try:
            read(tmp_path / "bad.json")
        except StalePlan:
            continue
        accepted.append(text[max(0, at - 20) : at + 20])
    assert accepted == []
    for cut in (0, 1, len(text) // 2, len(text) - 3):
        (tmp_path / "bad.json").write_bytes(text[:cut])
        assert cli("-C", shop.root, "apply", tmp_path / "bad.json").code == 5
    assert shop.dump() == before


def test_the_requests_are_the_plan_in_order(shop: Folder) -> None:
    plan = shop.plan()
    before = len(shop.writes())
    report = shop.apply_saved(plan).report
    assert report is not None and (report.requests, report.retries) == (plan.requests, 0)
    places = {"plan": "plan", "case": "case", "suite": "suite", "shared_step": "shared_step", "milestone": "milestone"}
    assert [entry.path.split("/")[-3] for entry in shop.writes()[before:]] == [
        places[change.kind] for change in plan.changes
    ]


@pytest.mark.parametrize("refused", ["no", "yes"])
def test_extra_calls_are_counted_as_retries(
    folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    shop = folder({"a.yaml": SMALL})
    handle, writes = shop.app.handle, []

    def pick(request: Request) -> Answer:
        """One case of the batch is not to Qase's liking, so that the batch is halved until it stands alone."""
        writes.extend([request.path] if request.method != "GET" else [])
        if refused == "yes" and request.method == "POST" and b'"B"' in request.body:
            return json_answer(422, {"status": False, "errorMessage": "Data is invalid."})
        return handle(request)

    monkeypatch.setattr(shop.app, "handle", pick)
    plan = shop.plan()
    report = shop.apply().report
    assert report is not None and report.requests == len(writes) == plan.requests + report.retries
    assert (report.retries > 0) is (refused == "yes")


# -- the report ---------------------------------------------------------------------------------------------------------------


def test_the_report_says_what_is_needed_to_go_on(
    folder: Callable[..., Folder], go: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = folder(FILES)
    handle = shop.app.handle

    def refuse(request: Request) -> Answer:
        if request.method == "POST" and request.path.endswith("/milestone/SHOP"):
            error = {
                "status": False,
                "errorMessage": "Data is invalid.",
                "errorFields": [{"field": "title", "error": "No."}],
            }
            answer = json_answer(422, error)
            answer.headers.append(("X-Request-Id", "req-77"))
            return answer
        return handle(request)

    monkeypatch.setattr(shop.app, "handle", refuse)
    ran = go(shop, "apply", "--auto-approve")
    assert ran.code == 6
    assert "! milestone.m  create (rejected) · HTTP 422 · request req-77 · all.yaml:1" in ran.out
    said = " ".join(ran.out.split())
    assert said.count("Data is invalid. title: No.") == said.count("title: No.") == 2  # itself, and why case.a is not
    assert "It needs case.a, which was not carried out because of milestone.m." in ran.out  # plan.p, in one step
    assert "then continue with `qase-iac apply`" in ran.out
    monkeypatch.undo()
    shop.applied()
    assert actions(shop.plan()) == {}


def test_the_command_that_goes_on_is_for_the_same_project(
    folder: Callable[..., Folder], go: Callable[..., Ran]
) -> None:
    shop = folder({"a.yaml": SMALL}, profiles={"staging": {"project": "STAGING"}})
    shop.app.faults.add("500", method="POST", path="/case/STAGING", times=0)
    ran = go(shop, "--profile", "staging", "apply", "--auto-approve")
    assert ran.code == 6 and "`qase-iac apply --profile staging`" in ran.out


# -- identity ---------------------------------------------------------------------------------------------------------------


SHARED: dict[str, str | bytes] = {
    "a.yaml": """\
milestones: {m: {title: M}}
shared_steps: {s: {title: S, steps: [x]}}
plans: {p: {title: P, cases: [a]}}
suites: {top: {title: Top, cases: {a: {title: A}}}}
"""
}


def somebody_elses(shop: Folder) -> None:
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    case = shop.app.ui.create("SHOP", "case", title="Z")
    shop.app.ui.create("SHOP", "milestone", title="M")
    shop.app.ui.create("SHOP", "shared_step", title="S", steps=[{"action": "x"}])
    shop.app.ui.create("SHOP", "plan", title="P", cases=[case])


def test_a_folder_with_a_scope_takes_nothing_over_by_title(folder: Callable[..., Folder]) -> None:
    """Milestones, shared steps and plans lie in no suite: only those bound here are its own (authoring.md)."""
    shop = folder(SHARED, scope={"suites": ["top/**", "top"]})
    somebody_elses(shop)
    before = {kind: shop.dump()[kind] for kind in ("milestones", "shared_steps", "plans")}
    found = actions(shop.plan(new_state=True))
    assert {address: found[address] for address in ("milestone.m", "shared_step.s", "plan.p")} == dict.fromkeys(
        ("milestone.m", "shared_step.s", "plan.p"), "create !same_title_exists"
    )
    shop.apply(new_state=True)
    assert {kind: shop.dump()[kind] for kind in before} == before
    shop.write({"adopt.yaml": "adopt: {milestone.m: 1}\n"})
    assert actions(shop.plan())["milestone.m"] == "adopt"
    shop.remove("adopt.yaml").write(
        {"qase.yaml": (shop.root / "qase.yaml").read_text() + "policy: {adopt: explicit}\n"}
    )
    assert actions(shop.plan())["milestone.m"] == "create"


def test_without_a_scope_it_does(folder: Callable[..., Folder]) -> None:
    shop = folder(SHARED)
    somebody_elses(shop)
    found = actions(shop.plan(new_state=True))
    assert (found["milestone.m"], found["shared_step.s"]) == ("adopt", "adopt")


def test_what_is_taken_over_and_named_as_somebody_elses(folder: Callable[..., Folder], go: Callable[..., Ran]) -> None:
    shop = folder({"a.yaml": "milestones: {m: {title: M}}\ncases: {a: {title: A, milestone: {external: M}}}\n"})
    shop.app.ui.create("", "project", code="SHOP", title="Shop")
    shop.app.ui.create("SHOP", "milestone", title="M")
    ran = go(shop, "apply", "--auto-approve", "--new-state")
    assert ran.code == 3 and "a.yaml:2:9  error[external-is-managed]  case.a" in ran.err and "key, m" in ran.err
    assert shop.writes() == []


def test_what_is_known_of_others_follows_what_is_made_again(folder: Callable[..., Folder]) -> None:
    """A test plan keeps its drift while a member of it is made again: no conflict is left behind."""
    shop = folder(
        {
            "root.yaml": "plans: {p: {title: P, cases: [a, b, c]}}\n",
            "x/suite.yaml": "title: X\npolicy: {on_drift: revert}\n",
            "x/c.yaml": SMALL,
        },
        policy={"on_drift": "keep", **FREELY},
    ).applied()
    shop.app.ui.delete("SHOP", "case", shop.id_of("case.a"))
    shop.app.ui.edit("SHOP", "plan", shop.id_of("plan.p"), cases=[shop.id_of("case.b")])
    assert actions(shop.plan()) == {"case.a": "create"}
    shop.applied()
    assert shop.state["bindings"]["plan.p"]["sent"]["cases"][0] == shop.id_of("case.a")
    assert actions(shop.plan()) == {}


def test_a_broken_link_to_a_folder_undeclares_nothing(folder: Callable[..., Folder], go: Callable[..., Ran]) -> None:
    shop = folder({"a.yaml": SMALL, ".parts/d.yaml": "cases: {d: {title: D}}\n"}, policy=FREELY)
    (shop.root / "more").symlink_to(".parts")
    shop.applied()
    (shop.root / ".parts").rename(shop.root / ".away")
    before = shop.dump()
    ran = go(shop, "apply", "--auto-approve")
    assert ran.code == 3 and "link-broken" in ran.err and shop.dump() == before
    assert json.loads(go(shop, "validate", "--format", "json").out)["valid"] is False
