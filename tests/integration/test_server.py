"""Connections that would last for ever end, and a stopped server leaves nothing open."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from artnet.errors import DeadlineError
from artnet.model.classifier import Classifier
from artnet.serving.server import ConnectionLimits
from fixtures.serving import live, running

UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"
LARGE = 32 * 2**20  # more than the kernel keeps for a client that takes nothing


@pytest.fixture
def port() -> Iterator[int]:
    api = FastAPI()
    api.add_api_route("/", lambda: Response(b"x" * LARGE))
    api.add_api_route("/small", lambda: Response(b"small"))
    api.add_route("/echo", echo, methods=["POST"])
    with running(api, ConnectionLimits(0.4, 0.4, 1)) as found:
        yield found


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def until_ended(connection: socket.socket) -> float:
    begun = time.monotonic()
    with suppress(ConnectionResetError):
        while connection.recv(65536):
            pass
    return time.monotonic() - begun


def read_response(connection: socket.socket) -> bytes:
    """Read one response up to the five letters of its body, which may come apart from its head."""
    response = b""
    while len(response.partition(b"\r\n\r\n")[2]) < 5 and (part := connection.recv(4096)):
        response += part
    return response


def read_until(connection: socket.socket, ending: bytes) -> bytes:
    """Read until the bytes end with `ending`."""
    response = b""
    while not response.endswith(ending):
        part = connection.recv(65536)
        assert part, response[:200]
        response += part
    return response


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


def test_a_long_head_is_refused_and_a_shorter_one_taken(port: int) -> None:
    for length, status in ((400_000, b"HTTP/1.1 400"), (60_000, b"HTTP/1.1 200")):
        with connected(port) as connection:
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\nX: " + b"x" * length + b"\r\n\r\n")
            assert connection.recv(12) == status


def test_a_second_request_on_the_connection_has_its_own_time(port: int) -> None:
    with connected(port) as connection:
        for _ in range(3):
            connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
            assert read_response(connection).endswith(b"\r\n\r\nsmall")
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


def posted(head: bytes, body: bytes) -> bytes:
    return b"POST /echo HTTP/1.1\r\nHost: x\r\n" + head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_who_asks_for_another_protocol_is_answered_in_this_one(port: int) -> None:
    with connected(port) as connection:
        for _ in range(2):
            connection.sendall(posted(UPGRADE, b"12345"))
            assert read_response(connection).endswith(b"\r\n\r\n12345")


def test_requests_sent_ahead_are_answered_in_turn(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"".join(posted(b"", b"%05d" % index) for index in range(8)))
        response = read_until(connection, b"00007")
    assert response.count(b"HTTP/1.1 200") == 8
    places = [response.index(b"\r\n\r\n%05d" % index) for index in range(8)]
    assert places == sorted(places)


def test_the_size_of_a_chunk_does_not_go_on_for_ever(port: int) -> None:
    with connected(port) as connection:
        with suppress(OSError):
            connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;")
            for _ in range(40):
                connection.sendall(b"x" * 16_384)
                time.sleep(0.01)
        with suppress(ConnectionResetError):
            assert connection.recv(20).startswith(b"HTTP/1.1 400")


def test_many_small_chunks_are_taken(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            connection.sendall(b"1;a=b\r\ny\r\n" * 2000)
        connection.sendall(b"0\r\n\r\n")
        read_until(connection, b"y" * 20_000)


def test_lines_between_two_requests_do_not_keep_a_connection(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_response(connection).endswith(b"small")
        begun = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() < begun + 5:
                connection.sendall(b"\r\n")
                time.sleep(0.02)
    assert time.monotonic() - begun < 2


def test_a_stopped_server_closes_its_queue_and_its_socket(classifier: Classifier) -> None:
    with live(classifier) as server:
        assert server.request("GET", "/healthz").status == 200
    with pytest.raises(DeadlineError, match="shutting down"):
        asyncio.run(server.service.run(lambda: 1))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
