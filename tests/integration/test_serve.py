"""Where a server listens, and how it stops."""

from __future__ import annotations

import socket

import pytest

from artnet.errors import UsageError
from artnet.model.classifier import Classifier
from artnet.serving.server import Place, address_of, bound
from fixtures.serving import live


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_loopback_is_known(host: str) -> None:
    assert Place(host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not Place(host).is_loopback


def test_any_free_port_is_found_and_told() -> None:
    with bound(Place(port=0)) as listener:
        assert address_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    with bound(Place("0.0.0.0", 0)) as listener:
        assert address_of(listener).startswith("http://127.0.0.1:")


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with bound(Place(port=0)) as listener, pytest.raises(UsageError, match="is taken; choose another with --port"):
        bound(Place(port=listener.getsockname()[1]))


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 70_000, "port 70000 does not exist"),
        ("127.0.0.1", -1, "port -1 does not exist"),
        ("192.0.2.1", 0, "no address of this machine"),
        ("nobody.invalid", 0, "no address of this machine"),
        ("fe80::zz", 0, "no address of this machine"),
    ],
)
def test_places_where_nobody_can_listen_are_refused(host: str, port: int, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        bound(Place(host, port))


def test_a_stopped_server_closes_its_service_and_its_socket(classifier: Classifier) -> None:
    with live(classifier) as server:
        assert server.ask("GET", "/healthz").status == 200
    assert not any(thread.is_alive() for thread in server.service._threads)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
