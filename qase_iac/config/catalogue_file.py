"""catalogue.yaml: the workspace's own words as `validate --online --remember` found them, for checks offline.

It holds option words and titles of system fields, and custom fields with their types and options; no ids, since it is
only for reading what people write.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from qase_iac.attributes import INVALID
from qase_iac.attributes.base import Attribute, is_null
from qase_iac.attributes.text import Text, text_of
from qase_iac.config import files
from qase_iac.config.reporter import FileReporter, nearest
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import Diagnostic
from qase_iac.model import FIELD_TYPES, Catalogue, CustomField, Option
from qase_iac.values import printable

_HEAD = """\
# The words of your Qase workspace, for checks without a connection.
# Written by `qase-iac validate --online --remember`; commit it, do not edit it.
"""
_ROW = Attribute("catalogue", Text(), "")


def read_catalogue(root: Path) -> tuple[Catalogue, list[Diagnostic]]:
    """The catalogue of a project folder; an empty one (the stock words count) when there is no file."""
    path = root / files.CATALOGUE_FILE
    if not path.exists():
        return Catalogue(live=False), []
    data = files.read(files.SourceFile(path, files.CATALOGUE_FILE, 0))
    if isinstance(data, Diagnostic):
        return Catalogue(live=False), [data]
    document = read_yaml(data, files.CATALOGUE_FILE)
    reporter = FileReporter(files.CATALOGUE_FILE, document.text, document.diagnostics)
    catalogue = _Reader(reporter).catalogue(document.root)
    return catalogue, sorted(reporter.diagnostics, key=Diagnostic.sort_key)


def write_catalogue(root: Path, catalogue: Catalogue) -> Path:
    """Writes what a live catalogue knows, replacing the file whole."""
    from qase_iac.config.dump import dump

    path = root / files.CATALOGUE_FILE
    text = _HEAD + dump(_as_document(catalogue))
    handle, temporary = tempfile.mkstemp(dir=root, prefix=".catalogue-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def _as_document(catalogue: Catalogue) -> dict[str, Any]:
    options = {
        name: [{"word": o.slug, "title": o.title} | ({"default": True} if o.default else {}) for o in found]
        for name, found in sorted(catalogue.options.items())
    }
    fields = []
    for each in sorted(catalogue.custom_fields, key=lambda each: (each.title, each.id)):
        entry: dict[str, Any] = {"title": each.title, "type": each.type}
        if each.required:
            entry["required"] = True
        if each.options:
            entry["options"] = [option.title for option in each.options]
        fields.append(entry)
    return {"options": options, "custom_fields": fields}


class _Reader:
    def __init__(self, reporter: FileReporter) -> None:
        self.reporter = reporter

    def catalogue(self, root: yaml.Node | None) -> Catalogue:
        options: dict[str, tuple[Option, ...]] = {}
        fields: tuple[CustomField, ...] = ()
        for name, key, value in self._pairs(root, "catalogue.yaml"):
            if name == "options":
                options = {
                    each: tuple(
                        option for at, item in enumerate(self._items(node)) if (option := self._option(item, at))
                    )
                    for each, _, node in self._pairs(value, "options")
                }
            elif name == "custom_fields":
                found = (self._field(item, at) for at, item in enumerate(self._items(value)))
                fields = tuple(field for field in found if field)
            else:
                self._bad(key, f"There is no `{printable(name)}` in catalogue.yaml.")
        return Catalogue(options, fields, live=False)

    def _bad(self, node: yaml.Node, summary: str) -> None:
        detail = "It is written by `qase-iac validate --online --remember`. Write it anew, or remove it."
        self.reporter.error(node, "bad-catalogue", summary, detail)

    def _pairs(self, node: yaml.Node | None, what: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            return list(self.reporter.items(node))
        if node is not None and not is_null(node):
            self._bad(node, f"`{what}` takes a mapping.")
        return []

    def _items(self, node: yaml.Node) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            items: list[yaml.Node] = node.value
            return items
        if not is_null(node):
            self._bad(node, "A list is expected here.")
        return []

    def _text(self, node: yaml.Node | None) -> str:
        value = text_of(node, _ROW, self.reporter) if node is not None else None
        return "" if value is INVALID or value is None else str(value)

    def _option(self, node: yaml.Node, position: int) -> Option | None:
        found = {name: value for name, _, value in self._pairs(node, "option")}
        word = self._text(found.get("word"))
        if not word:
            self._bad(node, "An option needs a `word`.")
            return None
        default = found.get("default")
        title = self._text(found.get("title")) or word
        return Option(position, word, title, isinstance(default, yaml.ScalarNode) and default.value == "true")

    def _field(self, node: yaml.Node, position: int) -> CustomField | None:
        found = {name: value for name, _, value in self._pairs(node, "custom_fields")}
        title, type = self._text(found.get("title")), self._text(found.get("type"))
        if not title or type not in FIELD_TYPES:
            hint = nearest(type, FIELD_TYPES) if type else ""
            self._bad(node, f"A custom field needs a `title`, and a `type` of {', '.join(FIELD_TYPES)}.{hint}")
            return None
        titles = [self._text(item) for item in self._items(found["options"])] if "options" in found else []
        options = tuple(Option(at, text, text) for at, text in enumerate(titles) if text)
        required = found.get("required")
        flag = isinstance(required, yaml.ScalarNode) and required.value == "true"
        return CustomField(position, title, type, options, flag)
