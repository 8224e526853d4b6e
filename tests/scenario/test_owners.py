"""Several project folders in one repository: listed, and never two owners of the same suites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from e2e_kit import Ran, qase_yaml

from qase_iac.globs import common

CLI = Callable[..., Ran]
API = "http://127.0.0.1:1/v1"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two folders that share project SHOP without an overlap, and one of another project."""
    (tmp_path / ".git").mkdir()
    for name, project, suites in (
        ("web", "SHOP", ["checkout/**"]),
        ("api", "SHOP", ["api", "api/**"]),
        ("app", "APP", None),
    ):
        folder = tmp_path / "tests" / name
        folder.mkdir(parents=True)
        scope = {"scope": {"suites": suites}} if suites else {}
        (folder / "qase.yaml").write_text(qase_yaml(project=project, api={"url": API}, **scope))
        suite = suites[0].partition("/")[0] if suites else "any"
        (folder / "cases.yaml").write_text(f"suites: {{{suite}: {{title: T, cases: {{{name}: {{title: C}}}}}}}}\n")
    return tmp_path


def scope(repository: Path, name: str, *suites: str) -> None:
    path = repository / "tests" / name / "qase.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(("scope", "  suites", "  - "))]
    path.write_text("\n".join([*lines, f"scope: {{suites: {list(suites)}}}"]) + "\n")


def test_the_project_folders_below_are_listed(repository: Path, cli: CLI) -> None:
    (repository / "node_modules" / "x").mkdir(parents=True)
    (repository / "node_modules" / "x" / "qase.yaml").write_text("project: NO\n")
    ran = cli("-C", repository, "projects", "--format", "json")
    assert ran.code == 0, ran.all
    assert [(row["path"], row["project"], row["scope"], row["valid"]) for row in ran.json] == [
        ("tests/api", "SHOP", ["api", "api/**"], True),
        ("tests/app", "APP", None, True),
        ("tests/web", "SHOP", ["checkout/**"], True),
    ]
    assert {row["api"] for row in ran.json} == {API}


def test_as_text(repository: Path, cli: CLI) -> None:
    (repository / "tests" / "app" / "qase.yaml").write_text("project: APP\nnonsense: 1\n")
    ran = cli("-C", repository, "projects")
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "tests/api  SHOP  api, api/**",
        "tests/app  APP  invalid: qase-iac -C tests/app validate",
        "tests/web  SHOP  checkout/**",
    ]


def test_where_there_is_none(tmp_path: Path, cli: CLI) -> None:
    ran = cli("-C", tmp_path, "projects")
    assert (ran.code, ran.out) == (0, "")
    assert "qase-iac init" in ran.err


def test_an_overlap_names_both_owners_in_every_command_that_could_do_harm(repository: Path, cli: CLI) -> None:
    assert cli("-C", repository / "tests" / "web", "validate").code == 0
    scope(repository, "web", "checkout/**", "a*/*/deep")
    for arguments in (("projects",), ("-C", repository / "tests" / "web", "validate"),
                      ("-C", repository / "tests" / "api", "apply", "--auto-approve")):  # fmt: skip
        where = arguments if "-C" in arguments else ("-C", repository, *arguments)
        ran = cli(*where)
        assert ran.code == 3, ran.all
        assert "scope-overlap" in ran.all
        assert "tests/api (scope 'api/**')" in ran.all and "tests/web (scope 'a*/*/deep')" in ran.all
    assert cli("-C", repository / "tests" / "app", "validate").code == 0


def test_a_folder_without_a_scope_owns_everything(repository: Path, cli: CLI) -> None:
    (repository / "tests" / "app" / "qase.yaml").write_text(qase_yaml(project="SHOP", api={"url": API}))
    ran = cli("-C", repository, "projects")
    assert ran.code == 3
    assert ran.err.count("scope-overlap") == 2
    assert "tests/app (no scope: the whole project)" in ran.err


@pytest.mark.parametrize("other", ["http://127.0.0.1:2/v1", "emulator"])
def test_the_same_code_somewhere_else_is_another_project(repository: Path, cli: CLI, other: str) -> None:
    (repository / "tests" / "app" / "qase.yaml").write_text(qase_yaml(project="SHOP", api={"url": other}))
    assert cli("-C", repository, "projects").code == 0


def test_two_emulators_are_two_services(repository: Path, cli: CLI) -> None:
    for name in ("web", "app"):
        (repository / "tests" / name / "qase.yaml").write_text(qase_yaml(project="SHOP"))
    assert cli("-C", repository, "projects").code == 0


def test_outside_of_a_repository_nothing_is_looked_for(repository: Path, cli: CLI) -> None:
    scope(repository, "web", "api/**")
    (repository / ".git").rmdir()
    assert cli("-C", repository / "tests" / "web", "validate").code == 3  # its own content is outside of its scope now
    assert "scope-overlap" not in cli("-C", repository / "tests" / "web", "validate").all


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a", "a", True),
        ("a", "b", False),
        ("a", "a/b", False),
        ("a/**", "a", True),
        ("a/**", "a/b/c", True),
        ("a/**", "ab", False),
        ("**", ".", True),
        (".", ".", True),
        (".", "a", False),
        (".", "*", False),
        ("*", "a/b", False),
        ("*/b", "a/*", True),
        ("a*c", "ab*", True),
        ("a*c", "*d", False),
        ("a?", "ab", True),
        ("a?", "a", False),
        ("**/x", "a/**", True),
        ("**/x", "a/**/y", False),
        ("a/**/z", "a/b/**/c/z", True),
        ("a/*/z", "a/b/c/z", False),
    ],
)
def test_whether_two_patterns_can_name_one_suite(one: str, other: str, meet: bool) -> None:
    assert (common([one], [other]) == (one, other)) is meet
    assert (common([other], [one]) is not None) is meet
