"""A project folder -> DESIRED, and every problem of every file in one run."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from qase_iac.config import files
from qase_iac.config.assemble import Assembly
from qase_iac.config.attachments import Attachments
from qase_iac.config.cache import Cache, content_key
from qase_iac.config.check import Checks
from qase_iac.config.declarations import FileContent, shape_of
from qase_iac.config.explain import explain
from qase_iac.config.file_walk import in_order
from qase_iac.config.late import LateProblems
from qase_iac.config.past import Past
from qase_iac.config.remembered import Folder
from qase_iac.config.reporter import FileReporter
from qase_iac.config.sections import parse_document
from qase_iac.config.settings import Settings
from qase_iac.config.yaml_source import read_yaml
from qase_iac.diagnostics import Diagnostic, SourceRange, has_errors
from qase_iac.fastjson import canonical
from qase_iac.model import Catalogue, Desired, Policy
from qase_iac.values import JSON


@dataclass(frozen=True)
class Loaded:
    """The project folder as values, everything wrong with it in the order of places, and its number of files.

    `digest` is the `config_digest` where it is known already, else "".
    """

    desired: Desired
    diagnostics: list[Diagnostic]
    files: int
    digest: str = ""


def load(
    settings: Settings,
    *,
    offline: Catalogue,
    cache_dir: Path | None = None,
    explained: bool = False,
    instead: Mapping[str, bytes | None] | None = None,
) -> Loaded:
    """Reads all content files. With errors among the diagnostics, `desired` is not to be acted upon.

    `offline` holds the workspace's words as far as they are known here (catalogue.yaml). `explained`: files that the
    parser rejects are also held against the JSON Schema, for what it may say beyond that. `instead`: files by name as
    they would be (None: not there), in place of what the disk holds.
    """
    with _without_collector():
        return _Run(settings, cache_dir, explained, instead or {}).load(offline)


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nodes and JSON values hold no rings, and looking for some takes a fifth of the time of loading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Run:
    def __init__(
        self, settings: Settings, cache_dir: Path | None, explained: bool, instead: Mapping[str, bytes | None]
    ) -> None:
        self.settings = settings
        self.instead = instead
        self.cache_dir = cache_dir
        self.explained = explained
        self.diagnostics: list[Diagnostic] = []
        self.hold = False
        self.folder: Folder | None = None

    def load(self, offline: Catalogue) -> Loaded:
        settings = self.settings
        skip = frozenset([settings.seed] if settings.seed else [])
        found, problems = files.discover(settings.root, list(settings.content), list(settings.exclude), skip)
        found = self._overlaid(found)
        self.diagnostics += problems
        self.hold = has_errors(problems)
        remember = self.cache_dir and not problems and not self.instead
        folder = Folder(settings, offline, found, self.cache_dir) if self.cache_dir and remember else None
        remembered = folder.recall() if folder else None
        if remembered:
            desired, diagnostics, digest = remembered
            return Loaded(desired, diagnostics, len(found), digest)
        self.folder = folder
        loaded = self._from_files(found, offline)
        if folder and folder.key and not has_errors(loaded.diagnostics):
            loaded = replace(loaded, digest=config_digest(loaded.desired, settings))
            folder.remember(loaded.desired, loaded.diagnostics, loaded.digest)
        return loaded

    def _overlaid(self, found: list[files.SourceFile]) -> list[files.SourceFile]:
        """The files with those of `instead` taken in or out."""
        if not self.instead:
            return found
        names = {file.name: file for file in found}
        for name, data in self.instead.items():
            names[name] = files.SourceFile(self.settings.root / name, name, len(data or b""))
        gone = {name for name, data in self.instead.items() if data is None}
        return [names[name] for name in sorted(names.keys() - gone, key=in_order)]

    def _from_files(self, found: list[files.SourceFile], offline: Catalogue) -> Loaded:
        settings = self.settings
        self.cache = Cache(settings.root, self.cache_dir)
        contents = [(file, content) for file in found if (content := self._content(file)) is not None]
        self.cache.save()
        by_name = {file.name: file for file in found}
        late = LateProblems(by_name)
        assembly = Assembly(settings, late)
        assembly.run(contents)
        Checks(assembly, offline, Attachments(settings.root, by_name), self.hold).run()
        past = Past(assembly, self.hold)
        past.run(contents)
        self.diagnostics += late.placed()
        if not assembly.resources and not has_errors(self.diagnostics):
            self._no_content(len(found))
        diagnostics = sorted(dict.fromkeys(self.diagnostics), key=Diagnostic.sort_key)
        return Loaded(_desired(settings, assembly, past, len(found)), diagnostics, len(found))

    def _content(self, file: files.SourceFile) -> FileContent | None:
        """What a file declares; None when it cannot be read."""
        data = self._data(file)
        if isinstance(data, Diagnostic):
            self.diagnostics.append(data)
            self.hold = True
            return None
        shape = shape_of(file.name)
        key = content_key(shape, data)
        content = self.cache.get(key)
        if content is not None:
            return content
        document = read_yaml(data, file.name)
        self.hold = self.hold or has_errors(document.diagnostics)
        reporter = FileReporter(file.name, document.text, document.diagnostics)
        content = parse_document(document.root, shape, reporter)
        if not reporter.diagnostics:
            self.cache.put(key, content)
        elif self.explained and document.root is not None:
            reporter.diagnostics += explain(document.root, shape, file.name, reporter.diagnostics)
        self.diagnostics += reporter.diagnostics
        return content

    def _data(self, file: files.SourceFile) -> bytes | Diagnostic:
        """The bytes of a file, read once: what is remembered of a folder has to be of what it was recognised by."""
        if (changed := self.instead.get(file.name)) is not None:
            return changed
        if self.folder and file.name in self.folder.data:
            return self.folder.data.pop(file.name)
        data = files.read(file)
        if self.folder and isinstance(data, bytes):
            self.folder.saw(file.name, data)
        return data

    def _no_content(self, count: int) -> None:
        what = "The content files declare nothing." if count else "There is no content file in this folder."
        detail = (
            "An empty folder would mean that everything is to be deleted, so it is an error. Declare a first case, or "
            "check `content:`, `exclude:` and the folder that was named."
        )
        where = SourceRange(files.PROJECT_FILE, 1, 1)
        self.diagnostics.append(Diagnostic("no-content", what, detail, where))


def _desired(settings: Settings, assembly: Assembly, past: Past, count: int) -> Desired:
    return Desired(
        project=settings.project,
        title=settings.title,
        description=settings.description,
        create=settings.create,
        resources=assembly.resources,
        moved=tuple(past.moved),
        removed=past.removed,
        adopt=past.adopt,
        scope=settings.scope,
        policy=settings.policy,
        content_files=count,
    )


def config_digest(desired: Desired, settings: Settings) -> str:
    """The digest of the desired model and of the settings that a plan depends on; places in files do not count."""
    head = {
        "project": [desired.project, desired.title, desired.description, desired.create],
        "moved": [[str(each.origin), str(each.target)] for each in desired.moved],
        "removed": sorted(map(str, desired.removed)),
        "adopt": sorted([str(address), id] for address, (id, _) in desired.adopt.items()),
        "scope": desired.scope.suites,
        "policy": astuple(desired.policy),
        "bulk_size": settings.bulk_size,
    }
    found = hashlib.sha256(canonical(head))
    policies: dict[Policy, JSON] = {}
    for each in sorted(desired.resources.values(), key=lambda each: each.order):
        policy = policies.get(each.policy) or policies.setdefault(each.policy, astuple(each.policy))
        row = [str(each.address), each.attributes, each.local, each.protect, sorted(each.ignore), policy]
        found.update(b"\n" + canonical(row))
    return f"sha256:{found.hexdigest()}"
