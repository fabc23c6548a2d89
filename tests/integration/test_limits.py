"""Requests that are too large, too slow, or left alone: refused while they come in, and nobody else notices."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from artnet.imaging.decode import Limits
from artnet.model.classifier import Classifier
from artnet.serving.api.state import ApiSettings
from artnet.serving.work_queue import QueueLimits
from fixtures.serving import FORM, Live, form, live, occupied, png, until

SMALL = ApiSettings(limits=Limits(size_bytes=200_000), memory_bytes=600_000)


@pytest.fixture(scope="module")
def server(classifier: Classifier) -> Iterator[Live]:
    with live(classifier, SMALL, QueueLimits(concurrency=1, queue_size=1, timeout_s=2.0)) as found:
        until(lambda: found.send("/v1/classify", png(Image.new("RGB", (9, 9)))).status == 200)  # warm
        yield found


@pytest.fixture(scope="module")
def picture() -> bytes:
    return png(Image.new("RGB", (60, 40), "red"))


def head(length: str) -> bytes:
    return f"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\n{length}\r\n".encode()


def read_response(connection: socket.socket) -> bytes:
    """Read until the other side ends, or says no more for a while."""
    response = b""
    while part := connection.recv(65536):
        response += part
    return response


def test_a_body_that_declares_too_much_is_refused_before_any_of_it_is_read(server: Live, picture: bytes) -> None:
    with server.raw() as connection:
        connection.sendall(head("Content-Length: 99999999\r\nExpect: 100-continue\r\n"))
        connection.shutdown(socket.SHUT_WR)
        response = read_response(connection)
    assert response.startswith(b"HTTP/1.1 413 ")
    assert b'"kind": "too-large"' in response
    assert server.send("/v1/classify", picture).status == 200


def test_a_body_without_a_length_is_refused_as_soon_as_it_is_too_large(server: Live) -> None:
    with server.raw() as connection:
        connection.sendall(head("Transfer-Encoding: chunked\r\nConnection: close\r\n"))
        for _ in range(5):
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        response = read_response(connection)
    assert response.startswith(b"HTTP/1.1 413 ")


def test_an_endless_body_ends_with_its_connection(server: Live) -> None:
    begun = time.monotonic()
    with server.raw() as connection, pytest.raises(OSError):
        connection.sendall(head("Transfer-Encoding: chunked\r\n"))
        while time.monotonic() < begun + 10:
            connection.sendall(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
            time.sleep(0.005)
    assert time.monotonic() - begun < 5


def test_a_length_that_lies_gives_a_form_that_cannot_be_read(server: Live, picture: bytes) -> None:
    body = form(picture)
    with server.raw() as connection:
        connection.sendall(head(f"Content-Length: {len(body) - 30}\r\nConnection: close\r\n") + body)
        response = read_response(connection)
    assert response.startswith(b"HTTP/1.1 400 ")
    assert b"cut short" in response
    assert server.send("/v1/classify", picture).status == 200


@pytest.mark.parametrize("length", ["Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"])
def test_a_client_that_sends_a_byte_now_and_then_is_refused_in_time(server: Live, picture: bytes, length: str) -> None:
    begun = time.monotonic()
    with server.raw() as connection:
        connection.sendall(head(length))
        connection.settimeout(0.1)
        response = b""
        while not response and time.monotonic() < begun + 5:
            connection.sendall(b"1\r\nx\r\n" if "chunked" in length else b"x")
            try:
                response = connection.recv(65536)
            except TimeoutError:
                assert server.send("/v1/classify", picture).status == 200  # the others notice nothing
    assert response.startswith(b"HTTP/1.1 503 ")
    assert 1.9 < time.monotonic() - begun < 6


def test_a_client_that_leaves_while_sending_leaves_nothing_behind(server: Live, picture: bytes) -> None:
    for _ in range(5):
        with server.raw() as connection:
            connection.sendall(head("Content-Length: 100000\r\n") + b"x" * 5000)
    assert server.send("/v1/classify", picture).status == 200


def test_a_client_that_leaves_while_waiting_frees_its_place(server: Live, picture: bytes) -> None:
    body = form(picture)
    with occupied(server.service, 1):
        with server.raw() as connection:
            connection.sendall(head(f"Content-Length: {len(body)}\r\n") + body)
            until(lambda: server.service.waiting == 1)
        until(lambda: server.service.waiting == 0, 1.8)


def test_one_more_than_can_wait_is_told_when_to_come_again(server: Live, picture: bytes) -> None:
    with occupied(server.service, 2):
        response = server.send("/v1/classify", picture)
    assert (response.status, response.json["kind"]) == (429, "busy")
    assert int(response.headers["Retry-After"]) >= 1


def test_what_is_not_answered_in_time_is_given_up(server: Live, picture: bytes) -> None:
    with occupied(server.service, 1):
        begun = time.monotonic()
        response = server.send("/v1/explain", picture)
        assert 1.9 < time.monotonic() - begun < 6
    assert (response.status, response.json["kind"]) == (503, "deadline")
    assert server.send("/v1/classify", picture).status == 200


def test_all_bodies_together_are_bounded_and_given_back(classifier: Classifier, picture: bytes) -> None:
    with live(classifier, SMALL) as server:
        connections = [server.raw() for _ in range(4)]
        for connection in connections:
            connection.sendall(head("Content-Length: 190000\r\n") + b"x" * 180_000)
        answered, _, _ = select.select(connections, [], [], 10)
        assert [connection.recv(12) for connection in answered] == [b"HTTP/1.1 429"]
        for connection in connections:
            connection.close()
        until(lambda: server.send("/v1/classify", picture).status == 200)
        for _ in range(5):
            assert server.send("/v1/classify", picture).status == 200
