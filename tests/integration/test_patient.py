"""A server that has too much to do is asked again when it likes, one request at a time, and not for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler

import pytest

from artnet.errors import RetryLaterError
from artnet.fetch import retry as patient
from artnet.fetch.http import FetchRules
from artnet.fetch.retry import fetch_with_retry
from fixtures.web import Site, busy, send, serving

RULES = FetchRules(allow_private=True, timeout_s=5)


@pytest.fixture
def site() -> Iterator[Site]:
    patient._servers.clear()
    with serving() as found:
        yield found


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_pause_it_wants(site: Site, status: int) -> None:
    address = site.put("/a.jpg", busy(1, status, Retry_After="1"))
    started = time.monotonic()
    assert fetch_with_retry(address, RULES).data == b"a picture"
    assert time.monotonic() - started >= 1
    assert site.asked == ["/a.jpg"] * 2


def test_without_a_word_on_it_pauses_grow(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(patient._Server, "leave", lambda _, pause_s: pauses.append(pause_s))
    assert fetch_with_retry(site.put("/a.jpg", busy(4)), RULES).data == b"a picture"
    assert pauses == [1, 2, 4, 8]


def test_a_date_is_understood(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(patient._Server, "leave", lambda _, pause_s: pauses.append(pause_s))
    fetch_with_retry(site.put("/a.jpg", busy(1, Retry_After=formatdate(time.time() + 20, usegmt=True))), RULES)
    assert 15 < pauses[0] <= 20


def test_a_server_that_stays_busy_is_given_up_after_five_attempts(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient, "_FIRST_S", 0)
    with pytest.raises(RetryLaterError, match="answered 503, it has too much to do"):
        fetch_with_retry(site.put("/a.jpg", busy(99, 503, Retry_After="soon")), RULES)
    assert len(site.asked) == 5


def test_a_pause_of_an_hour_is_not_waited_for(site: Site) -> None:
    with pytest.raises(RetryLaterError):
        fetch_with_retry(site.put("/a.jpg", busy(99, Retry_After="3600")), RULES)
    assert len(site.asked) == 1


def test_what_one_thread_was_told_holds_for_all_and_then_one_asks_at_a_time(site: Site) -> None:
    """Of a server that allows one request at a time, and says so, every picture is had."""
    there, worst, told = [0], [0], [0]
    lock = threading.Lock()

    def one_at_a_time(handler: BaseHTTPRequestHandler) -> None:
        with lock:
            there[0] += 1
            worst[0] = max(worst[0], there[0] if told[0] else 0)
            refused = there[0] > 1
            told[0] += refused
        time.sleep(0.02)
        if refused:
            busy(1, Retry_After="0")(handler)
        else:
            send(handler, b"a picture")
        with lock:
            there[0] -= 1

    address = site.put("/*", one_at_a_time).removesuffix("*")
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(fetch_with_retry(f"{address}{n}", RULES).data))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"a picture"] * 12
    assert len(site.asked) < 12 * 3
