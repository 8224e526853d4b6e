"""Files that content names: found beside the content file, inside the project folder, each hashed once a run."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from qase_iac.config import files
from qase_iac.config.file_walk import below, reason
from qase_iac.diagnostics import Diagnostic, SourceRange
from qase_iac.values import JSON, printable

MAX_ATTACHMENT = 32 * 1024 * 1024

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

    def by_path(self, path: str) -> dict[str, JSON] | Refusal:
        """The file at a path below the project folder, as if a content file in the root had named it."""
        root = files.SourceFile(self.root / files.PROJECT_FILE, files.PROJECT_FILE, 0)
        return self._look(root, path)

    def _look(self, file: files.SourceFile, relative: str) -> dict[str, JSON] | Refusal:
        path = inside(self.root, file, relative)
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


def inside(
    root: Path, content_file: files.SourceFile, relative: str, source: SourceRange | None = None
) -> Path | Diagnostic:
    """The file that `relative` names beside `content_file`: regular, readable, not too large, in the project folder."""
    where = source or SourceRange(content_file.name)
    shown = printable(relative)

    def refuse(code: str, summary: str, detail: str = "") -> Diagnostic:
        return Diagnostic(code, summary, detail, where)

    why = _odd_path(relative)
    if why:
        detail = "Write it relative to this file, with `/`: img/card.png"
        return refuse("attachment-path", f"`{shown}` is no path of an attachment: {why}.", detail)
    path = Path(os.path.abspath(content_file.path.parent / relative))
    detail = "Only files inside it are uploaded. Copy the file into the folder."
    leaves = refuse("attachment-outside", f"`{shown}` leaves the project folder.", detail)
    if not below(os.path.abspath(root), str(path)):
        return leaves
    try:
        real = os.path.realpath(path, strict=True)
        state = os.stat(real)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        summary = f"The attachment `{shown}` {'does not exist' if missing else f'cannot be found: {reason(error)}'}."
        return refuse("attachment-missing", summary, _alike(path))
    if not below(os.path.realpath(root), real):
        return leaves
    if not stat.S_ISREG(state.st_mode):
        return refuse("attachment-no-file", f"The attachment `{shown}` is no regular file.")
    if state.st_size > MAX_ATTACHMENT:
        summary = f"The attachment `{shown}` has {state.st_size / files.MIB:.1f} MiB."
        return refuse("attachment-too-large", summary, "Qase takes 32 MiB a file.")
    if not os.access(real, os.R_OK):
        return refuse("attachment-unreadable", f"The attachment `{shown}` cannot be read.")
    return path


def _odd_path(relative: str) -> str:
    if not relative.strip():
        return "it is empty"
    if printable(relative) != relative:
        return "it holds control characters"
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", relative):
        return "files are uploaded, addresses on the web are not"
    if "\\" in relative or re.match(r"[A-Za-z]:", relative):
        return "backslashes and drive letters work on one system only"
    return "it is absolute" if relative.startswith("/") else ""


def _alike(path: Path) -> str:
    from rapidfuzz import process  # only broken input needs it

    try:
        match = process.extractOne(path.name, sorted(os.listdir(path.parent)), score_cutoff=70)
    except OSError:
        match = None
    hint = f" Did you mean `{printable(match[0])}`?" if match else ""
    return f"Paths are relative to the file that names them.{hint}"
