"""Retry HTTP 429 and 503, honouring Retry-After; serialise the requests to a host that was busy."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from artnet.errors import RetryLaterError
from artnet.fetch.http import Fetched, FetchRules, fetch

_MAX_HOSTS = 1000  # remembered; a list may name as many as it has lines


@dataclass(frozen=True)
class RetryRules:
    """How often and how long to wait for a busy host.

    Attributes:
        attempts: requests for one URL
        pause_s: before the second attempt where there is no Retry-After; doubles with each attempt
        max_pause_s: a host that asks for more has its request fail, so that the others go on
        serial_s: for how long after a pause a host gets one request at a time
    """

    attempts: int = 5
    pause_s: float = 1.0
    max_pause_s: float = 60.0
    serial_s: float = 60.0


@dataclass
class _Host:
    """What is known of a busy host, in seconds of the monotonic clock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    paused_until: float = 0.0
    serial_until: float = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until a request may be sent to the host, alone if it was busy lately."""
        serial = time.monotonic() < self.serial_until
        if serial:
            self.lock.acquire()
        try:
            time.sleep(max(0.0, self.paused_until - time.monotonic()))
            yield
        finally:
            if serial:
                self.lock.release()

    def pause(self, pause_s: float, serial_s: float) -> None:
        self.paused_until = max(self.paused_until, time.monotonic() + pause_s)
        self.serial_until = self.paused_until + serial_s


_hosts: dict[str, _Host] = {}  # of the process: a host that one thread found busy is busy for all


def fetch_with_retry(url: str, rules: FetchRules, retry: RetryRules = RetryRules()) -> Fetched:
    """Fetch a URL from a thread, again after a pause while its host is busy.

    `rules.timeout_s` is for each attempt by itself.

    Raises:
        RetryLaterError: if the host stays busy, or asks for too long a pause
        ArtNetError: those of `artnet.fetch.http.fetch_async`
    """
    host = _host_of(url)
    for attempt in range(retry.attempts - 1):
        try:
            with host.turn():
                return fetch(url, rules)
        except RetryLaterError as error:
            pause_s = retry.pause_s * 2**attempt if error.after_s is None else error.after_s
            if pause_s > retry.max_pause_s:
                raise
            host.pause(pause_s, retry.serial_s)
    with host.turn():
        return fetch(url, rules)


def _host_of(url: str) -> _Host:
    try:
        name = urlsplit(url).netloc.lower()
    except ValueError:  # `fetch` refuses it
        name = ""
    if len(_hosts) >= _MAX_HOSTS:
        _hosts.clear()
    return _hosts.setdefault(name, _Host())
