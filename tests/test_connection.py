"""Connections that would last for ever end."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from fastapi import FastAPI
from starlette.responses import Response

from artnet.connection import WatchedProtocol
from serving_fixture import running

LARGE = 32 * 2**20  # more than the kernel keeps for a client that takes nothing


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    monkeypatch.setattr(WatchedProtocol, "headers_s", 0.4)
    monkeypatch.setattr(WatchedProtocol, "taking_s", 0.4)
    api = FastAPI()
    api.add_api_route("/", lambda: Response(b"x" * LARGE))
    api.add_api_route("/small", lambda: Response(b"small"))
    with running(api) as found:
        yield found


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def until_ended(connection: socket.socket) -> float:
    begun = time.monotonic()
    with suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return time.monotonic() - begun


def answer_on(connection: socket.socket) -> bytes:
    """Take one answer to its five letters of body; headers and body may come in two parts."""
    said = b""
    while len(said.partition(b"\r\n\r\n")[2]) < 5 and (part := connection.recv(4096)):
        said += part
    return said


def test_a_connection_that_says_nothing_ends(port: int) -> None:
    with connected(port) as connection:
        assert 0.2 < until_ended(connection) < 2


def test_headers_that_come_a_byte_at_a_time_end(port: int) -> None:
    begun = time.monotonic()
    with connected(port) as connection, pytest.raises(OSError):
        connection.sendall(b"GET /small HTTP/1.1\r\nX: ")
        while time.monotonic() < begun + 5:
            connection.sendall(b"x")
            time.sleep(0.02)
    assert time.monotonic() - begun < 2


def test_endless_headers_are_refused(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /small HTTP/1.1\r\nX: " + b"x" * 200_000)
        assert connection.recv(20).startswith(b"HTTP/1.1 400")


def test_a_second_request_on_the_connection_has_its_own_time(port: int) -> None:
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer_on(connection).endswith(b"\r\n\r\nsmall")
            time.sleep(0.2)
        connection.sendall(b"GET /small HTTP/1.1\r\n")
        assert until_ended(connection) < 2


def test_a_client_that_takes_nothing_is_left(port: int) -> None:
    taken = 0
    with connected(port) as connection, suppress(ConnectionResetError):
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1.2)
        while part := connection.recv(2**20):
            taken += len(part)
    assert taken < LARGE


def test_a_client_that_takes_its_time_gets_all_of_it(port: int) -> None:
    taken = 0
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while part := connection.recv(600_000):
            taken += len(part)
            time.sleep(0.02)
    assert taken > LARGE
