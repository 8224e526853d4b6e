"""Files that content names: found beside the content file, inside the project folder, each hashed once a run."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from qase_iac.config import files
from qase_iac.diagnostics import Diagnostic
from qase_iac.values import JSON

Refusal = tuple[str, str, str]
"""Code, summary, detail."""


@dataclass
class Attachments:
    """The files named so far. A found one is `{"path", "sha256", "size", "name"}`, its path from the project folder."""

    root: Path
    by_name: dict[str, files.SourceFile]
    _found: dict[tuple[str, str], dict[str, JSON] | Refusal] = field(default_factory=dict)
    _hashed: dict[Path, tuple[str, int]] = field(default_factory=dict)

    def get(self, content_file: str, relative: str) -> dict[str, JSON] | Refusal:
        """The file that `relative` means in that content file, or why it is none."""
        folder = content_file.rpartition("/")[0]
        if (folder, relative) not in self._found:
            self._found[folder, relative] = self._look(self.by_name[content_file], relative)
        return self._found[folder, relative]

    def _look(self, file: files.SourceFile, relative: str) -> dict[str, JSON] | Refusal:
        path = files.inside(self.root, file, relative)
        if isinstance(path, Diagnostic):
            return path.code, path.summary, path.detail
        try:
            if path not in self._hashed:
                with open(path, "rb") as stream:
                    self._hashed[path] = hashlib.file_digest(stream, "sha256").hexdigest(), stream.tell()
        except OSError as error:
            return "attachment-unreadable", f"The attachment `{relative}` cannot be read: {error.strerror}.", ""
        sha256, size = self._hashed[path]
        name = Path(os.path.relpath(path, self.root)).as_posix()
        return {"path": name, "sha256": sha256, "size": size, "name": path.name}
