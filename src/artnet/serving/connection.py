"""Serve one connection: heads of requests have a limit, and neither sending them nor taking an answer lasts for ever.

Knows nothing about requests: the server's own protocol, with two more clocks and a counter.

The server's parser (llhttp) is written in C and bounds nothing: a head, the sizes of chunks
and what lies between two requests may be as long as a client likes. Bodies are bounded by `Guard`, all else here.
"""

from __future__ import annotations

import asyncio
import re

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TAKEN_BYTES = 32 * 1024  # that a client must take of a waiting answer each time its clock is looked at
_HEAD_BYTES = 64 * 1024  # of a request's head, or of anything else that is no body
_TOO_LONG = f"the head of a request is longer than {_HEAD_BYTES // 1024} kB; send less"
_AHEAD = 16  # requests that a client may send before it has its first answer
_END = b"\r\n\r\n"
_UPGRADE = re.compile(rb"(?<=\r\n)upgrade:[^\r\n]*\r\n", re.IGNORECASE)


class _TooManyError(Exception):
    """A client sends requests faster than it is answered; ends the connection."""


class WatchedProtocol(HttpToolsProtocol):
    """HTTP/1.1 by llhttp, within limits.

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
        self._head = bytearray()  # of a request that has come in part
        self._in_request = self._in_head = False  # as the parser sees it
        self._steps = 0  # that the parser has made: a head, a piece of a body, an end
        self._loose_bytes = 0  # since the last of them
        self._watch_headers(True)

    def data_received(self, data: bytes) -> None:
        """Take bytes, and go on waiting if they end inside headers."""
        if not self._in_request:
            data = self._from_whole_head(data)
            if not data:
                return
        steps = self._steps
        super().data_received(data)
        self._loose_bytes = self._loose_bytes + len(data) if steps == self._steps else 0
        if self._loose_bytes > _HEAD_BYTES and not self.transport.is_closing():
            self._refuse(_TOO_LONG)
        self._watch_headers(self._in_head or (steps == self._steps and self._is_idle()))

    def _from_whole_head(self, data: bytes) -> bytes:
        """Give all of a request that has come, once its head is whole; nothing until then, or where it is refused."""
        searched = max(0, len(self._head) - len(_END) + 1)
        self._head += data
        end = self._head.find(_END, searched)
        if end < 0 and len(self._head) <= _HEAD_BYTES:
            self._unset_keepalive_if_required()  # a clock of ours has taken over
            self._watch_headers(self._is_idle())
            return b""
        come, self._head = bytes(self._head), bytearray()
        if not 0 <= end <= _HEAD_BYTES:
            self._refuse(_TOO_LONG)
            return b""
        return without_upgrade(come)

    def on_message_begin(self) -> None:
        """Note that a request has begun."""
        self._in_request = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a head has ended, and let nobody send ever more requests ahead."""
        self._in_head = False
        self._steps += 1
        if len(self.pipeline) >= _AHEAD:
            raise _TooManyError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note that a piece of a body has come."""
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request has come in whole."""
        self._in_request = False
        self._steps += 1
        super().on_message_complete()

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

    def _unsupported_upgrade_warning(self) -> None:
        """Leave a client whose second request asks for another protocol: the parser has dropped its body."""
        self.transport.close()

    def _refuse(self, reason: str) -> None:
        """End the connection, with a word where no answer is under way."""
        if self._is_idle() or not self.cycle.response_started:
            self.send_400_response(reason)
        self.transport.close()

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _watch_headers(self, waiting: bool) -> None:
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


def without_upgrade(data: bytes) -> bytes:
    """Take the wish for another protocol out of a request's head, as RFC 9110, section 7.8, allows.

    Java's client asks for HTTP/2 with every request, and llhttp leaves out the body of one that does.
    """
    head, end, rest = data.partition(_END)
    return _UPGRADE.sub(b"", head + b"\r\n")[:-2] + end + rest
