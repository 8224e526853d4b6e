"""How a live value of each type is written in YAML; None where there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from qase_iac.attributes import (
    Attribute,
    Automation,
    Files,
    Flag,
    Options,
    Parameters,
    RefSet,
    RefTo,
    ResolveError,
    Steps,
    Text,
    TextSet,
    Type,
    Words,
    normal_text,
)
from qase_iac.attributes.step_rows import STEP_TEXTS
from qase_iac.config.writer import FilePath
from qase_iac.model import Catalogue
from qase_iac.values import JSON

NO_ACTION = "(no action)"
"""What stands for an action that is empty in Qase; the format wants one."""


class Unsaid(Exception):
    """The format has no words for this value; says why."""


class Speaker(Protocol):
    """What a form needs to know of the rest of the export."""

    catalogue: Catalogue

    def reference(self, kind: str, id: JSON) -> JSON:
        """A key, or `{external_id: …}`. Raises Unsaid."""
        ...

    def file(self, hash: str) -> FilePath | None:
        """The path of an attachment, None when it cannot be had."""
        ...

    def unsound(self, why: str) -> None:
        """What is being said is not quite what Qase holds; says why not."""
        ...


Form = Callable[[Speaker, Attribute, JSON], JSON]


def form_of(type_: Type) -> Form:
    """The form of a type; text as it stands where there is none of its own."""
    return _FORMS.get(type(type_), _text)


def _text(form: Speaker, row: Attribute, value: JSON) -> JSON:
    if not normal_text(value):
        return None
    text: str = value
    if isinstance(row.type, Text) and row.type.one_line:
        line = text.strip("\r\n")
        if "\n" in line or "\r" in line or len(line) > (row.type.limit or len(line)):
            return None
    return text


def _flag(form: Speaker, row: Attribute, value: JSON) -> JSON:
    return True if value else None


def _words(form: Speaker, row: Attribute, value: JSON) -> JSON:
    assert isinstance(row.type, Words)
    if value is not None and value not in row.type.words:
        raise Unsaid("a word that the format does not have")
    return value


def _option(form: Speaker, row: Attribute, value: JSON) -> JSON:
    """Its word; not that of a deleted option, nor one that means another option as well."""
    if value is None:
        return None
    try:
        if row.type.resolve(value, row, form.catalogue) == value:
            return value
    except ResolveError:
        pass
    raise Unsaid("an option that was deleted or whose word is not unique")


def _set(form: Speaker, row: Attribute, value: JSON) -> JSON:
    if not all(item.strip() for item in value or ()):
        raise Unsaid("one of them is empty")
    return value or None


def _ref(form: Speaker, row: Attribute, value: JSON) -> JSON:
    assert isinstance(row.type, RefTo)
    return None if value is None else form.reference(row.type.kind, value)


def _members(form: Speaker, row: Attribute, value: JSON) -> JSON:
    """A plan without members says so, since one that says nothing of them is a slip."""
    assert isinstance(row.type, RefSet)
    kind = row.type.kind
    if value is None:
        raise Unsaid("Qase did not show it")
    return [form.reference(kind, id) for id in value]


def _files(form: Speaker, row: Attribute, value: JSON) -> JSON:
    paths = [form.file(hash) for hash in value or ()]
    if None in paths:
        raise Unsaid("a file cannot be had")
    return paths or None


def _parameters(form: Speaker, row: Attribute, value: JSON) -> JSON:
    if not value:
        return None
    titles = {uuid: title for title, uuid in (form.catalogue.shared_parameters or {}).items()}
    items = [_parameter(item, titles) for item in value]
    names = [name for item in items for name in item if isinstance(item[name], list)]
    if len(set(names)) < len(names):
        raise Unsaid("two parameters have one name")
    if len(names) == len(items) and all(len(item) == 1 for item in items):
        return {name: values for item in items for name, values in item.items()}
    return items


def _parameter(item: dict[str, Any], titles: Mapping[JSON, str]) -> dict[str, JSON]:
    if set(item) == {"shared"} and not isinstance(item["shared"], list):
        title = titles.get(item["shared"])
        if not title or title != title.strip():
            raise Unsaid("a shared parameter that Qase does not list, or two of one title")
        return {"shared": title}
    lists = list(item.values())
    sound = lists and all(values and all(value.strip() for value in values) for values in lists)
    if not sound or len({len(values) for values in lists}) > 1:
        raise Unsaid("a parameter with empty values, or a group of uneven lists")
    if len(item) == 1 and len(set(lists[0])) < len(lists[0]):
        raise Unsaid("a parameter whose values repeat")
    return item


def _steps(form: Speaker, row: Attribute, value: JSON) -> JSON:
    return [_step(form, step) for step in value or ()] or None


def _step(form: Speaker, step: dict[str, JSON]) -> JSON:
    if "shared" in step:
        return {"shared": form.reference("shared_step", step["shared"])}
    said: dict[str, JSON] = {name: step[name] for name in STEP_TEXTS if normal_text(step.get(name))}
    if "action" not in said:
        form.unsound("one of the steps has no action, and the files want one")
        said = {"action": NO_ACTION, **said}
    files = [form.file(hash) for hash in step.get("attachments") or ()]
    if files and None not in files:  # left out, they are carried over from the live step
        said["attachments"] = files
    if step.get("steps"):
        said["steps"] = [_step(form, nested) for nested in step["steps"]]
    return said["action"] if len(said) == 1 else said


_FORMS: dict[type[Type], Form] = {
    Automation: _words,
    Files: _files,
    Flag: _flag,
    Options: _option,
    Parameters: _parameters,
    RefSet: _members,
    RefTo: _ref,
    Steps: _steps,
    TextSet: _set,
    Words: _words,
}
