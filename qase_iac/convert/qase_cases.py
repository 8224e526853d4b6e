"""The cases of Qase's JSON export, attribute by attribute, in the order of our table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qase_iac.attributes import Options, normal_text
from qase_iac.attributes.text import canonical_instant
from qase_iac.config.layout import Keys, Named
from qase_iac.convert.qase_steps import StepReader, gherkin, note_attachments
from qase_iac.convert.reading import Source
from qase_iac.convert.seed import Seed
from qase_iac.kinds import BY_NAME
from qase_iac.values import JSON, Attributes

CASE = BY_NAME["case"]
_ORDER = {row.name: at for at, row in enumerate(CASE.attributes)}
_TEXTS = ("description", "preconditions", "postconditions")
_PEOPLE = ("author", "created_by", "updated_by", "owner", "assignee", "reviewer", "member")
_KNOWN = frozenset(
    [*_ORDER, "id", "position", "suite_id", "steps_type", "is_flaky", "params", "milestone_id", "suite"]
)  # fmt: skip
_AUTOMATION = {
    "is-not-automated": "manual",
    "not-automated": "manual",
    "manual": "manual",
    "to-be-automated": "to-be-automated",
    "automated": "automated",
    "0": "manual",
    "1": "to-be-automated",
    "2": "automated",
}
_YES, _NO = frozenset(["yes", "true", "1"]), frozenset(["no", "false", "0", ""])


@dataclass
class CaseReader:
    """Reads cases; the milestones that they name become objects: title -> (key, attributes)."""

    source: Source
    seed: Seed
    steps: StepReader
    milestones: dict[str, tuple[str, Attributes]] = field(default_factory=dict)
    _milestone_ids: dict[str, str] = field(default_factory=dict)
    _keys: Keys = field(default_factory=Keys)

    def case(self, entity: dict[str, Any], where: str) -> Attributes:
        """The attributes of a case. Values of custom fields are to be finished when all cases were read."""
        self.source.unknown(entity, _KNOWN, "case")
        found: Attributes = {"title": self.source.title(entity, where, "case")}
        for name in _TEXTS:
            if normal_text(text := self.source.text(entity, name, where)):
                found[name] = text
        for row in CASE.attributes:
            if isinstance(row.type, Options) and (word := self._option(row.name, row.type, entity, where)):
                found[row.name] = word
        found |= {name: value for name, value in self._rest(entity, where).items() if value}
        self._people(entity)
        note_attachments(self.source, entity, where)
        return {name: found[name] for name in sorted(found, key=_ORDER.__getitem__)}

    def finish(self, attributes: Attributes) -> None:
        """Puts the values of custom fields into their final form."""
        if values := attributes.get("custom_fields"):
            attributes["custom_fields"] = {title: self.seed.value(title, value) for title, value in values.items()}

    def _rest(self, entity: dict[str, Any], where: str) -> Attributes:
        scenario = normal_text(self.source.text(entity, "steps_type", where)).lower() == "gherkin"
        steps: Attributes = (
            {"gherkin": gherkin(self.source, entity, where)}
            if scenario or isinstance(entity.get("gherkin"), str)
            else {"steps": self.steps.steps(entity, where)}
        )
        return {
            "automation": self._automation(entity, where),
            "flaky": self._flaky(entity, where),
            "milestone": self._milestone(entity, where),
            "tags": self._tags(entity, where),
            "parameters": self._parameters(entity, where),
            "custom_fields": self._custom_fields(entity, where),
            **steps,
        }

    # --- words

    def _option(self, name: str, type_: Options, entity: dict[str, Any], where: str) -> str | None:
        """A word; one that no stock list has becomes an option of the workspace."""
        written = self.source.text(entity, name, where).strip()
        if not written:
            return None
        word = written.casefold().replace(" ", "-").replace("_", "-")
        word = dict(type_.aliases).get(word, word)
        if word in type_.words:
            return word
        if word.isdecimal():
            found = next((stock for id, stock in type_.stock if str(id) == word), None)
            if found is None:
                self.source.notes.add(f"left out, no stock option of `{name}` has this id", written)
            return found
        if word == "not-set" and "undefined" in type_.words:
            return "undefined"
        if type_.fixed:
            self.source.notes.add(f"left out, Qase has no such `{name}`", written)
            return None
        self.source.notes.add(
            f"words of your own workspace for `{name}`, now in the seed and in catalogue.yaml", written
        )
        return self.seed.word(type_, written)

    def _automation(self, entity: dict[str, Any], where: str) -> str | None:
        written = self.source.text(entity, "automation", where).strip()
        word = _AUTOMATION.get(written.casefold().replace(" ", "-").replace("_", "-"))
        if written and word is None:
            self.source.notes.add("left out, Qase has no such `automation`", written)
        return word

    def _flaky(self, entity: dict[str, Any], where: str) -> bool:
        value = entity.get("is_flaky", entity.get("flaky"))
        written = str(value if value is not None else "").strip().casefold()
        if isinstance(value, dict | list) or written not in _YES | _NO:
            self.source.problem(f"{where}.is_flaky", "yes or no expected.")
        return written in _YES

    def _tags(self, entity: dict[str, Any], where: str) -> list[str]:
        tags = entity.get("tags")
        items = tags.split(",") if isinstance(tags, str) else self.source.items(entity, "tags", where)
        found: dict[str, None] = {}
        for at, item in enumerate(items):
            holder = item if isinstance(item, dict) else {"title": item}
            if tag := self.source.text(holder, "title", f"{where}.tags[{at}]").strip():
                found[tag] = None
        return list(found)

    # --- milestones and people

    def milestone(self, entity: dict[str, Any], where: str) -> str:
        """A milestone as an object: its key. The same title is the same milestone."""
        title = self.source.title(entity, where, "milestone")
        if title not in self.milestones:
            attributes: Attributes = {"title": title}
            if normal_text(text := self.source.text(entity, "description", where)):
                attributes["description"] = text
            if (status := self.source.text(entity, "status", where).strip().lower()) in ("active", "completed"):
                attributes["status"] = status
            if due := self._due_date(entity, where):
                attributes["due_date"] = due
            id = entity.get("id") if isinstance(entity.get("id"), int | str) else len(self.milestones) + 1
            self.milestones[title] = self._keys.give(Named(str(id), title, "milestone")), attributes
        if entity.get("id") is not None:
            self._milestone_ids[str(entity["id"])] = title
        return self.milestones[title][0]

    def _due_date(self, entity: dict[str, Any], where: str) -> str | None:
        written = self.source.text(entity, "due_date", where).strip()
        try:
            return canonical_instant(written) if written else None
        except (ValueError, OverflowError):
            self.source.notes.add("left out, this `due_date` is no date", written)
            return None

    def _milestone(self, entity: dict[str, Any], where: str) -> str | None:
        """Named by its title, by an object, or by the id of one of the file's own `milestones`."""
        value = entity.get("milestone")
        if isinstance(value, dict):
            return self.milestone(value, f"{where}.milestone")
        if isinstance(value, str) and value.strip():
            return self.milestone({"title": value.strip()}, f"{where}.milestone")
        id = value if value not in (None, "") else entity.get("milestone_id")
        if id in (None, "", 0):
            return None
        title = self._milestone_ids.get(str(id))
        if title is None:
            self.source.notes.add("left out, the file does not say what this milestone is", str(id))
            return None
        return self.milestones[title][0]

    def _people(self, entity: dict[str, Any]) -> None:
        for name in _PEOPLE:
            value = entity.get(name)
            if isinstance(value, dict) and isinstance(value.get("email"), str):
                self.seed.member(value["email"], str(value.get("name") or ""))
            elif isinstance(value, str):
                self.seed.member(value)

    # --- parameters and custom fields

    def _parameters(self, entity: dict[str, Any], where: str) -> JSON:
        """`{name: [values]}`, `[{title, values}]`, or groups `[{items: [{title, values}]}]`."""
        name = "parameters" if entity.get("parameters") else "params"
        value = entity.get(name)
        if isinstance(value, dict) and not all(key.isdecimal() for key in value):
            groups = [[{"title": title, "values": values}] for title, values in value.items()]
        else:
            rows = self.source.objects(entity, name, where)
            groups = [self._group(row, place) for row, place in rows]
        items = [item for group in groups if (item := self._parameter(group, f"{where}.{name}"))]
        names = [title for item in items for title in item]
        if len(set(names)) < len(names):
            self.source.notes.add("parameters left out, one name stands twice", where)
            return None
        if all(len(item) == 1 for item in items):
            return {title: values for item in items for title, values in item.items()}
        return items

    def _group(self, row: dict[str, Any], where: str) -> list[dict[str, Any]]:
        if "items" in row:
            return [item for item, _ in self.source.objects(row, "items", where)]
        inner = row.get("item")
        return [inner if isinstance(inner, dict) else row]

    def _parameter(self, group: list[dict[str, Any]], where: str) -> dict[str, JSON] | None:
        item: dict[str, JSON] = {}
        for entry in group:
            title = self.source.text(entry, "title", where) or self.source.text(entry, "name", where)
            values = entry.get("values", entry.get("value"))
            if isinstance(values, str):
                values = values.split(",")
            listed = self.source.items({"values": values}, "values", where)
            texts = [self.source.text({"value": value}, "value", where).strip() for value in listed]
            item[title] = [text for text in texts if text]
            if len(group) == 1:
                item[title] = list(dict.fromkeys(item[title]))
        lengths = {len(values) for values in item.values()}
        if item and "" not in item and len(lengths) == 1 and lengths != {0}:
            return item
        self.source.notes.add("parameters left out, without a name or values, or of uneven lists", where)
        return None

    def _custom_fields(self, entity: dict[str, Any], where: str) -> Attributes:
        """`[{title, value}]`, or `{title: value}`."""
        value = entity.get("custom_fields")
        if isinstance(value, dict) and not all(key.isdecimal() for key in value):
            rows = [({"title": title, "value": item}, f"{where}.custom_fields") for title, item in value.items()]
        else:
            rows = self.source.objects(entity, "custom_fields", where)
        found: Attributes = {}
        for row, place in rows:
            title = self.source.text(row, "title", place).strip() or f"Custom field {row.get('id') or '?'}"
            given = self._value(row.get("value"), f"{place}.value")
            options = [self.source.text({"o": o}, "o", place) for o in self.source.items(row, "options", place)]
            self.seed.custom_field(title, given, str(row.get("type") or "").lower(), filter(None, options))
            if given in (None, "", []):
                continue
            if title in found and found[title] != given:
                self.source.notes.add("a custom field has two values in one case, and the last one counts", title)
            found[title] = given
        return found

    def _value(self, value: JSON, where: str) -> JSON:
        """A scalar, or a list of them; texts in an encodable form."""
        if isinstance(value, list):
            texts = [self.source.text({"value": item}, "value", where).strip() for item in value]
            return list(dict.fromkeys(text for text in texts if text))
        if isinstance(value, dict):
            self.source.wrong(where, "a text or a list of texts", value)
            return None
        text = self.source.text({"value": value}, "value", where) if isinstance(value, str) else value
        return text if not isinstance(text, str) or text.strip() else None
