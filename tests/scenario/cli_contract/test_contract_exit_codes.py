"""The table of exit codes, in every format; which wins where several hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from contract_shop import FILES, bytes_of, delete_in_qase, edit_in_qase
from e2e_kit import HOLDER, Folder, Ran, clean_env, qase_yaml

from qase_iac.emulator import create_app, start_server

Run = Callable[..., Ran]
FORMATS = ["text", "json", "markdown"]
every_format = pytest.mark.parametrize("form", FORMATS)


def add_a_case(folder: Folder) -> None:
    folder.write({"more.yaml": "cases:\n  extra: {title: Extra}\n"})


# -- 0 and 2


@every_format
def test_0_done_or_nothing_to_do(run: Run, fresh: Folder, form: str) -> None:
    assert run(fresh, "plan", "--format", form).code == 0  # changes, and nobody asked
    assert run(fresh, "apply", "--auto-approve", "--format", form).code == 0
    assert run(fresh, "apply", "--auto-approve", "--format", form).code == 0
    assert run(fresh, "plan", "--format", form, "--detailed-exitcode").code == 0
    assert run(fresh, "validate", "--format", form).code == 0


@every_format
def test_2_only_with_detailed_exitcode_when_changes_is_not_empty(run: Run, shop: Folder, form: str) -> None:
    add_a_case(shop)
    assert run(shop, "plan", "--format", form, "--detailed-exitcode").code == 2
    assert run(shop, "plan", "--format", form).code == 0


def test_2_counts_blocked_changes_too(run: Run, shop: Folder) -> None:
    shop.write({"more.yaml": "plans:\n  none: {title: None, select: {tags: [x]}}\n"})
    ran = run(shop, "plan", "--detailed-exitcode", "--format", "json")
    assert (ran.code, ran.json["summary"]["blocked"], ran.json["summary"]["create"]) == (2, 1, 0)


def test_2_not_for_drift_that_is_kept(run: Run, shop: Folder) -> None:
    edit_in_qase(shop, "case.receipt", title="Slip")
    ran = run(shop, "plan", "--detailed-exitcode", "--on-drift", "keep", "--format", "json")
    assert (ran.code, ran.json["changes"], len(ran.json["drift"])) == (0, [], 1)


def test_2_of_an_apply_that_went_well_and_changed_something(run: Run, shop: Folder) -> None:
    add_a_case(shop)
    assert run(shop, "apply", "--auto-approve", "--detailed-exitcode").code == 2
    assert run(shop, "apply", "--auto-approve", "--detailed-exitcode").code == 0


def test_plan_never_refuses(run: Run, shop: Folder) -> None:
    """Brake, protection, conflict, missing state: plan shows them, apply refuses."""
    shop.remove("rest.yaml").edit("suites.yaml", "      legacy-flow: {title: Legacy flow}\n", "")
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0")
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")
    assert run(shop, "plan").code == 0
    shop.state_path.unlink()
    assert run(shop, "plan").code == 0


# -- 1


@pytest.mark.parametrize(
    "command",
    ["", "plam", "plan --nonsense", "plan --format docx", "plan --report r.sarif", "drift --format sarif", "plan --allow-deletes many", "apply --expect sha256:0",
     "destroy --auto-approve", "convert qase-json", "show", "explain nothing", "export", "--rate-limit -1 plan"],
)  # fmt: skip
def test_1_wrong_usage(run: Run, shop: Folder, command: str) -> None:
    ran = run(shop, *command.split())
    assert ran.code == 1
    assert not shop.app.faults.describe()


@every_format
def test_1_without_a_terminal_and_without_auto_approve(run: Run, shop: Folder, form: str) -> None:
    add_a_case(shop)
    before = len(shop.writes())
    for command in (["apply"], ["destroy", "--allow-deletes", "9"]):
        ran = run(shop, *command, "--format", form)
        assert (ran.code, ran.out) == (1, "")
        assert "--auto-approve" in ran.err
    assert len(shop.writes()) == before


class Terminal:
    """Standard input that is a terminal and says something."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)

    def isatty(self) -> bool:
        return True

    def readline(self, *_: int) -> str:
        return self._answers.pop(0) + "\n" if self._answers else ""


