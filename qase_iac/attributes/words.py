"""Attributes that take one word of a list: fixed lists, and lists that a workspace may change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from qase_iac.attributes.base import (
    INVALID,
    UNSET,
    Attribute,
    Decoding,
    Reporter,
    ResolveError,
    Type,
    is_null,
    scalar,
)
from qase_iac.model import Catalogue
from qase_iac.values import JSON, printable


def one_of(words: Iterable[str]) -> str:
    return ", ".join(words)


@dataclass(frozen=True)
class Words(Type):
    """One of a fixed list of words, the same at the API (milestone status)."""

    words: tuple[str, ...]
    default: str

    @property
    def takes(self) -> str:
        return f"one of: {one_of(self.words)}"

    def schema(self) -> dict[str, Any]:
        return {"enum": [*self.words, None]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        value = scalar(node, row, reporter, f"one of: {one_of(self.words)}")
        if value is None:
            return INVALID
        if is_null(node):
            return None
        if value in self.words:
            return value
        reporter.error(
            node,
            "unknown-word",
            f"`{row.name}` has no option {printable(value)!r}.{reporter.nearest(value, self.words)}",
            f"It takes {one_of(self.words)}.",
        )
        return INVALID

    def resolve(self, value: JSON, row: Attribute, catalogue: Catalogue) -> JSON:
        return self.default if value is None else value


@dataclass(frozen=True)
class Options(Type):
    """An option of a system field, by its word (slug, else title); an id of this workspace at the API.

    `stock` is the list of a workspace that never changed it (qase-api.md section 7.11); the live catalogue decides.
    `aliases` maps words of the 2020 dialect to today's.
    """

    field: str
    stock: tuple[tuple[int, str], ...]
    aliases: tuple[tuple[str, str], ...] = ()
    fixed: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(word for _, word in self.stock)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.words)

    def _today(self, word: str) -> str:
        return dict(self.aliases).get(word, word)

    @property
    def takes(self) -> str:
        return f"one of: {one_of(self.words)}" + ("" if self.fixed else "; or an option of your workspace")

    def schema(self) -> dict[str, Any]:
        if self.fixed:
            return {"enum": [*self.words, None]}
        # anyOf, not enum alone: editors complete the stock words and still accept a workspace's own.
        return {"anyOf": [{"enum": [*self.words, None]}, {"type": ["string", "number"], "minLength": 1}]}

    def parse(self, node: yaml.Node, row: Attribute, reporter: Reporter) -> JSON:
        if type(node) is yaml.ScalarNode and node.value in self._known:
            return node.value  # nearly every word; what follows is for the others
        value = scalar(node, row, reporter, "a word")
        if value is None:
            return INVALID
        if is_null(node):
            return None
        if not value.strip():
            reporter.error(node, "unknown-word", f"`{row.name}` is empty.", f"It takes {one_of(self.words)}.")
            return INVALID
        if self.fixed and value not in self.words:
            hint = reporter.nearest(value, self.words)
            summary = f"`{row.name}` has no option {printable(value)!r}.{hint}"
            reporter.error(node, "unknown-word", summary, f"It takes {one_of(self.words)}.")
            return INVALID
        return value

    def resolve(self, value: JSON, row: Attribute, catalogue: Catalogue) -> JSON:
        if self.field not in catalogue.options:
            return self._resolve_stock(value, row)
        if value is None:
            default = catalogue.default(self.field)
            return default.slug if default else None
        option = catalogue.option(self.field, value) or catalogue.option(self.field, self._today(value))
        if option is None:
            words = [o.slug for o in catalogue.options[self.field]]
            raise ResolveError(
                "unknown-word",
                f"`{row.name}` has no option {printable(value)!r}.",
                f"It takes {one_of(words)}.",
            )
        return option.slug

    def _resolve_stock(self, value: JSON, row: Attribute) -> JSON:
        word = None if value is None else self._today(value)
        if word is not None and word not in self.words:
            raise ResolveError(
                "unknown-word",
                f"`{row.name}` has no option {printable(str(value))!r}.",
                f"It takes {one_of(self.words)}. Words of your own workspace are known after "
                "`qase-iac validate --online --remember`.",
            )
        return word

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        option = catalogue.option(self.field, value) if value is not None else catalogue.default(self.field)
        if option is None:
            raise ResolveError(
                "unknown-word", f"`{row.name}` has no option {printable(str(value))!r} in this workspace."
            )
        return {row.writes: option.id}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        value = entity.get(row.reads, UNSET)
        if value is UNSET or value is None:
            return UNSET
        option = context.catalogue.option_by_id(self.field, value)
        if option:
            return option.slug
        word = self._today(value) if isinstance(value, str) else None
        option = context.catalogue.option(self.field, word) if word else None
        # An option that the catalogue does not list (deleted since) stays visible by its id.
        return option.slug if option else f"#{value}"

    def reads_alone(self) -> bool:
        return True

    def reader(self, row: Attribute, context: Decoding) -> Callable[[dict[str, Any]], JSON]:
        slugs = {option.id: option.slug for option in context.catalogue.options.get(self.field, ())}

        def read(entity: dict[str, Any]) -> JSON:
            slug = slugs.get(entity.get(row.reads))  # type: ignore[arg-type]
            return self.decode(entity, row, context) if slug is None else slug

        return read


@dataclass(frozen=True)
class Automation(Words):
    """`manual`, `to-be-automated`, `automated`: two booleans when sent, three keys when read (sections 7.2, 7.11)."""

    def reads_alone(self) -> bool:
        return False

    def encode(self, value: JSON, row: Attribute, catalogue: Catalogue) -> dict[str, JSON]:
        return {"isManual": value != "automated", "isToBeAutomated": value == "to-be-automated"}

    def decode(self, entity: dict[str, Any], row: Attribute, context: Decoding) -> JSON:
        if entity.get("isManual") is not None:
            if entity["isManual"] in (False, 0, "0", "false"):
                return "automated"
            planned = entity.get("isToBeAutomated") in (True, 1, "1", "true")
            return "to-be-automated" if planned else "manual"
        value = entity.get("automation")
        if value is None:
            return UNSET if "is_automated" not in entity else ("automated" if entity["is_automated"] else "manual")
        words = {0: "manual", 1: "to-be-automated", 2: "automated", "is-not-automated": "manual"}
        return words.get(int(value) if str(value).isdigit() else value, value)
