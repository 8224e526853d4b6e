"""The stack of transports: limiter, retry, log (qase-api.md sections 1 and 1.1)."""

from __future__ import annotations

import bisect
import io
import json
import signal
import threading
import time
from collections import Counter
from unittest import mock

import httpx
import pytest
from api_fakes import BASE, TOKEN, FakeClock, Script, SharedClock, ok
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qase_iac.api import transports
from qase_iac.api.transports import Limiter, Log, Retry, SystemClock, build_stack, rest, retry_after
from qase_iac.errors import Interrupted

WALL = 1_700_000_000.0


def request(method: str = "GET", **options) -> httpx.Request:
    return httpx.Request(method, f"{BASE}/case/SHOP?limit=100", headers={"Token": TOKEN}, **options)


def most_in_a_minute(times: list[float]) -> int:
    """The largest number of requests in any closed window of 60 s."""
    times = sorted(times)
    return max(bisect.bisect_right(times, start + 60) - place for place, start in enumerate(times))


# Limiter


arrivals = st.lists(
    st.tuples(st.floats(0, 130), st.integers(1, 40), st.sampled_from([None, None, None, 0.0, 1.5, 60.0, 300.0])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=300)
@given(st.integers(1, 70) | st.integers(71, 400), arrivals)
@example(1, [(0.0, 3, None)])
@example(2, [(0.0, 4, None)])
@example(3, [(0.0, 9, 0.0), (60.0, 9, None)])
@example(30, [(0.0, 40, None), (20.0, 40, None), (60.0, 40, 1.5), (0.0, 40, None)])
def test_never_more_than_n_in_any_minute(limit, bursts):
    """Each step: wait so long, perhaps be told to pause, then send so many requests as fast as one may."""
    clock = FakeClock()
    script = Script(at=clock.now)
    limiter = Limiter(script, per_minute=limit, clock=clock)
    with mock.patch.object(transports, "SLICE", 1e9):
        for gap, number, pause in bursts:
            clock.time += gap
            if pause is not None:
                limiter.pause(pause)
                blocked = clock.time + pause
                limiter.handle_request(request())
                assert clock.time >= blocked
            for _ in range(number):
                limiter.handle_request(request())
    assert most_in_a_minute(script.times) <= limit


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 40), st.integers(2, 6), st.lists(st.sampled_from([200, 200, 200, 429]), max_size=40))
def test_threads_and_lockouts_keep_the_limit_too(limit, threads, statuses):
    clock = SharedClock()
    answers = [httpx.Response(status, headers={"Retry-After": "7"}) for status in statuses]
    script = Script(*answers, httpx.Response(200), at=clock.now)
    stack = build_stack(script, per_minute=limit, clock=clock, wall=lambda: WALL, random=lambda: 0.5)

    def work() -> None:
        for _ in range(8):
            stack.retry.handle_request(request())

    with mock.patch.object(transports, "SLICE", 5.0):
        clock.run([work] * threads)
    assert len(script.times) == 8 * threads + stack.retry.retries
    assert most_in_a_minute(script.times) <= limit


@pytest.mark.parametrize(("limit", "burst"), [(200, 60), (60, 20), (1000, 60), (100, 33), (2, 1), (1, 1)])
def test_the_burst_is_free_and_the_rest_comes_evenly(limit, burst):
    clock = FakeClock(0.0)
    script = Script(at=clock.now)
    limiter = Limiter(script, per_minute=limit, clock=clock)
    for _ in range(limit + 1):
        limiter.handle_request(request())
    assert script.times[burst - 1] == 0 < script.times[burst]
    gaps = [after - before for before, after in zip(script.times[burst:], script.times[burst + 1 :], strict=False)]
    assert all(gap == pytest.approx(gaps[0]) for gap in gaps)
    last_gap = script.times[-1] - script.times[-2]
    assert 60 < script.times[limit] < 61.01 + min(last_gap, 62.0), "it is not slower than it must be"
    assert last_gap < 62


def test_the_bucket_fills_up_again_and_not_over():
    clock = FakeClock()
    script = Script(at=clock.now)
    limiter = Limiter(script, per_minute=60, clock=clock)
    for _ in range(2):
        clock.time += 10_000
        start = clock.time
        for _ in range(21):
            limiter.handle_request(request())
        assert script.times[-2] == start < script.times[-1]


