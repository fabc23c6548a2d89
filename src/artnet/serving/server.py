"""Serve an application on a socket until it is told to stop.

Knows nothing about what the application answers.
"""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from artnet.errors import UsageError
from artnet.serving.connection import WatchedProtocol

_BACKLOG = 512
_KEEP_ALIVE_S = 75  # longer than proxies keep theirs, so that none sends into a connection that is being closed
_PORTS = 65535


@dataclass(frozen=True)
class Place:
    """Where to listen; port 0 takes any free one."""

    host: str = "127.0.0.1"
    port: int = 7860

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def bound(place: Place) -> socket.socket:
    """Open the socket. Errors: `UsageError` for a port that is taken or not allowed, and a host that is not here."""
    if not 0 <= place.port <= _PORTS:
        raise UsageError(f"port {place.port} does not exist; use one from 1 to {_PORTS}, or 0 for any that is free")
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    try:
        return socket.create_server((place.host, place.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(f"port {place.port} on {place.host} is taken; choose another with --port") from None
        if error.errno == errno.EACCES:
            raise UsageError(f"port {place.port} is not allowed to this user; choose one from 1024 on") from None
        raise UsageError(f"{place.host}: is no address of this machine; use 127.0.0.1, or 0.0.0.0 for all") from None


def address_of(listener: socket.socket) -> str:
    """Write where a socket listens as an address for a browser."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def server_of(application: FastAPI, shutdown_s: int = 30) -> uvicorn.Server:
    """Make the server; what is being answered when it is told to stop is finished, within `shutdown_s`.

    `WatchedProtocol` bounds what the fast parser does not.
    """
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=WatchedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=shutdown_s,
        )
    )


def serve(application: FastAPI, listener: socket.socket) -> None:
    """Answer until SIGINT or SIGTERM comes."""
    with suppress(KeyboardInterrupt):  # how the server passes Ctrl-C on when it has stopped
        server_of(application).run(sockets=[listener])
