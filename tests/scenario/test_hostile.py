"""What must never get out: the token, and raw control characters of titles, whoever wrote them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e_kit import Folder, Ran, qase_yaml

from qase_iac.emulator import RunningServer, create_app, start_server

TOKEN = "s3cr3t-t0k3n-0123456789abcdef"

# Colour, title of the window, clear screen, C1 introducer, bell, backspaces, right-to-left override, line separator.
NASTY = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;owned\x07",
    "\x1b[2J",
    "\x9b31m",
    "a\x08\x08b",
    "\u202ecod.exe",
    "x\u2028y",
    "\x7f",
]
RAW = {char for text in NASTY for char in text if not char.isprintable() and char != "\n"}


def evil(name: str) -> str:
    return f"{name} {' '.join(NASTY)}"


def assert_tame(ran: Ran) -> None:
    """Nothing that a terminal would obey. JSON may hold what no terminal obeys, but not these either."""
    found = {char for char in ran.all if char in RAW or (not char.isprintable() and char not in "\n\t")}
    assert found == set(), (found, ran.all[:2000])
    assert "Traceback" not in ran.all


def files(mark: str = "") -> dict[str, str | bytes]:
    quoted = {name: evil(f"{name}{mark}") for name in "abcdmpst"}
    return {
        "all.yaml": yaml.safe_dump(
            {
                "milestones": {"m": {"title": quoted["m"], "description": quoted["a"]}},
                "shared_steps": {"s": {"title": quoted["s"], "steps": [quoted["a"]]}},
                "suites": {
                    "t": {
                        "title": quoted["t"],
                        "cases": {
                            "a": {"title": quoted["a"], "tags": [evil("tag")], "steps": [quoted["b"], {"shared": "s"}]},
                            "b": {"title": quoted["b"], "gherkin": quoted["b"], "parameters": {evil("p"): [evil("v")]}},
                        },
                    }
                },
                "plans": {"p": {"title": quoted["p"], "cases": ["a", {"external": evil("live")}]}},
            }
        )
    }


FORMS = ("text", "json", "markdown")


@pytest.fixture
def evil_shop(folder: Callable[..., Folder]) -> Folder:
    shop = folder(files(), policy={"max_deletes": 1, "max_delete_share": 1})
    shop.app.ui.create("", "project", code="SHOP", title=evil("project"))
    shop.app.ui.create("SHOP", "case", title=evil("live"))
    return shop


@pytest.mark.parametrize("form", FORMS)
def test_control_characters_of_titles_never_reach_the_terminal(
    evil_shop: Folder, cli: Callable[..., Ran], form: str, tmp_path: Path
) -> None:
    def go(*arguments: str | Path, code: int | None = 0) -> Ran:
        ran = cli("-C", evil_shop.root, *arguments)
        assert_tame(ran)
        assert code is None or ran.code == code, ran.all
        return ran

    shown = ("--format", form)
    planned = go("plan", "--new-state", "--full", *shown)
    assert "red" in planned.out  # it is shown, escaped
    go("validate", *shown)
    go("validate", "--online", *shown)
    go("apply", "--auto-approve", "--new-state", *shown)
    for address, kind in (("case.a", "case"), ("suite.t", "suite"), ("shared_step.s", "shared_step")):
        evil_shop.app.ui.edit("SHOP", kind, evil_shop.id_of(address), title=evil("theirs"))
    evil_shop.app.ui.edit("SHOP", "case", evil_shop.id_of("case.b"), tags=[evil("their tag")])
    go("plan", "--full", *shown)
    go("plan", "--on-drift", "fail", "--full", *shown)
    go("plan", "-o", tmp_path / "plan.json")
    go("show", tmp_path / "plan.json", "--full", *shown)
    go("apply", "--auto-approve", "--on-drift", "fail", *shown, code=4)
    evil_shop.write(files("2"))
    go("plan", "--full", *shown)
    go("apply", "--auto-approve", *shown, code=6)
    go("apply", "--auto-approve", "--on-conflict", "ours", *shown)
    go("state", "list")
    go("state", "show", "case.a")
    go("export", tmp_path / f"copy-{form}")
    assert not RAW & set((tmp_path / "plan.json").read_text(encoding="utf-8"))
    evil_shop.write({"all.yaml": "suites: {t: {title: T}}\n"})
    brake = go("apply", "--auto-approve", *shown, code=4)
    assert "red" in brake.err  # the brake names what would go
    go("plan", *shown)
    go("apply", "--auto-approve", "--allow-deletes", "5", *shown)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "content",
    [
        "cases:\n  a: {title: A, \"\\e[31mattribute\": 1}\n",
        "cases:\n  \"\\e[31mkey\": {title: A}\n",
        "cases:\n  a: {title: A, severity: \"\\e[2Jmajor\"}\n",
        "cases:\n  a: {title: A, milestone: \"\\e[2Jmajor\"}\n",
        "cases:\n  a: {title: A, attachments: [\"\\e[2J.png\"]}\n",
        "cases:\n  a: {title: \"" + "\\e[31m" * 100 + "\"}\n",
        "moved: [{from: \"case.\\e[2J\", to: case.b}]\ncases: {b: {title: B}}\n",
        "cases:\n  a: {title: raw \x1b[31m}\n",
        "\"\\e[31msection\": {}\n",
    ],
)  # fmt: skip
def test_diagnostics_show_them_escaped(
    folder: Callable[..., Folder], cli: Callable[..., Ran], content: str, form: str
) -> None:
    shop = folder({"bad.yaml": content})
    for command in ("validate", "plan"):
        ran = cli("-C", shop.root, command, "--format", form)
        assert ran.code == 3
        assert_tame(ran)


def test_messages_of_the_server_are_escaped(
    evil_shop: Folder, cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    from qase_iac.emulator.errors import ApiError
    from qase_iac.emulator.http import json_answer

    handle = evil_shop.app.handle

    def rude(request: Any) -> Any:
        if request.method == "POST":
            problems = [(evil("field"), evil("message"))]
            return json_answer(422, ApiError(422, evil("No."), problems).body("full"))
        return handle(request)

    monkeypatch.setattr(evil_shop.app, "handle", rude)
    for form in FORMS:
        ran = cli("-C", evil_shop.root, "apply", "--auto-approve", "--new-state", "--format", form)
        assert ran.code == 6
        assert "red" in ran.all
        assert_tame(ran)


# -- the token -----------------------------------------------------------------------------------------------------


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Folder, RunningServer]]:
    app = create_app(token=TOKEN)
    with start_server(app) as server:
        root = tmp_path / "shop"
        root.mkdir()
        yield (
            Folder(root, app).write(
                {
                    "qase.yaml": qase_yaml(api={"url": server.url}, policy={"max_delete_share": 1}),
                    "pic.png": b"pic",
                    "a.yaml": "cases: {a: {title: A, attachments: [pic.png]}, b: {title: B}}\n",
                }
            ),
            server,
        )
    app.close()


@pytest.mark.usefixtures("no_waiting")
def test_the_token_is_nowhere_but_in_its_header(
    served: tuple[Folder, RunningServer], cli: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, server = served
    monkeypatch.setenv("QASE_TESTOPS_API_TOKEN", TOKEN)
    logs = ("--rate-limit", "0", "-v", "--http-log", tmp_path / "http.log", "--events", tmp_path / "events.log")
    said = []

    def go(*arguments: str | Path, code: int = 0) -> None:
        ran = cli("-C", folder.root, *logs, *arguments)
        said.append(ran.all)
        assert ran.code == code, ran.all

    go("plan", "-o", tmp_path / "plan.json", "--report", tmp_path / "plan.md")
    go("apply", tmp_path / "plan.json", "--format", "json", "--report", tmp_path / "report.json")
    go("validate", "--online", "--remember")
    go("export", tmp_path / "copy")
    folder.edit("a.yaml", "title: B", "title: B2")
    folder.app.faults.add("500-after", method="PATCH")
    go("apply", "--auto-approve")
    folder.app.faults.add("html", method="GET", path="/case/", times=0)
    go("plan", code=9)
    folder.app.faults.clear()
    folder.app.tokens.clear()
    folder.app.tokens["another"] = "owner"
    go("plan", code=8)
    server.stop()
    go("plan", "--on-drift", "keep", code=9)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"http.log", "events.log", "plan.json", "plan.md", "report.json", "SHOP@127.0.0.1.json"} & {
        path.name for path in written
    } >= {"http.log", "events.log", "plan.json", "plan.md", "report.json"}
    for path in written:
        assert TOKEN.encode() not in path.read_bytes(), path
    assert not any(TOKEN in text for text in said)
    assert (tmp_path / "http.log").read_text().count("\n") > 20
