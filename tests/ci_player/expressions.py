"""The expressions of GitHub workflow files: `${{ github.event.number == 7 && 'a' || inputs.b }}`.

Written from "Evaluate expressions in workflows and actions" of GitHub's documentation: literals, operators, loose
comparison, functions. Other than there, a name that nobody has defined is an error and not an empty string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Context = Mapping[str, Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<sign>&&|\|\||==|!=|<=|>=|[!<>()\[\].,*]))"
)
_WRITTEN = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
WORDS = {"true": True, "false": False, "null": None}
STATUS = ("always", "success", "failure", "cancelled")


class Unknown(Exception):
    """An expression that names what is not there, or cannot be read."""


class Strict(dict[str, Any]):
    """A context in which a name that is not known is an error. `known` are names that may be missing here."""

    def __init__(self, what: str, values: Mapping[str, Any], known: Mapping[str, Any] = {}) -> None:
        super().__init__({**dict.fromkeys(known), **values})
        self.what = what

    def __missing__(self, name: str) -> Any:
        raise Unknown(f"{self.what} has no `{name}`; there are: {', '.join(self) or 'none'}")


class Anything(Strict):
    """A context in which a name that is not known is empty: the outputs of a step that came to no good end."""

    def __missing__(self, name: str) -> Any:
        return None


def evaluate(expression: str, context: Context) -> Any:
    """The value of what stands between `${{` and `}}`. Raises Unknown."""
    reader = _Reader(list(_tokens(expression)), context)
    value = reader.either()
    reader.end(expression)
    return value


def fill(text: str, context: Context) -> str:
    """A text with its expressions replaced by their values."""
    return _WRITTEN.sub(lambda match: shown(evaluate(match.group(1), context)), text)


def value_of(node: Any, context: Context) -> Any:
    """A value of the file: texts filled, where one expression is all of it as the value it has; below, too."""
    if isinstance(node, str):
        alone = _WRITTEN.fullmatch(node.strip())
        return evaluate(alone.group(1), context) if alone else fill(node, context)
    if isinstance(node, dict):
        return {name: value_of(value, context) for name, value in node.items()}
    return [value_of(each, context) for each in node] if isinstance(node, list) else node


def condition(text: Any, context: Context) -> bool:
    """An `if:`. Unless it asks for the status itself, `success()` goes without saying."""
    if text is None:
        return truthy(evaluate("success()", context))
    written = str(text).lower() if isinstance(text, bool) else str(text).strip()
    match = _WRITTEN.fullmatch(written)
    if match is None and "${{" in written:
        raise Unknown(f"`if: {written}` is half text, which is always true")
    inner = match.group(1) if match else written
    asks = any(re.search(rf"\b{name}\s*\(", inner) for name in STATUS)
    return truthy(evaluate(inner if asks else f"success() && ({inner})", context))


def shown(value: Any) -> str:
    """As text, the way GitHub writes it into a script."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, dict | list):
        raise Unknown(f"{json.dumps(value)[:60]} is no text; toJSON() makes one")
    return str(value)


def truthy(value: Any) -> bool:
    return value not in (None, False, 0, "")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise Unknown(f"cannot read {text[at:]!r} in `{text.strip()}`")
        yield str(match.lastgroup), match.group(str(match.lastgroup))
        at = match.end()


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _equal(a: Any, b: Any) -> bool:
    """Texts without regard to case; different types as numbers, of which NaN equals nothing."""
    if isinstance(a, str) and isinstance(b, str):
        return a.lower() == b.lower()
    if type(a) is type(b):
        return bool(a == b)
    return _number(a) == _number(b)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": _equal,
    "!=": lambda a, b: not _equal(a, b),
    "<": lambda a, b: _number(a) < _number(b),
    "<=": lambda a, b: _number(a) <= _number(b),
    ">": lambda a, b: _number(a) > _number(b),
    ">=": lambda a, b: _number(a) >= _number(b),
}


def _format(template: str, *values: Any) -> str:
    plain = re.sub(r"\{(\d+)\}", lambda match: shown(values[int(match.group(1))]), template)
    return plain.replace("{{", "{").replace("}}", "}")


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(_equal(each, what) for each in where)
    return shown(what).lower() in shown(where).lower()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: shown(text).lower().startswith(shown(start).lower()),
    "endswith": lambda text, end: shown(text).lower().endswith(shown(end).lower()),
    "format": _format,
    "join": lambda values, by=",": by.join(map(shown, values)),
    "tojson": lambda value: json.dumps(value, indent=2),
    "fromjson": lambda text: json.loads(text),
}


class _Reader:
    """Recursive descent. What `&&` and `||` do not need is read, too: a wrong name there is a wrong name. Only functions
    are not called there (`dead`)."""

    def __init__(self, tokens: list[tuple[str, str]], context: Context) -> None:
        self.tokens, self.at, self.context, self.dead = tokens, 0, context, 0

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def take(self, sign: str = "") -> tuple[str, str]:
        if self.at == len(self.tokens) or (sign and self.peek() != sign):
            read = " ".join(each for _, each in self.tokens[: self.at])
            raise Unknown(f"{sign or 'a value'} is missing after {read!r}")
        self.at += 1
        return self.tokens[self.at - 1]

    def end(self, expression: str) -> None:
        if self.at < len(self.tokens):
            raise Unknown(f"{self.peek()!r} is too much in `{expression.strip()}`")

    def either(self) -> Any:
        value = self.both()
        while self.peek() == "||":
            self.take()
            other = self.needed(self.both, not truthy(value))
            value = value if truthy(value) else other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.peek() == "&&":
            self.take()
            other = self.needed(self.compared, truthy(value))
            value = other if truthy(value) else value
        return value

    def needed(self, part: Callable[[], Any], is_needed: bool) -> Any:
        self.dead += not is_needed
        value = part()
        self.dead -= not is_needed
        return value

    def compared(self) -> Any:
        value = self.turned()
        while self.peek() in COMPARE:
            value = COMPARE[self.take()[1]](value, self.turned())
        return value

    def turned(self) -> Any:
        if self.peek() == "!":
            self.take()
            return not truthy(self.turned())
        return self.reached()

    def reached(self) -> Any:
        value = self.first()
        while self.peek() in (".", "["):
            if self.take()[1] == ".":
                kind, name = self.take()
                if kind != "name":
                    raise Unknown(f".{name} is not played")
            else:
                name = self.either()
                self.take("]")
            value = _member(value, name)
        return value

    def first(self) -> Any:
        kind, word = self.take()
        if kind == "number":
            return float(word)
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if word == "(":
            value = self.either()
            self.take(")")
            return value
        if kind != "name":
            raise Unknown(f"{word!r} is no value")
        if self.peek() == "(":
            return self.called(word)
        if word in WORDS:
            return WORDS[word]
        if word not in self.context:
            raise Unknown(f"there is no context `{word}` here")
        return self.context[word]

    def called(self, name: str) -> Any:
        self.take("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.either())
            if self.peek() == ",":
                self.take()
        self.take(")")
        known = {**FUNCTIONS, **self.context.get("()", {})}
        if name.lower() not in known:
            raise Unknown(f"there is no function `{name}`")
        return None if self.dead else known[name.lower()](*arguments)


def _member(value: Any, name: Any) -> Any:
    if value is None:  # of what may be missing all below is missing, too
        return None
    if isinstance(value, Strict):
        return value[str(name)]
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, list) and isinstance(name, float) and name < len(value):
        return value[int(name)]
    raise Unknown(f"there is no `{name}` in {json.dumps(value)[:80]}")
