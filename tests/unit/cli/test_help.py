"""Help: an example with every command, and nothing heavy imported to show it."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from e2e_kit import clean_env, run_cli

from qase_iac.cli.main import COMMANDS, main

HEAVY = ("httpx", "yaml", "jsonschema", "rich", "deepdiff", "werkzeug", "sqlite3", "rapidfuzz", "platformdirs")


def commands() -> list[tuple[str, ...]]:
    """Every command and subcommand, by its words."""
    context = click.Context(main)
    found: list[tuple[str, ...]] = []
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        found.append((name,))
        if isinstance(command, click.Group):
            found += [(name, each) for each in command.list_commands(context)]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example_that_names_it(words: tuple[str, ...]) -> None:
    ran = run_cli(*words, "--help")
    assert (ran.code, ran.err) == (0, "")
    _, _, examples = ran.out.partition("Example")
    assert f"qase-iac {' '.join(words)}" in examples or " ".join(words) in examples.partition("Options")[0]
    options = ran.out.partition("Options:")[2]
    for option in (
        "--chdir",
        "--profile",
        "--api",
        "--rate-limit",
        "--no-color",
        "--lock-timeout",
        "--http-log",
        "--events",
    ):
        assert option in options


def test_the_help_of_the_program_names_every_command_and_code() -> None:
    ran = run_cli("--help")
    assert ran.code == 0
    for name in COMMANDS:
        assert f"\n  {name} " in ran.out
    for code in (0, 2, 3, 4, 5, 6, 7, 8, 9, 130, 1):
        assert f"{code} " in ran.out.partition("Exit codes")[2]


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from qase_iac.cli.main import _run\n"
        f"code = _run({arguments!r}); print(code, *sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean_env(), timeout=60)
    assert done.stderr.split() == ["0"]
    assert done.stdout


def test_a_command_that_does_not_exist_is_wrong_usage_with_a_guess() -> None:
    ran = run_cli("plam")
    assert (ran.code, ran.out) == (1, "")
    assert "Did you mean 'plan'?" in ran.err