@pytest.mark.parametrize("said", ["no", "", "y", "YES", "n"])
def test_1_the_answer_no(run: Run, shop: Folder, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    add_a_case(shop)
    before = len(shop.writes())
    monkeypatch.setattr(sys, "stdin", Terminal(said))
    ran = run(shop, "apply")
    assert ran.code == 1
    assert "Nothing was applied." in ran.err
    assert len(shop.writes()) == before


def test_the_answer_yes(run: Run, shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    add_a_case(shop)
    monkeypatch.setattr(sys, "stdin", Terminal("yes"))
    ran = run(shop, "apply")
    assert ran.code == 0
    assert "case.extra" in ran.out and "Apply this?" in ran.err and "Apply this?" not in ran.out


def test_no_question_when_there_is_nothing_to_do(run: Run, shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    ran = run(shop, "apply")
    assert ran.code == 0
    assert "Apply this?" not in ran.err


# -- 3


@every_format
@pytest.mark.parametrize("command", ["validate", "plan", "apply --auto-approve"])
def test_3_the_configuration_is_invalid(run: Run, shop: Folder, form: str, command: str) -> None:
    shop.write({"broken.yaml": "cases:\n  x: {title: X, severty: major}\n"})
    requests = len(shop.app.requests)
    ran = run(shop, *command.split(), "--format", form)
    assert ran.code == 3
    assert "severty" in ran.all
    assert len(shop.app.requests) == requests


def test_3_an_empty_content_folder(run: Run, shop: Folder) -> None:
    shop.remove("suites.yaml", "rest.yaml")
    for command in ("validate", "plan", "apply --auto-approve --allow-deletes 9"):
        assert run(shop, *command.split()).code == 3
    assert shop.app.dump("SHOP")["cases"]


def test_3_no_project_folder_at_all(cli: Run, tmp_path: Path) -> None:
    assert cli("-C", tmp_path, "plan").code == 3
    assert cli("-C", tmp_path / "nowhere", "validate").code == 3


# -- 4


@every_format
def test_4_the_brake(run: Run, shop: Folder, form: str) -> None:
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0").edit(
        "suites.yaml", "      receipt: {title: Receipt}\n", ""
    )
    shop.edit("rest.yaml", "[receipt, legacy-flow]", "[legacy-flow]")
    before = len(shop.writes())
    ran = run(shop, "apply", "--auto-approve", "--format", form)
    assert ran.code == 4
    assert "--allow-deletes 1" in ran.err and "case.receipt" in ran.err
    assert len(shop.writes()) == before


@every_format
def test_4_no_state(run: Run, shop: Folder, form: str) -> None:
    shop.state_path.unlink()
    assert run(shop, "apply", "--auto-approve", "--format", form).code == 4


@every_format
def test_4_the_state_of_another_project(run: Run, shop: Folder, form: str) -> None:
    path = shop.state_path
    path.rename(path.with_name("OTHER@emulator.json"))
    shop.edit("qase.yaml", "project: SHOP", "project: OTHER")
    before = len(shop.app.requests)
    for command in ("plan", "apply --auto-approve"):
        assert run(shop, *command.split(), "--format", form).code == 4
    assert len(shop.app.requests) == before


def test_4_all_that_is_left_is_blocked(run: Run, shop: Folder) -> None:
    """A conflict alone: nothing can be done, which is a refusal, not a part."""
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert (ran.code, ran.json["blocked"], ran.json["requests"]) == (4, 1, 0)


def test_4_a_token_for_a_host_that_only_a_file_names(
    run: Run, folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = folder({**FILES, "qase.yaml": qase_yaml(api={"url": "https://qase.example.com/v1"})})
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "x")
    assert run(shop, "plan").code == 4


# -- 5


@pytest.fixture
def saved(run: Run, shop: Folder) -> Path:
    add_a_case(shop)
    path = shop.root / "p.json"
    assert run(shop, "plan", "-o", path).code == 0
    return path


@every_format
def test_5_the_plan_is_used(run: Run, shop: Folder, saved: Path, form: str) -> None:
    assert run(shop, "apply", saved, "--format", form).code == 0
    again = run(shop, "apply", saved, "--format", form)
    assert again.code == 5 and "before" in again.err


def test_5_the_plan_is_stale_because_the_files_changed(run: Run, shop: Folder, saved: Path) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    assert run(shop, "apply", saved).code == 5


def test_5_the_plan_is_stale_because_another_run_wrote_the_state(run: Run, shop: Folder, saved: Path) -> None:
    assert run(shop, "apply", "--auto-approve").code == 0
    assert run(shop, "apply", saved).code == 5


def test_5_the_plan_is_stale_because_qase_changed(run: Run, shop: Folder) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    assert run(shop, "plan", "-o", shop.root / "p.json").code == 0
    edit_in_qase(shop, "case.receipt", description="Mine")
    ran = run(shop, "apply", shop.root / "p.json")
    assert ran.code == 5 and "case.receipt" in ran.err


@pytest.mark.parametrize(
    "damage",
    [lambda d: d["summary"].update(create=2), lambda d: d.update(extra=1), lambda d: d["changes"][0].update(id=7),
     lambda d: d.update(format=2), lambda d: d.pop("drift"), lambda d: d.update(digest="sha256:0")],
)  # fmt: skip
def test_5_the_plan_is_altered(run: Run, shop: Folder, saved: Path, damage: Callable[[dict], object]) -> None:
    data = json.loads(saved.read_text())
    damage(data)
    saved.write_text(json.dumps(data))
    before = len(shop.writes())
    assert run(shop, "apply", saved).code == 5
    assert run(shop, "show", saved).code == 5
    assert len(shop.writes()) == before


def test_5_not_for_another_order_of_keys_or_another_source(run: Run, shop: Folder, saved: Path) -> None:
    """`digest` ignores `source`."""
    data = json.loads(saved.read_text())
    data["changes"][0]["source"] = "elsewhere.yaml:99"
    saved.write_text(json.dumps(dict(sorted(data.items()))))
    assert run(shop, "apply", saved).code == 0


def test_5_not_the_plan_that_was_expected(run: Run, shop: Folder, saved: Path) -> None:
    digest = json.loads(saved.read_text())["digest"]
    assert run(shop, "apply", saved, "--expect", "sha256:" + "0" * 64).code == 5
    assert run(shop, "apply", saved, "--expect", digest).code == 0


def test_5_no_plan_file(run: Run, shop: Folder) -> None:
    (shop.root / "p.json").write_text("hello")
    assert run(shop, "apply", "p.json").code == 5
    assert run(shop, "show", "p.json").code == 5


# -- 6


@every_format
def test_6_apply_finished_in_part(run: Run, shop: Folder, form: str) -> None:
    shop.write({"more.yaml": "cases:\n  extra: {title: Extra}\nsuites:\n  new: {title: New}\n"})
    shop.app.faults.add("500", method="POST", path="/case", times=0)
    ran = run(shop, "apply", "--auto-approve", "--format", form)
    assert ran.code == 6
    assert "case.extra" in ran.out, "the report says which"
    if form == "text":
        assert "Continue with `qase-iac apply`" in ran.out


def test_6_some_were_blocked(run: Run, shop: Folder) -> None:
    add_a_case(shop)
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")
    ran = run(shop, "apply", "--auto-approve", "--format", "json")
    assert (ran.code, ran.json["applied"], ran.json["blocked"]) == (6, 1, 1)


# -- 7


@every_format
def test_7_the_state_is_locked(run: Run, shop: Folder, form: str) -> None:
    with shop.session().store.lock(HOLDER):
        for command in ("apply --auto-approve", "destroy --auto-approve --allow-deletes 9"):
            assert run(shop, *command.split(), "--format", form).code == 7
        assert run(shop, "state", "rm", "case.receipt").code == 7
        assert run(shop, "state", "mv", "case.receipt", "case.slip").code == 7
        assert run(shop, "plan", "--format", form).code == 0, "plan writes nothing and needs no lock"


# -- 8


def test_8_there_is_no_token(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder({**FILES, "qase.yaml": qase_yaml(api={"url": "https://api.qase.io/v1"})})
    ran = run(shop, "plan")
    assert ran.code == 8 and "QASE_TESTOPS_API_TOKEN" in ran.err


@every_format
def test_8_the_token_is_refused(run: Run, fresh: Folder, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "wrong")
    with start_server(create_app(token="right")) as server:
        for command in ("plan", "apply --auto-approve"):
            ran = run(fresh, *command.split(), "--api", server.url, "--format", form)
            assert ran.code == 8
            assert "wrong" not in ran.all.replace("What is wrong", "")


def test_8_the_role_is_refused(run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader may plan; what apply writes is refused, and nothing more is sent."""
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "eyes")
    with start_server(create_app(tokens={"eyes": "reader"})) as server:
        assert run(fresh, "plan", "--api", server.url).code == 0
        ran = run(fresh, "apply", "--auto-approve", "--api", server.url, "--format", "json")
    assert ran.code == 8
    assert ran.json["failed"] == 1 and ran.json["blocked"] == 9


# -- 9


@every_format
def test_9_the_api_could_not_be_read(run: Run, shop: Folder, form: str) -> None:
    add_a_case(shop)
    before, files = len(shop.writes()), bytes_of(shop.root)
    shop.app.faults.add("html", path="^/case", times=0)
    for command in ("plan", "apply --auto-approve"):
        ran = run(shop, *command.split(), "--format", form)
        assert (ran.code, ran.out) == (9, "")
    assert len(shop.writes()) == before
    assert bytes_of(shop.root) == files, "nothing was planned or written"


def test_9_404_on_the_project_without_create(run: Run, folder: Callable[..., Folder]) -> None:
    shop = folder(FILES, create=False)
    assert run(shop, "plan").code == 9
    assert run(shop, "apply", "--auto-approve").code == 9


def test_9_404_on_the_project_although_a_state_knows_it(run: Run, shop: Folder) -> None:
    shop.app.ui.delete("", "project", "SHOP")
    assert run(shop, "plan").code == 9
    assert run(shop, "apply", "--auto-approve").code == 9


def test_9_nobody_answers(run: Run, fresh: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", "x")
    monkeypatch.setattr("qase_iac.api.transports.SystemClock.sleep", lambda self, seconds: None)
    monkeypatch.setattr("qase_iac.api.transports.rest", lambda *_: None)
    assert run(fresh, "plan", "--api", "http://127.0.0.1:9/v1").code == 9


# -- 130


def test_130_interrupted_in_flight_calls_are_finished_and_recorded(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    cases = "".join(f"  c{n}: {{title: C{n}}}\n" for n in range(30))
    (shop / "cases.yaml").write_text(f"cases:\n{cases}")
    app = create_app(seed={"projects": [{"code": "SHOP", "title": "Shop"}]})
    app.faults.add("slow-after", method="POST", times=0, seconds=0.3)
    with start_server(app) as server:
        (shop / "qase.yaml").write_text(qase_yaml(api={"url": server.url, "bulk_size": 1}))
        command = [sys.executable, "-m", "qase_iac", "apply", "--auto-approve", "--format", "json"]
        env = clean_env({"QASE_TESTOPS_API_TOKEN": "x"})
        child = subprocess.Popen(command, cwd=shop, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not any(entry.method == "POST" for entry in app.requests) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130, err
    report = json.loads(out)
    made = len(app.dump("SHOP")["cases"])
    assert 1 <= made < 30
    assert report["applied"] == made
    (state,) = (shop / ".qase-iac").glob("SHOP@*.json")
    assert len(json.loads(state.read_text())["bindings"]) == made


# -- where several hold: 3, 5, 7, 8, 9, 4, 6


def test_3_comes_before_5_7_8_and_9(run: Run, shop: Folder, saved: Path) -> None:
    shop.write({"broken.yaml": "cases: [\n"})
    shop.app.faults.add("html", times=0)
    assert run(shop, "apply", saved).code == 3
    assert run(shop, "apply", "--auto-approve", "--api", "https://api.qase.io/v1").code == 3
    with shop.session().store.lock(HOLDER):
        assert run(shop, "apply", "--auto-approve").code == 3
        assert run(shop, "apply", saved).code == 3
        assert run(shop, "destroy", "--auto-approve", "--allow-deletes", "1").code == 3


def test_3_comes_before_5_of_a_plan_that_is_none(run: Run, shop: Folder, saved: Path) -> None:
    shop.write({"broken.yaml": "cases: [\n"})
    assert run(shop, "apply", saved, "--expect", "sha256:0").code == 3
    saved.write_text("hello")
    assert run(shop, "apply", saved).code == 3


def test_5_comes_before_7_and_9(run: Run, shop: Folder, saved: Path) -> None:
    shop.edit("suites.yaml", "title: Receipt", "title: Receipts")
    shop.app.faults.add("html", times=0)
    assert run(shop, "apply", saved).code == 5
    with shop.session().store.lock(HOLDER):
        assert run(shop, "apply", saved).code == 5


def test_7_comes_before_8_9_and_4(run: Run, shop: Folder) -> None:
    add_a_case(shop)
    shop.app.faults.add("html", times=0)
    with shop.session().store.lock(HOLDER):
        assert run(shop, "apply", "--auto-approve").code == 7
    shop.app.faults.clear()
    shop.state_path.unlink()
    with shop.session().store.lock(HOLDER):
        assert run(shop, "apply", "--auto-approve").code == 7


def test_9_comes_before_4(run: Run, shop: Folder) -> None:
    shop.state_path.unlink()
    shop.app.faults.add("html", times=0)
    assert run(shop, "apply", "--auto-approve").code == 9


def test_4_comes_before_6(run: Run, shop: Folder) -> None:
    """The brake refuses the whole of a plan of which a part is blocked anyway."""
    edit_in_qase(shop, "case.receipt", title="Theirs")
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0")
    delete_in_qase(shop, "case.card-declined")
    assert run(shop, "apply", "--auto-approve").code == 4


def test_output_is_flushed_before_the_code_is_set(tmp_path: Path) -> None:
    """Through a pipe, in a real process: the whole report arrives with code 6, the whole plan with code 2."""
    shop = Folder(tmp_path / "shop", create_app())
    shop.root.mkdir()
    cases = "".join(f"  c{n}: {{title: C{n}}}\n" for n in range(300))
    shop.write({"cases.yaml": f"cases:\n{cases}"})
    shop.app.faults.add("429", method="POST", path="/case", times=0, retry_after=0)
    with start_server(shop.app) as server:
        shop.write({"qase.yaml": qase_yaml(api={"url": server.url})})
        for command, code in (("plan --detailed-exitcode", 2), ("apply --auto-approve", 6)):
            words = [sys.executable, "-m", "qase_iac", *command.split(), "--format", "json"]
            env = clean_env({"QASE_TESTOPS_API_TOKEN": "x"})
            done = subprocess.run(words, cwd=shop.root, env=env, capture_output=True, text=True, timeout=60)
            assert done.returncode == code, done.stderr
            assert len(json.loads(done.stdout)["changes" if code == 2 else "operations"]) == 301


def test_a_saved_plan_with_words_that_only_the_workspace_knows_is_valid(
    run: Run, folder: Callable[..., Folder]
) -> None:
    """No catalogue.yaml: the live option lists decided at the plan, and decide again."""
    seed = {
        "system_fields": {
            "severity": [{"id": 1, "slug": "grave", "title": "Grave"}, {"id": 2, "slug": "light", "title": "Light"}]
        }
    }
    shop = folder({"cases.yaml": "cases:\n  a: {title: A, severity: grave}\n"})
    shop.app.close()
    shop.app = create_app(seed=seed)
    from qase_iac.workflow.session import Session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "_own_emulator", lambda self: shop.app)
        assert run(shop, "plan", "-o", "p.json").code == 0
        assert run(shop, "apply", "p.json").code == 0
