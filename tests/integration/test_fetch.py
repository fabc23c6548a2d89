"""Fetching untrusted URLs: what is refused, and what ends in time."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from artnet.errors import AddressError, RefusedAddressError, TooLargeError
from artnet.fetch.http import FetchRules, fetch, fetch_async
from fixtures.raw_server import Raw, answering, raw_server

OPEN = FetchRules(allow_private=True, size_bytes=100_000, timeout_s=5, redirects=3)
SOON = FetchRules(allow_private=True, size_bytes=100_000, timeout_s=0.4)


@pytest.fixture
def image_server() -> Iterator[Raw]:
    with raw_server(answering("200 OK", "Content-Type: image/png\r\nContent-Length: 3\r\n", b"abc")) as raw:
        yield raw


@pytest.fixture
def resolving(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Make every host stand for some addresses; the hosts that are looked up are in the list it returns."""

    def resolve_to(*addresses: str) -> list[str]:
        looked_up: list[str] = []

        def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            looked_up.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return looked_up

    return resolve_to


def test_the_body_at_a_url_is_returned(image_server: Raw) -> None:
    fetched = fetch(image_server.url + "a%20b.png?x=1&y=é", OPEN)
    assert (fetched.data, fetched.content_type) == (b"abc", "image/png")
    head = image_server.requests[0].decode()
    assert head.startswith("GET /a%20b.png?x=1&y=%C3%A9 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{image_server.port}\r\n" in head


def test_an_event_loop_fetches_several_urls_at_a_time() -> None:
    def handle(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.2)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")

    async def fetch_five(url: str) -> list[bytes]:
        return [fetched.data for fetched in await asyncio.gather(*(fetch_async(url, OPEN) for _ in range(5)))]

    with raw_server(handle) as raw:
        begun = time.monotonic()
        assert asyncio.run(fetch_five(raw.url)) == [b"abc"] * 5
        assert time.monotonic() - begun < 0.9


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
def test_private_machines_are_refused_in_every_spelling(image_server: Raw, host: str) -> None:
    with pytest.raises(AddressError) as caught:
        fetch(f"http://{host}:{image_server.port}/", FetchRules(timeout_s=5))
    known = caught.type is RefusedAddressError or "not known" in str(caught.value)  # some systems resolve no octals
    assert known
    assert not image_server.requests


def test_a_name_is_resolved_once_and_the_connection_goes_to_that_very_address(
    image_server: Raw, resolving: Callable[..., list[str]]
) -> None:
    looked_up = resolving("127.0.0.1")
    assert fetch(f"http://images.example:{image_server.port}/", OPEN).data == b"abc"
    assert looked_up == ["images.example"]
    assert f"Host: images.example:{image_server.port}".encode() in image_server.requests[0]


def test_the_next_address_of_a_host_is_tried_where_the_first_refuses(
    image_server: Raw, resolving: Callable[..., list[str]]
) -> None:
    resolving("127.0.0.2", "127.0.0.1")
    assert fetch(f"http://images.example:{image_server.port}/", OPEN).data == b"abc"


def test_a_name_with_one_private_address_among_public_ones_is_refused(resolving: Callable[..., list[str]]) -> None:
    resolving("93.184.215.14", "10.0.0.1")
    with pytest.raises(RefusedAddressError, match="not on the public internet"):
        fetch("http://both.example/")


def test_the_name_in_tls_is_the_hosts(resolving: Callable[..., list[str]]) -> None:
    names: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: names.append(name)  # type: ignore[assignment]
    listener = socket.create_server(("127.0.0.1", 0))
    resolving("127.0.0.1")

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(AddressError, match="cannot be fetched"):
        fetch(f"https://images.example:{listener.getsockname()[1]}/", OPEN)
    thread.join()
    listener.close()
    assert names == ["images.example"]


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Moved", "308 Moved"])
def test_redirects_are_followed(image_server: Raw, status: str) -> None:
    with raw_server(answering(status, f"Location: {image_server.url}b.png\r\n")) as first:
        fetched = fetch(first.url, OPEN)
    assert (fetched.data, fetched.url) == (b"abc", image_server.url + "b.png")


def test_each_redirect_is_checked_again(image_server: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artnet.fetch.backend.is_public", lambda address: address == "127.0.0.1")
    for target in (f"http://127.0.0.2:{image_server.port}/", "file:///etc/passwd", "http://a:b@127.0.0.1/", "//[::1"):
        with raw_server(answering("302 Found", f"Location: {target}\r\n")) as first, pytest.raises(AddressError):
            fetch(first.url)
    assert not image_server.requests


@pytest.mark.parametrize(
    ("path", "requested"),
    [
        ("caf\u00e9/\u8461\u98fe.jpg", "/caf%C3%A9/%E8%91%A1%E9%A3%BE.jpg"),
        ("a b.jpg?q=c d", "/a%20b.jpg?q=c%20d"),
        ("a%20b.jpg", "/a%20b.jpg"),
        ("a.jpg ", "/a.jpg"),
        ("a.jpg?f={1}#top", "/a.jpg?f=%7B1%7D"),
    ],
)
def test_letters_that_no_url_has_are_escaped_as_browsers_do(image_server: Raw, path: str, requested: str) -> None:
    fetch(image_server.url + path, OPEN)
    assert image_server.requests[-1].split()[1] == requested.encode()


def test_a_redirect_to_raw_letters_is_followed(image_server: Raw) -> None:
    with raw_server(answering("302 Found", "Location: /caf\u00e9 1.jpg\r\n")) as raw:
        with pytest.raises(AddressError, match="redirects more than"):
            fetch(raw.url, OPEN)
        assert raw.requests[1].split()[1] == b"/caf%C3%A9%201.jpg"


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("deflate", zlib.compress)]
)
def test_a_body_that_is_compressed_unasked_is_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with raw_server(answering("200 OK", f"Content-Encoding: {encoding}\r\n", pack(b"abc" * 1000))) as raw:
        assert fetch(raw.url, OPEN).data == b"abc" * 1000


