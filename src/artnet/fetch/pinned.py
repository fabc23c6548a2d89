"""Make one HTTP request to addresses that were checked before, whatever the host is called, before a deadline.

Knows nothing about which addresses may be reached, nor about redirects.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore2


@dataclass(frozen=True)
class Place:
    """Where a request goes, taken apart: `target` is the path with its query, all of it ASCII."""

    scheme: str
    host: str
    port: int
    target: str


@contextmanager
def get(
    place: Place, headers: Mapping[bytes | str, bytes | str], addresses: list[str], deadline: float
) -> Iterator[httpcore2.Response]:
    """Ask for a place at the first of `addresses` that answers; `deadline` is on the monotonic clock, in seconds.

    The name in TLS, and on its certificate, is the host's. The answer's body is read with `iter_stream`, inside
    `with`. Errors: `TimeoutError` after the deadline, `ConnectionError` for everything else that the network does.
    """
    context = _tls() if place.scheme == "https" else None
    url = httpcore2.URL(scheme=place.scheme, host=place.host, port=place.port, target=place.target)
    try:
        with (
            httpcore2.ConnectionPool(ssl_context=context, network_backend=_Pinned(addresses, deadline)) as pool,
            pool.stream("GET", url, headers=headers) as response,
        ):
            yield response
    except httpcore2.TimeoutException as error:
        raise TimeoutError(str(error)) from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError, OSError) as error:
        raise ConnectionError(str(error)) from error


class _Pinned(httpcore2.NetworkBackend):
    """Connect to addresses that were checked, whatever host is asked for, and end with the deadline."""

    def __init__(self, addresses: list[str], deadline: float) -> None:
        self._addresses = addresses
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address that answers; each has an equal share of the time that is left."""
        failure: Exception = httpcore2.ConnectError("no address")
        for index, address in enumerate(self._addresses):
            share = _left(self._deadline, httpcore2.ConnectTimeout) / (len(self._addresses) - index)
            try:
                return _Hurried(httpcore2.SyncBackend().connect_tcp(address, port, share), self._deadline)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class _Hurried(httpcore2.NetworkStream):
    """A stream whose every step ends with one deadline: a byte a second does not start the clock again."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        return self._stream.read(max_bytes, _left(self._deadline, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        self._stream.write(buffer, _left(self._deadline, httpcore2.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        """Encrypt, for the host that was asked for and not for the number that it stands for."""
        left = _left(self._deadline, httpcore2.ConnectTimeout)
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Tell what the stream below tells."""
        return self._stream.get_extra_info(info)


def _left(deadline: float, late: type[httpcore2.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("out of time")
    return left


@cache
def _tls() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()