def test_zero_is_no_limit_but_pauses_hold():
    clock = FakeClock()
    limiter = Limiter(Script(), per_minute=0, clock=clock)
    for _ in range(5000):
        limiter.handle_request(request())
    assert clock.slept == 0
    limiter.pause(12)
    limiter.pause(3)  # a shorter one does not end a longer one
    limiter.handle_request(request())
    assert clock.slept == pytest.approx(12)


def test_a_pause_lets_no_burst_follow():
    clock = FakeClock()
    script = Script(at=clock.now)
    limiter = Limiter(script, per_minute=200, clock=clock)
    limiter.pause(60)
    for _ in range(3):
        limiter.handle_request(request())
    assert script.times[0] == pytest.approx(1060)
    assert [round(b - a, 2) for a, b in zip(script.times, script.times[1:], strict=False)] == [0.44, 0.44]


def test_one_blocked_thread_holds_back_all():
    clock = SharedClock()
    sent: list[tuple[float, int]] = []
    lock = threading.Lock()

    def answer(_: httpx.Request) -> httpx.Response:
        with lock:
            status = 429 if len(sent) == 10 else 200
            sent.append((clock.now(), status))
        return httpx.Response(status, headers={"Retry-After": "30"})

    stack = build_stack(Script(answer), per_minute=6, clock=clock, wall=lambda: WALL, random=lambda: 0.5)
    clock.run([lambda: [stack.retry.handle_request(request()) for _ in range(5)] and None] * 4)
    blocked = next(moment for moment, status in sent if status == 429)
    assert len(sent) == 21
    assert not [moment for moment, _ in sent if blocked < moment < blocked + 30]
    assert sum(moment == blocked for moment, _ in sent) == 1
    assert [moment for moment, _ in sent if moment >= blocked + 30]


# Sleeping


def test_a_stopped_request_is_not_sent():
    stop = threading.Event()
    clock = FakeClock()
    script = Script()
    limiter = Limiter(script, per_minute=1, clock=clock)
    stoppable = request(extensions={"stop": (stop,)})
    limiter.handle_request(stoppable)
    before, clock.sleep = clock.sleep, lambda seconds: (before(seconds), stop.set())
    with pytest.raises(Interrupted):
        limiter.handle_request(stoppable)
    assert len(script.requests) == 1
    assert clock.slept <= 1, "it noticed soon"


def test_real_sleep_ends_on_ctrl_c():
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, press)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    clock = SystemClock()
    started = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            rest(clock, clock.now() + 60)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - started < 5


def test_the_real_clock_waits():
    clock = SystemClock()
    before = clock.now()
    rest(clock, before + 0.02)
    assert clock.now() >= before + 0.02


# Retry


class Retried:
    """A retry transport over a script, with what it paused and slept."""

    def __init__(self, *replies, **options) -> None:
        self.clock = FakeClock()
        self.pauses: list[float] = []
        self.script = Script(*replies)
        options.setdefault("random", lambda: 0.5)
        self.transport = Retry(self.script, pause=self.pauses.append, clock=self.clock, wall=lambda: WALL, **options)

    def send(self, method: str = "GET", **options) -> httpx.Response:
        return self.transport.handle_request(request(method, **options))

    @property
    def sent(self) -> int:
        return len(self.script.requests)


METHODS = ["GET", "HEAD", "POST", "PATCH", "DELETE"]
UNSENT = [
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("busy"),
    httpx.ProxyError("no"),
]
DROPPED = [
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("pipe"),
    httpx.CloseError("gone"),
    httpx.RemoteProtocolError("Server disconnected"),
    httpx.DecodingError("cut off"),
]


@pytest.mark.parametrize("method", METHODS)
def test_429_is_repeated_for_every_method_after_the_pause_it_asks_for(method):
    retried = Retried(httpx.Response(429, headers={"Retry-After": "17"}), httpx.Response(429), ok())
    assert retried.send(method).status_code == 200
    assert retried.pauses == [17, 60]
    assert (retried.sent, retried.transport.retries, retried.clock.slept) == (3, 2, 0)


def test_429_for_ever_comes_back_in_the_end_after_one_more_pause_for_the_others():
    retried = Retried(httpx.Response(429, headers={"Retry-After": "1"}))
    assert retried.send("POST").status_code == 429
    assert (retried.sent, retried.transport.retries, retried.pauses) == (8, 7, [1.0] * 8)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 599])
def test_reads_are_repeated_on_server_faults_with_backoff(status):
    retried = Retried(*[httpx.Response(status)] * 4, ok())
    assert retried.send().status_code == 200
    assert retried.clock.slept == pytest.approx(1 + 2 + 4 + 8)
    assert retried.transport.retries == 4


