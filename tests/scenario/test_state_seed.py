"""An emulator filled from a state: a plan against it is the plan against the project that the state is of."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rich_project
from e2e_kit import REPO, Folder, Ran, qase_yaml, run_cli, sections

from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.convert.state_seed import seed_from_state
from qase_iac.emulator import create_app, load_seed, start_server
from qase_iac.errors import StateError
from qase_iac.model import Catalogue
from qase_iac.plan.model import Plan
from qase_iac.plan.planfile import to_json

MEMORY = "emulator::memory:"


def seeded(folder: Folder) -> Folder:
    """The folder over a fresh emulator that holds what its state remembers."""
    seed = seed_from_state(folder.state_path.read_bytes(), "state.json", read_catalogue(folder.root)[0])
    return Folder(folder.root, create_app(seed=seed, strict=True))


def changes(plan: Plan) -> list[Any]:
    """Everything of the changes but the digests of whole objects: those cover what no state remembers."""
    rows: list[Any] = to_json(plan)["changes"]
    return [{name: value for name, value in row.items() if name != "precondition"} for row in rows]


@pytest.fixture
def rich(folder: Callable[..., Folder]) -> Iterator[Folder]:
    app = create_app(seed=rich_project.SEED)
    yield Folder(folder(rich_project.FILES).root, app).applied()
    app.close()


# --- the same plan


def test_the_plan_is_empty_where_nothing_changed(rich: Folder) -> None:
    plan = seeded(rich).plan()
    assert (changes(plan), plan.findings, plan.drift) == ([], (), ())
    assert plan.summary.no_op == len(rich.state["bindings"]) and plan.summary.unmanaged == 0


def test_every_object_is_there_as_it_was(rich: Folder) -> None:
    """The projects are equal but for what the state does not hold: bytes, and what the files leave out."""
    there, here = seeded(rich).dump(), rich.dump()
    for kind in ("milestones", "shared_steps", "suites", "plans"):
        assert there[kind] == here[kind], kind
    left_out = {"Full unless said otherwise": "full"}
    for mine, theirs in zip(there["cases"], here["cases"], strict=True):
        theirs["custom_fields"] = {k: v for k, v in theirs["custom_fields"].items() if left_out.get(k) != v}
        assert {k: v for k, v in mine.items() if k not in ("custom_fields", "parameters")} == {
            k: v for k, v in theirs.items() if k not in ("custom_fields", "parameters")
        }
        assert mine["custom_fields"].keys() == theirs["custom_fields"].keys()
    assert {row["id"] for row in seeded(rich).app.dump("SHOP")["cases"]} == {
        row["id"] for row in rich.app.dump("SHOP")["cases"]
    }


EDITS: dict[str, tuple[str, str, str]] = {
    "enum": ("checkout/cases.yaml", "severity: critical", "severity: minor"),
    "own word": ("checkout/cases.yaml", "layer: contract", "layer: e2e"),
    "text": ("milestones.yaml", "First public release", "Second public release"),
    "date": ("milestones.yaml", "2026-12-01", "2026-12-24"),
    "tags": ("checkout/cases.yaml", "tags: [smoke, payments]", "tags: [smoke]"),
    "step": ("checkout/cases.yaml", "The number is accepted", "The number is refused"),
    "shared step": ("steps.yaml", "Open /login", "Open /sign-in"),
    "one reference fewer": ("checkout/cases.yaml", "      - shared: look\n      - shared: look\n", "      - shared: look\n"),
    "number": ("checkout/cases.yaml", "Estimate: 12.5", "Estimate: 13"),
    "option": ("checkout/cases.yaml", 'Component: "Search, and more"', "Component: cart"),
    "other option": ("checkout/cases.yaml", "Risk: High", "Risk: low"),
    "options": ("checkout/cases.yaml", "Platforms: [iOS, Web]", "Platforms: [Android]"),
    "checkbox": ("checkout/cases.yaml", "Reviewed: true", "Reviewed: false"),
    "member": ("checkout/cases.yaml", "Owner: ann@shop.example", "Owner: b@shop.example"),
    "day": ("checkout/cases.yaml", "Last audit: 2026-10-01", "Last audit: 2026-10-01T00:00:00Z"),
    "another day": ("checkout/cases.yaml", "Last audit: 2026-10-01", "Last audit: 2026-10-02"),
    "cleared": ("checkout/cases.yaml", "      Risk: High\n", "      Risk: null\n"),
    "parameter": ("checkout/cases.yaml", "{user: [ann, bob]", "{user: [ann, cid]"),
    "no shared parameter": ("checkout/cases.yaml", "      - {shared: Browsers}\n", ""),
    "attachment gone": ("checkout/cases.yaml", ", ../img/logo.png]", "]"),
    "attachment changed": ("img/card.png", "card", "another card"),
    "gherkin": ("checkout/cases.yaml", "Given a paid order", "Given an order"),
    "moved": ("root.yaml", "suite: checkout/vouchers", "suite: people"),
    "suite moved": ("checkout/cases.yaml", "title: Gift cards", "title: Gifts"),
    "case gone": ("checkout/cases.yaml", "  bare:\n    title: Bare\n", ""),
    "case renamed": ("checkout/cases.yaml", "  bare:\n", "  bald:\n"),
    "new case": ("root.yaml", "cases:\n", "cases:\n  fresh: {title: Fresh, custom_fields: {Risk: High}}\n"),
    "member of a plan": ("plans.yaml", "cases: [expired, home-page]", "cases: [home-page]"),
    "protection": ("checkout/cases.yaml", "protect: true", "protect: false"),
    "untouched": ("checkout/cases.yaml", "automation: automated\n    custom", "automation: manual\n    custom"),
    "default": ("qase.yaml", "priority: medium", "priority: low"),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_gives_the_same_changes(rich: Folder, edit: str) -> None:
    name, old, new = EDITS[edit]
    content = (rich.root / name).read_bytes()
    assert content.count(old.encode()) == 1
    (rich.root / name).write_bytes(content.replace(old.encode(), new.encode()))
    plan, real = seeded(rich).plan(), rich.plan()
    assert changes(plan) == changes(real)
    assert (plan.findings, plan.summary.blocked, plan.requests) == (real.findings, real.summary.blocked, real.requests)
    assert bool(real.changes) is (edit not in ("day", "untouched", "protection"))


def test_many_edits_at_once_give_the_same_changes(rich: Folder) -> None:
    for name, old, new in EDITS.values():
        content = (rich.root / name).read_bytes()
        (rich.root / name).write_bytes(content.replace(old.encode(), new.encode()))
    assert changes(seeded(rich).plan()) == changes(rich.plan()) != []


def test_a_value_that_qase_serves_otherwise_is_no_drift(folder: Callable[..., Folder]) -> None:
    app = create_app(switches={"text_html": "escape"})
    made = Folder(folder({"a.yaml": sections(cases={"a": {"title": "A", "description": "1 < 2"}})}).root, app).applied()
    assert made.state["bindings"]["case.a"]["served"]
    assert changes(seeded(made).plan()) == []


def test_what_others_own_is_there_as_far_as_the_files_refer_to_it(folder: Callable[..., Folder]) -> None:
    app = create_app(seed={"projects": [{"code": "SHOP", "title": "Shop"}]})
    old = app.ui.create(project="SHOP", kind="suite", title="Old")
    inner = app.ui.create(project="SHOP", kind="suite", title="Inner", parent_id=old)
    theirs = app.ui.create(project="SHOP", kind="case", title="Theirs", suite_id=inner)
    cases = {
        "a": {"title": "A", "suite": {"external": "Old / Inner"}},
        "b": {"title": "B", "suite": {"external_id": inner}},
    }
    plans = {"p": {"title": "P", "cases": ["a", {"external_id": theirs}]}}
    made = Folder(folder({"a.yaml": sections(cases=cases, plans=plans)}).root, app).applied(new_state=True)
    copy = seeded(made)
    assert changes(copy.plan()) == []
    assert {row["path"][-1] for row in copy.dump()["suites"]} == {"Old", "Inner"}
    made.edit("a.yaml", "title: B", "title: C")
    assert changes(copy.plan()) == changes(made.plan()) != []


def test_a_state_of_before_knows_no_workspace(rich: Folder) -> None:
    """Types are taken from the values then, and from catalogue.yaml; titles of shared parameters stand nowhere."""
    state = rich.state
    del state["workspace"]
    rich.state_path.write_text(json.dumps(state), encoding="utf-8")
    rich.edit("checkout/cases.yaml", "      - {shared: Browsers}\n", "")
    (change,) = seeded(rich).plan().changes
    assert (change.address, list(change.attributes)) == ("case.pay-by-card", ["parameters"])
    words = {"options": {"layer": [{"word": "unknown", "default": True}, {"word": "e2e"}, {"word": "fuzz"}]}}
    fields = [{"title": "Risk", "type": "radio", "options": ["Low", "High"]}]
    (rich.root / "catalogue.yaml").write_text(sections(**words, custom_fields=fields), encoding="utf-8")
    rich.edit("checkout/cases.yaml", "layer: contract", "layer: fuzz").edit("checkout/cases.yaml", "High", "low")
    (change,) = seeded(rich).plan().changes
    assert {name: each.after for name, each in change.attributes.items() if name != "parameters"} == {
        "layer": "fuzz", "custom_fields.Risk": "Low"
    }  # fmt: skip


# --- whole projects


def copy_of(name: str, tmp_path: Path, seed: str = "emulator-seed.yaml") -> Folder:
    root = Path(shutil.copytree(REPO / "examples" / name, tmp_path / name, ignore=shutil.ignore_patterns(".qase-iac")))
    return Folder(root, create_app(seed=load_seed(root / seed)))


def test_the_web_shop(tmp_path: Path) -> None:
    shop = copy_of("web-shop", tmp_path).applied()
    copy = seeded(shop)
    assert changes(copy.plan()) == []
    for path in sorted(shop.root.rglob("*.yaml")):
        if path.name not in ("qase.yaml", "emulator-seed.yaml"):
            text = path.read_text(encoding="utf-8")
            path.write_text(re.sub(r"(title: [A-Z]\w+)", r"\1 anew", text, count=3), encoding="utf-8")
    assert changes(copy.plan()) == changes(shop.plan())
    assert len(shop.plan().changes) > 10


# --- from the command line


@pytest.fixture
def shop(tmp_path: Path, cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Iterator[Folder]:
    """A project at a real server, its state, and a folder with one line changed; nothing is left of the server."""
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "any")
    monkeypatch.delenv("QASE_IAC_API_URL", raising=False)
    root, app = tmp_path / "fork", create_app()
    with start_server(app) as server:
        made = Folder(root, app).write(
            {
                "qase.yaml": qase_yaml(api={"url": server.url}),
                "a.yaml": sections(suites={"s": {"title": "S", "cases": {"a": {"title": "A"}}}}),
            }
        )
        assert run_cli("-C", root, "apply", "--auto-approve").code == 0
        pulled = run_cli("-C", root, "state", "pull")
        (root / "state.json").write_text(pulled.out, encoding="utf-8")
        yield made.edit("a.yaml", "title: A", "title: B")


def planned(folder: Folder, *more: str) -> Any:
    ran = run_cli("-C", folder.root, *more, "--format", "json")
    assert ran.code == 0, ran.err
    plan = ran.json
    for change in plan["changes"]:
        change.pop("precondition", None)
    return plan


def test_a_fork_plans_without_a_token(shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = planned(shop, "plan")
    monkeypatch.delenv("QASE_TESTOPS_API_TOKEN")
    before = len(shop.app.requests)
    plan = planned(shop, "--api", MEMORY, "plan", "--state", "state.json")
    assert plan["changes"] == real["changes"] and [c["address"] for c in real["changes"]] == ["case.a"]
    assert (plan["lineage"], plan["serial"], plan["api"]) == (real["lineage"], real["serial"], MEMORY)
    assert len(shop.app.requests) == before, "the project itself was asked"


def test_a_fork_plans_against_a_server_that_holds_the_state(shop: Folder) -> None:
    real = planned(shop, "plan")
    app = create_app(seed=seed_from_state((shop.root / "state.json").read_bytes(), "state.json", Catalogue(live=False)))
    with start_server(app) as server:
        plan = planned(shop, "--api", server.url, "plan", "--state", "state.json")
        assert plan["changes"] == real["changes"]
        without = planned(shop, "--api", server.url, "plan")
        assert (without["lineage"], [change["action"] for change in without["changes"]]) == ("", ["adopt", "create"])


def test_the_emulator_takes_a_state_where_it_takes_a_seed(shop: Folder) -> None:
    profile = {"fork": {"api": {"url": MEMORY, "seed": "state.json"}}}
    settings = (shop.root / "qase.yaml").read_text(encoding="utf-8")
    (shop.root / "qase.yaml").write_text(settings + sections(profiles=profile), encoding="utf-8")
    plan = planned(shop, "--profile", "fork", "plan", "--state", "state.json")
    assert [change["address"] for change in plan["changes"]] == ["case.a"]


def test_a_plan_from_a_file_goes_to_this_machine_only(shop: Folder) -> None:
    ran = run_cli("-C", shop.root, "--api", "https://api.qase.io/v1", "plan", "--state", "state.json")
    assert ran.code == 4 and "The state belongs to http://127.0.0.1" in ran.err


def test_a_plan_from_a_file_is_no_plan_to_apply(shop: Folder) -> None:
    assert (
        run_cli("-C", shop.root, "--api", MEMORY, "plan", "--state", "state.json", "-o", shop.root / "p.json").code == 0
    )
    ran = run_cli("-C", shop.root, "apply", shop.root / "p.json")
    assert ran.code == 5 and f"at {MEMORY}" in ran.err
    assert run_cli("-C", shop.root, "apply", "--state", "state.json").code == 1


def test_the_state_of_another_project_is_refused(shop: Folder) -> None:
    shop.edit("qase.yaml", "project: SHOP", "project: OTHER")
    ran = run_cli("-C", shop.root, "--api", MEMORY, "plan", "--state", "state.json")
    assert ran.code == 4 and "The state belongs to project SHOP, not to OTHER." in ran.err


def test_the_document_as_a_backend_keeps_it_does_as_well(rich: Folder) -> None:
    state = rich.state_path.read_bytes()
    document = b'{"document": 1, "serial": 3, "lineage": "x", "moved_to": "", "run": null, "state": ' + state + b"}"
    assert seed_from_state(document, "d", Catalogue(live=False)) == seed_from_state(state, "s", Catalogue(live=False))


# --- files that are no states of ours


def broken(rich: Folder, change: Callable[[dict[str, Any]], object]) -> str:
    """What is said of a state with a change."""
    state = rich.state
    change(state)
    with pytest.raises((StateError, ValueError)) as caught:
        create_app(seed=seed_from_state(json.dumps(state).encode(), "state.json", Catalogue(live=False)))
    error = caught.value
    return f"{error.summary} {error.detail}" if isinstance(error, StateError) else str(error)


def sent(address: str, **values: Any) -> Callable[[dict[str, Any]], object]:
    return lambda state: state["bindings"][address]["sent"].update(values)


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an id beyond all": (lambda s: s["bindings"]["case.bare"].update(id=2**63), "case.bare: no id is as high as 9223372036854775808"),
    "a huge option": (lambda s: s["workspace"]["custom_fields"][0].update(id=2**70), "its `workspace` is not one of"),
    "a field of no type": (lambda s: s["workspace"]["custom_fields"][0].update(type="x"), "no type of a custom field"),
    "a list for a workspace": (lambda s: s["workspace"].update(options=[1]), "its `workspace` is not one of ours"),
    "others of no kind": (lambda s: s["workspace"].update(others=[{"kind": "x", "id": 1, "title": "T", "parent": None}]),
                          "names no object"),
    "a ring": (lambda s: (sent("suite.checkout", parent=s["bindings"]["suite.checkout/vouchers"]["id"])(s)),
               "lie in each other, in a ring"),
    "a hash that is a path": (sent("case.bare", attachments=["../../etc/passwd"]), "is no hash of an attachment"),
    "half a character": (sent("case.bare", title="\ud800"), "a lone surrogate"),
    "a title of lines": (sent("case.bare", title="x" * 300), "may not be greater than 255"),
    "a project with a path": (lambda s: s.update(project="../X"), "a code is 2 to 10 letters or digits"),
    "a control code": (lambda s: s.update(project="S\x1b[2J"), "a code is 2 to 10 letters or digits"),
    "a milestone of words": (sent("milestone.release-1", status="burning"), "The selected status is invalid."),
    "a date of words": (sent("milestone.release-1", due_date="soon"), "milestone.release-1"),
    "an unknown kind": (lambda s: s["bindings"].update({"run.a": {"id": 1, "sent": {}}}), "no such kind of object"),
    "no step": (sent("shared_step.look", steps=[{}]), "Action field is required"),
    "no bindings": (lambda s: s.pop("bindings"), "holds no state that this version can read"),
    "a later format": (lambda s: s.update(format=2), "made by another version"),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_state_is_refused(rich: Folder, forged: str) -> None:
    change, said = FORGED[forged]
    assert said in broken(rich, change)


ODD: list[Any] = [None, True, -1, 2**63, 1.5, "", "x", "\ud800", "../..", [], {}, [1], [None], {"a": 1}, [[]],
                  [{}], [{"shared": None}], [{"action": 1}], "2026-13-45", {"known_after_apply": "suite.checkout"}]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(value[key], (*path, key))


def test_whatever_stands_in_a_state_is_taken_or_refused(rich: Folder) -> None:
    """Nothing but a refusal is ever raised."""
    whole, chance = rich.state, random.Random(7)
    everywhere, taken = list(places(whole)), 0
    for _ in range(150):
        state, path = copy.deepcopy(whole), chance.choice(everywhere)
        inner = state
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = chance.choice(ODD)
        try:
            create_app(seed=seed_from_state(json.dumps(state).encode(), "s", Catalogue(live=False))).close()
            taken += 1
        except (StateError, ValueError):
            pass
    assert 10 < taken < 140


@pytest.mark.parametrize("content", [b'{"lineage": ', b'{"lineage": "x"}', b'{"lineage": []}', b'{"lineage": "x", "document": 1}',
                                     b'{"lineage": ' + b"[" * 100_000, b'{"lineage": "\xff"}'])  # fmt: skip
def test_what_is_no_state_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.json").write_bytes(content)
    ran = run_cli("-C", tmp_path, "emulator", "--port", "0", "--seed", "state.json")
    assert ran.code == 1 and "holds no state that this version can read" in ran.err and "Traceback" not in ran.err
