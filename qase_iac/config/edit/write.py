"""Edited files to disk: whole files, replaced at once, and only where nobody wrote in between."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qase_iac.config.edit.model import FileEdit
from qase_iac.config.file_walk import below, reason
from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.values import printable


def write(root: Path, edits: Iterable[FileEdit]) -> None:
    """Puts every edited file in its place: all of them, or, as far as the system lets, none.

    A file that is a symbolic link stays one; what it leads to is replaced, inside the project folder only.
    Raises SafetyRefusal (`file-changed`, `outside`) before anything is written when a file is not as it was when it was
    edited, and QaseIacError when the disk fails; then what was replaced is put back.
    """
    steps = [_Step(each, _target(root, each)) for each in edits]
    for step in steps:
        _check(step)
    try:
        for step in steps:
            step.prepare(root)
        _replace(steps)
    except OSError as error:
        where = printable(str(error.filename or ""))
        summary = f"The files cannot be written: {reason(error)}{f' ({where})' if where else ''}."
        raise QaseIacError(summary, "Nothing was changed.", "Give it room and rights, and try again.") from None
    finally:
        for step in steps:
            step.clean()
    for step in steps:
        if step.edit.after is None:
            _tidy(step.path.parent, Path(os.path.realpath(root)))


def _tidy(folder: Path, root: Path) -> None:
    """Takes away folders in which nothing is left: git knows none either."""
    with contextlib.suppress(OSError):
        while folder != root:
            folder.rmdir()
            folder = folder.parent


@dataclass
class _Step:
    edit: FileEdit
    path: Path
    temporary: str = ""
    made: tuple[Path, ...] = ()

    def prepare(self, root: Path) -> None:
        """Writes the new file beside the old one, with its rights."""
        if self.edit.after is None:
            return
        self._folders(root)
        handle, self.temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".qase-iac-", suffix=".new")
        with os.fdopen(handle, "wb") as stream:
            stream.write(self.edit.after)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(self.temporary, self._mode())

    def _folders(self, root: Path) -> None:
        missing = [each for each in (self.path.parent, *self.path.parent.parents) if not each.exists()]
        for folder in reversed(missing):
            folder.mkdir()
            self.made = (folder, *self.made)

    def _mode(self) -> int:
        if self.edit.before is not None:
            return stat.S_IMODE(os.stat(self.path).st_mode)
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def commit(self) -> None:
        _check(self)
        if self.edit.after is None:
            os.unlink(self.path)
        elif self.edit.before is None:
            os.link(self.temporary, self.path)  # fails where somebody made such a file meanwhile
            os.unlink(self.temporary)
        else:
            os.replace(self.temporary, self.path)
        self.temporary = ""
        self.made = ()
        _sync(self.path.parent)

    def back(self) -> None:
        """Puts the old file in its place again."""
        if self.edit.before is None:
            os.unlink(self.path)
            return
        handle, self.temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".qase-iac-", suffix=".old")
        mode = stat.S_IMODE(os.stat(self.path).st_mode) if self.path.exists() else 0o644
        with os.fdopen(handle, "wb") as stream:
            stream.write(self.edit.before)
        os.chmod(self.temporary, mode)
        os.replace(self.temporary, self.path)
        self.temporary = ""

    def clean(self) -> None:
        with contextlib.suppress(OSError):
            if self.temporary:
                os.unlink(self.temporary)
            for folder in self.made:
                folder.rmdir()


def _target(root: Path, edit: FileEdit) -> Path:
    """The file itself, links followed."""
    path = Path(os.path.realpath(root / edit.path))
    if not below(os.path.realpath(root), str(path)):
        what = f"{printable(edit.path)} leads out of the project folder."
        raise SafetyRefusal("outside", what, "Only files inside it are edited.", "Nothing was written.")
    return path


def _check(step: _Step) -> None:
    """Whether a file is still what was edited."""
    try:
        found = hashlib.sha256(step.path.read_bytes()).hexdigest()
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise QaseIacError(f"{printable(step.edit.path)} cannot be read: {reason(error)}.") from None
    if found != step.edit.digest:
        what = "was changed" if found and step.edit.digest else "was removed" if step.edit.digest else "was made"
        raise SafetyRefusal(
            "file-changed",
            f"{printable(step.edit.path)} {what} on disk meanwhile.",
            "Whoever did it would lose that change.",
            "Run the command again: it reads the file as it is now.",
        )


def _replace(steps: list[_Step]) -> None:
    done: list[_Step] = []
    try:
        for step in steps:
            step.commit()
            done.append(step)
    except (OSError, QaseIacError):
        for step in reversed(done):
            step.back()
        raise


def _sync(folder: Path) -> None:
    """Makes a rename last; not every system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