def test_reads_are_repeated_a_bounded_number_of_times():
    retried = Retried(httpx.Response(503))
    assert retried.send().status_code == 503
    assert (retried.sent, retried.transport.retries) == (5, 4)


@pytest.mark.parametrize(("random", "slept"), [(0.0, 0.5), (0.999, 1.499)])
def test_backoff_is_jittered(random, slept):
    retried = Retried(httpx.Response(500), ok(), random=lambda: random)
    retried.send()
    assert retried.clock.slept == pytest.approx(slept)


def test_backoff_stops_growing():
    retried = Retried(*[httpx.Response(500)] * 9, ok(), attempts=20)
    retried.send()
    assert retried.clock.slept == pytest.approx(1 + 2 + 4 + 8 + 16 + 30 * 4)


def test_a_fault_may_say_how_long_it_lasts():
    retried = Retried(httpx.Response(503, headers={"Retry-After": "42"}), ok())
    retried.send()
    assert (retried.clock.slept, retried.pauses) == (pytest.approx(42), [])


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 422])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_no_fault_is_not_repeated(method, status):
    retried = Retried(httpx.Response(status))
    assert retried.send(method).status_code == status
    assert (retried.sent, retried.transport.retries) == (1, 0)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_is_never_repeated_on_a_fault(method, status):
    retried = Retried(httpx.Response(status), ok())
    assert retried.send(method).status_code == status
    assert retried.sent == 1


@pytest.mark.parametrize("error", DROPPED, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", METHODS)
def test_a_dropped_answer_repeats_reads_only(method, error):
    retried = Retried(error, ok())
    if method in ("GET", "HEAD"):
        assert retried.send(method).status_code == 200
        assert (retried.sent, retried.clock.slept) == (2, pytest.approx(1))
    else:
        with pytest.raises(type(error)):
            retried.send(method)
        assert (retried.sent, retried.transport.retries) == (1, 0)


@pytest.mark.parametrize("error", UNSENT, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", METHODS)
def test_a_connection_that_never_opened_repeats_everything(method, error):
    retried = Retried(error, error, ok())
    assert retried.send(method).status_code == 200
    assert (retried.sent, retried.transport.retries) == (3, 2)


def test_a_connection_that_never_opens_is_given_up():
    retried = Retried(httpx.ConnectError("refused"))
    with pytest.raises(httpx.ConnectError):
        retried.send("POST")
    assert retried.sent == 5


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
        httpx.UnsupportedProtocol("ftp"),
        httpx.LocalProtocolError("bad header"),
    ],
)
def test_what_will_not_get_better_is_not_repeated(error):
    retried = Retried(error)
    with pytest.raises(type(error)):
        retried.send()
    assert retried.sent == 1


def test_both_budgets_are_apart_and_attempts_are_numbered():
    retried = Retried(
        httpx.Response(429), httpx.Response(500), httpx.ReadError("x"), httpx.Response(429), ok(), attempts=3
    )
    asked = request()
    assert retried.transport.handle_request(asked).status_code == 200
    assert asked.extensions["attempt"] == 5


def test_the_body_goes_out_again():
    retried = Retried(httpx.Response(429), ok())
    retried.send("POST", files=[("file[]", ("a.txt", io.BytesIO(b"content"), "text/plain"))])
    assert b"content" in retried.script.bodies[0]
    assert retried.script.bodies[0] == retried.script.bodies[1]


