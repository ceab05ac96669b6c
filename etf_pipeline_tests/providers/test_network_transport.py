"""The client against a server on this machine, and against replies from memory: pace, patience, secrets."""

from __future__ import annotations

import threading
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from network_recorded import Timer

from etf_pipeline.errors import ProviderError, SourceUnreachable
from etf_pipeline.providers.network import Client, Reply, Request, Retries, Spool, TokenBucket, requests_transport
from etf_pipeline.providers.network.retry import retry_after
from etf_pipeline.secrets import Secret

KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@contextmanager
def server(*answers):
    """A loopback server that gives these (status, headers, body) one after the other, and remembers what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            status, headers, body = answers[min(len(asked), len(answers)) - 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", asked
        finally:
            http.shutdown()
            thread.join()


def client(transport, timer=None, **changes):
    timer = timer or Timer()
    retries = Retries(sleep=timer.sleep, rng=np.random.default_rng(1), **changes)
    return Client(transport, TokenBucket(100.0, burst=100, clock=timer.clock, sleep=timer.sleep), retries)


def test_a_reply_comes_with_its_body_and_lower_case_headers():
    with server((200, {"ETag": '"a1"'}, b"date,value\n")) as (url, asked):
        reply = client(requests_transport()).get(Request(f"{url}/f.csv", {"id": "DGS10"}))
    assert (reply.status, reply.body, reply.headers["etag"]) == (200, b"date,value\n", '"a1"')
    assert asked[0][0] == "/f.csv?id=DGS10"
    assert asked[0][1]["User-Agent"].startswith("etf-pipeline/")


def test_a_busy_source_is_asked_again_and_not_before_it_said():
    timer = Timer()
    with server((429, {"Retry-After": "7"}, b""), (503, {}, b""), (200, {}, b"here")) as (url, asked):
        reply = client(requests_transport(), timer).get(Request(url))
    assert reply.body == b"here"
    assert len(asked) == 3
    assert 7 <= timer.slept[0] <= 7 + 2  # what it asked for and the first jitter
    assert 0 <= timer.slept[1] <= 4


def test_a_source_that_stays_silent_is_asked_four_times():
    with (
        server((500, {}, b"")) as (url, asked),
        pytest.raises(SourceUnreachable, match=r"127.0.0.1 needs to answer; found status 500"),
    ):
        client(requests_transport()).get(Request(url))
    assert len(asked) == 4


def test_a_source_that_wants_an_hour_is_left_alone_at_once():
    with server((429, {"Retry-After": "3600"}, b"")) as (url, asked), pytest.raises(SourceUnreachable) as raised:
        client(requests_transport()).get(Request(url))
    assert len(asked) == 1
    assert raised.value.wait == 3600


def test_a_refusal_is_not_repeated():
    with (
        server((404, {}, b"no such\nseries")) as (url, asked),
        pytest.raises(ProviderError, match="status 404: no such series") as raised,
    ):
        client(requests_transport()).get(Request(url))
    assert len(asked) == 1
    assert not isinstance(raised.value, SourceUnreachable)


def test_half_an_answer_is_none():
    with (
        server((200, {"Content-Length": "100"}, b"half")) as (url, asked),
        pytest.raises(SourceUnreachable, match="needs to answer"),
    ):
        client(requests_transport(), attempts=2).get(Request(url))
    assert len(asked) == 2


def test_a_closed_door_is_unreachable():
    with server((200, {}, b"")) as (url, _):
        pass
    with pytest.raises(SourceUnreachable, match="found ConnectionError"):
        client(requests_transport(), attempts=1).get(Request(url))


def shown(error):
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


def test_a_key_reaches_the_source_and_no_message():
    request_of = lambda url: Request(url, {"series_id": "CPIAUCSL"}, secrets={"api_key": Secret("FRED_API_KEY", KEY)})  # noqa: E731
    with server((400, {}, f"api_key={KEY} is not registered".encode())) as (url, asked):
        request = request_of(url)
        with pytest.raises(ProviderError) as refused:
            client(requests_transport()).get(request)
    assert f"api_key={KEY}" in asked[0][0]
    with pytest.raises(SourceUnreachable) as silent:  # the server is gone: requests' own message would spell the address
        client(requests_transport(), attempts=1).get(request)
    for error in (refused.value, silent.value):
        assert KEY not in shown(error)
    assert KEY not in repr(request)
    assert "not registered" in str(refused.value)


def test_a_key_does_not_follow_a_redirect():
    request = {"secrets": {"api_key": Secret("FRED_API_KEY", KEY)}}
    with (
        server((200, {}, b"stolen")) as (elsewhere, asked),
        server((302, {"Location": f"{elsewhere}/?api_key={KEY}"}, b"")) as (url, _),
        pytest.raises(ProviderError, match="status 302"),
    ):
        client(requests_transport()).get(Request(url, **request))
    assert not asked


def test_an_endless_answer_is_cut_off(monkeypatch):
    monkeypatch.setattr("etf_pipeline.providers.network.transport.LARGEST", 1000)
    with server((200, {}, b"x" * 2000)) as (url, _), pytest.raises(SourceUnreachable, match="less than 1000 bytes"):
        client(requests_transport(), attempts=1).get(Request(url))


def test_retry_after_reads_seconds_and_instants_and_nothing_else():
    now = datetime(2015, 10, 21, 7, 0, tzinfo=UTC)
    assert retry_after("5") == 5
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT", now) == 28 * 60
    assert retry_after("Wed, 21 Oct 2015 06:28:00 GMT", now) == 0
    assert retry_after("-3", now) is None
    assert retry_after("", now) is None


@given(attempt=st.integers(0, 30), seed=st.integers(0, 2**32))
def test_a_delay_lies_between_nothing_and_its_doubling_bound(attempt, seed):
    delay = Retries(rng=np.random.default_rng(seed)).delay(attempt)
    assert 0 <= delay <= min(60.0, 2.0 * 2.0**attempt)


def test_jitter_spreads_the_second_attempts_over_their_range():
    # mean of 4000 uniforms on (0, 2): standard error 0.0091; 5 of them is a false alarm in 2 million
    delays = [Retries(rng=np.random.default_rng(s)).delay(0) for s in range(4000)]
    assert np.mean(delays) == pytest.approx(1.0, abs=0.046)


@given(rate=st.floats(0.1, 50), burst=st.integers(1, 10), pauses=st.lists(st.floats(0, 5), min_size=2, max_size=40))
def test_no_stretch_of_time_sees_more_requests_than_the_bucket_holds_and_gains(rate, burst, pauses):
    timer = Timer()
    bucket = TokenBucket(rate, burst=burst, clock=timer.clock, sleep=timer.sleep)
    at = []
    for pause in pauses:
        timer.sleep(pause)
        bucket.take()
        at.append(timer.clock())
    for i in range(len(at)):
        for j in range(i, len(at)):
            assert j - i + 1 <= burst + (at[j] - at[i]) * rate + 1e-6


def test_what_was_kept_is_not_asked_for_again_and_a_torn_entry_is(tmp_path):
    asked = []

    def ask():
        asked.append(1)
        return b"answer"

    spool = Spool(tmp_path, "2024-01-16")
    assert [spool.once("bars SPY", ask, bytes) for _ in range(3)] == [b"answer"] * 3
    assert len(asked) == 1
    (entry,) = (tmp_path / "2024-01-16").iterdir()
    entry.write_bytes(entry.read_bytes()[:-2])
    assert spool.once("bars SPY", ask, bytes) == b"answer"
    assert len(asked) == 2
    Spool(tmp_path, "2024-01-17").once("bars SPY", ask, bytes)
    assert len(asked) == 3


def test_what_cannot_be_read_is_not_kept(tmp_path):
    def read(_):
        raise ProviderError("a page that says: come back later")

    with pytest.raises(ProviderError):
        Spool(tmp_path, "2024-01-16").once("bars SPY", lambda: b"<html>", read)
    assert not list(tmp_path.rglob("*bars*"))
    with pytest.raises(ProviderError):
        Spool(tmp_path, "d").current(client(lambda _: Reply(200, {"etag": "1"}, b"<html>")), Request("http://a/b.zip"), read)
    assert not list((tmp_path / "kept").glob("*"))


def test_a_file_that_did_not_change_is_not_sent_again(tmp_path):
    spool = Spool(tmp_path, "2024-01-16")
    marks = {"ETag": '"v1"', "Last-Modified": "Tue, 16 Jan 2024 00:00:00 GMT"}
    with server((200, marks, b"factors"), (304, {}, b""), (200, {"ETag": '"v2"'}, b"newer")) as (url, asked):
        got = [spool.current(client(requests_transport()), Request(f"{url}/f.zip"), bytes) for _ in range(3)]
        spool.clear()
    assert got == [b"factors", b"factors", b"newer"]
    assert asked[1][1]["If-None-Match"] == '"v1"'
    assert asked[1][1]["If-Modified-Since"] == marks["Last-Modified"]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_clearing_takes_every_day_and_leaves_the_copies(tmp_path):
    for day in ("2024-01-15", "2024-01-16"):
        Spool(tmp_path, day).once("x", lambda: b"1", bytes)
    (tmp_path / "kept").mkdir()
    (tmp_path / "yfinance").mkdir()
    Spool(tmp_path, "2024-01-16").clear()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "yfinance"]
