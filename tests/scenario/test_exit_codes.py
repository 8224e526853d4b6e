"""Every exit code that a command can give, in every format: the same code, an answer that can be read, a message.

What leads to which code is proved in cli_contract/test_contract_exit_codes.py; here the matrix is filled. A row is a
command, a code, and what has to be the case; `answers` says that the run ends with an answer (on stdout, and in the
report) and not with a message alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest
from cli_contract.contract_shop import FILES, delete_in_qase, edit_in_qase
from e2e_kit import HOLDER, Folder, Ran

from qase_iac.cli.main import COMMANDS
from qase_iac.workflow.session import Session

FORMATS = ("text", "json", "markdown")
Arrange = Callable[[Folder], Any]
PLAN, DRIFT, APPLY, SAVED, SHOW = "plan", "drift", "apply --auto-approve", "apply p.json", "show p.json"
VALIDATE, ONLINE, DESTROY, EXPORT = (
    "validate",
    "validate --online",
    "destroy --auto-approve --allow-deletes 9",
    "export out",
)
INVALID = "cases:\n  x: {title: X, severty: major}\n"


# -- what has to be the case: each gets the applied shop, and may give a context to run the command in


def nothing(shop: Folder) -> None:
    """Nothing to do."""


def a_change(shop: Folder) -> None:
    shop.write({"more.yaml": "cases:\n  extra: {title: Extra}\n"})


def drifted(shop: Folder) -> None:
    edit_in_qase(shop, "case.receipt", title="Slip")


def saved(shop: Folder) -> None:
    a_change(shop)
    assert shop.cli("plan", "-o", "p.json").code == 0  # type: ignore[attr-defined]


def invalid(shop: Folder) -> None:
    shop.write({"broken.yaml": INVALID})


def invalid_settings(shop: Folder) -> None:
    shop.write({"qase.yaml": "project: SHOP\nnonsense: 1\n"})


def saved_and_invalid(shop: Folder) -> None:
    saved(shop)
    invalid(shop)


def brake(shop: Folder) -> None:
    shop.edit("qase.yaml", "max_delete_share: 1.0", "max_deletes: 0").remove("rest.yaml")


def saved_brake(shop: Folder) -> None:
    brake(shop)
    assert shop.cli("plan", "-o", "p.json").code == 0  # type: ignore[attr-defined]


def foreign_state(shop: Folder) -> None:
    path = shop.state_path
    path.rename(path.with_name("OTHER@emulator.json"))
    shop.edit("qase.yaml", "project: SHOP", "project: OTHER")


def only_blocked(shop: Folder) -> None:
    """A conflict, and nothing else."""
    drifted(shop)
    shop.edit("suites.yaml", "title: Receipt", "title: Ours")


def wrong_number(shop: Folder) -> None:
    delete_in_qase(shop, "plan.smoke")


def used(shop: Folder) -> None:
    saved(shop)
    assert shop.cli("apply", "p.json").code == 0  # type: ignore[attr-defined]


def no_plan_file(shop: Folder) -> None:
    shop.write({"p.json": "hello"})


def creates_fail(shop: Folder) -> None:
    a_change(shop)
    shop.app.faults.add("500", method="POST", path="/case", times=0)


def saved_and_creates_fail(shop: Folder) -> None:
    saved(shop)
    shop.app.faults.add("500", method="POST", path="/case", times=0)


def deletes_fail(shop: Folder) -> None:
    shop.app.faults.add("500", method="DELETE", path="/plan", times=0)


def locked(shop: Folder) -> Any:
    a_change(shop)
    return shop.session().store.lock(HOLDER)


def saved_and_locked(shop: Folder) -> Any:
    saved(shop)
    return shop.session().store.lock(HOLDER)


def no_token(shop: Folder) -> None:
    """The state is of that server, too: nothing but the token is missing."""
    path = shop.state_path
    path.with_name("SHOP@api.qase.io.json").write_text(
        path.read_text().replace('"api": "emulator"', '"api": "https://api.qase.io/v1"')
    )
    shop.edit("qase.yaml", "url: emulator", "url: https://api.qase.io/v1")


def unreadable(shop: Folder) -> None:
    a_change(shop)
    shop.app.faults.add("html", path="^/case", times=0)


def saved_and_unreadable(shop: Folder) -> None:
    saved(shop)
    shop.app.faults.add("html", path="^/case", times=0)


def interrupted_while_reading(shop: Folder) -> Any:
    a_change(shop)
    return pressing_ctrl_c("GET")


def interrupted_while_writing(shop: Folder) -> Any:
    shop.write({"more.yaml": "milestones:\n  new: {title: New}\ncases:\n  extra: {title: Extra}\n"})
    return pressing_ctrl_c("POST")


def saved_and_interrupted(shop: Folder) -> Any:
    shop.write({"more.yaml": "milestones:\n  new: {title: New}\ncases:\n  extra: {title: Extra}\n"})
    assert shop.cli("plan", "-o", "p.json").code == 0  # type: ignore[attr-defined]
    return pressing_ctrl_c("POST")


def interrupted_while_deleting(shop: Folder) -> Any:
    return pressing_ctrl_c("DELETE")


@contextmanager
def pressing_ctrl_c(method: str) -> Iterator[Callable[[Any], Any]]:
    """Ctrl-C during the first request of that method, as the terminal sends it."""
    import os
    import signal

    pressed: list[str] = []

    def around(app: Any) -> Any:
        def serve(environ: Any, start_response: Any) -> Any:
            if environ["REQUEST_METHOD"] == method and not pressed:
                pressed.append(method)
                os.kill(os.getpid(), signal.SIGINT)
            return app(environ, start_response)

        return serve

    yield around
    assert pressed == [method]


@dataclass(frozen=True)
class Row:
    command: str
    code: int
    arrange: Arrange
    answers: bool = False

    def __str__(self) -> str:
        return f"{self.command.split(' -')[0]}-{self.code}-{self.arrange.__name__}".replace(" ", "_")


ROWS = (
    Row(PLAN, 0, nothing, True),
    Row(PLAN, 0, a_change, True),
    Row(PLAN + " --out no/where/p.json", 1, a_change),
    Row(PLAN + " --detailed-exitcode", 2, a_change, True),
    Row(PLAN, 3, invalid, True),
    Row(PLAN, 3, invalid_settings, True),
    Row(PLAN, 4, foreign_state),
    Row(PLAN, 8, no_token),
    Row(PLAN, 9, unreadable),
    Row(PLAN, 130, interrupted_while_reading),
    Row(DRIFT, 0, nothing, True),
    Row(DRIFT + " --detailed-exitcode", 2, drifted, True),
    Row(DRIFT, 3, invalid, True),
    Row(DRIFT, 4, foreign_state),
    Row(DRIFT, 8, no_token),
    Row(DRIFT, 9, unreadable),
    Row(DRIFT, 130, interrupted_while_reading),
    Row(APPLY, 0, nothing, True),
    Row(APPLY, 0, a_change, True),
    Row("apply", 1, a_change),
    Row(APPLY + " --expect sha256:0", 0, nothing, True),
    Row(APPLY + " --expect sha256:0", 5, a_change),
    Row(APPLY + " --detailed-exitcode", 2, a_change, True),
    Row(APPLY, 3, invalid, True),
    Row(APPLY, 3, invalid_settings, True),
    Row(APPLY, 4, brake),
    Row(APPLY, 4, foreign_state),
    Row(APPLY, 4, only_blocked, True),
    Row(APPLY, 6, creates_fail, True),
    Row(APPLY, 7, locked),
    Row(APPLY, 8, no_token),
    Row(APPLY, 9, unreadable),
    Row(APPLY, 130, interrupted_while_reading),
    Row(APPLY, 130, interrupted_while_writing, True),
    Row(SAVED, 0, saved, True),
    Row(SAVED, 1, nothing),
    Row(SAVED + " --no-deletes", 1, saved),
    Row(SAVED, 3, saved_and_invalid, True),
    Row(SAVED, 4, saved_brake),
    Row(SAVED, 5, used),
    Row(SAVED, 5, no_plan_file),
    Row(SAVED + " --expect sha256:0", 5, saved),
    Row(SAVED, 6, saved_and_creates_fail, True),
    Row(SAVED, 7, saved_and_locked),
    Row(SAVED, 9, saved_and_unreadable),
    Row(SAVED, 130, saved_and_interrupted, True),
    Row(SHOW, 0, saved, True),
    Row(SHOW, 1, nothing),
    Row(SHOW, 5, no_plan_file),
    Row(VALIDATE, 0, nothing, True),
    Row(VALIDATE, 3, invalid, True),
    Row(VALIDATE, 3, invalid_settings, True),
    Row(ONLINE, 0, nothing, True),
    Row(ONLINE, 4, foreign_state),
    Row(ONLINE, 8, no_token),
    Row(ONLINE, 9, unreadable),
    Row(ONLINE, 130, interrupted_while_reading),
    Row(DESTROY, 0, nothing, True),
    Row("destroy --allow-deletes 9", 1, nothing),
    Row("destroy --auto-approve", 1, nothing),
    Row(DESTROY, 3, invalid, True),
    Row(DESTROY, 4, wrong_number),
    Row(DESTROY, 4, foreign_state),
    Row(DESTROY, 6, deletes_fail, True),
    Row(DESTROY, 7, locked),
    Row(DESTROY, 8, no_token),
    Row(DESTROY, 9, unreadable),
    Row(DESTROY, 130, interrupted_while_deleting, True),
)  # fmt: skip
EXPORTS = (
    Row(EXPORT, 0, nothing, True),
    Row("export shared", 1, nothing),
    Row(EXPORT, 3, invalid_settings),
    Row(EXPORT, 8, no_token),
    Row(EXPORT, 9, unreadable),
    Row(EXPORT, 130, interrupted_while_reading),
)  # fmt: skip


@pytest.fixture
def shop(folder: Callable[..., Folder], cli: Callable[..., Ran], no_waiting: None) -> Folder:
    made = folder({**FILES, "shared/x.txt": "taken"}, policy={"max_delete_share": 1.0}).applied()
    made.cli = lambda *words: cli("-C", made.root, *words)  # type: ignore[attr-defined]
    return made


def run(shop: Folder, row: Row, patch: pytest.MonkeyPatch, *more: str) -> Ran:
    context = row.arrange(shop) or nullcontext()
    with context as around:
        if around is not None and callable(around):
            patch.setattr(Session, "_own_emulator", lambda self: around(shop.app))
        return shop.cli(*row.command.split(), *more)  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_exit_code_in_every_format(shop: Folder, row: Row, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if row.command.split()[0] not in COMMANDS:
        pytest.skip(f"`{row.command.split()[0]}` is not there yet")
    report = shop.root / "r.json"
    ran = run(shop, row, monkeypatch, "--format", form, "--report", "r.json")
    assert ran.code == row.code, ran.all
    assert "Traceback" not in ran.all and "in a way that it should not" not in ran.all
    assert report.exists() == row.answers, ran.all
    if row.answers:
        json.loads(report.read_text(encoding="utf-8"))
    if form == "json" and ran.out:
        json.loads(ran.out)
    if row.answers and (form != "text" or row.code != 3 or row.command.startswith("validate")):
        assert ran.out.endswith("\n")
    else:
        assert ran.out == ""
        assert ran.err.strip()


@pytest.mark.parametrize("row", EXPORTS, ids=str)
def test_an_exit_code_of_export(shop: Folder, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run(shop, row, monkeypatch)
    assert ran.code == row.code, ran.all
    assert "Traceback" not in ran.all and "in a way that it should not" not in ran.all
    assert bool(ran.out) == row.answers
    assert ran.err.strip() or row.answers
    assert (shop.root / "out" / "qase.yaml").exists() == row.answers


@pytest.mark.parametrize("form", ["json", "markdown"])
@pytest.mark.parametrize("command", [PLAN, APPLY, DESTROY])
def test_what_is_wrong_with_the_files_is_said_as_validate_says_it(shop: Folder, form: str, command: str) -> None:
    """A pipeline that reads the answer of `plan` finds out why there is none; people still read it on stderr."""
    invalid(shop)
    said = shop.cli("validate", "--format", form)  # type: ignore[attr-defined]
    ran = shop.cli(*command.split(), "--format", form)  # type: ignore[attr-defined]
    assert ran.code == said.code == 3
    if form == "json":
        assert ran.json["valid"] is False
        assert (
            {"unknown-attribute"}
            <= {row["code"] for row in ran.json["diagnostics"]}
            <= {row["code"] for row in said.json["diagnostics"]}
        )
    assert "severty" in ran.out and "severty" in ran.err


def test_a_report_that_cannot_be_written_does_not_hide_that_the_files_are_invalid(shop: Folder) -> None:
    invalid(shop)
    (shop.root / "r.json").mkdir()
    ran = shop.cli("plan", "--report", "r.json")  # type: ignore[attr-defined]
    assert ran.code == 3 and "r.json cannot be written" in ran.err and "severty" in ran.err


def test_the_matrix_is_complete() -> None:
    """Every code of the table stands behind every command that can give it."""
    given: dict[str, set[int]] = {}
    for row in ROWS:
        given.setdefault(
            "apply PLANFILE" if "p.json" in row.command and row.command.startswith("apply") else row.command.split()[0],
            set(),
        ).add(row.code)
    reading = {0, 3, 4, 8, 9, 130}
    assert given == {
        "plan": reading | {1, 2}, "drift": reading | {2}, "apply": reading | {1, 2, 5, 6, 7}, "apply PLANFILE": (reading | {1, 5, 6, 7}) - {8},
        "show": {0, 1, 5}, "validate": reading, "destroy": reading | {1, 6, 7},
    }  # fmt: skip
