"""`init`."""

from __future__ import annotations

from pathlib import Path

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals
from qase_iac.errors import QaseIacError

FILES = {
    "qase.yaml": """\
# Everything about this project folder: `qase-iac explain` and the README say what may stand here.
project: {code}
title: {title}
create: true                  # apply creates the project if it does not exist
api:
  url: emulator               # the built-in one. Remove this line to use https://api.qase.io/v1
""",
    "login/suite.yaml": """\
title: Login
description: Who gets in, and who does not.
defaults:
  case: {{severity: normal, priority: medium}}
""",
    "login/cases.yaml": """\
cases:
  sign-in:
    title: Sign in with a valid password
    priority: high
    tags: [smoke]
    steps:
      - action: Open /login
        expected: The form is shown
      - action: Enter a valid name and password
        expected: The dashboard opens

  wrong-password:
    title: A wrong password is refused
    behavior: negative
    steps:
      - action: Enter a wrong password
        expected: A message says so, and nothing tells which part was wrong
""",
    "plans.yaml": """\
plans:
  smoke:
    title: Smoke
    select: {{tags: [smoke]}}
""",
    ".gitignore": """\
# State, emulator database, cache and backups of qase-iac
.qase-iac/
""",
}


@click.command("init", cls=Command)
@click.argument("directory", metavar="[DIR]", default=".")
@global_options
@pass_globals
def init_command(settings: Globals, directory: str) -> int:
    """Scaffold a small, valid project folder that plans and applies against the emulator at once.

    \b
    Example:
      qase-iac init shop && cd shop && qase-iac plan
    """
    folder = settings.folder / directory
    title = folder.resolve().name.replace("-", " ").replace("_", " ").capitalize()
    code = "".join(letter for letter in folder.resolve().name if letter.isascii() and letter.isalpha())[:10].upper()
    values = {"code": code if len(code) > 1 else "DEMO", "title": _quoted(title)}
    taken = [name for name in FILES if (folder / name).exists() and name != ".gitignore"]
    if taken:
        raise QaseIacError(f"{folder / taken[0]} exists already.", "`init` never overwrites.", "Choose another folder.")
    for name, text in FILES.items():
        _write(folder / name, text.format(**values))
    where = "" if directory == "." else f"cd {directory} && "
    answer(f"Wrote {', '.join(FILES)}.\nNext: {where}qase-iac plan, then qase-iac apply.")
    return 0


def _quoted(text: str) -> str:
    from qase_iac.config.dump import dump

    return dump(text or "Demo").rstrip("\n")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.name == ".gitignore" and path.exists():
            kept = path.read_text(encoding="utf-8")
            text = kept if ".qase-iac/" in kept.split() else f"{kept.rstrip()}\n{text}"
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise QaseIacError(f"{path} cannot be written: {error.strerror}.") from None
