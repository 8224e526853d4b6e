"""Rewrites the generated blocks of the documentation from the tables in the code.

    python docs/generate.py            # write
    python docs/generate.py --check    # exit 1 when a block is stale

A block stands between `<!-- generated: NAME -->` and `<!-- end -->`; NAME is a key of `BLOCKS`, perhaps with a word.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from qase_iac.attributes import RULE_KEYS, Attribute
from qase_iac.cli.main import COMMANDS, main
from qase_iac.config.settings_table import SETTINGS
from qase_iac.config.settings_types import Group, Setting
from qase_iac.emulator import SWITCHES
from qase_iac.emulator.faults import KINDS as FAULTS
from qase_iac.kinds import BY_NAME

DOCS = Path(__file__).resolve().parent
BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z_ -]+?) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    cells = [list(head), *map(list, rows)]
    cells.insert(1, ["---"] * len(cells[0]))
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells)


# -- the format


def kind(name: str) -> str:
    """The attributes of a kind."""
    rows = [row for row in BY_NAME[name].attributes if not row.structural]
    return table(
        ("attribute", "takes", "what it says"),
        ((f"`{row.name}`{' *' if row.required else ''}", row.type.takes, _doc(row)) for row in rows),
    )


def _doc(row: Attribute) -> str:
    notes = [row.doc]
    if row.local:
        notes.append("Never sent to Qase.")
    if row.create_only:
        notes.append("Sent on create only.")
    return " ".join(notes)


def rules(_: str) -> str:
    return ", ".join(f"`{name}`" for name in RULE_KEYS) + "\n"


def settings(_: str) -> str:
    """The keys of qase.yaml."""
    return table(("setting", "takes", "left out", "what it says"), _settings(SETTINGS, ""))


def _settings(group: Group, prefix: str) -> Iterable[tuple[str, str, str, str]]:
    for row in group.rows:
        if isinstance(row.type, Group):
            yield from _settings(row.type, f"{prefix}{row.name}.")
        else:
            yield f"`{prefix}{row.name}`", row.type.takes, _default(row), row.doc


def _default(row: Setting) -> str:
    if row.default is None:
        return "—"
    return f"`{str(row.default).lower() if isinstance(row.default, bool) else row.default}`".replace("'", '"')


# -- the commands


def command(name: str) -> str:
    """How a command is called, and its own options."""
    found = _command(name)
    usage = " ".join(["qase-iac", name, *_pieces(found)])
    shared = _names(global_options("")) | (_names(planning("")) if name in ("plan", "apply") else set())
    rows = [row for row in _rows(found.params) if row[0] not in shared]
    return f"```\n{usage}\n```\n" + ("\n" + table(("option", "does"), rows) if rows else "")


def _pieces(found: click.Command) -> list[str]:
    context = click.Context(found)
    return [piece for piece in found.collect_usage_pieces(context) if piece]


def global_options(_: str) -> str:
    return table(("option", "does"), _rows(main.params))


def planning(_: str) -> str:
    """What shapes a plan: options that `plan` and `apply` share, output aside."""
    apply = {row[0] for row in _rows(_command("apply").params)}
    theirs = _names(global_options("")) | {"`--full`", "`--format`", "`--report FILE`"}
    rows = [row for row in _rows(_command("plan").params) if row[0] in apply and row[0] not in theirs]
    return table(("option", "does"), (row for row in rows if not row[0].startswith("`--format")))


def commands(_: str) -> str:
    return table(("command", "does"), ((f"[`{name}`](#{name})", text) for name, (_, text) in COMMANDS.items()))


def state(_: str) -> str:
    """The commands below `state`."""
    group = _command("state")
    assert isinstance(group, click.Group)
    rows = []
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        assert found is not None
        usage = " ".join(piece for piece in _pieces(found) if piece != "[OPTIONS]")
        summary = (found.help or "").split("\n\n")[0].replace("\n", " ")
        rows.append((f"`state {name}{' ' + usage if usage else ''}`", summary))
    return table(("command", "does"), rows)


def _command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None, name
    return found


def _rows(params: Iterable[click.Parameter]) -> list[tuple[str, str]]:
    return [
        (_spelling(param), param.help or "")
        for param in params
        if isinstance(param, click.Option) and not param.hidden and "--version" not in param.opts
    ]


def _spelling(option: click.Option) -> str:
    value = ""
    if not option.is_flag:
        choices = getattr(option.type, "choices", None)
        value = " " + (option.metavar or ("|".join(choices) if choices else option.type.name.split()[0].upper()))
    return "`" + ", ".join(option.opts) + value + "`"


def _names(shown: str) -> set[str]:
    return {line.split(" | ")[0].removeprefix("| ") for line in shown.replace("\\|", "|").splitlines()[2:]}


# -- the emulator


def switches(_: str) -> str:
    rows = (
        (
            f"`{each.name}`",
            ", ".join(f"**{value}**" if value == each.default else str(value) for value in each.values)
            + (", any number" if each.open_ended else ""),
            each.doc,
        )
        for each in SWITCHES
    )
    return table(("switch", "values", "what it decides"), rows)


def faults(_: str) -> str:
    return table(("fault", "what happens"), ((f"`{name}`", text) for name, text in FAULTS.items()))


BLOCKS: dict[str, Callable[[str], str]] = {
    "kind": kind,
    "rules": rules,
    "settings": settings,
    "command": command,
    "commands": commands,
    "global-options": global_options,
    "planning-options": planning,
    "state-commands": state,
    "switches": switches,
    "faults": faults,
}


def fresh(text: str) -> str:
    """A document with its blocks as they should be."""

    def block(match: re.Match[str]) -> str:
        name, _, word = match["name"].partition(" ")
        return f"{match[1]}\n{BLOCKS[name](word)}\n{match[4]}"

    return BLOCK.sub(block, text)


def stale() -> dict[Path, str]:
    """Document -> what it should be, for those that are not."""
    found = {}
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if (new := fresh(text)) != text:
            found[path] = new
    return found


if __name__ == "__main__":
    wrong = stale()
    for path, text in wrong.items():
        sys.stdout.write(f"{path.relative_to(DOCS.parent)}\n")
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
    sys.exit("stale: run python docs/generate.py" if wrong and "--check" in sys.argv else 0)
