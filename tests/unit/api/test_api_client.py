"""The client over scripted transports and over real sockets (qase-api.md sections 1, 2, 4)."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
import traceback

import httpx
import pytest
from api_fakes import BASE, TOKEN, FakeClock, Script, client, http_reply, live, ok, paged, raw_server
from hypothesis import given, settings
from hypothesis import strategies as st

from qase_iac.api.client import Client, PagesDisagree, Written
from qase_iac.api.transports import build_stack
from qase_iac.errors import (
    AccessDenied,
    ApiError,
    BadAnswer,
    Interrupted,
    NoAnswer,
    NotFound,
    QaseIacError,
    RateLimited,
    Rejected,
    ServerFault,
)

HTML = b"<html><body>502 Bad Gateway</body></html>"
NOT_JSON = [b"", b"  ", HTML, b'{"status": true, "result": {"id"', b"OK", b"[1]", b"null", b"\xff\xfe{", b"[" * 100_000]

READERS = {
    "get": lambda c: c.get("/case/SHOP/1"),
    "list": lambda c: c.list("/case/SHOP"),
}
WRITERS = {
    "post": lambda c: c.post("/case/SHOP", {"title": "x"}),
    "patch": lambda c: c.patch("/case/SHOP/1", {"title": "x"}),
    "delete": lambda c: c.delete("/case/SHOP/1"),
    "upload": lambda c: c.upload("/attachment/SHOP", [("a.txt", b"x", "text/plain")]),
}
CALLS = READERS | WRITERS
each_call = pytest.mark.parametrize("name", CALLS)


def failure(call, *replies, **options) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(client(*replies, **options)[0])
    return caught.value


# Requests


def test_what_is_sent():
    c, script = client(ok({"id": 7}))
    c.get("/case/SHOP/7", {"include": "external_issues"})
    sent = script.requests[0]
    assert str(sent.url) == f"{BASE}/case/SHOP/7?include=external_issues"
    assert sent.headers["Token"] == TOKEN
    assert sent.headers["Accept"] == "application/json"
    assert sent.headers["User-Agent"].startswith("qase-iac/")
    assert sent.extensions["timeout"] == {"connect": 10.0, "read": 30.0, "write": 30.0, "pool": 30.0}


def test_bodies_and_timeouts_of_writes():
    c, script = client(ok({"id": 7}), timeout=5.0)
    c.post("/case/SHOP/bulk", {"cases": [{"title": "Ä"}]}, timeout=180)
    c.patch("/case/SHOP/7", {"title": ""})
    c.delete("/suite/SHOP/7", {"destination_id": 3})
    c.delete("/case/SHOP/7")
    assert [request.method for request in script.requests] == ["POST", "PATCH", "DELETE", "DELETE"]
    assert [json.loads(body) if body else None for body in script.bodies] == [
        {"cases": [{"title": "Ä"}]},
        {"title": ""},
        {"destination_id": 3},
        None,
    ]
    assert [request.extensions["timeout"]["read"] for request in script.requests] == [180, 5, 5, 5]
    assert script.requests[0].extensions["timeout"]["connect"] == 10


def test_the_in_process_emulator_gets_no_token():
    c, script = client(ok({"id": 7}), token=None)
    c.get("/case/SHOP/7")
    assert "Token" not in script.requests[0].headers


@pytest.mark.parametrize("token", ["", "  ", "naïve", "a b", "a\nb", "a\x7f"])
def test_a_token_that_cannot_be_sent(token):
    with pytest.raises(AccessDenied) as caught:
        client(token=token)
    assert caught.value.exit_code == 8 and caught.value.status is None
    assert not token.strip() or token not in everything_about(caught.value)
    assert "QASE_TESTOPS_API_TOKEN" in caught.value.hint


def test_blanks_around_the_token_do_not_count():
    c, script = client(ok({"id": 7}), token=" abc\n")
    c.get("/case/SHOP/7")
    assert script.requests[0].headers["Token"] == "abc"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "case",
        "/",
        "/case/",
        "//evil.com/x",
        "/case/SHOP/..",
        "/case/./1",
        "/../x",
        "/case/a?b",
        "/a#b",
        "/a b",
        "/a\n",
    ],
)
def test_an_id_that_would_change_the_request_is_not_sent(path):
    c, script = client(ok({"id": 7}))
    for call in (c.get, c.list, c.delete, lambda path: c.post(path, {}), lambda path: c.upload(path, [])):
        with pytest.raises(BadAnswer, match="not a path of the API"):
            call(path)
    assert not script.requests


@pytest.mark.parametrize(
    "path", ["/project", "/case/SHOP/12", "/shared_step/SHOP/0123abcdef", "/x/...", "/x/.y", "/x/a-b_c~d"]
)
def test_paths_that_are_sent_as_they_are(path):
    c, script = client(ok({"id": 7}))
    c.get(path)
    assert script.requests[0].url.path == "/v1" + path


def test_close_closes_the_transport():
    c, script = client()
    c.close()
    assert script.closed


# One entity


@pytest.mark.parametrize("result", [{"id": 7, "title": "x"}, [{"id": 7, "title": "x"}]])
def test_get_in_both_dialects(result):
    assert client(ok(result))[0].get("/suite/SHOP/7") == {"id": 7, "title": "x"}


@pytest.mark.parametrize("result", [None, [], [{"id": 1}, {"id": 2}], [7], "x", 7])
def test_get_without_an_object_is_a_bad_answer(result):
    error = failure(READERS["get"], ok(result))
    assert type(error) is BadAnswer and not error.ambiguous and error.status == 200


# Writes


@pytest.mark.parametrize(
    ("body", "id_", "ids"),
    [
        ({"status": True, "id": 1}, 1, ()),
        ({"status": True, "id": "12"}, 12, ()),
        ({"status": True, "result": {"id": 17}}, 17, ()),
        ({"status": True, "result": {"id": "17"}}, 17, ()),
        ({"status": True, "id": 1, "result": {"id": 17}}, 17, ()),
        ({"status": True, "id": 1, "result": None}, 1, ()),
        ({"status": True, "result": {"hash": "1234567890"}}, "1234567890", ()),
        ({"status": True, "result": {"id": None, "hash": "ab"}}, "ab", ()),
        ({"status": True, "result": {"case_id": 3, "hash": "ab"}}, "ab", ()),
        ({"status": True, "result": {"code": "SHOP"}}, "SHOP", ()),
        ({"status": True, "result": {"id": "0d1e-uuid"}}, "0d1e-uuid", ()),
        ({"status": True, "result": {"id": "9" * 5000}}, "9" * 5000, ()),
        ({"status": True, "result": {"ids": [4, "5", 6]}}, None, (4, 5, 6)),
        ({"status": True, "result": {"ids": []}}, None, ()),
        ({"status": True}, None, ()),
        ({"status": True, "result": {"url": "https://x"}}, None, ()),
        ({"status": True, "result": [{"hash": "ab"}]}, None, ()),
        ({"result": {"id": 2}}, 2, ()),
        ({"id": 2}, 2, ()),
        ({"id": 0}, 0, ()),
    ],
)
def test_ids_of_both_dialects(body, id_, ids):
    written = client(httpx.Response(200, json=body, headers={"X-Request-Id": "r1"}))[0].post("/x/SHOP", {})
    assert written == Written(id_, ids, body.get("result"), 200, "r1")
    assert type(written.id) is type(id_)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"result": None},
        {"status": True, "result": {"id": {"x": 1}}},
        {"status": True, "result": {"id": True}},
        {"status": True, "result": {"id": 1.5}},
        {"status": True, "result": {"id": ""}},
        {"status": True, "result": {"ids": 5}},
        {"status": True, "result": {"ids": [1, None]}},
        {"status": True, "result": {"ids": [1, True]}},
    ],
)
def test_a_write_whose_answer_says_nothing_sure_is_ambiguous(body):
    error = failure(WRITERS["post"], httpx.Response(200, json=body))
    assert type(error) is BadAnswer and error.ambiguous
    assert "look before repeating" in error.hint


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_no_answer_makes_a_traceback(body):
    """Whatever JSON comes, reading it gives a value or an ApiError."""
    for wrapped in (
        body,
        {"status": True, "result": body},
        {"status": True, "result": {"ids": body, "entities": body, "total": 1}},
    ):
        for call in CALLS.values():
            for status in (200, 422):
                try:
                    call(client(httpx.Response(status, json=wrapped))[0])
                except ApiError as error:
                    assert error.summary


@pytest.mark.parametrize("host", ["xn--a", "xn---", "[1]", "999.1.1.1"])
def test_an_address_that_no_request_can_be_made_of(host):
    with pytest.raises(QaseIacError, match="no such API address"):
        Client(f"https://{host}/v1", TOKEN, Script())


# Uploads and downloads


def test_upload():
    rows = [{"hash": "a"}, {"hash": "b"}]
    c, script = client(ok(rows))
    assert c.upload("/attachment/SHOP", [("ä.png", b"\x89PNG", "image/png"), ("b.txt", b"text", "text/plain")]) == rows
    body = script.bodies[0]
    assert script.requests[0].headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert body.count(b'name="file[]"') == 2 and 'filename="ä.png"'.encode() in body
    assert b"\x89PNG" in body and b"Content-Type: image/png" in body
    assert script.requests[0].extensions["timeout"]["read"] == 180


@pytest.mark.parametrize("result", [None, [], {"hash": "a"}, [{"hash": "a"}, {"hash": "b"}], ["a"]])
def test_an_upload_needs_an_entry_for_each_file(result):
    error = failure(WRITERS["upload"], ok(result))
    assert type(error) is BadAnswer and error.ambiguous


@pytest.mark.parametrize(
    ("url", "with_token"),
    [
        (f"{BASE}/attachment/a.png", True),
        ("https://API.qase.io:443/other/a.png", True),
        ("https://cdn.example/a.png", False),
        ("https://app.qase.io/a.png", False),
        ("https://api.qase.io:8443/a.png", False),
        ("https://api.qase.io.evil.com/a.png", False),
    ],
)
def test_a_download_takes_the_token_to_the_api_alone(url, with_token):
    c, script = client(httpx.Response(200, content=b"\x89PNG"))
    assert c.download(url) == b"\x89PNG"
    assert ("Token" in script.requests[0].headers) is with_token
    assert (TOKEN in str(script.requests[0].headers.raw)) is False or with_token


@pytest.mark.parametrize(
    "url",
    ["http://cdn.example/a", "http://api.qase.io/v1/a", "ftp://api.qase.io/a", "file:///etc/passwd", "/attachment/a", "", "a\x00",
     "https://me:pw@cdn.example/a", "https://api.qase.io@evil.com/a", "https://[bad/a", "https://xn--a/a", "https://[1]/a"],
)  # fmt: skip
def test_a_download_from_elsewhere_is_refused(url):
    c, script = client(httpx.Response(200))
    with pytest.raises(BadAnswer):
        c.download(url)
    assert not script.requests


def test_a_download_from_a_loopback_server_may_be_http():
    script = Script(httpx.Response(200, content=b"x"))
    assert Client("http://localhost:8090/v1", TOKEN, script).download("http://localhost:8090/files/a") == b"x"


def test_a_signature_in_a_download_is_not_shown():
    file = io.StringIO()
    secret = "hu" + "sh"  # in two parts: a traceback shows this very line
    script = Script(httpx.Response(302, headers={"Location": f"https://s3.example/x?sig={secret}"}))
    stack = build_stack(script, per_minute=0, clock=FakeClock(), wall=lambda: 0.0, random=lambda: 0.5, log_file=file)
    with pytest.raises(BadAnswer, match=r"redirects to https://s3\.example/x") as caught:
        Client(BASE, TOKEN, stack.retry).download(f"https://cdn.example/a.png?sig={secret}#{secret}")
    assert script.requests[0].url.params["sig"] == secret
    assert secret not in everything_about(caught.value) + file.getvalue()
    assert json.loads(file.getvalue())["path"] == caught.value.path == "https://cdn.example/a.png"


# Errors


@pytest.mark.parametrize(
    ("status", "kind", "exit_code"),
    [
        (400, Rejected, 9),
        (401, AccessDenied, 8),
        (402, Rejected, 9),
        (403, AccessDenied, 8),
        (404, NotFound, 9),
        (408, Rejected, 9),
        (413, Rejected, 9),
        (422, Rejected, 9),
        (429, RateLimited, 9),
        (500, ServerFault, 9),
        (503, ServerFault, 9),
        (507, ServerFault, 9),
    ],
)
@each_call
def test_statuses(name, status, kind, exit_code):
    error = failure(
        CALLS[name],
        httpx.Response(status, json={"status": False, "errorMessage": "No \x1b[31mway"}, headers={"CF-Ray": "ray"}),
    )
    assert type(error) is kind
    assert (error.status, error.exit_code, error.request_id) == (status, exit_code, "ray")
    assert error.ambiguous is (name in WRITERS and (status >= 500 or status == 408))
    assert error.path in error.summary and error.method in error.summary
    assert error.summary.startswith(f"Qase answered {status} to ") and error.summary.endswith(": No \\x1b[31mway")
    assert "No \\u001b[31mway" in error.body


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, "QASE_TESTOPS_API_TOKEN"), (402, "plan"), (403, "rights"), (404, "see it"), (429, "rate_limit")],
)
def test_hints(status, word):
    assert word in failure(READERS["get"], httpx.Response(status, json={})).hint


@each_call
@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_redirects_are_not_followed(name, status):
    reply = httpx.Response(status, headers={"Location": "https://evil.com/login?next=hush"})
    c, script = client(reply)
    with pytest.raises(BadAnswer, match=r"https://evil\.com/login\.$") as caught:
        CALLS[name](c)
    assert len(script.requests) == 1
    assert caught.value.ambiguous is (name in WRITERS)
    assert name in WRITERS or "Redirects are not followed" in caught.value.hint
    assert "nowhere" in failure(CALLS[name], httpx.Response(status)).summary


@pytest.mark.parametrize("content", [b"", HTML, b"not found"])
def test_a_404_of_somebody_else_does_not_mean_absent(content):
    error = failure(READERS["get"], httpx.Response(404, content=content))
    assert type(error) is BadAnswer and error.status == 404


@pytest.mark.parametrize(
    ("body", "fields", "said"),
    [
        (
            {"errorMessage": "Data is invalid.", "errorFields": [{"field": "title", "error": "too long"}]},
            [("title", "too long")],
            "Data is invalid.",
        ),
        (
            {"message": "Bad", "errors": {"title": ["a", "b"], "x.0.y": ["c"]}},
            [("title", "a"), ("title", "b"), ("x.0.y", "c")],
            "Bad",
        ),
        ({"message": "Bad", "errors": {"title": "a"}}, [("title", "a")], "Bad"),
        ({"error": "Bad", "errors": [{"field": "t", "message": "m"}, "loose"]}, [("t", "m"), ("", "loose")], "Bad"),
        (
            {"errorFields": {"title": ["a"]}, "errors": {"title": "b"}},
            [("title", "a"), ("title", "b")],
            "it gave no reason",
        ),
        ({"errorMessage": ["odd"], "errorFields": 5, "errors": "x"}, [], "it gave no reason"),
        ({"errorMessage": "E", "errorFields": [{}, None]}, [("", ""), ("", "None")], "E"),
        ({"errorMessage": "E", "errorFields": [{"field": "a\n", "error": 7}]}, [("a", "7")], "E"),
    ],
)
def test_field_errors_of_every_shape(body, fields, said):
    error = failure(WRITERS["post"], httpx.Response(422, json=body))
    assert error.field_errors == tuple(fields)
    assert error.summary.endswith(f": {said}")
    assert error.detail == "\n".join(f"{field}: {text}" if field else text for field, text in fields)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "an empty body"), (HTML, "an HTML page"), (b"{", "cut off"), (b"busy", "not a JSON object")],
)
def test_errors_without_json(content, said):
    for status, kind in [(401, AccessDenied), (413, Rejected), (422, Rejected), (429, RateLimited), (502, ServerFault)]:
        error = failure(READERS["get"], httpx.Response(status, content=content))
        assert type(error) is kind and said in error.summary


def test_long_messages_are_cut():
    body = {"errorMessage": "x" * 9999, "errorFields": [{"field": "y" * 999, "error": "z" * 999}] * 99}
    error = failure(WRITERS["post"], httpx.Response(422, json=body))
    assert len(error.summary) < 400 and len(error.field_errors) == 50
    assert [len(part) for part in error.field_errors[0]] == [101, 301]
    assert len(error.body) == 2001


@each_call
@pytest.mark.parametrize("content", NOT_JSON)
def test_a_2xx_that_is_not_json(name, content):
    error = failure(CALLS[name], httpx.Response(200, content=content))
    assert type(error) is BadAnswer and error.status == 200
    assert error.ambiguous is (name in WRITERS)


@each_call
@pytest.mark.parametrize("no", [False, None, 0])
def test_status_false_with_200_is_a_refusal(name, no):
    error = failure(
        CALLS[name],
        httpx.Response(
            200, json={"status": no, "errorMessage": "No.", "result": {"id": 1, "total": 0, "entities": []}}
        ),
    )
    assert type(error) is Rejected and not error.ambiguous
    assert error.summary.endswith(": No.")


@pytest.mark.parametrize("header", ["X-Request-Id", "CF-Ray", "X-Amz-Cf-Id", "X-Trace-Id"])
def test_request_ids(header):
    error = failure(READERS["get"], httpx.Response(500, headers={header: "id\t1" + "x" * 200}))
    assert error.request_id.startswith("id\\t1x") and len(error.request_id) == 101
    assert failure(READERS["get"], httpx.Response(500)).request_id is None


@pytest.mark.parametrize(
    ("error", "sent", "kind", "said"),
    [
        (httpx.ConnectError("refused"), False, NoAnswer, "No connection"),
        (httpx.ConnectTimeout("slow"), False, NoAnswer, "No connection"),
        (httpx.PoolTimeout(""), False, NoAnswer, "PoolTimeout"),
        (httpx.ProxyError("407"), False, NoAnswer, "407"),
        (httpx.ReadTimeout("slow"), True, NoAnswer, "within 30 s"),
        (httpx.WriteTimeout("slow"), True, NoAnswer, "within 30 s"),
        (httpx.ReadError("reset"), True, NoAnswer, "broke during"),
        (httpx.RemoteProtocolError("cut\x07"), True, NoAnswer, "cut\\x07"),
        (httpx.DecodingError("gzip"), True, BadAnswer, "decompressed"),
    ],
)
@each_call
def test_no_answer(name, error, sent, kind, said):
    timeouts = {"timeout": 30} if name == "upload" else {}
    call = (
        CALLS[name]
        if name != "upload"
        else lambda c: c.upload("/attachment/SHOP", [("a", b"x", "text/plain")], **timeouts)
    )
    found = failure(call, error)
    assert type(found) is kind and said in found.summary and found.path in found.summary
    assert found.ambiguous is (sent and name in WRITERS)
    assert ("look before" in found.hint) is found.ambiguous
    assert found.status is None and found.exit_code == 9


def test_a_certificate_that_is_not_trusted_gets_its_own_hint():
    error = failure(READERS["get"], httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert "SSL_CERT_FILE" in error.hint


# The token stays where it is


def everything_about(error: BaseException) -> str:
    """All that a message, a repr, a log or a traceback could show, along the whole chain, attributes included."""
    seen: list[str] = []
    while error is not None:
        seen += [repr(error), str(error), repr(error.args), repr(vars(error))]
        seen += traceback.format_exception(error)
        if isinstance(error, httpx.RequestError):
            seen.append(repr(error.request.headers.raw))
        error = error.__cause__ or error.__context__
    return "\n".join(seen)


ECHOES = [
    lambda request: httpx.Response(
        401, json={"errorMessage": f"Bad token {TOKEN}", "errors": {TOKEN: [TOKEN]}}, headers={"X-Request-Id": TOKEN}
    ),
    lambda request: httpx.Response(500, content=f"<html>{TOKEN}</html>".encode()),
    lambda request: httpx.Response(422, content=f"{'x' * 295}{TOKEN}".encode()),
    lambda request: httpx.Response(404, content=TOKEN.encode()),
    lambda request: httpx.Response(422, content=json.dumps({"message": TOKEN}).replace("/", "\\/").encode()),
    lambda request: httpx.Response(200, json={"status": False, "errorMessage": TOKEN}),
    lambda request: httpx.Response(200, content=f"<{TOKEN}>".encode()),
    lambda request: httpx.Response(200, json=[TOKEN]),
    lambda request: httpx.Response(
        422, content=('{"x": "' + "".join(f"\\u{ord(char):04x}" for char in TOKEN) + '"}').encode()
    ),
    lambda request: httpx.Response(302, headers={"Location": f"https://evil.com/{TOKEN}"}),
    lambda request: httpx.ReadError(f"reset with {TOKEN}", request=request),
    lambda request: httpx.ConnectError(f"{TOKEN}", request=request),
    lambda request: httpx.LocalProtocolError(f"Illegal header value {TOKEN!r}", request=request),
]


@each_call
@pytest.mark.parametrize("echo", range(len(ECHOES)))
def test_the_token_is_in_no_error(name, echo):
    error = failure(CALLS[name], ECHOES[echo])
    shown = everything_about(error)
    for secret in (TOKEN, TOKEN.replace("/", "\\/"), json.dumps(TOKEN)[1:-1], TOKEN[:8]):
        assert secret not in shown
        assert repr(secret)[1:-1] not in shown
    assert error.__cause__ is None and error.__context__ is None


def test_the_token_is_in_no_log_or_repr(caplog):
    file = io.StringIO()
    stack = build_stack(
        Script(ok({"id": 1})), per_minute=0, clock=FakeClock(), wall=lambda: 0.0, random=lambda: 0.5, log_file=file
    )
    c = Client(BASE, TOKEN, stack.retry)
    with caplog.at_level(logging.DEBUG):
        c.get("/case/SHOP/1")
    assert file.getvalue()
    assert TOKEN not in file.getvalue() + caplog.text + repr(c) + repr(stack)


# Lists


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 1234])
def test_lists_of_every_length(count):
    c, script = client(paged(count))
    progress: list[tuple[str, int, int]] = []
    rows = c.list("/case/SHOP", {"include": "external_issues"}, progress=lambda *step: progress.append(step))
    assert [row["id"] for row in rows] == list(range(1, count + 1))
    pages = max(1, -(-count // 100))
    assert len(script.requests) == pages
    assert sorted(int(request.url.params["offset"]) for request in script.requests) == list(range(0, pages * 100, 100))
    assert all(request.url.params["limit"] == "100" for request in script.requests)
    assert all(request.url.params["include"] == "external_issues" for request in script.requests)
    assert progress == [("/case/SHOP", min(done, count), count) for done in range(100, pages * 100 + 1, 100)]


def test_pages_come_in_order_whatever_order_the_answers_have():
    answer = paged(900)

    def uneven(request: httpx.Request) -> httpx.Response:
        time.sleep(0.03 if int(request.url.params["offset"]) % 200 else 0)
        return answer(request)

    assert [row["id"] for row in client(uneven)[0].list("/case/SHOP")] == list(range(1, 901))


def test_pages_are_read_in_parallel_and_not_far_ahead():
    answer, busy, most, lock = paged(2000), [0], [0], threading.Lock()

    def watched(request: httpx.Request) -> httpx.Response:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        time.sleep(0.01)
        with lock:
            busy[0] -= 1
        return answer(request)

    c, script = client(watched, pool=3)
    pages = c.pages("/case/SHOP")
    assert len(next(pages)) == 100 and len(script.requests) == 1
    next(pages)
    time.sleep(0.1)
    assert len(script.requests) <= 1 + 1 + 3, "a slow reader is not overrun"
    assert sum(len(page) for page in pages) == 1800
    assert 2 <= most[0] <= 3


def no_readers_left() -> bool:
    """Whether the threads that read pages end soon."""
    deadline = time.monotonic() + 10
    while alive := [thread for thread in threading.enumerate() if thread.name.startswith("qase-read")]:
        if time.monotonic() > deadline:
            return False
        alive[0].join(0.05)
    return True


def test_a_reader_who_stops_early_stops_the_reading():
    c, script = client(paged(5000))
    pages = c.pages("/case/SHOP")
    next(pages)
    next(pages)
    pages.close()
    assert no_readers_left()
    assert len(script.requests) <= 1 + 1 + 4


def test_system_fields_are_a_bare_array():
    rows = [{"title": "Automation status"}, {"title": "Automation status"}, {"title": "Priority"}]
    c, script = client(ok(rows))
    assert c.list("/system_field") == rows
    assert len(script.requests) == 1
    assert len(client(ok([{"slug": str(number)} for number in range(250)]))[0].list("/system_field")) == 250


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"filtered": None, "count": None}, 250),  # /shared_parameter
        ({"total": None}, 250),
        ({"total": 9000}, 250),  # a filter
        ({"total": "250", "filtered": "250"}, 250),
        ({"count": None}, 100),
    ],
)
def test_counters_that_may_be_missing(changes, size):
    def answer(request: httpx.Request) -> httpx.Response:
        result = paged(size)(request).json()["result"] | changes
        return ok({name: value for name, value in result.items() if value is not None})

    assert len(client(answer)[0].list("/shared_parameter")) == size


@pytest.mark.parametrize(("total", "filtered", "count"), [(1, 13, 1), (13, 1, 1), (150, 300, 150), (7, 13, 13)])
def test_counters_of_the_seed_contradict_themselves(total, filtered, count):
    """Section 1: `total:1, filtered:13, count:1` stands in the vendor's own sample."""
    assert len(client(paged(count, total=total, filtered=filtered))[0].list("/user")) == count


