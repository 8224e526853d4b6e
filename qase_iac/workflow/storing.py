"""Which store keeps the state of a folder: settings and environment made into one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.state.store import LocalStore, StateStore, state_path
from qase_iac.values import printable

if TYPE_CHECKING:
    from qase_iac.state.backends.base import Backend
    from qase_iac.workflow.session import Session, World

ADDRESS = "QASE_IAC_STATE_ADDRESS"
_USERS = ("QASE_IAC_STATE_USERNAME", "TF_HTTP_USERNAME")
_PASSWORDS = ("QASE_IAC_STATE_PASSWORD", "TF_HTTP_PASSWORD")
TIMEOUT = 60.0
RETRIES = 2


def store_for(session: Session, backend: str, options: Mapping[str, str]) -> StateStore:
    """The store that `state:` names; `options` are its other keys. Nothing is reached yet."""
    usual = state_path(session.root, session.project, session.api)
    if backend == "local":
        return LocalStore(session.root / options["path"] if "path" in options else usual)
    from qase_iac.state.lease import Outside
    from qase_iac.state.remote import RemoteStore

    world = session.world
    outside = Outside(world.wall, world.sleep, lambda: str(uuid.uuid4()), world.tell)
    return RemoteStore(_BACKENDS[backend](session.root, usual, options, world), usual, outside)


def _git(root: Path, usual: Path, options: Mapping[str, str], world: World) -> Backend:
    from qase_iac.state.backends.base import SlotBackend
    from qase_iac.state.backends.git import REF, REMOTE, GitSlots, Place

    name = usual.name.removesuffix(".json")
    ref = options.get("ref", REF)
    ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    place = Place(root, usual.with_name(f"{name}.git"), name, options.get("remote", REMOTE), ref)
    return SlotBackend(GitSlots(place, world.environment, world.wall))


def _s3(root: Path, usual: Path, options: Mapping[str, str], world: World) -> Backend:
    from qase_iac.state.backends.base import SlotBackend
    from qase_iac.state.backends.s3 import S3Slots, client

    region, endpoint = options.get("region"), options.get("endpoint")
    key = options.get("key", f"qase-iac/{usual.name}")
    return SlotBackend(S3Slots(options["bucket"], key, lambda: client(region, endpoint)))


def _http(root: Path, usual: Path, options: Mapping[str, str], world: World) -> Backend:
    import httpx

    from qase_iac.api.hosts import proxy_for
    from qase_iac.state.backends.http import Addresses, HttpBackend

    environment = world.environment
    named = environment.get(ADDRESS, "").strip()
    given = {**options, **({"address": named} if named else {})}
    if "address" not in given:
        raise QaseIacError("The state has no address.", hint=f"Set `state.address` in qase.yaml, or {ADDRESS}.")
    addresses = Addresses.of(given.pop("address"), **given)
    password = _first(environment, _PASSWORDS)
    if password:
        for url in (addresses.address, addresses.lock_address, addresses.unlock_address):
            _check_host(url, named, environment)
    transport = httpx.HTTPTransport(proxy=proxy_for(addresses.address, environment), retries=RETRIES)
    auth = httpx.BasicAuth(_first(environment, _USERS), password) if password else None
    return HttpBackend(httpx.Client(transport=transport, auth=auth, timeout=TIMEOUT, trust_env=False), addresses)


_BACKENDS = {"git": _git, "http": _http, "s3": _s3}


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environment.get(name, ""))), "")


def _check_host(url: str, named: str, environment: Mapping[str, str]) -> None:
    """The password goes over https only, and to a host that the environment names: a file is anybody's pull request.

    By the environment are named the host of QASE_IAC_STATE_ADDRESS, those in QASE_IAC_ALLOWED_HOSTS, and GitLab's own
    in its jobs.
    """
    from qase_iac.api.hosts import ALLOWED_HOSTS, listed, parse_url

    place = parse_url(url)
    if place is None or (place.scheme != "https" and not place.loopback):
        summary = f"The password of the state is not sent to {_shown(url)}."
        raise SafetyRefusal("state-host", summary, "It is no plain https://HOST/PATH.", "Use https.")
    known = {parse_url(each) for each in (named, environment.get("CI_API_V4_URL", "")) if each}
    hosts = {each.host for each in known if each}
    if place.loopback or place.host in hosts or listed(place, environment.get(ALLOWED_HOSTS, "")):
        return
    raise SafetyRefusal(
        "state-host",
        f"The password of the state is not sent to {printable(place.host)}, which only a file names.",
        hint=f"If you trust that host, set {ALLOWED_HOSTS}={place.host}, or name the address by {ADDRESS}.",
    )


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return printable(f"{parts.scheme}://{parts.hostname or ''}{parts.path}")


_PAGES = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL")
"""What GitLab, Jenkins and CircleCI call the page of a job."""


def run_url(environment: Mapping[str, str]) -> str:
    """The page of the CI job that this is; "" elsewhere."""
    host, repository, run = (environment.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    if host and repository and run:
        return f"{host}/{repository}/actions/runs/{run}"
    return next((url for name in _PAGES if (url := environment.get(name, ""))), "")
