"""`schema` and `explain`: the file format, for editors and for people."""

from __future__ import annotations

import json
from typing import Any

import click

from qase_iac.cli.context import Command, Globals, answer, global_options, pass_globals, say
from qase_iac.errors import QaseIacError


@click.command("schema", cls=Command)
@click.option("--write", metavar="DIR", help="Write the schemas as files into DIR.")
@global_options
@pass_globals
def schema_command(settings: Globals, write: str | None) -> int:
    """Print or write the JSON Schemas: of the files, for editors, and of what --format json and --events write.

    \b
    Example:
      qase-iac schema --write schemas
    """
    from qase_iac.config.schema import schemas
    from qase_iac.render.schemas import schemas as of_answers

    found = schemas() | of_answers()
    if not write:
        answer(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    folder = settings.path(write)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in found.items():
            (folder / name).write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise QaseIacError(f"The schemas cannot be written to {write}: {error.strerror}.") from None
    say(f"Wrote {', '.join(found)} to {write}.")
    return 0


@click.command("explain", cls=Command)
@click.argument("what", metavar="KIND[.ATTRIBUTE]", required=False)
@global_options
@pass_globals
def explain_command(settings: Globals, what: str | None) -> int:
    """Say what a kind or an attribute takes.

    \b
    Examples:
      qase-iac explain case
      qase-iac explain case.steps
    """
    from qase_iac.kinds import CONTENT_KINDS

    if not what:
        answer("\n".join(f"{kind.name:<12} {kind.doc}" for kind in CONTENT_KINDS))
        return 0
    name, _, attribute = what.partition(".")
    kind = next((kind for kind in CONTENT_KINDS if name in (kind.name, kind.section)), None)
    if kind is None:
        known = ", ".join(kind.name for kind in CONTENT_KINDS)
        raise QaseIacError(f"There is no kind {name!r}.", hint=f"There are {known}.")
    answer(_attribute(kind, attribute) if attribute else _kind(kind))
    return 0


def _kind(kind: Any) -> str:
    lines = [f"{kind.name}: {kind.doc}", f"Declared in the section `{kind.section}`.", ""]
    width = max(len(row.name) for row in kind.attributes)
    for row in _written(kind):
        lines.append(f"  {row.name + ('*' if row.required else ' '):<{width + 1}}  {row.doc}")
    if kind.file_name:
        lines += ["", f"  Also `cases`, `suites` (nested in it); in {kind.file_name}.yaml `key`, `defaults`, `policy`."]
    lines += ["", "  * required. Every object also takes `protect` and `ignore_changes`."]
    return "\n".join([*lines, f"  More: qase-iac explain {kind.name}.{_written(kind)[-1].name}"])


def _written(kind: Any) -> list[Any]:
    return [row for row in kind.attributes if not row.structural]


def _attribute(kind: Any, name: str) -> str:
    row = next((row for row in _written(kind) if row.name == name), None)
    if row is None:
        known = ", ".join(row.name for row in _written(kind))
        raise QaseIacError(f"A {kind.label} has no attribute {name!r}.", hint=f"It takes {known}.")
    return f"{kind.name}.{row.name}: {row.doc}\nTakes {row.type.takes}.\n{_left_out(row)}\nExample:\n{_example(row)}"


def _left_out(row: Any) -> str:
    """What it means not to write the attribute."""
    if row.required:
        return "Required.\n"
    if row.local or row.always_managed:
        return ""
    return "Left out, it is not managed: what is in Qase stays.\n"


def _example(row: Any) -> str:
    import yaml

    text = yaml.safe_dump({row.name: row.example}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return "".join(f"  {line}\n" for line in text.splitlines())
