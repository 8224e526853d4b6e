"""docs/two-way.md is run from the top to the bottom: every output in it is what the programs say.

<!-- folder: PATH -->                        begin in a copy of that folder of this repository
<!-- in Qase: title of the case: {…} -->     somebody edits it there; `new`, `gone` and `to SUITE` for the rest
<!-- edit: FILE: OLD => NEW -->              somebody edits a file
```console run                               commands (qase-iac, git) and what they answer
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e_kit import REPO, clean_env, run_cli

from qase_iac.emulator import create_app, load_seed

DOC = REPO / "docs" / "two-way.md"
DATE = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d UTC|\d{8}T\d{6}Z-[0-9a-f]+")
COMMIT = re.compile(r"^index [0-9a-f]+\.\.[0-9a-f]+( \d+)?\n", re.MULTILINE)
PART = re.compile(
    r"<!-- folder: (?P<folder>\S+) -->"
    r"|<!-- in Qase: (?P<title>.+?): (?P<what>\{.*?\}|gone|new|to .+?) -->"
    r"|<!-- edit: (?P<file>\S+): (?P<old>.+?) => (?P<new>.+?) -->"
    r"|^```console run\n(?P<body>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


class Day:
    """The working day, in a folder with a git repository and an emulator of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, source: Path) -> None:
        shutil.copytree(source, self.root, ignore=shutil.ignore_patterns(".qase-iac"))
        (self.root / ".gitignore").write_text(".qase-iac/\n")
        assert "Applied: " in self.run("qase-iac apply --auto-approve")
        self.run("git init -q")
        self.run("git add -A")
        self.run("git commit -q -m start")

    def run(self, command: str) -> str:
        words = shlex.split(command)
        if words[0] == "qase-iac":
            with contextlib.chdir(self.root):
                return run_cli(*words[1:]).all
        names = {f"GIT_{who}_{what}": "Ann" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        done = subprocess.run(
            words, cwd=self.root, env=clean_env({**names, "HOME": str(self.root.parent)}), capture_output=True,
            text=True, encoding="utf-8", timeout=60, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.stdout + done.stderr

    def in_qase(self, title: str, what: str) -> None:
        """Somebody at work in the web interface."""
        app = create_app(self.root / ".qase-iac" / "emulator.db", seed=load_seed(self.root / "emulator-seed.yaml"))
        dump = app.dump("SHOP")
        ids = {row["title"]: (kind[:-1], row["id"]) for kind in ("suites", "cases") for row in dump[kind]}
        try:
            if what == "new":
                suite, _, name = title.partition(" / ")
                app.ui.create("SHOP", "case", title=name, suite_id=ids[suite][1], steps=[{"action": "Look"}])
            elif what == "gone":
                app.ui.delete("SHOP", *ids[title])
            elif what.startswith("to "):
                app.ui.move("SHOP", *ids[title], ids[what.removeprefix("to ")][1])
            else:
                app.ui.edit("SHOP", *ids[title], **json.loads(what))
        finally:
            app.close()


def spoken(body: str) -> Iterator[tuple[str, str]]:
    """(command, what it answered) of a session."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, answer = part.partition("\n")
        yield command, answer


def lived(text: str, root: Path) -> Iterator[tuple[str, str, str]]:
    """(command, what the document says it answers, what it answers), from the top to the bottom."""
    day = Day(root)
    for match in PART.finditer(text):
        if match["folder"]:
            day.begin(REPO / match["folder"])
        elif match["title"]:
            day.in_qase(match["title"], match["what"])
        elif match["file"]:
            path = root / match["file"]
            before = path.read_text(encoding="utf-8")
            old, new = (match[name].replace("\\n", "\n") for name in ("old", "new"))
            assert before.count(old) == 1, (match["file"], old)
            path.write_text(before.replace(old, new), encoding="utf-8")
        else:
            for command, answer in spoken(match["body"]):
                yield command, answer, COMMIT.sub("", day.run(command))


def plain(answer: str) -> str:
    return DATE.sub("DAY", answer).rstrip("\n")


def test_the_day_is_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in [each for each in os.environ if each.startswith("QASE") or each == "FORCE_COLOR"]:
        monkeypatch.delenv(name)
    text = DOC.read_text(encoding="utf-8")
    told = list(lived(text, tmp_path / "web-shop"))
    assert len(told) > 10
    for command, answer, said in told:
        assert plain(said) == plain(answer), command


def written_anew(text: str, root: Path) -> str:
    """The document with the answers as they are, for whoever edits it."""
    answers: Any = lived(text, root)

    def block(match: re.Match[str]) -> str:
        if match["body"] is None:
            return match.group()
        said = ((command, next(answers)[2].rstrip()) for command, _ in spoken(match["body"]))
        lines = [f"$ {command}\n{answer}\n" if answer else f"$ {command}\n" for command, answer in said]
        return "```console run\n" + "".join(lines) + "```"

    return PART.sub(block, text)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        DOC.write_text(written_anew(DOC.read_text(encoding="utf-8"), Path(folder) / "web-shop"), encoding="utf-8")
