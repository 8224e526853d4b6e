"""`qase-iac comment`, as a job of GitHub Actions calls it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ci_endpoints import TOKEN, Forge
from e2e_kit import Folder, Ran

HEAD, MERGE = "a" * 40, "b" * 40
Cli = Callable[..., Ran]


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    with Forge() as made:
        made.add_pull(7, HEAD)
        for name in ("CI_API_V4_URL", "GITHUB_SERVER_URL"):
            monkeypatch.delenv(name, raising=False)
        known = {"REPOSITORY": made.repository, "API_URL": made.url, "TOKEN": TOKEN, "EVENT_PATH": str(event)}
        for name, value in known.items():
            monkeypatch.setenv(f"GITHUB_{name}", value)
        yield made


@pytest.fixture
def merged(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def merge() -> None:
        forge.add_pull(7, HEAD, MERGE)
        monkeypatch.delenv("GITHUB_EVENT_PATH")
        monkeypatch.setenv("GITHUB_SHA", MERGE)

    return merge


@pytest.fixture
def shop(folder: Callable[..., Folder], cli: Cli) -> Folder:
    shop = folder({"cases.yaml": "cases:\n  a: {title: A}\n"}, create=True, title="Shop")
    assert cli("-C", shop.root, "plan", "-o", "plan.json").code == 0
    return shop


def test_a_saved_plan_is_shown_and_its_digest_read_back(
    cli: Cli, forge: Forge, shop: Folder, merged: Callable[[], None]
) -> None:
    ran = cli("-C", shop.root, "comment", "plan.json")
    assert (ran.code, ran.out, ran.err) == (0, f"{forge.url}/pull/7#issuecomment-1000\n", "")
    assert "case.a" in forge.on(7)[0]
    merged()
    read = cli("-C", shop.root, "comment", "--read-digest")
    digest = json.loads((shop.root / "plan.json").read_bytes())["digest"]
    assert (read.code, read.out) == (0, digest + "\n")
    assert cli("-C", shop.root, "apply", "--auto-approve", "--expect", digest).code == 0


def test_markdown_is_shown_and_approves_nothing(
    cli: Cli, forge: Forge, tmp_path: Path, merged: Callable[[], None]
) -> None:
    (tmp_path / "said.md").write_text("**No plan.**")
    assert cli("comment", tmp_path / "said.md").code == 0
    assert "**No plan.**" in forge.on(7)[0]
    merged()
    read = cli("comment", "--read-digest")
    assert (read.code, read.out) == (1, "")
    assert "shows no plan" in read.err


def test_only_edit_says_nothing_where_there_is_nothing(cli: Cli, forge: Forge, shop: Folder) -> None:
    ran = cli("-C", shop.root, "comment", "plan.json", "--only-edit")
    assert (ran.code, ran.all) == (0, "")
    assert not forge.comments


@pytest.mark.parametrize("words", [[], ["plan.json", "--read-digest"]])
def test_wrong_usage(cli: Cli, forge: Forge, words: list[str]) -> None:
    ran = cli("comment", *words)
    assert ran.code == 1
    assert "either the FILE to show, or --read-digest" in ran.err
    assert not forge.asked


@pytest.mark.parametrize(("name", "code"), [("none.md", 1), ("none.json", 1), ("broken.json", 5)])
def test_a_file_that_cannot_be_shown(cli: Cli, forge: Forge, tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "broken.json").write_text("{")
    ran = cli("-C", tmp_path, "comment", name)
    assert ran.code == code
    assert name in ran.err
    assert not forge.asked


def test_the_token_is_never_said(cli: Cli, forge: Forge, shop: Folder) -> None:
    forge.users[TOKEN].writes = False
    ran = cli("-C", shop.root, "-v", "comment", "plan.json")
    assert ran.code == 1
    assert "pull-requests: write" in ran.err
    assert TOKEN not in ran.all


def test_outside_of_a_job(cli: Cli, forge: Forge, shop: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_REPOSITORY")
    ran = cli("-C", shop.root, "comment", "plan.json")
    assert ran.code == 1
    assert "no job of GitHub Actions or GitLab CI" in ran.err
