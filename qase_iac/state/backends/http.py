"""The state on a server of Terraform's HTTP protocol (Terraform, "Backend type: http"); GitLab's managed state is one.

GET reads (404, 204: none), POST writes under `?ID=`, LOCK and UNLOCK carry the lock's facts as JSON; 423 or 409 answer
with the facts of whoever has it. The server knows no renewal: a lock lasts until it is given back or broken.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from qase_iac.errors import StateError
from qase_iac.state.backends.base import Changed, Found
from qase_iac.state.lease import UNKNOWN, Lease, read_lease
from qase_iac.state.lock import Holder
from qase_iac.values import printable

LOCKED = (409, 423)
_GITLAB = re.compile(r"/api/v4/projects/[^/]+/terraform/state/[^/]+\Z")


@dataclass(frozen=True)
class Addresses:
    """Where and how a server is asked, under the names that Terraform uses."""

    address: str
    lock_address: str
    unlock_address: str
    update_method: str = "POST"
    lock_method: str = "LOCK"
    unlock_method: str = "UNLOCK"

    @classmethod
    def of(cls, address: str, **given: str) -> Addresses:
        """What is left out: GitLab's own addresses and methods for its addresses, else those of the protocol."""
        known = {"lock_address": address}
        if _GITLAB.search(address):
            known = {"lock_address": f"{address}/lock", "lock_method": "POST", "unlock_method": "DELETE"}
        known |= given
        return cls(address, **{"unlock_address": known["lock_address"], **known})


class HttpBackend:
    """`client` has the credentials, if there are any."""

    ttl = 0

    def __init__(self, client: httpx.Client, addresses: Addresses) -> None:
        self.client = client
        self.addresses = addresses
        self.place = printable(addresses.address)
        self._lock_id = ""

    def get(self) -> Found | None:
        answer = self._ask("GET", self.addresses.address)
        if answer.status_code in (204, 404) or (answer.status_code == 200 and not answer.content):
            return None
        self._expect(answer, (200,), "read")
        if (digest := answer.headers.get("Content-MD5")) and not _same_digest(digest, answer.content):
            raise StateError(f"The state cannot be read: {self.place} sent something else than its Content-MD5 says.")
        return Found(answer.content, _version(answer.content))

    def put(self, content: bytes, expected: str, note: str) -> str:
        """The protocol knows no condition but the lock: the version is compared just before."""
        there = self.get()
        if (there.token if there else "") != expected:
            raise Changed
        headers = {"Content-Type": "application/json", "Content-MD5": b64encode(_md5(content)).decode("ascii")}
        query = {"ID": self._lock_id} if self._lock_id else None
        answer = self._ask(self.addresses.update_method, self.addresses.address, content, headers, query)
        if answer.status_code in LOCKED:
            raise StateError(
                f"The state cannot be written: {self.place} says that somebody else holds its lock.",
                f"It is {_lease(answer).holder}.",
                "Run the command again: it settles what this run has done and goes on.",
            )
        self._expect(answer, (200, 201, 202, 204), "written")
        return _version(content)

    def holds(self) -> Lease | None:
        """The protocol has no way to ask: a lock is taken and given back."""
        probe = Lease("qase-iac-probe", UNKNOWN, 0, 0)
        found = self._lock(probe)
        if found is None:
            self._unlock(_info(probe))
        return found

    def take(self, lease: Lease, over: Lease | None) -> Lease | None:
        if over is not None or self._lock(lease) is not None:
            return None
        self._lock_id = lease.id
        return lease

    def give_back(self, lease: Lease) -> None:
        self._unlock(lease.raw or _info(lease))
        self._lock_id = ""

    def _lock(self, lease: Lease) -> Lease | None:
        """Who has it already; None when it is this one's now."""
        answer = self._ask(self.addresses.lock_method, self.addresses.lock_address, _info(lease).encode())
        if answer.status_code in LOCKED:
            return _lease(answer)
        if answer.status_code in (404, 405, 501):
            raise StateError(
                f"{printable(self.addresses.lock_address)} does not lock (HTTP {answer.status_code}).",
                "Without a lock two runs at once would undo each other's work.",
                "Set `state.lock_address` and `state.lock_method` as it wants them, or choose another backend.",
            )
        self._expect(answer, (200, 201, 204), "locked")
        return None

    def _unlock(self, info: str) -> None:
        answer = self._ask(self.addresses.unlock_method, self.addresses.unlock_address, info.encode())
        self._expect(answer, (200, 201, 204, 404), "unlocked")

    def _ask(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, str] | None = None,
    ) -> httpx.Response:
        headers = headers or ({"Content-Type": "application/json"} if content is not None else {})
        try:
            target = httpx.URL(url)
            target = target.copy_merge_params(query) if query else target
            return self.client.request(method, target, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            said = printable(f"{type(error).__name__}: {error}")
            raise StateError(f"The state cannot be reached: {self.place}.", said, "Run the command again.") from None

    def _expect(self, answer: httpx.Response, good: tuple[int, ...], what: str) -> None:
        if answer.status_code in good:
            return
        hint = "Check `state:` in qase.yaml."
        if answer.status_code in (401, 403):
            hint = (
                "Its user and password are taken from QASE_IAC_STATE_USERNAME and QASE_IAC_STATE_PASSWORD, or "
                "TF_HTTP_USERNAME and TF_HTTP_PASSWORD. GitLab: gitlab-ci-token and $CI_JOB_TOKEN."
            )
        said = printable(answer.text[:300].strip())
        raise StateError(f"The state cannot be {what}: {self.place} answered HTTP {answer.status_code}.", said, hint)


def _info(lease: Lease) -> str:
    """The facts of a lock as Terraform writes them; ours are the text in `Info`."""
    since = datetime.fromtimestamp(lease.renewed, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = {
        "ID": lease.id,
        "Operation": lease.holder.command or "qase-iac",
        "Info": lease.text(),
        "Who": f"{lease.holder.user}@{lease.holder.host}",
        "Version": "qase-iac",
        "Created": since,
        "Path": "",
    }
    return json.dumps(about)


def _lease(answer: httpx.Response) -> Lease:
    """Who has it, by what the server tells: all of ours, or as much as another program has said."""
    data: Any = None
    with suppress(ValueError, RecursionError):
        data = json.loads(answer.content)
    if not isinstance(data, dict):
        return Lease("", UNKNOWN, 0, 0, "{}")
    ours = read_lease(str(data.get("Info", "")).encode())
    user, _, host = str(data.get("Who") or f"{UNKNOWN.user}@{UNKNOWN.host}").partition("@")
    other = Holder(user, host, 0, str(data.get("Created") or UNKNOWN.time), str(data.get("Operation") or ""))
    holder = ours.holder if ours and ours.holder != UNKNOWN else other
    return Lease(str(data.get("ID", "")), holder, 0, 0, answer.text)


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _same_digest(said: str, content: bytes) -> bool:
    """Terraform sends it in base64; some servers in hexadecimal."""
    with suppress(ValueError):
        return b64decode(said, validate=True) == _md5(content) or said.lower() == _md5(content).hex()
    return said.lower() == _md5(content).hex()
