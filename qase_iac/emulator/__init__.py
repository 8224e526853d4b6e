"""An emulator of the Qase REST API v1, for tests and for trying things out without an account.

It stands apart: nothing here is imported from the rest of ``qase_iac``, so that a wrong idea about the
service can not be on both sides of a test. It is written from ``qase-api.md``, whose sections the
docstrings cite.

    app = create_app(seed={"projects": [{"code": "DEMO", "title": "Demo"}]})
    client = httpx.Client(transport=httpx.WSGITransport(app), base_url="http://emulator/v1")
    client.post("/suite/DEMO", json={"title": "Login"})

``create_app(database, token, rate_limit, strict, dialect, seed, switches, clock, tokens, control)``:
storage in memory or in a SQLite file; a token that is asked for (none: no token); requests in any 60
seconds (0: no limit); unknown body keys refused; ``today`` or ``seed`` (the dialect of 2020); a seed
(``seed.py`` documents it); switches (``SWITCHES``); a clock; tokens with roles; the paths under
``/_emulator`` (``control.py``).

``app.faults``, ``app.ui``, ``app.requests``, ``app.observer`` and ``app.dump`` are for tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .switches import SWITCHES, Settings, Switch

if TYPE_CHECKING:
    from .app import App, Exchange, Logged, create_app
    from .errors import DroppedConnection
    from .seed import load_seed
    from .server import RunningServer, serve, start_server

__all__ = ["SWITCHES", "App", "DroppedConnection", "Exchange", "Logged", "RunningServer", "Settings", "Switch",
           "create_app", "load_seed", "serve", "start_server"]  # fmt: skip

_HOMES = {
    "App": "app",
    "Exchange": "app",
    "Logged": "app",
    "create_app": "app",
    "DroppedConnection": "errors",
    "load_seed": "seed",
    "RunningServer": "server",
    "serve": "server",
    "start_server": "server",
}


def __getattr__(name: str) -> object:
    """Import on first use: ``qase-iac --help`` does not pay for SQLite and a server."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
