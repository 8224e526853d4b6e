"""The whole of an unchanged folder, remembered: its files need not even be taken from the parse cache and assembled.

Beside the parse cache in the user's cache directory, one file a project folder: a line with the key and the stamps of
the files, a line with what they declare, both JSON. The key covers every byte of every content file, the settings, the
words known offline and the sources of the loader. A file whose stamp is as it was is not read again, as in git's index;
one that changed shortly before the cache was written is, since the clock of a disk is coarse. Only folders without an
error are remembered; whatever is wrong with the cache is as if it were not there.
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
from qase_iac.config.file_walk import Stamp
from qase_iac.config.settings import Settings
from qase_iac.diagnostics import Diagnostic, Severity, SourceRange
from qase_iac.fastjson import dumps, loads
from qase_iac.kinds import BY_NAME
from qase_iac.model import Catalogue, Desired, Moved, Policy, Resource
from qase_iac.values import JSON, Address

RACY = 2_000_000_000
"""Nanoseconds: some file systems tell the time by every second one only."""


class Folder:
    """What is remembered of one project folder. `key` is "" when nothing can be.

    `data` are the bytes of the files that were read for it. What is remembered under the key has to come from the
    very bytes that it covers, though a file may change meanwhile: `saw` is told of what is read later.
    """

    def __init__(self, settings: Settings, offline: Catalogue, found: list[files.SourceFile], cache_dir: Path) -> None:
        self._settings = settings
        self._attachments = Attachments(settings.root, {file.name: file for file in found})
        name = hashlib.sha256(os.fsencode(os.path.realpath(settings.root))).hexdigest()[:32]
        self._path = cache_dir / f"folder-{name}.json"
        self._head, self._body = self._read()
        self._found = found
        self._digests: dict[str, str] = {}
        self.data: dict[str, bytes] = {}
        self.key = self._key(offline)

    def _read(self) -> tuple[dict[str, JSON], bytes]:
        """The head of what is remembered, with the time it was written at, and the body, not looked at yet."""
        try:
            with open(self._path, "rb") as stream:
                written = os.fstat(stream.fileno()).st_mtime_ns
                head, _, body = stream.read().partition(b"\n")
            known = loads(head)
            return {**known, "files": dict(known["files"]), "written": written}, body
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return {}, b""

    def _key(self, offline: Catalogue) -> str:
        """The digest of all that loading depends on; "" when a file cannot be read."""
        tool = cache.parsers_digest()
        if not tool:
            return ""
        about = f"{tool} {replace(self._settings, root=Path())!r} {offline!r}"
        key = hashlib.sha256(about.encode("utf-8", "backslashreplace"))
        for file in self._found:
            digest = self._digests[file.name] = self._digest(file)
            if not digest:
                return ""
            key.update(f"\0{file.name}\0{digest}".encode("utf-8", "backslashreplace"))
        return key.hexdigest()

    def _digest(self, file: files.SourceFile) -> str:
        """The digest of a file's bytes, read unless its stamp tells that they are the known ones; "" when it cannot."""
        known = self._head.get("files", {}).get(file.name)
        if isinstance(known, list) and file.stamp and self._settled(file.stamp) and known[:-1] == [*file.stamp]:
            return str(known[-1])
        data = files.read(file)
        if isinstance(data, Diagnostic):
            return ""
        self.data[file.name] = data
        return hashlib.sha256(data).hexdigest()

    def _settled(self, stamp: Stamp) -> bool:
        """Whether a file had been left alone for so long that any change since the cache was written shows in it."""
        _, changed, touched, _ = stamp
        return max(changed, touched) < int(self._head["written"]) - RACY

    def saw(self, name: str, data: bytes) -> None:
        """What a file held when it was read again: if that is not what the key covers, nothing is remembered."""
        if hashlib.sha256(data).hexdigest() != self._digests.get(name):
            self.key = ""

    def recall(self) -> tuple[Desired, list[Diagnostic], str] | None:
        """The folder as it was loaded, with its digest; None when it is not known, or a file it names has changed."""
        body, self._body = self._body, b""
        if not self.key or self._head.get("key") != self.key:
            return None
        try:
            if self._head.get("sha256") != hashlib.sha256(body).hexdigest():
                return None
            data = loads(body)
            desired = _desired(data, self._settings)
            if not all(self._still(file) for file in data["attachments"]):
                return None
            return desired, [_diagnostic(row) for row in data["diagnostics"]], data["digest"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _still(self, file: dict[str, JSON]) -> bool:
        found = self._attachments.by_path(file["path"])
        return isinstance(found, dict) and found == file

    def remember(self, desired: Desired, diagnostics: Iterable[Diagnostic], digest: str) -> None:
        """Keeps a folder that was loaded without an error, and the digest for plans. Failing is no harm."""
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
            "digest": digest,
        }
        body, temporary = dumps(data), ""
        known = {file.name: [*(file.stamp or ()), self._digests[file.name]] for file in self._found}
        head = {"key": self.key, "sha256": hashlib.sha256(body).hexdigest(), "files": known}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".folder-")
            with os.fdopen(handle, "wb") as stream:
                stream.write(dumps(head) + b"\n" + body)
            os.replace(temporary, self._path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


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
