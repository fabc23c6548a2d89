"""Middleware and limits that keep one request from harming the others: bytes, memory, time, and clients that leave.

A request's body is read here, whole and in memory, before the application sees any of it: a body that is too large,
too slow or endless is refused while it comes in, whatever its headers declare, and nothing of it reaches a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artnet.errors import ArtNetError, BusyError, DeadlineError, TooLargeError
from artnet.serving.middleware.problems import problem_of

FORM_FILES, FORM_FIELDS, FORM_FIELD_BYTES = 1, 40, 8 * 1024  # of one form; files have the limit of the body
_LINGER_S = 2.0  # a client that is still sending sees a refusal only if its bytes are read a little longer
_RETRY_S = 5


@dataclass(frozen=True)
class RequestLimits:
    """Limits of a request.

    Attributes:
        body_bytes: Size of one body.
        memory_bytes: Size of the bodies of all requests together.
        timeout_s: From the request's first byte to the last of its response.
    """

    body_bytes: int
    memory_bytes: int
    timeout_s: float


class LimitsMiddleware:
    """Refuse bodies that are too large (413), memory that is used up (429), and requests that take too long (503).

    A client that hangs up has its request cancelled, which frees its slot in the work queue.
    """

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app = app
        self.limits = limits
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a client that has left is no error."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            async with asyncio.timeout(self.limits.timeout_s) as deadline:
                await self._read(exchange)
                await _cancel_on_disconnect(self.app(scope, exchange.replay, exchange.send), receive)
        except _DisconnectedError:
            return
        except TimeoutError:
            if not deadline.expired():
                raise
            message = f"not done within {self.limits.timeout_s:g} s; send faster or ask for less"
            await exchange.refuse(DeadlineError(message))
        except ArtNetError as error:
            self._release(exchange)  # at once: others need not be refused for a body that is dropped
            await exchange.refuse(error)
        finally:
            self._release(exchange)

    async def _read(self, exchange: _Exchange) -> None:
        limit = self.limits.body_bytes
        if exchange.declared_bytes > limit:
            raise _too_large(limit)
        while not exchange.is_complete:
            size_bytes = await exchange.read()
            exchange.held_bytes += size_bytes
            self._held_bytes += size_bytes
            if exchange.held_bytes > limit:
                raise _too_large(limit)
            if self._held_bytes > self.limits.memory_bytes:
                raise BusyError(f"too many bytes are being sent at once; try again in {_RETRY_S} s", _RETRY_S)

    def _release(self, exchange: _Exchange) -> None:
        self._held_bytes -= exchange.held_bytes
        exchange.held_bytes = 0


class _DisconnectedError(Exception):
    """The client has hung up."""


class _Exchange:
    """One request with its body as it came in, and whether its response has begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.held_bytes = 0
        self.is_complete = False
        self._receive = receive
        self._send = send
        self._body = bytearray()  # chunks kept apart would weigh hundreds of bytes each, even those of one byte
        self._is_replayed = False
        self._has_started = False

    @property
    def declared_bytes(self) -> int:
        """The length that the headers declare; 0 where they declare none, or nonsense."""
        length = Headers(scope=self.scope).get("content-length", "")
        return int(length) if length.isdecimal() else 0

    async def read(self) -> int:
        """Read the next chunk of the body and return its size."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _DisconnectedError
        chunk = message.get("body", b"")
        self._body += chunk
        self.is_complete = not message.get("more_body", False)
        return len(chunk)

    async def replay(self) -> Message:
        """Return the body that was read, then whatever the server says after it."""
        if self._is_replayed:
            return await self._receive()
        body, self._body, self._is_replayed = bytes(self._body), bytearray(), True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Send a message of the application."""
        self._has_started = True
        await self._send(message)

    async def refuse(self, error: ArtNetError) -> None:
        """Respond with a problem; a response that has begun is left unfinished, which ends the connection."""
        self._body.clear()
        if self._has_started:
            return
        response = problem_of(error).response(self.scope)
        if not self.is_complete:
            response.headers["connection"] = "close"
        await self._send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        if self.is_complete or isinstance(error, DeadlineError):
            await self._send({"type": "http.response.body", "body": response.body})
            return
        await self._send({"type": "http.response.body", "body": response.body, "more_body": True})
        await self._linger()
        await self._send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """Drop what still comes in, for a moment: closing at once would destroy the response on its way."""
        with suppress(TimeoutError, _DisconnectedError):
            async with asyncio.timeout(_LINGER_S):
                while not self.is_complete:
                    await self.read()
                    self._body.clear()


async def _cancel_on_disconnect(work: Awaitable[None], receive: Receive) -> None:
    """Await the work, and cancel it if the client hangs up."""
    response = asyncio.ensure_future(work)
    disconnect = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({response, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        if not response.done():
            raise _DisconnectedError
        response.result()
    finally:
        for task in (response, disconnect):
            task.cancel()
        await asyncio.gather(response, disconnect, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large(limit_bytes: int) -> TooLargeError:
    return TooLargeError(f"the request is larger than {limit_bytes / 2**20:.0f} MB; send a smaller image")
