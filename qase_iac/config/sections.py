"""From the nodes of one content file to what it declares, by the tables of `kinds/`."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from qase_iac.attributes import INVALID, Attribute
from qase_iac.attributes.base import is_null
from qase_iac.attributes.text import parse_boolean
from qase_iac.config import keys
from qase_iac.config.declarations import NESTED, SECTIONS, Declaration, FileContent, flattened
from qase_iac.config.defaults import parse_defaults
from qase_iac.config.history import HISTORY
from qase_iac.config.ignored import IGNORE, parse_ignored
from qase_iac.config.reporter import FileReporter, nearest
from qase_iac.config.settings_table import SETTINGS, parse_folder_policy
from qase_iac.kinds import BY_NAME, BY_SECTION, CONTENT_KINDS, Kind
from qase_iac.values import is_key, printable

COMMON = ("protect", IGNORE)
_REQUIRED = {kind.name: tuple(row for row in kind.attributes if row.required) for kind in CONTENT_KINDS}


def parse_document(root: yaml.Node | None, shape: str, reporter: FileReporter) -> FileContent:
    """What a content file of that shape declares; problems go to the reporter."""
    content = FileContent()
    parser = _Parser(reporter, content)
    if shape == SECTIONS:
        parser.sections(root)
    else:
        parser.one_object(BY_NAME[shape], root)
    return content


class _Parser:
    def __init__(self, reporter: FileReporter, content: FileContent) -> None:
        self.reporter = reporter
        self.content = content

    # --- shapes

    def sections(self, root: yaml.Node | None) -> None:
        """The third shape: sections, and the lists of what happened."""
        known = (*BY_SECTION, *HISTORY)
        pairs = list(self.reporter.items(root)) if isinstance(root, yaml.MappingNode) else []
        if not any(name in known for name, _, _ in pairs):
            self._no_section(root, [name for name, _, _ in pairs])
            return
        for name, key, value in pairs:
            if name in BY_SECTION:
                self._section(BY_SECTION[name], name, value, -1)
            elif name in HISTORY:
                HISTORY[name](value, self.reporter, self.content)
            else:
                detail = f"A content file takes {', '.join(known)}.{_misplaced(name)}"
                summary = f"There is no section `{printable(name)}`.{nearest(name, known)}"
                self.reporter.error(key, "unknown-section", summary, detail)

    def _no_section(self, root: yaml.Node | None, names: list[str]) -> None:
        if root is None and self.reporter.diagnostics:
            return  # broken, and said so
        detail = (
            f"Content files hold {', '.join(BY_SECTION)}, each a mapping from key to attributes. If this file is "
            f'something else, put `exclude: ["{self.reporter.name}"]` into qase.yaml.'
        )
        known = BY_SECTION.keys() | HISTORY
        hint = next((hint for name in names if (hint := nearest(name, known))), "")
        if "title" in names:
            detail += " A file that is one case is called NAME.case.yaml; one whose folder is a suite, suite.yaml."
        node = root or yaml.ScalarNode("", "", _START, _START)
        what = "holds no section of this format" if root is not None and not is_null(root) else "is empty"
        self.reporter.error(node, "no-section", f"The file {what}.{hint}", detail)

    def one_object(self, kind: Kind, root: yaml.Node | None) -> None:
        """The first two shapes: the file is one object, and an empty one still stands for it."""
        declaration = Declaration(kind.name, "", 0, 0)
        self.content.declarations.append(declaration)
        if isinstance(root, yaml.MappingNode):
            self._attributes(kind, declaration, root, root)
        elif root is not None or not self.reporter.diagnostics:
            node = root or yaml.ScalarNode("", "", _START, _START)
            what = "is empty" if root is None or is_null(root) else "holds no mapping"
            detail = f"It is one {kind.label}, so its attributes stand at the top: `title: …`."
            self.reporter.error(node, "wrong-type", f"The file {what}.", detail)

    # --- declarations

    def _section(self, kind: Kind, name: str, node: yaml.Node, parent: int) -> None:
        if is_null(node):
            return
        if not isinstance(node, yaml.MappingNode):
            self._no_mapping(kind, name, node)
            return
        for key, key_node, value in self.reporter.items(node):
            if self._good_key(kind, name, key, key_node):
                line, column = self.reporter.place(key_node)
                declaration = Declaration(kind.name, key, line, column, parent)
                self.content.declarations.append(declaration)
                self._declared(kind, declaration, key_node, value)

    def _no_mapping(self, kind: Kind, name: str, node: yaml.Node) -> None:
        example = "key"
        if isinstance(node, yaml.SequenceNode):
            first = node.value[0] if node.value else None
            for key, _, value in self.reporter.items(first) if isinstance(first, yaml.MappingNode) else ():
                if key == "title" and isinstance(value, yaml.ScalarNode):
                    example = keys.proposed(str(value.value))
        shape = "a list" if isinstance(node, yaml.SequenceNode) else "a text"
        detail = f"The key is the identity of a {kind.label}, so each needs one:\n{name}:\n  {example}:\n    title: …"
        self.reporter.error(
            node, "section-not-mapping", f"`{name}` takes a mapping from key to attributes, not {shape}.", detail
        )

    def _good_key(self, kind: Kind, section: str, key: str, node: yaml.Node) -> bool:
        if is_key(key):
            return True
        if kind.nested_keys and is_key(key, segments=True) and "/" in key:
            outer, _, inner = key.partition("/")
            nested = f"{section}:\n  {outer}:\n    {section}:\n      {inner}:"
            detail = f"The key of a nested {kind.label} is made of its parents' keys. Nest it:\n{nested}"
            self.reporter.error(node, "nested-key", f"The key `{key}` has several segments.", detail)
        else:
            summary = f"`{printable(key)}` is no legal key of a {kind.label}."
            self.reporter.error(node, "bad-key", summary, f"{keys.RULE} Write `{keys.proposed(key)}:`.")
        return False

    def _declared(self, kind: Kind, declaration: Declaration, key: yaml.Node, node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            self._attributes(kind, declaration, key, node)
        else:
            detail = f"Write:\n{printable(declaration.key)}:\n  title: …"
            summary = f"A {kind.label} takes a mapping of attributes."
            self.reporter.error(key if is_null(node) else node, "wrong-type", summary, detail)

    def _attributes(self, kind: Kind, declaration: Declaration, place: yaml.Node, node: yaml.MappingNode) -> None:
        """Everything in the mapping of one object; `place` is where to say that something is missing."""
        position = len(self.content.declarations) - 1
        rows, nested = kind.by_name, NESTED[kind.name]
        found: dict[str, yaml.Node] = {}
        for name, key, value in self.reporter.items(node):
            row = rows.get(name)
            if row is not None and not row.structural:
                found[name] = key
                self._attribute(kind, row, value, declaration)
            elif name in nested:
                self._section(nested[name], name, value, position)
            elif name in COMMON or not declaration.line:
                self._other(kind, declaration, name, key, value)
            else:
                self._unknown(kind, declaration, name, key)
        self._check(kind, declaration, found, place)

    def _attribute(self, kind: Kind, row: Attribute, node: yaml.Node, declaration: Declaration) -> None:
        value = row.type.parse(node, row, self.reporter)
        if value is INVALID:
            return
        if row.local:
            declaration.local[row.name] = value
        elif row.name == "custom_fields":
            declaration.attributes.update(flattened(kind, row.name, value))
        else:
            declaration.attributes[row.name] = value

    def _other(self, kind: Kind, declaration: Declaration, name: str, key: yaml.Node, node: yaml.Node) -> None:
        """What is no attribute, and what only a file that is one object may say."""
        root = not declaration.line
        if name == "protect":
            value = parse_boolean(node, name, self.reporter, null=None)
            declaration.protect = None if value is INVALID else value
        elif name == IGNORE:
            declaration.ignore = parse_ignored(kind, node, self.reporter)
        elif name == "key" and root:
            declaration.key = keys.parse_key(kind, node, self.reporter) or ""
        elif name == "defaults" and root and kind.file_name:
            self.content.defaults = parse_defaults(node, self.reporter)
        elif name == "policy" and root and kind.file_name:
            self.content.policy = parse_folder_policy(node, self.reporter)
        else:
            self._unknown(kind, declaration, name, key)

    # --- checks of one object

    def _unknown(self, kind: Kind, declaration: Declaration, name: str, node: yaml.Node) -> None:
        known = [row.name for row in kind.attributes if not row.structural] + [*NESTED[kind.name], *COMMON]
        if not declaration.line:
            known += ["key", *(("defaults", "policy") if kind.file_name else ())]
        hint, elsewhere = nearest(name, known), _misplaced(name, kind)
        summary = f"A {kind.label} has no attribute `{printable(name)}`.{hint}"
        full = f"It takes {', '.join(known)}."
        detail = elsewhere.lstrip() or (f"`qase-iac explain {kind.name}` shows all that it takes." if hint else full)
        self.reporter.error(node, "unknown-attribute", summary, detail)

    def _check(self, kind: Kind, declaration: Declaration, found: dict[str, yaml.Node], place: yaml.Node) -> None:
        for row in _REQUIRED[kind.name]:
            if row.name not in found:
                summary = f"This {kind.label} has no `{row.name}`."
                detail = f"It is required. Write `{row.name}: …` with {row.type.takes}."
                self.reporter.error(place, "missing-attribute", summary, detail)
        for pair in kind.exclusive:
            if all(name in found for name in pair):
                later = max(
                    (found[name] for name in pair), key=lambda node: (node.start_mark.line, node.start_mark.column)
                )
                summary = f"`{pair[1]}` stands beside `{pair[0]}`."
                detail = f"A {kind.label} is written in one way or the other. Keep one of the two."
                self.reporter.error(later, "exclusive-attributes", summary, detail)
        if kind.members and not found.keys() & _membership(kind):
            names = " nor ".join(f"`{name}`" for name in _membership(kind))
            summary = f"This {kind.label} has neither {names}."
            self.reporter.warning(place, "empty-plan", summary, f"It would hold no {kind.members[0].name}.")


def _membership(kind: Kind) -> list[str]:
    return [row.name for row in kind.attributes if row.members or row.name == "select"]


def _misplaced(name: str, kind: Kind | None = None) -> str:
    """What to say of a word that is known, but somewhere else."""
    if kind is None:
        return " `qase.yaml` takes the settings." if name in SETTINGS.by_name else ""
    if name == "key":
        return " The key stands before the colon of its section; `key:` is for files that are one object."
    row = kind.by_name.get(name)
    if (row is not None and row.structural) or (kind.nested_keys and name == kind.name):
        return f" {row.doc if row else f'A {kind.label} lies where it is declared: nest it.'}"
    if name in BY_SECTION or name in HISTORY:
        return f" `{name}:` stands at the top of a file of its own, such as {name}.yaml."
    if name in ("defaults", "policy"):
        return f" `{name}:` stands in qase.yaml, or in a {_folder_files()}."
    return ""


def _folder_files() -> str:
    names: Iterable[str] = (f"{kind.file_name}.yaml" for kind in CONTENT_KINDS if kind.file_name)
    return " or ".join(names)


_START = yaml.Mark("", 0, 0, 0, None, 0)