def test_a_filter_may_leave_nothing():
    empty = paged(0, total=9, filtered=0)
    assert client(empty)[0].list("/case/SHOP", {"suite_id": 5}) == []
    with pytest.raises(PagesDisagree):
        client(empty)[0].list("/case/SHOP")


@pytest.mark.parametrize("key", ["hash", "code"])
def test_entities_may_be_known_by_hash_or_code(key):
    rows = [{key: "a"}, {key: "b", "id": None}, {"id": "a2"}]
    assert client(ok({"total": 3, "entities": rows}))[0].list("/x") == rows


def one_page(**result):
    return ok({"total": 2, "filtered": 2, "count": 2, "entities": [{"id": 1}, {"id": 2}]} | result)


CONTRADICTIONS = {
    "empty": one_page(entities=[], count=0),
    "empty, total alone": ok({"total": 2, "entities": []}),
    "empty, seed": one_page(total=0, filtered=13, entities=[], count=0),
    "short": one_page(entities=[{"id": 1}], count=1),
    "long": one_page(total=1, filtered=1),
    "more than the filter leaves": one_page(total=2, filtered=1),
    "count": one_page(count=3),
    "twice": one_page(entities=[{"id": 1}, {"id": 1}]),
    "twice across pages": lambda request: ok({"total": 101, "count": 100 if request.url.params["offset"] == "0" else 1, "entities": [{"id": n} for n in range(100)][: 100 if request.url.params["offset"] == "0" else 1]}),
    "short page": lambda request: ok({"total": 250, "entities": paged(250)(request).json()["result"]["entities"][:50]}),
    "total moves": lambda request: paged(250, total=250 + int(request.url.params["offset"]))(request),
    "filtered moves": lambda request: paged(250, filtered=250 - int(request.url.params["offset"]) // 100)(request),
    "seed, neither": paged(150, total=149, filtered=300),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_pages_that_disagree_are_read_again_and_then_refused(name):
    clock = FakeClock()
    c, script = client(CONTRADICTIONS[name], clock=clock)
    with pytest.raises(PagesDisagree, match="contradict each other") as caught:
        c.list("/case/SHOP")
    assert isinstance(caught.value, BadAnswer) and caught.value.exit_code == 9 and caught.value.path == "/case/SHOP"
    assert [request.url.params["offset"] for request in script.requests].count("0") == 3
    assert clock.slept == pytest.approx(1 + 2)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_passing_disagreement_is_forgotten(name):
    bad, starts = CONTRADICTIONS[name], []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params["offset"] == "0":
            starts.append(1)
        if len(starts) > 1:
            return paged(250)(request)
        return bad(request) if callable(bad) else bad

    assert [row["id"] for row in client(answer)[0].list("/case/SHOP")] == list(range(1, 251))


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        [{"id": 1}],
        {"total": 0},
        {"total": 0, "entities": None},
        {"total": 1, "entities": {"id": 1}},
        {"total": 1, "entities": [1]},
        {"entities": []},
        {"entities": [{"id": 1}]},
        {"total": -1, "entities": []},
        {"total": True, "entities": [{"id": 1}]},
        {"total": "many", "entities": []},
        {"total": 1, "entities": [{"title": "no id"}]},
        {"total": 1, "entities": [{"id": {}}]},
        {"total": 100_101, "entities": [{"id": 1}]},
    ],
)
def test_a_list_that_is_none_is_a_bad_answer_at_once(result):
    c, script = client(ok(result))
    with pytest.raises(BadAnswer) as caught:
        c.list("/case/SHOP")
    assert not isinstance(caught.value, PagesDisagree)
    assert len(script.requests) == 1


