"""Types that only settings have: numbers in a range, globs, project codes, groups of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from qase_iac.attributes import INVALID, Attribute, Reporter, Type
from qase_iac.attributes.base import is_null, is_plain, scalar, sequence
from qase_iac.attributes.text import text_of
from qase_iac.config.reporter import nearest
from qase_iac.globs import is_suite_glob
from qase_iac.values import JSON, printable

ENV_PATTERN = r"\$\{env:"


@dataclass(frozen=True)
class Number(Type):
    """A number from `low` to `high`, both included."""

    low: int
    high: int | None = None
    whole: bool = True

    @property
    def takes(self) -> str:
        what = "a whole number" if self.whole else "a number"
        return f"{what} from {self.low} to {self.high}" if self.high is not None else f"{what}, at least {self.low}"

    def schema(self) -> dict[str, Any]:
        bounds = {"minimum": self.low} | ({"maximum": self.high} if self.high is not None else {})
        return {"type": ["integer" if self.whole else "number", "null"], **bounds}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        text = scalar(node, row, reporter, self.takes)
        if text is None:
            return INVALID
        if is_null(node):
            return None
        value = self._number(text) if is_plain(node) else None
        if value is None or value < self.low or (self.high is not None and value > self.high):
            reporter.error(node, "bad-number", f"`{row.name}` takes {self.takes}, not {printable(text[:40])!r}.")
            return INVALID
        return value

    def _number(self, text: str) -> int | float | None:
        if re.fullmatch(r"[0-9]{1,9}", text):
            return int(text)
        if not self.whole and re.fullmatch(r"[0-9]{0,9}\.[0-9]{1,9}", text):
            return float(text)
        return None


@dataclass(frozen=True)
class Line(Type):
    """A text of one line that cannot be empty; null is as if it were left out."""

    pattern: str = ".+"
    what: str = "a text"

    @property
    def takes(self) -> str:
        return self.what

    def schema(self) -> dict[str, Any]:
        return {"type": ["string", "number", "null"], "minLength": 1}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        text = text_of(node, row, reporter)
        if text is None or text is INVALID:
            return text
        text = text.strip()
        if re.fullmatch(self.pattern, text) and printable(text) == text:
            return text
        reporter.error(node, "bad-setting", f"`{row.name}` takes {self.what}, not {_shown(text)}.")
        return INVALID


@dataclass(frozen=True)
class Globs(Type):
    """A list of patterns: of suites' keys, or of files."""

    suites: bool = False

    @property
    def takes(self) -> str:
        what = "suite patterns such as checkout or checkout/**" if self.suites else "file patterns such as drafts/**"
        return f"a list of {what}"

    def schema(self) -> dict[str, Any]:
        return {"type": ["array", "null"], "items": {"type": ["string", "number"], "minLength": 1}}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if is_null(node):
            return None
        nodes = sequence(node, row, reporter, "patterns")
        if nodes is None:
            return INVALID
        found = [self._one(item, row, reporter) for item in nodes]
        good = [text for text in found if text is not None]
        return good if good or not found else INVALID  # nothing but slips is as if it were left out

    def _one(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> str | None:
        value = text_of(node, row, reporter)
        if value is INVALID:
            return None
        text = str(value or "").strip()
        good = is_suite_glob(text) if self.suites else bool(text) and ".." not in text.split("/")
        if good and printable(text) == text:
            return text
        detail = (
            "Patterns match the keys of suites: `checkout` is that suite alone, `checkout/**` all below as well, "
            "`*` and `?` stay within a segment, `.` is the project's root."
            if self.suites
            else "Patterns match paths below the project folder, with `/`: drafts/**, *.draft.yaml."
        )
        reporter.error(node, "bad-pattern", f"{_shown(text)} is no pattern.", detail)
        return None


@dataclass(frozen=True)
class Choice(Type):
    """One word of a list. `later` are words of the format that this version does not carry out."""

    words: tuple[str, ...]
    later: tuple[str, ...] = ()

    @property
    def takes(self) -> str:
        return f"one of: {', '.join(self.words)}"

    def schema(self) -> dict[str, Any]:
        return {"enum": [*self.words, None]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        text = scalar(node, row, reporter, self.takes)
        if text is None:
            return INVALID
        if is_null(node) or text in self.words:
            return None if is_null(node) else text
        if text in self.later:
            summary = f"`{row.name}: {text}` is not supported yet in this version."
            reporter.error(node, "not-supported-yet", summary, f"It takes {', '.join(self.words)}.")
        else:
            known = (*self.words, *self.later)
            summary = f"`{row.name}` has no option {_shown(text)}.{reporter.nearest(text, known)}"
            reporter.error(node, "unknown-word", summary, f"It takes {', '.join(self.words)}.")
        return INVALID


@dataclass(frozen=True)
class Setting(Attribute):
    """A row of qase.yaml. `env`: `${env:NAME}` may stand in it. `default`: what counts when it is left out."""

    env: bool = False
    default: Any = None


@dataclass(frozen=True)
class Group(Type):
    """A mapping of settings."""

    rows: tuple[Setting, ...]
    by_name: Mapping[str, Setting] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {row.name: row for row in self.rows})

    @property
    def takes(self) -> str:
        return f"a mapping over {', '.join(self.by_name)}"

    def schema(self) -> dict[str, Any]:
        properties = {row.name: described(row, row.type.schema()) for row in self.rows}
        return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        found: dict[str, JSON] = {}
        for name, key, value in self.pairs(node, row.name, reporter):
            known = self.by_name.get(name)
            if known is None:
                unknown_setting(key, name, row.name, tuple(self.by_name), reporter)
                continue
            parsed = known.type.parse(value, known, reporter)
            if parsed is not INVALID and parsed is not None:
                found[name] = parsed
        return found

    def pairs(self, node: yaml.Node, name: str, reporter: Reporter) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        """The pairs of the mapping; none for null, and after a diagnostic for anything else."""
        if isinstance(node, yaml.MappingNode):
            return reporter.items(node)
        if not is_null(node):
            reporter.error(node, "wrong-type", f"`{name}` takes {self.takes}.")
        return iter(())


_SECRET = re.compile(r"token|secret|passw|api[_-]?key|credential", re.IGNORECASE)


def unknown_setting(key: yaml.Node, name: str, group: str, known: tuple[str, ...], reporter: Reporter) -> None:
    """A key that no row knows. What looks like a secret is told where it belongs, and its value is never shown."""
    if _SECRET.search(name):
        detail = (
            "The token is taken from the environment variable QASE_TESTOPS_API_TOKEN and from nowhere else. Remove the "
            "line; if the file was ever shared or committed, revoke that token in Qase as well."
        )
        reporter.error(key, "token-in-file", f"`{printable(name)}` does not belong into a file.", detail)
        return
    where = f"`{group}`" if group else "qase.yaml"
    summary = f"There is no setting `{printable(name)}` in {where}.{nearest(name, known)}"
    reporter.error(key, "unknown-setting", summary, f"It takes {', '.join(known)}.")


def described(row: Attribute, schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a row with what an editor shows beside it."""
    found = {"description": f"{row.doc} Takes {row.type.takes}.", **schema}
    if getattr(row, "env", False):
        found = {"description": found.pop("description"), "anyOf": [found, {"type": "string", "pattern": ENV_PATTERN}]}
    if getattr(row, "default", None) is not None:
        found["default"] = row.default  # type: ignore[attr-defined]
    if row.example is not None:
        found["examples"] = [row.example]
    return found


def _shown(text: str) -> str:
    return repr(printable(text[:80])) if text else "nothing"
