"""The Dockerfile, as far as a machine without Docker can tell. Not tried: building the image, and apt-get in it."""

from __future__ import annotations

import re

from ci_pieces.runner_kit import REPO

TEXT = (REPO / "Dockerfile").read_text(encoding="utf-8")
LINES = re.sub(r"\s*\\\n\s*", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
BUILD, FINAL = (
    [line.split(maxsplit=1) for line in part.strip().splitlines() if line.strip()]
    for part in re.split(r"^FROM .*$", "\n".join(LINES), flags=re.MULTILINE)[1:]
)


def the(part: list[list[str]], word: str) -> list[str]:
    return [rest for name, rest in part if name == word]


def copied() -> set[str]:
    """What the first stage copies from the repository."""
    return {name for line in the(BUILD, "COPY") for name in line.split()[:-1]}


def context() -> set[str]:
    """What `.dockerignore` lets in: all is out but what a `!` names."""
    rows = (REPO / ".dockerignore").read_text(encoding="utf-8").split()
    assert rows[0] == "*"
    return {row[1:] for row in rows if row.startswith("!")}


def test_both_stages_are_of_the_same_small_python() -> None:
    assert re.findall(r"^FROM (\S+)", TEXT, re.MULTILINE) == ["python:3.11-slim"] * 2


def test_what_is_copied_is_there_and_let_in() -> None:
    assert copied() == context()
    assert all((REPO / name).exists() for name in copied())


def test_it_runs_as_nobody_special_and_hands_signals_on() -> None:
    assert the(FINAL, "USER") == ["10001"]
    assert the(FINAL, "ENTRYPOINT") == ['["tini", "--", "qase-iac"]']
    [installed] = the(FINAL, "RUN")
    assert {"git", "tini", "openssh-client", "ca-certificates"} <= set(installed.split())
    assert "--uid 10001" in installed


def test_it_installs_into_the_folder_that_the_image_keeps() -> None:
    """That it installs from what is copied is tried in test_install.py, by the same command."""
    [install] = the(BUILD, "RUN")
    assert install.startswith("python -m venv /opt/qase-iac && /opt/qase-iac/bin/pip install ")
    assert install.endswith(' ".[s3]"')
    assert "--from=build /opt/qase-iac /opt/qase-iac" in the(FINAL, "COPY")
    assert [line.split()[0] for line in the(FINAL, "ENV")] == ["PATH=/opt/qase-iac/bin:$PATH"]
