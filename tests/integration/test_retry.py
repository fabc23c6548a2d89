"""Busy servers are asked again after the pause that they name, one request at a time, and not for ever."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import pytest

from artnet.errors import RetryLaterError
from artnet.fetch.http import FetchRules
from artnet.fetch.retry import RetryRules, fetch_with_retry
from fixtures.web import Site, busy, send, serving

RULES = FetchRules(allow_private=True, timeout_s=5)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_pause_that_it_names(site: Site, status: int) -> None:
    address = site.put("/a.jpg", busy(1, status, Retry_After="1"))
    started = time.monotonic()
    assert fetch_with_retry(address, RULES).data == b"an image"
    assert time.monotonic() - started >= 1
    assert site.requests == ["/a.jpg"] * 2


def test_without_retry_after_pauses_double(site: Site) -> None:
    times: list[float] = []

    def note(handler: BaseHTTPRequestHandler) -> None:
        times.append(time.monotonic())
        respond(handler)

    respond = busy(4)
    assert fetch_with_retry(site.put("/a.jpg", note), RULES, RetryRules(pause_s=0.05)).data == b"an image"
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert all(pause >= 0.05 * 2**attempt for attempt, pause in enumerate(pauses))
    assert len(pauses) == 4


def test_a_date_is_understood(site: Site) -> None:
    address = site.put("/a.jpg", busy(1, Retry_After=formatdate(time.time() + 3600, usegmt=True)))
    with pytest.raises(RetryLaterError) as caught:
        fetch_with_retry(address, RULES)
    assert caught.value.after_s == pytest.approx(3600, abs=10)


def test_a_server_that_stays_busy_is_given_up_after_five_attempts(site: Site) -> None:
    address = site.put("/a.jpg", busy(99, 503, Retry_After="soon"))
    with pytest.raises(RetryLaterError, match=r"too busy \(it answered 503\)"):
        fetch_with_retry(address, RULES, RetryRules(pause_s=0))
    assert len(site.requests) == 5


def test_a_pause_of_an_hour_is_not_waited_for(site: Site) -> None:
    with pytest.raises(RetryLaterError):
        fetch_with_retry(site.put("/a.jpg", busy(99, Retry_After="3600")), RULES)
    assert len(site.requests) == 1


def test_what_one_thread_was_told_holds_for_all_and_then_one_asks_at_a_time(site: Site) -> None:
    """A server that refuses all but one request at a time yields every image."""
    present, told = [0], [0]
    lock = threading.Lock()

    def one_at_a_time(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            present[0] += 1
            refused = present[0] > 1
            told[0] += refused
        time.sleep(0.02)
        if refused:
            busy(1, Retry_After="0")(handler)
        else:
            send(handler, b"an image")
        with lock:
            present[0] -= 1

    address = site.put("/*", one_at_a_time).removesuffix("*")
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: bodies.append(fetch_with_retry(f"{address}{n}", RULES).data))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"an image"] * 12
    assert len(site.requests) < 12 * 3
