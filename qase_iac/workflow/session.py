"""One run over one project folder: its settings, its place at the API, its state; and all that comes from outside."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from qase_iac import __version__
from qase_iac.apply.sound import check_state
from qase_iac.config.catalogue_file import read_catalogue
from qase_iac.config.loader import Loaded, config_digest, load
from qase_iac.config.settings import Overrides, Settings, load_settings
from qase_iac.diagnostics import Diagnostic, has_errors
from qase_iac.errors import AccessDenied, ConfigurationError, QaseIacError
from qase_iac.model import Catalogue
from qase_iac.state.model import State
from qase_iac.state.store import StateStore, check_identity

if TYPE_CHECKING:
    import httpx

    from qase_iac.api.client import Client
    from qase_iac.api.transports import Stack

TOOL = f"qase-iac {__version__}"
TOKEN = "QASE_TESTOPS_API_TOKEN"
EMULATOR_DATABASE = ".qase-iac/emulator.db"
CATALOGUE = "catalogue.yaml"

Progress = Callable[[str, int, int], None]


def no_progress(what: str, done: int, total: int) -> None:
    """Says nothing."""


@dataclass
class World:
    """What comes from outside, so that everything else is a function of its arguments.

    `wall` gives seconds since 1970. `waits` is told before a
    wait, `tell` what somebody should know. `app` is a WSGI emulator to use for `emulator` in place of the folder's own.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    wall: Callable[[], float] = time.time
    random: Callable[[], float] = random.random
    http_log: TextIO | None = None
    events: Callable[[dict[str, Any]], None] | None = None
    progress: Progress = no_progress
    waits: Callable[[float, str], None] = lambda seconds, why: None
    tell: Callable[[str], None] = lambda text: None
    cache_dir: Path | None = None
    app: Any = None

    def sleep(self, seconds: float) -> None:
        """Lets time pass."""
        time.sleep(seconds)

    def now(self) -> str:
        """The time as ISO text in UTC, to the second."""
        return datetime.fromtimestamp(self.wall(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Ask:
    """What the global options say about the folder and the API; None: not said.

    `state` is a file to plan from in place of the state that `state:` names.
    """

    folder: Path
    profile: str | None = None
    api: str | None = None
    rate_limit: int | None = None
    lock_timeout: float = 0.0
    on_drift: str | None = None
    on_conflict: str | None = None
    state: Path | None = None


@dataclass
class Connection:
    """A client and its transports; close it when done."""

    client: Client
    stack: Stack

    def close(self) -> None:
        self.client.close()


class Session:
    """One project folder as one run sees it. Raises ConfigurationError when its settings are invalid.

    `requests` counts what Qase was asked before the reading that a plan is made of.
    """

    def __init__(self, ask: Ask, world: World, settings: Settings | None = None) -> None:
        """`settings` stand in for a qase.yaml that is not there (export)."""
        from qase_iac.api.hosts import is_emulator, is_local, resolve_api_url

        self.ask = ask
        self.world = world
        self.problems: list[Diagnostic] = []
        self.requests = 0
        self.settings: Settings = settings or self._from_folder()
        self.api, self.origin = resolve_api_url(ask.api, world.environment, self.settings.api_file_url)
        self.emulated = is_emulator(self.api)
        if self.settings.rate_limit == 0 and not is_local(self.api):
            raise QaseIacError(
                "A rate limit of 0 is for servers on this machine only.",
                f"{self.api} is not on this machine.",
                "Leave out --rate-limit, or give the limit of your plan.",
            )

    def _from_folder(self) -> Settings:
        ask = self.ask
        overrides = Overrides(ask.rate_limit, ask.on_drift, ask.on_conflict)
        settings, self.problems = load_settings(
            ask.folder, profile=ask.profile, environment=self.world.environment, overrides=overrides
        )
        if settings is None or not settings.project:
            raise ConfigurationError(self.problems)
        return settings

    def check_settings(self) -> None:
        """For work that reads no content: raises ConfigurationError when qase.yaml or the profile is invalid."""
        if has_errors(self.problems):
            raise ConfigurationError(self.problems)

    @property
    def project(self) -> str:
        return self.settings.project

    @property
    def root(self) -> Path:
        return self.settings.root

    def load(self, words: Catalogue | None = None, explained: bool = False) -> Loaded:
        """The whole folder with every problem found; does not raise for problems in content.

        `words` are the workspace's own where they are known; else those of catalogue.yaml count. `explained` holds
        rejected files against the JSON Schemas, too.
        """
        catalogue, found = read_catalogue(self.root)
        cache = self.world.cache_dir
        loaded = load(self.settings, offline=words or catalogue, cache_dir=cache, explained=explained)
        problems = sorted({*self.problems, *found, *loaded.diagnostics}, key=Diagnostic.sort_key)
        return replace(loaded, diagnostics=problems)

    def load_valid(self, words: Catalogue | None = None) -> Loaded:
        """As `load`; raises ConfigurationError when there is an error."""
        loaded = self.load(words)
        if has_errors(loaded.diagnostics):
            raise ConfigurationError(loaded.diagnostics)
        return loaded

    def digest(self, loaded: Loaded) -> str:
        return loaded.digest or config_digest(loaded.desired, self.settings)

    # -- the state ---------------------------------------------------------------------------------------------------

    @cached_property
    def store(self) -> StateStore:
        """Where `state:` says. Nothing is reached before it is read."""
        from qase_iac.workflow.storing import store_for

        if self.ask.state:
            from qase_iac.state.given import GivenStore

            return GivenStore(self.ask.state)
        given = self.settings
        path = {"path": given.state_path} if given.state_path else {}
        return store_for(self, given.state_backend, {**path, **given.state_options})

    def read_state(self) -> State:
        """The state as it is. Raises StateError when it makes no sense, SafetyRefusal for another API or project's.

        One that is only planned from may be of another API if this one is on this machine: nothing real can be meant.
        """
        from qase_iac.api.hosts import is_local

        state = self.store.read()
        check_state(state, self.store.place)
        check_identity(state, self.project, state.api if self.ask.state and is_local(self.api) else self.api)
        return state

    # -- the API -----------------------------------------------------------------------------------------------------

    def connect(self) -> Connection:
        """A client for the effective API. Raises SafetyRefusal or AccessDenied before anything is sent."""
        from qase_iac.api.client import Client
        from qase_iac.api.transports import build_stack

        token = None if self.emulated else self._token()
        stack = build_stack(
            self._emulator() if self.emulated else self._http(),
            per_minute=0 if self.emulated else self.settings.rate_limit,
            wall=self.world.wall,
            random=self.world.random,
            log_file=self.world.http_log,
        )
        base = "http://emulator/v1" if self.emulated else self.api
        # The emulator answers in this process: threads would only wait for each other.
        return Connection(Client(base, token, stack.retry, pool=1 if self.emulated else 4), stack)

    def _token(self) -> str:
        from qase_iac.api.hosts import check_token_host

        check_token_host(self.api, self.origin, self.world.environment)
        token = self.world.environment.get(TOKEN, "").strip()
        if not token:
            raise AccessDenied(
                f"There is no API token for {self.api}.",
                hint=f"Set {TOKEN} to a token from your Qase account (Workspace settings, API tokens).",
            )
        return token

    def _http(self) -> httpx.BaseTransport:
        import httpx

        from qase_iac.api.hosts import proxy_for

        proxy = proxy_for(self.api, self.world.environment)
        tls = self.api.startswith("https:")  # plain http is for loopback only: no certificates to load
        return httpx.HTTPTransport(verify=tls, proxy=proxy, limits=httpx.Limits(max_keepalive_connections=8))

    def _emulator(self) -> httpx.BaseTransport:
        from qase_iac.api.transports import InProcess

        return InProcess(self.world.app or self._own_emulator())

    def _own_emulator(self) -> Any:
        import sqlite3

        from qase_iac.emulator import create_app
        from qase_iac.workflow.seeding import load_any_seed

        database = emulator_database(self.root, self.api)
        file = self.root / self.settings.seed if self.settings.seed else None
        if self.ask.state and database is None:  # an empty one would hold nothing of what is planned from
            file = self.ask.state
        try:
            return create_app(database, seed=load_any_seed(file, self.root) if file else None)
        except (ValueError, OSError, sqlite3.Error) as error:
            raise QaseIacError(f"The emulator cannot start: {error}.", f"Its database is {database}.") from None


def emulator_database(root: Path, api: str) -> Path | None:
    """The file behind `emulator` or `emulator:PATH`, PATH being relative to the project folder; None is memory."""
    place = api.partition(":")[2] or EMULATOR_DATABASE
    return None if place == ":memory:" else root / place
