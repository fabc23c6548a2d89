"""Which URLs are fetched at all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from artnet.errors import RefusedAddressError
from artnet.fetch.http import fetch, is_url


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
        ("http://example.org:99999/", "is not a URL"),
        ("http://[::1/", "is not a URL"),
        ("http://exam ple.org/", "names no host"),
        ("http://example.org/\r\nHost: x", "line breaks"),
        ("http://example.org\\@127.0.0.1/", "line breaks"),
        ("http://example.org/" + "a" * 5000, "longer than"),
        ("http://" + "é" * 80 + ".org/", "not the name of a host"),
    ],
)
def test_what_is_not_a_plain_url_is_refused_before_anything_is_resolved(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("resolved"))
    with pytest.raises(RefusedAddressError, match=reason) as caught:
        fetch(url)
    assert "secret" not in str(caught.value)


def test_urls_are_told_from_names_of_files() -> None:
    assert is_url("https://example.org/a.jpg")
    assert is_url("HTTP://example.org")
    assert not is_url("http/a.jpg")
    assert not is_url("a.jpg")


def test_no_client_is_loaded_before_a_url_is_met() -> None:
    code = "import sys, artnet.fetch.retry; assert not {'httpcore2', 'asyncio'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
