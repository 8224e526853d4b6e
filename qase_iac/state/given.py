"""A state in a file that somebody names for one plan: it is read and never written.

`qase-iac state pull` prints such a file. The document as it lies on the branch, in the bucket or on the server does as
well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NoReturn

from qase_iac.errors import StateError
from qase_iac.fastjson import loads
from qase_iac.state.document import parse_document
from qase_iac.state.journal import Contents, Header, Intent
from qase_iac.state.lock import Held, Holder
from qase_iac.state.model import State
from qase_iac.state.store import parse_data
from qase_iac.values import printable


def is_state(content: bytes) -> bool:
    """Whether a file means to be a state, sound or not, rather than a seed of the emulator."""
    return content.lstrip()[:1] == b"{" and b'"lineage"' in content


def parse_given(content: bytes, name: str) -> State:
    """The state in a file called `name`. Raises StateError when there is none in it that can be understood."""
    try:
        data = loads(content)
        state = parse_document(content)[1] if "document" in data else parse_data(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise StateError(
            f"{printable(name)} holds no state that this version can read.",
            printable(str(error)),
            "`qase-iac state pull` prints one.",
        ) from None
    if not state.exists:
        raise StateError(f"{printable(name)} holds no state yet.", hint="The first `qase-iac apply` makes one.")
    return state


class GivenStore:
    """See the module's docstring. `read` raises StateError; so does all that would write."""

    shared = False

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        return str(self._path)

    @property
    def journal_path(self) -> Path:
        return self._path.with_name(self._path.name + ".journal")

    def read(self) -> State:
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise StateError(f"The state cannot be read: {self._path}: {error.strerror or error}.") from error
        return parse_given(content, self.place)

    def unfinished(self) -> Contents | None:
        return None

    def at_work(self) -> Holder | None:
        return None

    def present(self) -> list[str]:
        return [self.place]

    def lock(self, holder: Holder, timeout: float = 0.0) -> AbstractContextManager[Held]:
        self._refuse()

    def write(self, state: State) -> None:
        self._refuse()

    def replace(self, state: State) -> list[str]:
        self._refuse()

    def drop_journal(self) -> None:
        self._refuse()

    def started(self, run: Contents) -> None:
        self._refuse()

    def ended(self, header: Header, left: Sequence[Intent]) -> None:
        self._refuse()

    def unlock(self, force: bool = False) -> Holder | None:
        self._refuse()

    def retire(self, place: str) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StateError(f"{self.place} is read for a plan only; nothing is written there.")