def test_the_longest_list_that_offsets_reach():
    c, script = client(paged(100_100))
    assert sum(len(page) for page in c.pages("/case/SHOP")) == 100_100
    assert max(int(request.url.params["offset"]) for request in script.requests) == 100_000


def test_an_error_on_a_later_page_is_that_error():
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.params["offset"] == "300" else paged(900)(request)

    error = failure(READERS["list"], answer)
    assert type(error) is ServerFault and not error.ambiguous


def test_a_stream_raises_before_its_end():
    short = paged(200, total=250, filtered=250)
    got = []
    with pytest.raises(PagesDisagree):
        for page in client(short)[0].pages("/case/SHOP"):
            got += page
    assert len(got) == 200


def test_steady_repeats_the_whole_reading():
    readings = []

    def read() -> str:
        readings.append(1)
        if len(readings) < 3:
            raise PagesDisagree("moved")
        return "whole"

    assert client()[0].steady(read) == "whole"


@settings(deadline=None)
@given(st.integers(0, 450), st.integers(0, 4), st.integers(1, 30), st.integers(0, 3))
def test_a_lossy_server_is_never_believed(count, page, lost, reading):
    """Rows missing from one page of one reading: the list comes out whole or not at all."""
    readings = [0]

    def answer(request: httpx.Request) -> httpx.Response:
        offset = int(request.url.params["offset"])
        readings[0] += offset == 0
        rows = paged(count)(request).json()["result"]["entities"]
        if offset == page * 100 and (readings[0] == reading or reading == 0):
            rows = rows[lost:]
        return ok({"total": count, "filtered": count, "count": len(rows), "entities": rows})

    hurt = page * 100 < count
    c = client(answer)[0]
    if hurt and reading == 0:
        with pytest.raises(BadAnswer):
            c.list("/case/SHOP")
    else:
        assert [row["id"] for row in c.list("/case/SHOP")] == list(range(1, count + 1))


