"""The whole of an unchanged folder, remembered: its files need not even be taken from the parse cache and assembled.

Beside the parse cache in the user's cache directory, one file a project folder: a line with the key, a line of JSON.
The key covers every byte of every content file, the settings, the words known offline and the sources of the loader.
Only folders without an error are remembered; whatever is wrong with the file is as if it were not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import astuple, replace
from pathlib import Path

from qase_iac.config import cache, files
from qase_iac.config.attachments import Attachments
from qase_iac.config.settings import Settings
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.fastjson import dumps, loads
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired, Moved, Policy, Resource
from qase_iac.values import JSON, Address


class Folder:
    """What is remembered of one project folder. `key` is "" when nothing can be.

    `data` are the bytes that the key was made of, by the names of their files: what is remembered under it is read
    from them, since a file may change meanwhile.
    """

    def __init__(self, settings: Settings, offline: Catalogue, found: list[files.SourceFile], cache_dir: Path) -> None:
        self._settings = settings
        self._attachments = Attachments(settings.root, {file.name: file for file in found})
        name = hashlib.sha256(os.fsencode(os.path.realpath(settings.root))).hexdigest()[:32]
        self._path = cache_dir / f"folder-{name}.json"
        self.data: dict[str, bytes] = {}
        self.key = _key(settings, offline, found, self.data)

    def recall(self) -> tuple[Desired, list[Diagnostic]] | None:
        """The folder as it was loaded, None when it is not remembered, or a file that it names has changed."""
        if not self.key:
            return None
        try:
            head, _, body = self._path.read_bytes().partition(b"\n")
            if head != self._head(body):
                return None
            data = loads(body)
            desired = _desired(data, self._settings)
            if not all(self._still(file) for file in data["attachments"]):
                return None
            return desired, [_diagnostic(row) for row in data["diagnostics"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _head(self, body: bytes) -> bytes:
        return f"{self.key} {hashlib.sha256(body).hexdigest()}".encode()

    def _still(self, file: dict[str, JSON]) -> bool:
        found = self._attachments.by_path(file["path"])
        return isinstance(found, dict) and found == file

    def remember(self, desired: Desired, diagnostics: Iterable[Diagnostic]) -> None:
        """Keeps a folder that was loaded without an error. Failing is no harm."""
        if not self.key:
            return
        policies = list(dict.fromkeys(resource.policy for resource in desired.resources.values()))
        data = {
            "policies": [astuple(policy) for policy in policies],
            "resources": [_row(resource, policies) for resource in desired.resources.values()],
            "moved": [[*each.origin, *each.target, _place(each.source)] for each in desired.moved],
            "removed": [[*address, _place(source)] for address, source in desired.removed.items()],
            "adopt": [[*address, id, _place(source)] for address, (id, source) in desired.adopt.items()],
            "diagnostics": [
                [d.code, d.summary, d.detail, _place(d.source), str(d.severity), d.address] for d in diagnostics
            ],
            "attachments": _attachments(desired),
            "files": desired.content_files,
        }
        body, temporary = dumps(data), ""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".folder-")
            with os.fdopen(handle, "wb") as stream:
                stream.write(self._head(body) + b"\n" + body)
            os.replace(temporary, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _key(settings: Settings, offline: Catalogue, found: Iterable[files.SourceFile], contents: dict[str, bytes]) -> str:
    """The digest of all that loading depends on; "" when a file cannot be read. Puts the files into `contents`."""
    tool = cache.parsers_digest()
    if not tool:
        return ""
    key = hashlib.sha256(f"{tool} {replace(settings, root=Path())!r} {offline!r}".encode("utf-8", "backslashreplace"))
    for file in found:
        data = files.read(file)
        if isinstance(data, Diagnostic):
            return ""
        key.update(f"\0{file.name}\0{len(data)}\0".encode("utf-8", "backslashreplace"))
        key.update(data)
        contents[file.name] = data
    return key.hexdigest()


def _row(resource: Resource, policies: list[Policy]) -> list[JSON]:
    return [
        *resource.address,
        resource.attributes,
        _place(resource.source),
        resource.order,
        resource.local,
        resource.protect,
        sorted(resource.ignore),
        policies.index(resource.policy),
        sorted(resource.defaulted),
    ]


def _place(source: SourceRange) -> tuple[str, int, int, int, int]:
    return (source.file, source.line, source.column, source.end_line, source.end_column)


def _desired(data: dict[str, JSON], settings: Settings) -> Desired:
    policies = [Policy(*row) for row in data["policies"]]
    nothing: frozenset[str] = frozenset()
    resources: dict[Address, Resource] = {}
    for kind, key, attributes, source, order, local, protect, ignore, policy, defaulted in data["resources"]:
        address = Address(kind, key)
        resources[address] = Resource(
            address,
            attributes,
            SourceRange(*source),
            order,
            local,
            protect,
            frozenset(ignore) if ignore else nothing,
            policies[policy],
            frozenset(defaulted) if defaulted else nothing,
        )
    return Desired(
        project=settings.project,
        title=settings.title,
        description=settings.description,
        create=settings.create,
        resources=resources,
        moved=tuple(Moved(Address(a, b), Address(c, d), SourceRange(*at)) for a, b, c, d, at in data["moved"]),
        removed={Address(kind, key): SourceRange(*at) for kind, key, at in data["removed"]},
        adopt={Address(kind, key): (id, SourceRange(*at)) for kind, key, id, at in data["adopt"]},
        scope=settings.scope,
        policy=settings.policy,
        content_files=data["files"],
    )


def _diagnostic(row: list[JSON]) -> Diagnostic:
    code, summary, detail, source, severity, address = row
    return Diagnostic(code, summary, detail, SourceRange(*source), Severity(severity), address)


def _attachments(desired: Desired) -> list[JSON]:
    """Every file that attributes name, each once."""
    found: dict[str, JSON] = {}
    for address, resource in desired.resources.items():
        for row in BY_NAME[address.kind].references:
            for kind, ref in row.type.refs(resource.attributes.get(row.name)):
                if kind == "attachment":
                    found[ref["path"]] = ref
    return list(found.values())
