"""Fetching from addresses that ood gave: what is refused, and what ends in time."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest

from artnet.errors import AddressError, RefusedAddressError, TooLargeError
from artnet.fetch import http as address
from artnet.fetch.http import FetchRules, fetch, is_url
from fixtures.raw_server import Raw, answering, raw_server

OPEN = FetchRules(allow_private=True, size_bytes=100_000, timeout_s=5, redirects=3)
SOON = FetchRules(allow_private=True, size_bytes=100_000, timeout_s=0.4)


@pytest.fixture
def picture_server() -> Iterator[Raw]:
    with raw_server(answering("200 OK", "Content-Type: image/png\r\nContent-Length: 3\r\n", b"abc")) as raw:
        yield raw


def test_what_lies_at_an_address_comes_back(picture_server: Raw) -> None:
    found = fetch(picture_server.url + "a%20b.png?x=1&y=é", OPEN)
    assert (found.data, found.content_type) == (b"abc", "image/png")
    head = picture_server.requests[0].decode()
    assert head.startswith("GET /a%20b.png?x=1&y=%C3%A9 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{picture_server.port}\r\n" in head


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.1", "2130706433", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "017700000001", "localhost",
        "localhost.", "LOCALHOST",
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "１２７.0.0.1",
        "0.0.0.0", "0", "10.0.0.1", "192.168.0.1", "100.64.1.1", "169.254.169.254", "0251.0376.0251.0376", "2852039166",
        "[fd00:ec2::254]", "[2002:7f00:1::]",
    ],
)  # fmt: skip
def test_private_machines_are_refused_in_every_spelling(picture_server: Raw, host: str) -> None:
    with pytest.raises(AddressError) as caught:
        fetch(f"http://{host}:{picture_server.port}/", FetchRules(timeout_s=5))
    known = caught.type is RefusedAddressError or "not known" in str(caught.value)  # some systems resolve no octals
    assert known
    assert not picture_server.requests


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/a.jpg", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("gopher://example.org/", "only http and https"),
        ("//example.org/a.jpg", "only http and https"),
        ("http://me:secret@example.org/", "user name or password"),
        ("http://example.org@127.0.0.1/", "user name or password"),
        ("http:///a.jpg", "names no host"),
        ("http://example.org:99999/", "no address"),
        ("http://[::1/", "no address"),
        ("http://exam ple.org/", "spaces"),
        ("http://example.org/\r\nHost: x", "spaces"),
        ("http://example.org\\@127.0.0.1/", "spaces"),
        ("http://example.org/" + "a" * 5000, "longer than"),
        ("http://" + "é" * 80 + ".org/", "no host"),
    ],
)
def test_what_is_no_plain_address_is_refused_before_anything_is_resolved(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("resolved"))
    with pytest.raises(RefusedAddressError, match=reason) as caught:
        fetch(url)
    assert "secret" not in str(caught.value)


def test_a_name_is_resolved_once_and_the_connection_goes_to_that_very_address(
    picture_server: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def once(host: str, *rest: object, **more: object) -> list[tuple]:
        asked.append(str(host))
        return resolve("127.0.0.1", *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(address.socket, "getaddrinfo", once)
    assert fetch(f"http://pictures.example:{picture_server.port}/", OPEN).data == b"abc"
    assert [host for host in asked if host != "127.0.0.1"] == ["pictures.example"]
    assert f"Host: pictures.example:{picture_server.port}".encode() in picture_server.requests[0]


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 80)) for host in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: entries)
    with pytest.raises(RefusedAddressError, match="not on the public internet"):
        fetch("http://both.example/")


def test_the_name_in_tls_is_that_of_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: names.append(name)  # type: ignore[assignment]
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: entries)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(AddressError, match="cannot be fetched"):
        fetch(f"https://pictures.example:{port}/", OPEN)
    thread.join()
    listener.close()
    assert names == ["pictures.example"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Moved", "308 Moved"])
def test_redirects_are_followed(picture_server: Raw, status: str) -> None:
    with raw_server(answering(status, f"Location: {picture_server.url}b.png\r\n")) as first:
        found = fetch(first.url, OPEN)
    assert (found.data, found.url) == (b"abc", picture_server.url + "b.png")


def test_each_redirect_is_checked_again(picture_server: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "is_public", lambda host: host == "127.0.0.1")
    for target in (f"http://127.0.0.2:{picture_server.port}/", "file:///etc/passwd", "http://a:b@127.0.0.1/", "//[::1"):
        with raw_server(answering("302 Found", f"Location: {target}\r\n")) as first, pytest.raises(AddressError):
            fetch(first.url)
    assert not picture_server.requests


def test_too_many_redirects_end(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        raw_server(answering("302 Found", "Location: /again\r\n")) as raw,
        pytest.raises(AddressError, match="more than 3 times"),
    ):
        fetch(raw.url, OPEN)
    assert len(raw.requests) == 4


@pytest.mark.parametrize("headers", ["Content-Length: 200000\r\n", "", "Transfer-Encoding: chunked\r\n"])
def test_more_bytes_than_allowed_are_not_read(headers: str) -> None:
    def pour(connection: socket.socket, _: bytes) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{headers}\r\n".encode())
        block = b"4000\r\n" + b"x" * 0x4000 + b"\r\n" if "chunked" in headers else b"x" * 0x4000
        while True:  # until the other side hangs up
            connection.sendall(block)

    with raw_server(pour) as raw, pytest.raises(TooLargeError, match="over the budget"):
        fetch(raw.url, OPEN)


def drip_headers(connection: socket.socket, _: bytes) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 200:
        connection.sendall(bytes([letter]))
        time.sleep(0.02)


def drip_body(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.02)


def say_nothing(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


@pytest.mark.parametrize("handle", [drip_headers, drip_body, say_nothing])
def test_a_server_that_never_ends_its_answer_is_left_in_time(handle) -> None:  # type: ignore[no-untyped-def]
    with raw_server(handle) as raw:
        begun = time.monotonic()
        with pytest.raises(AddressError, match=r"longer than 0\.4 s"):
            fetch(raw.url, SOON)
        assert time.monotonic() - begun < 1.5


def test_a_resolver_that_does_not_answer_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address.socket, "getaddrinfo", lambda *_, **__: time.sleep(1))
    begun = time.monotonic()
    with pytest.raises(AddressError, match="not found in time"):
        fetch("http://slow.example/", SOON)
    assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        (answering("404 Not Found", "Content-Length: 0\r\n"), "answered 404"),
        (answering("500 Broken", "Content-Length: 0\r\n"), "answered 500"),
        (answering("304 Not Modified"), "answered 304"),
        (answering("302 Found", "Content-Length: 0\r\n"), "answered 302"),
        (answering("200 OK", "Content-Encoding: gzip\r\nContent-Length: 1\r\n", b"x"), "compressed"),
        (answering("200 OK", "Content-Length: 10\r\n", b"x"), "cannot be fetched"),
        (lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), "cannot be fetched"),
        (lambda connection, _: None, "cannot be fetched"),
        (lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "cannot be fetched"),
    ],
)
def test_other_answers_are_errors_in_words(handle, reason: str) -> None:  # type: ignore[no-untyped-def]
    with raw_server(handle) as raw, pytest.raises(AddressError, match=reason):
        fetch(raw.url + "?signature=secret", OPEN)


def test_nobody_listening_and_nobody_known_are_errors_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(AddressError, match="cannot be fetched"):
        fetch(f"http://127.0.0.1:{port}/?signature=secret", OPEN)
    with pytest.raises(AddressError, match="not known"):
        fetch("http://nobody.invalid/", OPEN)


def test_addresses_are_told_from_names_of_files() -> None:
    assert is_url("https://example.org/a.jpg")
    assert is_url("HTTP://example.org")
    assert not is_url("http/a.jpg")
    assert not is_url("a.jpg")