# Cancelling


def test_cancel_wakes_what_waits():
    stack = build_stack(Script(ok({"id": 1})), per_minute=1, wall=lambda: 0.0, random=lambda: 0.5)
    c = Client(BASE, TOKEN, stack.retry)
    c.get("/case/SHOP/1")
    threading.Timer(0.1, c.cancel).start()
    started = time.monotonic()
    with pytest.raises(Interrupted):
        c.post("/case/SHOP", {})
    assert time.monotonic() - started < 10 and stack.log.writes == 0
    with pytest.raises(Interrupted):
        c.list("/case/SHOP")


def test_ctrl_c_while_pages_are_awaited_frees_the_waiting_threads():
    """The consumer is interrupted while workers wait half a minute for their slot: they end instead of waiting it out."""
    stack = build_stack(Script(paged(5000)), per_minute=6, wall=lambda: 0.0, random=lambda: 0.5)
    calls: list[int] = []

    def press(path: str, done: int, total: int) -> None:
        calls.append(done)
        if len(calls) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Client(BASE, TOKEN, stack.retry).list("/case/SHOP", progress=press)
    assert calls == [100, 200]
    assert no_readers_left()
    assert stack.log.reads == 2, "two were free, the third had to wait"


def test_cancel_frees_the_waiting_readers():
    stack = build_stack(Script(paged(5000)), per_minute=3, wall=lambda: 0.0, random=lambda: 0.5)
    c = Client(BASE, TOKEN, stack.retry)
    pages = c.pages("/case/SHOP")
    next(pages)
    threading.Timer(0.1, c.cancel).start()
    with pytest.raises(Interrupted):
        next(pages)
    assert no_readers_left() and stack.log.reads == 1


