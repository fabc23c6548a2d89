"""The network backend for httpcore2 that connects only to addresses that it has resolved and checked itself."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable
from functools import cache

import httpcore2

from artnet.concurrency import DaemonPool
from artnet.errors import AddressError, RefusedAddressError
from artnet.fetch.ip_policy import is_public

# Daemon threads: an event loop that closes waits for its own executor, however late the resolver is. So many, because a
# host whose name servers are silent keeps its thread for half a minute.
_LOOKUPS = DaemonPool(64)


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Resolve a host once, refuse it unless each of its addresses is public, and connect to one of those addresses.

    A name therefore cannot stand for one machine when it is checked and for another when it is used. The Host header
    and the name in TLS stay the host's: httpcore2 takes them from the URL.

    Args:
        label: the URL as errors show it
        timeout_s: how long connecting may take, shared equally between the addresses of a host
        allow_private: connect to addresses that are not on the public internet, too
    """

    def __init__(self, label: str, timeout_s: float, allow_private: bool = False) -> None:
        self._inner = httpcore2.AnyIOBackend()
        self._label = label
        self._timeout_s = timeout_s
        self._allow_private = allow_private
        self._opened: list[httpcore2.AsyncNetworkStream] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address of the host that answers."""
        addresses = await self._resolve(host, port)
        share_s = self._timeout_s / max(1, len(addresses))
        failure: Exception = httpcore2.ConnectError("the host has no address")
        for address in addresses:
            try:
                stream = await self._inner.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                self._opened.append(stream)
                return stream
        raise failure

    async def aclose(self) -> None:
        """Close every connection; a handshake that is cancelled leaves its own open."""
        for stream in self._opened:
            await stream.aclose()

    async def _resolve(self, host: str, port: int) -> list[str]:
        try:
            lookup = _LOOKUPS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
            entries = await asyncio.wrap_future(lookup)
        except (OSError, UnicodeError):
            raise AddressError(f"{self._label}: its host is not known; check the spelling") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        # One that is not public is enough: it could be the one that is used another time.
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise RefusedAddressError(f"{self._label}: leads to a machine that is not on the public internet")
        return addresses


@cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS settings of the process: the system's certificates, read once."""
    return httpcore2.default_ssl_context()
