"""The HTTP server: its socket, its limits for a connection, and its start and stop."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from types import FrameType

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from artnet.errors import UsageError

_BACKLOG = 512
_KEEP_ALIVE_S = 75  # longer than proxies keep theirs, so that none sends into a connection that is being closed
_MAX_PORT = 65535
_HEAD_BYTES = 64 * 1024  # of a request's head, or of a line between chunks


@dataclass(frozen=True)
class ListenAddress:
    """Where to listen; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 7860

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits of a connection.

    Attributes:
        head_timeout_s: From the connection, or the first byte of a further request, to the end of a request's head.
        write_timeout_s: How long a client may take none of the answer that waits for it; Linux only.
        shutdown_timeout_s: How long requests may run on after the server was told to stop.
    """

    head_timeout_s: float = 10.0
    write_timeout_s: float = 30.0
    shutdown_timeout_s: int = 2


class HeadTimeoutProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 over h11, with a limit on the time in which a request's head must arrive.

    uvicorn bounds the size of a head and the pause between two requests, but not how long a head takes, and an
    application sees nothing of a request before its head is complete. Only asyncio's own callbacks are extended.
    """

    head_timeout_s = ConnectionLimits.head_timeout_s
    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock of the first request."""
        super().connection_made(transport)
        self._set_clock()

    def data_received(self, data: bytes) -> None:
        """Stop the clock once the head is complete, or start it at the first byte of one."""
        super().data_received(data)
        self._set_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        super().connection_lost(exc)
        if self._clock is not None:
            self._clock.cancel()

    def _set_clock(self) -> None:
        awaits_head = self.conn.their_state is h11.IDLE
        if awaits_head and self._clock is None:
            self._clock = self.loop.call_later(self.head_timeout_s, self.transport.close)
        elif not awaits_head and self._clock is not None:
            self._clock.cancel()
            self._clock = None


def open_listener(address: ListenAddress, limits: ConnectionLimits | None = None) -> socket.socket:
    """Return a listening socket.

    Raises:
        UsageError: If the port is taken or not allowed, or the host is not an address of this machine.
    """
    host, port = address.host, address.port
    if not 0 <= port <= _MAX_PORT:
        raise UsageError(f"port {port} does not exist; use one from 1 to {_MAX_PORT}, or 0 for any that is free")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {port} on {host} is taken; choose another with --port") from None
        if error.errno == errno.EACCES:
            raise UsageError(f"port {port} is not allowed for this user; choose one from 1024 on") from None
        raise UsageError(f"{host}: not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all") from None
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # the connections that it accepts inherit it
        timeout_ms = round(1000 * (limits or ConnectionLimits()).write_timeout_s)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
    return listener


def url_of(listener: socket.socket) -> str:
    """Return the URL under which a browser on this machine reaches a listening socket."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """uvicorn's, to which a second SIGINT says no more than the first.

    uvicorn would then leave the application's lifespan to be cancelled, which it logs as an error.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        if not self.should_exit:
            super().handle_exit(sig, frame)


def make_server(application: FastAPI, limits: ConnectionLimits | None = None) -> Server:
    """Return a server that, told to stop, first finishes the requests that it has begun."""
    limits = limits or ConnectionLimits()
    protocol = type("Protocol", (HeadTimeoutProtocol,), {"head_timeout_s": limits.head_timeout_s})
    return Server(
        uvicorn.Config(
            application,
            http=protocol,
            h11_max_incomplete_event_size=_HEAD_BYTES,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=limits.shutdown_timeout_s,
        )
    )


def serve(application: FastAPI, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM, which the server passes on when it has stopped."""
    make_server(application).run(sockets=[listener])
