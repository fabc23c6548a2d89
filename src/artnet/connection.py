"""Serve one connection: neither sending headers nor taking an answer may last for ever.

Knows nothing about requests: the server's own protocol, with two more clocks.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_TAKEN_BYTES = 32 * 1024  # that a client must take of a waiting answer each time its clock is looked at


class WatchedProtocol(H11Protocol):
    """HTTP/1.1 by h11, which bounds the size of headers; bodies are bounded by `Guard`.

    `headers_s` runs from the connection, or the first byte of a further request, to the end of its headers. Every
    `taking_s` it is seen whether a client takes the answer that waits for it.
    """

    headers_s = 10.0
    taking_s = 30.0
    _headers_clock: asyncio.TimerHandle | None = None
    _taking_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start waiting for headers."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._watch_headers()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and go on waiting if they end inside headers."""
        super().data_received(data)
        self._watch_headers()

    def on_response_complete(self) -> None:
        """Start waiting for the client to take what is still to be sent."""
        super().on_response_complete()
        self._watch_taking()

    def pause_writing(self) -> None:
        """Start waiting for the client to take what was sent so far."""
        super().pause_writing()
        self._watch_taking()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop both clocks."""
        for clock in (self._headers_clock, self._taking_clock):
            if clock is not None:
                clock.cancel()
        super().connection_lost(exc)

    def _watch_headers(self) -> None:
        waiting = self.conn.their_state is h11.IDLE
        if waiting and self._headers_clock is None:
            self._headers_clock = self.loop.call_later(self.headers_s, self.transport.close)
        elif not waiting and self._headers_clock is not None:
            self._headers_clock.cancel()
            self._headers_clock = None

    def _watch_taking(self) -> None:
        size_bytes = self.transport.get_write_buffer_size()
        if size_bytes and self._taking_clock is None:
            self._taking_clock = self.loop.call_later(self.taking_s, self._look, size_bytes)

    def _look(self, before_bytes: int) -> None:
        """End the connection of a client that has taken next to nothing since."""
        self._taking_clock = None
        size_bytes = self.transport.get_write_buffer_size()
        if size_bytes and before_bytes - size_bytes < _TAKEN_BYTES:
            self.transport.abort()
        else:
            self._watch_taking()
