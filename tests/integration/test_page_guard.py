"""The guard before Gradio: what passes, and what the page's first answer is rid of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from artnet.serving.web.page_guard import PageGuard

PAGE = (
    b'<head><base href="./" /><link rel="manifest" href="/manifest.json" />'
    b'<meta property="og:image" content="https://elsewhere.example/x.jpg" /></head>'
)


async def gradio(scope: Any, receive: Any, send: Any) -> None:
    """Stand in for Gradio: answer everything, in two parts."""
    headers = [(b"content-type", b"text/html"), (b"content-length", str(len(PAGE)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": PAGE[:20], "more_body": True})
    await send({"type": "http.response.body", "body": PAGE[20:]})


def asked(path: str, method: str = "GET", root: str = "") -> tuple[int, dict[bytes, bytes], bytes]:
    said: list[Any] = []

    async def send(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": method, "path": path, "root_path": root}
    asyncio.run(PageGuard(gradio, "<title>ArtNet</title>", {"Permissions-Policy": "camera=()"})(scope, None, send))  # type: ignore[arg-type]
    body = b"".join(message.get("body", b"") for message in said)
    return said[0]["status"], dict(said[0]["headers"]), body


def test_the_page_gets_its_head_and_loses_what_names_other_hosts() -> None:
    status, headers, body = asked("/")
    assert status == 200
    assert b"elsewhere.example" not in body
    assert b"manifest" not in body
    assert b'<base href="./" /><title>ArtNet</title>' in body
    assert int(headers[b"content-length"]) == len(body)


@pytest.mark.parametrize("path", ["/config", "/theme.css", "/assets/index-Ab1.js", "/static/js/x.min.js"])
def test_what_the_page_needs_passes(path: str) -> None:
    assert asked(path)[0] == 200
    assert asked(f"/below{path}", root="/below")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/assets/../secret",
        "/gradio_api/upload",
        "/gradio_api/proxy=x",
        "/config/x",
        "/manifest.json",
        "/favicon.ico",
        "/login",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_everything_else_is_not_there(path: str, method: str) -> None:
    assert asked(path, method)[0] == 404


def test_nothing_can_be_posted_to_gradio() -> None:
    assert asked("/gradio_api/component_server/", "POST")[0] == 404
    assert asked("/config", "POST")[0] == 404


def test_every_answer_says_where_things_may_come_from() -> None:
    for path in ("/", "/config", "/static/x.js"):
        headers = asked(path)[1]
        assert b"default-src 'self'" in headers[b"content-security-policy"]
        assert headers[b"permissions-policy"] == b"camera=()"