def test_backoff_can_be_stopped():
    stop = threading.Event()
    stop.set()
    retried = Retried(httpx.Response(500), ok())
    with pytest.raises(Interrupted):
        retried.send(extensions={"stop": (stop,)})
    assert retried.sent == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("5", 5),
        (" 2.5 ", 2.5),
        ("301", 300),
        ("9" * 400, 300),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2023 22:13:50 -0000", 30),
        ("Tue, 14 Nov 2023 23:13:50 +0100", 30),
        ("Tue, 14 Nov 2023 20:00:00 GMT", 0),
        ("Tue, 14 Nov 2033 20:00:00 GMT", 300),
        ("-5", None),
        ("soon", None),
        ("nan", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(header, seconds):
    response = httpx.Response(429, headers={} if header is None else {"Retry-After": header})
    assert retry_after(response, WALL) == seconds


@given(st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_retry_after_survives_anything(header):
    found = retry_after(httpx.Response(429, headers={"Retry-After": header.encode("latin-1")}), WALL)
    assert found is None or 0 <= found <= 300


# Log


def logged(*replies, file=None) -> tuple[Log, io.StringIO, Script]:
    file = io.StringIO() if file is None else file
    clock = FakeClock()

    def slow(reply):
        def answer(_: httpx.Request):
            clock.time += 0.0421
            return reply

        return answer

    script = Script(*map(slow, replies))
    return Log(script, clock=clock, wall=lambda: WALL, file=file), file, script


def test_the_log_has_one_object_a_line_and_no_secret():
    log, file, _ = logged(ok({"title": "private"}), httpx.ReadError(f"reset {TOKEN}"))
    log.handle_request(request("POST", json={"title": "private"}))
    with pytest.raises(httpx.ReadError):
        log.handle_request(request(extensions={"attempt": 3}))
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines == [
        {
            "time": "2023-11-14T22:13:20.000+00:00",
            "method": method,
            "path": "/v1/case/SHOP?limit=100",
            "status": status,
            "ms": 42.1,
            "attempt": attempt,
        }
        for method, status, attempt in [("POST", 200, 1), ("GET", None, 3)]
    ]
    assert TOKEN not in file.getvalue() and "private" not in file.getvalue()
    assert (log.reads, log.writes) == (1, 1)


def cut_off() -> httpx.Response:
    """An answer whose body breaks while it is read, as sockets give it."""

    class Broken(httpx.SyncByteStream):
        def __iter__(self):
            yield b'{"status": true'
            raise httpx.ReadError("reset")

    return httpx.Response(200, stream=Broken())


def test_an_answer_that_breaks_off_is_logged_without_a_status():
    log, file, _ = logged(cut_off())
    with pytest.raises(httpx.ReadError):
        log.handle_request(request())
    assert json.loads(file.getvalue())["status"] is None


def test_an_answer_that_breaks_off_is_repeated():
    retried = Retried(cut_off(), ok())
    assert retried.send().json() == {"status": True}
    assert retried.sent == 2


def test_each_line_is_in_the_file_at_once(tmp_path):
    with open(tmp_path / "http.log", "w") as file:
        logged(ok(), file=file)[0].handle_request(request())
        assert len((tmp_path / "http.log").read_text().splitlines()) == 1


def test_the_log_shows_what_it_is_told_to():
    log, file, _ = logged(ok())
    log.handle_request(request(extensions={"shown": "https://files.example/a.png"}))
    assert json.loads(file.getvalue())["path"] == "https://files.example/a.png"


def test_without_a_file_it_only_counts():
    log = Log(Script(), clock=FakeClock(), wall=lambda: WALL)
    for method in METHODS:
        log.handle_request(request(method))
    assert (log.reads, log.writes) == (2, 3)


def test_a_log_that_cannot_be_written_stops_nothing():
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    log, _, script = logged(ok(), file=Full())
    assert [log.handle_request(request()).status_code for _ in range(2)] == [200, 200]
    assert isinstance(log.failure, OSError) and len(script.requests) == log.reads == 2


def test_lines_of_threads_do_not_mix():
    file = io.StringIO()
    log = Log(Script(), clock=FakeClock(), wall=lambda: WALL, file=file)
    threads = [threading.Thread(target=lambda: [log.handle_request(request()) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in file.getvalue().splitlines()]) == log.reads == 200


# The stack


def test_the_stack_counts_and_logs_every_attempt():
    clock, file = FakeClock(), io.StringIO()
    script = Script(httpx.Response(429, headers={"Retry-After": "9"}), httpx.Response(502), ok(), at=clock.now)
    stack = build_stack(script, per_minute=200, clock=clock, wall=lambda: WALL, random=lambda: 0.5, log_file=file)
    assert stack.retry.handle_request(request()).status_code == 200
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [(line["status"], line["attempt"]) for line in lines] == [(429, 1), (502, 2), (200, 3)]
    assert (stack.log.reads, stack.retry.retries) == (3, 2)
    assert [moment - 1000 for moment in script.times] == pytest.approx([0, 9, 10])
    stack.retry.close()
    assert script.closed


def test_the_stack_has_a_real_clock_of_its_own():
    stack = build_stack(Script(), per_minute=200, wall=lambda: WALL, random=lambda: 0.5)
    started = time.monotonic()
    statuses = Counter(stack.retry.handle_request(request()).status_code for _ in range(60))
    assert statuses == {200: 60} and time.monotonic() - started < 5
