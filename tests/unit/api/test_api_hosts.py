"""Where requests may go, and where the token may not (authoring.md, below the sample `qase.yaml`)."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qase_iac.api.hosts import (
    DEFAULT_URL,
    check_token_host,
    is_emulator,
    is_local,
    parse_url,
    proxy_for,
    resolve_api_url,
)
from qase_iac.errors import QaseIacError, SafetyRefusal

FILE, OPTION, ENV = (
    "https://file.example/v1",
    "https://option.example/v1",
    {"QASE_IAC_API_URL": "https://env.example/v1"},
)


@pytest.mark.parametrize(
    ("option", "environment", "file_value", "expected"),
    [
        (None, {}, None, (DEFAULT_URL, "default")),
        (None, {}, FILE, (FILE, "file")),
        (None, ENV, FILE, ("https://env.example/v1", "environment")),
        (OPTION, ENV, FILE, (OPTION, "option")),
        ("", {"QASE_IAC_API_URL": " ", "QASE_TESTOPS_API_HOST": ""}, "", (DEFAULT_URL, "default")),
        (None, {"QASE_TESTOPS_API_HOST": "qase.io"}, FILE, (DEFAULT_URL, "environment")),
        (None, {"QASE_TESTOPS_API_HOST": " QASE.io "}, None, (DEFAULT_URL, "environment")),
        (None, {"QASE_TESTOPS_API_HOST": "acme.example"}, None, ("https://api-acme.example/v1", "environment")),
        (
            None,
            {"QASE_TESTOPS_API_HOST": "acme.example:8443"},
            None,
            ("https://api-acme.example:8443/v1", "environment"),
        ),
        (None, {"QASE_TESTOPS_API_HOST": "bad host", **ENV}, None, ("https://env.example/v1", "environment")),
        ("https://a.example/v1/", {}, None, ("https://a.example/v1", "option")),
        (None, {}, "emulator:db", ("emulator:db", "file")),
    ],
)
def test_resolve_api_url(option, environment, file_value, expected):
    assert resolve_api_url(option, environment, file_value) == expected


@pytest.mark.parametrize(
    "host", ["https://qase.io", "user:hush@evil.com", "evil.com/x", "a b", "evil.com#", "é.com", "a..b"]
)
def test_a_host_variable_that_is_no_host_is_an_error(host):
    with pytest.raises(QaseIacError, match="QASE_TESTOPS_API_HOST") as caught:
        resolve_api_url(None, {"QASE_TESTOPS_API_HOST": host}, None)
    assert caught.value.exit_code == 1


GOOD = [
    "https://qase.io/v1",
    "https://api.qase.io/v1",
    "HTTPS://API.QASE.IO/v1",
    "https://api.qase.io.:443/v1",
    "https://api.qase.io:8443",
    "https://a.b.qase.io/v1",
]
LOOPBACK = [
    "http://localhost:8090/v1",
    "http://LOCALHOST./v1",
    "https://localhost",
    "http://127.0.0.1:1/v1",
    "http://127.9.8.7/v1",
    "http://[::1]:8090/v1",
    "http://[0:0:0:0:0:0:0:1]/v1",
]
FOREIGN = [
    "https://qase.io.evil.com/v1",
    "https://evilqase.io/v1",
    "https://qase.io-evil.com/v1",
    "https://qase.com/v1",
    "https://localhost.evil.com/v1",
    "https://evil.localhost/v1",
    "https://127.0.0.1.evil.com/v1",
    "https://127.1/v1",
    "https://2130706433/v1",
    "https://0x7f.0.0.1/v1",
    "https://0.0.0.0/v1",
    "https://10.0.0.1/v1",
    "https://[::ffff:127.0.0.1]/v1",
    "https://[fe80::1]/v1",
    "https://xn--qse-ula.io/v1",
    "https://api-qase.io/v1",
]
MALFORMED = [
    "https://[1]/v1",
    "https://[1::2::3]",
    "https://999.1.1.1/v1",
    "https://127.0.0.01/v1",
    "https://qase.io@evil.com/v1",
    "https://qase.io:pw@evil.com/v1",
    "https://evil.com\\@qase.io/v1",
    "https://evil.com\\.qase.io/v1",
    "https://evil.com#@qase.io/v1",
    "https://evil.com?.qase.io/v1",
    "https://evil.com/v1?x=.qase.io",
    "https://evil.com%2f.qase.io/v1",
    "https://qаse.io/v1",  # a Cyrillic letter
    "https://qase。io/v1",
    "https://qaſe.io/v1",  # folds to s
    "https://evil.com\t.qase.io/v1",
    "https://qase.io/v1\n",
    "https://qase.io..",
    "https://.qase.io/v1",
    "https://qase.io:99999/v1",
    "https://qase.io:/v1",
    "https:///v1",
    "https:qase.io",
    "//qase.io/v1",
    "api.qase.io/v1",
    "ftp://qase.io/v1",
    "file:///etc/passwd",
    "Emulator",
    "",
]


@pytest.mark.parametrize("url", GOOD + LOOPBACK + ["emulator", "emulator:.qase-iac/emulator.db", "emulator::memory:"])
def test_the_token_may_go_there_whoever_named_it(url):
    check_token_host(url, "file", {})


@pytest.mark.parametrize("url", FOREIGN)
def test_a_foreign_host_must_be_named_by_an_option_or_the_environment(url):
    with pytest.raises(SafetyRefusal) as caught:
        check_token_host(url, "file", {})
    assert (caught.value.code, caught.value.exit_code) == ("token-host", 4)
    assert "QASE_IAC_ALLOWED_HOSTS=" in caught.value.hint
    check_token_host(url, "option", {})
    check_token_host(url, "environment", {})


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize("origin", ["option", "environment", "file", "default"])
def test_a_trick_is_refused_whoever_named_it(url, origin):
    allowed = {"QASE_IAC_ALLOWED_HOSTS": "evil.com, qase.io"}
    with pytest.raises(SafetyRefusal, match="not a plain") as caught:
        check_token_host(url, origin, allowed)
    assert caught.value.code == "token-host"


@pytest.mark.parametrize(
    "url", ["http://api.qase.io/v1", "http://evil.com/v1", "http://127.1/v1", "http://localhost.evil.com"]
)
@pytest.mark.parametrize("origin", ["option", "environment", "file", "default"])
def test_plain_http_is_for_loopback_only(url, origin):
    with pytest.raises(SafetyRefusal, match="not encrypted"):
        check_token_host(url, origin, {"QASE_IAC_ALLOWED_HOSTS": "evil.com 127.1 api.qase.io localhost.evil.com"})


@pytest.mark.parametrize(
    ("allowed", "url", "may"),
    [
        ("qa.example", "https://qa.example/v1", True),
        ("a.example, QA.example.", "https://qa.EXAMPLE./v1", True),
        ("a.example qa.example:8443", "https://qa.example:8443/v1", True),
        ("qa.example:443", "https://qa.example/v1", True),
        ("qa.example:8443", "https://qa.example/v1", False),
        ("example", "https://qa.example/v1", False),
        ("*.example", "https://qa.example/v1", False),
        ("qa.example", "https://x.qa.example/v1", False),
        ("", "https://qa.example/v1", False),
    ],
)
def test_allowed_hosts(allowed, url, may):
    environment = {"QASE_IAC_ALLOWED_HOSTS": allowed}
    if may:
        check_token_host(url, "file", environment)
    else:
        with pytest.raises(SafetyRefusal):
            check_token_host(url, "file", environment)


def test_a_password_in_the_address_is_not_shown():
    with pytest.raises(SafetyRefusal) as caught:
        check_token_host("https://me:hush@evil.com/\x1b[31m", "file", {})
    assert "hush" not in caught.value.summary
    assert "evil.com/\\x1b[31m" in caught.value.summary


@given(st.text(alphabet="qase.io-evln:/@?#\\%[]129 \tſ", max_size=30))
def test_httpx_sees_the_host_that_was_judged(rest):
    place = parse_url("https://" + rest)
    if place is not None:
        url = httpx.URL("https://" + rest)
        assert url.host.lower().removesuffix(".") == place.host
        assert (url.port or 443) == place.port
        assert not url.userinfo


def test_local_and_emulator():
    assert is_emulator("emulator") and is_emulator("emulator:x") and not is_emulator("emulators")
    assert is_local("emulator") and is_local("http://[::1]/v1")
    assert not is_local("https://api.qase.io/v1") and not is_local("nonsense")


PROXY = {"https_proxy": "proxy.example:3128"}


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        (DEFAULT_URL, {}, None),
        (DEFAULT_URL, PROXY, "http://proxy.example:3128"),
        (DEFAULT_URL, {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        (DEFAULT_URL, {"HTTPS_PROXY": "http://p:1", "ALL_PROXY": "http://q:1"}, "http://p:1"),
        (DEFAULT_URL, {**PROXY, "NO_PROXY": "a.example, .qase.io"}, None),
        (DEFAULT_URL, {**PROXY, "no_proxy": "API.qase.io"}, None),
        (DEFAULT_URL, {**PROXY, "no_proxy": "*"}, None),
        (DEFAULT_URL, {**PROXY, "no_proxy": "ase.io"}, "http://proxy.example:3128"),
        ("https://localhost/v1", PROXY, None),
        ("http://localhost/v1", PROXY, None),
        ("http://far.example/v1", PROXY, None),
        ("emulator", PROXY, None),
    ],
)
def test_proxy_for(url, environment, expected):
    assert proxy_for(url, environment) == expected


def test_hosts_needs_no_httpx():
    code = "import sys, qase_iac.api.hosts; sys.exit('httpx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
