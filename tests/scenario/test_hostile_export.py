"""Titles and texts from Qase are data: never a path, a tag of YAML, markup that runs, or a file outside the folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e_kit import Folder, Ran

from qase_iac.emulator.http import Answer, Request, json_answer
from qase_iac.values import printable

pytestmark = pytest.mark.usefixtures("no_waiting")

NAMES = [
    "../../etc", "..", ".", "/etc/passwd", "~", "a/b", "a\\b", "C:\\x", "CON", "con.txt", "aux ", "nul.yaml", "-rf",
    "x" * 255, "dots...", "trailing  x", "Name", "NAME", "name", "caf\u00e9", "cafe\u0301", "\ufb01", "suite", "cases",
    "qase", "null", "true", "2026-01-01", "%TAG ! x", "&x", "*x", "{a: b}", "- x: y", "!!python/object:os.system []",
    "\u202etxt.exe", "\U000e0041\U000e0042", "\u2066x\u2069", "\x1b[31m", "EMPTY",
]  # fmt: skip
RUNS = (
    "@here #12 [x](javascript:alert(1)) ![i](http://x.y/z) <img src=x onerror=1> <!-- x --> ``` </pre> </details> "
    "<script>1</script> www.x.y https://x.y $a$ :tada: `code` ~~~"
)


@pytest.fixture
def hostile(folder: Callable[..., Folder], monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A project in which everything is called like that; the suite called EMPTY has no title at all."""
    shop = folder({"z.yaml": "cases: {z: {title: Z}}\n"}).applied()
    create = shop.app.ui.create
    for name in [*NAMES, RUNS]:
        suite: Any = create("SHOP", "suite", title=name, description=name)
        create("SHOP", "suite", title=name, parent_id=suite)
        create("SHOP", "case", title=name, suite_id=suite, tags=[name[:40]], description=name, steps=[{"action": name}])
        create("SHOP", "milestone", title=name, description=name)
        create("SHOP", "plan", title=name, cases=[1])
        create("SHOP", "shared_step", title=name, steps=[{"action": name, "expected_result": name}])
    handle = shop.app.handle

    def untitled(request: Request) -> Answer:
        answer = handle(request)
        if request.method != "GET" or b'"EMPTY"' not in answer.body:
            return answer
        return Answer(answer.status, answer.body.replace(b'"EMPTY"', b'""'), answer.headers)

    monkeypatch.setattr(shop.app, "handle", untitled)
    return shop


@pytest.mark.parametrize("layout", ["suite", "case"])
def test_no_name_leaves_the_folder_or_steers_anything(
    hostile: Folder, cli: Callable[..., Ran], tmp_path: Path, layout: str
) -> None:
    outer = tmp_path / "outer"
    ran = cli("-C", hostile.root, "export", outer / "deep" / "copy", "--layout", layout)
    assert ran.code == 0, ran.all
    assert sorted(path.name for path in outer.iterdir()) == ["deep"]
    assert sorted(path.name for path in (outer / "deep").iterdir()) == ["copy"]
    copy = outer / "deep" / "copy"
    files = [path.relative_to(copy) for path in copy.rglob("*") if path.is_file() and ".qase-iac" not in path.parts]
    assert not any(path.is_symlink() for path in copy.rglob("*"))
    for file in files:
        if file.name == ".gitignore":
            continue
        for part in file.parts:
            assert re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", part) and not part.endswith("."), file
            assert part.partition(".")[0] not in ("con", "aux", "nul", "prn"), file
    folded = [str(file).casefold() for file in files]
    assert len(folded) == len(set(folded)) and max(map(len, folded)) < 200
    for file in files:
        text = (copy / file).read_text(encoding="utf-8")
        assert printable(text, "\n") == text, file  # nothing a terminal obeys, nothing that cannot be seen
        yaml.safe_load(text)
    planned = cli("-C", copy, "plan")
    assert planned.code == 0 and "No changes." in planned.out, planned.all


