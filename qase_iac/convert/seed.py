"""What a project needs of its workspace, as a seed of the emulator: custom fields, option lists, members."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from qase_iac.attributes import Options
from qase_iac.config.layout import slug
from qase_iac.model import FIELD_TYPES
from qase_iac.values import JSON

SEED_FILE = "emulator-seed.yaml"
MAX_OPTIONS = 50
"""A field of more different values is no list to pick from."""
MAX_OPTION = 100
USES = 3
"""How often a value of a list is used, on average, at least."""
MAX_STRING = 255
_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}\Z")
_PERSON = re.compile(
    r"owner|author|assign|review|responsib|tester|member|user|lead|contact|created.by|updated.by", re.I
)


@dataclass
class _Field:
    """The values of one custom field that were met; nothing of an empty one."""

    given_type: str = ""
    given_options: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    kinds: set[type] = field(default_factory=set)

    def add(self, value: JSON) -> None:
        self.kinds.add(type(value))
        for item in value if isinstance(value, list) else [value]:
            text = as_text(item)
            self.counts[text] = self.counts.get(text, 0) + 1

    def type(self, title: str) -> str:
        """The type that holds every value as it is."""
        if self.given_type and (self.given_type in ("string", "text") or not self.counts):
            return self.given_type
        if list in self.kinds:
            return "multiselect"
        if self.kinds == {bool}:
            return "checkbox"
        if self.kinds and self.kinds <= {int, float}:
            return "number"
        longest = max(map(len, self.counts), default=0)
        if longest > MAX_STRING or any("\n" in value or "\r" in value for value in self.counts):
            return "text"
        if _PERSON.search(title) and self.counts and all(map(_EMAIL.match, self.counts)):
            return "user"
        return "selectbox" if self._is_list(longest) else "string"

    def _is_list(self, longest: int) -> bool:
        used_again = sum(self.counts.values()) >= USES * len(self.counts)
        short = longest <= MAX_OPTION and all(value == value.strip() for value in self.counts)
        distinct = len({value.casefold() for value in self.counts}) == len(self.counts)
        few = 0 < len(self.counts) <= MAX_OPTIONS
        return few and short and distinct and (used_again or self.given_type in ("selectbox", "radio"))


@dataclass
class Seed:
    """Everything of the workspace that a file mentions."""

    fields: dict[str, _Field] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    _types: dict[str, str] = field(default_factory=dict)

    def custom_field(self, title: str, value: JSON, given_type: str = "", options: Iterable[str] = ()) -> None:
        """A custom field and a value of it; None, "" and [] are no values."""
        known = self.fields.setdefault(title, _Field())
        if given_type in FIELD_TYPES and not known.given_type:
            known.given_type = given_type
        known.given_options += [option for option in options if option not in known.given_options]
        if value not in (None, "", []):
            known.add(value)

    def value(self, title: str, value: JSON) -> JSON:
        """A value in the form in which YAML says it, once all values were met."""
        if isinstance(value, list):
            return [as_text(item).strip() for item in value]
        type_ = self._type(title)
        if type_ == "multiselect":
            return [as_text(value).strip()]
        return value if type_ in ("checkbox", "number") else as_text(value)

    def _type(self, title: str) -> str:
        """Looked at once, when all values were met."""
        if title not in self._types:
            self._types[title] = self.fields[title].type(title)
        return self._types[title]

    def word(self, type_: Options, word: str) -> str:
        """The YAML word for an option that the stock list does not have."""
        known = self.words.setdefault(type_.field, {})
        found = next((name for name, title in known.items() if title == word), None)
        if found is not None:
            return found
        base = slug(word, 40) or f"option-{len(known) + 1}"
        number, name = 1, base
        while name in known or name in type_.words:
            number += 1
            name = f"{base}-{number}"
        known[name] = word
        return name

    def member(self, email: str, name: str = "") -> None:
        """Somebody's e-mail and name."""
        email = email.strip()
        if _EMAIL.match(email) and not self.members.get(email):
            self.members[email] = name.strip()

    def document(self, stock: dict[str, Options]) -> dict[str, JSON]:
        """The seed file. `stock` maps a system field to its type."""
        fields = [self._custom_field(title) for title in self.fields]
        found: dict[str, JSON] = {"custom_fields": fields}
        if self.words:
            found["system_fields"] = {name: self._options(stock[name]) for name in self.words}
        if self.members:
            users = [{"name": name or email.partition("@")[0], "email": email} for email, name in self.members.items()]
            found["users"] = users
        return found

    def catalogue(self, stock: dict[str, Options]) -> dict[str, JSON]:
        """catalogue.yaml for the words that the stock lists do not have, {} when there are none."""
        lists = {
            name: [{"word": one["slug"], "title": one["title"]} for one in self._options(stock[name])]
            for name in self.words
        }
        return {"options": lists} if lists else {}

    def _custom_field(self, title: str) -> dict[str, JSON]:
        known = self.fields[title]
        type_ = self._type(title)
        entry: dict[str, JSON] = {"title": title, "type": type_}
        if type_ == "user":
            for email in known.counts:
                self.member(email)
        if type_ in ("selectbox", "radio", "multiselect"):
            met = [value.strip() for value in known.counts]
            entry["options"] = list(dict.fromkeys([*known.given_options, *met])) or ["-"]
        return entry

    def _options(self, type_: Options) -> list[dict[str, JSON]]:
        stock = [{"id": id, "slug": word, "title": word} for id, word in type_.stock]
        start = max(id for id, _ in type_.stock) + 1
        own = self.words[type_.field].items()
        return stock + [{"id": start + at, "slug": word, "title": title} for at, (word, title) in enumerate(own)]


def as_text(value: JSON) -> str:
    """A scalar as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)
