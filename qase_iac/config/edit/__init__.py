"""Edits of content files in place: only the lines of what changes are touched.

`edit_files` works out the new files and proves them by loading them, `write` puts them on disk, `patch` shows them.
"""

from qase_iac.config.edit.draft import Draft
from qase_iac.config.edit.editing import edit_files
from qase_iac.config.edit.model import Add, Edit, Edited, Failed, FileEdit, Move, Remove, Set, Unset
from qase_iac.config.edit.patch import patch
from qase_iac.config.edit.relocate import relocate
from qase_iac.config.edit.relocated import Relocated
from qase_iac.config.edit.write import write

__all__ = [
    "Add",
    "Draft",
    "Edit",
    "Edited",
    "Failed",
    "FileEdit",
    "Move",
    "Relocated",
    "Remove",
    "Set",
    "Unset",
    "edit_files",
    "patch",
    "relocate",
    "write",
]