def test_nothing_of_it_runs_in_markdown(hostile: Folder, cli: Callable[..., Ran], tmp_path: Path) -> None:
    cli("-C", hostile.root, "export", tmp_path / "copy")
    copy = Folder(tmp_path / "copy", hostile.app)
    for kind in ("case", "suite", "milestone"):
        for id in range(2, 32):
            hostile.app.ui.edit("SHOP", kind, id, description=RUNS)
    hostile.app.ui.delete("SHOP", "case", 2)
    for command in (("plan",), ("apply", "--auto-approve", "--on-drift", "fail")):
        shown = cli("-C", copy.root, *command, "--format", "markdown").out
        assert "etc" in shown and len(shown.encode()) < 65_536
        ours = re.sub(r"</?(details|summary|pre|code|span|br)( lang=\"diff\")?>|<!-- qase-iac plan SHOP -->", "", shown)
        assert "<" not in re.sub(r"`[^`\n]*`", "", ours)
        # In `<pre>` and in code neither Markdown nor mentions are read; a `<` is all that could end them.
        read = re.sub(r"<pre.*?</pre>|<code>.*?</code>|`[^`\n]*`", "", shown, flags=re.DOTALL)
        assert not re.search(r"\]\(|!\[|@here|#12|www\.|https://|:tada:", read)
        opened, closed = shown.count("<details>"), shown.count("</details>")
        assert opened == closed and shown.count("<pre") == shown.count("</pre>")
        assert not re.search(r"^\s*(```|~~~)", shown, re.MULTILINE)


def test_a_link_in_the_target_is_not_followed(hostile: Folder, cli: Callable[..., Ran], tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / "cases.yaml").symlink_to(victim / "cases.yaml")
    assert cli("-C", hostile.root, "export", target).code == 1
    (tmp_path / "dangling").symlink_to(victim / "new")
    assert cli("-C", hostile.root, "export", tmp_path / "dangling").code == 1
    assert list(victim.iterdir()) == []


@pytest.mark.parametrize("path", ["/milestone/SHOP", "/shared_step/SHOP", "/suite/SHOP", "/case/SHOP", "/plan/SHOP"])
def test_an_empty_list_with_a_total_is_no_empty_project(
    folder: Callable[..., Folder], cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    """Nor is one that is refused or not found; whatever the command, nothing is written."""
    shop = folder(
        {
            "a.yaml": "milestones: {m: {title: M}}\nshared_steps: {s: {title: S, steps: [x]}}\n"
            "suites: {t: {title: T, cases: {a: {title: A}, b: {title: B}}}}\nplans: {p: {title: P, cases: [a]}}\n"
        },
        policy={"max_delete_share": 1},
    ).applied()
    shop.write({"a.yaml": "suites: {t: {title: T2, cases: {a: {title: A2}, c: {title: C}}}}\n"})
    assert cli("-C", shop.root, "plan", "-o", tmp_path / "plan.json").code == 0
    before, handle = shop.dump(), shop.app.handle
    state = shop.state_path.read_bytes()
    mode = "empty"

    def bad(request: Request) -> Answer:
        answer = handle(request)
        if request.method != "GET":
            raise AssertionError(f"{request.method} {request.path}")
        if not request.path.endswith(path):
            return answer
        if isinstance(mode, int):
            return json_answer(mode, {"status": False, "errorMessage": "No."})
        body = yaml.safe_load(answer.body)
        body["result"] |= {"entities": [], "count": 0}
        return json_answer(200, body)

    monkeypatch.setattr(shop.app, "handle", bad)
    for mode, code in (("empty", 9), (404, 9), (401, 8), (403, 8)):
        for command in (
            ("plan",), ("apply", "--auto-approve"), ("apply", tmp_path / "plan.json"),
            ("destroy", "--auto-approve", "--allow-deletes", "6"), ("export", tmp_path / "copy"),
            ("validate", "--online"),
        ):  # fmt: skip
            ran = cli("-C", shop.root, *command)
            assert ran.code == code, (mode, command, ran.all)
    assert shop.dump() == before and shop.state_path.read_bytes() == state
    assert not (tmp_path / "copy").exists()
