"""Which server is spoken to, and whether it may be told the token (authoring.md, below the sample `qase.yaml`).

Pure functions over text and a mapping of environment variables; no socket, no httpx. An address is read by one strict
pattern, so that no two URL parsers can disagree about its host: no user part, query, fragment, backslash, blank,
percent sign in the host, or letter outside ASCII (an international name is written in its `xn--` form).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from qase_iac.errors import QaseIacError, SafetyRefusal
from qase_iac.values import printable

DEFAULT_URL = "https://api.qase.io/v1"
VENDOR = "qase.io"
ALLOWED_HOSTS = "QASE_IAC_ALLOWED_HOSTS"
Origin = Literal["option", "environment", "file", "default"]

_NAME = r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?"
_HOST_AND_PORT = re.compile(rf"{_NAME}(?::[0-9]{{1,5}})?")
_URL = re.compile(
    rf"(https?)://(?:\[([0-9a-f:.]+)\]|({_NAME}))(?::([0-9]{{1,5}}))?(?:/[a-z0-9._~%+/-]*)?",
    re.IGNORECASE | re.ASCII,
)
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_PORTS = {"http": 80, "https": 443}


class Endpoint(NamedTuple):
    """Scheme, host in lower case without a final dot, and port of a base URL."""

    scheme: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """This very machine. Names below `localhost` and spellings such as 127.1 or 0x7f.1 do not count."""
        if self.host == "localhost":
            return True
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return address.is_loopback and getattr(address, "ipv4_mapped", None) is None


def parse_url(url: str) -> Endpoint | None:
    """The endpoint of a base URL, or None when it is not plainly `http(s)://HOST[:PORT][/PATH]`."""
    match = _URL.fullmatch(url)
    if match is None:
        return None
    scheme, bracketed, name, port = match.groups()
    number = int(port) if port else _PORTS[scheme.lower()]
    if number > 65535 or not _is_host(bracketed, name):
        return None
    return Endpoint(scheme.lower(), (bracketed or name).lower().removesuffix("."), number)


def _is_host(bracketed: str | None, name: str | None) -> bool:
    """Whether what is written as an IP address is one; any other name may be one."""
    try:
        if bracketed:
            ipaddress.IPv6Address(bracketed)
        elif name and _NUMBERS.fullmatch(name):
            ipaddress.IPv4Address(name)
    except ipaddress.AddressValueError:
        return False
    return True


def is_emulator(url: str) -> bool:
    """Whether `url` means the built-in emulator, run in-process: `emulator` or `emulator:PATH`."""
    return url == "emulator" or url.startswith("emulator:")


def is_local(url: str) -> bool:
    """Whether requests to `url` stay on this machine (loopback or emulator): only then may the rate limit be off."""
    place = parse_url(url)
    return is_emulator(url) or (place is not None and place.loopback)


def resolve_api_url(option: str | None, environment: Mapping[str, str], file_value: str | None) -> tuple[str, Origin]:
    """The base URL, without a final slash, and where it was named (`file` includes the profile laid over it).

    Of the two variables QASE_IAC_API_URL counts before QASE_TESTOPS_API_HOST, since it says the whole URL. An empty
    value is an unset one. QASE_TESTOPS_API_HOST that is not a plain host name raises QaseIacError.
    """
    named: tuple[tuple[str | None, Origin], ...] = (
        (option, "option"),
        (_from_environment(environment), "environment"),
        (file_value, "file"),
    )
    for value, origin in named:
        if value and value.strip():
            return value.strip().rstrip("/"), origin
    return DEFAULT_URL, "default"


def _from_environment(environment: Mapping[str, str]) -> str | None:
    url = environment.get("QASE_IAC_API_URL", "").strip()
    host = environment.get("QASE_TESTOPS_API_HOST", "").strip().lower()
    if url or not host:
        return url
    if not _HOST_AND_PORT.fullmatch(host):
        raise QaseIacError(
            f"QASE_TESTOPS_API_HOST is not a host name: {_shown(host)}",
            hint="Write the host alone, such as qase.io, or give the whole base URL in QASE_IAC_API_URL.",
        )
    return DEFAULT_URL if host == VENDOR else f"https://api-{host}/v1"


def check_token_host(url: str, origin: Origin, environment: Mapping[str, str]) -> None:
    """Raise SafetyRefusal(code="token-host") unless the token may be sent to `url`.

    It may: to loopback (http or https); over https to qase.io and hosts below it, on any port; over https to a host
    that an option or the environment named; over https to a host that QASE_IAC_ALLOWED_HOSTS lists (names or
    name:port, separated by commas or blanks; no wildcards). Never over plain http to another machine, whoever named
    it: the token would be readable on the way. The in-process emulator is no host at all.
    """
    if is_emulator(url):
        return
    place = parse_url(url)
    if place is None:
        raise _refusal(
            f"The API address is not a plain https://HOST/PATH: {_shown(url)}",
            "Write scheme, host and path only: no user name, query or special letters (use xn-- for those).",
        )
    if place.loopback:
        return
    if place.scheme != "https":
        raise _refusal(
            f"{_shown(url)} is not encrypted, so the token is not sent there.",
            "Use https. Plain http is for this machine only, such as http://localhost:8090/v1.",
        )
    ours = place.host == VENDOR or place.host.endswith("." + VENDOR)
    if ours or origin in ("option", "environment") or listed(place, environment.get(ALLOWED_HOSTS, "")):
        return
    raise _refusal(
        f"The token is not sent to {printable(place.host)}, which only a file names.",
        f"If you trust that host, set {ALLOWED_HOSTS}={place.host}, or name it by --api or QASE_IAC_API_URL.",
    )


def proxy_for(url: str, environment: Mapping[str, str]) -> str | None:
    """The proxy for an https base URL by HTTPS_PROXY, ALL_PROXY and NO_PROXY (either case); none on this machine."""
    place = parse_url(url)
    if place is None or place.loopback or place.scheme != "https":
        return None

    def setting(name: str) -> str:
        return (environment.get(name.lower()) or environment.get(name) or "").strip()

    for entry in setting("NO_PROXY").lower().replace(",", " ").split():
        suffix = entry.removeprefix("*").lstrip(".")
        if not suffix or place.host == suffix or place.host.endswith("." + suffix):
            return None
    proxy = setting("HTTPS_PROXY") or setting("ALL_PROXY")
    return (proxy if "://" in proxy else f"http://{proxy}") if proxy else None


def listed(place: Endpoint, allowed: str) -> bool:
    """Whether QASE_IAC_ALLOWED_HOSTS, as it stands, lists the host."""
    entries = {entry.removesuffix(".") for entry in allowed.lower().replace(",", " ").split()}
    return place.host in entries or f"{place.host}:{place.port}" in entries


def _shown(url: str) -> str:
    """`url` for a message: what looks like a user part may be a password."""
    return printable(re.sub(r"//.*@", "//…@", url, flags=re.DOTALL))


def _refusal(summary: str, hint: str) -> SafetyRefusal:
    return SafetyRefusal("token-host", summary, hint=hint)
