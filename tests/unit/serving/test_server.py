"""Where a server listens."""

from __future__ import annotations

import pytest

from artnet.errors import UsageError
from artnet.serving.server import ListenAddress, open_listener, url_of


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_loopback_is_known(host: str) -> None:
    assert ListenAddress(host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org", ""])
def test_everything_else_is_not_loopback(host: str) -> None:
    assert not ListenAddress(host).is_loopback


def test_any_free_port_is_found_and_told() -> None:
    with open_listener(ListenAddress(port=0)) as listener:
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    with open_listener(ListenAddress("0.0.0.0", 0)) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with open_listener(ListenAddress(port=0)) as listener:
        address = ListenAddress(port=listener.getsockname()[1])
        with pytest.raises(UsageError, match="is taken; choose another with --port"):
            open_listener(address)


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 70_000, "port 70000 does not exist"),
        ("127.0.0.1", -1, "port -1 does not exist"),
        ("192.0.2.1", 0, "not an address of this machine"),
        ("nobody.invalid", 0, "not an address of this machine"),
        ("fe80::zz", 0, "not an address of this machine"),
    ],
)
def test_places_where_nobody_can_listen_are_refused(host: str, port: int, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        open_listener(ListenAddress(host, port))
