"""Fetch from servers that have too much to do as they ask: later, and one request at a time.

Knows nothing about what is fetched. A server that answers 429 or 503 is left alone for as long as its Retry-After says,
by all threads of this process, and for a while afterwards asked for one thing after the other.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from artnet.errors import RetryLaterError
from artnet.fetch.http import Fetched, FetchRules, fetch

_ATTEMPTS = 5
_LONGEST_S = 60.0  # a server that wants to be left alone for longer has its picture fail, and the others go on
_FIRST_S = 1.0  # where it does not say how long; twice as long after each attempt
_CAREFUL_S = 60.0
_MOST_SERVERS = 1000  # remembered; those of a list may be as many as its lines


@dataclass
class _Server:
    """What a server asked of us, by the monotonic clock."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    not_before: float = 0.0
    careful_until: float = 0.0

    @contextmanager
    def when_it_likes(self) -> Iterator[None]:
        """Wait until it may be asked again, and where it was busy lately until nobody else asks it."""
        alone = time.monotonic() < self.careful_until
        if alone:
            self.turn.acquire()
        try:
            time.sleep(max(0.0, self.not_before - time.monotonic()))
            yield
        finally:
            if alone:
                self.turn.release()

    def leave(self, pause_s: float) -> None:
        """Remember that it wants to be left alone."""
        now = time.monotonic()
        self.not_before = max(self.not_before, now + pause_s)
        self.careful_until = self.not_before + _CAREFUL_S


_servers: dict[str, _Server] = {}  # of the process: what one thread was told counts for all


def fetch_with_retry(url: str, rules: FetchRules) -> Fetched:
    """Fetch what lies at an address, again after a pause where its server asks for one.

    At most five times, and never after a pause of more than a minute; `timeout_s` is for each attempt by itself.
    Errors: those of `fetch`; `RetryLaterError` where the server has too much to do for that.
    """
    server = _server_of(url)
    for attempt in range(_ATTEMPTS - 1):
        try:
            with server.when_it_likes():
                return fetch(url, rules)
        except RetryLaterError as error:
            pause_s = _FIRST_S * 2**attempt if error.after_s is None else error.after_s
            if pause_s > _LONGEST_S:
                raise
            server.leave(pause_s)
    with server.when_it_likes():
        return fetch(url, rules)


def _server_of(url: str) -> _Server:
    try:
        host = urlsplit(url).netloc.lower()
    except ValueError:  # no address; `fetch` says so
        host = ""
    if len(_servers) >= _MOST_SERVERS:
        _servers.clear()
    return _servers.setdefault(host, _Server())
