"""Keep one request from harming the others: bytes, memory, time, and clients that leave.

Knows nothing about what is asked: it stands around any ASGI application.

A request's body is read here, whole and in memory, before the application sees any of it: what is too large, too slow
or never ends is refused while it comes in, whatever its headers say, and nothing of it reaches a disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artnet.errors import ArtNetError, BusyError, DeadlineError, TooLargeError
from artnet.serving.middleware.problems import problem_of

_LINGER_S = 2.0  # a client that is still sending hears of a refusal only if its bytes are taken a little longer
_RETRY_S = 5


@dataclass(frozen=True)
class RequestLimits:
    """What a request may take: `api_bytes` under the API's addresses, `other_bytes` elsewhere, such as on a page.

    `memory_bytes` is for the bodies of all requests together. `timeout_s` runs from a request's beginning to the end
    of its body, and under the API's addresses to the end of its answer.
    """

    api_bytes: int
    other_bytes: int
    memory_bytes: int
    timeout_s: float
    api: tuple[str, ...] = ("/v1/",)


class _GoneError(Exception):
    """The client has hung up."""


class LimitsMiddleware:
    """ASGI middleware that reads bodies within limits and ends what takes too long."""

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        self.app = app
        self.limits = limits
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a client that has left is no error."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        guarded = _Guarded(scope, receive, send)
        deadline = asyncio.get_running_loop().time() + self.limits.timeout_s
        try:
            await self._read(guarded, deadline)
            if scope["path"].startswith(self.limits.api):
                await _before(deadline, _unless_gone(self.app(scope, guarded.replay, guarded.send), receive))
            else:
                await self.app(scope, guarded.replay, guarded.send)
        except _GoneError:
            return
        except TimeoutError:
            await guarded.refuse(DeadlineError(f"not done within {self.limits.timeout_s:g} s; send faster or ask less"))
        except ArtNetError as error:
            self._let_go(guarded)  # at once: others need not be refused for a body that is dropped
            await guarded.refuse(error)
        finally:
            self._let_go(guarded)

    def _let_go(self, guarded: _Guarded) -> None:
        self._held_bytes -= guarded.held_bytes
        guarded.held_bytes = 0

    async def _read(self, guarded: _Guarded, deadline: float) -> None:
        is_api = guarded.scope["path"].startswith(self.limits.api)
        limit = self.limits.api_bytes if is_api else self.limits.other_bytes
        if guarded.declared_bytes > limit:
            raise _too_large(limit)
        async with asyncio.timeout_at(deadline):
            while not guarded.complete:
                size_bytes = await guarded.take()
                guarded.held_bytes += size_bytes
                self._held_bytes += size_bytes
                if guarded.held_bytes > limit:
                    raise _too_large(limit)
                if self._held_bytes > self.limits.memory_bytes:
                    raise BusyError(f"too many bytes are being sent at once; try again in {_RETRY_S} s", _RETRY_S)


class _Guarded:
    """One request: its body as it came in, and whether an answer has begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.held_bytes = 0
        self.complete = False
        self._receive = receive
        self._send = send
        self._body = bytearray()  # parts kept apart would weigh hundreds of bytes each, even those of one byte
        self._replayed = False
        self._started = False

    @property
    def declared_bytes(self) -> int:
        """Give the length that the headers declare; 0 where they declare none, or nonsense."""
        length = next((value for name, value in self.scope["headers"] if name == b"content-length"), b"")
        return int(length) if length.isdigit() else 0

    async def take(self) -> int:
        """Take the next part of the body and give its size."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _GoneError
        part = message.get("body", b"")
        self._body += part
        self.complete = not message.get("more_body", False)
        return len(part)

    async def replay(self) -> Message:
        """Give the application the body that was read, then whatever comes after it."""
        if self._replayed:
            return await self._receive()
        body, self._body, self._replayed = bytes(self._body), bytearray(), True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Send a part of the application's answer."""
        self._started = True
        await self._send(message)

    async def refuse(self, error: ArtNetError) -> None:
        """Answer with a problem; where an answer had already begun, leave it unfinished, which ends the connection."""
        self._body.clear()
        if self._started:
            return
        response = problem_of(error).response(self.scope.get("state", {}).get("request_id", ""))
        if not self.complete:
            response.headers["connection"] = "close"
        await self._send(
            {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
        )
        if self.complete or isinstance(error, DeadlineError):
            await self._send({"type": "http.response.body", "body": response.body})
            return
        await self._send({"type": "http.response.body", "body": response.body, "more_body": True})
        await self._linger()
        await self._send({"type": "http.response.body", "body": b""})

    async def _linger(self) -> None:
        """Drop what still comes in, for a moment: closing at once would destroy the answer on its way."""
        with suppress(TimeoutError, _GoneError):
            async with asyncio.timeout(_LINGER_S):
                while not self.complete:
                    await self.take()
                    self._body.clear()


async def _before(deadline: float, work: Awaitable[None]) -> None:
    async with asyncio.timeout_at(deadline):
        await work


async def _unless_gone(work: Awaitable[None], receive: Receive) -> None:
    """Do the work, and cancel it if the client hangs up, so that its place goes to another."""
    answering = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise _GoneError
        answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the request is larger than {limit / 2**20:.0f} MB; send a smaller picture")
