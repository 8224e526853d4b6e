"""A project folder on its way to another one: edits made one after the other, each on what the last one left."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qase_iac.config.edit.editing import edit_files, is_there, read_content
from qase_iac.config.edit.model import Edit, Edited, Failed, FileEdit
from qase_iac.config.file_globs import any_match
from qase_iac.config.file_walk import in_order
from qase_iac.config.files import CATALOGUE_FILE, PROJECT_FILE
from qase_iac.config.loader import Loaded, load
from qase_iac.config.settings import Settings
from qase_iac.model import Catalogue, Desired

NO_CONTENT = (PROJECT_FILE, CATALOGUE_FILE)


@dataclass
class Draft:
    """`desired` is the folder as it is with `files` (path -> bytes, None: not there) in place of what the disk holds.

    `words` are those of the workspace. `desired` is never resolved. Nothing is written.
    """

    settings: Settings
    words: Catalogue
    desired: Desired
    cache_dir: Path | None = None
    files: dict[str, bytes | None] = field(default_factory=dict)
    _disk: dict[str, bytes | None] = field(default_factory=dict)

    def edit(self, edits: Iterable[Edit]) -> tuple[Failed, ...]:
        """Makes all edits that can be made. Raises QaseIacError when a file cannot be read."""
        edits = list(edits)
        if not edits:
            return ()
        done = edit_files(
            self.settings, self.words, self.desired, edits, cache_dir=self.cache_dir, instead=self._content()
        )
        if done.files and done.desired:
            self.take({each.path: each.after for each in done.files}, done.desired)
        return done.failed

    def take(self, files: Mapping[str, bytes | None], desired: Desired) -> None:
        """Puts new contents in the place of old ones; `desired` is what loading gives then."""
        for name in files.keys() - self._disk.keys():
            path = self.settings.root / name
            self._disk[name] = path.read_bytes() if path.is_file() else None
        self.files |= files
        self.desired = desired

    def loaded(self, more: Mapping[str, bytes | None] | None = None) -> Loaded:
        """The folder as it is by now, with `more` files in place of its own. Only content counts."""
        files = self._content(more)
        return load(self.settings, offline=self.words, cache_dir=self.cache_dir, instead=files)

    def _content(self, more: Mapping[str, bytes | None] | None = None) -> dict[str, bytes | None]:
        return {name: data for name, data in {**self.files, **(more or {})}.items() if self._is_content(name)}

    def _is_content(self, name: str) -> bool:
        hidden = any(part.startswith(".") for part in name.split("/"))
        named = any_match(list(self.settings.content), name) and not any_match(list(self.settings.exclude), name)
        return named and not hidden and name.endswith((".yaml", ".yml")) and name not in NO_CONTENT

    def there(self, name: str) -> bool:
        return is_there(self.settings, name, self.files)

    def read(self, name: str) -> bytes | None:
        """A content file as it is by now, None when there is none. Raises QaseIacError."""
        return read_content(self.settings, name, self.files) if self.there(name) else None

    @property
    def edited(self) -> Edited:
        """All that is to be written, against what the disk held when it was read."""
        names = sorted(self.files, key=in_order)
        edits = (FileEdit(name, self._disk[name], self.files[name]) for name in names)
        return Edited(tuple(each for each in edits if each.before != each.after))
