"""What a job prints, read as GitHub's runner reads it: workflow commands, masks, and the files that steps write to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

COMMANDS = {
    "add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "notice", "remove-matcher",
    "save-state", "set-env", "set-output", "stop-commands", "warning",
}  # fmt: skip
ESCAPES = {"%0D": "\r", "%0A": "\n", "%25": "%"}
MORE_ESCAPES = {"%3A": ":", "%2C": ",", **ESCAPES}


class Command(NamedTuple):
    """`::name key=value,…::message`."""

    name: str
    properties: dict[str, str]
    message: str


def command_in(line: str, known: set[str] = COMMANDS) -> Command | None:
    """The command that the runner takes a line for: at its beginning, or, in the old form, anywhere in it."""
    text = line.lstrip()
    if text.startswith("::") and (end := text.find("::", 2)) > 0:
        made = _made(text[2:end], ",", text[end + 2 :])
        if made.name in known:
            return made
    if (start := line.find("##[")) >= 0 and (end := line.find("]", start)) > 0:
        made = _made(line[start + 3 : end], ";", line[end + 1 :])
        if made.name in known:
            return made
    return None


def _made(head: str, between: str, message: str) -> Command:
    name, _, rest = head.partition(" ")
    pairs = dict(pair.strip().partition("=")[::2] for pair in rest.split(between) if pair.strip())
    return Command(name.lower(), {k: _plain(v, MORE_ESCAPES) for k, v in pairs.items()}, _plain(message, ESCAPES))


def _plain(text: str, escapes: dict[str, str]) -> str:
    for written, meant in escapes.items():
        text = text.replace(written, meant)
    return text


@dataclass
class Log:
    """Lines as they were printed; `commands` are those that were honoured."""

    lines: list[str] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    _stopped: str = ""

    def add(self, line: str) -> None:
        self.lines.append(line)
        if self._stopped:
            if (resumed := command_in(line, {self._stopped})) and resumed.name == self._stopped:
                self._stopped = ""
        elif command := command_in(line):
            self.commands.append(command)
            if command.name == "stop-commands":
                self._stopped = command.message.strip().lower()
                assert self._stopped and self._stopped not in COMMANDS, "a token that ends nothing"

    def end_step(self) -> None:
        """Commands are stopped for a step at the most."""
        self._stopped = ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def of(self, name: str) -> list[Command]:
        return [each for each in self.commands if each.name == name]

    @property
    def annotations(self) -> list[Command]:
        """Errors and warnings with a place in a file."""
        kinds = ("error", "warning", "notice")
        return [each for each in self.commands if each.name in kinds and "file" in each.properties]


def read_pairs(text: str, what: str) -> dict[str, str]:
    """GITHUB_OUTPUT and GITHUB_ENV: `name=value`, or `name<<END`, lines, `END`."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if not line:
            continue
        name, sign, value = line.partition("=")
        heredoc, mark, end = line.partition("<<")
        if mark and len(heredoc) < len(name):
            found[heredoc] = "\n".join(_until(lines, end, what))
        else:
            assert sign and name, f"{what}: invalid format {line!r}"
            found[name] = value
    return found


def _until(lines: object, end: str, what: str) -> list[str]:
    found = []
    for line in lines:  # type: ignore[attr-defined]
        if line == end:
            return found
        found.append(line)
    raise AssertionError(f"{what}: {end!r} never comes")
