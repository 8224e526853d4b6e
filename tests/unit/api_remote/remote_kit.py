"""An emulator in this process, a client on it, and a clock that nobody waits for."""

from __future__ import annotations

from typing import Any

import httpx

from qase_iac.api.client import Client
from qase_iac.api.refresh import refresh
from qase_iac.api.remote import QaseRemote
from qase_iac.emulator import App, DroppedConnection, create_app
from qase_iac.model import Snapshot
from qase_iac.state.model import Binding, State

SEED: dict[str, Any] = {"projects": [{"code": "SHOP", "title": "Shop"}]}


class FakeClock:
    """Time passes when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Wire(httpx.WSGITransport):
    """In one process there is no connection to drop: what the emulator raises instead becomes what httpx would."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = super().handle_request(request)
            response.read()
        except DroppedConnection as error:
            raise httpx.RemoteProtocolError(str(error), request=request) from None
        return response


class Kit:
    def __init__(self, **options: Any) -> None:
        self.clock = FakeClock()
        self.app: App = create_app(**{"seed": SEED, "strict": True, **options})
        self.client = Client("http://emulator/v1", None, Wire(self.app), clock=self.clock)

    def calls(self, method: str = "") -> list[str]:
        """`METHOD /path?query` of the requests since the last time this was asked."""
        found = [
            f"{logged.method} {logged.path}{'?' if logged.query else ''}{logged.query}"
            for logged in self.app.requests
            if logged.method.startswith(method)
        ]
        self.app.requests.clear()
        return found

    def refresh(self, state: State | None = None, **options: Any) -> Snapshot:
        return refresh(self.client, "SHOP", state=state or State(), **options)

    def remote(self) -> QaseRemote:
        remote = QaseRemote(self.client, "SHOP", self.refresh())
        self.app.requests.clear()
        return remote


def state(**bindings: Any) -> State:
    """`state(case__a=5, plan__b=Binding(…))`: address -> id or binding."""
    bound = {name.replace("__", "."): b if isinstance(b, Binding) else Binding(b) for name, b in bindings.items()}
    return State(lineage="l", serial=1, project="SHOP", bindings=bound)


def shop(**options: Any) -> Kit:
    """One of each: milestone 1, a shared step of two, suite 1, cases 1 to 3, plans 1 and 2."""
    kit = Kit(**options)
    make = kit.app.ui.create
    make("SHOP", "milestone", title="M", due_date=1_800_000_000)
    hash = make("SHOP", "shared_step", title="S", steps=[{"action": "a"}, {"action": "b"}])
    make("SHOP", "suite", title="Top")
    make("SHOP", "case", title="One", suite_id=1, steps=[{"shared": hash}, {"shared": hash}, {"action": "c"}])
    make("SHOP", "case", title="Two", milestone_id=1)
    make("SHOP", "case", title="Three")
    make("SHOP", "plan", title="P", cases=[1, 2])
    make("SHOP", "plan", title="Q", cases=[3])
    return kit