def test_a_body_that_unpacks_to_too_much_is_unpacked_no_further() -> None:
    bomb = gzip.compress(bytes(10**7))
    with raw_server(answering("200 OK", "Content-Encoding: gzip\r\n", bomb)) as raw, pytest.raises(TooLargeError):
        fetch(raw.url, OPEN)


def test_too_many_redirects_end() -> None:
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

    with raw_server(pour) as raw, pytest.raises(TooLargeError, match="over the limit"):
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
def test_a_server_that_never_ends_its_response_is_left_in_time(handle) -> None:  # type: ignore[no-untyped-def]
    with raw_server(handle) as raw:
        begun = time.monotonic()
        with pytest.raises(AddressError, match=r"longer than 0\.4 s"):
            fetch(raw.url, SOON)
        assert time.monotonic() - begun < 1.5


def test_a_tls_handshake_that_never_ends_is_left_in_time() -> None:
    with raw_server(say_nothing) as raw, pytest.raises(AddressError, match=r"longer than 0\.4 s"):
        fetch(raw.url.replace("http:", "https:"), SOON)


def test_redirects_share_one_deadline() -> None:
    def redirect_slowly(connection: socket.socket, _: bytes) -> None:
        time.sleep(0.15)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n")

    with raw_server(redirect_slowly) as raw, pytest.raises(AddressError, match=r"longer than 0\.4 s"):
        fetch(raw.url, SOON)


def test_a_resolver_that_does_not_answer_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1))
    begun = time.monotonic()
    with pytest.raises(AddressError, match=r"longer than 0\.4 s"):
        fetch("http://slow.example/", SOON)
    assert time.monotonic() - begun < 0.9


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        (answering("404 Not Found", "Content-Length: 0\r\n"), "answered 404"),
        (answering("500 Broken", "Content-Length: 0\r\n"), "answered 500"),
        (answering("304 Not Modified"), "answered 304"),
        (answering("302 Found", "Content-Length: 0\r\n"), "answered 302"),
        (answering("200 OK", "Content-Encoding: gzip\r\n", b"no gzip"), "cannot be unpacked"),
        (answering("200 OK", "Content-Encoding: gzip\r\n", gzip.compress(b"x" * 99)[:-9]), "ends too early"),
        (answering("200 OK", "Content-Encoding: br\r\nContent-Length: 1\r\n", b"x"), "compressed by br"),
        (answering("200 OK", "Content-Length: 10\r\n", b"x"), "cannot be fetched"),
        (lambda connection, _: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), "cannot be fetched"),
        (lambda connection, _: None, "cannot be fetched"),
        (lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000), "cannot be fetched"),
    ],
)
def test_other_responses_are_errors_in_words(handle, reason: str) -> None:  # type: ignore[no-untyped-def]
    with raw_server(handle) as raw, pytest.raises(AddressError, match=reason):
        fetch(raw.url + "?signature=secret", OPEN)


def test_nobody_listening_and_nobody_known_are_errors_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(AddressError, match="cannot be fetched"):
        fetch(f"http://127.0.0.1:{port}/?signature=secret", OPEN)
    with pytest.raises(AddressError, match="not known"):
        fetch("http://nobody.invalid/", OPEN)
