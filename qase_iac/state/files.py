"""Files that appear as a whole or not at all, and outlive a power cut."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes a file as a whole or not at all: temporary file beside it, fsync, rename, fsync of the folder.

    The temporary name is fixed, so that killed runs leave one file at most; whoever writes holds the lock.
    """
    temporary = path.with_name(path.name + ".tmp")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb", buffering=1 << 18) as file:
            os.chmod(temporary, 0o600)
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename or a new name in `folder` outlive a power cut, where the system can do that."""
    if os.name == "nt":  # pragma: no cover
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put_aside(path: Path, suffix: str) -> Path | None:
    """Renames a file to NAME.suffix; None when there is none. Raises OSError."""
    target = path.with_name(f"{path.name}.{suffix}")
    try:
        os.replace(path, target)
    except FileNotFoundError:
        return None
    return target
