"""Custom fields of a case: a mapping in YAML, one attribute `custom_fields.TITLE` each from then on.

Offline a value is its source text (or a list of them, or null), since only the live definition tells the type.
`resolve` makes it canonical: number -> int or float, checkbox -> bool, datetime -> UTC text, options -> their titles
(several: sorted), user -> e-mail, the rest text (qase-api.md section 7.7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import yaml

from qase_iac.attributes.base import INVALID, Attribute, Decoding, Reporter, ResolveError, Type, is_null, shape_of
from qase_iac.attributes.text import canonical_instant, normal_text
from qase_iac.model import Catalogue, CustomField
from qase_iac.values import JSON, printable

PREFIX = "custom_fields."


@dataclass(frozen=True)
class CustomFields(Type):
    """The row of the mapping as a whole; the loader takes it apart."""

    @property
    def takes(self) -> str:
        return "a mapping from a custom field's title to its value; options by their title; null clears"

    def schema(self) -> dict[str, Any]:
        single = {"type": ["string", "number", "boolean", "null"]}
        several = {"type": "array", "items": {"type": ["string", "number", "boolean"], "minLength": 1}}
        return {"type": ["object", "null"], "additionalProperties": {"anyOf": [single, several]}}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            summary = f"`{row.name}` takes a mapping from a field's title to its value, not {shape_of(node)}."
            reporter.error(node, "wrong-type", summary, f"Write:\n{row.name}:\n  Component: Payments")
            return INVALID
        values = {title: self._value(title, value, reporter) for title, _, value in reporter.items(node)}
        return {title: value for title, value in values.items() if value is not INVALID}

    def _value(self, title: str, node: yaml.Node, reporter: Reporter) -> JSON:
        if isinstance(node, yaml.ScalarNode):
            return None if is_null(node) else node.value
        if isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
            return self._values(title, node.value, reporter)
        if not reporter.slip(node):
            summary = f"The custom field {printable(title)!r} takes one value or a list of values."
            reporter.error(node, "wrong-type", summary, f"Write `{printable(title)}: [one, two]`.")
        return INVALID

    def _values(self, title: str, nodes: list[yaml.Node], reporter: Reporter) -> JSON:
        empty = [node for node in nodes if is_null(node) or not node.value.strip()]
        for node in empty:
            summary = f"A value of the custom field {printable(title)!r} is empty."
            detail = "Write a value, or drop it. To clear the field, write `null` in place of the list."
            reporter.error(node, "empty-item", summary, detail)
        return INVALID if empty else [node.value for node in nodes]


@dataclass(frozen=True)
class CustomFieldValue(Type):
    """One custom field, by its title."""

    title: str

    @property
    def takes(self) -> str:
        return "text, number, true/false, an option's title, a list of them, a date, a member's e-mail"

    def resolve(self, value: JSON, row: Attribute, catalogue: Catalogue) -> JSON:
        field = self._definition(catalogue)
        if field is None:
            if not catalogue.live:
                return value
            raise ResolveError(
                "unknown-custom-field",
                f"Qase has no custom field {printable(self.title)!r} for this project.",
                "Titles are compared exactly. Create the field in Qase, or correct the title.",
            )
        if value is None or value == "" or value == []:
            return _cleared(field)
        values = value if isinstance(value, list) else [value]
        if len(values) > 1 and field.type != "multiselect":
            raise ResolveError(
                "wrong-type",
                f"The custom field {printable(self.title)!r} ({field.type}) takes one value, not a list.",
            )
        return _RESOLVERS.get(field.type, _text)(field, values, catalogue)

    def _definition(self, catalogue: Catalogue) -> CustomField | None:
        try:
            return catalogue.field(self.title)
        except LookupError as error:
            raise ResolveError("ambiguous-custom-field", f"{error}.", "Rename one of them in Qase.") from None

    def canon(self, value: JSON) -> JSON:
        if isinstance(value, str):
            return normal_text(value) or None
        if isinstance(value, list):
            return sorted(value) or None
        return value

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        field = self._definition(catalogue)
        if field is None:
            raise ResolveError("unknown-custom-field", f"Qase has no custom field {printable(self.title)!r}.")
        return {"custom_field": {str(field.id): _encode(field, value, catalogue)}}


def decode_custom_fields(entity: dict[str, Any], context: Decoding) -> dict[str, JSON]:
    """All custom fields of an entity as `custom_fields.TITLE` -> canonical value.

    Definitions without a value give their cleared value, so that a field unset in Qase is known to be unset.
    Values of fields that no longer exist are left out (sections 7.7, 11.2).
    """
    served = entity.get("custom_fields")
    if served is None:
        return {}
    raw: dict[int, list[str]] = {}
    for item in served:
        value = item.get("value")
        if value is not None and value != "":
            raw.setdefault(int(item["id"]), []).append(value)
    if not context.custom_fields:
        context.custom_fields = [_reader(field, context.catalogue) for field in context.catalogue.custom_fields]
    return {
        name: read(values) if (values := raw.get(id)) else cleared for name, id, cleared, read in context.custom_fields
    }


def _reader(field: CustomField, catalogue: Catalogue) -> tuple[str, int, JSON, Callable[[list[str]], JSON]]:
    """Name, id, cleared value, and what turns served values into a canonical one: made once, used for every case."""
    titles = {str(option.id): option.title for option in field.options}
    return PREFIX + field.title, field.id, _cleared(field), partial(_decode, field, titles, catalogue)


def _cleared(field: CustomField) -> JSON:
    return False if field.type == "checkbox" else None


def _option(field: CustomField, word: str) -> str:
    wanted = word.strip()
    titles = [option.title for option in field.options]
    exact = [title for title in titles if title == wanted] or [t for t in titles if t.casefold() == wanted.casefold()]
    if len(exact) == 1:
        return exact[0]
    known = ", ".join(printable(title) for title in titles[:12]) + (" …" if len(titles) > 12 else "")
    code, what = ("ambiguous-option", "several options") if exact else ("unknown-option", "no option")
    raise ResolveError(
        code,
        f"The custom field {printable(field.title)!r} has {what} {printable(wanted)!r}.",
        f"It takes: {known}.",
    )


def _resolve_option(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    return _option(field, values[0])


def _resolve_options(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    return sorted({_option(field, value) for value in values})


def _number(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    try:
        return _as_number(values[0])
    except ValueError:
        raise ResolveError(
            "wrong-type",
            f"The custom field {printable(field.title)!r} takes a number, not {printable(values[0])!r}.",
        ) from None


def _as_number(text: str) -> JSON:
    number = float(text.strip().replace("_", "x"))
    if number != number or number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return int(text) if text.strip().lstrip("+-").isdigit() else (int(number) if number.is_integer() else number)


def _checkbox(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    if values[0] not in ("true", "false"):
        raise ResolveError(
            "wrong-type", f"The custom field {printable(field.title)!r} is a checkbox: write true or false."
        )
    return values[0] == "true"


def _datetime(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    try:
        return canonical_instant(values[0])
    except ValueError:
        raise ResolveError(
            "bad-date",
            f"The custom field {printable(field.title)!r} takes a date, not {printable(values[0])!r}.",
        ) from None


def _user(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    email = values[0].strip()
    if catalogue.members is None or email in catalogue.members:
        return email
    match = [known for known in catalogue.members if known.casefold() == email.casefold()]
    if match:
        return match[0]
    raise ResolveError("unknown-member", f"No member of the workspace has the e-mail {printable(email)!r}.")


def _text(field: CustomField, values: list[str], catalogue: Catalogue) -> JSON:
    return values[0]


_RESOLVERS = {
    "number": _number,
    "checkbox": _checkbox,
    "datetime": _datetime,
    "selectbox": _resolve_option,
    "radio": _resolve_option,
    "multiselect": _resolve_options,
    "user": _user,
}


def _encode(field: CustomField, value: JSON, catalogue: Catalogue) -> str:
    """The text that the API takes, "" to clear (section 7.7)."""
    if value is None or value is False or value == []:
        return ""
    ids = {option.title: str(option.id) for option in field.options}
    if field.type == "checkbox":
        return "1"
    if field.type in ("selectbox", "radio"):
        return ids[value]
    if field.type == "multiselect":
        return ",".join(ids[title] for title in value)
    if field.type == "user":
        return str((catalogue.members or {})[value])
    return str(value)


def _decode(field: CustomField, titles: dict[str, str], catalogue: Catalogue, values: list[str]) -> JSON:
    first = str(values[0])
    if field.type == "checkbox":
        return first.lower() not in ("0", "false", "")
    if field.type in ("selectbox", "radio"):
        return titles.get(first, f"#{first}")
    if field.type == "multiselect":
        return sorted({titles.get(id.strip(), f"#{id.strip()}") for id in _split(values) if id.strip()})
    if field.type == "user":
        return next((email for email, id in (catalogue.members or {}).items() if str(id) == first), f"#{first}")
    return _typed(field, first)


def _split(values: Iterable[Any]) -> list[str]:
    """Several entries with one option each, or one entry joined by commas: both occur (section 7.7)."""
    return [part for value in values for part in str(value).split(",")]


def _typed(field: CustomField, text: str) -> JSON:
    try:
        if field.type == "number":
            return _as_number(text)
        if field.type == "datetime":
            return canonical_instant(text)
    except ValueError:
        pass  # a value that does not fit its own definition stays visible as it is
    return text