# Real sockets


def test_a_real_exchange():
    with raw_server(http_reply({"status": True, "result": {"id": 5}})) as (url, received):
        assert live(url)[0].post("/case/SHOP", {"title": "x"}).id == 5
    assert received[0].startswith(b"POST /v1/case/SHOP HTTP/1.1\r\n")
    assert b"Token: " + TOKEN.encode() in received[0] and received[0].endswith(b'{"title":"x"}')


@pytest.mark.parametrize(
    "reply", [None, http_reply({"status": True, "result": {"id": 5}}, cut=3), b"HTTP/1.1 200 OK\r\nContent-"]
)
def test_a_write_whose_answer_is_dropped_is_sent_once_and_ambiguous(reply):
    good = http_reply({"status": True, "result": {"id": 6}})
    with raw_server(reply, good) as (url, received):
        c, stack = live(url)
        with pytest.raises(NoAnswer) as caught:
            c.post("/case/SHOP", {"title": "x"})
        assert len(received) == 1 and stack.retry.retries == 0
    assert caught.value.ambiguous and TOKEN not in everything_about(caught.value)


@pytest.mark.parametrize(
    "reply", [None, http_reply({"status": True, "result": {"id": 5}}, cut=3), http_reply(HTML, status=502)]
)
def test_a_read_whose_answer_is_dropped_is_repeated(reply):
    with raw_server(reply, reply, http_reply({"status": True, "result": {"id": 5}})) as (url, received):
        c, stack = live(url)
        assert c.get("/case/SHOP/5") == {"id": 5}
        assert len(received) == 3 and stack.retry.retries == 2 and stack.log.reads == 3


def test_a_port_that_nobody_listens_on():
    with raw_server() as (url, _):
        pass
    clock = FakeClock()
    c, stack = live(url, clock)
    with pytest.raises(NoAnswer) as caught:
        c.post("/case/SHOP", {"title": "x"})
    assert not caught.value.ambiguous and "No connection" in caught.value.summary
    assert stack.log.writes == 5 and clock.slept > 10


def test_a_broken_compression():
    reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    with raw_server(reply) as (url, _), pytest.raises(BadAnswer, match="decompressed") as caught:
        live(url)[0].post("/case/SHOP", {})
    assert caught.value.ambiguous


def test_a_write_that_times_out_is_sent_once_and_ambiguous():
    with raw_server(hang := threading.Event()) as (url, received):
        c, stack = live(url)
        with pytest.raises(NoAnswer, match=r"within 0\.2 s") as caught:
            c.patch("/case/SHOP/1", {"title": "x"}, timeout=0.2)
        hang.set()
    assert caught.value.ambiguous and len(received) == 1 and stack.retry.retries == 0
