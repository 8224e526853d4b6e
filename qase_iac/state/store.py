"""The state as a file in the project folder, and as bytes. `StateStore` is what every backend promises.

A state file never holds a token: nothing that reaches it knows one.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qase_iac.errors import SafetyRefusal, StateError
from qase_iac.fastjson import loads
from qase_iac.state.contract import StateStore as StateStore
from qase_iac.state.files import put_aside, replace_file
from qase_iac.state.files import sync_folder as sync_folder
from qase_iac.state.journal import Contents, Header, Intent, read_journal
from qase_iac.state.lock import Held, Holder, Lock, locked_by, unlock
from qase_iac.state.model import Binding, State, is_texts
from qase_iac.values import printable

FOLDER = ".qase-iac"
MEND = (
    "Put back the previous version (the same name with .backup); or make a new one: "
    "`qase-iac state rebuild --replace` puts this one aside and finds everything again by place and title."
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def state_path(root: Path, project: str, api_url: str) -> Path:
    """`.qase-iac/PROJECT@HOST.json` below the project folder, whatever project and address contain."""
    return root / FOLDER / f"{_safe(project.upper())}@{_host(api_url)}.json"


def _host(api_url: str) -> str:
    if api_url.partition(":")[0] == "emulator":
        return "emulator"
    try:
        parts = urlsplit(api_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    return _safe(f"{host}_{port}" if host and port else host or api_url)


def _safe(text: str) -> str:
    """`text` as a part of a file name: one plain word, no path, no leading dot."""
    return _UNSAFE.sub("_", text).strip("._-")[:100] or "unknown"


def check_identity(state: State, project: str, api: str) -> None:
    """Refuses a state that was made for another project or another API. A state that does not exist fits any."""
    if not state.exists:
        return
    if state.project.casefold() != project.casefold():
        what = f"project {printable(state.project)}, not to {printable(project)}"
    elif _canonical_api(state.api) != _canonical_api(api):
        what = f"{printable(state.api)}, not to {printable(api)}"
    else:
        return
    raise SafetyRefusal(
        "foreign-state",
        f"The state belongs to {what}.",
        "Ids differ from project to project, so working with it would change objects that are not meant.",
        "Correct `project`, `api.url` or `state` in qase.yaml (or the profile), or name another state file.",
    )


def _canonical_api(url: str) -> str:
    scheme, colon, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}{colon}{host.lower()}{slash}{path}" if colon else scheme


def dump(state: State) -> Iterator[bytes]:
    """The state as JSON, one binding a line: quick to write, and small differences give small diffs."""

    def text(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))

    def lines() -> Iterator[str]:
        data = state.to_json()
        for at, (key, value) in enumerate(data.items()):
            yield ("{\n" if at == 0 else ",\n") + text(key) + ": "
            if isinstance(value, dict) and value:
                pairs = (f"{text(name)}: {text(entry)}" for name, entry in value.items())
                yield "{\n"
                yield from (line if first == 0 else ",\n" + line for first, line in enumerate(pairs))
                yield "\n}"
            else:
                yield text(value)
        yield "\n}\n"

    # A lone surrogate in a title is no valid UTF-8; it must survive the round trip all the same.
    return (line.encode("utf-8", "surrogatepass") for line in lines())


def parse(content: bytes) -> State:
    """The state that `dump` wrote. Raises ValueError, whatever is wrong with it."""
    try:
        return parse_data(loads(content))
    except RecursionError as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def parse_data(data: Any) -> State:
    """The state out of the JSON that it was written as. Raises ValueError, whatever is wrong with it."""
    try:
        state = State.from_json(data)
        for address, binding in (*state.bindings.items(), *state.pulled.items()):
            _check(address, binding)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None
    if not state.lineage:
        raise ValueError("it names no lineage")
    return state


def _check(address: str, binding: Binding) -> None:
    """Raises ValueError unless the parts of a binding are of their types; what is in them is for others to judge."""
    parts = (binding.sent, binding.served, binding.meta, binding.unsupported)
    sound = type(binding.id) in (int, str) and type(binding.protect) is bool and "." in address
    if not sound or any(type(part) is not dict for part in parts):
        raise ValueError(f"the entry of {address} is not one of ours")
    for name in ("depends_on", "ignore"):
        texts = getattr(binding, name)
        if texts != [] and not is_texts(texts):
            raise ValueError(f"{name} of {address} is no list of texts")


class LocalStore:
    """The state as a file. `read` before `write`; a file that somebody else wrote in between is never replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: tuple[str, int] | None = None
        self._signature: tuple[int, ...] | None = None
        self._held: Lock | None = None

    @property
    def shared(self) -> bool:
        return False

    @property
    def place(self) -> str:
        return str(self.path)

    @property
    def backup_path(self) -> Path:
        return self.path.with_name(self.path.name + ".backup")

    @property
    def journal_path(self) -> Path:
        return self.path.with_name(self.path.name.removesuffix(".json") + ".journal")

    @property
    def lock_path(self) -> Path:
        return self.path.with_name(self.path.name.removesuffix(".json") + ".lock")

    def lock(self, holder: Holder, timeout: float = 0.0) -> AbstractContextManager[Held]:
        self._held = Lock(self.lock_path, holder, timeout)
        return self._held

    def unlock(self, force: bool = False) -> Holder | None:
        """The system gives the lock back when its holder ends: one that is held has a holder that lives."""
        return unlock(self.lock_path)

    def drop_journal(self) -> None:
        """No other machine settles what happened here."""

    def started(self, run: Contents) -> None:
        """The journal says it, call by call, on the same disk."""

    def unfinished(self) -> Contents | None:
        return read_journal(self.journal_path)

    def at_work(self) -> Holder | None:
        return None if self._held else locked_by(self.lock_path)

    def ended(self, header: Header, left: Sequence[Intent]) -> None:
        """The journal holds what is left."""

    def present(self) -> list[str]:
        return [str(path) for path in (self.path, self.journal_path) if path.exists()]

    def replace(self, state: State) -> list[str]:
        paths = (self.path, self.journal_path)
        aside = [self._aside(path, "replaced") for path in paths]
        self.read()
        self.write(state)
        return [str(path) for path in aside if path]

    def retire(self, place: str) -> None:
        self._aside(self.path, "migrated")
        self._known = None

    def _aside(self, path: Path, suffix: str) -> Path | None:
        try:
            return put_aside(path, suffix)
        except OSError as error:
            raise StateError(f"{path} cannot be put aside: {error.strerror or error}.") from error

    def read(self) -> State:
        state, self._signature = self._load()
        self._known = (state.lineage, state.serial)
        return state

    def write(self, state: State) -> None:
        self._refuse_foreign(state)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._known is not None and self._known[1] != state.serial and self.path.exists():
                self._back_up()
            replace_file(self.path, dump(state))
            self._signature = self._sign()
        except OSError as error:
            raise StateError(
                f"The state cannot be written: {self.path}: {error.strerror or error}.",
                "The version of before is still there, and so is the journal of this run.",
                "Make room, or make the folder writable, and run the command again: it picks up where this one ended.",
            ) from error
        self._known = (state.lineage, state.serial)

    def _refuse_foreign(self, state: State) -> None:
        """The file must be what this store read or wrote last; parsed again only if it was touched since."""
        if self._known is None or self._sign() != self._signature:
            now = self._load()[0]
            if (now.lineage, now.serial) != (self._known or ("", 0)):
                raise StateError(
                    f"The state changed while this run was at work: {self.path} now has serial {now.serial}.",
                    "Another run wrote it. Replacing it would lose what that run did.",
                    "Run the command again; it starts from the new state.",
                )
        lineage, serial = self._known or ("", 0)
        if (lineage and state.lineage != lineage) or state.serial < serial or not state.lineage:
            raise StateError(
                f"The state to be written (lineage {state.lineage or 'none'}, serial {state.serial}) does not follow "
                f"the one in {self.path} (lineage {lineage or 'none'}, serial {serial}).",
                "Replacing it would lose what is recorded there.",
                "Name another state file, or move this one away.",
            )

    def _sign(self) -> tuple[int, ...] | None:
        try:
            about = self.path.stat()
        except OSError:
            return None
        return (about.st_ino, about.st_size, about.st_mtime_ns)

    def _load(self) -> tuple[State, tuple[int, ...] | None]:
        signature = self._sign()
        try:
            about = self.path.stat()
            if not stat.S_ISREG(about.st_mode):
                raise StateError(f"The state is no file: {self.path}.", hint="Move it away, or name another path.")
            return parse(self.path.read_bytes()), signature
        except FileNotFoundError:
            return State(), None
        except OSError as error:
            raise StateError(
                f"The state cannot be read: {self.path}: {error.strerror or error}.",
                "Without it nothing is known about which object is whose.",
            ) from error
        except ValueError as error:
            raise StateError(
                f"The state file is not one that this version can read: {self.path}.",
                printable(str(error)),
                MEND,
            ) from None

    def _back_up(self) -> None:
        """The version of before as `.backup`: a second name for the same file where the system has that."""
        fresh = self.backup_path.with_name(self.backup_path.name + ".tmp")
        fresh.unlink(missing_ok=True)
        try:
            os.link(self.path, fresh)
            os.replace(fresh, self.backup_path)
        except OSError:
            replace_file(self.backup_path, [self.path.read_bytes()])
